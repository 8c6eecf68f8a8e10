//! What a node *is*, as constant data: its type, ports, fields, effects.
//!
//! This is the meeting point of the two halves of vgdc. The compiler reads these tables through its `Registry` and never
//! names a node; the runtime finds the behaviour that goes with a table by its type. No behaviour lives here.

use serde::{Deserialize, Serialize};

mod described;
mod form;
pub mod text;
mod typing;

pub use described::Described;
pub use form::{Form, Shown, When};
pub use text::Text;
pub use typing::{Need, TypeId, Types, Typing};

/// Everything the compiler, the editor and the documentation need to know about one node type.
#[derive(Debug, Clone, Copy)]
pub struct NodeSpec {
    /// Node-RED's type name, for example `http in`.
    pub ty: &'static str,
    /// The palette's category, for example `function`.
    pub category: &'static str,
    /// Number of input ports: 0 or 1.
    pub inputs: u8,
    /// How many output ports an instance has.
    pub outputs: Outputs,
    /// What the compiler has to know about the node's part in the graph.
    pub role: Role,
    /// What the node can do besides sending messages.
    pub effect: Effect,
    /// The properties that the node reads, or that the compiler reads for it.
    pub fields: &'static [FieldSpec],
    /// The properties of the form, in its order: `fields`, and what only editors read.
    pub form: &'static [FieldSpec],
    /// What it does to the types of messages.
    pub types: Types,
    /// What a message must have, for the node to do anything with it.
    pub needs: &'static [Need],
    /// How it is written in the text language.
    pub text: Text,
    /// Whether messages wait in it, for a time or for others, so that a circle of wires through it does not turn as fast as it
    /// can. (What reaches outside of the process waits for that, and need not say it.)
    pub waits: bool,
    /// Whether a copy of it may run in each process that has nodes that refer to it (of configuration nodes).
    pub copies: Copies,
    /// How it looks on the canvas.
    pub look: Look,
}

/// How nodes of a type look on the canvas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// A colour of CSS, Node-RED's; empty: the category's.
    pub color: &'static str,
    /// The name of Node-RED's picture for it; empty: the type's name.
    pub icon: &'static str,
    /// What the palette calls it, and a node without a name; empty: the type's name.
    pub label: &'static str,
    /// The button that it has.
    pub button: Button,
}

impl Look {
    /// Nothing of its own.
    pub const PLAIN: Look = Look {
        color: "",
        icon: "",
        label: "",
        button: Button::None,
    };
}

/// A button on the canvas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Button {
    /// None.
    None,
    /// Begins a message.
    Inject,
    /// Switches the node on and off (its property `active`).
    Toggle,
}

impl NodeSpec {
    /// A type of which no more is known than that it takes messages, sends messages, and may do anything.
    pub const fn unknown(ty: &'static str) -> NodeSpec {
        NodeSpec {
            ty,
            category: "",
            inputs: 1,
            outputs: Outputs::Fixed(1),
            role: Role::Operator,
            effect: Effect::Io,
            fields: &[],
            form: &[],
            types: Types::Unknown,
            needs: &[],
            text: Text::Plain,
            waits: false,
            copies: Copies::No,
            look: Look::PLAIN,
        }
    }

    /// The field with this property name.
    pub fn field(&self, name: &str) -> Option<&'static FieldSpec> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// True for nodes that others refer to and that have no place on the canvas.
    pub fn is_config(&self) -> bool {
        self.role == Role::Config
    }
}

/// Whether a configuration node may run in several processes at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copies {
    /// It is one thing: those who refer to it share it.
    No,
    /// It is data, or each process may have its own.
    Yes,
    /// Each process may have its own, unless this property is set: a name that only one can go by.
    Unless(&'static str),
}

/// How many output ports a node has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outputs {
    /// Always this many.
    Fixed(u16),
    /// As many as the number in this property says (a function's `outputs`).
    Field(&'static str),
    /// As many as the array in this property has elements (a switch's `rules`).
    Rules(&'static str),
}

/// A node's part in the graph, where it is more than "takes messages and sends messages".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// An ordinary operator.
    Operator,
    /// A configuration node: others hold its id in a property.
    Config,
    /// A configuration node whose `env` property holds variables for every flow (`global-config`).
    GlobalEnv,
    /// Receives errors of the nodes in its scope.
    Catch,
    /// Receives statuses of the nodes in its scope.
    Status,
    /// Is told when the nodes in its scope finish with a message.
    Complete,
    /// Entry of a virtual wire.
    LinkIn,
    /// Exit into virtual wires (`links`), or return to the caller (`mode: "return"`).
    LinkOut,
    /// Sends to a link-in and awaits the return (`links`, `linkType`).
    LinkCall,
    /// A remark: no behaviour.
    Comment,
    /// Passes each message on unchanged (`junction`); may be erased.
    Junction,
    /// The operator that stands for a subflow instance: passes its input on to the inner nodes.
    SubflowInstance,
    /// Works on something that a message carries and that cannot leave its process (a response): where messages come from
    /// another place, it runs there, too.
    Answer,
    /// Stands in for a node that runs in another place: hands its messages over, and does what it hears of it.
    StandIn,
    /// Stands in for a node of another part of the flow: sends its messages there.
    Sender,
    /// Gets what another part of the flow sends to a node.
    Receiver,
}

/// What a node can do besides sending messages; passes decide by it what may be moved, merged or dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// Output depends on the input message and configuration alone.
    Pure,
    /// Keeps state of its own between messages, or reads and writes context or timers.
    State,
    /// Begins messages by itself (timers, sockets).
    Source,
    /// Reaches outside of the process.
    Io,
}

/// One property of a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FieldSpec {
    /// Node-RED's property name.
    pub name: &'static str,
    /// What the text of the property means.
    pub kind: FieldKind,
    /// The default as JSON text (`"\"payload\""`, `"1"`, `"[]"`); what a missing property stands for.
    pub default: &'static str,
    /// The label in the form; empty when the property has no widget of its own.
    pub label: &'static str,
    /// Whether the node does nothing until it is given: its default is only where a form begins.
    pub required: bool,
    /// What the form offers, where it is one of a few texts: the value, and what people call it.
    pub choices: &'static [(&'static str, &'static str)],
    /// Of a typed input: the types that it may have; none where the node does not say.
    pub types: &'static [&'static str],
    /// What else forms have to know of it.
    pub form: Form,
}

/// What a property's value means, so that the compiler can check it without knowing the node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FieldKind {
    /// Free text.
    Text,
    /// A number (Node-RED often stores it as text).
    Number,
    /// A boolean (Node-RED often stores it as text).
    Bool,
    /// Structured data whose shape the node checks itself.
    Json,
    /// A typed input: the property that holds the type is named.
    Typed(&'static str),
    /// A property path of a message, such as `payload.a["b c"]`.
    MsgPath,
    /// A JavaScript function body.
    JavaScript,
    /// A JSONata expression.
    Jsonata,
    /// A mustache template.
    Mustache,
    /// The id of a configuration node of this type (the empty text: any type).
    ConfigRef(&'static str),
    /// Ids of other nodes (scopes, links).
    NodeIds,
    /// Names of modules of Node.js that code in the node uses: an array of objects with `module`.
    Modules,
    /// A secret: kept in the credentials, never in the flow or an artifact.
    Credential,
}
