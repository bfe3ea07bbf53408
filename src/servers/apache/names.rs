//! The names of a host, as Apache compares them.

use crate::model::{Host, SubjectName};

/// The names of a virtual host.
pub struct Names {
    /// `ServerName`, which takes no `*`.
    pub first: String,
    /// `ServerAlias`.
    pub others: Vec<String>,
}

impl Names {
    pub fn of(host: &Host) -> Self {
        let mut others = all(host);
        let first = others.iter().position(|name| is_plain(name));
        let first = match first {
            Some(index) => others.remove(index),
            None => format!("{}.invalid", host.name.to_ascii_lowercase()),
        };
        // Apache compares an IPv6 address without the brackets in which a client writes it.
        let bare = |name: String| name.trim_matches(['[', ']']).to_owned();
        let others = others.into_iter().map(bare).collect();
        Self { first, others }
    }
}

/// Every name, an IPv6 address in brackets as a client writes it.
pub fn all(host: &Host) -> Vec<String> {
    let written = |name: &SubjectName| match name {
        SubjectName::Ip(std::net::IpAddr::V6(address)) => format!("[{address}]"),
        name => name.to_string(),
    };
    host.names.iter().map(|(name, _)| written(name)).collect()
}

/// Whether a host must be reached by a client that names none: none names an IP address
/// (RFC 6066, section 3).
pub fn is_default(host: &Host) -> bool {
    let mut names = host.names.iter().map(|(name, _)| name);
    names.any(|name| matches!(name, SubjectName::Ip(_)))
}

/// Where a virtual host stands: that of an address first, one with a `*` behind all that it could
/// hide, the longer of two such before the shorter.
pub fn rank(host: &Host) -> (bool, usize) {
    let longest = all(host)
        .iter()
        .filter(|name| name.starts_with('*'))
        .map(String::len)
        .max();
    (
        !is_default(host),
        longest.map_or(0, |length| usize::MAX - length),
    )
}

/// Whether a name of one host would be answered by another that stands before it.
pub fn hidden(host: &Host, before: &Host) -> Option<String> {
    let patterns = all(before);
    let covers = |name: &String| {
        let endings = patterns.iter().filter_map(|known| known.strip_prefix('*'));
        endings
            .filter(|_| !name.starts_with('*'))
            .any(|ending| name.ends_with(ending))
    };
    all(host).into_iter().find(covers)
}

fn is_plain(name: &str) -> bool {
    !name.contains(['*', '['])
}
