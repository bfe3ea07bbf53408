//! Whatever is read: no panic, spans inside, bounded.

use proptest::prelude::*;

use super::*;
use crate::path_map::PathMap;
use crate::source::Sources;
use crate::world::Memory;

fn tree(files: &[(&str, &str)]) -> Result<(Tree, Sources), Vec<crate::diagnostic::Diagnostic>> {
    let world = Memory::with(files.iter().copied());
    let mut sources = Sources::default();
    let named = sources.add("tlsgen.yaml", "files").start();
    let map = PathMap::new("/etc/apache2").with("/etc/apache2", "a");
    let tree = read(
        &world,
        &mut sources,
        &map,
        "/etc/apache2/apache2.conf",
        named,
    )?;
    Ok((tree, sources))
}

#[test]
fn includes_variables_and_sections_are_followed() {
    let (tree, sources) = tree(&[
        ("a/apache2.conf", "Define port 443\nInclude ports.conf\nIncludeOptional sites/*.conf\nInclude mods\nInclude none.conf\n<Macro x>\nListen 1\n</Macro>\n"),
        ("a/ports.conf", "Listen 80\n<IfModule ssl_module>\nListen [::]:${port}\n</IfModule>\n<IfDefine X>\nListen 2\n</IfDefine>\n"),
        ("a/sites/a.conf", "<VirtualHost *:443 10.0.0.1>\nServerName https://A.example:443\nServerAlias b.example c.example\nSSLEngine On\n</VirtualHost>\n"),
        ("a/mods/x/y.load", "LoadModule a b\n"),
    ])
    .unwrap();
    let listens: Vec<u16> = tree.listens.iter().map(|listen| listen.port).collect();
    assert_eq!(listens, [80, 443]);
    let host = &tree.hosts[0];
    let names: Vec<&str> = host.names.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a.example", "b.example", "c.example"]);
    assert!(host.tls && host.at_port(443) && host.at_port(8080));
    assert_eq!(sources.slice(host.span), "<VirtualHost *:443 10.0.0.1>");
    assert_eq!(tree.elsewhere[0].path, "/etc/apache2/none.conf");
    assert!(tree.directives.iter().any(|one| one.name == "loadmodule"));
}

#[test]
fn circles_and_open_sections_are_faults() {
    for text in [
        "Include apache2.conf\n",
        "<VirtualHost *>\n",
        "</VirtualHost>\n",
        "<A>\n</B>\n",
    ] {
        assert!(tree(&[("a/apache2.conf", text)]).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn whatever_is_read_has_its_places(lines in proptest::collection::vec(
        prop_oneof![
            Just("<VirtualHost *:443>".to_owned()),
            Just("</VirtualHost>".to_owned()),
            Just("<IfModule !a>".to_owned()),
            Just("</IfModule>".to_owned()),
            Just("Define a ${a}${a}".to_owned()),
            Just("Listen ${a}443 \\".to_owned()),
            Just("Include *".to_owned()),
            "(Listen|ServerName|SSLEngine|Define|Include) \\PC{0,20}",
            "\\PC{0,40}",
        ], 0..30)) {
        let text = lines.join("\n");
        match tree(&[("a/apache2.conf", &text), ("a/b.conf", "Listen 1\n")]) {
            Ok((tree, sources)) => {
                let spans = tree.listens.iter().map(|one| one.span).chain(tree.hosts.iter().map(|one| one.span));
                for span in spans.chain(tree.directives.iter().map(|one| one.span)) {
                    let length = sources.get(span.source).text.len();
                    prop_assert!(span.start < span.end && span.end as usize <= length);
                    prop_assert!(!sources.slice(span).is_empty());
                }
            }
            Err(found) => prop_assert!(!found.is_empty() && found.iter().all(|one| !one.help.is_empty())),
        }
    }
}
