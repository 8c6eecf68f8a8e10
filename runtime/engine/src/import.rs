//! Values into JavaScript: objects as lazy [`crate::message`] wrappers, everything else as the real JavaScript thing.

use std::sync::Arc;

use vgdc_value::{ErrorValue, Object, Rare, Value};

use crate::engine::Inner;
use crate::libs::Lib;
use crate::message;
use crate::raw::{self, Ctx, JsResult, MAX_DEPTH, Val, qjs};
use crate::realm::Realm;
use crate::refs::JsRef;

/// The JavaScript value for `value`.
pub(crate) fn import(ctx: Ctx, inner: &Inner, value: &Value) -> JsResult<Val> {
    import_at(ctx, inner, value, 0)
}

fn import_at(ctx: Ctx, inner: &Inner, value: &Value, depth: usize) -> JsResult<Val> {
    Ok(match value {
        Value::Undefined => ctx.undefined(),
        Value::Null => ctx.own(qjs::JS_NULL),
        Value::Bool(value) => ctx.own(raw::boolean(*value)),
        Value::Number(value) => ctx.own(raw::number(*value)),
        Value::Str(text) => ctx.string(text)?,
        Value::Buffer(bytes) => buffer(ctx, bytes)?,
        // SAFETY: the context is live.
        Value::Date(ms) => ctx.check(unsafe { qjs::JS_NewDate(ctx.raw(), *ms) })?,
        Value::Array(items) => array(ctx, inner, items, depth)?,
        Value::Object(object) => message::wrap(ctx, inner, object.clone(), None)?,
        Value::Handle(handle) => match handle
            .downcast::<JsRef>()
            .and_then(|js| inner.refs.resolve(ctx, js))
        {
            Some(original) => original,
            None => {
                let props = handle.props().as_object().cloned().unwrap_or_default();
                let object = message::wrap(ctx, inner, props, Some(value.clone()))?;
                // (a request has methods; a node that has been closed asks nothing any more)
                let realm = Realm::of(ctx);
                if handle.kind() == "IncomingMessage" && !realm.is_closed() {
                    let prototype = realm.lib(ctx, Lib::Http)?;
                    ctx.set_prototype(object.raw(), prototype.raw())?;
                }
                object
            }
        },
        Value::Rare(rare) => self::rare(ctx, inner, value, rare, depth)?,
    })
}

fn array(ctx: Ctx, inner: &Inner, items: &[Value], depth: usize) -> JsResult<Val> {
    if depth > MAX_DEPTH || inner.stack_is_used_up() {
        return Err(too_deep(ctx));
    }
    let items = items
        .iter()
        .map(|item| import_at(ctx, inner, item, depth + 1))
        .collect::<JsResult<Vec<_>>>()?;
    inner.root().array(items)
}

/// What JavaScript throws when recursion goes too deep.
pub(crate) fn too_deep(ctx: Ctx) -> raw::Thrown {
    ctx.throw_named(c"RangeError", "Maximum call stack size exceeded")
}

/// A new Node-style `Buffer` holding a copy of these bytes.
pub(crate) fn buffer(ctx: Ctx, bytes: &[u8]) -> JsResult<Val> {
    // SAFETY: pointer and length describe `bytes`, which QuickJS copies.
    let view = ctx.check(unsafe {
        qjs::JS_NewUint8ArrayCopy(ctx.raw(), bytes.as_ptr(), bytes.len() as qjs::size_t)
    })?;
    let prototype = Realm::of(ctx).buffer_prototype(ctx)?;
    ctx.set_prototype(view.raw(), prototype.raw())?;
    Ok(view)
}

fn rare(ctx: Ctx, inner: &Inner, value: &Value, rare: &Arc<Rare>, depth: usize) -> JsResult<Val> {
    if depth > MAX_DEPTH || inner.stack_is_used_up() {
        return Err(too_deep(ctx));
    }
    let global = inner.root().global();
    let list = |items: &[Value]| array(ctx, inner, items, depth + 1);
    match &**rare {
        Rare::BigInt(digits) => {
            let constructor = ctx.get_named(global.raw(), c"BigInt")?;
            let digits = ctx.string(digits)?;
            ctx.call(constructor.raw(), qjs::JS_UNDEFINED, &[digits.raw()])
        }
        Rare::RegExp { source, flags } => {
            let constructor = ctx.get_named(global.raw(), c"RegExp")?;
            let (source, flags) = (ctx.string(source)?, ctx.string(flags)?);
            ctx.construct(constructor.raw(), &[source.raw(), flags.raw()])
        }
        Rare::Map(entries) => {
            let pairs: Vec<Value> = entries
                .iter()
                .map(|(key, value)| Value::from(vec![key.clone(), value.clone()]))
                .collect();
            let constructor = ctx.get_named(global.raw(), c"Map")?;
            ctx.construct(constructor.raw(), &[list(&pairs)?.raw()])
        }
        Rare::Set(values) => {
            let constructor = ctx.get_named(global.raw(), c"Set")?;
            ctx.construct(constructor.raw(), &[list(values)?.raw()])
        }
        Rare::Error(error) => import_error(ctx, inner, error),
        // Cannot be followed without its root: goes through as it is.
        Rare::Circular(_) => message::wrap(ctx, inner, Object::new(), Some(value.clone())),
    }
}

/// An `Error` object of the class that its name says, where JavaScript has that class.
pub(crate) fn import_error(ctx: Ctx, inner: &Inner, error: &ErrorValue) -> JsResult<Val> {
    let class = match &*error.name {
        "TypeError" => c"TypeError",
        "RangeError" => c"RangeError",
        "SyntaxError" => c"SyntaxError",
        "ReferenceError" => c"ReferenceError",
        "EvalError" => c"EvalError",
        "URIError" => c"URIError",
        _ => c"Error",
    };
    let object = inner.root().error(class, &error.message)?;
    if class.to_bytes() != error.name.as_bytes() {
        let name = ctx.string(&error.name)?;
        ctx.define_hidden(object.raw(), "name", name)?;
    }
    if !error.stack.is_empty() {
        let stack = ctx.string(&error.stack)?;
        ctx.define_hidden(object.raw(), "stack", stack)?;
    }
    for (key, value) in error.properties.iter() {
        let value = import(ctx, inner, value)?;
        let atom = ctx.atom(key.as_str())?;
        ctx.define(object.raw(), atom.raw(), value)?;
    }
    Ok(object)
}
