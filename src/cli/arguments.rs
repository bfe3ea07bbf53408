//! What can be said on the command line; every option also by a variable `TLSGEN_…`.

mod export;
mod fetch;
mod keys;
mod revoke;
mod secrets;

use std::path::PathBuf;

use super::identity::IdentityFiles;
use super::import::Imported;
use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use time::macros::format_description;
use time::{Date, UtcOffset};

pub use export::{Export, ExportHost, ExportStore, ExportTrust, StoreEncoding, StoreType};
pub use fetch::{Fetch, Starttls};
pub use keys::{Keys, KeysList, KeysLock, KeysReencrypt, KeysUnlock};
pub use revoke::Revoke;
pub use secrets::{Secrets, SecretsCheck, SecretsList, SecretsPush};

const AFTER_HELP: &str = "\
Exit codes: 0 done, or in sync; 1 the answer is no: drift, changes, findings; 2 there is no answer:
bad usage, an invalid spec, a file that cannot be read; 3 something not ours would be overwritten.";

const KRM_HELP: &str = "\
Reads a ResourceList (config.kubernetes.io/v1) on standard input and writes one to standard output: the
items with what the target adds to workloads, ConfigMaps and other resources behind them, and results.
Its functionConfig has the spec under `spec`, with a target that has neither `files` nor `output`; or
`file: tlsgen.yaml` and, where that has several, `target: NAME`. Paths start where the command runs,
which is the directory of the kustomization.

No certificate is issued, nothing is written, nothing is fetched, and no private key passes through.

Exit codes: 0 done; 1 an error is among the results, and the items are as they came; 2 there is no list
or no spec, and nothing is printed.";

/// A declarative TLS compiler: one spec in, the files that make every handshake work out.
#[derive(Debug, Parser)]
#[command(name = "tlsgen", version, about, after_help = AFTER_HELP, max_term_width = 100)]
#[command(infer_subcommands = true, disable_help_subcommand = true)]
pub struct Arguments {
    /// Go to this directory first.
    #[arg(short = 'C', value_name = "DIR", env = "TLSGEN_CHDIR", global = true)]
    pub directory: Option<PathBuf>,
    /// The spec; without it, the first `tlsgen.yaml` here or in a directory above.
    #[arg(
        short = 'f',
        long = "file",
        value_name = "FILE",
        env = "TLSGEN_FILE",
        global = true
    )]
    pub file: Option<PathBuf>,
    /// What is printed.
    #[arg(long, value_enum, default_value_t = Format::Text, env = "TLSGEN_FORMAT", global = true)]
    pub format: Format,
    /// Judge dates as of this day (UTC) instead of now.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day, env = "TLSGEN_AS_OF", global = true)]
    pub as_of: Option<i64>,
    /// When to colour.
    #[arg(long, value_enum, default_value_t = Color::Auto, env = "TLSGEN_COLOR", global = true)]
    pub color: Color,
    /// Say only what is wrong.
    #[arg(short, long, env = "TLSGEN_QUIET", value_parser = FalseyValueParser::new(), global = true)]
    pub quiet: bool,
    /// Say more: `build` shows the differences as well, `check` says what it compared.
    #[arg(short, long, env = "TLSGEN_VERBOSE", value_parser = FalseyValueParser::new(), global = true)]
    pub verbose: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check the spec, and everything that it names, without compiling.
    Validate(Validate),
    /// Show what `build` would change.
    Plan(Plan),
    /// Compile the spec and write what has changed.
    Build(Build),
    /// Issue what is due, build, and say who must reload: for cron and CI. Silent if nothing is due.
    Renew(Renew),
    /// Revoke a certificate that was issued here, and issue what takes its place.
    Revoke(Revoke),
    /// Take the certificate that somebody else's authority signed for a host, and build with it.
    Import(Import),
    /// Fail when what is written is not what the spec says: for CI.
    Check(Check),
    /// Explain a code that an error or warning shows in brackets, or a runtime.
    Explain(Explain),
    /// Show what a file of certificates holds: PEM, DER, PKCS#12 or JKS.
    Inspect(Inspect),
    /// Open, lock, encrypt anew and list the private keys of the key store.
    #[command(subcommand)]
    Keys(Keys),
    /// Put the values of secrets into their stores, and say which are there.
    #[command(subcommand)]
    Secrets(Secrets),
    /// Write keystores, for software that cannot read PEM.
    #[command(subcommand)]
    Export(Export),
    /// Show what a server presents, and what of it could be trusted.
    Fetch(Fetch),
    /// Add what a Kubernetes target needs to a list of resources: a KRM function of kustomize and kpt.
    Krm(Krm),
    /// Replace the project's copy of the public roots by the one that this program carries.
    Update(Update),
    /// Print the JSON Schema of the language, or of a plan.
    Schema(Schema),
    /// Print completions for a shell.
    Completions(Completions),
    /// Print the manual page, or write one for every command.
    Man(Man),
}

/// Options of `validate`.
#[derive(Debug, Args)]
pub struct Validate {}

/// Which part of the spec, and where reports go.
#[derive(Debug, Clone, Args)]
pub struct Scope {
    /// Only this target; may be given several times.
    #[arg(
        long,
        value_name = "TARGET",
        env = "TLSGEN_ONLY",
        value_delimiter = ','
    )]
    pub only: Vec<String>,
    /// Write a report as well, such as `json=plan.json`; may be given several times.
    #[arg(long, value_name = "FORMAT=PATH", value_parser = report, env = "TLSGEN_REPORT", value_delimiter = ',')]
    pub report: Vec<(Format, PathBuf)>,
    /// Show diffs whole, however long they are.
    #[arg(long, env = "TLSGEN_FULL", value_parser = FalseyValueParser::new())]
    pub full: bool,
    /// A file that the command brings.
    #[arg(skip)]
    pub imported: Option<Imported>,
}

/// Options of `plan`.
#[derive(Debug, Args)]
pub struct Plan {
    /// What to look at, and where to report.
    #[command(flatten)]
    pub scope: Scope,
    /// Exit with 1 when there is something to change. A certificate that somebody else has yet to sign
    /// is nothing that a build changes: it is shown, and `check` fails while a service waits for it.
    #[arg(long, env = "TLSGEN_EXIT_CODE", value_parser = FalseyValueParser::new())]
    pub exit_code: bool,
}

/// Options of `build`.
#[derive(Debug, Args)]
pub struct Build {
    /// What to build, and where to report.
    #[command(flatten)]
    pub scope: Scope,
    /// Overwrite these files, or what is in these directories, even though they are not as the last
    /// build wrote them; `all` stands for whatever is in the way.
    #[arg(long, value_name = "PATH", env = "TLSGEN_ADOPT", value_delimiter = ',', num_args = 1..)]
    pub adopt: Vec<String>,
    /// Print the manifests of a Kubernetes target with all that it adds, and write and issue nothing.
    #[arg(long, env = "TLSGEN_STDOUT", value_parser = FalseyValueParser::new(), conflicts_with_all = ["adopt", "locked", "report", "full"])]
    pub stdout: bool,
    /// Fail rather than issue a certificate or change the lock.
    #[arg(long, env = "TLSGEN_LOCKED", value_parser = FalseyValueParser::new())]
    pub locked: bool,
    /// What opens the key store.
    #[command(flatten)]
    pub identity: IdentityFiles,
    /// Whether it is said that there is nothing to do.
    #[arg(skip)]
    pub when_in_sync: WhenInSync,
}

/// Whether it is said that there is nothing to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WhenInSync {
    /// To whoever typed the command.
    #[default]
    Said,
    /// Not to a schedule, which mails every word.
    Silent,
}

/// Options of `renew`.
#[derive(Debug, Args)]
pub struct Renew {
    /// What to build, and where to report.
    #[command(flatten)]
    pub scope: Scope,
    /// What opens the key store.
    #[command(flatten)]
    pub identity: IdentityFiles,
}

/// Options of `import`.
#[derive(Debug, Args)]
pub struct Import {
    /// The certificate, with the intermediates if they are at hand: PEM in any order, DER or PKCS#7
    /// (`.p7b`); `-` is standard input.
    #[arg(value_name = "FILE")]
    pub certificate: PathBuf,
    /// The host that it is for; without it, the one whose key it is for.
    #[arg(long, value_name = "HOST", env = "TLSGEN_HOST")]
    pub host: Option<String>,
    /// Only check the certificate, and show what would change.
    #[arg(long, env = "TLSGEN_DRY_RUN", value_parser = FalseyValueParser::new())]
    pub dry_run: bool,
    /// What to build, and where to report.
    #[command(flatten)]
    pub scope: Scope,
    /// What opens the key store.
    #[command(flatten)]
    pub identity: IdentityFiles,
}

/// Options of `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// What to check, and where to report.
    #[command(flatten)]
    pub scope: Scope,
    /// Show the differences.
    #[arg(long, env = "TLSGEN_DIFF", value_parser = FalseyValueParser::new())]
    pub diff: bool,
}

/// Options of `explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// The code, such as `leaf-in-trust-list`; without it, all codes with a line each.
    pub code: Option<String>,
}

/// Options of `inspect`.
#[derive(Debug, Args)]
pub struct Inspect {
    /// The files; `-` is standard input.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// The password of a keystore; without it, none and `changeit` are tried.
    #[arg(long, env = "TLSGEN_PASSWORD", hide_env_values = true)]
    pub password: Option<String>,
}

/// Options of `krm`.
#[derive(Debug, Args)]
#[command(after_help = KRM_HELP)]
pub struct Krm {}

/// Options of `update`.
#[derive(Debug, Args)]
pub struct Update {
    /// Say what would change, and change nothing.
    #[arg(long, env = "TLSGEN_DRY_RUN", value_parser = FalseyValueParser::new())]
    pub dry_run: bool,
    /// Replace the file even though it is not what the lock pins.
    #[arg(long)]
    pub adopt: bool,
}

/// Options of `schema`.
#[derive(Debug, Args)]
pub struct Schema {
    /// Of what.
    #[arg(value_enum, default_value_t = SchemaOf::Spec)]
    pub of: SchemaOf,
}

/// Options of `completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell.
    pub shell: clap_complete::Shell,
}

/// Options of `man`.
#[derive(Debug, Args)]
pub struct Man {
    /// Write a page for every command into this directory.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// What is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal that wants it.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What there are schemas of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// A spec.
    Spec,
    /// A file that a spec includes.
    Fragment,
    /// What `plan --format json` prints.
    Plan,
}

/// Midnight of a day, UTC, in seconds since 1970.
fn day(text: &str) -> Result<i64, String> {
    let format = format_description!("[year]-[month]-[day]");
    let day = Date::parse(text, format).map_err(|_| "write a day as YYYY-MM-DD".to_owned())?;
    Ok(day
        .midnight()
        .assume_offset(UtcOffset::UTC)
        .unix_timestamp())
}

fn report(text: &str) -> Result<(Format, PathBuf), String> {
    let (format, path) = text
        .split_once('=')
        .ok_or("write FORMAT=PATH, such as `json=plan.json`")?;
    let format = Format::from_str(format, false)
        .map_err(|_| format!("there is no format `{format}`: write `text` or `json`"))?;
    Ok((format, PathBuf::from(path)))
}
