//! The script that lays a tree over a machine.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::layout::{AcmeSource, Challenge, Layout, Source, TreeFile};
use super::scripts::{self, Common};
use super::system::{Client, Family};
use crate::render::{self, RenderError};
use crate::spec::{AcmeProgram, Scheduler};

#[derive(Serialize)]
struct Context<'a> {
    #[serde(flatten)]
    common: Common,
    os: &'static str,
    families: &'static [&'static str],
    refresh_command: Vec<String>,
    install_command: Vec<String>,
    further: Option<&'static str>,
    packages: Vec<Package>,
    users: Vec<String>,
    groups: Vec<String>,
    accounts: Vec<&'static str>,
    unit_users: Vec<String>,
    watches: Vec<String>,
    files: Vec<File>,
    directories: Vec<Directory>,
    modules: Vec<String>,
    examples: Vec<String>,
    unread: Vec<String>,
    plugins: Vec<Plugin>,
    programs: Vec<String>,
    checkout: Option<&'a str>,
    other_timers: &'static [&'static str],
    other_cron_files: &'static [&'static str],
    trust_directory: Option<String>,
    update_trust: Vec<String>,
    timer: Option<String>,
    crontab_line: Option<String>,
    acme: bool,
    credentials: Vec<String>,
}

/// A program, and the packages that bring it.
#[derive(Serialize)]
struct Package {
    program: String,
    names: Vec<&'static str>,
}

/// What certbot proves names with at a provider of DNS: a package of its own.
#[derive(Serialize)]
struct Plugin {
    client: String,
    name: String,
    package: String,
}

#[derive(Serialize)]
struct File {
    path: String,
    mode: String,
    owner: String,
    /// The services that are restarted for it, `*` for all that reload, or nothing.
    restarts: String,
}

#[derive(Serialize)]
struct Directory {
    path: String,
    mode: &'static str,
    owner: &'static str,
}

/// What the packages of ACME clients bring along, by which they renew by themselves.
const OTHER_TIMERS: &[&str] = &[
    "certbot.timer",
    "certbot-renew.timer",
    "snap.certbot.renew.timer",
    "lego.timer",
];
const OTHER_CRON_FILES: &[&str] = &["/etc/cron.d/certbot"];

/// The script. Every file of the machine is among `layout.files`, those of
/// [`super::renewal::files`] too.
///
/// # Errors
/// A value that a script cannot carry.
pub fn script(layout: &Layout<'_>) -> Result<String, RenderError> {
    let (users, groups) = scripts::accounts(layout);
    let package = layout.scheduler == Scheduler::Package;
    let common = Common::new(layout)?;
    let acme = !common.orders.is_empty();
    let installs = layout.files.iter().chain(&layout.anchors);
    let anchors = layout.anchors.first();
    let context = Context {
        os: os_name(layout),
        families: families(layout.system.family),
        refresh_command: words(layout.system.refresh),
        install_command: words(layout.system.install),
        further: layout.system.further,
        packages: packages(layout),
        users: users.into_iter().collect(),
        groups: groups.into_iter().collect(),
        accounts: layout
            .software
            .iter()
            .filter_map(|software| software.account)
            .collect(),
        watches: watches(layout),
        unit_users: scripts::unit_users(layout).into_iter().collect(),
        files: installs
            .filter(|file| !is_of_a_pair(layout, file))
            .map(|file| described(layout, file))
            .collect(),
        directories: webroots(layout),
        modules: layout
            .software
            .iter()
            .flat_map(|software| software.modules.clone())
            .collect(),
        examples: layout
            .software
            .iter()
            .flat_map(|software| software.examples.clone())
            .collect(),
        unread: layout
            .software
            .iter()
            .flat_map(|software| software.unread.clone())
            .collect(),
        plugins: plugins(layout),
        programs: programs(layout),
        checkout: layout.checkout,
        other_timers: if package || !acme { &[] } else { OTHER_TIMERS },
        other_cron_files: if package || !acme {
            &[]
        } else {
            OTHER_CRON_FILES
        },
        trust_directory: anchors.and_then(|anchor| {
            let (directory, _) = anchor.path.rsplit_once('/')?;
            Some(directory.to_owned())
        }),
        update_trust: match anchors {
            Some(_) => words(layout.system.update_anchors),
            None => Vec::new(),
        },
        timer: super::renewal::timer(layout),
        crontab_line: super::renewal::crontab_line(layout)?,
        acme,
        credentials: layout.credentials.clone(),
        common,
    };
    render::text("host/install.sh", &context)
}

fn os_name(layout: &Layout<'_>) -> &'static str {
    layout.system.os.name()
}

/// What `ID` and `ID_LIKE` of os-release(5) say.
fn families(family: Family) -> &'static [&'static str] {
    match family {
        Family::Debian => &["debian", "ubuntu"],
        Family::RedHat => &["rhel", "fedora", "centos", "amzn"],
        Family::Alpine => &["alpine"],
        Family::Suse => &["suse", "sles", "opensuse"],
    }
}

/// Every program that a script cannot do without, by the package that brings it.
fn packages(layout: &Layout<'_>) -> Vec<Package> {
    let mut programs = BTreeMap::from([("openssl".to_owned(), vec!["openssl"])]);
    for software in &layout.software {
        let program = software.program.iter();
        programs.extend(program.map(|program| (program.clone(), software.packages.clone())));
    }
    let packaged = clients(layout).filter_map(|(source, client)| {
        let client = client.filter(|client| client.path == source.program)?;
        Some((source.program.clone(), client.packages.to_vec()))
    });
    programs.extend(packaged);
    let programs = programs.into_iter();
    programs
        .filter(|(_, names)| !names.is_empty())
        .map(|(program, names)| Package { program, names })
        .collect()
}

/// The programs that no package brings.
fn programs(layout: &Layout<'_>) -> Vec<String> {
    let clients = clients(layout)
        .filter(|(source, client)| client.is_none_or(|client| client.path != source.program))
        .map(|(source, _)| source.program.clone());
    let servers = layout.software.iter();
    let servers = servers.filter(|software| software.packages.is_empty());
    let own: BTreeSet<String> = servers
        .filter_map(|software| software.program.clone())
        .chain(clients)
        .collect();
    own.into_iter().collect()
}

fn plugins(layout: &Layout<'_>) -> Vec<Plugin> {
    let prefix = match layout.system.family {
        Family::Alpine => "certbot-dns",
        Family::Debian | Family::RedHat | Family::Suse => "python3-certbot-dns",
    };
    let plugins = clients(layout).filter_map(|(source, client)| {
        client.filter(|client| client.path == source.program)?;
        match &source.challenge {
            Challenge::Dns { provider, .. } if source.client.program == AcmeProgram::Certbot => {
                Some((provider.clone(), source.program.clone()))
            }
            _ => None,
        }
    });
    let plugins: BTreeMap<String, String> = plugins.collect();
    let plugins = plugins.into_iter();
    plugins
        .map(|(provider, client)| Plugin {
            client,
            name: format!("dns-{provider}"),
            package: format!("{prefix}-{provider}"),
        })
        .collect()
}

/// What asks for certificates, with what the system's packages have of it.
fn clients<'a>(
    layout: &'a Layout<'_>,
) -> impl Iterator<Item = (&'a AcmeSource, Option<&'static Client>)> {
    let certificates = layout.certificates.iter();
    certificates.filter_map(|certificate| match &certificate.source {
        Source::Acme(source) => {
            Some((source.as_ref(), layout.system.client(source.client.program)))
        }
        Source::Project { .. } => None,
    })
}

/// Certificates are installed with their keys, and not as files.
fn is_of_a_pair(layout: &Layout<'_>, file: &TreeFile) -> bool {
    let mut certificates = layout.certificates.iter();
    certificates.any(|certificate| in_directory(&file.path, &certificate.directory))
}

fn in_directory(path: &str, directory: &str) -> bool {
    let rest = path.strip_prefix(directory);
    rest.is_some_and(|rest| rest.starts_with('/'))
}

fn described(layout: &Layout<'_>, file: &TreeFile) -> File {
    let group = file.group.as_deref().unwrap_or("root");
    File {
        path: file.path.clone(),
        mode: format!("{:04o}", file.mode),
        owner: format!("root:{group}"),
        restarts: restarts(layout, &file.path),
    }
}

/// The units that watch certificates.
fn watches(layout: &Layout<'_>) -> Vec<String> {
    let paths = layout.files.iter().map(|file| file.path.as_str());
    let units = paths.filter_map(|path| path.strip_prefix("/etc/systemd/system/"));
    units
        .filter(|unit| unit.ends_with(".path"))
        .map(str::to_owned)
        .collect()
}

/// What a change of a file asks for.
fn restarts(layout: &Layout<'_>, path: &str) -> String {
    let nothing = [
        "/usr/local/lib/tlsgen",
        "/etc/cron.d",
        "/etc/logrotate.d",
        layout.system.anchors,
    ];
    if nothing
        .iter()
        .any(|directory| in_directory(path, directory))
    {
        return String::new();
    }
    let unit = ["/etc/systemd/system/", "/etc/systemd/user/", "/etc/init.d/"]
        .iter()
        .find_map(|directory| path.strip_prefix(directory));
    if let Some(rest) = unit {
        let unit = rest.split('/').next().unwrap_or(rest);
        let unit = unit.strip_suffix(".d").unwrap_or(unit);
        let mut software = layout.software.iter();
        return software
            .find(|software| software.unit.name == unit)
            .map(|software| software.name.clone())
            .unwrap_or_default();
    }
    let reads = |directory: &String| in_directory(path, directory);
    let software = layout.software.iter();
    let readers: Vec<&str> = software
        .filter(|software| software.reads.iter().any(reads))
        .map(|software| software.name.as_str())
        .collect();
    if !readers.is_empty() {
        return format!("* {}", readers.join(" "));
    }
    // What Traefik is started with it does not read again.
    let traefik = |program: &Option<String>| {
        program
            .as_ref()
            .is_some_and(|program| program.ends_with("traefik"))
    };
    if path.ends_with("/traefik.yml") {
        let mut software = layout.software.iter();
        if let Some(software) = software.find(|software| traefik(&software.program)) {
            return software.name.clone();
        }
    }
    "*".to_owned()
}

/// Where challenges are answered from: read by a server of another user.
fn webroots(layout: &Layout<'_>) -> Vec<Directory> {
    let mut roots: Vec<Directory> = Vec::new();
    for certificate in &layout.certificates {
        let Source::Acme(source) = &certificate.source else {
            continue;
        };
        let Challenge::Webroot(root) = &source.challenge else {
            continue;
        };
        if !roots.iter().any(|known| known.path == *root) {
            roots.push(Directory {
                path: root.clone(),
                mode: "0755",
                owner: "root:root",
            });
        }
    }
    roots
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
