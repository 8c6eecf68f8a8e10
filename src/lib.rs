//! vgdc: a dataflow compiler for Node-RED flows.
//!
//! This crate is the façade over the rooms (see `docs/ARCHITECTURE.md`): it loads what belongs to a flow file and compiles
//! it with the node library. The command line (`src/cmd/`) is built on it.

pub mod away;
pub mod deployer;
pub mod insight;
pub mod install;
pub mod load;
pub mod native;
pub mod profile;
pub mod runner;

pub use away::with_packages;
pub use load::{Flow, folder_of, session};
pub use vgdc_driver as driver;
pub use vgdc_hosted as hosted;
pub use vgdc_packages as packages;
pub use vgdc_plan as plan;
pub use vgdc_syntax as syntax;
