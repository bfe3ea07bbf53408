//! Authorities, servers and machines to try scripts on.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Once;

use serde_json::{Value, json};
use tlsgen::digest::Sha256;

use crate::program;

pub const PROJECT: &str = "tower";

/// Whether a program is there; says what is skipped, or fails where nothing may be.
pub fn has(program: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", "command -v \"$1\" >/dev/null", "sh", program])
        .status()
        .is_ok_and(|status| status.success());
    found || missing(&format!("no {program}"))
}

/// Always false: for the end of a condition.
pub fn missing(what: &str) -> bool {
    assert!(
        std::env::var_os("TLSGEN_REQUIRE_JUDGES").is_none_or(|value| value != "1"),
        "{what}"
    );
    // Past the harness, which shows what a test prints only when it fails.
    let line = format!("skipped: {what}\n");
    let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
    false
}

pub fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/judges")
}

/// A private root and a server certificate of it for `localhost`.
pub struct Authority {
    pub directory: tempfile::TempDir,
    pub alias: String,
    pub subject: String,
    pub sha256: String,
    pub pem: String,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let subject = format!("CN={name} it's $(a) root");
        let make = format!(
            "set -e
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 3000 \
              -subj '/CN={name} it'\\''s $(a) root' -addext keyUsage=critical,keyCertSign,cRLSign
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout leaf.key -out leaf.csr -subj /CN=localhost
            printf 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1\\nextendedKeyUsage=serverAuth\\nauthorityKeyIdentifier=keyid\\n' >leaf.ext
            openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 90 -extfile leaf.ext -out leaf.pem
            openssl x509 -in ca.pem -outform DER -out ca.der"
        );
        let made = Command::new("sh")
            .args(["-c", &make])
            .current_dir(&directory)
            .output()
            .expect("sh runs");
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let read = |file: &str| fs::read(directory.path().join(file)).expect("openssl wrote it");
        let digest = Sha256::of(&read("ca.der"));
        let pem = String::from_utf8(read("ca.pem")).expect("PEM is ASCII");
        Self {
            alias: format!("{name}-{}", digest.short(8)),
            subject,
            sha256: digest.to_string(),
            pem,
            directory,
        }
    }

    pub fn context(&self) -> Value {
        json!({ "alias": self.alias, "subject": self.subject, "sha256": self.sha256, "pem": self.pem })
    }

    /// As keytool and openssl print it.
    pub fn fingerprint(&self) -> String {
        let digits = self.sha256.to_uppercase();
        let bytes: Vec<&str> = (0..64).step_by(2).map(|at| &digits[at..at + 2]).collect();
        bytes.join(":")
    }

    /// The lines between the markers.
    pub fn body(&self) -> String {
        self.pem
            .lines()
            .filter(|line| !line.starts_with("-----"))
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// A server on a free port of the loopback address; it presents its root too when told.
    pub fn serve(&self, with_root: bool) -> Server {
        let mut command = Command::new("openssl");
        command.args([
            "s_server",
            "-accept",
            "127.0.0.1:0",
            "-cert",
            "leaf.pem",
            "-key",
            "leaf.key",
            "-www",
        ]);
        if with_root {
            command.args(["-cert_chain", "ca.pem"]);
        }
        let mut child = command
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let port = (&mut stdout)
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                line.strip_prefix("ACCEPT ")?
                    .rsplit_once(':')?
                    .1
                    .parse()
                    .ok()
            })
            .expect("a port");
        Server {
            child,
            _stdout: stdout,
            port,
        }
    }
}

pub struct Server {
    child: Child,
    /// Open, or the server dies of the first thing it says.
    _stdout: BufReader<ChildStdout>,
    pub port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a template for a service is told.
pub fn context(anchors: &[&Authority], more: Value) -> Value {
    let mut context = json!({
        "project": PROJECT,
        "anchors": anchors.iter().map(|anchor| anchor.context()).collect::<Vec<_>>(),
    });
    for (name, value) in more.as_object().expect("a map") {
        context[name] = value.clone();
    }
    context
}

/// A scratch root with a layer of its own over it, which stays from run to run.
pub struct Machine {
    layer: tempfile::TempDir,
    lower: PathBuf,
    pub read_only: bool,
}

pub struct Ran {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Who runs something on a machine.
pub const ROOT: u32 = 0;
pub const NOBODY: u32 = 65534;

const ENTER: &str = r#"
set -e
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=$LOWER,upperdir=$LAYER/upper,workdir=$LAYER/work" "$LAYER/merged"
mkdir -p "$LAYER/merged/proc" "$LAYER/merged/dev"
mount -t proc proc "$LAYER/merged/proc"
mount --bind /dev "$LAYER/merged/dev"
if [ -n "$READ_ONLY" ]; then
  mount -o remount,ro "$LAYER/merged"
  mount -t tmpfs tmpfs "$LAYER/merged/tmp"
fi
exec chroot --userspec="$USER_ID:$USER_ID" --groups= "$LAYER/merged" "$@"
"#;

impl Machine {
    /// A fresh machine of a kind, or `None` (said, or refused) where it cannot be had.
    pub fn new(kind: &str) -> Option<Self> {
        let lower = target().join("roots").join(kind);
        static BUILD: Once = Once::new();
        if !has("unshare") || !has("chroot") || !has("mmdebstrap") {
            return None;
        }
        BUILD.call_once(|| {
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/scripts/roots.sh");
            let built = Command::new("sh")
                .arg(script)
                .arg(target().join("roots"))
                .status();
            println!("roots: {built:?}");
        });
        if !lower.join(".complete").exists() {
            missing(&format!("no scratch root of the {kind} kind"));
            return None;
        }
        let layers = target().join("layers");
        fs::create_dir_all(&layers).expect("a directory");
        let layer = tempfile::tempdir_in(layers).expect("a directory");
        for part in ["upper", "work", "merged"] {
            fs::create_dir(layer.path().join(part)).expect("a directory");
        }
        fs::set_permissions(layer.path(), fs::Permissions::from_mode(0o755)).expect("ours");
        let machine = Self {
            layer,
            lower,
            read_only: false,
        };
        machine.write("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n");
        let entered = machine.run(ROOT, &["true"], &[]);
        if entered.status != 0 {
            missing(&format!("cannot enter a scratch root: {}", entered.stderr));
            return None;
        }
        Some(machine)
    }

    /// Writes a file that everybody can read and run.
    pub fn write(&self, path: &str, body: impl AsRef<[u8]>) {
        let path = self
            .layer
            .path()
            .join("upper")
            .join(path.trim_start_matches('/'));
        program::put(&path, body, 0o755);
    }

    /// Lays the directory that a container would mount: one script and its anchors.
    pub fn mount(&self, name: &str, script: &str, anchors: &[&Authority]) {
        let _ = fs::remove_dir_all(self.layer.path().join("upper/etc/tlsgen"));
        self.write(&format!("/etc/tlsgen/trust/{name}"), script);
        for anchor in anchors {
            self.write(
                &format!("/etc/tlsgen/trust/anchors/{}.crt", anchor.alias),
                &anchor.pem,
            );
        }
    }

    pub fn run(&self, user: u32, command: &[&str], environment: &[(&str, &str)]) -> Ran {
        let output = Command::new("unshare")
            .args([
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
                "sh",
                "-c",
                ENTER,
                "sh",
                "env",
                "-i",
            ])
            .args(["PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/tmp", "LC_ALL=C"])
            .args(
                environment
                    .iter()
                    .map(|(name, value)| format!("{name}={value}")),
            )
            .args(command)
            .env("LOWER", &self.lower)
            .env("LAYER", self.layer.path())
            .env("USER_ID", user.to_string())
            .env("READ_ONLY", if self.read_only { "yes" } else { "" })
            .stdin(Stdio::null())
            .output()
            .expect("unshare runs");
        Ran {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// What a POSIX shell there prints.
    pub fn sh(&self, user: u32, script: &str) -> Ran {
        self.run(user, &["/bin/sh", "-c", script], &[])
    }

    /// How often an authority stands in a bundle.
    pub fn count_in_bundle(&self, bundle: &str, authority: &Authority) -> usize {
        let read = self.run(ROOT, &["cat", bundle], &[]);
        assert_eq!(read.status, 0, "{}", read.stderr);
        read.stdout.matches(&authority.body()).count()
    }

    /// How many certificates a bundle has.
    pub fn count_all(&self, bundle: &str) -> usize {
        self.run(ROOT, &["cat", bundle], &[])
            .stdout
            .matches("-----BEGIN CERTIFICATE-----")
            .count()
    }

    /// How often keytool lists an authority, and how many certificates in all.
    pub fn count_in_keystore(&self, keystore: &[&str], authority: &Authority) -> (usize, usize) {
        let mut command = vec!["keytool", "-list", "-v", "-storepass", "changeit"];
        command.extend(keystore);
        let list = self.run(ROOT, &command, &[]);
        assert_eq!(list.status, 0, "{}", list.stdout);
        (
            list.stdout.matches(&authority.fingerprint()).count(),
            list.stdout.matches("trustedCertEntry").count(),
        )
    }
}

impl Ran {
    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert_eq!(
            self.status, 0,
            "stdout: {}\nstderr: {}",
            self.stdout, self.stderr
        );
        self
    }

    #[track_caller]
    pub fn failed_with(self, status: i32, words: &str) -> Self {
        assert_eq!(
            self.status, status,
            "stdout: {}\nstderr: {}",
            self.stdout, self.stderr
        );
        self.says(words)
    }

    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        assert!(
            self.stderr.contains(words),
            "expected `{words}` in: {}",
            self.stderr
        );
        self
    }
}
