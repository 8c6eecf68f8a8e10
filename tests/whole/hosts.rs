//! Five hosts, each a network namespace with processes of its own, on one bridge: what a mesh promises when processes are killed, cables are
//! cut and agents are upgraded. `bench/hosts.mjs` does it, and measures; here is its short run.

use std::process::Command;
use vgdc_tests::{program, root, text};

#[test]
fn five_hosts_keep_their_promises() {
    let folder = program("vgdc");
    let folder = folder.parent().expect("it is in a folder");
    let out = Command::new("node")
        .arg(root().join("bench/hosts.mjs"))
        .arg("--bin")
        .arg(folder)
        .arg("--short")
        .output()
        .expect("node runs");
    // (namespaces are the right of root alone, and not in every container)
    if out.status.code() == Some(2) {
        eprintln!("left out: {}", text(&out.stderr));
        return;
    }
    assert!(
        out.status.success(),
        "{}\n{}",
        text(&out.stdout),
        text(&out.stderr)
    );
}
