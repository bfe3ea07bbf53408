//! Manifests that are hard to patch, each with its services: lines such as
//! `# service web: {runtime: java@21} | {workload: Deployment/web}`.

use std::fmt::Write as _;
use std::fs;

use super::cluster::{Custom, Judges};
use super::kept::added;
use super::resources::{list, pod};
use super::support::{checkout, project::Project};
use super::{FILES, TARGET, for_all, judged, shown, write_spec};

/// A service of a base.
pub struct Service {
    pub name: String,
    /// What the spec says of it.
    pub said: String,
    /// What the target says of it.
    pub deployed: String,
}

/// A base by its name.
pub fn base(name: &str) -> String {
    let path = format!("tests/real/kubernetes/bases/{name}.yml");
    fs::read_to_string(checkout().join(path)).unwrap()
}

/// The services that a base says it has.
pub fn services(base: &str) -> Vec<Service> {
    let lines = base.lines().filter_map(|line| {
        let line = line
            .trim_start_matches('\u{feff}')
            .strip_prefix("# service ")?;
        let (said, deployed) = line.rsplit_once(" | ").unwrap();
        let (name, said) = said.split_once(": ").unwrap();
        Some(Service {
            name: name.to_owned(),
            said: said.to_owned(),
            deployed: deployed.trim_end().to_owned(),
        })
    });
    lines.collect()
}

#[test]
fn nasty_bases_are_joined_exactly() {
    let Some(judges) = Judges::find() else { return };
    let mut bases: Vec<_> = fs::read_dir(checkout().join("tests/real/kubernetes/bases"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    bases.sort();
    assert!(bases.len() >= 30, "{}", bases.len());
    let failed = for_all(&bases, |path| {
        let text = fs::read(path).unwrap();
        let joined = std::panic::catch_unwind(|| joins(&judges, &text));
        joined.is_err().then(|| shown(path))
    });
    let failed: Vec<String> = failed.into_iter().flatten().collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

fn joins(judges: &Judges, text: &[u8]) {
    let services = services(std::str::from_utf8(text).unwrap());
    assert!(!services.is_empty(), "it has services");
    let project = Project::new();
    project.write("k8s/app.yml", text);
    write_spec(&project, &services, TARGET);
    project.build();
    let (base, built) = judged(judges, &project, FILES, Custom::Ignored);
    let new = added(&base, &built);
    assert!(
        new.iter().all(|one| one["kind"] == "ConfigMap"),
        "nothing but ConfigMaps is added"
    );
    // Each service's workload mounts the list that it trusts.
    let mounted = built.iter().filter_map(pod).filter(|pod| {
        list(&pod["volumes"]).iter().any(|volume| {
            new.iter()
                .any(|map| map["metadata"]["name"] == volume["configMap"]["name"])
        })
    });
    let mut workloads: Vec<_> = services
        .iter()
        .map(|one| one.deployed.split(['}', ',']).next().unwrap())
        .collect();
    workloads.sort_unstable();
    workloads.dedup();
    assert_eq!(mounted.count(), workloads.len());
}

/// Somebody's file with every custom resource definition of the cluster in it: 2 MB.
#[test]
fn huge_definitions_are_no_hindrance() {
    let Some(judges) = Judges::find() else { return };
    let mut base = base("restricted");
    for number in 0..20 {
        let _ = write!(
            base,
            "---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: things{number}.lab.example}}\n\
             spec:\n  group: lab.example\n  scope: Namespaced\n  names: {{plural: things{number}, singular: thing{number}, kind: Thing{number}, listKind: Thing{number}List}}\n  \
             versions:\n    - name: v1\n      served: true\n      storage: true\n      schema:\n        openAPIV3Schema:\n          type: object\n          properties:\n            spec:\n              type: object\n              properties:\n"
        );
        for field in 0..500 {
            let _ = write!(
                base,
                "                field{field}:\n                  type: string\n                  description: |\n                    What the field says: {{anything}} \"at all\", and # no comment.\n                    --- is no end of a document in here, and there are some more words.\n                  pattern: ^[a-z]+$\n"
            );
        }
    }
    assert!(base.len() > 2_000_000, "{}", base.len());
    let project = Project::new();
    project.write("k8s/app.yml", &base);
    write_spec(&project, &services(&base), TARGET);
    project.build();
    judged(&judges, &project, FILES, Custom::Ignored);
}
