//! What services present where they are clients.

use super::serving::NO_CERTIFICATE;
use super::{Resolver, UNKNOWN_HOST};
use crate::diagnostic::{Diagnostic, suggest};
use crate::model::{HostId, Identity, IdentityVariables, Index, Serving};
use crate::source::Span;
use crate::spec;

impl Resolver<'_> {
    /// The certificate that a service presents as a client; `serving` is what the same service is as
    /// a server.
    pub(super) fn identity(
        &mut self,
        name: &str,
        service: &spec::Service,
        serving: Option<&Serving>,
        hosts: &Index,
    ) -> Option<Identity> {
        let identity = service.identity.as_ref()?;
        let at = |field: &[&str]| {
            let path = [&["services", name, "identity"], field].concat();
            self.loaded.place(&path).value
        };
        let (span, variables) = match identity {
            spec::Identity::Host(_) => (at(&[]), None),
            spec::Identity::Told(told) => {
                let variables = IdentityVariables {
                    certificate: (told.certificate_env.to_string(), at(&["certificate_env"])),
                    key: (told.key_env.to_string(), at(&["key_env"])),
                };
                (at(&["host"]), Some(variables))
            }
        };
        let reload = match serving {
            Some(serving) => serving.reload.as_ref().map(|(reload, _)| reload.clone()),
            None => {
                let span = self.value(&["services", name, "reload"]);
                let reload = service.reload.as_ref();
                reload.and_then(|reload| self.reload(reload, span))
            }
        };
        let host = identity.host().as_str();
        let Some(id) = hosts.get(host).copied().map(HostId) else {
            let message = format!("there is no host `{host}`");
            let unknown = Diagnostic::new(&UNKNOWN_HOST, span, message);
            let names = hosts.keys().map(String::as_str);
            self.found.push(unknown.help(suggest(host, names)));
            return None;
        };
        let without = self.without_certificate(host, span);
        self.found.extend(without);
        Some(Identity {
            host: id,
            variables,
            reload,
            span,
        })
    }

    /// A host that has nothing that a client could be given.
    fn without_certificate(&self, name: &str, span: Span) -> Option<Diagnostic> {
        let host = self.loaded.spec.hosts.get(name)?;
        if host.certificate.is_some() {
            return None;
        }
        let diagnostic = |message| {
            let place = self.loaded.place(&["hosts", name]);
            Diagnostic::new(&NO_CERTIFICATE, span, message).also(place.key, "the host")
        };
        if let Some(path) = &host.request {
            let message = format!(
                "the key of `{name}` is with whoever made `{path}`, and cannot be given to a service from here"
            );
            let help = "remove `request`: a key is then made here";
            return Some(diagnostic(message).help(help));
        }
        let Some(issuer) = &host.issuer else {
            let message = format!("`{name}` has no certificate that a client could present");
            let help = "give it one: `certificate: {chain: …, key: …}`, or an `issuer`";
            return Some(diagnostic(message).help(help));
        };
        let issuer = self.loaded.spec.authorities.get(issuer.as_str());
        matches!(issuer, Some(spec::Authority::Acme(_))).then(|| {
            let message = format!(
                "the certificate of `{name}` is fetched by the server that presents it, and is for servers"
            );
            let help = "name a host whose certificate a private CA issued for clients";
            diagnostic(message).help(help)
        })
    }
}
