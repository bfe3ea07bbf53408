//! Which names a CA may speak for (RFC 5280 section 4.2.1.10).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rcgen::{CidrSubnet, GeneralSubtree};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;

use super::certificate::Certificate;

/// The names that a CA, and whatever stands below it, may and may not issue for.
///
/// What is permitted is one list of two kinds: once anything is permitted, all DNS names and
/// addresses that are not are forbidden, also those of a kind that is not in the list. A standard's
/// reader would pass those, so they are excluded in so many words when this is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NameConstraints {
    /// DNS names, each with all names below it: A-labels, lower case, no dot in front, no wildcard.
    pub permitted_dns: Vec<String>,
    /// Networks: an address and how many of its bits count.
    pub permitted_ip: Vec<(IpAddr, u8)>,
    /// DNS names that are forbidden with all names below them, also where a permitted one is above.
    pub excluded_dns: Vec<String>,
    /// Networks that are forbidden.
    pub excluded_ip: Vec<(IpAddr, u8)>,
}

/// A CA permits what the one above it forbids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Widened {
    /// What it permits.
    pub permitted: String,
    /// Why that is forbidden: `it is not under …`.
    pub why: String,
}

impl NameConstraints {
    /// What a certificate's extension says of DNS names and addresses; `None` if it has none. What is
    /// not a whole network is left out.
    pub fn of(certificate: &Certificate) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(certificate.der()).ok()?;
        let written = parsed.name_constraints().ok()??.value;
        let mut constraints = Self::default();
        for subtree in written.permitted_subtrees.iter().flatten() {
            let (dns, ip) = (
                &mut constraints.permitted_dns,
                &mut constraints.permitted_ip,
            );
            read(&subtree.base, dns, ip);
        }
        for subtree in written.excluded_subtrees.iter().flatten() {
            let (dns, ip) = (&mut constraints.excluded_dns, &mut constraints.excluded_ip);
            read(&subtree.base, dns, ip);
        }
        Some(constraints)
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.permits_all() && self.excluded_dns.is_empty() && self.excluded_ip.is_empty()
    }

    /// Why no certificate may be issued for a name, in words that continue "it is"; `None` if one may.
    /// The name is a DNS name in A-labels, one with a wildcard, or an address.
    ///
    /// Stricter than verifiers where those differ: a wildcard is forbidden if any name that it stands
    /// for is, which OpenSSL 3.0 does not see.
    pub fn forbids(&self, name: &str) -> Option<String> {
        match name.parse::<IpAddr>() {
            Ok(address) => self.forbids_network((address, bits(address))),
            Err(_) => self.forbids_dns(name),
        }
    }

    /// What a CA below another writes, so that its constraints hold by themselves: Java ignores those
    /// of a trust anchor. What it permits is its own list, or the parent's if it has none; what the
    /// parent excludes is excluded as well.
    ///
    /// # Errors
    /// [`Widened`], if it permits what the parent forbids.
    pub fn within(&self, parent: &Self) -> Result<Self, Widened> {
        for name in &self.permitted_dns {
            if let Some(why) = parent.forbids_dns(name) {
                let permitted = name.clone();
                return Err(Widened { permitted, why });
            }
        }
        for network in &self.permitted_ip {
            if let Some(why) = parent.forbids_network(*network) {
                let permitted = network_text(*network);
                return Err(Widened { permitted, why });
            }
        }
        let permitting = if self.permits_all() { parent } else { self };
        Ok(Self {
            permitted_dns: permitting.permitted_dns.clone(),
            permitted_ip: permitting.permitted_ip.clone(),
            excluded_dns: united(&self.excluded_dns, &parent.excluded_dns),
            excluded_ip: united(&self.excluded_ip, &parent.excluded_ip),
        })
    }

    /// The extension's two lists, what follows from the first included.
    pub(super) fn subtrees(&self) -> rcgen::NameConstraints {
        let (dns, ip) = (|name: &String| dns_subtree(name), ip_subtree);
        let permitted = self.permitted_dns.iter().map(dns);
        let excluded = self.excluded_dns.iter().map(dns);
        let nearly = self.nearly_closed_family();
        let permitted_ip = self.permitted_ip.iter().chain(&nearly);
        let closed = self.closed_families();
        let excluded_ip = self.excluded_ip.iter().chain(&closed);
        // One name of no length is above all names (CA/B Forum BR 7.1.2.5.2).
        let no_dns = self.closed_to_dns().then(|| dns_subtree(""));
        rcgen::NameConstraints {
            permitted_subtrees: permitted.chain(permitted_ip.map(ip)).collect(),
            excluded_subtrees: excluded.chain(no_dns).chain(excluded_ip.map(ip)).collect(),
        }
    }

    /// What excludes every address, where names alone are permitted.
    fn closed_families(&self) -> Vec<(IpAddr, u8)> {
        match self.permits_all() || !self.permitted_ip.is_empty() {
            true => Vec::new(),
            false => EVERYTHING.to_vec(),
        }
    }

    /// What is permitted of a family of addresses lest all of it is, where the other one is permitted in
    /// part: the address that nobody has. GnuTLS holds each family to its own list. Excluding it would do
    /// for GnuTLS, but Java before 17 then fails on every address, with an index out of bounds.
    fn nearly_closed_family(&self) -> Option<(IpAddr, u8)> {
        let missing = |all: &&(IpAddr, u8)| {
            let same = |(base, _): &(IpAddr, u8)| base.is_ipv4() == all.0.is_ipv4();
            !self.permitted_ip.is_empty() && !self.permitted_ip.iter().any(same)
        };
        let (base, _) = EVERYTHING.iter().find(missing)?;
        Some((*base, bits(*base)))
    }

    fn closed_to_dns(&self) -> bool {
        !self.permits_all() && self.permitted_dns.is_empty()
    }

    fn permits_all(&self) -> bool {
        self.permitted_dns.is_empty() && self.permitted_ip.is_empty()
    }

    fn forbids_dns(&self, name: &str) -> Option<String> {
        let name = name.to_ascii_lowercase();
        let below = name.strip_prefix("*.");
        let reached = |base: &&String| {
            // A wildcard stands for one label, so that it reaches names right below its parent only.
            let right_below = |(_, parent)| below == Some(parent);
            is_under(&name, base) || base.split_once('.').is_some_and(right_below)
        };
        if let Some(base) = self.excluded_dns.iter().find(reached) {
            return Some(format!("excluded with `{base}`"));
        }
        if self.closed_to_dns() {
            return Some("a DNS name, of which none is permitted".to_owned());
        }
        let inside = |base: &String| is_under(below.unwrap_or(&name), base);
        if self.permits_all() || self.permitted_dns.iter().any(inside) {
            return None;
        }
        Some(format!(
            "not under {}",
            listed(self.permitted_dns.iter().cloned())
        ))
    }

    /// A network is forbidden if it is not permitted as a whole, or excluded as a whole: a part of it
    /// that is excluded stays so.
    fn forbids_network(&self, network: (IpAddr, u8)) -> Option<String> {
        let holds = |outer: &&(IpAddr, u8)| contains(**outer, network);
        if let Some(outer) = self.excluded_ip.iter().find(holds) {
            return Some(format!("excluded with `{}`", network_text(*outer)));
        }
        if self.permits_all() || self.permitted_ip.iter().any(|outer| holds(&outer)) {
            return None;
        }
        if self.permitted_ip.is_empty() {
            return Some("an address, of which none is permitted".to_owned());
        }
        let permitted = self.permitted_ip.iter().copied().map(network_text);
        Some(format!("not in {}", listed(permitted)))
    }
}

fn read(name: &GeneralName<'_>, dns: &mut Vec<String>, ip: &mut Vec<(IpAddr, u8)>) {
    match name {
        GeneralName::DNSName(name) => dns.push(name.trim_start_matches('.').to_ascii_lowercase()),
        GeneralName::IPAddress(bytes) => ip.extend(network(bytes)),
        _ => {}
    }
}

/// An address and a mask, one behind the other.
fn network(bytes: &[u8]) -> Option<(IpAddr, u8)> {
    let (address, mask) = bytes.split_at_checked(bytes.len() / 2)?;
    let (address, mask) = match bytes.len() {
        8 => {
            let number = |half: &[u8]| Some(u32::from_be_bytes(half.try_into().ok()?));
            (
                IpAddr::from(Ipv4Addr::from_bits(number(address)?)),
                u128::from(number(mask)?) << 96,
            )
        }
        32 => {
            let number = |half: &[u8]| Some(u128::from_be_bytes(half.try_into().ok()?));
            (
                IpAddr::from(Ipv6Addr::from_bits(number(address)?)),
                number(mask)?,
            )
        }
        _ => return None,
    };
    let length = mask.leading_ones();
    (length == mask.count_ones()).then_some((address, length as u8))
}

const EVERYTHING: [(IpAddr, u8); 2] = [
    (IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
    (IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0),
];

fn dns_subtree(name: &str) -> GeneralSubtree {
    GeneralSubtree::DnsName(name.to_ascii_lowercase())
}

fn ip_subtree((address, length): &(IpAddr, u8)) -> GeneralSubtree {
    GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(
        base(*address, *length),
        (*length).min(bits(*address)),
    ))
}

/// Whether a name is another or below it. Below the name of no length is everything.
fn is_under(name: &str, base: &str) -> bool {
    let base = base.to_ascii_lowercase();
    match name.strip_suffix(base.as_str()) {
        Some(labels) => labels.is_empty() || base.is_empty() || labels.ends_with('.'),
        None => false,
    }
}

/// Whether the second network is the first or a part of it.
fn contains((outer, length): (IpAddr, u8), (inner, inner_length): (IpAddr, u8)) -> bool {
    outer.is_ipv4() == inner.is_ipv4()
        && length <= inner_length
        && base(outer, length) == base(inner, length)
}

/// The address with all bits behind the first `length` cleared.
fn base(address: IpAddr, length: u8) -> IpAddr {
    let behind = u32::from(bits(address).saturating_sub(length));
    match address {
        IpAddr::V4(four) => {
            let mask = u32::MAX.checked_shl(behind).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(four.to_bits() & mask))
        }
        IpAddr::V6(six) => {
            let mask = u128::MAX.checked_shl(behind).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() & mask))
        }
    }
}

fn bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn united<T: Clone + PartialEq>(own: &[T], parents: &[T]) -> Vec<T> {
    let missing = parents.iter().filter(|parent| !own.contains(parent));
    own.iter().chain(missing).cloned().collect()
}

fn network_text((address, length): (IpAddr, u8)) -> String {
    format!("{address}/{length}")
}

/// `` `a`, `b` or `c` ``, at most four of them.
fn listed(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    let more = names.len() > 4;
    names.truncate(4);
    match (more, names.pop()) {
        (true, Some(last)) => format!("{}, {last} or others", names.join(", ")),
        (false, Some(last)) if !names.is_empty() => format!("{} or {last}", names.join(", ")),
        (_, last) => last.unwrap_or_default(),
    }
}

impl fmt::Display for Widened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is {}", self.permitted, self.why)
    }
}

impl std::error::Error for Widened {}

#[cfg(test)]
mod tests;
