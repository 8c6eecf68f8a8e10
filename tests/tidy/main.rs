//! The laws of the house (docs/ARCHITECTURE.md, "Laws") as tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .expect("the workspace is there")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Every member: its folder and its manifest.
fn members() -> BTreeMap<String, toml::Table> {
    let workspace: toml::Table = read(&root().join("Cargo.toml"))
        .parse()
        .expect("the root manifest parses");
    let listed = workspace["workspace"]["members"]
        .as_array()
        .expect("members");
    let folders = listed
        .iter()
        .map(|member| member.as_str().expect("a text").to_owned());
    folders
        .map(|folder| {
            (
                folder.clone(),
                read(&root().join(&folder).join("Cargo.toml"))
                    .parse()
                    .expect("a manifest parses"),
            )
        })
        .collect()
}

fn names(manifest: &toml::Table, tables: &[&str]) -> BTreeSet<String> {
    let of = |table: &&str| {
        manifest
            .get(*table)
            .and_then(|t| t.as_table())
            .map(|t| t.keys().cloned().collect::<Vec<_>>())
    };
    tables.iter().filter_map(of).flatten().collect()
}

/// What a crate is always built from. (An optional dependency is of whoever asks for its feature.)
fn needs(manifest: &toml::Table) -> BTreeSet<String> {
    let tables = ["dependencies", "build-dependencies"];
    let optional = |name: &String| {
        let of = |table: &&str| manifest.get(*table)?.get(name)?.get("optional")?.as_bool();
        tables.iter().find_map(of) == Some(true)
    };
    let mut all = names(manifest, &tables);
    all.retain(|name| !optional(name));
    all
}

/// Crates of the workspace that a folder's crate is built from, directly or through others (not for its tests).
fn reaches(folder: &str) -> BTreeSet<String> {
    let all = members();
    let folder_of: BTreeMap<String, String> = all
        .iter()
        .map(|(folder, m)| {
            (
                m["package"]["name"].as_str().expect("a name").to_owned(),
                folder.clone(),
            )
        })
        .collect();
    let (mut seen, mut todo) = (BTreeSet::new(), vec![folder.to_owned()]);
    while let Some(at) = todo.pop() {
        for dependency in needs(&all[&at]) {
            if let Some(to) = folder_of.get(&dependency)
                && seen.insert(to.clone())
            {
                todo.push(to.clone());
            }
        }
    }
    seen
}

fn sources(folder: &Path, ending: &str, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() {
            if name != "target" && name != "node_modules" && name != ".git" {
                sources(&path, ending, into);
            }
        } else if path.extension().is_some_and(|e| e == ending) {
            into.push(path);
        }
    }
}

#[test]
fn the_runtime_never_depends_on_the_compiler() {
    let folders: Vec<String> = members()
        .into_keys()
        .filter(|f| f.starts_with("runtime/") || f == "stdlib" || f == "stdlib/spec")
        .collect();
    assert!(folders.len() > 8, "the runtime's crates were found");
    for folder in folders {
        let bad: Vec<_> = reaches(&folder)
            .into_iter()
            .filter(|f| f.starts_with("compiler/") || f.starts_with("targets/"))
            .collect();
        assert!(bad.is_empty(), "{folder} reaches {bad:?}");
    }
}

#[test]
fn the_compiler_meets_the_runtime_only_in_spec_value_and_plan() {
    let meeting = [
        "stdlib/spec",
        "runtime/value",
        "runtime/plan",
        "runtime/secrets",
    ];
    for folder in members().into_keys().filter(|f| f.starts_with("compiler/")) {
        let bad: Vec<_> = reaches(&folder)
            .into_iter()
            .filter(|f| {
                (f.starts_with("runtime/") || f.starts_with("stdlib"))
                    && !meeting.contains(&f.as_str())
            })
            .collect();
        assert!(bad.is_empty(), "{folder} reaches {bad:?}");
    }
}

#[test]
fn only_the_node_library_can_be_built_for_the_compiler() {
    for (folder, manifest) in members() {
        let (all, always) = (names(&manifest, &["dependencies"]), needs(&manifest));
        let optional: Vec<_> = all.difference(&always).collect();
        let allowed: &[&str] = match folder.as_str() {
            "stdlib" => &["vgdc-mir"],
            // (no part of the compiler, either: what links need)
            "runtime/app" => &["vgdc-link", "vgdc-door"],
            _ => &[],
        };
        let bad = optional
            .iter()
            .find(|name| name.starts_with("vgdc-") && !allowed.contains(&name.as_str()));
        assert!(bad.is_none(), "{folder} can be built with {bad:?}");
    }
}

#[test]
fn the_runtime_knows_no_node() {
    for folder in members().into_keys().filter(|f| f.starts_with("runtime/")) {
        let bad = reaches(&folder).into_iter().find(|f| f == "stdlib");
        assert!(bad.is_none(), "{folder} reaches the node library");
    }
}

#[test]
fn an_artifact_links_no_compiler() {
    let bad: Vec<_> = reaches("targets/runner")
        .into_iter()
        .filter(|f| f.starts_with("compiler/"))
        .collect();
    assert!(bad.is_empty(), "the runner reaches {bad:?}");
}

#[test]
fn the_editors_server_knows_no_node_and_no_stage_of_the_compiler() {
    let bad: Vec<_> = reaches("editor/server")
        .into_iter()
        .filter(|f| {
            f == "stdlib"
                || f.starts_with("targets/")
                || (f.starts_with("compiler/") && f != "compiler/syntax")
        })
        .collect();
    assert!(bad.is_empty(), "the editor's server reaches {bad:?}");
}

#[test]
fn one_room_names_each_heavy_dependency() {
    let rooms: [(&str, &[&str]); 13] = [
        ("cranelift", &["targets/cranelift"]),
        ("rquickjs", &["runtime/engine"]),
        ("libp2p", &["runtime/net"]),
        ("foca", &["runtime/net"]),
        ("rusqlite", &["runtime/store"]),
        ("openraft", &["runtime/agent"]),
        ("oxc_", &["compiler/script"]),
        ("async-nats", &["runtime/link"]),
        ("opentelemetry", &["runtime/app"]),
        ("petgraph", &["compiler/ir"]),
        ("handlebars", &["targets/rust", "targets/container"]),
        ("inferno", &["."]),
        ("jsonata-core", &["runtime/expr", "compiler/script"]),
    ];
    // (what says whether JavaScript is well formed is held against the engine that will run it; what a collector of traces gets is read
    // by other code than has written it)
    let tests = [("rquickjs", "compiler/script"), ("opentelemetry", "tests")];
    // (programs of examples are not of the house)
    let rooms_of_the_house = members().into_iter();
    for (folder, manifest) in rooms_of_the_house.filter(|(f, _)| !f.starts_with("examples/")) {
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for dependency in names(&manifest, &[section]) {
                for (heavy, allowed) in rooms {
                    let named = dependency.starts_with(heavy);
                    let tested = section == "dev-dependencies" && tests.contains(&(heavy, &folder));
                    assert!(
                        !named || tested || allowed.contains(&folder.as_str()),
                        "{folder} names {dependency}; only {allowed:?} may"
                    );
                }
            }
        }
    }
}

/// Types of the node library, as the files say.
fn node_types() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    sources(&root().join("stdlib/src"), "rs", &mut files);
    let of = |path: PathBuf| {
        let text = read(&path);
        let at = text.find("#[node(")?;
        let rest = &text[at..];
        let rest = &rest[rest.find("type = \"")? + 8..];
        Some((path, rest[..rest.find('"')?].to_owned()))
    };
    files.into_iter().filter_map(of).collect()
}

#[test]
fn one_file_a_node() {
    let types = node_types();
    assert!(!types.is_empty(), "the node library was found");
    let mut seen = BTreeMap::new();
    for (path, ty) in &types {
        assert_eq!(
            read(path).matches("\n#[node(").count(),
            1,
            "{} has one node",
            path.display()
        );
        assert!(
            read(path).starts_with("//!"),
            "{} begins with the node's help",
            path.display()
        );
        if let Some(other) = seen.insert(ty, path) {
            panic!(
                "{} and {} are both \"{ty}\"",
                other.display(),
                path.display()
            );
        }
    }
}

/// The part of a source file before its tests.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

fn without_comments(text: &str) -> String {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn compiler_crates_never_name_a_node() {
    let mut files = Vec::new();
    for room in ["ir", "middle", "driver", "text"] {
        sources(
            &root().join("compiler").join(room).join("src"),
            "rs",
            &mut files,
        );
    }
    assert!(!files.is_empty());
    // Words that are a node's type and something else besides (a structure of the flow file, a JavaScript word).
    let ambiguous = [
        "function",
        "file",
        "switch",
        "status",
        "complete",
        "junction",
        "subflow",
        "catch",
        "json",
        "unknown",
        "comment",
        "template",
        "subflow-status",
    ];
    let types: Vec<String> = node_types()
        .into_iter()
        .map(|(_, ty)| ty)
        .filter(|ty| !ambiguous.contains(&ty.as_str()))
        .collect();
    for file in files {
        let code = without_comments(without_tests(&read(&file)));
        for ty in &types {
            assert!(
                !code.contains(&format!("\"{ty}\"")),
                "{} names the node \"{ty}\"",
                file.display()
            );
        }
    }
}

#[test]
fn passes_do_no_io() {
    let mut files = Vec::new();
    sources(&root().join("compiler/middle/src/passes"), "rs", &mut files);
    for file in files {
        let code = without_comments(without_tests(&read(&file)));
        for word in [
            "std::fs",
            "std::net",
            "std::env",
            "std::process",
            "println!",
            "eprintln!",
        ] {
            assert!(!code.contains(word), "{} uses {word}", file.display());
        }
    }
}

#[test]
fn every_unsafe_says_why() {
    let mut files = Vec::new();
    sources(&root(), "rs", &mut files);
    for file in files {
        let text = read(&file);
        let lines: Vec<&str> = text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or("");
            if !code.contains("unsafe {") || file.ends_with("tests/tidy/main.rs") {
                continue;
            }
            let before = &lines[number.saturating_sub(8)..=number];
            assert!(
                before.iter().any(|l| l.contains("SAFETY:")),
                "{}:{}: an unsafe block without SAFETY",
                file.display(),
                number + 1
            );
        }
    }
}

#[test]
fn no_stubs_and_no_stray_files() {
    let mut files = Vec::new();
    sources(&root(), "rs", &mut files);
    for file in &files {
        if file.ends_with("tests/tidy/main.rs") {
            continue;
        }
        let text = read(file);
        for word in ["todo!(", "unimplemented!(", "dbg!("] {
            assert!(!text.contains(word), "{} has {word}", file.display());
        }
        // (what is given to rustc as it stands says what it is by its name)
        let is_case = file
            .parent()
            .is_some_and(|folder| folder.ends_with("tests/ui"));
        assert!(
            is_case || text.starts_with("//!") || text.starts_with("#!"),
            "{} does not say at its head what it is",
            file.display()
        );
    }
    let mut stray = Vec::new();
    for ending in ["orig", "rej", "bak", "swp", "tmp"] {
        sources(&root(), ending, &mut stray);
    }
    assert!(stray.is_empty(), "{stray:?}");
}

#[test]
fn every_page_is_in_the_table_of_contents() {
    let docs = root().join("docs");
    let summary = read(&docs.join("SUMMARY.md"));
    let pages = std::fs::read_dir(&docs).expect("the pages are there");
    for page in pages.flatten() {
        let name = page.file_name().to_string_lossy().into_owned();
        let listed = name == "SUMMARY.md" || summary.contains(&format!("]({name})"));
        assert!(
            !name.ends_with(".md") || listed,
            "docs/SUMMARY.md lacks {name}"
        );
    }
}
