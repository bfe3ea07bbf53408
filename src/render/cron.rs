//! How cron is told a command: crontab(5). What stands behind the times is given to a shell, but a `%`
//! ends it.

use super::shell;

/// The longest command that cron runs (`MAX_COMMAND` of Vixie cron is 1000, with its end).
const LONGEST: usize = 998;

/// The command whose words these are.
///
/// # Errors
/// A control character, which no line of a crontab can hold, or a command that is too long.
pub fn command<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<String, String> {
    let words: Result<Vec<String>, String> = words.into_iter().map(word).collect();
    let command = words?.join(" ");
    if command.len() > LONGEST {
        return Err(format!(
            "a command of cron has at most {LONGEST} bytes, and this one has {}",
            command.len()
        ));
    }
    Ok(command)
}

/// A `%` stands between quotes and not in them. Cron takes the backslash before it away, unless another
/// one stands before that; where it does not know `\%`, the shell takes it away.
fn word(text: &str) -> Result<String, String> {
    if text.chars().any(char::is_control) {
        return Err("a line of a crontab cannot hold a control character".to_owned());
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+=:,@".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        return Ok(text.to_owned());
    }
    Ok(shell::quote(text)?.replace('%', "'\\%'"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    /// What cron makes of a line (`do_command.c` of Vixie cron, which Debian and cronie have): the
    /// command ends at the first `%` that is not escaped, and an escaped one loses its backslash.
    fn as_cron(line: &str) -> (String, bool) {
        let (mut out, mut escaped) = (String::new(), false);
        for character in line.chars() {
            match character {
                '%' if escaped => {
                    out.pop();
                    out.push('%');
                    escaped = false;
                }
                '%' => return (out, false),
                '\\' if !escaped => {
                    out.push('\\');
                    escaped = true;
                }
                _ => {
                    out.push(character);
                    escaped = false;
                }
            }
        }
        (out, true)
    }

    fn shell_reads(command: &str) -> String {
        let script = format!("printf '%s\\n' {command}");
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn words_arrive_whole(words in prop::collection::vec("[ -~é]{0,8}|[%\\\\']{1,5}", 1..5)) {
            let line = command(words.iter().map(String::as_str)).unwrap();
            let (run, whole) = as_cron(&line);
            prop_assert!(whole, "{line}");
            let expected: String = words.iter().map(|word| format!("{word}\n")).collect();
            prop_assert_eq!(shell_reads(&run), expected.clone());
            // Busybox knows no escape.
            prop_assert_eq!(shell_reads(&line), expected);
        }
    }

    #[test]
    fn what_no_line_can_hold_is_refused() {
        assert!(command(["a\nb"]).is_err() && command(["a\0"]).is_err());
        assert!(command(["x".repeat(999).as_str()]).is_err());
    }
}
