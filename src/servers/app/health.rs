//! A handshake that verifies, made from inside the application's own container.
//!
//! The programs are constants and everything that varies is an argument of theirs, so that nothing
//! needs quoting. They fail on a wrong name, an unknown signer and an expired certificate, as every
//! client does; with a path they also ask for it and fail from status 400 on.

use crate::model::{Serve, SubjectName};
use crate::servers::{CertificatePlace, HostPlace, Request};
use crate::spec::ClientAuthMode;

/// Arguments in fours: name, port, file of the root, path or nothing.
///
/// Python 3.13 verifies more strictly than browsers do; a check must not be stricter than clients.
const PYTHON: &str = "\
import http.client, socket, ssl, sys
for name, port, root, path in zip(*[iter(sys.argv[1:])] * 4):
    context = ssl.create_default_context(cafile=root)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    connection = socket.create_connection((\"127.0.0.1\", int(port)), 5)
    connection = context.wrap_socket(connection, server_hostname=name)
    if path:
        client = http.client.HTTPConnection(name)
        client.sock = connection
        client.request(\"GET\", path)
        if client.getresponse().status >= 400:
            sys.exit(1)
    connection.close()
";

/// The same for Node. Its own switches that stop verification are not obeyed.
const NODE: &str = "\
const fs = require(\"fs\"), https = require(\"https\"), net = require(\"net\"), tls = require(\"tls\");
const words = process.argv.slice(1);
function next() {
  if (!words.length) process.exit(0);
  const [name, port, root, path] = words.splice(0, 4);
  const options = { host: \"127.0.0.1\", port, path, ca: fs.readFileSync(root), rejectUnauthorized: true,
    servername: net.isIP(name) ? \"\" : name, headers: { Host: name }, agent: false,
    checkServerIdentity: (_, certificate) => tls.checkServerIdentity(name, certificate) };
  if (path) https.get(options, (answer) => answer.statusCode < 400 ? next() : process.exit(1));
  else tls.connect(options, next);
}
setTimeout(() => process.exit(1), 5000);
next();
";

/// A program that can make the handshake.
struct Prober {
    /// The runtime that brings it.
    runtime: &'static str,
    /// Its words for these hosts; `None` where it cannot check them.
    words: fn(&[Probe<'_>]) -> Option<Vec<String>>,
}

const PROBERS: &[Prober] = &[
    Prober {
        runtime: "python",
        words: |probes| Some(script("python3", "-c", PYTHON, probes)),
    },
    Prober {
        runtime: "node",
        words: |probes| Some(script("node", "-e", NODE, probes)),
    },
    Prober {
        runtime: "curl",
        words: curl,
    },
    Prober {
        runtime: "openssl",
        words: openssl,
    },
];

/// A host to be asked for.
struct Probe<'a> {
    name: String,
    is_address: bool,
    port: u16,
    root: &'a str,
    /// The path to ask for; none where only the handshake can be made.
    path: Option<&'a str>,
    /// Whether the server refuses whoever comes without a certificate, after its own was verified.
    refuses: bool,
}

/// The words of the check, if there can be one, and what the plan says of it.
pub(super) fn check(request: &Request<'_>) -> (Option<Vec<String>>, Option<String>) {
    let presented: Vec<_> = request
        .hosts()
        .filter_map(|(serve, place)| Some((serve, place, place.certificate.as_ref()?)))
        .collect();
    if presented.is_empty() {
        return (None, None);
    }
    let probes: Vec<Probe<'_>> = presented
        .iter()
        .filter_map(|(serve, place, files)| probe(request, serve, place, files))
        .collect();
    if probes.is_empty() {
        let note = "no health check: the spec has no root in which the certificate ends";
        return (None, Some(note.to_owned()));
    }
    let probers = PROBERS
        .iter()
        .filter(|prober| request.service.has_runtime(prober.runtime));
    let Some(words) = probers.filter_map(|prober| (prober.words)(&probes)).next() else {
        let note = "no health check: `runtime` names nothing that could make it; python, node, curl and openssl can";
        return (None, Some(note.to_owned()));
    };
    let unasked = presented
        .iter()
        .any(|(serve, _, _)| requires_clients(serve) && serve.health_path.is_some());
    let note = unasked.then(|| {
        "the health check has no client certificate: it verifies what is presented over TLS 1.3, and asks for no path"
            .to_owned()
    });
    (Some(words), note)
}

fn probe<'a>(
    request: &Request<'a>,
    serve: &'a Serve,
    place: &HostPlace,
    files: &'a CertificatePlace,
) -> Option<Probe<'a>> {
    let names = &request.model.host(serve.host).names;
    let exact = names.iter().find(|(name, _)| !is_wildcard(name));
    let (name, _) = exact.or(names.first())?;
    let refuses = requires_clients(serve);
    Some(Probe {
        name: below(name),
        is_address: matches!(name, SubjectName::Ip(_)),
        port: place.port,
        root: files.anchor.as_deref()?,
        path: match &serve.health_path {
            Some((path, _)) if !refuses => Some(path),
            _ => None,
        },
        refuses,
    })
}

fn requires_clients(serve: &Serve) -> bool {
    serve
        .client_auth
        .as_ref()
        .is_some_and(|auth| auth.mode == ClientAuthMode::Required)
}

fn is_wildcard(name: &SubjectName) -> bool {
    matches!(name, SubjectName::Dns(name) if name.starts_with("*."))
}

/// The name itself, or one that a wildcard covers.
fn below(name: &SubjectName) -> String {
    match name.to_string().strip_prefix("*.") {
        Some(domain) => format!("health.{domain}"),
        None => name.to_string(),
    }
}

fn script(program: &str, option: &str, text: &str, probes: &[Probe<'_>]) -> Vec<String> {
    let mut words = vec![program.to_owned(), option.to_owned(), text.to_owned()];
    for probe in probes {
        words.extend([
            probe.name.clone(),
            probe.port.to_string(),
            probe.root.to_owned(),
            probe.path.unwrap_or_default().to_owned(),
        ]);
    }
    words
}

/// curl always asks for a path, which a server that wants a client certificate does not answer.
/// `-q` keeps a `.curlrc` from switching verification off.
fn curl(probes: &[Probe<'_>]) -> Option<Vec<String>> {
    let mut words = vec![
        "curl".to_owned(),
        "-q".to_owned(),
        "--fail-early".to_owned(),
    ];
    for (index, probe) in probes.iter().enumerate() {
        if probe.refuses {
            return None;
        }
        if index > 0 {
            words.push("--next".to_owned());
        }
        if probe.path.is_some() {
            words.push("--fail".to_owned());
        }
        let to = format!("::127.0.0.1:{}", probe.port);
        let host = match probe.name.contains(':') {
            true => format!("[{}]", probe.name),
            false => probe.name.clone(),
        };
        let url = format!("https://{host}{}", probe.path.unwrap_or("/"));
        let options = [
            "--silent",
            "--show-error",
            "--globoff",
            "--noproxy",
            "*",
            "--max-time",
            "5",
            "--output",
            "/dev/null",
            "--cacert",
            probe.root,
            "--connect-to",
            &to,
            &url,
        ];
        words.extend(options.map(str::to_owned));
    }
    Some(words)
}

/// openssl makes one handshake, and asks for nothing.
fn openssl(probes: &[Probe<'_>]) -> Option<Vec<String>> {
    let [probe] = probes else { return None };
    if probe.refuses {
        return None;
    }
    let to = format!("127.0.0.1:{}", probe.port);
    let mut words = vec![
        "openssl",
        "s_client",
        "-connect",
        &to,
        "-CAfile",
        probe.root,
        "-no-CApath",
        "-verify_return_error",
    ];
    match probe.is_address {
        true => words.extend(["-noservername", "-verify_ip", &probe.name]),
        false => words.extend(["-servername", &probe.name, "-verify_hostname", &probe.name]),
    }
    Some(words.into_iter().map(str::to_owned).collect())
}
