//! The program that artifacts are copies of. It runs the plan that is appended to its own file.

use std::process::ExitCode;
use vgdc_plan::{Plan, artifact};
use vgdc_runner::{App, Options, options};

fn main() -> ExitCode {
    match prepared() {
        Ok(Some((app, options))) => vgdc_runner::run(app, &options),
        Ok(None) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{}: {why}", program());
            ExitCode::from(2)
        }
    }
}

fn program() -> String {
    let path = std::env::current_exe().unwrap_or_default();
    path.file_name().map_or_else(
        || "vgdc-runner".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// Reads the command line and the plan. `None` when all that was asked for is done.
fn prepared() -> Result<Option<(App, Options)>, String> {
    let mut options = Options::default();
    let mut manifest = false;
    let mut args = lexopt::Parser::from_env();
    while let Some(arg) = args.next().map_err(|e| e.to_string())? {
        match arg {
            lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => {
                println!(
                    "usage: {} [OPTIONS]\n\nRuns the flows it was built from.\n\n{}      --manifest           print what is in this program, as JSON, and end",
                    program(),
                    options::HELP
                );
                return Ok(None);
            }
            lexopt::Arg::Long("version") | lexopt::Arg::Short('V') => {
                println!("{} (vgdc {})", program(), env!("CARGO_PKG_VERSION"));
                return Ok(None);
            }
            lexopt::Arg::Long("manifest") => manifest = true,
            lexopt::Arg::Long(name) => {
                let name = name.to_owned();
                let mut value = || {
                    let value = args.value().map_err(|e| e.to_string())?;
                    value
                        .into_string()
                        .map_err(|_| "an argument is not valid UTF-8".to_owned())
                };
                if !options.take(&name, &mut value)? {
                    return Err(format!("unknown option --{name}: see --help"));
                }
            }
            other => return Err(format!("{}: see --help", other.unexpected())),
        }
    }
    let plan = own_plan()?;
    if manifest {
        // (to a pipe that is closed early)
        let _ = std::io::Write::write_all(&mut std::io::stdout(), manifest_of(&plan).as_bytes());
        return Ok(None);
    }
    let app = App {
        name: program(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        registry: vgdc_stdlib::registry(),
        plan: Some(plan),
        credentials: Default::default(),
        settings: Default::default(),
        deployer: None,
        updates: None,
    };
    Ok(Some((app, options)))
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

fn manifest_of(plan: &Plan) -> String {
    match serde_json::to_string_pretty(plan) {
        Ok(text) => text + "\n",
        Err(error) => format!(
            "{{\"error\":{}}}\n",
            serde_json::Value::from(error.to_string())
        ),
    }
}
