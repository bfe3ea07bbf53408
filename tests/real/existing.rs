//! What we read in the files of a machine is what their own programs read: cron, Apache.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests may panic and touch the disk"
)]

mod machine;
mod support;

use machine::{Machine, said};
use tlsgen::apache;
use tlsgen::path_map::PathMap;
use tlsgen::source::Sources;
use tlsgen::targets::host::existing::crontab::{Columns, Crontab, Fault};
use tlsgen::world::Memory;

/// Crontabs of a user, good ones and bad ones.
const CRONTABS: &[&str] = &[
    "17 3,15 * * * /bin/true\n",
    "SHELL=/bin/sh\nMAILTO = x\n\n# a\n*/5 0-23/2 1,2 jan-mar mon-fri /bin/true\n",
    "\"A B\"=c\n@daily /bin/true\n",
    "@fortnightly /bin/true\n",
    "60 * * * * /bin/true\n",
    "* 24 * * * /bin/true\n",
    "* * 0 * * /bin/true\n",
    "* * * 13 * /bin/true\n",
    "* * * * 8 /bin/true\n",
    "* * * * 7 /bin/true\n",
    "5-1 * * * * /bin/true\n",
    "*/0 * * * * /bin/true\n",
    "1,,2 * * * * /bin/true\n",
    "1, * * * * /bin/true\n",
    "a * * * * /bin/true\n",
    "* * * * 1\u{a0}/bin/true\n",
    "* * * *\n",
    "* * * * *\n",
    "* * * * * /bin/true",
    "\t* \t * * * *  /bin/true\n",
    "nonsense\n",
    "1/2 * * * * /bin/true\n",
    "* * * JAN Sun /bin/true\n",
    "jan * * * * /bin/true\n",
    "= x\n",
    "-1 * * * * /bin/true\n",
    "",
];

#[test]
fn crontabs_are_refused_where_cron_refuses_them() {
    let Some(machine) = Machine::new("bookworm") else {
        return;
    };
    for (index, text) in CRONTABS.iter().enumerate() {
        machine.put(&format!("/srv/{index}"), text, 0o644);
    }
    let script = "PATH=/usr/sbin:/usr/bin:/sbin:/bin; for file in $(seq 0 99); do test -e /srv/$file || continue; crontab -n /srv/$file >/dev/null 2>&1 && echo $file; done; true";
    let passed: Vec<usize> = machine
        .succeed(script)
        .lines()
        .map(|line| line.parse().unwrap())
        .collect();
    for (index, text) in CRONTABS.iter().enumerate() {
        let mut sources = Sources::default();
        let source = sources.add("crontab", *text);
        let read = Crontab::read(
            &sources,
            source,
            "/var/spool/cron/crontabs/root",
            Columns::OfUser,
        );
        let refused = read
            .faults
            .iter()
            .any(|(_, fault)| *fault != Fault::CarriageReturn);
        assert_eq!(
            !refused,
            passed.contains(&index),
            "{text:?}: {:?}",
            read.faults
        );
    }
}

/// A configuration of Debian's, with hosts of a user's.
const HOSTS: &str = "\
Define domain lab.example
<VirtualHost *:80>
    ServerName www.${domain}
    ServerAlias Web.${domain} \\
        w.${domain}
</VirtualHost>
<IfModule !mod_nothing.c>
    <VirtualHost *:8080>
        ServerName \"other.${domain}\"
    </VirtualHost>
</IfModule>
<IfDefine NOTHING>
    <VirtualHost *:8081>
        ServerName never.${domain}
    </VirtualHost>
</IfDefine>
";

#[test]
fn apache_has_the_hosts_that_we_read() {
    let Some(machine) = Machine::new("bookworm") else {
        return;
    };
    machine.put("/etc/apache2/sites-enabled/lab.conf", HOSTS, 0o644);
    let output =
        machine.run("PATH=/usr/sbin:/usr/bin:/sbin:/bin apache2ctl -t -D DUMP_VHOSTS 2>&1");
    assert!(output.status.success(), "{}", said(&output));
    let theirs = said(&output);
    let listing = machine.succeed(
        "cd /etc/apache2 && find -L . -type f -name '*.conf' -o -name '*.load' | sed 's|^./||'",
    );
    let files: Vec<(String, String)> = listing
        .lines()
        .map(|file| {
            (
                format!("a/{file}"),
                machine.read(&format!("/etc/apache2/{file}")),
            )
        })
        .collect();
    let world = Memory::with(
        files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str())),
    );
    let mut sources = Sources::default();
    let named = sources.add("tlsgen.yaml", "files").start();
    let map = PathMap::new("/etc/apache2").with("/etc/apache2", "a");
    let tree = apache::read(
        &world,
        &mut sources,
        &map,
        "/etc/apache2/apache2.conf",
        named,
    );
    let tree = tree.unwrap_or_else(|found| panic!("{found:?}"));
    for host in &tree.hosts {
        for (name, _) in &host.names {
            assert!(
                theirs.to_lowercase().contains(name.as_str()),
                "{name} is not among\n{theirs}"
            );
        }
        let line = sources.position(host.span).line;
        let place = format!(
            "{}:{line})",
            sources
                .get(host.span.source)
                .name
                .replacen("a/", "/etc/apache2/", 1)
        );
        assert!(theirs.contains(&place), "{place} is not among\n{theirs}");
    }
    let hosts = theirs.matches(".conf:").count();
    assert!(
        hosts >= tree.hosts.len() && tree.hosts.len() >= 2,
        "{theirs}"
    );
    assert!(!theirs.contains("never."), "{theirs}");
    let mut ports: Vec<u16> = tree.listens.iter().map(|listen| listen.port).collect();
    ports.sort_unstable();
    assert_eq!(ports, [80, 443]);
}
