//! moto's server, and both versions of the AWS command line.

use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::lab::Lab;
use crate::support::{checkout, judge, port};

/// A version of the AWS command line.
#[derive(Clone, Copy, PartialEq)]
pub enum Client {
    One,
    Two,
}

pub struct Cloud {
    server: Child,
    port: u16,
}

impl Cloud {
    pub fn start(lab: &mut Lab, client: Client) -> Option<Self> {
        let python = judge("python-aws")?;
        aws(lab, client)?;
        let port = port::free();
        let server = lab
            .command(python.to_str().unwrap())
            .arg(checkout().join("target/judges/venv-aws/bin/moto_server"))
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .env_remove("SSLKEYLOGFILE")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let cloud = Self { server, port };
        answers(port, &mut || {});
        endpoint(lab, port);
        Some(cloud)
    }

    /// What the client says, which succeeds.
    pub fn asked(&self, lab: &Lab, words: &[&str]) -> Value {
        let _ = self.port;
        let output = lab
            .command("aws")
            .arg("secretsmanager")
            .args(words)
            .output();
        let output = output.unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {said}");
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    }

    pub fn value(&self, lab: &Lab, name: &str) -> String {
        let read = self.asked(lab, &["get-secret-value", "--secret-id", name]);
        read["SecretString"].as_str().unwrap().to_owned()
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Has a lab's commands find a version of the client, with credentials.
pub fn aws(lab: &mut Lab, client: Client) -> Option<()> {
    match client {
        Client::One => {
            let python = judge("python-aws")?;
            let script = checkout().join("target/judges/venv-aws/bin/aws");
            let words = format!("exec '{}' '{}' \"$@\"", python.display(), script.display());
            lab.program("aws", &words);
        }
        // One of before 2.13, which knows no `AWS_ENDPOINT_URL`.
        Client::Two => {
            let program = judge("aws-2")?;
            let program = program.display();
            lab.program(
                "aws",
                &format!("[ \"$1\" != configure ] || exec '{program}' \"$@\"\nexec '{program}' --endpoint-url \"$AWS_ENDPOINT_URL\" \"$@\""),
            );
        }
    }
    let variables = [
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("AWS_MAX_ATTEMPTS", "2"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    lab.variables.extend(variables);
    Some(())
}

/// Has the client ask there.
pub fn endpoint(lab: &mut Lab, port: u16) {
    let url = format!("http://127.0.0.1:{port}");
    lab.variables.push(("AWS_ENDPOINT_URL".to_owned(), url));
}

/// Waits until somebody listens.
pub fn answers(port: u16, between: &mut dyn FnMut()) {
    for _ in 0..600 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return;
        }
        between();
        thread::sleep(Duration::from_millis(100));
    }
    panic!("nobody answers at {port}");
}
