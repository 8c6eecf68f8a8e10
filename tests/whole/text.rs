//! Flows as text: whatever a flow file says comes back when it was made text and read again.

#[path = "text/draw.rs"]
mod draw;

use draw::Draw;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use vgdc_driver::{Options, Session, Stage};
use vgdc_spec::NodeSpec;
use vgdc_syntax::{FlowDoc, SourceMap, render};
use vgdc_tests::run;

struct Known(HashMap<&'static str, &'static NodeSpec>);

impl Known {
    fn new() -> Known {
        Known(vgdc_stdlib::specs().map(|spec| (spec.ty, spec)).collect())
    }
}

impl vgdc_text::Nodes for Known {
    fn spec(&self, ty: &str) -> Option<&'static NodeSpec> {
        self.0.get(ty).copied()
    }

    fn types(&self) -> Vec<&str> {
        let mut types: Vec<&str> = self.0.keys().copied().collect();
        types.sort_unstable();
        types
    }
}

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            if !matches!(name.as_str(), "target" | "node_modules" | ".git") {
                files(&path, into);
            }
        } else if name.ends_with(".json") {
            into.push(path);
        }
    }
}

/// The nodes of a flow file; `None` for what is none.
fn nodes_of(text: &str) -> Option<Vec<Value>> {
    let json: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    let list = match json {
        Value::Array(list) => list,
        Value::Object(mut fields) => match fields.remove("flows") {
            Some(Value::Array(list)) => list,
            _ => return None,
        },
        _ => return None,
    };
    let is_node = |node: &Value| node["id"].is_string() && node["type"].is_string();
    (!list.is_empty() && list.iter().all(is_node)).then_some(list)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A node with all that it has if nothing is said.
fn whole(known: &Known, node: &Value) -> BTreeMap<String, Value> {
    let mut all: BTreeMap<String, Value> = node
        .as_object()
        .into_iter()
        .flatten()
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    all.remove(vgdc_text::COMMENTS);
    let mut fill = |name: &str, value: Value| {
        all.entry(name.to_owned()).or_insert(value);
    };
    let ty = text(&node["type"]);
    // (that a property is nothing is not said)
    let spec_default = |name: &str| {
        known
            .0
            .get(ty)
            .and_then(|spec| spec.field(name))
            .map(|field| field.default)
    };
    let nothing: Vec<String> = node
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, value)| {
            value.is_null()
                && (spec_default(name) == Some("null") || matches!(name.as_str(), "label" | "name"))
        })
        .map(|(name, _)| name.clone())
        .collect();
    match ty {
        "tab" => {
            fill("disabled", json!(false));
            fill("info", json!(""));
            fill("env", json!([]));
        }
        "group" => {
            fill("name", json!(""));
            fill("style", json!({ "label": true }));
        }
        "subflow" => {
            for (name, value) in [
                ("info", json!("")),
                ("category", json!("")),
                ("meta", json!({})),
                ("color", json!("#DDAA99")),
            ] {
                fill(name, value);
            }
            for name in ["env", "in", "out"] {
                fill(name, json!([]));
            }
        }
        _ => {
            let spec = known.0.get(ty).copied();
            if ty.starts_with("subflow:") || spec.is_some() && ty != "junction" {
                fill("name", json!(""));
            }
            if ty.starts_with("subflow:") {
                fill("env", json!([]));
            }
            // (beside a list, nothing looks at what is as if there were none)
            if ty == "change" && node["rules"].is_array() {
                for name in ["action", "property", "from", "to"] {
                    fill(name, json!(""));
                }
                fill("reg", json!(false));
            }
            if ty == "inject" && node["props"].is_array() {
                for (name, value) in [("payload", ""), ("payloadType", "date"), ("topic", "")] {
                    fill(name, json!(value));
                }
            }
            for field in spec.map_or(&[][..], |spec| spec.fields) {
                if field.default != "null" {
                    fill(
                        field.name,
                        serde_json::from_str(field.default).expect("a default is JSON"),
                    );
                }
            }
            if ty == "switch" {
                fill(
                    "outputs",
                    json!(node["rules"].as_array().map_or(0, Vec::len)),
                );
            }
            if !node["x"].is_null() && !node["y"].is_null() {
                fill("wires", json!([]));
            }
        }
    }
    all.retain(|name, _| !nothing.contains(name));
    if let Some(Value::Array(wires)) = all.get_mut("wires") {
        while wires.last() == Some(&json!([])) {
            wires.pop();
        }
    }
    if let ("group", Some(Value::Array(members))) = (ty, all.get_mut("nodes")) {
        members.sort_by_key(Value::to_string);
    }
    all
}

/// By what the nodes of a file are told apart; those with one key stand in their order.
fn key(node: &Value) -> (String, String, String) {
    (
        text(&node["id"]).to_owned(),
        text(&node["type"]).to_owned(),
        text(&node["z"]).to_owned(),
    )
}

/// For each flow its nodes in their order; under "" what is in none; under "flows" the flows.
fn order(nodes: &[Value]) -> BTreeMap<String, Vec<String>> {
    let flows: Vec<&str> = nodes
        .iter()
        .filter(|n| matches!(text(&n["type"]), "tab" | "subflow"))
        .map(|n| text(&n["id"]))
        .collect();
    let mut order: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for node in nodes {
        let list = match text(&node["type"]) {
            "group" => continue,
            "tab" | "subflow" => "flows",
            _ if flows.contains(&text(&node["z"])) => text(&node["z"]),
            _ => "",
        };
        order
            .entry(list.to_owned())
            .or_default()
            .push(text(&node["id"]).to_owned());
    }
    order
}

/// With the members of all objects in the order of their names.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(all) => all.iter().map(sorted).collect(),
        Value::Object(all) => {
            let all: BTreeMap<&String, Value> = all
                .iter()
                .map(|(name, value)| (name, sorted(value)))
                .collect();
            Value::Object(
                all.into_iter()
                    .map(|(name, value)| (name.clone(), value))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}

fn optimised(known: &Known, session: &Session, nodes: &[Value]) -> String {
    let mut sources = SourceMap::new();
    let (doc, _) = FlowDoc::parse(
        &mut sources,
        "flow",
        Value::from(nodes.to_vec()).to_string(),
    );
    let graph = session.compile(&doc).text(&doc, Stage::Opt);
    // Without what hangs on the order of properties, and on where in the file they are.
    let (mut out, mut ty) = (String::new(), String::new());
    for line in graph.lines() {
        let words = line
            .split(' ')
            .filter(|word| !word.starts_with("fingerprint=") && !word.starts_with("origin="));
        let words: Vec<&str> = words.collect();
        if let ["op", _, _, rest @ ..] = words.as_slice() {
            ty = rest
                .join(" ")
                .split('"')
                .nth(1)
                .unwrap_or_default()
                .to_owned();
        }
        match line
            .trim_start()
            .strip_prefix("props ")
            .and_then(|json| serde_json::from_str::<Value>(json).ok())
        {
            Some(mut props) => {
                props["type"] = ty.as_str().into();
                let all: serde_json::Map<String, Value> =
                    whole(known, &props).into_iter().collect();
                out.push_str(&format!("  props {}\n", sorted(&all.into())));
            }
            None => out.push_str(&format!("{}\n", words.join(" "))),
        }
    }
    out
}

/// What differs when a flow file is made text and read again.
fn differs(known: &Known, session: &Session, original: &str) -> Option<String> {
    let nodes = nodes_of(original)?;
    let mut sources = SourceMap::new();
    let (doc, said) = FlowDoc::parse(&mut sources, "flows.json", original);
    if said.has_errors() {
        return None;
    }
    let printed = match vgdc_text::print::print(&doc, known) {
        Ok(printed) => printed,
        Err(error) => return Some(format!("{error:?}")),
    };
    let read = vgdc_text::read(&mut sources, "x.flow", &printed, known);
    if read.diagnostics.has_errors() {
        let said = render::text(
            &read.diagnostics,
            &sources,
            &render::TextOptions {
                color: false,
                limit: Some(3),
            },
        );
        return Some(said);
    }
    match vgdc_text::format::format(&printed) {
        Ok(again) if again == printed => {}
        Ok(again) => {
            let lines = printed.lines().zip(again.lines()).find(|(a, b)| a != b);
            return Some(format!("laying it out changes it: {lines:?}"));
        }
        Err(_) => return Some("it cannot be laid out".to_owned()),
    }
    let back = nodes_of(&read.json)?;
    let mut left: HashMap<_, Vec<&Value>> = HashMap::new();
    for node in &back {
        left.entry(key(node)).or_default().push(node);
    }
    let mut sorted = Vec::new();
    for node in &nodes {
        let other = left
            .get_mut(&key(node))
            .filter(|list| !list.is_empty())
            .map(|list| list.remove(0));
        let Some(other) = other else {
            return Some(format!("{:?} is gone", key(node)));
        };
        let (a, mut b) = (whole(known, node), whole(known, other));
        if text(&node["type"]) == "group" {
            // (a place that was missing is made)
            b.retain(|name, _| {
                !matches!(name.as_str(), "x" | "y" | "w" | "h") || a.contains_key(name)
            });
        }
        if a != b {
            let part = a
                .iter()
                .map(|(k, v)| (k, Some(v), b.get(k)))
                .chain(b.iter().map(|(k, v)| (k, a.get(k), Some(v))));
            let part = part.into_iter().find(|(_, a, b)| a != b);
            return Some(format!("{:?}: {part:?}", key(node)));
        }
        let at = back.iter().position(|n| std::ptr::eq(n, other));
        sorted.push((at, node.clone()));
    }
    if order(&nodes) != order(&back) {
        return Some("the order is another".to_owned());
    }
    sorted.sort_by_key(|(at, _)| *at);
    let sorted: Vec<Value> = sorted.into_iter().map(|(_, node)| node).collect();
    let (a, b) = (
        optimised(known, session, &sorted),
        optimised(known, session, &back),
    );
    if a != b {
        let lines = a.lines().zip(b.lines()).find(|(a, b)| a != b);
        return Some(format!("the optimised graph is another: {lines:?}"));
    }
    // Text that was made of text is the same text.
    // (groups may have been made in another order, and have other names then)
    let again = |json: String, sources: &mut SourceMap| {
        let (doc, _) = FlowDoc::parse(sources, "back.json", json);
        vgdc_text::print::print(&doc, known).unwrap_or_else(|error| format!("{error:?}"))
    };
    let mut printed = printed;
    let mut second = again(read.json, &mut sources);
    if nodes.iter().any(|n| n["type"] == "group") {
        let read = vgdc_text::read(&mut sources, "x.flow", &second, known);
        printed = second;
        second = again(read.json, &mut sources);
    }
    let again = second;
    if again != printed {
        let lines = printed.lines().zip(again.lines()).find(|(a, b)| a != b);
        return Some(format!("the text of the text is another: {lines:?}"));
    }
    None
}

fn all_come_back(folders: &[PathBuf]) -> (usize, Vec<String>) {
    let (known, session) = (
        Known::new(),
        Session::new(vgdc_stdlib::specs(), Options::default()),
    );
    let mut paths = Vec::new();
    folders.iter().for_each(|folder| files(folder, &mut paths));
    let (mut count, mut wrong) = (0, Vec::new());
    for path in paths {
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        if nodes_of(&text).is_none() {
            continue;
        }
        count += 1;
        if let Some(what) = differs(&known, &session, &text) {
            wrong.push(format!("{}: {what}", path.display()));
        }
    }
    (count, wrong)
}

#[test]
fn flow_files_come_back_from_their_text() {
    let root = vgdc_tests::root();
    let folders = ["examples", "tests", "bench", "compiler"].map(|folder| root.join(folder));
    let (count, wrong) = all_come_back(&folders);
    assert!(count > 20, "the flow files were found: {count}");
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
#[ignore = "needs a folder of flow files, which is not in the repository: VGDC_FLOWS"]
fn flow_files_of_others_come_back_from_their_text() {
    let folder = std::env::var("VGDC_FLOWS").expect("VGDC_FLOWS names a folder");
    let (count, wrong) = all_come_back(&[PathBuf::from(folder)]);
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn drawn_flow_files_come_back_from_their_text() {
    let (known, session) = (
        Known::new(),
        Session::new(vgdc_stdlib::specs(), Options::default()),
    );
    let start: u64 = std::env::var("VGDC_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(0);
    let mut wrong = Vec::new();
    for seed in start..start + u64::from(vgdc_tests::cases(400)) {
        let nodes = Draw(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)).flow_file(&known);
        let text = format!("{:#}", Value::from(nodes));
        if let Some(what) = differs(&known, &session, &text) {
            wrong.push(format!("VGDC_SEED={seed}: {what}"));
        }
    }
    wrong.truncate(20);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The ids of nodes by their types and names.
fn by_name(nodes: &[Value]) -> BTreeMap<(String, String), String> {
    let name = |node: &Value| {
        text(
            &node[if node["type"] == "tab" {
                "label"
            } else {
                "name"
            }],
        )
        .to_owned()
    };
    nodes
        .iter()
        .map(|node| {
            (
                (text(&node["type"]).to_owned(), name(node)),
                text(&node["id"]).to_owned(),
            )
        })
        .collect()
}

#[test]
fn an_example_in_both_forms_is_one_flow() {
    let (known, session) = (
        Known::new(),
        Session::new(vgdc_stdlib::specs(), Options::default()),
    );
    let folder = vgdc_tests::root().join("examples/mqtt-alerts");
    let file = |name: &str| std::fs::read_to_string(folder.join(name)).expect("the example");
    let json = nodes_of(&file("flows.json")).expect("nodes");
    let written = file("flows.flow");
    let mut sources = SourceMap::new();
    let read = vgdc_text::read(&mut sources, "flows.flow", &written, &known);
    assert!(read.diagnostics.is_empty(), "{:?}", read.diagnostics);
    assert_eq!(
        vgdc_text::format::format(&written).expect("a text"),
        written,
        "it is laid out"
    );
    // The same ids, and the same places on the canvas.
    let mut renamed = read.json.clone();
    let (of_json, of_text) = (
        by_name(&json),
        by_name(&nodes_of(&read.json).expect("nodes")),
    );
    for (name, id) in &of_text {
        let other = of_json.get(name).unwrap_or_else(|| panic!("{name:?}"));
        renamed = renamed.replace(&format!("\"{id}\""), &format!("\"{other}\""));
    }
    let graph = |nodes: &[Value]| {
        let graph = optimised(&known, &session, nodes);
        graph
            .lines()
            .filter(|line| !line.starts_with("env"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(graph(&nodes_of(&renamed).expect("nodes")), graph(&json));
}

fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("writes");
    path.to_string_lossy().into_owned()
}

#[test]
fn commands_take_texts() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let good = file(
        folder.path(),
        "good.flow",
        "// why\nflow f { let begin=inject(msg.payload = 1, once = true);\nbegin -> function(\"return msg;\") -> debug(); }\n",
    );
    let said = |args: &[&str]| {
        let done = run(args);
        let (out, err) = (
            vgdc_tests::text(&done.stdout),
            vgdc_tests::text(&done.stderr),
        );
        (done.status.code(), out, err)
    };
    assert_eq!(said(&["check", &good]).0, Some(0));
    for stage in ["doc", "graph", "opt", "plan"] {
        assert_eq!(
            said(&["emit", &good, "--stage", stage]).0,
            Some(0),
            "{stage}"
        );
    }
    assert!(said(&["explain", &good]).1.contains("f.function1"));
    // To JSON and back.
    assert_eq!(said(&["convert", &good, "-o", &path("a.json")]).0, Some(0));
    assert_eq!(said(&["check", &path("a.json")]).0, Some(0));
    let (code, printed, _) = said(&["convert", &path("a.json")]);
    assert_eq!(code, Some(0));
    assert!(
        printed.starts_with(
            "// why\nflow f {\n    let begin = inject(msg.payload = 1, once = true) at (140, 60);\n"
        ),
        "{printed}"
    );
    assert_eq!(
        said(&["convert", &path("a.json"), "--to", "flow"]).1,
        printed
    );
    assert_eq!(
        said(&["convert", &good, "--to", "json"]).1,
        std::fs::read_to_string(path("a.json")).expect("written")
    );
    // Layout.
    assert_eq!(
        said(&["fmt", "--check", &good]),
        (Some(1), format!("{good}\n"), String::new())
    );
    assert_eq!(
        said(&["fmt", &good]),
        (Some(0), String::new(), String::new())
    );
    assert_eq!(said(&["fmt", "--check", &good]).0, Some(0));
    let laid_out = std::fs::read_to_string(&good).expect("read");
    assert!(
        laid_out.starts_with("// why\nflow f {\n    let begin = inject("),
        "{laid_out}"
    );
    // Faults.
    let bad = file(
        folder.path(),
        "bad.flow",
        "flow f {\n    let a = debug();\n    b -> a;\n}\n",
    );
    let (code, _, err) = said(&["check", &bad]);
    assert_eq!(code, Some(1));
    assert!(
        err.contains("bad.flow:3:5") && err.contains("VG0053"),
        "{err}"
    );
    let (code, out, _) = said(&["convert", &bad]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert_eq!(said(&["convert", &bad, "-o", &path("b.json")]).0, Some(1));
    assert!(!Path::new(&path("b.json")).exists(), "nothing is written");
    let (code, _, err) = said(&["fmt", &file(folder.path(), "worse.flow", "flow f {")]);
    assert!(code == Some(1) && err.contains("worse.flow:1:8"), "{err}");
    // Credentials in the file are left behind, and that is said; a folder may have a text alone.
    let wrapped = file(
        folder.path(),
        "wrapped.json",
        r#"{"flows": [{"id": "a", "type": "tab", "label": "A"}], "credentials": {"a": {"password": "geheim"}}}"#,
    );
    let (code, out, err) = said(&["convert", &wrapped]);
    assert_eq!((code, out.as_str()), (Some(0), "flow a \"A\" {}\n"));
    assert!(
        err.contains("do not go along") && !err.contains("geheim"),
        "{err}"
    );
    let alone = tempfile::tempdir().expect("a folder");
    file(
        alone.path(),
        "flows.flow",
        "flow f { inject() -> debug(); }\n",
    );
    assert_eq!(said(&["check", &alone.path().to_string_lossy()]).0, Some(0));
    // What later stages say.
    let code = "flow f {\n    let a = inject();\n    a -> function(r#\"\n        let x = 5;\n        x ++ y;\n    \"#);\n}\n";
    let (_, _, err) = said(&["check", &file(folder.path(), "code.flow", code)]);
    assert!(
        err.contains("code.flow:5:13") && err.contains("VG0200"),
        "{err}"
    );
    let (_, json, _) = said(&["check", "--format", "json", &path("code.flow")]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["diagnostics"][0]["labels"][0]["line"], 5);
    assert_eq!(json["diagnostics"][0]["body"]["line"], 2);
}

#[test]
fn what_the_page_shows_is_right() {
    let known = Known::new();
    let page =
        std::fs::read_to_string(vgdc_tests::root().join("docs/flow-text.md")).expect("the page");
    let shown: Vec<&str> = page
        .split("```flow\n")
        .skip(1)
        .filter_map(|part| part.split("```").next())
        .collect();
    assert!(shown.len() > 1);
    for text in shown {
        let mut sources = SourceMap::new();
        let read = vgdc_text::read(&mut sources, "page.flow", text, &known);
        let said = render::text(&read.diagnostics, &sources, &render::TextOptions::default());
        assert!(read.diagnostics.is_empty(), "{said}");
        assert_eq!(vgdc_text::format::format(text).expect("a text"), text);
    }
    // and the types that it says something of are there
    for row in page
        .lines()
        .filter(|line| line.starts_with("| ") && line.ends_with("code |"))
    {
        for ty in row
            .split('|')
            .nth(1)
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
        {
            let spec = known.0.get(ty);
            assert!(
                spec.is_some_and(|spec| spec.text != vgdc_spec::Text::Plain),
                "{ty}"
            );
        }
    }
}
