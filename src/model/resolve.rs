//! From a spec to a model: names become ids, paths are read.

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity, Stop, suggest};
use crate::pki::key;
use crate::source::{Sources, Span};
use crate::spec::{self, Loaded, OUTSIDE, Place, RelativePath};
use crate::world::{self, World};
use crate::yaml;

use super::certificates::{self, DAMAGED, KEY_IN_FILE, NOT_A_CERTIFICATE, PemFile, UNREADABLE};
use super::{
    Allowed, Authority, AuthorityId, Compose, ComposeService, HandMade, Host, HostId, Index, Model, Pin, Script,
    Service, ServiceId, SubjectName, Target, TargetKind, Trust,
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
    summary: "`connects` names a host that the spec does not have",
    manual: include_str!("manual/unknown-host.md"),
};
static UNKNOWN_SERVICE: Code = Code {
    name: "unknown-service",
    severity: Severity::Error,
    summary: "a target names a service that the spec does not have",
    manual: include_str!("manual/unknown-service.md"),
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
static OUTPUT_TAKEN: Code = Code {
    name: "output-taken",
    severity: Severity::Error,
    summary: "a target would write over another target's file, or over one of the project's own",
    manual: include_str!("manual/output-taken.md"),
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
static TWICE: Code = Code {
    name: "service-deployed-twice",
    severity: Severity::Error,
    summary: "one target deploys two services of the spec under one name",
    manual: include_str!("manual/service-deployed-twice.md"),
};

/// What resolving can find.
pub static CODES: &[&Code] = &[
    &UNKNOWN_AUTHORITY,
    &UNKNOWN_HOST,
    &UNKNOWN_SERVICE,
    &BAD_NAME,
    &NO_RUNTIME,
    &OUTPUT_TAKEN,
    &RESERVED,
    &VERSIONS,
    &TWICE,
    &UNREADABLE,
    &NOT_A_CERTIFICATE,
    &DAMAGED,
    &KEY_IN_FILE,
];

/// Resolves every reference and reads every file that the spec names.
///
/// # Errors
/// [`Stop`]; everything that dangles is in `found`.
pub fn resolve(
    world: &dyn World,
    sources: &mut Sources,
    loaded: Loaded,
    found: &mut Diagnostics,
) -> Result<Model, Stop> {
    let mut resolver = Resolver {
        world,
        sources,
        found: Vec::new(),
        loaded: &loaded,
    };
    let authorities = resolver.authorities();
    let hosts = resolver.hosts();
    let services = resolver.services();
    let targets = resolver.targets();
    let allowed = resolver.allowed();
    found.extend(resolver.found);
    found.checkpoint()?;
    Ok(Model {
        project: loaded.spec.project.to_string(),
        authorities,
        hosts,
        services,
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
}

impl Resolver<'_> {
    fn value(&self, path: &[&str]) -> Span {
        self.loaded.place(path).value
    }

    fn authorities(&mut self) -> Vec<Authority> {
        let mut all = Vec::new();
        for (name, authority) in &self.loaded.spec.authorities {
            let spec::Authority::External(external) = authority;
            let name = name.as_str();
            let here = ["authorities", name];
            let place = self.loaded.place(&here);
            if name == "public" {
                self.found.push(
                    Diagnostic::new(&RESERVED, place.key, "`public` is the word for the public roots")
                        .help("choose another name for this authority"),
                );
            }
            let file_span = self.value(&[here[0], name, "certificates"]);
            let file = self.pem(&external.certificates, here, file_span);
            let pins = external.sha256.as_ref().map(|pins| {
                let pin = |(index, pin): (usize, &spec::Fingerprint)| Pin {
                    sha256: pin.0,
                    span: self.value(&[here[0], name, "sha256", &index.to_string()]),
                };
                pins.iter().enumerate().map(pin).collect()
            });
            all.push(Authority {
                name: name.to_owned(),
                file,
                pins,
                place,
                file_span,
            });
        }
        all
    }

    fn hosts(&mut self) -> Vec<Host> {
        let mut all = Vec::new();
        for (name, host) in &self.loaded.spec.hosts {
            let name = name.as_str();
            let mut names = Vec::new();
            for (index, text) in host.names.iter().enumerate() {
                let span = self.value(&["hosts", name, "names", &index.to_string()]);
                match SubjectName::parse(text.as_str()) {
                    Ok(parsed) => names.push((parsed, span)),
                    Err((fault, help)) => self.found.push(
                        Diagnostic::new(&BAD_NAME, span, format!("`{text}` {fault}")).help(help),
                    ),
                }
            }
            let certificate = host.certificate.as_ref().map(|files| self.hand_made(name, files));
            let observed = host.observed.as_ref().map(|path| {
                let span = self.value(&["hosts", name, "observed"]);
                (self.pem(path, ["hosts", name], span), span)
            });
            all.push(Host {
                name: name.to_owned(),
                names,
                port: host.port.get(),
                certificate,
                observed,
                place: self.loaded.place(&["hosts", name]),
            });
        }
        all
    }

    fn hand_made(&mut self, host: &str, files: &spec::CertificateFiles) -> HandMade {
        let chain_span = self.value(&["hosts", host, "certificate", "chain"]);
        let key_span = self.value(&["hosts", host, "certificate", "key"]);
        let chain = self.pem(&files.chain, ["hosts", host], chain_span);
        let key_path = self.path(&files.key, ["hosts", host], key_span).unwrap_or_default();
        let key = match key_path.is_empty() {
            true => Err(String::new()),
            false => match self.world.read(&key_path) {
                Ok(bytes) => key::public_key_of(&bytes)
                    .map(|key| key.spki_sha256())
                    .map_err(|error| error.to_string()),
                Err(error) => {
                    self.found.push(certificates::unreadable(&key_path, key_span, &error));
                    Err(String::new())
                }
            },
        };
        HandMade {
            chain,
            chain_span,
            key,
            key_path,
            key_span,
        }
    }

    fn services(&mut self) -> Vec<Service> {
        let authorities = index(self.loaded.spec.authorities.keys());
        let hosts = index(self.loaded.spec.hosts.keys());
        let mut all = Vec::with_capacity(self.loaded.spec.services.len());
        for (name, service) in &self.loaded.spec.services {
            let name = name.as_str();
            let at = |field: &str| self.loaded.place(&["services", name, field]).value;
            let user = service.user.map(|user| (user, at("user")));
            let read_only = service.read_only.map(|read_only| (read_only, at("read_only")));
            let tls_versions = service.tls_versions.map(|versions| (versions, at("tls_versions")));
            let trust = service.trust.as_ref().map(|trust| self.trust(name, trust, &authorities));
            let connects = self.connects(name, &service.connects, &hosts);
            let runtimes = service.runtime.as_ref().map(|runtime| runtime.0.clone()).unwrap_or_default();
            let place = self.loaded.place(&["services", name]);
            if trust.is_some() && runtimes.is_empty() {
                self.found.push(
                    Diagnostic::new(&NO_RUNTIME, place.key, format!("`{name}` trusts, but has no `runtime`"))
                        .help("write what runs in it, such as `runtime: java@17`; `system` is what has no variable of its own"),
                );
            }
            if let Some((versions, span)) = tls_versions
                && let (Some(min), Some(max)) = (versions.min, versions.max)
                && min > max
            {
                let message = format!("no TLS version is from {} to {}", min.number(), max.number());
                self.found.push(Diagnostic::new(&VERSIONS, span, message).help("exchange `min` and `max`"));
            }
            all.push(Service {
                name: name.to_owned(),
                runtimes,
                trust,
                connects,
                user,
                read_only,
                tls_versions,
                place,
            });
        }
        all
    }

    fn trust(&mut self, service: &str, list: &[spec::Trust], known: &Index) -> Trust {
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
                Some(id) => trust.authorities.push(AuthorityId(*id)),
                None => {
                    let span = self.value(&["services", service, "trust", &index.to_string()]);
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

    fn connects(&mut self, service: &str, list: &[spec::Name], known: &Index) -> Vec<(HostId, Span)> {
        let mut all = Vec::with_capacity(list.len());
        for (index, name) in list.iter().enumerate() {
            let span = self.value(&["services", service, "connects", &index.to_string()]);
            match known.get(name.as_str()) {
                Some(id) => all.push((HostId(*id), span)),
                None => {
                    let message = format!("there is no host `{name}`");
                    let unknown = Diagnostic::new(&UNKNOWN_HOST, span, message);
                    self.found.push(unknown.help(suggest(name.as_str(), known.keys().map(String::as_str))));
                }
            }
        }
        all
    }

    fn targets(&mut self) -> Vec<Target> {
        let services = index(self.loaded.spec.services.keys());
        let mut outputs: Vec<(String, Span)> = Vec::new();
        let mut all = Vec::new();
        for (name, target) in &self.loaded.spec.targets {
            let name = name.as_str();
            let kind = match target {
                spec::Target::Compose(compose) => TargetKind::Compose(self.compose(name, compose, &services)),
                spec::Target::Script(script) => TargetKind::Script(self.script(name, script, &services)),
            };
            let (output, span) = kind.output();
            if let Some((_, first)) = outputs.iter().find(|(taken, _)| taken == output) {
                let taken = Diagnostic::new(&OUTPUT_TAKEN, span, format!("two targets write `{output}`"));
                self.found.push(taken.also(*first, "the other one").help("give each target a file of its own"));
            }
            outputs.push((output.to_owned(), span));
            all.push(Target {
                name: name.to_owned(),
                kind,
                place: self.loaded.place(&["targets", name]),
            });
        }
        self.keep_inputs(&all, &outputs);
        all
    }

    /// No output may be a file that the compiler reads.
    fn keep_inputs(&mut self, targets: &[Target], outputs: &[(String, Span)]) {
        let mut inputs: Vec<(String, Option<Span>)> =
            self.loaded.files().map(|(path, _)| (path.to_owned(), None)).collect();
        for target in targets {
            if let TargetKind::Compose(compose) = &target.kind {
                inputs.extend(compose.files.iter().map(|(path, span)| (path.clone(), Some(*span))));
            }
        }
        for (output, span) in outputs {
            if let Some((_, input_span)) = inputs.iter().find(|(input, _)| input == output) {
                let message = format!("`{output}` is the project's own and is never written");
                let mut taken = Diagnostic::new(&OUTPUT_TAKEN, *span, message).help("choose another file for `output`");
                if let Some(input_span) = input_span {
                    taken = taken.also(*input_span, "it is read here");
                }
                self.found.push(taken);
            }
        }
    }

    fn compose(&mut self, target: &str, compose: &spec::Compose, known: &Index) -> Compose {
        let here = ["targets", target];
        let mut files = Vec::new();
        for (index, file) in compose.files.iter().enumerate() {
            let span = self.value(&["targets", target, "files", &index.to_string()]);
            files.extend(self.path(file, here, span).map(|path| (path, span)));
        }
        let output_span = self.value(&["targets", target, "output"]);
        let output = self.path(&compose.output, here, output_span).unwrap_or_default();
        let mut services: Vec<ComposeService> = Vec::with_capacity(compose.services.len());
        let mut taken: std::collections::HashMap<String, Span> = std::collections::HashMap::new();
        // Side by side with what was written: looking every name up would take the square of the time.
        let written = self.loaded.node(&["targets", target, "services"]);
        let written = written.map(yaml::Node::entries).unwrap_or_default();
        for ((name, service), entry) in compose.services.iter().zip(written) {
            let place = Place {
                key: entry.key_span,
                value: entry.value.span,
            };
            let Some(id) = self.service(name.as_str(), known, place.key) else { continue };
            let field = |field: &str| entry.value.locate([field]).value;
            let named_span = if service.named.is_some() { field("as") } else { place.key };
            let named = service.named.clone().unwrap_or_else(|| name.to_string());
            if let Some(first) = taken.insert(named.clone(), named_span) {
                let message = format!("two services are deployed as `{named}`");
                self.found.push(
                    Diagnostic::new(&TWICE, named_span, message)
                        .also(first, "the other one")
                        .help("join them into one service with a list of runtimes"),
                );
            }
            services.push(ComposeService {
                service: id,
                trust_via: service.trust_via.map(|mechanism| (mechanism, field("trust_via"))),
                named,
                named_span,
                entrypoint: service.entrypoint.clone(),
                command: service.command.clone(),
                place,
            });
        }
        Compose {
            files,
            output,
            output_span,
            oldest: compose.compose.number(),
            oldest_span: self.value(&["targets", target, "compose"]),
            selinux: compose.selinux,
            services,
        }
    }

    fn script(&mut self, target: &str, script: &spec::Script, known: &Index) -> Script {
        let output_span = self.value(&["targets", target, "output"]);
        let output = self.path(&script.output, ["targets", target], output_span).unwrap_or_default();
        let mut services = Vec::new();
        for name in script.services.keys() {
            let span = self.loaded.place(&["targets", target, "services", name.as_str()]).key;
            services.extend(self.service(name.as_str(), known, span).map(|id| (id, span)));
        }
        Script {
            os: script.os,
            output,
            output_span,
            services,
        }
    }

    fn service(&mut self, name: &str, known: &Index, span: Span) -> Option<ServiceId> {
        if let Some(id) = known.get(name) {
            return Some(ServiceId(*id));
        }
        let unknown = Diagnostic::new(&UNKNOWN_SERVICE, span, format!("there is no service `{name}`"));
        self.found.push(unknown.help(suggest(name, known.keys().map(String::as_str))));
        None
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
                    span: item.span,
                }));
            }
        }
        all
    }

    fn pem(&mut self, path: &RelativePath, of: [&str; 2], span: Span) -> PemFile {
        match self.path(path, of, span) {
            Some(path) => certificates::read(self.world, self.sources, &path, span, &mut self.found),
            None => PemFile {
                path: path.to_string(),
                certificates: Vec::new(),
            },
        }
    }

    /// A path from the root; one that leaves it is an error.
    fn path(&mut self, path: &RelativePath, [section, name]: [&str; 2], span: Span) -> Option<String> {
        let directory = self.loaded.directory(section, name);
        let joined = world::join(directory, path.as_str()).filter(|joined| !joined.is_empty());
        if joined.is_none() {
            let message = format!("`{path}` leads outside the project");
            self.found.push(
                Diagnostic::new(&OUTSIDE, span, message)
                    .help("copy the file into the project, or move the spec to a directory above it"),
            );
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
        }
    }
}

fn index<'a>(names: impl Iterator<Item = &'a spec::Name>) -> Index {
    names.enumerate().map(|(index, name)| (name.to_string(), index)).collect()
}
