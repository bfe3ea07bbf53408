//! The least of DER: elements one after the other, for files of which only the outline matters.
//!
//! Certificates are parsed by `x509-parser`; this is for a truststore's dates (where a parse of all
//! public roots would cost more than the rest of the run), for keys and for PKCS#7 and PKCS#12.

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OID: u8 = 0x06;
pub(super) const UTF8_STRING: u8 = 0x0c;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const BMP_STRING: u8 = 0x1e;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// `[number]`, constructed.
pub(super) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// One tag, length and value.
#[derive(Clone, Copy)]
pub(super) struct Element<'a> {
    pub tag: u8,
    pub content: &'a [u8],
    /// Tag and length included.
    pub whole: &'a [u8],
}

/// The elements of some content, up to the first that is none.
#[derive(Clone)]
pub(super) struct Elements<'a>(&'a [u8]);

/// The first element and what follows it. Indefinite lengths and tags of several bytes are not DER
/// of any file read here, and give `None`.
pub(super) fn first(input: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (&tag, rest) = input.split_first()?;
    let (&short, mut rest) = rest.split_first()?;
    let mut length = usize::from(short);
    if short >= 0x80 {
        let (digits, after) = rest.split_at_checked(usize::from(short & 0x7f))?;
        if digits.is_empty() || digits.len() > 4 {
            return None;
        }
        length = digits
            .iter()
            .fold(0, |sum, digit| sum << 8 | usize::from(*digit));
        rest = after;
    }
    let (content, rest) = rest.split_at_checked(length)?;
    if tag & 0x1f == 0x1f {
        return None;
    }
    let whole = input.get(..input.len() - rest.len())?;
    let element = Element {
        tag,
        content,
        whole,
    };
    Some((element, rest))
}

/// The only element of the input, if it has that tag and nothing follows it.
pub(super) fn only(input: &[u8], tag: u8) -> Option<Element<'_>> {
    let (element, rest) = first(input)?;
    (element.tag == tag && rest.is_empty()).then_some(element)
}

impl<'a> Element<'a> {
    /// The elements inside.
    pub fn elements(self) -> Elements<'a> {
        Elements(self.content)
    }

    /// The value of an object identifier as its bytes.
    pub fn is_oid(self, value: &[u8]) -> bool {
        self.tag == OID && self.content == value
    }
}

impl<'a> Elements<'a> {
    /// The next element, if it has that tag; otherwise it stays the next.
    pub fn next_of(&mut self, tag: u8) -> Option<Element<'a>> {
        let (element, rest) = first(self.0)?;
        if element.tag != tag {
            return None;
        }
        self.0 = rest;
        Some(element)
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let (element, rest) = first(self.0)?;
        self.0 = rest;
        Some(element)
    }
}

/// A number without the zeros in front.
pub(super) fn significant(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// Writes an element whose content is the pieces one after the other.
///
/// Memory is taken once, so that no copy of a secret piece is left behind by growing.
pub(super) fn write(tag: u8, pieces: &[&[u8]]) -> Vec<u8> {
    let length: usize = pieces.iter().map(|piece| piece.len()).sum();
    let mut written = Vec::with_capacity(length + 2 + size_of::<usize>());
    written.push(tag);
    if length < 0x80 {
        written.push(length as u8);
    } else {
        let digits = length.to_be_bytes();
        let zeros = digits.iter().take_while(|digit| **digit == 0).count();
        written.push(0x80 | (digits.len() - zeros) as u8);
        written.extend(digits.iter().skip(zeros));
    }
    pieces
        .iter()
        .for_each(|piece| written.extend_from_slice(piece));
    written
}

/// Writes a number that is not negative.
pub(super) fn number(number: u32) -> Vec<u8> {
    let digits = number.to_be_bytes();
    let zeros = digits.iter().take_while(|digit| **digit == 0).count();
    let digits = digits.get(zeros.min(3)..).unwrap_or_default();
    // A first bit that is set would be a sign.
    let sign: &[u8] = match digits.first() {
        Some(0x80..) => &[0],
        _ => &[],
    };
    write(INTEGER, &[sign, digits])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_as_short_as_can_be() {
        assert_eq!(number(0), [2, 1, 0]);
        assert_eq!(number(127), [2, 1, 127]);
        assert_eq!(number(128), [2, 2, 0, 128]);
        assert_eq!(number(100_000), [2, 3, 1, 0x86, 0xa0]);
        assert_eq!(number(u32::MAX), [2, 5, 0, 255, 255, 255, 255]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(tag in 0u8..0x1f, content in prop::collection::vec(any::<u8>(), 0..70_000)) {
            let written = write(tag, &[&content]);
            let element = only(&written, tag).expect("an element");
            prop_assert_eq!(element.content, &content[..]);
            prop_assert!(only(&written[..written.len() - 1], tag).is_none());
        }

        #[test]
        fn any_bytes_are_walked(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let walked: usize = Elements(&bytes).map(|element| element.whole.len()).sum();
            prop_assert!(walked <= bytes.len());
        }
    }
}
