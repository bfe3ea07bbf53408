//! One handshake that verifies no more than the signatures on it, and keeps the certificates.

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{self, CryptoProvider};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{
    AlertDescription, ClientConfig, ClientConnection, DigitallySignedStruct, Error,
    PeerIncompatible, ProtocolVersion, SignatureScheme,
};

use super::Protocol;
use super::fault::{ProbeError, words};

/// What came.
pub(super) struct Presented {
    pub(super) ders: Vec<Vec<u8>>,
    pub(super) version: Option<&'static str>,
    pub(super) client_certificate_asked: bool,
    pub(super) broken_off: Option<String>,
}

/// So many of the first bytes tell a protocol.
const TELLING: usize = 64;

/// Shakes hands as a client that asks for `name`.
///
/// # Errors
/// [`ProbeError`] if that ends before there are certificates.
pub(super) fn shake(
    stream: &mut (impl Read + Write),
    name: &str,
    after: Option<Protocol>,
) -> Result<Presented, ProbeError> {
    let noted = Arc::new(Noted::new());
    let server_name =
        ServerName::try_from(name.to_owned()).map_err(|_| ProbeError::NotAName(name.to_owned()))?;
    let mut client =
        client(&noted, server_name).map_err(|error| ProbeError::Handshake(error.to_string()))?;
    let mut stream = Telling {
        stream,
        first: Vec::new(),
    };
    let ended = complete(&mut client, &mut stream);
    let ders = std::mem::take(&mut noted.seen().ders);
    let asked = noted.seen().asked;
    if ders.is_empty() {
        return Err(match ended {
            Err(error) => nothing_came(error, &stream.first, after),
            Ok(()) => ProbeError::Handshake("no certificate came".to_owned()),
        });
    }
    Ok(Presented {
        ders,
        version: client.protocol_version().and_then(version),
        client_certificate_asked: asked,
        broken_off: ended.err().map(|error| broken_off(&error)),
    })
}

fn complete(client: &mut ClientConnection, stream: &mut (impl Read + Write)) -> io::Result<()> {
    while client.is_handshaking() {
        client.complete_io(stream)?;
    }
    Ok(())
}

fn client(noted: &Arc<Noted>, name: ServerName<'static>) -> Result<ClientConnection, Error> {
    let mut config = ClientConfig::builder_with_provider(noted.provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .dangerous()
        .with_custom_certificate_verifier(noted.clone())
        .with_client_cert_resolver(noted.clone());
    config.resumption = rustls::client::Resumption::disabled();
    ClientConnection::new(Arc::new(config), name)
}

fn version(version: ProtocolVersion) -> Option<&'static str> {
    match version {
        ProtocolVersion::TLSv1_3 => Some("TLS 1.3"),
        ProtocolVersion::TLSv1_2 => Some("TLS 1.2"),
        _ => None,
    }
}

/// The error of TLS in one of reading and writing.
fn of_tls(error: &io::Error) -> Option<&Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

fn broken_off(error: &io::Error) -> String {
    match (of_tls(error), error.kind()) {
        (Some(Error::AlertReceived(alert)), _) => format!("the server sent the alert `{alert:?}`"),
        (Some(error), _) => words(error.to_string().as_bytes()),
        (None, io::ErrorKind::TimedOut) => "the server fell silent".to_owned(),
        (None, io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => {
            "the server closed the connection".to_owned()
        }
        (None, _) => error.to_string(),
    }
}

fn nothing_came(error: io::Error, first: &[u8], after: Option<Protocol>) -> ProbeError {
    if let Some(what) = other_protocol(first, after) {
        return ProbeError::NotTls(what);
    }
    match of_tls(&error) {
        Some(Error::AlertReceived(AlertDescription::ProtocolVersion))
        | Some(Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        )) => ProbeError::OnlyOldTls,
        Some(Error::AlertReceived(alert)) => ProbeError::Alert(format!("{alert:?}")),
        Some(error) => ProbeError::Handshake(words(error.to_string().as_bytes())),
        None => ProbeError::of_io(error),
    }
}

/// What speaks that does not begin as TLS does: a record of a handshake, or an alert.
fn other_protocol(first: &[u8], after: Option<Protocol>) -> Option<String> {
    let starts = |start: &str| first.starts_with(start.as_bytes());
    if first.is_empty() || matches!(first, [0x15 | 0x16, 3, ..] | [0x15 | 0x16]) {
        return None;
    }
    if after.is_some() {
        return Some(format!("says `{}`", words(line(first))));
    }
    Some(match () {
        () if starts("HTTP/") => "plain HTTP: name the port of HTTPS".to_owned(),
        () if starts("220") => "SMTP or FTP: `--starttls smtp` asks SMTP for TLS".to_owned(),
        () if starts("* OK") => "IMAP: `--starttls imap` asks it for TLS".to_owned(),
        () if starts("SSH-") => "SSH".to_owned(),
        () if first.get(3..5) == Some(&[0, 10]) => {
            "MySQL: `--starttls mysql` asks it for TLS".to_owned()
        }
        () => format!("says `{}`", words(line(first))),
    })
}

fn line(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == b'\n').next().unwrap_or(bytes)
}

/// Keeps the first bytes that come, to say what it is that is not TLS.
struct Telling<'a, S> {
    stream: &'a mut S,
    first: Vec<u8>,
}

impl<S: Read> Read for Telling<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.stream.read(buffer)?;
        let room = TELLING.saturating_sub(self.first.len()).min(length);
        self.first.extend(buffer.iter().take(room));
        Ok(length)
    }
}

impl<S: Write> Write for Telling<'_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Accepts every certificate and notes it; of the handshake it verifies that the certificate's own
/// key signed it, so that what is seen is not somebody else's.
#[derive(Debug)]
struct Noted {
    provider: Arc<CryptoProvider>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    ders: Vec<Vec<u8>>,
    asked: bool,
}

impl Noted {
    fn new() -> Self {
        Self {
            provider: Arc::new(crypto::aws_lc_rs::default_provider()),
            seen: Mutex::default(),
        }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ServerCertVerifier for Noted {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let all = std::iter::once(leaf).chain(rest);
        self.seen().ders = all.map(|one| one.to_vec()).collect();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

impl ResolvesClientCert for Noted {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.seen().asked = true;
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}
