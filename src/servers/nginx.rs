//! nginx: a file for the http level, or lines for a server block that exists.

mod codes;
mod faults;
mod host;
mod http_level;
mod inherited;
mod proxy;
mod release;
mod values;

use serde::Serialize;

use super::{KeyReader, Request, Server, layout};
use crate::diagnostic::Diagnostic;
use crate::provision::{ConfigurationFile, ReadAs, Reload, Serving};
use crate::render::{self, RenderError};
use crate::spec::ClientAuthMode;
use host::{HostLines, is_include};
use http_level::HttpLevel;
use release::{Http2, Release};

/// What this server can find.
pub use codes::CODES;

/// The row of the registry.
pub const SERVER: Server = Server {
    name: "nginx",
    summary: "nginx: a file for the http level, or lines for a server block that exists",
    manual: include_str!("manual/nginx.md"),
    scratch: &["/run", "/tmp", "/var/cache/nginx"],
    opens_key: KeyReader::FirstProcess,
    reads_lists: true,
    serve,
};

/// The one file of `serve_as: complete`.
const COMPLETE: &str = "tlsgen.conf";
/// What lines in a block need at the http level.
const HTTP: &str = "http.conf";
/// The lines in a block.
const SERVER_LINES: &str = "server.conf";

fn serve(request: &Request<'_>) -> Result<Serving, Vec<Diagnostic>> {
    let release = Release::of(request.serving);
    let found = faults::faults(request, release);
    if !found.is_empty() {
        return Err(found);
    }
    let configuration = configuration(request, release)
        .map_err(|error| vec![values::unrendered(request, &error)])?;
    let command = ["nginx", "-s", "reload"].map(str::to_owned);
    let reload = request
        .serving
        .reload
        .as_ref()
        .map(|(reload, _)| reload.clone());
    Ok(Serving {
        configuration,
        reload: Some(reload.unwrap_or_else(|| Reload::Command(command.to_vec()))),
        notes: notes(request, release),
        ..Serving::default()
    })
}

fn configuration(
    request: &Request<'_>,
    release: Release,
) -> Result<Vec<ConfigurationFile>, RenderError> {
    let spec = request.model.loaded.files().next();
    let spec = spec.map_or("tlsgen.yaml", |(path, _)| path);
    let hosts: Vec<HostLines> = request
        .hosts()
        .enumerate()
        .map(|(index, (serve, place))| HostLines::new(request, release, index + 1, serve, place))
        .collect();
    let mut files = Vec::new();
    let mut lines = String::new();
    if let Some(host) = hosts.first().filter(|_| is_include(request)) {
        lines = written("nginx/server.conf", ServerLines::new(request, spec, host))?;
        files.push(file(SERVER_LINES, lines.clone(), ReadAs::OneHost));
    }
    let level = |dollar| {
        let level = HttpLevel::new(request, release, spec, &hosts, dollar);
        written("nginx/http.conf", level)
    };
    let mut text = level(false)?;
    if text.contains(render::NGINX_DOLLAR) || lines.contains(render::NGINX_DOLLAR) {
        text = level(true)?;
    }
    let name = if files.is_empty() { COMPLETE } else { HTTP };
    files.insert(0, file(name, text, ReadAs::AllHosts));
    Ok(files)
}

/// What templates/nginx/server.conf takes.
#[derive(Serialize)]
struct ServerLines<'a> {
    spec: &'a str,
    server: String,
    guideline: Option<&'static str>,
    host: &'a HostLines,
}

impl<'a> ServerLines<'a> {
    fn new(request: &Request<'_>, spec: &'a str, host: &'a HostLines) -> Self {
        Self {
            spec,
            server: request.serving.server.to_string(),
            guideline: http_level::version(std::slice::from_ref(host)),
            host,
        }
    }
}

fn written(template: &str, context: impl Serialize) -> Result<String, RenderError> {
    render::text(template, context).map(|text| layout::laid_out(&text, "    "))
}

fn file(name: &str, text: String, read_as: ReadAs) -> ConfigurationFile {
    ConfigurationFile {
        name: name.to_owned(),
        text,
        read_as,
    }
}

fn notes(request: &Request<'_>, release: Release) -> Vec<String> {
    let service = &request.service.name;
    let serves = &request.serving.serves;
    let mut notes = Vec::new();
    if release.http2() == Http2::Off && serves.iter().any(|serve| serve.behind.is_none()) {
        notes.push(format!(
            "`{service}` speaks no HTTP/2: each release of nginx has its own form for it; name yours, such as `server: nginx@1.22`"
        ));
    }
    let headers = |serve: &crate::model::Serve| serve.hsts.is_some() || !serve.headers.is_empty();
    if is_include(request) && !release.merges_headers() && serves.iter().any(headers) {
        notes.push(format!(
            "in `{service}`, locations with an `add_header` of their own send none of the headers that the spec adds: nginx replaces instead of adding"
        ));
    }
    for serve in serves {
        let host = &request.model.host(serve.host).name;
        let asked = serve.client_auth.as_ref();
        if asked.is_some_and(|asked| asked.mode == ClientAuthMode::Optional) {
            notes.push(format!(
                "`{host}` answers clients without a certificate too: its upstream must look at X-SSL-Client-Verify, which is SUCCESS or NONE"
            ));
        }
        let unused = serve.redirect_http.is_none() && serve.behind.is_none();
        if serve.challenge_root.is_some() && unused {
            notes.push(format!(
                "`{host}` answers no ACME challenges over plain HTTP: that comes with `redirect_http: true`"
            ));
        }
    }
    notes
}
