//! Every character that could mean something: what is written is what the server sends and opens.

use std::fs;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::lab::{Lab, releases};
use super::listener::Application;

/// Every printable character of ASCII and some beyond, each where it stands alone, begins and ends.
fn characters() -> impl Iterator<Item = char> {
    (' '..='~').chain(['ä', '☃', '𝄞', '\u{feff}', '\u{202e}', '\u{2028}'])
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

#[test]
fn headers_arrive_as_they_were_written() {
    let mut values: Vec<String> = characters()
        .flat_map(|c| [format!("{c}"), format!("a{c}b"), format!("{c}{c}\\{c}")])
        .collect();
    values.extend(
        [
            "$host",
            "${host}",
            "${tlsgen_dollar}",
            "${HOME}",
            "${PATH",
            "%{HOSTNAME}e",
            "%%D",
            "env=x",
            "early",
            "\\n",
            "\\\"",
            "'; } server {",
            "a\";b",
            "#c",
            "\\$x",
            "{{ x }}",
            "% raw %",
        ]
        .map(str::to_owned),
    );
    // Long ones, with and without quotes.
    values.extend([
        "x".repeat(4000),
        format!("{} {}", "x".repeat(1999), "y".repeat(1998)),
    ]);
    let random = proptest::string::string_regex("[ -~äß☃]{1,60}").unwrap();
    let mut runner = TestRunner::deterministic();
    values.extend((0..60).map(|_| random.new_tree(&mut runner).unwrap().current()));
    let application = Application::start(None);
    for release in releases() {
        let headers: Vec<String> = values
            .iter()
            .enumerate()
            .map(|(index, value)| format!("X-{index}: {}", quoted(value)))
            .collect();
        let spec = format!(
            "hosts:\n  tower: {{names: [tower.lab.example], certificate: {{chain: pki/tower.pem, key: pki/tower.key}}}}\nservices:\n  web:\n    server: SERVER\n    serves:\n      - {{host: tower, upstream: \"http://127.0.0.1:{}\", headers: {{{}}}}}\n",
            application.port,
            headers.join(", "),
        );
        let running = Lab::new(release).run(&spec, |_| ());
        let answer = running.get("tower.lab.example", "/", &["--http1.1"]);
        assert_eq!(answer.code, 200, "{}", running.log());
        for (index, value) in values.iter().enumerate() {
            assert_eq!(
                answer.header(&format!("X-{index}")),
                [value.as_str()],
                "{release:?}"
            );
        }
        let ours = answer
            .header_names()
            .iter()
            .filter(|name| name.starts_with("X-"))
            .count();
        assert_eq!(ours, values.len(), "nothing else was sent");
    }
}

#[test]
fn prefixes_and_directories_are_what_was_written() {
    let application = Application::start(None);
    for release in releases() {
        let lab = Lab::new(release);
        let mut hosts = String::new();
        let mut serves = String::new();
        let mut expected = Vec::new();
        for (index, c) in characters().enumerate() {
            let name = format!("h{index}.wild.lab.example");
            let directory = format!("web {c}{c}\\{c}").replace('/', "slash");
            let in_url = c.is_ascii_graphic() && !"?#".contains(c);
            let prefix = if in_url {
                format!("/p{c}q{c}")
            } else {
                "/p".to_owned()
            };
            let path = lab.path(&directory).join(".well-known/acme-challenge");
            fs::create_dir_all(&path).unwrap();
            fs::write(path.join("token"), format!("token of {index}")).unwrap();
            hosts += &format!(
                "  h{index}: {{names: [{name}], certificate: {{chain: pki/wild.pem, key: pki/wild.key}}}}\n"
            );
            serves += &format!(
                "      - {{host: h{index}, redirect_http: true, upstream: {}, challenge_root: {}}}\n",
                quoted(&format!("http://127.0.0.1:{}{prefix}", application.port)),
                quoted(&lab.inside(&directory)),
            );
            expected.push((name, prefix.trim_end_matches('/').to_owned(), index));
        }
        let spec =
            format!("hosts:\n{hosts}services:\n  web:\n    server: SERVER\n    serves:\n{serves}");
        let inside = (lab.inside("wild.pem"), lab.inside("wild.key"));
        let running = lab.run(&spec, |place| {
            for certificate in place
                .hosts
                .iter_mut()
                .filter_map(|host| host.certificate.as_mut())
            {
                certificate.full_chain.clone_from(&inside.0);
                certificate.key.clone_from(&inside.1);
            }
        });
        for (name, prefix, index) in expected {
            let there = [
                format!("{name}:{}:127.0.0.1", running.port()),
                format!("{name}:{}:127.0.0.1", running.plain_port()),
            ];
            let resolve = ["--resolve", &there[0], "--resolve", &there[1]];
            let answer = running.get(&name, "/x%20y?z", &resolve);
            assert_eq!(
                answer.request(),
                format!("GET {prefix}/x%20y?z HTTP/1.1"),
                "{answer:?}"
            );
            let token = running.get_plain(&name, "/.well-known/acme-challenge/token", &resolve);
            assert!(
                token.said.contains(&format!("token of {index}\n")),
                "{name}: {token:?}\n{}",
                running.log()
            );
        }
    }
}
