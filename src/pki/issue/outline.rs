//! The parts of a certificate in their order (RFC 5280 section 4.1), to look at what was written.

use x509_parser::prelude::FromDer as _;
use x509_parser::time::ASN1Time;

use crate::pki::der::{self, Element};

/// Where the parts of a certificate are. Each is whole, with tag and length.
pub(super) struct Outline<'a> {
    pub to_be_signed: &'a [u8],
    pub serial: Element<'a>,
    pub algorithm: &'a [u8],
    pub issuer: &'a [u8],
    pub validity: Element<'a>,
    pub spki: &'a [u8],
    pub extensions: Element<'a>,
}

impl<'a> Outline<'a> {
    /// The outline of a certificate of version 3, which has extensions; of nothing else.
    pub fn of(certificate: &'a [u8]) -> Option<Self> {
        let mut outer = der::only(certificate, der::SEQUENCE)?.elements();
        let whole = outer.next_of(der::SEQUENCE)?;
        let mut parts = whole.elements();
        let _version = parts.next_of(der::context(0))?;
        let serial = parts.next_of(der::INTEGER)?;
        let algorithm = parts.next_of(der::SEQUENCE)?.whole;
        let issuer = parts.next_of(der::SEQUENCE)?.whole;
        let validity = parts.next_of(der::SEQUENCE)?;
        let _subject = parts.next_of(der::SEQUENCE)?;
        let spki = parts.next_of(der::SEQUENCE)?.whole;
        let extensions = der::only(parts.next_of(der::context(3))?.content, der::SEQUENCE)?;
        let signed_with = outer.next_of(der::SEQUENCE)?.whole;
        outer.next_of(der::BIT_STRING)?;
        let ends = parts.next().is_none() && outer.next().is_none();
        (ends && signed_with == algorithm).then_some(Self {
            to_be_signed: whole.whole,
            serial,
            algorithm,
            issuer,
            validity,
            spki,
            extensions,
        })
    }

    /// The first and the last second of the validity, since 1970.
    pub fn seconds(&self) -> Option<(i64, i64)> {
        let mut times = self.validity.elements().map(|time| {
            let (_, read) = ASN1Time::from_der(time.whole).ok()?;
            Some(read.timestamp())
        });
        let (from, until) = (times.next()??, times.next()??);
        times.next().is_none().then_some((from, until))
    }
}
