//! Context stores of a real process: what is there after it was killed, what Node-RED has written, and what it reads.

use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use vgdc_tests::{Running, vgdc};

/// How long after a change it is written, in milliseconds.
const INTERVAL: u64 = 50;
/// What a write, and the machine, may take on top of that. (In the documented window it is "one write".)
const SLACK: u64 = 1500;

/// A loop that writes as fast as it can, and says from time to time how far it is. At the start it looks at what is there.
const WRITER: &str = r#"
let n = flow.get("a.n") || 0;
if (!context.started) {
    context.started = true;
    const a = flow.get("a") || {n: 0, twice: 0, text: ""}, b = flow.get("b") || 0;
    const sound = a.twice === 2 * a.n && a.text === "ü".repeat(a.n % 500) && (b === a.n || b === a.n - 1);
    const all = global.get("all") || [];
    // (it is in another scope, which is written for itself)
    const whole = Array.isArray(all) && all.every(at => Number.isInteger(at)) && (a.n === 0 || all.length > 0);
    node.warn("start " + a.n + (sound && whole ? " sound" : " BROKEN " + JSON.stringify([a, b, all])));
}
n += 1;
flow.set("a", {n: n, twice: 2 * n, text: "ü".repeat(n % 500)});
flow.set("b", n);
global.set("all", [...(global.get("all") || []).slice(-20), n]);
const now = Date.now();
if (now - (context.said || 0) >= 5) {
    context.said = now;
    node.warn("at " + n + " " + now);
}
return msg;
"#;

fn write_flow(folder: &Path, store: &Value) {
    let flow = json!([
        {"id": "t", "type": "tab"},
        {"id": "i", "type": "inject", "z": "t", "x": 1, "y": 1, "once": true, "onceDelay": 0.01, "repeat": "", "crontab": "",
         "props": [{"p": "payload"}], "payload": "", "payloadType": "str", "wires": [["f"]]},
        {"id": "f", "type": "function", "z": "t", "x": 1, "y": 1, "func": WRITER, "outputs": 1, "wires": [["f"]]},
    ]);
    std::fs::write(folder.join("flows.json"), flow.to_string()).expect("writes");
    let mut toml = String::from("[context.default]\n");
    toml += &format!(
        "module = {}\nconfig = {{ dir = {:?}",
        store["module"],
        folder.join("state")
    );
    if let Some(cache) = store["cache"].as_bool() {
        toml += &format!(", cache = {cache}");
    }
    toml += &format!(", flushInterval = {} }}\n", INTERVAL as f64 / 1000.0);
    std::fs::write(folder.join("vgdc.toml"), toml).expect("writes");
}

fn now() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock");
    since.as_millis() as u64
}

/// What a kill cost.
#[derive(Debug, Default)]
struct Figures {
    kills: u32,
    /// Writes over all.
    reached: u64,
    /// Milliseconds of work lost, at most and over all.
    most_lost: u64,
    lost: u64,
}

/// The number after a word in a line.
fn number(line: &str, word: &str) -> u64 {
    let rest = line.split(word).nth(1).unwrap_or_default();
    let digits = rest.trim_start().split(' ').next().unwrap_or_default();
    digits
        .parse()
        .unwrap_or_else(|_| panic!("no number in {line}"))
}

/// Kills a process that writes, again and again, at moments drawn by lot.
fn kill(store: &Value, kills: u32) -> Figures {
    let folder = tempfile::tempdir().expect("a folder");
    write_flow(folder.path(), store);
    let mut lot = now() | 1;
    let mut figures = Figures::default();
    // What was said, and when: the newest is last.
    let mut said: Vec<(u64, u64)> = Vec::new();
    let mut killed_at = 0;
    for round in 0..=kills {
        let mut running = Running::start(&mut vgdc(&["run", &folder.path().to_string_lossy()]));
        let line = running.wait_for("] start ");
        assert!(
            line.contains(" sound"),
            "{store}, after {round} kills: {line}"
        );
        let kept = number(&line, "] start ");
        if let Some((_, reached)) = said.last() {
            // the oldest moment whose work is gone
            let gone = said.iter().find(|(_, n)| *n > kept);
            let lost = gone.map_or(0, |(when, _)| killed_at - when.min(&killed_at));
            let window = match store["cache"] {
                Value::Bool(false) => 0,
                _ => INTERVAL + SLACK,
            };
            assert!(
                lost <= window,
                "{store}: {lost} ms of work were lost: {kept} was there, {reached} had been said"
            );
            figures.most_lost = figures.most_lost.max(lost);
            figures.lost += lost;
            assert!(
                kept + 1 >= figures.reached,
                "{store}: what had been there is gone"
            );
        }
        figures.reached = kept;
        if round == kills {
            break;
        }
        lot ^= lot << 13;
        lot ^= lot >> 7;
        lot ^= lot << 17;
        let until = Instant::now() + Duration::from_millis(20 + lot % 400);
        said.clear();
        while Instant::now() < until {
            let line = running
                .wait_for("] at ")
                .split("] at ")
                .nth(1)
                .map(str::to_owned);
            let line = line.unwrap_or_default();
            let (n, when) = line.split_once(' ').expect("two numbers");
            said.push((
                when.trim().parse().expect("a time"),
                n.parse().expect("a number"),
            ));
        }
        running.stop("KILL");
        killed_at = now();
        figures.kills += 1;
    }
    figures
}

fn stores() -> [Value; 4] {
    [
        json!({"module": "localfilesystem"}),
        json!({"module": "sqlite"}),
        json!({"module": "localfilesystem", "cache": false}),
        json!({"module": "sqlite", "cache": false}),
    ]
}

#[test]
fn a_process_that_is_killed_loses_no_more_than_the_window() {
    for store in stores() {
        kill(&store, 5);
    }
}

#[test]
#[ignore = "takes minutes: by hand, with --nocapture for the figures"]
fn a_process_that_is_killed_a_hundred_times() {
    for store in stores() {
        let figures = kill(&store, 100);
        println!("{store}: {figures:?}");
    }
}

#[test]
fn a_process_that_is_told_to_stop_loses_nothing() {
    for store in stores() {
        let folder = tempfile::tempdir().expect("a folder");
        write_flow(folder.path(), &store);
        let toml = folder.path().join("vgdc.toml");
        let text = std::fs::read_to_string(&toml).expect("reads");
        std::fs::write(&toml, text.replace("0.05", "3600")).expect("writes");
        let start = || Running::start(&mut vgdc(&["run", &folder.path().to_string_lossy()]));
        let mut running = start();
        running.wait_for("] start 0 sound");
        let mut reached = 0;
        for _ in 0..10 {
            reached = number(&running.wait_for("] at "), "] at ");
        }
        running.stop("TERM");
        let line = start().wait_for("] start ");
        assert!(
            line.contains(" sound") && number(&line, "] start ") >= reached,
            "{store}: {line}"
        );
    }
}

/// What `node-red/context` holds, read by a flow here. The folder was written by Node-RED 5.0.7 itself.
#[test]
fn a_folder_of_node_reds_is_continued() {
    let folder = tempfile::tempdir().expect("a folder");
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("whole/node-red-context");
    copy(&recorded, folder.path());
    let read = r#"node.warn("found " + JSON.stringify([global.keys(), global.get("g"), flow.get("f"), context.get("own"), context.get("n")]));
                  context.set("n", context.get("n") + 1); flow.set("f.more", [1]); return msg;"#;
    let flow = json!([
        {"id": "tab1", "type": "tab"},
        {"id": "i", "type": "inject", "z": "tab1", "x": 1, "y": 1, "once": true, "onceDelay": 0.01, "repeat": "", "crontab": "",
         "props": [{"p": "payload"}], "payload": "", "payloadType": "str", "wires": [["fn1"]]},
        {"id": "fn1", "type": "function", "z": "tab1", "x": 1, "y": 1, "func": read, "outputs": 1, "wires": [[]]},
    ]);
    std::fs::write(folder.path().join("flows.json"), flow.to_string()).expect("writes");
    let toml = format!(
        "[settings]\nuserDir = {:?}\n[context.default]\nmodule = \"localfilesystem\"\n",
        folder.path()
    );
    std::fs::write(folder.path().join("vgdc.toml"), toml).expect("writes");
    for n in [1, 2] {
        let mut running = Running::start(&mut vgdc(&["run", &folder.path().to_string_lossy()]));
        let line = running.wait_for("] found ");
        let found = line.split("] found ").nth(1).expect("what was found");
        let mut found: Value = serde_json::from_str(found).expect("JSON");
        if n == 2 {
            assert_eq!(found[2]["more"].take(), json!([1]));
            found[2].as_object_mut().expect("an object").remove("more");
        }
        assert_eq!(
            found,
            json!([
                ["g", "buf", "date", "nested_key"],
                {"text": "grüße \u{1F600} \u{0}\u{2028}", "n": [0, 1.5, 1e21, null, null], "deep": {"a": [[{"b": true}]]}},
                {"count": 3},
                {"type": "Buffer", "data": [1, 2, 255]},
                n
            ])
        );
        running.stop("TERM");
    }
}

/// What was written here is read by Node-RED: by hand, with the folder of its packages in `VGDC_NODE_RED` and a `node`
/// that can run it in the `PATH`.
#[test]
#[ignore = "needs Node-RED: by hand"]
fn node_red_continues_what_was_written_here() {
    let packages = std::env::var("VGDC_NODE_RED")
        .expect("VGDC_NODE_RED names the folder of Node-RED's packages");
    let folder = tempfile::tempdir().expect("a folder");
    let write = r#"global.set("g", {text: "grüße \u{1F600} \u0000\u2028", n: [-0, 1.5, 1e21, NaN, undefined], deep: {a: [[{b: true}]]}});
                   global.set("buf", Buffer.from([1, 2, 255])); global.set("date", new Date(0)); flow.set("f.count", 3);
                   context.set("own", "mine"); node.warn("written"); return msg;"#;
    let read = r#"node.warn("found " + JSON.stringify([global.keys(), global.get("g"), global.get("buf"), global.get("date"), flow.get("f"), context.get("own")])); return msg;"#;
    let flow = |code: &str| {
        json!([
            {"id": "tab1", "type": "tab"},
            {"id": "i", "type": "inject", "z": "tab1", "x": 1, "y": 1, "once": true, "onceDelay": 0.01, "repeat": "", "crontab": "",
             "props": [{"p": "payload"}], "payload": "", "payloadType": "str", "wires": [["fn1"]]},
            {"id": "fn1", "type": "function", "z": "tab1", "x": 1, "y": 1, "func": code, "outputs": 1, "wires": [[]]},
        ])
        .to_string()
    };
    let file = |name: &str| folder.path().join(name);
    let toml = format!(
        "[context.default]\nmodule = \"localfilesystem\"\nconfig = {{ dir = {:?} }}\n",
        folder.path()
    );
    std::fs::write(file("vgdc.toml"), toml).expect("writes");
    std::fs::write(file("flows.json"), flow(write)).expect("writes");
    let mut running = Running::start(&mut vgdc(&["run", &folder.path().to_string_lossy()]));
    running.wait_for("] written");
    running.stop("TERM");
    std::fs::write(file("flows.json"), flow(read)).expect("writes");
    let settings = format!(
        "module.exports = {{ flowFile: {:?}, userDir: {:?}, uiPort: {}, uiHost: '127.0.0.1', httpAdminRoot: false, contextStorage: {{ default: {{ module: 'localfilesystem' }} }} }}",
        file("flows.json"),
        folder.path(),
        vgdc_tests::free_port()
    );
    std::fs::write(file("settings.js"), settings).expect("writes");
    let mut node_red = std::process::Command::new("node");
    node_red
        .arg(Path::new(&packages).join("node-red/red.js"))
        .arg("-s")
        .arg(file("settings.js"));
    let mut node_red = Running::start(&mut node_red);
    node_red.wait_for("Started flows");
    let line = node_red.wait_for("] found ");
    let found = line
        .split("] found ")
        .nth(1)
        .expect("what was found")
        .trim();
    let found = found.trim_end_matches("\u{1b}[39m");
    assert_eq!(
        serde_json::from_str::<Value>(found).expect("JSON"),
        json!([
            ["g", "buf", "date"],
            {"text": "grüße \u{1F600} \u{0}\u{2028}", "n": [0, 1.5, 1e21, null, null], "deep": {"a": [[{"b": true}]]}},
            {"type": "Buffer", "data": [1, 2, 255]},
            "1970-01-01T00:00:00.000Z",
            {"count": 3},
            "mine"
        ])
    );
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from)
        .expect("the folder is there")
        .flatten()
    {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            std::fs::create_dir_all(&target).expect("makes");
            copy(&source, &target);
        } else {
            std::fs::copy(&source, &target).expect("copies");
        }
    }
}
