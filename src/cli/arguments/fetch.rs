//! What can be said of a server to be looked at.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

const FETCH_HELP: &str = "\
Exit codes: 0 seen, whether anybody trusts it or not; 1 it is not what the project has pinned; 2 no
certificate came; 3 the file of --save holds something else.

What is seen is what whoever answered sent: trust on first use. Compare the fingerprint with whoever
runs the CA before you trust it.

--format json prints one object: host, port, server_name, starttls, address, tls (`TLS 1.3`),
client_certificate_asked, broken_off, certificates (as `inspect` has them), malformed, ca (kind: `sent`,
`not-sent` or `self-signed`; subject, sha256), public (trusted, reason), file (path, holds: `ca` or
`observed`; state: `written`, `same` or `in-the-way`), pinned (what, name, title, same, expected,
seen), verified_by (authorities of the project), spec.";

/// Options of `fetch`.
#[derive(Debug, Args)]
#[command(after_help = FETCH_HELP)]
pub struct Fetch {
    /// Whom to ask: a name or an address, of IPv6 in brackets where a port follows.
    #[arg(value_name = "HOST[:PORT]")]
    pub server: String,
    /// What is spoken before TLS; the port is then the usual one of that protocol, else 443.
    #[arg(long, value_enum, value_name = "PROTOCOL", env = "TLSGEN_STARTTLS")]
    pub starttls: Option<Starttls>,
    /// The name to ask for, and to expect in the certificate, instead of HOST.
    #[arg(long, value_name = "NAME", env = "TLSGEN_SERVER_NAME")]
    pub server_name: Option<String>,
    /// Write the CA's certificate there or, if the server does not send it, the chain as observed.
    #[arg(long, value_name = "FILE", env = "TLSGEN_SAVE")]
    pub save: Option<PathBuf>,
    /// Replace what else is in that file.
    #[arg(long, requires = "save")]
    pub adopt: bool,
    /// What the lines for the spec call it.
    #[arg(long, value_name = "NAME", env = "TLSGEN_NAME")]
    pub name: Option<String>,
    /// How long all of it may take, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600), env = "TLSGEN_TIMEOUT")]
    pub timeout: u64,
}

/// In which protocol TLS is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Starttls {
    /// Mail: STARTTLS after EHLO.
    Smtp,
    /// Mailboxes.
    Imap,
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    Mysql,
}
