//! What one Kubernetes target comes to, without anything being issued or written.

use super::public_roots::public_roots;
use super::{Asked, Stages};
use crate::diagnostic::{Diagnostics, Stop};
use crate::issuance::{Issuance, order};
use crate::krm::Problem;
use crate::model::TargetKind;
use crate::runtimes::TrustLists;
use crate::source::Sources;
use crate::targets::Inputs;
use crate::targets::kubernetes::{self, Gathered};
use crate::world::{Recording, World};
use crate::yaml::Node;

/// What a Kubernetes target comes to with the certificates that are there: none is issued. Its
/// manifests are these, or those of its files; which that are is answered, too.
///
/// `choose` is given the names of such targets.
///
/// # Errors
/// What is wrong, or what must be done before.
pub fn gather(
    world: &dyn World,
    asked: Asked<'_>,
    choose: impl FnOnce(&[&str]) -> Result<usize, Problem>,
    documents: Option<&[Node]>,
    sources: &mut Sources,
    found: &mut Diagnostics,
) -> Result<(Gathered, Vec<String>), Withheld> {
    let ordered = order(world, asked.spec, asked.remembered, sources, found)?;
    ordered.usable(world, found)?;
    let due: Vec<_> = ordered.issuances().iter().map(Problem::due).collect();
    if !due.is_empty() {
        return Err(Withheld::Problems(due));
    }
    let issuance = Issuance::made_up(&ordered, found)?;
    let stages = Stages {
        world: &Recording::new(world),
        ordered: &ordered,
        only: &[],
    };
    let model = stages.judge(&issuance.held, sources, found)?;
    let clusters = model
        .targets
        .iter()
        .filter_map(|target| match &target.kind {
            TargetKind::Kubernetes(cluster) => Some((target.name.as_str(), cluster)),
            _ => None,
        });
    let (names, clusters): (Vec<_>, Vec<_>) = clusters.unzip();
    let chosen = choose(&names).map_err(|problem| Withheld::Problems(vec![problem]))?;
    let public = public_roots(world, &model, found)?;
    let inputs = Inputs {
        model: &model,
        lists: &TrustLists::new(&model, public.as_ref()),
        world,
    };
    let gathered = clusters.get(chosen).ok_or(vec![]).and_then(|cluster| {
        let manifests = match documents {
            Some(documents) => kubernetes::manifest::from_documents("items", documents)?,
            None => kubernetes::manifest::read(world, sources, &cluster.files)?,
        };
        let files = cluster.files.iter().map(|(path, _)| path.clone());
        kubernetes::gather(&inputs, cluster, &manifests).map(|all| (all, files.collect()))
    });
    let (gathered, files) = gathered.map_err(|wrong| {
        found.extend(wrong);
        Withheld::Found
    })?;
    found.extend(gathered.lowered.warnings.iter().cloned());
    Ok((gathered, files))
}

/// Why a target comes to nothing.
#[derive(Debug)]
pub enum Withheld {
    /// An error that is among the findings.
    Found,
    /// What has no place among the findings of a spec.
    Problems(Vec<Problem>),
}

impl From<Stop> for Withheld {
    fn from(_: Stop) -> Self {
        Self::Found
    }
}
