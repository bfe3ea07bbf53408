//! A difference as `git diff` writes it.

use super::paint::Paint;
use super::words::{harmless, plural, thousands};
use crate::plan::{Action, Change, Content, Diff, Hunk, Line, Sign};

/// Says that the line above has no line break.
pub const NO_NEWLINE: &str = "\\ No newline at end of file";

/// The headers and hunks of a file's difference; each line ends with a line break.
///
/// `git apply` takes it where no certificate, key or truststore is shown by a line in its place.
pub fn unified(change: &Change, diff: &Diff, paint: Paint) -> String {
    let mut out = String::new();
    let mut put = |line: String| {
        out.push_str(&line);
        out.push('\n');
    };
    for header in headers(change, !diff.hunks.is_empty()) {
        put(paint.header(&header));
    }
    if diff.same_to_read
        && let Some(note) = reads_the_same(change)
    {
        put(paint.aside(&note));
    }
    for hunk in &diff.hunks {
        put(paint.aside(&place(hunk)));
        for line in &hunk.lines {
            put(text(line, paint));
            if !line.newline {
                put(NO_NEWLINE.to_owned());
            }
        }
    }
    if diff.hidden > 0 {
        let more = plural(diff.hidden, "more line", "more lines");
        put(paint.aside(&format!("… {more}; `tlsgen plan --full` shows them")));
    }
    out
}

/// The difference of a file of which only the mode changes, if Git knows that difference.
pub fn mode_only(change: &Change, paint: Paint) -> String {
    let lines = headers(change, false);
    if lines.len() < 2 {
        return String::new();
    }
    lines.iter().map(|line| paint.header(line) + "\n").collect()
}

fn headers(change: &Change, with_text: bool) -> Vec<String> {
    let [old, new] = ["a", "b"].map(|side| quoted(&format!("{side}/{}", change.path)));
    let mut lines = vec![format!("diff --git {old} {new}")];
    let (before, after) = (change.before.as_ref(), change.after.as_ref());
    match (before.map(git_mode), after.map(git_mode)) {
        (None, Some(mode)) => lines.push(format!("new file mode {mode}")),
        (Some(mode), None) => lines.push(format!("deleted file mode {mode}")),
        (Some(old), Some(new)) if old != new => {
            lines.push(format!("old mode {old}"));
            lines.push(format!("new mode {new}"));
        }
        _ => {}
    }
    if with_text {
        let [old, new] = [(before, old), (after, new)].map(|(content, name)| match content {
            None => "/dev/null".to_owned(),
            Some(_) if name.contains(' ') && !name.starts_with('"') => name + "\t",
            Some(_) => name,
        });
        lines.push(format!("--- {old}"));
        lines.push(format!("+++ {new}"));
    }
    lines
}

/// Git knows two modes.
fn git_mode(content: &Content) -> &'static str {
    if content.mode & 0o100 == 0 {
        "100644"
    } else {
        "100755"
    }
}

/// A name as Git writes it: in quotes when it has a quote or a backslash.
fn quoted(name: &str) -> String {
    if name.contains(['"', '\\']) {
        return format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
    }
    name.to_owned()
}

fn reads_the_same(change: &Change) -> Option<String> {
    let (before, after) = (change.before.as_ref()?, change.after.as_ref()?);
    (before.sha256 != after.sha256).then(|| {
        let (old, new) = (before.sha256, after.sha256);
        format!("[reads the same, but the bytes differ: sha256 {old}, then {new}]")
    })
}

fn place(hunk: &Hunk) -> String {
    let range = |start: usize, lines: usize| match lines {
        1 => start.to_string(),
        lines => format!("{start},{lines}"),
    };
    let old = range(hunk.old_start, hunk.old_lines);
    let new = range(hunk.new_start, hunk.new_lines);
    format!("@@ -{old} +{new} @@")
}

/// A longer line is cut: nobody reads a minified file.
const LONGEST_LINE: usize = 1000;

fn text(line: &Line, paint: Paint) -> String {
    let sign = match line.sign {
        Sign::Same => " ",
        Sign::Removed => "-",
        Sign::Added => "+",
    };
    let mut out = paint.sign(line.sign, false, sign);
    let mut room = LONGEST_LINE;
    let mut cut = 0;
    for piece in &line.pieces {
        let length = piece.text.chars().count();
        let shown: String = piece.text.chars().take(room).map(harmless).collect();
        out.push_str(&paint.sign(line.sign, piece.changed, &shown));
        cut += length.saturating_sub(room);
        room = room.saturating_sub(length);
    }
    if cut > 0 {
        let more = thousands(cut);
        out.push_str(&paint.aside(&format!("… {more} more characters")));
    }
    out
}

/// Whether a change of this kind is shown by a difference of contents.
pub fn has_text(action: Action) -> bool {
    matches!(
        action,
        Action::Create | Action::Update | Action::Delete | Action::Refuse
    )
}
