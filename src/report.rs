//! Views of a plan: for people, and for programs. They compute nothing; all they say is in the plan.

mod certificates;
mod json;
mod paint;
mod text;
mod unified;
mod words;

use crate::diagnostic::Style;
use crate::source::Sources;

pub use json::{PlanJson, plan_schema};
pub use text::{build, check, plan, refusal};

/// What a view needs besides the plan.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The texts that the plan's spans point into.
    pub sources: &'a Sources,
    /// What the spec's file is called.
    pub spec: &'a str,
    /// With or without colours.
    pub style: Style,
    /// Whether differences are shown to their end.
    pub full: bool,
    /// What else the compiler has to say about targets and services.
    pub notes: &'a [String],
}
