//! Packages of nodes: what they have for an editor, given out as it is, for a frame that can do no harm; installing and removing them.

use serde_json::Value as Json;
use std::path::PathBuf;

/// A kind of files that packages have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackageFiles {
    /// Pictures of nodes.
    Icons,
    /// Whatever else their pages ask for.
    Resources,
}

/// Why a package was not installed or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackageFault {
    /// There is none of that name, or not in that version.
    Missing(String),
    /// Anything else.
    Failed(String),
}

impl std::fmt::Display for PackageFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (PackageFault::Missing(why) | PackageFault::Failed(why)) = self;
        f.write_str(why)
    }
}

impl From<String> for PackageFault {
    fn from(why: String) -> PackageFault {
        PackageFault::Failed(why)
    }
}

/// The packages. Each is asked on a thread that may block.
pub trait Packaged {
    /// The pages of all sets of nodes, or of one by its package and name, each behind a comment that names it; `None`: there is no such set.
    fn pages(&self, set: Option<(&str, &str)>, language: &str) -> Option<String>;

    /// The words of all sets by their ids, or of one, in a language; an empty object where there are none.
    fn words(&self, set: Option<(&str, &str)>, language: &str) -> Json;

    /// The pictures of nodes that there are: their names by package, an object of lists.
    fn icons(&self) -> Json;

    /// A file of a package.
    fn package_file(&self, module: &str, kind: PackageFiles, path: &str) -> Option<PathBuf>;

    /// Installs a package, in a version or the newest one; its nodes are there from then on. May take minutes.
    ///
    /// # Errors
    /// It is not installed; why.
    fn install(&self, module: &str, version: Option<&str>) -> Result<(), PackageFault>;

    /// Removes a package.
    ///
    /// # Errors
    /// It is still there; why.
    fn remove(&self, module: &str) -> Result<(), PackageFault>;
}
