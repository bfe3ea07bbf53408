//! What the plan says of a machine, beside its files.

use super::Machinery;
use super::layout::{Layout, Source};
use crate::spec::Scheduler;

/// What a reviewer must know.
pub fn of(machinery: &Machinery<'_>, layout: &Layout<'_>) -> Vec<String> {
    let notes = [second_scheduler(machinery, layout), elsewhere(layout)];
    let target = layout.target;
    notes
        .iter()
        .flatten()
        .map(|note| format!("{target}: {note}"))
        .collect()
}

/// What the client's package schedules by itself: harmless, since the client locks and what is renewed
/// by it is deployed too; but nobody should wonder who it was.
fn second_scheduler(machinery: &Machinery<'_>, layout: &Layout<'_>) -> Option<String> {
    if layout.scheduler == Scheduler::Package || machinery.machine.renewals.client_path.is_some() {
        return None;
    }
    let client = layout
        .certificates
        .iter()
        .find_map(|one| match &one.source {
            Source::Acme(acme) => machinery.system.client(acme.client.program),
            Source::Project { .. } => None,
        })?;
    if client.schedulers.is_empty() {
        return None;
    }
    let name = client.program.name();
    Some(format!(
        "{}'s package of {name} brings a scheduler of its own ({}), which renews too: with `renewals: {{scheduler: package}}` it is the only one",
        machinery.system.os.name(),
        client.schedulers.join(", "),
    ))
}

/// Certificates that nothing on the machine renews.
fn elsewhere(layout: &Layout<'_>) -> Option<String> {
    if layout.checkout.is_some() {
        return None;
    }
    let issued = |source: &Source| {
        matches!(
            source,
            Source::Project {
                lifetime: Some(_),
                ..
            }
        )
    };
    let hosts: Vec<&str> = layout
        .certificates
        .iter()
        .filter(|one| issued(&one.source))
        .map(|one| one.host.as_str())
        .collect();
    (!hosts.is_empty()).then(|| {
        format!(
            "nothing on the machine renews {}: `tlsgen renew` does where the authority's key is, and `install.sh` brings it here; with `renewals: {{project: …}}` the machine does both",
            hosts.join(", ")
        )
    })
}
