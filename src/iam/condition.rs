//! Conditions of statements, in the one form that grants have: JSON with sorted names and lists.

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
        keys.map(move |(key, values)| (operator.as_str(), key, values))
    });
    asked.all(|(operator, key, values)| {
        same(operator).iter().any(|other| {
            let found = inner.get(*other).and_then(|keys| keys.get(key));
            found.is_some_and(|others| values_cover(operator, values, others))
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
                "Null" => texts(values).iter().all(|value| *value == "false"),
                "StringEquals" | "StringEqualsIgnoreCase" | "StringLike" => true,
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

/// An operator, and those that hold more rarely of the same values.
fn same(operator: &str) -> Vec<&str> {
    let mut all = vec![operator];
    all.extend(match operator {
        "StringLike" => &["StringEquals"][..],
        // These two are the same.
        "ArnLike" => &["ArnEquals"],
        "ArnEquals" => &["ArnLike"],
        _ => &[],
    });
    all
}

fn values_cover(operator: &str, outer: &Value, inner: &Value) -> bool {
    let (outer_values, inner_values) = (texts(outer), texts(inner));
    let each = |these: &[&str], those: &[&str], holds: fn(&str, &str) -> bool| {
        let mut these = these.iter();
        these.all(|one| those.iter().any(|other| holds(other, one)))
    };
    match operator {
        _ if outer == inner => true,
        "StringLike" | "ArnLike" | "ArnEquals" => each(&inner_values, &outer_values, fits),
        "StringEquals"
        | "StringEqualsIgnoreCase"
        | "NumericEquals"
        | "DateEquals"
        | "BinaryEquals"
        | "IpAddress" => each(&inner_values, &outer_values, |outer, inner| outer == inner),
        "StringNotEquals"
        | "StringNotEqualsIgnoreCase"
        | "NumericNotEquals"
        | "DateNotEquals"
        | "NotIpAddress" => each(&outer_values, &inner_values, |outer, inner| outer == inner),
        "StringNotLike" | "ArnNotLike" | "ArnNotEquals" => each(&outer_values, &inner_values, fits),
        _ => false,
    }
}

fn texts(values: &Value) -> Vec<&str> {
    let values = values.as_array().map(Vec::as_slice).unwrap_or_default();
    values.iter().filter_map(Value::as_str).collect()
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
        for (outer, inner) in [
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
    }

    #[test]
    fn a_tag_is_asked_for_where_it_must_be_there() {
        let key = "aws:requesttag/";
        for (condition, asked) in [
            (r#"{"StringEquals":{"aws:requesttag/team":["a"]}}"#, true),
            (r#"{"Null":{"aws:requesttag/team":["false"]}}"#, true),
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
