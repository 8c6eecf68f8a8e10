//! `vgdc add PACKAGE`: installs a Node-RED package with npm, and writes down that the flow has nodes of it.

use std::path::PathBuf;
use std::process::ExitCode;
use vgdc_editor::PackageFault;

#[derive(clap::Args)]
pub struct Args {
    /// npm packages, with versions if need be (`node-red-dashboard`, `@flowfuse/node-red-dashboard@1.26`); without any, those
    /// that vgdc.toml names
    packages: Vec<String>,
    /// The folder to install into: Node-RED's user folder, or the folder that the flow is in
    #[arg(long, value_name = "DIR", default_value = ".")]
    user_dir: PathBuf,
    /// Install Node-RED's runtime as well, in a folder of vgdc's own, even where there is one
    #[arg(long)]
    runtime: bool,
}

pub fn run(args: &Args) -> ExitCode {
    super::done(add(args))
}

fn add(args: &Args) -> Result<(), PackageFault> {
    let installer = super::installer(&args.user_dir)?;
    if args.runtime {
        installer.add_runtime()?;
    }
    let labels = match (&*args.packages, args.runtime) {
        ([], true) => Vec::new(),
        ([], false) => installer.add_recorded()?,
        (wanted, _) => installer.add(wanted)?,
    };
    for label in labels {
        super::say_err(&format!("{label}\n"));
    }
    Ok(())
}
