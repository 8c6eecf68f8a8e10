//! `--virtual-time`: a day of timers takes seconds, to the millisecond, and the same each time.

use serde_json::{Value, json};
use vgdc_tests::Control;

const DAY_MS: u64 = 86_400_000;

/// Every minute and by cron, a delay, a trigger, a queue of the delay node, timers and dates in a function.
fn flow() -> Value {
    json!([
        {"id": "t", "type": "tab", "label": "T"},
        {"id": "tick", "type": "inject", "z": "t", "props": [{"p": "payload"}], "payload": "", "payloadType": "date", "repeat": "60", "wires": [["delay", "fn"]]},
        {"id": "cron", "type": "inject", "z": "t", "props": [{"p": "payload"}], "payload": "cron", "payloadType": "str", "crontab": "30 6 * * *", "wires": [["x"]]},
        {"id": "once", "type": "inject", "z": "t", "props": [{"p": "payload"}], "payload": "once", "payloadType": "str", "once": true, "onceDelay": 3600, "wires": [["x"]]},
        {"id": "delay", "type": "delay", "z": "t", "pauseType": "delay", "timeout": "5", "timeoutUnits": "hours", "wires": [["count"]]},
        {"id": "count", "type": "function", "z": "t", "func": "flow.set('late', (flow.get('late') || 0) + 1); flow.set('lag', Date.now() - msg.payload);", "outputs": 0, "wires": []},
        {"id": "fn", "type": "function", "z": "t", "func": "flow.set('n', (flow.get('n') || 0) + 1);\nsetTimeout(() => node.send({payload: new Date().toISOString()}), 1500);", "outputs": 1, "wires": [["queue"]]},
        {"id": "queue", "type": "delay", "z": "t", "pauseType": "rate", "rate": "1", "nbRateUnits": "2", "rateUnits": "minute", "wires": [["trigger"]]},
        {"id": "trigger", "type": "trigger", "z": "t", "op1": "1", "op2": "0", "op1type": "str", "op2type": "str", "duration": "250", "units": "ms", "wires": [["x"]]},
        {"id": "x", "type": "helper", "z": "t", "wires": []}
    ])
}

/// What came to the last node in `ms` milliseconds: times since the start, and payloads.
fn came(control: &mut Control, ms: u64) -> Vec<(u64, String)> {
    control.good("watch", json!({"nodes": ["x"], "events": ["input"]}));
    control.good("clock.advance", json!({"ms": ms}));
    let events = std::mem::take(&mut control.events);
    let story = events.iter().map(|event| {
        let at = event["ts"].as_u64().expect("a time") - 1_767_225_600_000;
        (
            at,
            event["msg"]["payload"].as_str().expect("a text").to_owned(),
        )
    });
    story.collect()
}

fn started() -> Control {
    let mut control = Control::start(&["--virtual-time=2026-01-01T00:00:00Z"]);
    control.good("deploy", json!({"flows": flow(), "env": {"TZ": "UTC"}}));
    control
}

#[test]
fn a_day_of_timers_is_exact_and_the_same_each_time() {
    let mut control = started();
    let story = came(&mut control, DAY_MS);
    let get = |control: &mut Control, key: &str| {
        control.good("context.get", json!({"scope": "flow:t", "key": key}))
    };
    // A tick each minute; what the delay node has held for five hours.
    assert_eq!(get(&mut control, "n"), json!(1440));
    assert_eq!(get(&mut control, "late"), json!(1140));
    assert_eq!(get(&mut control, "lag"), json!(5 * 3_600_000));
    let at = |payload: &str| -> Vec<u64> {
        story
            .iter()
            .filter(|(_, p)| p == payload)
            .map(|(at, _)| *at)
            .collect()
    };
    assert_eq!(at("once"), [3_600_000]);
    assert_eq!(at("cron").len(), 1);
    // The queue lets one go every two minutes; the trigger says 1, and 0 a quarter of a second later.
    let (ones, zeros) = (at("1"), at("0"));
    assert_eq!(ones.first(), Some(&61_500));
    assert!(
        ones.windows(2).all(|two| two[1] - two[0] == 120_000),
        "{ones:?}"
    );
    assert_eq!(ones.len(), 720);
    assert!(ones.iter().zip(&zeros).all(|(one, zero)| zero - one == 250));
    assert_eq!(control.end(), Some(0));
    // Again, in two steps.
    let mut control = started();
    let mut again = came(&mut control, DAY_MS / 3);
    again.extend(came(&mut control, DAY_MS - DAY_MS / 3));
    assert_eq!(again, story);
    assert_eq!(control.end(), Some(0));
}

#[test]
fn only_a_clock_that_stands_still_can_be_moved() {
    let mut control = Control::start(&[]);
    let refused = control.bad("clock.advance", json!({"ms": 5}));
    assert_eq!(refused["code"], "not-virtual");
    assert_eq!(control.end(), Some(0));
    let mut control = Control::start(&["--virtual-time"]);
    for wrong in [json!(-1), json!("5"), json!(null), json!(1e300)] {
        assert_eq!(
            control.bad("clock.advance", json!({"ms": wrong}))["code"],
            "bad-field"
        );
    }
    control.good("clock.advance", json!({"ms": 0.5}));
    assert_eq!(control.end(), Some(0));
}

/// Node.js fires all timers that are due before it handles what they sent.
#[test]
fn timers_of_the_same_time_fire_before_what_they_send_is_handled() {
    let once = |id: &str, props: Value, to: &str| json!({"id": id, "type": "inject", "z": "t", "props": props, "payload": "set", "payloadType": "str", "once": true, "onceDelay": 0.1, "wires": [[to]]});
    let mut control = Control::start(&["--virtual-time=2026-01-01T00:00:00Z"]);
    control.good("watch", json!({"nodes": ["x"], "events": ["input"]}));
    control.good(
        "deploy",
        json!({"flows": [
            {"id": "t", "type": "tab", "label": "T"},
            once("first", json!([{"p": "payload"}]), "sets"),
            {"id": "sets", "type": "change", "z": "t", "rules": [{"t": "set", "p": "key", "pt": "global", "to": "payload", "tot": "msg"}], "wires": [["x"]]},
            once("second", json!([{"p": "payload", "v": "key", "vt": "global"}]), "x"),
            {"id": "x", "type": "helper", "z": "t", "wires": []}
        ]}),
    );
    control.good("clock.advance", json!({"ms": 200}));
    let came = control
        .events
        .iter()
        .map(|event| event["msg"].get("payload").cloned());
    assert_eq!(came.collect::<Vec<_>>(), [None, Some(json!("set"))]);
}
