//! What a node does to the types of messages: said by the node, in constant data or a function, and asked by the compiler.
//!
//! Types are written as the compiler writes them: `object{payload: string, ..}`, `number | undefined` (docs/types.md).
//! All that is said must hold for every message that the node can send: what is not known for sure is `any`.

use std::fmt;

/// What a node sends, given what it gets.
#[derive(Clone, Copy)]
pub enum Types {
    /// Nothing is known of it.
    Unknown,
    /// Each output sends messages of one type, as text:
    /// * `msg`: what came in, as it came;
    /// * `msg{payload: string}`: what came in, with this instead of what those fields had; `$property` stands for the path
    ///   that the node's property of this name holds;
    /// * `object{payload: string, topic: string}`: messages of its own, whatever came in.
    Text(&'static str),
    /// It depends on the node's properties, or on the output.
    Code(fn(&mut dyn Typing)),
}

impl fmt::Debug for Types {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Types::Unknown => f.write_str("Unknown"),
            Types::Text(text) => write!(f, "Text({text:?})"),
            Types::Code(_) => f.write_str("Code"),
        }
    }
}

/// A field without which a node can do nothing with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// The field of the message.
    pub field: &'static str,
    /// What happens without it, as one sentence without a full stop.
    pub without: &'static str,
}

/// A type, by its number in the compiler's table, while one node is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeId(pub u32);

/// What a node's function can ask and say while types are inferred. There is a current message: at first what came in; it
/// is changed as the node would change the message, and sent.
///
/// Where the function does not send to an output, the node never does. A property that is only known when the flow starts
/// (`${NAME}`) makes all that the function says unknown, once it is asked for.
pub trait Typing {
    /// The text of a property, or of what is inside it (`rules.0.t`); its default when the node has none; else nothing.
    fn text(&mut self, path: &str) -> String;

    /// Whether the node has the property, or what is inside it.
    fn has(&mut self, path: &str) -> bool;

    /// How many elements a property has, or what is inside it; 0 when it is no list.
    fn count(&mut self, path: &str) -> usize;

    /// How many outputs this node has.
    fn outputs(&self) -> usize;

    /// The type that a text says.
    fn ty(&mut self, text: &str) -> TypeId;

    /// What has one of these types.
    fn either(&mut self, one: TypeId, other: TypeId) -> TypeId;

    /// Whether a value of one type may have the other too.
    fn may_be(&mut self, one: TypeId, other: TypeId) -> bool;

    /// What has the type of something that is inside an object or array of this type.
    fn members(&mut self, of: TypeId) -> TypeId;

    /// The type of what a property has, or of what is inside it, as it stands there.
    fn literal(&mut self, path: &str) -> TypeId;

    /// The type of a typed input, evaluated for the current message: what kind it is (`num`, `msg`, `json`) and its text.
    fn typed(&mut self, kind: &str, text: &str) -> TypeId;

    /// What is at a path in the current message.
    fn get(&mut self, path: &str) -> TypeId;

    /// Sets what is at a path in the current message, making what is not there on the way.
    fn set(&mut self, path: &str, ty: TypeId);

    /// What is at a path in the current message has this type, or there would be no message.
    fn only(&mut self, path: &str, ty: TypeId);

    /// What is at a path in the current message has not this type, or there would be no message.
    fn except(&mut self, path: &str, ty: TypeId);

    /// The type of the current message.
    fn message(&mut self) -> TypeId;

    /// Makes the current message one of this type.
    fn set_message(&mut self, ty: TypeId);

    /// Sends the current message to an output, counted from 0.
    fn send(&mut self, output: usize);

    /// Says that the node takes a value from a path in the current message because a property of it, or what is inside it, says
    /// so. That no message has anything there is reported.
    fn reads(&mut self, property: &str, path: &str);

    /// Sends what the code in a property sends, when it is called with the current message.
    fn script(&mut self, property: &str);
}
