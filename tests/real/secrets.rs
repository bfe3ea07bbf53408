//! Real values, through the real programs of stores into stores that are not real, and found nowhere else.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic, and touch the disk"
)]

#[path = "secrets/aws.rs"]
mod aws;
#[path = "secrets/cloud.rs"]
mod cloud;
#[path = "secrets/kubernetes.rs"]
mod kubernetes;
#[path = "secrets/lab.rs"]
mod lab;
mod support;
#[path = "secrets/watched.rs"]
mod watched;

use lab::Lab;

const SPEC: &str = "version: 1\nproject: tower\nsecrets:\n  A: {from: {env: A}, store: aws-secrets-manager, region: eu-west-1}\n";
const VALUE: &str = "first-Qz7wLk2!\"";

#[test]
fn a_program_that_is_missing_or_careless_is_said_in_one_finding_without_the_value() {
    let lab = Lab::new(SPEC, &[VALUE]);
    let run = || lab.tlsgen(&["secrets", "push"], &[("A", VALUE)]);
    let mut without = Lab::new(SPEC, &[VALUE]);
    without.variables.retain(|(name, _)| name != "PATH");
    let bin = without.path("bin").display().to_string();
    without.variables.push(("PATH".to_owned(), bin));
    let (code, text) = without.tlsgen(&["secrets", "push"], &[("A", VALUE)]);
    assert_eq!((code, text.matches("error[").count()), (2, 1), "{text}");
    assert!(text.contains("there is no program `aws`"), "{text}");
    // One that repeats its input, as careless programs do.
    lab.program(
        "aws",
        "cat >&2\necho 'AccessDeniedException: first-Qz7wLk2' >&2\nexit 254",
    );
    let (code, text) = run();
    assert_eq!((code, text.matches("error[").count()), (2, 1), "{text}");
    assert!(text.contains("AWS denies access"), "{text}");
    // One that answers with something else, and one that floods.
    lab.program(
        "aws",
        "[ \"$1\" = secretsmanager ] || exit 1\necho \"$A first-Qz7wLk2\"",
    );
    let (code, text) = run();
    assert_eq!(code, 2);
    assert!(text.contains("printed something else"), "{text}");
    lab.program(
        "aws",
        "[ \"$1\" = secretsmanager ] || exit 1\nexec yes first-Qz7wLk2",
    );
    let (code, text) = run();
    assert_eq!(code, 2);
    assert!(text.contains("`aws` prints more than 4 MiB"), "{text}");
}
