//! A plan for programs. The same plan gives the same bytes.

mod left_to_do;

use schemars::JsonSchema;
use serde::Serialize;

use super::unified::NO_NEWLINE;
use super::words;
use crate::artifact::Extent;
use crate::diagnostic::DiagnosticJson;
use crate::digest::Sha256;
use crate::pki::moment;
use crate::plan::{
    AccessChange, Action, Cause, CertificateChange, Change, Content, Contents, Detail, Diff,
    Direction, Hunk, IssuanceKind, Line, Plan, Sign, Summary, in_sync,
};
use crate::source::{Sources, Span};

pub use left_to_do::{AbsentJson, ReloadJson, RestartJson, WaitJson};

/// What `tlsgen plan --format json` prints.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(title = "tlsgen plan")]
pub struct PlanJson {
    /// `major.minor`: fields are only added while the major number stays, so ignore what you don't
    /// know, and refuse another major number.
    #[schemars(regex(pattern = "^1\\.[0-9]+$"))]
    pub format_version: String,
    /// Whether there is no plan, since something went wrong. It is then not known whether anything
    /// would change.
    pub errored: bool,
    /// Whether all targets are in it.
    pub complete: bool,
    /// Whether a build would change nothing, the lock included. Absent if errored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_sync: Option<bool>,
    /// How many changes of each kind there are. Absent if errored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
    /// Every path that is not as it should be, sorted. Absent if errored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<Vec<ChangeJson>>,
    /// Files that the user brings and that are not here, sorted: who may read them is set by a
    /// build where they are. Absent if errored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absent: Option<Vec<AbsentJson>>,
    /// Requests that somebody else has yet to sign, sorted by path; a build can do no more for them, so
    /// they may be here while `in_sync` is true. Absent if errored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits: Option<Vec<WaitJson>>,
    /// Services that go on serving old certificates until they are told. Absent if errored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reloads: Option<Vec<ReloadJson>>,
    /// Services whose containers have to be made anew. Absent if errored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restarts: Option<Vec<RestartJson>>,
    /// What happens to the lock. Absent if errored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock: Option<LockJson>,
    /// What else the compiler has to say about targets and services.
    pub notes: Vec<String>,
    /// What was found wrong with the spec and its inputs.
    pub diagnostics: Vec<DiagnosticJson>,
}

/// What happens to one path.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ChangeJson {
    /// The path, relative to the project root.
    pub path: String,
    /// How much of the file is the compiler's: all of it, or the block between its markers. Absent
    /// where only who may read it is to change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extent: Option<Extent>,
    /// The target that asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// What would be done: one word now, more in times to come.
    pub actions: Vec<Action>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// What prevents it, where hand edits are not all there is to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The file on disk.
    pub before: FileJson,
    /// The file as it would be.
    pub after: FileJson,
    /// Who may read the file, if nothing else is to change: its bytes are then not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<AccessJson>,
    /// The place in the spec that asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<PlaceJson>,
    /// What is made for the file, and why, if it is a certificate or a request; where the file is in
    /// the way, once it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuance: Option<IssuanceJson>,
    /// The certificates that come into the file or leave it.
    pub certificates: Vec<CertificateJson>,
    /// The difference. A certificate is a line that says what it is; keys are never in it.
    pub hunks: Vec<HunkJson>,
    /// Whether the contents read the same, and only their bytes differ.
    pub same_to_read: bool,
    /// How many lines of the difference are left out.
    pub hidden_lines: usize,
}

/// A certificate, a request or a list of revoked certificates that a build makes.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct IssuanceJson {
    /// Which of them.
    pub kind: IssuanceKind,
    /// Whose: `host tower`, `authority lab`.
    pub holder: String,
    /// Why, in words.
    pub reasons: Vec<String>,
}

/// Who may read a file that the user brings.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AccessJson {
    /// Owner, group, permission bits and access control list now, in words. Absent if unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Who is to, in words.
    pub after: String,
}

/// A file at one time.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FileJson {
    /// Whether it exists.
    pub exists: bool,
    /// The SHA-256 of its bytes, 64 hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", regex(pattern = "^[0-9a-f]{64}$"))]
    pub sha256: Option<Sha256>,
    /// Its permission bits, four octal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[0-7]{4}$"))]
    pub mode: Option<String>,
}

/// A place in the spec.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PlaceJson {
    /// The file, relative to the project root.
    pub file: String,
    /// Where it begins.
    pub start: StartJson,
}

/// A position in a file.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StartJson {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// A certificate that comes or goes.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CertificateJson {
    /// Which of the two.
    pub op: Direction,
    /// The file.
    pub bundle: String,
    /// The subject after RFC 4514.
    pub subject: String,
    /// The DNS names and addresses that it speaks for.
    pub names: Vec<String>,
    /// The first second of its validity, in UTC.
    pub not_before: String,
    /// The last second of its validity, in UTC.
    pub not_after: String,
    /// The SHA-256 of its bytes, 64 hex digits.
    #[schemars(with = "String", regex(pattern = "^[0-9a-f]{64}$"))]
    pub sha256: Sha256,
    /// Whether it is one of the public roots that this tlsgen carries.
    pub public_root: bool,
}

/// A place that differs. A side without lines has the line above it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct HunkJson {
    /// The first line in the old file, from 1.
    pub old_start: usize,
    /// How many lines of the old file it covers.
    pub old_lines: usize,
    /// The first line in the new file, from 1.
    pub new_start: usize,
    /// How many lines of the new file it covers.
    pub new_lines: usize,
    /// The lines, each with ` `, `-` or `+` in front and without its line break; one that has none
    /// is followed by `\\ No newline at end of file`.
    pub lines: Vec<String>,
}

/// What happens to `tlsgen.lock`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LockJson {
    /// Whether it would be written.
    pub changes: bool,
    /// What it gains or loses besides the files that are written, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The version of the format.
const FORMAT_VERSION: &str = "1.3";
/// As many lines of one file's difference are printed.
const LINES_OF_A_FILE: usize = 2000;

impl PlanJson {
    /// A plan, with what was said on the way to it.
    pub fn of(
        plan: &Plan,
        sources: &Sources,
        notes: &[String],
        diagnostics: Vec<DiagnosticJson>,
    ) -> Self {
        let mut contents = Contents::default();
        let changed = plan.changes.iter();
        let changed = changed.filter(|change| change.action != Action::Unchanged);
        Self {
            complete: plan.complete,
            in_sync: Some(in_sync(plan)),
            summary: Some(plan.summary()),
            changes: Some(
                changed
                    .map(|change| ChangeJson::of(change, sources, &mut contents))
                    .collect(),
            ),
            absent: Some(plan.changes.iter().filter_map(AbsentJson::of).collect()),
            waits: Some(plan.changes.iter().filter_map(WaitJson::of).collect()),
            reloads: Some(plan.reloads().map(ReloadJson::of).collect()),
            restarts: Some(plan.first_lists().map(RestartJson::of).collect()),
            lock: Some(LockJson {
                changes: plan.changes_lock(),
                reason: words::lock_only(plan),
            }),
            notes: notes.to_vec(),
            ..Self::empty(false, diagnostics)
        }
    }

    /// What is printed when there is no plan: the reasons, and nothing that could be taken for
    /// "no changes".
    pub fn errored(diagnostics: Vec<DiagnosticJson>) -> Self {
        Self::empty(true, diagnostics)
    }

    /// The text, with a line break at the end.
    pub fn to_text(&self) -> String {
        // It holds strings, numbers and lists only, all of which JSON has.
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        text + "\n"
    }

    fn empty(errored: bool, diagnostics: Vec<DiagnosticJson>) -> Self {
        Self {
            format_version: FORMAT_VERSION.to_owned(),
            errored,
            complete: false,
            in_sync: None,
            summary: None,
            changes: None,
            absent: None,
            waits: None,
            reloads: None,
            restarts: None,
            lock: None,
            notes: Vec::new(),
            diagnostics,
        }
    }
}

/// The JSON Schema of what `tlsgen plan --format json` prints.
pub fn plan_schema() -> serde_json::Value {
    schemars::schema_for!(PlanJson).to_value()
}

impl ChangeJson {
    fn of(change: &Change, sources: &Sources, contents: &mut Contents) -> Self {
        let detail = Detail {
            most_lines: Some(LINES_OF_A_FILE),
            words: false,
        };
        let diff = contents.diff(change, detail).unwrap_or_default();
        let certificates = match change.action {
            Action::Refuse => Vec::new(),
            _ => contents.certificates(change),
        };
        Self {
            path: change.path.clone(),
            extent: change.access.is_none().then_some(change.extent),
            target: change.target.clone(),
            actions: vec![change.action],
            cause: change.cause,
            reason: change.obstacle.as_ref().map(ToString::to_string),
            before: FileJson::before(change),
            after: FileJson::after(change),
            access: change.access.as_ref().map(AccessJson::of),
            spec: change.origin.map(|span| PlaceJson::of(span, sources)),
            issuance: change.issuance.as_ref().map(|issuance| IssuanceJson {
                kind: issuance.kind,
                holder: issuance.holder.to_string(),
                reasons: issuance.reasons.clone(),
            }),
            certificates: certificates
                .iter()
                .map(|one| CertificateJson::of(one, &change.path))
                .collect(),
            same_to_read: reads_the_same(change, &diff),
            hidden_lines: diff.hidden,
            hunks: diff.hunks.iter().map(HunkJson::of).collect(),
        }
    }
}

fn reads_the_same(change: &Change, diff: &Diff) -> bool {
    match (&change.before, &change.after) {
        (Some(before), Some(after)) => diff.same_to_read && before.sha256 != after.sha256,
        _ => false,
    }
}

impl AccessJson {
    fn of(access: &AccessChange) -> Self {
        Self {
            before: access.before.map(|before| before.to_string()),
            after: access.readers.to_string(),
        }
    }
}

impl FileJson {
    fn before(change: &Change) -> Self {
        let Some(access) = &change.access else {
            return Self::of(change.before.as_ref());
        };
        Self {
            exists: true,
            sha256: None,
            mode: access.before.map(|before| format!("{:04o}", before.mode)),
        }
    }

    fn after(change: &Change) -> Self {
        Self {
            exists: change.access.is_some() || change.after.is_some(),
            // Of what is not issued yet nobody knows the bytes.
            sha256: known(change),
            ..Self::of(change.after.as_ref())
        }
    }

    fn of(content: Option<&Content>) -> Self {
        Self {
            exists: content.is_some(),
            sha256: content.map(|content| content.sha256),
            mode: content.map(|content| format!("{:04o}", content.mode)),
        }
    }
}

fn known(change: &Change) -> Option<Sha256> {
    let after = change
        .after
        .as_ref()
        .filter(|_| change.provisional.is_none());
    after.map(|content| content.sha256)
}

impl PlaceJson {
    fn of(span: Span, sources: &Sources) -> Self {
        let at = sources.position(span);
        Self {
            file: sources.get(span.source).name.clone(),
            start: StartJson {
                line: at.line,
                column: at.column,
            },
        }
    }
}

impl CertificateJson {
    fn of(change: &CertificateChange, path: &str) -> Self {
        let certificate = &change.certificate;
        Self {
            op: change.direction,
            bundle: path.to_owned(),
            subject: certificate.subject().to_owned(),
            names: certificate.names().to_vec(),
            not_before: moment(certificate.not_before()),
            not_after: moment(certificate.not_after()),
            sha256: certificate.fingerprint(),
            public_root: change.public_root,
        }
    }
}

impl HunkJson {
    fn of(hunk: &Hunk) -> Self {
        Self {
            old_start: hunk.old_start,
            old_lines: hunk.old_lines,
            new_start: hunk.new_start,
            new_lines: hunk.new_lines,
            lines: hunk.lines.iter().flat_map(lines).collect(),
        }
    }
}

fn lines(line: &Line) -> impl Iterator<Item = String> {
    let sign = match line.sign {
        Sign::Same => " ",
        Sign::Removed => "-",
        Sign::Added => "+",
    };
    let pieces = line.pieces.iter().map(|piece| piece.text.as_str());
    let text = std::iter::once(sign).chain(pieces).collect();
    std::iter::once(text).chain((!line.newline).then(|| NO_NEWLINE.to_owned()))
}
