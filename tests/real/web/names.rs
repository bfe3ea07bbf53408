//! Whose name gets which certificate.

use super::lab::{Lab, releases};
use super::listener::Application;
use super::running::Running;

const HOSTS: &str = r#"
hosts:
  tower: {names: [tower.lab.example], certificate: {chain: pki/tower.pem, key: pki/tower.key}}
  git: {names: [git.lab.example, www.git.lab.example], certificate: {chain: pki/git.pem, key: pki/git.key}}
  wild: {names: ["*.wild.lab.example"], certificate: {chain: pki/wild.pem, key: pki/wild.key}}
  node: {names: [node.lab.example, 127.0.0.1], certificate: {chain: pki/node.pem, key: pki/node.key}}
services:
  web:
    server: SERVER
    openssl: "OPENSSL"
    serves:
      - {host: tower, upstream: "http://127.0.0.1:UPSTREAM", redirect_http: true}
      - {host: git, upstream: "http://127.0.0.1:UPSTREAM", redirect_http: true}
      - {host: wild, upstream: "http://127.0.0.1:UPSTREAM", redirect_http: true}
"#;

pub const NODE: &str =
    "      - {host: node, upstream: \"http://127.0.0.1:UPSTREAM\", redirect_http: true}\n";

pub fn spec(application: &Application, more: &str) -> String {
    format!("{HOSTS}{more}").replace("UPSTREAM", &application.port.to_string())
}

pub fn named<'a>(name: &'a str, expected: &'a str) -> [&'a str; 5] {
    [
        "-verify_return_error",
        "-servername",
        name,
        "-verify_hostname",
        expected,
    ]
}

pub fn every_name_is_verified(running: &Running) {
    for name in [
        "tower.lab.example",
        "git.lab.example",
        "www.git.lab.example",
        "a.wild.lab.example",
    ] {
        let good = running.handshake(&named(name, name));
        assert!(good.verified, "{name}: {}", good.said);
        let wrong = running.handshake(&named(name, "other.lab.example"));
        assert!(
            !wrong.verified && wrong.said.contains("ostname mismatch"),
            "{}",
            wrong.said
        );
        let answer = running.get(name, "/", &[]);
        assert_eq!(answer.code, 200, "{answer:?}");
        let plain = running.get_plain(name, "/x", &[]);
        let port = running.port();
        assert_eq!(
            (plain.code, plain.redirect),
            (308, format!("https://{name}:{port}/x"))
        );
    }
}

#[test]
fn a_host_with_an_address_answers_who_names_none() {
    let application = Application::start(None);
    for release in releases() {
        let running = Lab::new(release).run(&spec(&application, NODE), |_| ());
        every_name_is_verified(&running);
        let address = running.handshake(&[
            "-verify_return_error",
            "-noservername",
            "-verify_ip",
            "127.0.0.1",
        ]);
        assert!(address.verified, "{}", address.said);
        assert_eq!(running.get("127.0.0.1", "/", &[]).code, 200);
        let plain = running.get_plain("127.0.0.1", "/x", &[]);
        let port = running.port();
        assert_eq!(
            (plain.code, plain.redirect),
            (308, format!("https://127.0.0.1:{port}/x"))
        );
        let inside = running.get("127.0.0.1", "/", &["-H", "Host: nobody.lab.example"]);
        assert_eq!(inside.code, 421);
    }
}

#[test]
fn an_ipv6_address_is_a_name() {
    let application = Application::start(None);
    for release in releases() {
        let text = spec(&application, NODE).replace("127.0.0.1]", "\"::1\"]");
        let lab = Lab::new(release);
        lab.leaf("node", &["node.lab.example", "::1"]);
        let running = lab.run(&text, |_| ());
        let url = format!("https://[::1]:{}/", running.port());
        let answer = running.curl(&[&url]);
        assert_eq!(answer.code, 200, "{answer:?}");
        let plain = running.curl(&[&format!("http://[::1]:{}/x", running.plain_port())]);
        assert_eq!((plain.code, plain.redirect), (308, format!("{url}x")));
    }
}
