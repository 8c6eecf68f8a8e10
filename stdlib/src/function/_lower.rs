//! What nodes of this category have in common when they become code: ways into a message, and typed inputs.
#![cfg(feature = "lower")]

use vgdc_core::value::{ErrorValue, Path, PathSegment, Value, control};
use vgdc_expr::{ContextKey, CtxScope, Env, Target, TypedValue};
use vgdc_mir::{
    Addr, Arg, BlockId, Builder, Builtin, Compare, Flag, Helper, Host, Inst, MSG, Method, Num,
    Slot, Terminator,
};

/// Why a node does not become code; its own process handles its messages then.
pub type Refusal = String;

/// The environment of a node that does not run yet: nobody may ask it anything.
pub struct Nowhere;

impl Env for Nowhere {
    fn context_get(&self, _: CtxScope, _: &str, _: Option<&str>) -> Result<Value, ErrorValue> {
        Err(ErrorValue::new("Error", "the flow does not run"))
    }

    fn context_set(
        &self,
        _: CtxScope,
        _: &str,
        _: Value,
        _: Option<&str>,
    ) -> Result<(), ErrorValue> {
        Err(ErrorValue::new("Error", "the flow does not run"))
    }

    fn env_get(&self, _: &str) -> Value {
        Value::Undefined
    }

    fn now_ms(&self) -> f64 {
        f64::NAN
    }
}

/// A step on a way into a message.
enum Step<'p> {
    Key(&'p str),
    Index(usize),
}

/// Code for a way into the message, and for what stands in typed inputs.
#[derive(Default)]
pub struct Code {
    /// The function that is built.
    pub b: Builder,
}

impl Code {
    fn steps(path: &Path) -> Result<Vec<Step<'_>>, Refusal> {
        let mut steps = Vec::new();
        for segment in path.segments() {
            steps.push(match segment {
                // (an id that changes is an affair of the runtime's)
                PathSegment::Key(key) if matches!(key.as_str(), "_msgid" | "__proto__") => {
                    return Err(format!("the property `{}`", key.as_str()));
                }
                PathSegment::Key(key) => Step::Key(key.as_str()),
                PathSegment::Index(index) => Step::Index(*index),
                PathSegment::Nested(_) => {
                    return Err("a path that is read from the message".to_owned());
                }
            });
        }
        match steps.first() {
            Some(Step::Key(_)) => Ok(steps),
            _ => Err("the message as a whole".to_owned()),
        }
    }

    /// Finds a property of the message. A way that is not there bails out.
    pub fn get(&mut self, path: &Path) -> Result<Addr, Refusal> {
        let mut base = Arg::Slot(MSG);
        let mut found = None;
        for step in Code::steps(path)? {
            let scratch = self.b.slot();
            let dst = match step {
                Step::Key(key) => self.b.get(base, key, scratch),
                Step::Index(index) => {
                    let (dst, index) = (self.b.addr(), self.b.constant(index as f64));
                    self.b.push(Inst::Find {
                        helper: Helper::GetIndex,
                        dst,
                        args: vec![base, scratch.into(), index.into()],
                    });
                    dst
                }
            };
            base = dst.into();
            found = Some(dst);
        }
        found.ok_or_else(|| "the message as a whole".to_owned())
    }

    /// What holds the last step of a way, and that step. Where there is nothing to hold it, this bails out.
    fn place<'p>(&mut self, path: &'p Path) -> Result<(Arg, Step<'p>), Refusal> {
        let mut steps = Code::steps(path)?;
        let last = steps
            .pop()
            .ok_or_else(|| "the message as a whole".to_owned())?;
        let mut base = Arg::Slot(MSG);
        for step in steps {
            let dst = self.b.addr();
            let (helper, args) = match step {
                Step::Key(key) => (Helper::Place, vec![base, self.b.key(key).into()]),
                Step::Index(index) => {
                    let index = self.b.constant(index as f64);
                    (Helper::PlaceIndex, vec![base, index.into()])
                }
            };
            self.b.push(Inst::Find { helper, dst, args });
            base = dst.into();
        }
        Ok((base, last))
    }

    /// Puts a value, which is moved, into the message. Undefined deletes what is there; `maybe_undefined` says that it may be.
    pub fn set(&mut self, path: &Path, value: Slot, maybe_undefined: bool) -> Result<(), Refusal> {
        if !maybe_undefined {
            return self.put(path, value);
        }
        let [delete, put, end] = std::array::from_fn(|_| self.b.block());
        let nothing = self.is_undefined(value);
        self.b.branch(nothing, delete, put);
        self.b.switch_to(delete);
        self.delete(path)?;
        self.b.jump(end);
        self.b.switch_to(put);
        self.put(path, value)?;
        self.b.jump(end);
        self.b.switch_to(end);
        Ok(())
    }

    fn put(&mut self, path: &Path, value: Slot) -> Result<(), Refusal> {
        let (base, last) = self.place(path)?;
        match last {
            Step::Key(key) => {
                let (key, cache) = (self.b.key(key), self.b.set_cache());
                self.b
                    .call(Helper::Set, [base, value.into(), key.into(), cache.into()]);
            }
            Step::Index(index) => {
                let index = self.b.constant(index as f64);
                self.b
                    .call(Helper::SetIndex, [base, value.into(), index.into()]);
            }
        }
        Ok(())
    }

    /// Deletes a property of the message.
    pub fn delete(&mut self, path: &Path) -> Result<(), Refusal> {
        match self.place(path)? {
            (base, Step::Key(key)) => {
                let key = self.b.key(key);
                self.b.call(Helper::Delete, [base, key.into()]);
            }
            (_, Step::Index(_)) => return Err("deleting an element".to_owned()),
        }
        Ok(())
    }

    /// Puts a value, which is moved, where a typed input says.
    pub fn target(
        &mut self,
        to: &Target,
        value: Slot,
        maybe_undefined: bool,
    ) -> Result<(), Refusal> {
        match to {
            Target::Msg(path) => self.set(path, value, maybe_undefined),
            Target::Context(key) => {
                let host = match key.scope() {
                    CtxScope::Flow => Host::FlowSet,
                    CtxScope::Global => Host::GlobalSet,
                };
                let dst = self.b.slot();
                self.context(dst, host, key, Some(value))
            }
        }
    }

    /// Puts what stands in a typed input into a new slot; says whether it may be undefined.
    pub fn value(&mut self, typed: &TypedValue) -> Result<(Slot, bool), Refusal> {
        let dst = self.b.slot();
        let maybe_undefined = match typed {
            TypedValue::Constant(value) => {
                self.constant(dst, value)?;
                value.is_undefined()
            }
            TypedValue::Msg(path) => {
                self.read_into(dst, path)?;
                true
            }
            TypedValue::Context(key) => {
                let host = match key.scope() {
                    CtxScope::Flow => Host::FlowGet,
                    CtxScope::Global => Host::GlobalGet,
                };
                self.context(dst, host, key, None)?;
                true
            }
            TypedValue::Date(format) if format.is_empty() => {
                self.builtin(dst, Builtin::DateNow, &[]);
                false
            }
            TypedValue::Date(format) if matches!(format.as_str(), "object" | "iso") => {
                self.builtin(dst, Builtin::NewDate, &[]);
                if format == "iso" {
                    let date = self.b.slot();
                    self.b.call(Helper::Move, [date.into(), dst.into()]);
                    self.method(dst, date, Method::ToIsoString, &[]);
                }
                false
            }
            TypedValue::Date(_) => return Err("a date in a format".to_owned()),
            TypedValue::Env(name) if name.contains('$') => {
                return Err("an environment variable within a text".to_owned());
            }
            TypedValue::Env(name) => {
                self.environment(dst, name);
                let [empty, end] = std::array::from_fn(|_| self.b.block());
                let nothing = self.is_undefined(dst);
                self.b.branch(nothing, empty, end);
                self.b.switch_to(empty);
                self.text(dst, "");
                self.b.jump(end);
                self.b.switch_to(end);
                false
            }
            TypedValue::Jsonata(expression) => super::jsonata::lower(self, expression, dst)?,
            TypedValue::WholeMsg => return Err("the message as a whole".to_owned()),
        };
        Ok((dst, maybe_undefined))
    }

    /// Copies a property of the message into a new slot.
    pub fn read(&mut self, path: &Path) -> Result<Slot, Refusal> {
        let dst = self.b.slot();
        self.read_into(dst, path)?;
        Ok(dst)
    }

    fn read_into(&mut self, dst: Slot, path: &Path) -> Result<(), Refusal> {
        let src = self.get(path)?.into();
        self.b.push(Inst::Copy { dst, src });
        Ok(())
    }

    /// Whether a value is undefined.
    pub fn is_undefined(&mut self, value: Slot) -> Flag {
        let dst = self.b.flag();
        self.b.push(Inst::IsUndefined {
            dst,
            src: value.into(),
        });
        dst
    }

    /// Whether JavaScript takes a value for true.
    pub fn is_truthy(&mut self, value: impl Into<Arg>) -> Flag {
        let dst = self.b.flag();
        self.b.push(Inst::Truthy {
            dst,
            src: value.into(),
        });
        dst
    }

    /// Whether `typeof` gives this for a value.
    pub fn is_type(&mut self, value: Slot, name: &str) -> Flag {
        let [found, wanted] = std::array::from_fn(|_| self.b.slot());
        self.b.call(Helper::TypeOf, [found.into(), value.into()]);
        self.text(wanted, name);
        self.ask(Helper::StrictEqual, vec![found.into(), wanted.into()])
    }

    /// Compares two numbers.
    pub fn compare(&mut self, op: Compare, a: Num, b: Num) -> Flag {
        let dst = self.b.flag();
        self.b.push(Inst::Compare { op, dst, a, b });
        dst
    }

    /// Goes on elsewhere when a value is undefined or null.
    pub fn unless_nullish(&mut self, src: Addr, elsewhere: BlockId) {
        let (dst, more) = (self.b.flag(), self.b.block());
        let src = src.into();
        self.b.push(Inst::Nullish { dst, src });
        self.b.branch(dst, elsewhere, more);
        self.b.switch_to(more);
    }

    /// Goes on elsewhere when a value is undefined.
    pub fn unless_undefined(&mut self, src: Addr, elsewhere: BlockId) {
        let (dst, more) = (self.b.flag(), self.b.block());
        let src = src.into();
        self.b.push(Inst::IsUndefined { dst, src });
        self.b.branch(dst, elsewhere, more);
        self.b.switch_to(more);
    }

    /// Ends the call so when the flag is set.
    pub fn when(&mut self, flag: Flag, end: Terminator) {
        let [yes, no] = std::array::from_fn(|_| self.b.block());
        self.b.branch(flag, yes, no);
        self.b.switch_to(yes);
        self.b.end(end);
        self.b.switch_to(no);
    }

    /// Calls a function of the language.
    pub fn builtin(&mut self, dst: Slot, which: Builtin, args: &[Slot]) {
        let first = args.first().copied().unwrap_or(dst);
        self.b.call(
            Helper::Builtin,
            [
                dst.into(),
                first.into(),
                (which as u32).into(),
                (args.len() as u32).into(),
            ],
        );
    }

    /// Calls a method that changes nothing.
    pub fn method(&mut self, dst: Slot, receiver: Slot, which: Method, args: &[Slot]) {
        let first = args.first().copied().unwrap_or(receiver);
        self.b.call(
            Helper::Method,
            [
                dst.into(),
                receiver.into(),
                first.into(),
                (which as u32).into(),
                (args.len() as u32).into(),
            ],
        );
    }

    /// Reads or writes a context key.
    pub fn context(
        &mut self,
        dst: Slot,
        host: Host,
        key: &ContextKey,
        value: Option<Slot>,
    ) -> Result<(), Refusal> {
        if key.is_dynamic() {
            return Err("a context key that is read from the message".to_owned());
        }
        self.stored(dst, host, key.key(), key.store(), value);
        Ok(())
    }

    /// The same, of a key and a store that are known.
    pub fn stored(
        &mut self,
        dst: Slot,
        host: Host,
        key: &str,
        store: Option<&str>,
        value: Option<Slot>,
    ) {
        let count = 1 + usize::from(value.is_some()) + usize::from(store.is_some());
        let args = self.b.row(count);
        self.text(args[0], key);
        if let Some(value) = value {
            self.b.call(Helper::Move, [args[1].into(), value.into()]);
        }
        if let Some(store) = store {
            self.text(args[count - 1], store);
        }
        self.b.call(
            Helper::Host,
            [
                dst.into(),
                args[0].into(),
                (host as u32).into(),
                (count as u32).into(),
            ],
        );
    }

    /// Reads an environment variable; undefined where there is none.
    pub fn environment(&mut self, dst: Slot, name: &str) {
        let arg = self.b.slot();
        self.text(arg, name);
        self.b.call(
            Helper::Host,
            [
                dst.into(),
                arg.into(),
                (Host::Env as u32).into(),
                1u32.into(),
            ],
        );
    }

    /// A constant text.
    pub fn text(&mut self, dst: Slot, text: &str) {
        let text = self.b.text(text);
        self.b.call(Helper::Text, [dst.into(), text.into()]);
    }

    /// Puts a constant into a slot.
    pub fn constant(&mut self, dst: Slot, value: &Value) -> Result<(), Refusal> {
        match value {
            Value::Undefined => self.b.push(Inst::Undefined { dst }),
            Value::Null => self.b.push(Inst::Null { dst }),
            Value::Bool(value) => {
                let src = self.b.flag();
                self.b.push(Inst::Flag {
                    dst: src,
                    value: *value,
                });
                self.b.push(Inst::BoxFlag { dst, src });
            }
            Value::Number(n) => {
                let src = self.b.constant(*n);
                self.b.push(Inst::Box { dst, src });
            }
            Value::Str(text) => self.text(dst, text),
            Value::Object(_) | Value::Array(_) | Value::Buffer(_) => {
                let text = control::encode(value);
                if !matches!(value, Value::Buffer(_)) && text.contains("\"$type\"") {
                    return Err("a constant that is not plain JSON".to_owned());
                }
                let value = self.b.value(&text);
                self.b.call(Helper::Constant, [dst.into(), value.into()]);
            }
            _ => return Err("a constant that is not plain JSON".to_owned()),
        }
        Ok(())
    }

    /// Asks a helper.
    pub fn ask(&mut self, helper: Helper, args: Vec<Arg>) -> Flag {
        let dst = self.b.flag();
        self.b.push(Inst::Ask { helper, dst, args });
        dst
    }

    /// A constant truth value.
    pub fn flag(&mut self, value: bool) -> Flag {
        let dst = self.b.flag();
        self.b.push(Inst::Flag { dst, value });
        dst
    }

    /// `!flag`
    pub fn not(&mut self, src: Flag) -> Flag {
        let dst = self.b.flag();
        self.b.push(Inst::Not { dst, src });
        dst
    }

    /// `a && b`, both known.
    pub fn both(&mut self, a: Flag, b: Flag) -> Flag {
        self.choose(a, b, a)
    }

    /// `a || b`, both known.
    pub fn either(&mut self, a: Flag, b: Flag) -> Flag {
        self.choose(a, a, b)
    }

    fn choose(&mut self, condition: Flag, when: Flag, otherwise: Flag) -> Flag {
        let dst = self.b.flag();
        let [yes, no, end] = std::array::from_fn(|_| self.b.block());
        self.b.branch(condition, yes, no);
        for (block, src) in [(yes, when), (no, otherwise)] {
            self.b.switch_to(block);
            self.b.push(Inst::MoveFlag { dst, src });
            self.b.jump(end);
        }
        self.b.switch_to(end);
        dst
    }
}
