//! Sequences and mappings of a YAML text, in both styles, and merge keys.

use super::yaml_reader::{Fault, Place, Reader, is, is_gap, is_space};
use super::yaml_types::{Kind, MERGE};
use std::collections::HashSet;
use vgdc_core::value::{Object, Value};

/// How many properties merge keys may bring in all.
const MOST_MERGED: usize = 10_000;
/// How many mappings one merge key may name.
const MOST_SOURCES: usize = 100;

/// The place of a key, for keys that come twice.
#[derive(Clone, Copy, Default)]
struct KeyPlace {
    line: usize,
    line_start: usize,
    position: usize,
}

/// A mapping as it grows.
#[derive(Default)]
struct Pairs {
    object: Object,
    /// Names that a merge key has brought: they may come again.
    merged: HashSet<String>,
}

impl Reader {
    pub(super) fn flow_collection(&mut self, indent: i64) -> Result<bool, Fault> {
        let mapping = match self.here() {
            c if is(c, '[') => false,
            c if is(c, '{') => true,
            _ => return Ok(false),
        };
        let end = if mapping { '}' } else { ']' };
        let (tag, anchor) = (self.tag.take(), self.anchor.clone());
        self.name(Value::Undefined);
        let (mut items, mut pairs) = (Vec::new(), Pairs::default());
        let mut comma = true;
        let mut c = self.step();
        while c != 0 {
            self.skip(true)?;
            c = self.here();
            if is(c, end) {
                self.position += 1;
                let (kind, result) = match mapping {
                    true => (Kind::Mapping, Value::Object(pairs.object)),
                    false => (Kind::Sequence, Value::from(items)),
                };
                self.end(tag, anchor, kind, result);
                return Ok(true);
            }
            if !comma {
                return Err(self.fault("missed comma between flow collection entries"));
            }
            if is(c, ',') {
                return Err(self.fault("expected the node content, but found ','"));
            }
            let explicit = is(c, '?') && is_gap(self.next());
            if explicit {
                self.position += 1;
                self.skip(true)?;
            }
            let place = self.key_place();
            self.node(indent, Place::FlowIn, false, true)?;
            let (key_tag, key) = (self.tag.take(), std::mem::take(&mut self.result));
            self.skip(true)?;
            let mut value = None;
            if (explicit || self.line == place.line) && is(self.here(), ':') {
                self.position += 1;
                self.skip(true)?;
                self.node(indent, Place::FlowIn, false, true)?;
                value = Some(std::mem::take(&mut self.result));
            }
            let is_pair = explicit || value.is_some();
            let value = value.unwrap_or(Value::Null);
            if mapping {
                self.pair(&mut pairs, key_tag.as_deref(), key, value, place)?;
            } else if is_pair {
                pairs.object = Object::new();
                self.pair(&mut pairs, key_tag.as_deref(), key, value, place)?;
                items.push(Value::Object(std::mem::take(&mut pairs.object)));
            } else {
                items.push(key);
            }
            self.skip(true)?;
            c = self.here();
            comma = is(c, ',');
            if comma {
                c = self.step();
            }
        }
        Err(self.fault("unexpected end of the stream within a flow collection"))
    }

    fn key_place(&self) -> KeyPlace {
        KeyPlace {
            line: self.line,
            line_start: self.line_start,
            position: self.position,
        }
    }

    fn no_tab(&mut self) -> Result<(), Fault> {
        match self.first_tab {
            None => Ok(()),
            Some(tab) => {
                self.position = tab;
                Err(self.fault("tab characters must not be used in indentation"))
            }
        }
    }

    pub(super) fn block_sequence(&mut self, indent: i64) -> Result<bool, Fault> {
        // (what stands behind a tab is no block)
        if self.first_tab.is_some() {
            return Ok(false);
        }
        let (tag, anchor) = (self.tag.clone(), self.anchor.clone());
        self.name(Value::Undefined);
        let (mut items, mut detected) = (Vec::new(), false);
        while self.here() != 0 {
            self.no_tab()?;
            if !is(self.here(), '-') || !is_gap(self.next()) {
                break;
            }
            detected = true;
            self.position += 1;
            if self.skip(true)? > 0 && self.line_indent <= indent {
                items.push(Value::Null);
                continue;
            }
            let line = self.line;
            self.node(indent, Place::BlockIn, false, true)?;
            items.push(std::mem::take(&mut self.result));
            self.skip(true)?;
            if (self.line == line || self.line_indent > indent) && self.here() != 0 {
                return Err(self.fault("bad indentation of a sequence entry"));
            } else if self.line_indent < indent {
                break;
            }
        }
        if detected {
            self.end(tag, anchor, Kind::Sequence, Value::from(items));
        }
        Ok(detected)
    }

    pub(super) fn block_mapping(&mut self, indent: i64, flow_indent: i64) -> Result<bool, Fault> {
        if self.first_tab.is_some() {
            return Ok(false);
        }
        let (tag, anchor) = (self.tag.clone(), self.anchor.clone());
        self.name(Value::Undefined);
        let mut pairs = Pairs::default();
        let (mut at_key, mut detected) = (false, false);
        let (mut key_tag, mut key, mut value) = (None, Value::Null, Value::Null);
        let mut place = KeyPlace::default();
        while self.here() != 0 {
            if !at_key {
                self.no_tab()?;
            }
            let (c, following) = (self.here(), self.next());
            let line = self.line;
            let compact;
            if (is(c, '?') || is(c, ':')) && is_gap(following) {
                if is(c, '?') {
                    if at_key {
                        let key = std::mem::take(&mut key);
                        self.pair(&mut pairs, key_tag.as_deref(), key, Value::Null, place)?;
                        (key_tag, value) = (None, Value::Null);
                    }
                    (detected, at_key) = (true, true);
                } else if at_key {
                    at_key = false;
                } else {
                    return Err(self.fault(
                        "incomplete explicit mapping pair; a key node is missed; or followed by a non-tabulated empty line",
                    ));
                }
                compact = true;
                self.position += 1;
            } else {
                place = self.key_place();
                if !self.node(flow_indent, Place::FlowOut, false, true)? {
                    break;
                }
                let mut separated = false;
                if self.line == line {
                    separated = is(self.step_while(is_space), ':');
                }
                if !separated {
                    if detected {
                        let why = match self.line == line {
                            true => "can not read an implicit mapping pair; a colon is missed",
                            false => {
                                "can not read a block mapping entry; a multiline key may not be an implicit key"
                            }
                        };
                        return Err(self.fault(why));
                    }
                    // (it was no mapping: what has been read stays)
                    (self.tag, self.anchor) = (tag, anchor);
                    return Ok(true);
                }
                if !is_gap(self.step()) {
                    return Err(self.fault(
                        "a whitespace character is expected after the key-value separator within a block mapping",
                    ));
                }
                let found = (self.tag.take(), std::mem::take(&mut self.result));
                if at_key {
                    let key = std::mem::take(&mut key);
                    self.pair(&mut pairs, key_tag.as_deref(), key, Value::Null, place)?;
                    value = Value::Null;
                }
                (detected, at_key, compact) = (true, false, false);
                (key_tag, key) = found;
            }
            if self.line == line || self.line_indent > indent {
                if at_key {
                    place = self.key_place();
                }
                if self.node(indent, Place::BlockOut, true, compact)? {
                    let found = std::mem::take(&mut self.result);
                    *(if at_key { &mut key } else { &mut value }) = found;
                }
                if !at_key {
                    let (key, value) = (std::mem::take(&mut key), std::mem::take(&mut value));
                    self.pair(&mut pairs, key_tag.as_deref(), key, value, place)?;
                    key_tag = None;
                }
                (key, value) = match at_key {
                    true => (key, value),
                    false => (Value::Null, Value::Null),
                };
                self.skip(true)?;
            }
            if (self.line == line || self.line_indent > indent) && self.here() != 0 {
                return Err(self.fault("bad indentation of a mapping entry"));
            } else if self.line_indent < indent {
                break;
            }
        }
        if at_key {
            self.pair(&mut pairs, key_tag.as_deref(), key, Value::Null, place)?;
        }
        if detected {
            self.end(tag, anchor, Kind::Mapping, Value::Object(pairs.object));
        }
        Ok(detected)
    }

    /// Puts a pair into a mapping.
    fn pair(
        &mut self,
        pairs: &mut Pairs,
        key_tag: Option<&str>,
        key: Value,
        value: Value,
        place: KeyPlace,
    ) -> Result<(), Fault> {
        let name = match &key {
            Value::Array(items) if items.iter().any(|item| item.as_array().is_some()) => {
                return Err(self.fault("nested arrays are not supported inside keys"));
            }
            // (binary data is a list of numbers here)
            Value::Buffer(bytes) => {
                let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
                numbers.join(",")
            }
            Value::Undefined => "null".to_owned(),
            key => key.to_js_string(),
        };
        if key_tag != Some(MERGE) {
            if !pairs.merged.contains(&name) && pairs.object.contains_key(&name) {
                // (a place of 0 counts as none)
                let or = |place: usize, other: usize| if place == 0 { other } else { place };
                self.line = or(place.line, self.line);
                self.line_start = or(place.line_start, self.line_start);
                self.position = or(place.position, self.position);
                return Err(self.fault("duplicated mapping key"));
            }
            pairs.merged.remove(&name);
            pairs.object.insert(name, value);
            return Ok(());
        }
        match &value {
            Value::Array(sources) => {
                if sources.len() > MOST_SOURCES {
                    return Err(self.fault("abnormal merge sequence size"));
                }
                sources
                    .iter()
                    .try_for_each(|source| self.merge(pairs, source))
            }
            source => self.merge(pairs, source),
        }
    }

    fn merge(&mut self, pairs: &mut Pairs, source: &Value) -> Result<(), Fault> {
        let entries: Vec<(String, Value)> = match source {
            Value::Object(object) => {
                let pair = |(key, value): (&vgdc_core::value::Key, &Value)| {
                    (key.to_string(), value.clone())
                };
                object.iter().map(pair).collect()
            }
            Value::Array(items) => {
                let numbered = items.iter().cloned().enumerate();
                numbered.map(|(n, value)| (n.to_string(), value)).collect()
            }
            Value::Buffer(bytes) => {
                let numbered = bytes.iter().enumerate();
                numbered
                    .map(|(n, byte)| (n.to_string(), Value::from(*byte)))
                    .collect()
            }
            Value::Date(_) => Vec::new(),
            _ => {
                return Err(
                    self.fault("cannot merge mappings; the provided source object is unacceptable")
                );
            }
        };
        self.count_merged()?;
        for (name, value) in entries {
            self.count_merged()?;
            if !pairs.object.contains_key(&name) {
                pairs.object.insert(name.as_str(), value);
                pairs.merged.insert(name);
            }
        }
        Ok(())
    }

    fn count_merged(&mut self) -> Result<(), Fault> {
        self.merged += 1;
        if self.merged > MOST_MERGED {
            let why = format!("merge keys exceeded maxTotalMergeKeys ({MOST_MERGED})");
            return Err(self.fault(&why));
        }
        Ok(())
    }
}
