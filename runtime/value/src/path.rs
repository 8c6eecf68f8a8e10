//! Property expressions, as Node-RED's `RED.util` has them: `payload.a[0]["b c"]`, `payload[msg.topic]`.

use crate::{Key, Object, Value};

/// One step of a path.
#[derive(Debug, Clone, PartialEq)]
pub enum PathSegment {
    /// A property's name.
    Key(Key),
    /// An array's index.
    Index(usize),
    /// A name or index that is read from the message (`[msg.topic]`).
    Nested(Path),
}

/// A parsed property expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    segments: Vec<PathSegment>,
}

/// Why an expression cannot be used, or a value cannot be reached. `code` is Node-RED's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathError {
    /// `INVALID_EXPR`, or empty for a step that cannot be taken.
    pub code: &'static str,
    /// Node-RED's text.
    pub message: String,
}

impl std::fmt::Display for PathError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PathError {}

fn invalid(message: impl Into<String>) -> PathError {
    PathError {
        code: "INVALID_EXPR",
        message: message.into(),
    }
}

impl Path {
    /// Parses an expression.
    ///
    /// # Errors
    /// The expression is malformed; code and text are Node-RED's.
    pub fn parse(text: &str) -> Result<Path, PathError> {
        if text.is_empty() {
            return Err(invalid("Invalid property expression: zero-length"));
        }
        let chars: Vec<char> = text.chars().collect();
        let mut parser = Parser {
            chars: &chars,
            segments: Vec::new(),
            start: 0,
        };
        parser.run()?;
        Ok(Path {
            segments: parser.segments,
        })
    }

    /// A path of a single name.
    pub fn key(name: &str) -> Path {
        Path {
            segments: vec![PathSegment::Key(Key::from(name))],
        }
    }

    /// The steps.
    pub fn segments(&self) -> &[PathSegment] {
        &self.segments
    }

    /// The name, when the path is a single one.
    pub fn as_single_key(&self) -> Option<&str> {
        match self.segments.as_slice() {
            [PathSegment::Key(key)] => Some(key.as_str()),
            _ => None,
        }
    }

    /// Reads from an object; `undefined` when the last step finds nothing.
    ///
    /// # Errors
    /// An earlier step finds `undefined` or `null`: JavaScript's TypeError.
    pub fn get(&self, root: &Value) -> Result<Value, PathError> {
        let mut at = root.clone();
        for (number, segment) in self.segments.iter().enumerate() {
            if at.is_nullish() && number > 0 {
                let what = at.to_js_string();
                let name = step_name(segment, root)?;
                return Err(PathError {
                    code: "",
                    message: format!("Cannot read properties of {what} (reading '{name}')"),
                });
            }
            at = match segment {
                PathSegment::Key(key) => at.get(key.as_str()),
                PathSegment::Index(index) => match &at {
                    Value::Array(items) => items.get(*index).cloned().unwrap_or(Value::Undefined),
                    other => other.get(&index.to_string()),
                },
                PathSegment::Nested(path) => {
                    let name = path.get(root)?;
                    if name.is_nullish() {
                        return Ok(Value::Undefined);
                    }
                    at.get(&name.to_js_string())
                }
            };
        }
        Ok(at)
    }

    /// A borrowed look at plain objects and arrays: `None` where [`Path::get`] has to be asked.
    pub fn get_ref<'v>(&self, root: &'v Object) -> Option<&'v Value> {
        let (first, rest) = self.segments.split_first()?;
        let PathSegment::Key(first) = first else {
            return None;
        };
        let mut at = root.get(first.as_str())?;
        for segment in rest {
            at = match (segment, at) {
                (PathSegment::Key(key), Value::Object(object)) => object.get(key.as_str())?,
                (PathSegment::Index(index), Value::Array(items)) => items.get(*index)?,
                _ => return None,
            };
        }
        Some(at)
    }

    /// Sets a value. `undefined` deletes the property; with `create` missing objects and arrays on the way are made.
    /// False when the way is not there.
    ///
    /// # Errors
    /// A step goes through what is neither object nor array.
    pub fn set(&self, root: &mut Object, value: Value, create: bool) -> Result<bool, PathError> {
        let steps = self.resolved(root)?;
        let create = create && !value.is_undefined();
        set_at_object(root, &steps, value, create)
    }

    /// Removes a property (or an array's element).
    ///
    /// # Errors
    /// As [`Path::set`].
    pub fn delete(&self, root: &mut Object) -> Result<bool, PathError> {
        self.set(root, Value::Undefined, false)
    }

    /// The path with the steps that are read from the message read.
    ///
    /// # Errors
    /// As [`Path::get`].
    pub fn resolve(&self, root: &Object) -> Result<Path, PathError> {
        let steps = self.resolved(root)?.into_iter().map(|step| match step {
            Step::Key(key) => PathSegment::Key(key),
            Step::Index(index) => PathSegment::Index(index),
        });
        Ok(Path {
            segments: steps.collect(),
        })
    }

    /// The steps with those that are read from the message read.
    fn resolved(&self, root: &Object) -> Result<Vec<Step>, PathError> {
        let whole = || Value::Object(root.clone());
        let step = |segment: &PathSegment| {
            Ok(match segment {
                PathSegment::Key(key) => Step::Key(key.clone()),
                PathSegment::Index(index) => Step::Index(*index),
                PathSegment::Nested(path) => match path.get(&whole())? {
                    Value::Number(n) if n >= 0.0 && n.fract() == 0.0 => Step::Index(n as usize),
                    other => Step::Key(Key::from(other.to_js_string())),
                },
            })
        };
        self.segments.iter().map(step).collect()
    }
}

fn step_name(segment: &PathSegment, root: &Value) -> Result<String, PathError> {
    Ok(match segment {
        PathSegment::Key(key) => key.as_str().to_owned(),
        PathSegment::Index(index) => index.to_string(),
        PathSegment::Nested(path) => path.get(root)?.to_js_string(),
    })
}

enum Step {
    Key(Key),
    Index(usize),
}

impl Step {
    fn name(&self) -> String {
        match self {
            Step::Key(key) => key.as_str().to_owned(),
            Step::Index(index) => index.to_string(),
        }
    }
}

fn cannot(step: &Step, on: &Value) -> PathError {
    PathError {
        code: "",
        message: format!("Cannot set property '{}' of {}", step.name(), on.type_of()),
    }
}

fn set_at_object(
    object: &mut Object,
    steps: &[Step],
    value: Value,
    create: bool,
) -> Result<bool, PathError> {
    let Some((step, rest)) = steps.split_first() else {
        return Ok(false);
    };
    let name = step.name();
    if rest.is_empty() {
        if value.is_undefined() {
            object.remove(&name);
        } else {
            object.insert(name, value);
        }
        return Ok(true);
    }
    if !prepare(object.get(&name), &rest[0], create)? {
        return Ok(false);
    }
    if !object.contains_key(&name) || object.get(&name).is_some_and(Value::is_nullish) {
        object.insert(name.as_str(), container(&rest[0]));
    }
    match object.get_mut(&name) {
        Some(inner) => set_at(inner, rest, value, create),
        None => Ok(false),
    }
}

/// False: the way ends here, and nothing is to be made.
fn prepare(found: Option<&Value>, _next: &Step, create: bool) -> Result<bool, PathError> {
    Ok(match found {
        None => create,
        Some(value) if value.is_nullish() => create,
        Some(_) => true,
    })
}

fn container(next: &Step) -> Value {
    match next {
        Step::Key(_) => Value::Object(Object::new()),
        Step::Index(_) => Value::from(Vec::<Value>::new()),
    }
}

fn set_at(at: &mut Value, steps: &[Step], value: Value, create: bool) -> Result<bool, PathError> {
    let Some((step, rest)) = steps.split_first() else {
        return Ok(false);
    };
    match at {
        Value::Object(object) => set_at_object(object, steps, value, create),
        Value::Array(items) => {
            let index = match step {
                Step::Index(index) => *index,
                Step::Key(key) => match key.index() {
                    Some(index) => index as usize,
                    None => return Ok(false),
                },
            };
            if index > 10_000_000 {
                return Err(cannot(step, at));
            }
            let items = items.make_mut();
            if rest.is_empty() {
                if value.is_undefined() {
                    if index < items.len() {
                        items.remove(index);
                    }
                } else {
                    if index >= items.len() {
                        items.resize(index + 1, Value::Undefined);
                    }
                    items[index] = value;
                }
                return Ok(true);
            }
            if !prepare(items.get(index), &rest[0], create)? {
                return Ok(false);
            }
            if index >= items.len() {
                items.resize(index + 1, Value::Undefined);
            }
            if items[index].is_nullish() {
                items[index] = container(&rest[0]);
            }
            set_at(&mut items[index], rest, value, create)
        }
        Value::Buffer(bytes) if rest.is_empty() => {
            let index = match step {
                Step::Index(index) => *index,
                Step::Key(_) => return Ok(false),
            };
            if let Some(byte) = bytes.make_mut().get_mut(index) {
                *byte = crate::number::to_int32(value.to_number()) as u8;
            }
            Ok(true)
        }
        other => Err(cannot(step, other)),
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (number, segment) in self.segments.iter().enumerate() {
            match segment {
                PathSegment::Key(key) => {
                    let text = key.as_str();
                    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
                    if text.chars().all(plain) && !text.starts_with(|c: char| c.is_ascii_digit()) {
                        write!(f, "{}{text}", if number > 0 { "." } else { "" })?;
                    } else {
                        write!(
                            f,
                            "[\"{}\"]",
                            text.replace('\\', "\\\\").replace('"', "\\\"")
                        )?;
                    }
                }
                PathSegment::Index(index) => write!(f, "[{index}]")?,
                PathSegment::Nested(path) => write!(f, "[msg.{path}]")?,
            }
        }
        Ok(())
    }
}

struct Parser<'c> {
    chars: &'c [char],
    segments: Vec<PathSegment>,
    start: usize,
}

impl Parser<'_> {
    fn slice(&self, from: usize, to: usize) -> String {
        self.chars[from..to].iter().collect()
    }

    fn at_end(&self, i: usize) -> bool {
        i + 1 >= self.chars.len()
    }

    /// Walks the expression as `normalisePropertyExpression` does, with its messages.
    fn run(&mut self) -> Result<(), PathError> {
        let length = self.chars.len();
        let (mut in_string, mut in_box, mut quote) = (false, false, ' ');
        let mut i = 0;
        while i < length {
            let c = self.chars[i];
            if in_string {
                if c == quote {
                    if i == self.start {
                        return Err(invalid(format!(
                            "Invalid property expression: zero-length string at position {}",
                            self.start
                        )));
                    }
                    let key = self.slice(self.start, i);
                    self.segments.push(PathSegment::Key(Key::from(key)));
                    if in_box && self.chars.get(i + 1) != Some(&']') {
                        return Err(invalid(format!(
                            "Invalid property expression: unexpected array expression at position {}",
                            self.start
                        )));
                    }
                    if !in_box && !self.at_end(i) && !matches!(self.chars[i + 1], '[' | '.') {
                        return Err(invalid(format!(
                            "Invalid property expression: unexpected {} expression at position {}",
                            self.chars[i + 1],
                            i + 1
                        )));
                    }
                    self.start = i + 1;
                    in_string = false;
                }
                i += 1;
                continue;
            }
            match c {
                '\'' | '"' => {
                    if i != self.start {
                        return Err(invalid(format!(
                            "Invalid property expression: unexpected {c} at position {i}"
                        )));
                    }
                    in_string = true;
                    quote = c;
                    self.start = i + 1;
                }
                '.' => {
                    if i == 0 {
                        return Err(invalid(
                            "Invalid property expression: unexpected . at position 0",
                        ));
                    }
                    if self.start != i {
                        let part = self.slice(self.start, i);
                        self.segments.push(part_of(&part, in_box));
                    }
                    if self.at_end(i) {
                        return Err(invalid(
                            "Invalid property expression: unterminated expression",
                        ));
                    }
                    if !(self.chars[i + 1].is_ascii_alphanumeric()
                        || matches!(self.chars[i + 1], '$' | '_'))
                        && !is_letter(self.chars[i + 1])
                    {
                        return Err(invalid(format!(
                            "Invalid property expression: unexpected {} at position {}",
                            self.chars[i + 1],
                            i + 1
                        )));
                    }
                    self.start = i + 1;
                }
                '[' => {
                    if i == 0 {
                        return Err(invalid(
                            "Invalid property expression: unexpected [ at position 0",
                        ));
                    }
                    if self.start != i {
                        let part = self.slice(self.start, i);
                        self.segments.push(part_of(&part, false));
                    }
                    if self.at_end(i) {
                        return Err(invalid(
                            "Invalid property expression: unterminated expression",
                        ));
                    }
                    let rest = self.slice(i + 1, length);
                    if rest.starts_with("msg.") || rest.starts_with("msg[") {
                        let (inner, after) = self.nested(i)?;
                        self.segments.push(PathSegment::Nested(inner));
                        i = after;
                        self.start = i;
                        if i < length && !matches!(self.chars[i], '.' | '[') {
                            return Err(invalid(format!(
                                "Invalid property expression: unexpected {} at position {i}",
                                self.chars[i]
                            )));
                        }
                        continue;
                    }
                    if !(self.chars[i + 1].is_ascii_digit()
                        || matches!(self.chars[i + 1], '"' | '\''))
                    {
                        return Err(invalid(format!(
                            "Invalid property expression: unexpected {} at position {}",
                            self.chars[i + 1],
                            i + 1
                        )));
                    }
                    self.start = i + 1;
                    in_box = true;
                }
                ']' => {
                    if !in_box {
                        return Err(invalid(format!(
                            "Invalid property expression: unexpected {c} at position {i}"
                        )));
                    }
                    if self.start != i {
                        let part = self.slice(self.start, i);
                        match part.parse() {
                            Ok(index) if part.bytes().all(|b| b.is_ascii_digit()) => {
                                self.segments.push(PathSegment::Index(index))
                            }
                            _ => {
                                return Err(invalid(format!(
                                    "Invalid property expression: unexpected array expression at position {}",
                                    self.start
                                )));
                            }
                        }
                    }
                    self.start = i + 1;
                    in_box = false;
                    if !self.at_end(i) && !matches!(self.chars[i + 1], '.' | '[') {
                        return Err(invalid(format!(
                            "Invalid property expression: unexpected {} at position {}",
                            self.chars[i + 1],
                            i + 1
                        )));
                    }
                }
                ' ' => {
                    return Err(invalid(format!(
                        "Invalid property expression: unexpected ' ' at position {i}"
                    )));
                }
                _ => {}
            }
            i += 1;
        }
        if in_box || in_string {
            return Err(invalid(
                "Invalid property expression: unterminated expression",
            ));
        }
        if self.start < length {
            let part = self.slice(self.start, length);
            self.segments.push(part_of(&part, false));
        }
        Ok(())
    }

    /// `[msg.…]` beginning at the bracket: the inner path, and where it goes on after the closing bracket.
    fn nested(&self, bracket: usize) -> Result<(Path, usize), PathError> {
        let mut depth = 0;
        let mut quote = None;
        for i in bracket..self.chars.len() {
            match (quote, self.chars[i]) {
                (Some(q), c) if c == q => quote = None,
                (Some(_), _) => {}
                (None, c @ ('"' | '\'')) => quote = Some(c),
                (None, '[') => depth += 1,
                (None, ']') => {
                    depth -= 1;
                    if depth == 0 {
                        let inner = self.slice(bracket + 1, i);
                        let inner = inner.strip_prefix("msg").unwrap_or(&inner);
                        // "msg.topic" and "msg['x']" alike: a path that begins within the message
                        let path = match inner.strip_prefix('.') {
                            Some(rest) => Path::parse(rest)?,
                            None => {
                                let whole = Path::parse(&format!("msg{inner}"))?;
                                Path {
                                    segments: whole.segments[1..].to_vec(),
                                }
                            }
                        };
                        return Ok((path, i + 1));
                    }
                }
                _ => {}
            }
        }
        Err(invalid(
            "Invalid property expression: unterminated expression",
        ))
    }
}

fn is_letter(c: char) -> bool {
    !c.is_ascii() && c.is_alphanumeric()
}

fn part_of(part: &str, _in_box: bool) -> PathSegment {
    PathSegment::Key(Key::from(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn obj(text: &str) -> Object {
        crate::json::parse(text)
            .expect("JSON")
            .as_object()
            .expect("an object")
            .clone()
    }

    #[test]
    fn expressions_parse() {
        for (text, count) in [
            ("a", 1),
            ("a.b", 2),
            ("a[0]", 2),
            ("a[0].b", 3),
            ("a['b'][\"c d\"]", 3),
            ("a.$b._c", 3),
            ("a[msg.topic]", 2),
            ("a[msg.b[\"c\"]].d", 3),
            ("a.0", 2),
        ] {
            assert_eq!(
                Path::parse(text).expect(text).segments().len(),
                count,
                "{text}"
            );
        }
        for text in [
            "", "a.", ".a", "[0]", "a[", "a[0", "a..b", "a b", "a['b", "a[b]", "a''", "a[0]b",
            "a['']",
        ] {
            assert_eq!(
                Path::parse(text).map_err(|e| e.code),
                Err("INVALID_EXPR"),
                "{text}"
            );
        }
    }

    #[test]
    fn values_are_read_and_set() {
        let mut root = obj(r#"{"a":{"b":[1,{"c":2}]},"k":"b"}"#);
        let read = |root: &Object, text: &str| {
            Path::parse(text)
                .expect(text)
                .get(&Value::Object(root.clone()))
        };
        assert_eq!(read(&root, "a.b[1].c"), Ok(Value::from(2)));
        assert_eq!(read(&root, "a[msg.k][0]"), Ok(Value::from(1)));
        assert_eq!(read(&root, "a.x"), Ok(Value::Undefined));
        assert!(read(&root, "a.x.y").is_err());
        let set = |root: &mut Object, text: &str, value: Value, create| {
            Path::parse(text).expect(text).set(root, value, create)
        };
        assert_eq!(set(&mut root, "n.m[1].o", Value::from(5), true), Ok(true));
        assert_eq!(read(&root, "n.m[1].o"), Ok(Value::from(5)));
        assert_eq!(set(&mut root, "q.r", Value::from(5), false), Ok(false));
        assert_eq!(set(&mut root, "a.b[0]", Value::Undefined, false), Ok(true));
        assert_eq!(read(&root, "a.b[0].c"), Ok(Value::from(2)));
        assert!(set(&mut root, "k.x", Value::from(1), true).is_err());
    }
}
