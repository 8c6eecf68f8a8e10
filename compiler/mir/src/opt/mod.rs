//! What makes a function faster, whatever machine it is for. Each pass leaves what the function does as it is.

mod forward;
mod hoist;
mod integral;
mod loops;
mod near;
mod owning;
mod scratch;
mod tables;
mod thread;
mod ticks;
mod views;

pub use integral::integral;
pub use loops::loops_without;
pub use owning::{Owners, owners_at_entry};
pub use views::{Viewed, viewed_at_entry};

use crate::Body;

/// Runs the passes over what operators have become together ([`crate::fuse`]): each has been optimised by itself.
pub fn optimise_fused(body: &mut Body) {
    forward::run(body);
    owning::run(body);
}

/// Runs the passes.
pub fn optimise(body: &mut Body) {
    // Before all that asks what is in a slot: a slot that only catches what a helper makes is seldom written.
    scratch::run(body);
    // Before hoist, which wants loops with one way back.
    thread::run(body);
    tables::run(body);
    hoist::run(body);
    ticks::run(body);
    views::run(body);
    near::run(body);
    owning::run(body);
}
