//! `vgdc edit [FLOW]`: runs a flow, and serves the editor that changes it.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use vgdc::Flow;
use vgdc::deployer::Compiler;
use vgdc::driver::Options;
use vgdc::insight;
use vgdc::packages::Shelf;
use vgdc::syntax::{FlowDoc, SourceMap, render};
use vgdc_app::App;
use vgdc_editor::Editor;

/// The variable with a token for the editor, for tools that must know it beforehand.
const TOKEN: &str = "VGDC_EDITOR_TOKEN";

#[derive(clap::Args)]
pub struct Args {
    /// The flow file, or a folder that has one; a file that is not there is made when the flow is deployed [default: flows.json]
    flow: Option<PathBuf>,
    /// HTTP port, of the editor and of the flow (default 1880; 0 takes a free one)
    #[arg(long)]
    port: Option<String>,
    /// Address to listen on (default 127.0.0.1)
    #[arg(long)]
    host: Option<String>,
    /// Do not open a browser
    #[arg(long)]
    no_open: bool,
    /// How log lines look: text or json
    #[arg(long)]
    log: Option<String>,
    /// Least important level: fatal, error, warn, info, debug or trace
    #[arg(long)]
    log_level: Option<String>,
    /// Environment variables, a NAME=value a line
    #[arg(long)]
    env_file: Option<String>,
    #[command(flatten)]
    serving: Serving,
    #[command(flatten)]
    packages: super::UserDir,
}

/// How the editor is served.
#[derive(clap::Args)]
pub struct Serving {
    /// A name under which the editor is asked, of a proxy for example; addresses and localhost are known
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,
}

pub fn run(args: &Args) -> ExitCode {
    let options = super::told(&[
        ("port", &args.port),
        ("host", &args.host),
        ("log", &args.log),
        ("log-level", &args.log_level),
        ("env-file", &args.env_file),
    ]);
    let options = match options {
        Ok(options) => options,
        Err(why) => {
            super::say_err(&format!("vgdc: {why}\n"));
            return ExitCode::from(2);
        }
    };
    let compile = Options {
        optimise: true,
        deploy_mode: true,
    };
    let path = args.flow.clone().unwrap_or_else(|| PathBuf::from("."));
    let opened = Opened::open(&path, &args.packages, compile);
    let app = super::process(&args.packages);
    vgdc_app::run(
        opened.app(app, &args.serving, super::say, !args.no_open),
        &options,
    )
}

/// A flow that is edited, with what compiles it.
pub struct Opened {
    flow: Flow,
    packages: Arc<Shelf>,
    options: Options,
}

impl Opened {
    /// Opens a flow file; what is wrong with it is told, and keeps it from running, not from being edited.
    pub fn open(path: &Path, packages: &super::UserDir, options: Options) -> Opened {
        let file = match path.is_dir() {
            true => path.join("flows.json"),
            false => path.to_owned(),
        };
        // (a folder may name its flow, or have it as text)
        let of_folder = path
            .is_dir()
            .then(|| packages.load(path))
            .filter(|flow| flow.path.exists());
        let flow = match of_folder {
            Some(flow) => flow,
            None if file.exists() => packages.load(&file),
            None => Flow::empty(&file),
        };
        let beside = vgdc::folder_of(&flow.path).to_owned();
        // (somebody may draw a node of any package that is there)
        let shelf = vgdc::away::shelf(&flow.config, packages.named(), &beside);
        Opened {
            flow,
            packages: Arc::new(shelf),
            options,
        }
    }

    /// The process that runs it and serves its editor. `say` prints the links; `browse` opens a browser.
    pub fn app(mut self, mut app: App, serving: &Serving, say: fn(&str), browse: bool) -> App {
        let session = vgdc::with_packages(vgdc::session(self.options), &self.packages.now());
        let compiled = self.flow.compile_in(&session);
        super::print_diagnostics(&self.flow);
        let faults = self.flow.diagnostics.has_errors().then(|| {
            let all = self.flow.diagnostics.iter();
            all.map(|d| render::one_json(d, &self.flow.sources))
                .collect::<Vec<_>>()
        });
        // (the settings are those of a process that runs nothing as yet, too)
        app.plan = Some(match faults {
            None => compiled.plan,
            Some(_) => {
                session
                    .compile(&FlowDoc::parse(&mut SourceMap::new(), "", "[]").0)
                    .plan
            }
        });
        app.credentials = self.flow.secrets();
        app.settings = vgdc_app::settings(&self.flow.settings());
        app.host_dir = app
            .host_dir
            .or_else(|| self.packages.folder().map(Path::to_owned));
        app.deployer = Some(Arc::new(Compiler {
            options: self.options,
            packages: self.packages.clone(),
            probes: false,
        }));
        let insight = insight::Compiler::new(&self.flow.path, self.packages, self.options);
        let editor = vgdc_editor::Options {
            is_text: insight::is_text(&self.flow.path),
            flow: self.flow.path,
            config: self.flow.config,
            insight: Arc::new(insight),
            faults,
            token: std::env::var(TOKEN).ok().filter(|token| !token.is_empty()),
            hosts: serving.allow_host.clone(),
        };
        app.attach = Some(Box::new(move |process| {
            let lines = Editor::attach(editor, process)?;
            say(&(lines.join("\n") + "\n"));
            if browse && let Some(url) = lines.iter().find_map(|line| url_in(line)) {
                open_browser(url);
            }
            Ok(())
        }));
        app
    }
}

fn url_in(line: &str) -> Option<&str> {
    line.split(' ')
        .find(|word| word.starts_with("http://") || word.starts_with("https://"))
}

/// Opens a browser where there is a screen. Without one, or where it fails, the link has been printed.
fn open_browser(url: &str) {
    let has_screen = ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some());
    let program = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    if has_screen || cfg!(target_os = "macos") {
        let quiet = || Stdio::null();
        let started = Command::new(program)
            .arg(url)
            .stdin(quiet())
            .stdout(quiet())
            .stderr(quiet())
            .spawn();
        if let Ok(mut child) = started {
            // (somebody must wait for it, or it stays in the table of processes)
            std::thread::spawn(move || child.wait());
        }
    }
}
