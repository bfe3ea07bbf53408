//! Whole configurations: what is read, chosen, found and written.

mod properties;

use super::*;
use crate::diagnostic::{Diagnostic, Diagnostics, Style, to_text};
use crate::source::{Sources, Span};
use crate::world::Memory;

/// Reads `nginx.conf` of a project whose root is `/etc/nginx`.
fn read_files(files: &[(&str, &str)]) -> Result<(Tree, Sources), Vec<Diagnostic>> {
    let world = Memory::with(files.iter().copied());
    let mut sources = Sources::default();
    let named = sources.add("tlsgen.yaml", "nginx.conf").start();
    let map = PathMap::of_directory("");
    Ok((
        read(&world, &mut sources, "nginx.conf", named, &map)?,
        sources,
    ))
}

fn tree(text: &str) -> (Tree, Sources) {
    read_files(&[("nginx.conf", text)]).unwrap()
}

fn said(files: &[(&str, &str)]) -> String {
    let world = Memory::with(files.iter().copied());
    let mut sources = Sources::default();
    let named = sources.add("tlsgen.yaml", "base: nginx.conf").start();
    let faults = read(
        &world,
        &mut sources,
        "nginx.conf",
        named,
        &PathMap::of_directory(""),
    )
    .unwrap_err();
    let mut found = Diagnostics::default();
    found.extend(faults);
    to_text(&found, &sources, Style::Plain)
}

fn places(sources: &Sources, spans: impl IntoIterator<Item = Span>) -> Vec<String> {
    spans.into_iter().map(|span| sources.place(span)).collect()
}

const TWO: &str = "
events {}
stream { server { listen 443; } }
http {
    map $a $b { server x; default y; }
    include conf.d/*.conf;
    include mime.types;
    server {
        listen 80 default_server;
        server_name Www.Example *.lab.example;
        location / { if ($a) { return 200; } }
    }
}
";

#[test]
fn server_blocks_are_found_through_includes_and_in_http_only() {
    let (tree, sources) = read_files(&[
        ("nginx.conf", TWO),
        ("conf.d/tls.conf", "server { include snippets/tls; }\n"),
        (
            "snippets/tls",
            "listen 443 ssl;\nserver_name www.example;\nssl_certificate a;\n",
        ),
    ])
    .unwrap();
    assert_eq!(tree.level, Level::Main);
    assert_eq!(
        places(&sources, tree.servers.iter().map(|block| block.head)),
        ["conf.d/tls.conf:1", "nginx.conf:8"]
    );
    assert_eq!(
        places(
            &sources,
            tree.servers[0].listens.iter().map(|there| there.span)
        ),
        ["snippets/tls:1"]
    );
    assert!(tree.servers[0].has_certificate() && !tree.servers[1].has_certificate());
    assert_eq!(tree.elsewhere.len(), 1);
    assert_eq!(
        (&*tree.elsewhere[0].text, &*tree.elsewhere[0].path),
        ("mime.types", "/etc/nginx/mime.types")
    );
}

#[test]
fn a_block_is_chosen_or_the_choice_is_shown() {
    let (tree, sources) = tree(TWO);
    assert_eq!(
        sources.place(tree.block_for(&["else"], None).unwrap().head),
        "nginx.conf:8"
    );

    let (tree, sources) = self::tree(
        "server { server_name a.example; }\nserver { server_name *.example; }\nserver { listen 8080; server_name a.example; }\nserver { server_name ~x; }",
    );
    let chosen = |names: &[&str], pinned: Option<&str>| match tree.block_for(names, pinned) {
        Ok(block) => sources.place(block.head),
        Err(undecided) => format!("{:?} {}", undecided.reason, undecided.candidates.len()),
    };
    assert_eq!(chosen(&["B.example"], None), "nginx.conf:2");
    assert_eq!(chosen(&["a.example"], None), "Several 2");
    assert_eq!(chosen(&["other"], None), "NoneServes 4");
    assert_eq!(chosen(&["other"], Some("~x")), "nginx.conf:4");
    assert_eq!(chosen(&["other"], Some("y")), "NotPinned 4");
    let (empty, _) = self::tree("events {}\n");
    assert_eq!(
        empty.block_for(&[], None).unwrap_err().reason,
        Reason::NoBlock
    );
}

#[test]
fn what_would_be_said_twice_is_shown_where_it_stands() {
    let (tree, sources) = tree(
        "ssl_protocols TLSv1.2;
server { server_name git.example .lab.example; ssl_protocols TLSv1.3; location ^~ /a { } }
server { listen *:443 ssl; listen 80; server_name GIT.example; }
server { listen 0.0.0.0:443 default_server; server_name www.lab.example; }
server { listen [::]:443 default_server; server_name git.example; }",
    );
    let conflicts = |block: usize, addition: &Addition<'_>| -> Vec<String> {
        let found = tree.conflicts(&tree.servers[block], addition);
        found
            .iter()
            .map(|one| format!("{:?} {}", one.kind, sources.place(one.there)))
            .collect()
    };
    let listen = |words: &str| Listen::parse(words.split(' ')).unwrap();
    let addition = Addition {
        listens: vec![listen("443 ssl default_server")],
        names: vec!["git.example", "www.lab.example"],
        directives: vec!["ssl_protocols", "add_header"],
        locations: vec![vec!["/a"], vec!["=", "/a"]],
        http: vec!["ssl_protocols", "map"],
        ..Addition::default()
    };
    let any = |port: u16| format!("Ip {{ address: 0.0.0.0, port: {port}, quic: false }}");
    assert_eq!(
        conflicts(0, &addition),
        [
            format!("ImplicitListen({}) nginx.conf:2", any(80)),
            format!("DefaultServer({}) nginx.conf:4", any(443)),
            format!("Tls({}) nginx.conf:4", any(443)),
            format!("Name(\"git.example\", {}) nginx.conf:2", any(443)),
            format!("Name(\"git.example\", {}) nginx.conf:3", any(443)),
            format!("Name(\"www.lab.example\", {}) nginx.conf:4", any(443)),
            "Directive(\"ssl_protocols\") nginx.conf:2".to_owned(),
            "Location(\"/a\") nginx.conf:2".to_owned(),
            "HttpDirective(\"ssl_protocols\") nginx.conf:1".to_owned(),
        ]
    );
    let again = Addition {
        listens: vec![listen("443 ssl")],
        ..Addition::default()
    };
    assert_eq!(
        conflicts(1, &again),
        [
            format!("Listen({}) nginx.conf:3", any(443)),
            format!("Tls({}) nginx.conf:4", any(443))
        ]
    );
    // Names that the block has already are served at the new socket too.
    let six = Addition {
        listens: vec![Listen {
            ssl: true,
            ..listen("[::]:443")
        }],
        ..Addition::default()
    };
    assert_eq!(
        conflicts(1, &six),
        [
            "Tls(Ip { address: ::, port: 443, quic: false }) nginx.conf:5",
            "Name(\"git.example\", Ip { address: ::, port: 443, quic: false }) nginx.conf:5",
        ]
    );
    assert!(conflicts(1, &Addition::default()).is_empty());
}

#[test]
fn the_include_stands_where_it_reads_best() {
    for (before, after) in [
        (
            "server {\n\tlisten 80;\n\t# }\n}\n",
            "server {\n\tlisten 80;\n\t# }\n\t# tlsgen: begin\n\tinclude /etc/x;\n\t# tlsgen: end\n}\n",
        ),
        (
            "  server { listen 80; }",
            "  server { listen 80; # tlsgen: begin\n      include /etc/x;\n      # tlsgen: end\n  }",
        ),
        (
            "http {\r\n  server {\r\n  }\r\n}\r\n",
            "http {\r\n  server {\r\n      # tlsgen: begin\r\n      include /etc/x;\r\n      # tlsgen: end\r\n  }\r\n}\r\n",
        ),
        (
            "server {\n  # tlsgen: begin\n  include old;\n  # tlsgen: end\n  listen 80;\n}\n",
            "server {\n  # tlsgen: begin\n  include /etc/x;\n  # tlsgen: end\n  listen 80;\n}\n",
        ),
    ] {
        let (tree, _) = tree(before);
        assert_eq!(
            with_include(before, &tree.servers[0].place, "/etc/x"),
            after
        );
    }
    for (before, after) in [
        (
            "server {}\n",
            "server {}\n# tlsgen: begin\ninclude /x;\n# tlsgen: end\n",
        ),
        (
            "server {} # end",
            "server {} # end\n# tlsgen: begin\ninclude /x;\n# tlsgen: end",
        ),
        (
            "http {\n}",
            "http {\n    # tlsgen: begin\n    include /x;\n    # tlsgen: end\n}",
        ),
    ] {
        let (tree, _) = tree(before);
        assert_eq!(with_include(before, &tree.http.unwrap(), "/x"), after);
    }
    assert_eq!(word("/a b\"$"), "\"/a b\\\"$\"");
}

#[test]
fn what_a_file_is_shows_in_it() {
    for (text, level, takes_http) in [
        ("events {}", Level::Main, false),
        ("http {}", Level::Main, true),
        ("stream { server { listen 1; } }", Level::Main, false),
        ("server { listen 1; }", Level::Http, true),
        ("map $a $b { }", Level::Http, true),
        ("", Level::Http, true),
        ("listen 443 ssl;", Level::Server, false),
        ("location / { }", Level::Server, false),
    ] {
        let (tree, _) = tree(text);
        assert_eq!(
            (tree.level, tree.http.is_some()),
            (level, takes_http),
            "{text}"
        );
    }
}

#[test]
fn our_own_lines_are_not_taken_for_the_users() {
    let text = "server {\n  # tlsgen: begin\n  include tls.conf;\n  # tlsgen: end\n}\n";
    let (tree, _) = read_files(&[("nginx.conf", text), ("tls.conf", "listen 443 ssl;")]).unwrap();
    assert!(tree.servers[0].listens[0].implicit && tree.elsewhere.is_empty());
}

#[test]
fn faults_are_said_at_the_users_line() {
    for (files, expected) in [
        (
            vec![("nginx.conf", "http {\n  server {\n}\n")],
            "nginx-syntax] nginx.conf:1 this block of `http` is never closed",
        ),
        (
            vec![("nginx.conf", "http {}\n}\n")],
            "nginx-syntax] nginx.conf:2 a `}` too many",
        ),
        (
            vec![("nginx.conf", "http {\n  a \"b\"c;\n}\n")],
            "nginx-syntax] nginx.conf:2 a letter right behind",
        ),
        (
            vec![("nginx.conf", "http {\n listen 80\n}\n")],
            "nginx-syntax] nginx.conf:2 this directive is not ended",
        ),
        (
            vec![("nginx.conf", "user x")],
            "nginx-syntax] nginx.conf:1 the file ends within a directive",
        ),
        (
            vec![("nginx.conf", "\u{feff}user x;")],
            "nginx-syntax] nginx.conf:1 the file begins with a byte-order mark",
        ),
        (
            vec![("nginx.conf", "server {\n\u{a0} listen 80;\n}")],
            "nginx-syntax] nginx.conf:2 a no-break space",
        ),
        (
            vec![("nginx.conf", "# {{ no }}\nserver {\n%{ if x ~}\n}")],
            "nginx-template] nginx.conf:3 `nginx.conf` is a template",
        ),
        (
            vec![("nginx.conf", "server { root {{ root }}; }")],
            "nginx-template] nginx.conf:1 `nginx.conf` is a template",
        ),
        (
            vec![("nginx.conf", "server {\nlisten ${PORT} ssl;\n}")],
            "nginx-template] nginx.conf:2 `nginx.conf` is a template",
        ),
        (
            vec![("nginx.conf", "server {\nserver_name ${NAME};\n}")],
            "nginx-template] nginx.conf:2 `nginx.conf` is a template",
        ),
        (
            vec![("nginx.conf", "a;\ninclude b;"), ("b", "include *.conf;")],
            "nginx-include-circle] b:1 `nginx.conf` includes itself",
        ),
        (
            vec![("other.conf", "")],
            "nginx-file-unreadable] tlsgen.yaml:1 cannot read `nginx.conf`: there is no such file",
        ),
        (
            vec![("nginx.conf", &*"a{".repeat(70))],
            "nginx-too-large] nginx.conf:1 blocks lie in each other",
        ),
    ] {
        let text = said(&files);
        let (code, rest) = expected.split_once(' ').unwrap();
        let (place, message) = rest.split_once(' ').unwrap();
        let right = text.contains(&format!("error[{code}: {message}"))
            && text.contains(&format!("--> {place}:"));
        assert!(right, "{expected}\n{text}");
    }
}

#[test]
fn hostile_texts_are_read_in_bounded_time() {
    let many = 200_000;
    for text in [
        "a;".repeat(many),
        "a".repeat(many),
        "{".repeat(many),
        "server{".repeat(many),
        "#\n".repeat(many),
        "# tlsgen: begin\n".repeat(many),
        "# tlsgen: begin\na;\n# tlsgen: end\n".repeat(many),
        "include *;\n".repeat(2000),
        "x_by_lua_block {".to_owned() + &"[=".repeat(many),
        "\\".repeat(many),
        "listen 1-65535;".repeat(many),
        format!("server {{ {} }}", "listen 1-65535;".repeat(900)),
    ] {
        let _ = read_files(&[("nginx.conf", &text)]);
    }
    let doubling: Vec<(String, String)> = (0..30)
        .map(|n| {
            (
                format!("f{n}"),
                format!("include f{m};\n", m = n + 1).repeat(2),
            )
        })
        .collect();
    let mut files: Vec<(&str, &str)> = doubling
        .iter()
        .map(|(path, text)| (&**path, &**text))
        .collect();
    files.extend([("f30", "a;"), ("nginx.conf", "include f0;")]);
    assert!(said(&files).contains("nginx-too-large"));
}
