//! What services present: hosts, upstreams, networks, and what makes them reload.

use super::{Resolver, UNKNOWN_HOST};
use crate::diagnostic::{Code, Diagnostic, Severity, suggest};
use crate::model::serving::network;
use crate::model::{
    Behind, ClientAuthentication, FileVariables, HostId, Hsts, Index, Serve, Serving, Trust,
    Upstream,
};
use crate::provision::Reload;
use crate::source::Span;
use crate::spec::{self, GuidelineLevel};

pub(super) static INCOMPLETE: Code = Code {
    name: "serving-incomplete",
    severity: Severity::Error,
    summary: "a service names a server and no hosts, or hosts and no server",
    manual: include_str!("../manual/serving-incomplete.md"),
};
pub(super) static SERVED_TWICE: Code = Code {
    name: "served-twice",
    severity: Severity::Error,
    summary: "a service serves one host twice",
    manual: include_str!("../manual/served-twice.md"),
};
pub(super) static NO_CERTIFICATE: Code = Code {
    name: "certificate-missing",
    severity: Severity::Error,
    summary: "a service serves, or has for its identity, a host without a certificate",
    manual: include_str!("../manual/certificate-missing.md"),
};
pub(super) static BAD_UPSTREAM: Code = Code {
    name: "invalid-upstream",
    severity: Severity::Error,
    summary: "an upstream is no URL that requests can be passed on to",
    manual: include_str!("../manual/invalid-upstream.md"),
};
pub(super) static BAD_NETWORK: Code = Code {
    name: "invalid-network",
    severity: Severity::Error,
    summary: "a network is none",
    manual: include_str!("../manual/invalid-network.md"),
};
pub(super) static RELOAD: Code = Code {
    name: "reload-unclear",
    severity: Severity::Error,
    summary: "`reload` says not exactly one thing",
    manual: include_str!("../manual/reload-unclear.md"),
};
pub(super) static CLIENT_TRUST: Code = Code {
    name: "client-trust-unusable",
    severity: Severity::Error,
    summary: "whoever signs certificates of clients must be a private CA with certificates",
    manual: include_str!("../manual/client-trust-unusable.md"),
};

impl Resolver<'_> {
    pub(super) fn serving(
        &mut self,
        name: &str,
        service: &spec::Service,
        hosts: &Index,
        authorities: &Index,
    ) -> Option<Serving> {
        let at = |field: &str| self.loaded.place(&["services", name, field]);
        let (server_place, serves_place, as_place, reload_place) =
            (at("server"), at("serves"), at("serve_as"), at("reload"));
        let (server, list) = match (&service.server, &service.serves) {
            (Some(server), Some(list)) => (server, list),
            (None, None) => {
                let stray = [
                    (service.serve_as.is_some(), "serve_as", as_place),
                    (service.openssl.is_some(), "openssl", at("openssl")),
                    (
                        service.reload.is_some() && service.identity.is_none(),
                        "reload",
                        reload_place,
                    ),
                ];
                let stray = stray.into_iter().find(|(there, _, _)| *there);
                self.found.extend(stray.map(|(_, field, place)| {
                    let message = match field {
                        "reload" => {
                            format!("`{name}` presents no certificate that it could reload")
                        }
                        _ => format!("`{field}` is about a server, and `{name}` has none"),
                    };
                    let help = match field {
                        "reload" => {
                            "write `server` and `serves`, or an `identity`, or remove the line"
                        }
                        _ => "write `server` and `serves`, or remove the line",
                    };
                    Diagnostic::new(&INCOMPLETE, place.key, message).help(help)
                }));
                return None;
            }
            (Some(_), None) => {
                let message = format!("`{name}` has a server, and serves no host");
                let help = "write the hosts: `serves: [{host: …}]`";
                self.found
                    .push(Diagnostic::new(&INCOMPLETE, server_place.value, message).help(help));
                return None;
            }
            (None, Some(_)) => {
                let message = format!("`{name}` serves hosts, and nothing says by which server");
                let help = "write `server: nginx@1.22`, or `server: app` for software that is handed certificate and key";
                self.found
                    .push(Diagnostic::new(&INCOMPLETE, serves_place.key, message).help(help));
                return None;
            }
        };
        let reload = service
            .reload
            .as_ref()
            .and_then(|reload| self.reload(reload, reload_place.value));
        let mut serves: Vec<Serve> = Vec::with_capacity(list.len());
        for (index, one) in list.iter().enumerate() {
            let Some(serve) = self.serve(name, index, one, hosts, authorities) else {
                continue;
            };
            if let Some(first) = serves.iter().find(|known| known.host == serve.host) {
                let message = format!("`{name}` serves `{}` twice", one.host);
                let twice = Diagnostic::new(&SERVED_TWICE, serve.place.value, message)
                    .also(first.place.value, "the first time")
                    .help("join the two");
                self.found.push(twice);
                continue;
            }
            serves.push(serve);
        }
        Some(Serving {
            server: server.clone(),
            server_span: server_place.value,
            openssl: service
                .openssl
                .as_ref()
                .and_then(spec::LibraryVersion::version),
            serves,
            serve_as: service.serve_as.map(|serve_as| (serve_as, as_place.value)),
            reload: reload.map(|reload| (reload, reload_place.value)),
        })
    }

    fn serve(
        &mut self,
        service: &str,
        index: usize,
        serves: &spec::Serves,
        hosts: &Index,
        authorities: &Index,
    ) -> Option<Serve> {
        let index = index.to_string();
        let place = self.loaded.place(&["services", service, "serves", &index]);
        let value = |path: &[&str]| {
            let mut whole = vec!["services", service, "serves", index.as_str()];
            whole.extend(path);
            self.loaded.place(&whole).value
        };
        let Some(host) = hosts.get(serves.host.as_str()).copied().map(HostId) else {
            let message = format!("there is no host `{}`", serves.host);
            let names = hosts.keys().map(String::as_str);
            let unknown = Diagnostic::new(&UNKNOWN_HOST, value(&["host"]), message);
            self.found
                .push(unknown.help(suggest(serves.host.as_str(), names)));
            return None;
        };
        let spec_host = self
            .loaded
            .spec
            .hosts
            .get_index(host.0)
            .map(|(_, host)| host);
        let presents = |host: &spec::Host| host.certificate.is_some() || host.issuer.is_some();
        let mut found = Vec::new();
        if serves.behind.is_none() && !spec_host.is_some_and(presents) {
            let message = format!("`{}` has no certificate to serve", serves.host);
            let host_place = self.loaded.place(&["hosts", serves.host.as_str()]);
            found.push(
                Diagnostic::new(&NO_CERTIFICATE, value(&["host"]), message)
                    .also(host_place.key, "the host")
                    .help("give it one: `certificate: {chain: …, key: …}`, or an `issuer`"),
            );
        }
        if serves.behind.is_none()
            && let Some(path) = spec_host.and_then(|host| host.request.as_ref())
        {
            let message = format!(
                "the key of `{}` is with whoever made `{path}`, and cannot be served from here",
                serves.host
            );
            found.push(
                Diagnostic::new(&NO_CERTIFICATE, value(&["host"]), message)
                    .help("remove `request`: a key is then made here; or let whoever has the key serve it"),
            );
        }
        let upstream = serves.upstream.as_ref().and_then(|url| {
            let span = value(&["upstream"]);
            let read = Upstream::parse(url.as_str(), span);
            read.map_err(|(fault, help)| {
                let message = format!("`{url}` {fault}");
                found.push(Diagnostic::new(&BAD_UPSTREAM, span, message).help(help));
            })
            .ok()
        });
        if serves.hsts.is_none() && serves.hsts_include_subdomains {
            let message = "`hsts_include_subdomains` extends `hsts`, which is not said";
            let span = value(&["hsts_include_subdomains"]);
            found.push(
                Diagnostic::new(&INCOMPLETE, span, message)
                    .help("write `hsts: 1y`, or remove the line"),
            );
        }
        let behind = serves.behind.as_ref().map(|behind| Behind {
            networks: behind
                .networks
                .iter()
                .enumerate()
                .filter_map(|(at, text)| {
                    let span = value(&["behind", "networks", &at.to_string()]);
                    let read = network(text.as_str());
                    read.map_err(|(fault, help)| {
                        let message = format!("`{text}` {fault}");
                        found.push(Diagnostic::new(&BAD_NETWORK, span, message).help(help));
                    })
                    .ok()
                    .map(|network| (network, span))
                })
                .collect(),
            span: value(&["behind"]),
        });
        let asked = |flag: bool, field: &str| flag.then(|| value(&[field]));
        let variable = |name: &Option<spec::EnvironmentName>, field: &str| {
            let name = name.as_ref();
            name.map(|name| (name.to_string(), value(&[field])))
        };
        let tls_span = match serves.tls {
            Some(_) => value(&["tls"]),
            None => self.loaded.place(&["defaults", "tls"]).value,
        };
        let tls = serves.tls.or(self.loaded.spec.defaults.tls);
        let mut serve = Serve {
            host,
            upstream,
            websocket: asked(serves.websocket, "websocket"),
            redirect_http: asked(serves.redirect_http, "redirect_http"),
            hsts: serves.hsts.as_ref().map(|duration| Hsts {
                seconds: duration.seconds(),
                include_subdomains: serves.hsts_include_subdomains,
                span: value(&["hsts"]),
            }),
            headers: serves
                .headers
                .iter()
                .map(|(name, text)| {
                    let span = value(&["headers", name.as_str()]);
                    (name.to_string(), text.clone(), span)
                })
                .collect(),
            client_auth: None,
            tls: (tls.unwrap_or(GuidelineLevel::Intermediate), tls_span),
            challenge_root: None,
            behind,
            health_path: serves
                .health_path
                .as_ref()
                .map(|path| (path.to_string(), value(&["health_path"]))),
            variables: FileVariables {
                certificate: variable(&serves.certificate_env, "certificate_env"),
                key: variable(&serves.key_env, "key_env"),
                chain: variable(&serves.chain_env, "chain_env"),
                client_ca: variable(&serves.client_ca_env, "client_ca_env"),
                client_crl: variable(&serves.client_crl_env, "client_crl_env"),
            },
            place,
        };
        let challenges = serves.challenge_root.as_ref();
        let challenges = challenges.map(|path| (path.to_string(), value(&["challenge_root"])));
        let client_auth_span = value(&["client_auth"]);
        self.found.extend(found);
        serve.challenge_root = self.challenge_root(challenges, spec_host);
        if let Some(client_auth) = &serves.client_auth {
            let path = [
                "services",
                service,
                "serves",
                index.as_str(),
                "client_auth",
                "trust",
            ];
            serve.client_auth = Some(ClientAuthentication {
                trust: self.client_trust(&path, &client_auth.trust, authorities),
                mode: client_auth.mode,
                span: client_auth_span,
            });
        }
        Some(serve)
    }

    fn client_trust(&mut self, path: &[&str], list: &[spec::Name], known: &Index) -> Trust {
        let entries: Vec<spec::Trust> = list.iter().cloned().map(spec::Trust::from).collect();
        let mut trust = self.trust(path, &entries, known);
        for (index, entry) in entries.iter().enumerate() {
            let fault = match entry {
                spec::Trust::Public => {
                    Some("the public roots sign for servers, and for anybody".to_owned())
                }
                spec::Trust::Authority(name) => match self.loaded.spec.authorities.get(name) {
                    Some(spec::Authority::Acme(acme)) if acme.root.is_none() => {
                        Some(format!("`{name}` signs for servers, and for anybody"))
                    }
                    _ => None,
                },
            };
            if let Some(message) = fault {
                let mut whole = path.to_vec();
                let index = index.to_string();
                whole.push(&index);
                let unusable = Diagnostic::new(&CLIENT_TRUST, self.value(&whole), message);
                self.found.push(
                    unusable.help("name the private CA that signs your clients' certificates"),
                );
            }
        }
        trust.public = false;
        trust
    }

    pub(super) fn reload(&mut self, reload: &spec::Reload, span: Span) -> Option<Reload> {
        match (&reload.signal, &reload.command, reload.restart) {
            (Some(signal), None, None) => Some(Reload::Signal(signal.to_string())),
            (None, Some(command), None) => Some(Reload::Command(command.clone())),
            (None, None, Some(true)) => Some(Reload::Restart),
            _ => {
                let message = "`reload` must say exactly one thing";
                let help = "write one of `{signal: SIGHUP}`, `{command: [...]}`, `{restart: true}`";
                self.found
                    .push(Diagnostic::new(&RELOAD, span, message).help(help));
                None
            }
        }
    }
}
