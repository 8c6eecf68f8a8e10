//! Scopes and environment variables against what Node-RED 5.0.4 was seen to do with random flows: `recorded/record.js` makes the
//! flows and the record.

use serde_json::Value as Json;
use vgdc_driver::{Options, Session};
use vgdc_plan::{Chain, EnvIndex, EnvScope, EnvVar, Op, Plan};
use vgdc_spec::{Effect, NodeSpec, Outputs, Role, Types};
use vgdc_syntax::{FlowDoc, SourceMap};

const fn spec(ty: &'static str, role: Role) -> NodeSpec {
    NodeSpec {
        ty,
        category: "test",
        inputs: 1,
        outputs: Outputs::Fixed(1),
        role,
        effect: Effect::State,
        fields: &[],
        form: &[],
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
    spec("catch", Role::Catch),
    spec("status", Role::Status),
    spec("complete", Role::Complete),
    spec("global-config", Role::GlobalEnv),
    spec("subflow", Role::SubflowInstance),
];

fn compile(flow: &Json) -> Plan {
    let mut sources = SourceMap::new();
    let (doc, _) = FlowDoc::parse(&mut sources, "flow", flow.to_string());
    let compiled = Session::new(SPECS, Options::default()).compile(&doc);
    assert!(
        !compiled.diagnostics.has_errors(),
        "{:?}",
        compiled.diagnostics
    );
    compiled.plan
}

/// Who is told, by the rules that the plan states.
fn told(chains: &[Chain]) -> Vec<u32> {
    let mut told = Vec::new();
    for chain in chains {
        for level in &chain.levels {
            let (mut handled, mut leftover) = (false, false);
            for listener in level {
                if listener.uncaught && !leftover {
                    if handled {
                        continue;
                    }
                    leftover = true;
                }
                told.push(listener.op);
                handled = true;
            }
            if handled {
                break;
            }
        }
    }
    told
}

fn heard<'a>(plan: &'a Plan, op: &Op) -> Vec<&'a str> {
    let mut ops = told(&op.catch);
    ops.extend(told(&op.status));
    ops.extend(&op.complete);
    ops.iter()
        .map(|&op| plan.ops[op as usize].id.as_str())
        .collect()
}

/// What `env.get` gives, by the rules that the plan states.
fn env_get(plan: &Plan, op: &Op, name: &str) -> Json {
    let path = || {
        format!(
            "{}/{}",
            plan.flows[op.flow as usize].path,
            op.alias.as_ref().unwrap_or(&op.id)
        )
    };
    match name {
        // A function node keeps an empty name, where other nodes have none.
        "NR_NODE_NAME" => op.props.get("name").cloned().unwrap_or_default(),
        "NR_NODE_ID" => op.id.as_str().into(),
        "NR_NODE_PATH" => path().into(),
        _ => look_up(plan, op.env, name),
    }
}

fn look_up(plan: &Plan, scope: EnvIndex, name: &str) -> Json {
    let level = &plan.env[scope as usize];
    if let Some(rest) = name.strip_prefix("$parent.") {
        return level
            .outer
            .or(level.parent)
            .map_or(Json::Null, |outer| look_up(plan, outer, rest));
    }
    if let Some((_, value)) = level.builtin.iter().find(|(known, _)| known == name) {
        return value.as_str().into();
    }
    match level.vars.iter().rev().find(|var| var.name == name) {
        Some(var) => evaluate(plan, scope, var),
        None => level
            .parent
            .map_or(Json::Null, |parent| look_up(plan, parent, name)),
    }
}

fn evaluate(plan: &Plan, scope: EnvIndex, var: &EnvVar) -> Json {
    let text = var.value.as_str().unwrap_or_default();
    match var.ty.as_str() {
        "env" if !evaluated_before(plan, scope, var, text) => UNSPECIFIED.into(),
        "env" => match look_up(plan, var.scope.unwrap_or(scope), text) {
            Json::Null => "".into(),
            value => value,
        },
        "num" => Json::from(text.parse::<i64>().unwrap()),
        _ => var.value.clone(),
    }
}

/// What is not compared: Node-RED takes the text of a variable of the same level that it has not evaluated yet, as it is written.
/// Here variables have no order.
const UNSPECIFIED: &str = "unspecified";

fn evaluated_before(plan: &Plan, scope: EnvIndex, var: &EnvVar, name: &str) -> bool {
    let level = level(plan, scope);
    let at = |name: &str| level.iter().position(|var| var.name == name);
    match at(name) {
        Some(other) => level[other].ty != "env" || Some(other) < at(&var.name),
        None => true,
    }
}

/// The variables of the level that a scope belongs to, in the order in which Node-RED evaluates them: those of a subflow instance
/// are the template's, each with the instance's value in its place, then the instance's own.
fn level(plan: &Plan, scope: EnvIndex) -> Vec<&EnvVar> {
    let above =
        |(_, level): &(usize, &EnvScope)| level.parent == Some(scope) && level.outer.is_some();
    let upper = plan
        .env
        .iter()
        .enumerate()
        .find(above)
        .map_or(scope, |(at, _)| at as u32);
    let own = &plan.env[upper as usize];
    let Some(lower) = own.parent.filter(|_| own.outer.is_some()) else {
        return own.vars.iter().collect();
    };
    let lower = &plan.env[lower as usize].vars;
    let of = |vars: &[EnvVar], name: &str| vars.iter().position(|var| var.name == name);
    let template = lower
        .iter()
        .map(|var| of(&own.vars, &var.name).map_or(var, |at| &own.vars[at]));
    let rest = own.vars.iter().filter(|var| of(lower, &var.name).is_none());
    template.chain(rest).collect()
}

#[test]
fn scopes_and_variables_are_those_of_node_red() {
    let record: Json = serde_json::from_str(include_str!("recorded/scopes.json")).unwrap();
    let asked: Vec<&str> = record["asked"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    let mut faults = Vec::new();
    let mut checked = 0;
    for (number, case) in record["cases"].as_array().unwrap().iter().enumerate() {
        let plan = compile(&case["flow"]);
        for (id, seen) in case["seen"].as_object().unwrap() {
            let op = plan
                .ops
                .iter()
                .find(|op| op.id == *id)
                .unwrap_or_else(|| panic!("no {id} in case {number}"));
            let expected: Vec<&str> = seen["heard"]
                .as_array()
                .unwrap()
                .iter()
                .map(|id| id.as_str().unwrap())
                .collect();
            let found = heard(&plan, op);
            if found != expected {
                faults.push(format!(
                    "case {number}, {id}: heard by {found:?}, in Node-RED by {expected:?}"
                ));
            }
            for (name, expected) in asked.iter().zip(seen["env"].as_array().unwrap()) {
                let found = env_get(&plan, op, name);
                if found != *expected && found != UNSPECIFIED {
                    faults.push(format!(
                        "case {number}, {id}: {name} is {found}, in Node-RED {expected}"
                    ));
                }
            }
            checked += 1;
        }
    }
    assert!(checked > 300, "only {checked} nodes");
    assert!(
        faults.is_empty(),
        "{} faults of {checked} nodes:\n{}",
        faults.len(),
        faults.join("\n")
    );
}
