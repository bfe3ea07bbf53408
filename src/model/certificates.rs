//! PEM files that a spec names: read, parsed, and every fault told at its line.

use std::io;

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::pki::{Certificate, Foreign, pem};
use crate::source::{SourceId, Sources, Span};
use crate::world::World;

pub(super) static UNREADABLE: Code = Code {
    name: "file-unreadable",
    severity: Severity::Error,
    summary: "a file that the spec names cannot be read",
    manual: include_str!("manual/file-unreadable.md"),
};
pub(super) static NOT_A_CERTIFICATE: Code = Code {
    name: "not-a-certificate",
    severity: Severity::Error,
    summary: "a file that should hold certificates holds something else",
    manual: include_str!("manual/not-a-certificate.md"),
};
pub(super) static DAMAGED: Code = Code {
    name: "damaged-certificate",
    severity: Severity::Error,
    summary: "a certificate in a PEM file cannot be parsed",
    manual: include_str!("manual/damaged-certificate.md"),
};
pub(super) static KEY_IN_FILE: Code = Code {
    name: "private-key-in-certificates",
    severity: Severity::Error,
    summary: "a file of certificates also holds a private key",
    manual: include_str!("manual/private-key-in-certificates.md"),
};

/// A PEM file with certificates.
#[derive(Debug)]
pub struct PemFile {
    /// Its path from the root.
    pub path: String,
    /// Its certificates in the order of the file.
    pub certificates: Vec<PemCertificate>,
}

/// A certificate, and where it stands in its file.
#[derive(Debug)]
pub struct PemCertificate {
    /// The certificate.
    pub certificate: Certificate,
    /// Its block in the PEM file.
    pub span: Span,
}

impl PemFile {
    /// Certificates that are issued here, which may not stand in their file yet; `asked_at` is what
    /// asks for them.
    pub fn issued(path: String, certificates: &[Certificate], asked_at: Span) -> Self {
        let placed = |certificate: &Certificate| PemCertificate {
            certificate: certificate.clone(),
            span: asked_at,
        };
        Self {
            path,
            certificates: certificates.iter().map(placed).collect(),
        }
    }

    /// No file, and no certificates.
    pub fn none() -> Self {
        Self {
            path: String::new(),
            certificates: Vec::new(),
        }
    }
}

/// Reads the certificates of a PEM file; faults go to `found`, at `named`, the place that names it.
pub fn read(
    world: &dyn World,
    sources: &mut Sources,
    path: &str,
    named: Span,
    found: &mut Vec<Diagnostic>,
) -> PemFile {
    let mut file = PemFile {
        path: path.to_owned(),
        certificates: Vec::new(),
    };
    let bytes = match world.read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            found.push(unreadable(path, named, &error));
            return file;
        }
    };
    let reading = pem::blocks(&bytes);
    let before = found.len();
    if let Some(foreign) = &reading.foreign {
        // The first line of any other text may be a secret: a `.env` named by mistake.
        let what = match foreign {
            Foreign::Text(_) => "some other text".to_owned(),
            foreign => foreign.to_string(),
        };
        let message = format!("`{path}` is no PEM file, but {what}");
        found.push(Diagnostic::new(&NOT_A_CERTIFICATE, named, message).help(remedy(path, foreign)));
        return file;
    }
    let source = match std::str::from_utf8(&bytes) {
        Ok(text) => Some(sources.add(path, text)),
        // Text around the blocks may be in an old code page; then only the spec's line is shown.
        Err(_) => None,
    };
    let alone = reading.certificates().next().is_none();
    for block in &reading.blocks {
        let span = place(source, block.range.clone(), named);
        match block.certificate() {
            Some(Ok(certificate)) => file.certificates.push(PemCertificate { certificate, span }),
            Some(Err(bad)) => found.push(damaged(path, named, span, source, &bad)),
            None if block.kind.is_secret() => {
                found.push(key_in_file(path, named, span, source, alone))
            }
            None => {}
        }
    }
    if file.certificates.is_empty() && alone && found.len() == before {
        let labels: Vec<&str> = reading
            .blocks
            .iter()
            .map(|block| block.label.as_str())
            .collect();
        let message = format!(
            "`{path}` holds no certificate, but: {}",
            labels.join(", ").to_lowercase()
        );
        let help = "name the PEM file that holds the certificate";
        found.push(Diagnostic::new(&NOT_A_CERTIFICATE, named, message).help(help));
    }
    file
}

/// How to come by a certificate where the file is something else.
fn remedy(path: &str, foreign: &Foreign) -> String {
    match foreign {
        Foreign::DerCertificate => format!("convert it: `openssl x509 -inform der -in {path} -out {path}.pem`"),
        Foreign::Pkcs7 => format!("convert it: `openssl pkcs7 -inform der -print_certs -in {path} -out {path}.pem`"),
        Foreign::Pkcs12 => format!("convert it: `openssl pkcs12 -nokeys -in {path} -out {path}.pem`"),
        Foreign::Jks | Foreign::Jceks => format!("export each entry: `keytool -exportcert -rfc -keystore {path} -alias ALIAS`"),
        Foreign::Html | Foreign::ErrorText(_) | Foreign::Empty => {
            "the download failed: get the CA's certificate from whoever runs the CA, and look at it with `tlsgen inspect`".to_owned()
        }
        Foreign::Base64OfPem => format!("decode it: `base64 -d {path} >{path}.pem`"),
        Foreign::EscapedLineBreaks => format!(r"make each `\n` a line break: `sed 's/\\n/\n/g' {path} >{path}.pem`"),
        Foreign::Utf16 => "save it as UTF-8".to_owned(),
        _ => "name a PEM file: text that begins with `-----BEGIN CERTIFICATE-----`".to_owned(),
    }
}

/// What to say of a file that cannot be read.
pub fn unreadable(path: &str, named: Span, error: &io::Error) -> Diagnostic {
    let (message, help) = match error.kind() {
        io::ErrorKind::NotFound if path.contains(":/") => (
            format!("`{path}` is a URL, and no path"),
            "download it, compare its fingerprint with whoever runs the CA, and name the file",
        ),
        io::ErrorKind::NotFound => (
            format!("there is no `{path}`"),
            "put the file there, or correct the path: it is relative to the file that names it",
        ),
        io::ErrorKind::FileTooLarge => (
            format!("`{path}` is too large to be read"),
            "name a file of certificates; a whole trust store has less than 1 MB",
        ),
        _ => (
            format!("cannot read `{path}`: {error}"),
            "make it a regular file inside the project that you may read",
        ),
    };
    Diagnostic::new(&UNREADABLE, named, message).help(help)
}

fn place(source: Option<SourceId>, range: std::ops::Range<usize>, named: Span) -> Span {
    source.map_or(named, |source| source.span(range))
}

fn damaged(
    path: &str,
    named: Span,
    span: Span,
    source: Option<SourceId>,
    bad: &pem::BadBlock,
) -> Diagnostic {
    let message = format!("`{path}` holds a certificate that cannot be read: {bad}");
    let diagnostic = Diagnostic::new(&DAMAGED, named, message)
        .help("save the file anew from where it comes: it was cut off, or changed on the way");
    if source.is_some() {
        diagnostic.also(span, "this block")
    } else {
        diagnostic
    }
}

fn key_in_file(
    path: &str,
    named: Span,
    span: Span,
    source: Option<SourceId>,
    alone: bool,
) -> Diagnostic {
    let message = match alone {
        true => format!("`{path}` holds a private key, and no certificate"),
        false => format!("`{path}` also holds a private key"),
    };
    let diagnostic = Diagnostic::new(&KEY_IN_FILE, named, message).help(
        match alone {
            true => "name the file of the certificate; if this one was ever committed, the key is known: replace it",
            false => "move the key to a file of its own that Git ignores; if it was ever committed, it is known: replace it",
        },
    );
    // Only the first line is ever shown: the `BEGIN` line, never the key.
    if source.is_some() {
        diagnostic.also(span, "the key begins here")
    } else {
        diagnostic
    }
}
