//! Our statements joined into a document of somebody else's.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::document::Document;
use super::grants::{Grant, grants};
use super::read::statements;

/// What a join came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// All of both.
    pub document: Value,
    /// Sids of theirs in whose place ours stand now.
    pub replaced: Vec<String>,
    /// Sids of theirs that said what ours say, and are gone.
    pub superseded: Vec<String>,
    /// Sids of theirs that say what ours say and more: they stay, and what ours narrow stays wide.
    pub wider: Vec<String>,
    /// Sids of ours under which theirs say something else too, which is not in the document.
    pub lost: Vec<String>,
}

/// Joins. Statements of theirs stay as they are and where they are, with a Sid or without, but for those
/// that have a Sid of ours, in whose place ours stand. Those with a `former` Sid are left out if they
/// are about nothing but the actions of ours.
pub fn merge(theirs: &Value, ours: &Document, former: &[&str]) -> Merged {
    let mut merged = Merged {
        document: Value::Null,
        replaced: Vec::new(),
        superseded: Vec::new(),
        wider: Vec::new(),
        lost: Vec::new(),
    };
    let mut left: Vec<_> = ours.statements.iter().collect();
    let mut all = Vec::new();
    for statement in statements(theirs) {
        let sid = statement.get("Sid").and_then(Value::as_str).unwrap_or("");
        if let Some(index) = left.iter().position(|one| one.sid == sid) {
            if !is_about(statement, ours) {
                merged.lost.push(sid.to_owned());
            }
            all.push(left.remove(index).to_json());
            merged.replaced.push(sid.to_owned());
        } else if former.contains(&sid) {
            match is_about(statement, ours) {
                true => merged.superseded.push(sid.to_owned()),
                false => {
                    merged.wider.push(sid.to_owned());
                    all.push(statement.clone());
                }
            }
        } else {
            all.push(statement.clone());
        }
    }
    all.extend(left.into_iter().map(super::Statement::to_json));
    merged.document = with_statements(theirs, all);
    merged
}

/// Whether a statement is about nothing but what ours are about.
fn is_about(statement: &Value, ours: &Document) -> bool {
    let mut alone = Map::new();
    alone.insert("Statement".to_owned(), statement.clone());
    let theirs = grants(&Value::Object(alone));
    let ours = grants(&ours.to_json());
    let kind = |one: &Grant| one.principal.split(' ').next().map(str::to_owned);
    let known = |one: &Grant| {
        let mut ours = ours.iter();
        ours.any(|our| {
            our.effect == one.effect && our.action == one.action && kind(our) == kind(one)
        })
    };
    // One of the same kind may be what ours named before, such as the provider of a cluster made anew.
    let principals: BTreeSet<&str> = theirs.iter().map(|one| one.principal.as_str()).collect();
    principals.len() <= 1 && theirs.iter().all(known)
}

/// The same document, its version and name kept, with these statements.
fn with_statements(theirs: &Value, all: Vec<Value>) -> Value {
    let mut fields = theirs.as_object().cloned().unwrap_or_default();
    fields.insert("Statement".to_owned(), Value::Array(all));
    Value::Object(fields)
}
