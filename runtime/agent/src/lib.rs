//! The agent of a mesh, one a host ([`daemon`]): the control state that all agents share ([`state`]), its replicas ([`replica`]) and how they
//! reach each other ([`wire`]), values that flows share through it ([`context`]), the store of programs ([`artifacts`]) and their
//! supervision ([`supervise`]).

pub mod artifacts;
mod codec;
pub mod context;
pub mod daemon;
pub mod id;
pub mod manifest;
mod raft;
pub mod replica;
pub mod state;
pub mod supervise;
pub mod wire;
