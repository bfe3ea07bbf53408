//! Apache httpd: one file of virtual hosts, for the level of all hosts.

mod codes;
mod faults;
mod host;
mod layout;
mod listeners;
mod names;
mod proxy;
mod release;
mod values;

use std::collections::BTreeSet;

use serde::Serialize;

use super::{KeyReader, Request, Server, guideline};
use crate::diagnostic::Diagnostic;
use crate::model::Serve;
use crate::provision::{ConfigurationFile, ReadAs, Reload, Serving};
use crate::render::{self, RenderError};
use crate::spec::ClientAuthMode;
use host::HostLines;
use listeners::Listeners;
use release::Release;

/// What this server can find.
pub use codes::CODES;

/// The row of the registry.
pub const SERVER: Server = Server {
    name: "apache",
    summary: "Apache httpd: a file of virtual hosts",
    manual: include_str!("manual/apache.md"),
    scratch: &["/run", "/tmp"],
    opens_key: KeyReader::FirstProcess,
    reads_lists: true,
    serve,
};

/// The one file.
const FILE: &str = "tlsgen.conf";

fn serve(request: &Request<'_>) -> Result<Serving, Vec<Diagnostic>> {
    let release = Release::of(request.serving);
    let found = faults::faults(request, release);
    if !found.is_empty() {
        return Err(found);
    }
    let text = text(request, release).map_err(|error| vec![values::unrendered(request, &error)])?;
    let said = request.serving.reload.as_ref();
    let command = || Reload::Command(["apachectl", "graceful"].map(str::to_owned).to_vec());
    Ok(Serving {
        configuration: vec![ConfigurationFile {
            name: FILE.to_owned(),
            text,
            read_as: ReadAs::AllHosts,
        }],
        reload: Some(said.map_or_else(command, |(reload, _)| reload.clone())),
        modules: modules(request, release),
        notes: notes(request),
        ..Serving::default()
    })
}

/// What templates/apache/all-hosts.httpd takes.
#[derive(Serialize)]
struct AllHosts<'a> {
    spec: &'a str,
    server: String,
    /// `None` where TLS ends in front of all hosts.
    guideline: Option<&'static str>,
    /// Whether a value holds `${`.
    dollar: bool,
    listeners: Listeners,
    hosts: Vec<HostLines>,
}

fn text(request: &Request<'_>, release: Release) -> Result<String, RenderError> {
    let spec = request.model.loaded.files().next();
    let mut hosts: Vec<HostLines> = request
        .hosts()
        .map(|(serve, place)| HostLines::new(request, release, serve, place))
        .collect();
    // Apache takes the first virtual host that has a name, be it by a `*`; and the very first one for
    // clients that name none.
    hosts.sort_by_key(|host| host.rank);
    let direct = request.hosts().any(|(serve, _)| serve.behind.is_none());
    let mut all = AllHosts {
        spec: spec.map_or("tlsgen.yaml", |(path, _)| path),
        server: request.serving.server.to_string(),
        guideline: direct.then_some(guideline::VERSION),
        dollar: false,
        listeners: Listeners::new(request, release, &hosts),
        hosts,
    };
    let written = |all: &AllHosts<'_>| render::text("apache/all-hosts.httpd", all);
    let mut text = written(&all)?;
    if text.contains(render::APACHE_DOLLAR) {
        all.dollar = true;
        text = written(&all)?;
    }
    Ok(layout::laid_out(&text))
}

/// The modules that the directives are of, by the names of Debian's `a2enmod`.
fn modules(request: &Request<'_>, release: Release) -> Vec<&'static str> {
    let mut all = BTreeSet::from([
        "alias",
        "headers",
        "proxy",
        "proxy_http",
        "rewrite",
        "setenvif",
    ]);
    for serve in &request.serving.serves {
        match serve.behind {
            Some(_) => all.insert("remoteip"),
            None => all.insert("ssl") | all.insert("http2"),
        };
        if serve.upstream.as_ref().is_some_and(|upstream| upstream.tls) {
            all.insert("ssl");
        }
        if serve.websocket.is_some() && !release.upgrades() {
            all.insert("proxy_wstunnel");
        }
    }
    all.into_iter().collect()
}

fn notes(request: &Request<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    for serve in &request.serving.serves {
        let host = &request.model.host(serve.host).name;
        let asked = serve.client_auth.as_ref();
        if asked.is_some_and(|asked| asked.mode == ClientAuthMode::Optional) {
            notes.push(format!(
                "`{host}` answers clients without a certificate too: its upstream must look at X-SSL-Client-Verify, which is SUCCESS or NONE"
            ));
        }
        if serve.upstream.as_ref().is_some_and(|upstream| upstream.tls) {
            notes.push(format!(
                "the upstream of `{host}` sees its own name in `Host`, and the public one in X-Forwarded-Host: Apache verifies the name that it sends"
            ));
        }
        if serve.challenge_root.is_some() && !answers_plainly(serve) {
            notes.push(format!(
                "`{host}` answers no ACME challenges over plain HTTP: that comes with `redirect_http: true`"
            ));
        }
    }
    notes
}

fn answers_plainly(serve: &Serve) -> bool {
    serve.redirect_http.is_some() || serve.behind.is_some()
}
