//! What judges answer, and whether that is what they must.

use std::collections::BTreeMap;
use std::process::{Command, Output};

use super::cases::{CASES, Case};
use crate::support::{succeed, utf8};

/// What a judge said of a case: nothing, or why it refuses.
pub type Answer = Result<(), String>;

/// Has a program answer all cases: it is given their file, and prints `ID<tab>ok|no<tab>WHY`.
pub fn of_program(command: &mut Command) -> BTreeMap<String, Answer> {
    let output = succeed(command.arg(&CASES.file));
    read(&output)
}

pub fn read(output: &Output) -> BTreeMap<String, Answer> {
    let said = utf8(&output.stdout);
    let lines = said
        .lines()
        .map(|line| line.splitn(3, '\t').collect::<Vec<_>>());
    lines
        .map(|line| match line[..] {
            [id, "ok", _] => (id.to_owned(), Ok(())),
            [id, "no", why] => (id.to_owned(), Err(why.to_owned())),
            _ => panic!("no answer: {line:?}"),
        })
        .collect()
}

/// Fails with every answer that is wrong; `cannot` are cases that this judge is known to refuse, which it must.
pub fn hold(judge: &str, answers: &BTreeMap<String, Answer>, cannot: impl Fn(&Case) -> bool) {
    let mut wrong = Vec::new();
    let mut taken = 0;
    for case in &CASES.all {
        let Some(answer) = answers.get(&case.id) else {
            wrong.push(format!("{}: no answer", case.id));
            continue;
        };
        let reads = |why: &str, word: &&str| why.to_lowercase().replace('_', " ").contains(*word);
        let right = match (answer, case.fault) {
            (Ok(()), fault) => fault.is_none() && !cannot(case),
            (Err(_), None) => cannot(case),
            (Err(why), Some(fault)) => fault.words().iter().any(|word| reads(why, word)),
        };
        taken += usize::from(answer.is_ok());
        if !right {
            wrong.push(format!(
                "{}: must be {:?}, is {answer:?}",
                case.id, case.fault
            ));
        }
    }
    assert!(taken > 0, "{judge} takes nothing");
    assert!(
        wrong.is_empty(),
        "{judge} on {} cases:\n{}",
        CASES.all.len(),
        wrong.join("\n")
    );
}
