//! Secrets that the External Secrets Operator makes of what a store outside holds.

use serde_json::json;

use super::certificate::go_duration;
use super::{Asked, metadata, put, say};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::spec::SecretStoreKind;
use crate::targets::kubernetes::Gathering;

pub static NO_STORE: Code = Code {
    name: "secret-store-missing",
    severity: Severity::Error,
    summary: "the External Secrets Operator is to bring certificates, and nothing says from where",
    manual: include_str!("../manual/secret-store-missing.md"),
};

const FILE: &str = "secrets.yaml";
const CHAIN: &str = "tls.crt";
const KEY: &str = "tls.key";

/// Has the operator make a Secret of an entry, which is called by the prefix and this name.
pub(super) fn add(
    gathering: &mut Gathering<'_>,
    secret: &str,
    entry: &str,
    asked: &Asked<'_>,
) -> Result<(), Box<Diagnostic>> {
    let cluster = gathering.cluster;
    let Some(from) = &cluster.external_secrets else {
        let of_authority = cluster.authorities_via.filter(|_| secret != asked.secret);
        let span = of_authority.map_or(cluster.secrets_via.1, |(_, span)| span);
        let message = "nothing says where the External Secrets Operator finds certificates";
        return Err(Box::new(Diagnostic::new(&NO_STORE, span, message).help(
            "name the store: `external_secrets: {store: {kind: ClusterSecretStore, name: …}}`",
        )));
    };
    let kind = match from.kind {
        SecretStoreKind::SecretStore => "SecretStore",
        SecretStoreKind::ClusterSecretStore => "ClusterSecretStore",
    };
    let entry = format!("{}{entry}", from.prefix);
    let property = |name: &str| {
        json!({
            "secretKey": name,
            "remoteRef": {"key": entry, "property": name},
        })
    };
    let object = json!({
        // v1beta1 is not served any more since 0.17.
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": metadata(secret, asked.namespace),
        "spec": {
            "refreshInterval": go_duration(from.refresh),
            "secretStoreRef": {"kind": kind, "name": from.store},
            "target": {
                "name": secret,
                // Without data of its own, the template takes what is fetched as it is.
                "template": {"type": "kubernetes.io/tls", "engineVersion": "v2"},
            },
            "data": [property(CHAIN), property(KEY)],
        },
    });
    put(gathering, FILE, object, asked.at);
    let each = match secret == asked.secret {
        true => format!("`{}HOST` for each host", from.prefix),
        false => format!("`{entry}`"),
    };
    let note = format!(
        "`{}` must have an entry {each}, with the properties `{CHAIN}` (leaf, then intermediates) and `{KEY}`",
        from.store
    );
    say(gathering, note);
    Ok(())
}
