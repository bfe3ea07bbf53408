//! nginx itself: where its releases are, how one is started, and its own way to say no.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use tlsgen::provision::{ReadAs, Serving};

use super::answer::Answer;
use super::lab::{Lab, Release};
use super::running::Running;
use super::support::{checkout, judge, succeed, utf8};

pub const NAME: &str = "nginx";

pub const OLD: Release = Release {
    suite: "bookworm",
    server: "nginx@1.22",
    openssl: "3.0",
};
pub const CURRENT: Release = Release {
    suite: "sid",
    server: "nginx@1.30",
    openssl: "3.6",
};

pub const IN_FOREGROUND: &[&str] = &["-g", "daemon off;"];

/// The code when the upstream is not there.
pub const NO_UPSTREAM: u16 = 502;

/// The code for a client whose certificate is missing or refused.
pub const NO_CERTIFICATE: u16 = 400;

/// How a subject with everything that could break a header arrives.
pub const SUBJECT: &str = "CN=below0,O=Gr\\C3\\B6\\C3\\9Fe\\, \\\"x\\\"\\0AX-Evil: 1";

/// How a line break of a certificate in PEM arrives.
pub const LINE_BREAK: &str = "%0A";

/// How many intermediates are let through where a place says so many: nginx's least is 1.
pub fn let_through(depth: u32) -> u32 {
    depth.max(1)
}

/// Whether a name that no host has, asked for in the clear, is turned away.
pub fn turned_away(answer: &Answer) -> bool {
    // An empty reply.
    answer.exit == 52
}

pub fn is_there(release: &Release) -> bool {
    judge(&format!("nginx-{}", release.suite)).is_some()
}

/// Whether each host can have its own guideline.
pub fn has_guidelines_of_hosts(release: &Release) -> bool {
    release.suite != OLD.suite
}

pub fn tree(release: &Release) -> PathBuf {
    checkout().join(format!("target/judges/nginx-{}", release.suite))
}

/// A directory in the `/tmp` of the release.
pub fn directory(release: &Release) -> TempDir {
    let tree = tree(release);
    let own = tempfile::Builder::new()
        .prefix("tlsgen-")
        .tempdir_in(tree.join("tmp"))
        .unwrap();
    // The trees know no names at all.
    let hosts = tree.join("etc/hosts");
    if !fs::read_to_string(&hosts).is_ok_and(|text| text.contains("localhost")) {
        fs::write(own.path().join("hosts"), "127.0.0.1 localhost\n").unwrap();
        fs::rename(own.path().join("hosts"), hosts).unwrap();
    }
    own
}

/// The path of such a directory as nginx has it.
pub fn inside(release: &Release, own: &Path) -> String {
    let below = own.strip_prefix(tree(release)).unwrap();
    format!("/{}", below.display())
}

/// Writes the configuration and has nginx test it: nothing may be said.
pub fn install(lab: &Lab, serving: &Serving) {
    install_around(lab, serving, "");
}

/// The same with a block of the user's own, in which `INCLUDE` is what is written for one host.
pub fn install_around(lab: &Lab, serving: &Serving, block: &str) {
    fs::create_dir_all(lab.path("conf.d")).unwrap();
    let own = |what: &str| lab.inside(what);
    let mut block = block.to_owned();
    let mut includes = String::new();
    for file in &serving.configuration {
        let path = lab.path("conf.d").join(&file.name);
        fs::write(&path, &file.text).unwrap();
        let include = format!("include {}/{};", own("conf.d"), file.name);
        match file.read_as {
            ReadAs::OneHost => block = block.replace("INCLUDE", &include),
            ReadAs::AllHosts => includes += &format!("{include}\n"),
            _ => {}
        }
    }
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {};\n", own(kind)))
        .concat();
    let main = format!(
        "user www-data;\nworker_processes 1;\nworker_rlimit_nofile 1024;\npid {};\nerror_log {} notice;\nevents {{ worker_connections 128; }}\n\
         http {{\naccess_log off;\n{temporary}{includes}{block}\n}}\n",
        own("nginx.pid"),
        own("error.log"),
    );
    fs::write(lab.path("nginx.conf"), main).unwrap();
    let tested = command(lab, &["-t", "-q"]).output().unwrap();
    let said = utf8(&tested.stderr);
    assert!(
        tested.status.success() && said.is_empty(),
        "{:?}: {said}",
        lab.release
    );
}

pub fn command(lab: &Lab, arguments: &[&str]) -> Command {
    let mut nginx = Command::new("chroot");
    nginx.arg(tree(&lab.release)).arg("/usr/sbin/nginx");
    nginx
        .args(["-c", &lab.inside("nginx.conf")])
        .args(arguments);
    nginx
}

/// Does what a provision says; the return is how to see that the new processes are there.
pub fn reload(running: &Running, words: &[String]) -> impl Fn() -> bool {
    let started = || running.log().matches("start worker process ").count();
    let before = started();
    assert_eq!(words[0], "nginx");
    let arguments: Vec<&str> = words[1..].iter().map(String::as_str).collect();
    succeed(&mut command(&running.lab, &arguments));
    move || started() > before && running.log().contains("gracefully shutting down")
}
