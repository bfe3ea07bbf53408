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

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use machine::Machine;
use tlsgen::source::{Sources, Span};
use tlsgen::spec::{AcmeClient, AcmeProgram, KeyType, OperatingSystem, Scheduler, Version};
use tlsgen::targets::host::layout::{
    AcmeSource, Alone, Certificate, Challenge, Layout, Reader, Software, Source, Told, TreeFile,
    Unit,
};
use tlsgen::targets::host::system::System;
use tlsgen::targets::host::{install, renewal};

const NGINX: &str = r#"
server {
    listen 80;
    server_name web.test www.web.test;
    location ^~ /.well-known/acme-challenge/ { root /var/www/acme; default_type text/plain; }
    location / { return 308 https://web.test$request_uri; }
}
server {
    listen 443 ssl;
    server_name web.test www.web.test;
    ssl_certificate "/etc/tlsgen/shop/certificates/web/full-chain.pem";
    ssl_certificate_key "/etc/tlsgen/shop/certificates/web/key.pem";
    location / { return 200 "served\n"; }
}
"#;

fn nowhere() -> Span {
    let source = Sources::default().add("tlsgen.yaml", "");
    Span {
        source,
        start: 0,
        end: 0,
    }
}

fn client(program: AcmeProgram, major: u16, minor: u16) -> AcmeClient {
    AcmeClient {
        program,
        version: Some(Version {
            major,
            minor: Some(minor),
            patch: None,
        }),
    }
}

fn layout(client: AcmeClient, program: &str, scheduler: Scheduler) -> Layout<'static> {
    let file = |path: &str, text: &str| TreeFile {
        path: path.to_owned(),
        mode: 0o644,
        group: None,
        body: Arc::from(text.as_bytes()),
        origin: nowhere(),
    };
    let mut layout = Layout {
        project: "shop",
        target: "web",
        system: System::of(OperatingSystem::Debian12).unwrap(),
        output: "hosts/web",
        files: vec![file("/etc/nginx/conf.d/tlsgen-shop.conf", NGINX)],
        software: vec![Software {
            name: "frontend".into(),
            unit: Unit {
                name: "nginx.service".into(),
                of_user: None,
            },
            packages: vec!["nginx"],
            program: Some("/usr/sbin/nginx".into()),
            check: Some(vec!["/usr/sbin/nginx".into(), "-t".into(), "-q".into()]),
            told: Told::Reload,
            alone: Some(Alone {
                start: vec!["/usr/sbin/nginx".into()],
                reload: vec!["/usr/sbin/nginx".into(), "-s".into(), "reload".into()],
            }),
            modules: Vec::new(),
            starts: false,
        }],
        certificates: vec![Certificate {
            host: "web".into(),
            names: vec!["web.test".into(), "www.web.test".into()],
            directory: "/etc/tlsgen/shop/certificates/web".into(),
            reader: Reader::Group("www-data".into()),
            combined: true,
            source: Source::Acme(Box::new(AcmeSource {
                authority: "pebble".into(),
                client,
                program: program.into(),
                directory: "https://acme.test:14000/dir".into(),
                email: Some("ops@web.test".into()),
                profile: None,
                key: KeyType::EcdsaP256,
                challenge: Challenge::Webroot("/var/www/acme".into()),
                root: Some("/opt/pebble/root.pem".into()),
            })),
            presented: vec![("frontend".into(), Some(443))],
        }],
        anchors: Vec::new(),
        scheduler,
        checkout: None,
        mail: None,
    };
    let more = renewal::files(&layout, nowhere()).unwrap();
    layout.files.extend(more);
    layout
}

fn write(layout: &Layout<'_>, to: &Path) {
    for file in layout.files.iter().chain(&layout.anchors) {
        let path = to.join(file.path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &file.body).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(file.mode)).unwrap();
    }
    fs::write(to.join("install.sh"), install::script(layout).unwrap()).unwrap();
}

#[test]
#[ignore]
fn sample() {
    let to = Path::new("/tmp/rn/tree");
    let _ = fs::remove_dir_all(to);
    write(
        &layout(
            client(AcmeProgram::Certbot, 2, 1),
            "/usr/bin/certbot",
            Scheduler::Systemd,
        ),
        &to.join("certbot"),
    );
    write(
        &layout(
            client(AcmeProgram::Lego, 4, 9),
            "/usr/bin/lego",
            Scheduler::Cron,
        ),
        &to.join("lego"),
    );
    write(
        &layout(
            client(AcmeProgram::Certbot, 5, 8),
            "/opt/certbot/bin/certbot",
            Scheduler::Crontab,
        ),
        &to.join("certbot5"),
    );
    write(
        &layout(
            client(AcmeProgram::Lego, 5, 4),
            "/usr/bin/lego",
            Scheduler::Package,
        ),
        &to.join("lego5"),
    );
    write(
        &layout(
            client(AcmeProgram::Lego, 4, 35),
            "/usr/bin/lego",
            Scheduler::Systemd,
        ),
        &to.join("lego35"),
    );
    let _ = Machine::new("bookworm");
}
