//! `HOST[:PORT]` as people write it.

use std::net::IpAddr;

use crate::pki::{self, shortened};
use crate::probe::{Protocol, Target};

/// The port of HTTPS.
const HTTPS: u16 = 443;

/// Whom to ask.
///
/// # Errors
/// What is wrong with it, and what to write instead.
pub fn target(
    server: &str,
    starttls: Option<Protocol>,
    server_name: Option<&str>,
) -> Result<Target, String> {
    let (host, port) = split(server)?;
    let host = name(host)?;
    let server_name = match server_name {
        Some(given) => name(given)?,
        None => host.clone(),
    };
    let usual = starttls.map_or(HTTPS, Protocol::port);
    Ok(Target {
        host,
        port: port.unwrap_or(usual),
        server_name,
        starttls,
    })
}

fn split(server: &str) -> Result<(&str, Option<u16>), String> {
    if server.contains("://") || server.contains('/') {
        let shown = shortened(server, 80);
        return Err(format!(
            "`{shown}` is no HOST[:PORT]: leave scheme and path out"
        ));
    }
    if server.parse::<IpAddr>().is_ok() {
        return Ok((server, None));
    }
    let bracketed = server
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'));
    let (host, port) = match bracketed {
        Some((host, "")) => (host, None),
        Some((host, rest)) => (host, Some(rest.strip_prefix(':').unwrap_or(rest))),
        None => match server.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (server, None),
        },
    };
    let Some(port) = port else {
        return Ok((host, None));
    };
    match port.parse() {
        Ok(port) if port > 0 => Ok((host, Some(port))),
        _ => {
            let shown = shortened(port, 20);
            Err(format!(
                "`{shown}` is no port: write a number from 1 to 65535"
            ))
        }
    }
}

/// An address, or a DNS name in A-labels.
fn name(written: &str) -> Result<String, String> {
    if let Ok(address) = written.parse::<IpAddr>() {
        return Ok(address.to_string());
    }
    let bare = written.strip_suffix('.').unwrap_or(written);
    let fit = |name: &String| !name.is_empty() && name.len() <= 253;
    // An underscore is in no certificate, but may be in the name of a server.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let ascii = match bare.bytes().all(plain) {
        true => Some(bare.to_ascii_lowercase()),
        false => pki::dns_name(bare),
    };
    ascii.filter(fit).ok_or_else(|| {
        let shown = shortened(written, 80);
        format!("`{shown}` is neither a DNS name nor an address")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(server: &str) -> String {
        match target(server, Some(Protocol::Imap), None) {
            Ok(target) => format!("{} {}", target.host, target.port),
            Err(words) => words,
        }
    }

    #[test]
    fn hosts_and_ports_are_read_as_people_write_them() {
        assert_eq!(read("Git.Lab.Example"), "git.lab.example 143");
        assert_eq!(read("bücher.example:993"), "xn--bcher-kva.example 993");
        assert_eq!(read("10.0.0.1:8443"), "10.0.0.1 8443");
        assert_eq!(read("fd00::1"), "fd00::1 143");
        assert_eq!(read("[FD00::1]:99"), "fd00::1 99");
        assert_eq!(read("[fd00::1]"), "fd00::1 143");
        for bad in [
            "https://a/",
            "a:0",
            "a:65536",
            "a:https",
            "",
            "a b",
            ":443",
            "[fd00::1]x",
            "\u{1b}[2J",
        ] {
            let said = read(bad);
            assert!(
                said.contains("is no") || said.contains("is neither"),
                "{said}"
            );
        }
    }
}
