//! **split** — splits a message into a sequence of messages: a text or a buffer at a delimiter or into pieces of a length,
//! an array into its elements (or pieces), an object into its properties.
//!
//! Each part carries `msg.parts` (`id`, `index`, `count`, `type`, `ch` or `len`, `key`), by which a **join** node puts them
//! together again. *Handle as a message stream* splits across messages: what is after the last delimiter waits for the next.
//!
//! `splt` is the delimiter, as a text, as bytes (`spltType`: `bin`) or the length of the pieces (`len`); arrays are cut
//! into pieces of `arraySplt` elements; the name of an object's property goes into `addname`. Delimiters and lengths
//! that are none (`Invalid split property`) keep the node from starting. A message without the property, and numbers and
//! booleans, end here; `null` is an error to catch.

use super::delimiter::{bytes_of, parse_int, type_error, unescape, wrong_type};
use crate::function::property::Property;
use vgdc_core::spec::Typing;
use vgdc_core::value::{Array, Msg, Object, Value, generate_id, json};
use vgdc_core::{Cx, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct SplitConfig {
    #[field(default = "payload", kind = MsgPath, filled = true, label = "Property")]
    property: String,
    #[field(default = "\\n", shown = Typed("spltType"), label = "Split texts and buffers at", types = ["str", "bin", "len"])]
    splt: Value,
    #[field(name = "spltType", default = "str")]
    splt_type: String,
    #[field(json = "false", shown = Bool, label = "As a stream of messages")]
    stream: Value,
    #[field(name = "arraySplt", json = "1", shown = Typed("arraySpltType"), label = "Length of parts of arrays", types = ["len"])]
    array_splt: Value,
    #[field(name = "arraySpltType", default = "len")]
    _array_splt_type: (),
    #[field(default = "", kind = MsgPath, label = "Copy the key of objects to", hint = "empty copies nothing")]
    addname: String,
}

enum By {
    Text(String),
    Bytes(Vec<u8>),
    Length(usize),
    /// The form names no way to split texts and buffers.
    Nothing,
}

/// The behaviour.
pub struct Split {
    property: Property,
    property_text: String,
    by: By,
    array_length: usize,
    stream: bool,
    add_name: Option<Property>,
    /// The index of the next part (of a stream it goes on).
    next: usize,
    rest_text: String,
    rest_bytes: Vec<u8>,
    /// The messages whose last bytes wait for more.
    pending: Vec<Msg>,
}

#[node(type = "split", category = "sequence", inputs = 1, outputs = 1, effect = State, types = types, color = "#e2d96e", icon = "split.svg")]
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
                let length = parse_int(&text);
                if length.is_nan() || length < 1.0 {
                    return Err(invalid(format!("Error: invalid split length: {text}")));
                }
                By::Length(length as usize)
            }
            "str" | "" => By::Text(unescape(if text.is_empty() { "\\n" } else { &text })),
            _ => By::Nothing,
        };
        let array_length = parse_int(&config.array_splt.to_js_string());
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
        let named = !config.addname.is_empty();
        Ok(Split {
            property: Property::parse(&property_text, "payload"),
            property_text,
            by,
            array_length: array_length as usize,
            stream: config.stream == Value::Bool(true),
            add_name: named.then(|| Property::parse(&config.addname, "payload")),
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

/// Where a delimiter is found, at `from` or later.
fn find(bytes: &[u8], delimiter: &[u8], from: usize) -> Option<usize> {
    // (an empty one would be found for ever)
    if delimiter.is_empty() {
        return None;
    }
    let mut places = bytes.get(from..)?.windows(delimiter.len());
    places
        .position(|window| window == delimiter)
        .map(|at| from + at)
}

/// Says something of the part that is next.
fn note(msg: &mut Msg, key: &str, value: impl Into<Value>) {
    if let Some(Value::Object(parts)) = msg.get_mut("parts") {
        parts.insert(key, value);
    }
}

impl Split {
    /// Makes the message one of a sequence. A sequence that it was in is kept for the join after the next.
    fn begin(&mut self, msg: &mut Msg) {
        let mut parts = Object::new();
        if let Some(outer) = msg.get("parts") {
            parts.insert("parts", outer.clone());
        }
        parts.insert("id", generate_id());
        if self.property_text != "payload" {
            parts.insert("property", self.property_text.as_str());
        }
        msg.insert("parts", parts);
        msg.remove("_msgid");
    }

    /// The number of the next part.
    fn number(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }

    /// The message with this in its property and the number of the next part.
    fn numbered(&mut self, msg: &mut Msg, piece: Value) -> Result<(), NodeError> {
        self.property.set(msg, piece)?;
        note(msg, "index", self.number());
        Ok(())
    }

    /// The messages whose rest was waiting are done.
    fn finish(&mut self, cx: &mut Cx<'_>) {
        for msg in std::mem::take(&mut self.pending) {
            cx.done_with(&msg);
        }
    }

    // ------------------------------------------------------------------------------------------------- texts

    fn text(&mut self, cx: &mut Cx<'_>, msg: &mut Msg, text: &str) -> Result<(), NodeError> {
        let text = format!("{}{text}", self.rest_text);
        note(msg, "type", "string");
        let pieces: Vec<String> = match &self.by {
            By::Length(length) => {
                let length = *length;
                note(msg, "ch", "");
                note(msg, "len", length);
                let pieces = pieces_of_text(&text, length);
                let pieces: Vec<Value> = pieces.into_iter().map(Value::from).collect();
                if !self.stream {
                    note(msg, "count", pieces.len());
                    self.next = 0;
                }
                return self.lengths(cx, msg, pieces, Value::from(""), length);
            }
            By::Text(delimiter) => {
                note(msg, "ch", delimiter.as_str());
                text.split(delimiter.as_str()).map(str::to_owned).collect()
            }
            By::Bytes(bytes) => {
                note(msg, "ch", numbers(bytes));
                match &*String::from_utf8_lossy(bytes) {
                    "" => pieces_of_text(&text, 1),
                    delimiter => text.split(delimiter).map(str::to_owned).collect(),
                }
            }
            By::Nothing => Vec::new(),
        };
        let count = pieces.len();
        let mut pieces = pieces.into_iter();
        let last = pieces.next_back();
        for piece in pieces {
            self.numbered(msg, Value::from(piece))?;
            if !self.stream {
                note(msg, "count", count);
            }
            cx.send(0, msg.clone());
        }
        if self.stream {
            self.rest_text = last.unwrap_or_default();
        } else {
            self.numbered(msg, last.map_or(Value::Undefined, Value::from))?;
            note(msg, "count", count);
            cx.send(0, msg.clone());
            self.next = 0;
        }
        cx.done_with(msg);
        Ok(())
    }

    /// Pieces of a fixed length: of a stream, a last one that is too short waits.
    fn lengths(
        &mut self,
        cx: &mut Cx<'_>,
        msg: &mut Msg,
        mut pieces: Vec<Value>,
        nothing: Value,
        length: usize,
    ) -> Result<(), NodeError> {
        let count = pieces.len();
        let last = pieces.pop().unwrap_or(nothing);
        for piece in pieces {
            self.numbered(msg, piece)?;
            cx.send(0, msg.clone());
        }
        if count > 1 {
            self.finish(cx);
        }
        let is_whole = last.get("length") == Value::from(length);
        let rest = if !self.stream || is_whole {
            self.numbered(msg, last.clone())?;
            cx.send(0, msg.clone());
            self.finish(cx);
            cx.done_with(msg);
            None
        } else {
            self.pending.push(msg.clone());
            Some(&last)
        };
        match &last {
            Value::Buffer(bytes) => self.rest_bytes = rest.map_or(Vec::new(), |_| bytes.to_vec()),
            last => self.rest_text = rest.map_or(String::new(), |_| last.to_js_string()),
        }
        Ok(())
    }

    // ------------------------------------------------------------------------------------------------- buffers

    fn buffer(&mut self, cx: &mut Cx<'_>, msg: &mut Msg, bytes: &[u8]) -> Result<(), NodeError> {
        let mut whole = self.rest_bytes.clone();
        whole.extend_from_slice(bytes);
        note(msg, "type", "buffer");
        // (how far it is to behind the delimiter is measured in characters, also where these are of several bytes)
        let (delimiter, step) = match &self.by {
            By::Length(length) => {
                let length = *length;
                let pieces = whole
                    .chunks(length)
                    .map(|chunk| Value::from(chunk.to_vec()));
                let pieces: Vec<Value> = pieces.collect();
                if !self.stream {
                    note(msg, "count", pieces.len());
                    self.next = 0;
                }
                note(msg, "len", length);
                return self.lengths(cx, msg, pieces, Value::from(Vec::<u8>::new()), length);
            }
            By::Text(text) => {
                note(msg, "ch", text.as_str());
                (text.as_bytes().to_vec(), text.encode_utf16().count())
            }
            By::Bytes(bytes) => {
                note(msg, "ch", numbers(bytes));
                (bytes.clone(), bytes.len())
            }
            By::Nothing => {
                return Err(wrong_type(
                    "The \"value\" argument must be one of type number or string or an instance of Buffer or Uint8Array. Received undefined",
                ));
            }
        };
        let mut ends = Vec::new();
        while let Some(end) = find(&whole, &delimiter, ends.last().map_or(0, |end| end + step)) {
            ends.push(end);
        }
        if !self.stream {
            note(msg, "count", ends.len() + 1);
            self.next = 0;
        }
        let mut from = 0;
        for end in &ends {
            self.numbered(msg, Value::from(whole[from..*end].to_vec()))?;
            cx.send(0, msg.clone());
            from = end + step;
        }
        if !ends.is_empty() {
            self.finish(cx);
        }
        let rest = whole.get(from..).unwrap_or_default().to_vec();
        if !self.stream && !rest.is_empty() {
            self.numbered(msg, Value::from(rest))?;
            note(msg, "count", self.number());
            cx.send(0, msg.clone());
            self.finish(cx);
        } else {
            self.rest_bytes = rest;
            if !self.rest_bytes.is_empty() {
                self.pending.push(msg.clone());
            }
        }
        if self.rest_bytes.is_empty() {
            cx.done_with(msg);
        }
        Ok(())
    }

    // ------------------------------------------------------------------------------------------------- what has members

    fn array(&mut self, cx: &mut Cx<'_>, msg: &mut Msg, items: &Array) -> Result<(), NodeError> {
        note(msg, "type", "array");
        note(msg, "count", items.len().div_ceil(self.array_length));
        note(msg, "len", self.array_length);
        let mut part = msg.clone();
        for (index, chunk) in items.chunks(self.array_length).enumerate() {
            let value = if self.array_length == 1 {
                chunk[0].clone()
            } else {
                Value::from(chunk.to_vec())
            };
            self.property.set(&mut part, value)?;
            note(&mut part, "index", index);
            cx.send(0, part.clone());
        }
        cx.done_with(msg);
        Ok(())
    }

    fn object(&mut self, cx: &mut Cx<'_>, msg: &mut Msg, object: &Object) -> Result<(), NodeError> {
        note(msg, "type", "object");
        for (index, (key, value)) in object.iter().enumerate() {
            self.property.set(msg, value.clone())?;
            if let Some(name) = &self.add_name {
                name.set(msg, Value::from(key.as_str()))?;
            }
            // (when that is what the name was put into)
            if let Some(Value::Str(text)) = msg.get("parts") {
                let text = format!("Cannot create property 'key' on string '{text}'");
                return Err(type_error(&text));
            }
            note(msg, "key", key.as_str());
            note(msg, "index", index);
            note(msg, "count", object.len());
            cx.send(0, msg.clone());
        }
        cx.done_with(msg);
        Ok(())
    }

    fn split(&mut self, cx: &mut Cx<'_>, msg: &mut Msg) -> Result<(), NodeError> {
        let value = self.property.get(msg)?;
        if value.is_undefined() {
            return Ok(());
        }
        self.begin(msg);
        match &value {
            Value::Str(text) => self.text(cx, msg, text),
            Value::Buffer(bytes) => self.buffer(cx, msg, bytes),
            Value::Array(items) => self.array(cx, msg, items),
            Value::Object(object) => self.object(cx, msg, object),
            Value::Null => Err(type_error("Cannot convert undefined or null to object")),
            // (dates and the like are objects without members)
            other if other.is_object() => self.object(cx, msg, &Object::new()),
            _ => {
                cx.done_with(msg);
                Ok(())
            }
        }
    }
}

/// Bytes as an array.
fn numbers(bytes: &[u8]) -> Array {
    bytes
        .iter()
        .map(|byte| Value::from(f64::from(*byte)))
        .collect()
}

impl Process for Split {
    fn input(&mut self, cx: &mut Cx<'_>, mut msg: Msg) {
        if let Err(error) = self.split(cx, &mut msg) {
            cx.error(error, Some(&msg));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut() {
        assert_eq!(pieces_of_text("abcde", 2), ["ab", "cd", "e"]);
        assert_eq!(pieces_of_text("aé😀", 2), ["aé", "😀"]);
        assert_eq!(unescape("\\n\\t"), "\n\t");
    }
}
