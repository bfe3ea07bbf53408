//! Joining one tree with another: a mapping key by key, a list element by element where its elements
//! have a key of their own, anything else replaced; null takes away. Kubernetes calls it a strategic
//! merge.

use serde_json::{Map, Value};

/// The key by which the elements of the list under a field are told apart, such as these of a patch;
/// `None` where a list can only be replaced.
pub type ElementKey = fn(field: &str, patch: &[Value]) -> Option<&'static str>;

/// What a value of `field` becomes.
pub fn merged(base: Value, patch: &Value, field: &str, key: ElementKey) -> Value {
    match (base, patch) {
        (Value::Object(base), Value::Object(patch)) => merged_object(base, patch, key).into(),
        (Value::Null, Value::Object(patch)) => merged_object(Map::new(), patch, key).into(),
        (Value::Array(base), Value::Array(patch)) => match key(field, patch) {
            Some(name) => merged_list(base, patch, name, key).into(),
            None => patch.clone().into(),
        },
        (_, patch) => patch.clone(),
    }
}

/// The place of an element in a list.
pub fn place(list: &[Value], element: &Value, key: &str) -> Option<usize> {
    let name = element.get(key)?;
    list.iter().position(|one| one.get(key) == Some(name))
}

fn merged_object(
    mut base: Map<String, Value>,
    patch: &Map<String, Value>,
    key: ElementKey,
) -> Map<String, Value> {
    for (name, value) in patch {
        match (base.get_mut(name), value) {
            (Some(_), Value::Null) => {
                base.shift_remove(name);
            }
            (None, Value::Null) => {}
            (Some(slot), _) => *slot = merged(slot.take(), value, name, key),
            (None, _) => {
                base.insert(name.clone(), value.clone());
            }
        }
    }
    base
}

/// New elements stand behind the one that the patch has in front of them, or before all others.
fn merged_list(base: Vec<Value>, patch: &[Value], name: &str, key: ElementKey) -> Vec<Value> {
    let mut list = base;
    let mut next = 0;
    for element in patch {
        match place(&list, element, name) {
            Some(index) => {
                let value = std::mem::take(&mut list[index]);
                list[index] = merged(value, element, "", key);
                next = index + 1;
            }
            None => {
                list.insert(next, element.clone());
                next += 1;
            }
        }
    }
    list
}
