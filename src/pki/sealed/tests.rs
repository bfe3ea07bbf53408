use std::str::FromStr as _;

use proptest::prelude::*;

use super::*;

const SECRET: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
const PUBLIC: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

fn identity() -> Identities {
    Identities::parse(SECRET).expect("an identity")
}

fn stranger() -> Identities {
    let secret = age::x25519::Identity::generate().to_string();
    Identities::parse(age::secrecy::ExposeSecret::expose_secret(&secret)).expect("an identity")
}

fn sealed(plain: &[u8]) -> Vec<u8> {
    seal(plain, &[Recipient::from_str(PUBLIC).expect("a recipient")]).expect("sealed")
}

#[test]
fn recipients_are_read_or_the_reason_is_said() {
    let recipient = Recipient::from_str(PUBLIC).expect("a recipient");
    assert_eq!(recipient.to_string(), PUBLIC);
    assert_eq!(identity().recipients(), [recipient]);
    let ssh =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN a@b";
    let yubikey = "age1yubikey1q2w7u3vpya839jxxuq8g0sedh3d740d4xvn639sqhr95ejj8vu3hyfumptt";
    for (text, why) in [
        (SECRET, BadRecipient::Secret),
        (&SECRET.to_lowercase(), BadRecipient::Secret),
        ("AGE-PLUGIN-YUBIKEY-1QQPQQ", BadRecipient::Secret),
        (ssh, BadRecipient::Ssh),
        (yubikey, BadRecipient::Plugin("yubikey".to_owned())),
        (&PUBLIC[..40], BadRecipient::Mistyped),
        (&PUBLIC.replace("pa", "ap"), BadRecipient::Mistyped),
        ("age1", BadRecipient::Mistyped),
        ("age1é", BadRecipient::Mistyped),
        ("", BadRecipient::Other),
        ("é", BadRecipient::Other),
        ("somebody@corp.example", BadRecipient::Other),
    ] {
        let bad = Recipient::from_str(text).expect_err(text);
        assert_eq!(bad, why, "{text}");
        for words in [bad.to_string(), bad.help().to_owned()] {
            assert!(text.len() < 16 || !words.contains(&text[..16]), "{words}");
        }
    }
}

#[test]
fn points_of_low_order_are_refused() {
    // Zero and one (RFC 7748), as Bech32 that is right in itself.
    for worthless in [
        "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z",
        "age1qyqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqj7vrya",
    ] {
        assert!(
            age::x25519::Recipient::from_str(worthless).is_ok(),
            "{worthless}"
        );
        assert_eq!(Recipient::from_str(worthless), Err(BadRecipient::Worthless));
    }
}

#[test]
fn identities_are_read_or_the_reason_is_said() {
    let file = format!("\u{feff}# created: today\r\n# public key: {PUBLIC}\r\n\r\n {SECRET} \r\n");
    let both = Identities::parse(&format!("{file}\n{SECRET}")).expect("identities");
    assert_eq!(both.recipients().len(), 2);
    let mut joined = Identities::default();
    assert!(joined.is_empty());
    joined.extend(both);
    assert!(!joined.is_empty());
    assert_eq!(format!("{joined:?}"), "Identities(..)");
    let ssh = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n";
    for (text, why) in [
        ("", BadIdentity::Empty),
        ("# only\n", BadIdentity::Empty),
        (ssh, BadIdentity::Ssh),
        ("-----BEGIN PRIVATE KEY-----\nMAA=", BadIdentity::Pem),
        ("#\nAGE-PLUGIN-YUBIKEY-1QQPQQ", BadIdentity::Plugin(2)),
        ("AGE-SECRET-KEY-PQ-1QQPQQ", BadIdentity::Newer(1)),
        (PUBLIC, BadIdentity::Recipient(1)),
        (&SECRET[..60], BadIdentity::Other(1)),
        (&format!("{SECRET}\n\n{SECRET}x"), BadIdentity::Other(3)),
        (
            "-----BEGIN AGE ENCRYPTED FILE-----\n",
            BadIdentity::Encrypted,
        ),
        ("age-encryption.org/v1\n-> scrypt", BadIdentity::Encrypted),
        (&"#\n".repeat(LARGEST_SEALED * 2), BadIdentity::TooLarge),
    ] {
        assert_eq!(Identities::parse(text).expect_err("no identity"), why);
    }
}

#[test]
fn who_may_not_open_is_told_why() {
    let text = sealed(b"key");
    assert!(is_sealed(&text));
    assert_eq!(*open(&text, &identity()).expect("open"), b"key");
    assert_eq!(open(&text, &stranger()), Err(OpenError::NoMatch));
    assert_eq!(open(&text, &Identities::default()), Err(OpenError::NoMatch));
    assert_eq!(open(b"key", &identity()), Err(OpenError::NotAge));
    assert_eq!(open(b"", &identity()), Err(OpenError::NotAge));
    assert_eq!(
        open(b"age-encryption.org/v9\n-> something newer\n", &identity()),
        Err(OpenError::Newer)
    );
    let mut long = text.clone();
    long.resize(LARGEST_SEALED + 1, b'A');
    assert_eq!(open(&long, &identity()), Err(OpenError::TooLarge));
    let many = [
        "age-encryption.org/v1\n",
        &"-> a b\n\n".repeat(20_000),
        "--- ",
    ]
    .concat();
    assert_eq!(open(many.as_bytes(), &identity()), Err(OpenError::TooLarge));
    // A recipient's worth of work, so that a test need not wait a second.
    let mut scrypt = age::scrypt::Recipient::new("passphrase".to_owned().into());
    scrypt.set_work_factor(2);
    let locked = age::encrypt(&scrypt, b"key").expect("sealed");
    assert_eq!(open(&locked, &identity()), Err(OpenError::Passphrase));
}

#[test]
fn sealing_is_bounded_and_nobody_is_no_recipient() {
    let recipient = Recipient::from_str(PUBLIC).expect("a recipient");
    assert_eq!(seal(b"key", &[]), Err(SealError::NoRecipient));
    let many = vec![recipient; MOST_RECIPIENTS + 1];
    assert_eq!(seal(b"key", &many), Err(SealError::TooManyRecipients));
    assert_eq!(
        seal(&[0; LARGEST + 1], &many[..1]),
        Err(SealError::TooLarge)
    );
    // The most that is sealed is opened again.
    let largest = seal(&[7; LARGEST], &many[1..]).expect("sealed");
    assert_eq!(*open(&largest, &identity()).expect("open"), [7; LARGEST]);
}

#[test]
fn white_space_and_line_breaks_of_windows_are_no_damage() {
    let text = String::from_utf8(sealed(b"key")).expect("text");
    for changed in [
        format!("\n  {text}"),
        format!("{text}\n\n"),
        text.replace('\n', "\r\n"),
        text.trim_end().to_owned(),
    ] {
        assert_eq!(
            *open(changed.as_bytes(), &identity()).expect("open"),
            b"key"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_sealed_is_opened_by_each_recipient(plain: Vec<u8>) {
        let other = stranger();
        let recipients = [identity().recipients(), other.recipients()].concat();
        let text = seal(&plain, &recipients).expect("sealed");
        prop_assert_eq!(&*open(&text, &identity()).expect("open"), &plain);
        prop_assert_eq!(&*open(&text, &other).expect("open"), &plain);
        prop_assert_ne!(&text, &seal(&plain, &recipients).expect("sealed"));
    }

    #[test]
    fn damage_is_never_a_key_and_never_a_panic(at in any::<prop::sample::Index>(), byte: u8, armored: bool) {
        let mut file = sealed(b"-----BEGIN PRIVATE KEY-----");
        if !armored {
            file = without_armor(&file).expect("binary");
        }
        let at = at.index(file.len());
        // Without its last line break a file is whole.
        let whole = armored && file[at..].trim_ascii().is_empty();
        let before = std::mem::replace(&mut file[at], byte);
        match open(&file, &identity()) {
            Ok(plain) => {
                // Only a line break or the last letters of the armor may be another.
                prop_assert!(before == byte || armored);
                prop_assert_eq!(&*plain, b"-----BEGIN PRIVATE KEY-----");
            }
            Err(_) => prop_assert_ne!(before, byte),
        }
        let cut = open(&file[..at], &identity());
        prop_assert_eq!(cut.is_ok(), whole);
    }

    #[test]
    fn whatever_is_opened_is_an_answer(tail: Vec<u8>, start in 0..3usize) {
        let file = [[b"age-encryption.org/v1\n".as_slice(), ARMOR, b""][start], &tail].concat();
        prop_assert!(open(&file, &identity()).is_err());
        let _ = Recipient::from_str(&String::from_utf8_lossy(&tail));
        let _ = Identities::parse(&String::from_utf8_lossy(&tail));
    }
}
