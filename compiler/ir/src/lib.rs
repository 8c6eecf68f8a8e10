//! The graph between the flow file and the plan: operators with ports, edges, flows, groups and environment scopes.
//!
//! Invariants of this crate:
//! * It knows no node type: what a node is comes from its [`vgdc_spec::NodeSpec`], as role, effect and ports.
//! * Everything in a graph has a typed `u32` id; the graph library underneath never shows.
//! * [`text::print`] gives the same text for the same graph, and [`text::parse`] reads it back.
//! * [`verify::verify`] says in English what must hold; it runs after every pass in debug builds.

pub mod env;
pub mod graph;
pub mod id;
pub mod op;
pub mod picture;
pub mod text;
pub mod ty;
pub mod verify;

pub use env::{EnvScope, EnvVar, Flow, FlowKind, Group};
pub use graph::{EdgeRef, Graph};
pub use id::{EdgeId, EnvId, FlowId, GroupId, OpId};
pub use op::{Edge, EdgeKind, Heard, Link, Listens, Operator, Origin, Part, Scope};
pub use ty::Ty;
