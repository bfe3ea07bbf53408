//! The certificates of a file, in whatever form an authority hands them over.

use std::fmt;

use super::certificate::Certificate;
use super::foreign::Foreign;
use super::pem::{self, Block, Kind};
use super::pkcs7;

/// So many certificates are read: a chain has three.
const MOST: usize = 100;

/// Why there are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotHandedOver {
    /// The file is something else.
    Foreign(Foreign),
    /// It has PEM blocks, but none is a certificate.
    NoCertificate {
        /// What it has, by label.
        labels: Vec<String>,
    },
    /// A certificate in it is damaged; where, and in which way.
    Damaged(String),
    /// PKCS#7 of a form that is not read.
    OtherPkcs7,
    /// It has more than anybody looks through.
    TooMany,
}

/// Reads PEM, DER or PKCS#7; the order of the file, and nothing else in it, means anything.
///
/// # Errors
/// [`NotHandedOver`]; one damaged certificate is enough, since it may be the one that is missed.
pub fn certificates(file: &[u8]) -> Result<Vec<Certificate>, NotHandedOver> {
    let reading = pem::blocks(file);
    let mut all = Vec::new();
    match reading.foreign {
        None => {
            for block in &reading.blocks {
                all.extend(of_block(block)?);
                if all.len() > MOST {
                    return Err(NotHandedOver::TooMany);
                }
            }
        }
        Some(Foreign::DerCertificate) => all.push(of_der(file)?),
        Some(Foreign::Pkcs7) => all.extend(of_pkcs7(file)?),
        Some(foreign) => return Err(NotHandedOver::Foreign(foreign)),
    }
    match all.len() {
        0 => {
            let labels = reading.blocks.into_iter().map(|block| block.label);
            Err(NotHandedOver::NoCertificate {
                labels: labels.collect(),
            })
        }
        count if count > MOST => Err(NotHandedOver::TooMany),
        _ => Ok(all),
    }
}

fn of_block(block: &Block) -> Result<Vec<Certificate>, NotHandedOver> {
    let line = block.line;
    if let Some(read) = block.certificate() {
        let read = read.map_err(|bad| NotHandedOver::Damaged(format!("line {line}: {bad}")))?;
        return Ok(vec![read]);
    }
    match (block.kind, block.der()) {
        (Kind::Pkcs7, Some(Ok(der))) => of_pkcs7(der),
        (Kind::Pkcs7, Some(Err(defect))) => {
            Err(NotHandedOver::Damaged(format!("line {line}: {defect}")))
        }
        _ => Ok(Vec::new()),
    }
}

fn of_der(der: &[u8]) -> Result<Certificate, NotHandedOver> {
    Certificate::from_der(der).map_err(|bad| NotHandedOver::Damaged(bad.to_string()))
}

fn of_pkcs7(der: &[u8]) -> Result<Vec<Certificate>, NotHandedOver> {
    let all = pkcs7::certificates(der).ok_or(NotHandedOver::OtherPkcs7)?;
    let all: Result<Vec<_>, _> = all.into_iter().collect();
    all.map_err(|bad| NotHandedOver::Damaged(bad.to_string()))
}

impl fmt::Display for NotHandedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The first line of any other text may be a secret.
            Self::Foreign(Foreign::Text(_)) => f.write_str("no certificate is in it, only some other text"),
            Self::Foreign(foreign) => write!(f, "no certificate is in it: this is {foreign}"),
            Self::NoCertificate { labels } => {
                let mut labels = labels.clone();
                labels.dedup();
                labels.truncate(4);
                let labels = labels.join(", ").to_lowercase();
                write!(f, "no certificate is in it, but: {labels}")
            }
            Self::Damaged(how) => write!(f, "a certificate in it is damaged ({how}): save it anew from where it comes"),
            Self::OtherPkcs7 => f.write_str(
                "it is PKCS#7 of a form that is not read: convert it with `openssl pkcs7 -print_certs` (and `-inform der` if it is binary)",
            ),
            Self::TooMany => write!(f, "it holds more than {MOST} certificates: give only the one that was signed, and those above it"),
        }
    }
}

impl std::error::Error for NotHandedOver {}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(name: &str) -> Result<Vec<String>, String> {
        let path = format!("{}/tests/pki/{name}", env!("CARGO_MANIFEST_DIR"));
        let file = std::fs::read(path).expect("the fixture is there");
        let all = certificates(&file).map_err(|error| error.to_string())?;
        Ok(all.iter().map(|one| one.title().to_owned()).collect())
    }

    #[test]
    fn every_form_of_a_chain_is_read() {
        let pem = titles("leaf-chain.pem");
        let sorted = |titles: Result<Vec<String>, String>| {
            let mut titles = titles.expect("certificates");
            titles.sort();
            titles.dedup();
            titles
        };
        let chain = sorted(pem);
        assert_eq!(chain.len(), 2);
        for other in ["chain.p7b", "chain.p7b.der", "leaf-chain-wrong-order.pem"] {
            let other_chain = sorted(titles(other));
            assert!(
                chain.iter().all(|one| other_chain.contains(one)),
                "{other}: {other_chain:?}"
            );
        }
        assert_eq!(titles("corp-root.der"), Ok(vec!["Corp Root CA".to_owned()]));
    }

    #[test]
    fn what_holds_none_says_what_it_is() {
        for (name, words) in [
            ("html-page.pem", "a web page"),
            ("leaf.csr", "but: certificate request"),
            ("cut-off.pem", "is damaged (line "),
            ("modern.p12", "PKCS#12"),
            ("leaf.key", "private key"),
        ] {
            let said = titles(name).expect_err(name);
            assert!(said.contains(words), "{name}: {said}");
        }
    }
}
