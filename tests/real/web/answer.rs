//! What clients got.

use std::process::Output;

use super::support::utf8;

/// What `openssl s_client` saw.
#[derive(Debug)]
pub struct Handshake {
    pub verified: bool,
    pub said: String,
}

impl Handshake {
    pub fn of(output: &Output) -> Self {
        let said = utf8(&output.stdout) + &utf8(&output.stderr);
        Self {
            verified: output.status.success() && said.contains("Verification: OK"),
            said,
        }
    }

    /// Whether a session came about.
    pub fn happened(&self) -> bool {
        !self.said.contains("Cipher is (NONE)") && self.said.contains("Cipher is ")
    }
}

/// What curl got.
#[derive(Debug)]
pub struct Answer {
    pub code: u16,
    pub http: String,
    pub redirect: String,
    pub said: String,
    /// curl's exit code.
    pub exit: i32,
}

impl Answer {
    pub fn of(output: &Output) -> Self {
        let said = utf8(&output.stdout);
        let last = said.lines().last().unwrap_or_default().to_owned();
        let mut words = last.splitn(3, ' ').map(str::to_owned);
        let mut word = || words.next().unwrap_or_default();
        Self {
            code: word().parse().unwrap_or_default(),
            http: word(),
            redirect: word(),
            said: said + &utf8(&output.stderr),
            exit: output.status.code().unwrap_or(-1),
        }
    }

    /// Every value of a header of the response.
    pub fn header(&self, name: &str) -> Vec<String> {
        let lines = self.said.lines().take_while(|line| !line.trim().is_empty());
        let pairs = lines.filter_map(|line| line.split_once(": "));
        pairs
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim_end_matches('\r').to_owned())
            .collect()
    }

    /// The names of all headers of the response.
    pub fn header_names(&self) -> Vec<String> {
        let lines = self.said.lines().take_while(|line| !line.trim().is_empty());
        let names = lines.filter_map(|line| line.split_once(": "));
        names.map(|(name, _)| name.to_owned()).collect()
    }

    /// What the upstream saw of a header; `None` where it saw none.
    pub fn seen(&self, name: &str) -> Option<String> {
        let body = self.said.lines().find(|line| line.starts_with('{'))?;
        let body: serde_json::Value = serde_json::from_str(body).ok()?;
        let all: Vec<String> = body["headers"]
            .as_array()?
            .iter()
            .filter(|pair| {
                pair[0]
                    .as_str()
                    .is_some_and(|known| known.eq_ignore_ascii_case(name))
            })
            .filter_map(|pair| pair[1].as_str().map(str::to_owned))
            .collect();
        (!all.is_empty()).then(|| all.join(" | "))
    }

    /// The line with which the upstream was asked.
    pub fn request(&self) -> String {
        let body = self.said.lines().find(|line| line.starts_with('{'));
        let body: serde_json::Value = serde_json::from_str(body.unwrap_or("{}")).unwrap();
        body["request"].as_str().unwrap_or_default().to_owned()
    }
}
