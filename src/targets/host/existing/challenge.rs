//! Whether challenges of ACME are answered from where the client puts them, and what certificates over
//! ACME do not have.

use super::nginx::STAPLING;
use super::{Existing, Ours};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::nginx::{Body, Directive, ServerBlock, ServerName, Socket, Statement, Tree};
use crate::source::Span;
use crate::targets::host::layout::{Certificate, Challenge, Source};

pub static CHALLENGE: Code = Code {
    name: "challenge-answered-elsewhere",
    severity: Severity::Error,
    summary: "a server of a machine answers ACME challenges from another directory, or not at all",
    manual: include_str!("manual/challenge-answered-elsewhere.md"),
};

/// What the user's blocks have against certificates over ACME.
pub fn conflicts(existing: &Existing, ours: &Ours<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for certificate in &ours.layout.certificates {
        let Source::Acme(acme) = &certificate.source else {
            continue;
        };
        if let Challenge::Webroot(webroot) = &acme.challenge {
            let trees = existing.nginx.iter();
            found.extend(trees.flat_map(|tree| answered(tree, certificate, webroot, ours)));
        }
    }
    let from_lets_encrypt = |certificate: &Certificate| match &certificate.source {
        Source::Acme(acme) => acme.directory.contains("letsencrypt.org"),
        Source::Project { .. } => false,
    };
    if let Some(certificate) = ours
        .layout
        .certificates
        .iter()
        .find(|one| from_lets_encrypt(one))
    {
        let at = span_of(certificate, ours);
        found.extend(existing.nginx.iter().flat_map(|tree| stapling(tree, at)));
    }
    found
}

/// Blocks for plain HTTP that serve a name of a certificate, and answer its challenges otherwise.
fn answered(
    tree: &Tree,
    certificate: &Certificate,
    webroot: &str,
    ours: &Ours<'_>,
) -> Vec<Diagnostic> {
    let names: Vec<ServerName> = certificate
        .names
        .iter()
        .flat_map(|name| ServerName::parse(name).parts())
        .collect();
    let serves = |block: &&ServerBlock| {
        let mut own = block.names.iter().flat_map(|named| named.name.parts());
        is_plain(block) && own.any(|name| names.contains(&name))
    };
    let at = span_of(certificate, ours);
    let mut found = Vec::new();
    for block in tree.servers.iter().filter(serves) {
        let Some(body) = body_of(tree, block.span) else {
            continue;
        };
        let root = value(body, "root");
        let mut locations = block.all("location").filter(|location| {
            location
                .values
                .iter()
                .any(|word| word.contains("acme-challenge") || word.contains(".well-known"))
        });
        let fault = match locations.next() {
            // What is added to the block comes before a regular expression, and another path is none
            // of it.
            Some(location) if answers(ours, certificate) && !is_first(location) => None,
            Some(location) => body_of(tree, location.span).and_then(|inner| {
                let alias = value(inner, "alias");
                let own = value(inner, "root").or(root);
                let (there, wanted) = match alias {
                    Some(alias) => (alias, format!("{webroot}/.well-known/acme-challenge")),
                    None => (own?, webroot.to_owned()),
                };
                let same = there.0.trim_end_matches('/') == wanted.trim_end_matches('/');
                (!same).then(|| elsewhere(&there, &wanted, webroot, at))
            }),
            // A block of ours, or lines of ours in this one, answer it.
            None if answers(ours, certificate) => None,
            None => match redirect(block) {
                Some(span) => Some(unanswered(span, block.head, webroot, at)),
                None => {
                    let same = |there: &(String, Span)| {
                        there.0.trim_end_matches('/') == webroot.trim_end_matches('/')
                    };
                    let other = root.filter(|root| !same(root));
                    other.map(|root| elsewhere(&root, webroot, webroot, at))
                }
            },
        };
        found.extend(fault);
    }
    found
}

/// Whether nginx looks at a location before any regular expression.
fn is_first(location: &Statement) -> bool {
    let mut words = location.values.iter();
    words
        .next()
        .is_some_and(|word| word.starts_with("^~") || word.starts_with('='))
}

/// Whether a service of ours answers challenges for the certificate.
fn answers(ours: &Ours<'_>, certificate: &Certificate) -> bool {
    let model = ours.inputs.model;
    let mut services = ours.machine.services.iter();
    services.any(|deployed| {
        let serving = model.service(deployed.service).serving.as_ref();
        serving.is_some_and(|serving| {
            let mut serves = serving.serves.iter();
            serves.any(|serve| {
                let plain = serve.challenge_root.is_some() || serve.redirect_http.is_some();
                plain && model.host(serve.host).name == certificate.host
            })
        })
    })
}

/// Where the spec has the certificate's host served.
fn span_of(certificate: &Certificate, ours: &Ours<'_>) -> Span {
    let model = ours.inputs.model;
    let services = ours.machine.services.iter();
    let mut serves = services
        .filter_map(|deployed| model.service(deployed.service).serving.as_ref())
        .flat_map(|serving| &serving.serves);
    let own = serves.find(|serve| model.host(serve.host).name == certificate.host);
    own.map_or(ours.machine.output_span, |serve| {
        let root = serve.challenge_root.as_ref();
        root.map_or(serve.place.value, |(_, span)| *span)
    })
}

/// Whether a block answers at port 80.
fn is_plain(block: &ServerBlock) -> bool {
    let mut listens = block.listens.iter();
    listens.any(|one| match &one.listen.socket {
        Socket::Ip { port, .. } | Socket::Named { port, .. } => *port == 80 && !one.listen.ssl,
        Socket::Unix(_) => false,
    })
}

fn elsewhere(there: &(String, Span), wanted: &str, webroot: &str, at: Span) -> Diagnostic {
    let message = format!(
        "challenges are answered from `{}` here, and put into `{webroot}`",
        there.0
    );
    Diagnostic::new(&CHALLENGE, there.1, message)
        .label("this is another directory")
        .also(at, format!("challenges are put into `{webroot}`"))
        .help(format!(
            "write `{wanted}` here, or that directory into the spec"
        ))
}

fn unanswered(redirect: Span, block: Span, webroot: &str, at: Span) -> Diagnostic {
    let message = "this redirects challenges as well: no location of the block answers them";
    Diagnostic::new(&CHALLENGE, redirect, message)
        .also(block, "the block")
        .also(at, format!("challenges are put into `{webroot}`"))
        .help(format!("write `location ^~ /.well-known/acme-challenge/ {{ root {webroot}; }}` into the block, and the redirect into `location / {{ … }}`"))
        .help("or remove the block, and have the spec say `redirect_http: true`")
}

/// A redirect of everything, of the block itself or of its `location /`.
fn redirect(block: &ServerBlock) -> Option<Span> {
    let statements = block.statements.iter();
    let mut sends = statements.filter(|one| matches!(&*one.name, "return" | "rewrite"));
    sends
        .find(|one| one.values.iter().any(|value| value.contains("https://")))
        .map(|one| one.span)
}

/// `ssl_stapling on`, for certificates of an authority that answers no OCSP.
fn stapling(tree: &Tree, at: Span) -> Vec<Diagnostic> {
    let blocks = tree.servers.iter().flat_map(|block| &block.statements);
    let all = tree.statements.iter().chain(blocks);
    let on = all.filter(|one| {
        &*one.name == "ssl_stapling" && one.values.first().is_some_and(|value| &**value == "on")
    });
    on.map(|one| {
        let message = "there is nothing to staple: Let's Encrypt answers no OCSP since August 2025";
        Diagnostic::new(&STAPLING, one.span, message)
            .also(at, "a certificate of Let's Encrypt")
            .help("remove `ssl_stapling` and `ssl_stapling_verify`")
    })
    .collect()
}

/// A value of a body's own.
fn value(body: &Body, name: &str) -> Option<(String, Span)> {
    let mut own = body.theirs().filter(|one| &*one.name.text == name);
    let directive = own.next()?;
    let value = directive.values().next()?.to_owned();
    Some((value, directive.span))
}

/// What stands in the block of a statement.
fn body_of(tree: &Tree, span: Span) -> Option<&Body> {
    let file = tree.files.iter().find(|file| file.source == span.source)?;
    let mut body = &file.body;
    loop {
        let holds = |one: &&Directive| one.span.start <= span.start && span.end <= one.span.end;
        let directive = body.directives.iter().find(holds)?;
        let inner = directive.block.as_ref()?;
        if directive.span == span {
            return Some(inner);
        }
        body = inner;
    }
}
