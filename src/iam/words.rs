//! Grants in words.

use std::collections::BTreeMap;

use serde_json::Value;

use super::actions::action;
use super::arn::Arn;
use super::grants::{EVERYBODY, Grant};

/// Verb and noun of the actions that are written here; of all others the name says what they are.
const WORDS: &[(&str, &str, &str)] = &[
    ("secretsmanager:CreateSecret", "create", "secrets"),
    ("secretsmanager:DeleteSecret", "delete", "secrets"),
    ("secretsmanager:DescribeSecret", "describe", "secrets"),
    ("secretsmanager:GetSecretValue", "read", "secrets"),
    (
        "secretsmanager:BatchGetSecretValue",
        "read several at once of the",
        "secrets",
    ),
    ("secretsmanager:ListSecrets", "list", "secrets"),
    ("secretsmanager:PutSecretValue", "change", "secrets"),
    ("secretsmanager:UpdateSecret", "change", "secrets"),
    ("secretsmanager:RestoreSecret", "restore", "secrets"),
    ("secretsmanager:TagResource", "tag", "secrets"),
    ("secretsmanager:UntagResource", "untag", "secrets"),
    (
        "secretsmanager:PutResourcePolicy",
        "decide who else may use the",
        "secrets",
    ),
    ("secretsmanager:*", "do anything with", "secrets"),
    ("kms:Decrypt", "decrypt with", "keys"),
    ("kms:GenerateDataKey", "encrypt with", "keys"),
    ("iam:PassRole", "pass on", "roles"),
    ("iam:GetRole", "look at", "roles"),
    ("*:*", "do anything with", "anything"),
];

/// What is done to a role, by those whom its trust policy names.
const DONE_TO_ROLES: &[(&str, &str)] = &[
    ("sts:AssumeRole", "be taken on"),
    ("sts:AssumeRoleWithWebIdentity", "be taken on with a token"),
    ("sts:AssumeRoleWithSAML", "be taken on by way of SAML"),
    ("sts:TagSession", "be given session tags"),
    ("sts:SetSourceIdentity", "be given a source identity"),
    ("sts:*", "be taken on in every way"),
    ("*:*", "be taken on in every way"),
];

/// Condition keys that are written here, as the reference spells them: their case does not matter.
const KEYS: &[&str] = &[
    "aws:SourceAccount",
    "aws:SourceArn",
    "iam:PassedToService",
    "kms:ViaService",
    "aws:RequestTag/eks-cluster-arn",
    "aws:RequestTag/kubernetes-namespace",
    "aws:RequestTag/kubernetes-service-account",
];

/// How resources are named: by their names alone, where the rest of all ARNs says one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// `tower-*`.
    Short,
    /// The whole ARN.
    Full,
}

impl Names {
    /// What tells the resources of all these grants apart.
    pub fn of<'a>(grants: impl Iterator<Item = &'a Grant>) -> Self {
        let mut places = BTreeMap::new();
        for arn in grants.filter_map(|grant| Arn::parse(&grant.resource)) {
            let place = (arn.partition, arn.region, arn.account);
            if places.entry(arn.service).or_insert_with(|| place.clone()) != &place {
                return Self::Full;
            }
        }
        Self::Short
    }

    /// A resource by name, in backticks.
    pub fn named(self, resource: &str) -> String {
        match self {
            Self::Short => format!("`{}`", shortened(resource)),
            Self::Full => format!("`{resource}`"),
        }
    }
}

/// Grants in words, those together that differ in nothing but the verb: `may now create and delete
/// secrets tower-*`, where `modal` is "may now".
pub fn describe(grants: &[Grant], modal: &str, names: Names) -> Vec<String> {
    let mut together: BTreeMap<[String; 4], Vec<String>> = BTreeMap::new();
    for grant in grants {
        let (verb, noun) = match grant.principal.is_empty() {
            true => verb_and_noun(&grant.action),
            false => (done_to_role(&grant.action), String::new()),
        };
        let key = [
            noun,
            resource(grant, names),
            who(grant),
            when(&grant.condition),
        ];
        let verbs = together.entry(key).or_default();
        if !verbs.contains(&verb) {
            verbs.push(verb);
        }
    }
    together
        .into_iter()
        .map(|([noun, resource, who, when], verbs)| {
            let parts = [modal.to_owned(), listed(&verbs), noun, resource, who, when];
            let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            parts.join(" ")
        })
        .collect()
}

fn done_to_role(name: &str) -> String {
    let mut known = DONE_TO_ROLES.iter();
    let known = known.find(|(known, _)| known.eq_ignore_ascii_case(name));
    known.map_or_else(
        || format!("have `{name}` done"),
        |(_, verb)| (*verb).to_owned(),
    )
}

/// A Sid of words: letters and digits, each word with a capital.
pub fn sid(words: &[&str]) -> String {
    let parts = words
        .iter()
        .flat_map(|word| word.split(|c: char| !c.is_ascii_alphanumeric()));
    parts
        .filter_map(|part| {
            let mut letters = part.chars();
            let first = letters.next()?;
            Some(first.to_ascii_uppercase().to_string() + letters.as_str())
        })
        .collect()
}

fn verb_and_noun(name: &str) -> (String, String) {
    if let Some(left_out) = name.strip_prefix('!') {
        return (
            format!("do anything but {} with", all_of(left_out)),
            String::new(),
        );
    }
    let known = WORDS
        .iter()
        .find(|(known, _, _)| known.eq_ignore_ascii_case(name));
    match known {
        Some((_, verb, noun)) => ((*verb).to_owned(), (*noun).to_owned()),
        None => (format!("`{name}`"), String::new()),
    }
}

fn resource(grant: &Grant, names: Names) -> String {
    let takes_none = action(&grant.action).is_some_and(|known| !known.takes_resource());
    let text = grant.resource.as_str();
    match text {
        "" => String::new(),
        "*" if takes_none => String::new(),
        "*" => "`*`".to_owned(),
        text if text.starts_with('!') => {
            format!("everywhere but {}", all_of(text.trim_start_matches('!')))
        }
        text => names.named(text),
    }
}

/// The name alone, where the rest of the ARN says one place.
fn shortened(text: &str) -> String {
    let Some(arn) = Arn::parse(text) else {
        return text.to_owned();
    };
    let vague = |part: &str| part.contains(['*', '?', '$']);
    if vague(&arn.partition) || vague(&arn.region) || vague(&arn.account) {
        return text.to_owned();
    }
    let name = arn.resource.strip_prefix("secret:");
    let name = name.or_else(|| arn.resource.strip_prefix("role/"));
    name.map_or_else(|| text.to_owned(), str::to_owned)
}

/// Names, a line each.
pub(super) fn all_of(lines: &str) -> String {
    let names: Vec<String> = lines.lines().map(|one| format!("`{one}`")).collect();
    names.join(" and ")
}

/// By whom, in a trust policy.
pub(super) fn who(grant: &Grant) -> String {
    let (but, who) = match grant.principal.strip_prefix('!') {
        Some(who) => ("anybody but ", who),
        None => ("", grant.principal.as_str()),
    };
    match who.split_once(' ') {
        Some(("AWS", who)) if who.len() == 12 => format!("by {but}the account `{who}`"),
        Some((_, who)) => format!("by {but}`{who}`"),
        None if who == EVERYBODY => "by anybody".to_owned(),
        None if who.is_empty() => String::new(),
        None => format!("by {but}`{who}`"),
    }
}

/// Under which condition, if there is one.
pub(super) fn when(condition: &str) -> String {
    let Ok(Value::Object(operators)) = serde_json::from_str(condition) else {
        return String::new();
    };
    let mut all = Vec::new();
    for (operator, keys) in &operators {
        for (key, values) in keys.as_object().into_iter().flatten() {
            let values = values.as_array().map(Vec::as_slice).unwrap_or_default();
            let texts = values.iter().map(|value| match value {
                Value::String(text) => format!("`{text}`"),
                other => format!("`{other}`"),
            });
            let texts: Vec<String> = texts.collect();
            let verb = match operator.as_str() {
                "StringEquals" | "ArnEquals" | "Bool" => "is",
                "StringLike" | "ArnLike" => "is like",
                "StringNotEquals" | "ArnNotEquals" => "is not",
                "StringNotLike" | "ArnNotLike" => "is not like",
                _ => operator,
            };
            let known = KEYS.iter().find(|known| known.eq_ignore_ascii_case(key));
            let key = known.copied().unwrap_or(key);
            all.push(format!("`{key}` {verb} {}", texts.join(" or ")));
        }
    }
    match all.is_empty() {
        true => String::new(),
        false => format!("where {}", all.join(" and ")),
    }
}

fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [front @ .., last] => format!("{} and {last}", front.join(", ")),
    }
}
