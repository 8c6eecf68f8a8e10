//! Copies what a host needs into a folder that goes with a program: the user folder's packages, and Node-RED's runtime with
//! all that it depends on.

use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What of a user folder goes with a program. Not `settings.js`, which may hold secrets, and no flows.
const PARTS: &[&str] = &[
    "package.json",
    "package-lock.json",
    "node_modules",
    "nodes",
    "lib",
];

/// Writes `folder` anew: the packages of `user_dir`, and `runtime` (the folder of the npm package `node-red`) as one of them.
/// Gives how many bytes that are. What was in the folder is replaced when all is there, so that there is never half of it.
///
/// # Errors
/// Something cannot be read or written.
pub fn bundle(user_dir: &Path, runtime: Option<&Path>, folder: &Path) -> io::Result<u64> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let beside = folder.with_file_name(format!(".{name}.new"));
    let old = folder.with_file_name(format!(".{name}.old"));
    for left in [&beside, &old] {
        if left.exists() {
            fs::remove_dir_all(left)?;
        }
    }
    let copied = fill(user_dir, runtime, &beside);
    if copied.is_err() {
        // (what could not be copied is the error; what is left of it is removed next time)
        let _ = fs::remove_dir_all(&beside);
    }
    let bytes = copied?;
    if folder.exists() {
        fs::rename(folder, &old)?;
    }
    fs::rename(&beside, folder)?;
    if old.exists() {
        fs::remove_dir_all(&old)?;
    }
    Ok(bytes)
}

fn fill(user_dir: &Path, runtime: Option<&Path>, to: &Path) -> io::Result<u64> {
    fs::create_dir_all(to)?;
    let mut bytes = 0;
    for part in PARTS {
        let from = user_dir.join(part);
        if from.exists() {
            bytes += copy(&from, &to.join(part), true)?;
        }
    }
    let Some(runtime) = runtime else {
        return Ok(bytes);
    };
    let modules = to.join("node_modules");
    if modules.join("node-red").exists() {
        return Ok(bytes);
    }
    // The modules that it finds beside itself stay beside it, in a folder of their own: the user's may be of other versions.
    let Some(root) = runtime.parent() else {
        return Ok(bytes);
    };
    for package in closure(runtime, root) {
        let inside = package.strip_prefix(root).unwrap_or(&package);
        bytes += copy(
            &package,
            &to.join("runtime").join("node_modules").join(inside),
            false,
        )?;
    }
    Ok(bytes)
}

/// A package and all that it depends on, as far as that lies in `root` (a folder `node_modules`).
fn closure(package: &Path, root: &Path) -> BTreeSet<PathBuf> {
    let mut all = BTreeSet::new();
    let mut todo = vec![package.to_owned()];
    while let Some(package) = todo.pop() {
        let Ok(text) = fs::read(package.join("package.json")) else {
            continue;
        };
        let json: Json = serde_json::from_slice(&text).unwrap_or_default();
        if !all.insert(package.clone()) {
            continue;
        }
        for kind in ["dependencies", "optionalDependencies", "peerDependencies"] {
            let names = json[kind]
                .as_object()
                .into_iter()
                .flat_map(|map| map.keys());
            todo.extend(names.filter_map(|name| resolve(&package, name, root)));
        }
    }
    all
}

/// Where Node.js finds a package that another asks for: in its own `node_modules`, else in those of the folders around it.
fn resolve(from: &Path, name: &str, root: &Path) -> Option<PathBuf> {
    let around = from
        .ancestors()
        .take_while(|folder| folder.starts_with(root));
    let inside = around.map(|folder| folder.join("node_modules").join(name));
    inside
        .chain([root.join(name)])
        .find(|path| path.join("package.json").is_file())
}

/// Copies a file or a folder; of a package alone (`nested` is false) not the packages inside it, which are copied by themselves.
fn copy(from: &Path, to: &Path, nested: bool) -> io::Result<u64> {
    let what = fs::metadata(from)?;
    if !what.is_dir() {
        return fs::copy(from, to);
    }
    fs::create_dir_all(to)?;
    let mut bytes = 0;
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        if name == ".bin" || (!nested && name == "node_modules") {
            continue;
        }
        let inner = from.join(&name);
        // (a link that leads nowhere is of no use there either)
        if inner.exists() {
            bytes += copy(&inner, &to.join(&name), nested)?;
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, path: &str, text: &str) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("makes");
        fs::write(path, text).expect("writes");
    }

    #[test]
    fn what_a_host_needs_is_copied_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let (user, runtime) = (
            folder.path().join("user"),
            folder.path().join("lib/node_modules/node-red"),
        );
        write(&user, "node_modules/p/package.json", "{}");
        write(&user, "nodes/x.js", "x");
        write(&user, "settings.js", "secret");
        write(
            &runtime,
            "package.json",
            r#"{"name":"node-red","dependencies":{"a":"1","b":"1"}}"#,
        );
        write(
            &runtime,
            "node_modules/b/package.json",
            r#"{"dependencies":{"a":"2"}}"#,
        );
        write(
            &runtime,
            "../a/package.json",
            r#"{"dependencies":{"b":"1"}}"#,
        );
        write(&runtime, "../b/package.json", "{}");
        write(&runtime, "../other/package.json", "{}");
        let to = folder.path().join("app.host");
        write(&to, "node_modules/gone/package.json", "{}");
        let bytes = bundle(&user, Some(&runtime), &to).expect("copies");
        assert!(bytes > 0);
        let has = |path: &str| to.join(path).exists();
        for path in [
            "node_modules/p/package.json",
            "nodes/x.js",
            "runtime/node_modules/node-red/package.json",
            "runtime/node_modules/node-red/node_modules/b/package.json",
            "runtime/node_modules/a/package.json",
            "runtime/node_modules/b/package.json",
        ] {
            assert!(has(path), "{path}");
        }
        for path in [
            "settings.js",
            "node_modules/gone",
            "runtime/node_modules/other",
        ] {
            assert!(!has(path), "{path}");
        }
        let left = fs::read_dir(folder.path()).expect("lists").count();
        assert_eq!(left, 3, "nothing is left beside it");
        assert!(bundle(&user, None, Path::new("/proc/nowhere.host")).is_err());
    }
}
