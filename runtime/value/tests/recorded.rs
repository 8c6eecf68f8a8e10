//! What Node.js 22 and Node-RED's `RED.util` said about many cases (`recorded/record.js` recorded them), and what we say.

use vgdc_value::{Array, Path, PathSegment, Value, date, json, number};

/// The cases of a file; or, to look further than the committed ones, of the file in a variable of the environment.
fn cases(name: &str, committed: &str) -> Vec<Value> {
    let other = std::env::var(format!("RECORDED_{name}")).ok();
    let text = other.map(|path| std::fs::read_to_string(path).expect("the file can be read"));
    let text = text.as_deref().unwrap_or(committed);
    let cases: Vec<Value> = text
        .lines()
        .map(|line| json::parse(line).expect("a line is JSON"))
        .collect();
    assert!(cases.len() > 100, "the cases are there");
    cases
}

fn text(case: &Value, key: &str) -> String {
    case.get(key).as_str().expect("a text").to_owned()
}

fn report(wrong: &[String]) {
    let shown = wrong
        .iter()
        .take(20)
        .map(String::as_str)
        .collect::<Vec<_>>();
    assert!(
        wrong.is_empty(),
        "{} differ\n{}",
        wrong.len(),
        shown.join("\n")
    );
}

/// The result or error of a case as one text.
fn wanted(case: &Value) -> String {
    match case.get("error") {
        Value::Str(error) => format!("error: {error}"),
        _ => case.get("result").to_js_string(),
    }
}

#[test]
fn json_texts() {
    let mut wrong = Vec::new();
    for case in cases("JSON", include_str!("recorded/json.jsonl")) {
        let given = text(&case, "text");
        let got = match json::parse(&given) {
            Ok(value) => json::stringify(&value, 0).expect("JSON").expect("JSON"),
            Err(error) => format!("error: {error}"),
        };
        let wanted = wanted(&case);
        if got != wanted {
            wrong.push(format!("{given:?}\n  wanted {wanted}\n  got    {got}"));
        }
    }
    report(&wrong);
}

/// What local clocks showed in UTC, in this process's time zone.
fn in_local_time(ms: f64) -> f64 {
    let at = chrono::DateTime::from_timestamp_millis(ms as i64).map(|at| at.naive_utc());
    let local = at.and_then(|at| at.and_local_timezone(chrono::Local).earliest());
    local.map_or(f64::NAN, |local| local.timestamp_millis() as f64)
}

#[test]
fn dates() {
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for case in cases("DATES", include_str!("recorded/dates.jsonl")) {
        let given = text(&case, "text");
        let utc = case.get("ms").as_f64().unwrap_or(f64::NAN);
        let local = case.get("local").truthy();
        // (beyond, the library that knows about time zones knows no dates)
        if local && utc.abs() > 8e15 {
            continue;
        }
        let wanted = if local { in_local_time(utc) } else { utc };
        let got = date::parse(&given);
        seen += usize::from(!utc.is_nan());
        if got.to_bits() != wanted.to_bits() && !(got.is_nan() && wanted.is_nan()) {
            wrong.push(format!("{given:?}: wanted {wanted}, got {got}"));
        }
    }
    report(&wrong);
    assert!(seen > 50, "there are dates among the texts");
}

#[test]
fn numbers() {
    let mut wrong = Vec::new();
    for case in cases("NUMBERS", include_str!("recorded/numbers.jsonl")) {
        let (given, n) = (text(&case, "text"), number::parse(&text(&case, "n")));
        let (places, radix) = (
            case.get("places").to_number() as usize,
            case.get("radix").to_number() as u32,
        );
        for (what, got, wanted) in [
            (
                format!("Number({given:?})"),
                number::to_js_string(number::parse(&given)),
                text(&case, "number"),
            ),
            (
                format!("parseFloat({given:?})"),
                number::to_js_string(number::parse_float(&given)),
                text(&case, "float"),
            ),
            (
                format!("String({n})"),
                number::to_js_string(n),
                text(&case, "n"),
            ),
            (
                format!("({n}).toFixed({places})"),
                number::to_fixed(n, places),
                text(&case, "fixed"),
            ),
            (
                format!("({n}).toString({radix})"),
                number::to_radix(n, radix),
                text(&case, "digits"),
            ),
            (
                format!("{n} | 0"),
                number::to_int32(n).to_string(),
                case.get("int").to_js_string(),
            ),
        ] {
            if got != wanted {
                wrong.push(format!("{what}: wanted {wanted}, got {got}"));
            }
        }
    }
    report(&wrong);
}

/// The segments as `normalisePropertyExpression` gives them.
fn parts(path: &Path) -> Value {
    let part = |segment: &PathSegment| match segment {
        PathSegment::Key(key) => Value::from(key.as_str()),
        PathSegment::Index(index) => Value::from(*index),
        PathSegment::Nested(path) => parts(path),
    };
    Value::Array(path.segments().iter().map(part).collect::<Array>())
}

fn write(value: &Value) -> String {
    json::stringify(value, 0)
        .expect("JSON")
        .unwrap_or_else(|| "undefined".to_owned())
}

/// What setting does: the message after it, and what was said.
fn set(case: &Value, path: &Path, value: Value, create: bool) -> (String, String) {
    let mut msg = json::parse(&text(case, "on"))
        .expect("JSON")
        .as_object()
        .expect("an object")
        .clone();
    let said = match path.set(&mut msg, value, create) {
        Ok(done) => done.to_string(),
        Err(error) => format!("error: {error}"),
    };
    (said, write(&Value::Object(msg)))
}

#[test]
fn paths() {
    let (mut wrong, mut refused) = (Vec::new(), 0);
    let cases = cases("PATHS", include_str!("recorded/paths.jsonl"));
    for case in &cases {
        let expression = text(case, "expression");
        let mut check = |what: &str, got: &str, wanted: &str| {
            if got != wanted {
                wrong.push(format!(
                    "{what} {expression:?} of {}\n  wanted {wanted}\n  got    {got}",
                    case.get("on").to_js_string()
                ));
            }
        };
        let path = match Path::parse(&expression) {
            Ok(path) => path,
            Err(error) => {
                check(
                    "parts",
                    &format!("error: {error}"),
                    &wanted(&case.get("parts")),
                );
                continue;
            }
        };
        let parts_wanted = case.get("parts");
        if parts_wanted.get("error").is_undefined() {
            check(
                "parts",
                &write(&parts(&path)),
                &write(&parts_wanted.get("result")),
            );
        } else {
            check("parts", &write(&parts(&path)), &wanted(&parts_wanted));
            continue;
        }
        let msg = json::parse(&text(case, "on")).expect("JSON");
        let said = |result: Result<String, vgdc_value::PathError>| {
            result.unwrap_or_else(|error| format!("error: {error}"))
        };
        let resolved = path
            .resolve(msg.as_object().expect("an object"))
            .map(|path| path.to_string());
        check("text", &said(resolved), &wanted(&case.get("text")));
        check(
            "get",
            &said(path.get(&msg).map(|value| write(&value))),
            &wanted(&case.get("get")),
        );
        for (name, value, create) in [
            ("set", Value::from("new"), true),
            ("keep", Value::from("new"), false),
            ("delete", Value::Undefined, false),
        ] {
            let (got, after) = set(case, &path, value, create);
            // (JavaScript keeps names on arrays; JSON does not show them)
            if got.starts_with("error: Cannot set property") {
                refused += 1;
                continue;
            }
            let node_red = case.get(name);
            let before = text(case, "on");
            check(name, &got, &wanted(&node_red));
            check(
                name,
                &after,
                node_red.get("msg").as_str().unwrap_or(&before),
            );
        }
    }
    report(&wrong);
    assert!(refused < cases.len() / 4, "most are compared");
}
