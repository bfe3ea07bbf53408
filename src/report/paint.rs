//! Colours, where they are wanted.

use anstyle::{AnsiColor, Effects};

use crate::diagnostic::Style;
use crate::plan::{Action, Sign};

/// Puts colours into text, or leaves it as it is.
#[derive(Debug, Clone, Copy)]
pub struct Paint(Style);

impl Paint {
    /// As the style says.
    pub fn new(style: Style) -> Self {
        Self(style)
    }

    /// Whether it leaves all text as it is.
    pub fn is_plain(self) -> bool {
        self.0 == Style::Plain
    }

    /// The word for an action.
    pub fn action(self, action: Action, word: &str) -> String {
        let style = match action {
            Action::Create => AnsiColor::Green.on_default(),
            Action::Update | Action::Chmod | Action::Grant => AnsiColor::Yellow.on_default(),
            Action::Delete => AnsiColor::Red.on_default(),
            Action::Refuse => AnsiColor::Red.on_default() | Effects::BOLD,
            Action::Keep => AnsiColor::Magenta.on_default(),
            Action::Adopt | Action::Forget | Action::Unchanged => anstyle::Style::new(),
        };
        self.with(style, word)
    }

    /// A header of a difference.
    pub fn header(self, text: &str) -> String {
        self.with(anstyle::Style::new().bold(), text)
    }

    /// The place of a hunk, and other things beside the text.
    pub fn aside(self, text: &str) -> String {
        self.with(AnsiColor::Cyan.on_default(), text)
    }

    /// A line that comes or goes, or a word in it.
    pub fn sign(self, sign: Sign, changed: bool, text: &str) -> String {
        let style = match sign {
            Sign::Same => anstyle::Style::new(),
            Sign::Removed => AnsiColor::Red.on_default(),
            Sign::Added => AnsiColor::Green.on_default(),
        };
        self.with(if changed { style.invert() } else { style }, text)
    }

    fn with(self, style: anstyle::Style, text: &str) -> String {
        if self.is_plain() || style.is_plain() {
            return text.to_owned();
        }
        format!("{style}{text}{style:#}")
    }
}
