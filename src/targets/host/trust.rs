//! Whom a service of a machine trusts.

use super::Machinery;
use super::layout::TreeFile;
use crate::diagnostic::Diagnostic;
use crate::model::machine::Deployed;

/// What trusting comes to.
#[derive(Debug, Default)]
pub struct Trusted {
    /// The files of bundles and truststores.
    pub files: Vec<TreeFile>,
    /// What the system's own store is to trust.
    pub anchors: Vec<TreeFile>,
    /// Variables of the unit.
    pub variables: Vec<(String, String)>,
    /// The bundle that a server names in its configuration.
    pub bundle: Option<String>,
    /// What the plan says.
    pub notes: Vec<String>,
}

/// Whom a service trusts, as files and variables of the machine.
///
/// # Errors
/// What does not work on a machine.
pub fn of(_machinery: &Machinery<'_>, _deployed: &Deployed) -> Result<Trusted, Vec<Diagnostic>> {
    Ok(Trusted::default())
}
