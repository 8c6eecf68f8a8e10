//! What a node's own file says of its code.

use crate::Body;
use serde_json::{Map, Value as Json};

/// The code of a node.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeCode {
    /// This function does what the node does with a message.
    Body(Body),
    /// The JavaScript in this property does.
    JavaScript(&'static str),
}

/// Makes code of a node with these properties, or says why it cannot be: the construct that is in the way. The node's
/// process handles its messages then.
pub type NodeLowering = fn(&Map<String, Json>) -> Result<NodeCode, String>;
