//! What README.md says to people who run Nextflow on AWS Batch, from spec to working secret, as it is written
//! there.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::calls::{Client, Server};
use super::support::{checkout, judge, succeed, utf8};

/// Of no other text: it is looked for in all that is written and said.
const VALUE: &str = "Qz7!-a-value-of-nothing-else";

/// What the instructions of 23.2 made, and something else.
const THEIRS: &str = r#"{"Version": "2012-10-17", "Statement": [
  {"Sid": "Jobs", "Effect": "Allow", "Action": "batch:DescribeJobs", "Resource": "*"},
  {"Sid": "AllowTowerEnterpriseSecrets", "Effect": "Allow", "Resource": "*",
   "Action": ["secretsmanager:DeleteSecret", "secretsmanager:ListSecrets", "secretsmanager:CreateSecret"]}]}"#;

#[test]
fn the_readme_leads_from_spec_to_working_secret() {
    let Some(python) = judge("python-aws") else {
        return;
    };
    let readme = fs::read_to_string(checkout().join("README.md")).unwrap();
    let section = readme
        .split("## For people who run Nextflow on AWS Batch")
        .nth(1)
        .unwrap();
    let section = section.split("\n## ").next().unwrap();
    let blocks = |language: &str| -> Vec<String> {
        // Every other fence opens a block.
        let parts = section.split("\n```").skip(1).step_by(2);
        let parts = parts.filter_map(|part| part.split_once('\n'));
        let of_it = parts.filter(|(name, _)| *name == language);
        of_it.map(|(_, text)| format!("{text}\n")).collect()
    };
    let server = Server::start(&python);
    let admin = Client::admin(&server);
    admin.allowed(&[
        "iam",
        "create-role",
        "--role-name",
        "TowerInstanceRole",
        "--assume-role-policy-document",
        "{}",
    ]);
    admin.allowed(&[
        "iam",
        "put-role-policy",
        "--role-name",
        "TowerInstanceRole",
        "--policy-name",
        "TowerSecrets",
        "--policy-document",
        THEIRS,
    ]);
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    fs::write(root.join("tlsgen.yaml"), &blocks("yaml")[0]).unwrap();
    admin.put_on_path(root);
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_tlsgen"), root.join("bin/tlsgen")).unwrap();
    let commands = blocks("sh").concat();
    let mut shell = Command::new("sh");
    shell
        .args(["-euxc", &commands])
        .current_dir(root)
        .envs(admin.environment())
        .env("PATH", admin.path_with(root))
        .env("DB_PASSWORD", VALUE);
    let output = succeed(&mut shell);
    let said = utf8(&output.stdout) + &utf8(&output.stderr);
    for line in blocks("").iter().flat_map(|block| block.lines()) {
        assert!(said.contains(line), "{line}");
    }
    assert!(!said.contains(VALUE));
    let read = admin.allowed(&[
        "secretsmanager",
        "get-secret-value",
        "--secret-id",
        "platform/db",
    ]);
    assert_eq!(read["SecretString"], VALUE);
    assert_nowhere(root);
    // What was made is what was written.
    let written = |file: &str| -> Value {
        serde_json::from_str(&fs::read_to_string(root.join("iam").join(file)).unwrap()).unwrap()
    };
    for (name, policy, file) in [
        ("TowerInstanceRole", "TowerSecrets", "platform.json"),
        ("lab-ExecutionRole", "tower-execution", "execution.json"),
        ("tower-head-job", "tower-head-job", "head-job.json"),
    ] {
        let made = admin.allowed(&[
            "iam",
            "get-role-policy",
            "--role-name",
            name,
            "--policy-name",
            policy,
        ]);
        assert_eq!(made["PolicyDocument"], written(file), "{name}");
    }
    // Whoever has the roles reads the secret, or does not.
    let taken = |name: &str| admin.taken_on(&format!("arn:aws:iam::123456789012:role/{name}"));
    let (execution, platform) = (taken("lab-ExecutionRole"), taken("TowerInstanceRole"));
    server.enforce();
    let read = [
        "secretsmanager",
        "get-secret-value",
        "--secret-id",
        "platform/db",
    ];
    execution.allowed(&read);
    platform.refused(&read);
}

fn assert_nowhere(directory: &Path) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => assert_nowhere(&path),
            false => assert!(
                !utf8(&fs::read(&path).unwrap()).contains(VALUE),
                "{}",
                path.display()
            ),
        }
    }
}
