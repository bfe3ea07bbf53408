//! A project whose hosts are exported, and what its keys are tried with.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use super::support::project::Project;
use super::support::{self, succeed, utf8};

const ENCODINGS: [&str; 2] = ["modern", "compatible"];

/// A host for each kind of key, and how `openssl genpkey` makes it.
const KEYS: [(&str, &[&str]); 4] = [
    (
        "p256",
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    ),
    (
        "p384",
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    ),
    (
        "rsa",
        &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    ),
    ("ed25519", &["-algorithm", "ed25519"]),
];

/// A project with a host for each kind of key, each exported in both encodings.
pub struct Exported {
    pub project: Project,
}

impl Exported {
    pub fn new(password: &str) -> Self {
        let project = Project::new();
        let pki = project.path("pki");
        for (name, title) in [("lab", "Lab Root"), ("other", "Other Root")] {
            support::root(&pki, name, title);
        }
        project.write("password", format!("{password}\n"));
        project.write("exact", password);
        project.write("wrong", "another password");
        issue(
            &pki,
            "lab",
            "issuing",
            "Lab Issuing CA",
            KEYS[0].1,
            "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n",
        );
        let mut spec = "version: 1\nproject: keystores\nauthorities:\n  lab: {kind: external, certificates: pki/lab.pem}\n  other: {kind: external, certificates: pki/other.pem}\nhosts:\n".to_owned();
        for (host, options) in KEYS {
            let usages = format!(
                "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\nsubjectAltName=DNS:{host}.lab.example,DNS:localhost\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
            );
            issue(&pki, "issuing", host, host, options, &usages);
            let leaf = fs::read_to_string(pki.join(format!("{host}.pem"))).unwrap();
            let issuing = fs::read_to_string(pki.join("issuing.pem")).unwrap();
            project.write(&format!("pki/{host}.pem"), leaf + &issuing);
            spec += &format!(
                "  {host}: {{names: [{host}.lab.example], certificate: {{chain: pki/{host}.pem, key: pki/{host}.key}}}}\n"
            );
        }
        project.write("tlsgen.yaml", spec);
        for (host, _) in KEYS {
            for encoding in ENCODINGS {
                let out = format!("{host}-{encoding}.p12");
                let mut export = tlsgen(&project, &["export", "host", host, "--out", &out]);
                succeed(export.args(["--encoding", encoding, "--password-file", "password"]));
            }
        }
        Self { project }
    }

    /// Host, encoding and file, of the keys that a JVM knows: Ed25519 came with 15.
    pub fn key_stores(&self, version: u32) -> Vec<(String, &'static str, PathBuf)> {
        let known = |host: &str| version >= 15 || host != "ed25519";
        let mut stores = Vec::new();
        for (host, _) in KEYS.into_iter().filter(|(host, _)| known(host)) {
            for encoding in ENCODINGS {
                let store = self.project.path(&format!("{host}-{encoding}.p12"));
                stores.push((host.to_owned(), encoding, store));
            }
        }
        stores
    }

    /// As an editor leaves it, with an end of line.
    pub fn password(&self) -> PathBuf {
        self.project.path("password")
    }

    pub fn exact_password(&self) -> PathBuf {
        self.project.path("exact")
    }

    pub fn wrong(&self) -> PathBuf {
        self.project.path("wrong")
    }

    /// A handshake that trusts the root alone, so that the intermediate must come along.
    pub fn connect(&self, host: &str, port: &str) {
        let mut client = Command::new("openssl");
        client.args([
            "s_client",
            "-verify_return_error",
            "-brief",
            "-verify_hostname",
        ]);
        client.arg(format!("{host}.lab.example"));
        client.args(["-connect", &format!("127.0.0.1:{port}"), "-CAfile"]);
        client
            .arg(self.project.path("pki/lab.pem"))
            .stdin(Stdio::null());
        let said = said(&succeed(&mut client));
        assert!(said.contains("Verification: OK\n"), "{host}: {said}");
    }
}

/// A certificate of a CA in the same directory: `NAME.pem` and `NAME.key`.
fn issue(pki: &Path, signer: &str, name: &str, title: &str, key: &[&str], extensions: &str) {
    let path = |name: &str| pki.join(name);
    let (own, request) = (path(&format!("{name}.key")), path(&format!("{name}.csr")));
    let settings = path(&format!("{name}.ext"));
    fs::write(&settings, extensions).unwrap();
    let openssl = || Command::new("openssl");
    succeed(openssl().arg("genpkey").args(key).arg("-out").arg(&own));
    succeed(
        openssl()
            .args(["req", "-new", "-subj", &format!("/CN={title}"), "-key"])
            .arg(&own)
            .arg("-out")
            .arg(&request),
    );
    succeed(
        openssl()
            .args(["x509", "-req", "-days", "90", "-sha256", "-in"])
            .arg(&request)
            .arg("-CA")
            .arg(path(&format!("{signer}.pem")))
            .arg("-CAkey")
            .arg(path(&format!("{signer}.key")))
            .arg("-extfile")
            .arg(&settings)
            .arg("-out")
            .arg(path(&format!("{name}.pem"))),
    );
}

pub fn tlsgen(project: &Project, arguments: &[&str]) -> Command {
    let mut tlsgen = Command::new(env!("CARGO_BIN_EXE_tlsgen"));
    tlsgen.current_dir(project.path("")).args(arguments);
    tlsgen
}

/// `openssl s_server` with a file of key, leaf and chain.
pub struct Server {
    process: Child,
    pub port: String,
}

impl Server {
    pub fn start(file: &Path) -> Self {
        let mut server = Command::new("openssl");
        server.args(["s_server", "-accept", "127.0.0.1:0", "-www"]);
        for option in ["-cert", "-key", "-cert_chain"] {
            server.arg(option).arg(file);
        }
        let mut process = server
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok);
        let accepting = lines.find(|line| line.starts_with("ACCEPT ")).unwrap();
        let port = accepting.rsplit(':').next().unwrap().to_owned();
        Self { process, port }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn said(output: &Output) -> String {
    utf8(&output.stdout) + &utf8(&output.stderr)
}
