//! The names that certificates carry: DNS names and IP addresses.

use std::fmt;
use std::net::IpAddr;

use crate::pki;

/// A name that a certificate can carry.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SubjectName {
    /// A DNS name, lower case, in punycode; a wildcard may be its first label.
    Dns(String),
    /// An IP address.
    Ip(IpAddr),
}

impl SubjectName {
    /// Reads a name as people write it: any case, other scripts in Unicode or punycode.
    ///
    /// # Errors
    /// What is wrong with it, to be put behind the name, and what to write instead.
    pub fn parse(text: &str) -> Result<Self, (String, String)> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Ip(address));
        }
        if text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
        {
            return Err(fault(
                "looks like an IP address and is none",
                "write four numbers from 0 to 255",
            ));
        }
        if text.contains(':') {
            return Err(fault(
                "holds a colon and is no IPv6 address",
                "give the port in `port:`",
            ));
        }
        let (wildcard, rest) = match text.strip_prefix("*.") {
            Some(rest) => ("*.", rest),
            None => ("", text),
        };
        if rest.contains('*') {
            return Err(fault(
                "has a wildcard that is not its whole first label",
                "write `*.example.org`",
            ));
        }
        let rest = rest.strip_suffix('.').unwrap_or(rest);
        if rest.contains('_') {
            return Err(fault(
                "holds an underscore, which no certificate may carry",
                "write the name with hyphens, and rename the host",
            ));
        }
        let ascii = pki::dns_name(rest).ok_or_else(|| fault("is no DNS name", DNS_RULE))?;
        if !wildcard.is_empty() && !ascii.contains('.') {
            return Err(fault(
                "is a wildcard for a whole top-level domain",
                "name a domain below it",
            ));
        }
        match dns_fault(&ascii) {
            Some(words) => Err(fault(words, DNS_RULE)),
            None => Ok(Self::Dns(format!("{wildcard}{ascii}"))),
        }
    }
}

/// RFC 1123, section 2.1.
const DNS_RULE: &str =
    "write labels of letters, digits and inner hyphens, each at most 63 long, with dots between";

fn fault(words: &str, help: &str) -> (String, String) {
    (words.to_owned(), help.to_owned())
}

fn dns_fault(ascii: &str) -> Option<&'static str> {
    let good = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    match () {
        () if ascii.len() > 253 => Some("is longer than a DNS name can be"),
        () if !ascii.split('.').all(good) => Some("is no DNS name"),
        () => None,
    }
}

impl fmt::Display for SubjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(name),
            Self::Ip(address) => address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_normalised_or_refused_with_a_remedy() {
        let good = |text: &str| SubjectName::parse(text).unwrap().to_string();
        assert_eq!(good("Tower.Lab.Example"), "tower.lab.example");
        assert_eq!(good("bücher.example"), "xn--bcher-kva.example");
        assert_eq!(good("xn--bcher-kva.example"), "xn--bcher-kva.example");
        assert_eq!(good("*.lab.example"), "*.lab.example");
        assert_eq!(good("2001:DB8::1"), "2001:db8::1");
        assert_eq!(good("db"), "db");
        for bad in [
            "10.20.0.256",
            "a..b",
            "-a.example",
            "*.*.a",
            "a.*.b",
            "*.example",
            "a:443",
            "a_b.example",
        ] {
            assert!(SubjectName::parse(bad).is_err(), "{bad}");
        }
    }
}
