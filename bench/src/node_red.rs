//! Node-RED as a target: finding one on the machine, and running a flow in a user folder of its own.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A Node-RED that is installed.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeRed {
    /// The Node.js that runs it.
    pub node: PathBuf,
    /// Its main file.
    pub main: PathBuf,
    /// Its version.
    pub version: String,
}

/// How to get one.
const ADVICE: &str =
    "install one with `npm install node-red` in some folder and name the folder with --node-red";

impl NodeRed {
    /// The one in this folder (`FOLDER/node_modules/node-red`), or the one on PATH; run by this Node.js, or the one on PATH.
    ///
    /// # Errors
    /// There is none; the text says how to get one.
    pub fn find(folder: Option<&Path>, node: Option<&Path>) -> Result<NodeRed, String> {
        let main = match folder {
            Some(folder) => {
                let main = folder.join("node_modules/node-red/red.js");
                if !main.is_file() {
                    return Err(format!(
                        "there is no {}: run `npm install node-red` in {}",
                        main.display(),
                        folder.display()
                    ));
                }
                main
            }
            None => on_path("node-red")
                .and_then(|path| path.canonicalize().ok())
                .ok_or_else(|| format!("there is no node-red on PATH: {ADVICE}"))?,
        };
        let node = match node {
            Some(node) if node.is_file() => node.to_owned(),
            Some(node) => {
                return Err(format!(
                    "--node-js {}: there is no such file",
                    node.display()
                ));
            }
            None => on_path("node").ok_or("there is no node on PATH: name one with --node-js")?,
        };
        let main = main
            .canonicalize()
            .map_err(|e| format!("cannot find {}: {e}", main.display()))?;
        let version = version_beside(&main).unwrap_or_else(|| "unknown".to_owned());
        Ok(NodeRed {
            node,
            main,
            version,
        })
    }

    /// The command that runs a flow file in a user folder below `folder`, and the port of its HTTP listener.
    ///
    /// # Errors
    /// The user folder cannot be written, or there is no free port.
    pub fn command(&self, flow: &Path, folder: &Path) -> Result<(Command, u16), String> {
        let user = folder.join("node-red");
        let port = crate::free_port()?;
        let settings = json!({
            "flowFile": "flows.json", "uiHost": "127.0.0.1", "uiPort": port, "credentialSecret": false,
            "telemetry": {"enabled": false, "updateNotification": false},
            "logging": {"console": {"level": "info", "metrics": false, "audit": false}},
            "externalModules": {"autoInstall": false}
        });
        let fault = |e: std::io::Error| format!("cannot prepare {}: {e}", user.display());
        // (a process before may have left its folder)
        let _ = std::fs::remove_dir_all(&user);
        std::fs::create_dir_all(&user).map_err(fault)?;
        std::fs::copy(flow, user.join("flows.json")).map_err(fault)?;
        let text = format!("module.exports = {settings:#};\n");
        std::fs::write(user.join("settings.js"), text).map_err(fault)?;
        let mut command = Command::new(&self.node);
        command.arg(&self.main).arg("--userDir").arg(&user);
        Ok((command, port))
    }
}

/// The version in the package that a main file belongs to.
fn version_beside(main: &Path) -> Option<String> {
    let text = std::fs::read_to_string(main.with_file_name("package.json")).ok()?;
    let package: Value = serde_json::from_str(&text).ok()?;
    Some(package["version"].as_str()?.to_owned())
}

/// A program on PATH.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said() {
        let folder = crate::guard::Folder::new().expect("a folder");
        let why = NodeRed::find(Some(folder.path()), None);
        assert!(why.is_err_and(|why| why.contains("npm install node-red")));
        assert_eq!(on_path("no-such-program"), None);
        assert!(on_path("sh").is_some());
    }

    #[test]
    fn an_installed_one_is_found_with_its_version() {
        let folder = crate::guard::Folder::new().expect("a folder");
        let package = folder.path().join("node_modules/node-red");
        std::fs::create_dir_all(&package).expect("makes");
        std::fs::write(package.join("red.js"), "").expect("writes");
        std::fs::write(package.join("package.json"), "{\"version\":\"9.9.9\"}").expect("writes");
        let missing = Path::new("/no/such/node");
        let why = NodeRed::find(Some(folder.path()), Some(missing));
        assert!(why.is_err_and(|why| why.contains("--node-js")));
        let found = NodeRed::find(Some(folder.path()), Some(Path::new("/bin/sh")));
        assert_eq!(found.expect("found").version, "9.9.9");
    }
}
