//! What every server that passes requests on must do, whichever it is.

use super::lab::{Lab, Release};

const HOSTS: &str = r#"
hosts:
  tower: {names: [tower.lab.example], certificate: {chain: pki/tower.pem, key: pki/tower.key}}
  git: {names: [git.lab.example, www.git.lab.example], certificate: {chain: pki/git.pem, key: pki/git.key}}
  wild: {names: ["*.wild.lab.example"], certificate: {chain: pki/wild.pem, key: pki/wild.key}}
  node: {names: [node.lab.example, 127.0.0.1], certificate: {chain: pki/node.pem, key: pki/node.key}}
services:
  web:
    server: SERVER
    trust: [lab]
    serves:
"#;

pub fn spec(serves: &[String]) -> String {
    let lines = serves.iter().map(|line| format!("      - {{{line}}}\n"));
    format!("{HOSTS}{}", lines.collect::<String>())
}

/// Several hosts, and the truth for their upstreams.
pub fn hosts_are_served(release: Release) {
    let Some(mut lab) = Lab::new(release) else {
        return;
    };
    let port = lab.application("");
    let up = format!("upstream: \"http://127.0.0.1:{port}\"");
    lab.run(
        &spec(&[
            format!("host: tower, {up}, websocket: true, redirect_http: true, hsts: 2y, hsts_include_subdomains: true, headers: {{X-Frame-Options: DENY}}"),
            format!("host: git, upstream: \"http://127.0.0.1:{port}/p{{x}}~$'`q\", redirect_http: true"),
            format!("host: wild, {up}"),
        ]),
        |_| (),
    );
    for (name, serves) in [
        ("tower.lab.example", true),
        ("git.lab.example", true),
        ("www.git.lab.example", true),
        ("a.wild.lab.example", true),
        ("nobody.lab.example", false),
        ("a.b.wild.lab.example", false),
    ] {
        let handshake = lab.handshake(&["-servername", name, "-verify_hostname", name]);
        assert_eq!(handshake.verified, serves, "{name}: {}", handshake.said);
        assert_eq!(handshake.happened(), serves, "{name}");
    }
    assert!(!lab.handshake(&["-noservername"]).happened());
    let forged = [
        "X-Forwarded-For: 6.6.6.6",
        "X_Forwarded_For: 6.6.6.6",
        "X-Real-IP: 6.6.6.6",
        "X-Forwarded-Proto: http",
        "X-Forwarded-Host: evil",
        "Forwarded: for=6.6.6.6",
        "X-Forwarded-Port: 1",
        "X-SSL-Client-Verify: SUCCESS",
        "X-SSL-Client-S-DN: CN=admin",
        "X-Kept: yes",
    ];
    // Where the release is not known to drop it, it is refused.
    let alike = ["-H", "X_Forwarded_For: 6.6.6.6"];
    let refuses = release.server == "haproxy";
    let code = lab.get("tower.lab.example", "/", &alike).code;
    assert_eq!(code, if refuses { 400 } else { 200 });
    let headers: Vec<&str> = forged
        .iter()
        .filter(|header| !(refuses && header.starts_with("X_")))
        .flat_map(|header| ["--header", header])
        .collect();
    let answer = lab.get("tower.lab.example", "/a%20b/%2F//c?d=/../%2F", &headers);
    assert_eq!(
        (answer.code, answer.http.as_str()),
        (200, "2"),
        "{answer:?}"
    );
    assert_eq!(answer.request(), "GET /a%20b/%2F//c?d=/../%2F HTTP/1.1");
    for (name, seen) in [
        ("Host", Some("tower.lab.example")),
        ("X-Forwarded-Host", Some("tower.lab.example")),
        ("X-Forwarded-For", Some("127.0.0.1")),
        ("X-Real-IP", Some("127.0.0.1")),
        ("X-Forwarded-Proto", Some("https")),
        ("X_Forwarded_For", None),
        ("Forwarded", None),
        ("X-Forwarded-Port", None),
        ("X-SSL-Client-Verify", None),
        ("X-SSL-Client-S-DN", None),
        ("X-Kept", Some("yes")),
    ] {
        assert_eq!(
            answer.seen(name).as_deref(),
            seen,
            "{:?} {name}",
            lab.release
        );
    }
    for code in [200, 404, 503] {
        let answer = lab.get("tower.lab.example", &format!("/status/{code}"), &[]);
        assert_eq!(answer.code, code);
        let hsts = answer.header("Strict-Transport-Security");
        assert_eq!(hsts, ["max-age=63072000; includeSubDomains"], "{answer:?}");
        assert_eq!(answer.header("X-Frame-Options"), ["DENY"]);
    }
    let prefixed = lab.get("git.lab.example", "/a?b", &[]);
    let request = "GET /p{x}~$'`q/a?b HTTP/1.1";
    let encoded = "GET /p%7Bx%7D~$%27%60q/a?b HTTP/1.1";
    assert!(
        [request, encoded].contains(&prefixed.request().as_str()),
        "{prefixed:?}"
    );
    // A name of nobody inside the connection of another.
    let around = lab.get(
        "tower.lab.example",
        "/",
        &["-H", "Host: nobody.lab.example"],
    );
    assert_eq!(around.code, 421);
    for (name, path, target) in [
        (
            "tower.lab.example",
            "/a%20b?c",
            "https://tower.lab.example/a%20b?c",
        ),
        (
            "www.git.lab.example",
            "//evil.example/",
            "https://www.git.lab.example//evil.example/",
        ),
    ] {
        let plain = lab.get_plain(name, path, &["--path-as-is"]);
        assert_eq!(
            (plain.code, plain.redirect.as_str()),
            (308, target),
            "{plain:?}"
        );
    }
    assert_eq!(lab.get_plain("nobody.lab.example", "/", &[]).exit, 52);
    assert_eq!(
        lab.websocket("tower.lab.example"),
        (true, "hello\n".to_owned())
    );
    assert!(!lab.websocket("a.wild.lab.example").0);
    let other = [
        "--http1.1",
        "-H",
        "Upgrade: else",
        "-H",
        "Connection: Upgrade",
    ];
    assert_eq!(
        lab.get("tower.lab.example", "/", &other).seen("Upgrade"),
        None
    );
}

/// A client that reaches an address names no host.
pub fn an_address_is_served(release: Release) {
    let Some(mut lab) = Lab::new(release) else {
        return;
    };
    let up = format!("upstream: \"http://127.0.0.1:{}\"", lab.application(""));
    lab.run(
        &spec(&[
            format!("host: tower, {up}"),
            format!("host: node, {up}, redirect_http: true"),
        ]),
        |_| (),
    );
    for name in ["127.0.0.1", "node.lab.example", "tower.lab.example"] {
        assert_eq!(lab.get(name, "/", &[]).code, 200, "{name}");
    }
    let handshake = lab.handshake(&["-noservername", "-verify_ip", "127.0.0.1"]);
    assert!(handshake.verified, "{}", handshake.said);
    let stranger = lab.get("127.0.0.1", "/", &["-H", "Host: nobody.lab.example"]);
    assert_eq!(stranger.code, 421);
    let plain = lab.get_plain("127.0.0.1", "/a", &[]);
    assert_eq!(
        (plain.code, plain.redirect.as_str()),
        (308, "https://127.0.0.1/a")
    );
}

/// Upstreams over HTTPS are verified, by their own name.
pub fn upstreams_are_verified(release: Release) {
    for (certificate, code) in [("backend", 200), ("forged", 0), ("misnamed", 0)] {
        let Some(mut lab) = Lab::new(release) else {
            return;
        };
        let up = format!(
            "upstream: \"https://backend.lab.example:{}\"",
            lab.application(certificate)
        );
        lab.run(&spec(&[format!("host: tower, {up}")]), |_| ());
        let answer = lab.get("tower.lab.example", "/", &[]);
        match code {
            200 => {
                assert_eq!(answer.code, 200, "{answer:?}\n{}", lab.log());
                assert_eq!(answer.seen("Host").as_deref(), Some("tower.lab.example"));
            }
            _ => assert!(
                [502, 503].contains(&answer.code),
                "{certificate}: {answer:?}"
            ),
        }
    }
}

/// TLS ends at a load balancer.
pub fn only_the_load_balancer_is_believed(release: Release) {
    let Some(mut lab) = Lab::new(release) else {
        return;
    };
    let up = format!("upstream: \"http://127.0.0.1:{}\"", lab.application(""));
    let spec = format!(
        "hosts:\n  tower: {{names: [tower.lab.example]}}\n  git: {{names: [git.lab.example]}}\nservices:\n  web:\n    server: SERVER\n    serves:\n      \
         - {{host: tower, {up}, redirect_http: true, hsts: 1y, headers: {{X-A: b}}, health_path: \"/h~^=!$&'()+,;:@|[]<>`-x\", behind: {{networks: [127.0.0.1/32, \"::1\"]}}}}\n      \
         - {{host: git, {up}, redirect_http: true, hsts: 1y, behind: {{networks: [10.0.0.0/8, \"fd00::/8\"]}}}}\n"
    );
    lab.run(&spec, |_| ());
    let forwarded = [
        "-H",
        "X-Forwarded-Proto: https",
        "-H",
        "X-Forwarded-For: 192.0.2.7",
    ];
    let tower = lab.get_plain("tower.lab.example", "/a?b", &forwarded);
    assert_eq!(
        (tower.code, tower.request()),
        (200, "GET /a?b HTTP/1.1".to_owned()),
        "{tower:?}"
    );
    assert_eq!(tower.seen("X-Forwarded-Proto").as_deref(), Some("https"));
    let client = tower.seen("X-Forwarded-For").unwrap();
    assert_eq!(client.split(',').next(), Some("192.0.2.7"), "{client}");
    assert_eq!(
        tower.header("Strict-Transport-Security"),
        ["max-age=31536000"]
    );
    assert_eq!(tower.header("X-A"), ["b"]);
    let git = lab.get_plain("git.lab.example", "/a?b", &forwarded);
    assert_eq!(
        (git.code, git.redirect.as_str()),
        (308, "https://git.lab.example/a?b")
    );
    assert!(git.header("Strict-Transport-Security").is_empty());
    let plain = lab.get_plain(
        "tower.lab.example",
        "/a?b",
        &["-H", "X-Forwarded-Proto: http"],
    );
    assert_eq!(
        (plain.code, plain.redirect.as_str()),
        (308, "https://tower.lab.example/a?b")
    );
    for name in ["tower.lab.example", "127.0.0.1"] {
        let asked = lab.get_plain(name, "/h~^=!$&'()+,;:@|[]<>`-x", &["--globoff"]);
        assert_eq!(asked.code, 200, "{name}: {asked:?}");
    }
    assert_eq!(
        lab.get_plain("nobody.lab.example", "/", &forwarded).exit,
        52
    );
}

/// Each host by its own guideline.
pub fn guidelines_hold_by_host(release: Release) {
    let Some(mut lab) = Lab::new(release) else {
        return;
    };
    let up = format!("upstream: \"http://127.0.0.1:{}\"", lab.application(""));
    lab.run(
        &spec(&[
            format!("host: tower, {up}, tls: modern"),
            format!("host: git, {up}"),
        ]),
        |_| (),
    );
    for (name, protocol, spoken) in [
        ("tower.lab.example", "-tls1_2", false),
        ("tower.lab.example", "-tls1_3", true),
        ("git.lab.example", "-tls1_1", false),
        ("git.lab.example", "-tls1_2", true),
        ("git.lab.example", "-tls1_3", true),
    ] {
        let anything = ["-servername", name, protocol, "-cipher", "ALL:@SECLEVEL=0"];
        assert_eq!(
            lab.handshake(&anything).happened(),
            spoken,
            "{name} {protocol}"
        );
    }
    for (suite, spoken) in [
        ("ECDHE-ECDSA-CHACHA20-POLY1305", true),
        ("ECDHE-ECDSA-AES128-SHA256", false),
        ("ECDHE-ECDSA-AES256-SHA", false),
    ] {
        let only = [
            "-servername",
            "git.lab.example",
            "-tls1_2",
            "-cipher",
            suite,
        ];
        assert_eq!(lab.handshake(&only).happened(), spoken, "{suite}");
    }
}

/// Every character that could mean something, in a header's value.
pub fn headers_arrive_as_they_were_written(release: Release, carried: fn(&str) -> bool) {
    use proptest::strategy::{Strategy as _, ValueTree as _};
    let characters = (' '..='~').chain(['ä', '☃', '𝄞', '\u{202e}', '\u{2028}']);
    let mut values: Vec<String> = characters
        .flat_map(|c| {
            [
                format!("{c}"),
                format!("a{c}b"),
                format!("{c}{c}\\{c}"),
                format!("a {c}"),
            ]
        })
        .collect();
    values.extend(
        [
            "a  b",
            "$host",
            "${HOME}",
            "{$HOME}",
            "{env.HOME}",
            "\\{env.HOME}",
            "%[src]",
            "%%[src]",
            "%{+Q}o",
            "\\n",
            "\\\"",
            "'; } server {",
            "a\";b",
            "#c",
            "a #c",
            "'\\''",
            "{{ x }}",
            "% raw %",
            "`",
            "`\"",
            "``x",
            "{http.request.host}",
            "{",
            "}",
            "{ }",
        ]
        .map(str::to_owned),
    );
    let random = proptest::string::string_regex("[ -~äß☃]{1,60}").unwrap();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    values.extend((0..60).map(|_| random.new_tree(&mut runner).unwrap().current()));
    values.retain(|value| value.trim() == value && carried(value));
    assert!(values.len() > 300, "{}", values.len());
    let Some(mut lab) = Lab::new(release) else {
        return;
    };
    let port = lab.application("");
    let (mut hosts, mut serves) = (String::from("hosts:\n"), String::new());
    for (number, part) in values.chunks(80).enumerate() {
        let headers: Vec<String> = part
            .iter()
            .enumerate()
            .map(|(index, value)| format!("X-{index}: {}", serde_json::to_string(value).unwrap()))
            .collect();
        hosts += &format!(
            "  h{number}: {{names: [h{number}.wild.lab.example], certificate: {{chain: pki/wild.pem, key: pki/wild.key}}}}\n"
        );
        serves += &format!(
            "      - {{host: h{number}, upstream: \"http://127.0.0.1:{port}\", headers: {{{}}}}}\n",
            headers.join(", ")
        );
    }
    let spec = format!("{hosts}services:\n  web:\n    server: SERVER\n    serves:\n{serves}");
    lab.run(&spec, |place| {
        for certificate in place
            .hosts
            .iter_mut()
            .filter_map(|host| host.certificate.as_mut())
        {
            certificate.full_chain = "/etc/lab/wild.pem".to_owned();
            certificate.key = "/etc/lab/wild.key".to_owned();
            certificate.combined = Some("/etc/lab/wild.combined".to_owned());
        }
    });
    for (number, part) in values.chunks(80).enumerate() {
        let name = format!("h{number}.wild.lab.example");
        let resolve = format!("{name}:443:127.0.0.1");
        let answer = lab.get(&name, "/", &["--http1.1", "--resolve", &resolve]);
        assert_eq!(answer.code, 200, "{answer:?}");
        for (index, value) in part.iter().enumerate() {
            let header = answer.header(&format!("X-{index}"));
            assert_eq!(header, [value.as_str()], "{:?}", lab.release);
        }
        let names = answer.header_names();
        let ours = names
            .iter()
            .filter(|name| name.to_ascii_uppercase().starts_with("X-"))
            .count();
        assert_eq!(ours, part.len(), "nothing else was sent");
    }
}

/// A renewed certificate is presented after a reload, and no connection is lost.
pub fn a_renewed_certificate_is_taken(release: Release) {
    let Some(mut lab) = Lab::new(release) else {
        return;
    };
    let up = format!("upstream: \"http://127.0.0.1:{}\"", lab.application(""));
    let serving = lab.run(&spec(&[format!("host: tower, {up}")]), |_| ());
    let presented = |lab: &Lab| {
        let said = lab.handshake(&["-servername", "tower.lab.example"]).said;
        let begin = said.split("-----BEGIN CERTIFICATE-----").nth(1);
        begin
            .and_then(|rest| rest.split("-----END").next())
            .map(str::to_owned)
            .unwrap()
    };
    let before = presented(&lab);
    lab.renew("tower", &["tower.lab.example"]);
    assert_eq!(presented(&lab), before, "not before it is told");
    lab.reload(&serving);
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while presented(&lab) == before {
        assert_eq!(lab.get("tower.lab.example", "/", &[]).code, 200);
        assert!(std::time::Instant::now() < end, "{}", lab.log());
    }
}
