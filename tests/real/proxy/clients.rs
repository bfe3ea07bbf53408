//! Clients that present certificates, whichever server asks.

use super::lab::{Lab, Release};
use super::served::spec;

/// What clients prove is told to the upstream, and nothing else.
pub fn clients_are_asked(release: Release) {
    for mode in ["required", "optional"] {
        let Some(mut lab) = Lab::new(release) else {
            return;
        };
        let up = format!("upstream: \"http://127.0.0.1:{}\"", lab.application(""));
        lab.run(
            &spec(&[
                format!("host: tower, {up}, client_auth: {{trust: [lab], mode: {mode}}}"),
                format!("host: git, {up}"),
            ]),
            |place| {
                if release.is("haproxy") {
                    place.hosts[0].client_crls = Some("/etc/lab/lab.crl".to_owned());
                }
            },
        );
        let forged = [
            "-H",
            "X-SSL-Client-S-DN: CN=admin",
            "-H",
            "X-SSL-Client-Verify: SUCCESS",
        ];
        for version in ["1.2", "1.3"] {
            let tls = [
                format!("--tlsv{version}"),
                "--tls-max".to_owned(),
                version.to_owned(),
            ];
            let tls: Vec<&str> = tls.iter().map(String::as_str).collect();
            let all = [tls.as_slice(), &forged].concat();
            let good = lab.get_as("client", "tower.lab.example", &all);
            assert_eq!(good.code, 200, "{good:?}\n{}", lab.log());
            assert_eq!(good.seen("X-SSL-Client-Verify").as_deref(), Some("SUCCESS"));
            let subject = good.seen("X-SSL-Client-S-DN").unwrap();
            assert!(subject.starts_with("CN=client,O=Gr"), "{subject}");
            assert!(good.seen("X-SSL-Client-Cert").unwrap().starts_with("MII"));
            let refused = lab.get_as("stranger", "tower.lab.example", &tls);
            assert_ne!(refused.exit, 0, "{refused:?}");
            let revoked = lab.get_as("revoked", "tower.lab.example", &tls);
            assert_eq!(revoked.exit == 0, !release.is("haproxy"), "{revoked:?}");
            let none = lab.get("tower.lab.example", "/", &all);
            match mode {
                "required" => assert!(none.exit != 0 || none.code == 421, "{none:?}"),
                _ => {
                    assert_eq!(none.code, 200);
                    let verified = none.seen("X-SSL-Client-Verify");
                    assert_eq!(verified.as_deref(), Some("NONE"), "{release:?} {none:?}");
                    let subject = none.seen("X-SSL-Client-S-DN").unwrap_or_default();
                    assert_eq!(subject, "");
                }
            }
        }
        // A subject with a line break ends no header.
        let broken = lab.get_as("broken", "tower.lab.example", &["--http1.1"]);
        assert_eq!(broken.seen("X-Evil"), None);
        assert_eq!(broken.code, if release.is("haproxy") { 200 } else { 502 });
        // Not through the connection of another name.
        let around = ["-H", "Host: tower.lab.example"];
        assert_eq!(lab.get("git.lab.example", "/", &around).code, 421);
        let open = lab.get("git.lab.example", "/", &forged);
        assert_eq!((open.code, open.seen("X-SSL-Client-Verify")), (200, None));
        if mode == "required" {
            sessions(&lab);
        }
    }
}

/// A session of one host opens no other.
fn sessions(lab: &Lab) {
    for version in ["-tls1_2", "-tls1_3"] {
        let request =
            |name| format!("GET / HTTP/1.1\\r\\nHost: {name}\\r\\nConnection: close\\r\\n\\r\\n");
        let begun = lab.talk(
            &[
                version,
                "-servername",
                "git.lab.example",
                "-sess_out",
                "/lab/session",
            ],
            &request("git.lab.example"),
        );
        assert!(begun.contains("200 OK"), "{begun}");
        let resumed = lab.talk(
            &[
                version,
                "-servername",
                "tower.lab.example",
                "-sess_in",
                "/lab/session",
            ],
            &request("tower.lab.example"),
        );
        assert!(!resumed.contains("200 OK"), "{version}: {resumed}");
    }
}
