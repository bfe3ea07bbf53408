//! Red Hat Enterprise Linux, what is built from it, and Amazon Linux.

use super::{Client, Family, Packaged, Reads, System, version};
use crate::spec::{AcmeProgram, OperatingSystem, Version};

/// <https://docs.fedoraproject.org/en-US/epel/getting-started/>
const EPEL: &str = "EPEL brings certbot: dnf install epel-release, on Red Hat itself the package that its page names";

pub const RHEL_8: System = System {
    // Its HAProxy is 1.8, which reads no second file of defaults.
    servers: &[NGINX, APACHE],
    clients: &[certbot(version(1, 22))],
    further: Some(EPEL),
    ..system(OperatingSystem::Rhel8, 239)
};
pub const RHEL_9: System = System {
    clients: &[certbot(version(3, 1))],
    further: Some(EPEL),
    ..system(OperatingSystem::Rhel9, 252)
};
pub const AMAZON_2: System = System {
    install: &["yum", "install", "-y"],
    servers: &[NGINX, APACHE],
    clients: &[certbot(version(1, 11))],
    further: Some(
        "the extras bring nginx, and EPEL certbot: amazon-linux-extras install nginx1 epel",
    ),
    ..system(OperatingSystem::Amazon2, 219)
};
pub const AMAZON_2023: System = System {
    // No package of an ACME client: certbot comes by pip, into a directory of its own.
    ..system(OperatingSystem::Amazon2023, 252)
};

const fn system(os: OperatingSystem, systemd: u16) -> System {
    System {
        os,
        family: Family::RedHat,
        systemd: Some(systemd),
        anchors: "/etc/pki/ca-trust/source/anchors",
        update_anchors: &["update-ca-trust", "extract"],
        refresh: &[],
        install: &["dnf", "install", "-y"],
        further: None,
        reads_cron_d: true,
        servers: &[NGINX, APACHE, HAPROXY],
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
    // The example stands in nginx.conf itself and is no default where another says that it is.
    examples: &[],
    unread: &[],
    reads: Reads::ByItself,
};

const APACHE: Packaged = Packaged {
    server: "apache",
    packages: &["httpd", "mod_ssl"],
    unit: "httpd.service",
    program: "/usr/sbin/httpd",
    user: None,
    configuration: "/etc/httpd/conf.d/tlsgen-{}.conf",
    check: &["/usr/sbin/apachectl", "-t"],
    reload_alone: &["/usr/sbin/httpd", "-k", "graceful"],
    start_alone: &["/usr/sbin/httpd", "-k", "start"],
    // mod_ssl's own ssl.conf has `Listen 443`.
    listens: &[80, 443],
    examples: &[],
    unread: &[],
    reads: Reads::ByItself,
};

const HAPROXY: Packaged = Packaged {
    server: "haproxy",
    packages: &["haproxy"],
    unit: "haproxy.service",
    program: "/usr/sbin/haproxy",
    user: None,
    // The unit reads this directory beside haproxy.cfg.
    configuration: "/etc/haproxy/conf.d/tlsgen-{}.cfg",
    check: &[
        "/usr/sbin/haproxy",
        "-c",
        "-q",
        "-f",
        "/etc/haproxy/haproxy.cfg",
        "-f",
        "/etc/haproxy/conf.d",
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
        "/etc/haproxy/conf.d",
    ],
    listens: &[],
    examples: &[],
    unread: &[],
    reads: Reads::ByItself,
};

const fn certbot(version: Option<Version>) -> Client {
    Client {
        program: AcmeProgram::Certbot,
        packages: &["certbot"],
        version,
        path: "/usr/bin/certbot",
        schedulers: &["certbot-renew.timer"],
    }
}
