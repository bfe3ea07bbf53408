//! What can be said of a certificate to be taken back.

use clap::Args;
use clap::builder::FalseyValueParser;

use super::Scope;
use crate::cli::identity::IdentityFiles;
use crate::pki::crl::Reason;

/// Options of `revoke`.
#[derive(Debug, Args)]
pub struct Revoke {
    /// The host or authority, as the spec calls it; `hosts.NAME` or `authorities.NAME` where both
    /// have the name.
    #[arg(value_name = "HOST|AUTHORITY")]
    pub name: String,
    /// Why.
    #[arg(long, value_name = "REASON", value_parser = reason, default_value = "unspecified", env = "TLSGEN_REASON")]
    pub reason: Reason,
    /// The serial of an earlier certificate, in hex digits; without it, the one that stands.
    #[arg(long, value_name = "HEX", value_parser = serial, env = "TLSGEN_SERIAL")]
    pub serial: Option<String>,
    /// The authority that issued it, where the spec no longer has the host.
    #[arg(long, value_name = "AUTHORITY", env = "TLSGEN_ISSUER")]
    pub issuer: Option<String>,
    /// Show what would be done, and do nothing.
    #[arg(long, env = "TLSGEN_DRY_RUN", value_parser = FalseyValueParser::new())]
    pub dry_run: bool,
    /// Revoke even an authority, which is given a new key, with everything that it signed.
    #[arg(long, env = "TLSGEN_YES", value_parser = FalseyValueParser::new())]
    pub yes: bool,
    /// What to build, and where to report.
    #[command(flatten)]
    pub scope: Scope,
    /// What opens the key store.
    #[command(flatten)]
    pub identity: IdentityFiles,
}

fn reason(text: &str) -> Result<Reason, String> {
    text.parse().map_err(|()| {
        let all: Vec<String> = Reason::ALL.iter().map(ToString::to_string).collect();
        format!("write one of {}", all.join(", "))
    })
}

/// Hex digits as programs print them: in either case, with colons, and with zeros in front.
fn serial(text: &str) -> Result<String, String> {
    let digits = text.replace(':', "").to_ascii_lowercase();
    let digits = digits.strip_prefix("0x").unwrap_or(&digits);
    let digits = digits.trim_start_matches('0');
    let hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    match hex && (1..=40).contains(&digits.len()) {
        true if digits.len() % 2 == 1 => Ok(format!("0{digits}")),
        true => Ok(digits.to_owned()),
        false => Err("write up to 40 hex digits, as `tlsgen inspect` prints them".to_owned()),
    }
}
