//! A project that issues, and a build of it as `tlsgen build` does it, in any world.

use std::collections::{BTreeMap, BTreeSet};

use tlsgen::Hand;
use tlsgen::build::{LockReading, Run, Verdict};
use tlsgen::diagnostic::{Style, to_text};
use tlsgen::pki::{Certificate, Identities, Revoked, key, pem};
use tlsgen::plan::{Adopt, Plan, in_sync};
use tlsgen::world::{Memory, World};

pub const SPEC: &str = include_str!("tlsgen.yaml");
pub const COMPOSE: &str = include_str!("compose.yml");
pub const LOCK: &str = "tlsgen.lock";
/// A key for tests, and the identity that opens it.
pub const RECIPIENT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";
const IDENTITY: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
/// 2026-03-01.
pub const START: i64 = 1_772_323_200;
pub const DAY: i64 = 86_400;

pub type Files = BTreeMap<String, (Vec<u8>, u32)>;

/// The spec with its keys in the other store.
pub fn sealed_spec() -> String {
    format!("{SPEC}keys: {{store: age, recipients: [{RECIPIENT}]}}\n")
}

pub fn identities() -> Identities {
    Identities::parse(IDENTITY).unwrap()
}

/// A world with these files at a time.
pub fn world_of(files: &Files, now: i64) -> Memory {
    let mut world = Memory::default();
    world.now = now;
    for (path, (body, mode)) in files {
        world.write(path, body, *mode).unwrap();
    }
    world
}

/// The files of a project that was never built.
pub fn unbuilt(spec: &str) -> Files {
    let file = |path: &str, text: &str| (path.to_owned(), (text.as_bytes().to_vec(), 0o644));
    BTreeMap::from([file("tlsgen.yaml", spec), file("compose.yml", COMPOSE)])
}

/// `tlsgen build`; says for whom a certificate was made.
pub fn build(world: &dyn World) -> Result<BTreeSet<String>, String> {
    build_over(world, &Adopt::Nothing)
}

/// The same with something that may be written over.
pub fn build_over(world: &dyn World, adopt: &Adopt) -> Result<BTreeSet<String>, String> {
    written(world, adopt, &BTreeSet::new())
}

/// `tlsgen revoke`.
pub fn revoke(world: &dyn World, revoking: &Revoked) -> Result<(), String> {
    let revoking = BTreeSet::from([revoking.clone()]);
    written(world, &Adopt::Nothing, &revoking).map(|_| ())
}

/// `tlsgen check`.
pub fn is_in_sync(world: &dyn World) -> bool {
    let nothing = BTreeSet::new();
    let run = run(LockReading::Strict, &Adopt::Nothing, &nothing);
    let plan = tlsgen::build::planned(world, &run, Hand::Nobody).plan;
    plan.is_some_and(|plan| in_sync(&plan))
}

fn run<'a>(lock: LockReading, adopt: &'a Adopt, revoking: &'a BTreeSet<Revoked>) -> Run<'a> {
    Run {
        spec: "tlsgen.yaml",
        only: &[],
        lock,
        adopt,
        revoking,
        imported: None,
    }
}

fn written(
    world: &dyn World,
    adopt: &Adopt,
    revoking: &BTreeSet<Revoked>,
) -> Result<BTreeSet<String>, String> {
    let _held = tlsgen::build::exclusive(world).map_err(|hindered| hindered.to_string())?;
    let run = run(LockReading::Rebuild, adopt, revoking);
    let first = tlsgen::build::planned(world, &run, Hand::Nobody);
    let opened = |_: &Plan| Ok::<_, String>(identities());
    let built = tlsgen::build::build(world, &run, first, false, opened)?;
    let outcome = &built.outcome;
    match (&built.failed, built.verdict, &outcome.plan) {
        (Some(error), ..) => Err(error.to_string()),
        (None, Verdict::Ready, Some(plan)) => {
            let made = plan.issuances.iter().map(|one| one.holder.to_string());
            Ok(made.collect())
        }
        (None, _, Some(plan)) => {
            let refused: Vec<&str> = plan.refused().map(|change| &*change.path).collect();
            Err(format!("refused: {}", refused.join(" ")))
        }
        (None, _, None) => Err(to_text(&outcome.found, &outcome.sources, Style::Plain)),
    }
}

/// The certificates of a file, from first to last; all of it must be understood.
pub fn certificates(body: &[u8]) -> Vec<Certificate> {
    let reading = pem::blocks(body);
    reading
        .certificates()
        .map(|(_, read)| read.unwrap())
        .collect()
}

/// The certificate of each holder, by its file.
pub fn issued(files: &Files) -> BTreeMap<String, Certificate> {
    let ours = |path: &str| path.starts_with("pki/authorities/") || path.starts_with("pki/hosts/");
    let files = files
        .iter()
        .filter(|(path, _)| ours(path) && path.ends_with(".pem"));
    files
        .map(|(path, (body, _))| (path.clone(), certificates(body).swap_remove(0)))
        .collect()
}

/// The public half of the key of each holder, by its file; every one must be readable.
pub fn keys(files: &Files) -> BTreeMap<String, tlsgen::digest::Sha256> {
    let keys = files
        .iter()
        .filter(|(path, _)| path.starts_with("pki/private/"));
    let keys = keys.filter(|(path, _)| !is_leftover(path));
    keys.map(|(path, (body, _))| {
        let plain = match path.ends_with(".age") {
            true => tlsgen::pki::sealed::open(body, &identities()).unwrap(),
            false => zeroize::Zeroizing::new(body.clone()),
        };
        (
            path.clone(),
            key::public_key_of(&plain).unwrap().spki_sha256(),
        )
    })
    .collect()
}

pub fn is_leftover(path: &str) -> bool {
    path.ends_with(".tlsgen")
}
