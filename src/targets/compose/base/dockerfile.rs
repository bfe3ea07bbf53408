//! What a Dockerfile says an image starts, and with which variables.
//!
//! Only what stands in the file is known: what comes from a registry's image, or from an `ARG` that
//! a build may set, is not, and is said to be unknown.

mod image;
mod instruction;

use super::{Build, Command, files, interpolation};
use crate::source::Sources;
use crate::world::{self, World};

/// What is known of an image that is built.
///
/// Texts are as one would write them in a Compose file, with every `$` doubled.
#[derive(Debug, Clone, Default)]
pub struct ImageConfig {
    /// `None` when the base image decides. The shell form is spelled out: `/bin/sh -c …`.
    pub entrypoint: Option<Command>,
    /// `None` when the base image decides; [`Command::Emptied`] below an `ENTRYPOINT` of its own,
    /// which drops the `CMD` of the base image.
    pub command: Option<Command>,
    /// `None` when the base image or a build argument decides.
    pub user: Option<String>,
    /// In order of appearance; `None` for a value that is set and unknown. Further variables may
    /// come from the base image.
    pub environment: Vec<(String, Option<String>)>,
}

/// Reads the Dockerfile of a service's build; `None` when it is not in the project or is no text.
pub fn dockerfile(world: &dyn World, sources: &mut Sources, build: &Build) -> Option<ImageConfig> {
    let instructions = match &build.dockerfile_inline {
        Some(text) => {
            // Compose fills in variables before Docker sees the text.
            let text = interpolation::by_default(text)?;
            instruction::read(&text, |_| build.span)
        }
        None => {
            let name = build.dockerfile.as_deref().unwrap_or("Dockerfile");
            let path = world::join(build.context.as_deref()?, name)?;
            let text = files::text_of(world.read(&path).ok()?).ok()?;
            let source = sources.add(path, text.as_str());
            instruction::read(&text, |range| source.span(range))
        }
    };
    image::config(&instructions, build.target.as_deref())
}
