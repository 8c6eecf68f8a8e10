//! `vgdc explain FLOW`: what the compiler did with each node and why. `vgdc explain VG0042`: what a code means.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use vgdc::driver::Options;
use vgdc::syntax::codes::{self, Code};

#[derive(clap::Args)]
pub struct Args {
    /// A flow file, or a diagnostic's code such as VG0042
    what: String,
    /// Only this node
    #[arg(long)]
    node: Option<String>,
    /// What is done for a program (`vgdc build`), of which nobody watches single nodes
    #[arg(long)]
    program: bool,
    /// Decide by this profile (`vgdc run FLOW --profile` takes it) what is worth what
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
    #[command(flatten)]
    user_dir: super::UserDir,
}

pub fn run(args: &Args) -> ExitCode {
    if let Ok(code) = args.what.parse::<Code>() {
        return explain_code(code);
    }
    let mut flow = args.user_dir.load(Path::new(&args.what));
    let session = super::session(&mut flow, Options::default());
    let session = match args.program {
        true => session.unobserved(),
        false => session,
    };
    let compiled = match super::profiled(session, args.profile.as_deref()) {
        Ok(session) => flow.lower_in(&session),
        Err(code) => return code,
    };
    super::print_diagnostics(&flow);
    let out = vgdc::driver::explain(&compiled, args.node.as_deref());
    super::say(&out);
    let decided = |entry: &vgdc::driver::Entry| entry.pass == vgdc::driver::PROFILE;
    if args.profile.is_some()
        && compiled.plan.loads.is_empty()
        && !compiled.trace.entries().iter().any(decided)
    {
        super::say("profile\n  it decides nothing in this flow\n");
    }
    if flow.diagnostics.has_errors() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

fn explain_code(code: Code) -> ExitCode {
    match codes::entry(code) {
        Some(entry) => {
            super::say(&format!(
                "{}: {}\n\n{}\n",
                entry.code,
                entry.title,
                entry.page.trim_end()
            ));
            ExitCode::SUCCESS
        }
        None => {
            super::say_err(&format!("vgdc: there is no diagnostic {code}\n"));
            ExitCode::FAILURE
        }
    }
}
