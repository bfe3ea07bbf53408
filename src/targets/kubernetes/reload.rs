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

#[cfg(test)]
mod tests {
    use crate::diagnostic::Diagnostics;
    use crate::source::Sources;
    use crate::world::Memory;
    use crate::{Asked, Compiled, compile};

    const SPEC: &str = "
version: 1
project: shop
authorities:
  lab: {kind: managed}
hosts:
  web: {names: [web.lab.example], issuer: lab}
services:
  api: {server: app, user: 10001, serves: [{host: web, certificate_env: CERT, key_env: KEY}], reload: {restart: true}}
targets:
  cluster:
    kind: kubernetes
    secrets_via: generator
    files: [app.yaml]
    output: k8s/tls
    services: {api: {}}
";
    const BASE: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: 'example/api:1'}]}
";

    #[test]
    fn a_renewal_takes_the_kustomization_beside_the_component() {
        let compiled = compiled(&[("k8s/kustomization.yaml", "components: [tls]\n")]);
        let [reload] = compiled.reloads.as_slice() else {
            panic!("{:?}", compiled.reloads);
        };
        assert_eq!(reload.service, "Deployment/api");
        assert_eq!(reload.command, "kubectl apply -k k8s");
        let mut paths = compiled.artifacts.iter().map(|one| &one.path);
        assert!(paths.any(|path| *path == reload.directory), "{reload:?}");
    }

    #[test]
    fn where_none_is_there_a_note_says_so() {
        let compiled = compiled(&[]);
        assert!(compiled.reloads.is_empty(), "{:?}", compiled.reloads);
        let mut notes = compiled.notes.iter();
        assert!(notes.any(|note| note.contains("the kustomization that lists `k8s/tls`")));
    }

    fn compiled(beside: &[(&str, &str)]) -> Compiled {
        let files = [("tlsgen.yaml", SPEC), ("app.yaml", BASE)];
        let files: Vec<_> = files.iter().chain(beside).copied().collect();
        let mut world = Memory::with(files);
        world.now = 1_795_305_600;
        let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
        let asked = Asked::fresh("tlsgen.yaml");
        let compiled = compile(&world, asked, &mut sources, &mut found);
        compiled.unwrap_or_else(|_| panic!("{found:#?}"))
    }
}
