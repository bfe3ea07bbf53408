//! Where requests are passed on to.

use super::lab::{Lab, releases};
use super::listener::{Application, Resolver};
use super::server::install;
use super::support::text;

const SPEC: &str = r#"
hosts:
  tower: {names: [tower.lab.example], certificate: {chain: pki/tower.pem, key: pki/tower.key}}
services:
  web:
    server: SERVER
    runtime: system
    trust: [TRUST]
    tls_versions: {min: "1.2"}
    serves:
      - {host: tower, upstream: "URL"}
"#;

fn spec(url: &str, trust: &str) -> String {
    SPEC.replace("URL", url).replace("TRUST", trust)
}

#[test]
fn an_upstream_over_tls_is_verified() {
    for release in releases() {
        let lab = Lab::new(release);
        let (certificate, key) = (lab.path("backend.pem"), lab.path("backend.key"));
        let application = Application::start(Some((&certificate, &key)));
        let resolver = Resolver::start();
        for (name, trust, code) in [
            ("backend.lab.example", "lab", 200),
            ("backend.lab.example", "other", 502),
            ("wrong.lab.example", "lab", 502),
        ] {
            let spec = spec(&format!("https://{name}:{}", application.port), trust);
            let bundle = format!("{trust}.pem");
            let lab = Lab::new(release);
            for file in [&certificate, &key] {
                std::fs::copy(file, lab.path(file.file_name().unwrap().to_str().unwrap())).unwrap();
            }
            let bundle = lab.inside(&bundle);
            let running = lab.run(&spec, |place| {
                place.resolver = Some(resolver.address());
                place.trust_bundle = Some(bundle);
            });
            let answer = running.get("tower.lab.example", "/", &[]);
            assert_eq!(
                answer.code,
                code,
                "{name} {trust}: {answer:?}\n{}",
                running.log()
            );
        }
    }
}

/// Why an address is refused as an upstream over TLS.
#[test]
fn nginx_compares_no_addresses() {
    for release in releases() {
        let mut lab = Lab::new(release);
        let (certificate, key) = (lab.path("backend.pem"), lab.path("backend.key"));
        let application = Application::start(Some((&certificate, &key)));
        let url = format!("https://backend.lab.example:{}", application.port);
        let mut serving = lab.serve(&spec(&url, "lab"), |_| ());
        for file in &mut serving.configuration {
            file.text = file.text.replace("backend.lab.example", "127.0.0.1");
        }
        install(&lab, &serving);
        let running = lab.start();
        assert_eq!(running.get("tower.lab.example", "/", &[]).code, 502);
        assert!(
            running
                .log()
                .contains("certificate does not match \"127.0.0.1\""),
            "{}",
            running.log()
        );
    }
}

#[test]
fn nginx_starts_before_its_upstream_and_finds_it() {
    for release in releases() {
        let resolver = Resolver::start();
        let application = Application::start(None);
        for prefix in ["", "/base/x;y=z"] {
            let url = format!("http://backend_1:{}{prefix}", application.port);
            let running = Lab::new(release).run(&spec(&url, "lab"), |place| {
                place.resolver = Some(resolver.address())
            });
            let answer = running.get("tower.lab.example", "/a%2Fb//c?d", &[]);
            assert_eq!(
                answer.request(),
                format!("GET {prefix}/a%2Fb//c?d HTTP/1.1")
            );
        }
        drop(resolver);
    }
}

#[test]
fn a_prefix_is_joined_without_a_resolver_too() {
    for release in releases() {
        let application = Application::start(None);
        for host in ["127.0.0.1", "localhost"] {
            for prefix in ["", "/base"] {
                let url = format!("http://{host}:{}{prefix}", application.port);
                let running = Lab::new(release).run(&spec(&url, "lab"), |_| ());
                let answer = running.get("tower.lab.example", "/a%2Fb?c", &[]);
                assert_eq!(answer.request(), format!("GET {prefix}/a%2Fb?c HTTP/1.1"));
                let escape = running.get("tower.lab.example", "/a/../../b", &["--path-as-is"]);
                assert_eq!(escape.code, 400, "{escape:?}");
                let authority = running.lab.path("lab.pem");
                assert!(text(&authority).ends_with("lab.pem"));
            }
        }
    }
}
