//! The agent of a mesh, one a host. Built so far: the control state that all agents share ([`state`]), its replicas ([`replica`]), values
//! that flows share through it ([`context`]), and how replicas reach each other ([`wire`]); compiled programs that a host keeps
//! ([`artifacts`]), and those that it runs ([`supervise`]).

pub mod artifacts;
mod codec;
pub mod context;
pub mod id;
pub mod manifest;
mod raft;
pub mod replica;
pub mod state;
pub mod supervise;
pub mod wire;
