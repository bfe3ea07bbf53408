//! `listen`: at which sockets a server block answers.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address and port, or a path, as nginx tells them apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Socket {
    /// An address; `*` and nothing are `0.0.0.0`, which `[::]` is not.
    Ip {
        /// The address.
        address: IpAddr,
        /// The port.
        port: u16,
        /// Over UDP, for HTTP/3: another socket than the same port's for HTTPS.
        quic: bool,
    },
    /// A name that the machine resolves, in lower case.
    Named {
        /// The name.
        name: String,
        /// The port.
        port: u16,
        /// Over UDP.
        quic: bool,
    },
    /// A Unix socket.
    Unix(String),
}

/// What one `listen` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// Where; for a range of ports, the first.
    pub socket: Socket,
    /// The last port of a range; the socket's own where there is none.
    pub last_port: u16,
    /// Names that no block serves are answered by this block.
    pub default_server: bool,
    /// TLS.
    pub ssl: bool,
    /// HTTP/2, in the form before nginx 1.25.1.
    pub http2: bool,
}

/// The port of a `listen` that names none.
const PORT: u16 = 80;

impl Socket {
    /// All IPv4 addresses.
    pub fn port(port: u16) -> Self {
        let address = Ipv4Addr::UNSPECIFIED.into();
        Self::Ip {
            address,
            port,
            quic: false,
        }
    }

    /// All IPv6 addresses.
    pub fn port6(port: u16) -> Self {
        let address = Ipv6Addr::UNSPECIFIED.into();
        Self::Ip {
            address,
            port,
            quic: false,
        }
    }

    /// The port; none of a Unix socket.
    fn number(&self) -> u16 {
        match self {
            Self::Ip { port, .. } | Self::Named { port, .. } => *port,
            Self::Unix(_) => 0,
        }
    }

    /// The same with another port.
    fn at(&self, port: u16) -> Self {
        let mut socket = self.clone();
        match &mut socket {
            Self::Ip { port: own, .. } | Self::Named { port: own, .. } => *own = port,
            Self::Unix(_) => {}
        }
        socket
    }
}

impl fmt::Display for Socket {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (port, quic) = match self {
            Self::Unix(path) => return write!(out, "unix:{path}"),
            Self::Ip {
                address,
                port,
                quic,
            } => {
                match address {
                    IpAddr::V4(v4) if v4.is_unspecified() => write!(out, "*")?,
                    IpAddr::V4(v4) => write!(out, "{v4}")?,
                    IpAddr::V6(v6) => write!(out, "[{v6}]")?,
                }
                (port, quic)
            }
            Self::Named { name, port, quic } => {
                write!(out, "{name}")?;
                (port, quic)
            }
        };
        write!(out, ":{port}{}", if *quic { " quic" } else { "" })
    }
}

impl Listen {
    /// At one socket, with nothing else said.
    pub fn at(socket: Socket) -> Self {
        let last_port = socket.number();
        Self {
            socket,
            last_port,
            default_server: false,
            ssl: false,
            http2: false,
        }
    }

    /// What a block without `listen` does: port 80, at all IPv4 addresses.
    pub fn implicit() -> Self {
        Self::at(Socket::port(PORT))
    }

    /// Reads the words behind `listen`; `None` for what nginx would not take.
    pub fn parse<'w>(mut words: impl Iterator<Item = &'w str>) -> Option<Self> {
        let place = words.next()?;
        let mut listen = Self::implicit();
        let mut quic = false;
        for word in words {
            match word {
                // `default` is the older word.
                "default_server" | "default" => listen.default_server = true,
                "ssl" => listen.ssl = true,
                "http2" => listen.http2 = true,
                // HTTP/3 is always TLS.
                "quic" => (quic, listen.ssl) = (true, true),
                _ => {}
            }
        }
        (listen.socket, listen.last_port) = socket_and_last(place, quic)?;
        Some(listen)
    }

    /// The first socket that both have.
    pub fn shared(&self, other: &Self) -> Option<Socket> {
        let first = self.socket.number().max(other.socket.number());
        let last = self.last_port.min(other.last_port);
        (first <= last && self.socket.at(first) == other.socket.at(first))
            .then(|| self.socket.at(first))
    }
}

fn socket_and_last(place: &str, quic: bool) -> Option<(Socket, u16)> {
    if place
        .get(..5)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("unix:"))
    {
        let path = place.get(5..).filter(|path| !path.is_empty())?;
        return Some((Socket::Unix(path.to_owned()), 0));
    }
    let (host, ports) = host_and_ports(place)?;
    let port = *ports.start();
    let address: Option<IpAddr> = match host {
        Host::Any => Some(Ipv4Addr::UNSPECIFIED.into()),
        Host::V6(text) => Some(IpAddr::V6(text.parse().ok()?)),
        // The one name that every machine resolves alike (RFC 6761).
        Host::Other(text) if text.eq_ignore_ascii_case("localhost") => {
            Some(Ipv4Addr::LOCALHOST.into())
        }
        Host::Other(text) => text.parse().ok().map(IpAddr::V4),
    };
    let socket = match (address, host) {
        (Some(address), _) => Socket::Ip {
            address,
            port,
            quic,
        },
        (None, Host::V6(name) | Host::Other(name)) => {
            let name = name.to_ascii_lowercase();
            Socket::Named { name, port, quic }
        }
        (None, Host::Any) => return None,
    };
    Some((socket, *ports.end()))
}

#[derive(Clone, Copy)]
enum Host<'t> {
    Any,
    V6(&'t str),
    Other(&'t str),
}

fn host_and_ports(place: &str) -> Option<(Host<'_>, std::ops::RangeInclusive<u16>)> {
    if let Some(rest) = place.strip_prefix('[') {
        let (address, rest) = rest.split_once(']')?;
        let ports = match rest.strip_prefix(':') {
            Some(ports) => range(ports)?,
            None if rest.is_empty() => PORT..=PORT,
            None => return None,
        };
        return Some((Host::V6(address), ports));
    }
    let host = |host| {
        if host == "*" {
            Host::Any
        } else {
            Host::Other(host)
        }
    };
    if let Some((name, ports)) = place.split_once(':') {
        return (!name.is_empty()).then_some((host(name), range(ports)?));
    }
    let digits = place
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'-');
    if digits && !place.is_empty() {
        return Some((Host::Any, range(place)?));
    }
    (!place.is_empty()).then_some((host(place), PORT..=PORT))
}

fn range(ports: &str) -> Option<std::ops::RangeInclusive<u16>> {
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let (first, last) = (first.parse::<u16>().ok()?, last.parse::<u16>().ok()?);
    (first > 0 && first <= last && !ports.contains('+')).then_some(first..=last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<String> {
        let listen = Listen::parse(text.split(' '))?;
        Some(listen.socket.to_string())
    }

    #[test]
    fn the_same_socket_has_many_spellings() {
        for same in ["443", "*:443", "0.0.0.0:443", "443 ssl", "0443"] {
            assert_eq!(of(same).as_deref(), Some("*:443"), "{same}");
        }
        for (text, socket) in [
            ("[::]:443", Some("[::]:443")),
            ("[0:0:0:0:0:0:0:0]", Some("[::]:80")),
            ("127.0.0.1", Some("127.0.0.1:80")),
            ("Localhost:8080", Some("127.0.0.1:8080")),
            ("Git.Example", Some("git.example:80")),
            ("443 quic reuseport", Some("*:443 quic")),
            ("unix:/run/a.sock", Some("unix:/run/a.sock")),
            ("99999", None),
            ("$PORT:1:2", None),
            ("[::1", None),
            ("", None),
            ("9-8", None),
        ] {
            assert_eq!(of(text).as_deref(), socket, "{text}");
        }
    }

    #[test]
    fn ranges_share_the_ports_that_both_have() {
        let shared = |one: &str, other: &str| {
            let parse = |text: &str| Listen::parse(text.split(' ')).unwrap();
            parse(one)
                .shared(&parse(other))
                .map(|socket| socket.to_string())
        };
        assert_eq!(shared("8000-8010", "8005-9000").as_deref(), Some("*:8005"));
        assert_eq!(shared("8000-8010", "*:8010").as_deref(), Some("*:8010"));
        assert_eq!(shared("unix:/a", "unix:/a").as_deref(), Some("unix:/a"));
        for (one, other) in [
            ("8000-8010", "8011"),
            ("443", "[::]:443"),
            ("443 ssl", "443 quic"),
            ("unix:/a", "unix:/b"),
        ] {
            assert_eq!(shared(one, other), None, "{one} {other}");
        }
    }

    #[test]
    fn what_follows_is_known_in_any_order() {
        let listen = Listen::parse("443 reuseport http2 ssl default_server".split(' ')).unwrap();
        assert!(listen.ssl && listen.http2 && listen.default_server);
        assert!(!Listen::parse(["80"].into_iter()).unwrap().default_server);
    }
}
