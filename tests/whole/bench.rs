//! `vgdc bench` as a process: the shape of what it reports, what it says of bad input, and that nothing is left behind. Never
//! a time.

use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use vgdc_tests::{run, text, vgdc};

fn flow(folder: &Path) -> String {
    let flow = json!([
        {"id": "t", "type": "tab", "label": "T"},
        {"id": "i", "type": "inject", "z": "t", "props": [], "x": 1, "y": 1, "wires": [["f"]]},
        {"id": "f", "type": "function", "z": "t", "func": "msg.n = 1; return msg;", "outputs": 1, "x": 1, "y": 1, "wires": [["c"]]},
        {"id": "c", "type": "change", "z": "t", "rules": [{"t": "set", "p": "a", "pt": "msg", "to": "1", "tot": "num"}],
            "x": 1, "y": 1, "wires": [["d"]]},
        {"id": "d", "type": "debug", "z": "t", "active": true, "tosidebar": true, "complete": "n", "x": 1, "y": 1, "wires": []}
    ]);
    let path = folder.join("flows.json");
    std::fs::write(&path, flow.to_string()).expect("writes");
    path.to_string_lossy().into_owned()
}

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("the report is there");
    serde_json::from_str(&text).expect("it is JSON")
}

/// The figures of the case and target at these places, by name.
fn figures(report: &Value, case: usize, target: usize) -> Vec<String> {
    let outcome = &report["cases"][case]["outcomes"][target];
    assert!(outcome.get("fault").is_none(), "{outcome}");
    let figures = outcome["figures"].as_array().expect("figures");
    for figure in figures {
        assert!(
            figure["median"].as_f64().is_some_and(|n| n >= 0.0),
            "{figure}"
        );
        assert_eq!(
            figure["values"].as_array().map(Vec::len),
            Some(2),
            "{figure}"
        );
        assert!(figure["unit"].is_string(), "{figure}");
    }
    let name = |figure: &Value| figure["name"].as_str().unwrap_or_default().to_owned();
    figures.iter().map(name).collect()
}

#[test]
fn a_flow_is_measured_on_two_targets_and_against_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (flow, json, html) = (flow(folder.path()), path("r.json"), path("r.html"));
    let short = [
        "--seconds",
        "0.1",
        "--repeat",
        "2",
        "--compare",
        "native,artifact",
    ];
    let mut args = vec!["bench", &flow, "--json", &json, "--html", &html];
    args.extend(short);
    let measured = run(&args);
    assert!(measured.status.success(), "{}", text(&measured.stderr));
    let table = text(&measured.stdout);
    for part in ["native", "artifact", "messages/s", "latency p99.9", "×"] {
        assert!(table.contains(part), "{part}: {table}");
    }
    let report = read(Path::new(&json));
    assert_eq!(report["targets"], json!(["native", "artifact"]));
    assert!(report["machine"]["cores"].as_u64().is_some_and(|n| n > 0));
    let all = [
        "rate",
        "p50",
        "p99",
        "p999",
        "cpu",
        "memory_idle",
        "memory_load",
        "start",
    ];
    assert_eq!(figures(&report, 0, 0), all);
    let with_build: Vec<&str> = all.into_iter().chain(["build"]).collect();
    assert_eq!(figures(&report, 0, 1), with_build);
    let page = std::fs::read_to_string(&html).expect("the page is there");
    assert_eq!(page.matches("<svg").count(), 2);

    // Saved figures that were a thousand times better: everything became worse.
    let better = std::fs::read_to_string(&json).expect("the report is there");
    let mut better: Value = serde_json::from_str(&better).expect("JSON");
    let rate = &mut better["cases"][0]["outcomes"][0]["figures"][0];
    rate["median"] = json!(rate["median"].as_f64().unwrap_or_default() * 1000.0);
    rate["values"] = json!([rate["median"], rate["median"]]);
    std::fs::write(&json, better.to_string()).expect("writes");
    let mut args = vec!["bench", &flow, "--baseline", &json];
    args.extend(&short[..4]);
    let judged = run(&args);
    assert_eq!(judged.status.code(), Some(1), "{}", text(&judged.stderr));
    assert!(text(&judged.stdout).contains("worse"));
}

#[test]
fn cases_of_the_suite_are_measured() {
    let folder = tempfile::tempdir().expect("a folder");
    let json = folder.path().join("r.json");
    let measured = run(&[
        "bench",
        "--suite",
        "--only",
        "^(template|http-latency|tcp-throughput|start)$",
        "--seconds",
        "0.1",
        "--repeat",
        "2",
        "--json",
        &json.to_string_lossy(),
    ]);
    assert!(
        measured.status.success(),
        "{}{}",
        text(&measured.stdout),
        text(&measured.stderr)
    );
    let report = read(&json);
    let wanted: [(&str, &[&str]); 4] = [
        ("template", &["rate", "cpu"]),
        ("http-latency", &["p50", "p99", "p999", "cpu"]),
        ("tcp-throughput", &["rate", "cpu", "memory_load"]),
        ("start", &["start"]),
    ];
    for (at, (name, of)) in wanted.into_iter().enumerate() {
        assert_eq!(report["cases"][at]["name"], name);
        assert_eq!(figures(&report, at, 0), of);
    }
    assert!(
        !report["cases"][1]["outcomes"][0]["curve"]
            .as_array()
            .expect("a curve")
            .is_empty()
    );
}

#[test]
fn what_cannot_be_measured_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let flow = flow(folder.path());
    let load = folder.path().join("load");
    std::fs::write(&load, "{\"node\":\"f\",\"at_ms\":0}\nnothing\n").expect("writes");
    let load = load.to_string_lossy();
    let wrong: [(&[&str], &str); 8] = [
        (&[&flow, "--node", "x"], "--node x"),
        (&[&flow, "--rate", "-1"], "--rate -1"),
        (&[&flow, "--message", "5"], "a message is an object"),
        (&[&flow, "--load", &load], "line 2"),
        (&[&flow, "--baseline", &flow], "--save"),
        (&[&flow, "--compare", "nothing"], "node-red"),
        (&[&flow, "--json", "/no/such/folder/r"], "/no/such/folder/r"),
        (&["--suite", "--only", "nothing"], "there are chain"),
    ];
    for (args, part) in wrong {
        let mut all = vec!["bench"];
        all.extend(args);
        let refused = run(&all);
        let said = text(&refused.stderr);
        assert!(
            !refused.status.success() && said.contains(part),
            "{args:?}: {said}"
        );
    }
}

#[test]
fn nothing_is_left_behind_when_it_is_told_to_stop() {
    let folder = tempfile::tempdir().expect("a folder");
    let flow = flow(folder.path());
    let mut bench = vgdc(&["bench", &flow, "--seconds", "60", "--compare", "artifact"])
        .env("TMPDIR", folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("vgdc starts");
    let folders = || {
        let all = std::fs::read_dir(folder.path()).expect("the folder");
        let names = all
            .flatten()
            .map(|e| e.file_name().to_string_lossy().into_owned());
        names.filter(|name| name.starts_with("vgdc-bench-")).count()
    };
    let until = Instant::now() + Duration::from_secs(20);
    while folders() == 0 {
        assert!(Instant::now() < until, "it makes its folder");
        std::thread::sleep(Duration::from_millis(5));
    }
    let killed = std::process::Command::new("kill")
        .args(["-INT", &bench.id().to_string()])
        .status();
    assert!(killed.is_ok_and(|status| status.success()));
    assert_eq!(bench.wait().expect("it ends").code(), Some(130));
    assert_eq!(folders(), 0);
}
