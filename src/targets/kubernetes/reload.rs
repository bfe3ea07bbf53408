//! Who goes on with the old certificate until the cluster is told of files that changed.

use super::Gathering;
use super::manifest::KUSTOMIZATIONS;
use super::serving::placed::Placed;
use crate::artifact::Reload;
use crate::world::parent;

/// Has the plan say what a renewal takes of a workload whose Secret kustomize makes: its name changes
/// with its content, and the pods are replaced once the cluster has it.
pub fn tell(gathering: &mut Gathering<'_>, placed: &Placed<'_>, secret: &str, as_client: bool) {
    let output = &gathering.cluster.output;
    let Some(command) = command(gathering) else {
        let note = format!(
            "pods get renewed certificates once the kustomization that lists `{output}` is applied again: `kubectl apply -k` of its directory"
        );
        if !gathering.lowered.notes.contains(&note) {
            gathering.lowered.notes.push(note);
        }
        return;
    };
    let directory = format!("{output}/certificates/{secret}.pem");
    gathering.lowered.reloads.push(Reload {
        service: placed.workload.name.to_string(),
        command,
        directory,
        as_client,
        target: None,
    });
}

/// The command, where the user's own kustomization stands beside the component as it is usual.
fn command(gathering: &Gathering<'_>) -> Option<String> {
    let directory = parent(&gathering.cluster.output);
    let there = |name: &str| {
        let path = match directory {
            "" => name.to_owned(),
            directory => format!("{directory}/{name}"),
        };
        matches!(gathering.inputs.world.stat(&path), Ok(Some(_)))
    };
    KUSTOMIZATIONS.iter().find(|name| there(name))?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
    Some(match directory {
        "" => "kubectl apply -k .".to_owned(),
        directory if directory.bytes().all(plain) => format!("kubectl apply -k {directory}"),
        directory => format!("kubectl apply -k '{}'", directory.replace('\'', "'\\''")),
    })
}
