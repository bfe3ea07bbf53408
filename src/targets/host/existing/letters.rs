//! Letters that look like others: they come with text that is copied out of a web page.

use super::Reader;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::{Source, SourceId};

pub static LETTER: Code = Code {
    name: "letter-looks-like-another",
    severity: Severity::Error,
    summary: "a file of a machine has no-break spaces or typographic quotes where plain ones belong",
    manual: include_str!("manual/letter-looks-like-another.md"),
};

impl Reader<'_> {
    /// Judges the texts that were read since it was called last.
    pub(super) fn letters_since(&mut self) {
        let all = self.sources.iter().count();
        let fresh = self.sources.iter().skip(self.judged);
        let found: Vec<Diagnostic> = fresh.filter_map(|(id, source)| fault(id, source)).collect();
        self.found.extend(found);
        self.judged = all;
    }
}

/// The first such letter of a text: who mends one mends all.
fn fault(id: SourceId, source: &Source) -> Option<Diagnostic> {
    let (at, letter) = first(&source.text)?;
    let span = id.span(at..at + letter.len_utf8());
    let name = &source.name;
    let (what, does, instead) = match letter {
        '\u{a0}' => (
            "no-break space",
            "not a space but a letter of the word",
            "a space",
        ),
        '\u{feff}' | '\u{200b}' => ("letter that nobody sees", "a letter of the word", "nothing"),
        '\'' | '‘' | '’' | '‚' => ("typographic quote", "not a quote but a letter", "`'`"),
        _ => ("typographic quote", "not a quote but a letter", "`\"`"),
    };
    let code = letter as u32;
    let message =
        format!("a {what} (U+{code:04X}) in `{name}`: to the program that reads it, it is {does}");
    Some(
        Diagnostic::new(&LETTER, span, message).help(format!(
            "type {instead} in its place, here and wherever else the text was copied from a page: `grep -nP '[\\x{{A0}}\\x{{200B}}\\x{{FEFF}}\\x{{2018}}-\\x{{201F}}]' FILE` finds them"
        )),
    )
}

fn first(text: &str) -> Option<(usize, char)> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if let Some((at, letter)) = in_line(line) {
            return Some((start + at, letter));
        }
        start += line.len();
    }
    None
}

/// The first such letter that is no comment's and stands in no plain quotes.
fn in_line(line: &str) -> Option<(usize, char)> {
    let (mut quote, mut before) = (None, ' ');
    for (at, letter) in line.char_indices() {
        let begins = before.is_whitespace() || matches!(before, '=' | '(' | ';' | '{' | ',');
        match letter {
            '#' if quote.is_none() && begins => return None,
            ';' if line.get(..at).is_some_and(|head| head.trim().is_empty()) => return None,
            '"' | '\'' => match quote {
                Some(open) if open == letter => quote = None,
                None if begins => quote = Some(letter),
                _ => {}
            },
            '\u{a0}' | '\u{feff}' | '\u{200b}' if quote.is_none() => return Some((at, letter)),
            '‘' | '’' | '‚' | '“' | '”' | '„' if quote.is_none() && begins => {
                return Some((at, letter));
            }
            _ => {}
        }
        before = letter;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_found_where_they_matter() {
        for (text, expected) in [
            ("ssl_certificate\u{a0}/a;\n", Some('\u{a0}')),
            ("30 2 * * 1\u{a0}root /bin/true\n", Some('\u{a0}')),
            ("ServerName “a.example”\n", Some('“')),
            ("# it’s a\u{a0}comment\n", None),
            ("a; # it’s a\u{a0}comment\n", None),
            ("return 200 'it’s\u{a0}there';\n", None),
            ("return 200 it’s;\n", None),
        ] {
            assert_eq!(first(text).map(|(_, letter)| letter), expected, "{text}");
        }
    }
}
