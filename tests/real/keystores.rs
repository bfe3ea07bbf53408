//! Keystores as other software opens them: every JVM's keytool, a Java server, OpenSSL, Python.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic and touch the disk"
)]

#[path = "keystores/exported.rs"]
mod exported;
mod support;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use exported::{Exported, Server, said, tlsgen};
use support::{succeed, utf8};

/// The oldest, the newest and one between: every release takes its time to start.
const JVMS: [u32; 3] = [8, 17, 25];

const PASSWORD: &str = "a pass-word, \"quoted\" $HOME";
const BEYOND_ASCII: &str = "grüße 😀";

#[test]
fn every_keytool_lists_the_key_with_its_chain() {
    let Some(judges) = Judges::find() else { return };
    let exported = Exported::new(PASSWORD);
    for version in JVMS {
        for (host, encoding, store) in exported.key_stores(version) {
            let what = format!("keytool {version}, {host}, {encoding}");
            let listed = judges.keytool(version, &store, "PKCS12", &exported.password());
            assert_eq!(utf8(&listed.stderr), "", "{what}");
            let text = utf8(&listed.stdout);
            assert!(listed.status.success(), "{what}: {text}");
            for line in [
                "Your keystore contains 1 entry",
                &format!("Alias name: {host}"),
                "Entry type: PrivateKeyEntry",
                "Certificate chain length: 2",
                "Owner: CN=Lab Issuing CA",
            ] {
                assert!(text.lines().any(|one| one.trim() == line), "{what}: {text}");
            }
        }
        let (_, _, store) = exported.key_stores(version).remove(0);
        let wrong = judges.keytool(version, &store, "PKCS12", &exported.wrong());
        assert!(!wrong.status.success());
        let said = said(&wrong);
        assert!(said.contains("password was incorrect"), "{version}: {said}");
    }
}

#[test]
fn a_java_server_presents_what_was_exported() {
    let Some(judges) = Judges::find() else { return };
    let exported = Exported::new(PASSWORD);
    let password = exported.project.path("in-java");
    fs::write(&password, PASSWORD).unwrap();
    for version in JVMS {
        let stores = exported.key_stores(version);
        let mut server = Command::new(judges.bin.join(format!("java-{version}")));
        server.args(["-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp"]);
        server.arg(&judges.classes).arg("Serve").arg(&password);
        server.args(stores.iter().map(|(_, _, store)| store));
        let mut server = server
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
        for (host, encoding, _) in &stores {
            let Some(Ok(line)) = lines.next() else {
                let said = said(&server.wait_with_output().unwrap());
                panic!("java {version}, {host}, {encoding}: {said}");
            };
            exported.connect(host, line.strip_prefix("port ").unwrap());
        }
        assert!(server.wait().unwrap().success());
    }
}

#[test]
fn openssl_reads_both_without_legacy_and_serves_what_it_read() {
    let Some(_) = Judges::find() else { return };
    let exported = Exported::new(PASSWORD);
    for (host, encoding, store) in exported.key_stores(17) {
        let open = |password: &Path| {
            let mut openssl = Command::new("openssl");
            openssl
                .args(["pkcs12", "-nodes", "-info", "-in"])
                .arg(&store);
            let password = format!("file:{}", support::text(password));
            openssl.args(["-passin", &password]).output().unwrap()
        };
        let opened = open(&exported.password());
        let algorithms = utf8(&opened.stderr);
        let (encryption, mac) = match encoding {
            "modern" => (
                "PBES2, PBKDF2, AES-256-CBC, Iteration 100000, PRF hmacWithSHA256",
                "sha256",
            ),
            _ => ("pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 100000", "sha1"),
        };
        assert!(opened.status.success(), "{host}, {encoding}: {algorithms}");
        let wanted = format!(
            "MAC: {mac}, Iteration 100000\nMAC length: {}, salt length: {}\nPKCS7 Encrypted data: {encryption}\nCertificate bag\nCertificate bag\nPKCS7 Data\nShrouded Keybag: {encryption}\n",
            if mac == "sha1" { 20 } else { 32 },
            if mac == "sha1" { 8 } else { 16 },
        );
        assert_eq!(algorithms, wanted, "{host}, {encoding}");
        let text = utf8(&opened.stdout);
        assert_eq!(text.matches("BEGIN CERTIFICATE").count(), 2);
        assert_eq!(text.matches(&format!("friendlyName: {host}\n")).count(), 2);
        let converted = exported.project.path(&format!("{host}-{encoding}.pem"));
        fs::write(&converted, text).unwrap();
        assert_eq!(
            public_key(&converted),
            public_key(&exported.project.path(&format!("pki/{host}.key")))
        );
        let server = Server::start(&converted);
        exported.connect(&host, &server.port);

        let wrong = open(&exported.wrong());
        assert!(!wrong.status.success());
        assert!(
            utf8(&wrong.stderr).contains("invalid password"),
            "{host}, {encoding}"
        );
    }
}

#[test]
fn python_finds_key_leaf_and_chain() {
    let Some(judges) = Judges::find() else { return };
    let exported = Exported::new(PASSWORD);
    for (host, encoding, store) in exported.key_stores(17) {
        let read = judges.python(&exported.exact_password(), &store);
        assert_eq!(
            said(&read),
            format!("key {host} fits\nleaf CN={host}\nother - CN=Lab Issuing CA\n"),
            "{host}, {encoding}"
        );
        let wrong = judges.python(&exported.wrong(), &store);
        assert!(!wrong.status.success());
        assert!(
            utf8(&wrong.stderr).contains("Invalid password"),
            "{}",
            said(&wrong)
        );
    }
}

/// Java before 25 takes none but ASCII, and no Java does in the compatible encoding, as `export` warns.
#[test]
fn a_password_beyond_ascii_opens_it_wherever_it_can() {
    let Some(judges) = Judges::find() else { return };
    let exported = Exported::new(BEYOND_ASCII);
    for (host, encoding, store) in exported.key_stores(17) {
        let what = format!("{host}, {encoding}");
        let password = format!("file:{}", support::text(&exported.password()));
        let mut openssl = Command::new("openssl");
        openssl
            .env("LC_ALL", "C.UTF-8")
            .args(["pkcs12", "-nodes", "-in"]);
        succeed(openssl.arg(&store).args(["-passin", &password]));
        let read = judges.python(&exported.exact_password(), &store);
        assert!(read.status.success(), "{what}: {}", said(&read));
    }
    for version in JVMS {
        for (host, encoding, store) in exported.key_stores(version).into_iter().take(2) {
            let listed = judges.keytool(version, &store, "PKCS12", &exported.password());
            let said = said(&listed);
            let what = format!("keytool {version}, {host}, {encoding}: {said}");
            let reason = match (version, encoding) {
                (25.., "modern") => "Entry type: PrivateKeyEntry",
                (25.., _) => "password was incorrect",
                _ => "Password is not ASCII",
            };
            assert!(said.contains(reason), "{what}");
        }
    }
}

#[test]
fn every_jvm_trusts_what_the_truststores_hold() {
    let Some(judges) = Judges::find() else { return };
    let exported = Exported::new(PASSWORD);
    let project = &exported.project;
    let mut stores = Vec::new();
    for (kind, encoding) in [
        ("JKS", "modern"),
        ("PKCS12", "modern"),
        ("PKCS12", "compatible"),
    ] {
        for (list, entries) in [(&["lab"][..], 1), (&["lab", "other", "public"], 100)] {
            let name = format!("{}-{kind}-{encoding}", list.len());
            let mut export = tlsgen(project, &["export", "trust", "--store-type"]);
            export.arg(kind.to_lowercase()).args(list);
            succeed(export.args(["--encoding", encoding, "--out", &name]));
            stores.push((kind, project.path(&name), entries));
        }
    }
    let customary = project.path("customary");
    fs::write(&customary, "changeit").unwrap();
    let leaf = project.path("leaf.pem");
    let joined = |name: &str| fs::read_to_string(project.path(&format!("pki/{name}"))).unwrap();
    fs::write(&leaf, joined("p256.pem") + &joined("p256.key")).unwrap();
    let server = Server::start(&leaf);
    let stranger = project.path("stranger");
    succeed(
        tlsgen(
            project,
            &[
                "export",
                "trust",
                "other",
                "--store-type",
                "pkcs12",
                "--out",
                "stranger",
            ],
        )
        .arg("--force"),
    );
    for version in JVMS {
        for (kind, store, entries) in &stores {
            let what = format!("java {version}, {}", store.display());
            let listed = judges.keytool(version, store, kind, &customary);
            assert_eq!(utf8(&listed.stderr), "", "{what}");
            let text = utf8(&listed.stdout);
            let found = text.matches("Entry type: trustedCertEntry").count();
            match entries {
                1 => assert_eq!(found, 1, "{what}: {text}"),
                least => assert!(found > *least, "{what}: {found}"),
            }
            assert_eq!(text.matches("Entry type: ").count(), found);
            let connected = judges.connect(version, kind, store, &server.port);
            assert!(connected.status.success(), "{what}: {}", said(&connected));
        }
        // trust-manager writes PKCS#12 where `JAVA_TOOL_OPTIONS` says JKS: a JVM reads both as either.
        let of_a_cluster = project.path("1-PKCS12-modern");
        let connected = judges.connect(version, "JKS", &of_a_cluster, &server.port);
        assert!(
            connected.status.success(),
            "java {version} reads PKCS#12 as JKS: {}",
            said(&connected)
        );
        let refused = judges.connect(version, "PKCS12", &stranger, &server.port);
        let said = said(&refused);
        assert!(!refused.status.success(), "java {version} trusts anybody");
        assert!(
            said.contains("PKIX path building failed"),
            "{version}: {said}"
        );
    }
    for (_, store, _) in stores.iter().filter(|(kind, ..)| *kind == "PKCS12") {
        let read = judges.python(&customary, store);
        assert!(said(&read).contains("other lab-"), "{}", said(&read));
        let mut openssl = Command::new("openssl");
        openssl.args(["pkcs12", "-nokeys", "-passin", "pass:changeit", "-in"]);
        let opened = succeed(openssl.arg(store));
        assert!(utf8(&opened.stdout).contains("2.16.840.1.113894.746875.1.1"));
    }
}

struct Judges {
    bin: PathBuf,
    python: PathBuf,
    classes: PathBuf,
}

impl Judges {
    fn find() -> Option<Self> {
        for version in JVMS {
            support::judge(&format!("keytool-{version}"))?;
        }
        let python = support::judge("python-keystores")?;
        Some(Self {
            bin: python.parent().unwrap().to_owned(),
            classes: classes()?,
            python,
        })
    }

    fn keytool(&self, version: u32, store: &Path, kind: &str, password: &Path) -> Output {
        Command::new(self.bin.join(format!("keytool-{version}")))
            .args(["-J-Duser.language=en", "-J-Dfile.encoding=UTF-8"])
            .args(["-list", "-v", "-storetype", kind, "-keystore"])
            .arg(store)
            .arg("-storepass:file")
            .arg(password)
            .env("LC_ALL", "C.UTF-8")
            .output()
            .unwrap()
    }

    fn connect(&self, version: u32, kind: &str, store: &Path, port: &str) -> Output {
        Command::new(self.bin.join(format!("java-{version}")))
            .args(["-Xshare:auto", "-XX:TieredStopAtLevel=1"])
            .arg(format!("-Djavax.net.ssl.trustStore={}", store.display()))
            .arg(format!("-Djavax.net.ssl.trustStoreType={kind}"))
            .arg("-Djavax.net.ssl.trustStorePassword=changeit")
            .arg("-cp")
            .arg(&self.classes)
            .args(["Connect", "localhost", port])
            .output()
            .unwrap()
    }

    fn python(&self, password: &Path, store: &Path) -> Output {
        let script = support::checkout().join("tests/real/keystores/read.py");
        Command::new(&self.python)
            .args([&script, password, store])
            .output()
            .unwrap()
    }
}

/// The Java programs, compiled for every release.
fn classes() -> Option<PathBuf> {
    static COMPILED: std::sync::Once = std::sync::Once::new();
    let javac = Command::new("javac").arg("-version").output();
    let is_there = javac.is_ok_and(|output| output.status.success());
    if !support::there(is_there, "javac: run tests/real/install.sh") {
        return None;
    }
    let classes = Path::new(env!("CARGO_TARGET_TMPDIR")).join("keystores");
    COMPILED.call_once(|| {
        fs::create_dir_all(&classes).unwrap();
        let real = support::checkout().join("tests/real");
        let mut javac = Command::new("javac");
        javac
            .args(["-Xlint:-options", "--release", "8", "-d"])
            .arg(&classes);
        javac.arg(real.join("keystores/Serve.java"));
        succeed(javac.arg(real.join("lab/clients/Connect.java")));
    });
    Some(classes)
}

fn public_key(file: &Path) -> String {
    let mut openssl = Command::new("openssl");
    utf8(&succeed(openssl.args(["pkey", "-pubout", "-in"]).arg(file)).stdout)
}
