//! nginx files of all kinds are edited so that nginx says of them what it said before.
//!
//! Into each server block, and into `http`, goes an include of a file that nginx would refuse in any
//! other place. What it says of the copy must be what it says of the original, and the copy must be
//! the original but for our lines.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test"
)]

#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use support::nginx::{Nginx, Verdict, certificate, crossplane};
use support::{checkout, judge, shared};
use tempfile::TempDir;
use tlsgen::diagnostic::Diagnostic;
use tlsgen::nginx::{
    self, BEGIN, END, FaultKind, Kind, Level, Lexer, PathMap, Place, Tree, meaning,
};
use tlsgen::source::Sources;
use tlsgen::world::Disk;

/// What is included into a server block; nginx takes a `location` nowhere else.
const IN_SERVER: &str = "location = /.tlsgen-probe { return 204; }\n";
/// What is included into `http`; nginx takes an `upstream` nowhere else but in `stream`.
const IN_HTTP: &str = "upstream tlsgen_probe { server 127.0.0.1:9; keepalive 1; }\n";
/// Modules that Debian's nginx loads only when told to.
const MODULES: &str = "load_module /usr/lib/nginx/modules/ngx_stream_module.so; load_module /usr/lib/nginx/modules/ngx_mail_module.so;";
/// Those for Lua, in their order.
const LUA: &str = "load_module /usr/lib/nginx/modules/ndk_http_module.so; load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;";

/// A configuration laid out as `/etc/nginx`.
struct Case {
    name: String,
    directory: TempDir,
    entry: String,
}

#[test]
fn nasty_files_are_edited_so_that_nginx_notices_nothing() {
    let Some(judges) = Nginx::find() else { return };
    let bases = bases();
    assert!(bases.len() >= 34, "only {} found", bases.len());
    let passed = all_are_edited(&judges, &bases);
    assert!(passed >= 60, "only {passed} of the originals pass");
}

#[test]
fn files_of_real_projects_are_edited_so_that_nginx_notices_nothing() {
    let Some(judges) = Nginx::find() else { return };
    let Some(inputs) = shared("inputs") else {
        return;
    };
    let mut files = Vec::new();
    nginx_files(&inputs, &mut files);
    assert!(files.len() >= 10, "only {} found", files.len());
    let passed = all_are_edited(&judges, &files);
    assert!(passed >= 2 * 9, "only {passed} of the originals pass");
}

#[test]
fn tokens_are_those_that_crossplane_finds() {
    let Some(program) = judge("crossplane") else {
        return;
    };
    let mut files = Vec::new();
    all_files(&checkout().join("tests/real/nginx_bases"), &mut files);
    if let Some(inputs) = shared("inputs") {
        nginx_files(&inputs, &mut files);
    }
    let all = files.len();
    // To crossplane a `}` is a sign even within a word, and it knows no Lua.
    files.retain(|file| {
        let text = fs::read_to_string(file).unwrap();
        !has_brace_in_word(&text) && !text.contains("_by_lua_block") && tokens(&text).is_some()
    });
    assert!(all - files.len() <= 6, "only {files:?} are compared");
    for (file, mut theirs) in files.iter().zip(crossplane(&program, &files)) {
        theirs.retain(|(token, _)| !token.starts_with('#'));
        let ours = tokens(&fs::read_to_string(file).unwrap()).unwrap();
        assert_eq!(ours, theirs, "{}", file.display());
    }
}

#[test]
fn words_are_those_that_nginx_reads() {
    let Some(judges) = Nginx::find() else { return };
    let piece = proptest::sample::select(vec![
        "a", "b", " ", "\t", "\n", "\r\n", "\"", "'", "\\", "\\t", "$", "${", "{", "}", "#", ")",
        "=", "~", "é", ";",
    ]);
    let words = proptest::collection::vec(piece, 1..9).prop_map(|pieces| pieces.concat());
    let mut runner = TestRunner::deterministic();
    for _ in 0..200 {
        let text = format!("user {};\n", words.new_tree(&mut runner).unwrap().current());
        let expected = what_nginx_says(&text);
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("nginx.conf"), &text).unwrap();
        for judge in &judges {
            let verdict = judge.test(directory.path(), "nginx.conf");
            assert!(
                verdict.said.contains(&expected),
                "{}: {text:?}: {expected:?}\n{}",
                judge.suite,
                verdict.said
            );
        }
    }
}

/// The complaint about a file whose first directive is `user` with a name that nobody has.
fn what_nginx_says(text: &str) -> String {
    let mut lexer = Lexer::new(text);
    let mut words = Vec::new();
    loop {
        let token = match lexer.token() {
            Ok(token) => token,
            Err(fault) if fault.kind == FaultKind::OpenQuote => {
                return "unexpected end of file".to_owned();
            }
            Err(fault) if fault.range.len() > 1 => return "unexpected \"".to_owned(),
            Err(fault) => return format!("unexpected \"{}\"", &text[fault.range]),
        };
        match token.as_ref().map(|token| token.kind) {
            None => return "unexpected end of file".to_owned(),
            Some(Kind::Word) => words.push(meaning(&text[token.unwrap().range])),
            Some(Kind::Close) => return "unexpected \"}\"".to_owned(),
            Some(Kind::Open) => return "directive \"user\" is not terminated by \";\"".to_owned(),
            Some(Kind::Semicolon) => break,
            Some(_) => {}
        }
    }
    match words.get(1..).unwrap() {
        [name] | [name, _] => format!("getpwnam(\"{}\") failed", name),
        _ => "invalid number of arguments in \"user\" directive".to_owned(),
    }
}

/// Edits every place of every file, and answers how often nginx passed an original.
fn all_are_edited(judges: &[Nginx], files: &[PathBuf]) -> usize {
    let (certificate, key) = certificate();
    let mut passed = 0;
    for file in files {
        let case = Case::lay_out(file, &judges[0]);
        let (tree, sources) = match case.read() {
            Ok(read) => read,
            Err((faults, _)) => {
                passed += usize::from(case.is_refused(judges, &faults));
                continue;
            }
        };
        case.supply(&tree, &certificate, &key);
        let before: Vec<Verdict> = judges
            .iter()
            .map(|judge| case.judged(judge, &tree))
            .collect();
        passed += before.iter().filter(|verdict| verdict.passes).count();
        let servers = tree
            .servers
            .iter()
            .map(|block| (&block.place, "/etc/nginx/tlsgen-server.conf"));
        let http = tree
            .http
            .iter()
            .map(|place| (place, "/etc/nginx/tlsgen-http.conf"));
        for (place, include) in servers.chain(http) {
            let text = sources.get(place.source).text.clone();
            let edited = nginx::with_include(&text, place, include);
            only_ours_is_added(&text, &edited, place, include);
            let path = case.directory.path().join(&place.file);
            fs::write(&path, &edited).unwrap();
            for (judge, before) in judges.iter().zip(&before) {
                let after = case.judged(judge, &tree);
                assert_eq!(&after, before, "{}: {}:\n{edited}", case.name, judge.suite);
            }
            let (again, _) = case
                .read()
                .unwrap_or_else(|_| panic!("{} cannot be read again", case.name));
            let file = again
                .files
                .iter()
                .find(|file| file.path == place.file)
                .unwrap();
            assert_eq!(again.servers.len(), tree.servers.len(), "{}", case.name);
            if !text.contains(END) {
                assert_eq!(
                    nginx::without_marks(&edited, &file.body),
                    *text,
                    "{}",
                    case.name
                );
            }
            fs::write(&path, &*text).unwrap();
        }
    }
    passed
}

/// The copy is the original with one run of bytes more, or in place of what we put there before.
fn only_ours_is_added(text: &str, edited: &str, place: &Place, include: &str) {
    let count = |text: &str, word: &str| text.matches(word).count();
    let same = text
        .bytes()
        .zip(edited.bytes())
        .take_while(|(a, b)| a == b)
        .count();
    let behind = text[same..]
        .bytes()
        .rev()
        .zip(edited[same..].bytes().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let gone = &text[same..text.len() - behind];
    assert!(gone.is_empty(), "{gone:?} is gone from {}", place.file);
    let had = count(text, END)
        .min(count(text, BEGIN))
        .min(count(text, include));
    let added = &edited[same..edited.len() - behind];
    if had == 0 || !added.is_empty() {
        for word in ["tlsgen: begin", "tlsgen: end", include] {
            assert_eq!(count(added, word), 1, "{added}");
        }
    }
}

impl Case {
    /// A folder of `nginx_bases`, or a file; of a real project its folder.
    fn lay_out(path: &Path, packaged: &Nginx) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (root, entry) = match path.is_dir() {
            true => (path.to_path_buf(), PathBuf::from("nginx.conf")),
            false => {
                let above = path
                    .ancestors()
                    .find(|above| above.join("nginx.conf").is_file());
                let root = above
                    .filter(|root| root.join("h5bp").is_dir())
                    .unwrap_or(path.parent().unwrap());
                (
                    root.to_path_buf(),
                    path.strip_prefix(root).unwrap().to_path_buf(),
                )
            }
        };
        let mut files = Vec::new();
        match path.is_file() && !root.join("h5bp").is_dir() {
            true => files.push(path.to_path_buf()),
            false => all_files(&root, &mut files),
        }
        for file in files {
            let target = directory.path().join(file.strip_prefix(&root).unwrap());
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::write(target, fs::read(file).unwrap()).unwrap();
        }
        let write = |name: &str, text: &[u8]| fs::write(directory.path().join(name), text).unwrap();
        write("tlsgen-server.conf", IN_SERVER.as_bytes());
        write("tlsgen-http.conf", IN_HTTP.as_bytes());
        write("mime.types", &packaged.packaged("mime.types"));
        let entry = entry.to_str().unwrap().to_owned();
        write(
            ".http-main",
            format!("events {{}}\nhttp {{\n    include /etc/nginx/{entry};\n}}\n").as_bytes(),
        );
        Self {
            name: path.display().to_string(),
            directory,
            entry,
        }
    }

    fn read(&self) -> Result<(Tree, Sources), (Vec<Diagnostic>, Sources)> {
        let world = Disk::new(self.directory.path()).unwrap();
        let mut sources = Sources::default();
        let named = sources.add("tlsgen.yaml", "").start();
        match nginx::read(
            &world,
            &mut sources,
            &self.entry,
            named,
            &PathMap::of_directory(""),
        ) {
            Ok(tree) => Ok((tree, sources)),
            Err(faults) => Err((faults, sources)),
        }
    }

    /// What is included and not here is there and empty; every certificate is one.
    fn supply(&self, tree: &Tree, certificate: &[u8], key: &[u8]) {
        let write = |path: &str, bytes: &[u8]| {
            let inside = path.strip_prefix("/etc/nginx/").unwrap_or(path);
            let file = self.directory.path().join(inside);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, bytes).unwrap();
        };
        for elsewhere in tree
            .elsewhere
            .iter()
            .filter(|elsewhere| !elsewhere.path.contains('*'))
        {
            write(&elsewhere.path, b"");
        }
        let in_servers = tree.servers.iter().flat_map(|block| &block.statements);
        for statement in in_servers.chain(&tree.statements) {
            match &*statement.name {
                "ssl_certificate" => write(&statement.values[0], certificate),
                "ssl_certificate_key" => write(&statement.values[0], key),
                _ => {}
            }
        }
    }

    fn judged(&self, judge: &Nginx, tree: &Tree) -> Verdict {
        let main = match tree.level {
            Level::Main => &self.entry,
            Level::Http | Level::Server => ".http-main",
        };
        let lua = fs::read_to_string(self.directory.path().join(&self.entry))
            .unwrap()
            .contains("_by_lua_block");
        let modules = if lua {
            format!("{MODULES} {LUA}")
        } else {
            MODULES.to_owned()
        };
        judge.test_with(self.directory.path(), main, &modules)
    }

    /// What we cannot read nginx cannot read either; answers false, as it counts for nothing.
    fn is_refused(&self, judges: &[Nginx], faults: &[Diagnostic]) -> bool {
        let template = self.entry.ends_with(".tpl");
        let expected = if template {
            "nginx-template"
        } else {
            "nginx-syntax"
        };
        assert!(
            faults.iter().all(|fault| fault.code.name == expected),
            "{}: {faults:?}",
            self.name
        );
        for judge in judges {
            for main in [&self.entry, ".http-main"] {
                let verdict = judge.test_with(self.directory.path(), main, MODULES);
                assert!(
                    !verdict.passes,
                    "{}: {} reads it, and we say {faults:?}",
                    self.name, judge.suite
                );
            }
        }
        false
    }
}

/// The words and signs of a text with their lines, as crossplane names them.
fn tokens(text: &str) -> Option<Vec<(String, u64)>> {
    let mut lexer = Lexer::new(text);
    let mut all = Vec::new();
    while let Some(token) = lexer.token().ok()? {
        let written = text[token.range.clone()].replace("\r\n", "\n");
        let line = text[..token.range.start].matches('\n').count() as u64 + 1;
        let quote = written
            .chars()
            .next()
            .filter(|first| matches!(first, '"' | '\''));
        let named = match (token.kind, quote) {
            (Kind::Space | Kind::Comment, _) => continue,
            (Kind::Word, Some(quote)) => {
                written[1..written.len() - 1].replace(&format!("\\{quote}"), &quote.to_string())
            }
            _ => written,
        };
        all.push((named, line));
    }
    Some(all)
}

/// Whether a word without quotes holds a `}` that no `${` opened.
fn has_brace_in_word(text: &str) -> bool {
    let mut lexer = Lexer::new(text);
    while let Ok(Some(token)) = lexer.token() {
        let word = &text[token.range];
        let odd = word.contains('}') && !word.contains("${");
        if token.kind == Kind::Word && !word.starts_with(['"', '\'']) && odd {
            return true;
        }
    }
    false
}

fn bases() -> Vec<PathBuf> {
    let entries = fs::read_dir(checkout().join("tests/real/nginx_bases")).unwrap();
    let mut bases: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    bases.sort();
    bases
}

/// Every file that nginx might be given.
fn nginx_files(directory: &Path, into: &mut Vec<PathBuf>) {
    let mut files = Vec::new();
    all_files(directory, &mut files);
    into.extend(files.into_iter().filter(|file| {
        let name = file.file_name().unwrap().to_str().unwrap();
        name.ends_with(".conf") || name.contains(".conf.")
    }));
}

fn all_files(directory: &Path, into: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(directory).unwrap();
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        match path.is_dir() {
            true => all_files(&path, into),
            false => into.push(path),
        }
    }
}
