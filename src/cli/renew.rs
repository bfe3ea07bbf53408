//! `tlsgen renew`: what a schedule runs. Issues what is due, builds, and says who must reload.

use super::Exit;
use super::arguments::{Arguments, Build, Renew, WhenInSync};
use super::build;
use super::output::Output;

/// Runs the command: a build that takes nothing over, and is silent when nothing is due.
pub fn run(arguments: &Arguments, options: &Renew, output: &mut Output) -> Exit {
    let build = Build {
        scope: options.scope.clone(),
        adopt: Vec::new(),
        stdout: false,
        locked: false,
        identity: options.identity.clone(),
        when_in_sync: WhenInSync::Silent,
    };
    build::run(arguments, &build, output)
}
