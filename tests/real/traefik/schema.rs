//! What is written for Traefik, by its schemas: types of version 3, against which TypeScript compiles
//! the files, and JSON schemas of version 2.
//!
//! Both let through what they do not know. Here they are closed: a key that is not in them is wrong.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tlsgen::servers::{ClientPlace, Place};

use super::asked::{host_place, project, serving};
use crate::support::{checkout, judge, there, utf8};

/// What Traefik takes and a schema does not know, or knows wrongly: the schema, the path in the file,
/// in which `*` is any name, and why it is right.
const NOT_SO: &[(&str, &str, &str)] = &[
    (
        "static-3",
        "entryPoints/*/http/aliasHeadersStrategy",
        "younger than the types: since 3.7.12, and traefik.rs starts it",
    ),
    (
        "dynamic-3",
        "http/serversTransports",
        "the types name it in services and leave out what is named; traefik.rs has it used",
    ),
    (
        "dynamic-2",
        "http/serversTransports",
        "younger than the schema: since 2.4",
    ),
    (
        "dynamic-2",
        "http/services/*/loadBalancer/serversTransport",
        "younger than the schema: since 2.4",
    ),
];

/// One host with everything, and those that cannot be in one with it.
const SPEC: &str = r#"
authorities:
  corp: {kind: external, certificates: pki/corp.pem}
  http: {kind: acme, directory: letsencrypt, email: admin@lab.example, agree_to_terms: true}
  dns: {kind: acme, directory: "https://ca.lab.example/directory", email: admin@lab.example, agree_to_terms: true, challenge: {dns: route53}LATER}
hosts:
  git: {names: [git.lab.example, www.lab.example, 10.20.0.5], certificate: {chain: pki/leaf.pem, key: pki/leaf.key}}
  wild: {names: ["*.lab.example"], certificate: {chain: pki/leaf.pem, key: pki/leaf.key}}
  optional: {names: [optional.lab.example], certificate: {chain: pki/leaf.pem, key: pki/leaf.key}}
  balanced: {names: [balanced.lab.example], certificate: {chain: pki/leaf.pem, key: pki/leaf.key}}
  issued: {names: [issued.example.org, also.example.org], issuer: http}
  proved: {names: ["*.example.org", example.org], issuer: dns}
services:
  edge:
    server: traefik@RELEASE
    trust: [corp]
    serves:
      - {host: git, upstream: "https://web:8443/git", websocket: true, redirect_http: true, hsts: 2y, hsts_include_subdomains: true, health_path: /well, headers: {X-A: "{{ b }}", X-B: "true"}, client_auth: {trust: [corp]}}
      - {host: wild, upstream: "http://10.0.0.1:8080"WILD}
      - {host: optional, upstream: "https://10.0.0.1", client_auth: {trust: [corp], mode: optional}, tls: modern}
      - {host: balanced, upstream: "http://web:8080", hsts: 1y, behind: {networks: [10.0.0.0/8, 192.168.0.0/16]}}
      - {host: issued, upstream: "http://web:8080", redirect_http: true, tls: modern}
      - {host: proved, upstream: "http://web:8080"PROVED}
"#;

/// Which Traefik, and what of the spec its version decides.
const RELEASES: &[(&str, [(&str, &str); 3])] = &[
    (
        "3.7.15",
        [
            ("LATER", ", root: pki/corp.pem, profile: shortlived"),
            ("WILD", ", tls: modern"),
            ("PROVED", ", tls: modern"),
        ],
    ),
    ("3", SAME_FOR_ALL),
    ("2", SAME_FOR_ALL),
];

/// Where wildcards have no options of their own, those of the host with an address hold for them.
const SAME_FOR_ALL: [(&str, &str); 3] = [
    ("LATER", ""),
    ("WILD", ", client_auth: {trust: [corp]}"),
    ("PROVED", ", client_auth: {trust: [corp]}"),
];

/// A file, and what must be said of it.
struct Document {
    name: String,
    /// In which way it is not what was written.
    variant: String,
    content: Value,
    accepted: bool,
}

#[test]
fn types_of_version_3_accept_it() {
    let Some(schemas) = schemas() else { return };
    let (Some(compiler), Some(_)) = (judge("tsc"), judge("python-judges")) else {
        return;
    };
    judged("3", |kind, documents| {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let types = fs::read_to_string(schemas.join(format!("{kind}-3.d.ts"))).unwrap();
        const OPEN: &str = "[k: string]: unknown | undefined;";
        assert!(types.contains(OPEN));
        fs::write(at("types.d.ts"), types.replace(OPEN, "")).unwrap();
        let root = match kind {
            "static" => "TraefikV3StaticConfiguration",
            _ => "HttpsJsonSchemastoreOrgTraefikV3FileProviderJson",
        };
        for one in documents {
            let text = format!(
                "import type {{ {root} }} from \"./types\";\nexport const file: {root} = {};\n",
                one.content
            );
            fs::write(at(&format!("{}.ts", one.name)), text).unwrap();
        }
        let options = json!({"compilerOptions": {
            "noEmit": true, "strict": true, "types": [], "module": "esnext", "moduleResolution": "bundler"
        }});
        fs::write(at("tsconfig.json"), options.to_string()).unwrap();
        let mut compiler = Command::new(&compiler);
        let output = compiler
            .args(["--pretty", "false"])
            .current_dir(directory.path())
            .output()
            .unwrap();
        let said = utf8(&output.stdout);
        assert!(output.stderr.is_empty(), "{output:?}");
        let complaints = said.lines().filter(|line| !line.starts_with(' '));
        complaints
            .map(|line| {
                let file = line.split_once(".ts(");
                let (name, _) = file.unwrap_or_else(|| panic!("{said}"));
                (name.to_owned(), line.to_owned())
            })
            .collect()
    });
}

#[test]
fn schemas_of_version_2_accept_it() {
    let Some(schemas) = schemas() else { return };
    let (Some(checker), Some(_)) = (judge("check-jsonschema"), judge("python-judges")) else {
        return;
    };
    judged("2", |kind, documents| {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let schema = fs::read(schemas.join(format!("{kind}-2.json"))).unwrap();
        let mut schema: Value = serde_json::from_slice(&schema).unwrap();
        close(&mut schema);
        fs::write(at("schema.json"), schema.to_string()).unwrap();
        for one in documents {
            fs::write(at(&one.name), one.content.to_string()).unwrap();
        }
        let output = Command::new(&checker)
            .args(["-o", "json", "--default-filetype", "json"])
            .args(["--schemafile", "schema.json"])
            .args(documents.iter().map(|one| &one.name))
            .current_dir(directory.path())
            .output()
            .unwrap();
        let said: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        assert_eq!(said["parse_errors"], json!([]), "{said}");
        let errors = said["errors"].as_array().unwrap().iter();
        errors
            .map(|one| {
                (
                    one["filename"].as_str().unwrap().to_owned(),
                    one.to_string(),
                )
            })
            .collect()
    });
}

/// Objects whose properties a schema lists have no others.
fn close(schema: &mut Value) {
    if let Value::Object(keywords) = schema {
        if keywords.get("properties").is_some_and(Value::is_object)
            && keywords.get("type") == Some(&json!("object"))
        {
            keywords
                .entry("additionalProperties")
                .or_insert(Value::Bool(false));
        }
        keywords.values_mut().for_each(close);
    } else if let Value::Array(parts) = schema {
        parts.iter_mut().for_each(close);
    }
}

/// Has the files of a version judged. The judge answers the names of those it refuses, and why.
fn judged(version: &str, judge: impl Fn(&str, &[Document]) -> Vec<(String, String)>) {
    let files = files(version);
    for (kind, name) in [("static", "traefik.yml"), ("dynamic", "dynamic.yml")] {
        let schema = format!("{kind}-{version}");
        let unknown = NOT_SO.iter().filter(|(of, ..)| *of == schema);
        let unknown: Vec<&str> = unknown.map(|(_, path, _)| *path).collect();
        let texts = files.iter().filter(|(file, _)| file == name);
        let contents: Vec<Value> = texts.map(|(_, text)| content(text)).collect();
        assert!(!contents.is_empty(), "{schema}: {files:?}");
        for path in &unknown {
            let written = contents.iter().any(|one| removed(one, path).is_some());
            assert!(written, "{schema}: nothing is at {path}");
        }
        let documents: Vec<Document> = contents
            .iter()
            .flat_map(|one| variants(one, &unknown))
            .enumerate()
            .map(|(number, (variant, content, accepted))| Document {
                name: format!("file-{number}"),
                variant,
                content,
                accepted,
            })
            .collect();
        let refused = judge(kind, &documents);
        let wrong: Vec<String> = documents
            .iter()
            .filter_map(|one| {
                let of_it = refused.iter().filter(|(name, _)| *name == one.name);
                let why: Vec<&str> = of_it.map(|(_, why)| why.as_str()).collect();
                let agreed = why.is_empty() == one.accepted;
                (!agreed).then(|| format!("{schema}: {}: {why:#?}\n{:#}", one.variant, one.content))
            })
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// A file without what its schema does not know, which is accepted; and what is refused: it with one
/// of these, so that none is listed in vain, and it with a wrong key in one of its objects.
fn variants(whole: &Value, unknown: &[&str]) -> Vec<(String, Value, bool)> {
    let without = |kept: Option<&str>| {
        let others = unknown.iter().filter(|path| Some(**path) != kept);
        others.fold(whole.clone(), |file, path| {
            removed(&file, path).unwrap_or(file)
        })
    };
    let known = without(None);
    let mut variants = vec![("as it is".to_owned(), known.clone(), true)];
    for path in unknown {
        if removed(whole, path).is_some() {
            variants.push((format!("with {path}"), without(Some(path)), false));
        }
    }
    let mut pointers = Vec::new();
    objects(&known, String::new(), &mut pointers);
    for pointer in pointers {
        let mut wrong = known.clone();
        let object = wrong.pointer_mut(&pointer).unwrap();
        object["wrongKey"] = json!(1);
        variants.push((format!("a wrong key in {pointer}"), wrong, false));
    }
    variants
}

/// The pointers of all objects in a file.
fn objects(file: &Value, at: String, found: &mut Vec<String>) {
    match file {
        Value::Object(fields) => {
            for (name, value) in fields {
                objects(value, format!("{at}/{name}"), found);
            }
            found.push(at);
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                objects(value, format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// A file without the fields at a path, if it has any.
fn removed(file: &Value, path: &str) -> Option<Value> {
    let (name, rest) = path.split_once('/').unwrap_or((path, ""));
    let mut fields = file.as_object()?.clone();
    let names: Vec<String> = fields.keys().cloned().collect();
    let mut any = false;
    for one in names.iter().filter(|one| name == "*" || name == *one) {
        match rest {
            "" => any |= fields.remove(one).is_some(),
            _ => {
                if let Some(without) = removed(&fields[one], rest) {
                    fields[one] = without;
                    any = true;
                }
            }
        }
    }
    any.then_some(Value::Object(fields))
}

/// Names and texts of the files for a version: those for the spec, and those of the cases.
fn files(version: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let of_version = |release: &str| release.split('.').next() == Some(version);
    for (release, words) in RELEASES.iter().filter(|(release, _)| of_version(release)) {
        let mut spec = SPEC.replace("RELEASE", release);
        for (word, text) in words {
            spec = spec.replace(word, text);
        }
        let served = serving(&project(&spec), &place());
        let served = served.unwrap_or_else(|found| panic!("{release}: {found}"));
        let written = served.configuration.into_iter();
        files.extend(written.map(|file| (file.name, file.text)));
    }
    for case in fs::read_dir(checkout().join("tests/cases")).unwrap() {
        let case = case.unwrap().path();
        let spec = fs::read_to_string(case.join("tlsgen.yaml")).unwrap_or_default();
        if spec.contains(&format!("server: traefik@{version}")) {
            written_below(&case.join("expected"), &mut files);
        }
    }
    files
}

/// The hosts of the spec, one port for all but the first.
fn place() -> Place {
    let hosts = ["git", "wild", "optional", "balanced", "issued", "proved"];
    let hosts = hosts.iter().enumerate().map(|(index, name)| {
        let mut place = host_place(&format!("/certificates/{name}"), 8443);
        place.client_cas = Some("/certificates/clients.pem".to_owned());
        place.certificate = place.certificate.filter(|_| index < 3);
        if index == 0 {
            (place.port, place.plain_port, place.public_port) = (9443, 9080, 9443);
        }
        place
    });
    Place {
        configuration: "/configuration".to_owned(),
        trust_bundle: Some("/trust/ca-bundle.pem".to_owned()),
        identity: Some(ClientPlace {
            full_chain: "/identity/full-chain.pem".to_owned(),
            key: "/keys/client/key.pem".to_owned(),
            combined: None,
        }),
        hosts: hosts.collect(),
        resolver: None,
        state: "/state".to_owned(),
        ..Place::default()
    }
}

fn written_below(directory: &Path, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => written_below(&path, files),
            false if path.extension().is_some_and(|suffix| suffix == "yml") => {
                let name = path.file_name().unwrap().to_str().unwrap();
                files.push((name.to_owned(), fs::read_to_string(&path).unwrap()));
            }
            false => {}
        }
    }
}

/// What a reader of YAML that is not ours makes of a file.
fn content(yaml: &str) -> Value {
    const READ: &str = "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)";
    let mut child = Command::new(judge("python-judges").unwrap())
        .args(["-c", READ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(yaml.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{yaml}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The directory of the schemas.
fn schemas() -> Option<PathBuf> {
    let path = checkout().join("target/judges/traefik-schemas");
    let what = "Traefik's schemas: run tests/real/install.sh";
    there(path.exists(), what).then_some(path)
}
