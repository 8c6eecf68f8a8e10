//! Tests of flows as they are drawn, and recordings that are played again.

use super::Compiler;
use crate::deployer;
use crate::load::{Flow, under_test};
use serde_json::{Map, Value as Json, json};
use std::path::{Path, PathBuf};
use std::time::Duration;
use vgdc_driver::Options;
use vgdc_editor::{Draft, Trials};
use vgdc_flowtest::{Coverage, FileError, Outcome, Runner, Suite, TestFile};

/// How long a step may take, by the computer's clock.
const PATIENCE: Duration = Duration::from_secs(10);

/// The ending of a test file's name.
pub const ENDING: &str = ".test.yaml";

/// The test file of a flow file.
pub fn tests_beside(flow: &Path) -> PathBuf {
    let stem = flow.file_stem().unwrap_or_default().to_string_lossy();
    flow.with_file_name(format!("{stem}{ENDING}"))
}

impl Compiler {
    /// The draft, as tests take flows, with the settings beside the file.
    fn under_test(&self, draft: &Draft) -> Result<vgdc_flowtest::Flow, Json> {
        let flow = match self.path.exists() {
            true => Flow::load(&self.path),
            false => Flow::empty(&self.path),
        };
        let nodes: Vec<Json> = serde_json::from_str(&draft.flows)
            .map_err(|e| refusal(&FileError::whole(format!("the flows cannot be read: {e}"))))?;
        let made = under_test(
            &flow,
            &self.packages.now(),
            nodes,
            draft.credentials.clone(),
        );
        made.map_err(|why| refusal(&FileError::whole(why)))
    }

    fn tried<T>(&self, act: impl FnOnce(&Runner<'_>) -> T) -> T {
        let compiler = deployer::Compiler {
            packages: Default::default(),
            options: Options {
                deploy_mode: true,
                ..self.options
            },
            probes: false,
        };
        act(&Runner::new(&compiler, vgdc_stdlib::registry(), PATIENCE))
    }
}

impl Trials for Compiler {
    fn tests_file(&self) -> PathBuf {
        tests_beside(&self.path)
    }

    fn tests_in(&self, text: &str) -> Json {
        match TestFile::read(text) {
            Ok(file) => {
                let tests = file.named();
                let tests = tests
                    .map(|(name, line, skip)| json!({"name": name, "line": line, "skip": skip}));
                json!({"tests": tests.collect::<Vec<_>>(), "problems": []})
            }
            Err(error) => json!({"tests": [], "problems": [problem(&error)]}),
        }
    }

    fn run_tests(&self, draft: &Draft, text: &str, filter: &str) -> Result<Json, Json> {
        let file = TestFile::read(text).map_err(|error| refusal(&error))?;
        let flow = self.under_test(draft)?;
        let name = self.tests_file().display().to_string();
        let suite = self.tried(|runner| runner.run(&name, &file, &flow, filter));
        let suite =
            suite.map_err(|why| refusal(&FileError::whole(format!("cannot start: {why}"))))?;
        let lines: Map<String, Json> = file
            .named()
            .map(|(name, line, _)| (name.to_owned(), line.into()))
            .collect();
        Ok(told(&suite, &lines))
    }

    fn record_tests(&self, draft: &Draft, text: Option<&str>) -> Result<String, Json> {
        let flow = self.under_test(draft)?;
        let made = self.tried(|runner| match text {
            Some(text) => vgdc_flowtest::recorded(runner, text, &flow).map(|(text, _)| text),
            None => vgdc_flowtest::fresh(runner, &flow),
        });
        made.map_err(|error| refusal(&error))
    }

    fn replay(&self, draft: &Draft, events: &str) -> Result<Json, Json> {
        let flow = self.under_test(draft)?;
        let played = self.tried(|runner| vgdc_flowtest::replay(runner, &flow, events));
        let played = played.map_err(|failure| {
            let message = std::iter::once(&failure.message).chain(&failure.detail);
            let message: Vec<&str> = message.map(String::as_str).collect();
            refusal(&FileError::whole(message.join("\n")))
        })?;
        let differences = played.differences.iter().map(|it| it.to_json());
        Ok(json!({
            "inputs": played.inputs, "same": played.same, "differences": differences.collect::<Vec<_>>(), "notes": played.notes,
            "events": played.events,
        }))
    }
}

fn told(suite: &Suite, lines: &Map<String, Json>) -> Json {
    let cases = suite.cases.iter().map(|case| {
        let (outcome, why, failures) = match &case.outcome {
            Outcome::Passed => ("passed", None, &[][..]),
            Outcome::Skipped(why) => ("skipped", Some(why), &[][..]),
            Outcome::Failed(failures) => ("failed", None, failures.as_slice()),
        };
        let failures = failures
            .iter()
            .map(|it| json!({"line": it.line, "message": it.message, "detail": it.detail}));
        json!({
            "name": case.name, "line": lines.get(&case.name), "outcome": outcome, "why": why,
            "ms": case.took.as_secs_f64() * 1000.0, "failures": failures.collect::<Vec<_>>(),
        })
    });
    let cases: Vec<Json> = cases.collect();
    let (passed, failed, skipped) = suite.counts();
    json!({"cases": cases, "passed": passed, "failed": failed, "skipped": skipped, "coverage": covered(&suite.coverage)})
}

fn covered(coverage: &Coverage) -> Json {
    let nodes = coverage.nodes.values();
    let nodes: Map<String, Json> = nodes
        .map(|node| (node.id.clone(), node.covered.into()))
        .collect();
    let wires = coverage.wires.iter();
    let wires: Map<String, Json> = wires
        .map(|((from, port, to), covered)| (format!("{from}:{port}:{to}"), (*covered).into()))
        .collect();
    json!({"nodes": nodes, "wires": wires})
}

fn problem(error: &FileError) -> Json {
    json!({"line": error.line, "message": error.message})
}

fn refusal(error: &FileError) -> Json {
    json!({"code": "not_run", "message": error.to_string(), "problems": [problem(error)]})
}
