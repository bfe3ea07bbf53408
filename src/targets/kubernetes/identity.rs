//! A service that presents a certificate as a TLS client.

use super::Gathering;
use super::patch::EnvironmentVariable;
use super::reload;
use super::secret;
use super::serving::files::{FULL_CHAIN, Files, KEY};
use super::serving::{placed, reader, variables, watch};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::Service;
use crate::model::kubernetes::Deployed;
use crate::provision::Reload;
use crate::servers::{self, ClientPlace, KeyReader};

static TWICE: Code = Code {
    name: "identity-names-two-files",
    severity: Severity::Error,
    summary: "one variable should name two files of a container",
    manual: include_str!("manual/identity-names-two-files.md"),
};

/// What identities can find, beside what serving can.
pub static CODES: &[&Code] = &[&TWICE];

/// Where the certificate stands that a service presents as a client.
const DIRECTORY: &str = "/etc/tlsgen/identity";

/// Where a server that is configured finds the files.
pub(super) fn place() -> ClientPlace {
    ClientPlace {
        full_chain: format!("{DIRECTORY}/{FULL_CHAIN}"),
        key: format!("{DIRECTORY}/{KEY}"),
        combined: None,
    }
}

/// Adds to the component what a service presents as a client.
pub fn add<'a>(gathering: &mut Gathering<'a>, deployed: &'a Deployed) {
    let service = gathering.inputs.model.service(deployed.service);
    if service.identity.is_none() {
        return;
    }
    let Some(placed) = placed::find(gathering, deployed) else {
        return;
    };
    if let Err(found) = bring(gathering, &placed, service) {
        gathering.found.extend(found);
    }
}

fn bring(
    gathering: &mut Gathering<'_>,
    placed: &placed::Placed<'_>,
    service: &Service,
) -> Result<(), Vec<Diagnostic>> {
    let Some(asked) = &service.identity else {
        return Ok(());
    };
    if let Some(taken) = placed.conflict(DIRECTORY, "its own certificate") {
        return Err(vec![taken]);
    }
    let wanted = named(gathering, placed, service)?;
    let namespace = placed.workload.namespace.as_deref();
    let secret = secret::of(gathering, asked.host, namespace, asked.span);
    let secret = secret.map_err(|diagnostic| vec![*diagnostic])?;
    let reader = reader::of(gathering, placed, service, opened_by(service))?;
    reader::allow(gathering, placed, reader)?;
    let mut files = Files::with_mode(reader.mode());
    files.secret(&secret.name, "");
    let watched = placed.container(gathering).lifecycle.is_some();
    if secret.renewed_in_place && !watched {
        let reload = asked.reload.clone().unwrap_or(Reload::Restart);
        let script = watch::script(gathering, &reload, &files.chains(DIRECTORY));
        let path = files.put("watch.sh".to_owned(), "reload/watch.sh".to_owned(), script);
        let path = format!("{DIRECTORY}/{path}");
        watch::start(gathering, placed, &reload, &path, asked.span)?;
    }
    if !secret.renewed_in_place {
        reload::tell(gathering, placed, &secret.name, true);
    }
    placed.set(gathering, wanted);
    files.mount(gathering, placed, "identity", DIRECTORY, asked.span);
    let host = &gathering.inputs.model.host(asked.host).name;
    let told = asked.variables.is_some() || is_configured(service);
    if !told {
        let place = place();
        gathering.lowered.notes.push(format!(
            "no variable names the files of the identity `{host}` of `{}`: its own settings must name the certificate with intermediates in {} and the key in {}",
            placed.deployed.name, place.full_chain, place.key
        ));
    }
    if service.has_runtime("java") {
        gathering.lowered.notes.push(format!(
            "Java's own settings (`javax.net.ssl.keyStore`) read no PEM: `tlsgen export` makes a keystore of `{host}`; a library that reads PEM needs none"
        ));
    }
    Ok(())
}

/// The variables that name the files.
fn named(
    gathering: &mut Gathering<'_>,
    placed: &placed::Placed<'_>,
    service: &Service,
) -> Result<Vec<EnvironmentVariable>, Vec<Diagnostic>> {
    let Some(asked) = service
        .identity
        .as_ref()
        .and_then(|one| one.variables.as_ref())
    else {
        return Ok(Vec::new());
    };
    let place = place();
    let both = [
        (&asked.certificate, place.full_chain),
        (&asked.key, place.key),
    ];
    let ours = &placed.container(gathering).env;
    // A name alone stands for what the base says.
    let ours = ours.iter().filter(|one| one.value.is_some());
    let mut seen: Vec<&str> = ours.map(|one| one.name.as_str()).collect();
    let mut found = Vec::new();
    for ((name, span), _) in &both {
        if seen.contains(&name.as_str()) {
            let message =
                format!("`{name}` should name a file of the identity, and names another already");
            found.push(
                Diagnostic::new(&TWICE, *span, message)
                    .help("write the variable from which the software takes this file"),
            );
        }
        seen.push(name);
    }
    if !found.is_empty() {
        return Err(found);
    }
    let named = both
        .into_iter()
        .map(|((name, _), path)| (name.clone(), path));
    variables::wanted(gathering, placed, named.collect())
}

fn opened_by(service: &Service) -> KeyReader {
    let server = service.serving.as_ref();
    let server = server.and_then(|serving| servers::find(&serving.server.name));
    server.map_or(KeyReader::Process, |server| server.opens_key)
}

fn is_configured(service: &Service) -> bool {
    let serving = service.serving.as_ref();
    serving.is_some_and(|serving| serving.server.is_configured())
}
