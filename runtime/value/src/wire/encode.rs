//! Writes values, without recursion.

use super::{LISTS, NAMES, tag};
use crate::object::Iter;
use crate::shape::Shape;
use crate::{ErrorValue, Object, PathSegment, Rare, Value};
use std::slice;

/// Appends a value.
pub fn encode(value: &Value, out: &mut Vec<u8>) {
    let mut writer = Writer {
        out,
        frames: Vec::new(),
        lists: Vec::new(),
    };
    writer.value(value);
    while let Some(frame) = writer.frames.last_mut() {
        match frame.next() {
            Some(value) => writer.value(value),
            None => drop(writer.frames.pop()),
        }
    }
}

enum Frame<'v> {
    List(slice::Iter<'v, Value>),
    Object(Iter<'v>),
    Pairs(slice::Iter<'v, (Value, Value)>, Option<&'v Value>),
}

impl<'v> Frame<'v> {
    fn next(&mut self) -> Option<&'v Value> {
        match self {
            Frame::List(items) => items.next(),
            Frame::Object(items) => items.next().map(|(_, value)| value),
            Frame::Pairs(items, rest) => rest.take().or_else(|| {
                let (key, value) = items.next()?;
                *rest = Some(value);
                Some(key)
            }),
        }
    }
}

struct Writer<'o, 'v> {
    out: &'o mut Vec<u8>,
    frames: Vec<Frame<'v>>,
    /// The lists of names met so far. `None`: of an object that has no shape, to which nothing will refer.
    lists: Vec<Option<&'static Shape>>,
}

impl<'v> Writer<'_, 'v> {
    fn length(&mut self, n: usize) {
        self.leb(n as u64);
    }

    fn leb(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.out.push(n as u8 | 0x80);
            n >>= 7;
        }
        self.out.push(n as u8);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.out.extend_from_slice(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn tagged(&mut self, tag: u8, bytes: &[u8]) {
        self.out.push(tag);
        self.bytes(bytes);
    }

    fn list(&mut self, tag: u8, count: usize, frame: Frame<'v>) {
        self.out.push(tag);
        self.length(count);
        self.frames.push(frame);
    }

    /// Writes a value, of what holds others the beginning.
    fn value(&mut self, value: &'v Value) {
        match value {
            Value::Undefined => self.out.push(tag::UNDEFINED),
            Value::Null => self.out.push(tag::NULL),
            Value::Bool(b) => self.out.push(if *b { tag::TRUE } else { tag::FALSE }),
            Value::Number(n) => self.number(*n),
            Value::Str(text) => self.tagged(tag::TEXT, text.as_bytes()),
            Value::Buffer(bytes) => self.tagged(tag::BUFFER, bytes),
            Value::Date(ms) => {
                self.out.push(tag::DATE);
                self.out.extend_from_slice(&ms.to_le_bytes());
            }
            Value::Array(items) => self.list(tag::ARRAY, items.len(), Frame::List(items.iter())),
            Value::Object(object) => {
                self.out.push(tag::OBJECT);
                self.object(object);
            }
            Value::Handle(handle) => {
                self.out.push(tag::HANDLE);
                self.text(handle.kind());
                self.text(handle.id());
            }
            Value::Rare(rare) => self.rare(rare),
        }
    }

    fn number(&mut self, n: f64) {
        let whole = n as i32;
        // (not -0, which is no whole number that could be told from 0)
        if f64::from(whole).to_bits() == n.to_bits() {
            self.out.push(tag::WHOLE);
            let whole = i64::from(whole);
            self.leb(((whole << 1) ^ (whole >> 63)) as u64);
        } else {
            self.out.push(tag::NUMBER);
            self.out.extend_from_slice(&n.to_le_bytes());
        }
    }

    fn object(&mut self, object: &'v Object) {
        let shape = object.shape();
        let is = |known: &Option<&'static Shape>| {
            known
                .zip(shape)
                .is_some_and(|(known, shape)| std::ptr::eq(known, shape))
        };
        match self.lists.iter().position(is) {
            Some(list) => self.length(list + 1),
            None => {
                self.out.push(0);
                self.length(object.len());
                object.keys().for_each(|key| self.text(key.as_str()));
                if self.lists.len() < LISTS && object.len() <= NAMES {
                    self.lists.push(shape);
                }
            }
        }
        self.frames.push(Frame::Object(object.iter()));
    }

    fn rare(&mut self, rare: &'v Rare) {
        match rare {
            Rare::BigInt(digits) => self.tagged(tag::BIGINT, digits.as_bytes()),
            Rare::RegExp { source, flags } => {
                self.tagged(tag::REGEXP, source.as_bytes());
                self.text(flags);
            }
            Rare::Map(pairs) => self.list(tag::MAP, pairs.len(), Frame::Pairs(pairs.iter(), None)),
            Rare::Set(values) => self.list(tag::SET, values.len(), Frame::List(values.iter())),
            Rare::Error(error) => self.error(error),
            Rare::Circular(path) => self.circular(path),
        }
    }

    fn error(&mut self, error: &'v ErrorValue) {
        self.tagged(tag::ERROR, error.name.as_bytes());
        self.text(&error.message);
        self.text(&error.stack);
        self.object(&error.properties);
    }

    fn circular(&mut self, path: &[PathSegment]) {
        self.out.push(tag::CIRCULAR);
        self.length(path.len());
        for segment in path {
            match segment {
                PathSegment::Key(key) => self.tagged(0, key.as_str().as_bytes()),
                PathSegment::Nested(path) => self.tagged(0, path.to_string().as_bytes()),
                PathSegment::Index(index) => {
                    self.out.push(1);
                    self.length(*index);
                }
            }
        }
    }
}
