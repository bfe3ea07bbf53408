//! What the user's own nginx configuration has against lines of ours.

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::nginx::{
    self, Addition, Body, Conflict, ConflictKind, Directive, Listen, ServerBlock, Statement, Tree,
};
use crate::provision::{ConfigurationFile, ReadAs};
use crate::source::{Sources, Span};

pub static CONFLICT: Code = Code {
    name: "nginx-conflict",
    severity: Severity::Error,
    summary: "an nginx configuration says already what would be added to it",
    manual: include_str!("manual/nginx-conflict.md"),
};

pub static EARLY: Code = Code {
    name: "server-block-answers-early",
    severity: Severity::Error,
    summary: "a server block has answered before it comes to what is added to it",
    manual: include_str!("manual/server-block-answers-early.md"),
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
    let mut redirects = false;
    for file in files {
        let source = ours.add(&file.name, file.text.as_str());
        let Ok(body) = nginx::parse(&ours, source) else {
            continue;
        };
        match file.read_as {
            ReadAs::OneHost => {
                let mut directives = body.directives.iter();
                redirects |= directives.any(|directive| &*directive.name.text == "if");
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
    let early = early(block, redirects, origin);
    let mut seen = Vec::new();
    found.retain(|conflict| {
        let fresh = !seen.contains(conflict);
        seen.push(conflict.clone());
        fresh
    });
    let twice = found.iter().map(|conflict| diagnostic(conflict, origin));
    twice.chain(early).collect()
}

/// What of the block comes before lines at its end.
fn early(block: Option<&ServerBlock>, redirects: bool, origin: Span) -> Vec<Diagnostic> {
    let all = block.into_iter().flat_map(|block| {
        let ends = block.ends_before(redirects);
        ends.map(move |statement| (block, statement))
    });
    all.map(|(block, statement)| {
        let name = &statement.name;
        let message =
            format!("this `{name}` comes before what is added to the block, which is not reached");
        Diagnostic::new(&EARLY, statement.span, message)
            .also(origin, "this would add to it")
            .also(block.head, "the block")
            .help_if(
                (&**name != "if").then(|| {
                    format!("move it into a location, such as `location / {{ {name} …; }}`")
                }),
            )
            .help_if(to_https(statement).then(|| {
                "remove it, if it sends plain HTTP to HTTPS: `redirect_http: true` does".to_owned()
            }))
    })
    .collect()
}

fn to_https(statement: &Statement) -> bool {
    let mut values = statement.values.iter();
    values.any(|value| value.starts_with("https://")) || statement.inner.iter().any(to_https)
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
        headers: of("add_header")
            .filter_map(|header| header.values().next())
            .collect(),
        merges_headers: of("add_header_inherit").next().is_some(),
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
        ConflictKind::Header(name) => (
            format!("`{name}` is already added to responses, and would be sent twice"),
            "remove this line, or the header from the spec".to_owned(),
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
