//! What people and programs see of a plan.

use std::sync::Arc;

use tlsgen::artifact::Artifact;
use tlsgen::diagnostic::Style;
use tlsgen::pki::{Certificate, bundle, pem, truststore};
use tlsgen::plan::{Adopt, Lock, Pin, Plan, Wanted, apply, lock, plan};
use tlsgen::report::{self, View};
use tlsgen::source::{Sources, Span};
use tlsgen::world::{Memory, World};

const SPEC: &str = "version: 1\nproject: lab\ntargets:\n  stack:\n    kind: compose\n";

/// A project that was built once, and a spec that asks for something else.
struct Project {
    world: Memory,
    sources: Sources,
    origin: Span,
    notes: Vec<String>,
}

impl Project {
    fn built(files: &[(&str, &[u8], u32)]) -> Self {
        let mut sources = Sources::default();
        let id = sources.add("tlsgen.yaml", SPEC);
        let project = Self {
            world: Memory::default(),
            origin: id.span(26..34),
            sources,
            notes: Vec::new(),
        };
        apply(&project.plan(files), &project.world).expect("applied");
        project
    }

    fn artifact(&self, (path, body, mode): &(&str, &[u8], u32)) -> Artifact {
        Artifact {
            mode: *mode,
            target: Some("stack".to_owned()),
            ..Artifact::bytes(*path, Arc::from(*body), self.origin)
        }
    }

    fn plan(&self, files: &[(&str, &[u8], u32)]) -> Plan {
        let artifacts = files.iter().map(|file| self.artifact(file)).collect();
        let pins = vec![Pin::new(
            "corp",
            root("corp-root").fingerprint(),
            "Corp Root CA",
        )];
        let lock = Lock::load_to_rebuild(&self.world).expect("a lock");
        plan(
            &Wanted {
                artifacts,
                pins,
                ..Wanted::default()
            },
            &lock,
            &self.world,
            &Adopt::Nothing,
        )
    }

    fn view(&self, style: Style) -> View<'_> {
        View {
            sources: &self.sources,
            spec: "tlsgen.yaml",
            style,
            full: false,
            notes: &self.notes,
        }
    }

    fn text(&self, files: &[(&str, &[u8], u32)]) -> String {
        report::plan(&self.plan(files), &self.view(Style::Plain))
    }
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("tests/pki/{name}")).expect("a fixture")
}

fn root(name: &str) -> Certificate {
    let text = fixture(&format!("{name}.pem"));
    let reading = pem::blocks(&text);
    let (_, certificate) = reading.certificates().next().expect("a block");
    certificate.expect("a certificate")
}

fn jks(roots: &[&Certificate]) -> Vec<u8> {
    let entries: Vec<_> = truststore::anchors(roots.iter().map(|root| root.der()))
        .into_iter()
        .map(|anchor| (anchor.alias, anchor.der.to_vec(), anchor.millis))
        .collect();
    truststore::jks(&entries, "changeit")
}

fn with_public_roots(more: &[Certificate]) -> Vec<u8> {
    bundle::extended(&bundle::public_roots_pem(), more).into_bytes()
}

const CORP: &str = "CN=Corp Root CA, root CA, until 2046-01-01, sha256 bb771ec657d813a719e622e655c57199f76bc0d61d5f1b81aa9af6a14a79619b";
const NEXT: &str = "CN=Corp Root CA, root CA, until 2046-10-01, sha256 c828ece55f8389bace3fc6b1db91ed9396bc94fa15ba3e99f0b7cdb5c434fbdd";

#[test]
fn a_certificate_that_joins_the_public_roots_is_one_line() {
    let (corp, next) = (root("corp-root"), root("corp-root-2026"));
    let old = with_public_roots(std::slice::from_ref(&corp));
    let new = with_public_roots(&[corp, next]);
    let project = Project::built(&[("pki/bundle.pem", &old, 0o644)]);
    let text = project.text(&[("pki/bundle.pem", &new, 0o644)]);
    let expected = format!(
        "\
update  pki/bundle.pem  (the spec or an input changed; asked for by tlsgen.yaml:3)
diff --git a/pki/bundle.pem b/pki/bundle.pem
--- a/pki/bundle.pem
+++ b/pki/bundle.pem
@@ -119,3 +119,4 @@
 CN=vTrus ECC Root CA, root CA, until 2043-07-31, sha256 30fbba2c32238e2a98547af97931e550428b9b3f1c8eeb6633dcfa86c5b27dd3
 CN=vTrus Root CA, root CA, until 2043-07-31, sha256 8a71de6559336f426c26e53880d00d88a18da4c6a91f0dcb6194e206c5c96387
 {CORP}
+{NEXT}

certificates:
  + {NEXT}
    into pki/bundle.pem
plan: 0 to create, 1 to update, 0 to delete, 0 unchanged
"
    );
    assert_eq!(text, expected);
}

#[test]
fn public_roots_that_come_together_are_counted() {
    let new = with_public_roots(&[root("corp-root")]);
    let project = Project::built(&[]);
    let count = tlsgen::pki::public_root_certificates().len();
    let files: &[(&str, &[u8], u32)] = &[("a.pem", &new, 0o644), ("b.pem", &new, 0o644)];
    let text = project.text(files);
    let expected = format!(
        "\
create  a.pem  (new; asked for by tlsgen.yaml:3)
diff --git a/a.pem b/a.pem
new file mode 100644
--- /dev/null
+++ b/a.pem
@@ -0,0 +1,{} @@
+# The public root certificates for TLS servers, as Mozilla trusts them.
+# Kept with the project so that every build has the same ones.
+[{count} public root certificates]
+{CORP}
",
        count + 3
    );
    assert!(text.starts_with(&expected), "{text}");
    let expected = format!(
        "\
certificates:
  + {count} public roots
    into a.pem, b.pem
  + {CORP}
    into a.pem, b.pem
plan: 2 to create, 0 to update, 0 to delete, 0 unchanged
"
    );
    assert!(text.ends_with(&expected), "{text}");
}

#[test]
fn a_truststore_is_the_list_of_its_entries() {
    let (corp, next) = (root("corp-root"), root("corp-root-2026"));
    let project = Project::built(&[("trust.jks", &jks(&[&corp]), 0o644)]);
    let text = project.text(&[("trust.jks", &jks(&[&next]), 0o644)]);
    let expected = format!(
        "\
update  trust.jks  (the spec or an input changed; asked for by tlsgen.yaml:3)
diff --git a/trust.jks b/trust.jks
--- a/trust.jks
+++ b/trust.jks
@@ -1 +1 @@
-corp-root-ca-bb771ec6: {CORP}
+corp-root-ca-c828ece5: {NEXT}

certificates:
  + {NEXT}
    into trust.jks
  - {CORP}
    out of trust.jks
plan: 0 to create, 1 to update, 0 to delete, 0 unchanged
"
    );
    assert_eq!(text, expected);
}

#[test]
fn texts_come_change_and_go() {
    let old = b"services:\n  web:\n    image: web:1\n".as_slice();
    let new = b"services:\n  web:\n    image: web:2\n".as_slice();
    let project = Project::built(&[
        ("compose.tls.yml", old, 0o644),
        ("gone/with space", b"a\nb", 0o755),
        ("start.sh", b"exec\n", 0o644),
        ("unchanged", b"", 0o644),
    ]);
    let text = project.text(&[
        ("compose.tls.yml", new, 0o644),
        ("new.txt", b"\tone\x1b[2J\n", 0o755),
        ("start.sh", b"exec\n", 0o755),
        ("unchanged", b"", 0o644),
    ]);
    let expected = "\
update  compose.tls.yml  (the spec or an input changed; asked for by tlsgen.yaml:3)
diff --git a/compose.tls.yml b/compose.tls.yml
--- a/compose.tls.yml
+++ b/compose.tls.yml
@@ -1,3 +1,3 @@
 services:
   web:
-    image: web:1
+    image: web:2

delete  gone/with space  (tlsgen.yaml no longer asks for it)
diff --git a/gone/with space b/gone/with space
deleted file mode 100755
--- a/gone/with space\t
+++ /dev/null
@@ -1,2 +0,0 @@
-a
-b
\\ No newline at end of file

create  new.txt  (new; asked for by tlsgen.yaml:3)
diff --git a/new.txt b/new.txt
new file mode 100755
--- /dev/null
+++ b/new.txt
@@ -0,0 +1 @@
+\tone\u{241b}[2J

chmod   start.sh  (the spec or an input changed: 0644 to 0755; asked for by tlsgen.yaml:3)
diff --git a/start.sh b/start.sh
old mode 100644
new mode 100755

plan: 1 to create, 2 to update, 1 to delete, 1 unchanged
";
    assert_eq!(text, expected);
}

#[test]
fn hand_edits_are_refused_with_their_difference() {
    let project = Project::built(&[("f", b"a\n", 0o644), ("gone", b"a\n", 0o644)]);
    for (path, text) in [("f", "hand\n"), ("gone", "hand\n"), ("mine's", "mine\n")] {
        let written = project.world.write(path, text.as_bytes(), 0o644);
        written.expect("written");
    }
    let files: &[(&str, &[u8], u32)] = &[("f", b"b\n", 0o644), ("mine's", b"b\n", 0o644)];
    let plan = project.plan(files);
    let view = project.view(Style::Plain);
    let expected = "\
refuse  f  (edited by hand since the last build; `tlsgen build --adopt f` takes it over; asked for by tlsgen.yaml:3)
diff --git a/f b/f
--- a/f
+++ b/f
@@ -1 +1 @@
-hand
+b

refuse  mine's  (not written by tlsgen; `tlsgen build --adopt 'mine'\\''s'` takes it over; asked for by tlsgen.yaml:3)
diff --git a/mine's b/mine's
--- a/mine's
+++ b/mine's
@@ -1 +1 @@
-mine
+b

refused: 2 files are in the way; nothing was written
";
    assert_eq!(report::refusal(&plan, &view), expected);
    let expected = "\
refuse  f  (edited by hand since the last build; `tlsgen build --adopt f` takes it over; asked for by tlsgen.yaml:3)
keep    gone  (tlsgen.yaml no longer asks for it, but it was edited by hand since the last build: it stays)
refuse  mine's  (not written by tlsgen; `tlsgen build --adopt 'mine'\\''s'` takes it over; asked for by tlsgen.yaml:3)
check: 0 to create, 0 to update, 0 to delete, 0 unchanged, 1 kept, 2 refused
";
    assert_eq!(report::check(&plan, &view, false), expected);
}

#[test]
fn nothing_to_do_is_said_once_or_not_at_all() {
    let files: &[(&str, &[u8], u32)] = &[("a", b"a\n", 0o644), ("b", b"b\n", 0o644)];
    let project = Project::built(files);
    let view = project.view(Style::Plain);
    let plan = project.plan(files);
    assert_eq!(report::check(&plan, &view, true), "");
    let nothing = "nothing to do: 2 files as they should be\n";
    assert_eq!(report::plan(&plan, &view), nothing);
    assert_eq!(report::build(&plan, &view), nothing);
}

#[test]
fn what_only_the_lock_lacks_is_recorded() {
    let project = Project::built(&[("gone", b"x", 0o644)]);
    project.world.remove("gone").expect("removed");
    project.world.write("a", b"a\n", 0o644).expect("written");
    let lock = Lock::load(&project.world).expect("a lock").write();
    let unpinned: String = lock
        .lines()
        .filter(|line| !line.starts_with("pin "))
        .map(|line| format!("{line}\n"))
        .collect();
    project
        .world
        .write(lock::PATH, unpinned.as_bytes(), 0o644)
        .expect("written");
    let text = project.text(&[("a", b"a\n", 0o644)]);
    let expected = "\
record  tlsgen.lock  (1 file is as wanted already; 1 file is gone already; pins `corp`: Corp Root CA, sha256 bb771ec657d813a719e622e655c57199f76bc0d61d5f1b81aa9af6a14a79619b)
plan: only tlsgen.lock to be written, 1 file as it should be
";
    assert_eq!(text, expected);
}

#[test]
fn a_build_fits_on_a_screen() {
    let names: Vec<String> = (0..30)
        .map(|number| format!("pki/{number:02}.pem"))
        .collect();
    let mut files: Vec<(&str, &[u8], u32)> = names
        .iter()
        .map(|name| (name.as_str(), b"x\n".as_slice(), 0o644))
        .collect();
    files.push(("compose.tls.yml", b"x\n", 0o644));
    let mut project = Project::built(&[]);
    project
        .notes
        .push("node adds to what the image trusts".to_owned());
    let expected = "\
created 1 file in the project root
created 30 files in pki/
note: node adds to what the image trusts
build: 31 created, 0 updated, 0 deleted, 0 unchanged
";
    assert_eq!(
        report::build(&project.plan(&files), &project.view(Style::Plain)),
        expected
    );
    let expected = "\
created compose.tls.yml  (new)
created pki/29.pem  (new)
note: node adds to what the image trusts
build: 2 created, 0 updated, 0 deleted, 0 unchanged
";
    assert_eq!(
        report::build(&project.plan(&files[29..]), &project.view(Style::Plain)),
        expected
    );
}

#[test]
fn long_differences_are_cut_and_counted() {
    let long: String = (0..1434).map(|number| format!("{number}\n")).collect();
    let names: Vec<String> = (10..24).map(|number| format!("{number}")).collect();
    let files: Vec<(&str, &[u8], u32)> = names
        .iter()
        .map(|name| (name.as_str(), long.as_bytes(), 0o644))
        .collect();
    let project = Project::built(&[]);
    let text = project.text(&files);
    assert!(
        text.contains("+199\n… 1,234 more lines; `tlsgen plan --full` shows them\n\ncreate  11")
    );
    assert!(text.contains("create  23  (new; asked for by tlsgen.yaml:3)\n… the differences of 4 more files; `tlsgen plan --full` shows them\n"), "{text}");
    let view = View {
        full: true,
        ..project.view(Style::Plain)
    };
    let text = report::plan(&project.plan(&files), &view);
    assert_eq!(text.matches("\n+1433\n").count(), 14);
}

#[test]
fn words_that_change_are_marked_on_a_terminal() {
    let project = Project::built(&[("f", b"image: web:1\nb\n", 0o644)]);
    let plan = project.plan(&[("f", b"image: web:2\nb\n", 0o644)]);
    let text = report::plan(&plan, &project.view(Style::Coloured));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "\u{1b}[33mupdate\u{1b}[0m  f  (the spec or an input changed; asked for by tlsgen.yaml:3)"
    );
    assert_eq!(
        lines[5],
        "\u{1b}[31m-\u{1b}[0m\u{1b}[31mimage: \u{1b}[0m\u{1b}[7m\u{1b}[31mweb:1\u{1b}[0m"
    );
    assert_eq!(
        lines[6],
        "\u{1b}[32m+\u{1b}[0m\u{1b}[32mimage: \u{1b}[0m\u{1b}[7m\u{1b}[32mweb:2\u{1b}[0m"
    );
    assert_eq!(lines[7], " b");
}

#[test]
fn what_reads_the_same_says_so() {
    let pem = fixture("corp-root.pem");
    let crlf = String::from_utf8(pem.clone())
        .expect("text")
        .replace("\nM", "\r\nM");
    let project = Project::built(&[("f", &pem, 0o644)]);
    let text = project.text(&[("f", crlf.as_bytes(), 0o644)]);
    assert!(
        text.contains("\n[reads the same, but the bytes differ: sha256 "),
        "{text}"
    );
    assert!(!text.contains("certificates:"));
}
