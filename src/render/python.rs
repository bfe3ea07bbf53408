//! How Python is told a value (The Python Language Reference, 2.4.1: string literals).

use minijinja::{Error, ErrorKind, Value};

/// The literal that Python reads back as `text`: ASCII alone, so that no reader of the file needs to
/// know its encoding, and nothing can end the literal or the line.
pub fn quote(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('\'');
    for character in text.chars() {
        match character {
            '\'' | '\\' => literal.extend(['\\', character]),
            ' '..='~' => literal.push(character),
            _ => match u32::from(character) {
                number @ 0..=0xff => literal.push_str(&format!("\\x{number:02x}")),
                number @ 0x100..=0xffff => literal.push_str(&format!("\\u{number:04x}")),
                number => literal.push_str(&format!("\\U{number:08x}")),
            },
        }
    }
    literal.push('\'');
    literal
}

/// What the function `variable` of a script returns for a text in which `${NAME}` is a variable of its
/// environment.
pub(super) fn expanded(text: &str) -> Result<Value, Error> {
    let pieces = pieces(text).ok_or_else(|| {
        let message = "a `${` without a variable's name and `}`";
        Error::new(ErrorKind::InvalidOperation, message)
    })?;
    let terms: Vec<String> = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => quote(text),
            Piece::Variable(name) => format!("variable({})", quote(name)),
        })
        .collect();
    let whole = match terms.is_empty() {
        true => quote(""),
        false => terms.join(" + "),
    };
    Ok(Value::from_safe_string(whole))
}

enum Piece<'a> {
    Text(&'a str),
    Variable(&'a str),
}

fn pieces(text: &str) -> Option<Vec<Piece<'_>>> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, behind) = after.split_once('}')?;
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty()
            || name.starts_with(|first: char| first.is_ascii_digit())
            || !name.bytes().all(is_name)
        {
            return None;
        }
        if !before.is_empty() {
            all.push(Piece::Text(before));
        }
        all.push(Piece::Variable(name));
        rest = behind;
    }
    if !rest.is_empty() {
        all.push(Piece::Text(rest));
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_one_line_of_ascii() {
        assert_eq!(
            quote("it's\\n\n\u{1f}é\u{2028}\u{1f512}"),
            r"'it\'s\\n\x0a\x1f\xe9\u2028\U0001f512'"
        );
    }

    #[test]
    fn variables_stand_between_texts() {
        let written = |text| expanded(text).map(|value| value.to_string()).ok();
        assert_eq!(
            written("http://127.0.0.1:${TCP_PORT}/x").as_deref(),
            Some("'http://127.0.0.1:' + variable('TCP_PORT') + '/x'")
        );
        assert_eq!(written("").as_deref(), Some("''"));
        for bad in ["${", "${}", "${1A}", "${A-B}", "${A"] {
            assert_eq!(written(bad), None, "{bad}");
        }
    }
}
