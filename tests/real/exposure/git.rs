//! The judge is `git check-ignore` and `git ls-files`.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use proptest::collection::vec;
use tlsgen::exposure::{Answer, Block, Format, Git, ignore_lines};
use tlsgen::world::Disk;

use super::support::project::Project;
use super::support::{succeed, there};
use super::{generated, paths};

/// A line of an ignore file, more often one that matches something than not.
const LINE: &str = r"!?/?(a|b|d|e|f|é|key|K|\.|\*|\*|\*\*|\*\*/|/|/|\?|\[a-e\]|\[!a\]|\[\^k\]|\[\]a\]|\[a|\[\[:alpha:\]\]|\[\[:no:\]\]|\[a-\]|\[b-a\]|\[\\a\]|\\|\{a,b\}| |#|-|\]){1,5}/?( |\\ |\r| \r)?";

#[test]
fn git_ignores_and_tracks_the_same_files() {
    if !git_is_there() {
        return;
    }
    let lines = || vec(LINE, 0..6);
    let cases = generated((lines(), lines(), lines(), lines(), 0usize..40), 300);
    let mut both = [0, 0];
    for (number, (top, inside, deep, exclude, first)) in cases.into_iter().enumerate() {
        let project = Project::new();
        let prefix = ["", "d", "d/e"][number % 3];
        let format = ["sha1", "sha256"][usize::from(number % 5 == 0)];
        git(
            &project.path(""),
            &["init", "-q", "--object-format", format],
        );
        for path in paths() {
            project.write(&path, "");
        }
        let case = number % 4 == 0;
        let ignore_case = case.to_string();
        project.write(".gitignore", top.join("\n"));
        project.write("d/.gitignore", inside.join("\n") + "\n");
        project.write("d/e/.gitignore", deep.join("\r\n"));
        project.write(".git/info/exclude", exclude.join("\n"));
        let root = project.path(prefix);
        let here: Vec<String> = paths()
            .into_iter()
            .chain(["d", "d/e", "d/e/d", "f.d", "de"].map(str::to_owned))
            .filter_map(|path| match prefix {
                "" => Some(path),
                prefix => Some(path.strip_prefix(prefix)?.strip_prefix('/')?.to_owned()),
            })
            .collect();
        let some: Vec<&str> = here
            .iter()
            .skip(first)
            .step_by(3)
            .map(|path| &**path)
            .filter(|path| root.join(path).is_file())
            .collect();
        let version = ["2", "3", "4"][number % 3];
        git(&root, &["config", "index.version", version]);
        add(&root, &some, number % 2 == 0);
        git(
            &project.path(""),
            &["config", "core.ignoreCase", &ignore_case],
        );

        let world = Disk::new(&root).unwrap();
        let ours = Git::of(&world, Block::Counts).unwrap().unwrap();
        let ignored = ignored(&root, &here);
        let tracked = listed(&root);
        for path in &here {
            let context =
                || format!("{number} {path:?} {top:?} {inside:?} {deep:?} {exclude:?} case {case}");
            both[usize::from(ignored.contains(path))] += 1;
            let says = yes_or_no(ignored.contains(path));
            assert_eq!(ours.ignores(path), says, "ignored? {}", context());
            // Where case does not count, one of `key` and `Key` stands for both.
            if root.join(path).is_file() && !case {
                let says = yes_or_no(tracked.contains(path));
                assert_eq!(ours.tracks(path), says, "tracked? {}", context());
            }
        }
    }
    assert!(both.iter().all(|count| *count > 3_000), "{both:?}");
}

#[test]
fn lines_make_git_ignore_these_files_and_no_other() {
    if !git_is_there() {
        return;
    }
    let project = Project::new();
    let root = project.path("");
    git(&root, &["init", "-q"]);
    let odd = ["x\r", "x\ty", "x  ", "\u{a0}x", "x\u{a0}", "\u{feff}x"].map(str::to_owned);
    let all: Vec<String> = paths().into_iter().chain(odd).collect();
    for path in &all {
        project.write(path, "");
    }
    for chosen in 0..4 {
        let wanted: BTreeSet<String> = all.iter().skip(chosen).step_by(4).cloned().collect();
        let lines = ignore_lines(Format::Git, wanted.iter().map(String::as_str)).unwrap();
        for end in ["\n", "\r\n"] {
            project.write(".gitignore", "!*\n".to_owned() + &(lines.join(end) + end));
            assert_eq!(ignored(&root, &all), wanted);
        }
    }
}

#[test]
fn a_repository_is_found_where_git_finds_it() {
    if !git_is_there() {
        return;
    }
    let project = Project::new();
    let main = project.path("main");
    project.write("main/app/server.key", "");
    project.write("main/app/.gitignore", "other.key\n");
    project.write("main/app/.git/not-a-repository", "");
    fs::remove_dir_all(project.path("main/app/.git")).unwrap();
    git(&main, &["init", "-q"]);
    tracked_is(&main.join("app"), "server.key", &Answer::No);
    git(&main, &["add", "."]);
    git(&main, &["commit", "-qm", "all"]);
    tracked_is(&main.join("app"), "server.key", &Answer::Yes);

    let linked = project.path("linked");
    git(&main, &["worktree", "add", "-q", linked.to_str().unwrap()]);
    project.write("main/.git/info/exclude", "excluded.key\n");
    tracked_is(&linked.join("app"), "server.key", &Answer::Yes);
    let world = Disk::new(&linked.join("app")).unwrap();
    let ours = Git::of(&world, Block::Counts).unwrap().unwrap();
    assert_eq!(ours.ignores("other.key"), Answer::Yes);
    assert_eq!(ours.ignores("excluded.key"), Answer::Yes);

    let above = project.path("above");
    fs::create_dir(&above).unwrap();
    git(&above, &["init", "-q"]);
    let source = main.to_str().unwrap();
    let add = [
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        source,
        "sub",
    ];
    git(&above, &add);
    tracked_is(&above.join("sub/app"), "server.key", &Answer::Yes);
    unknown(&above, "sub/app/server.key");

    symlink("app", main.join("link")).unwrap();
    unknown(&main, "link/server.key");
    assert!(
        Git::of(&Disk::new(&project.path("")).unwrap(), Block::Counts)
            .unwrap()
            .is_none()
    );

    git(&main, &["config", "core.worktree", above.to_str().unwrap()]);
    assert!(Git::of(&Disk::new(&main).unwrap(), Block::Counts).is_err());
    git(&main, &["config", "--unset", "core.worktree"]);
    git(&main, &["config", "core.bare", "true"]);
    assert!(
        Git::of(&Disk::new(&main).unwrap(), Block::Counts)
            .unwrap()
            .is_none()
    );
    tracked_is(&linked.join("app"), "server.key", &Answer::Yes);
}

#[test]
fn an_index_that_does_not_list_all_files_is_unknown() {
    if !git_is_there() {
        return;
    }
    for split in [true, false] {
        let project = Project::new();
        let root = project.path("");
        for path in ["a/x.key", "b/x.key", "b/c/x.key"] {
            project.write(path, "");
        }
        git(&root, &["init", "-q"]);
        git(&root, &["add", "."]);
        git(&root, &["commit", "-qm", "all"]);
        if split {
            git(&root, &["update-index", "--split-index"]);
            unknown(&root, "a/x.key");
        } else {
            git(
                &root,
                &["sparse-checkout", "set", "--cone", "--sparse-index", "a"],
            );
            assert!(!listed_sparsely(&root).contains("b/x.key"));
            unknown(&root, "b/x.key");
            unknown(&root, "b/c/x.key");
            tracked_is(&root, "c/x.key", &Answer::No);
        }
        if !split {
            tracked_is(&root, "a/x.key", &Answer::Yes);
        }
    }
}

fn tracked_is(root: &Path, path: &str, answer: &Answer) {
    let world = Disk::new(root).unwrap();
    let git = Git::of(&world, Block::Counts).unwrap().unwrap();
    assert_eq!(git.tracks(path), *answer, "{path}");
}

fn unknown(root: &Path, path: &str) {
    let world = Disk::new(root).unwrap();
    let git = Git::of(&world, Block::Counts).unwrap().unwrap();
    let answer = git.tracks(path);
    assert!(matches!(answer, Answer::Unknown(_)), "{path}: {answer:?}");
}

fn git_is_there() -> bool {
    there(Command::new("git").arg("version").output().is_ok(), "git")
}

fn yes_or_no(it_is_so: bool) -> Answer {
    match it_is_so {
        true => Answer::Yes,
        false => Answer::No,
    }
}

fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut git = Command::new("git");
    git.current_dir(directory)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("XDG_CONFIG_HOME", "/nowhere")
        .env("GIT_CEILING_DIRECTORIES", std::env::temp_dir());
    for role in ["AUTHOR", "COMMITTER"] {
        git.env(format!("GIT_{role}_NAME"), "test");
        git.env(format!("GIT_{role}_EMAIL"), "test@example.com");
    }
    git.args(arguments);
    git
}

fn git(directory: &Path, arguments: &[&str]) -> String {
    let output = succeed(&mut command(directory, arguments));
    String::from_utf8(output.stdout).unwrap()
}

/// Adds files however they are ignored; some only with the promise that they will be.
fn add(directory: &Path, paths: &[&str], promise: bool) {
    let (some, rest) = paths.split_at(paths.len() / 2);
    let literal: &[&str] = &["--literal-pathspecs", "add", "--force"];
    if !some.is_empty() {
        git(directory, &[literal, &["--"], some].concat());
    }
    if !rest.is_empty() {
        let promised: &[&str] = if promise { &["--intent-to-add"] } else { &[] };
        git(directory, &[literal, promised, &["--"], rest].concat());
    }
}

fn ignored(directory: &Path, paths: &[String]) -> BTreeSet<String> {
    let mut child = command(directory, &["check-ignore", "--no-index", "-z", "--stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let text: String = paths.iter().map(|path| format!("{path}\0")).collect();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    split(&String::from_utf8(output.stdout).unwrap())
}

fn listed(directory: &Path) -> BTreeSet<String> {
    split(&git(directory, &["ls-files", "-z"]))
}

fn listed_sparsely(directory: &Path) -> BTreeSet<String> {
    split(&git(directory, &["ls-files", "-z", "--sparse"]))
}

fn split(text: &str) -> BTreeSet<String> {
    text.split_terminator('\0').map(str::to_owned).collect()
}
