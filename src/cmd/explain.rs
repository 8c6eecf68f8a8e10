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
    let mut out = String::new();
    let mut last = "";
    for entry in compiled.trace.entries() {
        if args.node.as_deref().is_some_and(|node| entry.node != node) {
            continue;
        }
        if entry.pass != last {
            out.push_str(&format!("{}\n", entry.pass));
            last = entry.pass;
        }
        let mark = if entry.fired { '+' } else { '-' };
        out.push_str(&format!(
            "  {mark} {} ({}): {}\n",
            entry.label, entry.node, entry.what
        ));
    }
    let islands = compiled.plan.islands.iter().enumerate();
    for (number, ops) in islands {
        let names = ops
            .iter()
            .map(|&op| compiled.plan.ops[op as usize].id.as_str());
        out.push_str(&format!(
            "island {number}: {}\n",
            names.collect::<Vec<_>>().join(" ")
        ));
    }
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
