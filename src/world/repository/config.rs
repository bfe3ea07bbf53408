//! The few settings of a repository's `config` that decide how it is read.

/// The settings, with Git's defaults.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Config {
    pub bare: bool,
    pub ignore_case: bool,
    /// Relative to the repository's own directory.
    pub worktree: Option<String>,
    pub object_format: String,
    /// Whether a working tree has a file of settings of its own.
    pub worktree_config: bool,
}

impl Config {
    /// Reads a `config`. What is included from other files is left out.
    pub(super) fn read(text: &str) -> Self {
        let mut config = Self {
            bare: false,
            ignore_case: false,
            worktree: None,
            object_format: "sha1".to_owned(),
            worktree_config: false,
        };
        config.add(text);
        config
    }

    /// Settings that win over those before.
    pub(super) fn add(&mut self, text: &str) {
        let mut section = String::new();
        for line in text.lines() {
            let mut line = line.trim();
            if let Some(header) = line.strip_prefix('[') {
                let Some((name, after)) = header.split_once(']') else {
                    continue;
                };
                section = name.trim().to_lowercase();
                line = after.trim();
            }
            let (name, value) = match line.split_once('=') {
                Some((name, value)) => (name.trim(), unquoted(value)),
                None => (line, "true".to_owned()),
            };
            self.set(&format!("{section}.{}", name.to_lowercase()), value);
        }
    }

    fn set(&mut self, name: &str, value: String) {
        let truth = || matches!(&*value.to_lowercase(), "true" | "yes" | "on" | "1");
        match name {
            "core.bare" => self.bare = truth(),
            "core.ignorecase" => self.ignore_case = truth(),
            "core.worktree" => self.worktree = Some(value),
            "extensions.objectformat" => self.object_format = value.to_lowercase(),
            "extensions.worktreeconfig" => self.worktree_config = truth(),
            _ => {}
        }
    }
}

/// A value without its quotes, its escapes and the comment after it.
fn unquoted(value: &str) -> String {
    let (mut out, mut quoted) = (String::new(), false);
    let mut chars = value.trim().chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => quoted = !quoted,
            '#' | ';' if !quoted => break,
            '\\' => out.extend(chars.next()),
            c => out.push(c),
        }
    }
    match quoted {
        true => out,
        false => out.trim_end().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_git_does() {
        let text = "[core]\n\tbare = false ; no\n\tIgnoreCase\n\tworktree = \"../a # b\" # c\n\
            [extensions] objectFormat = SHA256\n[other \"core\"]\n\tbare = true\n";
        let config = Config::read(text);
        assert!(!config.bare && config.ignore_case && !config.worktree_config);
        assert_eq!(config.worktree.as_deref(), Some("../a # b"));
        assert_eq!(config.object_format, "sha256");
    }
}
