//! Crates with nodes of the user's own: asking them what nodes they have, and linking them into programs.
//!
//! Such a crate has `pub static NODES: &[&vgdc_core::NodeDef]`. A small program that has the crate in it is made and run to
//! tell the nodes' descriptions: cargo knows whether it has to be compiled again.

use crate::cargo::Cargo;
use crate::{BuildError, Reporter, lock, skeleton, sources};
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use vgdc_spec::Described;

/// A crate with nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeCrate {
    /// Its name.
    pub name: String,
    /// Where cargo finds it, by cargo's own keys; a `path` is absolute.
    pub dependency: Map<String, Json>,
}

/// Crates with nodes, and where in them each type is.
#[derive(Debug, Clone, Default)]
pub struct External {
    crates: Vec<NodeCrate>,
    /// The crate (an index into `crates`) and the place in its `NODES`.
    places: BTreeMap<String, (usize, usize)>,
    /// Types that the program has otherwise: expressions of Rust.
    linked: BTreeMap<String, String>,
}

/// Crates as `vgdc.toml` names them: the keys are cargo's, a `path` is seen from the folder `base`.
///
/// # Errors
/// A path leads to no crate.
pub fn crates<'a>(
    named: impl IntoIterator<Item = (&'a str, &'a Map<String, Json>)>,
    base: &Path,
) -> Result<Vec<NodeCrate>, String> {
    let made = named.into_iter().map(|(name, dependency)| {
        let mut dependency = dependency.clone();
        if let Some(path) = dependency.get("path") {
            let path = path
                .as_str()
                .ok_or_else(|| format!("the `path` of {name} is no text"))?;
            let full = folder(base, path)?;
            dependency.insert("path".to_owned(), full.to_string_lossy().into());
        }
        Ok(NodeCrate {
            name: name.to_owned(),
            dependency,
        })
    });
    made.collect()
}

impl External {
    /// Asks crates for their nodes; compiles them where they have changed.
    ///
    /// # Errors
    /// cargo is missing or fails, a crate has no `NODES`, or two have a type of one name.
    pub fn ask(
        crates: Vec<NodeCrate>,
        progress: Reporter<'_>,
    ) -> Result<(External, Vec<Described>), BuildError> {
        if crates.is_empty() {
            return Ok((External::default(), Vec::new()));
        }
        let cache = sources::cache().map_err(BuildError::new)?;
        let told = described(&cache, &crates, progress)?;
        let mut external = External {
            crates,
            places: BTreeMap::new(),
            linked: BTreeMap::new(),
        };
        let mut all = Vec::new();
        for (at, nodes) in told.into_iter().enumerate() {
            for (number, node) in nodes.into_iter().enumerate() {
                let ty = node.ty().to_owned();
                let own = &external.crates[at].name;
                if sources::module_of(&ty).is_some() {
                    return Err(BuildError::new(format!(
                        "the crate {own} has a node of type \"{ty}\", which is one of vgdc's own: give it another type"
                    )));
                }
                if let Some((other, _)) = external.places.insert(ty.clone(), (at, number)) {
                    let other = &external.crates[other].name;
                    return Err(BuildError::new(format!(
                        "the crates {other} and {own} both have a node of type \"{ty}\""
                    )));
                }
                all.push(node);
            }
        }
        Ok((external, all))
    }

    /// With nodes that the program itself has: for each type an expression of Rust, a reference to its `NodeDef`.
    #[must_use]
    pub fn with_linked(mut self, types: impl IntoIterator<Item = (String, String)>) -> External {
        self.linked.extend(types);
        self
    }

    /// Whether there are no such nodes.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The crate that has a type.
    pub fn crate_of(&self, ty: &str) -> Option<&str> {
        let (at, _) = self.places.get(ty)?;
        self.crates.get(*at).map(|it| it.name.as_str())
    }

    /// The type as an expression of Rust: a reference to its `NodeDef`.
    pub(crate) fn expression(&self, ty: &str) -> Option<String> {
        if let Some(expression) = self.linked.get(ty) {
            return Some(expression.clone());
        }
        let (at, number) = self.places.get(ty)?;
        let name = self.crates.get(*at)?.name.replace('-', "_");
        Some(format!("{name}::NODES[{number}]"))
    }

    /// The lines of a manifest that name the crates.
    pub(crate) fn dependencies(&self) -> Vec<String> {
        self.crates.iter().map(dependency).collect()
    }
}

/// A line of a manifest: JSON's texts, numbers and lists are TOML's, too.
fn dependency(named: &NodeCrate) -> String {
    let fields = named
        .dependency
        .iter()
        .map(|(key, value)| format!("{key} = {value}"));
    format!(
        "{} = {{ {} }}",
        named.name,
        fields.collect::<Vec<_>>().join(", ")
    )
}

/// The descriptions of the nodes of each crate, by the crates' order.
fn described(
    cache: &Path,
    crates: &[NodeCrate],
    progress: Reporter<'_>,
) -> Result<Vec<Vec<Described>>, BuildError> {
    let cargo = Cargo::find()?;
    let home = cache.join(sources::HASH);
    let lock = lock(cache, progress)?;
    let lines: Vec<String> = crates.iter().map(dependency).collect();
    let names: Vec<String> = crates.iter().map(|it| it.name.replace('-', "_")).collect();
    sources::unpacked(&home)?;
    skeleton::write_describe(&home, &lines, &names)?;
    let built = cargo
        .build(&home.join("describe"), &cache.join("target"), progress)
        .map_err(|failed| explained(&failed.said(), crates))?;
    let output = Command::new(&built.executable)
        .stdin(Stdio::null())
        .output();
    drop(lock);
    let output = output
        .map_err(|e| BuildError::new(format!("cannot run {}: {e}", built.executable.display())))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(BuildError::new(format!(
            "the nodes of {} cannot be listed: {said}",
            names.join(", ")
        )));
    }
    serde_json::from_slice(&output.stdout).map_err(|e| {
        BuildError::new(format!(
            "the nodes of {} cannot be read: {e}",
            names.join(", ")
        ))
    })
}

/// What cargo or rustc says, with what such a crate must have.
fn explained(said: &str, crates: &[NodeCrate]) -> BuildError {
    let names: Vec<&str> = crates.iter().map(|it| it.name.as_str()).collect();
    BuildError::new(format!(
        "the crates with nodes ({}) cannot be compiled. A crate with nodes has `pub static NODES: &[&vgdc_core::NodeDef]` and depends on \
         vgdc-core and vgdc-macros-node {} (docs/third-party-nodes.md)\n{said}",
        names.join(", "),
        env!("CARGO_PKG_VERSION"),
    ))
}

/// A path that cargo takes wherever it runs.
///
/// # Errors
/// There is no such folder, or it has no `Cargo.toml`.
pub fn folder(base: &Path, path: &str) -> Result<PathBuf, String> {
    let full = base.join(path);
    let full = full
        .canonicalize()
        .map_err(|e| format!("{}: {e}", full.display()))?;
    match full.join("Cargo.toml").is_file() {
        true => Ok(full),
        false => Err(format!("{}: there is no Cargo.toml in it", full.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_dependency_is_a_line_of_toml() {
        let named = |value: Json| NodeCrate {
            name: "acme-nodes".to_owned(),
            dependency: value.as_object().cloned().unwrap_or_default(),
        };
        assert_eq!(
            dependency(&named(json!({"path": "/a \"b\"", "features": ["x"]}))),
            "acme-nodes = { path = \"/a \\\"b\\\"\", features = [\"x\"] }"
        );
    }
}
