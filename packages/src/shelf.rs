//! The packages of a folder for as long as a process runs: others are installed there and removed meanwhile.

use crate::{Isolation, Packages};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// The packages of a folder as they are now. They are read again when the folder has changed: when npm has installed or
/// removed something, or a file of the user's own has come or gone.
#[derive(Debug, Default)]
pub struct Shelf {
    folder: Option<PathBuf>,
    isolation: Isolation,
    kept: Mutex<Option<(Stamp, Arc<Packages>)>>,
}

/// When what is in the folder changed last, by what tells it.
type Stamp = Vec<(PathBuf, SystemTime)>;

impl Shelf {
    /// The packages in a folder; of none without one.
    pub fn new(folder: Option<PathBuf>, isolation: Isolation) -> Shelf {
        Shelf {
            folder,
            isolation,
            kept: Mutex::default(),
        }
    }

    /// The folder.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// The packages that are there now. A folder that is no user folder has none.
    pub fn now(&self) -> Arc<Packages> {
        let Some(folder) = self.folder() else {
            return Arc::default();
        };
        let stamp = stamp(folder);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((read_at, packages)) if *read_at == stamp => packages.clone(),
            _ => {
                let packages = Arc::new(Packages {
                    isolation: self.isolation.clone(),
                    ..match Packages::are_in(folder) {
                        true => Packages::read(folder),
                        false => Packages::default(),
                    }
                });
                *kept = Some((stamp, packages.clone()));
                packages
            }
        }
    }
}

fn stamp(folder: &Path) -> Stamp {
    let (modules, own) = (folder.join("node_modules"), folder.join("nodes"));
    // (npm writes this file anew whatever it does; scopes are folders of their own)
    let list = modules.join(".package-lock.json");
    let entries = fs::read_dir(&modules).into_iter().flatten().flatten();
    let is_scope = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"@"))
    };
    let scopes = entries.map(|entry| entry.path()).filter(is_scope);
    let mut all: Vec<PathBuf> = [modules.clone(), list, own]
        .into_iter()
        .chain(scopes)
        .collect();
    all.sort();
    let changed = |path: PathBuf| {
        let at = fs::metadata(&path).and_then(|it| it.modified()).ok()?;
        Some((path, at))
    };
    all.into_iter().filter_map(changed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(folder: &Path, name: &str) {
        let at = folder.join("node_modules").join(name);
        fs::create_dir_all(&at).expect("is made");
        let text = format!(
            r#"{{"name": "{name}", "version": "1.0.0", "node-red": {{"nodes": {{"n": "n.js"}}}}}}"#
        );
        fs::write(at.join("package.json"), text).expect("is written");
        fs::write(at.join("n.js"), "RED.nodes.registerType('its-type', Node);")
            .expect("is written");
    }

    #[test]
    fn what_is_installed_later_is_there_and_what_is_removed_is_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let shelf = Shelf::new(Some(folder.path().to_owned()), Isolation::Each);
        let names = |shelf: &Shelf| {
            let now = shelf.now();
            now.list
                .iter()
                .map(|it| it.name.clone())
                .collect::<Vec<_>>()
        };
        assert!(names(&shelf).is_empty() && shelf.now().modules.is_empty());
        package(folder.path(), "a");
        assert_eq!(names(&shelf), ["a"]);
        assert_eq!(shelf.now().isolation, Isolation::Each);
        let before = shelf.now();
        assert!(Arc::ptr_eq(&before, &shelf.now()));
        // (a clock of a file system ticks every few milliseconds)
        std::thread::sleep(std::time::Duration::from_millis(30));
        package(folder.path(), "@s/b");
        assert_eq!(names(&shelf), ["@s/b", "a"]);
        std::thread::sleep(std::time::Duration::from_millis(30));
        package(folder.path(), "@s/c");
        assert_eq!(names(&shelf), ["@s/b", "@s/c", "a"]);
        std::thread::sleep(std::time::Duration::from_millis(30));
        fs::remove_dir_all(folder.path().join("node_modules/a")).expect("is removed");
        assert_eq!(names(&shelf), ["@s/b", "@s/c"]);
    }

    #[test]
    fn without_a_folder_there_are_none() {
        assert!(Shelf::default().now().list.is_empty());
    }
}
