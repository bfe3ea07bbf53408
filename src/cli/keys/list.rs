//! `tlsgen keys list`: every key, where it lies, whether it fits, and who may read it.

use serde::Serialize;

use super::at_hand::{AtHand, Use};
use crate::cli::Exit;
use crate::cli::arguments::{Arguments, Format, KeysList};
use crate::cli::build::identities;
use crate::cli::output::Output;
use crate::digest::Sha256;
use crate::issuers::{KeyRing, OpenCopy, Settlement};
use crate::model::Order;
use crate::pki::Holder;
use crate::spec::KeyStore;
use crate::world::World as _;

/// A key of the key store.
#[derive(Serialize)]
struct Row {
    /// `authority` or `host`.
    kind: &'static str,
    name: String,
    /// The algorithm; absent for what the spec no longer has.
    #[serde(skip_serializing_if = "Option::is_none")]
    algorithm: Option<String>,
    file: String,
    encrypted: bool,
    exists: bool,
    /// Whether it is the key of its certificate; absent where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    fits: Option<bool>,
    /// Owner, group, permission bits and access control list, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    access: Option<String>,
    /// Whether the spec asks for it.
    used: bool,
}

/// Runs the command.
///
/// # Errors
/// How it ends when nothing can be listed; why is said.
pub fn run(arguments: &Arguments, options: &KeysList, output: &mut Output) -> Result<Exit, Exit> {
    let at_hand = AtHand::find(arguments, Use::Look, output)?;
    let encrypted = at_hand.orders.keys.store == KeyStore::Age;
    let identities = match encrypted {
        true => identities(arguments, &options.identity, output)?,
        false => Default::default(),
    };
    let ring = at_hand.ring(&identities);
    let mut rows = Vec::new();
    for (order, settlement) in at_hand.keys() {
        rows.push(kept(&at_hand, order, settlement, &ring));
        rows.extend(copy(&at_hand, order, settlement));
    }
    rows.extend(unused(&at_hand));
    match output.format {
        Format::Json => output.json(&rows),
        Format::Text => {
            let text: String = rows.iter().map(text).collect();
            output.answer(&text);
        }
    }
    let is_wrong = rows.iter().any(|row| row.fits == Some(false));
    Ok(if is_wrong { Exit::No } else { Exit::Done })
}

fn kept(at_hand: &AtHand, order: &Order, settlement: &Settlement, ring: &KeyRing<'_>) -> Row {
    let public = match at_hand.orders.keys.store {
        KeyStore::Files => settlement.public_key,
        KeyStore::Age if ring.identities.is_some() => {
            let key = ring.load(order).ok().flatten();
            key.map(|key| key.public().spki_sha256())
        }
        KeyStore::Age => None,
    };
    let encrypted = at_hand.orders.keys.store == KeyStore::Age;
    Row {
        exists: settlement.key_is_here,
        fits: fits(settlement, public),
        ..row(at_hand, &order.holder, ring.path(order), encrypted).of(order)
    }
}

fn copy(at_hand: &AtHand, order: &Order, settlement: &Settlement) -> Option<Row> {
    let public = match settlement.copy {
        OpenCopy::Absent => return None,
        OpenCopy::Of(public) => Some(public),
        OpenCopy::Hidden | OpenCopy::Unusable => None,
    };
    let path = order.holder.key(&at_hand.orders.keys.directory);
    let fits = match settlement.copy {
        OpenCopy::Unusable => Some(false),
        _ => fits(settlement, public),
    };
    Some(Row {
        fits,
        ..row(at_hand, &order.holder, path, false).of(order)
    })
}

/// Keys in the store of what the spec does not have.
fn unused(at_hand: &AtHand) -> Vec<Row> {
    let (disk, directory) = (&at_hand.project.disk, &at_hand.orders.keys.directory);
    let holders = [Holder::Authority as fn(String) -> Holder, Holder::Host];
    let mut rows = Vec::new();
    for holder in holders {
        let section = holder(String::new()).section();
        let names = disk.list(&format!("{directory}/{section}"));
        for name in names.unwrap_or_default() {
            let holder = holder(name);
            if at_hand.keys().any(|(order, _)| order.holder == holder) {
                continue;
            }
            let open = holder.key(directory);
            for (path, encrypted) in [(format!("{open}.age"), true), (open, false)] {
                if matches!(disk.stat(&path), Ok(Some(_))) {
                    rows.push(row(at_hand, &holder, path, encrypted));
                }
            }
        }
    }
    rows
}

fn row(at_hand: &AtHand, holder: &Holder, file: String, encrypted: bool) -> Row {
    let access = at_hand.project.disk.access(&file).ok().flatten();
    Row {
        kind: match holder {
            Holder::Authority(_) => "authority",
            Holder::Host(_) => "host",
        },
        name: holder.name().to_owned(),
        algorithm: None,
        file,
        encrypted,
        exists: true,
        fits: None,
        access: access.map(|access| access.to_string()),
        used: false,
    }
}

impl Row {
    fn of(self, order: &Order) -> Self {
        Self {
            algorithm: order.algorithm().map(|algorithm| algorithm.to_string()),
            used: true,
            ..self
        }
    }
}

fn fits(settlement: &Settlement, public: Option<Sha256>) -> Option<bool> {
    let own = settlement.standing.as_ref()?.spki_sha256();
    Some(own == public?)
}

fn text(row: &Row) -> String {
    let mut said = Vec::new();
    if row.encrypted {
        said.push("encrypted".to_owned());
    }
    match (row.used, row.exists, row.fits) {
        (false, ..) => said.push("nothing in the spec uses it".to_owned()),
        (_, false, _) => said.push("not here".to_owned()),
        (_, _, Some(true)) => said.push("fits its certificate".to_owned()),
        (_, _, Some(false)) => said.push("not the key of its certificate".to_owned()),
        (_, _, None) => {}
    }
    said.extend(row.access.clone());
    let algorithm = row.algorithm.as_deref().unwrap_or("key");
    format!(
        "{} {}  {algorithm}  {}  ({})\n",
        row.kind,
        row.name,
        row.file,
        said.join("; ")
    )
}
