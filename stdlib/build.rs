//! Makes the node table from the files that are there, so that adding a node touches one place: its file.
//!
//! Every `src/<category>/<name>.rs` is a module with a `NODE`; files whose name begins with `_` are shared helpers of
//! their category and have none. A file with a `pub fn lower` says how its node becomes code (with a
//! `pub fn lower_by_use` beside it: by how often each output is taken). The head comment (`//!`) of a
//! node's file is its help text.

use std::fmt::Write as _;
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=src");
    let out = std::env::var("OUT_DIR").unwrap_or_default();
    let text = table(Path::new("src"));
    let path = Path::new(&out).join("nodes.rs");
    if let Err(error) = std::fs::write(&path, text) {
        panic!("cannot write {}: {error}", path.display());
    }
}

fn sorted(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut paths: Vec<_> = match std::fs::read_dir(dir) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
        Err(error) => panic!("cannot read {}: {error}", dir.display()),
    };
    paths.sort();
    paths
}

fn table(src: &Path) -> String {
    let (mut mods, mut nodes, mut docs) = (String::new(), String::new(), String::new());
    let mut lowerings = String::new();
    for dir in sorted(src).iter().filter(|path| path.is_dir()) {
        let category = stem(dir);
        let _ = writeln!(
            mods,
            "/// Nodes of the category `{category}`.\n#[allow(clippy::module_inception)]\npub mod {category} {{"
        );
        for file in sorted(dir)
            .iter()
            .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        {
            let name = stem(file);
            let full = match file.canonicalize() {
                Ok(full) => full,
                Err(error) => panic!("cannot find {}: {error}", file.display()),
            };
            let _ = writeln!(
                mods,
                "    #[path = {full:?}]\n    pub mod {};",
                name.trim_start_matches('_')
            );
            if name.starts_with('_') {
                continue;
            }
            let _ = writeln!(nodes, "    &{category}::{name}::NODE,");
            let help = std::fs::read_to_string(file).unwrap_or_default();
            // (some make their code by how often each output is taken)
            let lower = match help.contains("\npub fn lower_by_use(") {
                true => "|props, sent| NODE::lower_by_use(config(props)?, sent)",
                false => "|props, _| NODE::lower(config(props)?)",
            };
            if help.contains("\npub fn lower(") {
                let lower = lower.replace("NODE", &format!("{category}::{name}"));
                let _ = writeln!(lowerings, "    (&{category}::{name}::NODE, {lower}),");
            }
            let help: Vec<&str> = help
                .lines()
                .map_while(|line| line.strip_prefix("//!"))
                .map(str::trim)
                .collect();
            let _ = writeln!(
                docs,
                "    (&{category}::{name}::NODE, {:?}),",
                help.join("\n")
            );
        }
        mods.push_str("}\n");
    }
    format!(
        "{mods}\n/// Every node of the library.\npub static NODES: &[&vgdc_core::NodeDef] = &[\n{nodes}];\n\n\
         /// Every node with its help text (Markdown), from the head of its file.\n\
         pub static DOCS: &[(&vgdc_core::NodeDef, &str)] = &[\n{docs}];\n\n\
         /// How nodes become code.\n#[cfg(feature = \"lower\")]\n\
         static LOWERINGS: &[(&vgdc_core::NodeDef, vgdc_mir::NodeLowering)] = &[\n{lowerings}];\n"
    )
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
}
