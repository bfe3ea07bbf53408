//! AWS Secrets Manager, by the AWS command line (version 1 or 2).
//!
//! All that an operation takes goes in as JSON on standard input, which keeps every character of a value;
//! `--secret-string file:///dev/stdin` would lose carriage returns.

mod client;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::value::Hidden;
use super::{Failure, Outside, Part, Place, Pushed, Refused, SecretValue, Surplus};
use crate::spec::Store;
use client::{ask, complaint_of_history, read, refused};

/// The longest value, in bytes (quota `SecretString` of Secrets Manager).
const LONGEST: usize = 65_536;
/// The tags by which secrets of a project are found again.
const PROJECT: &str = "tlsgen:project";
const SECRET: &str = "tlsgen:secret";
/// The key of the account that encrypts what nobody says a key for.
const OWN_KEY: &str = "alias/aws/secretsmanager";
/// The version of a value that is given to whoever asks for none.
const CURRENT: &str = "AWSCURRENT";

/// What an operation is asked, as it stands in the API reference.
#[derive(Serialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Asked<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kms_key_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_string: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    filters: Vec<Filter<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tag<'a> {
    key: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Filter<'a> {
    key: &'a str,
    values: [&'a str; 1],
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stored {
    secret_string: Option<Hidden>,
}

/// What is known of a secret beside its value.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    #[serde(default)]
    name: String,
    description: Option<String>,
    kms_key_id: Option<String>,
    deleted_date: Option<serde_json::Value>,
    #[serde(default)]
    tags: Vec<ReadTag>,
    #[serde(default)]
    version_ids_to_stages: std::collections::BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    #[serde(default)]
    secret_list: Vec<Described>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReadTag {
    key: String,
    #[serde(default)]
    value: String,
}

/// Whether the program keeps what it sends: then it is sent nothing.
pub fn prepare<'a>(outside: &dyn Outside, places: &[Place<'a>]) -> Result<(), Refused<'a>> {
    let mut places = places.iter();
    let Some(place) = places.find(|one| one.definition.store == Store::AwsSecretsManager) else {
        return Ok(());
    };
    match complaint_of_history(outside) {
        Some(failure) => Err(Box::new((*place, failure))),
        None => Ok(()),
    }
}

/// Puts a value there, and what the spec says beside it.
pub fn push(
    outside: &dyn Outside,
    place: Place<'_>,
    value: &SecretValue,
    dry_run: bool,
) -> Result<Pushed, Failure> {
    let text = value.text("AWS Secrets Manager")?;
    if text.len() > LONGEST {
        return Err(Failure::new(
            format!("the value is longer than the {LONGEST} bytes that AWS Secrets Manager takes"),
            "keep it in an object of S3, and its key here",
        ));
    }
    let standing = match described(outside, place)? {
        Some(standing) => standing,
        None if dry_run => return Ok(Pushed::Created),
        None => match create(outside, place, text)? {
            Made::New => return Ok(Pushed::Created),
            // Somebody else made it since it was asked for.
            Made::There => described(outside, place)?.ok_or_else(|| vanished(place))?,
        },
    };
    let mut changes = differences(place, &standing);
    if !has_value(outside, place, &standing, value)? {
        changes.insert(0, Part::Value);
    }
    if changes.is_empty() {
        return Ok(Pushed::Same);
    }
    if !dry_run {
        change(outside, place, text, &changes, &standing)?;
    }
    Ok(Pushed::Changed(changes))
}

/// Whether it is there and has a value, which is not asked for.
pub fn has(outside: &dyn Outside, place: Place<'_>) -> Result<bool, Failure> {
    let standing = described(outside, place)?;
    Ok(standing.is_some_and(|standing| standing.is_valued()))
}

/// What has this project's tag and is none of these.
pub fn surplus<'a>(
    outside: &dyn Outside,
    places: &[Place<'a>],
) -> Result<Vec<Surplus>, Refused<'a>> {
    let ours: Vec<Place<'a>> = places
        .iter()
        .filter(|place| place.definition.store == Store::AwsSecretsManager)
        .copied()
        .collect();
    let regions: BTreeSet<_> = ours.iter().map(|place| place.region).collect();
    let mut all = Vec::new();
    for region in regions {
        let here = |place: &&Place<'_>| place.region == region;
        let Some(place) = ours.iter().find(here) else {
            continue;
        };
        let listed = listed(outside, *place).map_err(|failure| Box::new((*place, failure)))?;
        // Filters match how values begin.
        let of_project = |one: &Described| one.tag(PROJECT) == Some(place.project);
        let known = |name: &str| {
            let mut here = ours.iter().filter(here);
            here.any(|place| place.definition.stored == name)
        };
        all.extend(
            listed
                .secret_list
                .into_iter()
                .filter(|one| of_project(one) && !known(&one.name))
                .map(|one| Surplus {
                    store: Store::AwsSecretsManager.name(),
                    name: one.name,
                }),
        );
    }
    Ok(all)
}

impl Described {
    fn tag(&self, key: &str) -> Option<&str> {
        let mut tags = self.tags.iter();
        tags.find(|tag| tag.key == key)
            .map(|tag| tag.value.as_str())
    }

    fn is_valued(&self) -> bool {
        let mut stages = self.version_ids_to_stages.values().flatten();
        stages.any(|stage| stage == CURRENT)
    }
}

/// What stands there, without its value.
fn described(outside: &dyn Outside, place: Place<'_>) -> Result<Option<Described>, Failure> {
    let stored = place.definition.stored.as_str();
    let ended = ask(outside, place, "describe-secret", &of(place), 0)?;
    if !ended.succeeded() {
        return match ended.complains_of(&["ResourceNotFoundException"]) {
            true => Ok(None),
            false => Err(refused(&ended, place)),
        };
    }
    let standing: Described = read(&ended)?;
    if standing.deleted_date.is_some() {
        return Err(Failure::new(
            format!("`{stored}` is to be deleted"),
            format!(
                "take that back: `aws secretsmanager restore-secret --secret-id {stored}`, and push again"
            ),
        ));
    }
    match standing.tag(PROJECT) {
        Some(other) if other != place.project => Err(Failure::new(
            format!("`{stored}` is of the project `{other}`, by its tag `{PROJECT}`"),
            format!(
                "give it another `name`; or let that project go of it: `aws secretsmanager untag-resource --secret-id {stored} --tag-keys {PROJECT}`"
            ),
        )),
        _ => Ok(Some(standing)),
    }
}

/// Whether what stands there is this value.
fn has_value(
    outside: &dyn Outside,
    place: Place<'_>,
    standing: &Described,
    value: &SecretValue,
) -> Result<bool, Failure> {
    if !standing.is_valued() {
        return Ok(false);
    }
    let ended = ask(outside, place, "get-secret-value", &of(place), 0)?;
    if !ended.succeeded() {
        // One without a value is there.
        return match ended.complains_of(&["ResourceNotFoundException"]) {
            true => Ok(false),
            false => Err(refused(&ended, place)),
        };
    }
    let read: Stored = read(&ended)?;
    let text = read.secret_string;
    Ok(text.is_some_and(|text| value.is(text.0.as_bytes())))
}

/// What the spec says otherwise of it. What it does not say stays as it is.
fn differences(place: Place<'_>, standing: &Described) -> Vec<Part> {
    let definition = place.definition;
    let description = &definition.description;
    let key = definition.kms_key.as_ref().map(|(key, _)| key.as_str());
    let key_differs = key.is_some_and(|key| {
        // The account's own key is not said of a secret.
        let known = standing.kms_key_id.as_deref().unwrap_or(OWN_KEY);
        !is_key(known, key)
    });
    let parts = [
        (
            Part::Description,
            description.is_some() && *description != standing.description,
        ),
        (Part::KmsKey, key_differs),
        (Part::Tags, !tags_to_set(place, standing).is_empty()),
    ];
    let differing = parts.into_iter().filter(|(_, differs)| *differs);
    differing.map(|(part, _)| part).collect()
}

/// Whether two names are one key: an id or alias, and the ARN that ends with it.
fn is_key(one: &str, other: &str) -> bool {
    let ends = |long: &str, short: &str| {
        let rest = long.strip_suffix(short);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with(['/', ':']))
    };
    ends(one, other) || ends(other, one)
}

/// Tags of ours and of the spec that are missing or otherwise. All others are somebody else's.
fn tags_to_set<'a>(place: Place<'a>, standing: &Described) -> Vec<Tag<'a>> {
    let all = tags(place).into_iter();
    all.filter(|tag| standing.tag(tag.key) != Some(tag.value))
        .collect()
}

fn tags(place: Place<'_>) -> Vec<Tag<'_>> {
    let own = [(PROJECT, place.project), (SECRET, place.secret)];
    let said = place.definition.tags.iter();
    let said = said.map(|(key, value)| (key.as_str(), value.as_str()));
    let all = own.into_iter().chain(said);
    all.map(|(key, value)| Tag { key, value }).collect()
}

enum Made {
    New,
    There,
}

fn create(outside: &dyn Outside, place: Place<'_>, text: &str) -> Result<Made, Failure> {
    let definition = place.definition;
    let asked = Asked {
        name: Some(&definition.stored),
        description: definition.description.as_deref(),
        kms_key_id: definition.kms_key.as_ref().map(|(key, _)| key.as_str()),
        secret_string: Some(text),
        tags: tags(place),
        ..Asked::default()
    };
    let ended = ask(outside, place, "create-secret", &asked, text.len())?;
    match ended.succeeded() {
        true => Ok(Made::New),
        false if ended.complains_of(&["ResourceExistsException"]) => Ok(Made::There),
        false => Err(refused(&ended, place)),
    }
}

fn change(
    outside: &dyn Outside,
    place: Place<'_>,
    text: &str,
    changes: &[Part],
    standing: &Described,
) -> Result<(), Failure> {
    let definition = place.definition;
    let has = |part: Part| changes.contains(&part);
    let value = has(Part::Value).then_some(text);
    let told = match (has(Part::Description), has(Part::KmsKey)) {
        (false, false) => value.map(|_| "put-secret-value"),
        _ => Some("update-secret"),
    };
    if let Some(operation) = told {
        let key = definition.kms_key.as_ref().map(|(key, _)| key.as_str());
        let asked = Asked {
            description: definition
                .description
                .as_deref()
                .filter(|_| has(Part::Description)),
            kms_key_id: key.filter(|_| has(Part::KmsKey)),
            secret_string: value,
            ..of(place)
        };
        done(outside, place, operation, &asked, text.len())?;
    }
    if has(Part::Tags) {
        let asked = Asked {
            tags: tags_to_set(place, standing),
            ..of(place)
        };
        done(outside, place, "tag-resource", &asked, 0)?;
    }
    Ok(())
}

fn done(
    outside: &dyn Outside,
    place: Place<'_>,
    operation: &str,
    asked: &Asked<'_>,
    length: usize,
) -> Result<(), Failure> {
    let ended = ask(outside, place, operation, asked, length)?;
    match ended.succeeded() {
        true => Ok(()),
        false => Err(refused(&ended, place)),
    }
}

fn listed(outside: &dyn Outside, place: Place<'_>) -> Result<Listed, Failure> {
    let asked = Asked {
        filters: vec![
            Filter {
                key: "tag-key",
                values: [PROJECT],
            },
            Filter {
                key: "tag-value",
                values: [place.project],
            },
        ],
        ..Asked::default()
    };
    let ended = ask(outside, place, "list-secrets", &asked, 0)?;
    match ended.succeeded() {
        true => read(&ended),
        false => Err(refused(&ended, place)),
    }
}

/// Asks for the secret of a place.
fn of(place: Place<'_>) -> Asked<'_> {
    Asked {
        secret_id: Some(&place.definition.stored),
        ..Asked::default()
    }
}

fn vanished(place: Place<'_>) -> Failure {
    Failure::new(
        format!(
            "`{}` is made and removed by somebody else at the same time",
            place.definition.stored
        ),
        "push again",
    )
}

#[cfg(test)]
mod tests {
    use super::{OWN_KEY, is_key};

    #[test]
    fn a_key_has_several_names() {
        let id = "11111111-2222-3333-4444-555555555555";
        let arn = format!("arn:aws:kms:eu-west-1:123456789012:key/{id}");
        assert!(is_key(&arn, id) && is_key(id, &arn) && is_key(&arn, &arn));
        let alias = format!("arn:aws:kms:eu-west-1:123456789012:{OWN_KEY}");
        assert!(is_key(OWN_KEY, &alias));
        assert!(!is_key(OWN_KEY, &arn) && !is_key(&arn, "5555") && !is_key("alias/ab", "b"));
    }
}
