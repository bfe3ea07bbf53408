//! Behind a load balancer at which TLS ends.

use std::fs;

use super::lab::{Lab, releases};
use super::listener::Application;

const SPEC: &str = r#"
hosts:
  tower: {names: [tower.lab.example, t.lab.example]}
  git: {names: [git.lab.example]}
services:
  web:
    server: SERVER
    serves:
      - {host: tower, upstream: "http://127.0.0.1:UPSTREAM", redirect_http: true, hsts: 1y, headers: {X-A: b}, health_path: "HEALTH", challenge_root: ROOT, behind: {networks: [127.0.0.1/32]}}
      - {host: git, upstream: "http://127.0.0.1:UPSTREAM", redirect_http: true, hsts: 1y, behind: {networks: [10.0.0.0/8, "fd00::/8", "::/0"]}}
"#;

#[test]
fn only_the_load_balancer_is_believed() {
    let application = Application::start(None);
    let health = "/h~*^=!$&'()+,;:@|{}[]<>`\"-_.y";
    for release in releases() {
        let lab = Lab::new(release);
        let directory = lab.path("challenges/.well-known/acme-challenge");
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("token"), "token.thumbprint").unwrap();
        let spec = SPEC
            .replace("UPSTREAM", &application.port.to_string())
            .replace("ROOT", &lab.inside("challenges"))
            .replace("HEALTH", &health.replace('\\', r"\\").replace('"', "\\\""));
        let running = lab.run(&spec, |place| {
            for host in &mut place.hosts {
                host.public_port = 443;
            }
        });
        let forwarded = [
            "-H",
            "X-Forwarded-Proto: https",
            "-H",
            "X-Forwarded-For: 6.6.6.6, 192.0.2.7",
        ];
        let tower = running.get_plain("tower.lab.example", "/a?b", &forwarded);
        assert_eq!(
            (tower.code, tower.request()),
            (200, "GET /a?b HTTP/1.1".to_owned()),
            "{}",
            running.log()
        );
        assert_eq!(tower.seen("X-Forwarded-Proto").as_deref(), Some("https"));
        assert_eq!(tower.seen("X-Forwarded-For").as_deref(), Some("192.0.2.7"));
        assert_eq!(tower.seen("X-Real-IP").as_deref(), Some("192.0.2.7"));
        assert_eq!(tower.seen("Host").as_deref(), Some("tower.lab.example"));
        assert_eq!(
            tower.header("Strict-Transport-Security"),
            ["max-age=31536000"]
        );
        assert_eq!(tower.header("X-A"), ["b"]);
        // A redirect of the application that knows its path alone is left to the client.
        let path = "/status/302?location=http://tower.lab.example/x";
        let moved = running.get_plain("tower.lab.example", path, &forwarded);
        let port = running.plain_port();
        assert_eq!(
            moved.header("Location"),
            [format!("https://tower.lab.example:{port}/x")],
            "the client named this port"
        );
        // One that is not among the networks of the other host.
        let git = running.get_plain("git.lab.example", "/a?b", &forwarded);
        assert_eq!(
            (git.code, git.redirect.as_str()),
            (308, "https://git.lab.example/a?b")
        );
        assert!(
            git.header("Strict-Transport-Security").is_empty(),
            "{git:?}"
        );
        for plain in [&[][..], &["-H", "X-Forwarded-Proto: http"]] {
            let answer = running.get_plain("tower.lab.example", "/a?b", plain);
            assert_eq!(
                (answer.code, answer.redirect.as_str()),
                (308, "https://tower.lab.example/a?b")
            );
            assert!(answer.header("Strict-Transport-Security").is_empty());
        }
        let token = "/.well-known/acme-challenge/token";
        for headers in [&[][..], &forwarded] {
            let answer = running.get_plain("tower.lab.example", token, headers);
            assert!(answer.said.contains("token.thumbprint"), "{answer:?}");
        }
        for host in ["tower.lab.example", "127.0.0.1"] {
            let url = format!("http://{host}:{}", running.plain_port());
            let mut asked = vec!["--globoff", "--path-as-is", "--request-target", health];
            asked.push(&url);
            let healthy = running.curl(&asked);
            assert_eq!(healthy.code, 200, "{host}: {healthy:?}\n{}", running.log());
            assert_eq!(healthy.request(), format!("GET {health} HTTP/1.1"));
        }
        for path in ["/", "/h", token] {
            let stranger = running.get_plain("nobody.lab.example", path, &forwarded);
            assert_eq!(stranger.code, 421);
        }
    }
}

#[test]
fn everybody_is_believed_in_silence() {
    let application = Application::start(None);
    for release in releases() {
        let spec = format!(
            "hosts:\n  tower: {{names: [tower.lab.example]}}\nservices:\n  web:\n    server: SERVER\n    serves:\n      - {{host: tower, upstream: \"http://127.0.0.1:{}\", redirect_http: true, behind: {{networks: [0.0.0.0/0, \"::/0\"]}}}}\n",
            application.port
        );
        let running = Lab::new(release).run(&spec, |_| {});
        let forwarded = ["-H", "X-Forwarded-Proto: https"];
        let answer = running.get_plain("tower.lab.example", "/", &forwarded);
        assert_eq!(answer.code, 200, "{answer:?}");
    }
}
