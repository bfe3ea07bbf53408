//! Scripts and configuration of Nextflow, as far as their words: what is no comment, and what is a text.

use std::ops::Range;

/// A word of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token<'t> {
    /// A name.
    Name(&'t str),
    /// A text in quotes, without them; `None` where it has a value in it.
    Text(Option<&'t str>),
    /// Anything else but blanks: one character.
    Sign(char),
    /// The end of a line.
    Line,
}

/// Every word, with its place.
pub fn tokens(text: &str) -> Vec<(Token<'_>, Range<usize>)> {
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let (token, length) = token(&text[at..], first);
        if let Some(token) = token {
            all.push((token, at..at + length));
        }
        at += length;
    }
    all
}

/// The word at the beginning, if it counts, and its length.
fn token(rest: &str, first: char) -> (Option<Token<'_>>, usize) {
    if first == '\n' {
        return (Some(Token::Line), 1);
    }
    if rest.starts_with("//") || rest.starts_with("#!") {
        return (None, rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (None, rest.find("*/").map_or(rest.len(), |end| end + 2));
    }
    // A pattern, whose quotes and braces are no others.
    if rest.starts_with("~/") {
        let line = rest.find('\n').unwrap_or(rest.len());
        let end = rest[2..line].find('/').map_or(2, |end| end + 3);
        return (Some(Token::Text(None)), end);
    }
    if matches!(first, '\'' | '"') {
        return quoted(rest, first);
    }
    if first.is_alphabetic() || matches!(first, '_' | '$') {
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
        let end = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
        return (Some(Token::Name(&rest[..end])), end);
    }
    let blank = first.is_whitespace();
    ((!blank).then_some(Token::Sign(first)), first.len_utf8())
}

/// A text with one quote at each side or three; one that does not end goes to the end of the line, or of
/// everything.
fn quoted(rest: &str, quote: char) -> (Option<Token<'_>>, usize) {
    let three: String = std::iter::repeat_n(quote, 3).collect();
    let (mark, whole) = match rest.starts_with(&three) {
        true => (three.as_str(), rest),
        false => (&three[..1], &rest[..rest.find('\n').unwrap_or(rest.len())]),
    };
    let mut escaped = false;
    for (index, c) in whole.char_indices().skip(mark.len()) {
        if !escaped && whole[index..].starts_with(mark) {
            let inside = &whole[mark.len()..index];
            let plain = !inside.contains('\\') && (quote == '\'' || !inside.contains('$'));
            return (
                Some(Token::Text(plain.then_some(inside))),
                index + mark.len(),
            );
        }
        escaped = !escaped && c == '\\';
    }
    (Some(Token::Text(None)), whole.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::{Token, tokens};

    #[test]
    fn comments_and_texts_are_told_from_words() {
        let text = "// secret 'A'\nsecret 'B' /* 'C' */ + \"$D\" ~/['{]/ '''e\n'''";
        let words: Vec<Token<'_>> = tokens(text).into_iter().map(|(token, _)| token).collect();
        assert_eq!(
            words,
            [
                Token::Line,
                Token::Name("secret"),
                Token::Text(Some("B")),
                Token::Sign('+'),
                Token::Text(None),
                Token::Text(None),
                Token::Text(Some("e\n")),
            ]
        );
    }

    proptest! {
        #[test]
        fn every_text_is_read_to_its_end(text in "([a-z{}$ ~/*'\"\\\\\n]|\\PC){0,60}") {
            let mut end = 0;
            for (_, range) in tokens(&text) {
                prop_assert!(range.start >= end && text.get(range.clone()).is_some_and(|word| !word.is_empty()));
                end = range.end;
            }
        }
    }
}
