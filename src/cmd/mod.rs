//! The verbs of the command line.

pub mod add;
pub mod bench;
pub mod build;
pub mod check;
pub mod convert;
pub mod deploy;
pub mod edit;
pub mod emit;
pub mod explain;
pub mod fmt;
pub mod import;
pub mod mesh;
pub mod node;
pub mod plan;
pub mod profile;
pub mod remove;
pub mod run;
pub mod test;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use vgdc::Flow;
use vgdc::driver::{Options, Session};
use vgdc::install::Installer;
use vgdc::packages::{Isolation, Shelf};
use vgdc::syntax::render::{self, TextOptions};
use vgdc::syntax::{Diagnostic, Diagnostics, SourceMap};

/// Where the packages are that a flow has nodes of.
#[derive(clap::Args)]
pub struct UserDir {
    /// Node-RED's user folder, with the packages that the flow has nodes of [default: the flow's folder]
    #[arg(long, value_name = "DIR")]
    user_dir: Option<PathBuf>,
}

impl UserDir {
    /// Reads a flow file with the packages beside it, or in the folder that is named.
    fn load(&self, flow: &Path) -> Flow {
        Flow::load_with(flow, self.user_dir.as_deref())
    }

    /// The folder that is named.
    fn named(&self) -> Option<&Path> {
        self.user_dir.as_deref()
    }

    /// The packages in the folder that is named.
    fn shelf(&self) -> Arc<Shelf> {
        Arc::new(Shelf::new(self.user_dir.clone(), Isolation::None))
    }
}

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

/// What a process is told, from options that were given as texts.
fn told(given: &[(&str, &Option<String>)]) -> Result<vgdc_app::Options, String> {
    let mut options = vgdc_app::Options::default();
    for (name, value) in given {
        if let Some(value) = value {
            options.take(name, &mut || Ok(value.clone()))?;
        }
    }
    Ok(options)
}

/// A process of this program that runs nothing as yet.
fn process(packages: &UserDir) -> vgdc_app::App {
    vgdc_app::App {
        name: "vgdc".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        registry: vgdc_stdlib::registry(),
        linked: &[],
        plan: None,
        credentials: Default::default(),
        settings: Default::default(),
        deployer: None,
        updates: None,
        attach: None,
        host_dir: packages.user_dir.clone(),
    }
}

/// What installs packages into a folder, and says so.
fn installer(folder: &Path) -> Result<Installer<'_>, String> {
    match folder.is_dir() {
        true => Ok(Installer {
            folder,
            aloud: Some(say_err),
        }),
        false => Err(format!("{} is no folder", folder.display())),
    }
}

/// How a command ends; why it failed is told.
fn done(result: Result<(), impl std::fmt::Display>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            say_err(&format!("vgdc: {why}\n"));
            ExitCode::FAILURE
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
