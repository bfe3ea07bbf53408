//! How long a document may be (IAM User Guide, "IAM and AWS STS quotas").

use serde_json::Value;

use super::document::{Document, Resource, Statement};

/// What a document is attached to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// A policy with a name of its own.
    ManagedPolicy,
    /// All policies inside a role together.
    Role,
    /// All policies inside a user together.
    User,
    /// All policies inside a group together.
    Group,
    /// Who may take on a role.
    Trust,
}

/// How many managed policies a role may have, if nobody asked for more.
pub const POLICIES_PER_ROLE: usize = 10;

impl Holder {
    /// The most characters.
    pub fn quota(self) -> usize {
        match self {
            Self::ManagedPolicy => 6144,
            Self::Role => 10240,
            Self::User | Self::Trust => 2048,
            Self::Group => 5120,
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::ManagedPolicy => "a managed policy",
            Self::Role => "the policies inside a role",
            Self::User => "the policies inside a user",
            Self::Group => "the policies inside a group",
            Self::Trust => "a trust policy",
        }
    }
}

/// How many characters AWS counts: all but white space.
pub fn size(document: &Value) -> usize {
    let text = document.to_string();
    text.chars().filter(|one| !one.is_whitespace()).count()
}

/// The statements in as few documents as each may be long, in their order; a statement that is too long
/// by itself is given fewer resources and a number. `None` where that cannot be done.
pub fn split(document: &Document, quota: usize) -> Option<Vec<Document>> {
    let mut pieces = Vec::new();
    for statement in &document.statements {
        pieces.extend(pieces_of(statement, quota)?);
    }
    let mut all: Vec<Document> = Vec::new();
    for piece in pieces {
        if let Some(last) = all.last_mut() {
            last.statements.push(piece);
            if size(&last.to_json()) <= quota {
                continue;
            }
            let piece = last.statements.pop()?;
            all.push(alone(piece));
        } else {
            all.push(alone(piece));
        }
    }
    Some(all)
}

fn alone(statement: Statement) -> Document {
    Document {
        statements: vec![statement],
    }
}

fn pieces_of(statement: &Statement, quota: usize) -> Option<Vec<Statement>> {
    if size(&alone(statement.clone()).to_json()) <= quota {
        return Some(vec![statement.clone()]);
    }
    let Resource::Arns(arns) = &statement.resource else {
        return None;
    };
    let with = |arns: &[String], number: usize| Statement {
        sid: match number {
            1 => statement.sid.clone(),
            more => format!("{}{more}", statement.sid),
        },
        resource: Resource::Arns(arns.to_vec()),
        ..statement.clone()
    };
    let mut all: Vec<Statement> = Vec::new();
    let mut taken: Vec<String> = Vec::new();
    for arn in arns {
        taken.push(arn.clone());
        if size(&alone(with(&taken, all.len() + 1)).to_json()) <= quota {
            continue;
        }
        taken.pop();
        if taken.is_empty() {
            return None;
        }
        all.push(with(&taken, all.len() + 1));
        taken = vec![arn.clone()];
        if size(&alone(with(&taken, all.len() + 1)).to_json()) > quota {
            return None;
        }
    }
    all.push(with(&taken, all.len() + 1));
    Some(all)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::iam::grants;

    #[test]
    fn white_space_is_not_counted() {
        let text = "{\n \"Version\" : \"2012-10-17\",\t\"Statement\": [] }";
        let document: Value = serde_json::from_str(text).unwrap();
        assert_eq!(
            size(&document),
            "{\"Version\":\"2012-10-17\",\"Statement\":[]}".len()
        );
        assert_eq!(size(&json!({"a": "b c"})), "{\"a\":\"bc\"}".len());
    }

    #[test]
    fn what_is_split_allows_the_same_and_fits() {
        let arns = |count| {
            (0..count)
                .map(|number| {
                    format!(
                        "arn:aws:secretsmanager:eu-west-1:111122223333:secret:tower/{number}-??????"
                    )
                })
                .collect()
        };
        let statement = |sid: &str, count| {
            Statement::allow(
                sid,
                &["secretsmanager:GetSecretValue"],
                Resource::Arns(arns(count)),
            )
        };
        let whole = Document {
            statements: vec![statement("A", 3), statement("B", 250), statement("C", 60)],
        };
        let quota = Holder::ManagedPolicy.quota();
        let parts = split(&whole, quota).unwrap();
        assert!(parts.len() > 3);
        let together: BTreeSet<_> = parts
            .iter()
            .flat_map(|part| grants(&part.to_json()))
            .collect();
        assert_eq!(together, grants(&whole.to_json()));
        assert!(parts.iter().all(|part| size(&part.to_json()) <= quota));
        let mut sids = BTreeSet::new();
        let mut all = parts.iter().flat_map(|part| &part.statements);
        assert!(all.all(|one| sids.insert(one.sid.clone())));
        assert_eq!(split(&whole, 100), None);
        let small = Document {
            statements: vec![statement("A", 3)],
        };
        assert_eq!(split(&small, quota), Some(vec![small]));
    }
}
