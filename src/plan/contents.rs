//! The contents of the files of a plan as people read them, each read once.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::shown::{Shown, shown};
use super::{Action, CertificateChange, Change, Content, Detail, Diff, certificates, diff};
use crate::digest::Sha256;

/// Reads files for review, and remembers those with certificates: the same bundle lies in many
/// places, and its certificates take long to read.
#[derive(Debug, Default)]
pub struct Contents {
    read: BTreeMap<Sha256, Rc<Shown>>,
}

impl Contents {
    /// How a file's contents change; `None` where they don't, or where something other than
    /// contents is in the way.
    pub fn diff(&mut self, change: &Change, detail: Detail) -> Option<Diff> {
        let (old, new) = self.both(change)?;
        Some(diff::diff(&old, &new, detail))
    }

    /// Which certificates come into a file and which leave it.
    pub fn certificates(&mut self, change: &Change) -> Vec<CertificateChange> {
        let Some((old, new)) = self.both(change) else {
            return Vec::new();
        };
        certificates::changes(&old, &new)
    }

    fn both(&mut self, change: &Change) -> Option<(Rc<Shown>, Rc<Shown>)> {
        let changes = matches!(
            change.action,
            Action::Create | Action::Update | Action::Delete | Action::Refuse
        );
        if !changes || change.obstacle.is_some() {
            return None;
        }
        let after = self.shown(&change.after);
        let after = match &change.provisional {
            None => after,
            Some(other) => Rc::new(after.masked(&shown(other, Sha256::of(other)))),
        };
        Some((self.shown(&change.before), after))
    }

    fn shown(&mut self, content: &Option<Content>) -> Rc<Shown> {
        let Some(content) = content else {
            return Rc::new(Shown::default());
        };
        if let Some(known) = self.read.get(&content.sha256) {
            return Rc::clone(known);
        }
        let shown = Rc::new(shown(&content.body, content.sha256));
        if !shown.certificates.is_empty() {
            self.read.insert(content.sha256, Rc::clone(&shown));
        }
        shown
    }
}
