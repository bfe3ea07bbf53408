//! What is issued: every kind of key, of leaf and of constraint.

/// An authority that tlsgen runs.
pub struct Authority {
    pub name: String,
    /// A root has none.
    pub issuer: Option<String>,
    pub key: &'static str,
    pub path_length: Option<u32>,
    pub permitted: &'static [&'static str],
}

/// A host with a certificate of its own.
#[derive(Clone)]
pub struct Leaf {
    pub name: String,
    pub issuer: String,
    pub key: &'static str,
    /// As the spec writes them.
    pub names: Vec<String>,
    /// `server` or `client`.
    pub usage: &'static str,
}

pub const KEYS: [&str; 5] = [
    "ecdsa-p256",
    "ecdsa-p384",
    "rsa-2048",
    "rsa-3072",
    "ed25519",
];

/// More than 64 characters, which no common name may have.
pub const LONG: &str =
    "a-name-of-a-service-that-is.longer-than-any-common-name-may-ever-be.lab.example";

/// For every key a root and two intermediates below it, and two roots with name constraints.
pub fn authorities() -> Vec<Authority> {
    let plain = |name: String, issuer: Option<String>, key, path_length| Authority {
        name,
        issuer,
        key,
        path_length,
        permitted: &[],
    };
    let mut all = Vec::new();
    for key in KEYS {
        let (root, upper) = (format!("{key}-root"), format!("{key}-upper"));
        all.push(plain(root.clone(), None, key, None));
        all.push(plain(upper.clone(), Some(root), key, Some(1)));
        all.push(plain(key.to_owned(), Some(upper), key, Some(0)));
    }
    for (name, permitted) in [
        ("names", &["lab.example"] as &[_]),
        ("both", &["lab.example", "10.20.0.0/16"]),
    ] {
        let root = format!("{name}-root");
        all.push(Authority {
            permitted,
            ..plain(root.clone(), None, "ecdsa-p256", None)
        });
        all.push(Authority {
            permitted,
            ..plain(name.to_owned(), Some(root), "ecdsa-p256", Some(0))
        });
    }
    all
}

/// The hosts of all authorities.
pub fn leaves() -> Vec<Leaf> {
    let mut all = Vec::new();
    for key in KEYS {
        all.push(leaf(
            &format!("{key}-server"),
            key,
            &["site.lab.example", "10.20.0.5"],
        ));
        all.push(client(&format!("{key}-client"), key));
    }
    all.push(Leaf {
        key: "rsa-4096",
        ..leaf("rsa-4096-server", "rsa-3072", &["site.lab.example"])
    });
    all.push(leaf("wildcard", "ecdsa-p256", &["*.apps.lab.example"]));
    all.push(leaf("idn", "ecdsa-p256", &["bücher.lab.example"]));
    all.push(leaf("address", "ecdsa-p256", &["fd00::5"]));
    all.push(leaf("long", "ecdsa-p256", &[LONG]));
    let hundred: Vec<String> = (0..100).map(|n| format!("n{n}.lab.example")).collect();
    let hundred: Vec<&str> = hundred.iter().map(String::as_str).collect();
    all.push(leaf("hundred", "rsa-2048", &hundred));
    all.push(leaf("names-server", "names", &["git.lab.example"]));
    all.push(client("names-client", "names"));
    all.push(leaf(
        "both-server",
        "both",
        &["git.lab.example", "10.20.0.5"],
    ));
    all.push(client("both-client", "both"));
    all
}

/// A server's, with a key as its authority has.
pub fn leaf(name: &str, issuer: &str, names: &[&str]) -> Leaf {
    Leaf {
        name: name.to_owned(),
        issuer: issuer.to_owned(),
        key: KEYS
            .into_iter()
            .find(|key| *key == issuer)
            .unwrap_or("ecdsa-p256"),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        usage: "server",
    }
}

fn client(name: &str, issuer: &str) -> Leaf {
    Leaf {
        usage: "client",
        ..leaf(name, issuer, &["robot.lab.example"])
    }
}

/// A name as certificates have it.
pub fn ascii(name: &str) -> String {
    match name.parse::<std::net::IpAddr>() {
        Ok(_) => name.to_owned(),
        Err(_) => idna::domain_to_ascii(name).unwrap(),
    }
}
