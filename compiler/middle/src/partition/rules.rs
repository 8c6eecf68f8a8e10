//! Where operators may run: rules of the mesh's file, places in the flow, what machines have.

use std::collections::HashMap;

use vgdc_ir::{Graph, OpId, Operator};
use vgdc_syntax::mesh::{Named, What};
use vgdc_syntax::{Diagnostic, Diagnostics, FlowDoc, Level, Mesh, RawNode, codes, nearest};

use super::costs::Costs;
use super::solve::{Between, Problem};
use super::units::{Units, carries};

/// The property of groups and nodes that says where they run.
const PLACE: &str = "place";
/// The most groups in groups, and instances in instances, that are looked through for a place.
const DEEPEST: usize = 100;

/// Which machines an operator may run on, and who says so.
struct Wish {
    on: Vec<usize>,
    /// For people: `mesh.toml says` and the like.
    who: String,
}

/// What rules say of a graph's operators.
pub struct Rules {
    wishes: HashMap<OpId, Vec<Wish>>,
    /// Pairs that are to be together.
    pub together: Vec<(OpId, OpId)>,
    /// Pairs that are to be apart.
    pub apart: Vec<(OpId, OpId)>,
    /// Those that never run twice.
    pub single: Vec<OpId>,
}

impl Rules {
    /// Reads them; what fits nothing is told.
    pub fn read(graph: &Graph, doc: &FlowDoc, mesh: &Mesh, diagnostics: &mut Diagnostics) -> Rules {
        let mut rules = Rules {
            wishes: HashMap::new(),
            together: Vec::new(),
            apart: Vec::new(),
            single: Vec::new(),
        };
        rules.places_in_flow(graph, doc, mesh, diagnostics);
        let finder = Finder { graph, doc };
        for rule in &mesh.places {
            for id in finder.all(&rule.what, diagnostics) {
                let wishes = rules.wishes.entry(id).or_default();
                wishes.push(Wish {
                    on: rule.on.clone(),
                    who: "a [[place]] of mesh.toml".to_owned(),
                });
            }
        }
        for names in &mesh.together {
            let ops = finder.named(names, diagnostics);
            rules
                .together
                .extend(ops.iter().copied().zip(ops.iter().copied().skip(1)));
        }
        for names in &mesh.single {
            rules.single.extend(finder.named(names, diagnostics));
        }
        for names in &mesh.apart {
            let ops = finder.named(names, diagnostics);
            for (at, one) in ops.iter().enumerate() {
                let others = ops.iter().skip(at + 1);
                rules.apart.extend(others.map(|other| (*one, *other)));
            }
        }
        rules
    }

    /// What is said in the flow itself: of a node, of a group around it, of the subflow instance that it is in.
    fn places_in_flow(
        &mut self,
        graph: &Graph,
        doc: &FlowDoc,
        mesh: &Mesh,
        diagnostics: &mut Diagnostics,
    ) {
        let instances: HashMap<&str, &Operator> =
            graph.ops().map(|(_, op)| (op.id.as_str(), op)).collect();
        let mut told = Vec::new();
        for (id, op) in graph.ops() {
            let Some((from, place)) = place_of(graph, doc, &instances, op) else {
                continue;
            };
            let on = mesh.at(&place);
            if !on.is_empty() {
                let who = match from.id() == op.source_id() {
                    true => "its own `place`".to_owned(),
                    false => format!("the `place` of `{}`", label(from)),
                };
                self.wishes.entry(id).or_default().push(Wish { on, who });
            } else if !told.contains(&from.ix()) {
                told.push(from.ix());
                diagnostics.push(unknown_place(mesh, from, &place));
            }
        }
    }

    /// For operators of which a rule says it, what it says.
    pub fn words(&self, mesh: &Mesh) -> HashMap<OpId, String> {
        let name = |at: &usize| mesh.nodes.get(*at).map_or("", |node| &node.name);
        let says = |wish: &Wish| {
            let names: Vec<&str> = wish.on.iter().map(name).collect();
            format!("{} ({})", names.join(" or "), wish.who)
        };
        let all = self.wishes.iter();
        all.map(|(id, wishes)| {
            let words: Vec<String> = wishes.iter().map(says).collect();
            (*id, words.join(", "))
        })
        .collect()
    }

    /// The problem that is to be solved. Nothing where it has no solution, which is told.
    pub fn problem(
        &self,
        graph: &Graph,
        doc: &FlowDoc,
        units: &Units,
        mesh: &Mesh,
        costs: &Costs,
        diagnostics: &mut Diagnostics,
    ) -> Option<Problem> {
        let errors = diagnostics.count(Level::Error);
        let mut allowed = Vec::new();
        for unit in &units.sets {
            allowed.push(self.allowed(graph, doc, unit, units, mesh, diagnostics));
        }
        let mut apart = Vec::new();
        for (one, other) in &self.apart {
            let (Some(a), Some(b)) = (units.of.get(one), units.of.get(other)) else {
                continue;
            };
            if a == b {
                let text = format!(
                    "`{}` and `{}` are to be apart and cannot be",
                    graph.op(*one).label(),
                    graph.op(*other).label()
                );
                diagnostics.push(nowhere(graph, doc, *one, text, units.way(*one, *other)));
            }
            apart.push((*a, *b));
        }
        let load = units.sets.iter();
        let load = load.map(|unit| unit.iter().map(|op| costs.of(*op)).sum());
        let mut between: HashMap<(usize, usize), (f64, f64)> = HashMap::new();
        for edge in graph.all_edges().filter(|edge| carries(edge.kind())) {
            let (Some(&a), Some(&b)) = (units.of.get(&edge.from), units.of.get(&edge.to)) else {
                continue;
            };
            if a != b {
                let traffic = costs.over(edge.id);
                let sum = between.entry((a.min(b), a.max(b))).or_default();
                sum.0 += traffic.rate;
                sum.1 += traffic.rate * traffic.bytes;
            }
        }
        let mut between: Vec<Between> = between
            .into_iter()
            .map(|((a, b), (rate, bytes))| Between { a, b, rate, bytes })
            .collect();
        between.sort_by_key(|it| (it.a, it.b));
        let problem = Problem {
            allowed,
            load: load.collect(),
            between,
            apart,
            capacity: mesh.nodes.iter().map(|node| node.capacity).collect(),
            way: (0..mesh.nodes.len())
                .map(|from| (0..mesh.nodes.len()).map(|to| mesh.way(from, to)).collect())
                .collect(),
        };
        if diagnostics.count(Level::Error) == errors && !problem.can_be_apart() {
            let text = "there are too few machines for what is to be apart";
            let fix = "add machines, or take a rule out of `[[apart]]`";
            diagnostics.push(Diagnostic::error(codes::NOWHERE, text).with_fix(fix));
        }
        (diagnostics.count(Level::Error) == errors).then_some(problem)
    }

    fn allowed(
        &self,
        graph: &Graph,
        doc: &FlowDoc,
        unit: &[OpId],
        units: &Units,
        mesh: &Mesh,
        diagnostics: &mut Diagnostics,
    ) -> Vec<usize> {
        let mut on: Vec<usize> = (0..mesh.nodes.len()).collect();
        let mut said: Vec<(OpId, String)> = Vec::new();
        for &id in unit {
            let mut narrow = |wish: &[usize], who: &str| {
                let rest: Vec<usize> = on.iter().copied().filter(|at| wish.contains(at)).collect();
                if rest.len() == on.len() {
                    return;
                }
                let names: Vec<&str> = wish
                    .iter()
                    .filter_map(|at| mesh.nodes.get(*at))
                    .map(|node| node.name.as_str())
                    .collect();
                let names = match names.is_empty() {
                    true => "no machine".to_owned(),
                    false => names.join(" or "),
                };
                said.push((id, format!("{names}, by {who}")));
                on = rest;
            };
            if graph.op(id).place.is_some() {
                let with: Vec<usize> = (mesh.nodes.iter().enumerate())
                    .filter(|(_, node)| node.node_js)
                    .map(|(at, _)| at)
                    .collect();
                narrow(&with, "what it needs: Node.js");
            }
            for wish in self.wishes.get(&id).into_iter().flatten() {
                narrow(&wish.on, &wish.who);
            }
        }
        if on.is_empty() {
            diagnostics.push(contradiction(graph, doc, &said, units));
        }
        on
    }
}

/// What rules that leave no machine say, and why they are about the same thing.
fn contradiction(
    graph: &Graph,
    doc: &FlowDoc,
    said: &[(OpId, String)],
    units: &Units,
) -> Diagnostic {
    let (Some((first, _)), Some((last, _))) = (said.first(), said.last()) else {
        return Diagnostic::error(codes::NOWHERE, "the mesh has no machines");
    };
    let name = |id: &OpId| graph.op(*id).label();
    let text = match first == last {
        true => format!("`{}` can run nowhere", name(first)),
        false => format!(
            "`{}` and `{}` cannot run on one machine, and have to",
            name(first),
            name(last)
        ),
    };
    let mut diagnostic = nowhere(graph, doc, *first, text, units.way(*first, *last));
    for (id, words) in said {
        diagnostic = diagnostic.with_note(format!("`{}` may run on {words}", name(id)));
    }
    diagnostic
}

fn nowhere(
    graph: &Graph,
    doc: &FlowDoc,
    id: OpId,
    text: String,
    way: Vec<&(OpId, OpId, super::Reason)>,
) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(codes::NOWHERE, text);
    if let Some(node) = doc.by_id(graph.op(id).source_id()) {
        diagnostic = diagnostic
            .with_node(node.node_ref())
            .with_label(node.span(), "");
    }
    for (a, b, reason) in way {
        let (a, b) = (graph.op(*a).label(), graph.op(*b).label());
        diagnostic = diagnostic.with_note(format!("`{a}` and `{b}` stay together: {reason}"));
    }
    diagnostic.with_fix("change one of the places, or take apart what keeps the nodes together")
}

fn unknown_place(mesh: &Mesh, from: RawNode<'_>, place: &str) -> Diagnostic {
    let text = format!(
        "`{}` is to run on `{place}`, which the mesh does not have",
        label(from)
    );
    let names = mesh.nodes.iter().map(|node| node.name.clone());
    let labels = mesh.nodes.iter().flat_map(|node| &node.labels);
    let known: Vec<String> = names
        .chain(labels.map(|label| format!("label:{label}")))
        .collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let mut diagnostic = match from.ty() {
        "group" => Diagnostic::error(codes::UNKNOWN_PLACE, text),
        // (a package's node may have a property of that name for something else)
        _ => Diagnostic::warning(codes::UNKNOWN_PLACE, text),
    };
    diagnostic = diagnostic
        .with_node(from.node_ref())
        .with_label(from.span(), "");
    match nearest(place, &known) {
        Some(near) => diagnostic.with_fix(format!("did you mean `{near}`?")),
        None => diagnostic.with_fix(format!("places are {}", known.join(", "))),
    }
}

fn label(node: RawNode<'_>) -> String {
    match node.name() {
        "" => node.id().to_owned(),
        name => name.to_owned(),
    }
}

/// The place that the flow says an operator runs in, and who says so: the nearest counts.
fn place_of<'d>(
    graph: &Graph,
    doc: &'d FlowDoc,
    instances: &HashMap<&str, &Operator>,
    op: &Operator,
) -> Option<(RawNode<'d>, String)> {
    let place = |node: RawNode<'d>| {
        let text = node.prop(PLACE)?.as_str()?.trim().to_owned();
        (!text.is_empty()).then_some((node, text))
    };
    let mut inside = Some(op);
    for _ in 0..DEEPEST {
        let op = inside?;
        let own = doc.by_id(op.source_id());
        if let Some(found) = own.and_then(place) {
            return Some(found);
        }
        let mut group = op.g.clone();
        for _ in 0..DEEPEST {
            let Some(around) = group.as_deref().and_then(|id| doc.by_id(id)) else {
                break;
            };
            if let Some(found) = place(around) {
                return Some(found);
            }
            group = around.g().map(str::to_owned);
        }
        let flow = graph.flows().get(op.flow.index())?;
        inside = flow
            .parent
            .and_then(|_| instances.get(flow.id.as_str()).copied());
    }
    None
}

/// Finds operators by what people call them.
struct Finder<'g> {
    graph: &'g Graph,
    doc: &'g FlowDoc,
}

impl Finder<'_> {
    fn all(&self, what: &What, diagnostics: &mut Diagnostics) -> Vec<OpId> {
        match what {
            What::Nodes(names) => self.named(names, diagnostics),
            What::Flows(names) => self.by(names, "flow", diagnostics, |op| self.flows_of(op)),
            What::Groups(names) => self.by(names, "group", diagnostics, |op| self.groups_of(op)),
            What::Types(names) => self.by(names, "type", diagnostics, |op| vec![op.ty.clone()]),
        }
    }

    fn named(&self, names: &[Named], diagnostics: &mut Diagnostics) -> Vec<OpId> {
        self.by(names, "node", diagnostics, |op| {
            let mut all = vec![op.id.clone(), op.source_id().to_owned()];
            all.extend(op.name.clone());
            all
        })
    }

    fn by(
        &self,
        names: &[Named],
        kind: &str,
        diagnostics: &mut Diagnostics,
        called: impl Fn(&Operator) -> Vec<String>,
    ) -> Vec<OpId> {
        let mut found = Vec::new();
        for name in names {
            let before = found.len();
            let fits = |op: &Operator| called(op).contains(&name.text);
            found.extend(
                self.graph
                    .ops()
                    .filter(|(_, op)| fits(op))
                    .map(|(id, _)| id),
            );
            if found.len() == before {
                let text = format!("the flow has no {kind} `{}`", name.text);
                let all: Vec<String> = self.graph.ops().flat_map(|(_, op)| called(op)).collect();
                let known: Vec<&str> = all.iter().map(String::as_str).collect();
                let mut diagnostic =
                    Diagnostic::warning(codes::PLACE_OF_NOTHING, text).with_label(name.span, "");
                if let Some(near) = nearest(&name.text, &known) {
                    diagnostic = diagnostic.with_fix(format!("did you mean `{near}`?"));
                }
                diagnostics.push(diagnostic);
            }
        }
        found
    }

    /// Ids and labels of the flows that an operator is in.
    fn flows_of(&self, op: &Operator) -> Vec<String> {
        let (mut all, mut at) = (Vec::new(), Some(op.flow));
        while let Some(flow) = at.and_then(|at| self.graph.flows().get(at.index())) {
            all.extend([flow.id.clone(), flow.label.clone()]);
            at = flow.parent;
        }
        all.retain(|name| !name.is_empty());
        all
    }

    /// Ids and names of the groups that an operator is in.
    fn groups_of(&self, op: &Operator) -> Vec<String> {
        let (mut all, mut group) = (Vec::new(), op.g.clone());
        for _ in 0..DEEPEST {
            let Some(around) = group.as_deref().and_then(|id| self.doc.by_id(id)) else {
                break;
            };
            all.extend([around.id().to_owned(), around.name().to_owned()]);
            group = around.g().map(str::to_owned);
        }
        all.retain(|name| !name.is_empty());
        all
    }
}
