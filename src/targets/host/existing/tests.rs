//! Whatever is read: no panic, spans inside, bounded.

use proptest::prelude::*;

use super::crontab::{Columns, Crontab, Fault};
use super::{caddy, haproxy};
use crate::source::{Sources, Span};
use crate::targets::host::unit_file::UnitFile;

fn inside(sources: &Sources, span: Span) -> bool {
    let text = &sources.get(span.source).text;
    span.start <= span.end && text.get(span.start as usize..span.end as usize).is_some()
}

fn faults(text: &str, columns: Columns) -> Vec<Fault> {
    let mut sources = Sources::default();
    let source = sources.add("crontab", text);
    let read = Crontab::read(&sources, source, "/etc/crontab", columns);
    read.faults.into_iter().map(|(_, fault)| fault).collect()
}

#[test]
fn a_crontab_is_read_as_cron_reads_it() {
    for (text, expected) in [
        (
            "# a\n\nSHELL=/bin/sh\nMAILTO = x\n17 3,15 * * 1-5 root /bin/true\n",
            vec![],
        ),
        (
            "@daily root /bin/true\n*/5 0-23/2 1,2 jan-mar mon root x\n",
            vec![],
        ),
        ("60 * * * * root x\n", vec![Fault::Field]),
        ("* * * * 1\u{a0}root /bin/true\n", vec![Fault::Short]),
        ("* * * * * root\n", vec![Fault::Short]),
        ("* * * * * root x\r\n", vec![Fault::CarriageReturn]),
        ("* * * * * root x", vec![Fault::NoFinalNewline]),
        ("@fortnightly root x\n", vec![Fault::Field]),
    ] {
        assert_eq!(faults(text, Columns::WithUser), expected, "{text:?}");
    }
}

#[test]
fn units_have_sections_keys_and_joined_lines() {
    let text =
        "stray\n[Service]\nExecStart=/a \\\n# no\n  renew\nUser = b\n; c\n[Install]\nWantedBy=\n";
    let mut sources = Sources::default();
    let source = sources.add("a.service", text);
    let unit = UnitFile::read(&sources, source, "/etc/systemd/system/a.service.d/b.conf");
    let all: Vec<(&str, &str, &str)> = unit
        .settings
        .iter()
        .map(|one| (one.section.as_str(), one.key.as_str(), one.value.as_str()))
        .collect();
    assert_eq!(
        all,
        [
            ("Service", "ExecStart", "/a    renew"),
            ("Service", "User", "b"),
            ("Install", "WantedBy", ""),
        ]
    );
    assert_eq!((unit.name(), unit.stray.len()), ("a.service", 1));
}

#[test]
fn listeners_of_haproxy_and_caddy_are_known() {
    let mut sources = Sources::default();
    let source = sources.add("a", "frontend a\n bind :80,ipv6@[::1]:8443-8444 ssl crt x # y\n bind unix@/run/a\n bind /run/b\n");
    let ports = |all: Vec<super::Listener>| -> Vec<(u16, bool)> {
        all.iter().map(|one| (one.port, one.tls)).collect()
    };
    assert_eq!(
        ports(haproxy::listeners(&sources, source)),
        [(80, true), (8443, true), (8444, true)]
    );
    let source = sources.add(
        "b",
        "{\n  admin off\n}\n(s) {\n  x\n}\na.example, http://b.example:81,\n:8080 {\n  c.example {\n }\n}\n",
    );
    assert_eq!(
        ports(caddy::listeners(&sources, source)),
        [(443, true), (80, false), (81, false), (8080, false)]
    );
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9*,/~-]{1,4}( [0-9*,/-]{1,4}){3,5}( [a-z/]{1,5}){0,2}\r?",
        "@[a-z]{1,8} root x",
        "[A-Za-z\"' ]{1,5}=\\PC{0,6}",
        "\\[[A-Za-z]{0,4}\\]?",
        "[A-Z][a-z]{0,4} ?= ?\\PC{0,8}\\\\?",
        "bind \\PC{0,20}",
        "bind [*:0-9,.@-]{0,20} ssl",
        "[a-z.:/,{}() ]{0,20}[{}]?",
        "\\PC{0,30}",
    ]
}

proptest! {
    #[test]
    fn whatever_is_read_has_its_places(lines in proptest::collection::vec(line(), 0..20), end in "\n?") {
        let text = lines.join("\n") + &end;
        let mut sources = Sources::default();
        let source = sources.add("a", text.as_str());
        for columns in [Columns::OfUser, Columns::WithUser] {
            let read = Crontab::read(&sources, source, "/etc/cron.d/a.b", columns);
            let spans = read.jobs.iter().map(|one| one.span).chain(read.faults.iter().map(|one| one.0));
            prop_assert!(spans.into_iter().all(|span| inside(&sources, span)));
            prop_assert!(read.jobs.len() <= lines.len());
        }
        let unit = UnitFile::read(&sources, source, "/etc/systemd/system/a.service");
        let spans = unit.settings.iter().map(|one| one.span).chain(unit.stray.iter().copied());
        prop_assert!(spans.into_iter().all(|span| inside(&sources, span)));
        for listeners in [haproxy::listeners(&sources, source), caddy::listeners(&sources, source)] {
            prop_assert!(listeners.len() <= 101 * text.len().max(1));
            prop_assert!(listeners.iter().all(|one| inside(&sources, one.span)));
        }
    }
}
