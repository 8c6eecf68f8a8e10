//! Flows inside Rust programs.
//!
//! [`flow!`] compiles a flow together with the program that it stands in: the text is the language of `.flow` files, what vgdc makes of
//! it is Rust, and rustc checks the closures in it. The result is a [`Flow`], a value: start it, feed it, listen to it, stop it.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use vgdc_flow::flow;
//!
//! #[derive(Deserialize)]
//! struct Reading { sensor: String, temp: f64 }
//! #[derive(Serialize, Deserialize, Debug, PartialEq)]
//! struct Alert { sensor: String, over: f64 }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), vgdc_flow::Error> {
//! let limit = 30.0;
//! let flow = flow! {
//!     program_in("readings")
//!         -> move |it: Reading| -> Option<Alert> {
//!             (it.temp > limit).then_some(Alert { sensor: it.sensor, over: it.temp - limit })
//!         }
//!         -> program_out("alerts");
//! };
//! let running = flow.start().await?;
//! let mut alerts = running.output::<Alert>("alerts");
//! running.input("readings")?.send(serde_json::json!({ "sensor": "kitchen", "temp": 31.5 })).await?;
//! let alert = alerts.next().await.expect("one")?;
//! assert_eq!(alert, Alert { sensor: "kitchen".into(), over: 1.5 });
//! running.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! The guide is docs/flow-macro.md, the language docs/flow-text.md.

mod closure;
mod error;
mod flow;
mod merge;
mod running;

pub use error::Error;
pub use flow::Flow;
pub use running::{Input, Log, Metrics, NodeMetrics, Output, Running};
pub use vgdc_core::{Level, NodeError};
pub use vgdc_macros_flow::{flow, include_flow};
pub use vgdc_value::{Msg, Value, from_value, to_value};

/// What `flow!` writes; not for people.
#[doc(hidden)]
pub mod __private {
    pub use crate::closure::{
        CLOSURE, Carries, Out, Step, asynchronous, from_output, many, maybe, nothing, one, sync,
        tried, wire,
    };
    pub use {serde_json, vgdc_core, vgdc_native, vgdc_plan, vgdc_stdlib};
}
