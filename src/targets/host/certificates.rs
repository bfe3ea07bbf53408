//! The certificates of a machine: where each stands, where it comes from, and who reads its key.

use std::sync::Arc;

use super::Machinery;
use super::layout::{Certificate, Reader, Source, TreeFile};
use super::{acme, app};
use crate::artifact::READABLE;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::machine::Deployed;
use crate::model::{Host, HostCertificate, HostId, KeySource, Service};
use crate::source::Span;
use crate::targets::presented::Presented;

pub static READERS: Code = Code {
    name: "key-of-two-readers",
    severity: Severity::Error,
    summary: "services of one machine share a key and run as different users",
    manual: include_str!("manual/key-of-two-readers.md"),
};

/// Leaf and intermediates.
pub const FULL_CHAIN: &str = "full-chain.pem";
/// The intermediates alone.
pub const INTERMEDIATES: &str = "intermediates.pem";
/// The key.
pub const KEY: &str = "key.pem";
/// Leaf, intermediates and key.
pub const COMBINED: &str = "combined.pem";

/// Every certificate of the machine, each once, in the order in which services present them.
///
/// # Errors
/// One cannot be asked for, or services that share a key cannot both read it.
pub fn of(machinery: &Machinery<'_>) -> Result<Vec<Certificate>, Vec<Diagnostic>> {
    let mut all: Vec<(HostId, Certificate, Span)> = Vec::new();
    let mut found = Vec::new();
    for deployed in &machinery.machine.services {
        let service = machinery.inputs.model.service(deployed.service);
        for (id, port, span) in presented(machinery, service) {
            let reader = reader(machinery, deployed, service);
            let combined = service
                .serving
                .as_ref()
                .is_some_and(|one| one.server.name == "haproxy");
            let user = (service.name.clone(), port);
            if let Some((_, known, first)) = all.iter_mut().find(|(known, _, _)| *known == id) {
                known.presented.push(user);
                known.combined |= combined;
                match joined(&known.reader, &reader) {
                    Some(joined) => known.reader = joined,
                    None => found.push(apart(machinery.inputs.model.host(id), span, *first)),
                }
                continue;
            }
            match machinery.certificate(id, reader, combined, user) {
                Ok(Some(certificate)) => all.push((id, certificate, span)),
                Ok(None) => {}
                Err(more) => found.extend(more),
            }
        }
    }
    match found.is_empty() {
        true => Ok(all
            .into_iter()
            .map(|(_, certificate, _)| certificate)
            .collect()),
        false => Err(found),
    }
}

/// The hosts whose certificates a service presents from files, each with the port at which it does.
fn presented(machinery: &Machinery<'_>, service: &Service) -> Vec<(HostId, Option<u16>, Span)> {
    let model = machinery.inputs.model;
    let served = service.serves().iter().filter(|one| one.behind.is_none());
    let served = served
        .filter(|serve| !machinery.fetches_itself(service, serve.host))
        .map(|serve| {
            let port = model.host(serve.host).port;
            (serve.host, Some(port), serve.place.value)
        });
    let identity = service.identity.iter();
    let identity = identity.map(|identity| (identity.host, None, identity.span));
    served.chain(identity).collect()
}

/// Who opens the key of a service, beside root.
fn reader(machinery: &Machinery<'_>, deployed: &Deployed, service: &Service) -> Reader {
    if app::is_application(service) {
        return app::reader(machinery, deployed);
    }
    if let Some((group, _)) = &deployed.group {
        return Reader::Group(group.clone());
    }
    let said = deployed.user.as_ref().or(deployed.user_unit.as_ref());
    if let Some((user, _)) = said {
        return Reader::User(user.clone());
    }
    let server = service
        .serving
        .as_ref()
        .map(|serving| serving.server.name.as_str());
    match server {
        Some("traefik") => Reader::User("traefik".to_owned()),
        Some(server) => {
            let packaged = machinery.system.server(server);
            let group = packaged.and_then(|packaged| packaged.user);
            group.map_or(Reader::Root, |group| Reader::Group(group.to_owned()))
        }
        None => Reader::Root,
    }
}

/// One reader for both, if there is one: root reads everything.
fn joined(one: &Reader, other: &Reader) -> Option<Reader> {
    match (one, other) {
        (Reader::Root, reader) | (reader, Reader::Root) => Some(reader.clone()),
        _ => (one == other).then(|| one.clone()),
    }
}

fn apart(host: &Host, span: Span, first: Span) -> Diagnostic {
    let message = format!(
        "the key of `{}` is to be read by different users of one machine",
        host.name
    );
    Diagnostic::new(&READERS, span, message)
        .also(first, "the other one")
        .help("give both services one `group` that may read it, or each a host of its own")
}

impl Machinery<'_> {
    /// Whether a server asks for the certificate of a host itself, over ACME.
    pub fn fetches_itself(&self, service: &Service, host: HostId) -> bool {
        let model = self.inputs.model;
        let Some((issuer, _)) = model.host(host).issuer else {
            return false;
        };
        let Some(acme) = &model.authority(issuer).acme else {
            return false;
        };
        let server = service
            .serving
            .as_ref()
            .map(|serving| serving.server.name.as_str());
        match server {
            Some("traefik") => true,
            Some("caddy") => acme.client.is_none(),
            _ => false,
        }
    }

    /// The directory of a host's certificate.
    pub fn certificate_directory(&self, host: &str) -> String {
        format!("{}/certificates/{host}", self.directory())
    }

    fn certificate(
        &self,
        id: HostId,
        reader: Reader,
        combined: bool,
        user: (String, Option<u16>),
    ) -> Result<Option<Certificate>, Vec<Diagnostic>> {
        let host = self.inputs.model.host(id);
        let Some(source) = self.source(host)? else {
            return Ok(None);
        };
        Ok(Some(Certificate {
            host: host.name.clone(),
            names: host
                .names
                .iter()
                .map(|(name, _)| name.to_string())
                .collect(),
            directory: self.certificate_directory(&host.name),
            reader,
            combined,
            source,
            presented: vec![user],
        }))
    }

    fn source(&self, host: &Host) -> Result<Option<Source>, Vec<Diagnostic>> {
        let model = self.inputs.model;
        if let Some(made) = &host.certificate {
            return Ok(Some(project(host, made)));
        }
        let Some((issuer, _)) = host.issuer else {
            return Ok(None);
        };
        let authority = model.authority(issuer);
        let Some(said) = &authority.acme else {
            return Ok(None);
        };
        let services = self.machine.services.iter();
        let services = services.map(|deployed| model.service(deployed.service));
        let served: Vec<acme::Served<'_>> = services
            .flat_map(|service| service.serves().iter().map(move |serve| (service, serve)))
            .collect();
        let mut source = acme::source(model, self.machine, host, authority, said, &served)?;
        if !authority.file.certificates.is_empty() {
            source.root = Some(self.acme_root(&authority.name));
        }
        Ok(Some(Source::Acme(Box::new(source))))
    }

    /// Where the root of a private ACME server stands.
    pub fn acme_root(&self, authority: &str) -> String {
        format!("{}/acme/{authority}.pem", self.directory())
    }

    /// The files of a certificate that the project has.
    pub fn certificate_files(&self, id: HostId) -> Vec<TreeFile> {
        let model = self.inputs.model;
        let host = model.host(id);
        let Some(made) = &host.certificate else {
            return Vec::new();
        };
        let presented = Presented::of(host, made, model);
        let directory = self.certificate_directory(&host.name);
        let file = |name: &str, body: Arc<[u8]>| TreeFile {
            path: format!("{directory}/{name}"),
            mode: READABLE,
            group: None,
            body,
            origin: made.chain_span,
        };
        vec![
            file(FULL_CHAIN, presented.full),
            file(INTERMEDIATES, presented.intermediates),
        ]
    }

    /// The roots of private ACME servers that a client of the machine asks.
    pub fn acme_roots(&self, certificates: &[Certificate]) -> Vec<TreeFile> {
        let asked = |name: &str| {
            certificates.iter().any(|certificate| {
                matches!(&certificate.source, Source::Acme(acme) if acme.authority == name && acme.root.is_some())
            })
        };
        let authorities = self.inputs.model.authorities.iter();
        authorities
            .filter(|authority| asked(&authority.name))
            .map(|authority| {
                let certificates = authority.file.certificates.iter();
                let text: String = certificates.map(|one| one.certificate.to_pem()).collect();
                TreeFile {
                    path: self.acme_root(&authority.name),
                    mode: READABLE,
                    group: None,
                    body: Arc::from(text.into_bytes()),
                    origin: authority.file_span,
                }
            })
            .collect()
    }
}

fn project(host: &Host, made: &HostCertificate) -> Source {
    let key = match &made.key {
        KeySource::File { path, .. } => Some(path.clone()),
        KeySource::Variable(_) => None,
    };
    let lifetime = made.issued.then_some(host.terms.lifetime);
    Source::Project {
        key,
        renewed_before: lifetime.map(|lifetime| host.terms.renew_before.seconds(lifetime)),
        lifetime,
    }
}
