//! Debian and Ubuntu.

use super::{Client, Family, Packaged, Reads, System, version};
use crate::spec::{AcmeProgram, OperatingSystem, Version};

pub const DEBIAN_12: System = System {
    clients: &[certbot(version(2, 1)), lego(version(4, 9))],
    ..system(OperatingSystem::Debian12, 252)
};
pub const DEBIAN_13: System = System {
    clients: &[certbot(version(4, 0)), lego(version(4, 9))],
    ..system(OperatingSystem::Debian13, 257)
};
pub const UBUNTU_22_04: System = System {
    clients: &[certbot(version(1, 21)), lego(version(4, 1))],
    // It has no package of Caddy.
    servers: &[NGINX, APACHE, HAPROXY],
    ..system(OperatingSystem::Ubuntu2204, 249)
};
pub const UBUNTU_24_04: System = System {
    clients: &[certbot(version(2, 9)), lego(version(4, 9))],
    ..system(OperatingSystem::Ubuntu2404, 255)
};

const fn system(os: OperatingSystem, systemd: u16) -> System {
    System {
        os,
        family: Family::Debian,
        systemd: Some(systemd),
        anchors: "/usr/local/share/ca-certificates",
        update_anchors: &["update-ca-certificates"],
        refresh: &["apt-get", "update", "-q"],
        install: &["apt-get", "install", "-y", "--no-install-recommends"],
        further: None,
        reads_cron_d: true,
        servers: &[NGINX, APACHE, HAPROXY, CADDY],
        clients: &[],
    }
}

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
    examples: &["/etc/nginx/sites-enabled/default"],
    unread: &[],
    reads: Reads::ByItself,
};

const APACHE: Packaged = Packaged {
    server: "apache",
    packages: &["apache2"],
    unit: "apache2.service",
    program: "/usr/sbin/apache2",
    user: None,
    configuration: "/etc/apache2/sites-enabled/tlsgen-{}.conf",
    check: &["/usr/sbin/apache2ctl", "-t"],
    reload_alone: &["/usr/sbin/apache2ctl", "graceful"],
    start_alone: &["/usr/sbin/apache2ctl", "start"],
    listens: &[80, 443],
    examples: &["/etc/apache2/sites-enabled/000-default.conf"],
    unread: &[],
    reads: Reads::ByItself,
};

const HAPROXY: Packaged = Packaged {
    server: "haproxy",
    packages: &["haproxy"],
    unit: "haproxy.service",
    program: "/usr/sbin/haproxy",
    user: None,
    configuration: "/etc/haproxy/tlsgen-{}.cfg",
    check: &[
        "/usr/sbin/haproxy",
        "-c",
        "-q",
        "-f",
        "/etc/haproxy/haproxy.cfg",
        "-f",
        "{}",
    ],
    reload_alone: &["/bin/sh", "-c", "kill -USR2 \"$(cat /run/haproxy.pid)\""],
    start_alone: &[
        "/usr/sbin/haproxy",
        "-W",
        "-D",
        "-p",
        "/run/haproxy.pid",
        "-f",
        "/etc/haproxy/haproxy.cfg",
        "-f",
        "{}",
    ],
    listens: &[],
    examples: &[],
    unread: &[],
    reads: Reads::Variable("EXTRAOPTS", "-S /run/haproxy-master.sock -f {}"),
};

const CADDY: Packaged = Packaged {
    server: "caddy",
    packages: &["caddy"],
    unit: "caddy.service",
    program: "/usr/bin/caddy",
    user: Some("caddy"),
    configuration: "/etc/caddy/tlsgen-{}.caddyfile",
    check: &[
        "/usr/bin/caddy",
        "validate",
        "--adapter",
        "caddyfile",
        "--config",
        "{}",
    ],
    reload_alone: &[
        "/usr/bin/caddy",
        "reload",
        "--force",
        "--adapter",
        "caddyfile",
        "--config",
        "{}",
    ],
    start_alone: &[
        "/usr/bin/caddy",
        "start",
        "--adapter",
        "caddyfile",
        "--config",
        "{}",
    ],
    listens: &[],
    examples: &[],
    unread: &["/etc/caddy/Caddyfile"],
    reads: Reads::Commands(
        "/usr/bin/caddy run --environ --adapter caddyfile --config {}",
        "/usr/bin/caddy reload --force --adapter caddyfile --config {}",
    ),
};

const fn certbot(version: Option<Version>) -> Client {
    Client {
        program: AcmeProgram::Certbot,
        packages: &["certbot"],
        version,
        path: "/usr/bin/certbot",
        schedulers: &["certbot.timer", "/etc/cron.d/certbot"],
    }
}

const fn lego(version: Option<Version>) -> Client {
    Client {
        program: AcmeProgram::Lego,
        packages: &["lego"],
        version,
        path: "/usr/bin/lego",
        schedulers: &[],
    }
}
