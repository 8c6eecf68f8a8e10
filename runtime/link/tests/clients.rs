//! The clients in Node.js and Python: each sends back what it gets, on fast and durable links, also where connections break.
//! `sh .ci/clients` installs what they need.

mod cable;

use cable::Cable;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::process::{Child, Command};
use vgdc_link::frame::{Delivery, Trace};
use vgdc_link::{Endpoint, EndpointConfig, ReceiverConfig, SenderConfig};
use vgdc_value::{ErrorValue, Msg, Object, Rare, Value};

const PATIENCE: Duration = Duration::from_secs(30);
const COUNT: u32 = 10_000;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the workspace")
}

#[derive(Clone, Copy, PartialEq)]
enum Language {
    Node,
    Python,
}

fn client(language: Language, address: &str, delivery: Delivery) -> Child {
    let (root, here) = (
        root(),
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients"),
    );
    let installed = root.join("target/clients");
    let (program, script, library, modules, variable) = match language {
        Language::Node => (
            "node",
            "echo.js",
            "clients/node/vgdc-link",
            installed.join("node/node_modules"),
            "NODE_PATH",
        ),
        Language::Python => (
            "python3",
            "echo.py",
            "clients/python",
            installed.join("python"),
            "PYTHONPATH",
        ),
    };
    assert!(
        modules.is_dir(),
        "{} is missing: run `sh .ci/clients`, which installs what the clients need",
        modules.display()
    );
    let delivery = match delivery {
        Delivery::Fast => "fast",
        Delivery::Durable => "durable",
    };
    Command::new(program)
        .arg(here.join(script))
        .arg(root.join(library))
        .args([address, delivery])
        .env(variable, modules)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|e| panic!("{program} cannot be started: {e}"))
}

/// A value of every kind by turns.
fn payload(n: u32) -> Value {
    let rare = |rare| Value::Rare(Arc::new(rare));
    let object =
        |value: Value| Value::Object(Object::from_iter([("b", value), ("a", Value::Null)]));
    match n % 16 {
        0 => Value::Undefined,
        1 => Value::from(f64::from(n) + 0.5),
        2 => Value::from(9_007_199_254_740_991.0),
        3 => Value::from(-f64::from(n)),
        4 => Value::from("grüße 😀"),
        5 => Value::from(vec![0_u8, 255, 7]),
        6 => Value::Date(1_767_323_045_678.0 + f64::from(n)),
        7 => Value::Date(f64::NAN),
        8 => Value::from(vec![
            Value::from(true),
            object(Value::from(1.25)),
            Value::from(Vec::<Value>::new()),
        ]),
        9 => rare(Rare::BigInt("-123456789012345678901234567890".to_owned())),
        10 => rare(Rare::RegExp {
            source: "a+".to_owned(),
            flags: "gi".to_owned(),
        }),
        11 => rare(Rare::Map(vec![
            (Value::from(1), Value::from("x")),
            (Value::from("k"), Value::Null),
        ])),
        12 => rare(Rare::Set(vec![Value::from("x")])),
        13 => Value::from(ErrorValue::new("TypeError", "no").with("code", "E1")),
        14 => Value::from(f64::INFINITY),
        _ => object(Value::Undefined),
    }
}

fn message(n: u32) -> Msg {
    let mut msg = Msg::with_payload(payload(n));
    msg.insert("n", n);
    msg
}

fn trace(n: u32) -> Option<Trace> {
    let parent = format!("00-0af7651916cd43dd8448eb211c80319c-{n:016x}-01").into();
    let state = if n.is_multiple_of(2) { "" } else { "a=b" }.into();
    (n % 5 == 3).then_some(Trace { parent, state })
}

async fn there_and_back(language: Language, delivery: Delivery, cuts: u32) {
    let folder = tempfile::tempdir().expect("a folder");
    let test = Endpoint::new(EndpointConfig::new("test")).expect("an endpoint");
    let unix = format!("unix:{}", folder.path().join("s").display());
    let address = if cuts == 0 {
        &unix
    } else {
        "tcp://127.0.0.1:0"
    };
    let place = test.listen(address).await.expect("it listens");
    let cable = match cuts {
        0 => None,
        _ => Some(Cable::to(&place).await),
    };
    let place = cable.as_ref().map_or(&place, |cable| &cable.address);
    let receiving = ReceiverConfig {
        delivery,
        ..ReceiverConfig::default()
    };
    let sending = SenderConfig {
        delivery,
        ..SenderConfig::default()
    };
    let outbox = (delivery == Delivery::Durable).then(|| folder.path().join("o"));
    let mut from = test.receiver("from", receiving).expect("a receiver");
    let to = test
        .sender("client", "to", sending, outbox.as_deref())
        .expect("a sender");
    let mut child = client(language, place, delivery);
    let sent = async {
        for n in 0..COUNT {
            to.send(&message(n), trace(n)).await.expect("it is taken");
        }
    };
    let came = async {
        for n in 0..COUNT {
            let received = from.recv().await;
            let msg = received.msg.expect("a message");
            assert_eq!(msg.get("n"), Some(&Value::from(n)));
            assert!(
                msg.payload().same(&payload(n)),
                "{n}: {:?} {:?}",
                msg.payload(),
                payload(n)
            );
            assert_eq!(received.trace, trace(n));
            from.confirm(received.token);
            let part = COUNT / (cuts + 1);
            if let Some(cable) = &cable
                && n % part == part / 2
                && n > part
            {
                cable.cut();
            }
        }
    };
    let both = async { tokio::join!(sent, came) };
    tokio::time::timeout(PATIENCE, both)
        .await
        .expect("they come");
    assert_eq!(
        (from.stats().lost, from.stats().delivered),
        (0, u64::from(COUNT))
    );
    tokio::time::timeout(PATIENCE, to.drained())
        .await
        .expect("it ends")
        .expect("it is confirmed");
    if cuts > 0 {
        // (whether it hears of the end hangs on when the last cut was)
        child.kill().await.expect("it ends");
        return;
    }
    to.close();
    let ended = tokio::time::timeout(PATIENCE, child.wait())
        .await
        .expect("it ends");
    assert!(ended.expect("a status").success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_sends_back_what_it_gets() {
    there_and_back(Language::Node, Delivery::Fast, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_loses_nothing_on_a_durable_link_that_breaks() {
    there_and_back(Language::Node, Delivery::Durable, 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_sends_back_what_it_gets() {
    there_and_back(Language::Python, Delivery::Fast, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_loses_nothing_on_a_durable_link_that_breaks() {
    there_and_back(Language::Python, Delivery::Durable, 3).await;
}
