//! `vgdc explain FLOW`: what the compiler did with each node and why. `vgdc explain VG0042`: what a code means.

use std::path::Path;
use std::process::ExitCode;
use vgdc::Flow;
use vgdc::driver::Options;
use vgdc::syntax::codes::{self, Code};

#[derive(clap::Args)]
pub struct Args {
    /// A flow file, or a diagnostic's code such as VG0042
    what: String,
    /// Only this node
    #[arg(long)]
    node: Option<String>,
}

pub fn run(args: &Args) -> ExitCode {
    if let Ok(code) = args.what.parse::<Code>() {
        return explain_code(code);
    }
    let mut flow = Flow::load(Path::new(&args.what));
    let compiled = flow.compile(Options::default());
    super::print_diagnostics(&flow);
    let out = vgdc::driver::explain(&compiled, args.node.as_deref());
    super::say(&out);
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
