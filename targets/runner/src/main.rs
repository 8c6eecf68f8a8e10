//! The program that artifacts are copies of. It runs the plan that is appended to its own file.

use std::process::ExitCode;
use vgdc_app::Program;
use vgdc_plan::{Plan, artifact};

fn main() -> ExitCode {
    let program = Program {
        name: "vgdc-runner",
        version: env!("CARGO_PKG_VERSION"),
        plan: own_plan,
        registry: vgdc_stdlib::registry,
        linked: &[],
    };
    program.main()
}

fn own_plan() -> Result<Plan, String> {
    let path = std::env::current_exe().map_err(|e| format!("cannot find its own file: {e}"))?;
    match artifact::read(&path) {
        Ok(Some(plan)) => Ok(plan),
        Ok(None) => {
            Err("this is a bare runner: `vgdc build FLOW -o APP` makes a program of it".to_owned())
        }
        Err(error) => Err(error.to_string()),
    }
}
