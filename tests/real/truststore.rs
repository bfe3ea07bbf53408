//! Truststores as every JVM reads them: listed by its keytool, and decided by in a handshake.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic and touch the disk"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use support::merged::{self, TRUST_DIRECTORY};
use support::project::Project;
use support::{succeed, utf8};

const JVMS: [&str; 5] = ["8", "11", "17", "21", "25"];

const SPEC: &str = r#"version: 1
project: truststores
authorities:
  lab: {kind: external, certificates: pki/lab.pem}
  both: {kind: external, certificates: pki/both.pem}
services:
  exact: {runtime: [java, curl], trust: [lab]}
  several: {runtime: [java, curl], trust: [both, lab]}
  public: {runtime: [java, curl], trust: [lab, public]}
  newest: {runtime: java, trust: [lab], tls_versions: {min: "1.3"}}
  older: {runtime: java, trust: [lab], tls_versions: {max: "1.2"}}
  either: {runtime: java, trust: [lab], tls_versions: {min: "1.2"}}
targets:
  stack:
    kind: compose
    files: [compose.yml]
    output: compose.tls.yml
    services: {exact: {}, several: {}, public: {}, newest: {}, older: {}, either: {}}
"#;

const BASE: &str = "services:
  exact: &app {image: app}
  several: *app
  public: *app
  newest: *app
  older: *app
  either: *app
";

#[test]
fn every_keytool_lists_what_is_trusted_and_says_nothing_else() {
    let Some(judges) = Judges::find() else { return };
    let project = project();
    for (list, aliases) in [("lab", 1), ("both+lab", 3), ("lab+public", 100)] {
        let bundle = project.path(&format!("compose.tls/{list}/ca-bundle.pem"));
        let printed = succeed(
            Command::new(judges.keytool("17"))
                .args(["-J-Duser.language=en", "-printcert", "-file"])
                .arg(bundle),
        );
        let wanted = fingerprints(&utf8(&printed.stdout), "SHA256: ");
        for version in JVMS {
            let store = project.path(&format!("compose.tls/{list}/truststore.jks"));
            let listed = judges.list(version, &store);
            let entries: BTreeMap<&str, &str> = entries(&listed);
            assert!(
                entries.values().all(|kind| *kind == "trustedCertEntry"),
                "{version}: {entries:?}"
            );
            assert_eq!(
                entries.len(),
                wanted.len(),
                "{version}, {list}: {:?}",
                entries.keys()
            );
            assert_eq!(
                fingerprints(&listed, "(SHA-256): "),
                wanted,
                "{version}, {list}"
            );
            assert!(
                entries.len() >= aliases,
                "{version}, {list}: {}",
                entries.len()
            );
            if list != "lab+public" {
                assert_eq!(entries.len(), aliases);
                assert!(
                    entries
                        .keys()
                        .all(|alias| alias.starts_with("lab-") || alias.starts_with("both-")),
                    "{entries:?}"
                );
            }
        }
    }
}

#[test]
fn every_jvm_accepts_whom_it_trusts_and_nobody_else() {
    let Some(judges) = Judges::find() else { return };
    let project = project();
    let options = judges.options(&project);
    let trusted = Server::start(&project, "lab", &[]);
    let stranger = Server::start(&project, "stranger", &[]);
    let other = Server::start(&project, "other", &[]);
    for version in JVMS {
        for (service, server, accepted) in [
            ("exact", &trusted, true),
            ("exact", &other, false),
            ("several", &trusted, true),
            ("several", &other, true),
            ("several", &stranger, false),
            ("public", &trusted, true),
            ("public", &stranger, false),
        ] {
            judges.connect(&options, version, service, server, accepted);
        }
    }
}

#[test]
fn tls_versions_hold_in_every_jvm() {
    let Some(judges) = Judges::find() else { return };
    let project = project();
    let options = judges.options(&project);
    let older = Server::start(&project, "lab", &["-tls1_2"]);
    let newest = Server::start(&project, "lab", &["-tls1_3"]);
    for version in JVMS {
        for (service, server, accepted) in [
            ("newest", &newest, true),
            ("newest", &older, false),
            ("older", &older, true),
            ("older", &newest, false),
            ("either", &older, true),
            ("either", &newest, true),
        ] {
            judges.connect(&options, version, service, server, accepted);
        }
        let shown = judges
            .java(version, &options["either"])
            .args(["-XshowSettings:properties", "-version"])
            .output()
            .unwrap();
        let shown = utf8(&shown.stderr);
        assert!(
            shown.contains("mail.smtp.ssl.protocols = TLSv1.2 TLSv1.3\n"),
            "{version}: {shown}"
        );
    }
}

#[test]
fn bytes_are_the_same_everywhere() {
    let Some(_) = Judges::find() else { return };
    let first = project();
    let wanted = contents(&first.path("compose.tls"));
    for (zone, locale, umask) in [
        ("Pacific/Kiritimati", "tr_TR.UTF-8", "077"),
        ("America/St_Johns", "C", "000"),
    ] {
        let again = Project::new();
        for path in ["tlsgen.yaml", "compose.yml", "pki/lab.pem", "pki/both.pem"] {
            again.write(path, fs::read(first.path(path)).unwrap());
        }
        let mut elsewhere = Command::new("sh");
        elsewhere.args([
            "-c",
            r#"umask "$1"; exec "$0" build"#,
            env!("CARGO_BIN_EXE_tlsgen"),
            umask,
        ]);
        elsewhere
            .current_dir(again.path(""))
            .env("TZ", zone)
            .env("LC_ALL", locale);
        succeed(&mut elsewhere);
        assert_eq!(contents(&again.path("compose.tls")), wanted);
    }
}

struct Judges {
    bin: PathBuf,
    compose: PathBuf,
    client: PathBuf,
}

/// What the override says to each service's JVM, the directory of containers being here.
type JavaOptions = BTreeMap<String, String>;

impl Judges {
    fn find() -> Option<Self> {
        for version in JVMS {
            support::judge(&format!("keytool-{version}"))?;
        }
        let compose = support::judge("docker-compose")?;
        let bin = compose.parent().unwrap().to_owned();
        let client = compiled_client()?;
        Some(Self {
            bin,
            compose,
            client,
        })
    }

    fn keytool(&self, version: &str) -> PathBuf {
        self.bin.join(format!("keytool-{version}"))
    }

    fn list(&self, version: &str, store: &Path) -> String {
        let mut keytool = Command::new(self.keytool(version));
        keytool
            .args([
                "-J-Duser.language=en",
                "-list",
                "-storepass",
                "changeit",
                "-keystore",
            ])
            .arg(store);
        let output = succeed(&mut keytool);
        assert_eq!(utf8(&output.stderr), "", "keytool {version}");
        utf8(&output.stdout)
    }

    fn options(&self, project: &Project) -> JavaOptions {
        let files = ["compose.yml", "compose.tls.yml"];
        let merged = merged::config(&self.compose, &project.path(""), &files, &[])
            .unwrap_or_else(|said| panic!("{said}"));
        let of = |service: &serde_json::Value| {
            let source = service["volumes"][0]["source"].as_str().unwrap();
            service["environment"]["JAVA_TOOL_OPTIONS"]
                .as_str()
                .unwrap()
                .replace(TRUST_DIRECTORY, source)
        };
        merged::services(&merged.model)
            .iter()
            .map(|(name, service)| (name.clone(), of(service)))
            .collect()
    }

    fn java(&self, version: &str, options: &str) -> Command {
        let mut java = Command::new(self.bin.join(format!("java-{version}")));
        java.env("JAVA_TOOL_OPTIONS", options)
            .args(["-Xshare:auto", "-XX:TieredStopAtLevel=1"]);
        java
    }

    fn connect(
        &self,
        options: &JavaOptions,
        version: &str,
        service: &str,
        server: &Server,
        accepted: bool,
    ) {
        let mut java = self.java(version, &options[service]);
        let output = java
            .arg("-cp")
            .arg(&self.client)
            .args(["Connect", "localhost", &server.port])
            .output()
            .unwrap();
        let said = said(&output);
        let what = format!("java {version}, {service}, server of {}", server.name);
        assert_eq!(output.status.success(), accepted, "{what}: {said}");
        if !accepted {
            let reasons = [
                "PKIX path building failed",
                "protocol_version",
                "handshake_failure",
                "HandshakeException",
            ];
            assert!(
                reasons.iter().any(|reason| said.contains(reason)),
                "{what}: {said}"
            );
        }
    }
}

fn said(output: &Output) -> String {
    utf8(&output.stdout) + &utf8(&output.stderr)
}

/// The client's class: compiled here, so that no Docker engine is needed.
fn compiled_client() -> Option<PathBuf> {
    static COMPILED: std::sync::Once = std::sync::Once::new();
    let is_there = Command::new("javac")
        .arg("-version")
        .output()
        .is_ok_and(|output| output.status.success());
    if !support::there(is_there, "javac: run tests/real/install.sh") {
        return None;
    }
    let classes = Path::new(env!("CARGO_TARGET_TMPDIR")).join("truststore-client");
    COMPILED.call_once(|| {
        fs::create_dir_all(&classes).unwrap();
        let source = support::checkout().join("tests/real/lab/clients/Connect.java");
        succeed(
            Command::new("javac")
                .args(["-Xlint:-options", "--release", "8", "-d"])
                .arg(&classes)
                .arg(source),
        );
    });
    Some(classes)
}

/// A TLS server with a certificate of one of the project's CAs.
struct Server {
    name: &'static str,
    process: Child,
    port: String,
}

impl Server {
    fn start(project: &Project, ca: &'static str, options: &[&str]) -> Self {
        let name = format!("{ca}-server");
        support::leaf(&project.path("pki"), ca, &name, &["localhost"]);
        let mut server = Command::new("openssl");
        server
            .args(["s_server", "-accept", "127.0.0.1:0", "-www", "-cert"])
            .arg(project.path(&format!("pki/{name}.pem")));
        server
            .arg("-key")
            .arg(project.path(&format!("pki/{name}.key")))
            .args(options);
        let mut process = server
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let accepting = lines
            .map_while(Result::ok)
            .find(|line| line.starts_with("ACCEPT "))
            .unwrap();
        Self {
            name: ca,
            process,
            port: accepting.rsplit(':').next().unwrap().to_owned(),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn project() -> Project {
    let project = Project::new();
    project.write("tlsgen.yaml", SPEC);
    project.write("compose.yml", BASE);
    for (name, title) in [
        ("lab", "Lab Root"),
        ("other", "Öther Root"),
        ("stranger", "Nobody's Root"),
    ] {
        support::root(&project.path("pki"), name, title);
    }
    let read = |name: &str| fs::read_to_string(project.path(&format!("pki/{name}.pem"))).unwrap();
    support::root(&project.path("pki"), "third", "Third Root");
    project.write("pki/both.pem", read("other") + &read("third"));
    project.build();
    project
}

/// `alias, Nov 22, 2026, trustedCertEntry, ` of `keytool -list`.
fn entries(listed: &str) -> BTreeMap<&str, &str> {
    let lines = listed
        .lines()
        .map(|line| line.trim_end_matches([',', ' ']))
        .filter(|line| line.ends_with("Entry"));
    lines
        .filter_map(|line| Some((line.split_once(", ")?.0, line.rsplit_once(", ")?.1)))
        .collect()
}

fn fingerprints(text: &str, before: &str) -> BTreeSet<String> {
    text.lines()
        .filter_map(|line| Some(line.split_once(before)?.1.trim().to_owned()))
        .collect()
}

/// Every file below a directory.
fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut rest = vec![directory.to_owned()];
    while let Some(next) = rest.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                rest.push(path);
            } else {
                all.insert(
                    path.strip_prefix(directory).unwrap().to_owned(),
                    fs::read(&path).unwrap(),
                );
            }
        }
    }
    all
}
