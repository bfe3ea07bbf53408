//! Roles of AWS as targets.

use super::Resolver;
use crate::diagnostic::{Code, Diagnostic, Severity, suggest};
use crate::iam::{Arn, Partition};
use crate::model::iam::{Iam, Pods, PodsKnownBy, Role};
use crate::model::{Index, Secret};
use crate::spec::{self, AttachedTo, Grants, Merge, PolicyForm};

pub(super) static REGION: Code = Code {
    name: "iam-region",
    severity: Severity::Error,
    summary: "there is no such region, or it is in another partition",
    manual: include_str!("../manual/iam-region.md"),
};
pub(super) static KEY: Code = Code {
    name: "iam-key",
    severity: Severity::Error,
    summary: "a KMS key is in another region than the secrets that it is to encrypt",
    manual: include_str!("../manual/iam-key.md"),
};
pub(super) static ROLE: Code = Code {
    name: "iam-role-unclear",
    severity: Severity::Error,
    summary: "a role lacks what its grants need, or says what has no effect",
    manual: include_str!("../manual/iam-role-unclear.md"),
};
pub(super) static UNKNOWN_ROLE: Code = Code {
    name: "unknown-role",
    severity: Severity::Error,
    summary: "`merge` names a role that the target does not have",
    manual: include_str!("../manual/unknown-role.md"),
};

/// The longest name of a role (IAM API reference, `CreateRole`).
const LONGEST: usize = 64;

/// Documents of all roles together, which are called so.
const FILES: [&str; 2] = ["roles", "template"];

impl Resolver<'_> {
    pub(super) fn iam(
        &mut self,
        target: &str,
        iam: &spec::Iam,
        known: &Index,
        secrets: &[Secret],
    ) -> Iam {
        let output_span = self.value(&["targets", target, "output"]);
        let output = self.path(&iam.output, ["targets", target], output_span);
        let partition = self.partition(target, iam);
        self.keys_elsewhere(target, iam, partition, secrets);
        let roles = iam.roles.iter();
        let roles =
            roles.map(|(key, role)| self.role(target, (key.as_str(), role), known, partition));
        let mut roles: Vec<Role> = roles.collect();
        self.merged(target, iam, &mut roles);
        self.same_names(target, &roles);
        Iam {
            partition,
            account: iam.account.to_string(),
            region: iam.region.to_string(),
            output: output.unwrap_or_default(),
            output_span,
            formats: iam.formats.clone(),
            prefix: iam.prefix.to_string(),
            kms_key: iam.kms_key.as_ref().map(ToString::to_string),
            tags: iam
                .tags
                .iter()
                .map(|(key, value)| (key.to_string(), value.to_string()))
                .collect(),
            roles,
        }
    }

    fn partition(&mut self, target: &str, iam: &spec::Iam) -> Partition {
        let span = self.value(&["targets", target, "region"]);
        let region = iam.region.as_str();
        let Some(partition) = Partition::of_region(region) else {
            let message = format!("there is no region `{region}`");
            let unknown = Diagnostic::new(&REGION, span, message);
            let isolated = ["us-iso", "us-isob-", "us-isof-", "eu-isoe-", "eusc-"];
            let help = match isolated.iter().any(|begin| region.starts_with(begin)) {
                true => "known are the partitions `aws`, `aws-cn` and `aws-us-gov`: of the isolated and the sovereign ones AWS publishes too little for policies that would be sure to fit".to_owned(),
                false => suggest(region, Partition::regions()),
            };
            self.found.push(unknown.help(help));
            return iam.partition.unwrap_or(Partition::Aws);
        };
        if let Some(said) = iam.partition.filter(|said| *said != partition) {
            let (here, there) = (partition.name(), said.name());
            let message = format!("`{region}` is in the partition `{here}`, not in `{there}`");
            let other = self.value(&["targets", target, "partition"]);
            self.found.push(
                Diagnostic::new(&REGION, other, message)
                    .also(span, "the region")
                    .help(format!(
                        "write `partition: {here}`, or nothing: it follows from the region"
                    )),
            );
        }
        partition
    }

    /// Secrets Manager uses keys of its own region alone; of which account, it does not mind.
    fn keys_elsewhere(
        &mut self,
        target: &str,
        iam: &spec::Iam,
        partition: Partition,
        secrets: &[Secret],
    ) {
        let here = iam.region.as_str();
        let own = iam.kms_key.as_ref().map(|key| {
            let span = self.value(&["targets", target, "kms_key"]);
            (key.to_string(), here, span)
        });
        let definitions = secrets.iter().flat_map(|secret| &secret.definitions);
        let of_secrets = definitions.filter_map(|one| {
            let (key, span) = one.kms_key.as_ref()?;
            Some((key.clone(), one.region.as_deref().unwrap_or(here), *span))
        });
        for (key, region, span) in own.into_iter().chain(of_secrets) {
            let Some(arn) = Arn::parse(&key) else {
                continue;
            };
            // Secrets of another partition are not this target's.
            let is_here = Partition::of_region(region) == Some(partition);
            let name = partition.name();
            let fits = arn.region == region && arn.partition == name;
            let known = self
                .found
                .iter()
                .any(|known| known.code.name == KEY.name && known.span() == Some(span));
            if fits || !is_here || known {
                continue;
            }
            let message = format!(
                "the key is in `{}` of `{}`, and the secrets are in `{region}` of `{name}`",
                arn.region, arn.partition
            );
            self.found
                .push(Diagnostic::new(&KEY, span, message).help(format!(
                    "name a key whose ARN begins with `arn:{name}:kms:{region}:`"
                )));
        }
    }

    fn role(
        &mut self,
        target: &str,
        (key, role): (&str, &spec::Role),
        known: &Index,
        partition: Partition,
    ) -> Role {
        let place = self.loaded.place(&["targets", target, "roles", key]);
        self.idle_fields(target, key, role);
        let attached_to = self.attached(target, key, role);
        let mut services = Vec::new();
        for (index, name) in role.services.iter().enumerate() {
            let path = [
                "targets",
                target,
                "roles",
                key,
                "services",
                &index.to_string(),
            ];
            let span = self.value(&path);
            let id = self.service(name.as_str(), known, span);
            services.extend(id.map(|id| (id, span)));
        }
        let name = self.role_name(target, key, role);
        Role {
            key: key.to_owned(),
            name,
            grants: role.grants,
            attached_to,
            execution_role: role.execution_role.as_ref().map(ToString::to_string),
            services,
            managed: role.policy == Some(PolicyForm::Managed),
            existing: role.existing || matches!(attached_to, AttachedTo::User | AttachedTo::Group),
            merge: None,
            merge_trust: None,
            policy_name: role.policy_name.as_ref().map(ToString::to_string),
            pods: self.pods(target, key, role, partition),
            place,
        }
    }

    fn pods(
        &mut self,
        target: &str,
        key: &str,
        role: &spec::Role,
        partition: Partition,
    ) -> Option<Pods> {
        let here = ["targets", target, "roles", key];
        let (how, field, example) = match role.attached_to {
            Some(AttachedTo::PodIdentity) => ("pod-identity", "cluster", "cluster: lab"),
            Some(AttachedTo::Irsa) => (
                "irsa",
                "oidc_provider",
                "oidc_provider: oidc.eks.eu-west-1.amazonaws.com/id/…",
            ),
            _ => return None,
        };
        let Some(pods) = &role.pods else {
            let message = format!("`{key}` does not say whose pods take it on");
            let help = format!(
                "write `pods: {{{example}, namespace: …, service_account: …}}`, or leave `attached_to: {how}` out"
            );
            self.unclear(&here, message, &help);
            return None;
        };
        let (known_by, idle) = match how {
            "irsa" => (
                pods.oidc_provider
                    .as_ref()
                    .map(|one| PodsKnownBy::Provider(one.to_string())),
                pods.cluster.is_some().then_some("cluster"),
            ),
            _ => (
                pods.cluster
                    .as_ref()
                    .map(|one| PodsKnownBy::Cluster(one.to_string())),
                pods.oidc_provider.is_some().then_some("oidc_provider"),
            ),
        };
        let inside = ["targets", target, "roles", key, "pods"];
        if let Some(PodsKnownBy::Provider(address)) = &known_by {
            self.provider_elsewhere(&inside, address, partition);
        }
        if let Some(idle) = idle {
            let message = format!("`{idle}` has no effect where a role is `attached_to: {how}`");
            let field = [&inside[..], &[idle]].concat();
            self.unclear(&field, message, "remove it");
        }
        if known_by.is_none() {
            let message = format!("`{key}` does not say its `{field}`");
            self.unclear(&inside, message, &format!("write `{example}`"));
        }
        Some(Pods {
            known_by: known_by?,
            namespace: pods.namespace.to_string(),
            service_account: pods.service_account.to_string(),
        })
    }

    /// Providers of EKS have their region in their address; those of other clusters are anywhere.
    fn provider_elsewhere(&mut self, inside: &[&str], address: &str, partition: Partition) {
        let region = address.strip_prefix("oidc.eks.");
        let region = region.and_then(|rest| rest.split('.').next()).unwrap_or("");
        if Partition::of_region(region).is_none_or(|other| other == partition) {
            return;
        }
        let message = format!("`{region}` is not in the partition `{}`", partition.name());
        let path = [inside, &["oidc_provider"]].concat();
        self.unclear(
            &path,
            message,
            "name a provider of the partition in which the role is",
        );
    }

    fn unclear(&mut self, path: &[&str], message: String, help: &str) {
        let place = self.loaded.place(path);
        let found = Diagnostic::new(&ROLE, place.key, message);
        self.found.push(found.help(help));
    }

    fn idle_fields(&mut self, target: &str, key: &str, role: &spec::Role) {
        let grants = word(role.grants);
        let is = |one: Grants| role.grants == one;
        let tasks = is(Grants::TaskSecrets);
        for (field, stands, has_effect) in [
            ("batch_cluster", role.batch_cluster.is_some(), tasks),
            (
                "execution_role",
                role.execution_role.is_some(),
                is(Grants::HeadJob),
            ),
            (
                "services",
                !role.services.is_empty(),
                tasks || is(Grants::ServiceSecrets),
            ),
            ("attached_to", role.attached_to.is_some(), !tasks),
            (
                "pods",
                role.pods.is_some() && !is_of_pods(role.attached_to),
                false,
            ),
        ] {
            if stands && !has_effect {
                let message = match field {
                    "pods" => "`pods` has no effect where no pods take the role on".to_owned(),
                    _ => format!("`{field}` has no effect where a role `grants: {grants}`"),
                };
                let help = match field {
                    "attached_to" => "remove it: only what starts containers takes on that role",
                    "pods" => "write `attached_to: pod-identity` or `attached_to: irsa`",
                    _ => "remove it",
                };
                self.unclear(&["targets", target, "roles", key, field], message, help);
            }
        }
    }

    fn attached(&mut self, target: &str, key: &str, role: &spec::Role) -> AttachedTo {
        let here = ["targets", target, "roles", key];
        let either = "write `attached_to: instance-role` or `attached_to: custom-role`";
        let or_pods = "write `attached_to: instance-role`, `custom-role`, `pod-identity` or `irsa`";
        let asked = matches!(role.grants, Grants::HeadJob | Grants::ServiceSecrets);
        match (role.grants, role.attached_to) {
            (Grants::TaskSecrets, _) => AttachedTo::CustomRole,
            (Grants::SecretsAdministration, said) => said.unwrap_or(AttachedTo::InstanceRole),
            (_, Some(AttachedTo::CustomRole)) => {
                if role.grants == Grants::HeadJob && role.execution_role.is_none() {
                    let message = format!(
                        "`{key}` does not say which role it gives to the tasks that it starts"
                    );
                    self.unclear(
                        &here,
                        message,
                        "write the name of the execution role: `execution_role: lab-ExecutionRole`",
                    );
                }
                AttachedTo::CustomRole
            }
            (_, Some(AttachedTo::InstanceRole)) => AttachedTo::InstanceRole,
            (Grants::ServiceSecrets, Some(said)) if is_of_pods(Some(said)) => said,
            (_, other) => {
                let message = match other {
                    None => format!("`{key}` does not say what it is attached to"),
                    Some(said) if is_of_pods(Some(said)) => {
                        format!("`{key}` is for jobs of AWS Batch, not for pods")
                    }
                    Some(_) => format!("`{key}` runs as a role, not as a user or group"),
                };
                if asked {
                    let help = match role.grants {
                        Grants::ServiceSecrets => or_pods,
                        _ => either,
                    };
                    self.unclear(&here, message, help);
                }
                AttachedTo::CustomRole
            }
        }
    }

    fn role_name(&mut self, target: &str, key: &str, role: &spec::Role) -> String {
        let here = ["targets", target, "roles", key];
        if role.grants == Grants::ServiceSecrets && role.services.is_empty() {
            let message = format!("`{key}` does not say whose secrets it may read");
            self.unclear(&here, message, "name the services: `services: [backend]`");
        }
        let name = match (&role.name, &role.batch_cluster) {
            (Some(name), _) => name.to_string(),
            (None, Some(cluster)) => format!("{cluster}-ExecutionRole"),
            (None, None) if role.grants == Grants::TaskSecrets => {
                let message = format!("`{key}` does not say whose execution role it is");
                self.unclear(
                    &here,
                    message,
                    "write `batch_cluster`, or `name` for a role that is called otherwise",
                );
                String::new()
            }
            (None, None) => format!("{}-{key}", self.loaded.spec.project),
        };
        if role.existing && role.name.is_none() && role.batch_cluster.is_none() {
            let message = format!("`{key}` is there already, and its name is not said");
            self.unclear(&here, message, "write its name in AWS: `name: TowerRole`");
        }
        if name.len() > LONGEST {
            let message = format!("`{name}` is longer than the {LONGEST} letters of a name in IAM");
            self.unclear(&here, message, "write a shorter `name`");
        }
        name
    }

    fn merged(&mut self, target: &str, iam: &spec::Iam, roles: &mut [Role]) {
        for (key, merge) in &iam.merge {
            let here = ["targets", target, "merge", key.as_str()];
            let place = self.loaded.place(&here);
            let Some(role) = roles.iter_mut().find(|role| role.key == key.as_str()) else {
                let message = format!("there is no role `{key}`");
                let known = roles.iter().map(|role| role.key.as_str());
                let unknown = Diagnostic::new(&UNKNOWN_ROLE, place.key, message);
                self.found.push(unknown.help(suggest(key.as_str(), known)));
                continue;
            };
            let span = |this: &Self, field: &str| match merge {
                Merge::Policy(_) => place.value,
                Merge::Documents(_) => this.value(&[&here[..], &[field]].concat()),
            };
            let base = ["targets", target];
            let policy = merge.policy().and_then(|path| {
                let span = span(self, "policy");
                Some((self.path(path, base, span)?, span))
            });
            let trust = merge.trust().and_then(|path| {
                let span = span(self, "trust");
                Some((self.path(path, base, span)?, span))
            });
            if merge.policy().is_none() && merge.trust().is_none() {
                let message = format!("nothing is merged into `{key}`");
                self.unclear(&here, message, "name `policy`, `trust` or both");
            }
            if trust.is_some() && matches!(role.attached_to, AttachedTo::User | AttachedTo::Group) {
                let message = "`trust` has no effect: nobody takes on a user or group".to_owned();
                self.unclear(&[&here[..], &["trust"]].concat(), message, "remove it");
            }
            (role.merge, role.merge_trust) = (policy, trust);
        }
    }

    /// Two roles of one name would be one, which AWS does not tell apart by case either. The policies
    /// of one that is there already may well be two.
    fn same_names(&mut self, target: &str, roles: &[Role]) {
        for (index, role) in roles.iter().enumerate() {
            let path = ["targets", target, "roles", role.key.as_str()];
            if FILES.contains(&role.key.as_str()) {
                let message = format!("`{}.json` has what belongs to all roles", role.key);
                self.unclear(
                    &path,
                    message,
                    "call the role otherwise, and keep its `name`",
                );
            }
            let is_role =
                |one: &Role| !matches!(one.attached_to, AttachedTo::User | AttachedTo::Group);
            let same = |other: &&Role| {
                !(other.existing && role.existing)
                    && is_role(other)
                    && is_role(role)
                    && !role.name.is_empty()
                    && other.name.eq_ignore_ascii_case(&role.name)
            };
            if let Some(other) = roles.iter().take(index).find(same) {
                let message = match other.name == role.name {
                    true => format!("two roles are called `{}`", role.name),
                    false => format!(
                        "`{}` and `{}` are one name, since case does not matter",
                        other.name, role.name
                    ),
                };
                self.unclear(&path, message, "give one of them another `name`");
            }
        }
    }
}

fn is_of_pods(attached_to: Option<AttachedTo>) -> bool {
    matches!(
        attached_to,
        Some(AttachedTo::PodIdentity | AttachedTo::Irsa)
    )
}

/// As the spec has it.
fn word(grants: Grants) -> &'static str {
    match grants {
        Grants::SecretsAdministration => "secrets-administration",
        Grants::TaskSecrets => "task-secrets",
        Grants::HeadJob => "head-job",
        Grants::ServiceSecrets => "service-secrets",
    }
}
