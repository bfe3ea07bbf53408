//! Revocation lists as they are written, before whoever looks at them: servers that verify clients, and verifiers.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic and touch the disk"
)]

mod support;

#[path = "revoked/project.rs"]
mod project;
#[path = "revoked/servers.rs"]
mod servers;

use std::path::Path;
use std::process::Command;

use project::{Project, Who};
use servers::{Server, accepts};
use support::nginx::Nginx;
use support::{checkout, judge, succeed, there, utf8};

fn source(name: &str) -> std::path::PathBuf {
    checkout().join("tests/real/revoked").join(name)
}

/// Every server lets in who has a good certificate and refuses who has a revoked one; once the lists have ended,
/// it refuses everybody.
fn judged(start: impl Fn(&Project) -> Server) {
    let fresh = Project::new(0);
    let server = start(&fresh);
    assert!(accepts(&fresh, &server, Who::Good), "a good client");
    assert!(!accepts(&fresh, &server, Who::Revoked), "a revoked client");
    assert!(accepts(&fresh, &server, Who::Again), "its new certificate");
    assert!(!accepts(&fresh, &server, Who::Nobody), "none");
    drop(server);
    let stale = Project::new(100);
    let server = start(&stale);
    assert!(!accepts(&stale, &server, Who::Good), "the lists ended");
}

#[test]
fn nginx_refuses_revoked_clients() {
    let Some(both) = Nginx::find() else { return };
    for nginx in both {
        judged(|project| servers::nginx(&nginx, project));
    }
}

#[test]
fn apache_refuses_revoked_clients() {
    if installed("apache2", "-v") {
        judged(servers::apache);
    }
}

#[test]
fn haproxy_refuses_revoked_clients() {
    if installed("haproxy", "-v") {
        judged(servers::haproxy);
    }
}

fn installed(program: &str, version: &str) -> bool {
    let found = Command::new(program).arg(version).output().is_ok();
    there(found, &format!("{program}: run tests/real/install.sh"))
}

#[test]
fn python_refuses_revoked_clients() {
    let Some(python) = judge("python-3.13") else {
        return;
    };
    let asked = |project: &Project, who| {
        let [chain, key] = project.client(who);
        let mut python = Command::new(&python);
        python
            .arg(source("judge.py"))
            .args([project.cas(), project.lists()]);
        python.args([project.chain("shop"), project.key("shop"), chain, key]);
        utf8(&succeed(&mut python).stdout).trim().to_owned()
    };
    let fresh = Project::new(0);
    assert_eq!(asked(&fresh, Who::Good), "good");
    assert_eq!(asked(&fresh, Who::Again), "good");
    assert_eq!(asked(&fresh, Who::Revoked), "certificate revoked");
    assert_eq!(asked(&Project::new(100), Who::Good), "CRL has expired");
}

#[test]
fn java_refuses_revoked_chains() {
    if !installed("java", "-version") {
        return;
    }
    let asked = |project: &Project| {
        let mut java = Command::new("java");
        java.arg(source("Judge.java"));
        java.args([project.file("pki/authorities/root.pem"), project.lists()]);
        java.args([Who::Good, Who::Revoked].map(|who| project.client(who)[0].clone()));
        utf8(&succeed(&mut java).stdout)
    };
    assert_eq!(asked(&Project::new(0)), "good\nREVOKED\n");
    assert_eq!(
        asked(&Project::new(100)),
        "UNDETERMINED_REVOCATION_STATUS\nUNDETERMINED_REVOCATION_STATUS\n"
    );
}

#[test]
fn openssl_wants_a_list_of_every_authority_and_finds_it() {
    let Some(openssl) = judge("openssl-sid") else {
        return;
    };
    let project = Project::new(0);
    let verify = |lists: &Path, who, options: &[&str]| {
        let [chain, _] = project.client(who);
        let mut verify = Command::new(&openssl);
        verify
            .args(["verify", "-x509_strict", "-crl_check_all"])
            .args(options);
        verify
            .arg("-CRLfile")
            .arg(lists)
            .arg("-CAfile")
            .arg(project.cas());
        verify.arg("-untrusted").arg(&chain).arg(&chain);
        let output = verify.output().unwrap();
        (output.status.success(), utf8(&output.stderr))
    };
    let lists = project.lists();
    let (passes, said) = verify(&lists, Who::Good, &[]);
    assert!(passes, "{said}");
    let (passes, said) = verify(&lists, Who::Revoked, &[]);
    assert!(!passes && said.contains("certificate revoked"), "{said}");
    for one in ["root", "issuing"] {
        let alone = project.file(&format!("pki/authorities/{one}.crl"));
        let (passes, said) = verify(&alone, Who::Good, &[]);
        assert!(
            !passes && said.contains("unable to get certificate CRL"),
            "{said}"
        );
    }
    let after = project.now + 91 * 86_400;
    let (passes, said) = verify(&lists, Who::Good, &["-attime", &after.to_string()]);
    assert!(!passes && said.contains("CRL has expired"), "{said}");
}

#[test]
fn every_list_is_signed_as_it_should_be() {
    let (Some(openssl), true) = (judge("openssl-sid"), installed("certtool", "--version")) else {
        return;
    };
    let project = Project::new(0);
    for (name, serials) in [("root", 0), ("issuing", 1)] {
        let list = project.file(&format!("pki/authorities/{name}.crl"));
        let own = project.file(&format!("pki/authorities/{name}.pem"));
        let mut crl = Command::new(&openssl);
        crl.args(["crl", "-noout", "-text", "-in"]).arg(&list);
        let output = succeed(crl.arg("-CAfile").arg(&own));
        assert!(utf8(&output.stderr).contains("verify OK"), "{output:?}");
        let text = utf8(&output.stdout);
        assert!(
            text.contains("X509v3 Authority Key Identifier") && text.contains("X509v3 CRL Number")
        );
        assert_eq!(text.matches("Serial Number:").count(), serials, "{text}");
        let mut gnutls = Command::new("certtool");
        gnutls
            .arg("--verify-crl")
            .arg("--load-ca-certificate")
            .arg(&own);
        let output = succeed(gnutls.arg("--infile").arg(&list));
        assert!(
            utf8(&output.stdout).contains("Verified"),
            "{}",
            utf8(&output.stdout)
        );
    }
}
