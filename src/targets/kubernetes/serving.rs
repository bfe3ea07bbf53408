//! A service that presents certificates itself: its configuration, its Secret, its ports.

pub(super) mod files;
pub(super) mod placed;
mod ports;
pub(super) mod reader;
mod upstream;
pub(super) mod variables;
pub(super) mod watch;

use std::sync::Arc;

use serde_json::{Value, json};

use self::files::Files;
use self::placed::Placed;
use super::Gathering;
use super::identity;
use super::reload;
use super::secret;
use crate::artifact::LISTS;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::kubernetes::Deployed;
use crate::model::{self, Serve, Service};
use crate::provision::{self, ReadAs};
use crate::runtimes;
use crate::servers::{self, CertificatePlace, HostPlace, Place, Request};
use crate::source::Span;
use crate::spec::ServeAs;
use crate::targets::presented::Presented;
use crate::targets::{TRUST_DIRECTORY, clients};

static NOT_HERE: Code = Code {
    name: "server-not-in-cluster",
    severity: Severity::Error,
    summary: "a server cannot be configured in this way in the pods of a cluster",
    manual: include_str!("manual/server-not-in-cluster.md"),
};

/// What serving and identities can find.
pub static CODES: &[&Code] = &[
    &NOT_HERE,
    &placed::MOUNT,
    &placed::CONTAINER,
    &ports::SHARED,
    &ports::PRIVILEGED,
    &ports::SERVICE,
    &ports::TAKEN,
    &reader::USER,
    &reader::GROUP,
    &upstream::UNKNOWN,
    &watch::TAKEN,
    &watch::OUT_OF_REACH,
];

/// Where what a service serves stands in its container.
const DIRECTORY: &str = "/etc/tlsgen/serve";
/// Where nginx reads what holds at the level of all hosts.
const NGINX: &str = "/etc/nginx/conf.d";
/// Where images have nginx's main file.
const NGINX_MAIN: &str = "/etc/nginx";

/// Adds to the component what a service presents.
pub fn add<'a>(gathering: &mut Gathering<'a>, deployed: &'a Deployed) {
    let service = gathering.inputs.model.service(deployed.service);
    let Some(asked) = &service.serving else {
        return;
    };
    let found = not_here(gathering, asked);
    let sound = found.is_empty();
    gathering.found.extend(found);
    let Some(placed) = placed::find(gathering, deployed).filter(|_| sound) else {
        return;
    };
    let serving = Serving {
        placed,
        service,
        asked,
    };
    if let Err(found) = serving.lower(gathering) {
        gathering.found.extend(found);
    }
}

/// What only the platform of containers on one machine can do.
fn not_here(gathering: &Gathering<'_>, asked: &model::Serving) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let name = asked.server.name.as_str();
    if !matches!(name, "nginx" | "app") {
        let message = format!("`server: {name}` is not configured in the pods of a cluster");
        found.push(Diagnostic::new(&NOT_HERE, asked.server_span, message).help(
            "let TLS end at the cluster's entrance, `entrances: {…}`, or use `server: nginx`",
        ));
    }
    if let Some((ServeAs::Include, span)) = asked.serve_as {
        let message = "in a cluster no lines are put into a configuration that is there: it stands in an image or in a ConfigMap of yours";
        found.push(
            Diagnostic::new(&NOT_HERE, span, message)
                .help("write `serve_as: complete`, and `upstream` for what stands behind it"),
        );
    }
    for serve in &asked.serves {
        let host = gathering.inputs.model.host(serve.host);
        if let Some((path, span)) = serve.challenge_root.as_ref() {
            let message = format!(
                "challenges of ACME for `{}` are not answered from `{path}` in a cluster",
                host.name
            );
            found.push(
                Diagnostic::new(&NOT_HERE, *span, message)
                    .help("remove the line: in a cluster cert-manager asks for such certificates"),
            );
        }
    }
    found
}

/// Everything that serving is made of.
struct Serving<'a> {
    placed: Placed<'a>,
    service: &'a Service,
    asked: &'a model::Serving,
}

impl Serving<'_> {
    fn lower(&self, gathering: &mut Gathering<'_>) -> Result<(), Vec<Diagnostic>> {
        let Some(server) = servers::find(&self.asked.server.name) else {
            return Ok(());
        };
        let mut found: Vec<Diagnostic> = self.taken_places();
        found.extend(ports::faults(self, gathering));
        found.extend(upstream::unknown(self, gathering));
        let mut files = Files::default();
        let (mut in_place, mut secretless) = (false, false);
        let mut hosts = Vec::with_capacity(self.asked.serves.len());
        for serve in &self.asked.serves {
            let secret = self.present(gathering, serve, &mut files, &mut found);
            in_place |= secret == Some(true);
            if let (Some(true), Some((name, span))) = (secret, &serve.variables.chain) {
                found.push(self.no_intermediates(gathering, serve, name, *span));
            }
            secretless |= secret.is_none() && serve.behind.is_none();
            hosts.push(self.host_place(gathering, serve, secret.is_some(), &mut files));
        }
        // Without its files a server would only complain of that.
        let is_error = |one: &Diagnostic| one.severity == Severity::Error;
        if secretless && found.iter().any(is_error) {
            return Err(found);
        }
        let model = gathering.inputs.model;
        let place = Place {
            configuration: format!("{DIRECTORY}/configuration"),
            trust_bundle: self
                .service
                .trust
                .as_ref()
                .map(|_| format!("{TRUST_DIRECTORY}/{}", runtimes::BUNDLE)),
            identity: self.service.identity.as_ref().map(|_| identity::place()),
            hosts,
            // The address of a Service stays as long as the Service; what resolves its short name is
            // the search list of the pod, which a resolver of nginx's own would not know.
            resolver: None,
            state: String::new(),
            above: Default::default(),
            listens_already: Vec::new(),
        };
        let provided = (server.serve)(&Request {
            model,
            service: self.service,
            serving: self.asked,
            place: &place,
        });
        let provided = match provided {
            Ok(provided) if found.iter().all(|one| one.severity == Severity::Warning) => provided,
            Ok(_) => return Err(found),
            Err(more) => {
                found.extend(more);
                return Err(found);
            }
        };
        gathering.found.extend(found);
        let named = provided.variables.iter();
        let named = named.map(|one| (one.name.clone(), one.value.at(TRUST_DIRECTORY)));
        let variables = variables::wanted(gathering, &self.placed, named.collect())?;
        self.configure(gathering, &provided, &mut files);
        if in_place {
            self.watch(gathering, provided.reload.as_ref(), &mut files)?;
        }
        if files.holds_keys() {
            let reader = reader::of(gathering, &self.placed, self.service, server.opens_key)?;
            reader::allow(gathering, &self.placed, reader)?;
            files.mode = reader.mode();
        }
        self.placed.set(gathering, variables);
        files.mount(
            gathering,
            &self.placed,
            "serve",
            DIRECTORY,
            self.asked.server_span,
        );
        ports::add(self, gathering);
        self.tell(gathering, &provided);
        Ok(())
    }

    fn no_intermediates(
        &self,
        gathering: &Gathering<'_>,
        serve: &Serve,
        variable: &str,
        span: Span,
    ) -> Diagnostic {
        let host = &gathering.inputs.model.host(serve.host).name;
        let message = format!(
            "`{variable}` cannot name the intermediates of `{host}`: they are in the Secret only together with its leaf"
        );
        Diagnostic::new(&NOT_HERE, span, message)
            .help("write `certificate_env`: that file has the leaf and its intermediates")
            .help("or give the Secret with `secrets_via: generator`, if the certificate is in the project")
    }

    fn taken_places(&self) -> Vec<Diagnostic> {
        let own = self.placed.conflict(DIRECTORY, "what it serves");
        let nginx = (self.asked.server.name == "nginx")
            .then(|| self.placed.conflict(NGINX, "the server's configuration"))
            .flatten()
            // A file beside ours, such as nginx.conf, is no matter.
            .map(|taken| taken.help("or let the ConfigMap that is there end: tlsgen writes the whole configuration, with `upstream` for what stands behind it"));
        own.into_iter().chain(nginx).collect()
    }

    /// Puts the Secret of a host among the files; whether it is renewed in place.
    fn present(
        &self,
        gathering: &mut Gathering<'_>,
        serve: &Serve,
        files: &mut Files,
        found: &mut Vec<Diagnostic>,
    ) -> Option<bool> {
        if serve.behind.is_some() {
            return None;
        }
        let namespace = self.placed.workload.namespace.as_deref();
        let host = gathering.inputs.model.host(serve.host);
        match secret::of(gathering, serve.host, namespace, serve.place.value) {
            Ok(secret) => {
                files.secret(&secret.name, &format!("certificates/{}", host.name));
                if !secret.renewed_in_place {
                    reload::tell(gathering, &self.placed, &secret.name, false);
                }
                Some(secret.renewed_in_place)
            }
            Err(diagnostic) => {
                found.push(*diagnostic);
                None
            }
        }
    }

    fn host_place(
        &self,
        gathering: &Gathering<'_>,
        serve: &Serve,
        presents: bool,
        files: &mut Files,
    ) -> HostPlace {
        let model = gathering.inputs.model;
        let host = model.host(serve.host);
        let below = format!("certificates/{}", host.name);
        let mut put = |name: &str, body: Arc<[u8]>| {
            let key = format!("{}.{name}", host.name);
            format!(
                "{DIRECTORY}/{}",
                files.put(key, format!("{below}/{name}"), body)
            )
        };
        // Only an application is told of them, and only if the spec has them.
        let intermediates = host
            .certificate
            .as_ref()
            .filter(|_| serve.variables.chain.is_some());
        let intermediates = intermediates.map(|made| {
            put(
                "intermediates.pem",
                Presented::of(host, made, model).intermediates,
            )
        });
        let clients = serve.client_auth.as_ref();
        HostPlace {
            block_names: Vec::new(),
            certificate: presents.then(|| CertificatePlace {
                full_chain: format!("{DIRECTORY}/{below}/{}", files::FULL_CHAIN),
                intermediates: intermediates.unwrap_or_default(),
                key: format!("{DIRECTORY}/{below}/{}", files::KEY),
                anchor: None,
                combined: None,
            }),
            client_cas: clients.and_then(|clients| {
                let anchors = gathering.inputs.lists.get(&clients.trust)?;
                Some(put("client-cas.pem", anchors.private_roots()))
            }),
            client_crls: clients
                .and_then(|clients| clients::lists(model, self.service, &clients.trust))
                .map(|lists| put(LISTS, lists)),
            client_depth: clients.map_or(0, |asked| clients::depth(model, &asked.trust)),
            public_port: host.port,
            port: ports::inside(self.placed.deployed, host.port),
            plain_port: ports::plain(self.placed.deployed, serve),
        }
    }

    /// The server's own configuration: where it looks for it, or where another file names it.
    fn configure(
        &self,
        gathering: &mut Gathering<'_>,
        provided: &provision::Serving,
        files: &mut Files,
    ) {
        let mut read_by_nginx = Vec::new();
        for file in &provided.configuration {
            let body: Arc<[u8]> = Arc::from(file.text.clone().into_bytes());
            match file.read_as {
                ReadAs::AllHosts => read_by_nginx.push((file.name.clone(), body)),
                ReadAs::Main | ReadAs::OneHost | ReadAs::Included => {
                    files.put(
                        file.name.clone(),
                        format!("configuration/{}", file.name),
                        body,
                    );
                }
            }
        }
        if read_by_nginx.is_empty() {
            return;
        }
        let name = files::config_map(
            gathering,
            &self.placed,
            "nginx",
            read_by_nginx,
            self.asked.server_span,
        );
        let source: Value = json!({"name": name});
        self.placed
            .mount(gathering, "nginx", ("configMap", source), NGINX);
        gathering.lowered.notes.push(format!(
            "`{}` reads {NGINX} from a ConfigMap: what its image has there, such as default.conf, is hidden",
            self.placed.deployed.name
        ));
        let mut mounts = self.placed.container.mounts.iter();
        if mounts.any(|(path, ..)| *path == format!("{NGINX_MAIN}/nginx.conf")) {
            gathering.lowered.notes.push(format!(
                "the nginx.conf that `{}` mounts must include `{NGINX}/*.conf` at the level of `http`, as that of the image does",
                self.placed.deployed.name
            ));
        }
    }

    /// Has the container take renewed certificates.
    fn watch(
        &self,
        gathering: &mut Gathering<'_>,
        reload: Option<&provision::Reload>,
        files: &mut Files,
    ) -> Result<(), Vec<Diagnostic>> {
        let Some(reload) = reload else {
            return Ok(());
        };
        let mut watched = files.chains(DIRECTORY);
        watched.extend(
            self.service
                .identity
                .as_ref()
                .map(|_| identity::place().full_chain),
        );
        let script = watch::script(gathering, reload, &watched);
        let path = files.put("watch.sh".to_owned(), "reload/watch.sh".to_owned(), script);
        watch::start(
            gathering,
            &self.placed,
            reload,
            &format!("{DIRECTORY}/{path}"),
            self.asked.server_span,
        )
    }

    fn tell(&self, gathering: &mut Gathering<'_>, provided: &provision::Serving) {
        let name = &self.placed.deployed.name;
        let notes = &mut gathering.lowered.notes;
        notes.extend(provided.notes.iter().cloned());
        if provided.health_check.is_some() {
            notes.push(format!(
                "probes of `{name}` stay as they are: one that asks over plain HTTP must ask over TLS (`scheme: HTTPS`), at the port of the container"
            ));
        }
    }
}
