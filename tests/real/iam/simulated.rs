//! What a simulator of policies, which knows conditions, allows each role.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::support::{checkout, judge, utf8};
use super::{expected, fed};

#[test]
fn a_simulator_allows_each_role_its_own_and_nothing_else() {
    let Some(python) = judge("python-aws") else {
        return;
    };
    let mut questions = Vec::new();
    let mut expected_answers = Vec::new();
    for (case, partition, region, prefix, role, suffix) in [
        (
            "compiles-iam",
            "aws",
            "eu-west-1",
            "tower-",
            "lab-ExecutionRole",
            "",
        ),
        (
            "compiles-iam-in-aws-cn",
            "aws-cn",
            "cn-north-1",
            "lab/",
            "Batch",
            ".cn",
        ),
        (
            "compiles-iam-in-aws-us-gov",
            "aws-us-gov",
            "us-gov-west-1",
            "lab/",
            "Batch",
            "",
        ),
    ] {
        let document = |file: &str| -> Value {
            serde_json::from_str(&fs::read_to_string(expected(case).join(file)).unwrap()).unwrap()
        };
        let account = "123456789012";
        let secret = |account: &str, name: &str| {
            format!("arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-a1B2c3")
        };
        let own = secret(account, &format!("{prefix}1"));
        let (other, abroad) = (
            secret(account, "other"),
            secret("999999999999", &format!("{prefix}1")),
        );
        let arn = |role: &str| format!("arn:{partition}:iam::{account}:role/{role}");
        let key_account = if partition == "aws" {
            account
        } else {
            "210987654321"
        };
        let key = format!(
            "arn:{partition}:kms:{region}:{key_account}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
        );
        let via = |service: &str| json!({"kms:ViaService": format!("{service}.{region}.amazonaws.com{suffix}")});
        let passed = |service: &str| json!({"iam:PassedToService": service});
        let none = json!({});
        for (file, action, resource, context, allowed) in [
            ("platform", "secretsmanager:ListSecrets", "*", &none, true),
            ("platform", "secretsmanager:CreateSecret", &own, &none, true),
            ("platform", "secretsmanager:DeleteSecret", &own, &none, true),
            (
                "platform",
                "secretsmanager:DescribeSecret",
                &own,
                &none,
                true,
            ),
            (
                "platform",
                "secretsmanager:DeleteSecret",
                &other,
                &none,
                false,
            ),
            (
                "platform",
                "secretsmanager:DeleteSecret",
                &abroad,
                &none,
                false,
            ),
            (
                "platform",
                "secretsmanager:GetSecretValue",
                &own,
                &none,
                false,
            ),
            (
                "platform",
                "kms:GenerateDataKey",
                &key,
                &via("secretsmanager"),
                true,
            ),
            ("platform", "kms:Decrypt", &key, &via("s3"), false),
            ("platform", "kms:Decrypt", &key, &none, false),
            (
                "execution",
                "secretsmanager:GetSecretValue",
                &own,
                &none,
                true,
            ),
            (
                "execution",
                "secretsmanager:GetSecretValue",
                &other,
                &none,
                false,
            ),
            (
                "execution",
                "secretsmanager:DeleteSecret",
                &own,
                &none,
                false,
            ),
            ("execution", "secretsmanager:ListSecrets", "*", &none, false),
            (
                "execution",
                "kms:Decrypt",
                &key,
                &via("secretsmanager"),
                true,
            ),
            (
                "execution",
                "kms:GenerateDataKey",
                &key,
                &via("secretsmanager"),
                false,
            ),
            ("head-job", "secretsmanager:ListSecrets", "*", &none, true),
            (
                "head-job",
                "secretsmanager:GetSecretValue",
                &own,
                &none,
                false,
            ),
            (
                "head-job",
                "iam:PassRole",
                &arn(role),
                &passed("ecs-tasks.amazonaws.com"),
                true,
            ),
            (
                "head-job",
                "iam:PassRole",
                &arn(role),
                &passed("batch.amazonaws.com"),
                true,
            ),
            (
                "head-job",
                "iam:PassRole",
                &arn(role),
                &passed("ec2.amazonaws.com"),
                false,
            ),
            (
                "head-job",
                "iam:PassRole",
                &arn(role),
                &passed("lambda.amazonaws.com"),
                false,
            ),
            (
                "platform",
                "secretsmanager:CreateSecret",
                &other,
                &none,
                false,
            ),
            ("platform", "iam:PassRole", &arn(role), &none, false),
            ("execution", "kms:Decrypt", &key, &via("s3"), false),
            ("execution", "kms:Decrypt", &key, &none, false),
            ("head-job", "iam:PassRole", &arn(role), &none, false),
            (
                "head-job",
                "iam:PassRole",
                &arn("Admin"),
                &passed("ecs-tasks.amazonaws.com"),
                false,
            ),
            ("head-job", "iam:GetRole", &arn(role), &none, true),
            ("head-job", "iam:GetRole", &arn("Admin"), &none, false),
        ] {
            questions.push(json!({"policy": document(&format!("{file}.json")), "action": action, "resource": resource, "context": context}));
            expected_answers.push((
                format!("{case} {file} {action} {resource} {context}"),
                allowed,
            ));
        }
        let from = |account: &str, service: &str| json!({"aws:SourceAccount": account, "aws:SourceArn": format!("arn:{partition}:{service}:{region}:{account}:task/lab/1")});
        let ec2 = if partition == "aws-cn" {
            "ec2.amazonaws.com.cn"
        } else {
            "ec2.amazonaws.com"
        };
        for (file, service, context, allowed) in [
            (
                "execution",
                "ecs-tasks.amazonaws.com",
                from(account, "ecs"),
                true,
            ),
            (
                "execution",
                "ecs-tasks.amazonaws.com",
                from("999999999999", "ecs"),
                false,
            ),
            (
                "execution",
                "ecs-tasks.amazonaws.com",
                from(account, "lambda"),
                false,
            ),
            ("execution", "ecs-tasks.amazonaws.com", none.clone(), false),
            (
                "execution",
                "ec2.amazonaws.com",
                from(account, "ecs"),
                false,
            ),
            (
                "head-job",
                "ecs-tasks.amazonaws.com",
                from(account, "ecs"),
                true,
            ),
            ("platform", ec2, none.clone(), true),
            (
                "platform",
                "ecs-tasks.amazonaws.com",
                from(account, "ecs"),
                false,
            ),
        ] {
            questions.push(json!({"policy": document(&format!("{file}.trust.json")), "action": "sts:AssumeRole", "service": service, "account": account, "context": context}));
            expected_answers.push((format!("{case} {file}.trust {service} {context}"), allowed));
        }
    }
    let mut simulator = Command::new(python);
    simulator.arg(checkout().join("tests/real/iam/simulate.py"));
    let output = fed(simulator, &Value::from(questions).to_string());
    assert!(output.status.success(), "{}", utf8(&output.stderr));
    let answers: Vec<bool> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answers.len(), 114);
    for (answer, (question, allowed)) in answers.iter().zip(&expected_answers) {
        assert_eq!(answer, allowed, "{question}");
    }
}

#[test]
fn a_simulator_lets_the_pods_of_one_service_account_take_on_a_role() {
    let Some(python) = judge("python-aws") else {
        return;
    };
    let (mut questions, mut expected_answers) = (Vec::new(), Vec::new());
    for (case, partition, region, suffix) in [
        ("compiles-iam-in-eks", "aws", "eu-west-1", ""),
        (
            "compiles-iam-in-eks-in-aws-cn",
            "aws-cn",
            "cn-north-1",
            ".cn",
        ),
    ] {
        let account = "123456789012";
        let tags = |cluster: &str, namespace: &str, service_account: &str| {
            json!({
                "aws:RequestTag/eks-cluster-arn": format!("arn:{partition}:eks:{region}:{account}:cluster/{cluster}"),
                "aws:RequestTag/kubernetes-namespace": namespace,
                "aws:RequestTag/kubernetes-service-account": service_account,
            })
        };
        let pods = "pods.eks.amazonaws.com";
        let provider =
            format!("oidc.eks.{region}.amazonaws.com{suffix}/id/EXAMPLED539D4633E53DE1B71EXAMPLE");
        let federated = format!("arn:{partition}:iam::{account}:oidc-provider/{provider}");
        let token = |subject: &str, audience: &str| json!({format!("{provider}:sub"): format!("system:serviceaccount:{subject}"), format!("{provider}:aud"): audience});
        let with_token = "sts:AssumeRoleWithWebIdentity";
        for (file, action, who, context, allowed) in [
            (
                "platform",
                "sts:AssumeRole",
                pods,
                tags("lab", "tower", "platform"),
                true,
            ),
            (
                "platform",
                "sts:TagSession",
                pods,
                tags("lab", "tower", "platform"),
                true,
            ),
            (
                "platform",
                "sts:AssumeRole",
                pods,
                tags("other", "tower", "platform"),
                false,
            ),
            (
                "platform",
                "sts:AssumeRole",
                pods,
                tags("lab", "default", "platform"),
                false,
            ),
            (
                "platform",
                "sts:AssumeRole",
                pods,
                tags("lab", "tower", "default"),
                false,
            ),
            ("platform", "sts:AssumeRole", pods, json!({}), false),
            (
                "platform",
                "sts:AssumeRole",
                "eks.amazonaws.com",
                tags("lab", "tower", "platform"),
                false,
            ),
            (
                "external-secrets",
                with_token,
                federated.as_str(),
                token("external-secrets:external-secrets", "sts.amazonaws.com"),
                true,
            ),
            (
                "external-secrets",
                with_token,
                &federated,
                token("external-secrets:default", "sts.amazonaws.com"),
                false,
            ),
            (
                "external-secrets",
                with_token,
                &federated,
                token("external-secrets:external-secrets", "other"),
                false,
            ),
            ("external-secrets", with_token, &federated, json!({}), false),
            (
                "external-secrets",
                "sts:AssumeRole",
                &federated,
                token("external-secrets:external-secrets", "sts.amazonaws.com"),
                false,
            ),
        ] {
            let path = expected(case).join(format!("{file}.trust.json"));
            let policy: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
            questions.push(json!({"policy": policy, "action": action, "service": who, "account": account, "context": context}));
            expected_answers.push((format!("{case} {file} {action} {who} {context}"), allowed));
        }
    }
    let mut simulator = Command::new(python);
    simulator.arg(checkout().join("tests/real/iam/simulate.py"));
    let output = fed(simulator, &Value::from(questions).to_string());
    assert!(output.status.success(), "{}", utf8(&output.stderr));
    let answers: Vec<bool> = serde_json::from_slice(&output.stdout).unwrap();
    for (answer, (question, allowed)) in answers.iter().zip(&expected_answers) {
        assert_eq!(answer, allowed, "{question}");
    }
}
