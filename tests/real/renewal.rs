//! The whole loop of a machine, for real: a certificate is ordered over ACME where none is, installed, renewed by what
//! cron and systemd run, and presented by a server that drops no connection; what fails leaves all as it was.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests may panic and touch the disk"
)]

mod machine;
mod support;

#[path = "renewal/private_ca.rs"]
mod private_ca;
#[path = "renewal/shop.rs"]
mod shop;
#[path = "renewal/whole.rs"]
mod whole;
#[path = "renewal/words.rs"]
mod words;

use machine::{Machine, said};
use shop::{CERTIFICATE, RENEW, Shop};
use words::of_system;

/// First from nothing, then a second time, then as a preview: what was said is judged at each step.
fn from_nothing(shop: &Shop) {
    let before = shop.state();
    let preview = shop.install("--dry-run");
    assert!(preview.contains("nothing was changed"), "{preview}");
    assert_eq!(before, shop.state());

    let first = shop.install("");
    assert!(
        first.contains("a placeholder lets the servers start"),
        "{first}"
    );
    assert_eq!(shop.installed(), shop.served());
    let issuer = shop
        .machine
        .succeed(&format!("openssl x509 -in {CERTIFICATE} -noout -issuer"));
    assert!(issuer.contains("Pebble"), "{issuer}\n{first}");

    let again = shop.install("--no-issue");
    assert!(again.contains("0 files changed"), "{again}");
    assert_eq!(shop.installed(), shop.served());
    let modes = shop
        .machine
        .succeed("stat -c '%a %U' /etc/tlsgen/shop/certificates/web/key.pem");
    assert!(modes == "600 root\n" || modes == "640 root\n", "{modes}");
}

#[test]
fn certbot_of_debian_renews_by_a_timer() {
    let Some(machine) = Machine::booted("bookworm") else {
        return;
    };
    let shop = Shop::new(
        machine,
        "debian-12",
        "nginx",
        "certbot",
        "{scheduler: systemd, mail: ops@web.test}",
    );
    from_nothing(&shop);
    renewed_by_systemd(&shop);
    what_is_said_otherwise_is_asked_anew(&shop, "systemctl start tlsgen-shop-renew.service");
    broken_configuration_changes_nothing(&shop);
}

#[test]
fn lego_of_sid_renews_by_a_timer() {
    let Some(machine) = Machine::booted("sid") else {
        return;
    };
    let shop = Shop::new(
        machine,
        "debian-13",
        "nginx",
        "lego@4.35",
        "{scheduler: systemd}",
    );
    from_nothing(&shop);
    renewed_by_systemd(&shop);
    what_is_said_otherwise_is_asked_anew(&shop, "systemctl start tlsgen-shop-renew.service");
    broken_configuration_changes_nothing(&shop);
}

/// With the shell and the tools of busybox, which small systems have instead of all others.
#[test]
fn lego_of_debian_renews_by_cron() {
    let (Some(machine), true) = (Machine::new("bookworm"), of_system("busybox")) else {
        return;
    };
    machine.put(
        "/usr/bin/busybox",
        std::fs::read("/usr/bin/busybox").unwrap(),
        0o755,
    );
    machine.succeed("busybox --install -s /usr/local/bin && ln -sf /usr/bin/busybox /bin/sh");
    assert!(machine.succeed("stat --help 2>&1").contains("BusyBox"));
    let shop = Shop::new(
        machine,
        "debian-12",
        "nginx",
        "lego",
        "{scheduler: cron, mail: ops@web.test}",
    );
    from_nothing(&shop);
    // Its time alone is another: this very line is run by cron within a minute.
    shop.machine.succeed("sed -i 's/^[0-9,]* [0-9,*]* /* * /' /etc/cron.d/tlsgen-shop && grep '^\\* \\* \\* ' /etc/cron.d/tlsgen-shop");
    renewed_by_cron(&shop);
}

#[test]
fn newest_certbot_renews_by_the_crontab_of_root() {
    let Some(machine) = Machine::new("bookworm") else {
        return;
    };
    let renewals = "{scheduler: crontab, client_path: /opt/certbot/bin/certbot}";
    machine.succeed("printf 'MAILTO=me\\n17 4 * * 0 true # mine\\n' | crontab -");
    let shop = Shop::new(machine, "debian-12", "nginx", "certbot@5.8", renewals);
    from_nothing(&shop);
    let crontab = shop.machine.succeed("crontab -l");
    assert!(
        crontab.starts_with("MAILTO=me\n17 4 * * 0 true # mine\n# begin tlsgen-shop\n"),
        "{crontab}"
    );
    assert_eq!(crontab.lines().count(), 5, "{crontab}");
    shop.machine
        .succeed("crontab -l | sed '/renew/s/^[0-9,]* [0-9,*]* /* * /' | crontab -");
    renewed_by_cron(&shop);
}

/// A client goes on with what it was first asked for: that a spec says otherwise now must reach it.
fn what_is_said_otherwise_is_asked_anew(shop: &Shop, renewal: &str) {
    let machine = &shop.machine;
    let again = shop.install("");
    assert!(!again.contains("asking anew"), "{again}");
    let spec = machine_spec(shop)
        .replace("/var/www/acme}", "/var/www/elsewhere}")
        .replace("issuer: pebble}", "issuer: pebble, key: ecdsa-p384}");
    shop.project.write("tlsgen.yaml", spec);
    shop.build();
    let changed = shop.install("");
    assert!(changed.contains("asking anew"), "{changed}");
    let text = machine.succeed(&format!("openssl x509 -in {CERTIFICATE} -noout -text"));
    assert!(text.contains("P-384"), "{text}");
    assert_eq!(shop.installed(), shop.served());

    let old = shop.installed();
    shop.wait_until_due();
    machine.succeed(renewal);
    assert_ne!(old, shop.installed());
    assert_eq!(shop.installed(), shop.served());
}

fn machine_spec(shop: &Shop) -> String {
    std::fs::read_to_string(shop.project.path("tlsgen.yaml")).unwrap()
}

/// The unit is run as the timer runs it: in systemd's own environment, and behind its walls.
fn renewed_by_systemd(shop: &Shop) {
    let machine = &shop.machine;
    let verified = machine.succeed(
        "cd /etc/systemd/system && systemd-analyze verify --man=no ./tlsgen-shop-renew.* 2>&1 | grep -v ^/usr/lib/systemd || :",
    );
    assert_eq!(verified, "");
    machine.succeed("systemctl is-active tlsgen-shop-renew.timer && systemctl is-enabled tlsgen-shop-renew.timer");
    let old = shop.installed();
    let seen = shop.under_load(|| {
        shop.wait_until_due();
        let output = machine.run("systemctl start tlsgen-shop-renew.service");
        assert!(
            output.status.success(),
            "{}\n{}",
            said(&output),
            machine.read("/var/log/tlsgen-shop.log")
        );
    });
    renewed(shop, &old, seen);
}

fn renewed_by_cron(shop: &Shop) {
    let old = shop.installed();
    let seen = shop.under_load(|| {
        shop.wait_until_due();
        shop.machine.background("cron -f", "/tmp/cron.log");
        for _ in 0..6 {
            let done = shop
                .machine
                .run("sleep 25; grep -q 'tlsgen: done' /var/log/tlsgen-shop.log");
            if done.status.success() {
                return;
            }
        }
        panic!(
            "{}",
            said(
                &shop
                    .machine
                    .run("cat /var/log/tlsgen-shop.log /tmp/cron.log")
            )
        );
    });
    renewed(shop, &old, seen);
}

fn renewed(shop: &Shop, old: &str, seen: usize) {
    let log = shop.machine.read("/var/log/tlsgen-shop.log");
    assert_ne!(old, shop.installed(), "{log}");
    assert_eq!(shop.installed(), shop.served(), "{log}");
    assert!(seen >= 2, "the client saw {seen} certificates\n{log}");
}

/// What the user has broken is no reason to lose the certificate that works.
fn broken_configuration_changes_nothing(shop: &Shop) {
    let machine = &shop.machine;
    machine.succeed(
        "cp /etc/nginx/nginx.conf /tmp/nginx.conf && echo 'broken;' >>/etc/nginx/nginx.conf",
    );
    let old = shop.installed();
    shop.wait_until_due();
    let printed = machine.fail(&format!("env -i HOME=/root {RENEW} 2>&1"));
    assert!(
        printed.contains("web keeps the certificate that it had"),
        "{printed}"
    );
    assert!(printed.contains("FAILED: web"), "{printed}");
    assert_eq!(
        (old.clone(), old.clone()),
        (shop.installed(), shop.served()),
        "{printed}"
    );
    // Whoever is to know it gets the report.
    let sendmail = "#!/bin/sh\ncat >/var/mail/sent\n";
    machine.put("/usr/sbin/sendmail", sendmail, 0o755);
    machine.fail("systemctl start tlsgen-shop-renew.service");
    if machine
        .run("test -e /etc/systemd/system/tlsgen-shop-report.service")
        .status
        .success()
    {
        machine.wait_for(
            "grep -q 'FAILED: web' /var/mail/sent && grep -q '^To: ops@web.test$' /var/mail/sent",
        );
    }

    let before = shop.state();
    let refused = machine.fail("sh /srv/shop/hosts/web/install.sh --no-issue 2>&1");
    assert!(refused.contains("taking everything back"), "{refused}");
    assert_eq!(before, shop.state());

    // The certificate that could not be installed is, as soon as it can be.
    machine.succeed("cp /tmp/nginx.conf /etc/nginx/nginx.conf");
    machine.succeed(RENEW);
    assert_ne!(old, shop.installed());
    assert_eq!(shop.installed(), shop.served());

    // What somebody has stopped is not started by a renewal.
    machine.succeed("systemctl stop nginx");
    let said = machine.succeed("/usr/local/lib/tlsgen/shop/deploy web");
    assert!(said.contains("frontend does not run"), "{said}");
    machine.fail("systemctl is-active nginx");
}

/// Each of the other servers gets its first certificate, and the next, by its own way of challenges.
fn obtains_and_renews(server: &str, client: &str, renewals: &str) {
    let Some(machine) = Machine::booted("bookworm") else {
        return;
    };
    let shop = Shop::new(machine, "debian-12", server, client, renewals);
    from_nothing(&shop);
    let old = shop.installed();
    shop.wait_until_due();
    let unit = match renewals.contains("package") {
        true => "certbot.service",
        false => "tlsgen-shop-renew.service",
    };
    let output = shop.machine.run(&format!("systemctl start {unit}"));
    let log = said(&shop.machine.run(
        "cat /var/log/tlsgen-shop.log; journalctl --sync; journalctl --no-pager | tail -n 30",
    ));
    assert!(output.status.success(), "{}{log}", said(&output));
    assert_ne!(old, shop.installed(), "{log}");
    assert_eq!(shop.installed(), shop.served(), "{log}");
}

#[test]
fn apache_is_renewed() {
    obtains_and_renews("apache", "lego", "{}");
}

#[test]
fn haproxy_is_renewed() {
    obtains_and_renews("haproxy", "certbot", "{}");
}

#[test]
fn haproxy_is_renewed_by_lego() {
    obtains_and_renews("haproxy", "lego", "{}");
}

#[test]
fn caddy_is_renewed() {
    obtains_and_renews("caddy", "certbot", "{}");
}

/// The schedule that Debian's package brings along is enough: everything stands with the certificate.
/// What is served comes from the test server, some time after the service was started.
fn asks_itself(shop: &Shop) {
    shop.machine.wait_for(
        "openssl s_client -connect 127.0.0.1:443 -servername web.test </dev/null 2>/dev/null | openssl x509 -noout -issuer | grep -q Pebble",
    );
    let answer = shop.machine.succeed(
        "curl -s -o /dev/null -w '%{http_code}' --resolve web.test:80:127.0.0.1 http://web.test/",
    );
    assert!(["301", "308"].contains(&answer.as_str()), "{answer}");
}

#[test]
fn traefik_asks_for_its_certificate() {
    let (Some(machine), Some(program)) = (
        Machine::booted("bookworm"),
        support::judge("traefik-3.7.15"),
    ) else {
        return;
    };
    machine.put(
        "/usr/local/bin/traefik",
        std::fs::read(program).unwrap(),
        0o755,
    );
    let shop = Shop::new(machine, "debian-12", "traefik@3.7", "certbot", "{}");
    shop.install("");
    asks_itself(&shop);
}

#[test]
fn caddy_asks_for_its_certificate() {
    for suite in ["bookworm", "sid"] {
        let Some(machine) = Machine::booted(suite) else {
            return;
        };
        let server = if suite == "sid" {
            "caddy@2.11"
        } else {
            "caddy@2.6"
        };
        let shop = Shop::new(machine, "debian-12", server, "certbot", "{}");
        let spec = shop::spec("debian-12", server, "certbot", "{}");
        // Nobody else is to ask for it.
        let own = spec.replace(
            "    client: certbot\n    challenge: {webroot: /var/www/acme}\n",
            "",
        );
        assert_ne!(own, spec);
        shop.project.write("tlsgen.yaml", own);
        shop.build();
        shop.install("");
        asks_itself(&shop);
    }
}

#[test]
fn the_package_of_certbot_renews() {
    obtains_and_renews("nginx", "certbot", "{scheduler: package}");
}
