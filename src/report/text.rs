//! A plan for people.

use std::collections::BTreeMap;

use super::View;
use super::certificates::CertificateList;
use super::paint::Paint;
use super::unified::{has_text, mode_only, unified};
use super::words::{
    NO_LISTS, done, harmless, lock_only, plural, summary, waits, why, why_and_where, will, word,
};
use crate::plan::{Action, Change, Contents, Detail, Plan, in_sync};
use crate::world;

/// As many lines of one file's difference are shown, unless all are asked for.
const LINES_OF_A_FILE: usize = 200;
/// As many lines of all differences together.
const LINES_OF_A_PLAN: usize = 2000;
/// A build names as many files one by one.
const FILES_OF_A_BUILD: usize = 20;
/// A build repeats as many notes.
const NOTES_OF_A_BUILD: usize = 10;

/// What a build would do: each file with the reason and the difference, then the certificates that
/// come and go, the notes, and a summary in the last line.
pub fn plan(plan: &Plan, view: &View<'_>) -> String {
    let mut page = Page::new(view);
    page.changes(plan.changes.iter(), true);
    page.waiting(plan);
    page.lock(plan);
    let certificates = CertificateList::of(&plan.changes, &mut page.contents);
    page.section(&certificates.text(view));
    page.absent(plan);
    page.reloads(plan);
    page.starts(plan);
    page.notes(usize::MAX);
    page.summary(
        plan,
        "plan",
        "to be ",
        ["to create", "to update", "to delete"],
    )
}

/// What differs from what a build would leave: nothing at all when nothing does.
pub fn check(plan: &Plan, view: &View<'_>, with_diff: bool) -> String {
    let mut page = Page::new(view);
    if in_sync(plan) {
        page.waiting(plan);
        return page.out;
    }
    page.changes(plan.changes.iter(), with_diff);
    page.waiting(plan);
    page.lock(plan);
    page.summary(
        plan,
        "check",
        "to be ",
        ["to create", "to update", "to delete"],
    )
}

/// Why a build wrote nothing: what is in the way, with the differences.
pub fn refusal(plan: &Plan, view: &View<'_>) -> String {
    let mut page = Page::new(view);
    page.changes(plan.refused(), true);
    let count = plan.refused().count();
    let files = plural(count, "file is", "files are");
    page.out.push_str(&format!(
        "refused: {files} in the way; nothing was written\n"
    ));
    page.out
}

/// What a build did, on one screen.
pub fn build(plan: &Plan, view: &View<'_>) -> String {
    let mut page = Page::new(view);
    let changed = plan.changes.iter().filter(|change| is_listed(change));
    let changed: Vec<&Change> = changed.collect();
    if changed.len() > FILES_OF_A_BUILD {
        page.directories(&changed);
    } else {
        for change in changed {
            page.line(
                change.action,
                word(change, done),
                &change.path,
                &why(change, view),
            );
        }
    }
    page.waiting(plan);
    page.absent(plan);
    page.notes(NOTES_OF_A_BUILD);
    page.reloads(plan);
    page.starts(plan);
    page.summary(plan, "build", "", ["created", "updated", "deleted"])
}

fn is_listed(change: &Change) -> bool {
    !will(change.action).is_empty()
}

struct Page<'a> {
    view: &'a View<'a>,
    paint: Paint,
    contents: Contents,
    out: String,
    /// How many more lines of differences are shown.
    room: usize,
    /// How many files' differences found no room.
    unshown: usize,
}

impl<'a> Page<'a> {
    fn new(view: &'a View<'a>) -> Self {
        Self {
            view,
            paint: Paint::new(view.style),
            contents: Contents::default(),
            out: String::new(),
            room: if view.full {
                usize::MAX
            } else {
                LINES_OF_A_PLAN
            },
            unshown: 0,
        }
    }

    fn changes<'c>(&mut self, changes: impl Iterator<Item = &'c Change>, with_diff: bool) {
        for change in changes.filter(|change| is_listed(change)) {
            let why = why_and_where(change, self.view);
            self.line(change.action, word(change, will), &change.path, &why);
            if with_diff {
                self.difference(change);
            }
        }
        if self.unshown > 0 {
            let files = plural(self.unshown, "more file", "more files");
            let text = format!("… the differences of {files}; `tlsgen plan --full` shows them");
            self.out.push_str(&self.paint.aside(&text));
            self.out.push('\n');
        }
    }

    fn line(&mut self, action: Action, word: &str, path: &str, why: &str) {
        let padded = format!("{word:<7}");
        let word = self.paint.action(action, padded.trim_end());
        let space = &padded[padded.trim_end().len()..];
        let path: String = path.chars().map(harmless).collect();
        self.out.push_str(&format!("{word}{space} {path}"));
        if !why.is_empty() {
            self.out.push_str(&format!("  ({why})"));
        }
        self.out.push('\n');
    }

    fn difference(&mut self, change: &Change) {
        if !has_text(change.action) {
            let text = mode_only(change, self.paint);
            self.difference_text(&text);
            return;
        }
        if self.room == 0 {
            self.unshown += 1;
            return;
        }
        let detail = Detail {
            most_lines: (!self.view.full).then_some(LINES_OF_A_FILE.min(self.room)),
            words: !self.paint.is_plain(),
        };
        let Some(diff) = self.contents.diff(change, detail) else {
            return;
        };
        let shown = diff.hunks.iter().map(|hunk| hunk.lines.len());
        self.room = self.room.saturating_sub(shown.sum());
        let text = unified(change, &diff, self.paint);
        self.difference_text(&text);
    }

    /// A difference, and an empty line between it and the next file.
    fn difference_text(&mut self, text: &str) {
        if !text.is_empty() {
            self.out.push_str(text);
            self.out.push('\n');
        }
    }

    fn lock(&mut self, plan: &Plan) {
        if let Some(why) = lock_only(plan) {
            self.line(Action::Adopt, "record", crate::plan::lock::PATH, &why);
        }
    }

    /// What the user brings and has not brought here, as in every checkout without the keys.
    fn absent(&mut self, plan: &Plan) {
        let absent = plan.changes.iter().filter(|change| change.is_absent());
        for change in absent {
            self.line(
                change.action,
                "absent",
                &change.path,
                &why(change, self.view),
            );
        }
    }

    /// What others have yet to sign.
    fn waiting(&mut self, plan: &Plan) {
        for change in &plan.changes {
            if let Some(request) = waits(change) {
                let why = format!("to be signed elsewhere: {}", request.reasons.join("; "));
                self.line(change.action, "waits", &change.path, &why);
            }
        }
    }

    /// Who goes on serving the old certificate until told.
    fn reloads(&mut self, plan: &Plan) {
        for reload in plan.reloads() {
            let does = match (plan.only_lists(reload), reload.as_client) {
                (true, _) => "goes by the old revocation lists",
                (false, true) => "presents the old certificate",
                (false, false) => "serves the old certificate",
            };
            let why = format!("{does} until `{}`", reload.command);
            self.line(Action::Update, "reload", &reload.service, &why);
        }
    }

    /// Who is told of revoked certificates for the first time.
    fn starts(&mut self, plan: &Plan) {
        for reload in plan.first_lists() {
            self.line(Action::Update, "restart", &reload.service, NO_LISTS);
        }
    }

    fn section(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn notes(&mut self, most: usize) {
        let notes = self.view.notes;
        for note in notes.iter().take(most) {
            self.out.push_str(&format!("note: {note}\n"));
        }
        if notes.len() > most {
            let more = plural(notes.len() - most, "more note", "more notes");
            let text = format!("… {more}; `tlsgen plan` shows them\n");
            self.out.push_str(&text);
        }
    }

    fn directories(&mut self, changed: &[&Change]) {
        let mut groups: BTreeMap<(&str, Action), usize> = BTreeMap::new();
        for change in changed {
            let directory = world::parent(&change.path);
            *groups.entry((directory, change.action)).or_default() += 1;
        }
        for ((directory, action), count) in groups.iter().take(FILES_OF_A_BUILD) {
            let files = plural(*count, "file", "files");
            let place = format!("{files} in {directory}/");
            let place = match *directory {
                "" => format!("{files} in the project root"),
                _ => place,
            };
            self.line(*action, done(*action), &place, "");
        }
        if groups.len() > FILES_OF_A_BUILD {
            let rest = groups.values().skip(FILES_OF_A_BUILD).sum();
            let files = plural(rest, "file", "files");
            self.out
                .push_str(&format!("… {files} in other directories\n"));
        }
    }

    fn summary(mut self, plan: &Plan, command: &str, to: &str, words: [&str; 3]) -> String {
        self.out.push_str(&summary(plan, command, to, words));
        self.out.push('\n');
        self.out
    }
}
