//! `vgdc check FLOW`: says what is wrong with a flow. Exit code 1 when there are errors.

use std::path::PathBuf;
use std::process::ExitCode;
use vgdc::driver::Options;
use vgdc::syntax::render;

#[derive(clap::Args)]
pub struct Args {
    /// The flow file, or a folder that has one
    flow: PathBuf,
    /// How to say it
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    #[command(flatten)]
    user_dir: super::UserDir,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

pub fn run(args: &Args) -> ExitCode {
    let mut flow = args.user_dir.load(&args.flow);
    let session = super::session(&mut flow, Options::default());
    flow.lower_in(&session);
    match args.format {
        Format::Text => {
            super::print_diagnostics(&flow);
            if flow.diagnostics.is_empty() {
                super::say_err(&format!(
                    "{}: no errors, {} nodes\n",
                    flow.path.display(),
                    flow.doc.nodes().count()
                ));
            }
        }
        Format::Json => super::say(&format!(
            "{:#}\n",
            render::json(&flow.diagnostics, &flow.sources)
        )),
    }
    if flow.diagnostics.has_errors() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
