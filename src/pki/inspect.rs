//! `tlsgen inspect`: what is in a file, the way a person wants to read it.
//!
//! A function of the bytes, the time and the passwords to try. Of keys it says that they are there,
//! of what kind, and to which certificate they belong.

mod finding;
mod read;
mod report;
mod text;

pub use finding::Finding;
pub use read::{NotInspectable, inspect};
pub use report::{Container, InspectedCertificate, InspectedKey, Other, Report, SignedBy};
pub use text::text;
