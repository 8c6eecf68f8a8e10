//! The host's own program, which travels in this one, and the private folder that it is written to.

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

const PROGRAM: &[(&str, &str)] = &[
    ("main.js", include_str!("../host/main.js")),
    ("link.js", include_str!("../host/link.js")),
    ("values.js", include_str!("../host/values.js")),
    ("packages.js", include_str!("../host/packages.js")),
    ("handles.js", include_str!("../host/handles.js")),
    ("responses.js", include_str!("../host/responses.js")),
    ("contexts.js", include_str!("../host/contexts.js")),
    ("faults.js", include_str!("../host/faults.js")),
    ("nodes.js", include_str!("../host/nodes.js")),
    // (what lies around the folder must not decide what kind of modules these are)
    ("package.json", "{\"type\":\"commonjs\"}"),
];

/// A folder that only this user can look into; gone when it is dropped.
#[derive(Debug)]
pub struct Private(PathBuf);

impl Private {
    /// A new folder with the host's program in it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn new() -> io::Result<Private> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("vgdc-host-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        // (one of a process that had the same number and was killed)
        if path.exists() {
            std::fs::remove_dir_all(&path)?;
        }
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        let folder = Private(path);
        for (name, text) in PROGRAM {
            std::fs::write(folder.0.join(name), text)?;
        }
        Ok(folder)
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        // (a folder that stays in the place for passing files does no harm)
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
