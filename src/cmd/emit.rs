//! `vgdc emit FLOW --stage …`: prints a stage of the compilation.

use std::path::PathBuf;
use std::process::ExitCode;
use vgdc::Flow;
use vgdc::driver::Options;
use vgdc_ir::{picture, text};

#[derive(clap::Args)]
pub struct Args {
    /// The flow file, or a folder that has one
    flow: PathBuf,
    /// Which stage
    #[arg(long, value_enum, default_value = "opt")]
    stage: Stage,
    /// Compile without optimising
    #[arg(long)]
    no_optimise: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Stage {
    /// The flow file as it was read
    Doc,
    /// The graph: subflows expanded, links and scopes resolved
    Graph,
    /// The graph after the passes
    Opt,
    /// The plan that the runtime takes
    Plan,
    /// What an artifact says of itself (the plan, too)
    Manifest,
    /// The Rust that `build --release` compiles
    Rust,
    /// The optimised graph for Mermaid
    Mermaid,
    /// The optimised graph for Graphviz
    Dot,
}

pub fn run(args: &Args) -> ExitCode {
    let mut flow = Flow::load(&args.flow);
    let compiled = flow.compile(Options {
        optimise: !args.no_optimise,
        ..Options::default()
    });
    super::print_diagnostics(&flow);
    let text = match args.stage {
        Stage::Doc => flow.doc.to_text().to_owned(),
        Stage::Graph => text::print(&compiled.graph),
        Stage::Opt => text::print(&compiled.optimised),
        Stage::Plan | Stage::Manifest => match serde_json::to_string_pretty(&compiled.plan) {
            Ok(text) => text + "\n",
            Err(error) => {
                super::say_err(&format!("vgdc: the plan cannot be written: {error}\n"));
                return ExitCode::FAILURE;
            }
        },
        Stage::Rust => vgdc_target_rust::emit(&compiled.plan),
        Stage::Mermaid => picture::mermaid(&compiled.optimised),
        Stage::Dot => picture::dot(&compiled.optimised),
    };
    super::say(&text);
    if flow.diagnostics.has_errors() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
