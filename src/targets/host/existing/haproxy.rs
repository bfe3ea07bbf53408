//! Where a configuration of HAProxy listens.

use super::listeners::{Address, Listener, Program};
use crate::source::{SourceId, Sources};

/// How many ports a range may have.
const MOST_PORTS: u16 = 100;

/// Every `bind` of a text.
pub fn listeners(sources: &Sources, source: SourceId) -> Vec<Listener> {
    let text = &sources.get(source).text;
    let mut all = Vec::new();
    let mut start = 0;
    for whole in text.split_inclusive('\n') {
        let line = whole.split('#').next().unwrap_or_default().trim_end();
        let mut words = line.split_whitespace();
        if words.next() == Some("bind") {
            let begin = start + line.len() - line.trim_start().len();
            let span = source.span(begin..start + line.len());
            let places = words.next().unwrap_or_default();
            let tls = words.any(|word| word == "ssl");
            for (address, port) in places.split(',').flat_map(sockets) {
                all.push(Listener {
                    program: Program::Haproxy,
                    address,
                    port,
                    tls,
                    names: Vec::new(),
                    span,
                });
            }
        }
        start += whole.len();
    }
    all
}

/// The sockets of one address: `:443`, `*:443`, `ipv4@1.2.3.4:80-90`, `[::]:443`; none of Unix
/// sockets and of file descriptors.
fn sockets(place: &str) -> Vec<(Address, u16)> {
    let place = match place.split_once('@') {
        Some(("ipv4" | "ipv6" | "udp4" | "udp6", rest)) => rest,
        Some(_) => return Vec::new(),
        None => place,
    };
    let Some((address, ports)) = place.rsplit_once(':') else {
        return Vec::new();
    };
    let address = Address::parse(address);
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let (Ok(first), Ok(last)) = (first.parse::<u16>(), last.parse::<u16>()) else {
        return Vec::new();
    };
    (first..=last.min(first.saturating_add(MOST_PORTS)))
        .map(|port| (address.clone(), port))
        .collect()
}
