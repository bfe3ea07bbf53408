//! Kubernetes: a kustomize component that is used beside the project's own manifests.
//!
//! The component patches workloads by strategic merge and so joins what they say; what pods mount
//! comes from ConfigMaps and Secrets that kustomize makes, from controllers of the cluster, or is
//! there already.

mod bundle;
pub mod component;
pub mod entrance;
mod environment;
pub mod identity;
mod kustomization;
pub mod manifest;
mod mount;
pub mod patch;
mod patch_document;
mod reload;
pub mod secret;
pub mod secrets;
pub mod serving;
mod shared_keys;
mod taken;
mod trust;
pub mod trust_bundle;
mod workload;

use self::component::Component;
use self::manifest::Manifests;
use self::shared_keys::SharedKeys;
use super::{Inputs, Lowered};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{Kubernetes, TargetKind};
use crate::source::Sources;

/// What this target can find.
pub static CODES: &[&Code] = &[
    &shared_keys::KEYS_APART,
    &workload::UNKNOWN,
    &workload::UNCLEAR,
    &workload::CONTAINER,
    &workload::NAMESPACE,
    &workload::SHARED,
    &workload::FORGOTTEN,
    &environment::TAKEN,
    &environment::NOT_JOINABLE,
    &environment::UNREAD,
    &mount::TAKEN,
    &mount::VOLUME,
    &taken::OBJECT,
    &trust::TOO_LARGE,
    &trust::WITHOUT_IMAGE,
];

/// The component.
///
/// # Errors
/// Everything in the spec and the project's manifests that prevents it.
pub fn lower(
    inputs: &Inputs<'_>,
    cluster: &Kubernetes,
    sources: &mut Sources,
) -> Result<Lowered, Vec<Diagnostic>> {
    let manifests = manifest::read(inputs.world, sources, &cluster.files)?;
    let mut gathered = gather(inputs, cluster, &manifests)?;
    let spec = inputs.model.loaded.files().next();
    let spec = spec.map_or("tlsgen.yaml", |(path, _)| path);
    let keys = match gathered.component.secrets.is_empty() {
        true => SharedKeys::default(),
        false => shared_keys(inputs, cluster, &gathered.component, sources)
            .map_err(|diagnostic| vec![*diagnostic])?,
    };
    gathered.lowered.artifacts = gathered.component.artifacts(cluster, spec, &keys);
    let artifact = keys.artifact(spec, cluster.output_span);
    gathered.lowered.artifacts.extend(artifact);
    Ok(gathered.lowered)
}

/// The keys of all targets together: one component reads them, whoever asks.
///
/// # Errors
/// There is no place for that component.
fn shared_keys(
    inputs: &Inputs<'_>,
    cluster: &Kubernetes,
    component: &Component,
    sources: &Sources,
) -> Result<SharedKeys, Box<Diagnostic>> {
    let mut keys = SharedKeys::default();
    keys.add(component);
    let mut sources = sources.clone();
    for target in &inputs.model.targets {
        let TargetKind::Kubernetes(other) = &target.kind else {
            continue;
        };
        if other.output == cluster.output {
            continue;
        }
        // What is wrong with another target is told where that one is lowered.
        let manifests = manifest::read(inputs.world, &mut sources, &other.files);
        let gathered = manifests.and_then(|manifests| gather(inputs, other, &manifests));
        if let Ok(gathered) = gathered {
            keys.add(&gathered.component);
        }
    }
    keys.place(cluster)?;
    Ok(keys)
}

/// A component, and what else a target comes to.
#[derive(Debug, Default)]
pub struct Gathered {
    /// What the component consists of.
    pub component: Component,
    /// Everything but its files.
    pub lowered: Lowered,
}

/// What the component consists of, for these manifests.
///
/// # Errors
/// Everything in the spec and the project's manifests that prevents it.
pub fn gather(
    inputs: &Inputs<'_>,
    cluster: &Kubernetes,
    manifests: &Manifests,
) -> Result<Gathered, Vec<Diagnostic>> {
    let mut gathering = Gathering {
        inputs,
        cluster,
        manifests,
        component: Component::default(),
        lowered: Lowered::default(),
        found: Vec::new(),
    };
    let misplaced = workload::check(inputs.model, cluster, manifests);
    gathering.found.extend(misplaced);
    for deployed in &cluster.services {
        trust::add(&mut gathering, deployed);
        serving::add(&mut gathering, deployed);
        identity::add(&mut gathering, deployed);
        secrets::add(&mut gathering, deployed);
    }
    entrance::add(&mut gathering);
    workload::tell(&mut gathering);
    let taken = taken::find(&gathering);
    gathering.found.extend(taken);
    let Gathering {
        component,
        mut lowered,
        mut found,
        ..
    } = gathering;
    // One store for all certificates: it is missed once.
    let mut missed = 0;
    found.retain(|one| {
        missed += usize::from(one.code.name == secret::external::NO_STORE.name);
        one.code.name != secret::external::NO_STORE.name || missed == 1
    });
    let errors = found
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error);
    if errors {
        return Err(found);
    }
    lowered.warnings.extend(found);
    Ok(Gathered { component, lowered })
}

/// A target while it is being gathered.
pub struct Gathering<'a> {
    /// What all targets are lowered from.
    pub inputs: &'a Inputs<'a>,
    /// The target.
    pub cluster: &'a Kubernetes,
    /// What the project has.
    pub manifests: &'a Manifests,
    /// What is gathered.
    pub component: Component,
    /// What else the target comes to.
    pub lowered: Lowered,
    /// Errors and warnings.
    pub found: Vec<Diagnostic>,
}
