//! Who names no host, and gets no certificate.

use super::lab::{Lab, releases};
use super::listener::Application;
use super::names::{NODE, every_name_is_verified, spec};
use super::server::OLD;
use super::support::judge;

/// The alert `unrecognized_name`.
const ALERT: &str = "SSL alert number 112";

#[test]
fn who_names_nobody_gets_no_handshake() {
    let application = Application::start(None);
    for release in releases() {
        let running = Lab::new(release).run(&spec(&application, ""), |_| ());
        every_name_is_verified(&running);
        for stranger in [
            &["-servername", "nobody.lab.example"][..],
            &["-servername", "wild.lab.example"],
            &["-noservername"],
        ] {
            let refused = running.handshake(stranger);
            assert!(
                refused.said.contains(ALERT),
                "{stranger:?}: {}",
                refused.said
            );
        }
        let inside = running.get(
            "tower.lab.example",
            "/",
            &["-H", "Host: nobody.lab.example"],
        );
        assert_eq!(inside.code, 421);
        assert_eq!(inside.header("Server"), ["nginx"]);
    }
}

#[test]
fn an_address_among_the_names_takes_who_names_none_and_nobody_else() {
    let application = Application::start(None);
    for release in releases() {
        let running = Lab::new(release).run(&spec(&application, NODE), |_| ());
        let stranger = running.handshake(&["-servername", "nobody.lab.example"]);
        assert!(stranger.said.contains(ALERT), "{}", stranger.said);
        let old = running.get("127.0.0.1", "/", &["--http1.0", "-H", "Host:"]);
        assert_eq!(old.code, 200, "{old:?}");
    }
}

#[test]
fn a_release_that_cannot_refuse_a_handshake_hangs_up() {
    if judge("nginx-bookworm").is_none() {
        return;
    }
    let application = Application::start(None);
    for more in ["", NODE] {
        let text = spec(&application, more).replace("server: SERVER", "server: nginx@1.18");
        let running = Lab::new(OLD).run(&text, |_| ());
        every_name_is_verified(&running);
        let url = format!("https://nobody.lab.example:{}/", running.port());
        let stranger = running.curl(&["--insecure", "--http1.1", &url]);
        assert_eq!((stranger.code, stranger.exit), (0, 52), "{stranger:?}");
    }
}
