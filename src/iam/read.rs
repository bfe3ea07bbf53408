//! Documents that somebody else wrote: read as they are, so that nothing of them is lost.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

mod form;

pub(super) use form::operator;

/// Why a text is no policy document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable(pub String);

/// The longest text that is read: AWS has no document of a tenth of that.
const LONGEST: usize = 1 << 20;

/// What a document is for: what may be done, or who may take on a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Has resources, and no principals.
    Permissions,
    /// Has principals, and no resources.
    Trust,
}

/// Reads a policy document: by itself, or in the answer of AWS that has it.
///
/// # Errors
/// It is no JSON, a name stands twice in an object, or AWS would refuse it for its form.
pub fn read(text: &str) -> Result<Value, Unreadable> {
    let document = parse(text.strip_prefix('\u{feff}').unwrap_or(text))?;
    let document = taken_out(document)?;
    check(&document).map_err(Unreadable)?;
    Ok(document)
}

/// Whether a document is for this.
///
/// # Errors
/// It is for the other, or AWS would refuse it for this.
pub fn is_for(document: &Value, purpose: Purpose) -> Result<(), Unreadable> {
    for (index, statement) in statements(document).iter().enumerate() {
        let stands = |fields: [&str; 2]| fields.iter().any(|one| statement.get(one).is_some());
        let (principal, resource) = (
            stands(["Principal", "NotPrincipal"]),
            stands(["Resource", "NotResource"]),
        );
        let why = match (purpose, principal, resource) {
            (Purpose::Permissions, false, true) => continue,
            (Purpose::Trust, true, false) => match form::of_trust(statement) {
                Ok(()) => continue,
                Err(why) => return Err(Unreadable(format!("statement {} {why}", index + 1))),
            },
            (Purpose::Permissions, true, _) => {
                "names a principal: it says who may take on a role, not what that may do"
            }
            (Purpose::Permissions, false, false) => "has no `Resource`",
            (Purpose::Trust, _, true) => {
                "names a resource: it says what may be done, not who may take on a role"
            }
            (Purpose::Trust, false, false) => "has no `Principal`",
        };
        return Err(Unreadable(format!("statement {} {why}", index + 1)));
    }
    Ok(())
}

fn parse(text: &str) -> Result<Value, Unreadable> {
    if text.len() > LONGEST {
        return Err(Unreadable("it is longer than 1 MiB".to_owned()));
    }
    let Unique(document) =
        serde_json::from_str(text).map_err(|error| Unreadable(error.to_string()))?;
    Ok(document)
}

/// Where the answers of AWS have a document: `get-role-policy` and those of users and groups,
/// `get-policy-version`, `get-role`.
const ANSWERS: &[&[&str]] = &[
    &["PolicyDocument"],
    &["PolicyVersion", "Document"],
    &["Role", "AssumeRolePolicyDocument"],
];

/// The document of an answer. The API itself, and some programs, write it as a text whose letters are
/// escaped as in addresses.
fn taken_out(answer: Value) -> Result<Value, Unreadable> {
    let mut found = ANSWERS.iter().filter_map(|path| {
        path.iter()
            .try_fold(&answer, |value, field| value.get(field))
    });
    let document = match found.next() {
        Some(document) => document.clone(),
        None => answer,
    };
    match document {
        Value::String(text) => {
            let plain = match text.trim_start().starts_with('%') {
                true => unescaped(&text),
                false => Some(text),
            };
            parse(&plain.ok_or_else(|| Unreadable("it is not UTF-8".to_owned()))?)
        }
        document => Ok(document),
    }
}

/// What AWS calls the policy in whose answer a document stands.
pub fn name_of_answer(text: &str) -> Option<String> {
    let answer = parse(text.strip_prefix('\u{feff}').unwrap_or(text)).ok()?;
    let name = answer.get("PolicyName")?.as_str()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    let is_name = (1..=128).contains(&name.len()) && name.bytes().all(plain);
    is_name.then(|| name.to_owned())
}

/// Whose policy the answer is in which a document stands: a role, user or group by name.
pub fn holder_of_answer(text: &str) -> Option<String> {
    let answer = parse(text.strip_prefix('\u{feff}').unwrap_or(text)).ok()?;
    let role = answer.get("Role").unwrap_or(&answer);
    let names = ["RoleName", "UserName", "GroupName"];
    let mut names = names.iter().filter_map(|name| role.get(name)?.as_str());
    names.next().map(str::to_owned)
}

/// `%7B` is `{`; what is no escape stands for itself.
fn unescaped(text: &str) -> Option<String> {
    let mut all = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let escaped = match byte {
            b'%' => digit(ahead.next()).zip(digit(ahead.next())),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                all.push(u8::try_from(high * 16 + low).ok()?);
                bytes = ahead;
            }
            None => all.push(byte),
        }
    }
    String::from_utf8(all).ok()
}

/// The statements of a document: one may stand alone, without a list.
pub fn statements(document: &Value) -> &[Value] {
    match document.get("Statement") {
        Some(Value::Array(all)) => all,
        Some(one) => std::slice::from_ref(one),
        None => &[],
    }
}

/// One text, or a list of them.
pub(super) fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn check(document: &Value) -> Result<(), String> {
    let Some(fields) = document.as_object() else {
        return Err("it is no object".to_owned());
    };
    let known = ["Version", "Id", "Statement"];
    if let Some(field) = fields.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(format!("a policy has no `{field}`"));
    }
    let versions = [None, Some("2012-10-17"), Some("2008-10-17")];
    let version = fields.get("Version");
    if version.is_some_and(|version| !version.is_string())
        || !versions.contains(&version.and_then(Value::as_str))
    {
        return Err("its `Version` is neither `2012-10-17` nor `2008-10-17`".to_owned());
    }
    if !fields.contains_key("Statement") {
        return Err("it has no `Statement`".to_owned());
    }
    let mut sids = BTreeSet::new();
    for (index, statement) in statements(document).iter().enumerate() {
        let number = index + 1;
        form::of_statement(statement).map_err(|why| format!("statement {number} {why}"))?;
        let sid = statement.get("Sid").and_then(Value::as_str).unwrap_or("");
        if !sid.is_empty() && !sids.insert(sid) {
            return Err(format!("two statements have the Sid `{sid}`"));
        }
    }
    Ok(())
}

/// A value in whose objects no name stands twice: of two, a reader keeps one, and nobody knows which.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Values).map(Unique)
    }
}

struct Values;

impl<'de> Visitor<'de> for Values {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Unique(item)) = items.next_element()? {
            all.push(item);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some((name, Unique(value))) = fields.next_entry::<String, Unique>()? {
            if all.contains_key(&name) {
                return Err(de::Error::custom(format!("`{name}` stands twice")));
            }
            all.insert(name, value);
        }
        Ok(Value::Object(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_aws_refuses_is_refused_with_its_reason() {
        let allow = r#""Effect": "Allow", "Action": "s3:GetObject", "Resource": "*""#;
        for (text, why) in [
            ("{".to_owned(), "EOF"),
            ("[]".to_owned(), "no object"),
            ("{}".to_owned(), "no `Statement`"),
            (
                r#"{"Statement": [], "Statement": []}"#.to_owned(),
                "`Statement` stands twice",
            ),
            (r#"{"statement": []}"#.to_owned(), "no `statement`"),
            (
                r#"{"Version": "2013-01-01", "Statement": []}"#.to_owned(),
                "Version",
            ),
            (
                r#"{"Statement": [1]}"#.to_owned(),
                "statement 1 is no object",
            ),
            (
                r#"{"Statement": {"Effect": "allow", "Action": "*"}}"#.to_owned(),
                "Effect",
            ),
            (r#"{"Statement": {"Effect": "Allow"}}"#.to_owned(), "Action"),
            (
                r#"{"Statement": {"Effect": "Allow", "Action": [1]}}"#.to_owned(),
                "Action",
            ),
            (
                format!(r#"{{"Statement": [{{"Sid": "A", {allow}}}, {{"Sid": "A", {allow}}}]}}"#),
                "Sid `A`",
            ),
            (
                format!(r#"{{"Statement": {{{allow}, "Actions": []}}}}"#),
                "`Actions`",
            ),
        ] {
            let found = read(&text).unwrap_err();
            assert!(found.0.contains(why), "{text}: {}", found.0);
        }
        let alone = read(&format!(r#"{{"Statement": {{{allow}}}}}"#)).unwrap();
        assert_eq!(statements(&alone).len(), 1);
    }

    #[test]
    fn a_document_is_found_in_the_answers_of_aws() {
        let plain = r#"{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::a%b"}}"#;
        let document = read(plain).unwrap();
        let escaped: String = plain.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let some = plain
            .replace('%', "%25")
            .replace('{', "%7b")
            .replace('"', "%22");
        for answer in [
            format!("\u{feff}{}", plain.replace(' ', "\r\n")),
            format!(r#"{{"RoleName": "r", "PolicyName": "p", "PolicyDocument": {plain}}}"#),
            format!(r#"{{"PolicyVersion": {{"VersionId": "v1", "Document": {plain}}}}}"#),
            format!(r#"{{"Role": {{"RoleName": "r", "AssumeRolePolicyDocument": {plain}}}}}"#),
            format!(r#"{{"PolicyDocument": "{escaped}"}}"#),
            format!(r#""{some}""#),
        ] {
            assert_eq!(read(&answer).unwrap(), document, "{answer}");
        }
        for wrong in [
            r#""{""#,
            r#"{"PolicyDocument": 1}"#,
            r#""%FF""#,
            r#"{"PolicyNames": []}"#,
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn permissions_are_told_from_trust() {
        let permissions =
            read(r#"{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}"#)
                .unwrap();
        let trust = read(
            r#"{"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}]}"#,
        )
        .unwrap();
        let neither = read(r#"{"Statement": [{"Effect": "Allow", "Action": "s3:*"}]}"#).unwrap();
        for purpose in [Purpose::Permissions, Purpose::Trust] {
            assert_eq!(
                is_for(&permissions, purpose).is_ok(),
                purpose == Purpose::Permissions
            );
            assert_eq!(is_for(&trust, purpose).is_ok(), purpose == Purpose::Trust);
            assert!(is_for(&neither, purpose).is_err());
        }
    }
}
