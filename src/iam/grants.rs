//! A document taken apart: one action, one resource, one condition at a time. Two documents that come
//! to the same grants allow the same.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::actions::action;
use super::condition;
use super::cover::{covers, overlaps};
use super::document::Effect;
use super::read::{operator, statements, texts};

/// One thing that a document says. An action or resource with `!` in front is all but those, a line each.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// Allow or deny.
    pub effect: Effect,
    /// Who, in a trust policy; else empty.
    pub principal: String,
    /// What, spelled as the reference has it.
    pub action: String,
    /// To what; empty in a trust policy.
    pub resource: String,
    /// When, in JSON with sorted names; empty for always.
    pub condition: String,
}

/// Everything that a document says, whatever its form.
pub fn grants(document: &Value) -> BTreeSet<Grant> {
    statements(document).iter().flat_map(of_statement).collect()
}

impl Grant {
    /// Whether whoever has this grant has the other one too.
    pub fn covers(&self, other: &Self) -> bool {
        self.effect == other.effect
            && (self.principal == other.principal || self.principal == EVERYBODY)
            && fits(&self.resource, &other.resource)
            && self.has_action(&other.action)
            && condition::covers(&self.condition, &other.condition)
    }

    /// Whether an action is among its own.
    pub fn has_action(&self, action: &str) -> bool {
        self.action == action
            || fits(
                &self.action.to_ascii_lowercase(),
                &action.to_ascii_lowercase(),
            )
    }

    /// Whether this one, which denies, leaves nothing of the other, which allows.
    pub fn forbids(&self, other: &Self) -> bool {
        let as_allowed = Self {
            effect: Effect::Allow,
            ..self.clone()
        };
        self.effect == Effect::Deny && as_allowed.covers(other)
    }
}

/// Whoever there is.
pub(super) const EVERYBODY: &str = "*";

/// Whether all that the second fits is fitted by the first, where either may be all but some.
fn fits(outer: &str, inner: &str) -> bool {
    if outer == inner {
        return true;
    }
    match (outer.strip_prefix('!'), inner.strip_prefix('!')) {
        (None, None) => covers(outer, inner),
        (None, Some(_)) => ["*", "*:*"].contains(&outer),
        (Some(but), None) => but.lines().all(|but| !overlaps(but, inner)),
        (Some(but), Some(others)) => but
            .lines()
            .all(|one| others.lines().any(|other| covers(other, one))),
    }
}

fn of_statement(statement: &Value) -> Vec<Grant> {
    let effect = match statement.get("Effect").and_then(Value::as_str) {
        Some("Deny") => Effect::Deny,
        _ => Effect::Allow,
    };
    let condition = statement.get("Condition").filter(|all| !is_empty(all));
    let condition = condition.map_or(String::new(), |all| sorted(all, true).to_string());
    let principals = principals(statement);
    let mut all = Vec::new();
    for action in either(statement, "Action", "NotAction") {
        let action = spelled(&action);
        for resource in either(statement, "Resource", "NotResource") {
            for principal in &principals {
                all.push(Grant {
                    effect,
                    principal: principal.clone(),
                    action: action.clone(),
                    resource: resource.clone(),
                    condition: condition.clone(),
                });
            }
        }
    }
    all
}

/// The texts of a field, or one that names all that its opposite leaves out.
fn either(statement: &Value, field: &str, opposite: &str) -> Vec<String> {
    if statement.get(opposite).is_some() {
        let mut left_out = texts(statement.get(opposite));
        left_out.sort_unstable();
        return vec![format!("!{}", left_out.join("\n"))];
    }
    match texts(statement.get(field)).as_slice() {
        [] => vec![String::new()],
        all => all.iter().map(|&text| text.to_owned()).collect(),
    }
}

fn spelled(name: &str) -> String {
    match name {
        "*" => "*:*".to_owned(),
        name => action(name).map_or_else(|| name.to_owned(), |known| known.name.to_owned()),
    }
}

fn principals(statement: &Value) -> Vec<String> {
    let (mark, principal) = match (statement.get("Principal"), statement.get("NotPrincipal")) {
        (Some(principal), _) => ("", principal),
        (None, Some(principal)) => ("!", principal),
        (None, None) => return vec![String::new()],
    };
    let Value::Object(kinds) = principal else {
        return vec![format!("{mark}{}", principal.as_str().unwrap_or(EVERYBODY))];
    };
    let mut all = Vec::new();
    for (kind, who) in kinds {
        all.extend(
            texts(Some(who))
                .iter()
                .map(|who| match (kind.as_str(), *who) {
                    ("AWS", EVERYBODY) => format!("{mark}{EVERYBODY}"),
                    ("AWS", who) => format!("{mark}AWS {}", account_of(who)),
                    (kind, who) => format!("{mark}{kind} {who}"),
                }),
        );
    }
    all
}

/// An account by its digits, also where it is written as its root.
fn account_of(who: &str) -> &str {
    let parts: Vec<&str> = who.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, "iam", "", account, "root"] => account,
        _ => who,
    }
}

fn is_empty(condition: &Value) -> bool {
    condition.as_object().is_some_and(Map::is_empty)
}

/// The same condition in one form: names sorted, keys in small letters, values in lists.
fn sorted(value: &Value, outermost: bool) -> Value {
    let Value::Object(fields) = value else {
        let mut values = match value {
            Value::Array(all) => all.clone(),
            one => vec![one.clone()],
        };
        values.sort_by_key(ToString::to_string);
        return Value::Array(values);
    };
    let mut all: Vec<(String, Value)> = fields
        .iter()
        .map(|(name, value)| {
            let name = match outermost {
                true => operator(name),
                false => name.to_ascii_lowercase(),
            };
            (name, sorted(value, false))
        })
        .collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    Value::Object(all.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_form_of_a_document_does_not_matter() {
        let one = json!({"Version": "2012-10-17", "Statement": {
            "Sid": "A", "Effect": "Allow", "Action": "secretsmanager:getsecretvalue", "Resource": ["a", "b"],
            "Condition": {"StringEquals": {"AWS:SourceAccount": ["1"], "a:b": "x"}}}});
        let other = json!({"Statement": [
            {"Effect": "Allow", "Action": ["secretsmanager:GetSecretValue"], "Resource": "b",
             "Condition": {"StringEquals": {"a:b": ["x"], "aws:SourceAccount": "1"}}},
            {"Effect": "Allow", "Action": ["secretsmanager:GetSecretValue"], "Resource": "a",
             "Condition": {"StringEquals": {"a:b": ["x"], "aws:SourceAccount": "1"}}}]});
        assert_eq!(grants(&one), grants(&other));
        assert_eq!(grants(&one).len(), 2);
    }

    #[test]
    fn all_but_some_is_not_those() {
        let all_but = json!({"Statement": {"Effect": "Allow", "NotAction": ["iam:*", "a:b"], "Resource": "*"}});
        let one = grants(&all_but);
        assert_eq!(one.first().unwrap().action, "!a:b\niam:*");
        let plain = json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}});
        let (plain, one) = (grants(&plain), grants(&all_but));
        let (plain, one) = (plain.first().unwrap(), one.first().unwrap());
        assert!(plain.covers(one) && !one.covers(plain));
        for (action, has) in [
            ("secretsmanager:ListSecrets", true),
            ("iam:PassRole", false),
            ("i*:PassRole", false),
            ("a:b", false),
            ("A:c", true),
        ] {
            assert_eq!(one.has_action(action), has, "{action}");
        }
        let fewer = json!({"Statement": {"Effect": "Allow", "NotAction": ["iam:*", "a:*"], "Resource": "*"}});
        let fewer = grants(&fewer);
        assert!(one.covers(fewer.first().unwrap()) && !fewer.first().unwrap().covers(one));
    }

    #[test]
    fn one_account_is_one_however_it_is_written() {
        let trust = |principal: Value| {
            grants(
                &json!({"Statement": {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}}),
            )
        };
        let digits = trust(json!({"AWS": "123456789012"}));
        assert_eq!(
            digits,
            trust(json!({"AWS": ["arn:aws-cn:iam::123456789012:root"]}))
        );
        let all = trust(json!("*"));
        assert_eq!(all, trust(json!({"AWS": "*"})));
        assert!(all.first().unwrap().covers(digits.first().unwrap()));
    }
}
