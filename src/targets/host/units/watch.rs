//! Units that tell a service whenever its certificates change, whoever has changed them.

use serde::Serialize;

use super::file;
use crate::render::{self, RenderError};
use crate::source::Span;
use crate::targets::host::Machinery;
use crate::targets::host::layout::{Certificate, Layout, TreeFile};
use crate::targets::host::scripts::{Common, asked_name, library};

/// The first systemd that counts how often a path unit fires.
const COUNTS: u16 = 250;

#[derive(Serialize)]
struct Script<'a> {
    #[serde(flatten)]
    common: &'a Common,
    watched: Vec<Watched>,
}

/// A service whose certificates are watched.
#[derive(Serialize)]
struct Watched {
    name: String,
    directories: Vec<String>,
    presented: Vec<Presenting>,
    #[serde(skip)]
    of_user: bool,
    #[serde(skip)]
    origin: Option<Span>,
}

/// Where a certificate is asked for that is presented.
#[derive(Serialize)]
struct Presenting {
    directory: String,
    address: String,
    server_name: String,
}

/// What the templates of the two units take.
#[derive(Serialize)]
struct Unit<'a> {
    service: &'a str,
    library: String,
    directories: &'a [String],
    trigger_limit: bool,
    protect_home: &'static str,
}

/// The script and the units, for every service that is watched.
///
/// # Errors
/// A value that a unit or a script cannot carry.
pub fn files(machinery: &Machinery<'_>, layout: &Layout<'_>) -> Result<Vec<TreeFile>, RenderError> {
    let watched = watched(machinery, layout);
    if watched.is_empty() {
        return Ok(Vec::new());
    }
    let library = library(layout.project);
    let mut files = Vec::new();
    for one in &watched {
        let origin = one.origin.unwrap_or(machinery.machine.output_span);
        let unit = Unit {
            service: &one.name,
            library: library.clone(),
            directories: &one.directories,
            trigger_limit: layout
                .system
                .systemd
                .is_some_and(|release| release >= COUNTS),
            // Where a user's own systemd is spoken to.
            protect_home: if one.of_user { "read-only" } else { "yes" },
        };
        for kind in ["path", "service"] {
            let text = render::text(&format!("systemd/watch.{kind}"), &unit)?;
            let name = format!("tlsgen-{}-watch-{}.{kind}", layout.project, one.name);
            files.push(file(format!("/etc/systemd/system/{name}"), text, origin));
        }
    }
    let common = Common::new(layout)?;
    let script = Script {
        common: &common,
        watched,
    };
    let text = render::text("host/watch.sh", &script)?;
    files.push(TreeFile {
        mode: 0o755,
        ..file(
            format!("{library}/watch"),
            text,
            machinery.machine.output_span,
        )
    });
    Ok(files)
}

fn watched(machinery: &Machinery<'_>, layout: &Layout<'_>) -> Vec<Watched> {
    let services = machinery.machine.services.iter();
    let asked = services.filter_map(|deployed| Some((deployed, deployed.watch?)));
    let each = asked.filter_map(|(deployed, origin)| {
        let name = &machinery.inputs.model.service(deployed.service).name;
        let certificates = || {
            let all = layout.certificates.iter();
            all.filter(|one| one.presented.iter().any(|(service, _)| service == name))
        };
        let directories: Vec<String> = certificates().map(|one| one.directory.clone()).collect();
        let presented = certificates().flat_map(|one| presenting(one, name));
        // Of what it presents as a client nobody can ask whether it is the new one.
        let askable = certificates().all(|one| presenting(one, name).next().is_some());
        let presented = presented.filter(|_| askable).collect();
        (!directories.is_empty()).then(|| Watched {
            name: name.clone(),
            directories,
            presented,
            of_user: deployed.user_unit.is_some(),
            origin: Some(origin),
        })
    });
    each.collect()
}

/// Whoever presents it as a client cannot be asked.
fn presenting<'a>(
    certificate: &'a Certificate,
    service: &'a str,
) -> impl Iterator<Item = Presenting> + 'a {
    let presented = certificate.presented.iter();
    let ports = presented.filter(move |(name, _)| name == service);
    ports.filter_map(|(_, port)| *port).map(|port| Presenting {
        directory: certificate.directory.clone(),
        address: format!("127.0.0.1:{port}"),
        server_name: asked_name(certificate),
    })
}
