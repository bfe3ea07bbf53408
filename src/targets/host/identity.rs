//! What a service of a machine presents as a client: the variables that name it.

use super::certificates::{FULL_CHAIN, KEY};
use super::{Machinery, app};
use crate::model::machine::Deployed;
use crate::provision::{Existing, Value, Variable};
use crate::source::Span;

/// The variables of an identity, each with the place that names it, and what the plan says.
#[derive(Debug, Default)]
pub struct Identified {
    /// The variables.
    pub variables: Vec<(Variable, Span)>,
    /// What the plan says.
    pub notes: Vec<String>,
}

/// How a service learns of its identity, if it has one.
pub fn of(machinery: &Machinery<'_>, deployed: &Deployed) -> Identified {
    let model = machinery.inputs.model;
    let service = model.service(deployed.service);
    let Some(identity) = &service.identity else {
        return Identified::default();
    };
    let host = &model.host(identity.host).name;
    let full_chain = app::path(machinery, deployed, host, FULL_CHAIN);
    let key = app::path(machinery, deployed, host, KEY);
    let mut notes = Vec::new();
    if identity.variables.is_none() && app::is_application(service) {
        notes.push(format!(
            "{}: no variable names the files of its identity `{host}`: its own settings must name the certificate with intermediates in {full_chain} and the key in {key}",
            service.name
        ));
    }
    if service.has_runtime("java") {
        notes.push(format!(
            "{}: Java's own settings (`javax.net.ssl.keyStore`) read no PEM: `tlsgen export` makes a keystore of `{host}`; a library that reads PEM needs none",
            service.name
        ));
    }
    let named = identity.variables.iter().flat_map(|variables| {
        [
            (&variables.certificate, full_chain.clone()),
            (&variables.key, key.clone()),
        ]
    });
    let variables = named.map(|((name, span), path)| {
        let variable = Variable {
            name: name.clone(),
            value: Value::text(path),
            existing: Existing::Conflict,
        };
        (variable, *span)
    });
    Identified {
        variables: variables.collect(),
        notes,
    }
}
