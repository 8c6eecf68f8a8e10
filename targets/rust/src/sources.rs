//! The sources that travel inside vgdc: reading the package that `build.rs` made, and unpacking it into the cache.

use std::path::{Path, PathBuf};

include!(concat!(env!("OUT_DIR"), "/packed.rs"));

static BLOB: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/sources.bin"));

/// The packed files, as path and content.
pub(crate) fn files() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    let mut rest = BLOB;
    std::iter::from_fn(move || {
        let path = std::str::from_utf8(part(&mut rest)?).ok()?;
        Some((path, part(&mut rest)?))
    })
}

/// Takes one length and as many bytes.
fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let (part, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *rest = after;
    Some(part)
}

/// The module of the library that is a node type, as `category::name`.
pub(crate) fn module_of(ty: &str) -> Option<&'static str> {
    NODES
        .binary_search_by_key(&ty, |(ty, _)| ty)
        .ok()
        .and_then(|at| NODES.get(at))
        .map(|(_, module)| *module)
}

/// vgdc's folder for what can be made again: `$XDG_CACHE_HOME/vgdc`, by default `~/.cache/vgdc`.
///
/// # Errors
/// Neither `XDG_CACHE_HOME` nor `HOME` says where that is.
pub(crate) fn cache() -> Result<PathBuf, String> {
    // (the XDG base directory specification: a relative path is to be ignored)
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let base =
        absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
    let base = base.ok_or("there is no place for what cargo builds: set HOME or XDG_CACHE_HOME")?;
    Ok(base.join("vgdc"))
}

/// Unpacks the sources below a folder of the cache.
///
/// # Errors
/// The folder cannot be written.
pub(crate) fn unpacked(home: &Path) -> Result<(), crate::BuildError> {
    let done = std::fs::create_dir_all(home).and_then(|()| unpack(&home.join("sources")));
    done.map_err(|e| {
        crate::BuildError::new(format!(
            "cannot unpack the sources into {}: {e}",
            home.display()
        ))
    })
}

/// Unpacks the sources into `folder` unless they are there. They are complete or absent, never in part.
/// Only one process may do so at a time.
///
/// # Errors
/// The folder cannot be written.
fn unpack(folder: &Path) -> std::io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let part = folder.with_extension("part");
    if part.exists() {
        // (of a process that was killed: the caller holds the cache's lock, so nobody is at it)
        std::fs::remove_dir_all(&part)?;
    }
    let written = unpack_into(&part).and_then(|()| std::fs::rename(&part, folder));
    if written.is_err() {
        // (what could not be written may not be there)
        let _ = std::fs::remove_dir_all(&part);
    }
    written
}

fn unpack_into(folder: &Path) -> std::io::Result<()> {
    for (path, content) in files() {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, content)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_is_whole_and_without_tests() {
        let paths: Vec<_> = files().map(|(path, _)| path).collect();
        let length: usize = files()
            .map(|(path, content)| path.len() + content.len() + 8)
            .sum();
        assert_eq!(length, BLOB.len());
        assert!(paths.is_sorted());
        for needed in [
            "Cargo.toml",
            "Cargo.lock",
            "runtime/core/src/lib.rs",
            "runtime/engine/js/core.js",
            "stdlib/build.rs",
        ] {
            assert!(paths.contains(&needed), "{needed}");
        }
        for path in paths {
            assert!(!path.starts_with('/') && !path.contains(".."), "{path}");
            assert!(
                !path
                    .split('/')
                    .any(|name| name == "tests" || name == "target"),
                "{path}"
            );
        }
    }

    #[test]
    fn every_member_has_what_it_inherits() {
        let root = files()
            .find(|(path, _)| *path == "Cargo.toml")
            .map(|(_, content)| String::from_utf8_lossy(content));
        let root = root.expect("a workspace");
        for (path, content) in files().filter(|(path, _)| path.ends_with("/Cargo.toml")) {
            let manifest = String::from_utf8_lossy(content);
            assert!(!manifest.contains("dev-dependencies"), "{path}");
            let ours = manifest
                .lines()
                .filter_map(|line| line.strip_prefix("[dependencies.vgdc-"));
            for name in ours.filter_map(|line| line.strip_suffix(']')) {
                assert!(
                    root.contains(&format!("[workspace.dependencies.vgdc-{name}]")),
                    "{path} needs vgdc-{name}"
                );
            }
            let folder = path.trim_end_matches("/Cargo.toml");
            assert!(
                root.contains(&format!("\"{folder}\"")),
                "{folder} is a member"
            );
        }
    }

    #[test]
    fn every_node_of_the_library_is_found() {
        let of = |module: &str| format!("stdlib/src/{}.rs", module.replace("::", "/"));
        for (ty, module) in NODES {
            assert_eq!(module_of(ty), Some(*module));
            assert!(files().any(|(path, _)| path == of(module)), "{module}");
        }
        assert_eq!(NODES.len(), vgdc_stdlib::NODES.len());
        assert!(vgdc_stdlib::specs().all(|spec| module_of(spec.ty).is_some()));
        assert_eq!(module_of("no such node"), None);
    }

    #[test]
    fn unpacking_is_all_or_nothing_and_done_once() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = dir.path().join("sources");
        unpack(&folder).expect("unpacks");
        assert!(folder.join("runtime/core/src/lib.rs").is_file());
        std::fs::write(folder.join("mine"), "kept").expect("writes");
        unpack(&folder).expect("is there");
        assert!(folder.join("mine").is_file());
        std::fs::create_dir(dir.path().join("other.part")).expect("writes");
        std::fs::write(dir.path().join("other.part/half"), "").expect("writes");
        unpack(&dir.path().join("other")).expect("unpacks");
        assert!(!dir.path().join("other/half").exists());
        std::fs::write(dir.path().join("file"), "").expect("writes");
        assert!(unpack(&dir.path().join("file/sources")).is_err());
        assert_eq!(std::fs::read_dir(dir.path()).expect("lists").count(), 3);
    }
}
