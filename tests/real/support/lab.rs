//! A project on the lab's Docker engine.

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use serde_json::Value;

use super::project::Project;
use super::{checkout, judge, succeed, there, utf8};

/// A project whose containers run; nothing of it is left when this is gone.
pub struct Lab {
    pub project: Project,
    compose: PathBuf,
    engine: String,
    /// What its containers, networks and images are called after.
    pub name: String,
}

impl Lab {
    /// An empty project; without the engine and its images the test is skipped.
    pub fn find() -> Option<Self> {
        Self::with(
            &["tlsgen-lab/clients", "tlsgen-lab/server"],
            "the lab's engine and images: run tests/real/lab/engine.sh start, and images.sh",
        )
    }

    /// The same for what the examples run.
    pub fn with_stand_ins() -> Option<Self> {
        Self::with(
            &["tlsgen-lab/server", "python:3.13-slim", "redis:7.4"],
            "the images that examples name: run tests/real/lab/engine.sh start, images.sh, and stand-ins.sh",
        )
    }

    /// The same for nginx in front of an application.
    pub fn with_nginx() -> Option<Self> {
        Self::with(
            &["tlsgen-lab/nginx", "tlsgen-lab/server"],
            "the lab's engine and images: run tests/real/lab/engine.sh start, and images.sh",
        )
    }

    /// The same for nginx in front of what the examples run.
    pub fn with_nginx_and_stand_ins() -> Option<Self> {
        Self::with(
            &["tlsgen-lab/nginx", "python:3.13-slim"],
            "nginx and the images that examples name: run tests/real/lab/engine.sh start, images.sh, and stand-ins.sh",
        )
    }

    fn with(images: &[&str], what: &str) -> Option<Self> {
        static LABS: AtomicU32 = AtomicU32::new(0);
        let compose = judge("docker-compose")?;
        let script = checkout().join("tests/real/lab/engine.sh");
        let host = succeed(Command::new("sh").arg(script).arg("host"));
        let engine = utf8(&host.stdout).trim().to_owned();
        let inspected = Command::new("docker")
            .args(["--host", &engine, "image", "inspect"])
            .args(images)
            .output();
        let ready = inspected.is_ok_and(|output| output.status.success());
        there(ready, what).then(|| Self {
            name: format!(
                "tlsgen-test-{}-{}",
                std::process::id(),
                LABS.fetch_add(1, Ordering::Relaxed)
            ),
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
            .env("DOCKER_HOST", &self.engine)
            .env("DOCKER_BUILDKIT", "0");
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

    /// A line for a shell as the plan prints it, from the project's directory.
    pub fn shell(&self, line: &str) -> Command {
        let plugins = self.project.path(".docker/cli-plugins");
        fs::create_dir_all(&plugins).unwrap();
        let plugin = plugins.join("docker-compose");
        if !plugin.exists() {
            symlink(&self.compose, plugin).unwrap();
        }
        let mut shell = Command::new("sh");
        shell
            .current_dir(self.project.path(""))
            .env("DOCKER_HOST", &self.engine)
            .env("DOCKER_CONFIG", self.project.path(".docker"))
            .env("COMPOSE_PROJECT_NAME", &self.name)
            .args(["-c", line]);
        shell
    }

    pub fn exec(&self, service: &str, command: &[&str]) -> Output {
        self.exec_with(service, &[], command).output().unwrap()
    }

    /// With options of `docker exec`.
    pub fn exec_with(&self, service: &str, options: &[&str], command: &[&str]) -> Command {
        let container = format!("{}-{service}-1", self.name);
        let mut docker = self.docker(&["exec"]);
        docker.args(options).arg(container).args(command);
        docker
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

    /// Waits until the health of a service is as wanted.
    pub fn wait_until(&self, service: &str, health: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let state = self.inspect(service)["State"].clone();
            if state["Health"]["Status"] == health {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "{service} is not {health}: {state:#}\n{}",
                self.logs(service)
            );
            thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let down = ["down", "--volumes", "--remove-orphans", "--timeout", "0"];
        let _ = self.compose(&[], &down).output();
        let pattern = format!("reference={}-*", self.name);
        let list = [
            "images",
            "--format",
            "{{.Repository}}",
            "--filter",
            &pattern,
        ];
        let Ok(built) = self.docker(&list).output() else {
            return;
        };
        let _ = self
            // The layers below may be those of a test that runs beside.
            .docker(&["image", "rm", "--force", "--no-prune"])
            .args(utf8(&built.stdout).lines())
            .output();
    }
}
