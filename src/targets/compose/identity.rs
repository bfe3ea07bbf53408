//! A service that presents a certificate as a TLS client: its files, its key, the variables that
//! name them, and who tells it of a renewal.

use super::base::Base;
use super::delivery::{self, Delivery};
use super::directory::Directories;
use super::key::{self, Deployed, Reader};
use super::override_file::{OverrideFile, ServiceOverride};
use super::serving::Served;
use super::{environment, mount, reload, surroundings};
use crate::artifact::{Access, Readers, Reload};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{self, Host, HostCertificate, Identity, IdentityVariables};
use crate::provision::{self, Existing, Provision, Value, Variable};
use crate::servers::{self, ClientPlace, KeyReader};
use crate::source::Span;
use crate::targets::Inputs;
use crate::targets::presented::Presented;

pub static TAKEN: Code = Code {
    name: "identity-variable-taken",
    severity: Severity::Error,
    summary: "a variable of an identity names another file of the same service",
    manual: include_str!("manual/identity-variable-taken.md"),
};

/// Where the certificate stands that a service presents as a client.
pub const IDENTITY_DIRECTORY: &str = "/etc/tlsgen/identity";
const FULL_CHAIN: &str = "full-chain.pem";
/// The variable in which libpq is told the key of a client.
const LIBPQ_KEY: &str = "PGSSLKEY";

/// An identity on its way into a container.
pub struct Brought<'a> {
    keys: Deployed<'a>,
    asked: &'a Identity,
    made: &'a HostCertificate,
    delivery: Delivery,
    reader: Reader,
    /// The directory with the chain, from the project root.
    directory: String,
}

/// What a service presents as a client, if it has an identity.
///
/// # Errors
/// Everything in the spec and the project's files that prevents it.
pub fn bring<'a>(
    keys: Deployed<'a>,
    directories: &mut Directories,
) -> Result<Option<Brought<'a>>, Vec<Diagnostic>> {
    let service = keys.model.service(keys.deployed.service);
    let Some(asked) = &service.identity else {
        return Ok(None);
    };
    let host = keys.model.host(asked.host);
    // Without a certificate there is nothing to bring, which was an error before.
    let Some(made) = &host.certificate else {
        return Ok(None);
    };
    let mut found = taken_places(&keys, service);
    let delivered = keys
        .reader(opened_by(service))
        .and_then(|reader| Ok((keys.deliver(host, made, reader)?, reader)));
    let (delivery, reader) = match delivered {
        Ok(delivered) if found.is_empty() => delivered,
        Ok(_) => return Err(found),
        Err(diagnostic) => {
            found.push(*diagnostic);
            return Err(found);
        }
    };
    let directory = directories.identity(keys.deployed);
    let chain = Presented::of(host, made, keys.model).full;
    directories.put(format!("{directory}/{FULL_CHAIN}"), chain, asked.span);
    Ok(Some(Brought {
        keys,
        asked,
        made,
        delivery,
        reader,
        directory,
    }))
}

/// What stands already where the files are to be.
fn taken_places(keys: &Deployed<'_>, service: &model::Service) -> Vec<Diagnostic> {
    let own = [(IDENTITY_DIRECTORY, "the directory of its own certificate")];
    // A service that serves is asked for this one there.
    let of_keys = [(key::KEYS_DIRECTORY, "the directory of its key")];
    let of_keys = of_keys.into_iter().filter(|_| service.serving.is_none());
    own.into_iter()
        .chain(of_keys)
        .filter_map(|(place, what)| mount::conflict(keys.deployed, keys.service, place, what))
        .collect()
}

fn opened_by(service: &model::Service) -> KeyReader {
    let server = service.serving.as_ref();
    let server = server.and_then(|serving| servers::find(&serving.server.name));
    server.map_or(KeyReader::Process, |server| server.opens_key)
}

impl Brought<'_> {
    /// Where a server that is configured finds the files.
    pub fn place(&self) -> ClientPlace {
        ClientPlace {
            full_chain: self.full_chain(),
            key: self.delivery.path.clone(),
            combined: None,
        }
    }

    fn full_chain(&self) -> String {
        format!("{IDENTITY_DIRECTORY}/{FULL_CHAIN}")
    }

    fn host(&self) -> &Host {
        self.keys.model.host(self.asked.host)
    }

    /// Adds to the override what the service presents; `server` is what makes its server reload.
    ///
    /// # Errors
    /// Variables that name something else already.
    pub fn install(
        self,
        inputs: &Inputs<'_>,
        server: Option<&provision::Reload>,
        file: &mut OverrideFile,
        entry: &mut ServiceOverride,
    ) -> Result<Served, Vec<Diagnostic>> {
        self.name_files(entry)?;
        let (compose, base): (_, &Base) = (self.keys.compose, self.keys.base);
        let mount = mount::bind(
            &base.directory,
            &self.directory,
            IDENTITY_DIRECTORY,
            compose.selinux,
        );
        entry.volumes.push(mount);
        self.delivery.install(file, entry);
        let mut notes = vec![self.delivery.note.clone()];
        notes.extend(delivery::doubt(self.reader, [&self.delivery]));
        notes.extend(self.untold());
        notes.extend(self.keystore());
        notes.extend(self.refused_by_libpq());
        let reload = self.reload(server, &mut notes);
        Ok(Served {
            accesses: delivery::wanted(self.keys.deployed, [&self.delivery]),
            warnings: self.neighbours(inputs).into_iter().collect(),
            reload,
            notes,
            ..Served::default()
        })
    }

    fn name_files(&self, entry: &mut ServiceOverride) -> Result<(), Vec<Diagnostic>> {
        let Some(variables) = &self.asked.variables else {
            return Ok(());
        };
        let named = self.named(variables);
        let mut found: Vec<Diagnostic> = named
            .iter()
            .enumerate()
            .filter_map(|(index, (name, span, _))| {
                let other = named[..index].iter().find(|(known, ..)| known == name);
                twice(name, *span, other.map(|(_, span, _)| *span), entry)
            })
            .collect();
        let provision = Provision {
            variables: named
                .into_iter()
                .map(|(name, _, path)| Variable {
                    name,
                    value: Value::text(path),
                    existing: Existing::Conflict,
                })
                .collect(),
            ..Provision::default()
        };
        let keys = &self.keys;
        let joined = environment::join(
            keys.deployed,
            keys.service,
            keys.image,
            &provision,
            &mut found,
        );
        match found.is_empty() {
            true => entry.environment.extend(joined),
            false => return Err(found),
        }
        Ok(())
    }

    fn named(&self, variables: &IdentityVariables) -> [(String, Span, String); 2] {
        let (certificate, certificate_span) = &variables.certificate;
        let (key, key_span) = &variables.key;
        [
            (certificate.clone(), *certificate_span, self.full_chain()),
            (key.clone(), *key_span, self.delivery.path.clone()),
        ]
    }

    /// Where nothing says how the software learns its files.
    fn untold(&self) -> Option<String> {
        let service = self.keys.model.service(self.keys.deployed.service);
        let serving = service.serving.as_ref();
        let configured = serving.is_some_and(|serving| serving.server.is_configured());
        (self.asked.variables.is_none() && !configured).then(|| {
            format!(
                "no variable names the files of its identity `{}`: its own settings must name the certificate with intermediates in {} and the key in {}",
                self.host().name,
                self.full_chain(),
                self.delivery.path,
            )
        })
    }

    /// Java takes a client's key out of a keystore.
    fn keystore(&self) -> Option<String> {
        let service = self.keys.model.service(self.keys.deployed.service);
        service.has_runtime("java").then(|| {
            format!(
                "Java's own settings (`javax.net.ssl.keyStore`) read no PEM: `tlsgen export` makes a keystore of `{}`; a library that reads PEM needs none",
                self.host().name
            )
        })
    }

    /// libpq looks at the permissions of a key, and knows no access control list (`initialize_SSL` of
    /// its fe-secure-openssl.c).
    fn refused_by_libpq(&self) -> Option<String> {
        let variables = self.asked.variables.as_ref()?;
        let shared =
            |access: &Access| matches!(access.readers, Readers::User(_) | Readers::Group(_));
        let asks = variables.key.0 == LIBPQ_KEY && self.delivery.accesses.iter().any(shared);
        asks.then(|| {
            "libpq refuses a key that its group may read, unless root owns the file: let root own it, and run `tlsgen build` as root".to_owned()
        })
    }

    /// What makes it present a renewed certificate: what the spec says, what its server knows, or
    /// a restart.
    fn reload(
        &self,
        server: Option<&provision::Reload>,
        notes: &mut Vec<String>,
    ) -> Option<Reload> {
        let known = self.asked.reload.as_ref().or(server);
        if known.is_none() && self.delivery.renewed_in_place {
            let note = "a renewed identity is presented after a restart, since nothing says what makes the software read it again: `reload: {signal: SIGHUP}`, once it does";
            notes.push(note.to_owned());
        }
        let restart = provision::Reload::Restart;
        let Deployed {
            compose, deployed, ..
        } = self.keys;
        let in_place = self.delivery.renewed_in_place;
        let known = Some(known.unwrap_or(&restart));
        let command = reload::command(compose, deployed, known, in_place)?;
        notes.push(reload::note(&command, in_place));
        Some(Reload {
            service: deployed.named.clone(),
            command,
            directory: self.directory.clone(),
            as_client: true,
            target: None,
        })
    }

    fn neighbours(&self, inputs: &Inputs<'_>) -> Option<Diagnostic> {
        self.delivery.mount.as_ref()?;
        let own = self.keys.own();
        surroundings::neighbours(inputs.world, self.made, &own, &self.keys.deployed.named)
    }
}

/// A variable that names another file of the service: of what it serves, of whom it trusts, or the
/// other half of the identity.
fn twice(
    name: &str,
    span: Span,
    other: Option<Span>,
    entry: &ServiceOverride,
) -> Option<Diagnostic> {
    if other.is_none() && !entry.environment.contains_key(name) {
        return None;
    }
    let message = format!("`{name}` should name a file of the identity, and names another already");
    let mut diagnostic = Diagnostic::new(&TAKEN, span, message);
    if let Some(other) = other {
        diagnostic = diagnostic.also(other, "the other file");
    }
    Some(diagnostic.help("write the variable from which the software takes this file"))
}
