//! Checked wrappers over QuickJS's C interface: contexts, owned values, atoms, exceptions.
//!
//! Invariants everything here rests on
//! - A [`Ctx`] is made only from a context pointer that stays live while the `Ctx` is used ([`Ctx::from_raw`]).
//! - A [`Val`] owns one reference count and gives it back when dropped; a plain `JSValue` is borrowed.
//! - `Err(Thrown)` means: an exception is pending in the context, to be taken with [`Ctx::take_exception`] or handed on to QuickJS.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::marker::PhantomData;

pub(crate) use rquickjs::qjs;
pub(crate) use rquickjs::qjs::{JSAtom, JSValue};

/// An exception is pending in the context.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Thrown;

pub(crate) type JsResult<T> = Result<T, Thrown>;

/// A live context of the current thread's engine.
#[derive(Clone, Copy)]
pub(crate) struct Ctx {
    raw: *mut qjs::JSContext,
    _not_send: PhantomData<*const ()>,
}

/// An owned JavaScript value.
pub(crate) struct Val {
    raw: JSValue,
    ctx: Ctx,
}

/// An owned property name.
pub(crate) struct Atom {
    raw: JSAtom,
    ctx: Ctx,
}

impl Drop for Val {
    fn drop(&mut self) {
        // SAFETY: `raw` is owned by this value and its context is live (module invariants).
        unsafe { qjs::JS_FreeValue(self.ctx.raw, self.raw) }
    }
}

impl Clone for Val {
    fn clone(&self) -> Self {
        self.ctx.dup(self.raw)
    }
}

impl Val {
    /// The value, still owned by `self`.
    pub(crate) fn raw(&self) -> JSValue {
        self.raw
    }

    /// The context it was made in.
    pub(crate) fn ctx(&self) -> Ctx {
        self.ctx
    }

    /// Gives up ownership: the caller must free or hand on the count.
    pub(crate) fn into_raw(self) -> JSValue {
        let raw = self.raw;
        std::mem::forget(self);
        raw
    }
}

impl Drop for Atom {
    fn drop(&mut self) {
        // SAFETY: the atom is owned and its context is live (module invariants).
        unsafe { qjs::JS_FreeAtom(self.ctx.raw, self.raw) }
    }
}

impl Atom {
    pub(crate) fn raw(&self) -> JSAtom {
        self.raw
    }
}

/// How many levels of nesting are converted or walked before a RangeError is thrown instead.
pub(crate) const MAX_DEPTH: usize = 1000;

impl Ctx {
    /// # Safety
    /// `raw` must point to a context that stays live for as long as the result and all values made from it are used.
    pub(crate) unsafe fn from_raw(raw: *mut qjs::JSContext) -> Self {
        Ctx {
            raw,
            _not_send: PhantomData,
        }
    }

    pub(crate) fn raw(self) -> *mut qjs::JSContext {
        self.raw
    }

    pub(crate) fn runtime(self) -> *mut qjs::JSRuntime {
        // SAFETY: the context is live.
        unsafe { qjs::JS_GetRuntime(self.raw) }
    }

    /// Takes ownership of a value that QuickJS returned.
    pub(crate) fn own(self, raw: JSValue) -> Val {
        Val { raw, ctx: self }
    }

    /// Takes ownership of a value that QuickJS returned, or says that an exception is pending.
    pub(crate) fn check(self, raw: JSValue) -> JsResult<Val> {
        if is_exception(raw) {
            Err(Thrown)
        } else {
            Ok(self.own(raw))
        }
    }

    fn check_int(self, result: c_int) -> JsResult<bool> {
        if result < 0 {
            Err(Thrown)
        } else {
            Ok(result != 0)
        }
    }

    pub(crate) fn dup(self, raw: JSValue) -> Val {
        // SAFETY: `raw` is a live value of this runtime; the new count is owned by the result.
        self.own(unsafe { qjs::JS_DupValue(self.raw, raw) })
    }

    pub(crate) fn undefined(self) -> Val {
        self.own(qjs::JS_UNDEFINED)
    }

    pub(crate) fn string(self, text: &str) -> JsResult<Val> {
        // SAFETY: pointer and length describe `text`; QuickJS copies it.
        self.check(unsafe {
            qjs::JS_NewStringLen(self.raw, text.as_ptr().cast(), text.len() as qjs::size_t)
        })
    }

    pub(crate) fn string_utf16(self, units: &[u16]) -> JsResult<Val> {
        // SAFETY: pointer and length describe `units`; QuickJS copies them.
        self.check(unsafe {
            qjs::JS_NewStringUTF16(self.raw, units.as_ptr(), units.len() as qjs::size_t)
        })
    }

    pub(crate) fn object(self) -> JsResult<Val> {
        // SAFETY: the context is live.
        self.check(unsafe { qjs::JS_NewObject(self.raw) })
    }

    /// An array of these values, which it takes over.
    pub(crate) fn array(self, items: Vec<Val>) -> JsResult<Val> {
        let raws: Vec<JSValue> = items.into_iter().map(Val::into_raw).collect();
        // SAFETY: QuickJS takes over the counts of all `raws`, also when it fails.
        self.check(unsafe { qjs::JS_NewArrayFrom(self.raw, raws.len() as c_int, raws.as_ptr()) })
    }

    pub(crate) fn atom(self, name: &str) -> JsResult<Atom> {
        // SAFETY: pointer and length describe `name`; QuickJS copies it.
        let raw = unsafe {
            qjs::JS_NewAtomLen(self.raw, name.as_ptr().cast(), name.len() as qjs::size_t)
        };
        if raw == qjs::JS_ATOM_NULL {
            Err(Thrown)
        } else {
            Ok(Atom { raw, ctx: self })
        }
    }

    pub(crate) fn get(self, object: JSValue, name: JSAtom) -> JsResult<Val> {
        // SAFETY: `object` and `name` are live.
        self.check(unsafe { qjs::JS_GetProperty(self.raw, object, name) })
    }

    pub(crate) fn get_named(self, object: JSValue, name: &CStr) -> JsResult<Val> {
        // SAFETY: `object` is live and `name` ends with a zero byte.
        self.check(unsafe { qjs::JS_GetPropertyStr(self.raw, object, name.as_ptr()) })
    }

    pub(crate) fn get_index(self, object: JSValue, index: u32) -> JsResult<Val> {
        // SAFETY: `object` is live.
        self.check(unsafe { qjs::JS_GetPropertyUint32(self.raw, object, index) })
    }

    pub(crate) fn set_named(self, object: JSValue, name: &CStr, value: Val) -> JsResult<()> {
        // SAFETY: `object` is live, `name` ends with a zero byte, QuickJS takes over the value's count.
        self.check_int(unsafe {
            qjs::JS_SetPropertyStr(self.raw, object, name.as_ptr(), value.into_raw())
        })
        .map(drop)
    }

    /// Defines an ordinary, writable, enumerable, configurable property.
    pub(crate) fn define(self, object: JSValue, name: JSAtom, value: Val) -> JsResult<()> {
        self.define_with(object, name, value, qjs::JS_PROP_C_W_E)
    }

    pub(crate) fn define_with(
        self,
        object: JSValue,
        name: JSAtom,
        value: Val,
        flags: u32,
    ) -> JsResult<()> {
        // SAFETY: `object` and `name` are live, QuickJS takes over the value's count.
        self.check_int(unsafe {
            qjs::JS_DefinePropertyValue(self.raw, object, name, value.into_raw(), flags as c_int)
        })
        .map(drop)
    }

    /// Defines a property that does not show in enumerations, as built-in ones do not.
    pub(crate) fn define_hidden(self, object: JSValue, name: &str, value: Val) -> JsResult<()> {
        let atom = self.atom(name)?;
        self.define_with(
            object,
            atom.raw(),
            value,
            qjs::JS_PROP_CONFIGURABLE | qjs::JS_PROP_WRITABLE,
        )
    }

    pub(crate) fn global(self) -> Val {
        // SAFETY: the context is live.
        self.own(unsafe { qjs::JS_GetGlobalObject(self.raw) })
    }

    pub(crate) fn call(self, function: JSValue, this: JSValue, args: &[JSValue]) -> JsResult<Val> {
        // SAFETY: all values are live; QuickJS does not write through `argv` of a call from outside.
        self.check(unsafe {
            qjs::JS_Call(
                self.raw,
                function,
                this,
                args.len() as c_int,
                args.as_ptr().cast_mut(),
            )
        })
    }

    pub(crate) fn construct(self, function: JSValue, args: &[JSValue]) -> JsResult<Val> {
        // SAFETY: as for `call`.
        self.check(unsafe {
            qjs::JS_CallConstructor(
                self.raw,
                function,
                args.len() as c_int,
                args.as_ptr().cast_mut(),
            )
        })
    }

    /// Evaluates a script in the global scope. `line` is the number its first line is given.
    pub(crate) fn eval(self, source: &str, file: &CStr, line: i32, flags: u32) -> JsResult<Val> {
        // QuickJS reads one byte past the length, which must be zero.
        let mut text = Vec::with_capacity(source.len() + 1);
        text.extend_from_slice(source.as_bytes());
        text.push(0);
        let mut options = qjs::JSEvalOptions {
            version: qjs::JS_EVAL_OPTIONS_VERSION as c_int,
            eval_flags: (qjs::JS_EVAL_TYPE_GLOBAL | flags) as c_int,
            filename: file.as_ptr(),
            line_num: line,
        };
        // SAFETY: `text` is zero-terminated and outlives the call, as do the options.
        self.check(unsafe {
            qjs::JS_Eval2(
                self.raw,
                text.as_ptr().cast::<c_char>(),
                source.len() as qjs::size_t,
                &mut options,
            )
        })
    }

    /// The string a value converts to, lone surrogates replaced as Node's UTF-8 encoder replaces them.
    pub(crate) fn text(self, value: JSValue) -> JsResult<String> {
        self.with_text(value, |text| text.to_owned())
    }

    /// Calls `read` with the text a value converts to.
    pub(crate) fn with_text<R>(self, value: JSValue, read: impl FnOnce(&str) -> R) -> JsResult<R> {
        let mut len: qjs::size_t = 0;
        // SAFETY: the value is live; the pointer returned stays valid until it is freed below.
        let data = unsafe { qjs::JS_ToCStringLen2(self.raw, &mut len, value, false) };
        if data.is_null() {
            return Err(Thrown);
        }
        // SAFETY: QuickJS says `len` bytes stand at `data`.
        let bytes = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), len as usize) };
        let result = match std::str::from_utf8(bytes) {
            Ok(text) => read(text),
            Err(_) => read(&replace_surrogates(bytes)),
        };
        // SAFETY: `data` came from JS_ToCStringLen2 and is freed once.
        unsafe { qjs::JS_FreeCString(self.raw, data) };
        Ok(result)
    }

    /// The UTF-16 code units of a string value.
    pub(crate) fn utf16(self, value: JSValue) -> JsResult<Vec<u16>> {
        let mut len: qjs::size_t = 0;
        // SAFETY: the value is live; the pointer returned stays valid until it is freed below.
        let data = unsafe { qjs::JS_ToCStringLenUTF16(self.raw, &mut len, value) };
        if data.is_null() {
            return Err(Thrown);
        }
        // SAFETY: QuickJS says `len` units stand at `data`; freed once after the copy.
        unsafe {
            let units = std::slice::from_raw_parts(data, len as usize).to_vec();
            qjs::JS_FreeCStringUTF16(self.raw, data);
            Ok(units)
        }
    }

    pub(crate) fn atom_text(self, atom: JSAtom) -> JsResult<String> {
        // SAFETY: the atom is live.
        let value = self.check(unsafe { qjs::JS_AtomToString(self.raw, atom) })?;
        self.text(value.raw())
    }

    pub(crate) fn number_of(self, value: JSValue) -> JsResult<f64> {
        let mut number = 0.0;
        // SAFETY: the value is live.
        self.check_int(unsafe { qjs::JS_ToFloat64(self.raw, &mut number, value) })?;
        Ok(number)
    }

    pub(crate) fn truthy(self, value: JSValue) -> bool {
        // SAFETY: the value is live.
        unsafe { qjs::JS_ToBool(self.raw, value) > 0 }
    }

    pub(crate) fn is_function(self, value: JSValue) -> bool {
        // SAFETY: the value is live.
        unsafe { qjs::JS_IsFunction(self.raw, value) }
    }

    pub(crate) fn prototype(self, object: JSValue) -> JsResult<Val> {
        // SAFETY: the value is live.
        self.check(unsafe { qjs::JS_GetPrototype(self.raw, object) })
    }

    pub(crate) fn set_prototype(self, object: JSValue, prototype: JSValue) -> JsResult<()> {
        // SAFETY: both values are live.
        self.check_int(unsafe { qjs::JS_SetPrototype(self.raw, object, prototype) })
            .map(drop)
    }

    pub(crate) fn length(self, object: JSValue) -> JsResult<i64> {
        let mut length = 0;
        // SAFETY: the value is live.
        self.check_int(unsafe { qjs::JS_GetLength(self.raw, object, &mut length) })?;
        Ok(length)
    }

    /// The object's own enumerable string keys, in JavaScript's order.
    pub(crate) fn own_keys(self, object: JSValue) -> JsResult<Keys> {
        let mut table = std::ptr::null_mut();
        let mut len = 0;
        let flags = (qjs::JS_GPN_STRING_MASK | qjs::JS_GPN_ENUM_ONLY) as c_int;
        // SAFETY: the object is live; the table is owned by the `Keys` returned.
        self.check_int(unsafe {
            qjs::JS_GetOwnPropertyNames(self.raw, &mut table, &mut len, object, flags)
        })?;
        Ok(Keys {
            ctx: self,
            table,
            len,
        })
    }

    /// Makes a value the pending exception.
    pub(crate) fn throw(self, error: Val) -> Thrown {
        // SAFETY: QuickJS takes over the value's count.
        unsafe { qjs::JS_Throw(self.raw, error.into_raw()) };
        Thrown
    }

    /// Throws a plain `Error`.
    pub(crate) fn throw_error(self, message: &str) -> Thrown {
        self.throw_named(c"Error", message)
    }

    /// Throws an error made by the global constructor of this name.
    pub(crate) fn throw_named(self, constructor: &CStr, message: &str) -> Thrown {
        match self.error(constructor, message) {
            Ok(error) => self.throw(error),
            Err(thrown) => thrown,
        }
    }

    /// An error made by the global constructor of this name.
    pub(crate) fn error(self, constructor: &CStr, message: &str) -> JsResult<Val> {
        let text = self.string(message)?;
        let class = self.get_named(self.global().raw(), constructor)?;
        self.construct(class.raw(), &[text.raw()])
    }

    /// Takes the pending exception. None: it was the uncatchable one of the interrupt handler.
    pub(crate) fn take_exception(self) -> Option<Val> {
        // SAFETY: the context is live; the value returned is owned.
        let error = self.own(unsafe { qjs::JS_GetException(self.raw) });
        // SAFETY: the value is live.
        if unsafe { qjs::JS_IsUncatchableError(error.raw()) } {
            None
        } else {
            Some(error)
        }
    }
}

/// The own keys of an object; frees them when dropped.
pub(crate) struct Keys {
    ctx: Ctx,
    table: *mut qjs::JSPropertyEnum,
    len: u32,
}

impl Keys {
    pub(crate) fn iter(&self) -> impl Iterator<Item = JSAtom> + '_ {
        let entries: &[qjs::JSPropertyEnum] = if self.len == 0 {
            &[]
        } else {
            // SAFETY: QuickJS says `len` entries stand at `table`, which lives until `self` is dropped.
            unsafe { std::slice::from_raw_parts(self.table, self.len as usize) }
        };
        entries.iter().map(|entry| entry.atom)
    }

    pub(crate) fn len(&self) -> usize {
        self.len as usize
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // SAFETY: table and length are those QuickJS returned; freed once.
        unsafe { qjs::JS_FreePropertyEnum(self.ctx.raw, self.table, self.len) }
    }
}

pub(crate) fn tag(value: JSValue) -> i32 {
    value.tag as i32
}

pub(crate) fn is_exception(value: JSValue) -> bool {
    tag(value) == qjs::JS_TAG_EXCEPTION
}

pub(crate) fn is_object(value: JSValue) -> bool {
    tag(value) == qjs::JS_TAG_OBJECT
}

pub(crate) fn is_undefined(value: JSValue) -> bool {
    tag(value) == qjs::JS_TAG_UNDEFINED
}

pub(crate) fn is_nullish(value: JSValue) -> bool {
    matches!(tag(value), qjs::JS_TAG_UNDEFINED | qjs::JS_TAG_NULL)
}

pub(crate) fn is_string(value: JSValue) -> bool {
    matches!(tag(value), qjs::JS_TAG_STRING | qjs::JS_TAG_STRING_ROPE)
}

/// The address of a heap value: its identity while it lives. Meaningless for numbers and the like.
pub(crate) fn address(value: JSValue) -> *mut c_void {
    // SAFETY: reading the union's pointer is defined for every tag that carries one; callers compare heap values only.
    unsafe { value.u.ptr }
}

/// A JavaScript number, small integers in QuickJS's quicker form.
pub(crate) fn number(value: f64) -> JSValue {
    let integer = value as i32;
    if f64::from(integer).to_bits() == value.to_bits() {
        qjs::JS_MKVAL(qjs::JS_TAG_INT, integer)
    } else {
        qjs::JS_NewFloat64(value)
    }
}

pub(crate) fn boolean(value: bool) -> JSValue {
    if value { qjs::JS_TRUE } else { qjs::JS_FALSE }
}

/// UTF-8 with surrogates encoded in three bytes, as QuickJS writes lone ones: each becomes U+FFFD.
fn replace_surrogates(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while !rest.is_empty() {
        match std::str::from_utf8(rest) {
            Ok(valid) => {
                text.push_str(valid);
                break;
            }
            Err(error) => {
                let (valid, broken) = rest.split_at(error.valid_up_to());
                text.push_str(&String::from_utf8_lossy(valid));
                text.push('\u{FFFD}');
                let surrogate = matches!(broken, [0xED, 0xA0..=0xBF, 0x80..=0xBF, ..]);
                rest = broken
                    .get(if surrogate { 3 } else { 1 }..)
                    .unwrap_or_default();
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::replace_surrogates;

    #[test]
    fn lone_surrogates_become_one_replacement_each() {
        assert_eq!(
            replace_surrogates(b"a\xED\xA0\x80b\xED\xBF\xBF"),
            "a\u{FFFD}b\u{FFFD}"
        );
    }
}
