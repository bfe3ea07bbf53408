//! What bases become, and why some are refused. What Compose itself makes of them is judged in
//! `tests/real/compose_base.rs`.

use super::*;
use crate::world::Memory;

fn read_files(files: &[(&str, &str)]) -> Result<Base, Vec<Diagnostic>> {
    let mut sources = Sources::default();
    let asked = sources.add("tlsgen.yaml", "files: []").start();
    let world = Memory::with(files.iter().copied());
    let named: Vec<(String, Span)> = files
        .iter()
        .take_while(|(name, _)| !name.contains("part") && !name.ends_with("env"))
        .map(|(name, _)| ((*name).to_owned(), asked))
        .collect();
    read(&world, &mut sources, &named)
}

fn codes(files: &[(&str, &str)]) -> Vec<&'static str> {
    let found = match read_files(files) {
        Ok(base) => base.warnings,
        Err(found) => found,
    };
    found.iter().map(|it| it.code.name).collect()
}

#[test]
fn refusals_name_their_reason() {
    let nested = "${A:-".repeat(50);
    let deep = format!("services: {{a: {{image: x, read_only: '{nested}'}}}}");
    let cases: &[(&str, &[(&str, &str)])] = &[
        ("not-a-compose-file", &[("c.yml", "services: {}\n")]),
        ("not-a-compose-file", &[("c.yml", "- a\n")]),
        (
            "not-a-compose-file",
            &[("c.yml", "jobs: {a: {runs-on: x}}\n")],
        ),
        ("templated-compose-file", &[("c.yml.j2", "services: {}\n")]),
        (
            "templated-compose-file",
            &[("c.yml", "services:\n  web:\n    image: app:{{ tag }}\n")],
        ),
        (
            "compose-file-outside",
            &[("c.yml", "include: [../x.yml]\nservices: {a: {image: x}}\n")],
        ),
        (
            "compose-file-outside",
            &[(
                "c.yml",
                "services: {a: {extends: {file: $X, service: b}}}\n",
            )],
        ),
        (
            "remote-compose-file",
            &[(
                "c.yml",
                "include: ['oci://x/y']\nservices: {a: {image: x}}\n",
            )],
        ),
        (
            "included-value",
            &[
                ("c.yml", "include: [part/c.yml]\n"),
                ("part/c.yml", "services: {a: {image: 'x:${V:+1}'}}\n"),
                ("part/.env", "V=1\n"),
            ],
        ),
        (
            "env-file-missing",
            &[(
                "c.yml",
                "services: {a: {image: x, env_file: '${X:-a.env}'}}\n",
            )],
        ),
        (
            "env-file-missing",
            &[("c.yml", "services: {a: {image: x, env_file: /etc/a.env}}\n")],
        ),
        (
            "service-without-image",
            &[("c.yml", "services: {a: {command: x}}\n")],
        ),
        (
            "compose-circle",
            &[
                (
                    "c.yml",
                    "services: {a: {extends: {file: part.yml, service: b}}}\n",
                ),
                ("part.yml", "services: {b: {extends: b}}\n"),
            ],
        ),
        ("yaml-syntax", &[("c.yml", "services: {a: [\n")]),
    ];
    for (code, files) in cases {
        assert_eq!(codes(files), [*code], "{files:?}");
    }
    assert_eq!(codes(&[("c.yml", &deep)]), [""; 0]);
}

#[test]
fn what_is_not_text_is_no_compose_file() {
    let mut sources = Sources::default();
    let asked = sources.add("tlsgen.yaml", "").start();
    let world = Memory::default();
    world
        .write("utf16.yml", &[0xff, 0xfe, b'a', 0], 0o644)
        .unwrap();
    world.write("latin.yml", b"a: \xe9", 0o644).unwrap();
    for (path, code) in [
        ("utf16.yml", "compose-file-unreadable"),
        ("latin.yml", "compose-file-unreadable"),
        ("utf8.yml", "compose-file-missing"),
    ] {
        let found = read(&world, &mut sources, &[(path.to_owned(), asked)]).unwrap_err();
        assert_eq!(found[0].code.name, code);
    }
}

#[test]
fn all_errors_are_found_in_one_run() {
    let text = "services:\n  a: {image: x, volumes: {}}\n  b: [x]\n  c: {image: x, env_file: gone}\n  d: {image: x, extends: aa}\n";
    assert_eq!(
        codes(&[("c.yml", text)]),
        [
            "compose-shape",
            "compose-shape",
            "extends-target",
            "env-file-missing"
        ]
    );
}

#[test]
fn a_long_row_of_extends_is_refused_and_a_wide_one_read() {
    let link = |at: usize| format!("  s{at}: {{image: x, extends: s{}}}\n", at + 1);
    let row: String = (0..1000).map(link).collect();
    let text = format!("services:\n{row}  s1000: {{image: x}}\n");
    assert!(
        codes(&[("c.yml", &text)])
            .iter()
            .all(|code| *code == "compose-circle")
    );
    let wide: String = (0..1000)
        .map(|at| format!("  s{at}: {{extends: {{file: part.yml, service: base}}}}\n"))
        .collect();
    let files = [
        ("c.yml", format!("services:\n{wide}")),
        (
            "part.yml",
            "services: {base: {image: x, command: run}}\n".to_owned(),
        ),
    ];
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    let base = read_files(&files).unwrap();
    assert!(matches!(
        base.service("s999").unwrap().command,
        Command::Line(..)
    ));
}

#[test]
fn paths_are_relative_to_the_file_that_compose_takes() {
    let base = read_files(&[
        ("d/c.yml", "include: [part/c.yml]\nservices: {a: {build: ., extends: {file: part/e.yml, service: x}}, b: {build: {target: t}}}\n"),
        ("o/c.yml", "services: {b: {build: {context: ./b}}, c: {build: 'https://x/y.git'}}\n"),
        ("d/part/c.yml", "services: {i: {build: {dockerfile: F}}}\n"),
        ("d/part/e.yml", "services: {x: {env_file: e.env}}\n"),
        ("d/part/e.env", "A=1\n"),
    ])
    .unwrap();
    assert_eq!(base.directory, "d");
    let context = |name| base.service(name).unwrap().build.clone().unwrap().context;
    assert_eq!(context("a").as_deref(), Some("d"));
    assert_eq!(context("b").as_deref(), Some("d/b"));
    assert_eq!(context("c"), None);
    assert_eq!(context("i").as_deref(), Some("d/part"));
    let variable = base.service("a").unwrap().variable("A").unwrap();
    assert_eq!(variable.env_file.as_deref(), Some("d/part/e.env"));
}

#[test]
fn what_cannot_be_written_elsewhere_is_said() {
    let base = read_files(&[
        ("c.yml", "services: {a: {image: x, env_file: [a.env, {path: b.env, required: false}], environment: {X: '{'}}}\n"),
        ("a.env", "A=$X\nB=${H:-d}\nC='$'\n"),
    ])
    .unwrap();
    let service = base.service("a").unwrap();
    let value = |name| service.variable(name).unwrap().value.clone();
    assert_eq!(value("A"), EnvironmentValue::Unwritable);
    assert_eq!(value("B"), EnvironmentValue::Text("${H:-d}".to_owned()));
    assert_eq!(value("C"), EnvironmentValue::Text("$$".to_owned()));
    assert_eq!(service.unreadable_env_files[0].path, "b.env");
}

#[test]
fn a_variable_without_default_makes_a_service_read_only() {
    let base = read_files(&[(
        "c.yml",
        "services: {a: {image: x, read_only: $RO}, b: {image: x, read_only: '${RO:-no}'}}\n",
    )])
    .unwrap();
    let read_only = |name| base.service(name).unwrap().read_only.map(|(it, _)| it);
    assert_eq!((read_only("a"), read_only("b")), (Some(true), Some(false)));
}

#[test]
fn the_network_mode_is_the_last_one() {
    let base = read_files(&[
        (
            "c.yml",
            "services: {a: {image: x, network_mode: bridge}, b: {image: x}}\n",
        ),
        ("d.yml", "services: {a: {network_mode: host}}\n"),
    ])
    .unwrap();
    let mode = |name| {
        let service = base.service(name).unwrap();
        service.network_mode.as_ref().map(|(mode, _)| mode.as_str())
    };
    assert_eq!((mode("a"), mode("b")), (Some("host"), None));
}

proptest::proptest! {
    #[test]
    fn no_base_makes_it_panic(
        keys in proptest::collection::vec("(services|include|command|environment|volumes|extends|build|env_file|a)", 4),
        values in proptest::collection::vec("(!reset |!override |)(\\[a\\]|\\{a: b\\}|\\[\\[\\]\\]|a|~|'\\$\\{a:-b\\}:/c'|c.yml|\\[c.yml\\]|\\{a: \\{extends: a\\}\\})", 4),
    ) {
        let lines = keys.iter().zip(&values).map(|(key, value)| format!("{key}: {value}\n"));
        let inner: String = lines.clone().map(|line| format!("    {line}")).collect();
        let outer: String = lines.collect();
        let _ = codes(&[("c.yml", &format!("services:\n  a:\n{inner}{outer}"))]);
        let _ = codes(&[("c.yml", &outer), ("o.yml", &format!("services:\n  a:\n{inner}"))]);
    }
}
