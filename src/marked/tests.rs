use proptest::prelude::*;

use super::*;

/// Lines, line breaks, markers, and what is nearly one.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "*.key\n",
        "a\r\n",
        "\n",
        "\r",
        "# tlsgen:begin\n",
        "#  tlsgen: begin",
        "é",
        "\u{feff}",
    ]);
    let raw = prop::collection::vec(any::<u8>().prop_filter("no text", |byte| *byte != 0), 0..4);
    let piece = prop_oneof![3 => piece.prop_map(|text| text.as_bytes().to_vec()), 1 => raw];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn blocks() -> impl Strategy<Value = String> {
    prop::collection::vec("[ -~é]{0,6}", 0..4)
        .prop_map(|lines| lines.iter().map(|line| format!("{line}\n")).collect())
}

proptest! {
    #[test]
    fn what_is_not_ours_stays_whatever_is_put(text in texts(), first in blocks(), second in blocks()) {
        let line_break = line_break(&text);
        let mut ended = text.clone();
        if !matches!(text.last(), None | Some(b'\n')) {
            ended.extend(line_break);
        }
        let one = put(&text, first.as_bytes()).expect("put");
        prop_assert!(one.starts_with(&ended));
        prop_assert_eq!(block(&one), Ok(Some(first.clone().into_bytes())));
        let two = put(&one, second.as_bytes()).expect("put again");
        prop_assert_eq!(block(&two), Ok(Some(second.into_bytes())));
        prop_assert_eq!(put(&two, first.as_bytes()).expect("and back"), one);
        prop_assert_eq!(without(&two), Ok(ended));
        prop_assert_eq!(block(&text), Ok(None));
    }

    /// A block in the middle: both sides stay, and its line breaks are those of its marker.
    #[test]
    fn both_sides_stay(before in "([a-c]{0,3}\r?\n){0,3}", after in "([a-c]{0,3}\r?\n){0,3}[a-c]?", block in blocks(), crlf: bool) {
        let line_break = if crlf { "\r\n" } else { "\n" };
        let text = format!("{before}{BEGIN}{line_break}old{line_break}  {END} {line_break}{after}");
        let written = put(text.as_bytes(), block.as_bytes()).expect("put");
        let written = String::from_utf8(written).expect("text");
        let parts = split(&written).expect("one block");
        prop_assert_eq!((parts.before, parts.after), (&*before, &*after));
        let inside = parts.block.expect("there");
        prop_assert_eq!(inside.matches("\r\n").count(), if crlf { inside.matches('\n').count() } else { 0 });
        prop_assert_eq!(without(written.as_bytes()), Ok((before + &after).into_bytes()));
    }

    #[test]
    fn no_bytes_make_it_panic(pieces in prop::collection::vec(prop::sample::select(vec!["# tlsgen: begin", "# tlsgen: end", "\n", "\r\n", "x", " ", "\0"]), 0..12)) {
        let text = pieces.concat();
        if let Ok(found) = find(text.as_bytes()) {
            let parts = split(&text).expect("as found");
            prop_assert_eq!(parts.block.is_some(), found.is_some());
            prop_assert_eq!(without(text.as_bytes()), Ok((parts.before.to_owned() + parts.after).into_bytes()));
        }
    }
}

#[test]
fn markers_that_are_no_pair_are_said_with_their_line() {
    let (begin, end) = (BEGIN, END);
    let cases = [
        (format!("a\n{begin}\nb\n"), Fault::NoEnd { line: 2 }),
        (format!("a\n{end}\n"), Fault::NoBegin { line: 2 }),
        (format!("{end}\n{begin}\n"), Fault::NoBegin { line: 1 }),
        (
            format!("{begin}\n{end}\n\n{end}"),
            Fault::NoBegin { line: 4 },
        ),
        (
            format!("{begin}\n{begin}\n{end}\n"),
            Fault::Second { line: 2, first: 1 },
        ),
        (
            format!("{begin}\n{end}\n{begin}\n{end}\n"),
            Fault::Second { line: 3, first: 1 },
        ),
        (format!("{begin}\n\0{end}\n"), Fault::NotText),
    ];
    for (text, fault) in cases {
        assert_eq!(find(text.as_bytes()), Err(fault), "{text}");
        assert_eq!(put(text.as_bytes(), b""), Err(fault), "{text}");
    }
    for lines in [
        format!("{begin}\n"),
        format!("a\n {end}\n"),
        "a\r\n".into(),
        "a".into(),
    ] {
        assert_eq!(
            put(b"x\n", lines.as_bytes()),
            Err(Fault::Unwritable),
            "{lines}"
        );
    }
    assert_eq!(
        put(b"\xef\xbb\xbf", b"a\n"),
        Ok(format!("\u{feff}\n{begin}\na\n{end}\n").into_bytes())
    );
    let marked = format!("\u{feff}{begin}\n{end}");
    assert_eq!(
        find(marked.as_bytes()).map(|place| place.map(|place| place.whole.start)),
        Ok(Some(3))
    );
}
