//! The lines of a spec that pin what was seen, ready to be pasted.

use std::net::IpAddr;
use std::path::Path;

use super::report::{Fetched, Holds};
use crate::pki::Certificate;

/// A name that the spec takes.
///
/// # Errors
/// What to write instead.
pub fn checked(name: Option<&str>) -> Result<Option<&str>, String> {
    match name {
        Some(name) if name != slug(name) => Err(format!(
            "`--name {}` is no name: write lower-case letters, digits and inner hyphens",
            crate::pki::shortened(name, 80)
        )),
        name => Ok(name),
    }
}

/// A file as the spec names it: relative to the spec's directory, if it lies below that.
pub fn path(whole: &Path, root: &Path) -> String {
    let directory = whole.parent().and_then(|parent| parent.canonicalize().ok());
    let whole = match (directory, whole.file_name()) {
        (Some(directory), Some(name)) => directory.join(name),
        _ => whole.to_owned(),
    };
    let inside = whole.strip_prefix(root).unwrap_or(&whole);
    inside.display().to_string()
}

/// The lines; none where the public roots do.
pub fn lines(
    fetched: &Fetched<'_>,
    chain: &[Certificate],
    name: Option<&str>,
    file: Option<String>,
) -> String {
    let host = host_name(&fetched.server_name);
    let (server, port) = (scalar(&fetched.server_name), fetched.port);
    if fetched.public.trusted {
        let host = name.unwrap_or(&host);
        return format!(
            "# in a service that connects there:\n#   trust: [public]\nhosts:\n  {host}: {{names: [{server}], port: {port}}}\n"
        );
    }
    match fetched.holds() {
        Holds::Ca => {
            let Some(ca) = &fetched.ca else {
                return String::new();
            };
            let of_ca = slug(&ca.title);
            let authority = name.unwrap_or(match of_ca.as_str() {
                "" => "ca",
                slug => slug,
            });
            let file = scalar(&file.unwrap_or(format!("pki/{authority}.pem")));
            let sha256 = scalar(&ca.sha256.map(|one| one.to_string()).unwrap_or_default());
            format!(
                "authorities:\n  {authority}: {{kind: external, certificates: {file}, sha256: [{sha256}]}}\nhosts:\n  {host}: {{names: [{server}], port: {port}}}\n"
            )
        }
        Holds::Observed if chain.is_empty() => String::new(),
        Holds::Observed => {
            let host = name.unwrap_or(&host);
            let file = scalar(&file.unwrap_or(format!("pki/{host}-observed.pem")));
            format!("hosts:\n  {host}: {{names: [{server}], port: {port}, observed: {file}}}\n")
        }
    }
}

/// `git` of `git.lab.example`; of an address all of it.
fn host_name(server: &str) -> String {
    let first = match server.parse::<IpAddr>() {
        Ok(_) => server,
        Err(_) => server.split('.').next().unwrap_or(server),
    };
    match slug(first) {
        slug if slug.is_empty() => "server".to_owned(),
        slug => slug,
    }
}

/// Lower-case letters, digits and inner hyphens.
fn slug(text: &str) -> String {
    let fit = |character: char| match character.to_ascii_lowercase() {
        fit if fit.is_ascii_alphanumeric() => fit,
        _ => '-',
    };
    let mapped: String = text.chars().take(60).map(fit).collect();
    let words: Vec<&str> = mapped.split('-').filter(|word| !word.is_empty()).collect();
    words.join("-")
}

/// A value in a flow of YAML: quoted unless it is a word that nobody reads as something else.
fn scalar(text: &str) -> String {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'/' | b'_');
    // `1e5`, `0x1f` and `1.2` are numbers; what has another letter is none.
    let letter =
        |byte: u8| byte.is_ascii_alphabetic() && !matches!(byte, b'e' | b'E' | b'x' | b'o');
    let starts = text
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphanumeric());
    let word = starts && text.bytes().all(plain) && text.bytes().any(letter) && text.len() > 5;
    match word {
        true => text.to_owned(),
        false => serde_json::Value::from(text).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_words_or_quoted() {
        assert_eq!(scalar("git.lab.example"), "git.lab.example");
        assert_eq!(scalar("10.0.0.1"), "\"10.0.0.1\"");
        assert_eq!(scalar("fd00::1"), "\"fd00::1\"");
        assert_eq!(scalar("on"), "\"on\"");
        assert_eq!(scalar("123e45678"), "\"123e45678\"");
        assert_eq!(slug("Corp Root CA — 2"), "corp-root-ca-2");
        assert_eq!(host_name("fd00::1"), "fd00-1");
        assert_eq!(host_name("git.lab.example"), "git");
    }
}
