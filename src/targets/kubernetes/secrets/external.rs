//! A Secret that the External Secrets Operator makes of one in AWS.

use serde_json::json;

use super::Standing;
use crate::digest::Sha256;
use crate::model::{Model, Secret, SecretDefinition};
use crate::source::Span;
use crate::spec::{SecretStoreKind, Store};
use crate::targets::kubernetes::Gathering;
use crate::targets::kubernetes::secret::{metadata, put};

const FILE: &str = "secrets.yaml";

/// The longest name of an object (RFC 1123 subdomain), and how much of a longer one is kept.
const LONGEST_NAME: usize = 253;
const KEPT_OF_NAME: usize = 240;

/// Asks the operator for a secret. `None` where the secret is not in AWS, or the cluster has no
/// operator.
pub fn add(
    gathering: &mut Gathering<'_>,
    secret: &Secret,
    namespace: Option<&str>,
    asked_at: Span,
) -> Option<Standing> {
    let store = gathering.cluster.external_secrets.as_ref()?;
    let definition = secret.of_workspace(Store::AwsSecretsManager)?;
    let kind = match store.kind {
        SecretStoreKind::SecretStore => "SecretStore",
        SecretStoreKind::ClusterSecretStore => "ClusterSecretStore",
    };
    let object = object_name(gathering.inputs.model, secret);
    let value = json!({
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": metadata(&object, namespace),
        "spec": {
            "refreshInterval": format!("{}s", store.refresh),
            "secretStoreRef": {"kind": kind, "name": store.store},
            "target": {"name": object},
            "data": [{"secretKey": secret.name, "remoteRef": {"key": definition.stored}}],
        },
    });
    put(gathering, FILE, value, asked_at);
    Some(Standing {
        object,
        key: secret.name.clone(),
    })
}

/// The name of the Secret: of this one alone, since the operator takes out what it did not put in.
fn object_name(model: &Model, secret: &Secret) -> String {
    let plain = plain_name(&model.project, &secret.name);
    let of_another = model.secrets().any(|(_, other)| {
        let mut definitions = other.definitions.iter();
        let pushed = |one: &SecretDefinition| one.store == Store::Kubernetes && one.object == plain;
        definitions.any(pushed)
            || (other.name != secret.name && plain_name(&model.project, &other.name) == plain)
    });
    let of_a_host = model
        .hosts()
        .any(|(_, host)| format!("{}-{}-tls", model.project, host.name) == plain);
    match of_another || of_a_host || plain.len() > LONGEST_NAME {
        false => plain,
        true => {
            let kept = &plain[..plain.len().min(KEPT_OF_NAME)];
            let digest = Sha256::of(secret.name.as_bytes()).short(6);
            format!("{}-{digest}", kept.trim_end_matches(['-', '.']))
        }
    }
}

/// `tower-db-password` for `DB_PASSWORD`: letters, digits, `-` and `.`, and each part between two
/// `.` begins and ends with a letter or digit.
fn plain_name(project: &str, secret: &str) -> String {
    let name = format!(
        "{project}-{}",
        secret.to_ascii_lowercase().replace('_', "-")
    );
    let parts = name.split('.').map(|part| part.trim_matches('-'));
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    parts.join(".")
}

#[cfg(test)]
mod tests {
    use super::plain_name;

    #[test]
    fn names_are_subdomains() {
        for (secret, expected) in [
            ("DB_PASSWORD", "tower-db-password"),
            ("A._B", "tower-a.b"),
            ("a-.-.b_", "tower-a.b"),
            ("_a", "tower--a"),
            ("_", "tower"),
            ("a..b", "tower-a.b"),
        ] {
            assert_eq!(plain_name("tower", secret), expected, "{secret}");
        }
    }
}
