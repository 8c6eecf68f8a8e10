//! Being told to stop.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGINT and SIGTERM. From the time on that this is made they no longer end the process by themselves, and none is lost.
pub struct Signals {
    interrupt: Option<Signal>,
    terminate: Option<Signal>,
    /// One has come that nobody has followed yet.
    kept: bool,
}

impl Signals {
    /// What cannot be heard goes on ending the process by itself.
    pub fn hear() -> Self {
        Self {
            interrupt: signal(SignalKind::interrupt()).ok(),
            terminate: signal(SignalKind::terminate()).ok(),
            kept: false,
        }
    }

    /// Resolves at the next of them.
    pub async fn next(&mut self) {
        if std::mem::take(&mut self.kept) {
            return;
        }
        self.comes().await;
    }

    /// Resolves at the second one. The first is kept for [`Self::next`], and `first` says so.
    pub async fn second(&mut self, first: &impl Fn()) {
        self.comes().await;
        self.kept = true;
        first();
        self.comes().await;
    }

    async fn comes(&mut self) {
        tokio::select! {
            () = heard(&mut self.interrupt) => {}
            () = heard(&mut self.terminate) => {}
        }
    }
}

async fn heard(signal: &mut Option<Signal>) {
    match signal {
        // (None comes when the runtime ends)
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}
