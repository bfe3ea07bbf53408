//! Partitions: AWS, once for the world, once for China, once for the government of the USA.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A partition: ARNs, domains and accounts of one mean nothing in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Partition {
    /// All regions but those of the others.
    Aws,
    /// China.
    AwsCn,
    /// The government of the USA.
    AwsUsGov,
}

/// Regions by partition, as `endpoints.json` of the AWS SDKs lists them.
const REGIONS: &[(Partition, &[&str])] = &[
    (
        Partition::Aws,
        &[
            "af-south-1",
            "ap-east-1",
            "ap-east-2",
            "ap-northeast-1",
            "ap-northeast-2",
            "ap-northeast-3",
            "ap-south-1",
            "ap-south-2",
            "ap-southeast-1",
            "ap-southeast-2",
            "ap-southeast-3",
            "ap-southeast-4",
            "ap-southeast-5",
            "ap-southeast-6",
            "ap-southeast-7",
            "ca-central-1",
            "ca-west-1",
            "eu-central-1",
            "eu-central-2",
            "eu-north-1",
            "eu-south-1",
            "eu-south-2",
            "eu-west-1",
            "eu-west-2",
            "eu-west-3",
            "il-central-1",
            "me-central-1",
            "me-south-1",
            "mx-central-1",
            "sa-east-1",
            "us-east-1",
            "us-east-2",
            "us-west-1",
            "us-west-2",
        ],
    ),
    (Partition::AwsCn, &["cn-north-1", "cn-northwest-1"]),
    (Partition::AwsUsGov, &["us-gov-east-1", "us-gov-west-1"]),
];

impl Partition {
    /// As ARNs have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::AwsCn => "aws-cn",
            Self::AwsUsGov => "aws-us-gov",
        }
    }

    /// The partition of a region, or `None` where there is no such region.
    pub fn of_region(region: &str) -> Option<Self> {
        let mut all = REGIONS.iter();
        let found = all.find(|(_, regions)| regions.contains(&region));
        found.map(|(partition, _)| *partition)
    }

    /// Every region of every partition.
    pub fn regions() -> impl Iterator<Item = &'static str> + Clone {
        REGIONS
            .iter()
            .flat_map(|(_, regions)| regions.iter().copied())
    }

    /// The name of a service of a region, as `kms:ViaService` has it.
    pub fn endpoint(self, service: &str, region: &str) -> String {
        let suffix = match self {
            Self::AwsCn => "amazonaws.com.cn",
            Self::Aws | Self::AwsUsGov => "amazonaws.com",
        };
        format!("{service}.{region}.{suffix}")
    }

    /// Who takes on a role in the name of a service. Only EC2 in China still has a name of its own.
    pub fn principal(self, service: &str) -> String {
        match (self, service) {
            (Self::AwsCn, "ec2") => "ec2.amazonaws.com.cn".to_owned(),
            _ => format!("{service}.amazonaws.com"),
        }
    }
}
