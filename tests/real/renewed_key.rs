//! What is decided for a key of who may read it holds for every key that comes in its place: built,
//! renewed, judged by the kernel, by getfacl and by OpenSSL.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic and touch the disk"
)]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use support::{program, there};
use tempfile::TempDir;
use tlsgen::pki::Identities;

const KEY: &str = "pki/private/hosts/shop/key.pem";
const SERVICE: u32 = 10001;
const GROUP: u32 = 2001;
const NOBODY: u32 = 65534;
const STRANGER: u32 = 7;
/// Within the window in which a certificate of 90 days of today is renewed.
const LATE: &str = "2027-02-10";
const TODAY: &str = "2026-11-22";
const IDENTITY: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";

/// Owner, group and permission bits.
type State = (u32, u32, u32);

/// Who builds, who reads, and what that comes to.
struct Recipe {
    /// What the spec says of the service.
    service: &'static str,
    /// What it says of it where it is deployed.
    deployed: &'static str,
    builder: u32,
    /// A user and a group, and whether they read the key.
    readers: &'static [(u32, u32, bool)],
    state: State,
    /// What the state may be on the way to it.
    before: State,
}

const BY_USER: Recipe = Recipe {
    service: "user: 10001",
    deployed: "",
    builder: 0,
    readers: &[
        (SERVICE, SERVICE, true),
        (STRANGER, STRANGER, false),
        (STRANGER, 0, false),
    ],
    state: (SERVICE, 0, 0o400),
    before: (0, 0, 0o600),
};
const BY_GROUP: Recipe = Recipe {
    service: "user: 10001",
    deployed: "key_group: 2001",
    builder: 0,
    readers: &[
        (SERVICE, GROUP, true),
        (SERVICE, SERVICE, false),
        (STRANGER, STRANGER, false),
    ],
    state: (0, GROUP, 0o640),
    before: (0, 0, 0o600),
};
const BY_ROOT: Recipe = Recipe {
    service: "user: 0",
    deployed: "",
    builder: 0,
    readers: &[(SERVICE, SERVICE, false), (STRANGER, 0, false)],
    state: (0, 0, 0o600),
    before: (0, 0, 0o600),
};
/// Who is not root cannot give a file away, and lets one more in by a list.
const BY_LIST: Recipe = Recipe {
    service: "user: 10001",
    deployed: "",
    builder: NOBODY,
    readers: &[
        (SERVICE, SERVICE, true),
        (NOBODY, NOBODY, true),
        (STRANGER, NOBODY, false),
    ],
    state: (NOBODY, NOBODY, 0o640),
    before: (NOBODY, NOBODY, 0o600),
};

#[test]
fn one_user_reads_the_new_key() {
    renewed(&BY_USER, Store::Files);
}

#[test]
fn one_group_reads_the_new_key() {
    renewed(&BY_GROUP, Store::Files);
}

#[test]
fn root_alone_reads_the_new_key() {
    renewed(&BY_ROOT, Store::Files);
}

#[test]
fn one_user_reads_by_a_list_what_another_one_renews() {
    renewed(&BY_LIST, Store::Files);
}

#[test]
fn an_unlocked_key_is_renewed_with_its_readers() {
    for recipe in [&BY_USER, &BY_GROUP, &BY_LIST] {
        renewed(recipe, Store::Age);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Store {
    Files,
    Age,
}

fn renewed(recipe: &Recipe, store: Store) {
    let id = Command::new("id").arg("-u").output().unwrap();
    let tools = ["setpriv", "getfacl", "openssl"];
    let found = tools
        .iter()
        .all(|tool| Command::new(tool).arg("--version").output().is_ok());
    if !there(
        id.stdout == b"0\n" && found,
        "root, setpriv, getfacl and openssl",
    ) {
        return;
    }
    let project = Project::new(recipe, store);
    project.succeeds(TODAY, &["build"]);
    if store == Store::Age {
        assert!(
            !project.key().exists(),
            "no build opens a key that nobody opened"
        );
        project.succeeds(TODAY, &["keys", "unlock"]);
    }
    let (key, list) = (fs::read(project.key()).unwrap(), project.list());
    project.is_read_as_said();

    let plan = project.tlsgen(LATE, &["plan"]);
    let plan = String::from_utf8_lossy(&plan.stdout).into_owned();
    assert!(plan.contains("issue   pki/hosts/shop.pem"), "{plan}");
    let said = plan.contains(&format!("access  {KEY}"));
    assert_eq!(said, recipe.state != recipe.before, "{plan}");

    let states = project.watched(|| project.succeeds(LATE, &["build"]));
    let open = |state: &State| *state != recipe.state && *state != recipe.before;
    // The owner is kept before anybody is let in.
    let kept = (recipe.state.0, recipe.state.1, 0o600);
    let kept_open = (recipe.state.0, recipe.before.1, 0o600);
    let kept_read = (recipe.state.0, recipe.before.1, 0o400);
    let strange: Vec<_> = states
        .iter()
        .filter(|state| open(state) && ![kept, kept_open, kept_read].contains(state))
        .collect();
    assert!(
        strange.is_empty(),
        "{strange:?} on the way to {:?}",
        recipe.state
    );

    assert_ne!(fs::read(project.key()).unwrap(), key, "there is a new key");
    assert_eq!(project.list(), list, "the same readers by getfacl");
    project.is_read_as_said();
    assert_eq!(
        project.public("x509", "pki/hosts/shop.pem"),
        project.public("pkey", KEY)
    );
    let chain = "compose.tls/web.serve/certificates/shop/full-chain.pem";
    assert_eq!(project.public("x509", chain), project.public("pkey", KEY));
    project.succeeds(LATE, &["check"]);
}

struct Project<'a> {
    recipe: &'a Recipe,
    directory: TempDir,
    program: PathBuf,
    store: Store,
}

impl<'a> Project<'a> {
    fn new(recipe: &'a Recipe, store: Store) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let recipient = Identities::parse(IDENTITY).unwrap().recipients().remove(0);
        let keys = match store {
            Store::Files => String::new(),
            Store::Age => format!("keys: {{store: age, recipients: [\"{recipient}\"]}}\n"),
        };
        let Recipe {
            service, deployed, ..
        } = recipe;
        let deployed = [*deployed, "ports: {443: 8443}"]
            .iter()
            .filter(|field| !field.is_empty())
            .copied()
            .collect::<Vec<_>>()
            .join(", ");
        let spec = format!(
            "version: 1\nproject: shop\n{keys}\
             authorities:\n  lab: {{kind: managed, lifetime: 3650d}}\n\
             hosts:\n  shop: {{names: [shop.lab.example], issuer: lab}}\n\
             services:\n  web: {{runtime: python, trust: [lab], {service}, server: app, reload: {{signal: SIGHUP}}, serves: [{{host: shop, certificate_env: CERTIFICATE, key_env: KEY}}]}}\n\
             targets:\n  stack: {{kind: compose, files: [compose.yaml], output: compose.tls.yaml, services: {{web: {{{deployed}}}}}}}\n"
        );
        fs::write(root.join("tlsgen.yaml"), spec).unwrap();
        let base = "services:\n  web: {image: \"registry.example/web:1\"}\n";
        fs::write(root.join("compose.yaml"), base).unwrap();
        fs::write(root.join("identity.txt"), IDENTITY).unwrap();
        // Where somebody else may run it.
        let tlsgen = fs::read(env!("CARGO_BIN_EXE_tlsgen")).unwrap();
        let program = root.join("tlsgen");
        program::put(&program, tlsgen, 0o755);
        set_mode(root, 0o755);
        set_mode(&root.join("identity.txt"), 0o600);
        for file in ["", "tlsgen.yaml", "compose.yaml", "identity.txt"] {
            chown(root.join(file), Some(recipe.builder), Some(recipe.builder)).unwrap();
        }
        Self {
            recipe,
            program,
            store,
            directory,
        }
    }

    fn key(&self) -> PathBuf {
        self.directory.path().join(KEY)
    }

    fn tlsgen(&self, day: &str, arguments: &[&str]) -> Output {
        let builder = self.recipe.builder;
        let mut command = as_user(builder, builder);
        command
            .arg(&self.program)
            .args(["--as-of", day])
            .args(arguments);
        if self.store == Store::Age && ["build", "keys"].contains(&arguments[0]) {
            command.args(["--identity", "identity.txt"]);
        }
        command
            .current_dir(self.directory.path())
            .env("HOME", "/nonexistent");
        command.output().unwrap()
    }

    fn succeeds(&self, day: &str, arguments: &[&str]) {
        let output = self.tlsgen(day, arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{arguments:?}: {told}{said}");
    }

    /// Every state that a file in the key's directory is seen in.
    fn watched(&self, work: impl FnOnce()) -> BTreeSet<State> {
        let (done, directory) = (
            AtomicBool::new(false),
            self.key().parent().unwrap().to_owned(),
        );
        thread::scope(|scope| {
            let watching = scope.spawn(|| {
                let mut seen = BTreeSet::new();
                while !done.load(Ordering::Relaxed) {
                    for entry in fs::read_dir(&directory).unwrap().flatten() {
                        let path = entry.path();
                        // What is encrypted may be read by everybody.
                        let encrypted = path.to_string_lossy().contains(".age");
                        if let Ok(found) = fs::symlink_metadata(&path)
                            && !encrypted
                        {
                            seen.insert((found.uid(), found.gid(), found.mode() & 0o7777));
                        }
                    }
                }
                seen
            });
            work();
            done.store(true, Ordering::Relaxed);
            let seen = watching.join().unwrap();
            assert!(!seen.is_empty(), "the key was there all the time");
            seen
        })
    }

    fn is_read_as_said(&self) {
        let found = fs::symlink_metadata(self.key()).unwrap();
        let state = (found.uid(), found.gid(), found.mode() & 0o7777);
        assert_eq!(
            state, self.recipe.state,
            "{:o} is no {:o}",
            state.2, self.recipe.state.2
        );
        for (user, group, reads) in self.recipe.readers {
            let read = as_user(*user, *group)
                .arg("cat")
                .arg(self.key())
                .output()
                .unwrap();
            let is_read = read.stdout.starts_with(b"-----BEGIN PRIVATE KEY-----");
            assert_eq!(is_read, *reads, "user {user}, group {group}");
        }
    }

    fn list(&self) -> String {
        let mut command = Command::new("getfacl");
        let output = command
            .args(["-p", "-n", "-c"])
            .arg(self.key())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    fn public(&self, command: &str, path: &str) -> Vec<u8> {
        let form = match command {
            "x509" => ["-pubkey", "-noout"].as_slice(),
            _ => &["-pubout"],
        };
        let path = self.directory.path().join(path);
        let mut openssl = Command::new("openssl");
        let output = openssl
            .arg(command)
            .args(form)
            .arg("-in")
            .arg(path)
            .output()
            .unwrap();
        assert!(output.stdout.starts_with(b"-----BEGIN PUBLIC KEY-----"));
        output.stdout
    }
}

fn as_user(user: u32, group: u32) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", &user.to_string(), "--regid", &group.to_string()]);
    command.arg("--clear-groups");
    if user != 0 {
        command.arg("--inh-caps=-all");
    }
    command.arg("--");
    command
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
