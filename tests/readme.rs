//! What README.md shows is what the program says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The fenced blocks of a language.
fn blocks(language: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join("README.md")).expect("it is there");
    let fence = format!("```{language}\n");
    let parts = text.split(&fence).skip(1);
    parts
        .map(|part| part.split("```").next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn the_shown_spec_and_override_are_those_of_the_example() {
    let read = |path: &str| {
        fs::read_to_string(root().join("examples/tower").join(path)).expect("it is committed")
    };
    let written = read("tlsgen.yaml") + &read("compose.tls.yml");
    let blocks = blocks("yaml");
    assert!(
        blocks.len() >= 3,
        "a spec, an override and what is served are shown"
    );
    for line in blocks[..3].iter().flat_map(|block| block.lines()) {
        let shown = line.trim().trim_end_matches('…').trim();
        assert!(written.contains(shown), "`{shown}` is not in the example");
    }
}

#[test]
fn the_shown_cluster_is_that_of_the_example() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect("it is committed");
    let written = ["tlsgen.yaml", "k8s/tls/patches.yaml"]
        .map(|path| read(&format!("examples/tower/{path}")))
        .concat()
        + &read("docs/kubernetes/argocd-plugin.yaml");
    let blocks = blocks("yaml");
    let cluster = |block: &&String| {
        ["kind: kubernetes", "kind: Deployment", "argoproj.io"]
            .iter()
            .any(|word| block.contains(word))
    };
    let shown: Vec<&String> = blocks.iter().filter(cluster).collect();
    assert_eq!(shown.len(), 3, "a target, a patch and a plugin are shown");
    for line in shown.iter().flat_map(|block| block.lines()) {
        let shown = line.trim().trim_end_matches('…').trim();
        assert!(written.contains(shown), "`{shown}` is not there");
    }
}

#[test]
fn the_shown_machine_is_that_of_the_example() {
    let written = fs::read_to_string(root().join("examples/galaxy/tlsgen.yaml"));
    let written = written.expect("it is committed");
    let blocks = blocks("yaml");
    let machine = |block: &&String| block.contains("kind: host");
    let shown = blocks.iter().find(machine).expect("a machine is shown");
    for line in shown.lines() {
        assert!(written.contains(line.trim()), "`{line}` is not there");
    }
}

#[test]
fn the_shown_difference_is_that_of_the_copy() {
    let example = root().join("examples/tower");
    let copy = example.join("compose.tls/frontend.serve/copies/etc/nginx/nginx.conf");
    let copy = fs::read_to_string(copy).expect("it is committed");
    let original = fs::read_to_string(example.join("frontend/nginx.conf")).expect("likewise");
    let shown = blocks("diff").concat();
    let after: String = shown
        .lines()
        .map(|line| format!("{}\n", &line[1..]))
        .collect();
    let kept = shown.lines().filter_map(|line| line.strip_prefix(' '));
    let before: String = kept.map(|line| format!("{line}\n")).collect();
    assert!(copy.ends_with(&after), "{after}");
    assert!(original.ends_with(&before), "{before}");
}

#[test]
fn the_shown_error_is_what_is_said() {
    let project = tempfile::tempdir().expect("a directory");
    let example = root().join("examples/tower");
    let spec = fs::read_to_string(example.join("tlsgen.yaml")).expect("it is committed");
    let unpinned: Vec<&str> = spec
        .lines()
        .filter(|line| !line.contains("sha256:"))
        .collect();
    put(
        project.path(),
        "tlsgen.yaml",
        unpinned.join("\n").as_bytes(),
    );
    put(
        project.path(),
        "pki/tower.pem",
        &fs::read(example.join("pki/tower.pem")).expect("it is committed"),
    );
    put(
        project.path(),
        "pki/corp.pem",
        &fs::read(root().join("tests/pki/leaf.pem")).expect("it is committed"),
    );
    let output = Command::new(env!("CARGO_BIN_EXE_tlsgen"))
        .args(["--as-of", "2026-11-22", "validate"])
        .current_dir(project.path())
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let shown = blocks("text").concat();
    assert!(
        said.starts_with(shown.trim_end()),
        "README shows\n{shown}\nand tlsgen says\n{said}"
    );
}

#[test]
fn the_private_ca_is_made_as_shown() {
    let project = tempfile::tempdir().expect("a directory");
    let blocks_of_yaml = blocks("yaml");
    let spec = blocks_of_yaml
        .iter()
        .find(|block| block.contains("kind: managed"));
    let spec = spec.expect("a private CA is shown");
    put(project.path(), "tlsgen.yaml", spec.as_bytes());
    let sessions = blocks("console");
    assert_eq!(sessions.len(), 2, "a build and a renewal are shown");
    for session in sessions {
        let (command, shown) = session.split_once('\n').expect("a command and its output");
        let words = command.strip_prefix("$ tlsgen ").expect("of the program");
        let mut tlsgen = Command::new(env!("CARGO_BIN_EXE_tlsgen"));
        tlsgen.current_dir(project.path());
        let day = match words {
            "renew" => "2027-02-01",
            _ => "2026-11-22",
        };
        tlsgen.args(["--as-of", day]);
        let output = tlsgen.args(words.split(' ')).output().expect("it starts");
        assert!(output.status.success(), "{output:?}");
        // Whether that day is still to come is said on the other stream.
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(said, shown, "{command}");
    }
    let check = Command::new(env!("CARGO_BIN_EXE_tlsgen"))
        .args(["--as-of", "2027-02-01", "check"])
        .current_dir(project.path())
        .output()
        .expect("it starts");
    assert!(check.status.success(), "{check:?}");
}

fn put(directory: &Path, name: &str, body: &[u8]) {
    let path = directory.join(name);
    fs::create_dir_all(path.parent().expect("a parent")).expect("it can be made");
    fs::write(path, body).expect("it can be written");
}
