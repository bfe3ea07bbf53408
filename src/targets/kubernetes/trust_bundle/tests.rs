use serde_json::json;

use super::*;
use crate::targets::kubernetes::secret::tests::with_cluster;

const ALL: [&str; 4] = [BUNDLE, PRIVATE_ROOTS, "truststore.jks", "prepare.sh"];

/// What comes of these files of a list of one private root, for a target.
fn asked<T>(
    target: &str,
    files: &[&str],
    namespace: Option<&str>,
    then: impl FnOnce(&Gathering<'_>, Result<Projected, Box<Diagnostic>>, &str) -> T,
) -> T {
    let spec = format!(
        "version: 1\nproject: shop\nauthorities:\n  lab: {{kind: managed}}\nservices:\n  web: {{runtime: curl, trust: [lab]}}\ntargets:\n  cluster: {{kind: kubernetes, files: [app.yaml], output: k8s/tls, {target}}}\n"
    );
    with_cluster(&spec, |gathering| {
        let trust = gathering.inputs.model.services[0].trust.clone().unwrap();
        let anchors = gathering.inputs.lists.get(&trust).unwrap();
        let wanted = Wanted {
            list: "lab",
            anchors,
            files,
            namespace,
            asked_at: gathering.cluster.output_span,
        };
        let made = projected(gathering, wanted);
        if let Ok(made) = &made {
            // The same list for another pod is the same.
            assert_eq!(projected(gathering, wanted).as_ref().ok(), Some(made));
        }
        then(gathering, made, &private(anchors))
    })
}

fn objects(gathering: &Gathering<'_>) -> Vec<Value> {
    let objects = gathering.component.objects.get("bundles.yaml");
    let objects = objects.into_iter().flatten();
    objects.map(|object| object.value.clone()).collect()
}

#[test]
fn kustomize_brings_all_unless_something_else_is_asked_for() {
    asked(
        "bundles_via: config-map",
        &ALL,
        None,
        |gathering, made, _| {
            assert_eq!(made.unwrap(), Projected::default());
            assert!(gathering.component.objects.is_empty());
        },
    );
}

#[test]
fn trust_manager_writes_bundles_and_a_truststore() {
    let target = "bundles_via: trust-manager, namespace: prod";
    asked(target, &ALL, None, |gathering, made, root| {
        let made = made.unwrap();
        assert_eq!(made.files, [BUNDLE, "truststore.jks", PRIVATE_ROOTS]);
        let map = |name: &str, keys: &[&str]| {
            let items: Vec<_> = keys
                .iter()
                .map(|key| json!({"key": key, "path": key}))
                .collect();
            json!({"configMap": {"name": name, "items": items}})
        };
        let bundle = map("shop-prod-trust-lab", &[BUNDLE, "truststore.jks"]);
        let private = map("shop-prod-private-roots-lab", &[PRIVATE_ROOTS]);
        assert_eq!(made.sources, [bundle, private]);
        let object = |name: &str, target: Value| {
            json!({
                "apiVersion": "trust.cert-manager.io/v1alpha1",
                "kind": "Bundle",
                "metadata": {"name": name},
                "spec": {"sources": [{"inLine": root}], "target": target},
            })
        };
        let namespace = json!({"matchLabels": {"kubernetes.io/metadata.name": "prod"}});
        let truststore = json!({"pkcs12": {"key": "truststore.jks", "password": "changeit", "profile": "Modern2023"}});
        let private = json!({"configMap": {"key": PRIVATE_ROOTS}, "namespaceSelector": namespace});
        let all = json!({"configMap": {"key": BUNDLE}, "additionalFormats": truststore, "namespaceSelector": namespace});
        let expected = [
            object("shop-prod-private-roots-lab", private),
            object("shop-prod-trust-lab", all),
        ];
        assert_eq!(objects(gathering), expected);
    });
    let spoken = "bundles_via: trust-manager, namespace: prod";
    asked(spoken, &[BUNDLE], Some("stage"), |gathering, made, _| {
        assert_eq!(made.unwrap().files, [BUNDLE]);
        let name = &objects(gathering)[0]["metadata"]["name"];
        assert_eq!(name, "shop-stage-trust-lab");
    });
    asked(
        "bundles_via: trust-manager",
        &[BUNDLE],
        None,
        |_, made, _| {
            assert_eq!(made.unwrap_err().code.name, "namespace-unknown");
        },
    );
}

#[test]
fn cluster_trust_bundles_depend_on_the_version() {
    let target =
        |version: &str| format!("bundles_via: cluster-trust-bundle, kubernetes: '{version}'");
    let codes = |gathering: &Gathering<'_>| -> Vec<&str> {
        gathering.found.iter().map(|one| one.code.name).collect()
    };
    for (version, api, warned) in [
        ("1.33", "certificates.k8s.io/v1beta1", &["feature-gate"][..]),
        ("1.36", "certificates.k8s.io/v1beta1", &["feature-gate"]),
        ("1.37", "certificates.k8s.io/v1", &[]),
    ] {
        asked(&target(version), &ALL, None, |gathering, made, root| {
            let made = made.unwrap();
            assert_eq!(made.files, [BUNDLE, PRIVATE_ROOTS]);
            let source = json!({"clusterTrustBundle": {"name": "shop-trust-lab", "path": BUNDLE, "optional": false}});
            assert_eq!(made.sources[0], source);
            let object = json!({
                "apiVersion": api,
                "kind": "ClusterTrustBundle",
                "metadata": {"name": "shop-trust-lab"},
                "spec": {"trustBundle": root},
            });
            assert!(
                objects(gathering).contains(&object),
                "{:#?}",
                objects(gathering)
            );
            assert_eq!(codes(gathering), warned);
        });
    }
    asked(&target("1.32"), &ALL, None, |_, made, _| {
        assert_eq!(made.unwrap_err().code.name, "cluster-too-old");
    });
}

#[test]
fn what_no_object_can_hold_is_told() {
    asked("namespace: prod", &[BUNDLE], None, |gathering, _, _| {
        let trust = gathering.inputs.model.services[0].trust.clone().unwrap();
        let wanted = Wanted {
            list: "lab",
            anchors: gathering.inputs.lists.get(&trust).unwrap(),
            files: &[BUNDLE],
            namespace: None,
            asked_at: gathering.cluster.output_span,
        };
        assert!(fitting(&wanted, LARGEST).is_ok());
        let error = fitting(&wanted, LARGEST + 1).unwrap_err();
        assert_eq!(error.code.name, "trust-bundle-too-large");
    });
}

#[test]
fn comments_are_left_out() {
    let text = b"# Some Root\n-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n\n# Next\n-----BEGIN CERTIFICATE-----\nAQ==\n-----END CERTIFICATE-----\n";
    let left = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nAQ==\n-----END CERTIFICATE-----\n";
    assert_eq!(blocks(text), left);
}
