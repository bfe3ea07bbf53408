//! Who renews already, and what is done beside it.

use std::collections::BTreeSet;

use super::crontab::Job;
use super::{Existing, Ours};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::Span;
use crate::spec::Scheduler;

pub static SECOND: Code = Code {
    name: "second-scheduler",
    severity: Severity::Error,
    summary: "a machine renews certificates already, by another schedule",
    manual: include_str!("manual/second-scheduler.md"),
};
pub static RESTART: Code = Code {
    name: "restart-beside-renewal",
    severity: Severity::Warning,
    summary: "a server is restarted at a fixed time, whether a certificate was renewed or not",
    manual: include_str!("manual/restart-beside-renewal.md"),
};
pub static DEAD: Code = Code {
    name: "certbot-auto",
    severity: Severity::Warning,
    summary: "certbot-auto is run, which no longer works anywhere",
    manual: include_str!("manual/certbot-auto.md"),
};
pub static HOOK: Code = Code {
    name: "hook-after-every-attempt",
    severity: Severity::Warning,
    summary: "a hook of certbot runs after every attempt, not after a renewal",
    manual: include_str!("manual/hook-after-every-attempt.md"),
};

/// A command that runs by a schedule.
struct Scheduled<'a> {
    /// The file that says so, on the machine.
    path: &'a str,
    command: &'a str,
    span: Span,
    /// The timer that starts it, where it is a unit.
    timer: Option<Span>,
}

/// What is scheduled on the machine and does not go together with a schedule of ours.
pub fn conflicts(existing: &Existing, ours: &Ours<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let servers = servers(ours);
    let all = scheduled(existing);
    for one in &all {
        let program = renews(
            one.command,
            &[format!("/usr/local/lib/tlsgen/{}/", ours.layout.project)],
        );
        match program {
            Some("certbot-auto") => found.push(dead(one)),
            Some(program) => found.extend(second(one, program, ours)),
            None => found.extend(restart(one, &servers)),
        }
    }
    for (path, span) in &existing.hooks {
        if path.contains("/renewal-hooks/post/") || path.contains("/renewal-hooks/pre/") {
            let message = format!(
                "certbot runs `{path}` at every attempt, also where nothing was renewed or where that failed"
            );
            found.push(
                Diagnostic::new(&HOOK, *span, message)
                    .also(ours.renewals_span(), "here certificates are renewed and servers told")
                    .help("move it to `/etc/letsencrypt/renewal-hooks/deploy/`, or remove it where it only reloads: each server is told by us"),
            );
        }
    }
    found
}

fn scheduled(existing: &Existing) -> Vec<Scheduled<'_>> {
    let jobs = existing.crontabs.iter().flat_map(|crontab| {
        let jobs = crontab.jobs.iter();
        jobs.map(|Job { span, command }| Scheduled {
            path: &crontab.path,
            command,
            span: *span,
            timer: None,
        })
    });
    let mut all: Vec<Scheduled<'_>> = jobs.collect();
    for timer in existing
        .units
        .iter()
        .filter(|unit| unit.name().ends_with(".timer"))
    {
        let said = timer.all("Timer", "Unit").last();
        let own = timer.name().replace(".timer", ".service");
        let started = said.map_or(own, |setting| setting.value.clone());
        let services = existing.units.iter().filter(|unit| unit.name() == started);
        let commands = services.flat_map(|unit| unit.all("Service", "ExecStart"));
        let at = timer
            .settings
            .iter()
            .find(|setting| setting.section == "Timer");
        all.extend(commands.map(|setting| Scheduled {
            path: &timer.path,
            command: &setting.value,
            span: setting.span,
            timer: at.map(|setting| setting.span),
        }));
    }
    all
}

fn second(one: &Scheduled<'_>, program: &str, ours: &Ours<'_>) -> Option<Diagnostic> {
    let own = ours.schedules();
    let package = is_of_package(one.path, ours);
    let by_package = ours.layout.scheduler == Scheduler::Package;
    if (package && by_package) || !(own || by_package) {
        return None;
    }
    let what = match by_package {
        true => "the package's own schedule",
        false => "ours",
    };
    let message = format!("`{}` renews by {program} already, beside {what}", one.path);
    let mut found = Diagnostic::new(&SECOND, one.span, message).label("this renews");
    if package {
        found.severity = Severity::Warning;
    }
    if let Some(timer) = one.timer {
        found = found.also(timer, "started by this");
    }
    let target = format!("targets.{}", ours.layout.target);
    let found = found
        .also(ours.renewals_span(), "and this does")
        .about(target);
    Some(match package {
        true => found.help("write `renewals: {scheduler: package}`: then this alone renews, and tells the servers by a hook of ours"),
        false => found.help("remove it: two that renew hold each other up, use up the authority's limits, and only ours checks and reloads the servers"),
    })
}

/// What the packages of ACME clients bring along.
fn is_of_package(path: &str, ours: &Ours<'_>) -> bool {
    let named = ours
        .layout
        .system
        .clients
        .iter()
        .flat_map(|client| client.schedulers);
    let name = path.rsplit('/').next().unwrap_or_default();
    let known = ["/etc/cron.d/certbot", "/etc/cron.d/lego"].contains(&path)
        || name == "snap.certbot.renew.timer"
        || path.contains("/lib/systemd/system/")
        || path.contains(".target.wants/");
    known || named.into_iter().any(|one| *one == path)
}

/// The units and programs of our servers, as commands name them.
fn servers(ours: &Ours<'_>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for software in &ours.layout.software {
        let unit = &software.unit.name;
        names.insert(unit.trim_end_matches(".service").to_owned());
        let program = software
            .program
            .as_deref()
            .and_then(|path| path.rsplit('/').next());
        names.extend(program.map(str::to_owned));
    }
    names
}

fn restart(one: &Scheduled<'_>, servers: &BTreeSet<String>) -> Option<Diagnostic> {
    let words: Vec<&str> = words(one.command).collect();
    if !words.contains(&"restart") {
        return None;
    }
    let name = |word: &&&str| servers.contains(last_part(word).trim_end_matches(".service"));
    let server = words.iter().find(name)?;
    let message =
        format!("`{server}` is restarted by a schedule, whether a certificate was renewed or not");
    Some(
        Diagnostic::new(&RESTART, one.span, message).help(
            "remove it: each server is reloaded when its certificate was renewed, and asked whether it serves the new one; a restart cuts connections off",
        ),
    )
}

fn dead(one: &Scheduled<'_>) -> Diagnostic {
    let message = "certbot-auto no longer works on any system: nothing is renewed by this";
    Diagnostic::new(&DEAD, one.span, message).help("remove it")
}

/// The program by which a command renews certificates.
fn renews(command: &str, own: &[String]) -> Option<&'static str> {
    if own.iter().any(|word| command.contains(word.as_str())) {
        return None;
    }
    let words: Vec<&str> = words(command).collect();
    let says = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
    let runs = |program: &str| words.iter().any(|word| last_part(word) == program);
    let all: [(&str, &[&str]); 7] = [
        ("certbot-auto", &["renew", "certonly", "certbot-auto"]),
        ("certbot", &["renew", "certonly", "run"]),
        ("letsencrypt", &["renew", "certonly"]),
        ("lego", &["renew", "run"]),
        ("acme.sh", &["--cron", "--renew", "--renew-all", "-r"]),
        ("dehydrated", &["-c", "--cron"]),
        ("tlsgen", &["renew"]),
    ];
    let mut known = all.into_iter();
    known
        .find(|(program, verbs)| runs(program) && (says(verbs) || *program == "certbot-auto"))
        .map(|(program, _)| program)
}

/// The words of a command, without what a shell makes of them.
fn words(command: &str) -> impl Iterator<Item = &str> {
    command
        .split(|letter: char| letter.is_whitespace() || "'\"`;&|()<>{}".contains(letter))
        .filter(|word| !word.is_empty())
}

fn last_part(word: &str) -> &str {
    let word = word.trim_start_matches(['-', '@', ':', '+', '!']);
    word.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_renew_are_known() {
        for (command, expected) in [
            ("/usr/bin/certbot -q renew", Some("certbot")),
            (
                "test -x /usr/bin/certbot -a \\! -d /run/systemd/system && perl -e 'sleep int(rand(43200))' && certbot -q renew",
                Some("certbot"),
            ),
            (
                "/opt/letsencrypt/certbot-auto renew >> /var/log/le-renew",
                Some("certbot-auto"),
            ),
            (
                "\"/home/a/.acme.sh\"/acme.sh --cron --home \"/home/a/.acme.sh\" > /dev/null",
                Some("acme.sh"),
            ),
            ("lego --path /etc/lego renew", Some("lego")),
            ("/usr/local/lib/tlsgen/lab/renew", None),
            ("certbot certificates", None),
            ("service nginx restart", None),
        ] {
            let own = ["/usr/local/lib/tlsgen/lab/".to_owned()];
            assert_eq!(renews(command, &own), expected, "{command}");
        }
    }
}
