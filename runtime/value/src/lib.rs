//! Values and messages: what flows carry.
//!
//! A [`Value`] is 16 bytes, can be given to any thread, and is copied on write: a clone costs a reference count, whoever
//! changes a shared value gets his own copy of what he changes. So no cycle can ever be made.

mod bigint;
mod block;
pub mod cbor;
mod compare;
pub mod control;
mod convert;
pub mod date;
mod handle;
mod hash;
mod id;
pub mod json;
mod key;
mod layout;
mod msg;
mod nest;
pub mod number;
mod object;
mod path;
mod serde;
mod shape;
mod table;
#[cfg(test)]
mod testing;
mod text;
mod value;

pub use handle::Handle;
pub use id::{generate_id, generate_id_str};
pub use key::Key;
pub use msg::Msg;
pub use object::{Iter as ObjectIter, Object};
pub use path::{Path, PathError, PathSegment};
pub use serde::{Fault, FromMsg, IntoMsg, from_value, to_value};
pub use text::{Array, Buffer, Str};
pub use value::{ErrorValue, Rare, Value};
