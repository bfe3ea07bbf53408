//! Certificates per second beside what the crypto library does at best: a bare loop that makes a key
//! and signs as many bytes as a certificate has.

use std::hint::black_box;
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use rayon::prelude::*;
use tlsgen::pki::{Issuer, Profile, Subject, Ticket, self_signed, signed};
use tlsgen::pki::{KeyAlgorithm, PrivateKey};

const AT_ONCE: u32 = 2_000;
const TIMES: u32 = 7;

/// Prints one line for one thread and one for all cores. Both loops take turns, so that whatever else
/// the machine does falls on both; the best turn of each counts.
pub fn compare() {
    let issuer = authority();
    let random = SystemRandom::new();
    let bare_key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
    let message = [0x5a; 400];
    let bare = |_| {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
        black_box((key, bare_key.sign(&random, &message).expect("a signature")));
    };
    let ours = |number: u32| {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).expect("a key");
        let made = signed(&leaf(number), key.public(), &issuer, &ticket(number));
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
    let (mut best, mut best_bare) = (Duration::MAX, Duration::MAX);
    for _ in 0..TIMES {
        best = best.min(taken(ours));
        best_bare = best_bare.min(taken(bare));
    }
    let rate = |time: Duration| f64::from(AT_ONCE) / time.as_secs_f64();
    let share = 100.0 * rate(best) / rate(best_bare);
    println!(
        "{what:<44} {:>8.0}/s {:>8}  90 % of a bare loop: {share:.0} % of {:.0}/s",
        rate(best),
        "",
        rate(best_bare)
    );
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
