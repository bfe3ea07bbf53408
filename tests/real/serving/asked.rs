//! A server that is asked for its share, without any platform.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test takes its part; a test may panic"
)]

use tlsgen::diagnostic::{Diagnostics, Style, to_text};
use tlsgen::provision::Serving;
use tlsgen::servers::{CertificatePlace, HostPlace, Place, Request};
use tlsgen::source::Sources;
use tlsgen::world::Disk;

use crate::support::project::Project;
use crate::support::{leaf, root};

/// What the first service of a spec that serves needs at a place, or what is found, as people see it.
pub fn serving(project: &Project, place: &Place) -> Result<Serving, String> {
    let world = Disk::new(&project.path("")).unwrap();
    let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
    let said = |found: &Diagnostics, sources: &Sources| to_text(found, sources, Style::Plain);
    let model = tlsgen::check(
        &world,
        tlsgen::Asked::fresh("tlsgen.yaml"),
        &mut sources,
        &mut found,
    )
    .map_err(|_| said(&found, &sources))?;
    let mut services = model.services.iter();
    let service = services.find(|service| service.serving.is_some()).unwrap();
    let serving = service.serving.as_ref().unwrap();
    let request = Request {
        model: &model,
        service,
        serving,
        place,
    };
    let server = tlsgen::servers::find(&serving.server.name).unwrap();
    (server.serve)(&request).map_err(|diagnostics| {
        let mut only = Diagnostics::default();
        only.extend(diagnostics);
        said(&only, &sources)
    })
}

/// A project with this spec and a certificate to be served: `pki/leaf.pem`, of `pki/corp.pem`.
pub fn project(spec: &str) -> Project {
    let project = Project::new();
    let pki = project.path("pki");
    root(&pki, "corp", "Corp Root");
    let names = ["git.lab.example", "*.lab.example", "10.20.0.5", "127.0.0.1"];
    leaf(&pki, "corp", "leaf", &names);
    let project_and_version = "version: 1\nproject: lab\n";
    project.write("tlsgen.yaml", format!("{project_and_version}{spec}"));
    project
}

/// A host whose files stand in a directory.
pub fn host_place(directory: &str, port: u16) -> HostPlace {
    HostPlace {
        block_names: Vec::new(),
        certificate: Some(CertificatePlace {
            full_chain: format!("{directory}/fullchain.pem"),
            intermediates: format!("{directory}/chain.pem"),
            key: format!("{directory}/privkey.pem"),
            anchor: Some(format!("{directory}/root.pem")),
            combined: None,
        }),
        client_cas: None,
        client_crls: None,
        client_depth: 2,
        public_port: 443,
        port,
        plain_port: 80,
    }
}
