//! What we say would be said twice is what nginx says is said twice.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test"
)]

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::fs;

use support::nginx::{Nginx, Verdict, certificate};
use tempfile::TempDir;
use tlsgen::nginx::{self, Addition, ConflictKind, Listen, PathMap};
use tlsgen::source::Sources;
use tlsgen::world::Memory;

/// Spellings of sockets, some of them of the same.
const LISTENS: &[&str] = &[
    "443",
    "*:443",
    "0.0.0.0:443",
    "[::]:443",
    "[0::0]:443",
    "127.0.0.1:443",
    "localhost:443",
    "440-445",
    "80",
    "127.0.0.1",
    "[::]",
    "[::1]:80",
    "unix:/run/a",
    "UNIX:/run/a",
];
/// Spellings of names, some of them of the same.
const NAMES: &[&str] = &[
    "a.example",
    "A.Example",
    ".a.example",
    "*.a.example",
    "www.a.example",
    "a.*",
    "A.*",
    "~^a",
    "~^A",
    "_",
    "\"\"",
    "*.example",
];
/// What we may add to a server block, with values that nginx takes.
const DIRECTIVES: &[&str] = &[
    "add_header X-A b",
    "client_max_body_size 1m",
    "error_page 404 /x",
    "gzip on",
    "keepalive_timeout 1s",
    "proxy_buffering off",
    "proxy_http_version 1.1",
    "proxy_pass_header X",
    "proxy_read_timeout 1s",
    "proxy_set_header X-A b",
    "proxy_ssl_name a",
    "proxy_ssl_server_name on",
    "proxy_ssl_verify off",
    "return 204",
    "rewrite ^/a$ /b",
    "root /srv",
    "server_tokens off",
    "set $a b",
    "ssl_ciphers HIGH",
    "ssl_client_certificate tls/a.pem",
    "ssl_conf_command Options PrioritizeChaCha",
    "ssl_ecdh_curve auto",
    "ssl_prefer_server_ciphers off",
    "ssl_protocols TLSv1.2",
    "ssl_session_cache shared:a:1m",
    "ssl_session_tickets off",
    "ssl_session_timeout 1d",
    "ssl_stapling off",
    "ssl_trusted_certificate tls/a.pem",
    "ssl_verify_client off",
    "ssl_verify_depth 2",
    "allow all",
    "deny all",
    "access_log off",
    "error_log stderr",
    "index a",
    "autoindex on",
    "resolver 127.0.0.1",
    "expires 1h",
    "sub_filter a b",
    "charset utf-8",
    "location /a { }",
    "location = /a { }",
    "location ^~ /a { }",
    "location ~ ^/a { }",
    "location @a { }",
];

#[test]
fn sockets_are_the_same_when_nginx_says_so() {
    let Some(judges) = Nginx::find() else { return };
    for (one, other) in pairs(LISTENS) {
        let text = format!("server {{ listen {one}; listen {other}; }}\n");
        let ours = conflicts(
            &format!("server {{ listen {one}; }}\n"),
            &Addition {
                listens: vec![listen(other)],
                ..Addition::default()
            },
        );
        let expected = ours
            .iter()
            .any(|kind| matches!(kind, ConflictKind::Listen(_)));
        agree(&judges, &text, "duplicate listen", expected);

        let text = format!(
            "server {{ listen {one} default_server; }}\nserver {{ listen {other} default_server; }}\n"
        );
        let ours = conflicts(
            &format!(
                "server {{ listen {one} default_server; }}\nserver {{ listen 1; server_name chosen; }}\n"
            ),
            &Addition {
                listens: vec![Listen {
                    default_server: true,
                    ..listen(other)
                }],
                ..Addition::default()
            },
        );
        let expected = ours
            .iter()
            .any(|kind| matches!(kind, ConflictKind::DefaultServer(_)));
        agree(&judges, &text, "duplicate default server", expected);
    }
}

#[test]
fn names_collide_when_nginx_says_so() {
    let Some(judges) = Nginx::find() else { return };
    let (mut all, mut expected) = (String::new(), BTreeSet::new());
    for (number, (one, other)) in pairs(NAMES).enumerate() {
        let port = 8000 + 10 * number;
        // At another socket, at the same, and at one of several.
        for (there, added) in [
            (port, (port + 1).to_string()),
            (port + 2, (port + 2).to_string()),
            (port + 4, format!("{}-{}", port + 3, port + 5)),
        ] {
            let server = |port: &str, name: &str| {
                format!("server {{ listen {port}; server_name {name}; }}\n")
            };
            let base = server(&there.to_string(), one);
            all += &(base.clone() + &server(&added, other));
            let addition = Addition {
                names: vec![other.trim_matches('"')],
                ..Addition::default()
            };
            let ours = conflicts(&(base + &server(&added, "chosen")), &addition);
            expected.extend(ours.into_iter().filter_map(|kind| match kind {
                ConflictKind::Name(_, socket) => Some(socket.to_string().replace('*', "0.0.0.0")),
                _ => None,
            }));
        }
    }
    assert!(expected.len() >= 30, "{expected:?}");
    for judge in &judges {
        let verdict = judged(judge, &all);
        let complaints = verdict.said.split("conflicting server name").skip(1);
        let sockets = complaints.filter_map(|rest| rest.split(" on ").nth(1)?.split(',').next());
        let theirs: BTreeSet<String> = sockets.map(str::to_owned).collect();
        assert_eq!(theirs, expected, "{}", judge.suite);
    }
}

#[test]
fn directives_that_nginx_takes_once_are_known() {
    let Some(judges) = Nginx::find() else { return };
    let mut once = 0;
    for directive in DIRECTIVES {
        let end = if directive.ends_with('}') { "" } else { ";" };
        let text = format!(
            "server {{ listen 8080; server_name chosen; {directive}{end} {directive}{end} }}\n"
        );
        let words: Vec<&str> = directive.split(' ').collect();
        let addition = match words.as_slice() {
            ["location", words @ .., "{", "}"] => Addition {
                locations: vec![words.to_vec()],
                ..Addition::default()
            },
            [name, ..] => Addition {
                directives: vec![name],
                ..Addition::default()
            },
            [] => unreachable!(),
        };
        let base = format!("server {{ listen 8080; server_name chosen; {directive}{end} }}\n");
        let ours = !conflicts(&base, &addition).is_empty();
        for judge in &judges {
            let verdict = judged(judge, &text);
            let theirs = verdict.said.contains("duplicate");
            assert!(
                verdict.passes || theirs,
                "{}: {directive}: {}",
                judge.suite,
                verdict.said
            );
            // Where nginx says nothing the last one may win, or they add up: those that add up are known.
            assert!(
                ours || !theirs,
                "{}: {directive} is taken once: {}",
                judge.suite,
                verdict.said
            );
            once += usize::from(theirs);
        }
    }
    assert!(once > 40, "only {once}");
}

/// nginx complains exactly where we do.
fn agree(judges: &[Nginx], text: &str, complaint: &str, expected: bool) {
    for judge in judges {
        let verdict = judged(judge, text);
        assert_eq!(
            verdict.said.contains(complaint),
            expected,
            "{}: {text}{}",
            judge.suite,
            verdict.said
        );
        assert!(
            expected || verdict.passes,
            "{}: {text}{}",
            judge.suite,
            verdict.said
        );
    }
}

fn judged(judge: &Nginx, http: &str) -> Verdict {
    thread_local! {
        static DIRECTORY: TempDir = with_certificate();
    }
    DIRECTORY.with(|directory| {
        let text = format!("events {{}}\nhttp {{\n{http}}}\n");
        fs::write(directory.path().join("nginx.conf"), text).unwrap();
        judge.test(directory.path(), "nginx.conf")
    })
}

fn with_certificate() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("tls")).unwrap();
    fs::write(directory.path().join("tls/a.pem"), certificate().0).unwrap();
    directory
}

/// What we find when something is added to the block that serves `chosen`, or to the only one.
fn conflicts(http: &str, addition: &Addition<'_>) -> Vec<ConflictKind> {
    let world = Memory::with([("a.conf", http)]);
    let mut sources = Sources::default();
    let named = sources.add("tlsgen.yaml", "").start();
    let tree = nginx::read(
        &world,
        &mut sources,
        "a.conf",
        named,
        &PathMap::of_directory(""),
    )
    .unwrap();
    let block = tree.block_for(&["chosen"], None).unwrap();
    tree.conflicts(block, addition)
        .into_iter()
        .map(|conflict| conflict.kind)
        .collect()
}

fn listen(words: &str) -> Listen {
    Listen::parse(words.split(' ')).unwrap()
}

fn pairs<'a>(of: &'a [&'a str]) -> impl Iterator<Item = (&'a str, &'a str)> {
    let from = move |at: usize| of[at..].iter().map(move |other| (of[at], *other));
    (0..of.len()).flat_map(from)
}
