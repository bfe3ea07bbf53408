//! Every script is clean under shellcheck and parses in three shells.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tlsgen::render;

use crate::scene::{Authority, context, has};

fn variants() -> Vec<(String, String)> {
    let corp = Authority::new("corp");
    let old = Authority::new("old");
    let mut scripts = Vec::new();
    for (label, anchors) in [
        ("none", vec![]),
        ("one", vec![&corp]),
        ("two", vec![&corp, &old]),
    ] {
        let mut add = |template: &str, variant: String, more: Value| {
            let text = render::text(template, context(&anchors, more)).expect("it renders");
            scripts.push((format!("{template} {label} {variant}"), text));
        };
        add("start/system-store.sh", String::new(), json!({}));
        add("start/keytool.sh", String::new(), json!({}));
        for flags in 0..8 {
            let [public, java, system] = [1, 2, 4].map(|bit| flags & bit != 0);
            let variant = format!("public={public} java={java} system={system}");
            let hosts = json!([
                { "host": "git.lab.example", "port": 443 },
                { "host": "10.0.0.1", "port": 8443 },
                { "host": "fd00::1", "port": 443 },
            ]);
            if !system {
                add(
                    "start/download.sh",
                    variant.clone(),
                    json!({ "hosts": hosts, "public": public, "java": java }),
                );
            }
            let variables = json!([
                { "name": "SSL_CERT_FILE", "value": "$directory/ca-bundle.pem", "append": false },
                { "name": "JAVA_TOOL_OPTIONS", "value": "-Djdk.tls.client.protocols=TLSv1.2,TLSv1.3", "append": true },
            ]);
            let files =
                json!([{ "name": ".curlrc", "text": "cacert = \"$directory/ca-bundle.pem\"" }]);
            let more = json!({
                "os": "amazon-2023", "public": public, "java": java, "system": system,
                "variables": if label == "one" { json!([]) } else { variables },
                "files": if label == "one" { json!([]) } else { files },
            });
            add("script/pre-run.sh", variant, more);
        }
    }
    scripts
}

fn check(program: &[&str], file: &Path, label: &str) {
    let output = Command::new(program[0])
        .args(&program[1..])
        .arg(file)
        .output()
        .expect("it runs");
    let said = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success() && said.is_empty(),
        "{program:?} on {label}: {}",
        String::from_utf8_lossy(&said)
    );
}

#[test]
fn shellcheck_and_three_shells_find_nothing() {
    if !has("openssl") {
        return;
    }
    let judges: Vec<Vec<&str>> = [
        vec!["shellcheck", "-s", "sh", "-S", "style"],
        vec!["dash", "-n"],
        vec!["busybox", "sh", "-n"],
        vec!["bash", "--posix", "-n"],
    ]
    .into_iter()
    .filter(|judge| has(judge[0]))
    .collect();
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("script.sh");
    for (label, text) in variants() {
        std::fs::write(&file, &text).expect("ours");
        assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{label}");
        assert!(!text.contains("\n\n\n"), "{label}: blank lines pile up");
        for judge in &judges {
            check(judge, &file, &label);
        }
    }
}
