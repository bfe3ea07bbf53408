//! Small Compose files before whose start something runs, with exactly what must become of it.

use super::nasty_bases::{Case, JAVA, KEYTOOL, PLAIN, SYSTEM, app, java};

pub static STARTED: &[Case] = &[
    Case {
        name: "a step before a command in one line",
        files: &[("compose.yml", app!("command: run 'a b' $$x"))],
        service: SYSTEM,
        deployed: "{entrypoint: [/docker-entrypoint.sh, $HOME]}",
        expect: &[
            (
                "app/entrypoint",
                r#"["/bin/sh", "/etc/tlsgen/trust/system-store.sh", "/docker-entrypoint.sh", "$$HOME"]"#,
            ),
            ("app/command", r#"["run", "a b", "$$x"]"#),
        ],
        ..PLAIN
    },
    Case {
        name: "a step before a list, without an entrypoint",
        files: &[("compose.yml", app!("command: [run, 'a b', '']"))],
        service: SYSTEM,
        deployed: "{entrypoint: []}",
        expect: &[
            (
                "app/entrypoint",
                r#"["/bin/sh", "/etc/tlsgen/trust/system-store.sh"]"#,
            ),
            ("app/command", r#"["run", "a b", ""]"#),
        ],
        ..PLAIN
    },
    Case {
        name: "a step before an emptied command: the image's own stands",
        files: &[("compose.yml", app!("command: []"))],
        service: SYSTEM,
        deployed: "{entrypoint: [/entry], command: [serve, $x]}",
        expect: &[
            (
                "app/entrypoint",
                r#"["/bin/sh", "/etc/tlsgen/trust/system-store.sh", "/entry"]"#,
            ),
            ("app/command", r#"["serve", "$$x"]"#),
        ],
        ..PLAIN
    },
    Case {
        name: "a step before an entrypoint in one line, which has dropped the image's command",
        files: &[(
            "compose.yml",
            app!("entrypoint: serve --name 'a b' $$HOME ${WHO:-me}"),
        )],
        service: SYSTEM,
        expect: &[
            (
                "app/entrypoint",
                r#"["/bin/sh", "/etc/tlsgen/trust/system-store.sh", "serve", "--name", "a b", "$$HOME", "me"]"#,
            ),
            ("app/command", "null"),
        ],
        ..PLAIN
    },
    Case {
        name: "the same with a Dockerfile, whose command stays dropped",
        files: &[
            (
                "compose.yml",
                "services:\n  app:\n    build: .\n    entrypoint: [serve]\n",
            ),
            (
                "Dockerfile",
                "FROM scratch\nENTRYPOINT [\"other\"]\nCMD [\"dropped\"]\n",
            ),
        ],
        service: SYSTEM,
        expect: &[
            (
                "app/entrypoint",
                r#"["/bin/sh", "/etc/tlsgen/trust/system-store.sh", "serve"]"#,
            ),
            ("app/command", "null"),
        ],
        ..PLAIN
    },
    Case {
        name: "entrypoint and command in lists",
        files: &[(
            "compose.yml",
            app!("entrypoint: [sh, -c, 'exec \"$$0\" \"$$@\"']" "command: [run, $WHAT]"),
        )],
        service: KEYTOOL,
        deployed: "{trust_via: keytool}",
        environment: &[("WHAT", "this")],
        expect: &[
            (
                "app/entrypoint",
                r#"["/bin/sh", "/etc/tlsgen/trust/keytool.sh", "sh", "-c", "exec \"$$0\" \"$$@\""]"#,
            ),
            ("app/command", r#"["run", "this"]"#),
            ("app/environment", "null"),
        ],
        ..PLAIN
    },
    Case {
        name: "an entrypoint that is emptied",
        files: &[("compose.yml", app!("entrypoint: []" "command: run it"))],
        service: KEYTOOL,
        deployed: "{trust_via: keytool}",
        expect: &[
            (
                "app/entrypoint",
                r#"["/bin/sh", "/etc/tlsgen/trust/keytool.sh"]"#,
            ),
            ("app/command", r#"["run", "it"]"#),
        ],
        ..PLAIN
    },
    Case {
        name: "a command for the image's shell",
        files: &[(
            "compose.yml",
            app!("command: -c '/wait-for-it.sh db:3306; /tower.sh $$X'"),
        )],
        service: KEYTOOL,
        deployed: "{trust_via: keytool}",
        expect: &[
            (
                "app/entrypoint",
                r#"["/bin/sh", "/etc/tlsgen/trust/keytool.sh", "/bin/sh", "-c", "if command -v bash >/dev/null; then exec bash \"$$@\"; fi; exec sh \"$$@\"", "sh"]"#,
            ),
            (
                "app/command",
                r#"["-c", "/wait-for-it.sh db:3306; /tower.sh $$X"]"#,
            ),
        ],
        ..PLAIN
    },
    Case {
        name: "a Dockerfile that says what the image starts",
        files: &[
            (
                "compose.yml",
                "services:\n  app:\n    build: {context: ./src, dockerfile: ../App.dockerfile}\n",
            ),
            (
                "App.dockerfile",
                "FROM debian\nENV JAVA_TOOL_OPTIONS=\"-Dimage=1\"\nENTRYPOINT [\"/entry\", \"$HOME\"]\nCMD serve $PORT\n",
            ),
        ],
        service: "{runtime: [java, system], trust: [lab]}",
        expect: &[
            (
                "app/entrypoint",
                r#"["/bin/sh", "/etc/tlsgen/trust/system-store.sh", "/entry", "$$HOME"]"#,
            ),
            ("app/command", r#"["/bin/sh", "-c", "serve $$PORT"]"#),
            (JAVA, concat!("-Dimage=1 ", java!())),
        ],
        ..PLAIN
    },
    Case {
        name: "two steps, in order",
        files: &[("compose.yml", app!("command: [run]"))],
        service: "{runtime: [java, system], trust: [lab]}",
        deployed: "{trust_via: keytool, entrypoint: [/entry]}",
        expect: &[(
            "app/entrypoint",
            r#"["/bin/sh", "/etc/tlsgen/trust/keytool.sh", "/bin/sh", "/etc/tlsgen/trust/system-store.sh", "/entry"]"#,
        )],
        ..PLAIN
    },
    Case {
        name: "a download as nobody on a read-only file system with memory for it",
        files: &[(
            "compose.yml",
            app!("command: [run]" "user: nobody" "read_only: true" "tmpfs: /tmp:size=1m"),
        )],
        service: "{runtime: [java, python], trust: [lab], connects: [peer]}",
        deployed: "{trust_via: download, entrypoint: []}",
        expect: &[
            ("app/environment/SSL_CERT_FILE", "/tmp/tlsgen/ca-bundle.pem"),
            (
                "app/entrypoint",
                r#"["/bin/sh", "/etc/tlsgen/trust/download.sh"]"#,
            ),
            (
                JAVA,
                "-Djavax.net.ssl.trustStore=/tmp/tlsgen/truststore.jks -Djavax.net.ssl.trustStoreType=JKS -Djavax.net.ssl.trustStorePassword=changeit",
            ),
        ],
        ..PLAIN
    },
    Case {
        name: "what looks like a shell's command, behind an entrypoint that a Dockerfile says",
        files: &[
            (
                "compose.yml",
                "services:\n  app:\n    build: .\n    command: [-c, a b]\n",
            ),
            ("Dockerfile", "FROM scratch\nENTRYPOINT [\"/count\"]\n"),
        ],
        service: SYSTEM,
        expect: &[(
            "app/entrypoint",
            r#"["/bin/sh", "/etc/tlsgen/trust/system-store.sh", "/count"]"#,
        )],
        ..PLAIN
    },
];
