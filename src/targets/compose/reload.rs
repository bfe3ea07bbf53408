//! What tells a container of a renewed certificate.

use crate::model::{Compose, ComposeService};
use crate::provision::Reload;
use crate::render::quote_sh;

/// The line of the plan that says what a renewal takes.
pub fn note(command: &str, renewed_in_place: bool) -> String {
    match renewed_in_place {
        true => format!("takes a renewed certificate after `{command}`"),
        false => format!("sees a renewed key only in a new container: `{command}`"),
    }
}

/// The command, from the project root; none where the service sees a renewal by itself.
pub fn command(
    compose: &Compose,
    deployed: &ComposeService,
    reload: Option<&Reload>,
    renewed_in_place: bool,
) -> Option<String> {
    let service = quoted(&deployed.named);
    let action = match (renewed_in_place, reload) {
        (false, _) => format!("up -d --no-deps --force-recreate {service}"),
        (true, None) => return None,
        // Not `docker compose kill -s`: to the engine that is the wish that the container ends, and
        // it no longer starts it anew (moby/moby#41302).
        (true, Some(Reload::Signal(signal))) => {
            let signal = signal.strip_prefix("SIG").unwrap_or(signal);
            format!("exec -T {service} sh -c 'kill -s {signal} 1'")
        }
        (true, Some(Reload::Restart)) => format!("restart {service}"),
        (true, Some(Reload::Command(words))) => {
            let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
            format!("exec -T {service} {}", words.join(" "))
        }
    };
    Some(once(compose, &action))
}

/// The command that does something in the project with its override.
pub fn once(compose: &Compose, action: &str) -> String {
    let files = compose.files.iter().map(|(path, _)| path.as_str());
    let files = files.chain([compose.output.as_str()]);
    let files: Vec<String> = files.map(|path| format!("-f {}", quoted(path))).collect();
    format!("docker compose {} {action}", files.join(" "))
}

/// A word of a shell, in quotes only where it needs them.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=@%+,".contains(&byte);
    match !word.is_empty() && word.bytes().all(plain) {
        true => word.to_owned(),
        false => quote_sh(word).unwrap_or_else(|_| word.to_owned()),
    }
}
