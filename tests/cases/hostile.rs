//! Files that nobody writes by hand, made here: each gets an answer in bounded time and memory.
//!
//! Every one is compiled in a process of its own, which says what it found and what that cost.

use std::fs;
use std::process::Command;

use tlsgen::diagnostic::{Diagnostics, Style, to_json, to_text};
use tlsgen::source::Sources;
use tlsgen::world::Disk;

use super::project::{TODAY, repository};

/// A file, and the codes that are found in it.
struct Recipe {
    name: &'static str,
    code: &'static str,
    make: fn() -> Vec<u8>,
}

/// Seconds of processor time, in an unoptimised build.
const MOST_SECONDS: f64 = 30.0;
/// Above what the process takes for an empty file.
const MOST_MEGABYTES: u64 = 400;
/// Characters; a terminal scrolls no further back.
const MOST_TEXT: usize = 1_000_000;
const CHOSEN: &str = "TLSGEN_HOSTILE_FILE";

const RECIPES: &[Recipe] = &[
    Recipe {
        name: "brackets",
        code: "nested-too-deeply",
        make: || "[".repeat(100_000).into(),
    },
    Recipe {
        name: "braces",
        code: "nested-too-deeply",
        make: || "{a: ".repeat(100_000).into(),
    },
    Recipe {
        name: "dashes",
        code: "nested-too-deeply",
        make: || "- ".repeat(100_000).into(),
    },
    Recipe {
        name: "question marks",
        code: "nested-too-deeply",
        make: || "? ".repeat(100_000).into(),
    },
    Recipe {
        name: "steps",
        code: "nested-too-deeply",
        make: || {
            (0..2_000)
                .map(|n| format!("{}a:\n", " ".repeat(n)))
                .collect::<String>()
                .into()
        },
    },
    Recipe {
        name: "laughs",
        code: "alias-expansion",
        make: laughs,
    },
    Recipe {
        name: "merged laughs",
        code: "alias-expansion",
        make: merged_laughs,
    },
    Recipe {
        name: "many aliases",
        code: "missing-field unknown-field",
        make: many_aliases,
    },
    Recipe {
        name: "fifty megabytes",
        code: "file-too-large",
        make: || "# a comment\n".repeat(50 << 20 >> 3).into(),
    },
    Recipe {
        name: "duplicate keys",
        code: "duplicate-key",
        make: || "a: 1\n".repeat(200_000).into(),
    },
    Recipe {
        name: "unknown sections",
        code: "unknown-field",
        make: || spec((0..200_000).map(|n| format!("k{n}: 1\n")).collect()),
    },
    Recipe {
        name: "faulty services",
        code: "unknown-field",
        make: || {
            spec(lines("services:\n", 100_000, |n| {
                format!("  s{n}: {{runtme: java}}\n")
            }))
        },
    },
    Recipe {
        name: "dangling references",
        code: "unknown-authority",
        make: || {
            spec(lines("services:\n", 20_000, |n| {
                format!("  s{n}: {{runtime: java, trust: [a{n}]}}\n")
            }))
        },
    },
    Recipe {
        name: "comments",
        code: "",
        make: || spec("# nothing\n".repeat(1_000_000)),
    },
    Recipe {
        name: "allowances in comments",
        code: "unused-allowance",
        make: || spec("# tlsgen: allow(unused) x\n".repeat(500_000)),
    },
    Recipe {
        name: "allowances",
        code: "unused-allowance",
        make: || {
            spec(lines("lint:\n  allow:\n", 100_000, |n| {
                format!("  - {{rule: unused, at: services.s{n}, reason: r}}\n")
            }))
        },
    },
    Recipe {
        name: "no-break spaces",
        code: "include-not-found no-break-space",
        make: || spec("include: [".to_owned() + &"a\u{a0}b, ".repeat(500_000) + "]\n"),
    },
    Recipe {
        name: "includes",
        code: "include-not-found",
        make: || spec("include: [".to_owned() + &"a, ".repeat(200_000) + "]\n"),
    },
    Recipe {
        name: "stars",
        code: "include-not-found",
        make: || spec(format!("include: [\"{}\"]\n", "*/".repeat(5_000))),
    },
    Recipe {
        name: "a long line",
        code: "unknown-field",
        make: || {
            lines("{version: 1, project: hostile", 100_000, |n| {
                format!(", k{n}: 1")
            })
            .into_bytes()
            .into_iter()
            .chain(*b"}")
            .collect()
        },
    },
    Recipe {
        name: "a long key",
        code: "yaml-syntax",
        make: || spec(format!("{}: 1\n", "k".repeat(100_000))),
    },
    Recipe {
        name: "a long text",
        code: "wrong-form",
        make: || format!("version: 1\nproject: {}\n", "P".repeat(10_000_000)).into(),
    },
    Recipe {
        name: "bytes",
        code: "not-utf8",
        make: || {
            (0..1_000_000_u32)
                .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
                .collect()
        },
    },
    Recipe {
        name: "zeros",
        code: "yaml-syntax",
        make: || vec![0; 1_000_000],
    },
];

#[test]
fn hostile_files_get_an_answer_in_bounded_time_and_memory() {
    let mut wrong = Vec::new();
    let (_, idle) = cost(&report(""));
    for recipe in RECIPES {
        let report = report(recipe.name);
        let (seconds, megabytes) = cost(&report);
        let codes = value(&report, "codes");
        let length: usize = value(&report, "text").parse().unwrap_or(usize::MAX);
        if codes != recipe.code
            || seconds > MOST_SECONDS
            || megabytes > idle + MOST_MEGABYTES
            || length > MOST_TEXT
        {
            wrong.push(format!(
                "{}, which is to find `{}`:\n{report}",
                recipe.name, recipe.code
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
#[ignore = "the test above runs it for one file at a time"]
fn one_hostile_file() {
    let chosen = std::env::var(CHOSEN).unwrap_or_default();
    let recipe = RECIPES.iter().find(|recipe| recipe.name == chosen);
    let folder = tempfile::tempdir().unwrap();
    let file = recipe.map_or_else(|| spec(String::new()), |recipe| (recipe.make)());
    fs::write(folder.path().join("tlsgen.yaml"), file).unwrap();
    let world = Disk::new(folder.path()).unwrap().at(TODAY);
    let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
    let _ = tlsgen::compile(
        &world,
        tlsgen::Asked::fresh("tlsgen.yaml"),
        &mut sources,
        &mut found,
    );
    let text = to_text(&found, &sources, Style::Plain);
    let mut codes: Vec<&str> = found.iter().map(|one| one.code.name).collect();
    codes.sort_unstable();
    codes.dedup();
    println!("\ncodes={}", codes.join(" "));
    println!("text={}", text.len());
    println!("json={}", to_json(&found, &sources).len());
    println!(
        "begin={}",
        text.chars()
            .take(600)
            .collect::<String>()
            .replace('\n', "\n      ")
    );
    println!("kilobytes={}", peak_kilobytes());
    println!("ticks={}", processor_ticks());
}

fn report(name: &str) -> String {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args([
        "--exact",
        "hostile::one_hostile_file",
        "--ignored",
        "--nocapture",
    ]);
    let output = child
        .env(CHOSEN, name)
        .current_dir(repository())
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn cost(report: &str) -> (f64, u64) {
    let ticks: f64 = value(report, "ticks").parse().unwrap_or(f64::MAX);
    let kilobytes: u64 = value(report, "kilobytes").parse().unwrap_or(u64::MAX);
    (ticks / 100.0, kilobytes >> 10)
}

fn value<'r>(report: &'r str, name: &str) -> &'r str {
    let mut lines = report.lines();
    lines
        .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
        .unwrap_or("nothing was reported")
}

fn peak_kilobytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Of this process in user and system mode, in hundredths of a second.
fn processor_ticks() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let behind_name = stat.rsplit_once(')').unwrap().1;
    let fields: Vec<&str> = behind_name.split_whitespace().collect();
    [fields[11], fields[12]]
        .map(|field| field.parse::<u64>().unwrap())
        .iter()
        .sum()
}

fn spec(rest: String) -> Vec<u8> {
    format!("version: 1\nproject: hostile\n{rest}").into()
}

fn lines(head: &str, count: usize, line: fn(usize) -> String) -> String {
    head.to_owned() + &(0..count).map(line).collect::<String>()
}

fn laughs() -> Vec<u8> {
    let first = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    let text = (1..12).fold(first, |text, n| {
        let of = vec![format!("*a{}", n - 1); 10].join(", ");
        format!("{text}a{n}: &a{n} [{of}]\n")
    });
    text.into()
}

fn merged_laughs() -> Vec<u8> {
    let first = (0..1_000)
        .map(|n| format!("k{n}: 1"))
        .collect::<Vec<_>>()
        .join(", ");
    let mut text = format!("a0: &a0 {{{first}}}\n");
    for n in 1..2_000 {
        text += &format!("a{n}: &a{n} {{<<: *a{}, own{n}: 1}}\n", n - 1);
    }
    text.into()
}

fn many_aliases() -> Vec<u8> {
    let anchor = (0..1_000)
        .map(|n| format!("k{n}: 1"))
        .collect::<Vec<_>>()
        .join(", ");
    let aliases = lines("", 400, |n| format!("  s{n}: *a\n"));
    spec(format!(
        "authorities:\n  a: &a {{kind: external, {anchor}}}\nservices:\n{aliases}"
    ))
}
