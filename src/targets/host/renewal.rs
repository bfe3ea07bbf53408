//! What renews the certificates of a machine: the scripts, and what starts them.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use super::client;
use super::layout::{AcmeSource, Challenge, Layout, Source, TreeFile};
use super::schedule::{self, Schedule};
use super::scripts::{self, Common, library};
use crate::render::{self, RenderError, cron};
use crate::source::Span;
use crate::spec::{AcmeProgram, Scheduler};

#[derive(Serialize)]
struct Context<'a> {
    #[serde(flatten)]
    common: Common,
    scheduler: &'static str,
    log: String,
    mail: Option<&'a str>,
    renewed_by_project: Option<ByProject<'a>>,
    certificates: Vec<Installed>,
}

/// Where certificates of the project's own authorities are made.
#[derive(Serialize)]
struct ByProject<'a> {
    directory: &'a str,
    install: String,
}

#[derive(Serialize)]
struct Installed {
    host: String,
    path: String,
}

#[derive(Serialize)]
struct Unit<'a> {
    project: &'a str,
    library: String,
    report_unit: Option<String>,
    writes: Vec<String>,
    protect_home: &'static str,
    calendar: String,
    delay: i64,
}

/// The files that renew: scripts, and units or a file of cron. None where nothing is renewed on the
/// machine.
///
/// # Errors
/// A value that a script, a unit or a crontab cannot carry.
pub fn files(layout: &Layout<'_>, origin: Span) -> Result<Vec<TreeFile>, RenderError> {
    if !renews(layout) {
        return Ok(Vec::new());
    }
    let file = |path: String, mode: u32, text: String| TreeFile {
        path,
        mode,
        group: None,
        body: Arc::from(text.into_bytes()),
        origin,
    };
    let script = |name: &str| -> Result<TreeFile, RenderError> {
        let text = render::text(&format!("host/{name}.sh"), context(layout)?)?;
        Ok(file(
            format!("{}/{name}", library(layout.project)),
            0o755,
            text,
        ))
    };
    let mut files = vec![script("deploy")?, script("renew")?];
    if has_acme(layout) {
        files.push(script("issue")?);
    }
    for (path, text) in scheduled(layout)? {
        files.push(file(path, 0o644, text));
    }
    files.push(file(
        format!("/etc/logrotate.d/tlsgen-{}", layout.project),
        0o644,
        logrotate(layout.project),
    ));
    Ok(files)
}

/// The timer that is enabled, if systemd starts renewals.
pub(super) fn timer(layout: &Layout<'_>) -> Option<String> {
    let own = layout.scheduler == Scheduler::Systemd && renews(layout);
    own.then(|| format!("{}.timer", unit_name(layout)))
}

/// The line of root's own crontab, if that starts renewals.
pub(super) fn crontab_line(layout: &Layout<'_>) -> Result<Option<String>, RenderError> {
    if layout.scheduler != Scheduler::Crontab || !renews(layout) {
        return Ok(None);
    }
    let command = command(layout)?;
    Ok(Some(format!("{} {command}", schedule(layout).cron())))
}

/// Whether anything on the machine is renewed by the machine.
fn renews(layout: &Layout<'_>) -> bool {
    has_acme(layout) || layout.checkout.is_some()
}

fn has_acme(layout: &Layout<'_>) -> bool {
    acme(layout).next().is_some()
}

fn acme<'a>(layout: &'a Layout<'_>) -> impl Iterator<Item = &'a AcmeSource> {
    let certificates = layout.certificates.iter();
    certificates.filter_map(|certificate| match &certificate.source {
        Source::Acme(source) => Some(source.as_ref()),
        Source::Project { .. } => None,
    })
}

fn context<'a>(layout: &'a Layout<'_>) -> Result<Context<'a>, RenderError> {
    let certificates = layout.certificates.iter();
    Ok(Context {
        common: Common::new(layout)?,
        scheduler: match layout.scheduler {
            Scheduler::Systemd => "a timer of systemd",
            Scheduler::Cron | Scheduler::Crontab => "cron",
            Scheduler::Package => "nobody but you: the client's package has its own schedule",
        },
        log: log(layout.project),
        mail: layout.mail,
        renewed_by_project: layout.checkout.map(|directory| ByProject {
            directory,
            install: format!("{directory}/{}/install.sh", layout.output),
        }),
        certificates: certificates
            .map(|certificate| Installed {
                host: certificate.host.clone(),
                path: format!("{}/full-chain.pem", certificate.directory),
            })
            .collect(),
    })
}

fn log(project: &str) -> String {
    format!("/var/log/tlsgen-{project}.log")
}

fn unit_name(layout: &Layout<'_>) -> String {
    format!("tlsgen-{}-renew", layout.project)
}

/// What starts renewals, if it is a file.
fn scheduled(layout: &Layout<'_>) -> Result<Vec<(String, String)>, RenderError> {
    match layout.scheduler {
        Scheduler::Systemd => units(layout),
        Scheduler::Cron => Ok(vec![(
            // A dot in the name, and cron would pass it over.
            format!("/etc/cron.d/tlsgen-{}", layout.project.replace('.', "_")),
            cron_file(layout)?,
        )]),
        Scheduler::Crontab => Ok(Vec::new()),
        Scheduler::Package => Ok(drop_in(layout)),
    }
}

fn units(layout: &Layout<'_>) -> Result<Vec<(String, String)>, RenderError> {
    let name = unit_name(layout);
    let report = format!("tlsgen-{}-report.service", layout.project);
    let schedule = schedule(layout);
    let unit = Unit {
        project: layout.project,
        library: library(layout.project),
        report_unit: layout.mail.map(|_| report.clone()),
        writes: writes(layout),
        protect_home: protect_home(layout),
        calendar: schedule.calendar(),
        delay: schedule.delay(),
    };
    let at = |name: &str| format!("/etc/systemd/system/{name}");
    let mut units = vec![
        (
            at(&format!("{name}.service")),
            render::text("host/renew.service", &unit)?,
        ),
        (
            at(&format!("{name}.timer")),
            render::text("host/renew.timer", &unit)?,
        ),
    ];
    if layout.mail.is_some() {
        units.push((at(&report), render::text("host/report.service", &unit)?));
    }
    Ok(units)
}

/// What a renewal changes below directories that it could only read otherwise.
fn writes(layout: &Layout<'_>) -> Vec<String> {
    let mut paths = BTreeSet::new();
    for certificate in &layout.certificates {
        paths.insert(certificate.directory.clone());
    }
    for source in acme(layout) {
        paths.extend(
            client::state(source.client)
                .iter()
                .map(|path| (*path).to_owned()),
        );
        if let Challenge::Webroot(root) = &source.challenge {
            paths.insert(root.clone());
        }
    }
    // It installs whatever the tree has.
    if let Some(project) = layout.checkout {
        let all = [project, "/etc", "/usr/local"];
        paths.extend(all.map(str::to_owned));
    }
    let within = |path: &str| path.starts_with("/var/") || path.starts_with("/run/");
    paths.into_iter().filter(|path| !within(path)).collect()
}

fn protect_home(layout: &Layout<'_>) -> &'static str {
    let webroots = acme(layout).filter_map(|source| match &source.challenge {
        Challenge::Webroot(root) => Some(root.as_str()),
        _ => None,
    });
    let mut written = webroots.chain(layout.checkout);
    let homes = ["/home/", "/root/", "/run/user/"];
    if written.any(|path| homes.iter().any(|home| path.starts_with(home))) {
        return "no";
    }
    // Credentials of a provider may lie there.
    "read-only"
}

fn cron_file(layout: &Layout<'_>) -> Result<String, RenderError> {
    let mail = layout.mail.unwrap_or("root");
    if mail.chars().any(char::is_control) || mail.contains('"') {
        return Err(scripts::refused(
            "an address with such a character cannot be written for cron".into(),
        ));
    }
    Ok(format!(
        "# generated by tlsgen from tlsgen.yaml; change that and run `tlsgen build`\n\
         SHELL=/bin/sh\n\
         PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n\
         MAILTO=\"{mail}\"\n\
         {} root {}\n",
        schedule(layout).cron(),
        command(layout)?,
    ))
}

fn command(layout: &Layout<'_>) -> Result<String, RenderError> {
    let script = format!("{}/renew", library(layout.project));
    cron::command([script.as_str()]).map_err(scripts::refused)
}

/// The client's own schedule knows nothing of a private ACME server's root.
fn drop_in(layout: &Layout<'_>) -> Vec<(String, String)> {
    let certbot = acme(layout).filter(|source| source.client.program == AcmeProgram::Certbot);
    let roots: BTreeSet<&String> = certbot.filter_map(|source| source.root.as_ref()).collect();
    let Some(root) = roots.first() else {
        return Vec::new();
    };
    let Ok(assignment) = render::systemd::quote_setting(&format!("REQUESTS_CA_BUNDLE={root}"))
    else {
        return Vec::new();
    };
    let text = format!(
        "# generated by tlsgen from tlsgen.yaml; change that and run `tlsgen build`\n[Service]\nEnvironment={assignment}\n"
    );
    let unit = match layout.system.family {
        super::system::Family::Debian => "certbot.service",
        _ => "certbot-renew.service",
    };
    vec![(
        format!(
            "/etc/systemd/system/{unit}.d/50-tlsgen-{}.conf",
            layout.project
        ),
        text,
    )]
}

fn schedule(layout: &Layout<'_>) -> Schedule {
    let acme = acme(layout).map(|source| {
        let profile = source.profile.as_deref();
        let lifetime = schedule::shortest_lifetime(&source.directory, profile);
        schedule::window(source.client, lifetime)
    });
    let project = layout.certificates.iter().filter_map(|certificate| {
        match (&certificate.source, layout.checkout) {
            (Source::Project { renewed_before, .. }, Some(_)) => *renewed_before,
            _ => None,
        }
    });
    Schedule::of(acme.chain(project), layout.project, layout.target)
}

fn logrotate(project: &str) -> String {
    format!(
        "# generated by tlsgen from tlsgen.yaml; change that and run `tlsgen build`\n\
         {} {{\n\
         \tmonthly\n\
         \trotate 12\n\
         \tcompress\n\
         \tdelaycompress\n\
         \tmissingok\n\
         \tnotifempty\n\
         \tcreate 0640 root root\n\
         }}\n",
        log(project)
    )
}
