//! From instructions to what the image starts.

use std::collections::{HashMap, HashSet};

use super::super::interpolation::escape;
use super::{Command, ImageConfig};
use crate::dockerfile::Instruction;

/// The longest value that is worked out: each may be made of the ones before it.
const LONGEST: usize = 1 << 16;

/// One `FROM` and what follows it.
struct Stage<'i> {
    base: &'i str,
    name: Option<&'i str>,
    instructions: &'i [Instruction],
}

/// What the image of a stage starts; the last one without a target. `None` without such a stage.
pub(super) fn config(instructions: &[Instruction], target: Option<&str>) -> Option<ImageConfig> {
    let stages = stages(instructions);
    let mut at = match target {
        None => stages.len().checked_sub(1)?,
        Some(target) => find(&stages, target)?,
    };
    let mut chain = vec![at];
    while let Some(below) = find(&stages[..at], stages[at].base) {
        chain.push(below);
        at = below;
    }
    let mut image = Image::from(stages[at].base);
    for place in chain.into_iter().rev() {
        image.run(stages[place].instructions);
    }
    Some(image.finished())
}

fn stages(instructions: &[Instruction]) -> Vec<Stage<'_>> {
    let is_from = |it: &Instruction| it.keyword == "FROM";
    let mut stages = Vec::new();
    let mut rest = match instructions.iter().position(is_from) {
        Some(first) => &instructions[first..],
        None => return stages,
    };
    while let [from, after @ ..] = rest {
        let end = after.iter().position(is_from).unwrap_or(after.len());
        let words = from.rest.split_whitespace();
        let mut words = words.skip_while(|word| word.starts_with("--"));
        let base = words.next().unwrap_or_default();
        let named = words
            .next()
            .is_some_and(|word| word.eq_ignore_ascii_case("as"));
        stages.push(Stage {
            base,
            name: words.next().filter(|_| named),
            instructions: &after[..end],
        });
        rest = &after[end..];
    }
    stages
}

/// A stage by its name, the last one of it, or its number.
fn find(stages: &[Stage<'_>], wanted: &str) -> Option<usize> {
    let named = |stage: &Stage<'_>| {
        stage
            .name
            .is_some_and(|name| name.eq_ignore_ascii_case(wanted))
    };
    let numbered = || wanted.parse().ok().filter(|place| *place < stages.len());
    stages.iter().rposition(named).or_else(numbered)
}

/// An image while its instructions are run; texts are Docker's own.
struct Image {
    /// Whether nothing is below it.
    from_scratch: bool,
    entrypoint: Option<Start>,
    command: Option<Start>,
    user: Option<String>,
    shell: Option<Vec<String>>,
    environment: Vec<(String, Option<String>)>,
    places: HashMap<String, usize>,
}

enum Start {
    Nothing,
    Command(Command),
}

impl Image {
    fn from(base: &str) -> Self {
        let from_scratch = base == "scratch";
        Self {
            from_scratch,
            entrypoint: from_scratch.then_some(Start::Nothing),
            command: from_scratch.then_some(Start::Nothing),
            user: from_scratch.then(|| "root".to_owned()),
            shell: Some(vec!["/bin/sh".to_owned(), "-c".to_owned()]),
            environment: Vec::new(),
            places: HashMap::new(),
        }
    }

    /// Runs the instructions of one stage.
    fn run(&mut self, instructions: &[Instruction]) {
        let mut arguments: HashSet<&str> = HashSet::new();
        let mut own_command = false;
        for it in instructions {
            match it.keyword.as_str() {
                "ARG" => {
                    let names = it.rest.split_whitespace();
                    arguments.extend(names.filter_map(|word| word.split('=').next()));
                }
                "ENV" => self.set(it, &arguments),
                "USER" => self.user = self.expand(&it.rest, it.escape, &arguments),
                "SHELL" => self.shell = serde_json::from_str(&it.rest).ok(),
                "CMD" => {
                    own_command = true;
                    self.command = self.start(it);
                }
                "ENTRYPOINT" => {
                    self.entrypoint = self.start(it);
                    if !own_command {
                        // Docker drops the base image's `CMD`, which was meant for its entrypoint.
                        self.command = Some(Start::Command(Command::Emptied(it.span)));
                    }
                }
                _ => {}
            }
        }
    }

    fn start(&self, it: &Instruction) -> Option<Start> {
        let words = match serde_json::from_str::<Vec<String>>(&it.rest) {
            Ok(words) => words,
            Err(_) => {
                let mut words = self.shell.clone()?;
                words.push(it.rest.clone());
                words
            }
        };
        let words: Vec<String> = words.iter().map(|word| escape(word)).collect();
        Some(Start::Command(match words.is_empty() {
            true => Command::Emptied(it.span),
            false => Command::Words(words, it.span),
        }))
    }

    fn set(&mut self, it: &Instruction, arguments: &HashSet<&str>) {
        let words = words(&it.rest, it.escape);
        let old_form = words.first().is_some_and(|word| !word.contains('='));
        if old_form {
            // `ENV NAME the rest of the line`.
            if let Some((name, value)) = it.rest.split_once(char::is_whitespace) {
                let value = self.expand(value.trim_start(), it.escape, arguments);
                self.put(name, value);
            }
            return;
        }
        // All values of one instruction see what was set before it.
        let mut settings = Vec::with_capacity(words.len());
        for word in words {
            if let Some((name, value)) = word.split_once('=') {
                settings.push((name, self.expand(value, it.escape, arguments)));
            }
        }
        for (name, value) in settings {
            self.put(name, value);
        }
    }

    fn put(&mut self, name: &str, value: Option<String>) {
        match self.places.get(name) {
            Some(place) => self.environment[*place].1 = value,
            None => {
                self.places.insert(name.to_owned(), self.environment.len());
                self.environment.push((name.to_owned(), value));
            }
        }
    }

    /// A word without its quotes and with variables filled in; `None` when one is unknown.
    fn expand(&self, text: &str, escape: char, arguments: &HashSet<&str>) -> Option<String> {
        let mut value = String::new();
        let mut quote = None;
        let mut rest = text.chars();
        while let Some(next) = rest.next() {
            match (quote, next) {
                (Some(open), _) if next == open => quote = None,
                (Some('\''), _) => value.push(next),
                (None, '"' | '\'') => quote = Some(next),
                (_, '$') => {
                    let (name, length) = variable(rest.as_str())?;
                    match name {
                        "" => value.push('$'),
                        name => value.push_str(self.variable(name, arguments)?),
                    }
                    rest = rest.as_str()[length..].chars();
                }
                (Some(_), _) if next == escape => match rest.clone().next() {
                    Some(escaped @ ('"' | '$')) => {
                        value.push(escaped);
                        rest.next();
                    }
                    Some(escaped) if escaped == escape => {
                        value.push(escaped);
                        rest.next();
                    }
                    _ => value.push(next),
                },
                (None, _) if next == escape => value.extend(rest.next()),
                _ => value.push(next),
            }
            if value.len() > LONGEST {
                return None;
            }
        }
        Some(value)
    }

    fn variable(&self, name: &str, arguments: &HashSet<&str>) -> Option<&str> {
        match self.places.get(name) {
            Some(place) => self.environment[*place].1.as_deref(),
            None if self.from_scratch && !arguments.contains(name) => Some(""),
            None => None,
        }
    }

    fn finished(self) -> ImageConfig {
        let start = |start: Start| match start {
            Start::Nothing => Command::Absent,
            Start::Command(command) => command,
        };
        let environment = self.environment.into_iter();
        ImageConfig {
            entrypoint: self.entrypoint.map(start),
            command: self.command.map(start),
            user: self.user.map(|user| escape(&user)),
            environment: environment
                .map(|(name, value)| (name, value.map(|value| escape(&value))))
                .collect(),
        }
    }
}

/// The name behind a `$`, and how many bytes it takes; `None` for an operator, which is not worked
/// out.
fn variable(text: &str) -> Option<(&str, usize)> {
    let length = |text: &str| {
        text.find(|next: char| next != '_' && !next.is_ascii_alphanumeric())
            .unwrap_or(text.len())
    };
    match text.strip_prefix('{') {
        Some(inside) => {
            let name = &inside[..length(inside)];
            inside[name.len()..]
                .starts_with('}')
                .then_some((name, name.len() + 2))
        }
        None => Some((&text[..length(text)], length(text))),
    }
}

/// Splits at spaces outside quotes; quotes stay.
fn words(text: &str, escape: char) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = None;
    let mut quote = None;
    let mut escaped = false;
    for (at, next) in text.char_indices() {
        if quote.is_none() && !escaped && next.is_whitespace() {
            words.extend(start.take().map(|start: usize| &text[start..at]));
            continue;
        }
        start.get_or_insert(at);
        match quote {
            _ if escaped => escaped = false,
            Some(open) if next == open => quote = None,
            Some('\'') => {}
            _ if next == escape => escaped = true,
            None if next == '"' || next == '\'' => quote = Some(next),
            _ => {}
        }
    }
    words.extend(start.map(|start| &text[start..]));
    words
}
