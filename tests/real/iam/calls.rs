//! Calls of the real client of AWS, which moto's server allows or refuses by the written documents.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::support::program::put;
use super::support::{checkout, judge, text};
use super::{expected, program};

/// What is there before anybody calls: names of secrets, each with its region.
const SECRETS: [(&str, &str); 7] = [
    ("tower-1", "eu-west-1"),
    ("other", "eu-west-1"),
    ("prod/git/db", "eu-west-1"),
    ("prod/git/db-replica", "eu-west-1"),
    ("platform/db", "eu-west-1"),
    ("API_TOKEN", "eu-central-1"),
    ("API_TOKEN", "eu-west-1"),
];

/// What is tried by each, in an order in which what is deleted is there. `ROLE` is whoever calls.
const CALLS: [(&str, &str); 20] = [
    ("list", "secretsmanager list-secrets"),
    (
        "list at once",
        "secretsmanager batch-get-secret-value --secret-id-list tower-1",
    ),
    (
        "create",
        "secretsmanager create-secret --name tower-ROLE --secret-string x",
    ),
    (
        "create other",
        "secretsmanager create-secret --name mine-ROLE --secret-string x",
    ),
    (
        "describe",
        "secretsmanager describe-secret --secret-id tower-1",
    ),
    (
        "describe other",
        "secretsmanager describe-secret --secret-id other",
    ),
    (
        "change",
        "secretsmanager put-secret-value --secret-id tower-1 --secret-string y",
    ),
    (
        "read",
        "secretsmanager get-secret-value --secret-id tower-1",
    ),
    (
        "read other",
        "secretsmanager get-secret-value --secret-id other",
    ),
    (
        "read db",
        "secretsmanager get-secret-value --secret-id prod/git/db",
    ),
    (
        "read replica",
        "secretsmanager get-secret-value --secret-id prod/git/db-replica",
    ),
    (
        "read platform",
        "secretsmanager get-secret-value --secret-id platform/db",
    ),
    (
        "read token",
        "--region eu-central-1 secretsmanager get-secret-value --secret-id API_TOKEN",
    ),
    (
        "read token here",
        "secretsmanager get-secret-value --secret-id API_TOKEN",
    ),
    (
        "delete other",
        "secretsmanager delete-secret --secret-id other",
    ),
    (
        "delete",
        "secretsmanager delete-secret --secret-id tower-ROLE",
    ),
    (
        "look at execution",
        "iam get-role --role-name lab-ExecutionRole",
    ),
    ("look at another", "iam get-role --role-name another"),
    (
        "widen",
        "iam put-role-policy --role-name lab-ExecutionRole --policy-name x --policy-document {}",
    ),
    ("decrypt", "kms list-keys"),
];

const ADMINISTRATION: &[&str] = &["list", "create", "describe", "delete"];

#[test]
fn real_calls_of_each_role_are_allowed_and_refused() {
    let Some(python) = judge("python-aws") else {
        return;
    };
    for (case, roles) in [
        (
            "compiles-iam",
            &[
                ("platform", ADMINISTRATION),
                ("platform-user", ADMINISTRATION),
                ("platform-group", ADMINISTRATION),
                ("execution", &["read"]),
                ("head-job", &["list", "look at execution"]),
                ("head-instance", &["list"]),
                ("2nd-head", &["list"]),
            ][..],
        ),
        (
            "compiles-iam-services",
            &[
                ("execution", &["read", "read db", "read token"]),
                ("cron", &["read db"]),
            ],
        ),
        (
            "compiles-iam-in-eks",
            &[
                ("platform", ADMINISTRATION),
                ("backend", &["read platform"]),
                ("external-secrets", &["read platform"]),
            ],
        ),
    ] {
        let server = Server::start(&python);
        let admin = Client::admin(&server);
        for (name, region) in SECRETS {
            admin.allowed(
                &format!(
                    "--region {region} secretsmanager create-secret --name {name} --secret-string x"
                )
                .split(' ')
                .collect::<Vec<_>>(),
            );
        }
        admin.allowed(&[
            "iam",
            "create-role",
            "--role-name",
            "another",
            "--assume-role-policy-document",
            "{}",
        ]);
        let clients: Vec<(&str, Client<'_>, &[&str])> = roles
            .iter()
            .map(|(role, may)| (*role, admin.role(role, case), *may))
            .collect();
        let named = judged_roles(case);
        assert_eq!(clients.len(), named, "{case}: each role is asked");
        server.enforce();
        for (role, client, may) in &clients {
            for (call, words) in CALLS {
                let words = words.replace("ROLE", role);
                let words: Vec<&str> = words.split(' ').collect();
                match may.contains(&call) {
                    true => client.allowed(&words),
                    false => client.refused(&words),
                };
            }
        }
    }
}

/// moto's server, stopped when this is gone.
pub struct Server {
    child: Child,
    port: u16,
    /// The client that calls it: one after the other.
    client: RefCell<(Child, BufReader<ChildStdout>)>,
}

impl Server {
    pub fn start(python: &Path) -> Self {
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
        let script = checkout().join("tests/real/iam/client.py");
        let mut client = Command::new(python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(client.stdout.take().unwrap());
        Self {
            child,
            port: line.trim().parse().unwrap(),
            client: RefCell::new((client, answers)),
        }
    }

    /// What came of a call: its code, and what was said on both outputs.
    fn call(&self, words: &[&str], environment: &BTreeMap<String, String>) -> [Value; 3] {
        let (client, answers) = &mut *self.client.borrow_mut();
        let call = json!({"words": words, "environment": environment});
        writeln!(client.stdin.as_mut().unwrap(), "{call}").unwrap();
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        ["code", "out", "err"].map(|field| answer[field].clone())
    }

    /// From now on every call is asked for its permission.
    pub fn enforce(&self) {
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
        let (client, _) = self.client.get_mut();
        drop(client.stdin.take());
        for child in [&mut self.child, client] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The real client of AWS, as somebody.
pub struct Client<'a> {
    server: &'a Server,
    keys: Option<[String; 3]>,
}

impl<'a> Client<'a> {
    /// Whoever may do anything, until permissions are asked for.
    pub fn admin(server: &'a Server) -> Self {
        Self { server, keys: None }
    }

    /// The same server, by the same person, for another program.
    pub fn environment(&self) -> BTreeMap<String, String> {
        let [key, secret, token] = match &self.keys {
            Some(keys) => keys.clone(),
            None => ["AKIAADMIN".to_owned(), "x".to_owned(), String::new()],
        };
        let url = format!("http://127.0.0.1:{}", self.server.port);
        let mut all: BTreeMap<String, String> = [
            ("AWS_ENDPOINT_URL", url.as_str()),
            ("AWS_DEFAULT_REGION", "eu-west-1"),
            ("AWS_DEFAULT_OUTPUT", "json"),
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
            ("AWS_ACCESS_KEY_ID", &key),
            ("AWS_SECRET_ACCESS_KEY", &secret),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        if !token.is_empty() {
            all.insert("AWS_SESSION_TOKEN".to_owned(), token);
        }
        all
    }

    /// `aws` in a directory of its own below this one.
    pub fn put_on_path(&self, directory: &Path) {
        let command = program("aws").unwrap();
        let words: Vec<String> = [command.get_program()]
            .into_iter()
            .chain(command.get_args())
            .map(|word| format!("'{}'", word.to_str().unwrap()))
            .collect();
        let script = format!("#!/bin/sh\nexec {} \"$@\"\n", words.join(" "));
        put(&directory.join("bin/aws"), script, 0o755);
    }

    /// Where programs are, with that one in front.
    pub fn path_with(&self, directory: &Path) -> String {
        let path = std::env::var("PATH").unwrap();
        format!("{}:{path}", directory.join("bin").display())
    }

    pub fn allowed(&self, words: &[&str]) -> Value {
        let [code, out, err] = self.server.call(words, &self.environment());
        assert_eq!(code, 0, "{words:?}: {err}");
        serde_json::from_str(out.as_str().unwrap()).unwrap_or(Value::Null)
    }

    pub fn refused(&self, words: &[&str]) -> Value {
        let [code, out, err] = self.server.call(words, &self.environment());
        assert!(
            code != 0 && err.as_str().unwrap().contains("AccessDenied"),
            "{words:?}: {err}{out}"
        );
        Value::Null
    }

    /// Somebody who has the written documents: who has taken on a role that is made of them, or a user.
    pub fn role(&self, role: &str, case: &str) -> Client<'a> {
        let directory = expected(case);
        let roles = fs::read_to_string(directory.join("roles.json")).unwrap();
        let roles: Value = serde_json::from_str(&roles).unwrap();
        let about = &roles["roles"][role];
        let name = about["name"].as_str().unwrap();
        let file = |name: &str| format!("file://{}", text(&directory.join(name)));
        let policy = file(about["policies"][0].as_str().unwrap());
        let (policy, called) = (policy.as_str(), about["policy_names"][0].as_str().unwrap());
        if role.ends_with("-user") {
            self.allowed(&["iam", "create-user", "--user-name", name]);
            self.allowed(&[
                "iam",
                "put-user-policy",
                "--user-name",
                name,
                "--policy-name",
                called,
                "--policy-document",
                policy,
            ]);
            return self.user(name);
        }
        if role.ends_with("-group") {
            let made = self.allowed(&[
                "iam",
                "create-policy",
                "--policy-name",
                called,
                "--policy-document",
                policy,
            ]);
            let arn = made["Policy"]["Arn"].as_str().unwrap();
            self.allowed(&["iam", "create-group", "--group-name", name]);
            self.allowed(&[
                "iam",
                "attach-group-policy",
                "--group-name",
                name,
                "--policy-arn",
                arn,
            ]);
            self.allowed(&["iam", "create-user", "--user-name", "member"]);
            self.allowed(&[
                "iam",
                "add-user-to-group",
                "--group-name",
                name,
                "--user-name",
                "member",
            ]);
            return self.user("member");
        }
        // Of a role that is there already, somebody else says who may take it on.
        let trust = about["trust"].as_str().map_or("{}".to_owned(), file);
        let made = self.allowed(&[
            "iam",
            "create-role",
            "--role-name",
            name,
            "--assume-role-policy-document",
            &trust,
        ]);
        self.allowed(&[
            "iam",
            "put-role-policy",
            "--role-name",
            name,
            "--policy-name",
            called,
            "--policy-document",
            policy,
        ]);
        let arn = made["Role"]["Arn"].as_str().unwrap();
        self.taken_on(arn)
    }

    /// Somebody who has taken on a role.
    pub fn taken_on(&self, arn: &str) -> Client<'a> {
        let taken = self.allowed(&[
            "sts",
            "assume-role",
            "--role-arn",
            arn,
            "--role-session-name",
            "test",
        ]);
        self.with_keys(&taken["Credentials"])
    }

    fn user(&self, name: &str) -> Client<'a> {
        let made = self.allowed(&["iam", "create-access-key", "--user-name", name]);
        self.with_keys(&made["AccessKey"])
    }

    fn with_keys(&self, keys: &Value) -> Client<'a> {
        let key = |name: &str| keys[name].as_str().unwrap_or("").to_owned();
        Client {
            server: self.server,
            keys: Some([
                key("AccessKeyId"),
                key("SecretAccessKey"),
                key("SessionToken"),
            ]),
        }
    }
}

fn judged_roles(case: &str) -> usize {
    let roles = fs::read_to_string(expected(case).join("roles.json")).unwrap();
    let roles: Value = serde_json::from_str(&roles).unwrap();
    roles["roles"].as_object().unwrap().len()
}
