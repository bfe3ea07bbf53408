//! Lines for a server block that exists.

use std::fs;

use super::lab::{Lab, client, releases};
use super::listener::Application;
use super::running::Running;
use super::server::install_around;
use super::support::text;

const SPEC: &str = r#"
hosts:
  tower: {names: [tower.lab.example, www.tower.lab.example], certificate: {chain: pki/tower.pem, key: pki/tower.key}}
services:
  web:
    server: SERVER
    openssl: "OPENSSL"
    serve_as: include
    serves:
      - {host: tower, redirect_http: true, hsts: 2y, headers: {X-A: "$b"}MORE}
"#;

const BLOCK: &str = r#"
server {
    listen PLAIN;
    listen [::]:PLAIN;
    server_name tower.lab.example;
    INCLUDE
    location /own/ { return 200 "own $scheme"; }
    location = /own/added { add_header X-B c; return 200 "own"; }
    LOCATION
}
"#;

fn running(spec: &str, release: super::lab::Release, location: &str) -> Running {
    let mut lab = Lab::new(release);
    lab.leaf("tower", &["tower.lab.example", "www.tower.lab.example"]);
    let spec = spec.replace("ROOT", &lab.inside("challenges"));
    let serving = lab.serve(&spec, |place| {
        place.hosts[0].block_names = vec!["tower.lab.example".to_owned()];
    });
    assert_eq!(serving.configuration.len(), 2);
    let block = BLOCK
        .replace("PLAIN", &lab.place.hosts[0].plain_port.to_string())
        .replace("LOCATION", location);
    install_around(&lab, &serving, &block);
    lab.start()
}

#[test]
fn the_locations_of_the_block_stay() {
    for release in releases() {
        let spec = SPEC.replace("MORE", "");
        let tower = running(&spec, release, "location / { return 404; }");
        for name in ["tower.lab.example", "www.tower.lab.example"] {
            let answer = tower.curl(&[
                &format!("https://{name}:{}/own/", tower.port()),
                "--resolve",
                &format!("{name}:{}:127.0.0.1", tower.port()),
            ]);
            assert_eq!(
                (answer.code, answer.http.as_str()),
                (200, "2"),
                "{answer:?}"
            );
            assert!(answer.said.contains("own https"));
            assert_eq!(answer.header("X-A"), ["$b"]);
            assert_eq!(
                answer.header("Strict-Transport-Security"),
                ["max-age=63072000"]
            );
        }
        let merged = tower.get("tower.lab.example", "/own/added", &[]);
        let kept = if release.server == "nginx@1.30" {
            vec!["$b"]
        } else {
            vec![]
        };
        assert_eq!(merged.header("X-A"), kept);
        assert_eq!(merged.header("X-B"), ["c"]);
        let missing = tower.get("tower.lab.example", "/x", &[]);
        assert_eq!(
            (missing.code, missing.header("X-A")),
            (404, vec!["$b".to_owned()])
        );
        let plain = tower.get_plain("tower.lab.example", "/own/?x=//y", &[]);
        let to = format!("https://tower.lab.example:{}/own/?x=//y", tower.port());
        assert_eq!((plain.code, plain.redirect.clone()), (308, to));
        assert!(plain.header("Strict-Transport-Security").is_empty());
        // The block answers for any name here; nobody is sent to one that is not the host's.
        for name in [
            "evil.example",
            "xtower.lab.example",
            "tower.lab.example.evil.example",
        ] {
            let host = format!("Host: {name}");
            let answer = tower.get_plain("tower.lab.example", "/own/", &["-H", &host]);
            assert_eq!((answer.code, answer.redirect.as_str()), (200, ""), "{name}");
            assert!(answer.header("Strict-Transport-Security").is_empty());
        }
        let stranger = tower.handshake(&["-servername", "nobody.lab.example"]);
        assert!(
            stranger.said.contains("SSL alert number 112"),
            "{}",
            stranger.said
        );
    }
}

#[test]
fn a_location_that_passes_on_is_brought_where_there_is_an_upstream() {
    let application = Application::start(None);
    for release in releases() {
        let upstream = format!(
            ", websocket: true, upstream: \"http://127.0.0.1:{}\"",
            application.port
        );
        let tower = running(&SPEC.replace("MORE", &upstream), release, "");
        assert_eq!(
            tower.get("tower.lab.example", "/x", &[]).request(),
            "GET /x HTTP/1.1"
        );
        assert!(
            tower
                .get("tower.lab.example", "/own/", &[])
                .said
                .contains("own https")
        );
    }
}

#[test]
fn challenges_are_answered_over_plain_http() {
    for release in releases() {
        let token = "/.well-known/acme-challenge/token";
        // By the block itself, where the spec does not say from where.
        let own = format!("location = {token} {{ return 200 \"its own\"; }}");
        let tower = running(&SPEC.replace("MORE", ""), release, &own);
        let answer = tower.get_plain("tower.lab.example", token, &[]);
        assert!(
            answer.code == 200 && answer.said.contains("its own"),
            "{answer:?}"
        );

        let tower = running(&SPEC.replace("MORE", ", challenge_root: ROOT"), release, "");
        let directory = tower.lab.path("challenges/.well-known/acme-challenge");
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("token"), "token.thumbprint").unwrap();
        let answer = tower.get_plain("tower.lab.example", token, &[]);
        assert!(
            answer.code == 200 && answer.said.contains("token.thumbprint"),
            "{answer:?}"
        );
        let escape = format!("{token}/../../../own/");
        let answer = tower.get_plain("tower.lab.example", &escape, &["--path-as-is"]);
        assert_eq!(answer.code, 308);
    }
}

#[test]
fn no_plain_request_goes_around_a_client_certificate() {
    let leaf = "basicConstraints=critical,CA:FALSE\nextendedKeyUsage=clientAuth";
    for release in releases() {
        let more = ", client_auth: {trust: [lab]}";
        let tower = running(&SPEC.replace("MORE", more), release, "");
        for path in [
            "/own/",
            "/.well-known/acme-challenge/..;/own/",
            "/.well-known/acme-challenge/x",
        ] {
            let plain = tower.get_plain("tower.lab.example", path, &["--path-as-is"]);
            assert_eq!(plain.code, 308, "{path}");
            let other = ["--path-as-is", "-H", "Host: evil.example"];
            let refused = tower.get_plain("tower.lab.example", path, &other);
            assert_eq!(
                (refused.code, refused.redirect.as_str()),
                (421, ""),
                "{path}"
            );
        }
        assert_eq!(tower.get("tower.lab.example", "/own/", &[]).code, 400);
        client(&tower.lab.path(""), "lab", "robot", leaf);
        let (certificate, key) = (tower.lab.path("robot.pem"), tower.lab.path("robot.key"));
        let own = ["--cert", text(&certificate), "--key", text(&key)];
        assert_eq!(tower.get("tower.lab.example", "/own/", &own).code, 200);
    }
}

#[test]
fn what_stands_at_the_http_level_stays() {
    let application = Application::start(None);
    let words = |all: &[&str]| all.iter().map(|word| (*word).to_owned()).collect();
    let lines = "add_header X-Policy \"a 'b' $scheme\" always;\nproxy_set_header X-Request \"c $scheme\";\nproxy_hide_header Server;\n";
    for release in releases() {
        let upstream = format!(", upstream: \"http://127.0.0.1:{}\"", application.port);
        let mut lab = Lab::new(release);
        lab.leaf("tower", &["tower.lab.example", "www.tower.lab.example"]);
        let serving = lab.serve(&SPEC.replace("MORE", &upstream), |place| {
            place.hosts[0].block_names = vec!["tower.lab.example".to_owned()];
            place.above.all_hosts = vec![
                words(&["add_header", "X-Policy", "a 'b' $scheme", "always"]),
                words(&["proxy_set_header", "X-Request", "c $scheme"]),
                words(&["proxy_hide_header", "Server"]),
            ];
        });
        let block = BLOCK
            .replace("PLAIN", &lab.place.hosts[0].plain_port.to_string())
            .replace("LOCATION", "");
        install_around(&lab, &serving, &format!("{lines}{block}"));
        let tower = lab.start();
        for (path, code) in [("/x", 200), ("/own/", 200)] {
            let answer = tower.get("tower.lab.example", path, &[]);
            assert_eq!(answer.code, code, "{path}");
            assert_eq!(answer.header("X-Policy"), ["a 'b' https"], "{path}");
            assert_eq!(answer.header("X-A"), ["$b"], "{path}");
        }
        let passed = tower.get("tower.lab.example", "/x", &[]);
        assert_eq!(passed.seen("X-Request").as_deref(), Some("c https"));
    }
}

#[test]
fn the_blocks_own_location_for_challenges_needs_no_client_certificate() {
    for release in releases() {
        let token = "/.well-known/acme-challenge/token";
        let mut lab = Lab::new(release);
        lab.leaf("tower", &["tower.lab.example", "www.tower.lab.example"]);
        let more = ", client_auth: {trust: [lab]}";
        let serving = lab.serve(&SPEC.replace("MORE", more), |place| {
            place.hosts[0].block_names = vec!["tower.lab.example".to_owned()];
            place.above.answers_challenges = true;
        });
        let block = BLOCK
            .replace("PLAIN", &lab.place.hosts[0].plain_port.to_string())
            .replace(
                "LOCATION",
                "location ^~ /.well-known/acme-challenge/ { return 200 \"its own\"; }",
            );
        install_around(&lab, &serving, &block);
        let tower = lab.start();
        let answer = tower.get_plain("tower.lab.example", token, &[]);
        assert!(
            answer.code == 200 && answer.said.contains("its own"),
            "{answer:?}"
        );
        for path in ["/own/", "/.well-known/acme-challenge/../../own/"] {
            let plain = tower.get_plain("tower.lab.example", path, &["--path-as-is"]);
            assert_eq!(plain.code, 308, "{path}");
        }
        assert_eq!(tower.get("tower.lab.example", "/own/", &[]).code, 400);
    }
}
