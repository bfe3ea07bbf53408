//! nginx: a file for the http level, or lines for a server block that exists.

use super::{Request, Server};
use crate::diagnostic::{Code, Diagnostic};
use crate::provision::Serving;

/// What this server can find.
pub static CODES: &[&Code] = &[];

/// The row of the registry.
pub const SERVER: Server = Server {
    name: "nginx",
    summary: "nginx: a file for the http level, or lines for a server block that exists",
    manual: include_str!("manual/nginx.md"),
    serve,
};

fn serve(request: &Request<'_>) -> Result<Serving, Vec<Diagnostic>> {
    let _ = request.hosts().count();
    Ok(Serving::default())
}
