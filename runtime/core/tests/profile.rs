//! What a profile measures of turns inside turns: what holds of the sums whatever the clock says.

use vgdc_core::plan::profile::Node;
use vgdc_core::plan::{Edge, EnvScope, FORMAT, Flow, Op, Plan, Port};
use vgdc_core::spec::{Effect, NodeSpec, Outputs, Role, Types};
use vgdc_core::value::{Msg, Value};
use vgdc_core::{Cx, Deployment, NodeDef, Process, Registry, Runtime, RuntimeOptions};

/// Sends on what it gets, and panics after that at a payload `panic`.
struct Relay;

impl Process for Relay {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        let panics = matches!(msg.payload(), Value::Str(text) if &**text == "panic");
        cx.send(0, msg);
        assert!(!panics, "told to");
    }
}

static RELAY: NodeDef = NodeDef {
    spec: NodeSpec {
        ty: "relay",
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
    },
    create: |_| Ok(Box::new(Relay)),
};

/// `a`, `b` and `c` in a row; what leaves `a` is handled at once, what leaves `b` waits in the queue.
fn plan() -> Plan {
    let op = |id: &str, next: Option<Edge>| Op {
        id: id.to_owned(),
        ty: "relay".to_owned(),
        ports: vec![Port {
            edges: next.into_iter().collect(),
        }],
        ..Op::default()
    };
    let edge = |to, fused| Some(Edge { to, fused });
    Plan {
        format: FORMAT,
        hash: "the flow".to_owned(),
        ops: vec![
            op("a", edge(1, true)),
            op("b", edge(2, false)),
            op("c", None),
        ],
        islands: vec![vec![0, 1, 2]],
        flows: vec![Flow {
            id: "global".to_owned(),
            path: "global".to_owned(),
            ..Flow::default()
        }],
        env: vec![EnvScope::default()],
        ..Plan::default()
    }
}

async fn started(profile: bool) -> Runtime {
    let mut options = RuntimeOptions::new(Registry::new([&RELAY]));
    options.profile = profile;
    let mut runtime = Runtime::new(options);
    let deployment = Deployment {
        plan: Some(plan()),
        ..Deployment::default()
    };
    runtime.deploy(deployment).await.expect("a deployment");
    runtime
}

#[tokio::test]
async fn what_is_handled_at_once_is_in_the_time_of_who_sent_it_and_not_in_its_own() {
    let runtime = started(true).await;
    for payload in ["x", "panic", "y"] {
        let msg = Some(Msg::with_payload(payload));
        runtime.receive("a", msg).await.expect("it runs");
    }
    runtime.settle().await;
    let profile = runtime.profile("test", "1").await.expect("a profile");
    runtime.shutdown().await;
    let [a, b, c]: &[Node; 3] = profile.nodes.as_slice().try_into().expect("three nodes");
    // (b has a turn of its own at the start)
    let inside = a.total_ns - a.self_ns;
    assert!(
        0 < inside && inside <= b.total_ns,
        "b is handled within a's turns"
    );
    assert_eq!(
        (b.total_ns, c.total_ns),
        (b.self_ns, c.self_ns),
        "c waits for a turn of its own"
    );
    assert_eq!([a, b, c].map(|node| node.received), [3; 3]);
    assert_eq!(
        [a, b, c].map(|node| node.errors),
        [1; 3],
        "each panics once"
    );
    assert_eq!([a, b, c].map(|node| node.largest_queue), [0, 0, 1]);
    let wires: Vec<u64> = profile.wires.iter().map(|wire| wire.messages).collect();
    assert_eq!(wires, [3, 3]);
    assert_eq!(profile.islands[0].ns, profile.total_ns());
    assert_eq!((profile.flow.as_str(), profile.workers), ("the flow", 1));
}

#[tokio::test]
async fn without_the_option_nothing_is_measured() {
    let runtime = started(false).await;
    runtime.receive("a", None).await.expect("it runs");
    runtime.settle().await;
    assert!(runtime.profile("test", "1").await.is_none());
    runtime.shutdown().await;
}
