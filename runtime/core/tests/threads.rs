//! Islands run at the same time, each on the thread it was given: by a meeting that only two threads can have.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::ThreadId;
use std::time::Duration;
use vgdc_core::plan::{EnvScope, FORMAT, Flow, Op, Plan};
use vgdc_core::spec::{Effect, NodeSpec, Outputs, Role, Types};
use vgdc_core::value::{Msg, Value};
use vgdc_core::{Cx, Deployment, NodeDef, Process, Registry, Runtime, RuntimeOptions};

/// Who has come to the meeting, and where each node has run.
static ROOM: (Mutex<Vec<String>>, Condvar) = (Mutex::new(Vec::new()), Condvar::new());
static THREADS: Mutex<Option<HashMap<String, ThreadId>>> = Mutex::new(None);
static MET: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says on which thread it is; told to meet, it holds its thread until another node is in the room, too.
struct Guest;

impl Process for Guest {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        let id = cx.id().to_owned();
        let thread = std::thread::current().id();
        lock(&THREADS)
            .get_or_insert_default()
            .insert(id.clone(), thread);
        if matches!(msg.payload(), Value::Str(text) if &**text == "meet") {
            let (room, came) = &ROOM;
            let mut room = lock(room);
            room.push(id.clone());
            came.notify_all();
            let waited =
                came.wait_timeout_while(room, Duration::from_secs(20), |room| room.len() < 2);
            let waited = waited.unwrap_or_else(PoisonError::into_inner).1;
            if !waited.timed_out() {
                lock(&MET).push(id);
            }
        }
        cx.done_with(&msg);
    }
}

static GUEST: NodeDef = NodeDef {
    spec: NodeSpec {
        ty: "guest",
        category: "test",
        inputs: 1,
        outputs: Outputs::Fixed(0),
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
    create: |_| Ok(Box::new(Guest)),
};

/// A runtime in which each of these nodes is an island.
async fn started(ids: &[&str], loads: &[u64], workers: usize) -> Runtime {
    let op = |id: &&str| Op {
        id: (*id).to_owned(),
        ty: "guest".to_owned(),
        ..Op::default()
    };
    let plan = Plan {
        format: FORMAT,
        ops: ids.iter().map(op).collect(),
        islands: (0..ids.len() as u32).map(|op| vec![op]).collect(),
        loads: loads.to_vec(),
        flows: vec![Flow {
            id: "global".to_owned(),
            path: "global".to_owned(),
            ..Flow::default()
        }],
        env: vec![EnvScope::default()],
        ..Plan::default()
    };
    let mut options = RuntimeOptions::new(Registry::new([&GUEST]));
    options.workers = workers;
    let mut runtime = Runtime::new(options);
    let deployment = Deployment {
        plan: Some(plan),
        ..Deployment::default()
    };
    runtime.deploy(deployment).await.expect("a deployment");
    runtime
}

/// Sends each node a message, and gives their threads.
async fn threads(runtime: &Runtime, ids: &[&str], payload: &str) -> Vec<ThreadId> {
    for id in ids {
        let msg = Some(Msg::with_payload(payload));
        runtime.receive(id, msg).await.expect("it runs");
    }
    runtime.settle().await;
    let threads = lock(&THREADS);
    let thread = |id: &&str| {
        threads
            .as_ref()
            .and_then(|threads| threads.get(*id).copied())
    };
    ids.iter().map(|id| thread(id).expect("it ran")).collect()
}

#[tokio::test]
async fn two_islands_run_at_the_same_time() {
    let runtime = started(&["meets a", "meets b"], &[], 2).await;
    // (each is answered when it has been handled: both are asked before either answer is waited for)
    let (a, b) = tokio::join!(
        runtime.receive("meets a", Some(Msg::with_payload("meet"))),
        runtime.receive("meets b", Some(Msg::with_payload("meet"))),
    );
    a.and(b).expect("they run");
    runtime.settle().await;
    let mut met = lock(&MET).clone();
    met.sort();
    assert_eq!(
        met,
        ["meets a", "meets b"],
        "each saw the other while it ran"
    );
    let at = threads(&runtime, &["meets a", "meets b"], "who").await;
    assert_ne!(at[0], at[1]);
    runtime.shutdown().await;
}

#[tokio::test]
async fn one_worker_is_one_thread() {
    let ids = ["one a", "one b", "one c"];
    let runtime = started(&ids, &[], 1).await;
    let at = threads(&runtime, &ids, "who").await;
    assert!(at.iter().all(|thread| *thread == at[0]), "{at:?}");
    assert_ne!(at[0], std::thread::current().id());
    runtime.shutdown().await;
}

#[tokio::test]
async fn islands_are_spread_by_what_a_profile_says_they_cost() {
    let ids = ["load a", "load b", "load c", "load d"];
    let runtime = started(&ids, &[10, 1, 9, 2], 2).await;
    let at = threads(&runtime, &ids, "who").await;
    // 10 and 1, 9 and 2; by turns it would be 10 and 9
    assert!(at[0] == at[1] && at[2] == at[3] && at[0] != at[2], "{at:?}");
    runtime.shutdown().await;
}
