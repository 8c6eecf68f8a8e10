//! Flows that Rust functions give, put into the flow that they stand in: one plan of both, so that a message goes from one into the
//! other as along any wire.
//!
//! The operator that stands for the flow passes on to its **program in**; what its **program out**s get goes where the operator's
//! outputs lead, the first one's where output 0 leads. The ids of what is in it begin with the id of the operator.

use std::collections::HashMap;
use vgdc_core::Linked;
use vgdc_plan::{Chain, Edge, EnvVar, OpIndex, Plan};
use vgdc_value::Value;

/// What passes messages on.
const PASSES: &str = "junction";

/// A plan with the functions that are linked for it.
pub(crate) struct Linkable {
    pub plan: Plan,
    pub linked: Vec<Linked>,
}

/// Puts a flow into another one, in the place of the operator with this id. `env` are the inner one's own variables.
///
/// # Errors
/// The inner flow has no way in, or fewer ways out than the outer one counts on.
pub(crate) fn put_in(
    outer: &mut Linkable,
    id: &str,
    inner: Linkable,
    env: &HashMap<String, Option<String>>,
) -> Result<(), String> {
    let found = outer.plan.ops.iter().position(|op| op.id == id);
    let at = found.ok_or_else(|| format!("there is no operator {id}"))?;
    let (inputs, outs) = (
        ends(&inner.plan, "program in"),
        ends(&inner.plan, "program out"),
    );
    let [input] = inputs[..] else {
        return Err(format!(
            "the flow that stands for {id} has {} program in nodes: it needs one",
            inputs.len()
        ));
    };
    let ops = outer.plan.ops.len() as u32;
    let mut plan = inner.plan;
    shift(&mut plan, outer, id);
    for (name, value) in env {
        let var = EnvVar {
            name: name.clone(),
            ty: "str".to_owned(),
            value: value.clone().unwrap_or_default().into(),
            ..EnvVar::default()
        };
        if let Some(scope) = plan.env.first_mut() {
            scope.vars.push(var);
        }
    }
    let stands = &mut outer.plan.ops[at];
    let leads = std::mem::take(&mut stands.ports);
    let needed = leads.iter().rposition(|port| !port.edges.is_empty());
    if let Some(needed) = needed.filter(|needed| *needed >= outs.len()) {
        return Err(format!(
            "output {needed} of {id} leads on, and the flow that stands for it has {} program out nodes",
            outs.len()
        ));
    }
    let to = ops + input;
    stands.ports = vec![vgdc_plan::Port {
        edges: vec![Edge {
            to,
            ..Edge::default()
        }],
    }];
    stands.process = Some(PASSES.to_owned());
    plan.ops[input as usize].process = Some(PASSES.to_owned());
    for (&out, mut port) in outs.iter().zip(leads) {
        // (what was proved of a wire was proved of the operator that it began at)
        port.edges.iter_mut().for_each(|edge| edge.fused = false);
        let op = &mut plan.ops[out as usize];
        op.process = Some(PASSES.to_owned());
        op.ports = vec![port];
    }
    // Errors and statuses that nobody in there handles are told those who hear of the operator.
    let heard = (stands.catch.clone(), stands.status.clone());
    for op in &mut plan.ops {
        hear_on(&mut op.catch, &heard.0);
        hear_on(&mut op.status, &heard.1);
    }
    let meets: Vec<u32> = outs.iter().chain([&input]).map(|op| ops + op).collect();
    join_islands(&mut outer.plan, plan.islands, at as u32, &meets);
    outer.plan.ops.append(&mut plan.ops);
    outer.plan.flows.append(&mut plan.flows);
    outer.plan.env.append(&mut plan.env);
    outer.plan.regions.append(&mut plan.regions);
    if let Some(mut code) = plan.code {
        match &mut outer.plan.code {
            Some(own) => own.functions.append(&mut code.functions),
            own => *own = Some(code),
        }
    }
    outer.linked.extend(inner.linked);
    // (what islands cost was measured of each flow alone)
    outer.plan.loads.clear();
    outer
        .plan
        .verify()
        .map_err(|fault| format!("this is a fault of vgdc: {fault}"))
}

/// The operators of a type, in order.
fn ends(plan: &Plan, ty: &str) -> Vec<OpIndex> {
    let all = (0..).zip(&plan.ops);
    all.filter(|(_, op)| op.ty == ty)
        .map(|(index, _)| index)
        .collect()
}

/// Has a plan's numbers and ids begin where those of another end.
fn shift(plan: &mut Plan, outer: &Linkable, id: &str) {
    let ops = outer.plan.ops.len() as u32;
    let flows = outer.plan.flows.len() as u32;
    let envs = outer.plan.env.len() as u32;
    let functions = outer.linked.len() as u32;
    let within = |own: &mut String| *own = id_within(id, own);
    let all = |list: &mut Vec<OpIndex>| list.iter_mut().for_each(|op| *op += ops);
    for op in &mut plan.ops {
        within(&mut op.id);
        op.z.iter_mut().for_each(within);
        op.g.iter_mut().for_each(within);
        op.wires.iter_mut().flatten().for_each(within);
        op.flow += flows;
        op.env += envs;
        for edge in op.ports.iter_mut().flat_map(|port| &mut port.edges) {
            edge.to += ops;
        }
        let chains = op.catch.iter_mut().chain(&mut op.status);
        for listener in chains.flat_map(|chain| &mut chain.levels).flatten() {
            listener.op += ops;
        }
        all(&mut op.complete);
        all(&mut op.targets);
        all(&mut op.configs);
        op.native
            .values_mut()
            .for_each(|number| *number += functions);
    }
    for flow in &mut plan.flows {
        within(&mut flow.id);
        within(&mut flow.path);
        flow.parent = flow.parent.map(|parent| parent + flows);
        flow.env += envs;
    }
    for scope in &mut plan.env {
        // (`global` of the outer flow is around it)
        scope.parent = Some(scope.parent.map_or(0, |parent| parent + envs));
        scope.outer = scope.outer.map(|outer| outer + envs);
        scope.credentials_of.iter_mut().for_each(within);
        for var in &mut scope.vars {
            var.scope = var.scope.map(|scope| scope + envs);
        }
    }
    for region in &mut plan.regions {
        region.function += functions;
        region.stages.iter_mut().for_each(|stage| stage.op += ops);
    }
    plan.islands.iter_mut().for_each(all);
}

/// Adds the levels around to each chain.
fn hear_on(chains: &mut Vec<Chain>, around: &[Chain]) {
    match chains.is_empty() {
        true => chains.extend_from_slice(around),
        false => {
            let levels = around.iter().flat_map(|chain| chain.levels.iter().cloned());
            let levels: Vec<_> = levels.collect();
            for chain in chains {
                chain.levels.extend_from_slice(&levels);
            }
        }
    }
}

/// Adds islands; those that have one of these operators become a part of the operator's.
fn join_islands(plan: &mut Plan, islands: Vec<Vec<OpIndex>>, at: OpIndex, meets: &[OpIndex]) {
    for island in islands {
        let is_met = island.iter().any(|op| meets.contains(op));
        let own = plan.islands.iter_mut().find(|island| island.contains(&at));
        match own.filter(|_| is_met) {
            Some(own) => own.extend(island),
            None => plan.islands.push(island),
        }
    }
}

/// The id of a node in a flow that stands in another one.
pub(crate) fn id_within(id: &str, node: &str) -> String {
    format!("{id}/{node}")
}

/// A value of a setting: the outer flow's own counts.
pub(crate) fn settings_of(own: &mut vgdc_value::Object, inner: vgdc_value::Object) {
    for (name, value) in &inner {
        if matches!(own.get(name.as_str()), None | Some(Value::Undefined)) {
            own.insert(name.as_str(), value.clone());
        }
    }
}
