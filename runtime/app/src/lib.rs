//! A process that runs flows: what an artifact does, and what `vgdc run` does with a compiler beside it.
//!
//! It puts the pieces together: the runtime with the node library, the HTTP listener, the control protocol on standard
//! input and output or on a WebSocket, log lines, signals. It knows nothing of flow files.

#[cfg(feature = "links")]
mod agent;
#[cfg(not(feature = "links"))]
#[path = "no_agent.rs"]
mod agent;
mod app;
mod control_ws;
mod credentials;
mod link_stats;
#[cfg(feature = "links")]
mod links;
#[cfg(not(feature = "links"))]
#[path = "no_links.rs"]
mod links;
mod logging;
mod memory;
mod metrics;
#[cfg(feature = "links")]
mod nats;
mod operations;
pub mod options;
pub mod profile;
mod program;
mod settings;
mod signals;
mod steering;
pub mod trace_options;
#[cfg(feature = "traces")]
mod traces;
#[cfg(not(feature = "traces"))]
#[path = "no_traces.rs"]
mod traces;
pub mod whole;

pub use app::{App, Attach, Attached, run};
pub use control_ws::converse_on;
pub use credentials::Credentials;
pub use logging::Console;
pub use options::{Control, LogFormat, Options};
pub use program::Program;
pub use settings::{settings, settings_to_deploy};
