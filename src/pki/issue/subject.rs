//! The name of an authority, in the parts that RFC 5280 bounds.

use rcgen::{DistinguishedName, DnType, DnValue};

/// The parts of a subject; each may be missing, but not all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// At most 64 characters.
    pub common_name: Option<String>,
    /// At most 64 characters.
    pub organization: Option<String>,
    /// At most 64 characters.
    pub organizational_unit: Option<String>,
    /// Two letters, after ISO 3166.
    pub country: Option<String>,
    /// State or province, at most 128 characters.
    pub state: Option<String>,
    /// At most 128 characters.
    pub locality: Option<String>,
}

impl Subject {
    /// A subject of a common name alone.
    pub fn named(common_name: &str) -> Self {
        Self {
            common_name: Some(common_name.to_owned()),
            ..Self::default()
        }
    }

    /// What keeps it from being written, in words; the bounds are those of RFC 5280 appendix A.1.
    pub fn fault(&self) -> Option<String> {
        let mut parts = self.parts().into_iter().flatten().peekable();
        if parts.peek().is_none() {
            return Some("it has no part".to_owned());
        }
        parts.find_map(|part| part.fault())
    }

    /// Whether verifiers take the two for one: they overlook case, spaces around a value, and how many
    /// there are within (RFC 5280 section 7.1).
    pub fn is_same(&self, other: &Self) -> bool {
        let folded = |part: Option<Part<'_>>| part.map(|part| folded(part.value));
        self.parts().map(folded) == other.parts().map(folded)
    }

    /// As the engine takes it: the country as PrintableString (RFC 5280 appendix A.1), all else as
    /// UTF8String (section 4.1.2.4), the most general part first.
    pub(super) fn engine(&self) -> Result<DistinguishedName, String> {
        if let Some(fault) = self.fault() {
            return Err(fault);
        }
        let mut name = DistinguishedName::new();
        for part in self.parts().into_iter().flatten() {
            let value = match part.kind {
                DnType::CountryName => {
                    let printable = part.value.try_into();
                    DnValue::PrintableString(printable.map_err(|_| part.fault_of_country())?)
                }
                _ => DnValue::Utf8String(part.value.to_owned()),
            };
            name.push(part.kind, value);
        }
        Ok(name)
    }

    fn parts(&self) -> [Option<Part<'_>>; 6] {
        [
            Part::of(&self.country, DnType::CountryName, "country", 2),
            Part::of(&self.state, DnType::StateOrProvinceName, "state", 128),
            Part::of(&self.locality, DnType::LocalityName, "locality", 128),
            Part::of(
                &self.organization,
                DnType::OrganizationName,
                "organization",
                64,
            ),
            Part::of(
                &self.organizational_unit,
                DnType::OrganizationalUnitName,
                "organizational unit",
                64,
            ),
            Part::of(&self.common_name, DnType::CommonName, "common name", 64),
        ]
    }
}

struct Part<'a> {
    value: &'a str,
    kind: DnType,
    what: &'static str,
    most: usize,
}

impl<'a> Part<'a> {
    fn of(
        value: &'a Option<String>,
        kind: DnType,
        what: &'static str,
        most: usize,
    ) -> Option<Self> {
        let value = value.as_deref()?;
        Some(Self {
            value,
            kind,
            what,
            most,
        })
    }

    fn fault(&self) -> Option<String> {
        let Self {
            value, what, most, ..
        } = self;
        if self.kind == DnType::CountryName {
            let letters = value.len() == 2 && value.bytes().all(|byte| byte.is_ascii_alphabetic());
            return (!letters).then(|| self.fault_of_country());
        }
        if value.trim().is_empty() {
            return Some(format!("the {what} is empty"));
        }
        if value.chars().any(char::is_control) {
            return Some(format!("the {what} has a control character"));
        }
        let length = value.chars().count();
        (length > *most).then(|| format!("the {what} has {length} characters, and {most} fit"))
    }

    fn fault_of_country(&self) -> String {
        "its country is not two letters".to_owned()
    }
}

fn folded(value: &str) -> String {
    let words: Vec<&str> = value.split_whitespace().collect();
    words.join(" ").to_lowercase()
}
