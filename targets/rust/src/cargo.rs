//! Runs cargo: tells what it is doing, and of which nodes its errors speak.

use crate::emit::Emitted;
use crate::{BuildError, NodeDiagnostic};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use vgdc_plan::Plan;

/// A cargo that is there.
pub(crate) struct Cargo {
    program: PathBuf,
}

/// Why cargo made nothing.
#[derive(Debug)]
pub(crate) enum Failed {
    /// What cargo itself says, or that it cannot be run.
    Cargo(BuildError),
    /// What rustc says of the crate or of others.
    Rustc(Vec<RustError>),
}

impl From<BuildError> for Failed {
    fn from(error: BuildError) -> Self {
        Failed::Cargo(error)
    }
}

impl Failed {
    /// As it is told of a generated flow: by its nodes, as far as it is of nodes.
    pub fn of_flow(self, plan: &Plan, emitted: &Emitted) -> BuildError {
        match self {
            Failed::Cargo(error) => error,
            Failed::Rustc(errors) => of_flow(&errors, plan, emitted),
        }
    }

    /// What cargo or rustc says, as they say it.
    pub fn said(self) -> String {
        match self {
            Failed::Cargo(error) => error.message,
            Failed::Rustc(errors) => {
                let texts = errors.iter().map(|error| error.rendered.trim_end());
                texts.collect::<Vec<_>>().join("\n")
            }
        }
    }
}

/// What cargo made.
pub(crate) struct Built {
    pub executable: PathBuf,
    /// Packages that were not there from before.
    pub compiled: usize,
}

impl Cargo {
    /// Finds cargo in the `PATH`.
    ///
    /// # Errors
    /// It is not there.
    pub fn find() -> Result<Cargo, BuildError> {
        Cargo::find_in(std::env::var_os("PATH").unwrap_or_default().as_os_str())
    }

    fn find_in(path: &std::ffi::OsStr) -> Result<Cargo, BuildError> {
        let name = format!("cargo{}", std::env::consts::EXE_SUFFIX);
        let found = std::env::split_paths(path)
            .map(|folder| folder.join(&name))
            .find(|program| program.is_file());
        let missing = || {
            BuildError::new(
                "a release build needs cargo, which is not in the PATH: install Rust (https://rustup.rs), \
                 or build without --release, which needs no other tool",
            )
        };
        found.map(|program| Cargo { program }).ok_or_else(missing)
    }

    fn command(&self, app: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        // In the folder of the crate, so that settings beside the flow (`.cargo`, `rust-toolchain`) do not reach it.
        command
            .current_dir(app)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.env("CARGO_TERM_COLOR", "never");
        command
    }

    fn start(&self, mut command: Command) -> Result<Child, BuildError> {
        command
            .spawn()
            .map_err(|e| BuildError::new(format!("cannot start {}: {e}", self.program.display())))
    }

    /// How many packages the crate is made of, with itself; fetches the list of them, and those that are not there.
    fn packages(&self, app: &Path) -> Result<usize, BuildError> {
        let host = self.host(app);
        let mut arguments = vec!["metadata", "--format-version=1"];
        arguments.extend(host.iter().flat_map(|host| ["--filter-platform", host]));
        let output = self
            .start(self.command(app, &arguments))?
            .wait_with_output();
        let output =
            output.map_err(|e| BuildError::new(format!("cannot read what cargo says: {e}")))?;
        if !output.status.success() {
            return Err(failure(&String::from_utf8_lossy(&output.stderr)));
        }
        let metadata: Json = serde_json::from_slice(&output.stdout).unwrap_or_default();
        Ok(metadata["resolve"]["nodes"].as_array().map_or(0, Vec::len))
    }

    /// The machine it compiles for, as rustc names it; `None` when it does not say.
    fn host(&self, app: &Path) -> Option<String> {
        let output = self
            .start(self.command(app, &["-vV"]))
            .ok()?
            .wait_with_output()
            .ok()?;
        let text = String::from_utf8_lossy(&output.stdout);
        text.lines()
            .find_map(|line| line.strip_prefix("host: "))
            .map(str::to_owned)
    }

    /// Compiles the crate in `app`.
    ///
    /// # Errors
    /// What cargo or rustc says.
    pub fn build(
        &self,
        app: &Path,
        target: &Path,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Built, Failed> {
        progress("looking for what is needed");
        let mut log = Log::new(self.packages(app)?);
        let mut command = self.command(app, &["build", "--release", "--message-format=json"]);
        command.arg("--target-dir").arg(target);
        let mut child = self.start(command)?;
        let stderr = child
            .stderr
            .take()
            .map(|pipe| std::thread::spawn(move || read_all(pipe)));
        for line in child
            .stdout
            .take()
            .map(BufReader::new)
            .into_iter()
            .flat_map(BufRead::lines)
        {
            let line =
                line.map_err(|e| BuildError::new(format!("cannot read what cargo says: {e}")))?;
            if let Some(news) = serde_json::from_str(&line)
                .ok()
                .and_then(|message: Json| log.take(&message))
            {
                progress(&news);
            }
        }
        let status = child
            .wait()
            .map_err(|e| BuildError::new(format!("cannot wait for cargo: {e}")))?;
        let said = stderr
            .and_then(|thread| thread.join().ok())
            .unwrap_or_default();
        match log.executable.take() {
            Some(executable) if status.success() => Ok(Built {
                executable,
                compiled: log.compiled.len(),
            }),
            _ => Err(log.failed(&said)),
        }
    }
}

fn read_all(mut pipe: impl Read) -> String {
    let mut bytes = Vec::new();
    // (what came before the pipe broke is still worth showing)
    let _ = pipe.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An error of cargo itself: what it said, without its progress lines.
fn failure(stderr: &str) -> BuildError {
    let begin = stderr
        .lines()
        .position(|line| line.starts_with("error"))
        .unwrap_or(0);
    let lines: Vec<&str> = stderr.lines().skip(begin).take(40).collect();
    BuildError::new(
        format!("cargo failed\n{}", lines.join("\n"))
            .trim_end()
            .to_owned(),
    )
}

/// What cargo's messages add up to.
struct Log {
    packages: usize,
    seen: BTreeSet<String>,
    compiled: BTreeSet<String>,
    executable: Option<PathBuf>,
    errors: Vec<RustError>,
}

/// An error of rustc.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RustError {
    /// The line of the generated module, when that is where it is.
    line: Option<usize>,
    message: String,
    rendered: String,
}

impl Log {
    fn new(packages: usize) -> Log {
        Log {
            packages,
            seen: BTreeSet::new(),
            compiled: BTreeSet::new(),
            executable: None,
            errors: Vec::new(),
        }
    }

    /// Takes a message; gives a line of progress when there is news.
    fn take(&mut self, message: &Json) -> Option<String> {
        match message["reason"].as_str()? {
            "compiler-artifact" => self.artifact(message),
            "compiler-message" if message["message"]["level"].as_str()?.starts_with("error") => {
                self.errors.push(RustError::of(message));
                None
            }
            _ => None,
        }
    }

    fn artifact(&mut self, message: &Json) -> Option<String> {
        let id = message["package_id"].as_str()?.to_owned();
        if let Some(executable) = message["executable"].as_str() {
            self.executable = Some(PathBuf::from(executable));
        }
        let name = message["target"]["name"].as_str()?;
        let script = message["target"]["kind"]
            .as_array()?
            .iter()
            .any(|kind| kind == "custom-build");
        // (a package's build script comes before it)
        let new = !script && self.seen.insert(id.clone());
        if !new || message["fresh"] == true {
            return None;
        }
        self.compiled.insert(id);
        let (done, all) = (self.seen.len(), self.packages.max(self.seen.len()));
        Some(format!("compiling {done}/{all} {name}"))
    }

    fn failed(self, said: &str) -> Failed {
        match self.errors.is_empty() {
            true => Failed::Cargo(failure(said)),
            false => Failed::Rustc(self.errors),
        }
    }
}

/// Errors in the code of a flow.
fn of_flow(errors: &[RustError], plan: &Plan, emitted: &Emitted) -> BuildError {
    let (mut diagnostics, mut elsewhere) = (Vec::new(), Vec::new());
    for error in errors {
        match error
            .line
            .and_then(|line| emitted.op_at(line))
            .and_then(|op| plan.ops.get(op))
        {
            Some(op) => diagnostics.push(NodeDiagnostic {
                node_id: op.id.clone(),
                node_name: op.name.clone(),
                message: error.message.clone(),
            }),
            None => elsewhere.push(error.rendered.trim_end()),
        }
    }
    let mut message =
        "rustc found errors in the generated code (this is a fault of vgdc)".to_owned();
    for text in elsewhere {
        message.push('\n');
        message.push_str(text);
    }
    BuildError {
        message,
        diagnostics,
    }
}

impl RustError {
    fn of(message: &Json) -> RustError {
        let ours = Path::new(message["target"]["src_path"].as_str().unwrap_or_default())
            .ends_with("app/src/main.rs");
        let message = &message["message"];
        let spans = message["spans"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let in_flow = |span: &&Json| {
            let file = span["file_name"].as_str().unwrap_or_default();
            ours && span["is_primary"] == true && Path::new(file).ends_with("src/flow.rs")
        };
        let line = spans
            .iter()
            .find(in_flow)
            .and_then(|span| span["line_start"].as_u64());
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        RustError {
            line: line.and_then(|line| usize::try_from(line).ok()),
            message: text(&message["message"]),
            rendered: text(&message["rendered"]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use vgdc_plan::Op;

    fn artifact(id: &str, kind: &str, fresh: bool, executable: Json) -> Json {
        json!({"reason": "compiler-artifact", "package_id": id, "target": {"name": id, "kind": [kind]}, "fresh": fresh, "executable": executable})
    }

    fn error(line: usize, file: &str, text: &str) -> Json {
        let span = json!({"file_name": file, "is_primary": true, "line_start": line});
        let message = json!({"level": "error", "message": text, "rendered": format!("error: {text}\n"), "spans": [span]});
        json!({"reason": "compiler-message", "target": {"src_path": "/cache/app/src/main.rs"}, "message": message})
    }

    #[test]
    fn progress_counts_packages_and_is_silent_of_what_is_there() {
        let mut log = Log::new(3);
        assert_eq!(
            log.take(&artifact("a", "custom-build", false, Json::Null)),
            None
        );
        assert_eq!(log.take(&artifact("a", "lib", true, Json::Null)), None);
        assert_eq!(
            log.take(&artifact("b", "lib", false, Json::Null))
                .as_deref(),
            Some("compiling 2/3 b")
        );
        assert_eq!(log.take(&artifact("b", "lib", false, Json::Null)), None);
        assert_eq!(
            log.take(&artifact("c", "bin", false, json!("/x/c")))
                .as_deref(),
            Some("compiling 3/3 c")
        );
        assert_eq!(
            log.take(&artifact("d", "lib", false, Json::Null))
                .as_deref(),
            Some("compiling 4/4 d")
        );
        assert_eq!(
            (log.executable, log.compiled.len()),
            (Some(PathBuf::from("/x/c")), 3)
        );
    }

    #[test]
    fn an_error_is_told_of_its_node() {
        let op = |id: &str, name: Option<&str>| Op {
            id: id.to_owned(),
            name: name.map(str::to_owned),
            ..Op::default()
        };
        let plan = Plan {
            ops: vec![op("n1", None), op("n2", Some("two")), op("n3", None)],
            ..Plan::default()
        };
        let emitted = crate::emit::module(&plan, &[], &Default::default());
        let line = 1 + emitted
            .text
            .lines()
            .position(|line| line.contains("\"n2\".to_owned()"))
            .expect("is there");
        let mut log = Log::new(1);
        assert_eq!(
            log.take(&error(line, "src/flow.rs", "mismatched types")),
            None
        );
        assert_eq!(log.take(&error(line, "src/main.rs", "elsewhere")), None);
        assert_eq!(log.take(&error(1, "src/flow.rs", "no node's")), None);
        let mut warning = error(line, "src/flow.rs", "only a warning");
        warning["message"]["level"] = json!("warning");
        assert_eq!(log.take(&warning), None);
        let failure = log
            .failed("error: could not compile")
            .of_flow(&plan, &emitted);
        let node = NodeDiagnostic {
            node_id: "n2".to_owned(),
            node_name: Some("two".to_owned()),
            message: "mismatched types".to_owned(),
        };
        assert_eq!(failure.diagnostics, [node]);
        insta::assert_snapshot!(failure.message, @r"
        rustc found errors in the generated code (this is a fault of vgdc)
        error: elsewhere
        error: no node's
        ");
    }

    #[test]
    fn an_error_of_cargo_is_told_without_what_went_before() {
        let said =
            "    Updating crates.io index\nerror: failed to download\n\nCaused by:\n  no network\n";
        let failure = Log::new(1).failed(said).of_flow(
            &Plan::default(),
            &crate::emit::module(&Plan::default(), &[], &Default::default()),
        );
        assert_eq!(
            failure.message,
            "cargo failed\nerror: failed to download\n\nCaused by:\n  no network"
        );
        assert!(failure.diagnostics.is_empty());
    }

    #[test]
    fn a_missing_cargo_is_a_clear_error() {
        let dir = tempfile::tempdir().expect("a folder");
        let error = Cargo::find_in(dir.path().as_os_str())
            .err()
            .expect("is not there");
        assert!(
            error.message.starts_with("a release build needs cargo"),
            "{error}"
        );
        std::fs::write(dir.path().join("cargo"), "").expect("writes");
        assert!(Cargo::find_in(dir.path().as_os_str()).is_ok());
    }
}
