//! Secrets, and all the ways in which a program may print one without meaning to.

use std::collections::HashMap;
use std::ops::Range;

use base64::prelude::*;

/// What must not be found: the part of a key that makes it private, or a value.
#[derive(Debug, Clone)]
pub struct Secret {
    /// How a failure calls it; never the secret itself.
    pub name: String,
    pub bytes: Vec<u8>,
}

/// How long a piece is that counts as a leak, in bytes of the output. Whoever has twice as much of a
/// form in one go has at least one whole piece.
const PIECE: usize = 16;

/// A piece with fewer different bytes than this says nothing.
const LEAST_VARIETY: usize = 6;

impl Secret {
    pub fn new(name: &str, bytes: &[u8]) -> Self {
        let (name, bytes) = (name.to_owned(), bytes.to_vec());
        assert!(bytes.len() >= PIECE, "{name} is too short to be looked for");
        Self { name, bytes }
    }
}

/// What makes the private keys in a file private: the scalar of an EC key, the seed of an Ed25519
/// key, every number of an RSA key that is not public. Whoever prints the whole prints these; the
/// rest of it is in the certificate too.
pub fn of_key(name: &str, file: &[u8]) -> Vec<Secret> {
    let der = match std::str::from_utf8(file) {
        Ok(text) if text.contains("-----BEGIN ") => of_pem(text),
        _ => file.to_vec(),
    };
    let parts = private_parts(&der);
    assert!(!parts.is_empty(), "{name} holds no private key");
    let parts = parts.iter().zip(1..);
    let mut secrets: Vec<Secret> = parts
        .map(|(part, number)| Secret::new(&format!("part {number} of {name}"), part))
        .collect();
    // Of PEM the letters too, since they may be printed as numbers or in base64 once more; only
    // those that are of the secret, since what tells the algorithm is in certificates.
    let needles = Needles::new(&secrets);
    let lines = file.split(|byte| *byte == b'\n').zip(1..);
    secrets.extend(
        lines
            .filter(|(line, _)| line.is_ascii())
            .filter_map(|(line, number)| {
                let own = needles.span_in(line)?;
                Some(Secret::new(&format!("line {number} of {name}"), &line[own]))
            }),
    );
    secrets
}

/// Every form of a secret: what `{}`, `{:?}`, `{:x}`, base64 in any surroundings, PEM, JSON or a tool
/// for certificates makes of it. White space is left out of all but the first three, and must be
/// left out of what they are looked for in as well.
pub fn forms(secret: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let hex = |separator: &str, upper: bool| {
        let bytes = secret.iter().map(|byte| match upper {
            true => format!("{byte:02X}"),
            false => format!("{byte:02x}"),
        });
        bytes.collect::<Vec<_>>().join(separator).into_bytes()
    };
    let decimal: Vec<String> = secret.iter().map(u8::to_string).collect();
    let escaped = secret.escape_ascii().to_string();
    let lossy = String::from_utf8_lossy(secret).into_owned();
    let mut forms = vec![
        ("bytes", secret.to_vec()),
        ("escaped bytes", escaped.into_bytes()),
        ("text with replacement characters", lossy.into_bytes()),
        (
            "bytes as Rust's Debug prints them",
            decimal.join(",").into_bytes(),
        ),
        ("hex", hex("", false)),
        ("hex, upper case", hex("", true)),
        ("hex with colons", hex(":", false)),
        ("hex with colons, upper case", hex(":", true)),
        ("hex with spaces as words of C", hex(",0x", false)),
    ];
    // What stands before a secret in the same base64 moves its letters by none, two or four bits;
    // the letters that it shares with its neighbours are nobody's. PEM's lines are those of the
    // first form, broken.
    let standard: fn(Vec<u8>) -> String = |bytes| BASE64_STANDARD_NO_PAD.encode(bytes);
    let for_urls: fn(Vec<u8>) -> String = |bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    for (name, before, encode) in [
        ("base64 or PEM", 0, standard),
        ("base64, one byte in", 1, standard),
        ("base64, two bytes in", 2, standard),
        ("base64url", 0, for_urls),
        ("base64url, one byte in", 1, for_urls),
        ("base64url, two bytes in", 2, for_urls),
    ] {
        let mut moved = [&vec![0; before], secret].concat();
        moved.truncate(moved.len() / 3 * 3);
        let letters = encode(moved).into_bytes();
        let own = if before == 0 { 0 } else { 4 };
        forms.push((name, letters[own..].to_vec()));
    }
    forms
}

/// The pieces of many secrets, to be looked for at once.
pub struct Needles {
    pieces: HashMap<[u8; PIECE], String>,
    /// Whether a piece begins with these two bytes: most of an output does not.
    starts: Vec<bool>,
}

impl Needles {
    pub fn new(secrets: &[Secret]) -> Self {
        let mut pieces = HashMap::new();
        for secret in secrets {
            for (form, bytes) in forms(&secret.bytes) {
                for piece in bytes.chunks_exact(PIECE) {
                    let mut letters = piece.to_vec();
                    letters.sort_unstable();
                    letters.dedup();
                    if letters.len() >= LEAST_VARIETY
                        && let Ok(piece) = <[u8; PIECE]>::try_from(piece)
                    {
                        pieces.insert(piece, format!("{} as {form}", secret.name));
                    }
                }
            }
        }
        let mut starts = vec![false; 1 << 16];
        for piece in pieces.keys() {
            starts[start(piece)] = true;
        }
        Self { pieces, starts }
    }

    /// Which piece this is.
    fn named(&self, window: &[u8]) -> Option<&str> {
        let possible = self.starts[start(window)];
        possible
            .then(|| self.pieces.get(window))?
            .map(String::as_str)
    }

    /// From the first piece to the last.
    fn span_in(&self, line: &[u8]) -> Option<Range<usize>> {
        let is_piece = |window: &[u8]| self.named(window).is_some();
        let first = line.windows(PIECE).position(is_piece)?;
        let last = line.windows(PIECE).rposition(is_piece)?;
        Some(first..last + PIECE)
    }

    /// Which secrets are in an output, and in which form; the same once.
    pub fn found_in(&self, haystack: &[u8]) -> Vec<&str> {
        let is_ink = |byte: &&u8| !byte.is_ascii_whitespace();
        let dense: Vec<u8> = haystack.iter().filter(is_ink).copied().collect();
        let windows = haystack.windows(PIECE).chain(dense.windows(PIECE));
        let mut found: Vec<&str> = windows.filter_map(|window| self.named(window)).collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

fn start(piece: &[u8]) -> usize {
    usize::from(piece[0]) << 8 | usize::from(piece[1])
}

/// Fails when an output holds a piece of a secret; `what` says which output it is.
pub fn assert_absent(what: &str, haystack: &[u8], secrets: &Needles) {
    let found = secrets.found_in(haystack);
    assert!(found.is_empty(), "{what} holds {}", found.join("; "));
}

/// The first private key of a text.
fn of_pem(text: &str) -> Vec<u8> {
    let after = text.split("PRIVATE KEY-----").nth(1).unwrap();
    let body = after.split("-----END").next().unwrap();
    let letters: String = body.split_whitespace().collect();
    BASE64_STANDARD.decode(letters).unwrap()
}

const INTEGER: u8 = 2;
const OCTETS: u8 = 4;
const SEQUENCE: u8 = 0x30;

/// Tells PKCS#8, PKCS#1 and SEC1 apart by what follows the version.
fn private_parts(der: &[u8]) -> Vec<Vec<u8>> {
    let outer = elements(der);
    let [(SEQUENCE, inside)] = outer.as_slice() else {
        return Vec::new();
    };
    match elements(inside).as_slice() {
        [(INTEGER, _), (SEQUENCE, _), (OCTETS, key), ..] => match elements(key).as_slice() {
            [(OCTETS, seed)] => vec![seed.to_vec()],
            _ => private_parts(key),
        },
        [(INTEGER, _), (OCTETS, scalar), ..] => vec![scalar.to_vec()],
        // Version, modulus and public exponent; then d, p, q and what follows from them.
        [(INTEGER, _), (INTEGER, _), (INTEGER, _), private @ ..] => {
            let numbers = private.iter().map(|(_, number)| number);
            numbers
                .map(|number| number.strip_prefix(&[0]).unwrap_or(number).to_vec())
                .collect()
        }
        _ => Vec::new(),
    }
}

/// The elements of DER that follow one another, as tag and content.
fn elements(mut der: &[u8]) -> Vec<(u8, &[u8])> {
    let mut found = Vec::new();
    while let [tag, length, rest @ ..] = der {
        let (bytes, rest) = match length {
            0x80.. => rest.split_at(usize::from(length & 0x7f).min(rest.len())),
            _ => (std::slice::from_ref(length), rest),
        };
        let length = bytes
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        if length > rest.len() {
            return Vec::new();
        }
        found.push((*tag, &rest[..length]));
        der = &rest[length..];
    }
    found
}
