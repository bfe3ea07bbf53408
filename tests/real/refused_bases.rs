//! Small Compose files over which nothing can be put without losing or breaking something.

use super::nasty_bases::{Case, KEYTOOL, PLAIN, SYSTEM, app};

/// What must not be built, with the code and words of the finding.
pub static REFUSED: &[(Case, &str, &str)] = &[
    (
        Case {
            name: "a bundle of its own",
            files: &[(
                "compose.yml",
                app!("environment:" "- SSL_CERT_FILE=/own.pem"),
            )],
            ..PLAIN
        },
        "variable-taken",
        "`app` already sets `SSL_CERT_FILE`",
    ),
    (
        Case {
            name: "a truststore in a variable",
            files: &[(
                "compose.yml",
                app!("environment:" "- JAVA_OPTS=-Xmx1g -Djavax.net.ssl.trustStore=/own.jks"),
            )],
            ..PLAIN
        },
        "variable-taken",
        "`JAVA_OPTS` already names a truststore",
    ),
    (
        Case {
            name: "a truststore in the command",
            files: &[(
                "compose.yml",
                app!("command: java -Djavax.net.ssl.trustStore=/own.jks -jar app.jar"),
            )],
            ..PLAIN
        },
        "variable-taken",
        "the command of `app` already names a truststore",
    ),
    (
        Case {
            name: "a truststore in the entrypoint",
            files: &[(
                "compose.yml",
                app!("entrypoint: [java, -Djavax.net.ssl.trustStore=/own.jks]"),
            )],
            ..PLAIN
        },
        "variable-taken",
        "the entrypoint of `app` already names a truststore",
    ),
    (
        Case {
            name: "a variable that the image sets to something unknown",
            files: &[
                ("compose.yml", "services:\n  app:\n    build: .\n"),
                (
                    "Dockerfile",
                    "FROM debian\nARG OPTIONS\nENV JAVA_TOOL_OPTIONS=-Da=1\nENV JAVA_TOOL_OPTIONS=$OPTIONS\n",
                ),
            ],
            ..PLAIN
        },
        "variable-not-joinable",
        "`JAVA_TOOL_OPTIONS` cannot be joined",
    ),
    (
        Case {
            name: "root is needed",
            files: &[("compose.yml", app!("command: [run]" "user: app"))],
            service: SYSTEM,
            deployed: "{entrypoint: []}",
            ..PLAIN
        },
        "mechanism-needs-root",
        "runs as `app`",
    ),
    (
        Case {
            name: "root is needed, by a Dockerfile",
            files: &[
                ("compose.yml", "services:\n  app:\n    build: .\n"),
                ("Dockerfile", "FROM debian\nCMD x\nUSER 10001\n"),
            ],
            service: KEYTOOL,
            deployed: "{trust_via: keytool}",
            ..PLAIN
        },
        "mechanism-needs-root",
        "`trust_via: truststore`",
    ),
    (
        Case {
            name: "a writable file system is needed",
            files: &[(
                "compose.yml",
                app!("command: [run]" "read_only: true" "tmpfs: [/tmp]"),
            )],
            service: KEYTOOL,
            deployed: "{trust_via: keytool, entrypoint: []}",
            ..PLAIN
        },
        "mechanism-needs-writable-root",
        "`trust_via: truststore`",
    ),
    (
        Case {
            name: "a download needs /tmp",
            files: &[("compose.yml", app!("command: [run]" "read_only: true"))],
            service: "{runtime: python, trust: [lab], connects: [peer]}",
            deployed: "{trust_via: download, entrypoint: []}",
            ..PLAIN
        },
        "mechanism-needs-writable-root",
        "add `tmpfs: [/tmp]`",
    ),
    (
        Case {
            name: "nobody knows the entrypoint",
            files: &[("compose.yml", app!("command: [run]"))],
            service: SYSTEM,
            ..PLAIN
        },
        "entrypoint-unknown",
        "docker image inspect",
    ),
    (
        Case {
            name: "not every `-c` is a shell's",
            files: &[(
                "compose.yml",
                app!("command: -c fsync=off -c shared_buffers=1GB"),
            )],
            service: SYSTEM,
            ..PLAIN
        },
        "entrypoint-unknown",
        "docker image inspect",
    ),
    (
        Case {
            name: "nor where it is only one",
            files: &[("compose.yml", app!("command: ['-c', /etc/app.conf]"))],
            service: SYSTEM,
            ..PLAIN
        },
        "entrypoint-unknown",
        "docker image inspect",
    ),
    (
        Case {
            name: "nobody knows the command",
            files: &[("compose.yml", app!("entrypoint: ''"))],
            service: SYSTEM,
            ..PLAIN
        },
        "entrypoint-unknown",
        "`command: […]`",
    ),
    (
        Case {
            name: "the directory is mounted already",
            files: &[("compose.yml", app!("volumes: ['./own:/etc/tlsgen/trust/']"))],
            ..PLAIN
        },
        "mount-taken",
        "already mounts `/etc/tlsgen/trust`",
    ),
    (
        Case {
            name: "no such service",
            files: &[("compose.yml", "services:\n  apps: {image: app}\n")],
            ..PLAIN
        },
        "unknown-compose-service",
        "did you mean `apps`?",
    ),
    (
        Case {
            name: "an env file is missing",
            files: &[("compose.yml", app!("env_file: gone.env"))],
            ..PLAIN
        },
        "env-file-missing",
        "gone.env",
    ),
    (
        Case {
            name: "a template",
            files: &[(
                "compose.yml",
                "services:\n  app:\n    image: app\n{% if x %}\n    user: x\n{% endif %}\n",
            )],
            ..PLAIN
        },
        "templated-compose-file",
        "template",
    ),
];
