//! What a block says already, or another block, that lines to be added would say again.

use std::collections::BTreeSet;

use super::listen::{Listen, Socket};
use super::server_name::ServerName;
use super::tree::{Named, ServerBlock, Statement, Tree};
use crate::source::Span;

/// What is to be put into a server block, and with it into `http`.
#[derive(Debug, Clone, Default)]
pub struct Addition<'a> {
    /// Its `listen`s.
    pub listens: Vec<Listen>,
    /// The words of its `server_name`.
    pub names: Vec<&'a str>,
    /// The names of its other directives.
    pub directives: Vec<&'a str>,
    /// The words of its `location`s, such as `["^~", "/.well-known/"]`.
    pub locations: Vec<Vec<&'a str>>,
    /// The names of directives that are put into `http`.
    pub http: Vec<&'a str>,
    /// The names of the headers that it adds.
    pub headers: Vec<&'a str>,
    /// Whether it adds them to those of `http` (`add_header_inherit merge`).
    pub merges_headers: bool,
}

/// Something that would be said twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// What it is.
    pub kind: ConflictKind,
    /// What is there already.
    pub there: Span,
    /// The word `server` of the block that says it; for `http` the same as `there`.
    pub block: Span,
}

/// What would be said twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConflictKind {
    /// The block listens there already; nginx: `a duplicate listen`.
    Listen(Socket),
    /// The block has no `listen` and so answers at port 80, which the first one that is added ends.
    ImplicitListen(Socket),
    /// Another block is the default there; nginx: `a duplicate default server`.
    DefaultServer(Socket),
    /// The name is served at the same socket; nginx ignores the second of them.
    Name(String, Socket),
    /// Another block has the socket without TLS where it is added with, or the other way round; to
    /// nginx it is one socket, all TLS or not.
    Tls(Socket),
    /// The block has the directive, which may stand once, or whose second would change the first.
    Directive(String),
    /// The block has the location; nginx: `duplicate location`.
    Location(String),
    /// The header is added already, and would be sent twice.
    Header(String),
    /// `http` has the directive.
    HttpDirective(String),
}

/// Directives that add up, where all others may stand once in a block.
const REPEATABLE: &[&str] = &[
    "access_log",
    "add_header",
    "add_trailer",
    "allow",
    "deny",
    "error_log",
    "error_page",
    "fastcgi_param",
    "geo",
    "if",
    "include",
    "limit_conn",
    "limit_conn_zone",
    "limit_req",
    "limit_req_zone",
    "listen",
    "location",
    "log_format",
    "map",
    "proxy_cache_path",
    "proxy_hide_header",
    "proxy_pass_header",
    "proxy_set_header",
    "return",
    "rewrite",
    "server",
    "server_name",
    "set",
    "set_real_ip_from",
    "split_clients",
    "ssl_conf_command",
    "sub_filter",
    "upstream",
];

impl Tree {
    /// Everything that an addition to one of this tree's blocks would say twice, in the order of the
    /// addition.
    ///
    /// What stands in files outside the project ([`Tree::elsewhere`]) is not seen.
    pub fn conflicts(&self, block: &ServerBlock, addition: &Addition<'_>) -> Vec<Conflict> {
        let others: Vec<&ServerBlock> = self
            .servers
            .iter()
            .filter(|other| other.span != block.span)
            .collect();
        let mut found = own_listens(block, addition);
        for new in &addition.listens {
            found.extend(others.iter().flat_map(|other| at_socket(other, new)));
        }
        found.extend(names(block, &others, addition));
        for name in addition
            .directives
            .iter()
            .filter(|name| !REPEATABLE.contains(name))
        {
            let kind = || ConflictKind::Directive((*name).to_owned());
            found.extend(
                block
                    .all(name)
                    .map(|there| conflict(kind(), there.span, block)),
            );
        }
        for words in &addition.locations {
            let same = block
                .all("location")
                .filter(|there| location(&there.values) == location(words));
            let kind = || ConflictKind::Location(words.join(" "));
            found.extend(same.map(|there| conflict(kind(), there.span, block)));
        }
        found.extend(self.headers(block, addition));
        found.extend(self.http_conflicts(&addition.http));
        found
    }

    /// Headers that would be sent twice: the block's, and those of `http` where they reach it.
    fn headers(&self, block: &ServerBlock, addition: &Addition<'_>) -> Vec<Conflict> {
        let again = |there: &&Statement| {
            let adds = &*there.name == "add_header";
            let name = there.values.first().filter(|_| adds);
            let ours = |name: &Box<str>| {
                let mut headers = addition.headers.iter();
                headers.any(|header| header.eq_ignore_ascii_case(name))
            };
            name.is_some_and(ours)
        };
        let kind = |there: &Statement| {
            let name = there.values.first();
            ConflictKind::Header(name.map(ToString::to_string).unwrap_or_default())
        };
        let own = block.statements.iter().filter(again);
        let mut found: Vec<Conflict> = own
            .map(|there| conflict(kind(there), there.span, block))
            .collect();
        if addition.merges_headers && block.all("add_header").next().is_none() {
            let above = self.statements.iter().filter(again);
            found.extend(above.map(|there| Conflict {
                kind: kind(there),
                there: there.span,
                block: there.span,
            }));
        }
        found
    }

    /// Everything that a block which is added beside this tree's own would say twice.
    pub fn conflicts_of_new(&self, addition: &Addition<'_>) -> Vec<Conflict> {
        let mut found = Vec::new();
        for new in &addition.listens {
            found.extend(self.servers.iter().flat_map(|other| at_socket(other, new)));
        }
        let added: BTreeSet<ServerName> = addition
            .names
            .iter()
            .flat_map(|name| ServerName::parse(name).parts())
            .collect();
        let listens: Vec<&Listen> = addition.listens.iter().collect();
        for other in &self.servers {
            let Some(socket) = shared(&listens, other) else {
                continue;
            };
            let same = |there: &&Named| there.name.parts().iter().any(|part| added.contains(part));
            found.extend(other.names.iter().filter(same).map(|there| {
                let kind = ConflictKind::Name(there.name.to_string(), socket.clone());
                conflict(kind, there.span, other)
            }));
        }
        found
    }

    /// Directives that would stand twice in `http`.
    pub fn http_conflicts(&self, names: &[&str]) -> Vec<Conflict> {
        let mut found = Vec::new();
        for name in names.iter().filter(|name| !REPEATABLE.contains(name)) {
            let same = self.statements.iter().filter(|there| *there.name == **name);
            let kind = || ConflictKind::HttpDirective((*name).to_owned());
            found.extend(same.map(|there| Conflict {
                kind: kind(),
                there: there.span,
                block: there.span,
            }));
        }
        found
    }
}

fn conflict(kind: ConflictKind, there: Span, block: &ServerBlock) -> Conflict {
    Conflict {
        kind,
        there,
        block: block.head,
    }
}

fn own_listens(block: &ServerBlock, addition: &Addition<'_>) -> Vec<Conflict> {
    let mut found = Vec::new();
    for there in &block.listens {
        let again = addition
            .listens
            .iter()
            .find_map(|new| new.shared(&there.listen));
        let kind = match (there.implicit, again) {
            (true, None) if !addition.listens.is_empty() => {
                ConflictKind::ImplicitListen(there.listen.socket.clone())
            }
            (false, Some(socket)) => ConflictKind::Listen(socket),
            _ => continue,
        };
        found.push(conflict(kind, there.span, block));
    }
    found
}

fn at_socket(other: &ServerBlock, new: &Listen) -> Vec<Conflict> {
    let mut found = Vec::new();
    for there in &other.listens {
        let Some(socket) = there.listen.shared(new) else {
            continue;
        };
        if new.default_server && there.listen.default_server {
            found.push(conflict(
                ConflictKind::DefaultServer(socket.clone()),
                there.span,
                other,
            ));
        }
        if new.ssl != there.listen.ssl {
            found.push(conflict(ConflictKind::Tls(socket), there.span, other));
        }
    }
    found
}

/// Names of the addition at any socket of the block, and names of the block at added sockets.
fn names(block: &ServerBlock, others: &[&ServerBlock], addition: &Addition<'_>) -> Vec<Conflict> {
    let new_names: Vec<ServerName> = addition
        .names
        .iter()
        .map(|name| ServerName::parse(name))
        .collect();
    let parts_of = |names: &mut dyn Iterator<Item = &ServerName>| -> BTreeSet<ServerName> {
        names.flat_map(ServerName::parts).collect()
    };
    let added = parts_of(&mut new_names.iter());
    let own = parts_of(&mut block.names.iter().map(|named| &named.name));
    let new: Vec<&Listen> = addition.listens.iter().collect();
    let kept = block
        .listens
        .iter()
        .filter(|there| !there.implicit || new.is_empty());
    let all: Vec<&Listen> = new
        .iter()
        .copied()
        .chain(kept.map(|there| &there.listen))
        .collect();
    let says = |parts: &BTreeSet<ServerName>, name: &ServerName| {
        name.parts().iter().any(|part| parts.contains(part))
    };

    let mut found = Vec::new();
    let twice = block.names.iter().filter(|there| says(&added, &there.name));
    found.extend(twice.zip(all.iter().cycle()).map(|(there, listen)| {
        let kind = ConflictKind::Name(there.name.to_string(), listen.socket.clone());
        conflict(kind, there.span, block)
    }));
    for other in others {
        for there in &other.names {
            let listens = match (says(&added, &there.name), says(&own, &there.name)) {
                (true, _) => &all,
                (false, true) => &new,
                (false, false) => continue,
            };
            if let Some(socket) = shared(listens, other) {
                let kind = ConflictKind::Name(there.name.to_string(), socket);
                found.push(conflict(kind, there.span, other));
            }
        }
    }
    found
}

fn shared(listens: &[&Listen], other: &ServerBlock) -> Option<Socket> {
    let theirs = |listen: &Listen| {
        other
            .listens
            .iter()
            .find_map(|there| listen.shared(&there.listen))
    };
    listens.iter().find_map(|listen| theirs(listen))
}

/// The modifier and the path: `=`, a regular expression and a prefix are different places.
fn location<T: AsRef<str>>(words: &[T]) -> (&str, &str) {
    match words {
        [path] => {
            let path = path.as_ref();
            let modifier = ["=", "~*", "~", "^~"]
                .into_iter()
                .find(|sign| path.starts_with(sign))
                .unwrap_or("");
            (plain(modifier), path.strip_prefix(modifier).unwrap_or(path))
        }
        [modifier, path, ..] => (plain(modifier.as_ref()), path.as_ref()),
        [] => ("", ""),
    }
}

/// `^~ /a` and `/a` are the same location to nginx.
fn plain(modifier: &str) -> &str {
    if modifier == "^~" { "" } else { modifier }
}
