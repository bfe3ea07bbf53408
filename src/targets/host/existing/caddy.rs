//! Which sites a Caddyfile has, and so where Caddy listens.

use super::listeners::{Address, Listener, Program};
use crate::source::{SourceId, Sources};

/// The sites of a text: what stands before a `{` that is in no other, or in the first line where
/// there is none.
pub fn listeners(sources: &Sources, source: SourceId) -> Vec<Listener> {
    let text = &sources.get(source).text;
    let (mut all, mut start, mut depth) = (Vec::new(), 0_usize, 0_usize);
    let mut bare = true;
    for whole in text.split_inclusive('\n') {
        let line = without_comment(whole.trim_end());
        let opens = line.ends_with('{');
        let closes = line.trim() == "}";
        let head = line.trim().trim_end_matches('{').trim();
        let goes_on = head.ends_with(',');
        if depth == 0 && !closes && !head.is_empty() && (opens || bare || goes_on) {
            bare = goes_on;
            let begin = start + whole.len() - whole.trim_start().len();
            let span = source.span(begin..begin + head.len());
            let words = head.split([' ', '\t', ',']).filter(|word| !word.is_empty());
            // A snippet, a named route, an import: no site.
            let site = !head.starts_with(['(', '&']) && !head.starts_with("import ");
            for (name, port, tls) in words.filter(|_| site).flat_map(sites) {
                all.push(Listener {
                    program: Program::Caddy,
                    address: Address::Any,
                    port,
                    tls,
                    names: name.into_iter().collect(),
                    span,
                });
            }
        }
        depth = match (opens, closes) {
            (true, _) => depth.saturating_add(1),
            (_, true) => depth.saturating_sub(1),
            _ => depth,
        };
        start += whole.len();
    }
    all
}

fn without_comment(line: &str) -> &str {
    match line.find('#') {
        Some(at)
            if line
                .get(..at)
                .is_some_and(|head| head.is_empty() || head.ends_with([' ', '\t'])) =>
        {
            line.get(..at).unwrap_or_default().trim_end()
        }
        _ => line,
    }
}

/// Name, port and whether with TLS: an address without scheme and port is served on 443, and
/// redirected from 80.
fn sites(address: &str) -> Vec<(Option<String>, u16, bool)> {
    let (scheme, rest) = match address.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, address),
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let (name, port) = match authority.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port.parse::<u16>().ok()),
        _ => (authority, None),
    };
    let name = Some(name.to_ascii_lowercase()).filter(|name| !name.is_empty());
    match (scheme, port) {
        (Some("http"), port) => vec![(name, port.unwrap_or(80), false)],
        (None, Some(80)) => vec![(name, 80, false)],
        (_, Some(port)) => {
            let tls = name.is_some() || scheme.is_some();
            vec![(name, port, tls)]
        }
        (_, None) => vec![(name.clone(), 443, true), (name, 80, false)],
    }
}
