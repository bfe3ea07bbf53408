//! From the spec to the certificates that are issued here: who signs whom, for which names.

mod authorities;
pub(super) mod hosts;
mod key_directory;

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;

use super::Resolver;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::certificates::unreadable;
use crate::model::orders::{DEFAULT_KEY_DIRECTORY, Keys, Order, Orders, Signer, backdated};
use crate::pki::{Certificate, NEVER, pem};
use crate::spec::{self, KeyStore, RenewBefore};
use crate::world;

pub(in crate::model) static ISSUER_LOOP: Code = Code {
    name: "issuer-loop",
    severity: Severity::Error,
    summary: "authorities sign each other in a circle",
    manual: include_str!("../manual/issuer-loop.md"),
};
pub(in crate::model) static PATH_LENGTH: Code = Code {
    name: "path-too-long",
    severity: Severity::Error,
    summary: "an authority stands below one whose path length leaves no room for it",
    manual: include_str!("../manual/path-too-long.md"),
};
pub(in crate::model) static NESTED: Code = Code {
    name: "lifetime-not-nested",
    severity: Severity::Error,
    summary: "a certificate is to be valid for longer than the one that signs it",
    manual: include_str!("../manual/lifetime-not-nested.md"),
};
pub(in crate::model) static WINDOW: Code = Code {
    name: "renewal-never-ends",
    severity: Severity::Error,
    summary: "a certificate is to be renewed earlier than it is issued",
    manual: include_str!("../manual/renewal-never-ends.md"),
};
pub(in crate::model) static TOO_LONG: Code = Code {
    name: "lifetime-too-long",
    severity: Severity::Error,
    summary: "something is to be valid for longer than dates can say",
    manual: include_str!("../manual/lifetime-too-long.md"),
};
pub(in crate::model) static FORBIDDEN: Code = Code {
    name: "name-forbidden",
    severity: Severity::Error,
    summary: "a name is none that the authorities above may issue for",
    manual: include_str!("../manual/name-forbidden.md"),
};
pub(in crate::model) static NAME_SPACE: Code = Code {
    name: "invalid-name-space",
    severity: Severity::Error,
    summary: "a name constraint is neither a domain nor a network",
    manual: include_str!("../manual/invalid-name-space.md"),
};
pub(in crate::model) static SUBJECT: Code = Code {
    name: "invalid-subject",
    severity: Severity::Error,
    summary: "the subject of an authority cannot be encoded, or is another one's",
    manual: include_str!("../manual/invalid-subject.md"),
};
pub(in crate::model) static NO_EFFECT: Code = Code {
    name: "issuing-without-effect",
    severity: Severity::Error,
    summary: "a host says how its certificate is issued, and it is not issued here",
    manual: include_str!("../manual/issuing-without-effect.md"),
};
pub(in crate::model) static REQUEST: Code = Code {
    name: "request-unusable",
    severity: Severity::Error,
    summary: "a certificate request cannot be read",
    manual: include_str!("../manual/request-unusable.md"),
};
pub(in crate::model) static KEYS: Code = Code {
    name: "key-store-unclear",
    severity: Severity::Error,
    summary: "the key store and its recipients do not fit",
    manual: include_str!("../manual/key-store-unclear.md"),
};

impl Resolver<'_> {
    /// Every certificate that is issued here, authorities first and each behind its signer.
    pub fn orders(&mut self) -> Orders {
        let keys = self.keys();
        let mut all = self.authority_orders();
        let hosts = self.host_orders(&all);
        let verified_together = self.verified_together(&all);
        let elsewhere = self.elsewhere(&hosts);
        all.extend(hosts);
        Orders {
            all,
            keys,
            verified_together,
            elsewhere,
        }
    }

    /// Whatever is wrong with their files is told where authorities are resolved.
    fn elsewhere(&self, hosts: &[Order]) -> BTreeMap<String, Vec<Certificate>> {
        let signers: BTreeSet<&str> = hosts
            .iter()
            .filter_map(|order| match &order.signer {
                Signer::Elsewhere(name) => Some(name.as_str()),
                _ => None,
            })
            .collect();
        let certificates = |name: &str| {
            let spec::Authority::External(external) = self.loaded.spec.authorities.get(name)?
            else {
                return None;
            };
            let directory = self.loaded.directory("authorities", name);
            let path = world::join(directory, external.certificates.as_str())?;
            let reading = pem::blocks(&self.world.read(&path).ok()?);
            let certificates = reading.certificates().filter_map(|(_, read)| read.ok());
            Some((name.to_owned(), certificates.collect()))
        };
        signers.into_iter().filter_map(certificates).collect()
    }

    /// The authorities of every list by which a server verifies its clients.
    fn verified_together(&self, authorities: &[Order]) -> Vec<Vec<usize>> {
        let services = self.loaded.spec.services.values();
        let serves = services.flat_map(|service| service.serves.iter().flatten());
        let lists = serves.filter_map(|serve| serve.client_auth.as_ref());
        let place = |name: &str| {
            let mut all = authorities.iter();
            all.position(|order| order.holder.name() == name)
        };
        lists
            .map(|list| {
                let names = list.trust.iter();
                names.filter_map(|name| place(name.as_str())).collect()
            })
            .collect()
    }

    fn keys(&mut self) -> Keys {
        let keys = &self.loaded.spec.keys;
        let place = self.loaded.place(&["keys"]);
        let recipients: Vec<String> = keys
            .recipients
            .iter()
            .flatten()
            .map(ToString::to_string)
            .collect();
        match (keys.store, recipients.is_empty()) {
            (KeyStore::Age, true) => self.found.push(
                Diagnostic::new(&KEYS, self.value(&["keys", "store"]), "keys are to be encrypted, and nobody can open them")
                    .help("make a key pair with `age-keygen -o identity.txt` and write its public key: `recipients: [age1…]`"),
            ),
            (KeyStore::Files, false) => self.found.push(
                Diagnostic::new(&KEYS, self.value(&["keys", "recipients"]), "keys in plain files have no recipients")
                    .help("write `store: age`, or remove `recipients`"),
            ),
            _ => {}
        }
        let directory = match &keys.directory {
            Some(path) => {
                let span = self.value(&["keys", "directory"]);
                let directory = self.path(path, ["keys", ""], span).unwrap_or_default();
                self.found
                    .extend(key_directory::unfit(self.world, &directory, span));
                directory
            }
            None => DEFAULT_KEY_DIRECTORY.to_owned(),
        };
        Keys {
            store: keys.store,
            directory,
            recipients,
            place,
        }
    }

    /// How long before its end a certificate is renewed; one that is due as soon as it is issued
    /// would be issued by every build.
    fn renewed(
        &mut self,
        said: Option<&RenewBefore>,
        lifetime: i64,
        [section, name]: [&str; 2],
    ) -> RenewBefore {
        let renew_before = self.renew_before(said);
        let past = backdated(lifetime);
        if renew_before.seconds(lifetime) < lifetime - past {
            return renew_before;
        }
        let own = [section, name, "renew_before"];
        let span = match said {
            Some(_) => self.value(&own),
            None => self.value(&["defaults", "renew_before"]),
        };
        let mut message = format!(
            "`{name}` is to be renewed {renew_before} before its end, and is valid for {}",
            lasting(lifetime)
        );
        if renew_before.seconds(lifetime) < lifetime {
            message.push_str(&format!(
                ", of which {} are over when it is issued",
                lasting(past)
            ));
        }
        let help = match said {
            Some(_) => "write less, or a share of the lifetime: `renew_before: 33%`".to_owned(),
            None => format!(
                "write a share of the lifetime, `renew_before: 33%`, here or for `{name}` alone"
            ),
        };
        self.found.push(
            Diagnostic::new(&WINDOW, span, message)
                .also(self.loaded.place(&[section, name]).key, "what is issued")
                .help(help),
        );
        RenewBefore::default()
    }

    /// Whether it ends before the dates do; if not, it is told, and the answer is what is usual.
    fn datable(&mut self, lifetime: i64, usual: i64, path: &[&str]) -> i64 {
        if lifetime <= NEVER - self.world.now() {
            return lifetime;
        }
        let message = format!(
            "{} from now is after 9999-12-31, the last day that a certificate can name",
            lasting(lifetime)
        );
        let help = format!("write less, such as `lifetime: {}`", lasting(usual));
        self.found
            .push(Diagnostic::new(&TOO_LONG, self.value(path), message).help(help));
        usual
    }

    fn renew_before(&self, said: Option<&RenewBefore>) -> RenewBefore {
        let defaults = self.loaded.spec.defaults.renew_before.as_ref();
        said.or(defaults).cloned().unwrap_or_default()
    }

    /// The bytes of a file, or a finding at the place that names it.
    fn bytes(&mut self, path: &str, span: crate::source::Span) -> Option<Vec<u8>> {
        match self.world.read(path) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                let error = match error.kind() {
                    ErrorKind::NotFound => Diagnostic::new(&REQUEST, span, format!("`{path}` is not there"))
                        .help("put the request there that whoever has the key made, or remove `request`: the key is then made here"),
                    _ => unreadable(path, span, &error),
                };
                self.found.push(error);
                None
            }
        }
    }

    /// Two authorities of one name confuse whoever builds a chain by names, and verifiers overlook
    /// case and spaces (RFC 5280 section 7.1).
    fn same_subjects(&mut self, orders: &[Order]) {
        for (index, order) in orders.iter().enumerate() {
            let subject = order.subject();
            let same = orders[..index].iter().find(|other| {
                subject
                    .zip(other.subject())
                    .is_some_and(|(a, b)| a.is_same(b))
            });
            if let Some(other) = same {
                let but = match other.subject() == subject {
                    true => "",
                    false => " but for case and spaces, which verifiers overlook",
                };
                let message = format!(
                    "`{}` and `{}` have the same subject{but}",
                    other.holder.name(),
                    order.holder.name()
                );
                self.found.push(
                    Diagnostic::new(&SUBJECT, order.place.key, message)
                        .also(other.place.key, "the other one")
                        .help("give each a `common_name` of its own: verifiers find an issuer by its subject"),
                );
            }
        }
    }
}

/// A time as the spec writes it: days if they are whole, else hours; minutes where it knows none.
fn lasting(seconds: i64) -> String {
    match seconds {
        whole if whole % 86_400 == 0 => format!("{}d", whole / 86_400),
        whole if whole % 3_600 == 0 => format!("{}h", whole / 3_600),
        seconds => format!("{} minutes", seconds / 60),
    }
}
