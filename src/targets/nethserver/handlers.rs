//! Event handlers that a module has already.

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::{SourceId, Span};

pub static HANDLER: Code = Code {
    name: "nethserver-handler",
    severity: Severity::Warning,
    summary: "an event handler or a step of a module does not run, or not as it should",
    manual: include_str!("manual/nethserver-handler.md"),
};

/// What keeps a handler or a step from running.
pub fn judge(path: &str, source: SourceId, text: &str, mode: u32) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let first = line_at(source, text, 0);
    if !text.starts_with("#!") {
        let message = format!("`{path}` says not by what it is run");
        found.push(
            Diagnostic::new(&HANDLER, first, message)
                .help("begin it with `#!/usr/bin/env python3`"),
        );
    }
    if mode & 0o111 == 0 {
        let message =
            format!("`{path}` is not executable ({mode:04o}), and the agent passes over it");
        found.push(Diagnostic::new(&HANDLER, first, message).help(format!("`chmod 755 {path}`")));
    }
    let is_python = text.starts_with("#!/usr/bin/env python") || text.contains("import agent");
    if is_python && let Some(at) = text.find("os.environ").filter(|_| !imports_os(text)) {
        let message = "`os` is used and not imported";
        found.push(
            Diagnostic::new(&HANDLER, line_at(source, text, at), message).help("write `import os`"),
        );
    }
    let fetched = text
        .find("'get-certificate'")
        .or_else(|| text.find("\"get-certificate\""));
    if let Some(at) = fetched.filter(|_| path.contains("certificate-changed/")) {
        let message = "it fetches into files of its own, beside those that the units serve";
        found.push(
            Diagnostic::new(&HANDLER, line_at(source, text, at), message)
                .help("remove the handler: `events/certificate-changed/50tlsgen` does it all"),
        );
    }
    found
}

fn imports_os(text: &str) -> bool {
    text.lines().any(|line| {
        let modules = line.trim().strip_prefix("import ");
        let mut modules = modules.into_iter().flat_map(|modules| modules.split(','));
        modules.any(|module| matches!(module.trim(), "os" | "os.path"))
    })
}

/// The line that a byte stands in.
fn line_at(source: SourceId, text: &str, at: usize) -> Span {
    let before = text.get(..at).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = text.get(start..).and_then(|rest| rest.lines().next());
    source.span(start..start + line.map_or(0, str::len))
}
