//! Crates with nodes of one's own: what is told of them, and that they are in programs.

use std::path::Path;
use std::process::Command;
use vgdc_tests::{Running, http, root, run, text};

fn example() -> std::path::PathBuf {
    root().join("examples/third-party-nodes")
}

fn said(args: &[&str], path: &Path) -> (Option<i32>, String) {
    let out = run(&[args, &[path.to_str().expect("a path")]].concat());
    (out.status.code(), text(&out.stderr))
}

#[test]
fn where_the_nodes_are_not_linked_that_is_told() {
    for args in [&["run"][..], &["build"]] {
        let (code, err) = said(args, &example());
        assert_eq!(code, Some(1), "{err}");
        assert!(err.contains("VG0321"), "{err}");
        assert!(
            err.contains("`acme average`, which is not known here"),
            "{err}"
        );
    }
    let (code, err) = said(&["test"], &example());
    assert_eq!(code, Some(0), "{err}");
}

#[test]
fn crates_that_are_not_there_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let flow = std::fs::read(example().join("flows.json")).expect("a flow");
    std::fs::write(folder.path().join("flows.json"), flow).expect("is written");
    std::fs::create_dir(folder.path().join("empty")).expect("is made");
    for (toml, part) in [
        ("acme-nodes = \"nowhere\"", "nowhere"),
        ("acme-nodes = \"empty\"", "no Cargo.toml"),
        ("acme-nodes = 7", "the crate's folder"),
        ("\"a b\" = \"empty\"", "no name of a crate"),
        ("acme-nodes = { branch = \"x\" }", "the crate's folder"),
        ("acme-nodes = { path = \"empty\", tagg = \"x\" }", "tagg"),
    ] {
        std::fs::write(
            folder.path().join("vgdc.toml"),
            format!("[nodes]\n{toml}\n"),
        )
        .expect("is written");
        let (code, err) = said(&["check"], folder.path());
        assert_eq!(code, Some(1), "{toml}\n{err}");
        assert!(
            err.contains(part) && err.contains("vgdc.toml:2"),
            "{toml}\n{err}"
        );
    }
}

/// `cargo test --workspace --test third_party -- --ignored`
#[test]
#[ignore = "compiles the runtime with optimisation, which takes minutes: run it by hand"]
fn a_program_has_the_nodes() {
    let folder = tempfile::tempdir().expect("a folder");
    let app = folder.path().join("scale");
    let (code, err) = said(&["check"], &example());
    assert_eq!(code, Some(0), "{err}");
    let (code, err) = said(
        &["build", "--release", "-o", app.to_str().expect("a path")],
        &example(),
    );
    assert_eq!(code, Some(0), "{err}");
    let mut running = Running::start(Command::new(&app).args(["--port", "0"]));
    let address = running.address();
    for (grams, answer) in [("10", "10"), ("20", "15"), ("30", "20"), ("40", "30")] {
        assert_eq!(
            http(&address, "GET", &format!("/reading/{grams}"), ""),
            (200, answer.to_owned())
        );
    }
    assert_eq!(running.stop("TERM"), Some(0));
    // A crate without nodes is told what it lacks.
    let acme = folder.path().join("acme");
    std::fs::create_dir_all(acme.join("src")).expect("is made");
    let manifest =
        "[package]\nname = \"acme-nodes\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n";
    std::fs::write(acme.join("Cargo.toml"), manifest).expect("is written");
    std::fs::write(acme.join("src/lib.rs"), "").expect("is written");
    for file in ["flows.json", "vgdc.toml"] {
        std::fs::copy(example().join(file), folder.path().join(file)).expect("is copied");
    }
    let (code, err) = said(&["check"], folder.path());
    assert_eq!(code, Some(1), "{err}");
    assert!(
        err.contains("VG0320") && err.contains("pub static NODES"),
        "{err}"
    );
}
