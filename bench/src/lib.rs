//! `vgdc bench`: what a flow costs.
//!
//! A [`case::Case`] is a flow, a way to drive it, and the figures it gives: the built-in [`suite`], or a user's flow
//! ([`entry`]). [`measure`] runs it on each [`target`] by starting processes and reading what the kernel says of them; a
//! [`figure::Report`] is what comes of it, as JSON, text and HTML ([`report`]), and can be held against a saved one
//! ([`verdict`]).
//!
//! Nothing of vgdc is linked: it is run as a user runs it.

pub mod broker;
pub mod case;
pub mod control;
pub mod drive;
pub mod entry;
pub mod figure;
pub mod guard;
pub mod http;
pub mod instrument;
pub mod latency;
pub mod load;
pub mod log;
pub mod machine;
pub mod measure;
pub mod node_red;
pub mod proc;
pub mod report;
pub mod suite;
pub mod target;
pub mod verdict;

use case::Case;
use figure::Report;
use machine::Machine;
use measure::Settings;

/// Measures cases on targets. Child processes and temporary folders are gone when it returns, and when it is told to stop.
/// `progress` is told the case, and what is being done.
pub fn run(
    cases: &[Case],
    settings: &Settings,
    version: &str,
    progress: &mut dyn FnMut(&str, &str),
) -> Report {
    guard::clean_up_on_signals();
    let machine = Machine::this();
    let mut warnings = Vec::from_iter(machine.warning());
    let reports = cases
        .iter()
        .map(|case| measure::case(case, settings, &mut warnings, progress))
        .collect();
    let takes_part = settings.targets.contains(&target::Target::NodeRed);
    let node_red = settings.programs.node_red.as_ref().filter(|_| takes_part);
    Report {
        vgdc: version.to_owned(),
        node_red: node_red.map(|found| found.version.clone()),
        machine,
        seconds: settings.time.as_secs_f64(),
        repeat: settings.repeat,
        targets: settings
            .targets
            .iter()
            .map(|t| t.name().to_owned())
            .collect(),
        warnings,
        cases: reports,
    }
}

/// A port of 127.0.0.1 that is free now.
///
/// # Errors
/// There is none.
pub fn free_port() -> Result<u16, String> {
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
    free.map(|address| address.port())
        .map_err(|e| format!("there is no free port on 127.0.0.1: {e}"))
}
