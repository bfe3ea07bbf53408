//! A host with everything that a proxy can do: served, started, and used.

use std::fs;
use std::process::Command;

use super::lab::{Lab, releases};
use super::listener::Application;
use super::server;
use super::support::{checkout, leaf, root, succeed, text, utf8};

/// One host with everything that a proxy can do.
const TOWER: &str = r#"
hosts:
  tower: {names: [tower.lab.example], certificate: {chain: pki/tower.pem, key: pki/tower.key}}
services:
  web:
    server: SERVER
    openssl: "OPENSSL"
    serves:
      - {host: tower, upstream: "http://127.0.0.1:UPSTREAM", websocket: true, redirect_http: true, hsts: 2y, hsts_include_subdomains: true, headers: {X-Frame-Options: DENY}, challenge_root: ROOT}
"#;

pub fn tower(lab: &Lab, application: &Application) -> String {
    TOWER
        .replace("UPSTREAM", &application.port.to_string())
        .replace("ROOT", &lab.inside("challenges"))
}

#[test]
fn a_host_is_served_and_its_upstream_told_the_truth() {
    let application = Application::start(None);
    for release in releases() {
        let lab = Lab::new(release);
        let spec = tower(&lab, &application);
        let tower = lab.run(&spec, |_| ());
        let forged = [
            "X-Forwarded-For: 6.6.6.6",
            "X-Real-IP: 6.6.6.6",
            "X-Forwarded-Proto: http",
            "X-Forwarded-Host: evil",
            "Forwarded: for=6.6.6.6",
            "X-Forwarded-Port: 1",
            "X-SSL-Client-Verify: SUCCESS",
            "X-SSL-Client-S-DN: CN=admin",
            "X-Kept: yes",
        ];
        let headers: Vec<&str> = forged
            .iter()
            .flat_map(|header| ["--header", header])
            .collect();
        let answer = tower.get("tower.lab.example", "/a%20b/%2f//c?d=/../%2F", &headers);
        assert_eq!(
            (answer.code, answer.http.as_str()),
            (200, "2"),
            "{answer:?}"
        );
        assert_eq!(answer.request(), "GET /a%20b/%2f//c?d=/../%2F HTTP/1.1");
        let authority = format!("tower.lab.example:{}", tower.port());
        for (name, seen) in [
            ("Host", Some(authority.as_str())),
            ("X-Forwarded-Host", Some(&authority)),
            ("X-Forwarded-For", Some("127.0.0.1")),
            ("X-Real-IP", Some("127.0.0.1")),
            ("X-Forwarded-Proto", Some("https")),
            ("Forwarded", None),
            ("X-Forwarded-Port", None),
            ("X-SSL-Client-Verify", None),
            ("X-SSL-Client-S-DN", None),
            ("X-Kept", Some("yes")),
        ] {
            assert_eq!(answer.seen(name).as_deref(), seen, "{name}");
        }
    }
}

#[test]
fn headers_come_with_errors_too_and_once() {
    let application = Application::start(None);
    for release in releases() {
        let lab = Lab::new(release);
        let spec = tower(&lab, &application);
        let tower = lab.run(&spec, |_| ());
        for code in [200, 404, 503] {
            let answer = tower.get("tower.lab.example", &format!("/status/{code}"), &[]);
            assert_eq!(answer.code, code);
            let hsts = answer.header("Strict-Transport-Security");
            assert_eq!(hsts, ["max-age=63072000; includeSubDomains"]);
            assert_eq!(answer.header("X-Frame-Options"), ["DENY"]);
        }
        let plain = tower.get_plain("tower.lab.example", "/", &[]);
        assert!(
            plain.header("Strict-Transport-Security").is_empty(),
            "{plain:?}"
        );
    }
    for release in releases() {
        let lab = Lab::new(release);
        let spec = tower(&lab, &application);
        let spec = spec.replace(&format!(":{}", application.port), ":1");
        let answer = lab.run(&spec, |_| ()).get("tower.lab.example", "/", &[]);
        assert_eq!(answer.code, server::NO_UPSTREAM);
        assert_eq!(answer.header("X-Frame-Options"), ["DENY"]);
        assert_eq!(answer.header("Strict-Transport-Security").len(), 1);
    }
}

#[test]
fn plain_http_is_redirected_but_for_challenges() {
    let application = Application::start(None);
    for release in releases() {
        let lab = Lab::new(release);
        let directory = lab.path("challenges/.well-known/acme-challenge");
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("token"), "token.thumbprint").unwrap();
        let spec = tower(&lab, &application);
        let tower = lab.run(&spec, |_| ());
        let port = tower.port();
        for path in [
            "/",
            "/a%20b?c=%0d%0aX:1",
            "//evil.example/",
            "/.well-known/other",
        ] {
            let answer = tower.get_plain("tower.lab.example", path, &["--path-as-is"]);
            assert_eq!(answer.code, 308, "{answer:?}");
            let to = format!("https://tower.lab.example:{port}{path}");
            assert_eq!(answer.header("Location"), [to.as_str()]);
        }
        let token = "/.well-known/acme-challenge/token";
        let answer = tower.get_plain("tower.lab.example", token, &[]);
        assert_eq!(answer.code, 200);
        assert_eq!(answer.header("Content-Type"), ["text/plain"]);
        assert!(answer.said.contains("token.thumbprint"));
        let escape = "/.well-known/acme-challenge/../../lab.key";
        let answer = tower.get_plain("tower.lab.example", escape, &["--path-as-is"]);
        assert_eq!(answer.code, 308);
        let stranger = tower.get_plain("nobody.lab.example", token, &[]);
        assert!(server::turned_away(&stranger), "{stranger:?}");
    }
}

#[test]
fn websocket_passes_and_nothing_else_is_switched_to() {
    let application = Application::start(None);
    for release in releases() {
        let lab = Lab::new(release);
        let spec = tower(&lab, &application);
        let tower = lab.run(&spec, |_| ());
        let client = checkout().join("tests/real/web/websocket.py");
        let authority = tower.lab.path("lab.pem");
        let mut python = Command::new("python3");
        python.arg(client).arg(tower.port().to_string());
        let echoed = succeed(python.args([text(&authority), "tower.lab.example", "häll☃"]));
        assert_eq!(utf8(&echoed.stdout), "häll☃\n");
        let smuggled = [
            "--http1.1",
            "-H",
            "Upgrade: h2c",
            "-H",
            "Connection: Upgrade, HTTP2-Settings",
            "-H",
            "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
        ];
        let answer = tower.get("tower.lab.example", "/", &smuggled);
        assert_eq!(answer.code, 200);
        assert_eq!(answer.seen("Upgrade"), None);
        let kept = answer.seen("Connection").unwrap_or_default();
        assert!(!kept.to_lowercase().contains("upgrade"), "{kept}");
    }
}

#[test]
fn redirects_of_the_application_lead_to_the_public_name() {
    let application = Application::start(None);
    for release in releases() {
        let lab = Lab::new(release);
        let spec = tower(&lab, &application).replace(
            &format!("127.0.0.1:{}", application.port),
            &format!("127.0.0.1:{}/base", application.port),
        );
        let tower = lab.run(&spec, |_| ());
        let (port, inner) = (tower.port(), application.port);
        let own = format!("https://tower.lab.example:{port}/x");
        for (said, heard) in [
            (format!("http://tower.lab.example:{port}/x"), own.as_str()),
            (own.clone(), &own),
            (format!("http://127.0.0.1:{inner}/base/x"), &own),
            ("/base/x".to_owned(), &own),
            (
                "https://elsewhere.example/base/".to_owned(),
                "https://elsewhere.example/base/",
            ),
        ] {
            let path = format!("/status/302?location={said}");
            let answer = tower.get("tower.lab.example", &path, &[]);
            assert_eq!(answer.code, 302);
            assert_eq!(answer.redirect, heard, "{said}");
            assert_eq!(answer.request(), format!("GET /base{path} HTTP/1.1"));
        }
    }
}

#[test]
fn a_renewed_certificate_is_taken_by_the_reload() {
    let application = Application::start(None);
    for release in releases() {
        let mut lab = Lab::new(release);
        let spec = tower(&lab, &application);
        let serving = lab.serve(&spec, |_| ());
        server::install(&lab, &serving);
        let tower = lab.start();
        let before = tower.certificate("tower.lab.example");
        let renewed = tower.lab.path("renewed");
        fs::create_dir(&renewed).unwrap();
        for file in ["lab.pem", "lab.key"] {
            fs::copy(tower.lab.path(file), renewed.join(file)).unwrap();
        }
        root(&renewed, "lab", "there already");
        leaf(&renewed, "lab", "tower", &["tower.lab.example"]);
        for file in ["tower.pem", "tower.key"] {
            fs::rename(renewed.join(file), tower.lab.path(file)).unwrap();
        }
        assert_eq!(tower.certificate("tower.lab.example"), before);
        tower.reload(&serving);
        assert_ne!(tower.certificate("tower.lab.example"), before);
    }
}
