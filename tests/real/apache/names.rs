//! Whose name gets which certificate, and who gets no answer.

use super::lab::{Lab, Running, releases};
use super::listener::Application;

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

const NODE: &str =
    "      - {host: node, upstream: \"http://127.0.0.1:UPSTREAM\", redirect_http: true}\n";

fn spec(application: &Application, more: &str) -> String {
    format!("{HOSTS}{more}").replace("UPSTREAM", &application.port.to_string())
}

fn named<'a>(name: &'a str, expected: &'a str) -> [&'a str; 5] {
    [
        "-verify_return_error",
        "-servername",
        name,
        "-verify_hostname",
        expected,
    ]
}

fn every_name_is_verified(running: &Running) {
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
fn who_names_nobody_gets_no_answer() {
    let application = Application::start(None);
    for release in releases() {
        let running = Lab::new(release).run(&spec(&application, ""), |_| ());
        every_name_is_verified(&running);
        for stranger in ["nobody.lab.example", "wild.lab.example"] {
            let verified = running.handshake(&named(stranger, stranger));
            assert!(!verified.verified, "{}", verified.said);
            let url = format!("https://{stranger}:{}/", running.port());
            let there = format!("{stranger}:{}:127.0.0.1", running.port());
            let answer = running.curl(&["--insecure", "--resolve", &there, &url]);
            assert_eq!(answer.code, 421, "{answer:?}");
        }
        let request = "GET / HTTP/1.1\r\nHost: tower.lab.example\r\nConnection: close\r\n\r\n";
        let unnamed = running.talk(&["-noservername"], request);
        assert!(unnamed.starts_with("HTTP/1.1 403 "), "{unnamed}");
        let other = "Host: nobody.lab.example";
        let inside = running.get("tower.lab.example", "/", &["-H", other]);
        assert_eq!(inside.code, 421);
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
        let refused = running.get("127.0.0.1", "/", &["-H", "Host: tower.lab.example"]);
        assert!([403, 421].contains(&refused.code), "{refused:?}");
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

/// Apache takes the first virtual host that fits, be it by a `*`.
#[test]
fn a_star_hides_no_other_host() {
    let application = Application::start(None);
    for release in releases() {
        let text =
            spec(&application, "").replace("[\"*.wild.lab.example\"]", "[\"*.lab.example\"]");
        let mut lab = Lab::new(release);
        lab.leaf("wild", &["*.lab.example"]);
        let serving = lab.serve(&text, |_| ());
        lab.install(&serving);
        let running = lab.start();
        for name in ["tower.lab.example", "git.lab.example"] {
            let good = running.handshake(&named(name, name));
            assert!(
                good.verified && !good.said.contains("CN=*"),
                "{}",
                good.said
            );
        }
    }
}

/// The other releases of the same configuration, which newer ones read as well.
#[test]
fn what_is_written_for_old_releases_works() {
    let application = Application::start(None);
    for release in releases() {
        for server in ["apache", "apache@2.4.37", "apache@2.4.47"] {
            let text =
                spec(&application, "").replace("server: SERVER", &format!("server: {server}"));
            let running = Lab::new(release).run(&text, |_| ());
            every_name_is_verified(&running);
        }
    }
}
