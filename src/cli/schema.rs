//! `tlsgen schema`: the JSON Schemas.

use super::Exit;
use super::arguments::{Schema, SchemaOf};
use super::output::Output;
use crate::{report, spec};

/// Runs the command.
pub fn run(options: &Schema, output: &mut Output) -> Exit {
    output.json(&match options.of {
        SchemaOf::Spec => spec::spec_schema(),
        SchemaOf::Fragment => spec::fragment_schema(),
        SchemaOf::Plan => report::plan_schema(),
    });
    Exit::Done
}
