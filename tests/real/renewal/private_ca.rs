//! Certificates of the project's own authority: brought to the machine, and renewed where the project is.

use crate::machine::Machine;
use crate::shop::CERTIFICATE;
use crate::support::project::Project;

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

    copied("mv /srv/shop/pki/private /srv/private");
    let refused = machine.fail(tree);
    assert!(refused.contains("the key of web is missing"), "{refused}");
    assert!(
        !machine
            .run("test -e /etc/tlsgen || test -e /var/lib/tlsgen")
            .status
            .success()
    );
    machine.succeed(&format!("{tree} --keys /srv/private/hosts"));
    // What is installed already fits; what renews is not here yet, and that is said.
    let said = machine.succeed(&format!("{tree} 2>&1"));
    assert!(said.contains("tlsgen is missing"), "{said}");
    // A key of another certificate does not, wherever it comes from.
    machine.succeed("mkdir /srv/other && openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out /srv/other/web.key");
    let refused = machine.fail(&format!("{tree} --keys /srv/other"));
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
