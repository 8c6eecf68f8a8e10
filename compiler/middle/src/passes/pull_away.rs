//! **pull_away** has an operator run in another place where all that it gets comes from there and all that it sends goes there.
//!
//! Before → after: `p (away) → change → q (away)` becomes three operators that are away: no message comes here in between.
//! Legal: when the operator neither reaches outside nor begins messages nor uses a context nor refers to a configuration node, the
//! place knows its type (the node library's are Node-RED's own), and nobody looks at single nodes of the running program (what
//! stays away is not seen here). Its state goes with it, and the order along each wire is that of the link.
//! Pays: a way here and back costs the other place two texts of the message, which is more than a simple node costs it, and a lone
//! message a tenth of a millisecond. Code of people's own stays here: it may cost anything there.
//! Tests: below; `tests/whole/hosted.rs` (`what_lies_between`).

use std::collections::{HashMap, HashSet};

use vgdc_ir::{EdgeKind, EdgeRef, Graph, OpId, Part};
use vgdc_spec::{Effect, FieldKind};

use crate::keys::ContextUse;
use crate::registry::Registry;
use crate::trace::Trace;

/// What the trace calls it.
pub const NAME: &str = "pull_away";

/// Runs the pass.
pub fn run(
    graph: &mut Graph,
    registry: &Registry,
    uses: &HashMap<OpId, ContextUse>,
    trace: &mut Trace,
) {
    let Some(stand_in) = registry.stand_in_type() else {
        return;
    };
    if graph.ops().all(|(_, op)| op.place.is_none()) {
        return;
    }
    for group in groups(graph, registry, uses) {
        let Some(place) = place_around(graph, &group) else {
            continue;
        };
        for id in group {
            let text = format!("runs in {place}: all that is wired to it does");
            trace.did(NAME, graph.op(id), text);
            let op = graph.op_mut(id);
            op.place = Some(place.clone());
            op.process = Some(stand_in.to_owned());
        }
    }
}

/// Operators that may go, with all that is wired to them and may, too; each group has nothing but places around it.
fn groups(graph: &Graph, registry: &Registry, uses: &HashMap<OpId, ContextUse>) -> Vec<Vec<OpId>> {
    let may = |id: &OpId| may_go(graph, registry, *id) && !uses.contains_key(id);
    let mut able: HashSet<OpId> = graph.op_ids().iter().copied().filter(may).collect();
    loop {
        let strays = |id: &OpId| {
            around(graph, *id)
                .any(|other| !able.contains(&other) && graph.op(other).place.is_none())
        };
        let gone: Vec<OpId> = able.iter().copied().filter(strays).collect();
        if gone.is_empty() {
            break;
        }
        able.retain(|id| !gone.contains(id));
    }
    let mut groups = Vec::new();
    // (in the order of the graph, so that the same flow gives the same plan)
    for &id in graph.op_ids() {
        if !able.remove(&id) {
            continue;
        }
        let (mut group, mut at) = (vec![id], 0);
        while let Some(&id) = group.get(at) {
            group.extend(around(graph, id).filter(|other| able.remove(other)));
            at += 1;
        }
        groups.push(group);
    }
    groups
}

/// The one place that a group has around it, where messages come from it and go to it.
fn place_around(graph: &Graph, group: &[OpId]) -> Option<String> {
    let away = |edge: &EdgeRef<'_>, end: OpId| {
        let is_wire = edge.kind().port().is_some();
        graph.op(end).place.clone().filter(|_| is_wire)
    };
    let mut from = HashSet::new();
    let mut to = HashSet::new();
    for &id in group {
        from.extend((graph.in_edges(id).iter()).filter_map(|edge| away(edge, edge.from)));
        to.extend((graph.out_edges(id).iter()).filter_map(|edge| away(edge, edge.to)));
    }
    let place = from.iter().next()?.clone();
    (from.len() == 1 && from == to).then_some(place)
}

/// What an operator is wired to, either way.
fn around(graph: &Graph, id: OpId) -> impl Iterator<Item = OpId> {
    let wired = |edge: &EdgeRef<'_>| edge.kind().port().is_some();
    let before: Vec<OpId> = (graph.in_edges(id).iter().filter(|edge| wired(edge)))
        .map(|edge| edge.from)
        .collect();
    let after = graph.out_edges(id);
    let after: Vec<OpId> = (after.iter().filter(|edge| wired(edge)))
        .map(|edge| edge.to)
        .collect();
    before.into_iter().chain(after)
}

fn may_go(graph: &Graph, registry: &Registry, id: OpId) -> bool {
    let op = graph.op(id);
    let Some(spec) = registry.get(op.process_type()) else {
        return false;
    };
    let has_code = spec
        .fields
        .iter()
        .any(|field| field.kind == FieldKind::JavaScript);
    let is_simple = matches!(op.effect, Effect::Pure | Effect::State) && !has_code;
    // (what is told of errors, statuses and ends hears it of those that are away, too)
    let leads = |edge: &EdgeRef<'_>| {
        matches!(
            edge.kind(),
            EdgeKind::Wire(_) | EdgeKind::Catch(_) | EdgeKind::Status(_) | EdgeKind::Complete
        )
    };
    op.place.is_none()
        && op.part == Part::Operator
        && registry.is_of_library(&op.ty)
        && is_simple
        && graph
            .in_edges(id)
            .iter()
            .all(|edge| matches!(edge.kind(), EdgeKind::Wire(_)))
        && graph.out_edges(id).iter().all(leads)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing::Sketch;
    use vgdc_ir::Part::Operator as Plain;
    use vgdc_spec::{NodeSpec, Role};

    static ANY: NodeSpec = NodeSpec::unknown("any");
    static STAND_IN: NodeSpec = NodeSpec {
        role: Role::StandIn,
        ..NodeSpec::unknown("stand-in")
    };

    /// The operators that go when these are away already.
    fn pulled(wires: &[(&str, &str)], away: &[(&str, &str)]) -> Vec<String> {
        let ops = ["p", "a", "b", "q", "n"].map(|id| (id, Plain));
        let mut sketch = Sketch::new(&ops).wires(wires);
        let source = sketch.op("n");
        sketch.graph.op_mut(source).effect = Effect::Source;
        for (id, place) in away {
            let op = sketch.op(id);
            sketch.graph.op_mut(op).place = Some((*place).to_owned());
        }
        let registry = Registry::new([&ANY, &STAND_IN]);
        run(
            &mut sketch.graph,
            &registry,
            &HashMap::new(),
            &mut Trace::default(),
        );
        let gone = sketch
            .graph
            .ops()
            .filter(|(_, op)| op.place.is_some() && !away.iter().any(|(id, _)| *id == op.id));
        gone.map(|(_, op)| op.id.clone()).collect()
    }

    #[test]
    fn what_lies_between_goes() {
        let chain = [("p", "a"), ("a", "b"), ("b", "q")];
        assert_eq!(pulled(&chain, &[("p", "js"), ("q", "js")]), ["a", "b"]);
        assert!(pulled(&chain, &[("p", "js"), ("q", "py")]).is_empty());
        assert!(pulled(&chain, &[("p", "js")]).is_empty());
        assert!(pulled(&chain, &[]).is_empty());
        let hears = [("p", "a"), ("a", "b"), ("b", "q"), ("n", "b")];
        assert!(pulled(&hears, &[("p", "js"), ("q", "js")]).is_empty());
        let tells = [("p", "a"), ("a", "q"), ("a", "q"), ("p", "b"), ("b", "n")];
        assert_eq!(pulled(&tells, &[("p", "js"), ("q", "js")]), ["a"]);
    }
}
