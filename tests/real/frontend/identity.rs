//! Services that present a certificate as clients: nginx to its upstream, and a program that is
//! told its files by variables. Whom they call refuses who has none, and says who came.

use std::fs;

use crate::scene::{Scene, Site, client};
use crate::support::{succeed, utf8};

const SPEC: &str = r#"
hosts:
  tower: {names: [tower.lab.example], certificate: {chain: pki/tower.pem, key: pki/private/tower/tower.key}}
  vault: {names: [vault.lab.example], certificate: {chain: pki/vault.pem, key: pki/private/vault/vault.key}}
  robot: {names: [robot.lab.example], certificate: {chain: pki/robot.pem, key: pki/private/robot/robot.key}}
  intruder: {names: [intruder.lab.example], certificate: {chain: pki/intruder.pem, key: pki/private/intruder/intruder.key}}
services:
  vault:
    server: nginx@1.22
    serves: [{host: vault, upstream: "http://app:8080", client_auth: {trust: [lab]}}]
  frontend:
    server: nginx@1.22
    trust: [lab]
    identity: robot
    serves: [{host: tower, upstream: "https://guard:8443"}]
  program:
    runtime: python
    trust: [lab]
    connects: [vault]
    user: 10001
    identity: {host: robot, certificate_env: CLIENT_CERT, key_env: CLIENT_KEY}
  intruder:
    runtime: python
    trust: [lab]
    user: 10001
    identity: {host: intruder, certificate_env: CLIENT_CERT, key_env: CLIENT_KEY}
targets:
  stack:
    kind: compose
    files: [compose.yml]
    output: compose.tls.yml
    services: {vault: {}, frontend: {ports: {443: 443}}, program: {}, intruder: {}}
"#;

const COMPOSE: &str = "  vault:
    image: tlsgen-lab/nginx
    networks: {default: {aliases: [vault.lab.example]}}
  frontend: {image: tlsgen-lab/nginx}
  guard:
    image: tlsgen-lab/server
    command: [python3, /guard.py]
    stop_signal: SIGKILL
    volumes: ['./guard.py:/guard.py:ro', './pki:/pki:ro']
  program: &program
    image: tlsgen-lab/server
    user: '10001'
    command: [sleep, '600']
    stop_signal: SIGKILL
    volumes: ['./call.py:/call.py:ro']
  intruder: *program
";

/// Calls a URL, with the identity if it is told to; prints the code and the body.
const CALL: &str = r#"import os, ssl, sys, urllib.error, urllib.request

context = ssl.create_default_context()
if sys.argv[2:] == ["identified"]:
    context.load_cert_chain(os.environ["CLIENT_CERT"], os.environ["CLIENT_KEY"])
try:
    with urllib.request.urlopen(sys.argv[1], context=context, timeout=20) as answer:
        print(answer.status, answer.read().decode())
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode())
except OSError as error:
    print("no handshake:", error)
"#;

/// An upstream that takes only clients with a certificate, and says whose it was as the lab's other
/// application says what it was asked.
const GUARD: &str = r#"import http.server, json, ssl


class Guard(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        ((_, name),) = self.connection.getpeercert()["subject"][-1]
        body = json.dumps({"headers": [["x-ssl-client-s-dn", "CN=" + name]]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/pki/guard.pem", "/pki/private/guard/guard.key")
context.load_verify_locations("/pki/lab.pem")
context.verify_mode = ssl.CERT_REQUIRED
server = http.server.ThreadingHTTPServer(("", 8443), Guard)
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
"#;

const GUARDED: &str = "https://guard:8443/";
const VAULT: &str = "https://vault.lab.example/";
const TOWER: &str = "https://tower.lab.example/";

#[test]
fn who_has_an_identity_is_let_in_and_nobody_else() {
    let Some(scene) = Scene::new() else { return };
    scene.certificate("lab", "tower", &["tower.lab.example"]);
    scene.certificate("lab", "vault", &["vault.lab.example"]);
    scene.certificate("lab", "guard", &["guard"]);
    issue(&scene, "lab", "robot", "robot");
    issue(&scene, "other", "intruder", "intruder");
    scene.write(SPEC, COMPOSE, &[("frontend", &[443])]);
    scene.lab.project.write("call.py", CALL);
    scene.lab.project.write("guard.py", GUARD);
    scene.build();
    assert_eq!(
        (scene.access("robot").0, scene.access("robot").2),
        (10001, 0o400)
    );
    scene.config_is_silent();
    scene.up(&[]);

    let site = scene.site("frontend", 443, 443);
    let answer = site.until(TOWER, 200);
    assert_eq!(answer.seen("x-ssl-client-s-dn"), ["CN=robot"]);
    by_the_identity_alone(&scene);
    nobody_else_reads_the_key(&scene);
    a_successor_is_presented_after_the_command(&scene, &site);
}

fn by_the_identity_alone(scene: &Scene) {
    let called = call(scene, "program", VAULT, true);
    assert!(
        called.starts_with("200 ") && called.contains("CN=robot"),
        "{called}"
    );
    let refused = call(scene, "program", VAULT, false);
    assert!(
        refused.starts_with("400 ") && refused.contains("No required SSL certificate"),
        "{refused}"
    );
    let refused = call(scene, "intruder", VAULT, true);
    assert!(
        refused.starts_with("400 ") && refused.contains("SSL certificate error"),
        "{refused}"
    );
    let welcome = call(scene, "program", GUARDED, true);
    assert!(welcome.contains("CN=robot"), "{welcome}");
    for (service, identified) in [("program", false), ("intruder", true)] {
        let refused = call(scene, service, GUARDED, identified);
        assert!(refused.starts_with("no handshake: "), "{refused}");
    }
}

fn a_successor_is_presented_after_the_command(scene: &Scene, site: &Site<'_>) {
    issue(scene, "lab", "robot", "successor");
    let said = scene.build();
    assert_eq!(
        (scene.access("robot").0, scene.access("robot").2),
        (10001, 0o400)
    );
    assert_eq!(
        site.get(TOWER, &[]).seen("x-ssl-client-s-dn"),
        ["CN=robot"],
        "nobody has told nginx of it"
    );
    let before = scene.identity("frontend");
    for service in ["frontend", "program"] {
        succeed(&mut scene.lab.shell(&command(&said, service)));
    }
    assert_eq!(scene.identity("frontend"), before, "it runs as it did");
    let called = call(scene, "program", VAULT, true);
    assert!(called.contains("CN=successor"), "{called}");
    until_seen(scene, site, "CN=successor");
}

/// A client's certificate and key, where the spec has those of a host.
fn issue(scene: &Scene, ca: &str, host: &str, common_name: &str) {
    let pki = scene.lab.project.path("pki");
    client(&pki, ca, common_name);
    if common_name != host {
        let chain = format!("{common_name}.pem");
        fs::rename(pki.join(chain), pki.join(format!("{host}.pem"))).unwrap();
    }
    let key = scene.key(host);
    fs::create_dir_all(key.parent().unwrap()).unwrap();
    fs::rename(pki.join(format!("{common_name}.key")), key).unwrap();
}

fn call(scene: &Scene, service: &str, url: &str, identified: bool) -> String {
    let words = ["python3", "/call.py", url, "identified"];
    let words = &words[..if identified { 4 } else { 3 }];
    let output = scene.lab.exec(service, words);
    utf8(&output.stdout) + &utf8(&output.stderr)
}

fn nobody_else_reads_the_key(scene: &Scene) {
    for (user, may) in [("10001", true), ("10002", false), ("65534", false)] {
        let cat = ["sh", "-c", "cat \"$CLIENT_KEY\""];
        let mut cat = scene.lab.exec_with("program", &["--user", user], &cat);
        let output = cat.output().unwrap();
        let denied = utf8(&output.stderr).contains("Permission denied");
        assert_eq!(
            (output.status.success(), denied),
            (may, !may),
            "{user}: {output:?}"
        );
    }
}

/// Whom a build names to be told, and how.
fn command(said: &str, service: &str) -> String {
    let start = format!("reload  {service}  (presents the old certificate until `");
    let mut lines = said.lines().filter_map(|line| line.strip_prefix(&start));
    let command = lines.next().and_then(|line| line.strip_suffix("`)"));
    command.unwrap_or_else(|| panic!("{said}")).to_owned()
}

fn until_seen(scene: &Scene, site: &Site<'_>, subject: &str) {
    let mut seen = Vec::new();
    for _ in 0..50 {
        seen = site.get(TOWER, &[]).seen("x-ssl-client-s-dn");
        if seen == [subject] {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!(
        "{subject} is not seen: {seen:?}\n{}",
        scene.lab.logs("frontend")
    );
}
