//! Bundles of whom to trust that a controller of the cluster brings into pods, instead of ConfigMaps
//! that kustomize makes: the bundle changes in running pods.

mod cluster_trust_bundle;
mod trust_manager;

use serde_json::Value;

use super::Gathering;
use super::secret::put;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::pki::TrustAnchors;
use crate::runtimes::{BUNDLE, PRIVATE_ROOTS};
use crate::source::Span;
use crate::spec::BundlesVia;

static TOO_LARGE: Code = Code {
    name: "trust-bundle-too-large",
    severity: Severity::Error,
    summary: "a bundle is larger than an object of the cluster may be",
    manual: include_str!("manual/trust-bundle-too-large.md"),
};

/// What bundles of controllers can find.
pub static CODES: &[&Code] = &[
    &TOO_LARGE,
    &trust_manager::NAMESPACE,
    &cluster_trust_bundle::GATE,
    &cluster_trust_bundle::TOO_OLD,
];

/// The most that an object may hold, in bytes.
const LARGEST: usize = 1 << 20;

/// A trust list whose files a pod mounts.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// What the list is called: a part of the names of objects.
    pub list: &'a str,
    /// Whom it holds.
    pub anchors: &'a TrustAnchors,
    /// The names of the files, as the runtimes ask for them.
    pub files: &'a [&'a str],
    /// The namespace of the pod, where its manifest says one.
    pub namespace: Option<&'a str>,
    /// What asks for it.
    pub asked_at: Span,
}

/// What a controller brings of a trust list.
#[derive(Debug, Default, PartialEq)]
pub struct Projected {
    /// The files that it brings; the others come by a ConfigMap of kustomize's.
    pub files: Vec<String>,
    /// Sources of a projected volume, as the API has them.
    pub sources: Vec<Value>,
}

/// Has a controller bring what it can of a trust list: of ConfigMaps by kustomize, nothing.
///
/// # Errors
/// The controller cannot bring it, as the spec has it.
pub fn projected(
    gathering: &mut Gathering<'_>,
    wanted: Wanted<'_>,
) -> Result<Projected, Box<Diagnostic>> {
    let (via, _) = gathering.cluster.bundles_via;
    let projected = match via {
        BundlesVia::ConfigMap => return Ok(Projected::default()),
        BundlesVia::TrustManager => trust_manager::projected(gathering, wanted)?,
        BundlesVia::ClusterTrustBundle => cluster_trust_bundle::projected(gathering, wanted)?,
    };
    if !projected.files.is_empty() {
        let note = "a changed bundle reaches running pods by itself within two minutes; most software reads it when it starts, so restart what trusts (`kubectl rollout restart`)";
        let notes = &mut gathering.lowered.notes;
        if !notes.iter().any(|one| one == note) {
            notes.push(note.to_owned());
        }
    }
    Ok(projected)
}

/// The texts that a file of certificates consists of: the private roots, and the public ones if it
/// has them; `None` for a file that is no list of certificates.
fn texts(anchors: &TrustAnchors, file: &str) -> Option<Vec<String>> {
    let mut texts = Vec::new();
    if !anchors.private().is_empty() {
        texts.push(private(anchors));
    }
    match (file, anchors.public()) {
        (BUNDLE, Some(public)) => texts.push(blocks(&public.pem())),
        (BUNDLE | PRIVATE_ROOTS, _) => {}
        _ => return None,
    }
    Some(texts).filter(|texts| !texts.is_empty())
}

fn private(anchors: &TrustAnchors) -> String {
    let all = anchors.private().iter();
    all.map(|one| one.certificate.to_pem()).collect()
}

/// The blocks alone: readers of the cluster take no comments between them.
fn blocks(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut inside = false;
    let mut all = String::with_capacity(text.len());
    for line in text.lines() {
        inside |= line.starts_with("-----BEGIN ");
        if inside {
            all.push_str(line);
            all.push('\n');
        }
        inside &= !line.starts_with("-----END ");
    }
    all
}

fn fitting(wanted: &Wanted<'_>, size: usize) -> Result<(), Box<Diagnostic>> {
    if size <= LARGEST {
        return Ok(());
    }
    let message = format!(
        "the bundle of `{}` has {} KiB, and an object of the cluster may have 1024",
        wanted.list,
        size.div_ceil(1024)
    );
    Err(Box::new(
        Diagnostic::new(&TOO_LARGE, wanted.asked_at, message).help("trust fewer authorities"),
    ))
}

#[cfg(test)]
mod tests;
