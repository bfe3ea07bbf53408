//! What was fetched, as text and as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use super::kept::State;
use super::pinned::{Compared, Known, What};
use crate::digest::Sha256;
use crate::pki::Certificate;
use crate::pki::inspect::{self, InspectedCertificate, Report};
use crate::pki::shortened;
use crate::probe::{Anchor, Protocol, Seen, Target, anchor};

/// The answer of the command; the names of its fields are stable.
#[derive(Debug, Serialize)]
pub struct Fetched<'a> {
    pub host: &'a str,
    pub port: u16,
    pub server_name: String,
    pub starttls: Option<Protocol>,
    pub address: &'a str,
    pub tls: Option<&'static str>,
    pub client_certificate_asked: bool,
    pub broken_off: Option<&'a str>,
    pub certificates: Vec<InspectedCertificate>,
    pub malformed: usize,
    pub ca: Option<Ca>,
    pub public: Public,
    pub file: Option<File>,
    pub pinned: Vec<Compared>,
    pub verified_by: Vec<String>,
    pub spec: String,
    #[serde(skip)]
    report: Option<Report>,
    #[serde(skip)]
    root: Option<Certificate>,
}

/// Who signed.
#[derive(Debug, Serialize)]
pub struct Ca {
    pub kind: Kind,
    pub subject: String,
    pub sha256: Option<Sha256>,
    #[serde(skip)]
    pub title: String,
    #[serde(skip)]
    last: String,
}

/// Where the CA is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The server sent it.
    Sent,
    /// The server did not send it.
    NotSent,
    /// There is none but the server's own certificate.
    SelfSigned,
}

/// Whether the public roots do.
#[derive(Debug, Serialize)]
pub struct Public {
    pub trusted: bool,
    pub reason: Option<String>,
}

/// A file that was to be written.
#[derive(Debug, Serialize)]
pub struct File {
    pub path: String,
    pub holds: Holds,
    pub state: State,
}

/// What is worth keeping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Holds {
    /// The CA's certificate.
    Ca,
    /// What the server presents.
    Observed,
}

impl<'a> Fetched<'a> {
    /// What was seen of a server, judged at a time.
    pub fn new(target: &'a Target, seen: &'a Seen, roots: &[Certificate], now: i64) -> Self {
        let text: String = seen.chain.iter().map(Certificate::to_pem).collect();
        let report = inspect::inspect(text.as_bytes(), now, &[]).ok();
        let verdict = seen.verify(roots, &target.server_name, now);
        let anchor = anchor(&seen.chain);
        let root = match &anchor {
            Some(Anchor::Root(root)) => Some(root.clone()),
            _ => None,
        };
        Self {
            host: &target.host,
            port: target.port,
            server_name: target.server_name.clone(),
            starttls: target.starttls,
            address: &seen.address,
            tls: seen.version,
            client_certificate_asked: seen.client_certificate_asked,
            broken_off: seen.broken_off.as_deref(),
            certificates: report
                .iter()
                .flat_map(|one| one.certificates.clone())
                .collect(),
            malformed: seen.malformed,
            ca: anchor.map(ca),
            public: Public {
                trusted: verdict.is_ok(),
                reason: verdict.err().map(|verdict| verdict.to_string()),
            },
            file: None,
            pinned: Vec::new(),
            verified_by: Vec::new(),
            spec: String::new(),
            report,
            root,
        }
    }

    /// What of the chain is worth keeping.
    pub fn holds(&self) -> Holds {
        match self.root {
            Some(_) => Holds::Ca,
            None => Holds::Observed,
        }
    }

    /// The certificates of that.
    pub fn to_keep(&self, chain: &[Certificate]) -> Vec<Certificate> {
        match &self.root {
            Some(root) => vec![root.clone()],
            None => chain.to_vec(),
        }
    }

    /// Notes what became of the file.
    pub fn saved(&mut self, path: String, state: State) {
        let holds = self.holds();
        self.file = Some(File { path, holds, state });
    }

    /// Notes what the project says of it.
    pub fn known(&mut self, known: Known) {
        self.pinned = known.compared;
        self.verified_by = known.verified_by;
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let name = format!("{} port {}", self.host, self.port);
        match &self.report {
            Some(report) if !self.certificates.is_empty() => {
                text.push_str(&inspect::text(report, &name));
            }
            _ => text.push_str(&format!("{name}: nothing that can be read\n")),
        }
        text.push('\n');
        let mut field = |name: &str, words: &str| {
            let _ = writeln!(text, "{name:<9} {words}");
        };
        field("handshake", &self.handshake());
        if self.client_certificate_asked {
            field(
                "client",
                "the server asks for a client's certificate; none was given",
            );
        }
        if self.malformed > 0 {
            field(
                "chain",
                &format!("{} that the server sent cannot be read", self.malformed),
            );
        }
        if let Some(ca) = &self.ca {
            field("ca", &ca_words(ca));
        }
        field("public", &self.public_words());
        for name in &self.verified_by {
            field(
                "project",
                &format!("authority `{name}` verifies it: `trust: [{name}]` will do"),
            );
        }
        for one in &self.pinned {
            field("pinned", &pinned_words(one));
        }
        match &self.file {
            Some(file) => field("file", &file_words(file)),
            None if !self.public.trusted => field("file", "nothing is saved without `--save FILE`"),
            None => {}
        }
        if !self.spec.is_empty() {
            let _ = write!(text, "\nfor the spec:\n\n{}", self.spec);
        }
        text
    }

    fn handshake(&self) -> String {
        let version = self.tls.unwrap_or("TLS of a version not agreed on");
        let after = match self.starttls {
            Some(protocol) => format!(" within {}", protocol.title()),
            None => String::new(),
        };
        let end = match self.broken_off {
            Some(why) => format!("; not completed: {why}"),
            None => String::new(),
        };
        format!("{version}{after} with {}{end}", self.address)
    }

    fn public_words(&self) -> String {
        match &self.public.reason {
            None => {
                "the public roots verify it: no private CA is needed, `trust: [public]` will do"
                    .to_owned()
            }
            Some(reason) => format!(
                "the public roots do not verify it for {}: {}",
                shortened(&self.server_name, 200),
                shortened(reason, 300)
            ),
        }
    }
}

fn ca(anchor: Anchor) -> Ca {
    let of = |kind, certificate: Certificate| Ca {
        kind,
        subject: certificate.subject().to_owned(),
        sha256: Some(certificate.fingerprint()),
        title: certificate.title().to_owned(),
        last: String::new(),
    };
    match anchor {
        Anchor::Root(root) => of(Kind::Sent, root),
        Anchor::SelfSigned(own) => of(Kind::SelfSigned, own),
        Anchor::NotSent { issuer, last } => Ca {
            kind: Kind::NotSent,
            title: issuer.clone(),
            subject: issuer,
            sha256: None,
            last: match last.is_ca() {
                true => format!(
                    "; `{}` is an intermediate, which alone is no anchor",
                    shortened(last.title(), 80)
                ),
                false => String::new(),
            },
        },
    }
}

fn ca_words(ca: &Ca) -> String {
    let subject = shortened(&ca.subject, 200);
    let sha256 = ca.sha256.map(|one| one.to_string()).unwrap_or_default();
    match ca.kind {
        Kind::Sent => format!("the server sends its root CA, `{subject}`, sha256 {sha256}"),
        Kind::NotSent => format!(
            "`{subject}` is not sent, as usual; ask whoever runs that CA for its certificate{}",
            ca.last
        ),
        Kind::SelfSigned => format!(
            "none: the server signed its certificate itself (sha256 {sha256}); have a CA issue one, or pin this one where a client can"
        ),
    }
}

fn pinned_words(one: &Compared) -> String {
    let what = match one.what {
        What::Authority => "authority",
        What::Host => "what was observed of host",
    };
    let (name, title) = (&one.name, shortened(&one.title, 80));
    if one.same {
        return format!(
            "`{title}` is the same as {what} `{name}` has: sha256 {}",
            one.seen
        );
    }
    let mut words = format!("! `{title}` is NOT what {what} `{name}` has:");
    for expected in &one.expected {
        let _ = write!(words, "\n            pinned {expected}");
    }
    let _ = write!(words, "\n            seen   {}", one.seen);
    words
}

fn file_words(file: &File) -> String {
    let path = shortened(&file.path, 300);
    let what = match file.holds {
        Holds::Ca => "the CA's certificate",
        Holds::Observed => "the chain, as observed",
    };
    match file.state {
        State::Written => format!("{what}, is in {path}"),
        State::Same => format!("{path} has it already"),
        State::InTheWay => {
            format!("! {path} holds something else and stays; `--adopt` replaces it")
        }
    }
}
