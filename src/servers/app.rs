//! Software that is handed certificate and key as files.

use super::{Request, Server};
use crate::diagnostic::{Code, Diagnostic};
use crate::provision::Serving;

/// What this server can find.
pub static CODES: &[&Code] = &[];

/// The row of the registry.
pub const SERVER: Server = Server {
    name: "app",
    summary: "software that is handed certificate and key as files",
    manual: include_str!("manual/app.md"),
    serve,
};

fn serve(request: &Request<'_>) -> Result<Serving, Vec<Diagnostic>> {
    let _ = request.hosts().count();
    Ok(Serving::default())
}
