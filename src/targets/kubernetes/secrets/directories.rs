//! Which directories are mounted so that secrets are files in them: none that hides something else.
//! A file mounted by itself (`subPath`) would never see a new value.

use std::collections::BTreeMap;

use super::Standing;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{SECRET_DIRECTORY, Secret, SecretUse};
use crate::source::Span;
use crate::targets::kubernetes::Gathering;
use crate::targets::kubernetes::mount;
use crate::targets::kubernetes::serving::placed::Placed;

pub(in crate::targets::kubernetes) static HIDES: Code = Code {
    name: "secret-path-hides",
    severity: Severity::Error,
    summary: "in a pod, the directory of a secret would hide what else is there",
    manual: include_str!("../manual/secret-path-hides.md"),
};

/// Below `/run/secrets`, what the cluster itself mounts: the service account's token, and those of
/// clouds.
const TOKENS: [&str; 3] = ["kubernetes.io", "eks.amazonaws.com", "azure"];
/// Directories that images have something in, beside those right below `/`.
const OF_IMAGES: [&str; 20] = [
    "/etc/pki",
    "/etc/ssl",
    "/etc/ssl/certs",
    "/etc/ssl/private",
    "/usr/bin",
    "/usr/lib",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/local",
    "/usr/local/bin",
    "/usr/local/etc",
    "/usr/local/lib",
    "/usr/local/share",
    "/usr/sbin",
    "/usr/share",
    "/var/cache",
    "/var/lib",
    "/var/log",
    "/var/spool",
    "/var/tmp",
];
/// Directories of the kernel, with all below them.
const OF_THE_KERNEL: [&str; 3] = ["/dev", "/proc", "/sys"];

/// A directory, and what stands in it: the path within, and where the value comes from.
type Mounted = BTreeMap<String, Vec<(String, Standing)>>;

/// Where the file of a secret is in a pod. Without a word of the spec it is in a directory of the
/// project: where Compose has it, the cluster has the service account's token.
pub fn path(given: &SecretUse, secret: &Secret, project: &str) -> String {
    match given.pinned {
        true => given.path.clone(),
        false => format!("{SECRET_DIRECTORY}/{project}/{}", secret.name),
    }
}

/// The directories to be mounted for files, and those that cannot be.
pub fn of(
    gathering: &mut Gathering<'_>,
    placed: &Placed<'_>,
    files: Vec<(Span, String, Standing)>,
) -> (Mounted, Vec<Diagnostic>) {
    let mut found = Vec::new();
    let split: Vec<(Span, String, String, Standing)> = files
        .into_iter()
        .map(|(span, path, standing)| {
            let (directory, file) = path.rsplit_once('/').unwrap_or(("", &path));
            (span, directory.to_owned(), file.to_owned(), standing)
        })
        .collect();
    let all: Vec<String> = split.iter().map(|(_, one, ..)| one.clone()).collect();
    let ours = placed.container(gathering).volume_mounts.clone();
    let mut mounted = Mounted::new();
    let mut told: Vec<String> = Vec::new();
    for (span, directory, file, standing) in split {
        // One mount cannot find its place in another that cannot be written: both are one.
        let outer = all.iter().filter(|other| within(&directory, other));
        let outer = outer.min_by_key(|other| other.len()).unwrap_or(&directory);
        if !told.contains(outer) {
            told.push(outer.clone());
            let other = ours.iter().map(|one| one.mount_path.as_str());
            let hidden = hidden(outer, &file, other, &gathering.inputs.model.project);
            found.extend(hidden.map(|hidden| hidden.at(span, placed)));
            let asked = (span, "the directory of a secret");
            found.extend(mount::conflict(
                placed.workload,
                placed.container,
                outer,
                asked,
            ));
        }
        let below = directory.strip_prefix(outer.as_str()).unwrap_or_default();
        let inside = format!("{below}/{file}").trim_start_matches('/').to_owned();
        let files = mounted.entry(outer.clone()).or_default();
        files.push((inside, standing));
    }
    (mounted, found)
}

/// What would be hidden, and where the file could be instead.
struct Hidden {
    message: String,
    help: String,
}

impl Hidden {
    fn at(self, span: Span, placed: &Placed<'_>) -> Diagnostic {
        Diagnostic::new(&HIDES, span, self.message)
            .also(placed.deployed.place.key, "in this pod")
            .help(self.help)
    }
}

fn hidden<'a>(
    directory: &str,
    file: &str,
    mut ours: impl Iterator<Item = &'a str>,
    project: &str,
) -> Option<Hidden> {
    let instead = format!(
        "write `path: {SECRET_DIRECTORY}/{project}/{file}`, which is right for every platform"
    );
    let hides = |what: &str, help: String| {
        let directory = match directory {
            "" => "/",
            directory => directory,
        };
        Some(Hidden {
            message: format!("a pod would mount `{directory}`, which {what}"),
            help,
        })
    };
    let parts: Vec<&str> = directory.split('/').skip(1).collect();
    // Most images have a link there.
    let real = match directory.strip_prefix("/var/run") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("/run{rest}"),
        _ => directory.to_owned(),
    };
    let of_a_token = TOKENS
        .iter()
        .any(|token| within(&real, &format!("{SECRET_DIRECTORY}/{token}")));
    if within(SECRET_DIRECTORY, &real) || of_a_token {
        return hides(
            "would hide the token of the service account",
            format!("{instead}, or leave `path` out"),
        );
    }
    let of_the_image = parts.len() < 2
        || OF_IMAGES.contains(&real.as_str())
        || OF_THE_KERNEL.iter().any(|kernel| within(&real, kernel));
    if of_the_image {
        return hides("would hide what the image has there", instead);
    }
    let other = ours.find(|other| within(&real, other) || within(other, &real))?;
    hides(
        &format!("would hide `{other}`, where certificates are, or be hidden by it"),
        instead,
    )
}

/// Whether a directory is another, or below it.
fn within(directory: &str, other: &str) -> bool {
    let rest = directory.strip_prefix(other.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::hidden;

    #[test]
    fn directories_that_hide_something() {
        let hides = |directory: &str| {
            let ours = ["/etc/tlsgen/trust", "/srv/keys"].into_iter();
            let found = hidden(directory, "db", ours, "tower");
            found.map(|found| found.message).unwrap_or_default()
        };
        for token in [
            "",
            "/run/secrets",
            "/var/run/secrets",
            "/run",
            "/var/run",
            "/run/secrets/kubernetes.io",
            "/var/run/secrets/kubernetes.io/serviceaccount",
            "/var/run/secrets/eks.amazonaws.com/x",
        ] {
            assert!(hides(token).contains("token"), "{token}");
        }
        for image in ["/etc", "/app", "/usr/lib", "/proc/self", "/etc/ssl"] {
            assert!(hides(image).contains("image"), "{image}");
        }
        for other in ["/etc/tlsgen", "/etc/tlsgen/trust/x", "/srv/keys"] {
            assert!(hides(other).contains("where certificates are"), "{other}");
        }
        for free in [
            "/run/secrets/tower",
            "/run/secretsx",
            "/etc/app",
            "/app/secrets",
            "/etc/tlsgen-x",
            "/usr/local/app",
        ] {
            assert_eq!(hides(free), "", "{free}");
        }
    }
}
