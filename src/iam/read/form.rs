//! What a statement must look like so that AWS takes it.

use serde_json::Value;

use super::texts;

/// What a statement may have (IAM User Guide, "Grammar of the IAM JSON policy language").
const FIELDS: &[&str] = &[
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

/// Kinds of those who take on a role.
const PRINCIPALS: [&str; 4] = ["AWS", "Service", "Federated", "CanonicalUser"];

/// How conditions compare (IAM User Guide, "IAM JSON policy elements: Condition operators").
const OPERATORS: &[&str] = &[
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
    "Null",
];

/// Whether a statement has the form that AWS takes.
///
/// # Errors
/// Why not.
pub fn of_statement(statement: &Value) -> Result<(), String> {
    let Some(fields) = statement.as_object() else {
        return Err("is no object".to_owned());
    };
    if let Some(field) = fields.keys().find(|key| !FIELDS.contains(&key.as_str())) {
        return Err(format!("has `{field}`, which no statement has"));
    }
    if !matches!(
        fields.get("Effect").and_then(Value::as_str),
        Some("Allow" | "Deny")
    ) {
        return Err("has an `Effect` that is neither `Allow` nor `Deny`".to_owned());
    }
    let plain = |sid: &str| sid.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if fields
        .get("Sid")
        .is_some_and(|sid| !sid.as_str().is_some_and(plain))
    {
        return Err("has a `Sid` that is no text of letters and digits".to_owned());
    }
    let stands = |field: &str| fields.contains_key(field);
    if stands("Action") == stands("NotAction") {
        return Err("needs either `Action` or `NotAction`".to_owned());
    }
    if stands("Resource") && stands("NotResource") {
        return Err("has both `Resource` and `NotResource`".to_owned());
    }
    let lists = ["Action", "NotAction", "Resource", "NotResource"];
    let is_list = |value: &Value| {
        let all = value.as_array();
        let is_full = |all: &Vec<Value>| !all.is_empty() && all.iter().all(Value::is_string);
        value.is_string() || all.is_some_and(is_full)
    };
    if let Some(field) = lists
        .iter()
        .find(|field| fields.get(**field).is_some_and(|value| !is_list(value)))
    {
        return Err(format!(
            "has a `{field}` that is no text and no list of one or more"
        ));
    }
    let actions = ["Action", "NotAction"].map(|field| texts(fields.get(field)));
    if let Some(action) = actions.iter().flatten().find(|action| !is_action(action)) {
        return Err(format!(
            "names `{action}`, which is no action such as `s3:GetObject`"
        ));
    }
    let resources = ["Resource", "NotResource"].map(|field| texts(fields.get(field)));
    let is_resource = |text: &&&str| text.starts_with("arn:") || text.starts_with('*');
    if let Some(resource) = resources.iter().flatten().find(|one| !is_resource(one)) {
        return Err(format!(
            "names `{resource}`, which is neither an ARN nor `*`"
        ));
    }
    fields.get("Condition").map_or(Ok(()), of_condition)
}

/// Whether a statement says who may take on a role in a form that AWS takes.
///
/// # Errors
/// Why not.
pub fn of_trust(statement: &Value) -> Result<(), String> {
    if statement.get("NotPrincipal").is_some() {
        return Err("has `NotPrincipal`, which no trust policy may have".to_owned());
    }
    let is_who = |who: &Value| match who {
        Value::String(_) => true,
        Value::Array(all) => !all.is_empty() && all.iter().all(Value::is_string),
        _ => false,
    };
    let fits = match statement.get("Principal") {
        Some(Value::String(everybody)) => everybody == "*",
        Some(Value::Object(kinds)) => {
            !kinds.is_empty()
                && kinds
                    .iter()
                    .all(|(kind, who)| PRINCIPALS.contains(&kind.as_str()) && is_who(who))
        }
        _ => false,
    };
    if !fits {
        return Err(format!(
            "has a `Principal` that is neither `\"*\"` nor an object with {}",
            PRINCIPALS.map(|kind| format!("`{kind}`")).join(", ")
        ));
    }
    let actions = ["Action", "NotAction"].map(|field| texts(statement.get(field)));
    let is_of_sts = |action: &&&str| action.to_ascii_lowercase().starts_with("sts:");
    match actions.iter().flatten().find(|action| !is_of_sts(action)) {
        Some(action) => Err(format!(
            "names `{action}`, and roles are taken on by `sts:AssumeRole` and its like alone"
        )),
        None => Ok(()),
    }
}

fn is_action(text: &str) -> bool {
    let plain = |part: &str| {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_*?.".contains(&byte);
        !part.is_empty() && part.bytes().all(letter)
    };
    text == "*"
        || text
            .split_once(':')
            .is_some_and(|(service, name)| plain(service) && plain(name))
}

fn of_condition(condition: &Value) -> Result<(), String> {
    let Some(operators) = condition.as_object() else {
        return Err("has a `Condition` that is no object".to_owned());
    };
    let is_one = |value: &Value| value.is_string() || value.is_number() || value.is_boolean();
    for (operator, keys) in operators {
        if !is_operator(operator) {
            return Err(format!("has a condition `{operator}`, which there is not"));
        }
        let Some(keys) = keys.as_object() else {
            return Err(format!("has a condition `{operator}` that is no object"));
        };
        let fits = |value: &Value| match value.as_array() {
            Some(all) => all.iter().all(is_one),
            None => is_one(value),
        };
        if let Some((key, _)) = keys.iter().find(|(_, value)| !fits(value)) {
            return Err(format!(
                "has a condition on `{key}` that is no value and no list of values"
            ));
        }
    }
    Ok(())
}

fn is_operator(name: &str) -> bool {
    let plain = match name.split_once(':') {
        Some(("ForAnyValue" | "ForAllValues", plain)) => plain,
        Some(_) => return false,
        None => name,
    };
    known(plain.strip_suffix("IfExists").unwrap_or(plain)).is_some()
}

/// An operator as the reference spells it: its case does not matter.
pub fn operator(name: &str) -> String {
    let (set, rest) = match name.split_once(':') {
        Some((set, rest)) => (format!("{set}:"), rest),
        None => (String::new(), name),
    };
    let (plain, end) = match rest.strip_suffix("IfExists") {
        Some(plain) => (plain, "IfExists"),
        None => (rest, ""),
    };
    format!("{set}{}{end}", known(plain).unwrap_or(plain))
}

fn known(plain: &str) -> Option<&'static str> {
    let mut all = OPERATORS.iter().copied();
    all.find(|known| known.eq_ignore_ascii_case(plain))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{of_statement, of_trust};

    #[test]
    fn what_aws_refuses_is_refused() {
        let plain = json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"});
        assert_eq!(of_statement(&plain), Ok(()));
        for (field, value) in [
            ("Sid", json!("a b")),
            ("Action", json!("s3")),
            ("Action", json!("s3:Get Object")),
            ("Action", json!([])),
            ("Resource", json!("foo")),
            ("Condition", json!({"StringEqualz": {"a": "b"}})),
            ("Condition", json!({"StringEquals": "a"})),
            ("Condition", json!({"StringEquals": {"a": {"b": "c"}}})),
            (
                "Condition",
                json!({"ForSomeValues:StringEquals": {"a": "b"}}),
            ),
        ] {
            let mut odd = plain.clone();
            odd[field] = value;
            assert!(of_statement(&odd).is_err(), "{odd}");
        }
        for condition in ["StringEquals", "ForAllValues:StringLikeIfExists", "Null"] {
            let mut bound = plain.clone();
            bound["Condition"] = json!({condition: {"a": ["b", 1, true]}});
            assert_eq!(of_statement(&bound), Ok(()));
        }
    }

    #[test]
    fn who_takes_on_a_role_is_said_as_aws_reads_it() {
        let trust = |principal: serde_json::Value| json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal});
        for who in [
            json!("*"),
            json!({"AWS": "123456789012"}),
            json!({"Service": ["a", "b"]}),
        ] {
            assert_eq!(of_trust(&trust(who)), Ok(()));
        }
        for who in [
            json!("arn:aws:iam::123456789012:root"),
            json!({"Foo": "a"}),
            json!({}),
            json!(null),
            json!({"AWS": 123_456_789_012_u64}),
            json!({"AWS": []}),
        ] {
            let odd = trust(who);
            assert!(of_trust(&odd).is_err(), "{odd}");
        }
        let other = json!({"Effect": "Allow", "Action": "s3:GetObject", "Principal": "*"});
        let not = json!({"Effect": "Allow", "Action": "sts:AssumeRole", "NotPrincipal": "*"});
        assert!(of_trust(&other).is_err() && of_trust(&not).is_err());
    }
}
