//! Variables that name files.

use super::placed::Placed;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::targets::kubernetes::manifest::VariableValue;

pub(in crate::targets::kubernetes) static TAKEN: Code = Code {
    name: "file-variable-taken",
    severity: Severity::Error,
    summary: "a container already sets a variable by which it is to learn a file",
    manual: include_str!("../manual/file-variable-taken.md"),
};

/// Those that the container does not set so itself.
///
/// # Errors
/// It sets one to something else.
pub fn wanted(
    placed: &Placed<'_>,
    variables: Vec<(String, String)>,
) -> Result<Vec<(String, String)>, Vec<Diagnostic>> {
    let mut found = Vec::new();
    let mut wanted = Vec::new();
    for (name, value) in variables {
        let env = &placed.container.env;
        match env.iter().find(|one| one.name == name) {
            None => wanted.push((name, value)),
            Some(there) if matches!(&there.value, VariableValue::Text(text) if *text == value) => {}
            Some(there) => {
                let message = format!("`{}` already sets `{name}`", placed.container.name);
                found.push(
                    Diagnostic::new(&TAKEN, there.span, message)
                        .label("it names one file and cannot name two")
                        .also(placed.deployed.place.key, format!("it is to be {value}"))
                        .help("remove it here"),
                );
            }
        }
    }
    match found.is_empty() {
        true => Ok(wanted),
        false => Err(found),
    }
}
