//! What the controllers behind the usual classes of Ingress can be asked for, and how.
//!
//! The Ingress API itself knows neither redirects nor headers. Each controller has annotations of its
//! own for them and ignores those of others, so that a class of two controllers gets both.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Opened;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::Span;
use crate::targets::kubernetes::Gathering;

pub(super) static CANNOT: Code = Code {
    name: "entrance-cannot",
    severity: Severity::Error,
    summary: "an Ingress of this class cannot be made to do what is asked for",
    manual: include_str!("../manual/entrance-cannot.md"),
};
pub(super) static RETIRED: Code = Code {
    name: "ingress-nginx-retired",
    severity: Severity::Warning,
    summary: "an Ingress is left to a controller that gets no fixes any more",
    manual: include_str!("../manual/ingress-nginx-retired.md"),
};
pub(super) static NAMESPACE: Code = Code {
    name: "entrance-namespace",
    severity: Severity::Error,
    summary: "an entrance must name the namespace that it will be in, and nothing says it",
    manual: include_str!("../manual/entrance-namespace.md"),
};

/// What an Ingress gets besides what its API knows.
#[derive(Default)]
pub(super) struct Extras {
    pub annotations: BTreeMap<&'static str, String>,
    /// Objects to which annotations refer.
    pub objects: Vec<Value>,
}

/// Which controllers a class is usually of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Controller {
    /// Traefik (doc.traefik.io, "Traefik & Kubernetes with Ingress").
    Traefik,
    /// HAProxy's own (haproxytech/kubernetes-ingress, `documentation/annotations.md`), and HAProxy
    /// Ingress (haproxy-ingress.github.io, "Configuration keys"): both call their class `haproxy`.
    Haproxy,
    /// ingress-nginx, retired in March 2026; F5's controller calls its class so too.
    Nginx,
    Other,
}

/// What is asked for, in the words of a class; what it has no words for goes to `found`.
pub(super) fn extras(
    gathering: &mut Gathering<'_>,
    opened: &Opened<'_>,
    class: &str,
    class_span: Span,
) -> Extras {
    match controller(class) {
        Controller::Traefik => traefik(gathering, opened),
        Controller::Haproxy => haproxy(opened),
        Controller::Nginx => nginx(gathering, opened, class_span),
        Controller::Other => {
            let redirect = opened
                .said
                .redirect_http
                .map(|span| ("redirect_http", span));
            let hsts = opened.said.hsts.map(|(_, span)| ("hsts", span));
            for (field, span) in redirect.into_iter().chain(hsts) {
                let message = format!(
                    "`{field}` is nothing that an Ingress of class `{class}` is known to do"
                );
                gathering.found.push(cannot(message, span).help(
                    "remove the line, or use a Gateway, whose API knows it: `gateway: {class: …}`",
                ));
            }
            Extras::default()
        }
    }
}

fn controller(class: &str) -> Controller {
    match class {
        "traefik" => Controller::Traefik,
        "haproxy" | "haproxy-ingress" => Controller::Haproxy,
        "nginx" => Controller::Nginx,
        _ => Controller::Other,
    }
}

fn cannot(message: String, span: Span) -> Diagnostic {
    Diagnostic::new(&CANNOT, span, message)
}

/// Middlewares, which an annotation names together with their namespace.
fn traefik(gathering: &mut Gathering<'_>, opened: &Opened<'_>) -> Extras {
    let redirect = opened.said.redirect_http.map(|_| {
        let middleware = json!({"redirectScheme": {"scheme": "https", "permanent": true}});
        (format!("{}-redirect", opened.name), middleware)
    });
    let hsts = opened.hsts().map(|value| {
        let middleware =
            json!({"headers": {"customResponseHeaders": {"Strict-Transport-Security": value}}});
        (format!("{}-hsts", opened.name), middleware)
    });
    let middlewares: Vec<(String, Value)> = redirect.into_iter().chain(hsts).collect();
    let mut extras = Extras::default();
    let entry_points = "traefik.ingress.kubernetes.io/router.entrypoints";
    if opened.said.redirect_http.is_some() {
        // One router for both: `router.tls` would keep it from answering plain HTTP, so that TLS at
        // `websecure` is left to the settings of that entry point, where the chart has it.
        let both = "web,websecure".to_owned();
        extras.annotations.insert(entry_points, both);
        let note = "Traefik must have TLS on at its entry point `websecure`, as its chart has by default: the Ingress with a redirect answers at `web` too, and cannot say it";
        let notes = &mut gathering.lowered.notes;
        if !notes.iter().any(|known| known == note) {
            notes.push(note.to_owned());
        }
    } else {
        extras
            .annotations
            .insert(entry_points, "websecure".to_owned());
        let tls = "traefik.ingress.kubernetes.io/router.tls";
        extras.annotations.insert(tls, "true".to_owned());
    }
    if middlewares.is_empty() {
        return extras;
    }
    let said = gathering.cluster.namespace.as_ref();
    let said = said.map(|(namespace, _)| namespace.as_str());
    let Some(namespace) = opened.namespace.or(said) else {
        let message = "an Ingress of Traefik names its middlewares with their namespace";
        let at = opened.said.redirect_http;
        let at = at.or(opened.said.hsts.map(|(_, span)| span));
        let at = at.unwrap_or(opened.said.place.value);
        gathering.found.push(
            Diagnostic::new(&NAMESPACE, at, message)
                .help("write `namespace: …` in the target, as the manifests are applied"),
        );
        return extras;
    };
    let names: Vec<String> = middlewares
        .iter()
        .map(|(name, _)| format!("{namespace}-{name}@kubernetescrd"))
        .collect();
    let annotation = "traefik.ingress.kubernetes.io/router.middlewares";
    extras.annotations.insert(annotation, names.join(","));
    extras
        .objects
        .extend(middlewares.into_iter().map(|(name, spec)| {
            json!({
                "apiVersion": "traefik.io/v1alpha1",
                "kind": "Middleware",
                "metadata": {"name": name},
                "spec": spec,
            })
        }));
    extras
}

fn haproxy(opened: &Opened<'_>) -> Extras {
    let mut extras = Extras::default();
    let mut say = |name, value: &str| extras.annotations.insert(name, value.to_owned());
    if opened.said.redirect_http.is_some() {
        say("haproxy.org/ssl-redirect", "true");
        say("haproxy.org/ssl-redirect-code", "301");
        // The port of the pod (8443) if it is not said.
        let port = opened.host.port.to_string();
        say("haproxy.org/ssl-redirect-port", &port);
        say("haproxy-ingress.github.io/ssl-redirect", "true");
    }
    match opened.said.hsts {
        Some((seconds, _)) => {
            let header = format!("Strict-Transport-Security \"max-age={seconds}\"");
            say("haproxy.org/response-set-header", &header);
            say("haproxy-ingress.github.io/hsts", "true");
            say("haproxy-ingress.github.io/hsts-include-subdomains", "false");
            say(
                "haproxy-ingress.github.io/hsts-max-age",
                &seconds.to_string(),
            );
            say("haproxy-ingress.github.io/hsts-preload", "false");
        }
        // It sends six months of it unless told not to, which nobody asked for.
        None => {
            say("haproxy-ingress.github.io/hsts", "false");
        }
    }
    extras
}

fn nginx(gathering: &mut Gathering<'_>, opened: &Opened<'_>, class_span: Span) -> Extras {
    let host = &opened.host.name;
    let message =
        "ingress-nginx, whose class this is, was retired in March 2026 and gets no fixes any more";
    let retired = Diagnostic::new(&RETIRED, class_span, message)
        .about(format!("hosts.{host}"))
        .help("use a Gateway: `gateway: {class: …}`, or the class of another controller");
    gathering.found.push(retired);
    if let Some((_, span)) = opened.said.hsts {
        let message = "`hsts` is nothing that one Ingress of class `nginx` can be made to do: ingress-nginx has it for all hosts together, in its ConfigMap";
        gathering.found.push(cannot(message.to_owned(), span).help(
            "set `hsts` and `hsts-max-age` there and remove the line, or use a Gateway: `gateway: {class: …}`",
        ));
    } else {
        gathering.lowered.notes.push(format!(
            "ingress-nginx sends Strict-Transport-Security for `{host}` as its own ConfigMap says: by default for all names below it too"
        ));
    }
    let mut extras = Extras::default();
    if opened.said.redirect_http.is_some() {
        let name = "nginx.ingress.kubernetes.io/ssl-redirect";
        extras.annotations.insert(name, "true".to_owned());
    }
    extras
}
