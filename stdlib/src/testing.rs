//! Runs a small flow in a test and tells what its nodes did.
//!
//! No compiler stands behind it: nodes become operators as they are, wires and links become edges, scopes of catch, status and
//! complete nodes become lists. That is enough for a node's own tests; whole flows are tested where the compiler is.

use serde_json::{Map, Value as Json, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use vgdc_core::plan::{Chain, Edge, EnvScope, EnvVar, Listener, Op, OpIndex, Plan, Port};
use vgdc_core::spec::Role;
use vgdc_core::value::{Msg, Object, Value, control};
use vgdc_core::{Deployment, Event, EventKind, Kinds, Runtime, RuntimeOptions, Sink};

/// How long a test waits for something that has to happen.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running flow.
pub(crate) struct Flow {
    tokio: tokio::runtime::Runtime,
    runtime: Option<Runtime>,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen(Mutex<Vec<Event>>);

impl Sink for Seen {
    fn event(&self, event: Event) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(event);
    }
}

/// What a flow is started with, besides its nodes.
#[derive(Default)]
pub(crate) struct Setup {
    /// Static settings, in the control protocol's form.
    pub settings: Json,
    /// Secrets by node id.
    pub credentials: Json,
    /// Variables over the process's.
    pub env: Vec<(&'static str, &'static str)>,
}

impl Flow {
    /// Starts these nodes: an array as in a flow file.
    pub(crate) fn start(nodes: Json) -> Flow {
        Flow::start_with(nodes, Setup::default())
    }

    /// Starts these nodes with settings, credentials and variables.
    pub(crate) fn start_with(nodes: Json, setup: Setup) -> Flow {
        let tokio = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let tokio = tokio.expect("a tokio runtime");
        let seen = Arc::new(Seen::default());
        let mut options = RuntimeOptions::new(crate::registry());
        options.sink = seen.clone();
        options.workers = 1;
        let http = vgdc_http::HttpServer::new(([127, 0, 0, 1], 0).into());
        options.services.insert(Arc::new(http));
        let mut runtime = Runtime::new(options);
        let object = |json: &Json| match decoded(json) {
            Value::Object(object) => object,
            _ => Object::new(),
        };
        let credentials: HashMap<String, Object> = setup
            .credentials
            .as_object()
            .into_iter()
            .flatten()
            .map(|(id, secrets)| (id.clone(), object(secrets)))
            .collect();
        let deployment = Deployment {
            plan: Some(plan(&nodes)),
            credentials: Some(credentials),
            env: Some(
                setup
                    .env
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned())))
                    .collect(),
            ),
            settings: Some(object(&setup.settings)),
            ..Default::default()
        };
        tokio.block_on(async {
            runtime.watch(None, Kinds::ALL).await;
            runtime.deploy(deployment).await.expect("a deployment");
            runtime.settle().await;
        });
        Flow {
            tokio,
            runtime: Some(runtime),
            seen,
        }
    }

    /// The port of the HTTP listener.
    pub(crate) fn http_port(&self) -> u16 {
        let http = self.runtime().services().get::<vgdc_http::HttpServer>();
        let bound = http.expect("an HTTP listener").bind();
        bound.expect("a port").port()
    }

    fn runtime(&self) -> &Runtime {
        self.runtime
            .as_ref()
            .expect("a flow that has not been stopped")
    }

    /// Delivers a message (in the control protocol's form) to a node, and waits until all is quiet.
    pub(crate) fn receive(&self, node: &str, msg: Json) {
        self.post(node, msg);
        self.settle();
    }

    /// Delivers a message to a node without waiting.
    pub(crate) fn post(&self, node: &str, msg: Json) {
        let msg = Msg::try_from(decoded(&msg)).expect("a message");
        self.tokio
            .block_on(self.runtime().receive(node, Some(msg)))
            .expect("a node that runs");
    }

    /// Waits until no message is queued or being handled; timers may be pending.
    pub(crate) fn settle(&self) {
        self.tokio.block_on(self.runtime().settle());
    }

    /// Presses a button.
    pub(crate) fn button(&self, node: &str, msg: Option<Json>) {
        let pressed = self.runtime().button(node, msg.as_ref().map(decoded));
        self.tokio.block_on(pressed).expect("a button");
        self.settle();
    }

    /// Switches a debug node.
    pub(crate) fn activate(&self, node: &str, active: bool) {
        let nodes = [node.to_owned()];
        let switched = self.runtime().activate(&nodes, active);
        self.tokio.block_on(switched).expect("a node that runs");
    }

    /// Stops all nodes; what they do then can still be asked for.
    pub(crate) fn stop(&mut self) {
        let runtime = self
            .runtime
            .as_mut()
            .expect("a flow that has not been stopped");
        self.tokio
            .block_on(runtime.stop(None))
            .expect("nodes that stop");
    }

    /// A value of a context: `global`, `flow:ID` or `node:ID`.
    pub(crate) fn context(&self, scope: &str, key: &str) -> Value {
        let scope = scope.parse().expect("a scope");
        self.runtime()
            .stores()
            .get(&scope, key, None)
            .expect("a context value")
    }

    /// A node's state: `started` or `failed`.
    pub(crate) fn state(&self, node: &str) -> &'static str {
        let nodes = self.runtime().nodes();
        let found = nodes
            .iter()
            .find(|status| status.id == node)
            .expect("a node of the flow");
        match found.state {
            vgdc_core::island::State::Started => "started",
            vgdc_core::island::State::Failed => "failed",
            vgdc_core::island::State::Stopped => "stopped",
        }
    }

    fn events<T>(&self, node: &str, pick: impl Fn(&EventKind) -> Option<T>) -> Vec<T> {
        let events = self.seen.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = events
            .iter()
            .filter(|event| event.node.as_ref().is_some_and(|info| info.id == node));
        own.filter_map(|event| pick(&event.kind)).collect()
    }

    /// The messages that a node has got.
    pub(crate) fn received(&self, node: &str) -> Vec<Value> {
        self.events(node, |kind| match kind {
            EventKind::Input { msg } => Some(msg.to_value()),
            _ => None,
        })
    }

    /// The only message that a node has got.
    pub(crate) fn one_received(&self, node: &str) -> Value {
        match self.received(node).as_slice() {
            [one] => one.clone(),
            other => panic!("expected one message at {node}, got {other:?}"),
        }
    }

    /// Waits until a node has got this many messages; gives that many.
    pub(crate) fn wait_received(&self, node: &str, count: usize) -> Vec<Value> {
        let mut got = self.wait(|| Some(self.received(node)).filter(|got| got.len() >= count));
        got.truncate(count);
        got
    }

    /// Waits for a status that fits.
    pub(crate) fn wait_status(&self, node: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.wait(|| self.statuses(node).into_iter().find(|status| fits(status)))
    }

    /// Waits for something that has to happen.
    pub(crate) fn wait<T>(&self, look: impl Fn() -> Option<T>) -> T {
        let begin = Instant::now();
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(
                begin.elapsed() < PATIENCE,
                "nothing came within {PATIENCE:?}"
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// The messages that a node has finished with.
    pub(crate) fn finished(&self, node: &str) -> Vec<Value> {
        self.events(node, |kind| match kind {
            EventKind::Done { msg } => Some(msg.to_value()),
            _ => None,
        })
    }

    /// The errors that a node has raised.
    pub(crate) fn errors(&self, node: &str) -> Vec<Value> {
        self.events(node, |kind| match kind {
            EventKind::Error { message, .. } => Some(message.clone()),
            _ => None,
        })
    }

    /// What a node has logged: levels and values.
    pub(crate) fn logs(&self, node: &str) -> Vec<(String, Value)> {
        self.events(node, |kind| match kind {
            EventKind::Log { level, message } => Some((level.name().to_owned(), message.clone())),
            _ => None,
        })
    }

    /// The statuses that a node has set.
    pub(crate) fn statuses(&self, node: &str) -> Vec<Value> {
        self.events(node, |kind| match kind {
            EventKind::Status { status } => Some(status.clone()),
            _ => None,
        })
    }

    /// What a debug node has shown: property, format, value.
    pub(crate) fn debugs(&self, node: &str) -> Vec<(String, String, Value)> {
        self.events(node, |kind| match kind {
            EventKind::Debug {
                property,
                format,
                value,
                ..
            } => Some((property.clone(), format.clone(), value.clone())),
            _ => None,
        })
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            self.tokio.block_on(runtime.shutdown());
        }
    }
}

fn decoded(json: &Json) -> Value {
    match json {
        Json::Null => Value::Undefined,
        json => control::decode(&json.to_string()).expect("a value in the control protocol's form"),
    }
}

/// The nodes as a plan: one island; one flow for each tab and one for what has none; a scope of variables for each tab.
fn plan(nodes: &Json) -> Plan {
    let all: Vec<&Map<String, Json>> = nodes
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Json::as_object)
        .collect();
    let (tabs, nodes): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|node| text(node, "type") == "tab");
    let mut plan = Plan {
        format: vgdc_core::plan::FORMAT,
        env: vec![EnvScope::default()],
        ..Default::default()
    };
    plan.flows.push(vgdc_core::plan::Flow {
        id: "global".into(),
        path: "global".into(),
        ..Default::default()
    });
    for tab in &tabs {
        plan.env.push(EnvScope {
            parent: Some(0),
            vars: vars(tab),
            ..Default::default()
        });
        plan.flows.push(vgdc_core::plan::Flow {
            id: text(tab, "id"),
            label: text(tab, "label"),
            path: text(tab, "id"),
            env: plan.env.len() as u32 - 1,
            ..Default::default()
        });
    }
    let mut nodes = nodes;
    nodes.sort_by_key(|node| role(node) != Role::Config);
    let index: HashMap<String, OpIndex> = nodes
        .iter()
        .enumerate()
        .map(|(at, node)| (text(node, "id"), at as u32))
        .collect();
    plan.ops = nodes
        .iter()
        .map(|node| operator(node, &nodes, &index, &plan))
        .collect();
    plan.islands.push((0..plan.ops.len() as u32).collect());
    plan.verify().expect("a valid plan");
    plan
}

fn vars(tab: &Map<String, Json>) -> Vec<EnvVar> {
    let vars = tab
        .get("env")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .filter_map(Json::as_object);
    vars.map(|var| EnvVar {
        name: text(var, "name"),
        ty: text(var, "type"),
        value: var["value"].clone(),
        scope: None,
    })
    .collect()
}

fn operator(
    node: &Map<String, Json>,
    all: &[&Map<String, Json>],
    index: &HashMap<String, OpIndex>,
    plan: &Plan,
) -> Op {
    let z = node.get("z").and_then(Json::as_str).map(str::to_owned);
    let flow = plan
        .flows
        .iter()
        .position(|flow| Some(&flow.id) == z.as_ref())
        .unwrap_or(0);
    let structural = ["id", "type", "z", "g", "x", "y", "wires"];
    let wires = wires(node);
    let edges = |ids: &Vec<String>| Port {
        edges: ids
            .iter()
            .filter_map(|id| {
                Some(Edge {
                    to: *index.get(id)?,
                    fused: false,
                })
            })
            .collect(),
    };
    let listeners = |wanted: Role| {
        let listening = all
            .iter()
            .filter(|other| role(other) == wanted && listens(other, node));
        let mut level: Vec<Listener> = listening
            .map(|other| Listener {
                op: index[&text(other, "id")],
                uncaught: other.get("uncaught") == Some(&json!(true)),
            })
            .collect();
        level.sort_by_key(|listener| listener.uncaught);
        vec![Chain {
            levels: vec![level],
        }]
    };
    let of_role = |wanted: Role| {
        all.iter()
            .filter(|other| role(other) == wanted)
            .map(|other| index[&text(other, "id")])
            .collect()
    };
    Op {
        id: text(node, "id"),
        ty: text(node, "type"),
        name: node.get("name").and_then(Json::as_str).map(str::to_owned),
        z,
        flow: flow as u32,
        env: plan.flows[flow].env,
        props: node
            .iter()
            .filter(|(key, _)| !structural.contains(&key.as_str()))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect(),
        ports: wires.iter().map(edges).collect(),
        wires,
        catch: listeners(Role::Catch),
        status: listeners(Role::Status),
        complete: all
            .iter()
            .filter(|other| role(other) == Role::Complete && in_scope(other, node))
            .map(|other| index[&text(other, "id")])
            .collect(),
        targets: match role(node) {
            Role::LinkOut => of_role(Role::LinkCall),
            Role::LinkCall | Role::Operator => of_role(Role::LinkIn),
            _ => Vec::new(),
        },
        ..Default::default()
    }
}

fn wires(node: &Map<String, Json>) -> Vec<Vec<String>> {
    let ids = |list: &Json| {
        list.as_array()
            .into_iter()
            .flatten()
            .filter_map(Json::as_str)
            .map(str::to_owned)
            .collect()
    };
    if role(node) == Role::LinkOut && node.get("mode") != Some(&json!("return")) {
        return node.get("links").map(ids).into_iter().collect();
    }
    node.get("wires")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .map(ids)
        .collect()
}

/// A catch or status node listens to itself never, without a scope to all nodes of its flow.
fn listens(listener: &Map<String, Json>, node: &Map<String, Json>) -> bool {
    let same_flow = listener.get("z") == node.get("z");
    let all = listener.get("scope").is_none_or(Json::is_null);
    text(listener, "id") != text(node, "id") && same_flow && (all || in_scope(listener, node))
}

fn in_scope(listener: &Map<String, Json>, node: &Map<String, Json>) -> bool {
    let scope = listener.get("scope").and_then(Json::as_array);
    scope.is_some_and(|scope| scope.contains(&Json::from(text(node, "id"))))
}

fn role(node: &Map<String, Json>) -> Role {
    crate::registry()
        .get(&text(node, "type"))
        .map_or(Role::Operator, |def| def.spec.role)
}

fn text(node: &Map<String, Json>, key: &str) -> String {
    node.get(key)
        .and_then(Json::as_str)
        .unwrap_or_default()
        .to_owned()
}
