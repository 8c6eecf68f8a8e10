//! A flow that runs in a test: in a runtime of its own, whose clock stands still until a step moves it.

use crate::expect::{answer_is, compared, is_about_text, sent};
use crate::file::{Context, Expect, FileError, Given, Request, Step, span, value};
use crate::http_step::ask;
use crate::matcher::Matcher;
use crate::names::{Named, find};
use crate::observed::{Observed, Seen, What, text_of};
use crate::{Failure, Flow, Runner};
use serde_json::Value as Json;
use serde_saphyr::Spanned;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use vgdc_core::plan::Plan;
use vgdc_core::store::Scope;
use vgdc_core::{Clock, Deployment, Kinds, Runtime, RuntimeOptions, Services};
use vgdc_http::HttpServer;
use vgdc_value::{Msg, Object, Value};

/// What the clock shows at the start where nothing is said: 2026-01-01T00:00:00Z.
const START_MS: f64 = 1_767_225_600_000.0;

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
pub(crate) struct Live {
    runtime: Runtime,
    http: Arc<HttpServer>,
    plan: Arc<Plan>,
    nodes: Vec<Named>,
    pub seen: Arc<Seen>,
    pub observed: Observed,
    /// Nodes whose errors some step has looked at.
    asked_errors: Vec<String>,
}

impl Live {
    pub async fn start(
        runner: &Runner<'_>,
        flow: &Flow,
        given: &Given,
        plan: Arc<Plan>,
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

    pub async fn end(self, limit: Duration, failures: Vec<Failure>) -> Ran {
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
    pub async fn step(&mut self, step: &Step, line: u64) -> Result<Vec<Failure>, Failure> {
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
    pub fn uncaught(&self, line: u64) -> Vec<Failure> {
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
    Ok(in_memory(settings))
}

/// Settings with all contexts in memory.
pub(crate) fn in_memory(mut settings: Object) -> Object {
    if let Some(Value::Object(stores)) = settings.get_mut("contextStorage") {
        for store in stores.values_mut() {
            if let Value::Object(store) = store {
                store.insert("module", "memory");
                store.remove("config");
            }
        }
    }
    settings
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
