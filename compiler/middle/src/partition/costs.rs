//! What operators and edges cost: by a profile, or by an estimate from the graph's form.

use std::collections::HashMap;

use vgdc_ir::{EdgeId, EdgeKind, Graph, OpId, Ty};
use vgdc_plan::profile::Profile;
use vgdc_spec::{Effect, FieldKind, Outputs};

use crate::registry::Registry;

/// Messages over an edge.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Traffic {
    /// Messages a second.
    pub rate: f64,
    /// Bytes of one, as a link carries it.
    pub bytes: f64,
}

/// What a graph costs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Costs {
    /// Processors that an operator keeps busy.
    pub load: HashMap<OpId, f64>,
    /// What goes over an edge.
    pub traffic: HashMap<EdgeId, Traffic>,
    /// Whether a profile says so; else it is an estimate.
    pub measured: bool,
}

/// Messages a second that a source is taken to begin with, where nothing was measured.
const SOURCE_RATE: f64 = 1.0;
/// The most that an estimate comes to: circles and fans would multiply for ever.
const MOST_RATE: f64 = 1_000.0;
/// How often rates are led along the edges of a graph; a way longer than this is estimated too low.
const ROUNDS: usize = 64;

impl Costs {
    /// What a profile measured of the operators; what it does not know of is estimated.
    pub fn measured(graph: &Graph, registry: &Registry, profile: &Profile) -> Costs {
        let mut costs = Costs::estimated(graph, registry);
        if profile.seconds <= 0.0 {
            return costs;
        }
        costs.measured = true;
        let ids: HashMap<&str, OpId> = (graph.ops()).map(|(id, op)| (op.id.as_str(), id)).collect();
        for node in &profile.nodes {
            if let Some(id) = ids.get(node.id.as_str()) {
                let seconds = node.self_ns as f64 / 1e9;
                costs.load.insert(*id, seconds / profile.seconds);
            }
        }
        let wires: HashMap<(&str, u32, &str), u64> = (profile.wires.iter())
            .map(|wire| {
                (
                    (wire.from.as_str(), wire.output, wire.to.as_str()),
                    wire.messages,
                )
            })
            .collect();
        let known: HashMap<&str, &vgdc_plan::profile::Node> = (profile.nodes.iter())
            .map(|node| (node.id.as_str(), node))
            .collect();
        for edge in graph.all_edges() {
            let (from, to) = (&graph.op(edge.from).id, &graph.op(edge.to).id);
            let Some(sender) = known.get(from.as_str()) else {
                continue;
            };
            let messages = match edge.kind() {
                EdgeKind::Wire(port) | EdgeKind::Link(port) => {
                    let wire = (from.as_str(), u32::from(port), to.as_str());
                    wires.get(&wire).copied().unwrap_or(0)
                }
                EdgeKind::Catch(_) => sender.errors,
                EdgeKind::Complete => sender.received,
                _ => continue,
            };
            if let Some(traffic) = costs.traffic.get_mut(&edge.id) {
                traffic.rate = messages as f64 / profile.seconds;
            }
        }
        costs
    }

    /// An estimate: each source begins one message a second, an operator sends from each output what it gets, one with rules
    /// spreads it over its outputs.
    pub fn estimated(graph: &Graph, registry: &Registry) -> Costs {
        let order = graph.op_ids();
        let mut arriving: HashMap<OpId, f64> = HashMap::new();
        let begins = |id: OpId| {
            let op = graph.op(id);
            let is_fed = (graph.in_edges(id).iter()).any(|edge| edge.kind().port().is_some());
            !op.part.is_config() && (op.effect == Effect::Source || !is_fed)
        };
        for _ in 0..ROUNDS {
            let mut next: HashMap<OpId, f64> = HashMap::new();
            for &id in order.iter().filter(|id| begins(**id)) {
                next.insert(id, SOURCE_RATE);
            }
            for &id in order {
                let rate = arriving.get(&id).copied().unwrap_or(0.0);
                for edge in graph.out_edges(id) {
                    let sent = rate * share(graph, registry, id, edge.kind());
                    let sum = next.entry(edge.to).or_insert(0.0);
                    *sum = (*sum + sent).min(MOST_RATE);
                }
            }
            if next == arriving {
                break;
            }
            arriving = next;
        }
        let rate_of = |id: OpId| arriving.get(&id).copied().unwrap_or(0.0);
        let mut costs = Costs::default();
        for (id, _) in graph.ops() {
            costs
                .load
                .insert(id, rate_of(id) * seconds_a_message(graph, registry, id));
            for edge in graph.out_edges(id) {
                let rate = rate_of(id) * share(graph, registry, id, edge.kind());
                let bytes = bytes(graph, id, edge.kind());
                costs.traffic.insert(edge.id, Traffic { rate, bytes });
            }
        }
        costs
    }

    /// What goes over an edge.
    pub fn over(&self, edge: EdgeId) -> Traffic {
        self.traffic.get(&edge).copied().unwrap_or_default()
    }

    /// Processors that an operator keeps busy.
    pub fn of(&self, op: OpId) -> f64 {
        self.load.get(&op).copied().unwrap_or(0.0)
    }
}

/// How many messages leave by an edge for one that arrives.
fn share(graph: &Graph, registry: &Registry, id: OpId, kind: EdgeKind) -> f64 {
    let op = graph.op(id);
    match kind {
        EdgeKind::Wire(_) | EdgeKind::Link(_) => {
            let spec = registry.get(op.process_type());
            match spec.map(|spec| spec.outputs) {
                Some(Outputs::Rules(_)) => 1.0 / op.outputs.len().max(1) as f64,
                _ => 1.0,
            }
        }
        EdgeKind::Complete | EdgeKind::Call | EdgeKind::Return => 1.0,
        EdgeKind::Status(_) | EdgeKind::SetStatus => 0.1,
        EdgeKind::Catch(_) => 0.01,
        EdgeKind::Config => 0.0,
    }
}

/// Seconds of a processor: what the bench suite shows of such nodes, roughly.
fn seconds_a_message(graph: &Graph, registry: &Registry, id: OpId) -> f64 {
    let op = graph.op(id);
    let spec = registry.get(op.process_type());
    let has_code = spec.is_some_and(|spec| {
        let fields = spec.fields.iter();
        fields
            .into_iter()
            .any(|field| field.kind == FieldKind::JavaScript)
    });
    match op.effect {
        _ if op.place.is_some() => 40e-6,
        _ if has_code => 2e-6,
        Effect::Pure | Effect::State => 0.5e-6,
        Effect::Source => 3e-6,
        Effect::Io => 10e-6,
    }
}

/// Bytes of a message as a link carries it: an id and what else each has, and what is known of the payload's type.
fn bytes(graph: &Graph, id: OpId, kind: EdgeKind) -> f64 {
    let payload = kind
        .port()
        .and_then(|port| graph.op(id).outputs.get(usize::from(port)))
        .map(|message| message.field("payload"));
    let of_payload = match payload {
        Some(ty) if ty.is(&Ty::NUMBER) || ty.is(&Ty::BOOL) => 10.0,
        Some(ty) if ty.is(&Ty::BUFFER) => 1_000.0,
        _ => 150.0,
    };
    50.0 + of_payload
}
