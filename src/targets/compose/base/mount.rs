//! What is mounted into a service: `volumes`, `secrets`, `configs` and `tmpfs`.

use super::{Mount, MountKind, interpolation};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::Span;
use crate::yaml::Node;

pub(super) static VOLUME: Code = Code {
    name: "compose-volume",
    severity: Severity::Error,
    summary: "an entry of `volumes` says not what Compose can mount",
    manual: include_str!("../manual/compose-volume.md"),
};

/// A mount, and the key by which a later file replaces it.
#[derive(Debug, Clone)]
pub(super) struct Keyed {
    pub key: String,
    pub mount: Mount,
}

/// An entry of `volumes`, short or long.
pub(super) fn volume(node: &Node) -> Result<Keyed, Diagnostic> {
    if let Some(text) = node.text() {
        let text = filled_in(text);
        let (source, target) = split(&text).map_err(|why| malformed(node.span, &text, why))?;
        let kind = match &source {
            Some(source) if is_path(source) => MountKind::Bind,
            _ => MountKind::Volume,
        };
        return Ok(keyed(target, source, kind, node.span));
    }
    let part = |name: &str| node.get(name).and_then(Node::text);
    let Some(target) = part("target").filter(|target| !target.is_empty()) else {
        let message = "this volume does not say where in the container it is mounted";
        return Err(Diagnostic::new(&VOLUME, node.span, message)
            .help("add `target: /path/in/the/container`"));
    };
    let kind = match part("type") {
        Some("bind") => MountKind::Bind,
        Some("volume") => MountKind::Volume,
        Some("tmpfs") => MountKind::Tmpfs,
        Some(_) => MountKind::Other,
        None => {
            let message = "this volume does not say its type";
            return Err(Diagnostic::new(&VOLUME, node.span, message)
                .help("add `type: bind` for a path of the host, `type: volume` for a volume"));
        }
    };
    Ok(keyed(&filled_in(target), part("source"), kind, node.span))
}

/// An entry of `tmpfs`: `/run:size=1m`.
pub(super) fn tmpfs(text: &str, span: Span) -> Keyed {
    let text = filled_in(text);
    let target = sections(&text).first().copied().unwrap_or_default();
    keyed(target, None, MountKind::Tmpfs, span)
}

/// An entry of `secrets` or `configs`; `directory` is where a name alone is mounted.
pub(super) fn file(node: &Node, kind: MountKind) -> Option<Keyed> {
    let part = |name: &str| node.get(name).and_then(Node::text);
    let directory = match kind {
        MountKind::Secret => "/run/secrets/",
        _ => "/",
    };
    let source = node.text().or_else(|| part("source"))?;
    // Compose compares the target as written: `tok` is not `/run/secrets/tok` to it.
    let key = match part("target") {
        Some(target) => target.to_owned(),
        None => format!("{directory}{source}"),
    };
    let target = match part("target").map(filled_in) {
        Some(target) if target.starts_with('/') => target,
        Some(target) => format!("{directory}{target}"),
        None => format!("{directory}{}", filled_in(source)),
    };
    let mut keyed = keyed(&target, Some(source), kind, node.span);
    keyed.key = key;
    Some(keyed)
}

/// A text with defaults filled in where all of its variables have one.
fn filled_in(text: &str) -> String {
    interpolation::by_default(text).unwrap_or_else(|| text.to_owned())
}

fn keyed(target: &str, source: Option<&str>, kind: MountKind, span: Span) -> Keyed {
    let target = normalised(target);
    Keyed {
        key: target.clone(),
        mount: Mount {
            target,
            source: source.map(str::to_owned),
            kind,
            span,
        },
    }
}

/// Splits the short syntax, `[SOURCE:]TARGET[:OPTIONS]`.
fn split(text: &str) -> Result<(Option<&str>, &str), &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.len() <= 2 {
        return Ok((None, text));
    }
    let sections = sections(text);
    if sections.iter().any(|section| section.is_empty()) {
        return Err("there is nothing between two colons");
    }
    match *sections.as_slice() {
        [target] => Ok((None, target)),
        [source, target] | [source, target, _] => Ok((Some(source), target)),
        _ => Err("it has too many colons"),
    }
}

/// What stands between colons, those of `${NAME:-x}` and of `C:\` not counted.
fn sections(text: &str) -> Vec<&str> {
    let mut sections = Vec::new();
    let mut start = 0;
    let mut inside = 0_usize;
    let bytes = text.as_bytes();
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'$' if bytes.get(at + 1) == Some(&b'{') => inside += 1,
            b'}' => inside = inside.saturating_sub(1),
            b':' if inside == 0 && !is_drive(&text[start..at]) => {
                sections.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    sections.push(&text[start..]);
    sections
}

/// A letter before a colon is taken for a Windows drive, even in `a:/b`.
fn is_drive(section: &str) -> bool {
    let mut characters = section.chars();
    characters.next().is_some_and(char::is_alphabetic) && characters.next().is_none()
}

fn is_path(source: &str) -> bool {
    source.starts_with(['.', '/', '~'])
        || source.starts_with(r"\\")
        || source
            .split_once(':')
            .is_some_and(|(drive, _)| is_drive(drive))
}

/// The path without needless parts, as Go's `path.Clean` writes it.
fn normalised(path: &str) -> String {
    if path.contains('$') {
        // What a variable holds may itself be `..` or end in a slash.
        let trimmed = path.trim_end_matches('/');
        return if trimmed.is_empty() { path } else { trimmed }.to_owned();
    }
    let mut parts: Vec<&str> = Vec::new();
    let absolute = path.starts_with('/');
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (absolute, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

fn malformed(span: Span, text: &str, why: &str) -> Diagnostic {
    let message = format!("`{text}` is no volume: {why}");
    Diagnostic::new(&VOLUME, span, message)
        .help("write `source:target` or `source:target:options`, or the long form with `type`, `source` and `target`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_volumes_are_split_as_compose_does() {
        let cases = [
            ("/data", Ok((None, "/data"))),
            ("./a:/b:ro,z", Ok((Some("./a"), "/b"))),
            ("~/a:/b", Ok((Some("~/a"), "/b"))),
            (r"C:\a:/b", Ok((Some(r"C:\a"), "/b"))),
            ("${A:-x:y}/c:/b", Ok((Some("${A:-x:y}/c"), "/b"))),
            ("a:/b", Ok((None, "a:/b"))),
            ("db::/b", Err("there is nothing between two colons")),
            ("ab:/b:cc:d", Err("it has too many colons")),
        ];
        for (text, expected) in cases {
            assert_eq!(split(text), expected, "{text}");
        }
    }

    #[test]
    fn targets_are_normalised() {
        let cases = [
            ("/a/", "/a"),
            ("/a/../b/./c", "/b/c"),
            ("/..", "/"),
            ("a/..", "."),
            ("../a", "../a"),
            ("${A}/", "${A}"),
        ];
        for (path, expected) in cases {
            assert_eq!(normalised(path), expected, "{path}");
        }
    }
}
