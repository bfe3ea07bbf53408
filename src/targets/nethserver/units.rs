//! Units that a module has already: faults that are found in modules that ship.

use super::unit_file::Assignment;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::nethserver::NethServer;

pub static STATUS: Code = Code {
    name: "nethserver-exit-status",
    severity: Severity::Warning,
    summary: "a unit takes an unchanged certificate for a failure",
    manual: include_str!("manual/nethserver-exit-status.md"),
};
pub static STATE: Code = Code {
    name: "nethserver-state-directory",
    severity: Severity::Warning,
    summary: "a unit names the module's directory by a word whose meaning has changed",
    manual: include_str!("manual/nethserver-state-directory.md"),
};
pub static HIDDEN: Code = Code {
    name: "nethserver-failure-hidden",
    severity: Severity::Warning,
    summary: "a unit passes over that a certificate could not be had",
    manual: include_str!("manual/nethserver-failure-hidden.md"),
};
pub static READABLE: Code = Code {
    name: "nethserver-key-readable",
    severity: Severity::Warning,
    summary: "a unit writes a private key that others may read",
    manual: include_str!("manual/nethserver-key-readable.md"),
};
pub static VARIABLE: Code = Code {
    name: "nethserver-variable",
    severity: Severity::Warning,
    summary: "a unit gets the certificate of another name than the spec",
    manual: include_str!("manual/nethserver-variable.md"),
};

/// What is suspicious in a unit.
pub fn judge(module: &NethServer, lines: &[Assignment]) -> Vec<Diagnostic> {
    let fetches = lines.iter().any(|line| is_command(line) && fetches(line));
    let mut found = Vec::new();
    for line in lines {
        found.extend(state(line));
        found.extend(comma(line));
        if is_command(line) {
            found.extend(hidden(line, fetches));
            found.extend(readable(line));
            found.extend(other_name(module, line));
        }
    }
    found.extend(unchanged(lines));
    found
}

fn is_command(line: &Assignment) -> bool {
    line.section == "Service" && line.name.starts_with("Exec")
}

fn fetches(line: &Assignment) -> bool {
    line.value
        .split_whitespace()
        .any(|word| word.ends_with("get-certificate"))
}

/// `%S` of a user unit was `~/.config`, and is `~/.local/state` (Rocky Linux 9.8, Debian 13).
fn state(line: &Assignment) -> Option<Diagnostic> {
    let unescaped = line.value.replace("%%", "");
    unescaped.contains("%S").then(|| {
        let message =
            "`%S` leads to `~/.local/state` on newer nodes, where the module's state is not";
        Diagnostic::new(&STATE, line.span, message)
            .help("write `%E`, which is `~/.config` on all of them")
    })
}

fn comma(line: &Assignment) -> Option<Diagnostic> {
    (line.name == "SuccessExitStatus" && line.value.contains(',')).then(|| {
        let message = format!(
            "systemd ignores `SuccessExitStatus={}`: numbers stand apart by blanks",
            line.value
        );
        Diagnostic::new(&STATUS, line.span, message).help("write `SuccessExitStatus=0 3`")
    })
}

/// `get-certificate` ends with 3 where nothing changed.
fn unchanged(lines: &[Assignment]) -> Option<Diagnostic> {
    let start = lines
        .iter()
        .find(|line| line.name == "ExecStart" && fetches(line))?;
    let allowed = lines.iter().any(|line| {
        line.name == "SuccessExitStatus" && line.value.split([' ', ',']).any(|status| status == "3")
    });
    (!allowed && !prefix(&start.value).contains('-')).then(|| {
        let message = "`get-certificate` ends with 3 where nothing changed, and the unit fails";
        Diagnostic::new(&STATUS, start.span, message).help("write `SuccessExitStatus=0 3`")
    })
}

fn hidden(line: &Assignment, in_fetching_unit: bool) -> Option<Diagnostic> {
    let about_keys = line.value.contains(".key") || fetches(line);
    (prefix(&line.value).contains('-') && (in_fetching_unit || about_keys)).then(|| {
        let message = format!("`{}=-` passes over any failure, and services start with what was there", line.name);
        Diagnostic::new(&HIDDEN, line.span, message)
            .help("remove the `-`; what `get-certificate` says of an unchanged certificate is allowed by `SuccessExitStatus=0 3`")
    })
}

/// The letters in front of a command that change how it is run (systemd.service(5)).
fn prefix(command: &str) -> &str {
    let end = command.find(|letter| !"@-:+!|".contains(letter));
    command.get(..end.unwrap_or(0)).unwrap_or_default()
}

fn readable(line: &Assignment) -> Option<Diagnostic> {
    let copies = line.value.contains("cat ") && line.value.contains('>');
    let open = copies && line.value.contains(".key") && !line.value.contains("umask");
    open.then(|| {
        let message = "the file with the key gets the permissions of any other file";
        Diagnostic::new(&READABLE, line.span, message).help(
            "write `umask 077` in front; or `combined: true` in `certificate`, and remove the line",
        )
    })
}

fn other_name(module: &NethServer, line: &Assignment) -> Option<Diagnostic> {
    if !fetches(line) || module.certificates.is_empty() {
        return None;
    }
    let last = line.value.split_whitespace().last()?;
    let name = last.strip_prefix('$')?.trim_matches(['{', '}']);
    let hosts = module.certificates.iter().map(|one| &one.host);
    let known = |host: &&crate::model::nethserver::NodeHost| host.variable.as_deref() == Some(name);
    if hosts.clone().any(|host| known(&host)) {
        return None;
    }
    let host = hosts.into_iter().next()?;
    let message =
        format!("the unit gets the certificate of `${name}`, which the spec does not know");
    Some(
        Diagnostic::new(&VARIABLE, line.span, message)
            .also(host.span, "the host")
            .help(format!(
                "write `host_env: {name}`, or name in the unit what has the host's name"
            )),
    )
}
