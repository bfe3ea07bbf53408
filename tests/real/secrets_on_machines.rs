//! Secrets of services on machines with a systemd that runs: pushed there, handed to their units when they start, and
//! found nowhere else.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic and touch the disk"
)]

mod machine;
mod support;

use std::collections::BTreeSet;
use std::fs;

use machine::{Machine, said};
use support::checkout;
use support::project::Project;

const SUITES: [&str; 2] = ["bookworm", "sid"];
const PORT: u16 = 8080;
/// Has what `systemd-creds` is told written down: its words and its variables.
const RECORDING: &str = "#!/bin/sh
{ printf '%s\\n' \"$@\"; env; } >>/srv/private/told
exec /usr/bin/systemd-creds \"$@\"
";
const FIRST: Values = Values {
    password: "first-Qz7!\"é$HOME\\n\nof two lines",
    token: "token-Rt4=%d",
    sealing: "sealing-Yu5;#",
};
const SECOND: Values = Values {
    password: "second-Wx8",
    ..FIRST
};
/// What each value has and nothing of ours.
const PARTS: [&str; 4] = ["first-Qz7", "second-Wx8", "token-Rt4", "sealing-Yu5"];
const PASSWORD: &str = "/etc/credstore.encrypted/lab.DB_PASSWORD";

struct Values {
    password: &'static str,
    token: &'static str,
    sealing: &'static str,
}

#[test]
fn services_are_handed_what_was_pushed_and_nobody_else() {
    let project = Project::new();
    project.copy(&here(""));
    project.build();
    for suite in SUITES {
        let Some(machine) = Machine::booted(suite) else {
            return;
        };
        prepare(&machine, &project);
        nothing_is_installed_before_the_push(&machine);
        pushed(&machine, suite);
        machine.succeed("sh /srv/lab/machine/install.sh");
        answers(&machine, &FIRST);
        only_its_unit_reads(&machine);
        // A credential is read at a start alone.
        let said = tlsgen(&machine, "secrets push", 0, &SECOND);
        assert!(said.contains("DB_PASSWORD in systemd: changed"), "{said}");
        assert_eq!(said.matches(": same").count(), 2, "{said}");
        answers(&machine, &FIRST);
        machine.succeed("systemctl restart web.service");
        answers(&machine, &SECOND);
        // As it is after a disk was copied to another machine.
        machine.succeed(&format!("echo Zm9yZWlnbg== >{PASSWORD}"));
        let said = tlsgen(&machine, "secrets push", 0, &SECOND);
        assert!(said.contains("DB_PASSWORD in systemd: changed"), "{said}");
        machine.succeed("systemctl restart web.service");
        answers(&machine, &SECOND);
        nothing_else_has_them(&machine, suite);
        surplus_is_said(&machine);
        // Everything is there: nothing changes.
        let said = machine.succeed("sh /srv/lab/machine/install.sh");
        assert!(said.contains("0 files changed"), "{suite}: {said}");
    }
}

fn prepare(machine: &Machine, project: &Project) {
    machine.succeed("useradd --system web && useradd --system other");
    let tlsgen = fs::read(env!("CARGO_BIN_EXE_tlsgen")).unwrap();
    machine.put("/usr/local/bin/tlsgen", tlsgen, 0o755);
    machine.put("/usr/local/bin/systemd-creds", RECORDING, 0o755);
    machine.put(
        "/srv/answer.py",
        fs::read(here("answer.py")).unwrap(),
        0o644,
    );
    machine.put("/srv/private/token", FIRST.token, 0o600);
    let web = format!(
        "[Service]\nUser=web\nStandardError=append:/srv/private/web.log\nExecStart=/usr/bin/python3 /srv/answer.py {PORT}\n"
    );
    machine.put("/etc/systemd/system/web.service", web, 0o644);
    let other = "[Service]\nUser=other\nExecStart=/bin/sleep 1000000\n";
    machine.put("/etc/systemd/system/other.service", other, 0o644);
    machine.copy(&project.path(""), "/srv/lab");
    machine.succeed("chmod 0755 /srv/lab && systemctl daemon-reload");
}

fn nothing_is_installed_before_the_push(machine: &Machine) {
    let said = machine.fail("sh /srv/lab/machine/install.sh");
    assert!(
        said.contains("secrets push --store systemd") && said.contains(PASSWORD),
        "{said}"
    );
    machine.fail("ls /etc/systemd/system/web.service.d");
    let said = machine.succeed("sh /srv/lab/machine/install.sh --dry-run");
    assert!(said.contains("would need the secrets"), "{said}");
}

fn pushed(machine: &Machine, suite: &str) {
    let said = machine.fail(
        "cd /srv/lab && runuser -u web -- env DB_PASSWORD=x tlsgen secrets push --only DB_PASSWORD",
    );
    assert!(said.contains("root"), "{suite}: {said}");
    let said = tlsgen(machine, "secrets check", 1, &FIRST);
    assert_eq!(said.matches(": missing").count(), 3, "{said}");
    let said = tlsgen(machine, "secrets push --dry-run", 0, &FIRST);
    assert_eq!(said.matches("would be created").count(), 3, "{said}");
    let said = tlsgen(machine, "secrets push --store compose", 0, &FIRST);
    assert_eq!(said, "");
    let said = tlsgen(machine, "secrets push --store systemd", 0, &FIRST);
    assert_eq!(said.matches(": created").count(), 3, "{said}");
    let said = tlsgen(machine, "secrets push", 0, &FIRST);
    assert_eq!(said.matches(": same").count(), 3, "{said}");
    tlsgen(machine, "secrets check", 0, &FIRST);
    let modes = machine.succeed("stat -c '%a %U %n' /etc/credstore* /etc/credstore*/*");
    assert_eq!(
        modes,
        "700 root /etc/credstore\n700 root /etc/credstore.encrypted\n600 root /etc/credstore.encrypted/api.token\n\
         600 root /etc/credstore.encrypted/lab.DB_PASSWORD\n600 root /etc/credstore/lab.SEALING\n",
        "{suite}"
    );
}

/// What a command of ours says; no value may be in it.
fn tlsgen(machine: &Machine, words: &str, code: i32, values: &Values) -> String {
    let output = machine
        .command("/bin/sh")
        .args(["-c", &format!("cd /srv/lab && exec tlsgen {words}")])
        .env("DB_PASSWORD", values.password)
        .env("SEALING", values.sealing)
        .output()
        .unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(code), "{words}: {text}");
    for part in PARTS {
        assert!(!text.contains(part), "{words}: {text}");
    }
    text.split_once('\n').unwrap().1.to_owned()
}

/// What the service reads is what was pushed, to the byte.
fn answers(machine: &Machine, values: &Values) {
    let digests: Vec<String> = [values.password, values.token, values.sealing]
        .iter()
        .map(|value| tlsgen::digest::Sha256::of(value.as_bytes()).short(64))
        .collect();
    let digests = digests.join("\n");
    machine.wait_for(&format!(
        "[ \"$(python3 -c 'import urllib.request as u; print(u.urlopen(\"http://127.0.0.1:{PORT}\").read().decode())')\" = '{digests}' ] || {{ systemctl status --no-pager web.service; cat /srv/private/web.log; false; }}"
    ));
}

fn only_its_unit_reads(machine: &Machine) {
    let here = "/run/credentials/web.service";
    for file in ["lab.DB_PASSWORD", "api.token", "lab.SEALING"] {
        machine.succeed(&format!("runuser -u web -- cat {here}/{file}"));
        machine.fail(&format!("runuser -u other -- cat {here}/{file}"));
    }
    // The mounts are its own; elsewhere their places are empty.
    for place in ["/run/secrets/DB_PASSWORD", "/etc/web/sealing"] {
        machine.fail(&format!("test -s {place}"));
    }
    let environment = machine.succeed(
        "tr '\\0' '\\n' <\"/proc/$(systemctl show --property MainPID --value web.service)/environ\"",
    );
    assert!(
        environment.contains(&format!("API_TOKEN_FILE={here}/api.token\n"))
            && environment.contains("SEALING_FILE=/etc/web/sealing\n"),
        "{environment}"
    );
}

fn nothing_else_has_them(machine: &Machine, suite: &str) {
    let told = machine.read("/srv/private/told");
    assert!(
        told.contains("--name=lab.DB_PASSWORD\n") && told.contains("encrypt\n"),
        "{told}"
    );
    let shown = machine.succeed(
        "systemctl show web.service other.service; systemctl cat web.service other.service; systemctl status web.service; cat /srv/private/web.log; \
         journalctl --no-pager 2>&1 || :; cat /proc/[0-9]*/cmdline",
    );
    for part in PARTS {
        assert!(!told.contains(part) && !shown.contains(part), "{suite}");
    }
    let patterns: Vec<String> = PARTS.iter().map(|part| format!("-e {part}")).collect();
    let holders = machine.succeed(&format!(
        "grep -raslF {} /etc /run /srv /tmp /var /usr/local/lib /dev/shm || :",
        patterns.join(" ")
    ));
    let holders: BTreeSet<&str> = holders.lines().collect();
    let expected = BTreeSet::from([
        "/etc/credstore/lab.SEALING",
        "/srv/private/token",
        "/run/credentials/other.service/api.token",
        "/run/credentials/web.service/api.token",
        "/run/credentials/web.service/lab.DB_PASSWORD",
        "/run/credentials/web.service/lab.SEALING",
    ]);
    assert_eq!(holders, expected, "{suite}");
}

fn surplus_is_said(machine: &Machine) {
    machine.succeed(
        "cp /etc/credstore/lab.SEALING /etc/credstore/lab.DB_PASSWORD
        cp /etc/credstore/lab.SEALING /etc/credstore.encrypted/lab.OLD
        cp /etc/credstore/lab.SEALING /etc/credstore/another.OLD",
    );
    let said = tlsgen(machine, "secrets check", 1, &FIRST);
    let surplus: Vec<&str> = said.lines().collect();
    assert_eq!(
        surplus,
        [
            "/etc/credstore.encrypted/lab.OLD in systemd: in no spec",
            "/etc/credstore/lab.DB_PASSWORD in systemd: in no spec"
        ]
    );
}

fn here(below: &str) -> std::path::PathBuf {
    checkout()
        .join("tests/real/secrets_on_machines")
        .join(below)
}
