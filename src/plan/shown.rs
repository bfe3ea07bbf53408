//! What a person may and wants to see of a file: a certificate as what it says, a key not at all.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use crate::digest::Sha256;
use crate::pki::crl;
use crate::pki::pem::{self, BadBlock, Block, Defect, Kind};
use crate::pki::truststore::{JksEntry, JksKind, read_jks};
use crate::pki::{Certificate, Malformed, bundle, date, one_line, public_root_certificates};

/// A file as lines to be read and compared.
#[derive(Debug, Default)]
pub struct Shown {
    /// The lines, each with its line break if it has one.
    pub lines: Vec<ShownLine>,
    /// Every certificate in the file, in order.
    pub certificates: Vec<Certificate>,
}

/// One line.
#[derive(Debug)]
pub struct ShownLine {
    /// What it says.
    pub text: String,
    /// Whether it stands for one of the public roots that this program carries.
    pub public_root: bool,
}

/// What stands for what is not known before a certificate is issued.
const NOT_ISSUED: &str = "(not issued yet)";

impl Shown {
    /// Without what `other`, the same file with other made-up certificates, says otherwise.
    pub fn masked(&self, other: &Self) -> Self {
        let same_length = self.lines.len() == other.lines.len();
        let lines = self.lines.iter().enumerate().map(|(at, line)| {
            let known = match other.lines.get(at).filter(|_| same_length) {
                Some(other) => masked(&line.text, &other.text),
                None if other.lines.iter().any(|other| other.text == line.text) => {
                    line.text.clone()
                }
                None => format!("{NOT_ISSUED}\n"),
            };
            ShownLine {
                text: known,
                public_root: line.public_root,
            }
        });
        let kept = |one: &&Certificate| other.certificates.contains(one);
        Self {
            lines: lines.collect(),
            certificates: self.certificates.iter().filter(kept).cloned().collect(),
        }
    }
}

/// A line up to where it differs, by whole words.
fn masked(line: &str, other: &str) -> String {
    if line == other {
        return line.to_owned();
    }
    let differs = line.char_indices().zip(other.chars());
    let differs = differs.into_iter().find(|((_, one), other)| one != other);
    let end = differs.map_or(line.len().min(other.len()), |((at, _), _)| at);
    let before = line.get(..end).unwrap_or_default();
    let word = before.rfind(|c: char| !c.is_ascii_hexdigit());
    let start = word.map_or(0, |at| {
        at + before[at..].chars().next().map_or(1, char::len_utf8)
    });
    let newline = if line.ends_with('\n') { "\n" } else { "" };
    format!(
        "{}{NOT_ISSUED}{newline}",
        before.get(..start).unwrap_or_default()
    )
}

/// Reads a file of any kind.
pub fn shown(body: &[u8], sha256: Sha256) -> Shown {
    if let Ok(store) = read_jks(body, &[]) {
        return truststore(&store.entries);
    }
    match std::str::from_utf8(body) {
        Ok(text) if !text.contains('\0') => of_text(text),
        _ => Shown {
            lines: vec![line(format!(
                "[binary, {} bytes, sha256 {sha256}]\n",
                body.len()
            ))],
            certificates: Vec::new(),
        },
    }
}

/// Whether a certificate is one of the public roots that this program carries.
pub fn is_public_root(certificate: &Certificate) -> bool {
    static ROOTS: OnceLock<BTreeSet<Sha256>> = OnceLock::new();
    let roots = ROOTS.get_or_init(|| {
        let roots = public_root_certificates().iter();
        roots.map(|der| Sha256::of(der)).collect()
    });
    roots.contains(&certificate.fingerprint())
}

fn line(text: String) -> ShownLine {
    ShownLine {
        text,
        public_root: false,
    }
}

fn of_text(text: &str) -> Shown {
    let reading = pem::blocks(text.as_bytes());
    let blocks: Vec<&Block> = reading.blocks.iter().filter(|one| is_shown(one)).collect();
    let mut writer = Writer::default();
    let mut at = 0;
    for (index, block) in blocks.iter().enumerate() {
        let next = blocks
            .get(index + 1)
            .map_or(text.len(), |next| line_start(text, next.range.start));
        let start = line_start(text, block.range.start);
        let end = line_end(text, block.range.end.saturating_sub(1)).clamp(start, next);
        writer.lines(text.get(at..start).unwrap_or_default());
        writer.block(text, start, end, block);
        at = end;
    }
    writer.lines(text.get(at..).unwrap_or_default());
    writer.shown
}

/// A block without an end swallows the rest of a file, which only a key may do.
fn is_shown(block: &Block) -> bool {
    is_secret(block) || !matches!(block.defect(), Some(Defect::MissingEnd))
}

fn is_secret(block: &Block) -> bool {
    block.kind.is_secret() || block.label.contains("PRIVATE") || block.label.contains("SECRET")
}

fn line_start(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |newline| newline + 1)
}

/// The byte after the line that a byte lies in.
fn line_end(text: &str, at: usize) -> usize {
    let after = text.as_bytes().get(at..).unwrap_or_default();
    let newline = after.iter().position(|byte| *byte == b'\n');
    newline.map_or(text.len(), |newline| at + newline + 1)
}

/// Puts lines together, and never one that belongs to a key.
#[derive(Default)]
struct Writer {
    shown: Shown,
    in_key: bool,
}

impl Writer {
    /// Lines that are no block. A key that was put into YAML or JSON begins in the middle of one.
    fn lines(&mut self, text: &str) {
        for one in text.split_inclusive('\n') {
            let begins = one.contains("-----BEGIN ") && one.contains("PRIVATE KEY");
            let hidden = begins || self.in_key || one.contains("AGE-SECRET-KEY-");
            self.in_key = (begins || self.in_key) && !one.contains("-----END ");
            let text = match (hidden, one.ends_with('\n')) {
                (false, _) => one.to_owned(),
                (true, true) => "[private key, not shown]\n".to_owned(),
                (true, false) => "[private key, not shown]".to_owned(),
            };
            self.shown.lines.push(line(text));
        }
    }

    /// One line for a block, with the indentation and the line break that the block has.
    fn block(&mut self, text: &str, start: usize, end: usize, block: &Block) {
        let certificate = block.certificate().and_then(Result::ok);
        if let Some(certificate) = &certificate {
            self.drop_comment(text.get(..end).unwrap_or_default(), certificate);
        }
        let indentation = text.get(start..block.range.start).unwrap_or_default();
        let newline = text.get(..end).is_some_and(|text| text.ends_with('\n'));
        let newline = if newline { "\n" } else { "" };
        let told = told(block);
        self.shown.lines.push(ShownLine {
            text: format!("{indentation}{told}{newline}"),
            public_root: certificate.as_ref().is_some_and(is_public_root),
        });
        self.shown.certificates.extend(certificate);
    }

    /// A bundle names each certificate above its block; one line is enough for both.
    fn drop_comment(&mut self, text_with_block: &str, certificate: &Certificate) {
        let written = bundle::pem(std::slice::from_ref(certificate));
        let comment = written.split_inclusive('\n').next();
        let above = self.shown.lines.last().map(|line| line.text.as_str());
        if text_with_block.ends_with(&written) && comment == above {
            self.shown.lines.pop();
        }
    }
}

/// What a block is, in one line.
fn told(block: &Block) -> String {
    if is_secret(block) {
        return "[private key, not shown]".to_owned();
    }
    if let (Kind::RevocationList, Some(Ok(der))) = (block.kind, block.der()) {
        return list(der, label(block));
    }
    match (block.certificate(), block.der()) {
        (Some(Ok(certificate)), _) => one_line(&certificate),
        (Some(Err(BadBlock::Damaged(defect))), _) => format!("[damaged certificate: {defect}]"),
        (Some(Err(BadBlock::Malformed(malformed))), Some(Ok(der))) => damaged(&malformed, der),
        (_, Some(Ok(der))) => format!("[{}, sha256 {}]", label(block), Sha256::of(der)),
        (_, Some(Err(defect))) => format!("[damaged {}: {defect}]", label(block)),
        (_, None) => format!("[{}, not shown]", label(block)),
    }
}

/// A list of revoked certificates: its number and its end, and the serials that it has.
fn list(der: &[u8], label: String) -> String {
    let Ok(list) = crl::from_der(der) else {
        return format!("[damaged {label}, sha256 {}]", Sha256::of(der));
    };
    let until = list.next_update().map_or("for ever".to_owned(), date);
    let revoked: Vec<String> = list
        .revoked()
        .iter()
        .map(|one| format!("{} ({})", one.hex(), one.reason))
        .collect();
    let revoked = match revoked.is_empty() {
        true => "nothing".to_owned(),
        false => revoked.join(", "),
    };
    format!(
        "revocation list, from {} until {until}: {revoked}, sha256 {}",
        date(list.this_update()),
        Sha256::of(der)
    )
}

fn label(block: &Block) -> String {
    block.label.to_lowercase()
}

fn damaged(malformed: &Malformed, der: &[u8]) -> String {
    format!("[no certificate: {malformed}; sha256 {}]", Sha256::of(der))
}

fn truststore(entries: &[JksEntry]) -> Shown {
    let mut shown = Shown::default();
    for entry in entries {
        if entry.kind == JksKind::Key {
            let hidden = format!("{}: [private key, not shown]\n", entry.alias);
            shown.lines.push(line(hidden));
        }
        for der in &entry.certificates {
            let certificate = Certificate::from_der(der);
            let told = match &certificate {
                Ok(certificate) => one_line(certificate),
                Err(malformed) => damaged(malformed, der),
            };
            shown.lines.push(ShownLine {
                text: format!("{}: {told}\n", entry.alias),
                public_root: certificate.as_ref().is_ok_and(is_public_root),
            });
            shown.certificates.extend(certificate);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROOT: &str = include_str!("../../tests/pki/corp-root.pem");
    const KEY: &str = include_str!("../../tests/pki/leaf.key");
    const ROOT_LINE: &str = "CN=Corp Root CA, root CA, until ";

    fn lines(text: &str) -> Vec<String> {
        let shown = shown(text.as_bytes(), Sha256::of(text.as_bytes()));
        shown.lines.into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn a_certificate_is_one_line_whatever_stands_around_it() {
        let indented = ROOT.replace('\n', "\n    ");
        let text = format!("ca: |\n    {}\nb: 1", indented.trim_end());
        let shown = lines(&text);
        assert_eq!(
            (&*shown[0], &*shown[2], shown.len()),
            ("ca: |\n", "b: 1", 3)
        );
        assert!(shown[1].starts_with(&format!("    {ROOT_LINE}")));
        assert!(shown[1].ends_with('\n'));
        let root = pem::blocks(ROOT.as_bytes());
        let root = root.certificates().next().expect("one").1.expect("good");
        let bundle = bundle::pem(std::slice::from_ref(&root));
        assert_eq!(lines(&bundle), [format!("{}\n", one_line(&root))]);
        let renamed = bundle.replacen("# CN=Corp", "# CN=Corq", 1);
        assert_eq!(lines(&renamed).len(), 2, "a comment that lies is shown");
    }

    #[test]
    fn no_bit_of_a_key_is_shown() {
        let secret: Vec<&str> = KEY.lines().filter(|line| !line.contains("-----")).collect();
        let forms = [
            KEY.to_owned(),
            format!("a\n{KEY}{ROOT}{KEY}b\n"),
            format!("key: {}", KEY.replace('\n', "\n  ")),
            format!("{{\"key\": \"{}\"}}", KEY.replace('\n', "\\n")),
            KEY.replace("-----END", "-----END OF"),
            KEY.replace("-----END PRIVATE KEY-----", ""),
            format!("{}{ROOT}", KEY.replace("-----END PRIVATE KEY-----", "")),
            KEY.replace("PRIVATE KEY", "PGP PRIVATE KEY BLOCK"),
            KEY.replace('\n', "\r\n"),
        ];
        for form in &forms {
            let shown = lines(form).concat();
            assert!(shown.contains("[private key, not shown]"), "{form}");
            for line in &secret {
                assert!(!shown.contains(line), "{form}\n{shown}");
            }
        }
        assert_eq!(
            lines("# AGE-SECRET-KEY-1QQ\n"),
            ["[private key, not shown]\n"]
        );
        let store = include_bytes!("../../tests/pki/keystore.jks");
        let shown = shown(store, Sha256::of(store));
        assert!(
            shown.lines[0]
                .text
                .ends_with(": [private key, not shown]\n")
        );
        assert_eq!(shown.lines.len(), 4);
    }

    #[test]
    fn what_is_no_certificate_says_what_it_is() {
        let request = lines(include_str!("../../tests/pki/leaf.csr"));
        assert!(request[0].starts_with("[certificate request, sha256 "));
        let cut = lines(include_str!("../../tests/pki/cut-off.pem"));
        assert!(cut.len() > 3, "nothing is hidden by a block without an end");
        let binary = shown(b"\x00\x01", Sha256::of(b"\x00\x01"));
        assert!(
            binary.lines[0]
                .text
                .starts_with("[binary, 2 bytes, sha256 b413f47d")
        );
        assert!(lines("").is_empty());
    }

    proptest! {
        /// Text without blocks is shown as it is; with any blocks in any place it is still whole.
        #[test]
        fn texts_stay_whole(pieces in prop::collection::vec(0..7_usize, 0..8)) {
            let table = [ROOT, KEY, "text\n", "  ", "-----BEGIN CERTIFICATE-----\n", "\u{e9}\r\n", "-----END X-----"];
            let text: String = pieces.iter().map(|piece| table[*piece]).collect();
            let shown = lines(&text);
            for line in &shown {
                prop_assert!(!line.is_empty() && line.find('\n').is_none_or(|at| at + 1 == line.len()));
            }
            if pieces.iter().all(|piece| [2, 3, 5].contains(piece)) {
                prop_assert_eq!(shown.concat(), text);
            }
        }
    }
}
