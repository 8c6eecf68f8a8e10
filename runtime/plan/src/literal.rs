//! Parts of a plan as generated programs write them: short to read, and quick to compile.

use crate::{Chain, Edge, Listener, OpIndex, Port};

/// The ids in `wires`, per output.
pub fn wires(outputs: &[&[&str]]) -> Vec<Vec<String>> {
    let ids = |ids: &&[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    outputs.iter().map(ids).collect()
}

/// The edges of each output: the operator that receives, and whether it is fused.
pub fn ports(outputs: &[&[(OpIndex, bool)]]) -> Vec<Port> {
    let edges = |edges: &&[(OpIndex, bool)]| Port {
        edges: (edges.iter())
            .map(|(to, fused)| Edge {
                to: *to,
                fused: *fused,
            })
            .collect(),
    };
    outputs.iter().map(edges).collect()
}

/// The listeners of each level of each chain: the operator, and whether it wants only what no other has handled.
pub fn chains(chains: &[&[&[(OpIndex, bool)]]]) -> Vec<Chain> {
    let listeners = |level: &&[(OpIndex, bool)]| -> Vec<Listener> {
        let listener = |(op, uncaught): &(OpIndex, bool)| Listener {
            op: *op,
            uncaught: *uncaught,
        };
        level.iter().map(listener).collect()
    };
    let levels = |levels: &&[&[(OpIndex, bool)]]| Chain {
        levels: levels.iter().map(listeners).collect(),
    };
    chains.iter().map(levels).collect()
}
