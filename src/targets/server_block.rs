//! The user's own nginx configuration, and the block of it into which lines are put: what platforms
//! share.

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{Host, HostCertificate};
use crate::nginx::{Reason, ServerBlock, ServerName, Tree, Undecided};
use crate::provision::ConfigurationFile;
use crate::servers::Above;
use crate::source::Span;

mod above;
pub mod conflict;
mod uncovered;

static UNCLEAR: Code = Code {
    name: "server-block-unclear",
    severity: Severity::Error,
    summary: "several server blocks could be meant, or none",
    manual: include_str!("server_block/manual/server-block-unclear.md"),
};

/// What a block can have against it.
pub static CODES: &[&Code] = &[
    &UNCLEAR,
    &conflict::CONFLICT,
    &conflict::EARLY,
    &uncovered::UNCOVERED,
];

/// A configuration, and the block that is meant, if lines are put into one.
#[derive(Debug, Clone, Copy)]
pub struct Chosen<'t> {
    /// The configuration.
    pub tree: &'t Tree,
    /// The block.
    pub block: Option<&'t ServerBlock>,
}

/// What a block is asked for by.
pub struct Wanted<'a> {
    /// The file that is named, from the project's root.
    pub file: &'a str,
    /// Where it is named.
    pub named: Span,
    /// The names that are served.
    pub names: &'a [&'a str],
    /// The `server_name` that is asked for.
    pub pinned: Option<&'a (String, Span)>,
    /// The one file whose blocks are meant, from the project's root; else all of the configuration.
    pub within: Option<&'a str>,
}

impl<'t> Chosen<'t> {
    /// The block that is wanted.
    ///
    /// # Errors
    /// No block is the right one, or several are.
    pub fn find(tree: &'t Tree, wanted: &Wanted<'_>) -> Result<Self, Diagnostic> {
        let pinned = wanted.pinned.map(|(name, _)| name.as_str());
        let narrowed = wanted.within.map(|file| in_file(tree, file));
        let searched = narrowed.as_ref().unwrap_or(tree);
        match searched.block_for(wanted.names, pinned) {
            Ok(found) => Ok(Self {
                tree,
                block: tree.servers.iter().find(|block| block.span == found.span),
            }),
            Err(undecided) => Err(unclear(wanted, &undecided)),
        }
    }

    /// Which of these names the block says already, in whatever form, as nginx compares them.
    pub fn named(&self, names: &[&str]) -> Vec<String> {
        let Some(block) = self.block else {
            return Vec::new();
        };
        let own: Vec<ServerName> = block
            .names
            .iter()
            .flat_map(|named| named.name.parts())
            .collect();
        let says = |name: &String| {
            let parts = ServerName::parse(name).parts();
            parts.iter().all(|part| own.contains(part))
        };
        let bracketed = |name: &&str| match name.parse::<std::net::Ipv6Addr>() {
            Ok(address) => format!("[{address}]"),
            Err(_) => (*name).to_owned(),
        };
        names.iter().map(bracketed).filter(says).collect()
    }

    /// What stands already where the server's lines will be read.
    pub fn above(&self) -> Above {
        above::above(self.tree, self.block)
    }

    /// Names of the block that the certificate of its host does not carry.
    pub fn uncovered(&self, host: &Host, made: &HostCertificate, at: Span) -> Vec<Diagnostic> {
        let block = self.block.into_iter();
        block
            .flat_map(|block| uncovered::uncovered(block, host, made, at))
            .collect()
    }

    /// Everything that would stand twice; `origin` is where the spec asks for it.
    pub fn conflicts(&self, files: &[ConfigurationFile], origin: Span) -> Vec<Diagnostic> {
        conflict::conflicts(self.tree, self.block, files, origin)
    }
}

/// The configuration with the blocks of one file alone.
fn in_file(tree: &Tree, file: &str) -> Tree {
    let mut narrowed = tree.clone();
    narrowed.servers.retain(|block| block.place.file == file);
    narrowed
}

fn unclear(wanted: &Wanted<'_>, undecided: &Undecided<'_>) -> Diagnostic {
    const SHOWN: usize = 5;
    let config = wanted.file;
    let names: Vec<String> = wanted
        .names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    let names = names.join(" or ");
    let message = match undecided.reason {
        Reason::NoBlock => format!("`{config}` has no server block"),
        Reason::NotPinned => format!("no server block of `{config}` says that `server_name`"),
        Reason::Several => format!("several server blocks of `{config}` serve {names}"),
        Reason::NoneServes => {
            format!("no server block of `{config}` serves {names}, and there are several")
        }
    };
    let at = wanted.pinned.map_or(wanted.named, |(_, span)| *span);
    let candidates = undecided.candidates.iter().take(SHOWN);
    let diagnostic = candidates.fold(
        Diagnostic::new(&UNCLEAR, at, message),
        |diagnostic, block| diagnostic.also(block.head, "a server block"),
    );
    let pin = "name the block that is meant by one of its names: `server_name: www.example.org` (`\"\"` for one without)";
    match undecided.reason {
        Reason::NoBlock => diagnostic.help("write `serve_as: complete`: then a block is made"),
        Reason::Several => diagnostic.help(pin).help("or remove all but one: `listen 443 ssl` and, by `redirect_http: true`, the redirect of plain HTTP are put into that"),
        _ => diagnostic.help(pin),
    }
}
