//! What a Dockerfile says an image starts, and with which variables.
//!
//! Only what stands in the file is known: what comes from a registry's image, or from an `ARG` that
//! a build may set, is not, and is said to be unknown.

mod image;

use super::{Build, Command, files, interpolation};
use crate::dockerfile::{Instruction, read};
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

/// Reads what the Dockerfile of a service's build says of its image; `None` when it is not in the
/// project or is no text.
pub fn dockerfile(world: &dyn World, sources: &mut Sources, build: &Build) -> Option<ImageConfig> {
    let instructions = instructions(world, sources, build)?;
    image::config(&instructions, build.target.as_deref())
}

/// The instructions of that Dockerfile.
pub fn instructions(
    world: &dyn World,
    sources: &mut Sources,
    build: &Build,
) -> Option<Vec<Instruction>> {
    Some(match &build.dockerfile_inline {
        Some(text) => {
            // Compose fills in variables before Docker sees the text.
            let text = interpolation::by_default(text)?;
            read(&text, |_| build.span)
        }
        None => {
            let name = build.dockerfile.as_deref().unwrap_or("Dockerfile");
            let path = world::join(build.context.as_deref()?, name)?;
            let text = files::text_of(world.read(&path).ok()?).ok()?;
            let source = sources.add(path, text.as_str());
            read(&text, |range| source.span(range))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Memory;

    fn of(text: &str, target: Option<&str>) -> ImageConfig {
        let mut sources = Sources::default();
        let build = Build {
            context: Some("app".to_owned()),
            dockerfile: None,
            dockerfile_inline: None,
            target: target.map(str::to_owned),
            span: sources.add("c.yml", "").start(),
        };
        let world = Memory::with([("app/Dockerfile", text)]);
        dockerfile(&world, &mut sources, &build).unwrap()
    }

    fn words(command: Option<Command>) -> Vec<String> {
        match command {
            Some(Command::Words(words, _)) => words,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_last_stage_and_those_below_it_are_read() {
        let text = "# escape=`\nARG BASE\nFROM $BASE AS build\nCMD [\"build\"]\n\
            from java as Base\r\nENV A=1 B=\"two words\" C=$A D=$PATH\r\nUSER app:app\nONBUILD CMD no\n\
            RUN <<EOF\nCMD [\"in a here-document\"]\nEOF\n\
            FROM base\nENTRYPOINT exec java `\n  # a comment\n\n  -jar $HOME/x.jar\nENV A 3 four\n";
        let image = of(text, None);
        assert_eq!(
            words(image.entrypoint),
            ["/bin/sh", "-c", "exec java   -jar $$HOME/x.jar"]
        );
        assert!(matches!(image.command, Some(Command::Emptied(_))));
        assert_eq!(image.user.as_deref(), Some("app:app"));
        let environment: Vec<(&str, Option<&str>)> = image
            .environment
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_deref()))
            .collect();
        let expected = [
            ("A", Some("3 four")),
            ("B", Some("two words")),
            ("C", None),
            ("D", None),
        ];
        assert_eq!(environment, expected);
        assert_eq!(words(of(text, Some("build")).command), ["build"]);
        assert_eq!(words(of(text, Some("0")).command), ["build"]);
    }

    #[test]
    fn what_is_below_a_registry_or_an_argument_is_unknown() {
        let image = of("FROM app\nARG U=1\nUSER $U\n", None);
        assert!(image.entrypoint.is_none() && image.command.is_none() && image.user.is_none());
        let image = of("FROM scratch\nENV A=$B/x\nCMD []\n", None);
        assert_eq!(image.entrypoint, Some(Command::Absent));
        assert!(matches!(image.command, Some(Command::Emptied(_))));
        assert_eq!(image.environment, [("A".to_owned(), Some("/x".to_owned()))]);
    }

    #[test]
    fn values_that_grow_without_end_are_unknown() {
        let doubling = "ENV A=$A$A\n".repeat(100);
        let image = of(&format!("FROM scratch\nENV A=xx\n{doubling}"), None);
        assert_eq!(image.environment[0].1, None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(FROM|ENV|CMD|ARG|USER|a=|\\$\\{a\\}|\\[|\"|'|\\\\|<<E|\n| |#|é){0,30}") {
            let mut sources = Sources::default();
            let span = sources.add("c.yml", "").start();
            let instructions = read(&text, |_| span);
            let _ = image::config(&instructions, None);
        }
    }
}
