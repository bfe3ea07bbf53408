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
use super::{
    Complaint, Concerns, Ended, Failure, Outside, Place, Pushed, Refused, SecretValue, Surplus,
};
use crate::spec::Store;

/// The longest Secret (the API server refuses more than 1 MiB of data).
const LONGEST: usize = 1 << 20;
/// The label by which Secrets of a project are found again.
const PROJECT: &str = "tlsgen.dev/project";

/// What complaints come to: words of one of them, what it is, and what to do.
const COMPLAINTS: &[Complaint] = &[
    (
        &[
            "Unauthorized",
            "must be logged in",
            "provide credentials",
            "getting credentials",
        ],
        "the cluster does not take these credentials",
        "log in again, and look at `kubectl auth whoami`",
        Concerns::Store,
    ),
    (
        &["being terminated"],
        "the namespace is being deleted",
        "wait until it is gone, make it anew, and push again",
        Concerns::Secret,
    ),
    // Of what is refused for its content, the reason may be called forbidden too.
    (
        &["is invalid:", "(Invalid)"],
        "the cluster does not take it",
        "look at the type of the Secret, whether it is immutable, and at its size: `kubectl --namespace NAMESPACE describe secret`",
        Concerns::Secret,
    ),
    (
        &["exceeded quota"],
        "the quota of the namespace is used up",
        "look at `kubectl --namespace NAMESPACE describe quota`",
        Concerns::Secret,
    ),
    (
        &["denied the request"],
        "a policy of the cluster refuses it",
        "ask whoever runs the cluster which labels or names it wants",
        Concerns::Secret,
    ),
    (
        &["(Forbidden)"],
        "the cluster denies access",
        "it takes get, list, create and patch of Secrets in that namespace: `kubectl --namespace NAMESPACE auth can-i --list`",
        Concerns::Secret,
    ),
    (
        &["namespaces \""],
        "the cluster has no such namespace",
        "make it, `kubectl create namespace NAMESPACE`, or write another `namespace`",
        Concerns::Secret,
    ),
    (
        &["unknown flag"],
        "this kubectl is too old",
        "install version 1.20 or newer, which reads a patch from standard input",
        Concerns::Store,
    ),
    (
        &["x509:", "certificate signed by"],
        "the certificate of the cluster is not trusted",
        "look at `certificate-authority` of the cluster in the kubeconfig",
        Concerns::Store,
    ),
    (
        &[
            "context \"",
            "invalid configuration",
            "Error in configuration",
            "no configuration",
            "Error loading config",
            "error loading config",
        ],
        "the kubeconfig names no cluster",
        "look at `KUBECONFIG`, and at `kubectl config get-contexts`",
        Concerns::Store,
    ),
    (
        &[
            "connection refused",
            "no such host",
            "Unable to connect",
            "timeout",
            "deadline exceeded",
            "Timeout",
            "EOF",
        ],
        "the cluster cannot be reached",
        "look at the context, `kubectl config current-context`, and at the network",
        Concerns::Store,
    ),
    (
        &["TooManyRequests", "ServiceUnavailable", "InternalError"],
        "the cluster is out of order",
        "push again later: what is there already stays",
        Concerns::Secret,
    ),
];

#[derive(Deserialize)]
struct Object {
    metadata: Metadata,
    #[serde(default)]
    data: BTreeMap<String, Hidden>,
    #[serde(default)]
    immutable: bool,
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
    fits(place, value, None)?;
    let standing = match object(outside, place)? {
        Some(standing) => standing,
        None if dry_run => return Ok(Pushed::Created),
        None => match create(outside, place, value)? {
            Made::New => return Ok(Pushed::Created),
            // Somebody else made it since it was asked for.
            Made::There => object(outside, place)?.ok_or_else(|| {
                let name = &place.definition.object;
                Failure::new(
                    format!("`{name}` is made and removed by somebody else at the same time"),
                    "push again",
                )
            })?,
        },
    };
    let outcome = match standing.data.get(&place.definition.stored) {
        Some(known) if value.is(&decoded(known)?) => return Ok(Pushed::Same),
        Some(_) => Pushed::value(),
        None => Pushed::Created,
    };
    let name = &place.definition.object;
    if standing.immutable {
        return Err(Failure::new(
            format!("the Secret `{name}` is immutable"),
            format!(
                "say another `object`, or delete it and push again: `kubectl --namespace {} delete secret {name}`",
                namespace(place)?
            ),
        ));
    }
    fits(place, value, Some(&standing))?;
    if !dry_run {
        patch(outside, place, value)?;
    }
    Ok(outcome)
}

/// Whether the key is there.
pub fn has(outside: &dyn Outside, place: Place<'_>) -> Result<bool, Failure> {
    let object = object(outside, place)?;
    Ok(object.is_some_and(|object| object.data.contains_key(&place.definition.stored)))
}

/// Keys of Secrets with this project's label that are none of these.
pub fn surplus<'a>(
    outside: &dyn Outside,
    places: &[Place<'a>],
) -> Result<Vec<Surplus>, Refused<'a>> {
    let ours = places
        .iter()
        .filter(|place| place.definition.store == Store::Kubernetes);
    let ours: Vec<Place<'a>> = ours.copied().collect();
    let mut known = BTreeSet::new();
    for place in &ours {
        known.insert((
            namespace(*place).map_err(|failure| Box::new((*place, failure)))?,
            place.definition.object.as_str(),
            place.definition.stored.as_str(),
        ));
    }
    let mut asked = BTreeSet::new();
    let mut all = Vec::new();
    for place in &ours {
        let namespace = namespace(*place).map_err(|failure| Box::new((*place, failure)))?;
        if !asked.insert(namespace) {
            continue;
        }
        let objects = of_project(outside, *place).map_err(|failure| Box::new((*place, failure)))?;
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

/// The Secrets with this project's label.
fn of_project(outside: &dyn Outside, place: Place<'_>) -> Result<Objects, Failure> {
    let label = format!("--selector={PROJECT}={}", place.project);
    let words = ["get", "secrets", &label, "--output=json"];
    let ended = run(outside, namespace(place)?, &words, None)?;
    match ended.succeeded() {
        true => read(&ended),
        false => Err(refused(&ended, place)),
    }
}

fn object(outside: &dyn Outside, place: Place<'_>) -> Result<Option<Object>, Failure> {
    let name = place.definition.object.as_str();
    let words = ["get", "secret", name, "--output=json"];
    let ended = run(outside, namespace(place)?, &words, None)?;
    if ended.succeeded() {
        return read(&ended).map(Some);
    }
    // Where a Secret is not there, kubectl looks whether its namespace is.
    match ended.complains_of(&["(NotFound)"]) && !ended.complains_of(&["namespaces \""]) {
        true => Ok(None),
        false => Err(refused(&ended, place)),
    }
}

/// Whether all fits into one Secret.
fn fits(place: Place<'_>, value: &SecretValue, standing: Option<&Object>) -> Result<(), Failure> {
    let others: usize = standing.map_or(0, |standing| {
        let others = standing.data.iter();
        let others = others.filter(|(key, _)| **key != place.definition.stored);
        others.map(|(_, text)| decoded_length(&text.0)).sum()
    });
    match value.bytes().len() + others <= LONGEST {
        true => Ok(()),
        false if others == 0 => Err(Failure::new(
            "the value is longer than the 1 MiB that a Secret of Kubernetes holds",
            "mount it from a volume instead",
        )),
        false => Err(Failure::new(
            format!(
                "with this value `{}` would be longer than the 1 MiB that a Secret of Kubernetes holds",
                place.definition.object
            ),
            "give it an `object` of its own",
        )),
    }
}

enum Made {
    New,
    There,
}

fn create(outside: &dyn Outside, place: Place<'_>, value: &SecretValue) -> Result<Made, Failure> {
    let encoded = encoded(value.bytes())?;
    let namespace = namespace(place)?;
    let create = Create {
        api_version: "v1",
        kind: "Secret",
        metadata: Named {
            name: &place.definition.object,
            namespace,
            labels: BTreeMap::from([(PROJECT, place.project)]),
        },
        r#type: "Opaque",
        data: BTreeMap::from([(place.definition.stored.as_str(), encoded.as_str())]),
    };
    let input = json(&create, encoded.len())?;
    // The schema of the cluster, which takes a permission of its own, would say nothing of it.
    let words = [
        "create",
        "--filename=-",
        "--validate=false",
        "--output=name",
    ];
    let ended = run(outside, namespace, &words, Some(&input))?;
    match ended.succeeded() {
        true => Ok(Made::New),
        false if ended.complains_of(&["(AlreadyExists)"]) => Ok(Made::There),
        false => Err(refused(&ended, place)),
    }
}

fn patch(outside: &dyn Outside, place: Place<'_>, value: &SecretValue) -> Result<(), Failure> {
    let encoded = encoded(value.bytes())?;
    let patch = Patch {
        data: BTreeMap::from([(place.definition.stored.as_str(), encoded.as_str())]),
    };
    let input = json(&patch, encoded.len())?;
    let words = [
        "patch",
        "secret",
        &place.definition.object,
        "--type=merge",
        "--patch-file=/dev/stdin",
        "--output=name",
    ];
    let ended = run(outside, namespace(place)?, &words, Some(&input))?;
    match ended.succeeded() {
        true => Ok(()),
        false => Err(refused(&ended, place)),
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
    // Without it, an address that nobody answers at would hold it up for minutes.
    let mut all = vec!["kubectl", "--request-timeout=10s", "--namespace", namespace];
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

fn decoded_length(text: &str) -> usize {
    let text = text.trim_end_matches('=');
    text.len() * 3 / 4
}

fn refused(ended: &Ended, place: Place<'_>) -> Failure {
    let mut all = COMPLAINTS.iter();
    let known = all.find(|(words, ..)| ended.complains_of(words));
    let (_, what, help, concerns) = known.unwrap_or(&(
        &[],
        "kubectl failed",
        "run `kubectl --namespace NAMESPACE auth can-i create secrets` by hand to see why",
        Concerns::Secret,
    ));
    let namespace = place.namespace.unwrap_or_default();
    let code = ended.code_in_words();
    let name = &place.definition.object;
    let failure = Failure::new(
        format!("`{namespace}/{name}`: {what} ({code})"),
        help.replace("NAMESPACE", namespace),
    );
    match concerns {
        Concerns::Store => failure.of_store(),
        Concerns::Secret => failure,
    }
}
