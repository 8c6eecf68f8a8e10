//! The host's part of a plan, as flows of Node-RED's: the nodes that run there, the configuration nodes that they refer to,
//! and wires. Where a wire leads back, it ends in a way out that the host knows by its name.

use crate::place::runs_in;
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use vgdc_core::Shared;
use vgdc_plan::{EnvIndex, FlowIndex, Op, OpIndex, Plan};
use vgdc_value::{Value, control};

/// How a way out begins; then come the output's number and the node's id.
const OUT: &str = "vgdc-out:";

/// The most levels of `$parent.` that are looked at.
const DEEPEST: usize = 8;

/// What the host is told to run, without the number of the deployment.
pub fn part(shared: &Shared, place: &str, without: &[String]) -> Map<String, Json> {
    let plan = &*shared.plan;
    let ops = with_configs(plan, place, without);
    let mut flows: BTreeMap<FlowIndex, Json> = BTreeMap::new();
    let mut groups: BTreeMap<String, Json> = BTreeMap::new();
    let (mut flow_envs, mut group_envs) = (Map::new(), Map::new());
    let (mut nodes, mut credentials, mut wanted) = (Vec::new(), Map::new(), Vec::new());
    for &index in &ops {
        let op = &plan.ops[index as usize];
        let flow = &plan.flows[op.flow as usize];
        let is_in_flow = flow.id != "global";
        if is_in_flow {
            flows.entry(op.flow).or_insert_with(|| {
                flow_envs.insert(flow.id.clone(), env(shared, flow.env));
                json!({ "id": flow.id, "type": "tab", "label": flow.label, "disabled": false })
            });
        }
        if let Some(group) = op.g.as_ref().filter(|_| is_in_flow && op.env != flow.env) {
            groups.entry(group.clone()).or_insert_with(|| {
                group_envs.insert(group.clone(), env(shared, op.env));
                json!({ "id": group, "type": "group", "z": flow.id, "nodes": [] })
            });
        }
        let secrets = shared.credentials(&op.id, op.alias.as_deref());
        if !secrets.is_empty() {
            credentials.insert(op.id.clone(), plain(&Value::Object(secrets)));
        }
        if runs_in(op, place) && !op.complete.is_empty() {
            wanted.push(Json::from(op.id.as_str()));
        }
        nodes.push(node(
            plan,
            op,
            is_in_flow.then_some(flow.id.as_str()),
            without,
        ));
    }
    let parents: Vec<Json> = flows.keys().flat_map(|&flow| parents(plan, flow)).collect();
    let all = flows.into_values().chain(groups.into_values()).chain(nodes);
    let mut part = Map::new();
    part.insert("flows".to_owned(), all.collect());
    part.insert("credentials".to_owned(), credentials.into());
    part.insert("parents".to_owned(), parents.into());
    part.insert(
        "envs".to_owned(),
        json!({ "flows": flow_envs, "groups": group_envs }),
    );
    part.insert("wanted".to_owned(), wanted.into());
    part
}

/// The operators that run there, and the configuration nodes of this side that they refer to, which run on both.
fn with_configs(plan: &Plan, place: &str, without: &[String]) -> BTreeSet<OpIndex> {
    let stays = |op: &Op| !without.contains(&op.id);
    let mut todo: Vec<OpIndex> = (0..)
        .zip(&plan.ops)
        .filter(|(_, op)| runs_in(op, place) && stays(op))
        .map(|(index, _)| index)
        .collect();
    let mut all = BTreeSet::new();
    while let Some(index) = todo.pop() {
        if all.insert(index) {
            todo.extend(&plan.ops[index as usize].configs);
        }
    }
    all
}

/// The types of all nodes that run there: those that are Node-RED's own have to be loaded, too.
pub fn types(plan: &Plan, place: &str) -> BTreeSet<String> {
    let ops = with_configs(plan, place, &[]).into_iter();
    ops.map(|index| plan.ops[index as usize].ty.clone())
        .collect()
}

fn node(plan: &Plan, op: &Op, flow: Option<&str>, without: &[String]) -> Json {
    let mut node = op.props.clone();
    node.insert("id".to_owned(), op.id.as_str().into());
    node.insert("type".to_owned(), op.ty.as_str().into());
    if let Some(flow) = flow {
        node.insert("z".to_owned(), flow.into());
    }
    if let Some(group) = &op.g {
        node.insert("g".to_owned(), group.as_str().into());
    }
    // A node that has a place on the canvas is none of configuration.
    if !op.twins.is_empty() {
        node.insert("x".to_owned(), 0.into());
        node.insert("y".to_owned(), 0.into());
        node.insert("wires".to_owned(), Json::Array(Vec::new()));
    } else if let Some(away) = op.away.as_ref().filter(|away| !away.config) {
        node.insert("x".to_owned(), 0.into());
        node.insert("y".to_owned(), 0.into());
        let outputs = op.ports.len().max(away.inner.len());
        let wires = (0..outputs).map(|output| {
            let inner = away.inner.get(output).into_iter().flatten();
            let inner = inner
                .map(|&to| &plan.ops[to as usize].id)
                .filter(|id| !without.contains(id))
                .map(|id| Json::from(id.as_str()));
            let leads_back = op
                .ports
                .get(output)
                .is_some_and(|port| !port.edges.is_empty());
            let out = leads_back.then(|| Json::from(format!("{OUT}{output}:{}", op.id)));
            inner.chain(out).collect::<Vec<_>>()
        });
        node.insert("wires".to_owned(), wires.collect());
    }
    node.into()
}

/// The flows around a subflow instance, outermost first: pairs of ids, a flow's and that of the one around it.
fn parents(plan: &Plan, flow: FlowIndex) -> Vec<Json> {
    let mut pairs = Vec::new();
    let mut at = plan.flows.get(flow as usize);
    while let Some(flow) = at {
        let parent = flow
            .parent
            .and_then(|parent| plan.flows.get(parent as usize));
        pairs.extend(parent.map(|parent| json!([flow.id, parent.id])));
        at = parent;
    }
    pairs.reverse();
    pairs
}

/// All variables that are seen from a scope, but those of the process.
fn env(shared: &Shared, scope: EnvIndex) -> Json {
    let mut all = Map::new();
    let mut names = names(&shared.plan, scope);
    let mut prefix = String::new();
    let mut at = scope;
    for _ in 0..DEEPEST {
        for name in names {
            let value = shared.env.get(at, name);
            all.insert(format!("{prefix}{name}"), plain(&value));
        }
        let level = shared.plan.env.get(at as usize);
        let Some(outer) = level.and_then(|level| level.outer.or(level.parent)) else {
            break;
        };
        prefix.push_str("$parent.");
        at = outer;
        names = self::names(&shared.plan, at);
    }
    all.into()
}

fn names(plan: &Plan, scope: EnvIndex) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    let mut at = plan.env.get(scope as usize);
    while let Some(level) = at {
        names.extend(level.builtin.iter().map(|(name, _)| name.as_str()));
        names.extend(level.vars.iter().map(|var| var.name.as_str()));
        at = level
            .parent
            .and_then(|parent| plan.env.get(parent as usize));
    }
    names
}

/// A value for a frame.
pub fn plain(value: &Value) -> Json {
    // (what the writer wrote is JSON)
    serde_json::from_str(&control::encode(value)).unwrap_or(Json::Null)
}
