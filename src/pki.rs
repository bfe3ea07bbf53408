//! Certificates, keys and the files they come in: what is so, not whether it should be.
//!
//! Everything here is a function of bytes and of a given time; judging it against a spec is done by
//! the rules. Bytes come from outside: whatever they are, the answer is a value or an error, in time
//! and memory that grow with their length. Of private keys no bit leaves this room but under a password,
//! in a keystore, nor is one kept.

mod algorithm;
mod anchors;
pub mod bundle;
mod calendar;
mod certificate;
pub mod chain;
pub mod crl;
mod der;
mod distinguished_name;
mod foreign;
pub mod handed_over;
pub mod inspect;
mod issue;
mod issued;
pub mod key;
pub mod keystore;
mod name_constraints;
pub mod pem;
mod pkcs7;
mod printable;
mod private_key;
mod public_lifetime;
pub mod request;
mod roots;
pub mod sealed;
mod server_name;
pub mod truststore;

pub use algorithm::KeyKind;
pub use anchors::{PrivateAnchor, PublicRoots, TrustAnchors};
pub use calendar::{NEVER, date, moment, of_moment};
pub use certificate::{Certificate, KeyUsage, Malformed, Role, one_line};
pub use foreign::Foreign;
pub use issue::{IssueError, Issuer, Profile, Subject, Ticket, key_id, self_signed, signed};
pub use issued::{Holder, Issued, Revoked};
pub use key::PublicKey;
pub use name_constraints::{NameConstraints, Widened};
pub use printable::shortened;
pub use private_key::{KeyAlgorithm, NoKey, PrivateKey};
pub use public_lifetime::{days_valid, public_lifetime};
pub use roots::public_root_certificates;
pub use sealed::{Identities, Recipient};
pub use server_name::dns_name;
