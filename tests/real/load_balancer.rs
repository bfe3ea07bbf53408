//! The template of a load balancer, as cfn-lint reads it.

#![allow(clippy::unwrap_used, reason = "a test may panic, and touch the disk")]

mod support;

use std::path::Path;
use std::process::Command;

use support::{checkout, judge, text, utf8};

#[test]
fn cfn_lint_finds_nothing_in_a_template_and_something_in_a_broken_one() {
    let Some(linter) = judge("cfn-lint") else {
        return;
    };
    let template = checkout().join("tests/cases/balancer-whole/expected/aws/load-balancer.json");
    let lint = |file: &Path| {
        let output = Command::new(&linter)
            .args(["--", text(file)])
            .output()
            .unwrap();
        (output.status.success(), utf8(&output.stdout))
    };
    assert_eq!(lint(&template), (true, String::new()));
    let directory = tempfile::tempdir().unwrap();
    let broken = directory.path().join("broken.json");
    let right = std::fs::read_to_string(&template).unwrap();
    for (from, to) in [
        ("\"HTTP_301\"", "\"HTTP_308\""),
        ("\"HealthCheckPath\"", "\"HealthcheckPath\""),
        ("\"Ref\": \"WebTargets\"", "\"Ref\": \"WebTarget\""),
        ("\"Priority\": 1", "\"Priority\": 0"),
    ] {
        std::fs::write(&broken, right.replace(from, to)).unwrap();
        assert!(!lint(&broken).0, "{to}");
    }
}
