//! A pre-run script for a machine or container that somebody else starts.

use serde::Serialize;

use super::{Inputs, Lowered};
use crate::artifact::{Artifact, EXECUTABLE};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{Script, ServiceId, Target, Trust};
use crate::pki::TrustAnchors;
use crate::provision::{Body, Existing, Provision};
use crate::source::Span;
use crate::{render, runtimes};

static DIFFERENT_TRUST: Code = Code {
    name: "script-trust-differs",
    severity: Severity::Error,
    summary: "services of one script trust different authorities",
    manual: include_str!("script/manual/script-trust-differs.md"),
};
static UNWRITABLE: Code = Code {
    name: "script-unwritable",
    severity: Severity::Error,
    summary: "a value cannot be written into the script",
    manual: include_str!("script/manual/script-unwritable.md"),
};

static SERVES: Code = Code {
    name: "script-of-a-server",
    severity: Severity::Error,
    summary: "a pre-run script presents no certificate",
    manual: include_str!("script/manual/script-of-a-server.md"),
};

static IDENTITY: Code = Code {
    name: "identity-not-for-script",
    severity: Severity::Error,
    summary: "a pre-run script brings no private key",
    manual: include_str!("script/manual/identity-not-for-script.md"),
};

/// What this target can find.
pub static CODES: &[&Code] = &[&DIFFERENT_TRUST, &UNWRITABLE, &SERVES, &IDENTITY];

/// The word by which the template knows the directory that the script chooses at run time.
const DIRECTORY: &str = "$directory";

/// What the template is told.
#[derive(Serialize)]
struct Context<'a> {
    project: &'a str,
    os: String,
    public: bool,
    system: bool,
    java: bool,
    anchors: Vec<Anchor<'a>>,
    files: Vec<File>,
    variables: Vec<Variable<'a>>,
}

#[derive(Serialize)]
struct Anchor<'a> {
    alias: &'a str,
    subject: &'a str,
    sha256: String,
    pem: String,
}

#[derive(Serialize)]
struct File {
    name: String,
    text: String,
}

#[derive(Serialize)]
struct Variable<'a> {
    name: &'a str,
    value: String,
    append: bool,
}

/// The script.
///
/// # Errors
/// Services that cannot share one machine, and values that a script cannot carry.
pub fn lower(
    inputs: &Inputs<'_>,
    target: &Target,
    script: &Script,
) -> Result<Lowered, Vec<Diagnostic>> {
    let services = script.services.iter();
    let presenting: Vec<Diagnostic> = services
        .flat_map(|(id, span)| [serves(inputs, *id, *span), presents(inputs, *id, *span)])
        .flatten()
        .collect();
    if !presenting.is_empty() {
        return Err(presenting);
    }
    let Some((trust, anchors)) = shared_trust(inputs, script)? else {
        return Ok(Lowered::default());
    };
    let services = || {
        script
            .services
            .iter()
            .map(|(id, _)| inputs.model.service(*id))
    };
    let provision =
        runtimes::union(services().map(|service| runtimes::on_machine(service, anchors)));
    let has = |runtime: &str| services().any(|service| service.has_runtime(runtime));
    let context = Context {
        project: &inputs.model.project,
        os: script.os.map(|os| os.name().to_owned()).unwrap_or_default(),
        public: trust.public,
        system: has("system"),
        java: has("java"),
        anchors: embedded(anchors),
        files: settings(&provision),
        variables: variables(&provision),
    };
    let text = render::text("script/pre-run.sh", &context).map_err(|error| {
        let message = format!("cannot write `{}`: {error}", script.output);
        let unwritable = Diagnostic::new(&UNWRITABLE, script.output_span, message);
        vec![unwritable.help("remove control characters from the names that reach the script")]
    })?;
    let notes = provision
        .notes
        .iter()
        .map(|note| format!("{}: {note}", target.name));
    let note = format!(
        "{}: {} bytes; what reads pre-run scripts may limit them",
        target.name,
        text.len()
    );
    Ok(Lowered {
        notes: notes.chain([note]).collect(),
        artifacts: vec![Artifact {
            mode: EXECUTABLE,
            ..Artifact::text(&script.output, text, script.output_span)
        }],
        ..Lowered::default()
    })
}

fn serves(inputs: &Inputs<'_>, id: ServiceId, span: Span) -> Option<Diagnostic> {
    let service = inputs.model.service(id);
    let serving = service.serving.as_ref()?;
    let message = format!(
        "`{}` serves hosts, and a script only lets it trust",
        service.name
    );
    Some(
        Diagnostic::new(&SERVES, span, message)
            .also(serving.server_span, "its server")
            .help("deploy it with a target of kind `compose`, or make a service without `serves` of what trusts"),
    )
}

fn presents(inputs: &Inputs<'_>, id: ServiceId, span: Span) -> Option<Diagnostic> {
    let service = inputs.model.service(id);
    let identity = service.identity.as_ref()?;
    let message = format!(
        "`{}` has an identity, and a script brings no private key",
        service.name
    );
    Some(
        Diagnostic::new(&IDENTITY, span, message)
            .also(identity.span, "its identity")
            .help("deploy it with a target of kind `compose`")
            .help("or give the machine its key by other means, and leave `identity` out"),
    )
}

/// The trust list of all services; variables of a machine hold for everything on it.
fn shared_trust<'a>(
    inputs: &'a Inputs<'_>,
    script: &Script,
) -> Result<Option<(&'a Trust, &'a TrustAnchors)>, Vec<Diagnostic>> {
    let mut lists = script.services.iter().filter_map(|(id, span)| {
        let trust = inputs.model.service(*id).trust.as_ref()?;
        Some((trust, *span))
    });
    let Some((first, first_span)) = lists.next() else {
        return Ok(None);
    };
    if let Some((_, span)) = lists.find(|(trust, _)| *trust != first) {
        let message = "these services trust different authorities, and share one machine";
        return Err(vec![
            Diagnostic::new(&DIFFERENT_TRUST, span, message)
                .also(first_span, "another list")
                .help("give them one trust list, or a script each"),
        ]);
    }
    Ok(inputs.lists.get(first).map(|anchors| (first, anchors)))
}

fn embedded(anchors: &TrustAnchors) -> Vec<Anchor<'_>> {
    let anchors = anchors.private().iter();
    anchors
        .map(|anchor| Anchor {
            alias: &anchor.alias,
            subject: anchor.certificate.subject(),
            sha256: anchor.certificate.fingerprint().to_string(),
            pem: anchor.certificate.to_pem(),
        })
        .collect()
}

/// Settings that name the directory; bundles are made by the script itself.
fn settings(provision: &Provision) -> Vec<File> {
    let files = provision.files.iter();
    files
        .filter_map(|file| match &file.body {
            Body::Configured(value) => Some(File {
                name: file.name.clone(),
                text: value.at(DIRECTORY).trim_end().to_owned(),
            }),
            Body::Bytes(_) => None,
        })
        .collect()
}

fn variables(provision: &Provision) -> Vec<Variable<'_>> {
    let mut all = Vec::new();
    for variable in &provision.variables {
        let value = variable.value.at(DIRECTORY);
        let append = variable.existing == Existing::Append;
        // A list is joined word by word, so that what it has already is not said twice.
        let words = if append { words(&value) } else { vec![value] };
        all.extend(words.into_iter().map(|value| Variable {
            name: &variable.name,
            value,
            append,
        }));
    }
    all
}

/// The words of a list of options; what stands in double quotes is one word.
fn words(list: &str) -> Vec<String> {
    let mut quoted = false;
    let parts = list.split(|letter: char| {
        quoted ^= letter == '"';
        letter == ' ' && !quoted
    });
    parts
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn quotes_keep_a_word_together() {
        assert_eq!(
            super::words("-a \"-b=c d\"  -e"),
            ["-a", "\"-b=c d\"", "-e"]
        );
    }
}
