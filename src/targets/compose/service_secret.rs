//! Secrets as Compose files say them: where one comes from, and how a service uses it.

use serde::Serialize;

/// Where a secret of Compose comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretSource {
    /// A file of the host.
    File(String),
    /// A variable of whoever runs Compose.
    Environment(String),
}

/// A secret as a service uses it, in the long form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceSecret {
    /// Its key under `secrets`.
    pub source: String,
    /// An absolute path: Compose takes a relative one for another target than its own default.
    target: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<u32>,
}

impl ServiceSecret {
    /// One that is mounted as it is on the host.
    pub fn mounted(source: &str, target: &str) -> Self {
        Self {
            source: source.to_owned(),
            target: target.replace('$', "$$"),
            uid: None,
            gid: None,
            mode: None,
        }
    }

    /// One that is copied in, for one user alone.
    pub fn copied(source: &str, target: &str, user: u32, group: u32) -> Self {
        Self {
            uid: Some(user.to_string()),
            gid: Some(group.to_string()),
            mode: Some(0o400),
            ..Self::mounted(source, target)
        }
    }
}
