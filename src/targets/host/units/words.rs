//! How systemd reads the words of a setting (systemd.syntax(7), "Quoting").

/// The words of a line: quotes taken off and escapes decoded; specifiers stay what they are.
pub fn words(line: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (word, after) = word(rest);
        all.push(word);
        rest = after.trim_start();
    }
    all
}

/// The first word, and what stands behind it.
fn word(text: &str) -> (String, &str) {
    let mut word = String::new();
    let mut quote = None;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match (quote, character) {
            (None, _) if character.is_whitespace() => return (word, &text[at..]),
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), _) if character == open => quote = None,
            (_, '\\') => {
                let (decoded, length) = escape(&text[at + 1..]);
                word.push_str(&decoded);
                for _ in 0..length {
                    characters.next();
                }
            }
            _ => word.push(character),
        }
    }
    (word, "")
}

/// What a backslash and the characters behind it mean, and how many those are.
fn escape(text: &str) -> (String, usize) {
    let Some(first) = text.chars().next() else {
        return (String::new(), 0);
    };
    let number = |from: usize, digits: usize, base: u32| {
        let digits = text.get(from..from + digits)?;
        char::from_u32(u32::from_str_radix(digits, base).ok()?)
    };
    let one = |decoded: char| (decoded.to_string(), 1);
    let several =
        |decoded: Option<char>, length| decoded.map(|character| (character.to_string(), length));
    let decoded = match first {
        'a' => Some(one('\u{7}')),
        'b' => Some(one('\u{8}')),
        'f' => Some(one('\u{c}')),
        'n' => Some(one('\n')),
        'r' => Some(one('\r')),
        't' => Some(one('\t')),
        'v' => Some(one('\u{b}')),
        's' => Some(one(' ')),
        '\\' | '"' | '\'' => Some(one(first)),
        'x' => several(number(1, 2, 16), 3),
        'u' => several(number(1, 4, 16), 5),
        'U' => several(number(1, 8, 16), 9),
        '0'..='7' => several(number(0, 3, 8), 3),
        _ => None,
    };
    // What is no escape stays, with its backslash.
    decoded.unwrap_or_else(|| (format!("\\{first}"), 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::words;
    use crate::render::systemd;

    proptest! {
        #[test]
        fn what_is_quoted_is_read(texts in prop::collection::vec("[ab \\\\\"'%$;\n\t\u{e9}]{0,9}", 0..5)) {
            let quoted: Result<Vec<String>, String> =
                texts.iter().map(|text| systemd::quote_specified(text)).collect();
            prop_assert_eq!(words(&quoted.unwrap().join(" ")), texts);
        }

        #[test]
        fn no_line_is_too_odd(line in any::<String>()) {
            words(&line);
        }
    }

    #[test]
    fn words_are_those_of_the_manual() {
        let line = r#"  "A=x y" B='q "r"' C=\x41\tz D=a\\b "" E=%h\q"#;
        let read = ["A=x y", "B=q \"r\"", "C=A\tz", "D=a\\b", "", "E=%h\\q"];
        assert_eq!(words(line), read);
    }
}
