//! Deployments with nodes that misbehave: what the runtime promises whatever a node does.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use vgdc_core::plan::{Chain, Edge, EnvScope, FORMAT, Flow, Listener, Op, OpIndex, Plan, Port};
use vgdc_core::spec::{Effect, NodeSpec, Outputs, Role, Types};
use vgdc_core::store::Scope;
use vgdc_core::value::{Msg, Object, Value};
use vgdc_core::{
    Closing, Cx, DeployType, Deployment, Event, EventKind, Kinds, NodeDef, NodeError, Process,
    Registry, Runtime, RuntimeOptions, Sink,
};

// ------------------------------------------------------------------------------------------------- nodes

const fn spec(ty: &'static str) -> NodeSpec {
    NodeSpec {
        ty,
        category: "test",
        inputs: 1,
        outputs: Outputs::Fixed(1),
        role: Role::Operator,
        effect: Effect::State,
        fields: &[],
        form: &[],
        types: Types::Unknown,
        needs: &[],
        text: vgdc_core::spec::Text::Plain,
        waits: false,
        copies: vgdc_core::spec::Copies::No,
        look: vgdc_core::spec::Look::PLAIN,
    }
}

/// Sends on what it gets; panics at a payload `panic`; sends the number `n` as `n` messages.
struct Relay;

impl Process for Relay {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        match msg.payload() {
            Value::Str(text) if &**text == "panic" => panic!("told to"),
            Value::Number(count) => {
                for _ in 0..*count as usize {
                    cx.send(0, msg.clone());
                }
                cx.done_with(&msg);
            }
            _ => cx.send_done(msg),
        }
    }
}

static RELAY: NodeDef = NodeDef {
    spec: spec("relay"),
    create: |_| Ok(Box::new(Relay)),
};

/// Panics when it is made.
static STILLBORN: NodeDef = NodeDef {
    spec: spec("stillborn"),
    create: |_| panic!("at birth"),
};

static MADE: AtomicUsize = AtomicUsize::new(0);
static CLOSED: AtomicUsize = AtomicUsize::new(0);

/// Takes some time to stop, and counts how often it did.
struct Slow;

impl Process for Slow {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        cx.send_done(msg);
    }

    fn close(&mut self, _: &mut Cx<'_>, _: bool) -> Closing {
        Some(Box::pin(async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            CLOSED.fetch_add(1, Ordering::SeqCst);
        }))
    }
}

static SLOW: NodeDef = NodeDef {
    spec: spec("slow"),
    create: |_| {
        MADE.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(Slow))
    },
};

/// Never ends stopping.
struct Stuck;

impl Process for Stuck {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        cx.send_done(msg);
    }

    fn close(&mut self, _: &mut Cx<'_>, _: bool) -> Closing {
        Some(Box::pin(std::future::pending()))
    }
}

static STUCK: NodeDef = NodeDef {
    spec: spec("stuck"),
    create: |_| Ok(Box::new(Stuck)),
};

static REFUSES: NodeDef = NodeDef {
    spec: spec("refuses"),
    create: |_| Err(NodeError::new("not today")),
};

// ------------------------------------------------------------------------------------------------- plans

/// `a>b,c` is an operator `a` with wires to `b` and `c`; `a:type>b` is one of another type than `relay`.
fn plan(ops: &[&str]) -> Plan {
    let parts: Vec<(&str, &str, &str)> = ops
        .iter()
        .map(|text| {
            let (head, to) = text.split_once('>').unwrap_or((text, ""));
            let (id, ty) = head.split_once(':').unwrap_or((head, "relay"));
            (id, ty, to)
        })
        .collect();
    let at = |id: &str| -> OpIndex {
        let found = parts.iter().position(|part| part.0 == id);
        found.unwrap_or_else(|| panic!("there is no {id}")) as OpIndex
    };
    let op = |&(id, ty, to): &(&str, &str, &str)| {
        let to: Vec<&str> = to.split(',').filter(|id| !id.is_empty()).collect();
        Op {
            id: id.to_owned(),
            ty: ty.to_owned(),
            wires: vec![to.iter().map(|id| (*id).to_owned()).collect()],
            ports: vec![Port {
                edges: to
                    .iter()
                    .map(|id| Edge {
                        to: at(id),
                        fused: false,
                    })
                    .collect(),
            }],
            ..Op::default()
        }
    };
    Plan {
        format: FORMAT,
        ops: parts.iter().map(op).collect(),
        islands: vec![(0..parts.len() as OpIndex).collect()],
        flows: vec![Flow {
            id: "global".to_owned(),
            path: "global".to_owned(),
            ..Flow::default()
        }],
        env: vec![EnvScope::default()],
        ..Plan::default()
    }
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

impl Seen {
    /// Which operators got a message, in order.
    fn inputs(&self) -> Vec<String> {
        let events = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let inputs = events
            .iter()
            .filter(|event| matches!(event.kind, EventKind::Input { .. }));
        inputs
            .filter_map(|event| Some(event.node.as_ref()?.id.clone()))
            .collect()
    }

    fn errors(&self) -> Vec<(String, String)> {
        let events = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let error = |event: &Event| match &event.kind {
            EventKind::Error { message, .. } => {
                Some((event.node.as_ref()?.id.clone(), message.to_js_string()))
            }
            _ => None,
        };
        events.iter().filter_map(error).collect()
    }
}

fn runtime(seen: &Arc<Seen>) -> Runtime {
    let registry = Registry::new([&RELAY, &STILLBORN, &SLOW, &STUCK, &REFUSES]);
    let mut options = RuntimeOptions::new(registry);
    options.sink = seen.clone();
    Runtime::new(options)
}

fn deployment(plan: Plan) -> Deployment {
    Deployment {
        plan: Some(plan),
        ..Deployment::default()
    }
}

async fn started(plan: Plan) -> (Runtime, Arc<Seen>) {
    let seen = Arc::new(Seen::default());
    let mut runtime = runtime(&seen);
    runtime.watch(None, Kinds::ALL).await;
    runtime
        .deploy(deployment(plan))
        .await
        .expect("a deployment");
    (runtime, seen)
}

fn msg(payload: impl Into<Value>) -> Option<Msg> {
    Some(Msg::with_payload(payload))
}

// ------------------------------------------------------------------------------------------------- tests

fn settings(text: &str) -> Option<Object> {
    match vgdc_core::value::json::parse(text) {
        Ok(Value::Object(settings)) => Some(settings),
        _ => panic!("{text} is no object"),
    }
}

#[tokio::test]
async fn nodes_have_as_long_to_stop_as_the_settings_say() {
    let mut runtime = runtime(&Arc::default());
    let deployment = Deployment {
        settings: settings(r#"{"nodeCloseTimeout":100}"#),
        ..deployment(plan(&["a:stuck"]))
    };
    runtime.deploy(deployment).await.expect("a deployment");
    let begin = std::time::Instant::now();
    runtime.stop(None).await.expect("it stops");
    let took = begin.elapsed();
    assert!(
        took >= Duration::from_millis(95) && took < Duration::from_secs(10),
        "{took:?}"
    );
    runtime.shutdown().await;
}

#[tokio::test]
async fn stores_that_are_opened_anew_have_what_the_old_ones_held() {
    let folder = std::env::temp_dir().join(format!("vgdc-deployments-{}", std::process::id()));
    let mut runtime = runtime(&Arc::default());
    for round in 0..3 {
        let text = format!(
            r#"{{"functionGlobalContext":{{"n":{round}}},"contextStorage":{{"a":{{"module":"localfilesystem","config":{{"dir":{:?},"flushInterval":3600}}}}}}}}"#,
            folder.display().to_string()
        );
        let deployment = Deployment {
            settings: settings(&text),
            ..deployment(plan(&["a"]))
        };
        runtime.deploy(deployment).await.expect("a deployment");
        let stores = runtime.stores();
        let read = stores.get(&Scope::Global, "kept", None).expect("reads");
        let expected = match round {
            0 => Value::Undefined,
            round => Value::from(round - 1),
        };
        assert_eq!(read, expected);
        assert_eq!(
            stores.get(&Scope::Global, "n", None),
            Ok(Value::from(round))
        );
        stores
            .set(&Scope::Global, "kept", Value::from(round), None)
            .expect("sets");
    }
    runtime.shutdown().await;
    std::fs::remove_dir_all(&folder).expect("removes");
}

#[tokio::test]
async fn deliveries_are_made_in_rounds() {
    let (runtime, seen) = started(plan(&["a>b,c", "b>d", "c>d,e", "d", "e"])).await;
    runtime.receive("a", msg("x")).await.expect("a runs");
    runtime.settle().await;
    assert_eq!(seen.inputs(), ["a", "b", "c", "d", "d", "e"]);
    runtime.shutdown().await;
}

#[tokio::test]
async fn a_panic_is_an_error_of_its_node_and_all_go_on() {
    let mut plan = plan(&["a>b", "b", "catch>c", "c"]);
    plan.ops[0].catch = vec![Chain {
        levels: vec![vec![Listener {
            op: 2,
            uncaught: false,
        }]],
    }];
    let (runtime, seen) = started(plan).await;
    runtime.receive("a", msg("panic")).await.expect("a runs");
    runtime.settle().await;
    runtime.receive("a", msg("x")).await.expect("a still runs");
    runtime.settle().await;
    let error = "internal error in this node: told to";
    assert_eq!(seen.errors(), [("a".to_owned(), error.to_owned())]);
    assert_eq!(seen.inputs(), ["a", "catch", "c", "a", "b"]);
    runtime.shutdown().await;
}

#[tokio::test]
async fn nodes_that_do_not_start_leave_the_others_running() {
    let (runtime, seen) = started(plan(&["a>b", "b:stillborn", "c:refuses", "d>a"])).await;
    let mut errors = seen.errors();
    errors.sort();
    assert_eq!(
        errors[0],
        (
            "b".to_owned(),
            "internal error while starting this node".to_owned()
        )
    );
    assert_eq!(errors[1], ("c".to_owned(), "not today".to_owned()));
    runtime.receive("d", msg("x")).await.expect("d runs");
    assert!(runtime.receive("c", msg("x")).await.is_err());
    runtime.settle().await;
    assert_eq!(seen.inputs(), ["d", "a"]);
    runtime.shutdown().await;
}

#[tokio::test]
async fn a_loop_that_multiplies_its_messages_is_bounded() {
    let (runtime, _) = started(plan(&["a>a,b", "b"])).await;
    // (without watching: millions of events would be kept)
    let mut runtime = runtime;
    runtime.unwatch(None, Kinds::ALL).await;
    runtime.receive("a", msg(3)).await.expect("a runs");
    // Each message of `a` makes three more and three for `b`: soon there is no room.
    let dropped = async {
        loop {
            let metrics = runtime.metrics().await;
            if metrics
                .iter()
                .any(|(id, counters)| id == "a" && counters.dropped > 0)
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), dropped)
        .await
        .expect("messages are dropped");
    runtime.stop(None).await.expect("it stops");
    runtime.shutdown().await;
}

#[tokio::test]
async fn a_partial_deploy_keeps_what_has_not_changed_and_waits_for_what_closes() {
    let mut first = plan(&["a:slow>b", "b"]);
    for op in &mut first.ops {
        op.fingerprint = "1".to_owned();
    }
    let (mut runtime, _) = started(first.clone()).await;
    let counts = || (MADE.load(Ordering::SeqCst), CLOSED.load(Ordering::SeqCst));
    assert_eq!(counts(), (1, 0));
    let nodes = |plan| Deployment {
        ty: DeployType::Nodes,
        ..deployment(plan)
    };
    let mut second = first.clone();
    second.ops[1].fingerprint = "2".to_owned();
    runtime
        .deploy(nodes(second.clone()))
        .await
        .expect("a deployment");
    assert_eq!(counts(), (1, 0), "a is kept");
    second.ops[0].fingerprint = "2".to_owned();
    runtime.deploy(nodes(second)).await.expect("a deployment");
    assert_eq!(counts(), (2, 1), "a is closed, then made anew");
    runtime.stop(None).await.expect("it stops");
    assert_eq!(counts(), (2, 2), "the stop has waited");
    runtime.shutdown().await;
}

#[tokio::test]
async fn a_damaged_plan_changes_nothing() {
    let (mut runtime, _) = started(plan(&["a>b", "b"])).await;
    let mut damaged = plan(&["x>y", "y"]);
    damaged.ops[0].ports[0].edges[0].to = 9;
    let refused = runtime.deploy(deployment(damaged)).await;
    assert_eq!(refused.expect_err("is refused").code, "bad-plan");
    runtime.receive("a", msg("x")).await.expect("a still runs");
    runtime.shutdown().await;
}
