//! `fuse` and `erase_junctions` against a simulation of the queue: on random graphs, with operators that forward, multiply, drop,
//! keep state and share keys, every operator sees the same messages in the same order with and without them.

use std::collections::{BTreeSet, HashMap, VecDeque};

use proptest::collection::vec;
use proptest::prelude::*;
use vgdc_ir::{
    EdgeKind, EnvId, EnvScope, Flow, FlowId, FlowKind, Graph, OpId, Operator, Origin, Part, Ty,
};
use vgdc_middle::passes::{erase_junctions, fuse};
use vgdc_middle::{ContextUse, Keys, Trace};
use vgdc_spec::Effect;

/// A graph in a few numbers.
#[derive(Clone, Debug)]
struct Plan {
    /// For each operator: whether it is a junction, and the key that it shares with others.
    ops: Vec<(bool, Option<u8>)>,
    /// From, to, output (2: an edge without a turn, such as one to a catch node).
    edges: Vec<(usize, usize, u16)>,
    /// What comes from outside, each to an empty queue: at which operator, how many messages, and whether the operator takes
    /// them or sends them.
    events: Vec<(usize, u8, bool)>,
}

fn plan() -> impl Strategy<Value = Plan> {
    (3..10usize).prop_flat_map(|count| {
        // Mostly forward edges, so that there is something to fuse.
        let edge = (0..count, 0..count, 0..3u16, any::<u8>()).prop_map(|(a, b, port, back)| {
            if back < 24 || a == b {
                (a, b, port)
            } else {
                (a.min(b), a.max(b), port)
            }
        });
        let op = (
            prop::bool::weighted(0.3),
            proptest::option::weighted(0.25, 0..2u8),
        );
        let event = (0..count, 1..3u8, any::<bool>());
        (vec(op, count), vec(edge, 2..12), vec(event, 1..4)).prop_map(|(ops, edges, events)| Plan {
            ops,
            edges,
            events,
        })
    })
}

/// Loops that are entered somewhere, with a few more edges.
fn looped() -> impl Strategy<Value = Plan> {
    (plan(), 2..6usize).prop_map(|(mut plan, length)| {
        let count = plan.ops.len();
        let length = length.min(count - 1);
        plan.edges.truncate(2);
        for at in 0..length {
            plan.edges.push((1 + at, 1 + (at + 1) % length, 0));
        }
        plan.edges.push((0, 1, 0));
        plan
    })
}

fn graph(plan: &Plan) -> (Graph, HashMap<OpId, ContextUse>) {
    let mut graph = Graph::new();
    graph.add_env(EnvScope::default());
    graph.add_flow(Flow {
        id: "global".into(),
        label: String::new(),
        kind: FlowKind::Global,
        parent: None,
        path: "global".into(),
        env: EnvId(0),
    });
    let mut uses = HashMap::new();
    for (at, (junction, key)) in plan.ops.iter().enumerate() {
        let id = graph.add_op(operator(at, *junction));
        if let Some(key) = key.filter(|_| !junction) {
            let flow = Keys::Known(BTreeSet::from([key.to_string()]));
            uses.insert(
                id,
                ContextUse {
                    flow,
                    ..ContextUse::default()
                },
            );
        }
    }
    for &(from, to, port) in &plan.edges {
        let kind = match (plan.ops[from].0, port) {
            (true, _) => EdgeKind::Wire(0),
            (false, 2) => EdgeKind::Complete,
            (false, port) => EdgeKind::Wire(port),
        };
        graph.connect(OpId(from as u32), OpId(to as u32), kind);
    }
    (graph, uses)
}

fn operator(at: usize, junction: bool) -> Operator {
    Operator {
        id: format!("n{at}"),
        alias: None,
        ty: "any".into(),
        process: None,
        place: None,
        name: None,
        z: None,
        g: None,
        flow: FlowId(0),
        heard_in: FlowId(0),
        group: None,
        env: EnvId(0),
        part: if junction {
            Part::Junction
        } else {
            Part::Operator
        },
        effect: Effect::State,
        props: serde_json::Map::new(),
        wires: Vec::new(),
        input: Ty::ANY,
        outputs: vec![Ty::ANY; 2],
        disabled: false,
        fingerprint: String::new(),
        origin: Origin::default(),
    }
}

/// A message: what it is, and how many operators it may yet pass.
#[derive(Clone, Copy)]
struct Msg(u64, u8);

struct Simulation<'a> {
    graph: &'a Graph,
    keys: Vec<Option<u8>>,
    queue: VecDeque<(OpId, Msg)>,
    arrived: Vec<Vec<u64>>,
    state: Vec<u64>,
    shared: [u64; 2],
    busy: Vec<bool>,
    steps: usize,
}

const MOST_STEPS: usize = 4000;

fn mix(values: &[u64]) -> u64 {
    values.iter().fold(0x9e37_79b9_7f4a_7c15, |hash, value| {
        let mixed = (hash ^ value).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 29)
    })
}

impl Simulation<'_> {
    fn handle(&mut self, op: OpId, msg: Msg) {
        let at = op.index();
        self.steps += 1;
        if self.busy[at] || self.steps > MOST_STEPS {
            self.queue.push_back((op, msg));
            return;
        }
        self.busy[at] = true;
        self.arrived[at].push(msg.0);
        if self.graph.op(op).part == Part::Junction {
            self.send(op, EdgeKind::Wire(0), msg);
        } else {
            self.work(op, msg);
        }
        self.busy[at] = false;
    }

    /// An operator that keeps state, and reads and writes what it shares between its sends.
    fn work(&mut self, op: OpId, msg: Msg) {
        let at = op.index();
        let mut hash = mix(&[at as u64, msg.0, self.state[at]]);
        for send in 0..(hash >> 8) % 4 {
            if let Some(key) = self.keys[at] {
                let shared = &mut self.shared[usize::from(key)];
                hash = mix(&[hash, *shared]);
                *shared = mix(&[*shared, hash]);
            }
            let kinds = [EdgeKind::Wire(0), EdgeKind::Wire(1), EdgeKind::Complete];
            let kind = kinds[(hash >> (16 + send)) as usize % 3];
            if msg.1 > 0 {
                self.send(op, kind, Msg(mix(&[hash, send]), msg.1 - 1));
            }
        }
        self.state[at] = hash;
    }

    fn send(&mut self, from: OpId, kind: EdgeKind, msg: Msg) {
        for edge in self.graph.out_edges(from) {
            if edge.kind() != kind {
                continue;
            }
            if edge.edge.fused || kind == EdgeKind::Complete {
                self.handle(edge.to, msg);
            } else {
                self.queue.push_back((edge.to, msg));
            }
        }
    }

    fn settle(&mut self) {
        while let Some((op, msg)) = self.queue.pop_front() {
            if self.steps > MOST_STEPS {
                return;
            }
            self.handle(op, msg);
        }
    }
}

/// What arrived at each operator; `None` when it does not end.
fn run(graph: &Graph, plan: &Plan) -> Option<Vec<Vec<u64>>> {
    let count = plan.ops.len();
    let mut simulation = Simulation {
        graph,
        keys: plan
            .ops
            .iter()
            .map(|(junction, key)| key.filter(|_| !junction))
            .collect(),
        queue: VecDeque::new(),
        arrived: vec![Vec::new(); count],
        state: vec![0; count],
        shared: [1, 2],
        busy: vec![false; count],
        steps: 0,
    };
    for (number, &(op, messages, takes)) in plan.events.iter().enumerate() {
        let op = OpId(op as u32);
        for message in 0..u64::from(messages) {
            let msg = Msg(mix(&[number as u64, message]), 5);
            if takes {
                simulation.handle(op, msg);
            } else {
                simulation.send(op, EdgeKind::Wire((message % 2) as u16), msg);
            }
        }
        simulation.settle();
    }
    (simulation.steps <= MOST_STEPS).then_some(simulation.arrived)
}

fn fused_edges(graph: &Graph) -> usize {
    graph.all_edges().filter(|edge| edge.edge.fused).count()
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 3000,
        max_global_rejects: 100_000,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn fusing_changes_no_sequence(plan in plan()) {
        let (before, uses) = graph(&plan);
        let mut after = before.clone();
        fuse::run(&mut after, &uses, &mut Trace::default());
        prop_assume!(fused_edges(&after) > 0);
        let (Some(expected), Some(found)) = (run(&before, &plan), run(&after, &plan)) else {
            return Err(TestCaseError::reject("does not end"));
        };
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn fusing_loops_changes_no_sequence(plan in looped()) {
        let (before, uses) = graph(&plan);
        let mut after = before.clone();
        fuse::run(&mut after, &uses, &mut Trace::default());
        prop_assume!(fused_edges(&after) > 0);
        let (Some(expected), Some(found)) = (run(&before, &plan), run(&after, &plan)) else {
            return Err(TestCaseError::reject("does not end"));
        };
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn erasing_junctions_changes_no_sequence(plan in plan()) {
        let (before, uses) = graph(&plan);
        let mut after = before.clone();
        let mut trace = Trace::default();
        erase_junctions::run(&mut after, &uses, &mut trace);
        fuse::run(&mut after, &uses, &mut trace);
        let erased = |entry: &vgdc_middle::trace::Entry| entry.pass == "erase_junctions" && entry.fired;
        prop_assume!(trace.entries().iter().any(erased));
        let (Some(mut expected), Some(mut found)) = (run(&before, &plan), run(&after, &plan)) else {
            return Err(TestCaseError::reject("does not end"));
        };
        // What is wired past is no longer seen at the junction itself.
        for (at, _) in plan.ops.iter().enumerate().filter(|(_, (junction, _))| *junction) {
            expected[at].clear();
            found[at].clear();
        }
        prop_assert_eq!(found, expected);
    }
}

fn fused(ops: &[(bool, Option<u8>)], edges: &[(usize, usize, u16)]) -> Vec<(u32, u32)> {
    let plan = Plan {
        ops: ops.to_vec(),
        edges: edges.to_vec(),
        events: Vec::new(),
    };
    let (mut graph, uses) = graph(&plan);
    fuse::run(&mut graph, &uses, &mut Trace::default());
    graph
        .all_edges()
        .filter(|edge| edge.edge.fused)
        .map(|edge| (edge.from.0, edge.to.0))
        .collect()
}

const PLAIN: (bool, Option<u8>) = (false, None);

#[test]
fn chains_and_trees_are_fused_whole() {
    let chain = [(0, 1, 0), (1, 2, 0), (2, 3, 0)];
    assert_eq!(fused(&[PLAIN; 4], &chain), [(0, 1), (1, 2), (2, 3)]);
    let tree = [(0, 1, 0), (0, 2, 1), (1, 3, 0)];
    assert_eq!(fused(&[PLAIN; 4], &tree), [(0, 1), (0, 2), (1, 3)]);
}

#[test]
fn what_comes_together_again_is_not_fused_above() {
    // 0 → 1 → 3 and 0 → 2 → 3: taking a turn out of one way would change the order at 3.
    let diamond = [(0, 1, 0), (0, 2, 0), (1, 3, 0), (2, 3, 0), (3, 4, 0)];
    assert_eq!(fused(&[PLAIN; 5], &diamond), [(3, 4)]);
}

#[test]
fn a_loop_that_nothing_enters_is_not_fused() {
    assert_eq!(fused(&[PLAIN; 2], &[(0, 1, 0), (1, 0, 0)]), []);
    assert_eq!(fused(&[PLAIN; 1], &[(0, 0, 0)]), []);
}

#[test]
fn a_simple_loop_is_fused_but_for_where_it_is_entered() {
    let simple = [(0, 1, 0), (1, 2, 0), (2, 3, 0), (3, 1, 0), (2, 4, 1)];
    assert_eq!(fused(&[PLAIN; 5], &simple), [(1, 2), (2, 3), (2, 4)]);
    // What leads to it may lead elsewhere, too, if that has nothing to do with the loop.
    let aside = [(0, 1, 0), (1, 2, 0), (2, 1, 0), (0, 3, 1), (3, 4, 0)];
    assert_eq!(fused(&[PLAIN; 5], &aside), [(0, 3), (1, 2), (3, 4)]);
    // A loop of which one way takes no turn would have none left.
    assert_eq!(fused(&[PLAIN; 3], &[(0, 1, 0), (1, 2, 1), (2, 1, 2)]), []);
    let comes_back = [(0, 1, 0), (1, 2, 0), (2, 1, 0), (0, 3, 1), (2, 3, 1)];
    assert_eq!(fused(&[PLAIN; 4], &comes_back), []);
    // What two places of the loop lead to would see their messages in another order,
    let comes_together = [(0, 1, 0), (1, 2, 0), (2, 1, 0), (1, 3, 1), (2, 3, 1)];
    assert_eq!(fused(&[PLAIN; 4], &comes_together), []);
    // as would the loop itself, when what leads to it leads there by two ways,
    let two_ways_in = [(0, 1, 0), (0, 2, 1), (2, 1, 0), (1, 3, 0), (3, 1, 0)];
    assert_eq!(fused(&[PLAIN; 4], &two_ways_in), []);
    // or when there are two ways around.
    let two_ways_around = [(0, 1, 0), (1, 2, 0), (2, 1, 0), (1, 3, 1), (3, 1, 0)];
    assert_eq!(fused(&[PLAIN; 4], &two_ways_around), []);
    let shares = (false, Some(0));
    let simple = [(0, 1, 0), (1, 2, 0), (2, 1, 0)];
    assert_eq!(fused(&[PLAIN, shares, shares], &simple), []);
    assert_eq!(fused(&[PLAIN, shares, PLAIN], &simple), [(1, 2)]);
}

#[test]
fn sharing_a_key_across_the_edge_forbids_it() {
    let shares = (false, Some(0));
    let chain = [(0, 1, 0), (1, 2, 0)];
    assert_eq!(fused(&[shares, PLAIN, shares], &chain), []);
    assert_eq!(fused(&[PLAIN, shares, shares], &chain), [(0, 1)]);
}

#[test]
fn a_long_chain_is_cut() {
    let edges: Vec<_> = (0..200).map(|at| (at, at + 1, 0)).collect();
    let fused = fused(&[PLAIN; 201], &edges);
    let is_fused = |at: u32| fused.contains(&(at, at + 1));
    let missing: Vec<u32> = (0..200).filter(|at| !is_fused(*at)).collect();
    assert_eq!(missing, [64, 129, 194]);
}
