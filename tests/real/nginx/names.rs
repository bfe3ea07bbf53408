//! Whose name gets which certificate, and who gets none.

use super::lab::{Lab, OLD, Running, releases};
use super::listener::Application;
use super::support::judge;

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

/// The alert `unrecognized_name`.
const ALERT: &str = "SSL alert number 112";

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
fn who_names_nobody_gets_no_handshake() {
    let application = Application::start(None);
    for release in releases() {
        let running = Lab::new(release).run(&spec(&application, ""), |_| ());
        every_name_is_verified(&running);
        for stranger in [
            &["-servername", "nobody.lab.example"][..],
            &["-servername", "wild.lab.example"],
            &["-noservername"],
        ] {
            let refused = running.handshake(stranger);
            assert!(
                refused.said.contains(ALERT),
                "{stranger:?}: {}",
                refused.said
            );
        }
        let inside = running.get(
            "tower.lab.example",
            "/",
            &["-H", "Host: nobody.lab.example"],
        );
        assert_eq!(inside.code, 421);
        assert_eq!(inside.header("Server"), ["nginx"]);
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
        let stranger = running.handshake(&["-servername", "nobody.lab.example"]);
        assert!(stranger.said.contains(ALERT), "{}", stranger.said);
        let inside = running.get("127.0.0.1", "/", &["-H", "Host: nobody.lab.example"]);
        assert_eq!(inside.code, 421);
        let old = running.get("127.0.0.1", "/", &["--http1.0", "-H", "Host:"]);
        assert_eq!(old.code, 200, "{old:?}");
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

#[test]
fn a_release_that_cannot_refuse_a_handshake_hangs_up() {
    if judge("nginx-bookworm").is_none() {
        return;
    }
    let application = Application::start(None);
    for more in ["", NODE] {
        let text = spec(&application, more).replace("server: SERVER", "server: nginx@1.18");
        let running = Lab::new(OLD).run(&text, |_| ());
        every_name_is_verified(&running);
        let url = format!("https://nobody.lab.example:{}/", running.port());
        let stranger = running.curl(&["--insecure", "--http1.1", &url]);
        assert_eq!((stranger.code, stranger.exit), (0, 52), "{stranger:?}");
    }
}

#[test]
fn nginx_has_room_for_every_name() {
    let application = Application::start(None);
    let long = format!("{0}.{0}.{0}.lab.example", "n".repeat(63));
    for length in [46, 47, 110, 111, long.len()] {
        let name = &long[long.len() - length..];
        for release in releases() {
            let text = spec(&application, "").replace(
                "[tower.lab.example]",
                &format!("[tower.lab.example, {name}]"),
            );
            let mut lab = Lab::new(release);
            lab.leaf("tower", &["tower.lab.example", name]);
            let serving = lab.serve(&text, |_| ());
            lab.install(&serving, "");
        }
    }
}

#[test]
fn nginx_has_room_for_many_names() {
    let application = Application::start(None);
    for count in [29, 30, 100, 1000] {
        // Spread as names of people's choosing are: numbers in a row would fit too well.
        let names: Vec<String> = (1..=count)
            .map(|number: u64| {
                format!(
                    "{:x}.wild.lab.example",
                    number * 0x9e37_79b9_7f4a % 0xffff_fffb
                )
            })
            .collect();
        for release in releases() {
            let text = spec(&application, "").replace(
                "[\"*.wild.lab.example\"]",
                &format!("[{}]", names.join(", ")),
            );
            let mut lab = Lab::new(release);
            let serving = lab.serve(&text, |_| ());
            lab.install(&serving, "");
        }
    }
}
