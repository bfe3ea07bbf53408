//! Conditions of statements, in the one form that grants have: JSON with sorted names and lists.

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::cover::covers as fits;

/// Whether the first holds wherever the second does. In doubt it does not.
pub fn covers(outer: &str, inner: &str) -> bool {
    if outer.is_empty() || outer == inner {
        return true;
    }
    let (Some(outer), Some(inner)) = (parsed(outer), parsed(inner)) else {
        return false;
    };
    let mut asked = outer.iter().flat_map(|(operator, keys)| {
        let keys = keys.as_object().into_iter().flatten();
        keys.map(move |(key, values)| (Operator::of(operator), key, values))
    });
    asked.all(|(operator, key, values)| {
        inner.iter().any(|(other, keys)| {
            let others = keys.get(key);
            let other = Operator::of(other);
            others.is_some_and(|others| operator.covers(&other) && operator.holds(values, others))
        })
    })
}

/// Whether it asks for something that a key says whose name begins so: that it is there, or has one of
/// some values. What holds too where the key is not there asks for nothing.
pub fn asks_for(condition: &str, begin: &str) -> bool {
    let Some(operators) = parsed(condition) else {
        return false;
    };
    operators.iter().any(|(operator, keys)| {
        let mut keys = keys.as_object().into_iter().flatten();
        keys.any(|(key, values)| {
            let plain = operator.strip_prefix("ForAnyValue:").unwrap_or(operator);
            let is_asked = match plain {
                "Null" => texts(values).iter().all(|value| value == "false"),
                "StringEquals" | "StringEqualsIgnoreCase" => true,
                // A name that only must be there may be any.
                "StringLike" => texts(values)
                    .iter()
                    .all(|value| value.contains(|letter| !"*?".contains(letter))),
                _ => false,
            };
            key.starts_with(begin) && is_asked
        })
    })
}

fn parsed(condition: &str) -> Option<Map<String, Value>> {
    match serde_json::from_str(condition) {
        Ok(Value::Object(operators)) => Some(operators),
        _ => None,
    }
}

/// An operator of a condition, taken apart.
struct Operator<'a> {
    /// `ForAnyValue` or `ForAllValues`, where a key has several values; else empty.
    set: &'a str,
    /// What is compared, and how.
    plain: &'a str,
    /// Whether it holds too where the key is not there.
    if_exists: bool,
}

impl<'a> Operator<'a> {
    fn of(name: &'a str) -> Self {
        let (set, plain) = name.split_once(':').unwrap_or(("", name));
        let without = plain.strip_suffix("IfExists");
        Self {
            set,
            plain: without.unwrap_or(plain),
            if_exists: without.is_some() || plain.contains("Not"),
        }
    }

    /// Whether it holds of the same values wherever the other does.
    fn covers(&self, other: &Self) -> bool {
        let alike = match (self.plain, other.plain) {
            (one, other) if one == other => true,
            ("StringLike", "StringEquals") => true,
            // These two are the same.
            ("ArnLike" | "ArnEquals", "ArnLike" | "ArnEquals") => true,
            _ => false,
        };
        alike && self.set == other.set && (self.if_exists || !other.if_exists)
    }

    /// Whether it holds of some values wherever it holds of others.
    fn holds(&self, outer: &Value, inner: &Value) -> bool {
        let (outer_values, inner_values) = (texts(outer), texts(inner));
        let each = |these: &[String], those: &[String], holds: fn(&str, &str) -> bool| {
            let mut these = these.iter();
            these.all(|one| those.iter().any(|other| holds(other, one)))
        };
        // Of several values one must fit, so that the one at the end decides.
        let to_the_end = |is_further: fn(f64, f64) -> bool| {
            let both = outer_values.iter().chain(&inner_values);
            let both: Vec<&str> = both.map(String::as_str).collect();
            let Some(both) = numbers(&both) else {
                return false;
            };
            let (outer, inner) = both.split_at(outer_values.len());
            let mut inner = inner.iter();
            inner.all(|&one| outer.iter().any(|&end| end == one || is_further(end, one)))
        };
        match self.plain {
            _ if outer_values == inner_values => true,
            "StringLike" | "ArnLike" | "ArnEquals" => each(&inner_values, &outer_values, fits),
            "StringEquals"
            | "StringEqualsIgnoreCase"
            | "NumericEquals"
            | "DateEquals"
            | "BinaryEquals"
            | "Bool" => each(&inner_values, &outer_values, |outer, inner| outer == inner),
            "StringNotEquals"
            | "StringNotEqualsIgnoreCase"
            | "NumericNotEquals"
            | "DateNotEquals" => each(&outer_values, &inner_values, |outer, inner| outer == inner),
            "StringNotLike" | "ArnNotLike" | "ArnNotEquals" => {
                each(&outer_values, &inner_values, fits)
            }
            "IpAddress" => each(&inner_values, &outer_values, is_within),
            "NotIpAddress" => each(&outer_values, &inner_values, is_within),
            "NumericLessThan" | "NumericLessThanEquals" | "DateLessThan" | "DateLessThanEquals" => {
                to_the_end(|end, one| end > one)
            }
            "NumericGreaterThan"
            | "NumericGreaterThanEquals"
            | "DateGreaterThan"
            | "DateGreaterThanEquals" => to_the_end(|end, one| end < one),
            _ => false,
        }
    }
}

/// Values as texts, as AWS compares them: a number or a truth may be written without quotes.
fn texts(values: &Value) -> Vec<String> {
    let values = values.as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    values.iter().map(text).collect()
}

/// Numbers, or times that are all written in UTC: their digits, from the year to the second. A time in
/// seconds is not compared with one in digits.
fn numbers(values: &[&str]) -> Option<Vec<f64>> {
    let time = |text: &str| {
        let digits: String = text.strip_suffix('Z')?.split(['-', 'T', ':']).collect();
        let is_whole = digits.len() == 14 && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_whole.then(|| digits.parse().ok())?
    };
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    let all = |read: &dyn Fn(&str) -> Option<f64>| -> Option<Vec<f64>> {
        values.iter().map(|text| read(text)).collect()
    };
    all(&number).or_else(|| all(&time))
}

/// Whether all addresses of the second network are in the first.
fn is_within(outer: &str, inner: &str) -> bool {
    let (Some((outer, bits)), Some((inner, inner_bits))) = (network(outer), network(inner)) else {
        return outer == inner;
    };
    let width = match (outer, inner) {
        (IpAddr::V4(_), IpAddr::V4(_)) => 32,
        (IpAddr::V6(_), IpAddr::V6(_)) => 128,
        _ => return false,
    };
    let number = |address| match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    };
    let differing = number(outer) ^ number(inner);
    bits <= inner_bits && bits <= width && differing.checked_shr(width - bits).unwrap_or(0) == 0
}

/// `10.0.0.0/8`; an address alone is a network of one.
fn network(text: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse().ok()?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let all = if address.is_ipv4() { 32 } else { 128 };
    Some((address, bits.unwrap_or(all)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_covers_one_that_asks_for_more() {
        let account = r#"{"StringEquals":{"aws:sourceaccount":["1"]}}"#;
        let accounts = r#"{"StringEquals":{"aws:sourceaccount":["1","2"]}}"#;
        let both = r#"{"ArnLike":{"aws:sourcearn":["arn:aws:ecs:*"]},"StringEquals":{"aws:sourceaccount":["1"]}}"#;
        let not = r#"{"StringNotEquals":{"aws:sourceaccount":["1"]}}"#;
        let neither = r#"{"StringNotEquals":{"aws:sourceaccount":["1","2"]}}"#;
        let like = r#"{"StringLike":{"aws:sourceaccount":["*"]}}"#;
        let number = r#"{"NumericEquals":{"s3:max-keys":[1]}}"#;
        let numbers = r#"{"NumericEquals":{"s3:max-keys":["1",100]}}"#;
        let mfa = r#"{"Bool":{"aws:multifactorauthpresent":["true"]}}"#;
        let mfa_if_any = r#"{"BoolIfExists":{"aws:multifactorauthpresent":["true"]}}"#;
        let network = r#"{"IpAddress":{"aws:sourceip":["10.0.0.0/8","::1"]}}"#;
        let part = r#"{"IpAddress":{"aws:sourceip":["10.1.2.3","10.1.0.0/16"]}}"#;
        let not_network = r#"{"NotIpAddress":{"aws:sourceip":["10.0.0.0/8"]}}"#;
        let not_part = r#"{"NotIpAddress":{"aws:sourceip":["10.1.0.0/16"]}}"#;
        let less = r#"{"NumericLessThan":{"s3:max-keys":[3]}}"#;
        let more = r#"{"NumericLessThan":{"s3:max-keys":["5"]}}"#;
        let early = r#"{"DateGreaterThan":{"aws:currenttime":["2026-01-01T00:00:00Z"]}}"#;
        let late = r#"{"DateGreaterThan":{"aws:currenttime":["2026-06-01T00:00:00Z"]}}"#;
        let any = r#"{"ForAnyValue:StringEquals":{"aws:tagkeys":["a"]}}"#;
        let any_of_two = r#"{"ForAnyValue:StringEquals":{"aws:tagkeys":["a","b"]}}"#;
        for (outer, inner) in [
            (numbers, number),
            (mfa_if_any, mfa),
            (network, part),
            (not_part, not_network),
            (more, less),
            (early, late),
            (any_of_two, any),
            ("", account),
            (accounts, account),
            (account, both),
            (like, accounts),
            (not, neither),
        ] {
            assert!(covers(outer, inner), "{outer} {inner}");
            assert!(!covers(inner, outer), "{inner} {outer}");
        }
        assert!(!covers(account, not) && !covers(not, account));
        let all = r#"{"ForAllValues:StringEquals":{"aws:tagkeys":["a"]}}"#;
        assert!(!covers(any, all) && !covers(all, any));
        let seconds = r#"{"DateGreaterThan":{"aws:currenttime":[1900000000]}}"#;
        assert!(!covers(early, seconds) && !covers(seconds, early));
    }

    #[test]
    fn a_tag_is_asked_for_where_it_must_be_there() {
        let key = "aws:requesttag/";
        for (condition, asked) in [
            (r#"{"StringEquals":{"aws:requesttag/team":["a"]}}"#, true),
            (r#"{"Null":{"aws:requesttag/team":["false"]}}"#, true),
            (r#"{"Null":{"aws:requesttag/team":[false]}}"#, true),
            (r#"{"StringLike":{"aws:requesttag/team":["a*"]}}"#, true),
            (r#"{"StringLike":{"aws:requesttag/team":["?*"]}}"#, false),
            (r#"{"Null":{"aws:requesttag/team":["true"]}}"#, false),
            (
                r#"{"StringNotEquals":{"aws:requesttag/team":["a"]}}"#,
                false,
            ),
            (
                r#"{"StringEqualsIfExists":{"aws:requesttag/team":["a"]}}"#,
                false,
            ),
            (
                r#"{"ForAllValues:StringEquals":{"aws:requesttag/team":["a"]}}"#,
                false,
            ),
            (r#"{"StringEquals":{"aws:sourceaccount":["1"]}}"#, false),
            ("", false),
        ] {
            assert_eq!(asks_for(condition, key), asked, "{condition}");
        }
    }
}
