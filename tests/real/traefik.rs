//! What is written for Traefik, run by Traefik: the oldest release of version 3 that is to be had,
//! and a current one; and read by its schemas.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic, and touch the disk"
)]

#[path = "serving/asked.rs"]
mod asked;
#[path = "serving/client.rs"]
mod client;
#[path = "serving/edge.rs"]
mod edge;
#[path = "serving/process.rs"]
mod process;
#[path = "traefik/schema.rs"]
mod schema;
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use edge::{Edge, RELEASES};
use support::{leaf, root, text};

/// Values that YAML, Go's templates or a shell would take for something else.
const VALUES: &[&str] = &[
    "{{ .x }}",
    "{{{a}}}",
    "{{/* b */}}",
    "{{`",
    "a}}b",
    "`",
    "$HOME ${x} $$",
    "%d",
    "a: b",
    "- a",
    "#x",
    "a #b",
    "null",
    "true",
    "0o17",
    "~",
    "'",
    "\"",
    "\\n",
    "*a",
    "&a",
    "!a",
    "@a",
    "[a]",
    "a,b",
    "?",
    "<<",
    "1_000",
    "=",
    ";",
];

#[test]
fn hosts_are_served_as_the_spec_says() {
    for release in RELEASES {
        let Some(edge) = Edge::find(release) else {
            return;
        };
        let headers: Vec<String> = VALUES
            .iter()
            .enumerate()
            .map(|(index, value)| format!("X-{index}: {}", serde_json::to_string(value).unwrap()))
            .collect();
        let edge = edge.serves(&format!(
            "      - host: git\n        upstream: UPSTREAM/app\n        redirect_http: true\n        hsts: 2y\n        \
             websocket: true\n        headers: {{{}}}\n      \
             - {{host: wild, upstream: UPSTREAM, tls: modern}}\n",
            headers.join(", ")
        ));
        let (status, said, body) = edge.get("git.lab.example", "/x?y", &[]);
        assert_eq!(status, "200 2", "{said}");
        assert_eq!(body["path"], "/app/x?y");
        assert_eq!(body["headers"]["Host"], "git.lab.example");
        assert_eq!(body["headers"]["X-Forwarded-Proto"], "https");
        let spoofed = [
            "-H",
            "X-Forwarded-For: 10.9.8.7",
            "-H",
            "X_Forwarded_For: 10.9.8.7",
        ];
        let (_, _, body) = edge.get("git.lab.example", "/", &spoofed);
        assert_eq!(body["headers"]["X-Forwarded-For"], "127.0.0.1");
        // Since 3.7.12 it leaves out what applications take for the same.
        let kept = body["headers"]
            .get("X_forwarded_for")
            .or(body["headers"].get("X_Forwarded_For"));
        assert_eq!(kept.is_some(), release == "3.0.4", "{body}");
        assert!(
            said.contains("strict-transport-security: max-age=63072000\r\n"),
            "{said}"
        );
        for (index, value) in VALUES.iter().enumerate() {
            let line = format!("\r\nx-{index}: {}\r\n", value);
            assert!(said.contains(&line), "{release} {value}: {said}");
        }
        // The exact name wins over the wildcard, whose guideline is another.
        assert!(edge.client().handshake("git.lab.example", &["-tls1_2"]));
        assert!(edge.client().handshake("git.lab.example", &["-tls1_3"]));
        assert!(!edge.client().handshake(
            "git.lab.example",
            &["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"]
        ));
        assert!(!edge.client().handshake("www.lab.example", &["-tls1_2"]));
        assert!(edge.client().handshake("www.lab.example", &["-tls1_3"]));
        let (status, said, body) = edge.get("www.lab.example", "/y", &[]);
        assert_eq!((status.as_str(), &body["path"]), ("200 2", &"/y".into()));
        assert!(!said.contains("strict-transport"), "{said}");
        // Unknown names are refused in the handshake, and so is who sends none.
        for unknown in ["www.example.org", "a.b.lab.example", "lab.example"] {
            assert!(!edge.client().handshake(unknown, &[]), "{unknown}");
        }
        assert!(!edge.client().handshake("", &[]));
        assert_eq!(edge.client().websocket("git.lab.example"), "echo me");
        let (status, location) = edge.redirect("git.lab.example", "/a?b");
        assert_eq!(
            (status.as_str(), location.as_str()),
            ("301", "https://git.lab.example/a?b")
        );
        assert_eq!(edge.redirect("www.lab.example", "/").0, "404");
        assert_eq!(edge.redirect("www.example.org", "/").0, "404");
        edge.complained_of(&["No domain found in rule"]);
    }
}

#[test]
fn who_names_an_address_is_served_and_unknown_names_get_no_page() {
    for release in RELEASES {
        let Some(edge) = Edge::find(release) else {
            return;
        };
        let edge = edge.serves(
            "      - {host: git, upstream: UPSTREAM}\n      - {host: address, upstream: UPSTREAM/b, tls: modern}\n",
        );
        let (status, said, body) = edge.get("127.0.0.1", "/", &[]);
        assert_eq!(
            (status.as_str(), &body["path"]),
            ("200 2", &"/b/".into()),
            "{said}"
        );
        assert_eq!(edge.get("git.lab.example", "/", &[]).0, "200 2");
        assert_eq!(edge.get("www.example.org", "/", &["--insecure"]).0, "404 2");
        edge.complained_of(&[]);
    }
}

#[test]
fn clients_present_certificates_where_they_must() {
    for release in RELEASES {
        let Some(edge) = Edge::find(release) else {
            return;
        };
        let at = edge.directory.join("clients");
        root(&at, "clients", "Clients");
        root(&at, "others", "Others");
        leaf(&at, "clients", "robot", &["robot"]);
        leaf(&at, "others", "stranger", &["stranger"]);
        client_certificate(&at, "clients", "robot");
        client_certificate(&at, "others", "stranger");
        let edge = edge.serves(
            "      - {host: git, upstream: UPSTREAM, client_auth: {trust: [clients]}}\n      \
             - {host: wild, upstream: UPSTREAM, client_auth: {trust: [clients], mode: optional}}\n      \
             - {host: open, upstream: UPSTREAM}\n",
        );
        let as_client = |name: &str| {
            [
                at.join(format!("{name}.pem")),
                at.join(format!("{name}.key")),
            ]
            .map(|path| path.display().to_string())
        };
        let [robot, robot_key] = as_client("robot");
        let [stranger, stranger_key] = as_client("stranger");
        let robot = ["--cert", &robot, "--key", &robot_key];
        let stranger = ["--cert", &stranger, "--key", &stranger_key];
        for (name, nobody) in [("git.lab.example", "000 "), ("www.lab.example", "200 ")] {
            assert!(
                edge.get(name, "/", &[]).0.starts_with(nobody),
                "{release} {name}"
            );
            assert_eq!(edge.get(name, "/", &robot).0, "200 2", "{name}");
            assert!(
                edge.get(name, "/", &stranger).0.starts_with("000 "),
                "{name}"
            );
        }
        // The application is told who came, and believes nobody who says so himself.
        let certificate = fs::read_to_string(at.join("robot.pem")).unwrap();
        let certificate: String = certificate
            .lines()
            .filter(|line| !line.starts_with('-'))
            .collect();
        let claims = [
            "-H",
            "X-Forwarded-Tls-Client-Cert: claimed",
            "-H",
            "x-forwarded-tls-client-cert-info: claimed",
        ];
        let told = |body: &serde_json::Value| {
            ["", "-Info"].map(|suffix| {
                let said = &body["headers"][format!("X-Forwarded-Tls-Client-Cert{suffix}")];
                said.as_str().unwrap_or_default().to_owned()
            })
        };
        for name in ["git.lab.example", "www.lab.example"] {
            let (_, _, body) = edge.get(name, "/", &[&robot[..], &claims[..]].concat());
            let [whole, words] = told(&body);
            assert_eq!(whole, certificate, "{release} {name}");
            assert!(
                words.contains("CN%3Drobot") && words.contains("CN%3DClients"),
                "{words}"
            );
        }
        for name in ["www.lab.example", "open.lab.example"] {
            let (status, _, body) = edge.get(name, "/", &claims);
            assert!(status.starts_with("200 "), "{release} {name}");
            assert!(
                !body.to_string().to_lowercase().contains("tls-client"),
                "{release} {body}"
            );
        }
        // Who was let in under a name that asks for nothing gets no page of one that does.
        let host = ["--header", "Host: git.lab.example"];
        assert_eq!(edge.get("www.lab.example", "/", &host).0, "421 2");
        // It complains of each request without a certificate, where none is demanded.
        edge.complained_of(&["No domain found in rule", "without mutual TLS"]);
    }
}

fn client_certificate(at: &std::path::Path, ca: &str, name: &str) {
    let file = |suffix: &str| at.join(format!("{name}.{suffix}"));
    fs::write(file("ext"), "extendedKeyUsage=clientAuth\n").unwrap();
    let ca = |suffix: &str| at.join(format!("{ca}.{suffix}"));
    support::succeed(
        Command::new("openssl")
            .args(["req", "-new", "-subj", &format!("/CN={name}")])
            .args(["-key", text(&file("key")), "-out", text(&file("csr"))]),
    );
    support::succeed(
        Command::new("openssl")
            .args(["x509", "-req", "-days", "9"])
            .args([
                "-in",
                text(&file("csr")),
                "-CA",
                text(&ca("pem")),
                "-CAkey",
                text(&ca("key")),
                "-extfile",
                text(&file("ext")),
                "-out",
                text(&file("pem")),
            ]),
    );
}

#[test]
fn an_upstream_is_passed_on_to_when_it_is_who_it_should_be() {
    for release in RELEASES {
        for (trusted, names, expected) in [
            (true, ["localhost"], "200 2"),
            (true, ["backend.lab.example"], "500 2"),
            (false, ["localhost"], "500 2"),
        ] {
            let Some(edge) = Edge::find(release) else {
                return;
            };
            let edge = edge
                .with_tls_upstream(trusted, &names)
                .serves("      - {host: git, upstream: UPSTREAM}\n");
            let (status, _, _) = edge.get("git.lab.example", "/", &[]);
            assert_eq!(status, expected, "{release} {trusted} {names:?}");
        }
    }
}

#[test]
fn an_upstream_is_shown_the_identity_and_its_successor_after_the_signal() {
    for release in RELEASES {
        let Some(edge) = Edge::find(release) else {
            return;
        };
        let at = edge.directory.join("clients");
        root(&at, "clients", "Clients");
        for name in ["robot", "successor"] {
            leaf(&at, "clients", name, &[name]);
            client_certificate(&at, "clients", name);
        }
        let edge = edge
            .with_demanding_upstream(true)
            .serves("      - {host: git, upstream: UPSTREAM}\n");
        let client = || edge.get("git.lab.example", "/", &[]).2["client"].clone();
        assert_eq!(client(), "robot", "{release}: {}", edge.said());
        for suffix in ["pem", "key"] {
            let [from, to] = ["successor", "robot"].map(|name| at.join(format!("{name}.{suffix}")));
            fs::rename(from, to).unwrap();
        }
        edge.reload();
        assert!(
            edge.soon(|| client() == "successor"),
            "{release}: {}",
            edge.said()
        );

        let edge = Edge::find(release).unwrap();
        root(&edge.directory.join("clients"), "clients", "Clients");
        let edge = edge
            .with_demanding_upstream(false)
            .serves("      - {host: git, upstream: UPSTREAM}\n");
        let (status, _, _) = edge.get("git.lab.example", "/", &[]);
        assert!(status.starts_with("50"), "{release}: {status}");
    }
}

#[test]
fn a_renewed_certificate_is_served_after_the_signal_and_connections_survive() {
    for release in RELEASES {
        let Some(edge) = Edge::find(release) else {
            return;
        };
        let edge = edge.serves("      - {host: git, upstream: UPSTREAM}\n");
        let before = edge.client().serial("git.lab.example");
        let mut open = edge.client().open("git.lab.example");
        assert!(open.ask("/").contains("200 OK"));
        edge.renew();
        assert_eq!(
            edge.client().serial("git.lab.example"),
            before,
            "{release} does not watch certificates"
        );
        edge.reload();
        assert!(
            edge.soon(|| edge.client().serial("git.lab.example") != before),
            "{release}"
        );
        assert!(open.ask("/").contains("200 OK"), "{release}");
    }
}

#[test]
fn an_authority_is_asked_and_its_answers_are_kept_from_others() {
    for release in RELEASES {
        let Some(edge) = Edge::find(release) else {
            return;
        };
        let root = if release == "3.7.15" {
            ", root: pki/corp.pem, profile: shortlived"
        } else {
            ""
        };
        let edge = edge.issued_by(&format!(
            "{{kind: acme, directory: \"https://127.0.0.1:9/directory\", email: admin@lab.example, agree_to_terms: true{root}}}"
        ));
        let edge = edge.serves("      - {host: issued, upstream: UPSTREAM, redirect_http: true}\n");
        let state = edge.directory.join("state/acme.json");
        assert!(edge.soon(|| state.exists()));
        assert_eq!(
            fs::metadata(&state).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert!(
            edge.soon(|| edge.said().contains("127.0.0.1:9/directory")),
            "{}",
            edge.said()
        );
        edge.complained_of(&["127.0.0.1:9"]);
        // Challenges are answered before the redirect: an unknown one by Traefik, with 404.
        let path = "/.well-known/acme-challenge/x";
        assert_eq!(edge.redirect("issued.lab.example", path).0, "404");
        assert_eq!(edge.redirect("issued.lab.example", "/").0, "301");
    }
}

#[test]
fn who_stands_behind_a_balancer_believes_it_and_nobody_else() {
    for release in RELEASES {
        for (network, address, scheme) in [
            ("127.0.0.0/8", "10.9.8.7, 127.0.0.1", "https"),
            ("10.0.0.0/8", "127.0.0.1", "http"),
        ] {
            let Some(edge) = Edge::find(release) else {
                return;
            };
            let edge = edge.serves(&format!(
                "      - {{host: git, upstream: UPSTREAM, hsts: 1y, behind: {{networks: [{network}]}}}}\n"
            ));
            let balancer = [
                "-H",
                "X-Forwarded-For: 10.9.8.7",
                "-H",
                "X-Forwarded-Proto: https",
            ];
            let (status, said, body) = edge.get_plain("git.lab.example", "/", &balancer);
            assert_eq!(status, "200 1.1");
            assert_eq!(body["headers"]["X-Forwarded-For"], address);
            assert_eq!(body["headers"]["X-Forwarded-Proto"], scheme);
            assert!(
                said.to_lowercase().contains("strict-transport-security"),
                "{said}"
            );
            assert_eq!(edge.get("git.lab.example", "/", &[]).0, "000 0");
        }
    }
}
