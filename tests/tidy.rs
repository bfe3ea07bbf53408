//! The rules of the house that no compiler checks: floors, owners, registries, lengths, words.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

#[path = "tidy/checkout.rs"]
mod checkout;

use checkout::*;

#[path = "tidy/imports.rs"]
mod imports;

use imports::{Import, imports};

/// The floor of every room; a room imports only from floors below its own.
const FLOORS: &[(&str, u8)] = &[
    ("source", 0),
    ("world", 0),
    ("digest", 0),
    ("diagnostic", 1),
    ("artifact", 1),
    ("marked", 1),
    ("path_map", 1),
    ("dockerfile", 1),
    ("exposure", 2),
    ("iam", 2),
    ("provision", 2),
    ("render", 2),
    ("pki", 2),
    ("yaml", 2),
    ("apache", 2),
    ("nginx", 2),
    ("probe", 3),
    ("spec", 3),
    ("model", 4),
    ("rules", 5),
    ("runtimes", 5),
    ("servers", 5),
    ("issuers", 5),
    ("stores", 5),
    ("targets", 6),
    ("plan", 7),
    ("krm", 8),
    ("issuance", 8),
    ("stages", 9),
    ("build", 10),
    ("report", 11),
    ("cli", 11),
    ("lib", 12),
    ("main", 12),
];

/// Rooms of one floor that may know each other, the second the first.
const NEIGHBOURS: &[(&str, &str)] = &[("report", "cli")];

/// Who owns an outside crate: nobody else imports it.
const OWNERS: &[(&str, &str)] = &[
    ("annotate_snippets", "diagnostic"),
    ("strsim", "diagnostic"),
    ("sha2", "digest"),
    ("rustix", "world"),
    // Random numbers come by the same door as the clock.
    ("aws_lc_rs", "world"),
    ("minijinja", "render"),
    ("granit_parser", "yaml"),
    ("serde_yaml", "yaml"),
    ("age", "pki"),
    ("aws_lc_rs", "pki"),
    ("rcgen", "pki"),
    ("rustls", "probe"),
    ("base64", "pki"),
    ("base64", "krm"),
    ("base64", "stores"),
    ("cbc", "pki"),
    ("des", "pki"),
    ("p12_keystore", "pki"),
    ("rustls_pki_types", "pki"),
    ("webpki", "pki"),
    ("sha1", "pki"),
    ("time", "pki"),
    ("time", "cli"),
    ("webpki_root_certs", "pki"),
    ("x509_parser", "pki"),
    ("glob", "spec"),
    ("jsonschema", "spec"),
    ("idna", "pki"),
    ("similar", "plan"),
    ("clap", "cli"),
    ("clap_complete", "cli"),
    ("clap_mangen", "cli"),
    ("anstream", "cli"),
];

/// Words that every room speaks.
const SHARED: &[&str] = &[
    "std",
    "core",
    "alloc",
    "serde",
    "serde_json",
    "schemars",
    "indexmap",
    "anstyle",
    "proptest",
    // Wiping is for whoever holds a secret, work on all cores for whoever has much.
    "rayon",
    "zeroize",
];

/// Codes that no folder of tests/cases reaches, and why.
const WITHOUT_A_FOLDER: &[(&str, &str)] = &[
    (
        "not-issued",
        "a guard: what X.509 forbids is told before, where the spec says it",
    ),
    (
        "file-too-large",
        "its file is made by tests/cases/hostile.rs",
    ),
    (
        "trust-bundle-too-large",
        "its file would be larger than those of all cases together",
    ),
    (
        "script-unwritable",
        "a guard: what reaches a script has a form that it can carry",
    ),
    (
        "machine-unwritable",
        "a guard: what reaches a script or a unit has a form that it can carry",
    ),
    (
        "config-map-too-large",
        "a guard: it takes some hundred authorities, more than a folder should hold",
    ),
    (
        "apache-without-certificate",
        "a guard: where Apache runs, every certificate is a file",
    ),
    (
        "value-not-for-script",
        "a guard: what reaches a script has a form that it can carry",
    ),
];

/// The longest source file.
const MOST_LINES: usize = 500;

#[test]
fn rooms_import_only_from_floors_below() {
    let floors: BTreeMap<&str, u8> = FLOORS.iter().copied().collect();
    let mut wrong = Vec::new();
    for Import { file, room, path } in imports(&source_files()) {
        let Some(inside) = path.strip_prefix("crate::") else {
            continue;
        };
        let other = inside.split("::").next().unwrap_or_default();
        let floor = floors
            .get(room.as_str())
            .unwrap_or_else(|| panic!("{room} has no floor"));
        let Some(below) = floors.get(other) else {
            continue;
        };
        let neighbours = NEIGHBOURS.contains(&(other, room.as_str()));
        if room != other && below >= floor && !neighbours {
            wrong.push(format!(
                "{file}: {room} (floor {floor}) imports {path} (floor {below})"
            ));
        }
        if room == "plan" && ["model", "targets"].contains(&other) {
            wrong.push(format!(
                "{file}: plan could apply artifacts from anywhere, and imports {path}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn targets_do_not_know_their_siblings() {
    // What is private to the room is what platforms share; a platform is public.
    let room = fs::read_to_string("src/targets.rs").unwrap();
    let is_platform = |name: &String| room.contains(&format!("pub mod {name};"));
    let targets: Vec<String> = siblings("src/targets")
        .into_iter()
        .filter(is_platform)
        .collect();
    assert!(targets.len() >= 3, "targets have files: {targets:?}");
    let mut wrong = Vec::new();
    for Import { file, path, .. } in imports(&source_files()) {
        let of = |target: &&String| {
            let place = format!("src/targets/{target}");
            file == format!("{place}.rs") || file.starts_with(&format!("{place}/"))
        };
        let Some(own) = targets.iter().find(of) else {
            continue;
        };
        // From a file of the folder, each folder above it is one `super` more.
        let above = "super::".repeat(file.matches('/').count() - 1);
        for other in targets.iter().filter(|other| *other != own) {
            let reaches = [
                format!("crate::targets::{other}"),
                format!("{above}{other}"),
            ];
            let reached =
                |reach: &String| path == *reach || path.starts_with(&format!("{reach}::"));
            if reaches.iter().any(reached) {
                wrong.push(format!("{file} imports {path}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_outside_crate_has_one_owner() {
    let dependencies = dependencies();
    let mut wrong = Vec::new();
    for Import { file, room, path } in imports(&source_files()) {
        let name = path.split("::").next().unwrap_or_default();
        if !dependencies.contains(name) || SHARED.contains(&name) {
            continue;
        }
        if !OWNERS.contains(&(name, room.as_str())) {
            wrong.push(format!(
                "{file}: {room} imports {name}, which it does not own"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_code_has_a_name_a_manual_and_a_case() {
    let transcripts = files_below("tests/cli", "txt");
    let expected = files_below("tests/cases", "txt")
        .into_iter()
        .filter(|path| path.ends_with("expected.txt"));
    let said: String = expected
        .chain(transcripts)
        .map(|path| text(&path))
        .collect();
    let mut names = BTreeSet::new();
    let mut wrong = Vec::new();
    for code in tlsgen::codes() {
        let name = code.name;
        assert!(names.insert(name), "two codes are called `{name}`");
        let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(
            name.chars().all(kebab) && !name.starts_with('-') && !name.ends_with('-'),
            "{name}"
        );
        assert!(
            !code.summary.is_empty() && !code.summary.ends_with('.'),
            "{name}: {}",
            code.summary
        );
        assert!(
            code.manual.trim().len() > 60,
            "{name} has no manual worth the name"
        );
        let excused = WITHOUT_A_FOLDER.iter().any(|(without, _)| *without == name);
        if said.contains(&format!("[{name}]: ")) == excused {
            wrong.push(name);
        }
    }
    assert!(
        wrong.is_empty(),
        "no case or transcript finds, or one does and WITHOUT_A_FOLDER denies it: {}",
        wrong.join(", ")
    );
    for (name, _) in WITHOUT_A_FOLDER {
        assert!(names.contains(name), "there is no code `{name}`");
    }
}

#[test]
fn every_manual_is_included() {
    let texts: Vec<String> = tlsgen::codes()
        .map(|code| code.manual)
        .chain(tlsgen::runtimes::RUNTIMES.iter().map(|one| one.manual))
        .chain(tlsgen::servers::SERVERS.iter().map(|one| one.manual))
        .map(str::to_owned)
        .collect();
    let pages = files_below("src", "md");
    assert!(!pages.is_empty(), "there are manuals");
    let stray: Vec<_> = pages
        .iter()
        .filter(|page| !texts.contains(&text(page)))
        .collect();
    assert!(stray.is_empty(), "nothing includes {stray:?}");
}

#[test]
fn every_rule_and_runtime_has_its_file_its_manual_and_a_case() {
    let specs: String = files_below("tests/cases", "yaml")
        .iter()
        .map(|path| text(path))
        .collect();
    for runtime in tlsgen::runtimes::RUNTIMES {
        let name = runtime.name;
        assert!(
            repository()
                .join(format!("src/runtimes/{name}.rs"))
                .exists(),
            "{name}"
        );
        assert!(
            runtime.manual.trim().len() > 60 && !runtime.summary.is_empty(),
            "{name}"
        );
        assert!(!runtime.mechanisms.is_empty(), "{name}");
        assert!(
            specs.contains(&format!("runtime: {name}"))
                || specs.contains(&format!(", {name}"))
                || specs.contains(&format!("[{name}")),
            "no case has the runtime {name}"
        );
    }
    let of_the_language: Vec<&str> = tlsgen::runtimes::RUNTIMES
        .iter()
        .map(|runtime| runtime.name)
        .collect();
    assert_eq!(
        of_the_language,
        tlsgen::spec::RUNTIMES,
        "the language and the registry name the same runtimes"
    );
    for server in tlsgen::servers::SERVERS {
        let name = server.name;
        assert!(
            repository().join(format!("src/servers/{name}.rs")).exists(),
            "{name}"
        );
        assert!(
            server.manual.trim().len() > 60 && !server.summary.is_empty(),
            "{name}"
        );
        assert!(
            specs.contains(&format!("server: {name}")),
            "no case has the server {name}"
        );
    }
    let of_the_language: Vec<&str> = tlsgen::servers::SERVERS
        .iter()
        .map(|server| server.name)
        .collect();
    assert_eq!(
        of_the_language,
        tlsgen::spec::SERVERS,
        "the language and the registry name the same servers"
    );
    let files = files_below("src/rules", "rs");
    let texts: Vec<String> = files.iter().map(|path| text(path)).collect();
    for rule in tlsgen::rules::RULES {
        let named = format!("\"{}\"", rule.code.name);
        assert!(
            texts.iter().any(|text| text.contains(&named)),
            "{named} has no file"
        );
    }
    let rules = files
        .iter()
        .filter(|path| text(path).contains("pub const RULE: Rule"))
        .count();
    assert_eq!(
        rules,
        tlsgen::rules::RULES.len(),
        "every file of a rule has its row"
    );
}

#[test]
fn no_source_file_is_too_long() {
    let tests = files_below("tests", "rs");
    for path in source_files().iter().chain(&tests) {
        let text = text(path);
        let lines = text.lines().count();
        assert!(lines <= MOST_LINES, "{} has {lines} lines", path.display());
        assert!(
            text.is_empty() || text.ends_with('\n') && !text.ends_with("\n\n"),
            "{} ends otherwise than in one newline",
            path.display()
        );
        assert!(
            !text.contains('\r'),
            "{} holds a carriage return",
            path.display()
        );
    }
}

#[test]
fn no_file_names_a_machine_or_leaves_work_undone() {
    // Written in parts, lest this file find itself.
    let words = [
        ["/ro", "ot/"].concat(),
        ["/wo", "rk/"].concat(),
        ["index.crates", ".io"].concat(),
        ["registry.npmjs", ".org"].concat(),
        ["files.python", "hosted"].concat(),
        ["todo", "!("].concat(),
        ["unimple", "mented!("].concat(),
        ["FIX", "ME"].concat(),
    ];
    let mut wrong = Vec::new();
    for path in committed_files() {
        let Ok(text) = fs::read_to_string(repository().join(&path)) else {
            continue;
        };
        for word in words.iter().filter(|word| text.contains(word.as_str())) {
            wrong.push(format!("{path} holds `{word}`"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_root_holds_what_the_house_has() {
    const ROOT: &[&str] = &[
        ".ci",
        ".gitattributes",
        ".gitignore",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "README.md",
        "benches",
        "clippy.toml",
        "deny.toml",
        "docs",
        "examples",
        "rustfmt.toml",
        "schemas",
        "src",
        "templates",
        "tests",
    ];
    for path in committed_files() {
        let top = path.split('/').next().unwrap_or_default();
        assert!(ROOT.contains(&top), "{path} has no place in the house");
    }
}
