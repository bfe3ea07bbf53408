//! Hosts: their names, and how they come by a certificate.

use std::collections::HashMap;
use std::io::ErrorKind;

use zeroize::Zeroizing;

use super::orders::hosts::LIFETIME;
use super::{BAD_NAME, Resolver, UNKNOWN_AUTHORITY, index};
use crate::diagnostic::{Code, Diagnostic, Severity, suggest};
use crate::model::certificates;
use crate::model::{
    AuthorityId, CertificateTerms, HeldCertificate, Host, HostCertificate, Index, KeySource,
    Orders, PemFile, SubjectName,
};
use crate::pki::{Holder, key};
use crate::source::Span;
use crate::spec::{self, KeyType, Usage};

pub(super) static ISSUER: Code = Code {
    name: "issuer-unusable",
    severity: Severity::Error,
    summary: "a host's issuer cannot issue its certificate",
    manual: include_str!("../manual/issuer-unusable.md"),
};
pub(super) static KEY: Code = Code {
    name: "key-unclear",
    severity: Severity::Error,
    summary: "a certificate brought by hand has no key, or two",
    manual: include_str!("../manual/key-unclear.md"),
};

impl Resolver<'_> {
    /// `orders` are the certificates that are issued here: a cluster issues them by the same terms.
    pub(super) fn hosts(&mut self, orders: &Orders) -> Vec<Host> {
        let authorities = index(self.loaded.spec.authorities.keys());
        let lifetimes = lifetimes(orders);
        let mut all = Vec::new();
        for (name, host) in &self.loaded.spec.hosts {
            let name = name.as_str();
            let mut names = Vec::new();
            for (index, text) in host.names.iter().enumerate() {
                let span = self.value(&["hosts", name, "names", &index.to_string()]);
                match SubjectName::parse(text.as_str()) {
                    Ok(parsed) => names.push((parsed, span)),
                    Err((fault, help)) => self.found.push(
                        Diagnostic::new(&BAD_NAME, span, format!("`{text}` {fault}")).help(help),
                    ),
                }
            }
            let certificate = host
                .certificate
                .as_ref()
                .map(|files| self.hand_made(name, files))
                .or_else(|| self.issued(name, host));
            let observed = host.observed.as_ref().map(|path| {
                let span = self.value(&["hosts", name, "observed"]);
                (self.pem(path, ["hosts", name], span), span)
            });
            let observed = observed.or_else(|| self.issued_for_request(name, host));
            all.push(Host {
                name: name.to_owned(),
                names,
                port: host.port.get(),
                issuer: self.issuer(name, host, &authorities),
                certificate,
                terms: self.terms(host, lifetimes.get(name).copied()),
                observed,
                place: self.loaded.place(&["hosts", name]),
            });
        }
        all
    }

    fn issuer(
        &mut self,
        name: &str,
        host: &spec::Host,
        known: &Index,
    ) -> Option<(AuthorityId, Span)> {
        let issuer = host.issuer.as_ref()?;
        let span = self.value(&["hosts", name, "issuer"]);
        let Some(id) = known.get(issuer.as_str()) else {
            let message = format!("there is no authority `{issuer}`");
            let names = known.keys().map(String::as_str);
            let unknown = Diagnostic::new(&UNKNOWN_AUTHORITY, span, message);
            self.found
                .push(unknown.help(suggest(issuer.as_str(), names)));
            return None;
        };
        if host.certificate.is_some() {
            let message = format!("`{name}` has an issuer and a certificate brought by hand");
            self.found.push(
                Diagnostic::new(&ISSUER, span, message)
                    .also(
                        self.value(&["hosts", name, "certificate"]),
                        "the certificate",
                    )
                    .help("remove one of the two"),
            );
            return None;
        }
        Some((AuthorityId(*id), span))
    }

    /// What a certificate must be that is issued in a cluster; `here` is for how long it is valid if
    /// it is issued here, which is no longer than its signer.
    fn terms(&self, host: &spec::Host, here: Option<i64>) -> CertificateTerms {
        let defaults = &self.loaded.spec.defaults;
        let lifetime = host.lifetime.as_ref().or(defaults.lifetime.as_ref());
        let renew_before = host
            .renew_before
            .as_ref()
            .or(defaults.renew_before.as_ref());
        CertificateTerms {
            key: host.key.or(defaults.key).unwrap_or(KeyType::EcdsaP256),
            lifetime: here
                .or_else(|| lifetime.map(spec::Duration::seconds))
                .unwrap_or(LIFETIME),
            renew_before: renew_before.cloned().unwrap_or_default(),
            usages: host.usages.clone().unwrap_or_else(|| vec![Usage::Server]),
        }
    }

    fn hand_made(&mut self, host: &str, files: &spec::CertificateFiles) -> HostCertificate {
        let at = |field: &str| self.value(&["hosts", host, "certificate", field]);
        let (chain_span, file_span, variable_span) = (at("chain"), at("key"), at("key_env"));
        let whole = self.value(&["hosts", host, "certificate"]);
        let chain = self.pem(&files.chain, ["hosts", host], chain_span);
        let (key, key_span) = match (&files.key, &files.key_env) {
            (Some(path), None) => (self.key_file(host, path, file_span), file_span),
            (None, Some(name)) => (KeySource::Variable(name.to_string()), variable_span),
            (None, None) => {
                let message = format!("the certificate of `{host}` has no key");
                let help = "name its file: `key: pki/private/….key`, or the variable that holds it where the target is started: `key_env: …`";
                self.found
                    .push(Diagnostic::new(&KEY, whole, message).help(help));
                (KeySource::Variable(String::new()), whole)
            }
            (Some(_), Some(_)) => {
                let message = format!("the key of `{host}` is in a file and in a variable");
                self.found.push(
                    Diagnostic::new(&KEY, variable_span, message)
                        .also(file_span, "the file")
                        .help("remove one of the two"),
                );
                (KeySource::Variable(String::new()), file_span)
            }
        };
        HostCertificate {
            issued: false,
            chain,
            chain_span,
            key,
            key_span,
        }
    }

    /// A certificate that is issued here, for a key of the key store.
    fn issued(&self, name: &str, host: &spec::Host) -> Option<HostCertificate> {
        let (holder, held) = self.held_of(name).filter(|_| host.request.is_none())?;
        let span = self.value(&["hosts", name, "issuer"]);
        let public = held.key.filter(|_| !held.due).map(Ok);
        Some(HostCertificate {
            issued: true,
            chain: presented(&holder, held, span),
            chain_span: span,
            key: KeySource::File {
                path: holder.key(self.directory),
                public,
            },
            key_span: span,
        })
    }

    /// A certificate that is issued here for somebody else's key: nobody here can serve it.
    fn issued_for_request(&self, name: &str, host: &spec::Host) -> Option<(PemFile, Span)> {
        let (holder, held) = self.held_of(name).filter(|_| host.request.is_some())?;
        let span = self.value(&["hosts", name, "request"]);
        Some((presented(&holder, held, span), span))
    }

    fn held_of(&self, name: &str) -> Option<(Holder, &HeldCertificate)> {
        let holder = Holder::Host(name.to_owned());
        let held = self.held.0.get(&holder)?;
        Some((holder, held))
    }

    /// A key is read for its public half. Where nothing is deployed it need not be, and a process
    /// that may not read it knows no less of the certificate.
    fn key_file(&mut self, host: &str, path: &spec::RelativePath, span: Span) -> KeySource {
        let Some(path) = self.path(path, ["hosts", host], span) else {
            return KeySource::Variable(String::new());
        };
        let public = match self.world.read(&path).map(Zeroizing::new) {
            Ok(bytes) => Some(
                key::public_key_of(&bytes)
                    .map(|key| key.spki_sha256())
                    .map_err(|error| error.to_string()),
            ),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error)
                if error.kind() == ErrorKind::PermissionDenied
                    && (error.raw_os_error().is_some()
                        || matches!(self.world.stat(&path), Ok(Some(_)))) =>
            {
                // The system's own refusal, of the file or of a directory above it; a path that leads
                // out of the project is refused by ourselves.
                None
            }
            Err(error) => {
                self.found
                    .push(certificates::unreadable(&path, span, &error));
                None
            }
        };
        KeySource::File { path, public }
    }
}

/// For how long the certificate of each host is valid that is issued here, in seconds.
fn lifetimes(orders: &Orders) -> HashMap<&str, i64> {
    let hosts = orders.all.iter().filter_map(|order| match &order.holder {
        Holder::Host(name) => Some((name.as_str(), order.lifetime)),
        Holder::Authority(_) => None,
    });
    hosts.collect()
}

/// The leaf and the intermediates; a root is sent for nothing.
fn presented(holder: &Holder, held: &HeldCertificate, span: Span) -> PemFile {
    let sent: Vec<_> = held
        .chain
        .iter()
        .filter(|one| !one.self_signed())
        .cloned()
        .collect();
    PemFile::issued(holder.certificate(), &sent, span)
}
