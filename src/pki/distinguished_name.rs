//! Names of subjects and issuers as text, after RFC 4514.

use x509_parser::asn1_rs::{Any, Tag};
use x509_parser::x509::{AttributeTypeAndValue, RelativeDistinguishedName, X509Name};

use super::printable::steers;

/// `CN=Corp Root CA, O=Corp Example GmbH, C=DE`: the most specific first, as `openssl -nameopt
/// RFC2253` has it, with a space after each comma. What is special to RFC 4514 is escaped by it, and
/// what would steer a terminal too.
pub(super) fn text(name: &X509Name<'_>) -> String {
    let parts: Vec<String> = name.iter().map(relative).collect();
    let parts: Vec<&str> = parts.iter().rev().map(String::as_str).collect();
    parts.join(", ")
}

/// The last, that is the most specific, common name, with the same escapes but those of RFC 4514.
pub(super) fn common_name(name: &X509Name<'_>) -> Option<String> {
    let last = name.iter_common_name().last()?;
    let value = characters(last.attr_value())?;
    Some(super::printable::printable(&value))
}

fn relative(set: &RelativeDistinguishedName<'_>) -> String {
    let parts: Vec<String> = set.iter().map(attribute).collect();
    parts.join("+")
}

fn attribute(attribute: &AttributeTypeAndValue<'_>) -> String {
    let oid = attribute.attr_type().to_id_string();
    let kind = SHORT_NAMES.iter().find(|(known, _)| *known == oid);
    let kind = kind.map_or(oid.as_str(), |(_, short)| short);
    let value = attribute.attr_value();
    match characters(value) {
        Some(text) => format!("{kind}={}", escape(&text)),
        None => format!("{kind}=#{}", hex(value.data)),
    }
}

/// RFC 4514 section 3, and the common ones beyond it.
const SHORT_NAMES: &[(&str, &str)] = &[
    ("2.5.4.3", "CN"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "street"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.12", "title"),
    ("2.5.4.17", "postalCode"),
    ("2.5.4.42", "GN"),
    ("2.5.4.97", "organizationIdentifier"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
];

fn characters(value: &Any<'_>) -> Option<String> {
    let bytes = value.data;
    match value.tag() {
        Tag::Utf8String
        | Tag::PrintableString
        | Tag::Ia5String
        | Tag::NumericString
        | Tag::VisibleString => String::from_utf8(bytes.to_vec()).ok(),
        // In practice Latin-1, whatever T.61 said.
        Tag::TeletexString => Some(bytes.iter().copied().map(char::from).collect()),
        Tag::BmpString => {
            let units = bytes.chunks_exact(2).map(|pair| match pair {
                [high, low] => u16::from_be_bytes([*high, *low]),
                _ => 0,
            });
            let whole = bytes.len().is_multiple_of(2);
            whole
                .then(|| char::decode_utf16(units).collect::<Result<String, _>>())?
                .ok()
        }
        _ => None,
    }
}

fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    let last = value.chars().count().saturating_sub(1);
    for (at, character) in value.chars().enumerate() {
        let outer_space = character == ' ' && (at == 0 || at == last);
        let special = matches!(character, ',' | '+' | '"' | '\\' | '<' | '>' | ';');
        if special || outer_space || (character == '#' && at == 0) {
            escaped.push('\\');
            escaped.push(character);
        } else if steers(character) {
            escape_bytes(character, &mut escaped);
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// `\C3\A9`, the way RFC 4514 section 2.4 writes any byte of UTF-8.
pub(super) fn escape_bytes(character: char, into: &mut String) {
    for byte in character.encode_utf8(&mut [0; 4]).bytes() {
        into.push_str(&format!("\\{byte:02X}"));
    }
}

/// Lower-case hex digits without separators.
pub(super) fn hex(bytes: &[u8]) -> String {
    let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    let mut text = String::with_capacity(2 * bytes.len());
    text.extend(halves.filter_map(|half| char::from_digit(half.into(), 16)));
    text
}
