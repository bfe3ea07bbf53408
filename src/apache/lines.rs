//! From text to lines of words, as Apache takes them apart.

use std::ops::Range;

/// A line that says something, continued ones joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its bytes, without the blanks around it.
    pub range: Range<usize>,
    /// Its text, without the backslashes that join it.
    pub text: String,
}

/// The lines of a text that are neither empty nor comments.
#[derive(Debug, Clone)]
pub struct Lines<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lines<'t> {
    /// All lines of a text.
    pub fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }
}

impl Iterator for Lines<'_> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        loop {
            let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
            let start = self.at;
            let (mut joined, mut end) = (String::new(), start);
            for whole in rest.split_inclusive('\n') {
                let line = whole.trim_end_matches(['\n', '\r']);
                self.at += whole.len();
                end = self.at - whole.len() + line.len();
                match line.strip_suffix('\\') {
                    Some(open) => joined.push_str(open),
                    None => {
                        joined.push_str(line);
                        break;
                    }
                }
            }
            let text = joined.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let raw = self.text.get(start..end).unwrap_or_default();
            let begin = start + raw.len() - raw.trim_start().len();
            return Some(Line {
                range: begin..start + raw.trim_end().len(),
                text: text.to_owned(),
            });
        }
    }
}

/// The words of a line: apart by blanks, or in quotes, where a backslash stands before a quote and
/// before itself.
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut letters = text.chars().peekable();
    loop {
        while letters
            .next_if(|letter| letter.is_ascii_whitespace())
            .is_some()
        {}
        let Some(first) = letters.next() else {
            return words;
        };
        let mut word = String::new();
        let quote = matches!(first, '"' | '\'').then_some(first);
        let mut next = match quote {
            Some(_) => letters.next(),
            None => Some(first),
        };
        while let Some(letter) = next {
            match quote {
                Some(quote) if letter == quote => break,
                Some(quote) if letter == '\\' => {
                    let escaped = letters.next_if(|next| *next == quote || *next == '\\');
                    word.push(escaped.unwrap_or('\\'));
                }
                None if letter.is_ascii_whitespace() => break,
                _ => word.push(letter),
            }
            next = letters.next();
        }
        words.push(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_taken_apart_as_apache_does() {
        for (text, expected) in [
            (r#"ServerName "a b" c"#, vec!["ServerName", "a b", "c"]),
            (
                r#"Header set A "x\"y\\z\q""#,
                vec!["Header", "set", "A", r#"x"y\z\q"#],
            ),
            (r"Alias /a C:\b", vec!["Alias", "/a", r"C:\b"]),
            ("A '' b", vec!["A", "", "b"]),
            ("A \"b", vec!["A", "b"]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn lines_are_joined_and_have_their_places() {
        let text = "# a \\\nListen 1\n  Listen \\\n 443  \r\n\nX";
        let lines: Vec<Line> = Lines::new(text).collect();
        let all: Vec<(&str, &str)> = lines
            .iter()
            .map(|line| (line.text.as_str(), &text[line.range.clone()]))
            .collect();
        assert_eq!(all, [("Listen  443", "Listen \\\n 443"), ("X", "X")]);
    }
}
