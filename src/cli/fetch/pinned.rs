//! Whether a server presents what the project knows of it.

use serde::Serialize;

use crate::cli::project::{Project, asked};
use crate::diagnostic::Diagnostics;
use crate::digest::Sha256;
use crate::model::{Authority, Host, Model, SubjectName};
use crate::pki::Certificate;
use crate::plan::Lock;
use crate::probe::{Seen, Target};
use crate::source::Sources;

/// One comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// What of the project: an authority, or what a host was observed to present.
    pub what: What,
    /// Its name in the spec.
    pub name: String,
    /// What people call the certificate that was seen.
    pub title: String,
    /// Whether they are the same.
    pub same: bool,
    /// The fingerprints that the project has.
    pub expected: Vec<Sha256>,
    /// The fingerprint that was seen.
    pub seen: Sha256,
}

/// What of a project a certificate is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// The certificates of an authority: its file, the spec's pins, the lock's.
    Authority,
    /// The file `observed` of a host.
    Host,
}

/// What a project says of a chain.
pub struct Known {
    /// What is pinned, as far as it concerns the chain.
    pub compared: Vec<Compared>,
    /// The authorities that verify it for the name that was asked for.
    pub verified_by: Vec<String>,
}

/// Compares a chain with what is pinned. `name` is the authority that the CA should be.
///
/// # Errors
/// Why nothing can be compared.
pub fn compare(
    project: &Project,
    target: &Target,
    seen: &Seen,
    name: Option<&str>,
    now: i64,
) -> Result<Known, String> {
    let lock = Lock::load(&project.disk).map_err(|_| {
        "the lock cannot be read, so nothing is compared with it; `tlsgen check` says why"
            .to_owned()
    })?;
    let model = model(project, &lock).map_err(|()| {
        let words =
            "the spec has errors, so nothing is compared with it; `tlsgen validate` shows them";
        words.to_owned()
    })?;
    let chain = &seen.chain;
    let authorities = model.authorities.iter();
    let of_authorities = authorities.flat_map(|authority| {
        let chosen = name == Some(authority.name.as_str());
        chain.iter().map(move |seen| (authority, chosen, seen))
    });
    let mut compared: Vec<Compared> = of_authorities
        .filter_map(|(authority, chosen, seen)| with_authority(authority, &lock, seen, chosen))
        .collect();
    let leaf = chain.first();
    let hosts = model.hosts.iter().filter(|host| is_at(host, target));
    compared.extend(hosts.filter_map(|host| with_observed(host, leaf?)));
    let verifies = |authority: &&Authority| {
        let roots = authority.file.certificates.iter();
        let roots: Vec<Certificate> = roots.map(|one| one.certificate.clone()).collect();
        seen.verify(&roots, &target.server_name, now).is_ok()
    };
    let verifying = model.authorities.iter().filter(verifies);
    Ok(Known {
        compared,
        verified_by: verifying.map(|authority| authority.name.clone()).collect(),
    })
}

/// The spec, resolved and not judged: what is wrong with its certificates is no matter here.
fn model(project: &Project, lock: &Lock) -> Result<Model, ()> {
    let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
    let asked = asked(&project.spec, lock);
    crate::resolve(&project.disk, asked, &mut sources, &mut found).map_err(|_| ())
}

fn with_authority(
    authority: &Authority,
    lock: &Lock,
    seen: &Certificate,
    chosen: bool,
) -> Option<Compared> {
    let files = authority
        .file
        .certificates
        .iter()
        .map(|one| &one.certificate);
    let of_lock = lock
        .pins
        .iter()
        .filter(|pin| pin.authority == authority.name);
    let pins = authority.pins.iter().flatten().map(|pin| pin.sha256);
    let known: Vec<Sha256> = files
        .clone()
        .map(Certificate::fingerprint)
        .chain(pins)
        .chain(of_lock.clone().map(|pin| pin.sha256))
        .collect();
    let fingerprint = seen.fingerprint();
    let same = known.contains(&fingerprint);
    // A CA that calls itself like one of the project's, and is another.
    let namesakes = files.filter(|one| one.subject() == seen.subject());
    let mut expected: Vec<Sha256> = namesakes.map(Certificate::fingerprint).collect();
    let of_lock = of_lock.filter(|pin| pin.title == seen.title() && seen.is_ca());
    expected.extend(of_lock.map(|pin| pin.sha256));
    if expected.is_empty() && (same || chosen && seen.is_ca() && seen.self_signed()) {
        expected = known;
    }
    expected.sort();
    expected.dedup();
    let concerns = same || !expected.is_empty();
    concerns.then(|| Compared {
        what: What::Authority,
        name: authority.name.clone(),
        title: seen.title().to_owned(),
        same,
        expected: if same { vec![fingerprint] } else { expected },
        seen: fingerprint,
    })
}

fn is_at(host: &Host, target: &Target) -> bool {
    let named = |(name, _): &(SubjectName, _)| name.to_string() == target.server_name;
    host.port == target.port && host.names.iter().any(named)
}

fn with_observed(host: &Host, leaf: &Certificate) -> Option<Compared> {
    let (observed, _) = host.observed.as_ref()?;
    let expected = observed.certificates.first()?.certificate.fingerprint();
    Some(Compared {
        what: What::Host,
        name: host.name.clone(),
        title: leaf.title().to_owned(),
        same: expected == leaf.fingerprint(),
        expected: vec![expected],
        seen: leaf.fingerprint(),
    })
}
