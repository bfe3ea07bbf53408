//! Whom the containers of a service trust.

use super::Gathering;
use crate::model::kubernetes::Deployed;

/// Adds to the component what lets a service trust.
pub fn add(gathering: &mut Gathering<'_>, deployed: &Deployed) {
    let _ = (gathering, deployed);
}
