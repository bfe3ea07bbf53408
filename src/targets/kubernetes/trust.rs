//! Whom the containers of a service trust.

use super::Gathering;
use super::workload::Place;
use crate::model::kubernetes::Deployed;

/// Adds to the component what lets a service trust.
pub fn add(gathering: &mut Gathering<'_>, deployed: &Deployed, place: &Place<'_>) {
    let _ = (gathering, deployed, place);
}
