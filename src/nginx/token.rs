//! The words, signs, spaces and comments of a configuration file, by nginx's own rules.
//!
//! They follow `ngx_conf_read_token` (nginx 1.30, `src/core/ngx_conf_file.c`) branch by branch: a
//! quote, a `#` and a `}` mean something at the start of a word only, `${` opens no block, and a
//! backslash protects the byte behind it. What the tokens cover, one after the other, is the text.

use std::ops::Range;

/// The most bytes that nginx reads of one word or comment, the sign that ends it included.
pub const LONGEST: usize = 4096;

/// What a piece of the text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Blanks and line breaks.
    Space,
    /// From `#` to before the line break.
    Comment,
    /// A word, with its quotes.
    Word,
    /// `;`
    Semicolon,
    /// `{`
    Open,
    /// `}`
    Close,
    /// What stands between the braces of a block of another language.
    Raw,
}

/// A piece of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Its bytes.
    pub range: Range<usize>,
}

/// Where the words cannot be told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The bytes to look at.
    pub range: Range<usize>,
    /// What is wrong with them.
    pub kind: FaultKind,
}

/// Why the words cannot be told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// Something other than a space, `;`, `{` or `)` right behind a closing quote.
    BehindQuote,
    /// A word of more than [`LONGEST`] bytes.
    LongWord,
    /// A quote that no other closes within [`LONGEST`] bytes.
    LongQuote,
    /// A comment of more than [`LONGEST`] bytes.
    LongComment,
    /// A quote that is never closed.
    OpenQuote,
    /// A block of another language that is never closed.
    OpenRaw,
}

/// Reads a text piece by piece.
#[derive(Debug)]
pub struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    /// At the start of a text.
    pub fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// The next piece, or none at the end.
    ///
    /// # Errors
    /// As [`FaultKind`] lists them.
    pub fn token(&mut self) -> Result<Option<Token>, Fault> {
        let start = self.at;
        let Some(byte) = self.byte(start) else {
            return Ok(None);
        };
        let kind = match byte {
            b';' => self.sign(Kind::Semicolon),
            b'{' => self.sign(Kind::Open),
            b'}' => self.sign(Kind::Close),
            b'#' => self.comment()?,
            b'"' | b'\'' => self.quoted(byte)?,
            byte if is_space(byte) => {
                while self.byte(self.at).is_some_and(is_space) {
                    self.at += 1;
                }
                Kind::Space
            }
            _ => self.bare()?,
        };
        Ok(Some(Token {
            kind,
            range: start..self.at,
        }))
    }

    /// The inside of a block of Lua, up to before its `}`; call it behind the `{`.
    ///
    /// # Errors
    /// When the block is never closed.
    pub fn raw(&mut self) -> Result<Token, Fault> {
        let start = self.at;
        let end = super::lua::end_of_block(self.text, start);
        self.at = end.ok_or(Fault {
            range: start.saturating_sub(1)..start,
            kind: FaultKind::OpenRaw,
        })?;
        Ok(Token {
            kind: Kind::Raw,
            range: start..self.at,
        })
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn sign(&mut self, kind: Kind) -> Kind {
        self.at += 1;
        kind
    }

    /// The byte to be looked at next, of what began at `start`.
    fn within(&self, start: usize, long: FaultKind) -> Result<Option<u8>, Fault> {
        let byte = self.byte(self.at);
        if byte.is_some() && self.at - start >= LONGEST {
            let shown = self.text.floor_char_boundary(start + 10);
            return Err(Fault {
                range: start..shown,
                kind: long,
            });
        }
        Ok(byte)
    }

    fn comment(&mut self) -> Result<Kind, Fault> {
        let start = self.at;
        while self
            .within(start, FaultKind::LongComment)?
            .is_some_and(|byte| byte != b'\n')
        {
            self.at += 1;
        }
        Ok(Kind::Comment)
    }

    fn quoted(&mut self, quote: u8) -> Result<Kind, Fault> {
        let open = self.at;
        self.at += 1;
        let start = self.at;
        loop {
            match self.within(start, FaultKind::LongQuote)? {
                None => {
                    return Err(Fault {
                        range: open..start,
                        kind: FaultKind::OpenQuote,
                    });
                }
                Some(b'\\') => {
                    self.at += 1;
                    if self.within(start, FaultKind::LongQuote)?.is_some() {
                        self.at += 1;
                    }
                }
                Some(byte) => {
                    self.at += 1;
                    if byte == quote {
                        break;
                    }
                }
            }
        }
        let behind = self.within(start, FaultKind::LongQuote)?;
        if behind.is_some_and(|byte| !is_space(byte) && !matches!(byte, b';' | b'{' | b')')) {
            return Err(Fault {
                range: self.at..self.text.ceil_char_boundary(self.at + 1),
                kind: FaultKind::BehindQuote,
            });
        }
        Ok(Kind::Word)
    }

    fn bare(&mut self) -> Result<Kind, Fault> {
        let start = self.at;
        let mut variable = false;
        while let Some(byte) = self.within(start, FaultKind::LongWord)? {
            match byte {
                // `${`; nginx takes `${{` for the same.
                b'{' if variable => {}
                b'\\' => {
                    variable = false;
                    self.at += 1;
                    if self.within(start, FaultKind::LongWord)?.is_none() {
                        break;
                    }
                }
                b'$' => variable = true,
                byte if is_space(byte) || matches!(byte, b';' | b'{') => break,
                _ => variable = false,
            }
            self.at += 1;
        }
        Ok(Kind::Word)
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// What a word means: without its quotes, and with the backslashes that nginx takes away, be it
/// quoted or not: before quotes and backslashes, and before `t`, `r` and `n`.
pub fn meaning(word: &str) -> String {
    let inner = match word.as_bytes() {
        [quote @ (b'"' | b'\''), .., end] if quote == end => word.get(1..word.len() - 1),
        _ => None,
    };
    let inner = inner.unwrap_or(word);
    let mut meaning = String::with_capacity(inner.len());
    let mut letters = inner.chars().peekable();
    while let Some(letter) = letters.next() {
        let decoded = match (letter, letters.peek()) {
            ('\\', Some(&next @ ('"' | '\'' | '\\'))) => Some(next),
            ('\\', Some('t')) => Some('\t'),
            ('\\', Some('r')) => Some('\r'),
            ('\\', Some('n')) => Some('\n'),
            _ => None,
        };
        if decoded.is_some() {
            letters.next();
        }
        meaning.push(decoded.unwrap_or(letter));
    }
    meaning
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Result<Vec<Token>, Fault> {
        let mut lexer = Lexer::new(text);
        let mut all = Vec::new();
        while let Some(token) = lexer.token()? {
            all.push(token);
        }
        Ok(all)
    }

    fn words(text: &str) -> Vec<String> {
        let words = pieces(text).unwrap().into_iter();
        words
            .filter(|token| token.kind == Kind::Word)
            .map(|token| meaning(&text[token.range]))
            .collect()
    }

    #[test]
    fn words_are_as_nginx_reads_them() {
        for (text, expected) in [
            ("a\"b\" c#d;", vec!["a\"b\"", "c#d"]),
            (r#""a\"b\\c\.d" 'e"f'"#, vec![r#"a"b\c\.d"#, "e\"f"]),
            (r"a\ b\;c \t", vec![r"a\ b\;c", "\t"]),
            ("${a}b $c{", vec!["${a}b", "$c"]),
            ("a}b; '' \"x\")", vec!["a}b", "", "x", ")"]),
            ("~^/a{1,3}", vec!["~^/a", "1,3}"]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn what_nginx_does_not_read_is_a_fault() {
        for (text, kind) in [
            ("a \"b\"c", FaultKind::BehindQuote),
            ("a 'b", FaultKind::OpenQuote),
            (&"x".repeat(LONGEST + 1), FaultKind::LongWord),
            (
                &format!("'{}", "x".repeat(LONGEST + 1)),
                FaultKind::LongQuote,
            ),
            (
                &format!("#{}\n", "x".repeat(LONGEST - 1)),
                FaultKind::LongComment,
            ),
        ] {
            assert_eq!(pieces(text).unwrap_err().kind, kind);
        }
        assert!(pieces(&format!("#{}\n", "x".repeat(LONGEST - 2))).is_ok());
    }
}
