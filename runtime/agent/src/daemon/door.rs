//! The door: the socket on which programs of this host and people speak to the agent.

use super::{Node, admin, lines, shared};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use vgdc_door::{Answer, Hello, What};

/// How long who comes may take to say what for.
const HELLO: Duration = Duration::from_secs(5);
/// The longest name of a socket, in bytes: what systems allow, and a little less.
const LONGEST_PATH: usize = 100;
/// The longest first line, in bytes.
const LONGEST_HELLO: usize = 4_096;

/// Opens the door. It replaces what a process left that was killed.
///
/// # Errors
/// Another agent has it, or the socket cannot be made.
pub fn open(path: &Path) -> Result<UnixListener, String> {
    if path.as_os_str().len() > LONGEST_PATH {
        return Err(format!(
            "{} is too long a name for a socket ({LONGEST_PATH} bytes): `--sockets DIR` takes a shorter folder",
            path.display()
        ));
    }
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err(format!(
            "another agent has the door {}: stop it, or take other folders (--data, --sockets)",
            path.display()
        ));
    }
    // (there is none, mostly)
    let _ = std::fs::remove_file(path);
    let failed = |e| format!("cannot open the door {}: {e}", path.display());
    let listener = UnixListener::bind(path).map_err(failed)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(listener)
}

/// Lets in who comes, for ever.
pub async fn keep(listener: UnixListener, node: Arc<Node>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(enter(node.clone(), stream));
            }
            // No descriptors are left, or the like: that passes.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn enter(node: Arc<Node>, mut stream: UnixStream) {
    let said = lines::read_text(&mut stream, LONGEST_HELLO);
    let hello = match tokio::time::timeout(HELLO, said).await {
        Ok(Ok(line)) => Hello::read(&line),
        _ => return,
    };
    let what = match hello {
        Ok(hello) => hello.what,
        Err(why) => {
            // (who does not listen needs no answer)
            let _ = lines::write(&mut stream, &Answer::Error(why)).await;
            return;
        }
    };
    // (what these are answered depends on what is asked for)
    match &what {
        What::Link { instance, to } => return node.lead(instance, to, stream).await,
        What::Listen { instance, address } => {
            return node.give_listener(instance, *address, &stream).await;
        }
        _ => {}
    }
    if lines::write(&mut stream, &Answer::Ok {}).await.is_err() {
        return;
    }
    match what {
        What::Program { instance, pid } => node.programs.carry(&instance, pid, stream).await,
        What::Context { .. } => shared::serve(&node, stream).await,
        What::Admin {} => admin::serve(&node, stream).await,
        What::Link { .. } | What::Listen { .. } => {}
    }
}
