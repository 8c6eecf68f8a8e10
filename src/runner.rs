//! Finding the programs that belong to `vgdc`: the runner, which artifacts are copies of, and the agent of a mesh.

use std::path::PathBuf;

/// Names another runner than the one beside `vgdc`.
pub const VARIABLE: &str = "VGDC_RUNNER";

/// Names another agent than the one beside `vgdc`.
pub const AGENT_VARIABLE: &str = "VGDC_AGENT_PROGRAM";

/// The runner's file.
///
/// # Errors
/// There is none; the text says how to get one.
pub fn find() -> Result<PathBuf, String> {
    beside("vgdc-runner", VARIABLE, "vgdc-runner")
}

/// The agent's file.
///
/// # Errors
/// There is none; the text says how to get one.
pub fn agent() -> Result<PathBuf, String> {
    beside("vgdc-agent", AGENT_VARIABLE, "vgdc-agent")
}

fn beside(program: &str, variable: &str, package: &str) -> Result<PathBuf, String> {
    if let Some(path) = std::env::var_os(variable) {
        let path = PathBuf::from(path);
        return if path.is_file() {
            Ok(path)
        } else {
            Err(format!(
                "{variable} names {}, which is no file",
                path.display()
            ))
        };
    }
    let own = std::env::current_exe().map_err(|e| format!("cannot find vgdc's own file: {e}"))?;
    let folder = own.parent().map(PathBuf::from).unwrap_or_default();
    // (a test's executable lies one folder deeper)
    let places = [folder.join(program), folder.join("..").join(program)];
    places.iter().find(|path| path.is_file()).cloned().ok_or_else(|| {
        format!(
            "there is no {program} beside {}: build it with `cargo build --release -p {package}` and put it there, or name it in {variable}",
            own.display()
        )
    })
}
