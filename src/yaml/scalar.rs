//! What an unquoted word means: the core schema of YAML 1.2, chapter 10.3.

/// The meaning of a scalar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar<'a> {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// A text.
    Text(&'a str),
}

impl<'a> Scalar<'a> {
    /// The meaning of `text`, which is a text wherever it was quoted.
    pub fn resolve(text: &'a str, plain: bool) -> Self {
        if !plain {
            return Self::Text(text);
        }
        match text {
            "" | "~" | "null" | "Null" | "NULL" => Self::Null,
            "true" | "True" | "TRUE" => Self::Bool(true),
            "false" | "False" | "FALSE" => Self::Bool(false),
            _ => number(text).unwrap_or(Self::Text(text)),
        }
    }

    /// The same as JSON.
    pub fn to_json(self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(value) => value.into(),
            Self::Integer(value) => value.into(),
            Self::Float(value) => value.into(),
            Self::Text(value) => value.into(),
        }
    }
}

fn number(text: &str) -> Option<Scalar<'_>> {
    if !text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) {
        return None;
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return integer(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return integer(digits, 8);
    }
    if let Ok(value) = text.parse() {
        return Some(Scalar::Integer(value));
    }
    let of_a_float = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    let value: f64 = text.bytes().all(of_a_float).then(|| text.parse().ok())??;
    value.is_finite().then_some(Scalar::Float(value))
}

fn integer<'a>(digits: &str, radix: u32) -> Option<Scalar<'a>> {
    if digits.starts_with(['+', '-']) {
        return None;
    }
    i64::from_str_radix(digits, radix).ok().map(Scalar::Integer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_what_the_core_schema_says() {
        let plain = |text| Scalar::resolve(text, true);
        assert_eq!(plain("no"), Scalar::Text("no"));
        assert_eq!(plain("0644"), Scalar::Integer(644));
        assert_eq!(plain("0o644"), Scalar::Integer(420));
        assert_eq!(plain("1_000"), Scalar::Text("1_000"));
        assert_eq!(plain("2.24"), Scalar::Float(2.24));
        assert_eq!(plain("~"), Scalar::Null);
        assert_eq!(plain("0x-1"), Scalar::Text("0x-1"));
        assert_eq!(Scalar::resolve("1", false), Scalar::Text("1"));
    }
}
