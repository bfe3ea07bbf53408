//! What a role may do, and who may take it on.
//!
//! The Sids are those of Seqera's instructions where those have one, so that a document made by them is
//! found again and narrowed.

use std::collections::BTreeMap;

use crate::iam::{
    Document, Partition, Principal, Resource, Statement, cluster, oidc_provider, role as role_arn,
    secret, secret_with_suffix, sid, source,
};
use crate::model::iam::{Pods, PodsKnownBy, Role};
use crate::model::{Iam, Model, SecretDefinition, SecretUse, ServiceId};
use crate::spec::{AttachedTo, Grants, Store};

/// To whom a head job gives the role of its tasks: Batch, where it registers a job, which gives it to
/// ECS. None but tasks of ECS can take it on.
const TASKS: [&str; 2] = ["batch.amazonaws.com", "ecs-tasks.amazonaws.com"];

/// What a role may do.
pub fn policy(model: &Model, iam: &Iam, role: &Role) -> Document {
    let statements = match role.grants {
        Grants::SecretsAdministration => administration(iam),
        Grants::TaskSecrets => {
            let mut all = task_secrets(model, iam);
            all.extend(of_services(
                model,
                iam,
                role,
                ["AllowECSAgent", "OfServices"],
            ));
            all
        }
        Grants::HeadJob => head_job(iam, role),
        Grants::ServiceSecrets => of_services(model, iam, role, ["AllowServices", ""]),
    };
    Document { statements }
}

/// Who may take a role on.
pub fn trust(iam: &Iam, role: &Role) -> Document {
    let takes_on = |sid: &str, service: String| {
        let whom = Resource::Principal(Principal::Service(service));
        Statement::allow(sid, &["sts:AssumeRole"], whom)
    };
    let statement = match (&role.pods, role.attached_to) {
        (Some(pods), _) => of_pods(iam, pods),
        // EC2 says nothing of whom it acts for: a condition on the source would fit nobody.
        (None, AttachedTo::InstanceRole) => {
            takes_on("AllowEC2Assumption", iam.partition.principal("ec2"))
        }
        _ => takes_on(
            "AllowECSTaskAssumption",
            iam.partition.principal("ecs-tasks"),
        )
        .when("StringEquals", "aws:SourceAccount", &iam.account)
        .when(
            "ArnLike",
            "aws:SourceArn",
            source(iam.partition, "ecs", &iam.region, &iam.account),
        ),
    };
    Document {
        statements: vec![statement],
    }
}

/// Pods of one service account and no others: EKS says in tags of the session whose they are (EKS User
/// Guide, "Create IAM role with trust policy required by EKS Pod Identity"), a cluster's own provider in
/// the token (ibid., "Assign IAM roles to Kubernetes service accounts").
fn of_pods(iam: &Iam, pods: &Pods) -> Statement {
    let (namespace, account) = (&pods.namespace, &pods.service_account);
    match &pods.known_by {
        PodsKnownBy::Cluster(name) => Statement::allow(
            "AllowEksAuthToAssumeRoleForPodIdentity",
            &["sts:AssumeRole", "sts:TagSession"],
            Resource::Principal(Principal::Service(iam.partition.principal("pods.eks"))),
        )
        .when(
            "StringEquals",
            "aws:RequestTag/eks-cluster-arn",
            cluster(iam.partition, &iam.region, &iam.account, name),
        )
        .when(
            "StringEquals",
            "aws:RequestTag/kubernetes-namespace",
            namespace,
        )
        .when(
            "StringEquals",
            "aws:RequestTag/kubernetes-service-account",
            account,
        ),
        PodsKnownBy::Provider(address) => Statement::allow(
            "AllowServiceAccountAssumption",
            &["sts:AssumeRoleWithWebIdentity"],
            Resource::Principal(Principal::Federated(oidc_provider(
                iam.partition,
                &iam.account,
                address,
            ))),
        )
        .when(
            "StringEquals",
            &format!("{address}:sub"),
            format!("system:serviceaccount:{namespace}:{account}"),
        )
        // For whom the webhook of EKS asks for tokens, in every partition.
        .when(
            "StringEquals",
            &format!("{address}:aud"),
            "sts.amazonaws.com",
        ),
    }
}

/// Seqera Platform makes the secrets of a run and deletes them. It lists all, since AWS knows no
/// narrower: without that it cannot delete, and a run never ends.
fn administration(iam: &Iam) -> Vec<Statement> {
    let manage = [
        "secretsmanager:CreateSecret",
        "secretsmanager:DeleteSecret",
        "secretsmanager:DescribeSecret",
    ];
    let mut all = vec![
        Statement::allow("AllowTowerEnterpriseSecrets", &manage, made_for_tasks(iam)),
        lists("AllowTowerEnterpriseSecretsListing"),
    ];
    all.extend(uses(
        iam,
        "AllowTowerEnterpriseSecretsKey",
        &["kms:Decrypt", "kms:GenerateDataKey"],
        iam.kms_key.iter().cloned().collect(),
    ));
    all
}

fn task_secrets(model: &Model, iam: &Iam) -> Vec<Statement> {
    let read = ["secretsmanager:GetSecretValue"];
    let mut all = vec![Statement::allow(
        "AllowECSAgentToRetrieveSecrets",
        &read,
        made_for_tasks(iam),
    )];
    let own = keys_of_tasks(model, iam).map(|(_, key)| key.clone());
    let keys: Vec<String> = iam.kms_key.iter().cloned().chain(own).collect();
    all.extend(uses(
        iam,
        "AllowECSAgentToDecryptSecrets",
        &["kms:Decrypt"],
        sorted(keys),
    ));
    all
}

/// Keys of the spec's secrets that are named as those which Seqera Platform makes.
pub fn keys_of_tasks<'a>(
    model: &'a Model,
    iam: &'a Iam,
) -> impl Iterator<Item = (&'a SecretDefinition, &'a String)> {
    let definitions = model.secrets().flat_map(|(_, secret)| &secret.definitions);
    definitions.filter_map(|one| {
        let region = one.region.as_deref().unwrap_or(&iam.region);
        let is_made_so = one.store == Store::AwsSecretsManager
            && one.stored.starts_with(&iam.prefix)
            && region == iam.region;
        let (key, _) = one.kms_key.as_ref().filter(|_| is_made_so)?;
        Some((one, key))
    })
}

/// The secrets of services: each by its name and what Secrets Manager adds to that, with the keys that
/// encrypt them.
fn of_services(model: &Model, iam: &Iam, role: &Role, [who, whose]: [&str; 2]) -> Vec<Statement> {
    let mut arns: Vec<String> = Vec::new();
    let mut keys: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (_, region, definition) in role
        .services
        .iter()
        .flat_map(|(id, _)| given(model, iam, *id))
    {
        arns.push(secret_with_suffix(
            iam.partition,
            region,
            &iam.account,
            &definition.stored,
        ));
        if let Some((key, _)) = &definition.kms_key {
            keys.entry(region).or_default().push(key.clone());
        }
    }
    if arns.is_empty() {
        return Vec::new();
    }
    let mut all = vec![Statement::allow(
        format!("{who}ToReadSecrets{whose}"),
        &["secretsmanager:GetSecretValue"],
        Resource::Arns(sorted(arns)),
    )];
    for (region, keys) in keys {
        // Numbers are for the pieces of a statement that is too long.
        let elsewhere = match region == iam.region {
            true => String::new(),
            false => sid(&["in", region]),
        };
        let sid = format!("{who}ToDecryptSecrets{whose}{elsewhere}");
        let via = iam.partition.endpoint("secretsmanager", region);
        let statement = Statement::allow(sid, &["kms:Decrypt"], Resource::Arns(sorted(keys)));
        all.push(statement.when("StringEquals", "kms:ViaService", via));
    }
    all
}

fn sorted(mut all: Vec<String>) -> Vec<String> {
    all.sort_unstable();
    all.dedup();
    all
}

/// What a service is given out of Secrets Manager in the partition of a target, each with its region.
pub fn given<'a>(
    model: &'a Model,
    iam: &'a Iam,
    service: ServiceId,
) -> impl Iterator<Item = (&'a SecretUse, &'a str, &'a SecretDefinition)> {
    model.service(service).secrets.iter().filter_map(|one| {
        // What is a user's own is handed to that user's runs by Seqera Platform, under its prefix.
        let secret = model.secret(one.secret);
        let definition = secret.of_workspace(Store::AwsSecretsManager)?;
        let region = definition.region.as_deref().unwrap_or(&iam.region);
        let here = Partition::of_region(region) == Some(iam.partition);
        here.then_some((one, region, definition))
    })
}

fn head_job(iam: &Iam, role: &Role) -> Vec<Statement> {
    let mut all = vec![lists("AllowNextflowHeadJobToAccessSecrets")];
    if let Some(name) = &role.execution_role {
        let arn = || Resource::Arns(vec![role_arn(iam.partition, &iam.account, name)]);
        all.push(
            Statement::allow("AllowNextflowHeadJobToPassRoles", &["iam:PassRole"], arn())
                .when_one_of("StringEquals", "iam:PassedToService", &TASKS),
        );
        // Nothing is passed where a role is looked at: under the same condition it would be refused.
        all.push(Statement::allow(
            "AllowNextflowHeadJobToGetRoles",
            &["iam:GetRole"],
            arn(),
        ));
    }
    all
}

fn lists(sid: &str) -> Statement {
    Statement::allow(sid, &["secretsmanager:ListSecrets"], Resource::Any)
}

/// The secrets that Seqera Platform makes, by how their names begin.
fn made_for_tasks(iam: &Iam) -> Resource {
    let name = format!("{}*", iam.prefix);
    Resource::Arns(vec![secret(
        iam.partition,
        &iam.region,
        &iam.account,
        &name,
    )])
}

/// The use of the customer's keys, for secrets alone.
fn uses(iam: &Iam, sid: &str, actions: &[&str], keys: Vec<String>) -> Option<Statement> {
    if keys.is_empty() {
        return None;
    }
    let via = iam.partition.endpoint("secretsmanager", &iam.region);
    let statement = Statement::allow(sid, actions, Resource::Arns(keys));
    Some(statement.when("StringEquals", "kms:ViaService", via))
}
