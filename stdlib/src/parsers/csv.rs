//! **csv** — converts between CSV text and objects.
//!
//! A text becomes an object a row (one message each with `parts`, or one array); objects and arrays become rows. The columns
//! come from the node, from the first row, or from `msg.columns`. `spec` chooses RFC 4180 (`rfc`: line breaks within quotes,
//! strict headers, errors that can be caught) or the older, more forgiving reading (`""`). `msg.reset` sends the header
//! row anew.

use vgdc_core::spec::Typing;
use vgdc_core::value::{Array, Key, Msg, Object, Value, json, number};
use vgdc_core::{Cx, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct CsvConfig {
    #[field(default = "", label = "Parser")]
    spec: String,
    #[field(default = ",", label = "Separator")]
    sep: String,
    #[field(json = "\"\"", label = "First row contains column names")]
    hdrin: Value,
    #[field(json = "\"none\"", label = "Header row")]
    hdrout: Value,
    #[field(default = "one", label = "Output")]
    multi: String,
    #[field(default = "", label = "Newline")]
    ret: String,
    #[field(default = "", label = "Columns")]
    temp: String,
    #[field(default = "0", kind = Number, label = "Skip first lines")]
    skip: Value,
    #[field(json = "true", label = "parse numerical values")]
    strings: Value,
    #[field(default = false, label = "include empty strings")]
    include_empty_strings: bool,
    #[field(default = false, label = "include null values")]
    include_null_values: bool,
}

/// The behaviour.
pub struct Csv {
    rfc: bool,
    separator: String,
    line_end: String,
    template_text: String,
    /// The columns; `[""]` when there are none.
    template: Vec<String>,
    had_template: bool,
    header_in: bool,
    /// `none`, `once` or `all`.
    header_out: String,
    header_sent: bool,
    many: bool,
    skip: usize,
    numbers: bool,
    empties: bool,
    nulls: bool,
    stored: Vec<Value>,
    warned: bool,
    /// The columns of the node cannot be read: nothing is handled.
    broken: bool,
}

const BAD_TEMPLATE: &str = "Malformed columns template.";

#[node(type = "csv", category = "parsers", inputs = 1, outputs = 1, effect = State, types = types)]
impl Node for Csv {
    type Config = CsvConfig;

    fn new(config: CsvConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        cx.status(Object::new());
        let rfc = config.spec == "rfc";
        let unescape = |text: &str| {
            text.replace("\\t", "\t")
                .replace("\\n", "\n")
                .replace("\\r", "\r")
        };
        let separator = unescape(if config.sep.is_empty() {
            ","
        } else {
            &config.sep
        });
        let default_end = if rfc { "\r\n" } else { "\n" };
        let header_out = match &config.hdrout {
            Value::Bool(true) => "all".to_owned(),
            Value::Str(text) if !text.is_empty() => text.to_string(),
            _ => "none".to_owned(),
        };
        let mut node = Csv {
            rfc,
            line_end: unescape(if config.ret.is_empty() {
                default_end
            } else {
                &config.ret
            }),
            template: vec![String::new()],
            had_template: false,
            header_in: config.hdrin.truthy(),
            header_out,
            header_sent: false,
            many: !config.multi.is_empty() && config.multi != "one",
            skip: number::parse_float(&config.skip.to_js_string()).max(0.0) as usize,
            numbers: config.strings.truthy(),
            empties: config.include_empty_strings,
            nulls: config.include_null_values,
            stored: Vec::new(),
            warned: false,
            broken: false,
            template_text: config.temp,
            separator,
        };
        match node.columns(&node.template_text, ",") {
            Ok(template) => {
                node.had_template = has_columns(&template);
                node.template = template;
            }
            Err(_) => {
                cx.warn(BAD_TEMPLATE);
                cx.set_status("red", "dot", BAD_TEMPLATE);
                node.broken = true;
            }
        }
        Ok(node)
    }
}

/// Texts become objects, objects texts; a sequence may end with a message of its own.
fn types(t: &mut dyn Typing) {
    let any = t.ty("any");
    for field in ["payload", "columns", "parts", "complete"] {
        t.set(field, any);
    }
    t.send(0);
    let end = t.ty("object{complete: bool}");
    t.set_message(end);
    t.send(0);
}

fn has_columns(template: &[String]) -> bool {
    template.len() > 1 || template.first().is_some_and(|only| !only.is_empty())
}

/// A cell, and whether it stood in quotes.
#[derive(Debug, Clone, Default, PartialEq)]
struct Cell {
    text: String,
    quoted: bool,
}

/// The records of a text by RFC 4180. `strict`: a quote within an unquoted cell, text after a closing quote and a quote that
/// is never closed are errors; otherwise they are taken as they come.
fn records(text: &str, separator: &str, strict: bool) -> Result<Vec<Vec<Cell>>, String> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut cell = Cell::default();
    let mut rest = text;
    let mut inside = false;
    while let Some(c) = rest.chars().next() {
        if inside {
            if let Some(after) = rest.strip_prefix("\"\"") {
                cell.text.push('"');
                rest = after;
            } else if c == '"' {
                inside = false;
                rest = &rest[1..];
                let ends = rest.is_empty()
                    || rest.starts_with(separator)
                    || rest.starts_with(['\r', '\n']);
                if strict && !ends {
                    return Err(
                        "Quoted cells must be followed by a separator or a line break".to_owned(),
                    );
                }
            } else {
                cell.text.push(c);
                rest = &rest[c.len_utf8()..];
            }
        } else if let Some(after) = rest.strip_prefix(separator) {
            row.push(std::mem::take(&mut cell));
            rest = after;
        } else if c == '\n' || c == '\r' {
            row.push(std::mem::take(&mut cell));
            rows.push(std::mem::take(&mut row));
            rest = rest.strip_prefix("\r\n").unwrap_or(&rest[1..]);
        } else if c == '"' && cell.text.is_empty() && !cell.quoted {
            cell.quoted = true;
            inside = true;
            rest = &rest[1..];
        } else {
            if strict && c == '"' {
                return Err("Unquoted cells must not contain quotes".to_owned());
            }
            cell.text.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    if strict && inside {
        return Err("Unterminated quote".to_owned());
    }
    if !row.is_empty() || !cell.text.is_empty() || cell.quoted {
        row.push(cell);
        rows.push(row);
    }
    Ok(rows)
}

/// What a cell's text is when numbers are wanted: what looks like one, without leading zeros.
fn as_number(text: &str) -> Option<f64> {
    let trimmed = text.trim();
    let digits = trimmed.strip_prefix('-').unwrap_or(trimmed);
    let bytes = digits.as_bytes();
    let zeros = bytes.len() > 1 && bytes[0] == b'0' && bytes[1].is_ascii_digit();
    let allowed = |c: &u8| c.is_ascii_digit() || matches!(c, b'.' | b'e' | b'E' | b'+' | b'-');
    if bytes.is_empty()
        || zeros
        || !bytes.iter().all(allowed)
        || !bytes[bytes.len() - 1].is_ascii_digit()
        || matches!(bytes[0], b'e' | b'E' | b'+' | b'-')
    {
        return None;
    }
    let n = number::parse(trimmed);
    (!n.is_nan()).then_some(n)
}

/// Splits at separators that stand outside of quotes, as the older reading does for column names.
fn split_outside_quotes(text: &str, separator: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut outside = true;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if outside && let Some(after) = rest.strip_prefix(separator) {
            parts.push(String::new());
            rest = after;
            continue;
        }
        outside ^= c == '"';
        if let Some(last) = parts.last_mut() {
            last.push(c);
        }
        rest = &rest[c.len_utf8()..];
    }
    parts
}

/// `RED.util.ensureString`.
fn ensure_string(value: &Value) -> String {
    match value {
        Value::Buffer(_) | Value::Str(_) => value.to_js_string(),
        Value::Object(_) | Value::Array(_) | Value::Null => {
            json::stringify(value, 0).ok().flatten().unwrap_or_default()
        }
        other => other.to_js_string(),
    }
}

impl Csv {
    /// Column names from a text.
    fn columns(&self, text: &str, separator: &str) -> Result<Vec<String>, String> {
        if !self.rfc {
            let parts = split_outside_quotes(text.trim(), separator);
            return Ok(parts
                .into_iter()
                .map(|part| part.replace('"', "").trim().to_owned())
                .collect());
        }
        let mut rows = records(text, separator, true)?;
        if rows.len() != 1 {
            return Ok(vec![String::new()]);
        }
        Ok(rows.remove(0).into_iter().map(|cell| cell.text).collect())
    }

    /// The column names as `msg.columns` has them.
    fn columns_text(&self, keep_empty: bool) -> String {
        let quoted = |name: &String| {
            let needs = if self.rfc {
                name.contains([',', '"', '\n', '\r'])
            } else {
                name.contains(',')
            };
            if needs {
                format!(
                    "\"{}\"",
                    if self.rfc {
                        name.replace('"', "\"\"")
                    } else {
                        name.clone()
                    }
                )
            } else {
                name.clone()
            }
        };
        let names = self
            .template
            .iter()
            .filter(|name| keep_empty || !name.is_empty());
        names.map(quoted).collect::<Vec<_>>().join(",")
    }

    fn quoted(&self, text: &str) -> String {
        let breaks = text.contains('\n') || self.rfc && text.contains('\r');
        if text.contains('"') {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else if text.contains(&self.separator) || breaks {
            format!("\"{text}\"")
        } else {
            text.to_owned()
        }
    }

    // ------------------------------------------------------------------------------------------------- to text

    fn write(&mut self, cx: &mut Cx<'_>, msg: &mut Msg) -> Result<(), NodeError> {
        let later = msg
            .get("parts")
            .is_some_and(|parts| parts.get("index").to_number() > 0.0);
        if self.had_template || !later {
            self.template = self
                .columns(&self.template_text, ",")
                .map_err(NodeError::new)?;
        }
        let mut rows = match msg.payload() {
            Value::Array(rows) => rows.to_vec(),
            single => vec![single.clone()],
        };
        if matches!(rows.first(), Some(first) if !first.is_object() && !first.is_null()) {
            rows = vec![Value::from(rows)];
        }
        let mut lines = Vec::new();
        if self.header_out != "none" && !self.header_sent {
            if !has_columns(&self.template) {
                self.template = match (msg.get("columns"), rows.first()) {
                    (Some(columns), _) => self
                        .columns(&columns.to_js_string(), ",")
                        .map_err(NodeError::new)?,
                    (None, Some(Value::Object(first))) => {
                        first.keys().map(|key| key.as_str().to_owned()).collect()
                    }
                    (None, Some(Value::Array(first))) => {
                        (0..first.len()).map(|index| index.to_string()).collect()
                    }
                    _ => self.template.clone(),
                };
            }
            let header = |name: &String| {
                if self.rfc {
                    self.quoted(name)
                } else if name.contains(&self.separator) {
                    format!("\"{name}\"")
                } else {
                    name.clone()
                }
            };
            lines.push(
                self.template
                    .iter()
                    .map(header)
                    .collect::<Vec<_>>()
                    .join(&self.separator),
            );
            self.header_sent = self.header_out == "once";
        }
        let first = rows.first().cloned().unwrap_or(Value::Undefined);
        for row in &rows {
            let line = match row {
                Value::Array(cells) => self.array_row(cells),
                other => self.object_row(cx, other, &first, msg)?,
            };
            lines.push(line);
        }
        msg.set_payload(lines.join(&self.line_end) + &self.line_end);
        msg.insert("columns", self.columns_text(!self.rfc));
        Ok(())
    }

    fn array_row(&self, cells: &Array) -> String {
        let with_template = self.rfc && has_columns(&self.template);
        let length = if with_template {
            self.template.len()
        } else {
            cells.len()
        };
        let cell = |at: usize| match cells.get(at) {
            None | Some(Value::Undefined) => String::new(),
            Some(cell) => self.quoted(&ensure_string(cell)),
        };
        let named = |at: &usize| {
            !with_template || self.template.get(*at).is_some_and(|name| !name.is_empty())
        };
        (0..length)
            .map(|at| if named(&at) { cell(at) } else { String::new() })
            .collect::<Vec<_>>()
            .join(&self.separator)
    }

    fn object_row(
        &mut self,
        cx: &mut Cx<'_>,
        row: &Value,
        first: &Value,
        msg: &Msg,
    ) -> Result<String, NodeError> {
        if !has_columns(&self.template)
            && let Some(columns) = msg.get("columns")
        {
            self.template = self
                .columns(&columns.to_js_string(), ",")
                .map_err(NodeError::new)?;
        }
        if has_columns(&self.template) {
            let cell = |name: &String| {
                if name.is_empty() {
                    return String::new();
                }
                let value = row.get(name);
                if value.is_undefined() {
                    String::new()
                } else {
                    self.quoted(&ensure_string(&value))
                }
            };
            return Ok(self
                .template
                .iter()
                .map(cell)
                .collect::<Vec<_>>()
                .join(&self.separator));
        }
        if !self.warned {
            cx.warn("No columns template specified for object -> CSV.");
            self.warned = true;
        }
        let mut cells = Vec::new();
        if let (Value::Object(first), Value::Object(row)) = (first, row) {
            for key in first.keys() {
                match row.get(key.as_str()) {
                    Some(cell) if cell.type_of() != "object" => {
                        let text = if cell.is_undefined() {
                            String::new()
                        } else {
                            cell.to_js_string()
                        };
                        cells.push(self.quoted(&text));
                    }
                    _ => {}
                }
            }
            if self.rfc {
                self.template = row.keys().map(|key| key.as_str().to_owned()).collect();
            }
        }
        Ok(cells.join(&self.separator))
    }

    // ------------------------------------------------------------------------------------------------- from text

    /// A cell's value; `None` leaves the property out.
    fn cell(&self, text: Option<&str>) -> Option<Value> {
        match text {
            None => self.nulls.then_some(Value::Null),
            Some("") => self.empties.then(|| Value::from("")),
            Some(text) => Some(match as_number(text).filter(|_| self.numbers) {
                Some(n) => Value::Number(n),
                None => Value::from(text),
            }),
        }
    }

    /// The rows of a text by RFC 4180.
    fn rfc_rows(&mut self, text: &str) -> Result<Vec<Value>, NodeError> {
        let mut rows = Vec::new();
        for record in records(text, &self.separator, false).map_err(NodeError::new)? {
            if record.len() == 1 && record[0] == Cell::default() {
                continue;
            }
            let mut object = Object::new();
            let named = has_columns(&self.template);
            for (at, cell) in record.iter().enumerate() {
                let name = match self.template.get(at).filter(|_| named) {
                    Some(name) if name.is_empty() => continue,
                    Some(name) => name.clone(),
                    None if named => continue,
                    None => format!("col{}", at + 1),
                };
                let text = (cell.quoted || !cell.text.is_empty()).then_some(cell.text.as_str());
                let value = if cell.quoted && !cell.text.is_empty() && !self.numbers {
                    Some(Value::from(cell.text.as_str()))
                } else {
                    self.cell(text)
                };
                if let Some(value) = value {
                    object.insert(Key::from(name), value);
                }
            }
            if !named {
                self.template_for(record.len());
            }
            if !object.is_empty() {
                rows.push(Value::Object(object));
            }
        }
        Ok(rows)
    }

    fn template_for(&mut self, width: usize) {
        // (names made up for a text that has none hold for that text)
        self.template = (1..=width).map(|n| format!("col{n}")).collect();
    }

    /// The rows of a text as the older reading takes them: quotes toggle, any line break outside of them ends a row.
    fn legacy_rows(
        &mut self,
        cx: &mut Cx<'_>,
        text: &str,
        mut first: bool,
        mut line_count: usize,
    ) -> Vec<Value> {
        let chars: Vec<char> = text.chars().collect();
        let separator = self.separator.chars().next().unwrap_or(',');
        let named = has_columns(&self.template) || self.header_in;
        let (mut outside, mut header, mut rows, mut object) =
            (true, String::new(), Vec::new(), Object::new());
        let mut cells: Vec<Option<String>> = vec![Some(String::new())];
        for (i, &c) in chars.iter().enumerate() {
            if first && line_count < self.skip {
                line_count += usize::from(c == '\n');
                continue;
            }
            if self.header_in && first {
                let last = chars.len() - i == 1;
                if c == '\n' || c == '\r' || last {
                    if last && c != '\n' && c != '\r' {
                        header.push(c);
                    }
                    self.template = self.columns(&header, &self.separator).unwrap_or_default();
                    first = false;
                } else {
                    header.push(c);
                }
                continue;
            }
            let before = i.checked_sub(1).map(|i| chars[i]);
            let at = cells.len() - 1;
            if c == '"' {
                outside = !outside;
                if before == Some('"')
                    && !outside
                    && let Some(Some(cell)) = cells.last_mut()
                {
                    cell.push('"');
                }
            } else if c == separator && outside {
                if matches!(before, None | Some('\n' | '\r')) || before == Some(separator) {
                    cells[at] = None;
                }
                self.put(&mut object, at, cells[at].as_deref(), named);
                cells.push(if i + 1 == chars.len() {
                    None
                } else {
                    Some(String::new())
                });
            } else if (c == '\n' || c == '\r') && outside {
                if before == Some(separator) {
                    cells[at] = None;
                }
                self.put(&mut object, at, cells[at].as_deref(), named);
                if !object.is_empty() {
                    rows.push(Value::Object(std::mem::take(&mut object)));
                }
                cells = vec![Some(String::new())];
                outside = true;
            } else if let Some(Some(cell)) = cells.last_mut() {
                cell.push(c);
            }
        }
        if !outside {
            cx.warn("Malformed CSV data - output probably corrupt.");
        }
        let at = cells.len() - 1;
        self.put(&mut object, at, cells[at].as_deref(), named);
        if !object.is_empty() {
            rows.push(Value::Object(object));
        }
        rows
    }

    fn put(&mut self, object: &mut Object, at: usize, text: Option<&str>, named: bool) {
        if !named {
            if self.template.len() <= at {
                self.template.resize(at + 1, String::new());
            }
            self.template[at] = format!("col{}", at + 1);
        }
        let Some(name) = self
            .template
            .get(at)
            .filter(|name| !name.is_empty())
            .cloned()
        else {
            return;
        };
        if let Some(value) = self.cell(text) {
            object.insert(Key::from(name), value);
        }
    }

    fn read(&mut self, cx: &mut Cx<'_>, msg: Msg, text: &str) -> Result<(), NodeError> {
        let parts = msg.get("parts").cloned();
        let part = |key: &str| {
            parts
                .as_ref()
                .map_or(f64::NAN, |parts| parts.get(key).to_number())
        };
        let index = if parts.is_some() {
            part("index").max(0.0) as usize
        } else {
            0
        };
        let last = part("index") + 1.0 >= part("count");
        let breaks = text.matches(['\n', '\r']).count();
        let mut first = index <= self.skip || parts.is_none();
        if parts.is_some() && self.many && breaks > 1 {
            first = true;
        }
        if !self.had_template && !self.header_in {
            self.template = vec![String::new()];
        }
        let rows = if self.rfc {
            let Some(rest) = skipped(
                text,
                if first {
                    self.skip.saturating_sub(index)
                } else {
                    0
                },
            ) else {
                cx.done_with(&msg);
                return Ok(());
            };
            let mut rest = rest;
            if first && self.header_in {
                let (header, after) = first_record(rest);
                match self.columns(header, &self.separator) {
                    Ok(template) => self.template = template,
                    Err(why) => {
                        cx.set_status("red", "dot", BAD_TEMPLATE);
                        return Err(NodeError::new(format!("Error: {why}")));
                    }
                }
                rest = after;
            }
            self.rfc_rows(rest)?
        } else {
            self.legacy_rows(cx, text, first, index)
        };
        let columns = self.columns_text(false);
        if self.many {
            self.send_array(cx, msg, rows, columns, parts.is_some() && breaks <= 1, last);
        } else {
            self.send_rows(cx, msg, rows, columns, parts.is_some(), last);
        }
        Ok(())
    }

    fn send_array(
        &mut self,
        cx: &mut Cx<'_>,
        mut msg: Msg,
        rows: Vec<Value>,
        columns: String,
        gathers: bool,
        last: bool,
    ) {
        if !gathers {
            msg.insert("columns", columns);
            msg.set_payload(rows);
            return cx.send_done(msg);
        }
        self.stored.extend(rows);
        let completion = cx.completion(&msg);
        if last {
            msg.set_payload(std::mem::take(&mut self.stored));
            msg.insert("columns", columns);
            msg.remove("parts");
            cx.send(0, msg);
        }
        cx.done(completion);
    }

    fn send_rows(
        &mut self,
        cx: &mut Cx<'_>,
        msg: Msg,
        rows: Vec<Value>,
        columns: String,
        in_sequence: bool,
        last: bool,
    ) {
        let completion = cx.completion(&msg);
        let count = rows.len();
        for (index, row) in rows.into_iter().enumerate() {
            let mut sent = msg.clone();
            sent.insert("columns", columns.as_str());
            sent.set_payload(row);
            if in_sequence {
                let less = (self.skip + usize::from(self.header_in)) as f64;
                if let Some(Value::Object(parts)) = sent.get_mut("parts") {
                    for key in ["index", "count"] {
                        let n = parts.get(key).map_or(f64::NAN, Value::to_number);
                        parts.insert(key, n - less);
                    }
                }
            } else {
                let mut parts = Object::new();
                parts.insert("id", msg.get("_msgid").cloned().unwrap_or(Value::Undefined));
                parts.insert("index", index);
                parts.insert("count", count);
                sent.insert("parts", parts);
            }
            if in_sequence && last {
                sent.insert("complete", true);
            }
            cx.send(0, sent);
        }
        if in_sequence && last && count == 0 {
            let mut end = Msg::new();
            end.insert("complete", true);
            cx.send(0, end);
        }
        cx.done(completion);
    }
}

/// The text after so many lines; `None` when there are no more.
fn skipped(text: &str, lines: usize) -> Option<&str> {
    let mut rest = text;
    for _ in 0..lines {
        let at = rest.find(['\n', '\r'])?;
        rest = rest[at..].strip_prefix("\r\n").unwrap_or(&rest[at + 1..]);
    }
    (lines == 0 || !rest.is_empty()).then_some(rest)
}

/// The first record of a text, and what follows its line break.
fn first_record(text: &str) -> (&str, &str) {
    let mut outside = true;
    for (at, c) in text.char_indices() {
        match c {
            '"' => outside = !outside,
            '\n' | '\r' if outside => {
                let rest = &text[at..];
                return (&text[..at], rest.strip_prefix("\r\n").unwrap_or(&rest[1..]));
            }
            _ => {}
        }
    }
    (text, "")
}

impl Process for Csv {
    fn input(&mut self, cx: &mut Cx<'_>, mut msg: Msg) {
        if self.broken {
            return;
        }
        if self.rfc {
            cx.status(Object::new());
        }
        if msg.contains_key("reset") {
            self.header_sent = false;
        }
        let Some(payload) = msg.get("payload").cloned() else {
            if msg.contains_key("reset") {
                cx.done_with(&msg)
            } else {
                cx.send_done(msg)
            }
            return;
        };
        let told = msg.clone();
        let outcome = match &payload {
            Value::Str(text) => self.read(cx, msg, text),
            value if value.type_of() == "object" => {
                self.write(cx, &mut msg).map(|()| cx.send_done(msg))
            }
            _ => {
                let why = "This node only handles CSV strings or js objects.";
                if !self.rfc {
                    cx.warn(why);
                    return cx.done_with(&msg);
                }
                cx.set_status("red", "dot", why);
                Err(NodeError::from_value(
                    vgdc_core::value::ErrorValue::new("Error", why).into(),
                ))
            }
        };
        if let Err(error) = outcome {
            cx.error(error, Some(&told));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_by_rfc_4180() {
        let texts = |text: &str| -> Vec<Vec<String>> {
            let rows = records(text, ",", false).expect("reads");
            rows.into_iter()
                .map(|row| row.into_iter().map(|cell| cell.text).collect())
                .collect()
        };
        assert_eq!(
            texts("a,\"b,\"\"c\nd\",\r\n1,,2"),
            [vec!["a", "b,\"c\nd", ""], vec!["1", "", "2"]]
        );
        for wrong in ["a\"b", "\"a\"b", "\"a"] {
            assert!(
                records(wrong, ",", true).is_err() && records(wrong, ",", false).is_ok(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn numbers_are_told_from_texts() {
        for (text, n) in [
            ("1", Some(1.0)),
            ("-1.5", Some(-1.5)),
            ("1e3", Some(1000.0)),
            ("0", Some(0.0)),
            (".5", Some(0.5)),
            ("007", None),
            ("1a", None),
            ("", None),
            ("-", None),
            ("1.", None),
        ] {
            assert_eq!(as_number(text), n, "{text}");
        }
    }
}
