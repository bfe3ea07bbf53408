#![allow(missing_docs, unused, clippy::todo)]
use super::*;
use crate::pki::key::{BadKey, PublicKey};
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
