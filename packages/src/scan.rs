//! Looks through a user folder as Node-RED does: `node_modules` (scopes too), and `nodes` with files of the user's own.

use crate::{Isolation, Package, Set};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The modules that Node.js has itself.
const BUILT_IN: &[&str] = &[
    "assert",
    "async_hooks",
    "buffer",
    "child_process",
    "cluster",
    "console",
    "constants",
    "crypto",
    "dgram",
    "dns",
    "dns/promises",
    "events",
    "fs",
    "fs/promises",
    "http",
    "http2",
    "https",
    "inspector",
    "module",
    "net",
    "os",
    "path",
    "perf_hooks",
    "process",
    "punycode",
    "querystring",
    "readline",
    "readline/promises",
    "repl",
    "stream",
    "stream/promises",
    "string_decoder",
    "timers",
    "timers/promises",
    "tls",
    "tty",
    "url",
    "util",
    "v8",
    "vm",
    "worker_threads",
    "zlib",
];

/// The packages of a user folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packages {
    /// The folder.
    pub user_dir: PathBuf,
    /// Those that have nodes, in the order in which Node-RED loads them.
    pub list: Vec<Package>,
    /// Modules that code in nodes can use: everything in `node_modules`, and what Node.js has itself.
    pub modules: HashSet<String>,
    /// Which of them have a process of their own.
    pub isolation: Isolation,
    /// Packages whose description cannot be read, and why.
    pub faults: Vec<String>,
}

impl Packages {
    /// Whether a folder looks like a user folder.
    pub fn are_in(folder: &Path) -> bool {
        folder.join("node_modules").is_dir() || folder.join("nodes").is_dir()
    }

    /// Reads what is in a folder; nothing where there is none.
    pub fn read(user_dir: &Path) -> Packages {
        let mut packages = Packages {
            user_dir: user_dir.to_owned(),
            ..Packages::default()
        };
        packages.own_files(&user_dir.join("nodes"));
        packages.read_modules(&user_dir.join("node_modules"), "");
        let own = BUILT_IN.iter();
        packages
            .modules
            .extend(own.flat_map(|name| [(*name).to_owned(), format!("node:{name}")]));
        packages
    }

    /// The package that a type is of: the first one that has it.
    pub fn of(&self, ty: &str) -> Option<&Package> {
        let has = |package: &&Package| package.types.iter().any(|have| have == ty);
        self.list.iter().find(has)
    }

    /// Types that more than one package has, with their names.
    pub fn twice(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut all: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for package in &self.list {
            for ty in &package.types {
                all.entry(ty).or_default().push(&package.name);
            }
        }
        all.retain(|_, names| names.len() > 1);
        all
    }

    fn own_files(&mut self, folder: &Path) {
        for path in sorted(folder) {
            let name = file_name(&path);
            if path.is_dir() {
                let skipped = ["lib", "icons", "node_modules", "test", "locales"];
                if !name.starts_with('.') && !skipped.contains(&name.as_str()) {
                    self.own_files(&path);
                }
                continue;
            }
            let is_script = [".js", ".cjs"].iter().any(|ending| name.ends_with(ending));
            if is_script && path.with_extension("html").is_file() {
                let types = types_of(&path);
                let set = Set {
                    name: path
                        .file_stem()
                        .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned()),
                    script: path.clone(),
                    types: types.clone(),
                };
                self.list.push(Package {
                    types,
                    sets: vec![set],
                    name,
                    version: String::new(),
                    licence: String::new(),
                    folder: folder.to_owned(),
                });
            }
        }
    }

    fn read_modules(&mut self, folder: &Path, scope: &str) {
        for path in sorted(folder) {
            let name = file_name(&path);
            if scope.is_empty() && name.starts_with('@') {
                self.read_modules(&path, &name);
                continue;
            }
            let Ok(text) = fs::read(path.join("package.json")) else {
                continue;
            };
            match serde_json::from_slice::<Json>(&text) {
                Ok(json) => {
                    self.modules
                        .extend(json["name"].as_str().map(str::to_owned));
                    self.list.extend(package(&path, &json));
                }
                Err(error) => {
                    let file = path.join("package.json");
                    self.faults
                        .push(format!("{} cannot be read: {error}", file.display()));
                }
            }
        }
    }
}

/// A package, where it has nodes.
fn package(folder: &Path, json: &Json) -> Option<Package> {
    let files = json["node-red"]["nodes"].as_object()?;
    let text = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
    let name = text("name");
    // (the runtime itself has none to look for)
    if name.is_empty() || name == "node-red" {
        return None;
    }
    let scripts = files.iter();
    let scripts = scripts.filter_map(|(name, file)| Some((name, folder.join(file.as_str()?))));
    let sets: Vec<Set> = scripts
        .map(|(name, script)| Set {
            name: name.clone(),
            types: types_of(&script),
            script,
        })
        .collect();
    let types: BTreeSet<String> = sets.iter().flat_map(|set| set.types.clone()).collect();
    let licence = match &json["license"] {
        Json::String(text) => text.clone(),
        Json::Object(object) => object
            .get("type")
            .and_then(Json::as_str)
            .unwrap_or_default()
            .to_owned(),
        _ => String::new(),
    };
    Some(Package {
        version: text("version"),
        name,
        licence,
        folder: folder.to_owned(),
        sets,
        types: types.into_iter().collect(),
    })
}

/// The types of a node's script and of the page beside it.
fn types_of(script: &Path) -> Vec<String> {
    let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
    let mut types: BTreeSet<String> = types_in(&read(&script.with_extension("html"))).collect();
    types.extend(types_in(&read(script)));
    types.into_iter().collect()
}

/// The texts that are first in calls of `registerType`, and of variables there the texts that they are given.
pub fn types_in(text: &str) -> impl Iterator<Item = String> + '_ {
    const CALL: &str = "registerType";
    let calls = text.match_indices(CALL);
    calls.filter_map(|(at, _)| {
        let rest = text[at + CALL.len()..]
            .trim_start()
            .strip_prefix('(')?
            .trim_start();
        quoted(rest).or_else(|| {
            let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
            let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
            given(text, &rest[..end])
        })
    })
}

/// The text that something begins with, where it is one as it stands.
fn quoted(rest: &str) -> Option<String> {
    let quote = rest
        .chars()
        .next()
        .filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let (text, _) = rest[1..].split_once(quote)?;
    let is_plain = !text.is_empty() && !text.contains(['\n', '\\', '$']);
    is_plain.then(|| text.to_owned())
}

/// The text that a variable is given (`const type = "x"`).
fn given(text: &str, name: &str) -> Option<String> {
    if name.is_empty() {
        return None;
    }
    let mut places = text.match_indices(name);
    places.find_map(|(at, _)| {
        let before = text[..at].trim_end();
        let is_declared = ["const", "let", "var", ","]
            .iter()
            .any(|word| before.ends_with(word));
        let rest = text[at + name.len()..].trim_start().strip_prefix('=')?;
        quoted(rest.trim_start()).filter(|_| is_declared)
    })
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    paths
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_as_text() {
        let page = r#"<script> RED.nodes.registerType ( 'ui_text', {category:'x'}); RED.nodes.registerType("a b",{});
            const one = 1, name = "d"; other = "e";
            registerType(`c`, {}); registerType(name, {}); registerType(other, {}); registerType(`t${x}`, 1) </script>"#;
        assert_eq!(
            types_in(page).collect::<Vec<_>>(),
            ["ui_text", "a b", "c", "d"]
        );
    }

    #[test]
    fn a_user_folder_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("makes");
            fs::write(path, text).expect("writes");
        };
        write(
            "node_modules/@s/p/package.json",
            r#"{"name":"@s/p","version":"1.2.3","license":"MIT","node-red":{"nodes":{"x":"x.js"}}}"#,
        );
        write(
            "node_modules/@s/p/x.js",
            "RED.nodes.registerType('x', X); RED.nodes.registerType('y', Y)",
        );
        write(
            "node_modules/@s/p/x.html",
            "RED.nodes.registerType('x', {})",
        );
        write("node_modules/plain/package.json", r#"{"name":"plain"}"#);
        write("node_modules/broken/package.json", "{");
        write("nodes/sub/mine.js", "");
        write(
            "nodes/sub/mine.html",
            "RED.nodes.registerType('mine', {}); RED.nodes.registerType('x', {})",
        );
        write("nodes/sub/none.js", "RED.nodes.registerType('none', {})");
        let packages = Packages::read(folder.path());
        let names: Vec<&str> = packages
            .list
            .iter()
            .map(|package| package.name.as_str())
            .collect();
        assert_eq!(names, ["mine.js", "@s/p"]);
        assert_eq!(packages.list[1].types, ["x", "y"]);
        assert_eq!(packages.list[1].label(), "the package @s/p 1.2.3 (MIT)");
        assert_eq!(
            packages.of("x").map(|package| package.name.as_str()),
            Some("mine.js")
        );
        assert_eq!(packages.twice()["x"], ["mine.js", "@s/p"]);
        assert!(packages.faults.len() == 1 && packages.faults[0].contains("broken"));
        let specs = packages.specs(|ty| ty == "y");
        let types: Vec<_> = specs
            .iter()
            .map(|(spec, away)| (spec.ty, away.packages[0].as_str()))
            .collect();
        assert_eq!(types, [("mine", "mine.js"), ("x", "mine.js")]);
    }
}
