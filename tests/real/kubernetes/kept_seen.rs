//! What the tests rely on: every loss is seen.

use serde_json::{Value, json};

use super::cluster::Judges;
use super::kept::losses;
use super::sound::unsound;

fn base() -> Vec<Value> {
    vec![
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": {"a": "b"}},
            "spec": {"replicas": 2, "template": {"metadata": {"labels": {"app": "web"}, "annotations": {"n": "1"}}, "spec": {
                "securityContext": {"runAsUser": 1},
                "volumes": [{"name": "v", "emptyDir": {}}],
                "initContainers": [{"name": "one", "image": "i"}, {"name": "two", "image": "i"}],
                "containers": [{"name": "web", "image": "i", "command": ["c"], "args": ["a"],
                    "env": [{"name": "A", "value": "a"}, {"name": "B", "value": "$(A) b"}, {"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}],
                    "envFrom": [{"configMapRef": {"name": "m"}}],
                    "ports": [{"containerPort": 80}],
                    "lifecycle": {"preStop": {"sleep": {"seconds": 1}}},
                    "volumeMounts": [{"name": "v", "mountPath": "/v"}]}, {"name": "side", "image": "s"}]}}}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "protocol": "TCP"}]}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"A": "of the map"}}),
    ]
}

#[test]
fn every_loss_is_seen() {
    assert_eq!(losses(&base(), &base()), Vec::<String>::new());
    assert_eq!(unsound(&base()), Vec::<String>::new());
    let pod = "/0/spec/template/spec";
    for (pointer, harm) in [
        ("/0/metadata/name", json!("other")),
        ("/0/metadata/labels", json!({})),
        ("/0/spec/replicas", json!(1)),
        ("/0/spec/template/metadata/labels/app", json!("x")),
        ("/0/spec/template/metadata/annotations", json!({})),
        ("/1/spec/selector", json!({})),
        ("/1/spec/ports", json!([{"port": 443}])),
        ("/2/data/A", json!("b")),
    ] {
        seen(pointer, harm);
    }
    for (pointer, harm) in [
        ("/securityContext", json!({})),
        ("/securityContext", json!({"runAsUser": 1, "runAsGroup": 1})),
        ("/volumes", json!([])),
        ("/volumes/0", json!({"name": "v", "configMap": {}})),
        (
            "/initContainers",
            json!([{"name": "two", "image": "i"}, {"name": "one", "image": "i"}]),
        ),
        (
            "/initContainers/0",
            json!({"name": "tlsgen-one", "image": "i"}),
        ),
        ("/containers/0/image", json!("j")),
        ("/containers/0/command", json!(["sh", "c"])),
        ("/containers/0/args", json!(null)),
        ("/containers/0/env/0/value", json!("b a")),
        ("/containers/0/env/0/value", json!("ab")),
        ("/containers/0/env/0", json!({"name": "A2", "value": "a"})),
        (
            "/containers/0/env",
            json!([{"name": "B", "value": "$(A) b"}, {"name": "A", "value": "a"}, {"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]),
        ),
        ("/containers/0/env/2", json!({"name": "C", "value": "ours"})),
        ("/containers/0/envFrom", json!([])),
        ("/containers/0/ports", json!([{"containerPort": 443}])),
        ("/containers/0/lifecycle", json!({"postStart": {}})),
        ("/containers/0/volumeMounts/0/mountPath", json!("/w")),
        (
            "/containers/0/volumeMounts",
            json!([{"name": "v", "mountPath": "/v"}, {"name": "v", "mountPath": "/x", "subPath": "y"}]),
        ),
        ("/containers/1", json!({"name": "other", "image": "s"})),
    ] {
        seen(&format!("{pod}{pointer}"), harm);
    }
    for (pointer, harm) in [
        ("/containers/0/image", json!("")),
        ("/containers/0/volumeMounts/0/name", json!("nothing")),
        ("/containers/0/name", json!("a_b")),
        ("/containers/1/name", json!("web")),
        ("/containers/0/env/0/name", json!("B")),
    ] {
        let harmed = harmed(&format!("{pod}{pointer}"), harm);
        assert_ne!(unsound(&harmed), Vec::<String>::new(), "{pointer}");
    }
}

fn seen(pointer: &str, harm: Value) {
    let harmed = harmed(pointer, harm);
    assert_ne!(losses(&base(), &harmed), Vec::<String>::new(), "{pointer}");
}

fn harmed(pointer: &str, harm: Value) -> Vec<Value> {
    let mut all = Value::Array(base());
    *all.pointer_mut(pointer).unwrap() = harm;
    let Value::Array(all) = all else { panic!() };
    all
}

/// The judges of schemas see what hand-written manifests get wrong.
#[test]
fn every_judge_sees_what_is_wrong() {
    let Some(judges) = Judges::find() else { return };
    let wrong = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  selector: {}\n  template:\n    spec:\n      \
                 containers: [{name: web, volumeMounts: [{name: v, mountpath: /v}]}]\n";
    assert_eq!(
        judges.read(&[wrong])[0].wrong.len(),
        2,
        "once for each version"
    );
    let issuer = json!({"name": "corp", "kind": "ClusterIssuer"});
    let certificate = |spec: Value| json!({"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": "web"}, "spec": spec});
    let right = json!({"secretName": "web", "dnsNames": ["web.lab.example"], "issuerRef": issuer, "usages": ["server auth"]});
    assert_eq!(
        judges.custom(&[certificate(right.clone())]),
        Vec::<String>::new()
    );
    for (field, value) in [
        ("usages", json!(["serverauth"])),
        ("issuerRef", json!({"name": "corp", "issuer": "x"})),
        ("secretname", json!("web")),
        ("dnsNames", json!("web.lab.example")),
        ("issuerRef", json!(null)),
    ] {
        let mut spec = right.clone();
        spec[field] = value;
        assert_ne!(
            judges.custom(&[certificate(spec)]),
            Vec::<String>::new(),
            "{field}"
        );
    }
    let unknown = json!({"apiVersion": "cert-manager.io/v1", "kind": "Certificat", "metadata": {"name": "web"}});
    assert_ne!(judges.custom(&[unknown]), Vec::<String>::new());
}
