//! Projects with secrets in them, right and wrong, of which everything is asked.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use super::secret::Needles;

/// Three hosts with a key of every kind, served by every kind of server.
const SPEC: &str = r#"version: 1
project: tower
include: [more.yaml]
authorities:
  corp: {kind: external, certificates: pki/corp.pem}
  rsa: {kind: external, certificates: pki/rsa-root.pem}
  ed: {kind: external, certificates: pki/ed25519-root.pem}
hosts:
  git: {names: [git.lab.example], certificate: {chain: pki/git.pem, key: pki/private/git.key}}
  rsa: {names: [rsa.lab.example], certificate: {chain: pki/rsa.pem, key: pki/private/rsa.key}}
  ed: {names: [ed.lab.example], certificate: {chain: pki/ed.pem, key: pki/private/ed.key}}
services:
  app: {runtime: [node, java, python, curl, openssl], trust: [corp, rsa, ed], server: app, user: 10001, serves: [{host: git, certificate_env: CERTIFICATE, key_env: KEY}], reload: {signal: SIGHUP}}
  job: {runtime: [java, python], trust: [corp, public]}
  web: {server: nginx@1.28, serve_as: include, serves: [{host: rsa, redirect_http: true}]}
  edge: {server: traefik@3.5, serves: [{host: ed, upstream: "http://app:80"}]}
"#;

const MORE: &str = r#"targets:
  stack:
    kind: compose
    files: [compose.yml]
    output: compose.tls.yml
    services: {app: {}, web: {ports: {443: 443}}, edge: {ports: {8443: 443}}}
  launcher: {kind: script, os: debian-12, output: pre-run.sh, services: {job: {}}}
"#;

const COMPOSE: &str = "services:
  app: {build: ., env_file: [app.env], environment: {OTHER: \"${DB_PASSWORD}\"}}
  web: {image: \"nginx:1.28\", volumes: [\"./nginx:/etc/nginx:ro\"]}
  edge: {image: \"traefik:v3.5\"}
";

/// Secrets as a container is given them.
pub const ENV_FILE: &str = "DB_PASSWORD=Vq7mXw2RtLz9KpYe4HsNcB6uJd3fGa8T
API_TOKEN=ghx_4kZr8TnWq1VbYs6LmPc0DfHj2GuXe9Ra
SESSION_SECRET=c7Fy3NpZ-K8rW_1xQd5Tj.Lm6Vb2Hs9Ge
";

/// Files of the project, each of which can be another than it should.
pub const PLACES: [&str; 17] = [
    "tlsgen.yaml",
    "more.yaml",
    "compose.yml",
    "app.env",
    ".env",
    "Dockerfile",
    ".dockerignore",
    ".gitignore",
    ".git/index",
    "tlsgen.lock",
    "compose.tls.yml",
    "nginx/nginx.conf",
    "pki/corp.pem",
    "pki/git.pem",
    "pki/rsa.pem",
    "pki/private/git.key",
    "pki/public-roots.pem",
];

/// Those of which no line is shown when they are not what they should be. Of the others a finding
/// quotes the line that it is about, and a plan shows what would be lost.
pub const NEVER_QUOTED: [&str; 9] = [
    "app.env",
    ".env",
    "Dockerfile",
    ".git/index",
    "pki/corp.pem",
    "pki/git.pem",
    "pki/rsa.pem",
    "pki/private/git.key",
    "pki/public-roots.pem",
];

const PLAN: &[&str] = &[
    "plan",
    "-v",
    "--full",
    "--report",
    "json=plan.json,text=plan.txt",
];

/// What is asked of a project that is right, in this order.
const EVERYTHING: &[&[&str]] = &[
    &["validate", "-v"],
    &["validate", "--format=json"],
    PLAN,
    &["check", "--diff", "-v"],
    &["build", "-v"],
    &["check", "--diff", "-v"],
    &["build", "--format=json"],
    &["check", "--format=json"],
    PLAN,
];

/// What is asked of one that is wrong: what else there is says the same.
const MOST: &[&[&str]] = &[
    PLAN,
    &["plan", "--format=json", "-v"],
    &["build", "--adopt=all", "-v"],
];

/// A project on disk.
pub struct Scene {
    directory: TempDir,
    /// What was planted, which may stay where it is.
    planted: BTreeMap<PathBuf, Vec<u8>>,
}

/// A file of tests/pki.
pub fn pki(name: &str) -> Vec<u8> {
    fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/pki")
            .join(name),
    )
    .unwrap()
}

impl Scene {
    /// A project that compiles.
    pub fn right() -> Self {
        Self::of(&[])
    }

    /// The same with one file that is another.
    pub fn with(place: &str, body: &[u8]) -> Self {
        Self::of(&[(place, body)])
    }

    fn of(changes: &[(&str, &[u8])]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let put = |path: &str, body: &[u8]| {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, body).unwrap();
        };
        let git = Command::new("git")
            .args(["init", "-q"])
            .arg(directory.path())
            .status();
        assert!(git.unwrap().success());
        for (path, text) in [
            ("tlsgen.yaml", SPEC),
            ("more.yaml", MORE),
            ("compose.yml", COMPOSE),
            ("app.env", ENV_FILE),
            (".env", ENV_FILE),
            ("Dockerfile", "FROM debian:12\nCOPY . /app\nCMD [\"app\"]\n"),
            (
                "nginx/nginx.conf",
                "events {}\nhttp { include conf.d/*.conf; }\n",
            ),
            (
                "nginx/conf.d/site.conf",
                "server { listen 80; server_name rsa.lab.example; location / { root /srv; } }\n",
            ),
        ] {
            put(path, text.as_bytes());
        }
        for (path, name) in [
            ("pki/corp.pem", "corp-root.pem"),
            ("pki/rsa-root.pem", "rsa-root.pem"),
            ("pki/ed25519-root.pem", "ed25519-root.pem"),
            ("pki/git.pem", "leaf-chain.pem"),
            ("pki/rsa.pem", "rsa-leaf.pem"),
            ("pki/ed.pem", "ed25519-leaf.pem"),
            ("pki/private/git.key", "leaf.key"),
            ("pki/private/rsa.key", "rsa-leaf.key"),
            ("pki/private/ed.key", "ed25519-leaf.key"),
        ] {
            put(path, &pki(name));
        }
        for (path, body) in changes {
            put(path, body);
        }
        let planted = files(directory.path());
        Self { directory, planted }
    }

    pub fn has(&self, path: &str) -> bool {
        self.directory.path().join(path).exists()
    }

    /// What is said of the project, where a test wants to know.
    pub fn validate(&self) -> String {
        let said = run(self.directory.path(), &["build"]);
        String::from_utf8_lossy(&said.stderr).into_owned()
    }

    /// Asks everything, and says what is wrong with all that is printed and written.
    pub fn leaks(&self, what: &str, needles: &Needles) -> Vec<String> {
        self.asked(EVERYTHING, what, needles)
    }

    /// Asks what finds and shows most.
    pub fn leaks_most(&self, what: &str, needles: &Needles) -> Vec<String> {
        self.asked(MOST, what, needles)
    }

    fn asked(&self, commands: &[&[&str]], what: &str, needles: &Needles) -> Vec<String> {
        let mut wrong = Vec::new();
        for command in commands {
            let output = run(self.directory.path(), command);
            let asked = format!("{what}: `tlsgen {}`", command.join(" "));
            wrong.extend(told(&asked, &output, needles));
            for (path, body) in files(self.directory.path()) {
                // A file of the user's with a block of ours keeps what it had.
                let kept = self
                    .planted
                    .get(&path)
                    .is_some_and(|had| body.starts_with(had));
                if !kept {
                    let found = needles.found_in(&body);
                    let path = path.display();
                    wrong.extend(
                        found
                            .iter()
                            .map(|found| format!("{what}: {path} holds {found}")),
                    );
                }
            }
        }
        wrong
    }
}

/// What is wrong with an answer.
fn told(what: &str, output: &Output, needles: &Needles) -> Vec<String> {
    let code = output.status.code();
    let died = (!matches!(code, Some(0..=3))).then(|| format!("{what} ends with {code:?}"));
    let streams = [
        ("standard output", &output.stdout),
        ("standard error", &output.stderr),
    ];
    let leaks = streams.iter().flat_map(|(name, bytes)| {
        let found = needles.found_in(bytes).into_iter();
        found.map(move |found| format!("{what}: {found} on {name}"))
    });
    died.into_iter().chain(leaks).collect()
}

/// Looks at a file, with its password and without.
pub fn inspected(name: &str, needles: &Needles) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pki");
    let ways: [&[&str]; 4] = [
        &[],
        &["--format=json", "-v"],
        &["-v", "--password=changeit"],
        &["--password=wrong"],
    ];
    let ask = |more: &&[&str]| {
        let arguments = [&["inspect", name], *more].concat();
        let what = format!("`tlsgen {}`", arguments.join(" "));
        told(&what, &run(&folder, &arguments), needles)
    };
    ways.iter().flat_map(ask).collect()
}

/// Projects with keys and values in the middle of what is otherwise right.
pub fn mangled() -> Vec<(String, Scene)> {
    let pem = String::from_utf8(pki("leaf.key")).unwrap();
    let one_line = pem.replace('\n', "\\n");
    let indented = |by: &str| pem.replace('\n', &format!("\n{by}"));
    let block = format!("key: |\n      {}", indented("      "));
    let changed = |what: &str, place: &str, body: String| {
        (what.to_owned(), Scene::with(place, body.as_bytes()))
    };
    let chain = String::from_utf8(pki("leaf-chain.pem")).unwrap();
    let cut: Vec<&str> = pem.lines().filter(|line| !line.contains("END")).collect();
    vec![
        changed(
            "a key between certificates",
            "pki/git.pem",
            format!("{chain}{pem}{chain}"),
        ),
        changed(
            "a key without its end",
            "pki/private/git.key",
            cut.join("\n"),
        ),
        changed(
            "a key with a stray letter",
            "pki/private/git.key",
            pem.replacen('A', "A!", 1),
        ),
        changed(
            "a key in one line",
            "pki/private/git.key",
            pem.replace('\n', " "),
        ),
        changed(
            "a key with escaped line breaks",
            "pki/private/git.key",
            one_line.clone(),
        ),
        changed(
            "a key in base64 once more",
            "pki/private/git.key",
            encoded(&pem),
        ),
        changed("the same as a chain", "pki/git.pem", encoded(&pem)),
        changed(
            "a key in the spec",
            "tlsgen.yaml",
            SPEC.replace(
                "key: pki/private/git.key}",
                &format!("key: \"{one_line}\"}}"),
            ),
        ),
        changed(
            "a key as a block in the spec",
            "tlsgen.yaml",
            format!("{SPEC}keys:\n    {block}\n"),
        ),
        changed(
            "a key as a name in the spec",
            "tlsgen.yaml",
            format!("{SPEC}? |\n  {}\n: 1\n", indented("  ")),
        ),
        changed(
            "a key in the Compose file",
            "compose.yml",
            format!("{COMPOSE}    {block}\n"),
        ),
        changed(
            "a key in the lock",
            "tlsgen.lock",
            format!("tlsgen lock 1\n{pem}"),
        ),
        changed(
            "a key in the Dockerfile",
            "Dockerfile",
            format!("FROM debian:12\nRUN echo '{pem}'\n"),
        ),
        changed(
            "an env file with a quote that never ends",
            "app.env",
            format!("A=\"{ENV_FILE}"),
        ),
        changed(
            "an env file with a line that is none",
            "app.env",
            format!("{ENV_FILE}\n not a line ${{"),
        ),
        changed(
            "an env file with an interpolation that fails",
            "app.env",
            format!("{ENV_FILE}X=${{DB_PASSWORD:?}} ${{NO:?$API_TOKEN}}\n"),
        ),
        changed(
            "options and secrets in one value",
            "app.env",
            format!("{ENV_FILE}JAVA_TOOL_OPTIONS=-Dx=$DB_PASSWORD\nNODE_OPTIONS=$API_TOKEN\n"),
        ),
    ]
}

fn encoded(text: &str) -> String {
    use base64::prelude::*;
    BASE64_STANDARD.encode(text)
}

fn run(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tlsgen"))
        .args(arguments)
        .current_dir(directory)
        .env("TLSGEN_AS_OF", "2026-11-22")
        .env("RUST_BACKTRACE", "1")
        .output()
        .unwrap()
}

/// Every file below a directory.
fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let body = fs::read(&path).unwrap();
                found.insert(path, body);
            }
        }
    }
    found
}
