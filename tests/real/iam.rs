//! Policies as parliament, cfn-lint, moto's server and Principal Mapper understand them.

#![allow(clippy::unwrap_used, reason = "a test may panic, and touch the disk")]

#[path = "iam/calls.rs"]
mod calls;
#[path = "iam/instructions.rs"]
mod instructions;
#[path = "iam/simulated.rs"]
mod simulated;
#[path = "iam/story.rs"]
mod story;
mod support;
#[path = "iam/tasks.rs"]
mod tasks;
#[path = "iam/terraform.rs"]
mod terraform;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use support::{checkout, judge, shared, text, utf8};

const CASES: [&str; 6] = [
    "compiles-iam",
    "compiles-iam-in-aws-cn",
    "compiles-iam-in-aws-us-gov",
    "compiles-iam-in-eks",
    "compiles-iam-in-eks-in-aws-cn",
    "compiles-iam-services",
];

/// Cases that write a file for Terraform.
const MODULES: [&str; 8] = [
    "compiles-iam",
    "compiles-iam-in-aws-cn",
    "compiles-iam-in-aws-us-gov",
    "compiles-iam-in-eks",
    "compiles-iam-in-eks-in-aws-cn",
    "compiles-iam-services",
    "compiles-iam-merged",
    "compiles-iam-trust-merged",
];

/// A program beside the judges' Python, by that: its own first line may name a place that is gone.
fn program(name: &str) -> Option<Command> {
    let python = judge("python-aws")?;
    let program = python.with_file_name("../venv-aws/bin").join(name);
    let mut command = Command::new(python);
    command.arg(program);
    Some(command)
}

#[test]
fn parliament_finds_nothing_in_a_policy_and_something_in_a_broken_one() {
    if program("parliament").is_none() {
        return;
    }
    let lint = |policy: &str| {
        let output = fed(program("parliament").unwrap(), policy);
        (output.status.success(), utf8(&output.stdout))
    };
    let mut count = 0;
    for case in CASES {
        for (name, policy) in policies(case) {
            assert_eq!(lint(&policy), (true, String::new()), "{case} {name}");
            count += 1;
        }
    }
    assert_eq!(count, 21);
    let right = fs::read_to_string(expected("compiles-iam").join("head-job.json")).unwrap();
    for (from, to) in [
        ("\"iam:GetRole\"", "\"iam:GetRolls\""),
        ("\"Allow\"", "\"allow\""),
        ("iam::123456789012:role", "iam::123456789012:user"),
        ("\"StringEquals\"", "\"StringIs\""),
    ] {
        assert!(right.contains(from), "{from}");
        assert!(!lint(&right.replace(from, to)).0, "{to}");
    }
}

#[test]
fn cfn_lint_finds_nothing_in_a_template_and_something_in_a_broken_one() {
    if program("cfn-lint").is_none() {
        return;
    }
    let lint = |file: &Path| {
        let mut command = program("cfn-lint").unwrap();
        let output = command.args(["--", text(file)]).output().unwrap();
        (output.status.success(), utf8(&output.stdout))
    };
    for case in CASES {
        let template = expected(case).join("template.json");
        assert_eq!(lint(&template), (true, String::new()), "{case}");
    }
    let right = fs::read_to_string(expected("compiles-iam").join("template.json")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let broken = directory.path().join("broken.json");
    for (from, to) in [
        ("\"Effect\": \"Allow\"", "\"Effect\": \"allow\""),
        ("\"AssumeRolePolicyDocument\"", "\"TrustPolicy\""),
        ("\"Ref\": \"PlatformRole\"", "\"Ref\": \"PlatfromRole\""),
        ("\"PolicyName\"", "\"Name\""),
    ] {
        assert!(right.contains(from), "{from}");
        fs::write(&broken, right.replace(from, to)).unwrap();
        assert!(!lint(&broken).0, "{to}");
    }
}

#[test]
fn the_tables_are_those_of_aws() {
    let Some(python) = judge("python-aws") else {
        return;
    };
    let own = fs::read_to_string(checkout().join("src/iam/actions.txt")).unwrap();
    let mut services: Vec<&str> = own
        .lines()
        .filter_map(|line| line.split(':').next())
        .collect();
    services.dedup();
    let script = checkout().join("tests/real/iam/tables.py");
    let output = support::succeed(Command::new(python).arg(script).args(services));
    let theirs: Value = serde_json::from_slice(&output.stdout).unwrap();
    let actions: Vec<&str> = theirs["actions"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(own.lines().collect::<Vec<_>>(), actions);
    for partition in ["aws", "aws-cn", "aws-us-gov"] {
        let known = tlsgen::iam::Partition::regions();
        let known = known.filter(|region| {
            tlsgen::iam::Partition::of_region(region).unwrap().name() == partition
        });
        let regions: Vec<&str> = theirs["regions"][partition]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert_eq!(known.collect::<Vec<_>>(), regions, "{partition}");
    }
    for (region, partition) in [
        ("eu-west-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
    ] {
        let own = tlsgen::iam::Partition::of_region(region).unwrap();
        let suffix = theirs["suffixes"][partition].as_str().unwrap();
        assert_eq!(
            own.endpoint("secretsmanager", region),
            format!("secretsmanager.{region}.{suffix}")
        );
    }
}

#[test]
fn the_instructions_of_23_2_are_found_again_and_narrowed() {
    let Some(seed) = shared("seeds/E-tower-secrets-aws.txt") else {
        return;
    };
    let documents = json_blocks(&fs::read_to_string(seed).unwrap());
    assert_eq!(documents.len(), 6);
    let project = support::project::Project::new();
    project.write("tlsgen.yaml", "version: 1\nproject: tower\ntargets:\n  aws:\n    kind: iam\n    account: \"123456789012\"\n    region: eu-west-1\n    output: iam\n    roles:\n      platform: {grants: secrets-administration}\n      execution: {grants: task-secrets, batch_cluster: lab}\n      instance: {grants: head-job, attached_to: instance-role}\n      head-job: {grants: head-job, attached_to: custom-role, execution_role: lab-ExecutionRole}\n");
    project.build();
    let alone: Vec<Value> = ["platform", "execution", "instance", "head-job"]
        .iter()
        .map(|role| written(&project, role))
        .collect();
    let files = [
        (0, "platform"),
        (1, "execution"),
        (3, "instance"),
        (4, "head-job"),
    ];
    let mut merge = String::from("    merge:\n");
    for (index, role) in files {
        // The placeholders of the instructions are no ARN, and stand in no document that anybody has.
        let text = documents[index]
            .to_string()
            .replace("<YOUR_COMPUTE_REGION>", "eu-west-1")
            .replace("YOUR_ACCOUNT", "123456789012")
            .replace("YOUR_BATCH_CLUSTER", "lab");
        project.write(&format!("existing/{role}.json"), text);
        merge.push_str(&format!("      {role}: existing/{role}.json\n"));
    }
    let spec = fs::read_to_string(project.path("tlsgen.yaml")).unwrap();
    project.write("tlsgen.yaml", spec + &merge);
    project.build();
    for ((_, role), alone) in files.into_iter().zip(&alone) {
        let merged = tlsgen::iam::grants(&written(&project, role));
        assert_eq!(
            merged,
            tlsgen::iam::grants(alone),
            "{role}: nothing of the old text is left beside ours"
        );
    }
}

#[test]
fn policies_of_others_lose_nothing_in_three_partitions() {
    let Some(inputs) = shared("inputs/kubernetes-sigs-aws-load-balancer-controller/docs/install")
    else {
        return;
    };
    for (file, region) in [
        ("iam_policy.json", "eu-west-1"),
        ("iam_policy_cn.json", "cn-north-1"),
        ("iam_policy_us-gov.json", "us-gov-west-1"),
    ] {
        let theirs = fs::read_to_string(inputs.join(file)).unwrap();
        let project = support::project::Project::new();
        project.write("existing.json", &theirs);
        project.write("tlsgen.yaml", format!("version: 1\nproject: tower\ntargets:\n  aws:\n    kind: iam\n    account: \"123456789012\"\n    region: {region}\n    output: iam\n    formats: [cloudformation, terraform]\n    roles:\n      platform: {{grants: secrets-administration}}\n    merge: {{platform: existing.json}}\n"));
        project.build();
        let theirs: Value = serde_json::from_str(&theirs).unwrap();
        let merged = written(&project, "platform");
        let (before, after) = (
            theirs["Statement"].as_array().unwrap(),
            merged["Statement"].as_array().unwrap(),
        );
        assert!(
            before.len() >= 10 && before.iter().all(|one| one.get("Sid").is_none()),
            "{file}"
        );
        assert_eq!(&after[..before.len()], before.as_slice(), "{file}");
        assert_eq!(after.len(), before.len() + 2, "{file}");
        assert!(
            tlsgen::iam::grants(&merged).is_superset(&tlsgen::iam::grants(&theirs)),
            "{file}"
        );
    }
}

fn expected(case: &str) -> PathBuf {
    checkout()
        .join("tests/cases")
        .join(case)
        .join("expected/iam")
}

/// The policies of roles, by file.
fn policies(case: &str) -> Vec<(String, String)> {
    let roles = fs::read_to_string(expected(case).join("roles.json")).unwrap();
    let roles: Value = serde_json::from_str(&roles).unwrap();
    let roles = roles["roles"].as_object().unwrap();
    let files = roles
        .values()
        .flat_map(|role| role["policies"].as_array().unwrap());
    files
        .map(|file| {
            let file = file.as_str().unwrap();
            (
                file.to_owned(),
                fs::read_to_string(expected(case).join(file)).unwrap(),
            )
        })
        .collect()
}

fn written(project: &support::project::Project, role: &str) -> Value {
    let text = fs::read_to_string(project.path(&format!("iam/{role}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn fed(mut command: Command, input: &str) -> Output {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

/// The JSON that stands between lines of text: from a brace at the beginning of a line to its end.
fn json_blocks(text: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        rest = &rest[start..];
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        match values.next() {
            Some(Ok(value)) => {
                let end = values.byte_offset();
                all.push(value);
                rest = &rest[end..];
            }
            _ => rest = &rest[1..],
        }
    }
    all
}
