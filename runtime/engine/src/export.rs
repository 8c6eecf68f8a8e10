//! JavaScript values out of the engine, as values that any node can take.
//!
//! An object that came in and was not changed goes out as the very value that came in. Everything else is rebuilt: plain objects
//! and class instances by their own enumerable properties, arrays (holes are undefined), `Uint8Array`s as buffers, functions and
//! timers as handles that turn into the same function when they come back. A structure inside itself becomes
//! [`Rare::Circular`] at the place where it closes.

use std::collections::HashMap;
use std::ffi::c_void;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use vgdc_value::{Array, Buffer, ErrorValue, Key, Object, PathSegment, Rare, Str, Value};

use crate::atoms::{AtomKey, FoldHasher};
use crate::engine::Inner;
use crate::import::too_deep;
use crate::message;
use crate::raw::{self, Ctx, JSValue, JsResult, MAX_DEPTH, Val, qjs};
use crate::realm::Realm;

/// Longer arrays (sparse ones above all) are refused with a RangeError instead of filling the memory.
const MAX_LENGTH: i64 = 1 << 24;

/// The value for a JavaScript value. `hint` is what stood there before, if anything.
pub(crate) fn export(
    ctx: Ctx,
    inner: &Inner,
    value: JSValue,
    hint: Option<&Value>,
) -> JsResult<Value> {
    if let Some(primitive) = primitive(ctx, value, hint)? {
        return Ok(primitive);
    }
    Exporter::new(ctx, inner).object(value, hint)
}

/// Like [`export`], and says whether something was lost that only the JavaScript object itself has (a class's methods).
pub(crate) fn export_tracked(
    ctx: Ctx,
    inner: &Inner,
    value: JSValue,
    hint: Option<&Value>,
) -> JsResult<(Value, bool)> {
    if let Some(primitive) = primitive(ctx, value, hint)? {
        return Ok((primitive, false));
    }
    let mut exporter = Exporter::new(ctx, inner);
    let value = exporter.object(value, hint)?;
    Ok((value, exporter.lossy))
}

/// Everything that is not an object; None for objects.
fn primitive(ctx: Ctx, value: JSValue, hint: Option<&Value>) -> JsResult<Option<Value>> {
    Ok(Some(match raw::tag(value) {
        // SAFETY: the tag says which member of the union is valid.
        qjs::JS_TAG_INT => Value::Number(f64::from(unsafe { value.u.int32 })),
        // SAFETY: see above.
        qjs::JS_TAG_FLOAT64 => Value::Number(unsafe { value.u.float64 }),
        // SAFETY: see above.
        qjs::JS_TAG_BOOL => Value::Bool(unsafe { value.u.int32 } != 0),
        qjs::JS_TAG_NULL => Value::Null,
        qjs::JS_TAG_STRING | qjs::JS_TAG_STRING_ROPE => {
            ctx.with_text(value, |text| match hint {
                Some(Value::Str(same)) if &**same == text => Value::Str(same.clone()),
                _ => Value::Str(Str::from(text)),
            })?
        }
        qjs::JS_TAG_BIG_INT | qjs::JS_TAG_SHORT_BIG_INT => {
            Value::Rare(Arc::new(Rare::BigInt(ctx.text(value)?)))
        }
        qjs::JS_TAG_OBJECT => return Ok(None),
        _ => Value::Undefined,
    }))
}

/// True when both are the same storage, or the same primitive.
pub(crate) fn identical(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) | (Value::Date(a), Value::Date(b)) => {
            a.to_bits() == b.to_bits()
        }
        (Value::Rare(a), Value::Rare(b)) => Arc::ptr_eq(a, b) || rare_same(a, b),
        (Value::Date(_), _) | (_, Value::Date(_)) => false,
        (Value::Buffer(a), Value::Buffer(b)) => {
            std::ptr::eq(a.as_ptr(), b.as_ptr()) && a.len() == b.len()
        }
        _ => a.strict_eq(b),
    }
}

/// Rare values are made anew each time, so they are the same when what they hold is (one level deep: what was not changed inside
/// is the same storage).
fn rare_same(a: &Rare, b: &Rare) -> bool {
    match (a, b) {
        (Rare::Map(a), Rare::Map(b)) => {
            let pairs = |((k, v), (l, w)): (&(Value, Value), &(Value, Value))| {
                identical(k, l) && identical(v, w)
            };
            a.len() == b.len() && a.iter().zip(b).all(pairs)
        }
        (Rare::Set(a), Rare::Set(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| identical(a, b))
        }
        (Rare::Error(a), Rare::Error(b)) => {
            a.name == b.name
                && a.message == b.message
                && a.stack == b.stack
                && same_properties(&a.properties, &b.properties)
        }
        (Rare::BigInt(a), Rare::BigInt(b)) => a == b,
        (
            Rare::RegExp { source, flags },
            Rare::RegExp {
                source: other,
                flags: others,
            },
        ) => source == other && flags == others,
        (Rare::Circular(a), Rare::Circular(b)) => a == b,
        _ => false,
    }
}

/// The same keys in the same order with identical values.
fn same_properties(a: &Object, b: &Object) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b.iter())
            .all(|((k, v), (l, w))| k == l && identical(v, w))
}

struct Exporter<'a> {
    ctx: Ctx,
    inner: &'a Inner,
    /// The objects around the current one, for circles; a segment each, but for the outermost.
    around: Vec<(*mut c_void, Option<PathSegment>)>,
    /// What was exported already: an object in two places stays one (and costs once).
    /// Holds the objects, so that no address is used again.
    known: HashMap<*mut c_void, (Val, Value), BuildHasherDefault<FoldHasher>>,
    lossy: bool,
}

impl<'a> Exporter<'a> {
    fn new(ctx: Ctx, inner: &'a Inner) -> Self {
        Exporter {
            ctx,
            inner,
            around: Vec::new(),
            known: HashMap::default(),
            lossy: false,
        }
    }

    fn value(
        &mut self,
        value: JSValue,
        hint: Option<&Value>,
        segment: impl FnOnce() -> PathSegment,
    ) -> JsResult<Value> {
        if let Some(primitive) = primitive(self.ctx, value, hint)? {
            return Ok(primitive);
        }
        if let Some(last) = self.around.last_mut() {
            last.1 = Some(segment());
        }
        self.object(value, hint)
    }

    fn object(&mut self, object: JSValue, hint: Option<&Value>) -> JsResult<Value> {
        let address = raw::address(object);
        if let Some(depth) = self.around.iter().position(|(outer, _)| *outer == address) {
            let path = self
                .around
                .iter()
                .take(depth)
                .filter_map(|(_, segment)| segment.clone())
                .collect();
            return Ok(Value::Rare(Arc::new(Rare::Circular(path))));
        }
        if let Some((_, known)) = self.known.get(&address) {
            return Ok(known.clone());
        }
        if self.around.len() > MAX_DEPTH || self.inner.stack_is_used_up() {
            return Err(too_deep(self.ctx));
        }
        self.around.push((address, None));
        let result = self.object_inside(object, hint);
        self.around.pop();
        let value = result?;
        if !self.around.is_empty() {
            self.known
                .insert(address, (self.ctx.dup(object), value.clone()));
        }
        Ok(value)
    }

    fn object_inside(&mut self, object: JSValue, hint: Option<&Value>) -> JsResult<Value> {
        // SAFETY: the value is a live object.
        let class = unsafe { qjs::JS_GetClassID(object) };
        let classes = self.inner.classes();
        if class == self.inner.message_class() {
            self.message(object)
        } else if class == classes.array {
            self.array(object, hint)
        } else if class == classes.object {
            self.plain(object, hint)
        } else if self.ctx.is_function(object) {
            Ok(self.inner.refs.handle(self.ctx, object, "function", hint))
        } else {
            self.builtin(class, object, hint)
        }
    }

    fn message(&mut self, object: JSValue) -> JsResult<Value> {
        if let Some(origin) = message::origin(self.inner, object) {
            return Ok(origin);
        }
        if message::is_plain(self.inner, object) {
            return self.properties(object, None).map(Value::Object);
        }
        let mut at = 0;
        while let Some(touched) = message::touched(self.ctx, self.inner, object, &mut at) {
            let before = message::backing(self.ctx, self.inner, object, touched.atom)?;
            let AtomKey::Key(key) = self.inner.key(self.ctx, touched.atom)? else {
                continue;
            };
            let after = self.value(touched.value.raw(), before.as_ref(), || {
                PathSegment::Key(key)
            })?;
            let changed = before
                .as_ref()
                .is_none_or(|before| !identical(before, &after));
            if changed || touched.dirty {
                message::settle(
                    self.ctx,
                    self.inner,
                    object,
                    touched.atom,
                    changed.then_some(after),
                )?;
            }
        }
        Ok(Value::Object(message::base(self.inner, object)))
    }

    fn plain(&mut self, object: JSValue, hint: Option<&Value>) -> JsResult<Value> {
        let prototype = self.ctx.prototype(object)?;
        if raw::is_object(prototype.raw())
            && !self.inner.is_object_prototype(self.ctx, prototype.raw())?
        {
            let mark = self.ctx.get(object, self.inner.names.timer)?;
            if self.ctx.truthy(mark.raw()) {
                return Ok(self.inner.refs.handle(self.ctx, object, "timer", hint));
            }
            self.lossy = true;
        }
        self.properties(object, hint).map(Value::Object)
    }

    /// The object's own enumerable properties.
    fn properties(&mut self, object: JSValue, hint: Option<&Value>) -> JsResult<Object> {
        let before = hint.and_then(Value::as_object);
        let keys = self.ctx.own_keys(object)?;
        let mut out = Object::with_capacity(keys.len());
        for atom in keys.iter() {
            let AtomKey::Key(key) = self.inner.key(self.ctx, atom)? else {
                continue;
            };
            let value = self.ctx.get(object, atom)?;
            let old = before.and_then(|before| before.get_key(&key));
            let value = self.value(value.raw(), old, || PathSegment::Key(key.clone()))?;
            out.insert(key, value);
        }
        Ok(match before {
            Some(before) if same_properties(before, &out) => before.clone(),
            _ => out,
        })
    }

    fn array(&mut self, object: JSValue, hint: Option<&Value>) -> JsResult<Value> {
        let length = self.ctx.length(object)?;
        if length > MAX_LENGTH {
            return Err(self.ctx.throw_named(c"RangeError", "Invalid array length"));
        }
        let before = match hint {
            Some(Value::Array(before)) if before.len() as i64 == length => Some(before),
            _ => None,
        };
        // Filled only from the first element on that differs from what was there before.
        let mut changed: Option<Vec<Value>> = before
            .is_none()
            .then(|| Vec::with_capacity(length as usize));
        for at in 0..length as usize {
            let item = self.ctx.get_index(object, at as u32)?;
            let old = before.and_then(|before| before.get(at));
            let new = self.value(item.raw(), old, || PathSegment::Index(at))?;
            match &mut changed {
                Some(items) => items.push(new),
                None if old.is_some_and(|old| identical(old, &new)) => {}
                None => {
                    let mut items: Vec<Value> = before
                        .map(|before| before[..at].to_vec())
                        .unwrap_or_default();
                    items.push(new);
                    changed = Some(items);
                }
            }
        }
        Ok(match (changed, before) {
            (None, Some(before)) => Value::Array(before.clone()),
            (items, _) => Value::Array(Array::from(items.unwrap_or_default())),
        })
    }

    fn builtin(
        &mut self,
        class: qjs::JSClassID,
        object: JSValue,
        hint: Option<&Value>,
    ) -> JsResult<Value> {
        let ctx = self.ctx;
        let classes = self.inner.classes();
        // SAFETY: the value is a live object.
        let (date, error, regexp, map, set, view) = unsafe {
            (
                qjs::JS_IsDate(object),
                qjs::JS_IsError(object),
                qjs::JS_IsRegExp(object),
                qjs::JS_IsMap(object),
                qjs::JS_IsSet(object),
                qjs::JS_GetTypedArrayType(object),
            )
        };
        if date {
            return Ok(Value::Date(ctx.number_of(object)?));
        }
        if error {
            return self
                .error(object, hint)
                .map(|error| Value::Rare(Arc::new(Rare::Error(error))));
        }
        if regexp {
            let source = ctx.text(ctx.get_named(object, c"source")?.raw())?;
            let flags = ctx.text(ctx.get_named(object, c"flags")?.raw())?;
            return Ok(Value::Rare(Arc::new(Rare::RegExp { source, flags })));
        }
        if map || set {
            return self.collection(object, map, hint);
        }
        if view >= 0 {
            return self.view(object, hint);
        }
        if class == classes.array_buffer {
            let mut len: qjs::size_t = 0;
            // SAFETY: the object is an array buffer; the bytes are copied before anything else runs.
            let bytes = unsafe {
                let data = qjs::JS_GetArrayBuffer(ctx.raw(), &mut len, object);
                if data.is_null() {
                    Vec::new()
                } else {
                    std::slice::from_raw_parts(data, len as usize).to_vec()
                }
            };
            return Ok(Value::Buffer(Buffer::from(bytes)));
        }
        if [classes.number, classes.string, classes.boolean].contains(&class) {
            let value_of = ctx.get_named(object, c"valueOf")?;
            let inside = ctx.call(value_of.raw(), object, &[])?;
            return Ok(primitive(ctx, inside.raw(), hint)?.unwrap_or(Value::Undefined));
        }
        self.lossy = true;
        self.properties(object, hint).map(Value::Object)
    }

    fn view(&mut self, object: JSValue, hint: Option<&Value>) -> JsResult<Value> {
        let Some(bytes) = bytes(self.ctx, object) else {
            return self.array(object, None);
        };
        Ok(match hint {
            Some(Value::Buffer(same)) if **same == *bytes => Value::Buffer(same.clone()),
            _ => Value::Buffer(Buffer::from(bytes.to_vec())),
        })
    }

    fn collection(&mut self, object: JSValue, map: bool, hint: Option<&Value>) -> JsResult<Value> {
        let before = hint.and_then(items_of);
        let list = Realm::of(self.ctx).spread(self.ctx, object)?;
        let items = self.value(list.raw(), before.as_ref(), || PathSegment::Index(0))?;
        let items = items
            .as_array()
            .map(|items| items.to_vec())
            .unwrap_or_default();
        let rare = if map {
            Rare::Map(
                items
                    .iter()
                    .map(|pair| (pair.get("0"), pair.get("1")))
                    .collect(),
            )
        } else {
            Rare::Set(items)
        };
        Ok(Value::Rare(Arc::new(rare)))
    }

    fn error(&mut self, object: JSValue, hint: Option<&Value>) -> JsResult<ErrorValue> {
        let ctx = self.ctx;
        let text = |name| -> JsResult<Str> {
            let value = ctx.get_named(object, name)?;
            if raw::is_undefined(value.raw()) {
                Ok(Str::from(""))
            } else {
                Ok(Str::from(ctx.text(value.raw())?))
            }
        };
        let (name, message, stack) = (text(c"name")?, text(c"message")?, text(c"stack")?);
        let before = match hint {
            Some(Value::Rare(rare)) => match &**rare {
                Rare::Error(before) => Some(Value::Object(before.properties.clone())),
                _ => None,
            },
            _ => None,
        };
        let mut properties = self.properties(object, before.as_ref())?;
        for known in ["name", "message", "stack"] {
            properties.remove(known);
        }
        let cause = ctx.get_named(object, c"cause")?;
        if !raw::is_undefined(cause.raw()) {
            let cause = self.value(cause.raw(), None, || PathSegment::Key(Key::from("cause")))?;
            properties.insert("cause", cause);
        }
        Ok(ErrorValue {
            name,
            message,
            stack,
            properties,
        })
    }
}

/// The items of a map or set, as spreading it gives them.
fn items_of(value: &Value) -> Option<Value> {
    let Value::Rare(rare) = value else {
        return None;
    };
    match &**rare {
        Rare::Map(entries) => {
            let pair =
                |(key, value): &(Value, Value)| Value::from(vec![key.clone(), value.clone()]);
            Some(Value::from(entries.iter().map(pair).collect::<Vec<_>>()))
        }
        Rare::Set(values) => Some(Value::from(values.clone())),
        _ => None,
    }
}

/// The bytes of a `Uint8Array` (Buffers are such); None for anything else. Use them before any JavaScript runs.
pub(crate) fn bytes<'a>(ctx: Ctx, object: JSValue) -> Option<&'a mut [u8]> {
    // SAFETY: the value is live.
    let kind = unsafe { qjs::JS_GetTypedArrayType(object) };
    if kind != qjs::JSTypedArrayEnum_JS_TYPED_ARRAY_UINT8 as i32
        && kind != qjs::JSTypedArrayEnum_JS_TYPED_ARRAY_UINT8C as i32
    {
        return None;
    }
    let mut len: qjs::size_t = 0;
    // SAFETY: the value is a live byte array; the slice is used before anything can detach or resize it (see above).
    unsafe {
        let data = qjs::JS_GetUint8Array(ctx.raw(), &mut len, object);
        if data.is_null() {
            drop(ctx.take_exception());
            return Some(&mut []);
        }
        Some(std::slice::from_raw_parts_mut(data, len as usize))
    }
}
