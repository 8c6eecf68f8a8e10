//! `vgdc node`: the agent of this machine. It is a program of its own, `vgdc-agent`, so that machines which only run flows need no compiler.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use vgdc::runner;

#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub struct Args {
    /// What the agent is told: `vgdc node --help` says it
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<std::ffi::OsString>,
}

pub fn run(args: &Args) -> ExitCode {
    let agent = match runner::agent() {
        Ok(agent) => agent,
        Err(why) => {
            super::say_err(&format!("vgdc: {why}\n"));
            return ExitCode::FAILURE;
        }
    };
    // (it takes this process's place, so it returns only where it could not)
    let error = Command::new(&agent).args(&args.args).exec();
    super::say_err(&format!("vgdc: cannot run {}: {error}\n", agent.display()));
    ExitCode::FAILURE
}
