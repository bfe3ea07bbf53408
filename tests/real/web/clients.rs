//! Clients that present certificates.

use std::fs;
use std::process::Command;

use super::answer::Answer;
use super::lab::{Lab, Release, client, releases};
use super::listener::Application;
use super::running::Running;
use super::server;
use super::support::{succeed, text};

const SPEC: &str = r#"
hosts:
  tower: {names: [tower.lab.example], certificate: {chain: pki/tower.pem, key: pki/tower.key}}
  git: {names: [git.lab.example], certificate: {chain: pki/git.pem, key: pki/git.key}}
services:
  web:
    server: SERVER
    serves:
      - {host: tower, upstream: "http://127.0.0.1:UPSTREAM", client_auth: {trust: [lab], mode: MODE}}
      - {host: git, upstream: "http://127.0.0.1:UPSTREAM"}
"#;

const LEAF: &str = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth";
const CA: &str = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign";

fn running(release: Release, application: &Application, mode: &str, depth: u32) -> Running {
    let spec = SPEC
        .replace("UPSTREAM", &application.port.to_string())
        .replace("MODE", mode);
    let lab = Lab::new(release);
    let directory = lab.path("");
    client(&directory, "lab", "below0", LEAF);
    client(&directory, "other", "stranger", LEAF);
    let mut issuer = "lab".to_owned();
    let mut chain = String::new();
    for number in 1..=3 {
        let name = format!("ca{number}");
        client(&directory, &issuer, &name, CA);
        chain = fs::read_to_string(lab.path(&format!("{name}.pem"))).unwrap() + &chain;
        let below = format!("below{number}");
        client(&directory, &name, &below, LEAF);
        let leaf = fs::read_to_string(lab.path(&format!("{below}.pem"))).unwrap();
        fs::write(lab.path(&format!("{below}.pem")), leaf + &chain).unwrap();
        issuer = name;
    }
    lab.run(&spec, |place| {
        for host in &mut place.hosts {
            host.client_depth = depth;
        }
    })
}

fn presenting(running: &Running, name: &str, more: &[&str]) -> Answer {
    let (certificate, key) = (
        running.lab.path(&format!("{name}.pem")),
        running.lab.path(&format!("{name}.key")),
    );
    let own = ["--cert", text(&certificate), "--key", text(&key)];
    running.get("tower.lab.example", "/", &[&own, more].concat())
}

#[test]
fn a_required_certificate_is_demanded_and_told_to_the_upstream() {
    let application = Application::start(None);
    for release in releases() {
        let tower = running(release, &application, "required", 0);
        for version in ["1.2", "1.3"] {
            let tls = [
                format!("--tlsv{version}"),
                "--tls-max".to_owned(),
                version.to_owned(),
            ];
            let tls: Vec<&str> = tls.iter().map(String::as_str).collect();
            let forged = [tls.as_slice(), &["-H", "X-SSL-Client-S-DN: CN=admin"]].concat();
            let good = presenting(&tower, "below0", &forged);
            assert_eq!(good.code, 200, "{good:?}");
            assert_eq!(good.seen("X-SSL-Client-Verify").as_deref(), Some("SUCCESS"));
            let subject = good.seen("X-SSL-Client-S-DN");
            assert_eq!(subject.as_deref(), Some(server::SUBJECT));
            let pem = good.seen("X-SSL-Client-Cert").unwrap();
            assert_eq!(good.seen("X-Evil"), None);
            let begin = format!("-----BEGIN%20CERTIFICATE-----{}", server::LINE_BREAK);
            assert!(pem.starts_with(&begin), "{pem}");
            assert!(!pem.contains(['+', ' ']), "{pem}");
            let refused = [
                presenting(&tower, "stranger", &tls),
                tower.get("tower.lab.example", "/", &tls),
            ];
            for answer in refused {
                assert_eq!(answer.code, server::NO_CERTIFICATE, "{answer:?}");
            }
        }
        // Not through the connection of another name, with or without a certificate.
        let host = format!("Host: tower.lab.example:{}", tower.port());
        let around = tower.get("git.lab.example", "/", &["-H", &host]);
        assert_eq!(around.code, 421);
        let open = tower.get(
            "git.lab.example",
            "/",
            &["-H", "X-SSL-Client-Verify: SUCCESS"],
        );
        assert_eq!((open.code, open.seen("X-SSL-Client-Verify")), (200, None));
    }
}

#[test]
fn an_optional_certificate_is_verified_if_there_is_one() {
    let application = Application::start(None);
    for release in releases() {
        let tower = running(release, &application, "optional", 0);
        let verified = |answer: &Answer| (answer.code, answer.seen("X-SSL-Client-Verify"));
        let some = |word: &str| (200, Some(word.to_owned()));
        assert_eq!(
            verified(&presenting(&tower, "below0", &[])),
            some("SUCCESS")
        );
        let forged = [
            "-H",
            "X-SSL-Client-Verify: SUCCESS",
            "-H",
            "X-SSL-Client-S-DN: CN=admin",
        ];
        let none = tower.get("tower.lab.example", "/", &forged);
        assert_eq!(verified(&none), some("NONE"));
        assert_eq!(none.seen("X-SSL-Client-S-DN"), None);
        let refused = presenting(&tower, "stranger", &[]);
        assert_eq!(refused.code, server::NO_CERTIFICATE);
    }
}

#[test]
fn as_many_intermediates_as_the_place_says() {
    let application = Application::start(None);
    for release in releases() {
        for depth in 0..=2 {
            let tower = running(release, &application, "required", depth);
            for between in 0..=3 {
                let code = presenting(&tower, &format!("below{between}"), &[]).code;
                let expected = if between <= server::let_through(depth) {
                    200
                } else {
                    server::NO_CERTIFICATE
                };
                assert_eq!(
                    code, expected,
                    "{release:?}: {between} between, depth {depth}"
                );
            }
        }
    }
}

#[test]
fn a_revoked_certificate_is_refused() {
    let application = Application::start(None);
    for release in releases() {
        let spec = SPEC
            .replace("UPSTREAM", &application.port.to_string())
            .replace("MODE", "required");
        let lab = Lab::new(release);
        let directory = lab.path("");
        client(&directory, "lab", "good", LEAF);
        client(&directory, "lab", "bad", LEAF);
        let script = "touch index && printf '[ca]\ndefault_ca=a\n[a]\ndatabase=index\ndefault_md=sha256\ndefault_crl_days=2\ncrlnumber=number\n' >ca.cnf && echo 01 >number && \
            openssl ca -config ca.cnf -revoke bad.pem -cert lab.pem -keyfile lab.key 2>/dev/null && openssl ca -config ca.cnf -gencrl -cert lab.pem -keyfile lab.key -out lab.crl 2>/dev/null";
        succeed(
            Command::new("sh")
                .current_dir(&directory)
                .args(["-c", script]),
        );
        let list = lab.inside("lab.crl");
        let tower = lab.run(&spec, |place| place.hosts[0].client_crls = Some(list));
        assert_eq!(presenting(&tower, "good", &[]).code, 200, "{}", tower.log());
        assert_eq!(presenting(&tower, "bad", &[]).code, server::NO_CERTIFICATE);
    }
}

/// A session that was begun without a certificate opens no host that wants one. The old nginx would
/// end such a handshake if it offered sessions (CVE-2025-23419 and its mending).
#[test]
fn a_session_of_one_host_opens_no_other() {
    let application = Application::start(None);
    for release in releases() {
        let tower = running(release, &application, "required", 0);
        let session = tower.lab.path("session");
        let port = tower.port();
        for version in ["-tls1_2", "-tls1_3"] {
            let request =
                format!("GET / HTTP/1.1\r\nHost: HOST:{port}\r\nConnection: close\r\n\r\n");
            let begun = tower.talk(
                &[
                    version,
                    "-servername",
                    "git.lab.example",
                    "-sess_out",
                    text(&session),
                ],
                &request.replace("HOST", "git.lab.example"),
            );
            assert!(begun.contains("200 OK"), "{begun}");
            if !session.exists() {
                continue;
            }
            for name in ["tower.lab.example", "git.lab.example"] {
                let resumed = tower.talk(
                    &[version, "-servername", name, "-sess_in", text(&session)],
                    &request.replace("HOST", "tower.lab.example"),
                );
                assert!(!resumed.contains("200 OK"), "{version}: {resumed:?}");
            }
            fs::remove_file(&session).unwrap();
        }
    }
}
