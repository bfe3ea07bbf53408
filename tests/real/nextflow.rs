//! A pipeline's secrets: the configuration read by Groovy as Nextflow reads it, the scripts with the real seqerakit,
//! and values that arrive as they are.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may panic and touch the disk"
)]

mod support;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use support::project::Project;
use support::{checkout, program, succeed, there, utf8};

const SPEC: &str = r#"version: 1
project: lab
secrets:
  DB_PASSWORD:
    - {from: {env: DB_PASSWORD}, store: nextflow}
    - {from: {env: ALICE_DB}, store: nextflow, scope: {user: alice}}
  SMTP: {from: {file: private/smtp}, store: nextflow, name: SMTP_PASSWORD}
  TOKEN: {from: {command: [printf, "to ken \"$HOME\" `id`\n\n"]}, store: nextflow}
services:
  align: {secrets: [DB_PASSWORD, SMTP]}
  report: {secrets: [{name: TOKEN, as: env}]}
targets:
  pipeline:
    kind: nextflow
    files: [main.nf]
    output: pipeline/nextflow
    seqera: {workspace: genomics/production}
    services:
      align: {processes: [ALIGN, "QC:AGAIN"]}
      report: {processes: [REPORT, ALIGN]}
"#;
const SCRIPT: &str = "include { ALIGN as AGAIN } from './align'\nprocess ALIGN {\n    secret 'OWN'\n    script:\n    \"\"\"\n    echo \\$OWN\n    \"\"\"\n}\nprocess REPORT {\n    script:\n    'true'\n}\n";
/// What shells, seqerakit and option parsers could take for something else.
const NASTY: &str = "p w*\"$x'|&%d\\n`id`;#!é";

#[test]
fn a_configuration_gives_each_process_everything() {
    if !there(
        PathBuf::from("/usr/bin/groovy").exists(),
        "groovy: run tests/real/install.sh",
    ) {
        return;
    }
    let project = project();
    project.write(
        "read.groovy",
        "println groovy.json.JsonOutput.toJson(new ConfigSlurper().parse(new File(args[0]).toURI().toURL()))\n",
    );
    let mut groovy = Command::new("groovy");
    groovy.env("JAVA_HOME", "/usr/lib/jvm/java-17-openjdk-amd64");
    groovy.arg(project.path("read.groovy"));
    groovy.arg(project.path("pipeline/nextflow/secrets.config"));
    let read = succeed(&mut groovy);
    let read: serde_json::Value = serde_json::from_slice(&read.stdout).unwrap();
    let expected = serde_json::json!({"process": {
        "ALIGN": {"secret": ["DB_PASSWORD", "SMTP_PASSWORD", "TOKEN", "OWN"]},
        "QC:AGAIN": {"secret": ["DB_PASSWORD", "SMTP_PASSWORD", "TOKEN", "OWN"]},
        "REPORT": {"secret": ["TOKEN"]},
    }});
    assert_eq!(read, expected);
}

#[test]
fn nextflow_is_given_values_only_where_that_is_allowed() {
    let project = project();
    let refused = run(&project, "set-secrets.sh", &[], &[]);
    assert!(!refused.status.success());
    assert!(utf8(&refused.stderr).contains("tlsgen secrets push"));
    assert_eq!(told(&project), "");

    let allowed = [("NXF_SECRETS_VISIBLE", "1")];
    for shell in ["dash", "busybox"] {
        let set = run_by(
            &project,
            shell,
            "set-secrets.sh",
            &["--for", "alice"],
            &allowed,
        );
        assert!(set.status.success(), "{}", utf8(&set.stderr));
        assert_eq!(
            told(&project),
            format!(
                "nextflow <secrets> <set> <DB_PASSWORD> <alices>\nnextflow <secrets> <set> <SMTP_PASSWORD> <two\nlines>\nnextflow <secrets> <set> <TOKEN> <to ken \"$HOME\" `id`\n>\n"
            ),
        );
        said_nothing_secret(&set);
    }
    let set = run(&project, "set-secrets.sh", &[], &allowed);
    assert!(set.status.success());
    assert!(told(&project).contains(&format!("<DB_PASSWORD> <{NASTY}>")));
    said_nothing_secret(&set);
}

#[test]
fn seqera_platform_imports_what_is_of_the_workspace_and_of_a_user() {
    let seqerakit = checkout().join("target/judges/venv-seqerakit/bin/seqerakit");
    if !there(seqerakit.exists(), "seqerakit: run tests/real/install.sh") {
        return;
    }
    let project = project();
    let token = [("TOWER_ACCESS_TOKEN", "t"), ("TOWER_WORKSPACE_ID", "77")];
    // Two lines are refused before anything is told.
    let refused = run(&project, "import-secrets.sh", &[], &token);
    assert!(utf8(&refused.stderr).contains("SMTP_PASSWORD has several lines"));
    assert_eq!(told(&project), "");

    project.write("private/smtp", "one line\n");
    let text = fs::read_to_string(project.path("tlsgen.yaml")).unwrap();
    project.write("tlsgen.yaml", text.replace("`id`\\n\\n", "`id`\\n"));
    project.build();
    let imported = run(&project, "import-secrets.sh", &[], &token);
    assert!(imported.status.success(), "{}", utf8(&imported.stderr));
    said_nothing_secret(&imported);
    let workspace = told(&project);
    let workspace: Vec<&str> = workspace
        .lines()
        .filter(|line| line.contains("<add>"))
        .collect();
    let add = |name: &str, value: &str| {
        format!(
            "tw[77] <secrets> <add> <--name> <{name}> <--workspace> <genomics/production> <--value> <{value}>"
        )
    };
    assert_eq!(
        workspace,
        [
            add("DB_PASSWORD", NASTY),
            add("SMTP_PASSWORD", "one line"),
            add("TOKEN", "to ken \"$HOME\" `id`"),
        ]
    );

    let own = run(&project, "import-secrets.sh", &["--for", "alice"], &token);
    assert!(own.status.success(), "{}", utf8(&own.stderr));
    said_nothing_secret(&own);
    assert_eq!(
        told(&project),
        "tw[] <secrets> <delete> <--name> <DB_PASSWORD>\ntw[] <secrets> <add> <--name> <DB_PASSWORD> <--value> <alices>\n"
    );
    let nobody = run(&project, "import-secrets.sh", &["--for", "bob"], &token);
    assert!(utf8(&nobody.stderr).contains("bob has no secrets of their own"));
}

fn project() -> Project {
    let project = Project::new();
    project.write(".gitignore", "/private/\n");
    project.write("private/smtp", "two\nlines\n");
    project.write("main.nf", SCRIPT);
    project.write("tlsgen.yaml", SPEC);
    project.build();
    for program in ["nextflow", "tw"] {
        let of = if program == "tw" {
            "[${TOWER_WORKSPACE_ID-}]"
        } else {
            ""
        };
        let stand_in = format!(
            "#!/bin/sh\n{{ printf '%s' \"{program}{of}\"; printf ' <%s>' \"$@\"; echo; }} >>'{}'\ncase \"$*\" in *list*) echo '{{\"secrets\": [{{\"name\": \"DB_PASSWORD\", \"id\": 1}}]}}' ;; esac\n",
            project.path("told").display()
        );
        program::put(&project.path("programs").join(program), stand_in, 0o755);
    }
    project
}

fn run(project: &Project, script: &str, words: &[&str], variables: &[(&str, &str)]) -> Output {
    run_by(project, "dash", script, words, variables)
}

/// From another directory, as people do.
fn run_by(
    project: &Project,
    shell: &str,
    script: &str,
    words: &[&str],
    variables: &[(&str, &str)],
) -> Output {
    let programs = project.path("programs");
    let seqerakit = checkout().join("target/judges/venv-seqerakit/bin");
    let mut command = Command::new(shell);
    if shell == "busybox" {
        command.arg("sh");
    }
    command
        .arg(project.path("pipeline/nextflow").join(script))
        .args(words)
        .env_clear()
        .env(
            "PATH",
            format!(
                "{}:{}:/usr/bin:/bin",
                programs.display(),
                seqerakit.display()
            ),
        )
        .env("HOME", project.path(""))
        .env("DB_PASSWORD", NASTY)
        .env("ALICE_DB", "alices")
        .envs(variables.iter().copied())
        .current_dir("/");
    command.output().unwrap()
}

/// What the programs were told since the last question.
fn told(project: &Project) -> String {
    let path = project.path("told");
    let told = fs::read_to_string(&path).unwrap_or_default();
    let _ = fs::remove_file(path);
    told
}

fn said_nothing_secret(output: &Output) {
    let said = utf8(&output.stdout) + &utf8(&output.stderr);
    for value in [NASTY, "alices", "lines", "to ken"] {
        assert!(!said.contains(value), "{said}");
    }
}
