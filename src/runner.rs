//! Finding the runner, the program that artifacts are copies of.

use std::path::PathBuf;

/// Names another runner than the one beside `vgdc`.
pub const VARIABLE: &str = "VGDC_RUNNER";

/// The runner's file.
///
/// # Errors
/// There is none; the text says how to get one.
pub fn find() -> Result<PathBuf, String> {
    if let Some(path) = std::env::var_os(VARIABLE) {
        let path = PathBuf::from(path);
        return if path.is_file() {
            Ok(path)
        } else {
            Err(format!(
                "{VARIABLE} names {}, which is no file",
                path.display()
            ))
        };
    }
    let own = std::env::current_exe().map_err(|e| format!("cannot find vgdc's own file: {e}"))?;
    let folder = own.parent().map(PathBuf::from).unwrap_or_default();
    // (a test's executable lies one folder deeper)
    let places = [folder.join("vgdc-runner"), folder.join("../vgdc-runner")];
    places.iter().find(|path| path.is_file()).cloned().ok_or_else(|| {
        format!(
            "there is no vgdc-runner beside {}: build it with `cargo build --release -p vgdc-runner` and put it there, or name it in {VARIABLE}",
            own.display()
        )
    })
}
