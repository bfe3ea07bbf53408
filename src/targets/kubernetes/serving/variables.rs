//! Variables that name files.

use super::placed::Placed;
use crate::diagnostic::{Diagnostic, Severity};
use crate::provision::{Existing, Value, Variable};
use crate::targets::TRUST_DIRECTORY;
use crate::targets::kubernetes::Gathering;
use crate::targets::kubernetes::environment::{Joining, TAKEN};
use crate::targets::kubernetes::manifest::VariableValue;
use crate::targets::kubernetes::patch::EnvironmentVariable;

/// Those that the container does not set itself, nor by what it is told of trust.
///
/// # Errors
/// It sets one to something else.
pub fn wanted(
    gathering: &mut Gathering<'_>,
    placed: &Placed<'_>,
    variables: Vec<(String, String)>,
) -> Result<Vec<EnvironmentVariable>, Vec<Diagnostic>> {
    let asked = placed.deployed.place.key;
    let manifests = gathering.manifests;
    let ours = variables.into_iter().map(|(name, path)| Variable {
        name,
        value: Value::text(path),
        existing: Existing::Conflict,
    });
    let ours: Vec<Variable> = ours.collect();
    let joining = Joining {
        manifests,
        workload: placed.workload,
        container: placed.container,
        asked,
        subject: &format!("services.{}", placed.deployed.name),
    };
    let mut found = Vec::new();
    let mut wanted = joining.variables(&ours, TRUST_DIRECTORY, &mut found);
    let there = &placed.container(gathering).env;
    wanted.retain(|one| !there.contains(one) && !says(placed, one));
    for one in &wanted {
        let mut there = there.iter();
        let other = there.find(|known| known.name == one.name && known.value.is_some());
        let Some(other) = other.and_then(|other| other.value.as_ref()) else {
            continue;
        };
        let message = format!(
            "`{}` of `{}` should name two files",
            one.name, placed.container.name
        );
        found.push(
            Diagnostic::new(&TAKEN, asked, message)
                .label(format!("by it the software learns whom to trust: {other}"))
                .help(
                    "take another variable of the software for the file of `serves` or `identity`",
                ),
        );
    }
    match found.iter().any(|one| one.severity == Severity::Error) {
        true => Err(found),
        false => {
            gathering.found.extend(found);
            Ok(wanted)
        }
    }
}

/// Whether the container's manifest sets a variable to just this.
fn says(placed: &Placed<'_>, ours: &EnvironmentVariable) -> bool {
    let said = placed.container.variable(&ours.name).map(|it| &it.value);
    matches!((said, &ours.value), (Some(VariableValue::Text(said)), Some(ours)) if said == ours)
}
