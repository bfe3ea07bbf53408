//! Traefik: static and dynamic configuration.

use super::{Request, Server};
use crate::diagnostic::{Code, Diagnostic};
use crate::provision::Serving;

/// What this server can find.
pub static CODES: &[&Code] = &[];

/// The row of the registry.
pub const SERVER: Server = Server {
    name: "traefik",
    summary: "traefik: static and dynamic configuration",
    manual: include_str!("manual/traefik.md"),
    serve,
};

fn serve(request: &Request<'_>) -> Result<Serving, Vec<Diagnostic>> {
    let _ = request.hosts().count();
    Ok(Serving::default())
}
