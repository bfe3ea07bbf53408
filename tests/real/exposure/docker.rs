//! The judge is what a Docker engine has after `COPY . /c/`.
//!
//! It is the builder before BuildKit, which knows no ignore file beside the Dockerfile, and which
//! does not look into ignored directories for what a `!` pattern with wildcards takes back.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};

use proptest::collection::vec;
use tlsgen::dockerfile;
use tlsgen::exposure::{Answer, Block, BuildContext, Format, copied_by, ignore_lines};
use tlsgen::source::Sources;
use tlsgen::world::Disk;

use super::support::project::Project;
use super::support::{checkout, succeed, there, utf8};
use super::{generated, paths};

const LINE: &str = r"!?/?(a|b|d|e|f|é|key|\.|\*|\*|\*\*|\*\*/|/|/|\?|\[a-e\]|\[!a\]|\[\^k\]|\\\*|\{a,b\}|a b|#|-|\.\./|a\+|\$){1,5}/? ?\r?";

/// Written by people, and what the documentation shows.
const LINES: &[&str] = &[
    "",
    "d",
    "/d/",
    "./d/../d",
    "*\n!d",
    "*\n!d/e\nd/e/a*",
    "**\n!d/e/*",
    "d/a\n!d",
    "!d\nd/a",
    "**/d",
    "d/**",
    "**/a*",
    "**a",
    "*/e",
    "*/*/a",
    "d/?",
    "f.d",
    "f?d\n # a\n# a\n!f.d/b.pem",
    "[!a]",
    "[^a]\n!d",
    "\\#a\n\\!a",
    "*.key\n**/*.pem",
];

#[test]
fn an_engine_is_sent_the_same_files() {
    let Some(engine) = Engine::find() else { return };
    let mut texts: Vec<String> = LINES.iter().map(|&text| text.to_owned()).collect();
    let lines = generated(vec(LINE, 1..5), 60);
    texts.extend(lines.iter().map(|lines| lines.join("\n")));
    let project = tree();
    let mut compared = 0;
    for text in texts {
        project.write(".dockerignore", &text);
        let answers = answers(&project);
        let unknown = answers
            .iter()
            .any(|(_, it)| matches!(it, Answer::Unknown(_)));
        let Some(there) = engine.built(&project, "FROM scratch\nCOPY . /c/\n", "c/") else {
            assert!(unknown, "{text:?} is refused");
            continue;
        };
        if unknown {
            continue;
        }
        compared += 1;
        let guarded = text.lines().any(|line| {
            line.trim().starts_with('!') && line.contains(['*', '?', '[', ']', '\\', '^'])
        });
        for (path, answer) in &answers {
            let sent = there.contains(path);
            let same = *answer == if sent { Answer::Yes } else { Answer::No };
            let more = guarded && *answer == Answer::Yes;
            assert!(
                same || more,
                "{text:?} {path:?}: sent {sent}, we say {answer:?}"
            );
        }
    }
    assert!(compared > 50, "{compared}");
}

#[test]
fn lines_keep_these_files_and_no_other_from_an_engine() {
    let Some(engine) = Engine::find() else { return };
    let project = tree();
    for path in ["x\r", "x\ty", "x  ", "\u{a0}x", "x\u{a0}", "\u{feff}x"] {
        project.write(path, "");
    }
    let all: Vec<String> = answers(&project)
        .into_iter()
        .map(|(path, _)| path)
        .collect();
    for chosen in 0..2 {
        let wanted: Vec<&str> = all
            .iter()
            .skip(chosen)
            .step_by(2)
            .map(|path| &**path)
            .collect();
        let lines = ignore_lines(Format::Docker, wanted.iter().copied()).unwrap();
        project.write(".dockerignore", lines.join("\r\n") + "\n");
        let there = engine
            .built(&project, "FROM scratch\nCOPY . /c/\n", "c/")
            .unwrap();
        for (path, answer) in answers(&project) {
            let sent = !wanted.contains(&path.as_str());
            assert_eq!(there.contains(&path), sent, "{path:?}");
            assert_eq!(answer == Answer::Yes, sent, "{path:?} {answer:?}");
        }
    }
}

/// Each copies something, so that none is refused.
const COPIES: &[&str] = &[
    ".",
    "./",
    "/",
    "*",
    "pki",
    "pki/",
    "/pki/inner/",
    "p*",
    "pki/*",
    "pki/*.pem",
    "pki/inner/server.???",
    "pki/[h-j]*",
    "pki/inner/[^a]*",
    "pki/inner/*.key",
    "other",
    "pki/../other/..",
    "\"pki/inner/server.key\"",
    "'pki/inner'/server.pem",
    "$DIR",
    "${DIR}/inner",
    "${NONE:-other}",
    "pki/$NONE/inner/server.pem",
    "pki/inner/s\\erver.key",
    "p$REST/inner/server.key",
    "other pki/inner/server.key",
];

#[test]
fn an_engine_copies_the_same_file() {
    let Some(engine) = Engine::find() else { return };
    let project = Project::new();
    for path in [
        "pki/a.pem",
        "pki/inner/server.key",
        "pki/inner/server.pem",
        "other/x",
    ] {
        project.write(path, "");
    }
    let mut text = "FROM scratch\nARG DIR=pki\nARG REST=ki\n".to_owned();
    for (number, source) in COPIES.iter().enumerate() {
        text += &format!("COPY {source} /c/{number}/\n");
    }
    text += "COPY [\"pki/inner\", \"/c/json/\"]\nADD pki /c/add/\n";
    let there = engine.built(&project, &text, "c/").unwrap();
    let mut sources = Sources::default();
    let source = sources.add("Dockerfile", text.as_str());
    let instructions = dockerfile::read(&text, |range| source.span(range));
    let copied = copied_by(&instructions, "pki/inner/server.key");
    for (line, written) in text.lines().enumerate().skip(3) {
        let to = written
            .rsplit_once("/c/")
            .unwrap()
            .1
            .trim_end_matches(['"', ']', '/']);
        let start = format!("{to}/");
        let is_there = there
            .iter()
            .any(|path| path.starts_with(&start) && path.ends_with("server.key"));
        let reaches = copied
            .iter()
            .find(|it| sources.position(it.span).line == line + 1);
        let unsure = reaches.is_some_and(|it| it.reach == tlsgen::exposure::Reach::Variable);
        assert!(
            reaches.is_some() == is_there || unsure,
            "{written}: {is_there}, we say {reaches:?}"
        );
    }
}

/// The same names as for Git, but for one that the engine's own tools cannot name.
fn tree() -> Project {
    let project = Project::new();
    for path in paths() {
        project.write(&path, "");
    }
    project
}

fn answers(project: &Project) -> Vec<(String, Answer)> {
    let world = Disk::new(&project.path("")).unwrap();
    let context = BuildContext::of(&world, "", None, Block::Counts).unwrap();
    let mut all = Vec::new();
    let mut directories = vec![String::new()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(project.path(&directory)).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{directory}{}", entry.file_name().to_str().unwrap());
            match entry.file_type().unwrap().is_dir() {
                true => directories.push(format!("{path}/")),
                false
                    if directory.is_empty() && matches!(&*path, "Dockerfile" | ".dockerignore") => {
                }
                false => all.push((path.clone(), context.sends(&path))),
            }
        }
    }
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    all
}

/// The lab's engine; no image of the lab is needed.
struct Engine {
    host: String,
}

impl Engine {
    fn find() -> Option<Self> {
        let script = checkout().join("tests/real/lab/engine.sh");
        let host = succeed(Command::new("sh").arg(script).arg("host"));
        let engine = Self {
            host: utf8(&host.stdout).trim().to_owned(),
        };
        let answers = engine.docker(&["version"]).output();
        let ready = answers.is_ok_and(|output| output.status.success());
        there(
            ready,
            "the lab's engine: run tests/real/lab/engine.sh start",
        )
        .then_some(engine)
    }

    fn docker(&self, arguments: &[&str]) -> Command {
        let mut docker = Command::new("docker");
        docker
            .env("DOCKER_HOST", &self.host)
            .env("DOCKER_BUILDKIT", "0")
            .args(arguments);
        docker
    }

    /// The files below a directory of what is built; `None` when the build is refused.
    fn built(&self, project: &Project, dockerfile: &str, below: &str) -> Option<BTreeSet<String>> {
        project.write("Dockerfile", dockerfile);
        let directory = project.path("");
        let mut build = self.docker(&["build", "--quiet", "--force-rm", "--no-cache"]);
        let output = build.arg(&directory).output().unwrap();
        if !output.status.success() {
            return None;
        }
        let image = utf8(&output.stdout).trim().to_owned();
        let made = succeed(&mut self.docker(&["create", &image, "none"]));
        let container = utf8(&made.stdout).trim().to_owned();
        let mut export = self.docker(&["export", &container]);
        let mut export = export.stdout(Stdio::piped()).spawn().unwrap();
        let mut list = Command::new("tar");
        list.args([
            "--list",
            "--quoting-style=literal",
            "--show-transformed-names",
        ]);
        let listed = succeed(list.stdin(export.stdout.take().unwrap()));
        export.wait().unwrap();
        succeed(&mut self.docker(&["rm", "--force", &container]));
        succeed(&mut self.docker(&["image", "rm", "--force", &image]));
        let listed = utf8(&listed.stdout);
        let files = listed
            .split('\n')
            .filter_map(|path| path.strip_prefix(below));
        Some(files.map(str::to_owned).collect())
    }
}
