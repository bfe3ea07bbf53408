//! Documents that are written here.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

/// The language of policies: the only one in which variables mean something.
const VERSION: &str = "2012-10-17";

/// A policy document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Document {
    /// Its statements.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// By which it is found again: letters and digits.
    pub sid: String,
    /// Allow or deny.
    pub effect: Effect,
    /// What may be done, sorted.
    pub actions: Vec<String>,
    /// To what, or by whom.
    pub resource: Resource,
    /// Under which conditions.
    pub conditions: Vec<Condition>,
}

/// Allow or deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// May.
    Allow,
    /// May not, whoever else allows it.
    Deny,
}

/// To what an action may be done; a trust policy says by whom instead, and has no resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// ARNs.
    Arns(Vec<String>),
    /// Everything: for actions that take no resource.
    Any,
    /// Whoever takes on the role.
    Principal(Principal),
}

/// Whoever takes on a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// A service of AWS.
    Service(String),
    /// A provider of identities, by its ARN.
    Federated(String),
}

/// A condition: one key, compared with values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// `StringEquals`.
    pub operator: &'static str,
    /// `aws:SourceAccount`.
    pub key: String,
    /// Any of them.
    pub values: Vec<String>,
}

impl Effect {
    /// As documents have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "Allow",
            Self::Deny => "Deny",
        }
    }
}

impl Statement {
    /// A statement that allows.
    pub fn allow(sid: impl Into<String>, actions: &[&str], resource: Resource) -> Self {
        let mut actions: Vec<String> = actions.iter().map(|&action| action.to_owned()).collect();
        actions.sort_unstable();
        Self {
            sid: sid.into(),
            effect: Effect::Allow,
            actions,
            resource,
            conditions: Vec::new(),
        }
    }

    /// Binds it to a condition.
    pub fn when(self, operator: &'static str, key: &str, value: impl AsRef<str>) -> Self {
        self.when_one_of(operator, key, &[value.as_ref()])
    }

    /// Binds it to a condition that holds for any of several values.
    pub fn when_one_of(mut self, operator: &'static str, key: &str, values: &[&str]) -> Self {
        self.conditions.push(Condition {
            operator,
            key: key.to_owned(),
            values: values.iter().map(|&value| value.to_owned()).collect(),
        });
        self
    }

    /// As a document has it.
    pub fn to_json(&self) -> Value {
        let mut all = Map::new();
        all.insert("Sid".into(), json!(self.sid));
        all.insert("Effect".into(), json!(self.effect.name()));
        if let Resource::Principal(principal) = &self.resource {
            let principal = match principal {
                Principal::Service(service) => json!({"Service": service}),
                Principal::Federated(provider) => json!({"Federated": provider}),
            };
            all.insert("Principal".into(), principal);
        }
        let action = match (&self.resource, self.actions.as_slice()) {
            // What takes on a role does one thing.
            (Resource::Principal(_), [one]) => json!(one),
            (_, actions) => json!(actions),
        };
        all.insert("Action".into(), action);
        match &self.resource {
            Resource::Arns(arns) => {
                all.insert("Resource".into(), json!(arns));
            }
            Resource::Any => {
                all.insert("Resource".into(), json!("*"));
            }
            Resource::Principal(_) => {}
        }
        if !self.conditions.is_empty() {
            all.insert("Condition".into(), conditions(&self.conditions));
        }
        Value::Object(all)
    }
}

impl Document {
    /// As AWS reads it.
    pub fn to_json(&self) -> Value {
        let statements: Vec<Value> = self.statements.iter().map(Statement::to_json).collect();
        json!({"Version": VERSION, "Statement": statements})
    }
}

fn conditions(all: &[Condition]) -> Value {
    let mut operators: IndexMap<&str, Map<String, Value>> = IndexMap::new();
    for condition in all {
        let value = match condition.values.as_slice() {
            [one] => json!(one),
            many => json!(many),
        };
        let keys = operators.entry(condition.operator).or_default();
        keys.insert(condition.key.clone(), value);
    }
    json!(operators)
}
