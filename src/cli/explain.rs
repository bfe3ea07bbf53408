//! `tlsgen explain`: the manual page of a code, a runtime or a server.

use super::Exit;
use super::arguments::{Explain, Format};
use super::output::Output;
use crate::diagnostic::{Code, Severity, nearest};
use crate::runtimes::{self, RUNTIMES};
use crate::servers::{self, SERVERS};

/// Runs the command.
pub fn run(options: &Explain, output: &mut Output) -> Exit {
    let Some(name) = &options.code else {
        list(output);
        return Exit::Done;
    };
    // Whoever copies from a terminal brings the brackets along.
    let name = name.trim_matches(['[', ']', '`']);
    if let Some(code) = crate::codes().find(|code| code.name == name) {
        page(code, output);
        return Exit::Done;
    }
    if let Some(runtime) = runtimes::find(name) {
        output.answer(&format!(
            "{}: {}\n\n{}",
            runtime.name, runtime.summary, runtime.manual
        ));
        return Exit::Done;
    }
    if let Some(server) = servers::find(name) {
        output.answer(&format!(
            "{}: {}\n\n{}",
            server.name, server.summary, server.manual
        ));
        return Exit::Done;
    }
    let names = crate::codes()
        .map(|code| code.name)
        .chain(RUNTIMES.iter().map(|runtime| runtime.name))
        .chain(SERVERS.iter().map(|server| server.name));
    let names: Vec<&str> = names.collect();
    let help = match nearest(name, names) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "`tlsgen explain` lists what there is".to_owned(),
    };
    output.no_answer(&format!(
        "there is nothing called `{name}` to explain; {help}"
    ))
}

fn list(output: &mut Output) {
    let mut codes: Vec<&Code> = crate::codes().collect();
    codes.sort_by_key(|code| code.name);
    if output.format == Format::Json {
        return output.json(&codes.iter().map(|code| row(code)).collect::<Vec<_>>());
    }
    let width = codes
        .iter()
        .map(|code| code.name.len())
        .max()
        .unwrap_or_default();
    let mut text = String::new();
    for code in codes {
        text.push_str(&format!("{:width$}  {}\n", code.name, code.summary));
    }
    text.push_str("\nruntimes\n\n");
    for runtime in RUNTIMES {
        text.push_str(&format!("{:width$}  {}\n", runtime.name, runtime.summary));
    }
    text.push_str("\nservers\n\n");
    for server in SERVERS {
        text.push_str(&format!("{:width$}  {}\n", server.name, server.summary));
    }
    output.answer(&text);
}

fn page(code: &Code, output: &mut Output) {
    if output.format == Format::Json {
        return output.json(&row(code));
    }
    let severity = match code.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    output.answer(&format!(
        "{severity} {}: {}\n\n{}",
        code.name, code.summary, code.manual
    ));
}

fn row(code: &Code) -> serde_json::Value {
    serde_json::json!({
        "code": code.name,
        "severity": code.severity,
        "summary": code.summary,
        "manual": code.manual,
    })
}
