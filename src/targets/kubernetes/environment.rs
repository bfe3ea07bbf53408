//! Variables of containers: joined with what the container sets already, never instead of it.

use std::collections::BTreeMap;

use serde_json::json;

use super::manifest::{Container, EnvFrom, Manifests, VariableValue, Workload};
use super::patch::EnvironmentVariable;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::provision::{Existing, Variable};
use crate::source::Span;

pub static TAKEN: Code = Code {
    name: "env-taken",
    severity: Severity::Error,
    summary: "a container already sets a variable by which it is to learn a file, or whom to trust",
    manual: include_str!("manual/env-taken.md"),
};
pub static NOT_JOINABLE: Code = Code {
    name: "env-not-joinable",
    severity: Severity::Error,
    summary: "a variable must be joined with one that may not be there when the pod starts",
    manual: include_str!("manual/env-not-joinable.md"),
};
pub static UNREAD: Code = Code {
    name: "env-from-unread",
    severity: Severity::Warning,
    summary: "variables come from a ConfigMap or Secret that is not among the manifests",
    manual: include_str!("manual/env-from-unread.md"),
};

/// A flag that stands in any variable with Java options, and beats `JAVA_TOOL_OPTIONS`.
const TRUSTSTORE_FLAG: &str = "-Djavax.net.ssl.trustStore=";

/// A container whose variables are joined.
#[derive(Clone, Copy)]
pub struct Joining<'j> {
    /// The manifests, for what its variables come from.
    pub manifests: &'j Manifests,
    /// Its workload.
    pub workload: &'j Workload,
    /// The container.
    pub container: &'j Container,
    /// What asks for the variables.
    pub asked: Span,
    /// The thing in the spec that this is about.
    pub subject: &'j str,
}

/// Variables that a source of variables may set, by its place among those of the container.
type Unread = BTreeMap<usize, Vec<String>>;

impl<'j> Joining<'j> {
    /// The variables as a patch has them, those of the base that must stand before them included.
    pub fn variables(
        self,
        ours: &[Variable],
        directory: &str,
        found: &mut Vec<Diagnostic>,
    ) -> Vec<EnvironmentVariable> {
        let mut joined = Vec::with_capacity(ours.len());
        let mut unread = Unread::new();
        for variable in ours {
            // A `$` in ours is a `$`: `$(NAME)` would be filled in.
            let text = variable.value.at(directory).replace('$', "$$");
            match self.one(variable, text, &mut unread) {
                Ok(entries) => joined.push((variable.name.as_str(), entries)),
                Err(diagnostic) => found.push(*diagnostic),
            }
        }
        found.extend(
            unread
                .into_iter()
                .map(|(at, names)| self.unread(at, &names)),
        );
        self.in_order(joined)
    }

    /// A truststore that is named on some command line would win over ours.
    pub fn truststore_elsewhere(self) -> Vec<Diagnostic> {
        let variables = self.container.env.iter().filter_map(|it| match &it.value {
            VariableValue::Text(text) => Some((text, it.span)),
            VariableValue::From(_) => None,
        });
        let words = self
            .container
            .words
            .iter()
            .map(|(word, span)| (word, *span));
        let naming = variables
            .chain(words)
            .filter(|(text, _)| text.contains(TRUSTSTORE_FLAG));
        naming
            .map(|(_, span)| {
                let message = format!("`{}` already names a truststore", self.container.name);
                Diagnostic::new(&TAKEN, span, message)
                    .label("this one would be used, or ours instead of it")
                    .also(self.asked, "what this asks for needs its own")
                    .help(format!("take `{TRUSTSTORE_FLAG}…` out of it; if that store holds a CA that is needed, give that CA to `authorities` and `trust`"))
            })
            .collect()
    }

    fn one(
        self,
        variable: &Variable,
        ours: String,
        unread: &mut Unread,
    ) -> Result<Vec<EnvironmentVariable>, Box<Diagnostic>> {
        let name = &variable.name;
        let Some(existing) = self.container.variable(name) else {
            return self.said_elsewhere(variable, ours, unread);
        };
        match (variable.existing, &existing.value) {
            (Existing::Append, VariableValue::Text(text)) => {
                Ok(vec![plain(name, behind(text, &ours))])
            }
            (Existing::Append, VariableValue::From(source)) => {
                if may_be_missing(source) {
                    return Err(Box::new(self.not_joinable(name, existing.span)));
                }
                let nothing = Some(serde_json::Value::Null);
                Ok(carried(name, source.clone(), &ours, nothing))
            }
            (Existing::Conflict, VariableValue::Text(text)) if *text == ours => {
                Ok(vec![plain(name, ours)])
            }
            (Existing::Conflict, _) => Err(Box::new(self.taken(name, existing.span))),
        }
    }

    /// What all entries of a ConfigMap or Secret set; of several, the last one holds. What one of them
    /// sets is referred to and not repeated: an overlay may change it.
    fn said_elsewhere(
        self,
        variable: &Variable,
        ours: String,
        unread: &mut Unread,
    ) -> Result<Vec<EnvironmentVariable>, Box<Diagnostic>> {
        let name = &variable.name;
        for (at, from) in self.container.env_from.iter().enumerate().rev() {
            let Some(key) = name.strip_prefix(from.prefix.as_str()) else {
                continue;
            };
            let Some(entry) = self.entry(from, key) else {
                unread.entry(at).or_default().push(name.clone());
                continue;
            };
            let Some(text) = entry else { continue };
            return match variable.existing {
                Existing::Append => {
                    let field = match from.kind {
                        "Secret" => "secretKeyRef",
                        _ => "configMapKeyRef",
                    };
                    let source = json!({field: {"name": from.name, "key": key}});
                    Ok(carried(name, source, &ours, None))
                }
                Existing::Conflict if text == Some(ours.as_str()) => Ok(vec![plain(name, ours)]),
                Existing::Conflict => Err(Box::new(self.taken(name, from.span))),
            };
        }
        Ok(vec![plain(name, ours)])
    }

    /// The entry of a key: nothing where the manifests do not have the source, nothing in it where
    /// that has no such entry; its text only of a ConfigMap.
    fn entry(self, from: &EnvFrom, key: &str) -> Option<Option<Option<&'j str>>> {
        let own = &self.workload.namespace;
        let is_it = |name: &str, namespace: &Option<String>| {
            // One of the two that says none is in the namespace of the other.
            name == from.name && (namespace == own || namespace.is_none() || own.is_none())
        };
        if from.kind == "Secret" {
            let mut secrets = self.manifests.secrets.iter();
            let secret = secrets.find(|one| is_it(&one.name, &one.namespace))?;
            return Some(secret.keys.iter().any(|known| known == key).then_some(None));
        }
        let mut maps = self.manifests.config_maps.iter();
        let map = maps.find(|one| is_it(&one.name, &one.namespace))?;
        let entry = map.texts.iter().find(|(known, _)| known == key);
        Some(entry.map(|(_, text)| Some(text.as_str())))
    }

    /// Ours stand in front of what the base has; what ours is filled in from must stand before it.
    fn in_order(self, joined: Vec<(&str, Vec<EnvironmentVariable>)>) -> Vec<EnvironmentVariable> {
        let base = &self.container.env;
        let filled = |entries: &[EnvironmentVariable]| {
            let texts = entries.iter().filter_map(|entry| entry.value.as_deref());
            texts.into_iter().any(|text| text.contains("$("))
        };
        let last = joined
            .iter()
            .filter(|(_, entries)| entries.len() == 1 && filled(entries))
            .filter_map(|(name, _)| base.iter().rposition(|it| it.name == *name))
            .max();
        let mut ordered: Vec<EnvironmentVariable> = Vec::new();
        let mut joined: Vec<_> = joined.into_iter().map(Some).collect();
        for known in base.iter().take(last.map_or(0, |last| last + 1)) {
            if ordered.iter().any(|it| it.name == known.name) {
                continue;
            }
            let is_it =
                |it: &Option<(&str, _)>| it.as_ref().is_some_and(|(name, _)| *name == known.name);
            match joined.iter().position(is_it) {
                Some(at) => ordered.extend(joined[at].take().into_iter().flat_map(|(_, all)| all)),
                None => ordered.push(EnvironmentVariable {
                    name: known.name.clone(),
                    ..EnvironmentVariable::default()
                }),
            }
        }
        ordered.extend(joined.into_iter().flatten().flat_map(|(_, all)| all));
        ordered
    }

    fn taken(self, name: &str, span: Span) -> Diagnostic {
        let message = format!("`{}` already sets `{name}`", self.container.name);
        Diagnostic::new(&TAKEN, span, message)
            .label("it names one thing and cannot name two")
            .also(self.asked, "what this asks for would replace it")
            .help("remove it here; if it names a CA that is needed, give that CA to `authorities` and `trust`")
    }

    fn not_joinable(self, name: &str, span: Span) -> Diagnostic {
        let message = format!("`{name}` of `{}` cannot be joined", self.container.name);
        Diagnostic::new(&NOT_JOINABLE, span, message)
            .label("it is optional: where it is missing, nothing could be joined to")
            .also(self.asked, "this needs more in it")
            .help("take out `optional: true`, or write its value plainly")
    }

    fn unread(self, at: usize, names: &[String]) -> Diagnostic {
        let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let name = names.first().map_or("", String::as_str);
        let from = self.container.env_from.get(at);
        let (kind, source, span) = from.map_or(("ConfigMap", "", self.container.span), |from| {
            (from.kind, from.name.as_str(), from.span)
        });
        let message = format!(
            "the {kind} `{source}` is not here, and may set {}",
            quoted.join(" or ")
        );
        let unread = Diagnostic::new(&UNREAD, span, message)
            .about(self.subject)
            .also(self.asked, "this would replace it");
        unread.help(format!(
            "if it does, add its manifest to `files`, or set `{name}` in `env`"
        ))
    }
}

/// What is there under another name, and ours behind it.
fn carried(
    name: &str,
    source: serde_json::Value,
    ours: &str,
    value_from: Option<serde_json::Value>,
) -> Vec<EnvironmentVariable> {
    let carried = format!("TLSGEN_{name}");
    let value = format!("$({carried}) {ours}");
    vec![
        EnvironmentVariable {
            name: carried,
            value: None,
            value_from: Some(source),
        },
        EnvironmentVariable {
            name: name.to_owned(),
            value: Some(value),
            value_from,
        },
    ]
}

fn plain(name: &str, value: String) -> EnvironmentVariable {
    EnvironmentVariable {
        name: name.to_owned(),
        value: Some(value),
        value_from: None,
    }
}

fn behind(existing: &str, ours: &str) -> String {
    match existing.trim_end() {
        "" => ours.to_owned(),
        text => format!("{text} {ours}"),
    }
}

fn may_be_missing(source: &serde_json::Value) -> bool {
    let sources = source.as_object().into_iter().flatten();
    let mut optional = sources.filter_map(|(_, one)| one.get("optional")?.as_bool());
    optional.any(|optional| optional)
}

#[cfg(test)]
mod tests;
