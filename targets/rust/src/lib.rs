//! A flow as a crate: what `vgdc build --release` makes of a plan, with cargo and LLVM.
//!
//! The program does what the runner with an appended plan does, but the plan is compiled in and only the node types that
//! it uses are linked. Nothing but cargo is needed: the sources of the runtime and the node library are in vgdc itself and
//! are unpacked into `$XDG_CACHE_HOME/vgdc/HASH` (HASH is of their content), where the generated crate is built, too; what
//! cargo makes is in `$XDG_CACHE_HOME/vgdc/target`, for all flows and all versions.

mod cargo;
mod code;
mod emit;
mod external;
mod skeleton;
mod sources;
mod structure;

pub use external::{External, NodeCrate, crates, folder};

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use vgdc_mir::Body;
use vgdc_plan::Plan;

/// What was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildReport {
    /// The executable.
    pub out: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// How many node types are linked.
    pub types: usize,
    /// How many packages had to be compiled (the others were there from before).
    pub compiled: usize,
    /// How long all of it took.
    pub took: Duration,
}

/// Something wrong with one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeDiagnostic {
    /// The node's id.
    pub node_id: String,
    /// The node's name; `None` when it has none.
    pub node_name: Option<String>,
    /// What is wrong, in one line or more.
    pub message: String,
}

/// Why nothing was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildError {
    /// What went wrong, for people.
    pub message: String,
    /// What can be told of single nodes.
    pub diagnostics: Vec<NodeDiagnostic>,
}

impl BuildError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        BuildError {
            message: message.into(),
            diagnostics: Vec::new(),
        }
    }
}

impl std::fmt::Display for BuildError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        for diagnostic in &self.diagnostics {
            let NodeDiagnostic {
                node_id,
                node_name,
                message,
            } = diagnostic;
            match node_name {
                Some(name) => write!(f, "\n  node {node_id} {name:?}: {message}")?,
                None => write!(f, "\n  node {node_id}: {message}")?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for BuildError {}

/// The generated Rust text of a plan: its nodes, the plan itself, and the functions that its operators have by their
/// numbers. The same plan gives the same text. `external` has the nodes that are not the library's. Machine code that the plan has is left out.
pub fn emit(plan: &Plan, bodies: &[Body], external: &External) -> String {
    emit::module(plan, bodies, external).text
}

/// Is told what is going on, a short line each time (`compiling 12/140 tokio`).
pub type Reporter<'r> = &'r mut dyn FnMut(&str);

/// Builds the executable `out` of a plan and the functions of its operators. `name` is what the flow is called; `progress` is told what is going on, a short
/// line each time (`compiling 12/140 tokio`).
///
/// # Errors
/// The plan is damaged or has a node that this version does not know, cargo is missing or fails, or a file cannot be
/// written. `out` is then as it was before.
pub fn build(
    plan: &Plan,
    bodies: &[Body],
    external: &External,
    name: &str,
    out: &Path,
    progress: &mut dyn FnMut(&str),
) -> Result<BuildReport, BuildError> {
    build_in(
        &sources::cache().map_err(BuildError::new)?,
        plan,
        bodies,
        external,
        name,
        out,
        progress,
    )
}

fn build_in(
    cache: &Path,
    plan: &Plan,
    bodies: &[Body],
    external: &External,
    name: &str,
    out: &Path,
    progress: &mut dyn FnMut(&str),
) -> Result<BuildReport, BuildError> {
    let begin = Instant::now();
    check(plan, external)?;
    if out.is_dir() {
        return Err(BuildError::new(format!(
            "{} is a folder: name the executable",
            out.display()
        )));
    }
    let cargo = cargo::Cargo::find()?;
    let home = cache.join(sources::HASH);
    let lock = lock(cache, progress)?;
    let emitted = emit::module(plan, bodies, external);
    sources::unpacked(&home)?;
    skeleton::write(&home, name, plan, &emitted.text, &external.dependencies())?;
    let built = cargo
        .build(&home.join("app"), &cache.join("target"), progress)
        .map_err(|failed| failed.of_flow(plan, &emitted))?;
    let bytes = place(&built.executable, out)?;
    drop(lock);
    let types = plan
        .ops
        .iter()
        .map(vgdc_plan::Op::process_type)
        .collect::<std::collections::BTreeSet<_>>()
        .len();
    Ok(BuildReport {
        out: out.to_owned(),
        bytes,
        types,
        compiled: built.compiled,
        took: begin.elapsed(),
    })
}

/// Whether the generated program could read its plan and has all of its nodes.
fn check(plan: &Plan, external: &External) -> Result<(), BuildError> {
    Plan::from_bytes(&plan.to_bytes()).map_err(|e| BuildError::new(e.to_string()))?;
    let unknown = plan.ops.iter().filter(|op| {
        let ty = op.process_type();
        sources::module_of(ty).is_none() && external.crate_of(ty).is_none()
    });
    let diagnostics: Vec<_> = unknown
        .map(|op| NodeDiagnostic {
            node_id: op.id.clone(),
            node_name: op.name.clone(),
            message: format!("this vgdc has no node type \"{}\"", op.process_type()),
        })
        .collect();
    match diagnostics.len() {
        0 => Ok(()),
        1 => Err(BuildError {
            message: "a node is of an unknown type".to_owned(),
            diagnostics,
        }),
        many => Err(BuildError {
            message: format!("{many} nodes are of unknown types"),
            diagnostics,
        }),
    }
}

/// Takes the cache for this process: cargo would wait anyhow, and what it built must still be there when it is copied.
fn lock(cache: &Path, progress: &mut dyn FnMut(&str)) -> Result<File, BuildError> {
    let path = cache.join("lock");
    let failed = |e: std::io::Error| {
        BuildError::new(format!("cannot use the cache {}: {e}", cache.display()))
    };
    std::fs::create_dir_all(cache).map_err(failed)?;
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => progress("waiting for another build"),
        Err(std::fs::TryLockError::Error(error)) => return Err(failed(error)),
    }
    file.lock().map_err(failed)?;
    Ok(file)
}

/// Copies the executable beside its place and then puts it there: never half a file. Gives its size.
fn place(executable: &Path, out: &Path) -> Result<u64, BuildError> {
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    let part = out.with_file_name(format!(".{name}.{}.part", std::process::id()));
    let copied = std::fs::copy(executable, &part).and_then(|bytes| {
        File::open(&part)?.sync_all()?;
        std::fs::rename(&part, out)?;
        Ok(bytes)
    });
    copied.map_err(|e| {
        // (what could not be written may not be there)
        let _ = std::fs::remove_file(&part);
        BuildError::new(format!("cannot write {}: {e}", out.display()))
    })
}
