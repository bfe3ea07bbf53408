//! What one document allows that another does not.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::document::Effect;
use super::grants::{Grant, grants};
use super::words::{describe, named};

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
/// and comes to the same is no change; without a document before, all is new.
pub fn difference(before: Option<&Value>, after: &Value) -> Vec<Change> {
    let before = before.map(grants).unwrap_or_default();
    let after = grants(after);
    let (new, gone) = (uncovered(&after, &before), uncovered(&before, &after));
    let of = |grants: &[&Grant], effect| -> Vec<Grant> {
        let grants = grants.iter().filter(|one| one.effect == effect);
        grants.map(|one| (*one).clone()).collect()
    };
    let mut all: Vec<Change> = Vec::new();
    let wider = [
        ("may now", of(&new, Effect::Allow)),
        ("is no longer forbidden to", of(&gone, Effect::Deny)),
    ];
    for (modal, grants) in &wider {
        all.extend(describe(grants, modal).into_iter().map(Change::Wider));
    }
    for (left, grants) in by_what_is_left(&of(&gone, Effect::Allow), &after) {
        let words = describe(&grants, "may no longer").into_iter();
        all.extend(words.map(|words| Change::Narrower(words + &left)));
    }
    let refused = describe(&of(&new, Effect::Deny), "is now forbidden to");
    all.extend(refused.into_iter().map(Change::Narrower));
    all
}

fn uncovered<'a>(these: &'a BTreeSet<Grant>, those: &BTreeSet<Grant>) -> Vec<&'a Grant> {
    let covered = |one: &&Grant| !those.iter().any(|other| other.covers(one));
    these.iter().filter(covered).collect()
}

/// What is gone, by what of it may still be done: `, only tower-*`.
fn by_what_is_left(gone: &[Grant], after: &BTreeSet<Grant>) -> BTreeMap<String, Vec<Grant>> {
    let mut all: BTreeMap<String, Vec<Grant>> = BTreeMap::new();
    for one in gone {
        let same = after.iter().filter(|other| one.covers(other));
        let left: BTreeSet<String> = same
            .map(|other| match other.resource == one.resource {
                true if other.action == one.action => "under a condition".to_owned(),
                true => format!("`{}`", other.action),
                false => named(&other.resource),
            })
            .collect();
        let left = match left.is_empty() {
            true => String::new(),
            false => format!(", only {}", left.into_iter().collect::<Vec<_>>().join(", ")),
        };
        all.entry(left).or_default().push(one.clone());
    }
    all
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
                "wider: may now `ec2:Describe*` `*`",
                "wider: may now create and delete secrets `*`",
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
        assert_eq!(
            difference(Some(&free), &bound)[0].text(),
            "narrower: `ecs-tasks.amazonaws.com` may no longer take on the role, only under a condition"
        );
        assert_eq!(
            difference(None, &bound)[0].text(),
            "wider: `ecs-tasks.amazonaws.com` may now take on the role where `aws:SourceAccount` is `1`"
        );
    }
}
