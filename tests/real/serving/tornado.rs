//! `examples/tornado`, brought up as its first lines say.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::lab::Lab;
use crate::support::{checkout, port, succeed, utf8};

const KEY: &str = "pki/private/dev.key";
const KEY_INSIDE: &str = "/etc/tlsgen/keys/dev/dev.key";
const CHAIN: &str = "compose.tls/web.serve/certificates/dev/full-chain.pem";

/// What only the test adds: a client in the network, the name by which it reaches the service, less
/// patience in the health check, and an image that no other test removes.
const BESIDE: &str = "services:
  web:
    build: {labels: {dev.tlsgen.test: LAB}}
    networks: {default: {aliases: [dev.lab.example, other.lab.example]}}
    healthcheck: {interval: 500ms, start_period: 0s}
  client:
    image: python:3.13-slim
    command: [sleep, infinity]
    stop_signal: SIGKILL
    volumes: ['./pki/dev-ca.pem:/dev-ca.pem:ro', './echo.py:/echo.py:ro']
";
const FILES: [&str; 3] = ["compose.yaml", "compose.tls.yml", "beside.yml"];

struct Scene {
    lab: Lab,
    /// Where the service is published.
    port: u16,
}

#[test]
fn the_certificate_is_replaced_without_a_restart() {
    let Some(scene) = Scene::new() else { return };
    scene.make_certificate(&[]);
    // As the published recipe leaves it.
    scene.set_mode(KEY, 0o644);
    let planned = succeed(&mut scene.tlsgen("plan"));
    let planned = utf8(&planned.stdout);
    assert!(
        planned.contains(&format!(
            "access  {KEY}  (owner 0, group 0, 0644 → user 10001 only"
        )),
        "{planned}"
    );
    succeed(&mut scene.tlsgen("build"));
    assert_eq!(scene.owner_and_mode(KEY), (10001, 0o400));
    scene.up();
    only_the_service_reads_its_key(&scene.lab);
    scene.lab.wait_until("web", "healthy");
    clients_verify(&scene);

    let container = identity(&scene.lab);
    let mut open = Echo::open(&scene.lab);
    assert!(open.says("before").ends_with(": before"));
    let before = scene.presented();
    assert_eq!(before, scene.certificate());

    let said = renew(&scene);
    assert_eq!(
        scene.presented(),
        before,
        "nobody has told the service of it"
    );
    tell(&scene.lab, &said);
    wait_for(|| scene.presented() == scene.certificate());
    assert_ne!(scene.presented(), before);
    assert_eq!(
        identity(&scene.lab),
        container,
        "the container runs as it did"
    );
    assert!(open.says("after").ends_with(": after"));
    assert!(Echo::open(&scene.lab).says("anew").ends_with(": anew"));
    only_the_service_reads_its_key(&scene.lab);
    scene.lab.wait_until("web", "healthy");

    a_pair_that_does_not_fit_is_refused(&scene, &said);
}

#[test]
fn health_follows_the_certificate() {
    let Some(scene) = Scene::new() else { return };
    scene.make_certificate(&[]);
    succeed(&mut scene.tlsgen("build"));
    scene.up();
    scene.lab.wait_until("web", "healthy");
    for (settings, why) in [
        (("NAMES", "DNS:other.lab.example"), "Hostname mismatch"),
        (("DAYS", "0"), "certificate has expired"),
    ] {
        // `build` would refuse the one and warn of the other: they are put where it puts them.
        scene.make_certificate(&[settings]);
        scene.put_in_place();
        scene.hang_up();
        scene.lab.wait_until("web", "unhealthy");
        let health = scene.lab.inspect("web")["State"]["Health"].to_string();
        assert!(health.contains(why), "{why}: {health}");

        scene.make_certificate(&[]);
        scene.put_in_place();
        scene.hang_up();
        scene.lab.wait_until("web", "healthy");
    }
}

/// Somebody who may not give files away puts the container's user on the key's list.
#[test]
fn whoever_is_not_root_builds_too() {
    const BUILDER: u32 = 1000;
    let Some(scene) = Scene::new() else { return };
    let program = scene.lab.project.path("tlsgen");
    fs::copy(env!("CARGO_BIN_EXE_tlsgen"), &program).unwrap();
    give_away(&scene.lab.project.path(""), BUILDER);
    let as_builder = |line: &str| {
        let mut command = Command::new("setpriv");
        command
            .args([format!("--reuid={BUILDER}"), format!("--regid={BUILDER}")])
            .args(["--clear-groups", "sh", "-c", line])
            .current_dir(scene.lab.project.path(""));
        succeed(&mut command)
    };
    as_builder("umask 022; sh pki/make.sh && chmod 644 pki/private/dev.key && ./tlsgen build");
    // The mode of a file with a list shows what the list may grant, not what the group may.
    assert_eq!(scene.owner_and_mode(KEY), (BUILDER, 0o640));
    scene.up();
    only_the_service_reads_its_key(&scene.lab);
    scene.lab.wait_until("web", "healthy");

    as_builder("sh pki/make.sh");
    let built = as_builder("./tlsgen build");
    tell(&scene.lab, &utf8(&built.stdout));
    wait_for(|| scene.presented() == scene.certificate());
    only_the_service_reads_its_key(&scene.lab);
}

impl Scene {
    fn new() -> Option<Self> {
        let lab = Lab::with_stand_ins()?;
        lab.project.copy(&checkout().join("examples/tornado"));
        let port = port::free();
        let spec = fs::read_to_string(lab.project.path("tlsgen.yaml")).unwrap();
        let spec = spec.replace("port: 443\n", &format!("port: {port}\n"));
        lab.project.write(
            "tlsgen.yaml",
            spec.replace("{443: 8443}", &format!("{{{port}: 8443}}")),
        );
        lab.project
            .write("beside.yml", BESIDE.replace("LAB", &lab.name));
        lab.project.write("echo.py", include_str!("echo.py"));
        Some(Self { lab, port })
    }

    /// A new key and certificate, and a CA the first time.
    fn make_certificate(&self, settings: &[(&str, &str)]) {
        let mut make = Command::new("sh");
        make.arg("pki/make.sh").envs(settings.iter().copied());
        succeed(make.current_dir(self.lab.project.path("")));
    }

    fn tlsgen(&self, command: &str) -> Command {
        let mut tlsgen = Command::new(env!("CARGO_BIN_EXE_tlsgen"));
        tlsgen.arg(command).current_dir(self.lab.project.path(""));
        tlsgen
    }

    fn up(&self) {
        succeed(&mut self.lab.compose(&FILES, &["build", "--quiet"]));
        self.lab.up(&FILES);
        wait_for(|| self.lab.logs("web").contains("listening"));
    }

    fn hang_up(&self) {
        succeed(&mut self.lab.compose(&FILES, &["kill", "-s", "SIGHUP", "web"]));
    }

    /// What `build` does with a renewed pair.
    fn put_in_place(&self) {
        let project = &self.lab.project;
        fs::copy(project.path("pki/dev.pem"), project.path(CHAIN)).unwrap();
        chown(project.path(KEY), Some(10001), None).unwrap();
    }

    fn set_mode(&self, path: &str, mode: u32) {
        fs::set_permissions(
            self.lab.project.path(path),
            fs::Permissions::from_mode(mode),
        )
        .unwrap();
    }

    fn owner_and_mode(&self, path: &str) -> (u32, u32) {
        let found = fs::metadata(self.lab.project.path(path)).unwrap();
        (found.uid(), found.mode() & 0o7777)
    }

    /// The certificate that was made last.
    fn certificate(&self) -> String {
        let certificate = fs::read_to_string(self.lab.project.path("pki/dev.pem")).unwrap();
        certificate.trim().to_owned()
    }

    /// The certificate that the service presents.
    fn presented(&self) -> String {
        let connect = format!("127.0.0.1:{}", self.port);
        let mut client = Command::new("openssl");
        client.args([
            "s_client",
            "-servername",
            "dev.lab.example",
            "-connect",
            &connect,
        ]);
        let output = succeed(client.stdin(Stdio::null()));
        let said = utf8(&output.stdout);
        let from = said.find("-----BEGIN CERTIFICATE-----").unwrap();
        let until = said.find("-----END CERTIFICATE-----").unwrap();
        format!("{}-----END CERTIFICATE-----", &said[from..until])
    }

    /// The exit code of curl.
    fn curl(&self, root: &str, name: &str, more: &[&str]) -> Option<i32> {
        let resolve = format!("{name}:{}:127.0.0.1", self.port);
        let mut curl = Command::new("curl");
        curl.args(["-q", "--silent", "--show-error", "--fail", "--noproxy", "*"])
            .args(["--cacert", root, "--resolve", &resolve])
            .args(more)
            .arg(format!("https://{name}:{}/", self.port))
            .current_dir(self.lab.project.path(""));
        curl.output().unwrap().status.code()
    }
}

fn only_the_service_reads_its_key(lab: &Lab) {
    let status = lab.exec("web", &["cat", "/proc/1/status"]);
    assert!(utf8(&status.stdout).contains("\nUid:\t10001\t10001\t10001\t10001\n"));
    assert!(lab.exec("web", &["cat", KEY_INSIDE]).status.success());
    for user in ["10002", "10002:10001", "10002:1000", "65534"] {
        let read = lab
            .exec_with("web", &["--user", user], &["cat", KEY_INSIDE])
            .output()
            .unwrap();
        assert!(
            !read.status.success() && read.stdout.is_empty(),
            "user {user} reads the key"
        );
        assert!(utf8(&read.stderr).contains("Permission denied"), "{read:?}");
    }
}

/// From outside, as others on the host do.
fn clients_verify(scene: &Scene) {
    /// curl's word for a certificate that does not verify.
    const NOT_VERIFIED: Option<i32> = Some(60);
    let root = "pki/dev-ca.pem";
    assert_eq!(scene.curl(root, "dev.lab.example", &[]), Some(0));
    assert_eq!(scene.curl(root, "localhost", &["--tlsv1.3"]), Some(0));
    assert_eq!(scene.curl(root, "other.lab.example", &[]), NOT_VERIFIED);
    let stranger = checkout().join("tests/pki/other-root.pem");
    let stranger = stranger.to_str().unwrap();
    assert_eq!(scene.curl(stranger, "dev.lab.example", &[]), NOT_VERIFIED);
    let old = ["--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0"];
    assert_eq!(
        scene.curl(root, "dev.lab.example", &old),
        Some(35),
        "TLS 1.1"
    );
}

/// Puts a new pair in place as renewals do, builds, and answers what `build` says.
fn renew(scene: &Scene) -> String {
    let before = fs::metadata(scene.lab.project.path(KEY)).unwrap().ino();
    scene.make_certificate(&[]);
    let after = fs::metadata(scene.lab.project.path(KEY)).unwrap().ino();
    assert_ne!(before, after, "it is another file of the same name");
    let planned = succeed(&mut scene.tlsgen("plan"));
    let built = succeed(&mut scene.tlsgen("build"));
    let reloads = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| line.starts_with("reload "));
        lines.map(str::to_owned).collect()
    };
    let said = utf8(&built.stdout);
    assert_eq!(reloads(&utf8(&planned.stdout)), reloads(&said));
    assert_eq!(scene.owner_and_mode(KEY), (10001, 0o400));
    said
}

/// Runs what the plan says, word for word.
fn tell(lab: &Lab, said: &str) {
    let start = "reload  web  (serves the old certificate until `";
    let line = said.lines().find_map(|line| line.strip_prefix(start));
    let command = line
        .and_then(|line| line.strip_suffix("`)"))
        .unwrap_or_else(|| panic!("{said}"));
    succeed(&mut lab.shell(command));
}

/// A renewal of which only the certificate arrives: OpenSSL would forget the key that it has.
fn a_pair_that_does_not_fit_is_refused(scene: &Scene, said: &str) {
    let before = scene.presented();
    let project = &scene.lab.project;
    let (key, kept) = (project.path(KEY), project.path("kept.key"));
    fs::rename(&key, &kept).unwrap();
    scene.make_certificate(&[]);
    fs::rename(&kept, &key).unwrap();
    scene.put_in_place();
    tell(&scene.lab, said);
    wait_for(|| {
        let logs = scene.lab.logs("web");
        logs.contains("the certificate stays as it was")
    });
    assert_eq!(scene.presented(), before);
    let built = scene.tlsgen("build").output().unwrap();
    let refused = utf8(&built.stderr);
    assert!(refused.contains("error[key-mismatch]"), "{refused}");
}

/// A WebSocket that stays open.
struct Echo {
    client: Child,
    answers: BufReader<ChildStdout>,
}

impl Echo {
    fn open(lab: &Lab) -> Self {
        let url = "wss://dev.lab.example:8443/echo";
        let mut client = lab
            .exec_with(
                "client",
                &["--interactive"],
                &["python", "/echo.py", "/dev-ca.pem", url],
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(client.stdout.take().unwrap());
        Self { client, answers }
    }

    fn says(&mut self, message: &str) -> String {
        let mut input = self.client.stdin.as_ref().unwrap();
        writeln!(input, "{message}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        drop(self.client.stdin.take());
        let _ = self.client.wait();
    }
}

fn identity(lab: &Lab) -> (String, String) {
    let web = lab.inspect("web");
    (web["Id"].to_string(), web["State"]["StartedAt"].to_string())
}

fn give_away(path: &std::path::Path, owner: u32) {
    chown(path, Some(owner), Some(owner)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            give_away(&entry.unwrap().path(), owner);
        }
    }
}

pub(crate) fn wait_for(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "it does not happen");
        thread::sleep(Duration::from_millis(100));
    }
}
