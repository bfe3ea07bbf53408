//! What a module may have other agents do: the label `org.nethserver.authorizations` of its image.

use crate::model::NethServer;

/// The label's name.
pub const LABEL: &str = "org.nethserver.authorizations";
/// The Traefik of the node, as an authorization names it.
pub const TRAEFIK: &str = "traefik@node";
/// The role that is everything Traefik offers (ns8-traefik, README.md).
pub const WIDEST: &str = "fulladm";

/// The narrowest roles: of two entries for one agent the last one would win, so they stand in one
/// (ns8-core, `cluster/grants.py`).
pub fn roles(module: &NethServer) -> Vec<&'static str> {
    let routes = (!module.routes.is_empty()).then_some("routeadm");
    let certificates = (!module.certificates.is_empty()).then_some("certadm");
    routes.into_iter().chain(certificates).collect()
}

/// The line for `buildah config --label`.
pub fn label(module: &NethServer) -> String {
    let ours = format!("{TRAEFIK}:{}", roles(module).join(","));
    let all: Vec<&str> = [ours.as_str()]
        .into_iter()
        .chain(module.authorizations.iter().map(String::as_str))
        .collect();
    format!("{LABEL}={}\n", all.join(" "))
}
