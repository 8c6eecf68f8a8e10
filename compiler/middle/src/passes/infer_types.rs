//! **infer_types** puts a type on what each operator takes and on what each of its outputs sends.
//!
//! Before → after: `in any`, `out any` become such as `in object{_msgid: string, payload: number}`; nothing else changes.
//! Legal: always, since nothing runs otherwise for it. A type must hold for every message that comes along the wires: what an
//! operator sends is what its node says of it (docs/types.md), given the join of all that leads to it, until nothing changes
//! any more. What people send to single nodes while the program runs (a button's own properties, the control protocol) is not
//! on the wires: code that relies on a type has to check it once.
//! Pays: it makes nothing faster itself; it says what will fail, and what code may be made special for. A flow of 3,000 nodes
//! takes a few milliseconds without scripts.
//! Tests: below; `tests/whole/types.rs` (with the node library; and messages that came along wires have their types).

use std::collections::{BTreeSet, HashMap};

use vgdc_ir::{EdgeKind, Graph, OpId, Part, Ty};
use vgdc_spec::NodeSpec;

use crate::registry::Registry;
use crate::scripts::{ScriptFault, ScriptInfo};
use crate::trace::Trace;
use crate::typing;

const NAME: &str = "infer_types";

/// How deep types may be nested, and how many fields an object may have.
const DEPTH: usize = 6;
const FIELDS: usize = 64;

/// How often an operator is looked at before its types are cut short, and before nothing is known of them any more: in a
/// circle a type may grow for long.
const PATIENCE: u32 = 8;
const END: u32 = 16;

/// Something that is certain to go wrong in an operator, with every message that it can get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The operator.
    pub op: OpId,
    /// In which property, or the path to what is inside it; none, where it is the node as a whole.
    pub path: Option<String>,
    /// What.
    pub fault: ScriptFault,
}

/// Runs the pass.
pub fn run(
    graph: &mut Graph,
    registry: &Registry,
    scripts: &dyn ScriptInfo,
    trace: &mut Trace,
) -> Vec<Finding> {
    let mut infer = Infer::new(graph, registry, scripts);
    infer.run();
    let Infer {
        inputs,
        outputs,
        mut faults,
        ..
    } = infer;
    let mut findings = Vec::new();
    for id in graph.op_ids().to_vec() {
        let op = graph.op_mut(id);
        op.input = inputs[id.index()].clone();
        op.outputs.clone_from(&outputs[id.index()]);
        let op = graph.op(id);
        tell(op, trace);
        if op.input.is_never() {
            // (what nothing ever comes to does not fail)
            continue;
        }
        let spec = registry.get(op.process_type());
        let lacks = spec.into_iter().flat_map(|spec| lacking(spec, &op.input));
        findings.extend(lacks.map(|fault| Finding {
            op: id,
            path: None,
            fault,
        }));
        let faults = std::mem::take(&mut faults[id.index()]);
        findings.extend(faults.into_iter().map(|(path, fault)| Finding {
            op: id,
            path: Some(path),
            fault,
        }));
    }
    findings
}

fn tell(op: &vgdc_ir::Operator, trace: &mut Trace) {
    for (port, ty) in op.outputs.iter().enumerate() {
        if *ty == Ty::any_object() || ty.is_any() {
            continue;
        }
        let at = match op.outputs.len() {
            1 => String::new(),
            _ => format!("output {}: ", port + 1),
        };
        match ty.is_never() {
            true => trace.did(NAME, op, format!("{at}nothing is ever sent")),
            false => trace.did(NAME, op, format!("{at}{ty}")),
        }
    }
}

/// What the node needs and no message has.
fn lacking<'a>(spec: &'a NodeSpec, input: &'a Ty) -> impl Iterator<Item = ScriptFault> + 'a {
    let needs = spec.needs.iter();
    let gone = Ty::UNDEFINED.join(&Ty::NULL);
    needs
        .filter(move |need| input.field(need.field).is(&gone))
        .map(|need| ScriptFault {
            code: vgdc_syntax::codes::NEED_NEVER_MET,
            message: format!(
                "no message that comes here has `msg.{}`: {}",
                need.field, need.without
            ),
            range: 0..0,
        })
}

struct Infer<'a> {
    graph: &'a Graph,
    registry: &'a Registry,
    scripts: &'a dyn ScriptInfo,
    /// By the number of an operator: where its messages come from.
    from: Vec<Vec<(OpId, EdgeKind)>>,
    inputs: Vec<Ty>,
    outputs: Vec<Vec<Ty>>,
    /// What the last look at each has found to go wrong.
    faults: Vec<Vec<(String, ScriptFault)>>,
    visits: Vec<u32>,
}

impl<'a> Infer<'a> {
    fn new(graph: &'a Graph, registry: &'a Registry, scripts: &'a dyn ScriptInfo) -> Infer<'a> {
        let bound = graph.op_bound();
        let mut infer = Infer {
            graph,
            registry,
            scripts,
            from: vec![Vec::new(); bound],
            inputs: vec![Ty::NEVER; bound],
            outputs: vec![Vec::new(); bound],
            faults: vec![Vec::new(); bound],
            visits: vec![0; bound],
        };
        for (id, op) in graph.ops() {
            infer.outputs[id.index()] = vec![Ty::NEVER; op.outputs.len()];
        }
        for edge in graph.all_edges() {
            if matches!(
                edge.kind(),
                EdgeKind::Wire(_) | EdgeKind::Link(_) | EdgeKind::Call
            ) {
                infer.from[edge.to.index()].push((edge.from, edge.kind()));
            }
        }
        infer
    }

    /// Looks at operators until no type changes any more.
    fn run(&mut self) {
        let order = forward(self.graph);
        let rank: HashMap<OpId, usize> =
            order.iter().enumerate().map(|(at, &id)| (id, at)).collect();
        let mut to: Vec<Vec<usize>> = vec![Vec::new(); self.from.len()];
        for (at, senders) in self.from.iter().enumerate() {
            let rank = rank.get(&OpId(at as u32));
            for (sender, _) in senders {
                to[sender.index()].extend(rank);
            }
        }
        let mut todo: BTreeSet<usize> = (0..order.len()).collect();
        while let Some(at) = todo.pop_first() {
            let id = order[at];
            if self.look_at(id) {
                todo.extend(&to[id.index()]);
            }
        }
    }

    /// Whether what an operator sends, or what it calls others with, has changed.
    fn look_at(&mut self, id: OpId) -> bool {
        let at = id.index();
        let first = self.visits[at] == 0;
        let input = self.limited(id, &self.inputs[at].join(&self.arriving(id)));
        if input == self.inputs[at] && !first {
            return false;
        }
        self.visits[at] += 1;
        let op = self.graph.op(id);
        let spec = self.registry.get(op.process_type());
        let sent = typing::sent(op, spec, &input, self.scripts);
        let mut changed = matches!(op.part, Part::LinkCall(_));
        for (port, ty) in sent.outputs.iter().enumerate() {
            let known = &self.outputs[at][port];
            let ty = self.limited(id, &known.join(ty));
            if ty != *known {
                self.outputs[at][port] = ty;
                changed = true;
            }
        }
        self.inputs[at] = input;
        self.faults[at] = sent.faults;
        changed
    }

    /// What comes to an operator. Nobody knows what comes where nothing leads to.
    fn arriving(&self, id: OpId) -> Ty {
        let op = self.graph.op(id);
        let from = &self.from[id.index()];
        if matches!(op.part, Part::Listener(_)) {
            return Ty::any_object();
        }
        if from.is_empty() {
            let spec = self.registry.get(op.process_type());
            return match spec {
                Some(spec) if spec.inputs == 0 => Ty::NEVER,
                _ => Ty::any_object(),
            };
        }
        let mut all = Ty::NEVER;
        for (sender, kind) in from {
            let ty = match kind.port() {
                Some(port) => self.outputs[sender.index()].get(usize::from(port)).cloned(),
                // A call node hands on what it gets, with a note of who called; code calls with anything.
                None if matches!(self.graph.op(*sender).part, Part::LinkCall(_)) => {
                    let ty = self.inputs[sender.index()].meet(&Ty::any_object());
                    Some(ty.with("_linkSource", Ty::ANY).with("_event", Ty::ANY))
                }
                None => Some(Ty::any_object()),
            };
            all = all.join(&ty.unwrap_or_else(Ty::any_object));
        }
        all
    }

    fn limited(&self, id: OpId, ty: &Ty) -> Ty {
        match self.visits[id.index()] {
            0..=PATIENCE => ty.widened(DEPTH, FIELDS),
            visits if visits < END => ty.widened(1, FIELDS),
            _ if ty.is_never() => Ty::NEVER,
            _ => Ty::any_object(),
        }
    }
}

/// The operators, as far as it goes each after those that send to it.
fn forward(graph: &Graph) -> Vec<OpId> {
    let mut seen = vec![false; graph.op_bound()];
    let mut order = Vec::with_capacity(graph.op_count());
    for &start in graph.op_ids() {
        // (the number of edges already followed from each operator on the way)
        let mut way: Vec<(OpId, Vec<OpId>)> = Vec::new();
        let enter = |id: OpId, seen: &mut Vec<bool>| {
            let fresh = !std::mem::replace(&mut seen[id.index()], true);
            fresh.then(|| {
                let edges = graph.out_edges(id).into_iter();
                let edges = edges
                    .filter(|edge| edge.kind().port().is_some() || edge.kind() == EdgeKind::Call);
                (id, edges.map(|edge| edge.to).collect::<Vec<_>>())
            })
        };
        way.extend(enter(start, &mut seen));
        while let Some((id, left)) = way.last_mut() {
            let id = *id;
            match left.pop() {
                Some(to) => way.extend(enter(to, &mut seen)),
                None => {
                    order.push(id);
                    way.pop();
                }
            }
        }
    }
    order.reverse();
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing::Sketch;
    use crate::scripts::NoScripts;
    use std::time::{Duration, Instant};
    use vgdc_ir::Part::Operator as Plain;
    use vgdc_spec::{Effect, Need, Outputs, Role, Types, Typing};

    const fn spec(ty: &'static str, types: Types, needs: &'static [Need]) -> NodeSpec {
        NodeSpec {
            ty,
            category: "test",
            inputs: 1,
            outputs: Outputs::Fixed(1),
            role: Role::Operator,
            effect: Effect::Pure,
            fields: &[],
            form: &[],
            types,
            needs,
            text: vgdc_spec::Text::Plain,
            waits: false,
            copies: vgdc_spec::Copies::No,
            look: vgdc_spec::Look::PLAIN,
        }
    }

    /// Puts what came into a field of it, deeper each time.
    fn nest(t: &mut dyn Typing) {
        let message = t.message();
        t.set("inner", message);
        t.send(0);
    }

    static SPECS: &[NodeSpec] = &[
        spec("text", Types::Text("object{payload: string}"), &[]),
        spec("number", Types::Text("msg{payload: number}"), &[]),
        spec("topic", Types::Text("msg{topic: string}"), &[]),
        spec("nest", Types::Code(nest), &[]),
        spec("unknown", Types::Unknown, &[]),
        spec(
            "answer",
            Types::Text("msg"),
            &[Need {
                field: "res",
                without: "nobody to answer",
            }],
        ),
    ];

    /// Operators of the types that their ids begin with, up to a dash.
    fn typed(ops: &[&str], wires: &[(&str, &str)]) -> (Graph, Vec<Finding>) {
        let parts: Vec<_> = ops.iter().map(|id| (*id, Plain)).collect();
        let mut graph = Sketch::new(&parts).wires(wires).graph;
        for id in graph.op_ids().to_vec() {
            let op = graph.op_mut(id);
            op.ty = op.id.split('-').next().unwrap_or_default().to_owned();
        }
        let registry = Registry::new(SPECS);
        let found = run(&mut graph, &registry, &NoScripts, &mut Trace::default());
        (graph, found)
    }

    fn sent(graph: &Graph, id: &str) -> String {
        let mut ops = graph.ops();
        let (_, op) = ops.find(|(_, op)| op.id == id).expect("there is one");
        op.outputs[0].to_string()
    }

    #[test]
    fn types_follow_the_wires_and_join() {
        let wires = [("text", "topic"), ("number", "topic"), ("text", "number")];
        let (graph, _) = typed(&["topic", "number", "text"], &wires);
        assert_eq!(
            sent(&graph, "number"),
            "object{_msgid: string, payload: number}"
        );
        let joined = "object{_msgid: string, payload: number | string, topic: string}";
        assert_eq!(sent(&graph, "topic"), joined);
    }

    #[test]
    fn of_what_nobody_knows_anything_may_come() {
        let (graph, _) = typed(&["unknown", "number", "topic"], &[("unknown", "number")]);
        assert_eq!(sent(&graph, "unknown"), "object{..}");
        assert_eq!(sent(&graph, "number"), "object{payload: number, ..}");
        assert_eq!(sent(&graph, "topic"), "object{topic: string, ..}");
    }

    #[test]
    fn circles_end() {
        let wires = [
            ("text", "nest"),
            ("nest", "nest"),
            ("nest", "topic"),
            ("topic", "nest"),
        ];
        let (graph, _) = typed(&["text", "nest", "topic"], &wires);
        let message: Ty = sent(&graph, "nest").parse().expect("a type");
        assert!(
            message
                .field("payload")
                .is(&Ty::STRING.join(&Ty::UNDEFINED))
                || message == Ty::any_object()
        );
        // A circle that nothing gets into.
        let (graph, _) = typed(
            &["number", "topic"],
            &[("number", "topic"), ("topic", "number")],
        );
        assert_eq!(sent(&graph, "topic"), "never");
    }

    #[test]
    fn what_is_needed_and_never_there_is_found() {
        let (_, found) = typed(&["text", "answer"], &[("text", "answer")]);
        assert_eq!(found.len(), 1, "{found:?}");
        let mixed = [("text", "answer"), ("unknown", "answer")];
        assert_eq!(typed(&["text", "unknown", "answer"], &mixed).1, []);
        assert_eq!(typed(&["answer"], &[]).1, []);
    }

    #[test]
    fn a_large_flow_is_no_matter() {
        let ids: Vec<String> = (0..3000)
            .map(|at| match at % 3 {
                0 => format!("text-{at}"),
                1 => format!("number-{at}"),
                _ => format!("nest-{at}"),
            })
            .collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let chain = ids.windows(2).map(|pair| (pair[0], pair[1]));
        let back = ids.windows(40).step_by(20).map(|list| (list[39], list[0]));
        let wires: Vec<_> = chain.chain(back).collect();
        let start = Instant::now();
        typed(&ids, &wires);
        // (tests are not optimised, and the machine may be busy)
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "{:?}",
            start.elapsed()
        );
    }
}
