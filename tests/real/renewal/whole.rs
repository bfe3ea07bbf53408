//! Everything that an installation changes is changed, or nothing is: also for whoever stops it half-way.

use crate::machine::Machine;
use crate::shop::{self, Shop};

#[test]
fn an_installation_is_whole_or_nothing() {
    let Some(machine) = Machine::booted("bookworm") else {
        return;
    };
    let shop = Shop::new(
        machine,
        "debian-12",
        "nginx",
        "certbot",
        "{scheduler: systemd}",
    );
    let machine = &shop.machine;
    machine.succeed("umask 077; sh /srv/shop/hosts/web/install.sh --no-issue");
    let configuration = "/etc/nginx/conf.d/tlsgen-shop.conf";
    machine.succeed("logrotate --debug /etc/logrotate.d/tlsgen-shop 2>&1 && test -d /var/www/acme");

    // A second scheduler is said, and how it ends.
    machine.succeed("systemctl enable certbot.timer");
    let said = shop.install("--no-issue");
    assert!(
        said.contains(
            "certbot.timer renews certificates as well: `systemctl disable --now certbot.timer`"
        ),
        "{said}"
    );
    machine.succeed("systemctl disable certbot.timer");
    assert!(!shop.install("--no-issue").contains("as well"));

    // What somebody has changed is kept, and that is said.
    machine.succeed(&format!("echo '# mine' >>{configuration}"));
    let said = shop.install("--no-issue");
    let kept = format!("/var/lib/tlsgen/shop/originals{configuration}");
    assert!(
        said.contains(&kept) && said.contains("1 files changed"),
        "{said}"
    );
    assert!(machine.read(&kept).ends_with("# mine\n"));

    // A run that was killed in the middle is taken back by the next.
    let whole = machine.read(configuration);
    machine.succeed(&format!(
        "mkdir /var/lib/tlsgen/shop/transaction && cd /var/lib/tlsgen/shop/transaction && cp -p {configuration} 1 &&
         printf 'was 1 {configuration}\\nnew 2 /etc/nginx/conf.d/half.conf\\n' >list &&
         echo half >{configuration} && echo half >/etc/nginx/conf.d/half.conf"
    ));
    let said = shop.install("--no-issue");
    assert!(
        said.contains("did not come to its end") && said.contains("0 files changed"),
        "{said}"
    );
    assert_eq!(machine.read(configuration), whole);
    assert!(!machine.path("/etc/nginx/conf.d/half.conf").exists());

    // Who is stopped half-way leaves the servers with what they had, and not the files alone.
    let spec = shop::spec("debian-12", "nginx", "certbot", "{scheduler: systemd}");
    let stricter = spec.replace("redirect_http: true", "redirect_http: true, hsts: 1d");
    assert_ne!(stricter, spec);
    shop.project.write("tlsgen.yaml", stricter);
    shop.build();
    let slow = "#!/bin/sh\n[ \"$1\" != s_client ] || { touch /tmp/asked; sleep 3; }\nexec /usr/bin/openssl \"$@\"\n";
    machine.put("/usr/local/sbin/openssl", slow, 0o755);
    machine.background(
        "sh /srv/shop/hosts/web/install.sh --no-issue",
        "/tmp/stopped.log",
    );
    machine.wait_for("test -e /tmp/asked");
    machine
        .succeed("pkill -TERM -f '^sh /srv/shop/hosts/web/[i]nstall'; rm /usr/local/sbin/openssl");
    machine.wait_for("grep -q 'interrupted: taking everything back' /tmp/stopped.log && grep -q 'nothing was changed' /tmp/stopped.log");
    let headers = machine
        .succeed("curl -sk -D - -o /dev/null --resolve web.test:443:127.0.0.1 https://web.test/");
    assert!(
        !headers.to_lowercase().contains("strict-transport"),
        "{headers}"
    );
    assert_eq!(machine.read(configuration), whole);

    // Nobody installs while another does.
    machine.background("flock /var/lib/tlsgen/shop/lock sleep 3", "/tmp/lock.log");
    machine.wait_for("! flock -n /var/lib/tlsgen/shop/lock true");
    assert!(shop.install("--no-issue").contains("waiting for its end"));

    // What the tree has no more goes, and what it starts no more stops.
    let spec = shop::spec(
        "debian-12",
        "nginx",
        "certbot",
        "{scheduler: crontab, mail: ops@web.test}",
    );
    shop.project.write("tlsgen.yaml", spec);
    shop.build();
    let said = shop.install("--no-issue");
    assert!(
        said.contains("removing /etc/systemd/system/tlsgen-shop-renew.timer"),
        "{said}"
    );
    machine.fail("systemctl is-active tlsgen-shop-renew.timer");
    assert!(
        machine
            .succeed("crontab -l")
            .contains("renew >/dev/null || ")
    );

    // A machine of another family is none for this tree.
    machine.succeed("sed -i 's/^ID=.*/ID=arch/' /etc/os-release && cp /etc/os-release /tmp/release && rm /etc/os-release && mv /tmp/release /etc/os-release");
    let refused = machine.fail("sh /srv/shop/hosts/web/install.sh 2>&1");
    assert!(
        refused.contains("written for debian-12, and this machine is arch"),
        "{refused}"
    );
}
