//! A service that is told whom to trust: a volume with the files, and variables that name them.
//!
//! Where the image's own store is to be extended, or an authority to be downloaded, an init
//! container of the same image prepares a copy: no command is changed, and neither root nor a
//! writable root file system is needed.

mod preparation;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Gathering;
use super::bundle::{self, Bundle};
use super::environment::Joining;
use super::manifest::Container;
use super::mount;
use super::patch::VolumeMount;
use super::workload::{self, Place};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::digest::Sha256;
use crate::model::kubernetes::Deployed;
use crate::model::{Model, Trust};
use crate::provision::{Body, Existing, Mechanism, Provision};
use crate::runtimes::{self, BUNDLE, Circumstances};
use crate::targets::TRUST_DIRECTORY;

pub static TOO_LARGE: Code = Code {
    name: "config-map-too-large",
    severity: Severity::Error,
    summary: "the files by which a service trusts do not fit into a ConfigMap",
    manual: include_str!("manual/config-map-too-large.md"),
};
pub use preparation::WITHOUT_IMAGE;

/// What the API takes of one object, keys not counted.
const LARGEST_CONFIG_MAP: usize = 1 << 20;
/// What the name of a volume, a label of DNS, may have.
const LONGEST_NAME: usize = 63;
/// Of a longer name this much is kept, before the digest of all of it.
const KEPT_OF_NAME: usize = 50;

/// Adds to the component what lets a service trust.
pub fn add(gathering: &mut Gathering<'_>, deployed: &Deployed) {
    let Some(place) = workload::find(gathering, deployed) else {
        return;
    };
    let inputs = gathering.inputs;
    let service = inputs.model.service(deployed.service);
    let Some(trust) = service.trust.as_ref() else {
        return;
    };
    // What needs root or writes is done by an init container, in a volume of its own.
    let circumstances = Circumstances {
        place: deployed.place.key,
        pinned: deployed.trust_via,
        not_root: None,
        read_only: None,
        writable: Vec::new(),
    };
    let provided = runtimes::provide(inputs.model, inputs.lists, deployed.service, &circumstances);
    let provision = match provided {
        Ok(provision) if provision.files.is_empty() => return,
        Ok(provision) => provision,
        Err(diagnostics) => return gathering.found.extend(diagnostics),
    };
    let provision = match preparation::beside(gathering, deployed, trust, provision) {
        Ok(provision) => provision,
        Err(diagnostic) => return gathering.found.push(*diagnostic),
    };
    note(gathering, deployed, &place, &provision);
    let name = config_map_name(inputs.model, trust, deployed, &provision);
    let files = files(&provision);
    if let Some(diagnostic) = too_large(deployed, &files) {
        return gathering.found.push(diagnostic);
    }
    let clash = mount::volume_conflict(place.workload, &name, deployed.place.key);
    gathering.found.extend(clash);
    let bundle = Bundle {
        trust,
        config_map: name.clone(),
        namespace: place.workload.namespace.as_deref(),
        files,
        items: Vec::new(),
        origin: deployed.place.key,
    };
    let volume = match bundle::volume(gathering, &name, bundle) {
        Ok(volume) => volume,
        Err(diagnostic) => return gathering.found.push(*diagnostic),
    };
    workload::pod(gathering, &place).volume(volume);
    let mounted = VolumeMount {
        mount_path: TRUST_DIRECTORY.to_owned(),
        name,
        read_only: true,
    };
    for container in &place.containers {
        let joining = Joining {
            manifests: gathering.manifests,
            workload: place.workload,
            container,
            asked: deployed.place.key,
            subject: &format!("services.{}", deployed.name),
        };
        let found = &mut gathering.found;
        let what = "the trust directory";
        found.extend(mount::conflict(
            place.workload,
            container,
            TRUST_DIRECTORY,
            (deployed.place.key, what),
        ));
        if provision
            .mechanisms
            .iter()
            .any(|(runtime, _)| runtime == "java")
        {
            found.extend(joining.truststore_elsewhere());
        }
        let variables = joining.variables(&provision.variables, TRUST_DIRECTORY, found);
        let patch = workload::container(gathering, &place, container);
        variables.into_iter().for_each(|one| patch.variable(one));
        patch.mount(mounted.clone());
        preparation::add(gathering, deployed, &place, container, &provision, &mounted);
    }
}

/// The files by their keys, in which no `/` may be.
fn files(provision: &Provision) -> BTreeMap<String, Arc<[u8]>> {
    let files = provision.files.iter();
    files
        .map(|file| (file.name.replace('/', "."), file.body.at(TRUST_DIRECTORY)))
        .collect()
}

fn too_large(deployed: &Deployed, files: &BTreeMap<String, Arc<[u8]>>) -> Option<Diagnostic> {
    let size: usize = files.values().map(|file| file.len()).sum();
    if size <= LARGEST_CONFIG_MAP {
        return None;
    }
    let message = format!(
        "whom `{}` trusts takes {} KiB, and a ConfigMap holds 1024",
        deployed.name,
        size.div_ceil(1024)
    );
    Some(
        Diagnostic::new(&TOO_LARGE, deployed.place.key, message)
            .help("name fewer authorities under `trust`, or take `public` out of it"),
    )
}

/// `tower-trust-corp-public`; behind it what is in it beside the bundle, so that every set of files
/// has its name.
fn config_map_name(
    model: &Model,
    trust: &Trust,
    deployed: &Deployed,
    provision: &Provision,
) -> String {
    let list = bundle::list_name(model, trust);
    let mut parts = vec![model.project.as_str(), "trust", &list];
    let is_further = |name: &&str| *name != BUNDLE && !name.starts_with("anchors/");
    let further: Vec<&str> = provision
        .files
        .iter()
        .map(|file| file.name.as_str())
        .filter(is_further)
        .collect();
    parts.extend(further.iter().map(|name| stem(name)));
    if !further.is_empty() && provision.files.iter().any(|file| file.name == BUNDLE) {
        parts.push("bundle");
    }
    // What is downloaded depends on whom the service calls, so it is the service's own.
    if is_by(provision, Mechanism::Download) {
        parts.push(&deployed.name);
    }
    let mut name = parts.join("-").replace(['_', '.'], "-");
    let configured: Vec<Arc<[u8]>> = provision
        .files
        .iter()
        .filter(|file| matches!(file.body, Body::Configured(_)))
        .map(|file| file.body.at(TRUST_DIRECTORY))
        .collect();
    if !configured.is_empty() {
        let digest = Sha256::of_pieces(configured.iter().map(|body| &**body));
        name = format!("{name}-{}", digest.short(6));
    }
    shortened(name)
}

/// A name that fits, and is still another than those of all other texts.
fn shortened(name: String) -> String {
    if name.len() <= LONGEST_NAME {
        return name;
    }
    let digest = Sha256::of(name.as_bytes()).short(10);
    let kept = &name[..name.floor_char_boundary(KEPT_OF_NAME)];
    format!("{}-{digest}", kept.trim_end_matches('-'))
}

fn stem(name: &str) -> &str {
    name.split_once('.').map_or(name, |(stem, _)| stem)
}

fn is_by(provision: &Provision, mechanism: Mechanism) -> bool {
    provision
        .steps
        .iter()
        .any(|step| step.mechanism == mechanism)
}

fn note(
    gathering: &mut Gathering<'_>,
    deployed: &Deployed,
    place: &Place<'_>,
    provision: &Provision,
) {
    let manifests = gathering.manifests;
    let notes = &mut gathering.lowered.notes;
    let name = &deployed.name;
    let mut how: Vec<String> = provision
        .mechanisms
        .iter()
        .map(|(runtime, mechanism)| format!("{runtime} by {}", mechanism.name()))
        .collect();
    how.dedup();
    if !how.is_empty() {
        notes.push(format!("{name}: {}", how.join(", ")));
    }
    notes.extend(provision.notes.iter().map(|note| format!("{name}: {note}")));
    let joined = provision.variables.iter().filter(|variable| {
        let sets = |it: &Container| manifests.sets(place.workload, it, &variable.name);
        variable.existing == Existing::Append && !place.containers.iter().all(|it| sets(it))
    });
    let joined: Vec<&str> = joined.map(|variable| variable.name.as_str()).collect();
    if !joined.is_empty() {
        let joined = joined.join(" and ");
        notes.push(format!(
            "{name}: if its image sets {joined} itself, write that under `env` in your manifest, or it is replaced"
        ));
    }
}
