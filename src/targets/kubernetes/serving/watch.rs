//! What tells a container of certificates that are renewed under its feet.
//!
//! The cluster replaces the files of a mounted Secret, a minute or two after the Secret, and tells
//! nobody. A loop beside the server compares them; it is started by the container's own `postStart`,
//! so that neither image nor command change.

use std::sync::Arc;

use serde::Serialize;
use serde_json::json;

use super::placed::Placed;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::provision::Reload;
use crate::render;
use crate::source::Span;
use crate::targets::kubernetes::Gathering;

pub(in crate::targets::kubernetes) static TAKEN: Code = Code {
    name: "post-start-taken",
    severity: Severity::Error,
    summary: "a container that must take renewed certificates has a `postStart` of its own",
    manual: include_str!("../manual/post-start-taken.md"),
};
pub(in crate::targets::kubernetes) static OUT_OF_REACH: Code = Code {
    name: "reload-out-of-reach",
    severity: Severity::Error,
    summary: "a signal would reach another process than the server",
    manual: include_str!("../manual/reload-out-of-reach.md"),
};

/// What templates/watch/renewals.sh takes.
#[derive(Serialize)]
struct Watch<'a> {
    spec: &'a str,
    files: &'a [String],
    restart: bool,
    signal: Option<&'a str>,
    command: &'a [String],
}

/// The loop that has these files' changes taken.
pub fn script(gathering: &Gathering<'_>, reload: &Reload, files: &[String]) -> Arc<[u8]> {
    let spec = gathering.inputs.model.loaded.files().next();
    let watch = Watch {
        spec: spec.map_or("tlsgen.yaml", |(path, _)| path),
        files,
        restart: matches!(reload, Reload::Restart),
        signal: match reload {
            Reload::Signal(signal) => Some(signal.strip_prefix("SIG").unwrap_or(signal)),
            Reload::Command(_) | Reload::Restart => None,
        },
        command: match reload {
            Reload::Command(words) => words,
            Reload::Signal(_) | Reload::Restart => &[],
        },
    };
    let text = render::text("watch/renewals.sh", watch).unwrap_or_default();
    Arc::from(text.into_bytes())
}

/// Starts it with the container.
///
/// # Errors
/// The container starts something itself, or a signal would not reach the server.
pub fn start(
    gathering: &mut Gathering<'_>,
    placed: &Placed<'_>,
    reload: &Reload,
    script: &str,
    asked_at: Span,
) -> Result<(), Vec<Diagnostic>> {
    let name = &placed.deployed.name;
    let line = format!("/bin/sh {script} >/dev/null 2>&1 &");
    let mut found = Vec::new();
    if let Some((span, true)) = placed.container.lifecycle {
        let message = format!("`{}` has a `postStart` of its own", placed.container.name);
        found.push(
            Diagnostic::new(&TAKEN, span, message)
                .also(asked_at, "it must take renewed certificates")
                .help("do what it does in the image's entry point or in an init container; or let Secrets be made of files, whose renewal replaces the pods: `secrets_via: generator`"),
        );
    }
    let by_number = matches!(reload, Reload::Signal(_) | Reload::Restart);
    if by_number && placed.workload.pod.shares_processes {
        let message = format!(
            "the containers of `{}` share their processes, and the first is none of `{name}`",
            placed.workload.name
        );
        found.push(
            Diagnostic::new(&OUT_OF_REACH, asked_at, message)
                .also(placed.workload.span, "here")
                .help("name what reaches the server: `reload: {command: [pkill, -HUP, -x, …]}`"),
        );
    }
    if !found.is_empty() {
        return Err(found);
    }
    let command = json!(["/bin/sh", "-c", line]);
    placed.container(gathering).lifecycle =
        Some(json!({"postStart": {"exec": {"command": command}}}));
    let how = match reload {
        Reload::Signal(signal) => format!("{signal} to its first process"),
        Reload::Command(words) => format!("`{}`", words.join(" ")),
        Reload::Restart => "SIGTERM to its first process, which must end on it".to_owned(),
    };
    gathering.lowered.notes.push(format!(
        "`{name}` takes renewed certificates within three minutes, by {how}; its image must have /bin/sh, cat, cksum and sleep"
    ));
    Ok(())
}
