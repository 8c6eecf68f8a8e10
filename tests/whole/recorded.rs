//! What the real Node-RED answered (`tests/conformance/cases`), held against `vgdc run --control stdio`.
//!
//! `tests/conformance/README.md` says what a case is and how it is recorded; `tests/conformance/lib/drive.mjs` runs cases as
//! this file does, and the two must agree.

#[path = "recorded/case.rs"]
mod case;
#[path = "recorded/compatibility.rs"]
mod compatibility;
#[path = "recorded/outside.rs"]
mod outside;
#[path = "recorded/replay.rs"]
mod replay;

use case::Case;
use std::collections::BTreeMap;
use std::path::Path;

/// Cases by the file that they are in.
fn files(folder: &str) -> BTreeMap<String, Vec<Case>> {
    let folder = vgdc_tests::root().join("tests/conformance").join(folder);
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(&folder).expect("the cases are there") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|ending| ending == "json") {
            let name = path
                .file_stem()
                .map(|name| name.to_string_lossy().into_owned());
            files.insert(name.unwrap_or_default(), cases(&path));
        }
    }
    files
}

fn cases(path: &Path) -> Vec<Case> {
    let text = std::fs::read_to_string(path).expect("a file of cases");
    case::read(&text).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// How many differences are shown.
fn most() -> usize {
    std::env::var("VGDC_CASES").map_or(20, |_| 400)
}

/// What counts times has the machine to itself.
static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());

/// Replays the cases that are chosen and tells of all that differ, by file.
fn check(folder: &str, chosen: impl Fn(&Case) -> bool) {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(|e| e.into_inner());
    let mut wrong = Vec::new();
    let mut all: Vec<(String, Case)> = Vec::new();
    // (while one works on a node: VGDC_CASES=http)
    let only = std::env::var("VGDC_CASES").ok();
    for (file, cases) in files(folder) {
        if only.as_ref().is_some_and(|only| *only != file) {
            continue;
        }
        let cases = cases
            .into_iter()
            .filter(|case| chosen(case) && case.differs.is_none());
        all.extend(cases.map(|case| (file.clone(), case)));
    }
    assert!(!all.is_empty(), "cases were found");
    let cases: Vec<&Case> = all.iter().map(|(_, case)| case).collect();
    for (at, why) in replay::differences(&cases) {
        wrong.push(format!("{}: {}\n{why}", all[at].0, all[at].1.name));
    }
    assert!(
        wrong.is_empty(),
        "{} differences\n{}",
        wrong.len(),
        wrong
            .iter()
            .take(most())
            .cloned()
            .collect::<Vec<_>>()
            .join("\n\n")
    );
}

#[test]
fn nodes_answer_as_node_red_does() {
    check("cases", |case| !case.timed && case.slow == 0);
}

#[test]
fn nodes_answer_as_node_red_does_to_what_was_drawn_by_lot() {
    check("drawn", |_| true);
}

#[test]
fn the_compatibility_page_is_as_the_cases_are() {
    let all = |folder: &str| -> Vec<Case> { files(folder).into_values().flatten().collect() };
    let root = vgdc_tests::root();
    let specs = std::fs::read_to_string(root.join("tests/conformance/specs.json"));
    let specs = serde_json::from_str(&specs.expect("the specs' results")).expect("JSON");
    let text = compatibility::page(&all("cases"), &all("drawn"), &specs);
    let path = root.join("docs/compatibility.md");
    if std::env::var_os("VGDC_BLESS").is_some() {
        std::fs::write(&path, &text).expect("it can be written");
    }
    let page = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        page == text,
        "docs/compatibility.md is old: run this test with VGDC_BLESS=1"
    );
}

#[test]
fn nodes_answer_in_the_order_in_which_node_red_does() {
    check("cases", |case| case.timed || case.slow > 0);
}

#[test]
fn what_is_said_to_differ_is_in_the_list_of_differences() {
    let list = std::fs::read_to_string(vgdc_tests::root().join("docs/differences.md"));
    let list = list.expect("docs/differences.md");
    for (file, cases) in files("cases") {
        for case in cases {
            if let Some(differs) = &case.differs {
                assert!(
                    list.contains(&format!("| {differs}")),
                    "{file}: {}: no row \"{differs}\"",
                    case.name
                );
            }
        }
    }
}
