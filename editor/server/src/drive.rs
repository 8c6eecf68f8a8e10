//! Drives the flows through the control protocol, in process. One subscriber carries all requests, so that what happened before an answer
//! was made is told before it.

use serde_json::value::RawValue;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;
use vgdc_probe::{Control, Hub, Subscriber};

/// Why the runtime refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// The control protocol's code.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// Diagnostics, JSON objects.
    pub diagnostics: Vec<serde_json::Value>,
}

/// What the runtime answered: the JSON of the result.
pub(crate) type Answered = Result<String, Refused>;

/// The way to the runtime.
pub(crate) struct Driver {
    control: Arc<Control>,
    subscriber: Arc<Subscriber>,
    next: AtomicU64,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Answered>>>,
    ended: AtomicBool,
}

/// A line's fields as they stand.
pub(crate) type Fields<'l> = HashMap<&'l str, &'l RawValue>;

impl Driver {
    pub(crate) fn new(control: Arc<Control>, hub: &Hub) -> Driver {
        Driver {
            control,
            subscriber: hub.subscribe(),
            next: AtomicU64::new(1),
            waiting: Mutex::default(),
            ended: AtomicBool::new(false),
        }
    }

    /// The runtime under control.
    pub(crate) fn control(&self) -> &Control {
        &self.control
    }

    /// Asks for something. `fields` are JSON texts by their names.
    pub(crate) async fn ask(&self, op: &str, fields: &[(&str, &str)]) -> Answered {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut line = format!("{{\"id\":{id},\"op\":\"{op}\"");
        for (name, value) in fields {
            line.push_str(&format!(",\"{name}\":{value}"));
        }
        line.push('}');
        let (answer, answered) = oneshot::channel();
        self.waiting().insert(id, answer);
        self.control.line(&self.subscriber, &line).await;
        answered.await.unwrap_or_else(|_| {
            Err(Refused {
                code: "stopping".to_owned(),
                message: "the process is stopping".to_owned(),
                diagnostics: Vec::new(),
            })
        })
    }

    /// The same on a thread that may be kept for long: what compiles does not let others wait.
    pub(crate) async fn ask_at_length(
        self: &Arc<Self>,
        op: &'static str,
        fields: Vec<(&'static str, String)>,
    ) -> Answered {
        let (driver, tokio) = (self.clone(), tokio::runtime::Handle::current());
        let asked = tokio::task::spawn_blocking(move || {
            let fields: Vec<(&str, &str)> = fields
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            tokio.block_on(driver.ask(op, &fields))
        });
        asked.await.unwrap_or_else(|error| {
            Err(Refused {
                code: "internal-error".to_owned(),
                message: format!("the request came to no end: {error}"),
                diagnostics: Vec::new(),
            })
        })
    }

    /// Whether the process goes on.
    pub(crate) fn is_alive(&self) -> bool {
        !self.ended.load(Ordering::Relaxed)
    }

    /// Reads events until the process ends, and hands them on with their lines; answers go to who asked.
    pub(crate) async fn pump(&self, mut told: impl FnMut(&str, &Fields<'_>)) {
        while let Some(lines) = self.subscriber.outbox().next().await {
            for line in lines.lines() {
                // (what the hub writes is JSON)
                let Ok(fields) = serde_json::from_str::<Fields<'_>>(line) else {
                    continue;
                };
                match fields.get("id").and_then(|id| id.get().parse::<u64>().ok()) {
                    Some(id) => self.answer(id, &fields),
                    None => told(line, &fields),
                }
            }
        }
        self.ended.store(true, Ordering::Relaxed);
    }

    fn answer(&self, id: u64, fields: &Fields<'_>) {
        let Some(waiting) = self.waiting().remove(&id) else {
            return;
        };
        let answer = match fields.get("error") {
            None => Ok(fields
                .get("result")
                .map_or("null", |it| it.get())
                .to_owned()),
            Some(error) => Err(refused(error.get())),
        };
        // (who asked may have gone)
        let _ = waiting.send(answer);
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, HashMap<u64, oneshot::Sender<Answered>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refused(error: &str) -> Refused {
    let error: serde_json::Value = serde_json::from_str(error).unwrap_or_default();
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    Refused {
        code: text("code"),
        message: text("message"),
        diagnostics: error["diagnostics"].as_array().cloned().unwrap_or_default(),
    }
}

/// A text as JSON.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
