//! As whom a container opens its keys, and what lets it.

use serde_json::json;

use super::placed::Placed;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::Service;
use crate::servers::KeyReader;
use crate::targets::kubernetes::Gathering;

pub(in crate::targets::kubernetes) static USER: Code = Code {
    name: "pod-user-unknown",
    severity: Severity::Error,
    summary: "nothing says as whom a container opens its key or secrets",
    manual: include_str!("../manual/pod-user-unknown.md"),
};
pub(in crate::targets::kubernetes) static GROUP: Code = Code {
    name: "pod-group-needed",
    severity: Severity::Error,
    summary: "a pod needs a group for its keys or secrets, which would take over its other volumes too",
    manual: include_str!("../manual/pod-group-needed.md"),
};

/// As whom nginxinc/nginx-unprivileged runs.
const UNPRIVILEGED: u32 = 101;

/// As whom a container opens its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// Root, who owns them.
    Root,
    /// Somebody else, who needs a group for it.
    User { user: u32, group: Option<u32> },
}

impl Reader {
    /// The permission bits of a key: never for everybody.
    pub fn mode(self) -> u32 {
        match self {
            Self::Root => 0o400,
            Self::User { .. } => 0o440,
        }
    }
}

/// What the manifests and the spec say of it.
///
/// # Errors
/// They do not say who it is, and no image is known by its name to be nginx's.
pub fn of(
    gathering: &mut Gathering<'_>,
    placed: &Placed<'_>,
    service: &Service,
    opened_by: KeyReader,
) -> Result<Reader, Vec<Diagnostic>> {
    let (own, pod) = (&placed.container.security, &placed.workload.pod.security);
    let user = own.run_as_user.or(pod.run_as_user);
    let group = own
        .run_as_group
        .or(pod.run_as_group)
        .map(|(group, _)| group);
    let said = service.user;
    let not_root = own.run_as_non_root.or(pod.run_as_non_root);
    let not_root = not_root.filter(|(not_root, _)| *not_root);
    if let (None, Some((0, said)), Some((_, span))) = (user, said, not_root) {
        let message = format!(
            "`{}` must not run as root, as which it is to read",
            placed.container.name
        );
        return Err(vec![
            Diagnostic::new(&USER, span, message)
                .also(said, "root")
                .help("write the user of the image, of whom the cluster wants a number: `runAsUser: 101`"),
        ]);
    }
    // What the manifest says holds; without it, the image decides, which only the spec can know.
    if let Some((user, _)) = user.or(said) {
        return Ok(match user {
            0 => Reader::Root,
            user => Reader::User { user, group },
        });
    }
    let image = placed.container.image.as_deref().map(name_of_image);
    let image = image.filter(|_| opened_by == KeyReader::FirstProcess);
    if image.is_some_and(|name| name.contains("nginx-unprivileged")) {
        return Ok(Reader::User {
            user: UNPRIVILEGED,
            group,
        });
    }
    let opened = match has_keys(service) {
        true => "a key",
        false => "secrets",
    };
    let name = &placed.deployed.name;
    let key = placed.deployed.place.key;
    if let Some((_, span)) = not_root {
        let container = &placed.container.name;
        let message = format!("`{container}` does not run as root, and nothing says as whom");
        return Err(vec![
            Diagnostic::new(&USER, span, message)
                .also(key, format!("it opens {opened}"))
                .help("write `runAsUser` beside it, or the user of the image in the spec: `user: 101`"),
        ]);
    }
    match (opened_by, image) {
        // Any program: most images have a user of their own, who could not read root's key.
        (KeyReader::Process, _) => {
            let message = format!("`{name}` opens {opened}, and nothing says as whom it runs");
            return Err(vec![
                Diagnostic::new(&USER, key, message)
                    .also(placed.container.span, "its container")
                    .help("write the user of its image: `user: 10001`, or `user: 0` for root"),
            ]);
        }
        (KeyReader::FirstProcess, Some("nginx")) => {}
        (KeyReader::FirstProcess, _) => gathering.lowered.notes.push(format!(
            "`{name}` is taken for root; if its image runs as somebody else, write `user: 101`"
        )),
    }
    Ok(Reader::Root)
}

/// Whether a service has keys, beside secrets.
fn has_keys(service: &Service) -> bool {
    !service.serves().is_empty() || service.identity.is_some()
}

/// `nginx` of `docker.io/library/nginx:1.28@sha256:…`.
fn name_of_image(image: &str) -> &str {
    let path = image.split('@').next().unwrap_or(image);
    let last = path.rsplit('/').next().unwrap_or(path);
    last.split(':').next().unwrap_or(last)
}

/// Has the pod own its volumes together with the reader's group.
///
/// # Errors
/// That would change the owner of volumes that outlive the pod.
pub fn allow(
    gathering: &mut Gathering<'_>,
    placed: &Placed<'_>,
    reader: Reader,
) -> Result<(), Vec<Diagnostic>> {
    let Reader::User { user, group } = reader else {
        return Ok(());
    };
    let pod = &placed.workload.pod;
    if pod.security.fs_group.is_some() {
        return Ok(());
    }
    let group = group.filter(|group| *group != 0).unwrap_or(user);
    let claim = pod
        .volumes
        .iter()
        .find(|(_, kind, _)| kind == "persistentVolumeClaim");
    if let Some((name, _, span)) = claim {
        let message = format!(
            "`{}` needs `fsGroup` to read its keys or secrets, which gives all files of `{name}` to that group too",
            placed.workload.name
        );
        return Err(vec![
            Diagnostic::new(&GROUP, *span, message)
                .also(placed.deployed.place.key, "it opens a key or secret")
                .help(format!(
                    "write it in the manifest, once it is right for that volume: `securityContext: {{fsGroup: {group}, fsGroupChangePolicy: OnRootMismatch}}`"
                )),
        ]);
    }
    let context = &mut placed.pod(gathering).security_context;
    context.entry("fsGroup".to_owned()).or_insert(json!(group));
    Ok(())
}
