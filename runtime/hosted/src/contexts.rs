//! Serves contexts to the host: its nodes read and write the very values that the nodes of this process do.
//!
//! A thread of its own answers one question after the other, since whoever asks stands still until the answer is there.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use vgdc_core::Shared;
use vgdc_core::store::Scope;
use vgdc_value::{ErrorValue, Handle, Value, control};

/// Answers until the other end is closed.
pub fn serve(mut line: UnixStream, shared: &dyn Fn() -> Option<Arc<Shared>>) {
    // (the end of the line is the end of the host, which others see, too)
    while let Ok(question) = read(&mut line) {
        let answer = match control::decode(&question) {
            Ok(question) => match shared() {
                Some(shared) => answer(&shared, &question),
                None => Err(ErrorValue::new("Error", "the flows have stopped")),
            },
            Err(error) => Err(ErrorValue::new("Error", error.to_string())),
        };
        let text = match answer {
            Ok(value) => control::encode(&Value::from(vec![Value::from("ok"), value])),
            Err(error) => {
                let code = error.properties.get("code").cloned().unwrap_or(Value::Null);
                control::encode(&Value::from(vec![
                    Value::from("error"),
                    Value::Str(error.message.clone()),
                    code,
                ]))
            }
        };
        if write(&mut line, &text).is_err() {
            return;
        }
    }
}

fn answer(shared: &Shared, question: &Value) -> Result<Value, ErrorValue> {
    let parts: &[Value] = match question {
        Value::Array(parts) => parts,
        _ => &[],
    };
    let part = |at: usize| parts.get(at).cloned().unwrap_or(Value::Undefined);
    let (op, store, scope, key) = (part(0), part(1), part(2), part(3));
    let store = store.as_str().filter(|store| !store.is_empty());
    let scope = scope_of(scope.as_str().unwrap_or_default());
    let key = key.as_str().unwrap_or_default();
    match op.as_str() {
        // (the name is no handle: those of this side are looked up when they are read)
        Some("props") => {
            let handle = store.and_then(Handle::lookup);
            Ok(handle.map_or(Value::Undefined, |handle| handle.props().clone()))
        }
        Some("get") => Ok(shared.stores.get(&scope, key, store)?),
        Some("set") => {
            shared.stores.set(&scope, key, part(4), store)?;
            Ok(Value::Undefined)
        }
        Some("keys") => {
            let keys = shared.stores.keys(&scope, store)?;
            Ok(keys.into_iter().map(Value::from).collect::<Vec<_>>().into())
        }
        _ => Err(ErrorValue::new("Error", "no such question")),
    }
}

/// Node-RED names a node's context by its id and its flow's.
fn scope_of(name: &str) -> Scope {
    match name.split_once(':') {
        Some((node, _flow)) => Scope::Node(node.into()),
        None if name == "global" => Scope::Global,
        None => Scope::Flow(name.into()),
    }
}

fn read(line: &mut UnixStream) -> io::Result<String> {
    let mut length = [0; 4];
    line.read_exact(&mut length)?;
    let mut text = Vec::new();
    let length = u64::from(u32::from_le_bytes(length));
    let read = Read::take(&mut *line, length).read_to_end(&mut text)?;
    if read as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    String::from_utf8(text).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
}

fn write(line: &mut UnixStream, text: &str) -> io::Result<()> {
    let length =
        u32::try_from(text.len()).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
    let mut bytes = Vec::with_capacity(4 + text.len());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
    line.write_all(&bytes)
}
