//! Embeds the editor's front end (`editor/web/dist`, which npm makes) where it is there. Without it everything but the page works, and the page
//! says how it is made.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-env-changed=VGDC_EDITOR_DIST");
    let own = std::env::var_os("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .unwrap_or_default();
    let dist =
        std::env::var_os("VGDC_EDITOR_DIST").map_or_else(|| own.join("../web/dist"), PathBuf::from);
    // (a folder that is not there yet is looked for through the one that it will be in)
    let watched = if dist.is_dir() {
        dist.clone()
    } else {
        own.join("..")
    };
    println!("cargo::rerun-if-changed={}", watched.display());
    let mut files = Vec::new();
    find(&dist, &dist, &mut files);
    files.sort();
    let mut table = String::from("&[\n");
    for (name, path) in &files {
        if name.ends_with(".br") || name.ends_with(".gz") || name.ends_with(".map") {
            continue;
        }
        let variant = |ending: &str| match files
            .iter()
            .find(|(other, _)| *other == format!("{name}{ending}"))
        {
            Some((_, path)) => format!("Some(include_bytes!({path:?}))"),
            None => "None".to_owned(),
        };
        let _ = writeln!(
            table,
            "    Embedded {{ name: {name:?}, bytes: include_bytes!({path:?}), br: {}, gz: {} }},",
            variant(".br"),
            variant(".gz")
        );
    }
    table.push_str("]\n");
    let out = std::env::var_os("OUT_DIR")
        .map(PathBuf::from)
        .unwrap_or_default();
    if let Err(error) = std::fs::write(out.join("assets.rs"), table) {
        panic!("cannot write the table of the editor's files: {error}");
    }
}

/// All files of a folder with their names below its root, in a form that stands in a URL.
fn find(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            find(root, &path, files);
        } else if let (Ok(name), Ok(full)) = (path.strip_prefix(root), path.canonicalize()) {
            files.push((
                name.to_string_lossy().into_owned(),
                full.to_string_lossy().into_owned(),
            ));
        }
    }
}
