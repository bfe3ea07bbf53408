//! Amazon resource names.

use std::fmt;

use super::Partition;

/// What ECS needs to start containers: images and logs. Its ARN has a path, which is easily forgotten.
pub const MANAGED_EXECUTION: &str = "service-role/AmazonECSTaskExecutionRolePolicy";

/// `arn:partition:service:region:account:resource`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arn {
    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: String,
    /// `secretsmanager`.
    pub service: String,
    /// Empty where the service knows no regions.
    pub region: String,
    /// Twelve digits, or empty.
    pub account: String,
    /// All that follows, colons and slashes included.
    pub resource: String,
}

impl Arn {
    /// Takes one apart; what the parts are is not judged.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        if parts.next()? != "arn" {
            return None;
        }
        let mut next = || parts.next().map(str::to_owned);
        let arn = Self {
            partition: next()?,
            service: next()?,
            region: next()?,
            account: next()?,
            resource: next()?,
        };
        (!arn.partition.is_empty() && !arn.service.is_empty() && !arn.resource.is_empty())
            .then_some(arn)
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            partition,
            service,
            region,
            account,
            resource,
        } = self;
        write!(f, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

/// A secret by name, or several by a name with `*`.
pub fn secret(partition: Partition, region: &str, account: &str, name: &str) -> String {
    format!(
        "arn:{}:secretsmanager:{region}:{account}:secret:{name}",
        partition.name()
    )
}

/// A secret by name, as a policy must name it: Secrets Manager adds a hyphen and six characters to the
/// name, so that the name alone never fits, and `name-*` fits others too.
pub fn secret_with_suffix(partition: Partition, region: &str, account: &str, name: &str) -> String {
    secret(partition, region, account, &format!("{name}-??????"))
}

/// A role.
pub fn role(partition: Partition, account: &str, name: &str) -> String {
    format!("arn:{}:iam::{account}:role/{name}", partition.name())
}

/// A cluster of EKS.
pub fn cluster(partition: Partition, region: &str, account: &str, name: &str) -> String {
    format!(
        "arn:{}:eks:{region}:{account}:cluster/{name}",
        partition.name()
    )
}

/// A provider of identities, by its address without a scheme.
pub fn oidc_provider(partition: Partition, account: &str, address: &str) -> String {
    format!(
        "arn:{}:iam::{account}:oidc-provider/{address}",
        partition.name()
    )
}

/// A policy that AWS manages.
pub fn managed_policy(partition: Partition, path: &str) -> String {
    format!("arn:{}:iam::aws:policy/{path}", partition.name())
}

/// Whatever a service has in a region and an account: on whose behalf it takes on a role.
pub fn source(partition: Partition, service: &str, region: &str, account: &str) -> String {
    format!("arn:{}:{service}:{region}:{account}:*", partition.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_read_as_it_is_written() {
        let text = "arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:prod/git:db-??????";
        let arn = Arn::parse(text).unwrap();
        assert_eq!(arn.resource, "secret:prod/git:db-??????");
        assert_eq!(arn.to_string(), text);
        for wrong in ["", "arn", "arn:aws:s3", "arn::s3:::x", "x:aws:s3:::x", "*"] {
            assert_eq!(Arn::parse(wrong), None, "{wrong}");
        }
    }
}
