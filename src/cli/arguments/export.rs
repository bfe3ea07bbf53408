//! What can be said of keystores.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, Subcommand, ValueEnum};

/// What `export` writes.
#[derive(Debug, Subcommand)]
pub enum Export {
    /// A host's key with its certificate and intermediates, as PKCS#12.
    Host(ExportHost),
    /// Whom to trust, as JKS or PKCS#12.
    Trust(ExportTrust),
}

/// Options of `export host`.
#[derive(Debug, Args)]
pub struct ExportHost {
    /// The host, as the spec calls it.
    #[arg(value_name = "HOST")]
    pub host: String,
    /// The entry's name, in lower case as Java has it; without it, the host's.
    #[arg(long, value_name = "NAME", env = "TLSGEN_ALIAS")]
    pub alias: Option<String>,
    /// Add the root, which who connects should have anyway.
    #[arg(long, env = "TLSGEN_WITH_ROOT", value_parser = FalseyValueParser::new())]
    pub with_root: bool,
    /// Where to, and how.
    #[command(flatten)]
    pub store: ExportStore,
}

/// Options of `export trust`.
#[derive(Debug, Args)]
pub struct ExportTrust {
    /// The authorities, as the spec calls them; `public` adds the public roots.
    #[arg(value_name = "AUTHORITY", required = true)]
    pub authorities: Vec<String>,
    /// The kind of keystore.
    #[arg(long, value_enum, value_name = "TYPE", env = "TLSGEN_STORE_TYPE")]
    pub store_type: StoreType,
    /// Where to, and how.
    #[command(flatten)]
    pub store: ExportStore,
}

/// What both have.
#[derive(Debug, Args)]
pub struct ExportStore {
    /// The file to write.
    #[arg(long, value_name = "FILE", env = "TLSGEN_OUT")]
    pub out: PathBuf,
    /// Overwrite a file that is there.
    #[arg(long, env = "TLSGEN_FORCE", value_parser = FalseyValueParser::new())]
    pub force: bool,
    /// The algorithms of a PKCS#12 file.
    #[arg(long, value_enum, default_value_t = StoreEncoding::Modern, env = "TLSGEN_ENCODING")]
    pub encoding: StoreEncoding,
    /// The file with the password; `-` is standard input.
    #[arg(
        long,
        value_name = "FILE",
        env = "TLSGEN_PASSWORD_FILE",
        conflicts_with = "password_env"
    )]
    pub password_file: Option<PathBuf>,
    /// The variable with the password.
    #[arg(long, value_name = "VARIABLE", env = "TLSGEN_PASSWORD_ENV")]
    pub password_env: Option<String>,
}

/// The kinds of keystore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StoreType {
    /// Java's own, which every JVM reads and nothing else.
    Jks,
    /// PKCS#12, Java's default since 9.
    Pkcs12,
}

/// How PKCS#12 is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StoreEncoding {
    /// AES-256 and SHA-256: OpenSSL, Python, Java from 8u301 on, Windows from 2019 on.
    Modern,
    /// 3DES and SHA-1, for the keychain of macOS, older Windows and older Java.
    Compatible,
}
