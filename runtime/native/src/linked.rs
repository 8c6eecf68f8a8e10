//! For functions that are compiled with the program (`vgdc build --release`): what code of other targets has inline stands
//! here to be inlined, and what is seldom needed calls the same helpers.
//!
//! A generated function gets the context and the frame as references, which tells LLVM that nothing else leads to them. It
//! works with addresses of slots, and ends with [`Left`], or with `None` for a bail-out.
//!
//! What has a quick way is in both [`mod@quick`] and [`slow`], with the same parameters, and called by `quick!`: the quick way says
//! without a call whether it has done it, and only the slow one can bail out. Were both in one function, every use would ask
//! on the quick way, too, whether it has bailed out.
//!
//! # Safety
//! For all that is unsafe here, as for the helpers (`helpers.rs`): it is called by code that the compiler made, with the
//! context of its call, and with addresses of values that are valid: slots of the frame, or values inside them found since
//! anything was last changed.

#![allow(
    clippy::missing_safety_doc,
    reason = "it is the same for all and stands at the head"
)]

pub mod quick;
pub mod slow;

use crate::builtin;
use crate::code::Entry;
use vgdc_plan::native::{BAIL, BY_VALUE, OK, layout};

pub use crate::call::Context;
pub use slow::*;
pub use vgdc_plan::native::{Builtin, Host, Math, Method, Mutation};
pub use vgdc_value::Value;

/// The address of a value.
pub type V = *mut Value;

/// A function that was compiled with the program.
#[derive(Debug, Clone, Copy)]
pub struct Linked {
    entry: Entry,
    slots: u32,
}

impl Linked {
    /// What [`linked!`](crate::linked!) makes.
    ///
    /// # Safety
    /// The function can be called with a context and a frame of that many values.
    pub const unsafe fn new(entry: Entry, slots: u32) -> Linked {
        Linked { entry, slots }
    }

    pub(crate) fn slots(&self) -> u32 {
        self.slots
    }

    pub(crate) fn entry(&self) -> Entry {
        self.entry
    }
}

/// What a program registers of a generated function: `linked!(name, slots)`.
#[macro_export]
macro_rules! linked {
    ($function:path, $slots:literal) => {{
        unsafe extern "C" fn entry(
            context: *mut $crate::linked::Context,
            frame: *mut $crate::linked::Value,
        ) -> u32 {
            // SAFETY: the caller gives the context of this call, and a frame of so many values that nobody else uses.
            unsafe {
                let frame = &mut *frame.cast::<[$crate::linked::Value; $slots]>();
                let result = $function(&mut *context, frame);
                $crate::linked::end(&mut *context, result)
            }
        }
        // SAFETY: the function was generated for a frame of this size.
        unsafe { $crate::linked::Linked::new(entry, $slots) }
    }};
}

/// Does something the quick way where that goes, else the slow way, which may bail out: `quick!(add(cx, v(1), v(2), v(3)))`.
#[macro_export]
macro_rules! quick {
    ($name:ident($context:ident $(, $arg:expr)*)) => {
        match $crate::linked::quick::$name($context $(, $arg)*) {
            Some(done) => done,
            None => $crate::linked::slow::$name($context $(, $arg)*)?,
        }
    };
}

pub use crate::quick;

/// How a call ended well: the slot of the value, and the output by which it leaves.
#[derive(Debug, Clone, Copy)]
pub struct Left {
    slot: u32,
    port: u32,
}

/// The value in a slot is what the code returned.
#[inline(always)]
pub fn returned(slot: u32) -> Left {
    Left {
        slot,
        port: BY_VALUE,
    }
}

/// The message leaves by an output.
#[inline(always)]
pub fn sent(port: u32) -> Left {
    Left { slot: 0, port }
}

/// How a generated function ends; without anything it has bailed out.
#[inline(always)]
pub fn end(context: &mut Context, left: Option<Left>) -> u32 {
    match left {
        Some(Left { slot, port }) => {
            context.result = slot;
            context.port = port;
            OK
        }
        None => BAIL,
    }
}

/// What follows is the code of another operator.
#[inline(always)]
pub fn stage(context: &mut Context, number: u32) {
    context.stage = number;
}

/// The addresses of the frame's slots, by their numbers.
#[inline(always)]
pub fn slots<const N: usize>(frame: &mut [Value; N]) -> impl Fn(usize) -> V + Copy + use<N> {
    let first = frame.as_mut_ptr();
    // (the compiler knows how many slots there are)
    move |number| first.wrapping_add(number)
}

#[inline(always)]
pub(crate) unsafe fn kind(v: V) -> u8 {
    // SAFETY: see the head of this file. A value begins with its kind.
    unsafe { *v.cast::<u8>() }
}

/// Whether a value owns memory.
#[inline(always)]
unsafe fn owns(v: V) -> bool {
    // SAFETY: see the head of this file.
    layout::OWNING >> unsafe { kind(v) } & 1 != 0
}

#[cold]
#[inline(never)]
unsafe fn release(v: V) {
    // SAFETY: see the head of this file.
    unsafe { *v = Value::Undefined };
}

/// What was there lets go of its memory; what is there then owns none.
#[inline(always)]
pub unsafe fn clear(v: V) {
    // SAFETY: see the head of this file.
    unsafe {
        if owns(v) {
            release(v);
        }
    }
}

/// Puts a value into a place.
#[inline(always)]
pub unsafe fn put(dst: V, value: Value) {
    // SAFETY: see the head of this file. What was there owns nothing when it is overwritten.
    unsafe {
        clear(dst);
        dst.write(value);
    }
}

/// Puts a value into a place that owns no memory.
#[inline(always)]
pub unsafe fn write(dst: V, value: Value) {
    // SAFETY: see the head of this file.
    unsafe { dst.write(value) };
}

/// Moves a value into a place that owns no memory; the source is undefined then.
#[inline(always)]
pub unsafe fn take_into(dst: V, src: V) {
    // SAFETY: see the head of this file.
    unsafe {
        dst.write(src.read());
        src.write(Value::Undefined);
    }
}

/// Moves a value; the source is undefined then.
#[inline(always)]
pub unsafe fn take(dst: V, src: V) {
    // SAFETY: see the head of this file.
    unsafe {
        clear(dst);
        take_into(dst, src);
    }
}

/// Copies a value.
#[inline(always)]
pub unsafe fn copy(dst: V, src: V) {
    // SAFETY: see the head of this file. Bits are copied only of what owns nothing.
    unsafe {
        if owns(dst) || owns(src) {
            copy_whole(dst, src);
        } else {
            dst.copy_from(src, 1);
        }
    }
}

#[cold]
#[inline(never)]
unsafe fn copy_whole(dst: V, src: V) {
    // SAFETY: see the head of this file. (The source may be inside the destination: it is cloned first.)
    unsafe {
        let value = (*src).clone();
        *dst = value;
    }
}

/// `ToBoolean`.
#[inline(always)]
pub unsafe fn truthy(v: V) -> bool {
    // SAFETY: see the head of this file.
    match unsafe { &*v } {
        Value::Bool(b) => *b,
        Value::Number(n) => truthy_number(*n),
        Value::Undefined | Value::Null => false,
        other => other.truthy(),
    }
}

/// Whether a number is neither 0 nor NaN.
#[inline(always)]
pub fn truthy_number(n: f64) -> bool {
    n != 0.0 && !n.is_nan()
}

/// Bails out when a value is of another kind.
#[inline(always)]
pub unsafe fn expect(v: V, wanted: u8) -> Option<()> {
    // SAFETY: see the head of this file.
    (unsafe { kind(v) } == wanted).then_some(())
}

/// Whether a value is undefined or null.
#[inline(always)]
pub unsafe fn nullish(v: V) -> bool {
    // SAFETY: see the head of this file.
    unsafe { kind(v) <= layout::NULL }
}

/// Whether a value is undefined.
#[inline(always)]
pub unsafe fn undefined(v: V) -> bool {
    // SAFETY: see the head of this file.
    unsafe { kind(v) == layout::UNDEFINED }
}

/// `ToInt32`.
#[inline(always)]
pub fn int(n: f64) -> i32 {
    if n.abs() < 9.0e18 {
        // SAFETY: it fits into 64 bits.
        unsafe { n.to_int_unchecked::<i64>() as i32 }
    } else {
        vgdc_value::number::to_int32(n)
    }
}

/// `ToUint32`.
#[inline(always)]
pub fn uint(n: f64) -> u32 {
    int(n) as u32
}

/// `x % y` of whole numbers, the second a positive constant.
#[inline(always)]
pub fn remainder_int(x: i64, y: i64) -> f64 {
    if x >= 0 {
        (x % y) as f64
    } else {
        // (a zero has the sign of `x`)
        x as f64 % y as f64
    }
}

/// `x % y`
#[inline(always)]
pub fn remainder(x: f64, y: f64) -> f64 {
    let (a, b) = (x as u32, y as u32);
    if b != 0 && f64::from(a) == x && f64::from(b) == y {
        f64::from(a % b).copysign(x)
    } else {
        x % y
    }
}

/// `Math.round`
#[inline(always)]
pub fn round(x: f64) -> f64 {
    builtin::round(x)
}

/// `Math.sign`
#[inline(always)]
pub fn sign(x: f64) -> f64 {
    builtin::sign(x)
}

/// `Math.max` of two.
#[inline(always)]
pub fn max(x: f64, y: f64) -> f64 {
    builtin::max(x, y)
}

/// `Math.min` of two.
#[inline(always)]
pub fn min(x: f64, y: f64) -> f64 {
    builtin::min(x, y)
}

/// The other functions of one number. They are called, so that LLVM cannot know the result of one better than it is.
#[inline(never)]
pub fn math1(x: f64, which: Math) -> f64 {
    builtin::math1(which, x)
}

/// The other functions of two numbers.
#[inline(never)]
pub fn math2(x: f64, y: f64, which: Math) -> f64 {
    builtin::math2(which, x, y)
}

/// How often loops may go around before they look at the clock.
#[inline(always)]
pub fn fuel(context: &Context) -> u32 {
    context.fuel
}

/// The elements of a list, as long as nobody changes it.
#[derive(Clone, Copy, Debug)]
pub struct List {
    pub(crate) first: *const Value,
    pub(crate) count: usize,
}

/// The elements of a list; none of what is no list.
#[inline(always)]
pub unsafe fn list(v: V) -> List {
    // SAFETY: see the head of this file.
    match unsafe { &*v } {
        Value::Array(items) => List {
            first: items.as_ptr(),
            count: items.len(),
        },
        _ => List {
            first: std::ptr::null(),
            count: 0,
        },
    }
}

/// What an element can be asked for by.
pub trait Index: Copy {
    /// As a place in a list; one that no list has for what is no index.
    fn place(self) -> usize;
    /// As JavaScript has it.
    fn number(self) -> f64;
}

impl Index for f64 {
    #[inline(always)]
    fn place(self) -> usize {
        let at = self as u32;
        if f64::from(at) == self {
            at as usize
        } else {
            usize::MAX
        }
    }

    #[inline(always)]
    fn number(self) -> f64 {
        self
    }
}

impl Index for i64 {
    #[inline(always)]
    fn place(self) -> usize {
        self as usize
    }

    #[inline(always)]
    fn number(self) -> f64 {
        self as f64
    }
}
