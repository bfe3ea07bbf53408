//! Files of a NethServer 8 module, run against a stand-in of its node: see tests/real/nethserver.

#![allow(clippy::unwrap_used, reason = "a test may panic, and touch the disk")]

mod support;

#[path = "nethserver/judged.rs"]
mod judged;

#[path = "nethserver/stand_in.rs"]
mod stand_in;

use serde_json::{Value, json};

use stand_in::Node;

const MAIL: (&str, &str) = ("examples/nethserver-mail", "imageroot");
const CHAT: (&str, &str) = (
    "tests/cases/compiles-nethserver-several-certificates",
    "chat/imageroot",
);
const WHOLE: (&str, &str) = ("tests/cases/compiles-nethserver-whole", "imageroot");
const ASKED: &str = r#"{"hostname": "mail.example.net", "webmail_hostname": "web.example.net", "lets_encrypt": true}"#;

#[test]
fn a_module_is_configured_and_removed() {
    let Some(node) = Node::with(MAIL) else {
        return;
    };
    let configured = node.action("configure-module", ASKED);
    assert!(configured.success, "{}", configured.said);
    assert_eq!(
        node.config("mail1"),
        Some(json!({
            "instance": "mail1",
            "url": "http://127.0.0.1:20010",
            "host": "web.example.net",
            "lets_encrypt": true,
            "lets_encrypt_check": true,
            "http2https": true,
        }))
    );
    assert_eq!(
        node.config("set-certificate-mail1"),
        Some(json!({"fqdn": "mail.example.net", "sync_timeout": 60}))
    );
    // The services were not running before they had a certificate.
    assert_eq!(node.mode("tls-certs/server.key"), Some(0o600));
    assert_eq!(node.mode("tls-certs/fullchain.pem"), Some(0o600));
    assert_eq!(
        node.told(),
        [
            "enable dovecot.service",
            "reload-or-restart dovecot.service"
        ]
        .map(|line| [line.to_owned(), line.replace("dovecot", "postfix")])
        .concat()
    );

    let removed = node.action("destroy-module", "{}");
    assert!(removed.success, "{}", removed.said);
    assert_eq!(node.config("mail1"), None);
    assert_eq!(node.config("set-certificate-mail1"), None);
}

#[test]
fn what_was_never_configured_is_removed_too() {
    let Some(node) = Node::with(MAIL) else {
        return;
    };
    let removed = node.action("destroy-module", "{}");
    assert!(removed.success, "{}", removed.said);
    assert_eq!(node.tasks(), ["delete-route"]);
    node.traefik("none", "");
    assert!(node.action("destroy-module", "{}").success);
    assert!(!node.action("configure-module", ASKED).success);
}

#[test]
fn who_configures_a_module_reads_why_there_is_no_certificate() {
    let Some(node) = Node::with(MAIL) else {
        return;
    };
    node.traefik("acme-refuses", "");
    let without = ASKED.replace("true", "false");
    let refused = node.action("configure-module", &without);
    assert!(!refused.success);
    assert_eq!(
        serde_json::from_str::<Value>(&refused.printed).unwrap()[0]["error"],
        "newcert_acme_error"
    );
    assert!(refused.said.contains("rateLimited"), "{}", refused.said);
    assert_eq!(node.status(), "validation-failed");
    // Nothing was started.
    assert_eq!(node.told(), [] as [String; 0]);
    // A route without Let's Encrypt is there all the same.
    assert_eq!(node.config("mail1").unwrap()["lets_encrypt"], false);
    assert_eq!(node.config("set-certificate-mail1"), None);
}

#[test]
fn the_label_grants_what_is_asked_for_and_two_entries_would_not() {
    for (label, works) in [
        ("traefik@node:routeadm,certadm node:fwadm", true),
        ("traefik@node:fulladm", true),
        ("traefik@node:routeadm traefik@node:certadm", false),
        ("traefik@node:certadm", false),
        ("node:fwadm", false),
    ] {
        let Some(node) = Node::with(MAIL) else {
            return;
        };
        node.traefik("label", &format!("org.nethserver.authorizations={label}\n"));
        let configured = node.action("configure-module", ASKED);
        assert_eq!(configured.success, works, "{label}: {}", configured.said);
        assert!(
            works || configured.said.contains("403"),
            "{}",
            configured.said
        );
    }
}

#[test]
fn units_get_their_certificate_before_they_start() {
    let Some(node) = Node::with(MAIL) else {
        return;
    };
    // Traefik has none: the service starts with what it signed itself.
    node.environment("MAIL_HOSTNAME=mail.example.net\n");
    assert!(node.start("get-certificate.service").success);
    let first = node.state("tls-certs/fullchain.pem").unwrap();
    node.issue("mail.example.net");
    assert!(node.start("get-certificate.service").success);
    let second = node.state("tls-certs/fullchain.pem").unwrap();
    assert_ne!(first, second);
    let [key, chain] =
        ["server.key", "server.pem"].map(|name| node.state(&format!("tls-certs/{name}")).unwrap());
    assert_eq!(second, key + &chain);
    // Nothing changed, which is no failure; what is missing is made again, and closed.
    assert!(node.start("get-certificate.service").success);
    std::fs::remove_file(node.state_path("tls-certs/fullchain.pem")).unwrap();
    assert!(node.start("get-certificate.service").success);
    assert_eq!(node.state("tls-certs/fullchain.pem"), Some(second.clone()));
    assert_eq!(node.mode("tls-certs/fullchain.pem"), Some(0o600));
    assert_eq!(node.mode("tls-certs/server.key"), Some(0o600));
    // What is left of a killed run is in nobody's way.
    std::fs::write(node.state_path("tls-certs/fullchain.pem.new"), "half").unwrap();
    node.issue("mail.example.net");
    assert!(node.start("get-certificate.service").success);
    assert_ne!(node.state("tls-certs/fullchain.pem"), Some(second));
    assert_eq!(node.mode("tls-certs/fullchain.pem"), Some(0o600));
    // A failure is one, and leaves what is there.
    let before = node.state("tls-certs/fullchain.pem");
    node.traefik("down", "");
    let failed = node.start("get-certificate.service");
    assert!(
        !failed.success && failed.said.contains("Traefik does not answer"),
        "{}",
        failed.said
    );
    assert_eq!(node.state("tls-certs/fullchain.pem"), before);
}

#[test]
fn a_unit_without_a_name_says_so() {
    let Some(node) = Node::with(MAIL) else {
        return;
    };
    let failed = node.start("get-certificate.service");
    assert!(
        !failed.success && failed.said.contains("no host name for tls-certs"),
        "{}",
        failed.said
    );
}

#[test]
fn a_new_certificate_reaches_the_units_that_run_and_each_once() {
    let Some(node) = Node::with(MAIL) else {
        return;
    };
    assert!(node.action("configure-module", ASKED).success);
    node.run("postfix.service");
    node.run("dovecot.service");
    let reloads = ["reload postfix.service", "reload dovecot.service"];
    let before = node.told().len();
    let told = || node.told()[before..].to_vec();
    let event = |id: u8, name: &str| {
        let event = json!({"node_id": id, "module_id": "traefik1", "names": [name]});
        let handled = node.event("certificate-changed", &event.to_string());
        assert!(handled.success, "{}", handled.said);
    };
    // Nothing changed.
    event(1, "mail.example.net");
    assert_eq!(told(), [] as [&str; 0]);
    // Renewed, and somebody else's event.
    node.issue("mail.example.net");
    let old = node.state("tls-certs/fullchain.pem");
    event(1, "web.example.net");
    event(2, "mail.example.net");
    event(1, "*.mail.example.net");
    event(1, "*.net");
    assert_eq!(told(), [] as [&str; 0]);
    assert_eq!(node.state("tls-certs/fullchain.pem"), old);
    // Ours.
    event(1, "mail.example.net");
    assert_eq!(told(), reloads);
    assert_ne!(node.state("tls-certs/fullchain.pem"), old);
    event(1, "mail.example.net");
    assert_eq!(told(), reloads);
    // By a wildcard that the administrator uploaded.
    node.issue("mail.example.net");
    event(1, "*.example.net");
    assert_eq!(told(), [reloads, reloads].concat());
}

#[test]
fn a_unit_that_was_not_reloaded_is_told_again() {
    let Some(node) = Node::with(MAIL) else {
        return;
    };
    assert!(node.action("configure-module", ASKED).success);
    node.run("postfix.service");
    node.run("dovecot.service");
    let before = node.told().len();
    node.issue("mail.example.net");
    node.fails("postfix.service");
    let event =
        json!({"node_id": 1, "module_id": "traefik1", "names": ["mail.example.net"]}).to_string();
    let handled = node.event("certificate-changed", &event);
    assert!(!handled.success);
    assert!(
        handled
            .said
            .contains("postfix.service still has the old certificate"),
        "{}",
        handled.said
    );
    node.mended("postfix.service");
    // Meanwhile a unit fetched the files: they are no news, but to Postfix they are.
    assert!(node.start("get-certificate.service").success);
    assert!(node.event("certificate-changed", &event).success);
    assert!(node.event("certificate-changed", &event).success);
    assert_eq!(
        node.told()[before..],
        [
            "reload postfix.service",
            "reload dovecot.service",
            "reload postfix.service"
        ]
    );
    // One that does not run is not told, and not started.
    node.stops("postfix.service");
    node.issue("mail.example.net");
    assert!(node.event("certificate-changed", &event).success);
    assert_eq!(node.told()[before + 3..], ["reload dovecot.service"]);
}

#[test]
fn several_certificates_restarts_and_requests_in_the_background() {
    let Some(node) = Node::with(CHAT) else {
        return;
    };
    let configured = node.action("configure-module", "{}");
    assert!(configured.success, "{}", configured.said);
    assert_eq!(node.tasks(), ["set-route", "set-certificate"]);
    let task = node.last_task();
    assert_eq!(task["parent"], "");
    assert_eq!(
        task["extra"],
        json!({"title": "set-certificate", "isNotificationHidden": false})
    );
    assert_eq!(task["data"]["fqdn"], "chat.example.org");
    assert!(node.start("get-certificate.service").success);
    assert!(node.state("tls-certs/chat/server.pem").is_some());
    assert!(node.state("turn/tls/server.key").is_some());
    assert_eq!(node.state("turn/tls/fullchain.pem"), None);
    node.run("ejabberd.service");
    node.run("coturn@1.service");
    node.issue("chat.example.org");
    let event =
        |name| json!({"node_id": "1", "module_id": "traefik1", "names": [name]}).to_string();
    // A restart gets the certificate once more, while the handler waits for it.
    assert!(
        node.event("certificate-changed", &event("chat.example.org"))
            .success
    );
    assert_eq!(node.told(), ["try-restart ejabberd.service"]);
    node.issue("turn.example.org");
    assert!(
        node.event("certificate-changed", &event("turn.example.org"))
            .success
    );
    assert_eq!(node.told()[1..], ["reload coturn@1.service"]);
}

#[test]
fn every_field_of_a_route_is_one_that_traefik_takes() {
    let Some(node) = Node::with(WHOLE) else {
        return;
    };
    node.environment("MAIL_HOSTNAME=mail.example.net\nWEBMAIL_HOSTNAME=web.example.net\nTRAEFIK_HTTP2HTTPS=True\n");
    for action in ["configure-module", "clone-module", "restore-module"] {
        let configured = node.action(action, "{}");
        assert!(configured.success, "{action}: {}", configured.said);
    }
    let headers = &node.config("mail1-webmail").unwrap()["headers"];
    assert_eq!(
        headers["request"],
        json!({"X-Who": "it's \\ {{ 'me' }} ${HOME} %s", "X-Gone": ""})
    );
    let webmail = node.config("mail1-webmail").unwrap();
    assert_eq!(webmail["url"], "http://localhost:20010/base/mail1");
    assert_eq!(webmail["http2https"], true);
    let admin = node.config("mail1-admin").unwrap();
    assert_eq!(admin["skip_cert_verify"], true);
    assert_eq!(admin["host"], "intern.example.org");
    assert_eq!(node.config("mail1").unwrap()["priority"], 0);
    let removed = node.action("destroy-module", "{}");
    assert!(removed.success, "{}", removed.said);
    for name in [
        "mail1",
        "mail1-webmail",
        "mail1-admin",
        "set-certificate-mail1",
    ] {
        assert_eq!(node.config(name), None, "{name}");
    }
    // A variable that no step has written is named.
    node.environment("MAIL_HOSTNAME=mail.example.net\n");
    let refused = node.action("configure-module", "{}");
    assert!(
        !refused.success && refused.said.contains("WEBMAIL_HOSTNAME is not set"),
        "{}",
        refused.said
    );
}
