//! Processes on Linux: started behind a gate, recognised again, seen to end at once, killed with all that they started.

mod cgroup;
mod exit_info;
mod gate;
mod process;

pub(super) use cgroup::{Cgroups, Group};
pub(super) use gate::launch;
pub(super) use process::{Process, kill_marked};
