//! Each rule once; `tests/real/exposure.rs` compares with a real engine.

use super::super::Answer::{No, Yes};
use super::*;
use crate::world::Memory;

fn sends(text: &str, path: &str) -> Answer {
    let world = Memory::with([(".dockerignore", text)]);
    let context = BuildContext::of(&world, "", None, Block::Counts).unwrap();
    context.sends(path)
}

#[test]
fn the_last_pattern_that_matches_decides() {
    for (text, path, sent) in [
        ("pki", "pki/server.key", No),
        ("/pki/", "pki/server.key", No),
        ("pki", "a/pki/server.key", Yes),
        ("**/pki", "a/pki/server.key", No),
        ("*.key", "pki/server.key", Yes),
        ("**/*.key", "pki/server.key", No),
        ("**/*.key", "server.key", No),
        ("pki/**", "pki/a/b", No),
        ("pki/**", "pki", Yes),
        ("*", "pki/server.key", No),
        ("*\n!pki", "pki/server.key", Yes),
        ("*\n!pki\npki/*.key", "pki/server.key", No),
        ("pki/server.key\n!pki", "pki/server.key", No),
        ("# pki\n  pki/../other  \r\n", "other/x", No),
        ("a?c", "a/c", Yes),
        ("a\\*c", "a*c", No),
        ("\u{feff}pki", "pki", No),
        ("", "pki", Yes),
    ] {
        assert_eq!(sends(text, path), sent, "{text:?} {path}");
    }
}

#[test]
fn what_docker_refuses_or_reads_oddly_is_unknown() {
    for text in ["[", "!", "a[]", "\\d", "[*]", "a*^", "[[:alpha:]]", "[z-a]"] {
        let answer = sends(text, "a");
        assert!(matches!(answer, Answer::Unknown(_)), "{text} {answer:?}");
    }
}

#[test]
fn the_file_beside_the_dockerfile_wins() {
    let world = Memory::with([
        (
            "app/.dockerignore",
            "a\n# tlsgen: begin\n/d\n# tlsgen: end\n",
        ),
        ("docker/web.Dockerfile.dockerignore", "b\n"),
        ("plain/Dockerfile.dockerignore", "c\n"),
    ]);
    let of = |context, dockerfile| BuildContext::of(&world, context, dockerfile, Block::LeftOut);
    let app = of("./app/", None).unwrap();
    assert_eq!(
        (app.ignore_file(), app.has_ignore_file()),
        ("app/.dockerignore", true)
    );
    assert_eq!(
        (app.sends("app/a"), app.sends("app/d"), app.sends("a")),
        (No, Yes, No)
    );
    let web = of("app", Some("docker/web.Dockerfile")).unwrap();
    assert_eq!(web.ignore_file(), "docker/web.Dockerfile.dockerignore");
    assert_eq!((web.sends("app/a"), web.sends("app/b")), (Yes, No));
    assert_eq!(of("plain", None).unwrap().sends("plain/c"), No);
    let bare = of("docker", None).unwrap();
    assert_eq!(
        (bare.ignore_file(), bare.has_ignore_file()),
        ("docker/.dockerignore", false)
    );
    assert!(of("..", None).is_none());
}

proptest::proptest! {
    #[test]
    fn no_pattern_makes_it_panic(text in "[a!#/*?\\[\\]\\\\:\\-^. \r\n\0é]{0,40}", path in "[a/é:]{1,9}") {
        let _ = sends(&text, &path);
    }
}
