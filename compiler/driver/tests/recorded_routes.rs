//! Wires, junctions, links, link calls and subflows against what Node-RED 5.0.4 was seen to deliver in random flows: the same
//! messages at each node in the same order, with and without optimisation. `recorded/record.js` makes the flows and the record.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value as Json;
use vgdc_driver::{Options, Session};
use vgdc_plan::Plan;
use vgdc_spec::{Effect, FieldKind, FieldSpec, NodeSpec, Outputs, Role, Types};
use vgdc_syntax::{FlowDoc, SourceMap};

const LINKS: &[FieldSpec] = &[FieldSpec {
    name: "links",
    kind: FieldKind::NodeIds,
    default: "[]",
    label: "",
    required: false,
    choices: &[],
    types: &[],
    form: vgdc_spec::Form::PLAIN,
}];

const fn spec(ty: &'static str, role: Role) -> NodeSpec {
    let effect = Effect::State;
    NodeSpec {
        ty,
        category: "test",
        inputs: 1,
        outputs: Outputs::Fixed(1),
        role,
        effect,
        fields: LINKS,
        form: LINKS,
        types: Types::Unknown,
        needs: &[],
        text: vgdc_spec::Text::Plain,
        waits: false,
        copies: vgdc_spec::Copies::No,
        look: vgdc_spec::Look::PLAIN,
    }
}

static SPECS: &[NodeSpec] = &[
    spec("function", Role::Operator),
    NodeSpec {
        effect: Effect::Pure,
        ..spec("junction", Role::Junction)
    },
    spec("link in", Role::LinkIn),
    spec("link out", Role::LinkOut),
    spec("link call", Role::LinkCall),
    spec("subflow", Role::SubflowInstance),
];

#[derive(Clone, Default)]
struct Msg {
    path: String,
    /// The link calls that wait for it.
    callers: Vec<u32>,
}

/// Runs a plan as its rules say.
struct Run<'a> {
    plan: &'a Plan,
    queue: VecDeque<(u32, Msg)>,
    arrived: BTreeMap<&'a str, Vec<String>>,
}

impl<'a> Run<'a> {
    /// What arrives at each operator after one message to `start`, the first one left out.
    fn of(plan: &'a Plan, start: u32) -> BTreeMap<&'a str, Vec<String>> {
        let mut run = Run {
            plan,
            queue: VecDeque::new(),
            arrived: BTreeMap::new(),
        };
        run.work(start, Msg::default());
        while let Some((op, msg)) = run.queue.pop_front() {
            run.handle(op, msg);
        }
        run.arrived
    }

    fn handle(&mut self, op: u32, msg: Msg) {
        let id = &self.plan.ops[op as usize].id;
        self.arrived.entry(id).or_default().push(msg.path.clone());
        self.work(op, msg);
    }

    fn work(&mut self, at: u32, mut msg: Msg) {
        let op = &self.plan.ops[at as usize];
        match op.ty.as_str() {
            "function" => {
                msg.path = format!("{}/{}", msg.path, op.id);
                for port in 0..op.ports.len() {
                    self.send(at, port, &msg);
                }
            }
            "link call" => {
                if let Some(&target) = op.targets.first() {
                    msg.callers.push(at);
                    self.handle(target, msg);
                }
            }
            "link out" if op.props.get("mode").and_then(Json::as_str) == Some("return") => {
                if let Some(caller) = msg.callers.pop() {
                    assert!(
                        op.targets.contains(&caller),
                        "{} may not return to {caller}",
                        op.id
                    );
                    self.send(caller, 0, &msg);
                }
            }
            _ => self.send(at, 0, &msg),
        }
    }

    fn send(&mut self, from: u32, port: usize, msg: &Msg) {
        let Some(port) = self.plan.ops[from as usize].ports.get(port) else {
            return;
        };
        for edge in &port.edges {
            if edge.fused {
                self.handle(edge.to, msg.clone());
            } else {
                self.queue.push_back((edge.to, msg.clone()));
            }
        }
    }
}

fn compile(flow: &Json, optimise: bool, unobserved: bool) -> Plan {
    let mut sources = SourceMap::new();
    let (doc, _) = FlowDoc::parse(&mut sources, "flow", flow.to_string());
    let session = Session::new(
        SPECS,
        Options {
            optimise,
            ..Options::default()
        },
    );
    let session = if unobserved {
        session.unobserved()
    } else {
        session
    };
    let compiled = session.compile(&doc);
    assert!(
        !compiled.diagnostics.has_errors(),
        "{:?}",
        compiled.diagnostics
    );
    compiled.plan
}

#[test]
fn messages_take_the_ways_of_node_red() {
    let record: Json = serde_json::from_str(include_str!("recorded/routes.json")).unwrap();
    let (mut faults, mut checked, mut fused) = (Vec::new(), 0, 0);
    for (number, case) in record["cases"].as_array().unwrap().iter().enumerate() {
        for (optimise, unobserved) in [(false, false), (true, false), (true, true)] {
            let plan = compile(&case["flow"], optimise, unobserved);
            let edges = plan
                .ops
                .iter()
                .flat_map(|op| &op.ports)
                .flat_map(|port| &port.edges);
            fused += edges.filter(|edge| edge.fused).count();
            for (start, seen) in case["seen"].as_object().unwrap() {
                let at = plan.ops.iter().position(|op| op.id == *start).unwrap();
                let mut found = Run::of(&plan, at as u32);
                let mut expected: BTreeMap<&str, Vec<String>> = BTreeMap::new();
                for (id, paths) in seen.as_object().unwrap() {
                    let paths = paths.as_array().unwrap().iter();
                    expected.insert(
                        id,
                        paths
                            .map(|path| path.as_str().unwrap().to_owned())
                            .collect(),
                    );
                }
                if unobserved {
                    // A junction that was wired past sees nothing.
                    let nodes = case["flow"].as_array().unwrap();
                    let junctions = nodes.iter().filter(|node| node["type"] == "junction");
                    for id in junctions.filter_map(|node| node["id"].as_str()) {
                        let inner = format!("-{id}");
                        let other = |at: &&str| **at != *id && !at.ends_with(&inner);
                        found.retain(|at, _| other(at));
                        expected.retain(|at, _| other(at));
                    }
                }
                if found != expected {
                    faults.push(format!(
                        "case {number} (optimise {optimise}, unobserved {unobserved}), {start}:\n  {found:?}\n  {expected:?}"
                    ));
                }
                checked += 1;
            }
        }
    }
    assert!(
        checked > 300 && fused > 100,
        "only {checked} runs, {fused} fused edges"
    );
    assert!(
        faults.is_empty(),
        "{} faults of {checked} runs:\n{}",
        faults.len(),
        faults.join("\n")
    );
}
