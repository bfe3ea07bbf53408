//! Apache itself: where its releases are, how one is started, and its own way to say no.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use tlsgen::provision::Serving;

use super::answer::Answer;
use super::lab::{Lab, Release};
use super::running::Running;
use super::support::{checkout, succeed, there, utf8};

pub const NAME: &str = "apache";

pub const OLD: Release = Release {
    suite: "bookworm",
    server: "apache@2.4.68",
    openssl: "3.0",
};
pub const CURRENT: Release = Release {
    suite: "sid",
    server: "apache@2.4.69",
    openssl: "3.6",
};

pub const IN_FOREGROUND: &[&str] = &["-DFOREGROUND"];

/// The code when the upstream is not there.
pub const NO_UPSTREAM: u16 = 503;

/// None for a client whose certificate is missing or refused: there is no handshake.
pub const NO_CERTIFICATE: u16 = 0;

/// How a subject with everything that could break a header arrives: UTF-8, which is shown here as
/// if it were Latin-1.
pub const SUBJECT: &str = "CN=below0,O=GrÃ¶Ã\u{9f}e\\, \\\"x\\\"\\0AX-Evil: 1";

/// How a line break of a certificate in PEM arrives.
pub const LINE_BREAK: &str = "%0a";

/// How many intermediates are let through where a place says so many.
pub fn let_through(depth: u32) -> u32 {
    depth
}

/// Whether a name that no host has, asked for in the clear, is turned away.
pub fn turned_away(answer: &Answer) -> bool {
    answer.code == 421
}

pub fn is_there(release: &Release) -> bool {
    let what = format!("machine-{}: run tests/real/install.sh", release.suite);
    there(tree(release).join("usr/sbin/apache2").exists(), &what)
}

/// Whether each host can have its own guideline.
pub fn has_guidelines_of_hosts(_: &Release) -> bool {
    true
}

pub fn tree(release: &Release) -> PathBuf {
    checkout().join(format!("target/judges/machine-{}", release.suite))
}

pub fn directory(_: &Release) -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Where [`command`] mounts such a directory for Apache.
pub fn inside(_: &Release, _: &Path) -> String {
    "/mnt".to_owned()
}

/// Writes the configuration and has Apache test it: nothing but that it is well may be said.
pub fn install(lab: &Lab, serving: &Serving) {
    fs::create_dir_all(lab.path("conf.d")).unwrap();
    for file in &serving.configuration {
        fs::write(lab.path("conf.d").join(&file.name), &file.text).unwrap();
    }
    let own = ["mpm_event", "authz_core"];
    let modules: String = own
        .iter()
        .chain(&serving.modules)
        .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"))
        .collect();
    let main = format!(
        "ServerRoot /mnt\nServerName lab.invalid\nUser www-data\nGroup www-data\nPidFile /mnt/apache.pid\nErrorLog /mnt/error.log\n\
         DefaultRuntimeDir /mnt\nMutex file:/mnt\nStartServers 1\n{modules}<Directory />\nRequire all denied\nAllowOverride None\n</Directory>\nInclude /mnt/conf.d/*.conf\n"
    );
    fs::write(lab.path("apache.conf"), main).unwrap();
    let tested = command(lab, &["-t"]).output().unwrap();
    let said = utf8(&tested.stdout) + &utf8(&tested.stderr);
    assert!(
        tested.status.success() && said == "Syntax OK\n",
        "{:?}: {said}",
        lab.release
    );
}

/// In a namespace of its own, in a copy of the tree in which the directory is `/mnt`.
pub fn command(lab: &Lab, arguments: &[&str]) -> Command {
    let script = r#"mount -t tmpfs none "$2/srv" && cd "$2/srv" && mkdir upper work root &&
        mount -t overlay overlay -o "lowerdir=$2,upperdir=upper,workdir=work" root &&
        mount --bind "$1" root/mnt && echo 127.0.0.1 localhost >root/etc/hosts &&
        shift 2 && exec chroot root /usr/sbin/apache2 -f /mnt/apache.conf "$@""#;
    let mut apache = Command::new("unshare");
    apache.args(["--mount", "sh", "-c", script, "sh"]);
    apache.arg(lab.path("")).arg(tree(&lab.release));
    apache.args(arguments);
    apache
}

/// Does what a provision says; the return is how to see that the new processes are there.
pub fn reload(running: &Running, words: &[String]) -> impl Fn() -> bool {
    let resumed = || running.log().matches("resuming normal operations").count();
    let before = resumed();
    assert_eq!(words, &["apachectl", "graceful"]);
    succeed(&mut command(&running.lab, &["-k", "graceful"]));
    move || resumed() > before
}
