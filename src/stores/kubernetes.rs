//! Secrets of a Kubernetes cluster, by kubectl.
//!
//! An object is made with `create` and changed with a merge patch, both on standard input: `apply`
//! would keep the values a second time, in an annotation.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::value::{Hidden, json};
use super::{Ended, Failure, Outside, Place, Pushed, SecretValue, Surplus};
use crate::spec::Store;

/// The longest Secret (the API server refuses more than 1 MiB of data).
const LONGEST: usize = 1 << 20;
/// The label by which Secrets of a project are found again.
const PROJECT: &str = "tlsgen.dev/project";

#[derive(Deserialize)]
struct Object {
    metadata: Metadata,
    #[serde(default)]
    data: BTreeMap<String, Hidden>,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
}

#[derive(Deserialize)]
struct Objects {
    items: Vec<Object>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Create<'a> {
    api_version: &'a str,
    kind: &'a str,
    metadata: Named<'a>,
    r#type: &'a str,
    data: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
    namespace: &'a str,
    labels: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
struct Patch<'a> {
    data: BTreeMap<&'a str, &'a str>,
}

/// Puts a value there.
pub fn push(
    outside: &dyn Outside,
    place: Place<'_>,
    value: &SecretValue,
    dry_run: bool,
) -> Result<Pushed, Failure> {
    if value.bytes().len() > LONGEST {
        return Err(Failure::new(
            "the value is longer than the 1 MiB that a Kubernetes Secret holds",
            "mount it from a volume instead",
        ));
    }
    let standing = object(outside, place)?;
    let key = place.definition.stored.as_str();
    let encoded = encoded(value.bytes())?;
    let outcome = match standing.as_ref().map(|object| object.data.get(key)) {
        Some(Some(known)) if value.is(&decoded(known)?) => return Ok(Pushed::Same),
        Some(Some(_)) => Pushed::Changed,
        Some(None) | None => Pushed::Created,
    };
    if dry_run {
        return Ok(outcome);
    }
    let data = BTreeMap::from([(key, encoded.as_str())]);
    let namespace = namespace(place)?;
    let name = place.definition.object.as_str();
    let (words, input) = match standing {
        Some(_) => {
            let words = vec![
                "patch",
                "secret",
                name,
                "--type=merge",
                "--patch-file=/dev/stdin",
            ];
            (words, json(&Patch { data }, encoded.len())?)
        }
        None => {
            let create = Create {
                api_version: "v1",
                kind: "Secret",
                metadata: Named {
                    name,
                    namespace,
                    labels: BTreeMap::from([(PROJECT, place.project)]),
                },
                r#type: "Opaque",
                data,
            };
            (
                vec!["create", "--filename=-"],
                json(&create, encoded.len())?,
            )
        }
    };
    let ended = run(outside, namespace, &words, Some(&input))?;
    match ended.succeeded() {
        true => Ok(outcome),
        false => Err(refused(&ended, name)),
    }
}

/// Whether the key is there.
pub fn has(outside: &dyn Outside, place: Place<'_>) -> Result<bool, Failure> {
    let object = object(outside, place)?;
    Ok(object.is_some_and(|object| object.data.contains_key(&place.definition.stored)))
}

/// Keys of Secrets with this project's label that are none of these.
pub fn surplus(outside: &dyn Outside, places: &[Place<'_>]) -> Result<Vec<Surplus>, Failure> {
    let ours = places
        .iter()
        .filter(|place| place.definition.store == Store::Kubernetes);
    let ours: Vec<Place<'_>> = ours.copied().collect();
    let mut known = BTreeSet::new();
    for place in &ours {
        known.insert((
            namespace(*place)?,
            place.definition.object.as_str(),
            place.definition.stored.as_str(),
        ));
    }
    let namespaces: BTreeSet<&str> = known.iter().map(|(namespace, ..)| *namespace).collect();
    let mut all = Vec::new();
    for namespace in namespaces {
        let project = ours.first().map_or("", |place| place.project);
        let label = format!("--selector={PROJECT}={project}");
        let ended = run(
            outside,
            namespace,
            &["get", "secrets", &label, "--output=json"],
            None,
        )?;
        if !ended.succeeded() {
            return Err(refused(&ended, "the list of Secrets"));
        }
        let objects: Objects = read(&ended)?;
        for object in objects.items {
            let name = object.metadata.name;
            all.extend(
                object
                    .data
                    .into_keys()
                    .filter(|key| !known.contains(&(namespace, name.as_str(), key.as_str())))
                    .map(|key| Surplus {
                        store: Store::Kubernetes.name(),
                        name: format!("{namespace}/{name}/{key}"),
                    }),
            );
        }
    }
    Ok(all)
}

fn object(outside: &dyn Outside, place: Place<'_>) -> Result<Option<Object>, Failure> {
    let name = place.definition.object.as_str();
    let words = ["get", "secret", name, "--output=json"];
    let ended = run(outside, namespace(place)?, &words, None)?;
    if ended.succeeded() {
        return read(&ended).map(Some);
    }
    match ended.complains_of(&["(NotFound)"]) && !ended.complains_of(&["namespaces \""]) {
        true => Ok(None),
        false => Err(refused(&ended, name)),
    }
}

fn namespace<'a>(place: Place<'a>) -> Result<&'a str, Failure> {
    place.namespace.ok_or_else(|| {
        Failure::new(
            format!(
                "nothing says in which namespace `{}` is",
                place.definition.object
            ),
            "write `namespace: …` beside the secret, or in the target",
        )
    })
}

fn run(
    outside: &dyn Outside,
    namespace: &str,
    words: &[&str],
    input: Option<&[u8]>,
) -> Result<Ended, Failure> {
    let mut all = vec!["kubectl", "--namespace", namespace];
    all.extend(words);
    outside
        .run(&all, input)
        .map_err(|error| Failure::of_start("kubectl", &error, "kubectl"))
}

fn read<'a, T: Deserialize<'a>>(ended: &'a Ended) -> Result<T, Failure> {
    // What is wrong with it could repeat a part of it.
    serde_json::from_slice(&ended.output).map_err(|_| {
        Failure::new(
            "`kubectl` printed something else than was asked for",
            "look whether it is kubectl: `kubectl version --client`",
        )
    })
}

fn encoded(bytes: &[u8]) -> Result<Zeroizing<String>, Failure> {
    let unreadable = || Failure::new("the value cannot be encoded", "report this");
    let length = base64::encoded_len(bytes.len(), true).ok_or_else(unreadable)?;
    let mut text = Zeroizing::new(String::with_capacity(length));
    STANDARD.encode_string(bytes, &mut text);
    Ok(text)
}

fn decoded(text: &Hidden) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let text = text.0.as_bytes();
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    STANDARD.decode_vec(text, &mut bytes).map_err(|_| {
        Failure::new(
            "the cluster has a value that is no base64",
            "remove that key of the Secret, and push again",
        )
    })?;
    Ok(bytes)
}

fn refused(ended: &Ended, name: &str) -> Failure {
    let (what, help) =
        if ended.complains_of(&["Unauthorized", "must be logged in", "provide credentials"]) {
            (
                "the cluster does not take these credentials",
                "log in again, and look at `kubectl auth whoami`",
            )
        } else if ended.complains_of(&["Forbidden"]) {
            (
                "the cluster denies access",
                "it takes get, list, create and patch of Secrets in that namespace",
            )
        } else if ended.complains_of(&["namespaces \""]) {
            (
                "the cluster has no such namespace",
                "create it, or write another `namespace`",
            )
        } else if ended.complains_of(&[
            "connection refused",
            "no such host",
            "Unable to connect",
            "no configuration",
            "i/o timeout",
        ]) {
            (
                "the cluster cannot be reached",
                "look at the context: `kubectl config current-context`",
            )
        } else {
            (
                "kubectl failed",
                "run `kubectl auth can-i create secrets` by hand to see why",
            )
        };
    let code = ended.code_in_words();
    Failure::new(format!("`{name}`: {what} ({code})"), help)
}
