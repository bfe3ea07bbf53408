//! Leaves, written byte for byte as the engine would write them, in a fraction of its time: they are
//! issued by the thousand, and what an issuer says in all of them is written once.
//!
//! What is fixed is taken from a leaf that the engine made; that both write the same is seen again
//! whenever an [`Issuer`](super::Issuer) is made.

use std::net::IpAddr;

use rcgen::{SanType, SigningKey as _};
use time::OffsetDateTime;

use super::outline::Outline;
use super::profile::{alternative_names, common_name};
use super::{IssueError, Ticket, engine, positive, validity};
use crate::digest::Sha256;
use crate::pki::algorithm::KeyKind;
use crate::pki::der;
use crate::pki::key::{self, PublicKey};
use crate::pki::private_key::PrivateKey;

/// What is the same in all leaves of an issuer, as DER.
pub(super) struct Letterhead {
    algorithm: Vec<u8>,
    issuer: Vec<u8>,
    authority_key_identifier: Vec<u8>,
}

/// What a leaf says of itself.
pub(super) struct Leaf<'a> {
    pub names: &'a [String],
    pub server: bool,
    pub client: bool,
    pub key: &'a PublicKey,
    pub ticket: &'a Ticket,
}

impl Letterhead {
    /// Takes it from any leaf that the engine made in the issuer's name.
    pub fn of(sample: &Outline<'_>) -> Option<Self> {
        let identifier = sample.extensions.elements().next()?;
        let oid = identifier.elements().next()?;
        (oid.whole == AUTHORITY_KEY_IDENTIFIER).then(|| Self {
            algorithm: sample.algorithm.to_vec(),
            issuer: sample.issuer.to_vec(),
            authority_key_identifier: identifier.whole.to_vec(),
        })
    }

    /// A leaf as DER.
    pub fn signed(&self, leaf: &Leaf<'_>, signer: &PrivateKey) -> Result<Vec<u8>, IssueError> {
        let body = self.to_be_signed(leaf)?;
        let signature = signer.sign(&body).map_err(engine)?;
        let signature = der::write(der::BIT_STRING, &[&[0], &signature]);
        Ok(der::write(
            der::SEQUENCE,
            &[&body, &self.algorithm, &signature],
        ))
    }

    /// RFC 5280 section 4.1.2.
    pub fn to_be_signed(&self, leaf: &Leaf<'_>) -> Result<Vec<u8>, IssueError> {
        let common_name = common_name(leaf.names);
        Ok(der::write(
            der::SEQUENCE,
            &[
                VERSION_3,
                &serial(leaf.ticket)?,
                &self.algorithm,
                &self.issuer,
                &period(leaf.ticket)?,
                &subject(common_name),
                &public_key(leaf.key)?,
                &self.extensions(leaf, common_name.is_none())?,
            ],
        ))
    }

    /// In the engine's order.
    fn extensions(&self, leaf: &Leaf<'_>, is_nameless: bool) -> Result<Vec<u8>, IssueError> {
        let all = der::write(
            der::SEQUENCE,
            &[
                &self.authority_key_identifier,
                &names(leaf.names, is_nameless)?,
                usages(leaf.key),
                purposes(leaf)?,
                &key_identifier(leaf.key),
                NO_CA,
            ],
        );
        Ok(der::write(der::context(3), &[&all]))
    }
}

// Whole elements, tag and length included: a piece that need not be put together is a tenth of a
// per cent of the time a signature takes.
const VERSION_3: &[u8] = b"\xa0\x03\x02\x01\x02";
const COMMON_NAME: &[u8] = b"\x06\x03\x55\x04\x03";
const SUBJECT_KEY_IDENTIFIER: &[u8] = b"\x06\x03\x55\x1d\x0e";
const SUBJECT_ALTERNATIVE_NAME: &[u8] = b"\x06\x03\x55\x1d\x11";
const AUTHORITY_KEY_IDENTIFIER: &[u8] = b"\x06\x03\x55\x1d\x23";
const CRITICAL: &[u8] = b"\x01\x01\xff";

/// Critical key usage, digitalSignature.
const SIGNS: &[u8] = b"\x30\x0e\x06\x03\x55\x1d\x0f\x01\x01\xff\x04\x04\x03\x02\x07\x80";
/// Critical key usage, digitalSignature and keyEncipherment.
const SIGNS_AND_ENCRYPTS: &[u8] =
    b"\x30\x0e\x06\x03\x55\x1d\x0f\x01\x01\xff\x04\x04\x03\x02\x05\xa0";
/// Extended key usage, serverAuth.
const SERVER: &[u8] = b"\x30\x13\x06\x03\x55\x1d\x25\x04\x0c\x30\x0a\
    \x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01";
/// Extended key usage, clientAuth.
const CLIENT: &[u8] = b"\x30\x13\x06\x03\x55\x1d\x25\x04\x0c\x30\x0a\
    \x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02";
/// Extended key usage, both.
const SERVER_AND_CLIENT: &[u8] = b"\x30\x1d\x06\x03\x55\x1d\x25\x04\x16\x30\x14\
    \x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01\
    \x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02";
/// Critical basic constraints without `cA`, whose default is FALSE.
const NO_CA: &[u8] = b"\x30\x0c\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x02\x30\x00";

/// The shortest form of a positive number.
fn serial(ticket: &Ticket) -> Result<Vec<u8>, IssueError> {
    let digits = der::significant(positive(ticket)?);
    let sign: &[u8] = match digits.first() {
        Some(0x80..) => &[0],
        _ => &[],
    };
    Ok(der::write(der::INTEGER, &[sign, digits]))
}

fn period(ticket: &Ticket) -> Result<Vec<u8>, IssueError> {
    let (from, until) = validity(ticket)?;
    Ok(der::write(der::SEQUENCE, &[&time(from), &time(until)]))
}

/// Two digits of the year before 2050, four from then on (RFC 5280 section 4.1.2.5).
fn time(moment: OffsetDateTime) -> Vec<u8> {
    let (tag, century) = match moment.year() {
        ..2050 => (der::UTC_TIME, None),
        year => (der::GENERALIZED_TIME, Some(two_digits(year / 100))),
    };
    let century = century.as_ref().map_or(&[][..], |digits| &digits[..]);
    let year = two_digits(moment.year() % 100);
    let [month, day, hour, minute, second] = [
        u8::from(moment.month()),
        moment.day(),
        moment.hour(),
        moment.minute(),
        moment.second(),
    ]
    .map(|number| two_digits(number.into()));
    der::write(
        tag,
        &[century, &year, &month, &day, &hour, &minute, &second, b"Z"],
    )
}

fn two_digits(number: i32) -> [u8; 2] {
    [number / 10, number % 10].map(|digit| b'0' + digit as u8)
}

fn subject(common_name: Option<&str>) -> Vec<u8> {
    let Some(name) = common_name else {
        return der::write(der::SEQUENCE, &[]);
    };
    let value = der::write(der::UTF8_STRING, &[name.as_bytes()]);
    let attribute = der::write(der::SEQUENCE, &[COMMON_NAME, &value]);
    let set = der::write(der::SET, &[&attribute]);
    der::write(der::SEQUENCE, &[&set])
}

/// The key, its algorithm written anew: what others bring may be written otherwise.
fn public_key(key: &PublicKey) -> Result<Vec<u8>, IssueError> {
    let algorithm: &[u8] = match key.kind() {
        KeyKind::Ecdsa { curve, .. } if curve == "P-256" => key::ON_P256,
        KeyKind::Ecdsa { curve, .. } if curve == "P-384" => {
            b"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22"
        }
        KeyKind::Ecdsa { curve, .. } if curve == "P-521" => {
            b"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23"
        }
        KeyKind::Rsa { bits, pss: false } if *bits >= 2048 => &key::NO_PARAMETERS,
        KeyKind::Ed25519 => b"\x30\x05\x06\x03\x2b\x65\x70",
        other => return Err(IssueError::Key(other.clone())),
    };
    let bits = der::write(der::BIT_STRING, &[&[0], key.bits()]);
    Ok(der::write(der::SEQUENCE, &[algorithm, &bits]))
}

/// Critical where there is no other name (RFC 5280 section 4.2.1.6).
fn names(names: &[String], critical: bool) -> Result<Vec<u8>, IssueError> {
    let written: Vec<Vec<u8>> = alternative_names(names)?
        .iter()
        .map(|name| match name {
            SanType::IpAddress(IpAddr::V4(address)) => der::write(0x87, &[&address.octets()]),
            SanType::IpAddress(IpAddr::V6(address)) => der::write(0x87, &[&address.octets()]),
            SanType::DnsName(name) => der::write(0x82, &[name.as_str().as_bytes()]),
            _ => Vec::new(),
        })
        .collect();
    let pieces: Vec<&[u8]> = written.iter().map(Vec::as_slice).collect();
    let all = der::write(der::SEQUENCE, &pieces);
    let value = der::write(der::OCTET_STRING, &[&all]);
    let critical = if critical { CRITICAL } else { &[] };
    let pieces = [SUBJECT_ALTERNATIVE_NAME, critical, &value];
    Ok(der::write(der::SEQUENCE, &pieces))
}

fn usages(key: &PublicKey) -> &'static [u8] {
    match super::encrypts(key) {
        true => SIGNS_AND_ENCRYPTS,
        false => SIGNS,
    }
}

fn purposes(leaf: &Leaf<'_>) -> Result<&'static [u8], IssueError> {
    match (leaf.server, leaf.client) {
        (true, true) => Ok(SERVER_AND_CLIENT),
        (true, false) => Ok(SERVER),
        (false, true) => Ok(CLIENT),
        (false, false) => Err(IssueError::Nothing(super::NO_PURPOSE)),
    }
}

/// SHA-256 cut to 160 bits, of the key with its algorithm, as the engine has it. RFC 5280 section
/// 4.2.1.2 leaves the method to the CA.
fn key_identifier(key: &PublicKey) -> Vec<u8> {
    let digest = Sha256::of(key.spki());
    let (identifier, _) = digest.as_bytes().split_at(20);
    let value = b"\x04\x16\x04\x14";
    der::write(der::SEQUENCE, &[SUBJECT_KEY_IDENTIFIER, value, identifier])
}

#[cfg(test)]
mod tests;
