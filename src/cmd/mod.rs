//! The verbs of the command line.

pub mod bench;
pub mod build;
pub mod check;
pub mod emit;
pub mod explain;
pub mod import;
pub mod profile;
pub mod run;
pub mod test;

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use vgdc::Flow;
use vgdc::driver::{Options, Session};
use vgdc::syntax::render::{self, TextOptions};
use vgdc::syntax::{Diagnostic, Diagnostics, SourceMap};

/// Diagnostics that are shown before the rest is only counted.
const SHOWN: usize = 50;

/// Prints what there is to say about a flow to standard error, for people.
fn print_diagnostics(flow: &Flow) {
    if flow.diagnostics.is_empty() {
        return;
    }
    say_err(&render::text(
        &flow.diagnostics,
        &flow.sources,
        &text_options(),
    ));
}

fn text_options() -> TextOptions {
    TextOptions {
        color: std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        limit: Some(SHOWN),
    }
}

/// Prints one thing there is to say, which is about no place in a flow.
fn print_one(diagnostic: &Diagnostic) {
    let mut diagnostics = Diagnostics::new();
    diagnostics.push(diagnostic.clone());
    say_err(&render::text(
        &diagnostics,
        &SourceMap::new(),
        &text_options(),
    ));
}

/// Does something that may take long and says what is going on: on a terminal in one line that changes, and is gone at the end.
fn with_progress<T>(act: impl FnOnce(&mut dyn FnMut(&str)) -> T) -> T {
    let terminal = std::io::stderr().is_terminal();
    let mut shown = false;
    let done = act(&mut |line| match terminal {
        true => {
            shown = true;
            say_err(&format!("\r\x1b[K{line}"));
        }
        false => say_err(&format!("{line}\n")),
    });
    if shown {
        say_err("\r\x1b[K");
    }
    done
}

/// A compiler that knows a flow's nodes; those of the project's own crates are compiled for that.
fn session(flow: &mut Flow, options: Options) -> Session {
    with_progress(|progress| flow.session(options, progress))
}

/// A compiler that decides by a profile, if one is named.
fn profiled(session: Session, file: Option<&Path>) -> Result<Session, ExitCode> {
    match file.map(vgdc::profile::read).transpose() {
        Ok(profile) => Ok(session.with_profile(profile)),
        Err(error) => {
            print_one(&error);
            Err(ExitCode::FAILURE)
        }
    }
}

/// Writes to standard error; a reader that has gone away is no error.
fn say_err(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Writes to standard output; a reader that has gone away is no error.
fn say(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}
