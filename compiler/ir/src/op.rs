//! Operators and edges: the data of a graph.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use vgdc_spec::{Effect, Role};

use crate::id::{EnvId, FlowId, GroupId};
use crate::ty::Ty;

/// An operator: a node of the flow file, or a node of a subflow's template in one instance of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Operator {
    /// The node's id; inside a subflow instance `INSTANCE-NODE`.
    pub id: String,
    /// Inside a subflow instance, the node's id in the template.
    pub alias: Option<String>,
    /// The node's type as the user sees it.
    pub ty: String,
    /// The registry's type that gives the behaviour, where it is not `ty`.
    pub process: Option<String>,
    /// The place where it runs, where that is not this process: what is here stands in for it.
    pub place: Option<String>,
    /// The node's name.
    pub name: Option<String>,
    /// The id of the tab or subflow instance, as the node has it.
    pub z: Option<String>,
    /// The id of the group, as the node has it.
    pub g: Option<String>,
    /// The flow whose context it uses.
    pub flow: FlowId,
    /// The flow whose catch, status and complete nodes hear of it: `flow`, but the global one for what has no place on the
    /// canvas and names a tab that is not there.
    pub heard_in: FlowId,
    /// The group, if it is there.
    pub group: Option<GroupId>,
    /// The scope in which its names are looked up.
    pub env: EnvId,
    /// Its part in the graph.
    pub part: Part,
    /// What it can do besides sending messages.
    pub effect: Effect,
    /// The properties, without the structural ones and without secrets.
    pub props: Map<String, Json>,
    /// The ids that each output is wired to, as the user sees them.
    pub wires: Vec<Vec<String>>,
    /// The type of what it takes.
    pub input: Ty,
    /// The types of what each output sends.
    pub outputs: Vec<Ty>,
    /// Switched off, itself or with its tab or subflow instance.
    pub disabled: bool,
    /// Hash over what makes a partial deploy restart it, without what it refers to.
    pub fingerprint: String,
    /// Where it is in the flow file.
    pub origin: Origin,
}

/// Where an operator comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Origin {
    /// The number of the object in its document.
    pub node: u32,
    /// First byte of the object in the file.
    pub start: u32,
    /// One past its last byte.
    pub end: u32,
}

impl Operator {
    /// The registry's type that gives the behaviour.
    pub fn process_type(&self) -> &str {
        self.process.as_deref().unwrap_or(&self.ty)
    }

    /// A name for people: the node's name, else its id in the flow file.
    pub fn label(&self) -> &str {
        self.name
            .as_deref()
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| self.source_id())
    }

    /// The id in the flow file.
    pub fn source_id(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.id)
    }
}

/// An operator's part in the graph: its [`Role`], with what that role's properties say.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Takes messages and sends messages.
    Operator,
    /// A configuration node.
    Config,
    /// A configuration node that holds variables for every flow.
    GlobalEnv,
    /// A catch, status or complete node.
    Listener(Listens),
    /// The entry of a virtual wire.
    LinkIn(Link),
    /// The exit into virtual wires.
    LinkOut(Link),
    /// Calls a link-in and waits for what a link-out returns.
    LinkCall(Link),
    /// A remark.
    Comment,
    /// Passes messages on.
    Junction,
    /// Stands for a subflow instance.
    SubflowInstance,
    /// Sets the status of the subflow instance with this id.
    SubflowStatus(String),
}

impl Part {
    /// The role that this part is of.
    pub fn role(&self) -> Role {
        match self {
            Part::Operator | Part::SubflowStatus(_) => Role::Operator,
            Part::Config => Role::Config,
            Part::GlobalEnv => Role::GlobalEnv,
            Part::Listener(listens) => listens.role(),
            Part::LinkIn(_) => Role::LinkIn,
            Part::LinkOut(_) => Role::LinkOut,
            Part::LinkCall(_) => Role::LinkCall,
            Part::Comment => Role::Comment,
            Part::Junction => Role::Junction,
            Part::SubflowInstance => Role::SubflowInstance,
        }
    }

    /// Whether others refer to it and it is no stage of a message's way.
    pub fn is_config(&self) -> bool {
        matches!(self, Part::Config | Part::GlobalEnv)
    }
}

/// What a listening operator listens to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "to")]
pub enum Listens {
    /// Errors.
    Errors {
        /// Of whom.
        scope: Scope,
        /// Only those that nobody else has handled.
        uncaught: bool,
    },
    /// Statuses.
    Statuses {
        /// Of whom.
        scope: Scope,
    },
    /// The end of the handling of a message.
    Completions {
        /// Of whom.
        scope: Scope,
    },
}

impl Listens {
    /// Of whom.
    pub fn scope(&self) -> &Scope {
        match self {
            Listens::Errors { scope, .. }
            | Listens::Statuses { scope }
            | Listens::Completions { scope } => scope,
        }
    }

    fn role(&self) -> Role {
        match self {
            Listens::Errors { .. } => Role::Catch,
            Listens::Statuses { .. } => Role::Status,
            Listens::Completions { .. } => Role::Complete,
        }
    }
}

/// Whom a listening operator listens to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// All operators of its flow.
    All,
    /// Those of its group and of the groups inside it.
    Group,
    /// The operators with these ids.
    Nodes(Vec<String>),
}

/// What a link node is linked with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Link {
    /// The ids at the other ends, as the node has them.
    pub links: Vec<String>,
    /// A link-out that returns to the caller; a link-call whose target is named by each message.
    pub by_message: bool,
}

/// An edge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edge {
    /// What it carries.
    pub kind: EdgeKind,
    /// The receiver is handled within the sender's send.
    pub fused: bool,
    /// The receiver is given the message itself, not a clone of it.
    pub moved: bool,
    /// Orders the edges of one kind that leave one operator.
    pub(crate) seq: u32,
}

/// What an edge carries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum EdgeKind {
    /// Messages of this output, along a wire.
    Wire(u16),
    /// Messages of this output, along a virtual wire between link nodes.
    Link(u16),
    /// Errors.
    Catch(Heard),
    /// Statuses.
    Status(Heard),
    /// Messages whose handling has ended.
    Complete,
    /// None: the sender refers to the receiver, a configuration node.
    Config,
    /// Messages to a link-in that the sender calls.
    Call,
    /// Messages back to the link-call that waits for them.
    Return,
    /// Messages that set the status of a subflow instance.
    SetStatus,
}

/// The place of a listener among all that hear of an operator.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Heard {
    /// Chains are tried independently of each other.
    pub chain: u16,
    /// Within a chain, the first level that handles it ends it.
    pub level: u16,
    /// Hears only what no other has handled.
    pub uncaught: bool,
}

impl EdgeKind {
    /// The output that it leaves from, if it carries messages of one.
    pub fn port(self) -> Option<u16> {
        match self {
            EdgeKind::Wire(port) | EdgeKind::Link(port) => Some(port),
            _ => None,
        }
    }

    /// The word for it in texts.
    pub fn word(self) -> &'static str {
        match self {
            EdgeKind::Wire(_) => "wire",
            EdgeKind::Link(_) => "link",
            EdgeKind::Catch(_) => "catch",
            EdgeKind::Status(_) => "status",
            EdgeKind::Complete => "complete",
            EdgeKind::Config => "config",
            EdgeKind::Call => "call",
            EdgeKind::Return => "return",
            EdgeKind::SetStatus => "set-status",
        }
    }
}
