//! PKCS#12 (RFC 7292), taken apart so far that keys never reach the part that decrypts.

use p12_keystore::error::Error;
use p12_keystore::{CertificateBag, Pkcs12Archive};

use super::{BadStore, Entry, EntryKind, Format, Keystore};
use crate::pki::certificate::{Certificate, Malformed};
use crate::pki::der::{self, Element, Elements};
use crate::pki::printable::shortened;

/// So many encrypted parts are opened at most: each costs as much time as its author wanted.
const MOST_PARTS: usize = 8;

/// Reads the bags of all parts; see [`super::read`].
pub(super) fn read(bytes: &[u8], passwords: &[&str]) -> Result<Keystore, BadStore> {
    if bytes.starts_with(&[der::SEQUENCE, 0x80]) {
        let form = "a PKCS#12 file of undefined length (BER)";
        return Err(BadStore::Unsupported(form.to_owned()));
    }
    let parts = parts(bytes).ok_or(BadStore::Damaged)?;
    let mut found = Found::default();
    for part in parts {
        found.part(part, passwords);
    }
    Ok(found.keystore())
}

/// The ContentInfos of the AuthenticatedSafe.
fn parts(bytes: &[u8]) -> Option<Elements<'_>> {
    let mut pfx = der::only(bytes, der::SEQUENCE)?.elements();
    pfx.next_of(der::INTEGER)?;
    let (kind, content) = content_info(pfx.next_of(der::SEQUENCE)?)?;
    if kind.content != DATA {
        return None;
    }
    let safe = der::only(content.content, der::OCTET_STRING)?;
    Some(der::only(safe.content, der::SEQUENCE)?.elements())
}

fn content_info(info: Element<'_>) -> Option<(Element<'_>, Element<'_>)> {
    let mut parts = info.elements();
    Some((parts.next_of(der::OID)?, parts.next_of(der::context(0))?))
}

const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
const ENCRYPTED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x06];
const KEY_BAG: &[u8] = &[
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x01,
];
const SHROUDED_KEY_BAG: &[u8] = &[
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x02,
];
const CERTIFICATE_BAG: &[u8] = &[
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x03,
];
const FRIENDLY_NAME: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x14];
const LOCAL_KEY_ID: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x15];

#[derive(Default)]
struct Found {
    keys: Vec<Key>,
    certificates: Vec<CertificateBag>,
    encrypted_parts: usize,
    password: Option<usize>,
    unread: Vec<String>,
}

struct Key {
    name: Option<String>,
    id: Option<Vec<u8>>,
}

impl Found {
    fn part(&mut self, part: Element<'_>, passwords: &[&str]) {
        let Some((kind, content)) = content_info(part) else {
            self.unread("a part of it is damaged".to_owned());
            return;
        };
        match kind.content {
            DATA => self.open_part(content),
            ENCRYPTED_DATA => self.encrypted_part(part, content, passwords),
            _ => self.unread("a part of it is encrypted with a public key".to_owned()),
        }
    }

    /// Notes the keys and reads the certificates, which lie open.
    fn open_part(&mut self, content: Element<'_>) {
        let bags = der::only(content.content, der::OCTET_STRING);
        let bags = bags.and_then(|octets| der::only(octets.content, der::SEQUENCE));
        let Some(bags) = bags else {
            self.unread("a part of it is damaged".to_owned());
            return;
        };
        let mut certificates: Vec<&[u8]> = Vec::new();
        for bag in bags.elements() {
            let kind = bag.elements().next().map(|kind| kind.content);
            match kind {
                Some(KEY_BAG | SHROUDED_KEY_BAG) => self.keys.push(Key::of(bag)),
                Some(CERTIFICATE_BAG) => certificates.push(bag.whole),
                _ => {}
            }
        }
        if certificates.is_empty() {
            return;
        }
        let bags = der::write(der::SEQUENCE, &certificates);
        let octets = der::write(der::OCTET_STRING, &[&bags]);
        let content = der::write(der::context(0), &[&octets]);
        let oid = der::write(der::OID, &[DATA]);
        match opened(&der::write(der::SEQUENCE, &[&oid, &content]), "") {
            Ok(archive) => self.certificates.extend(archive.certs),
            Err(_) => self.unread("a certificate in it is damaged".to_owned()),
        }
    }

    fn encrypted_part(&mut self, part: Element<'_>, content: Element<'_>, passwords: &[&str]) {
        self.encrypted_parts += 1;
        if self.encrypted_parts > MOST_PARTS {
            self.unread(format!("it has more than {MOST_PARTS} encrypted parts"));
            return;
        }
        let cipher = cipher(content);
        let mut unsupported = false;
        for (at, password) in passwords.iter().enumerate() {
            match opened(part.whole, password) {
                Ok(archive) => {
                    self.password = Some(at);
                    self.certificates.extend(archive.certs);
                    self.keys.extend(archive.keys.iter().map(|key| Key {
                        name: key.friendly_name.clone(),
                        id: key.local_key_id.as_ref().map(|id| id.0.clone()),
                    }));
                    return;
                }
                Err(Error::UnsupportedEncryptionScheme) => unsupported = true,
                Err(_) => {}
            }
        }
        self.unread(match unsupported {
            true => format!("its certificates are encrypted with {cipher}, which is not read"),
            false => format!("its certificates are encrypted ({cipher}), and no password that was tried opens them"),
        });
    }

    fn unread(&mut self, what: String) {
        if !self.unread.contains(&what) {
            self.unread.push(what);
        }
    }

    /// Ties each key to the certificates with its id.
    fn keystore(mut self) -> Keystore {
        let mut entries = Vec::new();
        for key in std::mem::take(&mut self.keys) {
            let (own, rest) = std::mem::take(&mut self.certificates)
                .into_iter()
                .partition(|bag| bag.local_key_id.is_some() && bag.local_key_id == key.id);
            self.certificates = rest;
            entries.push(Entry {
                alias: key.name.map(|name| shortened(&name, 200)),
                kind: EntryKind::Key,
                certificates: own.iter().map(certificate).collect(),
            });
        }
        entries.extend(self.certificates.iter().map(|bag| {
            Entry {
                alias: bag
                    .friendly_name
                    .as_deref()
                    .map(|name| shortened(name, 200)),
                kind: match bag.trusted {
                    true => EntryKind::Trusted,
                    false => EntryKind::Certificate,
                },
                certificates: vec![certificate(bag)],
            }
        }));
        Keystore {
            format: Format::Pkcs12,
            entries,
            password: self.password,
            unread: self.unread,
        }
    }
}

fn certificate(bag: &CertificateBag) -> Result<Certificate, Malformed> {
    Certificate::from_der(bag.cert.as_der())
}

impl Key {
    fn of(bag: Element<'_>) -> Self {
        let attribute = |oid: &[u8]| attribute(bag, oid);
        let name = attribute(FRIENDLY_NAME).map(|value| {
            let units = value.content.chunks_exact(2);
            let units = units.map(|pair| {
                pair.iter()
                    .fold(0, |unit, byte| unit << 8 | u16::from(*byte))
            });
            char::decode_utf16(units)
                .map(|read| read.unwrap_or('?'))
                .collect()
        });
        Self {
            name,
            id: attribute(LOCAL_KEY_ID).map(|value| value.content.to_vec()),
        }
    }
}

/// The first value of an attribute of a bag.
fn attribute<'a>(bag: Element<'a>, oid: &[u8]) -> Option<Element<'a>> {
    let attributes = bag.elements().find(|part| part.tag == der::SET)?;
    let attribute = attributes.elements().find(|attribute| {
        let name = attribute.elements().next();
        name.is_some_and(|name| name.is_oid(oid))
    })?;
    attribute.elements().nth(1)?.elements().next()
}

/// Gives one part to the library, as a file of its own and without a MAC.
fn opened(part: &[u8], password: &str) -> Result<Pkcs12Archive, Error> {
    let safe = der::write(der::SEQUENCE, &[part]);
    let octets = der::write(der::OCTET_STRING, &[&safe]);
    let content = der::write(der::context(0), &[&octets]);
    let oid = der::write(der::OID, &[DATA]);
    let info = der::write(der::SEQUENCE, &[&oid, &content]);
    let version = der::write(der::INTEGER, &[&[3]]);
    Pkcs12Archive::from_pkcs12(&der::write(der::SEQUENCE, &[&version, &info]), password)
}

/// The algorithm of EncryptedData, by name.
fn cipher(content: Element<'_>) -> &'static str {
    const PKCS12_PBE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01];
    const PKCS5: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05];
    let oid = der::only(content.content, der::SEQUENCE)
        .and_then(|data| data.elements().find(|part| part.tag == der::SEQUENCE))
        .and_then(|info| info.elements().find(|part| part.tag == der::SEQUENCE))
        .and_then(|algorithm| algorithm.elements().next());
    let oid = oid.map(|oid| oid.content).unwrap_or_default();
    match (oid.strip_prefix(PKCS12_PBE), oid.strip_prefix(PKCS5)) {
        (Some([1]), _) => "128-bit RC4",
        (Some([2]), _) => "40-bit RC4",
        (Some([3 | 4]), _) => "3DES",
        (Some([5]), _) => "128-bit RC2",
        (Some([6]), _) => "40-bit RC2",
        (_, Some([13])) => "PBES2",
        _ => "an unknown cipher",
    }
}
