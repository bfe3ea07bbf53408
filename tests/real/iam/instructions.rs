//! What Seqera's instructions allow, taken apart by a reader of its own, beside what is written here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use super::support::project::Project;
use super::support::shared;
use super::{json_blocks, written};

/// What the instructions have said since, as the facts report it: `EE1` and `EE3`.
const TODAY: [&str; 2] = [
    "today: ListSecrets on `*`, DescribeSecret/DeleteSecret/CreateSecret on `arn:aws:secretsmanager:<REGION>:<ACCOUNT_ID>:secret:tower-*`",
    "GetSecretValue on every secret of the region; today `…:secret:tower-*`",
];

/// One permission: who, what, to what, and every condition that must hold.
type Permission = (String, String, String, BTreeSet<String>);

#[test]
fn the_documents_allow_what_the_instructions_of_today_allow_but_for_what_is_stated() {
    let (Some(seed), Some(facts)) = (
        shared("seeds/E-tower-secrets-aws.txt"),
        shared("facts/seeds.md"),
    ) else {
        return;
    };
    let facts = fs::read_to_string(facts).unwrap();
    assert!(
        TODAY.iter().all(|said| facts.contains(said)),
        "the facts say otherwise by now"
    );
    let seed = json_blocks(&fs::read_to_string(seed).unwrap());
    let [
        platform,
        execution,
        execution_trust,
        instance,
        head_job,
        head_job_trust,
    ] = <[Value; 6]>::try_from(seed).unwrap();
    let project = Project::new();
    project.write("tlsgen.yaml", "version: 1\nproject: tower\ntargets:\n  aws:\n    kind: iam\n    account: \"123456789012\"\n    region: eu-west-1\n    output: iam\n    roles:\n      platform: {grants: secrets-administration}\n      execution: {grants: task-secrets, batch_cluster: lab}\n      instance: {grants: head-job, attached_to: instance-role}\n      head-job: {grants: head-job, attached_to: custom-role, execution_role: lab-ExecutionRole}\n");
    project.build();
    // The instructions, brought to what they say today.
    let tower = "arn:aws:secretsmanager:<REGION>:<ACCOUNT_ID>:secret:tower-*";
    let platform = expanded(&platform)
        .into_iter()
        .map(|(who, action, resource, when)| match action.as_str() {
            "secretsmanager:ListSecrets" => (who, action, resource, when),
            _ => (who, action, tower.to_owned(), when),
        })
        .chain([permission("secretsmanager:DescribeSecret", tower)]);
    let execution = expanded(&execution)
        .into_iter()
        .map(|(who, action, resource, when)| {
            (
                who,
                action,
                resource.replace(":secret:*", ":secret:tower-*"),
                when,
            )
        });
    let instructions: [(&str, BTreeSet<Permission>); 6] = [
        ("platform", platform.collect()),
        ("execution", execution.collect()),
        ("execution.trust", expanded(&execution_trust)),
        ("instance", expanded(&instance)),
        ("head-job", expanded(&head_job)),
        ("head-job.trust", expanded(&head_job_trust)),
    ];
    // What is narrower here on purpose: where, and how.
    let on_behalf = [
        "StringEquals aws:SourceAccount [\"123456789012\"]",
        "ArnLike aws:SourceArn [\"arn:aws:ecs:eu-west-1:123456789012:*\"]",
    ];
    let passed =
        ["StringEquals iam:PassedToService [\"batch.amazonaws.com\",\"ecs-tasks.amazonaws.com\"]"];
    let narrower: BTreeMap<(&str, &str), &[&str]> = [
        (("execution.trust", "sts:AssumeRole"), &on_behalf[..]),
        (("head-job.trust", "sts:AssumeRole"), &on_behalf[..]),
        (("head-job", "iam:PassRole"), &passed[..]),
    ]
    .into();
    let mut narrowed = 0;
    for (file, theirs) in instructions {
        let expected: BTreeSet<Permission> = theirs
            .into_iter()
            .map(|(who, action, resource, mut when)| {
                let resource = resource
                    .replace("<YOUR_COMPUTE_REGION>:*:", "eu-west-1:123456789012:")
                    .replace("<REGION>", "eu-west-1")
                    .replace("<ACCOUNT_ID>", "123456789012")
                    .replace("YOUR_ACCOUNT", "123456789012")
                    .replace("YOUR_BATCH_CLUSTER", "lab");
                if let Some(conditions) = narrower.get(&(file, action.as_str())) {
                    when.extend(conditions.iter().map(|&one| one.to_owned()));
                    narrowed += 1;
                }
                (who, action, resource, when)
            })
            .collect();
        assert_eq!(expanded(&written(&project, file)), expected, "{file}");
    }
    assert_eq!(
        narrowed,
        narrower.len(),
        "each narrowing is of something that is there"
    );
}

fn permission(action: &str, resource: &str) -> Permission {
    (
        String::new(),
        action.to_owned(),
        resource.to_owned(),
        BTreeSet::new(),
    )
}

/// Every action on every resource for every principal, with its conditions.
fn expanded(document: &Value) -> BTreeSet<Permission> {
    let list = |value: Option<&Value>| -> Vec<String> {
        match value {
            None => vec![String::new()],
            Some(Value::Array(all)) => all
                .iter()
                .map(|one| one.as_str().unwrap().to_owned())
                .collect(),
            Some(one) => vec![one.as_str().unwrap().to_owned()],
        }
    };
    let mut all = BTreeSet::new();
    for statement in document["Statement"].as_array().unwrap() {
        assert_eq!(statement["Effect"], "Allow");
        let fields = statement.as_object().unwrap().keys();
        let known = [
            "Sid",
            "Effect",
            "Principal",
            "Action",
            "Resource",
            "Condition",
        ];
        assert!(
            fields
                .into_iter()
                .all(|field| known.contains(&field.as_str()))
        );
        let mut when = BTreeSet::new();
        for (operator, keys) in statement
            .get("Condition")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            for (key, values) in keys.as_object().unwrap() {
                let values = Value::from(list(Some(values)));
                when.insert(format!("{operator} {key} {values}"));
            }
        }
        let who = statement
            .get("Principal")
            .map_or_else(String::new, ToString::to_string);
        for action in list(statement.get("Action")) {
            for resource in list(statement.get("Resource")) {
                all.insert((who.clone(), action.clone(), resource, when.clone()));
            }
        }
    }
    all
}
