//! Where stores say what nobody asked them: which were opened, an unknown name, a write that failed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How serious a line is, as Node-RED logs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Nothing is wrong.
    Info,
    /// Something is not as it was meant, and goes on.
    Warn,
    /// Something was lost, or may be.
    Error,
}

/// What takes the lines.
pub(crate) type Sink = Arc<dyn Fn(Level, &str) + Send + Sync>;

/// Lines kept until somebody listens.
const KEPT: usize = 100;

#[derive(Default)]
struct State {
    sink: Option<Sink>,
    waiting: Vec<(Level, String)>,
}

/// Shared by the stores of a runtime.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<State>>);

impl Log {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says a line. (The lock is not held while the sink has it.)
    pub(crate) fn say(&self, level: Level, text: String) {
        let sink = {
            let mut state = self.lock();
            match &state.sink {
                Some(sink) => sink.clone(),
                None => {
                    if state.waiting.len() < KEPT {
                        state.waiting.push((level, text));
                    }
                    return;
                }
            }
        };
        sink(level, &text);
    }

    /// Gives the lines that wait, and all later ones, to a sink.
    pub(crate) fn listen(&self, sink: Sink) {
        let waiting = {
            let mut state = self.lock();
            state.sink = Some(sink.clone());
            std::mem::take(&mut state.waiting)
        };
        waiting.iter().for_each(|(level, text)| sink(*level, text));
    }
}
