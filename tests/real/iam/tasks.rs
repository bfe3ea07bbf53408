//! What a task's or job's definition says of secrets: by cfn-lint, and joined into definitions that are there
//! already as docs/aws.md says, by the real client of AWS.

use std::fs;
use std::process::Command;

use serde_json::{Map, Value, json};

use super::calls::{Client, Server};
use super::support::{checkout, judge, succeed, text, utf8};
use super::{expected, program};

#[test]
fn cfn_lint_finds_nothing_in_definitions_and_something_in_broken_ones() {
    if program("cfn-lint").is_none() {
        return;
    }
    let read = |name: &str| -> Value {
        let path = expected("compiles-iam-services").join(name);
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    };
    let mut task = read("backend.ecs.json");
    task["containerDefinitions"][0]["image"] = json!("example.org/backend:1");
    task["containerDefinitions"][0]["memory"] = json!(512);
    let mut job = read("backend.batch.json");
    job["type"] = json!("container");
    job["containerProperties"]["image"] = json!("example.org/backend:1");
    job["containerProperties"]["resourceRequirements"] =
        json!([{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "512"}]);
    for (kind, definition) in [
        ("AWS::ECS::TaskDefinition", task),
        ("AWS::Batch::JobDefinition", job),
    ] {
        let template =
            json!({"Resources": {"It": {"Type": kind, "Properties": in_pascal_case(&definition)}}});
        assert_eq!(
            linted(&template.to_string()),
            (true, String::new()),
            "{kind}"
        );
        for (from, to) in [
            ("\"ValueFrom\"", "\"valueFrom\""),
            ("\"Secrets\"", "\"Secret\""),
            ("arn:aws:iam", "arm:aws:iam"),
        ] {
            let broken = template.to_string();
            assert!(broken.contains(from), "{from}");
            assert!(!linted(&broken.replace(from, to)).0, "{kind} {to}");
        }
    }
}

#[test]
fn definitions_that_are_there_keep_what_they_have() {
    let Some(python) = judge("python-aws") else {
        return;
    };
    let server = Server::start(&python);
    let admin = Client::admin(&server);
    admin.role("execution", "compiles-iam-services");
    let task = json!({
        "family": "backend", "taskRoleArn": "arn:aws:iam::123456789012:role/app", "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512",
        "containerDefinitions": [
            {"name": "sidecar", "image": "example.org/sidecar:1", "essential": false, "secrets": [{"name": "KEEP", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/keep"}]},
            {"name": "backend", "image": "example.org/backend:1", "essential": true,
             "portMappings": [{"containerPort": 8080, "hostPort": 8080, "protocol": "tcp"}],
             "environment": [{"name": "DB_PASSWORD", "value": "in plain text"}, {"name": "LOG", "value": "debug"}],
             "secrets": [{"name": "TOKEN", "valueFrom": "old"}, {"name": "OTHER", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/other"}]},
        ],
    });
    let job = json!({
        "jobDefinitionName": "backend", "type": "container", "parameters": {"a": "b"},
        "retryStrategy": {"attempts": 3},
        "containerProperties": {
            "image": "example.org/backend:1", "vcpus": 1, "memory": 512, "command": ["run"],
            "jobRoleArn": "arn:aws:iam::123456789012:role/app",
            "environment": [{"name": "TOKEN", "value": "in plain text"}, {"name": "LOG", "value": "debug"}],
        },
    });
    admin.allowed(&[
        "ecs",
        "register-task-definition",
        "--cli-input-json",
        &task.to_string(),
    ]);
    admin.allowed(&[
        "batch",
        "register-job-definition",
        "--cli-input-json",
        &job.to_string(),
    ]);
    let page = fs::read_to_string(checkout().join("docs/aws.md")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(
        expected("compiles-iam-services"),
        directory.path().join("iam"),
    )
    .unwrap();
    admin.put_on_path(directory.path());
    for about in ["describe-task-definition", "describe-job-definitions"] {
        let block = shell_block(&page, about);
        let mut shell = Command::new("sh");
        shell.args(["-euc", &block]).current_dir(directory.path());
        shell.envs(admin.environment());
        succeed(shell.env("PATH", admin.path_with(directory.path())));
    }
    let ours = |name: &str| -> Value {
        let path = expected("compiles-iam-services").join(name);
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    };
    let (of_task, of_job) = (ours("backend.ecs.json"), ours("backend.batch.json"));
    let read = admin.allowed(&[
        "ecs",
        "describe-task-definition",
        "--task-definition",
        "backend",
    ]);
    let read = &read["taskDefinition"];
    assert_eq!(read["revision"], 2);
    assert_eq!(read["executionRoleArn"], of_task["executionRoleArn"]);
    for field in [
        "taskRoleArn",
        "networkMode",
        "cpu",
        "memory",
        "requiresCompatibilities",
    ] {
        assert_eq!(read[field], task[field], "{field}");
    }
    let containers = &read["containerDefinitions"];
    assert_eq!(
        containers[0]["secrets"],
        task["containerDefinitions"][0]["secrets"]
    );
    assert_eq!(containers[1]["portMappings"][0]["containerPort"], 8080);
    assert_eq!(
        containers[1]["environment"],
        json!([{"name": "LOG", "value": "debug"}])
    );
    let mut secrets = vec![task["containerDefinitions"][1]["secrets"][1].clone()];
    secrets.extend(
        of_task["containerDefinitions"][0]["secrets"]
            .as_array()
            .unwrap()
            .clone(),
    );
    assert_eq!(containers[1]["secrets"], Value::from(secrets));
    let read = admin.allowed(&[
        "batch",
        "describe-job-definitions",
        "--job-definition-name",
        "backend",
    ]);
    let all = read["jobDefinitions"].as_array().unwrap();
    let read = all
        .iter()
        .max_by_key(|one| one["revision"].as_u64())
        .unwrap();
    assert_eq!(read["revision"], 2);
    assert_eq!(
        [&read["parameters"], &read["retryStrategy"]["attempts"]],
        [&job["parameters"], &json!(3)]
    );
    let container = &read["containerProperties"];
    assert_eq!(container["image"], "example.org/backend:1");
    assert_eq!(
        container["jobRoleArn"],
        job["containerProperties"]["jobRoleArn"]
    );
    assert_eq!(
        container["executionRoleArn"],
        of_job["containerProperties"]["executionRoleArn"]
    );
    assert_eq!(
        container["environment"],
        json!([{"name": "LOG", "value": "debug"}])
    );
    assert_eq!(
        container["secrets"],
        of_job["containerProperties"]["secrets"]
    );
}

fn linted(template: &str) -> (bool, String) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("template.json");
    fs::write(&file, template).unwrap();
    let mut command = program("cfn-lint").unwrap();
    let output = command.args(["--", text(&file)]).output().unwrap();
    (output.status.success(), utf8(&output.stdout))
}

/// As CloudFormation spells what the clients spell in camel case.
fn in_pascal_case(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| {
                let (first, rest) = name.split_at(1);
                (first.to_uppercase() + rest, in_pascal_case(value))
            });
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Value::Array(all) => all.iter().map(in_pascal_case).collect(),
        other => other.clone(),
    }
}

/// The block for a shell that has this in it.
pub fn shell_block(page: &str, about: &str) -> String {
    let mut blocks = page
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    blocks
        .find(|block| block.contains(about))
        .unwrap()
        .to_owned()
}
