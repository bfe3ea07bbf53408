//! Where requests are passed on to.

use super::lab::{Lab, releases};
use super::listener::Application;
use super::server::install;

const SPEC: &str = r#"
hosts:
  tower: {names: [tower.lab.example], certificate: {chain: pki/tower.pem, key: pki/tower.key}}
services:
  web:
    server: SERVER
    runtime: system
    trust: [TRUST]
    tls_versions: VERSIONS
    serves:
      - {host: tower, upstream: "URL", websocket: true}
"#;

fn spec(url: &str, trust: &str) -> String {
    SPEC.replace("URL", url)
        .replace("TRUST", trust)
        .replace("VERSIONS", "{min: \"1.2\"}")
}

#[test]
fn an_upstream_over_tls_is_verified() {
    for release in releases() {
        for (certificate, trust, code) in [
            ("backend", "lab", 200),
            ("backend", "other", 500),
            ("wrong", "lab", 500),
        ] {
            let lab = Lab::new(release);
            let (chain, key) = (
                lab.path(&format!("{certificate}.pem")),
                lab.path(&format!("{certificate}.key")),
            );
            let application = Application::start(Some((&chain, &key)));
            let spec = spec(&format!("https://localhost:{}", application.port), trust);
            let bundle = lab.inside(&format!("{trust}.pem"));
            let running = lab.run(&spec, |place| place.trust_bundle = Some(bundle));
            let answer = running.get("tower.lab.example", "/", &[]);
            assert_eq!(
                answer.code,
                code,
                "{certificate} {trust}: {answer:?}\n{}",
                running.log()
            );
            if code == 200 {
                let authority = format!("localhost:{}", application.port);
                assert_eq!(answer.seen("Host"), Some(authority));
                let public = format!("tower.lab.example:{}", running.port());
                assert_eq!(answer.seen("X-Forwarded-Host"), Some(public));
            }
        }
    }
}

#[test]
fn only_the_protocols_of_the_spec_are_spoken_to_it() {
    for release in releases() {
        let lab = Lab::new(release);
        let (chain, key) = (lab.path("backend.pem"), lab.path("backend.key"));
        let application = Application::start(Some((&chain, &key)));
        let spec = SPEC
            .replace("URL", &format!("https://localhost:{}", application.port))
            .replace("TRUST", "lab")
            .replace("VERSIONS", "{min: \"1.2\", max: \"1.2\"}");
        let running = lab.run(&spec, |_| ());
        let answer = running.get("tower.lab.example", "/", &[]);
        assert_eq!(answer.code, 200, "{answer:?}\n{}", running.log());
    }
}

/// Why an address is refused as an upstream over TLS.
#[test]
fn apache_compares_no_addresses() {
    for release in releases() {
        let mut lab = Lab::new(release);
        let (chain, key) = (lab.path("backend.pem"), lab.path("backend.key"));
        let application = Application::start(Some((&chain, &key)));
        let url = format!("https://localhost:{}", application.port);
        let mut serving = lab.serve(&spec(&url, "lab"), |_| ());
        for file in &mut serving.configuration {
            file.text = file.text.replace("https://localhost", "https://127.0.0.1");
        }
        install(&lab, &serving);
        let running = lab.start();
        let answer = running.get("tower.lab.example", "/", &[]);
        assert_eq!(answer.code, 500, "{answer:?}\n{}", running.log());
    }
}

#[test]
fn a_prefix_is_joined_and_not_left() {
    for release in releases() {
        let application = Application::start(None);
        for prefix in ["", "/base", "/base/x;y=z"] {
            let url = format!("http://localhost:{}{prefix}", application.port);
            let running = Lab::new(release).run(&spec(&url, "lab"), |_| ());
            let answer = running.get("tower.lab.example", "/a%2Fb//c?d", &[]);
            assert_eq!(
                answer.request(),
                format!("GET {prefix}/a%2Fb//c?d HTTP/1.1")
            );
            for path in ["/a/../../b", "/../b", "/%2e%2e/b", "/a/%2E./../b"] {
                let escape = running.get("tower.lab.example", path, &["--path-as-is"]);
                assert_eq!(escape.code, 400, "{path}: {escape:?}");
            }
        }
    }
}

#[test]
fn an_upstream_that_comes_back_is_found_at_once() {
    for release in releases() {
        let url = "http://127.0.0.1:9";
        let running = Lab::new(release).run(&spec(url, "lab"), |_| ());
        for _ in 0..2 {
            let answer = running.get("tower.lab.example", "/", &[]);
            assert_eq!(answer.code, 503);
        }
        let refused = running
            .log()
            .matches("attempt to connect to 127.0.0.1:9")
            .count();
        assert_eq!(refused, 2, "{}", running.log());
    }
}
