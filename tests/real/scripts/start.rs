//! Start scripts: run once, run again, roll over, and fail where they must.

use serde_json::{Value, json};
use tlsgen::render;

use crate::scene::{Authority, Machine, NOBODY, ROOT, context, has};

const TRUST: &str = "/etc/tlsgen/trust";

/// A command whose arguments a careless wrapper would break.
const COMMAND: &[&str] = &[
    "/bin/sh",
    "-c",
    "printf '<%s>' \"$@\"; echo \"$$ $(umask)\"; exit 7",
    "app",
    "a b",
    "",
    "$x*",
    "it's",
];

fn start<'a>(
    machine: &Machine,
    user: u32,
    script: &'a str,
    command: &[&'a str],
) -> crate::scene::Ran {
    let path = format!("{TRUST}/{script}");
    let mut all = vec!["/bin/sh", path.as_str()];
    all.extend(command);
    // As an image may have it: names that the script uses, and exported.
    machine.run(user, &all, &[("body", "x"), ("store", "x"), ("IFS", "x")])
}

fn render(template: &str, anchors: &[&Authority], more: Value) -> String {
    render::text(template, context(anchors, more)).expect("it renders")
}

/// The bundle of each kind of system.
const KINDS: &[(&str, &str)] = &[
    ("debian", "/etc/ssl/certs/ca-certificates.crt"),
    ("redhat", "/etc/pki/tls/certs/ca-bundle.crt"),
    ("suse", "/etc/ssl/ca-bundle.pem"),
    ("alpine", "/etc/ssl/certs/ca-certificates.crt"),
];

#[test]
fn the_system_store_gets_each_authority_once_and_rolls_over() {
    if !has("openssl") {
        return;
    }
    let [old, corp, new] = ["old", "corp", "new"].map(Authority::new);
    for (kind, bundle) in KINDS {
        let Some(machine) = Machine::new(kind) else {
            return;
        };
        let before = machine.count_all(bundle);
        assert!(before > 100, "{kind} has public roots");
        let mount = |anchors: &[&Authority]| {
            let script = render("start/system-store.sh", anchors, json!({}));
            machine.mount("system-store.sh", &script, anchors);
        };

        mount(&[&old, &corp]);
        let ran = start(&machine, ROOT, "system-store.sh", COMMAND)
            .failed_with(7, "2 authorities added, 0 removed");
        assert_eq!(ran.stderr.lines().count(), 1, "{kind}: {}", ran.stderr);
        assert_eq!(
            ran.stdout, "<a b><><$x*><it's>1 0022\n",
            "{kind}: the command is process 1 and alone on stdout"
        );
        for authority in [&old, &corp] {
            assert_eq!(machine.count_in_bundle(bundle, authority), 1, "{kind}");
        }
        assert_eq!(machine.count_all(bundle), before + 2, "{kind}");

        start(&machine, ROOT, "system-store.sh", &["true"])
            .succeeded()
            .says("holds every authority already");
        start(&machine, NOBODY, "system-store.sh", &["true"])
            .succeeded()
            .says("holds every authority already");
        assert_eq!(machine.count_all(bundle), before + 2, "{kind}");

        mount(&[&corp, &new]);
        start(&machine, ROOT, "system-store.sh", &["true"])
            .succeeded()
            .says("1 authority added, 1 removed");
        for (authority, times) in [(&old, 0), (&corp, 1), (&new, 1)] {
            assert_eq!(
                machine.count_in_bundle(bundle, authority),
                times,
                "{kind} {}",
                authority.alias
            );
        }
        assert_eq!(machine.count_all(bundle), before + 2, "{kind}");

        mount(&[]);
        start(&machine, ROOT, "system-store.sh", &["true"])
            .succeeded()
            .says("0 authorities added, 2 removed");
        assert_eq!(machine.count_all(bundle), before, "{kind}");
    }
}

#[test]
fn a_bundle_without_a_program_is_extended_in_place() {
    if !has("openssl") {
        return;
    }
    let [old, corp] = ["old", "corp"].map(Authority::new);
    let bundle = "/etc/ssl/certs/ca-certificates.crt";
    let Some(machine) = Machine::new("alpine") else {
        return;
    };
    machine
        .sh(ROOT, "rm /usr/sbin/update-ca-certificates")
        .succeeded();
    let original = machine.run(ROOT, &["cat", bundle], &[]).stdout;
    let mount = |anchors: &[&Authority]| {
        let script = render("start/system-store.sh", anchors, json!({}));
        machine.mount("system-store.sh", &script, anchors);
    };
    for (anchors, said) in [
        (vec![&old], "1 authority added"),
        (vec![&old], "holds every authority already"),
        (vec![&old, &corp], "1 authority added, 0 removed"),
        (vec![&corp], "0 authorities added, 1 removed"),
        (vec![&corp], "holds every authority already"),
    ] {
        mount(&anchors);
        start(&machine, ROOT, "system-store.sh", &["true"])
            .succeeded()
            .says(said);
        for authority in [&old, &corp] {
            let wanted = usize::from(anchors.iter().any(|anchor| anchor.alias == authority.alias));
            assert_eq!(machine.count_in_bundle(bundle, authority), wanted);
        }
    }
    mount(&[]);
    start(&machine, ROOT, "system-store.sh", &["true"]).succeeded();
    let last = machine.run(ROOT, &["cat", bundle], &[]).stdout;
    assert!(
        last.trim_end() == original.trim_end(),
        "nothing of it is left"
    );

    mount(&[&corp]);
    machine.sh(ROOT, &format!("rm {bundle}")).succeeded();
    start(&machine, ROOT, "system-store.sh", &["true"])
        .failed_with(1, "no trust store that tlsgen knows");
}

#[test]
fn the_system_store_is_refused_without_root_and_on_a_read_only_root() {
    if !has("openssl") {
        return;
    }
    let corp = Authority::new("corp");
    for (kind, _) in KINDS {
        let Some(mut machine) = Machine::new(kind) else {
            return;
        };
        machine.mount(
            "system-store.sh",
            &render("start/system-store.sh", &[&corp], json!({})),
            &[&corp],
        );
        let ran = start(&machine, NOBODY, "system-store.sh", &["echo", "started"])
            .failed_with(1, "`trust_via: env`");
        assert_eq!(
            (ran.stdout.as_str(), ran.stderr.lines().count()),
            ("", 1),
            "{kind}: {}",
            ran.stderr
        );
        machine.read_only = true;
        start(&machine, ROOT, "system-store.sh", &["echo", "started"])
            .failed_with(1, "as user 0")
            .says("with a writable root file system");
    }
}

#[test]
fn cacerts_gets_each_authority_once_and_rolls_over() {
    if !has("openssl") {
        return;
    }
    let [old, corp, new] = ["old", "corp", "new"].map(Authority::new);
    for kind in ["debian", "redhat"] {
        let Some(machine) = Machine::new(kind) else {
            return;
        };
        let mount = |anchors: &[&Authority]| {
            let script = render("start/keytool.sh", anchors, json!({}));
            machine.mount("keytool.sh", &script, anchors);
        };
        let count = |authority| machine.count_in_keystore(&["-cacerts"], authority);
        let before = count(&old).1;

        mount(&[&old, &corp]);
        let ran = start(&machine, ROOT, "keytool.sh", COMMAND)
            .failed_with(7, "2 authorities imported, 0 removed");
        assert_eq!(ran.stdout, "<a b><><$x*><it's>1 0022\n", "{kind}");
        assert_eq!(ran.stderr.lines().count(), 1, "{kind}: {}", ran.stderr);
        assert_eq!(
            (count(&old), count(&corp)),
            ((1, before + 2), (1, before + 2)),
            "{kind}"
        );

        start(&machine, ROOT, "keytool.sh", &["true"])
            .succeeded()
            .says("holds every authority already");
        mount(&[&corp, &new]);
        start(&machine, ROOT, "keytool.sh", &["true"])
            .succeeded()
            .says("1 authority imported, 1 removed");
        assert_eq!(
            (count(&old).0, count(&corp).0, count(&new)),
            (0, 1, (1, before + 2)),
            "{kind}"
        );

        mount(&[&old]);
        start(&machine, NOBODY, "keytool.sh", &["echo", "started"])
            .failed_with(1, "`trust_via: truststore`");
    }
}

#[test]
fn an_image_without_keytool_is_told_what_to_do() {
    if !has("openssl") {
        return;
    }
    let corp = Authority::new("corp");
    let Some(machine) = Machine::new("debian") else {
        return;
    };
    machine.mount(
        "keytool.sh",
        &render("start/keytool.sh", &[&corp], json!({})),
        &[&corp],
    );
    machine
        .sh(ROOT, "rm -f /usr/bin/keytool /usr/lib/jvm/*/bin/keytool")
        .succeeded();
    start(&machine, ROOT, "keytool.sh", &["true"])
        .failed_with(1, "comes without keytool; set `trust_via: truststore`");
    machine.sh(ROOT, "rm -f /usr/bin/java").succeeded();
    start(&machine, ROOT, "keytool.sh", &["true"])
        .failed_with(1, "no JVM with a trust store of its own");
}

#[test]
fn scripts_can_be_chained_in_every_shell() {
    if !has("openssl") {
        return;
    }
    let corp = Authority::new("corp");
    let shells: [(&str, &[&str]); 3] = [
        ("debian", &["busybox", "sh"]),
        ("redhat", &["bash"]),
        ("suse", &["bash", "--posix"]),
    ];
    for (kind, shell) in shells {
        let Some(machine) = Machine::new(kind) else {
            return;
        };
        let script = |template| render(template, &[&corp], json!({}));
        machine.mount(
            "system-store.sh",
            &script("start/system-store.sh"),
            &[&corp],
        );
        machine.write(&format!("{TRUST}/keytool.sh"), script("start/keytool.sh"));
        let (store, keytool) = (
            ["/etc/tlsgen/trust/system-store.sh"],
            ["/etc/tlsgen/trust/keytool.sh"],
        );
        let chained = [shell, &store, shell, &keytool, COMMAND].concat();
        for _ in 0..2 {
            let ran = machine.run(ROOT, &chained, &[]);
            let said = (ran.status, ran.stdout.as_str());
            assert_eq!(
                said,
                (7, "<a b><><$x*><it's>1 0022\n"),
                "{kind}: {}",
                ran.stderr
            );
        }
        let (times, _) = machine.count_in_keystore(&["-cacerts"], &corp);
        assert_eq!(times, 1, "{kind}: the system's store and ours are one");
    }
}

#[test]
fn a_store_without_a_password_as_newer_jvms_have_is_extended() {
    if !has("openssl") {
        return;
    }
    let [corp, other] = ["corp", "other"].map(Authority::new);
    let Some(machine) = Machine::new("debian") else {
        return;
    };
    machine.mount(
        "keytool.sh",
        &render("start/keytool.sh", &[&corp], json!({})),
        &[&corp],
    );
    machine.write("/other.pem", &other.pem);
    // JDK 18 and later come with such a cacerts; jssecacerts is read instead of it where it exists.
    let make = "set -e
        home=$(readlink -f /usr/bin/java); home=${home%/bin/java}
        none='-J-Dkeystore.pkcs12.macAlgorithm=NONE -J-Dkeystore.pkcs12.certProtectionAlgorithm=NONE'
        keytool $none -importcert -noprompt -alias other -file /other.pem -storetype PKCS12 \
          -keystore $home/lib/security/jssecacerts -storepass changeit
        ln -s $home/lib/security/jssecacerts /store";
    machine.sh(ROOT, make).succeeded();
    for said in ["1 authority imported", "holds every authority already"] {
        start(&machine, ROOT, "keytool.sh", &["true"])
            .succeeded()
            .says(said);
    }
    assert_eq!(
        machine.count_in_keystore(&["-keystore", "/store"], &corp),
        (1, 2)
    );
}

#[test]
fn what_is_downloaded_must_match_its_pin() {
    if !has("openssl") {
        return;
    }
    let [corp, other] = ["corp", "other"].map(Authority::new);
    let (with_root, without_root) = (corp.serve(true), corp.serve(false));
    let Some(machine) = Machine::new("debian") else {
        return;
    };
    let script = |anchors: &[&Authority], ports: &[u16], public: bool, java: bool| {
        let hosts: Vec<Value> = ports
            .iter()
            .map(|port| json!({ "host": "127.0.0.1", "port": port }))
            .collect();
        render(
            "start/download.sh",
            anchors,
            json!({ "hosts": hosts, "public": public, "java": java }),
        )
    };
    let mount = |text: &str| {
        machine.mount("download.sh", text, &[]);
        machine.write(&format!("{TRUST}/public-roots.pem"), &other.pem);
    };

    for shell in ["openssl", "keytool"] {
        if shell == "keytool" {
            machine
                .sh(ROOT, "rm -rf /tmp/tlsgen /usr/bin/openssl")
                .succeeded();
        }
        // The server does not present what is pinned.
        mount(&script(&[&corp], &[without_root.port], false, false));
        start(&machine, NOBODY, "download.sh", &["echo", "started"])
            .failed_with(
                1,
                &format!("nobody presents {} ({})", corp.alias, corp.fingerprint()),
            )
            .says(&format!("; 127.0.0.1:{} presents ", without_root.port));
        machine.sh(ROOT, "rm -rf /tmp/tlsgen").succeeded();

        // It presents it, beside a server that does not, and the pin of another.
        mount(&script(
            &[&corp, &other],
            &[without_root.port, with_root.port],
            false,
            false,
        ));
        start(&machine, NOBODY, "download.sh", &["true"])
            .failed_with(1, &format!("nobody presents {} (", other.alias));
        machine.sh(ROOT, "rm -rf /tmp/tlsgen").succeeded();

        mount(&script(
            &[&corp],
            &[without_root.port, with_root.port],
            true,
            false,
        ));
        let ran = start(&machine, NOBODY, "download.sh", COMMAND)
            .failed_with(7, "each with its pinned fingerprint");
        assert_eq!(ran.stdout, "<a b><><$x*><it's>1 0022\n");
        for (file, counts) in [("ca-bundle.pem", (1, 1)), ("private-roots.pem", (1, 0))] {
            let file = format!("/tmp/tlsgen/{file}");
            assert_eq!(
                (
                    machine.count_in_bundle(&file, &corp),
                    machine.count_in_bundle(&file, &other)
                ),
                counts,
                "{file}"
            );
        }
        let listed = machine
            .sh(ROOT, "ls -A /tmp/tlsgen; stat -c %a /tmp/tlsgen")
            .succeeded();
        assert_eq!(
            listed.stdout,
            "anchors\nca-bundle.pem\nprivate-roots.pem\n700\n"
        );
    }
    // What was found is kept: the next start needs no server.
    drop((with_root, without_root));
    start(&machine, NOBODY, "download.sh", &["true"]).succeeded();
    // Unless it is not what was pinned.
    let replace = format!(
        "cat /etc/tlsgen/trust/public-roots.pem >/tmp/tlsgen/anchors/{}.crt",
        corp.alias
    );
    machine.sh(ROOT, &replace).succeeded();
    start(&machine, NOBODY, "download.sh", &["true"]).failed_with(1, "nobody answered");
}

#[test]
fn what_is_downloaded_reaches_java() {
    if !has("openssl") {
        return;
    }
    let [corp, other] = ["corp", "other"].map(Authority::new);
    let server = corp.serve(true);
    let Some(machine) = Machine::new("debian") else {
        return;
    };
    let hosts = json!([{ "host": "localhost", "port": server.port }]);
    for (public, count) in [(false, 1), (true, 2)] {
        let more = json!({ "hosts": hosts, "public": public, "java": true });
        machine.mount(
            "download.sh",
            &render("start/download.sh", &[&corp], more),
            &[],
        );
        machine.write(&format!("{TRUST}/public-roots.pem"), &other.pem);
        let make = format!(
            "keytool -importcert -noprompt -alias other -file {TRUST}/public-roots.pem -keystore {TRUST}/public-roots.jks -storetype JKS -storepass changeit"
        );
        machine.sh(ROOT, &make).succeeded();
        start(&machine, NOBODY, "download.sh", &["true"]).succeeded();
        let keystore = ["-keystore", "/tmp/tlsgen/truststore.jks"];
        assert_eq!(machine.count_in_keystore(&keystore, &corp), (1, count));
    }
}
