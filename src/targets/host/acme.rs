//! Certificates that a client on the machine asks for over ACME: by which program, and how the names
//! are proved.

use super::layout::{AcmeSource, Challenge};
use super::system::System;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::machine::Machine;
use crate::model::{Authority, Host, Model, Serve, Service, SubjectName};
use crate::servers::{CHALLENGE_PORT, CHALLENGE_ROOT};
use crate::source::Span;
use crate::spec::{Acme, AcmeClient, AcmeProgram, KeyType};

pub static CLIENT: Code = Code {
    name: "acme-client-unclear",
    severity: Severity::Error,
    summary: "a machine has no known program to ask for certificates with",
    manual: include_str!("manual/acme-client-unclear.md"),
};
pub static TOO_OLD: Code = Code {
    name: "acme-client-too-old",
    severity: Severity::Error,
    summary: "the ACME client of a machine cannot ask for such a certificate",
    manual: include_str!("manual/acme-client-too-old.md"),
};
pub static UNPROVED: Code = Code {
    name: "acme-unanswered",
    severity: Severity::Error,
    summary: "nothing on the machine answers the challenge by which a name is proved",
    manual: include_str!("manual/acme-unanswered.md"),
};

pub static KEY: Code = Code {
    name: "acme-key-unsigned",
    severity: Severity::Error,
    summary: "public authorities sign no key of this kind",
    manual: include_str!("manual/acme-key-unsigned.md"),
};

/// Where a host is served on the machine: the service, and what it is asked for.
pub type Served<'a> = (&'a Service, &'a Serve);

/// How the certificate of a host comes to the machine over ACME; `served` is everything that it
/// serves, of all hosts.
///
/// # Errors
/// No client is known, it is too old for what is asked, or nothing answers the challenge.
pub fn source(
    model: &Model,
    machine: &Machine,
    host: &Host,
    authority: &Authority,
    acme: &Acme,
    served: &[Served<'_>],
) -> Result<AcmeSource, Vec<Diagnostic>> {
    let asked = Asked {
        host,
        authority,
        acme,
        span: host.issuer.map_or(host.place.value, |(_, span)| span),
    };
    let system = System::of(machine.os);
    let client = client(system, acme);
    let program = match &machine.renewals.client_path {
        Some((path, _)) => Some(path.clone()),
        None => system.client(client.program).map(|one| one.path.to_owned()),
    };
    let Some(program) = program else {
        return Err(vec![asked.no_program(system, client, machine.os_span)]);
    };
    let mut found = asked.too_old(client);
    found.extend(asked.unsigned_key());
    let challenge = asked.challenge(model, served);
    match challenge {
        Ok(challenge) if found.is_empty() => Ok(AcmeSource {
            authority: authority.name.clone(),
            client,
            program,
            directory: acme.directory.url().to_owned(),
            email: acme.email.as_ref().map(ToString::to_string),
            profile: acme.profile.as_ref().map(ToString::to_string),
            key: host.terms.key,
            challenge,
            root: None,
        }),
        Ok(_) => Err(found),
        Err(diagnostic) => {
            found.push(*diagnostic);
            Err(found)
        }
    }
}

/// The client that is said, or the one that the system's packages bring, with the version that is
/// known of it.
fn client(system: &System, acme: &Acme) -> AcmeClient {
    let said = acme.client.unwrap_or(AcmeClient {
        program: AcmeProgram::Certbot,
        version: None,
    });
    let packaged = system.client(said.program).and_then(|one| one.version);
    AcmeClient {
        version: said.version.or(packaged),
        ..said
    }
}

struct Asked<'a> {
    host: &'a Host,
    authority: &'a Authority,
    acme: &'a Acme,
    /// Where the host names its issuer.
    span: Span,
}

impl Asked<'_> {
    fn no_program(&self, system: &System, client: AcmeClient, os: Span) -> Diagnostic {
        let (name, os_name) = (client.program.name(), system.os.name());
        let message = format!(
            "`{os_name}` has no package of {name}, which asks for `{}`",
            self.host.name
        );
        let other = match client.program {
            AcmeProgram::Certbot => AcmeProgram::Lego,
            AcmeProgram::Lego => AcmeProgram::Certbot,
        };
        let help = format!(
            "say where the program is: `renewals: {{client_path: /opt/{name}/bin/{name}}}`"
        );
        let diagnostic = Diagnostic::new(&CLIENT, self.span, message)
            .also(os, "the system")
            .help(help);
        match system.client(other) {
            Some(_) => diagnostic.help(format!(
                "or write `client: {}` at the authority",
                other.name()
            )),
            None => diagnostic,
        }
    }

    /// What the client's version cannot do. A version that nobody knows can do everything.
    fn too_old(&self, client: AcmeClient) -> Vec<Diagnostic> {
        let Some(version) = client.version else {
            return Vec::new();
        };
        let needs = |major, minor| (!version.since(major, minor, 0)).then_some((major, minor));
        let mut found = Vec::new();
        if let Some(profile) = &self.acme.profile {
            let least = match client.program {
                AcmeProgram::Certbot => needs(4, 0),
                AcmeProgram::Lego => needs(4, 22),
            };
            found.extend(
                least.map(|least| self.old(client, &format!("the profile `{profile}`"), least)),
            );
        }
        if let Some((address, _)) = self.address() {
            let what = format!("a certificate for the address `{address}`");
            let least = match client.program {
                AcmeProgram::Certbot => needs(5, 3),
                AcmeProgram::Lego => needs(4, 11),
            };
            found.extend(least.map(|least| self.old(client, &what, least)));
        }
        let key = self.host.terms.key;
        if (key, client.program) == (KeyType::Rsa3072, AcmeProgram::Lego) {
            let least = needs(4, 11);
            found.extend(least.map(|least| self.old(client, "a key of `rsa-3072`", least)));
        }
        found
    }

    fn address(&self) -> Option<&(SubjectName, Span)> {
        let mut names = self.host.names.iter();
        names.find(|(name, _)| matches!(name, SubjectName::Ip(_)))
    }

    /// CA/Browser Forum's Baseline Requirements, 6.1.1.3: RSA and the NIST curves alone; and no client
    /// makes another.
    fn unsigned_key(&self) -> Option<Diagnostic> {
        let ed25519 = self.host.terms.key == KeyType::Ed25519;
        ed25519.then(|| {
            let message = format!(
                "no ACME client makes the Ed25519 key of `{}`, and no public authority signs one",
                self.host.name
            );
            Diagnostic::new(&KEY, self.span, message).help("write `key: ecdsa-p256` at the host")
        })
    }

    fn old(&self, client: AcmeClient, what: &str, (major, minor): (u16, u16)) -> Diagnostic {
        let name = client.program.name();
        let message =
            format!("{client} cannot ask for {what}: that came with {name} {major}.{minor}");
        Diagnostic::new(&TOO_OLD, self.span, message)
            .help(format!(
                "install a later one beside the system's and say which: `client: {name}@{major}.{minor}` at the authority and `renewals: {{client_path: /opt/{name}/bin/{name}}}` at the machine"
            ))
    }

    fn challenge(
        &self,
        model: &Model,
        served: &[Served<'_>],
    ) -> Result<Challenge, Box<Diagnostic>> {
        let said = self.acme.challenge.as_ref();
        if let Some(provider) = said.and_then(|challenge| challenge.dns.as_ref()) {
            // RFC 8738, section 7.
            if let Some((address, span)) = self.address() {
                let message = format!("the address `{address}` cannot be proved by the DNS");
                let unproved = Diagnostic::new(&UNPROVED, *span, message).help(format!(
                    "give it a host of its own, with an issuer whose challenge is `{{webroot: {CHALLENGE_ROOT}}}`"
                ));
                return Err(Box::new(unproved));
            }
            return Ok(Challenge::Dns {
                provider: provider.to_string(),
                credentials: said
                    .and_then(|challenge| challenge.credentials.as_ref())
                    .map(ToString::to_string),
            });
        }
        let wildcard = self
            .host
            .names
            .iter()
            .find(|(name, _)| name.to_string().starts_with("*."));
        if let Some((name, span)) = wildcard {
            let message = format!("`{name}` cannot be proved over plain HTTP");
            let unproved = Diagnostic::new(&UNPROVED, *span, message).help(format!(
                "write `challenge: {{dns: …}}` at `{}`: wildcards are proved by the DNS",
                self.authority.name
            ));
            return Err(Box::new(unproved));
        }
        let configured = |server: &str| served.iter().any(|(service, _)| is(service, server));
        let here = served
            .iter()
            .filter(|(_, serve)| model.host(serve.host).name == self.host.name);
        let mut servers = here.filter(|(service, _)| {
            service
                .serving
                .as_ref()
                .is_some_and(|one| one.server.is_configured())
        });
        let Some((service, serve)) = servers.next() else {
            // Nobody else can be at port 80, so that the client itself can.
            let free = !["nginx", "apache", "haproxy", "caddy", "traefik"]
                .into_iter()
                .any(configured);
            // A server that is there already answers from what is said.
            let webroot = said.and_then(|challenge| challenge.webroot.as_ref());
            return match (free, webroot) {
                (true, Some(webroot)) => Ok(Challenge::Webroot(webroot.to_string())),
                (true, None) => Ok(Challenge::Standalone(80)),
                (false, _) => Err(Box::new(self.unanswered(
                    "the server at port 80 of this machine does not serve it",
                    "let that server serve it too, with `redirect_http: true`, or write `challenge: {dns: …}` at the authority",
                ))),
            };
        };
        if serve.redirect_http.is_none() {
            return Err(Box::new(self.unanswered(
                &format!("`{}` answers nothing for it at port 80", service.name),
                "write `redirect_http: true` where it is served, or `challenge: {dns: …}` at the authority",
            )));
        }
        if is(service, "haproxy") {
            return Ok(Challenge::Standalone(CHALLENGE_PORT));
        }
        let root = serve.challenge_root.as_ref();
        Ok(Challenge::Webroot(
            root.map_or(CHALLENGE_ROOT, |(root, _)| root).to_owned(),
        ))
    }

    fn unanswered(&self, why: &str, help: &str) -> Diagnostic {
        let message = format!("`{}` is proved over plain HTTP, and {why}", self.host.name);
        Diagnostic::new(&UNPROVED, self.span, message).help(help)
    }
}

fn is(service: &Service, server: &str) -> bool {
    let serving = service.serving.as_ref();
    serving.is_some_and(|serving| serving.server.name == server)
}
