//! What the user's own nginx configuration has against lines of ours.

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::nginx::{
    self, Addition, Body, Conflict, ConflictKind, Directive, Listen, ServerBlock, Tree,
};
use crate::provision::{ConfigurationFile, ReadAs};
use crate::source::{Sources, Span};

pub static CONFLICT: Code = Code {
    name: "nginx-conflict",
    severity: Severity::Error,
    summary: "an nginx configuration says already what would be added to it",
    manual: include_str!("../manual/nginx-conflict.md"),
};

/// Everything that would stand twice; `origin` is where the spec asks for it.
pub fn conflicts(
    tree: &Tree,
    block: Option<&ServerBlock>,
    files: &[ConfigurationFile],
    origin: Span,
) -> Vec<Diagnostic> {
    let mut ours = Sources::default();
    let mut found: Vec<Conflict> = Vec::new();
    for file in files {
        let source = ours.add(&file.name, file.text.as_str());
        let Ok(body) = nginx::parse(&ours, source) else {
            continue;
        };
        match file.read_as {
            ReadAs::OneHost => {
                found.extend(
                    block
                        .iter()
                        .flat_map(|block| tree.conflicts(block, &addition(&body))),
                );
            }
            ReadAs::AllHosts => {
                let http = body
                    .directives
                    .iter()
                    .filter(|directive| directive.block.is_none());
                let names: Vec<&str> = http.map(|directive| &*directive.name.text).collect();
                found.extend(tree.http_conflicts(&names));
                for server in body
                    .directives
                    .iter()
                    .filter_map(|one| one.block_of("server"))
                {
                    found.extend(tree.conflicts_of_new(&addition(server)));
                }
            }
            ReadAs::Main | ReadAs::Included => {}
        }
    }
    let mut seen = Vec::new();
    found.retain(|conflict| {
        let fresh = !seen.contains(conflict);
        seen.push(conflict.clone());
        fresh
    });
    found
        .iter()
        .map(|conflict| diagnostic(conflict, origin))
        .collect()
}

/// What a block of ours says.
fn addition(body: &Body) -> Addition<'_> {
    let of = |name: &'static str| {
        let all = body.directives.iter();
        all.filter(move |directive| &*directive.name.text == name)
    };
    let others = body
        .directives
        .iter()
        .map(|directive| &*directive.name.text)
        .filter(|name| !matches!(*name, "listen" | "server_name" | "location"));
    Addition {
        listens: of("listen")
            .filter_map(|listen| Listen::parse(listen.values()))
            .collect(),
        names: of("server_name").flat_map(Directive::values).collect(),
        directives: others.collect(),
        locations: of("location")
            .map(|location| location.values().collect())
            .collect(),
        http: Vec::new(),
    }
}

fn diagnostic(conflict: &Conflict, origin: Span) -> Diagnostic {
    let (message, help) = match &conflict.kind {
        ConflictKind::Listen(socket) => (
            format!("the block already listens at {socket}"),
            "remove this line and the block's own `ssl_…` lines: what serves the host brings them"
                .to_owned(),
        ),
        ConflictKind::ImplicitListen(socket) => (
            format!("the block listens at {socket} because it says nothing, and would no longer"),
            "write `listen 80;` into it".to_owned(),
        ),
        ConflictKind::DefaultServer(socket) => (
            format!("another block is already the default server at {socket}"),
            "remove its `default_server`: a block that rejects unknown names is added".to_owned(),
        ),
        ConflictKind::Name(name, socket) => (
            format!("`{name}` is already served at {socket}"),
            "remove the name or its block: nginx ignores the second of two".to_owned(),
        ),
        ConflictKind::Tls(socket) => (
            format!(
                "another block listens at {socket} without TLS, or with it where ours does not"
            ),
            "give one of the two another port: a socket speaks TLS or not, for all of its blocks"
                .to_owned(),
        ),
        ConflictKind::Directive(name) => (
            format!("the block already says `{name}`"),
            "remove this line: the host's own setting is added".to_owned(),
        ),
        ConflictKind::Location(location) => (
            format!("the block already has a location `{location}`"),
            "remove this location, or what asks for another one like it".to_owned(),
        ),
        ConflictKind::HttpDirective(name) => (
            format!("`http` already says `{name}`"),
            "remove this line, or move it into the server blocks that need it".to_owned(),
        ),
    };
    let diagnostic =
        Diagnostic::new(&CONFLICT, conflict.there, message).also(origin, "this would say it again");
    let diagnostic = match conflict.block == conflict.there {
        true => diagnostic,
        false => diagnostic.also(conflict.block, "the block"),
    };
    diagnostic.help(help)
}
