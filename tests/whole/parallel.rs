//! `--workers`: islands of a running program are on as many threads as were asked for, and all of these work.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use vgdc_tests::Control;

/// Two tabs that share nothing, each with a function that takes a while.
fn flow() -> Value {
    let mut nodes = Vec::new();
    for tab in ["a", "b"] {
        let func =
            "let s = 0;\nfor (let i = 0; i < 200000; i++) s += i;\nmsg.payload = s;\nreturn msg;";
        nodes.push(json!({"id": tab, "type": "tab", "label": tab}));
        nodes.push(json!({"id": format!("work-{tab}"), "type": "function", "z": tab, "func": func, "outputs": 1, "wires": [[]]}));
    }
    Value::Array(nodes)
}

/// The threads that run islands, each with whether it has had a processor yet.
fn islands(pid: u32) -> BTreeMap<String, bool> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("a process");
    let mut found = BTreeMap::new();
    for task in tasks.flatten() {
        let read = |name: &str| std::fs::read_to_string(task.path().join(name)).unwrap_or_default();
        let name = read("comm").trim().to_owned();
        if name.starts_with("island-") {
            // utime and stime are the 14th and 15th fields; the name, which is the second, has no blank in it
            let stat = read("stat");
            let ticks: u64 = (stat.split_whitespace().skip(13).take(2))
                .filter_map(|field| field.parse::<u64>().ok())
                .sum();
            found.insert(name, ticks > 0);
        }
    }
    found
}

/// Sends both tabs messages until all threads of islands have worked; gives the threads.
fn worked(workers: &str) -> Vec<String> {
    let mut control = Control::start(&["--workers", workers]);
    control.good("deploy", json!({"flows": flow()}));
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        for node in ["work-a", "work-b"] {
            control.good("receive", json!({"node": node, "msg": {"payload": 1}}));
        }
        control.good("settle", json!({}));
        let threads = islands(control.pid());
        if !threads.is_empty() && threads.values().all(|worked| *worked) {
            assert_eq!(control.end(), Some(0));
            return threads.into_keys().collect();
        }
        assert!(Instant::now() < until, "some have not worked: {threads:?}");
    }
}

#[test]
fn two_islands_work_on_two_threads_and_on_one_where_one_is_asked_for() {
    assert_eq!(worked("2"), ["island-0", "island-1"]);
    assert_eq!(worked("1"), ["island-0"]);
}
