//! How the hosts of a mesh reach each other: who a node is ([`Identity`]), encrypted streams between nodes that admit each other ([`Net`]),
//! how they find each other on a subnet, and which of them are there ([`membership`]).
//!
//! libp2p is named in this crate alone, and no type of it leaves it: whatever instantiates its generics takes half a minute to build. One
//! process a host links this crate; the programs of flows do not.

mod address;
mod behaviour;
mod config;
mod driver;
mod error;
mod events;
mod faults;
mod handler;
mod hello;
mod identity;
mod keeper;
pub mod membership;
mod net;
mod shared;
mod stream;
mod subnet;

pub use config::{Gate, Limits, NetConfig};
pub use error::{ErrorKind, NetError};
pub use events::{Event, Events, Gone};
pub use identity::{Identity, short, verify};
pub use net::{Incoming, Net};
pub use stream::NetStream;
