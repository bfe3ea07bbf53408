//! `$NAME` and `${NAME:-default}` in values, as Compose reads them.
//!
//! Nothing is substituted here for good: what the variables hold is known where Compose runs, not
//! where tlsgen does. The grammar is that of compose-go's `template.go`.

/// How deep defaults may lie in each other.
const DEEPEST: usize = 32;

/// A part of a text.
#[derive(Debug, PartialEq)]
pub(super) enum Piece<'t> {
    /// What stands for itself; an escaped `$$` is the one `$` that it means.
    Literal(&'t str),
    /// What the environment fills in.
    Variable {
        name: &'t str,
        /// `:-`, `-`, `:+`, `+`, `:?` or `?`; empty without one.
        operator: &'t str,
        /// What follows the operator.
        argument: &'t str,
    },
}

/// A variable's value where the environment of Compose does not set it.
pub(super) struct Local<'v> {
    /// As it would be written in a Compose file; `None` when that cannot be written there.
    pub raw: Option<&'v str>,
}

/// Splits a text; `None` where Compose would call it an invalid template.
pub(super) fn pieces(text: &str) -> Option<Vec<Piece<'_>>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, from) = rest.split_at(at);
        let after = &from[1..];
        let (piece, length) = match after.chars().next() {
            Some('$') => (Piece::Literal("$"), 2),
            Some('{') => braced(from)?,
            Some(first) if starts_a_name(first) => {
                let name = &after[..name_length(after)];
                (plain(name), 1 + name.len())
            }
            // A lone dollar is left alone.
            _ => (Piece::Literal("$"), 1),
        };
        if !before.is_empty() {
            pieces.push(Piece::Literal(before));
        }
        pieces.push(piece);
        rest = &from[length..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest));
    }
    Some(pieces)
}

/// Whether Compose would fill anything in.
pub(super) fn has_variables(text: &str) -> bool {
    text.contains('$')
        && pieces(text).is_none_or(|pieces| {
            pieces
                .iter()
                .any(|piece| matches!(piece, Piece::Variable { .. }))
        })
}

/// What a text is where no variable is set and each has a default; `None` where one has none.
pub(super) fn by_default(text: &str) -> Option<String> {
    default_within(text, DEEPEST)
}

/// Writes a text so that Compose takes it as it is.
pub(super) fn escape(text: &str) -> String {
    text.replace('$', "$$")
}

/// Rewrites a text from a place where some variables have local values, so that it means the same
/// where they have none. The environment of Compose wins over local values.
///
/// `None` where that cannot be written.
pub(super) fn localise<'v>(
    text: &str,
    local: &dyn Fn(&str) -> Option<Local<'v>>,
) -> Option<String> {
    localise_within(text, local, DEEPEST)
}

fn plain(name: &str) -> Piece<'_> {
    Piece::Variable {
        name,
        operator: "",
        argument: "",
    }
}

fn starts_a_name(first: char) -> bool {
    first == '_' || first.is_ascii_alphabetic()
}

fn name_length(text: &str) -> usize {
    text.find(|next: char| next != '_' && !next.is_ascii_alphanumeric())
        .unwrap_or(text.len())
}

/// Reads `${…}` at the start of a text, and how long it is.
fn braced(text: &str) -> Option<(Piece<'_>, usize)> {
    let inside = &text[2..];
    if !inside.starts_with(starts_a_name) {
        return None;
    }
    let name = &inside[..name_length(inside)];
    let rest = &inside[name.len()..];
    if rest.starts_with('}') {
        return Some((plain(name), 2 + name.len() + 1));
    }
    let operator = [":-", ":+", ":?", "-", "+", "?"]
        .into_iter()
        .find(|operator| rest.starts_with(operator))?;
    // The argument ends on its line.
    let line = text.split('\n').next()?;
    let end = closing_brace(line).or_else(|| line.rfind('}'))?;
    let start = 2 + name.len() + operator.len();
    let piece = Piece::Variable {
        name,
        operator: &rest[..operator.len()],
        argument: text.get(start..end)?,
    };
    Some((piece, end + 1))
}

/// Where the first brace closes; the character after an opening brace is never looked at.
fn closing_brace(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut open = 0_usize;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'}' => {
                open = open.checked_sub(1)?;
                if open == 0 {
                    return Some(at);
                }
            }
            b'{' => {
                open += 1;
                at += 1;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

fn default_within(text: &str, depth: usize) -> Option<String> {
    let mut value = String::with_capacity(text.len());
    for piece in pieces(text)? {
        match piece {
            Piece::Literal(literal) => value.push_str(literal),
            Piece::Variable {
                operator: ":-" | "-",
                argument,
                ..
            } => value.push_str(&default_within(argument, depth.checked_sub(1)?)?),
            Piece::Variable {
                operator: ":+" | "+",
                ..
            } => {}
            Piece::Variable { .. } => return None,
        }
    }
    Some(value)
}

fn localise_within<'v>(
    text: &str,
    local: &dyn Fn(&str) -> Option<Local<'v>>,
    depth: usize,
) -> Option<String> {
    let mut written = String::with_capacity(text.len());
    for piece in pieces(text)? {
        match piece {
            Piece::Literal(literal) => written.push_str(&escape(literal)),
            Piece::Variable {
                name,
                operator,
                argument,
            } => {
                let argument = localise_within(argument, local, depth.checked_sub(1)?)?;
                written.push_str(&match local(name) {
                    None => format!("${{{name}{operator}{argument}}}"),
                    Some(value) => with_local(name, operator, &argument, value.raw?, depth)?,
                });
            }
        }
    }
    Some(written)
}

/// A variable that has a local value, which may be overridden by the environment of Compose.
fn with_local(
    name: &str,
    operator: &str,
    argument: &str,
    raw: &str,
    depth: usize,
) -> Option<String> {
    let otherwise = || fits_into_braces(raw, depth).then(|| format!("${{{name}-{raw}}}"));
    match operator {
        "" | "-" | "?" => otherwise(),
        "+" => Some(argument.to_owned()),
        ":-" if raw.is_empty() => Some(format!("${{{name}:-{argument}}}")),
        // Unset: the local value; set but empty: the argument; else what is set.
        ":-" if !has_variables(raw) => {
            let otherwise = otherwise()?;
            Some(format!("${{{name}:-${{{name}+{argument}}}{otherwise}}}"))
        }
        _ => None,
    }
}

/// Whether a text means the same inside `${NAME-…}`.
fn fits_into_braces(raw: &str, depth: usize) -> bool {
    !raw.contains('\n')
        && depth > 0
        && pieces(raw).is_some_and(|pieces| {
            pieces.iter().all(|piece| match piece {
                Piece::Literal(literal) => !literal.contains(['{', '}']),
                Piece::Variable { argument, .. } => fits_into_braces(argument, depth - 1),
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_found_where_compose_finds_them() {
        let variable = |name, operator, argument| Piece::Variable {
            name,
            operator,
            argument,
        };
        let cases: [(&str, Vec<Piece<'_>>); 7] = [
            ("a$b", vec![Piece::Literal("a"), variable("b", "", "")]),
            ("$$b", vec![Piece::Literal("$"), Piece::Literal("b")]),
            ("$1", vec![Piece::Literal("$"), Piece::Literal("1")]),
            ("${A}}", vec![variable("A", "", ""), Piece::Literal("}")]),
            ("${A:-${B-c}}", vec![variable("A", ":-", "${B-c}")]),
            (
                "${A:-{}x",
                vec![variable("A", ":-", "{"), Piece::Literal("x")],
            ),
            ("é$", vec![Piece::Literal("é"), Piece::Literal("$")]),
        ];
        for (text, expected) in cases {
            assert_eq!(pieces(text), Some(expected), "{text}");
        }
        for invalid in ["${}", "${1}", "${A", "${A:-x", "${A b}", "${A:-\n}"] {
            assert_eq!(pieces(invalid), None, "{invalid}");
        }
    }

    #[test]
    fn defaults_are_filled_in_only_where_all_are_known() {
        assert_eq!(by_default("a${B:-c$$}d").as_deref(), Some("ac$d"));
        assert_eq!(by_default("${B-${C-x}}").as_deref(), Some("x"));
        assert_eq!(by_default("${B}"), None);
        assert_eq!(by_default(&"${A:-".repeat(1000)), None);
    }

    #[test]
    fn local_values_become_defaults() {
        let local = |name: &str| match name {
            "L" => Some(Local { raw: Some("one") }),
            "E" => Some(Local { raw: Some("") }),
            "B" => Some(Local { raw: Some("{") }),
            _ => None,
        };
        let written = |text| localise(text, &local);
        assert_eq!(
            written("$L-${L}-$H").as_deref(),
            Some("${L-one}-${L-one}-${H}")
        );
        assert_eq!(written("${L:-d}").as_deref(), Some("${L:-${L+d}${L-one}}"));
        assert_eq!(written("${E:-d}").as_deref(), Some("${E:-d}"));
        assert_eq!(written("${H:-$L}$5").as_deref(), Some("${H:-${L-one}}$$5"));
        assert_eq!(written("$B"), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[${}a1:?+\\-é\n]{0,40}") {
            let _ = by_default(&text);
            let _ = localise(&text, &|_| Some(Local { raw: Some("x") }));
        }

        #[test]
        fn what_is_escaped_means_itself(text in "[${}a:\\-]{0,20}") {
            proptest::prop_assert_eq!(by_default(&escape(&text)), Some(text));
        }
    }
}
