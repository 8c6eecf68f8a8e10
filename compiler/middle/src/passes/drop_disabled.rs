//! **drop_disabled** takes out what is switched off: nodes with `d`, and all nodes of a disabled tab or subflow instance.
//!
//! Before → after: `a → b(disabled) → c` becomes `a` and `c`, unconnected.
//! Legal: always. A disabled node does not start, and Node-RED drops what is sent to it.
//! Pays: always; and it must run, since nothing after it looks at [`vgdc_ir::Operator::disabled`].
//! Tests: below; `tests/flows/disabled.json`.

use vgdc_ir::{Graph, OpId};

use crate::trace::Trace;

const NAME: &str = "drop_disabled";

/// Runs the pass.
pub fn run(graph: &mut Graph, trace: &mut Trace) {
    let gone: Vec<OpId> = graph
        .ops()
        .filter(|(_, op)| op.disabled)
        .map(|(id, _)| id)
        .collect();
    for &id in &gone {
        trace.did(NAME, graph.op(id), "disabled, so it does not run");
    }
    graph.remove_ops(&gone);
}
