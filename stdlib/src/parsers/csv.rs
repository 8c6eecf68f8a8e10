//! **csv** — converts between CSV text and objects.
//!
//! A text becomes an object a row (one message each with `parts`, or one array); objects and arrays become rows. The columns
//! come from the node, from the first row, or from `msg.columns`. `spec` chooses RFC 4180 (`rfc`: line breaks within quotes,
//! strict headers, errors that can be caught) or the older, more forgiving reading (`""`). `msg.reset` sends the header
//! row anew.
//!
//! - reading: `sep` between cells; `skip` lines at the beginning are passed over; `hdrin`: the next has the names, else
//!   they are those of `temp` (commas between them), else `col1`, `col2` …; a column without a name is left out. With
//!   `strings`, what looks like a number is one. Empty cells are left out, unless `include_empty_strings` (`""`) or
//!   `include_null_values` (nothing between separators) keeps them. `multi`: `one` message a row, or `mult`, an array;
//! - writing: `hdrout` is `none`, `all` (names over each message) or `once` (until `msg.reset`); `ret` ends the lines.
//!   Names are those of `temp`, of `msg.columns`, of the first object.
//!
//! `msg.columns` has the names that were taken. Column names that cannot be read show as a red status and a warning.

use super::csv_records::{Reading, quoted, records, value_of};
use vgdc_core::spec::Typing;
use vgdc_core::value::{Array, ErrorValue, Key, Msg, Object, Value, json, number};
use vgdc_core::{Cx, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct CsvConfig {
    #[field(default = "", label = "Columns", hint = "names, separated by commas")]
    temp: String,
    #[field(default = ",", label = "Separator", choices = [(",", "Comma"), ("\\t", "Tab"), (";", "Semicolon"), (":", "Colon"), (" ", "Space"), ("#", "Hash")])]
    sep: String,
    #[field(default = "", begin = "rfc", label = "Parser", choices = [("rfc", "RFC 4180"), ("", "Old")])]
    spec: String,
    #[field(default = "0", kind = Number, label = "Skip the first lines")]
    skip: Value,
    #[field(json = "\"\"", shown = Bool, label = "First row has the names of columns")]
    hdrin: Value,
    #[field(json = "true", shown = Bool, label = "Parse numbers")]
    strings: Value,
    #[field(default = false, label = "Keep empty texts")]
    include_empty_strings: bool,
    #[field(default = false, label = "Keep null")]
    include_null_values: bool,
    #[field(default = "one", label = "Output", choices = [("one", "A message a row"), ("mult", "One message with an array")])]
    multi: String,
    #[field(json = "\"none\"", shown = Text, label = "Header in CSV", choices = [("none", "Never"), ("all", "Always"), ("once", "Once, until msg.reset")])]
    hdrout: Value,
    #[field(default = "", begin = "\\r\\n", label = "Line end", choices = [("\\n", "Linux"), ("\\r", "Mac"), ("\\r\\n", "Windows")])]
    ret: String,
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
    /// What the columns of the node's own text were split at the last time.
    split_at: String,
    /// Rows have names: none are made up.
    is_named: bool,
    header_in: bool,
    /// Not only set, but to `true`: the first row is taken for names.
    takes_header: bool,
    /// `none`, `once` or `all`.
    header_out: String,
    header_sent: bool,
    many: bool,
    skip: f64,
    numbers: bool,
    empties: bool,
    nulls: bool,
    stored: Vec<Value>,
    warned: bool,
    /// The columns of the node cannot be read: nothing is handled.
    broken: bool,
}

const BAD_TEMPLATE: &str = "Malformed columns template.";

#[node(type = "csv", category = "parsers", inputs = 1, outputs = 1, effect = State, types = types, color = "#debd5c", icon = "parser-csv.svg")]
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
            split_at: ",".to_owned(),
            is_named: false,
            header_in: config.hdrin.truthy(),
            takes_header: config.hdrin == Value::Bool(true),
            header_out,
            header_sent: false,
            many: !config.multi.is_empty() && config.multi != "one",
            skip: skip_of(&config.skip),
            numbers: config.strings.truthy(),
            empties: config.include_empty_strings,
            nulls: config.include_null_values,
            stored: Vec::new(),
            warned: false,
            broken: false,
            template_text: config.temp,
            separator,
        };
        match node.columns(&node.template_text.clone(), Some(",")) {
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

/// Splits at separators with an even number of quotes behind them, as the older reading does for column names.
fn split_outside_quotes(text: &str, separator: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let (mut start, mut at) = (0, 0);
    while let Some(found) = text[at..].find(separator) {
        let (here, after) = (at + found, at + found + separator.len());
        if text[after..].matches('"').count().is_multiple_of(2) {
            parts.push(text[start..here].to_owned());
            start = after;
            at = after;
        } else {
            at = here + text[here..].chars().next().map_or(1, char::len_utf8);
        }
    }
    parts.push(text[start..].to_owned());
    parts
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(number::is_js_space)
}

fn type_error(text: &str) -> NodeError {
    NodeError::from_value(ErrorValue::new("TypeError", text).into())
}

/// What reading a property of nothing throws.
fn nothing(of: &Value, key: &str) -> NodeError {
    let of = of.to_js_string();
    type_error(&format!("Cannot read properties of {of} (reading '{key}')"))
}

/// `Object.keys`.
fn keys_of(value: &Value) -> Result<Vec<String>, NodeError> {
    Ok(match value {
        Value::Object(object) => object.keys().map(|key| key.as_str().to_owned()).collect(),
        Value::Array(items) => (0..items.len()).map(|at| at.to_string()).collect(),
        Value::Buffer(bytes) => (0..bytes.len()).map(|at| at.to_string()).collect(),
        Value::Str(text) => (0..text.encode_utf16().count())
            .map(|at| at.to_string())
            .collect(),
        Value::Null | Value::Undefined => {
            return Err(type_error("Cannot convert undefined or null to object"));
        }
        _ => Vec::new(),
    })
}

/// `RED.util.ensureString`.
fn ensure_string(value: &Value) -> String {
    match value {
        Value::Buffer(_) | Value::Str(_) => value.to_js_string(),
        other if other.type_of() == "object" => {
            json::stringify(value, 0).ok().flatten().unwrap_or_default()
        }
        other => other.to_js_string(),
    }
}

impl Csv {
    /// Column names from a text.
    fn columns(&mut self, text: &str, separator: Option<&str>) -> Result<Vec<String>, NodeError> {
        if self.rfc {
            let how = Reading {
                separator: separator.unwrap_or(","),
                strict: true,
                one_line: false,
            };
            let units: Vec<u16> = text.encode_utf16().collect();
            let mut rows = records(&units, 0, &how)?.rows;
            let names = match rows.len() {
                1 => rows.remove(0),
                _ => Vec::new(),
            };
            let names: Vec<String> = names.into_iter().map(Option::unwrap_or_default).collect();
            return Ok(if names.is_empty() {
                vec![String::new()]
            } else {
                names
            });
        }
        if let Some(separator) = separator {
            self.split_at = separator.to_owned();
        }
        let parts = split_outside_quotes(trimmed(text), &self.split_at);
        let names: Vec<String> = parts
            .iter()
            .map(|part| trimmed(&part.replace('"', "")).to_owned())
            .collect();
        self.is_named = has_columns(&names);
        Ok(names)
    }

    /// Column names as `msg.columns` has them.
    fn columns_text(&self, names: &[String], keep_empty: bool) -> String {
        let text = |name: &String| match self.rfc {
            true => quoted(name, ","),
            false if name.contains(',') => format!("\"{name}\""),
            false => name.clone(),
        };
        let names = names.iter().filter(|name| keep_empty || !name.is_empty());
        names.map(text).collect::<Vec<_>>().join(",")
    }

    /// A cell as it is written; of the older way, `breaks` says whether there is a line break that counts.
    fn cell_text(&self, text: &str, breaks: bool) -> String {
        if self.rfc {
            quoted(text, &self.separator)
        } else if text.contains('"') {
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
            self.template = self.columns(&self.template_text.clone(), None)?;
        }
        let mut rows = match msg.payload() {
            Value::Array(rows) => rows.to_vec(),
            single => vec![single.clone()],
        };
        let plain = |row: &Value| row.type_of() != "object";
        let lists = self.rfc
            && rows
                .first()
                .is_some_and(|row| row.as_array().is_some() || plain(row));
        if self.rfc && rows.first().is_some_and(plain) {
            rows = vec![Value::from(rows)];
        }
        let mut lines = Vec::new();
        // (of the older way, anything but `none` asks for names)
        let headed = match self.rfc {
            true => matches!(self.header_out.as_str(), "once" | "all"),
            false => self.header_out != "none",
        };
        if headed && !self.header_sent {
            lines.push(self.header_line(msg, &rows)?);
            self.header_sent = self.header_out == "once";
        }
        let first = rows.first().cloned().unwrap_or(Value::Undefined);
        let mut at = 0;
        while let Some(row) = rows.get(at).cloned() {
            let line = if lists {
                self.listed_row(&row)
            } else if !self.rfc && plain(&row) {
                // (the whole is taken for the row then, which works for the first alone)
                let whole = Value::from(std::mem::take(&mut rows));
                rows = vec![whole.clone()];
                match (at, whole) {
                    (0, Value::Array(cells)) => self.plain_row(&cells)?,
                    _ => return Err(nothing(&Value::Undefined, "length")),
                }
            } else {
                match &row {
                    Value::Array(cells) if !self.rfc => self.plain_row(cells)?,
                    row => self.object_row(cx, row, &first, msg)?,
                }
            };
            lines.push(line);
            at += 1;
        }
        msg.set_payload(lines.join(&self.line_end) + &self.line_end);
        msg.insert("columns", self.columns_text(&self.template, !self.rfc));
        Ok(())
    }

    /// True where there are no names for an object's row. (Of the older way, an object without properties gave some: none.)
    fn lacks_columns(&self) -> bool {
        !has_columns(&self.template) && (self.rfc || !self.template.is_empty())
    }

    fn header_line(&mut self, msg: &Msg, rows: &[Value]) -> Result<String, NodeError> {
        if !has_columns(&self.template) {
            self.template = match msg.get("columns").cloned() {
                Some(columns) => self.columns_of(&columns)?,
                None => keys_of(rows.first().unwrap_or(&Value::Undefined))?,
            };
        }
        let name = |name: &String| match self.rfc {
            true => quoted(name, &self.separator),
            false if name.contains(&self.separator) => format!("\"{name}\""),
            false => name.clone(),
        };
        let names: Vec<String> = self.template.iter().map(name).collect();
        Ok(names.join(&self.separator))
    }

    /// The columns that a message names.
    fn columns_of(&mut self, columns: &Value) -> Result<Vec<String>, NodeError> {
        let text = if columns.truthy() {
            columns.to_js_string()
        } else {
            String::new()
        };
        self.columns(&text, Some(","))
    }

    /// A list as a row by RFC 4180: of as many cells as there are columns.
    fn listed_row(&self, row: &Value) -> String {
        let named = has_columns(&self.template);
        let length = match (named, row) {
            (true, _) => self.template.len(),
            (false, Value::Array(cells)) => cells.len(),
            (false, Value::Str(text)) => text.encode_utf16().count(),
            _ => 0,
        };
        let cell = |at: usize| {
            let is_wanted = !named || self.template.get(at).is_some_and(|name| !name.is_empty());
            match row.get(&at.to_string()) {
                Value::Undefined => String::new(),
                cell if is_wanted => self.cell_text(&ensure_string(&cell), false),
                _ => String::new(),
            }
        };
        (0..length)
            .map(cell)
            .collect::<Vec<_>>()
            .join(&self.separator)
    }

    /// A list as a row of the older way.
    fn plain_row(&self, cells: &Array) -> Result<String, NodeError> {
        let text = |cell: &Value| match cell {
            Value::Undefined => Ok(String::new()),
            Value::Null => Err(nothing(cell, "toString")),
            cell => {
                let text = cell.to_js_string();
                Ok(self.cell_text(&text, text.contains('\n')))
            }
        };
        let texts: Vec<String> = cells.iter().map(text).collect::<Result<_, _>>()?;
        Ok(texts.join(&self.separator))
    }

    fn object_row(
        &mut self,
        cx: &mut Cx<'_>,
        row: &Value,
        first: &Value,
        msg: &Msg,
    ) -> Result<String, NodeError> {
        if self.lacks_columns()
            && let Some(columns) = msg.get("columns").cloned()
        {
            self.template = self.columns_of(&columns)?;
        }
        if !self.lacks_columns() {
            let mut cells = Vec::new();
            for name in &self.template {
                if name.is_empty() {
                    cells.push(String::new());
                    continue;
                }
                if row.is_nullish() {
                    return Err(nothing(row, name));
                }
                let text = match row.get(name) {
                    Value::Undefined => String::new(),
                    value => ensure_string(&value),
                };
                cells.push(self.cell_text(&text, text.contains('\n')));
            }
            return Ok(cells.join(&self.separator));
        }
        if !self.warned {
            cx.warn("No columns template specified for object -> CSV.");
            self.warned = true;
        }
        if self.rfc {
            self.template = keys_of(row)?;
        }
        let mut cells = Vec::new();
        for key in keys_of(first).unwrap_or_default() {
            if row.is_nullish() {
                return Err(nothing(row, "hasOwnProperty"));
            }
            let is_there = match row {
                Value::Object(row) => row.contains_key(&key),
                row => !row.get(&key).is_undefined(),
            };
            let cell = row.get(&key);
            if is_there && cell.type_of() != "object" {
                let text = match cell {
                    Value::Undefined => String::new(),
                    cell => cell.to_js_string(),
                };
                // (of the older way, a line break in the name is what counts)
                cells.push(self.cell_text(&text, key.contains('\n')));
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

    /// The rows of a text by RFC 4180, and the names of their columns.
    fn rfc_rows(&self, text: &[u16], from: usize) -> Result<(Vec<Value>, Vec<String>), NodeError> {
        let how = Reading {
            separator: &self.separator,
            strict: false,
            one_line: false,
        };
        let records = records(text, from, &how)?.rows;
        let names: Vec<String> = match records.first() {
            _ if has_columns(&self.template) => self.template.clone(),
            Some(first) => (1..=first.len()).map(|n| format!("col{n}")).collect(),
            None => Vec::new(),
        };
        let mut rows = Vec::new();
        for record in records {
            let mut object = Object::new();
            for (at, name) in names
                .iter()
                .enumerate()
                .filter(|(_, name)| !name.is_empty())
            {
                let value = match record.get(at).and_then(Option::as_ref) {
                    None if self.nulls => Value::Null,
                    None => continue,
                    Some(text) if text.is_empty() && !self.empties => continue,
                    Some(text) => value_of(text, self.numbers),
                };
                object.insert(Key::from(name.as_str()), value);
            }
            if !object.is_empty() {
                rows.push(Value::Object(object));
            }
        }
        Ok((rows, names))
    }

    /// The rows of a text as the older reading takes them: quotes toggle, any line break outside of them ends a row.
    fn legacy_rows(
        &mut self,
        cx: &mut Cx<'_>,
        text: &str,
        mut first: bool,
        mut line_count: f64,
    ) -> Result<Legacy, NodeError> {
        let chars: Vec<char> = text.chars().collect();
        let mut own = self.separator.chars();
        // (what has more than one character is nowhere in the text)
        let separator = own.next().filter(|_| own.next().is_none());
        drop(own);
        let (mut outside, mut header, mut rows, mut object) =
            (true, String::new(), Vec::new(), Object::new());
        let mut cells: Vec<Option<String>> = vec![Some(String::new())];
        for (i, &c) in chars.iter().enumerate() {
            if first && line_count < self.skip {
                line_count += f64::from(u8::from(c == '\n'));
                continue;
            }
            if self.takes_header && first {
                let last = chars.len() - i == 1;
                if c == '\n' || c == '\r' || last {
                    if last {
                        header.push(c);
                    }
                    let separator = self.separator.clone();
                    self.template = self.columns(&header, Some(&separator))?;
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
            } else if Some(c) == separator && outside {
                if self.name(at).is_some() {
                    match before {
                        None => return Err(nothing(&Value::Undefined, "includes")),
                        Some('\n') => cells[at] = None,
                        before if before == separator => cells[at] = None,
                        _ => {}
                    }
                }
                self.put(&mut object, at, cells[at].as_deref());
                cells.push(if i + 1 == chars.len() {
                    None
                } else {
                    Some(String::new())
                });
            } else if (c == '\n' || c == '\r') && outside {
                if before == separator && before.is_some() {
                    cells[at] = None;
                }
                self.put(&mut object, at, cells[at].as_deref());
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
        self.put(&mut object, at, cells[at].as_deref());
        let last = (!object.is_empty()).then(|| Value::Object(object));
        rows.extend(last.clone());
        Ok(Legacy { rows, last })
    }

    /// The name of a column, made up where there are none.
    fn name(&mut self, at: usize) -> Option<String> {
        if !self.is_named {
            if self.template.len() <= at {
                self.template.resize(at + 1, String::new());
            }
            self.template[at] = format!("col{}", at + 1);
        }
        let name = self.template.get(at).filter(|name| !name.is_empty());
        name.cloned()
    }

    fn put(&mut self, object: &mut Object, at: usize, text: Option<&str>) {
        if let Some(name) = self.name(at)
            && let Some(value) = self.cell(text)
        {
            object.insert(Key::from(name), value);
        }
    }

    fn read(&mut self, cx: &mut Cx<'_>, mut msg: Msg, text: &str) -> Result<(), NodeError> {
        let parts = msg.get("parts").cloned();
        let part = |key: &str| {
            parts
                .as_ref()
                .map_or(f64::NAN, |parts| parts.get(key).to_number())
        };
        let index = if parts.is_some() { part("index") } else { 0.0 };
        let last = part("index") + 1.0 >= part("count");
        let complete = part("index") + 1.0 == part("count");
        // (an index that is no number is behind nothing)
        let is_later = index > self.skip;
        let mut first = parts.is_none() || !is_later;
        let units: Vec<u16> = text.encode_utf16().collect();
        let is_break = |c: &&u16| matches!(**c, 10 | 13);
        let breaks = |from: usize| units[from..].iter().filter(is_break).count();
        let (rows, columns, kept, breaks) = if self.rfc {
            let Some(mut at) = self.skipped(&units, first, index) else {
                // (nobody is told that this is over)
                return Ok(());
            };
            let breaks = breaks(at);
            first |= parts.is_some() && self.many && breaks > 1;
            if first && self.takes_header {
                let how = Reading {
                    separator: &self.separator,
                    strict: true,
                    one_line: true,
                };
                let mut header = records(&units, at, &how).inspect_err(|_| {
                    cx.set_status("red", "dot", BAD_TEMPLATE);
                })?;
                at = header.end;
                let names = header.rows.drain(..).next().unwrap_or_default();
                let only_nothing = names == [None];
                self.template = names.into_iter().map(Option::unwrap_or_default).collect();
                if only_nothing {
                    // (one column without a name is not the same as no columns)
                    self.template.push(String::new());
                }
            }
            let (rows, names) = self.rfc_rows(&units, at)?;
            let columns = self.columns_text(&names, false);
            (rows.clone(), columns, rows, breaks)
        } else {
            let breaks = breaks(0);
            first |= parts.is_some() && self.many && breaks > 1;
            let read = self.legacy_rows(cx, text, first, index)?;
            let columns = self.columns_text(&self.template, false);
            (read.rows, columns, read.last.into_iter().collect(), breaks)
        };
        if self.many && parts.is_some() && breaks <= 1 {
            self.gather(cx, msg, kept, columns, complete);
        } else if self.many {
            msg.insert("columns", columns);
            msg.set_payload(rows);
            cx.send_done(msg);
        } else {
            self.send_rows(cx, msg, rows, columns, parts.is_some(), last);
        }
        Ok(())
    }

    /// Where the text begins behind the lines that are skipped; `None` when nothing is left. (Each of CR and LF counts.)
    fn skipped(&self, text: &[u16], first: bool, index: f64) -> Option<usize> {
        let (mut at, mut line) = (0, index);
        if !(self.skip > 0.0 && line < self.skip) {
            return Some(0);
        }
        while let Some(c) = text.get(at).filter(|_| first && line < self.skip) {
            line += f64::from(u8::from(matches!(c, 10 | 13)));
            at += 1;
        }
        (at < text.len()).then_some(at)
    }

    /// A line of a sequence: its rows wait for those of the last.
    fn gather(
        &mut self,
        cx: &mut Cx<'_>,
        mut msg: Msg,
        rows: Vec<Value>,
        columns: String,
        complete: bool,
    ) {
        self.stored.extend(rows);
        let completion = cx.completion(&msg);
        if complete {
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
                let less = self.skip + f64::from(u8::from(self.header_in));
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

/// `parseInt(skip || 0)`.
fn skip_of(given: &Value) -> f64 {
    if given.truthy() {
        number::parse_float(&given.to_js_string()).trunc()
    } else {
        0.0
    }
}

/// What the older reading takes from a text.
struct Legacy {
    rows: Vec<Value>,
    /// The row that no line break ended: what a line of a sequence is.
    last: Option<Value>,
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
                Err(NodeError::from_value(ErrorValue::new("Error", why).into()))
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
