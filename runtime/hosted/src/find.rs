//! Finds Node.js and Node-RED's runtime.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest Node.js that the host's own program runs on.
const OLDEST: u32 = 18;

/// A Node.js that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeJs {
    /// The program.
    pub program: PathBuf,
    /// Its version, as it says it (`v22.9.0`).
    pub version: String,
}

/// What a host is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Node.js.
    pub node: NodeJs,
    /// The folder of the npm package `node-red`.
    pub runtime: PathBuf,
    /// Its version.
    pub version: String,
}

impl Found {
    /// Looks for Node.js (`node`, else the one in the search path) and for Node-RED's runtime (`runtime`, else beside the
    /// packages in `user_dir`, else where npm puts what it installs for all, else what [`own_folder`] holds).
    ///
    /// # Errors
    /// What is missing or too old, and the command that mends it.
    pub fn look(
        node: Option<&Path>,
        runtime: Option<&Path>,
        user_dir: &Path,
    ) -> Result<Found, String> {
        let node = NodeJs::look(node)?;
        let (runtime, package) = match runtime {
            Some(folder) => {
                let package = package(folder).ok_or_else(|| {
                    format!("`host.nodeRed`: {} is no folder of the npm package node-red", folder.display())
                })?;
                (folder.to_owned(), package)
            }
            None => places(&node.program, user_dir)
                .find_map(|folder| package(&folder).map(|package| (folder, package)))
                .ok_or(
                    "Node-RED's runtime, in which packages' nodes run, is not installed: `vgdc add --runtime` brings it (or \
                     `npm install -g node-red`)",
                )?,
        };
        let version = text(&package, "version");
        let wanted = package["engines"]["node"].as_str().and_then(least);
        if let Some(wanted) =
            wanted.filter(|wanted| major(&node.version).is_some_and(|is| is < *wanted))
        {
            return Err(format!(
                "Node-RED {version} needs Node.js {wanted} or later, and {} is {}: install a newer one (`npm install -g node@{wanted}`, \
                 or from nodejs.org), or name one in vgdc.toml: [settings.host] node = \"/path/to/node\"",
                node.program.display(),
                node.version,
            ));
        }
        Ok(Found {
            node,
            runtime,
            version,
        })
    }
}

impl NodeJs {
    /// Looks for Node.js: the one given, else the one in the search path.
    ///
    /// # Errors
    /// There is none, or it is too old.
    pub fn look(given: Option<&Path>) -> Result<NodeJs, String> {
        let program = given.map_or_else(|| PathBuf::from("node"), Path::to_path_buf);
        let said = Command::new(&program).arg("--version").output();
        let version = match &said {
            Ok(said) if said.status.success() => {
                String::from_utf8_lossy(&said.stdout).trim().to_owned()
            }
            Ok(said) => {
                return Err(format!(
                    "{} --version failed: {}",
                    program.display(),
                    said.status
                ));
            }
            Err(error) if given.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
                return Err(
                    "Node.js, in which packages' nodes run, is not installed: install version 22 or later (for example \
                     `apt-get install nodejs`, or from nodejs.org), or name one in vgdc.toml: [settings.host] node = \"/path/to/node\""
                        .to_owned(),
                );
            }
            Err(error) => return Err(format!("cannot run {}: {error}", program.display())),
        };
        match major(&version) {
            Some(major) if major >= OLDEST => Ok(NodeJs { program, version }),
            _ => Err(format!(
                "{} is {version}; packages' nodes need Node.js {OLDEST} or later",
                program.display()
            )),
        }
    }
}

/// Where vgdc keeps a runtime of its own: `$XDG_CACHE_HOME/vgdc/node-red`, else in `~/.cache`.
pub fn own_folder() -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    Some(cache.join("vgdc").join("node-red"))
}

fn places(node: &Path, user_dir: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let program = which(node).and_then(|program| program.canonicalize().ok());
    let global = program.and_then(|program| Some(program.parent()?.parent()?.join("lib")));
    let named = std::env::var_os("NODE_PATH")
        .map(|paths| std::env::split_paths(&paths).collect::<Vec<_>>());
    // (the second is where `vgdc build` puts it)
    let beside = [
        Some(user_dir.to_owned()),
        Some(user_dir.join("runtime")),
        global,
        Some("/usr/local/lib".into()),
        Some("/usr/lib".into()),
        own_folder(),
    ];
    let beside = beside
        .into_iter()
        .flatten()
        .map(|folder| folder.join("node_modules"));
    beside
        .chain(named.into_iter().flatten())
        .map(|folder| folder.join("node-red"))
}

fn which(program: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return Some(program.to_owned());
    }
    let paths = std::env::var_os("PATH")?;
    std::env::split_paths(&paths)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

fn package(folder: &Path) -> Option<serde_json::Value> {
    let text = std::fs::read(folder.join("package.json")).ok()?;
    let package: serde_json::Value = serde_json::from_slice(&text).ok()?;
    (package["name"] == "node-red").then_some(package)
}

fn text(package: &serde_json::Value, key: &str) -> String {
    package[key].as_str().unwrap_or("?").to_owned()
}

/// The major version in `v22.9.0`.
fn major(version: &str) -> Option<u32> {
    version
        .trim_start_matches('v')
        .split('.')
        .next()?
        .parse()
        .ok()
}

/// The least major version that a range such as `>=22.9` or `^18 || >=20` allows.
fn least(range: &str) -> Option<u32> {
    let alternatives = range.split("||");
    let first = |alternative: &str| {
        let digits = alternative.trim_start_matches(|c: char| !c.is_ascii_digit());
        major(digits.split(|c: char| !c.is_ascii_digit()).next()?)
    };
    alternatives.filter_map(first).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_first_number() {
        assert_eq!(major("v22.9.0"), Some(22));
        assert_eq!(least(">=22.9"), Some(22));
        assert_eq!(least("^18.1 || >= 20"), Some(18));
        assert_eq!(least("*"), None);
    }

    #[test]
    fn what_is_missing_is_said_with_what_mends_it() {
        let missing = NodeJs::look(Some(Path::new("/nowhere/node")));
        assert!(missing.is_err_and(|why| why.starts_with("cannot run /nowhere/node")));
        let none = Found::look(None, Some(Path::new("/nowhere")), Path::new("/nowhere"));
        assert!(none.is_err_and(|why| why.contains("/nowhere is no folder of the npm package node-red")));
    }
}
