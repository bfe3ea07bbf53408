//! What a function is told: a spec in so many words, or a file and one of its targets.

use serde_json::{Map, Value, json};

use super::list::ResourceList;
use crate::yaml::{Node, emit};

/// What a spec that stands in the function's configuration is called.
pub const INLINE: &str = "functionConfig";
/// What its target is told, since a function has no files and writes none.
const NEITHER: [(&str, &str); 2] = [("files", "items"), ("output", "component")];

/// What a function is told.
#[derive(Debug)]
pub enum Config {
    /// The spec itself, as a text of its own.
    Inline(String),
    /// A file.
    File {
        /// Where, from the working directory.
        path: String,
        /// Which target, where it has several.
        target: Option<String>,
    },
}

impl Config {
    /// What the list says.
    ///
    /// # Errors
    /// What is missing or too much, in words for a terminal.
    pub fn read(list: &ResourceList) -> Result<Self, String> {
        let config = list
            .config()
            .ok_or_else(|| lacking("no `functionConfig`"))?;
        // kpt brings what is said on its command line as a ConfigMap.
        let said = match config.get("kind").and_then(Node::text) {
            Some("ConfigMap") => config.get("data").unwrap_or(config),
            _ => config,
        };
        let text = |field| said.get(field).and_then(Node::text).map(str::to_owned);
        match (said.get("spec"), text("file")) {
            (Some(_), Some(_)) => {
                Err("`functionConfig` has both `spec` and `file`: keep one".to_owned())
            }
            (None, None) => Err(lacking("neither `spec` nor `file` in `functionConfig`")),
            (None, Some(path)) => Ok(Self::File {
                path,
                target: text("target"),
            }),
            (Some(spec), None) => inline(spec.to_json(), name(config)).map(Self::Inline),
        }
    }
}

fn lacking(what: &str) -> String {
    format!(
        "there is {what}: write the spec there under `spec`, or name its file, `file: tlsgen.yaml`"
    )
}

fn name(config: &Node) -> Option<&str> {
    config.get("metadata")?.get("name")?.text()
}

/// The spec as a file would have it: the project is called like the function if nothing else is said,
/// and the target reads and writes the items.
fn inline(spec: Value, name: Option<&str>) -> Result<String, String> {
    let Value::Object(spec) = spec else {
        return Err(
            "`spec` in `functionConfig` is no mapping: write there what `tlsgen.yaml` has"
                .to_owned(),
        );
    };
    let mut whole = Map::from_iter([("version".to_owned(), json!(1))]);
    whole.extend(name.map(|name| ("project".to_owned(), name.into())));
    whole.extend(spec);
    let targets = whole.get_mut("targets").and_then(Value::as_object_mut);
    for target in targets.into_iter().flat_map(Map::values_mut) {
        let Value::Object(target) = target else {
            continue;
        };
        let mut fields = NEITHER.iter().map(|(field, _)| field);
        if let Some(field) = fields.find(|field| target.contains_key(**field)) {
            return Err(format!(
                "the target in `functionConfig` has `{field}`: leave it out, a function reads and writes items"
            ));
        }
        let [(files, items), (output, component)] = NEITHER;
        target.insert(files.to_owned(), json!([items]));
        target.insert(output.to_owned(), component.into());
    }
    emit(&whole).map_err(|error| format!("`spec` in `functionConfig`: {error}"))
}
