//! What is claimed of speed, measured: `cargo bench`.
//!
//! Each row is a run of the real program on a generated or committed project, the process included,
//! best of several; beside it a peer that does comparable work, where it is installed.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[path = "speed/issuing.rs"]
mod issuing;
#[path = "speed/kubernetes.rs"]
mod kubernetes;
#[path = "speed/machines.rs"]
mod machines;
#[path = "speed/private_ca.rs"]
mod private_ca;

const TLSGEN: &str = env!("CARGO_BIN_EXE_tlsgen");
/// A certificate to trust; which one does not matter.
const ROOT: &str = include_str!("../tests/pki/corp-root.pem");
/// A certificate for any name in `lab.example`, and what signed it.
const CHAIN: [&str; 2] = [
    include_str!("../tests/pki/wildcard-leaf.pem"),
    include_str!("../tests/pki/corp-issuing.pem"),
];

fn main() {
    println!("{:<44} {:>10} {:>9}  claim", "what", "time", "memory");
    private_ca::run();
    kubernetes::run();
    machines::run();
    let tower = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/tower");
    row("check examples/tower", "15 ms", 30, || {
        tlsgen(&tower, "check")
    });
    let judge = judges().join("check-jsonschema");
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/tlsgen.schema.json");
    peer("  check-jsonschema on its spec alone", 3, &judge, |peer| {
        peer.arg("--schemafile")
            .arg(&schema)
            .arg(tower.join("tlsgen.yaml"));
    });
    for (services, claim) in [(1_000, "500 ms, 150 MB"), (10_000, "5 s")] {
        let project = generated(services);
        row(
            &format!("build {services} services, nothing written yet"),
            claim,
            1,
            || tlsgen(project.path(), "build"),
        );
        row(
            &format!("check {services} services, all in sync"),
            claim,
            3,
            || tlsgen(project.path(), "check"),
        );
        peer(
            &format!("  docker-compose config, {services} services"),
            1,
            &judges().join("docker-compose"),
            |peer| {
                peer.current_dir(project.path());
                peer.args([
                    "-f",
                    "docker-compose.yml",
                    "-f",
                    "compose.tls.yml",
                    "config",
                    "-q",
                ]);
            },
        );
    }
    let project = serving(1_000);
    row(
        "build 1000 hosts on nginx and 1000 on apps",
        "5 s",
        1,
        || tlsgen(project.path(), "build"),
    );
    row(
        "check 1000 hosts on nginx and 1000 on apps",
        "2 s",
        3,
        || tlsgen(project.path(), "check"),
    );
    issuing::compare();
}

fn judges() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/judges/bin")
}

fn tlsgen(project: &Path, command: &str) -> Command {
    let mut program = Command::new(TLSGEN);
    program
        .arg("-C")
        .arg(project)
        .args(["--quiet", "--as-of", "2026-11-22", command]);
    program
}

fn row(what: &str, claim: &str, times: u32, command: impl Fn() -> Command) {
    let (time, memory) = best(times, command);
    println!(
        "{what:<44} {:>10} {:>9}  {claim}",
        shown(time),
        memory.unwrap_or_default()
    );
}

fn peer(what: &str, times: u32, program: &Path, arguments: impl Fn(&mut Command)) {
    if !program.exists() {
        println!("{what:<44} {:>10}", "not here");
        return;
    }
    row(what, "(a peer)", times, || {
        let mut command = Command::new(program);
        arguments(&mut command);
        command
    });
}

/// The shortest of several runs, and the most memory that any of them held.
fn best(times: u32, command: impl Fn() -> Command) -> (Duration, Option<String>) {
    let mut shortest = Duration::MAX;
    for _ in 0..times {
        let mut command = command();
        command.stdout(Stdio::null());
        let start = Instant::now();
        let status = command.status().expect("the program starts");
        shortest = shortest.min(start.elapsed());
        assert!(status.success(), "{command:?} failed");
    }
    (shortest, most_memory(command()))
}

/// As GNU time tells it, where it is installed.
fn most_memory(command: Command) -> Option<String> {
    let mut measured = Command::new("/usr/bin/time");
    measured
        .args(["-f", "%M"])
        .arg(command.get_program())
        .args(command.get_args());
    if let Some(directory) = command.get_current_dir() {
        measured.current_dir(directory);
    }
    let output = measured.stdout(Stdio::null()).output().ok()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let kilobytes: u64 = said.lines().last()?.trim().parse().ok()?;
    Some(format!("{} MB", kilobytes / 1024))
}

fn shown(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

/// A project of many services that share a few trust lists, with a Compose file to match.
fn generated(services: usize) -> tempfile::TempDir {
    let project = tempfile::tempdir().expect("a directory");
    let mut spec = String::from(
        "version: 1\nproject: fleet\nauthorities:\n  corp: {kind: external, certificates: corp.pem}\n\
         hosts:\n  git: {names: [git.corp.example]}\nservices:\n",
    );
    let mut base = String::from("services:\n");
    let mut target = String::from(
        "targets:\n  stack:\n    kind: compose\n    files: [docker-compose.yml]\n    output: compose.tls.yml\n    services:\n",
    );
    for number in 0..services {
        let runtime = ["java@17", "node", "python", "[go, curl]"][number % 4];
        let trust = ["[corp]", "[corp, public]"][number % 2];
        let name = format!("service-{number}");
        write!(
            spec,
            "  {name}:\n    runtime: {runtime}\n    trust: {trust}\n    connects: [git]\n"
        )
        .expect("memory");
        write!(
            base,
            "  {name}:\n    image: registry.example/{name}:1\n    environment:\n      - JAVA_TOOL_OPTIONS=-Dname={name}\n      \
             - LEVEL=info\n    ports: [\"8080\"]\n    restart: always\n",
        )
        .expect("memory");
        writeln!(target, "      {name}: {{}}").expect("memory");
    }
    fs::write(project.path().join("tlsgen.yaml"), spec + &target).expect("the disk takes it");
    fs::write(project.path().join("docker-compose.yml"), base).expect("the disk takes it");
    fs::write(project.path().join("corp.pem"), ROOT).expect("the disk takes it");
    project
}

/// A project in which one nginx serves many hosts, and as many applications serve one host each; all
/// have a certificate of their own, with the same bytes, and no key is here.
fn serving(hosts: usize) -> tempfile::TempDir {
    let project = tempfile::tempdir().expect("a directory");
    let mut spec = String::from(
        "version: 1\nproject: fleet\nauthorities:\n  corp: {kind: external, certificates: corp.pem}\nhosts:\n",
    );
    let (mut served, mut services) = (String::new(), String::new());
    let mut base = String::from("services:\n  edge: {image: nginx}\n");
    let mut target = String::from(
        "targets:\n  stack:\n    kind: compose\n    files: [docker-compose.yml]\n    output: compose.tls.yml\n    services:\n      edge: {ports: {443: 443}}\n",
    );
    fs::create_dir(project.path().join("pki")).expect("a directory");
    for number in 0..hosts {
        for kind in ["edge", "app"] {
            let chain = format!("pki/{kind}-{number}.pem");
            fs::write(project.path().join(&chain), CHAIN.concat()).expect("it can be written");
            let _ = writeln!(
                spec,
                "  {kind}-{number}: {{names: [{kind}-{number}.lab.example], certificate: {{chain: {chain}, key: keys/{kind}-{number}/tls.key}}}}"
            );
        }
        let _ = writeln!(
            served,
            "      - {{host: edge-{number}, upstream: \"http://app-{number}:8080\", redirect_http: true}}"
        );
        let _ = writeln!(
            services,
            "  app-{number}: {{runtime: python, user: 10001, server: app, serves: [{{host: app-{number}, certificate_env: CERTIFICATE, key_env: KEY}}], reload: {{signal: SIGHUP}}}}"
        );
        let _ = writeln!(base, "  app-{number}: {{image: app}}");
        let _ = writeln!(target, "      app-{number}: {{}}");
    }
    let edge = format!("services:\n  edge:\n    server: nginx@1.28\n    serves:\n{served}");
    for (name, text) in [
        ("tlsgen.yaml", spec + &edge + &services + &target),
        ("docker-compose.yml", base),
        ("corp.pem", ROOT.to_owned()),
    ] {
        fs::write(project.path().join(name), text).expect("it can be written");
    }
    project
}
