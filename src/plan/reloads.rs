//! Who goes on with what was, until told: old certificates, old lists of revoked ones.

use super::{Action, Change, Plan};
use crate::artifact::{LISTS, Reload};

impl Plan {
    /// The services that serve something else after a build, and must be told so.
    ///
    /// Who is given a certificate for the first time is not among them: it is started anew.
    pub fn reloads(&self) -> impl Iterator<Item = &Reload> {
        let replaced = |reload: &&Reload| {
            let updated = |change: &Change| {
                change.action == Action::Update && is_inside(&change.path, &reload.directory)
            };
            self.changes.iter().any(updated)
        };
        self.reloads.iter().filter(replaced)
    }

    /// The services that look at revocation lists from now on, and not before they are started anew:
    /// lists are named in their configuration.
    pub fn first_lists(&self) -> impl Iterator<Item = &Reload> {
        let list = format!("/{LISTS}");
        let (lists, others): (Vec<&Change>, Vec<&Change>) = self
            .changes
            .iter()
            .partition(|change| change.path.ends_with(&list));
        let created = |change: &Change| change.action == Action::Create;
        let begun: Vec<&Change> = lists.into_iter().filter(|one| created(one)).collect();
        let begins = move |reload: &&Reload| {
            let inside = |change: &&&Change| is_inside(&change.path, &reload.directory);
            begun.iter().any(|one| inside(&one))
                && !others.iter().filter(inside).all(|one| created(one))
        };
        self.reloads.iter().filter(begins)
    }

    /// Whether a service that must be told is told of revoked certificates alone.
    pub fn only_lists(&self, reload: &Reload) -> bool {
        let updated = self
            .changes
            .iter()
            .filter(|change| change.action == Action::Update);
        let mut inside = updated.filter(|change| is_inside(&change.path, &reload.directory));
        inside.all(|change| change.path.ends_with(&format!("/{LISTS}")))
    }
}

/// Whether it is that directory's, or that file itself.
fn is_inside(path: &str, directory: &str) -> bool {
    let rest = path.strip_prefix(directory);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
