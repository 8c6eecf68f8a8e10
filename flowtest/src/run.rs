//! Running tests: each in a runtime of its own, whose clock stands still until a step moves it.

use crate::file::{Context, Expect, FileError, Given, Request, Step, Test, TestFile, span, value};
use crate::http_step::{Answered, ask};
use crate::matcher::Matcher;
use crate::names::{Named, find};
use crate::observed::{Observed, Seen, What, text_of};
use crate::{Coverage, stub};
use serde_json::Value as Json;
use serde_saphyr::Spanned;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};
use vgdc_core::plan::Plan;
use vgdc_core::store::Scope;
use vgdc_core::{Clock, Deployment, Kinds, Registry, Runtime, RuntimeOptions, Services};
use vgdc_http::HttpServer;
use vgdc_probe::Deployer;
use vgdc_value::{Msg, Object, Value};

/// What the clock shows at the start where nothing is said: 2026-01-01T00:00:00Z.
pub(crate) const START_MS: f64 = 1_767_225_600_000.0;

/// A flow under test.
#[derive(Debug, Clone, Default)]
pub struct Flow {
    /// The nodes, as they stand in the flow file.
    pub nodes: Vec<Json>,
    /// Settings by Node-RED's names.
    pub settings: Object,
    /// Secrets by node id.
    pub credentials: HashMap<String, Object>,
}

/// What runs tests.
pub struct Runner<'r> {
    /// Compiles flows.
    pub deployer: &'r dyn Deployer,
    /// The nodes.
    pub registry: Registry,
    /// How long (by the computer's clock) a step may take.
    pub limit: Duration,
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
    fn new(line: u64, message: impl Into<String>) -> Self {
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

impl Runner<'_> {
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
        let given = over(&file.given, &test.given);
        let nodes = stub::replaced(&flow.nodes, &given.stub, &given.real)?;
        let text = Json::Array(nodes).to_string();
        let plan = self.compiled(&text, line)?;
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

    fn compiled(&self, text: &str, line: u64) -> Result<Plan, Failure> {
        match self.deployer.compile(text) {
            Ok(compiled) => Ok(compiled.plan),
            Err(refusal) => {
                let mut failure = Failure::new(
                    line,
                    format!("the flow cannot be compiled: {}", refusal.message),
                );
                failure.detail.push(
                    "`vgdc check` says more; a node that vgdc does not know can be given a stub"
                        .to_owned(),
                );
                Err(failure)
            }
        }
    }
}

pub(crate) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

/// What a test says is there, over what its file says.
fn over(file: &Given, test: &Given) -> Given {
    let mut given = file.clone();
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

/// What is left of a test that ran.
pub(crate) struct Ran {
    pub plan: Arc<Plan>,
    pub counters: Vec<(String, vgdc_core::island::Counters)>,
    pub observed: Observed,
    pub failures: Vec<Failure>,
}

/// A scope of contexts, as it is told, with the values that a test file names.
type Scoped<'c> = (Scope, String, &'c BTreeMap<String, Json>);

/// A flow that runs in a test.
struct Live {
    runtime: Runtime,
    http: Arc<HttpServer>,
    plan: Arc<Plan>,
    nodes: Vec<Named>,
    seen: Arc<Seen>,
    observed: Observed,
    /// Nodes whose errors some step has looked at.
    asked_errors: Vec<String>,
}

impl Live {
    async fn start(
        runner: &Runner<'_>,
        flow: &Flow,
        given: &Given,
        plan: Plan,
        steps: &[Spanned<Step>],
        all: bool,
    ) -> Result<Live, Failure> {
        let start = match &given.start {
            None => START_MS,
            Some(text) => match vgdc_value::date::parse(&text.value) {
                ms if ms.is_finite() => ms,
                _ => {
                    let message = format!(
                        "`start` is no date: \"{}\" (expected one such as 2026-01-31T12:00:00Z)",
                        text.value
                    );
                    return Err(Failure::new(text.referenced.line(), message));
                }
            },
        };
        let seen = Arc::new(Seen::default());
        let http = Arc::new(HttpServer::new(([127, 0, 0, 1], 0).into()));
        let services = Arc::new(Services::default());
        services.insert(http.clone());
        let mut runtime = Runtime::new(RuntimeOptions {
            services,
            sink: seen.clone(),
            clock: Clock::starting_at(start),
            ..RuntimeOptions::new(runner.registry.clone())
        });
        let nodes = named(&plan);
        watch(&mut runtime, &nodes, steps, all).await?;
        let mut credentials = flow.credentials.clone();
        for (meant, secrets) in &given.credentials {
            let id = find(&nodes, meant, 0)?.id.clone();
            credentials.insert(id, object(secrets)?);
        }
        let failed = |why: vgdc_core::RuntimeError| {
            Failure::new(0, format!("the flow cannot be started: {why}"))
        };
        // The stores are opened first, so that nodes find what is given in them when they start.
        let opening = Deployment {
            settings: Some(settings(flow, given)?),
            env: Some(env(given)?),
            ..Deployment::default()
        };
        runtime.deploy(opening).await.map_err(failed)?;
        let plan = Arc::new(plan);
        let mut live = Live {
            runtime,
            http,
            plan: plan.clone(),
            nodes,
            seen,
            observed: Observed::default(),
            asked_errors: Vec::new(),
        };
        live.set(&given.context, 0)?;
        let deployment = Deployment {
            plan: Some((*plan).clone()),
            credentials: Some(credentials),
            ..Deployment::default()
        };
        let started = live.runtime.deploy(deployment);
        match tokio::time::timeout(runner.limit, started).await {
            Ok(started) => started.map_err(failed)?,
            Err(_) => {
                return Err(Failure::new(
                    0,
                    format!("the flow did not start within {:?}", runner.limit),
                ));
            }
        };
        let settled = tokio::time::timeout(runner.limit, live.runtime.settle()).await;
        settled.map_err(|_| {
            Failure::new(
                0,
                format!(
                    "the flow did not come to rest within {:?} after its start",
                    runner.limit
                ),
            )
        })?;
        Ok(live)
    }

    async fn end(self, limit: Duration, failures: Vec<Failure>) -> Ran {
        let counters = tokio::time::timeout(limit, self.runtime.metrics())
            .await
            .unwrap_or_default();
        // (what does not end in time is left to itself: its failure has been told)
        let _ = tokio::time::timeout(limit, self.runtime.shutdown()).await;
        self.http.stop();
        Ran {
            plan: self.plan,
            counters,
            observed: self.observed,
            failures,
        }
    }

    /// Does one step; gives what is not as it must be.
    async fn step(&mut self, step: &Step, line: u64) -> Result<Vec<Failure>, Failure> {
        let refused = |why: vgdc_core::RuntimeError| Failure::new(line, why.to_string());
        if let Some(inject) = &step.inject {
            let id = find(&self.nodes, &inject.into, line)?.id.clone();
            for msg in messages(&inject.msg, &inject.msgs, line)? {
                self.runtime
                    .receive(&id, Some(msg))
                    .await
                    .map_err(refused)?;
            }
        }
        if let Some(emit) = &step.emit {
            let id = find(&self.nodes, &emit.from, line)?.id.clone();
            let output = emit.output.unwrap_or(1);
            let outputs = self
                .plan
                .ops
                .iter()
                .find(|op| op.id == id)
                .map_or(0, |op| op.ports.len());
            if output == 0 || output > outputs {
                let message = format!("`output` counts from 1; this node has {outputs}");
                return Err(Failure::new(line, message));
            }
            for msg in messages(&emit.msg, &emit.msgs, line)? {
                let mut sent = vec![Value::Null; output];
                sent[output - 1] = Value::from(vec![msg.into_value()]);
                self.runtime
                    .send(&id, Value::from(sent))
                    .await
                    .map_err(refused)?;
            }
        }
        if let Some(meant) = &step.press {
            let id = find(&self.nodes, meant, line)?.id.clone();
            self.runtime.button(&id, None).await.map_err(refused)?;
        }
        if let Some(request) = &step.request {
            return self.request(request, line).await;
        }
        if let Some(by) = &step.advance {
            self.runtime
                .advance(span(by, line)?)
                .await
                .map_err(refused)?;
        }
        if let Some(context) = &step.set {
            self.set(context, line)?;
        }
        self.runtime.settle().await;
        self.observed.take(&self.seen);
        let mut failures = Vec::new();
        if let Some(expected) = &step.expect {
            let mut expected: Vec<_> = expected.iter().collect();
            expected.sort_by_key(|(_, expect)| expect.referenced.line());
            for (meant, expect) in expected {
                let at = expect.referenced.line();
                let node = find(&self.nodes, meant, at)?.clone();
                failures.extend(self.expect(meant, &node.id, &expect.value, at)?);
            }
        }
        if let Some(context) = &step.expect_context {
            failures.extend(self.expect_context(context, line)?);
        }
        Ok(failures)
    }

    // ------------------------------------------------------------------------------------------------- contexts

    /// The scopes that a context of a test file names, with their values.
    fn scopes<'c>(&self, context: &'c Context, line: u64) -> Result<Vec<Scoped<'c>>, Failure> {
        let flows: Vec<Named> = (self.plan.flows.iter())
            .map(|flow| Named {
                id: flow.id.clone(),
                name: Some(flow.label.clone()).filter(|label| !label.is_empty()),
                places: Vec::new(),
                what: "flow".to_owned(),
            })
            .collect();
        let mut scopes = vec![(Scope::Global, "global".to_owned(), &context.global)];
        for (meant, values) in &context.flow {
            let id = find(&flows, meant, line)?.id.as_str().into();
            scopes.push((Scope::Flow(id), format!("flow {meant}"), values));
        }
        for (meant, values) in &context.node {
            let id = find(&self.nodes, meant, line)?.id.as_str().into();
            scopes.push((Scope::Node(id), format!("node {meant}"), values));
        }
        Ok(scopes)
    }

    fn set(&mut self, context: &Context, line: u64) -> Result<(), Failure> {
        for (scope, told, values) in self.scopes(context, line)? {
            for (key, json) in values {
                let (store, key) = vgdc_expr::parse_context_key(key);
                let set = self
                    .runtime
                    .stores()
                    .set(&scope, key, value(json, line)?, store);
                set.map_err(|why| Failure::new(line, format!("{told}, {key}: {why}")))?;
            }
        }
        Ok(())
    }

    fn expect_context(&self, context: &Context, line: u64) -> Result<Vec<Failure>, Failure> {
        let mut failures = Vec::new();
        for (scope, told, values) in self.scopes(context, line)? {
            for (key, json) in values {
                let (store, plain) = vgdc_expr::parse_context_key(key);
                let got = self.runtime.stores().get(&scope, plain, store);
                let got = got.map_err(|why| Failure::new(line, format!("{told}, {key}: {why}")))?;
                if let Err(wrong) = Matcher::read(json, false, line)?.check(&got) {
                    let message = format!("context of {told}: {}", wrong.told(key));
                    failures.push(Failure::new(line, message));
                }
            }
        }
        Ok(failures)
    }

    // ------------------------------------------------------------------------------------------------- expectations

    fn expect(
        &mut self,
        name: &str,
        id: &str,
        expect: &Expect,
        line: u64,
    ) -> Result<Vec<Failure>, Failure> {
        let mut failures = Vec::new();
        let values = |seen: &[(usize, Value)]| -> Vec<Value> {
            seen.iter().map(|(_, value)| value.clone()).collect()
        };
        if let Some(wanted) = &expect.receives {
            let got = values(self.observed.since(id, What::Receives));
            failures.extend(compared(
                &format!("\"{name}\" received"),
                "message",
                wanted,
                &got,
                line,
            )?);
        }
        if let Some(wanted) = &expect.sends {
            let got = self.observed.since(id, What::Sends).to_vec();
            failures.extend(sent(name, wanted, &got, line)?);
        }
        if let Some(wanted) = &expect.status {
            let all = self.observed.all(id, What::Status);
            let now = all.last().map_or_else(
                || Value::Object(Object::new()),
                |(_, status)| status.clone(),
            );
            let open = wanted.as_object().is_none_or(|fields| !fields.is_empty());
            if let Err(wrong) = Matcher::read(wanted, open, line)?.check(&now) {
                failures.push(Failure::new(
                    line,
                    format!("\"{name}\" shows: {}", wrong.told("status")),
                ));
            }
        }
        if let Some(wanted) = &expect.statuses {
            let got = values(self.observed.since(id, What::Status));
            let wanted = Json::Array(wanted.clone());
            failures.extend(compared(
                &format!("\"{name}\" has shown"),
                "status",
                &wanted,
                &got,
                line,
            )?);
        }
        if let Some(wanted) = &expect.errors {
            self.asked_errors.push(id.to_owned());
            // (a text is compared with what the error says, anything else with the value itself)
            let by_text = wanted
                .as_array()
                .is_none_or(|list| list.iter().all(is_about_text));
            let got =
                self.observed
                    .since(id, What::Errors)
                    .iter()
                    .map(|(_, value)| match by_text {
                        true => Value::from(text_of(value)),
                        false => value.clone(),
                    });
            let got: Vec<Value> = got.collect();
            failures.extend(compared(
                &format!("\"{name}\" raised"),
                "error",
                wanted,
                &got,
                line,
            )?);
        }
        if let Some(wanted) = &expect.debug {
            let got = values(self.observed.since(id, What::Debug));
            failures.extend(compared(
                &format!("\"{name}\" showed"),
                "value",
                wanted,
                &got,
                line,
            )?);
        }
        if let Some(wanted) = &expect.logs {
            let got = values(self.observed.since(id, What::Logs));
            failures.extend(compared(
                &format!("\"{name}\" logged"),
                "line",
                wanted,
                &got,
                line,
            )?);
        }
        if let Some(wanted) = expect.done {
            let got = values(self.observed.since(id, What::Done));
            failures.extend(compared(
                &format!("\"{name}\" finished"),
                "message",
                &wanted.into(),
                &got,
                line,
            )?);
        }
        Ok(failures)
    }

    /// Errors that nothing caught and no step has looked at.
    fn uncaught(&self, line: u64) -> Vec<Failure> {
        let all = self.observed.uncaught.iter();
        all.filter(|(id, _)| !self.asked_errors.contains(id))
            .map(|(id, text)| {
                let name = self
                    .nodes
                    .iter()
                    .find(|node| node.id == *id)
                    .and_then(|node| node.name.as_ref());
                Failure::new(
                    line,
                    format!(
                        "\"{}\" raised an error that nothing caught or expected: {text}",
                        name.unwrap_or(id)
                    ),
                )
            })
            .collect()
    }

    // ------------------------------------------------------------------------------------------------- requests

    async fn request(&mut self, request: &Request, line: u64) -> Result<Vec<Failure>, Failure> {
        let addr = self
            .http
            .bind()
            .map_err(|why| Failure::new(line, format!("cannot listen: {why}")))?;
        let by = request
            .advance
            .as_ref()
            .map(|by| span(by, line))
            .transpose()?;
        let before = self.sent_so_far().await;
        let asked = request.clone();
        let mut asking = Box::pin(async move { ask(addr, &asked).await });
        // The clock goes on once the request has come in: then there may be timers to fire.
        let mut waiting = by;
        let answered = loop {
            let a_while = tokio::time::sleep(Duration::from_millis(1));
            tokio::select! {
                answered = &mut asking => break answered,
                () = a_while => {}
            }
            if let Some(by) = waiting
                && self.sent_so_far().await != before
            {
                waiting = None;
                let advanced = self.runtime.advance(by).await;
                advanced.map_err(|why| Failure::new(line, why.to_string()))?;
            }
        };
        let answered = answered.map_err(|why| Failure::new(line, why))?;
        self.runtime.settle().await;
        self.observed.take(&self.seen);
        let wanted = request.answer.clone().unwrap_or_default();
        answer_is(&answered, &wanted, line)
    }

    async fn sent_so_far(&self) -> u64 {
        let counters = self.runtime.metrics().await;
        counters
            .iter()
            .flat_map(|(_, counters)| &counters.sent)
            .sum()
    }
}

fn answer_is(
    answered: &Answered,
    wanted: &crate::file::Answer,
    line: u64,
) -> Result<Vec<Failure>, Failure> {
    let mut failures = Vec::new();
    let mut check = |what: &str, wanted: &Json, got: &Value| -> Result<(), Failure> {
        if let Err(wrong) = Matcher::read(wanted, false, line)?.check(got) {
            let mut failure = Failure::new(line, format!("the answer's {}", wrong.told(what)));
            failure
                .detail
                .push(String::from_utf8_lossy(&answered.body).into_owned());
            failures.push(failure);
        }
        Ok(())
    };
    if let Some(status) = &wanted.status {
        check("status", status, &Value::Number(f64::from(answered.status)))?;
    }
    for (name, header) in &wanted.headers {
        let small = name.to_lowercase();
        let got = answered.headers.iter().find(|(known, _)| *known == small);
        let got = got.map_or(Value::Undefined, |(_, value)| Value::from(value.as_str()));
        check(&format!("header {name}"), header, &got)?;
    }
    if let Some(body) = &wanted.body {
        let text = String::from_utf8(answered.body.clone());
        let got = match text {
            Err(bytes) => Value::Buffer(bytes.into_bytes().into()),
            Ok(text) if body.is_string() => Value::from(text),
            Ok(text) => vgdc_value::json::parse(&text).unwrap_or_else(|_| Value::from(text)),
        };
        check("body", body, &got)?;
    }
    Ok(failures)
}

impl crate::matcher::Mismatch {
    /// What is wrong, below a name.
    fn told(&self, name: &str) -> String {
        let place = match self.path.as_str() {
            "" => name.to_owned(),
            path if path.starts_with('[') || name.is_empty() => format!("{name}{path}"),
            path => format!("{name}.{path}"),
        };
        format!("{place}: expected {}, got {}", self.expected, self.got)
    }
}

/// Whether an expected error is about its text.
fn is_about_text(wanted: &Json) -> bool {
    match wanted {
        Json::String(_) => true,
        Json::Object(map) => map
            .keys()
            .all(|key| ["$regex", "$contains", "$any", "$length"].contains(&key.as_str())),
        _ => false,
    }
}

/// Compares what came with a list of what must have come, or with how many.
fn compared(
    what: &str,
    each: &str,
    wanted: &Json,
    got: &[Value],
    line: u64,
) -> Result<Option<Failure>, Failure> {
    let many = |n: usize| match (n, each) {
        (0, _) => format!("no {each}"),
        (1, _) => format!("1 {each}"),
        (n, "status") => format!("{n} statuses"),
        (n, _) => format!("{n} {each}s"),
    };
    let all = || got.iter().map(crate::matcher::shown).collect();
    let fail = |message: String| {
        Ok(Some(Failure {
            line,
            message,
            detail: all(),
        }))
    };
    match wanted {
        Json::Number(count) => match count.as_u64() {
            Some(count) if count == got.len() as u64 => Ok(None),
            Some(count) => fail(format!(
                "{what} {}, expected {}",
                many(got.len()),
                many(count as usize)
            )),
            None => Err(Failure::new(
                line,
                format!("{count} cannot be how many there are"),
            )),
        },
        Json::Array(list) => {
            for (index, (wanted, got)) in list.iter().zip(got).enumerate() {
                let open = wanted.as_object().is_some_and(|map| !map.is_empty());
                if let Err(wrong) = Matcher::read(wanted, open, line)?.check(got) {
                    let place = if list.len() > 1 {
                        format!("{each} {}, ", index + 1)
                    } else {
                        String::new()
                    };
                    return fail(format!("{what}: {place}{}", wrong.told("")));
                }
            }
            match list.len() == got.len() {
                true => Ok(None),
                false => fail(format!(
                    "{what} {}, expected {}",
                    many(got.len()),
                    many(list.len())
                )),
            }
        }
        Json::Object(map) if map.keys().all(|key| key.starts_with('$')) && !map.is_empty() => {
            let list = Value::from(got.to_vec());
            match Matcher::read(wanted, false, line)?.check(&list) {
                Ok(()) => Ok(None),
                Err(wrong) => fail(format!("{what}: {}", wrong.told(""))),
            }
        }
        other => Err(Failure::new(
            line,
            format!("expected a list, or how many, not {other}"),
        )),
    }
}

/// What a node sent: a list over all outputs, how many, or by output from 1.
fn sent(
    name: &str,
    wanted: &Json,
    got: &[(usize, Value)],
    line: u64,
) -> Result<Vec<Failure>, Failure> {
    let of = |output: Option<usize>| -> Vec<Value> {
        let there = got
            .iter()
            .filter(|(from, _)| output.is_none_or(|output| output == *from));
        there.map(|(_, value)| value.clone()).collect()
    };
    match wanted {
        Json::Object(map) if !map.keys().any(|key| key.starts_with('$')) => {
            let mut failures = Vec::new();
            for (key, wanted) in map {
                let output = key.parse::<usize>().ok().filter(|output| *output > 0);
                let Some(output) = output else {
                    let message =
                        format!("`sends` by outputs has numbers from 1 for keys, not \"{key}\"");
                    return Err(Failure::new(line, message));
                };
                let what = format!("\"{name}\" sent from output {output}");
                failures.extend(compared(
                    &what,
                    "message",
                    wanted,
                    &of(Some(output - 1)),
                    line,
                )?);
            }
            Ok(failures)
        }
        _ => Ok(compared(
            &format!("\"{name}\" sent"),
            "message",
            wanted,
            &of(None),
            line,
        )?
        .into_iter()
        .collect()),
    }
}

// ----------------------------------------------------------------------------------------------------- what is given

fn messages(msg: &Option<Json>, msgs: &Option<Vec<Json>>, line: u64) -> Result<Vec<Msg>, Failure> {
    let list = match (msg, msgs) {
        (Some(_), Some(_)) => return Err(Failure::new(line, "give `msg` or `msgs`, not both")),
        (Some(msg), None) => vec![msg.clone()],
        (None, Some(msgs)) => msgs.clone(),
        (None, None) => vec![Json::Object(Default::default())],
    };
    list.iter()
        .map(|json| {
            let msg = Msg::try_from(value(json, line)?);
            msg.map_err(|_| {
                let message =
                    format!("a message is an object with properties such as payload, not {json}");
                Failure::new(line, message)
            })
        })
        .collect()
}

fn object<'j>(
    values: impl IntoIterator<Item = (&'j String, &'j Json)>,
) -> Result<Object, FileError> {
    values
        .into_iter()
        .map(|(key, json)| Ok((key.as_str(), value(json, 0)?)))
        .collect()
}

/// The flow's settings with the test's over them. Contexts live in memory, whatever stores the flow has.
fn settings(flow: &Flow, given: &Given) -> Result<Object, FileError> {
    let mut settings = flow.settings.clone();
    for (key, setting) in object(&given.settings)?.iter() {
        settings.insert(key.as_str(), setting.clone());
    }
    if let Some(Value::Object(stores)) = settings.get_mut("contextStorage") {
        for store in stores.values_mut() {
            if let Value::Object(store) = store {
                store.insert("module", "memory");
                store.remove("config");
            }
        }
    }
    Ok(settings)
}

fn env(given: &Given) -> Result<HashMap<String, Option<String>>, FileError> {
    let each = given.env.iter().map(|(name, json)| match json {
        Json::Null => Ok((name.clone(), None)),
        Json::String(text) => Ok((name.clone(), Some(text.clone()))),
        Json::Number(_) | Json::Bool(_) => Ok((name.clone(), Some(json.to_string()))),
        _ => Err(FileError::new(
            0,
            format!("`env`: {name} must be a text, a number, true, false or null"),
        )),
    });
    each.collect()
}

/// The nodes of a plan, to be named.
pub(crate) fn named(plan: &Plan) -> Vec<Named> {
    let all = plan.ops.iter().map(|op| {
        let label = plan
            .flows
            .get(op.flow as usize)
            .map(|flow| flow.label.clone());
        Named {
            id: op.id.clone(),
            name: op.name.clone().filter(|name| !name.is_empty()),
            places: op.z.iter().cloned().chain(label).collect(),
            what: op.ty.clone(),
        }
    });
    all.collect()
}

/// Watches what the steps ask about, and what is logged.
async fn watch(
    runtime: &mut Runtime,
    nodes: &[Named],
    steps: &[Spanned<Step>],
    all: bool,
) -> Result<(), FileError> {
    runtime
        .watch(None, if all { Kinds::ALL } else { Kinds::LOG })
        .await;
    for (meant, expect) in steps
        .iter()
        .filter_map(|step| step.value.expect.as_ref())
        .flatten()
    {
        let id = find(nodes, meant, expect.referenced.line())?.id.clone();
        let expect = &expect.value;
        let asked = [
            (Kinds::INPUT, expect.receives.is_some()),
            (Kinds::SEND, expect.sends.is_some()),
            (
                Kinds::STATUS,
                expect.status.is_some() || expect.statuses.is_some(),
            ),
            (Kinds::ERROR, expect.errors.is_some()),
            (Kinds::DEBUG, expect.debug.is_some()),
            (Kinds::DONE, expect.done.is_some()),
        ];
        let kinds = asked
            .iter()
            .filter(|(_, asked)| *asked)
            .fold(Kinds::NONE, |all, (kind, _)| all.union(*kind));
        runtime.watch(Some(&[id]), kinds).await;
    }
    Ok(())
}
