//! Passes over the graph, one file each. Each file says what its pass is for, when it is legal and when it pays.

pub mod bind_links;
pub mod drop_disabled;
pub mod invert_scopes;
pub mod order;
