//! `tlsgen fetch` against servers on loopback: openssl's own, and ones that speak a protocol before
//! TLS, or nothing that they should.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic and touch the disk"
)]

#[path = "support/port.rs"]
mod port;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A server that ends with its test.
struct Server {
    process: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn pki(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pki");
    folder.join(name).display().to_string()
}

fn started(command: &mut Command, port: u16) -> Server {
    let process = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let server = Server { process, port };
    let until = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < until, "the server does not come up");
        thread::sleep(Duration::from_millis(30));
    }
    server
}

/// openssl with `leaf.pem` unless the options say otherwise.
fn openssl(options: &[&str]) -> Server {
    let port = port::free();
    let mut command = Command::new("openssl");
    command.args([
        "s_server",
        "-quiet",
        "-accept",
        &format!("127.0.0.1:{port}"),
    ]);
    if !options.contains(&"-cert") {
        command.args(["-cert", &pki("leaf.pem"), "-key", &pki("leaf.key")]);
    }
    started(command.args(options), port)
}

/// Says `greeting` to everybody, as it is, then waits.
fn says(greeting: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.write_all(greeting);
            let _ = stream.read(&mut [0; 4096]);
            thread::sleep(Duration::from_secs(30));
        }
    });
    port
}

fn fetch(directory: &Path, port: u16, options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tlsgen"))
        .args(["fetch", &format!("127.0.0.1:{port}")])
        .args(["--server-name", "git.lab.example"])
        .args(options)
        .env("TLSGEN_AS_OF", "2026-11-22")
        .current_dir(directory)
        .output()
        .unwrap()
}

/// What is said on both streams, and the exit code.
fn said(server: &Server, options: &[&str]) -> (String, i32) {
    let directory = tempfile::tempdir().unwrap();
    words(&fetch(directory.path(), server.port, options))
}

fn words(output: &Output) -> (String, i32) {
    let text = [&output.stdout[..], &output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    (text, output.status.code().unwrap())
}

fn holds(text: &str, expected: &[&str]) {
    for expected in expected {
        assert!(text.contains(expected), "`{expected}` is not in\n{text}");
    }
}

#[test]
fn the_usual_chain_lacks_its_root() {
    let server = openssl(&["-cert_chain", &pki("corp-issuing.pem")]);
    let (text, code) = said(&server, &[]);
    assert_eq!(code, 0, "{text}");
    holds(
        &text,
        &[
            "2 certificates",
            "#2 CN=Corp Issuing CA 1",
            "TLS 1.3 with 127.0.0.1",
            "`CN=Corp Root CA,O=Corp Example GmbH,C=DE` is not sent"
                .replace(",O", ", O")
                .replace(",C", ", C")
                .as_str(),
            "`Corp Issuing CA 1` is an intermediate, which alone is no anchor",
            "the public roots do not verify it for git.lab.example: its issuer",
            "  git: {names: [git.lab.example], port: ",
            "observed: pki/git-observed.pem}",
            "trust on first use",
        ],
    );
}

#[test]
fn a_missing_intermediate_is_missed() {
    let (text, code) = said(&openssl(&[]), &[]);
    assert_eq!(code, 0, "{text}");
    holds(
        &text,
        &[
            "1 certificate",
            "`CN=Corp Issuing CA 1, O=Corp Example GmbH, C=DE` is not sent",
        ],
    );
}

#[test]
fn a_self_signed_certificate_is_called_so() {
    let directory = tempfile::tempdir().unwrap();
    let (key, certificate) = (directory.path().join("k"), directory.path().join("c"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ed25519",
            "-nodes",
            "-subj",
            "/CN=git.lab.example",
            "-keyout",
        ])
        .args([&key, Path::new("-out"), &certificate])
        .output()
        .unwrap();
    assert!(made.status.success());
    let files = [&certificate, &key].map(|file| file.display().to_string());
    let server = openssl(&["-cert", &files[0], "-key", &files[1]]);
    let (text, code) = said(&server, &[]);
    assert_eq!(code, 0, "{text}");
    holds(&text, &["none: the server signed its certificate itself"]);
}

#[test]
fn old_versions_are_told_apart() {
    let (text, code) = said(&openssl(&["-tls1_2"]), &[]);
    assert_eq!(code, 0, "{text}");
    holds(&text, &["TLS 1.2 with"]);
    let old = openssl(&["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]);
    let (text, code) = said(&old, &[]);
    assert_eq!(code, 2, "{text}");
    holds(&text, &["only TLS 1.1 or older"]);
}

#[test]
fn a_server_that_wants_a_certificate_shows_its_own() {
    for version in ["-tls1_2", "-tls1_3"] {
        let server = openssl(&["-Verify", "1", "-verify_return_error", version]);
        let (text, code) = said(&server, &[]);
        assert_eq!(code, 0, "{text}");
        holds(
            &text,
            &[
                "the server asks for a client's certificate",
                "git.lab.example",
            ],
        );
    }
}

#[test]
fn what_is_saved_is_never_written_over_unasked() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let both = here.join("both.pem");
    let read = |name: &str| fs::read_to_string(pki(name)).unwrap();
    fs::write(&both, read("corp-issuing.pem") + &read("corp-root.pem")).unwrap();
    let server = openssl(&["-cert_chain", &both.display().to_string()]);
    let save = ["--save", "pki/corp.pem", "--name", "corp"];
    let (text, code) = words(&fetch(here, server.port, &save));
    assert_eq!(code, 0, "{text}");
    holds(
        &text,
        &[
            "the server sends its root CA",
            "  corp: {kind: external, certificates: pki/corp.pem, sha256: [",
        ],
    );
    let saved = here.join("pki/corp.pem");
    let first = fs::read_to_string(&saved).unwrap();
    assert_eq!(first.matches("BEGIN CERTIFICATE").count(), 1);
    // What was saved is what the lines pin, so a project of them accepts it.
    let spec = text
        .split("for the spec:\n\n")
        .nth(1)
        .unwrap()
        .split("warning:")
        .next()
        .unwrap();
    fs::write(
        here.join("tlsgen.yaml"),
        format!("version: 1\nproject: lab\n{spec}"),
    )
    .unwrap();
    let (text, code) = words(&fetch(here, server.port, &save));
    assert_eq!(code, 0, "{text}");
    holds(
        &text,
        &[
            "has it already",
            "`Corp Root CA` is the same as authority `corp` has",
        ],
    );
    fs::write(&saved, read("other-root.pem")).unwrap();
    let (text, code) = words(&fetch(here, server.port, &save));
    assert_eq!(code, 3, "{text}");
    assert_eq!(fs::read_to_string(&saved).unwrap(), read("other-root.pem"));
    let (text, code) = words(&fetch(
        here,
        server.port,
        &[&save[..], &["--adopt"]].concat(),
    ));
    assert_eq!(code, 0, "{text}");
    assert_eq!(fs::read_to_string(&saved).unwrap(), first);
}

fn project_with(ca: &str, observed: &str, port: u16) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    fs::copy(pki(ca), here.join("ca.pem")).unwrap();
    fs::copy(pki(observed), here.join("seen.pem")).unwrap();
    let spec = format!(
        "version: 1\nproject: lab\nauthorities:\n  corp: {{kind: external, certificates: ca.pem}}\nhosts:\n  git: {{names: [git.lab.example], port: {port}, observed: seen.pem}}\n"
    );
    fs::write(here.join("tlsgen.yaml"), spec).unwrap();
    directory
}

#[test]
fn what_a_project_has_pinned_is_compared() {
    let both = tempfile::tempdir().unwrap();
    let chain = both.path().join("chain.pem");
    let read = |name: &str| fs::read_to_string(pki(name)).unwrap();
    fs::write(&chain, read("corp-issuing.pem") + &read("corp-root.pem")).unwrap();
    let server = openssl(&["-cert_chain", &chain.display().to_string()]);
    let same = project_with("corp-root.pem", "leaf.pem", server.port);
    let (text, code) = words(&fetch(same.path(), server.port, &[]));
    assert_eq!(code, 0, "{text}");
    holds(
        &text,
        &[
            "authority `corp` verifies it",
            "same as authority `corp` has",
            "same as what was observed of host `git` has",
        ],
    );
    // A root of the same name and another key, and another certificate of the server's.
    let other = project_with("corp-root-2026.pem", "rsa-leaf.pem", server.port);
    let output = fetch(other.path(), server.port, &["--format", "json"]);
    let (text, code) = words(&output);
    assert_eq!(code, 1, "{text}");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let pinned = json["pinned"].as_array().unwrap();
    assert_eq!(pinned.len(), 2, "{pinned:?}");
    for one in pinned {
        assert_eq!(one["same"], false, "{one}");
        assert_ne!(one["expected"][0], one["seen"], "{one}");
    }
    assert_eq!(json["ca"]["kind"], "sent");
    assert_eq!(json["certificates"].as_array().unwrap().len(), 3);
}

/// A server of Python's that speaks a protocol until TLS is asked for.
fn spoken(protocol: &str) -> Server {
    let port = port::free();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/fetch/starttls.py");
    let mut command = Command::new("python3");
    command.args([
        script,
        PathBuf::from(protocol),
        PathBuf::from(port.to_string()),
    ]);
    command.args([pki("leaf-chain.pem"), pki("leaf.key")]);
    started(&mut command, port)
}

#[test]
fn tls_is_asked_for_in_every_protocol() {
    for protocol in ["smtp", "imap", "postgres", "mysql"] {
        let server = spoken(protocol);
        let (text, code) = said(&server, &["--starttls", protocol]);
        assert_eq!(code, 0, "{text}");
        holds(
            &text,
            &["TLS 1.3 within ", "git.lab.example", "is not sent"],
        );
    }
}

#[test]
fn strangers_are_named_in_time() {
    let endless: &'static [u8] = Box::leak(vec![b'x'; 1 << 20].into_boxed_slice());
    let cases: [(&[u8], &[&str], &str); 8] = [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", &[], "plain HTTP"),
        (b"220 mx.lab.example ESMTP\r\n", &[], "`--starttls smtp`"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", &[], "but SSH"),
        (
            b"\x15\x03\x03\x00\x02\x02\x50",
            &[],
            "the TLS alert `InternalError`",
        ),
        (endless, &[], "it does not speak TLS there"),
        (endless, &["--starttls", "smtp"], "talks without end"),
        (b"", &["--timeout", "1"], "in time"),
        (
            b"* OK \x1b[31m",
            &["--starttls", "imap", "--timeout", "1"],
            "in time",
        ),
    ];
    for (greeting, options, expected) in cases {
        let directory = tempfile::tempdir().unwrap();
        let before = Instant::now();
        let (text, code) = words(&fetch(directory.path(), says(greeting), options));
        assert_eq!(code, 2, "{text}");
        holds(&text, &[expected]);
        assert!(!text.contains('\u{1b}'), "{text}");
        assert!(before.elapsed() < Duration::from_secs(5), "{text}");
    }
}

#[test]
fn who_talks_a_byte_at_a_time_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            while stream.write_all(b"2").is_ok() {
                thread::sleep(Duration::from_millis(200));
            }
        }
    });
    let directory = tempfile::tempdir().unwrap();
    let before = Instant::now();
    let options = ["--starttls", "smtp", "--timeout", "2"];
    let (text, code) = words(&fetch(directory.path(), port, &options));
    assert_eq!(code, 2, "{text}");
    assert!(before.elapsed() < Duration::from_secs(4), "{text}");
}
