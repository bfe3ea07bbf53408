//! What is joined keeps everything that a container sets.

use proptest::prelude::*;

use super::*;
use crate::provision::Value;
use crate::source::Sources;
use crate::targets::kubernetes::manifest;
use crate::world::Memory;

/// The variables of a container as kustomize merges them: the patch's first, then the others.
fn merged(base: &[(String, String)], patch: &[EnvironmentVariable]) -> Vec<(String, String)> {
    let text = |name: &str| base.iter().rev().find(|(known, _)| known == name);
    let first = patch.iter().map(|it| {
        let value = it.value.clone();
        let value = value.or_else(|| text(&it.name).map(|(_, value)| value.clone()));
        (it.name.clone(), value.unwrap_or_default())
    });
    let others = base
        .iter()
        .filter(|(name, _)| !patch.iter().any(|it| it.name == *name))
        .cloned();
    first.chain(others).collect()
}

/// What a pod gets: a variable is filled in with what stands further up.
fn filled(variables: &[(String, String)]) -> Vec<(String, String)> {
    let mut known: Vec<(String, String)> = Vec::new();
    for (name, text) in variables {
        let mut text = text.clone();
        for (other, value) in &known {
            text = text.replace(&format!("$({other})"), value);
        }
        known.push((name.clone(), text));
    }
    known
}

proptest! {
    #[test]
    fn a_join_keeps_every_variable(
        names in prop::sample::subsequence(vec!["A", "B", "OPTIONS", "C", "D"], 0..=5).prop_shuffle(),
        uses in prop::collection::vec(prop::option::of(0_usize..5), 5),
    ) {
        let base: Vec<(String, String)> = names
            .iter()
            .enumerate()
            .map(|(at, name)| {
                // Only what stands further up: kubelet leaves anything else as it is.
                let used = uses[at].filter(|used| *used < at).map(|used| names[used]);
                let text = used.map_or_else(|| format!("of-{name}"), |used| format!("x-$({used})"));
                ((*name).to_owned(), text)
            })
            .collect();
        let env: Vec<_> = base
            .iter()
            .map(|(name, value)| serde_json::json!({"name": name, "value": value}))
            .collect();
        let text = serde_json::json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"},
            "spec": {"template": {"spec": {"containers": [{"name": "c", "env": env}]}}},
        });
        let mut sources = Sources::default();
        let asked = sources.add("tlsgen.yaml", "").start();
        let text = text.to_string();
        let world = Memory::with([("a.json", text.as_str())]);
        let manifests = manifest::read(&world, &mut sources, &[("a.json".to_owned(), asked)]);
        let manifests = manifests.unwrap();
        let workload = &manifests.workloads[0];
        let joining = Joining {
            manifests: &manifests,
            workload,
            container: &workload.pod.containers[0],
            asked,
            subject: "services.a",
        };
        let ours = [Variable {
            name: "OPTIONS".to_owned(),
            value: Value::file("store"),
            existing: Existing::Append,
        }];
        let patch = joining.variables(&ours, "/t", &mut Vec::new());
        let after = filled(&merged(&base, &patch));
        for (name, value) in filled(&base) {
            // What is filled in from the joined variable gets the joined text.
            let expected = value.replace("OPTIONS", "");
            let (_, got) = after.iter().find(|(known, _)| *known == name).unwrap();
            prop_assert!(got.replace(" /t/store", "").replace("OPTIONS", "") == expected, "{name}: {got}");
        }
        let (_, got) = after.iter().find(|(name, _)| name == "OPTIONS").unwrap();
        prop_assert!(got.ends_with("/t/store"));
    }
}
