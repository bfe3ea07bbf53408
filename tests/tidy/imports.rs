//! The paths that source files name, whether in `use` or on the spot.

use std::fs;
use std::path::{Path, PathBuf};

/// A path that a file names.
pub struct Import {
    /// The file, from the root of the repository.
    pub file: String,
    /// The room it lies in: the first part below src/.
    pub room: String,
    /// `crate::…`, `super::…` or `some_crate::…`.
    pub path: String,
}

/// Every path of every file.
pub fn imports(files: &[PathBuf]) -> Vec<Import> {
    let mut all = Vec::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        let name = file
            .strip_prefix(env!("CARGO_MANIFEST_DIR"))
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let room = room(Path::new(&name));
        for path in paths(&without_comments_and_texts(&text)) {
            let (file, room) = (name.clone(), room.clone());
            all.push(Import { file, room, path });
        }
    }
    all
}

/// `targets` of `src/targets/compose/base.rs`.
fn room(path: &Path) -> String {
    let below = path.strip_prefix("src").unwrap();
    let first = below
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// Paths of at least two parts; braces of a `use` are taken apart.
fn paths(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let in_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let mut rest = code;
    while let Some(start) = rest.find(|c: char| c.is_alphabetic() || c == '_') {
        rest = &rest[start..];
        let end = rest.find(|c| !in_path(c)).unwrap_or(rest.len());
        let path = rest[..end].trim_end_matches(':');
        let is_tree = rest[..end].ends_with("::") && rest[end..].starts_with('{');
        if is_tree {
            let tree = &rest[end + 1..];
            for part in parts(tree) {
                let first: String = part.trim().chars().take_while(|c| in_path(*c)).collect();
                found.push(format!("{path}::{first}"));
            }
        } else if path.contains("::") {
            found.push(path.to_owned());
        }
        rest = &rest[end.max(1)..];
    }
    found
}

/// The parts of `a, b::{c, d}, e}…` up to the brace that closes them.
fn parts(tree: &str) -> Vec<&str> {
    let (mut depth, mut start, mut all) = (0, 0, Vec::new());
    for (at, c) in tree.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                all.push(&tree[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                all.push(&tree[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    all.retain(|part| !part.trim().is_empty());
    all
}

fn without_comments_and_texts(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    let mut code = String::new();
    for line in lines {
        let mut outside = true;
        for part in line.split('"') {
            if outside {
                code.push_str(part);
            }
            code.push(' ');
            outside = !outside;
        }
        code.push('\n');
    }
    code
}

#[test]
fn paths_are_found_in_use_and_on_the_spot() {
    let code = "use crate::{render, spec::{A, B}};\nuse x::y;\nfn f() -> crate::pki::C { super::g() }\nlet t = \"no::path\"; // no::comment\n";
    let found = paths(&without_comments_and_texts(code));
    assert_eq!(
        found,
        [
            "crate::render",
            "crate::spec::",
            "spec::A",
            "spec::B",
            "x::y",
            "crate::pki::C",
            "super::g"
        ]
    );
}
