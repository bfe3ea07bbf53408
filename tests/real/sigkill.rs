//! Builds that are really killed, at any moment, and many at once: nothing is lost, nothing twice.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    clippy::disallowed_methods,
    reason = "a test may panic and touch the disk"
)]

#[path = "../issuing/project.rs"]
mod project;

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use project::Project;
use tlsgen::pki::{Certificate, key, pem};

const SPEC: &str = include_str!("../killed/tlsgen.yaml");
const COMPOSE: &str = include_str!("../killed/compose.yml");
const ROUNDS: u32 = 30;
const HOSTS: [&str; 3] = ["runner", "tower", "vault"];

fn project() -> Project {
    // Only root can give a key to another user.
    let spec = SPEC.replace("user: 10001", "user: 0");
    Project::new(&[("tlsgen.yaml", &spec), ("compose.yml", COMPOSE)])
}

/// The certificates of a file, all of them whole.
fn certificates(body: &[u8]) -> Vec<Certificate> {
    let reading = pem::blocks(body);
    reading
        .certificates()
        .map(|(_, read)| read.unwrap())
        .collect()
}

/// The serials of all certificates that were issued.
fn serials(project: &Project) -> BTreeSet<String> {
    let files = project.files();
    let issued = files.iter().filter(|(path, _)| {
        let issued = path.starts_with("pki/hosts/") || path.starts_with("pki/authorities/");
        issued && path.ends_with(".pem")
    });
    issued
        .map(|(_, (body, _))| certificates(body)[0].serial().to_owned())
        .collect()
}

/// What is asked for is there, and only that; OpenSSL says that it holds.
fn is_whole(project: &Project, day: &str) {
    let check = project.tlsgen(&["check", "--as-of", day]);
    assert_eq!((check.code, check.out.as_str()), (Some(0), ""), "{check:?}");
    let leaves = HOSTS.map(|host| format!("pki/hosts/{host}.pem"));
    let verify = "verify -x509_strict -no_check_time -CAfile pki/authorities/root.pem -untrusted pki/authorities/issuing.pem";
    let verify = verify.split(' ').chain(leaves.iter().map(String::as_str));
    let output = Command::new("openssl")
        .args(verify)
        .current_dir(project.root())
        .output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
    for (host, leaf) in HOSTS.iter().zip(&leaves) {
        let key = fs::read(project.path(&format!("pki/private/hosts/{host}/key.pem"))).unwrap();
        let leaf = &certificates(&fs::read(project.path(leaf)).unwrap())[0];
        let key = key::public_key_of(&key).unwrap().spki_sha256();
        assert_eq!(key, leaf.spki_sha256(), "{host}");
    }
    for (path, (_, mode)) in project.files() {
        assert!(!path.ends_with(".tlsgen"), "{path}");
        let is_key = path.starts_with("pki/private/");
        assert!(!is_key || mode & 0o077 == 0, "{path} {mode:o}");
    }
    let lock = project.read("tlsgen.lock");
    let lines = lock.lines().filter(|line| line.starts_with("certificate "));
    assert_eq!(lines.count(), HOSTS.len() + 2);
}

#[test]
fn killed_at_any_moment_the_next_build_finishes() {
    // How long a run takes here, now.
    let start = Instant::now();
    project().does(&["build", "--as-of", "2026-03-01"]);
    let whole = start.elapsed();
    let (mut killed, mut continued) = (0, 0);
    let renewed = project();
    renewed.does(&["build", "--as-of", "2026-03-01"]);
    for round in 0..ROUNDS {
        // From nothing, and over what is there.
        let (project, day) = match round % 2 {
            0 => (project(), "2026-03-01"),
            _ => (Project::copied(renewed.root()), "2026-05-10"),
        };
        let old = serials(&project);
        let mut build = project.command(&["build", "--as-of", day]);
        let mut build = build
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(whole * round / ROUNDS);
        build.kill().unwrap();
        killed += usize::from(!build.wait().unwrap().success());
        let left: BTreeSet<String> = serials(&project).difference(&old).cloned().collect();
        project.does(&["build", "--as-of", day]);
        is_whole(&project, day);
        let now = serials(&project);
        assert!(left.is_subset(&now), "what was issued stays");
        let new = now.difference(&old).count();
        assert_eq!(new, if round % 2 == 0 { 5 } else { 3 });
        continued += usize::from(!left.is_empty() && left.len() < new);
    }
    assert!(killed > 0, "every run was faster");
    println!("{killed} of {ROUNDS} were killed, {continued} among their certificates");
}

#[test]
fn many_at_once_issue_once() {
    for (before, day, new) in [
        (None, "2026-03-01", 5),
        (Some("2026-03-01"), "2026-05-10", 3),
    ] {
        let project = project();
        if let Some(before) = before {
            project.does(&["build", "--as-of", before]);
        }
        let old = serials(&project);
        let runs: Vec<_> = (0..8)
            .map(|number| {
                let command = if number % 2 == 0 { "build" } else { "renew" };
                let mut run = project.command(&[command, "--as-of", day]);
                run.stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    .spawn()
                    .unwrap()
            })
            .collect();
        let mut issued = 0;
        for run in runs {
            let output = run.wait_with_output().unwrap();
            assert!(output.status.success(), "{output:?}");
            let said = String::from_utf8(output.stdout).unwrap();
            issued += said
                .lines()
                .filter(|line| line.starts_with("issued"))
                .count();
        }
        assert_eq!(issued, new);
        is_whole(&project, day);
        assert_eq!(serials(&project).difference(&old).count(), new);
    }
}

#[test]
fn a_directory_that_cannot_be_written_loses_nothing() {
    let project = project();
    project.does(&["build", "--as-of", "2026-03-01"]);
    let before = project.files();
    let hosts = project.path("pki/hosts");
    // Root may write where permissions forbid it, but not where there is no directory.
    fs::rename(&hosts, project.path("pki/elsewhere")).unwrap();
    fs::write(&hosts, "in the way").unwrap();
    let said = project.tlsgen(&["build", "--as-of", "2026-05-10"]);
    assert!(matches!(said.code, Some(2 | 3)), "{said:?}");
    fs::remove_file(&hosts).unwrap();
    fs::rename(project.path("pki/elsewhere"), &hosts).unwrap();
    assert_eq!(project.files(), before);
    project.does(&["build", "--as-of", "2026-05-10"]);
    is_whole(&project, "2026-05-10");
}
