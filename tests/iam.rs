//! Documents of AWS: what is joined loses nothing, what is written for Terraform is read back the same.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test may panic, and touch the disk"
)]

#[path = "iam/small_world.rs"]
mod small_world;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use hcl::eval::{Context, Evaluate as _, FuncArgs, FuncDef, ParamType};
use proptest::prelude::*;
use serde_json::{Value, json};
use tlsgen::diagnostic::Diagnostics;
use tlsgen::iam::{Grant, grants, read};
use tlsgen::source::Sources;
use tlsgen::world::Memory;

/// The files, and what the plan says.
type Compiled = (BTreeMap<String, String>, Vec<String>);

/// What a spec compiles to.
fn compile(files: &[(&str, &str)]) -> Compiled {
    attempt(files).unwrap_or_else(|found| panic!("{found:?}"))
}

/// The same, or the codes of what is wrong with it.
fn attempt(files: &[(&str, &str)]) -> Result<Compiled, Vec<&'static str>> {
    let world = Memory::with(files.iter().copied());
    let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
    let asked = tlsgen::Asked::fresh("tlsgen.yaml");
    let compiled = tlsgen::compile(&world, asked, &mut sources, &mut found);
    let compiled =
        compiled.map_err(|_| found.iter().map(|one| one.code.name).collect::<Vec<_>>())?;
    let artifacts = compiled.artifacts.iter().map(|one| {
        let body = String::from_utf8(one.body.to_vec()).unwrap();
        (one.path.clone(), body)
    });
    Ok((artifacts.collect(), compiled.notes))
}

fn spec(more: &str) -> String {
    format!(
        "version: 1\nproject: tower\ntargets:\n  aws:\n    kind: iam\n    account: \"123456789012\"\n    region: eu-west-1\n    output: iam\n{more}"
    )
}

const ROLES: &str = "    roles:
      platform: {grants: secrets-administration}
      execution: {grants: task-secrets, batch_cluster: lab}
      head-instance: {grants: head-job, attached_to: instance-role}
      head-job: {grants: head-job, attached_to: custom-role, execution_role: lab-ExecutionRole}
";

#[test]
fn the_five_documents_allow_what_the_instructions_of_today_allow() {
    let (files, _) = compile(&[("tlsgen.yaml", &spec(ROLES))]);
    let of = |file: &str| grants(&read(&files[&format!("iam/{file}.json")]).unwrap());
    let tower = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:tower-*";
    let execution = "arn:aws:iam::123456789012:role/lab-ExecutionRole";
    // What the instructions of Platform 26.1 say, and what is narrower here: they leave the account (E8),
    // the service that a role is passed to (E12), and on whose behalf a role is taken on (E9, E13) open.
    let passed = r#"{"StringEquals":{"iam:passedtoservice":["batch.amazonaws.com","ecs-tasks.amazonaws.com"]}}"#;
    let on_behalf = r#"{"ArnLike":{"aws:sourcearn":["arn:aws:ecs:eu-west-1:123456789012:*"]},"StringEquals":{"aws:sourceaccount":["123456789012"]}}"#;
    let takes_on = (
        "Service ecs-tasks.amazonaws.com",
        "sts:AssumeRole",
        "",
        on_behalf,
    );
    let lists = ("", "secretsmanager:ListSecrets", "*", "");
    for (file, expected) in [
        (
            "platform",
            vec![
                lists,
                ("", "secretsmanager:CreateSecret", tower, ""),
                ("", "secretsmanager:DeleteSecret", tower, ""),
                ("", "secretsmanager:DescribeSecret", tower, ""),
            ],
        ),
        (
            "execution",
            vec![("", "secretsmanager:GetSecretValue", tower, "")],
        ),
        ("execution.trust", vec![takes_on]),
        ("head-instance", vec![lists]),
        (
            "head-job",
            vec![
                lists,
                ("", "iam:GetRole", execution, ""),
                ("", "iam:PassRole", execution, passed),
            ],
        ),
        ("head-job.trust", vec![takes_on]),
    ] {
        let found = of(file);
        let found: BTreeSet<_> = found
            .iter()
            .map(|one: &Grant| {
                assert_eq!(one.effect.name(), "Allow");
                let Grant {
                    principal,
                    action,
                    resource,
                    condition,
                    ..
                } = one;
                (
                    principal.as_str(),
                    action.as_str(),
                    resource.as_str(),
                    condition.as_str(),
                )
            })
            .collect();
        assert_eq!(found, expected.into_iter().collect(), "{file}");
    }
    assert!(
        files["iam/roles.json"]
            .contains("arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy")
    );
}

#[test]
fn a_plan_says_in_words_what_changes() {
    let existing = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "AllowTowerEnterpriseSecrets", "Effect": "Allow", "Resource": "*",
         "Action": ["secretsmanager:DeleteSecret", "secretsmanager:ListSecrets", "secretsmanager:CreateSecret"]},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::lab/*"},
    ]})
    .to_string();
    let platform = "    roles: {platform: {grants: secrets-administration, name: x, existing: true}}\n    merge: {platform: existing.json}\n";
    let yaml = spec(platform);
    let (files, notes) = compile(&[("tlsgen.yaml", &yaml), ("existing.json", &existing)]);
    assert_eq!(
        notes,
        [
            "`iam/platform.json`, wider: may now describe secrets `tower-*`",
            "`iam/platform.json`, narrower: may no longer create and delete secrets `*`, only `tower-*`",
        ]
    );
    // What was written by the last build is what a change is measured against.
    let written = &files["iam/platform.json"];
    let last = [
        ("tlsgen.yaml", yaml.as_str()),
        ("existing.json", &existing),
        ("iam/platform.json", written),
    ];
    assert_eq!(compile(&last).1, [""; 0]);
    let yaml = yaml.replace("    output", "    prefix: lab-\n    output");
    let changed = [
        ("tlsgen.yaml", yaml.as_str()),
        ("existing.json", &existing),
        ("iam/platform.json", written),
    ];
    assert_eq!(
        compile(&changed).1,
        [
            "`iam/platform.json`, wider: may now create, delete and describe secrets `lab-*`",
            "`iam/platform.json`, narrower: may no longer create, delete and describe secrets `tower-*`",
        ]
    );
    // A wider statement of somebody else's that covers ours: ours add nothing.
    let all =
        json!({"Statement": [{"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*"}]});
    let notes = compile(&[
        ("tlsgen.yaml", &spec(platform)),
        ("existing.json", &all.to_string()),
    ])
    .1;
    assert_eq!(notes, [""; 0]);
}

#[test]
fn terraform_reads_the_documents_that_stand_beside() {
    let mut count = 0;
    for directory in cases() {
        let Ok(text) = fs::read_to_string(directory.join("main.tf")) else {
            continue;
        };
        let documents = documents(&text);
        let roles: Value = read_json(&directory.join("roles.json"));
        let mut expected = Vec::new();
        for (_, role) in roles["roles"].as_object().unwrap() {
            let policies = role["policies"].as_array().unwrap().iter();
            // Who may take on a role that is there already, another module says.
            let trust = role.get("trust").filter(|_| role.get("existing").is_none());
            let files = trust.into_iter().chain(policies);
            expected.extend(files.map(|file| read_json(&directory.join(file.as_str().unwrap()))));
        }
        assert_eq!(documents, expected, "{}", directory.display());
        count += documents.len();
    }
    assert!(count > 20, "{count}");
}

#[test]
fn a_policy_is_as_long_as_aws_lets_it_be_and_not_a_letter_longer() {
    let policy = |length: usize| {
        json!({"Statement": [{"Sid": "Theirs", "Effect": "Allow", "Action": "s3:GetObject",
            "Resource": format!("arn:aws:s3:::{}", "x".repeat(length))}]})
    };
    let trust = |length: usize| {
        json!({"Statement": [{"Sid": "Theirs", "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"AWS": format!("arn:aws:iam::123456789012:role/{}", "x".repeat(length))}}]})
    };
    type Padded<'a> = &'a dyn Fn(usize) -> Value;
    for (role, file, padded, quota) in [
        (
            "{grants: secrets-administration}",
            "",
            &policy as Padded<'_>,
            10_240,
        ),
        (
            "{grants: secrets-administration, policy: managed}",
            "",
            &policy,
            6_144,
        ),
        (
            "{grants: secrets-administration, attached_to: user, name: a}",
            "",
            &policy,
            2_048,
        ),
        (
            "{grants: secrets-administration, attached_to: group, name: a}",
            "",
            &policy,
            5_120,
        ),
        ("{grants: secrets-administration}", ".trust", &trust, 2_048),
    ] {
        let field = if file.is_empty() { "policy" } else { "trust" };
        let yaml = spec(&format!(
            "    roles: {{platform: {role}}}\n    merge: {{platform: {{{field}: existing.json}}}}\n"
        ));
        let with = |length: usize| {
            let existing = padded(length).to_string();
            attempt(&[("tlsgen.yaml", &yaml), ("existing.json", &existing)])
        };
        // As AWS counts: every character of the document but white space.
        let size = |files: &BTreeMap<String, String>| {
            let text = &files[&format!("iam/platform{file}.json")];
            text.chars().filter(|one| !one.is_whitespace()).count()
        };
        let least = size(&with(1).unwrap().0);
        let most = quota - least + 1;
        assert_eq!(size(&with(most).unwrap().0), quota, "{role} {file}");
        assert_eq!(
            with(most + 1).unwrap_err(),
            ["policy-too-large"],
            "{role} {file}"
        );
    }
}

#[test]
fn a_role_has_ten_managed_policies_and_that_of_aws_is_one_of_them() {
    let role = |grants: &str, count: usize| {
        let names: Vec<String> = (0..count).map(|number| format!("S{number}")).collect();
        let secrets: String = names
            .iter()
            .map(|name| {
                format!(
                    "  {name}: {{from: {{env: A}}, store: aws-secrets-manager, name: {name}{}}}\n",
                    "x".repeat(500)
                )
            })
            .collect();
        let given: String = names
            .iter()
            .map(|name| format!("{{name: {name}, as: env}}, "))
            .collect();
        let yaml = spec(&format!(
            "    roles: {{backend: {{grants: {grants}, services: [backend], policy: managed}}}}\n"
        ));
        let yaml = format!(
            "{yaml}secrets:\n{secrets}services:\n  backend: {{runtime: system, secrets: [{given}]}}\n"
        );
        let (files, _) = attempt(&[("tlsgen.yaml", &yaml)])?;
        let all: Value = serde_json::from_str(&files["iam/roles.json"]).unwrap();
        let role = &all["roles"]["backend"];
        let count = |field: &str| role[field].as_array().map_or(0, Vec::len);
        Ok::<_, Vec<&str>>(count("policies") + count("managed_policies"))
    };
    let (service, tasks) = (
        "service-secrets, attached_to: instance-role",
        "task-secrets, batch_cluster: lab",
    );
    let most = |grants: &str| {
        (1..140)
            .rev()
            .find_map(|count| Some((count, role(grants, count).ok()?)))
            .unwrap()
    };
    for grants in [service, tasks] {
        let (count, policies) = most(grants);
        assert_eq!(policies, 10, "{grants}");
        assert_eq!(
            role(grants, count + 1).unwrap_err(),
            ["policy-too-large"],
            "{grants}"
        );
    }
    assert!(most(tasks).0 < most(service).0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nobody_who_is_trusted_already_is_lost(statements in prop::collection::vec(statement(), 0..4)) {
        let mut sids = BTreeSet::new();
        let mut theirs = Vec::new();
        for (index, one) in statements.into_iter().enumerate() {
            let mut one = one.as_object().unwrap().clone();
            let who = one.remove("Resource").or_else(|| one.remove("NotResource")).unwrap();
            let kinds = [json!({"AWS": who}), json!({"Service": who, "Federated": "x"}), json!("*")];
            one.insert("Principal".to_owned(), kinds[index % 3].clone());
            for field in ["Action", "NotAction"] {
                if let Some(action) = one.get_mut(field) {
                    *action = json!(["sts:AssumeRole", "STS:Tag*"]);
                }
            }
            if one.get("Sid").and_then(Value::as_str).is_none_or(|sid| sids.insert(sid.to_owned())) {
                theirs.push(Value::Object(one));
            }
        }
        let text = json!({"Role": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Id": "x", "Statement": theirs}}}).to_string();
        let yaml = spec("    roles: {execution: {grants: task-secrets, batch_cluster: lab}}\n    merge: {execution: {trust: existing.json}}\n");
        let (files, notes) = compile(&[("tlsgen.yaml", &yaml), ("existing.json", &text)]);
        let merged = read(&files["iam/execution.trust.json"]).unwrap();
        let all = merged["Statement"].as_array().unwrap();
        prop_assert_eq!(&all[..theirs.len()], &theirs[..]);
        prop_assert_eq!(all.len(), theirs.len() + 1);
        prop_assert_eq!(&merged["Id"], &json!("x"));
        let of_trust = notes.iter().filter(|note| note.contains("trust"));
        prop_assert!(of_trust.count() <= 1, "{:?}", notes);
    }


    #[test]
    fn nothing_of_an_existing_document_is_lost(statements in prop::collection::vec(statement(), 0..6), alone in any::<bool>()) {
        let mut sids = BTreeSet::new();
        let mut statements = statements;
        statements.retain(|one| one["Sid"].as_str().is_none_or(|sid| sids.insert(sid.to_owned())));
        let theirs = match (alone, statements.as_slice()) {
            (true, [one]) => json!({"Statement": one}),
            _ => json!({"Version": "2012-10-17", "Statement": statements}),
        };
        let text = theirs.to_string();
        let yaml = spec("    formats: [terraform, cloudformation]\n    roles: {platform: {grants: secrets-administration}}\n    merge: {platform: existing.json}\n");
        let (files, _) = compile(&[("tlsgen.yaml", &yaml), ("existing.json", &text)]);
        let merged = read(&files["iam/platform.json"]).unwrap();
        prop_assert_eq!(merged.get("Version"), theirs.get("Version"));
        let all = merged["Statement"].as_array().unwrap();
        let ours = |one: &&Value| {
            let sid = one["Sid"].as_str().unwrap_or("");
            !sid.starts_with("AllowTowerEnterpriseSecrets")
        };
        let kept: Vec<&Value> = all.iter().filter(ours).collect();
        let foreign: Vec<&Value> = statements.iter().filter(ours).collect();
        prop_assert_eq!(kept, foreign);
        prop_assert_eq!(all.len() - all.iter().filter(ours).count(), 2);
        prop_assert_eq!(documents(&files["iam/main.tf"]).pop().unwrap(), merged.clone());
        let template: Value = serde_json::from_str(&files["iam/template.json"]).unwrap();
        let policy = &template["Resources"]["PlatformRole"]["Properties"]["Policies"][0];
        prop_assert_eq!(&policy["PolicyDocument"], &merged);
        // Joined once more, nothing moves.
        let (again, notes) = compile(&[("tlsgen.yaml", &yaml), ("existing.json", &files["iam/platform.json"])]);
        prop_assert_eq!(&again["iam/platform.json"], &files["iam/platform.json"]);
        prop_assert!(notes.iter().all(|note| note.contains("trust")), "{:?}", notes);
    }
}

/// A statement of any form, with any letters where AWS lets them stand.
fn statement() -> impl Strategy<Value = Value> {
    let text = "[ -~\u{a0}-\u{ff}\t\n]{1,12}|\\$\\{aws:[a-z]{1,8}\\}|%\\{if\\}|\\$\\$\\{a";
    let texts = prop_oneof![
        text.prop_map(Value::from),
        prop::collection::vec(text, 1..4).prop_map(Value::from),
    ];
    let sid = prop::option::of("[A-Za-z0-9]{1,6}");
    let action = (
        prop_oneof![Just("Action"), Just("NotAction")],
        "s3:[A-Za-z*?-]{1,8}".prop_map(Value::from),
    );
    let arns = prop::collection::vec(text.prop_map(|text| format!("arn:aws:s3:::{text}")), 1..4);
    let resource = (
        prop_oneof![Just("Resource"), Just("NotResource")],
        arns.prop_map(Value::from),
    );
    let condition = prop::option::of((text, texts));
    let effect = prop_oneof![Just("Allow"), Just("Deny")];
    let ours = any::<bool>();
    (sid, effect, action, resource, condition, ours).prop_map(
        |(sid, effect, action, resource, condition, ours)| {
            let mut all = serde_json::Map::new();
            all.extend(sid.map(|sid| ("Sid".to_owned(), sid.into())));
            all.insert("Effect".to_owned(), effect.into());
            all.insert(action.0.to_owned(), action.1);
            all.insert(resource.0.to_owned(), resource.1);
            all.extend(condition.map(|(key, values)| {
                ("Condition".to_owned(), json!({"StringLike": {key: values}}))
            }));
            // With a Sid of ours, about what ours are about.
            if ours && effect == "Allow" && all.contains_key("Action") {
                all.insert("Sid".to_owned(), "AllowTowerEnterpriseSecrets".into());
                all.insert("Action".to_owned(), "secretsmanager:DeleteSecret".into());
            }
            Value::Object(all)
        },
    )
}

/// What `jsonencode` is given in a file for Terraform, in the order of the blocks.
fn documents(text: &str) -> Vec<Value> {
    let mut context = Context::new();
    let encode = |args: FuncArgs| Ok(hcl::Value::from(serde_json::to_string(&args[0]).unwrap()));
    context.declare_func("jsonencode", FuncDef::new(encode, [ParamType::Any]));
    let body: hcl::Body = hcl::from_str(text).unwrap();
    let mut all = Vec::new();
    for block in body.blocks() {
        for attribute in block.body().attributes() {
            if !["policy", "assume_role_policy"].contains(&attribute.key()) {
                continue;
            }
            let document = attribute.expr().evaluate(&context).unwrap();
            all.push(serde_json::from_str(document.as_str().unwrap()).unwrap());
        }
    }
    all
}

fn cases() -> Vec<PathBuf> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let entries = fs::read_dir(cases).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path().join("expected/iam"));
    paths.filter(|path| path.exists()).collect()
}

fn read_json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}
