//! `vgdc test`: what it finds, what it says, what it writes.

use std::path::Path;
use vgdc_tests::{root, run, text};

/// A folder with a flow: a trigger that sends a minute after it was pressed, what it sends to a function that can fail, and
/// what that sends to an MQTT broker.
fn folder(tests: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let flow = r#"[
        {"id": "t", "type": "tab", "label": "Plant"},
        {"id": "i", "type": "inject", "z": "t", "name": "go", "props": [{"p": "payload"}], "payload": "7", "payloadType": "num", "wires": [["d"]]},
        {"id": "d", "type": "delay", "z": "t", "name": "wait", "pauseType": "delay", "timeout": "1", "timeoutUnits": "minutes", "wires": [["f"]]},
        {"id": "f", "type": "function", "z": "t", "name": "work", "func": "if (msg.payload < 0) throw new Error('below zero');\nnode.status({text: 'at ' + new Date().toISOString()});\nmsg.payload = {value: msg.payload, random: Math.random()};\nreturn msg.payload.value > 100 ? [null, msg] : [msg, null];", "outputs": 2, "wires": [["o"], ["h"]]},
        {"id": "o", "type": "mqtt out", "z": "t", "name": "out", "topic": "x", "broker": "b", "wires": []},
        {"id": "h", "type": "http request", "z": "t", "name": "ask", "method": "GET", "ret": "obj", "url": "http://127.0.0.1:1/", "wires": [["o"]]},
        {"id": "b", "type": "mqtt-broker", "broker": "127.0.0.1", "port": "1"}
    ]"#;
    std::fs::write(folder.path().join("plant.json"), flow).expect("a flow");
    if !tests.is_empty() {
        std::fs::write(folder.path().join("plant.test.yaml"), tests).expect("a test file");
    }
    folder
}

fn test(folder: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let path = folder.to_str().expect("a path");
    let out = run(&[&["test", path], args].concat());
    let plain = |bytes: &[u8]| text(bytes).replace(path, "DIR");
    (out.status.code(), plain(&out.stdout), plain(&out.stderr))
}

/// A report without its times.
fn timeless(report: &str) -> String {
    let time = |line: &str| match line.rsplit_once(" (") {
        Some((before, after)) if after.ends_with(" ms)") => before.to_owned(),
        _ => line.to_owned(),
    };
    report.lines().map(time).collect::<Vec<_>>().join("\n")
}

const GOOD: &str = r#"
tests:
  - name: what is pressed comes a minute later
    steps:
      - press: go
      - advance: 59s 999ms
      - expect: {out: {receives: []}}
      - advance: 1
      - expect:
          out: {receives: [{payload: {value: 7, random: {$is: number, $lt: 1}}}]}
          work: {status: {text: "at 2026-01-01T00:01:00.000Z"}, sends: {1: 1, 2: []}}
  - name: large values are asked about
    given: {stub: {ask: {send: {payload: {$type: buffer, base64: AQI=}}, after: 2s}}}
    steps:
      - inject: {into: work, msg: {payload: 101}}
      - expect: {out: {receives: 0}, ask: {receives: 1}}
      - advance: 2s
      - expect: {out: {receives: [{payload: {$type: buffer, base64: AQI=}}]}, ask: {done: 1}}
  - name: values below zero are refused
    steps:
      - inject: {into: Plant/work, msg: {payload: -1}}
      - expect: {work: {errors: ["below zero"]}, out: {receives: []}}
  - name: later
    skip: not decided yet
"#;

#[test]
fn good_tests_pass_and_what_they_come_by_is_counted() {
    let folder = folder(GOOD);
    let json = folder.path().join("coverage.json");
    let coverage = format!("--coverage={}", json.display());
    let (code, said, err) = test(folder.path(), &[&coverage, "--min-coverage", "100"]);
    assert_eq!(code, Some(0), "{said}{err}");
    assert_eq!(
        timeless(&said),
        "DIR/plant.test.yaml\n  ok    what is pressed comes a minute later\n  ok    large values are asked about\n  ok    values below zero are refused\n  skip  later: not decided yet\n3 passed, 0 failed, 1 skipped\nDIR/plant.json: 100 % covered: 5 of 5 nodes, 5 of 5 wires"
    );
    let written = std::fs::read_to_string(json).expect("coverage is written");
    assert!(written.contains("\"percent\": 100.0"), "{written}");
    let (code, said, err) = test(
        folder.path(),
        &["--filter", "below", "--coverage", "--min-coverage", "50"],
    );
    assert_eq!(code, Some(1));
    assert!(
        said.contains("not tested: node ask (h, function)"),
        "{said}"
    );
    assert!(err.contains("fewer than 50 %"), "{err}");
    // The oracle says the same.
    let (code, ..) = test(folder.path(), &["--target", "interp"]);
    assert_eq!(code, Some(0));
}

#[test]
fn what_is_not_as_expected_is_told_with_its_line() {
    let folder = folder(
        r#"
tests:
  - name: wrong value
    steps:
      - inject: {into: work, msg: {payload: 8}}
      - expect:
          out:
            receives: [{payload: {value: 9, random: {$any: true}}}]
  - name: nobody expected this
    steps:
      - inject: {into: work, msg: {payload: -1}}
  - name: nobody is called so
    steps:
      - press: goo
"#,
    );
    let junit = folder.path().join("report.xml");
    let (code, said, _) = test(folder.path(), &["--junit", junit.to_str().expect("a path")]);
    assert_eq!(code, Some(1));
    for part in [
        "DIR/plant.test.yaml:8: \"out\" received: payload.value: expected 9, got 8",
        "DIR/plant.test.yaml:9: \"work\" raised an error that nothing caught or expected: below zero",
        "DIR/plant.test.yaml:14: nothing here is called \"goo\": did you mean \"go\"?",
        "0 passed, 3 failed",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    let xml = std::fs::read_to_string(junit).expect("a report");
    assert!(
        xml.contains("tests=\"3\"") && xml.contains("failures=\"3\""),
        "{xml}"
    );
    assert!(xml.contains("payload.value: expected 9, got 8"), "{xml}");
}

#[test]
fn what_happens_is_recorded_and_then_holds() {
    let folder = folder(
        "# mine\ntests:\n  - name: a\n    steps:\n      - inject: {into: work, msg: {payload: 1}}   # one\n      - advance: 1\n\n  - name: b\n    steps:\n      - inject: {into: work, msg: {payload: -1}}\n",
    );
    let file = folder.path().join("plant.test.yaml");
    let (code, said, err) = test(folder.path(), &["--record"]);
    assert_eq!(code, Some(0), "{said}{err}");
    let written = std::fs::read_to_string(&file).expect("a test file");
    assert_eq!(
        written,
        "# mine\ntests:\n  - name: a\n    steps:\n      - inject: {into: work, msg: {payload: 1}}   # one\n      - advance: 1\n      - expect:\n          work:\n            status: {text: \"at 2026-01-01T00:00:00.000Z\"}\n          out:\n            receives: [{payload: {value: 1, random: {$is: number}}}]\n\n  - name: b\n    steps:\n      - inject: {into: work, msg: {payload: -1}}\n      - expect:\n          work:\n            errors: [\"below zero\"]\n"
    );
    // Recording again changes nothing.
    let (code, ..) = test(folder.path(), &["--record"]);
    assert_eq!(code, Some(0));
    assert_eq!(
        std::fs::read_to_string(&file).expect("a test file"),
        written
    );
    // Without a test file, one is drawn up.
    std::fs::remove_file(&file).expect("it is there");
    let (code, said, err) = test(&folder.path().join("plant.json"), &["--record"]);
    assert_eq!(code, Some(0), "{said}{err}");
    let drawn = std::fs::read_to_string(&file).expect("a test file");
    assert!(drawn.contains("- press: \"go\""), "{drawn}");
}

#[test]
fn files_that_cannot_be_used_are_refused() {
    for (tests, part) in [
        ("tests:\n  - nam: a\n", "plant.test.yaml:2: "),
        ("tests: []\n", "nothing to run"),
        (
            "tests:\n  - name: a\n    steps: [{press: x, advance: 1}]\n",
            "plant.test.yaml:3: a step does one thing",
        ),
        (
            "flow: none.json\ntests: [{name: a}]\n",
            "there is no flow file DIR/none.json",
        ),
    ] {
        let folder = folder(tests);
        let (code, said, err) = test(folder.path(), &[]);
        assert_eq!(code, Some(2), "{tests}\n{said}{err}");
        assert!(err.contains(part), "{part}\n{err}");
    }
    let empty = folder("");
    let (code, _, err) = test(&empty.path().join("plant.json"), &[]);
    assert_eq!(code, Some(2));
    assert!(err.contains("--record"), "{err}");
    let (code, _, err) = test(&empty.path().join("none.json"), &[]);
    assert_eq!((code, err.contains("no such file")), (Some(2), true));
    let some = folder(GOOD);
    let (code, _, err) = test(some.path(), &["--filter", "no test at all"]);
    assert_eq!(
        (code, err.contains("no test's name contains")),
        (Some(2), true)
    );
}

#[test]
fn a_flow_that_never_rests_fails_its_test_and_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let flow = r#"[
        {"id": "t", "type": "tab", "label": "T"},
        {"id": "a", "type": "function", "z": "t", "name": "a", "func": "return msg;", "outputs": 1, "wires": [["b"]]},
        {"id": "b", "type": "function", "z": "t", "name": "b", "func": "return msg.payload ? msg : null;", "outputs": 1, "wires": [["a"]]}
    ]"#;
    std::fs::write(folder.path().join("flows.json"), flow).expect("a flow");
    let tests = "tests:\n  - name: round\n    steps: [{inject: {into: a, msg: {payload: 1}}}]\n  - name: once\n    steps:\n      - inject: {into: a, msg: {payload: 0}}\n      - expect: {b: {receives: 1, sends: 0}}\n";
    std::fs::write(folder.path().join("flows.test.yaml"), tests).expect("a test file");
    let (code, said, _) = test(folder.path(), &["--timeout", "0.5"]);
    assert_eq!(code, Some(1));
    assert!(
        said.contains("flows.test.yaml:3: the flow did not come to rest within 500ms"),
        "{said}"
    );
    assert!(said.contains("1 passed, 1 failed"), "{said}");
}

#[test]
fn the_examples_pass_their_tests() {
    for example in ["http-api", "mqtt-alerts"] {
        let path = root().join("examples").join(example);
        let out = run(&["test", path.to_str().expect("a path")]);
        assert_eq!(
            out.status.code(),
            Some(0),
            "{}{}",
            text(&out.stdout),
            text(&out.stderr)
        );
    }
}

#[test]
fn nodes_of_packages_are_told_with_the_stubs_to_write() {
    let folder = tempfile::tempdir().expect("a folder");
    let package = folder.path().join("node_modules/node-red-contrib-probe");
    std::fs::create_dir_all(&package).expect("is made");
    let json = r#"{"name": "node-red-contrib-probe", "version": "1.2.3", "license": "MIT", "node-red": {"nodes": {"p": "p.js"}}}"#;
    std::fs::write(package.join("package.json"), json).expect("is written");
    let code = "module.exports = (RED) => { RED.nodes.registerType('probe', 1); RED.nodes.registerType('probe-config', 2); };";
    std::fs::write(package.join("p.js"), code).expect("is written");
    let flow = r#"[
        {"id": "t", "type": "tab", "label": "Plant"},
        {"id": "off", "type": "tab", "label": "Off", "disabled": true},
        {"id": "c", "type": "probe-config", "host": "x"},
        {"id": "i", "type": "inject", "z": "t", "x": 1, "y": 1, "name": "go", "props": [{"p": "payload"}], "payload": "7", "payloadType": "num", "wires": [["p", "q", "f", "u"]]},
        {"id": "p", "type": "probe", "z": "t", "x": 1, "y": 1, "name": "ask: it", "cfg": "c", "wires": [["d"]]},
        {"id": "q", "type": "probe", "z": "t", "x": 1, "y": 1, "name": "ask: it", "cfg": "c", "wires": [["d"]]},
        {"id": "u", "type": "unheard-of", "z": "t", "x": 1, "y": 1, "name": "Sink", "wires": []},
        {"id": "f", "type": "function", "z": "t", "x": 1, "y": 1, "name": "digest", "func": "", "libs": [{"var": "os", "module": "os"}], "wires": [["d"]]},
        {"id": "no", "type": "probe", "z": "off", "x": 1, "y": 1, "wires": [["d"]]},
        {"id": "d", "type": "helper", "z": "t", "x": 1, "y": 1, "wires": []}
    ]"#;
    std::fs::write(folder.path().join("flows.json"), flow).expect("is written");
    let tests = "tests:\n  - name: all answer\n    steps:\n      - press: go\n      - expect: {d: {receives: 3}, Sink: {receives: 1}}\n";
    let file = folder.path().join("flows.test.yaml");
    std::fs::write(&file, tests).expect("is written");
    let (code, out, _) = test(folder.path(), &[]);
    assert_eq!(code, Some(1), "{out}");
    let said = "DIR/flows.test.yaml:2: nodes of Node-RED packages run in Node.js, which no test starts: give them stubs, here or for all tests\n";
    let (_, stubs) = out.split_once(said).expect(&out);
    let expected = r#"          given:
            stub:
              p: {send: {}}  # probe "ask: it", of the package node-red-contrib-probe 1.2.3 (MIT)
              q: {send: {}}  # probe "ask: it", of the package node-red-contrib-probe 1.2.3 (MIT)
              Sink: {}  # unheard-of, a type that is not known here
              digest: {send: {}}  # function, which uses modules of Node.js
"#;
    assert_eq!(
        stubs.split_inclusive('\n').take(6).collect::<String>(),
        expected
    );
    // What is said can be taken as it is.
    let given: String = expected
        .lines()
        .map(|line| format!("{}\n", &line[10..]))
        .collect();
    std::fs::write(&file, given + tests).expect("is written");
    let (code, out, err) = test(folder.path(), &[]);
    assert_eq!(code, Some(0), "{out}{err}");
}
