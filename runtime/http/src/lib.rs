//! The process's one HTTP listener: nodes add routes to it while they run, WebSocket upgrades and the control protocol
//! included; what stands around the routes (TLS, passwords, folders of files) is its [`Front`]. It knows nothing of flows.
//!
//! The listener runs on a thread of its own. It binds when it is first needed, or when it is told to; whence its socket comes, [`Listen`] says.

mod auth;
pub mod cors;
mod front;
mod listen;
pub mod local;
mod pattern;
mod server;
mod statics;
mod takeover;
pub mod tls;

pub use auth::BasicAuth;
pub use front::{Folder, Front};
pub use listen::Listen;
pub use statics::Files;

pub use pattern::{Params, Pattern, PatternError, percent_decode};
pub use server::{
    Body, Exchange, Gate, Handler, HttpServer, Responder, Response, RouteGuard, full,
};

pub use takeover::{Raw, take_over};

pub use bytes::Bytes;
pub use http;
pub use http_body_util;
pub use hyper;
pub use hyper_util;
