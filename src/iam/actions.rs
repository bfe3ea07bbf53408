//! The service authorization reference: what actions there are, and what each takes.

use super::cover::covers;

/// Every action of the services that are used here: name, access level, types of resource.
static TABLE: &str = include_str!("actions.txt");

/// An action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action {
    /// `secretsmanager:GetSecretValue`.
    pub name: &'static str,
    /// What it does to what it takes.
    pub access: Access,
    /// The types of resource that it can be bound to, comma between them; none where only `*` works.
    resources: &'static str,
}

/// Access levels of the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Names of what there is.
    List,
    /// What is in it.
    Read,
    /// Makes, changes, removes.
    Write,
    /// Changes labels.
    Tagging,
    /// Changes who may do what.
    Permissions,
}

impl Action {
    /// Whether it can be bound to resources; else its resource is `*`.
    pub fn takes_resource(&self) -> bool {
        self.resources != "-"
    }
}

/// An action by name, whatever its case; `None` of services that are not used here.
pub fn action(name: &str) -> Option<Action> {
    all().find(|action| action.name.eq_ignore_ascii_case(name))
}

/// Whether a pattern fits an action that can be bound to resources; whole services that are not used
/// here are not known.
pub fn takes_resources(pattern: &str) -> bool {
    let pattern = pattern.to_ascii_lowercase();
    let fits = |action: &Action| covers(&pattern, &action.name.to_ascii_lowercase());
    all().any(|action| action.takes_resource() && fits(&action))
}

/// All of them.
fn all() -> impl Iterator<Item = Action> {
    TABLE.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (name, access, resources) = (words.next()?, words.next()?, words.next()?);
        let access = match access {
            "List" => Access::List,
            "Read" => Access::Read,
            "Tagging" => Access::Tagging,
            "Permissions" => Access::Permissions,
            _ => Access::Write,
        };
        Some(Action {
            name,
            access,
            resources,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_no_resource_is_known() {
        for (name, takes) in [
            ("secretsmanager:ListSecrets", false),
            ("secretsmanager:batchgetsecretvalue", false),
            ("secretsmanager:GetRandomPassword", false),
            ("secretsmanager:CreateSecret", true),
            ("SecretsManager:GetSecretValue", true),
            ("iam:PassRole", true),
            ("kms:Decrypt", true),
        ] {
            assert_eq!(action(name).unwrap().takes_resource(), takes, "{name}");
        }
        assert_eq!(action("secretsmanager:Get*"), None);
        assert_eq!(all().count(), TABLE.lines().count());
    }
}
