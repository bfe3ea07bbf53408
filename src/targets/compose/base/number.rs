//! How Compose prints a value that YAML does not take for a text.
//!
//! `A: 012` under `environment:` becomes `10`, `A: 1.10` becomes `1.1`: Compose reads the value with
//! go-yaml (`resolve.go`) and prints it with Go's `%v`.

/// The text that a scalar becomes; `None` for null.
pub(super) fn printed(text: &str, plain: bool) -> Option<String> {
    if !plain {
        return Some(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => None,
        "true" | "True" | "TRUE" => Some("true".to_owned()),
        "false" | "False" | "FALSE" => Some("false".to_owned()),
        ".nan" | ".NaN" | ".NAN" => Some("NaN".to_owned()),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Some("+Inf".to_owned()),
        "-.inf" | "-.Inf" | "-.INF" => Some("-Inf".to_owned()),
        _ => Some(number(text).unwrap_or_else(|| text.to_owned())),
    }
}

fn number(text: &str) -> Option<String> {
    if !text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) {
        return None;
    }
    let digits = match text.starts_with('.') {
        true => text.to_owned(),
        false => text.replace('_', ""),
    };
    integer(&digits).or_else(|| float(&digits))
}

fn integer(text: &str) -> Option<String> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    let lower = digits.to_ascii_lowercase();
    let (digits, radix) = match lower.as_bytes() {
        [b'0', b'x', ..] => (&lower[2..], 16),
        [b'0', b'o', ..] => (&lower[2..], 8),
        [b'0', b'b', ..] => (&lower[2..], 2),
        [b'0', _, ..] => (&lower[1..], 8),
        _ => (lower.as_str(), 10),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let value = u64::from_str_radix(digits, radix).ok()?;
    match sign {
        "-" if value > i64::MIN.unsigned_abs() => None,
        "-" if value == 0 => Some("0".to_owned()),
        _ => Some(format!("{sign}{value}")),
    }
}

fn float(text: &str) -> Option<String> {
    if !is_float(text) {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    if !value.is_finite() {
        return None;
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    if (-4..6).contains(&exponent) {
        return Some(format!("{value}"));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    Some(format!("{digits}e{sign}{:02}", exponent.abs()))
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent = exponent.map(|exponent| exponent.strip_prefix(['-', '+']).unwrap_or(exponent));
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
}

#[cfg(test)]
mod tests {
    use super::printed;

    #[test]
    fn numbers_are_printed_as_go_does() {
        let cases = [
            ("012", "10"),
            ("09", "9"),
            ("0o17", "15"),
            ("0x1F", "31"),
            ("1_000", "1000"),
            ("+5", "5"),
            ("-0", "0"),
            ("1.10", "1.1"),
            ("1.0", "1"),
            ("1e3", "1000"),
            ("123456.5", "123456.5"),
            ("1e6", "1e+06"),
            ("1e-5", "1e-05"),
            ("123456789012345678901", "1.2345678901234568e+20"),
            ("1.2.3", "1.2.3"),
            ("yes", "yes"),
            ("True", "true"),
            (".5", "0.5"),
            (".", "."),
            ("-", "-"),
            ("0x", "0x"),
        ];
        for (written, expected) in cases {
            assert_eq!(
                printed(written, true).as_deref(),
                Some(expected),
                "{written}"
            );
        }
        assert_eq!(printed("~", true), None);
        assert_eq!(printed("~", false).as_deref(), Some("~"));
    }
}
