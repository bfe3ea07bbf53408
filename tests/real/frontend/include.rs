//! A configuration of the project's own: lines in its server block, or a file beside it, wherever
//! its files stand.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::scene::{Answer, Scene, Site};
use crate::support::succeed;

const SPEC: &str = r#"
hosts:
  tower: {names: [tower.lab.example], certificate: {chain: pki/tower.pem, key: pki/private/tower/tower.key}}
services:
  built: {server: nginx@1.22, serve_as: include, serves: [{host: tower, redirect_http: true, hsts: 1y}]}
  mounted: {server: nginx@1.22, serve_as: include, serves: [{host: tower}]}
  parts: {server: nginx@1.22, serve_as: include, serves: [{host: tower}]}
  part: {server: nginx@1.22, serve_as: include, serves: [{host: tower, upstream: "http://app:8080"}]}
  beside: {server: nginx@1.22, serves: [{host: tower, upstream: "http://app:8080"}]}
  folder: {server: nginx@1.22, serves: [{host: tower, upstream: "http://app:8080"}]}
targets:
  stack:
    kind: compose
    files: [compose.yml]
    output: compose.tls.yml
    services:
      built: {config: web/nginx.conf}
      mounted: {}
      parts: {}
      part: {config: conf.d/default.conf}
      beside: {}
      folder: {config: conf.d/other.conf}
"#;

const COMPOSE: &str = "  built: {build: ./web, depends_on: [app]}
  mounted:
    image: tlsgen-lab/nginx
    volumes: ['./web/nginx.conf:/etc/nginx/nginx.conf:ro', './web/html:/usr/share/nginx/html:ro']
  parts:
    image: tlsgen-lab/nginx
    volumes: ['./parts:/etc/nginx', './web/html:/usr/share/nginx/html']
  part:
    image: tlsgen-lab/nginx
    volumes: ['./conf.d:/etc/nginx/conf.d:ro']
  beside:
    image: tlsgen-lab/nginx
    volumes: ['./web/nginx.conf:/etc/nginx/nginx.conf']
  folder:
    image: tlsgen-lab/nginx
    volumes: ['./conf.d:/etc/nginx/conf.d']
";

const DOCKERFILE: &str = "FROM tlsgen-lab/nginx
COPY nginx.conf /etc/nginx/nginx.conf
COPY html /usr/share/nginx/html
";

/// A single-page application with an API behind it, as such frontends are built.
const APPLICATION_PAGE: &str = "worker_processes 2;

events {
    worker_connections 512;
}

http {
    upstream api {
        server app:8080;
    }

    server {
        listen 80;
        server_name  localhost;

        root /usr/share/nginx/html;
        index index.html;
        include /etc/nginx/mime.types;

        gzip on;
        gzip_types text/plain application/json;

        location ~ ^/api/(.*)$ {
            proxy_pass http://api/$1$is_args$args;
            proxy_set_header Host $host;
        }

        location / {
            try_files $uri $uri/ /index.html;
        }
    }
}
";

#[test]
fn a_configuration_of_ones_own_is_kept() {
    let Some(scene) = Scene::new() else { return };
    let (main, site) = apart(APPLICATION_PAGE);
    for (path, text) in [
        ("web/nginx.conf", APPLICATION_PAGE),
        ("web/Dockerfile", DOCKERFILE),
        ("web/html/index.html", "the page\n"),
        ("parts/nginx.conf", &main),
        ("parts/sites/10-site.conf", &site),
        ("parts/mime.types", "types { text/html html; }\n"),
        (
            "conf.d/default.conf",
            "server {\n    listen 80;\n    server_name _;\n}\n",
        ),
        ("conf.d/other.conf", "log_format short \"$status\";\n"),
    ] {
        scene.lab.project.write(path, text);
    }
    scene.certificate("lab", "tower", &["tower.lab.example"]);
    let services = ["built", "mounted", "parts", "part", "beside", "folder"];
    let published = services.map(|service| (service, &[443, 80][..]));
    scene.write(SPEC, COMPOSE, &published);
    let own = ["web", "parts", "conf.d"];
    let before = own.map(|directory| tree(&scene.lab.project.path(directory)));
    scene.build();
    scene.config_is_silent();
    succeed(&mut scene.lab.compose(&["compose.yml"], &["build", "--quiet"]));
    scene.up(&["app"]);
    scene.up(&services);

    for (service, redirects) in [("built", true), ("mounted", false), ("parts", false)] {
        the_page_is_served(&scene.site(service, 443, 80), redirects);
    }
    for service in ["part", "beside", "folder"] {
        let site = scene.site(service, 443, 80);
        let answer = site.until("https://tower.lab.example/x", 200);
        assert!(answer.said.contains("GET /x HTTP/1.1"), "{answer:?}");
    }
    for service in services {
        let said = scene.lab.logs(service);
        assert!(!said.contains("[warn]"), "{service}: {said}");
    }
    let after = own.map(|directory| tree(&scene.lab.project.path(directory)));
    assert_eq!(
        after, before,
        "nothing is made in the project's own directories"
    );
}

fn the_page_is_served(site: &Site<'_>, redirects: bool) {
    let page = |answer: &Answer| answer.said.contains("\nthe page\n");
    let answer = site.until("https://tower.lab.example/", 200);
    assert!(page(&answer) && answer.http == "2", "{answer:?}");
    let hsts = answer.header("Strict-Transport-Security");
    assert_eq!(hsts.len(), usize::from(redirects), "{answer:?}");
    let answer = site.until("https://tower.lab.example/api/runs?max=1", 200);
    assert!(
        answer.said.contains("GET /runs?max=1 HTTP/1.0"),
        "{answer:?}"
    );
    assert_eq!(answer.seen("host"), ["tower.lab.example"]);
    let plain = site.get("http://tower.lab.example/runs", &[]);
    match redirects {
        true => assert_eq!(plain.redirect, "https://tower.lab.example/runs"),
        false => assert!(page(&plain), "{plain:?}"),
    }
    assert_eq!(site.get("https://other.lab.example/", &[]).exit, Some(35));
}

/// The same configuration with its server block in a file of its own.
fn apart(text: &str) -> (String, String) {
    let from = text.find("    server {").unwrap();
    let until = text.rfind("}\n").unwrap();
    let main = format!(
        "{}    include sites/*.conf;\n{}",
        &text[..from],
        &text[until..]
    );
    (main, text[from..until].to_owned())
}

/// Every file and directory below one.
fn tree(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.display().to_string();
        if path.is_dir() {
            all.extend(tree(&path));
            all.insert(name, Vec::new());
        } else {
            all.insert(name, fs::read(path).unwrap());
        }
    }
    all
}
