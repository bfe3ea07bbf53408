//! The public roots: those that the project keeps, or those that this version brings.

use std::sync::Arc;

use crate::artifact::{Artifact, Keep};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity, Stop};
use crate::model::Model;
use crate::pki::{self, Certificate, PublicRoots};
use crate::source::Span;
use crate::world::World;

/// Where the public roots are kept in a project that trusts them.
pub const FILE: &str = "pki/public-roots.pem";

/// What is wrong with them.
pub static UNUSABLE: Code = Code {
    name: "public-roots-unusable",
    severity: Severity::Error,
    summary: "the project's copy of the public roots cannot be used",
    manual: "The public roots are written once into `pki/public-roots.pem` and pinned by the lock. That file is\n\
             there and cannot be read, or holds no certificate.\n\nRestore it from version control.\n",
};

/// The public roots as the project keeps them, or, the first time, as this version brings them.
///
/// # Errors
/// [`Stop`] when the project's own cannot be used, which is told.
pub fn public_roots(
    world: &dyn World,
    model: &Model,
    found: &mut Diagnostics,
) -> Result<Option<Arc<PublicRoots>>, Stop> {
    let Some(origin) = trusting_public(model) else {
        return Ok(None);
    };
    match kept_public_roots(world) {
        Ok(roots) => Ok(Some(roots)),
        Err(message) => {
            let unusable = Diagnostic::new(&UNUSABLE, origin, message);
            found.push(unusable.help("restore the file from version control, or remove it if it was never committed: it is then written anew"));
            Err(Stop)
        }
    }
}

/// The same as certificates; none where they cannot be used, which [`public_roots`] tells.
pub fn public_certificates(world: &dyn World, model: &Model) -> Vec<Certificate> {
    let roots = public_roots(world, model, &mut Diagnostics::default());
    let roots = roots.ok().flatten();
    let ders = roots.as_ref().map(|roots| roots.ders()).unwrap_or_default();
    ders.iter()
        .filter_map(|der| Certificate::from_der(der).ok())
        .collect()
}

/// The project's copy, which the lock pins.
pub fn public_roots_artifact(model: &Model, public: Option<Arc<PublicRoots>>) -> Option<Artifact> {
    Some(Artifact {
        keep: Keep::Pinned,
        ..Artifact::bytes(FILE, public?.pem(), trusting_public(model)?)
    })
}

/// Where a deployed service asks for the public roots, if one does.
fn trusting_public(model: &Model) -> Option<Span> {
    let services = model.deployed().map(|id| model.service(id));
    let mut trusting =
        services.filter(|service| service.trust.as_ref().is_some_and(|trust| trust.public));
    trusting.next().map(|service| service.place.key)
}

/// The public roots that the project keeps, or those that this version brings if it keeps none.
///
/// # Errors
/// In words, why its own cannot be used.
pub fn kept_public_roots(world: &dyn World) -> Result<Arc<PublicRoots>, String> {
    let text = match world.read(FILE) {
        Ok(text) if is_pem(&text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            pki::bundle::public_roots_pem().into_bytes()
        }
        kept => {
            let why = kept
                .err()
                .map_or("it holds no certificate".to_owned(), |error| {
                    error.to_string()
                });
            return Err(format!("cannot use the public roots in `{FILE}`: {why}"));
        }
    };
    Ok(Arc::new(PublicRoots::new(Arc::from(text))))
}

/// Looks for a certificate without parsing any: the file is what the lock pins, or the plan says so.
fn is_pem(text: &[u8]) -> bool {
    const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
    text.windows(BEGIN.len()).any(|window| window == BEGIN)
}
