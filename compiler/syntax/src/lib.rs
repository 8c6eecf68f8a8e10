//! The front end of vgdc: sources and spans, diagnostics, and the lossless reader and writer of Node-RED flow files.
//!
//! Invariants of this crate:
//! * Reading never fails half-way: it gives a document and a list of diagnostics, whatever the bytes were.
//! * Writing a document that nobody edited gives the bytes that were read.
//! * This is the only crate that knows Node-RED's structural field names (`id`, `z`, `wires`, `d` …). What a node type means
//!   by its other properties is known to that node's own file alone, so no node type is named here.
//! * A credential never appears in a diagnostic or in a `Debug` text.

mod check;
pub mod codes;
pub mod config;
pub mod creds;
pub mod diag;
pub mod edit;
mod excerpt;
pub mod flowdoc;
pub mod json;
pub mod mesh;
pub mod render;
mod rewrite;
pub mod source;

pub use codes::Code;
pub use config::{Config, nearest};
pub use creds::Credentials;
pub use diag::{BodyPos, Diagnostic, Diagnostics, Label, Level, NodeRef};
pub use edit::{Edit, EditError};
pub use flowdoc::{FlowDoc, NodeIx, NodeKind, RawNode};
pub use json::{Json, JsonDoc, Kind, Limits};
pub use mesh::Mesh;
pub use source::{LineCol, NodeSpan, SourceId, SourceMap, Span};
pub use vgdc_secrets::Secret;
