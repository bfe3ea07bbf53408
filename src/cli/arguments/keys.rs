//! What can be said of keys.

use clap::{Args, Subcommand};

use crate::cli::identity::IdentityFiles;

/// What `keys` does.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Write the encrypted keys that are mounted where this machine deploys, open, beside the others.
    Unlock(KeysUnlock),
    /// Remove the keys that `unlock` wrote.
    Lock(KeysLock),
    /// Encrypt all keys for the recipients that the spec names now.
    Reencrypt(KeysReencrypt),
    /// List all keys: where each lies, whether it fits its certificate, who may read it.
    List(KeysList),
}

/// Options of `keys unlock`.
#[derive(Debug, Args)]
pub struct KeysUnlock {
    /// What opens the key store.
    #[command(flatten)]
    pub identity: IdentityFiles,
    /// The hosts; without any, all that a target deploys.
    #[arg(value_name = "HOST")]
    pub hosts: Vec<String>,
}

/// Options of `keys lock`.
#[derive(Debug, Args)]
pub struct KeysLock {
    /// The hosts; without any, all.
    #[arg(value_name = "HOST")]
    pub hosts: Vec<String>,
}

/// Options of `keys reencrypt`.
#[derive(Debug, Args)]
pub struct KeysReencrypt {
    /// What opens the key store.
    #[command(flatten)]
    pub identity: IdentityFiles,
}

/// Options of `keys list`.
#[derive(Debug, Args)]
pub struct KeysList {
    /// What opens the key store; without it, encrypted keys are not compared with certificates.
    #[command(flatten)]
    pub identity: IdentityFiles,
}
