//! What an image's name says of the server in it: its release, and that it does not run as root.

use super::base::Service;
use super::serving::Serving;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::spec::Version;

pub static OTHER_RELEASE: Code = Code {
    name: "image-of-another-release",
    severity: Severity::Error,
    summary: "an image's tag and `server` name different releases",
    manual: include_str!("manual/image-of-another-release.md"),
};

/// Says that the tag names another release than `server` does; of other images nothing is known.
pub fn conflict(serving: &Serving<'_>) -> Option<Diagnostic> {
    let asked = serving.model_service().serving.as_ref()?;
    let declared = asked.server.version?;
    let (image, span) = serving.service.image.as_ref()?;
    let (name, tag) = name_and_tag(image)?;
    let official = ["nginx", "traefik"].contains(&name);
    let unprivileged = name == UNPRIVILEGED && asked.server.name == "nginx";
    if !(official && name == asked.server.name || unprivileged) {
        return None;
    }
    let tagged = release(tag?)?;
    let same_minor = match (tagged.minor, declared.minor) {
        (Some(tagged), Some(declared)) => tagged == declared,
        _ => true,
    };
    if tagged.major == declared.major && same_minor {
        return None;
    }
    let message = format!("`{}` is not what `{image}` holds", asked.server);
    Some(
        Diagnostic::new(&OTHER_RELEASE, asked.server_span, message)
            .also(*span, "the image")
            .help("write the release that is really started in both places: what is configured depends on it"),
    )
}

const UNPRIVILEGED: &str = "nginx-unprivileged";

/// Whether a service's image is one that is known not to run as root.
pub fn is_unprivileged(service: &Service) -> bool {
    let image = service.image.as_ref();
    let named = image.and_then(|(image, _)| name_and_tag(image));
    service.build.is_none() && named.is_some_and(|(name, _)| name == UNPRIVILEGED)
}

/// The last part of an image's path and its tag; `None` for what depends on a variable.
pub fn name_and_tag(image: &str) -> Option<(&str, Option<&str>)> {
    if image.contains('$') {
        return None;
    }
    let named = image.split_once('@').map_or(image, |(named, _)| named);
    let last = named.rsplit_once('/').map_or(named, |(_, last)| last);
    Some(match last.split_once(':') {
        Some((name, tag)) => (name, Some(tag)),
        None => (last, None),
    })
}

/// `1.22-alpine`, `v2.11`: the numbers before anything else.
fn release(tag: &str) -> Option<Version> {
    let tag = tag.strip_prefix('v').unwrap_or(tag);
    Version::parse(tag.split_once('-').map_or(tag, |(numbers, _)| numbers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_as_the_registries_write_them() {
        let cases = [
            ("nginx:1.22-alpine", Some((1, Some(22)))),
            ("registry.lab:5000/mirror/nginx:1.28.0", Some((1, Some(28)))),
            ("traefik:v2.11", Some((2, Some(11)))),
            ("traefik:v3", Some((3, None))),
            ("nginx:stable-alpine", None),
            ("nginx", None),
            ("nginx@sha256:00", None),
            ("nginx:${TAG:-1.22}", None),
        ];
        for (image, expected) in cases {
            let tag = name_and_tag(image).and_then(|(_, tag)| tag);
            let read = tag.and_then(release);
            let read = read.map(|version| (version.major, version.minor));
            assert_eq!(read, expected, "{image}");
        }
    }
}
