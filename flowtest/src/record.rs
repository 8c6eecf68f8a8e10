//! Tests made from what happens: expectations are written into tests that have none, or a first test file is drawn up.
//!
//! Each test is run twice; what comes out differently (random numbers, ids of other programs) is expected by its type only.

use crate::file::{FileError, TestFile};
use crate::live::{Ran, named};
use crate::matcher::type_of;
use crate::names::{Named, find};
use crate::observed::{What, text_of};
use crate::run::runtime;
use crate::{Flow, Runner};
use serde_json::{Map, Value as Json, json};
use std::fmt::Write;
use vgdc_value::{Value, control};

/// How far the clock goes in a test that is drawn up.
const A_WHILE: &str = "1s";

/// The test file with expectations in each test that had none; with how many there were. Comments and all else stay.
///
/// # Errors
/// A test cannot be run, or its steps are not written as lines with dashes.
pub fn recorded(
    runner: &Runner<'_>,
    text: &str,
    flow: &Flow,
) -> Result<(String, usize), FileError> {
    let file = TestFile::read(text)?;
    let tokio = runtime().map_err(|why| FileError::new(0, why.to_string()))?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut changed = 0;
    // (from the end, so that lines before keep their numbers)
    for test in file.tests.iter().rev() {
        let steps = &test.value.steps;
        let expects = steps.iter().any(|step| {
            let step = &step.value;
            let answer = step
                .request
                .as_ref()
                .is_some_and(|request| request.answer.is_some());
            step.expect.is_some() || step.expect_context.is_some() || answer
        });
        let Some(last) = steps
            .last()
            .filter(|_| !expects && test.value.skip.is_none())
        else {
            continue;
        };
        let once = || {
            let line = test.referenced.line();
            let ran = tokio.block_on(runner.test(&file, &test.value, line, flow, true));
            match ran {
                Ok(ran) => Ok(ran),
                Err(failure) => Err(FileError::new(failure.line, failure.message)),
            }
        };
        let (first, second) = (once()?, once()?);
        let (at, indent) = after(&lines, last.referenced.line())?;
        let made = expectations(flow, &first, &second);
        let written = match made.is_empty() {
            true => vec!["# nothing came of it".to_owned()],
            false => std::iter::once("- expect:".to_owned())
                .chain(made.iter().map(|line| format!("    {line}")))
                .collect(),
        };
        let written = written
            .into_iter()
            .map(|line| format!("{:indent$}{line}", ""));
        lines.splice(at..at, written);
        changed += 1;
    }
    Ok((lines.join("\n") + "\n", changed))
}

/// A first test file for a flow: each inject node is pressed, in a test of its own.
///
/// # Errors
/// There is no inject node, or the flow cannot be run.
pub fn fresh(runner: &Runner<'_>, flow: &Flow) -> Result<String, FileError> {
    let all = crate::stub::named(&flow.nodes);
    let injects: Vec<&Named> = all.iter().filter(|named| named.what == "inject").collect();
    if injects.is_empty() {
        return Err(FileError::new(
            0,
            "this flow has no inject node to press: write a test file with steps, and --record fills in what comes of them",
        ));
    }
    let mut text =
        "# What comes of each inject node. Change it to what must come of it.\ntests:\n".to_owned();
    for inject in injects {
        let called = called(&all, inject);
        // (writing to a text cannot fail)
        let _ = writeln!(
            text,
            "  - name: {}\n    steps:\n      - press: {}\n      - advance: {A_WHILE}",
            json!(format!(
                "{} is pressed",
                inject.name.as_ref().unwrap_or(&inject.id)
            )),
            json!(called),
        );
    }
    // Inject nodes may share a name.
    let read = TestFile::read(&text).map(drop);
    read.map_err(|error| {
        FileError::new(
            0,
            format!(
                "{} (inject nodes with one name need names of their own)",
                error.message
            ),
        )
    })?;
    recorded(runner, &text, flow).map(|(text, _)| text)
}

/// Where a step that begins at this line ends, and how far its dash is from the margin.
fn after(lines: &[String], line: u64) -> Result<(usize, usize), FileError> {
    let start = usize::try_from(line)
        .unwrap_or(usize::MAX)
        .saturating_sub(1);
    let first = lines.get(start).map_or("", String::as_str);
    let indent = first.len() - first.trim_start().len();
    if !first.trim_start().starts_with("- ") {
        return Err(FileError::new(
            line,
            "to record, write each step on lines of its own that begin with a dash",
        ));
    }
    let inside = |text: &String| {
        let own = text.len() - text.trim_start().len();
        text.trim().is_empty() || own > indent
    };
    let mut end = start + 1;
    end += lines[end..].iter().take_while(|text| inside(text)).count();
    while lines[end - 1].trim().is_empty() {
        end -= 1;
    }
    Ok((end, indent))
}

/// How a test names a node: by its name where that is enough.
fn called(all: &[Named], node: &Named) -> String {
    let place = node.places.last().zip(node.name.as_ref());
    let names = node
        .name
        .clone()
        .into_iter()
        .chain(place.map(|(place, name)| format!("{place}/{name}")));
    names
        .into_iter()
        .find(|name| find(all, name, 0).is_ok_and(|found| found.id == node.id))
        .unwrap_or_else(|| node.id.clone())
}

/// What happened, as the lines of an `expect`.
fn expectations(flow: &Flow, first: &Ran, second: &Ran) -> Vec<String> {
    let all = named(&first.plan);
    let outside = |id: &str| {
        let node = flow.nodes.iter().find(|node| node["id"] == id);
        node.is_some_and(|node| crate::stub::OUTSIDE.contains(&node["type"].as_str().unwrap_or("")))
    };
    let mut lines = Vec::new();
    for (op, node) in first.plan.ops.iter().zip(&all) {
        let both = |what| {
            (
                first.observed.all(&op.id, what),
                second.observed.all(&op.id, what),
            )
        };
        let list = |what: What, shape: fn(&Value) -> Option<Json>| -> Option<String> {
            let (a, b) = both(what);
            if a.is_empty() {
                return None;
            }
            if a.len() != b.len() {
                return Some("{$length: {$gt: 0}}".to_owned());
            }
            let items = a
                .iter()
                .zip(b)
                .map(|((_, a), (_, b))| match (shape(a), shape(b)) {
                    (Some(a), Some(b)) => yaml(&a, &b),
                    _ => "{$any: true}".to_owned(),
                });
            Some(format!("[{}]", items.collect::<Vec<_>>().join(", ")))
        };
        let ends = op.ports.iter().all(|port| port.edges.is_empty());
        let mut own = Vec::new();
        if ends || outside(&op.id) {
            own.extend(list(What::Receives, message).map(|list| format!("receives: {list}")));
        }
        let (a, b) = both(What::Status);
        if let (Some((_, a)), Some((_, b))) = (a.last(), b.last()) {
            own.push(format!("status: {}", yaml(&plain(a), &plain(b))));
        }
        own.extend(
            list(What::Errors, |value| Some(text_of(value).into()))
                .map(|list| format!("errors: {list}")),
        );
        if !own.is_empty() {
            lines.push(format!("{}:", key(&called(&all, node))));
            lines.extend(own.into_iter().map(|line| format!("  {line}")));
        }
    }
    lines
}

fn plain(value: &Value) -> Json {
    // (what the protocol writes is JSON)
    serde_json::from_str(&control::encode(value)).unwrap_or_default()
}

/// A message as it is expected: without its id, and without what cannot leave the process.
fn message(value: &Value) -> Option<Json> {
    match plain(value) {
        Json::Object(fields) => {
            let kept = fields
                .into_iter()
                .filter(|(key, value)| key != "_msgid" && value["$type"] != "handle");
            Some(Json::Object(kept.collect::<Map<_, _>>()))
        }
        _ => None,
    }
}

/// A value in one line of YAML; where two runs differ, what is the same of them.
fn yaml(a: &Json, b: &Json) -> String {
    let special = |map: &Map<String, Json>| map.keys().any(|key| key.starts_with('$'));
    match (a, b) {
        (Json::Object(a), Json::Object(b))
            if !special(a) && !special(b) && a.keys().eq(b.keys()) =>
        {
            let fields = a
                .iter()
                .zip(b)
                .map(|((name, a), (_, b))| format!("{}: {}", key(name), yaml(a, b)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        (Json::Array(a), Json::Array(b)) if a.len() == b.len() => {
            let items = a.iter().zip(b).map(|(a, b)| yaml(a, b));
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        (a, b) if a == b => a.to_string(),
        (a, b) => {
            let ty = |json: &Json| {
                control::from_json(Value::from_json(json)).map(|value| type_of(&value))
            };
            match (ty(a), ty(b)) {
                (Ok(a), Ok(b)) if a == b => format!("{{$is: {a}}}"),
                _ => "{$any: true}".to_owned(),
            }
        }
    }
}

/// A key of YAML: bare where it cannot be taken for anything else.
fn key(name: &str) -> String {
    let word = name.chars().enumerate().all(|(at, c)| {
        c.is_ascii_alphabetic()
            || c == '_'
            || (at > 0 && (c.is_ascii_digit() || (c == ' ' && at + 1 < name.len())))
    });
    let taken = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    match word && !name.is_empty() && !taken.contains(&name.to_lowercase().as_str()) {
        true => name.to_owned(),
        false => json!(name).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_yaml_and_read_back() {
        for value in [
            json!({"a b": [1, "x: y", null, true], "yes": {}, "é": "\u{1F600}\"", "2": -1.5e300}),
            json!({"$type": "buffer", "base64": "YQ=="}),
        ] {
            let text = yaml(&value, &value);
            let back: Json = serde_saphyr::from_str(&text).expect(&text);
            assert_eq!(back, value, "{text}");
        }
    }

    #[test]
    fn what_differs_is_expected_by_its_type() {
        assert_eq!(
            yaml(&json!({"a": 1, "b": "x"}), &json!({"a": 2, "b": "x"})),
            r#"{a: {$is: number}, b: "x"}"#
        );
        assert_eq!(yaml(&json!([1]), &json!([1, 2])), "{$is: array}");
        assert_eq!(yaml(&json!(1), &json!("1")), "{$any: true}");
    }

    #[test]
    fn the_end_of_a_step_is_found() {
        let lines: Vec<String> =
            "tests:\n  - name: a\n    steps:\n      - advance: 1\n        # c\n\n  - name: b"
                .lines()
                .map(str::to_owned)
                .collect();
        assert_eq!(after(&lines, 4), Ok((5, 6)));
        assert!(after(&lines, 3).is_err());
    }
}
