//! The order of the passes. The one place to read what happens to a graph, and why in this order.

use vgdc_ir::Graph;

use crate::passes::{bind_links, drop_disabled, invert_scopes, order};
use crate::trace::Trace;

/// Makes all meaning explicit: what every target needs, the oracle too.
pub fn normalise(graph: &mut Graph, trace: &mut Trace) {
    // First of all: what follows takes every operator for one that runs.
    drop_disabled::run(graph, trace);
    // Before the scopes: a complete node does not listen to what it is wired to, links among the wires.
    bind_links::run(graph, trace);
    // After links: see above. Before order: users of a configuration node are asked for in the order in which they stand.
    invert_scopes::run(graph, trace);
    order::run(graph, trace);
}
