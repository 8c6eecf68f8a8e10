//! The test file: what of it there is, and reading it.

use serde::Deserialize;
use serde_json::Value as Json;
use serde_saphyr::Spanned;
use std::collections::BTreeMap;
use std::time::Duration;
use vgdc_value::{Value, control};

/// Why a test file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    /// The line, from 1; 0 where it is about the whole file.
    pub line: u64,
    /// What is wrong and how to mend it.
    pub message: String,
}

impl FileError {
    pub(crate) fn new(line: u64, message: impl Into<String>) -> Self {
        FileError {
            line,
            message: message.into(),
        }
    }

    /// About the whole file, or about something else that is wrong.
    pub fn whole(message: impl Into<String>) -> Self {
        FileError::new(0, message)
    }
}

impl std::fmt::Display for FileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => f.write_str(&self.message),
            line => write!(f, "line {line}: {}", self.message),
        }
    }
}

impl std::error::Error for FileError {}

/// A test file as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestFile {
    /// The flow file, from the test file's folder; without it, the one of the same name.
    #[serde(default)]
    pub flow: Option<String>,
    /// What holds for all tests.
    #[serde(default)]
    pub(crate) given: Given,
    pub(crate) tests: Vec<Spanned<Test>>,
}

/// What is there before a test begins.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Given {
    /// What the clock shows at the start.
    #[serde(default)]
    pub start: Option<Spanned<String>>,
    /// Variables over the process's; null hides one.
    #[serde(default)]
    pub env: BTreeMap<String, Json>,
    /// Settings by Node-RED's names.
    #[serde(default)]
    pub settings: BTreeMap<String, Json>,
    #[serde(default)]
    pub context: Context,
    /// Secrets by node.
    #[serde(default)]
    pub credentials: BTreeMap<String, BTreeMap<String, Json>>,
    /// What stands in the place of a node.
    #[serde(default)]
    pub stub: BTreeMap<String, Spanned<Stub>>,
    /// Nodes or types that are not replaced though they reach outside.
    #[serde(default)]
    pub real: Vec<Spanned<String>>,
}

impl Given {
    /// What a file says, with what a test of it says over that.
    pub(crate) fn with(&self, test: &Given) -> Given {
        let mut given = self.clone();
        let own = test.clone();
        given.start = own.start.or(given.start);
        given.env.extend(own.env);
        given.settings.extend(own.settings);
        given.credentials.extend(own.credentials);
        given.stub.extend(own.stub);
        given.real.extend(own.real);
        given.context.global.extend(own.context.global);
        for (all, own) in [
            (&mut given.context.flow, own.context.flow),
            (&mut given.context.node, own.context.node),
        ] {
            for (name, values) in own {
                all.entry(name).or_default().extend(values);
            }
        }
        given
    }
}

/// Context values: by key, and for flows and nodes by their names before.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Context {
    #[serde(default)]
    pub global: BTreeMap<String, Json>,
    #[serde(default)]
    pub flow: BTreeMap<String, BTreeMap<String, Json>>,
    #[serde(default)]
    pub node: BTreeMap<String, BTreeMap<String, Json>>,
}

/// What a replaced node does with each message.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stub {
    /// Properties put over the message, which goes on from the first output.
    #[serde(default)]
    pub send: Option<Json>,
    /// The same for each output; null for one that sends nothing.
    #[serde(default)]
    pub outputs: Option<Vec<Json>>,
    /// What `send` gives the first time, the second, …; the last one from then on.
    #[serde(default)]
    pub in_turn: Option<Vec<Json>>,
    /// The error it raises.
    #[serde(default)]
    pub error: Option<String>,
    /// A function node's text.
    #[serde(default)]
    pub function: Option<String>,
    /// How long it takes.
    #[serde(default)]
    pub after: Option<Json>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Test {
    pub name: String,
    #[serde(default)]
    pub given: Given,
    #[serde(default)]
    pub steps: Vec<Spanned<Step>>,
    /// Errors that nothing catches and no step expects do not fail the test.
    #[serde(default)]
    pub allow_errors: bool,
    /// It is not run; the text says why.
    #[serde(default)]
    pub skip: Option<String>,
}

/// One step. Exactly one of its fields is there.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    #[serde(default)]
    pub inject: Option<Inject>,
    #[serde(default)]
    pub emit: Option<Emit>,
    #[serde(default)]
    pub press: Option<String>,
    #[serde(default)]
    pub request: Option<Request>,
    #[serde(default)]
    pub advance: Option<Json>,
    #[serde(default)]
    pub set: Option<Context>,
    #[serde(default)]
    pub expect: Option<BTreeMap<String, Spanned<Expect>>>,
    #[serde(default)]
    pub expect_context: Option<Context>,
}

/// A message to a node's input.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Inject {
    pub into: String,
    #[serde(default)]
    pub msg: Option<Json>,
    #[serde(default)]
    pub msgs: Option<Vec<Json>>,
}

/// A message from a node's output.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Emit {
    pub from: String,
    #[serde(default)]
    pub msg: Option<Json>,
    #[serde(default)]
    pub msgs: Option<Vec<Json>>,
    /// Which output, from 1.
    #[serde(default)]
    pub output: Option<usize>,
}

/// A request to the flow's own HTTP listener, and what must be answered.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    #[serde(default)]
    pub method: Option<String>,
    pub path: String,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// A text as it is, anything else as JSON.
    #[serde(default)]
    pub body: Option<Json>,
    /// How far the clock goes on while the answer is waited for.
    #[serde(default)]
    pub advance: Option<Json>,
    #[serde(default)]
    pub answer: Option<Answer>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answer {
    #[serde(default)]
    pub status: Option<Json>,
    #[serde(default)]
    pub headers: BTreeMap<String, Json>,
    /// Compared with the body as JSON where it is some, else as text.
    #[serde(default)]
    pub body: Option<Json>,
}

/// What must have happened at a node since it was looked at last.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    /// Messages it got: a list, or how many.
    #[serde(default)]
    pub receives: Option<Json>,
    /// Messages it sent: a list, how many, or by outputs from 1.
    #[serde(default)]
    pub sends: Option<Json>,
    /// What it shows now.
    #[serde(default)]
    pub status: Option<Json>,
    /// All that it has shown.
    #[serde(default)]
    pub statuses: Option<Vec<Json>>,
    /// What it raised: a list, or how many.
    #[serde(default)]
    pub errors: Option<Json>,
    /// What a debug node showed: a list, or how many.
    #[serde(default)]
    pub debug: Option<Json>,
    /// What it logged: `{level, message}` each, or how many.
    #[serde(default)]
    pub logs: Option<Json>,
    /// How many messages it has finished.
    #[serde(default)]
    pub done: Option<u64>,
}

impl TestFile {
    /// The tests, in order: name, line, and why one is skipped.
    pub fn named(&self) -> impl Iterator<Item = (&str, u64, Option<&str>)> {
        let tests = self.tests.iter();
        tests.map(|test| {
            let skip = test.value.skip.as_deref();
            (test.value.name.as_str(), test.referenced.line(), skip)
        })
    }

    /// Reads a test file.
    ///
    /// # Errors
    /// It is no YAML or not of this form.
    pub fn read(text: &str) -> Result<TestFile, FileError> {
        // (a file of comments alone has no tests, and says so below)
        let file: TestFile = serde_saphyr::from_str(text).map_err(|error| {
            let line = error.location().map_or(0, |at| at.line());
            FileError::new(line, plain(&error))
        })?;
        if file.tests.is_empty() {
            return Err(FileError::new(
                0,
                "`tests` is empty: there is nothing to run",
            ));
        }
        for (index, test) in file.tests.iter().enumerate() {
            let same = |other: &Spanned<Test>| other.value.name == test.value.name;
            if let Some(first) = file.tests.iter().take(index).find(|other| same(other)) {
                return Err(FileError::new(
                    test.referenced.line(),
                    format!(
                        "a second test is called \"{}\" (the first: line {})",
                        test.value.name,
                        first.referenced.line()
                    ),
                ));
            }
            for step in &test.value.steps {
                step.value.check(step.referenced.line())?;
            }
        }
        Ok(file)
    }
}

/// What is wrong, in one line: the reader's own report draws a picture around it.
fn plain(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    text.lines().next().unwrap_or_default().to_owned()
}

impl Step {
    /// A step does one thing.
    fn check(&self, line: u64) -> Result<(), FileError> {
        let there = [
            ("inject", self.inject.is_some()),
            ("emit", self.emit.is_some()),
            ("press", self.press.is_some()),
            ("request", self.request.is_some()),
            ("advance", self.advance.is_some()),
            ("set", self.set.is_some()),
            ("expect", self.expect.is_some()),
            ("expect_context", self.expect_context.is_some()),
        ];
        let mut named = there.iter().filter(|(_, there)| *there);
        match (named.next(), named.next()) {
            (Some(_), None) => Ok(()),
            (Some((one, _)), Some((other, _))) => Err(FileError::new(
                line,
                format!(
                    "a step does one thing: begin a second one, with its own `-`, at `{other}` (this one has `{one}`, too)"
                ),
            )),
            _ => Err(FileError::new(
                line,
                "a step is one of inject, emit, press, request, advance, set, expect, expect_context",
            )),
        }
    }
}

/// A value in the control protocol's form.
pub(crate) fn value(json: &Json, line: u64) -> Result<Value, FileError> {
    control::from_json(Value::from_json(json)).map_err(|why| FileError::new(line, why))
}

/// A span of time: a number of milliseconds, or a text such as `1h 30m`, `250ms`, `2.5s`.
pub(crate) fn span(json: &Json, line: u64) -> Result<Duration, FileError> {
    let wrong = || {
        FileError::new(
            line,
            format!(
                "{json} is no span of time: give milliseconds, or a text such as \"1h 30m\", \"2.5s\", \"250ms\""
            ),
        )
    };
    let ms = match json {
        Json::Number(ms) => ms.as_f64(),
        Json::String(text) => text.split_whitespace().map(part).sum(),
        _ => None,
    };
    let span = ms.and_then(|ms| Duration::try_from_secs_f64(ms / 1000.0).ok());
    span.filter(|span| span.as_secs() <= 86_400 * 36_525)
        .ok_or_else(wrong)
}

/// Milliseconds of a part of a span such as `30m`.
fn part(text: &str) -> Option<f64> {
    let unit = text
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let number: f64 = text[..unit].parse().ok()?;
    let ms = match &text[unit..] {
        "ms" => 1.0,
        "s" => 1e3,
        "m" | "min" => 60e3,
        "h" => 3600e3,
        "d" => 86_400e3,
        _ => return None,
    };
    Some(number * ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn spans_are_read() {
        let ms = |json: Json| span(&json, 1).map(|span| span.as_millis());
        assert_eq!(ms(json!(1500)), Ok(1500));
        assert_eq!(ms(json!("1h 30m")), Ok(5_400_000));
        assert_eq!(ms(json!("2.5s")), Ok(2500));
        assert_eq!(ms(json!("1d 1ms")), Ok(86_400_001));
        for wrong in [
            json!("soon"),
            json!("5"),
            json!(-1),
            json!(null),
            json!(1e300),
        ] {
            assert!(span(&wrong, 1).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let line_and_part = |text: &str| {
            let error = TestFile::read(text).expect_err(text);
            (error.line, error.message)
        };
        for (text, line, part) in [
            ("tests: []\n", 0, "nothing to run"),
            ("tests:\n  - name: a\n    stepz: []\n", 3, "stepz"),
            ("tests:\n  - name: a\n  - name: a\n", 3, "a second test"),
            (
                "tests:\n  - name: a\n    steps:\n      - press: x\n        advance: 5\n",
                4,
                "a step does one thing",
            ),
            (
                "tests:\n  - name: a\n    steps:\n      - {}\n",
                4,
                "a step is one of",
            ),
            ("tests:\n  - name: [a\n", 2, ""),
        ] {
            let (found, message) = line_and_part(text);
            assert!(message.contains(part), "{text}: {message}");
            assert_eq!(found, line, "{text}: {message}");
        }
    }
}
