//! NethServer modules as targets, and hosts whose certificates the node of a module issues.

use std::collections::HashSet;

use super::{Resolver, UNKNOWN_HOST, index};
use crate::diagnostic::{Code, Diagnostic, Severity, suggest};
use crate::model::nethserver::{NethServer, NodeCertificate, NodeHost, Route, Switch};
use crate::model::{Authority, Host, HostId, Index, Service, Target, TargetKind};
use crate::source::Span;
use crate::spec;

pub(super) static ELSEWHERE: Code = Code {
    name: "issued-by-node",
    severity: Severity::Error,
    summary: "something else than a NethServer module presents a certificate that its node issues",
    manual: include_str!("../manual/issued-by-node.md"),
};
pub(super) static UNTRUSTED: Code = Code {
    name: "node-not-trusted",
    severity: Severity::Error,
    summary: "a trust list names the Traefik of a node, which has no root of its own",
    manual: include_str!("../manual/node-not-trusted.md"),
};

/// How long the agent's own helper waits for a certificate (`set-certificate`, `validate-input.json`).
const USUAL_TIMEOUT: u32 = 60;
/// What NethServer's own modules call the directory of their certificates.
const DIRECTORY: &str = "tls-certs";

impl Resolver<'_> {
    pub(super) fn nethserver(&mut self, target: &str, module: &spec::NethServer) -> NethServer {
        let here = ["targets", target];
        let at = |field: &str| self.loaded.place(&["targets", target, field]).value;
        let (module_span, output_span) = (at("module"), at("output"));
        let mut files = Vec::new();
        for (index, file) in module.files.iter().enumerate() {
            let span = self.value(&["targets", target, "files", &index.to_string()]);
            files.extend(self.path(file, here, span).map(|path| (path, span)));
        }
        let output = self.path(&module.output, here, output_span);
        let mut routes = Vec::new();
        if let Some(route) = &module.route {
            routes.extend(self.route(&["targets", target, "route"], None, route));
        }
        for (name, route) in &module.routes {
            let path = ["targets", target, "routes", name.as_str()];
            routes.extend(self.route(&path, Some(name.to_string()), route));
        }
        let mut certificates = Vec::new();
        if let Some(one) = &module.certificate {
            certificates.extend(self.certificate(&["targets", target, "certificate"], None, one));
        }
        for (name, one) in &module.certificates {
            let path = ["targets", target, "certificates", name.as_str()];
            certificates.extend(self.certificate(&path, Some(name.to_string()), one));
        }
        NethServer {
            module: (module.module.to_string(), module_span),
            output: output.unwrap_or_default(),
            output_span,
            files,
            step: module.step,
            also_in: module.also_in.clone(),
            authorizations: module
                .authorizations
                .iter()
                .map(ToString::to_string)
                .collect(),
            routes,
            certificates,
        }
    }

    fn route(&mut self, path: &[&str], name: Option<String>, route: &spec::Route) -> Option<Route> {
        let at = |field: &str| self.loaded.place(&[path, &[field]].concat()).value;
        let (upstream, host_span) = (at("upstream"), at("host"));
        let (path_span, strip, slash) = (at("path"), at("strip_prefix"), at("slash_redirect"));
        let (lets_encrypt, skip) = (at("lets_encrypt"), at("skip_cert_verify"));
        let allowlist = route.ip_allowlist.iter().enumerate().map(|(index, text)| {
            let index = index.to_string();
            let span = self
                .loaded
                .place(&[path, &["ip_allowlist", &index]].concat());
            (text.to_string(), span.value)
        });
        let ip_allowlist = allowlist.collect();
        let unnamed = route.host_env.as_ref().map(|_| at("host_env"));
        let host = match &route.host {
            None => None,
            Some(host) => Some(self.node_host(host, route.host_env.as_ref(), host_span)?),
        };
        let headers = |all: &indexmap::IndexMap<spec::HeaderName, spec::HeaderValue>| {
            let all = all.iter();
            all.map(|(name, value)| (name.to_string(), value.to_string()))
                .collect()
        };
        let asks = self.asks(route.host.as_ref(), route.lets_encrypt);
        Some(Route {
            name,
            unnamed: unnamed.filter(|_| host.is_none()),
            host,
            upstream: (route.upstream.to_string(), upstream),
            path: route
                .path
                .as_ref()
                .map(|path| (path.to_string(), path_span)),
            strip_prefix: (route.strip_prefix, strip),
            slash_redirect: (route.slash_redirect, slash),
            http2https: switch(route.http2https, route.http2https_env.as_ref()),
            lets_encrypt: (switch(asks, route.lets_encrypt_env.as_ref()), lets_encrypt),
            lets_encrypt_check: route.lets_encrypt_check,
            lets_encrypt_cleanup: route.lets_encrypt_cleanup,
            ip_allowlist,
            request_headers: headers(&route.headers.request),
            response_headers: headers(&route.headers.response),
            skip_cert_verify: route
                .skip_cert_verify
                .as_ref()
                .map(|reason| (reason.to_string(), skip)),
            priority: route.priority,
            place: self.loaded.place(path),
        })
    }

    fn certificate(
        &mut self,
        path: &[&str],
        name: Option<String>,
        said: &spec::NodeCertificate,
    ) -> Option<NodeCertificate> {
        let at = |field: &str| self.loaded.place(&[path, &[field]].concat()).value;
        let (unit_span, on_change, reload) = (at("unit"), at("on_change"), at("exec_reload"));
        let (directory, timeout, background) =
            (at("directory"), at("sync_timeout"), at("background"));
        let host_span = at("host");
        let units = said.unit.0.iter().enumerate().map(|(index, unit)| {
            let place = self
                .loaded
                .place(&[path, &["unit", &index.to_string()]].concat());
            let one = said.unit.0.len() == 1;
            (unit.to_string(), if one { unit_span } else { place.value })
        });
        let units = units.collect();
        let host = self.node_host(&said.host, said.host_env.as_ref(), host_span)?;
        let usual = match &name {
            None => DIRECTORY.to_owned(),
            Some(name) => format!("{DIRECTORY}/{name}"),
        };
        let said_directory = said.directory.as_ref().map(ToString::to_string);
        Some(NodeCertificate {
            name,
            host,
            units,
            on_change: (said.on_change, on_change),
            exec_reload: (
                said.exec_reload.iter().map(ToString::to_string).collect(),
                reload,
            ),
            directory: (said_directory.unwrap_or(usual), directory),
            combined: said.combined,
            lets_encrypt: self.asks(Some(&said.host), said.lets_encrypt),
            sync_timeout: (
                said.sync_timeout
                    .map_or(USUAL_TIMEOUT, std::num::NonZeroU32::get),
                timeout,
            ),
            background: (said.background, background),
            place: self.loaded.place(path),
        })
    }

    /// Whether Let's Encrypt is asked: where the spec does not say so, its issuer does.
    fn asks(&self, host: Option<&spec::Name>, said: Option<bool>) -> bool {
        let issuer = || self.loaded.spec.hosts.get(host?.as_str())?.issuer.as_ref();
        said.unwrap_or_else(|| issuer().is_some())
    }

    fn node_host(
        &mut self,
        name: &spec::Name,
        variable: Option<&spec::EnvironmentName>,
        span: Span,
    ) -> Option<NodeHost> {
        let known: Index = index(self.loaded.spec.hosts.keys());
        let Some(id) = known.get(name.as_str()) else {
            let message = format!("there is no host `{name}`");
            let unknown = Diagnostic::new(&UNKNOWN_HOST, span, message);
            self.found
                .push(unknown.help(suggest(name.as_str(), known.keys().map(String::as_str))));
            return None;
        };
        Some(NodeHost {
            host: HostId(*id),
            variable: variable.map(ToString::to_string),
            span,
        })
    }

    /// An entry of a trust list that stands for no certificate at all.
    pub(super) fn node_in_trust(&mut self, path: &[&str], index: usize, name: &str) {
        let Some(spec::Authority::Nethserver(_)) = self.loaded.spec.authorities.get(name) else {
            return;
        };
        let index = index.to_string();
        let span = self.value(&[path, &[&index]].concat());
        let place = self.loaded.place(&["authorities", name]);
        let message = format!("`{name}` has no root of its own that could be trusted");
        self.found.push(
            Diagnostic::new(&UNTRUSTED, span, message)
                .also(place.key, "the Traefik of a node")
                .help("trust `public`: what the node presents is signed by Let's Encrypt or by whom its administrator chose"),
        );
    }

    /// Hosts whose certificates a node issues, where something else than a module presents them.
    pub(super) fn outside_nodes(
        &mut self,
        authorities: &[Authority],
        hosts: &[Host],
        services: &[Service],
        targets: &[Target],
    ) {
        let of_node = |host: HostId| {
            let host = hosts.get(host.0)?;
            let (issuer, _) = host.issuer?;
            authorities.get(issuer.0)?.node.then_some(host)
        };
        let presented = services.iter().flat_map(|service| {
            let served = service.serves().iter().filter(|one| one.behind.is_none());
            let served = served.map(|serve| (serve.host, serve.place.value, "serves"));
            let identity = service.identity.iter();
            served.chain(identity.map(|one| (one.host, one.span, "identity")))
        });
        let clusters = targets.iter().filter_map(|target| match &target.kind {
            TargetKind::Kubernetes(cluster) => Some(cluster),
            _ => None,
        });
        let entrances = clusters.flat_map(|cluster| &cluster.entrances);
        let entrances = entrances.map(|one| (one.host, one.place.value, "entrances"));
        let mut told: HashSet<Span> = HashSet::new();
        for (host, span, field) in presented.chain(entrances) {
            let Some(host) = of_node(host).filter(|_| told.insert(span)) else {
                continue;
            };
            let name = &host.name;
            let message = format!(
                "`{field}` has the certificate of `{name}`, which the node of a NethServer module issues, and hands to that module alone"
            );
            self.found.push(
                Diagnostic::new(&ELSEWHERE, span, message)
                    .also(host.place.key, "the host")
                    .help(format!(
                        "name it in `route` or `certificate` of a target of `kind: nethserver`, or give `{name}` another `issuer`; an application behind the node's Traefik has `behind: {{networks: [127.0.0.1]}}`"
                    )),
            );
        }
    }
}

fn switch(said: bool, variable: Option<&spec::EnvironmentName>) -> Switch {
    match variable {
        Some(variable) => Switch::Variable(variable.to_string()),
        None => Switch::Fixed(said),
    }
}
