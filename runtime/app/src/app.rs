//! The life of the process: start, serve, stop.

use crate::Console;
use crate::agent;
use crate::credentials::{self, Credentials};
use crate::metrics::{self, Metered};
use crate::operations::{About, Operations};
use crate::options::{Control as ControlOption, LogFormat, Options, parse_env_file};
use crate::profile;
use crate::settings::Process;
use crate::signals::Signals;
use crate::steering::Steering;
use crate::trace_options::TraceOptions;
use crate::traces::Exporter;
use std::io::{BufRead, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use vgdc_core::trace::NoSpans;
use vgdc_core::{
    Clock, Deployment, Linked, LogSink, Registry, Runtime, RuntimeOptions, Services, Traces,
};
use vgdc_hosted::{Host, HostOptions};
use vgdc_http::HttpServer;
use vgdc_plan::{MeshPart, Plan};
use vgdc_probe::{Control, Deployer, Hub, Identity, Subscriber};
use vgdc_value::{Object, Value};

/// How long a program that stops waits for other machines to take what was sent.
const PATIENCE: Duration = Duration::from_secs(5);

/// What somebody gets who is attached to a process: what he needs to drive it and to be asked.
pub struct Attached {
    /// The listener, bound.
    pub http: Arc<HttpServer>,
    /// The runtime under control.
    pub control: Arc<Control>,
    /// What tells of events.
    pub hub: Arc<Hub>,
    /// Log lines.
    pub log: Arc<dyn LogSink>,
    /// The settings, with variables' values.
    pub settings: Object,
}

/// Is attached to a process before its flows start. An error keeps it from starting.
pub type Attach = Box<dyn FnOnce(Attached) -> Result<(), String>>;

/// What a process runs.
pub struct App {
    /// Its name in `info`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The behaviours.
    pub registry: Registry,
    /// Functions of the plan that are linked into this program.
    pub linked: &'static [Linked],
    /// What runs from the start.
    pub plan: Option<Plan>,
    /// Secrets by node id.
    pub credentials: Credentials,
    /// Static settings by Node-RED's names.
    pub settings: Object,
    /// Compiles what is deployed later; an artifact has none.
    pub deployer: Option<Arc<dyn Deployer>>,
    /// The folder with the Node-RED packages that the flows have nodes of; `None`: the working directory.
    pub host_dir: Option<PathBuf>,
    /// Plans that replace the running one (`vgdc run --watch`).
    pub updates: Option<mpsc::UnboundedReceiver<Plan>>,
    /// What is attached to the process, such as an editor.
    pub attach: Option<Attach>,
}

/// Runs until it is told to stop (SIGTERM, SIGINT, end of the control protocol's input). Exit code 0 then; 1 when it
/// could not start.
pub fn run(mut app: App, options: &Options) -> ExitCode {
    if let Some(file) = &options.env_file
        && let Err(why) = load_env_file(file)
    {
        eprintln!("{}: {why}", app.name);
        return ExitCode::FAILURE;
    }
    if let Some(file) = &options.credentials {
        match credentials::load(file, &|name| std::env::var(name).ok()) {
            Ok(credentials) => app.credentials.extend(credentials),
            Err(why) => {
                eprintln!("{}: {why}", app.name);
                return ExitCode::FAILURE;
            }
        }
    }
    let profile = options.profile.as_deref();
    let profile = profile.map(|named| profile::file(named, &app.name));
    if let Some(file) = &profile
        && let Err(why) = profile::check(file)
    {
        eprintln!("{}: {why}", app.name);
        return ExitCode::FAILURE;
    }
    let tokio = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(tokio) => tokio,
        Err(error) => {
            eprintln!("{}: cannot start: {error}", app.name);
            return ExitCode::FAILURE;
        }
    };
    let process = match Process::read(&mut app.settings, &|name| std::env::var(name).ok()) {
        Ok(process) => process,
        Err(why) => {
            eprintln!("{}: {why}", app.name);
            return ExitCode::FAILURE;
        }
    };
    let code = tokio.block_on(serve(app, options, process, profile.as_deref()));
    // Threads that wait in a read of standard input would keep the runtime from ending.
    tokio.shutdown_timeout(Duration::from_millis(100));
    code
}

fn load_env_file(file: &str) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|e| format!("cannot read {file}: {e}"))?;
    for (name, value) in parse_env_file(&text).map_err(|why| format!("{file}, {why}"))? {
        // SAFETY: no other thread runs yet: this is called first of all by `run`.
        unsafe { std::env::set_var(name, value) };
    }
    Ok(())
}

async fn serve(app: App, options: &Options, process: Process, profile: Option<&Path>) -> ExitCode {
    let mut signals = Signals::hear();
    let hub = Arc::new(Hub::default());
    let stdio = options.control == ControlOption::Stdio;
    let part = app.plan.as_ref().and_then(|plan| plan.mesh.clone());
    let console = Console::new(
        options.log,
        options.level.or(process.level),
        stdio,
        Some(hub.clone()),
    );
    let console = Arc::new(console.at(part.as_ref().map(|part| part.node.clone())));
    let (traces, exporter) = match traces(&app, part.as_ref(), options, console.clone()) {
        Ok(traces) => traces,
        Err(why) => {
            eprintln!("{}: {why}", app.name);
            return ExitCode::FAILURE;
        }
    };
    let default_port = if stdio { 0 } else { 1880 };
    let port = options.port.or(process.port);
    let host = options.host.or(process.host);
    let listen = agent::listen(options);
    let http = HttpServer::with_front(
        SocketAddr::new(
            host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            port.unwrap_or(default_port),
        ),
        process.front,
    );
    let http = Arc::new(http.listening_by(listen.clone()));
    let has_folders = http.has_folders();
    let services = Arc::new(Services::default());
    services.insert(http.clone());
    services.insert(Arc::new(listen));
    // The port is taken at once when somebody counts on it; else when the first node needs it.
    let wanted = port.is_some()
        || has_folders
        || app.attach.is_some()
        || options.control != ControlOption::Off;
    // (of a program that waits for an agent's word, another one may run on that port until then)
    let now = wanted && options.agent.is_none();
    let url = match now.then(|| http.bind()).transpose() {
        Ok(addr) => addr.map(|addr| format!("{}://{addr}", http.scheme())),
        Err(error) => {
            eprintln!(
                "{}: {error}\n  another program may use the port: choose one with --port, or --port 0 for a free one",
                app.name
            );
            return ExitCode::FAILURE;
        }
    };
    let host = Host::new(HostOptions {
        user_dir: app.host_dir.clone(),
        http: http.clone(),
    });
    let sink: Arc<dyn vgdc_core::Sink> = match process.metrics {
        None => hub.clone(),
        Some(_) => Arc::new(Metered {
            hub: hub.clone(),
            console: console.clone(),
        }),
    };
    let mut runtime = Runtime::new(RuntimeOptions {
        services: services.clone(),
        sink,
        log: console.clone(),
        workers: options.workers,
        linked: app.linked,
        profile: profile.is_some(),
        traces,
        clock: options.virtual_time.map_or(Clock::Real, Clock::starting_at),
        elsewhere: Some(Arc::new(host)),
        ..RuntimeOptions::new(app.registry)
    });
    // (one who subscribes, so that nodes are watched on when the last client has gone)
    let _metering = match process.metrics {
        None => None,
        Some(every) => {
            runtime.watch(None, metrics::KINDS).await;
            tokio::spawn(metrics::memory(console.clone(), every));
            Some(hub.subscribe())
        }
    };
    let identity = Identity {
        name: app.name.clone(),
        version: app.version.clone(),
        http_url: url,
    };
    let control = Arc::new(Control::new(runtime, hub.clone(), app.deployer, identity));
    if let Some(attach) = app.attach {
        let attached = Attached {
            http: http.clone(),
            control: control.clone(),
            hub: hub.clone(),
            log: console.clone(),
            settings: app.settings.clone(),
        };
        if let Err(why) = attach(attached) {
            eprintln!("{}: {why}", app.name);
            return ExitCode::FAILURE;
        }
    }
    let has_flows = app.plan.is_some();
    let deployment = Deployment {
        plan: app.plan,
        credentials: Some(app.credentials.clone()),
        settings: Some(app.settings),
        ..Deployment::default()
    };
    let steering = Arc::new(Steering::new(
        control.clone(),
        hub.clone(),
        (http.clone(), wanted),
        (services, options),
        console.clone(),
        deployment,
    ));
    let about = About {
        steering: steering.clone(),
    };
    let operations = options.metrics.map(|at| Operations::start(at, about));
    let operations = match operations.transpose() {
        Ok(operations) => operations,
        Err(error) => {
            eprintln!("{}: --metrics: {error}", app.name);
            return ExitCode::FAILURE;
        }
    };
    if let Some(at) = operations.as_ref().and_then(Operations::address) {
        say(&*console, &format!("Metrics at http://{at}/metrics"));
    }
    let _control_route = match options.control {
        ControlOption::WebSocket => {
            match crate::control_ws::route(&http, control.clone(), hub.clone()) {
                Ok(route) => Some(route),
                Err(error) => {
                    eprintln!("{}: {error}", app.name);
                    return ExitCode::FAILURE;
                }
            }
        }
        ControlOption::Stdio | ControlOption::Off => None,
    };
    if let Err(why) = agent::attend(options, steering.clone()) {
        eprintln!("{}: {why}", app.name);
        return ExitCode::FAILURE;
    }
    if has_flows && options.agent.is_none() {
        let wait = || say(&*console, "Stopping as soon as the flows have started");
        let started = tokio::select! {
            started = steering.start() => started,
            () = signals.second(&wait) => return ExitCode::FAILURE,
        };
        if let Err(why) = started {
            eprintln!("{}: {why}", app.name);
            control.shutdown().await;
            return ExitCode::FAILURE;
        }
    }
    let conversation = match options.control {
        ControlOption::Stdio => {
            Some(stdio_control(&mut signals, &control, &hub, app.updates, app.credentials).await)
        }
        ControlOption::WebSocket | ControlOption::Off => {
            until_signal(
                &mut signals,
                &control,
                app.updates,
                app.credentials,
                &*console,
            )
            .await;
            None
        }
    };
    steering.ends();
    let mut code = ExitCode::SUCCESS;
    if let Some(file) = profile
        && let Err(why) = write_profile(&control, &app.name, &app.version, file).await
    {
        eprintln!("{}: {why}", app.name);
        code = ExitCode::FAILURE;
    }
    control.shutdown().await;
    steering.unlink(PATIENCE).await;
    if let Some(exporter) = exporter {
        exporter.stop().await;
    }
    if let Some(conversation) = conversation {
        conversation.end().await;
    }
    http.stop();
    code
}

/// What islands are to know of messages' ways, and who sends it to a collector.
fn traces(
    app: &App,
    part: Option<&MeshPart>,
    options: &Options,
    log: Arc<dyn LogSink>,
) -> Result<(Option<Traces>, Option<Exporter>), String> {
    let variable = |name: &str| std::env::var(name).ok();
    let wanted = TraceOptions::read(options.traces.as_deref(), options.trace_share, &variable)?;
    let Some(wanted) = wanted else {
        // (lines of JSON say which message they are about, too)
        let traces = Traces {
            share: 0.0,
            sink: Arc::new(NoSpans),
        };
        return Ok(((options.log == LogFormat::Json).then_some(traces), None));
    };
    let part = part.map(|part| (part.node.as_str(), part.mesh.as_str()));
    let exporter = Exporter::start(&wanted, &app.name, &app.version, part, log.clone())?;
    let percent = wanted.share * 100.0;
    say(&*log, &format!("Traces of {percent} % of messages"));
    let traces = Traces {
        share: wanted.share,
        sink: exporter.sink(),
    };
    Ok((Some(traces), Some(exporter)))
}

/// Takes the profile of what still runs, and writes it.
async fn write_profile(
    control: &Control,
    program: &str,
    version: &str,
    file: &Path,
) -> Result<(), String> {
    let taken = control
        .with_runtime(async |runtime| runtime.profile(program, version).await)
        .await;
    match taken.flatten() {
        Some(taken) => profile::write(file, &taken.to_text()),
        None => Err("the flows have ended without a profile".to_owned()),
    }
}

async fn deploy(control: &Control, deployment: Deployment) -> Result<usize, String> {
    let deployed = control
        .with_runtime(async |runtime| runtime.deploy(deployment).await)
        .await;
    deployed.unwrap_or(Ok(0)).map_err(|e| e.to_string())
}

fn say(log: &dyn LogSink, text: &str) {
    log.log(
        Clock::Real.now_ms(),
        vgdc_core::Level::Info,
        None,
        &Value::from(text),
    );
}

/// The next plan of `--watch`; never, when nothing is watched.
async fn next_update(updates: &mut Option<mpsc::UnboundedReceiver<Plan>>) -> Plan {
    if let Some(receiver) = updates
        && let Some(plan) = receiver.recv().await
    {
        return plan;
    }
    std::future::pending().await
}

async fn until_signal(
    signals: &mut Signals,
    control: &Control,
    mut updates: Option<mpsc::UnboundedReceiver<Plan>>,
    credentials: Credentials,
    log: &dyn LogSink,
) {
    loop {
        tokio::select! {
            () = signals.next() => break,
            plan = next_update(&mut updates) => {
                let deployment = Deployment {
                    plan: Some(plan),
                    credentials: Some(credentials.clone()),
                    ty: vgdc_core::DeployType::Nodes,
                    ..Deployment::default()
                };
                match deploy(control, deployment).await {
                    Ok(nodes) => say(log, &format!("Updated flows: {nodes} nodes run")),
                    Err(why) => say(log, &format!("The update failed: {why}")),
                }
            }
        }
    }
    say(log, "Stopping flows");
}

/// A conversation on standard input and output whose input has ended: what the nodes do while they stop is told yet.
struct Conversation {
    subscriber: Arc<Subscriber>,
    writer: std::thread::JoinHandle<()>,
}

impl Conversation {
    async fn end(self) {
        self.subscriber.outbox().close();
        let writer = self.writer;
        // The writer ends when all is written, or when nobody reads.
        let _ = tokio::task::spawn_blocking(move || writer.join()).await;
    }
}

/// Speaks the control protocol on standard input and output until the input ends.
async fn stdio_control(
    signals: &mut Signals,
    control: &Control,
    hub: &Hub,
    mut updates: Option<mpsc::UnboundedReceiver<Plan>>,
    credentials: Credentials,
) -> Conversation {
    let subscriber = hub.subscribe();
    let outbox = subscriber.outbox().clone();
    let writer = std::thread::spawn(move || {
        let mut out = std::io::stdout();
        while let Some(lines) = outbox.wait() {
            if out
                .write_all(lines.as_bytes())
                .and_then(|()| out.flush())
                .is_err()
            {
                break;
            }
        }
    });
    let (lines, mut read) = mpsc::channel::<String>(1024);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            // (input that is no UTF-8 ends the conversation: there is no way to answer it)
            let Ok(line) = line else { break };
            if !line.trim().is_empty() && lines.blocking_send(line).is_err() {
                break;
            }
        }
    });
    loop {
        tokio::select! {
            line = read.recv() => match line {
                Some(line) => control.line(&subscriber, &line).await,
                None => break,
            },
            plan = next_update(&mut updates) => {
                let ty = vgdc_core::DeployType::Nodes;
                let deployment = Deployment { plan: Some(plan), credentials: Some(credentials.clone()), ty, ..Deployment::default() };
                if let Err(why) = deploy(control, deployment).await {
                    eprintln!("the update failed: {why}");
                }
            }
            () = signals.next() => break,
        }
    }
    Conversation { subscriber, writer }
}
