//! The project's own manifests: what runs pods, and what those refer to.

mod read;

use std::collections::HashMap;
use std::io;

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::{Sources, Span};
use crate::spec::WorkloadName;
use crate::world::World;
use crate::yaml::{self, Node};

static UNREADABLE: Code = Code {
    name: "manifest-unreadable",
    severity: Severity::Error,
    summary: "a manifest that is named is not there, or is no text",
    manual: include_str!("manual/manifest-unreadable.md"),
};
static TEMPLATED: Code = Code {
    name: "templated-manifest",
    severity: Severity::Error,
    summary: "a manifest is a template that has to be rendered first",
    manual: include_str!("manual/templated-manifest.md"),
};
static NOT_A_MANIFEST: Code = Code {
    name: "not-a-manifest",
    severity: Severity::Error,
    summary: "a file that is named as a manifest holds something else",
    manual: include_str!("manual/not-a-manifest.md"),
};
static TWICE: Code = Code {
    name: "workload-twice",
    severity: Severity::Error,
    summary: "the manifests have one workload twice",
    manual: include_str!("manual/workload-twice.md"),
};

/// What reading manifests can find.
pub static CODES: &[&Code] = &[&UNREADABLE, &TEMPLATED, &NOT_A_MANIFEST, &TWICE];

/// What the files of a target hold, as far as it matters.
#[derive(Debug, Default)]
pub struct Manifests {
    /// What runs pods.
    pub workloads: Vec<Workload>,
    /// ConfigMaps with their texts.
    pub config_maps: Vec<ConfigMap>,
    /// Services, by which pods are reached.
    pub services: Vec<Service>,
    /// Everything else by kind, namespace and name.
    pub others: Vec<(String, Option<String>, String)>,
}

/// What runs pods.
#[derive(Debug)]
pub struct Workload {
    /// Its kind and name.
    pub name: WorkloadName,
    /// As written.
    pub api_version: String,
    /// Its namespace, where it says one.
    pub namespace: Option<String>,
    /// Where it is named.
    pub span: Span,
    /// The labels of its pods, by which a Service selects them.
    pub labels: Vec<(String, String)>,
    /// Its pods.
    pub pod: Pod,
}

/// The pods of a workload.
#[derive(Debug, Default)]
pub struct Pod {
    /// In their order.
    pub containers: Vec<Container>,
    /// In their order.
    pub init_containers: Vec<Container>,
    /// The names of volumes, each with its place and the kind of its source (`configMap`).
    pub volumes: Vec<(String, String, Span)>,
    /// What holds for all containers.
    pub security: Security,
    /// Whether its containers see each other's processes.
    pub shares_processes: bool,
}

/// A container.
#[derive(Debug)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Where that stands.
    pub span: Span,
    /// Its image.
    pub image: Option<String>,
    /// Its pull policy.
    pub pull_policy: Option<String>,
    /// Its variables in their order.
    pub env: Vec<Variable>,
    /// Where further variables come from.
    pub env_from: Vec<EnvFrom>,
    /// What is mounted: path, name of the volume and place.
    pub mounts: Vec<(String, String, Span)>,
    /// The ports that it names: number and name.
    pub ports: Vec<(u16, Option<String>)>,
    /// What holds for it; where it says nothing, the pod's does.
    pub security: Security,
    /// What it must have of processor and memory, as written: added containers take the same.
    pub resources: Option<serde_json::Value>,
    /// Its own security context as written, which an added container takes over.
    pub security_context: Option<serde_json::Value>,
    /// Where it has a `lifecycle` of its own, and whether a `postStart` in it.
    pub lifecycle: Option<(Span, bool)>,
    /// Whether it has a `command`.
    pub command: Option<Span>,
}

/// A variable.
#[derive(Debug)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: VariableValue,
    /// Where it stands.
    pub span: Span,
}

/// What a variable holds.
#[derive(Debug)]
pub enum VariableValue {
    /// This text, in which `$(NAME)` is another variable's.
    Text(String),
    /// Something that only the cluster knows: `valueFrom` as written.
    From(serde_json::Value),
}

/// A ConfigMap or Secret all of whose entries are variables.
#[derive(Debug)]
pub struct EnvFrom {
    /// `ConfigMap` or `Secret`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// What its keys get in front.
    pub prefix: String,
    /// Where it stands.
    pub span: Span,
}

/// What of a security context matters here.
#[derive(Debug, Clone, Default)]
pub struct Security {
    /// The user.
    pub run_as_user: Option<(u32, Span)>,
    /// The group.
    pub run_as_group: Option<(u32, Span)>,
    /// That it must not be root.
    pub run_as_non_root: Option<(bool, Span)>,
    /// That its root file system cannot be written; only of containers.
    pub read_only_root: Option<(bool, Span)>,
    /// The group of volumes; only of pods.
    pub fs_group: Option<(u32, Span)>,
}

/// A ConfigMap.
#[derive(Debug)]
pub struct ConfigMap {
    /// Its name.
    pub name: String,
    /// Its namespace, where it says one.
    pub namespace: Option<String>,
    /// Its texts.
    pub texts: Vec<(String, String)>,
}

/// A Service.
#[derive(Debug)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its namespace, where it says one.
    pub namespace: Option<String>,
    /// Where it is named.
    pub span: Span,
    /// Its ports: number and name.
    pub ports: Vec<(u16, Option<String>)>,
    /// The labels that it selects.
    pub selector: Vec<(String, String)>,
}

/// Reads all files of a target.
///
/// # Errors
/// What is no manifest, at its place.
pub fn read(
    world: &dyn World,
    sources: &mut Sources,
    files: &[(String, Span)],
) -> Result<Manifests, Vec<Diagnostic>> {
    let mut found = Vec::new();
    let mut manifests = Manifests::default();
    for (path, named_at) in files {
        match documents(world, sources, path, *named_at) {
            Ok(documents) => found.extend(manifests.add(&documents)),
            Err(diagnostics) => found.extend(diagnostics),
        }
    }
    found.extend(manifests.twice());
    match found.is_empty() {
        true => Ok(manifests),
        false => Err(found),
    }
}

impl Manifests {
    /// Adds what documents hold, and says which are no manifests.
    pub fn add(&mut self, documents: &[Node]) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        for document in documents.iter().filter(|document| !document.is_null()) {
            match unfit(document) {
                Some(diagnostic) => found.push(diagnostic),
                None => read::add(self, document),
            }
        }
        found
    }

    /// Workloads that the manifests have twice: a patch could mean either.
    fn twice(&self) -> Vec<Diagnostic> {
        let mut first: HashMap<_, Span> = HashMap::new();
        let workloads = self.workloads.iter();
        let again = workloads.filter_map(|workload| {
            let key = (workload.name.kind, &workload.namespace, &workload.name.name);
            let before = first.insert(key, workload.span)?;
            let message = format!("the manifests have `{}` twice", workload.name);
            Some(
                Diagnostic::new(&TWICE, workload.span, message)
                    .also(before, "the other one")
                    .help(
                        "leave one of the two files out of `files`: a cluster has one of the name",
                    ),
            )
        });
        again.collect()
    }
}

/// The documents of a file.
fn documents(
    world: &dyn World,
    sources: &mut Sources,
    path: &str,
    named_at: Span,
) -> Result<Vec<Node>, Vec<Diagnostic>> {
    let unreadable = |message: String, help: &str| {
        vec![Diagnostic::new(&UNREADABLE, named_at, message).help(help.to_owned())]
    };
    let bytes = world.read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => unreadable(
            format!("there is no `{path}`"),
            "name the project's own manifests, relative to this file",
        ),
        io::ErrorKind::IsADirectory => unreadable(
            format!("`{path}` is a directory"),
            "name the files in it, one by one",
        ),
        _ => unreadable(
            format!("`{path}` cannot be read: {error}"),
            "name a file of YAML",
        ),
    })?;
    let text = String::from_utf8(bytes)
        .map_err(|_| unreadable(format!("`{path}` is not UTF-8"), "name a file of YAML"))?;
    let source = sources.add(path, text);
    let text = sources.get(source);
    if let Some(at) = template(&text.text) {
        let message = format!("`{path}` is a template, and no manifest yet");
        return Err(vec![
            Diagnostic::new(&TEMPLATED, source.span(at..at + 2), message)
                .help("render it and name the result: `helm template … >k8s/rendered.yml`"),
        ]);
    }
    yaml::parse_documents(sources, source)
}

/// Where a line begins with what only a template can have: Helm's statements and values. What a
/// manifest has in a text, a configuration of its own, is left alone.
fn template(text: &str) -> Option<usize> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let inner = line.trim_start();
        let at = start + line.len() - inner.len();
        let value = inner
            .split_once(": {{")
            .or_else(|| inner.split_once("- {{"));
        let plain = value.filter(|(key, _)| !key.contains(['"', '\'', '#', ' ']) || *key == "");
        if inner.starts_with("{{") {
            return Some(at);
        }
        if let Some((key, _)) = plain {
            return Some(at + key.len() + 2);
        }
        start += line.len();
    }
    None
}

/// What is no manifest.
fn unfit(document: &Node) -> Option<Diagnostic> {
    let kind = document.entry("kind");
    let Some(kind) = kind.filter(|kind| kind.value.text().is_some_and(|kind| !kind.is_empty()))
    else {
        let message = "this document has no `kind`, and is no manifest";
        return Some(
            Diagnostic::new(&NOT_A_MANIFEST, document.span, message)
                .help("name files as `kubectl apply -f` takes them"),
        );
    };
    let api = document.get("apiVersion").and_then(Node::text);
    let kustomize = api.is_some_and(|api| api.starts_with("kustomize.config.k8s.io/"));
    kustomize.then(|| {
        let message = "this is a kustomization, and not what it comes to";
        Diagnostic::new(&NOT_A_MANIFEST, kind.value.span, message).help(
            "name the manifests that it lists, or what it prints: `kubectl kustomize base >k8s/rendered.yml`",
        )
    })
}
