//! Policies as parliament, cfn-lint, moto's server and Principal Mapper understand them.

#![allow(clippy::unwrap_used, reason = "a test may panic, and touch the disk")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};
use support::{checkout, judge, shared, text, utf8};

const CASES: [&str; 3] = [
    "compiles-iam",
    "compiles-iam-in-aws-cn",
    "compiles-iam-in-aws-us-gov",
];

#[test]
fn parliament_finds_nothing_in_a_policy_and_something_in_a_broken_one() {
    let Some(parliament) = judge("parliament") else {
        return;
    };
    let lint = |policy: &str| {
        let output = fed(Command::new(&parliament), policy);
        (output.status.success(), utf8(&output.stdout))
    };
    let mut count = 0;
    for case in CASES {
        for (name, policy) in policies(case) {
            assert_eq!(lint(&policy), (true, String::new()), "{case} {name}");
            count += 1;
        }
    }
    assert_eq!(count, 13);
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
    let Some(python) = judge("python-aws") else {
        return;
    };
    let linter = python.with_file_name("../venv-aws/bin/cfn-lint");
    let lint = |file: &Path| {
        let mut command = Command::new(&linter);
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
fn a_simulator_allows_each_role_its_own_and_nothing_else() {
    let Some(python) = judge("python-aws") else {
        return;
    };
    let mut questions = Vec::new();
    let mut expected_answers = Vec::new();
    for (case, partition, region, prefix, role, suffix) in [
        (
            "compiles-iam",
            "aws",
            "eu-west-1",
            "tower-",
            "lab-ExecutionRole",
            "",
        ),
        (
            "compiles-iam-in-aws-cn",
            "aws-cn",
            "cn-north-1",
            "lab/",
            "Batch",
            ".cn",
        ),
        (
            "compiles-iam-in-aws-us-gov",
            "aws-us-gov",
            "us-gov-west-1",
            "lab/",
            "Batch",
            "",
        ),
    ] {
        let document = |file: &str| -> Value {
            serde_json::from_str(&fs::read_to_string(expected(case).join(file)).unwrap()).unwrap()
        };
        let account = "123456789012";
        let secret = |account: &str, name: &str| {
            format!("arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-a1B2c3")
        };
        let own = secret(account, &format!("{prefix}1"));
        let (other, abroad) = (
            secret(account, "other"),
            secret("999999999999", &format!("{prefix}1")),
        );
        let arn = |role: &str| format!("arn:{partition}:iam::{account}:role/{role}");
        let key_account = if partition == "aws" {
            account
        } else {
            "210987654321"
        };
        let key = format!(
            "arn:{partition}:kms:{region}:{key_account}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
        );
        let via = |service: &str| json!({"kms:ViaService": format!("{service}.{region}.amazonaws.com{suffix}")});
        let passed = |service: &str| json!({"iam:PassedToService": service});
        let none = json!({});
        for (file, action, resource, context, allowed) in [
            ("platform", "secretsmanager:ListSecrets", "*", &none, true),
            ("platform", "secretsmanager:CreateSecret", &own, &none, true),
            ("platform", "secretsmanager:DeleteSecret", &own, &none, true),
            (
                "platform",
                "secretsmanager:DescribeSecret",
                &own,
                &none,
                true,
            ),
            (
                "platform",
                "secretsmanager:DeleteSecret",
                &other,
                &none,
                false,
            ),
            (
                "platform",
                "secretsmanager:DeleteSecret",
                &abroad,
                &none,
                false,
            ),
            (
                "platform",
                "secretsmanager:GetSecretValue",
                &own,
                &none,
                false,
            ),
            (
                "platform",
                "kms:GenerateDataKey",
                &key,
                &via("secretsmanager"),
                true,
            ),
            ("platform", "kms:Decrypt", &key, &via("s3"), false),
            ("platform", "kms:Decrypt", &key, &none, false),
            (
                "execution",
                "secretsmanager:GetSecretValue",
                &own,
                &none,
                true,
            ),
            (
                "execution",
                "secretsmanager:GetSecretValue",
                &other,
                &none,
                false,
            ),
            (
                "execution",
                "secretsmanager:DeleteSecret",
                &own,
                &none,
                false,
            ),
            ("execution", "secretsmanager:ListSecrets", "*", &none, false),
            (
                "execution",
                "kms:Decrypt",
                &key,
                &via("secretsmanager"),
                true,
            ),
            (
                "execution",
                "kms:GenerateDataKey",
                &key,
                &via("secretsmanager"),
                false,
            ),
            ("head-job", "secretsmanager:ListSecrets", "*", &none, true),
            (
                "head-job",
                "secretsmanager:GetSecretValue",
                &own,
                &none,
                false,
            ),
            (
                "head-job",
                "iam:PassRole",
                &arn(role),
                &passed("ecs-tasks.amazonaws.com"),
                true,
            ),
            (
                "head-job",
                "iam:PassRole",
                &arn(role),
                &passed("ec2.amazonaws.com"),
                false,
            ),
            ("head-job", "iam:PassRole", &arn(role), &none, false),
            (
                "head-job",
                "iam:PassRole",
                &arn("Admin"),
                &passed("ecs-tasks.amazonaws.com"),
                false,
            ),
            ("head-job", "iam:GetRole", &arn(role), &none, true),
            ("head-job", "iam:GetRole", &arn("Admin"), &none, false),
        ] {
            questions.push(json!({"policy": document(&format!("{file}.json")), "action": action, "resource": resource, "context": context}));
            expected_answers.push((
                format!("{case} {file} {action} {resource} {context}"),
                allowed,
            ));
        }
        let from = |account: &str, service: &str| json!({"aws:SourceAccount": account, "aws:SourceArn": format!("arn:{partition}:{service}:{region}:{account}:task/lab/1")});
        let ec2 = if partition == "aws-cn" {
            "ec2.amazonaws.com.cn"
        } else {
            "ec2.amazonaws.com"
        };
        for (file, service, context, allowed) in [
            (
                "execution",
                "ecs-tasks.amazonaws.com",
                from(account, "ecs"),
                true,
            ),
            (
                "execution",
                "ecs-tasks.amazonaws.com",
                from("999999999999", "ecs"),
                false,
            ),
            (
                "execution",
                "ecs-tasks.amazonaws.com",
                from(account, "lambda"),
                false,
            ),
            ("execution", "ecs-tasks.amazonaws.com", none.clone(), false),
            (
                "execution",
                "ec2.amazonaws.com",
                from(account, "ecs"),
                false,
            ),
            (
                "head-job",
                "ecs-tasks.amazonaws.com",
                from(account, "ecs"),
                true,
            ),
            ("platform", ec2, none.clone(), true),
            (
                "platform",
                "ecs-tasks.amazonaws.com",
                from(account, "ecs"),
                false,
            ),
        ] {
            questions.push(json!({"policy": document(&format!("{file}.trust.json")), "action": "sts:AssumeRole", "service": service, "account": account, "context": context}));
            expected_answers.push((format!("{case} {file}.trust {service} {context}"), allowed));
        }
    }
    let mut simulator = Command::new(python);
    simulator.arg(checkout().join("tests/real/iam/simulate.py"));
    let output = fed(simulator, &Value::from(questions).to_string());
    assert!(output.status.success(), "{}", utf8(&output.stderr));
    let answers: Vec<bool> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answers.len(), 96);
    for (answer, (question, allowed)) in answers.iter().zip(&expected_answers) {
        assert_eq!(answer, allowed, "{question}");
    }
}

#[test]
fn real_calls_of_each_role_are_allowed_and_refused() {
    let (Some(python), Some(aws)) = (judge("python-aws"), judge("aws")) else {
        return;
    };
    let server = Server::start(&python);
    let admin = Client {
        aws: &aws,
        server: &server,
        keys: None,
    };
    for name in ["tower-1", "other"] {
        admin.allowed(&[
            "secretsmanager",
            "create-secret",
            "--name",
            name,
            "--secret-string",
            "x",
        ]);
    }
    let roles: Vec<(&str, Client<'_>)> = ["platform", "execution", "head-job"]
        .into_iter()
        .map(|role| (role, admin.role(role)))
        .collect();
    server.enforce();
    let calls: BTreeMap<&str, Vec<&str>> = [
        ("list", vec!["secretsmanager", "list-secrets"]),
        (
            "create",
            vec![
                "secretsmanager",
                "create-secret",
                "--name",
                "tower-2",
                "--secret-string",
                "x",
            ],
        ),
        (
            "create other",
            vec![
                "secretsmanager",
                "create-secret",
                "--name",
                "mine",
                "--secret-string",
                "x",
            ],
        ),
        (
            "describe",
            vec![
                "secretsmanager",
                "describe-secret",
                "--secret-id",
                "tower-1",
            ],
        ),
        (
            "read",
            vec![
                "secretsmanager",
                "get-secret-value",
                "--secret-id",
                "tower-1",
            ],
        ),
        (
            "read other",
            vec!["secretsmanager", "get-secret-value", "--secret-id", "other"],
        ),
        (
            "delete other",
            vec!["secretsmanager", "delete-secret", "--secret-id", "other"],
        ),
        (
            "delete",
            vec!["secretsmanager", "delete-secret", "--secret-id", "tower-2"],
        ),
        (
            "look at execution",
            vec!["iam", "get-role", "--role-name", "lab-ExecutionRole"],
        ),
        (
            "look at platform",
            vec!["iam", "get-role", "--role-name", "tower-platform"],
        ),
    ]
    .into();
    let may: BTreeMap<&str, Vec<&str>> = [
        ("platform", vec!["list", "create", "describe", "delete"]),
        ("execution", vec!["read"]),
        ("head-job", vec!["list", "look at execution"]),
    ]
    .into();
    for (role, client) in &roles {
        // In an order in which what is deleted is there.
        for call in [
            "list",
            "create",
            "create other",
            "describe",
            "read",
            "read other",
            "delete other",
            "delete",
            "look at execution",
            "look at platform",
        ] {
            match may[role].contains(&call) {
                true => client.allowed(&calls[call]),
                false => client.refused(&calls[call]),
            };
        }
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

/// moto's server, stopped when this is gone.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(python: &Path) -> Self {
        let script = checkout().join("tests/real/iam/server.py");
        let mut child = Command::new(python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        Self {
            child,
            port: line.trim().parse().unwrap(),
        }
    }

    /// From now on every call is asked for its permission.
    fn enforce(&self) {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let request = "POST /moto-api/reset-auth HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 1\r\n\r\n0";
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).unwrap();
        assert!(answer.contains("200"), "{answer}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The real client of AWS, as somebody.
struct Client<'a> {
    aws: &'a Path,
    server: &'a Server,
    keys: Option<[String; 3]>,
}

impl<'a> Client<'a> {
    fn call(&self, words: &[&str]) -> Output {
        let [key, secret, token] = match &self.keys {
            Some(keys) => keys.clone(),
            None => ["AKIAADMIN".to_owned(), "x".to_owned(), String::new()],
        };
        let mut command = Command::new(self.aws);
        command
            .args([
                "--endpoint-url",
                &format!("http://127.0.0.1:{}", self.server.port),
            ])
            .args(["--region", "eu-west-1", "--output", "json"])
            .args(words)
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env("AWS_ACCESS_KEY_ID", key)
            .env("AWS_SECRET_ACCESS_KEY", secret);
        if !token.is_empty() {
            command.env("AWS_SESSION_TOKEN", token);
        }
        command.output().unwrap()
    }

    fn allowed(&self, words: &[&str]) -> Value {
        let output = self.call(words);
        assert!(
            output.status.success(),
            "{words:?}: {}",
            utf8(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    }

    fn refused(&self, words: &[&str]) -> Value {
        let output = self.call(words);
        let said = utf8(&output.stderr);
        assert!(
            !output.status.success() && said.contains("AccessDenied"),
            "{words:?}: {said}{}",
            utf8(&output.stdout)
        );
        Value::Null
    }

    /// Somebody who has taken on a role that is made of the written documents.
    fn role(&self, role: &str) -> Client<'a> {
        let directory = expected("compiles-iam");
        let roles = fs::read_to_string(directory.join("roles.json")).unwrap();
        let roles: Value = serde_json::from_str(&roles).unwrap();
        let name = roles["roles"][role]["name"].as_str().unwrap();
        let file = |name: String| format!("file://{}", directory.join(name).display());
        let made = self.allowed(&[
            "iam",
            "create-role",
            "--role-name",
            name,
            "--assume-role-policy-document",
            &file(format!("{role}.trust.json")),
        ]);
        self.allowed(&[
            "iam",
            "put-role-policy",
            "--role-name",
            name,
            "--policy-name",
            "x",
            "--policy-document",
            &file(format!("{role}.json")),
        ]);
        let arn = made["Role"]["Arn"].as_str().unwrap();
        let taken = self.allowed(&[
            "sts",
            "assume-role",
            "--role-arn",
            arn,
            "--role-session-name",
            "test",
        ]);
        let key = |name: &str| taken["Credentials"][name].as_str().unwrap().to_owned();
        Client {
            aws: self.aws,
            server: self.server,
            keys: Some([
                key("AccessKeyId"),
                key("SecretAccessKey"),
                key("SessionToken"),
            ]),
        }
    }
}
