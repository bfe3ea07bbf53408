//! Certificates that cert-manager has issued in the cluster, each with a new key.

use serde_json::{Map, Value, json};

use super::{Asked, metadata, put};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{CertificateTerms, ClusterIssuer, Host, SubjectName};
use crate::spec::{KeyType, Usage};
use crate::targets::kubernetes::Gathering;

pub static TOO_LATE: Code = Code {
    name: "renewal-too-late",
    severity: Severity::Error,
    summary: "a certificate is to be renewed less than five minutes before its end",
    manual: include_str!("../manual/renewal-too-late.md"),
};

const FILE: &str = "certificates.yaml";
/// The least time before its end that cert-manager accepts for a renewal, in seconds
/// (`MinimumRenewBefore`), also where it follows from a share.
const EARLIEST: i64 = 5 * 60;

/// Has an issuer sign the certificate of a host.
pub fn add(
    gathering: &mut Gathering<'_>,
    issuer: &ClusterIssuer,
    asked: &Asked<'_>,
) -> Result<(), Box<Diagnostic>> {
    let terms = &asked.host.terms;
    if terms.renew_before.seconds(terms.lifetime) < EARLIEST {
        return Err(Box::new(too_late(gathering, asked)));
    }
    let object = json!({
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": metadata(&asked.secret, asked.namespace),
        "spec": spec(asked, issuer),
    });
    put(gathering, FILE, object, asked.at);
    Ok(())
}

/// Seconds as Go prints a duration.
pub fn go_duration(seconds: i64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{hours}h{minutes}m{seconds}s")
}

fn spec(asked: &Asked<'_>, issuer: &ClusterIssuer) -> Value {
    let terms = &asked.host.terms;
    let mut spec = Map::new();
    let mut put = |name: &str, value: Value| spec.insert(name.to_owned(), value);
    put("secretName", json!(asked.secret));
    let (domains, addresses) = names(asked.host);
    if !domains.is_empty() {
        put("dnsNames", json!(domains));
    }
    if !addresses.is_empty() {
        put("ipAddresses", json!(addresses));
    }
    put("duration", json!(go_duration(terms.lifetime)));
    match terms.renew_before.share() {
        Some(share) => put("renewBeforePercentage", json!(share)),
        None => {
            let seconds = terms.renew_before.seconds(terms.lifetime);
            put("renewBefore", json!(go_duration(seconds)))
        }
    };
    put("usages", json!(usages(terms)));
    put("privateKey", private_key(terms.key));
    put(
        "issuerRef",
        json!({"name": issuer.name, "kind": issuer.kind, "group": issuer.group}),
    );
    put("revisionHistoryLimit", json!(1));
    Value::Object(spec)
}

/// The names of a host, each once: DNS names and addresses.
fn names(host: &Host) -> (Vec<String>, Vec<String>) {
    let (mut domains, mut addresses) = (Vec::new(), Vec::new());
    for (name, _) in &host.names {
        let (list, text) = match name {
            SubjectName::Dns(_) => (&mut domains, name.to_string()),
            SubjectName::Ip(_) => (&mut addresses, name.to_string()),
        };
        if !list.contains(&text) {
            list.push(text);
        }
    }
    (domains, addresses)
}

/// As certificates that are issued here have them: RSA may also encrypt the keys of a session.
fn usages(terms: &CertificateTerms) -> Vec<&'static str> {
    let is_rsa = matches!(
        terms.key,
        KeyType::Rsa2048 | KeyType::Rsa3072 | KeyType::Rsa4096
    );
    let all = [
        ("digital signature", true),
        ("key encipherment", is_rsa),
        ("server auth", terms.usages.contains(&Usage::Server)),
        ("client auth", terms.usages.contains(&Usage::Client)),
    ];
    let asked = all.into_iter().filter(|(_, asked)| *asked);
    asked.map(|(usage, _)| usage).collect()
}

/// A new key with each renewal. PKCS#8 is the one encoding that every server reads for every kind of
/// key, and that of the key store.
fn private_key(key: KeyType) -> Value {
    let (algorithm, size) = match key {
        KeyType::EcdsaP256 => ("ECDSA", Some(256)),
        KeyType::EcdsaP384 => ("ECDSA", Some(384)),
        KeyType::Rsa2048 => ("RSA", Some(2048)),
        KeyType::Rsa3072 => ("RSA", Some(3072)),
        KeyType::Rsa4096 => ("RSA", Some(4096)),
        KeyType::Ed25519 => ("Ed25519", None),
    };
    let mut object = Map::new();
    object.insert("algorithm".to_owned(), json!(algorithm));
    if let Some(size) = size {
        object.insert("size".to_owned(), json!(size));
    }
    object.insert("encoding".to_owned(), json!("PKCS8"));
    object.insert("rotationPolicy".to_owned(), json!("Always"));
    Value::Object(object)
}

fn too_late(gathering: &Gathering<'_>, asked: &Asked<'_>) -> Diagnostic {
    let host = asked.host;
    let loaded = &gathering.inputs.model.loaded;
    let own = loaded.spec.hosts.get(host.name.as_str());
    let span = match own.is_some_and(|host| host.renew_before.is_some()) {
        true => loaded.place(&["hosts", &host.name, "renew_before"]).value,
        false => loaded.place(&["defaults", "renew_before"]).value,
    };
    let seconds = host.terms.renew_before.seconds(host.terms.lifetime);
    let message = format!(
        "`{}` is to be renewed {seconds} seconds before its end, and cert-manager wants five minutes",
        host.name
    );
    Diagnostic::new(&TOO_LATE, span, message)
        .also(host.place.key, "the host")
        .help("write a larger share, such as `renew_before: 33%`, or a longer `lifetime`")
}
