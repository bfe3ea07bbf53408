//! The findings of this server.

use crate::diagnostic::{Code, Severity};

/// All of them.
pub static CODES: &[&Code] = &[
    &TOO_OLD,
    &GUIDELINE,
    &NAMES,
    &UPSTREAM,
    &NO_CERTIFICATE,
    &UNWRITABLE,
];

pub static TOO_OLD: Code = error(
    "apache-too-old",
    "this release of Apache is older than what is written for it",
    include_str!("../manual/apache-too-old.md"),
);
pub static GUIDELINE: Code = error(
    "apache-guideline",
    "this Apache cannot follow the guideline that a host names",
    include_str!("../manual/apache-guideline.md"),
);
pub static NAMES: Code = error(
    "apache-names",
    "Apache could not tell two hosts of one port apart by their names",
    include_str!("../manual/apache-names.md"),
);
pub static UPSTREAM: Code = error(
    "apache-upstream",
    "Apache cannot pass a host's requests on, or not safely",
    include_str!("../manual/apache-upstream.md"),
);
pub static NO_CERTIFICATE: Code = error(
    "apache-without-certificate",
    "Apache is to serve a host whose certificate nothing hands to it",
    include_str!("../manual/apache-without-certificate.md"),
);
pub static UNWRITABLE: Code = error(
    "apache-unwritable",
    "a value that Apache's configuration cannot carry, or that Apache would not send",
    include_str!("../manual/apache-unwritable.md"),
);

const fn error(name: &'static str, summary: &'static str, manual: &'static str) -> Code {
    Code {
        name,
        severity: Severity::Error,
        summary,
        manual,
    }
}
