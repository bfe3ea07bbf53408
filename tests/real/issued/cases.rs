//! What a judge is asked: a certificate, what it is used as, and whether that must be taken.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::{fs, io::Write as _};

use super::issue::{Issued, issue};
use super::shapes::{ascii, authorities, leaf, leaves};

/// Why a judge must refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Name,
    Time,
    Constraint,
    Usage,
    Issuer,
}

/// One question.
#[derive(Clone)]
pub struct Case {
    pub id: String,
    /// `server` or `client`: what the certificate is presented as.
    pub usage: &'static str,
    /// What a client called the server.
    pub name: String,
    pub key_kind: &'static str,
    pub chain: PathBuf,
    pub key: PathBuf,
    pub anchors: PathBuf,
    /// A server of the same authority, to which a client presents itself.
    pub peer: [String; 3],
    /// `None`: it must be taken.
    pub fault: Option<Fault>,
}

impl Fault {
    /// Words of which any judge uses one, in lower case; they must not be those of another fault.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Self::Name => &[
                "hostname",
                "host name",
                "mismatch",
                "altname",
                "no subject alternative",
                "no name matching",
                "not valid for",
                "is valid for",
                "not valid for name",
                "does not match",
                "notvalidforname",
            ],
            Self::Time => &["expired", "validity check failed"],
            Self::Constraint => &[
                "subtree",
                "constraint",
                "permitted",
                "violat",
                "not permitted",
            ],
            Self::Usage => &["purpose", "usage", "unsupported certificate", "keyusage"],
            Self::Issuer => &[
                "unable to get",
                "unable to verify",
                "path building failed",
                "unknown authority",
                "not trusted",
                "self-signed certificate in",
                "self signed",
                "unknownissuer",
                "issuer is unknown",
                "empty client certificate chain",
            ],
        }
    }
}

/// The questions, issued once for all tests.
pub static CASES: LazyLock<Cases> = LazyLock::new(Cases::new);

pub struct Cases {
    pub all: Vec<Case>,
    /// For judges that read them from a file.
    pub file: PathBuf,
    pub issued: Issued,
}

impl Cases {
    fn new() -> Self {
        let authorities = authorities();
        let issued = issue(&authorities, &leaves(), 0);
        let roots: BTreeMap<&str, &str> = authorities
            .iter()
            .map(|one| (one.name.as_str(), one.name.as_str()))
            .collect();
        let root = |issuer: &str| {
            let mut at = roots[issuer];
            while let Some(above) = authorities
                .iter()
                .find(|one| one.name == at)
                .and_then(|one| one.issuer.as_deref())
            {
                at = above;
            }
            at.to_owned()
        };
        let peer = |issuer: &str| {
            let peer = leaves()
                .into_iter()
                .find(|one| one.issuer == issuer && one.usage == "server")
                .unwrap();
            let (chain, key) = (issued.chain(&peer.name), issued.key(&peer.name));
            [
                chain.to_str().unwrap().to_owned(),
                key.to_str().unwrap().to_owned(),
                peer.names[0].clone(),
            ]
        };
        let mut all = Vec::new();
        for leaf in leaves() {
            let mut asked: Vec<Case> = Vec::new();
            for name in leaf.names.iter().take(2).map(|name| ascii(name)) {
                let what = if name.parse::<std::net::IpAddr>().is_ok() {
                    "ip"
                } else {
                    "name"
                };
                let id = format!("{}-{what}", leaf.name);
                if asked.iter().any(|one| one.id == id) {
                    continue;
                }
                asked.push(Case {
                    id,
                    usage: leaf.usage,
                    name: name.replace('*', "any"),
                    key_kind: leaf.key,
                    chain: issued.chain(&leaf.name),
                    key: issued.key(&leaf.name),
                    anchors: issued.authority(&root(&leaf.issuer)),
                    peer: peer(&leaf.issuer),
                    fault: None,
                });
            }
            all.extend(asked);
        }
        let good = |id: &str| all.iter().find(|one| one.id == id).unwrap().clone();
        let mut bad = Vec::new();
        let mut refuse = |id: &str, fault, like: &str, change: &dyn Fn(&mut Case)| {
            let mut case = Case {
                id: id.to_owned(),
                fault: Some(fault),
                ..good(like)
            };
            change(&mut case);
            bad.push(case);
        };
        refuse(
            "other-name",
            Fault::Name,
            "ecdsa-p256-server-name",
            &|case| case.name = "other.lab.example".to_owned(),
        );
        refuse(
            "other-address",
            Fault::Name,
            "ecdsa-p256-server-ip",
            &|case| case.name = "10.20.0.6".to_owned(),
        );
        refuse(
            "below-the-wildcard",
            Fault::Name,
            "wildcard-name",
            &|case| case.name = "a.b.apps.lab.example".to_owned(),
        );
        refuse(
            "above-the-wildcard",
            Fault::Name,
            "wildcard-name",
            &|case| case.name = "apps.lab.example".to_owned(),
        );
        refuse(
            "client-as-server",
            Fault::Usage,
            "ecdsa-p256-client-name",
            &|case| case.usage = "server",
        );
        refuse(
            "server-as-client",
            Fault::Usage,
            "ecdsa-p256-server-name",
            &|case| case.usage = "client",
        );
        let of_rsa = issued.authority("rsa-2048-root");
        refuse(
            "unknown-root",
            Fault::Issuer,
            "ecdsa-p256-server-name",
            &|case| case.anchors.clone_from(&of_rsa),
        );
        for (id, like, kept) in [
            ("without-intermediates", "ecdsa-p256-server-name", 1),
            ("without-upper-intermediate", "rsa-2048-server-name", 2),
            ("client-without-intermediates", "ecdsa-p256-client-name", 1),
        ] {
            let path = issued.chain(id);
            fs::write(
                &path,
                first(&fs::read_to_string(good(like).chain).unwrap(), kept),
            )
            .unwrap();
            refuse(id, Fault::Issuer, like, &|case| {
                case.chain.clone_from(&path)
            });
        }
        for (id, issuer, names, fault, name) in [
            (
                "inside-by-openssl",
                "names",
                &["in.lab.example"] as &[&str],
                None,
                "in.lab.example",
            ),
            (
                "outside",
                "names",
                &["out.other.example"],
                Some(Fault::Constraint),
                "out.other.example",
            ),
            (
                "address-outside-names",
                "names",
                &["in.lab.example", "10.20.0.5"],
                Some(Fault::Constraint),
                "in.lab.example",
            ),
            (
                "address-outside",
                "both",
                &["in.lab.example", "10.21.0.5"],
                Some(Fault::Constraint),
                "in.lab.example",
            ),
            (
                "other-family-outside",
                "both",
                &["in.lab.example", "fd00::5"],
                Some(Fault::Constraint),
                "in.lab.example",
            ),
        ] {
            issued.sign(&leaf(id, issuer, names), &authorities, 0);
            let (chain, key) = (issued.chain(id), issued.key(id));
            refuse(
                id,
                Fault::Constraint,
                &format!("{issuer}-server-name"),
                &|case| {
                    case.chain.clone_from(&chain);
                    case.key.clone_from(&key);
                    case.name = name.to_owned();
                    case.fault = fault;
                },
            );
        }
        let expired = issue(&authorities, &leaves()[..1], 91);
        let (chain, key) = (
            expired.chain("ecdsa-p256-server"),
            expired.key("ecdsa-p256-server"),
        );
        let root = expired.authority("ecdsa-p256-root");
        refuse("expired", Fault::Time, "ecdsa-p256-server-name", &|case| {
            case.chain.clone_from(&chain);
            case.key.clone_from(&key);
            case.anchors.clone_from(&root);
        });
        all.extend(bad);
        let file = issued.path("cases.tsv");
        let mut lines = fs::File::create(&file).unwrap();
        for case in &all {
            let [chain, key, anchors] =
                [&case.chain, &case.key, &case.anchors].map(|path| path.to_str().unwrap());
            let fields = [
                &[&case.id, case.usage, &case.name, chain, key, anchors],
                &case.peer.each_ref().map(String::as_str)[..],
            ];
            writeln!(lines, "{}", fields.concat().join("\t")).unwrap();
        }
        Self { all, file, issued }
    }
}

/// The first certificates of a chain.
fn first(chain: &str, count: usize) -> String {
    const END: &str = "-----END CERTIFICATE-----\n";
    chain.split_inclusive(END).take(count).collect()
}
