//! A node with one module on it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::support::{checkout, judge, program, succeed, text, utf8};

/// A node with one module on it; it is gone when this is.
pub struct Node {
    own: TempDir,
}

/// What came of a program of the module.
pub struct Done {
    pub success: bool,
    pub printed: String,
    pub said: String,
}

impl Node {
    /// A node on which a project is installed: what it builds, with the label beside it.
    pub fn with((project, imageroot): (&str, &str)) -> Option<Self> {
        let python = judge("python-judges")?;
        let own = tempfile::tempdir().unwrap();
        let node = Self { own };
        for directory in [
            "home",
            "bin",
            "traefik/configs",
            "traefik/certificates",
            "active",
            "failing",
        ] {
            fs::create_dir_all(node.path(directory)).unwrap();
        }
        let built = node.path("project");
        succeed(Command::new("cp").args(["-rp", text(&checkout().join(project)), text(&built)]));
        succeed(
            Command::new(env!("CARGO_BIN_EXE_tlsgen"))
                .current_dir(&built)
                .arg("build"),
        );
        let imageroot = built.join(imageroot);
        let installed = node.path("home/.config");
        succeed(Command::new("cp").args(["-rp", text(&imageroot), text(&installed)]));
        fs::create_dir(installed.join("state")).unwrap();
        let label = format!("{}.labels", text(&imageroot));
        fs::copy(label, node.path("traefik/label")).unwrap();
        node.environment("");
        // The node's own Python has the agent's package.
        let wrapper = format!(
            "#!/bin/sh\nPYTHONPATH={} PYTHONDONTWRITEBYTECODE=1 exec {} \"$@\"\n",
            text(&stand_in("node")),
            text(&python),
        );
        program::put(&node.path("bin/python3"), wrapper, 0o755);
        Some(node)
    }

    /// Runs the steps of an action.
    pub fn action(&self, name: &str, input: &str) -> Done {
        self.node("action", name, input)
    }

    /// Has the handlers of an event told.
    pub fn event(&self, name: &str, event: &str) -> Done {
        self.node("event", name, event)
    }

    /// Starts a unit as systemd would.
    pub fn start(&self, unit: &str) -> Done {
        self.node("unit", unit, "")
    }

    /// Traefik has a new certificate for a name.
    pub fn issue(&self, name: &str) {
        let issued = self.node("issue", name, "");
        assert!(issued.success, "{}", issued.said);
    }

    /// What the module's environment holds.
    pub fn environment(&self, text: &str) {
        fs::write(self.state_path("environment"), text).unwrap();
    }

    /// Something that Traefik knows.
    pub fn traefik(&self, name: &str, text: &str) {
        fs::write(self.path("traefik").join(name), text).unwrap();
    }

    /// What Traefik was told under a name.
    pub fn config(&self, name: &str) -> Option<Value> {
        let text = fs::read(self.path(&format!("traefik/configs/{name}.json"))).ok()?;
        Some(serde_json::from_slice(&text).unwrap())
    }

    /// The actions that Traefik was asked for.
    pub fn tasks(&self) -> Vec<String> {
        let action = |task: &Value| task["action"].as_str().unwrap().to_owned();
        self.all_tasks().iter().map(action).collect()
    }

    /// What systemd was told.
    pub fn told(&self) -> Vec<String> {
        let told = fs::read_to_string(self.path("told")).unwrap_or_default();
        told.lines().map(str::to_owned).collect()
    }

    /// The status of the last action.
    pub fn status(&self) -> String {
        fs::read_to_string(self.path("status")).unwrap()
    }

    /// A file of the module's state.
    pub fn state(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.state_path(path)).ok()
    }

    /// The permissions of one.
    pub fn mode(&self, path: &str) -> Option<u32> {
        let metadata = fs::metadata(self.state_path(path)).ok()?;
        Some(metadata.permissions().mode() & 0o777)
    }

    /// Where it is.
    pub fn state_path(&self, path: &str) -> PathBuf {
        self.path("home/.config/state").join(path)
    }

    /// A unit runs.
    pub fn run(&self, unit: &str) {
        fs::write(self.path("active").join(unit), "").unwrap();
    }

    /// A unit runs no more.
    pub fn stops(&self, unit: &str) {
        fs::remove_file(self.path("active").join(unit)).unwrap();
    }

    /// A unit does not do what it is told.
    pub fn fails(&self, unit: &str) {
        fs::write(self.path("failing").join(unit), "").unwrap();
    }

    /// And then it does.
    pub fn mended(&self, unit: &str) {
        fs::remove_file(self.path("failing").join(unit)).unwrap();
    }

    /// The same with all that was said.
    pub fn all_tasks(&self) -> Vec<Value> {
        let tasks = fs::read_to_string(self.path("traefik/tasks")).unwrap_or_default();
        let tasks = tasks.lines();
        tasks
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn node(&self, what: &str, name: &str, input: &str) -> Done {
        let bin = self.path("bin");
        let path = format!(
            "{}:{}:/usr/local/bin:/usr/bin:/bin",
            text(&bin),
            text(&stand_in("bin"))
        );
        let given = self.path("input");
        fs::write(&given, input).unwrap();
        let output = Command::new(bin.join("python3"))
            .args([text(&stand_in("node/node.py")), what, name])
            .env_clear()
            .envs([
                ("HOME", text(&self.path("home"))),
                ("NODE_PATH", &path),
                ("PATH", &path),
            ])
            .stdin(Stdio::from(fs::File::open(given).unwrap()))
            .output()
            .unwrap();
        Done {
            success: output.status.success(),
            printed: utf8(&output.stdout),
            said: utf8(&output.stderr),
        }
    }

    /// A path of the node.
    pub fn path(&self, below: &str) -> PathBuf {
        self.own.path().join(below)
    }
}

fn stand_in(below: &str) -> PathBuf {
    Path::new(checkout())
        .join("tests/real/nethserver")
        .join(below)
}
