//! Names of a server block that the certificate which is put into it does not carry.

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{Host, HostCertificate};
use crate::nginx::{ServerBlock, ServerName};
use crate::source::Span;

pub static UNCOVERED: Code = Code {
    name: "server-block-names-uncovered",
    severity: Severity::Warning,
    summary: "a server block has names that the certificate of its host does not carry",
    manual: include_str!("manual/server-block-names-uncovered.md"),
};

/// One warning for each such name; `at` is where the spec has the host served.
pub fn uncovered(
    block: &ServerBlock,
    host: &Host,
    made: &HostCertificate,
    at: Span,
) -> Vec<Diagnostic> {
    let Some(leaf) = made.chain.certificates.first() else {
        return Vec::new();
    };
    let covers = |name: &ServerName| match name {
        ServerName::Exact(name) => {
            is_nobody(name) || leaf.certificate.covers(name.trim_matches(['[', ']']))
        }
        ServerName::Ending(ending) => leaf.certificate.covers(&format!("*{ending}")),
        ServerName::Beginning(_) => false,
        // Nobody but nginx can say; its two halves are looked at instead.
        ServerName::Regex(_) | ServerName::WithEnding(_) => true,
    };
    let lacking = block.names.iter().filter(|named| {
        let parts = named.name.parts();
        !parts.iter().all(covers)
    });
    lacking
        .map(|named| {
            let (name, host) = (&named.name, &host.name);
            let message =
                format!("over HTTPS, `{name}` is answered with the certificate of `{host}`, which lacks it");
            Diagnostic::new(&UNCOVERED, named.span, message)
                .also(at, format!("`{host}` is put into its block"))
                .help("have the certificate issued anew with this name, and add it to the host's `names`")
                .help("or give this name a server block of its own")
        })
        .collect()
}

/// Names that stand for none, and that no client asks another machine for.
fn is_nobody(name: &str) -> bool {
    matches!(name, "" | "_" | "localhost" | "$hostname")
}
