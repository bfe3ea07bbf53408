//! From a spec to a model: names become ids, paths are read.

mod acme;
mod cluster_issued;
mod hosts;
mod iam;
mod identity;
mod kubernetes;
mod machine;
mod nethserver;
mod nextflow;
mod orders;
mod secrets;
mod serving;
pub(super) mod targets;

use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity, Stop, suggest};
use crate::pki::Holder;
use crate::source::{Sources, Span};
use crate::spec::{self, KeyStore, Loaded, OUTSIDE, Place, RelativePath};
use crate::world::{self, World};

use super::certificates::{self, DAMAGED, KEY_IN_FILE, NOT_A_CERTIFICATE, PemFile, UNREADABLE};
use super::{
    Allowed, Authority, AuthorityId, Held, HostId, Index, Model, Orders, Pin, Service, TargetKind,
    Trust,
};

static UNKNOWN_AUTHORITY: Code = Code {
    name: "unknown-authority",
    severity: Severity::Error,
    summary: "a trust list names an authority that the spec does not have",
    manual: include_str!("manual/unknown-authority.md"),
};
static UNKNOWN_HOST: Code = Code {
    name: "unknown-host",
    severity: Severity::Error,
    summary: "`connects`, `serves` or `identity` names a host that the spec does not have",
    manual: include_str!("manual/unknown-host.md"),
};
static BAD_NAME: Code = Code {
    name: "invalid-host-name",
    severity: Severity::Error,
    summary: "a host has a name that no certificate can carry",
    manual: include_str!("manual/invalid-host-name.md"),
};
static NO_RUNTIME: Code = Code {
    name: "runtime-missing",
    severity: Severity::Error,
    summary: "a service trusts somebody, but does not say how it learns whom",
    manual: include_str!("manual/runtime-missing.md"),
};
static RESERVED: Code = Code {
    name: "reserved-name",
    severity: Severity::Error,
    summary: "an authority has a name that means something else",
    manual: include_str!("manual/reserved-name.md"),
};
static VERSIONS: Code = Code {
    name: "empty-version-range",
    severity: Severity::Error,
    summary: "the oldest TLS version is newer than the newest",
    manual: include_str!("manual/empty-version-range.md"),
};

/// What resolving can find.
pub static CODES: &[&Code] = &[
    &UNKNOWN_AUTHORITY,
    &UNKNOWN_HOST,
    &targets::UNKNOWN_SERVICE,
    &BAD_NAME,
    &NO_RUNTIME,
    &targets::OUTPUT_TAKEN,
    &RESERVED,
    &VERSIONS,
    &hosts::ISSUER,
    &hosts::KEY,
    &orders::ISSUER_LOOP,
    &orders::PATH_LENGTH,
    &orders::NESTED,
    &orders::WINDOW,
    &orders::TOO_LONG,
    &orders::FORBIDDEN,
    &orders::NAME_SPACE,
    &orders::SUBJECT,
    &orders::NO_EFFECT,
    &orders::REQUEST,
    &orders::KEYS,
    &acme::TERMS,
    &acme::CHALLENGE,
    &acme::WEBROOT,
    &kubernetes::ENTRANCE,
    &cluster_issued::ROOT,
    &cluster_issued::OUTSIDE_CLUSTERS,
    &nethserver::ELSEWHERE,
    &nethserver::UNTRUSTED,
    &secrets::UNKNOWN,
    &secrets::UNCLEAR,
    &serving::INCOMPLETE,
    &serving::SERVED_TWICE,
    &serving::NO_CERTIFICATE,
    &serving::BAD_UPSTREAM,
    &serving::BAD_NETWORK,
    &serving::RELOAD,
    &serving::CLIENT_TRUST,
    &iam::REGION,
    &iam::KEY,
    &iam::ROLE,
    &iam::UNKNOWN_ROLE,
    &targets::PORT,
    &targets::TWICE,
    &UNREADABLE,
    &NOT_A_CERTIFICATE,
    &DAMAGED,
    &KEY_IN_FILE,
];

/// The certificates that are issued here: those of authorities that tlsgen runs, and of hosts.
///
/// # Errors
/// [`Stop`]; what cannot be issued as it is asked for is in `found`.
pub fn orders(
    world: &dyn World,
    sources: &mut Sources,
    loaded: &Loaded,
    found: &mut Diagnostics,
) -> Result<Orders, Stop> {
    let held = Held::default();
    let mut resolver = Resolver {
        world,
        sources,
        found: Vec::new(),
        loaded,
        held: &held,
        directory: "",
        store: KeyStore::Files,
    };
    let orders = resolver.orders();
    found.extend(resolver.found);
    found.checkpoint().map(|()| orders)
}

/// Resolves every reference and reads every file that the spec names; `held` are the certificates
/// that are issued here, and `orders` what they were asked to be.
///
/// # Errors
/// [`Stop`]; everything that dangles is in `found`.
pub fn resolve(
    world: &dyn World,
    sources: &mut Sources,
    loaded: Arc<Loaded>,
    orders: &Orders,
    held: &Held,
    found: &mut Diagnostics,
) -> Result<Model, Stop> {
    let mut resolver = Resolver {
        world,
        sources,
        found: Vec::new(),
        loaded: &loaded,
        held,
        directory: &orders.keys.directory,
        store: orders.keys.store,
    };
    let authorities = resolver.authorities();
    let hosts = resolver.hosts(orders);
    let services = resolver.services();
    let secrets = resolver.secrets();
    let targets = resolver.targets(&secrets);
    resolver.outputs(&authorities, &hosts, &targets, &secrets);
    resolver.outside_clusters(&authorities, &hosts, &services, &targets);
    resolver.outside_nodes(&authorities, &hosts, &services, &targets);
    let allowed = resolver.allowed();
    found.extend(resolver.found);
    found.checkpoint()?;
    Ok(Model {
        project: loaded.spec.project.to_string(),
        authorities,
        hosts,
        services,
        secrets,
        targets,
        allowed,
        loaded,
    })
}

struct Resolver<'a> {
    world: &'a dyn World,
    sources: &'a mut Sources,
    found: Vec<Diagnostic>,
    loaded: &'a Loaded,
    held: &'a Held,
    /// The directory of the key store.
    directory: &'a str,
    /// How keys are kept in it.
    store: KeyStore,
}

impl Resolver<'_> {
    fn value(&self, path: &[&str]) -> Span {
        self.loaded.place(path).value
    }

    fn authorities(&mut self) -> Vec<Authority> {
        let mut all = Vec::new();
        for (name, authority) in &self.loaded.spec.authorities {
            let name = name.as_str();
            let here = ["authorities", name];
            let place = self.loaded.place(&here);
            if name == "public" {
                self.found.push(
                    Diagnostic::new(
                        &RESERVED,
                        place.key,
                        "`public` is the word for the public roots",
                    )
                    .help("choose another name for this authority"),
                );
            }
            let (field, path, pins, acme, cluster) = match authority {
                spec::Authority::Managed(managed) => {
                    let index =
                        self.loaded.spec.authorities.get_index_of(
                            managed.issuer.as_ref().map_or("", |issuer| issuer.as_str()),
                        );
                    all.push(self.managed(name, place, index.map(AuthorityId)));
                    continue;
                }
                spec::Authority::External(external) => (
                    "certificates",
                    Some(&external.certificates),
                    external.sha256.as_ref(),
                    None,
                    None,
                ),
                spec::Authority::Acme(acme) => ("root", acme.root.as_ref(), None, Some(acme), None),
                spec::Authority::CertManager(issued) => (
                    "root",
                    issued.root.as_ref(),
                    issued.sha256.as_ref(),
                    None,
                    Some(kubernetes::issuer(&issued.issuer)),
                ),
                spec::Authority::Nethserver(_) => ("kind", None, None, None, None),
            };
            if let Some(acme) = acme {
                self.acme(name, acme);
            }
            self.pins_of_nothing(name, authority);
            let file_span = self.value(&[here[0], name, field]);
            let file = match path {
                Some(path) => self.pem(path, here, file_span),
                None => PemFile::none(),
            };
            let pins = pins.map(|pins| {
                let pin = |(index, pin): (usize, &spec::Fingerprint)| Pin {
                    sha256: pin.0,
                    span: self.value(&[here[0], name, "sha256", &index.to_string()]),
                };
                pins.iter().enumerate().map(pin).collect()
            });
            all.push(Authority {
                name: name.to_owned(),
                acme: acme.cloned(),
                cluster,
                node: matches!(authority, spec::Authority::Nethserver(_)),
                managed: false,
                signer: None,
                key: None,
                file,
                list: None,
                pins,
                place,
                file_span,
            });
        }
        all
    }

    /// An authority that tlsgen runs, with those above it: whoever trusts it trusts its root.
    fn managed(&self, name: &str, place: Place, signer: Option<AuthorityId>) -> Authority {
        let holder = Holder::Authority(name.to_owned());
        let held = self.held.0.get(&holder);
        let chain = held.map_or(&[][..], |held| &held.chain);
        Authority {
            name: name.to_owned(),
            acme: None,
            cluster: None,
            node: false,
            managed: true,
            signer,
            key: (self.store == KeyStore::Files).then(|| holder.key(self.directory)),
            file: PemFile::issued(holder.certificate(), chain, place.key),
            list: held.and_then(|held| held.list.clone()),
            pins: None,
            place,
            file_span: place.key,
        }
    }

    fn services(&mut self) -> Vec<Service> {
        let authorities = index(self.loaded.spec.authorities.keys());
        let hosts = index(self.loaded.spec.hosts.keys());
        let secrets = index(self.loaded.spec.secrets.keys());
        let mut all = Vec::with_capacity(self.loaded.spec.services.len());
        for (name, service) in &self.loaded.spec.services {
            let name = name.as_str();
            let at = |field: &str| self.loaded.place(&["services", name, field]).value;
            let user = service.user.map(|user| (user, at("user")));
            let read_only = service
                .read_only
                .map(|read_only| (read_only, at("read_only")));
            let tls_versions = service
                .tls_versions
                .map(|versions| (versions, at("tls_versions")));
            let trust = service
                .trust
                .as_ref()
                .map(|trust| self.trust(&["services", name, "trust"], trust, &authorities));
            let serving = self.serving(name, service, &hosts, &authorities);
            let identity = self.identity(name, service, serving.as_ref(), &hosts);
            let connects = self.connects(name, &service.connects, &hosts);
            let given = self.secret_uses(name, &service.secrets, &secrets);
            let runtimes = service
                .runtime
                .as_ref()
                .map(|runtime| runtime.0.clone())
                .unwrap_or_default();
            let place = self.loaded.place(&["services", name]);
            // A server that is configured is told whom to trust in its configuration.
            let configured = serving
                .as_ref()
                .is_some_and(|serving| serving.server.is_configured());
            if trust.is_some() && runtimes.is_empty() && !configured {
                self.found.push(
                    Diagnostic::new(&NO_RUNTIME, place.key, format!("`{name}` trusts, but has no `runtime`"))
                        .help("write what runs in it, such as `runtime: java@17`; `system` is what has no variable of its own"),
                );
            }
            if let Some((versions, span)) = tls_versions
                && let (Some(min), Some(max)) = (versions.min, versions.max)
                && min > max
            {
                let message = format!(
                    "no TLS version is from {} to {}",
                    min.number(),
                    max.number()
                );
                self.found.push(
                    Diagnostic::new(&VERSIONS, span, message).help("exchange `min` and `max`"),
                );
            }
            all.push(Service {
                name: name.to_owned(),
                runtimes,
                trust,
                connects,
                secrets: given,
                user,
                read_only,
                tls_versions,
                serving,
                identity,
                place,
            });
        }
        all
    }

    fn trust(&mut self, path: &[&str], list: &[spec::Trust], known: &Index) -> Trust {
        let mut trust = Trust {
            authorities: Vec::new(),
            public: false,
        };
        for (index, entry) in list.iter().enumerate() {
            let spec::Trust::Authority(name) = entry else {
                trust.public = true;
                continue;
            };
            match known.get(name.as_str()) {
                Some(id) => {
                    self.rootless(path, index, name.as_str());
                    self.node_in_trust(path, index, name.as_str());
                    trust.authorities.push(AuthorityId(*id));
                }
                None => {
                    let index = index.to_string();
                    let span = self.value(&[path, &[&index]].concat());
                    let message = format!("there is no authority `{name}`");
                    let names = known.keys().map(String::as_str).chain(["public"]);
                    let unknown = Diagnostic::new(&UNKNOWN_AUTHORITY, span, message);
                    self.found.push(unknown.help(suggest(name.as_str(), names)));
                }
            }
        }
        trust.authorities.sort_unstable();
        trust.authorities.dedup();
        trust
    }

    fn connects(
        &mut self,
        service: &str,
        list: &[spec::Name],
        known: &Index,
    ) -> Vec<(HostId, Span)> {
        let mut all = Vec::with_capacity(list.len());
        for (index, name) in list.iter().enumerate() {
            let span = self.value(&["services", service, "connects", &index.to_string()]);
            match known.get(name.as_str()) {
                Some(id) => all.push((HostId(*id), span)),
                None => {
                    let message = format!("there is no host `{name}`");
                    let unknown = Diagnostic::new(&UNKNOWN_HOST, span, message);
                    self.found.push(
                        unknown.help(suggest(name.as_str(), known.keys().map(String::as_str))),
                    );
                }
            }
        }
        all
    }

    fn allowed(&self) -> Vec<Allowed> {
        // Lists of included files lie behind each other, so that places are found file by file.
        let mut all = Vec::new();
        let mut allowances = self.loaded.spec.lint.allow.iter();
        for tree in self.loaded.trees() {
            let items = tree.get("lint").and_then(|lint| lint.get("allow"));
            for item in items.map(|list| list.items()).unwrap_or_default() {
                all.extend(allowances.next().map(|allowance| Allowed {
                    allowance: allowance.clone(),
                    span: item.get("rule").map_or(item.span, |rule| rule.span),
                }));
            }
        }
        all
    }

    fn pem(&mut self, path: &RelativePath, of: [&str; 2], span: Span) -> PemFile {
        match self.path(path, of, span) {
            Some(path) => {
                certificates::read(self.world, self.sources, &path, span, &mut self.found)
            }
            None => PemFile {
                path: path.to_string(),
                certificates: Vec::new(),
            },
        }
    }

    /// A path from the root; one that leaves it is an error.
    fn path(
        &mut self,
        path: &RelativePath,
        [section, name]: [&str; 2],
        span: Span,
    ) -> Option<String> {
        let directory = self.loaded.directory(section, name);
        let joined = world::join(directory, path.as_str()).filter(|joined| !joined.is_empty());
        if joined.is_none() {
            let message = format!("`{path}` leads outside the project");
            let help = match section {
                "targets" => {
                    "name a path inside the project, or move the spec to a directory above it"
                }
                _ => "copy the file into the project, or move the spec to a directory above it",
            };
            self.found
                .push(Diagnostic::new(&OUTSIDE, span, message).help(help));
        }
        joined
    }
}

impl TargetKind {
    /// The file that is written, and where it is named.
    pub fn output(&self) -> (&str, Span) {
        match self {
            Self::Compose(compose) => (&compose.output, compose.output_span),
            Self::Script(script) => (&script.output, script.output_span),
            Self::LoadBalancer(balancer) => (&balancer.output, balancer.output_span),
            Self::Kubernetes(cluster) => (&cluster.output, cluster.output_span),
            Self::Machine(machine) => (&machine.output, machine.output_span),
            Self::NethServer(module) => (&module.output, module.output_span),
            Self::Iam(iam) => (&iam.output, iam.output_span),
            Self::Nextflow(pipeline) => (&pipeline.output, pipeline.output_span),
        }
    }
}

fn index(names: impl Iterator<Item = impl ToString>) -> Index {
    names
        .enumerate()
        .map(|(index, name)| (name.to_string(), index))
        .collect()
}
