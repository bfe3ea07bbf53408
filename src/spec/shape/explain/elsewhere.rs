//! Where the language has a field that was written where it may not stand.

use indexmap::IndexMap;
use serde_json::Value;

use super::words::{dotted, list};
use crate::yaml::Node;

/// More places than these help nobody.
const MOST: usize = 2;

/// Says where a field stands: at the thing of the same name as the one at `path`, where it was
/// written, or at the few places that it has. What is taken for misspelt is only told the former.
pub fn place(
    field: &str,
    path: &[String],
    misspelt: bool,
    schema: &Value,
    tree: &Node,
) -> Option<String> {
    // Who writes a section that there is not has something else in mind.
    let section = path.first()?;
    let mut places = places(field, path, schema, tree);
    match places.iter().position(|place| place.is_of_same_name) {
        Some(position) => places = vec![places.swap_remove(position)],
        None if misspelt => return None,
        None if places.len() > MOST => places.retain(|place| place.path.starts_with(section)),
        None => {}
    }
    if places.is_empty() || places.len() > MOST {
        return None;
    }
    let places: Vec<String> = places.iter().map(Place::in_words).collect();
    Some(format!("`{field}` stands at {}", places.join(" or at ")))
}

/// All places of a field.
fn places<'s>(field: &str, path: &[String], schema: &'s Value, tree: &Node) -> Vec<Place<'s>> {
    let mut walk = Walk {
        schema,
        field,
        places: IndexMap::new(),
    };
    walk.below(schema, &Step::default(), &mut Vec::new());
    let places = walk.places.into_iter();
    places
        .map(|(place, kinds)| Place::of(&place, kinds, path, tree))
        .collect()
}

/// Where a field stands.
struct Place<'s> {
    path: String,
    /// Those to which it belongs, where it does not belong to all.
    kinds: Vec<&'s str>,
    /// Whether there is a thing there that has the name of the one where the field was written.
    is_of_same_name: bool,
}

impl<'s> Place<'s> {
    fn of(place: &[&str], kinds: Vec<&'s str>, written: &[String], tree: &Node) -> Self {
        let own = written.last().map_or(NAME, String::as_str);
        let same: Vec<String> = place
            .iter()
            .map(|&part| if part == NAME { own } else { part }.to_owned())
            .collect();
        let there = same.iter().try_fold(tree, |node, part| node.get(part));
        let is_of_same_name = place.contains(&NAME) && there.is_some() && same != written;
        let path = match is_of_same_name {
            true => dotted(&same),
            false => place.join("."),
        };
        Self {
            path,
            kinds,
            is_of_same_name,
        }
    }

    fn in_words(&self) -> String {
        let Self { path, kinds, .. } = self;
        match kinds.is_empty() {
            true => format!("`{path}`"),
            false => format!("`{path}` of kind {}", list(kinds).replace("`, `", "` or `")),
        }
    }
}

/// What stands for a name that the project chooses.
const NAME: &str = "NAME";

/// The names on the way to a mapping, and its kind where only those of one kind are meant.
#[derive(Default)]
struct Step<'s> {
    path: Vec<&'s str>,
    kind: Option<&'s str>,
}

struct Walk<'s, 'f> {
    schema: &'s Value,
    field: &'f str,
    /// The kinds by place; none where the kind does not matter.
    places: IndexMap<Vec<&'s str>, Vec<&'s str>>,
}

impl<'s> Walk<'s, '_> {
    /// Looks into a schema; `within` holds the definitions that it is part of.
    fn below(&mut self, schema: &'s Value, step: &Step<'s>, within: &mut Vec<&'s str>) {
        if let Some(definition) = schema.get("$ref").and_then(Value::as_str) {
            let pointer = definition.trim_start_matches('#');
            if let (false, Some(schema)) =
                (within.contains(&definition), self.schema.pointer(pointer))
            {
                within.push(definition);
                self.below(schema, step, within);
                within.pop();
            }
        }
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            if name == self.field && !step.path.is_empty() {
                let kinds = self.places.entry(step.path.clone()).or_default();
                kinds.extend(step.kind.filter(|kind| !kinds.contains(kind)));
            }
            self.below(property, &step.with(name), within);
        }
        if let Some(named) = schema.get("additionalProperties") {
            self.below(named, &step.with(NAME), within);
        }
        if let Some(item) = schema.get("items") {
            self.below(item, step, within);
        }
        for either in ["allOf", "anyOf", "oneOf"] {
            for one in schema
                .get(either)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                self.below(one, step, within);
            }
        }
        if let Some(then) = schema.get("then") {
            let kind = then
                .pointer("/properties/kind/const")
                .and_then(Value::as_str);
            let of_kind = Step {
                path: step.path.clone(),
                kind,
            };
            self.below(then, &of_kind, within);
        }
    }
}

impl<'s> Step<'s> {
    fn with(&self, name: &'s str) -> Self {
        let path = self.path.iter().copied().chain([name]).collect();
        Self {
            path,
            kind: self.kind,
        }
    }
}
