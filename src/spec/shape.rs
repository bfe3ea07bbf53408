//! Whether what was written has the shape of the language.
//!
//! A spec that decodes has the right shape, and nothing more is asked: the schema is compiled only
//! to explain why one does not, since it then finds every fault at once.

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity, Stop};
use crate::source::{Sources, Span};
use crate::yaml::{self, DecodeError, Node};

use super::file::{Fragment, Spec};

#[cfg(feature = "schema")]
#[path = "shape/explain.rs"]
mod explain;

pub(super) static UNKNOWN_FIELD: Code = Code {
    name: "unknown-field",
    severity: Severity::Error,
    summary: "the language has no such field here",
    manual: include_str!("manual/unknown-field.md"),
};
pub(super) static MISSING_FIELD: Code = Code {
    name: "missing-field",
    severity: Severity::Error,
    summary: "a field that must be written is not",
    manual: include_str!("manual/missing-field.md"),
};
pub(super) static UNKNOWN_WORD: Code = Code {
    name: "unknown-word",
    severity: Severity::Error,
    summary: "only certain words may stand here, and this is none of them",
    manual: include_str!("manual/unknown-word.md"),
};
pub(super) static UNKNOWN_KIND: Code = Code {
    name: "unknown-kind",
    severity: Severity::Error,
    summary: "the language has no such kind of authority or target",
    manual: include_str!("manual/unknown-kind.md"),
};
pub(super) static WRONG_TYPE: Code = Code {
    name: "wrong-type",
    severity: Severity::Error,
    summary: "a text, number, list or mapping stands where another of them is asked for",
    manual: include_str!("manual/wrong-type.md"),
};
pub(super) static WRONG_FORM: Code = Code {
    name: "wrong-form",
    severity: Severity::Error,
    summary: "a text has not the form that is asked for here",
    manual: include_str!("manual/wrong-form.md"),
};

/// What the check of the shape can find.
pub static CODES: &[&Code] = &[
    &UNKNOWN_FIELD,
    &MISSING_FIELD,
    &UNKNOWN_WORD,
    &UNKNOWN_KIND,
    &WRONG_TYPE,
    &WRONG_FORM,
];

/// Decodes a spec and the files that it includes.
///
/// # Errors
/// [`Stop`]; every fault of every file is in `found`.
pub fn decode_all<'n>(
    mut trees: impl Iterator<Item = &'n Node>,
    sources: &Sources,
    found: &mut Diagnostics,
) -> Result<(Spec, Vec<Fragment>), Stop> {
    let root = trees.next().ok_or(Stop)?;
    let mut fragments = Vec::new();
    // A file in which nothing stands, or nothing yet, says nothing.
    for tree in trees.filter(|tree| !tree.is_null()) {
        match yaml::decode::<Fragment>(tree) {
            Ok(fragment) => fragments.push(fragment),
            Err(error) => found.extend(faults(tree, Whole::Fragment, &error, sources)),
        }
    }
    match yaml::decode::<Spec>(root) {
        Ok(spec) => found.checkpoint().map(|()| (spec, fragments)),
        Err(error) => {
            found.extend(faults(root, Whole::Spec, &error, sources));
            Err(Stop)
        }
    }
}

/// Which of the two kinds of file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whole {
    Spec,
    Fragment,
}

fn faults(tree: &Node, whole: Whole, error: &DecodeError, sources: &Sources) -> Vec<Diagnostic> {
    #[cfg(feature = "schema")]
    let mut found = explain::faults(tree, whole, sources);
    #[cfg(not(feature = "schema"))]
    let (mut found, _) = (Vec::new(), (whole, sources));
    if found.is_empty() {
        found.push(plain(tree.span, error));
    }
    found
}

/// What the decoder says, where no schema is at hand.
fn plain(whole: Span, error: &DecodeError) -> Diagnostic {
    Diagnostic::new(
        &WRONG_FORM,
        error.span.unwrap_or(whole),
        error.message.clone(),
    )
    .help("`tlsgen schema` prints what may stand here")
}
