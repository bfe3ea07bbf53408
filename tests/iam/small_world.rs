//! A world so small that all of its requests can be asked: what the plan says of a change, beside what becomes
//! of each of them.

use proptest::prelude::*;
use serde_json::{Value, json};
use tlsgen::iam::{Change, difference};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever a request of a small world is newly allowed or refused, the plan says so.
    #[test]
    fn no_change_of_what_is_allowed_goes_unsaid(before in small_document(), after in small_document()) {
        let said = difference(Some(&before), &after);
        let mut changed = [false, false];
        for request in requests() {
            match (allows(&before, request), allows(&after, request)) {
                (false, true) => changed[0] = true,
                (true, false) => changed[1] = true,
                _ => {}
            }
        }
        let wider = said.iter().any(|one| matches!(one, Change::Wider(_)));
        let narrower = said.iter().any(|one| matches!(one, Change::Narrower(_)));
        prop_assert!(wider || !changed[0], "{before} {after} {said:?}");
        prop_assert!(narrower || !changed[1], "{before} {after} {said:?}");
        prop_assert_eq!(difference(Some(&before), &before), []);
    }
}

/// An action, a resource, and the value of the only key, if the request has it.
type Request = (&'static str, &'static str, Option<&'static str>);

fn requests() -> impl Iterator<Item = Request> {
    let actions = ["s:AA", "s:AB", "i:AA"];
    let resources = ["a1", "a2", "b"];
    let contexts = [None, Some("1"), Some("2"), Some("3")];
    actions.into_iter().flat_map(move |action| {
        let pairs = resources
            .into_iter()
            .flat_map(move |resource| contexts.into_iter().map(move |context| (resource, context)));
        pairs.map(move |(resource, context)| (action, resource, context))
    })
}

/// The evaluation of policies as the IAM User Guide describes it, written down once more.
fn allows(document: &Value, (action, resource, context): Request) -> bool {
    let list = |value: &Value| -> Vec<String> {
        let all = value.as_array().cloned().unwrap_or(vec![value.clone()]);
        all.iter()
            .map(|one| one.as_str().unwrap().to_owned())
            .collect()
    };
    let among = |statement: &Value, field: &str, text: &str| match statement.get(field) {
        Some(patterns) => list(patterns).iter().any(|one| fits(one, text)),
        None => !list(&statement[&format!("Not{field}")])
            .iter()
            .any(|one| fits(one, text)),
    };
    let holds = |statement: &Value| {
        let operators = statement.get("Condition").and_then(Value::as_object);
        operators.into_iter().flatten().all(|(operator, keys)| {
            let values = list(&keys["k"]);
            match operator.as_str() {
                "StringEquals" => context.is_some_and(|it| values.iter().any(|one| one == it)),
                "StringLike" => context.is_some_and(|it| values.iter().any(|one| fits(one, it))),
                "StringEqualsIfExists" => {
                    context.is_none_or(|it| values.iter().any(|one| one == it))
                }
                "NumericLessThan" => {
                    context.is_some_and(|it| values.iter().any(|one| it < one.as_str()))
                }
                _ => context.is_none_or(|it| values.iter().all(|one| one != it)),
            }
        })
    };
    let statements = document["Statement"].as_array().unwrap();
    let applying = |effect: &str| {
        statements.iter().any(|one| {
            one["Effect"] == effect
                && among(one, "Action", action)
                && among(one, "Resource", resource)
                && holds(one)
        })
    };
    applying("Allow") && !applying("Deny")
}

/// One letter after the other.
fn fits(pattern: &str, text: &str) -> bool {
    match (pattern.chars().next(), text.chars().next()) {
        (None, None) => true,
        (Some('*'), Some(_)) => fits(&pattern[1..], text) || fits(pattern, &text[1..]),
        (Some('*'), None) => fits(&pattern[1..], text),
        (Some(a), Some(b)) => (a == '?' || a == b) && fits(&pattern[1..], &text[1..]),
        _ => false,
    }
}

fn small_document() -> impl Strategy<Value = Value> {
    let some = |patterns: &'static [&'static str]| prop::sample::subsequence(patterns, 1..3);
    let action = (
        any::<bool>(),
        some(&["*", "s:*", "s:AA", "s:?B", "i:AA", "*:AA"]),
    );
    let resource = (any::<bool>(), some(&["*", "a*", "a1", "a?", "b"]));
    let values = some(&["1", "2", "3"]);
    let operators = [
        "StringEquals",
        "StringEqualsIfExists",
        "StringLike",
        "StringNotEquals",
        "NumericLessThan",
    ];
    let condition = prop::option::of((prop::sample::select(operators.to_vec()), values));
    let statement = (any::<bool>(), action, resource, condition);
    let statement =
        statement.prop_map(|(allow, action, resource, condition)| {
            let mut all = serde_json::Map::new();
            all.insert(
                "Effect".to_owned(),
                if allow { "Allow" } else { "Deny" }.into(),
            );
            let field = |not: bool, name: &str| format!("{}{name}", if not { "Not" } else { "" });
            all.insert(field(action.0, "Action"), json!(action.1));
            all.insert(field(resource.0, "Resource"), json!(resource.1));
            all.extend(condition.map(|(operator, values)| {
                ("Condition".to_owned(), json!({operator: {"k": values}}))
            }));
            Value::Object(all)
        });
    prop::collection::vec(statement, 1..4).prop_map(|all| json!({"Statement": all}))
}
