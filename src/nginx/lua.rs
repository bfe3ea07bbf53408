//! Where a block of Lua ends.
//!
//! `content_by_lua_block { … }` and its siblings hold Lua, whose braces in strings and comments are
//! no braces of nginx. OpenResty's module reads them with a scanner of its own; this is its rules.

/// The place of the `}` that closes the block whose inside starts at `start`.
pub fn end_of_block(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (start, 0_usize);
    while let Some(byte) = bytes.get(at) {
        at = match byte {
            b'{' => {
                depth += 1;
                at + 1
            }
            b'}' if depth == 0 => return Some(at),
            b'}' => {
                depth -= 1;
                at + 1
            }
            b'"' | b'\'' => behind_string(bytes, at)?,
            b'-' if bytes.get(at + 1) == Some(&b'-') => behind_comment(bytes, at + 2)?,
            b'[' => match long_bracket(bytes, at) {
                Some(level) => behind_long(bytes, at, level)?,
                None => at + 1,
            },
            _ => at + 1,
        };
    }
    None
}

fn behind_string(bytes: &[u8], open: usize) -> Option<usize> {
    let quote = bytes.get(open)?;
    let mut at = open + 1;
    loop {
        match bytes.get(at)? {
            b'\\' => at += 2,
            byte if byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
}

fn behind_comment(bytes: &[u8], start: usize) -> Option<usize> {
    if let Some(level) = long_bracket(bytes, start) {
        return behind_long(bytes, start, level);
    }
    let rest = bytes.get(start..)?;
    let line = rest.iter().position(|byte| *byte == b'\n')?;
    Some(start + line + 1)
}

/// The number of `=` in a `[==[` at a place.
fn long_bracket(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?.strip_prefix(b"[")?;
    let level = rest.iter().take_while(|byte| **byte == b'=').count();
    (rest.get(level) == Some(&b'[')).then_some(level)
}

fn behind_long(bytes: &[u8], open: usize, level: usize) -> Option<usize> {
    let mut at = open + level + 2;
    loop {
        let rest = bytes.get(at..)?;
        at += rest.iter().position(|byte| *byte == b']')? + 1;
        let equals = bytes
            .get(at..)?
            .iter()
            .take_while(|byte| **byte == b'=')
            .count();
        at += equals;
        if equals == level && bytes.get(at) == Some(&b']') {
            return Some(at + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_in_strings_and_comments_of_lua_close_nothing() {
        for inside in [
            " local t = {a = {}} ",
            " say(\"}\", '}\\'}') ",
            " -- }\n ",
            " --[[ } \n ]] ",
            " x = [==[ ]] ]=] } ]==] ",
            " x = a[b[1]] ",
        ] {
            let text = format!("{inside}}} rest }}");
            assert_eq!(end_of_block(&text, 0), Some(inside.len()), "{inside}");
        }
        assert_eq!(end_of_block(" { ", 0), None);
        assert_eq!(end_of_block(" \"} ", 0), None);
    }
}
