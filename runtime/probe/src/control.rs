//! Carrying out requests.

use crate::request::Request;
use crate::{Hub, Subscriber};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Mutex;
use vgdc_core::island::{Counters, State};
use vgdc_core::{
    DeployType, Deployment, Event, EventKind, Kinds, Level, Preview, Runtime, RuntimeError, Sink,
};
use vgdc_plan::Plan;
use vgdc_store::Scope;
use vgdc_value::{Object, Value, control};

use vgdc_core::store as vgdc_store;

/// Why a request was refused.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// A machine-readable code.
    pub code: String,
    /// What is wrong and, where it helps, what to do.
    pub message: String,
    /// Diagnostics as JSON texts.
    pub diagnostics: Vec<String>,
}

impl Refusal {
    /// A refusal without diagnostics.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Refusal {
            code: code.into(),
            message: message.into(),
            diagnostics: Vec::new(),
        }
    }
}

impl From<RuntimeError> for Refusal {
    fn from(error: RuntimeError) -> Self {
        Refusal::new(error.code, error.message)
    }
}

/// What a deployer made of flows.
pub struct Compiled {
    /// What is to run.
    pub plan: Plan,
    /// Diagnostics as JSON texts.
    pub diagnostics: Vec<String>,
}

/// Turns flows into a plan. The compiler, where there is one; an artifact has none.
pub trait Deployer: Send + Sync {
    /// Compiles the text of a flow file.
    ///
    /// # Errors
    /// The flows cannot be compiled.
    fn compile(&self, flows: &str) -> Result<Compiled, Refusal>;
}

/// What `info` says of the process.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The program's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The root of the HTTP listener.
    pub http_url: Option<String>,
}

/// The runtime under control. Requests of all connections take their turns.
pub struct Control {
    runtime: Mutex<Option<Runtime>>,
    deployer: Option<Arc<dyn Deployer>>,
    hub: Arc<Hub>,
    identity: Identity,
}

impl Control {
    /// Takes a runtime under control. Its sink must be this hub.
    pub fn new(
        runtime: Runtime,
        hub: Arc<Hub>,
        deployer: Option<Arc<dyn Deployer>>,
        identity: Identity,
    ) -> Self {
        Control {
            runtime: Mutex::new(Some(runtime)),
            deployer,
            hub,
            identity,
        }
    }

    /// Runs something with the runtime between requests.
    pub async fn with_runtime<T>(&self, act: impl AsyncFnOnce(&mut Runtime) -> T) -> Option<T> {
        match self.runtime.lock().await.as_mut() {
            Some(runtime) => Some(act(runtime).await),
            None => None,
        }
    }

    /// Stops everything. Later requests are refused.
    pub async fn shutdown(&self) {
        if let Some(runtime) = self.runtime.lock().await.take() {
            runtime.shutdown().await;
        }
    }

    /// Carries out one line of a subscriber; the answer goes to its outbox.
    pub async fn line(&self, subscriber: &Subscriber, line: &str) {
        let (id, outcome) = match Request::read(line) {
            Ok(request) => (
                request.id().to_owned(),
                self.request(subscriber, &request).await,
            ),
            Err(refusal) => ("null".to_owned(), Err(refusal)),
        };
        let answer = match outcome {
            Ok(None) => format!("{{\"id\":{id},\"ok\":true}}"),
            Ok(Some(result)) => format!("{{\"id\":{id},\"ok\":true,\"result\":{result}}}"),
            Err(refusal) => format!(
                "{{\"id\":{id},\"ok\":false,\"error\":{{\"code\":{},\"message\":{},\"diagnostics\":[{}]}}}}",
                crate::hub::quoted(&refusal.code),
                crate::hub::quoted(&refusal.message),
                refusal.diagnostics.join(",")
            ),
        };
        subscriber.outbox().line(answer);
    }

    async fn request(
        &self,
        subscriber: &Subscriber,
        request: &Request<'_>,
    ) -> Result<Option<String>, Refusal> {
        let op = request.needed_text("op")?;
        let mut guard = self.runtime.lock().await;
        let Some(runtime) = guard.as_mut() else {
            return Err(Refusal::new("stopping", "the process is stopping"));
        };
        match op.as_str() {
            "info" => Ok(Some(self.info())),
            "deploy" => self.deploy(runtime, request).await.map(Some),
            "preview" => {
                let (deployment, diagnostics) = self.deployment(request)?;
                let preview = runtime.preview(&deployment).await?;
                Ok(Some(previewed(&preview, &diagnostics)))
            }
            "stop" => {
                let nodes = request.texts("nodes")?;
                runtime.stop(nodes.as_deref()).await?;
                Ok(None)
            }
            "nodes" => Ok(Some(nodes(runtime))),
            "receive" => {
                let (node, msg) = (request.needed_text("node")?, request.msg()?);
                runtime.receive(&node, msg).await?;
                Ok(None)
            }
            "send" => {
                let node = request.needed_text("node")?;
                let msg = request.value("msg")?.unwrap_or(Value::Undefined);
                runtime.send(&node, msg).await?;
                Ok(None)
            }
            "button" => {
                let (node, msg) = (request.needed_text("node")?, request.msg()?);
                runtime
                    .button(&node, msg.map(|msg| Value::Object((*msg).clone())))
                    .await?;
                Ok(None)
            }
            "activate" => {
                let nodes = request
                    .texts("nodes")?
                    .ok_or_else(|| Refusal::new("bad-field", "`nodes` must be an array of ids"))?;
                runtime.activate(&nodes, request.flag("active")?).await?;
                Ok(None)
            }
            "watch" | "unwatch" => {
                let (nodes, kinds) = (request.nodes_or_all()?, request.kinds()?);
                self.subscribe(runtime, subscriber, op == "watch", nodes.as_deref(), kinds)
                    .await;
                Ok(None)
            }
            "context.get" => {
                let (scope, key, store) = (
                    scope(request)?,
                    request.needed_text("key")?,
                    request.text("store")?,
                );
                let value = runtime.stores().get(&scope, &key, store.as_deref());
                value
                    .map(|value| Some(control::encode(&value)))
                    .map_err(|e| Refusal::new("context", e.to_string()))
            }
            "context.set" => {
                let (scope, key, store) = (
                    scope(request)?,
                    request.needed_text("key")?,
                    request.text("store")?,
                );
                let value = request.value("value")?.unwrap_or(Value::Undefined);
                let set = runtime.stores().set(&scope, &key, value, store.as_deref());
                set.map(|()| None)
                    .map_err(|e| Refusal::new("context", e.to_string()))
            }
            "context.keys" => {
                let (scope, store) = (scope(request)?, request.text("store")?);
                let keys = runtime.stores().keys(&scope, store.as_deref());
                let keys = keys.map_err(|e| Refusal::new("context", e.to_string()))?;
                let listed: Vec<String> = keys.iter().map(|key| crate::hub::quoted(key)).collect();
                Ok(Some(format!("[{}]", listed.join(","))))
            }
            "metrics" => Ok(Some(metrics(&runtime.metrics().await))),
            "settle" => {
                runtime.settle().await;
                Ok(None)
            }
            "clock.advance" => {
                runtime.advance(request.milliseconds("ms")?).await?;
                Ok(None)
            }
            other => Err(Refusal::new(
                "unknown-op",
                format!("unknown op \"{other}\""),
            )),
        }
    }

    fn info(&self) -> String {
        let http = match &self.identity.http_url {
            Some(url) => format!(",\"http\":{{\"url\":{}}}", crate::hub::quoted(url)),
            None => String::new(),
        };
        let (name, version) = (
            crate::hub::quoted(&self.identity.name),
            crate::hub::quoted(&self.identity.version),
        );
        format!("{{\"name\":{name},\"version\":{version},\"protocol\":1{http}}}")
    }

    async fn subscribe(
        &self,
        runtime: &mut Runtime,
        subscriber: &Subscriber,
        on: bool,
        nodes: Option<&[String]>,
        kinds: Kinds,
    ) {
        if on {
            subscriber.watch(nodes, kinds);
            runtime.watch(nodes, kinds).await;
        } else {
            // The runtime goes on telling: another subscriber may watch the same. The filter holds it back.
            subscriber.unwatch(nodes, kinds);
            if self.hub.is_only(subscriber) {
                runtime.unwatch(nodes, kinds).await;
            }
        }
    }

    async fn deploy(
        &self,
        runtime: &mut Runtime,
        request: &Request<'_>,
    ) -> Result<String, Refusal> {
        let (deployment, diagnostics) = self.deployment(request)?;
        let nodes = runtime.deploy(deployment).await?;
        self.tell_runtime(runtime, Level::Info, "Started flows");
        Ok(format!(
            "{{\"nodes\":{nodes},\"diagnostics\":[{}]}}",
            diagnostics.join(",")
        ))
    }

    /// What a request would have deployed, and what there is to say of it.
    fn deployment(&self, request: &Request<'_>) -> Result<(Deployment, Vec<String>), Refusal> {
        let bad = |text: &str| Refusal::new("bad-field", text);
        let ty = match request.text("type")?.as_deref() {
            None | Some("full") => DeployType::Full,
            Some("flows") => DeployType::Flows,
            Some("nodes") => DeployType::Nodes,
            Some(other) => {
                return Err(bad(&format!(
                    "unknown deploy type \"{other}\": full, flows or nodes"
                )));
            }
        };
        let credentials = match request.value("credentials")? {
            None => None,
            Some(Value::Object(all)) => {
                let each = all.iter().map(|(id, value)| match value {
                    Value::Object(secrets) => Ok((id.as_str().to_owned(), secrets.clone())),
                    _ => Err(bad("`credentials` must hold an object for each node id")),
                });
                Some(each.collect::<Result<HashMap<_, _>, _>>()?)
            }
            Some(_) => return Err(bad("`credentials` must be an object")),
        };
        let env = match request.value("env")? {
            None => None,
            Some(Value::Object(all)) => Some(
                all.iter()
                    .map(|(name, value)| (name.as_str().to_owned(), env_value(value)))
                    .collect(),
            ),
            Some(_) => return Err(bad("`env` must be an object")),
        };
        let mut diagnostics = Vec::new();
        let settings: Option<Object> = match request.value("settings")? {
            None => None,
            Some(Value::Object(settings)) => {
                diagnostics.extend(settings.keys().filter_map(|key| said_of(key.as_str())));
                Some(settings)
            }
            Some(_) => return Err(bad("`settings` must be an object")),
        };
        let plan = match request.raw("flows") {
            None => None,
            Some(text) if !text.starts_with('[') => return Err(bad("`flows` must be an array")),
            Some(text) => {
                let deployer = self.deployer.as_ref();
                let deployer = deployer.ok_or_else(|| {
                    Refusal::new(
                        "no-compiler",
                        "this program is an artifact: it runs the flows it was built from",
                    )
                })?;
                let compiled = deployer.compile(text)?;
                diagnostics.extend(compiled.diagnostics);
                Some(compiled.plan)
            }
        };
        let deployment = Deployment {
            plan,
            credentials,
            env,
            settings,
            ty,
            contexts: None,
        };
        Ok((deployment, diagnostics))
    }

    fn tell_runtime(&self, runtime: &Runtime, level: Level, text: &str) {
        if runtime.watched_of_runtime().intersects(Kinds::LOG) {
            let ts = runtime.clock().now_ms().floor();
            self.hub.event(Event {
                node: None,
                ts,
                kind: EventKind::Log {
                    level,
                    message: Value::from(text),
                },
            });
        }
    }
}

/// The answer of `preview`.
fn previewed(preview: &Preview, diagnostics: &[String]) -> String {
    let quoted = crate::hub::quoted;
    let list = |ids: &[String]| {
        let ids: Vec<String> = ids.iter().map(|id| quoted(id)).collect();
        format!("[{}]", ids.join(","))
    };
    let forgets: Vec<String> = preview
        .forgets
        .iter()
        .map(|(scope, keys)| {
            let scope = quoted(&scope.to_string());
            format!("{{\"scope\":{scope},\"keys\":{}}}", list(keys))
        })
        .collect();
    let everything = preview.everything.map_or("null".to_owned(), quoted);
    format!(
        "{{\"starts\":{},\"restarts\":{},\"stops\":{},\"keeps\":{},\"everything\":{everything},\"forgets\":[{}],\"diagnostics\":[{}]}}",
        list(&preview.starts),
        list(&preview.restarts),
        list(&preview.stops),
        list(&preview.keeps),
        forgets.join(","),
        diagnostics.join(",")
    )
}

/// What there is to say of a setting that is deployed, as a diagnostic.
fn said_of(setting: &str) -> Option<String> {
    let (code, text) = if vgdc_plan::settings::find(setting).is_none() {
        ("unknown-setting", format!("unknown setting \"{setting}\""))
    } else if vgdc_plan::settings::AT_START.contains(&setting) {
        let text = format!(
            "the setting \"{setting}\" is read when the program starts: give it in vgdc.toml"
        );
        ("setting-at-start", text)
    } else {
        return None;
    };
    let text = crate::hub::quoted(&text);
    Some(format!(
        "{{\"severity\":\"warning\",\"code\":\"{code}\",\"message\":{text}}}"
    ))
}

fn env_value(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Undefined => None,
        other => Some(other.to_js_string()),
    }
}

fn scope(request: &Request<'_>) -> Result<Scope, Refusal> {
    let text = request.needed_text("scope")?;
    text.parse().map_err(|_| {
        Refusal::new(
            "bad-field",
            format!("unknown scope \"{text}\": global, flow:ID or node:ID"),
        )
    })
}

fn nodes(runtime: &Runtime) -> String {
    let quoted = crate::hub::quoted;
    let listed: Vec<String> = runtime
        .nodes()
        .into_iter()
        .map(|node| {
            let state = match node.state {
                State::Started => "started",
                State::Failed => "failed",
                State::Stopped => "stopped",
            };
            let z = node
                .z
                .map(|z| format!(",\"z\":{}", quoted(&z)))
                .unwrap_or_default();
            let name = node
                .name
                .map(|name| format!(",\"name\":{}", quoted(&name)))
                .unwrap_or_default();
            let wires = serde_json::Value::from(
                node.wires
                    .iter()
                    .map(|ids| serde_json::Value::from(ids.clone()))
                    .collect::<Vec<_>>(),
            );
            format!(
                "{{\"id\":{},\"type\":{}{z}{name},\"wires\":{wires},\"state\":\"{state}\"}}",
                quoted(&node.id),
                quoted(&node.ty)
            )
        })
        .collect();
    format!("[{}]", listed.join(","))
}

/// Counters and handling times, by node id.
fn metrics(all: &[(String, Counters)]) -> String {
    let nodes: Vec<String> = all
        .iter()
        .map(|(id, c)| {
            let sent: u64 = c.sent.iter().sum();
            let edges: Vec<String> = c.sent.iter().map(u64::to_string).collect();
            let measured: u64 = c.nanos.iter().sum();
            let times = match measured {
                0 => String::new(),
                n => format!(
                    ",\"handling_ns\":{{\"samples\":{n},\"p50\":{},\"p99\":{},\"max\":{}}}",
                    quantile(&c.nanos, 0.5),
                    quantile(&c.nanos, 0.99),
                    quantile(&c.nanos, 1.0)
                ),
            };
            let code = match c.finished + c.bailed {
                0 => String::new(),
                _ => format!(
                    ",\"code\":{{\"finished\":{},\"bailed\":{},\"of\":{}}}",
                    c.finished,
                    c.bailed,
                    crate::hub::quoted(c.refused)
                ),
            };
            format!(
                "{}:{{\"in\":{},\"out\":{sent},\"outputs\":[{}],\"errors\":{},\"dropped\":{},\"waiting\":{}{times}{code}}}",
                crate::hub::quoted(id),
                c.received,
                edges.join(","),
                c.errors,
                c.dropped,
                c.waiting
            )
        })
        .collect();
    format!("{{\"nodes\":{{{}}}}}", nodes.join(","))
}

/// The upper bound of the bucket in which this share of the samples ends.
fn quantile(buckets: &[u64], share: f64) -> u64 {
    let total: u64 = buckets.iter().sum();
    let wanted = (total as f64 * share).ceil() as u64;
    let mut seen = 0;
    for (bucket, count) in buckets.iter().enumerate() {
        seen += count;
        if seen >= wanted.max(1) {
            return 1 << (bucket + 1);
        }
    }
    0
}
