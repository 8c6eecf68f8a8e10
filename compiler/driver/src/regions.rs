//! Operators that become one function: where the `fuse` pass lets one hand its messages straight to the next, and both are
//! code, the message goes through both in one call.
//!
//! A region is a tree: a message takes one way through it. Where an output has several wires, or leads to what is no code,
//! or an operator sends more than it is given, the region ends and the runtime goes on.

use std::collections::HashMap;

use vgdc_mir::{Body, Host, NodeCode, NodeLowering};
use vgdc_plan::{Op, OpIndex, Plan, Region, Stage};

use crate::native::Lowered;
use crate::profile::Usage;

/// The most operators in a function: what is longer than this is several regions.
const MOST_STAGES: usize = 64;
/// The most instructions: Cranelift's time grows a little faster than a function does.
const MOST_INSTS: usize = 4_000;

/// A node that says how it becomes code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The operator's place in the plan.
    pub op: usize,
    /// What passes made of the code, or why there is none.
    pub code: Result<Vec<String>, String>,
}

/// What an operator's code is.
enum Code {
    /// A function that others may have too, by its number.
    Shared(u32),
    Own(Box<Body>),
}

/// Finds the regions of a plan, and makes a function of each.
pub fn find(
    plan: &mut Plan,
    lowered: &mut Lowered,
    lowerings: &HashMap<&'static str, NodeLowering>,
    usage: &Usage,
) {
    let codes: Vec<Option<Code>> = (plan.ops.iter().enumerate())
        .map(|(at, op)| code_of(at, op, lowered, lowerings, usage))
        .collect();
    let mut inside = vec![false; plan.ops.len()];
    let mut regions: Vec<Vec<Stage>> = Vec::new();
    for op in in_order(plan) {
        if codes[op as usize].is_some() && !inside[op as usize] {
            let stages = grow(plan, &codes, lowered, op);
            stages
                .iter()
                .for_each(|stage| inside[stage.op as usize] = true);
            let alone = stages.len() == 1 && matches!(codes[op as usize], Some(Code::Shared(_)));
            // (a text by itself is called by its own node)
            if !alone {
                regions.push(stages);
            }
        }
    }
    for mut stages in regions {
        let parts: Vec<vgdc_mir::Stage<'_>> = stages
            .iter()
            .filter_map(|stage| {
                Some(vgdc_mir::Stage {
                    body: body(codes[stage.op as usize].as_ref()?, lowered),
                    from: stage.from,
                })
            })
            .collect();
        let mut fused = vgdc_mir::fuse(&parts);
        vgdc_mir::opt::optimise_fused(&mut fused.body);
        for (stage, kept) in stages.iter_mut().zip(&fused.kept) {
            stage.kept = kept.0;
        }
        let function = lowered.bodies.len() as u32;
        lowered.bodies.push(fused.body);
        plan.regions.push(Region { function, stages });
    }
}

fn body<'b>(code: &'b Code, lowered: &'b Lowered) -> &'b Body {
    match code {
        Code::Shared(number) => &lowered.bodies[*number as usize],
        Code::Own(body) => body,
    }
}

fn code_of(
    at: usize,
    op: &Op,
    lowered: &mut Lowered,
    lowerings: &HashMap<&'static str, NodeLowering>,
    usage: &Usage,
) -> Option<Code> {
    let lower = lowerings.get(op.process_type())?;
    // (whoever waits for a node's end wants the message as it was then)
    let made = match op.complete.is_empty() {
        true => lower(&op.props, usage.sent(&op.id)),
        false => Err("a complete node that listens to it".to_owned()),
    };
    let (code, said) = match made {
        Ok(NodeCode::Body(mut body)) => {
            if let Some(why) = usage.why_no_code(&op.id) {
                lowered.left.push((at, why));
                return None;
            }
            if !usage.sent(&op.id).is_empty()
                && lower(&op.props, &[]).as_ref() != Ok(&NodeCode::Body(body.clone()))
            {
                lowered.by_use.push(at);
            }
            vgdc_mir::opt::optimise(&mut body);
            usage.probe(&mut body);
            let did = body.did.clone();
            (Some(Code::Own(body)), Some(Ok(did)))
        }
        // (what is to be said about texts is said about them)
        Ok(NodeCode::JavaScript(property)) => {
            (op.native.get(property).copied().map(Code::Shared), None)
        }
        Err(why) => (None, Some(Err(why))),
    };
    lowered.nodes.extend(said.map(|code| Node { op: at, code }));
    code
}

/// The operators, each after those that hand it messages at once.
fn in_order(plan: &Plan) -> Vec<OpIndex> {
    let mut led_to = vec![false; plan.ops.len()];
    for edge in plan
        .ops
        .iter()
        .flat_map(|op| &op.ports)
        .flat_map(|port| &port.edges)
    {
        led_to[edge.to as usize] |= edge.fused;
    }
    let mut order = Vec::with_capacity(plan.ops.len());
    let mut todo: Vec<OpIndex> = (0..plan.ops.len() as OpIndex)
        .rev()
        .filter(|op| !led_to[*op as usize])
        .collect();
    while let Some(op) = todo.pop() {
        order.push(op);
        let ports = &plan.ops[op as usize].ports;
        let next = ports.iter().flat_map(|port| &port.edges);
        // (a fused edge is the only way to where it leads)
        todo.extend(next.filter(|edge| edge.fused).map(|edge| edge.to));
    }
    order
}

/// The region that begins here.
fn grow(plan: &Plan, codes: &[Option<Code>], lowered: &Lowered, first: OpIndex) -> Vec<Stage> {
    let mut stages = vec![Stage {
        op: first,
        ..Stage::default()
    }];
    let mut size = 0;
    let mut at = 0;
    while at < stages.len() {
        let op = &plan.ops[stages[at].op as usize];
        let code = codes[stages[at].op as usize].as_ref();
        if let Some(body) = code.map(|code| body(code, lowered)) {
            size += body
                .blocks
                .iter()
                .map(|block| block.insts.len())
                .sum::<usize>();
            // (who replaces the message has to be asked for the id that it came with)
            if !is_last(op, body) && !body.replaces {
                for (port, wires) in op.ports.iter().enumerate() {
                    if let [edge] = wires.edges.as_slice()
                        && edge.fused
                        && codes[edge.to as usize]
                            .as_ref()
                            .is_some_and(|next| !self::body(next, lowered).replaces)
                        && stages.len() < MOST_STAGES
                        && size < MOST_INSTS
                    {
                        stages.push(Stage {
                            op: edge.to,
                            kept: 0,
                            from: Some((at as u32, port as u32)),
                        });
                    }
                }
            }
        }
        at += 1;
    }
    stages
}

/// Whether what an operator does besides sending one message on has to be done before the next gets it.
fn is_last(op: &Op, body: &Body) -> bool {
    let heard = |chains: &[vgdc_plan::Chain]| chains.iter().any(|chain| !chain.levels.is_empty());
    body.asks(Host::Send)
        || body.asks(Host::Error) && heard(&op.catch)
        || body.asks(Host::Status) && heard(&op.status)
}
