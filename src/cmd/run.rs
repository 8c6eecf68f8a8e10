//! `vgdc run [FLOW]`: runs a flow in this process.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;
use tokio::sync::mpsc;
use vgdc::Flow;
use vgdc::deployer::Compiler;
use vgdc::driver::{Options, Session};
use vgdc::plan::Plan;
use vgdc_app::options;

#[derive(clap::Args)]
pub struct Args {
    /// The flow file, or a folder that has one; with --control none is needed
    flow: Option<PathBuf>,
    /// Reload when the file is saved, and restart only what changed
    #[arg(long)]
    watch: bool,
    /// How to run it: `native` (optimised) or `interp` (the oracle: nothing optimised, one queue)
    #[arg(long, value_enum, default_value = "native")]
    target: Target,
    /// HTTP port (default 1880; 0 takes a free one and says which)
    #[arg(long)]
    port: Option<String>,
    /// Address to listen on (default 127.0.0.1)
    #[arg(long)]
    host: Option<String>,
    /// Speak the control protocol: stdio, ws or off
    #[arg(long)]
    control: Option<String>,
    /// How log lines look: text or json
    #[arg(long)]
    log: Option<String>,
    /// Least important level: fatal, error, warn, info, debug or trace
    #[arg(long)]
    log_level: Option<String>,
    /// Worker threads (default: one a core)
    #[arg(long)]
    workers: Option<String>,
    /// Environment variables, a NAME=value a line
    #[arg(long)]
    env_file: Option<String>,
    /// Answer /metrics (Prometheus), /healthz and /readyz there
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics: Option<String>,
    /// Send spans of messages to this OpenTelemetry collector (OTLP over HTTP)
    #[arg(long, value_name = "http://HOST:4318")]
    traces: Option<String>,
    /// Follow this share of messages, 0 to 1 [default: 0.01]
    #[arg(long, value_name = "SHARE")]
    trace_share: Option<String>,
    /// Count and time nodes and wires; written when it stops [default: beside the flow, FLOW.profile.json]
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    profile: Option<String>,
    /// Serve the editor of this flow, too, at the HTTP listener
    #[arg(long, requires = "flow", conflicts_with = "watch")]
    editor: bool,
    #[command(flatten)]
    serving: super::edit::Serving,
    #[command(flatten)]
    packages: super::UserDir,
    /// Nodes see a clock that only the control protocol's `clock.advance` moves [default START: now]
    #[arg(long, value_name = "START", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    virtual_time: Option<String>,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
pub enum Target {
    Native,
    Interp,
}

impl Args {
    fn options(&self) -> Result<vgdc_app::Options, String> {
        super::told(&[
            ("port", &self.port),
            ("host", &self.host),
            ("control", &self.control),
            ("log", &self.log),
            ("log-level", &self.log_level),
            ("workers", &self.workers),
            ("env-file", &self.env_file),
            ("metrics", &self.metrics),
            ("traces", &self.traces),
            ("trace-share", &self.trace_share),
            ("profile", &self.profile),
            ("virtual-time", &self.virtual_time),
        ])
    }

    fn compile_options(&self) -> Options {
        Options {
            optimise: self.target == Target::Native,
            deploy_mode: true,
        }
    }
}

pub fn run(args: &Args) -> ExitCode {
    let mut options = match args.options() {
        Ok(options) => options,
        Err(why) => {
            super::say_err(&format!("vgdc: {why}\n"));
            return ExitCode::from(2);
        }
    };
    if args.flow.is_none() && options.control == options::Control::Off {
        super::say_err("vgdc: name a flow file, or give --control stdio to be told what to run\n");
        return ExitCode::from(2);
    }
    if args.target == Target::Interp {
        options.workers = 1;
    }
    let mut app = super::process(&args.packages);
    app.deployer = Some(Arc::new(Compiler {
        options: args.compile_options(),
        packages: args.packages.shelf(),
        probes: args.profile.is_some(),
    }));
    if let Some(path) = &args.flow {
        if args.editor {
            let to = match options.control {
                options::Control::Stdio => super::say_err,
                _ => super::say,
            };
            let opened = super::edit::Opened::open(path, &args.packages, args.compile_options());
            return vgdc_app::run(opened.app(app, &args.serving, to, false), &options);
        }
        let mut flow = args.packages.load(path);
        app.host_dir
            .get_or_insert_with(|| flow.packages.user_dir.clone());
        let (compile, probes) = (args.compile_options(), args.profile.is_some());
        let packages = flow.packages.clone();
        let session =
            move || vgdc::with_packages(vgdc::session(compile), &packages).with_probes(probes);
        let compiled = flow.compile_in(&session());
        super::print_diagnostics(&flow);
        if flow.diagnostics.has_errors() {
            return ExitCode::FAILURE;
        }
        app.plan = Some(compiled.plan);
        app.credentials = flow.secrets();
        app.settings = vgdc_app::settings(&flow.settings());
        if options.profile.as_deref() == Some("") {
            let file = flow.path.with_extension(vgdc_app::profile::ENDING);
            options.profile = Some(file.to_string_lossy().into_owned());
        }
        if args.watch {
            app.updates = Some(watch(flow.path.clone(), session));
        }
    }
    vgdc_app::run(app, &options)
}

/// Compiles the file each time it is saved, on a thread of its own. What does not compile is reported and changes nothing.
fn watch(
    path: PathBuf,
    session: impl FnOnce() -> Session + Send + 'static,
) -> mpsc::UnboundedReceiver<Plan> {
    let (plans, updates) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        let session = &session();
        let (saved, changes) = std::sync::mpsc::channel();
        let told = move |event: notify::Result<notify::Event>| {
            if event.is_ok_and(|event| !event.kind.is_access()) {
                // (the other side lives as long as this closure's watcher)
                let _ = saved.send(());
            }
        };
        // The folder is watched: editors save by putting a new file in the place of the old one.
        let folder = vgdc::folder_of(&path).to_owned();
        let watcher = notify::recommended_watcher(told).and_then(|mut watcher| {
            notify::Watcher::watch(&mut watcher, &folder, notify::RecursiveMode::NonRecursive)?;
            Ok(watcher)
        });
        let _watcher = match watcher {
            Ok(watcher) => watcher,
            Err(error) => {
                return super::say_err(&format!(
                    "vgdc: cannot watch {}: {error}\n",
                    folder.display()
                ));
            }
        };
        let mut before = std::fs::read(&path).unwrap_or_default();
        while changes.recv().is_ok() {
            // One save makes several events: wait until they are over.
            while !matches!(
                changes.recv_timeout(Duration::from_millis(50)),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected)
            ) {}
            let now = std::fs::read(&path).unwrap_or_default();
            if now == before {
                continue;
            }
            before = now;
            let mut flow = Flow::load(&path);
            let compiled = flow.compile_in(session);
            super::print_diagnostics(&flow);
            if !flow.diagnostics.has_errors() && plans.send(compiled.plan).is_err() {
                return;
            }
        }
    });
    updates
}
