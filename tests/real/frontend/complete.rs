//! `serve_as: complete`: a file of ours beside what the image has.

use std::time::{Duration, Instant};

use crate::scene::{Scene, client};
use crate::support::utf8;

const SPEC: &str = r#"
hosts:
  tower: {names: [tower.lab.example], certificate: {chain: pki/tower.pem, key: pki/private/tower/tower.key}}
  secure: {names: [secure.lab.example], certificate: {chain: pki/secure.pem, key: pki/private/secure/secure.key}}
  misled: {names: [misled.lab.example], certificate: {chain: pki/misled.pem, key: pki/private/misled/misled.key}}
  guarded: {names: [guarded.lab.example], certificate: {chain: pki/guarded.pem, key: pki/private/guarded/guarded.key}}
  node: {names: [node.lab.example, 127.0.0.1], certificate: {chain: pki/node.pem, key: pki/private/node/node.key}}
services:
  frontend:
    server: nginx@1.22
    trust: [lab]
    serves:
      - {host: tower, upstream: "http://app:8080", websocket: true, redirect_http: true}
      - {host: secure, upstream: "https://vault:8443/below"}
      - {host: misled, upstream: "https://stranger:8443"}
      - {host: guarded, upstream: "http://app:8080", client_auth: {trust: [other], mode: required}}
      - {host: node, upstream: "http://app:8080", redirect_http: true}
targets:
  stack:
    kind: compose
    files: [compose.yml]
    output: compose.tls.yml
    services: {frontend: {ports: {443: 8443, 80: 8080}}}
"#;

const COMPOSE: &str = "  frontend: {image: tlsgen-lab/nginx}
  vault:
    image: tlsgen-lab/server
    command: [python3, /application.py, \"8443\", /pki/vault.pem, /pki/private/vault/vault.key]
    volumes: ['./application.py:/application.py:ro', './pki:/pki:ro']
  stranger:
    image: tlsgen-lab/server
    command: [python3, /application.py, \"8443\", /pki/stranger.pem, /pki/private/stranger/stranger.key]
    volumes: ['./application.py:/application.py:ro', './pki:/pki:ro']
  placeholder: {image: tlsgen-lab/server, command: [sleep, infinity]}
";

#[test]
fn a_site_is_served() {
    let Some(scene) = Scene::new() else { return };
    for name in ["tower", "secure", "misled", "guarded"] {
        scene.certificate("lab", name, &[&format!("{name}.lab.example")]);
    }
    scene.certificate("lab", "node", &["node.lab.example", "127.0.0.1"]);
    scene.certificate("lab", "vault", &["vault"]);
    scene.certificate("other", "stranger", &["stranger"]);
    scene.write(SPEC, COMPOSE, &[("frontend", &[8443, 8080])]);
    println!("{}", scene.build());
    scene.config_is_silent();

    starts_before_its_upstreams(&scene);
    scene.up(&["app", "vault", "stranger"]);
    requests_are_passed_on(&scene);
    upstreams_are_verified(&scene);
    clients_present_certificates(&scene);
    unknown_names_are_refused(&scene);
    an_upstream_may_move(&scene);
}

fn starts_before_its_upstreams(scene: &Scene) {
    scene.up(&["frontend"]);
    let site = scene.site("frontend", 8443, 8080);
    let started = Instant::now();
    let answer = site.until("https://tower.lab.example/", 502);
    assert_eq!(answer.http, "2");
    // Nobody waits until a resolver that leads nowhere has given up by itself.
    assert!(started.elapsed() < Duration::from_secs(20), "{answer:?}");
    let redirected = site.get("http://tower.lab.example/a?b=c", &[]);
    assert_eq!(redirected.redirect, "https://tower.lab.example/a?b=c");
    assert_eq!(redirected.code, 308);
}

fn requests_are_passed_on(scene: &Scene) {
    let site = scene.site("frontend", 8443, 8080);
    site.until("https://tower.lab.example/", 200);
    let claims = [
        "-H",
        "X-Forwarded-For: 192.0.2.1",
        "-H",
        "X-Forwarded-Proto: http",
    ];
    let answer = site.get("https://tower.lab.example/a%20b?c=/%2f", &claims);
    assert_eq!(
        (answer.code, answer.http.as_str()),
        (200, "2"),
        "{answer:?}"
    );
    assert!(
        answer.said.contains("GET /a%20b?c=/%2f HTTP/1.1"),
        "{answer:?}"
    );
    let gateway = &scene.lab.inspect("frontend")["NetworkSettings"]["Networks"];
    let gateway = gateway.as_object().unwrap().values().next().unwrap()["Gateway"].clone();
    for (header, value) in [
        ("host", "tower.lab.example"),
        ("x-forwarded-host", "tower.lab.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-for", gateway.as_str().unwrap()),
        ("x-real-ip", gateway.as_str().unwrap()),
    ] {
        assert_eq!(answer.seen(header), [value], "{header}");
    }
    let mut echo = site.echo("tower.lab.example");
    assert_eq!(echo.says("one"), "one");
    assert_eq!(echo.says("two"), "two");
}

fn upstreams_are_verified(scene: &Scene) {
    let site = scene.site("frontend", 8443, 8080);
    let answer = site.until("https://secure.lab.example/x", 200);
    assert!(answer.said.contains("GET /below/x HTTP/1.1"), "{answer:?}");
    assert_eq!(site.get("https://misled.lab.example/", &[]).code, 502);
    let said = scene.lab.logs("frontend");
    assert!(
        said.contains("upstream SSL certificate verify error"),
        "{said}"
    );
}

fn clients_present_certificates(scene: &Scene) {
    let site = scene.site("frontend", 8443, 8080);
    let pki = scene.lab.project.path("pki");
    client(&pki, "other", "friend");
    client(&pki, "lab", "foe");
    let ask = |name: &str| {
        let (certificate, key) = (format!("pki/{name}.pem"), format!("pki/{name}.key"));
        let arguments = ["--cert", certificate.as_str(), "--key", key.as_str()];
        site.get("https://guarded.lab.example/", &arguments)
    };
    let known = ask("friend");
    assert_eq!(known.code, 200, "{known:?}");
    assert_eq!(known.seen("x-ssl-client-verify"), ["SUCCESS"]);
    assert_eq!(known.seen("x-ssl-client-s-dn"), ["CN=friend"]);
    assert_eq!(ask("foe").code, 400);
    assert_eq!(site.get("https://guarded.lab.example/", &[]).code, 400);
}

fn unknown_names_are_refused(scene: &Scene) {
    /// curl's word for a handshake that does not come about.
    const NO_HANDSHAKE: Option<i32> = Some(35);
    let site = scene.site("frontend", 8443, 8080);
    let answer = site.get("https://nobody.lab.example/", &[]);
    assert_eq!(answer.exit, NO_HANDSHAKE, "{answer:?}");
    assert_eq!(site.get("http://nobody.lab.example/", &[]).exit, Some(52));
    let answer = site.get("https://127.0.0.1/", &[]);
    assert_eq!(answer.code, 200, "{answer:?}");
    let nameless = site.handshake(&["-noservername", "-verify_ip", "127.0.0.1"]);
    assert!(nameless.contains("Verification: OK"), "{nameless}");
}

/// Its address is taken by somebody else before it comes back.
fn an_upstream_may_move(scene: &Scene) {
    let address = |service: &str| {
        let networks = &scene.lab.inspect(service)["NetworkSettings"]["Networks"];
        let network = networks.as_object().unwrap().values().next().unwrap();
        network["IPAddress"].to_string()
    };
    let before = address("app");
    let gone = scene
        .lab
        .compose(&["compose.yml"], &["rm", "--stop", "--force", "app"]);
    let mut gone = gone;
    let output = gone.output().unwrap();
    assert!(output.status.success(), "{}", utf8(&output.stderr));
    scene.up(&["placeholder"]);
    scene.up(&["app"]);
    assert_ne!(address("app"), before);
    let site = scene.site("frontend", 8443, 8080);
    let started = Instant::now();
    site.until("https://tower.lab.example/", 200);
    assert!(started.elapsed() < Duration::from_secs(20));
}
