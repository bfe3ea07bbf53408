//! A private key in the one form that keystores hold: PKCS#8, version 1 (RFC 5208).

use zeroize::Zeroizing;

use crate::pki::der;
use crate::pki::key::{self, BadKey};
use crate::pki::pem;

const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// The PrivateKeyInfo of the first key in a file, of whichever form, PEM or DER.
///
/// # Errors
/// As [`key::public_key_of`], which reads the same files.
pub(super) fn of_file(file: &[u8]) -> Result<Zeroizing<Vec<u8>>, BadKey> {
    key::public_key_of(file)?;
    let reading = pem::blocks(file);
    let block = reading.blocks.iter().find(|block| block.kind.is_secret());
    let bytes = match block {
        Some(block) => block.secret().map_err(|bad| BadKey::Damaged(bad.clone()))?,
        None => file,
    };
    of_der(bytes).ok_or(BadKey::Malformed)
}

/// Attributes and the public half of version 2 are left out: Java reads neither.
fn of_der(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let outer = der::only(bytes, der::SEQUENCE)?;
    let mut parts = outer.elements();
    let _version = parts.next_of(der::INTEGER)?;
    let second = parts.next()?;
    match second.tag {
        der::SEQUENCE => {
            let key = parts.next_of(der::OCTET_STRING)?;
            Some(info(second.whole, key.content))
        }
        der::INTEGER => {
            let oid = der::write(der::OID, &[RSA]);
            let null = der::write(der::NULL, &[]);
            let algorithm = der::write(der::SEQUENCE, &[&oid, &null]);
            Some(info(&algorithm, bytes))
        }
        der::OCTET_STRING => {
            let parameters = outer.elements().find(|part| part.tag == der::context(0))?;
            let oid = der::write(der::OID, &[EC]);
            let algorithm = der::write(der::SEQUENCE, &[&oid, parameters.content]);
            Some(info(&algorithm, bytes))
        }
        _ => None,
    }
}

fn info(algorithm: &[u8], key: &[u8]) -> Zeroizing<Vec<u8>> {
    let key = Zeroizing::new(der::write(der::OCTET_STRING, &[key]));
    let version = der::number(0);
    Zeroizing::new(der::write(der::SEQUENCE, &[&version, algorithm, &key]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_key_is_the_same_key_in_version_1() {
        let files: [&[u8]; 7] = [
            include_bytes!("../../../tests/pki/leaf.key"),
            include_bytes!("../../../tests/pki/leaf-sec1.key"),
            include_bytes!("../../../tests/pki/leaf.key.der"),
            include_bytes!("../../../tests/pki/leaf-and-key.pem"),
            include_bytes!("../../../tests/pki/rsa-leaf.key"),
            include_bytes!("../../../tests/pki/rsa-leaf-pkcs1.key"),
            include_bytes!("../../../tests/pki/ed25519-leaf.key"),
        ];
        for file in files {
            let info = of_file(file).expect("a key");
            let version = der::only(&info, der::SEQUENCE).and_then(|it| it.elements().next());
            assert_eq!(version.expect("a version").content, [0]);
            let same = key::public_key_of(&info).expect("a key");
            assert_eq!(same, key::public_key_of(file).expect("a key"));
        }
        // Version 2 (RFC 5958), with the public half behind the private one.
        let random = aws_lc_rs::rand::SystemRandom::new();
        let second = aws_lc_rs::signature::Ed25519KeyPair::generate_pkcs8(&random).expect("a key");
        assert_eq!(second.as_ref()[..5], [0x30, 0x51, 2, 1, 1]);
        let info = of_file(second.as_ref()).expect("a key");
        assert_eq!((info.len(), &info[..5]), (48, &[0x30, 0x2e, 2, 1, 0][..]));
        let encrypted = include_bytes!("../../../tests/pki/leaf-encrypted.key");
        assert_eq!(of_file(encrypted).err(), Some(BadKey::Encrypted));
    }
}
