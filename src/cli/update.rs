//! `tlsgen update`: the public roots that this program carries, in place of those that the project
//! keeps.

use std::collections::BTreeSet;
use std::io;

use serde::Serialize;

use super::Exit;
use super::arguments::{Arguments, Format, Update};
use super::output::Output;
use super::planned::exclusive;
use super::project::{Project, asked};
use crate::artifact::READABLE;
use crate::diagnostic::Diagnostics;
use crate::digest::Sha256;
use crate::model::Model;
use crate::pki::{Certificate, bundle, one_line, pem};
use crate::plan::lock::{self, Lock, PublicPin};
use crate::source::Sources;
use crate::world::World;
use crate::{PUBLIC_ROOTS_FILE as FILE, check};

/// What an update does; the names of its fields are stable.
#[derive(Debug, Serialize)]
struct Updated {
    file: &'static str,
    /// Whether there is anything to do.
    current: bool,
    /// Whether it was done.
    written: bool,
    #[serde(skip)]
    in_place: bool,
    added: Vec<String>,
    removed: Vec<String>,
    /// The targets with services that trust them.
    targets: Vec<String>,
}

/// Runs the command.
pub fn run(arguments: &Arguments, options: &Update, output: &mut Output) -> Exit {
    let project = match Project::find(arguments) {
        Ok(project) => project,
        Err(words) => return output.no_answer(&words),
    };
    let disk = &project.disk;
    let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
    let _exclusive = match exclusive(&project, output) {
        Ok(exclusive) => exclusive,
        Err(exit) => return exit,
    };
    let lock = match Lock::load(disk) {
        Ok(lock) => Some(lock),
        Err(error) => {
            found.push(error.diagnostic(&mut sources));
            None
        }
    };
    let remembered = lock.clone().unwrap_or_default();
    let asked = asked(&project.spec, &remembered);
    let model = check(disk, asked, &mut sources, &mut found);
    if found.has_errors() {
        output.findings(&found, &sources);
    }
    let (Ok(model), Some(lock)) = (model, lock) else {
        return Exit::NoAnswer;
    };
    let targets = trusting(&model);
    if targets.is_empty() {
        return output.no_answer("nothing that is deployed trusts `public`, so the project keeps no public roots; add `public` to a service's `trust` if it should");
    }
    let kept = match kept(disk) {
        Ok(kept) => kept,
        Err(error) => return output.no_answer(&format!("cannot read `{FILE}`: {error}")),
    };
    let update = Carried::against(kept, &lock);
    if update.edited && !options.adopt {
        output.complain(&format!("error: `{FILE}` is not what `tlsgen.lock` pins: somebody else wrote it\n  restore it from version control, or replace it with `tlsgen update --adopt`\n"));
        return Exit::Refused;
    }
    let current = update.current;
    if !current
        && !options.dry_run
        && let Err(words) = update.write(disk, lock)
    {
        return output.no_answer(&words);
    }
    let updated = Updated {
        file: FILE,
        current,
        written: !current && !options.dry_run,
        in_place: update.in_place,
        added: update.added,
        removed: update.removed,
        targets: if current { Vec::new() } else { targets },
    };
    match output.format {
        Format::Json => output.json(&updated),
        Format::Text => output.say(&updated.text()),
    }
    Exit::Done
}

/// The bytes that the project keeps.
fn kept(world: &dyn World) -> io::Result<Option<Vec<u8>>> {
    match world.read(FILE) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The targets with a service that trusts the public roots.
fn trusting(model: &Model) -> Vec<String> {
    let trusts = |id| {
        let trust = model.service(id).trust.as_ref();
        trust.is_some_and(|trust| trust.public)
    };
    let targets = model.targets.iter();
    targets
        .filter(|target| target.kind.services().into_iter().any(trusts))
        .map(|target| target.name.clone())
        .collect()
}

/// What this program carries, compared with what is kept.
struct Carried {
    text: String,
    /// Whether file and lock are as they would be written.
    current: bool,
    /// Whether the file is neither what the lock pins nor what is carried.
    edited: bool,
    /// Whether the file has these bytes already: then only the lock is behind.
    in_place: bool,
    added: Vec<String>,
    removed: Vec<String>,
}

impl Carried {
    fn against(kept: Option<Vec<u8>>, lock: &Lock) -> Self {
        let text = bundle::public_roots_pem();
        let carried = Sha256::of(text.as_bytes());
        let pinned = lock.public_roots.as_ref().map(|pin| &pin.sha256);
        let found = kept.as_deref().map(Sha256::of);
        let in_place = found == Some(carried);
        let ours = found.is_none_or(|found| pinned.is_some_and(|pins| pins.contains(&found)));
        let (old, new) = (
            roots(kept.as_deref().unwrap_or_default()),
            roots(text.as_bytes()),
        );
        Self {
            current: in_place && pinned == Some(&BTreeSet::from([carried])),
            edited: !in_place && !ours,
            in_place,
            added: missing(&new, &old),
            removed: missing(&old, &new),
            text,
        }
    }

    /// File first, lock last: until that is written, a further update or build takes the file up.
    fn write(&self, world: &dyn World, mut lock: Lock) -> Result<(), String> {
        let failed = |path: &str, error: io::Error| format!("`{path}` cannot be written: {error}");
        if !self.in_place {
            let written = world.write(FILE, self.text.as_bytes(), READABLE);
            written.map_err(|error| failed(FILE, error))?;
        }
        lock.public_roots = Some(PublicPin {
            path: FILE.to_owned(),
            sha256: BTreeSet::from([Sha256::of(self.text.as_bytes())]),
        });
        let written = world.write(lock::PATH, lock.write().as_bytes(), READABLE);
        written.map_err(|error| failed(lock::PATH, error))
    }
}

fn roots(text: &[u8]) -> Vec<Certificate> {
    let reading = pem::blocks(text);
    let read = reading.certificates().filter_map(|(_, read)| read.ok());
    read.collect()
}

/// Lines for those of `these` that `others` lack.
fn missing(these: &[Certificate], others: &[Certificate]) -> Vec<String> {
    let others: BTreeSet<Sha256> = others.iter().map(Certificate::fingerprint).collect();
    let missing = these
        .iter()
        .filter(|one| !others.contains(&one.fingerprint()));
    missing.map(one_line).collect()
}

impl Updated {
    fn text(&self) -> String {
        if self.current {
            return format!("update: {FILE} is what this program carries\n");
        }
        let mut text = String::new();
        for line in &self.added {
            text.push_str(&format!("+ {line}\n"));
        }
        for line in &self.removed {
            text.push_str(&format!("- {line}\n"));
        }
        let (added, removed) = (self.added.len(), self.removed.len());
        let what = match (self.in_place, self.written) {
            (true, true) => "is in place already, and pinned now".to_owned(),
            (true, false) => "is in place already, and would be pinned".to_owned(),
            (false, true) => format!("written, {added} roots added, {removed} removed"),
            (false, false) => {
                format!("would be written, {added} roots added, {removed} removed")
            }
        };
        text.push_str(&format!("update: {FILE} {what}\n"));
        let targets = self.targets.join(", ");
        text.push_str(&match self.written {
            true => format!("update: run `tlsgen build` for what is made of them: {targets}\n"),
            false => format!("update: what is made of them would change: {targets}\n"),
        });
        text
    }
}
