//! Real values, through the real kubectl into a stand-in of the Kubernetes API.

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::cloud::answers;
use crate::lab::Lab;
use crate::support::{self, checkout, judge, port, text};
use crate::watched::{Watched, holding, told};

const SPEC: &str = "
version: 1
project: tower
secrets:
  DB_PASSWORD: {from: {env: DB_PASSWORD}, store: kubernetes}
  TOKEN:
    - {from: {env: TOKEN}, store: kubernetes, name: api.token}
    - {from: {file: private/alice}, store: kubernetes, scope: {user: alice}}
  MAIL: {from: {file: private/mail}, store: kubernetes, object: mail, name: password}
targets:
  cluster: {kind: kubernetes, namespace: tower, files: [pods.yaml], output: k8s, services: {}}
";
const FIRST: &str = concat!("first-Qz7wLk2!\"\u{e9}\r\n", include_str!("long.txt"));
const SECOND: &str = "second-Wx8bNm4'$HOME;#";
const TOKEN: &str = "token-Ce4vBt7y";
const ALICES: &str = "alices-Ev9cTr1\nof two lines";
const VALUES: [&str; 4] = [FIRST, SECOND, TOKEN, ALICES];

#[test]
fn values_reach_the_cluster_and_nothing_else() {
    for kubectl in ["kubectl", "kubectl-oldest"] {
        let mut lab = lab();
        let Some(cluster) = Cluster::start(&mut lab, kubectl) else {
            return;
        };
        reaches_the_cluster(&lab, &cluster);
    }
}

fn reaches_the_cluster(lab: &Lab, cluster: &Cluster) {
    // What is the user's own: another key, labels and annotations.
    let annotations =
        json!({"kubectl.kubernetes.io/last-applied-configuration": "{}", "note": "mine"});
    cluster.put(&json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {"name": "mail", "namespace": "tower", "labels": {"app": "mail"}, "annotations": annotations},
        "data": {"user": "bWU="},
    }));
    // Preferences and aliases of kubectl, which would print what is sent, and a log of it.
    fs::create_dir_all(lab.path("home/.kube")).unwrap();
    fs::write(
        lab.path("home/.kube/kuberc"),
        "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\ndefaults:\n- command: patch\n  options: [{name: dry-run, default: server}]\n- command: create\n  options: [{name: dry-run, default: server}, {name: save-config, default: \"true\"}]\n",
    )
    .unwrap();
    let watched = Watched::start();
    let run = |words: &[&str], value: &str| {
        lab.tlsgen(words, &[("DB_PASSWORD", value), ("TOKEN", TOKEN)])
    };
    let counted = |words: &[&str], value: &str, outcome: &str| {
        let (code, text) = run(words, value);
        (code, text.matches(outcome).count())
    };
    assert_eq!(counted(&["secrets", "check"], FIRST, ": missing"), (1, 4));
    let before = cluster.secrets();
    let dry = ["secrets", "push", "--dry-run"];
    assert_eq!(counted(&dry, FIRST, "would be created"), (0, 4));
    assert_eq!(cluster.secrets(), before);
    assert_eq!(counted(&["secrets", "push"], FIRST, ": created"), (0, 4));
    assert_eq!(cluster.value("tower-secrets", "DB_PASSWORD"), FIRST);
    assert_eq!(cluster.value("tower-secrets", "api.token"), TOKEN);
    assert_eq!(cluster.value("tower-secrets-alice", "TOKEN"), ALICES);
    assert_eq!(cluster.value("mail", "password"), SECOND);
    let mail = cluster.secret("mail");
    assert_eq!(mail["data"]["user"], "bWU=");
    assert_eq!(mail["metadata"]["annotations"], annotations);
    assert_eq!(mail["metadata"]["labels"], json!({"app": "mail"}));
    let ours = cluster.secret("tower-secrets");
    assert_eq!(
        ours["metadata"]["labels"],
        json!({"tlsgen.dev/project": "tower"})
    );
    assert_eq!(
        ours["metadata"].get("annotations"),
        None,
        "nothing keeps a value a second time"
    );

    let before = cluster.secrets();
    assert_eq!(counted(&["secrets", "push"], FIRST, ": same"), (0, 4));
    assert_eq!(
        counted(
            &dry,
            SECOND,
            "DB_PASSWORD in kubernetes: would be changed\n"
        ),
        (0, 1)
    );
    assert_eq!(cluster.secrets(), before);
    assert_eq!(
        counted(
            &["secrets", "push"],
            SECOND,
            "DB_PASSWORD in kubernetes: changed\n"
        ),
        (0, 1)
    );
    assert_eq!(cluster.value("tower-secrets", "DB_PASSWORD"), SECOND);
    assert_eq!(cluster.value("tower-secrets", "api.token"), TOKEN);
    assert_eq!(
        counted(&["secrets", "check"], SECOND, "all 4 secrets are there"),
        (0, 1)
    );

    lab.spec(&SPEC.replace(
        "  DB_PASSWORD: {from: {env: DB_PASSWORD}, store: kubernetes}\n",
        "",
    ));
    let surplus = "tower/tower-secrets/DB_PASSWORD in kubernetes: in no spec";
    // What the spec does not name is the environment's own, and not kept from programs.
    let (code, text) = lab.tlsgen(&["secrets", "check"], &[]);
    assert_eq!((code, text.matches(surplus).count()), (1, 1), "{text}");

    for words in watched.stop("--patch-file=/dev/stdin") {
        assert_eq!(told(&words, &VALUES), None, "a process was told: {words}");
    }
    assert_eq!(
        holding(lab.root(), &VALUES),
        ["private/alice", "private/mail"]
    );
    assert!(
        lab.path("home/.kube/cache").exists(),
        "kubectl keeps something"
    );
}

#[test]
fn each_refusal_of_a_cluster_is_one_finding_with_a_remedy() {
    let mut lab = lab();
    let Some(cluster) = Cluster::start(&mut lab, "kubectl") else {
        return;
    };
    let spec = |rest: &str| {
        lab.spec(&format!(
            "version: 1\nproject: tower\nsecrets:\n  A: {{from: {{env: A}}, store: kubernetes, {rest}}}\n"
        ));
    };
    let push = |value: &str| lab.tlsgen(&["secrets", "push"], &[("A", value)]);
    let refused = |what: &str, remedy: &str| {
        let (code, text) = push(SECOND);
        assert_eq!((code, text.matches("error[").count()), (2, 1), "{text}");
        assert!(text.contains(what) && text.contains(remedy), "{text}");
    };
    spec("namespace: nowhere");
    refused(
        "the cluster has no such namespace",
        "kubectl create namespace nowhere",
    );
    let (code, text) = lab.tlsgen(&["secrets", "push", "--dry-run"], &[("A", SECOND)]);
    assert_eq!(code, 2);
    assert!(text.contains("no such namespace"), "{text}");
    spec("namespace: tower");
    for verb in ["get", "create"] {
        cluster.tell(&json!({"deny": [format!("{verb} secrets")]}));
        refused("the cluster denies access", "auth can-i --list");
    }
    cluster.tell(&json!({"deny": ["get namespaces"], "terminating": ["tower"]}));
    refused("the namespace is being deleted", "push again");
    cluster.tell(&json!({"deny": [], "terminating": []}));

    // Somebody else is quicker.
    let other = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "tower-secrets", "namespace": "tower"}, "data": {"B": "eA=="}});
    cluster.tell(&json!({"race": other}));
    assert_eq!(push(SECOND), (0, "A in kubernetes: created\n".to_owned()));
    assert_eq!(cluster.value("tower-secrets", "A"), SECOND);
    assert_eq!(cluster.value("tower-secrets", "B"), "x");
    cluster.tell(&json!({"deny": ["patch secrets"]}));
    let (code, text) = push(TOKEN);
    assert_eq!(code, 2);
    assert!(text.contains("the cluster denies access"), "{text}");
    cluster.tell(&json!({"deny": []}));

    // What no Secret takes.
    let put = |length: usize| fs::write(lab.path("private/big"), "x".repeat(length)).unwrap();
    lab.spec("version: 1\nproject: tower\nsecrets:\n  A: {from: {file: private/big}, store: kubernetes, namespace: tower}\n");
    put(1_048_575);
    assert_eq!(push(""), (0, "A in kubernetes: changed\n".to_owned()));
    put(1_048_576);
    let (_, text) = push("");
    assert!(
        text.contains("`tower-secrets` would be longer than the 1 MiB"),
        "{text}"
    );
    cluster.put(&json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "fixed", "namespace": "tower"},
        "data": {"A": STANDARD.encode(TOKEN)}, "immutable": true,
    }));
    spec("namespace: tower, object: fixed");
    assert_eq!(push(TOKEN), (0, "A in kubernetes: same\n".to_owned()));
    refused(
        "the Secret `fixed` is immutable",
        "kubectl --namespace tower delete secret fixed",
    );

    // No login, another cluster, none, one that says nothing.
    spec("namespace: tower");
    cluster.tell(&json!({"token": "another"}));
    refused("does not take these credentials", "log in again");
    cluster.tell(&json!({"token": "a-token"}));
    fs::copy(
        lab.path("home/pki/other.pem"),
        lab.path("home/pki/api-root.pem"),
    )
    .unwrap();
    refused(
        "certificate of the cluster is not trusted",
        "certificate-authority",
    );
    let kubeconfig = fs::read_to_string(lab.path("home/kubeconfig")).unwrap();
    let point = |port: u16| {
        let elsewhere = kubeconfig.replace(&format!(":{}", cluster.port), &format!(":{port}"));
        fs::write(lab.path("home/kubeconfig"), elsewhere).unwrap();
    };
    point(port::free());
    lab.spec("version: 1\nproject: tower\nsecrets:\n  A: {from: {env: A}, store: kubernetes, namespace: tower}\n  B: {from: {env: A}, store: kubernetes, namespace: tower}\n");
    refused(
        "the cluster cannot be reached",
        "B in kubernetes: not tried",
    );
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    point(silent.local_addr().unwrap().port());
    let began = Instant::now();
    refused(
        "the cluster cannot be reached",
        "kubectl config current-context",
    );
    let took = began.elapsed();
    assert!(took < Duration::from_secs(90), "{took:?}");
    fs::write(
        lab.path("home/kubeconfig"),
        kubeconfig.replace("current-context: lab", "current-context: gone"),
    )
    .unwrap();
    refused("the kubeconfig names no cluster", "get-contexts");
}

fn lab() -> Lab {
    let lab = Lab::new(SPEC, &VALUES);
    fs::write(lab.path("private/alice"), format!("{ALICES}\n")).unwrap();
    fs::write(lab.path("private/mail"), SECOND).unwrap();
    fs::write(lab.path("pods.yaml"), "").unwrap();
    lab
}

struct Cluster {
    server: Child,
    port: u16,
}

impl Cluster {
    fn start(lab: &mut Lab, kubectl: &str) -> Option<Self> {
        let kubectl = judge(kubectl)?;
        lab.program("kubectl", &format!("exec '{}' \"$@\"", kubectl.display()));
        let pki = lab.path("home/pki");
        fs::create_dir(&pki).unwrap();
        support::root(&pki, "api-root", "API");
        support::root(&pki, "other", "Other");
        support::leaf(&pki, "api-root", "api", &["127.0.0.1"]);
        let port = port::free();
        let server = Command::new("python3")
            .arg(checkout().join("tests/real/secrets/cluster.py"))
            .arg(port.to_string())
            .args([pki.join("api.pem"), pki.join("api.key")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let root = pki.join("api-root.pem");
        let kubeconfig = format!(
            "apiVersion: v1\nkind: Config\nclusters: [{{name: lab, cluster: {{server: \"https://127.0.0.1:{port}\", certificate-authority: {}}}}}]\nusers: [{{name: tester, user: {{token: a-token}}}}]\ncontexts: [{{name: lab, context: {{cluster: lab, user: tester}}}}]\ncurrent-context: lab\n",
            text(&root)
        );
        let path = lab.path("home/kubeconfig");
        fs::write(&path, kubeconfig).unwrap();
        lab.variables
            .push(("KUBECONFIG".to_owned(), text(&path).to_owned()));
        let cluster = Self { server, port };
        answers(port, &mut || {});
        Some(cluster)
    }

    fn asked(&self, method: &str, body: Option<&Value>) -> Value {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--fail", "--insecure", "--request", method]);
        if let Some(body) = body {
            curl.args(["--data-raw", &body.to_string()]);
        }
        curl.arg(format!("https://127.0.0.1:{}/test", self.port));
        serde_json::from_slice(&support::succeed(&mut curl).stdout).unwrap()
    }

    fn tell(&self, told: &Value) {
        self.asked("PUT", Some(told));
    }

    fn put(&self, secret: &Value) {
        self.asked("POST", Some(secret));
    }

    fn secrets(&self) -> Value {
        self.asked("GET", None)["secrets"].clone()
    }

    fn secret(&self, name: &str) -> Value {
        let all = self.secrets();
        let mut all = all.as_array().unwrap().iter();
        all.find(|one| one["metadata"]["name"] == name)
            .unwrap()
            .clone()
    }

    fn value(&self, name: &str, key: &str) -> String {
        let secret = self.secret(name);
        let bytes = STANDARD
            .decode(secret["data"][key].as_str().unwrap())
            .unwrap();
        String::from_utf8(bytes).unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
