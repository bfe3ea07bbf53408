//! `examples/private-ca` set up anew: certificates are issued, two services show them to each other,
//! and what is renewed is served after the commands that `renew` names.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic and touch the disk"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use support::lab::Lab;
use support::project::Project;
use support::{checkout, succeed, utf8};

/// What only the test adds: the lab's nginx, which is of another release, on a port that is free.
const BESIDE: &str = "services:
  front:
    image: tlsgen-lab/nginx
    ports: !override ['127.0.0.1::443']
  app: {stop_signal: SIGKILL}
  billing: {stop_signal: SIGKILL}
";
const FILES: [&str; 3] = ["docker-compose.yml", "compose.tls.yml", "beside.yml"];
const SHOP: &str = "https://shop.lab.example/";
const ORDERS: &str = "https://orders.lab.example/";
const BILLING: &str = "import sys; sys.path.append('/app'); import billing; print(billing.ask())";
/// Certificates live for 90 days and are renewed 30 days before their end.
const DUE_BY_NOW: time::Duration = time::Duration::days(70);

struct Shop {
    lab: Lab,
}

#[test]
fn two_services_show_each_other_certificates_of_the_same_ca() {
    let Some(shop) = Shop::new() else { return };
    let root = shop.lab.project.path("pki/authorities/ca.pem");
    only_its_owner_reads(&shop.lab.project.path("pki/private/authorities/ca/key.pem"));
    shop.up();
    shop.until_served();

    let welcome = shop.lab.exec("billing", &["python", "-c", BILLING]);
    assert!(
        utf8(&welcome.stdout).starts_with("hello, ")
            && utf8(&welcome.stdout).contains("CN=billing.lab.example"),
        "{welcome:?}\n{}",
        shop.lab.logs("front")
    );
    let refused = shop.get(ORDERS, &root, None);
    assert!(
        refused.contains("400 ") && refused.contains("No required SSL certificate"),
        "{refused}"
    );
    assert!(shop.get(SHOP, &root, None).contains("hello, a visitor"));
    another_ca_of_the_same_name_is_none(&shop, &root);
    what_is_renewed_is_served(&shop);
}

/// The example built once more elsewhere: every name is the same, and every key another.
fn another_ca_of_the_same_name_is_none(shop: &Shop, root: &Path) {
    let other = example();
    build(&other, &[]);
    let refused = shop.get(SHOP, &other.path("pki/authorities/ca.pem"), None);
    assert!(refused.contains("curl: (60)"), "{refused}");
    let refused = shop.get(ORDERS, root, Some(&other));
    assert!(
        refused.contains("400 ") && refused.contains("SSL certificate error"),
        "{refused}"
    );
    let welcome = shop.get(ORDERS, root, Some(&shop.lab.project));
    assert!(welcome.contains("CN=billing.lab.example"), "{welcome}");
}

fn what_is_renewed_is_served(shop: &Shop) {
    let project = &shop.lab.project;
    let root = project.path("pki/authorities/ca.pem");
    let read = |path: &str| fs::read_to_string(project.path(path)).unwrap();
    let before = ["shop", "orders", "billing"].map(|host| read(&format!("pki/hosts/{host}.pem")));
    let authorities = ["ca", "issuing"].map(|name| read(&format!("pki/authorities/{name}.pem")));
    assert!(before[1].starts_with(&shop.presented("orders.lab.example")));

    let renewed = succeed(&mut tlsgen(project, &["renew"]));
    let said = utf8(&renewed.stdout);
    let after = ["shop", "orders", "billing"].map(|host| read(&format!("pki/hosts/{host}.pem")));
    assert!(
        before
            .iter()
            .zip(&after)
            .all(|(before, after)| before != after)
    );
    assert_eq!(
        ["ca", "issuing"].map(|name| read(&format!("pki/authorities/{name}.pem"))),
        authorities,
        "nothing else is due"
    );
    assert!(
        before[1].starts_with(&shop.presented("orders.lab.example")),
        "nobody was told yet"
    );
    for service in ["front", "billing"] {
        succeed(&mut shop.lab.shell(&command(&said, service)));
    }
    let deadline = Instant::now() + Duration::from_secs(20);
    while !after[1].starts_with(&shop.presented("orders.lab.example")) {
        assert!(Instant::now() < deadline, "{}", shop.lab.logs("front"));
        thread::sleep(Duration::from_millis(100));
    }
    let welcome = shop.lab.exec("billing", &["python", "-c", BILLING]);
    assert!(
        utf8(&welcome.stdout).contains("CN=billing.lab.example"),
        "{welcome:?}"
    );
    assert!(shop.get(SHOP, &root, None).contains("hello, a visitor"));

    let again = succeed(&mut tlsgen(project, &["renew"]));
    assert_eq!(
        utf8(&again.stdout) + &utf8(&again.stderr),
        "",
        "nothing is due any more"
    );
}

/// Whom `renew` names to be told, and how.
fn command(said: &str, service: &str) -> String {
    let mut lines = said
        .lines()
        .filter(|line| line.contains(&format!("  {service}  ")));
    let command = lines.next().and_then(|line| line.split('`').nth(1));
    command.unwrap_or_else(|| panic!("{said}")).to_owned()
}

fn only_its_owner_reads(key: &Path) {
    use std::os::unix::fs::MetadataExt as _;
    let found = fs::metadata(key).unwrap();
    assert_eq!((found.uid(), found.mode() & 0o7777), (0, 0o600));
}

/// What is committed of the example, and nothing that `build` wrote; for the release of nginx that
/// the lab has.
fn example() -> Project {
    let project = Project::new();
    copy_example(&project);
    project
}

fn copy_example(project: &Project) {
    let from = checkout().join("examples/private-ca");
    let read = |path: &str| fs::read_to_string(from.join(path)).unwrap();
    let spec = read("tlsgen.yaml").replace("nginx@1.28", "nginx@1.22");
    project.write("tlsgen.yaml", spec);
    let base = read("docker-compose.yml").replace("library/nginx:1.28", "library/nginx:1.22");
    project.write("docker-compose.yml", base);
    for program in ["app/shop.py", "app/billing.py"] {
        project.write(program, read(program));
    }
}

fn tlsgen(project: &Project, arguments: &[&str]) -> Command {
    let mut tlsgen = Command::new(env!("CARGO_BIN_EXE_tlsgen"));
    tlsgen.args(arguments).current_dir(project.path(""));
    tlsgen
}

fn build(project: &Project, options: &[&str]) {
    succeed(&mut tlsgen(project, &[options, &["build"]].concat()));
}

impl Shop {
    /// The example as it was built 70 days ago; without the lab the test is skipped.
    fn new() -> Option<Self> {
        let lab = Lab::with_nginx_and_stand_ins()?;
        copy_example(&lab.project);
        lab.project.write("beside.yml", BESIDE);
        let then = (time::OffsetDateTime::now_utc() - DUE_BY_NOW).date();
        build(&lab.project, &["--as-of", &then.to_string()]);
        Some(Self { lab })
    }

    fn up(&self) {
        let up = ["up", "--detach", "--timeout", "1"];
        let output = succeed(&mut self.lab.compose(&FILES, &up));
        assert_eq!(utf8(&output.stderr), "");
    }

    fn until_served(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        let root = self.lab.project.path("pki/authorities/ca.pem");
        while !self.get(SHOP, &root, None).contains("hello") {
            assert!(
                Instant::now() < deadline,
                "{}\n{}",
                self.get(SHOP, &root, None),
                self.lab.logs("front")
            );
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn port(&self) -> String {
        let state = self.lab.inspect("front");
        let port = &state["NetworkSettings"]["Ports"]["443/tcp"][0]["HostPort"];
        let port = port.as_str();
        port.unwrap_or_else(|| panic!("{state:#}\n{}", self.lab.logs("front")))
            .to_owned()
    }

    /// Asks from outside; as `billing` of a project, if one is given.
    fn get(&self, url: &str, root: &Path, identity: Option<&Project>) -> String {
        let mut curl = Command::new("curl");
        curl.args([
            "-q",
            "--silent",
            "--show-error",
            "--noproxy",
            "*",
            "--include",
            "--max-time",
            "20",
        ])
        .args(["--connect-to", &format!(":443:127.0.0.1:{}", self.port())])
        .arg("--cacert")
        .arg(root);
        if let Some(project) = identity {
            let key: PathBuf = project.path("pki/private/hosts/billing/key.pem");
            curl.arg("--cert")
                .arg(project.path("pki/hosts/billing.pem"));
            curl.arg("--key").arg(key);
        }
        let output = curl.arg(url).output().unwrap();
        utf8(&output.stdout) + &utf8(&output.stderr)
    }

    /// The certificate that a name is presented.
    fn presented(&self, name: &str) -> String {
        let mut client = Command::new("openssl");
        client
            .args([
                "s_client",
                "-connect",
                &format!("127.0.0.1:{}", self.port()),
                "-servername",
                name,
            ])
            .stdin(Stdio::null());
        let said = utf8(&client.output().unwrap().stdout);
        let from = said.find("-----BEGIN CERTIFICATE-----");
        let from = from.unwrap_or_else(|| panic!("{said}"));
        let until = said.find("-----END CERTIFICATE-----").unwrap();
        format!("{}-----END CERTIFICATE-----\n", &said[from..until])
    }
}
