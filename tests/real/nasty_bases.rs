//! Small Compose files with one difficulty each, and exactly what must become of them.

/// A base, what is asked of it, and what Compose must make of base and override.
pub struct Case {
    pub name: &'static str,
    pub files: &'static [(&'static str, &'static str)],
    /// The Compose files, in the order of `-f`, with a blank between them.
    pub compose: &'static str,
    /// The service `app` in the spec.
    pub service: &'static str,
    /// The service in the target.
    pub deployed: &'static str,
    pub output: &'static str,
    /// What Compose is run with.
    pub environment: &'static [(&'static str, &'static str)],
    /// Pointers below `services` in the merged model, and the JSON or the text there; `null` where
    /// nothing is.
    pub expect: &'static [(&'static str, &'static str)],
}

impl Case {
    pub fn spec(&self) -> String {
        format!(
            "version: 1
project: nasty
authorities: {{lab: {{kind: external, certificates: pki/lab.pem}}}}
hosts: {{peer: {{names: [peer.example]}}}}
services: {{app: {}}}
targets:
  stack:
    kind: compose
    files: [{}]
    output: {}
    services: {{app: {}}}
",
            self.service,
            self.compose.replace(' ', ", "),
            self.output,
            self.deployed,
        )
    }
}

pub const PLAIN: Case = Case {
    name: "",
    files: &[],
    compose: "compose.yml",
    service: "{runtime: [java@17, node], trust: [lab]}",
    deployed: "{}",
    output: "compose.tls.yml",
    environment: &[],
    expect: &[],
};

pub const SYSTEM: &str = "{runtime: system, trust: [lab]}";
pub const KEYTOOL: &str = "{runtime: java, trust: [lab]}";

macro_rules! java {
    () => {
        "-Djavax.net.ssl.trustStore=/etc/tlsgen/trust/truststore.jks -Djavax.net.ssl.trustStoreType=JKS -Djavax.net.ssl.trustStorePassword=changeit"
    };
}
macro_rules! app {
    ($($line:literal)*) => {
        concat!("services:\n  app:\n    image: app\n", $("    ", $line, "\n"),*)
    };
}

pub(crate) use {app, java};

pub const JAVA: &str = "app/environment/JAVA_TOOL_OPTIONS";
const NODE: &str = "app/environment/NODE_OPTIONS";

pub static JOINED: &[Case] = &[
    Case {
        name: "environment as a list",
        files: &[(
            "compose.yml",
            app!("environment:" "- JAVA_TOOL_OPTIONS=-Da=1" "- NODE_OPTIONS=--no-warnings" "- OTHER=x=y"),
        )],
        expect: &[
            (JAVA, concat!("-Da=1 ", java!())),
            (NODE, "--no-warnings --use-openssl-ca"),
            ("app/environment/OTHER", "x=y"),
            (
                "app/environment/SSL_CERT_FILE",
                "/etc/tlsgen/trust/ca-bundle.pem",
            ),
            ("app/environment/SSL_CERT_DIR", "/etc/tlsgen/trust"),
            (
                "app/environment/NODE_EXTRA_CA_CERTS",
                "/etc/tlsgen/trust/private-roots.pem",
            ),
            ("app/command", "null"),
            ("app/entrypoint", "null"),
        ],
        ..PLAIN
    },
    Case {
        name: "environment as a map, with blanks behind",
        files: &[(
            "compose.yml",
            app!("environment:" "  JAVA_TOOL_OPTIONS: '-Da=1  '" "  NODE_OPTIONS: ''"),
        )],
        expect: &[
            (JAVA, concat!("-Da=1 ", java!())),
            (NODE, "--use-openssl-ca"),
        ],
        ..PLAIN
    },
    Case {
        name: "numbers, as YAML 1.1 reads them",
        files: &[(
            "compose.yml",
            app!("environment:" "  JAVA_TOOL_OPTIONS: 010" "  NODE_OPTIONS: 1.50"),
        )],
        expect: &[
            (JAVA, concat!("8 ", java!())),
            (NODE, "1.5 --use-openssl-ca"),
        ],
        ..PLAIN
    },
    Case {
        name: "null from the environment, which has nothing",
        files: &[(
            "compose.yml",
            app!("environment:" "  JAVA_TOOL_OPTIONS:" "  NODE_OPTIONS: null"),
        )],
        expect: &[(JAVA, concat!(" ", java!())), (NODE, " --use-openssl-ca")],
        ..PLAIN
    },
    Case {
        name: "null from the environment, which has something",
        files: &[(
            "compose.yml",
            app!("environment:" "- JAVA_TOOL_OPTIONS" "- NODE_OPTIONS"),
        )],
        environment: &[
            ("JAVA_TOOL_OPTIONS", "-Da=$b"),
            ("NODE_OPTIONS", "--no-warnings"),
        ],
        expect: &[
            (JAVA, concat!("-Da=$$b ", java!())),
            (NODE, "--no-warnings --use-openssl-ca"),
        ],
        ..PLAIN
    },
    Case {
        name: "null from the project's .env",
        files: &[
            ("compose.yml", app!("environment: [JAVA_TOOL_OPTIONS]")),
            (".env", "JAVA_TOOL_OPTIONS=-Dfrom=dotenv\n"),
        ],
        expect: &[(JAVA, concat!("-Dfrom=dotenv ", java!()))],
        ..PLAIN
    },
    Case {
        name: "dollars that are dollars",
        files: &[(
            "compose.yml",
            app!("environment:" "  JAVA_TOOL_OPTIONS: -Dp=a$$b$$$$c"),
        )],
        expect: &[(JAVA, concat!("-Dp=a$$b$$$$c ", java!()))],
        ..PLAIN
    },
    Case {
        name: "a default that holds",
        files: &[(
            "compose.yml",
            app!("environment:" "  JAVA_TOOL_OPTIONS: ${OPTIONS:--Da=${DEEP:-1}} -Dz=$LAST"),
        )],
        environment: &[("LAST", "9")],
        expect: &[(JAVA, concat!("-Da=1 -Dz=9 ", java!()))],
        ..PLAIN
    },
    Case {
        name: "a default that does not hold",
        files: &[(
            "compose.yml",
            app!("environment:" "- JAVA_TOOL_OPTIONS=${OPTIONS:--Da=1}"),
        )],
        environment: &[("OPTIONS", "-Db='2 3'")],
        expect: &[(JAVA, concat!("-Db='2 3' ", java!()))],
        ..PLAIN
    },
    Case {
        name: "several lines",
        files: &[(
            "compose.yml",
            app!("environment:" "  JAVA_TOOL_OPTIONS: |" "    -Da=1" "    -Db=2"),
        )],
        expect: &[(JAVA, concat!("-Da=1\n-Db=2 ", java!()))],
        ..PLAIN
    },
    Case {
        name: "quotes and colons",
        files: &[(
            "compose.yml",
            app!("environment:" "  JAVA_TOOL_OPTIONS: \"-Da='x: y' -Db=\\\"q # r\\\"\""),
        )],
        expect: &[(JAVA, concat!("-Da='x: y' -Db=\"q # r\" ", java!()))],
        ..PLAIN
    },
    Case {
        name: "an env file",
        files: &[
            ("compose.yml", app!("env_file: app.env")),
            ("app.env", "# settings\nJAVA_TOOL_OPTIONS=-Da=1\nOTHER=2\n"),
        ],
        expect: &[
            (JAVA, concat!("-Da=1 ", java!())),
            ("app/environment/OTHER", "2"),
        ],
        ..PLAIN
    },
    Case {
        name: "an env file with quotes, comments and other variables",
        files: &[
            ("compose.yml", app!("env_file: [app.env]")),
            (
                "app.env",
                "A=1\nexport JAVA_TOOL_OPTIONS=\"-Da=${A} -Db=$B\" # why\nNODE_OPTIONS='--title=$A #1'\n",
            ),
        ],
        environment: &[("B", "from-outside")],
        expect: &[
            (JAVA, concat!("-Da=1 -Db=from-outside ", java!())),
            (NODE, "--title=$$A #1 --use-openssl-ca"),
        ],
        ..PLAIN
    },
    Case {
        name: "the last env file wins, and the environment over it",
        files: &[
            (
                "compose.yml",
                app!("env_file:" "  - a.env" "  - path: b.env" "environment:" "  NODE_OPTIONS: --no-warnings"),
            ),
            ("a.env", "JAVA_TOOL_OPTIONS=-Da=1\nNODE_OPTIONS=--lost\n"),
            ("b.env", "JAVA_TOOL_OPTIONS=-Db=2\n"),
        ],
        expect: &[
            (JAVA, concat!("-Db=2 ", java!())),
            (NODE, "--no-warnings --use-openssl-ca"),
        ],
        ..PLAIN
    },
    Case {
        name: "an optional env file that is not there",
        files: &[(
            "compose.yml",
            app!("env_file:" "  - path: gone.env" "    required: false"),
        )],
        expect: &[(JAVA, java!())],
        ..PLAIN
    },
    Case {
        name: "anchors and merge keys",
        files: &[(
            "compose.yml",
            "x-common: &common\n  JAVA_TOOL_OPTIONS: -Dshared=1\n  OTHER: a\nservices:\n  app:\n    image: app\n    environment:\n      <<: *common\n      OTHER: b\n",
        )],
        expect: &[
            (JAVA, concat!("-Dshared=1 ", java!())),
            ("app/environment/OTHER", "b"),
        ],
        ..PLAIN
    },
    Case {
        name: "extends in one file and across directories",
        files: &[
            (
                "compose.yml",
                "services:\n  app:\n    extends: {file: common/base.yml, service: jvm}\n    environment: {OTHER: c}\n",
            ),
            (
                "common/base.yml",
                "services:\n  root:\n    image: app\n    environment: {JAVA_TOOL_OPTIONS: -Droot=1, NODE_OPTIONS: --no-warnings}\n    command: run it\n  jvm:\n    extends: root\n    env_file: jvm.env\n    environment: [JAVA_TOOL_OPTIONS=-Djvm=1]\n",
            ),
            ("common/jvm.env", "JAVA_TOOL_OPTIONS=-Dlost=1\n"),
        ],
        expect: &[
            (JAVA, concat!("-Djvm=1 ", java!())),
            (NODE, "--no-warnings --use-openssl-ca"),
            ("app/command", r#"["run", "it"]"#),
        ],
        ..PLAIN
    },
    Case {
        name: "an included file",
        files: &[
            (
                "compose.yml",
                "include: [sub/compose.yml]\nservices:\n  other: {image: other}\n",
            ),
            ("sub/compose.yml", app!("env_file: app.env")),
            ("sub/app.env", "JAVA_TOOL_OPTIONS=-Dincluded=1\n"),
        ],
        expect: &[(JAVA, concat!("-Dincluded=1 ", java!()))],
        ..PLAIN
    },
    Case {
        name: "a later file wins, and resets",
        files: &[
            (
                "a.yml",
                app!("environment: {JAVA_TOOL_OPTIONS: -Da=1, NODE_OPTIONS: --lost}" "command: first"),
            ),
            (
                "b.yml",
                "services:\n  app:\n    environment:\n      JAVA_TOOL_OPTIONS: -Db=2\n      NODE_OPTIONS: !reset null\n    command: [second, $$x]\n",
            ),
        ],
        compose: "a.yml b.yml",
        expect: &[
            (JAVA, concat!("-Db=2 ", java!())),
            (NODE, "--use-openssl-ca"),
            ("app/command", r#"["second", "$$x"]"#),
        ],
        ..PLAIN
    },
    Case {
        name: "a later file replaces the whole environment",
        files: &[
            (
                "a.yml",
                app!("environment: {JAVA_TOOL_OPTIONS: -Da=1, GONE: x}"),
            ),
            (
                "b.yml",
                "services:\n  app:\n    environment: !override\n      NODE_OPTIONS: --no-warnings\n",
            ),
        ],
        compose: "a.yml b.yml",
        expect: &[
            (JAVA, java!()),
            (NODE, "--no-warnings --use-openssl-ca"),
            ("app/environment/GONE", "null"),
        ],
        ..PLAIN
    },
    Case {
        name: "a base in another directory than the override",
        files: &[
            (
                "deploy/base/compose.yml",
                app!("env_file: ../app.env" "volumes: ['./data:/data']"),
            ),
            ("deploy/app.env", "JAVA_TOOL_OPTIONS=-Da=1\n"),
        ],
        compose: "deploy/base/compose.yml",
        output: "generated/tls.yml",
        expect: &[(JAVA, concat!("-Da=1 ", java!()))],
        ..PLAIN
    },
    Case {
        name: "several files in several directories",
        files: &[
            (
                "one/compose.yml",
                app!("environment: [JAVA_TOOL_OPTIONS=-Da=1]" "volumes: ['./a:/a']"),
            ),
            (
                "two/more.yml",
                "services:\n  app:\n    volumes: ['./b:/b']\n    labels: [keep=me]\n",
            ),
        ],
        compose: "one/compose.yml two/more.yml",
        output: "one/compose.tls.yml",
        expect: &[
            (JAVA, concat!("-Da=1 ", java!())),
            ("app/labels/keep", "me"),
        ],
        ..PLAIN
    },
    Case {
        name: "a service of a profile, not root, read-only, with much around it",
        files: &[(
            "compose.yml",
            "services:\n  app:\n    image: app\n    profiles: [debug]\n    user: '10001:10001'\n    read_only: true\n    tmpfs: [/tmp]\n    ports: ['8080:80', 127.0.0.1:9000-9001:9000-9001]\n    secrets: [token]\n    configs: [{source: settings, target: /etc/settings}]\n    labels: [a=1, b]\n    volumes:\n      - data:/data:ro\n      - type: tmpfs\n        target: /scratch\n    networks: {default: {aliases: [x]}}\n    healthcheck: {test: curl -f https://localhost}\nsecrets: {token: {environment: TOKEN}}\nconfigs: {settings: {content: 'a$$b'}}\nvolumes: {data: {}}\n",
        )],
        environment: &[("TOKEN", "t")],
        expect: &[
            (JAVA, java!()),
            ("app/user", "10001:10001"),
            ("app/labels/b", ""),
            ("app/entrypoint", "null"),
        ],
        ..PLAIN
    },
    Case {
        name: "TLS versions",
        files: &[(
            "compose.yml",
            app!("environment: [JAVA_TOOL_OPTIONS=-Da=1]"),
        )],
        service: "{runtime: [java@8, node], trust: [lab], tls_versions: {min: '1.2'}}",
        expect: &[
            (
                JAVA,
                concat!(
                    "-Da=1 ",
                    java!(),
                    " -Djdk.tls.client.protocols=TLSv1.2,TLSv1.3 \"-Dmail.smtp.ssl.protocols=TLSv1.2 TLSv1.3\""
                ),
            ),
            (NODE, "--use-openssl-ca --tls-min-v1.2"),
        ],
        ..PLAIN
    },
    Case {
        name: "the same value is no conflict",
        files: &[(
            "compose.yml",
            app!("environment: {SSL_CERT_FILE: /etc/tlsgen/trust/ca-bundle.pem}"),
        )],
        expect: &[(
            "app/environment/SSL_CERT_FILE",
            "/etc/tlsgen/trust/ca-bundle.pem",
        )],
        ..PLAIN
    },
    Case {
        name: "a directory with a dollar, blanks and a colon",
        files: &[("compose.yml", app!("environment: [A=b]"))],
        output: "\"tls $x: y/override file.yml\"",
        expect: &[(JAVA, java!())],
        ..PLAIN
    },
];
