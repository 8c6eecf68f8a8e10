//! Running the tests of a file, and what comes of them.

use crate::file::{FileError, Test, TestFile};
use crate::live::{Live, Ran};
use crate::{Coverage, hosted, stub};
use serde_json::Value as Json;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};
use vgdc_core::Registry;
use vgdc_core::plan::Plan;
use vgdc_probe::Deployer;
use vgdc_value::Object;

/// A flow under test.
#[derive(Debug, Clone, Default)]
pub struct Flow {
    /// The nodes, as they stand in the flow file.
    pub nodes: Vec<Json>,
    /// Settings by Node-RED's names.
    pub settings: Object,
    /// Secrets by node id.
    pub credentials: HashMap<String, Object>,
    /// What has the node types that the node library lacks, for people.
    pub packages: BTreeMap<String, String>,
}

/// What runs tests.
pub struct Runner<'r> {
    deployer: &'r dyn Deployer,
    pub(crate) registry: Registry,
    pub(crate) limit: Duration,
    /// What was compiled, by its text: most tests of a file have the same stubs.
    plans: RefCell<HashMap<String, Arc<Plan>>>,
}

/// What came of a test file.
#[derive(Debug, Default)]
pub struct Suite {
    /// The file's name.
    pub name: String,
    /// Its tests, in order.
    pub cases: Vec<Case>,
    /// What they came by, together.
    pub coverage: Coverage,
}

/// What came of a test.
#[derive(Debug)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// What came of it.
    pub outcome: Outcome,
    /// How long it took by the computer's clock.
    pub took: Duration,
}

/// What comes of a test.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All was as it must be.
    Passed,
    /// Something was not.
    Failed(Vec<Failure>),
    /// It was not run, for this reason.
    Skipped(String),
}

/// Something that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The line of the test file; 0 where it is about none.
    pub line: u64,
    /// What, in one line.
    pub message: String,
    /// What was there instead.
    pub detail: Vec<String>,
}

impl Failure {
    pub(crate) fn new(line: u64, message: impl Into<String>) -> Self {
        Failure {
            line,
            message: message.into(),
            detail: Vec::new(),
        }
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Failure::new(error.line, error.message)
    }
}

impl Suite {
    /// Tests that passed, failed, were skipped.
    pub fn counts(&self) -> (usize, usize, usize) {
        let count =
            |is: fn(&Outcome) -> bool| self.cases.iter().filter(|case| is(&case.outcome)).count();
        (
            count(|outcome| *outcome == Outcome::Passed),
            count(|outcome| matches!(outcome, Outcome::Failed(_))),
            count(|outcome| matches!(outcome, Outcome::Skipped(_))),
        )
    }
}

impl<'r> Runner<'r> {
    /// One with a compiler and the nodes. `limit` is how long (by the computer's clock) a step may take.
    pub fn new(deployer: &'r dyn Deployer, registry: Registry, limit: Duration) -> Self {
        Runner {
            deployer,
            registry,
            limit,
            plans: RefCell::default(),
        }
    }

    /// Runs the tests of a file whose names contain `filter`.
    ///
    /// # Errors
    /// No thread to run them on.
    pub fn run(
        &self,
        name: &str,
        file: &TestFile,
        flow: &Flow,
        filter: &str,
    ) -> std::io::Result<Suite> {
        let tokio = runtime()?;
        let mut suite = Suite {
            name: name.to_owned(),
            ..Suite::default()
        };
        for test in file
            .tests
            .iter()
            .filter(|test| test.value.name.contains(filter))
        {
            let begun = Instant::now();
            let outcome = match &test.value.skip {
                Some(why) => Outcome::Skipped(why.clone()),
                None => {
                    let line = test.referenced.line();
                    let ran = tokio.block_on(self.test(file, &test.value, line, flow, false));
                    let failures = match ran {
                        Ok(ran) => {
                            suite.coverage.add(&ran.plan, &ran.counters);
                            ran.failures
                        }
                        Err(failure) => vec![failure],
                    };
                    match failures.is_empty() {
                        true => Outcome::Passed,
                        false => Outcome::Failed(failures),
                    }
                }
            };
            suite.cases.push(Case {
                name: test.value.name.clone(),
                outcome,
                took: begun.elapsed(),
            });
        }
        Ok(suite)
    }

    /// Runs one test. `all`: everything is watched, so that it can be recorded.
    pub(crate) async fn test(
        &self,
        file: &TestFile,
        test: &Test,
        line: u64,
        flow: &Flow,
        all: bool,
    ) -> Result<Ran, Failure> {
        let given = file.given.with(&test.given);
        let nodes = stub::replaced(&flow.nodes, &given.stub, &given.real)?;
        let nodes = hosted::left_out(nodes, &self.registry, &flow.packages).map_err(|lines| {
            let message = "nodes of Node-RED packages run in Node.js, which no test starts: give them stubs, here or for all tests";
            Failure {
                detail: lines,
                ..Failure::new(line, message)
            }
        })?;
        let text = Json::Array(nodes).to_string();
        let plan = self.compiled(text, line)?;
        let mut live = Live::start(self, flow, &given, plan, &test.steps, all).await?;
        let mut failures = Vec::new();
        for step in &test.steps {
            let at = step.referenced.line();
            match tokio::time::timeout(self.limit, live.step(&step.value, at)).await {
                Ok(Ok(found)) => failures.extend(found),
                Ok(Err(failure)) => {
                    failures.push(failure);
                    break;
                }
                Err(_) => {
                    let message = format!(
                        "the flow did not come to rest within {:?}: is there a loop, or does it wait for another program?",
                        self.limit
                    );
                    failures.push(Failure::new(at, message));
                    break;
                }
            }
        }
        live.observed.take(&live.seen);
        if !test.allow_errors && failures.is_empty() {
            failures.extend(live.uncaught(line));
        }
        Ok(live.end(self.limit, failures).await)
    }

    pub(crate) fn compiled(&self, text: String, line: u64) -> Result<Arc<Plan>, Failure> {
        if let Some(plan) = self.plans.borrow().get(&text) {
            return Ok(plan.clone());
        }
        match self.deployer.compile(&text) {
            Ok(compiled) => {
                let plan = Arc::new(compiled.plan);
                self.plans.borrow_mut().insert(text, plan.clone());
                Ok(plan)
            }
            Err(refusal) => {
                let message = format!("the flow cannot be compiled: {}", refusal.message);
                let hint =
                    "`vgdc check` says more; a node that vgdc does not know can be given a stub";
                Err(Failure {
                    detail: vec![hint.to_owned()],
                    ..Failure::new(line, message)
                })
            }
        }
    }
}

pub(crate) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}
