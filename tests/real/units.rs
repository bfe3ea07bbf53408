//! Units on machines with a systemd that runs: values arrive as they are, what is written is clean, services are
//! handed what they need and nobody else is, and a change of a certificate is told.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic and touch the disk"
)]

mod machine;
mod support;

use std::fmt::Write as _;
use std::fs;

use machine::Machine;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use support::checkout;
use support::project::Project;
use tlsgen::render::systemd;

const SUITES: [&str; 2] = ["bookworm", "sid"];
/// How many values are tried at once.
const VALUES: usize = 400;
/// A systemd of its own for a user, without the login that would start one.
const MANAGER: &str = "[Service]
User=ada
Type=notify
Delegate=yes
Environment=XDG_RUNTIME_DIR=/run/user/1234
ExecStartPre=+/bin/sh -c 'mkdir -p /run/user/1234 && chown ada /run/user/1234 && chmod 0700 /run/user/1234'
ExecStart=/lib/systemd/systemd --user
";

#[test]
fn values_arrive_as_they_are() {
    let mut runner = TestRunner::deterministic();
    let any = prop_oneof![
        "[-a-c $%{}()\\\\\"';#:@+!=*?~&|<>\n\t^,.]{0,12}",
        "\\PC{0,8}",
        any::<String>(),
    ];
    let values: Vec<String> = (0..VALUES)
        .map(|_| any.new_tree(&mut runner).unwrap().current())
        .filter(|value| systemd::quote(value).is_ok())
        .collect();
    assert!(values.len() > VALUES / 2, "most values can be written");
    let mut unit = String::from(
        "[Service]\nType=oneshot\nExecStart=/usr/bin/python3 /srv/dump.py /var/lib/dumped",
    );
    for value in &values {
        write!(unit, " {}", systemd::quote(value).unwrap()).unwrap();
    }
    unit.push('\n');
    for (index, value) in values.iter().enumerate() {
        let assignment = systemd::quote_setting(&format!("V{index}={value}")).unwrap();
        writeln!(unit, "Environment={assignment}").unwrap();
    }
    for suite in SUITES {
        let Some(machine) = Machine::booted(suite) else {
            return;
        };
        machine.put("/srv/dump.py", fs::read(here("dump.py")).unwrap(), 0o644);
        machine.put("/etc/systemd/system/dump.service", &unit, 0o644);
        machine.succeed("systemctl daemon-reload && systemctl start dump.service");
        let dumped: serde_json::Value =
            serde_json::from_str(&machine.read("/var/lib/dumped")).unwrap();
        for (index, value) in values.iter().enumerate() {
            assert_eq!(dumped["arguments"][index], **value, "{suite}, argument");
            let variable = &dumped["variables"][format!("V{index}")];
            assert_eq!(*variable, **value, "{suite}, variable");
        }
    }
}

/// Every unit of the case: its own, its drop-ins with the units that they are for, those of a user.
#[test]
fn nothing_is_said_of_the_units() {
    let case = checkout().join("tests/cases/compiles-units");
    for suite in SUITES {
        let Some(machine) = Machine::booted(suite) else {
            return;
        };
        machine.copy(&case.join("expected/machine/etc"), "/etc");
        machine.copy(&case.join("expected/machine/usr"), "/usr");
        machine.succeed("chmod 0755 /usr/local/lib/tlsgen/lab/watch");
        machine.copy(&case.join("there/systemd"), "/etc/systemd/system");
        let stub = "[Service]\nExecStart=/bin/true\n";
        for unit in ["system/galaxy", "user/jupyter"] {
            machine.put(&format!("/etc/systemd/{unit}.service"), stub, 0o644);
        }
        for program in [
            "/usr/local/bin/traefik",
            "/usr/bin/reports",
            "/usr/bin/java",
        ] {
            machine.put(program, "#!/bin/sh\n", 0o755);
        }
        let units = "galaxy.service reports.service batch.service nginx.service haproxy.service caddy.service";
        let said = machine.succeed(&format!(
            "cd /etc/systemd/system && systemd-analyze verify --man=no {units} tlsgen-lab-* 2>&1
            mkdir -p /run/user/0
            cd /etc/systemd/user && XDG_RUNTIME_DIR=/run/user/0 systemd-analyze --user verify --man=no ./jupyter.service 2>&1"
        ));
        // Of its own units systemd says what its tree lacks.
        let own = |line: &&str| line.starts_with("/usr/lib/systemd/system/systemd-");
        let said: Vec<&str> = said.lines().filter(|line| !own(line)).collect();
        assert_eq!(said, Vec::<&str>::new(), "{suite}");
        // Of 262 the tree lacks a library without which it judges nothing.
        if suite == "sid" {
            continue;
        }
        let exposed = machine.run(
            "systemd-analyze security --offline=yes --threshold=40 --no-pager /etc/systemd/system/tlsgen-lab-edge.service",
        );
        assert!(
            exposed.status.success(),
            "{suite}: {}",
            machine::said(&exposed)
        );
    }
}

#[test]
fn services_are_handed_their_certificates_and_told_of_new_ones() {
    let project = Project::new();
    project.copy(&here(""));
    project.build();
    for suite in SUITES {
        let Some(machine) = Machine::booted(suite) else {
            return;
        };
        prepare(&machine, &project);
        machine.succeed("sh /srv/lab/machine/install.sh");
        for (name, port, _) in PORTS {
            let ca = "/srv/lab/pki/authorities/ca.pem";
            machine.wait_for(&format!(
                "openssl s_client -connect 127.0.0.1:{port} -servername {name}.lab.example -verify_return_error \
                 -verify_hostname {name}.lab.example -CAfile {ca} </dev/null"
            ));
        }
        only_its_user_reads(&machine, suite);
        // Nothing is told of what was laid over the machine: it is presented already.
        for (name, port, directory) in PORTS {
            replace(&machine, name, directory, 1);
            presents(&machine, name, port, directory);
        }
        // However fast they change, the last one is presented.
        for round in 2..8 {
            for (name, _, directory) in PORTS {
                replace(&machine, name, directory, round);
            }
            machine.succeed("sleep 0.3");
        }
        for (name, port, directory) in PORTS {
            presents(&machine, name, port, directory);
        }
        machine.succeed("sh /srv/lab/machine/install.sh");
    }
}

/// Each service with its port and the directory of its certificate.
const PORTS: [(&str, u16, &str); 4] = [
    ("galaxy", 8443, "/etc/tlsgen/lab/certificates/galaxy"),
    ("reports", 9443, "/etc/tlsgen/lab/certificates/reports"),
    ("notes", 10443, "/etc/tlsgen/lab/certificates/notes"),
    ("front", 443, "/etc/tlsgen/lab/certificates/front"),
];

fn prepare(machine: &Machine, project: &Project) {
    machine.succeed(
        "useradd --system galaxy && useradd --system reports && useradd --uid 1234 --create-home ada",
    );
    machine.put("/srv/serve.py", fs::read(here("serve.py")).unwrap(), 0o644);
    machine.copy(&here("there"), "/etc/systemd/system");
    machine.put("/etc/systemd/system/ada.service", MANAGER, 0o644);
    let notes = "[Service]\nEnvironment=PORT=10443\nExecStart=/usr/bin/python3 /srv/serve.py\n";
    machine.put("/etc/systemd/user/notes.service", notes, 0o644);
    machine.succeed("systemctl daemon-reload && systemctl start ada.service nginx.service");
    machine.copy(&project.path(""), "/srv/lab");
}

fn only_its_user_reads(machine: &Machine, suite: &str) {
    let environment = machine.succeed(
        "tr '\\0' '\\n' <\"/proc/$(systemctl show --property MainPID --value galaxy.service)/environ\"",
    );
    let credential = "/run/credentials/galaxy.service/galaxy.key.pem";
    assert!(
        environment.contains(&format!("KEY={credential}\n")),
        "{suite}: {environment}"
    );
    assert!(
        environment.contains("JUST=a word\n")
            && environment.contains("SSL_CERT_FILE=/etc/tlsgen/lab/trust/ca/ca-bundle.pem\n"),
        "{suite}: {environment}"
    );
    machine.fail(&format!("runuser -u reports -- cat {credential}"));
    let files = "/etc/tlsgen/lab/certificates";
    machine.fail(&format!("runuser -u galaxy -- cat {files}/galaxy/key.pem"));
    machine.fail(&format!("runuser -u galaxy -- cat {files}/reports/key.pem"));
    machine.succeed(&format!(
        "runuser -u reports -- cat {files}/reports/key.pem"
    ));
    machine.succeed(&format!("runuser -u ada -- cat {files}/notes/key.pem"));
}

/// Another hand replaces a pair: each file by a rename, and with the owner that it had.
fn replace(machine: &Machine, name: &str, directory: &str, serial: u32) {
    machine.succeed(&format!(
        "cd {directory} && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -set_serial {serial} \
         -subj /CN={name}.lab.example -keyout key.new -out chain.new 2>/dev/null \
         && chown --reference=key.pem key.new && chmod --reference=key.pem key.new \
         && mv -f key.new key.pem && mv -f chain.new full-chain.pem"
    ));
}

fn presents(machine: &Machine, name: &str, port: u16, directory: &str) {
    machine.wait_for(&format!(
        "presented=$(openssl s_client -connect 127.0.0.1:{port} -servername {name}.lab.example </dev/null 2>/dev/null | openssl x509 -noout -fingerprint) \
         && [ \"$presented\" = \"$(openssl x509 -in {directory}/full-chain.pem -noout -fingerprint)\" ] \
         || {{ echo {name}; systemctl status 'tlsgen-lab-watch-*' --no-pager; false; }}"
    ));
}

fn here(below: &str) -> std::path::PathBuf {
    checkout().join("tests/real/units").join(below)
}
