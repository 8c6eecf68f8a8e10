//! The `node` object of a body: its messages, errors, logs and status.
//!
//! One small object a handled message carries the call's number and `_msgid`; its methods stand on a prototype, so that a call
//! creates no closures. Bodies that take methods off (`const {send} = node`) are given a detached copy with bound functions.

use vgdc_value::{Msg, Object, Value, generate_id};

use super::{Call, Entry};
use crate::engine::Inner;
use crate::error::Phase;
use crate::export::{bytes, export};
use crate::failure;
use crate::host::{CallId, LogLevel};
use crate::import::{import, import_error};
use crate::message;
use crate::raw::{self, Ctx, JSValue, JsResult, Val, qjs};
use crate::realm::Realm;

/// The methods, by the places that [`prototype`] uses.
pub(super) const METHODS: &[Entry] = &[
    ("log", 1, |call| log(call, LogLevel::Info)),
    ("warn", 1, |call| log(call, LogLevel::Warn)),
    ("debug", 1, |call| log(call, LogLevel::Debug)),
    ("trace", 1, |call| log(call, LogLevel::Trace)),
    ("error", 2, error),
    ("status", 1, status),
    ("send", 2, send),
    ("done", 1, done),
    ("on", 2, on),
    ("linkcall", 3, link_call),
    ("send", 2, send_on_close),
];
const SEND: usize = 6;
const SEND_ON_CLOSE: usize = 10;

/// Which message a `node` object belongs to.
pub(crate) struct NodeCall {
    pub(crate) call: CallId,
    pub(crate) phase: Phase,
    /// The `_msgid` that sent messages are given.
    msgid: Value,
    /// The message object, for `node.done`. Counted.
    msg: JSValue,
}

/// Registers the class with a new runtime.
pub(crate) fn register(runtime: *mut qjs::JSRuntime) -> Option<qjs::JSClassID> {
    let mut class = 0;
    let definition = qjs::JSClassDef {
        class_name: c"Object".as_ptr(),
        finalizer: Some(finalizer),
        gc_mark: Some(mark),
        call: None,
        exotic: std::ptr::null_mut(),
    };
    // SAFETY: the runtime is live, the definition is copied.
    unsafe {
        qjs::JS_NewClassID(runtime, &mut class);
        (qjs::JS_NewClass(runtime, class, &definition) == 0).then_some(class)
    }
}

unsafe extern "C" fn finalizer(runtime: *mut qjs::JSRuntime, object: JSValue) {
    // SAFETY: the runtime's opaque pointer is its engine.
    let class = unsafe { Inner::of_runtime(runtime) }.node_class;
    // SAFETY: the object owns its `Box<NodeCall>`; this is its end, and that of the counted message.
    unsafe {
        let state = qjs::JS_GetOpaque(object, class).cast::<NodeCall>();
        if !state.is_null() {
            let state = Box::from_raw(state);
            qjs::JS_FreeValueRT(runtime, state.msg);
        }
    }
}

unsafe extern "C" fn mark(runtime: *mut qjs::JSRuntime, object: JSValue, mark: qjs::JS_MarkFunc) {
    // SAFETY: the runtime's opaque pointer is its engine; the object's is null or its `NodeCall`, whose message is live.
    unsafe {
        let class = Inner::of_runtime(runtime).node_class;
        if let Some(state) = qjs::JS_GetOpaque(object, class).cast::<NodeCall>().as_ref() {
            qjs::JS_MarkValue(runtime, state.msg, mark);
        }
    }
}

/// The prototype of `node` objects in one of the three texts.
pub(crate) fn prototype(ctx: Ctx, realm: &Realm, phase: Phase) -> JsResult<Val> {
    let object = ctx.object()?;
    let info = &realm.info;
    let texts = [("id", &info.id), ("name", &info.name), ("path", &info.path)];
    for (name, text) in texts {
        let (atom, text) = (ctx.atom(name)?, ctx.string(text)?);
        ctx.define(object.raw(), atom.raw(), text)?;
    }
    let count = ctx.atom("outputCount")?;
    ctx.define(
        object.raw(),
        count.raw(),
        ctx.own(raw::number(info.output_count as f64)),
    )?;
    let methods = match phase {
        Phase::Body => 0..SEND_ON_CLOSE,
        Phase::Setup | Phase::Close => 0..SEND,
    };
    for at in methods {
        super::define_method(ctx, object.raw(), at)?;
    }
    match phase {
        Phase::Body => {}
        Phase::Setup => super::define_method(ctx, object.raw(), SEND)?,
        Phase::Close => super::define_method(ctx, object.raw(), SEND_ON_CLOSE)?,
    }
    Ok(object)
}

/// A `node` object for one call.
pub(crate) fn create(
    ctx: Ctx,
    inner: &Inner,
    prototype: JSValue,
    state: CallState,
) -> JsResult<Val> {
    // SAFETY: class and prototype are live.
    let object =
        ctx.check(unsafe { qjs::JS_NewObjectProtoClass(ctx.raw(), prototype, inner.node_class) })?;
    let state = Box::new(NodeCall {
        call: state.call,
        phase: state.phase,
        msgid: state.msgid,
        msg: ctx.dup(state.msg).into_raw(),
    });
    // SAFETY: the object is of our class and owns the box until its finalizer.
    unsafe { qjs::JS_SetOpaque(object.raw(), Box::into_raw(state).cast()) };
    Ok(object)
}

/// What a `node` object is made for; `msg` is borrowed.
pub(crate) struct CallState {
    pub(crate) call: CallId,
    pub(crate) phase: Phase,
    pub(crate) msgid: Value,
    pub(crate) msg: JSValue,
}

/// The state of a `node` object; None for anything else.
pub(crate) fn state<'a>(inner: &Inner, object: JSValue) -> Option<&'a NodeCall> {
    // SAFETY: JS_GetOpaque checks the class; the box lives as long as the object, which the caller keeps alive.
    unsafe {
        qjs::JS_GetOpaque(object, inner.node_class)
            .cast::<NodeCall>()
            .as_ref()
    }
}

impl NodeCall {
    /// The message object, counted for the caller.
    pub(crate) fn message(&self, ctx: Ctx) -> Val {
        ctx.dup(self.msg)
    }
}

fn this<'a>(call: &Call<'_>) -> JsResult<&'a NodeCall> {
    state(call.inner, call.this)
        .ok_or_else(|| call.ctx.throw_named(c"TypeError", "Illegal invocation"))
}

fn log(call: &Call<'_>, level: LogLevel) -> JsResult<Val> {
    let host = call.realm().host(call.ctx)?;
    host.log(level, export(call.ctx, call.inner, call.arg(0), None)?);
    Ok(call.ctx.undefined())
}

fn error(call: &Call<'_>) -> JsResult<Val> {
    let host = call.realm().host(call.ctx)?;
    let value = export(call.ctx, call.inner, call.arg(0), None)?;
    let msg = call.arg(1);
    let msg = match raw::is_object(msg) && !call.ctx.is_function(msg) {
        true => Some(export(call.ctx, call.inner, msg, None)?),
        false => None,
    };
    host.error(value, msg);
    Ok(call.ctx.undefined())
}

fn status(call: &Call<'_>) -> JsResult<Val> {
    let realm = call.realm();
    let host = realm.host(call.ctx)?;
    realm.status_set.set(true);
    let status = export(call.ctx, call.inner, call.arg(0), None)?;
    host.status(match status {
        // A text, a number or a truth is short for an object with it as its text.
        Value::Str(_) | Value::Number(_) | Value::Bool(_) => {
            let mut object = Object::new();
            object.insert("text", status.to_str());
            Value::Object(object)
        }
        status => status,
    });
    Ok(call.ctx.undefined())
}

fn send(call: &Call<'_>) -> JsResult<Val> {
    let this = this(call)?;
    let realm = call.realm();
    let clone = raw::tag(call.arg(1)) != qjs::JS_TAG_BOOL || call.ctx.truthy(call.arg(1));
    let (number, id) = match this.phase {
        Phase::Body => (this.call, this.msgid.clone()),
        Phase::Setup | Phase::Close => (this.call, Value::from(generate_id())),
    };
    send_results(
        call.ctx,
        call.inner,
        &realm,
        number,
        &id,
        call.arg(0),
        clone,
    )?;
    Ok(call.ctx.undefined())
}

fn send_on_close(call: &Call<'_>) -> JsResult<Val> {
    call.realm()
        .host(call.ctx)?
        .error(Value::from("Cannot send from close function"), None);
    Ok(call.ctx.undefined())
}

fn done(call: &Call<'_>) -> JsResult<Val> {
    let (ctx, this) = (call.ctx, this(call)?);
    let realm = call.realm();
    let host = realm.host(ctx)?;
    let msg = this.message(ctx);
    if call.ctx.truthy(call.arg(0)) {
        let error = failure::from_done(ctx, call.inner, call.arg(0), msg.raw())?;
        host.fail(this.call, error);
    } else {
        let msg = match realm.info.keep_message {
            true => Some(to_message(export(ctx, call.inner, msg.raw(), None)?)),
            false => None,
        };
        host.done(this.call, msg);
    }
    Ok(ctx.undefined())
}

fn on(call: &Call<'_>) -> JsResult<Val> {
    let ctx = call.ctx;
    let event = call.text(0)?;
    match event.as_str() {
        "input" => Err(ctx.throw_error("Cannot add listener to 'input' event within Function")),
        "close" if ctx.is_function(call.arg(1)) => {
            call.realm()
                .kept
                .borrow_mut()
                .close_listeners
                .push_back(ctx.dup(call.arg(1)));
            Ok(ctx.undefined())
        }
        // A function node emits no other events that its code could wait for.
        _ => Ok(ctx.undefined()),
    }
}

fn link_call(call: &Call<'_>) -> JsResult<Val> {
    let ctx = call.ctx;
    let mut functions = [qjs::JS_UNDEFINED; 2];
    // SAFETY: QuickJS fills two owned functions when it succeeds.
    let promise =
        ctx.check(unsafe { qjs::JS_NewPromiseCapability(ctx.raw(), functions.as_mut_ptr()) })?;
    let [resolve, reject] = functions.map(|function| ctx.own(function));
    match begin_link_call(call)? {
        Ok(request) => {
            call.realm()
                .kept
                .borrow_mut()
                .links
                .insert(request, (resolve, reject));
        }
        Err(error) => {
            let error = import_error(ctx, call.inner, &error)?;
            ctx.call(reject.raw(), qjs::JS_UNDEFINED, &[error.raw()])?;
        }
    }
    Ok(promise)
}

/// The number of the request, or why the promise rejects.
fn begin_link_call(call: &Call<'_>) -> JsResult<Result<u32, vgdc_value::ErrorValue>> {
    let (ctx, target, msg, options) = (call.ctx, call.arg(0), call.arg(1), call.arg(2));
    let refuse = |message| Ok(Err(crate::error::plain_error(message)));
    if !raw::is_string(target) || ctx.with_text(target, |text| text.trim().is_empty())? {
        return refuse("Error link call target parameter is not valid, expected a string");
    }
    if !raw::is_object(msg) || ctx.is_function(msg) {
        return refuse("Error link call msg parameter is not valid, expected an object");
    }
    let timeout = match raw::is_object(options) {
        true => ctx.number_of(ctx.get_named(options, c"timeout")?.raw())?,
        false => 0.0,
    };
    let timeout = if timeout.is_nan() || timeout == 0.0 {
        5000.0
    } else {
        timeout
    };
    let realm = call.realm();
    let host = realm.host(ctx)?;
    let request = realm.next_link.get();
    realm.next_link.set(request.wrapping_add(1).max(1));
    let msg = to_message(export(ctx, call.inner, msg, None)?);
    Ok(host
        .link_call(request, &ctx.text(target)?, msg, timeout)
        .map(|()| request))
}

/// A message out of what a body treats as one.
pub(crate) fn to_message(value: Value) -> Msg {
    match value {
        Value::Object(object) => Msg::from(object),
        Value::Handle(handle) => Msg::from(handle.props().as_object().cloned().unwrap_or_default()),
        _ => Msg::from(Object::new()),
    }
}

/// Node-RED's way from what a body returned or sent to messages an output.
pub(crate) fn send_results(
    ctx: Ctx,
    inner: &Inner,
    realm: &Realm,
    call: CallId,
    id: &Value,
    messages: JSValue,
    clone: bool,
) -> JsResult<()> {
    if raw::is_nullish(messages) {
        return Ok(());
    }
    let Some(host) = realm.host_if_open() else {
        return Ok(());
    };
    let mut sender = Sender {
        ctx,
        inner,
        id,
        refused: Vec::new(),
        count: 0,
    };
    let mut outputs = Vec::with_capacity(1);
    if is_array(messages) {
        for at in 0..sender.length(messages)? {
            let entry = ctx.get_index(messages, at)?;
            outputs.push(sender.output(entry.raw())?);
        }
    } else {
        outputs.push(sender.output(messages)?);
    }
    let count = sender.count;
    let refused = sender.refused;
    let refuse = |by: &str| {
        for kind in &refused {
            host.error(
                Value::from(format!("{by} tried to send a message of type {kind}")),
                None,
            );
        }
    };
    refuse("Function");
    if count > 0 {
        host.send(call, outputs, clone);
        // Node-RED hands them on with the messages, and its own sending refuses them again.
        refuse("Node");
    }
    Ok(())
}

fn is_array(value: JSValue) -> bool {
    // SAFETY: the value is live.
    unsafe { qjs::JS_IsArray(value) }
}

struct Sender<'a> {
    ctx: Ctx,
    inner: &'a Inner,
    id: &'a Value,
    refused: Vec<&'static str>,
    count: usize,
}

impl Sender<'_> {
    fn length(&self, array: JSValue) -> JsResult<u32> {
        let length = self.ctx.length(array)?;
        if length > 1 << 24 {
            Err(self.ctx.throw_named(c"RangeError", "Invalid array length"))
        } else {
            Ok(length as u32)
        }
    }

    /// The messages for one output.
    fn output(&mut self, entry: JSValue) -> JsResult<Vec<Msg>> {
        if !self.ctx.truthy(entry) {
            return Ok(Vec::new());
        }
        let mut messages = Vec::with_capacity(1);
        if is_array(entry) {
            for at in 0..self.length(entry)? {
                let message = self.ctx.get_index(entry, at)?;
                messages.extend(self.message(message.raw())?);
            }
        } else {
            messages.extend(self.message(entry)?);
        }
        Ok(messages)
    }

    fn message(&mut self, message: JSValue) -> JsResult<Option<Msg>> {
        if raw::is_nullish(message) {
            return Ok(None);
        }
        if let Some(kind) = self.no_message(message) {
            self.refused.push(kind);
            return Ok(None);
        }
        let mut msg = to_message(export(self.ctx, self.inner, message, None)?);
        self.identify(&mut msg);
        self.count += 1;
        Ok(Some(msg))
    }

    /// The kind of thing that cannot be a message.
    fn no_message(&self, value: JSValue) -> Option<&'static str> {
        Some(match raw::tag(value) {
            qjs::JS_TAG_INT | qjs::JS_TAG_FLOAT64 => "number",
            qjs::JS_TAG_BOOL => "boolean",
            qjs::JS_TAG_STRING | qjs::JS_TAG_STRING_ROPE => "string",
            qjs::JS_TAG_SYMBOL => "symbol",
            qjs::JS_TAG_BIG_INT | qjs::JS_TAG_SHORT_BIG_INT => "bigint",
            _ if message::is_message(self.inner, value) => return None,
            _ if is_array(value) => "Array",
            _ if self.ctx.is_function(value) => "function",
            _ if bytes(self.ctx, value).is_some() => "Buffer",
            _ => return None,
        })
    }

    fn identify(&self, msg: &mut Msg) {
        if self.id.is_undefined() {
            msg.remove("_msgid");
            msg.ensure_id();
        } else if msg.get("_msgid").is_none_or(|own| !own.strict_eq(self.id)) {
            msg.insert("_msgid", self.id.clone());
        }
    }
}

/// The value of a link call's answer for its promise.
pub(crate) fn settle_link(
    ctx: Ctx,
    inner: &Inner,
    realm: &Realm,
    request: u32,
    reply: Result<Msg, vgdc_value::ErrorValue>,
) -> JsResult<()> {
    let Some((resolve, reject)) = realm.kept.borrow_mut().links.remove(&request) else {
        return Ok(());
    };
    let (function, value) = match reply {
        Ok(msg) => (resolve, import(ctx, inner, &msg.into_value())?),
        Err(error) => (reject, import_error(ctx, inner, &error)?),
    };
    ctx.call(function.raw(), qjs::JS_UNDEFINED, &[value.raw()])
        .map(drop)
}
