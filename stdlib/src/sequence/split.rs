//! **split** — splits a message into a sequence of messages: a text or a buffer at a delimiter or into pieces of a length,
//! an array into its elements (or pieces), an object into its properties.
//!
//! Each part carries `msg.parts` (`id`, `index`, `count`, `type`, `ch` or `len`, `key`), by which a **join** node puts them
//! together again. *Handle as a message stream* splits across messages: what is after the last delimiter waits for the next.

use super::delimiter::{bytes_of, unescape};
use vgdc_core::spec::Typing;
use vgdc_core::value::{Array, Msg, Object, Path, Value, generate_id, json, number};
use vgdc_core::{Completion, Cx, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct SplitConfig {
    #[field(default = "payload", kind = MsgPath, label = "Split")]
    property: String,
    #[field(default = "\\n", label = "Split using")]
    splt: Value,
    #[field(name = "spltType", default = "str")]
    splt_type: String,
    #[field(name = "arraySplt", json = "1", label = "Fixed length of")]
    array_splt: Value,
    #[field(default = false, label = "Handle as a message stream")]
    stream: bool,
    #[field(default = "", kind = MsgPath, label = "Copy key to msg.")]
    addname: String,
}

enum By {
    Text(String),
    Bytes(Vec<u8>),
    Length(usize),
}

/// The behaviour.
pub struct Split {
    property: Path,
    property_text: String,
    by: By,
    array_length: usize,
    stream: bool,
    add_name: Option<Path>,
    /// The index of the next part (of a stream it goes on).
    next: usize,
    rest_text: String,
    rest_bytes: Vec<u8>,
    pending: Vec<Completion>,
}

#[node(type = "split", category = "sequence", inputs = 1, outputs = 1, effect = State, types = types)]
impl Node for Split {
    type Config = SplitConfig;

    fn new(config: SplitConfig, _: &mut Cx<'_>) -> Result<Self, NodeError> {
        let invalid = |why: String| NodeError::new(format!("Invalid split property: {why}"));
        let text = config.splt.to_js_string();
        let by = match config.splt_type.as_str() {
            "bin" => match json::parse(&text) {
                Ok(Value::Array(bytes)) => By::Bytes(bytes_of(&bytes)),
                Ok(_) => return Err(invalid("Error: not an array".into())),
                Err(error) => return Err(invalid(format!("SyntaxError: {}", error.message))),
            },
            "len" => {
                let length = number::parse_float(&text).trunc();
                if length.is_nan() || length < 1.0 {
                    return Err(invalid(format!("Error: invalid split length: {text}")));
                }
                By::Length(length as usize)
            }
            _ => By::Text(unescape(if text.is_empty() { "\\n" } else { &text })),
        };
        let array_length = number::parse_float(&config.array_splt.to_js_string()).trunc();
        if array_length.is_nan() || array_length < 1.0 {
            return Err(invalid(format!(
                "Error: invalid array split length: {}",
                config.array_splt.to_js_string()
            )));
        }
        let property_text = if config.property.is_empty() {
            "payload".to_owned()
        } else {
            config.property
        };
        let path = |text: &str| Path::parse(text).map_err(|e| NodeError::new(e.message));
        Ok(Split {
            property: path(&property_text)?,
            property_text,
            by,
            array_length: array_length as usize,
            stream: config.stream,
            add_name: (!config.addname.is_empty())
                .then(|| path(&config.addname))
                .transpose()?,
            next: 0,
            rest_text: String::new(),
            rest_bytes: Vec::new(),
            pending: Vec::new(),
        })
    }
}

/// A property becomes a part of itself.
fn types(t: &mut dyn Typing) {
    let path = match t.text("property") {
        path if path.is_empty() => "payload".to_owned(),
        path => path,
    };
    let whole = t.get(&path);
    let mut part = t.members(whole);
    if t.text("arraySplt") != "1" {
        let some = t.ty("array<any>");
        part = t.either(part, some);
    }
    for kind in ["string", "buffer"] {
        let kind = t.ty(kind);
        if t.may_be(whole, kind) {
            part = t.either(part, kind);
        }
    }
    let any = t.ty("any");
    let name = t.text("addname");
    if !name.is_empty() {
        t.set(&name, any);
    }
    let parts = t.ty("object{..}");
    let (id, none) = (t.ty("string"), t.ty("undefined"));
    let fresh = t.either(id, none);
    t.set("_msgid", fresh);
    t.set("parts", parts);
    t.set(&path, part);
    t.send(0);
}

/// The pieces of a text, of so many UTF-16 units.
fn pieces_of_text(text: &str, length: usize) -> Vec<String> {
    if text.is_ascii() {
        return text
            .as_bytes()
            .chunks(length)
            .map(|chunk| String::from_utf8_lossy(chunk).into_owned())
            .collect();
    }
    let units: Vec<u16> = text.encode_utf16().collect();
    units.chunks(length).map(String::from_utf16_lossy).collect()
}

fn pieces_at(bytes: &[u8], delimiter: &[u8]) -> Vec<Vec<u8>> {
    if delimiter.is_empty() {
        return vec![bytes.to_vec()];
    }
    let mut pieces = Vec::new();
    let mut from = 0;
    while let Some(at) = bytes[from..]
        .windows(delimiter.len())
        .position(|window| window == delimiter)
    {
        pieces.push(bytes[from..from + at].to_vec());
        from += at + delimiter.len();
    }
    pieces.push(bytes[from..].to_vec());
    pieces
}

/// What is being split: the message that each part is a copy of, and the facts of the sequence.
struct Sequence {
    msg: Msg,
    parts: Object,
}

impl Split {
    fn begin(&self, mut msg: Msg) -> Sequence {
        let mut parts = Object::new();
        // A sequence within a sequence: the outer one is kept for the join after the next.
        if let Some(outer) = msg.remove("parts") {
            parts.insert("parts", outer);
        }
        parts.insert("id", generate_id());
        if self.property_text != "payload" {
            parts.insert("property", self.property_text.as_str());
        }
        msg.remove("_msgid");
        Sequence { msg, parts }
    }

    fn send(&self, cx: &mut Cx<'_>, sequence: &Sequence, value: Value, index: usize) {
        let mut msg = sequence.msg.clone();
        let mut parts = sequence.parts.clone();
        parts.insert("index", index);
        msg.insert("parts", parts);
        // (the property was read from this message: it can be set)
        if self.property.set(&mut msg, value, true).is_ok() {
            cx.send(0, msg);
        }
    }

    /// Sends the pieces; of a stream all but the last, which is given back.
    fn send_all(
        &mut self,
        cx: &mut Cx<'_>,
        sequence: &mut Sequence,
        mut pieces: Vec<Value>,
    ) -> Option<Value> {
        let rest = if self.stream { pieces.pop() } else { None };
        if !self.stream {
            sequence.parts.insert("count", pieces.len());
            self.next = 0;
        }
        for piece in pieces {
            self.send(cx, sequence, piece, self.next);
            self.next += 1;
        }
        if !self.stream {
            self.next = 0;
        }
        rest
    }

    fn text(
        &mut self,
        cx: &mut Cx<'_>,
        sequence: &mut Sequence,
        text: &str,
        completion: Completion,
    ) {
        let text = format!("{}{text}", std::mem::take(&mut self.rest_text));
        sequence.parts.insert("type", "string");
        let pieces = match &self.by {
            By::Length(length) => {
                sequence.parts.insert("ch", "");
                sequence.parts.insert("len", *length);
                let length = *length;
                let pieces = pieces_of_text(&text, length);
                return self.lengths(
                    cx,
                    sequence,
                    pieces.into_iter().map(Value::from).collect(),
                    completion,
                    length,
                );
            }
            By::Text(delimiter) => {
                sequence.parts.insert("ch", delimiter.as_str());
                if delimiter.is_empty() {
                    text.chars().map(String::from).collect()
                } else {
                    text.split(delimiter).map(str::to_owned).collect::<Vec<_>>()
                }
            }
            By::Bytes(bytes) => {
                let array: Array = bytes.iter().map(|b| Value::from(f64::from(*b))).collect();
                sequence.parts.insert("ch", array);
                text.split(&*String::from_utf8_lossy(bytes))
                    .map(str::to_owned)
                    .collect()
            }
        };
        let rest = self.send_all(cx, sequence, pieces.into_iter().map(Value::from).collect());
        self.rest_text = rest.map(|rest| rest.to_js_string()).unwrap_or_default();
        cx.done(completion);
    }

    fn buffer(
        &mut self,
        cx: &mut Cx<'_>,
        sequence: &mut Sequence,
        bytes: &[u8],
        completion: Completion,
    ) {
        let mut whole = std::mem::take(&mut self.rest_bytes);
        whole.extend_from_slice(bytes);
        sequence.parts.insert("type", "buffer");
        let delimiter = match &self.by {
            By::Length(length) => {
                let length = *length;
                sequence.parts.insert("len", length);
                let pieces = whole
                    .chunks(length)
                    .map(|chunk| Value::from(chunk.to_vec()))
                    .collect();
                return self.lengths(cx, sequence, pieces, completion, length);
            }
            By::Text(text) => {
                sequence.parts.insert("ch", text.as_str());
                text.as_bytes().to_vec()
            }
            By::Bytes(bytes) => {
                let array: Array = bytes.iter().map(|b| Value::from(f64::from(*b))).collect();
                sequence.parts.insert("ch", array);
                bytes.clone()
            }
        };
        let pieces = pieces_at(&whole, &delimiter)
            .into_iter()
            .map(Value::from)
            .collect();
        let rest = self.send_all(cx, sequence, pieces);
        self.rest_bytes = rest
            .as_ref()
            .and_then(Value::as_buffer)
            .map(|rest| rest.to_vec())
            .unwrap_or_default();
        if self.rest_bytes.is_empty() {
            self.finish(cx);
            cx.done(completion);
        } else {
            self.pending.push(completion);
        }
    }

    /// Pieces of a fixed length: of a stream, a last one that is too short waits.
    fn lengths(
        &mut self,
        cx: &mut Cx<'_>,
        sequence: &mut Sequence,
        mut pieces: Vec<Value>,
        completion: Completion,
        length: usize,
    ) {
        let size = |piece: &Value| piece.get("length").to_number() as usize;
        let short = self.stream && pieces.last().is_some_and(|last| size(last) < length);
        let rest = if short { pieces.pop() } else { None };
        if !self.stream {
            sequence.parts.insert("count", pieces.len());
            self.next = 0;
        }
        let sent = pieces.len();
        for piece in pieces {
            self.send(cx, sequence, piece, self.next);
            self.next += 1;
        }
        if sent > 0 {
            self.finish(cx);
        }
        match rest {
            Some(Value::Str(text)) => self.rest_text = text.to_string(),
            Some(Value::Buffer(bytes)) => self.rest_bytes = bytes.to_vec(),
            _ => return cx.done(completion),
        }
        self.pending.push(completion);
    }

    /// The messages whose rest was waiting are done.
    fn finish(&mut self, cx: &mut Cx<'_>) {
        for completion in std::mem::take(&mut self.pending) {
            cx.done(completion);
        }
    }

    fn array(&mut self, cx: &mut Cx<'_>, sequence: &mut Sequence, items: &Array) {
        sequence.parts.insert("type", "array");
        sequence
            .parts
            .insert("count", items.len().div_ceil(self.array_length));
        sequence.parts.insert("len", self.array_length);
        for (index, chunk) in items.chunks(self.array_length).enumerate() {
            let value = if self.array_length == 1 {
                chunk[0].clone()
            } else {
                Value::from(chunk.to_vec())
            };
            self.send(cx, sequence, value, index);
        }
    }

    fn object(&mut self, cx: &mut Cx<'_>, sequence: &mut Sequence, object: &Object) {
        sequence.parts.insert("type", "object");
        for (index, (key, value)) in object.iter().enumerate() {
            sequence.parts.insert("key", key.as_str());
            sequence.parts.insert("count", object.len());
            if let Some(path) = &self.add_name {
                // (a name that cannot be put there is not put)
                let _ = path.set(&mut sequence.msg, Value::from(key.as_str()), true);
            }
            self.send(cx, sequence, value.clone(), index);
        }
    }
}

impl Process for Split {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        let value = match self.property.get_in(&msg) {
            Ok(value) => value,
            Err(error) => return cx.error(error.message, Some(&msg)),
        };
        if value.is_undefined() {
            return;
        }
        let completion = cx.completion(&msg);
        let mut sequence = self.begin(msg);
        match &value {
            Value::Str(text) => return self.text(cx, &mut sequence, text, completion),
            Value::Buffer(bytes) => return self.buffer(cx, &mut sequence, bytes, completion),
            Value::Array(items) => self.array(cx, &mut sequence, items),
            Value::Object(object) => self.object(cx, &mut sequence, object),
            _ => {}
        }
        cx.done(completion);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_buffers_are_cut() {
        assert_eq!(pieces_of_text("abcde", 2), ["ab", "cd", "e"]);
        assert_eq!(pieces_of_text("aé😀", 2), ["aé", "😀"]);
        assert_eq!(
            pieces_at(b"a,b,", b","),
            [b"a".to_vec(), b"b".to_vec(), Vec::new()]
        );
        assert_eq!(unescape("\\n\\t"), "\n\t");
    }
}
