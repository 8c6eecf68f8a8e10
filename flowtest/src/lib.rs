//! Tests of flows: a YAML file beside a flow says what is given, what happens, and what must come of it.
//!
//! A test runs the flow, compiled as for a deployment, in this process and in virtual time, with the nodes that reach out of
//! it replaced by stubs; so it takes milliseconds and comes out the same each time. `docs/testing-flows.md` is the format's
//! description.
//!
//! Invariants of this crate:
//! * It knows no node by what it does: which types reach outside is `stub::OUTSIDE`, the rest is the runtime's.
//! * A test file that cannot be used is an error with its line; it is never a test that passes.

pub mod coverage;
mod expect;
mod file;
mod hosted;
mod http_step;
pub mod junit;
mod live;
mod matcher;
mod names;
mod observed;
mod record;
mod replay;
mod report;
mod run;
mod stub;

pub use coverage::Coverage;
pub use file::{FileError, TestFile};
pub use record::{fresh, recorded};
pub use replay::{Difference, Replay, replay};
pub use report::text;
pub use run::{Case, Failure, Flow, Outcome, Runner, Suite};
