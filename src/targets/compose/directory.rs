//! The directories that containers mount: one for each trust list, shared by its services.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::TRUST_DIRECTORY;
use crate::artifact::Artifact;
use crate::digest::Sha256;
use crate::model::{ComposeService, Model, Trust};
use crate::provision::{Mechanism, Provision};
use crate::source::Span;

/// A longer directory name is replaced by its digest.
const LONGEST_NAME: usize = 80;

/// All directories of one target.
#[derive(Debug)]
pub struct Directories {
    /// `compose.tls` beside `compose.tls.yml`.
    root: String,
    files: BTreeMap<String, File>,
}

#[derive(Debug)]
struct File {
    mode: u32,
    body: Arc<[u8]>,
    origin: Span,
}

impl Directories {
    /// None yet; they will lie beside `output`, in a directory of its name without the suffix.
    pub fn new(output: &str) -> Self {
        let root = match output.rsplit_once('.') {
            Some((stem, suffix))
                if !suffix.contains('/') && !stem.is_empty() && !stem.ends_with('/') =>
            {
                stem.to_owned()
            }
            _ => format!("{output}.d"),
        };
        Self {
            root,
            files: BTreeMap::new(),
        }
    }

    /// Puts a service's files into the directory of its trust list, and answers which that is.
    pub fn place(
        &mut self,
        model: &Model,
        trust: &Trust,
        deployed: &ComposeService,
        provision: &Provision,
    ) -> String {
        let mut name = list_name(model, trust);
        // What is downloaded depends on whom the service calls, so it is the service's own.
        if provision
            .steps
            .iter()
            .any(|step| step.mechanism == Mechanism::Download)
        {
            name = format!("{name}.{}", model.service(deployed.service).name);
        }
        let directory = format!("{}/{name}", self.root);
        for file in &provision.files {
            let path = format!("{directory}/{}", file.name);
            self.files.entry(path).or_insert_with(|| File {
                mode: file.mode,
                body: file.body.at(TRUST_DIRECTORY),
                origin: deployed.place.key,
            });
        }
        directory
    }

    /// The directory of what a service serves.
    pub fn served(&self, deployed: &ComposeService) -> String {
        format!("{}/{}.serve", self.root, deployed.named)
    }

    /// The directory of what a service presents as a client.
    pub fn identity(&self, deployed: &ComposeService) -> String {
        format!("{}/{}.identity", self.root, deployed.named)
    }

    /// Puts a file of any path below this target's directories.
    pub fn put(&mut self, path: String, body: Arc<[u8]>, origin: Span) {
        let mode = crate::artifact::READABLE;
        self.files
            .entry(path)
            .or_insert(File { mode, body, origin });
    }

    /// Every file.
    pub fn artifacts(self) -> impl Iterator<Item = Artifact> {
        self.files.into_iter().map(|(path, file)| Artifact {
            mode: file.mode,
            ..Artifact::bytes(path, file.body, file.origin)
        })
    }
}

/// `corp+public`.
fn list_name(model: &Model, trust: &Trust) -> String {
    let mut names: Vec<&str> = trust
        .authorities
        .iter()
        .map(|id| model.authority(*id).name.as_str())
        .collect();
    names.sort_unstable();
    names.extend(trust.public.then_some("public"));
    let name = names.join("+");
    match name.len() > LONGEST_NAME {
        true => format!("trust-{}", Sha256::of(name.as_bytes()).short(16)),
        false => name,
    }
}
