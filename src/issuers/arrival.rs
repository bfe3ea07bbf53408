//! Whether what somebody else's authority signed is what was asked for, and the chain that is served
//! with it.

use std::fmt;

use crate::diagnostic::suggest;
use crate::model::{Order, Orders, Signer};
use crate::pki::chain::{self, Verdict};
use crate::pki::{Certificate, Holder, Profile, date};

use super::differences::lacking;
use super::reason::Reason;
use super::settle::{Settled, Settlement};

/// A certificate that fits its host.
#[derive(Debug)]
pub struct Arrival<'a> {
    /// What asked for it.
    pub order: &'a Order,
    /// It, then those that are sent with it; no root.
    pub chain: Vec<Certificate>,
}

/// Why what was brought is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// No certificate of that host is ever brought.
    Host(String),
    /// The certificate does not fit.
    Certificate(String),
}

/// What is brought, and by what it is judged.
pub struct Brought<'a> {
    /// What the spec asks for.
    pub orders: &'a Orders,
    /// How it stands.
    pub settled: &'a Settled,
    /// The host that it is for, if that was said.
    pub host: Option<&'a str>,
    /// The certificates, in any order.
    pub certificates: &'a [Certificate],
    /// The certificates of an external authority, by its name, and their file.
    pub authority: &'a dyn Fn(&str) -> (Vec<Certificate>, String),
    /// Seconds since 1970.
    pub now: i64,
}

impl<'a> Brought<'a> {
    /// The host whose key it is for, if it is what that host asked for.
    ///
    /// # Errors
    /// [`Unfit`], the first reason.
    pub fn judged(&self) -> Result<Arrival<'a>, Unfit> {
        let (order, settlement) = match self.host {
            Some(name) => self.named(name)?,
            None => self.by_key()?,
        };
        let leaf = self.leaf(order, settlement)?;
        self.says_what_was_asked(order, leaf)?;
        let chain = self.chain(order, leaf)?;
        Ok(Arrival { order, chain })
    }

    fn awaiting(&self) -> impl Iterator<Item = (&'a Order, &'a Settlement)> {
        let each = self.orders.all.iter().zip(&self.settled.all);
        each.filter(|(order, _)| matches!(order.signer, Signer::Elsewhere(_)))
    }

    fn named(&self, name: &str) -> Result<(&'a Order, &'a Settlement), Unfit> {
        let mut awaiting = self.awaiting();
        if let Some(found) = awaiting.find(|(order, _)| order.holder.name() == name) {
            return Ok(found);
        }
        let holder = Holder::Host(name.to_owned());
        Err(Unfit::Host(match self.orders.of(&holder) {
            Some(_) => format!(
                "the certificate of `{name}` is issued by tlsgen itself: run `tlsgen build`"
            ),
            None => {
                let names: Vec<&str> = self
                    .awaiting()
                    .map(|(order, _)| order.holder.name())
                    .collect();
                format!(
                    "no host `{name}` has an issuer of `kind: external`; {}",
                    suggest(name, names.iter().copied())
                )
            }
        }))
    }

    fn by_key(&self) -> Result<(&'a Order, &'a Settlement), Unfit> {
        let fits = |(_, settlement): &(&Order, &Settlement)| {
            let key = settlement.key_asked_for();
            let mut certificates = self.certificates.iter();
            key.is_some_and(|key| certificates.any(|one| one.spki_sha256() == key))
        };
        if let Some(found) = self.awaiting().find(fits) {
            return Ok(found);
        }
        let names: Vec<String> = self
            .awaiting()
            .map(|(order, _)| format!("`{}`", order.holder.name()))
            .collect();
        if names.is_empty() {
            let words = "no host of the spec has an issuer of `kind: external`; a certificate with a key of its own is named by `certificate: {chain: …, key: …}`";
            return Err(Unfit::Host(words.to_owned()));
        }
        let words = match self
            .awaiting()
            .any(|(_, one)| one.key_asked_for().is_some())
        {
            true => format!(
                "it is for no key of the hosts that are signed elsewhere ({}): was it signed from an older request? have that in `{}` signed",
                names.join(", "),
                self.request_to_sign(),
            ),
            false => format!(
                "no key was made yet for {}: run `tlsgen build` first, and have the request that it writes signed",
                names.join(", ")
            ),
        };
        Err(Unfit::Certificate(words))
    }

    fn request_to_sign(&self) -> String {
        let mut awaiting = self.awaiting();
        let asked = awaiting.find(|(_, settlement)| !settlement.request.is_empty());
        let asked = asked.or_else(|| self.awaiting().next());
        asked
            .map(|(order, _)| order.holder.request())
            .unwrap_or_default()
    }

    /// The certificate of the host's key; of several the one that began last.
    fn leaf(&self, order: &Order, settlement: &Settlement) -> Result<&'a Certificate, Unfit> {
        let (name, request) = (order.holder.name(), order.holder.request());
        let Some(key) = settlement.key_asked_for() else {
            return Err(Unfit::Certificate(format!(
                "`{name}` has no key yet: run `tlsgen build` first, and have `{request}` signed, which it writes"
            )));
        };
        let own = self
            .certificates
            .iter()
            .filter(|one| one.spki_sha256() == key);
        let leaf = own.max_by_key(|one| one.not_before()).ok_or_else(|| {
            Unfit::Certificate(format!(
                "it is for another key than that of `{name}`: was it signed from an older request? have `{request}` signed, which `tlsgen build` writes"
            ))
        })?;
        if leaf.is_ca() {
            return Err(Unfit::Certificate(format!(
                "the certificate for the key of `{name}` is one of an authority (CA: true): have `{request}` signed with a profile for servers"
            )));
        }
        Ok(leaf)
    }

    fn says_what_was_asked(&self, order: &Order, leaf: &Certificate) -> Result<(), Unfit> {
        let name = order.holder.name();
        let unfit = |words: String| Err(Unfit::Certificate(words));
        if self.now < leaf.not_before() {
            return unfit(format!(
                "the certificate of `{name}` is not valid before {}: import it then, or see that this machine's clock is right",
                date(leaf.not_before())
            ));
        }
        if self.now > leaf.not_after() {
            return unfit(format!(
                "the certificate of `{name}` ended on {}: have `{}` signed anew",
                date(leaf.not_after()),
                order.holder.request()
            ));
        }
        match lacking(order, leaf).first() {
            Some(Reason::Names { added, .. }) => unfit(format!(
                "the certificate of `{name}` does not carry {}, only {}: have `{}` signed with all its names, or remove them from the spec",
                listed(added),
                listed(leaf.names()),
                order.holder.request()
            )),
            Some(_) => {
                let Profile::Leaf { client, .. } = order.profile else {
                    return Ok(());
                };
                let wanted = match client && !leaf.allows_clients() {
                    true => "clients",
                    false => "servers",
                };
                unfit(format!(
                    "the certificate of `{name}` is not for {wanted}, but for {}: have `{}` signed with a profile that allows them, or change `usages`",
                    leaf.extended_key_usages().join(", "),
                    order.holder.request()
                ))
            }
            None => Ok(()),
        }
    }

    /// Completed from what the spec knows of the authority, whose certificates come first.
    fn chain(&self, order: &Order, leaf: &Certificate) -> Result<Vec<Certificate>, Unfit> {
        let Signer::Elsewhere(authority) = &order.signer else {
            return Ok(Vec::new());
        };
        let (known, file) = (self.authority)(authority);
        let mut all = vec![leaf.clone()];
        all.extend(known.iter().cloned());
        all.extend(self.certificates.iter().filter(|one| one.is_ca()).cloned());
        let path = chain::order(&all).path;
        let path: Vec<&Certificate> = path.iter().filter_map(|at| all.get(*at)).collect();
        let served: Vec<Certificate> = path
            .iter()
            .filter(|one| !one.self_signed())
            .map(|one| (*one).clone())
            .collect();
        let (roots, others): (Vec<_>, Vec<_>) =
            known.into_iter().partition(Certificate::self_signed);
        let anchors = if roots.is_empty() { others } else { roots };
        let above = served.get(1..).unwrap_or_default();
        let (server, client) = match order.profile {
            Profile::Leaf { server, client, .. } => (server, client),
            Profile::Authority { .. } => (false, false),
        };
        let mut verdict = Ok(());
        if server {
            verdict = chain::verify(leaf, above, &anchors, None, self.now);
        }
        if client {
            verdict = verdict.and(chain::verify_client(leaf, above, &anchors, self.now));
        }
        let refused = |verdict: Verdict| {
            let name = order.holder.name();
            let top = path.last().copied().unwrap_or(leaf);
            Unfit::Certificate(match verdict {
                Verdict::UnknownIssuer { .. } if top.self_signed() => format!(
                    "the certificate of `{name}` goes back to `{}`, which is none of `{authority}` (`{file}`): it was signed by somebody else, or `{authority}` has a new root: then add it to `{file}`",
                    top.subject()
                ),
                Verdict::UnknownIssuer { .. } => format!(
                    "the certificate of `{name}` is signed by `{}`, whose certificate is neither brought with it nor in `{file}`: ask for it where this one was signed, and add it to the file that is imported",
                    top.issuer()
                ),
                verdict => format!(
                    "the certificate of `{name}` would be refused by whoever trusts `{authority}`: {verdict}"
                ),
            })
        };
        verdict.map_err(refused)?;
        Ok(served)
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "no name at all".to_owned();
    }
    let names = names.iter().map(|name| format!("`{name}`"));
    names.collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(words) | Self::Certificate(words) => f.write_str(words),
        }
    }
}

impl std::error::Error for Unfit {}
