//! The middle of vgdc: resolves a flow file into a graph, optimises the graph, makes a plan of it.
//!
//! Invariants of this crate:
//! * Nodes are known by their [`vgdc_spec::NodeSpec`] in the [`Registry`] alone: no node type is named here.
//! * Nothing here does I/O, and the same input gives the same output, bit for bit.
//! * A pass changes neither the sequence of messages that arrive at any operator nor the sequence of effects of any operator.
//! * Whatever is wrong with a flow is a diagnostic; there is always a graph.

pub mod context;
pub mod fingerprint;
pub mod islands;
pub mod keys;
pub mod partition;
pub mod passes;
pub mod pipeline;
pub mod plan;
pub mod registry;
pub mod resolve;
pub mod scripts;
pub mod shift;
pub mod trace;
pub mod typed;
pub mod typing;

pub use keys::{ContextUse, Keys};
pub use plan::lower;
pub use registry::{Away, Registry};
pub use resolve::{modules, resolve};
pub use scripts::{NoScripts, ScriptFault, ScriptInfo, ScriptTypes};
pub use trace::Trace;
pub use typed::ScriptKind;
