//! Traefik on a machine: no system has a package of it, so its unit is ours.

use serde::Serialize;

use super::drop_in::DropIn;
use super::{Machinery, file};
use crate::model::machine::Deployed;
use crate::model::{Model, Service};
use crate::provision::{self, ReadAs, Reload};
use crate::render::{self, RenderError};
use crate::targets::host::layout::{Software, Told, TreeFile};
use crate::targets::host::secrets::{Credential, Mount};

/// Where its program is put that was downloaded.
const PROGRAM: &str = "/usr/local/bin/traefik";
/// The user that it runs as.
const USER: &str = "traefik";

/// What templates/systemd/traefik.service takes.
#[derive(Serialize)]
struct Context<'a> {
    project: &'a str,
    program: &'a str,
    configuration: String,
    signal: Option<&'a str>,
    user: &'static str,
    environment: &'a [String],
    credentials: &'a [Credential],
    mounts: &'a [Mount],
    protect_home: &'static str,
}

/// The unit of ours.
pub fn unit_name(model: &Model, service: &Service) -> String {
    format!("tlsgen-{}-{}.service", model.project, service.name)
}

/// Whether the unit of a service is ours.
pub fn is_ours(machinery: &Machinery<'_>, deployed: &Deployed) -> bool {
    let service = machinery.inputs.model.service(deployed.service);
    let server = service.serving.as_ref();
    deployed.unit.is_none() && server.is_some_and(|serving| serving.server.name == "traefik")
}

/// The unit, and the user that it runs as.
///
/// # Errors
/// A value that a unit cannot carry.
pub fn files(
    machinery: &Machinery<'_>,
    deployed: &Deployed,
    software: &mut Software,
    serving: Option<&provision::Serving>,
    drop_in: &DropIn,
) -> Result<Vec<TreeFile>, RenderError> {
    let service = machinery.inputs.model.service(deployed.service);
    let main = serving
        .into_iter()
        .flat_map(|serving| &serving.configuration)
        .find(|file| file.read_as == ReadAs::Main)
        .map_or("traefik.yml", |file| file.name.as_str());
    let reload = serving.and_then(|serving| serving.reload.as_ref());
    let signal = match reload {
        Some(Reload::Signal(signal)) => Some(signal.trim_start_matches("SIG")),
        _ => None,
    };
    let program = software.program.get_or_insert_with(|| PROGRAM.to_owned());
    let text = render::text(
        "systemd/traefik.service",
        Context {
            project: machinery.project(),
            program,
            configuration: format!("{}/{main}", machinery.configuration_directory(service)),
            signal,
            user: USER,
            environment: &drop_in.environment,
            credentials: &drop_in.credentials,
            mounts: &drop_in.mounts,
            protect_home: "yes",
        },
    )?;
    if signal.is_some() {
        software.told = Told::Reload;
    }
    software.account = Some(USER);
    software.starts = true;
    let path = format!("/etc/systemd/system/{}", software.unit.name);
    Ok(vec![file(path, text, deployed.place.key)])
}
