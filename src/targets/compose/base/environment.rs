//! `environment`, as a list or a mapping, and how two of them merge.

use std::collections::{HashMap, HashSet};

use super::{EnvironmentValue, draft, number};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::yaml::{Kind, Node};

/// One setting.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    pub name: String,
    pub value: EnvironmentValue,
    pub span: Span,
}

/// The `environment` of a service, as far as it is merged.
#[derive(Debug, Clone, Default)]
pub(super) struct Environment {
    /// Each name once.
    pub settings: Vec<Setting>,
    /// Compose turns mappings into lists when it merges them, and `!reset` of a single variable
    /// does not find it in a list.
    pub listed: bool,
    /// Names whose value in the files before is taken away by `!reset` or `!override`.
    cleared: HashSet<String>,
}

impl Environment {
    /// Reads a list or a mapping.
    pub fn read(node: &Node, service: &str, found: &mut Vec<Diagnostic>) -> Self {
        let mut environment = Self::default();
        match &node.kind {
            Kind::Mapping(entries) => {
                for entry in entries {
                    let name = entry.key.to_string();
                    if draft::clears(&entry.value) {
                        environment.cleared.insert(name.clone());
                    }
                    if draft::is_reset(&entry.value) {
                        continue;
                    }
                    let Some(value) = of_mapping(&entry.value) else {
                        let at = format!("services.{service}.environment.{name}");
                        found.push(draft::shape(&entry.value, &at, "one value"));
                        continue;
                    };
                    environment.settings.push(Setting {
                        name,
                        value,
                        span: entry.key_span,
                    });
                }
            }
            Kind::Sequence(items) => {
                environment.listed = true;
                for item in items.iter().filter(|item| !draft::is_reset(item)) {
                    match item.text() {
                        Some(text) => environment.settings.push(of_list(text, item.span)),
                        None => found.push(not_a_setting(item, service)),
                    }
                }
                environment.settings = unique(std::mem::take(&mut environment.settings));
            }
            Kind::Scalar { .. } if node.is_null() => {}
            Kind::Scalar { .. } => {
                let at = format!("services.{service}.environment");
                found.push(draft::shape(node, &at, "a mapping or a list"));
            }
        }
        environment
    }

    /// The same without what it takes away from the files before.
    pub fn forgotten(mut self) -> Self {
        self.cleared.clear();
        self
    }

    /// What both say; `over` wins.
    pub fn merged(mut self, over: &Self) -> Self {
        if !self.listed && !over.cleared.is_empty() {
            self.settings
                .retain(|setting| !over.cleared.contains(&setting.name));
        }
        self.settings.extend(over.settings.iter().cloned());
        Self {
            settings: unique(self.settings),
            listed: true,
            cleared: over.cleared.clone(),
        }
    }
}

fn of_mapping(node: &Node) -> Option<EnvironmentValue> {
    let Kind::Scalar { text, plain } = &node.kind else {
        return None;
    };
    // To go-yaml a tag that it does not know makes a text of anything, `!override 012` too.
    let plain = *plain && node.tag.is_none();
    Some(match number::printed(text, plain) {
        Some(text) => EnvironmentValue::Text(text),
        None => EnvironmentValue::FromHost,
    })
}

fn of_list(text: &str, span: Span) -> Setting {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, EnvironmentValue::Text(value.to_owned())),
        None => (text, EnvironmentValue::FromHost),
    };
    Setting {
        name: name.to_owned(),
        value,
        span,
    }
}

/// A name keeps its first place and gets its last value.
fn unique(settings: Vec<Setting>) -> Vec<Setting> {
    let mut places: HashMap<String, usize> = HashMap::with_capacity(settings.len());
    let mut kept: Vec<Setting> = Vec::with_capacity(settings.len());
    for setting in settings {
        match places.get(&setting.name) {
            Some(place) => kept[*place] = setting,
            None => {
                places.insert(setting.name.clone(), kept.len());
                kept.push(setting);
            }
        }
    }
    kept
}

fn not_a_setting(item: &Node, service: &str) -> Diagnostic {
    let at = format!("services.{service}.environment");
    let diagnostic = draft::shape(item, &at, "texts such as `NAME=value`");
    match item.entries().first() {
        Some(entry) => {
            let value = entry.value.text().unwrap_or("value");
            diagnostic.help(format!("write `- {}={value}`", entry.key))
        }
        None => diagnostic,
    }
}
