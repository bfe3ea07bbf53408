#![allow(missing_docs, unused)]
use super::*;
use crate::pki::key::{BadKey, PublicKey};
use std::net::IpAddr;
use zeroize::Zeroizing;
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyAlgorithm {
    EcdsaP256,
    EcdsaP384,
    Rsa2048,
    Rsa3072,
    Rsa4096,
    Ed25519,
}
impl std::fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        todo!()
    }
}
impl KeyAlgorithm {
    pub fn of(k: &KeyKind) -> Option<Self> {
        todo!()
    }
}
pub struct PrivateKey;
impl PrivateKey {
    pub fn generate(a: KeyAlgorithm) -> Result<Self, IssueError> {
        todo!()
    }
    pub fn from_file(b: &[u8]) -> Result<Self, BadKey> {
        todo!()
    }
    pub fn from_seed(s: &[u8; 32]) -> Self {
        todo!()
    }
    pub fn to_pem(&self) -> Zeroizing<String> {
        todo!()
    }
    pub fn public(&self) -> &PublicKey {
        todo!()
    }
}
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    pub common_name: String,
    pub organization: Option<String>,
    pub organizational_unit: Option<String>,
    pub country: Option<String>,
    pub state: Option<String>,
    pub locality: Option<String>,
}
impl Subject {
    pub fn fault(&self) -> Option<String> {
        None
    }
}
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NameConstraints {
    pub permitted_dns: Vec<String>,
    pub permitted_ip: Vec<(IpAddr, u8)>,
    pub excluded_dns: Vec<String>,
    pub excluded_ip: Vec<(IpAddr, u8)>,
}
impl NameConstraints {
    pub fn is_empty(&self) -> bool {
        true
    }
    pub fn within(self, o: &Self) -> Result<Self, String> {
        todo!()
    }
    pub fn forbids(&self, n: &str) -> Option<String> {
        None
    }
}
#[derive(Debug, Clone)]
pub enum Profile {
    Authority {
        subject: Subject,
        path_length: Option<u8>,
        constraints: Option<NameConstraints>,
    },
    Leaf {
        names: Vec<String>,
        server: bool,
        client: bool,
    },
}
impl Profile {
    pub fn subject(&self) -> Option<&Subject> {
        None
    }
    pub fn constraints(&self) -> Option<&NameConstraints> {
        None
    }
}
pub struct Ticket {
    pub serial: [u8; 16],
    pub not_before: i64,
    pub not_after: i64,
}
#[derive(Debug)]
pub enum IssueError {
    NoIssuer,
}
impl std::fmt::Display for IssueError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        todo!()
    }
}
pub struct Issuer;
impl Issuer {
    pub fn new(c: Certificate, k: PrivateKey) -> Result<Self, IssueError> {
        todo!()
    }
    pub fn certificate(&self) -> &Certificate {
        todo!()
    }
}
pub fn self_signed(p: &Profile, k: &PrivateKey, t: &Ticket) -> Result<Certificate, IssueError> {
    todo!()
}
pub fn signed(
    p: &Profile,
    k: &PublicKey,
    i: &Issuer,
    t: &Ticket,
) -> Result<Certificate, IssueError> {
    todo!()
}
pub mod request {
    use super::*;
    pub struct Request;
    impl Request {
        pub fn public_key(&self) -> &PublicKey {
            todo!()
        }
        pub fn is_for(&self, p: &Profile) -> bool {
            todo!()
        }
    }
    pub fn read(b: &[u8]) -> Result<Request, BadKey> {
        todo!()
    }
    pub fn make(p: &Profile, k: &PrivateKey) -> Result<String, IssueError> {
        todo!()
    }
}
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RevocationReason {
    Unspecified,
}
impl std::fmt::Display for RevocationReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        todo!()
    }
}
impl std::str::FromStr for RevocationReason {
    type Err = ();
    fn from_str(s: &str) -> Result<Self, ()> {
        todo!()
    }
}
