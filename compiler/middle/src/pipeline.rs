//! The order of the passes. The one place to read what happens to a graph, and why in this order.

use std::collections::HashMap;

use vgdc_ir::verify::{self, Stage};
use vgdc_ir::{Graph, OpId};

use crate::keys::{ContextUse, Keys};
use crate::passes::infer_types::Finding;
use crate::passes::{
    bind_links, drop_disabled, elide_clones, erase_comments, erase_junctions, fuse, infer_types,
    invert_scopes, join_places, order, prune_dead, pull_away,
};
use crate::registry::Registry;
use crate::scripts::ScriptInfo;
use crate::trace::Trace;

/// Makes all meaning explicit: what every target needs, the oracle too. `calls`: the link-ins that scripts call.
pub fn normalise(graph: &mut Graph, calls: &HashMap<OpId, Keys>, trace: &mut Trace) {
    check(graph, Stage::Resolved, "resolve");
    // First of all: what follows takes every operator for one that runs.
    drop_disabled::run(graph, trace);
    check(graph, Stage::Resolved, "drop_disabled");
    // Before anything asks where an operator runs; after drop_disabled, since what does not run shares nothing.
    join_places::run(graph, trace);
    check(graph, Stage::Resolved, "join_places");
    // Before the scopes: a complete node does not listen to what it is wired to, links among the wires.
    bind_links::run(graph, calls, trace);
    check(graph, Stage::Resolved, "bind_links");
    // Before order: the users of a configuration node are told in the order in which they stand in the file.
    invert_scopes::run(graph, trace);
    check(graph, Stage::Resolved, "invert_scopes");
    order::run(graph, trace);
    check(graph, Stage::Normal, "order");
}

/// Makes a normalised graph faster. `observable` keeps all that a person can see of single nodes while the program runs.
pub fn optimise(
    graph: &mut Graph,
    registry: &Registry,
    uses: &HashMap<OpId, ContextUse>,
    observable: bool,
    trace: &mut Trace,
) {
    if !observable {
        erase_comments::run(graph, trace);
        check(graph, Stage::Normal, "erase_comments");
        // Before prune_dead, which takes the junctions out, and before fuse, which wants one way into an operator.
        erase_junctions::run(graph, uses, trace);
        check(graph, Stage::Normal, "erase_junctions");
        // Before fuse: what is dead leads nowhere, but counts as a way.
        prune_dead::run(graph, trace);
        check(graph, Stage::Normal, "prune_dead");
        // Before fuse, which looks at what runs here; after erase_junctions, so that only what does something goes.
        pull_away::run(graph, registry, uses, trace);
        check(graph, Stage::Normal, "pull_away");
    }
    fuse::run(graph, uses, trace);
    check(graph, Stage::Normal, "fuse");
    // Last: it looks at which edge of an output is the last one.
    elide_clones::run(graph, trace);
    check(graph, Stage::Normal, "elide_clones");
}

/// Puts types on a normalised graph, and says what is certain to fail. Before [`optimise`]: its passes may rely on types, and
/// what they leave of a wire carries what it carried.
pub fn infer(
    graph: &mut Graph,
    registry: &Registry,
    scripts: &dyn ScriptInfo,
    trace: &mut Trace,
) -> Vec<Finding> {
    let findings = infer_types::run(graph, registry, scripts, trace);
    check(graph, Stage::Normal, "infer_types");
    findings
}

/// In debug builds, stops at the pass that broke the graph.
fn check(graph: &Graph, stage: Stage, pass: &str) {
    if cfg!(debug_assertions)
        && let Err(faults) = verify::verify(graph, stage)
    {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        panic!("after {pass} the graph is broken: {}", faults.join("; "));
    }
}
