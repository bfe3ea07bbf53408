//! What manifests become, and why some files are refused.

use proptest::prelude::*;

use super::*;
use crate::world::Memory;

fn read_file(name: &str, text: &str) -> Result<Manifests, Vec<Diagnostic>> {
    let mut sources = Sources::default();
    let asked = sources.add("tlsgen.yaml", "files: []").start();
    let world = Memory::with([(name, text)]);
    read(&world, &mut sources, &[(name.to_owned(), asked)])
}

fn names(manifests: &Manifests) -> Vec<String> {
    let workloads = manifests.workloads.iter();
    workloads.map(|it| it.name.to_string()).collect()
}

#[test]
fn refusals_name_their_reason() {
    let workload = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {spec: {containers: []}}}\n";
    let cases: &[(&str, &str, &str)] = &[
        ("not-a-manifest", "a.yml", "- a\n"),
        ("not-a-manifest", "a.yml", "a: 1\n"),
        ("not-a-manifest", "a.yml", "services: {a: {image: b}}\n"),
        ("not-a-manifest", "a.yml", "apiVersion: v1\nkind: Secret\n"),
        ("manifest-to-render", "a.yml", "resources: [b.yml]\n"),
        ("manifest-to-render", "kustomization.yaml", "{}\n"),
        (
            "manifest-to-render",
            "a.yaml",
            "apiVersion: v2\nname: a\nversion: 1.0.0\n",
        ),
        (
            "manifest-to-render",
            "a.yml",
            "kind: A\nmetadata:\n  name: {{ .Release.Name }}\n",
        ),
        (
            "manifest-to-render",
            "a.yml",
            "{{- if .Values.tls }}\nkind: A\n{{- end }}\n",
        ),
        (
            "manifest-to-render",
            "a.yml",
            "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  type: x{{ .Values.type }}\n",
        ),
        ("yaml-syntax", "a.yml", "kind: [\n"),
        (
            "manifest-shape",
            "a.yml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n",
        ),
        (
            "workload-twice",
            "a.yml",
            &format!("{workload}---\n{workload}"),
        ),
        (
            "manifest-shape",
            "a.yml",
            "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nspec: {template: {spec: {containers: {a: 1}}}}\n",
        ),
    ];
    for (code, name, text) in cases {
        let found = read_file(name, text).unwrap_err();
        let codes: Vec<&str> = found.iter().map(|it| it.code.name).collect();
        assert_eq!(codes, [*code], "{text}");
    }
}

#[test]
fn objects_are_found_wherever_they_stand() {
    let pods = "{template: {spec: {containers: [{name: c}]}}}";
    let text = format!(
        "\u{feff}# generated\r\n---\r\n---\r\napiVersion: v1\r\nkind: List\r\nitems:\r\n\
         - {{apiVersion: apps/v1, kind: Deployment, metadata: {{name: a}}, spec: {pods}}}\r\n\
         - {{apiVersion: batch/v1, kind: Job, metadata: {{generateName: b-}}, spec: {pods}}}\r\n\
         ---\r\napiVersion: batch/v1\r\nkind: CronJobList\r\nitems:\r\n\
         - {{metadata: {{name: c, namespace: n}}, spec: {{jobTemplate: {{spec: {pods}}}}}}}\r\n\
         ---\r\n{{\"apiVersion\": \"serving.knative.dev/v1\", \"kind\": \"Service\", \"metadata\": {{\"name\": \"d\"}}}}\r\n\
         ---\r\napiVersion: apps/v1\r\nkind: Deployment\r\nmetadata: {{name: a, namespace: n}}\r\nspec: {pods}\r\n"
    );
    let manifests = read_file("all.yml", &text).unwrap();
    assert_eq!(
        names(&manifests),
        ["Deployment/a", "CronJob/c", "Deployment/a"]
    );
    assert_eq!(manifests.named("a").count(), 2);
    assert!(
        manifests
            .workloads
            .iter()
            .all(|it| it.pod.containers.len() == 1)
    );
    let others = manifests.others.iter();
    let others: Vec<_> = others.map(|other| (&*other.kind, &*other.name)).collect();
    assert_eq!(others, [("Service", "d")]);
}

#[test]
fn a_pod_is_read_as_far_as_it_matters() {
    let text = r#"
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: a}
spec:
  template:
    metadata: {labels: {app: a}}
    spec:
      shareProcessNamespace: true
      securityContext: {runAsNonRoot: true, fsGroup: 5}
      volumes: [{name: tmp, emptyDir: {}}, {name: bare}]
      initContainers:
        - {name: migrate, restartPolicy: Always}
      containers:
        - name: web
          image: b:1
          command: [sh, -c]
          args: [run]
          env:
            - {name: A, value: 1}
            - {name: B, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
            - {name: C}
          envFrom:
            - {prefix: X_, configMapRef: {name: settings}}
          volumeMounts: [{name: tmp, mountPath: /tmp}]
          ports: [{containerPort: 8080, name: http}]
          securityContext: {runAsUser: 7, readOnlyRootFilesystem: true}
          lifecycle: {preStop: {exec: {command: [a]}}}
"#;
    let manifests = read_file("a.yml", text).unwrap();
    let workload = &manifests.workloads[0];
    assert_eq!(workload.labels, [("app".to_owned(), "a".to_owned())]);
    let pod = &workload.pod;
    assert!(pod.shares_processes && pod.init_containers[0].keeps_running);
    assert_eq!(pod.security.fs_group.map(|it| it.0), Some(5));
    assert_eq!(pod.security.run_as_non_root.map(|it| it.0), Some(true));
    let volumes: Vec<_> = pod.volumes.iter().map(|it| (&*it.0, &*it.1)).collect();
    assert_eq!(volumes, [("tmp", "emptyDir"), ("bare", "emptyDir")]);
    let web = &pod.containers[0];
    let words: Vec<&str> = web.words.iter().map(|(word, _)| word.as_str()).collect();
    assert_eq!(words, ["sh", "-c", "run"]);
    assert!(matches!(&web.variable("A").unwrap().value, VariableValue::Text(text) if text == "1"));
    assert!(
        matches!(&web.variable("C").unwrap().value, VariableValue::Text(text) if text.is_empty())
    );
    assert!(matches!(
        &web.variable("B").unwrap().value,
        VariableValue::From(_)
    ));
    assert_eq!(
        (web.env_from[0].kind, &*web.env_from[0].prefix),
        ("ConfigMap", "X_")
    );
    let port = Port {
        number: 8080,
        name: Some("http".to_owned()),
        protocol: None,
    };
    assert_eq!(web.ports, [port]);
    assert_eq!(web.security.run_as_user.map(|it| it.0), Some(7));
    assert_eq!(web.lifecycle.map(|it| it.1), Some(false));
}

/// What stands where something else should.
fn anything() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        "[a-z{}$%-]{0,6}".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let key = prop::sample::select(vec![
            "name",
            "value",
            "valueFrom",
            "kind",
            "items",
            "env",
            "containers",
            "spec",
            "template",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map(key, inner, 0..4).prop_map(|map| {
                let entries = map.into_iter().map(|(key, value)| (key.to_owned(), value));
                serde_json::Value::Object(entries.collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_manifest_makes_it_panic(
        field in prop::sample::select(vec![
            "/metadata", "/metadata/name", "/spec", "/spec/template", "/spec/template/spec",
            "/spec/template/spec/containers", "/spec/template/spec/containers/0",
            "/spec/template/spec/containers/0/env", "/spec/template/spec/containers/0/envFrom",
            "/spec/template/spec/containers/0/ports", "/spec/template/spec/volumes",
        ]),
        value in anything(),
    ) {
        let mut manifest = serde_json::json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"},
            "spec": {"template": {"spec": {"volumes": [], "containers": [
                {"name": "c", "env": [], "envFrom": [], "ports": []},
            ]}}},
        });
        *manifest.pointer_mut(field).unwrap() = value;
        let _ = read_file("a.json", &manifest.to_string());
    }
}
