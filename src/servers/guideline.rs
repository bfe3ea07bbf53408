//! Mozilla's server-side TLS guideline as data (<https://ssl-config.mozilla.org/guidelines/6.0.json>).

use crate::spec::GuidelineLevel;

/// The version of the guideline.
pub const VERSION: &str = "6.0";

/// What a level of the guideline asks for.
pub struct Guideline {
    /// Its name in the guideline.
    pub name: &'static str,
    /// The protocols as OpenSSL names them, oldest first.
    pub protocols: &'static [&'static str],
    /// The suites of TLS 1.2 as OpenSSL names them, if it allows that protocol. Those of TLS 1.3 are
    /// what every library has.
    pub ciphers: &'static [&'static str],
    /// The groups of the key exchange as OpenSSL names them, best first.
    pub groups: &'static [&'static str],
}

/// The one group that OpenSSL knows only since 3.5.
pub const POST_QUANTUM: &str = "X25519MLKEM768";

const GROUPS: &[&str] = &[POST_QUANTUM, "X25519", "prime256v1", "secp384r1"];

const MODERN: Guideline = Guideline {
    name: "modern",
    protocols: &["TLSv1.3"],
    ciphers: &[],
    groups: GROUPS,
};

const INTERMEDIATE: Guideline = Guideline {
    name: "intermediate",
    protocols: &["TLSv1.2", "TLSv1.3"],
    ciphers: &[
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
    ],
    groups: GROUPS,
};

/// What a level asks for.
pub const fn of(level: GuidelineLevel) -> &'static Guideline {
    match level {
        GuidelineLevel::Modern => &MODERN,
        GuidelineLevel::Intermediate => &INTERMEDIATE,
    }
}
