//! What can be said of secrets.

use clap::builder::{FalseyValueParser, NonEmptyStringValueParser, PossibleValuesParser};
use clap::{Args, Subcommand};

use crate::spec::Store;

/// What `secrets` does.
#[derive(Debug, Subcommand)]
pub enum Secrets {
    /// Read each value from where the spec says and put it into its store. Prints names only.
    Push(SecretsPush),
    /// Say which secrets are missing in their stores, and which stand there but in no spec.
    Check(SecretsCheck),
    /// List all secrets: where each comes from, where it lives, who is given it. Reads no value.
    List(SecretsList),
}

/// Options of `secrets push`.
#[derive(Debug, Args)]
pub struct SecretsPush {
    /// Only this secret; may be given several times.
    #[arg(
        long,
        value_name = "NAME",
        env = "TLSGEN_ONLY_SECRETS",
        value_delimiter = ','
    )]
    pub only: Vec<String>,
    /// Only to this store; may be given several times.
    #[arg(long = "store", value_name = "STORE", value_parser = PossibleValuesParser::new(Store::ALL.map(Store::name)), value_delimiter = ',')]
    pub stores: Vec<String>,
    /// Say what would be created and changed, and change nothing.
    #[arg(long, env = "TLSGEN_DRY_RUN", value_parser = FalseyValueParser::new())]
    pub dry_run: bool,
    /// Push to the store of Nextflow what this user gets of it.
    #[arg(long = "for", value_name = "USER", value_parser = NonEmptyStringValueParser::new())]
    pub user: Option<String>,
}

/// Options of `secrets check`.
#[derive(Debug, Args)]
pub struct SecretsCheck {
    /// Look only into this store; may be given several times.
    #[arg(long = "store", value_name = "STORE", value_parser = PossibleValuesParser::new(Store::ALL.map(Store::name)), value_delimiter = ',')]
    pub stores: Vec<String>,
    /// Look into the store of Nextflow for what this user gets of it.
    #[arg(long = "for", value_name = "USER", value_parser = NonEmptyStringValueParser::new())]
    pub user: Option<String>,
}

/// Options of `secrets list`.
#[derive(Debug, Args)]
pub struct SecretsList {
    /// Only what this user gets: the user's own, or else the workspace's.
    #[arg(long = "for", value_name = "USER", value_parser = NonEmptyStringValueParser::new())]
    pub user: Option<String>,
}
