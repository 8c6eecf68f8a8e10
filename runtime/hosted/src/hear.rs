//! What the host says: frames on the link, and lines on its outputs.

use crate::link;
use crate::place::Inner;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::sync::mpsc;
use vgdc_core::value::{Msg, Value, control};
use vgdc_core::{Level, NodeError, Told};

/// Writes to the log, in no node's name.
pub(crate) fn say(inner: &Inner, level: Level, text: String) {
    if let Some(shared) = inner.shared() {
        shared
            .log
            .log(shared.clock.now_ms(), level, None, &Value::from(text));
    }
}

/// Logs what the host writes to its outputs, and keeps the last lines.
pub(crate) fn hear(
    inner: &Arc<Inner>,
    from: Option<impl AsyncRead + Unpin + 'static>,
    last: &Rc<RefCell<VecDeque<String>>>,
) {
    let Some(from) = from else { return };
    let (inner, last) = (inner.clone(), last.clone());
    tokio::task::spawn_local(async move {
        let mut lines = BufReader::new(from).split(b'\n');
        while let Ok(Some(line)) = lines.next_segment().await {
            let line = String::from_utf8_lossy(&line).into_owned();
            let mut last = last.borrow_mut();
            if last.len() == 20 {
                last.pop_front();
            }
            last.push_back(line.clone());
            drop(last);
            say(&inner, Level::Info, format!("[host] {line}"));
        }
    });
}

/// Reads frames: what nodes did goes to their stand-ins, as fast as their islands take it; the rest to the session.
pub(crate) async fn read_all(
    inner: Arc<Inner>,
    mut reader: impl AsyncRead + Unpin,
    frames: mpsc::Sender<Value>,
) {
    let mut reader = BufReader::with_capacity(1 << 16, &mut reader);
    while let Ok(text) = link::read(&mut reader).await {
        let frame = match control::decode(&text) {
            Ok(frame) => frame,
            Err(error) => {
                say(
                    &inner,
                    Level::Error,
                    format!("what the host said cannot be read: {error}"),
                );
                continue;
            }
        };
        match kind(&frame) {
            "out" => did(&inner, at(&frame, 1)).await,
            "ack" => inner
                .outgoing()
                .acknowledge(at(&frame, 1).as_f64().unwrap_or_default() as usize),
            "free" => {
                let ids = list(at(&frame, 1))
                    .iter()
                    .filter_map(|id| Some(id.as_str()?.to_owned()));
                inner.outgoing().give_back(ids);
            }
            _ => {
                if frames.send(frame).await.is_err() {
                    return;
                }
            }
        }
    }
}

pub(crate) fn at(value: &Value, index: usize) -> &Value {
    list(value).get(index).unwrap_or(&Value::Undefined)
}

pub(crate) fn list(value: &Value) -> &[Value] {
    match value {
        Value::Array(list) => list,
        _ => &[],
    }
}

pub(crate) fn kind(frame: &Value) -> &str {
    at(frame, 0).as_str().unwrap_or_default()
}

/// Tells stand-ins what their nodes did.
async fn did(inner: &Inner, items: &Value) {
    for item in list(items) {
        let id = at(item, 1).as_str().unwrap_or_default();
        let told = match kind(item) {
            "send" => Msg::try_from(at(item, 3).clone())
                .ok()
                .map(|msg| Told::Send {
                    output: at(item, 2).as_f64().unwrap_or_default() as usize,
                    msg,
                }),
            "sent" => Msg::try_from(at(item, 3).clone())
                .ok()
                .map(|msg| Told::Sent {
                    output: at(item, 2).as_f64().unwrap_or_default() as usize,
                    msg,
                }),
            "came" => Msg::try_from(at(item, 2).clone()).ok().map(Told::Came),
            "done" => Msg::try_from(at(item, 2).clone()).ok().map(Told::Done),
            "status" => Some(Told::Status(at(item, 2).clone())),
            "error" => {
                let msg = Msg::try_from(at(item, 3).clone()).ok();
                Some(Told::Error(NodeError::from_value(at(item, 2).clone()), msg))
            }
            "log" => {
                let level =
                    Level::by_name(at(item, 2).as_str().unwrap_or_default()).unwrap_or(Level::Info);
                if id.is_empty() {
                    say(inner, level, at(item, 3).to_js_string());
                    continue;
                }
                Some(Told::Log(level, at(item, 3).clone()))
            }
            _ => None,
        };
        let Some(told) = told else {
            say(
                inner,
                Level::Error,
                format!("the host said something unknown of the node {id}"),
            );
            continue;
        };
        match inner.stand_in(id) {
            Some(mailbox) => {
                if matches!(told, Told::Send { .. }) {
                    mailbox.queue_room().await;
                }
                inner.came.fetch_add(1, Ordering::Relaxed);
                mailbox.post(told);
            }
            // A configuration node that runs on both sides: what it says here is for the log.
            None => match told {
                Told::Log(level, message) => say(inner, level, message.to_js_string()),
                Told::Error(error, _) => say(inner, Level::Error, error.text()),
                _ => {}
            },
        }
    }
}
