//! Whether what is to start renewals can, on this system, and has any to start.

use super::Machinery;
use super::layout::{Certificate, Source};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::Span;
use crate::spec::Scheduler;

pub static NONE: Code = Code {
    name: "scheduler-missing",
    severity: Severity::Error,
    summary: "a machine has not what is to start its renewals",
    manual: include_str!("manual/scheduler-missing.md"),
};
pub static NO_EFFECT: Code = Code {
    name: "renewals-without-effect",
    severity: Severity::Error,
    summary: "a field of `renewals` changes nothing on this machine",
    manual: include_str!("manual/renewals-without-effect.md"),
};

/// What is said of renewals and cannot be, or is about none.
pub fn faults(machinery: &Machinery<'_>, certificates: &[Certificate]) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = missing(machinery, certificates).into_iter().collect();
    found.extend(without_effect(machinery, certificates));
    found
}

fn missing(machinery: &Machinery<'_>, certificates: &[Certificate]) -> Option<Diagnostic> {
    let system = machinery.system;
    let (scheduler, span) = machinery.machine.renewals.scheduler?;
    let os = system.os.name();
    let (message, help) = match scheduler {
        Scheduler::Systemd if system.systemd.is_none() => (
            format!("no systemd starts renewals on `{os}`"),
            "write `scheduler: crontab`".to_owned(),
        ),
        Scheduler::Cron if !system.reads_cron_d => (
            format!("the cron of `{os}` reads no `/etc/cron.d`"),
            "write `scheduler: crontab`: a block in root's own crontab".to_owned(),
        ),
        Scheduler::Package => {
            let lacking = lacking(machinery, certificates)?;
            (
                format!("no package schedules the renewals: {lacking}"),
                "write `scheduler: systemd`, `cron` or `crontab`".to_owned(),
            )
        }
        _ => return None,
    };
    Some(
        Diagnostic::new(&NONE, span, message)
            .also(machinery.machine.os_span, "the system")
            .help(help),
    )
}

/// Why the client's package renews nothing, if so.
fn lacking(machinery: &Machinery<'_>, certificates: &[Certificate]) -> Option<String> {
    if let Some((path, _)) = &machinery.machine.renewals.client_path {
        return Some(format!("`{path}` is of none"));
    }
    if machinery.machine.renewals.project.is_some() {
        return Some("certificates of a private CA are renewed by tlsgen".to_owned());
    }
    let programs = certificates.iter().filter_map(|one| match &one.source {
        Source::Acme(acme) => Some(acme.client.program),
        Source::Project { .. } => None,
    });
    for program in programs {
        let client = machinery.system.client(program);
        if client.is_none_or(|client| client.schedulers.is_empty()) {
            return Some(format!("that of {} brings nothing for it", program.name()));
        }
    }
    None
}

fn without_effect(machinery: &Machinery<'_>, certificates: &[Certificate]) -> Vec<Diagnostic> {
    let renewals = &machinery.machine.renewals;
    let acme = certificates
        .iter()
        .any(|one| matches!(one.source, Source::Acme(_)));
    let issued = certificates.iter().any(|one| {
        matches!(
            one.source,
            Source::Project {
                lifetime: Some(_),
                ..
            }
        )
    });
    let here = acme || (issued && renewals.project.is_some());
    let by_package = matches!(renewals.scheduler, Some((Scheduler::Package, _)));
    let at = |said: &Option<(String, Span)>| said.as_ref().map(|(_, span)| *span);
    let fields = [
        (
            "client_path",
            at(&renewals.client_path).filter(|_| !acme),
            "no certificate of this machine is asked for over ACME",
        ),
        (
            "project",
            at(&renewals.project).filter(|_| !issued),
            "no certificate of this machine is issued by tlsgen",
        ),
        (
            "mail",
            at(&renewals.mail).filter(|_| by_package),
            "the package's own schedule writes to nobody",
        ),
        (
            "mail",
            at(&renewals.mail).filter(|_| !by_package && !here),
            "nothing is renewed on this machine",
        ),
        (
            "scheduler",
            renewals.scheduler.map(|(_, span)| span).filter(|_| !here),
            "nothing is renewed on this machine",
        ),
    ];
    let told = fields.into_iter().filter_map(|(field, span, why)| {
        let message = format!("`{field}` has no effect: {why}");
        Some(Diagnostic::new(&NO_EFFECT, span?, message).help("remove the line"))
    });
    told.collect()
}
