//! The tests of the front end over whole files: see each module.

mod bad;
mod credentials;
mod edits;
mod files;
mod properties;
mod view;

use std::path::{Path, PathBuf};

use vgdc_syntax::{Diagnostics, FlowDoc, SourceMap};

/// The folder of test files.
fn files(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/files")
        .join(folder)
}

/// The bytes of every test file in a folder, by name, in order.
fn all(folder: &str) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<_> = std::fs::read_dir(files(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "json"))
        .map(|path| {
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                std::fs::read(path).unwrap(),
            )
        })
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no test files in {folder}");
    found
}

/// Reads a text as the file `flows.json`.
fn parse(text: &str) -> (FlowDoc, Diagnostics, SourceMap) {
    let mut sources = SourceMap::new();
    let (doc, diagnostics) = FlowDoc::parse(&mut sources, "flows.json", text);
    (doc, diagnostics, sources)
}

/// Reads one of the good test files.
fn open(name: &str) -> (FlowDoc, Diagnostics, SourceMap) {
    parse(&std::fs::read_to_string(files("flows").join(name)).unwrap())
}

/// Code and message of each diagnostic.
fn messages(diagnostics: &Diagnostics) -> Vec<String> {
    diagnostics
        .iter()
        .map(|diagnostic| format!("{} {}", diagnostic.code, diagnostic.message))
        .collect()
}
