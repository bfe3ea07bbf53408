//! What a plan says, in words.

use super::View;
use crate::artifact::Extent;
use crate::plan::{
    AccessChange, Action, Cause, Change, Issuance, IssuanceKind, Lock, Pin, Plan, in_sync,
    shell_word,
};

/// What a service does that is told of revoked certificates for the first time.
pub const NO_LISTS: &str = "looks at no revocation list until its container is made anew";

/// The word for what would be done.
pub fn will(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Update => "update",
        Action::Chmod => "chmod",
        Action::Grant => "access",
        Action::Delete => "delete",
        Action::Refuse => "refuse",
        Action::Keep => "keep",
        Action::Adopt | Action::Forget | Action::Unchanged => "",
    }
}

/// The word for what was done.
pub fn done(action: Action) -> &'static str {
    match action {
        Action::Create => "created",
        Action::Update => "updated",
        Action::Chmod => "chmod",
        Action::Delete => "deleted",
        Action::Refuse => "refused",
        Action::Grant => "access",
        Action::Keep => "kept",
        Action::Adopt | Action::Forget | Action::Unchanged => "",
    }
}

/// Why something is done.
pub fn why(change: &Change, view: &View<'_>) -> String {
    let spec = view.spec;
    if let Some(access) = &change.access {
        return access_why(change, access);
    }
    if let Some(issuance) = issued(change) {
        return issuance.reasons.join("; ");
    }
    let it = match change.extent {
        Extent::File => "it",
        Extent::Block => "its block",
    };
    if let Some(obstacle) = &change.obstacle {
        return match change.action {
            Action::Keep => format!("{spec} no longer asks for {it}, but {obstacle}"),
            _ => obstacle.to_string(),
        };
    }
    let cause = change.cause.map_or("", |cause| match cause {
        Cause::New => "new",
        Cause::SpecChanged => "the spec or an input changed",
        Cause::EditedByHand => "edited by hand since the last build",
        Cause::ModeChanged => "somebody changed the mode",
        Cause::Missing => "removed by hand since the last build",
        Cause::NeverOurs => "not written by tlsgen",
        Cause::Gone => "",
    });
    let of_block = change.extent == Extent::Block && change.before.is_some();
    let told = match change.cause {
        Some(Cause::New) if of_block => "a new block".to_owned(),
        _ if of_block => format!("its block: {cause}"),
        _ => cause.to_owned(),
    };
    match change.action {
        Action::Delete if is_request(&change.path) => "it is no longer to be signed".to_owned(),
        Action::Delete => format!("{spec} no longer asks for it"),
        Action::Update if change.cause == Some(Cause::Gone) => {
            format!("{spec} no longer asks for {it}")
        }
        Action::Keep => format!("{spec} no longer asks for {it}, but it was {cause}: it stays"),
        Action::Chmod => format!("{cause}: {}", modes(change)),
        Action::Refuse => {
            let path = shell_word(&change.path);
            format!("{told}; `tlsgen build --adopt {path}` takes it over")
        }
        Action::Update if matches!(change.cause, Some(Cause::EditedByHand | Cause::NeverOurs)) => {
            format!("{told}, taken over")
        }
        _ => told,
    }
}

/// Whether a file is a request that a build wrote; of one that goes nothing else is known.
fn is_request(path: &str) -> bool {
    let file = path.strip_prefix("pki/hosts/");
    file.is_some_and(|file| file.ends_with(".csr"))
}

/// What is issued, if nothing prevents it.
pub fn issued(change: &Change) -> Option<&Issuance> {
    let writes = matches!(change.action, Action::Create | Action::Update);
    change.issuance.as_ref().filter(|_| writes)
}

/// The request that stands there until somebody else has signed it.
pub fn waits(change: &Change) -> Option<&Issuance> {
    let stands = matches!(change.action, Action::Unchanged | Action::Adopt);
    let request = |issuance: &&Issuance| issuance.kind == IssuanceKind::Request;
    change.issuance.as_ref().filter(|_| stands).filter(request)
}

/// The word for a change: what is made, or else what is done to the file.
pub fn word(change: &Change, of_action: fn(Action) -> &'static str) -> &'static str {
    let is_done = of_action(Action::Create) == done(Action::Create);
    match (issued(change).map(|issuance| issuance.kind), is_done) {
        (None, _) => of_action(change.action),
        (Some(IssuanceKind::Certificate), false) => "issue",
        (Some(IssuanceKind::Certificate), true) => "issued",
        (Some(IssuanceKind::Request), false) => "ask",
        (Some(IssuanceKind::Request), true) => "asked",
        (Some(IssuanceKind::RevocationList), _) => "crl",
    }
}

/// Who may read a file of the user's, before and after, or what prevents that.
fn access_why(change: &Change, access: &AccessChange) -> String {
    let readers = access.readers;
    match (&change.obstacle, &access.before) {
        (Some(_), _) if change.is_absent() => {
            format!("not here: its access, {readers}, is set by the next build where it is")
        }
        (Some(obstacle), _) if change.action == Action::Grant => format!("{obstacle} → {readers}"),
        (Some(obstacle), _) => obstacle.to_string(),
        (None, Some(before)) => format!("{before} → {readers}"),
        (None, None) => readers.to_string(),
    }
}

fn modes(change: &Change) -> String {
    let mode = |content: &Option<crate::plan::Content>| {
        let mode = content.as_ref().map(|content| content.mode);
        mode.map_or_else(String::new, |mode| format!("{mode:04o}"))
    };
    format!("{} to {}", mode(&change.before), mode(&change.after))
}

/// Why, and which line of the spec asked for it.
pub fn why_and_where(change: &Change, view: &View<'_>) -> String {
    let why = why(change, view);
    match change.origin {
        Some(span) => format!("{why}; asked for by {}", view.sources.place(span)),
        None => why,
    }
}

/// What the lock gains or loses besides the files that are written, if anything.
pub fn lock_only(plan: &Plan) -> Option<String> {
    let summary = plan.summary();
    let mut parts = Vec::new();
    if plan.lock_before().is_rebuilt() {
        parts.push("a merge conflict is resolved".to_owned());
    }
    if summary.adopt > 0 {
        let as_wanted = plural(summary.adopt, "file is", "files are");
        parts.push(format!("{as_wanted} as wanted already"));
    }
    let forgotten = |change: &&Change| change.action == Action::Forget;
    let forgotten = plan.changes.iter().filter(forgotten);
    let (inputs, gone): (Vec<&Change>, Vec<&Change>) =
        forgotten.partition(|change| change.after.is_some());
    if !gone.is_empty() {
        let gone = plural(gone.len(), "file is", "files are");
        parts.push(format!("{gone} gone already"));
    }
    if !inputs.is_empty() {
        let inputs = plural(inputs.len(), "file is", "files are");
        parts.push(format!("{inputs} your own from now on"));
    }
    let after = plan.lock();
    parts.extend(pins(plan.lock_before(), &after));
    if parts.is_empty() && only_lock(plan) {
        parts.push("its other facts changed".to_owned());
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn pins(before: &Lock, after: &Lock) -> Vec<String> {
    let missing_in = |lock: &Lock, pin: &Pin| {
        let key = |pin: &Pin| (pin.authority.clone(), pin.sha256);
        !lock.pins.iter().any(|other| key(other) == key(pin))
    };
    let added = after.pins.iter().filter(|pin| missing_in(before, pin));
    let removed = before.pins.iter().filter(|pin| missing_in(after, pin));
    let told = |word: &str, pin: &Pin| {
        let (authority, title) = (&pin.authority, &pin.title);
        format!("{word} `{authority}`: {title}, sha256 {}", pin.sha256)
    };
    added
        .map(|pin| told("pins", pin))
        .chain(removed.map(|pin| told("no longer pins", pin)))
        .collect()
}

/// Whether nothing but the lock is written.
fn only_lock(plan: &Plan) -> bool {
    let summary = plan.summary();
    let files = summary.create + summary.update + summary.chmod + summary.grant + summary.delete;
    files + summary.refuse + summary.keep == 0 && plan.changes_lock() && !plan.rewrites_keys
}

/// The last line: what there is to do, counted.
pub fn summary(plan: &Plan, command: &str, to: &str, words: [&str; 3]) -> String {
    let summary = plan.summary();
    let as_wanted = summary.unchanged + summary.adopt;
    let right = match as_wanted {
        1 => "1 file as it should be".to_owned(),
        count => format!("{} files as they should be", thousands(count)),
    };
    let waiting = match plan.waiting() {
        0 => String::new(),
        count => {
            let requests = plural(count, "request", "requests");
            format!(", {requests} to be signed elsewhere")
        }
    };
    if in_sync(plan) {
        let absent = match summary.absent {
            0 => String::new(),
            count => format!(", {} not here", thousands(count)),
        };
        return format!("nothing to do: {right}{absent}{waiting}");
    }
    if only_lock(plan) {
        return format!("{command}: only tlsgen.lock {to}written, {right}{waiting}");
    }
    if plan.changes.iter().all(is_unchanged) {
        return format!("{command}: nothing {to}written, {right}{waiting}");
    }
    let [create, update, delete] = words;
    let to_set = if to.is_empty() { "set" } else { "to set" };
    let mut parts = vec![
        format!("{} {create}", thousands(summary.create)),
        format!("{} {update}", thousands(summary.update + summary.chmod)),
        format!("{} {delete}", thousands(summary.delete)),
        format!("{} unchanged", thousands(as_wanted)),
    ];
    let access = match summary.grant {
        1 => format!("access {to_set}"),
        _ => format!("accesses {to_set}"),
    };
    for (count, word) in [
        (summary.grant, &*access),
        (summary.absent, "not here"),
        (summary.keep, "kept"),
        (summary.refuse, "refused"),
    ] {
        if count > 0 {
            parts.push(format!("{} {word}", thousands(count)));
        }
    }
    format!("{command}: {}{waiting}", parts.join(", "))
}

fn is_unchanged(change: &Change) -> bool {
    change.action == Action::Unchanged
}

/// `1 file`, `1,234 files`.
pub fn plural(count: usize, one: &str, many: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{} {many}", thousands(count)),
    }
}

/// `1,234`.
pub fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let groups: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
    let groups = groups.into_iter().map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(",")
}

/// A control character as a picture of it, so that a file cannot steer the terminal.
pub fn harmless(character: char) -> char {
    match character {
        '\t' => '\t',
        '\0'..='\u{1f}' => char::from_u32(0x2400 + character as u32).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        character => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_thousands_apart() {
        let numbers = [0, 999, 1000, 1_234_567].map(thousands);
        assert_eq!(numbers, ["0", "999", "1,000", "1,234,567"]);
    }
}
