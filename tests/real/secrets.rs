//! Real values, through the real AWS command line into moto's Secrets Manager, and found nowhere else.

#![allow(clippy::unwrap_used, reason = "a test may panic, and touch the disk")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use support::checkout;

const SPEC: &str = r#"
version: 1
project: tower
secrets:
  DB_PASSWORD:
    - {from: {env: DB_PASSWORD}, store: aws-secrets-manager, name: tower/db, description: the database, tags: {team: lab}}
    - {from: {file: private/alice}, store: aws-secrets-manager, scope: {user: alice}}
  PIPELINE: {from: {command: [sh, read-it]}, store: nextflow}
  FILED: {from: {env: FILED}, store: compose, name: private/filed}
services:
  db: {user: 999, secrets: [FILED]}
"#;

/// Values that no text of ours has, with what formats must escape.
const VALUES: [&str; 5] = [
    "first-Qz7!\"é,{}\\n",
    "second-Wx8'$HOME;#",
    "alices-Ev9\nof two lines",
    "piped-Rt4=",
    "filed-Yu5",
];

#[test]
fn values_reach_their_stores_and_nothing_else() {
    let Some(cloud) = Cloud::start() else {
        return;
    };
    let project = tempfile::tempdir().unwrap();
    let root = project.path();
    for directory in ["private", "home", "tmp"] {
        fs::create_dir(root.join(directory)).unwrap();
    }
    fs::write(root.join("tlsgen.yaml"), SPEC).unwrap();
    fs::write(root.join("private/alice"), format!("{}\n", VALUES[2])).unwrap();
    fs::write(
        root.join("read-it"),
        "printf '%s\\n' piped-Rt\"$((2 + 2))\"=\n",
    )
    .unwrap();
    let watched = Watched::start();

    let run = |words: &[&str], value: &str| cloud.tlsgen(root, words, value);
    let (code, text) = run(&["secrets", "check"], VALUES[0]);
    assert_eq!((code, text.matches(": missing").count()), (1, 4), "{text}");
    let (code, text) = run(&["secrets", "push", "--dry-run"], VALUES[0]);
    assert_eq!(
        (code, text.matches("would be created").count()),
        (0, 4),
        "{text}"
    );
    let (code, text) = run(&["secrets", "push"], VALUES[0]);
    assert_eq!((code, text.matches(": created").count()), (0, 4), "{text}");
    assert_eq!(cloud.value(root, "tower/db"), VALUES[0]);
    assert_eq!(cloud.value(root, "alice/DB_PASSWORD"), VALUES[2]);
    let (code, text) = run(&["secrets", "push"], VALUES[0]);
    assert_eq!((code, text.matches(": same").count()), (0, 4), "{text}");
    let (code, text) = run(&["secrets", "push"], VALUES[1]);
    assert_eq!((code, text.matches(": same").count()), (0, 3), "{text}");
    assert!(
        text.contains("DB_PASSWORD in aws-secrets-manager: changed"),
        "{text}"
    );
    assert_eq!(cloud.value(root, "tower/db"), VALUES[1]);
    assert_eq!(run(&["secrets", "check"], VALUES[1]).0, 0);

    let fewer = SPEC.replace(
        "    - {from: {file: private/alice}, store: aws-secrets-manager, scope: {user: alice}}\n",
        "",
    );
    fs::write(root.join("tlsgen.yaml"), fewer).unwrap();
    let (code, text) = run(&["secrets", "check"], VALUES[1]);
    assert_eq!(code, 1);
    assert!(
        text.contains("alice/DB_PASSWORD in aws-secrets-manager: in no spec"),
        "{text}"
    );

    let seen = watched.stop();
    for value in VALUES {
        let part = value.split(['\n', '\\', '"']).next().unwrap();
        let holders: BTreeSet<&String> = seen.iter().filter(|line| line.contains(part)).collect();
        assert!(holders.is_empty(), "a process was told {part}: {holders:?}");
    }
    assert!(
        seen.iter().any(|line| line.contains("put-secret-value")),
        "the watch saw the push"
    );
    let mut holders = Vec::new();
    holding(root, root, &mut holders);
    holders.sort();
    // Where the values belong, and nowhere else.
    assert_eq!(
        holders,
        [
            "home/.nextflow/secrets/store.json",
            "private/alice",
            "private/filed"
        ]
    );
    let mode = |path: &str| {
        use std::os::unix::fs::PermissionsExt as _;
        fs::metadata(root.join(path)).unwrap().permissions().mode() & 0o777
    };
    assert_eq!(mode("home/.nextflow/secrets/store.json"), 0o600);
    assert_eq!(mode("private/filed"), 0o600);
}

#[test]
fn a_store_that_cannot_be_reached_is_said_in_one_line_without_the_value() {
    let project = tempfile::tempdir().unwrap();
    let root = project.path();
    fs::write(
        root.join("tlsgen.yaml"),
        "version: 1\nproject: tower\nsecrets:\n  A: {from: {env: A}, store: aws-secrets-manager, region: eu-west-1}\n",
    )
    .unwrap();
    let programs = tempfile::tempdir().unwrap();
    let run = |path: &Path| {
        let output = Command::new(env!("CARGO_BIN_EXE_tlsgen"))
            .args(["secrets", "push"])
            .current_dir(root)
            .env_clear()
            .env("PATH", path)
            .env("A", VALUES[0])
            .output()
            .unwrap();
        (output.status.code(), both(&output))
    };
    let (code, text) = run(programs.path());
    assert_eq!(code, Some(2));
    assert!(text.contains("there is no program `aws`"), "{text}");
    // One that repeats its input, as careless programs do.
    let careless =
        "#!/bin/sh\n/bin/cat >&2\necho 'AccessDeniedException: first-Qz7' >&2\nexit 254\n";
    let aws = programs.path().join("aws");
    fs::write(&aws, careless).unwrap();
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&aws, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let (code, text) = run(programs.path());
    assert_eq!((code, text.lines().count()), (Some(2), 1), "{text}");
    assert!(text.contains("AWS denies access"), "{text}");
    assert!(!text.contains("first-"), "{text}");
}

/// moto's server, and the AWS command line.
struct Cloud {
    server: Child,
    port: u16,
    programs: PathBuf,
}

impl Cloud {
    fn start() -> Option<Self> {
        let programs = checkout().join("target/judges/venv-aws/bin");
        if !programs.join("moto_server").exists() {
            assert!(
                std::env::var_os("CI").is_none(),
                "tests/real/install.sh installs it"
            );
            eprintln!("skipped: tests/real/install.sh installs moto and the AWS command line");
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let server = Command::new(programs.join("moto_server"))
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let cloud = Self {
            server,
            port,
            programs,
        };
        for _ in 0..300 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(cloud);
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!("moto does not answer");
    }

    fn command(&self, program: &Path, root: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(root)
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", self.programs.display()))
            .env("HOME", root.join("home"))
            .env("TMPDIR", root.join("tmp"))
            .env(
                "AWS_ENDPOINT_URL",
                format!("http://127.0.0.1:{}", self.port),
            )
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_DEFAULT_REGION", "eu-west-1");
        command
    }

    /// How a command of ours ended, and all that it said; no value may be in it.
    fn tlsgen(&self, root: &Path, words: &[&str], value: &str) -> (i32, String) {
        let output = self
            .command(Path::new(env!("CARGO_BIN_EXE_tlsgen")), root)
            .args(words)
            .env("DB_PASSWORD", value)
            .env("FILED", VALUES[4])
            .output()
            .unwrap();
        let text = both(&output);
        for part in ["first-", "second-", "alices-", "piped-", "filed-"] {
            assert!(!text.contains(part), "{words:?}: {text}");
        }
        (output.status.code().unwrap(), text)
    }

    fn value(&self, root: &Path, name: &str) -> String {
        let output = self
            .command(&self.programs.join("aws"), root)
            .args(["secretsmanager", "get-secret-value", "--secret-id", name])
            .output()
            .unwrap();
        let read: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        read["SecretString"].as_str().unwrap().to_owned()
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The words of every process of this machine, again and again.
struct Watched(
    thread::JoinHandle<BTreeSet<String>>,
    std::sync::Arc<AtomicBool>,
);

impl Watched {
    fn start() -> Self {
        let ended = std::sync::Arc::new(AtomicBool::new(false));
        let flag = std::sync::Arc::clone(&ended);
        let seen = thread::spawn(move || {
            let mut seen = BTreeSet::new();
            while !flag.load(Ordering::Relaxed) {
                for entry in fs::read_dir("/proc").unwrap().flatten() {
                    let mut words = Vec::new();
                    let file = fs::File::open(entry.path().join("cmdline"));
                    if file.is_ok_and(|mut file| file.read_to_end(&mut words).is_ok()) {
                        seen.insert(String::from_utf8_lossy(&words).replace('\0', " "));
                    }
                }
                thread::sleep(Duration::from_millis(2));
            }
            seen
        });
        Self(seen, ended)
    }

    fn stop(self) -> BTreeSet<String> {
        self.1.store(true, Ordering::Relaxed);
        self.0.join().unwrap()
    }
}

/// The files below a directory that hold a part of a value.
fn holding(root: &Path, directory: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            holding(root, &path, found);
            continue;
        }
        let body = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        let parts = [
            "first-Qz7",
            "second-Wx8",
            "alices-Ev9",
            "piped-Rt4",
            "filed-Yu5",
        ];
        if parts.iter().any(|part| body.contains(part)) {
            found.push(path.strip_prefix(root).unwrap().display().to_string());
        }
    }
}

fn both(output: &Output) -> String {
    [&output.stdout, &output.stderr]
        .map(|stream| String::from_utf8_lossy(stream).into_owned())
        .concat()
}
