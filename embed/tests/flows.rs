//! Flows in programs: what goes in, what comes out, what is told of them.

use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;
use vgdc_flow::{Error, Flow, Level, Msg, flow};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Reading {
    sensor: String,
    temp: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Alert {
    sensor: String,
    over: f64,
}

fn reading(sensor: &str, temp: f64) -> Reading {
    Reading {
        sensor: sensor.to_owned(),
        temp,
    }
}

fn alert(sensor: &str, over: f64) -> Alert {
    Alert {
        sensor: sensor.to_owned(),
        over,
    }
}

/// A flow of closures alone, and of nodes of the library between them.
fn alarms(limit: f64) -> Flow {
    flow! {
        program_in("readings")
            -> move |it: Reading| -> Option<Alert> {
                (it.temp > limit).then_some(Alert { sensor: it.sensor, over: it.temp - limit })
            }
            -> program_out("alerts");
    }
}

#[tokio::test]
async fn closures_take_and_give_types() {
    let running = alarms(30.0).start().await.expect("starts");
    let mut alerts = running.output::<Alert>("alerts");
    let input = running.input("readings").expect("an input");
    for (sensor, temp) in [("a", 29.0), ("b", 30.5), ("c", 40.0)] {
        input.send(reading(sensor, temp)).await.expect("is sent");
    }
    assert_eq!(alerts.next().await, Some(Ok(alert("b", 0.5))));
    assert_eq!(alerts.next().await, Some(Ok(alert("c", 10.0))));
    // What is no reading is an error of the closure's node, and the flow goes on.
    let mut logs = running.logs();
    input.send("no reading").await.expect("is sent");
    let said = logs.recv().await.expect("a line");
    assert_eq!(said.level, Level::Error);
    assert!(
        said.message
            .contains("Reading: payload: invalid type: string"),
        "{said:?}"
    );
    input.send_all([reading("d", 31.0)]).await.expect("is sent");
    assert_eq!(alerts.next().await, Some(Ok(alert("d", 1.0))));
    let metrics = running.metrics().await.expect("runs");
    let errors: u64 = metrics.nodes.values().map(|node| node.errors).sum();
    assert_eq!(errors, 1);
    running.stop().await;
    assert_eq!(alerts.next().await, None);
    assert_eq!(input.send(reading("e", 50.0)).await, Err(Error::Stopped));
    assert_eq!(running.metrics().await, Err(Error::Stopped));
}

#[tokio::test]
async fn nodes_of_the_library_stand_between_closures() {
    let flow = flow! {
        let counter = function(r#"
            flow.set("n", (flow.get("n") || 0) + 1);
            msg.payload.n = flow.get("n");
            return msg;
        "#);
        program_in("in")
            -> |it: Reading| -> Vec<Reading> { vec![it.clone(), it] }
            -> switch(payload.temp > env("LIMIT"), else) {
                hot -> change(msg.topic = "hot", msg.payload.sensor = "x") -> counter,
                else -> template("{{payload.sensor}} is cold") -> program_out("cold"),
            };
        let number = |mut msg: Msg| -> Msg { msg.set_payload(msg.payload().get("n").clone()); msg };
        counter -> number -> program_out("hot");
    };
    let running = flow.env("LIMIT", 20).start().await.expect("starts");
    let (mut hot, mut cold) = (
        running.output::<Msg>("hot"),
        running.output::<String>("cold"),
    );
    let input = running.input("in").expect("an input");
    input.send(reading("a", 25.0)).await.expect("is sent");
    input.send(reading("b", 15.0)).await.expect("is sent");
    for n in [1.0, 2.0] {
        let msg = hot.next().await.expect("comes").expect("a message");
        assert_eq!(
            (msg.payload().as_f64(), msg.topic().as_str()),
            (Some(n), Some("hot"))
        );
    }
    assert_eq!(cold.next().await, Some(Ok("b is cold".to_owned())));
    // By hand, too, and seen on the way.
    let mut seen = running.watch::<Reading>("counter").await.expect("a node");
    running
        .receive("counter", reading("c", 1.0))
        .await
        .expect("is taken");
    assert_eq!(seen.next().await, Some(Ok(reading("c", 1.0))));
    let none = running.receive("nobody", 1).await;
    assert_eq!(none, Err(Error::NoNode("nobody".to_owned())));
    running.finish().await;
}

#[tokio::test]
async fn closures_have_outputs_wait_and_fail() {
    let mut calls = 0;
    let flow = flow! {
        let errors = catch();
        errors -> |msg: Msg| -> String { msg.get("error").map(|error| error.get("message").to_js_string()).unwrap_or_default() } -> program_out("errors");
        program_in("in")
            -> |n: i64| -> (Option<i64>, Option<String>) { if n % 2 == 0 { (Some(n), None) } else { (None, Some(format!("odd {n}"))) } }
            {
                0 -> async |n: i64| -> Result<i64, String> {
                    // (the first one takes longest: order is kept all the same)
                    tokio::time::sleep(std::time::Duration::from_millis(20 - n as u64)).await;
                    if n == 4 { Err("no four".to_owned()) } else { Ok(n * 10) }
                } -> program_out("even"),
                1 -> move |text: String| -> Vec<String> { calls += 1; vec![format!("{calls} {text}"); 2] } -> program_out("odd"),
            };
    };
    let running = flow.start().await.expect("starts");
    let (mut even, mut odd) = (
        running.output::<i64>("even"),
        running.output::<String>("odd"),
    );
    let mut errors = running.output::<String>("errors");
    running
        .input("in")
        .expect("an input")
        .send_all(0..=6)
        .await
        .expect("is sent");
    for n in [0, 20, 60] {
        assert_eq!(even.next().await, Some(Ok(n)));
    }
    for text in [
        "1 odd 1", "1 odd 1", "2 odd 3", "2 odd 3", "3 odd 5", "3 odd 5",
    ] {
        assert_eq!(odd.next().await, Some(Ok(text.to_owned())));
    }
    assert_eq!(errors.next().await, Some(Ok("no four".to_owned())));
    running.stop().await;
}

#[tokio::test]
async fn functions_give_flows_that_stand_in_others() {
    let flow = flow! {
        let source = program_in("in");
        source -> @alarms(10.0) -> program_out("low");
        source -> @alarms(20.0) -> |it: Alert| -> f64 { it.over } -> program_out("high");
    };
    let running = flow.start().await.expect("starts");
    let (mut low, mut high) = (
        running.output::<Alert>("low"),
        running.output::<f64>("high"),
    );
    let input = running.input("in").expect("an input");
    input
        .send_all([reading("a", 15.0), reading("b", 25.0)])
        .await
        .expect("is sent");
    assert_eq!(low.next().await, Some(Ok(alert("a", 5.0))));
    assert_eq!(low.next().await, Some(Ok(alert("b", 15.0))));
    assert_eq!(high.next().await, Some(Ok(5.0)));
    running.stop().await;
}

#[tokio::test]
async fn a_request_is_answered() {
    let flow = flow! {
        program_in("in") -> delay(pauseType = "delay", timeout = "5", timeoutUnits = "milliseconds")
            -> |n: u32| -> Option<u32> { (n > 0).then_some(n + 1) } -> program_out("out");
    };
    let running = flow.start().await.expect("starts");
    let ask = |n: u32, ms| running.ask::<u32>("in", "out", n, Duration::from_millis(ms));
    let (one, two) = tokio::join!(ask(1, 5000), ask(2, 5000));
    assert_eq!((one, two), (Ok(2), Ok(3)));
    assert_eq!(ask(0, 50).await, Err(Error::TimedOut));
    running.stop().await;
}

#[tokio::test]
async fn a_node_that_cannot_start_fails_the_flow() {
    let flow = flow! {
        program_in("twice") -> program_out("a");
        program_in("twice") -> program_out("b");
    };
    let said = flow.start().await.expect_err("cannot start").to_string();
    assert!(
        said.contains("another program in named \"twice\""),
        "{said}"
    );
    let flow = flow! { inject() -> @alarms_without_a_way_in(); };
    let said = flow.start().await.expect_err("cannot start").to_string();
    assert!(said.contains("has 0 program in nodes"), "{said}");
}

fn alarms_without_a_way_in() -> Flow {
    flow! { inject() -> program_out("x"); }
}

#[tokio::test]
async fn a_program_that_is_slow_slows_the_flow() {
    let flow = flow! { program_in("in") -> |n: u32| -> u32 { n } -> program_out("out"); };
    let running = flow.start().await.expect("starts");
    let mut out = running.output::<u32>("out");
    let input = running.input("in").expect("an input");
    let sent = tokio::time::timeout(Duration::from_millis(300), async {
        for n in 0..1_000_000 {
            input.send(n).await.expect("is sent");
        }
    });
    assert!(sent.await.is_err(), "nobody takes them, and all were sent");
    for n in 0..100 {
        assert_eq!(out.next().await, Some(Ok(n)));
    }
    drop(out);
    running.stop().await;
}

#[tokio::test]
async fn files_are_compiled_too() {
    let flow = vgdc_flow::include_flow!("tests/files/double.flow");
    let running = flow.start().await.expect("starts");
    let doubled = running
        .ask::<f64>("in", "out", 21, Duration::from_secs(5))
        .await;
    assert_eq!(doubled, Ok(42.0));
    running.stop().await;
    let flow = vgdc_flow::include_flow!("tests/files/double.json");
    let running = flow.start().await.expect("starts");
    let doubled = running
        .ask::<f64>("in", "out", json!(4), Duration::from_secs(5))
        .await;
    assert_eq!(doubled, Ok(8.0));
    running.stop().await;
}

#[test]
fn a_file_of_node_red_a_text_and_the_macro_give_one_flow() {
    let forms = [
        vgdc_flow::include_flow!("tests/files/double.json"),
        vgdc_flow::include_flow!("tests/files/double.flow"),
        flow! {
            flow double {
                #[id = "a"] program_in("in")
                    -> #[id = "b"] function("msg.payload *= 2; return msg;")
                    -> #[id = "c"] program_out("out");
            }
        },
    ];
    // (properties that are left out in one are there with their defaults in the other)
    let shown = forms.map(|flow| {
        let plan = flow.plan().expect("a plan");
        let ops = plan
            .ops
            .iter()
            .map(|op| (&op.id, &op.ty, &op.ports, &op.native));
        let ops: Vec<String> = ops.map(|op| format!("{op:?}")).collect();
        (
            ops,
            plan.islands.clone(),
            plan.regions.clone(),
            plan.code.clone(),
        )
    });
    assert_eq!(shown[0].0.len(), 3);
    assert!(shown[0].3.is_some(), "the function is code");
    assert_eq!(shown[0], shown[1]);
    assert_eq!(shown[1], shown[2]);
}

#[tokio::test]
async fn what_follows_closures_in_one_step_takes_what_the_last_one_gives() {
    let flow = flow! {
        program_in("in")
            -> |n: f64| -> Option<String> { Some(n.to_string()) }
            -> |text: String| -> usize { text.len() }
            -> async |length: usize| -> bool { length > 2 }
            -> |is_long: bool| -> String { format!("long: {is_long}") }
            -> program_out("out");
    };
    let running = flow.start().await.expect("starts");
    let within = Duration::from_secs(5);
    let said = running.ask::<String>("in", "out", 1234.5, within).await;
    assert_eq!(said.as_deref(), Ok("long: true"));
    running.stop().await;
}
