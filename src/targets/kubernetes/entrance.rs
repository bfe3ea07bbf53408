//! Hosts whose TLS ends in front of the cluster: Ingress and Gateway.

use super::Gathering;

/// Adds to the component the entrances of a target.
pub fn add(gathering: &mut Gathering<'_>) {
    let _ = gathering;
}
