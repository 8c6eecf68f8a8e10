//! `vgdc emit FLOW --stage …`: prints a stage of the compilation.

use std::path::PathBuf;
use std::process::ExitCode;
use vgdc::driver::Options;

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
    /// Decide by this profile (`vgdc run FLOW --profile` takes it) what is worth what
    #[arg(long, value_name = "FILE", conflicts_with = "no_optimise")]
    profile: Option<PathBuf>,
    #[command(flatten)]
    user_dir: super::UserDir,
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
    /// The code in nodes, as far as it has been lowered
    Mir,
    /// The same in Cranelift's language
    Clif,
    /// What an artifact is made of: its nodes, islands, needs
    Manifest,
    /// The Rust that `build --release` compiles
    Rust,
    /// The optimised graph for Mermaid
    Mermaid,
    /// The optimised graph for Graphviz
    Dot,
}

impl Stage {
    /// The driver's stage; `None` for the text of a target.
    fn of_driver(self) -> Option<vgdc::driver::Stage> {
        use vgdc::driver::Stage as Driver;
        Some(match self {
            Stage::Doc => Driver::Doc,
            Stage::Graph => Driver::Graph,
            Stage::Opt => Driver::Opt,
            Stage::Plan => Driver::Plan,
            Stage::Manifest => Driver::Manifest,
            Stage::Mir => Driver::Mir,
            Stage::Rust | Stage::Clif => return None,
            Stage::Mermaid => Driver::Mermaid,
            Stage::Dot => Driver::Dot,
        })
    }
}

pub fn run(args: &Args) -> ExitCode {
    let mut flow = args.user_dir.load(&args.flow);
    let options = Options {
        optimise: !args.no_optimise,
        ..Options::default()
    };
    let session = super::session(&mut flow, options);
    let compiled = match super::profiled(session, args.profile.as_deref()) {
        // (what comes before machine code needs none)
        Ok(session) => match args.stage {
            Stage::Plan | Stage::Manifest => flow.compile_in(&session),
            _ => flow.lower_in(&session),
        },
        Err(code) => return code,
    };
    super::print_diagnostics(&flow);
    let text = match (args.stage, args.stage.of_driver()) {
        (_, Some(stage)) => compiled.text(&flow.doc, stage),
        (Stage::Clif, None) => match vgdc::native::text(&compiled) {
            Ok(text) => text,
            Err(why) => {
                super::say_err(&format!("vgdc: {why}\n"));
                return ExitCode::FAILURE;
            }
        },
        (_, None) => {
            vgdc_target_rust::emit(&compiled.plan, &compiled.lowered.bodies, &flow.external)
        }
    };
    super::say(&text);
    if flow.diagnostics.has_errors() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
