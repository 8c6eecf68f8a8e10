//! Which node gets a part that has none.

use super::config::{NODE_JS, TARGET};
use crate::id::NodeId;
use crate::state::State;
use crate::state::flows::Version;
use std::collections::BTreeMap;
use vgdc_door::manifest::{FlowManifest, PartManifest};

/// Chooses for a part: of the nodes that may have it, answer, are not being drained, run its program, and have nothing that it must be apart
/// from, the one with the most processors left; the first of those that the manifest prefers, where several have as many.
pub fn choose(
    state: &State,
    manifest: &FlowManifest,
    version: &Version,
    part: &PartManifest,
    answers: impl Fn(&NodeId) -> bool,
    load: &BTreeMap<NodeId, f64>,
) -> Option<NodeId> {
    let mut best: Option<(f64, NodeId)> = None;
    for name in &part.on {
        let Some((id, node)) = state.nodes.iter().find(|(_, node)| node.name == *name) else {
            continue;
        };
        let runs = |target: &String| part.programs.contains_key(target);
        let fits = !node.draining
            && answers(id)
            && node.labels.get(TARGET).is_some_and(runs)
            && (!part.node_js || node.labels.contains_key(NODE_JS))
            && is_apart(manifest, version, part, id);
        if !fits {
            continue;
        }
        let has = f64::from(node.capacity.millicores) / 1_000.0;
        let left = has - load.get(id).copied().unwrap_or_default();
        if best.is_none_or(|(most, _)| left > most + 1e-9) {
            best = Some((left, *id));
        }
    }
    best.map(|(_, id)| id)
}

/// Whether a node has no part of the version that must be apart from this one.
fn is_apart(manifest: &FlowManifest, version: &Version, part: &PartManifest, id: &NodeId) -> bool {
    let others = version
        .parts
        .iter()
        .filter(|(_, owner)| owner.node == Some(*id));
    others.into_iter().all(|(other, _)| {
        let says_so = manifest
            .part(other)
            .is_some_and(|other| other.apart.contains(&part.name));
        !says_so && !part.apart.contains(other)
    })
}

/// How many processors each node's parts keep busy, as was predicted.
pub fn loads<'a>(
    versions: impl Iterator<Item = (&'a Version, &'a FlowManifest)>,
) -> BTreeMap<NodeId, f64> {
    let mut loads = BTreeMap::new();
    for (version, manifest) in versions {
        for (part, owner) in &version.parts {
            if let (Some(node), Some(part)) = (owner.node, manifest.part(part)) {
                *loads.entry(node).or_default() += part.processors;
            }
        }
    }
    loads
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Manifest;
    use crate::state::flows::{Ownership, Stage};
    use crate::state::nodes::{Capacity, Node};
    use proptest::prelude::*;

    fn id(number: usize) -> NodeId {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&(number as u64 + 1).to_le_bytes());
        NodeId::from_key(key)
    }

    fn state(nodes: usize, draining: impl Fn(usize) -> bool) -> State {
        let mut state = State::default();
        for number in 0..nodes {
            let node = Node {
                name: format!("n{number}"),
                labels: BTreeMap::from([(TARGET.to_owned(), "t".to_owned())]),
                addresses: Vec::new(),
                capacity: Capacity {
                    millicores: 1_000,
                    memory_mib: 0,
                    parts: 0,
                },
                draining: draining(number),
                token: None,
            };
            state.nodes.insert(id(number), node);
        }
        state
    }

    fn part(name: String, on: Vec<String>, apart: Vec<String>) -> PartManifest {
        PartManifest {
            name,
            on,
            apart,
            processors: 0.25,
            programs: BTreeMap::from([("t".to_owned(), Default::default())]),
            ..PartManifest::default()
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// A thousand nodes, some of which die: each part is where it may be, on a node that answers, and what is to be apart is.
        #[test]
        fn parts_are_only_where_they_may_be(
            nodes in 1_usize..1_000,
            parts in 1_usize..12,
            dead in proptest::collection::vec(any::<bool>(), 1_000),
            draining in proptest::collection::vec(any::<bool>(), 1_000),
            seed in any::<u64>(),
        ) {
            let state = state(nodes, |number| draining[number] && dead[(number + 1) % 1_000]);
            let may = |p: usize, n: usize| !(seed ^ (p as u64 * 31 + n as u64 * 17)).is_multiple_of(3);
            let of = |p: usize| {
                let on = (0..nodes).filter(|n| may(p, *n)).map(|n| format!("n{n}")).collect();
                let apart = (p > 0).then(|| format!("p{}", p - 1)).into_iter().collect();
                part(format!("p{p}"), on, apart)
            };
            let manifest = FlowManifest { parts: (0..parts).map(of).collect(), ..FlowManifest::default() };
            let value = serde_json::to_value(&manifest).expect("JSON");
            let mut version = Version {
                manifest: Manifest::new(&value).expect("a manifest"),
                stage: Stage::Active,
                share: 100,
                parts: BTreeMap::new(),
            };
            let alive: std::collections::BTreeSet<NodeId> = (0..nodes).filter(|n| !dead[*n]).map(id).collect();
            let answers = |node: &NodeId| alive.contains(node);
            for it in &manifest.parts {
                let load = loads([(&version, &manifest)].into_iter());
                let chosen = choose(&state, &manifest, &version, it, answers, &load);
                if let Some(node) = chosen {
                    let name = &state.nodes[&node].name;
                    prop_assert!(it.on.contains(name));
                    prop_assert!(answers(&node) && !state.nodes[&node].draining);
                    for other in &it.apart {
                        prop_assert!(version.parts.get(other).is_none_or(|owner| owner.node != Some(node)));
                    }
                } else {
                    let fits = it.on.iter().filter(|name| {
                        let (id, node) = state.nodes.iter().find(|(_, node)| node.name == **name).expect("there");
                        answers(id) && !node.draining
                            && it.apart.iter().all(|other| version.parts.get(other).is_none_or(|owner| owner.node != Some(*id)))
                    });
                    prop_assert_eq!(fits.count(), 0, "somebody could have had it");
                }
                version.parts.insert(it.name.clone(), Ownership { node: chosen, epoch: 1 });
            }
        }
    }
}
