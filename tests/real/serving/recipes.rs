//! Every way in which a key becomes readable to one process: by its user, by its group, by a group
//! that several share, as root, alone out of a directory of many, and copied from a variable.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::Command;

use crate::support::lab::Lab;
use crate::support::{self, succeed, utf8};
use crate::tornado::wait_for;

const SPEC: &str = "version: 1
project: recipes
authorities:
  corp: {kind: external, certificates: pki/corp.pem} # tlsgen: allow(unpinned-authority) made for a test
hosts:
  grouped: {names: [grouped.lab.example], certificate: {chain: pki/grouped.pem, key: keys/grouped/tls.key}}
  shared: {names: [shared.lab.example], certificate: {chain: pki/shared.pem, key: keys/shared/tls.key}}
  rooted: {names: [rooted.lab.example], certificate: {chain: pki/rooted.pem, key: keys/rooted/tls.key}}
  confined: {names: [confined.lab.example], certificate: {chain: pki/confined.pem, key: keys/confined/tls.key}}
  copied: {names: [copied.lab.example], certificate: {chain: pki/copied.pem, key_env: TLS_KEY}}
  alone: {names: [alone.lab.example], certificate: {chain: pki/alone.pem, key: keys/many/alone.key}}
  another: {names: [another.lab.example], certificate: {chain: pki/another.pem, key: keys/many/another.key}}
services:
  grouped: {runtime: python, server: app, serves: [{host: grouped, certificate_env: CERT, key_env: KEY}]}
  first: {runtime: python, server: app, serves: [{host: shared, certificate_env: CERT, key_env: KEY}]}
  second: {runtime: python, server: app, serves: [{host: shared, certificate_env: CERT, key_env: KEY}]}
  rooted: {runtime: python, server: app, serves: [{host: rooted, certificate_env: CERT, key_env: KEY}]}
  confined: {runtime: python, server: app, serves: [{host: confined, certificate_env: CERT, key_env: KEY}]}
  copied: {runtime: python, server: app, serves: [{host: copied, certificate_env: CERT, key_env: KEY}]}
  alone: {runtime: python, server: app, serves: [{host: alone, certificate_env: CERT, key_env: KEY}]}
  another: {runtime: python, server: app, serves: [{host: another, certificate_env: CERT, key_env: KEY}]}
targets:
  stack:
    kind: compose
    files: [compose.yml]
    output: compose.tls.yml
    services:
      grouped: {}
      first: {key_group: 2001}
      second: {key_group: 2001}
      rooted: {}
      confined: {}
      copied: {}
      alone: {}
      another: {}
";

/// The one who reads a copied key must be known to this machine: before version 28 the engine asks the
/// host who the number is, and refuses it otherwise.
///
/// A service, as whom it runs, what else is said of it, and its host.
const SERVICES: &[(&str, &str, &str, &str)] = &[
    ("grouped", "10001:10001", "", "grouped"),
    ("first", "10001:10001", "", "shared"),
    ("second", "10002:10002", "", "shared"),
    ("rooted", "0", "", "rooted"),
    ("confined", "10003", "    read_only: true\n", "confined"),
    ("copied", "33", "", "copied"),
    ("alone", "10001", "", "alone"),
    ("another", "10002", "", "another"),
];

/// Who reads the key of a service, inside its container: user and group.
const READERS: &[(&str, &str, &str)] = &[
    ("grouped", "10001", "10001"),
    ("grouped", "10009", "10001"),
    ("first", "10001", "2001"),
    ("second", "10002", "2001"),
    ("rooted", "0", "0"),
    ("confined", "10003", "10009"),
    ("copied", "33", "10009"),
    ("alone", "10001", "10009"),
    ("another", "10002", "10009"),
];

/// What the keys are on the host afterwards: owner, group, mode.
const ON_THE_HOST: &[(&str, (u32, u32, u32))] = &[
    ("keys/grouped/tls.key", (0, 10001, 0o640)),
    ("keys/shared/tls.key", (0, 2001, 0o640)),
    ("keys/rooted/tls.key", (0, 0, 0o600)),
    ("keys/confined/tls.key", (10003, 0, 0o400)),
    ("keys/many/alone.key", (10001, 0, 0o400)),
    ("keys/many/another.key", (10002, 0, 0o400)),
];

const FILES: [&str; 2] = ["compose.yml", "compose.tls.yml"];
const SERVE: &str = "exec python3 /serve.py \"$$CERT\" \"$$KEY\" 443";

#[test]
fn each_recipe_lets_the_service_read_and_nobody_else() {
    let Some(lab) = Lab::with_stand_ins() else {
        return;
    };
    write_project(&lab);
    build(&lab);
    for (key, wanted) in ON_THE_HOST {
        let found = fs::metadata(lab.project.path(key)).unwrap();
        let found = (found.uid(), found.gid(), found.mode() & 0o7777);
        assert_eq!(found, *wanted, "{key}");
    }
    up(&lab, &[]);
    for (service, _, _, host) in SERVICES {
        wait_for(|| lab.logs(service).contains("serving"));
        assert_eq!(presented(&lab, service, host), certificate(&lab, host));
    }
    for (service, user, group) in READERS {
        assert!(
            reads(&lab, service, user, group),
            "{service} as {user}:{group}"
        );
    }
    for (service, ..) in SERVICES {
        for (user, group) in [("10004", "10004"), ("65534", "65534"), ("10004", "0")] {
            assert!(
                !reads(&lab, service, user, group),
                "{service} as {user}:{group}"
            );
        }
    }
    groups_are_those_that_are_needed(&lab);
    copied_key_is_its_users(&lab);
    only_the_own_key_is_there(&lab);
    new_containers_have_new_keys(&lab);
}

fn write_project(lab: &Lab) {
    let project = &lab.project;
    support::root(&project.path("pki"), "corp", "Corp Root");
    for host in hosts() {
        issue(lab, host);
    }
    let service = |&(name, user, more, _): &(&str, &str, &str, &str)| {
        // What an image says that is built here is known; of another, the Compose file must say it.
        let (image, user) = match user {
            "0" => ("build: ./rooted".to_owned(), String::new()),
            user => (
                "image: tlsgen-lab/server".to_owned(),
                format!("    user: '{user}'\n"),
            ),
        };
        format!(
            "  {name}:\n    {image}\n{user}{more}    command: [sh, -c, '{SERVE}']\n    stop_signal: SIGKILL\n"
        )
    };
    let services: String = SERVICES.iter().map(service).collect();
    project.write("compose.yml", format!("services:\n{services}"));
    let dockerfile = format!(
        "FROM tlsgen-lab/server\nLABEL dev.tlsgen.test={}\n",
        lab.name
    );
    project.write("rooted/Dockerfile", dockerfile);
    project.write("tlsgen.yaml", SPEC);
}

fn hosts() -> Vec<&'static str> {
    let mut hosts: Vec<&str> = SERVICES.iter().map(|(_, _, _, host)| *host).collect();
    hosts.dedup();
    hosts
}

/// A certificate and key, the key for everybody to read as the published recipe has it.
fn issue(lab: &Lab, host: &str) {
    let pki = lab.project.path("pki");
    let _ = fs::remove_file(pki.join(format!("{host}.pem")));
    support::leaf(&pki, "corp", host, &[&format!("{host}.lab.example")]);
    let key = lab.project.path(&key_of(host));
    fs::create_dir_all(key.parent().unwrap()).unwrap();
    fs::rename(pki.join(format!("{host}.key")), key).unwrap();
}

fn key_of(host: &str) -> String {
    match host {
        "alone" | "another" => format!("keys/many/{host}.key"),
        "copied" => "copied.key".to_owned(),
        host => format!("keys/{host}/tls.key"),
    }
}

fn build(lab: &Lab) {
    tlsgen(lab, "build");
}

fn tlsgen(lab: &Lab, command: &str) -> String {
    let mut tlsgen = Command::new(env!("CARGO_BIN_EXE_tlsgen"));
    let output = succeed(tlsgen.arg(command).current_dir(lab.project.path("")));
    assert_eq!(utf8(&output.stderr), "");
    utf8(&output.stdout)
}

fn up(lab: &Lab, services: &[&str]) {
    succeed(&mut lab.compose(&FILES, &["build", "--quiet"]));
    let arguments = [&["up", "--detach", "--timeout", "0"], services].concat();
    let mut up = lab.compose(&FILES, &arguments);
    let output = succeed(up.env("TLS_KEY", copied_key(lab)));
    assert_eq!(utf8(&output.stderr), "");
}

fn copied_key(lab: &Lab) -> String {
    fs::read_to_string(lab.project.path(&key_of("copied"))).unwrap()
}

fn certificate(lab: &Lab, host: &str) -> String {
    let certificate = fs::read_to_string(lab.project.path(&format!("pki/{host}.pem"))).unwrap();
    certificate.trim().to_owned()
}

/// The certificate that a service presents, after a handshake that verified it.
fn presented(lab: &Lab, service: &str, host: &str) -> String {
    let root = format!("/etc/tlsgen/serve/certificates/{host}/anchor.pem");
    let name = format!("{host}.lab.example");
    let line = format!(
        "openssl s_client -connect 127.0.0.1:443 -CAfile {root} -no-CApath -verify_return_error \
         -servername {name} -verify_hostname {name} </dev/null 2>&1 | openssl x509"
    );
    utf8(&lab.exec(service, &["sh", "-c", &line]).stdout)
        .trim()
        .to_owned()
}

/// Whether a user and group with no other groups can read the key of a service. `docker exec` alone
/// would put whoever it starts into the groups that the container's own process is put into.
fn reads(lab: &Lab, service: &str, user: &str, group: &str) -> bool {
    let ids = [format!("--reuid={user}"), format!("--regid={group}")];
    let read = ["--clear-groups", "sh", "-c", "cat \"$KEY\""];
    let mut command = lab.exec_with(service, &["--user", "0"], &["setpriv"]);
    let output = command.args(ids).args(read).output().unwrap();
    let said = utf8(&output.stderr);
    assert!(
        output.status.success() || said.contains("Permission denied"),
        "{said}"
    );
    output.status.success()
}

fn groups_are_those_that_are_needed(lab: &Lab) {
    for (service, wanted) in [
        ("grouped", "10001"),
        ("first", "10001 2001"),
        ("second", "10002 2001"),
        ("rooted", "0"),
    ] {
        let groups = lab.exec(service, &["id", "-G"]);
        assert_eq!(utf8(&groups.stdout).trim(), wanted, "{service}");
    }
}

fn copied_key_is_its_users(lab: &Lab) {
    let stat = lab.exec("copied", &["sh", "-c", "stat -c '%u %g %a' \"$KEY\""]);
    assert_eq!(utf8(&stat.stdout).trim(), "33 33 400");
    let written = fs::read_to_string(lab.project.path("compose.tls.yml")).unwrap();
    assert!(!written.contains("PRIVATE KEY"));
}

fn only_the_own_key_is_there(lab: &Lab) {
    let list = ["find", "/etc/tlsgen/keys", "-type", "f"];
    let found = lab
        .exec_with("alone", &["--user", "0"], &list)
        .output()
        .unwrap();
    assert_eq!(
        utf8(&found.stdout).trim(),
        "/etc/tlsgen/keys/alone/alone.key"
    );
}

/// What is mounted by itself or copied in stays what it was while the container lives.
fn new_containers_have_new_keys(lab: &Lab) {
    for (service, user) in [("alone", "10001"), ("copied", "33")] {
        issue(lab, service);
        let said = tlsgen(lab, "plan");
        let start = format!("note: {service}: sees a renewed key only in a new container: `");
        let line = said.lines().find_map(|line| line.strip_prefix(&start));
        let command = line
            .and_then(|line| line.strip_suffix('`'))
            .unwrap_or_else(|| panic!("{said}"));
        build(lab);
        succeed(lab.shell(command).env("TLS_KEY", copied_key(lab)));
        wait_for(|| lab.logs(service).contains("serving"));
        assert!(reads(lab, service, user, user));
        assert_eq!(presented(lab, service, service), certificate(lab, service));
    }
}
