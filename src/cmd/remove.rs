//! `vgdc remove PACKAGE`: removes what `vgdc add` has installed.

use std::path::PathBuf;
use std::process::ExitCode;
use vgdc_editor::PackageFault;

#[derive(clap::Args)]
pub struct Args {
    /// npm packages
    #[arg(required = true)]
    packages: Vec<String>,
    /// The folder that they are installed in: Node-RED's user folder, or the folder that the flow is in
    #[arg(long, value_name = "DIR", default_value = ".")]
    user_dir: PathBuf,
}

pub fn run(args: &Args) -> ExitCode {
    super::done(remove(args))
}

fn remove(args: &Args) -> Result<(), PackageFault> {
    super::installer(&args.user_dir)?.remove(&args.packages)
}
