//! A flow over the machines of a mesh: where it is cut, and a plan for each machine.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use vgdc_ir::{EdgeKind, Graph, OpId};
use vgdc_middle::partition::costs::Costs;
use vgdc_middle::partition::predict::{Prediction, predict};
use vgdc_middle::partition::split::{Link, links, part};
use vgdc_middle::partition::{Assignment, assign};
use vgdc_plan::{MeshPart, Nats};
use vgdc_syntax::mesh::Delivery;
use vgdc_syntax::{Diagnostic, Diagnostics, FlowDoc, Mesh, codes};

use crate::{Compiled, Front, Session};

/// A flow, cut.
#[derive(Clone, Debug)]
pub struct Cut {
    /// The whole graph, normalised: what was cut.
    pub graph: Graph,
    /// Which operator runs where; nothing runs anywhere where the diagnostics have an error.
    pub assignment: Assignment,
    /// What was cut.
    pub links: Vec<Link>,
    /// What it will be like.
    pub prediction: Prediction,
    /// Whether costs were measured, by a profile.
    pub measured: bool,
    /// For each machine with something to do, its number and what is to run there.
    pub parts: Vec<Part>,
    /// What is to be said about the flow and the mesh.
    pub diagnostics: Diagnostics,
}

/// What one machine runs.
#[derive(Clone, Debug)]
pub struct Part {
    /// The machine's number.
    pub machine: usize,
    /// Compiled.
    pub compiled: Compiled,
}

impl Session {
    /// Cuts a flow over the machines of a mesh, and compiles each part. What the readers had to say is not repeated.
    pub fn compile_mesh(&self, doc: &FlowDoc, mesh: &Mesh) -> Cut {
        let mut front = self.front(doc);
        let graph = std::mem::take(&mut front.normal);
        let uses = self.uses(&graph);
        let costs = match &self.profile {
            Some(profile) => Costs::measured(&graph, &self.registry, profile),
            None => Costs::estimated(&graph, &self.registry),
        };
        let mut diagnostics = std::mem::take(&mut front.diagnostics);
        // (that a mesh has no machines, its reader has said)
        let assignment = match mesh.nodes.is_empty() {
            true => None,
            false => assign(
                &graph,
                doc,
                &self.registry,
                &uses,
                mesh,
                &costs,
                &mut diagnostics,
            ),
        };
        let assignment = assignment.unwrap_or_default();
        let links = links(&graph, &assignment, mesh, &costs);
        if !mesh.agents {
            without_address(&links, mesh, &mut diagnostics);
        }
        let mut parts = Vec::new();
        for machine in 0..mesh.nodes.len() {
            let Some(types) = self.registry.link_types() else {
                break;
            };
            let is_here = |id: &OpId| assignment.of.get(id) == Some(&machine);
            if !graph.op_ids().iter().any(is_here) {
                continue;
            }
            let half = part(
                &graph,
                &self.registry,
                types,
                &assignment,
                &links,
                mesh,
                machine,
            );
            let uses: HashMap<_, _> = (uses.iter())
                .filter(|(id, _)| is_here(id))
                .map(|(id, used)| (*id, used.clone()))
                .collect();
            let front = Front {
                normal: half,
                ..front.clone()
            };
            let mut compiled = self.back(front, &uses);
            diagnostics.append(std::mem::take(&mut compiled.diagnostics));
            compiled.plan.mesh = Some(mesh_part(mesh, &links, machine));
            parts.push(Part { machine, compiled });
        }
        diagnostics.sort();
        Cut {
            prediction: predict(&graph, &assignment, mesh, &costs),
            measured: costs.measured,
            graph,
            assignment,
            links,
            parts,
            diagnostics,
        }
    }
}

/// Where a machine listens for links, and where those are that its own lead to.
fn mesh_part(mesh: &Mesh, links: &[Link], machine: usize) -> MeshPart {
    let address = |at: usize| mesh.nodes.get(at).and_then(|node| node.address.clone());
    let name = |at: usize| mesh.nodes.get(at).map_or("", |node| &node.name).to_owned();
    let peers: BTreeMap<String, String> = (links.iter())
        .filter(|link| link.from == machine)
        .map(|link| (name(link.to), address(link.to).unwrap_or_default()))
        .collect();
    if let Some(nats) = &mesh.nats {
        return MeshPart {
            mesh: mesh.name.clone(),
            node: name(machine),
            nats: Some(Nats {
                servers: nats.servers.clone(),
                credentials: nats.credentials.clone(),
                replicas: nats.replicas,
                ca: nats.ca.clone(),
                certificate: nats.certificate.clone(),
            }),
            ..MeshPart::default()
        };
    }
    let is_reached = links.iter().any(|link| link.to == machine);
    MeshPart {
        mesh: mesh.name.clone(),
        node: name(machine),
        listen: address(machine).filter(|_| is_reached),
        peers,
        nats: None,
    }
}

fn without_address(links: &[Link], mesh: &Mesh, diagnostics: &mut Diagnostics) {
    // (who is reached over a broker needs none)
    if mesh.nats.is_some() {
        return;
    }
    let mut reached: Vec<usize> = links.iter().map(|link| link.to).collect();
    reached.sort_unstable();
    reached.dedup();
    let nodes = reached.iter().filter_map(|at| mesh.nodes.get(*at));
    for node in nodes.filter(|node| node.address.is_none()) {
        let text = format!("a link leads to `{}`, which has no address", node.name);
        let fix = format!(
            "write `address = \"HOST:PORT\"` under `[nodes.{}]`",
            node.name
        );
        diagnostics.push(Diagnostic::error(codes::NO_ADDRESS, text).with_fix(fix));
    }
}

impl Cut {
    fn label(&self, id: OpId) -> String {
        let op = self.graph.op(id);
        format!("{} ({})", op.label(), op.ty)
    }

    /// The cut for people: what runs where and why, what goes over each link, what to expect.
    pub fn text(&self, mesh: &Mesh) -> String {
        let mut out = String::new();
        let name = |at: usize| mesh.nodes.get(at).map_or("", |node| node.name.as_str());
        for (at, node) in mesh.nodes.iter().enumerate() {
            let ops: Vec<OpId> = (self.graph.op_ids().iter().copied())
                .filter(|id| self.assignment.of.get(id) == Some(&at))
                .collect();
            let load = self.prediction.load.get(at).copied().unwrap_or_default();
            let _ = writeln!(
                out,
                "{}: {}, {} of {} busy",
                node.name,
                plural(ops.len(), "node"),
                percent(load / node.capacity),
                plural_f(node.capacity, "processor"),
            );
            for id in ops {
                let why = self.assignment.ruled.get(&id);
                let why = why
                    .map(|why| format!("   must run on {why}"))
                    .unwrap_or_default();
                let _ = writeln!(out, "  {}{why}", self.label(id));
            }
        }
        let _ = writeln!(out, "\nlinks: {}", self.links.len());
        for link in &self.links {
            let delivery = match link.delivery {
                Delivery::Fast => "",
                Delivery::Durable => ", durable",
            };
            let (rate, bytes) = (link.traffic.rate, link.traffic.bytes);
            let _ = writeln!(
                out,
                "  {} → {}: to {}, {} messages/s of {:.0} bytes{delivery}",
                name(link.from),
                name(link.to),
                self.label(link.op),
                number(rate),
                bytes,
            );
            for (from, kind) in &link.senders {
                let _ = writeln!(out, "    {} {}", self.label(*from), by(*kind));
            }
        }
        let _ = match self.links.is_empty() {
            true => writeln!(out, "\nno message leaves its machine"),
            false => {
                let hops = self.prediction.longest.chunks_exact(2);
                let ways = hops.map(|hop| {
                    let at = |id: &OpId| self.assignment.of.get(id).map_or("", |at| name(*at));
                    hop.iter().map(at).collect::<Vec<_>>().join(" → ")
                });
                let ways: Vec<String> = ways.collect();
                writeln!(
                    out,
                    "\nlongest way: {} on links ({})",
                    milliseconds(self.prediction.longest_ms),
                    ways.join(", ")
                )
            }
        };
        let _ = writeln!(
            out,
            "{}; {}",
            match self.measured {
                true => "traffic and loads as measured by the profile",
                false =>
                    "traffic and loads are estimates: a profile makes them facts (`--profile`)",
            },
            match self.assignment.exact {
                true => "no cut is cheaper",
                false => "the cheapest cut that was found",
            }
        );
        out
    }

    /// The cut as a picture for Graphviz: a cluster for each machine.
    pub fn dot(&self, mesh: &Mesh) -> String {
        let mut out = "digraph flow {\n  rankdir=LR;\n  node [shape=box];\n".to_owned();
        let text = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        for (at, node) in mesh.nodes.iter().enumerate() {
            let _ = writeln!(
                out,
                "  subgraph cluster_{at} {{\n    label=\"{}\";",
                text(&node.name)
            );
            for (id, _) in self.graph.ops() {
                if self.assignment.of.get(&id) == Some(&at) {
                    let _ = writeln!(out, "    n{} [label=\"{}\"];", id.0, text(&self.label(id)));
                }
            }
            out.push_str("  }\n");
        }
        for edge in self.graph.all_edges() {
            let at = |id: OpId| self.assignment.of.get(&id);
            let style = match (at(edge.from), at(edge.to)) {
                (None, _) | (_, None) => continue,
                (a, b) if a != b => " [style=bold, color=red]",
                _ if edge.kind().port().is_none() => " [style=dashed]",
                _ => "",
            };
            let _ = writeln!(out, "  n{} -> n{}{style};", edge.from.0, edge.to.0);
        }
        out.push_str("}\n");
        out
    }
}

fn by(kind: EdgeKind) -> String {
    match kind {
        EdgeKind::Wire(port) => format!("from output {}", port + 1),
        EdgeKind::Link(_) => "by a link node".to_owned(),
        EdgeKind::Catch(_) => "with its errors".to_owned(),
        EdgeKind::Status(_) => "with its status".to_owned(),
        EdgeKind::Complete => "with what it has finished".to_owned(),
        other => other.word().to_owned(),
    }
}

fn plural(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

fn plural_f(count: f64, what: &str) -> String {
    match count == 1.0 {
        true => format!("1 {what}"),
        false => format!("{count} {what}s"),
    }
}

fn percent(part: f64) -> String {
    match part * 100.0 {
        part if part > 0.0 && part < 0.1 => "under 0.1 %".to_owned(),
        part => format!("{part:.1} %"),
    }
}

fn number(value: f64) -> String {
    match value {
        value if value > 0.0 && value < 0.1 => format!("{value:.3}"),
        value if value < 10.0 => format!("{value:.1}"),
        value => format!("{value:.0}"),
    }
}

fn milliseconds(value: f64) -> String {
    format!("{} ms", number(value))
}
