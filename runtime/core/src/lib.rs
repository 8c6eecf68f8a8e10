//! The heart of the runtime: what a node's behaviour is ([`Process`]), how messages reach it ([`Cx`], queues, islands),
//! timers, errors, statuses, and the life of a deployment ([`Runtime`]).
//!
//! This crate knows no node, no compiler, no network protocol. It takes a `vgdc_plan::Plan` and a [`Registry`] of
//! behaviours. Each island of the plan runs on a thread of its own with a tokio current-thread runtime: the nodes' I/O
//! tasks and the nodes themselves take turns on it and need no locks.

pub mod clock;
pub mod config;
pub mod cx;
pub mod elsewhere;
pub mod env;
pub mod error;
pub mod event;
pub mod island;
pub mod links;
pub mod log;
pub mod mailbox;
pub mod native;
mod place;
pub mod process;
mod profile;
pub mod runtime;
pub mod services;
pub mod shared;
pub mod timers;
pub mod trace;

pub use clock::Clock;
pub use config::{Config, FromField};
pub use cx::{Completion, Cx};
pub use elsewhere::{Elsewhere, Told};
pub use error::NodeError;
pub use event::{Event, EventKind, Kinds, OpInfo, Sink};
pub use links::{Arrived, LinkEnd, LinkService, Links, Outgoing};
pub use log::{Level, LogSink};
pub use mailbox::{Mail, Mailbox};
pub use process::{Closing, Node, NodeDef, Process, Registry};
pub use runtime::{DeployType, Deployment, Preview, Runtime, RuntimeError, RuntimeOptions};
pub use services::Services;
pub use shared::Shared;
pub use timers::TimerId;
pub use trace::{SpanContext, Traces};

pub use vgdc_native::linked::Linked;
pub use vgdc_plan as plan;
pub use vgdc_spec as spec;
pub use vgdc_store as store;
pub use vgdc_value as value;
