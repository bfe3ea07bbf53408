//! What stands where on a machine.

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::machine::There;
use crate::path_map::PathMap;
use crate::world::{FileKind, World};

use super::crontab::Columns;

pub static UNKNOWN: Code = Code {
    name: "machine-file-unknown",
    severity: Severity::Error,
    summary: "a path of a machine is none of what can be read",
    manual: include_str!("manual/machine-file-unknown.md"),
};

/// What can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// nginx's directory, or a file of it.
    Nginx,
    /// Apache's directory, or a file of it.
    Apache,
    /// A configuration of HAProxy.
    Haproxy,
    /// A Caddyfile.
    Caddy,
    /// A crontab, or a directory of them.
    Crontab(Columns),
    /// Units of systemd and drop-ins, or a directory of them.
    Units,
    /// certbot's hooks.
    Hooks,
    /// Variables of units (systemd.exec(5), `EnvironmentFile=`), which are read with their units.
    Variables,
}

/// The places that systems have.
const PLACES: &[(&str, Kind)] = &[
    ("/etc/nginx", Kind::Nginx),
    ("/usr/local/nginx/conf", Kind::Nginx),
    ("/etc/apache2", Kind::Apache),
    ("/etc/httpd", Kind::Apache),
    ("/etc/haproxy", Kind::Haproxy),
    ("/etc/caddy", Kind::Caddy),
    ("/etc/crontab", Kind::Crontab(Columns::WithUser)),
    ("/etc/cron.d", Kind::Crontab(Columns::WithUser)),
    ("/etc/crontabs", Kind::Crontab(Columns::OfUser)),
    ("/var/spool/cron/crontabs", Kind::Crontab(Columns::OfUser)),
    ("/var/spool/cron/tabs", Kind::Crontab(Columns::OfUser)),
    ("/var/spool/cron", Kind::Crontab(Columns::OfUser)),
    ("/etc/systemd/system", Kind::Units),
    ("/etc/systemd/user", Kind::Units),
    ("/usr/lib/systemd/system", Kind::Units),
    ("/lib/systemd/system", Kind::Units),
    ("/usr/local/lib/systemd/system", Kind::Units),
    ("/etc/letsencrypt/renewal-hooks", Kind::Hooks),
    ("/etc/default", Kind::Variables),
    ("/etc/sysconfig", Kind::Variables),
    ("/etc/environment", Kind::Variables),
];

/// How many directories may lie in each other.
const DEEPEST: usize = 16;
/// How many files a directory may hold, with all below it.
const MOST: usize = 10_000;

/// What is to be read of something that `files` names: kinds, each with its path on the machine.
///
/// # Errors
/// It is nothing that can be read.
pub fn kinds(
    map: &PathMap,
    world: &dyn World,
    there: &There,
) -> Result<Vec<(Kind, String)>, Diagnostic> {
    let path = there.machine.as_str();
    if let Some(kind) = kind_of(path) {
        return Ok(vec![(kind, path.to_owned())]);
    }
    let above = format!("{}/", path.trim_end_matches('/'));
    let below = PLACES.iter().filter(|(place, _)| {
        place.starts_with(&above) && map.file(world, place).is_some() && !inside_another(place)
    });
    let found: Vec<(Kind, String)> = below
        .map(|(place, kind)| (*kind, (*place).to_owned()))
        .collect();
    match found.is_empty() {
        false => Ok(found),
        true => Err(unknown(path, there)),
    }
}

/// Every file at a path of the machine, or in the directory that it is and below, with its file of the
/// project; a link is followed to where it leads on the machine.
///
/// # Errors
/// Why it cannot be read.
pub fn files(
    map: &PathMap,
    world: &dyn World,
    path: &str,
) -> Result<Vec<(String, String)>, String> {
    let mut files = Vec::new();
    let mut open = vec![(path.to_owned(), 0)];
    while let Some((path, depth)) = open.pop() {
        let Some(file) = map.file(world, &path) else {
            match depth {
                0 => return Err("there is no such file in the project".to_owned()),
                _ => continue,
            }
        };
        let stat = world.stat(&file).map_err(|error| error.to_string())?;
        match stat.map(|stat| stat.kind) {
            Some(FileKind::Directory) if depth < DEEPEST => {
                let names = world.list(&file).map_err(|error| error.to_string())?;
                let below = names.iter().rev().filter(|name| *name != ".git");
                open.extend(below.map(|name| (format!("{path}/{name}"), depth + 1)));
            }
            Some(FileKind::File) => files.push((path, file)),
            _ if depth == 0 => return Err("it is neither a file nor a directory".to_owned()),
            _ => {}
        }
        if files.len() + open.len() > MOST {
            return Err(format!("it holds more than {MOST} files"));
        }
    }
    Ok(files)
}

fn kind_of(path: &str) -> Option<Kind> {
    let inside = |place: &str| {
        path.strip_prefix(place)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if let Some((_, kind)) = PLACES.iter().find(|(place, _)| inside(place)) {
        return Some(*kind);
    }
    let name = path.rsplit('/').next().unwrap_or_default();
    match name {
        "nginx.conf" => Some(Kind::Nginx),
        "apache2.conf" | "httpd.conf" => Some(Kind::Apache),
        "haproxy.cfg" => Some(Kind::Haproxy),
        "Caddyfile" => Some(Kind::Caddy),
        _ if name.ends_with(".env") => Some(Kind::Variables),
        _ if path.contains("/.config/systemd/user") || path.contains("/systemd/user/") => {
            Some(Kind::Units)
        }
        _ if path.split('/').any(|part| part == "nginx") => Some(Kind::Nginx),
        _ => None,
    }
}

/// `/var/spool/cron` where it is the directory of `crontabs`.
fn inside_another(place: &str) -> bool {
    place == "/var/spool/cron"
}

fn unknown(path: &str, there: &There) -> Diagnostic {
    let message = format!("nobody knows what `{path}` of the machine is");
    Diagnostic::new(&UNKNOWN, there.span, message).help(
        "what can be read: `/etc/nginx`, `/etc/apache2` or `/etc/httpd`, `/etc/haproxy`, `/etc/caddy`, `/etc/crontab`, `/etc/cron.d`, `/var/spool/cron/crontabs/USER`, `/etc/systemd/system`, `/etc/letsencrypt/renewal-hooks`, variables of units in `/etc/default` or `/etc/sysconfig`, and files of these",
    )
}
