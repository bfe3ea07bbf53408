//! The pre-run script: sourced and executed, with and without root, twice, by three shells.

use std::process::Command;

use serde_json::{Value, json};
use tlsgen::render;

use crate::scene::{Authority, Machine, NOBODY, ROOT, Ran, Server, context, has};

const KINDS: &[(&str, &str)] = &[
    ("debian", "/etc/ssl/certs/ca-certificates.crt"),
    (
        "redhat",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    ),
    ("suse", "/var/lib/ca-certificates/ca-bundle.pem"),
    ("alpine", "/etc/ssl/certs/ca-certificates.crt"),
];

const CLIENT: &str = r#"
public class Client {
    public static void main(String[] arguments) throws Exception {
        int port = Integer.parseInt(arguments[0]);
        try (var socket = (javax.net.ssl.SSLSocket) javax.net.ssl.SSLSocketFactory.getDefault().createSocket("localhost", port)) {
            socket.startHandshake();
            System.out.println("accepted");
        } catch (javax.net.ssl.SSLHandshakeException refused) {
            System.out.println("refused");
        }
    }
}
"#;

struct Wanted {
    public: bool,
    java: bool,
    os: &'static str,
}

fn script(anchors: &[&Authority], wanted: &Wanted) -> String {
    let variables = json!([
        { "name": "SSL_CERT_FILE", "value": "$directory/ca-bundle.pem", "append": false },
        { "name": "SSL_CERT_DIR", "value": "$directory", "append": false },
        { "name": "JAVA_TOOL_OPTIONS", "value": "-Djdk.tls.client.protocols=TLSv1.3", "append": true },
    ]);
    let more: Value = json!({
        "os": wanted.os, "public": wanted.public, "java": wanted.java, "system": false,
        "variables": if wanted.java { variables } else { json!([variables[0], variables[1]]) },
        "files": [{ "name": ".curlrc", "text": "cacert = \"$directory/ca-bundle.pem\"" }],
    });
    render::text("script/pre-run.sh", context(anchors, more)).expect("it renders")
}

/// Sources the script as often as told, then runs a command.
fn sourced(machine: &Machine, user: u32, shell: &[&str], times: usize, then: &str) -> Ran {
    let source = ". /pre-run.sh || exit 9\n".repeat(times);
    let script = format!("{source}{then}");
    let mut command = shell.to_vec();
    command.extend(["-c", &script]);
    machine.run(user, &command, &[])
}

fn openssl(server: &Server) -> String {
    format!(
        "openssl s_client -connect localhost:{} -verify_return_error -verify_hostname localhost </dev/null >/dev/null 2>&1 && echo accepted || echo refused",
        server.port
    )
}

#[test]
fn a_handshake_succeeds_after_sourcing_and_fails_before() {
    if !has("openssl") || !has("javac") {
        return;
    }
    let [corp, other] = ["corp", "other"].map(Authority::new);
    let (ours, theirs) = (corp.serve(false), other.serve(false));
    let built = tempfile::tempdir().expect("a directory");
    std::fs::write(built.path().join("Client.java"), CLIENT).expect("ours");
    let compiled = Command::new("javac")
        .args(["--release", "17", "-d"])
        .args([built.path(), &built.path().join("Client.java")])
        .status();
    assert!(compiled.is_ok_and(|status| status.success()));
    let class = std::fs::read(built.path().join("Client.class")).expect("javac wrote it");

    for (kind, bundle) in KINDS {
        let java = ["debian", "redhat"].contains(kind);
        let (shipped, update) = match *kind {
            "redhat" => ("/usr/share/pki/ca-trust-source/anchors", "update-ca-trust"),
            "suse" => ("/usr/share/pki/trust/anchors", "update-ca-certificates"),
            _ => (
                "/usr/share/ca-certificates",
                "echo other.crt >>/etc/ca-certificates.conf && update-ca-certificates",
            ),
        };
        for (user, public) in [(ROOT, true), (ROOT, false), (NOBODY, true), (NOBODY, false)] {
            let label = format!("{kind} user {user} public {public}");
            let Some(machine) = Machine::new(kind) else {
                return;
            };
            machine.write("/client/Client.class", &class);
            // `other` stands for the public roots: it comes with the system.
            machine.write(&format!("{shipped}/other.crt"), &other.pem);
            machine
                .sh(
                    ROOT,
                    &format!("PATH=$PATH:/usr/sbin; {update} >/dev/null 2>&1"),
                )
                .succeeded();
            assert_eq!(machine.count_in_bundle(bundle, &other), 1, "{label}");
            let os = if *kind == "debian" {
                "debian-12"
            } else {
                "amazon-2023"
            };
            machine.write(
                "/pre-run.sh",
                script(&[&corp], &Wanted { public, java, os }),
            );

            let client = format!("java -cp /client Client {}", ours.port);
            assert_eq!(
                machine.sh(user, &openssl(&ours)).stdout,
                "refused\n",
                "{label}"
            );
            assert!(
                !java || machine.sh(user, &client).stdout == "refused\n",
                "{label}"
            );
            let ran = sourced(&machine, user, &["/bin/sh"], 2, &openssl(&ours)).succeeded();
            assert_eq!(ran.stdout, "accepted\n", "{label}: {}", ran.stderr);
            assert_eq!(
                ran.stderr.contains("written for amazon-2023"),
                ["suse", "alpine"].contains(kind),
                "{label}"
            );
            let theirs = sourced(&machine, user, &["/bin/sh"], 1, &openssl(&theirs)).succeeded();
            assert_eq!(
                theirs.stdout,
                if public { "accepted\n" } else { "refused\n" },
                "{label}: {}",
                theirs.stderr
            );

            let directory = format!("/tmp/tlsgen-tower-{user}");
            for file in ["ca-bundle.pem", "private-roots.pem"] {
                assert_eq!(
                    machine.count_in_bundle(&format!("{directory}/{file}"), &corp),
                    1,
                    "{label} {file}"
                );
            }
            assert_eq!(
                machine.count_all(&format!("{directory}/private-roots.pem")),
                1,
                "{label}"
            );
            assert_eq!(
                machine.count_all(&format!("{directory}/ca-bundle.pem")) > 100,
                public,
                "{label}"
            );
            assert_eq!(
                machine.count_in_bundle(bundle, &corp),
                usize::from(user == ROOT && public),
                "{label}"
            );
            let curl = machine
                .run(ROOT, &["cat", &format!("{directory}/.curlrc")], &[])
                .stdout;
            assert_eq!(curl, format!("cacert = \"{directory}/ca-bundle.pem\"\n"));

            if java {
                let ran = sourced(
                    &machine,
                    user,
                    &["/bin/sh"],
                    1,
                    &format!("{client}; echo \"$JAVA_TOOL_OPTIONS\""),
                )
                .succeeded();
                let (said, options) = ran.stdout.split_once('\n').expect("two lines");
                assert_eq!(said, "accepted", "{label}: {}", ran.stderr);
                let own_store = !(user == ROOT && public);
                assert_eq!(
                    options.matches("-Djavax.net.ssl.trustStore=").count(),
                    usize::from(own_store),
                    "{label}: {options}"
                );
                if own_store {
                    let keystore = format!("{directory}/truststore.jks");
                    let (times, all) = machine.count_in_keystore(&["-keystore", &keystore], &corp);
                    assert_eq!((times, all > 100), (1, public), "{label}: {all}");
                } else {
                    assert_eq!(
                        machine.count_in_keystore(&["-cacerts"], &corp).0,
                        1,
                        "{label}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_shell_around_it_is_left_as_it_was() {
    if !has("openssl") {
        return;
    }
    let corp = Authority::new("corp");
    let around = |options: &str| {
        format!(
            "{options}
            IFS=:; umask 027; trap 'echo bye' EXIT; cd /usr
            JAVA_TOOL_OPTIONS='-Xmx64m -Dx=y'; SSL_CERT_FILE=/old; set -- one two
            state() {{ set +o; umask; pwd; printf '%s,' \"$IFS\" \"$@\"; alias; }}
            before=$(state \"$@\")
            . /pre-run.sh
            status=$?
            . /pre-run.sh
            [ \"$before\" = \"$(state \"$@\")\" ] && echo same
            echo \"$status $JAVA_TOOL_OPTIONS\"
            set | grep -i '^_*tlsgen' || :
            command -v tlsgen_prepare tlsgen_join tlsgen_replace || :
            "
        )
    };
    for (shell, options) in [
        (vec!["/bin/sh"], "set -eu"),
        (vec!["/bin/sh"], "set -fC"),
        (vec!["busybox", "sh"], "set -eu -o pipefail"),
        (vec!["bash"], "set -eEuo pipefail; shopt -s nullglob"),
        (vec!["bash", "--posix"], "set -eu"),
    ] {
        let Some(machine) = Machine::new("debian") else {
            return;
        };
        machine.write(
            "/pre-run.sh",
            script(
                &[&corp],
                &Wanted {
                    public: false,
                    java: true,
                    os: "debian-12",
                },
            ),
        );
        let mut command = shell.clone();
        let script = around(options);
        command.extend(["-c", &script]);
        let ran = machine
            .run(NOBODY, &command, &[])
            .succeeded()
            .says("SSL_CERT_FILE was /old and is now /tmp/tlsgen-tower-65534/ca-bundle.pem");
        let options = "-Xmx64m -Dx=y -Djdk.tls.client.protocols=TLSv1.3 -Djavax.net.ssl.trustStore=/tmp/tlsgen-tower-65534/truststore.jks -Djavax.net.ssl.trustStorePassword=changeit";
        assert_eq!(
            ran.stdout,
            format!("same\n0 {options}\nbye\n"),
            "{shell:?}: {}",
            ran.stderr
        );
    }
}

#[test]
fn it_can_be_executed_and_pasted() {
    if !has("openssl") {
        return;
    }
    let corp = Authority::new("corp");
    let text = script(
        &[&corp],
        &Wanted {
            public: true,
            java: false,
            os: "debian-12",
        },
    );
    for (kind, bundle) in KINDS {
        let Some(machine) = Machine::new(kind) else {
            return;
        };
        machine.write("/pre-run.sh", &text);
        for _ in 0..2 {
            let ran = machine.run(ROOT, &["/pre-run.sh"], &[]).succeeded();
            assert_eq!(ran.stdout, "", "{kind}");
        }
        assert_eq!(machine.count_in_bundle(bundle, &corp), 1, "{kind}");
        // Pasted into a script that a shell reads from its standard input.
        machine.write(
            "/pasted.sh",
            format!("set -eu\n{text}\nprintf '%s\\n' \"$SSL_CERT_FILE\"\n"),
        );
        let ran = machine.sh(ROOT, "sh </pasted.sh").succeeded();
        assert_eq!(ran.stdout, "/tmp/tlsgen-tower-0/ca-bundle.pem\n", "{kind}");
    }
}

#[test]
fn an_authority_that_is_no_longer_trusted_goes() {
    if !has("openssl") {
        return;
    }
    let [old, new] = ["old", "new"].map(Authority::new);
    for (kind, bundle) in KINDS {
        let java = ["debian", "redhat"].contains(kind);
        let Some(machine) = Machine::new(kind) else {
            return;
        };
        for authority in [&old, &new] {
            machine.write(
                "/pre-run.sh",
                script(
                    &[authority],
                    &Wanted {
                        public: true,
                        java,
                        os: "debian-12",
                    },
                ),
            );
            for user in [ROOT, NOBODY] {
                sourced(&machine, user, &["/bin/sh"], 1, "true").succeeded();
            }
        }
        let file = "/tmp/tlsgen-tower-65534/private-roots.pem";
        for (authority, times) in [(&old, 0), (&new, 1)] {
            assert_eq!(
                machine.count_in_bundle(bundle, authority),
                times,
                "{kind} {}",
                authority.alias
            );
            assert_eq!(
                machine.count_in_bundle(file, authority),
                times,
                "{kind} {}",
                authority.alias
            );
            if java {
                assert_eq!(
                    machine.count_in_keystore(&["-cacerts"], authority).0,
                    times,
                    "{kind} {}",
                    authority.alias
                );
            }
        }
        let left = machine.sh(ROOT, "ls /tmp/tlsgen-tower-0/anchors").stdout;
        assert_eq!(left.trim(), format!("{}.crt", new.alias));
    }
}

#[test]
fn a_directory_that_others_prepared_is_refused() {
    if !has("openssl") {
        return;
    }
    let corp = Authority::new("corp");
    let traps = [
        (
            "mkdir /tmp/evil && chmod 777 /tmp/evil && ln -s /tmp/evil D",
            "is a link",
        ),
        (
            "mkdir D && chown 1:1 D",
            "belongs to user 1 and not to 65534",
        ),
        (
            "mkdir D && chown 65534:65534 D && chmod 777 D",
            "others may write to",
        ),
        ("touch D", "cannot make the directory"),
    ];
    for shell in [vec!["/bin/sh"], vec!["busybox", "sh"], vec!["bash"]] {
        let Some(machine) = Machine::new("debian") else {
            return;
        };
        machine.write(
            "/pre-run.sh",
            script(
                &[&corp],
                &Wanted {
                    public: false,
                    java: false,
                    os: "debian-12",
                },
            ),
        );
        for (trap, said) in traps {
            machine.sh(ROOT, "rm -rf /tmp/*").succeeded();
            machine
                .sh(ROOT, &trap.replace('D', "/tmp/tlsgen-tower-65534"))
                .succeeded();
            let then = "echo not reached";
            let ran = sourced(&machine, NOBODY, &shell, 1, then).failed_with(9, said);
            assert_eq!(ran.stdout, "", "{shell:?}");
            // Nothing is exported, and the shell goes on if it does not mind.
            let ran = machine.run(
                NOBODY,
                &[
                    shell.as_slice(),
                    &["-c", ". /pre-run.sh; echo \"$? ${SSL_CERT_FILE-unset}\""],
                ]
                .concat(),
                &[],
            );
            assert_eq!(ran.stdout, "1 unset\n", "{shell:?}");
        }
    }
}
