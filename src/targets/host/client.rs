//! ACME clients of a machine: the words by which each is asked, in the spelling of its version.

use serde::Serialize;

use super::layout::{AcmeSource, Certificate, Challenge, Layout, Source};
use super::schedule;
use crate::digest::Sha256;
use crate::render::quote_sh;
use crate::servers::CHALLENGE_PORT;
use crate::spec::{AcmeClient, AcmeProgram, KeyType};

/// Where lego keeps accounts and certificates on every machine.
const LEGO: &str = "/var/lib/lego";

/// How a client is asked for one certificate.
#[derive(Serialize)]
pub(super) struct Order {
    pub(super) host: String,
    program: String,
    obtain: Vec<String>,
    renew: Vec<String>,
    /// A digest of what decides which certificate is asked for and how.
    terms: String,
    environment: Vec<Variable>,
    settings: Option<String>,
    pub(super) chain: String,
    pub(super) key: String,
}

#[derive(Serialize)]
struct Variable {
    name: &'static str,
    value: String,
}

/// The orders of a machine.
///
/// # Errors
/// A host whose name a shell cannot be told.
pub(super) fn orders(layout: &Layout<'_>) -> Result<Vec<Order>, String> {
    let acme = layout.certificates.iter().filter_map(|certificate| {
        let Source::Acme(source) = &certificate.source else {
            return None;
        };
        Some((certificate, source))
    });
    acme.map(|(certificate, source)| order(layout, certificate, source))
        .collect()
}

/// Where a client keeps what it writes, and so what a renewal must be able to write.
pub(super) fn state(client: AcmeClient) -> &'static [&'static str] {
    match client.program {
        AcmeProgram::Certbot => &[
            "/etc/letsencrypt",
            "/var/lib/letsencrypt",
            "/var/log/letsencrypt",
        ],
        AcmeProgram::Lego => &[LEGO],
    }
}

/// The name under which a client keeps a certificate.
pub(super) fn lineage(layout: &Layout<'_>, host: &str) -> String {
    format!("{}-{host}", layout.project)
}

fn order(
    layout: &Layout<'_>,
    certificate: &Certificate,
    source: &AcmeSource,
) -> Result<Order, String> {
    if source.key == KeyType::Ed25519 {
        return Err("no ACME authority signs a key of type `ed25519`".to_owned());
    }
    let hook = format!(
        "{}/deploy {}",
        super::scripts::library(layout.project),
        quote_sh(&certificate.host)?
    );
    let client = Client {
        source,
        lineage: lineage(layout, &certificate.host),
        names: &certificate.names,
        hook,
        host: &certificate.host,
        project: layout.project,
    };
    let (obtain, renew) = match source.client.program {
        AcmeProgram::Certbot => (client.certbot(), client.certbot_renews()),
        AcmeProgram::Lego => (client.lego("run"), client.lego("renew")),
    };
    let (chain, key) = client.keeps();
    Ok(Order {
        host: certificate.host.clone(),
        program: source.program.clone(),
        terms: client.terms(),
        obtain,
        renew,
        environment: client.environment(),
        settings: client.settings(),
        chain,
        key,
    })
}

struct Client<'a> {
    source: &'a AcmeSource,
    lineage: String,
    names: &'a [String],
    hook: String,
    host: &'a str,
    project: &'a str,
}

impl Client<'_> {
    /// Who is told of an account is no part of it.
    fn terms(&self) -> String {
        let unaddressed = Client {
            source: &AcmeSource {
                email: None,
                ..self.source.clone()
            },
            lineage: self.lineage.clone(),
            hook: self.hook.clone(),
            ..*self
        };
        let words = match self.source.client.program {
            AcmeProgram::Certbot => unaddressed.certbot(),
            AcmeProgram::Lego => unaddressed.lego("run"),
        };
        Sha256::of(words.join("\n").as_bytes()).to_string()
    }

    /// Everything that certbot then keeps for its renewals.
    fn certbot(&self) -> Vec<String> {
        let mut words = words(&["certonly", "--non-interactive", "--agree-tos"]);
        match &self.source.email {
            Some(email) => words.extend(["-m".to_owned(), email.clone()]),
            None => words.push("--register-unsafely-without-email".to_owned()),
        }
        words.extend(["--server".to_owned(), self.source.directory.clone()]);
        words.extend(["--cert-name".to_owned(), self.lineage.clone()]);
        for name in self.names {
            let address = name.parse::<std::net::IpAddr>().is_ok();
            let option = if address { "--ip-address" } else { "-d" };
            words.extend([option.to_owned(), name.clone()]);
        }
        words.extend(self.certbot_key());
        if let Some(profile) = &self.source.profile {
            words.extend(["--preferred-profile".to_owned(), profile.clone()]);
        }
        words.extend(self.certbot_challenge());
        // Nobody is there to be asked whether a certificate of other terms or names is to be replaced.
        words.extend(["--force-renewal", "--renew-with-new-domains"].map(str::to_owned));
        words.extend(["--deploy-hook".to_owned(), self.hook.clone()]);
        words
    }

    fn certbot_key(&self) -> Vec<String> {
        let (kind, option, size) = match self.source.key {
            KeyType::EcdsaP256 | KeyType::Ed25519 => ("ecdsa", "--elliptic-curve", "secp256r1"),
            KeyType::EcdsaP384 => ("ecdsa", "--elliptic-curve", "secp384r1"),
            KeyType::Rsa2048 => ("rsa", "--rsa-key-size", "2048"),
            KeyType::Rsa3072 => ("rsa", "--rsa-key-size", "3072"),
            KeyType::Rsa4096 => ("rsa", "--rsa-key-size", "4096"),
        };
        words(&["--key-type", kind, option, size])
    }

    fn certbot_challenge(&self) -> Vec<String> {
        match &self.source.challenge {
            Challenge::Webroot(root) => words(&["--webroot", "-w", root]),
            Challenge::Standalone(port) => {
                let mut words = words(&[
                    "--standalone",
                    "--preferred-challenges",
                    "http",
                    "--http-01-port",
                    &port.to_string(),
                ]);
                // Behind a server of the machine it is for that one alone.
                if *port == CHALLENGE_PORT {
                    words.extend(["--http-01-address", "127.0.0.1"].map(str::to_owned));
                }
                words
            }
            Challenge::Dns {
                provider,
                credentials,
            } => {
                let mut words = words(&[&format!("--dns-{provider}")]);
                if let Some(file) = credentials.as_ref().filter(|_| provider != "route53") {
                    words.extend([format!("--dns-{provider}-credentials"), file.clone()]);
                }
                words
            }
        }
    }

    fn certbot_renews(&self) -> Vec<String> {
        // The schedule has a jitter of its own.
        words(&[
            "renew",
            "--non-interactive",
            "--no-random-sleep-on-renew",
            "--cert-name",
            &self.lineage,
        ])
    }

    /// Version 5 has one command for both, and takes every option behind it.
    fn lego(&self, command: &str) -> Vec<String> {
        let common = self.lego_common();
        let profile = self.source.profile.iter();
        let profile = profile.flat_map(|profile| ["--profile".to_owned(), profile.clone()]);
        if self.is_five() {
            let name = ["--cert.name".to_owned(), self.lineage.clone()];
            let hook = ["--deploy-hook".to_owned(), self.lego_hook()];
            let words = ["run".to_owned()].into_iter().chain(common).chain(name);
            return words.chain(profile).chain(hook).collect();
        }
        let mut words = common;
        words.push(command.to_owned());
        words.extend(profile);
        if command == "renew" {
            words.push("--no-random-sleep".to_owned());
            if schedule::is_dynamic(self.source.client) {
                words.push("--dynamic".to_owned());
            } else {
                words.extend(["--days".to_owned(), self.days().to_string()]);
            }
        }
        words.extend([format!("--{command}-hook"), self.lego_hook()]);
        words
    }

    fn lego_common(&self) -> Vec<String> {
        let mut words = words(&["--accept-tos", "--path", LEGO]);
        if let Some(email) = &self.source.email {
            words.extend(["--email".to_owned(), email.clone()]);
        }
        words.extend(["--server".to_owned(), self.source.directory.clone()]);
        for name in self.names {
            words.extend(["--domains".to_owned(), name.clone()]);
        }
        let kind = match self.source.key {
            KeyType::EcdsaP256 | KeyType::Ed25519 => "ec256",
            KeyType::EcdsaP384 => "ec384",
            KeyType::Rsa2048 => "rsa2048",
            KeyType::Rsa3072 => "rsa3072",
            KeyType::Rsa4096 => "rsa4096",
        };
        words.extend(["--key-type".to_owned(), kind.to_owned()]);
        words.extend(self.lego_challenge());
        words
    }

    fn lego_challenge(&self) -> Vec<String> {
        match &self.source.challenge {
            Challenge::Webroot(root) => words(&["--http", "--http.webroot", root]),
            Challenge::Standalone(port) => {
                let option = if self.is_five() {
                    "--http.address"
                } else {
                    "--http.port"
                };
                let address = if *port == CHALLENGE_PORT {
                    "127.0.0.1"
                } else {
                    ""
                };
                words(&["--http", option, &format!("{address}:{port}")])
            }
            Challenge::Dns { provider, .. } => words(&["--dns", provider]),
        }
    }

    /// lego runs no shell: the words of a hook are what stands between blanks.
    fn lego_hook(&self) -> String {
        format!(
            "{}/deploy {}",
            super::scripts::library(self.project),
            self.host
        )
    }

    fn is_five(&self) -> bool {
        self.source.client.since(5, 0)
    }

    fn days(&self) -> i64 {
        let profile = self.source.profile.as_deref();
        schedule::days_before(schedule::shortest_lifetime(&self.source.directory, profile))
    }

    /// Chain and key.
    fn keeps(&self) -> (String, String) {
        if self.source.client.program == AcmeProgram::Certbot {
            let live = format!("/etc/letsencrypt/live/{}", self.lineage);
            return (
                format!("{live}/fullchain.pem"),
                format!("{live}/privkey.pem"),
            );
        }
        let name = if self.is_five() {
            self.lineage.clone()
        } else {
            let first = self.names.first().map(String::as_str).unwrap_or_default();
            // As it makes a file's name of a wildcard, and of an address of IPv6.
            first.replace('*', "_").replace(':', "-")
        };
        let stem = format!("{LEGO}/certificates/{name}");
        (format!("{stem}.crt"), format!("{stem}.key"))
    }

    fn environment(&self) -> Vec<Variable> {
        let name = match self.source.client.program {
            AcmeProgram::Certbot => "REQUESTS_CA_BUNDLE",
            AcmeProgram::Lego => "LEGO_CA_CERTIFICATES",
        };
        let root = self
            .source
            .root
            .clone()
            .map(|value| Variable { name, value });
        let aws = match (&self.source.challenge, self.source.client.program) {
            (
                Challenge::Dns {
                    provider,
                    credentials: Some(file),
                },
                AcmeProgram::Certbot,
            ) if provider == "route53" => Some(Variable {
                name: "AWS_CONFIG_FILE",
                value: file.clone(),
            }),
            _ => None,
        };
        root.into_iter().chain(aws).collect()
    }

    /// lego reads what a provider asks for from variables; the file has a line for each.
    fn settings(&self) -> Option<String> {
        match (&self.source.challenge, self.source.client.program) {
            (Challenge::Dns { credentials, .. }, AcmeProgram::Lego) => credentials.clone(),
            _ => None,
        }
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
