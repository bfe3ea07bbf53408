//! Alpine Linux, whose services OpenRC starts.

use super::{Client, Family, Packaged, Reads, System};
use crate::spec::{AcmeProgram, OperatingSystem};

pub const ALPINE: System = System {
    os: OperatingSystem::Alpine,
    family: Family::Alpine,
    systemd: None,
    anchors: "/usr/local/share/ca-certificates",
    update_anchors: &["update-ca-certificates"],
    refresh: &["apk", "update", "-q"],
    install: &["apk", "add"],
    further: None,
    // busybox's crond knows users' crontabs alone.
    reads_cron_d: false,
    servers: &[NGINX, APACHE],
    clients: &[CERTBOT, LEGO],
};

const NGINX: Packaged = Packaged {
    server: "nginx",
    packages: &["nginx"],
    unit: "nginx",
    program: "/usr/sbin/nginx",
    user: None,
    configuration: "/etc/nginx/http.d/tlsgen-{}.conf",
    check: &["/usr/sbin/nginx", "-t", "-q"],
    reload_alone: &["/usr/sbin/nginx", "-s", "reload"],
    start_alone: &["/usr/sbin/nginx"],
    listens: &[],
    examples: &["/etc/nginx/http.d/default.conf"],
    unread: &[],
    reads: Reads::ByItself,
};

const APACHE: Packaged = Packaged {
    server: "apache",
    packages: &["apache2", "apache2-ssl", "apache2-proxy"],
    unit: "apache2",
    program: "/usr/sbin/httpd",
    user: None,
    configuration: "/etc/apache2/conf.d/tlsgen-{}.conf",
    check: &["/usr/sbin/httpd", "-t"],
    reload_alone: &["/usr/sbin/httpd", "-k", "graceful"],
    start_alone: &["/usr/sbin/httpd", "-k", "start"],
    listens: &[80, 443],
    examples: &[],
    unread: &[],
    reads: Reads::ByItself,
};

const CERTBOT: Client = Client {
    program: AcmeProgram::Certbot,
    packages: &["certbot"],
    version: None,
    path: "/usr/bin/certbot",
    schedulers: &[],
};

const LEGO: Client = Client {
    program: AcmeProgram::Lego,
    packages: &["lego"],
    version: None,
    path: "/usr/bin/lego",
    schedulers: &[],
};
