//! The table of helpers: what code calls, with the machine's calling convention.
//!
//! Safety, for all of them: code that the compiler made passes the context of its call, and addresses of values that are
//! valid: slots of its frame, or values inside them found by a helper since anything was last changed. Only one helper runs
//! at a time.

use crate::call::Context;
use crate::heap::is_reference;
use crate::ops::{self, Found};
use crate::{builtin, expressions, method, shared};
use std::panic::{AssertUnwindSafe, catch_unwind};
use vgdc_plan::native::{BAIL, Builtin, Helper, Host, Math, Method, Mutation, OK};
use vgdc_value::{Array, Object, Value, number};

/// The helpers' addresses, in the order of their numbers.
pub(crate) static TABLE: Table = Table(table());

/// A list of addresses of functions.
pub(crate) struct Table([*const (); Helper::ALL.len()]);

// SAFETY: the addresses are of functions, which are there for everybody.
unsafe impl Sync for Table {}

impl std::ops::Deref for Table {
    type Target = [*const ()];
    fn deref(&self) -> &[*const ()] {
        &self.0
    }
}

const fn table() -> [*const (); Helper::ALL.len()] {
    let mut table = [std::ptr::null(); Helper::ALL.len()];
    let mut at = 0;
    while at < table.len() {
        table[at] = address(Helper::ALL[at]);
        at += 1;
    }
    table
}

const fn address(helper: Helper) -> *const () {
    match helper {
        Helper::Clear => clear as *const (),
        Helper::Copy => copy as *const (),
        Helper::Move => move_ as *const (),
        Helper::Text => text as *const (),
        Helper::Constant => constant as *const (),

        Helper::TryNumber => try_number as *const (),
        Helper::Truthy => truthy as *const (),
        Helper::ToText => to_text as *const (),
        Helper::Add => add as *const (),
        Helper::StrictEqual => strict_equal as *const (),
        Helper::LooseEqual => loose_equal as *const (),
        Helper::Less => less as *const (),
        Helper::TypeOf => type_of as *const (),
        Helper::Has => has as *const (),
        Helper::Get => get as *const (),
        Helper::GetValue => get_value as *const (),
        Helper::GetIndex => get_index as *const (),
        Helper::Place => place as *const (),
        Helper::PlaceValue => place_value as *const (),
        Helper::PlaceIndex => place_index as *const (),
        Helper::Set => set as *const (),
        Helper::SetValue => set_value as *const (),
        Helper::SetIndex => set_index as *const (),
        Helper::Delete => delete as *const (),
        Helper::DeleteValue => delete_value as *const (),
        Helper::Object => object as *const (),
        Helper::Array => array as *const (),
        Helper::Push => push as *const (),
        Helper::SpreadObject => spread_object as *const (),
        Helper::SpreadArray => spread_array as *const (),
        Helper::Builtin => builtin as *const (),
        Helper::Method => method as *const (),
        Helper::Mutate => mutate as *const (),
        Helper::Host => host as *const (),
        Helper::Math1 => math1 as *const (),
        Helper::Math2 => math2 as *const (),
        Helper::ToInt32 => to_int32 as *const (),
        Helper::Search => search as *const (),
        Helper::Tick => tick as *const (),
        Helper::Identify => identify as *const (),
        Helper::Share => share as *const (),
        Helper::Unshare => unshare as *const (),
        Helper::WriteText => write_text as *const (),
        Helper::WriteValue => write_value as *const (),
        Helper::Written => written as *const (),
        Helper::Rounds => rounds as *const (),
        Helper::Field => field as *const (),
        Helper::Expression => expression as *const (),
    }
}

type C = *mut Context;
type V = *mut Value;

/// Notes what made the call bail out.
#[cold]
fn refuse(context: C, what: &'static str) {
    // SAFETY: see the head of this file.
    unsafe { (*context).refused = what };
}

fn status(context: C, what: &'static str, done: Option<()>) -> u32 {
    match done {
        Some(()) => OK,
        None => {
            refuse(context, what);
            BAIL
        }
    }
}

fn flag(context: C, what: &'static str, found: Option<bool>) -> u32 {
    match found {
        Some(found) => u32::from(found),
        None => {
            refuse(context, what);
            2
        }
    }
}

/// Does something that may be a fault of this crate: a panic bails out instead of ending the process.
fn guarded<T>(f: impl FnOnce() -> Option<T>) -> Option<T> {
    catch_unwind(AssertUnwindSafe(f)).ok().flatten()
}

pub(crate) unsafe extern "C" fn clear(_: C, value: V) {
    // SAFETY: see the head of this file.
    unsafe { *value = Value::Undefined };
}

pub(crate) unsafe extern "C" fn copy(_: C, dst: V, src: V) {
    // SAFETY: see the head of this file. (The source may be inside the destination: it is cloned first.)
    unsafe {
        let value = (*src).clone();
        *dst = value;
    }
}

pub(crate) unsafe extern "C" fn move_(_: C, dst: V, src: V) {
    // SAFETY: see the head of this file.
    unsafe {
        let value = std::mem::take(&mut *src);
        *dst = value;
    }
}

pub(crate) unsafe extern "C" fn text(context: C, dst: V, number: u32) {
    // SAFETY: see the head of this file.
    unsafe { *dst = (*context).text(number).cloned().unwrap_or_default() };
}

pub(crate) unsafe extern "C" fn constant(context: C, dst: V, number: u32) {
    // SAFETY: see the head of this file.
    unsafe { *dst = (*context).value(number).cloned().unwrap_or_default() };
}

/// What is done with a value and asks for what is in it.
///
/// # Safety
/// See the head of this file.
unsafe fn with<T>(context: C, value: V, f: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
    // SAFETY: see the head of this file.
    let (value, heap) = unsafe { (&*value, (*context).heap()) };
    match heap {
        Some(heap) if is_reference(value) => f(&heap.resolve(value)?),
        _ => f(value),
    }
}

pub(crate) unsafe extern "C" fn try_number(context: C, value: V) -> u32 {
    // SAFETY: see the head of this file.
    unsafe {
        status(
            context,
            "a number",
            with(context, value, ops::to_number).map(|n| (*context).number = n),
        )
    }
}

pub(crate) unsafe extern "C" fn truthy(_: C, value: V) -> u32 {
    // SAFETY: see the head of this file.
    unsafe { u32::from((*value).truthy()) }
}

pub(crate) unsafe extern "C" fn to_text(context: C, dst: V, value: V) -> u32 {
    // SAFETY: see the head of this file.
    unsafe {
        status(
            context,
            "a text",
            with(context, value, ops::to_text).map(|text| *dst = text),
        )
    }
}

pub(crate) unsafe extern "C" fn add(context: C, dst: V, a: V, b: V) -> u32 {
    // SAFETY: see the head of this file.
    let sum = unsafe { with(context, a, |a| with(context, b, |b| ops::add(a, b))) };
    // SAFETY: see the head of this file.
    status(context, "+", sum.map(|sum| unsafe { *dst = sum }))
}

pub(crate) unsafe extern "C" fn strict_equal(context: C, a: V, b: V) -> u32 {
    // SAFETY: see the head of this file.
    unsafe {
        flag(
            context,
            "===",
            match (*context).heap() {
                Some(heap) => shared::strict_equal(heap, &*a, &*b),
                None => ops::strict_equal(&*a, &*b),
            },
        )
    }
}

pub(crate) unsafe extern "C" fn loose_equal(context: C, a: V, b: V) -> u32 {
    // SAFETY: see the head of this file.
    unsafe {
        flag(
            context,
            "==",
            match (*context).heap() {
                Some(heap) => shared::loose_equal(heap, &*a, &*b),
                None => ops::loose_equal(&*a, &*b),
            },
        )
    }
}

pub(crate) unsafe extern "C" fn less(context: C, a: V, b: V, mode: u32) -> u32 {
    // SAFETY: see the head of this file.
    flag(context, "<", unsafe {
        with(context, a, |a| with(context, b, |b| ops::less(a, b, mode)))
    })
}

pub(crate) unsafe extern "C" fn type_of(_: C, dst: V, value: V) {
    // SAFETY: see the head of this file.
    unsafe { *dst = Value::from((*value).type_of()) };
}

pub(crate) unsafe extern "C" fn has(context: C, key: V, object: V) -> u32 {
    // SAFETY: see the head of this file.
    unsafe {
        flag(
            context,
            "in",
            match (*context).heap() {
                Some(heap) => shared::has(heap, &*key, &*object),
                None => ops::has(&*key, &*object),
            },
        )
    }
}

/// The address of what was found; what was made is put into the scratch slot.
///
/// # Safety
/// See the head of this file.
unsafe fn found(context: C, what: &'static str, found: Option<Found<'_>>, scratch: V) -> V {
    match found {
        Some(Found::Inside(value)) => std::ptr::from_ref(value).cast_mut(),
        Some(Found::Made(value)) => {
            // SAFETY: the scratch slot is one of the frame.
            unsafe { *scratch = value };
            scratch
        }
        None => place_found(context, what, None),
    }
}

pub(crate) unsafe extern "C" fn get(context: C, base: V, scratch: V, key: u32, cache: u32) -> V {
    // SAFETY: see the head of this file.
    unsafe {
        let Some(key) = (*context).key(key) else {
            return place_found(context, "a property", None);
        };
        if let Some(heap) = (*context).heap() {
            return found(
                context,
                "a property",
                shared::get(heap, &*base, key).map(Found::Made),
                scratch,
            );
        }
        ops::remember(&mut *context, cache, &*base, key);
        found(context, "a property", ops::get(&*base, key), scratch)
    }
}

pub(crate) unsafe extern "C" fn get_value(context: C, base: V, key: V, scratch: V) -> V {
    // SAFETY: see the head of this file.
    unsafe {
        if let Some(heap) = (*context).heap() {
            return found(
                context,
                "a computed property",
                shared::get_value(heap, &*base, &*key).map(Found::Made),
                scratch,
            );
        }
        found(
            context,
            "a computed property",
            ops::get_value(&*base, &*key),
            scratch,
        )
    }
}

pub(crate) unsafe extern "C" fn get_index(context: C, base: V, scratch: V, n: f64) -> V {
    // SAFETY: see the head of this file.
    unsafe {
        if let Some(heap) = (*context).heap() {
            return found(
                context,
                "an element",
                shared::get_index(heap, &*base, n).map(Found::Made),
                scratch,
            );
        }
        found(context, "an element", ops::get_index(&*base, n), scratch)
    }
}

fn place_found(context: C, what: &'static str, found: Option<&mut Value>) -> V {
    if found.is_none() {
        refuse(context, what);
    }
    found.map_or(std::ptr::null_mut(), std::ptr::from_mut)
}

pub(crate) unsafe extern "C" fn place(context: C, base: V, key: u32) -> V {
    // SAFETY: see the head of this file.
    unsafe {
        match (*context).key(key) {
            Some(key) => place_found(context, "a place", ops::place(&mut *base, key)),
            None => place_found(context, "a place", None),
        }
    }
}

pub(crate) unsafe extern "C" fn place_value(context: C, base: V, key: V) -> V {
    // SAFETY: see the head of this file.
    unsafe {
        place_found(
            context,
            "a computed place",
            ops::place_value(&mut *base, &*key),
        )
    }
}

pub(crate) unsafe extern "C" fn place_index(context: C, base: V, n: f64) -> V {
    // SAFETY: see the head of this file.
    unsafe {
        place_found(
            context,
            "a place of an element",
            ops::place_index(&mut *base, n),
        )
    }
}

pub(crate) unsafe extern "C" fn set(context: C, base: V, value: V, key: u32, cache: u32) -> u32 {
    // SAFETY: see the head of this file.
    unsafe {
        let value = std::mem::take(&mut *value);
        let Some(key) = (*context).key(key) else {
            return status(context, "a property that is set", None);
        };
        if let Some(heap) = (*context).heap() {
            let base = heap.content_mut(&*base);
            return status(
                context,
                "a property that is set",
                base.and_then(|base| ops::set(base, key, value)),
            );
        }
        let before = ops::names_without(&*base, key);
        let done = ops::set(&mut *base, key, value);
        ops::remember(&mut *context, cache, &*base, key);
        if let (Some(before), Some(after)) = (before, ops::names_of(&*base)) {
            (*context).remember(cache + 1, before, after);
        }
        status(context, "a property that is set", done)
    }
}

pub(crate) unsafe extern "C" fn set_value(context: C, base: V, key: V, value: V) -> u32 {
    // SAFETY: see the head of this file.
    unsafe {
        let value = std::mem::take(&mut *value);
        if let Some(heap) = (*context).heap() {
            let Some(key) = heap.resolve(&*key) else {
                return status(context, "a computed property that is set", None);
            };
            let base = heap.content_mut(&*base);
            return status(
                context,
                "a computed property that is set",
                base.and_then(|base| ops::set_value(base, &key, value)),
            );
        }
        status(
            context,
            "a computed property that is set",
            ops::set_value(&mut *base, &*key, value),
        )
    }
}

pub(crate) unsafe extern "C" fn set_index(context: C, base: V, value: V, n: f64) -> u32 {
    // SAFETY: see the head of this file.
    unsafe {
        let value = std::mem::take(&mut *value);
        if let Some(heap) = (*context).heap() {
            let base = heap.content_mut(&*base);
            return status(
                context,
                "an element that is set",
                base.and_then(|base| ops::set_index(base, n, value)),
            );
        }
        status(
            context,
            "an element that is set",
            ops::set_index(&mut *base, n, value),
        )
    }
}

pub(crate) unsafe extern "C" fn delete(context: C, base: V, key: u32) -> u32 {
    // SAFETY: see the head of this file.
    unsafe {
        let (key, base) = ((*context).key(key), changed(context, base));
        status(
            context,
            "delete",
            key.zip(base)
                .and_then(|(key, base)| ops::delete(base, key.as_str())),
        )
    }
}

pub(crate) unsafe extern "C" fn delete_value(context: C, base: V, key: V) -> u32 {
    // SAFETY: see the head of this file.
    unsafe {
        let key = with(context, key, ops::to_text);
        let base = changed(context, base);
        status(
            context,
            "delete",
            key.zip(base)
                .and_then(|(key, base)| ops::delete(base, key.as_str()?)),
        )
    }
}

/// Whether a value may be an array that has names besides its elements.
fn names_more(context: &Context, value: &Value) -> bool {
    let value = match context.heap() {
        Some(heap) => heap.content(value),
        None => value,
    };
    context.named_arrays && matches!(value, Value::Array(_))
}

/// What is to be changed, by its name.
///
/// # Safety
/// See the head of this file.
unsafe fn changed<'v>(context: C, base: V) -> Option<&'v mut Value> {
    // SAFETY: see the head of this file.
    unsafe {
        match (*context).heap() {
            Some(heap) => heap.content_mut(&*base),
            None => Some(&mut *base),
        }
    }
}

/// Puts an object that has just been made into a slot.
///
/// # Safety
/// See the head of this file.
unsafe fn made(context: C, dst: V, value: Value) {
    // SAFETY: see the head of this file.
    unsafe {
        *dst = match (*context).heap() {
            Some(heap) => heap.own(value),
            None => value,
        };
    }
}

pub(crate) unsafe extern "C" fn object(context: C, dst: V, room: u32) {
    // (messages get an id, and often a property more)
    let value = Value::Object(Object::with_capacity(room.min(1024) as usize + 2));
    // SAFETY: see the head of this file.
    unsafe { made(context, dst, value) };
}

pub(crate) unsafe extern "C" fn array(context: C, dst: V, room: u32) {
    let value = Value::Array(Array::from(Vec::with_capacity(room.min(1024) as usize)));
    // SAFETY: see the head of this file.
    unsafe { made(context, dst, value) };
}

pub(crate) unsafe extern "C" fn push(context: C, array: V, value: V) {
    // SAFETY: see the head of this file.
    unsafe {
        let value = std::mem::take(&mut *value);
        if let Some(Value::Array(items)) = changed(context, array) {
            items.push(value);
        }
    }
}

pub(crate) unsafe extern "C" fn spread_object(context: C, dst: V, src: V) -> u32 {
    // SAFETY: see the head of this file.
    unsafe {
        if names_more(&*context, &*src) {
            return status(context, "{...}", None);
        }
        status(
            context,
            "{...}",
            match (*context).heap() {
                Some(heap) => shared::spread_object(heap, &*dst, &*src),
                None => ops::spread_object(&mut *dst, &*src),
            },
        )
    }
}

pub(crate) unsafe extern "C" fn spread_array(context: C, dst: V, src: V) -> u32 {
    // SAFETY: see the head of this file.
    unsafe {
        status(
            context,
            "[...]",
            match (*context).heap() {
                Some(heap) => shared::spread_array(heap, &*dst, &*src),
                None => ops::spread_array(&mut *dst, &*src),
            },
        )
    }
}

pub(crate) unsafe extern "C" fn share(context: C, msg: V) {
    // SAFETY: see the head of this file.
    unsafe { (*context).share(&mut *msg) };
}

pub(crate) unsafe extern "C" fn unshare(context: C, result: V, msg: V) -> u32 {
    // SAFETY: see the head of this file. (The two may be the same slot: both are read before either is written.)
    let (context, values) = unsafe { (&mut *context, [(*result).clone(), (*msg).clone()]) };
    let done = guarded(|| {
        let heap = context.heap()?;
        let msg = heap.resolve(&values[1])?;
        let value = shared::finish(context, heap, &values[0])?;
        heap.end();
        Some((value, msg))
    });
    // SAFETY: see the head of this file.
    status(
        context,
        "an object inside itself",
        done.map(|(value, whole)| unsafe {
            *msg = whole;
            *result = value;
        }),
    )
}

/// The arguments of a call.
///
/// # Safety
/// See the head of this file; `count` slots begin at `first`.
unsafe fn arguments<'v>(first: V, count: u32) -> &'v mut [Value] {
    // SAFETY: as above; they are the frame's, and nobody else looks at them during the call.
    unsafe { std::slice::from_raw_parts_mut(first, count as usize) }
}

pub(crate) unsafe extern "C" fn builtin(
    context: C,
    dst: V,
    first: V,
    which: u32,
    count: u32,
) -> u32 {
    // SAFETY: see the head of this file.
    let (context, args) = unsafe { (&mut *context, arguments(first, count)) };
    let done = guarded(|| {
        let which = *Builtin::ALL.get(which as usize)?;
        let names = matches!(
            which,
            Builtin::ObjectKeys | Builtin::ObjectValues | Builtin::ObjectEntries
        );
        if names && args.iter().any(|arg| names_more(context, arg)) {
            return None;
        }
        match context.heap() {
            Some(heap) => shared::builtin(context, heap, which, args),
            None => builtin::call(context, which, args),
        }
    });
    // SAFETY: see the head of this file. (The result may go where an argument was: those are used up.)
    status(
        context,
        Builtin::ALL.get(which as usize).map_or("", |it| it.text()),
        done.map(|value| unsafe { *dst = value }),
    )
}

pub(crate) unsafe extern "C" fn method(
    context: C,
    dst: V,
    receiver: V,
    first: V,
    which: u32,
    count: u32,
) -> u32 {
    // SAFETY: see the head of this file.
    let (context, receiver, args) = unsafe { (&mut *context, &*receiver, arguments(first, count)) };
    let done = guarded(|| {
        let which = *Method::ALL.get(which as usize)?;
        context.named_arrays |= matches!(which, Method::Match | Method::Exec);
        match context.heap() {
            Some(heap) => shared::method(heap, which, receiver, args),
            None => method::call(which, receiver, args),
        }
    });
    // SAFETY: see the head of this file.
    status(
        context,
        Method::ALL.get(which as usize).map_or("", |it| it.text()),
        done.map(|value| unsafe { *dst = value }),
    )
}

pub(crate) unsafe extern "C" fn mutate(
    context: C,
    dst: V,
    receiver: V,
    first: V,
    which: u32,
    count: u32,
) -> u32 {
    // SAFETY: see the head of this file.
    let (context, receiver, args) =
        unsafe { (&mut *context, &mut *receiver, arguments(first, count)) };
    let done = guarded(|| {
        let which = *Mutation::ALL.get(which as usize)?;
        match context.heap() {
            Some(heap) => shared::mutate(heap, which, receiver, args),
            None => method::mutate(which, receiver, args),
        }
    });
    // SAFETY: see the head of this file.
    status(
        context,
        Mutation::ALL.get(which as usize).map_or("", |it| it.text()),
        done.map(|value| unsafe { *dst = value }),
    )
}

pub(crate) unsafe extern "C" fn host(context: C, dst: V, first: V, which: u32, count: u32) -> u32 {
    // SAFETY: see the head of this file.
    let (context, args) = unsafe { (&mut *context, arguments(first, count)) };
    let done = guarded(|| {
        let which = *Host::ALL.get(which as usize)?;
        match context.heap() {
            Some(heap) => shared::host(context, heap, which, args),
            None => builtin::host(context, which, args),
        }
    });
    // SAFETY: see the head of this file.
    status(
        context,
        Host::ALL.get(which as usize).map_or("", |it| it.text()),
        done.map(|value| unsafe { *dst = value }),
    )
}

pub(crate) unsafe extern "C" fn math1(_: C, x: f64, which: u32) -> f64 {
    match Math::ALL.get(which as usize) {
        Some(math) => builtin::math1(*math, x),
        None => f64::NAN,
    }
}

pub(crate) unsafe extern "C" fn math2(_: C, x: f64, y: f64, which: u32) -> f64 {
    match Math::ALL.get(which as usize) {
        Some(math) => builtin::math2(*math, x, y),
        None => f64::NAN,
    }
}

pub(crate) unsafe extern "C" fn to_int32(_: C, x: f64) -> f64 {
    f64::from(number::to_int32(x))
}

pub(crate) unsafe extern "C" fn search(context: C, value: V, number: u32) -> f64 {
    // SAFETY: see the head of this file.
    let (value, texts) = unsafe { (&*value, (*context).value(number)) };
    match (value.as_str(), texts) {
        (Some(text), Some(Value::Array(texts))) => {
            let found = texts.binary_search_by(|one| one.as_str().unwrap_or_default().cmp(text));
            found.map_or(-1.0, |at| at as f64)
        }
        _ => -2.0,
    }
}

pub(crate) unsafe extern "C" fn tick(context: C) -> u32 {
    // SAFETY: see the head of this file.
    status(
        context,
        "the time limit",
        unsafe { (*context).tick() }.then_some(()),
    )
}

pub(crate) unsafe extern "C" fn identify(context: C, value: V, msg: V) -> u32 {
    // SAFETY: see the head of this file. (Both may be the same value: the id is taken before that is changed.)
    unsafe {
        let id = ops::id_of(&*msg);
        u32::from((*context).host().identify(&mut *value, id))
    }
}

pub(crate) unsafe extern "C" fn write_text(context: C, number: u32) {
    // SAFETY: see the head of this file.
    unsafe {
        if let Some(Value::Str(text)) = (*context).text(number) {
            (*context).written().push_str(text);
        }
    }
}

pub(crate) unsafe extern "C" fn write_value(context: C, value: V, form: u32) -> u32 {
    // SAFETY: see the head of this file.
    unsafe {
        let out = (*context).written();
        status(
            context,
            "a part of a text",
            guarded(|| expressions::write(out, &*value, form)),
        )
    }
}

pub(crate) unsafe extern "C" fn written(context: C, dst: V) {
    // SAFETY: see the head of this file.
    unsafe {
        let out = (*context).written();
        *dst = Value::from(out.as_str());
        out.clear();
    }
}

pub(crate) unsafe extern "C" fn rounds(_: C, value: V) -> f64 {
    // SAFETY: see the head of this file.
    vgdc_expr::mustache::rounds(unsafe { &*value })
}

pub(crate) unsafe extern "C" fn field(
    context: C,
    base: V,
    scratch: V,
    key: u32,
    several: u32,
) -> V {
    // SAFETY: see the head of this file.
    unsafe {
        match (*context).key(key) {
            Some(key) => found(
                context,
                "a property in an expression",
                expressions::field(&*base, key, several != 0),
                scratch,
            ),
            None => std::ptr::null_mut(),
        }
    }
}

pub(crate) unsafe extern "C" fn expression(
    context: C,
    dst: V,
    first: V,
    which: u32,
    count: u32,
) -> u32 {
    // SAFETY: see the head of this file.
    let args = unsafe { arguments(first, count) };
    let done = guarded(|| vgdc_expr::plain::operate(which, args));
    // SAFETY: see the head of this file. (The result may go where an argument was: those are used up.)
    status(
        context,
        "an expression",
        done.map(|value| unsafe { *dst = value }),
    )
}
