//! What is written for Terraform: as its own programs read it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::support::{checkout, judge, succeed, utf8};
use super::{MODULES, expected};

#[test]
fn terraform_works_out_the_documents_that_stand_beside() {
    let Some(python) = judge("python-terraform") else {
        return;
    };
    let all = judged(&python, &MODULES.map(expected));
    let mut count = 0;
    for case in MODULES {
        let found = &all[expected(case).to_str().unwrap()];
        assert_eq!(found["diagnostics"], json!([]), "{case}");
        assert_eq!(found["unformatted"], "", "{case}");
        assert_eq!(
            [&found["valid"], &found["applied"]],
            [&json!(true); 2],
            "{case}"
        );
        let roles: Value = read_json(&expected(case).join("roles.json"));
        let mut wanted = BTreeSet::new();
        for (key, role) in roles["roles"].as_object().unwrap() {
            count += of_role(case, key, role, found, &mut wanted);
        }
        let resources = found["resources"].as_object().unwrap();
        let more: Vec<&String> = resources
            .keys()
            .filter(|name| !wanted.contains(*name))
            .filter(|name| !name.contains("_profile--") && !name.contains("_attachment--"))
            .collect();
        assert_eq!(more, [""; 0], "{case}");
    }
    assert!(count >= 40, "{count}");
}

#[test]
fn terraform_refuses_what_refers_to_nothing() {
    let Some(python) = judge("python-terraform") else {
        return;
    };
    let right = fs::read_to_string(expected("compiles-iam").join("main.tf")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    for (from, to) in [
        ("aws_iam_role.execution.name", "aws_iam_role.executoin.name"),
        (
            "resource \"aws_iam_role\" \"execution\"",
            "resource \"aws_iam_role\" \"head_job\"",
        ),
        ("jsonencode({", "jsonencoded({"),
    ] {
        assert!(right.contains(from), "{from}");
        fs::write(
            directory.path().join("main.tf"),
            right.replacen(from, to, 1),
        )
        .unwrap();
        let all = judged(&python, &[directory.path().to_owned()]);
        let found = &all[directory.path().to_str().unwrap()];
        assert_eq!(found["valid"], json!(false), "{to}");
    }
}

#[test]
fn resources_have_the_arguments_that_the_provider_takes() {
    let Some(python) = judge("python-terraform") else {
        return;
    };
    let home = python.parent().unwrap().with_file_name("terraform");
    let files = MODULES.map(|case| expected(case).join("main.tf"));
    let parsed = succeed(
        Command::new("node")
            .arg(checkout().join("tests/real/iam/hcl.js"))
            .arg(&home)
            .args(&files),
    );
    let modules: Vec<Value> = serde_json::from_slice(&parsed.stdout).unwrap();
    let mut kinds = BTreeSet::new();
    for (case, module) in MODULES.iter().zip(&modules) {
        for (kind, resources) in module["resource"].as_object().unwrap() {
            let (takes, needs) = arguments(&home, kind);
            for (name, blocks) in resources.as_object().unwrap() {
                let block = blocks[0].as_object().unwrap();
                let has: BTreeSet<String> = block.keys().cloned().collect();
                assert!(has.is_subset(&takes), "{case} {kind} {name}: {has:?}");
                assert!(needs.is_subset(&has), "{case} {kind} {name}: {has:?}");
            }
            kinds.insert(kind.clone());
        }
    }
    assert_eq!(kinds.len(), 8, "{kinds:?}");
    let (takes, needs) = arguments(&home, "aws_iam_role");
    assert!(takes.contains("permissions_boundary") && needs.contains("assume_role_policy"));
}

/// What the resources of a role must say, by the documents that stand beside; how many were compared.
fn of_role(
    case: &str,
    key: &str,
    role: &Value,
    found: &Value,
    wanted: &mut BTreeSet<String>,
) -> usize {
    let label = key.replace('-', "_");
    let label = match label.starts_with(|first: char| first.is_ascii_digit()) {
        true => format!("role_{label}"),
        false => label,
    };
    let resources = &found["resources"];
    let document =
        |text: &Value| -> Value { serde_json::from_str(text.as_str().unwrap()).unwrap() };
    let beside = |file: &Value| read_json(&expected(case).join(file.as_str().unwrap()));
    let mut count = 0;
    if role.get("existing").is_none() {
        let name = format!("aws_iam_role--{label}");
        assert_eq!(resources[&name]["name"], role["name"], "{case} {key}");
        assert_eq!(
            document(&resources[&name]["assume_role_policy"]),
            beside(&role["trust"]),
            "{case} {key}"
        );
        wanted.insert(name);
        count += 1;
    }
    let policies = role["policies"].as_array().unwrap();
    for (file, called) in policies
        .iter()
        .zip(role["policy_names"].as_array().unwrap())
    {
        let stem = file
            .as_str()
            .unwrap()
            .trim_end_matches(".json")
            .replace('-', "_");
        let mut names = ["role_policy", "user_policy", "group_policy", "policy"].map(|kind| {
            let stem = match stem.starts_with(|first: char| first.is_ascii_digit()) {
                true => format!("role_{stem}"),
                false => stem.clone(),
            };
            format!("aws_iam_{kind}--{stem}")
        });
        let name = names
            .iter_mut()
            .find(|name| resources.get(name.as_str()).is_some())
            .unwrap_or_else(|| panic!("{case} {key}"))
            .clone();
        let resource = &resources[&name];
        assert_eq!(&resource["name"], called, "{case} {key}");
        assert_eq!(document(&resource["policy"]), beside(file), "{case} {key}");
        let holder = resource
            .get("role")
            .or(resource.get("user"))
            .or(resource.get("group"));
        assert!(
            holder.is_none_or(|holder| *holder == role["name"]),
            "{case} {key}"
        );
        wanted.insert(name);
        count += 1;
    }
    if let Some(pods) = role.get("pods") {
        let name = format!("aws_eks_pod_identity_association--{label}");
        let association = &resources[&name];
        assert_eq!(association["cluster_name"], pods["cluster"], "{case} {key}");
        assert_eq!(association["namespace"], pods["namespace"], "{case} {key}");
        assert_eq!(
            association["service_account"], pods["service_account"],
            "{case} {key}"
        );
        // What stands for the ARN of a role that is made.
        let made = &found["ids"][&format!("aws_iam_role--{label}")];
        let arn = association["role_arn"].as_str().unwrap();
        let ends = format!(":role/{}", role["name"].as_str().unwrap());
        assert!(made == arn || arn.ends_with(&ends), "{case} {key}: {arn}");
        wanted.insert(name);
        count += 1;
    }
    count
}

fn judged(python: &Path, modules: &[std::path::PathBuf]) -> Value {
    let home = tempfile::tempdir().unwrap();
    let output = succeed(
        Command::new(python)
            .arg(checkout().join("tests/real/iam/terraform.py"))
            .args(modules)
            .env("HOME", home.path())
            .env("TF_CLI_CONFIG_FILE", "/dev/null")
            .env("CHECKPOINT_DISABLE", "1"),
    );
    serde_json::from_str(&utf8(&output.stdout)).unwrap()
}

/// The arguments of a resource as the provider's own schema has them: all, and those without which it is
/// refused.
fn arguments(home: &Path, kind: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let folder = kind.strip_prefix("aws_").unwrap().replace('_', "-");
    let path = home.join("package/lib").join(folder).join("index.d.ts");
    let text = fs::read_to_string(&path).unwrap_or_else(|_| panic!("the provider has no {kind}"));
    let config = text
        .split("export interface ")
        .find(|part| {
            part.lines()
                .next()
                .is_some_and(|line| line.contains("Config extends"))
        })
        .unwrap();
    let body = config.split("\n}").next().unwrap();
    let (mut takes, mut needs) = (BTreeSet::new(), BTreeSet::new());
    for line in body.lines() {
        let Some((name, _)) = line
            .strip_prefix("    readonly ")
            .and_then(|line| line.split_once(':'))
        else {
            continue;
        };
        let plain = name.trim_end_matches('?');
        let snake: String = plain
            .chars()
            .flat_map(|c| match c.is_ascii_uppercase() {
                true => vec!['_', c.to_ascii_lowercase()],
                false => vec![c],
            })
            .collect();
        if plain == name {
            needs.insert(snake.clone());
        }
        takes.insert(snake);
    }
    (takes, needs)
}

fn read_json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}
