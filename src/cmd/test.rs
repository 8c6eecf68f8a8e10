//! `vgdc test [FLOW…]`: runs the tests beside a flow, in virtual time.

use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use vgdc::Flow;
use vgdc::deployer::Compiler;
use vgdc::driver::Options;
use vgdc::insight::trials::{ENDING, tests_beside};
use vgdc::load::under_test;
use vgdc_flowtest::{Runner, Suite, TestFile, fresh, junit, recorded, text};
use vgdc_text::file::EXTENSION;

#[derive(clap::Args)]
pub struct Args {
    /// Flow files, test files (*.test.yaml), or folders [default: this folder]
    paths: Vec<PathBuf>,
    /// Run only tests whose names contain this
    #[arg(long, default_value = "", hide_default_value = true)]
    filter: String,
    /// Write a JUnit report
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Say which nodes and wires no test came by; with a file, write that as JSON
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    coverage: Option<String>,
    /// Fail when the tests come by fewer of the nodes and wires, in percent
    #[arg(long, value_name = "PERCENT")]
    min_coverage: Option<f64>,
    /// Write what happens as expectations into tests that have none; make a test file where there is none
    #[arg(long)]
    record: bool,
    /// What runs the flow: `native` (optimised) or `interp` (the oracle)
    #[arg(long, value_enum, default_value = "native")]
    target: super::run::Target,
    /// Seconds (by the computer's clock) that a step may take
    #[arg(long, default_value_t = 10.0)]
    timeout: f64,
}

/// A flow with the files that test it.
struct Job {
    flow: PathBuf,
    tests: Vec<PathBuf>,
}

pub fn run(args: &Args) -> ExitCode {
    match tested(args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            super::say_err(&format!("vgdc: {why}\n"));
            ExitCode::from(2)
        }
    }
}

/// Runs it all; false when a test failed.
fn tested(args: &Args) -> Result<bool, String> {
    let limit = Duration::try_from_secs_f64(args.timeout)
        .map_err(|_| format!("--timeout {}: not a number of seconds", args.timeout))?;
    let compiler = Compiler {
        packages: Default::default(),
        options: Options {
            optimise: args.target == super::run::Target::Native,
            deploy_mode: true,
        },
        probes: false,
    };
    let runner = Runner::new(&compiler, vgdc_stdlib::registry(), limit);
    let mut suites: Vec<Suite> = Vec::new();
    let mut covered: Vec<(PathBuf, vgdc_flowtest::Coverage)> = Vec::new();
    for job in jobs(&args.paths)? {
        let flow = flow(&job.flow)?;
        let mut tests = job.tests;
        if args.record {
            record(&runner, &job.flow, &flow, &mut tests)?;
        }
        if tests.is_empty() {
            return Err(format!(
                "{}: no test file beside it (expected {}): write one (docs/testing-flows.md), or let --record draw one up",
                job.flow.display(),
                tests_beside(&job.flow).display()
            ));
        }
        let mut coverage = vgdc_flowtest::Coverage::default();
        for path in tests {
            let (file, _) = read(&path)?;
            let suite = runner.run(&path.display().to_string(), &file, &flow, &args.filter);
            let suite = suite.map_err(|why| format!("cannot start: {why}"))?;
            coverage.join(&suite.coverage);
            suites.push(suite);
        }
        covered.push((job.flow, coverage));
    }
    super::say(&text(&suites));
    let mut good = suites.iter().all(|suite| suite.counts().1 == 0);
    if suites.iter().all(|suite| suite.cases.is_empty()) {
        return Err(format!("no test's name contains \"{}\"", args.filter));
    }
    if let Some(file) = &args.junit {
        write(file, &junit::xml(&suites)?)?;
    }
    if let Some(file) = &args.coverage {
        for (flow, coverage) in &covered {
            super::say(&coverage.text(&flow.display().to_string()));
        }
        if !file.is_empty() {
            let each = covered
                .iter()
                .map(|(flow, coverage)| (flow.display().to_string(), coverage.to_json()));
            let all: serde_json::Map<String, Json> = each.collect();
            write(Path::new(file), &format!("{:#}\n", Json::Object(all)))?;
        }
    }
    if let Some(least) = args.min_coverage {
        for (flow, coverage) in &covered {
            if coverage.percent() < least {
                good = false;
                super::say_err(&format!(
                    "vgdc: {}: the tests come by {:.1} % of its nodes and wires, fewer than {least} % (--coverage lists the others)\n",
                    flow.display(),
                    coverage.percent()
                ));
            }
        }
    }
    Ok(good)
}

fn record(
    runner: &Runner<'_>,
    path: &Path,
    flow: &vgdc_flowtest::Flow,
    tests: &mut Vec<PathBuf>,
) -> Result<(), String> {
    if tests.is_empty() {
        let file = tests_beside(path);
        let made = fresh(runner, flow).map_err(|why| format!("{}: {why}", path.display()))?;
        write(&file, &made)?;
        super::say_err(&format!("vgdc: wrote {}\n", file.display()));
        tests.push(file);
        return Ok(());
    }
    for file in tests {
        let (_, before) = read(file)?;
        let made = recorded(runner, &before, flow);
        let (after, count) = made.map_err(|why| format!("{}: {why}", file.display()))?;
        if count > 0 {
            write(file, &after)?;
        }
        super::say_err(&format!(
            "vgdc: {}: expectations written for {count} tests\n",
            file.display()
        ));
    }
    Ok(())
}

/// The flow's nodes, with the settings and secrets that lie beside it.
fn flow(path: &Path) -> Result<vgdc_flowtest::Flow, String> {
    let flow = Flow::load(path);
    if flow.diagnostics.has_errors() {
        super::print_diagnostics(&flow);
        return Err(format!("{} cannot be read", path.display()));
    }
    under_test(&flow, &flow.packages, flow.nodes()?, flow.secrets())
}

fn read(path: &Path) -> Result<(TestFile, String), String> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    match TestFile::read(&text) {
        Ok(file) => Ok((file, text)),
        Err(error) if error.line > 0 => Err(format!(
            "{}:{}: {}",
            path.display(),
            error.line,
            error.message
        )),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let done = vgdc_app::whole::write(path, text.as_bytes(), 0o644);
    done.map_err(|e| format!("cannot write {}: {e}", path.display()))
}

/// The flows that are meant, each with its test files.
fn jobs(paths: &[PathBuf]) -> Result<Vec<Job>, String> {
    let here = [PathBuf::from(".")];
    let paths = if paths.is_empty() { &here[..] } else { paths };
    let mut jobs: Vec<Job> = Vec::new();
    let mut add =
        |flow: PathBuf, test: Option<PathBuf>| match jobs.iter_mut().find(|job| job.flow == flow) {
            Some(job) => job.tests.extend(test),
            None => jobs.push(Job {
                flow,
                tests: test.into_iter().collect(),
            }),
        };
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            let files = std::fs::read_dir(path)
                .map_err(|e| format!("cannot read {}: {e}", path.display()))?;
            let mut tests: Vec<PathBuf> = files
                .filter_map(|file| Some(file.ok()?.path()))
                .filter(|file| file.to_string_lossy().ends_with(ENDING))
                .collect();
            tests.sort();
            if tests.is_empty() {
                add(Flow::load(path).path, None);
            }
            for test in tests {
                add(flow_of(&test)?, Some(test));
            }
        } else if name.ends_with(ENDING) {
            add(flow_of(path)?, Some(path.clone()));
        } else if !path.is_file() {
            return Err(format!("{}: no such file", path.display()));
        } else {
            let test = tests_beside(path);
            let test = test.is_file().then_some(test);
            add(path.clone(), test);
        }
    }
    Ok(jobs)
}

/// The flow that a test file is about.
fn flow_of(test: &Path) -> Result<PathBuf, String> {
    let (file, _) = read(test)?;
    let folder = test.parent().unwrap_or(Path::new(""));
    let flow = match &file.flow {
        Some(flow) => folder.join(flow),
        None => {
            let name = test.file_name().unwrap_or_default().to_string_lossy();
            let stem = name.trim_end_matches(ENDING);
            let names = ["json", EXTENSION].map(|extension| format!("{stem}.{extension}"));
            let usual = ["flows.json", "flows.flow"].map(str::to_owned);
            let files = names.iter().chain(&usual).map(|name| folder.join(name));
            let found = files.into_iter().find(|file| file.is_file());
            found.unwrap_or_else(|| folder.join("flows.json"))
        }
    };
    match flow.is_file() {
        true => Ok(flow),
        false => Err(format!(
            "{}: there is no flow file {}: name it with `flow:` in the test file",
            test.display(),
            flow.display()
        )),
    }
}
