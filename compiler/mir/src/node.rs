//! What a node's own file says of its code.

use crate::Body;
use serde_json::{Map, Value as Json};

/// The code of a node.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeCode {
    /// This function does what the node does with a message.
    Body(Box<Body>),
    /// The JavaScript in this property does.
    JavaScript(&'static str),
}

/// Makes code of a node with these properties, or says why it cannot be: the construct that is in the way. The node's
/// process handles its messages then.
///
/// The second argument says how many messages left by each output in a run that was measured; it is empty where nothing is
/// known. What the code does may not hang on it.
pub type NodeLowering = fn(&Map<String, Json>, &[u64]) -> Result<NodeCode, String>;
