//! Secrets on their way into pods: valid for every Kubernetes and by the operator's own models, as files
//! that the service's user reads, and with the service account's token left where it is.

use serde_json::Value;

use super::cluster::{Custom, Judges};
use super::judged;
use super::resources::{find, list};
use super::support::checkout;
use super::support::project::Project;

#[test]
fn secrets_of_pods_are_accepted_and_hide_no_token() {
    let Some(judges) = Judges::find() else {
        return;
    };
    let project = Project::new();
    let case = checkout().join("tests/cases/secrets-in-cluster");
    let spec = std::fs::read_to_string(case.join("tlsgen.yaml")).unwrap();
    let spec = spec.replace("web.yaml", "k8s/web.yaml");
    project.write(
        "tlsgen.yaml",
        spec.replace("output: k8s", "output: k8s/tls"),
    );
    project.write(
        "k8s/web.yaml",
        std::fs::read(case.join("web.yaml")).unwrap(),
    );
    project.build();
    let files = (&["k8s/web.yaml"][..], "k8s/tls");
    let (_, built) = judged(&judges, &project, files, Custom::Judged);
    let pod = &find(&built, "Deployment", "web")["spec"]["template"]["spec"];
    assert_eq!(pod["securityContext"]["fsGroup"], 10001);
    let container = &list(&pod["containers"])[0];
    let mounts: Vec<&str> = list(&container["volumeMounts"])
        .iter()
        .filter_map(|mount| mount["mountPath"].as_str())
        .collect();
    assert_eq!(mounts, ["/app/secrets", "/run/secrets/lab"]);
    let volumes = list(&pod["volumes"]);
    let sources = volumes
        .iter()
        .flat_map(|volume| list(&volume["projected"]["sources"]));
    let mut read = 0;
    for source in sources {
        assert_ne!(source["secret"]["optional"], Value::Bool(true));
        for item in list(&source["secret"]["items"]) {
            assert_eq!(
                item["mode"], 0o440,
                "its group reads it, and nobody else: {item}"
            );
            read += 1;
        }
    }
    assert_eq!(read, 3);
    let external = find(&built, "ExternalSecret", "lab-api-token");
    assert_eq!(external["spec"]["data"][0]["remoteRef"]["key"], "tower/api");
    let text = serde_json::to_string(&built).unwrap();
    assert!(
        !text.contains("\"kind\":\"Secret\""),
        "no manifest has a value"
    );
}
