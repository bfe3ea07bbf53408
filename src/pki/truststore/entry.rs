//! What a truststore's entry needs to know of a certificate, without parsing the whole of it.

use time::{Date, Month, PrimitiveDateTime, Time};

use crate::digest::Sha256;
use crate::pki::der::{self, Element};

/// A certificate with its entry's alias and date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor<'a> {
    /// Lower case, of `a-z`, `0-9` and `-`; unique among those it was made with.
    pub alias: String,
    /// The certificate.
    pub der: &'a [u8],
    /// The certificate's notBefore, in milliseconds since 1970: the entry's date, so that no clock
    /// shows in the file.
    pub millis: i64,
}

/// Entries for certificates, in their order, each certificate once.
///
/// The alias is the common name (or the last part of the subject) and eight digits of the
/// fingerprint: it stays when others come and go. Costs about a microsecond for each certificate.
pub fn anchors<'a>(certificates: impl IntoIterator<Item = &'a [u8]>) -> Vec<Anchor<'a>> {
    let mut seen = std::collections::BTreeSet::new();
    let mut anchors = Vec::new();
    for der in certificates {
        let fingerprint = Sha256::of(der);
        if seen.insert(fingerprint) {
            let outline = Outline::of(der).unwrap_or_default();
            anchors.push(Anchor {
                alias: alias(&outline.name, fingerprint),
                der,
                millis: outline.not_before.saturating_mul(1000),
            });
        }
    }
    anchors
}

fn alias(name: &str, fingerprint: Sha256) -> String {
    let mut alias = String::with_capacity(name.len() + 9);
    for character in name.chars().take(60) {
        if character.is_ascii_alphanumeric() {
            alias.push(character.to_ascii_lowercase());
        } else if !alias.is_empty() && !alias.ends_with('-') {
            alias.push('-');
        }
    }
    if !alias.is_empty() && !alias.ends_with('-') {
        alias.push('-');
    }
    alias + &fingerprint.short(8)
}

#[derive(Default)]
struct Outline {
    name: String,
    not_before: i64,
}

impl Outline {
    /// `None` for what is no certificate.
    fn of(bytes: &[u8]) -> Option<Self> {
        let certificate = der::only(bytes, der::SEQUENCE)?;
        let mut body = certificate.elements().next_of(der::SEQUENCE)?.elements();
        body.next_of(der::context(0));
        body.next_of(der::INTEGER)?;
        let _algorithm = body.next_of(der::SEQUENCE)?;
        let _issuer = body.next_of(der::SEQUENCE)?;
        let validity = body.next_of(der::SEQUENCE)?;
        let subject = body.next_of(der::SEQUENCE)?;
        Some(Self {
            name: name(subject),
            not_before: seconds(validity.elements().next()?)?,
        })
    }
}

const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// The last common name, else the last value of the subject.
fn name(subject: Element<'_>) -> String {
    let mut last = (false, "");
    for attribute in subject.elements().flat_map(Element::elements) {
        let mut parts = attribute.elements();
        let (Some(kind), Some(value)) = (parts.next(), parts.next()) else {
            continue;
        };
        let common = kind.is_oid(COMMON_NAME);
        if let Ok(value) = std::str::from_utf8(value.content)
            && common >= last.0
        {
            last = (common, value);
        }
    }
    last.1.to_owned()
}

/// RFC 5280 section 4.1.2.5: always with seconds, always `Z`; two digits of the year up to 2049.
fn seconds(time: Element<'_>) -> Option<i64> {
    let digits = std::str::from_utf8(time.content).ok()?.strip_suffix('Z')?;
    let wanted = match time.tag {
        der::UTC_TIME => 12,
        der::GENERALIZED_TIME => 14,
        _ => return None,
    };
    if digits.len() != wanted || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = digits.split_at(wanted - 10);
    let year: i32 = year.parse().ok()?;
    let year = match (wanted, year) {
        (12, 50..) => year + 1900,
        (12, _) => year + 2000,
        _ => year,
    };
    let part = |at: usize| rest.get(at..at + 2).and_then(|two| two.parse::<u8>().ok());
    let month = Month::try_from(part(0)?).ok()?;
    let date = Date::from_calendar_date(year, month, part(2)?).ok()?;
    let time = Time::from_hms(part(4)?, part(6)?, part(8)?).ok()?;
    Some(
        PrimitiveDateTime::new(date, time)
            .assume_utc()
            .unix_timestamp(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::{Certificate, public_root_certificates};
    use proptest::prelude::*;

    #[test]
    fn the_outline_agrees_with_the_parser_on_every_public_root() {
        let roots = public_root_certificates();
        let anchors = anchors(roots.iter().map(|root| root.as_ref()));
        assert_eq!(anchors.len(), roots.len());
        for anchor in &anchors {
            let parsed = Certificate::from_der(anchor.der).expect("a certificate");
            assert_eq!(anchor.millis, parsed.not_before() * 1000);
            let fingerprint = parsed.fingerprint();
            if let Some(name) = parsed.common_name() {
                assert_eq!(anchor.alias, alias(name, fingerprint));
            }
        }
        let aliases: std::collections::BTreeSet<_> =
            anchors.iter().map(|anchor| &anchor.alias).collect();
        assert_eq!(aliases.len(), anchors.len());
    }

    #[test]
    fn names_and_times_of_all_forms_are_read() {
        let two_ous = include_bytes!("../../../tests/pki/corp-root.der");
        assert!(
            anchors([&two_ous[..]])[0]
                .alias
                .starts_with("corp-root-ca-")
        );
        let utc = |text: &[u8]| {
            seconds(
                der::first(&der::write(der::UTC_TIME, &[text]))
                    .expect("one")
                    .0,
            )
        };
        assert_eq!(utc(b"500101000000Z"), Some(-631_152_000));
        assert_eq!(utc(b"491231235959Z"), Some(2_524_607_999));
        assert_eq!(utc(b"491331235959Z"), None);
        assert_eq!(alias("Ünï  (CA)-", Sha256::of(b"")), "n-ca-e3b0c442");
        assert_eq!(alias("", Sha256::of(b"")), "e3b0c442");
    }

    proptest! {
        #[test]
        fn any_bytes_have_an_outline_or_none(mut bytes in Just(include_bytes!("../../../tests/pki/corp-root.der").to_vec()), at in any::<prop::sample::Index>(), byte: u8) {
            let at = at.index(bytes.len());
            bytes[at] = byte;
            prop_assert_eq!(anchors([&bytes[..]]).len(), 1);
        }
    }
}
