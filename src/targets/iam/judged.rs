//! What is suspicious in a policy that a role has already.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::existing::{Existing, Joined, at_times};
use super::{CREATES_ANY, FORBIDDEN, LOST, READS_UNUSED, STILL_WIDE, WILDCARD};
use crate::diagnostic::{Code, Diagnostic};
use crate::iam::{
    Arn, Document, Effect, Grant, action, asks_for, covers, grants, overlaps, takes_resources,
};
use crate::model::iam::Role;
use crate::model::{Iam, Model};
use crate::spec::Store;

/// Services whose actions take resources of their own alone; others, as `sts` and `ssm`, take those of
/// others too.
const ON_THEIR_OWN: [&str; 6] = ["batch", "iam", "kms", "logs", "s3", "secretsmanager"];
const CREATE: &str = "secretsmanager:CreateSecret";

/// What would be lost of statements that have Sids of ours.
pub fn lost(joined: &Joined) -> impl Iterator<Item = Diagnostic> {
    joined.merged.lost.iter().map(|sid| {
        let message = format!(
            "`{sid}` of `{}` says more than what ours say in its place",
            joined.path
        );
        Diagnostic::new(&LOST, joined.span, message)
            .help("move the rest into a statement with another Sid: it is kept")
    })
}

/// A policy inside a role, beside which a managed one is to stand.
pub fn beside(role: &Role, theirs: &Existing) -> Option<Diagnostic> {
    let holder = theirs.holder.as_ref().filter(|_| role.managed)?;
    let name = theirs.name.as_ref()?;
    let message =
        format!("`{name}` stays inside `{holder}`, as wide as it is, beside what is written");
    let found = Diagnostic::new(&STILL_WIDE, theirs.span, message);
    Some(found.help("take `policy: managed` out, or delete that one when the new one is attached: `aws iam delete-role-policy`"))
}

/// Findings in the statements that are not ours.
pub fn warnings(
    model: &Model,
    iam: &Iam,
    role: &Role,
    joined: &Joined,
    ours: &Document,
) -> Vec<Diagnostic> {
    let found = |code: &'static Code, message: String, help: &str| {
        Diagnostic::new(code, joined.span, message).help(help)
    };
    let mut all: Vec<Diagnostic> = joined
        .merged
        .wider
        .iter()
        .map(|sid| {
            let message = format!(
                "`{sid}` of `{}` says what ours say, and more: it stays",
                joined.path
            );
            let help = match iam.kms_key {
                None if sid.contains("Kms") => {
                    "name the key as the target's `kms_key`: `kms_key: arn:aws:kms:…`"
                }
                _ => "move the rest into a statement with another Sid, and this one is left out",
            };
            found(&STILL_WIDE, message, help)
        })
        .collect();
    for sid in no_longer_ours(role, joined, ours) {
        let message = format!(
            "nothing in the spec asks for `{sid}` of `{}` any more: it stays",
            joined.path
        );
        let help = "take it out of that document, unless somebody else needs it";
        all.push(found(&STILL_WIDE, message, help));
    }
    let own = self::grants(&ours.to_json());
    for (name, grants) in foreign(joined, ours) {
        let forbidden = |our: &&Grant| grants.iter().any(|one| one.forbids(our));
        if let Some(our) = own.iter().find(forbidden) {
            let message = format!("{name} forbids `{}`, which the role needs", our.action);
            let help =
                "what is forbidden stays so, whoever allows it: take it out of that statement";
            all.push(found(&FORBIDDEN, message, help));
        }
        if grants.iter().any(creates_any) {
            let message = format!("{name} allows to create secrets of any name");
            let help = "bind it to how names begin, `arn:…:secret:tower-*`, or to a tag, `aws:RequestTag/…`";
            all.push(found(&CREATES_ANY, message, help));
        }
        for (resource, actions) in unbound(&grants) {
            let actions: Vec<String> = actions.iter().map(|one| in_words(one)).collect();
            let message = format!(
                "{name} allows {} on {}",
                actions.join(", "),
                in_words(resource)
            );
            let help = "name what it is needed for: these actions take ARNs";
            all.push(found(&WILDCARD, message, help));
        }
        for secret in grants.iter().filter_map(read_secret) {
            if !is_used(model, iam, &secret) {
                let message = format!(
                    "{name} allows to read the secret `{secret}`, which no service is given"
                );
                let help = "take it out of the statement, or name the secret under `secrets`";
                all.push(found(&READS_UNUSED, message, help));
            }
        }
    }
    all
}

/// Findings in the statements of a trust policy that are not ours.
pub fn trust_warnings(joined: &Joined, ours: &Document) -> Vec<Diagnostic> {
    let own = grants(&ours.to_json());
    let mut all = Vec::new();
    for (name, theirs) in foreign(joined, ours) {
        let takes_on = |one: &&Grant| one.effect == Effect::Allow;
        let anybody =
            |one: &Grant| one.principal.trim_start_matches('!') == "*" && one.condition.is_empty();
        if theirs.iter().filter(takes_on).any(anybody) {
            let message = format!("{name} lets anybody take on the role");
            let found = Diagnostic::new(&WILDCARD, joined.span, message);
            all.push(found.help("name whom: `\"Principal\": {\"AWS\": \"123456789012\"}`"));
            continue;
        }
        let wider = |one: &Grant| own.iter().any(|our| one.covers(our) && one != our);
        if theirs.iter().filter(takes_on).any(wider) {
            let message = format!("{name} says what ours say without its conditions: it stays");
            let found = Diagnostic::new(&STILL_WIDE, joined.span, message);
            all.push(
                found
                    .help("take it out of that document: ours says the same of this account alone"),
            );
        }
    }
    all
}

/// Sids of statements that we write at times, and do not write now.
fn no_longer_ours<'j>(role: &Role, joined: &'j Joined, ours: &Document) -> Vec<&'j str> {
    let statements = joined.merged.document.get("Statement");
    let statements = statements.and_then(Value::as_array).into_iter().flatten();
    let sids = statements.filter_map(|one| one.get("Sid").and_then(Value::as_str));
    let at_times = |sid: &&str| {
        let mut known = at_times(role.grants).iter();
        known.any(|known| sid.starts_with(known))
    };
    let of_others = sids.filter(|sid| ours.statements.iter().all(|our| our.sid != **sid));
    of_others.filter(at_times).collect()
}

/// The statements that are not ours, by their names, taken apart.
fn foreign(joined: &Joined, ours: &Document) -> Vec<(String, BTreeSet<Grant>)> {
    let statements = joined.merged.document.get("Statement");
    let statements = statements.and_then(Value::as_array).into_iter().flatten();
    let mut all = Vec::new();
    for (index, statement) in statements.enumerate() {
        let sid = statement.get("Sid").and_then(Value::as_str).unwrap_or("");
        if ours.statements.iter().any(|our| our.sid == sid) {
            continue;
        }
        let name = match sid {
            "" => format!("statement {} of `{}`", index + 1, joined.path),
            sid => format!("`{sid}` of `{}`", joined.path),
        };
        let mut alone = Map::new();
        alone.insert("Statement".to_owned(), statement.clone());
        let mut said = grants(&Value::Object(alone));
        said.retain(means_something);
        all.push((name, said));
    }
    all
}

/// Whether an action is of the service whose resource it is allowed on: in one statement those of
/// several may stand together, each with its own.
fn means_something(grant: &Grant) -> bool {
    let Some(arn) = Arn::parse(&grant.resource) else {
        return true;
    };
    let service = grant
        .action
        .split_once(':')
        .map_or("", |(service, _)| service);
    let service = service.to_ascii_lowercase();
    !ON_THEIR_OWN.contains(&&*service) || overlaps(&service, &arn.service.to_ascii_lowercase())
}

/// Whether a resource can be a secret.
fn may_be_secret(resource: &str) -> bool {
    Arn::parse(resource).is_none_or(|arn| overlaps(&arn.service, "secretsmanager"))
}

/// The name of the secret that a grant allows to read, if it is not about all.
fn read_secret(grant: &Grant) -> Option<String> {
    let reads = grant.has_action("secretsmanager:GetSecretValue");
    let arn = Arn::parse(&grant.resource)?;
    let name = arn.resource.strip_prefix("secret:")?;
    let is_one = reads && grant.effect == Effect::Allow && !is_everything(&grant.resource);
    is_one.then(|| name.to_owned())
}

/// Whether a pattern of names is about a secret that some service is given, or those of tasks.
fn is_used(model: &Model, iam: &Iam, pattern: &str) -> bool {
    let begins = pattern.trim_end_matches('*');
    if begins.starts_with(&iam.prefix) || iam.prefix.starts_with(begins) {
        return true;
    }
    let uses = model.services.iter().flat_map(|service| &service.secrets);
    let mut stored = uses.flat_map(|one| {
        let definitions = model.secret(one.secret).definitions.iter();
        definitions.filter(|one| one.store == Store::AwsSecretsManager)
    });
    stored.any(|one| {
        covers(pattern, &format!("{}-??????", one.stored)) || is_with_suffix(pattern, &one.stored)
    })
}

/// Whether it is the whole name, with the six characters that were added to it.
fn is_with_suffix(name: &str, stored: &str) -> bool {
    let added = name
        .strip_prefix(stored)
        .and_then(|rest| rest.strip_prefix('-'));
    added.is_some_and(|added| added.chars().count() == 6)
}

/// Whether secrets of any name may be created, and none must have a tag.
fn creates_any(grant: &Grant) -> bool {
    grant.effect == Effect::Allow
        && grant.has_action(CREATE)
        && is_everything(&grant.resource)
        && may_be_secret(&grant.resource)
        && !["aws:requesttag/", "secretsmanager:name"]
            .iter()
            .any(|key| asks_for(&grant.condition, key))
}

/// What is allowed on everything without a condition, though it could be bound: of services that the
/// table has, and whole services of those.
fn unbound(grants: &BTreeSet<Grant>) -> BTreeMap<&str, Vec<&str>> {
    let mut all: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for grant in grants {
        let could_be_bound = || match action(&grant.action) {
            Some(known) => known.takes_resource() && known.name != CREATE,
            None if grant.action.starts_with('!') => true,
            None => grant.action.contains(['*', '?']) && takes_resources(&grant.action),
        };
        if grant.effect == Effect::Allow
            && grant.condition.is_empty()
            && is_everything(&grant.resource)
            && could_be_bound()
        {
            all.entry(&grant.resource).or_default().push(&grant.action);
        }
    }
    all
}

/// All but some, or one.
fn in_words(text: &str) -> String {
    match text.strip_prefix('!') {
        Some(but) => {
            let names: Vec<String> = but.lines().map(|one| format!("`{one}`")).collect();
            format!("all but {}", names.join(" and "))
        }
        None => format!("`{text}`"),
    }
}

/// Whether a resource is every one: `*`, an ARN whose name is `*`, or all but some.
fn is_everything(resource: &str) -> bool {
    if resource.starts_with('!') {
        return true;
    }
    let name = resource.splitn(6, ':').nth(5).unwrap_or(resource);
    // The type of resource stands in front of its name.
    let name = name.split_once([':', '/']).map_or(name, |(_, name)| name);
    name.contains('*') && name.chars().all(|letter| "*?".contains(letter)) || resource == "*"
}
