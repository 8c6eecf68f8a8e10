//! **function** — runs JavaScript on each message.
//!
//! *On Message* gets `msg` and returns what to send: a message, an array with one message (or an array of them) for each
//! output, or nothing. *On Start* runs before the first message; messages wait until what it awaits is there. *On Stop* runs
//! when the node stops.
//!
//! Around the code there are `node` (`send`, `done`, `status`, `log`, `warn`, `error`, `debug`, `trace`, `on`, `linkcall`, `id`,
//! `name`, `path`, `outputCount`), `context`, `flow`, `global`, `env`, `RED.util`, `Buffer`, `URL`, `util`, timers, `console`
//! and promises. A body that calls `node.done()` says itself when it has finished with a message; for any other the node does.
//!
//! Code that runs longer than *Timeout* (or the setting `globalFunctionTimeout`, both in seconds; without either, ten seconds)
//! is stopped with an error; the rest of the flow goes on. A node with
//! modules runs in Node.js, where the user folder has them (docs/hosted-nodes.md); elsewhere it does not start.

use crate::common::links::{self, Returned, push_caller};
use std::any::Any;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use vgdc_core::native::{Compiled, time_limit};
use vgdc_core::spec::FieldSpec;
use vgdc_core::spec::Typing;
use vgdc_core::store;
use vgdc_core::value::{ErrorValue, Msg, Object, Value};
use vgdc_core::{Closing, Completion, Cx, Level, Node, NodeError, OpInfo, Process, TimerId};
use vgdc_engine::{
    CallId, Engine, EngineError, FunctionSource, Host, JsError, Limits, LogLevel, Scope, Zone,
};
use vgdc_expr::Jsonata;
use vgdc_macros_node::{Config, fields, node};

/// A module, in forms.
const LIBRARY: &[FieldSpec] = fields![
    (name = "module", label = "Module", required = true),
    (name = "var", label = "Variable", required = true),
];

/// The form's properties.
#[derive(Config)]
pub struct FunctionConfig {
    #[field(default = "", label = "Name")]
    name: String,
    #[field(default = "", begin = "\nreturn msg;", kind = JavaScript, label = "On message")]
    func: String,
    #[field(default = "", kind = JavaScript, label = "On start")]
    initialize: String,
    #[field(default = "", kind = JavaScript, label = "On stop")]
    finalize: String,
    #[field(default = 1, label = "Outputs")]
    outputs: f64,
    #[field(default = 0, label = "Timeout (seconds)")]
    timeout: f64,
    #[field(json = "[]", kind = Modules, label = "Modules", items = LIBRARY)]
    libs: Vec<Value>,
    #[expect(
        dead_code,
        reason = "the editor's: how many errors it found in the code"
    )]
    #[field(json = "0", hidden = true)]
    noerr: Value,
}

/// Messages that may wait for *On Start* to finish; further ones raise an error.
const WAITING: usize = 10_000;
/// Messages whose end is remembered for whoever watches, while bodies run on after they returned.
const UNFINISHED: usize = 1_000;

/// The behaviour.
pub struct Function {
    code: Code,
    /// *On Message* as machine code, which is tried first.
    compiled: Option<Compiled>,
    world: Rc<World>,
    state: State,
    /// The engine's timers, by both their names.
    timers: HashMap<TimerId, Timer>,
    engine_timers: HashMap<u32, TimerId>,
    last_call: CallId,
    /// Messages that the code has not finished with.
    unfinished: BTreeMap<CallId, Completion>,
    /// A complete node listens: the engine gives each message as the code left it.
    keeps_messages: bool,
    /// `node.linkcall`s on their way: the engine's number and the timer, by the call's id.
    link_calls: HashMap<String, (u32, TimerId)>,
}

/// The code in the engine.
enum Code {
    Made(vgdc_engine::Function),
    /// Machine code does what there is to do: the engine starts when that bails out for the first time.
    Unneeded(Box<FunctionSource>),
}

impl Code {
    fn make(
        source: &FunctionSource,
        world: &Rc<World>,
        cx: &mut Cx<'_>,
    ) -> Result<vgdc_engine::Function, NodeError> {
        let engine = cx.local(|| Engine::new(Limits::default()));
        let engine = Result::as_ref(&engine).map_err(EngineError::to_string)?;
        engine
            .function(source, world.clone())
            .map_err(|error| NodeError::from_value(error.value))
    }

    /// The code, if it is in the engine.
    fn made(&self) -> Option<&vgdc_engine::Function> {
        match self {
            Code::Made(code) => Some(code),
            Code::Unneeded(_) => None,
        }
    }
}

enum State {
    /// *On Start* has not finished.
    Starting(VecDeque<Msg>),
    Ready,
    /// It failed: messages are ignored.
    Failed,
}

enum Timer {
    Engine(u32),
    LinkCall(String),
}

/// What code did, in order: carried out when the engine has come back.
enum Effect {
    Send(Vec<Vec<Msg>>),
    Done(CallId, Option<Msg>),
    Fail(CallId, JsError),
    Error(Value, Option<Value>),
    Status(Value),
    Log(Level, Value),
    SetTimer(u32, f64),
    ClearTimer(u32),
    LinkCall {
        request: u32,
        target: String,
        msg: Msg,
        timeout_ms: f64,
    },
    SetupDone(Result<(), JsError>),
    CloseDone,
}

/// What the code can reach outside itself.
struct World {
    env: vgdc_core::shared::NodeEnv,
    effects: RefCell<VecDeque<Effect>>,
    /// JSONata expressions that the code has prepared, by their texts.
    expressions: RefCell<HashMap<String, Rc<Jsonata>>>,
}

/// As many expressions are kept parsed; code that makes ever new ones pays for parsing.
const EXPRESSIONS: usize = 100;

impl World {
    fn push(&self, effect: Effect) {
        self.effects.borrow_mut().push_back(effect);
    }

    fn pop(&self) -> Option<Effect> {
        self.effects.borrow_mut().pop_front()
    }

    fn log_last(&self, info: &OpInfo, level: Level, value: &Value) {
        let shared = self.env.shared();
        shared
            .log
            .log(shared.clock.now_ms(), level, Some(info), value);
    }

    fn scope(&self, scope: Scope) -> store::Scope {
        match scope {
            Scope::Node => self.env.node_scope().clone(),
            Scope::Flow => self.env.flow().clone(),
            Scope::Global => store::Scope::Global,
        }
    }
}

impl Host for World {
    fn send(&self, _call: CallId, outputs: Vec<Vec<Msg>>, _clone: bool) {
        self.push(Effect::Send(outputs));
    }

    fn done(&self, call: CallId, msg: Option<Msg>) {
        self.push(Effect::Done(call, msg));
    }

    fn fail(&self, call: CallId, error: JsError) {
        self.push(Effect::Fail(call, error));
    }

    fn error(&self, value: Value, msg: Option<Value>) {
        self.push(Effect::Error(value, msg));
    }

    fn status(&self, status: Value) {
        self.push(Effect::Status(status));
    }

    fn log(&self, level: LogLevel, value: Value) {
        self.push(Effect::Log(level_of(level), value));
    }

    fn context_get(
        &self,
        scope: Scope,
        key: &str,
        store: Option<&str>,
    ) -> Result<Value, ErrorValue> {
        match scope {
            Scope::Flow => self.env.flow_get(key, store),
            Scope::Node | Scope::Global => self.env.get(&self.scope(scope), key, store),
        }
    }

    fn context_set(
        &self,
        scope: Scope,
        key: &str,
        value: Value,
        store: Option<&str>,
    ) -> Result<(), ErrorValue> {
        match scope {
            Scope::Flow => self.env.flow_set(key, value, store),
            Scope::Node | Scope::Global => self.env.set(&self.scope(scope), key, value, store),
        }
    }

    fn context_keys(&self, scope: Scope, store: Option<&str>) -> Result<Vec<String>, ErrorValue> {
        self.env
            .shared()
            .stores
            .keys(&self.scope(scope), store)
            .map_err(Into::into)
    }

    fn env_get(&self, name: &str) -> Value {
        self.env.env(name)
    }

    fn jsonata(
        &self,
        text: &str,
        input: Option<&Value>,
        variables: &[(&str, Value)],
    ) -> Result<Value, ErrorValue> {
        let known = self.expressions.borrow().get(text).cloned();
        let expression = match known {
            Some(known) => known,
            None => {
                let parsed = Rc::new(Jsonata::compile(text)?);
                let mut all = self.expressions.borrow_mut();
                if all.len() >= EXPRESSIONS {
                    all.clear();
                }
                all.insert(text.to_owned(), parsed.clone());
                parsed
            }
        };
        match input {
            Some(input) => expression.eval_with(&self.env, input, variables),
            None => Ok(Value::Undefined),
        }
    }

    fn set_timer(&self, id: u32, after_ms: f64) {
        self.push(Effect::SetTimer(id, after_ms));
    }

    fn clear_timer(&self, id: u32) {
        self.push(Effect::ClearTimer(id));
    }

    fn now_ms(&self) -> f64 {
        self.env.shared().clock.now_ms()
    }

    fn zone(&self, name: &str, at_ms: f64) -> Option<Zone> {
        let (name, seconds, abbreviation) = vgdc_expr::zone_at(name, at_ms)?;
        Some(Zone {
            name: name.to_owned(),
            seconds,
            abbreviation,
        })
    }

    fn console(&self, level: LogLevel, text: String) {
        self.push(Effect::Log(level_of(level), Value::from(text)));
    }

    fn link_call(
        &self,
        request: u32,
        target: &str,
        msg: Msg,
        timeout_ms: f64,
    ) -> Result<(), ErrorValue> {
        self.push(Effect::LinkCall {
            request,
            target: target.to_owned(),
            msg,
            timeout_ms,
        });
        Ok(())
    }

    fn setup_done(&self, result: Result<(), JsError>) {
        self.push(Effect::SetupDone(result));
    }

    fn close_done(&self) {
        self.push(Effect::CloseDone);
    }
}

fn level_of(level: LogLevel) -> Level {
    match level {
        LogLevel::Error => Level::Error,
        LogLevel::Warn => Level::Warn,
        LogLevel::Info => Level::Info,
        LogLevel::Debug => Level::Debug,
        LogLevel::Trace => Level::Trace,
    }
}

#[node(type = "function", category = "function", inputs = 1, outputs = field("outputs"), effect = State, types = types, text = First("func"), color = "#fdd0a2", icon = "function.svg")]
impl Node for Function {
    type Config = FunctionConfig;

    fn new(config: FunctionConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        check_libs(&config.libs, cx)?;
        let world = Rc::new(World {
            env: cx.env(),
            effects: RefCell::default(),
            expressions: RefCell::default(),
        });
        let source = source(config, cx);
        // (a message that a complete node gets is as the code left it: the engine keeps that)
        let keeps_messages = source.keep_message;
        let compiled = match keeps_messages {
            true => None,
            false => Compiled::new(cx, "func", time_limit(source.timeout_s)),
        };
        let has_more = !source.initialize.is_empty() || !source.finalize.is_empty();
        let code = match compiled.is_some() && !has_more {
            true => Code::Unneeded(Box::new(source)),
            false => Code::Made(Code::make(&source, &world, cx)?),
        };
        Ok(Function {
            code,
            compiled,
            world,
            state: State::Starting(VecDeque::new()),
            timers: HashMap::new(),
            engine_timers: HashMap::new(),
            last_call: 0,
            unfinished: BTreeMap::new(),
            keeps_messages,
            link_calls: HashMap::new(),
        })
    }
}

/// What the code sends.
fn types(t: &mut dyn Typing) {
    let message = t.message();
    t.script("func");
    let none = t.ty("undefined");
    t.set_message(none);
    t.script("initialize");
    t.script("finalize");
    t.set_message(message);
}

fn source(config: FunctionConfig, cx: &Cx<'_>) -> FunctionSource {
    let info = cx.info();
    let plan = &cx.shared().plan;
    let listened_to = plan
        .ops
        .iter()
        .any(|op| op.id == info.id && !op.complete.is_empty());
    let own = config.timeout;
    let global = cx.setting("globalFunctionTimeout").to_number();
    FunctionSource {
        id: info.id.clone(),
        name: config.name,
        z: info.z.clone().unwrap_or_default(),
        path: format!(
            "{}/{}",
            info.path,
            info.alias.as_deref().unwrap_or(&info.id)
        ),
        output_count: config.outputs.max(0.0) as usize,
        func: config.func,
        initialize: config.initialize,
        finalize: config.finalize,
        timeout_s: [own, global]
            .into_iter()
            .find(|limit| *limit > 0.0)
            .unwrap_or(0.0),
        globals: Vec::new(),
        keep_message: listened_to,
    }
}

/// Names that the sandbox already has.
const TAKEN: [&str; 18] = [
    "console",
    "util",
    "Buffer",
    "URL",
    "URLSearchParams",
    "Date",
    "RED",
    "__node__",
    "context",
    "flow",
    "global",
    "env",
    "setTimeout",
    "clearTimeout",
    "setInterval",
    "clearInterval",
    "promisify",
    "node",
];

/// Modules are npm packages, for which a Node.js process would be needed.
fn check_libs(libs: &[Value], cx: &mut Cx<'_>) -> Result<(), NodeError> {
    if libs.is_empty() {
        return Ok(());
    }
    if cx.setting("functionExternalModules").as_bool() == Some(false) {
        return Err(NodeError::new(
            "Function node not allowed to load external modules",
        ));
    }
    let mut wanted = false;
    for lib in libs {
        let (name, module) = (lib.get("var"), lib.get("module"));
        let Some(name) = name.as_str().filter(|name| !name.is_empty()) else {
            continue;
        };
        wanted = true;
        if TAKEN.contains(&name) {
            cx.error(format!("Invalid module variable name: {name}"), None);
        } else {
            let module = module.to_js_string();
            let why = "Error: vgdc runs functions without Node.js and cannot load npm modules";
            cx.error(format!("Failed to load module {module}: {why}"), None);
        }
    }
    match wanted {
        true => Err(NodeError::new(
            "Function node failed to load external modules",
        )),
        false => Ok(()),
    }
}

impl Function {
    /// Carries out what the code did.
    fn carry_out(&mut self, cx: &mut Cx<'_>) {
        while let Some(effect) = self.world.pop() {
            match effect {
                Effect::Send(outputs) => cx.send_all(outputs),
                Effect::Done(call, msg) => self.finished(cx, call, msg),
                Effect::Fail(call, error) => self.failed(cx, call, error),
                Effect::Error(value, msg) => {
                    let msg = msg.and_then(|msg| Msg::try_from(msg).ok());
                    cx.error(NodeError::from_value(value), msg.as_ref());
                }
                Effect::Status(status) => cx.status(status),
                Effect::Log(level, value) => cx.log(level, value),
                Effect::SetTimer(id, ms) => {
                    let timer = cx.set_timer_ms(ms);
                    self.timers.insert(timer, Timer::Engine(id));
                    self.engine_timers.insert(id, timer);
                }
                Effect::ClearTimer(id) => {
                    if let Some(timer) = self.engine_timers.remove(&id) {
                        self.timers.remove(&timer);
                        cx.clear_timer(timer);
                    }
                }
                Effect::LinkCall {
                    request,
                    target,
                    msg,
                    timeout_ms,
                } => {
                    self.link_call(cx, request, &target, msg, timeout_ms);
                }
                Effect::SetupDone(result) => self.set_up(cx, result),
                // (the future that `close` gave looks for it)
                Effect::CloseDone => {}
            }
        }
    }

    fn call(&mut self, cx: &mut Cx<'_>, mut msg: Msg) {
        if let Some(compiled) = self.compiled.as_mut().filter(|compiled| compiled.pays()) {
            let before = cx.completion(&msg);
            match compiled.call(cx, msg) {
                None => return cx.done(before),
                Some(unchanged) => msg = unchanged,
            }
        }
        let code = match self.engine_code(cx) {
            Ok(code) => code,
            Err(error) => return cx.error(error, Some(&msg)),
        };
        self.last_call += 1;
        let call = self.last_call;
        let before = match self.keeps_messages {
            true => Completion::default(),
            false => cx.completion(&msg),
        };
        let ended = cx.in_engine(|| code.call(msg, call));
        // (what a message needs to be finished with later is there before the code's own `node.done()` is carried out)
        match ended {
            vgdc_engine::Completion::Done(msg) => {
                self.carry_out(cx);
                match msg {
                    Some(msg) => cx.done_with(&msg),
                    None => cx.done(before),
                }
            }
            vgdc_engine::Completion::Failed(error) => {
                self.carry_out(cx);
                self.failed(cx, call, error);
            }
            vgdc_engine::Completion::Pending => {
                self.remember(call, before);
                self.carry_out(cx);
            }
        }
    }

    /// The code in the engine, which starts now if it has not yet.
    fn engine_code(&mut self, cx: &mut Cx<'_>) -> Result<vgdc_engine::Function, NodeError> {
        let source = match &self.code {
            Code::Made(code) => return Ok(code.clone()),
            Code::Unneeded(source) => source,
        };
        let code = Code::make(source, &self.world, cx)?;
        self.code = Code::Made(code.clone());
        // (there is no *On Start* that it would run)
        code.setup();
        self.carry_out(cx);
        Ok(code)
    }

    fn remember(&mut self, call: CallId, completion: Completion) {
        if self.unfinished.len() >= UNFINISHED {
            self.unfinished.pop_first();
        }
        self.unfinished.insert(call, completion);
    }

    fn finished(&mut self, cx: &mut Cx<'_>, call: CallId, msg: Option<Msg>) {
        match (msg, self.unfinished.remove(&call)) {
            (Some(msg), _) => cx.done_with(&msg),
            (None, Some(completion)) => cx.done(completion),
            (None, None) => {}
        }
    }

    fn failed(&mut self, cx: &mut Cx<'_>, call: CallId, error: JsError) {
        self.unfinished.remove(&call);
        cx.error(
            NodeError::from_value(error.value),
            Some(&error.msg.unwrap_or_default()),
        );
    }

    /// *On Start* has ended: the messages that waited for it are handled, or forgotten.
    fn set_up(&mut self, cx: &mut Cx<'_>, result: Result<(), JsError>) {
        let state = match &result {
            Ok(()) => State::Ready,
            Err(_) => State::Failed,
        };
        let waiting = std::mem::replace(&mut self.state, state);
        match (result, waiting) {
            (Ok(()), State::Starting(waiting)) => {
                for msg in waiting {
                    self.call(cx, msg);
                }
            }
            (Ok(()), State::Ready | State::Failed) => {}
            (Err(error), _) => cx.error(NodeError::from_value(error.value), None),
        }
    }

    fn link_call(
        &mut self,
        cx: &mut Cx<'_>,
        request: u32,
        target: &str,
        mut msg: Msg,
        timeout_ms: f64,
    ) {
        match links::find(cx, target, true) {
            Ok(target) => {
                let call = push_caller(&mut msg, cx.id());
                let timer = cx.set_timer_ms(timeout_ms);
                self.timers.insert(timer, Timer::LinkCall(call.clone()));
                self.link_calls.insert(call, (request, timer));
                msg.ensure_id();
                cx.deliver(&target.id, msg);
            }
            Err(text) => self.link_reply(request, Err(ErrorValue::new("Error", text))),
        }
    }
}

impl Function {
    /// Answers a call of the code; only code in the engine makes any.
    fn link_reply(&self, request: u32, reply: Result<Msg, ErrorValue>) {
        if let Some(code) = self.code.made() {
            code.link_reply(request, reply);
        }
    }
}

impl Process for Function {
    fn started(&mut self, cx: &mut Cx<'_>) {
        let Some(code) = self.code.made() else {
            return self.set_up(cx, Ok(()));
        };
        match code.setup() {
            vgdc_engine::Completion::Done(_) => {
                self.carry_out(cx);
                self.set_up(cx, Ok(()));
            }
            vgdc_engine::Completion::Failed(error) => {
                self.carry_out(cx);
                self.set_up(cx, Err(error));
            }
            vgdc_engine::Completion::Pending => self.carry_out(cx),
        }
    }

    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        match &mut self.state {
            State::Ready => self.call(cx, msg),
            State::Starting(waiting) if waiting.len() < WAITING => waiting.push_back(msg),
            State::Starting(_) => {
                let text = format!(
                    "{WAITING} messages wait for \"On Start\" to finish: this one is dropped"
                );
                cx.error(text, Some(&msg));
            }
            State::Failed => {}
        }
    }

    fn timer(&mut self, cx: &mut Cx<'_>, timer: TimerId) {
        match self.timers.remove(&timer) {
            Some(Timer::Engine(id)) => {
                self.engine_timers.remove(&id);
                if let Some(code) = self.code.made() {
                    cx.in_engine(|| code.fire_timer(id));
                }
            }
            Some(Timer::LinkCall(call)) => {
                if let Some((request, _)) = self.link_calls.remove(&call) {
                    self.link_reply(request, Err(ErrorValue::new("Error", "timeout")));
                }
            }
            None => {}
        }
        self.carry_out(cx);
    }

    fn event(&mut self, cx: &mut Cx<'_>, event: Box<dyn Any>) {
        let Ok(returned) = event.downcast::<Returned>() else {
            return;
        };
        let Returned { call, msg } = *returned;
        // (an answer that comes too late is for nobody)
        if let Some((request, timer)) = self.link_calls.remove(&call) {
            self.timers.remove(&timer);
            cx.clear_timer(timer);
            self.link_reply(request, Ok(msg));
            self.carry_out(cx);
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>, removed: bool) -> Closing {
        // (what machine code has set the engine does not know)
        let has_status = cx.has_set_status();
        let Some(code) = self.code.made().cloned() else {
            if has_status {
                cx.status(Value::Object(Object::new()));
            }
            return None;
        };
        if has_status {
            code.has_status();
        }
        if code.close(removed) {
            self.carry_out(cx);
            return None;
        }
        Some(Box::pin(closing(
            code,
            self.world.clone(),
            cx.info().clone(),
        )))
    }
}

/// Runs the timers of asynchronous close listeners until these have finished. The node itself is gone by then: what they
/// say is logged, what they send goes nowhere.
async fn closing(code: vgdc_engine::Function, world: Rc<World>, info: Arc<OpInfo>) {
    let mut timers: BTreeMap<(Instant, u32), ()> = BTreeMap::new();
    // A clock that stands still would keep them from finishing: theirs is put forward to each timer.
    let held = world.env.shared().clock.is_virtual();
    let (begun, mut passed) = (Instant::now(), Duration::ZERO);
    loop {
        let now = || if held { begun + passed } else { Instant::now() };
        while let Some(effect) = world.pop() {
            match effect {
                Effect::CloseDone => return,
                Effect::SetTimer(id, ms) => {
                    let due = now() + Duration::from_secs_f64(ms.clamp(0.0, 86_400_000.0) / 1000.0);
                    timers.insert((due, id), ());
                }
                Effect::ClearTimer(id) => timers.retain(|(_, timer), ()| *timer != id),
                Effect::Log(level, value) => world.log_last(&info, level, &value),
                Effect::Error(value, _) => world.log_last(&info, Level::Error, &value),
                Effect::Fail(_, error) => world.log_last(&info, Level::Error, &error.value),
                Effect::LinkCall { request, .. } => {
                    code.link_reply(
                        request,
                        Err(ErrorValue::new("Error", "the node has stopped")),
                    );
                }
                Effect::Send(_) | Effect::Done(..) | Effect::Status(_) | Effect::SetupDone(_) => {}
            }
        }
        let Some(((due, id), ())) = timers.pop_first() else {
            // Nothing can happen any more that would make them finish: the runtime's own limit ends the wait.
            return std::future::pending().await;
        };
        if held {
            passed = due - begun;
        } else {
            tokio::time::sleep_until(due).await;
        }
        code.fire_timer(id);
    }
}

/// The node's code: its text, when nothing has to happen before the first message.
///
/// # Errors
/// What is in the way.
#[cfg(feature = "lower")]
pub fn lower(config: FunctionConfig) -> Result<vgdc_mir::NodeCode, String> {
    if !config.initialize.trim().is_empty() {
        return Err("code that runs on start".to_owned());
    }
    if config.timeout > 0.0 {
        return Err("a timeout of its own".to_owned());
    }
    if !config.libs.is_empty() {
        return Err("modules".to_owned());
    }
    Ok(vgdc_mir::NodeCode::JavaScript("func"))
}

#[cfg(test)]
mod tests {
    use crate::testing::{Flow, Setup};
    use serde_json::{Value as Json, json};
    use vgdc_core::value::Value;

    fn with(mut function: Json) -> Json {
        function["id"] = "f".into();
        function["type"] = "function".into();
        if function.get("wires").is_none() {
            function["wires"] = json!([["h"], ["h2"]]);
        }
        json!([function, { "id": "h", "type": "helper" }, { "id": "h2", "type": "helper" }])
    }

    fn flow(function: Json) -> Flow {
        Flow::start(with(function))
    }

    fn payloads(flow: &Flow, node: &str) -> Vec<Value> {
        flow.received(node)
            .iter()
            .map(|msg| msg.get("payload"))
            .collect()
    }

    #[test]
    fn sends_what_it_returns() {
        let cases = [
            ("return msg", vec![1.into()], vec![]),
            ("return {payload: msg.payload + 1}", vec![2.into()], vec![]),
            ("return [null, msg]", vec![], vec![1.into()]),
            (
                "return [[{payload: 'a'}, {payload: 'b'}], {payload: 'c'}]",
                vec!["a".into(), "b".into()],
                vec!["c".into()],
            ),
            (
                "node.send(msg); node.send([null, {payload: 2}])",
                vec![1.into()],
                vec![2.into()],
            ),
            ("return null", vec![], vec![]),
            ("return (async () => msg)()", vec![1.into()], vec![]),
        ];
        for (func, first, second) in cases {
            let flow = flow(json!({ "func": func, "outputs": 2 }));
            flow.receive("f", json!({ "_msgid": "m", "payload": 1 }));
            assert_eq!(
                (payloads(&flow, "h"), payloads(&flow, "h2")),
                (first, second),
                "{func}"
            );
            let ids = flow.received("h").into_iter().map(|msg| msg.get("_msgid"));
            assert!(ids.into_iter().all(|id| id == "m".into()), "{func}");
        }
    }

    #[test]
    fn raises_what_it_throws() {
        let cases = [
            ("throw new Error('boom')", "Error: boom"),
            ("throw 'text'", "text"),
            ("node.error('said', msg)", "said"),
            ("node.done('given')", "given"),
            (
                "return 5",
                "Function tried to send a message of type number",
            ),
            ("return Promise.reject(new Error('later'))", "Error: later"),
        ];
        for (func, expected) in cases {
            let flow = flow(json!({ "func": func }));
            flow.receive("f", json!({ "payload": 1 }));
            let errors: Vec<String> = flow.errors("f").iter().map(Value::to_js_string).collect();
            assert_eq!(errors, [expected], "{func}");
        }
    }

    #[test]
    fn a_body_that_is_no_javascript_fails_to_start_and_says_where() {
        let flow = flow(json!({ "func": "let a = 1;\nlet b = ;" }));
        assert_eq!(flow.state("f"), "failed");
        let text = flow.errors("f")[0].to_js_string();
        assert!(
            text.starts_with("SyntaxError: ") && text.ends_with("(body:line 2)"),
            "{text}"
        );
    }

    #[test]
    fn finishes_with_a_message_when_its_code_has() {
        let cases = [
            ("return null", 1),
            ("return Promise.resolve(null)", 1),
            ("node.done()", 1),
            ("setTimeout(() => node.done(), 5)", 1),
            ("if (false) node.done()", 0),
            ("throw new Error('no')", 0),
        ];
        for (func, expected) in cases {
            let flow = flow(json!({ "func": func }));
            flow.receive("f", json!({ "payload": 1 }));
            if expected == 1 {
                flow.wait(|| (flow.finished("f").len() == 1).then_some(()));
            }
            assert_eq!(flow.finished("f").len(), expected, "{func}");
        }
    }

    #[test]
    fn keeps_context() {
        let flow = flow(
            json!({ "z": "t", "func": "context.set('n', 1); flow.set('a.b', [2]); global.set('g', 3); return {payload: flow.get('a').b[0] + global.keys().length}" }),
        );
        flow.receive("f", json!({}));
        assert_eq!(payloads(&flow, "h"), [3.into()]);
        assert_eq!(flow.context("node:f", "n"), 1.into());
        assert_eq!(flow.context("global", "g"), 3.into());
    }

    #[test]
    fn messages_wait_for_on_start() {
        let flow = flow(json!({
            "initialize": "node.status({text: 'starting'}); await new Promise(done => setTimeout(done, 30)); context.set('ready', 'yes')",
            "func": "msg.payload = context.get('ready'); return msg",
        }));
        flow.receive("f", json!({ "payload": 1 }));
        assert!(flow.received("h").is_empty());
        assert_eq!(flow.wait_received("h", 1)[0].get("payload"), "yes".into());
        assert_eq!(flow.statuses("f")[0].get("text"), "starting".into());
    }

    #[test]
    fn a_failed_start_ignores_messages() {
        for initialize in ["throw new Error('no')", "await null; throw new Error('no')"] {
            let flow = flow(json!({ "initialize": initialize, "func": "return msg" }));
            flow.receive("f", json!({}));
            assert!(flow.received("h").is_empty());
            let errors: Vec<String> = flow.errors("f").iter().map(Value::to_js_string).collect();
            assert_eq!(errors, ["Error: no"], "{initialize}");
        }
    }

    #[test]
    fn runs_timers_and_clears_them() {
        let flow = flow(json!({ "func": "
            const t = setTimeout(() => node.send({payload: 'never'}), 5); clearTimeout(t);
            let n = 0; const i = setInterval(() => { node.send({payload: ++n}); if (n == 3) clearInterval(i) }, 5)" }));
        flow.receive("f", json!({}));
        flow.wait_received("h", 3);
        std::thread::sleep(std::time::Duration::from_millis(30));
        assert_eq!(payloads(&flow, "h"), [1.into(), 2.into(), 3.into()]);
    }

    #[test]
    fn runs_on_stop_and_clears_its_status() {
        let mut flow = flow(json!({ "func": "node.status('up')", "finalize": "node.log('bye')" }));
        flow.receive("f", json!({}));
        flow.stop();
        assert_eq!(flow.logs("f"), [("info".to_owned(), "bye".into())]);
        let texts: Vec<Value> = flow
            .statuses("f")
            .iter()
            .map(|status| status.get("text"))
            .collect();
        assert_eq!(texts, ["up".into(), Value::Undefined]);
    }

    #[test]
    fn waits_for_close_listeners() {
        let mut flow = flow(
            json!({ "z": "t", "func": "node.on('close', done => setTimeout(() => { global.set('closed', true); done() }, 20))" }),
        );
        flow.receive("f", json!({}));
        let begin = std::time::Instant::now();
        flow.stop();
        assert!(begin.elapsed() < std::time::Duration::from_secs(10));
        assert_eq!(flow.context("global", "closed"), true.into());
    }

    #[test]
    fn an_endless_loop_is_stopped() {
        let flow = flow(
            json!({ "func": "if (msg.payload) while (true) {}; return {payload: 'alive'}", "timeout": 0.05 }),
        );
        flow.receive("f", json!({ "payload": true }));
        let text = flow.errors("f")[0].to_js_string();
        assert!(text.contains("Script execution timed out"), "{text}");
        flow.receive("f", json!({}));
        assert_eq!(payloads(&flow, "h"), ["alive".into()]);
    }

    #[test]
    fn calls_links() {
        let mut nodes = with(json!({ "func": "
            try { msg = await node.linkcall('double', msg, {timeout: 500}) } catch (e) { msg.payload = e.message }
            return msg" }));
        let others = json!([
            { "id": "in", "type": "link in", "name": "double", "wires": [["g"]] },
            { "id": "g", "type": "function", "func": "msg.payload *= 2; return msg", "wires": [["out"]] },
            { "id": "out", "type": "link out", "mode": "return", "wires": [] },
        ]);
        let without = Flow::start(nodes.clone());
        without.receive("f", json!({ "payload": 4 }));
        assert_eq!(
            payloads(&without, "h"),
            ["target link-in node 'double' not found".into()]
        );
        if let (Json::Array(nodes), Json::Array(others)) = (&mut nodes, others) {
            nodes.extend(others);
        }
        let flow = Flow::start(nodes);
        flow.receive("f", json!({ "payload": 4 }));
        assert_eq!(flow.wait_received("h", 1)[0].get("payload"), 8.into());
    }

    #[test]
    fn modules_of_npm_are_refused_clearly() {
        let libs = json!({ "func": "return msg", "libs": [{ "var": "fs", "module": "fs" }] });
        let flow = flow(libs.clone());
        assert_eq!(flow.state("f"), "failed");
        let errors: Vec<String> = flow.errors("f").iter().map(Value::to_js_string).collect();
        assert!(
            errors[0].starts_with("Failed to load module fs: "),
            "{errors:?}"
        );
        assert_eq!(errors[1], "Function node failed to load external modules");

        let settings = json!({ "functionExternalModules": false });
        let flow = Flow::start_with(
            with(libs),
            Setup {
                settings,
                ..Default::default()
            },
        );
        assert_eq!(
            flow.errors("f"),
            ["Function node not allowed to load external modules".into()]
        );
    }

    #[test]
    fn sees_settings_and_variables() {
        let setup = Setup {
            settings: json!({ "functionGlobalContext": { "answer": 42 }, "globalFunctionTimeout": 0.05 }),
            env: vec![("VGDC_TEST_NAME", "value")],
            ..Default::default()
        };
        let nodes = with(
            json!({ "func": "if (msg.loop) while (true) {}; return {payload: env.get('VGDC_TEST_NAME') + global.get('answer')}" }),
        );
        let flow = Flow::start_with(nodes, setup);
        flow.receive("f", json!({}));
        assert_eq!(payloads(&flow, "h"), ["value42".into()]);
        flow.receive("f", json!({ "loop": true }));
        assert_eq!(flow.errors("f").len(), 1);
    }
}
