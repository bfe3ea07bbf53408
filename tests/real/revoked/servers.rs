//! Servers that verify clients with the files that tlsgen wrote, each on a port of its own.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::project::{Project, Who};
use crate::support::nginx::Nginx;
use crate::support::{port, text};

/// A server that runs until it is dropped.
pub struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        // nginx and Apache have children, which end with the first process only if it is asked to end.
        let id = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        let _ = self.child.wait();
    }
}

/// Whether a server answers a client.
pub fn accepts(project: &Project, server: &Server, who: Who) -> bool {
    let mut curl = Command::new("curl");
    curl.args([
        "-s",
        "--fail",
        "--max-time",
        "10",
        "--noproxy",
        "*",
        "--cacert",
    ]);
    curl.arg(project.file("pki/authorities/root.pem"));
    let [chain, key] = project.client(who);
    if !matches!(who, Who::Nobody) {
        curl.arg("--cert").arg(chain).arg("--key").arg(key);
    }
    let port = server.port;
    let output = curl.arg(format!("https://localhost:{port}/ok")).output();
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    assert_eq!(output.status.success(), said == "ok", "{output:?}");
    output.status.success()
}

fn started(mut command: Command, port: u16, log: &Path) -> Server {
    let log_file = fs::File::create(log).unwrap();
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = command.stderr(log_file).spawn().unwrap();
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        let ended = child.try_wait().unwrap();
        assert!(
            ended.is_none() && begun.elapsed() < Duration::from_secs(20),
            "{command:?}: {}",
            fs::read_to_string(log).unwrap()
        );
        thread::sleep(Duration::from_millis(50));
    }
    Server { child, port }
}

/// nginx has a directory of its own as its `/etc/nginx`.
pub fn nginx(nginx: &Nginx, project: &Project) -> Server {
    let own = project.file("nginx");
    fs::create_dir_all(&own).unwrap();
    for (from, to) in [
        (project.chain("shop"), "chain.pem"),
        (project.key("shop"), "key.pem"),
        (project.cas(), "client-cas.pem"),
        (project.lists(), "client-crls.pem"),
    ] {
        fs::copy(from, own.join(to)).unwrap();
    }
    let port = port::free();
    let configuration = format!(
        "daemon off; pid /etc/nginx/pid; error_log stderr warn; worker_processes 1; events {{}}\n\
         http {{ access_log off; server {{ listen 127.0.0.1:{port} ssl; ssl_certificate chain.pem; ssl_certificate_key key.pem;\n\
         ssl_client_certificate client-cas.pem; ssl_verify_client on; ssl_verify_depth 3; ssl_crl client-crls.pem;\n\
         return 200 ok; }} }}\n"
    );
    fs::write(own.join("nginx.conf"), configuration).unwrap();
    let hosts = project.file("hosts");
    fs::write(&hosts, "127.0.0.1 localhost\n").unwrap();
    let mut command = nginx.command(&own, &hosts);
    command.args(["-c", "/etc/nginx/nginx.conf"]);
    started(command, port, &project.file("nginx.log"))
}

/// Debian's modules, and a document for who is let in.
pub fn apache(project: &Project) -> Server {
    const MODULES: &str = "/usr/lib/apache2/modules";
    let (root, port) = (text(project.root()), port::free());
    fs::create_dir_all(project.file("www")).unwrap();
    fs::write(project.file("www/ok"), "ok\n").unwrap();
    let modules = ["mpm_event", "authz_core", "unixd", "ssl"];
    let built_in = |name: &str| !Path::new(&format!("{MODULES}/mod_{name}.so")).exists();
    let modules: String = modules
        .into_iter()
        .filter(|name| !built_in(name))
        .map(|name| format!("LoadModule {name}_module {MODULES}/mod_{name}.so\n"))
        .collect();
    let (chain, key) = (project.chain("shop"), project.key("shop"));
    let (cas, lists) = (project.cas(), project.lists());
    let configuration = format!(
        "{modules}ServerRoot {root}\nPidFile {root}/apache.pid\nErrorLog {root}/error.log\nServerName localhost\n\
         DefaultRuntimeDir {root}\nUser www-data\nGroup www-data\nListen 127.0.0.1:{port}\nDocumentRoot {root}/www\n\
         SSLEngine on\nSSLCertificateFile {}\nSSLCertificateKeyFile {}\nSSLCACertificateFile {}\n\
         SSLVerifyClient require\nSSLVerifyDepth 3\nSSLCARevocationFile {}\nSSLCARevocationCheck chain\n",
        text(&chain),
        text(&key),
        text(&cas),
        text(&lists)
    );
    let file = project.file("apache.conf");
    fs::write(&file, configuration).unwrap();
    let mut command = Command::new("apache2");
    command.arg("-f").arg(&file).args(["-D", "FOREGROUND"]);
    started(command, port, &project.file("apache.log"))
}

/// It wants chain and key in one file.
pub fn haproxy(project: &Project) -> Server {
    let port = port::free();
    let together = project.file("server.pem");
    let read = |path| fs::read_to_string(path).unwrap();
    fs::write(
        &together,
        read(project.chain("shop")) + &read(project.key("shop")),
    )
    .unwrap();
    let configuration = format!(
        "defaults\n    mode http\n    timeout client 5s\n    timeout server 5s\n    timeout connect 5s\n\
         frontend tls\n    bind 127.0.0.1:{port} ssl crt {} ca-file {} verify required crl-file {}\n    \
         http-request return status 200 content-type text/plain string ok\n",
        text(&together),
        text(&project.cas()),
        text(&project.lists())
    );
    let file = project.file("haproxy.cfg");
    fs::write(&file, configuration).unwrap();
    let mut command = Command::new("haproxy");
    command.arg("-db").arg("-f").arg(&file);
    started(command, port, &project.file("haproxy.log"))
}
