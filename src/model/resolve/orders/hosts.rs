//! The hosts whose certificates are issued or requested here.

use std::collections::HashMap;

use super::{FORBIDDEN, NO_EFFECT, REQUEST};
use crate::diagnostic::Diagnostic;
use crate::model::SubjectName;
use crate::model::orders::{KeyWanted, Order, RequestedKey, Signer};
use crate::model::resolve::Resolver;
use crate::pki::{Holder, KeyAlgorithm, Profile, request};
use crate::spec::{self, Duration, KeyType, Usage};

/// How long a host's certificate is valid if nothing is said, in seconds.
pub(in crate::model::resolve) const LIFETIME: i64 = 90 * 86_400;

impl Resolver<'_> {
    /// The orders of hosts, behind those of the authorities.
    pub(super) fn host_orders(&mut self, authorities: &[Order]) -> Vec<Order> {
        let known: HashMap<&str, usize> = authorities
            .iter()
            .enumerate()
            .map(|(index, order)| (order.holder.name(), index))
            .collect();
        let mut orders = Vec::new();
        for (name, host) in &self.loaded.spec.hosts {
            let known_authorities = &self.loaded.spec.authorities;
            let unknown = |issuer: &&spec::Name| !known_authorities.contains_key(issuer.as_str());
            if host.issuer.as_ref().filter(unknown).is_some() {
                // Told where hosts are resolved.
                continue;
            }
            let signer = host.issuer.as_ref().and_then(|issuer| {
                match known_authorities.get(issuer.as_str())? {
                    spec::Authority::Managed(_) => {
                        known.get(issuer.as_str()).copied().map(Signer::Here)
                    }
                    spec::Authority::External(_) => Some(Signer::Elsewhere(issuer.to_string())),
                    spec::Authority::Acme(_)
                    | spec::Authority::CertManager(_)
                    | spec::Authority::Nethserver(_) => None,
                }
            });
            match signer {
                Some(signer) if host.certificate.is_none() => {
                    orders.extend(self.host_order(name.as_str(), host, signer, authorities));
                }
                _ if host.certificate.is_none() && self.issued_in_cluster(host) => {
                    self.cluster_order(name.as_str(), host);
                }
                _ => self.without_effect(name.as_str(), host),
            }
        }
        orders
    }

    fn host_order(
        &mut self,
        name: &str,
        host: &spec::Host,
        signer: Signer,
        authorities: &[Order],
    ) -> Option<Order> {
        let parent = match signer {
            Signer::Here(index) => authorities.get(index),
            _ => None,
        };
        let names = self.permitted(name, host, parent, authorities);
        let defaults = &self.loaded.spec.defaults;
        let said = host.lifetime.as_ref().or(defaults.lifetime.as_ref());
        let lifetime = said.map_or(LIFETIME, Duration::seconds);
        let lifetime = match host.lifetime {
            Some(_) => self.datable(lifetime, LIFETIME, &["hosts", name, "lifetime"]),
            // That of its signer is less, or is told.
            None => lifetime,
        };
        let lifetime = match (&host.lifetime, parent) {
            (Some(_), Some(parent)) => {
                self.nested(lifetime, parent, ["hosts", name]);
                lifetime
            }
            (None, Some(parent)) => lifetime.min(parent.lifetime),
            (_, None) => lifetime,
        };
        let renew_before = match signer {
            // How long it will be valid is not known.
            Signer::Elsewhere(_) => self.renew_before(host.renew_before.as_ref()),
            _ => self.renewed(host.renew_before.as_ref(), lifetime, ["hosts", name]),
        };
        self.not_ours_to_say(name, host, &signer);
        let usages = host.usages.as_deref().unwrap_or(&[Usage::Server]);
        let key = match &host.request {
            Some(path) => KeyWanted::Of(self.requested(name, path, &signer, &names)?),
            None => KeyWanted::Made(self.algorithm(host.key)),
        };
        Some(Order {
            holder: Holder::Host(name.to_owned()),
            profile: Profile::Leaf {
                names,
                server: usages.contains(&Usage::Server),
                client: usages.contains(&Usage::Client),
            },
            key,
            lifetime,
            renew_before,
            crl: None,
            place: self.loaded.place(&["hosts", name]),
            signer_span: self.value(&["hosts", name, "issuer"]),
            signer,
        })
    }

    /// The names as a certificate carries them; those that an authority above forbids are told.
    fn permitted(
        &mut self,
        name: &str,
        host: &spec::Host,
        parent: Option<&Order>,
        authorities: &[Order],
    ) -> Vec<String> {
        let constraints = parent.and_then(|parent| parent.constraints());
        let mut names: Vec<String> = Vec::new();
        for (index, text) in host.names.iter().enumerate() {
            // What is no name is told where hosts are resolved.
            let Ok(parsed) = SubjectName::parse(text.as_str()) else {
                continue;
            };
            let parsed = parsed.to_string();
            if let (Some(constraints), Some(parent)) = (constraints, parent)
                && let Some(why) = constraints.forbids(&parsed)
            {
                let span = self.value(&["hosts", name, "names", &index.to_string()]);
                let message = format!(
                    "`{}` may not issue for `{text}`: {why}",
                    parent.holder.name()
                );
                self.found.push(
                    Diagnostic::new(&FORBIDDEN, span, message)
                        .also(parent.place.key, "the authority")
                        .help(format!(
                            "change {}, or let another authority sign",
                            self.who_forbids(parent, authorities, &parsed)
                        )),
                );
            }
            if !names.contains(&parsed) {
                names.push(parsed);
            }
        }
        names
    }

    /// Who forbids a name: the authority, or those above it, by what the spec says of them.
    fn who_forbids(&self, parent: &Order, authorities: &[Order], name: &str) -> String {
        let mut all = vec![parent];
        let mut order = parent;
        while let Signer::Here(above) = order.signer
            && let Some(above) = authorities.get(above)
        {
            all.push(above);
            order = above;
        }
        let forbids = |order: &&Order| {
            let constraints = order.constraints();
            constraints.is_some_and(|constraints| constraints.forbids(name).is_some())
        };
        let says = |order: &&Order| match self.loaded.spec.authorities.get(order.holder.name()) {
            Some(spec::Authority::Managed(said)) => {
                said.permitted_names.is_some() || said.excluded_names.is_some()
            }
            _ => false,
        };
        let forbidding = all.into_iter().filter(forbids).filter(says);
        let names: Vec<String> = forbidding
            .map(|order| format!("`{}`", order.holder.name()))
            .collect();
        format!("what {} may issue for", names.join(" and "))
    }

    fn requested(
        &mut self,
        name: &str,
        path: &spec::RelativePath,
        signer: &Signer,
        names: &[String],
    ) -> Option<RequestedKey> {
        let span = self.value(&["hosts", name, "request"]);
        if matches!(signer, Signer::Elsewhere(_)) {
            let message = "the authority is somebody else's: a request goes there, not here";
            self.found.push(
                Diagnostic::new(&REQUEST, span, message)
                    .help("remove `request`: `build` then makes a key and a request"),
            );
            return None;
        }
        let path = self.path(path, ["hosts", name], span)?;
        let bytes = self.bytes(&path, span)?;
        match request::read(&bytes) {
            Ok(request) => Some(RequestedKey {
                path,
                not_taken: not_taken(&request, names),
                public: request.public_key,
            }),
            Err(error) => {
                self.found.push(
                    Diagnostic::new(&REQUEST, span, format!("`{path}` cannot be used: {error}"))
                        .help("ask whoever has the key for a certificate request (PKCS#10), in PEM or DER"),
                );
                None
            }
        }
    }

    /// Says what somebody else decides: the signer, or whoever has the key.
    fn not_ours_to_say(&mut self, name: &str, host: &spec::Host, signer: &Signer) {
        if let (Signer::Elsewhere(authority), true) = (signer, host.lifetime.is_some()) {
            let message = format!(
                "for how long the certificate of `{name}` is valid is decided by `{authority}`, which signs it"
            );
            let span = self.loaded.place(&["hosts", name, "lifetime"]).key;
            self.found.push(
                Diagnostic::new(&NO_EFFECT, span, message).help(
                    "remove `lifetime`; when a new one is asked for is said by `renew_before`",
                ),
            );
        }
        if host.request.is_some() && host.key.is_some() {
            let message =
                format!("the key of `{name}` is that of its request, and none is made here");
            let span = self.loaded.place(&["hosts", name, "key"]).key;
            self.found.push(
                Diagnostic::new(&NO_EFFECT, span, message)
                    .also(self.value(&["hosts", name, "request"]), "the request")
                    .help("remove `key`, or `request` to have a key made here"),
            );
        }
    }

    /// What is asked of an issuer in a cluster: nothing is issued here, but it must be possible.
    fn cluster_order(&mut self, name: &str, host: &spec::Host) {
        let defaults = &self.loaded.spec.defaults;
        let said = host.lifetime.as_ref().or(defaults.lifetime.as_ref());
        let lifetime = said.map_or(LIFETIME, Duration::seconds);
        let path = match host.lifetime {
            Some(_) => &["hosts", name, "lifetime"][..],
            None => &["defaults", "lifetime"],
        };
        let lifetime = self.datable(lifetime, LIFETIME, path);
        self.renewed(host.renew_before.as_ref(), lifetime, ["hosts", name]);
        if host.request.is_some() {
            let span = self.loaded.place(&["hosts", name, "request"]).key;
            let message = format!(
                "the certificate of `{name}` is issued in the cluster, which makes its key too"
            );
            self.found.push(
                Diagnostic::new(&NO_EFFECT, span, message)
                    .also(self.value(&["hosts", name, "issuer"]), "the issuer")
                    .help("remove `request`, or name an authority of `kind: managed` as `issuer`"),
            );
        }
    }

    /// Says that nothing follows from how a certificate is to be issued where none is.
    fn without_effect(&mut self, name: &str, host: &spec::Host) {
        let issuer = host.issuer.as_ref().map(spec::Name::as_str);
        let issuer = issuer.and_then(|name| self.loaded.spec.authorities.get(name));
        // An ACME client makes the key that it is told to.
        let by_client = matches!(issuer, Some(spec::Authority::Acme(_)));
        let fields = [
            ("key", host.key.is_some() && !by_client),
            ("lifetime", host.lifetime.is_some()),
            ("renew_before", host.renew_before.is_some()),
            ("usages", host.usages.is_some()),
            ("request", host.request.is_some()),
        ];
        for (field, _) in fields.into_iter().filter(|(_, said)| *said) {
            let span = self.loaded.place(&["hosts", name, field]).key;
            let message = format!(
                "`{field}` says how a certificate is issued, and that of `{name}` is not issued here"
            );
            self.found.push(
                Diagnostic::new(&NO_EFFECT, span, message)
                    .help(format!("remove `{field}`, or name an authority of `kind: managed`, `external` or `cert-manager` as `issuer`")),
            );
        }
    }

    pub(super) fn algorithm(&self, said: Option<KeyType>) -> KeyAlgorithm {
        let key = said.or(self.loaded.spec.defaults.key);
        match key.unwrap_or(KeyType::EcdsaP256) {
            KeyType::EcdsaP256 => KeyAlgorithm::EcdsaP256,
            KeyType::EcdsaP384 => KeyAlgorithm::EcdsaP384,
            KeyType::Rsa2048 => KeyAlgorithm::Rsa2048,
            KeyType::Rsa3072 => KeyAlgorithm::Rsa3072,
            KeyType::Rsa4096 => KeyAlgorithm::Rsa4096,
            KeyType::Ed25519 => KeyAlgorithm::Ed25519,
        }
    }
}

/// What a request asks for beyond the names of the spec, as far as it would matter.
fn not_taken(request: &request::Request, names: &[String]) -> Vec<String> {
    let usual = [
        "CA: false",
        "key usage",
        "extended key usage",
        "subject key identifier",
    ];
    let others = request.names.iter().filter(|name| !names.contains(name));
    let others = others.map(|name| format!("`{name}`"));
    let beyond = request.not_taken.iter();
    let beyond = beyond.filter(|one| !usual.contains(&one.as_str())).cloned();
    others.chain(beyond).collect()
}
