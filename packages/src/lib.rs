//! Node-RED packages in a user folder (`~/.node-red` is one): which node types they have.
//!
//! Nothing of a package is run: types are read from the calls of `registerType` in its files, as text. What a package does
//! when it is loaded is seen by the host that runs it (`runtime/hosted`).

mod bundle;
mod known;
mod pages;
mod places;
mod scan;
mod shelf;

pub use bundle::bundle;
pub use known::package_with;
pub use pages::{Files, Set};
pub use places::Isolation;
pub use scan::{Packages, types_in};
pub use shelf::Shelf;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use vgdc_driver::Away;
use vgdc_spec::NodeSpec;

/// The place where packages' nodes run; those of a package that has a place of its own: this, `/` and its name.
pub const PLACE: &str = "node.js";

/// A package with nodes, or a file of the user's own (`nodes/x.js`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name; the file's, for a file.
    pub name: String,
    /// Its version; empty for a file.
    pub version: String,
    /// Its licence, as it says it itself; empty where it says nothing.
    pub licence: String,
    /// Where it is.
    pub folder: PathBuf,
    /// Its nodes, by the scripts that have them.
    pub sets: Vec<Set>,
    /// The node types that it has, sorted.
    pub types: Vec<String>,
}

impl Package {
    /// A name for people: with version and licence, where there are any.
    pub fn label(&self) -> String {
        if self.version.is_empty() {
            return format!("the file {}", self.folder.join(&self.name).display());
        }
        match self.licence.as_str() {
            "" => format!(
                "the package {} {} (no licence named)",
                self.name, self.version
            ),
            licence => format!("the package {} {} ({licence})", self.name, self.version),
        }
    }
}

impl Packages {
    /// The types for a compiler: all of them but those that `own` says the node library has.
    pub fn specs(&self, own: impl Fn(&str) -> bool) -> Vec<(&'static NodeSpec, Away)> {
        let mut specs = Vec::new();
        let places = self.places();
        for package in &self.list {
            for ty in package.types.iter().filter(|ty| !own(ty)) {
                // Of two packages with one type Node-RED takes the one that it loads first.
                if self.of(ty).is_some_and(|first| first.name == package.name) {
                    let away = Away {
                        place: places[package.name.as_str()].clone(),
                        packages: vec![package.name.clone()],
                    };
                    specs.push((spec(ty), away));
                }
            }
        }
        specs
    }
}

/// What is known of a type without running its package. Its memory is never given back: it is made once for each name.
fn spec(ty: &str) -> &'static NodeSpec {
    static MADE: Mutex<BTreeMap<String, &'static NodeSpec>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(spec) = made.get(ty) {
        return spec;
    }
    let spec: &'static NodeSpec = Box::leak(Box::new(NodeSpec {
        category: "packages",
        ..NodeSpec::unknown(ty.to_owned().leak())
    }));
    made.insert(ty.to_owned(), spec);
    spec
}
