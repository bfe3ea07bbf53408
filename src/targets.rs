//! One room per platform: what services need becomes files.

use crate::artifact::{Access, Artifact, Reload};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{Model, Target, TargetKind};
use crate::runtimes::TrustLists;
use crate::source::{Sources, Span};
use crate::world::World;

mod clients;
pub mod compose;
pub mod host;
pub mod iam;
pub mod kubernetes;
pub mod load_balancer;
pub mod nethserver;
pub mod nextflow;
mod presented;
pub mod script;
mod server_block;

/// Where the files by which a service trusts stand in every container.
pub const TRUST_DIRECTORY: &str = "/etc/tlsgen/trust";

/// What a target is lowered from.
pub struct Inputs<'a> {
    /// The model.
    pub model: &'a Model,
    /// The certificates behind every trust list.
    pub lists: &'a TrustLists,
    /// Where the project's own files are read.
    pub world: &'a dyn World,
}

/// What a target comes to.
#[derive(Debug, Default)]
pub struct Lowered {
    /// The files.
    pub artifacts: Vec<Artifact>,
    /// Who may read the files that the user brings.
    pub accesses: Vec<Wanted>,
    /// Who must be told when certificates change.
    pub reloads: Vec<Reload>,
    /// What the plan says to the reviewer.
    pub notes: Vec<String>,
    /// What is suspicious in the project's own files.
    pub warnings: Vec<Diagnostic>,
}

/// An access, and the service that needs it.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Who may read what.
    pub access: Access,
    /// What the platform calls the service.
    pub service: String,
    /// Where it is deployed.
    pub span: Span,
}

/// One access for each file, of the targets `only` of all: a file can suit the services of one
/// target alone only where it suits those of the others too.
///
/// # Errors
/// Services that run as different users share a key.
pub fn joined(wanted: Vec<Wanted>, only: &[String]) -> Result<Vec<Access>, Vec<Diagnostic>> {
    let chosen = |one: &&Wanted| {
        let target = one.access.target.as_ref();
        only.is_empty() || target.is_some_and(|target| only.contains(target))
    };
    let paths: Vec<String> = wanted
        .iter()
        .filter(chosen)
        .map(|one| one.access.path.clone())
        .collect();
    let mut accesses = compose::joined(wanted)?;
    accesses.retain(|access| paths.contains(&access.path));
    Ok(accesses)
}

/// Lowers a target to files.
///
/// # Errors
/// Everything that cannot be done, at the lines that ask for it.
pub fn lower(
    inputs: &Inputs<'_>,
    target: &Target,
    sources: &mut Sources,
) -> Result<Lowered, Vec<Diagnostic>> {
    let mut lowered = match &target.kind {
        TargetKind::Compose(compose) => compose::lower(inputs, compose, sources)?,
        TargetKind::Script(script) => script::lower(inputs, target, script)?,
        TargetKind::Kubernetes(cluster) => kubernetes::lower(inputs, cluster, sources)?,
        TargetKind::LoadBalancer(balancer) => load_balancer::lower(inputs, balancer)?,
        TargetKind::Machine(machine) => host::lower(inputs, target, machine, sources)?,
        TargetKind::NethServer(module) => nethserver::lower(inputs, target, module, sources)?,
        TargetKind::Iam(iam) => iam::lower(inputs, target, iam)?,
        TargetKind::Nextflow(pipeline) => nextflow::lower(inputs, target, pipeline, sources)?,
    };
    for artifact in &mut lowered.artifacts {
        artifact.target = Some(target.name.clone());
    }
    for reload in &mut lowered.reloads {
        reload.target = Some(target.name.clone());
    }
    for wanted in &mut lowered.accesses {
        wanted.access.target = Some(target.name.clone());
    }
    Ok(lowered)
}

/// What this room can find.
pub fn codes() -> impl Iterator<Item = &'static Code> {
    [
        compose::CODES,
        host::CODES,
        iam::CODES,
        compose::CONFIGURATION_CODES,
        compose::base::CODES,
        kubernetes::CODES,
        kubernetes::secret::CODES,
        kubernetes::secrets::CODES,
        kubernetes::trust_bundle::CODES,
        kubernetes::manifest::CODES,
        kubernetes::entrance::CODES,
        kubernetes::serving::CODES,
        kubernetes::identity::CODES,
        load_balancer::CODES,
        nethserver::CODES,
        nextflow::CODES,
        nethserver::EXISTING_CODES,
        script::CODES,
        server_block::CODES,
        host::existing::CODES,
    ]
    .into_iter()
    .flatten()
    .copied()
}
