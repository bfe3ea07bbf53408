//! What a module has already: read, judged, and never written.

use std::collections::BTreeSet;
use std::io::ErrorKind;

use super::super::Inputs;
use super::authorizations::{LABEL, TRAEFIK, WIDEST, roles};
use super::{handlers, unit_file, units};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::NethServer;
use crate::source::{SourceId, Sources, Span};
use crate::spec::OnChange;

static FILE: Code = Code {
    name: "nethserver-file",
    severity: Severity::Error,
    summary: "a file of a module cannot be read, or is none that could be looked at",
    manual: include_str!("manual/nethserver-file.md"),
};
static AUTHORIZATIONS: Code = Code {
    name: "nethserver-authorizations",
    severity: Severity::Warning,
    summary: "a module's image asks for less than it needs, or for more",
    manual: include_str!("manual/nethserver-authorizations.md"),
};

/// What is said of a module's own files.
pub static CODES: &[&Code] = &[
    &FILE,
    &AUTHORIZATIONS,
    &units::STATUS,
    &units::STATE,
    &units::HIDDEN,
    &units::READABLE,
    &units::VARIABLE,
    &handlers::HANDLER,
];

/// What came of them.
#[derive(Default)]
pub struct Existing {
    /// What cannot be.
    pub errors: Vec<Diagnostic>,
    /// What is suspicious.
    pub warnings: Vec<Diagnostic>,
    /// The units that were read.
    pub seen: Vec<String>,
}

/// A file of the module's own.
struct File<'a> {
    path: &'a str,
    source: SourceId,
    text: String,
    mode: u32,
    named: Span,
}

/// Reads what the target names under `files`.
pub fn judge(inputs: &Inputs<'_>, module: &NethServer, sources: &mut Sources) -> Existing {
    let mut existing = Existing::default();
    let mut read: BTreeSet<&str> = BTreeSet::new();
    for (path, named) in &module.files {
        if !read.insert(path) {
            continue;
        }
        match open(inputs, module, path, *named, sources) {
            Ok(file) => existing.add(module, &file),
            Err(error) => existing.errors.push(error),
        }
    }
    existing
}

fn open<'a>(
    inputs: &Inputs<'_>,
    module: &NethServer,
    path: &'a str,
    named: Span,
    sources: &mut Sources,
) -> Result<File<'a>, Diagnostic> {
    let refused = |message: String, help: &str| Diagnostic::new(&FILE, named, message).help(help);
    if path == format!("{}/systemd/user/get-certificate.service", module.output)
        && !module.certificates.is_empty()
    {
        return Err(refused(
            format!("`{path}` is written from the spec"),
            "remove the file and this line: what it says is said by `certificate`",
        ));
    }
    let unreadable = |error: std::io::Error| {
        let reason = match error.kind() {
            ErrorKind::NotFound => "there is no such file".to_owned(),
            ErrorKind::IsADirectory => "it is a directory".to_owned(),
            ErrorKind::FileTooLarge => "it is too large".to_owned(),
            _ => error.to_string(),
        };
        refused(
            format!("cannot read `{path}`: {reason}"),
            "name a file of the module, relative to the file that names it",
        )
    };
    let mode = match inputs.world.stat(path).map_err(unreadable)? {
        Some(stat) => stat.mode,
        None => 0,
    };
    let bytes = inputs.world.read(path).map_err(unreadable)?;
    let text = String::from_utf8(bytes).map_err(|_| {
        refused(
            format!("`{path}` is not UTF-8 text"),
            "name units, event handlers, steps and `build-images.sh`",
        )
    })?;
    let source = sources.add(path, text.clone());
    Ok(File {
        path,
        source,
        text,
        mode,
        named,
    })
}

impl Existing {
    fn add(&mut self, module: &NethServer, file: &File<'_>) {
        let name = file.path.rsplit('/').next().unwrap_or(file.path);
        if name.ends_with(".service") {
            self.unit(module, file, name);
        } else if file.path.contains("events/") || file.path.contains("actions/") {
            let found = handlers::judge(file.path, file.source, &file.text, file.mode);
            self.warnings.extend(found);
        } else if name.ends_with(".sh") || file.text.contains(LABEL) {
            self.warnings.extend(label(module, file));
        } else {
            let message = format!("`{}` is nothing that is looked at", file.path);
            self.errors.push(
                Diagnostic::new(&FILE, file.named, message)
                    .help("name units, event handlers, steps and `build-images.sh`"),
            );
        }
    }

    fn unit(&mut self, module: &NethServer, file: &File<'_>, name: &str) {
        let lines = unit_file::read(file.source, &file.text);
        self.warnings.extend(units::judge(module, &lines));
        self.seen.push(name.to_owned());
        let reloaded = module.certificates.iter().find(|one| {
            one.on_change.0 == OnChange::Reload && one.units.iter().any(|(unit, _)| unit == name)
        });
        let can = lines.iter().any(|line| line.name == "ExecReload");
        if let Some(one) = reloaded.filter(|one| !can && one.exec_reload.0.is_empty()) {
            let message = format!("`{name}` is to be reloaded, and has no `ExecReload=`");
            self.errors.push(
                Diagnostic::new(&FILE, one.on_change.1, message)
                    .also(file.source.start(), "the unit")
                    .help("write `exec_reload: […]`, or `on_change: restart`"),
            );
        }
    }
}

/// The label, where the script that builds the image says it.
fn label(module: &NethServer, file: &File<'_>) -> Vec<Diagnostic> {
    let needed = roles(module);
    let ours = format!("{TRAEFIK}:{}", needed.join(","));
    let help = format!(
        "write `--label=\"$(cat {}.labels)\"`, with other roles under `authorizations`; or `{ours}`",
        module.output
    );
    let Some(at) = file.text.find(LABEL) else {
        if file.text.contains(".labels") {
            return Vec::new();
        }
        let message = "the image asks for no role, and Traefik would refuse the module";
        return vec![
            Diagnostic::new(&AUTHORIZATIONS, file.source.start(), message)
                .also(module.output_span, "what the module asks for")
                .help(help),
        ];
    };
    let after = file.text.get(at + LABEL.len()..).unwrap_or_default();
    let value = after.trim_start_matches(['=', ' ']);
    let value = value.split(['"', '\'', '\n']).next().unwrap_or_default();
    let span = file
        .source
        .span(at..at + LABEL.len() + after.find(value).unwrap_or(0) + value.len());
    let entries: Vec<&str> = value
        .split_whitespace()
        .filter_map(|entry| entry.strip_prefix(TRAEFIK)?.strip_prefix(':'))
        .collect();
    // The last entry for an agent wins.
    let has: Vec<&str> = entries
        .last()
        .map_or(Vec::new(), |roles| roles.split(',').collect());
    let any = value.contains("traefik@any:") || value.contains("$(");
    let mut found = Vec::new();
    let mut say = |message: String| {
        found.push(
            Diagnostic::new(&AUTHORIZATIONS, span, message)
                .also(module.output_span, "what the module asks for")
                .help(help.clone()),
        );
    };
    if entries.len() > 1 {
        say(format!(
            "of {} entries for `{TRAEFIK}` only the last one counts",
            entries.len()
        ));
    } else if has.contains(&WIDEST) {
        say(format!(
            "`{WIDEST}` is all that Traefik offers, and the module needs `{}`",
            needed.join(",")
        ));
    } else {
        let missing: Vec<&str> = needed
            .iter()
            .copied()
            .filter(|role| !has.contains(role))
            .collect();
        let wider: Vec<&str> = has
            .iter()
            .copied()
            .filter(|role| !needed.contains(role))
            .collect();
        if !missing.is_empty() && !any {
            say(format!(
                "the image does not ask for `{}`, and Traefik would refuse the module",
                missing.join(",")
            ));
        } else if !wider.is_empty() {
            say(format!(
                "the image asks for `{}`, which nothing here needs",
                wider.join(",")
            ));
        }
    }
    found
}
