//! From a path to the documents in it.

use std::io;

use crate::diagnostic::{Code, Diagnostic, Severity, nearest};
use crate::source::{SourceId, Sources, Span};
use crate::world::{self, World};
use crate::yaml::{self, Kind, Node};

pub(super) static MISSING: Code = Code {
    name: "manifest-missing",
    severity: Severity::Error,
    summary: "a manifest that is named does not exist",
    manual: include_str!("../manual/manifest-missing.md"),
};
pub(super) static UNREADABLE: Code = Code {
    name: "manifest-unreadable",
    severity: Severity::Error,
    summary: "a manifest exists and cannot be read as text",
    manual: include_str!("../manual/manifest-unreadable.md"),
};
pub(super) static TO_RENDER: Code = Code {
    name: "manifest-to-render",
    severity: Severity::Error,
    summary: "a file becomes a manifest only after Helm, kustomize or the like has rendered it",
    manual: include_str!("../manual/manifest-to-render.md"),
};

/// Endings of files that some program renders.
const TEMPLATES: [&str; 7] = [
    ".tpl", ".tftpl", ".j2", ".jinja2", ".tmpl", ".gotmpl", ".jsonnet",
];
/// What kustomize looks for in a directory.
pub(in crate::targets::kubernetes) const KUSTOMIZATIONS: [&str; 3] =
    ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The documents of a file; a JSON text is YAML too.
pub(super) fn documents(
    world: &dyn World,
    sources: &mut Sources,
    path: &str,
    asked: Span,
) -> Result<Vec<Node>, Vec<Diagnostic>> {
    if let Some(refusal) = by_name(path, asked) {
        return Err(vec![refusal]);
    }
    let text = text(world, path, asked).map_err(|diagnostic| vec![*diagnostic])?;
    let source = sources.add(path, text);
    yaml::parse_documents(sources, source).map_err(|found| match broken(sources, source, &found) {
        Some(refusal) => vec![refusal],
        None => found,
    })
}

/// Says that a file is one of kustomize's or Helm's own.
pub(super) fn kustomization(path: &str, span: Span) -> Diagnostic {
    let directory = some(world::parent(path));
    let message = format!("`{path}` is a kustomization, not a manifest");
    let example = format!("kubectl kustomize {directory} >k8s/rendered.yml");
    Diagnostic::new(&TO_RENDER, span, message)
        .help(format!(
            "name the files under its `resources` here, or what it comes to: `{example}`"
        ))
        .help(
            "what is written here is a component: name it under `components` of that kustomization",
        )
}

/// Says that a file is one of Helm's.
pub(super) fn chart(path: &str, span: Span) -> Diagnostic {
    let message = format!("`{path}` is part of a Helm chart, not a manifest");
    Diagnostic::new(&TO_RENDER, span, message).help(rendered_chart(path))
}

/// The first plain text in a node that only a template can have.
pub(super) fn in_node(path: &str, node: &Node) -> Option<Diagnostic> {
    let span = first_in(node)?;
    Some(template(path, span))
}

fn first_in(node: &Node) -> Option<Span> {
    match &node.kind {
        Kind::Scalar { text, plain } => (*plain && marker(text).is_some()).then_some(node.span),
        Kind::Sequence(items) => items.iter().find_map(first_in),
        Kind::Mapping(entries) => entries.iter().find_map(|entry| first_in(&entry.value)),
    }
}

fn by_name(path: &str, asked: Span) -> Option<Diagnostic> {
    let name = path.rsplit('/').next()?;
    if KUSTOMIZATIONS.contains(&name) {
        return Some(kustomization(path, asked));
    }
    if name == "Chart.yaml" {
        return Some(chart(path, asked));
    }
    let lower = name.to_lowercase();
    let templated = TEMPLATES.iter().any(|suffix| lower.ends_with(suffix));
    templated.then(|| template(path, asked))
}

fn text(world: &dyn World, path: &str, asked: Span) -> Result<String, Box<Diagnostic>> {
    let bytes = world
        .read(path)
        .map_err(|error| Box::new(unread(world, path, asked, &error)))?;
    String::from_utf8(bytes).map_err(|_| {
        let message = format!("`{path}` is no UTF-8 text");
        Box::new(Diagnostic::new(&UNREADABLE, asked, message).help("save it as UTF-8"))
    })
}

fn unread(world: &dyn World, path: &str, asked: Span, error: &io::Error) -> Diagnostic {
    let unreadable = |why: &str| {
        let message = format!("`{path}` cannot be read: {why}");
        Diagnostic::new(&UNREADABLE, asked, message)
    };
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            let message = format!("there is no file `{path}`");
            Diagnostic::new(&MISSING, asked, message).help(similar(world, path))
        }
        io::ErrorKind::IsADirectory => directory(world, path, asked),
        io::ErrorKind::FileTooLarge => {
            let most = world::LARGEST_FILE >> 20;
            unreadable(&format!("it is larger than {most} MiB"))
                .help("name the manifests with the workloads alone")
        }
        _ => unreadable(&error.to_string()).help("mend that, or take it out of `files`"),
    }
}

fn directory(world: &dyn World, path: &str, asked: Span) -> Diagnostic {
    let names = world.list(path).unwrap_or_default();
    let has = |name: &&str| names.iter().any(|known| known == name);
    if let Some(name) = KUSTOMIZATIONS.iter().find(|name| has(name)) {
        return kustomization(&format!("{path}/{name}"), asked);
    }
    if has(&"Chart.yaml") {
        return chart(&format!("{path}/Chart.yaml"), asked);
    }
    let message = format!("`{path}` cannot be read: it is a directory");
    let first = names.iter().find(|name| is_yaml(name));
    let example = first.map_or("app.yml", String::as_str);
    Diagnostic::new(&UNREADABLE, asked, message)
        .help(format!("name the files in it, such as `{path}/{example}`"))
}

fn similar(world: &dyn World, path: &str) -> String {
    let directory = world::parent(path);
    let names = world.list(directory).unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    let yaml = || {
        names
            .iter()
            .map(String::as_str)
            .filter(|name| is_yaml(name))
    };
    let similar = nearest(name, yaml()).or_else(|| yaml().next());
    let similar = similar.and_then(|name| world::join(directory, name));
    similar.map_or_else(
        || "name the manifests of the project, from the directory of this file".to_owned(),
        |path| format!("did you mean `{path}`?"),
    )
}

fn is_yaml(name: &str) -> bool {
    [".yml", ".yaml", ".json"]
        .iter()
        .any(|suffix| name.ends_with(suffix))
}

/// Whether a text is no YAML because it is a template.
fn broken(sources: &Sources, source: SourceId, found: &[Diagnostic]) -> Option<Diagnostic> {
    let text = sources.get(source);
    let complained = found.iter().filter_map(Diagnostic::span);
    let complained = complained.map(|span| sources.position(span).line);
    let statements = (1..=text.line_count()).filter(|number| {
        let line = text.text[text.line_range(*number)].trim_start();
        line.starts_with("{{") || line.starts_with("{%")
    });
    complained.chain(statements).find_map(|number| {
        let range = text.line_range(number);
        let at = range.start + marker(&text.text[range])?;
        Some(template(&text.name, source.span(at..at + 2)))
    })
}

fn marker(text: &str) -> Option<usize> {
    text.find("{{").or_else(|| text.find("{%"))
}

fn template(path: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        &TO_RENDER,
        span,
        format!("`{path}` is a template, not a manifest"),
    )
    .help(rendered_chart(path))
    .help("what a template will say cannot be known, so nothing of it could be kept")
}

fn rendered_chart(path: &str) -> String {
    let directory = world::parent(path);
    let chart = directory.strip_suffix("templates").unwrap_or(directory);
    let chart = some(chart.trim_end_matches('/'));
    format!(
        "render it first and name what comes out: `helm template RELEASE {chart} >k8s/rendered.yml`"
    )
}

fn some(directory: &str) -> &str {
    match directory {
        "" => ".",
        directory => directory,
    }
}
