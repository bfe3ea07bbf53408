//! ClusterTrustBundles: bundles of the whole cluster, which the kubelet itself puts into pods.

use serde_json::{Value, json};

use super::{Projected, Wanted, fitting, put, texts};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::runtimes::{BUNDLE, PRIVATE_ROOTS};
use crate::targets::kubernetes::Gathering;

pub static GATE: Code = Code {
    name: "feature-gate",
    severity: Severity::Warning,
    summary: "a feature is used that a cluster of this version has switched off",
    manual: include_str!("../manual/feature-gate.md"),
};
pub static TOO_OLD: Code = Code {
    name: "cluster-too-old",
    severity: Severity::Error,
    summary: "a feature is used that a cluster of this version does not have",
    manual: include_str!("../manual/cluster-too-old.md"),
};

const FILE: &str = "bundles.yaml";
/// The minor version in which it is `v1beta1`, behind a gate.
const BETA: u16 = 33;
/// The minor version in which it is `v1`, and on.
const STABLE: u16 = 37;

/// Has the kubelet bring files of certificates; a truststore it cannot make.
pub fn projected(
    gathering: &mut Gathering<'_>,
    wanted: Wanted<'_>,
) -> Result<Projected, Box<Diagnostic>> {
    let version = version(gathering)?;
    let mut projected = Projected::default();
    for (file, what) in [(BUNDLE, "trust"), (PRIVATE_ROOTS, "private-roots")] {
        if !wanted.files.contains(&file) {
            continue;
        }
        let Some(texts) = texts(wanted.anchors, file) else {
            continue;
        };
        let bundle = texts.concat();
        fitting(&wanted, bundle.len())?;
        let project = &gathering.inputs.model.project;
        let name = format!("{project}-{what}-{}", wanted.list);
        let object = json!({
            "apiVersion": version,
            "kind": "ClusterTrustBundle",
            "metadata": {"name": name},
            "spec": {"trustBundle": bundle},
        });
        put(gathering, FILE, object, wanted.asked_at);
        projected.sources.push(source(&name, file));
        projected.files.push(file.to_owned());
    }
    Ok(projected)
}

/// Of a pod whose bundle is not there, nothing starts: better than one that trusts nobody.
fn source(name: &str, file: &str) -> Value {
    json!({"clusterTrustBundle": {"name": name, "path": file, "optional": false}})
}

/// The version of the API that every cluster from the oldest on has.
fn version(gathering: &mut Gathering<'_>) -> Result<&'static str, Box<Diagnostic>> {
    let (oldest, oldest_span) = (gathering.cluster.oldest, gathering.cluster.oldest_span);
    let (_, via) = gathering.cluster.bundles_via;
    if oldest.minor >= STABLE {
        return Ok("certificates.k8s.io/v1");
    }
    let mut targets = gathering.inputs.model.targets.iter();
    // Where nothing is said, the target itself stands for it.
    let said = !targets.any(|target| target.place.value == oldest_span);
    let also = |diagnostic: Diagnostic| match said {
        true => diagnostic.also(oldest_span, "the oldest version that must accept it"),
        false => diagnostic,
    };
    if oldest.minor < BETA {
        let message = format!(
            "there is no ClusterTrustBundle in Kubernetes {oldest} that later versions read"
        );
        return Err(Box::new(
            also(Diagnostic::new(&TOO_OLD, via, message)).help(
                "write `bundles_via: config-map` or `trust-manager`, or the version from 1.33 on that all clusters have: `kubernetes: \"1.33\"`",
            ),
        ));
    }
    let told = gathering.found.iter().any(|one| one.code.name == GATE.name);
    if !told {
        let message = format!(
            "in Kubernetes {oldest} ClusterTrustBundles are switched off unless somebody switched them on"
        );
        gathering.found.push(also(Diagnostic::new(&GATE, via, message)).help(
            "have the gates `ClusterTrustBundle` and `ClusterTrustBundleProjection` on, and `certificates.k8s.io/v1beta1` in the API server's `--runtime-config`",
        ).help("or write `bundles_via: config-map`"));
    }
    Ok("certificates.k8s.io/v1beta1")
}
