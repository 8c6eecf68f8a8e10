//! What rustc says of flows in which something is wrong: each file in `ui/` with what stands beside it. `VGDC_BLESS=1` writes it.
//!
//! rustc is called for each file with what cargo has built for this test (trybuild would build all of it again, which takes minutes).

use std::path::{Path, PathBuf};
use std::process::Command;

/// The library, as cargo has built it: the newest of that name beside this test's own program.
fn library() -> PathBuf {
    let own = std::env::current_exe().expect("this program has a path");
    let deps = own.parent().expect("it is in a folder");
    let all = std::fs::read_dir(deps).expect("can be listed").flatten();
    let built = all.filter(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with("libvgdc_flow-") && name.ends_with(".rlib")
    });
    let newest = built.max_by_key(|entry| entry.metadata().and_then(|about| about.modified()).ok());
    newest.expect("cargo has built the library").path()
}

/// What rustc says of a file; `None` when it has nothing against it.
fn said(file: &Path, library: &Path) -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    // (never /dev/null: rustc puts a new file in the place of what `-o` names, and as root it may)
    let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ui.rmeta");
    let deps = library.parent().expect("it is in a folder");
    let out = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .current_dir(folder)
        .env("CARGO_MANIFEST_DIR", folder)
        .args([
            "--edition",
            "2024",
            "--emit",
            "metadata",
            "--color",
            "never",
        ])
        .arg("-o")
        .arg(&made)
        .arg("--extern")
        .arg(format!("vgdc_flow={}", library.display()))
        .arg("-L")
        .arg(format!("dependency={}", deps.display()))
        .arg(file)
        .output()
        .expect("rustc runs");
    let text = String::from_utf8_lossy(&out.stderr).replace(&format!("{}/", folder.display()), "");
    (!text.is_empty()).then(|| lasting(&text))
}

/// Without what is another one with each change of the library, or of Rust: lines in files that are not the test's.
fn lasting(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| match line.trim_start().strip_prefix("--> ") {
            Some(place) if !place.starts_with("tests/") => {
                let file = place.rsplit_once('/').map_or(place, |(_, file)| file);
                let name = file.split(':').next().unwrap_or(file);
                format!(" --> …/{name}")
            }
            _ => line.to_owned(),
        });
    lines.map(|line| line + "\n").collect()
}

#[test]
fn what_is_wrong_is_told_where_it_is() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui");
    let library = library();
    let mut files: Vec<PathBuf> = (std::fs::read_dir(&folder).expect("can be listed"))
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .collect();
    files.sort();
    assert!(files.len() > 10);
    let mut wrong = Vec::new();
    for file in files {
        let name = file
            .strip_prefix(env!("CARGO_MANIFEST_DIR"))
            .expect("is in the crate");
        let said = said(name, &library).unwrap_or_default();
        let beside = file.with_extension("stderr");
        if std::env::var_os("VGDC_BLESS").is_some() {
            std::fs::write(&beside, &said).expect("is written");
        }
        let expected = std::fs::read_to_string(&beside).unwrap_or_default();
        if said != expected || said.is_empty() {
            wrong.push(format!(
                "{}\n--- expected\n{expected}\n--- said\n{said}",
                name.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
