//! The quick ways: nothing here calls anything but what lets go of memory. `None` leaves it to [`super::slow`], and then
//! nothing has been done.
//!
//! # Safety
//! See `linked.rs`.

use super::{Index, List, V, clear, kind, put, take, take_into};
use crate::call::{Cache, Context};
use std::sync::atomic::{AtomicUsize, Ordering};
use vgdc_plan::native::layout;
use vgdc_value::Value;

/// Counts a loop's turn.
#[inline(always)]
pub unsafe fn tick(_: &mut Context, fuel: &mut u32) -> Option<()> {
    *fuel = fuel.wrapping_sub(1);
    (*fuel != 0).then_some(())
}

/// `ToNumber`.
#[inline(always)]
pub unsafe fn number(_: &mut Context, v: V) -> Option<f64> {
    // SAFETY: see the head of this file.
    match unsafe { &*v } {
        Value::Number(n) => Some(*n),
        _ => None,
    }
}

/// The memory of an object.
#[inline(always)]
unsafe fn memory(base: V) -> Option<*mut u8> {
    // SAFETY: see the head of this file. An object is the address of its memory.
    unsafe {
        (kind(base) == layout::OBJECT)
            .then(|| *base.byte_add(layout::PAYLOAD as usize).cast::<*mut u8>())
    }
}

/// Where a property was the last time, if the object has the same names as then.
#[inline(always)]
unsafe fn cached(context: &Context, memory: *mut u8, cache: u32) -> Option<V> {
    // SAFETY: see the head of this file. The context has the caches that the function was made for; objects with the same
    // names have their values at the same distance.
    unsafe {
        let cache: Cache = *context.caches.add(cache as usize);
        let names = *memory.add(layout::SHAPE as usize).cast::<usize>();
        (names == cache.names).then(|| memory.add(cache.distance).cast())
    }
}

/// A property by a constant key.
#[inline(always)]
pub unsafe fn get(context: &mut Context, base: V, _: V, _: u32, cache: u32) -> Option<V> {
    // SAFETY: see the head of this file.
    unsafe { cached(context, memory(base)?, cache) }
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
    unsafe {
        if let Value::Array(items) = &*base {
            let length = items.len() as f64;
            put(scratch, Value::Number(length));
            return Some(scratch);
        }
        get(context, base, scratch, key, cache)
    }
}

/// An element of a list.
#[inline(always)]
pub unsafe fn get_index(_: &mut Context, base: V, _: V, at: impl Index) -> Option<V> {
    // SAFETY: see the head of this file.
    match unsafe { &*base } {
        Value::Array(items) => items
            .get(at.place())
            .map(|item| std::ptr::from_ref(item).cast_mut()),
        _ => None,
    }
}

/// The same of a list whose elements are known.
#[inline(always)]
pub unsafe fn item(_: &mut Context, list: List, _: V, _: V, at: impl Index) -> Option<V> {
    let at = at.place();
    // SAFETY: the list has so many elements.
    (at < list.count).then(|| unsafe { list.first.add(at) }.cast_mut())
}

/// Sets a property to a value, which is moved: where it was the last time, or behind the others, if the object has the names
/// to which it was added the last time.
#[inline(always)]
pub unsafe fn set(context: &mut Context, base: V, value: V, _: u32, cache: u32) -> Option<()> {
    // SAFETY: see the head of this file. An object's memory begins with how often it is referred to: what is in it can be
    // changed when that is once.
    unsafe {
        let memory = memory(base)?;
        if (*memory.cast::<AtomicUsize>()).load(Ordering::Acquire) != 1 {
            return None;
        }
        match cached(context, memory, cache) {
            Some(place) => take(place, value),
            None => append(context, memory, value, cache + 1)?,
        }
    }
    Some(())
}

/// Adds a property to an object that nobody else has, if it has the names that the cache was filled with, and room.
#[inline(always)]
unsafe fn append(context: &Context, memory: *mut u8, value: V, cache: u32) -> Option<()> {
    // SAFETY: see the head of this file. Values that there is room for and that are not there yet own nothing; the names that
    // the cache has for afterwards are those before with one more at their end.
    unsafe {
        let Cache { names, distance } = *context.caches.add(cache as usize);
        let own = memory.add(layout::SHAPE as usize).cast::<usize>();
        let length = memory.add(layout::OBJECT_LEN as usize).cast::<u32>();
        let room = *memory.add(layout::OBJECT_ROOM as usize).cast::<u32>();
        if *own != names || *length >= room {
            return None;
        }
        let values = memory.add(layout::OBJECT_VALUES as usize).cast::<Value>();
        take_into(values.add(*length as usize), value);
        *length += 1;
        *own = distance;
    }
    Some(())
}

/// Sets an element of a list to a value, which is moved.
#[inline(always)]
pub unsafe fn set_index(_: &mut Context, base: V, value: V, at: impl Index) -> Option<()> {
    // SAFETY: see the head of this file.
    unsafe {
        let Value::Array(items) = &mut *base else {
            return None;
        };
        take(items.as_unique()?.get_mut(at.place())?, value);
    }
    Some(())
}

/// `list.push(value)`: result, list, first argument, how many there are.
#[inline(always)]
pub unsafe fn push_all(_: &mut Context, dst: V, list: V, first: V, count: u32) -> Option<()> {
    // SAFETY: see the head of this file.
    unsafe {
        let Value::Array(items) = &mut *list else {
            return None;
        };
        let items = items.as_unique().filter(|_| count == 1)?;
        let value = first.read();
        first.write(Value::Undefined);
        items.push(value);
        let length = items.len() as f64;
        clear(dst);
        dst.write(Value::Number(length));
    }
    Some(())
}

/// `a + b`: result, operands.
#[inline(always)]
pub unsafe fn add(_: &mut Context, dst: V, a: V, b: V) -> Option<()> {
    // SAFETY: see the head of this file.
    unsafe {
        let (a, b) = numbers(a, b)?;
        put(dst, Value::Number(a + b));
    }
    Some(())
}

/// The numbers of two numbers.
#[inline(always)]
unsafe fn numbers(a: V, b: V) -> Option<(f64, f64)> {
    // SAFETY: see the head of this file.
    match unsafe { (&*a, &*b) } {
        (Value::Number(a), Value::Number(b)) => Some((*a, *b)),
        _ => None,
    }
}

/// `a === b`
#[inline(always)]
pub unsafe fn strict_equal(_: &mut Context, a: V, b: V) -> Option<bool> {
    // SAFETY: see the head of this file.
    unsafe { numbers(a, b) }.map(|(a, b)| a == b)
}

/// `a == b`
#[inline(always)]
pub unsafe fn loose_equal(_: &mut Context, a: V, b: V) -> Option<bool> {
    // SAFETY: see the head of this file.
    unsafe { numbers(a, b) }.map(|(a, b)| a == b)
}

/// `<`, `>`, `<=`, `>=` by the constant 0 to 3.
#[inline(always)]
pub unsafe fn less(_: &mut Context, a: V, b: V, mode: u32) -> Option<bool> {
    // SAFETY: see the head of this file.
    let (a, b) = unsafe { numbers(a, b) }?;
    Some(match mode {
        0 => a < b,
        1 => a > b,
        2 => a <= b,
        _ => a >= b,
    })
}
