//! How long rustc takes for a flow of 50 nodes: the time for a program with it, less that for one with the smallest flow; to expand it, and
//! in all (most of the rest goes into checking the code that functions became).
//!
//! ```sh
//! cargo bench -p vgdc-flow --bench expansion
//! ```

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const ROUNDS: usize = 7;

/// The library, as cargo has built it: the newest of that name beside this program.
fn library() -> PathBuf {
    let own = std::env::current_exe().expect("this program has a path");
    let all = std::fs::read_dir(own.parent().expect("a folder")).expect("can be listed");
    let built = all.flatten().filter(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with("libvgdc_flow-") && name.ends_with(".rlib")
    });
    let newest = built.max_by_key(|entry| entry.metadata().and_then(|about| about.modified()).ok());
    newest.expect("cargo has built the library").path()
}

fn program(flow: &str) -> String {
    format!("fn main() {{ let _ = vgdc_flow::flow! {{ {flow} }}; }}")
}

/// 10 functions, 10 changes, 10 switches with two ways, 10 templates, and what they end in.
fn fifty() -> String {
    let mut flow = "let out = program_out(\"out\"); let begin = program_in(\"in\");".to_owned();
    for n in 0..10 {
        let _ = write!(
            flow,
            "begin -> function(r#\"if (msg.payload.a > {n}) {{ msg.payload.b = msg.payload.a * 2; }} return msg;\"#)
                   -> change(msg.payload.c = {n}, msg.topic = msg.payload.b)
                   -> switch(payload.b > {n}, else) {{ x -> template(\"{{{{payload.a}}}} is {n}\") -> out, else -> delay() -> out }};"
        );
    }
    flow
}

/// What rustc says that it needed for expanding macros. (It says it to those alone who may use what is not stable.)
fn expanding(said: &str) -> Duration {
    let line = said
        .lines()
        .find(|line| line.ends_with("\tmacro_expand_crate"));
    let seconds = line.and_then(|line| {
        line.split(&[' ', ';'][..])
            .find_map(|word| word.parse().ok())
    });
    Duration::from_secs_f64(seconds.expect("rustc says how long it took"))
}

/// The time for expanding, and the whole time.
fn median(text: &str, folder: &Path, library: &Path) -> (Duration, Duration) {
    let file = folder.join("flow.rs");
    std::fs::write(&file, text).expect("is written");
    let mut times: Vec<(Duration, Duration)> = (0..ROUNDS)
        .map(|_| {
            let begin = Instant::now();
            let out = Command::new("rustc")
                .env("RUSTC_BOOTSTRAP", "1")
                .args(["-Z", "time-passes"])
                .args(["--edition", "2024", "--emit", "metadata", "-o"])
                .arg(folder.join("flow.rmeta"))
                .arg("--extern")
                .arg(format!("vgdc_flow={}", library.display()))
                .arg("-L")
                .arg(format!(
                    "dependency={}",
                    library.parent().expect("a folder").display()
                ))
                .arg(&file)
                .output()
                .expect("rustc runs");
            let said = String::from_utf8_lossy(&out.stderr);
            assert!(out.status.success(), "{said}");
            (expanding(&said), begin.elapsed())
        })
        .collect();
    times.sort();
    times[ROUNDS / 2]
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let library = library();
    let least = median(
        &program("program_in(\"in\") -> program_out(\"out\");"),
        folder.path(),
        &library,
    );
    let most = median(&program(&fifty()), folder.path(), &library);
    println!(
        "a flow of 52 nodes takes {} ms more to expand than one of 2 nodes, and rustc {} ms more in all ({} and {} ms)",
        most.0.saturating_sub(least.0).as_millis(),
        most.1.saturating_sub(least.1).as_millis(),
        most.1.as_millis(),
        least.1.as_millis(),
    );
}
