//! Sealed keys between this and the program `age`: each opens what the other sealed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic and touch the disk"
)]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::{succeed, there, utf8};
use tempfile::TempDir;
use tlsgen::pki::sealed::{Identities, OpenError, Recipient, open, seal};

/// Two identities that `age-keygen` made, with their recipients.
struct Lab {
    directory: TempDir,
}

impl Lab {
    fn find() -> Option<Self> {
        let installed = ["age", "age-keygen"]
            .iter()
            .all(|name| Command::new(name).arg("--version").output().is_ok());
        if !there(installed, "age: run tests/real/install.sh") {
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        for name in ["first", "second"] {
            let file = directory.path().join(name);
            succeed(Command::new("age-keygen").arg("-o").arg(file));
        }
        Some(Self { directory })
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    fn identities(&self, name: &str) -> Identities {
        Identities::parse(&fs::read_to_string(self.path(name)).unwrap()).unwrap()
    }

    /// What `age-keygen -y` says.
    fn recipient(&self, name: &str) -> Recipient {
        let said = succeed(Command::new("age-keygen").arg("-y").arg(self.path(name)));
        utf8(&said.stdout).trim().parse().unwrap()
    }

    fn age_opens(&self, sealed: &Path, identity: &str) -> Vec<u8> {
        let mut age = Command::new("age");
        age.arg("-d").arg("-i").arg(self.path(identity)).arg(sealed);
        succeed(&mut age).stdout
    }
}

/// Keys of every kind, bytes that are no text, nothing, and more than one of age's chunks.
fn plains() -> Vec<Vec<u8>> {
    let keys = [
        "leaf.key",
        "rsa-leaf.key",
        "ed25519-leaf.key",
        "leaf.key.der",
    ];
    let pki = support::checkout().join("tests/pki");
    let keys = keys.iter().map(|name| fs::read(pki.join(name)).unwrap());
    keys.chain([Vec::new(), vec![0xa5; 48], vec![7; 64 << 10]])
        .collect()
}

#[test]
fn age_opens_what_is_sealed_here() {
    let Some(lab) = Lab::find() else { return };
    let recipients = ["first", "second"].map(|name| lab.recipient(name));
    for plain in plains() {
        let file = lab.path("key.age");
        fs::write(&file, seal(&plain, &recipients).unwrap()).unwrap();
        for identity in ["first", "second"] {
            assert_eq!(lab.age_opens(&file, identity), plain);
            assert_eq!(
                *open(&fs::read(&file).unwrap(), &lab.identities(identity)).unwrap(),
                plain
            );
        }
    }
    let alone = lab.path("alone.age");
    fs::write(&alone, seal(b"key", &recipients[..1]).unwrap()).unwrap();
    let mut age = Command::new("age");
    age.arg("-d").arg("-i").arg(lab.path("second")).arg(&alone);
    assert!(!age.output().unwrap().status.success());
}

#[test]
fn what_age_sealed_is_opened_here() {
    let Some(lab) = Lab::find() else { return };
    let first = lab.recipient("first").to_string();
    for plain in plains() {
        let file = lab.path("key");
        fs::write(&file, &plain).unwrap();
        for form in [&["-a"][..], &[]] {
            let mut age = Command::new("age");
            let sealed = succeed(age.args(form).args(["-r", &first]).arg(&file)).stdout;
            assert_eq!(*open(&sealed, &lab.identities("first")).unwrap(), plain);
            assert_eq!(
                open(&sealed, &lab.identities("second")),
                Err(OpenError::NoMatch)
            );
        }
    }
}

#[test]
fn one_identity_has_the_recipient_that_age_keygen_says() {
    let Some(lab) = Lab::find() else { return };
    for name in ["first", "second"] {
        assert_eq!(lab.identities(name).recipients(), [lab.recipient(name)]);
    }
}

#[test]
fn what_is_sealed_for_a_key_of_ssh_is_for_somebody_else() {
    let Some(lab) = Lab::find() else { return };
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN";
    let file = lab.path("plain");
    fs::write(&file, "key").unwrap();
    let sealed = succeed(Command::new("age").args(["-r", key]).arg(&file)).stdout;
    assert_eq!(
        open(&sealed, &lab.identities("first")),
        Err(OpenError::NoMatch)
    );
}
