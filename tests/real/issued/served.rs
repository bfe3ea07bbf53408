//! Real servers that present, and verify, what was issued: nginx old and new, and OpenSSL's own.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::answers::{hold, of_program};
use super::cases::{CASES, Case};
use super::openssl::{ask, named};
use super::source;
use crate::support::nginx::Nginx;
use crate::support::{judge, text};

#[test]
fn nginx_presents_and_verifies() {
    let (Some(python), Some(both)) = (judge("python-3.13"), Nginx::find()) else {
        return;
    };
    for nginx in both {
        let directory = tempfile::tempdir().unwrap();
        fs::write(
            directory.path().join("nginx.conf"),
            configuration(directory.path()),
        )
        .unwrap();
        let mut started = nginx.start(directory.path(), "nginx.conf");
        let last = CASES.all.last().unwrap();
        wait(
            &mut started.0,
            &directory.path().join(format!("{}.sock", last.id)),
        );
        let mut client = Command::new(&python);
        client.arg(source("judge.py"));
        let answers = of_program(client.args(["--sockets", text(directory.path())]));
        hold(&format!("nginx of {}", nginx.suite), &answers, |_| false);
    }
}

/// A server on a socket for each case, with what it needs beside it.
fn configuration(directory: &Path) -> String {
    let copy = |from: &Path, name: String| {
        fs::copy(from, directory.join(&name)).unwrap();
        name
    };
    let server = |case: &Case| {
        let id = &case.id;
        let [peer_chain, peer_key, _] = &case.peer;
        let (chain, key, verifies) = match case.usage {
            "server" => (case.chain.as_path(), case.key.as_path(), String::new()),
            // By itself it follows a chain to its first intermediate only.
            _ => (
                Path::new(peer_chain),
                Path::new(peer_key),
                format!(
                    "ssl_verify_client on; ssl_verify_depth 3; ssl_client_certificate {};",
                    copy(&case.anchors, format!("{id}.anchors"))
                ),
            ),
        };
        format!(
            "server {{ listen unix:/etc/nginx/{id}.sock ssl; ssl_certificate {}; ssl_certificate_key {}; {verifies}\n\
             error_page 495 496 =200 /; return 200 $ssl_client_verify; }}\n",
            copy(chain, format!("{id}.pem")),
            copy(key, format!("{id}.key")),
        )
    };
    let servers: String = CASES.all.iter().map(server).collect();
    format!(
        "daemon off; pid /etc/nginx/pid; error_log stderr crit; worker_processes 1; events {{}}\n\
         http {{ access_log off; default_type text/plain; keepalive_timeout 0;\n{servers}}}\n"
    )
}

#[test]
fn openssl_presents_and_verifies() {
    let Some(client) = judge("openssl-sid") else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let answers = ask(|case| {
        let at = CASES.all.iter().position(|one| one.id == case.id).unwrap();
        // A short name: s_server cuts long ones off.
        let socket = at.to_string();
        let mut shell = Command::new("sh");
        shell.current_dir(directory.path());
        let (presents, verifies) = (identity(&case.chain, &case.key), trust(case));
        let [peer_chain, peer_key, _] = &case.peer;
        let peer = identity(Path::new(peer_chain), Path::new(peer_key));
        // Whoever verifies says how it ended: a client of TLS 1.3 is done before it is refused.
        let (server, client_options, asked) = match case.usage {
            "server" => (
                presents,
                format!(
                    "{verifies} {} {} -servername any.lab.example",
                    named(&case.name),
                    case.name
                ),
                "client",
            ),
            _ => (format!("{peer} -Verify 5 {verifies}"), presents, "server"),
        };
        shell.args([
            "-c",
            SHAKE_HANDS,
            "sh",
            &socket,
            text(&client),
            asked,
            &server,
            &client_options,
        ]);
        shell
    });
    hold("s_server and s_client", &answers, |_| false);
}

/// SOCKET CLIENT ASKED SERVER-OPTIONS CLIENT-OPTIONS
const SHAKE_HANDS: &str = r#"
socket=$1 client=$2 asked=$3
timeout 20 openssl s_server -unix "$socket" -naccept 1 -quiet $4 >"$socket.server" 2>&1 </dev/null &
until [ -S "$socket" ]; do kill -0 $! || { cat "$socket.server"; exit 1; }; sleep 0.02; done
echo | timeout 20 "$client" s_client -unix "$socket" $5 >"$socket.client" 2>&1
code=$?
wait
cat "$socket.$asked"
case $asked in
client) exit $code ;;
server) ! grep -q 'verify error' "$socket.server" && grep -q 'verify return:1' "$socket.server" ;;
esac
"#;

fn identity(chain: &Path, key: &Path) -> String {
    format!("-cert {0} -cert_chain {0} -key {1}", text(chain), text(key))
}

fn trust(case: &Case) -> String {
    format!(
        "-verify_return_error -x509_strict -no-CApath -no-CAstore -CAfile {}",
        text(&case.anchors)
    )
}

/// A server that ends with the test.
pub struct Started(pub Child);

impl Drop for Started {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

fn wait(server: &mut Child, socket: &Path) {
    let until = Instant::now() + Duration::from_secs(20);
    while !socket.exists() {
        assert!(server.try_wait().unwrap().is_none(), "the server has ended");
        assert!(Instant::now() < until, "the server does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Nginx {
    /// Starts it in the foreground on a configuration in `directory`, which is its `/etc/nginx`.
    fn start(&self, directory: &Path, main: &str) -> Started {
        let hosts = directory.join(".hosts");
        fs::write(&hosts, "127.0.0.1 localhost\n").unwrap();
        let mut nginx = self.command(directory, &hosts);
        let child = nginx
            .args(["-c", &format!("/etc/nginx/{main}")])
            .stdin(Stdio::null())
            .spawn();
        Started(child.unwrap())
    }
}
