//! Real values, through both versions of the real AWS command line into moto's Secrets Manager, and
//! found nowhere else.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cloud::{self, Client, Cloud};
use crate::lab::Lab;
use crate::support::port;
use crate::watched::{Watched, holding, told};

const SPEC: &str = r#"
version: 1
project: tower
secrets:
  DB_PASSWORD:
    - {from: {env: DB_PASSWORD}, store: aws-secrets-manager, name: tower/db, description: the database, tags: {team: lab}}
    - {from: {file: private/alice}, store: aws-secrets-manager, scope: {user: alice}}
  PIPELINE: {from: {command: [sh, read-it]}, store: nextflow}
  FILED: {from: {env: FILED}, store: compose, name: private/filed}
services:
  db: {user: 999, secrets: [FILED]}
"#;

/// Values that no text of ours has, with what formats must escape.
const FIRST: &str = concat!(
    "first-Qz7wLk2!\"\u{e9},{}\\n\r\nof\rlines\u{1f511}\n",
    include_str!("long.txt")
);
const SECOND: &str = "second-Wx8bNm4'$HOME;#\t";
const ALICES: &str = "alices-Ev9cTr1\r\nof two lines";
const PIPED: &str = "piped-Rt4dHs6=";
const FILED: &str = "filed-Yu5gJf3";
const VALUES: [&str; 5] = [FIRST, SECOND, ALICES, PIPED, FILED];

#[test]
fn values_reach_their_stores_and_nothing_else() {
    for client in [Client::One, Client::Two] {
        let mut lab = Lab::new(SPEC, &VALUES);
        let Some(cloud) = Cloud::start(&mut lab, client) else {
            return;
        };
        fs::write(lab.path("private/alice"), format!("{ALICES}\n")).unwrap();
        let script = "printf '%s\\n' piped-Rt\"$((2 + 2))\"dHs6=\n";
        fs::write(lab.path("read-it"), script).unwrap();
        reaches_its_stores(&lab, &cloud);
    }
}

fn reaches_its_stores(lab: &Lab, cloud: &Cloud) {
    let watched = Watched::start();
    let run = |words: &[&str], value: &str| {
        lab.tlsgen(words, &[("DB_PASSWORD", value), ("FILED", FILED)])
    };
    let counted =
        |(code, text): (i32, String), words: &str| (code, text.matches(words).count(), text);
    let missing = counted(run(&["secrets", "check"], FIRST), ": missing");
    assert_eq!((missing.0, missing.1), (1, 4), "{}", missing.2);
    let dry = counted(
        run(&["secrets", "push", "--dry-run"], FIRST),
        "would be created",
    );
    assert_eq!((dry.0, dry.1), (0, 4), "{}", dry.2);
    let none = run(&["secrets", "check"], FIRST);
    assert_eq!(
        none.1.matches(": missing").count(),
        4,
        "a dry run changes nothing: {}",
        none.1
    );
    let created = counted(run(&["secrets", "push"], FIRST), ": created");
    assert_eq!((created.0, created.1), (0, 4), "{}", created.2);
    assert_eq!(cloud.value(lab, "tower/db"), FIRST);
    assert_eq!(cloud.value(lab, "alice/DB_PASSWORD"), ALICES);
    let same = counted(run(&["secrets", "push"], FIRST), ": same");
    assert_eq!((same.0, same.1), (0, 4), "{}", same.2);
    let (code, text) = run(&["secrets", "push", "--dry-run"], SECOND);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("DB_PASSWORD in aws-secrets-manager: would be changed\n"),
        "{text}"
    );
    assert_eq!(cloud.value(lab, "tower/db"), FIRST);
    let (code, text) = run(&["--format", "json", "secrets", "push"], SECOND);
    let read: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (code, &read["secrets"][0]["outcome"]),
        (0, &Value::from("changed")),
        "{text}"
    );
    assert_eq!(text.matches("\"same\"").count(), 3, "{text}");
    assert_eq!(cloud.value(lab, "tower/db"), SECOND);
    assert_eq!(run(&["secrets", "check"], SECOND).0, 0);

    // What has our tags and is in no spec any more.
    let fewer =
        "    - {from: {file: private/alice}, store: aws-secrets-manager, scope: {user: alice}}\n";
    lab.spec(&SPEC.replace(fewer, ""));
    let (code, text) = run(&["secrets", "check"], SECOND);
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("alice/DB_PASSWORD in aws-secrets-manager: in no spec"),
        "{text}"
    );

    let seen = watched.stop("put-secret-value");
    for words in &seen {
        // The environment of this test's own commands is not theirs.
        assert_eq!(told(words, &VALUES), None, "a process was told: {words}");
    }
    // Where the values belong, and nowhere else.
    assert_eq!(
        holding(lab.root(), &VALUES),
        [
            "home/.nextflow/secrets/store.json",
            "private/alice",
            "private/filed"
        ]
    );
    for path in ["home/.nextflow/secrets/store.json", "private/filed"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(lab.path(path)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{path}");
    }
}

#[test]
fn what_stands_beside_a_value_follows_the_spec() {
    let key = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555";
    let spec = |rest: &str| {
        format!(
            "version: 1\nproject: tower\nsecrets:\n  A: {{from: {{env: A}}, store: aws-secrets-manager{rest}}}\n"
        )
    };
    let mut lab = Lab::new(&spec(""), &[SECOND, FILED]);
    let Some(cloud) = Cloud::start(&mut lab, Client::One) else {
        return;
    };
    // Somebody else's, with a tag of theirs.
    let words = [
        "create-secret",
        "--name",
        "A",
        "--secret-string",
        "old",
        "--tags",
        "Key=owner,Value=ops",
    ];
    cloud.asked(&lab, &words);
    let push = |value: &str, words: &[&str]| {
        lab.tlsgen(&[&["secrets", "push"], words].concat(), &[("A", value)])
    };
    let said = |words: &str| (0, format!("A in aws-secrets-manager: {words}\n"));
    assert_eq!(push(SECOND, &[]), said("changed (value, tags)"));
    assert_eq!(push(SECOND, &[]), said("same"));
    let steps = [
        (", tags: {team: lab}".to_owned(), "(tags)"),
        (
            ", tags: {team: genomics}, description: why".to_owned(),
            "(description, tags)",
        ),
        (
            format!(", tags: {{team: genomics}}, kms_key: '{key}'"),
            "(KMS key)",
        ),
        (
            ", kms_key: 11111111-2222-3333-4444-555555555555, description: other".to_owned(),
            "(description)",
        ),
    ];
    for (rest, parts) in steps {
        lab.spec(&spec(&rest));
        assert_eq!(
            push(SECOND, &["--dry-run"]),
            said(&format!("would be changed {parts}"))
        );
        assert_eq!(push(SECOND, &[]), said(&format!("changed {parts}")));
        assert_eq!(push(SECOND, &[]), said("same"));
    }
    lab.spec(&spec(", description: third"));
    assert_eq!(push(FILED, &[]), said("changed (value, description)"));
    let read = cloud.asked(&lab, &["describe-secret", "--secret-id", "A"]);
    let mut tags: Vec<String> = read["Tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| {
            format!(
                "{}={}",
                tag["Key"].as_str().unwrap(),
                tag["Value"].as_str().unwrap()
            )
        })
        .collect();
    tags.sort();
    assert_eq!(
        tags,
        [
            "owner=ops",
            "team=genomics",
            "tlsgen:project=tower",
            "tlsgen:secret=A"
        ]
    );
    assert_eq!(cloud.value(&lab, "A"), FILED);

    // Of another project, and to be deleted.
    lab.spec(&spec("").replace("project: tower", "project: other"));
    let (code, text) = push(SECOND, &[]);
    assert_eq!(code, 2);
    assert!(text.contains("`A` is of the project `tower`"), "{text}");
    lab.spec(&spec(""));
    cloud.asked(&lab, &["delete-secret", "--secret-id", "A"]);
    for words in [&["push"][..], &["push", "--dry-run"], &["check"]] {
        let (code, text) = lab.tlsgen(&[&["secrets"], words].concat(), &[("A", SECOND)]);
        assert_eq!(code, 2, "{text}");
        assert!(
            text.contains("aws secretsmanager restore-secret --secret-id A"),
            "{text}"
        );
    }
    cloud.asked(&lab, &["restore-secret", "--secret-id", "A"]);
    assert_eq!(push(FILED, &[]), said("same"));

    // What AWS does not hold, and a client that keeps what it sends.
    let long: &'static str = "x".repeat(65_537).leak();
    let (code, text) = push(long, &[]);
    assert_eq!(code, 2);
    assert!(text.contains("longer than the 65536 bytes"), "{text}");
    assert_eq!(push(&long[1..], &[]), said("changed"));
    assert_eq!(cloud.value(&lab, "A").len(), 65_536);
    fs::create_dir(lab.path("home/.aws")).unwrap();
    fs::write(
        lab.path("home/.aws/config"),
        "[default]\ncli_history = enabled\n",
    )
    .unwrap();
    let (code, text) = push(SECOND, &[]);
    assert_eq!(code, 2);
    assert!(
        text.contains("aws configure set cli_history disabled"),
        "{text}"
    );
    assert_eq!(holding(lab.root(), &[SECOND, FILED]), Vec::<String>::new());
}

#[test]
fn the_region_is_that_of_the_target_and_of_many_all_are_listed() {
    let spec = "version: 1\nproject: tower\nsecrets:\n  tower-A: {from: {env: A}, store: aws-secrets-manager}\n\
        services:\n  db: {secrets: [{name: tower-A, as: env, variable: A}]}\n\
        targets:\n  aws: {kind: iam, account: \"123456789012\", region: eu-central-1, output: iam, roles: {db: {grants: service-secrets, attached_to: custom-role, services: [db]}}}\n";
    let mut lab = Lab::new(spec, &[SECOND]);
    let Some(cloud) = Cloud::start(&mut lab, Client::One) else {
        return;
    };
    let (code, text) = lab.tlsgen(&["secrets", "push"], &[("A", SECOND)]);
    assert_eq!(
        (code, text.as_str()),
        (0, "tower-A in aws-secrets-manager: created\n")
    );
    let words = [
        "--region",
        "eu-central-1",
        "describe-secret",
        "--secret-id",
        "tower-A",
    ];
    assert_eq!(cloud.asked(&lab, &words)["Name"], "tower-A");
    assert_eq!(
        cloud.asked(&lab, &["list-secrets"])["SecretList"],
        Value::Array(Vec::new())
    );
    // More than a page of them, of this project and of others.
    let script = "import boto3\n\
        client = boto3.client('secretsmanager', region_name='eu-central-1')\n\
        for index in range(230):\n    \
            tag = {'Key': 'tlsgen:project', 'Value': 'tower' if index % 2 else 'tower2'}\n    \
            client.create_secret(Name=f'left-{index}', SecretString='x', Tags=[tag])\n";
    let python = crate::support::judge("python-aws").unwrap();
    let made = lab
        .command(python.to_str().unwrap())
        .args(["-c", script])
        .status();
    assert!(made.unwrap().success());
    let (code, text) = lab.tlsgen(&["secrets", "check"], &[]);
    assert_eq!(
        (code, text.matches(": in no spec").count()),
        (1, 115),
        "{text}"
    );
    assert!(!text.contains("tower-A"), "{text}");
}

#[test]
fn a_push_that_is_killed_or_not_alone_is_completed() {
    let names: Vec<String> = (0..4).map(|index| format!("S{index}")).collect();
    let mut spec = "version: 1\nproject: tower\nsecrets:\n".to_owned();
    for name in &names {
        spec.push_str(&format!(
            "  {name}: {{from: {{env: {name}}}, store: aws-secrets-manager}}\n"
        ));
    }
    spec.push_str("  N: {from: {env: S0}, store: nextflow}\n");
    let mut lab = Lab::new(&spec, &[SECOND]);
    let Some(cloud) = Cloud::start(&mut lab, Client::One) else {
        return;
    };
    let given: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), SECOND)).collect();
    let start = || {
        let mut command = lab.command(env!("CARGO_BIN_EXE_tlsgen"));
        command
            .args(["secrets", "push"])
            .envs(given.iter().copied());
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let mut killed = start();
    let mut first = [0; 10];
    killed
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut first)
        .unwrap();
    killed.kill().unwrap();
    killed.wait().unwrap();
    let (one, other) = (start(), start());
    for both in [one, other] {
        let output = both.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}{said}");
        assert!(text.contains("S0 in aws-secrets-manager: same"), "{text}");
        assert!(!text.contains("changed"), "{text}");
    }
    let (code, text) = lab.tlsgen(&["secrets", "push"], &given);
    assert_eq!((code, text.matches(": same").count()), (0, 5), "{text}");
    assert_eq!(cloud.value(&lab, "S3"), SECOND);
    let (code, text) = lab.tlsgen(&["secrets", "push", "--only", "S1"], &given);
    assert_eq!(
        (code, text.as_str()),
        (0, "S1 in aws-secrets-manager: same\n")
    );
    let (code, text) = lab.tlsgen(&["secrets", "push", "--only", "S9"], &given);
    assert_eq!(code, 2);
    assert!(text.contains("did you mean"), "{text}");
}

#[test]
fn each_complaint_of_aws_is_one_finding_with_a_remedy() {
    let spec =
        "version: 1\nproject: tower\nsecrets:\n  A: {from: {env: A}, store: aws-secrets-manager}\n";
    let complaints = [
        (
            "AccessDeniedException",
            "AWS denies access",
            "GetSecretValue",
        ),
        (
            "AccessDeniedException: kms:Decrypt",
            "the use of the key",
            "kms:GenerateDataKey",
        ),
        ("ThrottlingException", "too many requests", "push again"),
        (
            "ExpiredTokenException",
            "does not take these credentials",
            "aws sso login",
        ),
        (
            "UnrecognizedClientException",
            "does not take these credentials",
            "aws sso login",
        ),
        ("LimitExceededException", "a quota", "raised"),
        ("EncryptionFailure", "cannot use the key", "kms_key"),
        ("InvalidParameterException", "does not take the name", "128"),
        ("InternalServiceError", "out of order", "push again"),
        ("SomethingNewException", "AWS refused", "by hand"),
    ];
    for client in [Client::One, Client::Two] {
        let mut lab = Lab::new(spec, &[SECOND]);
        if cloud::aws(&mut lab, client).is_none() {
            return;
        }
        lab.variables
            .push(("AWS_RETRY_MODE".to_owned(), "standard".to_owned()));
        for (kind, what, remedy) in complaints {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            cloud::endpoint(&mut lab, listener.local_addr().unwrap().port());
            let kind = kind.to_owned();
            thread::spawn(move || complain(&listener, &kind));
            let (code, text) = lab.tlsgen(&["secrets", "push"], &[("A", SECOND)]);
            assert_eq!((code, text.matches("error[").count()), (2, 1), "{text}");
            assert!(
                text.contains(what) && text.contains(remedy),
                "{kind_of}: {text}",
                kind_of = what
            );
        }
        // Nobody listens.
        cloud::endpoint(&mut lab, port::free());
        let began = Instant::now();
        let (code, text) = lab.tlsgen(&["secrets", "push"], &[("A", SECOND)]);
        assert_eq!((code, text.matches("error[").count()), (2, 1), "{text}");
        assert!(text.contains("AWS cannot be reached"), "{text}");
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "{:?}",
            began.elapsed()
        );
        // No login, and no region.
        lab.variables.retain(|(name, _)| {
            !name.starts_with("AWS_") || name == "AWS_REGION" || name == "AWS_ENDPOINT_URL"
        });
        lab.variables
            .push(("AWS_EC2_METADATA_DISABLED".to_owned(), "true".to_owned()));
        let (code, text) = lab.tlsgen(&["secrets", "push"], &[("A", SECOND)]);
        assert_eq!(code, 2);
        assert!(text.contains("`aws` has no credentials"), "{text}");
        lab.variables
            .retain(|(name, _)| name != "AWS_REGION" && name != "AWS_ENDPOINT_URL");
        if client == Client::One {
            let (code, text) = lab.tlsgen(&["secrets", "push"], &[("A", SECOND)]);
            assert_eq!(code, 2);
            assert!(
                text.contains("knows no region") || text.contains("has no credentials"),
                "{text}"
            );
        }
    }
}

/// Answers every request with an error, and repeats what it was sent, as careless servers do.
fn complain(listener: &TcpListener, kind: &str) {
    for stream in listener.incoming().flatten() {
        let mut stream = stream;
        let mut text = Vec::new();
        let mut part = [0; 4096];
        let _ = stream.set_read_timeout(Some(Duration::from_millis(300)));
        while let Ok(read @ 1..) = stream.read(&mut part) {
            text.extend_from_slice(&part[..read]);
            if complete(&text) {
                break;
            }
        }
        let code = kind.split(':').next().unwrap_or(kind);
        let sent = String::from_utf8_lossy(&text).into_owned();
        let message = format!("{kind} of {sent} {SECOND}");
        let body = serde_json::json!({"__type": code, "message": message}).to_string();
        let head = format!(
            "HTTP/1.1 400 Bad Request\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        let _ = stream
            .write_all(head.as_bytes())
            .and_then(|()| stream.write_all(body.as_bytes()));
    }
}

fn complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let head = head.to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    length.is_some_and(|length| body.len() >= length.trim().parse().unwrap_or(0))
}
