//! Files that are there as a whole or not at all.

use std::io::Write;
use std::path::Path;

/// Writes beside the file's place and then puts it there: whoever reads it finds the old one or the new one. `mode` is what the
/// new file may be used for, by whom (`0o644`).
///
/// # Errors
/// It cannot be written; what was there is as it was.
pub fn write(file: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let part = file.with_file_name(format!(".{name}.{}.part", std::process::id()));
    // (one that a killed process of this number left: a file that is made anew has the mode that is asked for)
    let _ = std::fs::remove_file(&part);
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&part)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| std::fs::rename(&part, file));
    if written.is_err() {
        // (what could not be written may not be there)
        let _ = std::fs::remove_file(&part);
    }
    written
}
