//! What is written into scripts, units and crontabs, before those who read it.

use std::process::Command;

use tlsgen::render::{cron, systemd};

use crate::machine::Machine;
use crate::shop::spec;
use crate::support::project::Project;
use crate::support::{root, succeed, there};

#[test]
fn scripts_are_for_every_shell() {
    if !["shellcheck", "dash", "busybox"].into_iter().all(of_system) {
        return;
    }
    let project = Project::new();
    project.write("pki/README", "");
    root(&project.path("pki"), "pebble", "Test root");
    let mut judged = 0;
    for (os, client, renewals) in [
        (
            "debian-12",
            "certbot@2.1",
            "{scheduler: systemd, mail: ops@web.test}",
        ),
        ("ubuntu-24.04", "certbot", "{scheduler: package}"),
        (
            "rhel-9",
            "certbot@5.8",
            "{client_path: /opt/certbot/bin/certbot, project: /home/o'brien/shop, scheduler: cron}",
        ),
        ("alpine", "lego@4.9", "{scheduler: crontab}"),
        (
            "suse-15",
            "lego@5.4",
            "{client_path: /opt/lego, scheduler: systemd}",
        ),
    ] {
        project.write(
            "tlsgen.yaml",
            with_an_own_ca(&spec(os, "nginx", client, renewals)),
        );
        project.build();
        let library = "usr/local/lib/tlsgen/shop";
        for script in [
            "install.sh",
            &format!("{library}/deploy"),
            &format!("{library}/issue"),
            &format!("{library}/renew"),
        ] {
            let script = project.path("hosts/web").join(script);
            for judge in [
                &["shellcheck"][..],
                &["dash", "-n"],
                &["busybox", "ash", "-n"],
            ] {
                let mut judge_of = Command::new(judge[0]);
                succeed(judge_of.args(&judge[1..]).arg(&script));
                judged += 1;
            }
        }
    }
    assert_eq!(judged, 5 * 4 * 3);
}

/// The same, with a host beside the other whose certificate tlsgen issues.
fn with_an_own_ca(spec: &str) -> String {
    let authority = "authorities:\n  ca: {kind: managed, subject: {common_name: Own CA}, permitted_names: [web.test]}\n";
    spec.replacen("authorities:\n", authority, 1)
        .replacen(
            "hosts:\n",
            "hosts:\n  own: {names: [own.web.test], issuer: ca}\n",
            1,
        )
        .replacen(
            "serves: [",
            "serves: [{host: own, upstream: \"http://127.0.0.1:8080\"}, ",
            1,
        )
}

/// Words of every kind reach a program whole: through a unit, in systemd's own hands, and through a file of cron.
#[test]
fn words_reach_programs_whole() {
    let mut words: Vec<String> = [
        "a b",
        "$HOME",
        "${HOME}x",
        "$$",
        "%h",
        "%%",
        "100%",
        "\\%",
        "\\\\%%\\",
        "'",
        "\"",
        "it's \"x\"",
        ";",
        "\\;",
        "-",
        "",
        "*",
        "~",
        "`id`",
        "$(id)",
        "a\\nb",
        "\\x41",
        "\\s",
        "#x",
        "!x",
        "é→",
        "=",
        "A=b c",
        "&& true",
        "> /x",
        "@",
        ":",
    ]
    .map(str::to_owned)
    .into();
    for byte in b' '..=b'~' {
        let byte = char::from(byte);
        words.push(format!("{byte}x{byte}{byte}y"));
    }
    for suite in ["bookworm", "sid"] {
        let Some(machine) = Machine::booted(suite) else {
            return;
        };
        machine.put("/opt/show", "#!/bin/sh\nto=$1\nshift\nfor word; do printf '%s\\n' \"$word\"; done >\"$to.new\"\nmv \"$to.new\" \"$to\"\n", 0o755);
        let expected: String = words.iter().map(|word| format!("{word}\n")).collect();

        let quoted: Vec<String> = words
            .iter()
            .map(|word| systemd::quote(word).unwrap())
            .collect();
        let unit = format!(
            "[Service]\nType=oneshot\nExecStart=/opt/show /opt/unit {}\n",
            quoted.join(" ")
        );
        machine.put("/etc/systemd/system/words.service", unit, 0o644);
        machine.succeed("systemctl daemon-reload && systemctl start words.service");
        assert_eq!(machine.read("/opt/unit"), expected, "systemd of {suite}");

        let mut table = "SHELL=/bin/sh\n".to_owned();
        let pieces: Vec<&[String]> = words.chunks(20).collect();
        for (number, piece) in pieces.iter().enumerate() {
            let to = format!("/opt/cron.{number}");
            let all = ["/opt/show", to.as_str()]
                .into_iter()
                .chain(piece.iter().map(String::as_str));
            table += &format!("* * * * * root {}\n", cron::command(all).unwrap());
        }
        machine.put("/etc/cron.d/words", table, 0o644);
        machine.background("cron -f", "/tmp/cron.log");
        let last = pieces.len() - 1;
        machine.succeed(&format!(
            "for n in 1 2 3 4 5 6 7; do sleep 10; [ ! -e /opt/cron.{last} ] || break; done; sleep 1"
        ));
        for (number, piece) in pieces.iter().enumerate() {
            let expected: String = piece.iter().map(|word| format!("{word}\n")).collect();
            assert_eq!(
                machine.read(&format!("/opt/cron.{number}")),
                expected,
                "cron of {suite}"
            );
        }
    }
}

pub fn of_system(name: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", &format!("command -v {name}")])
        .output();
    there(found.unwrap().status.success(), name)
}
