//! Keys that only their process reads, and certificates that are replaced while it runs.

use std::fs;

use crate::scene::{Scene, Site};
use crate::support::{checkout, succeed, utf8};

const SPEC: &str = r#"
hosts:
  tower: {names: [tower.lab.example], certificate: {chain: pki/tower.pem, key: pki/private/tower/tower.key}}
  edge: {names: [edge.lab.example], port: 9443, certificate: {chain: pki/edge.pem, key: pki/private/edge/edge.key}}
services:
  frontend:
    server: nginx@1.22
    serves: [{host: tower, upstream: "http://app:8080", websocket: true, redirect_http: true}]
  edge:
    server: nginx@1.22
    serves: [{host: edge, upstream: "http://app:8080"}]
targets:
  stack:
    kind: compose
    files: [compose.yml]
    output: compose.tls.yml
    services:
      frontend: {ports: {443: 443, 80: 80}}
      edge: {ports: {9443: 8443}}
"#;

const COMPOSE: &str = "  frontend: {image: tlsgen-lab/nginx}
  edge:
    image: tlsgen-lab/nginx
    user: '101'
    volumes: ['./edge/nginx.conf:/etc/nginx/nginx.conf:ro']
";

/// As images of an nginx that is never root have it.
const UNPRIVILEGED: &str = "pid /tmp/nginx.pid;
events {}
http {
    client_body_temp_path /tmp/client;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi;
    scgi_temp_path /tmp/scgi;
    include /etc/nginx/mime.types;
    include /etc/nginx/conf.d/*.conf;
}
";

const NAME: &str = "tower.lab.example";
const NOBODY: &str = "65534";
const NGINX: &str = "101";

#[test]
fn a_renewed_certificate_is_served_after_the_command() {
    let Some(scene) = Scene::new() else { return };
    scene.certificate("lab", "tower", &[NAME]);
    scene.certificate("lab", "edge", &["edge.lab.example"]);
    scene.write(
        SPEC,
        COMPOSE,
        &[("frontend", &[443, 80]), ("edge", &[8443, 8080])],
    );
    scene.lab.project.write("edge/nginx.conf", UNPRIVILEGED);
    scene.build();
    assert_eq!(scene.access("tower"), (0, 0, 0o600));
    assert_eq!(scene.access("edge").0, 101);
    assert_eq!(scene.access("edge").2, 0o400);
    scene.config_is_silent();
    scene.up(&[]);
    let site = scene.site("frontend", 443, 80);
    let edge = scene.site("edge", 8443, 8080);
    site.until("https://tower.lab.example/", 200);
    edge.until("https://edge.lab.example/", 200);
    only_the_process_reads_its_key(&scene);

    renewed_while_it_runs(&scene, &site, &edge);
    a_pair_that_does_not_fit_is_refused(&scene, &site);
    only_a_changed_configuration_recreates(&scene, &site);
}

fn only_the_process_reads_its_key(scene: &Scene) {
    let read = |service: &str, user: &str| {
        let key = match service {
            "edge" => "/etc/tlsgen/keys/edge/edge.key",
            _ => "/etc/tlsgen/keys/tower/tower.key",
        };
        let mut cat = scene
            .lab
            .exec_with(service, &["--user", user], &["cat", key]);
        let output = cat.output().unwrap();
        let denied = utf8(&output.stderr).contains("Permission denied");
        assert_ne!(output.status.success(), denied, "{output:?}");
        output.status.success()
    };
    let workers = scene
        .lab
        .exec("frontend", &["sh", "-c", "cat /proc/[0-9]*/status"]);
    let workers = utf8(&workers.stdout);
    assert!(
        workers.contains("\nUid:\t101\t101\t101\t101\n"),
        "{workers}"
    );
    for (service, user, may) in [
        ("frontend", "0", true),
        ("frontend", NGINX, false),
        ("frontend", NOBODY, false),
        ("edge", NGINX, true),
        ("edge", NOBODY, false),
    ] {
        assert_eq!(read(service, user), may, "{service}: {user}");
    }
}

fn renewed_while_it_runs(scene: &Scene, site: &Site<'_>, edge: &Site<'_>) {
    let identity = || ["frontend", "edge"].map(|service| scene.identity(service));
    let (containers, before) = (identity(), site.presented(NAME));
    assert_eq!(before, certificate(scene, "tower"));
    let mut echo = site.echo(NAME);
    assert_eq!(echo.says("before"), "before");

    scene.certificate("lab", "tower", &[NAME]);
    scene.certificate("lab", "edge", &["edge.lab.example"]);
    let said = scene.build();
    assert_eq!(scene.access("tower"), (0, 0, 0o600));
    assert_eq!(site.presented(NAME), before, "nobody has told nginx of it");
    for service in ["frontend", "edge"] {
        succeed(&mut scene.lab.shell(&command(&said, service)));
    }
    site.until_presented(NAME, &certificate(scene, "tower"));
    edge.until_presented("edge.lab.example", &certificate(scene, "edge"));
    assert_eq!(identity(), containers, "the containers run as they did");
    assert_eq!(echo.says("after"), "after");
    assert_eq!(site.echo(NAME).says("anew"), "anew");
    only_the_process_reads_its_key(scene);
}

/// A key of another certificate, put where the process would read it.
fn a_pair_that_does_not_fit_is_refused(scene: &Scene, site: &Site<'_>) {
    let before = site.presented(NAME);
    let key = fs::read(scene.key("tower")).unwrap();
    let replace = |key: &[u8]| {
        scene.lab.project.write("pki/private/fresh", key);
        fs::rename(
            scene.lab.project.path("pki/private/fresh"),
            scene.key("tower"),
        )
        .unwrap();
    };
    let stranger = checkout().join("tests/pki/other.key");
    replace(&fs::read(stranger).unwrap());
    let built = scene.tlsgen("build").output().unwrap();
    assert_eq!(built.status.code(), Some(2));
    let said = utf8(&built.stderr);
    assert!(said.contains("error[key-mismatch]"), "{said}");
    let reload = scene.lab.exec("frontend", &["nginx", "-s", "reload"]);
    assert!(
        utf8(&reload.stderr).contains("key values mismatch"),
        "{reload:?}"
    );
    assert_eq!(site.presented(NAME), before);
    assert_eq!(site.get("https://tower.lab.example/", &[]).code, 200);
    replace(&key);
}

fn only_a_changed_configuration_recreates(scene: &Scene, site: &Site<'_>) {
    let identity = || ["frontend", "edge"].map(|service| scene.identity(service));
    scene.certificate("lab", "tower", &[NAME]);
    scene.build();
    let before = identity();
    scene.up(&[]);
    assert_eq!(identity(), before, "a certificate makes no container anew");

    let spec = SPEC.replace("redirect_http: true", "redirect_http: true, hsts: 2y");
    scene
        .lab
        .project
        .write("tlsgen.yaml", format!("{}{spec}", crate::scene::HEAD));
    scene.build();
    scene.up(&[]);
    let after = identity();
    assert_ne!(after[0].0, before[0].0, "a changed configuration does");
    assert_eq!(after[1], before[1]);
    let answer = site.until("https://tower.lab.example/", 200);
    assert_eq!(
        answer.header("Strict-Transport-Security"),
        ["max-age=63072000"]
    );
    assert_eq!(site.presented(NAME), certificate(scene, "tower"));
}

/// What the note says for a service, word for word.
fn command(said: &str, service: &str) -> String {
    let start = format!("note: {service}: takes a renewed certificate after `");
    let line = said.lines().find_map(|line| line.strip_prefix(&start));
    let command = line.and_then(|line| line.strip_suffix('`'));
    command.unwrap_or_else(|| panic!("{said}")).to_owned()
}

fn certificate(scene: &Scene, name: &str) -> String {
    let path = scene.lab.project.path(&format!("pki/{name}.pem"));
    fs::read_to_string(path).unwrap()
}
