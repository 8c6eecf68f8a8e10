//! The agent of a mesh, one a host. Built so far: the control state that all agents share ([`state`]).

mod codec;
pub mod id;
pub mod manifest;
pub mod state;
