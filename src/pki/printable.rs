//! Text from outside, made fit to be shown.

/// Replaces what would steer a terminal or reorder a line, by `\u{..}`.
pub(super) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if steers(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// At most `most` characters of a text, fit to be shown, with `…` where more followed.
pub fn shortened(text: &str, most: usize) -> String {
    let mut cut = text.char_indices().skip(most).map(|(at, _)| at);
    match cut.next().and_then(|at| text.get(..at)) {
        Some(start) => printable(start) + "…",
        None => printable(text),
    }
}

/// Whether a character is a control character, or one that changes how its neighbours are shown.
pub(super) fn steers(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(character, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_terminal_that_would_steer_it() {
        assert_eq!(printable("a\u{1b}[2Jé"), "a\\u{1b}[2Jé");
        assert_eq!(shortened("añb\u{202e}cd", 4), "añb\\u{202e}…");
        assert_eq!(shortened("abcd", 4), "abcd");
    }
}
