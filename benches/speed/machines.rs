//! A machine with many hosts, whose certificates it asks for over ACME.

use std::fmt::Write as _;
use std::fs;

use crate::{row, tlsgen};

/// Measures one machine that serves 1,000 hosts, and 100 machines that serve one each.
pub fn run() {
    for (machines, each, claim) in [(1, 1_000, "500 ms"), (100, 1, "500 ms")] {
        let project = generated(machines, each);
        row(
            &format!("build {machines} machines of {each} hosts"),
            claim,
            1,
            || tlsgen(project.path(), "build"),
        );
        row(
            &format!("check {machines} machines of {each} hosts"),
            claim,
            3,
            || tlsgen(project.path(), "check"),
        );
    }
}

fn generated(machines: usize, each: usize) -> tempfile::TempDir {
    let project = tempfile::tempdir().expect("a directory");
    let (mut hosts, mut services, mut targets) = (String::new(), String::new(), String::new());
    for machine in 0..machines {
        let mut serves = String::new();
        for host in 0..each {
            let name = format!("h{machine}-{host}");
            let _ = writeln!(
                hosts,
                "  {name}: {{names: [{name}.lab.example], issuer: le}}"
            );
            let _ = writeln!(
                serves,
                "      - {{host: {name}, upstream: \"http://127.0.0.1:8080\", redirect_http: true}}"
            );
        }
        let _ = writeln!(
            services,
            "  web{machine}:\n    server: nginx@1.22\n    serves:\n{serves}"
        );
        let _ = writeln!(
            targets,
            "  m{machine}: {{kind: host, os: debian-12, output: machines/m{machine}, services: {{web{machine}: {{}}}}}}"
        );
    }
    let spec = format!(
        "version: 1\nproject: lab\nauthorities:\n  le: {{kind: acme, directory: letsencrypt, agree_to_terms: true}}\n\
         hosts:\n{hosts}services:\n{services}targets:\n{targets}"
    );
    fs::write(project.path().join("tlsgen.yaml"), spec).expect("it can be written");
    project
}
