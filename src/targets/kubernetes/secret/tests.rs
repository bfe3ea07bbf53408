use serde_json::{Value, json};

use super::*;
use crate::diagnostic::Diagnostics;
use crate::model::{Kubernetes, Model, TargetKind};
use crate::runtimes::TrustLists;
use crate::source::Sources;
use crate::targets::Inputs;
use crate::targets::kubernetes::component::Component;
use crate::targets::kubernetes::manifest::Manifests;
use crate::world::Memory;
use crate::{Asked as Compiling, compile};

/// 2026-11-22T00:00:00Z.
const TODAY: i64 = 1_795_305_600;
const AUTHORITIES: &str = "
version: 1
project: shop
authorities:
  lab: {kind: managed}
  inner: {kind: managed, issuer: lab, lifetime: 30d}
  cluster: {kind: cert-manager, issuer: {kind: ClusterIssuer, name: lab-ca}}
  cloud: {kind: cert-manager, issuer: {kind: AWSPCAClusterIssuer, name: pca, group: awspca.cert-manager.io}}
  letsencrypt: {kind: acme, directory: letsencrypt, agree_to_terms: true}
";

/// The model of a spec without files, and its only target that is a cluster.
pub fn with_cluster<T>(spec: &str, then: impl FnOnce(&mut Gathering<'_>) -> T) -> T {
    let mut world = Memory::with([("tlsgen.yaml", spec), ("app.yaml", "")]);
    world.now = TODAY;
    let (mut sources, mut found) = (Sources::default(), Diagnostics::default());
    let compiled = compile(
        &world,
        Compiling::fresh("tlsgen.yaml"),
        &mut sources,
        &mut found,
    );
    let model = compiled.unwrap_or_else(|_| panic!("{found:#?}")).model;
    let lists = TrustLists::new(&model, None);
    let inputs = Inputs {
        model: &model,
        lists: &lists,
        world: &world,
    };
    let manifests = Manifests::default();
    let mut gathering = Gathering {
        inputs: &inputs,
        cluster: cluster(&model),
        manifests: &manifests,
        component: Component::default(),
        lowered: crate::targets::Lowered::default(),
        found: Vec::new(),
    };
    then(&mut gathering)
}

fn cluster(model: &Model) -> &Kubernetes {
    let kinds = model.targets.iter().map(|target| &target.kind);
    let mut clusters = kinds.filter_map(|kind| match kind {
        TargetKind::Kubernetes(cluster) => Some(cluster),
        _ => None,
    });
    clusters.next().unwrap()
}

/// What comes of asking for the host `web`, which the spec has as `host`.
fn asked<T>(
    host: &str,
    target: &str,
    then: impl FnOnce(&mut Gathering<'_>, Result<TlsSecret, String>) -> T,
) -> T {
    let spec = format!(
        "{AUTHORITIES}hosts:\n  web: {{names: [web.lab.example, 10.20.0.5, WEB.lab.example], {host}}}\ntargets:\n  cluster: {{kind: kubernetes, files: [app.yaml], output: k8s/tls, {target}}}\n"
    );
    with_cluster(&spec, |gathering| {
        let model = gathering.inputs.model;
        let (id, host) = model.hosts().next().unwrap();
        let first = of(gathering, id, Some("prod"), host.place.key);
        let first = first.map_err(|error| format!("{}: {}", error.code.name, error.message));
        if first.is_ok() {
            // Whoever asks again gets the same, and nothing is made twice.
            let again = of(gathering, id, Some("prod"), host.place.value).unwrap();
            assert_eq!(Ok(again), first);
        }
        then(gathering, first)
    })
}

fn objects(gathering: &Gathering<'_>, file: &str) -> Vec<Value> {
    let objects = gathering.component.objects.get(file);
    objects
        .into_iter()
        .flatten()
        .map(|object| object.value.clone())
        .collect()
}

fn secret(name: &str, renewed_in_place: bool) -> Result<TlsSecret, String> {
    let name = name.to_owned();
    Ok(TlsSecret {
        name,
        renewed_in_place,
    })
}

#[test]
fn an_issuer_of_the_cluster_gets_a_certificate() {
    let host = "issuer: cluster, key: rsa-3072, lifetime: 30d, renew_before: 10d, usages: [client]";
    asked(host, "secrets_via: external-secrets", |gathering, made| {
        assert_eq!(made, secret("shop-web-tls", true));
        let certificate = json!({
            "apiVersion": "cert-manager.io/v1",
            "kind": "Certificate",
            "metadata": {"name": "shop-web-tls", "namespace": "prod"},
            "spec": {
                "secretName": "shop-web-tls",
                "dnsNames": ["web.lab.example"],
                "ipAddresses": ["10.20.0.5"],
                "duration": "720h0m0s",
                "renewBefore": "240h0m0s",
                "usages": ["digital signature", "key encipherment", "client auth"],
                "privateKey": {"algorithm": "RSA", "size": 3072, "encoding": "PKCS8", "rotationPolicy": "Always"},
                "issuerRef": {"name": "lab-ca", "kind": "ClusterIssuer", "group": "cert-manager.io"},
                "revisionHistoryLimit": 1,
            },
        });
        assert_eq!(objects(gathering, "certificates.yaml"), [certificate]);
        assert!(gathering.component.secrets.is_empty());
        assert_eq!(gathering.component.objects.len(), 1);
    });
}

#[test]
fn what_is_not_said_has_defaults_and_other_issuers_have_groups() {
    asked("issuer: cloud, key: ed25519", "", |gathering, made| {
        assert_eq!(made, secret("shop-web-tls", true));
        let certificates = objects(gathering, "certificates.yaml");
        let spec = &certificates[0]["spec"];
        assert_eq!(spec["duration"], "2160h0m0s");
        assert_eq!(spec["renewBeforePercentage"], 33);
        assert_eq!(spec["usages"], json!(["digital signature", "server auth"]));
        let key = json!({"algorithm": "Ed25519", "encoding": "PKCS8", "rotationPolicy": "Always"});
        assert_eq!(spec["privateKey"], key);
        let issuer = json!({"name": "pca", "kind": "AWSPCAClusterIssuer", "group": "awspca.cert-manager.io"});
        assert_eq!(spec["issuerRef"], issuer);
    });
}

#[test]
fn kustomize_makes_secrets_of_the_key_store() {
    asked("issuer: inner", "", |gathering, made| {
        assert_eq!(made, secret("shop-web-tls", false));
        let made = &gathering.component.secrets["shop-web-tls"];
        assert_eq!(made.key, "pki/private/hosts/web/key.pem");
        assert_eq!(made.namespace.as_deref(), Some("prod"));
        assert!(!made.fixed_name);
        // The leaf and the intermediate, without the root.
        let chain = String::from_utf8(made.chain.to_vec()).unwrap();
        assert_eq!(chain.matches("-----BEGIN CERTIFICATE-----").count(), 2);
        assert!(gathering.component.objects.is_empty());
    });
}

#[test]
fn an_authority_that_tlsgen_runs_signs_in_the_cluster() {
    let target = "secrets_via: cert-manager, authorities_via: generator";
    asked("issuer: inner", target, |gathering, made| {
        assert_eq!(made, secret("shop-web-tls", true));
        let issuer = json!({
            "apiVersion": "cert-manager.io/v1",
            "kind": "Issuer",
            "metadata": {"name": "shop-inner-ca", "namespace": "prod"},
            "spec": {"ca": {"secretName": "shop-inner-ca"}},
        });
        assert_eq!(objects(gathering, "issuers.yaml"), [issuer]);
        let certificates = objects(gathering, "certificates.yaml");
        let spec = &certificates[0]["spec"];
        // No longer than the authority itself.
        assert_eq!(spec["duration"], "720h0m0s");
        let reference =
            json!({"name": "shop-inner-ca", "kind": "Issuer", "group": "cert-manager.io"});
        assert_eq!(spec["issuerRef"], reference);
        let key = &gathering.component.secrets["shop-inner-ca"];
        assert_eq!(key.key, "pki/private/authorities/inner/key.pem");
        assert!(key.fixed_name);
        let model = gathering.inputs.model;
        let inner = model
            .authorities
            .iter()
            .find(|one| one.name == "inner")
            .unwrap();
        let certificates = inner.file.certificates.iter();
        let chain: Vec<_> = certificates.map(|one| one.certificate.clone()).collect();
        assert!(chain[0].issued_by(&chain[1]) && chain[1].self_signed());
        let text: String = chain.iter().map(|one| one.to_pem()).collect();
        assert_eq!(*key.chain, *text.as_bytes());
        assert!(gathering.found.is_empty());
        assert_eq!(gathering.lowered.notes.len(), 1);
        assert!(!gathering.component.secrets.contains_key("shop-web-tls"));
    });
    let target = "secrets_via: cert-manager, authorities_via: existing";
    asked("issuer: lab", target, |gathering, made| {
        assert_eq!(made, secret("shop-web-tls", true));
        assert!(gathering.component.secrets.is_empty());
        let codes: Vec<_> = gathering.found.iter().map(|one| one.code.name).collect();
        assert_eq!(codes, ["root-in-cluster"]);
    });
}

#[test]
fn a_store_outside_has_hosts_and_authorities() {
    let target = "secrets_via: cert-manager, authorities_via: external-secrets, external_secrets: {store: {kind: ClusterSecretStore, name: vault}, prefix: tls/shop/, refresh: 12h}";
    let entry = |secret: &str, key: &str| {
        json!({
            "apiVersion": "external-secrets.io/v1",
            "kind": "ExternalSecret",
            "metadata": {"name": secret, "namespace": "prod"},
            "spec": {
                "refreshInterval": "12h0m0s",
                "secretStoreRef": {"kind": "ClusterSecretStore", "name": "vault"},
                "target": {"name": secret, "template": {"type": "kubernetes.io/tls", "engineVersion": "v2"}},
                "data": [
                    {"secretKey": "tls.crt", "remoteRef": {"key": key, "property": "tls.crt"}},
                    {"secretKey": "tls.key", "remoteRef": {"key": key, "property": "tls.key"}},
                ],
            },
        })
    };
    asked("issuer: inner", target, |gathering, made| {
        assert_eq!(made, secret("shop-web-tls", true));
        let secrets = objects(gathering, "secrets.yaml");
        assert_eq!(secrets, [entry("shop-inner-ca", "tls/shop/inner-ca")]);
    });
    let target = target.replace("cert-manager", "external-secrets");
    asked("issuer: inner", &target, |gathering, made| {
        assert_eq!(made, secret("shop-web-tls", true));
        let secrets = objects(gathering, "secrets.yaml");
        assert_eq!(secrets, [entry("shop-web-tls", "tls/shop/web")]);
        assert_eq!(gathering.component.objects.len(), 1);
    });
}

#[test]
fn secrets_that_are_there_are_named() {
    let overridden = "existing_secrets: {web: web.old}";
    for issuer in ["issuer: letsencrypt", "issuer: cluster", "port: 443"] {
        asked(issuer, overridden, |gathering, made| {
            assert_eq!(made, secret("web.old", true));
            assert!(gathering.component.objects.is_empty());
        });
    }
    asked("port: 443", "secrets_via: existing", |gathering, made| {
        assert_eq!(made, secret("shop-web-tls", true));
        assert!(gathering.component.objects.is_empty());
    });
}

#[test]
fn what_cannot_come_there_is_told() {
    let told = |host: &str, target: &str| asked(host, target, |_, made| made.unwrap_err());
    let wrong = [
        ("issuer: letsencrypt", "", "acme-in-cluster: "),
        ("port: 443", "", "secret-without-key: "),
        (
            "port: 443",
            "secrets_via: cert-manager",
            "secret-without-key: ",
        ),
        (
            "issuer: lab",
            "secrets_via: external-secrets",
            "secret-store-missing: ",
        ),
        (
            "issuer: lab",
            "secrets_via: cert-manager",
            "authority-key-unclear: ",
        ),
        (
            "issuer: cluster, lifetime: 1h, renew_before: 8%",
            "",
            "renewal-too-late: ",
        ),
        (
            "issuer: lab",
            "secrets_via: cert-manager, authorities_via: external-secrets",
            "secret-store-missing: ",
        ),
    ];
    for (host, target, begins) in wrong {
        let said = told(host, target);
        assert!(said.starts_with(begins), "{host}, {target}: {said}");
    }
    asked("issuer: lab", "", |gathering, _| {
        let model = gathering.inputs.model;
        let (id, host) = model.hosts().next().unwrap();
        for namespace in [None, Some("other")] {
            let error = of(gathering, id, namespace, host.place.value).unwrap_err();
            assert_eq!(error.code.name, "secret-in-two-namespaces");
        }
    });
}
