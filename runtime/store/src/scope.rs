//! Whose context it is.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Whose context it is. Cheap to clone.
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

impl fmt::Display for UnknownScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a scope is \"global\", \"flow:ID\" or \"node:ID\"")
    }
}

impl std::error::Error for UnknownScope {}

impl FromStr for Scope {
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

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::Global => f.write_str("global"),
            Scope::Flow(id) => write!(f, "flow:{id}"),
            Scope::Node(id) => write!(f, "node:{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_written_as_it_is_read() {
        for text in ["global", "flow:f", "node:a-b", "node:a:b"] {
            assert_eq!(text.parse::<Scope>().expect(text).to_string(), text);
        }
        for text in ["", "x:y", "flow:", "node", "Global", "global:x"] {
            assert_eq!(text.parse::<Scope>(), Err(UnknownScope), "{text}");
        }
    }
}
