//! SUSE Linux Enterprise 15 and openSUSE Leap 15.

use super::{Client, Family, Packaged, Reads, System};
use crate::spec::{AcmeProgram, OperatingSystem};

pub const SUSE_15: System = System {
    os: OperatingSystem::Suse15,
    family: Family::Suse,
    systemd: Some(254),
    anchors: "/etc/pki/trust/anchors",
    update_anchors: &["update-ca-certificates"],
    refresh: &[],
    install: &["zypper", "--non-interactive", "install"],
    further: Some(
        "the Package Hub brings certbot: SUSEConnect -p PackageHub/15.6/x86_64, of the release that this machine has",
    ),
    reads_cron_d: true,
    servers: &[NGINX, APACHE],
    clients: &[CERTBOT],
};

const NGINX: Packaged = Packaged {
    server: "nginx",
    packages: &["nginx"],
    unit: "nginx.service",
    program: "/usr/sbin/nginx",
    user: None,
    configuration: "/etc/nginx/conf.d/tlsgen-{}.conf",
    check: &["/usr/sbin/nginx", "-t", "-q"],
    reload_alone: &["/usr/sbin/nginx", "-s", "reload"],
    start_alone: &["/usr/sbin/nginx"],
    listens: &[],
    examples: &[],
    unread: &[],
    reads: Reads::ByItself,
};

const APACHE: Packaged = Packaged {
    server: "apache",
    packages: &["apache2"],
    unit: "apache2.service",
    program: "/usr/sbin/httpd",
    user: None,
    configuration: "/etc/apache2/vhosts.d/tlsgen-{}.conf",
    check: &["/usr/sbin/apachectl", "-t"],
    reload_alone: &["/usr/sbin/apachectl", "graceful"],
    start_alone: &["/usr/sbin/apachectl", "start"],
    // `Listen 443` of the package waits for a flag that nobody needs then.
    listens: &[80],
    examples: &[],
    unread: &[],
    reads: Reads::ByItself,
};

const CERTBOT: Client = Client {
    program: AcmeProgram::Certbot,
    packages: &["certbot"],
    version: None,
    path: "/usr/bin/certbot",
    schedulers: &["certbot-renew.timer"],
};
