//! What a role may do, and who may take it on.
//!
//! The Sids are those of Seqera's instructions where those have one, so that a document made by them is
//! found again and narrowed.

use std::collections::BTreeMap;

use crate::iam::{
    Document, Partition, Principal, Resource, Statement, cluster, oidc_provider, role as role_arn,
    secret, secret_with_suffix, source,
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
            let mut all = task_secrets(iam);
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
    all.extend(key(
        iam,
        "AllowTowerEnterpriseSecretsKey",
        &["kms:Decrypt", "kms:GenerateDataKey"],
    ));
    all
}

fn task_secrets(iam: &Iam) -> Vec<Statement> {
    let read = ["secretsmanager:GetSecretValue"];
    let mut all = vec![Statement::allow(
        "AllowECSAgentToRetrieveSecrets",
        &read,
        made_for_tasks(iam),
    )];
    all.extend(key(iam, "AllowECSAgentToDecryptSecrets", &["kms:Decrypt"]));
    all
}

/// The secrets of services: each by its name and what Secrets Manager adds to that, with the keys that
/// encrypt them.
fn of_services(model: &Model, iam: &Iam, role: &Role, [who, whose]: [&str; 2]) -> Vec<Statement> {
    let mut arns: Vec<String> = Vec::new();
    let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
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
            let via = iam.partition.endpoint("secretsmanager", region);
            keys.entry(via).or_default().push(key.clone());
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
    for (index, (via, keys)) in keys.into_iter().enumerate() {
        let number = match index {
            0 => String::new(),
            more => (more + 1).to_string(),
        };
        let sid = format!("{who}ToDecryptSecrets{whose}{number}");
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

/// The use of the customer's key, for secrets alone.
fn key(iam: &Iam, sid: &str, actions: &[&str]) -> Option<Statement> {
    let key = iam.kms_key.as_ref()?;
    let via = iam.partition.endpoint("secretsmanager", &iam.region);
    let statement = Statement::allow(sid, actions, Resource::Arns(vec![key.clone()]));
    Some(statement.when("StringEquals", "kms:ViaService", via))
}
