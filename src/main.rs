//! The command line: one file a verb in `cmd/`.

mod cmd;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// A dataflow compiler: Node-RED flows to native programs.
#[derive(Parser)]
#[command(name = "vgdc", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Install a Node-RED package whose nodes the flow has
    Add(cmd::add::Args),
    /// Make one self-contained executable of a flow
    Build(cmd::build::Args),
    /// Run a flow in this process
    Run(cmd::run::Args),
    /// Open a flow in the editor, and run it
    Edit(cmd::edit::Args),
    /// Say what is wrong with a flow
    Check(cmd::check::Args),
    /// Make text (.flow) of a flow file, or a flow file of text
    Convert(cmd::convert::Args),
    /// Lay out flows that are written as text
    Fmt(cmd::fmt::Args),
    /// Bring a flow to the machines of a mesh
    Deploy(cmd::deploy::Args),
    /// Look at a mesh, and move what runs in it
    Mesh(cmd::mesh::Args),
    /// Run the agent of this machine, a node of a mesh
    Node(cmd::node::Args),
    /// Run the tests beside a flow, in virtual time
    Test(cmd::test::Args),
    /// Measure what a flow costs
    Bench(cmd::bench::Args),
    /// Print a stage of the compilation
    Emit(cmd::emit::Args),
    /// Say what the compiler did with each node and why, or what a diagnostic's code means
    Explain(cmd::explain::Args),
    /// Make a vgdc.toml of Node-RED's settings.js, without running it
    Import(cmd::import::Args),
    /// Say where a flow would be cut over the machines of a mesh
    Plan(cmd::plan::Args),
    /// Print what a profile says: where the time went
    Profile(cmd::profile::Args),
    /// Remove Node-RED packages again
    Remove(cmd::remove::Args),
}

fn main() -> ExitCode {
    match Cli::parse().verb {
        Verb::Add(args) => cmd::add::run(&args),
        Verb::Build(args) => cmd::build::run(&args),
        Verb::Run(args) => cmd::run::run(&args),
        Verb::Edit(args) => cmd::edit::run(&args),
        Verb::Check(args) => cmd::check::run(&args),
        Verb::Convert(args) => cmd::convert::run(&args),
        Verb::Fmt(args) => cmd::fmt::run(&args),
        Verb::Deploy(args) => cmd::deploy::run(&args),
        Verb::Mesh(args) => cmd::mesh::run(&args),
        Verb::Node(args) => cmd::node::run(&args),
        Verb::Test(args) => cmd::test::run(&args),
        Verb::Bench(args) => cmd::bench::run(&args),
        Verb::Emit(args) => cmd::emit::run(&args),
        Verb::Explain(args) => cmd::explain::run(&args),
        Verb::Import(args) => cmd::import::run(&args),
        Verb::Plan(args) => cmd::plan::run(&args),
        Verb::Profile(args) => cmd::profile::run(&args),
        Verb::Remove(args) => cmd::remove::run(&args),
    }
}
