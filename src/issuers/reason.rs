//! Why a certificate is issued, in words.

use std::fmt;

use crate::pki::date;

/// Why a certificate is issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// There never was one.
    New,
    /// Its file is gone.
    Missing,
    /// Its file holds no certificate.
    Damaged,
    /// It speaks for other names.
    Names {
        /// What is to be added.
        added: Vec<String>,
        /// What is to go.
        removed: Vec<String>,
    },
    /// Its subject is another.
    Subject {
        /// What it is.
        from: String,
        /// What it is to be.
        to: String,
    },
    /// Its key is of another kind.
    Key {
        /// What it is.
        from: String,
        /// What it is to be.
        to: String,
    },
    /// It is valid for longer or shorter than it should be, in seconds.
    Lifetime {
        /// What it is.
        from: i64,
        /// What it is to be.
        to: i64,
    },
    /// It is for something else.
    Usages {
        /// What it is for.
        from: String,
        /// What it is to be for.
        to: String,
    },
    /// Another number of authorities may stand below it.
    PathLength {
        /// How many.
        from: Option<u32>,
        /// How many there may be.
        to: Option<u32>,
    },
    /// It may issue for other names.
    Constraints {
        /// What it says of them.
        from: String,
        /// What it is to say.
        to: String,
    },
    /// Its authority is called otherwise.
    Issuer {
        /// As it says.
        from: String,
        /// As it is to say.
        to: String,
    },
    /// Another key signed it than that of its authority.
    Signer(String),
    /// Another signed it than this authority elsewhere.
    Elsewhere(String),
    /// The key in the store is not the one that it was issued for.
    OtherKey,
    /// The request is for another key than it was issued for.
    OtherRequest,
    /// It was revoked.
    Revoked,
    /// The time of its renewal has come.
    Window {
        /// Since when.
        since: i64,
        /// When it ends.
        until: i64,
    },
    /// Its file holds no list.
    NoList,
    /// These serials were revoked, and the list does not have them.
    Unlisted(Vec<String>),
    /// It has ended.
    Expired(i64),
    /// It has not begun: it was issued on a day that is yet to come.
    Early(i64),
    /// Its key is not in the store, where the key that signs it is.
    KeyGone,
    /// What the spec asks for cannot be held against it.
    Incomparable(String),
}

/// As many serials are named.
const SHOWN: usize = 5;

impl Reason {
    /// Whether a new key is made for an authority, which makes void what it signed.
    pub fn takes_new_authority_key(&self) -> bool {
        matches!(self, Self::Key { .. } | Self::Revoked)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New => f.write_str("there is none yet"),
            Self::Missing => f.write_str("its file is gone"),
            Self::Damaged => f.write_str("its file holds no certificate"),
            Self::Names { added, removed } => {
                let added = added.iter().map(|name| format!(" + {name}"));
                let removed = removed.iter().map(|name| format!(" - {name}"));
                write!(f, "names:{}", added.chain(removed).collect::<String>())
            }
            Self::Subject { from, to } => write!(f, "subject: {from} → {to}"),
            Self::Key { from, to } => write!(f, "key: {from} → {to}"),
            Self::Lifetime { from, to } => {
                write!(f, "lifetime: {} → {}", duration(*from), duration(*to))
            }
            Self::Usages { from, to } => write!(f, "usages: {from} → {to}"),
            Self::PathLength { from, to } => {
                let shown = |length: &Option<u32>| {
                    length.map_or("unlimited".to_owned(), |length| length.to_string())
                };
                write!(f, "path length: {} → {}", shown(from), shown(to))
            }
            Self::Constraints { from, to } => write!(f, "name constraints: {from} → {to}"),
            Self::Issuer { from, to } => write!(f, "issuer: {from} → {to}"),
            Self::Signer(name) => write!(f, "it was signed with another key than `{name}` has"),
            Self::Elsewhere(name) => write!(f, "it was signed by another than `{name}`"),
            Self::OtherKey => f.write_str("the key in the store is not the one it was issued for"),
            Self::OtherRequest => f.write_str("the request is for another key"),
            Self::NoList => f.write_str("its file holds no revocation list"),
            Self::Unlisted(serials) => {
                let shown: Vec<&str> = serials.iter().take(SHOWN).map(String::as_str).collect();
                write!(f, "revoked since: {}", shown.join(", "))?;
                match serials.len() - shown.len() {
                    0 => Ok(()),
                    more => write!(f, " and {more} more"),
                }
            }
            Self::Revoked => f.write_str("it was revoked"),
            Self::Window { since, until } => write!(
                f,
                "renewal window opened {}, it ends {}",
                date(*since),
                date(*until)
            ),
            Self::Expired(until) => write!(f, "it ended {}", date(*until)),
            Self::Early(begins) => write!(f, "it begins only {}", date(*begins)),
            Self::KeyGone => f.write_str("its key is gone"),
            Self::Incomparable(why) => write!(f, "it cannot be compared with the spec: {why}"),
        }
    }
}

/// Days if they are whole, else hours, else seconds.
fn duration(seconds: i64) -> String {
    match seconds {
        whole if whole % 86_400 == 0 => format!("{}d", whole / 86_400),
        whole if whole % 3_600 == 0 => format!("{}h", whole / 3_600),
        seconds => format!("{seconds} s"),
    }
}
