//! The program on a real disk: whatever the umask, and where it may not write.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::Command;

use super::lab::{COMPOSE, SPEC};
use crate::project::{Project, said};

fn project() -> Project {
    // Only root can give a key to another user.
    let spec = SPEC.replace("user: 10001", "user: 0");
    Project::new(&[("tlsgen.yaml", &spec), ("compose.yml", COMPOSE)])
}

#[test]
fn the_umask_decides_nothing() {
    for umask in ["000", "022", "077", "777"] {
        let project = project();
        for day in ["2026-03-01", "2026-05-10"] {
            let build = project.command(&["build", "--as-of", day]);
            let mut shell = Command::new("sh");
            let line = format!("umask {umask}; exec \"$0\" \"$@\"");
            shell
                .args(["-c", &line])
                .arg(build.get_program())
                .args(build.get_args());
            let done = said(shell.current_dir(project.root()));
            assert_eq!(done.code, Some(0), "{umask}: {done:?}");
            for (path, (_, mode)) in project.files() {
                match path.starts_with("pki/private/") {
                    true => assert_eq!(mode & 0o077, 0, "{umask}: {path} {mode:o}"),
                    false => assert_eq!(mode, 0o644, "{umask}: {path} {mode:o}"),
                }
            }
        }
        let store = fs::metadata(project.path("pki/private/hosts/tower")).unwrap();
        assert_eq!(store.permissions().mode() & 0o777, 0o755, "{umask}");
    }
}

/// Root is held by no permission, unless it gives up the right to pass over them.
#[test]
fn where_nothing_can_be_written_nothing_is_lost() {
    let project = project();
    project.does(&["build", "--as-of", "2026-03-01"]);
    let before = project.files();
    let hosts = project.path("pki/hosts");
    let mode = |bits| fs::set_permissions(&hosts, fs::Permissions::from_mode(bits)).unwrap();
    mode(0o555);
    let build = project.command(&["build", "--as-of", "2026-05-10"]);
    let is_root = fs::metadata(&hosts).unwrap().uid() == 0;
    let mut bound = Command::new(if is_root { "setpriv" } else { "env" });
    bound.args(is_root.then_some("--bounding-set=-dac_override"));
    bound.arg(build.get_program()).args(build.get_args());
    let refused = said(bound.current_dir(project.root()));
    mode(0o755);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused.err.contains("cannot be written: Permission denied"),
        "{refused:?}"
    );
    let after = project.files();
    assert!(
        after == before,
        "the old keys stand beside the old certificates"
    );
    project.does(&["build", "--as-of", "2026-05-10"]);
    let check = project.tlsgen(&["check", "--as-of", "2026-05-10"]);
    assert_eq!((check.code, check.out.as_str()), (Some(0), ""));
}
