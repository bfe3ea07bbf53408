use std::sync::Arc;

use serde_json::{Value, json};

use super::{Config, ResourceList, Results, apply, apply_to_files};
use crate::source::{Sources, Span};
use crate::spec::WorkloadKind;
use crate::targets::kubernetes::component::{Component, ConfigMap, Object, Secret};
use crate::targets::kubernetes::patch::{
    ContainerPatch, EnvironmentVariable, PodPatch, Volume, VolumeMount, WorkloadPatch,
};
use crate::yaml::{Node, parse, parse_documents};

const LIST: &str = "\
apiVersion: config.kubernetes.io/v1
kind: ResourceList
items:
- # the application
  apiVersion: batch/v1
  kind: CronJob
  metadata:
    name: cron # of Tower
    annotations:
      internal.config.kubernetes.io/index: '3'
      internal.config.kubernetes.io/path: 'base/cron.yml'
  spec:
    jobTemplate:
      spec:
        template:
          spec:
            containers:
            # Java
            - name: cron
              env:
              - {name: A, value: \"1\"} # kept
              - name: JAVA_TOOL_OPTIONS
                value: >-
                  -Xmx1g
                  -Da
              ports: [{containerPort: 8080}]
- apiVersion: v1
  kind: Service
  metadata: {name: cron}
  spec:
    ports:
    - port: 80
functionConfig:
  apiVersion: tlsgen.dev/v1
  kind: Tlsgen
  file: tlsgen.yaml
";

fn patch(origin: Span) -> Component {
    let mut component = Component::default();
    let source = json!({"name": "tower-trust-corp"});
    let container = ContainerPatch {
        name: "cron".to_owned(),
        env: vec![EnvironmentVariable {
            name: "JAVA_TOOL_OPTIONS".to_owned(),
            value: Some("-Xmx1g -Da -Db".to_owned()),
            value_from: None,
        }],
        volume_mounts: vec![VolumeMount {
            mount_path: "/etc/tlsgen/trust".to_owned(),
            name: "tlsgen-trust".to_owned(),
            read_only: true,
        }],
        ..ContainerPatch::default()
    };
    let patch = WorkloadPatch {
        kind: WorkloadKind::CronJob,
        name: "cron".to_owned(),
        namespace: None,
        api_version: "batch/v1".to_owned(),
        annotations: [("a".to_owned(), "b".to_owned())].into(),
        pod: PodPatch {
            containers: vec![container],
            volumes: vec![Volume {
                name: "tlsgen-trust".to_owned(),
                source: [("configMap".to_owned(), source)].into_iter().collect(),
            }],
            ..PodPatch::default()
        },
    };
    let key = (None, WorkloadKind::CronJob, "cron".to_owned());
    component.patches.insert(key, patch);
    let files = [("ca.pem", &b"text\n"[..]), ("store.jks", &[0xff, 0xfe])];
    let map = ConfigMap {
        namespace: None,
        files: files
            .map(|(name, body)| (name.to_owned(), Arc::from(body)))
            .into(),
        fixed_name: false,
        origin,
    };
    component
        .config_maps
        .insert("tower-trust-corp".to_owned(), map);
    component.services.push(Object {
        value: json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "cron"}, "spec": {"ports": [{"port": 443, "name": "https"}]}}),
        origin,
    });
    component
}

fn read(text: &str) -> Value {
    let mut sources = Sources::default();
    let id = sources.add("t.yaml", text);
    parse(&sources, id).unwrap().to_json()
}

#[test]
fn what_is_added_is_all_that_changes() {
    let mut sources = Sources::default();
    let list = ResourceList::read(&mut sources, LIST).unwrap();
    let mut results = Results::new(&list, &sources);
    let component = patch(list.source.start());
    let text = apply(&list, Some(&component), &sources, &mut results);
    let mut lines = text.lines();
    let replaced = ["value: >-", "-Xmx1g", "-Da"];
    for line in LIST.lines().filter(|line| !replaced.contains(&line.trim())) {
        assert!(lines.any(|one| one == line), "`{line}` is gone:\n{text}");
    }
    let tree = read(&text);
    let pod = tree
        .pointer("/items/0/spec/jobTemplate/spec/template/spec")
        .unwrap();
    let expected = json!([{"name": "A", "value": "1"}, {"name": "JAVA_TOOL_OPTIONS", "value": "-Xmx1g -Da -Db"}]);
    assert_eq!(pod["containers"][0]["env"], expected);
    let name = pod["volumes"][0]["configMap"]["name"].as_str().unwrap();
    assert_eq!(tree["items"][2]["metadata"]["name"], name);
    assert_eq!(name.len(), "tower-trust-corp-".len() + 10);
    assert_eq!(tree["items"][2]["data"], json!({"ca.pem": "text\n"}));
    assert_eq!(tree["items"][2]["binaryData"], json!({"store.jks": "//4="}));
    let ports = json!([{"port": 443, "name": "https"}, {"port": 80}]);
    assert_eq!(tree["items"][1]["spec"]["ports"], ports);
    assert_eq!(tree.get("results"), None);
}

#[test]
fn another_ca_is_another_name() {
    let mut sources = Sources::default();
    let list = ResourceList::read(&mut sources, LIST).unwrap();
    let named = |body: &[u8]| {
        let mut component = patch(list.source.start());
        for map in component.config_maps.values_mut() {
            map.files.insert("ca.pem".to_owned(), Arc::from(body));
        }
        let mut results = Results::new(&list, &sources);
        let text = apply(&list, Some(&component), &sources, &mut results);
        read(&text)["items"][2]["metadata"]["name"].clone()
    };
    assert_eq!(named(b"one"), named(b"one"));
    assert_ne!(named(b"one"), named(b"two"));
}

#[test]
fn a_key_passes_through_no_function_and_the_items_stay() {
    let mut sources = Sources::default();
    let list = ResourceList::read(&mut sources, LIST).unwrap();
    let at = LIST.find("8080").unwrap();
    let mut component = patch(list.source.start());
    let secret = Secret {
        namespace: None,
        chain: Arc::from(&b""[..]),
        key: "pki/private/key.pem".to_owned(),
        fixed_name: false,
        origin: list.source.span(at..at + 4),
    };
    component.secrets.insert("tower-web-tls".to_owned(), secret);
    let mut results = Results::new(&list, &sources);
    let text = apply(&list, Some(&component), &sources, &mut results);
    assert!(results.errored);
    assert!(text.starts_with(LIST), "{text}");
    let result = &read(&text)["results"][0];
    assert_eq!(result["severity"], "error");
    assert_eq!(result["resourceRef"]["name"], "cron");
    assert_eq!(result["file"], json!({"path": "base/cron.yml", "index": 3}));
    let field = "spec.jobTemplate.spec.template.spec.containers[0].ports[0].containerPort";
    assert_eq!(result["field"]["path"], field);
}

#[test]
fn what_is_there_already_is_not_added_twice() {
    let mut sources = Sources::default();
    let list = ResourceList::read(&mut sources, LIST).unwrap();
    let mut component = patch(list.source.start());
    let service = component.services.remove(0);
    component.objects.insert("entrances.yaml", vec![service]);
    let mut results = Results::new(&list, &sources);
    apply(&list, Some(&component), &sources, &mut results);
    assert!(
        results
            .lines()
            .contains("there is a Service `cron` among the items already")
    );
}

#[test]
fn an_alias_does_not_carry_a_change_elsewhere() {
    let text = LIST.replace("metadata: {name: cron}", "metadata: {name: other}").replace(
        "functionConfig:",
        "- apiVersion: batch/v1\n  kind: CronJob\n  metadata: {name: second}\n  spec: *spec\nfunctionConfig:",
    );
    let text = text.replacen("  spec:\n", "  spec: &spec\n", 1);
    let mut sources = Sources::default();
    let list = ResourceList::read(&mut sources, &text).unwrap();
    let mut results = Results::new(&list, &sources);
    let component = patch(list.source.start());
    let edited = read(&apply(&list, Some(&component), &sources, &mut results));
    let before = read(&text);
    assert_eq!(edited["items"][2], before["items"][2]);
    assert_ne!(edited["items"][0], before["items"][0]);
}

#[test]
fn lists_in_json_stay_lists_in_json() {
    let text = read(LIST).to_string();
    let mut sources = Sources::default();
    let list = ResourceList::read(&mut sources, &text).unwrap();
    let mut results = Results::new(&list, &sources);
    let component = patch(list.source.start());
    let edited = read(&apply(&list, Some(&component), &sources, &mut results));
    assert_eq!(edited["items"].as_array().unwrap().len(), 3);
}

#[test]
fn files_become_one_stream() {
    let mut sources = Sources::default();
    let list = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service # here\n  metadata: {name: cron}\n  spec: {ports: [{port: 80}]}";
    let texts = [
        "# first\nkind: Namespace\nmetadata: {name: a}\n---\n---\n",
        list,
    ];
    let ids = texts.map(|text| sources.add("t", text));
    let files: Vec<_> = ids
        .iter()
        .map(|id| (*id, parse_documents(&sources, *id).unwrap()))
        .collect();
    let component = patch(ids[0].start());
    let stream = apply_to_files(&files, &component, &sources).unwrap();
    assert!(stream.starts_with(texts[0]), "{stream}");
    assert!(stream.contains("kind: Service # here"), "{stream}");
    let id = sources.add("stream", stream.as_str());
    let all = parse_documents(&sources, id).unwrap();
    let all: Vec<Value> = all.iter().map(Node::to_json).collect();
    let port = all
        .iter()
        .find_map(|one| one.pointer("/items/0/spec/ports/0/port"));
    assert_eq!(port, Some(&json!(443)), "{stream}");
    assert_eq!(all.last().unwrap()["kind"], "ConfigMap");
}

#[test]
fn what_is_no_list_is_refused() {
    for text in [
        "",
        "a: 1",
        "[",
        "kind: ResourceList\n",
        "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: 1\n",
    ] {
        assert!(
            ResourceList::read(&mut Sources::default(), text).is_err(),
            "{text}"
        );
    }
    let head = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n";
    for config in [
        "",
        "functionConfig: {}",
        "functionConfig: {spec: 1}",
        "functionConfig: {spec: {}, file: a}",
        "functionConfig: {spec: {targets: {a: {files: [b]}}}}",
    ] {
        let mut sources = Sources::default();
        let list = ResourceList::read(&mut sources, &format!("{head}{config}")).unwrap();
        assert!(Config::read(&list).is_err(), "{config}");
    }
}
