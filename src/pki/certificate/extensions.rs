//! The extensions of a certificate, as far as anything here asks for them (RFC 5280 section 4.2).

use std::net::IpAddr;

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{
    ExtendedKeyUsage, GeneralName, NameConstraints, ParsedExtension, X509Extension,
};

use super::Malformed;
use crate::pki::distinguished_name::{self, hex};
use crate::pki::printable::printable;

/// What a certificate says of itself beyond name, key and dates.
#[derive(Default)]
pub(super) struct Extensions {
    pub names: Vec<String>,
    pub dns_names: Vec<String>,
    pub addresses: Vec<IpAddr>,
    pub other_names: Vec<String>,
    pub basic_constraints: Option<BasicConstraints>,
    pub key_usage: Option<KeyUsage>,
    pub extended_key_usages: Vec<String>,
    pub subject_key_id: Option<String>,
    pub authority_key_id: Option<String>,
    pub name_constraints: Option<String>,
}

pub(super) struct BasicConstraints {
    pub ca: bool,
    pub path_length: Option<u32>,
    pub critical: bool,
}

/// What a key may be used for (RFC 5280 section 4.2.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyUsage {
    flags: u16,
    critical: bool,
}

impl Extensions {
    /// Of extensions that stand there twice, the first counts; clients refuse such certificates.
    pub fn of(parsed: &X509Certificate<'_>) -> Result<Self, Malformed> {
        let mut found = Self::default();
        for extension in parsed.extensions().iter().rev() {
            let critical = extension.critical;
            match extension.parsed_extension() {
                ParsedExtension::SubjectAlternativeName(names) => {
                    found.set_names(&names.general_names)
                }
                ParsedExtension::BasicConstraints(constraints) => {
                    found.basic_constraints = Some(BasicConstraints {
                        ca: constraints.ca,
                        path_length: constraints.path_len_constraint,
                        critical,
                    });
                }
                ParsedExtension::KeyUsage(usage) => {
                    let flags = usage.flags;
                    found.key_usage = Some(KeyUsage { flags, critical });
                }
                ParsedExtension::ExtendedKeyUsage(usages) => {
                    found.extended_key_usages = usage_names(usages);
                }
                ParsedExtension::SubjectKeyIdentifier(id) => found.subject_key_id = Some(hex(id.0)),
                ParsedExtension::AuthorityKeyIdentifier(authority) => {
                    found.authority_key_id = authority.key_identifier.as_ref().map(|id| hex(id.0));
                }
                ParsedExtension::NameConstraints(constraints) => {
                    found.name_constraints = Some(constraints_summary(constraints));
                }
                ParsedExtension::ParseError { .. } if critical || matters(extension) => {
                    let oid = extension.oid.to_id_string();
                    return Err(Malformed(format!("its extension {oid} cannot be read")));
                }
                _ => {}
            }
        }
        Ok(found)
    }

    fn set_names(&mut self, names: &[GeneralName<'_>]) {
        (self.names, self.dns_names, self.addresses, self.other_names) = Default::default();
        for name in names {
            match name {
                GeneralName::DNSName(dns) => {
                    let dns = printable(&dns.to_ascii_lowercase());
                    self.names.push(dns.clone());
                    self.dns_names.push(dns);
                }
                GeneralName::IPAddress(bytes) => match address(bytes) {
                    Some(address) => {
                        self.names.push(address.to_string());
                        self.addresses.push(address);
                    }
                    None => self.other_names.push(general_name(name)),
                },
                other => self.other_names.push(general_name(other)),
            }
        }
    }
}

/// The DNS names and addresses of a list, and its other names, as a certificate shows them.
pub(in crate::pki) fn alternative_names(names: &[GeneralName<'_>]) -> (Vec<String>, Vec<String>) {
    let mut found = Extensions::default();
    found.set_names(names);
    (found.names, found.other_names)
}

/// Subject alternative names, basic constraints, both key usages: judged even if not critical.
fn matters(extension: &X509Extension<'_>) -> bool {
    let oid = extension.oid.to_id_string();
    ["2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.37"].contains(&oid.as_str())
}

fn usage_names(usages: &ExtendedKeyUsage<'_>) -> Vec<String> {
    let known = [
        (usages.server_auth, "serverAuth"),
        (usages.client_auth, "clientAuth"),
        (usages.code_signing, "codeSigning"),
        (usages.email_protection, "emailProtection"),
        (usages.time_stamping, "timeStamping"),
        (usages.ocsp_signing, "OCSPSigning"),
        (usages.any, "anyExtendedKeyUsage"),
    ];
    let named = known.iter().filter(|(set, _)| *set);
    let named = named.map(|(_, name)| (*name).to_owned());
    named
        .chain(usages.other.iter().map(|oid| oid.to_id_string()))
        .collect()
}

fn general_name(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName(dns) => format!("DNS {}", printable(dns)),
        GeneralName::RFC822Name(mail) => format!("email:{}", printable(mail)),
        GeneralName::URI(uri) => format!("URI:{}", printable(uri)),
        GeneralName::DirectoryName(name) => format!("directory:{}", distinguished_name::text(name)),
        GeneralName::IPAddress(bytes) => format!("IP {}", network(bytes)),
        GeneralName::OtherName(oid, _) => format!("other:{}", oid.to_id_string()),
        GeneralName::RegisteredID(oid) => format!("OID:{}", oid.to_id_string()),
        GeneralName::X400Address(_) => "X.400 address".to_owned(),
        GeneralName::EDIPartyName(_) => "EDI party name".to_owned(),
        GeneralName::Invalid(..) => "a name that cannot be read".to_owned(),
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::from(four));
    }
    let sixteen = <[u8; 16]>::try_from(bytes).ok()?;
    Some(IpAddr::from(sixteen))
}

/// `10.20.0.0/16` of address and mask; the digits if the mask is none.
fn network(bytes: &[u8]) -> String {
    let (base, mask) = bytes.split_at(bytes.len() / 2);
    let ones: u32 = mask.iter().map(|byte| byte.leading_ones()).sum();
    let contiguous = mask.iter().map(|byte| byte.count_ones()).sum::<u32>() == ones;
    match address(base) {
        Some(base) if contiguous => format!("{base}/{ones}"),
        _ => hex(bytes),
    }
}

fn constraints_summary(constraints: &NameConstraints<'_>) -> String {
    let sides = [
        ("permits", &constraints.permitted_subtrees),
        ("excludes", &constraints.excluded_subtrees),
    ];
    let mut parts = Vec::new();
    for (verb, subtrees) in sides {
        let Some(subtrees) = subtrees else { continue };
        let names: Vec<String> = subtrees
            .iter()
            .map(|tree| general_name(&tree.base))
            .collect();
        parts.push(format!("{verb} {}", names.join(", ")));
    }
    parts.join("; ")
}

impl KeyUsage {
    /// May sign certificates: what a CA is for.
    pub fn cert_sign(self) -> bool {
        self.has(5)
    }

    /// May sign revocation lists.
    pub fn crl_sign(self) -> bool {
        self.has(6)
    }

    /// May sign handshakes.
    pub fn digital_signature(self) -> bool {
        self.has(0)
    }

    /// May encrypt session keys, as RSA did before TLS 1.3.
    pub fn key_encipherment(self) -> bool {
        self.has(2)
    }

    /// Whether the extension is critical.
    pub fn critical(self) -> bool {
        self.critical
    }

    /// The usages by their names in RFC 5280.
    pub fn names(self) -> Vec<&'static str> {
        let named = KEY_USAGES.iter().enumerate();
        named
            .filter(|(bit, _)| self.has(*bit as u32))
            .map(|(_, name)| *name)
            .collect()
    }

    fn has(self, bit: u32) -> bool {
        self.flags & (1 << bit) != 0
    }
}

const KEY_USAGES: [&str; 9] = [
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
];
