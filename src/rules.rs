//! Judgement over a model: one file per rule.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashSet};

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use crate::model::{Host, HostCertificate, HostId, Model, PemCertificate, Service};
use crate::pki::Certificate;
use crate::source::{Sources, Span};
use crate::spec::RuntimeVersion;

mod allowances;
mod basic_constraints_not_critical;
mod behind_believes_anybody;
mod ca_without_key_cert_sign;
mod ca_without_key_identifier;
mod certificate_expires_soon;
mod certificate_not_valid;
mod chain_incomplete;
mod chain_order;
mod host_not_trusted;
mod identity_missing;
mod identity_not_for_clients;
mod identity_not_trusted;
mod intermediate_without_root;
mod key_in_git;
mod key_mismatch;
mod key_not_pem;
mod key_readable_by_others;
mod leaf_in_trust_list;
mod leaf_key_for_few_clients;
mod leaf_not_for_servers;
mod long_lived_leaf;
mod name_not_covered;
mod no_subject_alternative_name;
mod pin_mismatch;
mod public_lifetime_exceeded;
mod revocation_not_checked;
mod same_certificate_twice;
mod secret_in_git;
mod secret_in_spec;
mod secret_not_readable;
mod secret_shadowed;
mod secret_unused;
mod tls_versions_not_enforced;
mod unpinned_authority;
mod unused;
mod usages_for_both_sides;
mod weak_key;
mod weak_signature;
mod x509_v1;

use allowances::Names;
pub use allowances::UNUSED as UNUSED_ALLOWANCE;

/// A rule: what it finds, and how.
pub struct Rule {
    /// What it finds, with its manual.
    pub code: &'static Code,
    /// Everything it finds in a model.
    pub check: fn(&Judged<'_>) -> Vec<Diagnostic>,
}

/// What is judged, and when.
pub struct Judged<'a> {
    /// The model.
    pub model: &'a Model,
    /// Seconds since 1970.
    pub now: i64,
    /// Where the project's files are.
    pub world: &'a dyn crate::world::World,
    /// The public roots in PEM, where a service trusts them.
    pub public_roots: &'a dyn Fn() -> Vec<Certificate>,
    /// The warnings that targets can find, which can be allowed too.
    pub of_targets: &'a [&'a str],
}

/// All rules.
pub static RULES: &[Rule] = &[
    leaf_in_trust_list::RULE,
    intermediate_without_root::RULE,
    x509_v1::RULE,
    ca_without_key_cert_sign::RULE,
    basic_constraints_not_critical::RULE,
    ca_without_key_identifier::RULE,
    certificate_not_valid::RULE,
    certificate_expires_soon::RULE,
    weak_signature::RULE,
    weak_key::RULE,
    same_certificate_twice::RULE,
    pin_mismatch::RULE,
    unpinned_authority::RULE,
    key_mismatch::RULE,
    key_not_pem::RULE,
    key_in_git::RULE,
    key_readable_by_others::RULE,
    chain_order::RULE,
    chain_incomplete::RULE,
    leaf_not_for_servers::RULE,
    leaf_key_for_few_clients::RULE,
    usages_for_both_sides::RULE,
    long_lived_leaf::RULE,
    public_lifetime_exceeded::RULE,
    no_subject_alternative_name::RULE,
    name_not_covered::RULE,
    host_not_trusted::RULE,
    identity_not_for_clients::RULE,
    identity_not_trusted::RULE,
    identity_missing::RULE,
    revocation_not_checked::RULE,
    tls_versions_not_enforced::RULE,
    secret_not_readable::RULE,
    behind_believes_anybody::RULE,
    secret_in_git::RULE,
    secret_in_spec::RULE,
    secret_shadowed::RULE,
    secret_unused::RULE,
    unused::RULE,
];

/// What this room can find.
pub fn codes() -> impl Iterator<Item = &'static Code> {
    RULES
        .iter()
        .map(|rule| rule.code)
        .chain([&allowances::UNUSED, &allowances::UNKNOWN])
}

/// Runs every rule, and takes out what the spec allows.
pub fn judge(judged: &Judged<'_>, sources: &Sources, found: &mut Diagnostics) {
    let mut all: Vec<Diagnostic> = RULES.iter().flat_map(|rule| (rule.check)(judged)).collect();
    let names = Names {
        here: &names(),
        elsewhere: judged.of_targets,
    };
    allowances::apply(judged.model, sources, &names, &mut all);
    found.extend(all);
}

/// Takes out of what targets found, all of them, what the spec allows.
pub fn allow(model: &Model, sources: &Sources, of_targets: &[&str], found: &mut Vec<Diagnostic>) {
    let names = Names {
        here: of_targets,
        elsewhere: &names(),
    };
    allowances::apply(model, sources, &names, found);
}

fn names() -> Vec<&'static str> {
    RULES.iter().map(|rule| rule.code.name).collect()
}

/// How a certificate that the spec names is used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// It is in the file of an authority.
    Trusted,
    /// It is in the chain of a host, brought by hand.
    Served,
    /// Somebody's server was seen to present it.
    Observed,
}

/// A certificate that the spec names.
struct Named<'a> {
    certificate: &'a PemCertificate,
    used: Use,
    /// Where the spec names the file.
    span: Span,
    path: &'a str,
    /// `authorities.corp`.
    subject: String,
    /// Whether it is the first of its file.
    first: bool,
}

impl Judged<'_> {
    /// Hosts that a deployed service presents itself, with a certificate that somebody brought.
    fn presented(&self) -> impl Iterator<Item = (&Host, &HostCertificate)> {
        let services = self.model.deployed().map(|id| self.model.service(id));
        let presented: HashSet<HostId> = services
            .flat_map(Service::serves)
            .filter(|serve| serve.behind.is_none())
            .map(|serve| serve.host)
            .chain(self.model.entered().map(|(host, _)| host))
            .collect();
        let hosts = self.model.hosts();
        hosts
            .filter(move |(id, _)| presented.contains(id))
            .filter_map(|(_, host)| Some((host, host.certificate.as_ref()?)))
    }

    /// Each host that is served by a certificate which an issuer of a cluster signs there, with a place
    /// that serves it: the spec alone says what that one will be.
    fn served_in_clusters(&self) -> impl Iterator<Item = (&Host, Span)> {
        let services = self.model.deployed().map(|id| self.model.service(id));
        let served = services.flat_map(Service::serves);
        let served = served.filter(|serve| serve.behind.is_none());
        let served = served.map(|serve| (serve.host, serve.place.value));
        let all: BTreeMap<HostId, Span> = self.model.entered().chain(served).collect();
        all.into_iter()
            .map(|(id, span)| (self.model.host(id), span))
            .filter(|(host, _)| self.model.issued_in_cluster(host))
    }

    /// The leaf of each host that a service presents. Among CAs alone there is none, which a rule says.
    fn presented_leaves(&self) -> impl Iterator<Item = (&Host, &HostCertificate, &PemCertificate)> {
        self.presented().filter_map(|(host, made)| {
            let mut certificates = made.chain.certificates.iter();
            let leaf = certificates.find(|one| !one.certificate.is_ca())?;
            Some((host, made, leaf))
        })
    }

    /// Whether a chain ends in a public root; they are parsed once, and only if somebody asks.
    fn is_public(&self, made: &HostCertificate, roots: &OnceCell<Vec<Certificate>>) -> bool {
        let roots = roots.get_or_init(|| self.all_public_roots());
        let mut chain = made.chain.certificates.iter();
        chain.any(|one| roots.iter().any(|root| one.certificate.issued_by(root)))
    }

    /// The public roots of today, and those that the project keeps.
    fn all_public_roots(&self) -> Vec<Certificate> {
        let own = crate::pki::public_root_certificates().iter();
        own.filter_map(|der| Certificate::from_der(der).ok())
            .chain((self.public_roots)())
            .collect()
    }

    /// Hosts whose certificate a deployed service presents as a client.
    fn identities(&self) -> impl Iterator<Item = (&Host, &HostCertificate)> {
        let services = self.model.deployed().map(|id| self.model.service(id));
        let identities: HashSet<HostId> = services
            .filter_map(|service| Some(service.identity.as_ref()?.host))
            .collect();
        let hosts = self.model.hosts();
        hosts
            .filter(move |(id, _)| identities.contains(id))
            .filter_map(|(_, host)| Some((host, host.certificate.as_ref()?)))
    }

    /// Hosts whose certificate is handed to a deployed service, on whichever side it presents it.
    fn handed(&self) -> impl Iterator<Item = (&Host, &HostCertificate)> {
        let served: Vec<&str> = self
            .presented()
            .map(|(host, _)| host.name.as_str())
            .collect();
        let identities = self.identities();
        let others = identities.filter(move |(host, _)| !served.contains(&host.name.as_str()));
        self.presented().chain(others)
    }

    /// Every certificate of every file that the spec names.
    fn certificates(&self) -> impl Iterator<Item = Named<'_>> {
        let trusted = self.model.authorities.iter().map(|authority| {
            let subject = format!("authorities.{}", authority.name);
            (&authority.file, authority.file_span, Use::Trusted, subject)
        });
        let served = self.model.hosts.iter().flat_map(|host| {
            let made = host.certificate.as_ref();
            made.map(|made| (&made.chain, made.chain_span, Use::Served, about(host)))
        });
        let observed = self.model.hosts.iter().flat_map(|host| {
            let seen = host.observed.as_ref();
            seen.map(|(file, span)| (file, *span, Use::Observed, about(host)))
        });
        trusted
            .chain(served)
            .chain(observed)
            .flat_map(|(file, span, used, subject)| {
                file.certificates
                    .iter()
                    .enumerate()
                    .map(move |(index, certificate)| Named {
                        certificate,
                        used,
                        span,
                        path: &file.path,
                        subject: subject.clone(),
                        first: index == 0,
                    })
            })
    }
}

impl Named<'_> {
    /// A finding about this certificate: at the spec's line, with the block in the PEM file.
    fn finding(&self, code: &'static Code, message: String) -> Diagnostic {
        let diagnostic = Diagnostic::new(code, self.span, message).about(self.subject.clone());
        if self.certificate.span == self.span {
            return diagnostic;
        }
        let certificate = &self.certificate.certificate;
        diagnostic.also(self.certificate.span, certificate.title().to_owned())
    }

    /// Whether it is the server's own certificate in a chain.
    fn is_leaf_of_chain(&self) -> bool {
        self.used != Use::Trusted && self.first
    }
}

fn about(host: &Host) -> String {
    format!("hosts.{}", host.name)
}

/// Declares what a rule finds; its manual lies beside it.
macro_rules! code {
    ($name:literal, $severity:ident, $summary:literal) => {
        $crate::diagnostic::Code {
            name: $name,
            severity: $crate::diagnostic::Severity::$severity,
            summary: $summary,
            manual: include_str!(concat!("manual/", $name, ".md")),
        }
    };
}
use code;

/// Who verifies this authority or host strictly, as Python does from 3.13 on.
fn strict_clients<'m>(model: &'m Model, subject: &str) -> Vec<&'m Service> {
    let verifies = |service: &&Service| {
        let trust = service.trust.iter().flat_map(|trust| &trust.authorities);
        let mut trusted = trust.map(|id| ("authorities.", &model.authority(*id).name));
        let mut called = service
            .connects
            .iter()
            .map(|(id, _)| ("hosts.", &model.host(*id).name));
        let is_it = |(section, name): (&str, &String)| subject.strip_prefix(section) == Some(name);
        trusted.any(is_it) || called.any(is_it)
    };
    let strict = |service: &&Service| service.runtimes.iter().any(is_strict);
    model
        .services
        .iter()
        .filter(strict)
        .filter(verifies)
        .collect()
}

fn is_strict(runtime: &RuntimeVersion) -> bool {
    let version = runtime.version.as_deref().and_then(python_minor);
    runtime.name == "python" && version.is_none_or(|version| version >= (3, 13))
}

fn python_minor(version: &str) -> Option<(u32, u32)> {
    let (major, minor) = version.split_once('.')?;
    Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
}

/// What only strict verifiers refuse: an error where one is among those who trust it.
fn refused_by_strict(
    judged: &Judged<'_>,
    named: &Named<'_>,
    code: &'static Code,
    what: &str,
) -> Diagnostic {
    let strict = strict_clients(judged.model, &named.subject);
    let who = named.certificate.certificate.title();
    let mut diagnostic = named.finding(code, format!("`{who}` {what}"));
    if strict.is_empty() {
        diagnostic.severity = Severity::Warning;
        return diagnostic.help("ask for a certificate that follows RFC 5280, before a client is updated to a strict verifier");
    }
    let names: Vec<&str> = strict.iter().map(|service| service.name.as_str()).collect();
    let unsaid = |runtime: &RuntimeVersion| is_strict(runtime) && runtime.version.is_none();
    let unsaid = strict
        .iter()
        .any(|service| service.runtimes.iter().any(unsaid));
    diagnostic
        .help(format!(
            "Python from 3.13 on refuses it, and `{}` runs Python: have it issued anew",
            names.join("`, `")
        ))
        .help_if(
            unsaid.then(|| "if that Python is older, say so: `runtime: python@3.11`".to_owned()),
        )
}
