//! The table of helpers: what code calls, with the machine's calling convention.
//!
//! Safety, for all of them: code that the compiler made passes the context of its call, and addresses of values that are
//! valid: slots of its frame, or values inside them found by a helper since anything was last changed. Only one helper runs
//! at a time.

use crate::call::Context;
use crate::ops::{self, Found};
use crate::{builtin, method};
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
        Helper::Tick => tick as *const (),
        Helper::Identify => identify as *const (),
    }
}

type C = *mut Context;
type V = *mut Value;

fn status(done: Option<()>) -> u32 {
    match done {
        Some(()) => OK,
        None => BAIL,
    }
}

fn flag(found: Option<bool>) -> u32 {
    match found {
        Some(found) => u32::from(found),
        None => 2,
    }
}

/// Does something that may be a fault of this crate: a panic bails out instead of ending the process.
fn guarded<T>(f: impl FnOnce() -> Option<T>) -> Option<T> {
    catch_unwind(AssertUnwindSafe(f)).ok().flatten()
}

unsafe extern "C" fn clear(_: C, value: V) {
    // SAFETY: see the head of this file.
    unsafe { *value = Value::Undefined };
}

unsafe extern "C" fn copy(_: C, dst: V, src: V) {
    // SAFETY: see the head of this file. (The source may be inside the destination: it is cloned first.)
    unsafe {
        let value = (*src).clone();
        *dst = value;
    }
}

unsafe extern "C" fn move_(_: C, dst: V, src: V) {
    // SAFETY: see the head of this file.
    unsafe {
        let value = std::mem::take(&mut *src);
        *dst = value;
    }
}

unsafe extern "C" fn text(context: C, dst: V, number: u32) {
    // SAFETY: see the head of this file.
    unsafe { *dst = (*context).text(number).cloned().unwrap_or_default() };
}

unsafe extern "C" fn constant(context: C, dst: V, number: u32) {
    // SAFETY: see the head of this file.
    unsafe { *dst = (*context).value(number).cloned().unwrap_or_default() };
}

unsafe extern "C" fn try_number(context: C, value: V) -> u32 {
    // SAFETY: see the head of this file.
    unsafe { status(ops::to_number(&*value).map(|n| (*context).number = n)) }
}

unsafe extern "C" fn truthy(_: C, value: V) -> u32 {
    // SAFETY: see the head of this file.
    unsafe { u32::from((*value).truthy()) }
}

unsafe extern "C" fn to_text(_: C, dst: V, value: V) -> u32 {
    // SAFETY: see the head of this file.
    unsafe { status(ops::to_text(&*value).map(|text| *dst = text)) }
}

unsafe extern "C" fn add(_: C, dst: V, a: V, b: V) -> u32 {
    // SAFETY: see the head of this file.
    unsafe { status(ops::add(&*a, &*b).map(|sum| *dst = sum)) }
}

unsafe extern "C" fn strict_equal(_: C, a: V, b: V) -> u32 {
    // SAFETY: see the head of this file.
    unsafe { flag(ops::strict_equal(&*a, &*b)) }
}

unsafe extern "C" fn loose_equal(_: C, a: V, b: V) -> u32 {
    // SAFETY: see the head of this file.
    unsafe { flag(ops::loose_equal(&*a, &*b)) }
}

unsafe extern "C" fn less(_: C, a: V, b: V, mode: u32) -> u32 {
    // SAFETY: see the head of this file.
    unsafe { flag(ops::less(&*a, &*b, mode)) }
}

unsafe extern "C" fn type_of(_: C, dst: V, value: V) {
    // SAFETY: see the head of this file.
    unsafe { *dst = Value::from((*value).type_of()) };
}

unsafe extern "C" fn has(_: C, key: V, object: V) -> u32 {
    // SAFETY: see the head of this file.
    unsafe { flag(ops::has(&*key, &*object)) }
}

/// The address of what was found; what was made is put into the scratch slot.
///
/// # Safety
/// See the head of this file.
unsafe fn found(found: Option<Found<'_>>, scratch: V) -> V {
    match found {
        Some(Found::Inside(value)) => std::ptr::from_ref(value).cast_mut(),
        Some(Found::Made(value)) => {
            // SAFETY: the scratch slot is one of the frame.
            unsafe { *scratch = value };
            scratch
        }
        None => std::ptr::null_mut(),
    }
}

unsafe extern "C" fn get(context: C, base: V, scratch: V, key: u32, cache: u32) -> V {
    // SAFETY: see the head of this file.
    unsafe {
        let Some(key) = (*context).key(key) else {
            return std::ptr::null_mut();
        };
        ops::remember(&mut *context, cache, &*base, key);
        found(ops::get(&*base, key), scratch)
    }
}

unsafe extern "C" fn get_value(_: C, base: V, key: V, scratch: V) -> V {
    // SAFETY: see the head of this file.
    unsafe { found(ops::get_value(&*base, &*key), scratch) }
}

unsafe extern "C" fn get_index(_: C, base: V, scratch: V, n: f64) -> V {
    // SAFETY: see the head of this file.
    unsafe { found(ops::get_index(&*base, n), scratch) }
}

fn place_found(found: Option<&mut Value>) -> V {
    found.map_or(std::ptr::null_mut(), std::ptr::from_mut)
}

unsafe extern "C" fn place(context: C, base: V, key: u32) -> V {
    // SAFETY: see the head of this file.
    unsafe {
        match (*context).key(key) {
            Some(key) => place_found(ops::place(&mut *base, key)),
            None => std::ptr::null_mut(),
        }
    }
}

unsafe extern "C" fn place_value(_: C, base: V, key: V) -> V {
    // SAFETY: see the head of this file.
    unsafe { place_found(ops::place_value(&mut *base, &*key)) }
}

unsafe extern "C" fn place_index(_: C, base: V, n: f64) -> V {
    // SAFETY: see the head of this file.
    unsafe { place_found(ops::place_index(&mut *base, n)) }
}

unsafe extern "C" fn set(context: C, base: V, value: V, key: u32, cache: u32) -> u32 {
    // SAFETY: see the head of this file.
    unsafe {
        let value = std::mem::take(&mut *value);
        let Some(key) = (*context).key(key) else {
            return BAIL;
        };
        let before = ops::names_without(&*base, key);
        let done = ops::set(&mut *base, key, value);
        ops::remember(&mut *context, cache, &*base, key);
        if let (Some(before), Some(after)) = (before, ops::names_of(&*base)) {
            (*context).remember(cache + 1, before, after);
        }
        status(done)
    }
}

unsafe extern "C" fn set_value(_: C, base: V, key: V, value: V) -> u32 {
    // SAFETY: see the head of this file.
    unsafe {
        let value = std::mem::take(&mut *value);
        status(ops::set_value(&mut *base, &*key, value))
    }
}

unsafe extern "C" fn set_index(_: C, base: V, value: V, n: f64) -> u32 {
    // SAFETY: see the head of this file.
    unsafe {
        let value = std::mem::take(&mut *value);
        status(ops::set_index(&mut *base, n, value))
    }
}

unsafe extern "C" fn delete(context: C, base: V, key: u32) -> u32 {
    // SAFETY: see the head of this file.
    unsafe {
        status(
            (*context)
                .key(key)
                .and_then(|key| ops::delete(&mut *base, key.as_str())),
        )
    }
}

unsafe extern "C" fn delete_value(_: C, base: V, key: V) -> u32 {
    // SAFETY: see the head of this file.
    unsafe {
        let key = ops::to_text(&*key);
        status(key.and_then(|key| ops::delete(&mut *base, key.as_str()?)))
    }
}

unsafe extern "C" fn object(_: C, dst: V, room: u32) {
    // SAFETY: see the head of this file.
    // (messages get an id, and often a property more)
    unsafe { *dst = Value::Object(Object::with_capacity(room.min(1024) as usize + 2)) };
}

unsafe extern "C" fn array(_: C, dst: V, room: u32) {
    // SAFETY: see the head of this file.
    unsafe { *dst = Value::Array(Array::from(Vec::with_capacity(room.min(1024) as usize))) };
}

unsafe extern "C" fn push(_: C, array: V, value: V) {
    // SAFETY: see the head of this file.
    unsafe {
        let value = std::mem::take(&mut *value);
        if let Value::Array(items) = &mut *array {
            items.push(value);
        }
    }
}

unsafe extern "C" fn spread_object(_: C, dst: V, src: V) -> u32 {
    // SAFETY: see the head of this file.
    unsafe { status(ops::spread_object(&mut *dst, &*src)) }
}

unsafe extern "C" fn spread_array(_: C, dst: V, src: V) -> u32 {
    // SAFETY: see the head of this file.
    unsafe { status(ops::spread_array(&mut *dst, &*src)) }
}

/// The arguments of a call.
///
/// # Safety
/// See the head of this file; `count` slots begin at `first`.
unsafe fn arguments<'v>(first: V, count: u32) -> &'v mut [Value] {
    // SAFETY: as above; they are the frame's, and nobody else looks at them during the call.
    unsafe { std::slice::from_raw_parts_mut(first, count as usize) }
}

unsafe extern "C" fn builtin(context: C, dst: V, first: V, which: u32, count: u32) -> u32 {
    // SAFETY: see the head of this file.
    let (context, args) = unsafe { (&mut *context, arguments(first, count)) };
    let done = guarded(|| builtin::call(context, *Builtin::ALL.get(which as usize)?, args));
    // SAFETY: see the head of this file. (The result may go where an argument was: those are used up.)
    status(done.map(|value| unsafe { *dst = value }))
}

unsafe extern "C" fn method(_: C, dst: V, receiver: V, first: V, which: u32, count: u32) -> u32 {
    // SAFETY: see the head of this file.
    let (receiver, args) = unsafe { (&*receiver, arguments(first, count)) };
    let done = guarded(|| method::call(*Method::ALL.get(which as usize)?, receiver, args));
    // SAFETY: see the head of this file.
    status(done.map(|value| unsafe { *dst = value }))
}

unsafe extern "C" fn mutate(_: C, dst: V, receiver: V, first: V, which: u32, count: u32) -> u32 {
    // SAFETY: see the head of this file.
    let (receiver, args) = unsafe { (&mut *receiver, arguments(first, count)) };
    let done = guarded(|| method::mutate(*Mutation::ALL.get(which as usize)?, receiver, args));
    // SAFETY: see the head of this file.
    status(done.map(|value| unsafe { *dst = value }))
}

unsafe extern "C" fn host(context: C, dst: V, first: V, which: u32, count: u32) -> u32 {
    // SAFETY: see the head of this file.
    let (context, args) = unsafe { (&mut *context, arguments(first, count)) };
    let done = guarded(|| builtin::host(context, *Host::ALL.get(which as usize)?, args));
    // SAFETY: see the head of this file.
    status(done.map(|value| unsafe { *dst = value }))
}

unsafe extern "C" fn math1(_: C, x: f64, which: u32) -> f64 {
    match Math::ALL.get(which as usize) {
        Some(math) => builtin::math1(*math, x),
        None => f64::NAN,
    }
}

unsafe extern "C" fn math2(_: C, x: f64, y: f64, which: u32) -> f64 {
    match Math::ALL.get(which as usize) {
        Some(math) => builtin::math2(*math, x, y),
        None => f64::NAN,
    }
}

unsafe extern "C" fn to_int32(_: C, x: f64) -> f64 {
    f64::from(number::to_int32(x))
}

unsafe extern "C" fn tick(context: C) -> u32 {
    // SAFETY: see the head of this file.
    status(unsafe { (*context).tick() }.then_some(()))
}

unsafe extern "C" fn identify(context: C, value: V, msg: V) -> u32 {
    // SAFETY: see the head of this file. (Both may be the same value: the id is taken before that is changed.)
    unsafe {
        let id = ops::id_of(&*msg);
        u32::from((*context).host().identify(&mut *value, id))
    }
}
