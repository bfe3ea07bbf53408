//! The whole loop of a machine, for real: a certificate is ordered over ACME where none is, installed, renewed by what
//! cron and systemd run, and presented by a server that drops no connection; what fails leaves all as it was.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests may panic and touch the disk"
)]

mod machine;
mod support;

use machine::{Machine, said};
use serde_json::Value;
use support::checkout;
use support::project::Project;

/// How long a certificate of the test server is valid, in seconds: half of it, and clients that ask for a share renew.
const VALID: u32 = 40;

const CERTIFICATE: &str = "/etc/tlsgen/shop/certificates/web/full-chain.pem";
const RENEW: &str = "/usr/local/lib/tlsgen/shop/renew";

/// A machine with a server behind nginx, and a test ACME server; its project.
struct Shop {
    machine: Machine,
    project: Project,
}

impl Shop {
    fn new(machine: Machine, os: &str, server: &str, client: &str, renewals: &str) -> Self {
        let project = Project::new();
        machine.put("/tmp/pebble.sh", include_str!("renewal/pebble.sh"), 0o755);
        machine.put("/opt/app.py", include_str!("renewal/app.py"), 0o644);
        machine.put("/opt/client.py", include_str!("renewal/client.py"), 0o644);
        for program in ["pebble", "pebble-challtestsrv"] {
            let bookworm = checkout().join("target/judges/machine-bookworm/usr/bin");
            let bytes = std::fs::read(bookworm.join(program)).unwrap();
            machine.put(&format!("/usr/bin/{program}"), bytes, 0o755);
        }
        machine.succeed(&format!("/tmp/pebble.sh {VALID}"));
        machine.background("python3 /opt/app.py", "/tmp/app.log");
        project.write("pki/pebble.pem", machine.read("/opt/pebble/root.pem"));
        project.write("tlsgen.yaml", spec(os, server, client, renewals));
        let shop = Self { machine, project };
        shop.build();
        shop
    }

    /// Builds, and brings the project to the machine.
    fn build(&self) {
        self.project.build();
        self.machine.succeed("rm -rf /srv/shop");
        self.machine.copy(&self.project.path(""), "/srv/shop");
    }

    fn install(&self, arguments: &str) -> String {
        self.machine.succeed(&format!(
            "sh /srv/shop/hosts/web/install.sh {arguments} 2>&1"
        ))
    }

    fn installed(&self) -> String {
        self.machine
            .succeed(&format!("openssl x509 -in {CERTIFICATE} -noout -serial"))
    }

    fn served(&self) -> String {
        self.machine.succeed(
            "openssl s_client -connect 127.0.0.1:443 -servername web.test </dev/null 2>/dev/null | openssl x509 -noout -serial",
        )
    }

    /// Everything that an installation may change.
    fn state(&self) -> String {
        self.machine.succeed(
            "find /etc /usr/local /var/lib/tlsgen /var/www /var/spool/cron -type f -o -type d | sort | while read -r path; do
               stat -c '%n %a %U %G' \"$path\"; [ -d \"$path\" ] || sha256sum \"$path\"; done",
        )
    }

    /// Waits until clients hold the certificate for due.
    fn wait_until_due(&self) {
        self.machine.wait_for(&format!(
            "! openssl x509 -in {CERTIFICATE} -noout -checkend {}",
            VALID / 2 - 2
        ));
    }

    /// Serves requests of all kinds while something is done; every one of them is answered.
    fn under_load(&self, what: impl FnOnce()) -> usize {
        self.machine.succeed("rm -f /tmp/report*");
        self.machine.background(
            "python3 /opt/client.py web.test /tmp/report",
            "/tmp/client.log",
        );
        self.machine.succeed("sleep 1");
        what();
        self.machine.succeed("sleep 1; touch /tmp/report.stop");
        self.machine.wait_for("test -s /tmp/report");
        let report: Value = serde_json::from_str(&self.machine.read("/tmp/report")).unwrap();
        assert_eq!(report["failed"], Value::Array(Vec::new()), "{report}");
        for kind in ["new", "kept", "slow"] {
            assert!(report["answers"][kind].as_u64() > Some(0), "{report}");
        }
        report["seen"].as_array().unwrap().len()
    }
}

fn spec(os: &str, server: &str, client: &str, renewals: &str) -> String {
    // HAProxy serves no files: it passes challenges on to the client.
    let challenge = match server {
        "haproxy" => "",
        _ => "\n    challenge: {webroot: /var/www/acme}",
    };
    format!(
        "version: 1
project: shop
authorities:
  pebble:
    kind: acme
    directory: https://acme.test:14000/dir
    email: ops@web.test
    agree_to_terms: true
    client: {client}{challenge}
    root: pki/pebble.pem
hosts:
  web: {{names: [web.test, www.web.test], issuer: pebble}}
services:
  frontend:
    server: {server}
    serves: [{{host: web, upstream: \"http://127.0.0.1:8080\", redirect_http: true}}]
targets:
  web: {{kind: host, os: {os}, output: hosts/web, services: {{frontend: {{}}}}, renewals: {renewals}}}
"
    )
}

/// First from nothing, then a second time, then as a preview: what was said is judged at each step.
fn from_nothing(shop: &Shop) {
    let before = shop.state();
    let preview = shop.install("--dry-run");
    assert!(preview.contains("nothing was changed"), "{preview}");
    assert_eq!(before, shop.state());

    let first = shop.install("");
    assert!(
        first.contains("a placeholder lets the servers start"),
        "{first}"
    );
    assert_eq!(shop.installed(), shop.served());
    let issuer = shop
        .machine
        .succeed(&format!("openssl x509 -in {CERTIFICATE} -noout -issuer"));
    assert!(issuer.contains("Pebble"), "{issuer}\n{first}");

    let again = shop.install("--no-issue");
    assert!(again.contains("0 files changed"), "{again}");
    assert_eq!(shop.installed(), shop.served());
    let modes = shop
        .machine
        .succeed("stat -c '%a %U' /etc/tlsgen/shop/certificates/web/key.pem");
    assert!(modes == "600 root\n" || modes == "640 root\n", "{modes}");
}

#[test]
fn certbot_of_debian_renews_by_a_timer() {
    let Some(machine) = Machine::booted("bookworm") else {
        return;
    };
    let shop = Shop::new(
        machine,
        "debian-12",
        "nginx",
        "certbot",
        "{scheduler: systemd}",
    );
    from_nothing(&shop);
    renewed_by_systemd(&shop);
    broken_configuration_changes_nothing(&shop);
}

#[test]
fn lego_of_sid_renews_by_a_timer() {
    let Some(machine) = Machine::booted("sid") else {
        return;
    };
    let shop = Shop::new(
        machine,
        "debian-13",
        "nginx",
        "lego@4.35",
        "{scheduler: systemd}",
    );
    from_nothing(&shop);
    renewed_by_systemd(&shop);
    broken_configuration_changes_nothing(&shop);
}

#[test]
fn lego_of_debian_renews_by_cron() {
    let Some(machine) = Machine::new("bookworm") else {
        return;
    };
    let shop = Shop::new(
        machine,
        "debian-12",
        "nginx",
        "lego",
        "{scheduler: cron, mail: ops@web.test}",
    );
    from_nothing(&shop);
    // Its time alone is another: this very line is run by cron within a minute.
    shop.machine.succeed("sed -i 's/^[0-9,]* [0-9,*]* /* * /' /etc/cron.d/tlsgen-shop && grep '^\\* \\* \\* ' /etc/cron.d/tlsgen-shop");
    renewed_by_cron(&shop);
}

#[test]
fn newest_certbot_renews_by_the_crontab_of_root() {
    let Some(machine) = Machine::new("bookworm") else {
        return;
    };
    let renewals = "{scheduler: crontab, client_path: /opt/certbot/bin/certbot}";
    machine.succeed("printf 'MAILTO=me\\n17 4 * * 0 true # mine\\n' | crontab -");
    let shop = Shop::new(machine, "debian-12", "nginx", "certbot@5.8", renewals);
    from_nothing(&shop);
    let crontab = shop.machine.succeed("crontab -l");
    assert!(
        crontab.starts_with("MAILTO=me\n17 4 * * 0 true # mine\n# begin tlsgen-shop\n"),
        "{crontab}"
    );
    assert_eq!(crontab.lines().count(), 5, "{crontab}");
    shop.machine
        .succeed("crontab -l | sed '/renew/s/^[0-9,]* [0-9,*]* /* * /' | crontab -");
    renewed_by_cron(&shop);
}

/// The unit is run as the timer runs it: in systemd's own environment, and behind its walls.
fn renewed_by_systemd(shop: &Shop) {
    let machine = &shop.machine;
    let verified = machine.succeed(
        "cd /etc/systemd/system && systemd-analyze verify --man=no ./tlsgen-shop-renew.* 2>&1 | grep -v ^/usr/lib/systemd || :",
    );
    assert_eq!(verified, "");
    machine.succeed("systemctl is-active tlsgen-shop-renew.timer && systemctl is-enabled tlsgen-shop-renew.timer");
    let old = shop.installed();
    let seen = shop.under_load(|| {
        shop.wait_until_due();
        let output = machine.run("systemctl start tlsgen-shop-renew.service");
        assert!(
            output.status.success(),
            "{}\n{}",
            said(&output),
            machine.read("/var/log/tlsgen-shop.log")
        );
    });
    renewed(shop, &old, seen);
}

fn renewed_by_cron(shop: &Shop) {
    let old = shop.installed();
    let seen = shop.under_load(|| {
        shop.wait_until_due();
        shop.machine.background("cron -f", "/tmp/cron.log");
        for _ in 0..3 {
            let done = shop
                .machine
                .run("sleep 25; grep -q 'tlsgen: done' /var/log/tlsgen-shop.log");
            if done.status.success() {
                return;
            }
        }
        panic!(
            "{}",
            said(
                &shop
                    .machine
                    .run("cat /var/log/tlsgen-shop.log /tmp/cron.log")
            )
        );
    });
    renewed(shop, &old, seen);
}

fn renewed(shop: &Shop, old: &str, seen: usize) {
    let log = shop.machine.read("/var/log/tlsgen-shop.log");
    assert_ne!(old, shop.installed(), "{log}");
    assert_eq!(shop.installed(), shop.served(), "{log}");
    assert!(seen >= 2, "the client saw {seen} certificates\n{log}");
}

/// What the user has broken is no reason to lose the certificate that works.
fn broken_configuration_changes_nothing(shop: &Shop) {
    let machine = &shop.machine;
    machine.succeed(
        "cp /etc/nginx/nginx.conf /tmp/nginx.conf && echo 'broken;' >>/etc/nginx/nginx.conf",
    );
    let old = shop.installed();
    shop.wait_until_due();
    let printed = machine.fail(&format!("env -i HOME=/root {RENEW} 2>&1"));
    assert!(
        printed.contains("web keeps the certificate that it had"),
        "{printed}"
    );
    assert!(printed.contains("FAILED: web"), "{printed}");
    assert_eq!(
        (old.clone(), old.clone()),
        (shop.installed(), shop.served()),
        "{printed}"
    );
    machine.fail("systemctl start tlsgen-shop-renew.service");

    let before = shop.state();
    let refused = machine.fail("sh /srv/shop/hosts/web/install.sh --no-issue 2>&1");
    assert!(refused.contains("taking everything back"), "{refused}");
    assert_eq!(before, shop.state());

    // The certificate that could not be installed is, as soon as it can be.
    machine.succeed("cp /tmp/nginx.conf /etc/nginx/nginx.conf");
    machine.succeed(RENEW);
    assert_ne!(old, shop.installed());
    assert_eq!(shop.installed(), shop.served());
}

/// Each of the other servers gets its first certificate, and the next, by its own way of challenges.
fn obtains_and_renews(server: &str, client: &str, renewals: &str) {
    let Some(machine) = Machine::booted("bookworm") else {
        return;
    };
    let shop = Shop::new(machine, "debian-12", server, client, renewals);
    from_nothing(&shop);
    let old = shop.installed();
    shop.wait_until_due();
    let unit = match renewals.contains("package") {
        true => "certbot.service",
        false => "tlsgen-shop-renew.service",
    };
    let output = shop.machine.run(&format!("systemctl start {unit}"));
    let log = said(
        &shop
            .machine
            .run("cat /var/log/tlsgen-shop.log; journalctl --no-pager | tail -n 30"),
    );
    assert!(output.status.success(), "{log}");
    assert_ne!(old, shop.installed(), "{log}");
    assert_eq!(shop.installed(), shop.served(), "{log}");
}

#[test]
fn apache_is_renewed() {
    obtains_and_renews("apache", "lego", "{}");
}

#[test]
fn haproxy_is_renewed() {
    obtains_and_renews("haproxy", "certbot", "{}");
}

#[test]
fn haproxy_is_renewed_by_lego() {
    obtains_and_renews("haproxy", "lego", "{}");
}

#[test]
fn caddy_is_renewed() {
    obtains_and_renews("caddy", "certbot", "{}");
}

/// The schedule that Debian's package brings along is enough: everything stands with the certificate.
#[test]
fn the_package_of_certbot_renews() {
    obtains_and_renews("nginx", "certbot", "{scheduler: package}");
}

#[test]
fn a_private_ca_renews_where_the_project_is() {
    let Some(machine) = Machine::booted("bookworm") else {
        return;
    };
    let project = Project::new();
    project.write(".gitignore", "pki/private/\n");
    project.write("tlsgen.yaml", PRIVATE);
    project.build();
    let tree = "sh /srv/shop/hosts/web/install.sh";
    let copied = |with: &str| {
        machine.succeed("rm -rf /srv/shop");
        machine.copy(&project.path(""), "/srv/shop");
        machine.succeed(with);
    };

    copied("mv /srv/shop/pki/private /root/private");
    let refused = machine.fail(tree);
    assert!(refused.contains("the key of web is missing"), "{refused}");
    assert!(
        !machine
            .run("test -e /etc/tlsgen || test -e /var/lib/tlsgen")
            .status
            .success()
    );
    machine.succeed(&format!("{tree} --keys /root/private/hosts"));
    // What is installed already fits.
    machine.succeed(tree);
    // A key of another certificate does not, wherever it comes from.
    machine.succeed("mkdir /root/other && openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out /root/other/web.key");
    let refused = machine.fail(&format!("{tree} --keys /root/other"));
    assert!(
        refused.contains("is not the one of the certificate"),
        "{refused}"
    );

    copied("true");
    machine.put(
        "/usr/local/bin/tlsgen",
        std::fs::read(env!("CARGO_BIN_EXE_tlsgen")).unwrap(),
        0o755,
    );
    let serial = || machine.succeed(&format!("openssl x509 -in {CERTIFICATE} -noout -serial"));
    let old = serial();
    // Due, whatever the date is.
    machine.succeed("rm /srv/shop/pki/hosts/web.pem");
    let output = machine.run("systemctl start tlsgen-shop-renew.service");
    let log = machine.read("/var/log/tlsgen-shop.log");
    assert!(output.status.success(), "{log}");
    assert_ne!(old, serial(), "{log}");
    let served = "openssl s_client -connect 127.0.0.1:443 -servername web.test </dev/null 2>/dev/null | openssl x509 -noout -serial";
    assert_eq!(serial(), machine.succeed(served), "{log}");
}

const PRIVATE: &str = "version: 1
project: shop
authorities:
  ca: {kind: managed, subject: {common_name: Shop CA}}
hosts:
  web: {names: [web.test], issuer: ca}
services:
  frontend:
    server: nginx
    serves: [{host: web, upstream: \"http://127.0.0.1:8080\"}]
targets:
  web: {kind: host, os: debian-12, output: hosts/web, services: {frontend: {}}, renewals: {project: /srv/shop}}
";
