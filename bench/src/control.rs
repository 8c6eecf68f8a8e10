//! The driver's side of the control protocol: requests to the standard input of a process, answers and events from its
//! standard output.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::process::{ChildStdin, ChildStdout};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A conversation.
pub struct Control {
    /// Where requests go.
    pub requests: Requests,
    /// Where answers and events come from.
    pub lines: Lines,
}

/// Writes requests; nothing leaves before [`Requests::flush`].
pub struct Requests {
    input: BufWriter<ChildStdin>,
    next: u64,
}

/// Reads lines, each with the time at which it came.
pub struct Lines(Receiver<(Instant, String)>);

impl Requests {
    /// Adds a request; gives its id.
    ///
    /// # Errors
    /// The process has ended.
    pub fn put(&mut self, op: &str, mut fields: Value) -> Result<u64, String> {
        self.next += 1;
        fields["id"] = self.next.into();
        fields["op"] = op.into();
        writeln!(self.input, "{fields}").map_err(ended)?;
        Ok(self.next)
    }

    /// Adds a request (`receive` or `send`) for a message, whose text is there already; gives its id.
    ///
    /// # Errors
    /// The process has ended.
    pub fn put_message(&mut self, op: &str, node: &str, msg: &str) -> Result<u64, String> {
        self.next += 1;
        let (id, node) = (self.next, Value::from(node));
        writeln!(
            self.input,
            "{{\"id\":{id},\"op\":\"{op}\",\"node\":{node},\"msg\":{msg}}}"
        )
        .map_err(ended)?;
        Ok(id)
    }

    /// Sends what was added.
    ///
    /// # Errors
    /// The process has ended.
    pub fn flush(&mut self) -> Result<(), String> {
        self.input.flush().map_err(ended)
    }
}

fn ended(error: std::io::Error) -> String {
    format!("the measured process does not read its input any more: {error}")
}

impl Lines {
    /// The next line and when it came; `None` when none comes in this time.
    ///
    /// # Errors
    /// The process has ended, or what it wrote is not of the protocol.
    pub fn next(&mut self, at_most: Duration) -> Result<Option<(Instant, Value)>, String> {
        match self.0.recv_timeout(at_most) {
            Ok((at, line)) => serde_json::from_str(&line)
                .map(|value| Some((at, value)))
                .map_err(|e| {
                    format!("the measured process wrote a line that is no JSON ({e}): {line}")
                }),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err("the measured process has ended".to_owned()),
        }
    }
}

impl Control {
    /// Begins a conversation; a thread reads what comes.
    pub fn new(input: ChildStdin, output: ChildStdout) -> Control {
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send((Instant::now(), line)).is_err() {
                    return;
                }
            }
        });
        Control {
            requests: Requests {
                input: BufWriter::new(input),
                next: 0,
            },
            lines: Lines(lines),
        }
    }

    /// Sends a request and waits for its result; events that come in between are passed over.
    ///
    /// # Errors
    /// It is refused, or the process has ended.
    pub fn ask(&mut self, op: &str, fields: Value) -> Result<Value, String> {
        let id = self.requests.put(op, fields)?;
        self.requests.flush()?;
        self.answer(id)
    }

    /// Waits for the answer to a request that was sent.
    ///
    /// # Errors
    /// It is refused, or the process has ended.
    pub fn answer(&mut self, id: u64) -> Result<Value, String> {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Some((_, line)) = self.lines.next(left)? else {
                return Err(format!(
                    "the measured process gave no answer within {} s",
                    PATIENCE.as_secs()
                ));
            };
            if line["id"] == id {
                return result(line);
            }
        }
    }

    /// Errors that nodes have raised and messages that were dropped so far.
    ///
    /// # Errors
    /// The process has ended.
    pub fn faults(&mut self) -> Result<u64, String> {
        let metrics = self.ask("metrics", json!({}))?;
        let nodes = metrics["nodes"].as_object();
        let of = |node: &Value| {
            node["errors"].as_u64().unwrap_or(0) + node["dropped"].as_u64().unwrap_or(0)
        };
        Ok(nodes.map_or(0, |nodes| nodes.values().map(of).sum()))
    }
}

/// The result of an answer.
///
/// # Errors
/// It is a refusal.
pub fn result(mut answer: Value) -> Result<Value, String> {
    if answer["ok"] == true {
        return Ok(answer["result"].take());
    }
    let message = answer["error"]["message"].as_str();
    Err(format!(
        "the measured process refused a request: {}",
        message.unwrap_or("it did not say why")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_results_or_reasons() {
        assert_eq!(
            result(json!({"id": 1, "ok": true, "result": 5})),
            Ok(json!(5))
        );
        let refused = json!({"id": 1, "ok": false, "error": {"code": "c", "message": "no node x"}});
        assert!(result(refused).is_err_and(|why| why.contains("no node x")));
    }
}
