//! Flows that are tried without being deployed: tests beside a flow, and recordings that are played again.

use serde_json::Value as Json;
use std::collections::HashMap;
use std::path::PathBuf;
use vgdc_value::Object;

/// Flows as somebody has drawn them, deployed or not.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// The JSON array of their nodes.
    pub flows: String,
    /// The secrets of those that are deployed, by node id.
    pub credentials: HashMap<String, Object>,
}

/// Runs flows in virtual time, with the nodes that reach out of the process replaced. Each is asked on a thread that may block.
pub trait Trials {
    /// Where the tests of the flow are.
    fn tests_file(&self) -> PathBuf;

    /// The tests of a test file's text: `{tests, problems}` as `GET /vgdc/v1/tests` has them.
    fn tests_in(&self, text: &str) -> Json;

    /// Runs those tests whose names contain `filter`: the answer of `POST /vgdc/v1/tests/run`.
    ///
    /// # Errors
    /// The text is no test file, or nothing can be run: `{code, message, problems}`.
    fn run_tests(&self, draft: &Draft, text: &str, filter: &str) -> Result<Json, Json>;

    /// The test file with what happens as expectations in tests that have none; without a text, a first one.
    ///
    /// # Errors
    /// As [`Trials::run_tests`].
    fn record_tests(&self, draft: &Draft, text: Option<&str>) -> Result<String, Json>;

    /// Plays a recording again: what came into the flow comes again at its time. The answer of `POST /vgdc/v1/replay`; `events` is a JSON
    /// array of them.
    ///
    /// # Errors
    /// As [`Trials::run_tests`].
    fn replay(&self, draft: &Draft, events: &str) -> Result<Json, Json>;
}
