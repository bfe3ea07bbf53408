//! A configuration as a whole: where it listens, and its virtual hosts.

use crate::source::{SourceId, Span};

/// A configuration with the files that it includes.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// Every file that was read, from the project's root, with its text.
    pub files: Vec<(String, SourceId)>,
    /// Its sockets.
    pub listens: Vec<Listen>,
    /// Its virtual hosts.
    pub hosts: Vec<VirtualHost>,
    /// What is included and does not stand in the project; not what may be missing.
    pub elsewhere: Vec<Elsewhere>,
    /// Every directive outside of virtual hosts.
    pub directives: Vec<Directive>,
}

/// A `Listen`.
#[derive(Debug, Clone)]
pub struct Listen {
    /// The address, if it is not any.
    pub address: Option<String>,
    /// The port.
    pub port: u16,
    /// The directive.
    pub span: Span,
}

/// A `<VirtualHost …>`.
#[derive(Debug, Clone)]
pub struct VirtualHost {
    /// Addresses and ports as written; `*` is any.
    pub sockets: Vec<(String, Option<u16>)>,
    /// `ServerName` and `ServerAlias`, without scheme and port, in lower case, each with its directive.
    pub names: Vec<(String, Span)>,
    /// Whether it speaks TLS.
    pub tls: bool,
    /// Its first line.
    pub span: Span,
    /// What stands in it, in sections of it as well.
    pub directives: Vec<Directive>,
}

/// A line that says something.
#[derive(Debug, Clone)]
pub struct Directive {
    /// Its name, in lower case.
    pub name: String,
    /// Its further words.
    pub words: Vec<String>,
    /// The line.
    pub span: Span,
}

/// An `Include` that leads out of the project.
#[derive(Debug, Clone)]
pub struct Elsewhere {
    /// The absolute path or pattern.
    pub path: String,
    /// The directive.
    pub span: Span,
}

impl VirtualHost {
    /// Takes in a directive.
    pub(super) fn take(&mut self, directive: Directive) {
        let span = directive.span;
        match directive.name.as_str() {
            "servername" => {
                let name = directive.words.first().map(|word| host(word));
                self.names.extend(name.map(|name| (name, span)));
            }
            "serveralias" => {
                let names = directive.words.iter().map(|word| host(word));
                self.names.extend(names.map(|name| (name, span)));
            }
            "sslengine" => {
                let word = directive
                    .words
                    .first()
                    .map(|word| word.to_ascii_lowercase());
                self.tls = matches!(word.as_deref(), Some("on" | "optional"));
            }
            _ => {}
        }
        self.directives.push(directive);
    }

    /// Whether it answers at a port.
    pub fn at_port(&self, port: u16) -> bool {
        self.sockets
            .iter()
            .any(|(_, own)| own.is_none_or(|own| own == port))
    }
}

/// A name without scheme and port.
fn host(word: &str) -> String {
    let name = word.split_once("://").map_or(word, |(_, rest)| rest);
    let name = match name.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => name,
    };
    name.to_ascii_lowercase()
}

/// Address and port of `443`, `*:443`, `1.2.3.4:443`, `[::]:443`, `a.example`; any port without one.
pub(super) fn socket(word: &str) -> (String, Option<u16>) {
    if let Some((address, rest)) = word.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let port = rest.strip_prefix(':').and_then(|port| port.parse().ok());
        return (address.to_ascii_lowercase(), port);
    }
    match word.rsplit_once(':') {
        Some((address, port)) => (address.to_ascii_lowercase(), port.parse().ok()),
        None => match word.parse() {
            Ok(port) => ("*".to_owned(), Some(port)),
            Err(_) => (word.to_ascii_lowercase(), None),
        },
    }
}
