//! How certificates arrive that are issued or requested here: which are needed and why, and how
//! they are made.
//!
//! [`settle()`] compares what the spec asks for with what stands on disk and what the lock remembers;
//! it needs no key. [`preview()`] makes certificates as they would be, with keys that are nobody's, so
//! that everything that follows from them can be shown; [`issue()`] makes real ones.

mod arrival;
mod awaited;
mod differences;
mod exposed;
mod found;
mod issue;
mod key_ring;
mod key_stores;
mod lists;
mod open_copy;
mod preview;
mod reason;
mod recipients;
mod settle;
mod strangers;

use std::collections::BTreeMap;

use crate::diagnostic::Code;
use crate::model::{Held, HeldCertificate, Order, Orders, Signer};
use crate::pki::crl::Crl;
use crate::pki::{Certificate, Issued};

pub use arrival::{Arrival, Brought, Unfit};
pub use awaited::awaited;
pub use exposed::exposed;
pub use issue::{Made, NewKey, issue};
pub use key_ring::KeyRing;
pub use key_stores::{StoreLine, any_key, ending, left_behind, store_lines};
pub use lists::revoked;
pub use open_copy::{
    DIFFERS as UNLOCKED_DIFFERS, OpenCopy, copied, copied_anew, differing, said_of_copies,
};
pub use preview::{MadeUp, preview, preview_request};
pub use reason::Reason;
pub use recipients::{
    SEALED_ANEW, recipients, recipients_changed, said_of_recipients, sealed_anew,
};
pub use settle::{Asked, Remembered, Settled, Settlement, Verdict, settle};
pub use strangers::strangers;

/// What issuing can find.
pub static CODES: &[&Code] = &[
    &key_ring::KEY_MISSING,
    &key_ring::KEY_UNUSABLE,
    &issue::NOT_ISSUED,
    &awaited::AWAITED,
    &open_copy::DIFFERS,
    &exposed::COMMITTED,
    &exposed::SEALED_IGNORED,
    &recipients::CHANGED,
];

/// The certificates of all orders, each with those above it, for the model.
fn held(
    orders: &Orders,
    certificates: &[Option<Certificate>],
    lists: &[Option<Crl>],
    settled: &Settled,
) -> Held {
    let mut all = BTreeMap::new();
    let each = orders.all.iter().zip(certificates).zip(&settled.all);
    for (((order, certificate), settlement), list) in each.zip(lists) {
        let Some(own) = certificate else { continue };
        let mut chain = vec![own.clone()];
        match &order.signer {
            Signer::Elsewhere(_) => chain.extend(settlement.behind.iter().cloned()),
            _ => {
                let above = orders.above(order);
                chain.extend(above.filter_map(|(index, _)| certificates.get(index)?.clone()));
            }
        }
        // The key in the store is that of the certificate that stands, not of one that is made up.
        let stands = settlement.standing.as_ref() == Some(own);
        let held = HeldCertificate {
            chain,
            key: settlement.public_key.filter(|_| stands),
            due: settlement.is_due(),
            list: list.clone(),
        };
        all.insert(order.holder.clone(), held);
    }
    Held(all)
}

/// What the lock is to remember of a certificate.
pub fn issued(order: &Order, certificate: &Certificate) -> Issued {
    Issued {
        serial: certificate.serial().to_owned(),
        sha256: certificate.fingerprint(),
        spki: certificate.spki_sha256(),
        not_before: certificate.not_before(),
        not_after: certificate.not_after(),
        issued_from: order.issued_from(),
    }
}
