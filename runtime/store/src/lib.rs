//! Context stores: what `node`, `flow` and `global` context is kept in.
//!
//! [`Stores`] holds the named stores of a runtime. This version has the `memory` module; values are shared, copied on write,
//! and a read of a plain key allocates nothing.

mod memory;
mod stores;

pub use memory::Memory;
pub use stores::{StoreError, Stores};

use std::sync::Arc;

/// Whose context it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Everybody's.
    Global,
    /// A tab's or a subflow instance's, by its id.
    Flow(Arc<str>),
    /// A node's, by its id.
    Node(Arc<str>),
}

/// A text that names no scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownScope;

impl std::str::FromStr for Scope {
    type Err = UnknownScope;

    /// `global`, `flow:ID`, `node:ID`, as the control protocol names them.
    fn from_str(text: &str) -> Result<Scope, UnknownScope> {
        match text.split_once(':') {
            None if text == "global" => Ok(Scope::Global),
            Some(("flow", id)) if !id.is_empty() => Ok(Scope::Flow(id.into())),
            Some(("node", id)) if !id.is_empty() => Ok(Scope::Node(id.into())),
            _ => Err(UnknownScope),
        }
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Scope::Global => f.write_str("global"),
            Scope::Flow(id) => write!(f, "flow:{id}"),
            Scope::Node(id) => write!(f, "node:{id}"),
        }
    }
}
