//! What holds for every text.

use proptest::prelude::*;

use super::{read_files, tree};
use crate::nginx::{Body, Directive, Lexer, Place, with_include, with_includes, without_marks};

/// Texts made of what the rules tell apart.
fn nasty() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(vec![
        " ",
        "\t",
        "\n",
        "\r\n",
        "\r",
        "a",
        "server",
        "listen",
        "80",
        ";",
        "{",
        "}",
        "\"",
        "'",
        "\\",
        "$",
        "${",
        "#",
        ")",
        "=",
        "~",
        "é",
        "\u{a0}",
        "include",
        "x_by_lua_block",
        "--[[",
        "]]",
        "[[",
        "# tlsgen: begin\n",
        "# tlsgen: end\n",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// Configurations that can be read, laid out in every way.
fn configuration() -> impl Strategy<Value = String> {
    let space = || {
        prop::sample::select(vec![
            "",
            " ",
            "\n",
            "\r\n",
            "\t",
            "\n\t",
            " # }\n",
            "#\r\n",
            "\n  # x {\n    ",
        ])
    };
    let word = prop::sample::select(vec![
        "a", "\"b {\"", "'c;#'", "\\;", "${d}", "e#f", "listen", "~^x",
    ]);
    let statement =
        (word, space(), space()).prop_map(|(word, one, two)| format!("{word} x{one};{two}"));
    let statement = statement.boxed();
    let block = (
        prop::collection::vec(statement.clone(), 0..4),
        space(),
        space(),
        space(),
    )
        .prop_map(|(inside, one, two, three)| {
            format!("server {{{one}{}{two}}}{three}", inside.concat())
        });
    let inside = prop::collection::vec(prop_oneof![statement.clone(), block], 1..4)
        .prop_map(|parts| parts.concat());
    let http = (inside.clone(), space(), space())
        .prop_map(|(inside, one, two)| format!("http {{{one}{inside}}}{two}"));
    prop_oneof![inside, http]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_pieces_are_the_text(text in prop_oneof![nasty(), configuration(), any::<String>()]) {
        let mut lexer = Lexer::new(&text);
        let mut joined = String::new();
        let end = loop {
            match lexer.token() {
                Ok(Some(token)) => joined.push_str(&text[token.range]),
                Ok(None) => break text.len(),
                Err(fault) => break fault.range.start.min(joined.len()),
            }
        };
        prop_assert!(text.starts_with(&joined) && joined.len() >= end);
    }

    #[test]
    fn no_text_is_too_much(text in prop_oneof![nasty(), any::<String>()]) {
        if let Ok((tree, _)) = read_files(&[("nginx.conf", &text)]) {
            for place in tree.http.iter().chain(tree.servers.iter().map(|block| &block.place)) {
                // What is there is kept, and a second time changes nothing.
                let once = with_include(&text, place, "/x");
                let again = super::tree(&once).0;
                let same = again.http.iter().chain(again.servers.iter().map(|block| &block.place))
                    .find(|again| again.span.start == place.span.start && again.whole_file == place.whole_file);
                if let Some(same) = same {
                    prop_assert_eq!(with_include(&once, same, "/x"), once);
                }
            }
        }
    }

    #[test]
    fn an_include_adds_itself_and_nothing_else(text in configuration()) {
        let (tree, _) = tree(&text);
        let all: Vec<&Place> = tree.http.iter().chain(tree.servers.iter().map(|block| &block.place)).collect();
        let singles = all.iter().map(|place| vec![(*place, "/etc/tlsgen/a b")]);
        let together = all.iter().map(|place| (*place, "/etc/tlsgen/a b")).collect();
        for includes in singles.chain([together]) {
            let edited = with_includes(&text, &includes);
            let (again, _) = super::tree(&edited);
            prop_assert_eq!(without_marks(&edited, &again.files[0].body), text.clone());
            prop_assert_eq!(statements(&again.files[0].body), statements(&tree.files[0].body), "{}", edited);
            let mut marked = 0;
            marks(&again.files[0].body, &mut marked);
            prop_assert_eq!(marked, includes.len());
            // In the right places: each has an include that is its own.
            let places = again.http.iter().chain(again.servers.iter().map(|block| &block.place));
            prop_assert_eq!(places.filter(|place| !place.marks.is_empty()).count(), includes.len());
        }
    }
}

fn statements(body: &Body) -> Vec<String> {
    let words = |directive: &Directive| {
        let inside = directive.block.as_ref().map(statements).unwrap_or_default();
        format!(
            "{} {:?} {inside:?}",
            directive.name.text,
            directive.values().collect::<Vec<_>>()
        )
    };
    body.theirs().map(words).collect()
}

fn marks(body: &Body, count: &mut usize) {
    *count += body.marks.len();
    body.directives
        .iter()
        .filter_map(|directive| directive.block.as_ref())
        .for_each(|block| marks(block, count));
}
