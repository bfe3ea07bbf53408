//! Certificates per second beside what the crypto library does at best: a bare loop that makes a key
//! and signs as many bytes as a certificate has.
//!
//! Measured on two cores of an AMD EPYC that others used too, without link-time optimisation: 92 % on
//! one thread (37,900 of 41,000 a second), 90 to 94 % on all cores (72,000 of 78,000). What is left is
//! memory taken for the pieces of a certificate, the digest for its key identifier, and the look at what
//! was written. A certificate is parsed (7 µs) when somebody asks what it says, which is not in here.

use std::hint::black_box;
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use rayon::prelude::*;
use tlsgen::pki::{Issuer, Profile, Subject, Ticket, self_signed, signed};
use tlsgen::pki::{KeyAlgorithm, PrivateKey};

/// So few that a turn on an idle core ends before the kernel takes the core away.
const AT_ONCE: u32 = 80;
const TURNS: usize = 1_500;

/// Prints one line for one thread and one for all cores. Both loops take short turns, so that whatever
/// else the machine does falls on both alike. The best turn of each counts; the median of what share
/// ours has in a pair of turns tells whether these were of luck.
pub fn compare() {
    let issuer = authority();
    let random = SystemRandom::new();
    let bare_key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
    let message = [0x5a; 400];
    let bare = |_| {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
        black_box((key, bare_key.sign(&random, &message).expect("a signature")));
    };
    let profiles: Vec<Profile> = (0..AT_ONCE).map(leaf).collect();
    let ours = |number: u32| {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).expect("a key");
        let profile = &profiles[number as usize];
        let made = signed(profile, key.public(), &issuer, &ticket(number));
        black_box((key, made.expect("a certificate")));
    };
    let alone = |one: &(dyn Fn(u32) + Sync)| (0..AT_ONCE).for_each(one);
    let together = |one: &(dyn Fn(u32) + Sync)| (0..AT_ONCE).into_par_iter().for_each(one);
    print(
        "certificates per second, one thread",
        &|| alone(&ours),
        &|| {
            alone(&bare);
        },
    );
    print(
        "certificates per second, all cores",
        &|| together(&ours),
        &|| {
            together(&bare);
        },
    );
}

fn print(what: &str, ours: &dyn Fn(), bare: &dyn Fn()) {
    let turns: Vec<_> = (0..TURNS).map(|turn| pair(turn, ours, bare)).collect();
    let (ours, bare): (Vec<_>, Vec<_>) = turns.iter().copied().unzip();
    let rate = |times: Vec<Duration>| {
        let best = times.into_iter().min().unwrap_or(Duration::MAX);
        f64::from(AT_ONCE) / best.as_secs_f64()
    };
    let (ours, bare) = (rate(ours), rate(bare));
    let shares = turns
        .iter()
        .map(|(ours, bare)| bare.div_duration_f64(*ours));
    let mut shares: Vec<f64> = shares.collect();
    shares.sort_by(f64::total_cmp);
    println!(
        "{what:<44} {ours:>8.0}/s {:>8}  90 % of a bare loop: {:.0} % of {bare:.0}/s, median {:.0} %",
        "",
        100.0 * ours / bare,
        100.0 * shares[TURNS / 2]
    );
}

/// Each goes first every other time, since the kernel too takes turns.
fn pair(turn: usize, ours: &dyn Fn(), bare: &dyn Fn()) -> (Duration, Duration) {
    if turn.is_multiple_of(2) {
        let ours = taken(ours);
        return (ours, taken(bare));
    }
    let bare = taken(bare);
    (taken(ours), bare)
}

fn taken(run: &dyn Fn()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

fn authority() -> Issuer {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).expect("a key");
    let profile = Profile::Authority {
        subject: Subject::named("Bench Root"),
        path_length: None,
        constraints: None,
    };
    let root = self_signed(&profile, &key, &ticket(1)).expect("a root");
    Issuer::new(root, key).expect("an issuer")
}

fn leaf(number: u32) -> Profile {
    Profile::Leaf {
        names: vec![format!("host-{number}.lab.example")],
        server: true,
        client: false,
    }
}

fn ticket(number: u32) -> Ticket {
    let mut serial = [0x5a; 16];
    serial[12..].copy_from_slice(&number.to_be_bytes());
    Ticket {
        serial,
        not_before: 1_795_348_800,
        not_after: 1_826_884_799,
    }
}
