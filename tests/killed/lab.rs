//! A project that issues, and a build of it as `tlsgen build` does it, in any world.

use std::collections::{BTreeMap, BTreeSet};

use tlsgen::diagnostic::{Diagnostics, Style, to_text};
use tlsgen::issuers::Remembered;
use tlsgen::pki::{Certificate, Identities, Revoked, key, pem};
use tlsgen::plan::{Adopt, Lock, Plan, Wanted, apply, in_sync, plan};
use tlsgen::source::Sources;
use tlsgen::world::{Exclusive, Memory, PATIENCE, World};
use tlsgen::{Asked, Hand, compile};

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

/// What a build, or nobody, would do.
pub fn planned(world: &dyn World, hand: Hand<'_>, adopt: &Adopt) -> Result<(Plan, String), String> {
    planned_revoking(world, hand, adopt, None)
}

/// The same of `tlsgen revoke`.
fn planned_revoking(
    world: &dyn World,
    hand: Hand<'_>,
    adopt: &Adopt,
    revoking: Option<&Revoked>,
) -> Result<(Plan, String), String> {
    let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
    let lock = Lock::load_to_rebuild(world).map_err(|error| error.to_string())?;

    let mut revoked = lock.revoked.clone();
    revoked.extend(revoking.cloned());
    let asked = Asked {
        spec: "tlsgen.yaml",
        only: &[],
        remembered: Remembered {
            issued: &lock.issued,
            revoked: &revoked,
            recipients: &lock.recipients,
        },
        hand,
    };
    let compiled = compile(world, asked, &mut sources, &mut found)
        .map_err(|_| to_text(&found, &sources, Style::Plain))?;
    let directory = compiled.key_directory.clone();
    let wanted = Wanted {
        pins: Vec::new(),
        artifacts: compiled.artifacts,
        accesses: compiled.accesses,
        reloads: compiled.reloads,
        issued: compiled.issued,
        revoked: compiled.revoked,
        issuances: compiled.issuances,
        keys: compiled.keys,
        keys_to_come: compiled.keys_to_come,
        rewrites_keys: compiled.rewrites_keys,
        recipients: compiled.recipients,
        inputs: compiled.inputs,
        kept: compiled.kept,
    };
    Ok((plan(&wanted, &lock, world, adopt), directory))
}

/// `tlsgen build`; says for whom a certificate was made.
pub fn build(world: &dyn World) -> Result<BTreeSet<String>, String> {
    build_over(world, &Adopt::Nothing)
}

/// `tlsgen revoke`.
pub fn revoke(world: &dyn World, revoking: &Revoked) -> Result<(), String> {
    let said = |error: std::io::Error| error.to_string();
    let _held = alone(world).map_err(said)?;
    let opened = identities();
    let hand = Hand::Keys(Some(&opened));
    let (plan, directory) = planned_revoking(world, hand, &Adopt::Nothing, Some(revoking))?;
    refused(&plan)?;
    world.remove_leftovers(&directory).map_err(said)?;
    apply(&plan, world).map_err(|error| error.to_string())?;
    Ok(())
}

/// The same with something that may be written over.
pub fn build_over(world: &dyn World, adopt: &Adopt) -> Result<BTreeSet<String>, String> {
    let said = |error: std::io::Error| error.to_string();
    let _held = alone(world).map_err(said)?;
    let (mut plan, mut directory) = planned(world, Hand::Nobody, adopt)?;
    refused(&plan)?;
    let opened = identities();
    if !plan.issuances.is_empty() {
        (plan, directory) = planned(world, Hand::Keys(Some(&opened)), adopt)?;
        refused(&plan)?;
    }
    world.remove_leftovers(&directory).map_err(said)?;
    apply(&plan, world).map_err(|error| error.to_string())?;
    let made = plan.issuances.iter().map(|one| one.holder.to_string());
    Ok(made.collect())
}

/// As every command that writes begins.
fn alone(world: &dyn World) -> std::io::Result<Exclusive> {
    let held = world.exclusive(PATIENCE)?;
    for directory in ["", "pki/authorities", "pki/hosts"] {
        world.remove_leftovers(directory)?;
    }
    Ok(held)
}

fn refused(plan: &Plan) -> Result<(), String> {
    let refused: Vec<&str> = plan.refused().map(|change| &*change.path).collect();
    match refused.is_empty() {
        true => Ok(()),
        false => Err(format!("refused: {}", refused.join(" "))),
    }
}

pub fn is_in_sync(world: &dyn World) -> bool {
    planned(world, Hand::Nobody, &Adopt::Nothing).is_ok_and(|(plan, _)| in_sync(&plan))
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
