//! One machine: a tree to be laid over `/`, and the script in it that does so.

mod client;
pub mod install;
pub mod layout;
pub mod renewal;
pub mod schedule;
mod scripts;
pub mod system;

use super::{Inputs, Lowered};
use crate::artifact::Artifact;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{Machine, Target};
use crate::source::Sources;

/// What this target can find.
pub static CODES: &[&Code] = &[];

/// The tree and its script.
///
/// # Errors
/// Everything in the spec and in what stands on the machine that prevents it.
pub fn lower(
    _inputs: &Inputs<'_>,
    _target: &Target,
    machine: &Machine,
    _sources: &mut Sources,
) -> Result<Lowered, Vec<Diagnostic>> {
    Ok(Lowered {
        artifacts: vec![Artifact::text(
            format!("{}/install.sh", machine.output),
            String::new(),
            machine.output_span,
        )],
        ..Lowered::default()
    })
}
