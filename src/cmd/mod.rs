//! The verbs of the command line.

pub mod bench;
pub mod build;
pub mod check;
pub mod emit;
pub mod explain;
pub mod run;

use std::io::{IsTerminal, Write};
use vgdc::Flow;
use vgdc::syntax::render::{self, TextOptions};

/// Diagnostics that are shown before the rest is only counted.
const SHOWN: usize = 50;

/// Prints what there is to say about a flow to standard error, for people.
fn print_diagnostics(flow: &Flow) {
    if flow.diagnostics.is_empty() {
        return;
    }
    let color = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let options = TextOptions {
        color,
        limit: Some(SHOWN),
    };
    say_err(&render::text(&flow.diagnostics, &flow.sources, &options));
}

/// Writes to standard error; a reader that has gone away is no error.
fn say_err(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Writes to standard output; a reader that has gone away is no error.
fn say(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}
