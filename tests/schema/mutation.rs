//! Specs that are nearly right: valid ones in which nodes were removed, replaced and moved.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// One change; the numbers choose among what there is, whatever that is by then.
#[derive(Debug, Clone)]
pub struct Mutation {
    node: usize,
    kind: Kind,
    chosen: usize,
}

#[derive(Debug, Clone)]
enum Kind {
    Remove,
    Replace,
    InsertField,
    InsertItem,
    Transplant,
    ChangeText(String),
}

pub fn mutation() -> impl Strategy<Value = Mutation> {
    let kind = prop_oneof![
        2 => Just(Kind::Remove),
        4 => Just(Kind::Replace),
        4 => Just(Kind::InsertField),
        1 => Just(Kind::InsertItem),
        2 => Just(Kind::Transplant),
        2 => "[a-zA-Z0-9@.:/*%_ \u{e9}\\\\-]{0,12}".prop_map(Kind::ChangeText),
    ];
    (any::<usize>(), kind, any::<usize>()).prop_map(|(node, kind, chosen)| Mutation {
        node,
        kind,
        chosen,
    })
}

/// The valid spec number `base` after some changes.
pub fn mutated(base: usize, mutations: &[Mutation]) -> Value {
    let bases = bases();
    let mut value = bases[base % bases.len()].clone();
    for mutation in mutations {
        apply(&mut value, mutation);
    }
    value
}

/// The valid spec number `base` with each node in turn replaced by each of the values below.
pub fn every_single_replacement(base: usize) -> impl Iterator<Item = Value> {
    let value = mutated(base, &[]);
    let mut pointers = Vec::new();
    collect(&value, "", &mut pointers);
    let replacements = pointers.into_iter().flat_map(|pointer| {
        scalars()
            .iter()
            .map(move |scalar| (pointer.clone(), scalar))
    });
    replacements.map(move |(pointer, scalar)| {
        let mut replaced = value.clone();
        put(&mut replaced, &pointer, scalar.clone());
        replaced
    })
}

fn apply(value: &mut Value, mutation: &Mutation) {
    let mut pointers = vec![String::new()];
    collect(value, "", &mut pointers);
    let pointer = &pointers[mutation.node % pointers.len()];
    match &mutation.kind {
        Kind::Remove => remove(value, pointer),
        Kind::Replace => put(value, pointer, choose(scalars(), mutation.chosen).clone()),
        Kind::InsertField => {
            let name = choose(names(), mutation.chosen).clone();
            let inserted = choose(scalars(), mutation.chosen / 7).clone();
            if let Some(Value::Object(object)) = value.pointer_mut(pointer) {
                object.insert(name, inserted);
            }
        }
        Kind::InsertItem => {
            if let Some(Value::Array(items)) = value.pointer_mut(pointer) {
                items.push(choose(scalars(), mutation.chosen).clone());
            }
        }
        Kind::Transplant => {
            let from = &pointers[mutation.chosen % pointers.len()];
            let moved = value.pointer(from).cloned().unwrap_or_default();
            put(value, pointer, moved);
        }
        Kind::ChangeText(text) => put(value, pointer, Value::String(text.clone())),
    }
}

fn collect(value: &Value, at: &str, pointers: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, value)| (index.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    for (part, child) in children {
        let pointer = format!("{at}/{part}");
        pointers.push(pointer.clone());
        collect(child, &pointer, pointers);
    }
}

fn put(value: &mut Value, pointer: &str, new: Value) {
    // The whole file is left what it is: a mapping.
    if let (false, Some(place)) = (pointer.is_empty(), value.pointer_mut(pointer)) {
        *place = new;
    }
}

fn remove(value: &mut Value, pointer: &str) {
    let Some((parent, last)) = pointer.rsplit_once('/') else {
        return;
    };
    match value.pointer_mut(parent) {
        Some(Value::Object(object)) => {
            drop(object.shift_remove(&last.replace("~1", "/").replace("~0", "~")))
        }
        Some(Value::Array(items)) => drop(last.parse::<usize>().map(|index| items.remove(index))),
        _ => {}
    }
}

fn choose<T>(from: &[T], chosen: usize) -> &T {
    &from[chosen % from.len()]
}

/// What may stand somewhere, at the edge of the allowed, or nowhere.
fn scalars() -> &'static [Value] {
    static SCALARS: LazyLock<Vec<Value>> = LazyLock::new(|| {
        let long = "a1".repeat(32);
        let pairs = vec!["5F"; 32].join(":");
        vec![
            json!(null),
            json!(true),
            json!(0),
            json!(1),
            json!(-1),
            json!(1.0),
            json!(1.5),
            json!(443.0),
            json!(65_535),
            json!(65_536),
            json!(4_294_967_295_u64),
            json!(4_294_967_296_u64),
            json!(1e30),
            json!(i64::MAX),
            json!(u64::MAX),
            json!(""),
            json!(" "),
            json!("1"),
            json!("public"),
            json!("corp"),
            json!("a"),
            json!("-a"),
            json!("a-"),
            json!("A"),
            json!("a_b"),
            json!("é"),
            json!("1.2"),
            json!("1.3"),
            json!("2.24"),
            json!("2.24.1"),
            json!("2"),
            json!("2.2424"),
            json!("90d"),
            json!("0d"),
            json!("010y"),
            json!("1000000h"),
            json!("999999y"),
            json!("33%"),
            json!("0%"),
            json!("100%"),
            json!("java"),
            json!("java@17"),
            json!("java@17.0.1.2"),
            json!("java@1.2.3.4.5"),
            json!("java@"),
            json!("java@17 "),
            json!("node@22222"),
            json!("perl"),
            json!("system"),
            json!("external"),
            json!("compose"),
            json!("script"),
            json!("managed"),
            json!("alpine"),
            json!("debian-12"),
            json!("env"),
            json!("keytool"),
            json!("ecdsa-p256"),
            json!("ecdsap256"),
            json!("modern"),
            json!("pki/a.pem"),
            json!("/abs"),
            json!("a\\b"),
            json!("a\nb"),
            json!("a\u{7f}"),
            json!("../a"),
            json!("*.yaml"),
            json!("*.lab.example"),
            json!("*."),
            json!("*"),
            json!("a.*.b"),
            json!("::1"),
            json!("a b"),
            json!("https://a"),
            json!("a:1"),
            json!("a.service"),
            json!("node:fwadm"),
            json!(9),
            json!(98),
            json!(99),
            json!("a\\"),
            json!("a\u{a0}b"),
            json!("xn--a"),
            json!(long),
            json!(format!("sha256:{long}")),
            json!(format!("SHA256:{pairs}")),
            json!(pairs),
            json!(format!("{}:", &pairs[..93])),
            json!(format!("{}{}", &pairs[..6], &long[..58])),
            json!(format!("{}:{}", &long[..4], &long[4..])),
            json!("sha256:"),
            json!(&long[..63]),
            json!([]),
            json!({}),
            json!([""]),
            json!(["a"]),
            json!([null]),
            json!({"a": null}),
            json!({"a": {}}),
            json!({"A": {}}),
            json!({"": {}}),
            json!([1]),
            json!(["java", "curl@8"]),
            json!([["java"]]),
            json!({"kind": "compose"}),
            json!({"kind": null}),
            json!({"min": "1.2"}),
            json!({"chain": "a", "key": "b"}),
            json!({"rule": "unused", "reason": "because"}),
        ]
    });
    &SCALARS
}

/// Every field and word of the language, and some that are none.
fn names() -> &'static [String] {
    static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
        let mut names = BTreeSet::from(
            ["kind", "nothing", "Kind", "a", "A", "a-b", "-", ""].map(str::to_owned),
        );
        gather(&tlsgen::spec::spec_schema(), &mut names);
        names.into_iter().collect()
    });
    &NAMES
}

fn gather(schema: &Value, names: &mut BTreeSet<String>) {
    let properties: Option<&Map<String, Value>> =
        schema.get("properties").and_then(Value::as_object);
    names.extend(
        properties
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone()),
    );
    match schema {
        Value::Object(object) => object.values().for_each(|value| gather(value, names)),
        Value::Array(items) => items.iter().for_each(|value| gather(value, names)),
        _ => {}
    }
}

fn bases() -> Vec<Value> {
    vec![
        json!({"version": 1, "project": "tower"}),
        json!({
            "version": 1, "project": "tower",
            "authorities": {"corp": {"kind": "external", "certificates": "pki/corp.pem"}},
            "services": {"backend": {"runtime": "java@17", "trust": ["corp", "public"], "connects": ["git"], "identity": "git",
                "secrets": ["DB_PASSWORD", {"name": "TOKEN", "as": "file", "variable": "TOKEN_FILE", "path": "/run/secrets/t"}]}},
            "secrets": {
                "DB_PASSWORD": {"from": {"env": "DB_PASSWORD"}, "store": "aws-secrets-manager", "scope": "workspace",
                    "name": "tower/db", "region": "eu-west-1", "kms_key": "alias/tower", "description": "d", "tags": {"a": "b"}},
                "TOKEN": [{"from": {"file": "a.txt"}, "store": "kubernetes", "object": "o", "namespace": "n"},
                    {"from": {"command": ["pass", "a"]}, "store": "nextflow", "scope": {"user": "alice"}}],
            },
            "hosts": {"git": {"names": ["git.lab.example"]}},
            "targets": {"stack": {
                "kind": "compose", "files": ["compose.yml"], "output": "compose.tls.yml", "services": {"backend": {}},
            }},
        }),
        json!({
            "version": 1, "project": "tower", "include": ["fleet/*.yaml"],
            "defaults": {"key": "rsa-2048", "lifetime": "90d", "renew_before": "33%", "tls": "modern"},
            "lint": {"allow": [{"rule": "unused", "at": "services.cron", "reason": "later"}]},
            "authorities": {"corp": {"kind": "external", "certificates": "pki/corp.pem", "sha256": ["a1".repeat(32)]}},
            "hosts": {"old": {
                "names": ["*.lab.example", "10.20.0.5"], "certificate": {"chain": "a.pem", "key": "a.key"}, "observed": "b.pem", "port": 8443,
            }},
            "services": {"backend": {
                "runtime": ["java@17", "curl"], "trust": ["corp"], "connects": [], "user": 0, "read_only": true,
                "tls_versions": {"min": "1.2", "max": "1.3"},
                "identity": {"host": "old", "certificate_env": "PGSSLCERT", "key_env": "PGSSLKEY"},
            }},
        }),
        json!({
            "version": 1, "project": "tower",
            "services": {"a": {"runtime": "system"}, "b": {}},
            "targets": {
                "stack": {
                    "kind": "compose", "files": ["a.yml", "b.yml"], "output": "c.yml", "compose": "2.24", "selinux": true,
                    "services": {"a": {"as": "x", "trust_via": "keytool", "entrypoint": ["/x"], "command": []}},
                },
                "launcher": {"kind": "script", "os": "amazon-2023", "output": "pre-run.sh", "services": {"b": {}}},
            },
        }),
        json!({
            "version": 1, "project": "mail",
            "authorities": {"node": {"kind": "nethserver"}},
            "hosts": {"mail": {"names": ["mail.example.org"], "issuer": "node"}},
            "targets": {"module": {
                "kind": "nethserver", "module": "mail", "output": "imageroot", "files": ["build-images.sh"], "step": 30,
                "also_in": ["clone-module"], "authorizations": ["node:fwadm"],
                "route": {"path": "/mail", "upstream": "http://127.0.0.1:${TCP_PORT}", "strip_prefix": true, "priority": 0},
                "routes": {"a": {
                    "host": "mail", "host_env": "A", "upstream": "https://a", "skip_cert_verify": "because", "ip_allowlist": ["10.0.0.0/8"],
                    "headers": {"request": {"X-A": ""}, "response": {}}, "lets_encrypt": true, "lets_encrypt_env": "B",
                }},
                "certificate": {
                    "host": "mail", "unit": ["a.service"], "on_change": "reload", "exec_reload": ["/bin/true %N"], "directory": "a/b",
                    "combined": true, "sync_timeout": 30, "background": false,
                },
                "certificates": {"b": {"host": "mail", "unit": "b@1.service", "on_change": "restart"}},
            }},
        }),
    ]
}
