//! Behind a load balancer at which TLS ends.

use super::lab::{Lab, releases};
use super::listener::Application;
use super::server::install_around;

const SPEC: &str = r#"
hosts:
  tower: {names: [tower.lab.example, t.lab.example]}
  git: {names: [git.lab.example]}
services:
  web:
    server: SERVER
    serves:
      - {host: tower, upstream: "http://127.0.0.1:UPSTREAM", redirect_http: true, hsts: 1y, headers: {X-A: b}, health_path: "HEALTH", behind: {networks: [127.0.0.1/32]}}
      - {host: git, upstream: "http://127.0.0.1:UPSTREAM", redirect_http: true, hsts: 1y, behind: {networks: [10.0.0.0/8, "fd00::/8", "::/0"]}}
"#;

#[test]
fn only_the_load_balancer_is_believed() {
    let application = Application::start(None);
    let health = "/h~*^=!$&'()+,;:@|{}[]<>`\"\\x-_.y";
    for release in releases() {
        let spec = SPEC
            .replace("UPSTREAM", &application.port.to_string())
            .replace("HEALTH", &health.replace('\\', r"\\").replace('"', "\\\""));
        let running = Lab::new(release).run(&spec, |place| {
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
            (200, "GET /a?b HTTP/1.1".to_owned())
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
        for host in ["tower.lab.example", "127.0.0.1"] {
            let url = format!("http://{host}:{}", running.plain_port());
            let mut asked = vec!["--globoff", "--path-as-is", "--request-target", health];
            asked.push(&url);
            let healthy = running.curl(&asked);
            assert_eq!(healthy.code, 200, "{host}: {healthy:?}");
            assert_eq!(healthy.request(), format!("GET {health} HTTP/1.1"));
        }
        let stranger = running.get_plain("nobody.lab.example", "/", &forwarded);
        assert_eq!(stranger.exit, 52);
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

#[test]
fn lines_for_a_block_redirect_too() {
    for release in releases() {
        let spec = "hosts:\n  tower: {names: [tower.lab.example]}\nservices:\n  web:\n    server: SERVER\n    serve_as: include\n    serves:\n      - {host: tower, redirect_http: true, hsts: 1y, health_path: /healthz, behind: {networks: [127.0.0.1]}}\n";
        let mut lab = Lab::new(release);
        let serving = lab.serve(spec, |place| {
            place.hosts[0].public_port = 443;
            place.hosts[0].block_names = vec!["tower.lab.example".to_owned()];
        });
        let port = lab.place.hosts[0].plain_port;
        let block = format!(
            "server {{ listen {port}; server_name tower.lab.example; INCLUDE location / {{ return 200 \"own\"; }} }}"
        );
        install_around(&lab, &serving, &block);
        let running = lab.start();
        let forwarded = [
            "-H",
            "X-Forwarded-Proto: https",
            "-H",
            "X-Forwarded-For: 192.0.2.7",
        ];
        let answer = running.get_plain("tower.lab.example", "/a", &forwarded);
        assert_eq!(answer.code, 200);
        assert_eq!(
            answer.header("Strict-Transport-Security"),
            ["max-age=31536000"]
        );
        for path in ["/healthz", "/.well-known/acme-challenge/x"] {
            assert_eq!(running.get_plain("tower.lab.example", path, &[]).code, 200);
        }
        let plain = running.get_plain("tower.lab.example", "/a", &[]);
        assert_eq!(
            (plain.code, plain.redirect.as_str()),
            (308, "https://tower.lab.example/a")
        );
        assert!(plain.header("Strict-Transport-Security").is_empty());
    }
}
