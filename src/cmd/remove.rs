//! `vgdc remove PACKAGE`: removes what `vgdc add` has installed.

use std::path::PathBuf;
use std::process::ExitCode;
use vgdc::install::{Fault, Installer};

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

fn remove(args: &Args) -> Result<(), Fault> {
    let installer = Installer {
        folder: super::user_folder(&args.user_dir)?,
        aloud: Some(super::say_err),
    };
    installer.remove(&args.packages)
}
