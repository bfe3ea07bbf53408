//! The authorities that tlsgen runs, each behind the one that signs it.

use std::net::IpAddr;

use indexmap::IndexMap;

use super::{FORBIDDEN, ISSUER_LOOP, NAME_SPACE, NESTED, PATH_LENGTH, SUBJECT, lasting};
use crate::diagnostic::{Diagnostic, suggest};
use crate::model::orders::{CrlWanted, KeyWanted, Order, Signer};
use crate::model::resolve::hosts::ISSUER;
use crate::model::resolve::{Resolver, UNKNOWN_AUTHORITY};
use crate::pki::{Holder, NameConstraints, Profile, Subject};
use crate::source::Span;
use crate::spec::{self, Duration, Managed, NameSpace};

/// How long a root is valid if nothing is said, in seconds: ten years.
const ROOT: i64 = 10 * 365 * 86_400;
/// How long an intermediate is valid if nothing is said, in seconds: five years.
const INTERMEDIATE: i64 = 5 * 365 * 86_400;
/// How long a list of revoked certificates is valid if nothing is said, in seconds.
const CRL: i64 = 90 * 86_400;

impl Resolver<'_> {
    pub(super) fn authority_orders(&mut self) -> Vec<Order> {
        let managed: IndexMap<&str, &Managed> = self
            .loaded
            .spec
            .authorities
            .iter()
            .filter_map(|(name, authority)| match authority {
                spec::Authority::Managed(managed) => Some((name.as_str(), managed)),
                _ => None,
            })
            .collect();
        let mut orders = Vec::with_capacity(managed.len());
        let mut placed: IndexMap<&str, usize> = IndexMap::new();
        // Whoever is signed by somebody that has its place can be given one; the rest is a circle.
        loop {
            let before = orders.len();
            for (name, authority) in &managed {
                if placed.contains_key(name) {
                    continue;
                }
                let signer = match &authority.issuer {
                    None => Signer::Itself,
                    Some(issuer) => match placed.get(issuer.as_str()) {
                        Some(index) => Signer::Here(*index),
                        None => continue,
                    },
                };
                placed.insert(name, orders.len());
                let order = self.authority_order(name, authority, signer, &orders);
                orders.push(order);
            }
            if orders.len() == before {
                break;
            }
        }
        for (name, authority) in managed {
            if !placed.contains_key(name) {
                self.without_issuer(name, authority);
            }
        }
        self.same_subjects(&orders);
        orders
    }

    fn authority_order(
        &mut self,
        name: &str,
        authority: &Managed,
        signer: Signer,
        above: &[Order],
    ) -> Order {
        let at = |field: &str| self.loaded.place(&["authorities", name, field]).value;
        let (signer_span, subject_span, length_span) =
            (at("issuer"), at("subject"), at("path_length"));
        let place = self.loaded.place(&["authorities", name]);
        let parent = match signer {
            Signer::Here(index) => above.get(index),
            _ => None,
        };
        let subject = self.subject(name, authority.subject.as_ref(), subject_span);
        let path_length = match (authority.path_length, &signer) {
            (Some(said), _) => Some(said),
            (None, Signer::Itself) => None,
            (None, _) => Some(0),
        };
        if let Some(parent) = parent {
            self.room_below(name, path_length, parent, signer_span, length_span);
        }
        let lifetime = authority.lifetime.as_ref().map(Duration::seconds);
        let usual = if parent.is_some() { INTERMEDIATE } else { ROOT };
        let lifetime =
            lifetime.map(|said| self.datable(said, usual, &["authorities", name, "lifetime"]));
        let lifetime = match (lifetime, parent) {
            (Some(lifetime), Some(parent)) => {
                self.nested(lifetime, parent, ["authorities", name]);
                lifetime
            }
            (Some(lifetime), None) => lifetime,
            (None, parent) => parent.map_or(usual, |parent| parent.lifetime.min(usual)),
        };
        let constraints = self.constraints(name, authority, parent);
        let crl_lifetime = authority.crl.as_ref().and_then(|crl| crl.lifetime.as_ref());
        let crl_lifetime = crl_lifetime.map_or(CRL, |said| {
            let path = ["authorities", name, "crl", "lifetime"];
            self.datable(said.seconds(), CRL, &path)
        });
        Order {
            holder: Holder::Authority(name.to_owned()),
            signer,
            profile: Profile::Authority {
                subject,
                path_length,
                constraints,
            },
            key: KeyWanted::Made(self.algorithm(authority.key)),
            lifetime,
            renew_before: self.renewed(
                authority.renew_before.as_ref(),
                lifetime,
                ["authorities", name],
            ),
            crl: Some(CrlWanted {
                lifetime: crl_lifetime,
                always: authority.crl.is_some(),
            }),
            place,
            signer_span,
        }
    }

    fn subject(&mut self, name: &str, said: Option<&spec::Subject>, span: Span) -> Subject {
        let subject = match said {
            Some(said) => Subject {
                common_name: Some(said.common_name.clone()),
                organization: said.organization.clone(),
                organizational_unit: said.organizational_unit.clone(),
                country: said.country.as_ref().map(ToString::to_string),
                state: said.state.clone(),
                locality: said.locality.clone(),
            },
            None => Subject::named(&format!("{} {name}", self.loaded.spec.project)),
        };
        if let Some(fault) = subject.fault() {
            let place = self.loaded.place(&["authorities", name]);
            let span = if said.is_some() { span } else { place.key };
            self.found.push(
                Diagnostic::new(
                    &SUBJECT,
                    span,
                    format!("the subject of `{name}` cannot be written: {fault}"),
                )
                .help(if said.is_some() {
                    "write another one"
                } else {
                    "write one: `subject: {common_name: …}`"
                }),
            );
        }
        subject
    }

    /// Whether the path lengths above leave room for one more authority.
    fn room_below(
        &mut self,
        name: &str,
        length: Option<u8>,
        parent: &Order,
        signer_span: Span,
        length_span: Span,
    ) {
        let Profile::Authority {
            path_length: Some(room),
            ..
        } = parent.profile
        else {
            return;
        };
        let above = parent.holder.name();
        if room == 0 {
            let message = format!("`{above}` may sign no authority, and signs `{name}`");
            self.found.push(
                Diagnostic::new(&PATH_LENGTH, signer_span, message)
                    .also(parent.place.key, "its path length is 0")
                    .help(format!("write how many authorities may stand below it: `path_length: {}` for `{above}`", length.map_or(1, |length| u16::from(length) + 1))),
            );
        } else if length.is_none_or(|length| length >= room) {
            let below = match room - 1 {
                0 => "none".to_owned(),
                count => format!("only {count}"),
            };
            let wanted = match length {
                Some(1) => "1 authority".to_owned(),
                Some(count) => format!("{count} authorities"),
                None => "any number of authorities".to_owned(),
            };
            let message = format!(
                "`{name}` is to have room for {wanted} below it, and `{above}` leaves it {below}"
            );
            self.found.push(
                Diagnostic::new(&PATH_LENGTH, length_span, message)
                    .also(parent.place.key, format!("its path length is {room}"))
                    .help(format!(
                        "write `path_length: {}` or less here, or more for `{above}`",
                        room - 1
                    )),
            );
        }
    }

    /// Whether a certificate ends before the one that signs it, if both are issued together.
    pub(super) fn nested(&mut self, lifetime: i64, parent: &Order, [section, name]: [&str; 2]) {
        if lifetime <= parent.lifetime {
            return;
        }
        let (longest, above) = (lasting(parent.lifetime), parent.holder.name());
        let message = format!("`{name}` is to be valid for longer than `{above}`, which signs it");
        self.found.push(
            Diagnostic::new(&NESTED, self.value(&[section, name, "lifetime"]), message)
                .also(parent.place.key, format!("it is valid for {longest}"))
                .help(format!(
                    "write `lifetime: {longest}` or less, or let `{above}` live longer"
                )),
        );
    }

    /// What it may issue for: what it says itself, within what those above it may.
    fn constraints(
        &mut self,
        name: &str,
        authority: &Managed,
        parent: Option<&Order>,
    ) -> Option<NameConstraints> {
        let mut own = NameConstraints::default();
        let lists = [
            ("permitted_names", &authority.permitted_names),
            ("excluded_names", &authority.excluded_names),
        ];
        for (field, list) in lists {
            for (index, text) in list.iter().flatten().enumerate() {
                let span = self.value(&["authorities", name, field, &index.to_string()]);
                let excluded = field == "excluded_names";
                match name_space(text) {
                    Ok(Space::Domain(domain)) if excluded => own.excluded_dns.push(domain),
                    Ok(Space::Domain(domain)) => own.permitted_dns.push(domain),
                    Ok(Space::Network(network)) if excluded => own.excluded_ip.push(network),
                    Ok(Space::Network(network)) => own.permitted_ip.push(network),
                    Err(help) => self.found.push(
                        Diagnostic::new(
                            &NAME_SPACE,
                            span,
                            format!("`{text}` is neither a domain nor a network"),
                        )
                        .help(help),
                    ),
                }
            }
        }
        let own = Some(own).filter(|own| !own.is_empty());
        let Some((parent, inherited)) =
            parent.and_then(|parent| Some((parent, parent.constraints()?)))
        else {
            return own;
        };
        match own.unwrap_or_default().within(inherited) {
            Ok(constraints) => Some(constraints),
            Err(beyond) => {
                let (above, space, why) = (parent.holder.name(), &beyond.permitted, &beyond.why);
                let message = format!(
                    "`{name}` permits `{space}`, for which `{above}` may not issue: it is {why}"
                );
                let permitted = authority.permitted_names.as_deref().unwrap_or_default();
                let is_it = |text: &NameSpace| {
                    text.as_str() == beyond.permitted
                        || beyond.permitted.starts_with(&format!("{text}/"))
                };
                let at = permitted.iter().position(is_it).map(|at| at.to_string());
                let list = ["authorities", name, "permitted_names"];
                let span = match &at {
                    Some(at) => self.value(&[list[0], list[1], list[2], at]),
                    None => self.value(&list),
                };
                self.found.push(
                    Diagnostic::new(&FORBIDDEN, span, message)
                        .also(parent.place.key, "the authority that signs it")
                        .help("permit a part of what the authority above may issue for"),
                );
                Some(inherited.clone())
            }
        }
    }

    fn without_issuer(&mut self, name: &str, authority: &Managed) {
        let span = self.value(&["authorities", name, "issuer"]);
        let Some(issuer) = &authority.issuer else {
            return;
        };
        let known = &self.loaded.spec.authorities;
        let finding = match known.get(issuer.as_str()) {
            None => Diagnostic::new(
                &UNKNOWN_AUTHORITY,
                span,
                format!("there is no authority `{issuer}`"),
            )
            .help(suggest(
                issuer.as_str(),
                known.keys().map(|name| name.as_str()),
            )),
            Some(spec::Authority::Managed(_)) => {
                let Some(circle) = self.circle(name) else {
                    // What is wrong is told where the circle, or the unknown issuer, is.
                    return;
                };
                let way: Vec<String> = circle.iter().map(|one| format!("`{one}`")).collect();
                let message = match way.as_slice() {
                    [_] => format!("`{name}` is signed by itself"),
                    way => format!(
                        "`{name}` is signed by itself: {} → `{name}`",
                        way.join(" → ")
                    ),
                };
                Diagnostic::new(&ISSUER_LOOP, span, message)
                    .help("make one a root, signed with its own key: remove its `issuer`")
            }
            Some(_) => Diagnostic::new(
                &ISSUER,
                span,
                format!("`{issuer}` is not run by tlsgen, and signs no authority from here"),
            )
            .also(
                self.loaded.place(&["authorities", issuer.as_str()]).key,
                "the authority",
            )
            .help("name an authority of `kind: managed`, or remove `issuer`: it is then a root"),
        };
        self.found.push(finding);
    }
}

impl Resolver<'_> {
    /// Who signs whom, from an authority back to it; only for the first in the spec of a circle.
    fn circle(&self, name: &str) -> Option<Vec<String>> {
        let known = &self.loaded.spec.authorities;
        let mut way = vec![name.to_owned()];
        while let Some(spec::Authority::Managed(last)) = known.get(way.last()?.as_str()) {
            let issuer = last.issuer.as_ref()?.as_str();
            if issuer == name {
                let place = |one: &str| known.keys().position(|key| key.as_str() == one);
                let first = way.iter().min_by_key(|one| place(one))?;
                return (first == name).then_some(way);
            }
            if way.iter().any(|one| one == issuer) {
                return None;
            }
            way.push(issuer.to_owned());
        }
        None
    }
}

enum Space {
    Domain(String),
    Network((IpAddr, u8)),
}

/// A domain or a network, or what to write instead.
fn name_space(text: &NameSpace) -> Result<Space, &'static str> {
    const DOMAIN: &str = "write a domain without a leading dot, such as `lab.example`; it stands for all names below it too";
    const NETWORK: &str =
        "write a network by its first address, such as `10.20.0.0/16` or `fd00::/8`";
    let text = text.as_str();
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    if let Ok(address) = address.parse::<IpAddr>() {
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => longest,
            Some(bits) => bits
                .parse::<u8>()
                .ok()
                .filter(|bits| *bits <= longest)
                .ok_or(NETWORK)?,
        };
        return match first_of(address, bits) == address {
            true => Ok(Space::Network((address, bits))),
            false => Err(NETWORK),
        };
    }
    if bits.is_some() {
        return Err(NETWORK);
    }
    match crate::model::SubjectName::parse(text) {
        Ok(crate::model::SubjectName::Dns(name))
            if !text.starts_with('.') && !name.starts_with('*') =>
        {
            Ok(Space::Domain(name))
        }
        _ => Err(DOMAIN),
    }
}

/// The first address of the network that an address lies in.
fn first_of(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            IpAddr::V4((u32::from(address) & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            IpAddr::V6((u128::from(address) & mask).into())
        }
    }
}
