//! What one document allows that another does not.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::document::Effect;
use super::grants::{Grant, grants};
use super::words::{Names, all_of, describe, when, who};

/// A change of what may be done.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// More may be done.
    Wider(String),
    /// Less may be done.
    Narrower(String),
}

impl Change {
    /// In words, marked.
    pub fn text(&self) -> String {
        match self {
            Self::Wider(words) => format!("wider: {words}"),
            Self::Narrower(words) => format!("narrower: {words}"),
        }
    }
}

/// What changes from one document to the next, what becomes wider first. What is said in another form
/// and comes to the same is no change, nor what is allowed and forbidden at once; without a document
/// before, all is new.
pub fn difference(before: Option<&Value>, after: &Value) -> Vec<Change> {
    let before = before.map(grants).unwrap_or_default();
    let after = grants(after);
    let names = Names::of(before.iter().chain(&after));
    let (before, after) = (Indexed::new(&before), Indexed::new(&after));
    let (new, gone) = (uncovered(&after, &before), uncovered(&before, &after));
    let mut all: Vec<Change> = Vec::new();
    let wider = [
        ("may now", of(&new, Effect::Allow), ", until now only "),
        (
            "is no longer forbidden to",
            of(&gone, Effect::Deny),
            ", only ",
        ),
    ];
    for (modal, grants, lead) in &wider {
        let others = match grants.first().map(|one| one.effect) {
            Some(Effect::Deny) => &after,
            _ => &before,
        };
        for (part, grants) in by_part(grants, others, lead, names) {
            let words = describe(&grants, modal, names).into_iter();
            all.extend(words.map(|words| Change::Wider(words + &part)));
        }
    }
    let narrower = [
        ("may no longer", of(&gone, Effect::Allow), &after, ", only "),
        (
            "is now forbidden to",
            of(&new, Effect::Deny),
            &before,
            ", until now only ",
        ),
    ];
    for (modal, grants, others, lead) in &narrower {
        for (part, grants) in by_part(grants, others, lead, names) {
            let words = describe(&grants, modal, names).into_iter();
            all.extend(words.map(|words| Change::Narrower(words + &part)));
        }
    }
    all
}

fn of(grants: &[&Grant], effect: Effect) -> Vec<Grant> {
    let grants = grants.iter().filter(|one| one.effect == effect);
    grants.map(|one| (*one).clone()).collect()
}

/// Those of `these` that are not in force in `those`; what `these` forbid is in force nowhere.
fn uncovered<'a>(these: &Indexed<'a>, those: &Indexed<'_>) -> Vec<&'a Grant> {
    let changed = these.all.iter().filter(|one| !those.has_in_force(one));
    changed.filter(|one| !these.forbids(one)).collect()
}

/// Grants, by what part of each is in force in the others as well: `, only tower-*`.
fn by_part(
    these: &[Grant],
    those: &Indexed<'_>,
    lead: &str,
    names: Names,
) -> BTreeMap<String, Vec<Grant>> {
    let mut all: BTreeMap<String, Vec<Grant>> = BTreeMap::new();
    for one in these {
        let parts = those.covered_by(one);
        let parts = parts.filter(|other| !those.forbids(other));
        let parts: BTreeSet<String> = parts.map(|other| part(one, other, names)).collect();
        let part = match parts.is_empty() {
            true => String::new(),
            false => format!("{lead}{}", parts.into_iter().collect::<Vec<_>>().join(", ")),
        };
        all.entry(part).or_default().push(one.clone());
    }
    all
}

/// The grants of a document by effect and action: of a hundred actions on a hundred resources, all
/// against all would be seconds.
struct Indexed<'a> {
    all: &'a BTreeSet<Grant>,
    by_action: BTreeMap<(Effect, &'a str), Vec<&'a Grant>>,
}

impl<'a> Indexed<'a> {
    fn new(all: &'a BTreeSet<Grant>) -> Self {
        let mut by_action: BTreeMap<_, Vec<&Grant>> = BTreeMap::new();
        for one in all {
            let grants = by_action.entry((one.effect, one.action.as_str()));
            grants.or_default().push(one);
        }
        Self { all, by_action }
    }

    fn has_in_force(&self, one: &Grant) -> bool {
        let covers = || {
            let mut known = self.about(one.effect, one);
            known.any(|other| other.covers(one))
        };
        !self.forbids(one) && (self.all.contains(one) || covers())
    }

    fn forbids(&self, one: &Grant) -> bool {
        let mut known = self.about(Effect::Deny, one);
        known.any(|other| other.forbids(one))
    }

    /// Those among whose actions that of a grant is.
    fn about(&self, effect: Effect, one: &Grant) -> impl Iterator<Item = &'a Grant> {
        let actions = self.by_action.iter().filter(move |((kind, _), grants)| {
            *kind == effect
                && grants
                    .first()
                    .is_some_and(|known| known.has_action(&one.action))
        });
        actions.flat_map(|(_, grants)| grants.iter().copied())
    }

    /// Those that whoever has a grant has too.
    fn covered_by(&self, one: &Grant) -> impl Iterator<Item = &'a Grant> {
        let actions = self
            .by_action
            .iter()
            .filter(|((kind, action), _)| *kind == one.effect && one.has_action(action));
        let grants = actions.flat_map(|(_, grants)| grants.iter().copied());
        grants.filter(|other| one.covers(other))
    }
}

/// In what a part differs from the whole.
fn part(whole: &Grant, part: &Grant, names: Names) -> String {
    let mut words = Vec::new();
    if part.action != whole.action {
        words.push(match part.action.strip_prefix('!') {
            Some(but) => format!("but {}", all_of(but)),
            None => format!("`{}`", part.action),
        });
    }
    if part.resource != whole.resource {
        words.push(match part.resource.strip_prefix('!') {
            Some(but) => format!("but {}", all_of(but)),
            None => names.named(&part.resource),
        });
    }
    if part.principal != whole.principal {
        words.push(who(part));
    }
    if part.condition != whole.condition {
        words.push(when(&part.condition));
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn allow(action: Value, resource: &str) -> Value {
        json!({"Effect": "Allow", "Action": action, "Resource": resource})
    }

    #[test]
    fn a_change_is_said_in_words_and_marked() {
        let tower = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:tower-*";
        let before = json!({"Statement": [
            allow(json!(["secretsmanager:DeleteSecret", "secretsmanager:CreateSecret", "secretsmanager:ListSecrets"]), "*"),
            allow(json!("ec2:Describe*"), "*"),
        ]});
        let after = json!({"Statement": [
            allow(json!("secretsmanager:ListSecrets"), "*"),
            allow(json!(["secretsmanager:CreateSecret", "secretsmanager:DeleteSecret", "secretsmanager:DescribeSecret"]), tower),
            allow(json!("ec2:DescribeVpcs"), "*"),
            {"Effect": "Deny", "Action": "iam:PassRole", "Resource": "*"},
        ]});
        let texts = |before: &Value, after: &Value| -> Vec<String> {
            difference(Some(before), after)
                .iter()
                .map(Change::text)
                .collect()
        };
        assert_eq!(
            texts(&before, &after),
            [
                "wider: may now describe secrets `tower-*`",
                "narrower: may no longer `ec2:Describe*` `*`, only `ec2:DescribeVpcs`",
                "narrower: may no longer create and delete secrets `*`, only `tower-*`",
                "narrower: is now forbidden to pass on roles `*`",
            ]
        );
        assert_eq!(
            texts(&after, &before),
            [
                "wider: may now `ec2:Describe*` `*`, until now only `ec2:DescribeVpcs`",
                "wider: may now create and delete secrets `*`, until now only `tower-*`",
                "wider: is no longer forbidden to pass on roles `*`",
                "narrower: may no longer describe secrets `tower-*`",
            ]
        );
        assert_eq!(texts(&after, &after), [""; 0]);
    }

    #[test]
    fn trust_is_said_of_who_is_trusted() {
        let trust = |condition: Value| {
            json!({"Statement": {
                "Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Action": "sts:AssumeRole", "Condition": condition}})
        };
        let bound = trust(json!({"StringEquals": {"aws:SourceAccount": "1"}}));
        let free = trust(json!({}));
        let said = |before: Option<&Value>, after: &Value| difference(before, after)[0].text();
        assert_eq!(
            said(Some(&free), &bound),
            "narrower: may no longer be taken on by `ecs-tasks.amazonaws.com`, only where `aws:SourceAccount` is `1`"
        );
        assert_eq!(
            said(Some(&bound), &free),
            "wider: may now be taken on by `ecs-tasks.amazonaws.com`, until now only where `aws:SourceAccount` is `1`"
        );
        assert_eq!(
            said(None, &bound),
            "wider: may now be taken on by `ecs-tasks.amazonaws.com` where `aws:SourceAccount` is `1`"
        );
        let anybody =
            json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}});
        assert_eq!(
            said(Some(&bound), &anybody),
            "wider: may now be taken on by anybody, until now only by `ecs-tasks.amazonaws.com` where `aws:SourceAccount` is `1`"
        );
    }

    #[test]
    fn what_others_allow_or_forbid_already_is_no_change() {
        let ours = allow(json!("secretsmanager:ListSecrets"), "*");
        let with = |other: Value| json!({"Statement": [other, ours]});
        let alone = |other: Value| json!({"Statement": [other]});
        let deny = |action: Value| json!({"Effect": "Deny", "Action": action, "Resource": "*"});
        for other in [
            allow(json!("secretsmanager:*"), "*"),
            allow(json!("*"), "*"),
            json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}),
            // It does not become wider where it stays forbidden.
            deny(json!("secretsmanager:*")),
            json!({"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}),
        ] {
            let texts = difference(Some(&alone(other.clone())), &with(other.clone()));
            assert_eq!(texts, [], "{other}");
        }
        for (before, after, said) in [
            (
                allow(json!("s3:*"), "*"),
                json!({"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "Resource": "*"}),
                "wider: may now do anything but `iam:*` and `sts:*` with `*`, until now only `s3:*`",
            ),
            (
                json!({"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "Resource": "*"}),
                json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}),
                "wider: may now do anything but `iam:*` with `*`, until now only but `iam:*` and `sts:*`",
            ),
            (
                json!({"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*", "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}}),
                allow(json!("iam:PassRole"), "*"),
                "wider: may now pass on roles `*`, until now only where `iam:PassedToService` is `ecs-tasks.amazonaws.com`",
            ),
            (
                json!({"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*", "Condition": {"StringEquals": {"iam:PassedToService": "a"}}}),
                json!({"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*", "Condition": {"StringEquals": {"iam:PassedToService": ["a", "b"]}}}),
                "wider: may now pass on roles `*` where `iam:PassedToService` is `a` or `b`, until now only where `iam:PassedToService` is `a`",
            ),
        ] {
            let texts = difference(Some(&alone(before)), &alone(after));
            let texts: Vec<String> = texts.iter().map(Change::text).collect();
            assert_eq!(texts, [said]);
        }
        // Nothing changes where only a prohibition goes that nobody could have broken.
        let gone = difference(
            Some(&with(deny(json!("secretsmanager:*")))),
            &alone(ours.clone()),
        );
        let gone: Vec<String> = gone.iter().map(Change::text).collect();
        assert_eq!(
            gone,
            [
                "wider: may now list secrets",
                "wider: is no longer forbidden to do anything with secrets `*`",
            ]
        );
    }
}
