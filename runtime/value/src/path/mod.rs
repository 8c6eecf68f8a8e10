//! Property expressions, as Node-RED's `RED.util` has them: `payload.a[0]["b c"]`, `payload[msg.topic]`.
//!
//! What differs: names that JavaScript finds on prototypes (`payload.constructor`) are not there; an array is not made
//! longer than [`MAX_ARRAY_LEN`] elements; a property cannot be added to what cannot keep one here (dates, regular
//! expressions, maps, sets, buffers, handles, names on arrays), which is an error, where JavaScript keeps it.

mod parse;
mod set;

use crate::{Key, Object, Value};
use std::borrow::Cow;

/// The longest array that setting an element makes. (JavaScript makes a sparse one; here all elements take room.)
pub const MAX_ARRAY_LEN: usize = 10_000_000;

/// One step of a path.
#[derive(Debug, Clone, PartialEq)]
pub enum PathSegment {
    /// A property's name.
    Key(Key),
    /// An array's index.
    Index(usize),
    /// A name or index that is read from the message: of `[msg.topic]` the path `msg`, `topic`.
    Nested(Path),
}

/// A parsed property expression.
#[derive(Debug, Clone)]
pub struct Path {
    segments: Box<[PathSegment]>,
    /// The steps, when they do not depend on the message.
    steps: Option<Box<[Step]>>,
    nested: Option<Box<Nested>>,
}

/// About a path within another.
#[derive(Debug, Clone)]
struct Nested {
    /// Where it begins there, in UTF-16 units.
    position: usize,
    /// Where it leads in the message, when that is without its first step. (An expression that begins with `msg.` is read
    /// from the message; of one that begins with `msg[`, Node-RED looks for a property `msg` of the message.)
    tail: Option<Path>,
}

/// A step with what it depends on known.
#[derive(Debug, Clone)]
enum Step {
    Key(Key),
    Index(usize),
    /// Read from the message, and neither text nor number.
    Odd(Key),
}

/// Why an expression cannot be used, or a value cannot be reached. `code` is Node-RED's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathError {
    /// `INVALID_EXPR`, or empty for a step that cannot be taken.
    pub code: &'static str,
    /// Node-RED's text.
    pub message: String,
}

impl PathError {
    fn invalid(message: String) -> PathError {
        PathError {
            code: "INVALID_EXPR",
            message,
        }
    }

    /// Whatever is wrong with a nested expression, Node-RED says this.
    fn started(position: usize) -> PathError {
        PathError::invalid(format!("Invalid expression started at position {position}"))
    }

    /// A TypeError of JavaScript.
    fn step(message: String) -> PathError {
        PathError { code: "", message }
    }
}

impl std::fmt::Display for PathError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PathError {}

/// Two paths are equal when they lead through the same steps.
impl PartialEq for Path {
    fn eq(&self, other: &Path) -> bool {
        self.segments == other.segments
    }
}

impl Step {
    fn key(&self) -> Cow<'_, str> {
        match self {
            Step::Key(key) | Step::Odd(key) => Cow::Borrowed(key.as_str()),
            Step::Index(index) => Cow::Owned(index.to_string()),
        }
    }

    fn read(&self, from: &Value) -> Value {
        match (self, from) {
            (Step::Key(key), Value::Object(object)) => {
                object.get_key(key).cloned().unwrap_or_default()
            }
            (Step::Index(index), Value::Array(items)) => {
                items.get(*index).cloned().unwrap_or_default()
            }
            _ => from.get(&self.key()),
        }
    }
}

impl Path {
    /// Parses an expression.
    ///
    /// # Errors
    /// The expression is malformed; code and text are Node-RED's. (Expressions nested more than 64 deep are refused.)
    pub fn parse(text: &str) -> Result<Path, PathError> {
        parse::parse(text, 0)
    }

    fn new(segments: Vec<PathSegment>) -> Path {
        Path {
            steps: parse::plain_steps(&segments),
            segments: segments.into(),
            nested: None,
        }
    }

    /// As a part of another path, in which it begins there.
    fn nested_at(mut self, position: usize, from_message: bool) -> Path {
        let tail = if from_message {
            self.segments.get(1..).map(|tail| Path::new(tail.to_vec()))
        } else {
            None
        };
        self.nested = Some(Box::new(Nested { position, tail }));
        self
    }

    /// A path of a single name, whatever characters it has.
    pub fn key(name: &str) -> Path {
        Path::new(vec![PathSegment::Key(Key::from(name))])
    }

    /// The steps.
    pub fn segments(&self) -> &[PathSegment] {
        &self.segments
    }

    /// The name, when the path is a single one.
    pub fn as_single_key(&self) -> Option<&str> {
        match &*self.segments {
            [PathSegment::Key(key)] => Some(key.as_str()),
            _ => None,
        }
    }

    /// Reads from a message, as `getObjectProperty`; `undefined` when the last step finds nothing.
    ///
    /// # Errors
    /// An earlier step finds `undefined` or `null`: JavaScript's TypeError. A nested expression finds nothing.
    pub fn get(&self, root: &Value) -> Result<Value, PathError> {
        match root {
            Value::Object(object) => self.get_in(object),
            other => self.walk(other),
        }
    }

    /// The same for an object, such as a message: what is there to be looked at is not copied first.
    ///
    /// # Errors
    /// As [`Path::get`].
    pub fn get_in(&self, root: &Object) -> Result<Value, PathError> {
        match self.get_ref(root) {
            Some(found) => Ok(found.clone()),
            None => self.walk(&Value::Object(root.clone())),
        }
    }

    fn walk(&self, root: &Value) -> Result<Value, PathError> {
        let steps = self.steps_in(&mut |path| path.get(root))?;
        read(root, &steps)
    }

    /// A borrowed look at plain objects and arrays: `None` where [`Path::get`] has to be asked.
    #[inline]
    pub fn get_ref<'v>(&self, root: &'v Object) -> Option<&'v Value> {
        let (first, rest) = self.steps.as_deref()?.split_first()?;
        let Step::Key(first) = first else { return None };
        let mut at = root.get_key(first)?;
        for step in rest {
            at = match (step, at) {
                (Step::Key(key), Value::Object(object)) => object.get_key(key)?,
                (Step::Index(index), Value::Array(items)) => items.get(*index)?,
                _ => return None,
            };
        }
        Some(at)
    }

    /// Sets a value, as `setObjectProperty`. `undefined` deletes the property (and takes an array's element out); otherwise
    /// with `create` missing objects and arrays on the way are made. False when the way is not there.
    ///
    /// # Errors
    /// A step goes through `null` or `undefined`, or to what cannot keep a property; a nested expression finds nothing.
    pub fn set(&self, root: &mut Object, value: Value, create: bool) -> Result<bool, PathError> {
        let create = create && !value.is_undefined();
        match &self.steps {
            Some(steps) => set::set(root, steps, value, create),
            None => {
                let steps = self.steps_for(root)?;
                set::set(root, &steps, value, create)
            }
        }
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
    /// A nested expression finds nothing.
    pub fn resolve(&self, root: &Object) -> Result<Path, PathError> {
        let steps = self.steps_for(root)?;
        let segment = |step: &Step| match step {
            Step::Key(key) | Step::Odd(key) => PathSegment::Key(key.clone()),
            Step::Index(index) => PathSegment::Index(*index),
        };
        Ok(Path {
            segments: steps.iter().map(segment).collect(),
            steps: Some(steps.into_owned().into()),
            nested: None,
        })
    }

    fn steps_for(&self, root: &Object) -> Result<Cow<'_, [Step]>, PathError> {
        let whole = Value::Object(root.clone());
        self.steps_in(&mut |path| path.get(&whole))
    }

    /// The steps, asking `find` what nested expressions refer to.
    fn steps_in(
        &self,
        find: &mut dyn FnMut(&Path) -> Result<Value, PathError>,
    ) -> Result<Cow<'_, [Step]>, PathError> {
        if let Some(steps) = &self.steps {
            return Ok(Cow::Borrowed(steps));
        }
        let step = |segment: &PathSegment| match segment {
            PathSegment::Key(key) => Ok(Step::Key(key.clone())),
            PathSegment::Index(index) => Ok(Step::Index(*index)),
            PathSegment::Nested(path) => path.referred(find),
        };
        self.segments.iter().map(step).collect()
    }

    /// The step that a nested expression stands for.
    fn referred(
        &self,
        find: &mut dyn FnMut(&Path) -> Result<Value, PathError>,
    ) -> Result<Step, PathError> {
        let (position, tail) = self
            .nested
            .as_ref()
            .map_or((0, None), |nested| (nested.position, nested.tail.as_ref()));
        match find(tail.unwrap_or(self)) {
            Ok(Value::Undefined) | Err(_) => Err(PathError::started(position)),
            Ok(Value::Number(n)) if n >= 0.0 && n.fract() == 0.0 && n < 9_007_199_254_740_992.0 => {
                Ok(Step::Index(n as usize))
            }
            Ok(Value::Str(name)) => Ok(Step::Key(Key::data(&name))),
            Ok(number @ Value::Number(_)) => Ok(Step::Key(Key::data(&number.to_js_string()))),
            Ok(other) => Ok(Step::Odd(Key::data(&other.to_js_string()))),
        }
    }
}

fn read(root: &Value, steps: &[Step]) -> Result<Value, PathError> {
    let mut at = Cow::Borrowed(root);
    for step in steps {
        if at.is_nullish() {
            let name = match step.key() {
                // (V8 shows an object as a key so)
                key if key == "[object Object]" && matches!(step, Step::Odd(_)) => {
                    "#<Object>".into()
                }
                key => key,
            };
            let what = at.to_js_string();
            let message = format!("Cannot read properties of {what} (reading '{name}')");
            return Err(PathError::step(message));
        }
        at = Cow::Owned(step.read(&at));
    }
    Ok(at.into_owned())
}

/// As `normalisePropertyExpression` writes it when asked for a text: `a["b"][0]`. (It writes the first name as it is.)
impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(tail) = self.nested.as_ref().and_then(|nested| nested.tail.as_ref()) {
            return write!(f, "msg.{tail}");
        }
        for (number, segment) in self.segments.iter().enumerate() {
            let odd = self
                .steps
                .as_ref()
                .is_some_and(|steps| matches!(steps.get(number), Some(Step::Odd(_))));
            match segment {
                PathSegment::Key(key) if number == 0 => f.write_str(key.as_str())?,
                PathSegment::Key(key) if odd => write!(f, "[{key}]")?,
                PathSegment::Key(key) if key.as_str().contains('"') => write!(f, "['{key}']")?,
                PathSegment::Key(key) => write!(f, "[\"{key}\"]")?,
                PathSegment::Index(index) if number == 0 => write!(f, "{index}")?,
                PathSegment::Index(index) => write!(f, "[{index}]")?,
                PathSegment::Nested(path) => write!(f, "[{path}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
