//! `vgdc plan FLOW --mesh mesh.toml`: where a flow would be cut, and what that would be like. Builds nothing.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use vgdc::driver::Options;
use vgdc::syntax::{Diagnostics, Mesh};

#[derive(clap::Args)]
pub struct Args {
    /// The flow file, or a folder that has one
    flow: PathBuf,
    /// The machines, and what is to run where
    #[arg(long, value_name = "FILE")]
    mesh: PathBuf,
    /// A picture for Graphviz
    #[arg(long)]
    dot: bool,
    /// Decide by the traffic and loads of this profile (`vgdc run FLOW --profile` takes it)
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
    #[command(flatten)]
    user_dir: super::UserDir,
}

pub fn run(args: &Args) -> ExitCode {
    let mut flow = args.user_dir.load(&args.flow);
    let session = super::session(&mut flow, Options::default()).unobserved();
    let session = match super::profiled(session, args.profile.as_deref()) {
        Ok(session) => session,
        Err(code) => return code,
    };
    let mesh = mesh(&mut flow, &args.mesh);
    let cut = flow.cut_in(&session, &mesh);
    super::print_diagnostics(&flow);
    if flow.diagnostics.has_errors() {
        super::say_err("vgdc: no plan was made\n");
        return ExitCode::FAILURE;
    }
    super::say(&match args.dot {
        true => cut.dot(&mesh),
        false => cut.text(&mesh),
    });
    ExitCode::SUCCESS
}

/// Reads the machines; what is wrong with them is among what there is to say about the flow.
pub fn mesh(flow: &mut vgdc::Flow, file: &Path) -> Mesh {
    let (mut mesh, said): (Mesh, Diagnostics) = Mesh::read_file(&mut flow.sources, file, None);
    flow.diagnostics.append(said);
    mesh.shared = flow.config.shared_stores();
    mesh
}
