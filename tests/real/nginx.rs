//! What is written for nginx, by nginx: tested in silence, started, and used.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic and touch the disk"
)]

mod support;

#[path = "nginx/lab.rs"]
mod lab;

use lab::{Application, Lab, releases};

/// One host with everything that a proxy can do.
const TOWER: &str = r#"
hosts:
  tower: {names: [tower.lab.example], certificate: {chain: pki/tower.pem, key: pki/tower.key}}
services:
  web:
    server: SERVER
    openssl: "OPENSSL"
    serves:
      - {host: tower, upstream: "http://127.0.0.1:UPSTREAM", websocket: true, redirect_http: true, hsts: 2y, headers: {X-Frame-Options: DENY}}
"#;

#[test]
fn a_host_is_served() {
    let application = Application::start(None);
    for release in releases() {
        let spec = TOWER.replace("UPSTREAM", &application.port.to_string());
        let mut lab = Lab::new(release);
        let serving = lab.serve(&spec, |_| ());
        println!("{}", serving.configuration[0].text);
        lab.install(&serving, "");
        let tower = lab.start();
        let answer = tower.get("tower.lab.example", "/a%20b?c=/%2f", &[]);
        assert_eq!(
            (answer.code, answer.http.as_str()),
            (200, "2"),
            "{answer:?}"
        );
        assert_eq!(answer.request(), "GET /a%20b?c=/%2f HTTP/1.1");
    }
}
