//! From text to directives in blocks, within bounds.

use super::token::{Fault, FaultKind, Kind, LONGEST, Lexer, Token, meaning};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::{SourceId, Sources, Span};

/// How deep blocks may lie in each other; people need about five.
const DEEPEST: usize = 64;
/// How many directives a file may hold; the longest lists of addresses have some hundred thousand.
const MOST: usize = 400_000;
pub use crate::marked::{BEGIN, END};
/// Blocks whose statements are pairs of words, so that anything may stand first in them.
const TABLES: [&str; 5] = ["map", "geo", "types", "split_clients", "charset_map"];

pub(super) static SYNTAX: Code = Code {
    name: "nginx-syntax",
    severity: Severity::Error,
    summary: "nginx cannot read its configuration file",
    manual: include_str!("manual/nginx-syntax.md"),
};
pub(super) static TEMPLATE: Code = Code {
    name: "nginx-template",
    severity: Severity::Error,
    summary: "the file is a template of an nginx configuration, not one",
    manual: include_str!("manual/nginx-template.md"),
};
pub(super) static TOO_LARGE: Code = Code {
    name: "nginx-too-large",
    severity: Severity::Error,
    summary: "an nginx configuration is larger or deeper than any that people write",
    manual: include_str!("manual/nginx-too-large.md"),
};

/// A word and where it stands.
#[derive(Debug, Clone)]
pub struct Word {
    /// What it means to nginx, without quotes.
    pub text: Box<str>,
    /// Its bytes, with quotes.
    pub span: Span,
}

/// A statement, such as `listen 80;` or `server { … }`.
#[derive(Debug, Clone)]
pub struct Directive {
    /// Its first word.
    pub name: Word,
    /// Its further words.
    pub arguments: Vec<Word>,
    /// From its first byte to behind its `;` or `}`.
    pub span: Span,
    /// What stands between its braces.
    pub block: Option<Body>,
}

/// The statements of a block, or of a whole file.
#[derive(Debug, Clone)]
pub struct Body {
    /// The bytes between the braces; for a file all of it.
    pub span: Span,
    /// In the order in which they are written.
    pub directives: Vec<Directive>,
    /// The parts that tlsgen put there, from the `#` of their first comment to the end of the last.
    pub marks: Vec<Span>,
}

impl Directive {
    /// Its further words, as nginx reads them.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.arguments.iter().map(|word| &*word.text)
    }

    /// The block of a directive of this name.
    pub fn block_of(&self, name: &str) -> Option<&Body> {
        self.block.as_ref().filter(|_| &*self.name.text == name)
    }
}

impl Body {
    /// The directives that somebody else wrote: all but those in marked parts.
    pub fn theirs(&self) -> impl Iterator<Item = &Directive> {
        self.directives.iter().filter(|directive| {
            let before = self
                .marks
                .partition_point(|mark| mark.start < directive.span.start);
            let mark = before
                .checked_sub(1)
                .and_then(|index| self.marks.get(index));
            mark.is_none_or(|mark| directive.span.start >= mark.end)
        })
    }
}

/// Reads one file, without what it includes.
///
/// # Errors
/// The one fault after which nothing can be read.
pub fn parse(sources: &Sources, source: SourceId) -> Result<Body, Diagnostic> {
    let file = sources.get(source);
    Parser::new(&file.text, source).parse().map_err(|fault| {
        if fault.code.name == TOO_LARGE.name {
            return fault;
        }
        super::template::instead(fault, &file.name, &file.text, source)
    })
}

struct Parser<'t> {
    text: &'t str,
    source: SourceId,
    lexer: Lexer<'t>,
    /// The file and the blocks that are open, innermost last.
    open: Vec<Open>,
    /// The words of the statement that is being read.
    words: Vec<Word>,
    count: usize,
}

struct Open {
    /// The words before the `{`; none for the file.
    words: Vec<Word>,
    /// Behind the `{`.
    start: usize,
    directives: Vec<Directive>,
    marks: Vec<Span>,
    /// Where the last comment stands that begins a marked part.
    begin: Option<usize>,
}

impl Open {
    fn new(words: Vec<Word>, start: usize) -> Self {
        let (directives, marks) = (Vec::new(), Vec::new());
        Self {
            words,
            start,
            directives,
            marks,
            begin: None,
        }
    }

    fn name(&self) -> &str {
        self.words.first().map_or("", |word| &word.text)
    }
}

impl<'t> Parser<'t> {
    fn new(text: &'t str, source: SourceId) -> Self {
        Self {
            text,
            source,
            lexer: Lexer::new(text),
            open: Vec::new(),
            words: Vec::new(),
            count: 0,
        }
    }

    fn parse(mut self) -> Result<Body, Diagnostic> {
        if self.text.starts_with('\u{feff}') {
            return Err(self.wrong(0..3, "the file begins with a byte-order mark").help(
                "save it as UTF-8 without a byte-order mark: nginx takes the mark for a part of the first directive",
            ));
        }
        let mut current = Open::new(Vec::new(), 0);
        while let Some(token) = self.lexer.token().map_err(|fault| self.fault(&fault))? {
            current = self.take(token, current)?;
        }
        if let Some(first) = self.words.first() {
            let message = "the file ends within a directive";
            return Err(Diagnostic::new(&SYNTAX, first.span, message).help("end it with `;`"));
        }
        if let Some(word) = current.words.first() {
            let message = format!("this block of `{}` is never closed", word.text);
            let end = self.source.span(self.text.len()..self.text.len());
            let fault = Diagnostic::new(&SYNTAX, word.span, message);
            return Err(fault
                .also(end, "the file ends here")
                .help("write the `}` that is missing"));
        }
        Ok(Body {
            span: self.source.span(0..self.text.len()),
            directives: current.directives,
            marks: current.marks,
        })
    }

    fn take(&mut self, token: Token, mut current: Open) -> Result<Open, Diagnostic> {
        let range = token.range;
        match token.kind {
            Kind::Space | Kind::Raw => {}
            Kind::Comment => self.comment(range, &mut current),
            Kind::Word => self.word(range, &current)?,
            Kind::Semicolon => {
                let words = std::mem::take(&mut self.words);
                let directive = self.directive(words, range, None)?;
                current.directives.push(directive);
            }
            Kind::Open => {
                if self.words.is_empty() {
                    return Err(self.wrong(range, "a `{` that belongs to no directive"));
                }
                if self.open.len() >= DEEPEST {
                    let message = format!("blocks lie in each other more than {DEEPEST} deep");
                    return Err(Diagnostic::new(
                        &TOO_LARGE,
                        self.source.span(range),
                        message,
                    ));
                }
                let words = std::mem::take(&mut self.words);
                let inner = Open::new(words, range.end);
                if inner.name().ends_with("_by_lua_block") {
                    self.lexer.raw().map_err(|fault| self.fault(&fault))?;
                }
                self.open.push(std::mem::replace(&mut current, inner));
            }
            Kind::Close => {
                if let Some(word) = self.words.first() {
                    let fault = Diagnostic::new(
                        &SYNTAX,
                        word.span,
                        "this directive is not ended before the `}`",
                    );
                    let close = self.source.span(range);
                    return Err(fault
                        .also(close, "the block ends here")
                        .help("end it with `;`"));
                }
                let Some(outer) = self.open.pop() else {
                    let fault = self.wrong(range, "a `}` too many");
                    return Err(fault.help("remove it, or write the `{` that it closes"));
                };
                let inner = std::mem::replace(&mut current, outer);
                let body = Body {
                    span: self.source.span(inner.start..range.start),
                    directives: inner.directives,
                    marks: inner.marks,
                };
                let directive = self.directive(inner.words, range, Some(body))?;
                current.directives.push(directive);
            }
        }
        Ok(current)
    }

    fn directive(
        &mut self,
        words: Vec<Word>,
        end: std::ops::Range<usize>,
        block: Option<Body>,
    ) -> Result<Directive, Diagnostic> {
        self.count += 1;
        if self.count > MOST {
            let message = format!("the file holds more than {MOST} directives");
            return Err(Diagnostic::new(&TOO_LARGE, self.source.start(), message));
        }
        let mut words = words.into_iter();
        let Some(name) = words.next() else {
            return Err(self
                .wrong(end, "a `;` that ends no directive")
                .help("remove it"));
        };
        let span = Span {
            end: end.end as u32,
            ..name.span
        };
        Ok(Directive {
            arguments: words.collect(),
            name,
            span,
            block,
        })
    }

    fn word(&mut self, range: std::ops::Range<usize>, current: &Open) -> Result<(), Diagnostic> {
        let written = self.text.get(range.clone()).unwrap_or_default();
        let invisible =
            |letter: char| letter == '\u{a0}' || letter == '\u{200b}' || letter == '\u{feff}';
        let first = self.words.is_empty() && !TABLES.contains(&current.name());
        if first && written.contains(invisible) {
            let fault = self.wrong(
                range,
                "a no-break space or another invisible letter stands in the directive's name",
            );
            return Err(fault.help("type the space anew: nginx takes this one for a letter"));
        }
        self.words.push(Word {
            text: meaning(written).into(),
            span: self.source.span(range),
        });
        Ok(())
    }

    fn comment(&self, range: std::ops::Range<usize>, current: &mut Open) {
        let text = self.text.get(range.clone()).unwrap_or_default().trim_end();
        if text == BEGIN && self.words.is_empty() {
            current.begin = Some(range.start);
        } else if text == END && self.words.is_empty() {
            let begin = current.begin.take();
            let end = range.start + text.len();
            current
                .marks
                .extend(begin.map(|begin| self.source.span(begin..end)));
        }
    }

    fn wrong(&self, range: std::ops::Range<usize>, message: &str) -> Diagnostic {
        Diagnostic::new(&SYNTAX, self.source.span(range), message)
    }

    fn fault(&self, fault: &Fault) -> Diagnostic {
        let range = fault.range.clone();
        match fault.kind {
            FaultKind::BehindQuote => self
                .wrong(range, "a letter right behind a closing quote")
                .help("put the quotes around all of the word, or a space or `;` behind them"),
            FaultKind::OpenQuote => self.wrong(range, "a quote that is never closed"),
            FaultKind::LongQuote => self
                .wrong(range, &format!("a word of more than {LONGEST} bytes"))
                .help("most likely its closing quote is missing; nginx reads no longer words"),
            FaultKind::LongWord => self
                .wrong(range, &format!("a word of more than {LONGEST} bytes"))
                .help("nginx reads no longer words"),
            FaultKind::LongComment => self
                .wrong(
                    range,
                    &format!("a comment of more than {LONGEST} bytes in one line"),
                )
                .help("break it into several lines: nginx reads no longer ones"),
            FaultKind::OpenRaw => self.wrong(range, "this block of Lua is never closed"),
        }
    }
}
