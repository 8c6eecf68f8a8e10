//! The official suites of JSONata and of mustache, made into `suites/*.json` by `suites/make.js`.
//!
//! What does not pass stands in `suites/known.txt` with its reason; a case there that starts to pass fails the test too, so
//! that the list stays true. The figures are in docs/conformance.md.

use std::collections::BTreeMap;
use vgdc_expr::{CtxScope, Env, ExprError, Jsonata, Template};
use vgdc_value::{ErrorValue, Msg, Value, json};

/// How many of the cases pass, and how many there are: never fewer.
const JSONATA: (usize, usize) = (1680, 1686);
const MUSTACHE: (usize, usize) = (121, 124);

/// Groups of mustache's specification that a template node has no means for, in Node-RED neither: it knows no other
/// template to include or to inherit from, and messages carry no functions into it.
const NOT_APPLICABLE: [&str; 4] = ["dynamic-names", "inheritance", "lambdas", "partials"];

/// How many cases those groups have.
const APART: usize = 70;

/// As much as the runtime's own threads have.
const STACK: usize = 8 << 20;

/// Neither context nor variables: the suites know none.
struct Nothing;

impl Env for Nothing {
    fn context_get(&self, _: CtxScope, _: &str, _: Option<&str>) -> Result<Value, ErrorValue> {
        Ok(Value::Undefined)
    }
    fn context_set(
        &self,
        _: CtxScope,
        _: &str,
        _: Value,
        _: Option<&str>,
    ) -> Result<(), ErrorValue> {
        Ok(())
    }
    fn env_get(&self, _: &str) -> Value {
        Value::Undefined
    }
    /// The real time: a case compares `$now` with `$toMillis`, which asks the system's clock for today.
    fn now_ms(&self) -> f64 {
        let since = std::time::SystemTime::UNIX_EPOCH.elapsed();
        since.map_or(0.0, |since| since.as_millis() as f64)
    }
}

fn text<'v>(case: &'v Value, key: &str) -> &'v str {
    case.as_object()
        .and_then(|case| case.get(key))
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The suite's own comparison: deep, without the order of properties.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| equal(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key.as_str()).is_some_and(|b| equal(a, b)))
        }
        _ => a.same(b),
    }
}

fn shown(answer: &Result<Value, ExprError>) -> String {
    match answer {
        Ok(value) => json::stringify(value, 0)
            .ok()
            .flatten()
            .unwrap_or_else(|| "undefined".to_owned()),
        Err(error) => format!(
            "{} {}",
            error
                .properties
                .get("code")
                .cloned()
                .unwrap_or_default()
                .to_js_string(),
            error.message
        ),
    }
}

/// Whether a case of JSONata's suite passes; what came instead.
fn jsonata(case: &Value, datasets: &Value) -> Result<(), String> {
    let has = |key: &str| case.as_object().is_some_and(|case| case.get(key).is_some());
    let input = match text(case, "dataset") {
        "" => case.get("data"),
        name => datasets.get(name),
    };
    let bindings = case.get("bindings");
    let variables: Vec<(&str, Value)> = bindings
        .as_object()
        .into_iter()
        .flat_map(|bindings| bindings.iter())
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    let answer = Jsonata::compile(text(case, "expr"))
        .and_then(|expression| expression.eval_with(&Nothing, &input, &variables));
    let passes = match &answer {
        Ok(value) if has("undefinedResult") => value.is_undefined(),
        Ok(value) => has("result") && equal(value, &case.get("result")),
        Err(error) => {
            has("code")
                && error
                    .properties
                    .get("code")
                    .is_some_and(|code| equal(code, &case.get("code")))
        }
    };
    if passes { Ok(()) } else { Err(shown(&answer)) }
}

/// Whether a case of mustache's specification passes; what came instead.
fn mustache(case: &Value) -> Result<(), String> {
    let rendered = Template::parse(text(case, "template")).and_then(|template| {
        let data = case.get("data");
        match Msg::try_from(data.clone()) {
            Ok(msg) => template.render(&Nothing, &msg, false),
            // (a message is an object; nodes that call mustache.js themselves may have anything)
            Err(_) => Ok(template.render_plain(&data)),
        }
    });
    match rendered {
        Ok(rendered) if rendered == text(case, "expected") => Ok(()),
        other => Err(shown(&other.map(Value::from))),
    }
}

/// The cases of a suite that are known to fail: id and reason, a tab between them.
fn known(suite: &str) -> BTreeMap<&'static str, &'static str> {
    include_str!("suites/known.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once('\t').expect("an id and a reason"))
        .filter_map(|(id, reason)| Some((id.strip_prefix(suite)?.strip_prefix(':')?, reason)))
        .collect()
}

/// Runs a suite's cases, and holds what passes against what is known and against the figure.
fn run(
    suite: &str,
    cases: &[&Value],
    (floor, of): (usize, usize),
    ask: impl Fn(&Value) -> Result<(), String>,
) {
    let mut known = known(suite);
    let (mut passed, mut wrong) = (0, Vec::new());
    for case in cases {
        let id = text(case, "id");
        let reason = known.remove(id);
        match (ask(case), reason) {
            (Ok(()), None) => passed += 1,
            (Err(_), Some(_)) => {}
            (Ok(()), Some(_)) => {
                passed += 1;
                wrong.push(format!("{suite}:{id}\tpasses, but is in known.txt"));
            }
            (Err(got), None) => wrong.push(format!("{suite}:{id}\t{got}")),
        }
    }
    assert!(
        wrong.is_empty() && known.is_empty() && passed >= floor && cases.len() == of,
        "{suite}: {passed} of {} pass ({floor} of {of} did)\n{}\nno such cases: {known:?}",
        cases.len(),
        wrong.join("\n")
    );
}

#[test]
fn jsonata_suite() {
    let file = json::parse(include_str!("suites/jsonata.json")).expect("JSON");
    let (datasets, cases) = (file.get("datasets"), file.get("cases"));
    let cases: Vec<&Value> = cases.as_array().expect("cases").iter().collect();
    run("jsonata", &cases, JSONATA, |case| {
        // (each on a thread as deep as a flow's)
        std::thread::scope(|scope| {
            let asked = std::thread::Builder::new()
                .stack_size(STACK)
                .spawn_scoped(scope, || jsonata(case, &datasets))
                .expect("a thread");
            asked.join().unwrap_or_else(|_| Err("a panic".to_owned()))
        })
    });
}

#[test]
fn mustache_specification() {
    let file = json::parse(include_str!("suites/mustache.json")).expect("JSON");
    let cases = file.get("cases");
    let (apart, cases): (Vec<&Value>, Vec<&Value>) = cases
        .as_array()
        .expect("cases")
        .iter()
        .partition(|case| group(case).is_some_and(|group| NOT_APPLICABLE.contains(&group)));
    assert_eq!(apart.len(), APART);
    run("mustache", &cases, MUSTACHE, mustache);
}

/// The group that a case is of.
fn group(case: &Value) -> Option<&str> {
    text(case, "id").split('/').next()
}

#[test]
fn functions_by_other_names_see_the_whole_message() {
    let message = json::parse(r#"{"payload":1,"topic":"t"}"#).expect("JSON");
    for (expression, wanted) in [
        (
            "($f := $each; $f(function($v, $k) {$k}))",
            r#"["payload","topic"]"#,
        ),
        (
            "($f := $sift; $f(function($v) {$v = 't'}))",
            r#"{"topic":"t"}"#,
        ),
    ] {
        let answer =
            Jsonata::compile(expression).and_then(|e| e.eval_with(&Nothing, &message, &[]));
        assert_eq!(shown(&answer), wanted, "{expression}");
    }
}
