//! Every server, installed by the script of its tree on a machine whose first process is systemd: a verified
//! handshake, a WebSocket, a redirect, a client without a certificate that is refused, a renewal, and the same again.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests may panic and touch the disk"
)]

mod machine;
mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use machine::Machine;
use support::{checkout, judge};
use tempfile::TempDir;

/// A project with one machine.
struct Site {
    machine: Machine,
    project: TempDir,
}

impl Site {
    /// With the upstreams that it needs, and the tree of `server` built, copied and installed.
    fn new(server: &str, deployed: &str, prepare: impl Fn(&Machine)) -> Option<Self> {
        let machine = Machine::booted("bookworm")?;
        for script in [
            "web/upstream.py",
            "web/websocket.py",
            "five_servers/client.py",
            "five_servers/app.py",
        ] {
            let text = fs::read(checkout().join("tests/real").join(script)).unwrap();
            let name = script.rsplit('/').next().unwrap();
            machine.put(&format!("/srv/{name}"), text, 0o644);
        }
        machine.background(
            "exec python3 /srv/upstream.py >/srv/port",
            "/srv/upstream.log",
        );
        machine.wait_for("test -s /srv/port");
        let port = machine.read("/srv/port");
        prepare(&machine);
        let project = tempfile::tempdir().unwrap();
        let spec = spec(server, deployed, port.trim());
        fs::write(project.path().join("tlsgen.yaml"), spec).unwrap();
        fs::write(project.path().join(".gitignore"), "pki/private/\n").unwrap();
        let site = Self { machine, project };
        site.build();
        Some(site)
    }

    fn build(&self) {
        let built = Command::new(env!("CARGO_BIN_EXE_tlsgen"))
            .arg("build")
            .current_dir(self.project.path())
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", machine::said(&built));
        self.machine.succeed("rm -rf /srv/five");
        self.machine.copy(self.project.path(), "/srv/five");
    }

    fn install(&self) -> String {
        self.machine.succeed("sh /srv/five/tree/install.sh 2>&1")
    }

    fn get(&self, name: &str, port: u16, with: &str) -> std::process::Output {
        let ca = "/srv/five/pki/authorities/ca.pem";
        self.machine.run(&format!(
            "python3 /srv/client.py {ca} {name} {port} /hello {with}"
        ))
    }

    fn serial(&self, name: &str, port: u16) -> String {
        self.machine.succeed(&format!(
            "openssl s_client -connect 127.0.0.1:{port} -servername {name} </dev/null 2>/dev/null | openssl x509 -noout -serial"
        ))
    }
}

fn spec(server: &str, deployed: &str, port: &str) -> String {
    let serves = match server {
        "app" => "[{host: site, certificate_env: SSL_CERTFILE, key_env: SSL_KEYFILE}]".to_owned(),
        _ => format!(
            "[{{host: site, upstream: \"http://127.0.0.1:{port}\", websocket: true, redirect_http: true, hsts: 1y}}, \
             {{host: admin, upstream: \"http://127.0.0.1:{port}\", client_auth: {{trust: [ca]}}}}]"
        ),
    };
    let listen = if server == "app" { "8443" } else { "443" };
    format!(
        "version: 1
project: five
authorities:
  ca: {{kind: managed, subject: {{common_name: Five Servers CA}}, permitted_names: [five.example]}}
hosts:
  site: {{names: [site.five.example], issuer: ca, port: {listen}}}
  admin: {{names: [admin.five.example], issuer: ca}}
  alice: {{names: [alice.five.example], issuer: ca, usages: [client]}}
services:
  front: {{server: {server}, serves: {serves}}}
targets:
  machine: {{kind: host, os: debian-12, output: tree, services: {{front: {deployed}}}, renewals: {{project: /srv/five}}}}
"
    )
}

/// What every configured server must do.
fn serves(server: &str, prepare: impl Fn(&Machine)) {
    let Some(site) = Site::new(server, "{}", prepare) else {
        return;
    };
    site.install();
    let first = site.get("site.five.example", 443, "");
    assert!(
        first.status.success(),
        "{server}: {}",
        machine::said(&first)
    );
    let said = machine::said(&first);
    assert!(
        said.contains("200 ") && said.contains("GET /hello"),
        "{server}: {said}"
    );

    let echo = site.machine.succeed(
        "python3 /srv/websocket.py 443 /srv/five/pki/authorities/ca.pem site.five.example over-tls",
    );
    assert_eq!(echo.trim(), "over-tls", "{server}");

    let redirect = site.machine.succeed(
        "curl -s -o /dev/null -w '%{http_code} %{redirect_url}' --resolve site.five.example:80:127.0.0.1 http://site.five.example/a?b=c",
    );
    let (code, to) = redirect.split_once(' ').unwrap();
    assert!(["301", "308"].contains(&code), "{server}: {redirect}");
    assert_eq!(to, "https://site.five.example/a?b=c", "{server}");

    let stranger = site.get("admin.five.example", 443, "");
    let said = machine::said(&stranger);
    assert!(
        !said.contains("GET /hello"),
        "{server} let a client without a certificate in: {said}"
    );
    let pair = "/srv/five/pki/hosts/alice.pem /srv/five/pki/private/hosts/alice/key.pem";
    let alice = site.get("admin.five.example", 443, pair);
    let said = machine::said(&alice);
    assert!(
        said.contains("200 ") && said.contains("GET /hello"),
        "{server}: {said}"
    );

    again(&site, server, 443);
}

/// A second run changes nothing; a renewed certificate is served after the next.
fn again(site: &Site, server: &str, port: u16) {
    let before = site.serial("site.five.example", port);
    let second = site.install();
    assert!(!second.contains("placed"), "{server}: {second}");
    assert_eq!(site.serial("site.five.example", port), before);
    let lock = fs::read_to_string(site.project.path().join("tlsgen.lock")).unwrap();
    assert!(lock.contains("site"), "{lock}");
    let renewed = Command::new(env!("CARGO_BIN_EXE_tlsgen"))
        .args(["renew", "--force", "site"])
        .current_dir(site.project.path())
        .output()
        .unwrap();
    if !renewed.status.success() {
        // Without an option for it: a certificate that is taken away is issued again.
        fs::remove_file(site.project.path().join("pki/hosts/site.pem")).unwrap();
    }
    site.build();
    site.install();
    assert_ne!(
        site.serial("site.five.example", port),
        before,
        "{server} serves the old one"
    );
}

#[test]
fn nginx() {
    serves("nginx@1.22", |_| {});
}

#[test]
fn apache() {
    serves("apache@2.4.62", |_| {});
}

#[test]
fn haproxy() {
    serves("haproxy@2.6", |_| {});
}

#[test]
fn caddy() {
    serves("caddy@2.6", |_| {});
}

#[test]
fn traefik() {
    let Some(program) = judge("traefik-3.7.15") else {
        return;
    };
    let program = fs::read(program).unwrap();
    serves("traefik@3", |machine| {
        machine.put("/usr/local/bin/traefik", &program, 0o755);
    });
}

#[test]
fn application() {
    for hand_over in ["credentials", "files, user: app"] {
        let deployed = format!("{{unit: five-app.service, hand_over: {hand_over}}}");
        let site = Site::new("app", &deployed, |machine| {
            machine.succeed("useradd --system app");
            let unit = "[Service]\nUser=app\nExecStart=/usr/bin/python3 /srv/app.py\n[Install]\nWantedBy=multi-user.target\n";
            machine.put("/etc/systemd/system/five-app.service", unit, 0o644);
        });
        let Some(site) = site else { return };
        site.install();
        site.machine
            .wait_for("systemctl is-active five-app.service");
        let answer = site.get("site.five.example", 8443, "");
        let said = machine::said(&answer);
        let user = site.machine.succeed("id -u app");
        assert!(
            said.contains(&format!("200 user {}", user.trim())),
            "{said}"
        );
        let mode = site
            .machine
            .run("runuser -u nobody -- cat /etc/tlsgen/five/certificates/site/key.pem");
        assert!(!mode.status.success(), "others read the key");
        again(&site, "app", 8443);
    }
}

/// Lines of ours in a vhost of the user's, and what happens when that one was changed on the machine.
#[test]
fn lines_in_a_vhost() {
    const VHOST: &str = "server {\n    listen 80;\n    listen [::]:80;\n    server_name site.five.example;\n    \
                         location /static/ { return 200 \"theirs\\n\"; }\n}\n";
    let Some(machine) = Machine::booted("bookworm") else {
        return;
    };
    machine.put("/etc/nginx/sites-available/site", VHOST, 0o644);
    machine.succeed(
        "rm /etc/nginx/sites-enabled/default && ln -s ../sites-available/site /etc/nginx/sites-enabled/site && systemctl start nginx",
    );
    let project = tempfile::tempdir().unwrap();
    let there = project.path().join("there");
    fs::create_dir(&there).unwrap();
    let status = Command::new("cp")
        .arg("-a")
        .args([machine.path("/etc/nginx"), there.join("nginx")])
        .status();
    assert!(status.unwrap().success());
    let spec = "version: 1
project: five
authorities:
  ca: {kind: managed, subject: {common_name: Five Servers CA}, permitted_names: [five.example]}
hosts:
  site: {names: [site.five.example], issuer: ca}
services:
  front: {server: nginx@1.22, serve_as: include, serves: [{host: site, redirect_http: true}]}
targets:
  machine:
    kind: host
    os: debian-12
    output: tree
    services: {front: {config: /etc/nginx/sites-available/site}}
    files: {/etc/nginx: there/nginx}
";
    fs::write(project.path().join("tlsgen.yaml"), spec).unwrap();
    fs::write(project.path().join(".gitignore"), "pki/private/\n").unwrap();
    let site = Site { machine, project };
    site.build();
    site.install();
    let client = fs::read(checkout().join("tests/real/five_servers/client.py")).unwrap();
    site.machine.put("/srv/client.py", client, 0o644);
    let ca = "/srv/five/pki/authorities/ca.pem";
    let answer = site.machine.succeed(&format!(
        "python3 /srv/client.py {ca} site.five.example 443 /static/a"
    ));
    assert_eq!(answer.trim(), "200 theirs");
    let vhost = site.machine.read("/etc/nginx/sites-available/site");
    for line in VHOST.lines() {
        assert!(vhost.contains(line), "{line}");
    }
    assert!(
        !site.install().contains("writing"),
        "a second run writes nothing"
    );

    site.machine
        .succeed("sed -i 's/theirs/newer/' /etc/nginx/sites-available/site");
    let before = site.machine.read("/etc/nginx/sites-available/site");
    let refused = site.machine.fail("sh /srv/five/tree/install.sh 2>&1");
    assert!(
        refused.contains("/etc/nginx/sites-available/site is not what the project has of it"),
        "{refused}"
    );
    assert_eq!(site.machine.read("/etc/nginx/sites-available/site"), before);
}

/// Caddy reads one file: sites that stand in it are not left behind.
#[test]
fn a_caddyfile_with_sites_is_kept() {
    let site = Site::new("caddy@2.6", "{}", |machine| {
        machine.put(
            "/etc/caddy/Caddyfile",
            "http://wiki.five.example {\n}\n",
            0o644,
        );
    });
    let Some(site) = site else { return };
    let refused = site.machine.fail("sh /srv/five/tree/install.sh 2>&1");
    assert!(
        refused.contains("/etc/caddy/Caddyfile is not as its package brought it"),
        "{refused}"
    );
    site.machine
        .fail("test -e /etc/caddy/tlsgen-five.caddyfile");
}

#[test]
fn the_example_has_them_all() {
    let example = checkout().join("examples/five-servers/tlsgen.yaml");
    let text = fs::read_to_string(&example)
        .unwrap_or_else(|_| panic!("{}", Path::new(&example).display()));
    for server in ["nginx@", "apache@", "haproxy@", "traefik@", "caddy@", "app"] {
        assert!(text.contains(&format!("server: {server}")), "{server}");
    }
}
