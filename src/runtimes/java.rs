//! The JVM: a keystore of its own.

use super::{Request, Runtime, TRUSTSTORE, TRUSTSTORE_PASSWORD, append};
use crate::provision::{Mechanism, Provision, RuntimeFile, Step, Value};
use crate::spec::{Protocol, TlsVersions};

/// The JVM.
pub const RUNTIME: Runtime = Runtime {
    name: "java",
    summary: "Java and everything else on a JVM",
    manual: include_str!("manual/java.md"),
    mechanisms: &[
        Mechanism::Truststore,
        Mechanism::Keytool,
        Mechanism::Download,
    ],
    provision,
};

/// Every JVM reads it, and its own children too; unlike `JAVA_OPTS`, which only some scripts pass on.
const OPTIONS: &str = "JAVA_TOOL_OPTIONS";

fn provision(request: &Request<'_>) -> Provision {
    let mut provision = request.start("java");
    match request.mechanism {
        Mechanism::Keytool => keytool(request, &mut provision),
        Mechanism::Truststore => {
            let store = request.anchors.truststore(TRUSTSTORE_PASSWORD);
            provision
                .files
                .push(RuntimeFile::readable(TRUSTSTORE, store));
            provision
                .variables
                .push(append(OPTIONS, truststore_options(request)));
        }
        _ => provision
            .variables
            .push(append(OPTIONS, truststore_options(request))),
    }
    if let Some(options) = request.tls_versions.map(version_options) {
        provision
            .variables
            .push(append(OPTIONS, Value::text(options)));
    }
    super::union([provision])
}

/// JKS is what every JVM from 8 to the newest reads; the type is said because 8 cannot guess it.
fn truststore_options(request: &Request<'_>) -> Value {
    Value::text("-Djavax.net.ssl.trustStore=")
        .join(request.file(TRUSTSTORE))
        .then(format!(
            " -Djavax.net.ssl.trustStoreType=JKS -Djavax.net.ssl.trustStorePassword={TRUSTSTORE_PASSWORD}",
        ))
}

fn keytool(request: &Request<'_>, provision: &mut Provision) {
    provision.steps.push(Step {
        script: "keytool.sh".to_owned(),
        mechanism: Mechanism::Keytool,
        needs_root: true,
        writes: Some("the JVM's own directory".to_owned()),
    });
    provision.files.extend(request.anchor_files());
    if request.exact() {
        let note = "keytool adds to the JVM's own cacerts: the public roots of the image remain";
        provision.notes.push(note.to_owned());
    }
}

/// The second property is for the mail library, which asks for its protocols by itself.
fn version_options(versions: TlsVersions) -> String {
    let names: Vec<&str> = [(Protocol::Tls12, "TLSv1.2"), (Protocol::Tls13, "TLSv1.3")]
        .into_iter()
        .filter(|(protocol, _)| versions.min.is_none_or(|min| *protocol >= min))
        .filter(|(protocol, _)| versions.max.is_none_or(|max| *protocol <= max))
        .map(|(_, name)| name)
        .collect();
    format!(
        "-Djdk.tls.client.protocols={} \"-Dmail.smtp.ssl.protocols={}\"",
        names.join(","),
        names.join(" "),
    )
}
