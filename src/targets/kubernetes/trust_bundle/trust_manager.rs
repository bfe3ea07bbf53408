//! Bundles of trust-manager, which writes a ConfigMap into each namespace that it is told and keeps
//! it up to date.

use serde_json::{Map, Value, json};

use super::{Projected, Wanted, fitting, put, texts};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::runtimes::{BUNDLE, PRIVATE_ROOTS, TRUSTSTORE, TRUSTSTORE_PASSWORD};
use crate::targets::kubernetes::Gathering;

pub static NAMESPACE: Code = Code {
    name: "namespace-unknown",
    severity: Severity::Error,
    summary: "something must name the namespace of the pods, and nothing says it",
    manual: include_str!("../manual/namespace-unknown.md"),
};

const FILE: &str = "bundles.yaml";
/// The certificates, in bytes, with which an object still fits into the annotation of 256 KiB in which
/// `kubectl apply` keeps it, unless the server applies.
const ANNOTATION: usize = 240 << 10;

/// Has trust-manager bring the bundle, and Java's truststore with it.
pub fn projected(
    gathering: &mut Gathering<'_>,
    wanted: Wanted<'_>,
) -> Result<Projected, Box<Diagnostic>> {
    let mut projected = Projected::default();
    let truststore = wanted.files.contains(&TRUSTSTORE);
    // A truststore comes beside a bundle, and holds the same.
    let bundle = truststore || wanted.files.contains(&BUNDLE);
    let private = wanted.files.contains(&PRIVATE_ROOTS);
    let files = [
        (BUNDLE, bundle, "trust"),
        (PRIVATE_ROOTS, private, "private-roots"),
    ];
    for (file, _, what) in files.into_iter().filter(|(_, asked, _)| *asked) {
        let Some(texts) = texts(wanted.anchors, file) else {
            continue;
        };
        let namespace = namespace(gathering, &wanted)?;
        let size = texts.iter().map(String::len).sum();
        fitting(&wanted, size)?;
        // A Bundle is the whole cluster's, and its ConfigMap is called like it.
        let project = &gathering.inputs.model.project;
        let name = format!("{project}-{namespace}-{what}-{}", wanted.list);
        let with_truststore = truststore && file == BUNDLE;
        let mut keys: Vec<&str> = Vec::new();
        keys.extend(Some(file).filter(|file| wanted.files.contains(file)));
        keys.extend(with_truststore.then_some(TRUSTSTORE));
        let object = object(&name, &namespace, file, texts);
        put(gathering, FILE, object, wanted.asked_at);
        if size > ANNOTATION {
            large(gathering);
        }
        let items: Vec<Value> = keys
            .iter()
            .map(|key| json!({"key": key, "path": key}))
            .collect();
        let source = json!({"configMap": {"name": name, "items": items}});
        projected.sources.push(source);
        projected.files.extend(keys.into_iter().map(str::to_owned));
    }
    Ok(projected)
}

/// A Bundle of exactly these certificates. The truststore is PKCS#12 although it is called like a JKS
/// one: as JKS it is opened by every Java since 8u301, and profiles for older ones by none from 20 on.
/// It is made for whoever asks first, so that the order of services changes nothing.
fn object(name: &str, namespace: &str, file: &str, texts: Vec<String>) -> Value {
    let sources: Vec<Value> = texts
        .into_iter()
        .map(|text| json!({"inLine": text}))
        .collect();
    let mut target = Map::new();
    target.insert("configMap".to_owned(), json!({"key": file}));
    if file == BUNDLE {
        target.insert(
            "additionalFormats".to_owned(),
            json!({"pkcs12": {
                "key": TRUSTSTORE,
                "password": TRUSTSTORE_PASSWORD,
                "profile": "Modern2023",
            }}),
        );
    }
    target.insert(
        "namespaceSelector".to_owned(),
        json!({"matchLabels": {"kubernetes.io/metadata.name": namespace}}),
    );
    json!({
        "apiVersion": "trust.cert-manager.io/v1alpha1",
        "kind": "Bundle",
        "metadata": {"name": name},
        "spec": {"sources": sources, "target": target},
    })
}

/// The namespace of the pods, by their manifest or by the spec.
fn namespace(gathering: &Gathering<'_>, wanted: &Wanted<'_>) -> Result<String, Box<Diagnostic>> {
    let said = gathering.cluster.namespace.as_ref();
    let said = said.map(|(name, _)| name.as_str());
    wanted.namespace.or(said).map(str::to_owned).ok_or_else(|| {
        let (_, via) = gathering.cluster.bundles_via;
        let message = "a Bundle must name the namespace into which trust-manager writes";
        Box::new(
            Diagnostic::new(&NAMESPACE, via, message)
                .also(wanted.asked_at, "its manifest says none")
                .help("write the namespace of the pods in this target: `namespace: …`"),
        )
    })
}

fn large(gathering: &mut Gathering<'_>) {
    let note = "a Bundle holds more than `kubectl apply` can keep in an annotation: apply with `--server-side`";
    let notes = &mut gathering.lowered.notes;
    if !notes.iter().any(|one| one == note) {
        notes.push(note.to_owned());
    }
}
