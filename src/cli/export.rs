//! `tlsgen export`: keystores, for software that cannot read PEM.

mod destination;
mod password;

use serde::Serialize;

use super::Exit;
use super::arguments::{
    Arguments, Export, ExportHost, ExportTrust, Format, StoreEncoding, StoreType,
};
use super::output::{FindingsJson, Output};
use super::project::{Project, asked};
use crate::diagnostic::{Diagnostics, suggest};
use crate::model::{Host, HostCertificate, KeySource, Model, Trust};
use crate::pki::Certificate;
use crate::pki::chain::presented;
use crate::pki::keystore::{self, Alias, Encoding, KeyEntry, KeyFile};
use crate::plan::Lock;
use crate::runtimes::trust_anchors;
use crate::source::Sources;
use crate::world::{Recording, World as _};
use destination::{Destination, Secrecy};

/// The trust list's word for the public roots.
const PUBLIC: &str = "public";

/// What was written.
#[derive(Serialize)]
struct Exported {
    file: String,
    store_type: &'static str,
    encoding: Option<&'static str>,
    /// The name of the key's entry.
    alias: Option<String>,
    certificates: usize,
    /// Whether the file was written; not if it already had these bytes.
    changed: bool,
}

/// Why nothing was written: how the command ends, and what it says.
struct Failure(Exit, String);

impl From<String> for Failure {
    fn from(words: String) -> Self {
        Self(Exit::NoAnswer, words)
    }
}

/// Runs the command.
pub fn run(arguments: &Arguments, export: &Export, output: &mut Output) -> Exit {
    let project = match Project::find(arguments) {
        Ok(project) => project,
        Err(words) => return output.no_answer(&words),
    };
    let world = Recording::new(&project.disk);
    let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
    let lock = Lock::load(&project.disk).unwrap_or_default();
    let asked = asked(&project.spec, &lock);
    let checked = crate::check(&world, asked, &mut sources, &mut found);
    if output.format == Format::Text {
        output.findings(&found, &sources);
    }
    let Ok(model) = checked else {
        if output.format == Format::Json {
            output.json(&FindingsJson::new(&found, &sources));
        }
        return Exit::NoAnswer;
    };
    let store = match export {
        Export::Host(options) => &options.store,
        Export::Trust(options) => &options.store,
    };
    let exported = Destination::find(arguments, &store.out, &project, &world)
        .map_err(Failure::from)
        .and_then(|destination| match export {
            Export::Host(options) => host(&model, options, &world, &destination, output),
            Export::Trust(options) => trust(&model, options, &world, &destination, output),
        });
    match exported {
        Ok(exported) if output.format == Format::Json => {
            output.json(&exported);
            Exit::Done
        }
        Ok(exported) => {
            output.say(&text(&exported));
            Exit::Done
        }
        Err(Failure(exit, words)) => {
            output.no_answer(&words);
            exit
        }
    }
}

fn host(
    model: &Model,
    options: &ExportHost,
    world: &Recording<'_>,
    destination: &Destination<'_>,
    output: &mut Output,
) -> Result<Exported, Failure> {
    let (host, made, key) = certificate(model, &options.host)?;
    let alias = options.alias.as_ref().unwrap_or(&host.name);
    let alias = Alias::new(alias).map_err(|bad| format!("`--alias`: {bad}"))?;
    let chain = chain(model, host, made, options.with_root)?;
    destination.may_be_written(options.store.force, Secrecy::Key, output)?;
    let password = password::given(&options.store, destination)?;
    let password = password.ok_or_else(|| NO_PASSWORD.to_owned())?;
    if !password.is_ascii() {
        warn(output, NOT_ASCII);
    }
    let unreadable = |error| format!("cannot read the key `{key}` of `{}`: {error}", host.name);
    let key = KeyFile::new(world.read(key).map_err(unreadable)?);
    let entry = KeyEntry {
        alias: &alias,
        key: &key,
        chain: &chain,
    };
    let encoding = options.store.encoding;
    let bytes = keystore::with_key(&entry, &password, encoding.into())
        .map_err(|no| format!("there is no key store for `{}`: {no}", host.name))?;
    destination.write(&bytes, Secrecy::Key)?;
    Ok(Exported {
        file: destination.shown.clone(),
        store_type: StoreType::Pkcs12.name(),
        encoding: Some(encoding.name()),
        alias: Some(alias.as_str().to_owned()),
        certificates: chain.len(),
        changed: true,
    })
}

const NO_PASSWORD: &str = "a key is never exported without a password: name its file, `--password-file FILE` (`-` is standard input), or its variable, `--password-env VARIABLE`";
const NOT_ASCII: &str = "the password is not ASCII: no Java opens a compatible PKCS#12 file with such a one, and only Java from 25 on a modern one";

/// The host with the certificate and the key file that are its own.
fn certificate<'m>(
    model: &'m Model,
    name: &str,
) -> Result<(&'m Host, &'m HostCertificate, &'m str), String> {
    let host = model.hosts.iter().find(|host| host.name == name);
    let host = host.ok_or_else(|| {
        let names = model.hosts.iter().map(|host| host.name.as_str());
        format!("there is no host `{name}`; {}", suggest(name, names))
    })?;
    let made = host.certificate.as_ref().ok_or_else(|| match host.issuer {
        Some(_) if model.issued_in_cluster(host) => format!("the certificate of `{name}` is issued in a cluster, and stays there with its key"),
        Some(_) => format!("the certificate of `{name}` is not here, or is due: run `tlsgen build` first"),
        None => format!("`{name}` has no certificate here: only a host with `certificate: {{chain: …, key: …}}` can be exported"),
    })?;
    match &made.key {
        KeySource::File { path, .. } => Ok((host, made, path)),
        KeySource::Variable(variable) => Err(format!(
            "the key of `{name}` is in the variable `{variable}` where it is deployed, and in no file"
        )),
    }
}

fn chain(
    model: &Model,
    host: &Host,
    made: &HostCertificate,
    with_root: bool,
) -> Result<Vec<Certificate>, String> {
    let file = made.chain.certificates.iter();
    let file: Vec<Certificate> = file.map(|one| one.certificate.clone()).collect();
    let roots = model.authorities.iter();
    let roots: Vec<Certificate> = roots.flat_map(|one| one.anchors()).cloned().collect();
    presented(&file, with_root.then_some(roots.as_slice())).map_err(|none| {
        let name = &host.name;
        format!("the chain of `{name}` has no root to add: {none}; leave `--with-root` out, or name the root in `authorities`")
    })
}

fn trust(
    model: &Model,
    options: &ExportTrust,
    world: &Recording<'_>,
    destination: &Destination<'_>,
    output: &mut Output,
) -> Result<Exported, Failure> {
    let trust = trust_list(model, &options.authorities)?;
    let public = match trust.public {
        true => Some(crate::stages::kept_public_roots(world)?),
        false => None,
    };
    let anchors = trust_anchors(model, &trust, public.as_ref());
    let password = password::given(&options.store, destination)?;
    let password = password.unwrap_or_else(keystore::Password::customary);
    let encoding = options.store.encoding;
    let pkcs12 = options.store_type == StoreType::Pkcs12;
    if pkcs12 && !password.is_ascii() {
        warn(output, NOT_ASCII);
    }
    let bytes = match pkcs12 {
        true => anchors
            .pkcs12(&password, encoding.into())
            .map_err(|error| error.to_string())?,
        false => anchors.jks(&password),
    };
    let changed = !destination.holds(&bytes);
    if changed {
        destination.may_be_written(options.store.force, Secrecy::Public, output)?;
        destination.write(&bytes, Secrecy::Public)?;
    }
    Ok(Exported {
        file: destination.shown.clone(),
        store_type: options.store_type.name(),
        encoding: pkcs12.then_some(encoding.name()),
        alias: None,
        certificates: anchors.count(),
        changed,
    })
}

fn trust_list(model: &Model, names: &[String]) -> Result<Trust, String> {
    let mut trust = Trust {
        authorities: Vec::new(),
        public: false,
    };
    for name in names {
        if name == PUBLIC {
            trust.public = true;
            continue;
        }
        let mut known = model.authorities();
        let found = known.find(|(_, authority)| authority.name == *name);
        let (id, authority) = found.ok_or_else(|| {
            let names = model.authorities.iter().map(|one| one.name.as_str());
            let names = names.chain([PUBLIC]);
            format!("there is no authority `{name}`; {}", suggest(name, names))
        })?;
        if authority.file.certificates.is_empty() {
            return Err(format!(
                "`{name}` has no certificate of its own here; `{PUBLIC}` stands for the public roots"
            ));
        }
        trust.authorities.push(id);
    }
    trust.authorities.sort_unstable();
    trust.authorities.dedup();
    Ok(trust)
}

fn warn(output: &mut Output, words: &str) {
    if !output.quiet {
        output.complain(&format!("warning: {words}\n"));
    }
}

fn text(exported: &Exported) -> String {
    let Exported {
        file,
        store_type,
        alias,
        certificates,
        ..
    } = exported;
    let word = if exported.changed {
        "wrote"
    } else {
        "unchanged"
    };
    let encoding = exported.encoding.map(|name| format!(", {name}"));
    let encoding = encoding.unwrap_or_default();
    let count = match certificates {
        1 => "1 certificate".to_owned(),
        count => format!("{count} certificates"),
    };
    let held = match alias {
        Some(alias) => format!("key `{alias}` with {count}"),
        None => format!("{count} to trust"),
    };
    format!("{word} {file}  ({store_type}{encoding}: {held})\n")
}

impl StoreType {
    fn name(self) -> &'static str {
        match self {
            Self::Jks => "jks",
            Self::Pkcs12 => "pkcs12",
        }
    }
}

impl StoreEncoding {
    fn name(self) -> &'static str {
        match self {
            Self::Modern => "modern",
            Self::Compatible => "compatible",
        }
    }
}

impl From<StoreEncoding> for Encoding {
    fn from(encoding: StoreEncoding) -> Self {
        match encoding {
            StoreEncoding::Modern => Self::Modern,
            StoreEncoding::Compatible => Self::Compatible,
        }
    }
}
