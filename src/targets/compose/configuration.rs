//! Where a server's configuration goes: into files of ours that its own configuration reads.

use super::directory::Directories;
use super::serving::{SERVING_DIRECTORY, Serving};
use crate::diagnostic::Diagnostic;
use crate::provision::{self, ReadAs};
use crate::source::Sources;

/// What was put where.
#[derive(Debug, Default)]
pub struct Installed {
    /// Files from the project root, each with the place in the container where it is mounted.
    pub mounts: Vec<(String, String)>,
    /// Copies of the user's own files with our lines in them, by name.
    pub copies: Vec<(String, String)>,
}

/// Puts the configuration into the serving directory, and where the server looks for it.
///
/// # Errors
/// What the user's own configuration has against it.
pub fn install(
    serving: &Serving<'_>,
    _sources: &mut Sources,
    directories: &mut Directories,
    directory: &str,
    provided: &provision::Serving,
) -> Result<Installed, Vec<Diagnostic>> {
    let mut installed = Installed::default();
    let origin = serving.deployed.place.key;
    for file in &provided.configuration {
        let path = format!("{directory}/configuration/{}", file.name);
        directories.put(path.clone(), file.text.clone().into_bytes().into(), origin);
        let target = match (file.read_as, &serving.deployed.config_path) {
            (ReadAs::Main | ReadAs::AllHosts, Some((path, _))) => path.clone(),
            (ReadAs::Main, None) => "/etc/traefik/traefik.yml".to_owned(),
            (ReadAs::AllHosts, None) => format!("/etc/nginx/conf.d/{}", file.name),
            (ReadAs::OneHost | ReadAs::Included, _) => continue,
        };
        installed.mounts.push((path, target));
    }
    let _ = SERVING_DIRECTORY;
    Ok(installed)
}
