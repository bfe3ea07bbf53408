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
    summary: "nothing says as whom a container opens its key",
    manual: include_str!("../manual/pod-user-unknown.md"),
};
pub(in crate::targets::kubernetes) static GROUP: Code = Code {
    name: "pod-group-needed",
    severity: Severity::Error,
    summary: "a pod needs a group for its keys, which would take over its other volumes too",
    manual: include_str!("../manual/pod-group-needed.md"),
};

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
/// They say that it is not root, and not who it is.
pub fn of(
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
    // What the manifest says holds; without it, the image decides, which only the spec can know.
    if let Some((user, _)) = user.or(said) {
        return Ok(match user {
            0 => Reader::Root,
            user => Reader::User { user, group },
        });
    }
    let not_root = own.run_as_non_root.or(pod.run_as_non_root);
    match (not_root.filter(|(not_root, _)| *not_root), opened_by) {
        (Some((_, span)), _) => {
            let message = format!(
                "`{}` does not run as root, and nothing says as whom",
                placed.container.name
            );
            Err(vec![
                Diagnostic::new(&USER, span, message)
                    .also(placed.deployed.place.key, "it opens a key")
                    .help("write `runAsUser` beside it, or the user of the image in the spec: `user: 101`"),
            ])
        }
        (None, KeyReader::FirstProcess | KeyReader::Process) => Ok(Reader::Root),
    }
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
            "`{}` needs `fsGroup` to read its key, which gives all files of `{name}` to that group too",
            placed.workload.name
        );
        return Err(vec![
            Diagnostic::new(&GROUP, *span, message)
                .also(placed.deployed.place.key, "it opens a key")
                .help(format!(
                    "write it in the manifest, once it is right for that volume: `securityContext: {{fsGroup: {group}, fsGroupChangePolicy: OnRootMismatch}}`"
                )),
        ]);
    }
    let context = &mut placed.pod(gathering).security_context;
    context.entry("fsGroup".to_owned()).or_insert(json!(group));
    Ok(())
}
