//! A project on the lab's Docker engine.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

use super::project::Project;
use super::{checkout, judge, succeed, there, utf8};

/// A project whose containers run; nothing of it is left when this is gone.
pub struct Lab {
    pub project: Project,
    compose: PathBuf,
    engine: String,
    name: String,
}

impl Lab {
    /// An empty project; without the engine and its images the test is skipped.
    pub fn find() -> Option<Self> {
        let compose = judge("docker-compose")?;
        let script = checkout().join("tests/real/lab/engine.sh");
        let host = succeed(Command::new("sh").arg(script).arg("host"));
        let engine = utf8(&host.stdout).trim().to_owned();
        let images = ["tlsgen-lab/clients", "tlsgen-lab/server"];
        let inspected = Command::new("docker")
            .args(["--host", &engine, "image", "inspect"])
            .args(images)
            .output();
        let ready = inspected.is_ok_and(|output| output.status.success());
        there(
            ready,
            "the lab's engine and images: run tests/real/lab/engine.sh start, and images.sh",
        )
        .then(|| Self {
            name: format!("tlsgen-test-{}", std::process::id()),
            project: Project::new(),
            compose,
            engine,
        })
    }

    /// The clients' image with an entrypoint.
    pub fn image_with_entrypoint(&self, words: &str) -> String {
        let image = format!("{}-image", self.name);
        self.project.write(
            "image/Dockerfile",
            format!("FROM tlsgen-lab/clients\nENTRYPOINT {words}\n"),
        );
        let build = ["build", "--quiet", "--network", "none", "--tag", &image];
        succeed(self.docker(&build).arg(self.project.path("image")));
        image
    }

    fn docker(&self, arguments: &[&str]) -> Command {
        let mut docker = Command::new("docker");
        docker
            .env("DOCKER_HOST", &self.engine)
            .env("DOCKER_BUILDKIT", "0")
            .args(arguments);
        docker
    }

    pub fn compose(&self, files: &[&str], arguments: &[&str]) -> Command {
        let mut compose = Command::new(&self.compose);
        compose
            .current_dir(self.project.path(""))
            .env("DOCKER_HOST", &self.engine);
        compose.args(["--progress=quiet", "--project-name", &self.name]);
        for file in files {
            compose.args(["-f", file]);
        }
        compose.args(arguments);
        compose
    }

    pub fn up(&self, files: &[&str]) {
        let output = succeed(&mut self.compose(files, &["up", "--detach", "--timeout", "1"]));
        assert_eq!(utf8(&output.stderr), "", "up {files:?}");
    }

    pub fn exec(&self, service: &str, command: &[&str]) -> Output {
        let container = format!("{}-{service}-1", self.name);
        self.docker(&["exec", &container])
            .args(command)
            .output()
            .unwrap()
    }

    pub fn logs(&self, service: &str) -> String {
        let container = format!("{}-{service}-1", self.name);
        let output = self.docker(&["logs", &container]).output().unwrap();
        utf8(&output.stdout) + &utf8(&output.stderr)
    }

    pub fn inspect(&self, service: &str) -> Value {
        let container = format!("{}-{service}-1", self.name);
        let output = succeed(&mut self.docker(&["inspect", &container]));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()[0].clone()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let down = ["down", "--volumes", "--remove-orphans", "--timeout", "0"];
        let _ = self.compose(&["compose.yml"], &down).output();
        let _ = self
            .docker(&["image", "rm", "--force", &format!("{}-image", self.name)])
            .output();
    }
}
