//! Who names no host, and gets no answer.

use super::lab::{Lab, releases};
use super::listener::Application;
use super::names::{NODE, every_name_is_verified, named, spec};
use super::server::install;

#[test]
fn who_names_nobody_gets_no_answer() {
    let application = Application::start(None);
    for release in releases() {
        let running = Lab::new(release).run(&spec(&application, ""), |_| ());
        every_name_is_verified(&running);
        for stranger in ["nobody.lab.example", "wild.lab.example"] {
            let verified = running.handshake(&named(stranger, stranger));
            assert!(!verified.verified, "{}", verified.said);
            let url = format!("https://{stranger}:{}/", running.port());
            let there = format!("{stranger}:{}:127.0.0.1", running.port());
            let answer = running.curl(&["--insecure", "--resolve", &there, &url]);
            assert_eq!(answer.code, 421, "{answer:?}");
        }
        let request = "GET / HTTP/1.1\r\nHost: tower.lab.example\r\nConnection: close\r\n\r\n";
        let unnamed = running.talk(&["-noservername"], request);
        assert!(unnamed.starts_with("HTTP/1.1 403 "), "{unnamed}");
        let other = "Host: nobody.lab.example";
        let inside = running.get("tower.lab.example", "/", &["-H", other]);
        assert_eq!(inside.code, 421);
    }
}

#[test]
fn another_name_inside_is_refused_who_named_none() {
    let application = Application::start(None);
    for release in releases() {
        let running = Lab::new(release).run(&spec(&application, NODE), |_| ());
        let refused = running.get("127.0.0.1", "/", &["-H", "Host: tower.lab.example"]);
        assert!([403, 421].contains(&refused.code), "{refused:?}");
    }
}

/// Apache takes the first virtual host that fits, be it by a `*`.
#[test]
fn a_star_hides_no_other_host() {
    let application = Application::start(None);
    for release in releases() {
        let text =
            spec(&application, "").replace("[\"*.wild.lab.example\"]", "[\"*.lab.example\"]");
        let mut lab = Lab::new(release);
        lab.leaf("wild", &["*.lab.example"]);
        let serving = lab.serve(&text, |_| ());
        install(&lab, &serving);
        let running = lab.start();
        for name in ["tower.lab.example", "git.lab.example"] {
            let good = running.handshake(&named(name, name));
            assert!(
                good.verified && !good.said.contains("CN=*"),
                "{}",
                good.said
            );
        }
    }
}

/// The other releases of the same configuration, which newer ones read as well.
#[test]
fn what_is_written_for_old_releases_works() {
    let application = Application::start(None);
    for release in releases() {
        for server in ["apache", "apache@2.4.37", "apache@2.4.47"] {
            let text =
                spec(&application, "").replace("server: SERVER", &format!("server: {server}"));
            let running = Lab::new(release).run(&text, |_| ());
            every_name_is_verified(&running);
        }
    }
}
