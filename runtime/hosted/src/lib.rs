//! Runs the nodes of Node-RED packages: a Node.js process (the *host*) with Node-RED's runtime in it, without editor, that
//! runs exactly the nodes that the program only has stand-ins for; one process for each place that the plan names.
//!
//! ```text
//!   islands ── stand-ins ──▶ Outgoing ─▶ link (frames of JSON) ─▶ host: Node-RED's flows
//!      ▲            ▲                                               │
//!      └── mail ◀── Told ◀───────────── reader ◀────────────────────┘
//!   Stores ◀───────── line: one question, one answer ─── flow.get(…) of the host's nodes
//!   HttpServer ─────── what no route answers ──────────▶ the host's own HTTP server, on a socket in a private folder
//! ```
//!
//! Invariants of this crate:
//! * It knows no node and nothing of what the flows do.
//! * Whatever the host does (it throws, hangs, floods, dies), the program goes on: each wait has an end, each queue a limit.
//! * What is lost is said: messages that a host that died had not finished with, messages beyond a limit.

mod contexts;
mod files;
mod find;
mod hear;
mod host;
mod limits;
mod link;
mod outgoing;
mod pages;
mod part;
mod place;
mod process;
mod proxy;
mod session;
mod start;
mod supervise;

pub use find::{Found, NodeJs, own_folder};
pub use host::{Host, HostOptions};
