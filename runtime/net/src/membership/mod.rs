//! Which nodes of the mesh are there: SWIM over streams of the [`Net`](crate::Net). [`Machine`] decides, without sockets and clock;
//! [`Membership`] runs one on a net; [`simulation`] runs a thousand on none.

mod machine;
mod service;
pub mod simulation;
mod tuning;
mod wire;

pub use machine::{Admitted, Change, Machine, MemberInfo, MemberState, Output};
pub use service::{Changes, Membership, PROTOCOL};
pub use tuning::Tuning;
pub use wire::LONGEST_NAME;
