//! Every way in which a certificate comes into a cluster, and everything that asks for one: kustomize
//! builds it, the published models accept it, and whoever names a Secret finds it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::cluster::{Custom, Judges};
use super::kept::added;
use super::resources::{decoded, find, list, pod};
use super::support::project::Project;
use super::support::{leaf, root};
use super::{FILES, for_all, joined, support_root};

/// A way: its name, what the spec says of the host, what the target says, the kind that brings the
/// Secret, and whether that is among the files.
struct Way {
    name: &'static str,
    host: &'static str,
    target: &'static str,
    made_by: Option<&'static str>,
}

const WAYS: &[Way] = &[
    Way {
        name: "by hand, kustomize",
        host: "certificate: {chain: pki/shop.pem, key: pki/private/shop.key}",
        target: "",
        made_by: Some("Secret"),
    },
    Way {
        name: "managed, kustomize",
        host: "issuer: own",
        target: "",
        made_by: Some("Secret"),
    },
    Way {
        name: "managed, External Secrets",
        host: "issuer: own",
        target: "secrets_via: external-secrets\n    external_secrets: {store: {name: vault}, prefix: tls/}",
        made_by: Some("ExternalSecret"),
    },
    Way {
        name: "by hand, External Secrets of the cluster",
        host: "certificate: {chain: pki/shop.pem, key: pki/private/shop.key}",
        target: "secrets_via: external-secrets\n    external_secrets: {store: {kind: ClusterSecretStore, name: vault}, refresh: 2h}",
        made_by: Some("ExternalSecret"),
    },
    Way {
        name: "there already",
        host: "certificate: {chain: pki/shop.pem, key: pki/private/shop.key}",
        target: "secrets_via: existing",
        made_by: None,
    },
    Way {
        name: "there already, by its name",
        host: "issuer: own",
        target: "existing_secrets: {shop: somebody-elses}",
        made_by: None,
    },
    Way {
        name: "cert-manager",
        host: "issuer: cluster",
        target: "",
        made_by: Some("Certificate"),
    },
    Way {
        name: "cert-manager, everything said",
        host: "issuer: cluster\n    key: ecdsa-p384\n    lifetime: 60d\n    renew_before: 20d",
        target: "",
        made_by: Some("Certificate"),
    },
    Way {
        name: "cert-manager, RSA and a share",
        host: "issuer: cluster\n    key: rsa-3072\n    lifetime: 60d\n    renew_before: 33%",
        target: "",
        made_by: Some("Certificate"),
    },
    Way {
        name: "an external issuer",
        host: "issuer: aws",
        target: "",
        made_by: Some("Certificate"),
    },
    Way {
        name: "managed, issued in the cluster",
        host: "issuer: own",
        target: "secrets_via: cert-manager\n    authorities_via: generator",
        made_by: Some("Certificate"),
    },
    Way {
        name: "managed, issued in the cluster with a key from a vault",
        host: "issuer: own",
        target: "secrets_via: cert-manager\n    authorities_via: external-secrets\n    external_secrets: {store: {name: vault}}",
        made_by: Some("Certificate"),
    },
    Way {
        name: "managed, issued in the cluster with a key that is there",
        host: "issuer: own",
        target: "secrets_via: cert-manager\n    authorities_via: existing",
        made_by: Some("Certificate"),
    },
];

/// Who asks for the certificate, what the spec says of that, and what the target.
type Asker = (&'static str, &'static str, &'static str);

const ASKERS: &[Asker] = &[
    (
        "an Ingress",
        "",
        "entrances: {shop: {ingress: traefik, service: web, port: 8080, redirect_http: true, hsts: 1y}}\n    services: {}",
    ),
    (
        "an Ingress that says little",
        "",
        "entrances: {shop: {ingress: nginx, service: web, port: 8080, path: /shop}}\n    services: {}",
    ),
    (
        "a Gateway",
        "",
        "entrances: {shop: {gateway: {class: istio}, service: web, port: 8080, redirect_http: true}}\n    services: {}",
    ),
    (
        "a server of its own",
        "server: nginx@1.28\n    serves: [{host: shop, upstream: 'http://127.0.0.1:8080', redirect_http: true}]",
        "services: {web: {ports: {443: 8443, 80: 8081}, service: web}}",
    ),
    (
        "an application",
        "runtime: python\n    user: 10001\n    server: app\n    serves: [{host: shop, certificate_env: CERTIFICATE, key_env: KEY}]\n    reload: {signal: SIGHUP}",
        "services: {web: {}}",
    ),
];

#[test]
fn every_certificate_is_found_by_who_names_it() {
    let Some(judges) = Judges::find() else { return };
    let all: Vec<(&Way, &Asker)> = WAYS
        .iter()
        .enumerate()
        .flat_map(|(number, way)| {
            // Every way at an Ingress; the other askers take turns.
            let turn = 1 + number % (ASKERS.len() - 1);
            [(way, &ASKERS[0]), (way, &ASKERS[turn])]
        })
        .collect();
    let done = for_all(&all, |(way, asker)| {
        let done = std::panic::catch_unwind(|| asked(&judges, way, asker));
        done.map_err(|_| format!("{}, for {}", way.name, asker.0))
    });
    let (mut failed, mut custom) = (Vec::new(), Vec::new());
    for one in done {
        match one {
            Ok(resources) => custom.extend(resources),
            Err(name) => failed.push(name),
        }
    }
    // All at once: half of the time is the compiler's start.
    failed.extend(judges.custom(&custom));
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Builds what one way and one asker come to; answers the custom resources.
fn asked(judges: &Judges, way: &Way, (_, service, target): &Asker) -> Vec<Value> {
    let project = project(way, service, target);
    project.build();
    let (base, built) = joined(judges, &project, FILES, Custom::Ignored);
    nothing_is_secret(&project.path("k8s"));
    found(way, &base, &built, &project);
    let custom = added(&base, &built).into_iter().filter(|one| {
        let group = one["apiVersion"]
            .as_str()
            .unwrap()
            .split('/')
            .next()
            .unwrap();
        group.contains('.') && !group.ends_with(".k8s.io") || group.starts_with("gateway.")
    });
    custom.cloned().collect()
}

fn project(way: &Way, service: &str, target: &str) -> Project {
    let project = Project::new();
    let pki = project.path("pki");
    root(&pki, "hand", "By Hand");
    leaf(&pki, "hand", "shop", &["shop.lab.example"]);
    fs::create_dir_all(pki.join("private")).unwrap();
    fs::rename(pki.join("shop.key"), pki.join("private/shop.key")).unwrap();
    let chain = ["shop.pem", "hand.pem"].map(|name| fs::read_to_string(pki.join(name)).unwrap());
    fs::write(pki.join("shop.pem"), &chain[0]).unwrap();
    project.write("pki/corp.pem", support_root("corp"));
    project.write("k8s/app.yml", MANIFESTS);
    let services = match service {
        "" => "services: {}\n".to_owned(),
        said => format!("services:\n  web:\n    {said}\n"),
    };
    let way_says = match way.target {
        "" => String::new(),
        said => format!("    {said}\n"),
    };
    let issuers = [
        ("own", "{kind: managed}"),
        (
            "cluster",
            "{kind: cert-manager, issuer: {kind: ClusterIssuer, name: lab-ca}, root: pki/corp.pem}",
        ),
        (
            "aws",
            "{kind: cert-manager, issuer: {kind: AWSPCAIssuer, name: lab, group: awspca.cert-manager.io}, root: pki/corp.pem}",
        ),
    ];
    let authorities: String = issuers
        .iter()
        .filter(|(name, _)| way.host.contains(&format!("issuer: {name}")))
        .map(|(name, said)| format!("  {name}: {said}\n"))
        .collect();
    let authorities = match authorities.as_str() {
        "" => String::new(),
        all => format!("authorities:\n{all}"),
    };
    project.write(
        "tlsgen.yaml",
        format!(
            "version: 1\nproject: lab\n{authorities}hosts:\n  shop:\n    names: [shop.lab.example]\n    {}\n{services}\
             targets:\n  cluster:\n    kind: kubernetes\n    namespace: shop\n    files: [k8s/app.yml]\n    output: k8s/tls\n{way_says}    {target}\n",
            way.host
        ),
    );
    project
}

const MANIFESTS: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      securityContext: {runAsNonRoot: true, runAsUser: 101}
      containers:
        - name: web
          image: nginx:1.28
          ports: [{name: http, containerPort: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 8080, targetPort: http}]}
";

/// No private key stands in what a repository keeps.
fn nothing_is_secret(directory: &Path) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            nothing_is_secret(&path);
        } else {
            let text = fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&text);
            assert!(!text.contains("PRIVATE KEY"), "{}", path.display());
        }
    }
}

/// Whoever names a Secret names one that something makes, with the certificate and its key.
fn found(way: &Way, base: &[Value], built: &[Value], project: &Project) {
    let asked = asked_for(built);
    assert!(!asked.is_empty(), "somebody asks");
    let made: BTreeSet<(String, String)> = built.iter().filter_map(maker).collect();
    for name in &asked {
        let by: Vec<&str> = made
            .iter()
            .filter(|(secret, _)| secret == name)
            .map(|(_, kind)| kind.as_str())
            .collect();
        assert_eq!(by, way.made_by.into_iter().collect::<Vec<_>>(), "{name}");
        if way.made_by == Some("Secret") {
            let data = &find(built, "Secret", name)["data"];
            let [chain, key] =
                ["tls.crt", "tls.key"].map(|key| decoded(data[key].as_str().unwrap()));
            assert!(
                chain.starts_with(b"-----BEGIN CERTIFICATE") || chain.starts_with(b"#"),
                "{}",
                String::from_utf8_lossy(&chain)
            );
            let keys = ["pki/private/shop.key", "pki/private/hosts/shop/key.pem"];
            assert!(
                keys.iter()
                    .any(|path| fs::read(project.path(path)).is_ok_and(|body| body == key)),
                "the key is the one that was made"
            );
        }
    }
    // What an issuer signs with is somewhere as well.
    for issuer in built.iter().filter(|one| one["kind"] == "Issuer") {
        let secret = issuer["spec"]["ca"]["secretName"].as_str().unwrap();
        let there = made.iter().any(|(name, _)| name == secret);
        assert_eq!(
            there,
            !way.target.contains("authorities_via: existing"),
            "{secret}"
        );
    }
    for certificate in built.iter().filter(|one| one["kind"] == "Certificate") {
        let issuer = &certificate["spec"]["issuerRef"];
        if issuer["kind"] == "Issuer" {
            find(built, "Issuer", issuer["name"].as_str().unwrap());
        }
        assert_eq!(
            certificate["spec"]["privateKey"]["rotationPolicy"],
            "Always"
        );
    }
    assert!(!added(base, built).is_empty());
}

/// The Secrets that Ingresses, Gateways and pods name; what they mount is read by who runs there.
fn asked_for(built: &[Value]) -> BTreeSet<String> {
    let mut asked = BTreeSet::new();
    let mut ask = |name: &Value| {
        asked.extend(name.as_str().map(str::to_owned));
    };
    for one in built {
        for tls in list(&one["spec"]["tls"]) {
            ask(&tls["secretName"]);
        }
        for listener in list(&one["spec"]["listeners"]) {
            for reference in list(&listener["tls"]["certificateRefs"]) {
                ask(&reference["name"]);
            }
        }
        let Some(pod) = pod(one) else { continue };
        for volume in list(&pod["volumes"]) {
            ask(&volume["secret"]["secretName"]);
            for source in list(&volume["projected"]["sources"]) {
                ask(&source["secret"]["name"]);
            }
        }
    }
    asked
}

/// The Secret that a resource is or brings, and its kind.
fn maker(one: &Value) -> Option<(String, String)> {
    let kind = one["kind"].as_str()?;
    let name = match kind {
        "Secret" => &one["metadata"]["name"],
        "Certificate" => &one["spec"]["secretName"],
        "ExternalSecret" => one["spec"]["target"]
            .get("name")
            .unwrap_or(&one["metadata"]["name"]),
        _ => return None,
    };
    Some((name.as_str()?.to_owned(), kind.to_owned()))
}
