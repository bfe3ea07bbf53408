//! The certificates that are issued here: for the authorities that tlsgen runs, and for the hosts
//! that they, or somebody else's authority, sign for.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::digest::Sha256;
use crate::pki::{Certificate, Holder, KeyAlgorithm, NameConstraints, Profile, PublicKey, Subject};
use crate::source::Span;
use crate::spec::{KeyStore, Place, RenewBefore};

/// Every certificate that is asked for, and where the keys live.
#[derive(Debug)]
pub struct Orders {
    /// Authorities first, each behind the one that signs it; then hosts.
    pub all: Vec<Order>,
    /// Where the private keys live.
    pub keys: Keys,
    /// Authorities, by their places in [`Orders::all`], whose clients one server verifies.
    pub verified_together: Vec<Vec<usize>>,
    /// The certificates of the authorities elsewhere that sign something, by their names; of one
    /// whose file cannot be read, nothing.
    pub elsewhere: BTreeMap<String, Vec<Certificate>>,
}

/// Where the private keys live.
#[derive(Debug, Clone)]
pub struct Keys {
    /// How they are kept.
    pub store: KeyStore,
    /// Their directory, from the root.
    pub directory: String,
    /// Who can open them, in the store `age`.
    pub recipients: Vec<String>,
    /// Where that is said.
    pub place: Place,
}

/// A certificate that is asked for.
#[derive(Debug)]
pub struct Order {
    /// Whose it is.
    pub holder: Holder,
    /// Who signs it.
    pub signer: Signer,
    /// What it says.
    pub profile: Profile,
    /// Whose key it is for.
    pub key: KeyWanted,
    /// For how long it is valid, in seconds.
    pub lifetime: i64,
    /// How long before its end it is renewed.
    pub renew_before: RenewBefore,
    /// For how long its lists of revoked certificates are valid, in seconds, and whether there is
    /// one while nothing is revoked; only for authorities.
    pub crl: Option<CrlWanted>,
    /// Where it was written.
    pub place: Place,
    /// Where the signer is named.
    pub signer_span: Span,
}

/// Who signs a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signer {
    /// Its own key.
    Itself,
    /// An authority that tlsgen runs, by its place in [`Orders::all`].
    Here(usize),
    /// Somebody else's authority, by its name in the spec.
    Elsewhere(String),
}

/// Whose key a certificate is for.
#[derive(Debug, Clone)]
pub enum KeyWanted {
    /// One that is made here.
    Made(KeyAlgorithm),
    /// That of a request.
    Of(RequestedKey),
}

/// The key of a request; whoever made the request has its private half.
#[derive(Debug, Clone)]
pub struct RequestedKey {
    /// The request, from the root.
    pub path: String,
    /// Its public key.
    pub public: PublicKey,
    /// What it asks for and does not get, in words: only the key is taken.
    pub not_taken: Vec<String>,
}

/// The lists of revoked certificates that an authority publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrlWanted {
    /// For how long each is valid, in seconds.
    pub lifetime: i64,
    /// Whether there is one while nothing is revoked.
    pub always: bool,
}

impl Orders {
    /// The order of a holder.
    pub fn of(&self, holder: &Holder) -> Option<&Order> {
        self.all.iter().find(|order| order.holder == *holder)
    }

    /// The authorities that sign an order, from the nearest to the root.
    pub fn above<'a>(&'a self, order: &'a Order) -> impl Iterator<Item = (usize, &'a Order)> {
        let signer = |order: &Order| match order.signer {
            Signer::Here(index) => self.all.get(index).map(|order| (index, order)),
            _ => None,
        };
        std::iter::successors(signer(order), move |(_, above)| signer(above))
    }
}

/// How long before its issuance something begins that is valid for so long, in seconds: clocks differ.
/// Of what is short only a tenth, so that there is something left of it.
pub fn backdated(lifetime: i64) -> i64 {
    3_600.min(lifetime / 10)
}

impl Order {
    /// The digest of what the spec says: as long as it stays, the certificate does.
    ///
    /// Its text is a promise to every lock that was ever written: a line may be added only where the
    /// spec says something that it could not say before.
    pub fn issued_from(&self) -> Sha256 {
        Sha256::of(self.said().as_bytes())
    }

    /// The names of a host.
    pub fn names(&self) -> &[String] {
        match &self.profile {
            Profile::Leaf { names, .. } => names,
            Profile::Authority { .. } => &[],
        }
    }

    /// What an authority is called.
    pub fn subject(&self) -> Option<&Subject> {
        match &self.profile {
            Profile::Authority { subject, .. } => Some(subject),
            Profile::Leaf { .. } => None,
        }
    }

    /// What an authority, and everybody below it, may issue for.
    pub fn constraints(&self) -> Option<&NameConstraints> {
        match &self.profile {
            Profile::Authority { constraints, .. } => constraints.as_ref(),
            Profile::Leaf { .. } => None,
        }
    }

    /// The algorithm of the key that is made for it.
    pub fn algorithm(&self) -> Option<KeyAlgorithm> {
        match &self.key {
            KeyWanted::Made(algorithm) => Some(*algorithm),
            KeyWanted::Of(_) => None,
        }
    }

    fn said(&self) -> String {
        let mut text = String::from("tlsgen certificate 1\n");
        // Writing into a String cannot fail.
        let _ = match &self.key {
            KeyWanted::Made(algorithm) => writeln!(text, "key {algorithm}"),
            KeyWanted::Of(requested) => writeln!(text, "key of {}", requested.public.spki_sha256()),
        };
        let _ = writeln!(text, "lifetime {}", self.lifetime);
        match &self.profile {
            Profile::Authority {
                subject,
                path_length,
                constraints,
            } => {
                for (attribute, value) in attributes(subject) {
                    let _ = writeln!(text, "{attribute} {value}");
                }
                if let Some(path_length) = path_length {
                    let _ = writeln!(text, "path-length {path_length}");
                }
                if let Some(constraints) = constraints {
                    text.push_str(&said_of(constraints));
                }
            }
            Profile::Leaf {
                names,
                server,
                client,
            } => {
                let mut names: Vec<&String> = names.iter().collect();
                names.sort();
                for name in names {
                    let _ = writeln!(text, "name {name}");
                }
                for (usage, asked) in [("server", server), ("client", client)] {
                    if *asked {
                        let _ = writeln!(text, "usage {usage}");
                    }
                }
            }
        }
        text
    }
}

fn attributes(subject: &Subject) -> impl Iterator<Item = (&'static str, &str)> {
    let all = [
        ("common-name", subject.common_name.as_ref()),
        ("organization", subject.organization.as_ref()),
        ("organizational-unit", subject.organizational_unit.as_ref()),
        ("country", subject.country.as_ref()),
        ("state", subject.state.as_ref()),
        ("locality", subject.locality.as_ref()),
    ];
    all.into_iter()
        .filter_map(|(attribute, value)| Some((attribute, value?.as_str())))
}

fn said_of(constraints: &NameConstraints) -> String {
    let dns = |word: &'static str, names: &[String]| -> Vec<String> {
        names
            .iter()
            .map(|name| format!("{word} {name}\n"))
            .collect()
    };
    let networks = |word: &'static str, networks: &[(std::net::IpAddr, u8)]| -> Vec<String> {
        let each = networks.iter();
        each.map(|(address, bits)| format!("{word} {address}/{bits}\n"))
            .collect()
    };
    let mut lines = [
        dns("permitted", &constraints.permitted_dns),
        networks("permitted", &constraints.permitted_ip),
        dns("excluded", &constraints.excluded_dns),
        networks("excluded", &constraints.excluded_ip),
    ]
    .concat();
    lines.sort();
    lines.concat()
}

/// Where private keys live if the spec says nothing.
pub const DEFAULT_KEY_DIRECTORY: &str = "pki/private";
