//! What a service publishes: `ports`, short and long.

use super::interpolation;
use crate::source::Span;
use crate::yaml::Node;

/// Ports of the host that lead into a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// The address of the host, if one is named.
    pub address: Option<String>,
    /// First and last port of the host; `None` where the engine chooses.
    pub published: Option<(u16, u16)>,
    /// First and last port of the container.
    pub target: (u16, u16),
    /// Not TCP: it collides with nothing that speaks TLS.
    pub udp: bool,
    /// Where it is written.
    pub span: Span,
}

impl Port {
    /// Whether it takes this TCP port of the host.
    pub fn takes(&self, port: u16) -> bool {
        !self.udp
            && self
                .published
                .is_some_and(|(first, last)| (first..=last).contains(&port))
    }

    /// The container's port behind a TCP port of the host.
    pub fn inside(&self, port: u16) -> Option<u16> {
        let (first, last) = self.published.filter(|_| self.takes(port))?;
        let each = last - first == self.target.1.saturating_sub(self.target.0);
        match each {
            true => self.target.0.checked_add(port - first),
            false => Some(self.target.0),
        }
    }
}

/// An entry of `ports`; `None` for what depends on variables without a default.
pub(super) fn read(node: &Node) -> Option<Port> {
    if node.is_mapping() {
        return long(node);
    }
    short(&interpolation::by_default(node.text()?)?, node.span)
}

fn long(node: &Node) -> Option<Port> {
    let part = |name: &str| interpolation::by_default(node.get(name)?.text()?);
    Some(Port {
        address: part("host_ip"),
        published: match part("published") {
            Some(text) if !text.is_empty() => Some(range(&text)?),
            _ => None,
        },
        target: range(&part("target")?)?,
        udp: part("protocol").is_some_and(|protocol| protocol == "udp"),
        span: node.span,
    })
}

/// `[ADDRESS:][PUBLISHED:]TARGET[/PROTOCOL]`.
fn short(text: &str, span: Span) -> Option<Port> {
    let (rest, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (before, target) = match rest.rsplit_once(':') {
        Some((before, target)) => (Some(before), target),
        None => (None, rest),
    };
    let (address, published) = match before.map(|before| (before, before.rsplit_once(':'))) {
        None => (None, None),
        Some((_, Some((address, published)))) => (Some(address), Some(published)),
        Some((published, None)) => (None, Some(published)),
    };
    let address = address.map(|address| address.trim_matches(['[', ']']).to_owned());
    Some(Port {
        address: address.filter(|address| !address.is_empty()),
        published: match published {
            Some(text) if !text.is_empty() => Some(range(text)?),
            _ => None,
        },
        target: range(target)?,
        udp: protocol == "udp",
        span,
    })
}

fn range(text: &str) -> Option<(u16, u16)> {
    match text.split_once('-') {
        Some((first, last)) => Some((first.parse().ok()?, last.parse().ok()?)),
        None => text.parse().ok().map(|port| (port, port)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    #[test]
    fn short_ports_are_read_as_compose_does() {
        let span = Sources::default().add("c.yml", "").start();
        let cases = [
            ("80", None, None, (80, 80), false),
            ("8000:80", None, Some((8000, 8000)), (80, 80), false),
            (
                "127.0.0.1:8000:80/udp",
                Some("127.0.0.1"),
                Some((8000, 8000)),
                (80, 80),
                true,
            ),
            (
                "[::1]:8000:80",
                Some("::1"),
                Some((8000, 8000)),
                (80, 80),
                false,
            ),
            ("127.0.0.1::80", Some("127.0.0.1"), None, (80, 80), false),
            (
                "9090-9091:8080-8081",
                None,
                Some((9090, 9091)),
                (8080, 8081),
                false,
            ),
        ];
        for (text, address, published, target, udp) in cases {
            let read = short(text, span);
            let expected = Port {
                address: address.map(str::to_owned),
                published,
                target,
                udp,
                span,
            };
            assert_eq!(read, Some(expected), "{text}");
        }
        assert_eq!(short("x:80", span), None);
    }
}
