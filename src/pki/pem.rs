//! PEM as it is found: with a byte-order mark, CRLF, text around it, damaged, or not PEM at all.

use std::fmt;
use std::ops::Range;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use zeroize::Zeroizing;

use super::certificate::{Certificate, Malformed};
use super::der;
use super::foreign::Foreign;
use super::printable::shortened;

/// What a text holds.
#[derive(Debug)]
pub struct Reading {
    /// Its blocks, in order, the damaged ones included.
    pub blocks: Vec<Block>,
    /// What it is instead, if it has no block at all.
    pub foreign: Option<Foreign>,
}

/// From a `BEGIN` line to its `END` line.
#[derive(Debug)]
pub struct Block {
    /// What its `BEGIN` line calls it.
    pub label: String,
    /// What that means.
    pub kind: Kind,
    /// The bytes of the text from the first hyphen to the last.
    pub range: Range<usize>,
    /// The line of `BEGIN`, from 1.
    pub line: usize,
    /// Whether its lines are indented, which OpenSSL does not read.
    pub indented: bool,
    /// Whether its header says that it is encrypted (RFC 1421, keys of old).
    pub encrypted: bool,
    contents: Result<Contents, Defect>,
}

/// What a block's label says is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `CERTIFICATE`, `X509 CERTIFICATE`.
    Certificate,
    /// OpenSSL's `TRUSTED CERTIFICATE`, with trust settings behind the certificate.
    TrustedCertificate,
    /// A private key of any form.
    PrivateKey,
    /// A private key of PKCS#8 under a password.
    EncryptedPrivateKey,
    /// The parameters that `openssl ecparam` writes before a key.
    EcParameters,
    /// A certificate signing request.
    Request,
    /// A public key.
    PublicKey,
    /// A revocation list.
    RevocationList,
    /// PKCS#7 or CMS.
    Pkcs7,
    /// Anything else.
    Other,
}

/// What is wrong with a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Defect {
    /// A byte that is no base64, at this place of the text.
    BadBase64 {
        /// The place, from the start of the text.
        at: usize,
    },
    /// The base64 ends in the middle of a byte.
    CutOff,
    /// No `END` line follows.
    MissingEnd,
    /// The `END` line has another label.
    WrongEnd {
        /// What it has.
        found: String,
    },
    /// Nothing stands between `BEGIN` and `END`.
    Empty,
}

/// Bytes that may be those of a key: overwritten when they go, and never shown.
struct Contents(Vec<u8>);

/// Reads all blocks of a text, in one pass.
pub fn blocks(text: &[u8]) -> Reading {
    let mut reader = Reader::default();
    for line in Lines::of(text) {
        reader.line(text, line);
    }
    reader.finish(text);
    let foreign = match reader.blocks.is_empty() {
        true => Some(Foreign::of(text)),
        false => None,
    };
    Reading {
        blocks: reader.blocks,
        foreign,
    }
}

/// Writes a block: 64 columns, LF, one at the end too.
pub fn block(label: &str, contents: &[u8]) -> String {
    // The contents may be those of a key: nothing of it is left behind.
    let body = Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(contents));
    let mut text = String::with_capacity(body.len() + body.len() / 64 + 2 * label.len() + 40);
    text.push_str("-----BEGIN ");
    text.push_str(label);
    text.push_str("-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

impl Reading {
    /// The blocks that should hold a certificate, each with the certificate or why it is none.
    pub fn certificates(&self) -> impl Iterator<Item = (&Block, Result<Certificate, BadBlock>)> {
        let blocks = self.blocks.iter();
        blocks.filter_map(|block| Some((block, block.certificate()?)))
    }
}

/// Why a block gave no certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadBlock {
    /// The block is damaged.
    Damaged(Defect),
    /// Its bytes are no certificate.
    Malformed(Malformed),
}

impl Block {
    /// The bytes, or what is wrong with the block. `None` for private keys, which stay inside.
    pub fn der(&self) -> Option<Result<&[u8], &Defect>> {
        (!self.kind.is_secret()).then(|| self.secret())
    }

    /// What is wrong with the block, if anything is.
    pub fn defect(&self) -> Option<&Defect> {
        self.contents.as_ref().err()
    }

    /// The certificate in it; `None` if its label promises none.
    pub fn certificate(&self) -> Option<Result<Certificate, BadBlock>> {
        if !matches!(self.kind, Kind::Certificate | Kind::TrustedCertificate) {
            return None;
        }
        Some(match &self.contents {
            Err(defect) => Err(BadBlock::Damaged(defect.clone())),
            Ok(contents) => {
                let bytes = match self.kind {
                    Kind::TrustedCertificate => without_trust_settings(&contents.0),
                    _ => &contents.0,
                };
                Certificate::from_der(bytes).map_err(BadBlock::Malformed)
            }
        })
    }

    /// The bytes of any block, keys included.
    pub(super) fn secret(&self) -> Result<&[u8], &Defect> {
        self.contents.as_ref().map(|contents| contents.0.as_slice())
    }
}

fn without_trust_settings(bytes: &[u8]) -> &[u8] {
    der::first(bytes).map_or(bytes, |(certificate, _)| certificate.whole)
}

impl Kind {
    /// What a label means.
    pub fn of(label: &str) -> Self {
        match label {
            "CERTIFICATE" | "X509 CERTIFICATE" | "X.509 CERTIFICATE" => Self::Certificate,
            "TRUSTED CERTIFICATE" => Self::TrustedCertificate,
            "ENCRYPTED PRIVATE KEY" => Self::EncryptedPrivateKey,
            "EC PARAMETERS" => Self::EcParameters,
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Self::Request,
            "X509 CRL" => Self::RevocationList,
            "PKCS7" | "CMS" | "PKCS #7 SIGNED DATA" => Self::Pkcs7,
            _ if label.ends_with("PRIVATE KEY") => Self::PrivateKey,
            _ if label.ends_with("PUBLIC KEY") => Self::PublicKey,
            _ => Self::Other,
        }
    }

    /// Whether such a block's bytes stay inside.
    pub fn is_secret(self) -> bool {
        matches!(self, Self::PrivateKey | Self::EncryptedPrivateKey)
    }
}

/// The block that is being read, and those that were.
#[derive(Default)]
struct Reader {
    blocks: Vec<Block>,
    open: Option<Open>,
    line: usize,
}

struct Open {
    block: Block,
    /// Still in the header lines of RFC 1421.
    header: bool,
    body: Contents,
    bad: Option<usize>,
}

impl Reader {
    fn line(&mut self, text: &[u8], range: Range<usize>) {
        self.line += 1;
        let line = text.get(range.clone()).unwrap_or_default();
        if let Some(label) = boundary(line, b"-----BEGIN ") {
            self.close(range.start, Some(Defect::MissingEnd));
            self.open = Some(Open::new(label, range, self.line, text));
        } else if let Some(label) = boundary(line, b"-----END ") {
            let wrong = self
                .open
                .as_ref()
                .is_some_and(|open| open.block.label != label);
            let defect = wrong.then_some(Defect::WrongEnd { found: label });
            self.close(range.end, defect);
        } else if let Some(open) = &mut self.open {
            open.line(line, range.start);
        }
    }

    fn finish(&mut self, text: &[u8]) {
        self.close(text.len(), Some(Defect::MissingEnd));
    }

    /// Ends the open block, if there is one, at the byte after its last.
    fn close(&mut self, end: usize, defect: Option<Defect>) {
        let Some(open) = self.open.take() else { return };
        let mut block = open.block;
        block.range.end = end.max(block.range.start);
        block.contents = match (defect, open.bad) {
            (Some(defect), _) => Err(defect),
            (None, Some(at)) => Err(Defect::BadBase64 { at }),
            (None, None) => decode(&open.body.0),
        };
        self.blocks.push(block);
    }
}

impl Open {
    fn new(label: String, range: Range<usize>, line: usize, text: &[u8]) -> Self {
        let block = Block {
            kind: Kind::of(&label),
            label,
            indented: indented(text, range.start),
            range,
            line,
            encrypted: false,
            contents: Err(Defect::Empty),
        };
        Self {
            block,
            header: true,
            // Room for any usual key, so that no copy of one is left behind by growing.
            body: Contents(Vec::with_capacity(8192)),
            bad: None,
        }
    }

    fn line(&mut self, line: &[u8], start: usize) {
        if self.header && line.contains(&b':') {
            self.block.encrypted |= line.starts_with(b"Proc-Type:") && line.ends_with(b"ENCRYPTED");
            return;
        }
        // A folded header line needs a colon above it; keys have none such in practice.
        self.header = self.header && line.is_empty();
        for (at, byte) in line.iter().enumerate() {
            match byte {
                b' ' | b'\t' | b'\r' | 0x0b | 0x0c => {}
                byte if is_base64(*byte) => self.body.0.push(*byte),
                _ => self.bad = self.bad.or(Some(start + at)),
            }
        }
    }
}

/// Whether white space stands before a place in its line.
fn indented(text: &[u8], start: usize) -> bool {
    let before = start.checked_sub(1).and_then(|before| text.get(before));
    matches!(before, Some(b' ' | b'\t'))
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// Padding as OpenSSL takes it: present or not, and whatever the last bits are.
const TOLERANT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

fn decode(body: &[u8]) -> Result<Contents, Defect> {
    if body.is_empty() {
        return Err(Defect::Empty);
    }
    let decoded = TOLERANT.decode(body);
    decoded.map(Contents).map_err(|_| Defect::CutOff)
}

/// The label of a `BEGIN` or `END` line, fit to be shown.
fn boundary(line: &[u8], start: &[u8]) -> Option<String> {
    let label = line.strip_prefix(start)?.strip_suffix(b"-----")?;
    Some(shortened(String::from_utf8_lossy(label).trim(), 60))
}

/// The lines of a text without their ends, their indentation and a byte-order mark.
struct Lines<'a> {
    text: &'a [u8],
    next: usize,
}

impl<'a> Lines<'a> {
    fn of(text: &'a [u8]) -> Self {
        let next = if text.starts_with(b"\xef\xbb\xbf") {
            3
        } else {
            0
        };
        Self { text, next }
    }
}

impl Iterator for Lines<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let rest = self.text.get(self.next..)?;
        if rest.is_empty() {
            return None;
        }
        let line = rest.split(|byte| *byte == b'\n').next()?;
        let start = self.next + line.len() - line.trim_ascii_start().len();
        let end = start + line.trim_ascii().len();
        // Past the end of the text, where the last line has no break: that ends the lines.
        self.next += line.len() + 1;
        Some(start..end)
    }
}

impl Drop for Contents {
    fn drop(&mut self) {
        self.0.fill(0);
        // What looks unused afterwards must not be optimised away.
        std::hint::black_box(&mut self.0);
    }
}

impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadBase64 { .. } => f.write_str("a character in it is not base64"),
            Self::CutOff => f.write_str("its base64 is cut off"),
            Self::MissingEnd => f.write_str("its END line is missing: the file is cut off"),
            Self::WrongEnd { found } => write!(f, "its END line says `{found}`"),
            Self::Empty => f.write_str("nothing is in it"),
        }
    }
}

impl fmt::Display for BadBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(defect) => defect.fmt(f),
            Self::Malformed(malformed) => malformed.fmt(f),
        }
    }
}

impl std::error::Error for Defect {}
impl std::error::Error for BadBlock {}

#[cfg(test)]
mod tests;
