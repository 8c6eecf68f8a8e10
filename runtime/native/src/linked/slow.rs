//! The slow ways, and what has no quick one: the helpers, which code of other targets calls through their table.
//!
//! # Safety
//! See `linked.rs`.

use super::{Index, List, V};
use crate::call::Context;
use crate::helpers;
use vgdc_plan::native::{Mutation, OK};

/// Looks at the clock.
#[cold]
#[inline(never)]
pub unsafe fn tick(context: &mut Context, fuel: &mut u32) -> Option<()> {
    *fuel = context.tick().then_some(context.fuel)?;
    Some(())
}

/// `ToNumber`.
#[cold]
#[inline(never)]
pub unsafe fn number(context: &mut Context, v: V) -> Option<f64> {
    // SAFETY: see the head of this file.
    let status = unsafe { helpers::try_number(context, v) };
    (status == OK).then_some(context.number)
}

/// The property `length`.
#[inline(always)]
pub unsafe fn get_length(
    context: &mut Context,
    base: V,
    scratch: V,
    key: u32,
    cache: u32,
) -> Option<V> {
    // SAFETY: see the head of this file.
    unsafe { get(context, base, scratch, key, cache) }
}

/// An element: base, scratch, index.
#[inline(always)]
pub unsafe fn get_index(context: &mut Context, base: V, scratch: V, at: impl Index) -> Option<V> {
    // SAFETY: see the head of this file.
    unsafe { element(context, base, scratch, at.number()) }
}

/// An element: its list's elements, the list, scratch, index.
#[inline(always)]
pub unsafe fn item(
    context: &mut Context,
    _: List,
    base: V,
    scratch: V,
    at: impl Index,
) -> Option<V> {
    // SAFETY: see the head of this file.
    unsafe { element(context, base, scratch, at.number()) }
}

#[cold]
#[inline(never)]
unsafe fn element(context: &mut Context, base: V, scratch: V, n: f64) -> Option<V> {
    // SAFETY: see the head of this file.
    let found = unsafe { helpers::get_index(context, base, scratch, n) };
    (!found.is_null()).then_some(found)
}

/// Sets an element to a value, which is moved: base, value, index.
#[inline(always)]
pub unsafe fn set_index(context: &mut Context, base: V, value: V, at: impl Index) -> Option<()> {
    // SAFETY: see the head of this file.
    unsafe { set_element(context, base, value, at.number()) }
}

#[cold]
#[inline(never)]
unsafe fn set_element(context: &mut Context, base: V, value: V, n: f64) -> Option<()> {
    // SAFETY: see the head of this file.
    let status = unsafe { helpers::set_index(context, base, value, n) };
    (status == OK).then_some(())
}

/// `list.push(…)`: result, list, first argument, how many there are.
#[cold]
#[inline(never)]
pub unsafe fn push_all(context: &mut Context, dst: V, list: V, first: V, count: u32) -> Option<()> {
    // SAFETY: see the head of this file.
    unsafe { mutate(context, dst, list, first, Mutation::Push as u32, count) }
}

fn answer(flag: u32) -> Option<bool> {
    match flag {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

/// A function that is a helper.
macro_rules! called {
    ($($(#[$meta:meta])* $name:ident($($arg:ident: $ty:ty),*) -> $kind:ident;)*) => {
        $(
            $(#[$meta])*
            pub unsafe fn $name(context: &mut Context, $($arg: $ty),*) -> called!(@type $kind) {
                // SAFETY: see the head of this file.
                let result = unsafe { helpers::$name(context, $($arg),*) };
                called!(@result $kind result)
            }
        )*
    };
    (@type Status) => { Option<()> };
    (@type Flag) => { Option<bool> };
    (@type Found) => { Option<V> };
    (@type Number) => { f64 };
    (@type Nothing) => { () };
    (@type Number) => { f64 };
    (@result Status $result:ident) => { ($result == OK).then_some(()) };
    (@result Flag $result:ident) => { answer($result) };
    (@result Found $result:ident) => { (!$result.is_null()).then_some($result) };
    (@result Number $result:ident) => { $result };
    (@result Nothing $result:ident) => { $result };
    (@result Number $result:ident) => { $result };
}

called! {
    /// A property by a constant key: base, scratch, key, cache.
    #[cold]
    get(base: V, scratch: V, key: u32, cache: u32) -> Found;
    /// Sets a property to a value, which is moved: base, value, key, cache.
    #[cold]
    set(base: V, value: V, key: u32, cache: u32) -> Status;
    /// `a + b`: result, operands.
    add(dst: V, a: V, b: V) -> Status;
    /// `a === b`
    strict_equal(a: V, b: V) -> Flag;
    /// `a == b`
    loose_equal(a: V, b: V) -> Flag;
    /// `<`, `>`, `<=`, `>=` by the constant 0 to 3.
    less(a: V, b: V, mode: u32) -> Flag;
    /// A constant text.
    text(dst: V, number: u32) -> Nothing;
    /// A constant that is neither a number nor a text.
    constant(dst: V, number: u32) -> Nothing;
    /// Whether a value can be a message; if it is one, it gets the id of the second.
    identify(value: V, msg: V) -> Flag;
    /// From here on the frame's slots hold references to objects.
    share(v: V) -> Nothing;
    /// Makes values of references again: the result, the message.
    unshare(result: V, msg: V) -> Status;
    /// Where a text stands among constants.
    search(value: V, texts: u32) -> Number;
    /// `ToString`.
    to_text(dst: V, value: V) -> Status;
    /// `typeof`
    type_of(dst: V, value: V) -> Nothing;
    /// `key in object`
    has(key: V, object: V) -> Flag;
    /// A property by a computed key.
    get_value(base: V, key: V, scratch: V) -> Found;
    /// A property's place.
    place(base: V, key: u32) -> Found;
    /// The same by a computed key.
    place_value(base: V, key: V) -> Found;
    /// The same by an index.
    place_index(base: V, n: f64) -> Found;
    /// Sets a property by a computed key.
    set_value(base: V, key: V, value: V) -> Status;
    /// Deletes a property.
    delete(base: V, key: u32) -> Status;
    /// The same by a computed key.
    delete_value(base: V, key: V) -> Status;
    /// An empty object, with room.
    object(dst: V, room: u32) -> Nothing;
    /// An empty array, with room.
    array(dst: V, room: u32) -> Nothing;
    /// Adds to an array a value, which is moved.
    push(array: V, value: V) -> Nothing;
    /// `{...value}`
    spread_object(dst: V, src: V) -> Status;
    /// `[...value]`
    spread_array(dst: V, src: V) -> Status;
    /// A function of the language.
    builtin(dst: V, first: V, which: u32, count: u32) -> Status;
    /// A method that changes nothing.
    method(dst: V, receiver: V, first: V, which: u32, count: u32) -> Status;
    /// A method that changes its receiver.
    mutate(dst: V, receiver: V, first: V, which: u32, count: u32) -> Status;
    /// Appends a constant text to the text that is being made.
    write_text(number: u32) -> Nothing;
    /// Appends a value to it.
    write_value(value: V, form: u32) -> Status;
    /// Takes the text that was made.
    written(dst: V) -> Nothing;
    /// How many times a section is shown for a value.
    rounds(value: V) -> Number;
    /// A property in what a section is about.
    field(base: V, scratch: V, key: u32, several: u32) -> Found;
    /// An operator or a function of JSONata.
    expression(dst: V, first: V, which: u32, count: u32) -> Status;
    /// Something outside of the code.
    host(dst: V, first: V, which: u32, count: u32) -> Status;
}
