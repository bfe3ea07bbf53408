//! What has the form of a credential: tokens as their makers mark them, passwords in addresses, private
//! keys; and what looks as random as one.

use std::ops::Range;

/// A credential in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Where the part is that nobody may see.
    pub range: Range<usize>,
    /// What it is, in words.
    pub what: &'static str,
}

/// How a token begins, the least that follows, which letters that is made of beside capitals and digits,
/// and what it is.
const TOKENS: &[(&str, usize, &str, &str)] = &[
    ("AKIA", 16, "", "an access key of AWS"),
    ("ASIA", 16, "", "an access key of AWS"),
    ("AGE-SECRET-KEY-1", 50, "", "an identity of age"),
    ("ghp_", 30, "a", "a token of GitHub"),
    ("gho_", 30, "a", "a token of GitHub"),
    ("ghu_", 30, "a", "a token of GitHub"),
    ("ghs_", 30, "a", "a token of GitHub"),
    ("ghr_", 30, "a", "a token of GitHub"),
    ("github_pat_", 30, "a_", "a token of GitHub"),
    ("glpat-", 20, "a_-", "a token of GitLab"),
    ("xoxb-", 20, "a-", "a token of Slack"),
    ("xoxp-", 20, "a-", "a token of Slack"),
    ("sk_live_", 20, "a", "a key of Stripe"),
    ("rk_live_", 20, "a", "a key of Stripe"),
    ("AIza", 35, "a_-", "a key of Google"),
    ("npm_", 36, "a", "a token of npm"),
    ("pypi-AgE", 40, "a_-", "a token of PyPI"),
    ("dckr_pat_", 20, "a_-", "a token of Docker"),
    ("hf_", 30, "a", "a token of Hugging Face"),
    ("hvs.", 24, "a_-", "a token of Vault"),
    ("SG.", 40, "a_-.", "a key of SendGrid"),
    ("sk-ant-", 20, "a_-", "a key of Anthropic"),
    ("eyJ", 40, "a_-.", "a JSON Web Token"),
];

/// The shortest text that is taken for random.
const SHORTEST: usize = 24;
/// Bits in each letter; words and names have less, random base64 of that length more.
const RANDOM: f64 = 4.2;
/// How many of a hundred neighbours are of different kinds (small, capital, digit): fewer in paths and
/// names, more than twice as many in random base64.
const MIXED: usize = 28;

/// Every token and password that its form gives away.
pub fn credentials(text: &str) -> Vec<Credential> {
    let mut all = tokens(text);
    all.extend(passwords(text));
    all
}

/// Whether a private key in PEM begins in it.
pub fn has_private_key(text: &str) -> bool {
    text.match_indices("PRIVATE KEY-----").any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        let line = before.rfind("-----").and_then(|dash| before.get(dash..));
        line.is_some_and(|line| line.starts_with("-----BEGIN "))
    })
}

/// The words that look random: long, of all kinds of letters, in no order. Not the digests that browsers
/// are told, `sha256-…`, which are no secret.
pub fn random_words(text: &str) -> Vec<Range<usize>> {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || "_-.+/=".contains(c);
    let mut all = Vec::new();
    let mut from = 0;
    while let Some(start) = text.get(from..).and_then(|rest| rest.find(is_letter)) {
        let start = from + start;
        let rest = text.get(start..).unwrap_or_default();
        let word = rest
            .find(|c| !is_letter(c))
            .and_then(|end| rest.get(..end))
            .unwrap_or(rest);
        // A fingerprint as SSH prints it.
        let is_fingerprint = text.get(..start).is_some_and(|it| it.ends_with("SHA256:"));
        if is_random(word) && !is_fingerprint {
            all.push(start..start + word.len());
        }
        from = start + word.len();
    }
    all
}

fn tokens(text: &str) -> Vec<Credential> {
    let mut all = Vec::new();
    for (begin, least, letters, what) in TOKENS {
        for (at, _) in text.match_indices(begin) {
            let before = text.get(..at).and_then(|before| before.chars().next_back());
            if before.is_some_and(|c| c.is_ascii_alphanumeric()) {
                continue;
            }
            let start = at + begin.len();
            let rest = text.get(start..).unwrap_or_default();
            let fits = |c: char| {
                c.is_ascii_uppercase()
                    || c.is_ascii_digit()
                    || letters.contains('a') && c.is_ascii_lowercase()
                    || "_-.".contains(c) && letters.contains(c)
            };
            let end = rest.find(|c| !fits(c)).unwrap_or(rest.len());
            let is_one = end >= *least
                && match *begin {
                    // Three parts, or five.
                    "eyJ" => rest
                        .get(..end)
                        .is_some_and(|it| it.matches('.').count() >= 2),
                    _ => true,
                };
            if is_one {
                all.push(Credential {
                    range: start..start + end,
                    what,
                });
            }
        }
    }
    all
}

/// `scheme://user:password@host`, unless the password is a place to be filled in.
fn passwords(text: &str) -> Vec<Credential> {
    let mut all = Vec::new();
    for (at, mark) in text.match_indices("://") {
        let start = at + mark.len();
        let rest = text.get(start..).unwrap_or_default();
        let ends = |c: char| c.is_whitespace() || "/?#\"'<>`,".contains(c);
        let end = rest.find(ends).unwrap_or(rest.len());
        let authority = rest.get(..end).unwrap_or_default();
        let Some((user, _)) = authority.rsplit_once('@') else {
            continue;
        };
        let Some((name, password)) = user.split_once(':') else {
            continue;
        };
        let filled_in = is_filled_in(password);
        if !filled_in {
            let start = start + name.len() + 1;
            all.push(Credential {
                range: start..start + password.len(),
                what: "an address with a password in it",
            });
        }
    }
    all
}

/// Whether a password is a place to be filled in: `$X`, `{{ x }}`, `%(x)s`, `<token>`, `PASSWORD`, stars.
fn is_filled_in(password: &str) -> bool {
    let mut digits = password.bytes().skip(1).take(2);
    let is_letter = password.starts_with('%') && digits.all(|byte| byte.is_ascii_hexdigit());
    let is_name = |byte: u8| byte.is_ascii_uppercase() || byte == b'_';
    password.is_empty()
        || password.bytes().all(is_name)
        || (password.starts_with(['$', '{', '%', '*', '[', '<'])
            && !(is_letter && password.len() > 2))
}

fn is_random(word: &str) -> bool {
    // Digests, fingerprints and public keys of SSH.
    let public = [
        "sha256-",
        "sha384-",
        "sha512-",
        "AAAAB3NzaC1",
        "AAAAC3NzaC1",
        "AAAAE2VjZHNh",
    ];
    if public.iter().any(|begin| word.starts_with(begin)) {
        return false;
    }
    let kind = |byte: u8| match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let has = |one: u8| word.bytes().any(|byte| kind(byte) == one);
    let neighbours = word.bytes().zip(word.bytes().skip(1));
    let changes = neighbours.filter(|(one, next)| {
        let (one, next) = (kind(*one), kind(*next));
        one != next && one != 3 && next != 3
    });
    word.len() >= SHORTEST
        && has(0)
        && has(1)
        && has(2)
        && changes.count() * 100 >= MIXED * word.len()
        && entropy(word) >= RANDOM
}

/// Bits of each byte, by how often each stands there (Shannon).
fn entropy(word: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in word.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let length = word.len() as f64;
    let shares = counts.iter().filter(|count| **count > 0);
    shares
        .map(|count| {
            let share = f64::from(*count) / length;
            -share * share.log2()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_known_by_its_form_wherever_it_stands() {
        for (text, hidden) in [
            ("AKIAIOSFODNN7EXAMPLE", "IOSFODNN7EXAMPLE"),
            ("key=AKIAIOSFODNN7EXAMPLE&x=1", "IOSFODNN7EXAMPLE"),
            (
                "Bearer ghp_0123456789abcdefghijABCDEFGHIJ012345.",
                "0123456789abcdefghijABCDEFGHIJ012345",
            ),
            ("postgres://u:p@h/db", "p"),
            ("jdbc:mysql://tower:it's@not", ""),
            ("redis://:hunter2@cache:6379", "hunter2"),
            ("https://u:%40hunter2@h/", "%40hunter2"),
            ("a://b:c:d@e@f", "c:d@e"),
            (
                "x: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
                "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
            ),
        ] {
            let found = credentials(text);
            let found: Vec<&str> = found.iter().map(|one| &text[one.range.clone()]).collect();
            let expected: Vec<&str> = Some(hidden)
                .filter(|one| !one.is_empty())
                .into_iter()
                .collect();
            assert_eq!(found, expected, "{text}");
        }
        assert!(has_private_key("x: -----BEGIN EC PRIVATE KEY-----\nMIG"));
        assert!(!has_private_key("-----END PRIVATE KEY-----"));
    }

    #[test]
    fn what_is_public_is_none() {
        for text in [
            "9F:86:D0:81:88:4C:7D:65:9A:2F:EA:A0:C5:5A:D0:15:A3:BF:4F:1B:2B:0B:82:2C:D1:5D:6C:15:B0:F0:0A:08",
            "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "script-src 'sha256-RFWPLDbv2BY+rCkDzsE+0fr8ylGr2R2faWMhq4lfEQc='",
            "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:tower/db-a1B2c3",
            "SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl",
            "postgres://u:PASSWORD@h",
            "https://x-access-token:[token]@github.com/a",
            "123e4567-e89b-12d3-a456-426614174000",
            "very-long-host-name-2.of-a-department.in-the-university.example.org",
            "https://user@host/path:with@signs",
            "postgres://tower:${DB_PASSWORD}@db/tower",
            "postgres://tower:{{ password }}@db/tower",
            "-Dorg.apache.commons.logging.LogFactory=org.slf4j.impl.Log4J2LoggerFactoryBuilder",
            "/opt/Tower-Platform_26.1/lib/jvm/Java21/OpenJDK-64Bit-Server/lib",
            "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
            "eyJust a word that begins so, and goes on for long enough to be one.",
            "AKIAthing",
            "npm_config_registry",
            "hf_hub",
            "sk_live_",
            "SG.example.org",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:ECDHE-RSA-AES128-GCM-SHA256",
            "us-gov-west-1.TowerForge-2aBcDeFg-ExecutionRole",
        ] {
            assert_eq!(credentials(text), [], "{text}");
            assert!(random_words(text).is_empty(), "{text}");
            assert!(!has_private_key(text), "{text}");
        }
    }

    #[test]
    fn what_is_random_is_found() {
        for text in [
            "Zk9fQ2xW7bVt4LmN8pRs3HyD",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "Basic dG93ZXI6czNjcjN0LVBhc3N3MHJkIQ==x9",
        ] {
            assert_eq!(random_words(text).len(), 1, "{text}");
        }
    }
}
