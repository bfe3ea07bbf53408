//! `server_name`: which names a server block serves.

use std::fmt;

/// A name as nginx compares it, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServerName {
    /// `git.example`, and also `_` and the empty name.
    Exact(String),
    /// `*.example`: what ends so, without the `*`.
    Ending(String),
    /// `.example`: the name itself and what ends so.
    WithEnding(String),
    /// `git.*`: what begins so, without the `*`.
    Beginning(String),
    /// `~^git`: without the `~`; nobody but nginx can say what it serves.
    Regex(String),
}

/// How well a block serves a name; nginx takes the block that does it best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// By a wildcard at the end, of this length.
    Beginning(usize),
    /// By a wildcard in front, of this length.
    Ending(usize),
    /// By the name itself.
    Exact,
}

impl fmt::Display for ServerName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) | Self::WithEnding(name) => write!(out, "{name}"),
            Self::Ending(ending) => write!(out, "*{ending}"),
            Self::Beginning(beginning) => write!(out, "{beginning}*"),
            Self::Regex(regex) => write!(out, "~{regex}"),
        }
    }
}

impl ServerName {
    /// Reads one word behind `server_name`.
    pub fn parse(word: &str) -> Self {
        if let Some(regex) = word.strip_prefix('~') {
            return Self::Regex(regex.to_owned());
        }
        let word = word.to_ascii_lowercase();
        if let Some(ending) = word.strip_prefix("*.") {
            return Self::Ending(format!(".{ending}"));
        }
        if word.len() > 1 && word.starts_with('.') {
            return Self::WithEnding(word);
        }
        match word.strip_suffix(".*") {
            Some(beginning) => Self::Beginning(format!("{beginning}.")),
            None => Self::Exact(word),
        }
    }

    /// How well it serves a host, given in any case; `None` also where only nginx can say.
    pub fn serves(&self, host: &str) -> Option<Fit> {
        let host = host.to_ascii_lowercase();
        let ends = |ending: &str| host.len() > ending.len() && host.ends_with(ending);
        match self {
            Self::Exact(name) => (*name == host).then_some(Fit::Exact),
            Self::WithEnding(ending) if ending.strip_prefix('.') == Some(&host) => Some(Fit::Exact),
            Self::Ending(ending) | Self::WithEnding(ending) => {
                ends(ending).then_some(Fit::Ending(ending.len()))
            }
            Self::Beginning(start) => {
                let begins = host.len() > start.len() && host.starts_with(start.as_str());
                begins.then_some(Fit::Beginning(start.len()))
            }
            Self::Regex(_) => None,
        }
    }

    /// What nginx keeps of it in its tables, each of which can be said once at a socket; it ignores
    /// the second.
    pub fn parts(&self) -> Vec<Self> {
        match self {
            Self::WithEnding(ending) => {
                let itself = ending.strip_prefix('.').unwrap_or(ending).to_owned();
                vec![Self::Exact(itself), Self::Ending(ending.clone())]
            }
            // nginx tries one regular expression after the other.
            Self::Regex(_) => Vec::new(),
            one => vec![one.clone()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_served_as_nginx_compares_them() {
        let fit = |name: &str, host: &str| ServerName::parse(name).serves(host);
        assert_eq!(fit("Git.Example", "git.example"), Some(Fit::Exact));
        assert_eq!(fit("*.example", "a.b.example"), Some(Fit::Ending(8)));
        assert_eq!(fit("*.example", "example"), None);
        assert_eq!(fit(".example", "EXAMPLE"), Some(Fit::Exact));
        assert_eq!(fit(".example", "notexample"), None);
        assert_eq!(fit("git.*", "git.example"), Some(Fit::Beginning(4)));
        assert_eq!(fit("~^git", "git.example"), None);
        assert!(Fit::Exact > Fit::Ending(99) && Fit::Ending(1) > Fit::Beginning(99));
    }

    #[test]
    fn names_collide_as_in_nginx() {
        let collide = |one: &str, other: &str| {
            let others = ServerName::parse(other).parts();
            ServerName::parse(one)
                .parts()
                .iter()
                .any(|part| others.contains(part))
        };
        assert!(collide("a.example", "A.example") && collide(".a.example", "a.example"));
        assert!(collide(".a.example", "*.a.example") && !collide("*.a.example", "a.example"));
        assert!(!collide("~^a", "~^a"));
    }
}
