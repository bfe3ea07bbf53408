//! Init containers that prepare a trust store for a container.

use super::{is_by, shortened};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::Trust;
use crate::model::kubernetes::Deployed;
use crate::provision::{Existing, Mechanism, Provision, Value, Variable};
use crate::runtimes;
use crate::targets::TRUST_DIRECTORY;
use crate::targets::kubernetes::Gathering;
use crate::targets::kubernetes::manifest::Container;
use crate::targets::kubernetes::mount;
use crate::targets::kubernetes::patch::{ContainerPatch, EnvironmentVariable, Volume, VolumeMount};
use crate::targets::kubernetes::workload::{self, Place};

pub static WITHOUT_IMAGE: Code = Code {
    name: "container-without-image",
    severity: Severity::Error,
    summary: "a trust store is to be prepared, and the manifest does not say from which image",
    manual: include_str!("../manual/container-without-image.md"),
};

/// A directory that an init container fills.
struct Prepared {
    mechanism: Mechanism,
    /// What its volume is called, before the container's name.
    volume: &'static str,
    /// Where the init container has it.
    filled_at: &'static str,
    /// Where the container has it.
    read_at: &'static str,
}

const PREPARED: [Prepared; 4] = [
    Prepared {
        mechanism: Mechanism::System,
        volume: "tlsgen-certs",
        filled_at: "/tlsgen/certs",
        read_at: "/etc/ssl/certs",
    },
    Prepared {
        mechanism: Mechanism::System,
        volume: "tlsgen-extracted",
        filled_at: "/tlsgen/extracted",
        read_at: "/etc/pki/ca-trust/extracted",
    },
    Prepared {
        mechanism: Mechanism::Keytool,
        volume: "tlsgen-java",
        filled_at: "/tlsgen/java",
        read_at: "/etc/tlsgen/java",
    },
    Prepared {
        mechanism: Mechanism::Download,
        volume: "tlsgen-download",
        filled_at: runtimes::DOWNLOAD_DIRECTORY,
        read_at: runtimes::DOWNLOAD_DIRECTORY,
    },
];

/// Where the download works: a directory of its own, since a volume belongs to somebody else.
const WORK: &str = "/tmp/tlsgen/work";
/// What has been downloaded, for whoever the container runs as.
const PUBLISH: &str = r#"umask 022
for file in ca-bundle.pem private-roots.pem truststore.jks; do
  [ ! -f "$TLSGEN_DIRECTORY/$file" ] || cat "$TLSGEN_DIRECTORY/$file" >"/tmp/tlsgen/$file" || exit 1
done"#;

/// The provision with scripts that run beside the container instead of in it.
pub fn beside(
    gathering: &Gathering<'_>,
    deployed: &Deployed,
    trust: &Trust,
    mut provision: Provision,
) -> Result<Provision, Box<Diagnostic>> {
    let inputs = gathering.inputs;
    let service = inputs.model.service(deployed.service);
    let Some(anchors) = inputs.lists.get(trust) else {
        return Ok(provision);
    };
    for step in &mut provision.steps {
        let script = runtimes::beside(inputs.model, service, anchors, step.mechanism)?;
        if let Some(script) = script {
            provision.files.retain(|file| file.name != step.script);
            step.script.clone_from(&script.name);
            provision.files.push(script);
        }
    }
    provision.files.sort_by(|a, b| a.name.cmp(&b.name));
    if is_by(&provision, Mechanism::Keytool) {
        name_copy(&mut provision);
    }
    Ok(provision)
}

/// The JVM reads the copy of its store; which type that has, it finds out.
fn name_copy(provision: &mut Provision) {
    const OPTIONS: &str = "JAVA_TOOL_OPTIONS";
    let value = Value::text(format!(
        "-Djavax.net.ssl.trustStore=/etc/tlsgen/java/cacerts -Djavax.net.ssl.trustStorePassword={}",
        runtimes::TRUSTSTORE_PASSWORD
    ));
    let mut variables = provision.variables.iter_mut();
    match variables.find(|variable| variable.name == OPTIONS) {
        Some(known) => known.value = value.then(" ").join(known.value.clone()),
        None => provision.variables.push(Variable {
            name: OPTIONS.to_owned(),
            value,
            existing: Existing::Append,
        }),
    }
}

/// Adds an init container for each step of a container, before all others of its pod.
pub fn add(
    gathering: &mut Gathering<'_>,
    deployed: &Deployed,
    place: &Place<'_>,
    container: &Container,
    provision: &Provision,
    trust: &VolumeMount,
) {
    let several = provision.steps.len() > 1;
    for step in &provision.steps {
        let Some(image) = image(gathering, deployed, container) else {
            return;
        };
        let mut mounts = vec![trust.clone()];
        for prepared in PREPARED.iter().filter(|it| it.mechanism == step.mechanism) {
            let volume = shortened(format!("{}-{}", prepared.volume, container.name));
            let asked = deployed.place.key;
            let found = &mut gathering.found;
            let what = "the prepared trust store";
            let read_at = prepared.read_at;
            found.extend(mount::conflict(
                place.workload,
                container,
                read_at,
                (asked, what),
            ));
            found.extend(mount::volume_conflict(place.workload, &volume, asked));
            mounts.push(at(&volume, prepared.filled_at, false));
            let patch = workload::pod(gathering, place);
            patch.volume(Volume::of(&volume, "emptyDir", serde_json::json!({})));
            let patch = patch.container(place.workload, &container.name);
            patch.mount(at(&volume, prepared.read_at, true));
        }
        let name = match several {
            true => format!("tlsgen-{}-{}", step.mechanism.name(), container.name),
            false => format!("tlsgen-trust-{}", container.name),
        };
        let (command, env) = started(step.mechanism, &step.script, &mounts);
        let ours = ContainerPatch {
            name: shortened(name),
            image: Some(image),
            image_pull_policy: container.pull_policy.clone(),
            command,
            env,
            resources: container.resources.clone(),
            security_context: container.security_context.clone(),
            volume_mounts: mounts,
            ..ContainerPatch::default()
        };
        workload::pod(gathering, place).prepare(place.workload, ours);
    }
}

fn at(volume: &str, path: &str, read_only: bool) -> VolumeMount {
    VolumeMount {
        mount_path: path.to_owned(),
        name: volume.to_owned(),
        read_only,
    }
}

fn image(
    gathering: &mut Gathering<'_>,
    deployed: &Deployed,
    container: &Container,
) -> Option<String> {
    let said = deployed.image.as_ref().map(|(image, _)| image);
    let image = said.or(container.image.as_ref()).cloned();
    if image.is_none() {
        let message = format!("the image of `{}` is unknown", container.name);
        gathering.found.push(
            Diagnostic::new(&WITHOUT_IMAGE, container.span, message)
                .also(deployed.place.key, "a trust store is prepared with it")
                .help("write `image` here or for the service in the spec, or `trust_via: env` or `truststore`"),
        );
    }
    image
}

fn started(
    mechanism: Mechanism,
    script: &str,
    mounts: &[VolumeMount],
) -> (Vec<String>, Vec<EnvironmentVariable>) {
    let script = format!("{TRUST_DIRECTORY}/{script}");
    let mut command = vec!["/bin/sh".to_owned(), script];
    let variable = |name: &str, value: &str| EnvironmentVariable {
        name: name.to_owned(),
        value: Some(value.to_owned()),
        value_from: None,
    };
    // Older shells keep what is fed to a program in a file; the root file system may be read-only.
    let scratch = mounts.iter().find(|mount| !mount.read_only);
    let mut env: Vec<EnvironmentVariable> = scratch
        .map(|mount| variable("TMPDIR", &mount.mount_path))
        .into_iter()
        .collect();
    if mechanism == Mechanism::Download {
        env.push(variable("TLSGEN_DIRECTORY", WORK));
        command.extend(["/bin/sh", "-c", PUBLISH].map(str::to_owned));
    }
    (command, env)
}
