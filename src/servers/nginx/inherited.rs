//! What nginx drops where a block or a location says one of the kind itself, and is said again there.

use serde::Serialize;

use super::release::Release;
use crate::model::Serve;
use crate::servers::{Above, Request};

/// A directive of the user's.
#[derive(Debug, Clone, Serialize)]
pub struct Directive {
    pub name: String,
    pub values: Vec<String>,
}

/// The headers that are set for an upstream by every location of ours.
const SET: &[&str] = &[
    "host",
    "x-real-ip",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-ssl-client-verify",
    "x-ssl-client-s-dn",
    "x-ssl-client-cert",
    "forwarded",
];
/// Those of a location that passes WebSocket on.
const SWITCHED: &[&str] = &["upgrade", "connection"];
const HSTS: &str = "strict-transport-security";

/// What the lines of a server block would drop.
pub fn of_server(request: &Request<'_>, release: Release, serve: &Serve) -> Vec<Directive> {
    let above = &request.place.above;
    let mut again = Vec::new();
    let mut headers: Vec<String> = serve
        .headers
        .iter()
        .map(|(name, ..)| name.to_ascii_lowercase())
        .collect();
    headers.extend(serve.hsts.map(|_| HSTS.to_owned()));
    let merges = super::host::is_include(request) && release.merges_headers();
    if !headers.is_empty() && !merges {
        let ours = |name: &str| headers.iter().any(|header| header == name);
        again.extend(from_all_hosts(above, "add_header", ours));
    }
    if serve.hsts.is_some() {
        again.extend(from_all_hosts(above, "proxy_hide_header", |name| {
            name == HSTS
        }));
    }
    if let Some(behind) = &serve.behind {
        let ours = |name: &str| behind.networks.iter().any(|(network, _)| network == name);
        again.extend(from_all_hosts(above, "set_real_ip_from", ours));
    }
    again
}

/// What a location that passes requests on would drop.
pub fn of_location(request: &Request<'_>, serve: &Serve) -> Vec<Directive> {
    let above = &request.place.above;
    let ours =
        |name: &str| SET.contains(&name) || serve.websocket.is_some() && SWITCHED.contains(&name);
    match of_kind(&above.block, "proxy_set_header", |_| false).is_empty() {
        true => of_kind(&above.all_hosts, "proxy_set_header", ours),
        false => of_kind(&above.block, "proxy_set_header", ours),
    }
}

/// None where the block itself has one of the kind: then they are dropped already.
fn from_all_hosts(above: &Above, kind: &str, ours: impl Fn(&str) -> bool) -> Vec<Directive> {
    match of_kind(&above.block, kind, |_| false).is_empty() {
        true => of_kind(&above.all_hosts, kind, ours),
        false => Vec::new(),
    }
}

fn of_kind(all: &[Vec<String>], kind: &str, ours: impl Fn(&str) -> bool) -> Vec<Directive> {
    all.iter()
        .filter_map(|words| match words.as_slice() {
            [name, first, ..] if name == kind && !ours(&first.to_ascii_lowercase()) => {
                Some(Directive {
                    name: name.clone(),
                    values: words.get(1..)?.to_vec(),
                })
            }
            _ => None,
        })
        .collect()
}
