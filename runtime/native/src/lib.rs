//! Runs machine code that the compiler made of the code in nodes.
//!
//! The contract is `vgdc_plan::native`. Code that comes as bytes is copied into memory of its own, which is writable first and
//! executable then, never both. It works on a frame of values and calls the helpers of this crate for what does not stand in
//! it. Whatever a helper cannot do exactly as JavaScript does makes the call bail out: nothing that it did has been seen by anybody, and
//! the engine does it again.

mod buffers;
mod builtin;
mod call;
mod code;
mod collections;
mod dates;
mod expressions;
mod heap;
mod helpers;
pub mod linked;
mod locale;
mod method;
mod ops;
mod regex;
mod shared;
mod texts;

pub use call::{Context, Ended, Host, Level, Scope};
pub use code::{CodeError, Memory, Native};
