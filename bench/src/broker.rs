//! An MQTT broker for the cases that need one: mosquitto, on a free port.

use crate::guard::{Folder, Process};
use crate::node_red::on_path;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A broker that runs.
pub struct Broker {
    /// Its port on 127.0.0.1.
    pub port: u16,
    _process: Process,
    _folder: Folder,
}

/// Mosquitto on this machine.
pub fn find() -> Option<PathBuf> {
    let beside = Path::new("/usr/sbin/mosquitto");
    on_path("mosquitto").or_else(|| beside.is_file().then(|| beside.to_owned()))
}

impl Broker {
    /// Starts it.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(mosquitto: &Path) -> Result<Broker, String> {
        let (folder, port) = (Folder::new()?, crate::free_port()?);
        let config = folder.path().join("mosquitto.conf");
        // (no limit on what waits for a subscriber: a flood would lose messages)
        let text = format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 0\nset_tcp_nodelay true\nlog_type error\n"
        );
        std::fs::write(&config, text)
            .map_err(|e| format!("cannot write {}: {e}", config.display()))?;
        let mut process = Process::start(
            Command::new(mosquitto)
                .arg("-c")
                .arg(&config)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        )?;
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = process.ended() {
                return Err(format!("{} ended with {status}", mosquitto.display()));
            }
            if Instant::now() > until {
                return Err(format!("{} does not listen", mosquitto.display()));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(Broker {
            port,
            _process: process,
            _folder: folder,
        })
    }
}
