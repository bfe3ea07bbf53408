//! What a service presents, resolved.

use std::fmt;

use super::{HostId, Trust};
use crate::provision::Reload;
use crate::source::Span;
use crate::spec::{ClientAuthMode, GuidelineLevel, Place, ServeAs, ServerVersion, Version};

/// How a service presents certificates.
#[derive(Debug)]
pub struct Serving {
    /// The server, with its version where it is known.
    pub server: ServerVersion,
    /// Where that is said.
    pub server_span: Span,
    /// The release of OpenSSL that the server is built with.
    pub openssl: Option<Version>,
    /// The hosts that it serves, each once.
    pub serves: Vec<Serve>,
    /// For nginx: how it is configured, and where that is said.
    pub serve_as: Option<(ServeAs, Span)>,
    /// What makes it take a renewed certificate, where the spec says it.
    pub reload: Option<(Reload, Span)>,
}

/// A host that a service serves.
#[derive(Debug)]
pub struct Serve {
    /// The host.
    pub host: HostId,
    /// Where requests are passed on to.
    pub upstream: Option<Upstream>,
    /// Whether WebSocket connections are passed on.
    pub websocket: Option<Span>,
    /// Whether plain HTTP is answered with a redirect.
    pub redirect_http: Option<Span>,
    /// For how long browsers refuse plain HTTP afterwards.
    pub hsts: Option<Hsts>,
    /// Headers of every response, each with the place that says so.
    pub headers: Vec<(String, String, Span)>,
    /// How clients present certificates.
    pub client_auth: Option<ClientAuthentication>,
    /// Mozilla's guideline, and the place that says which.
    pub tls: (GuidelineLevel, Span),
    /// From where ACME challenges are answered.
    pub challenge_root: Option<(String, Span)>,
    /// The load balancer at which TLS ends.
    pub behind: Option<Behind>,
    /// A path that answers when the service is well.
    pub health_path: Option<(String, Span)>,
    /// For `app`: the variables that name the files.
    pub variables: FileVariables,
    /// Where it was written.
    pub place: Place,
}

/// HTTP Strict Transport Security (RFC 6797).
#[derive(Debug, Clone, Copy)]
pub struct Hsts {
    /// Its time in seconds.
    pub seconds: i64,
    /// Whether it holds for every name below.
    pub include_subdomains: bool,
    /// Where it is asked for.
    pub span: Span,
}

/// How clients present certificates.
#[derive(Debug)]
pub struct ClientAuthentication {
    /// Whose certificates are accepted; never the public roots.
    pub trust: Trust,
    /// Whether a client may come without one.
    pub mode: ClientAuthMode,
    /// Where it is asked for.
    pub span: Span,
}

/// A load balancer at which TLS ends.
#[derive(Debug)]
pub struct Behind {
    /// Its networks in CIDR notation, each with the place that names it.
    pub networks: Vec<(String, Span)>,
    /// Where it is named.
    pub span: Span,
}

/// The variables in which an application is told its files.
#[derive(Debug, Default)]
pub struct FileVariables {
    /// Leaf and intermediates.
    pub certificate: Option<(String, Span)>,
    /// The key.
    pub key: Option<(String, Span)>,
    /// The intermediates alone.
    pub chain: Option<(String, Span)>,
    /// The CAs of client certificates.
    pub client_ca: Option<(String, Span)>,
    /// The lists of revoked certificates of those.
    pub client_crl: Option<(String, Span)>,
}

/// Where requests are passed on to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// Whether over TLS.
    pub tls: bool,
    /// A name or an address, an IPv6 address without brackets.
    pub host: String,
    /// The port, if it is not the scheme's own.
    pub port: Option<u16>,
    /// What is put before each request's path: empty, or `/…` without a slash at its end.
    pub prefix: String,
    /// Where it is written.
    pub span: Span,
}

impl Upstream {
    /// Reads a URL of scheme, host, port and path.
    ///
    /// # Errors
    /// What is wrong with it, and what to write instead.
    pub fn parse(text: &str, span: Span) -> Result<Self, (String, &'static str)> {
        const FORM: &str = "write scheme, host and port, such as `http://backend:8080`";
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.contains('@') {
            let fault = "holds a user name or password".to_owned();
            return Err((
                fault,
                "leave it out: the application's own settings are the place for it",
            ));
        }
        if path.contains(['?', '#']) {
            let fault = "holds a query, which no request could be joined with".to_owned();
            return Err((fault, "end it with the path"));
        }
        let (host, port) =
            host_and_port(authority).ok_or_else(|| ("names no host and port".to_owned(), FORM))?;
        if !is_host(host) {
            return Err((format!("names `{host}`, which is no host"), FORM));
        }
        let port = match port.map(str::parse::<u16>) {
            None => None,
            Some(Ok(port)) if port > 0 => Some(port),
            Some(_) => {
                return Err((
                    "has a port that is none".to_owned(),
                    "write a port from 1 to 65535",
                ));
            }
        };
        Ok(Self {
            tls: scheme == "https",
            host: host.to_owned(),
            port,
            prefix: path.trim_end_matches('/').to_owned(),
            span,
        })
    }

    /// Scheme, host and port: `http://backend:8080`.
    pub fn origin(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}", self.authority())
    }

    /// Host and port: `backend:8080`.
    pub fn authority(&self) -> String {
        let host = match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        };
        match self.port {
            Some(port) => format!("{host}:{port}"),
            None => host,
        }
    }

    /// Whether the host is an address, so that nobody must look it up.
    pub fn is_address(&self) -> bool {
        self.host.parse::<std::net::IpAddr>().is_ok()
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.prefix)
    }
}

/// A network in CIDR notation; an address alone is a network of one.
///
/// # Errors
/// What is wrong with it, and what to write instead.
pub fn network(text: &str) -> Result<String, (String, String)> {
    let none = || {
        (
            String::from("is no network"),
            String::from("write an address and its bits, such as `10.0.0.0/16`"),
        )
    };
    let (address, bits) = text
        .split_once('/')
        .map_or((text, None), |(address, bits)| (address, Some(bits)));
    let address: std::net::IpAddr = address.parse().map_err(|_| none())?;
    let most: u32 = if address.is_ipv4() { 32 } else { 128 };
    let bits = match bits.map(str::parse::<u32>) {
        None => most,
        Some(Ok(bits)) if bits <= most => bits,
        Some(_) => return Err(none()),
    };
    let first = masked(address, bits);
    if first != address {
        let fault = format!("has bits set behind its first {bits}");
        return Err((fault, format!("write `{first}/{bits}`")));
    }
    Ok(format!("{address}/{bits}"))
}

fn masked(address: std::net::IpAddr, bits: u32) -> std::net::IpAddr {
    match address {
        std::net::IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            std::net::Ipv4Addr::from(u32::from(v4) & mask).into()
        }
        std::net::IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            std::net::Ipv6Addr::from(u128::from(v6) & mask).into()
        }
    }
}

fn host_and_port(authority: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        host.parse::<std::net::Ipv6Addr>().ok()?;
        return match after.strip_prefix(':') {
            Some(port) => Some((host, Some(port))),
            None => after.is_empty().then_some((host, None)),
        };
    }
    match authority.split_once(':') {
        Some((host, port)) => (!port.contains(':')).then_some((host, Some(port))),
        None => Some((authority, None)),
    }
}

/// A name, also one with underscores, which Compose gives to its services; or an address.
fn is_host(host: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let address = host.parse::<std::net::Ipv6Addr>().is_ok();
    let digits = host
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let name = !host.is_empty()
        && host.len() <= 253
        && host.bytes().all(inner)
        && !host.starts_with(['-', '.'])
        && !host.contains("..");
    address || (name && (!digits || host.parse::<std::net::Ipv4Addr>().is_ok()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    #[test]
    fn upstreams_are_read_and_written() {
        let span = Sources::default().add("s", "").start();
        for text in [
            "http://backend:8080",
            "https://10.0.0.1",
            "http://[::1]:80/api",
            "http://my_app/a;b'c\"$x",
        ] {
            let read = Upstream::parse(text, span).map(|upstream| upstream.to_string());
            assert_eq!(read.as_deref(), Ok(text));
        }
        for text in [
            "http://",
            "http://a:b:c",
            "http://a:0",
            "http://u:p@a",
            "http://a?x",
            "http://a..b",
            "http://1.2.3",
            "http://a$b",
            "http://[x]",
        ] {
            assert!(Upstream::parse(text, span).is_err(), "{text}");
        }
    }

    #[test]
    fn networks_have_no_bits_behind_their_length() {
        assert_eq!(network("10.0.0.0/8").as_deref(), Ok("10.0.0.0/8"));
        assert_eq!(network("::/0").as_deref(), Ok("::/0"));
        assert_eq!(network("10.0.0.1").as_deref(), Ok("10.0.0.1/32"));
        let (_, help) = network("10.0.0.1/8").unwrap_err();
        assert_eq!(help, "write `10.0.0.0/8`");
        assert!(network("10.0.0.0/33").is_err() && network("1::/129").is_err());
    }
}
