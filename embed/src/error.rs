//! Why a flow does not do what it is asked.

use std::fmt;

/// What went wrong with a flow in a program.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// It could not be started: what nodes said, one line each.
    Start(String),
    /// It has no node of this id or name.
    NoNode(String),
    /// It has stopped.
    Stopped,
    /// A payload is of another type than the one asked for: where in it, and what was expected.
    Payload(String),
    /// Nothing answered in time.
    TimedOut,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Start(why) => write!(f, "the flow cannot be started: {why}"),
            Error::NoNode(name) => write!(f, "the flow has no node \"{name}\""),
            Error::Stopped => f.write_str("the flow has stopped"),
            Error::Payload(what) => f.write_str(what),
            Error::TimedOut => f.write_str("nothing answered in time"),
        }
    }
}

impl std::error::Error for Error {}

impl From<vgdc_value::Fault> for Error {
    fn from(fault: vgdc_value::Fault) -> Error {
        Error::Payload(fault.to_string())
    }
}

impl From<vgdc_core::RuntimeError> for Error {
    fn from(error: vgdc_core::RuntimeError) -> Error {
        match error.code.as_str() {
            "no-such-node" => Error::NoNode(error.message),
            _ => Error::Start(error.message),
        }
    }
}
