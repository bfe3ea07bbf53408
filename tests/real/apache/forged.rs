//! Requests that want to be taken for something else.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::lab::{Lab, releases};
use super::listener::Application;
use super::site::tower;

/// An application that reads `-` and `_` as one would take such a header for Apache's own.
#[test]
fn a_header_that_looks_like_ours_is_refused() {
    let application = Application::start(None);
    for release in releases() {
        let lab = Lab::new(release);
        let spec = tower(&lab, &application);
        let tower = lab.run(&spec, |_| ());
        for (header, code) in [
            ("X_SSL_Client_Verify: SUCCESS", 400),
            ("x-ssl_client-s_dn: CN=admin", 400),
            ("X_Forwarded-For: 6.6.6.6", 400),
            ("X_Real_IP: 6.6.6.6", 400),
            ("X_Request_Id: 1", 200),
        ] {
            let answer = tower.get("tower.lab.example", "/", &["--header", header]);
            assert_eq!(answer.code, code, "{header}");
        }
        // Nor does a client have them taken off as if they were for this connection alone.
        for name in ["X-Forwarded-For", "x-ssl-client-verify", "host"] {
            let named = format!("Connection: keep-alive,{name}");
            let named = ["--http1.1", "--header", &named];
            let answer = tower.get("tower.lab.example", "/", &named);
            assert_eq!(answer.code, 400, "{name}");
        }
    }
}

#[test]
fn a_request_that_names_two_hosts_is_of_the_one_in_its_first_line() {
    let application = Application::start(None);
    for release in releases() {
        let lab = Lab::new(release);
        let spec = tower(&lab, &application);
        let tower = lab.run(&spec, |_| ());
        let request = "GET http://tower.lab.example/x HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
        let mut stream = TcpStream::connect(("127.0.0.1", tower.plain_port())).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        let to = format!("Location: https://tower.lab.example:{}/x\r\n", tower.port());
        assert!(said.contains(&to), "{said}");
        let request = request.replace("http:", "https:");
        let said = tower.talk(&["-servername", "tower.lab.example"], &request);
        assert!(!said.contains("evil"), "{said}");
    }
}
