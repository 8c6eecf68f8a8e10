//! Packs what a generated crate needs, so that it travels inside vgdc: the sources of the runtime, the node library and
//! the macros, and which module of the library is which node type.
//!
//! The package is a row of files, each as: length of the path (`u32`, little-endian), path, length of the content (`u32`),
//! content. Paths are relative, with `/`, in ascending order. Tests and benches stay at home.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Folders of the workspace that travel.
const ROOMS: [&str; 3] = ["runtime", "stdlib", "macros"];
/// Folders in them that do not.
const AT_HOME: [&str; 5] = ["tests", "benches", "examples", "target", "fuzz"];

/// What in them no generated program has: what is for programs with `flow!`, and links the compiler; the agent of a mesh and its net.
const OF_OTHERS: [&str; 3] = ["macros/flow", "runtime/agent", "runtime/net"];

type Files = BTreeMap<String, Vec<u8>>;

fn main() {
    // (asked when it runs: a build script that was compiled in another checkout may serve this one)
    let own = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    let root = Path::new(&own).join("../..");
    for watched in ROOMS.iter().chain(&["Cargo.toml", "Cargo.lock"]) {
        println!("cargo::rerun-if-changed={}", root.join(watched).display());
    }
    let mut files = Files::new();
    for room in ROOMS {
        pack(&root, room, &mut files);
    }
    let nodes = node_table(&files);
    let members = strip_manifests(&mut files);
    files.insert(
        "Cargo.toml".to_owned(),
        workspace(&root, &members).into_bytes(),
    );
    files.insert("Cargo.lock".to_owned(), read(&root.join("Cargo.lock")));
    let blob = blob(&files);
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    write(&out.join("sources.bin"), &blob);
    let table = format!(
        "/// The hash of the packed sources.\npub(crate) const HASH: &str = \"{:016x}\";\n\
         /// Each node type of the library and its module, sorted by type.\n\
         pub(crate) const NODES: &[(&str, &str)] = &[\n{nodes}];\n",
        fnv(&blob)
    );
    write(&out.join("packed.rs"), table.as_bytes());
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|e| panic!("cannot read {}: {e}", path.display()))
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap_or_else(|e| panic!("cannot write {}: {e}", path.display()));
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// Takes the files below `root/at`.
fn pack(root: &Path, at: &str, files: &mut Files) {
    let folder = root.join(at);
    let entries = std::fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("cannot read {}: {e}", folder.display()));
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let inner = format!("{at}/{name}");
        if entry.path().is_dir() {
            let travels = !AT_HOME.contains(&name.as_str()) && !OF_OTHERS.contains(&inner.as_str());
            if travels && !name.starts_with('.') {
                pack(root, &inner, files);
            }
        } else if !name.starts_with('.') {
            files.insert(inner, read(&entry.path()));
        }
    }
}

/// Rows of the table from node type to module, as `stdlib/build.rs` names the modules.
fn node_table(files: &Files) -> String {
    let mut types = BTreeMap::new();
    for (path, content) in files {
        let Some((category, file)) = path
            .strip_prefix("stdlib/src/")
            .and_then(|p| p.split_once('/'))
        else {
            continue;
        };
        let Some(module) = file
            .strip_suffix(".rs")
            .filter(|m| !m.starts_with('_') && !m.contains('/'))
        else {
            continue;
        };
        if let Some(ty) = node_type(text(content)) {
            types.insert(ty.to_owned(), format!("{category}::{module}"));
        }
    }
    types.iter().fold(String::new(), |mut rows, (ty, module)| {
        let _ = writeln!(rows, "    ({ty:?}, {module:?}),");
        rows
    })
}

/// The type in `#[node(type = "…"`.
fn node_type(source: &str) -> Option<&str> {
    let attribute = source.split_once("\n#[node(")?.1;
    let rest = attribute.split_once("type = \"")?.1;
    rest.split_once('"').map(|(ty, _)| ty)
}

/// Takes out of each manifest what only tests and the compiler need; gives the folders of the members.
fn strip_manifests(files: &mut Files) -> Vec<String> {
    let mut members = Vec::new();
    for (path, content) in files.iter_mut() {
        let Some(folder) = path.strip_suffix("/Cargo.toml") else {
            continue;
        };
        let mut manifest: Table = text(content)
            .parse()
            .unwrap_or_else(|e| panic!("{path}: {e}"));
        for table in ["dev-dependencies", "bench", "test"] {
            manifest.remove(table);
        }
        drop_features(&mut manifest);
        *content = manifest.to_string().into_bytes();
        members.push(folder.to_owned());
    }
    members
}

/// Takes out what is optional and of the workspace: the compiler's side of the node library. Other optional dependencies
/// are for programs to choose.
fn drop_features(manifest: &mut Table) {
    if let Some(Value::Table(features)) = manifest.get_mut("features") {
        // (the names stay, since the sources ask for them)
        for (_, needs) in features.iter_mut() {
            if let Value::Array(needs) = needs {
                needs.retain(|need| {
                    need.as_str()
                        .is_none_or(|need| !need.starts_with("dep:vgdc-"))
                });
            }
        }
    }
    if let Some(Value::Table(dependencies)) = manifest.get_mut("dependencies") {
        let optional = |d: &Value| d.get("optional").and_then(Value::as_bool) == Some(true);
        dependencies
            .retain(|name, dependency| !(optional(dependency) && name.starts_with("vgdc-")));
    }
}

/// The workspace's manifest with these members only.
fn workspace(root: &Path, members: &[String]) -> String {
    let path = root.join("Cargo.toml");
    let manifest: Table = text(&read(&path))
        .parse()
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut workspace = manifest
        .get("workspace")
        .and_then(Value::as_table)
        .cloned()
        .unwrap_or_default();
    workspace.remove("default-members");
    workspace.insert(
        "members".to_owned(),
        Value::Array(members.iter().cloned().map(Value::String).collect()),
    );
    if let Some(Value::Table(dependencies)) = workspace.get_mut("dependencies") {
        // (a dependency by path must be there, even when nobody uses it)
        dependencies.retain(
            |_, dependency| match dependency.get("path").and_then(Value::as_str) {
                Some(path) => members.iter().any(|member| member == path),
                None => true,
            },
        );
    }
    Table::from_iter([("workspace".to_owned(), Value::Table(workspace))]).to_string()
}

fn blob(files: &Files) -> Vec<u8> {
    let mut blob = Vec::new();
    for (path, content) in files {
        for part in [path.as_bytes(), content] {
            let length = u32::try_from(part.len()).unwrap_or_else(|_| panic!("{path} is too long"));
            blob.extend_from_slice(&length.to_le_bytes());
            blob.extend_from_slice(part);
        }
    }
    blob
}

/// The FNV-1a hash: it tells versions of the sources apart, nobody is kept out by it.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
