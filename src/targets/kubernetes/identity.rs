//! A service that presents a certificate as a TLS client.

use super::Gathering;
use crate::model::kubernetes::Deployed;

/// Adds to the component what a service presents as a client.
pub fn add(gathering: &mut Gathering<'_>, deployed: &Deployed) {
    let _ = (gathering, deployed);
}
