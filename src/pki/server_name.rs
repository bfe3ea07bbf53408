//! Whether a certificate speaks for a name, after RFC 9525.

use std::borrow::Cow;
use std::net::IpAddr;

/// Whether one of a certificate's DNS names or addresses is, or covers, a name.
///
/// A wildcard stands for exactly one whole label, the leftmost, and two labels must follow it:
/// OpenSSL and curl refuse `*.example`, so it covers nothing here.
pub(super) fn covers(dns_names: &[String], addresses: &[IpAddr], name: &str) -> bool {
    let bare = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    if let Ok(address) = bare.unwrap_or(name).parse::<IpAddr>() {
        return addresses.contains(&address);
    }
    let name = a_label(name);
    !name.is_empty() && dns_names.iter().any(|pattern| dns_covers(pattern, &name))
}

/// The form in which certificates hold a name: lower case, `xn--` for what is not ASCII, no dot at
/// the end. What IDNA refuses stays as it is, in lower case.
pub(super) fn a_label(name: &str) -> String {
    let name = name.strip_suffix('.').unwrap_or(name);
    let ascii = idna::domain_to_ascii_cow(name.as_bytes(), idna::AsciiDenyList::EMPTY);
    match ascii {
        Ok(Cow::Borrowed(same)) => same.to_owned(),
        Ok(Cow::Owned(changed)) => changed,
        Err(_) => name.to_lowercase(),
    }
}

/// The same form of a name that somebody wrote; `None` for what IDNA refuses.
pub fn dns_name(written: &str) -> Option<String> {
    idna::domain_to_ascii_strict(written).ok()
}

fn dns_covers(pattern: &str, name: &str) -> bool {
    if pattern == name {
        return true;
    }
    let Some(parent) = pattern.strip_prefix("*.") else {
        return false;
    };
    let Some((label, rest)) = name.split_once('.') else {
        return false;
    };
    !label.is_empty() && rest == parent && parent.contains('.') && !parent.contains('*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_covered_as_clients_do() {
        let dns = [
            "*.lab.example",
            "git.corp.example",
            "*.local",
            "*",
            "f*.lab.example",
        ];
        let dns = dns.map(str::to_owned).to_vec();
        let dns = [
            dns,
            vec!["xn--bcher-kva.example".to_owned(), "10.0.0.9".to_owned()],
        ]
        .concat();
        let addresses = ["10.20.0.5", "fd00::1"].map(|text| text.parse().expect("an address"));
        let covers = |name: &str| covers(&dns, &addresses, name);
        for name in [
            "git.lab.example",
            "GIT.LAB.EXAMPLE.",
            "git.corp.example",
            "*.lab.example",
            "bücher.example",
            "xn--bcher-kva.example",
            "10.20.0.5",
            "[fd00::1]",
            "fd00:0:0::1",
        ] {
            assert!(covers(name), "{name}");
        }
        for name in [
            "lab.example",
            "a.b.lab.example",
            ".lab.example",
            "x.git.corp.example",
            "nas.local",
            "local",
            "10.0.0.9",
            "10.20.0.6",
            "",
            "*.corp.example",
        ] {
            assert!(!covers(name), "{name}");
        }
    }
}
