//! What is written for HAProxy, by HAProxy: judged in silence, started, and used.

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
        server: "haproxy@2.6",
        openssl: "3.0",
    },
    Release {
        suite: "sid",
        server: "haproxy@3.2",
        openssl: "3.6",
    },
    Release {
        suite: "sid",
        server: "haproxy",
        openssl: "3.6",
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
            tlsgen::render::quote_haproxy(value).is_ok()
        });
    }
}

#[test]
fn a_renewed_certificate_is_taken() {
    for release in RELEASES {
        served::a_renewed_certificate_is_taken(release);
    }
}

/// HAProxy serves no files: whoever asks for the certificate answers by itself.
#[test]
fn challenges_are_passed_on() {
    for release in RELEASES {
        let Some(mut lab) = Lab::new(release) else {
            return;
        };
        let port = lab.application("");
        let spec = format!(
            "hosts:\n  tower: {{names: [tower.lab.example], issuer: acme}}\n  git: {{names: [git.lab.example], certificate: {{chain: pki/git.pem, key: pki/git.key}}}}\nservices:\n  web:\n    server: SERVER\n    serves:\n      - {{host: tower, upstream: \"http://127.0.0.1:{port}\", redirect_http: true}}\n      - {{host: git, upstream: \"http://127.0.0.1:{port}\", redirect_http: true}}\n"
        );
        let serving = lab.run(&spec, |_| ());
        let client = serving.challenge_port.unwrap();
        lab.machine
            .put("/lab/www/.well-known/acme-challenge/token", b"thumbprint");
        let client =
            format!("exec python3 -m http.server --bind 127.0.0.1 --directory /lab/www {client}");
        let path = "/.well-known/acme-challenge/token";
        assert_eq!(lab.get_plain("tower.lab.example", path, &[]).code, 503);
        lab.machine.start(&client, "/lab/client.log");
        let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
        loop {
            let answer = lab.get_plain("tower.lab.example", path, &[]);
            if answer.code == 200 {
                assert!(answer.said.contains("thumbprint"));
                break;
            }
            assert!(std::time::Instant::now() < end, "{answer:?}");
        }
        assert_eq!(lab.get_plain("tower.lab.example", "/other", &[]).code, 308);
        assert_eq!(lab.get_plain("git.lab.example", path, &[]).code, 308);
    }
}

/// With the library named, the guideline's groups.
#[test]
fn groups_are_those_that_the_library_knows() {
    for release in RELEASES {
        let Some(mut lab) = Lab::new(release) else {
            return;
        };
        let port = lab.application("");
        let spec = format!(
            "hosts:\n  tower: {{names: [tower.lab.example], certificate: {{chain: pki/tower.pem, key: pki/tower.key}}}}\nservices:\n  web:\n    server: SERVER\n    openssl: \"{}\"\n    serves:\n      - {{host: tower, upstream: \"http://127.0.0.1:{port}\"}}\n",
            release.openssl
        );
        lab.run(&spec, |_| ());
        for (group, spoken) in [("X25519", true), ("P-384", true), ("P-521", false)] {
            let only = [
                "-servername",
                "tower.lab.example",
                "-tls1_3",
                "-groups",
                group,
            ];
            assert_eq!(
                lab.handshake(&only).happened(),
                spoken,
                "{release:?} {group}"
            );
        }
        if release.suite == "sid" {
            let newest = [
                "-servername",
                "tower.lab.example",
                "-groups",
                "X25519MLKEM768",
            ];
            assert!(lab.handshake(&newest).happened());
        }
    }
}
