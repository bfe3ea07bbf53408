//! A load balancer that terminates TLS in front of services: a CloudFormation template.

mod names;
mod template;

use super::{Inputs, Lowered};
use crate::artifact::Artifact;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{Host, LoadBalancer, Serve, Service, SubjectName};
use crate::source::Span;
use crate::spec::{BalancerProvider, ClientAuthMode, GuidelineLevel};

static NOT_BEHIND: Code = Code {
    name: "balancer-not-believed",
    severity: Severity::Error,
    summary: "a service stands behind a load balancer and is not told whose word to take",
    manual: include_str!("load_balancer/manual/balancer-not-believed.md"),
};
static DIFFERENT: Code = Code {
    name: "balancer-listener-differs",
    severity: Severity::Error,
    summary: "hosts on one port of a load balancer ask for what it can do only once",
    manual: include_str!("load_balancer/manual/balancer-listener-differs.md"),
};
static NAME: Code = Code {
    name: "balancer-name",
    severity: Severity::Error,
    summary: "a load balancer cannot route by this name",
    manual: include_str!("load_balancer/manual/balancer-name.md"),
};
static CLIENTS: Code = Code {
    name: "balancer-clients",
    severity: Severity::Error,
    summary: "a load balancer cannot ask for client certificates in this way",
    manual: include_str!("load_balancer/manual/balancer-clients.md"),
};

/// What this target can find.
pub static CODES: &[&Code] = &[&NOT_BEHIND, &DIFFERENT, &NAME, &CLIENTS];

/// The longest name in a rule (Elastic Load Balancing, `HostHeaderConditionConfig`).
const LONGEST_NAME: usize = 128;

/// A host, and the service that answers for it.
struct Balanced<'a> {
    serve: &'a Serve,
    host: &'a Host,
    service: &'a Service,
}

/// The template.
///
/// # Errors
/// Everything in the spec that prevents it.
pub fn lower(inputs: &Inputs<'_>, balancer: &LoadBalancer) -> Result<Lowered, Vec<Diagnostic>> {
    let BalancerProvider::AwsAlb = balancer.provider;
    let hosts = hosts(inputs, balancer);
    let mut found: Vec<Diagnostic> = balancer
        .services
        .iter()
        .flat_map(|(id, _, span)| unbelieving(inputs.model.service(*id), *span))
        .collect();
    found.extend(unroutable(&hosts));
    found.extend(served_by_two(&hosts));
    found.extend(hosts.iter().filter_map(optional_clients));
    found.extend(different(&hosts));
    if !found.is_empty() {
        return Err(found);
    }
    let template = template::of(inputs.model, balancer, &hosts);
    let mut text = serde_json::to_string_pretty(&template).unwrap_or_default();
    text.push('\n');
    let bundles = bundles(inputs, balancer, &hosts);
    let mut notes = notes(balancer, &hosts);
    notes.extend(bundles.iter().map(|bundle| {
        format!(
            "`{}` is put into a bucket before the stack is made: the balancer verifies clients against it",
            bundle.path
        )
    }));
    Ok(Lowered {
        artifacts: [Artifact::text(&balancer.output, text, balancer.output_span)]
            .into_iter()
            .chain(bundles)
            .collect(),
        notes,
        ..Lowered::default()
    })
}

fn hosts<'a>(inputs: &Inputs<'a>, balancer: &LoadBalancer) -> Vec<Balanced<'a>> {
    let model = inputs.model;
    let services = balancer
        .services
        .iter()
        .map(|(id, _, _)| model.service(*id));
    services
        .flat_map(|service| {
            let serves = service.serves().iter();
            serves.map(move |serve| Balanced {
                serve,
                host: model.host(serve.host),
                service,
            })
        })
        .collect()
}

/// A service that would take its clients for the balancer, or believe anybody.
fn unbelieving(service: &Service, span: Span) -> Vec<Diagnostic> {
    let name = &service.name;
    if service.serves().is_empty() {
        let message = format!("`{name}` serves no host that could be balanced");
        let help = format!("write `server` and `serves` in `services.{name}`");
        return vec![Diagnostic::new(&NOT_BEHIND, span, message).help(help)];
    }
    let serves = service.serves().iter();
    serves
        .filter(|serve| serve.behind.is_none())
        .map(|serve| {
            let message = format!("`{name}` does not know whom to believe who its clients are");
            Diagnostic::new(&NOT_BEHIND, serve.place.value, message)
                .also(span, "it stands behind this balancer")
                .help("write the networks of the balancer's subnets: `behind: {networks: [10.0.0.0/16]}`")
        })
        .collect()
}

fn unroutable(hosts: &[Balanced<'_>]) -> Vec<Diagnostic> {
    let mut hosts: Vec<&Host> = hosts.iter().map(|balanced| balanced.host).collect();
    hosts.dedup_by_key(|host| &host.name);
    let names = hosts.into_iter().flat_map(|host| &host.names);
    names
        .filter_map(|(name, span)| {
            let (message, help) = match name {
                SubjectName::Ip(_) => (
                    format!("`{name}` cannot lead to a balancer, whose addresses change"),
                    "remove the address",
                ),
                SubjectName::Dns(text) if text.len() > LONGEST_NAME => (
                    format!(
                        "`{name}` is longer than the {LONGEST_NAME} letters that a rule may have"
                    ),
                    "shorten the name, or serve it elsewhere",
                ),
                SubjectName::Dns(_) => return None,
            };
            Some(Diagnostic::new(&NAME, *span, message).help(help))
        })
        .collect()
}

fn served_by_two(hosts: &[Balanced<'_>]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (index, one) in hosts.iter().enumerate() {
        let earlier = hosts.iter().take(index);
        if let Some(first) = earlier
            .into_iter()
            .find(|first| first.serve.host == one.serve.host)
        {
            let message = format!(
                "`{}` is served by `{}` and by `{}`, and a request goes to one",
                one.host.name, first.service.name, one.service.name
            );
            found.push(
                Diagnostic::new(&NAME, one.serve.place.value, message)
                    .also(first.serve.place.value, "the other")
                    .help("take one of the services out of the target, or give them hosts of their own"),
            );
        }
    }
    found
}

fn optional_clients(balanced: &Balanced<'_>) -> Option<Diagnostic> {
    let clients = balanced.serve.client_auth.as_ref()?;
    (clients.mode == ClientAuthMode::Optional).then(|| {
        let message = "this balancer verifies every client or none";
        Diagnostic::new(&CLIENTS, clients.span, message).help(
            "write `mode: required`, or let a server terminate TLS that can: `server: nginx@…` or `traefik@3`",
        )
    })
}

/// Policy, HSTS and clients are said once for each port.
fn different(hosts: &[Balanced<'_>]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (index, one) in hosts.iter().enumerate() {
        let Some(first) = hosts
            .iter()
            .take(index)
            .find(|first| first.host.port == one.host.port)
        else {
            continue;
        };
        let (a, b) = (first.serve, one.serve);
        let spans = [
            ("tls", a.tls.0 != b.tls.0, b.place.value),
            (
                "hsts",
                hsts(a) != hsts(b),
                b.hsts.map_or(b.place.value, |hsts| hsts.span),
            ),
            (
                "client_auth",
                clients(a) != clients(b),
                b.client_auth
                    .as_ref()
                    .map_or(b.place.value, |auth| auth.span),
            ),
        ];
        for (field, differs, span) in spans {
            if differs {
                let message = format!(
                    "`{}` and `{}` share port {} of the balancer and differ in `{field}`",
                    first.host.name, one.host.name, one.host.port
                );
                found.push(
                    Diagnostic::new(&DIFFERENT, span, message)
                        .also(first.serve.place.value, "the other")
                        .help("say the same of both, give one of them another `port`, or make two targets"),
                );
            }
        }
    }
    found
}

/// The value of the header, if there is one.
fn hsts(serve: &Serve) -> Option<String> {
    let hsts = serve.hsts?;
    let below = if hsts.include_subdomains {
        "; includeSubDomains"
    } else {
        ""
    };
    Some(format!("max-age={}{below}", hsts.seconds))
}

fn clients(serve: &Serve) -> Option<&crate::model::Trust> {
    serve.client_auth.as_ref().map(|clients| &clients.trust)
}

/// The authorities of clients, one file for each port that asks for certificates.
fn bundles(inputs: &Inputs<'_>, balancer: &LoadBalancer, hosts: &[Balanced<'_>]) -> Vec<Artifact> {
    let mut all: Vec<Artifact> = Vec::new();
    for balanced in hosts {
        let Some(clients) = &balanced.serve.client_auth else {
            continue;
        };
        let path = bundle_path(&balancer.output, balanced.host.port);
        let anchors = inputs.lists.get(&clients.trust);
        if let (Some(anchors), false) = (anchors, all.iter().any(|file| file.path == path)) {
            all.push(Artifact::bytes(path, anchors.bundle(), clients.span));
        }
    }
    all
}

/// Beside the template: `aws/load-balancer.json` has `aws/load-balancer-clients-443.pem`.
fn bundle_path(output: &str, port: u16) -> String {
    let stem = output.strip_suffix(".json").unwrap_or(output);
    format!("{stem}-clients-{port}.pem")
}

fn notes(balancer: &LoadBalancer, hosts: &[Balanced<'_>]) -> Vec<String> {
    let mut notes = Vec::new();
    for balanced in hosts {
        let name = &balanced.host.name;
        notes.push(format!(
            "{}: the certificate of {name} must be in ACM, which renews what it issued itself and nothing that was imported",
            balancer.output
        ));
        if !balanced.serve.headers.is_empty() {
            notes.push(format!(
                "{}: the headers of {name} are sent by `{}`, the balancer passes them on",
                balancer.output, balanced.service.name
            ));
        }
    }
    for (service, path) in template::asked(hosts) {
        notes.push(format!(
            "{}: `{service}` is well while it answers `{path}` with a status below 400, asked for by the address of its machine and not by a name",
            balancer.output
        ));
    }
    notes
}

/// Whose listener it is: the guideline as AWS has it. Both have post-quantum key exchange; the second
/// is what AWS recommends (Elastic Load Balancing, "Security policies for your Application Load Balancer").
fn policy(level: GuidelineLevel) -> &'static str {
    match level {
        GuidelineLevel::Modern => "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09",
        GuidelineLevel::Intermediate => "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
    }
}
