//! Where a value can be seen: what processes are told, and files.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// What makes a process one of a store.
const OF_A_STORE: [&str; 2] = ["secretsmanager", "kubectl"];

/// The forms in which a value may stand somewhere: as it is, in base64 wherever it begins, escaped as
/// JSON, as a URL, in hexadecimal digits.
pub fn forms(value: &str) -> Vec<String> {
    let part = |text: &str| text.chars().take(24).collect::<String>();
    let mut all = vec![part(value)];
    // Most of it is plain: what of it stands between characters that formats escape.
    let plain = value.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    all.extend(plain.filter(|text| text.len() >= 8).map(part));
    for before in ["", "x", "xx"] {
        let coded = STANDARD_NO_PAD.encode(format!("{before}{}", part(value)));
        // What of the first and last characters is not of the value alone.
        let from = [0, 2, 3][before.len()];
        all.push(coded[from..coded.len() - 4].to_owned());
    }
    let json = serde_json::to_string(&part(value)).unwrap();
    all.push(json.trim_matches('"').to_owned());
    let each = |write: fn(u8) -> String| part(value).bytes().map(write).collect::<String>();
    all.push(each(|byte| {
        match byte.is_ascii_alphanumeric() || byte == b'-' {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        }
    }));
    all.push(each(|byte| format!("{byte:02x}")));
    assert!(all.iter().all(|form| form.len() >= 8), "{all:?}");
    all
}

/// The first value that a text has in any form.
pub fn told<'a>(text: &str, values: &[&'a str]) -> Option<&'a str> {
    let mut values = values.iter();
    let found = values.find(|value| forms(value).iter().any(|form| text.contains(form)));
    found.copied()
}

/// The words of every process of this machine, and the variables of the programs of stores, again and
/// again.
pub struct Watched {
    seen: thread::JoinHandle<BTreeSet<String>>,
    ended: Arc<AtomicBool>,
}

impl Watched {
    pub fn start() -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&ended);
        let seen = thread::spawn(move || {
            let mut seen = BTreeSet::new();
            while !flag.load(Ordering::Relaxed) {
                for entry in fs::read_dir("/proc").unwrap().flatten() {
                    let words = read(&entry.path().join("cmdline"));
                    if OF_A_STORE.iter().any(|part| words.contains(part)) {
                        seen.insert(read(&entry.path().join("environ")));
                    }
                    seen.insert(words);
                }
                thread::sleep(Duration::from_millis(2));
            }
            seen
        });
        Self { seen, ended }
    }

    /// What was seen; a program with `operation` among its words was.
    pub fn stop(self, operation: &str) -> BTreeSet<String> {
        self.ended.store(true, Ordering::Relaxed);
        let seen = self.seen.join().unwrap();
        let saw = seen.iter().any(|words| words.contains(operation));
        assert!(saw, "the watch saw no `{operation}`");
        seen
    }
}

fn read(path: &Path) -> String {
    let mut bytes = Vec::new();
    let file = fs::File::open(path);
    let _ = file.map(|mut file| file.read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).replace('\0', " ")
}

/// The files below a directory that hold a value in any form.
pub fn holding(root: &Path, values: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut left = vec![root.to_owned()];
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            if kind.is_dir() {
                left.push(path);
            } else if kind.is_file() {
                let body = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
                let name = path.strip_prefix(root).unwrap().display().to_string();
                if told(&body, values).is_some() || told(&name, values).is_some() {
                    found.push(name);
                }
            }
        }
    }
    found.sort();
    found
}
