//! AWS Secrets Manager, by the AWS command line (version 1 or 2).
//!
//! A value goes in by `--secret-string file:///dev/stdin`. Version 1 reads `--cli-input-json` twice, and
//! finds nothing there the second time; names and tags, which are no secrets, so are arguments.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::value::Hidden;
use super::{Ended, Failure, Outside, Place, Pushed, SecretValue, Surplus};
use crate::spec::Store;

/// The longest value, in bytes (quota `SecretString` of Secrets Manager).
const LONGEST: usize = 65_536;
/// The tags by which secrets of a project are found again.
const PROJECT: &str = "tlsgen:project";
const SECRET: &str = "tlsgen:secret";

const STANDARD_INPUT: &str = "file:///dev/stdin";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stored {
    secret_string: Option<Hidden>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tag<'a> {
    key: &'a str,
    value: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    #[serde(default)]
    secret_list: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    name: String,
    #[serde(default)]
    tags: Vec<ReadTag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReadTag {
    key: String,
    #[serde(default)]
    value: String,
}

/// Puts a value there.
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
    if text.contains('\r') {
        return Err(Failure::new(
            "the value has a carriage return, which the AWS command line does not keep",
            "write its lines with line feeds alone, or encode it, such as with base64",
        ));
    }
    let stored = &place.definition.stored;
    let standing = run(
        outside,
        place,
        "get-secret-value",
        &["--secret-id", stored],
        None,
    )?;
    let exists = exists(&standing, place)?;
    if exists && standing.succeeded() {
        let read: Stored = read(&standing)?;
        if read
            .secret_string
            .is_some_and(|read| value.is(read.0.as_bytes()))
        {
            return Ok(Pushed::Same);
        }
    }
    let outcome = match exists {
        true => Pushed::Changed,
        false => Pushed::Created,
    };
    if dry_run {
        return Ok(outcome);
    }
    let tags = tags(place)?;
    let mut words = match exists {
        true => vec!["--secret-id", stored],
        false => vec!["--name", stored, "--tags", &tags],
    };
    let definition = place.definition;
    if !exists {
        let key = definition.kms_key.as_ref();
        words.extend(key.iter().flat_map(|(key, _)| ["--kms-key-id", key]));
        let description = definition.description.iter();
        words.extend(description.flat_map(|text| ["--description", text]));
    }
    words.extend(["--secret-string", STANDARD_INPUT]);
    let operation = match exists {
        true => "put-secret-value",
        false => "create-secret",
    };
    let ended = run(outside, place, operation, &words, Some(text.as_bytes()))?;
    match ended.succeeded() {
        true => Ok(outcome),
        false => Err(refused(&ended, stored)),
    }
}

/// Whether it is there; its value is not asked for.
pub fn has(outside: &dyn Outside, place: Place<'_>) -> Result<bool, Failure> {
    let words = ["--secret-id", place.definition.stored.as_str()];
    let described = run(outside, place, "describe-secret", &words, None)?;
    exists(&described, place)
}

/// What has this project's tag and is none of these.
pub fn surplus(outside: &dyn Outside, places: &[Place<'_>]) -> Result<Vec<Surplus>, Failure> {
    let ours: Vec<Place<'_>> = places
        .iter()
        .filter(|place| place.definition.store == Store::AwsSecretsManager)
        .copied()
        .collect();
    let regions: BTreeSet<_> = ours.iter().map(|place| &place.definition.region).collect();
    let mut all = Vec::new();
    for region in regions {
        let here = |place: &&Place<'_>| place.definition.region == *region;
        let Some(place) = ours.iter().find(here) else {
            continue;
        };
        let words = ["--filters", "Key=tag-key,Values=tlsgen:project"];
        let listed = run(outside, *place, "list-secrets", &words, None)?;
        if !listed.succeeded() {
            return Err(refused(&listed, "the list of secrets"));
        }
        let listed: Listed = read(&listed)?;
        let of_project = |entry: &Entry| {
            let mut tags = entry.tags.iter();
            tags.any(|tag| tag.key == PROJECT && tag.value == place.project)
        };
        let known = |name: &str| {
            let mut here = ours.iter().filter(here);
            here.any(|place| place.definition.stored == name)
        };
        all.extend(
            listed
                .secret_list
                .into_iter()
                .filter(|entry| of_project(entry) && !known(&entry.name))
                .map(|entry| Surplus {
                    store: Store::AwsSecretsManager.name(),
                    name: entry.name,
                }),
        );
    }
    Ok(all)
}

fn tags(place: Place<'_>) -> Result<String, Failure> {
    let own = [(PROJECT, place.project), (SECRET, place.secret)];
    let said = place.definition.tags.iter();
    let said = said.map(|(key, value)| (key.as_str(), value.as_str()));
    let all: Vec<Tag<'_>> = own
        .into_iter()
        .chain(said)
        .map(|(key, value)| Tag { key, value })
        .collect();
    serde_json::to_string(&all)
        .map_err(|_| Failure::new("the tags cannot be written", "report this"))
}

fn run(
    outside: &dyn Outside,
    place: Place<'_>,
    operation: &str,
    words: &[&str],
    input: Option<&[u8]>,
) -> Result<Ended, Failure> {
    let mut all = vec!["aws", "secretsmanager", operation, "--output", "json"];
    if let Some(region) = &place.definition.region {
        all.extend(["--region", region]);
    }
    all.extend(words);
    outside
        .run(&all, input)
        .map_err(|error| Failure::of_start("aws", &error, "the AWS command line"))
}

fn read<'a, T: Deserialize<'a>>(ended: &'a Ended) -> Result<T, Failure> {
    // What is wrong with it could repeat a part of it.
    serde_json::from_slice(&ended.output).map_err(|_| {
        Failure::new(
            "`aws` printed something else than was asked for",
            "look whether `aws` is the AWS command line: `aws --version`",
        )
    })
}

/// Whether what was asked for is there: also a secret without a value is.
fn exists(ended: &Ended, place: Place<'_>) -> Result<bool, Failure> {
    let stored = &place.definition.stored;
    if ended.succeeded() {
        return Ok(true);
    }
    if !ended.complains_of(&["ResourceNotFoundException"]) {
        return Err(refused(ended, stored));
    }
    Ok(ended.complains_of(&["staging label"]))
}

fn refused(ended: &Ended, stored: &str) -> Failure {
    let (what, help) = if ended.complains_of(&["Unable to locate credentials", "NoCredentials"]) {
        (
            "`aws` has no credentials",
            "log in: `aws configure`, or `aws sso login`",
        )
    } else if ended.complains_of(&[
        "ExpiredToken",
        "token has expired",
        "UnrecognizedClient",
        "InvalidClientTokenId",
    ]) {
        (
            "AWS does not take these credentials",
            "log in again: `aws sso login`",
        )
    } else if ended.complains_of(&["AccessDenied"]) {
        (
            "AWS denies access",
            "it takes secretsmanager:DescribeSecret, GetSecretValue, CreateSecret, PutSecretValue, TagResource and ListSecrets, and of a key of KMS kms:Decrypt and kms:GenerateDataKey",
        )
    } else if ended.complains_of(&["specify a region"]) {
        (
            "`aws` knows no region",
            "write `region: …` beside the secret, or set `AWS_REGION`",
        )
    } else if ended.complains_of(&[
        "marked for deletion",
        "scheduled for deletion",
        "marked deleted",
    ]) {
        (
            "it is to be deleted",
            "take that back: `aws secretsmanager restore-secret --secret-id NAME`",
        )
    } else if ended.complains_of(&["Could not connect", "EndpointConnectionError", "timed out"]) {
        (
            "AWS cannot be reached",
            "look at the network and the region",
        )
    } else {
        (
            "AWS refused",
            "run `aws secretsmanager describe-secret --secret-id NAME` by hand to see why",
        )
    };
    let code = ended.code_in_words();
    Failure::new(format!("`{stored}`: {what} ({code})"), help)
}
