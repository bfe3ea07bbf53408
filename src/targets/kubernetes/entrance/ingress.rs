//! An Ingress (`networking.k8s.io/v1`): one for each host.

use serde_json::{Value, json};

use super::{Opened, class};
use crate::source::Span;
use crate::targets::kubernetes::Gathering;

/// The port at which every controller answers TLS.
const HTTPS: u16 = 443;

/// Adds the Ingress of a host, and what its class needs beside it.
pub(super) fn add(
    gathering: &mut Gathering<'_>,
    opened: &Opened<'_>,
    class: &str,
    class_span: Span,
) {
    let Some(secret) = opened.secret(gathering) else {
        return;
    };
    let extras = class::extras(gathering, opened, class, class_span);
    if opened.host.port != HTTPS {
        gathering.lowered.notes.push(format!(
            "`{}` is reached at port {}: an Ingress says no port, its controller must answer TLS there",
            opened.host.name, opened.host.port
        ));
    }
    let mut object = ingress(opened, class, &secret);
    if !extras.annotations.is_empty() {
        object["metadata"]["annotations"] = json!(extras.annotations);
    }
    opened.put(gathering, object);
    for object in extras.objects {
        opened.put(gathering, object);
    }
}

fn ingress(opened: &Opened<'_>, class: &str, secret: &str) -> Value {
    let said = opened.said;
    let rules = opened.names.iter().map(|name| {
        json!({
            "host": name,
            "http": {"paths": [{
                "path": said.path,
                "pathType": "Prefix",
                "backend": {"service": {"name": said.service.0, "port": {"number": said.port}}},
            }]},
        })
    });
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": opened.name},
        "spec": {
            "ingressClassName": class,
            "tls": [{"hosts": opened.names, "secretName": secret}],
            "rules": rules.collect::<Vec<_>>(),
        },
    })
}
