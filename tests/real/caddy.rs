//! What is written for Caddy, by Caddy: judged in silence, started, and used.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    dead_code,
    reason = "a test may panic and touch the disk, and takes its part of what is shared"
)]

mod support;

#[path = "web/answer.rs"]
mod answer;
#[path = "proxy/clients.rs"]
mod clients;
#[path = "proxy/lab.rs"]
mod lab;
#[path = "proxy/machine.rs"]
mod machine;
#[path = "proxy/served.rs"]
mod served;

use lab::{Lab, Release};

const RELEASES: [Release; 3] = [
    Release {
        suite: "bookworm",
        server: "caddy@2.6.2",
        openssl: "",
    },
    Release {
        suite: "sid",
        server: "caddy@2.11",
        openssl: "",
    },
    Release {
        suite: "bookworm",
        server: "caddy",
        openssl: "",
    },
];

#[test]
fn hosts_are_served() {
    for release in RELEASES {
        served::hosts_are_served(release);
    }
}

#[test]
fn an_address_is_served() {
    for release in RELEASES {
        served::an_address_is_served(release);
    }
}

#[test]
fn upstreams_are_verified() {
    for release in RELEASES {
        served::upstreams_are_verified(release);
    }
}

#[test]
fn clients_are_asked() {
    for release in RELEASES {
        clients::clients_are_asked(release);
    }
}

#[test]
fn only_the_load_balancer_is_believed() {
    for release in RELEASES {
        served::only_the_load_balancer_is_believed(release);
    }
}

#[test]
fn guidelines_hold_by_host() {
    for release in RELEASES {
        served::guidelines_hold_by_host(release);
    }
}

#[test]
fn headers_arrive_as_they_were_written() {
    for release in RELEASES {
        served::headers_arrive_as_they_were_written(release, |value| {
            tlsgen::render::quote_caddy_literal(value).is_ok()
        });
    }
}

#[test]
fn a_renewed_certificate_is_taken() {
    for release in RELEASES {
        served::a_renewed_certificate_is_taken(release);
    }
}

/// Files of the client of the machine, whatever the directory is called.
#[test]
fn challenges_are_answered_from_a_directory() {
    for release in RELEASES {
        let Some(mut lab) = Lab::new(release) else {
            return;
        };
        let port = lab.application("");
        let root = "/lab/a {b} $c %d `e \"f";
        let spec = format!(
            "hosts:\n  tower: {{names: [tower.lab.example], certificate: {{chain: pki/tower.pem, key: pki/tower.key}}}}\nservices:\n  web:\n    server: SERVER\n    serves:\n      - {{host: tower, upstream: \"http://127.0.0.1:{port}\", redirect_http: true, challenge_root: {}}}\n",
            serde_json::to_string(root).unwrap()
        );
        lab.run(&spec, |_| ());
        let path = "/.well-known/acme-challenge/token";
        lab.machine.put(&format!("{root}{path}"), b"thumbprint");
        let answer = lab.get_plain("tower.lab.example", path, &[]);
        assert!(
            answer.code == 200 && answer.said.contains("thumbprint"),
            "{answer:?}"
        );
        assert_eq!(lab.get_plain("tower.lab.example", "/other", &[]).code, 308);
    }
}
