//! Lowers a graph to a plan: what is known of operators becomes indices, edges become lists.

use std::collections::HashMap;

use vgdc_ir::{EdgeKind, Graph, Heard, OpId};
use vgdc_plan as plan;

use crate::fingerprint::Fingerprint;

/// Makes a plan of a graph. `islands` are sets of operators that share a queue; see [`crate::islands`].
pub fn lower(graph: &Graph, islands: &[Vec<OpId>]) -> plan::Plan {
    let numbers: HashMap<OpId, u32> = graph
        .op_ids()
        .iter()
        .zip(0..)
        .map(|(&id, number)| (id, number))
        .collect();
    let fingerprints = fingerprints(graph);
    let ops = graph
        .op_ids()
        .iter()
        .map(|&id| op(graph, id, &numbers, &fingerprints))
        .collect();
    let number = |ids: &Vec<OpId>| -> Vec<u32> {
        ids.iter()
            .filter_map(|id| numbers.get(id).copied())
            .collect()
    };
    plan::Plan {
        format: plan::FORMAT,
        hash: String::new(),
        ops,
        islands: islands.iter().map(number).collect(),
        loads: Vec::new(),
        flows: graph.flows().iter().map(flow).collect(),
        env: graph.envs().iter().map(env).collect(),
        code: None,
        regions: Vec::new(),
        places: Vec::new(),
        mesh: None,
        settings: Default::default(),
    }
}

fn flow(flow: &vgdc_ir::Flow) -> plan::Flow {
    plan::Flow {
        id: flow.id.clone(),
        label: flow.label.clone(),
        parent: flow.parent.map(|id| id.0),
        path: flow.path.clone(),
        env: flow.env.0,
    }
}

fn env(scope: &vgdc_ir::EnvScope) -> plan::EnvScope {
    let var = |var: &vgdc_ir::EnvVar| plan::EnvVar {
        name: var.name.clone(),
        ty: var.ty.clone(),
        value: var.value.clone(),
        scope: var.scope.map(|id| id.0),
    };
    plan::EnvScope {
        parent: scope.parent.map(|id| id.0),
        outer: scope.outer.map(|id| id.0),
        vars: scope.vars.iter().map(var).collect(),
        builtin: scope.builtin.clone(),
        credentials_of: scope.credentials_of.clone(),
    }
}

fn op(
    graph: &Graph,
    id: OpId,
    numbers: &HashMap<OpId, u32>,
    fingerprints: &HashMap<OpId, String>,
) -> plan::Op {
    let op = graph.op(id);
    let mut out = plan::Op {
        id: op.id.clone(),
        alias: op.alias.clone(),
        ty: op.ty.clone(),
        process: op.process.clone(),
        away: op.place.as_ref().map(|place| plan::Away {
            place: place.clone(),
            config: op.part.is_config(),
            inner: Vec::new(),
        }),
        name: op.name.clone(),
        z: op.z.clone(),
        g: op.g.clone(),
        flow: op.flow.0,
        env: op.env.0,
        props: op.props.clone(),
        wires: op.wires.clone(),
        ports: vec![plan::Port::default(); op.outputs.len()],
        fingerprint: fingerprints.get(&id).cloned().unwrap_or_default(),
        ..plan::Op::default()
    };
    for edge in graph.out_edges(id) {
        let Some(&to) = numbers.get(&edge.to) else {
            continue;
        };
        match edge.kind() {
            EdgeKind::Wire(port) | EdgeKind::Link(port) => {
                let port = usize::from(port);
                if let Some(away) = out.away.as_mut()
                    && graph.op(edge.to).place == op.place
                {
                    if away.inner.len() <= port {
                        away.inner.resize(port + 1, Vec::new());
                    }
                    away.inner[port].push(to);
                    continue;
                }
                if out.ports.len() <= port {
                    out.ports.resize(port + 1, plan::Port::default());
                }
                out.ports[port].edges.push(plan::Edge {
                    to,
                    fused: edge.edge.fused,
                });
            }
            EdgeKind::Catch(heard) => listen(&mut out.catch, heard, to),
            EdgeKind::Status(heard) => listen(&mut out.status, heard, to),
            EdgeKind::Complete => out.complete.push(to),
            EdgeKind::Config => out.configs.push(to),
            EdgeKind::Call | EdgeKind::Return | EdgeKind::SetStatus => out.targets.push(to),
        }
    }
    out
}

fn listen(chains: &mut Vec<plan::Chain>, heard: Heard, op: u32) {
    let (chain, level) = (usize::from(heard.chain), usize::from(heard.level));
    if chains.len() <= chain {
        chains.resize(chain + 1, plan::Chain::default());
    }
    let levels = &mut chains[chain].levels;
    if levels.len() <= level {
        levels.resize(level + 1, Vec::new());
    }
    levels[level].push(plan::Listener {
        op,
        uncaught: heard.uncaught,
    });
}

/// Hash of a flow as resolved: its nodes, what is set in them, and their wires. How it is compiled is not in it.
pub fn flow_hash(graph: &Graph) -> String {
    let mut hash = Fingerprint::default();
    for (_, op) in graph.ops() {
        hash = hash.with(&op.id).with(&op.fingerprint);
        for wires in &op.wires {
            hash = wires.iter().fold(hash, |hash, to| hash.with(to)).with("");
        }
    }
    hash.to_string()
}

/// The fingerprint of each operator, over its own and those of the configuration nodes that it refers to.
pub fn fingerprints(graph: &Graph) -> HashMap<OpId, String> {
    let mut done: HashMap<OpId, String> = HashMap::new();
    // Configuration nodes stand before their users; in a circle of them the own properties alone count.
    for (id, op) in graph.ops() {
        let mut hash = Fingerprint::default().with(&op.fingerprint);
        for edge in graph.out_edges(id) {
            if edge.kind() == EdgeKind::Config {
                let config = graph.op(edge.to);
                hash = hash
                    .with(&config.id)
                    .with(done.get(&edge.to).unwrap_or(&config.fingerprint));
            }
        }
        done.insert(id, hash.to_string());
    }
    done
}
