//! The command line of an artifact: a program that runs the one flow that is in it.

use crate::{App, Options, options};
use std::process::ExitCode;
use vgdc_core::{Linked, Registry};
use vgdc_plan::Plan;

/// A program that runs one flow.
pub struct Program {
    /// Its name, where its own file cannot be found.
    pub name: &'static str,
    /// The version of vgdc that made it.
    pub version: &'static str,
    /// Gives the flow that is in it.
    ///
    /// # Errors
    /// There is none, or it is damaged.
    pub plan: fn() -> Result<Plan, String>,
    /// The nodes that it has.
    pub registry: fn() -> Registry,
    /// Functions of the flow that were compiled with the program.
    pub linked: &'static [Linked],
}

/// The folder with Node-RED packages beside a program: `PROGRAM.host`.
fn host_dir() -> Option<std::path::PathBuf> {
    let mut path = std::env::current_exe().ok()?.into_os_string();
    path.push(".host");
    let path = std::path::PathBuf::from(path);
    path.is_dir().then_some(path)
}

impl Program {
    /// Reads the command line and runs. Exit code 0, 1 when it could not start, 2 when it was called wrongly.
    pub fn main(&self) -> ExitCode {
        match self.prepared() {
            Ok(Some((app, options))) => crate::run(app, &options),
            Ok(None) => ExitCode::SUCCESS,
            Err(why) => {
                eprintln!("{}: {why}", self.called());
                ExitCode::from(2)
            }
        }
    }

    fn called(&self) -> String {
        let path = std::env::current_exe().unwrap_or_default();
        path.file_name().map_or_else(
            || self.name.to_owned(),
            |name| name.to_string_lossy().into_owned(),
        )
    }

    /// Reads the command line and the plan. `None` when all that was asked for is done.
    fn prepared(&self) -> Result<Option<(App, Options)>, String> {
        let mut options = Options::default();
        let mut manifest = false;
        let mut args = lexopt::Parser::from_env();
        while let Some(arg) = args.next().map_err(|e| e.to_string())? {
            match arg {
                lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => {
                    println!(
                        "usage: {} [OPTIONS]\n\nRuns the flows it was built from.\n\n{}      --manifest           print what is in this program, as JSON, and end",
                        self.called(),
                        options::HELP
                    );
                    return Ok(None);
                }
                lexopt::Arg::Long("version") | lexopt::Arg::Short('V') => {
                    println!("{} (vgdc {})", self.called(), self.version);
                    return Ok(None);
                }
                lexopt::Arg::Long("manifest") => manifest = true,
                // (the options that go without their value)
                lexopt::Arg::Long(name @ ("profile" | "virtual-time")) => {
                    let name = name.to_owned();
                    let value = args.optional_value().unwrap_or_default();
                    let value = value
                        .into_string()
                        .map_err(|_| "an argument is not valid UTF-8".to_owned())?;
                    options.take(&name, &mut || Ok(value.clone()))?;
                }
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
        let plan = (self.plan)()?;
        if manifest {
            let text = serde_json::to_string_pretty(&plan).map_err(|e| e.to_string())?;
            // (to a pipe that is closed early)
            let _ = std::io::Write::write_all(&mut std::io::stdout(), (text + "\n").as_bytes());
            return Ok(None);
        }
        let app = App {
            name: self.called(),
            version: self.version.to_owned(),
            registry: (self.registry)(),
            linked: self.linked,
            settings: crate::settings(&plan.settings),
            plan: Some(plan),
            credentials: Default::default(),
            deployer: None,
            updates: None,
            attach: None,
            host_dir: host_dir(),
        };
        Ok(Some((app, options)))
    }
}
