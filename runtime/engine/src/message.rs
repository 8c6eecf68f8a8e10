//! The message inside JavaScript: an exotic QuickJS class over a copy-on-write [`Object`].
//!
//! Nothing is converted until a body touches it. Reading a property makes its JavaScript value once and keeps it in a *slot*, so
//! that `msg.payload === msg.payload` and changes made through an alias show; writing puts the JavaScript value in the slot and
//! marks it dirty. The backing object always has exactly the keys that JavaScript sees, in the same order, so that enumeration
//! never looks at slots. Leaving JavaScript ([`crate::export`]) writes dirty slots back and returns the backing object: when
//! nothing was changed, the very same one.
//!
//! What the backing object cannot say (accessors, read-only properties) makes the object *plain*: its properties become ordinary
//! QuickJS properties and the class stands aside. `Object.freeze`/`seal` are kept as a mark.
//!
//! The raw class is used since rquickjs 0.14's own `exotic_set_property` frees the value that QuickJS frees, too.

use std::collections::HashMap;
use std::ffi::c_int;
use std::hash::BuildHasherDefault;
use std::panic::{AssertUnwindSafe, catch_unwind};

use vgdc_value::{Object, Value};

use crate::atoms::{AtomKey, FoldHasher};
use crate::engine::Inner;
use crate::import::import;
use crate::raw::{self, Ctx, JSAtom, JSValue, JsResult, Thrown, Val, qjs};

/// From this many slots on they are found through an index instead of by looking at each.
const INDEX_FROM: usize = 24;

/// How much of a frozen object may still change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lock {
    Open,
    Sealed,
    Frozen,
}

/// One property that JavaScript has touched. Owns a count of the atom and of the value.
struct Slot {
    atom: JSAtom,
    dirty: bool,
    value: JSValue,
}

/// The state behind one JavaScript object.
pub(crate) struct Node {
    base: Object,
    slots: Vec<Slot>,
    index: Option<HashMap<JSAtom, u32, BuildHasherDefault<FoldHasher>>>,
    /// A handle (or another value that must come back as it is) whose readable properties `base` holds.
    origin: Option<Value>,
    plain: bool,
    lock: Lock,
}

/// One property as the exporter needs it.
pub(crate) struct Touched {
    pub(crate) atom: JSAtom,
    pub(crate) dirty: bool,
    pub(crate) value: Val,
}

impl Node {
    fn new() -> Box<Node> {
        Box::new(Node {
            base: Object::new(),
            slots: Vec::new(),
            index: None,
            origin: None,
            plain: false,
            lock: Lock::Open,
        })
    }

    fn find(&self, atom: JSAtom) -> Option<usize> {
        match &self.index {
            None => self.slots.iter().position(|slot| slot.atom == atom),
            Some(index) => index.get(&atom).map(|&at| at as usize),
        }
    }

    /// Adds a slot, which takes over the value; the atom is counted here.
    fn push(&mut self, ctx: Ctx, atom: JSAtom, value: Val, dirty: bool) {
        // SAFETY: the atom is live; the new count is owned by the slot.
        let atom = unsafe { qjs::JS_DupAtom(ctx.raw(), atom) };
        if let Some(index) = &mut self.index {
            index.insert(atom, self.slots.len() as u32);
        }
        self.slots.push(Slot {
            atom,
            dirty,
            value: value.into_raw(),
        });
        if self.index.is_none() && self.slots.len() >= INDEX_FROM {
            self.reindex();
        }
    }

    fn reindex(&mut self) {
        self.index = (self.slots.len() >= INDEX_FROM).then(|| {
            self.slots
                .iter()
                .enumerate()
                .map(|(at, slot)| (slot.atom, at as u32))
                .collect()
        });
    }

    /// Empties the node and gives what its slots owned to `free`.
    fn drain(&mut self, mut free: impl FnMut(JSAtom, JSValue)) {
        self.index = None;
        for slot in self.slots.drain(..) {
            free(slot.atom, slot.value);
        }
    }
}

/// A new JavaScript object over `base`.
pub(crate) fn wrap(ctx: Ctx, inner: &Inner, base: Object, origin: Option<Value>) -> JsResult<Val> {
    // SAFETY: the class is registered with this runtime.
    let object = ctx.check(unsafe { qjs::JS_NewObjectClass(ctx.raw(), inner.message_class()) })?;
    let mut node = inner.pool.borrow_mut().pop().unwrap_or_else(Node::new);
    node.base = base;
    node.origin = origin;
    // SAFETY: the object is of our class, whose opaque pointer is a `Box<Node>` owned by the object until its finalizer.
    unsafe { qjs::JS_SetOpaque(object.raw(), Box::into_raw(node).cast()) };
    Ok(object)
}

/// The node of one of our objects. Borrows from it must end before any JavaScript can run.
fn node_of<'a>(inner: &Inner, object: JSValue) -> Option<&'a mut Node> {
    // SAFETY: JS_GetOpaque checks the class; its pointer is the `Box<Node>` that `wrap` stored. Callers keep the borrow short:
    // every function of this module ends it before calling into QuickJS code that could run JavaScript.
    unsafe {
        qjs::JS_GetOpaque(object, inner.message_class())
            .cast::<Node>()
            .as_mut()
    }
}

/// True for an object made by [`wrap`].
pub(crate) fn is_message(inner: &Inner, object: JSValue) -> bool {
    // SAFETY: the value is live.
    raw::is_object(object) && unsafe { qjs::JS_GetClassID(object) } == inner.message_class()
}

/// The value that an object stands for whatever was done to it: a handle.
pub(crate) fn origin(inner: &Inner, object: JSValue) -> Option<Value> {
    node_of(inner, object).and_then(|node| node.origin.clone())
}

/// True when the object's properties are ordinary ones, to be read like any object's.
pub(crate) fn is_plain(inner: &Inner, object: JSValue) -> bool {
    node_of(inner, object).is_some_and(|node| node.plain)
}

/// The backing object as it is, without what dirty slots hold.
pub(crate) fn base(inner: &Inner, object: JSValue) -> Object {
    node_of(inner, object)
        .map(|node| node.base.clone())
        .unwrap_or_default()
}

/// The `at`-th property to look at when leaving JavaScript: dirty ones, and objects, which may have changed inside.
pub(crate) fn touched(
    ctx: Ctx,
    inner: &Inner,
    object: JSValue,
    from: &mut usize,
) -> Option<Touched> {
    let node = node_of(inner, object)?;
    while let Some(slot) = node.slots.get(*from) {
        *from += 1;
        if slot.dirty || raw::is_object(slot.value) {
            return Some(Touched {
                atom: slot.atom,
                dirty: slot.dirty,
                value: ctx.dup(slot.value),
            });
        }
    }
    None
}

/// What stands in the backing object under this atom.
pub(crate) fn backing(
    ctx: Ctx,
    inner: &Inner,
    object: JSValue,
    atom: JSAtom,
) -> JsResult<Option<Value>> {
    let AtomKey::Key(key) = inner.key(ctx, atom)? else {
        return Ok(None);
    };
    Ok(node_of(inner, object).and_then(|node| node.base.get_key(&key).cloned()))
}

/// Writes an exported value back, so that the next export finds nothing to do.
pub(crate) fn settle(
    ctx: Ctx,
    inner: &Inner,
    object: JSValue,
    atom: JSAtom,
    value: Option<Value>,
) -> JsResult<()> {
    let AtomKey::Key(key) = inner.key(ctx, atom)? else {
        return Ok(());
    };
    let Some(node) = node_of(inner, object) else {
        return Ok(());
    };
    // A getter may have deleted the property while it was exported.
    let Some(at) = node.find(atom) else {
        return Ok(());
    };
    if let Some(slot) = node.slots.get_mut(at) {
        slot.dirty = false;
    }
    if let Some(value) = value {
        node.base.insert(key, value);
    }
    Ok(())
}

/// Registers the class with a new runtime.
pub(crate) fn register(runtime: *mut qjs::JSRuntime) -> Option<qjs::JSClassID> {
    let mut class = 0;
    // SAFETY: the runtime is live; the definition's name and methods are static and copied or kept by pointer.
    unsafe {
        qjs::JS_NewClassID(runtime, &mut class);
        let definition = qjs::JSClassDef {
            class_name: c"Object".as_ptr(),
            finalizer: Some(finalizer),
            gc_mark: Some(mark),
            call: None,
            exotic: (&raw const EXOTIC).cast_mut(),
        };
        (qjs::JS_NewClass(runtime, class, &definition) == 0).then_some(class)
    }
}

static EXOTIC: qjs::JSClassExoticMethods = qjs::JSClassExoticMethods {
    get_own_property: Some(get_own_property),
    get_own_property_names: Some(get_own_property_names),
    delete_property: Some(delete_property),
    define_own_property: Some(define_own_property),
    has_property: None,
    get_property: None,
    set_property: Some(set_property),
};

unsafe extern "C" fn finalizer(runtime: *mut qjs::JSRuntime, object: JSValue) {
    // SAFETY: the runtime's opaque pointer is its engine, which outlives the runtime.
    let inner = unsafe { Inner::of_runtime(runtime) };
    // SAFETY: the object is of our class and its opaque pointer, when set, is the `Box<Node>` it owns; this is the end of it.
    let node = unsafe { qjs::JS_GetOpaque(object, inner.message_class()).cast::<Node>() };
    if node.is_null() {
        return;
    }
    // SAFETY: see above.
    let mut node = unsafe { Box::from_raw(node) };
    node.drain(|atom, value| {
        // SAFETY: the slot owned one count of each.
        unsafe {
            qjs::JS_FreeAtomRT(runtime, atom);
            qjs::JS_FreeValueRT(runtime, value);
        }
    });
    node.base = Object::new();
    node.origin = None;
    node.plain = false;
    node.lock = Lock::Open;
    let mut pool = inner.pool.borrow_mut();
    if pool.len() < 64 {
        pool.push(node);
    }
}

unsafe extern "C" fn mark(runtime: *mut qjs::JSRuntime, object: JSValue, mark: qjs::JS_MarkFunc) {
    // SAFETY: the runtime's opaque pointer is its engine, which outlives the runtime.
    let inner = unsafe { Inner::of_runtime(runtime) };
    if let Some(node) = node_of(inner, object) {
        for slot in &node.slots {
            // SAFETY: the slot's value is live; the collector asks for exactly this.
            unsafe { qjs::JS_MarkValue(runtime, slot.value, mark) };
        }
    }
}

/// Runs a hook; a panic or a pending exception becomes -1.
fn hook(ctx: *mut qjs::JSContext, body: impl FnOnce(Ctx, &Inner) -> JsResult<bool>) -> c_int {
    // SAFETY: QuickJS calls hooks with a live context, whose runtime's opaque pointer is the engine.
    let (ctx, inner) = unsafe {
        (
            Ctx::from_raw(ctx),
            Inner::of_runtime(qjs::JS_GetRuntime(ctx)),
        )
    };
    match catch_unwind(AssertUnwindSafe(|| body(ctx, inner))) {
        Ok(Ok(answer)) => c_int::from(answer),
        Ok(Err(Thrown)) => -1,
        Err(_) => {
            ctx.throw_error("internal error in a message property");
            -1
        }
    }
}

fn describe(into: *mut qjs::JSPropertyDescriptor, value: Val, lock: Lock) {
    let flags = match lock {
        Lock::Open => qjs::JS_PROP_C_W_E,
        Lock::Sealed => qjs::JS_PROP_WRITABLE | qjs::JS_PROP_ENUMERABLE,
        Lock::Frozen => qjs::JS_PROP_ENUMERABLE,
    };
    let descriptor = qjs::JSPropertyDescriptor {
        flags: flags as c_int,
        value: value.into_raw(),
        getter: qjs::JS_UNDEFINED,
        setter: qjs::JS_UNDEFINED,
    };
    // SAFETY: QuickJS passes a descriptor to fill, possibly uninitialised, hence `write`.
    unsafe { into.write(descriptor) }
}

unsafe extern "C" fn get_own_property(
    ctx: *mut qjs::JSContext,
    into: *mut qjs::JSPropertyDescriptor,
    object: JSValue,
    atom: JSAtom,
) -> c_int {
    hook(ctx, |ctx, inner| {
        let Some(node) = node_of(inner, object) else {
            return Ok(false);
        };
        if let Some(slot) = node.find(atom).and_then(|at| node.slots.get(at)) {
            if !into.is_null() {
                describe(into, ctx.dup(slot.value), node.lock);
            }
            return Ok(true);
        }
        if node.plain {
            return Ok(false);
        }
        let AtomKey::Key(key) = inner.key(ctx, atom)? else {
            return Ok(false);
        };
        let Some(value) = node.base.get_key(&key) else {
            return Ok(false);
        };
        if into.is_null() {
            return Ok(true);
        }
        let (value, lock) = (value.clone(), node.lock);
        let value = import(ctx, inner, &value)?;
        // Importing can run JavaScript (a constructor), so look again.
        if let Some(node) = node_of(inner, object).filter(|node| node.find(atom).is_none()) {
            node.push(ctx, atom, value.clone(), false);
        }
        describe(into, value, lock);
        Ok(true)
    })
}

unsafe extern "C" fn get_own_property_names(
    ctx: *mut qjs::JSContext,
    table: *mut *mut qjs::JSPropertyEnum,
    len: *mut u32,
    object: JSValue,
) -> c_int {
    // QuickJS wants 0 for success here.
    hook(ctx, |ctx, inner| {
        let base = node_of(inner, object)
            .filter(|node| !node.plain)
            .map(|node| node.base.clone())
            .unwrap_or_default();
        let mut atoms = Vec::with_capacity(base.len());
        for key in base.keys() {
            match inner.atoms.borrow_mut().atom(ctx, key) {
                Ok(atom) => atoms.push(atom),
                Err(thrown) => {
                    free_atoms(ctx, &atoms);
                    return Err(thrown);
                }
            }
        }
        let bytes = atoms.len().max(1) * size_of::<qjs::JSPropertyEnum>();
        // SAFETY: the context is live; QuickJS frees the table with js_free.
        let entries = unsafe { qjs::js_malloc(ctx.raw(), bytes as qjs::size_t) }
            .cast::<qjs::JSPropertyEnum>();
        if entries.is_null() {
            free_atoms(ctx, &atoms);
            return Err(Thrown);
        }
        for (at, &atom) in atoms.iter().enumerate() {
            // SAFETY: `at` is below the number of entries allocated.
            unsafe {
                entries.add(at).write(qjs::JSPropertyEnum {
                    is_enumerable: true,
                    atom,
                })
            };
        }
        // SAFETY: QuickJS passes valid places for both results.
        unsafe {
            *table = entries;
            *len = atoms.len() as u32;
        }
        Ok(false)
    })
}

fn free_atoms(ctx: Ctx, atoms: &[JSAtom]) {
    for &atom in atoms {
        // SAFETY: the caller owned one count of each.
        unsafe { qjs::JS_FreeAtom(ctx.raw(), atom) };
    }
}

unsafe extern "C" fn delete_property(
    ctx: *mut qjs::JSContext,
    object: JSValue,
    atom: JSAtom,
) -> c_int {
    hook(ctx, |ctx, inner| {
        let key = inner.key(ctx, atom)?;
        let Some(node) = node_of(inner, object) else {
            return Ok(true);
        };
        let AtomKey::Key(key) = key else {
            return Ok(true);
        };
        if !node.base.contains_key(key.as_str()) {
            return Ok(true);
        }
        if node.lock != Lock::Open {
            return Ok(false);
        }
        let removed = node.base.remove(key.as_str());
        let slot = node.find(atom).map(|at| node.slots.swap_remove(at));
        node.reindex();
        // Dropped last: freeing can run finalizers, which must not find the node borrowed.
        drop(removed);
        if let Some(slot) = slot {
            free_atoms(ctx, &[slot.atom]);
            drop(ctx.own(slot.value));
        }
        Ok(true)
    })
}

unsafe extern "C" fn set_property(
    ctx: *mut qjs::JSContext,
    object: JSValue,
    atom: JSAtom,
    value: JSValue,
    receiver: JSValue,
    flags: c_int,
) -> c_int {
    hook(ctx, |ctx, inner| {
        if !raw::is_object(receiver) || raw::address(receiver) != raw::address(object) {
            return set_on_heir(ctx, receiver, atom, value, flags);
        }
        let Some(node) = node_of(inner, object) else {
            return Ok(false);
        };
        if let Some(at) = node.find(atom) {
            if node.lock == Lock::Frozen {
                return refuse(ctx, inner, atom, flags);
            }
            if let Some(slot) = node.slots.get_mut(at) {
                slot.dirty = true;
                let old = std::mem::replace(&mut slot.value, ctx.dup(value).into_raw());
                drop(ctx.own(old));
            }
            return Ok(true);
        }
        let key = match inner.key(ctx, atom)? {
            AtomKey::Key(key) if !node.plain => key,
            _ => return set_ordinary(ctx, object, atom, value, flags),
        };
        let exists = node.base.get_key(&key).is_some();
        if exists && node.lock == Lock::Frozen {
            return refuse(ctx, inner, atom, flags);
        }
        if !exists {
            if atom == qjs::JS_ATOM___proto__ as JSAtom {
                return set_ordinary(ctx, object, atom, value, flags);
            }
            // SAFETY: the object is live.
            if unsafe { qjs::JS_IsExtensible(ctx.raw(), object) } == 0 {
                return not_extensible(ctx, inner, atom, flags);
            }
            node.base.insert(key, Value::Undefined);
        }
        node.push(ctx, atom, ctx.dup(value), true);
        Ok(true)
    })
}

/// An assignment to an object that has a message as its prototype: the property becomes the heir's own.
fn set_on_heir(
    ctx: Ctx,
    receiver: JSValue,
    atom: JSAtom,
    value: JSValue,
    flags: c_int,
) -> JsResult<bool> {
    if !raw::is_object(receiver) {
        return Ok(false);
    }
    let all =
        qjs::JS_PROP_C_W_E | (flags as u32 & (qjs::JS_PROP_THROW | qjs::JS_PROP_THROW_STRICT));
    ctx.define_with(receiver, atom, ctx.dup(value), all)
        .map(|()| true)
}

/// A property that the backing object cannot hold: a symbol's, `__proto__`, or any once the object is plain.
fn set_ordinary(
    ctx: Ctx,
    object: JSValue,
    atom: JSAtom,
    value: JSValue,
    flags: c_int,
) -> JsResult<bool> {
    if atom == qjs::JS_ATOM___proto__ as JSAtom {
        if raw::is_object(value) || raw::tag(value) == qjs::JS_TAG_NULL {
            ctx.set_prototype(object, value)?;
        }
        return Ok(true);
    }
    let all = qjs::JS_PROP_C_W_E
        | qjs::JS_PROP_HAS_VALUE
        | qjs::JS_PROP_HAS_CONFIGURABLE
        | qjs::JS_PROP_HAS_WRITABLE
        | qjs::JS_PROP_HAS_ENUMERABLE;
    define_ordinary(
        ctx,
        object,
        atom,
        value,
        qjs::JS_UNDEFINED,
        qjs::JS_UNDEFINED,
        all | (flags as u32 & THROWS),
    )
}

const THROWS: u32 = qjs::JS_PROP_THROW | qjs::JS_PROP_THROW_STRICT;

fn define_ordinary(
    ctx: Ctx,
    object: JSValue,
    atom: JSAtom,
    value: JSValue,
    getter: JSValue,
    setter: JSValue,
    flags: u32,
) -> JsResult<bool> {
    let flags = (flags | qjs::JS_PROP_NO_EXOTIC) as c_int;
    // SAFETY: all values are live; QuickJS counts what it keeps.
    match unsafe { qjs::JS_DefineProperty(ctx.raw(), object, atom, value, getter, setter, flags) } {
        result if result < 0 => Err(Thrown),
        result => Ok(result != 0),
    }
}

fn refuse(ctx: Ctx, inner: &Inner, atom: JSAtom, flags: c_int) -> JsResult<bool> {
    if flags as u32 & qjs::JS_PROP_THROW == 0 {
        return Ok(false);
    }
    let name = inner.name(ctx, atom)?;
    Err(ctx.throw_named(
        c"TypeError",
        &format!("Cannot assign to read only property '{name}' of object '#<Object>'"),
    ))
}

fn not_extensible(ctx: Ctx, inner: &Inner, atom: JSAtom, flags: c_int) -> JsResult<bool> {
    if flags as u32 & qjs::JS_PROP_THROW == 0 {
        return Ok(false);
    }
    let name = inner.name(ctx, atom)?;
    Err(ctx.throw_named(
        c"TypeError",
        &format!("Cannot add property {name}, object is not extensible"),
    ))
}

unsafe extern "C" fn define_own_property(
    ctx: *mut qjs::JSContext,
    object: JSValue,
    atom: JSAtom,
    value: JSValue,
    getter: JSValue,
    setter: JSValue,
    flags: c_int,
) -> c_int {
    hook(ctx, |ctx, inner| {
        let bits = flags as u32;
        let key = inner.key(ctx, atom)?;
        let Some(node) = node_of(inner, object) else {
            return Ok(false);
        };
        let AtomKey::Key(key) = key else {
            return define_ordinary(ctx, object, atom, value, getter, setter, bits);
        };
        if node.plain {
            return define_ordinary(ctx, object, atom, value, getter, setter, bits);
        }
        let exists = node.base.get_key(&key).is_some();
        let accessor = bits & (qjs::JS_PROP_HAS_GET | qjs::JS_PROP_HAS_SET) != 0;
        // SAFETY: the object is live.
        let extensible = unsafe { qjs::JS_IsExtensible(ctx.raw(), object) } != 0;
        if exists && !accessor && !extensible && lock(node, bits) {
            return Ok(true);
        }
        if accessor || !all_set(bits, exists) {
            become_plain(ctx, inner, object)?;
            return define_ordinary(ctx, object, atom, value, getter, setter, bits);
        }
        if bits & qjs::JS_PROP_HAS_VALUE == 0 && exists {
            return Ok(true);
        }
        // SAFETY: a plain assignment to a live object of our class, which `set_property` handles.
        match unsafe { set_property(ctx.raw(), object, atom, value, object, flags) } {
            result if result < 0 => Err(Thrown),
            result => Ok(result != 0),
        }
    })
}

/// Notes what `Object.freeze` and `Object.seal` ask for. False: this was neither.
fn lock(node: &mut Node, bits: u32) -> bool {
    let denies = |has: u32, bit: u32| bits & has != 0 && bits & bit == 0;
    if denies(qjs::JS_PROP_HAS_WRITABLE, qjs::JS_PROP_WRITABLE) {
        node.lock = Lock::Frozen;
        return true;
    }
    if denies(qjs::JS_PROP_HAS_CONFIGURABLE, qjs::JS_PROP_CONFIGURABLE) {
        if node.lock == Lock::Open {
            node.lock = Lock::Sealed;
        }
        return true;
    }
    false
}

/// True when the property asked for is an ordinary one: writable, enumerable, configurable.
fn all_set(bits: u32, exists: bool) -> bool {
    let pairs = [
        (qjs::JS_PROP_HAS_CONFIGURABLE, qjs::JS_PROP_CONFIGURABLE),
        (qjs::JS_PROP_HAS_WRITABLE, qjs::JS_PROP_WRITABLE),
        (qjs::JS_PROP_HAS_ENUMERABLE, qjs::JS_PROP_ENUMERABLE),
    ];
    pairs.iter().all(|&(has, bit)| {
        if bits & has != 0 {
            bits & bit != 0
        } else {
            exists
        }
    })
}

/// Turns all properties into ordinary ones of the QuickJS object.
fn become_plain(ctx: Ctx, inner: &Inner, object: JSValue) -> JsResult<()> {
    for key in base(inner, object).keys() {
        let atom = inner.atoms.borrow_mut().atom(ctx, key)?;
        let value = ctx.get(object, atom);
        let done = value.and_then(|value| {
            let all = qjs::JS_PROP_C_W_E
                | qjs::JS_PROP_HAS_VALUE
                | qjs::JS_PROP_HAS_CONFIGURABLE
                | qjs::JS_PROP_HAS_WRITABLE
                | qjs::JS_PROP_HAS_ENUMERABLE
                | qjs::JS_PROP_THROW;
            define_ordinary(
                ctx,
                object,
                atom,
                value.raw(),
                qjs::JS_UNDEFINED,
                qjs::JS_UNDEFINED,
                all,
            )
        });
        free_atoms(ctx, &[atom]);
        done?;
    }
    let Some(node) = node_of(inner, object) else {
        return Ok(());
    };
    node.plain = true;
    node.base = Object::new();
    let mut owned = Vec::new();
    node.drain(|atom, value| owned.push((atom, value)));
    for (atom, value) in owned {
        free_atoms(ctx, &[atom]);
        drop(ctx.own(value));
    }
    Ok(())
}

/// The property's value without making a JavaScript value of it.
pub(crate) fn peek(ctx: Ctx, inner: &Inner, object: JSValue, atom: JSAtom) -> JsResult<Value> {
    let Some(node) = node_of(inner, object) else {
        return Ok(Value::Undefined);
    };
    if node.plain {
        let value = ctx.get(object, atom)?;
        return crate::export::export(ctx, inner, value.raw(), None);
    }
    if let Some(slot) = node
        .find(atom)
        .and_then(|at| node.slots.get(at))
        .filter(|slot| slot.dirty)
    {
        let value = ctx.dup(slot.value);
        return crate::export::export(ctx, inner, value.raw(), None);
    }
    let AtomKey::Key(key) = inner.key(ctx, atom)? else {
        return Ok(Value::Undefined);
    };
    Ok(node_of(inner, object)
        .and_then(|node| node.base.get_key(&key).cloned())
        .unwrap_or_default())
}

/// True when the body has put a function under this name.
pub(crate) fn has_own_function(ctx: Ctx, inner: &Inner, object: JSValue, atom: JSAtom) -> bool {
    node_of(inner, object)
        .and_then(|node| node.slots.get(node.find(atom)?))
        .is_some_and(|slot| ctx.is_function(slot.value))
}
