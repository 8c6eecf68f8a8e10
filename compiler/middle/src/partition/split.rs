//! A graph for each machine: its own operators, a sender in the place of each operator elsewhere that they reach, a receiver before each
//! operator that others elsewhere reach.
//!
//! A *link* goes from one machine to one operator on another one: all that is sent there from the one machine, in the order in which
//! it was sent, whatever edges it came by. The sender has the operator's id, so that whoever is told of it hears the name that he
//! knows.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value};
use vgdc_ir::{EdgeKind, Graph, OpId, Operator, Part};
use vgdc_spec::{Effect, Role};
use vgdc_syntax::Mesh;
use vgdc_syntax::mesh::Delivery;

use super::Assignment;
use super::costs::{Costs, Traffic};
use super::units::{carries, is_copied};
use crate::registry::Registry;

/// The properties of senders and receivers.
pub const LINK: &str = "link";
/// The machine at the other end.
pub const PEER: &str = "peer";
/// What is promised of messages.
pub const DELIVERY: &str = "delivery";

/// What was cut: from one machine to one operator on another.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Its name, in the mesh the only one of that name.
    pub name: String,
    /// The number of the machine that sends.
    pub from: usize,
    /// The number of the machine that receives.
    pub to: usize,
    /// The operator that gets the messages.
    pub op: OpId,
    /// Those whose messages they are, and how each reaches it.
    pub senders: Vec<(OpId, EdgeKind)>,
    /// What goes over it.
    pub traffic: Traffic,
    /// What is promised of messages on the way.
    pub delivery: Delivery,
}

/// All links of a cut, by the machines and in the order of the graph.
pub fn links(graph: &Graph, assignment: &Assignment, mesh: &Mesh, costs: &Costs) -> Vec<Link> {
    let mut links: BTreeMap<(usize, usize, usize), Link> = BTreeMap::new();
    let order: BTreeMap<OpId, usize> = graph.op_ids().iter().copied().zip(0..).collect();
    for edge in graph.all_edges().filter(|edge| carries(edge.kind())) {
        let (Some(&from), Some(&to)) = (assignment.of.get(&edge.from), assignment.of.get(&edge.to))
        else {
            continue;
        };
        if from == to {
            continue;
        }
        let at = order.get(&edge.to).copied().unwrap_or_default();
        let link = links.entry((from, to, at)).or_insert_with(|| Link {
            name: format!("{}>{}", name(mesh, from), graph.op(edge.to).id),
            from,
            to,
            op: edge.to,
            senders: Vec::new(),
            traffic: Traffic::default(),
            delivery: Delivery::default(),
        });
        link.senders.push((edge.from, edge.kind()));
        let more = costs.over(edge.id);
        let bytes = link.traffic.rate * link.traffic.bytes + more.rate * more.bytes;
        link.traffic.rate += more.rate;
        if link.traffic.rate > 0.0 {
            link.traffic.bytes = bytes / link.traffic.rate;
        }
    }
    let mut links: Vec<Link> = links.into_values().collect();
    for link in &mut links {
        link.delivery = delivery(graph, mesh, link);
    }
    links
}

fn name(mesh: &Mesh, machine: usize) -> &str {
    mesh.nodes.get(machine).map_or("", |node| &node.name)
}

/// What the last rule says that fits the link.
fn delivery(graph: &Graph, mesh: &Mesh, link: &Link) -> Delivery {
    let is = |op: OpId, called: &str| {
        let op = graph.op(op);
        [op.id.as_str(), op.source_id()].contains(&called) || op.name.as_deref() == Some(called)
    };
    let fits = |rule: &&vgdc_syntax::mesh::LinkRule| {
        let mut senders = link.senders.iter();
        (rule.to.as_ref()).is_none_or(|to| is(link.op, &to.text))
            && (rule.from.as_ref()).is_none_or(|from| senders.any(|(op, _)| is(*op, &from.text)))
    };
    let rule = mesh.links.iter().rev().find(fits);
    rule.map_or(Delivery::Fast, |rule| rule.delivery)
}

/// The graph of one machine. `types` are those of senders and receivers.
pub fn part(
    graph: &Graph,
    registry: &Registry,
    (sender, receiver): (&str, &str),
    assignment: &Assignment,
    links: &[Link],
    mesh: &Mesh,
    machine: usize,
) -> Graph {
    let mut part = graph.clone();
    let kept = kept(graph, registry, assignment, machine);
    let outgoing: Vec<&Link> = links.iter().filter(|link| link.from == machine).collect();
    let reached: HashSet<OpId> = outgoing.iter().map(|link| link.op).collect();
    for link in outgoing {
        let edges: Vec<_> = part.out_edges(link.op).iter().map(|edge| edge.id).collect();
        for edge in edges {
            part.disconnect(edge);
        }
        let op = part.op_mut(link.op);
        op.process = Some(sender.to_owned());
        op.place = None;
        op.effect = Effect::Io;
        op.props = end(link, name(mesh, link.to));
        op.wires = Vec::new();
        op.outputs = Vec::new();
        if !matches!(op.part, Part::Listener(_)) {
            op.part = Part::Operator;
        }
    }
    let gone: Vec<OpId> = (graph.op_ids().iter().copied())
        .filter(|id| !kept.contains(id) && !reached.contains(id))
        .collect();
    part.remove_ops(&gone);
    for link in links.iter().filter(|link| link.to == machine) {
        let to = graph.op(link.op);
        let op = Operator {
            id: link.name.clone(),
            alias: None,
            ty: receiver.to_owned(),
            process: None,
            place: None,
            name: Some(format!("from {}", name(mesh, link.from))),
            z: to.z.clone(),
            g: to.g.clone(),
            flow: to.flow,
            heard_in: to.heard_in,
            group: to.group,
            env: to.env,
            part: Part::Operator,
            effect: Effect::Source,
            props: end(link, name(mesh, link.from)),
            wires: vec![vec![to.id.clone()]],
            input: vgdc_ir::Ty::NEVER,
            outputs: vec![to.input.clone()],
            disabled: false,
            fingerprint: format!("{}{:?}", link.name, link.delivery),
            origin: to.origin,
        };
        let from = part.add_op(op);
        part.connect(from, link.op, EdgeKind::Wire(0));
    }
    part
}

/// What an end of a link has to know.
fn end(link: &Link, peer: &str) -> Map<String, Value> {
    let delivery = match link.delivery {
        Delivery::Fast => "fast",
        Delivery::Durable => "durable",
    };
    [
        (LINK, link.name.as_str()),
        (PEER, peer),
        (DELIVERY, delivery),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value.into()))
    .collect()
}

/// A machine's own operators, and its copies of configuration nodes.
fn kept(
    graph: &Graph,
    registry: &Registry,
    assignment: &Assignment,
    machine: usize,
) -> HashSet<OpId> {
    let own = |id: &OpId| assignment.of.get(id) == Some(&machine);
    let for_all = |id: &OpId| graph.op(*id).part.role() == Role::GlobalEnv;
    let mut todo: Vec<OpId> = graph
        .op_ids()
        .iter()
        .copied()
        .filter(|id| own(id) || for_all(id))
        .collect();
    let mut kept = HashSet::new();
    while let Some(id) = todo.pop() {
        if !kept.insert(id) {
            continue;
        }
        for edge in graph.out_edges(id) {
            if edge.kind() == EdgeKind::Config && is_copied(graph, registry, edge.to) {
                todo.push(edge.to);
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing::Sketch;
    use std::collections::HashMap;
    use vgdc_ir::Part::Operator as Plain;
    use vgdc_ir::verify::{Stage, verify};
    use vgdc_ir::{Heard, Listens, Scope, Ty};

    fn two_machines() -> Mesh {
        let mut sources = vgdc_syntax::SourceMap::new();
        let text = "[nodes.one]\n[nodes.two]\n[[link]]\nto = \"c\"\ndelivery = \"durable\"\n";
        let (mesh, said) = Mesh::parse(&mut sources, "mesh.toml", text);
        assert!(said.is_empty());
        mesh
    }

    #[test]
    fn each_end_of_a_cut_has_its_own_half() {
        let catch = Part::Listener(Listens::Errors {
            scope: Scope::All,
            uncaught: false,
        });
        let ops = [("a", Plain), ("b", Plain), ("c", Plain), ("oops", catch)];
        let mut sketch = Sketch::new(&ops)
            .wires(&[("a", "c"), ("b", "c"), ("c", "a")])
            .edge("a", "oops", EdgeKind::Catch(Heard::default()));
        for id in ["a", "b", "c"] {
            let op = sketch.op(id);
            sketch.graph.op_mut(op).outputs = vec![Ty::ANY];
        }
        let at = |id: &str| sketch.op(id);
        let of = HashMap::from([(at("a"), 0), (at("b"), 0), (at("c"), 1), (at("oops"), 1)]);
        let (assignment, mesh) = (
            Assignment {
                of,
                ..Assignment::default()
            },
            two_machines(),
        );
        let links = links(&sketch.graph, &assignment, &mesh, &Costs::default());
        let names: Vec<_> = links
            .iter()
            .map(|link| (link.name.as_str(), link.delivery))
            .collect();
        assert_eq!(
            names,
            [
                ("one>c", Delivery::Durable),
                ("one>oops", Delivery::Fast),
                ("two>a", Delivery::Fast)
            ]
        );
        assert_eq!(links[0].senders.len(), 2);
        let registry = Registry::default();
        let half = |machine| {
            let types = ("sender", "receiver");
            let graph = part(
                &sketch.graph,
                &registry,
                types,
                &assignment,
                &links,
                &mesh,
                machine,
            );
            assert_eq!(verify(&graph, Stage::Normal), Ok(()));
            Sketch { graph }
        };
        let (one, two) = (half(0), half(1));
        assert_eq!(one.ids(), ["a", "b", "c", "oops", "two>a"]);
        assert_eq!(
            one.edges(),
            ["a wire c", "a catch oops", "b wire c", "two>a wire a"]
        );
        assert_eq!(one.graph.op(one.op("c")).process.as_deref(), Some("sender"));
        assert_eq!(one.graph.op(one.op("c")).props["peer"], "two");
        // (what is elsewhere reaches here through a receiver)
        assert_eq!(two.ids(), ["a", "c", "oops", "one>c", "one>oops"]);
        assert_eq!(
            two.edges(),
            ["c wire a", "one>c wire c", "one>oops wire oops"]
        );
        assert_eq!(two.graph.op(two.op("a")).props["link"], "two>a");
    }
}
