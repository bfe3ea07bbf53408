//! Patterns with wildcards, whoever's grammar they are written in.
//!
//! A text is matched in time proportional to its length times the pattern's: nothing backtracks.

/// One piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// This character.
    One(char),
    /// One character, no slash.
    Any,
    /// One character of ranges, or of none of them.
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
        /// Whether it may be a slash.
        slash: bool,
    },
    /// Any number of characters without a slash.
    Star,
    /// Any number of characters.
    Deep,
    /// The next two pieces may be left out: before [`Token::Deep`] and a slash.
    Optional,
    /// Nothing.
    Never,
}

/// A pattern.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Glob {
    tokens: Vec<Token>,
    /// The fewest characters that it matches.
    shortest: usize,
}

impl Glob {
    pub(super) fn new(tokens: Vec<Token>) -> Self {
        let mut shortest = 0;
        let mut rest = tokens.as_slice();
        while let [token, after @ ..] = rest {
            rest = after;
            match token {
                Token::Optional => rest = after.get(2..).unwrap_or_default(),
                Token::Star | Token::Deep => {}
                _ => shortest += 1,
            }
        }
        Self { tokens, shortest }
    }

    pub(super) fn into_tokens(self) -> Vec<Token> {
        self.tokens
    }

    /// Whether it matches the whole text.
    pub(super) fn matches(&self, text: &[char]) -> bool {
        if self.shortest > text.len() {
            return false;
        }
        // The places in the pattern that what was read so far can have led to.
        let mut here = vec![false; self.tokens.len() + 1];
        let mut next = here.clone();
        self.enter(0, &mut here);
        for c in text {
            next.fill(false);
            for (at, token) in self.tokens.iter().enumerate() {
                if here.get(at) == Some(&true) && token.takes(*c) {
                    let stays = matches!(token, Token::Star | Token::Deep);
                    self.enter(if stays { at } else { at + 1 }, &mut next);
                }
            }
            std::mem::swap(&mut here, &mut next);
        }
        here.last() == Some(&true)
    }

    /// Marks a place and those that are reached from it without a character.
    fn enter(&self, mut at: usize, places: &mut [bool]) {
        loop {
            match places.get_mut(at) {
                None | Some(true) => return,
                Some(place) => *place = true,
            }
            match self.tokens.get(at) {
                Some(Token::Optional) => self.enter(at + 3, places),
                Some(Token::Star | Token::Deep) => {}
                _ => return,
            }
            at += 1;
        }
    }
}

impl Token {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::One(one) => *one == c,
            Self::Any | Self::Star => c != '/',
            Self::Deep => true,
            Self::Set {
                negated,
                ranges,
                slash,
            } => {
                let within = ranges.iter().any(|(low, high)| (*low..=*high).contains(&c));
                within != *negated && (c != '/' || *slash)
            }
            Self::Optional | Self::Never => false,
        }
    }
}

/// A pattern of Go's `path/filepath.Match`, which has `*`, `?`, `[…]` and `\`.
///
/// `None` for what Go refuses as no pattern.
pub(super) fn go(pattern: &str) -> Option<Glob> {
    let mut tokens = Vec::new();
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        tokens.push(match c {
            '*' => Token::Star,
            '?' => Token::Any,
            '\\' => Token::One(rest.next()?),
            '[' => go_set(&mut rest)?,
            c => Token::One(c),
        });
    }
    Some(Glob::new(tokens))
}

/// What follows the `[` of a set in Go. Unlike elsewhere `!` negates nothing.
pub(super) fn go_set(rest: &mut std::str::Chars<'_>) -> Option<Token> {
    let negated = rest.as_str().starts_with('^');
    if negated {
        rest.next();
    }
    let mut ranges = Vec::new();
    loop {
        if rest.as_str().starts_with(']') && !ranges.is_empty() {
            rest.next();
            break;
        }
        let low = go_member(rest)?;
        let high = match rest.as_str().starts_with('-') {
            true => {
                rest.next();
                go_member(rest)?
            }
            false => low,
        };
        ranges.push((low, high));
    }
    Some(Token::Set {
        negated,
        ranges,
        slash: true,
    })
}

fn go_member(rest: &mut std::str::Chars<'_>) -> Option<char> {
    match rest.next()? {
        '-' | ']' => None,
        '\\' => rest.next(),
        c => Some(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_patterns_match_as_go_documents() {
        let matches = |pattern, text: &str| {
            go(pattern).map(|glob| glob.matches(&text.chars().collect::<Vec<_>>()))
        };
        for (pattern, text) in [
            ("*.pem", "a.pem"),
            ("k?y", "kéy"),
            ("[^a-c]x", "dx"),
            ("\\*", "*"),
            ("a/*/c", "a/b/c"),
            ("**", "ab"),
            ("[!a]", "!"),
        ] {
            assert_eq!(matches(pattern, text), Some(true), "{pattern}");
        }
        for (pattern, text) in [
            ("*", "a/b"),
            ("?", "/"),
            ("[^a]", "a"),
            ("a", "ab"),
            ("", "a"),
        ] {
            assert_eq!(matches(pattern, text), Some(false), "{pattern}");
        }
        for pattern in ["[", "[]", "[a", "[]a]", "[-a]", "[a-]", "\\", "a["] {
            assert_eq!(matches(pattern, "a"), None, "{pattern}");
        }
    }

    #[test]
    fn no_pattern_takes_long() {
        let glob = go(&"*a".repeat(2_000)).unwrap();
        assert!(!glob.matches(&vec!['a'; 1_999]));
        assert!(glob.matches(&vec!['a'; 4_000]));
    }
}
