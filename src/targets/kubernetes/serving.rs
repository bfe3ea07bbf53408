//! A service that presents certificates itself: its configuration, its Secret, its ports.

use super::Gathering;
use crate::model::kubernetes::Deployed;

/// Adds to the component what a service presents.
pub fn add(gathering: &mut Gathering<'_>, deployed: &Deployed) {
    let _ = (gathering, deployed);
}
