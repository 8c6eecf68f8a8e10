//! A function node: its texts compiled once into a context of their own, and called with messages.

use std::cell::Cell;
use std::ffi::CString;
use std::rc::Rc;

use vgdc_value::{ErrorValue, Msg, Object, Value};

use crate::engine::{Inner, Owner};
use crate::error::{CompileError, JsError, Phase};
use crate::export::export;
use crate::failure;
use crate::host::{CallId, Host};
use crate::import::import;
use crate::libs::Lib;
use crate::message;
use crate::native::context::write_back;
use crate::native::node::{self, CallState};
use crate::native::timers;
use crate::raw::{self, Ctx, JSValue, JsResult, Val, qjs};
use crate::realm::{Info, Realm, Running};
use crate::scan::{self, NodeUse, Traits};

/// A function node as it stands in a flow.
#[derive(Debug, Clone, Default)]
pub struct FunctionSource {
    /// The node's id.
    pub id: String,
    /// The node's name; empty when it has none.
    pub name: String,
    /// The id of the flow it stands in.
    pub z: String,
    /// Where it stands (`node.path`): its flow's id, then `/` and the ids of subflow instances.
    pub path: String,
    /// How many outputs it has.
    pub output_count: usize,
    /// "On Message".
    pub func: String,
    /// "On Start".
    pub initialize: String,
    /// "On Stop".
    pub finalize: String,
    /// Seconds that a piece of code may run; 0 for the engine's own limit.
    pub timeout_s: f64,
    /// Further variables of the sandbox, such as the values of libraries.
    pub globals: Vec<(String, Value)>,
    /// Something listens to the node's completion: [`Completion::Done`] and [`Host::done`] carry the message.
    pub keep_message: bool,
}

/// How a call ended.
#[derive(Debug, Clone)]
pub enum Completion {
    /// The code has returned and what it returned has been sent; the node calls its `done()` now.
    Done(Option<Msg>),
    /// It ends later, through [`Host::done`] or [`Host::fail`] ([`Host::setup_done`] for a setup); or the body calls
    /// `node.done()` itself, which then has happened already or will happen.
    Pending,
    /// It threw; the node calls its `done(err)`.
    Failed(JsError),
}

/// A compiled function node. Cheap to clone: clones are the same function. Closes when the last one goes.
#[derive(Clone)]
pub struct Function {
    state: Rc<State>,
}

struct State {
    owner: Rc<Owner>,
    ctx: Ctx,
    realm: Rc<Realm>,
    traits: Traits,
    body: JSValue,
    setup: Option<JSValue>,
    close: Option<JSValue>,
    closed: Cell<bool>,
}

impl Function {
    pub(crate) fn new(
        owner: Rc<Owner>,
        source: &FunctionSource,
        host: Rc<dyn Host>,
    ) -> Result<Function, CompileError> {
        let inner = owner.inner();
        let no_memory =
            || failure::broken(Phase::Body, "Error", "JavaScript heap out of memory", None);
        let _entered = inner.enter();
        // SAFETY: the runtime is live.
        let context = unsafe { qjs::JS_NewContext(inner.runtime) };
        if context.is_null() {
            return Err(no_memory());
        }
        // SAFETY: the context is freed in `State::drop`, after everything made from it.
        let ctx = unsafe { Ctx::from_raw(context) };
        let traits = scan::scan(&source.func);
        let info = Info::new(source, inner, traits);
        let Ok(realm) = Realm::attach(ctx, inner, info, host) else {
            // SAFETY: nothing else holds the context.
            unsafe { qjs::JS_FreeContext(context) };
            return Err(no_memory());
        };
        let undefined = qjs::JS_UNDEFINED;
        let mut state = State {
            owner: owner.clone(),
            ctx,
            realm,
            traits,
            body: undefined,
            setup: None,
            close: None,
            closed: Cell::new(false),
        };
        state
            .furnish(source)
            .map_err(|_| failure::compile(ctx, Phase::Body, ""))?;
        state.compile(source)?;
        Ok(Function {
            state: Rc::new(state),
        })
    }

    /// Runs "On Start". `Done`: the node is ready for messages; `Pending`: it is when [`Host::setup_done`] says so; `Failed`:
    /// it never is.
    pub fn setup(&self) -> Completion {
        self.state.run_setup()
    }

    /// Runs "On Message". What it returns has been sent when this returns [`Completion::Done`].
    pub fn call(&self, msg: Msg, call: CallId) -> Completion {
        self.state.call(msg, call)
    }

    /// Runs a timer that is due; one that was cleared in the meantime is ignored.
    pub fn fire_timer(&self, id: u32) {
        let state = &*self.state;
        state.enter(|inner| timers::fire(state.ctx, inner, &state.realm, id));
    }

    /// Answers [`Host::link_call`].
    pub fn link_reply(&self, request: u32, reply: Result<Msg, ErrorValue>) {
        let state = &*self.state;
        state.enter(|inner| {
            if node::settle_link(state.ctx, inner, &state.realm, request, reply).is_err() {
                state.raise_pending(inner);
            }
        });
    }

    /// The node has set a status by other means than its code in the engine: it is cleared on close likewise.
    pub fn has_status(&self) {
        self.state.realm.status_set.set(true);
    }

    /// Runs "On Stop", clears timers and status, then calls the body's `close` listeners. False: one of them is asynchronous
    /// and [`Host::close_done`] follows. Calling it again does nothing.
    pub fn close(&self, removed: bool) -> bool {
        self.state.close_node(removed)
    }
}

/// How many lines of white space stand in front of a text.
fn skipped(text: &str) -> u32 {
    let white = &text[..text.len() - text.trim_start().len()];
    white.matches('\n').count() as u32
}

impl Info {
    fn new(source: &FunctionSource, inner: &Inner, traits: Traits) -> Info {
        let own = source.timeout_s * 1000.0;
        Info {
            id: source.id.clone(),
            name: source.name.clone(),
            path: source.path.clone(),
            output_count: source.output_count,
            limit_ms: if own > 0.0 {
                own as u64
            } else {
                inner.limits.call_ms
            },
            keep_message: source.keep_message,
            handles_done: traits.handles_done,
            skipped: [skipped(&source.initialize), 0, skipped(&source.finalize)],
            texts: [
                source.initialize.trim().to_owned(),
                source.func.clone(),
                source.finalize.trim().to_owned(),
            ],
        }
    }
}

impl State {
    /// Gives a new context its sandbox.
    fn furnish(&self, source: &FunctionSource) -> JsResult<()> {
        let (ctx, inner, realm) = (self.ctx, self.owner.inner(), &self.realm);
        // SAFETY: the class is registered; the context takes over the prototype's count.
        unsafe {
            let prototype = inner.root().check(qjs::JS_GetClassProto(
                inner.root().raw(),
                inner.classes().object,
            ))?;
            qjs::JS_SetClassProto(ctx.raw(), inner.message_class(), prototype.into_raw());
        }
        let native = crate::native::helpers(ctx)?;
        realm.kept.borrow_mut().native = Some(native.clone());
        let stack = inner.libs.load(ctx, Lib::Stack)?;
        ctx.call(stack.raw(), qjs::JS_UNDEFINED, &[native.raw()])?;
        let core = inner.libs.load(ctx, Lib::Core)?;
        let parts = ctx.call(core.raw(), qjs::JS_UNDEFINED, &[native.raw()])?;
        let part = |name| ctx.get_named(parts.raw(), name);
        let (spread, detach) = (part(c"spread")?, part(c"detachNode")?);
        let prototypes = [Phase::Setup, Phase::Body, Phase::Close]
            .map(|phase| node::prototype(ctx, realm, phase));
        let [setup, body, close] = prototypes;
        let prototypes = [Some(setup?), Some(body?), Some(close?)];
        let mut kept = realm.kept.borrow_mut();
        kept.spread = Some(spread);
        kept.detach_node = Some(detach);
        kept.node_prototypes = prototypes;
        drop(kept);
        let global = ctx.global();
        for (name, value) in &source.globals {
            let value = import(ctx, inner, value)?;
            let atom = ctx.atom(name)?;
            ctx.define(global.raw(), atom.raw(), value)?;
        }
        Ok(())
    }

    fn compile(&mut self, source: &FunctionSource) -> Result<(), CompileError> {
        let [setup, body, close] = &self.realm.info.texts;
        let texts = [
            (
                Phase::Setup,
                setup.as_str(),
                "async function(node)",
                !setup.is_empty(),
            ),
            (
                Phase::Body,
                body.as_str(),
                if self.traits.awaits {
                    "async function(msg,node)"
                } else {
                    "function(msg,node)"
                },
                true,
            ),
            (
                Phase::Close,
                close.as_str(),
                "function(node)",
                !close.is_empty(),
            ),
        ];
        let mut compiled = Vec::with_capacity(3);
        for (at, (phase, text, head, present)) in texts.into_iter().enumerate() {
            compiled.push(if present {
                let function = compile_text(self.ctx, source, phase, head, text);
                Some(function.map_err(|error| error.moved(self.realm.info.skipped[at]))?)
            } else {
                None
            });
        }
        let mut compiled = compiled
            .into_iter()
            .map(|function| function.map(Val::into_raw));
        self.setup = compiled.next().flatten();
        self.body = compiled.next().flatten().unwrap_or(qjs::JS_UNDEFINED);
        self.close = compiled.next().flatten();
        Ok(())
    }

    /// Runs something in the engine: with this node's time limit, and then the promise jobs it left.
    fn enter<R>(&self, run: impl FnOnce(&Inner) -> R) -> R {
        let inner = self.owner.inner();
        let entered = inner.enter();
        let outer = inner.watch.begin(self.realm.info.limit_ms);
        let around = inner.set_current(Rc::as_ptr(&self.realm));
        let result = run(inner);
        if entered.outermost {
            self.settle(inner);
        }
        inner.set_current(around);
        inner.watch.end(outer);
        result
    }

    /// After code has run: promise jobs, unheard rejections, changed context objects, forgotten functions.
    fn settle(&self, inner: &Inner) {
        // SAFETY: the runtime is live.
        if unsafe { qjs::JS_IsJobPending(inner.runtime) } {
            drain(inner);
        }
        if !inner.rejections.borrow().is_empty() {
            report_rejections(inner);
        }
        let keep = self.realm.expects_code();
        if write_back(self.ctx, inner, &self.realm, keep).is_err() {
            self.raise_pending(inner);
        }
        inner.refs.sweep(inner.runtime);
    }

    /// Raises the pending exception at the node.
    fn raise_pending(&self, inner: &Inner) {
        raise(self.ctx, inner, &self.realm);
    }

    fn run_setup(&self) -> Completion {
        let Some(setup) = self.setup else {
            return Completion::Done(None);
        };
        *self.realm.running.borrow_mut() = Some(Running {
            call: 0,
            result: None,
        });
        self.enter(|inner| {
            let promise = self
                .node_object(inner, CallState::setup())
                .and_then(|node| {
                    let promise = self.ctx.call(setup, qjs::JS_UNDEFINED, &[node.raw()])?;
                    self.follow(&node, promise.raw())
                });
            if promise.is_err() {
                self.fail_running(inner, None);
            }
        });
        self.take_running().unwrap_or(Completion::Pending)
    }

    fn call(&self, msg: Msg, call: CallId) -> Completion {
        self.enter(|inner| self.call_inside(inner, msg, call))
    }

    fn call_inside(&self, inner: &Inner, msg: Msg, call: CallId) -> Completion {
        let ctx = self.ctx;
        let Value::Object(object) = msg.into_value() else {
            return Completion::Done(None);
        };
        let msg = match message::wrap(ctx, inner, object, None) {
            Ok(msg) => msg,
            Err(_) => return failed(failure::pending(ctx, inner, None)),
        };
        match self.run_body(inner, &msg, call) {
            Ok(completion) => completion,
            Err(_) => failed(failure::pending(ctx, inner, Some(msg.raw()))),
        }
    }

    fn run_body(&self, inner: &Inner, msg: &Val, call: CallId) -> JsResult<Completion> {
        let ctx = self.ctx;
        let node = match self.traits.node {
            NodeUse::Never if !self.traits.awaits => None,
            _ => {
                let msgid = message::peek(ctx, inner, msg.raw(), inner.names.msgid)?;
                Some(self.node_object(
                    inner,
                    CallState {
                        call,
                        phase: Phase::Body,
                        msgid,
                        msg: msg.raw(),
                    },
                )?)
            }
        };
        let argument = match (&node, self.traits.node) {
            (Some(node), NodeUse::Detached) => Some(self.detached(node)?),
            _ => None,
        };
        let given = argument
            .as_ref()
            .or(node.as_ref())
            .map_or(qjs::JS_UNDEFINED, Val::raw);
        let result = ctx.call(self.body, qjs::JS_UNDEFINED, &[msg.raw(), given])?;
        // SAFETY: the runtime is live.
        let jobs = unsafe { qjs::JS_IsJobPending(inner.runtime) };
        if !jobs && !self.traits.awaits && !is_thenable(ctx, inner, result.raw())? {
            return self.finish(inner, call, msg.raw(), result.raw());
        }
        self.run_later(inner, msg, call, node, result)
    }

    /// The body returned a promise, or left promise jobs that come first.
    fn run_later(
        &self,
        inner: &Inner,
        msg: &Val,
        call: CallId,
        node: Option<Val>,
        result: Val,
    ) -> JsResult<Completion> {
        let ctx = self.ctx;
        let node = match node {
            Some(node) => node,
            None => {
                let msgid = message::peek(ctx, inner, msg.raw(), inner.names.msgid)?;
                self.node_object(
                    inner,
                    CallState {
                        call,
                        phase: Phase::Body,
                        msgid,
                        msg: msg.raw(),
                    },
                )?
            }
        };
        let outer = self
            .realm
            .running
            .borrow_mut()
            .replace(Running { call, result: None });
        let promise = match is_promise(result.raw()) {
            true => result,
            false => resolved(ctx, result.raw())?,
        };
        let followed = self.follow(&node, promise.raw());
        if followed.is_ok() && inner.is_outermost() {
            drain(inner);
        }
        let running = std::mem::replace(&mut *self.realm.running.borrow_mut(), outer);
        followed?;
        Ok(running
            .and_then(|running| running.result)
            .unwrap_or_else(|| {
                self.realm.waiting.set(self.realm.waiting.get() + 1);
                Completion::Pending
            }))
    }

    fn node_object(&self, inner: &Inner, state: CallState) -> JsResult<Val> {
        let at = match state.phase {
            Phase::Setup => 0,
            Phase::Body => 1,
            Phase::Close => 2,
        };
        let prototype = self.realm.kept.borrow().node_prototypes[at].clone();
        let prototype =
            prototype.ok_or_else(|| self.ctx.throw_error("The node has been closed"))?;
        node::create(self.ctx, inner, prototype.raw(), state)
    }

    fn detached(&self, node: &Val) -> JsResult<Val> {
        let detach = self.realm.kept.borrow().detach_node.clone();
        let detach = detach.ok_or_else(|| self.ctx.throw_error("The node has been closed"))?;
        self.ctx
            .call(detach.raw(), qjs::JS_UNDEFINED, &[node.raw()])
    }

    /// Sends what a body returned and says how the call ended.
    fn finish(
        &self,
        inner: &Inner,
        call: CallId,
        msg: JSValue,
        result: JSValue,
    ) -> JsResult<Completion> {
        finish(self.ctx, inner, &self.realm, call, msg, result)
    }

    /// Listens to a promise for the call of a `node` object.
    fn follow(&self, node: &Val, promise: JSValue) -> JsResult<()> {
        let ctx = self.ctx;
        let handler = |magic| {
            let [home, keeper] = home_data(ctx, self.body);
            let mut data = [home, keeper, node.raw()];
            // SAFETY: QuickJS counts the data it keeps and calls `settled` with it.
            ctx.check(unsafe {
                qjs::JS_NewCFunctionData(ctx.raw(), Some(settled), 1, magic, 3, data.as_mut_ptr())
            })
        };
        let (fulfilled, rejected) = (handler(FULFILLED)?, handler(REJECTED)?);
        let then = ctx.get(promise, self.owner.inner().names.then)?;
        ctx.call(then.raw(), promise, &[fulfilled.raw(), rejected.raw()])
            .map(drop)
    }

    fn take_running(&self) -> Option<Completion> {
        self.realm
            .running
            .borrow_mut()
            .take()
            .and_then(|running| running.result)
    }

    fn fail_running(&self, inner: &Inner, msg: Option<JSValue>) {
        let completion = failed(failure::pending(self.ctx, inner, msg));
        if let Some(running) = self.realm.running.borrow_mut().as_mut() {
            running.result = Some(completion);
        }
    }

    fn close_node(&self, removed: bool) -> bool {
        if self.closed.replace(true) {
            return true;
        }
        self.enter(|inner| {
            if let Some(close) = self.close {
                let result = self
                    .node_object(
                        inner,
                        CallState {
                            call: 0,
                            phase: Phase::Close,
                            msgid: Value::Undefined,
                            msg: qjs::JS_UNDEFINED,
                        },
                    )
                    .and_then(|node| self.ctx.call(close, qjs::JS_UNDEFINED, &[node.raw()]));
                if result.is_err() {
                    self.raise_pending(inner);
                }
            }
            self.clear_timers(inner);
            if self.realm.status_set.get()
                && let Some(host) = self.realm.host_if_open()
            {
                host.status(Value::Object(Object::new()));
            }
            self.call_close_listeners(inner, removed);
        });
        let done = self.realm.closing.get() == 0;
        if done {
            self.realm.close();
        } else {
            self.realm.told_closing.set(true);
        }
        done
    }

    fn clear_timers(&self, inner: &Inner) {
        let timers = std::mem::take(&mut *self.realm.timers.borrow_mut());
        for id in timers.keys() {
            inner.timers.borrow_mut().remove(id);
            if let Some(host) = self.realm.host_if_open() {
                host.clear_timer(*id);
            }
        }
        drop(timers);
    }

    fn call_close_listeners(&self, inner: &Inner, removed: bool) {
        let ctx = self.ctx;
        loop {
            let listener = self.realm.kept.borrow_mut().close_listeners.pop_front();
            let Some(listener) = listener else { return };
            let result = ctx.get_named(listener.raw(), c"length").and_then(|length| {
                let count = ctx.number_of(length.raw())? as usize;
                if count == 0 {
                    return ctx.call(listener.raw(), qjs::JS_UNDEFINED, &[]);
                }
                self.realm.closing.set(self.realm.closing.get() + 1);
                let mut data = home_data(ctx, self.body);
                // SAFETY: QuickJS counts the data it keeps and calls `closed` with it.
                let done = ctx.check(unsafe {
                    qjs::JS_NewCFunctionData(ctx.raw(), Some(closed), 0, 0, 2, data.as_mut_ptr())
                })?;
                let removed = raw::boolean(removed);
                let args: &[JSValue] = if count == 1 {
                    &[done.raw()]
                } else {
                    &[removed, done.raw()]
                };
                ctx.call(listener.raw(), qjs::JS_UNDEFINED, args)
            });
            if result.is_err() {
                self.raise_pending(inner);
            }
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        let inner = self.owner.inner();
        if !self.closed.get() {
            let timers = std::mem::take(&mut *self.realm.timers.borrow_mut());
            for id in timers.keys() {
                inner.timers.borrow_mut().remove(id);
            }
            drop(timers);
        }
        let rejections = std::mem::take(&mut *inner.rejections.borrow_mut());
        drop(rejections);
        self.realm.close();
        for function in [Some(self.body), self.setup, self.close]
            .into_iter()
            .flatten()
        {
            drop(self.ctx.own(function));
        }
        // SAFETY: this state owned the context; what other contexts hold of it keeps it alive by its own count.
        unsafe { qjs::JS_FreeContext(self.ctx.raw()) }
    }
}

impl CallState {
    fn setup() -> CallState {
        CallState {
            call: 0,
            phase: Phase::Setup,
            msgid: Value::Undefined,
            msg: qjs::JS_UNDEFINED,
        }
    }
}

fn compile_text(
    ctx: Ctx,
    source: &FunctionSource,
    phase: Phase,
    head: &str,
    text: &str,
) -> Result<Val, CompileError> {
    // The semicolon keeps a leading "use strict" from being a directive, as it is none behind Node-RED's own wrapper.
    let code = format!("({head}{{;\n{text}\n}})");
    let file = failure::file_name(phase, &source.id, &source.name).replace('\0', " ");
    let file = CString::new(file).unwrap_or_default();
    match ctx.eval(&code, &file, 1, 0) {
        Ok(function) if ctx.is_function(function.raw()) => Ok(function),
        Ok(_) => Err(failure::broken(
            phase,
            "SyntaxError",
            "Unexpected token '}'",
            None,
        )),
        Err(_) => Err(failure::compile(ctx, phase, text)),
    }
}

fn failed(error: Option<JsError>) -> Completion {
    error.map_or(Completion::Done(None), Completion::Failed)
}

fn is_promise(value: JSValue) -> bool {
    // SAFETY: the value is live.
    unsafe { qjs::JS_IsPromise(value) }
}

/// True for what an asynchronous function would wait for when it is returned.
fn is_thenable(ctx: Ctx, inner: &Inner, value: JSValue) -> JsResult<bool> {
    if !raw::is_object(value) {
        return Ok(false);
    }
    if message::is_message(inner, value) {
        // Messages hold data; only a body's own function could be there.
        return Ok(message::has_own_function(
            ctx,
            inner,
            value,
            inner.names.then,
        ));
    }
    let then = ctx.get(value, inner.names.then)?;
    Ok(ctx.is_function(then.raw()))
}

/// A promise that resolves with this value (and adopts it when it is a thenable).
fn resolved(ctx: Ctx, value: JSValue) -> JsResult<Val> {
    let mut functions = [qjs::JS_UNDEFINED; 2];
    // SAFETY: QuickJS fills two owned functions when it succeeds.
    let promise =
        ctx.check(unsafe { qjs::JS_NewPromiseCapability(ctx.raw(), functions.as_mut_ptr()) })?;
    let [resolve, reject] = functions.map(|function| ctx.own(function));
    drop(reject);
    ctx.call(resolve.raw(), qjs::JS_UNDEFINED, &[value])?;
    Ok(promise)
}

fn finish(
    ctx: Ctx,
    inner: &Inner,
    realm: &Realm,
    call: CallId,
    msg: JSValue,
    result: JSValue,
) -> JsResult<Completion> {
    if !raw::is_nullish(result) {
        let id = message::peek(ctx, inner, msg, inner.names.msgid)?;
        node::send_results(ctx, inner, realm, call, &id, result, false)?;
    }
    if realm.info.handles_done {
        return Ok(Completion::Pending);
    }
    Ok(Completion::Done(match realm.info.keep_message {
        true => Some(node::to_message(export(ctx, inner, msg, None)?)),
        false => None,
    }))
}

const FULFILLED: i32 = 0;
const REJECTED: i32 = 1;

/// The context that a callback was made in, as its first two data: QuickJS calls functions with data in the context of
/// whoever calls, which is the engine's root where a method of an imported value called an asynchronous function. The second
/// is a function of that context, which keeps it alive.
fn home_data(ctx: Ctx, body: JSValue) -> [JSValue; 2] {
    // (addresses of user space have at most 47 bits)
    [raw::number(ctx.raw().addr() as f64), body]
}

/// The context that [`home_data`] wrote down.
///
/// # Safety
/// `data` are those of a live function that was made with [`home_data`] at their beginning.
unsafe fn home(ctx: *mut qjs::JSContext, data: *const JSValue) -> Ctx {
    // SAFETY: the caller's; the number is the address of a context which the datum beside it keeps alive, and contexts are
    // all made by the same library as the one at hand.
    unsafe {
        let mut address = 0.0;
        qjs::JS_ToFloat64(ctx, &mut address, *data);
        Ctx::from_raw(ctx.with_addr(address as usize))
    }
}

/// A followed promise has settled.
unsafe extern "C" fn settled(
    ctx: *mut qjs::JSContext,
    _this: JSValue,
    argc: i32,
    argv: *mut JSValue,
    magic: i32,
    data: *mut JSValue,
) -> JSValue {
    // SAFETY: QuickJS calls with a live context, `argc` arguments and the three data that `follow` gave.
    let (ctx, value, node) = unsafe {
        (
            home(ctx, data),
            if argc > 0 { *argv } else { qjs::JS_UNDEFINED },
            *data.add(2),
        )
    };
    let inner = Inner::of(ctx);
    let run = std::panic::AssertUnwindSafe(|| complete(ctx, inner, node, value, magic == REJECTED));
    if std::panic::catch_unwind(run).is_err() {
        ctx.throw_error("internal error when a call ended");
        return qjs::JS_EXCEPTION;
    }
    qjs::JS_UNDEFINED
}

/// Ends the call (or setup) of a `node` object.
fn complete(ctx: Ctx, inner: &Inner, node: JSValue, value: JSValue, rejected: bool) {
    let Some(state) = node::state(inner, node) else {
        return;
    };
    let realm = Realm::of(ctx);
    let msg = state.message(ctx);
    let subject = (state.phase == Phase::Body).then(|| msg.raw());
    let completion = if rejected {
        failed(failure::thrown(ctx, inner, value, subject))
    } else if let Some(msg) = subject {
        finish(ctx, inner, &realm, state.call, msg, value)
            .unwrap_or_else(|_| failed(failure::pending(ctx, inner, Some(msg))))
    } else {
        Completion::Done(None)
    };
    report(&realm, state.phase, state.call, completion);
}

/// Gives a completion to the call that still waits for it, else to the host.
fn report(realm: &Realm, phase: Phase, call: CallId, completion: Completion) {
    if let Some(running) = realm
        .running
        .borrow_mut()
        .as_mut()
        .filter(|running| running.call == call && running.result.is_none())
    {
        running.result = Some(completion);
        return;
    }
    if phase == Phase::Body {
        realm.waiting.set(realm.waiting.get().saturating_sub(1));
    }
    let Some(host) = realm.host_if_open() else {
        return;
    };
    match (phase, completion) {
        (Phase::Body, Completion::Done(msg)) => host.done(call, msg),
        (Phase::Body, Completion::Failed(error)) => host.fail(call, error),
        (Phase::Body, Completion::Pending) => {}
        (_, Completion::Failed(error)) => host.setup_done(Err(error)),
        (_, _) => host.setup_done(Ok(())),
    }
}

/// An asynchronous close listener has called back.
unsafe extern "C" fn closed(
    ctx: *mut qjs::JSContext,
    _this: JSValue,
    _argc: i32,
    _argv: *mut JSValue,
    _magic: i32,
    data: *mut JSValue,
) -> JSValue {
    // SAFETY: QuickJS calls with a live context and the data that `call_close_listeners` gave.
    let realm = Realm::of(unsafe { home(ctx, data) });
    let left = realm.closing.get().saturating_sub(1);
    realm.closing.set(left);
    if left == 0
        && realm.told_closing.get()
        && let Some(host) = realm.host_if_open()
    {
        host.close_done();
    }
    qjs::JS_UNDEFINED
}

/// Runs promise jobs until there are none. What a job throws beyond its promise (it was stopped) is raised at its node.
fn drain(inner: &Inner) {
    loop {
        let mut context = std::ptr::null_mut();
        // SAFETY: the runtime is live; QuickJS gives the context of the job that ran.
        let result = unsafe { qjs::JS_ExecutePendingJob(inner.runtime, &mut context) };
        if result == 0 {
            return;
        }
        if result < 0 && !context.is_null() {
            // SAFETY: QuickJS gave a live context.
            let ctx = unsafe { Ctx::from_raw(context) };
            raise(ctx, inner, &Realm::of(ctx));
        }
    }
}

/// Raises the pending exception: at the call that is running, else at the node.
fn raise(ctx: Ctx, inner: &Inner, realm: &Realm) {
    let Some(error) = failure::pending(ctx, inner, None) else {
        return;
    };
    if let Some(running) = realm
        .running
        .borrow_mut()
        .as_mut()
        .filter(|running| running.result.is_none())
    {
        running.result = Some(Completion::Failed(error));
        return;
    }
    if let Some(host) = realm.host_if_open() {
        host.error(error.value, None);
    }
}

/// Promises that were rejected with nobody to hear it are errors of their node.
fn report_rejections(inner: &Inner) {
    let rejections = std::mem::take(&mut *inner.rejections.borrow_mut());
    for rejection in rejections {
        let ctx = rejection.reason.ctx();
        let realm = Realm::of(ctx);
        if let Some(error) = failure::thrown(ctx, inner, rejection.reason.raw(), None)
            && let Some(host) = realm.host_if_open()
        {
            host.error(error.value, None);
        }
    }
}
