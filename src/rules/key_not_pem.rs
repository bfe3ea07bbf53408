//! Keys in a form that services do not read.

use zeroize::Zeroizing;

use super::{Judged, Rule, about, code};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::KeySource;
use crate::pki::key;

static CODE: Code = code!(
    "key-not-pem",
    Error,
    "a service is given a private key that is not in PEM"
);

/// Finds keys in DER: a service is handed the file as it is.
pub const RULE: Rule = Rule { code: &CODE, check };

fn check(judged: &Judged<'_>) -> Vec<Diagnostic> {
    judged
        .handed()
        .filter_map(|(host, made)| {
            // A file that is not here, or that only others may read, is not judged.
            let KeySource::File { path, public: Some(Ok(_)) } = &made.key else {
                return None;
            };
            let bytes = Zeroizing::new(judged.world.read(path).ok()?);
            key::is_der(&bytes).then(|| {
                let message = format!("the key in `{path}` is in DER, and services read PEM");
                Diagnostic::new(&CODE, made.key_span, message)
                    .about(about(host))
                    .help(format!("convert it, and name the new file: `openssl pkey -inform der -in {path} -out {path}.pem`"))
            })
        })
        .collect()
}
