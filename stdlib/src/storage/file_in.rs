//! **file in** — reads a file: as one text or buffer, line by line, or as a stream of buffers.
//!
//! The file's name is a text, a property of the message, a JSONata expression or an environment variable. Lines and pieces
//! come as messages with `parts`, which a **join** node puts together again; they carry the `topic` and `filename`, or all
//! properties of the message. A large file is read as fast as the flow takes it.
//!
//! What cannot be read is an error to catch; *send message on error* also sends the message with `error`, as old flows expect.

use super::encoding::Encoding;
use super::file::{FileName, grey};
use super::fs::{FsError, place};
use std::any::Any;
use std::collections::HashMap;
use std::path::PathBuf;
use vgdc_core::spec::Typing;
use vgdc_core::value::{ErrorValue, Msg, Object, Value};
use vgdc_core::{Closing, Cx, Mailbox, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// The size of a piece: what Node.js reads at once.
const PIECE: usize = 64 << 10;

/// The form's properties.
#[derive(Config)]
pub struct FileInConfig {
    #[field(kind = Typed("filenameType"), label = "File", types = ["str", "msg", "jsonata", "env"])]
    filename: String,
    #[field(name = "filenameType", begin = "str")]
    filename_type: String,
    #[field(default = "", begin = "utf8", label = "Output", choices = [("utf8", "One text"), ("lines", "A message a line"), ("", "One buffer"), ("stream", "A stream of buffers")])]
    format: String,
    #[field(default = "none", label = "Encoding", when = [is("format", "utf8", "lines")], choices = [("none", "As the text is"), ("setbymsg", "By msg.encoding"), ("utf8", "UTF-8"), ("latin1", "Latin 1"), ("utf16le", "UTF-16"), ("base64", "Base64"), ("hex", "Hexadecimal")])]
    encoding: String,
    #[field(name = "allProps", default = false, label = "All properties in each message", when = [is("format", "lines", "stream")])]
    all_props: bool,
    #[field(default = false, kind = Bool, hidden = true)]
    _chunk: (),
    #[field(
        name = "sendError",
        default = true,
        begin = false,
        label = "Send message on error (legacy mode)",
        hidden = true
    )]
    send_error: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Format {
    Text,
    Buffer,
    Lines,
    Stream,
}

/// The behaviour.
pub struct FileIn {
    config: FileInConfig,
    name: FileName,
    format: Format,
    encoding: Result<std::sync::Arc<Encoding>, String>,
    reading: HashMap<u64, Reading>,
    next: u64,
}

/// A file that is being read for a message.
struct Reading {
    msg: Msg,
    index: usize,
}

/// Some of a file.
struct Part {
    number: u64,
    payloads: Vec<Value>,
    /// The last of these is the file's last.
    last: bool,
}

/// A file has been read.
struct End {
    number: u64,
    /// The whole of it, where it is wanted so; else undefined.
    whole: Value,
    error: Option<FsError>,
}

#[node(type = "file in", category = "storage", inputs = 1, outputs = 1, effect = Io, types = types, text = First("filename"), color = "burlywood", icon = "file-in.svg", label = "read file")]
impl Node for FileIn {
    type Config = FileInConfig;

    fn new(config: FileInConfig, _: &mut Cx<'_>) -> Result<Self, NodeError> {
        let format = match config.format.as_str() {
            "utf8" => Format::Text,
            "lines" => Format::Lines,
            "stream" => Format::Stream,
            _ => Format::Buffer,
        };
        let encoding = Encoding::of(if config.encoding.is_empty() {
            "none"
        } else {
            &config.encoding
        })
        .map(Into::into);
        let name = FileName::parse(&config.filename, &config.filename_type);
        Ok(FileIn {
            config,
            name,
            format,
            encoding,
            reading: HashMap::new(),
            next: 0,
        })
    }
}

/// The file's contents; or what went wrong; or pieces of it, with or without what the message had.
fn types(t: &mut dyn Typing) {
    let contents = match t.text("format").as_str() {
        "utf8" | "lines" => "string | undefined",
        "" | "stream" => "buffer | undefined",
        _ => "any",
    };
    let contents = t.ty(contents);
    let (name, any) = (t.ty("string"), t.ty("any"));
    let topic = t.get("topic");
    t.set("payload", contents);
    t.set("filename", name);
    t.set("parts", any);
    t.set("error", any);
    t.send(0);
    let bare = t.ty("object{filename: any, parts: any}");
    t.set_message(bare);
    let none = t.ty("undefined");
    let topic = t.either(topic, none);
    t.set("topic", topic);
    t.set("payload", contents);
    t.send(0);
}

impl FileIn {
    fn begin(&mut self, cx: &mut Cx<'_>, mut msg: Msg) -> Result<(), (NodeError, Msg)> {
        let name = match self.name.of(cx, &msg) {
            Ok(name) => name.replace(['\t', '\r', '\n'], ""),
            Err(error) => return Err((error, msg)),
        };
        if self.config.filename.is_empty() && !self.config.filename_type.is_empty() {
            cx.status(grey(&name));
        }
        if name.is_empty() {
            cx.warn("No filename specified");
            cx.done_with(&msg);
            return Ok(());
        }
        let encoding = match &self.encoding {
            Ok(encoding) => encoding.clone(),
            Err(why) => {
                let error = ErrorValue::new("Error", why.as_str());
                return Err((NodeError::from_value(error.into()), msg));
            }
        };
        msg.insert("filename", name.as_str());
        self.next += 1;
        let (number, path, format, mailbox) =
            (self.next, place(cx, &name), self.format, cx.mailbox());
        self.reading.insert(number, Reading { msg, index: 0 });
        cx.work(async move {
            let read = read(number, path, format, &encoding, &mailbox).await;
            let (whole, error) = read.map_or_else(
                |error| (Value::Undefined, Some(error)),
                |whole| (whole, None),
            );
            End {
                number,
                whole,
                error,
            }
        });
        Ok(())
    }

    fn part(&mut self, cx: &mut Cx<'_>, part: Part) {
        let Some(reading) = self.reading.get_mut(&part.number) else {
            return;
        };
        let count = part.payloads.len();
        for (at, payload) in part.payloads.into_iter().enumerate() {
            let mut msg = if self.config.all_props {
                reading.msg.clone()
            } else {
                let keep = |key: &str| reading.msg.get(key).cloned().unwrap_or(Value::Undefined);
                let bare: Object = [("topic", keep("topic")), ("filename", keep("filename"))]
                    .into_iter()
                    .collect();
                Msg::from(bare)
            };
            let nothing_more = payload.is_undefined();
            if !nothing_more {
                msg.set_payload(payload);
            } else {
                // (a file whose last piece is a whole one is ended by a message without payload, as in Node-RED)
                msg = Msg::new();
            }
            let (ch, ty) = if self.format == Format::Lines {
                ("\n", "string")
            } else {
                ("", "buffer")
            };
            let id = reading
                .msg
                .get("_msgid")
                .cloned()
                .unwrap_or(Value::Undefined);
            let index = Value::from(reading.index);
            let total =
                (part.last && at + 1 == count).then(|| reading.index + usize::from(!nothing_more));
            let mut parts = Object::new();
            parts.insert("index", index);
            // (the last line says at once how many there are, the last piece in the end)
            if let Some(total) = total.filter(|_| self.format == Format::Lines) {
                parts.insert("count", total);
            }
            parts.insert("ch", ch);
            parts.insert("type", ty);
            parts.insert("id", id);
            if let Some(total) = total.filter(|_| self.format != Format::Lines) {
                parts.insert("count", total);
            }
            msg.insert("parts", parts);
            reading.index += 1;
            cx.send(0, msg);
        }
    }

    fn end(&mut self, cx: &mut Cx<'_>, end: End) {
        let Some(Reading { mut msg, .. }) = self.reading.remove(&end.number) else {
            return;
        };
        let completion = cx.completion(&msg);
        if let Some(error) = end.error {
            cx.error(NodeError::from_value(error.value()), Some(&msg));
            if self.config.send_error {
                msg.remove("payload");
                msg.insert("error", error.value());
                cx.send(0, msg);
            }
        } else if matches!(self.format, Format::Text | Format::Buffer) {
            msg.set_payload(end.whole);
            cx.send(0, msg);
        }
        cx.done(completion);
    }
}

impl Process for FileIn {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        if let Err((error, msg)) = self.begin(cx, msg) {
            cx.error(error, Some(&msg));
            cx.done_with(&msg);
        }
    }

    fn event(&mut self, cx: &mut Cx<'_>, event: Box<dyn Any>) {
        match event.downcast::<Part>() {
            Ok(part) => self.part(cx, *part),
            Err(event) => {
                if let Ok(end) = event.downcast::<End>() {
                    self.end(cx, *end);
                }
            }
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>, _: bool) -> Closing {
        cx.status(Value::Undefined);
        None
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, FsError> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.map_err(|e| FsError::of(&std::io::Error::other(e), "read"))
}

async fn read(
    number: u64,
    path: PathBuf,
    format: Format,
    encoding: &std::sync::Arc<Encoding>,
    mailbox: &Mailbox,
) -> Result<Value, FsError> {
    let by_pieces =
        format == Format::Stream || format == Format::Lines && encoding.has_ascii_lines();
    if by_pieces {
        read_pieces(number, path, format, encoding, mailbox).await?;
        return Ok(Value::Undefined);
    }
    let whole = blocking(move || {
        let mut file = std::fs::File::open(&path).map_err(|e| FsError::at(&e, "open", &path))?;
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut file, &mut bytes).map_err(|e| FsError::of(&e, "read"))?;
        Ok(bytes)
    });
    let bytes = whole.await??;
    match format {
        Format::Buffer | Format::Stream => Ok(Value::from(bytes)),
        Format::Text => Ok(Value::from(encoding.decode(&bytes))),
        Format::Lines => {
            let payloads = encoding
                .decode(&bytes)
                .split('\n')
                .map(Value::from)
                .collect();
            mailbox.post(Part {
                number,
                payloads,
                last: true,
            });
            Ok(Value::Undefined)
        }
    }
}

/// Reads piece by piece and waits, before each, until the island has room for it.
async fn read_pieces(
    number: u64,
    path: PathBuf,
    format: Format,
    encoding: &Encoding,
    mailbox: &Mailbox,
) -> Result<(), FsError> {
    let mut file =
        blocking(move || std::fs::File::open(&path).map_err(|e| FsError::at(&e, "open", &path)))
            .await??;
    let mut rest: Vec<u8> = Vec::new();
    let mut whole_piece = false;
    let mut first = true;
    loop {
        mailbox.room().await;
        let piece;
        (file, piece) = blocking(move || read_piece(file)).await??;
        let ended = piece.len() < PIECE;
        if format == Format::Stream {
            if !piece.is_empty() {
                mailbox.post(Part {
                    number,
                    payloads: vec![Value::from(piece)],
                    last: ended,
                });
            } else if whole_piece {
                mailbox.post(Part {
                    number,
                    payloads: vec![Value::Undefined],
                    last: true,
                });
            }
            whole_piece = !ended;
        } else {
            // (the mark at the front is no part of the first line; later ones are kept)
            let begin = if first
                && matches!(encoding, Encoding::Utf8(true))
                && piece.starts_with(b"\xef\xbb\xbf")
            {
                3
            } else {
                0
            };
            rest.extend_from_slice(&piece[begin..]);
            let mut payloads = Vec::new();
            let mut from = 0;
            while let Some(at) = rest[from..].iter().position(|byte| *byte == b'\n') {
                payloads.push(Value::from(encoding.decode(&rest[from..from + at])));
                from += at + 1;
            }
            rest.drain(..from);
            if ended {
                payloads.push(Value::from(encoding.decode(&rest)));
            }
            if !payloads.is_empty() {
                mailbox.post(Part {
                    number,
                    payloads,
                    last: ended,
                });
            }
        }
        first = false;
        if ended {
            return Ok(());
        }
    }
}

fn read_piece(mut file: std::fs::File) -> Result<(std::fs::File, Vec<u8>), FsError> {
    let mut piece = Vec::with_capacity(PIECE);
    let taken = std::io::Read::by_ref(&mut file);
    std::io::Read::read_to_end(&mut std::io::Read::take(taken, PIECE as u64), &mut piece)
        .map_err(|e| FsError::of(&e, "read"))?;
    Ok((file, piece))
}

#[cfg(test)]
mod tests {
    use crate::testing::Flow;
    use serde_json::{Value as Json, json};
    use vgdc_core::value::control::encode;

    fn flow(config: Json) -> Flow {
        let mut node = json!({"id": "n", "type": "file in", "z": "t", "filenameType": "str", "wires": [["sink"]]});
        for (key, value) in config.as_object().expect("an object") {
            node[key] = value.clone();
        }
        Flow::start(
            json!([{"id": "t", "type": "tab"}, node, {"id": "sink", "type": "junction", "z": "t", "wires": [[]]}]),
        )
    }

    fn file(bytes: &[u8]) -> (tempfile::TempDir, String) {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("f");
        std::fs::write(&path, bytes).expect("writes");
        let name = path.to_str().expect("a name").to_owned();
        (dir, name)
    }

    #[test]
    fn a_file_comes_whole() {
        let (_dir, name) = file("aé\n".as_bytes());
        for (format, expected) in [
            ("utf8", r#""aé\n""#),
            ("", r#"{"$type":"buffer","base64":"YcOpCg=="}"#),
        ] {
            let flow = flow(json!({"filename": name, "format": format}));
            flow.receive("n", json!({"payload": 1, "topic": "t"}));
            let got = flow.one_received("sink");
            assert_eq!(
                (
                    encode(&got.get("payload")).as_str(),
                    got.get("topic").as_str()
                ),
                (expected, Some("t"))
            );
            assert_eq!(flow.finished("n").len(), 1);
        }
    }

    #[test]
    fn a_file_comes_line_by_line() {
        let (_dir, name) = file(b"a\n\nb");
        let flow = flow(json!({"filename": name, "format": "lines"}));
        flow.receive("n", json!({"_msgid": "m", "topic": "t", "other": 1}));
        let got: Vec<String> = flow
            .received("sink")
            .iter()
            .map(|msg| encode(&msg.get("parts")) + &encode(&msg.get("payload")))
            .collect();
        assert_eq!(
            got,
            [
                r#"{"index":0,"ch":"\n","type":"string","id":"m"}"a""#,
                r#"{"index":1,"ch":"\n","type":"string","id":"m"}"""#,
                r#"{"index":2,"count":3,"ch":"\n","type":"string","id":"m"}"b""#,
            ]
        );
        assert!(flow.received("sink")[0].get("other").is_undefined());
        let flow = self::flow(
            json!({"filename": name, "format": "lines", "allProps": true, "encoding": "ucs2"}),
        );
        flow.receive("n", json!({"other": 1}));
        assert_eq!(flow.received("sink")[0].get("other").as_f64(), Some(1.0));
    }

    #[test]
    fn a_file_comes_in_pieces() {
        for (length, expected) in [
            (10, vec![10]),
            (65_536, vec![65_536, 0]),
            (65_537, vec![65_536, 1]),
        ] {
            let (_dir, name) = file(&vec![7; length]);
            let flow = flow(json!({"filename": name, "format": "stream"}));
            flow.receive("n", json!({}));
            let got = flow.received("sink");
            let lengths: Vec<usize> = got
                .iter()
                .map(|msg| msg.get("payload").as_buffer().map_or(0, |b| b.len()))
                .collect();
            assert_eq!(lengths, expected);
            let last = got[got.len() - 1].get("parts");
            assert_eq!(
                last.get("count").as_f64(),
                Some(if length == 65_536 {
                    1.0
                } else {
                    expected.len() as f64
                })
            );
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_an_error() {
        for legacy in [true, false] {
            let flow = flow(json!({"filename": "/not/there", "sendError": legacy}));
            flow.receive("n", json!({"payload": 1}));
            let errors = flow.errors("n");
            assert_eq!(
                errors[0].to_js_string(),
                "Error: ENOENT: no such file or directory, open '/not/there'"
            );
            assert_eq!(errors[0].get("code").as_str(), Some("ENOENT"));
            assert_eq!(flow.received("sink").len(), usize::from(legacy));
            if legacy {
                let got = flow.one_received("sink");
                assert_eq!(got.get("error").get("code").as_str(), Some("ENOENT"));
                assert!(got.get("payload").is_undefined());
            }
        }
    }
}
