//! Passes over the graph, one file each. Each file says what its pass is for, when it is legal and when it pays.
//! Their order is in [`crate::pipeline`].

pub mod bind_links;
pub mod drop_disabled;
pub mod elide_clones;
pub mod erase_comments;
pub mod erase_junctions;
pub mod fuse;
pub mod infer_types;
pub mod invert_scopes;
pub mod join_places;
pub mod order;
pub mod prune_dead;
pub mod pull_away;
#[cfg(test)]
pub(crate) mod testing;
