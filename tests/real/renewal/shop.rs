//! A machine with a server before an application, a test ACME server, and a project for both.

use serde_json::Value;

use crate::machine::Machine;
use crate::support::checkout;
use crate::support::project::Project;

/// How long a certificate of the test server is valid, in seconds: half of it, and clients that ask for a share renew.
pub const VALID: u32 = 60;

pub const CERTIFICATE: &str = "/etc/tlsgen/shop/certificates/web/full-chain.pem";
pub const RENEW: &str = "/usr/local/lib/tlsgen/shop/renew";

/// A machine with a server behind nginx, and a test ACME server; its project.
pub struct Shop {
    pub machine: Machine,
    pub project: Project,
    /// Whether the client renews by a share of the lifetime, and not by days that are over at once.
    by_share: bool,
}

impl Shop {
    pub fn new(machine: Machine, os: &str, server: &str, client: &str, renewals: &str) -> Self {
        let project = Project::new();
        machine.put("/tmp/pebble.sh", include_str!("pebble.sh"), 0o755);
        machine.put("/opt/app.py", include_str!("app.py"), 0o644);
        machine.put("/opt/client.py", include_str!("client.py"), 0o644);
        for program in ["pebble", "pebble-challtestsrv"] {
            let bookworm = checkout().join("target/judges/machine-bookworm/usr/bin");
            let bytes = std::fs::read(bookworm.join(program)).unwrap();
            machine.put(&format!("/usr/bin/{program}"), bytes, 0o755);
        }
        machine.succeed(&format!("/tmp/pebble.sh {VALID}"));
        machine.background("python3 /opt/app.py", "/tmp/app.log");
        project.write("pki/pebble.pem", machine.read("/opt/pebble/root.pem"));
        project.write("tlsgen.yaml", spec(os, server, client, renewals));
        let shop = Self {
            machine,
            project,
            by_share: client.contains('@'),
        };
        shop.build();
        shop
    }

    /// Builds, and brings the project to the machine.
    pub fn build(&self) {
        self.project.build();
        self.machine.succeed("rm -rf /srv/shop");
        self.machine.copy(&self.project.path(""), "/srv/shop");
    }

    pub fn install(&self, arguments: &str) -> String {
        self.machine.succeed(&format!(
            "sh /srv/shop/hosts/web/install.sh {arguments} 2>&1"
        ))
    }

    pub fn installed(&self) -> String {
        self.machine
            .succeed(&format!("openssl x509 -in {CERTIFICATE} -noout -serial"))
    }

    pub fn served(&self) -> String {
        self.machine.succeed(
            "openssl s_client -connect 127.0.0.1:443 -servername web.test </dev/null 2>/dev/null | openssl x509 -noout -serial",
        )
    }

    /// Everything that an installation may change.
    pub fn state(&self) -> String {
        self.machine.succeed(
            "find /etc /usr/local /var/lib/tlsgen /var/www /var/spool/cron -type f -o -type d | sort | while read -r path; do
               stat -c '%n %a %U %G' \"$path\"; [ -d \"$path\" ] || sha256sum \"$path\"; done",
        )
    }

    /// Waits until clients hold the certificate for due.
    pub fn wait_until_due(&self) {
        if !self.by_share {
            return;
        }
        self.machine.wait_for(&format!(
            "! openssl x509 -in {CERTIFICATE} -noout -checkend {}",
            VALID / 2 - 2
        ));
    }

    /// Serves requests of all kinds while something is done; every one of them is answered.
    pub fn under_load(&self, what: impl FnOnce()) -> usize {
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

pub fn spec(os: &str, server: &str, client: &str, renewals: &str) -> String {
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
