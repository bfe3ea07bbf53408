//! Keys that an image would take: those inside a build's context.

use std::collections::BTreeMap;

use super::base::{self, Base, Build};
use super::surroundings;
use crate::artifact::Artifact;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::exposure::{Answer, Block, BuildContext, Format, Reach, copied_by, ignore_lines};
use crate::model::Model;
use crate::source::{Sources, Span};
use crate::world::{self, World};

pub static COPIED: Code = Code {
    name: "key-copied-into-image",
    severity: Severity::Error,
    summary: "a Dockerfile copies a private key into an image",
    manual: include_str!("manual/key-copied-into-image.md"),
};

/// What keeps the project's keys out of its images.
#[derive(Debug, Default)]
pub struct KeptOut {
    /// Marked blocks for the ignore files of build contexts.
    pub blocks: Vec<Artifact>,
    /// What the plan says.
    pub notes: Vec<String>,
    /// Dockerfiles that copy a key all the same.
    pub found: Vec<Diagnostic>,
}

/// Looks at every service that is built, whether it is deployed by the spec or not.
pub fn keep_out(model: &Model, world: &dyn World, sources: &mut Sources, base: &Base) -> KeptOut {
    let mut kept = KeptOut::default();
    let mut lines: BTreeMap<String, (Vec<String>, Span)> = BTreeMap::new();
    for service in &base.services {
        let Some(build) = &service.build else {
            continue;
        };
        let Some(context) = context(world, build) else {
            continue;
        };
        let inside = |(span, path)| Some((span, path, context.inside(path)?));
        let mut inside = surroundings::keys(model).filter_map(inside).peekable();
        if inside.peek().is_none() {
            continue;
        }
        let instructions = base::instructions(world, sources, build).unwrap_or_default();
        for (span, path, inside) in inside {
            let copies = copied_by(&instructions, inside);
            let named = copies
                .iter()
                .filter(|copied| matches!(copied.reach, Reach::File));
            kept.found
                .extend(named.map(|copied| copied_key(path, span, copied.span)));
            if context.sends(path) == Answer::No {
                continue;
            }
            let file = context.ignore_file().to_owned();
            let Ok(line) = ignore_lines(Format::Docker, [inside]) else {
                continue;
            };
            let (lines, _) = lines
                .entry(file.clone())
                .or_insert_with(|| (Vec::new(), span));
            if !lines.contains(&line.concat()) {
                lines.extend(line);
            }
            let note = format!(
                "{}: `{path}` lies in its build context, and is kept out of the image by `{file}`",
                service.name
            );
            if !kept.notes.contains(&note) {
                kept.notes.push(note);
            }
        }
    }
    kept.blocks = lines
        .into_iter()
        .map(|(file, (lines, span))| Artifact::block(file, &lines, span))
        .collect();
    kept
}

fn context<'w>(world: &'w dyn World, build: &Build) -> Option<BuildContext<'w>> {
    let context = build.context.as_deref()?;
    let dockerfile = match (&build.dockerfile_inline, &build.dockerfile) {
        (None, Some(dockerfile)) => Some(world::join(context, dockerfile)?),
        _ => None,
    };
    BuildContext::of(world, context, dockerfile.as_deref(), Block::LeftOut)
}

fn copied_key(path: &str, key: Span, copied: Span) -> Diagnostic {
    let message =
        format!("`{path}` is copied into an image, and whoever has the image has the key");
    Diagnostic::new(&COPIED, copied, message)
        .also(key, "the key")
        .help("remove this line: the key is mounted where the service runs")
        .help("if such an image was ever pushed, the key is known: replace it")
}
