//! What docs/kubernetes.md has for Argo CD and kustomize works as it is written there.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tlsgen::source::Sources;
use tlsgen::yaml::{Node, parse, parse_documents};

const APPLICATION: &str = "\
# The application
apiVersion: apps/v1
kind: Deployment
metadata:
  name: backend # the one
spec:
  selector: {matchLabels: {app: backend}}
  template:
    metadata: {labels: {app: backend}}
    spec:
      containers:
      - name: backend
        image: example/backend:1
        env:
        - {name: JAVA_TOOL_OPTIONS, value: -Xmx1g}
";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn document(name: &str) -> (String, Value) {
    let path = root().join("docs/kubernetes").join(name);
    let text = fs::read_to_string(path).expect("it is committed");
    let mut sources = Sources::default();
    let id = sources.add(name, text.as_str());
    (text, parse(&sources, id).expect("it is YAML").to_json())
}

/// A project with the example's CA and, as `tlsgen.yaml`, the spec of the documented function.
fn project() -> tempfile::TempDir {
    let project = tempfile::tempdir().expect("a directory");
    let path = project.path();
    fs::create_dir(path.join("pki")).expect("it can be made");
    fs::copy(
        root().join("examples/tower/pki/corp.pem"),
        path.join("pki/corp.pem"),
    )
    .expect("it is committed");
    let (_, function) = document("tlsgen-function.yaml");
    let mut spec = serde_json::json!({"version": 1, "project": "tower"});
    for (field, value) in function["spec"].as_object().expect("a spec") {
        spec[field] = value.clone();
    }
    spec["targets"]["cluster"]["files"] = serde_json::json!(["app.yaml"]);
    spec["targets"]["cluster"]["output"] = serde_json::json!("tls");
    fs::write(path.join("tlsgen.yaml"), spec.to_string()).expect("it can be written");
    fs::write(path.join("app.yaml"), APPLICATION).expect("it can be written");
    project
}

fn run(directory: &Path, command: &str, input: &str) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_tlsgen"))
        .parent()
        .expect("a directory");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut child = Command::new("sh")
        .args(["-c", command])
        .current_dir(directory)
        .env("PATH", format!("{}:{path}", program.display()))
        .env("TLSGEN_AS_OF", "2026-11-22")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("sh runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    // Who needs no input does not wait for it.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

fn generate() -> String {
    let (_, plugin) = document("argocd-plugin.yaml");
    let generate = &plugin["spec"]["generate"];
    assert_eq!(generate["command"], serde_json::json!(["sh", "-c"]));
    generate["args"][0].as_str().expect("a command").to_owned()
}

#[test]
fn the_plugin_prints_all_manifests() {
    let project = project();
    for command in [
        generate(),
        format!("export PARAM_TARGET=cluster; {}", generate()),
    ] {
        let output = run(project.path(), &command, "");
        assert!(output.status.success(), "{output:?}");
        let stream = String::from_utf8(output.stdout).expect("text");
        assert!(stream.starts_with("# The application\n"), "{stream}");
        let mut sources = Sources::default();
        let id = sources.add("stream", stream.as_str());
        let all = parse_documents(&sources, id).expect("manifests");
        let kinds: Vec<_> = all
            .iter()
            .filter_map(|one| one.get("kind")?.text())
            .collect();
        assert_eq!(kinds, ["Deployment", "ConfigMap"]);
        let deployment = all.first().map(Node::to_json).expect("it is there");
        let env = deployment.pointer("/spec/template/spec/containers/0/env/0/value");
        let env = env.and_then(Value::as_str).unwrap_or_default();
        assert!(
            env.starts_with("-Xmx1g -Djavax.net.ssl.trustStore="),
            "{env}"
        );
    }
    let left = fs::read_dir(project.path()).expect("a directory").count();
    assert_eq!(left, 3, "nothing is written");
}

#[test]
fn a_plugin_that_fails_prints_nothing() {
    let project = project();
    let breaks: [(&str, &str); 4] = [
        ("app.yaml", "kind: [\n"),
        ("app.yaml", ""),
        (
            "app.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: other}\n",
        ),
        ("tlsgen.yaml", "version: 1\nproject: tower\n"),
    ];
    for (file, text) in breaks {
        fs::write(project.path().join(file), text).expect("it can be written");
        let output = run(project.path(), &generate(), "");
        assert!(!output.status.success(), "{file}: {text}");
        assert!(
            output.stdout.is_empty() && !output.stderr.is_empty(),
            "{output:?}"
        );
    }
}

#[test]
fn the_function_adds_to_items_and_says_where_it_cannot() {
    let project = project();
    let (text, _) = document("tlsgen-function.yaml");
    let indented = |text: &str| {
        text.lines()
            .map(|line| format!("  {line}\n"))
            .collect::<String>()
    };
    let item = indented(APPLICATION).replacen("  # The application\n  a", "- a", 1);
    let head = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n";
    let list = format!("{head}{item}functionConfig:\n{}", indented(&text));
    let output = run(project.path(), "tlsgen krm", &list);
    assert!(output.status.success(), "{output:?}");
    let once = String::from_utf8(output.stdout).expect("text");
    assert!(once.contains("name: backend # the one\n"), "{once}");
    assert!(once.contains("kind: ConfigMap"), "{once}");
    let again = run(project.path(), "tlsgen krm", &list);
    assert_eq!(
        once.as_bytes(),
        again.stdout,
        "the same input gives the same bytes"
    );
    let file = "functionConfig: {file: tlsgen.yaml, target: cluster}\n";
    let by_file = run(project.path(), "tlsgen krm", &format!("{head}{item}{file}"));
    assert!(by_file.status.success(), "{by_file:?}");

    let wrong = list.replace("trust: [corp]", "trust: [corpo]");
    let output = run(project.path(), "tlsgen krm", &wrong);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).expect("text");
    assert!(
        said.starts_with(&wrong),
        "the items are as they came: {said}"
    );
    assert!(
        said.contains("path: spec.services.backend.trust[0]"),
        "{said}"
    );
    let output = run(project.path(), "tlsgen krm", "apiVersion: v1\n");
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty(), "{output:?}");
}
