//! What a flow can be run on: the targets of vgdc and Node-RED. Makes a flow ready for one (builds it), and starts it.

use crate::control::Control;
use crate::guard::Process;
use crate::log::Log;
use crate::node_red::NodeRed;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Something that runs flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// `vgdc run --target interp`: the oracle.
    Interp,
    /// `vgdc run`.
    Native,
    /// `vgdc build`, and what it makes.
    Artifact,
    /// `vgdc build --release`, and what it makes.
    Rust,
    /// Node-RED.
    NodeRed,
}

impl Target {
    /// All of them.
    pub const ALL: [Target; 5] = [
        Target::Interp,
        Target::Native,
        Target::Artifact,
        Target::Rust,
        Target::NodeRed,
    ];

    /// Its name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Target::Interp => "interp",
            Target::Native => "native",
            Target::Artifact => "artifact",
            Target::Rust => "rust",
            Target::NodeRed => "node-red",
        }
    }
}

impl std::str::FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Target, String> {
        let found = Target::ALL.into_iter().find(|t| t.name() == text);
        found.ok_or_else(|| {
            let names = Target::ALL.map(Target::name).join(", ");
            format!("unknown target \"{text}\": there are {names}")
        })
    }
}

/// The programs that targets need.
#[derive(Debug, Clone)]
pub struct Programs {
    /// `vgdc` itself.
    pub vgdc: PathBuf,
    /// Node-RED, if it was found.
    pub node_red: Option<NodeRed>,
}

/// A flow made ready for a target.
#[derive(Debug, Clone)]
pub struct Made {
    /// The target.
    pub target: Target,
    /// The flow file.
    flow: PathBuf,
    /// The executable, where the target has one.
    app: Option<PathBuf>,
    /// How long the build took, where there is one.
    pub build: Option<Duration>,
}

impl Programs {
    /// Makes a flow file ready; what is built lies in `folder`.
    ///
    /// # Errors
    /// It does not build; the text has what the compiler said.
    pub fn make(&self, target: Target, flow: &Path, folder: &Path) -> Result<Made, String> {
        let mut made = Made {
            target,
            flow: flow.to_owned(),
            app: None,
            build: None,
        };
        if !matches!(target, Target::Artifact | Target::Rust) {
            return Ok(made);
        }
        let app = folder.join(format!("app-{}", target.name()));
        let mut command = Command::new(&self.vgdc);
        command.arg("build").arg(flow).arg("-o").arg(&app);
        if target == Target::Rust {
            command.arg("--release");
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut process = Process::start(&mut command)?;
        let log = Log::of(process.child().stderr.take(), None);
        let status = process
            .wait(Duration::from_secs(3600))
            .ok_or("vgdc build has not ended after an hour")?;
        made.build = Some(process.begun.elapsed());
        if !status.success() {
            return Err(format!(
                "vgdc build failed for {}:\n{}",
                flow.display(),
                log.tail_when_over()
            ));
        }
        made.app = Some(app);
        Ok(made)
    }

    /// Starts it, speaking the control protocol where the target does, and waits until its nodes have started.
    ///
    /// # Errors
    /// It does not start; the text has what it said last.
    pub fn start(
        &self,
        made: &Made,
        env: &[(String, String)],
        folder: &Path,
    ) -> Result<Running, String> {
        let mut running = match made.target {
            Target::NodeRed => self.start_node_red(made, env, folder)?,
            _ => self.start_vgdc(made, env)?,
        };
        match running.is_ready() {
            Ok(()) => Ok(running),
            Err(why) => Err(running.explain(&why)),
        }
    }

    /// Starts it as a user would, waits until it says a text, and gives how long that took.
    ///
    /// # Errors
    /// It ends or stays silent.
    pub fn time_until(
        &self,
        made: &Made,
        text: &str,
        folder: &Path,
    ) -> Result<(Duration, Running), String> {
        let mut running = match made.target {
            Target::NodeRed => self.start_node_red(made, &[], folder)?,
            _ => {
                let mut command = self.command(made)?;
                command.stdin(Stdio::null());
                let mut process = spawn(&mut command)?;
                let log = Log::of(process.child().stderr.take(), process.child().stdout.take());
                Running {
                    process,
                    control: None,
                    http: None,
                    log,
                }
            }
        };
        match running.wait_for(text) {
            Ok(at) => Ok((at.saturating_duration_since(running.process.begun), running)),
            Err(why) => Err(running.explain(&why)),
        }
    }

    fn command(&self, made: &Made) -> Result<Command, String> {
        let mut command = match (&made.app, made.target) {
            (Some(app), _) => Command::new(app),
            (None, target) => {
                let mut command = Command::new(&self.vgdc);
                let target = if target == Target::Interp {
                    "interp"
                } else {
                    "native"
                };
                command
                    .arg("run")
                    .arg(&made.flow)
                    .args(["--target", target]);
                command
            }
        };
        command.args(["--port", "0"]);
        Ok(command)
    }

    fn start_vgdc(&self, made: &Made, env: &[(String, String)]) -> Result<Running, String> {
        let mut command = self.command(made)?;
        command.args(["--control", "stdio"]);
        // (what reads its protocol from standard input ends by itself, should the bench be killed)
        command.stdin(Stdio::piped());
        command.envs(env.iter().map(|(name, value)| (name, value)));
        let mut process = spawn(&mut command)?;
        let child = process.child();
        let control = match (child.stdin.take(), child.stdout.take()) {
            (Some(input), Some(output)) => Some(Control::new(input, output)),
            _ => None,
        };
        let log = Log::of(process.child().stderr.take(), None);
        Ok(Running {
            process,
            control,
            http: None,
            log,
        })
    }

    fn start_node_red(
        &self,
        made: &Made,
        env: &[(String, String)],
        folder: &Path,
    ) -> Result<Running, String> {
        let node_red = self
            .node_red
            .as_ref()
            .ok_or("there is no Node-RED (this should have been found out before)")?;
        let (mut command, port) = node_red.command(&made.flow, folder)?;
        command.stdin(Stdio::null());
        command.envs(env.iter().map(|(name, value)| (name, value)));
        let mut process = spawn(&mut command)?;
        let log = Log::of(process.child().stderr.take(), process.child().stdout.take());
        Ok(Running {
            process,
            control: None,
            http: Some(format!("127.0.0.1:{port}")),
            log,
        })
    }
}

fn spawn(command: &mut Command) -> Result<Process, String> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    Process::start(command)
}

/// A flow that runs.
pub struct Running {
    process: Process,
    /// The control protocol, where the target speaks it.
    pub control: Option<Control>,
    /// `HOST:PORT` of its HTTP listener.
    pub http: Option<String>,
    log: Log,
}

impl Running {
    /// The process's number.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// When it was started.
    pub fn begun(&self) -> Instant {
        self.process.begun
    }

    /// A fault with what the process said last.
    pub fn explain(&self, why: &str) -> String {
        self.log.explain(why)
    }

    fn wait_for(&mut self, text: &str) -> Result<Instant, String> {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(at) = self.log.said(text) {
                return Ok(at);
            }
            if let Some(status) = self.process.ended() {
                return Err(format!("it ended with {status}"));
            }
            if Instant::now() > until {
                return Err(format!("it did not say \"{text}\" within 60 s"));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Waits until the flow has started, and looks whether all of its nodes have.
    fn is_ready(&mut self) -> Result<(), String> {
        let Some(control) = &mut self.control else {
            self.wait_for("Started flows")?;
            return match self.log.said("Waiting for missing types") {
                Some(_) => Err("it lacks node types of this flow".to_owned()),
                None => Ok(()),
            };
        };
        let info = control.ask("info", json!({}))?;
        let url = info["http"]["url"].as_str();
        self.http = url.map(|url| url.trim_start_matches("http://").to_owned());
        let nodes = control.ask("nodes", json!({}))?;
        let failed = |node: &&Value| node["state"] == "failed";
        match nodes.as_array().and_then(|nodes| nodes.iter().find(failed)) {
            Some(node) => Err(format!(
                "its node {} ({}) did not start",
                node["id"], node["type"]
            )),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_named() {
        for target in Target::ALL {
            assert_eq!(target.name().parse(), Ok(target));
        }
        let why = "cranelift".parse::<Target>();
        assert!(why.is_err_and(|why| why.contains("cranelift") && why.contains("node-red")));
    }
}
