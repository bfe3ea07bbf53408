//! Calls of the real client of AWS, which moto's server allows or refuses by the written documents.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use super::expected;
use super::support::{checkout, judge, utf8};

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
