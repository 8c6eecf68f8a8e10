//! What code in Rust takes of a message, and what it makes of one.

use super::{Fault, from_value, to_value};
use crate::Msg;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What is made of a message for code that takes it: of the payload any type that can be read, or the message itself.
pub trait FromMsg: Sized {
    /// Takes it.
    ///
    /// # Errors
    /// The payload is something else.
    fn from_msg(msg: &Msg) -> Result<Self, Fault>;
}

/// What becomes a message: any type that can be written is the payload of the message that it was made of, a message is itself.
pub trait IntoMsg {
    /// Makes it out of the message that it was made of.
    ///
    /// # Errors
    /// It cannot be written; the message is as it was then.
    fn put_into(self, msg: &mut Msg) -> Result<(), Fault>;
}

impl<T: DeserializeOwned + 'static> FromMsg for T {
    fn from_msg(msg: &Msg) -> Result<T, Fault> {
        from_value(msg.payload()).map_err(|fault| fault.within("payload"))
    }
}

impl FromMsg for Msg {
    fn from_msg(msg: &Msg) -> Result<Msg, Fault> {
        Ok(msg.clone())
    }
}

impl<T: Serialize + 'static> IntoMsg for T {
    fn put_into(self, msg: &mut Msg) -> Result<(), Fault> {
        msg.set_payload(to_value(&self)?);
        Ok(())
    }
}

impl IntoMsg for Msg {
    fn put_into(self, msg: &mut Msg) -> Result<(), Fault> {
        *msg = self;
        Ok(())
    }
}
