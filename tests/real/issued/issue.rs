//! How the shapes come to be issued, in the layout of a project.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::shapes::{Authority, Leaf, ascii};
use crate::support::{succeed, text};

/// In seconds.
const DAY: i64 = 86_400;

/// Where the certificates and keys of a project are.
pub struct Issued {
    root: PathBuf,
}

impl Issued {
    /// A file of the project.
    pub fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    pub fn authority(&self, name: &str) -> PathBuf {
        self.path(&format!("pki/authorities/{name}.pem"))
    }

    /// The leaf, then its intermediates.
    pub fn chain(&self, host: &str) -> PathBuf {
        self.path(&format!("pki/hosts/{host}.pem"))
    }

    pub fn key(&self, host: &str) -> PathBuf {
        self.path(&format!("pki/private/hosts/{host}/key.pem"))
    }

    fn authority_key(&self, name: &str) -> PathBuf {
        self.path(&format!("pki/private/authorities/{name}/key.pem"))
    }
}

/// Issues everything, `ago` days ago.
pub fn issue(authorities: &[Authority], leaves: &[Leaf], ago: i64) -> Issued {
    // Not a temporary directory: the tests share it until the process ends, and nobody would remove it.
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("issued-{ago}-days-ago"));
    let _ = fs::remove_dir_all(&root);
    let issued = Issued { root };
    fs::create_dir_all(issued.path("")).unwrap();
    fs::write(issued.path("tlsgen.yaml"), spec(authorities, leaves)).unwrap();
    let day = tlsgen::pki::date(now() - ago * DAY);
    let mut build = Command::new(env!("CARGO_BIN_EXE_tlsgen"));
    build.current_dir(issued.path("")).arg("build");
    if ago > 0 {
        build.args(["--as-of", &day]);
    }
    succeed(&mut build);
    issued
}

fn spec(authorities: &[Authority], leaves: &[Leaf]) -> String {
    let list = |names: &[String]| {
        let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
        quoted.join(", ")
    };
    let mut text = "version: 1\nproject: issued\nauthorities:\n".to_owned();
    for one in authorities {
        text += &format!("  {}: {{kind: managed, key: {}", one.name, one.key);
        if let Some(issuer) = &one.issuer {
            text += &format!(", issuer: {issuer}");
        }
        if let Some(length) = one.path_length {
            text += &format!(", path_length: {length}");
        }
        if !one.permitted.is_empty() {
            let permitted: Vec<String> = one
                .permitted
                .iter()
                .map(|name| (*name).to_owned())
                .collect();
            text += &format!(", permitted_names: [{}]", list(&permitted));
        }
        text += "}\n";
    }
    text += "hosts:\n";
    for one in leaves {
        let Leaf {
            name,
            issuer,
            key,
            usage,
            ..
        } = one;
        let names = list(&one.names);
        text += &format!(
            "  {name}: {{names: [{names}], issuer: {issuer}, key: {key}, usages: [{usage}]}}\n"
        );
    }
    text
}

impl Issued {
    /// A leaf of an authority, whatever the authority is for.
    pub fn sign(&self, leaf: &Leaf, authorities: &[Authority], ago: i64) {
        let names: Vec<String> = leaf.names.iter().map(|name| san(&ascii(name))).collect();
        let short = leaf
            .names
            .first()
            .map(|name| ascii(name))
            .filter(|name| name.len() <= 64);
        let critical = if short.is_some() { "" } else { "critical, " };
        let extensions = format!(
            "basicConstraints = critical, CA:FALSE\nkeyUsage = critical, digitalSignature\nextendedKeyUsage = {}Auth\n\
             subjectAltName = {critical}{}\n",
            leaf.usage,
            names.join(", ")
        );
        let subject = short.map_or("/".to_owned(), |name| format!("/CN={name}"));
        let out = self.chain(&leaf.name);
        self.openssl(
            &out,
            &self.key(&leaf.name),
            leaf.key,
            &subject,
            Some(&leaf.issuer),
            &extensions,
            (ago, 90),
        );
        let mut chain = fs::read_to_string(&out).unwrap();
        let mut above = authorities.iter().find(|one| one.name == leaf.issuer);
        while let Some(authority) = above {
            let Some(issuer) = &authority.issuer else {
                break;
            };
            chain += &fs::read_to_string(self.authority(&authority.name)).unwrap();
            above = authorities.iter().find(|one| one.name == *issuer);
        }
        fs::write(out, chain).unwrap();
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of one certificate")]
    fn openssl(
        &self,
        out: &Path,
        key: &Path,
        kind: &str,
        subject: &str,
        issuer: Option<&str>,
        extensions: &str,
        (ago, days): (i64, i64),
    ) {
        for path in [out, key] {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
        }
        if !key.exists() {
            let mut genpkey = Command::new("openssl");
            succeed(
                genpkey
                    .args(["genpkey", "-quiet"])
                    .args(algorithm(kind))
                    .arg("-out")
                    .arg(key),
            );
        }
        let by = if issuer.is_some() {
            "authorityKeyIdentifier = keyid\n"
        } else {
            ""
        };
        let config = self.path("openssl.cnf");
        let text_of_config = format!(
            "[req]\ndistinguished_name = subject\nutf8 = yes\n[subject]\n[it]\nsubjectKeyIdentifier = hash\n{by}{extensions}"
        );
        fs::write(&config, text_of_config).unwrap();
        let mut openssl =
            Command::new(crate::support::checkout().join("target/judges/bin/openssl-sid"));
        let from = now() - ago * DAY - 3600;
        openssl.args([
            "req",
            "-x509",
            "-new",
            "-sha256",
            "-extensions",
            "it",
            "-subj",
            subject,
        ]);
        openssl.args([
            "-config",
            text(&config),
            "-key",
            text(key),
            "-out",
            text(out),
        ]);
        openssl.args([
            "-not_before",
            &stamp(from),
            "-not_after",
            &stamp(from + days * DAY - 1),
        ]);
        if let Some(issuer) = issuer {
            openssl
                .arg("-CA")
                .arg(self.authority(issuer))
                .arg("-CAkey")
                .arg(self.authority_key(issuer));
        }
        succeed(&mut openssl);
    }
}

fn algorithm(kind: &str) -> Vec<String> {
    let words = match kind.split_once('-') {
        Some(("ecdsa", curve)) => format!(
            "-algorithm EC -pkeyopt ec_paramgen_curve:{}",
            curve.replace('p', "P-")
        ),
        Some((_, bits)) => format!("-algorithm RSA -pkeyopt rsa_keygen_bits:{bits}"),
        None => format!("-algorithm {kind}"),
    };
    words.split(' ').map(str::to_owned).collect()
}

fn san(name: &str) -> String {
    match name.parse::<std::net::IpAddr>() {
        Ok(_) => format!("IP:{name}"),
        Err(_) => format!("DNS:{name}"),
    }
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_secs().try_into().unwrap()
}

/// `20261122171000Z`.
fn stamp(seconds: i64) -> String {
    tlsgen::pki::moment(seconds).replace(['-', ':', 'T'], "")
}
