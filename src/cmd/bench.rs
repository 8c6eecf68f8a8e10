//! `vgdc bench FLOW`, `vgdc bench --suite`: what a flow costs, on several targets in one run.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use vgdc::Flow;
use vgdc::driver::Options;
use vgdc_bench::case::Case;
use vgdc_bench::entry::{self, Asked};
use vgdc_bench::figure::Report;
use vgdc_bench::measure::Settings;
use vgdc_bench::node_red::NodeRed;
use vgdc_bench::target::{Programs, Target};
use vgdc_bench::{load, report, suite, verdict};

/// Messages of one measurement at a pace.
const MOST: f64 = 1e8;

#[derive(clap::Args)]
pub struct Args {
    /// The flow file, or a folder that has one
    #[arg(required_unless_present = "suite", conflicts_with = "suite")]
    flow: Option<PathBuf>,
    /// Run the built-in suite
    #[arg(long)]
    suite: bool,
    /// Of the suite, only the cases whose names this regular expression matches
    #[arg(long, value_name = "REGEX", requires = "suite")]
    only: Option<String>,
    /// How long each is measured
    #[arg(
        long,
        value_name = "N",
        default_value_t = 3.0,
        allow_negative_numbers = true
    )]
    seconds: f64,
    /// How often each is measured; medians are reported
    #[arg(long, value_name = "N", default_value_t = 2)]
    repeat: usize,
    /// Messages a second (default: as fast as the flow takes them, then half of that for the latency, 1,000 at most)
    #[arg(
        long,
        value_name = "N",
        conflicts_with = "suite",
        allow_negative_numbers = true
    )]
    rate: Option<f64>,
    /// The node that gets the messages (default: the flow's one listener, else its one inject node)
    #[arg(long, value_name = "ID", conflicts_with = "suite")]
    node: Option<String>,
    /// The message (default: a number as payload)
    #[arg(long, value_name = "JSON", conflicts_with = "suite")]
    message: Option<String>,
    /// A recorded load: lines of {"node": ID, "msg": {…}, "at_ms": N}
    #[arg(long, value_name = "FILE", conflicts_with_all = ["suite", "node", "message", "rate"])]
    load: Option<PathBuf>,
    /// A node where messages end (default: all behind the entry with no wire that leads on)
    #[arg(long, value_name = "ID", conflicts_with = "suite")]
    until: Vec<String>,
    /// Targets to compare: interp, native, artifact, rust, node-red; ratios are against the first
    #[arg(
        long,
        value_name = "TARGETS",
        value_delimiter = ',',
        default_value = "native"
    )]
    compare: Vec<Target>,
    /// A folder with `node_modules/node-red` (default: the node-red on PATH)
    #[arg(long, value_name = "DIR")]
    node_red: Option<PathBuf>,
    /// The Node.js that runs Node-RED (default: the node on PATH)
    #[arg(long, value_name = "PATH")]
    node_js: Option<PathBuf>,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the report as a page with plots
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Save the figures, to be compared with later
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Compare with saved figures; exit code 1 when something is worse than the noise
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
}

pub fn run(args: &Args) -> ExitCode {
    match bench(args) {
        Ok(code) => code,
        Err(why) => {
            super::say_err(&format!("vgdc: {why}\n"));
            ExitCode::from(2)
        }
    }
}

fn bench(args: &Args) -> Result<ExitCode, String> {
    // (what can be wrong with the command is found before anything is measured)
    let settings = settings(args)?;
    let baseline = args.baseline.as_deref().map(saved).transpose()?;
    for path in [&args.json, &args.html, &args.save].into_iter().flatten() {
        is_writable(path)?;
    }
    let cases = match &args.flow {
        Some(flow) => match own_case(args, flow)? {
            Some(case) => vec![case],
            None => return Ok(ExitCode::FAILURE),
        },
        None => suite::cases(args.only.as_deref())?,
    };
    let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let mut said = String::new();
    let mut progress = |case: &str, what: &str| {
        if terminal {
            super::say_err(&format!("\r\x1b[K{case} {what}"));
        } else if said != case {
            // (a log has one line a case)
            super::say_err(&format!("{case}\n"));
            said = case.to_owned();
        }
    };
    let report = vgdc_bench::run(&cases, &settings, env!("CARGO_PKG_VERSION"), &mut progress);
    if terminal {
        super::say_err("\r\x1b[K");
    }
    tell(args, &report, baseline.as_ref())
}

/// Prints and writes the report; the exit code is 1 when a case failed or something became worse.
fn tell(args: &Args, report: &Report, baseline: Option<&Report>) -> Result<ExitCode, String> {
    super::say(&report::text::report(report));
    let judged = baseline.map(|before| verdict::compare(before, report));
    if let Some(judged) = &judged {
        super::say(&format!("\n{}", report::text::verdicts(judged)));
    }
    let judged = judged.unwrap_or_default();
    for path in [&args.json, &args.save].into_iter().flatten() {
        write(path, &report.json())?;
    }
    if let Some(path) = &args.html {
        write(path, &report::html::page(report, &judged))?;
    }
    let is_worse = judged
        .iter()
        .any(|of| of.verdict == verdict::Verdict::Worse);
    Ok(match is_worse || report.has_faults() {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    })
}

fn settings(args: &Args) -> Result<Settings, String> {
    let positive = |name: &str, value: f64| match value > 0.0 && value.is_finite() && value < 1e9 {
        true => Ok(()),
        false => Err(format!("--{name} {value}: it must be more than 0")),
    };
    positive("seconds", args.seconds)?;
    positive("rate", args.rate.unwrap_or(1.0))?;
    positive("repeat", args.repeat as f64)?;
    let messages = args.seconds * args.rate.unwrap_or(1.0);
    if messages > MOST {
        return Err(format!(
            "--rate and --seconds make {messages} messages: {MOST} is the most that can be followed"
        ));
    }
    let mut targets = args.compare.clone();
    let mut seen = Vec::new();
    targets.retain(|target| {
        !seen.contains(target) && {
            seen.push(*target);
            true
        }
    });
    let node_red = match targets.contains(&Target::NodeRed) {
        true => Some(NodeRed::find(
            args.node_red.as_deref(),
            args.node_js.as_deref(),
        )?),
        false => None,
    };
    if targets.contains(&Target::Artifact) {
        vgdc::runner::find()?;
    }
    let vgdc = std::env::current_exe().map_err(|e| format!("cannot find vgdc's own file: {e}"))?;
    Ok(Settings {
        time: Duration::from_secs_f64(args.seconds),
        repeat: args.repeat,
        targets,
        programs: Programs { vgdc, node_red },
    })
}

fn saved(path: &Path) -> Result<Report, String> {
    let named = |why: String| format!("--baseline {}: {why}", path.display());
    let text = std::fs::read_to_string(path).map_err(|e| named(format!("cannot read it: {e}")))?;
    Report::read(&text).map_err(named)
}

/// The case of a user's flow; `None` when the flow has errors, which are printed.
fn own_case(args: &Args, path: &Path) -> Result<Option<Case>, String> {
    let mut flow = Flow::load(path);
    flow.compile(Options::default());
    super::print_diagnostics(&flow);
    if flow.diagnostics.has_errors() {
        super::say_err("vgdc: nothing was measured\n");
        return Ok(None);
    }
    let message = args.message.as_deref().map(message).transpose()?;
    let load = args.load.as_deref().map(recorded).transpose()?;
    let asked = Asked {
        path: flow.path.clone(),
        nodes: flow.nodes()?,
        node: args.node.clone(),
        message,
        load: load.unwrap_or_default(),
        rate: args.rate,
        until: args.until.clone(),
        counted: args.compare.contains(&Target::NodeRed),
    };
    entry::case(&asked).map(Some)
}

fn message(text: &str) -> Result<Value, String> {
    let message: Value =
        serde_json::from_str(text).map_err(|e| format!("--message: it is no JSON: {e}"))?;
    match message.is_object() {
        true => Ok(message),
        false => Err(format!(
            "--message {text}: a message is an object, such as {{\"payload\": {message}}}"
        )),
    }
}

fn recorded(path: &Path) -> Result<Vec<load::Entry>, String> {
    let named = |why: String| format!("--load {}: {why}", path.display());
    let text = std::fs::read_to_string(path).map_err(|e| named(format!("cannot read it: {e}")))?;
    load::parse(&text).map_err(named)
}

/// Finds out before the measurement whether its report can be written after it.
fn is_writable(path: &Path) -> Result<(), String> {
    let was_there = path.exists();
    let mut options = std::fs::OpenOptions::new();
    let opened = options.append(true).create(true).open(path);
    opened.map_err(|e| format!("cannot write {}: {e}", path.display()))?;
    if !was_there {
        // (a measurement that is broken off leaves no empty report)
        let _ = std::fs::remove_file(path);
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))
}
