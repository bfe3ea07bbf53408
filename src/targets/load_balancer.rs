//! A load balancer that terminates TLS in front of services: a CloudFormation template.

use super::{Inputs, Lowered};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::LoadBalancer;

/// What this target can find.
pub static CODES: &[&Code] = &[];

/// The template.
///
/// # Errors
/// Everything in the spec that prevents it.
pub fn lower(_: &Inputs<'_>, _: &LoadBalancer) -> Result<Lowered, Vec<Diagnostic>> {
    Ok(Lowered::default())
}
