//! The secrets of a project, and where each of them lives.

use super::programs::Programs;
use crate::cli::Exit;
use crate::cli::arguments::{Arguments, Format};
use crate::cli::output::{FindingsJson, Output};
use crate::cli::project::{Project, asked};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, suggest};
use crate::model::{Iam, Model, Secret, SecretDefinition, SecretSource, TargetKind};
use crate::plan::Lock;
use crate::source::Sources;
use crate::spec::{Scope, Store};
use crate::stores::{Failure, Outside, Place};

/// A project whose secrets are asked for.
pub struct Opened {
    /// The project.
    pub project: Project,
    /// What the spec says.
    pub model: Model,
    /// Its text.
    pub sources: Sources,
    /// The region of AWS where the spec says none.
    region: Option<String>,
    /// Regions of targets, as a secret there would be.
    regions: Vec<SecretDefinition>,
}

/// Reads the spec.
///
/// # Errors
/// How the command ends when something is wrong with it.
pub fn opened(arguments: &Arguments, output: &mut Output) -> Result<Opened, Exit> {
    let project = Project::find(arguments).map_err(|words| output.no_answer(&words))?;
    let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
    let lock = Lock::load(&project.disk).unwrap_or_default();
    let asked = asked(&project.spec, &lock);
    match crate::resolve(&project.disk, asked, &mut sources, &mut found) {
        Ok(model) => Ok(Opened {
            region: region(&model, &Programs::new(project.disk.root(), Vec::new())),
            regions: regions(&model),
            project,
            model,
            sources,
        }),
        Err(_) => {
            match output.format {
                Format::Json => output.json(&FindingsJson::new(&found, &sources)),
                Format::Text => output.findings(&found, &sources),
            }
            Err(Exit::NoAnswer)
        }
    }
}

impl Opened {
    /// Every place of a store, of some secrets and stores or all. The store of Nextflow is one person's: what
    /// `user` gets of it, or the workspace's.
    ///
    /// # Errors
    /// How the command ends when there is no such secret.
    pub fn places(
        &self,
        only: &[String],
        stores: &[String],
        user: Option<&str>,
        output: &mut Output,
    ) -> Result<Vec<Place<'_>>, Exit> {
        let names = self.model.secrets.iter().map(|secret| secret.name.as_str());
        for name in only {
            if !names.clone().any(|known| known == name) {
                let suggested = suggest(name, names.clone());
                return Err(output.no_answer(&format!("there is no secret `{name}`; {suggested}")));
            }
        }
        let mut all = Vec::new();
        for secret in &self.model.secrets {
            if !only.is_empty() && !only.contains(&secret.name) {
                continue;
            }
            let chosen = secret
                .definitions
                .iter()
                .filter(|one| {
                    stores.is_empty() || stores.iter().any(|name| name == one.store.name())
                })
                .filter(|one| one.store != Store::Nextflow || is_for(secret, one, user));
            all.extend(chosen.map(|one| self.place(secret, one)));
        }
        if all.is_empty() && !only.is_empty() {
            let whose = match user {
                Some(user) => format!("for `{user}`"),
                None => "for the workspace: say for whom, `--for USER`".to_owned(),
            };
            let names = only.join("`, `");
            return Err(output.no_answer(&format!("`{names}` is in none of these stores {whose}")));
        }
        if let Some(user) = user.filter(|user| !self.is_user(user)) {
            output.complain(&format!(
                "note: no secret is `{user}`'s own, who gets the workspace's\n"
            ));
        }
        Ok(all)
    }

    /// Where secrets of this project may stand that no spec has any more, although none of the spec's does.
    pub fn regions(&self) -> Vec<Place<'_>> {
        let regions = self.regions.iter();
        regions
            .map(|region| Place {
                definition: region,
                secret: "leftovers",
                project: &self.model.project,
                namespace: None,
                region: region.region.as_deref(),
                world: &self.project.disk,
            })
            .collect()
    }

    /// The project's own Compose files.
    pub fn compose_files(&self) -> Vec<&str> {
        let targets = self.model.targets.iter();
        let files = targets.filter_map(|target| match &target.kind {
            TargetKind::Compose(compose) => Some(&compose.files),
            _ => None,
        });
        files.flatten().map(|(file, _)| file.as_str()).collect()
    }

    /// Whether some secret is a user's own.
    fn is_user(&self, name: &str) -> bool {
        let secrets = self.model.secrets.iter();
        let mut definitions = secrets.flat_map(|secret| &secret.definitions);
        definitions.any(|one| matches!(&one.scope, Scope::User(user) if user.as_str() == name))
    }

    /// This machine, whose variables with values no store's program is given.
    pub fn programs(&self) -> Programs {
        let all = self
            .model
            .secrets
            .iter()
            .flat_map(|secret| &secret.definitions);
        let withheld = all.filter_map(|one| match &one.from {
            // With these, programs log in.
            SecretSource::Env(name) if name.starts_with("AWS_") || name == "KUBECONFIG" => None,
            SecretSource::Env(name) => Some(name.clone()),
            _ => None,
        });
        Programs::new(self.project.disk.root(), withheld.collect())
    }

    fn place<'a>(&'a self, secret: &'a Secret, definition: &'a SecretDefinition) -> Place<'a> {
        Place {
            definition,
            secret: &secret.name,
            project: &self.model.project,
            namespace: definition.namespace.as_deref().or_else(|| self.namespace()),
            region: definition.region.as_deref().or(self.region.as_deref()),
            world: &self.project.disk,
        }
    }

    /// The one namespace of all clusters.
    fn namespace(&self) -> Option<&str> {
        let mut said = self
            .model
            .targets
            .iter()
            .filter_map(|target| match &target.kind {
                TargetKind::Kubernetes(cluster) => {
                    Some(cluster.namespace.as_ref().map(|(name, _)| name.as_str()))
                }
                _ => None,
            });
        let first = said.next()??;
        said.all(|other| other == Some(first)).then_some(first)
    }
}

/// The one region of all targets `iam`, or that of the environment. Version 1 of the AWS command line
/// does not know `AWS_REGION`.
fn region(model: &Model, outside: &dyn Outside) -> Option<String> {
    let mut said = model
        .targets
        .iter()
        .filter_map(|target| match &target.kind {
            TargetKind::Iam(iam) => Some(&iam.region),
            _ => None,
        });
    match said.next() {
        Some(first) if said.all(|other| other == first) => Some(first.clone()),
        _ => ["AWS_REGION", "AWS_DEFAULT_REGION"]
            .iter()
            .filter_map(|name| outside.variable(name))
            .filter_map(|value| String::from_utf8(value.to_vec()).ok())
            .find(|value| !value.is_empty()),
    }
}

/// A place in each region that a target `iam` is for.
fn regions(model: &Model) -> Vec<SecretDefinition> {
    let targets = model
        .targets
        .iter()
        .filter_map(|target| match &target.kind {
            TargetKind::Iam(iam) => Some(iam),
            _ => None,
        });
    let place = |iam: &Iam| SecretDefinition {
        from: SecretSource::Env(String::new()),
        from_span: iam.output_span,
        store: Store::AwsSecretsManager,
        store_span: iam.output_span,
        scope: Scope::Workspace,
        stored: String::new(),
        named: false,
        object: String::new(),
        namespace: None,
        encrypted: true,
        region: Some(iam.region.clone()),
        kms_key: None,
        description: None,
        tags: Vec::new(),
        span: iam.output_span,
    };
    targets.map(place).collect()
}

/// Whether a definition is what a user gets of its store.
pub fn is_for(secret: &Secret, definition: &SecretDefinition, user: Option<&str>) -> bool {
    match user {
        Some(user) => secret
            .for_user(user, definition.store)
            .is_some_and(|one| std::ptr::eq(one, definition)),
        None => definition.scope == Scope::Workspace,
    }
}

/// How a place is called in what is printed: `DB_PASSWORD (user alice) in aws-secrets-manager`.
pub fn called(place: &Place<'_>) -> String {
    let scope = match &place.definition.scope {
        Scope::Workspace => String::new(),
        scope => format!(" ({scope})"),
    };
    let store = place.definition.store.name();
    format!("{}{scope} in {store}", place.secret)
}

/// What a place's store did not do, where the spec says it.
pub fn finding(code: &'static Code, place: &Place<'_>, failure: &Failure) -> Diagnostic {
    let called = called(place).replacen(place.secret, &format!("`{}`", place.secret), 1);
    let message = format!("{called}: {}", failure.words);
    Diagnostic::new(code, place.definition.span, message).help(failure.help.as_str())
}

/// Where in the store: the name there, or Secret and key.
pub fn stored(definition: &SecretDefinition) -> String {
    match definition.store {
        Store::Kubernetes => format!("{}/{}", definition.object, definition.stored),
        Store::Compose => match &definition.from {
            SecretSource::Env(variable) if !definition.named => variable.clone(),
            _ => definition.stored.clone(),
        },
        _ => definition.stored.clone(),
    }
}
