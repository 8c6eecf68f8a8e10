//! Profiles: what is counted is exact, what the compiler decides by it changes no behaviour, and what is wrong with a
//! profile is said.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use vgdc_tests::{Control, Running, Story, by_node, run, text, vgdc};

/// `add` and `which` are one function. `throws` bails out each time (what it throws is the engine's affair), and its errors
/// are caught; `never` gets nothing. The other tab is an island of its own.
fn flow() -> Value {
    let function = |id: &str, func: &str, wires: Value| json!({"id": id, "type": "function", "z": "tab", "name": id, "func": func, "outputs": 1, "wires": wires});
    let rules: Vec<Value> = ["a", "b", "c", "z"]
        .iter()
        .map(|word| json!({"t": "eq", "v": word, "vt": "str"}))
        .collect();
    let set = |id: &str| json!({"id": id, "type": "change", "z": "tab", "name": "", "rules": [{"t": "set", "p": "seen", "pt": "msg", "to": id, "tot": "str"}], "wires": [[]]});
    let mut alone = function(
        "alone",
        "msg.payload = msg.payload + '!';\nreturn msg;",
        json!([[]]),
    );
    alone["z"] = json!("other");
    json!([
        {"id": "tab", "type": "tab", "label": "Main"},
        {"id": "other", "type": "tab", "label": "Other"},
        {"id": "catch", "type": "catch", "z": "tab", "scope": ["throws"], "uncaught": false, "wires": [["caught"]]},
        function("add", "msg.n = 1;\nreturn msg;", json!([["which"]])),
        {"id": "which", "type": "switch", "z": "tab", "name": "which", "property": "payload", "propertyType": "msg", "rules": rules, "checkall": "false", "repair": false, "outputs": 4, "wires": [["one"], ["throws"], ["much"], ["never"]]},
        set("one"),
        function("throws", "if (msg.payload === 'b') throw new Error('boom');\nreturn msg;", json!([["after"]])),
        set("after"),
        function("much", "let s = 0;\nif (msg.payload === 7) { msg.seven = true; msg.topic = 'seldom'; }\nfor (let i = 0; i < 2000; i++) s += i;\nmsg.s = s;\nreturn msg;", json!([["done"]])),
        set("done"),
        function("never", "msg.never = true;\nreturn msg;", json!([[]])),
        set("caught"),
        alone,
    ])
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("writes");
    path.to_string_lossy().into_owned()
}

fn send(control: &mut Control, node: &str, payload: &Value) {
    let msg = json!({"payload": payload, "_msgid": "m"});
    control.good("receive", json!({"node": node, "msg": msg}));
}

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("a profile was written");
    serde_json::from_str(&text).expect("JSON")
}

/// Runs the flow with `a` 3 times, `b` 12 times, `c` 20 times, and 5 messages for the other tab; gives the profile's path.
fn taken(folder: &Path) -> String {
    let path = write(folder, "flows.json", &flow().to_string());
    let profile = folder.join("p.json").to_string_lossy().into_owned();
    let mut control = Control::start(&[&path, &format!("--profile={profile}")]);
    for (payload, times) in [("a", 3), ("b", 12), ("c", 20)] {
        (0..times).for_each(|_| send(&mut control, "add", &json!(payload)));
    }
    (0..5).for_each(|_| send(&mut control, "alone", &json!("x")));
    control.good("settle", json!({}));
    assert_eq!(control.end(), Some(0));
    profile
}

#[test]
fn every_message_error_and_bail_out_is_counted_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let profile = read(Path::new(&taken(folder.path())));
    assert_eq!(profile["vgdc-profile"], 1);
    let nodes: BTreeMap<&str, &Value> = (profile["nodes"].as_array().into_iter().flatten())
        .filter_map(|node| Some((node["id"].as_str()?, node)))
        .collect();
    let counted = |id: &str| {
        let node = nodes[id];
        (
            node["in"].as_u64().unwrap_or(u64::MAX),
            node["out"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_u64)
                .sum::<u64>(),
            node["errors"].as_u64().unwrap_or(u64::MAX),
            node["engine"]["calls"].as_u64().unwrap_or(u64::MAX),
        )
    };
    assert_eq!(counted("add"), (35, 35, 0, 0));
    assert_eq!(counted("which"), (35, 35, 0, 0));
    assert_eq!(nodes["which"]["out"], json!([3, 12, 20]));
    assert_eq!(counted("one"), (3, 3, 0, 0));
    assert_eq!(counted("throws"), (12, 0, 12, 12));
    assert_eq!(counted("catch"), (12, 12, 0, 0));
    assert_eq!(counted("caught"), (12, 12, 0, 0));
    assert_eq!(counted("after"), (0, 0, 0, 0));
    assert_eq!(counted("much"), (20, 20, 0, 0));
    assert_eq!(counted("never"), (0, 0, 0, 0));
    assert_eq!(counted("alone"), (5, 5, 0, 0));
    assert_eq!(
        (&nodes["add"]["flow"], &nodes["alone"]["flow"]),
        (&json!("Main"), &json!("Other"))
    );
    let code = |id: &str, what: &str| nodes[id]["code"][what].as_u64().unwrap_or(u64::MAX);
    assert_eq!((code("add", "calls"), code("add", "bails")), (35, 0));
    assert_eq!((code("much", "calls"), code("much", "bails")), (20, 0));
    let blocks = nodes["much"]["code"]["blocks"]
        .as_object()
        .expect("its code has probes");
    let blocks: Vec<u64> = blocks.values().filter_map(Value::as_u64).collect();
    assert_eq!(
        blocks,
        [0, 20, 20, 20],
        "a side not taken, one taken, and a loop's two: {blocks:?}"
    );
    // (in the region, if it is in one, and by itself)
    assert!(code("throws", "calls") >= 12 && code("throws", "calls") == code("throws", "bails"));
    for (id, node) in &nodes {
        let ns = |what: &str| node[what].as_u64().unwrap_or(0);
        assert!(ns("total_ns") >= ns("self_ns"), "{id}: {node}");
        // (a node that got nothing has been started and stopped all the same)
        assert!(ns("in") == 0 || ns("self_ns") > 0, "{id}: {node}");
    }
    let wires: BTreeMap<(&str, u64, &str), u64> =
        (profile["wires"].as_array().into_iter().flatten())
            .filter_map(|wire| {
                let key = (
                    wire["from"].as_str()?,
                    wire["output"].as_u64()?,
                    wire["to"].as_str()?,
                );
                Some((key, wire["messages"].as_u64()?))
            })
            .collect();
    let expected = [
        (("add", 0, "which"), 35),
        (("catch", 0, "caught"), 12),
        (("much", 0, "done"), 20),
        (("throws", 0, "after"), 0),
        (("which", 0, "one"), 3),
        (("which", 1, "throws"), 12),
        (("which", 2, "much"), 20),
        (("which", 3, "never"), 0),
    ];
    assert_eq!(wires, BTreeMap::from(expected));
    let regions = profile["regions"].as_array().expect("regions");
    let region = (regions.iter())
        .find(|region| region["stages"][0]["node"] == "add")
        .expect("a region begins with `add`");
    assert_eq!(region["calls"], 35);
    let stages = region["stages"].as_array().expect("stages");
    let sum = |what: &str| {
        stages
            .iter()
            .filter_map(|stage| stage[what].as_u64())
            .sum::<u64>()
    };
    assert_eq!(
        sum("ended") + sum("bails"),
        35,
        "each message ends once: {region}"
    );
    assert_eq!(
        (&stages[0]["reached"], &stages[1]["reached"]),
        (&json!(35), &json!(35))
    );
    let ns = region["ns"].as_u64().unwrap_or(0);
    assert!(
        ns > 0 && sum("ns").abs_diff(ns) <= stages.len() as u64,
        "all of its time is shared out: {region}"
    );
    let islands = profile["islands"].as_array().expect("islands");
    assert_eq!(islands.len(), 2);
}

#[test]
fn one_message_in_so_many_goes_through_a_region_alone_and_is_counted_like_the_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = write(folder.path(), "flows.json", &flow().to_string());
    let profile = folder.path().join("p.json");
    let mut control = Control::start(&[&path, &format!("--profile={}", profile.display())]);
    (0..200).for_each(|_| send(&mut control, "add", &json!("c")));
    control.good("settle", json!({}));
    assert_eq!(control.end(), Some(0));
    let profile = read(&profile);
    let node = |id: &str| {
        let nodes = profile["nodes"].as_array().into_iter().flatten();
        nodes
            .clone()
            .find(|node| node["id"] == id)
            .cloned()
            .unwrap_or_default()
    };
    for id in ["add", "which", "much", "done"] {
        assert_eq!(node(id)["in"], 200, "{id}");
    }
    assert_eq!(
        node("add")["code"]["calls"],
        200,
        "a function is machine code alone, too"
    );
    let regions = profile["regions"].as_array().into_iter().flatten();
    let calls: u64 = regions.filter_map(|region| region["calls"].as_u64()).sum();
    assert_eq!(calls, 197, "{}", profile["regions"]);
}

/// What is heard of a program when it gets these.
fn story(app: &Path) -> Story {
    let mut control = Control::start_command(Command::new(app).args(["--control", "stdio"]));
    let ends = json!(["one", "after", "done", "never", "caught", "alone"]);
    control.good("watch", json!({"nodes": ends, "events": ["send"]}));
    control.good("watch", json!({"nodes": "*", "events": ["error", "log"]}));
    for payload in [
        json!("a"),
        json!("b"),
        json!("c"),
        json!("z"),
        json!("q"),
        json!(1),
        json!(null),
        json!(["c"]),
        json!({"a": 1}),
    ] {
        send(&mut control, "add", &payload);
        control.good("settle", json!({}));
    }
    send(&mut control, "alone", &json!("x"));
    control.good("settle", json!({}));
    let story = by_node(&control.events, |event| {
        let mut event = event.clone();
        if let Some(fields) = event.as_object_mut() {
            fields.remove("ts");
        }
        // (where in the code an error came from is the engine's to say)
        if let Some(error) = event
            .pointer_mut("/msg/error")
            .and_then(Value::as_object_mut)
        {
            error.remove("stack");
        }
        event
    });
    assert_eq!(control.end(), Some(0));
    story
}

/// The same profile of a run in which nothing happened.
fn idle(profile: &str) -> String {
    let mut profile = read(Path::new(profile));
    for node in profile["nodes"].as_array_mut().into_iter().flatten() {
        (node["in"], node["out"]) = (json!(0), json!([]));
        node["code"] = json!({"calls": 0, "bails": 1, "ns": 0});
    }
    profile.to_string()
}

#[test]
fn a_program_built_by_a_profile_does_the_same_and_the_decisions_are_explained() {
    let folder = tempfile::tempdir().expect("a folder");
    let profile = taken(folder.path());
    let flow = folder
        .path()
        .join("flows.json")
        .to_string_lossy()
        .into_owned();
    let [plain, tuned] = ["plain", "tuned"].map(|name| folder.path().join(name));
    let built = run(&[
        "build",
        &flow,
        "--observable",
        "-o",
        &plain.to_string_lossy(),
    ]);
    assert!(built.status.success(), "{}", text(&built.stderr));
    let built = run(&[
        "build",
        &flow,
        "--observable",
        "--profile",
        &profile,
        "-o",
        &tuned.to_string_lossy(),
    ]);
    assert!(built.status.success(), "{}", text(&built.stderr));
    assert!(
        !text(&built.stderr).contains("VG03"),
        "{}",
        text(&built.stderr)
    );
    let story_of_plain = story(&plain);
    assert!(story_of_plain.contains_key("never") && story_of_plain.contains_key("caught"));
    assert_eq!(story_of_plain, story(&tuned));

    let said = run(&["explain", &flow, "--profile", &profile]);
    let said = text(&said.stdout);
    for part in [
        "never: no code is made of it: no message came to it",
        "after: no code is made of it: no message came to it",
        "throws: no code is made of it: all ",
        "which: its code asks first what is taken most often",
        "much: 1 of the 8 blocks of its code are cold",
        "blocks of the function that begins with it are cold",
        "% of the time in the profile",
    ] {
        assert!(said.contains(part), "`{part}` is not in\n{said}");
    }
    let idle = write(folder.path(), "idle.json", &idle(&profile));
    let nothing = text(&run(&["explain", &flow, "--profile", &idle]).stdout);
    assert!(nothing.contains("it decides nothing"), "{nothing}");
    let without = text(&run(&["explain", &flow]).stdout);
    assert!(
        !without.contains("profile") && !without.contains("cold"),
        "{without}"
    );
    let emitted =
        |stage: &str| text(&run(&["emit", &flow, "--stage", stage, "--profile", &profile]).stdout);
    assert!(emitted("mir").contains("// cold"));
    assert!(emitted("rust").contains("cold_path"));
    let plan: Value = serde_json::from_str(&emitted("plan")).expect("a plan");
    assert_eq!(
        plan["loads"].as_array().map(Vec::len),
        Some(2),
        "{}",
        plan["loads"]
    );
}

#[test]
fn the_file_is_written_at_signals_and_says_where_the_time_went() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut flow = flow();
    if let Some(nodes) = flow.as_array_mut() {
        nodes.push(json!({"id": "begin", "type": "inject", "z": "tab", "props": [{"p": "payload"}], "repeat": "", "once": true, "onceDelay": 0, "payload": "c", "payloadType": "str", "wires": [["add"]]}));
        nodes.push(json!({"id": "last", "type": "debug", "z": "tab", "active": true, "tosidebar": false, "console": true, "complete": "payload", "targetType": "msg", "wires": []}));
        for node in nodes.iter_mut().filter(|node| node["id"] == "done") {
            node["wires"] = json!([["last"]]);
        }
    }
    let path = write(folder.path(), "flows.json", &flow.to_string());
    let mut running = Running::start(&mut vgdc(&["run", &path, "--profile"]));
    running.wait_for("[debug:last]");
    assert_eq!(running.stop("INT"), Some(0));
    let of_run = folder.path().join("flows.profile.json");
    let app = folder.path().join("pump");
    let built = run(&["build", &path, "-o", &app.to_string_lossy()]);
    assert!(built.status.success(), "{}", text(&built.stderr));
    let mut running = Running::start(
        Command::new(&app)
            .arg("--profile")
            .current_dir(folder.path()),
    );
    running.wait_for("[debug:last]");
    assert_eq!(running.stop("TERM"), Some(0));
    let of_app = folder.path().join("pump.profile.json");
    let [one, other] = [&of_run, &of_app].map(|path| read(path));
    assert_eq!(
        one["flow"], other["flow"],
        "a program and `vgdc run` name the flow alike"
    );
    assert_eq!(
        (&one["program"], &other["program"]),
        (&json!("vgdc"), &json!("pump"))
    );
    // (what a program measured is as good as what `vgdc run` did)
    let built = run(&[
        "build",
        &path,
        "--profile",
        &of_app.to_string_lossy(),
        "-o",
        &app.to_string_lossy(),
    ]);
    assert!(
        built.status.success() && !text(&built.stderr).contains("VG03"),
        "{}",
        text(&built.stderr)
    );

    let svg = folder.path().join("out.svg");
    let shown = run(&[
        "profile",
        &of_run.to_string_lossy(),
        "--flame",
        &svg.to_string_lossy(),
    ]);
    let table = text(&shown.stdout);
    assert!(
        shown.status.success() && table.contains("ns/message") && table.contains("function much"),
        "{table}"
    );
    let drawn = std::fs::read_to_string(&svg).expect("a picture");
    assert!(drawn.contains("<svg") && drawn.contains("machine code") && drawn.contains("Main"));
    let shown = run(&["profile", &of_run.to_string_lossy(), "--json"]);
    let json: Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    let shares: f64 = (json["nodes"].as_array().into_iter().flatten())
        .filter_map(|node| node["share"].as_f64())
        .sum();
    assert!((shares - 1.0).abs() < 1e-6, "{shares}");
}

#[test]
fn profiles_that_cannot_be_used_are_refused_and_old_ones_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let profile = taken(folder.path());
    let flow = folder
        .path()
        .join("flows.json")
        .to_string_lossy()
        .into_owned();
    let good = std::fs::read_to_string(&profile).expect("a profile");
    let app = folder.path().join("app").to_string_lossy().into_owned();
    let build = |flow: &str, profile: &str| run(&["build", flow, "--profile", profile, "-o", &app]);
    let refused = |name: &str, content: &str, part: &str| {
        let path = write(folder.path(), name, content);
        for answer in [build(&flow, &path), run(&["profile", &path])] {
            let said = text(&answer.stderr);
            assert_eq!(answer.status.code(), Some(1), "{name}: {said}");
            assert!(
                said.contains("VG0310") && said.contains(name) && said.contains(part),
                "{name}: {said}"
            );
        }
        assert!(!Path::new(&app).exists(), "{name}: nothing is built");
    };
    refused("half.json", &good[..good.len() / 2], "damaged");
    refused("words.json", "hello", "damaged");
    refused("list.json", "[]", "this is no profile");
    refused("flow.json", &self::flow().to_string(), "this is no profile");
    refused(
        "later.json",
        &good.replacen("\"vgdc-profile\": 1", "\"vgdc-profile\": 99", 1),
        "format 99",
    );
    refused("holes.json", "{\"vgdc-profile\": 1}", "missing field");
    let missing = build(&flow, &folder.path().join("none.json").to_string_lossy());
    assert_eq!(missing.status.code(), Some(1));
    assert!(
        text(&missing.stderr).contains("none.json") && text(&missing.stderr).contains("VG0310")
    );
    assert_eq!(
        run(&["build", &flow, "--no-optimise", "--profile", &profile])
            .status
            .code(),
        Some(2)
    );

    let other = write(
        folder.path(),
        "other.json",
        &json!([{"id": "t", "type": "tab"}, {"id": "x", "type": "function", "z": "t", "func": "return msg;", "outputs": 1, "wires": [[]]}]).to_string(),
    );
    let foreign = build(&other, &profile);
    assert_eq!(foreign.status.code(), Some(1));
    assert!(
        text(&foreign.stderr).contains("VG0311"),
        "{}",
        text(&foreign.stderr)
    );
    assert!(!Path::new(&app).exists());

    let mut edited = self::flow();
    for node in edited.as_array_mut().into_iter().flatten() {
        match node["id"].as_str() {
            Some("much") => node["func"] = json!("msg.much = 1;\nreturn msg;"),
            Some("one") => node["id"] = json!("renamed"),
            _ => {}
        }
    }
    let edited = write(
        folder.path(),
        "edited.json",
        &edited.to_string().replace("[\"one\"]", "[\"renamed\"]"),
    );
    let stale = build(&edited, &profile);
    let said = text(&stale.stderr);
    assert!(stale.status.success(), "{said}");
    for part in ["VG0312", "changed: much", "new: renamed", "gone: one"] {
        assert!(said.contains(part), "`{part}` is not in {said}");
    }
}

#[test]
fn what_is_in_the_way_of_the_file_is_said_before_the_flow_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = write(folder.path(), "flows.json", &flow().to_string());
    let nowhere = folder
        .path()
        .join("no/p.json")
        .to_string_lossy()
        .into_owned();
    let refused = run(&["run", &path, &format!("--profile={nowhere}")]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused.stderr).contains("there is no folder"),
        "{}",
        text(&refused.stderr)
    );
}
