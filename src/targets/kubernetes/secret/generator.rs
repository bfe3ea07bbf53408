//! Secrets that kustomize makes of the project's files, where the cluster is deployed to.

use std::sync::Arc;

use super::Asked;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{HostCertificate, KeySource};
use crate::source::Span;
use crate::targets::kubernetes::Gathering;
use crate::targets::kubernetes::component::Secret;
use crate::targets::presented::Presented;

pub static NO_KEY: Code = Code {
    name: "secret-without-key",
    severity: Severity::Error,
    summary: "a Secret is to be made of a host's key, and no file has it",
    manual: include_str!("../manual/secret-without-key.md"),
};
pub static TWO_NAMESPACES: Code = Code {
    name: "secret-in-two-namespaces",
    severity: Severity::Error,
    summary: "one certificate is asked for in two namespaces, and kustomize makes its Secret in one",
    manual: include_str!("../manual/secret-in-two-namespaces.md"),
};

/// Has kustomize make the Secret of a host.
pub fn add(gathering: &mut Gathering<'_>, asked: &Asked<'_>) -> Result<(), Box<Diagnostic>> {
    let (made, key) = files(asked)?;
    let chain = Presented::of(asked.host, made, gathering.inputs.model).full;
    make(gathering, asked, &asked.secret, (chain, key), false)
}

/// Has kustomize make a Secret of a chain and the file of a key. Where something refers to it that
/// kustomize does not know, its name must be `fixed`.
pub fn make(
    gathering: &mut Gathering<'_>,
    asked: &Asked<'_>,
    name: &str,
    (chain, key): (Arc<[u8]>, String),
    fixed: bool,
) -> Result<(), Box<Diagnostic>> {
    let secrets = &mut gathering.component.secrets;
    if let Some(known) = secrets.get(name) {
        return match known.namespace.as_deref() == asked.namespace {
            true => Ok(()),
            false => Err(Box::new(two_namespaces(asked, known.origin))),
        };
    }
    let secret = Secret {
        namespace: asked.namespace.map(str::to_owned),
        chain,
        key,
        fixed_name: fixed,
        origin: asked.at,
    };
    secrets.insert(name.to_owned(), secret);
    Ok(())
}

/// A certificate and the path of its key.
fn files<'a>(asked: &Asked<'a>) -> Result<(&'a HostCertificate, String), Box<Diagnostic>> {
    let host = asked.host;
    let made = host.certificate.as_ref().ok_or_else(|| nothing(asked))?;
    match &made.key {
        KeySource::File { path, .. } => Ok((made, path.clone())),
        KeySource::Variable(name) => Err(Box::new(in_variable(asked, made, name))),
    }
}

fn nothing(asked: &Asked<'_>) -> Box<Diagnostic> {
    let host = asked.host;
    let (message, help) = match host.issuer {
        Some(_) => (
            format!(
                "the key of `{}` is with whoever made its request",
                host.name
            ),
            "remove `request`: a key is then made here",
        ),
        None => (
            format!(
                "`{}` has no certificate that a Secret could be made of",
                host.name
            ),
            "give it one: `certificate: {chain: …, key: …}`, or an `issuer`",
        ),
    };
    let diagnostic = Diagnostic::new(&NO_KEY, asked.at, message)
        .also(host.place.key, "the host")
        .help(help)
        .help(there_already(asked));
    Box::new(diagnostic)
}

fn in_variable(asked: &Asked<'_>, made: &HostCertificate, variable: &str) -> Diagnostic {
    let message = format!(
        "the key of `{}` is in the variable `{variable}`, and kustomize makes Secrets of files",
        asked.host.name
    );
    Diagnostic::new(&NO_KEY, asked.at, message)
        .also(made.key_span, "the variable")
        .help("name the file in which it is where the cluster is deployed to: `key: …`")
        .help(there_already(asked))
        .help("or have it taken from a store: `secrets_via: external-secrets`")
}

fn there_already(asked: &Asked<'_>) -> String {
    format!(
        "or name the Secret that is there: `existing_secrets: {{{}: …}}`",
        asked.host.name
    )
}

fn two_namespaces(asked: &Asked<'_>, first: Span) -> Diagnostic {
    let host = &asked.host.name;
    let message = match asked.namespace {
        Some(namespace) => format!("the certificate of `{host}` is asked for in `{namespace}` too"),
        None => format!("the certificate of `{host}` is asked for in a second namespace"),
    };
    let diagnostic = Diagnostic::new(&TWO_NAMESPACES, asked.at, message).help(
        "give what runs in each namespace a host of its own, or have the Secrets made in the cluster: `secrets_via: external-secrets` or `cert-manager`",
    );
    match first == asked.at {
        true => diagnostic,
        false => diagnostic.also(first, "another namespace"),
    }
}
