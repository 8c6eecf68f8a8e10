//! The programs of this host that are there to be asked, by the control protocol on the connections that they make.

use super::lines;
use serde_json::{Value as Json, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot, watch};

/// How many requests wait to be written to one program.
const WAITING: usize = 64;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Those that are there, by their instances' names.
#[derive(Default)]
pub struct Programs {
    there: Mutex<HashMap<String, Arc<Program>>>,
    changes: watch::Sender<u64>,
}

/// One that is there.
pub struct Program {
    /// Its process.
    pub pid: u32,
    lines: mpsc::Sender<String>,
    number: AtomicU64,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Json>>>,
}

impl Program {
    /// Asks it something, and waits so long for the answer.
    ///
    /// # Errors
    /// Its refusal; or it does not answer.
    pub async fn ask(&self, op: &str, within: Duration) -> Result<Json, String> {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        lock(&self.waiting).insert(number, answer);
        let asked = async {
            let line = json!({"id": number, "op": op}).to_string() + "\n";
            let gone = "the program has gone".to_owned();
            if self.lines.send(line).await.is_err() {
                return Err(gone);
            }
            answered.await.map_err(|_| gone)
        };
        let told = tokio::time::timeout(within, asked).await;
        lock(&self.waiting).remove(&number);
        let mut told = told.map_err(|_| format!("no answer to `{op}` within {within:?}"))??;
        match told["ok"].as_bool() {
            Some(true) => Ok(told["result"].take()),
            _ => {
                let why = told["error"]["message"].as_str();
                Err(why.unwrap_or("refused without a reason").to_owned())
            }
        }
    }
}

impl Programs {
    /// One that is there.
    pub fn get(&self, instance: &str) -> Option<Arc<Program>> {
        lock(&self.there).get(instance).cloned()
    }

    /// Told when one has come or gone.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Carries a program's connection to its end.
    pub async fn carry(&self, instance: &str, pid: u32, stream: UnixStream) {
        let (read, mut write) = stream.into_split();
        let (lines, mut to_write) = mpsc::channel::<String>(WAITING);
        let program = Arc::new(Program {
            pid,
            lines,
            number: AtomicU64::new(1),
            waiting: Mutex::default(),
        });
        lock(&self.there).insert(instance.to_owned(), program.clone());
        self.changes.send_modify(|count| *count += 1);
        let writing = async {
            while let Some(line) = to_write.recv().await {
                if write.write_all(line.as_bytes()).await.is_err() {
                    return;
                }
            }
        };
        let reading = async {
            let mut read = BufReader::new(read);
            while let Some(line) = lines::next(&mut read).await {
                // (what has no number is an event, which nobody has subscribed to)
                let Ok(told) = serde_json::from_str::<Json>(&line) else {
                    return;
                };
                let Some(number) = told["id"].as_u64() else {
                    continue;
                };
                if let Some(call) = lock(&program.waiting).remove(&number) {
                    // (nobody waits any more where the time was up)
                    let _ = call.send(told);
                }
            }
        };
        tokio::select! {
            () = writing => {}
            () = reading => {}
        }
        let mut there = lock(&self.there);
        if there
            .get(instance)
            .is_some_and(|own| Arc::ptr_eq(own, &program))
        {
            there.remove(instance);
        }
        drop(there);
        lock(&program.waiting).clear();
        self.changes.send_modify(|count| *count += 1);
    }
}
