//! Issuers of the cluster: those that are there, and those that stand for an authority that tlsgen
//! runs, which then signs with its key in the cluster.

use std::sync::Arc;

use serde_json::json;

use super::{Asked, external, generator, metadata, put, say};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{Authority, AuthorityId, ClusterIssuer};
use crate::spec::AuthoritiesVia;
use crate::targets::kubernetes::Gathering;

pub static UNCLEAR: Code = Code {
    name: "authority-key-unclear",
    severity: Severity::Error,
    summary: "an authority is to sign in the cluster, and nothing says how its key comes there",
    manual: include_str!("../manual/authority-key-unclear.md"),
};
pub static ENCRYPTED: Code = Code {
    name: "authority-key-encrypted",
    severity: Severity::Error,
    summary: "kustomize is to read an authority's key, which is never written open",
    manual: include_str!("../manual/authority-key-encrypted.md"),
};
pub static ROOT: Code = Code {
    name: "root-in-cluster",
    severity: Severity::Warning,
    summary: "the key of a root goes into a cluster",
    manual: include_str!("../manual/root-in-cluster.md"),
};

const FILE: &str = "issuers.yaml";

/// The issuer that signs for an authority; makes it if the authority is one that tlsgen runs.
pub fn reference(
    gathering: &mut Gathering<'_>,
    id: AuthorityId,
    asked: &Asked<'_>,
) -> Result<ClusterIssuer, Box<Diagnostic>> {
    let model = gathering.inputs.model;
    let authority = model.authority(id);
    if let Some(issuer) = &authority.cluster {
        return Ok(issuer.clone());
    }
    let name = format!("{}-{}-ca", model.project, authority.name);
    bring_key(gathering, authority, &name, asked)?;
    let object = json!({
        "apiVersion": "cert-manager.io/v1",
        "kind": "Issuer",
        "metadata": metadata(&name, asked.namespace),
        "spec": {"ca": {"secretName": name}},
    });
    if put(gathering, FILE, object, asked.at) {
        tell(gathering, authority);
    }
    Ok(ClusterIssuer {
        kind: "Issuer".to_owned(),
        name,
        group: "cert-manager.io".to_owned(),
    })
}

/// The Secret of a CA issuer: its own certificate first, then those above it up to the root, which
/// cert-manager puts into `ca.crt` of what it issues.
fn bring_key(
    gathering: &mut Gathering<'_>,
    authority: &Authority,
    name: &str,
    asked: &Asked<'_>,
) -> Result<(), Box<Diagnostic>> {
    let cluster = gathering.cluster;
    let Some((via, via_span)) = cluster.authorities_via else {
        let (_, span) = cluster.secrets_via;
        let message = format!(
            "cert-manager is to sign for `{}`, and nothing says how its key comes into the cluster",
            authority.name
        );
        return Err(Box::new(
            Diagnostic::new(&UNCLEAR, span, message)
                .also(authority.place.key, "the authority")
                .help("write `authorities_via: external-secrets`, `existing` or `generator`"),
        ));
    };
    match via {
        AuthoritiesVia::Existing => {
            let note = format!(
                "the Secret `{name}` must be there: `tls.crt` with the certificates of `{}`, and `tls.key`",
                authority.name
            );
            say(gathering, note);
            Ok(())
        }
        AuthoritiesVia::ExternalSecrets => {
            let entry = format!("{}-ca", authority.name);
            external::add(gathering, name, &entry, asked)
        }
        AuthoritiesVia::Generator => {
            let Some(key) = &authority.key else {
                let message = format!(
                    "the key of `{}` is encrypted, and kustomize reads open files",
                    authority.name
                );
                return Err(Box::new(
                    Diagnostic::new(&ENCRYPTED, via_span, message)
                        .also(authority.place.key, "the authority")
                        .help("put the key where the cluster finds it: `authorities_via: external-secrets`, or `existing`"),
                ));
            };
            let certificates = authority.file.certificates.iter();
            let chain: String = certificates.map(|one| one.certificate.to_pem()).collect();
            let chain: Arc<[u8]> = Arc::from(chain.into_bytes());
            generator::make(gathering, asked, name, (chain, key.clone()), true)
        }
    }
}

/// Says that a key of an authority leaves the machine that keeps it.
fn tell(gathering: &mut Gathering<'_>, authority: &Authority) {
    let name = &authority.name;
    let note = format!(
        "the key of `{name}` goes into the cluster: whoever reads its Secret there, or may create a Certificate, has what `{name}` signs"
    );
    say(gathering, note);
    let told = gathering
        .found
        .iter()
        .any(|one| one.code.name == ROOT.name && one.span() == Some(authority.place.key));
    if authority.signer.is_some() || told {
        return;
    }
    let message = format!("the key of the root `{name}` goes into the cluster");
    let (_, span) = gathering.cluster.secrets_via;
    gathering.found.push(
        Diagnostic::new(&ROOT, authority.place.key, message)
            .about(format!("authorities.{name}"))
            .also(span, "cert-manager signs for it")
            .help(format!(
                "let an intermediate sign there, `kind: managed` with `issuer: {name}`: it can be replaced without a change of trust"
            )),
    );
}
