//! Judges that are asked certificate by certificate: OpenSSL old and new, GnuTLS, and rustls.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::server::WebPkiClientVerifier;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::answers::{Answer, hold};
use super::cases::{CASES, Case};
use crate::support::{judge, text, there, utf8};

#[test]
fn openssl_verifies_strictly() {
    let Some(new) = judge("openssl-sid") else {
        return;
    };
    for openssl in [PathBuf::from("openssl"), new] {
        let answers = ask(|case| {
            let mut verify = Command::new(&openssl);
            verify.args([
                "verify",
                "-x509_strict",
                "-purpose",
                &format!("ssl{}", case.usage),
            ]);
            if case.usage == "server" {
                verify.args([named(&case.name), &case.name]);
            }
            verify.args(["-no-CApath", "-no-CAstore", "-CAfile", text(&case.anchors)]);
            verify.args(["-untrusted", text(&case.chain), text(&case.chain)]);
            verify
        });
        hold(text(&openssl), &answers, |_| false);
    }
}

#[test]
fn gnutls_verifies() {
    let is_there = Command::new("certtool").arg("--version").output().is_ok();
    if !there(is_there, "certtool: run tests/real/install.sh") || judge("openssl-sid").is_none() {
        return;
    }
    let answers = ask(|case| {
        let mut certtool = Command::new("certtool");
        certtool.args([
            "--verify",
            "--infile",
            text(&case.chain),
            "--load-ca-certificate",
            text(&case.anchors),
        ]);
        if case.usage == "server" {
            certtool.args([
                "--verify-hostname",
                &case.name,
                "--verify-purpose",
                "1.3.6.1.5.5.7.3.1",
            ]);
        } else {
            certtool.args(["--verify-purpose", "1.3.6.1.5.5.7.3.2"]);
        }
        certtool
    });
    hold("certtool", &answers, |_| false);
}

#[test]
fn rustls_agrees() {
    if judge("openssl-sid").is_none() {
        return;
    }
    let answers = CASES.all.iter().map(|case| {
        let said = rustls_says(case).map_err(|error| error.to_string());
        (case.id.clone(), said)
    });
    hold("rustls", &answers.collect(), |_| false);
}

fn rustls_says(case: &Case) -> Result<(), rustls::Error> {
    let mut roots = RootCertStore::empty();
    for anchor in certificates(&case.anchors) {
        roots.add(anchor)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let chain = certificates(&case.chain);
    let (leaf, rest) = chain.split_first().unwrap();
    let now = UnixTime::now();
    if case.usage == "client" {
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
        return verifier
            .unwrap()
            .verify_client_cert(leaf, rest, now)
            .map(|_| ());
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    let name = ServerName::try_from(case.name.as_str()).unwrap();
    let verified = verifier
        .unwrap()
        .verify_server_cert(leaf, rest, &name, &[], now);
    verified.map(|_| ())
}

fn certificates(path: &Path) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_file_iter(path)
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

/// One process for each case.
pub fn ask(command: impl Fn(&Case) -> Command) -> BTreeMap<String, Answer> {
    let answer = |case: &Case| {
        let output = command(case).output().unwrap();
        let said = utf8(&output.stdout) + &utf8(&output.stderr);
        (
            case.id.clone(),
            if output.status.success() {
                Ok(())
            } else {
                Err(said)
            },
        )
    };
    CASES.all.iter().map(answer).collect()
}

/// The option of OpenSSL's programs that holds a certificate to a name.
pub fn named(name: &str) -> &'static str {
    match name.parse::<std::net::IpAddr>() {
        Ok(_) => "-verify_ip",
        Err(_) => "-verify_hostname",
    }
}
