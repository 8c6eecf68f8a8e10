//! Functions of the language and of its world that are more than a table's entry.

use oxc_ast::ast::*;
use oxc_span::GetSpan;
use vgdc_mir::{Arg, Arith, Builtin, Compare, Helper, Host, Inst, Math, Method, Num, Terminator};

use super::callback::Inner;
use super::calls::dotted;
use super::expr::{Key, Opd};
use super::{Lower, Res, refuse};

/// A function that is handed to a function of the language that is no method of arrays, and put in there.
pub(crate) fn handed_over<'a, 'w>(
    scoping: &oxc_semantic::Scoping,
    head: u32,
    call: &'w CallExpression<'a>,
) -> Option<Inner<'a, 'w>> {
    let (first, function) = match call.arguments.as_slice() {
        [first, function] => (first, function.as_expression()?),
        _ => return None,
    };
    let fits = match dotted(scoping, head, &call.callee).as_deref() {
        Some(name) => name == "Array.from" && matches!(first, Argument::ObjectExpression(_)),
        None => match &call.callee {
            Expression::StaticMemberExpression(member) => {
                matches!(member.property.name.as_str(), "replace" | "replaceAll")
                    && matches!(first, Argument::RegExpLiteral(_))
            }
            _ => false,
        },
    };
    let inner = Inner::of(function).filter(|_| fits)?;
    inner.fits().then_some(inner)
}

impl<'a, 'w> Lower<'a, 'w> {
    /// `new Date(…)`, `new Array(…)` and so on.
    pub(super) fn new_object(&mut self, new: &'w NewExpression<'a>) -> Res<Opd> {
        let name = dotted(self.scoping, self.head, &new.callee);
        if let Some(class) = name.as_deref()
            && let Some(made) = self.new_collection(new, class)?
        {
            return Ok(made);
        }
        match (name.as_deref(), new.arguments.as_slice()) {
            (Some("Date"), _) => self.builtin(Builtin::NewDate, &new.arguments),
            // (anything but a number, of which there is a size then)
            (Some("Buffer"), [_] | [_, _]) => self.builtin(Builtin::BufferFrom, &new.arguments),
            (Some("RegExp"), [_] | [_, _]) => self.builtin(Builtin::RegExp, &new.arguments),
            (Some("Array"), []) => {
                let dst = self.temp();
                self.b.call(Helper::Array, [dst.into(), Arg::Const(0)]);
                Ok(Opd::Temp(dst))
            }
            (Some("Object"), []) => {
                let dst = self.temp();
                self.b.call(Helper::Object, [dst.into(), Arg::Const(0)]);
                Ok(Opd::Temp(dst))
            }
            (Some(name), _) => refuse(format!("`new {name}`"), new.span.start),
            (None, _) => refuse("`new`", new.span.start),
        }
    }

    /// A call by a name that needs more than its arguments' values; `None` for any other.
    pub(super) fn call_special(
        &mut self,
        name: &str,
        call: &'w CallExpression<'a>,
    ) -> Res<Option<Opd>> {
        let at = call.span.start;
        let level = match name {
            "console.log" | "console.info" => Some(Host::Log),
            "console.warn" => Some(Host::Warn),
            "console.debug" => Some(Host::Debug),
            "console.trace" => Some(Host::Trace),
            _ => None,
        };
        if let Some(level) = level {
            let row = self.arguments(&call.arguments)?;
            let text = self.call_row(Helper::Builtin, None, Builtin::ConsoleText as u32, &row);
            let row = self.b.row(1);
            self.store(Opd::Temp(text), row[0]);
            let done = self.call_row(Helper::Host, None, level as u32, &row);
            return Ok(Some(Opd::Temp(done)));
        }
        match (name, call.arguments.as_slice()) {
            ("Object.prototype.hasOwnProperty.call" | "Object.hasOwn", [_, _]) => {
                let row = self.arguments(&call.arguments)?;
                let method = Method::HasOwnProperty as u32;
                let has = self.call_row(Helper::Method, Some(row[0].into()), method, &row[1..]);
                Ok(Some(Opd::Temp(has)))
            }
            (
                "RED.util.getMessageProperty" | "RED.util.getObjectProperty",
                [object, Argument::StringLiteral(path)],
            ) => {
                let Some(object) = object.as_expression() else {
                    return refuse("a spread argument", at);
                };
                let mut path = path.value.as_str();
                if name == "RED.util.getMessageProperty" {
                    path = path.strip_prefix("msg.").unwrap_or(path);
                }
                if !path.split('.').all(is_plain_name) {
                    return refuse("a path that is more than names", at);
                }
                let mut value = self.opd(object)?;
                for part in path.split('.') {
                    value = self.get(value, part)?;
                }
                Ok(Some(value))
            }
            ("RED.util.setMessageProperty", [_, Argument::StringLiteral(path), _, ..]) => {
                let path = path.value.as_str();
                if !self.shared || !path.split('.').all(is_plain_name) {
                    return refuse("`RED.util.setMessageProperty()`", at);
                }
                let path = self.b.text(path.strip_prefix("msg.").unwrap_or(path));
                let row = self.arguments(&call.arguments)?;
                self.b.call(Helper::Text, [row[1].into(), Arg::Const(path)]);
                let which = Builtin::SetMessageProperty as u32;
                let done = self.call_row(Helper::Builtin, None, which, &row);
                Ok(Some(Opd::Temp(done)))
            }
            ("Object.assign", [target, sources @ ..]) => {
                self.assign_all(target, sources, at).map(Some)
            }
            ("Array.from" | "Object.fromEntries", [argument]) => {
                let Some(e) = argument.as_expression() else {
                    return refuse("a spread argument", at);
                };
                let Some(items) = self.items(e)? else {
                    return Ok(None);
                };
                if name == "Array.from" {
                    return Ok(Some(items));
                }
                let row = self.b.row(1);
                self.store(items, row[0]);
                let which = Builtin::ObjectFromEntries as u32;
                Ok(Some(Opd::Temp(self.call_row(
                    Helper::Builtin,
                    None,
                    which,
                    &row,
                ))))
            }
            ("clearTimeout" | "clearInterval" | "clearImmediate", [argument]) => {
                let Some(e) = argument.as_expression() else {
                    return refuse("a spread argument", at);
                };
                // (what is no timer is nothing to it; what is one, the engine has)
                let opd = self.opd(e)?;
                let src = self.arg(opd);
                let (dst, bail, more) = (self.b.flag(), self.b.block(), self.b.block());
                self.b.push(Inst::Nullish { dst, src });
                self.b.end(Terminator::Branch(dst, more, bail));
                self.b.switch_to(bail);
                self.b.end(Terminator::Bail);
                self.b.switch_to(more);
                Ok(Some(Opd::Undefined))
            }
            ("Array.from", [Argument::ObjectExpression(shape), function]) => {
                self.array_from(shape, function, at).map(Some)
            }
            ("Math.max" | "Math.min", [Argument::SpreadElement(spread)]) => {
                let math = match name {
                    "Math.max" => Math::Max,
                    _ => Math::Min,
                };
                self.best_of(math, &spread.argument).map(Some)
            }
            ("RED.util.setMessageProperty" | "Object.assign", _) => {
                refuse(format!("`{name}()`"), at)
            }
            ("Array", [Argument::NumericLiteral(_)]) => refuse("an array of holes", at),
            _ => Ok(None),
        }
    }

    /// `Object.assign`
    fn assign_all(
        &mut self,
        target: &'w Argument<'a>,
        sources: &'w [Argument<'a>],
        at: u32,
    ) -> Res<Opd> {
        let Some(first) = target.as_expression() else {
            return refuse("a spread argument", at);
        };
        if !self.shared && !matches!(first, Expression::ObjectExpression(_)) {
            return refuse("`Object.assign` of what has a name", at);
        }
        let opd = self.opd(first)?;
        let dst = self.own(opd);
        for source in sources {
            let Some(source) = source.as_expression() else {
                return refuse("a spread argument", source.span().start);
            };
            let opd = self.opd(source)?;
            let src = self.arg(opd);
            self.b.call(Helper::SpreadObject, [dst.into(), src]);
        }
        Ok(Opd::Temp(dst))
    }

    /// `Array.from({length: n}, (_, i) => …)`
    fn array_from(
        &mut self,
        shape: &'w ObjectExpression<'a>,
        function: &'w Argument<'a>,
        at: u32,
    ) -> Res<Opd> {
        let [ObjectPropertyKind::ObjectProperty(property)] = shape.properties.as_slice() else {
            return refuse("`Array.from` of a rare kind", at);
        };
        let inner = function.as_expression().and_then(Inner::of);
        let (Some("length"), Some(inner)) = (property.key.static_name().as_deref(), inner) else {
            return refuse("`Array.from` of a rare kind", at);
        };
        let count = self.num(&property.value)?;
        let (count, result, value) = (self.kept_num(count), self.temp(), self.temp());
        self.b.call(Helper::Array, [result.into(), 0.into()]);
        self.counted(count, |lower, index| {
            lower.whole(|lower| {
                lower.set_param(inner, 0, Opd::Undefined)?;
                lower.set_param(inner, 1, Opd::Num(index))
            })?;
            lower.whole(|lower| lower.put_in(inner, value))?;
            lower.b.call(Helper::Push, [result.into(), value.into()]);
            Ok(())
        })?;
        Ok(Opd::Temp(result))
    }

    /// A number that nobody else writes.
    pub(super) fn kept_num(&mut self, src: Num) -> Num {
        let dst = self.b.num();
        self.b.push(Inst::MoveNum { dst, src });
        dst
    }

    /// A loop from 0 up to a number.
    pub(super) fn counted(
        &mut self,
        count: Num,
        turn: impl FnOnce(&mut Self, Num) -> Res<()>,
    ) -> Res<()> {
        let index = self.b.constant(0.0);
        let index = self.kept_num(index);
        let [head, body, end] = std::array::from_fn(|_| self.b.block());
        self.b.jump(head);
        self.b.switch_to(head);
        self.tick();
        let more = self.b.flag();
        self.b.push(Inst::Compare {
            op: Compare::Lt,
            dst: more,
            a: index,
            b: count,
        });
        self.b.end(Terminator::Branch(more, body, end));
        self.b.switch_to(body);
        turn(self, index)?;
        let one = self.b.constant(1.0);
        let after = self.arith(Arith::Add, index, one);
        self.b.push(Inst::MoveNum {
            dst: index,
            src: after,
        });
        self.b.jump(head);
        self.b.switch_to(end);
        Ok(())
    }

    /// `Math.max(...list)`
    fn best_of(&mut self, math: Math, list: &'w Expression<'a>) -> Res<Opd> {
        let slot = self.b.slot();
        let opd = self.opd(list)?;
        self.store(opd, slot);
        self.only_arrays(slot);
        let start = match math {
            Math::Max => f64::NEG_INFINITY,
            _ => f64::INFINITY,
        };
        let best = self.b.constant(start);
        let best = self.kept_num(best);
        let length = self.get(Opd::Slot(slot), "length")?;
        let length = self.unbox(length);
        let length = self.kept_num(length);
        self.counted(length, |lower, index| {
            lower.whole(|lower| {
                let element = lower.read(Opd::Slot(slot), &Key::Index(index))?;
                let number = lower.unbox(element);
                let better = lower.math2(math, best, number);
                lower.b.push(Inst::MoveNum {
                    dst: best,
                    src: better,
                });
                Ok(())
            })
        })?;
        self.b.call(Helper::Clear, [slot.into()]);
        Ok(Opd::Num(best))
    }

    /// A call of a method that needs more than its arguments' values; `None` for any other.
    pub(super) fn method_special(&mut self, call: &'w CallExpression<'a>) -> Res<Option<Opd>> {
        let Expression::StaticMemberExpression(member) = &call.callee else {
            return Ok(None);
        };
        if member.optional {
            return Ok(None);
        }
        match (member.property.name.as_str(), call.arguments.as_slice()) {
            (name @ ("replace" | "replaceAll"), [Argument::RegExpLiteral(literal), _]) => {
                match handed_over(self.scoping, self.head, call) {
                    Some(inner) => {
                        let all = name == "replaceAll";
                        self.replace(&member.object, literal, inner, all).map(Some)
                    }
                    None => Ok(None),
                }
            }
            ("fill", [value]) => match array_of(self.scoping, self.head, &member.object) {
                Some(count) => self.filled(count, value).map(Some),
                None => Ok(None),
            },
            ("sort", [_]) => self.sort(call, &member.object).map(Some),
            ("push", [Argument::SpreadElement(spread)]) => {
                let first = self.receiver(&member.object, &call.arguments)?;
                let opd = self.opd(&spread.argument)?;
                let list = self.own(opd);
                let target = match first {
                    Some(target) => target,
                    None => self.place(&member.object)?,
                };
                self.b.call(Helper::SpreadArray, [target, list.into()]);
                let target = match target {
                    Arg::Slot(slot) => Opd::Slot(slot),
                    Arg::Addr(addr) => Opd::Addr(addr),
                    Arg::Num(_) | Arg::Const(_) => return refuse("a rare list", call.span.start),
                };
                self.get(target, "length").map(Some)
            }
            (name @ ("map" | "filter" | "some" | "every"), [function]) => {
                let function = function.as_expression();
                match function.and_then(|function| self.of_one(function)) {
                    Some(builtin) => self.each(name, &member.object, builtin).map(Some),
                    None => Ok(None),
                }
            }
            _ => Ok(None),
        }
    }

    /// A function of the language that looks at nothing but its first argument.
    fn of_one(&self, function: &Expression<'a>) -> Option<Builtin> {
        let builtin = Builtin::named(&dotted(self.scoping, self.head, function)?)?;
        let alone = matches!(
            builtin,
            Builtin::Number
                | Builtin::String
                | Builtin::Boolean
                | Builtin::ParseFloat
                | Builtin::NumberParseFloat
                | Builtin::IsNaN
                | Builtin::IsFinite
                | Builtin::NumberIsNaN
                | Builtin::NumberIsFinite
                | Builtin::NumberIsInteger
                | Builtin::IsSafeInteger
                | Builtin::IsArray
        );
        alone.then_some(builtin)
    }

    /// `list.map(Number)`, `list.filter(Boolean)`, `list.some(isNaN)`
    fn each(&mut self, name: &str, list: &'w Expression<'a>, builtin: Builtin) -> Res<Opd> {
        let (slot, row, result) = (self.b.slot(), self.b.slot(), self.temp());
        let opd = self.opd(list)?;
        self.store(opd, slot);
        self.only_arrays(slot);
        // (`some` begins with false and becomes true where one is, `every` the other way around)
        let told = match name {
            "some" | "every" => {
                let dst = self.b.flag();
                let value = name == "every";
                self.b.push(Inst::Flag { dst, value });
                Some(dst)
            }
            _ => {
                self.b.call(Helper::Array, [result.into(), 0.into()]);
                None
            }
        };
        let length = self.get(Opd::Slot(slot), "length")?;
        let length = self.unbox(length);
        let length = self.kept_num(length);
        self.counted(length, |lower, index| {
            lower.whole(|lower| {
                let element = lower.read(Opd::Slot(slot), &Key::Index(index))?;
                lower.store(element, row);
                let dst = lower.temp();
                let args = [dst.into(), row.into(), (builtin as u32).into(), 1.into()];
                lower.b.call(Helper::Builtin, args);
                if name == "map" {
                    lower.b.call(Helper::Push, [result.into(), dst.into()]);
                    return Ok(());
                }
                let (flag, yes, no, end) = (
                    lower.truth(Opd::Slot(dst)),
                    lower.b.block(),
                    lower.b.block(),
                    lower.b.block(),
                );
                lower.b.end(Terminator::Branch(flag, yes, no));
                lower.b.switch_to(yes);
                match (name, told) {
                    ("some", Some(dst)) => lower.b.push(Inst::Flag { dst, value: true }),
                    ("filter", _) => {
                        let element = lower.read(Opd::Slot(slot), &Key::Index(index))?;
                        let element = lower.own(element);
                        lower.b.call(Helper::Push, [result.into(), element.into()]);
                    }
                    _ => {}
                }
                lower.b.jump(end);
                lower.b.switch_to(no);
                if let ("every", Some(dst)) = (name, told) {
                    lower.b.push(Inst::Flag { dst, value: false });
                }
                lower.b.jump(end);
                lower.b.switch_to(end);
                Ok(())
            })
        })?;
        self.b.call(Helper::Clear, [slot.into()]);
        self.b.call(Helper::Clear, [row.into()]);
        Ok(told.map_or(Opd::Temp(result), Opd::Flag))
    }

    /// `Array(n).fill(value)`
    fn filled(&mut self, count: &'w Expression<'a>, value: &'w Argument<'a>) -> Res<Opd> {
        let row = self.b.row(2);
        let opd = self.opd(count)?;
        self.store(opd, row[0]);
        let Some(value) = value.as_expression() else {
            return refuse("a spread argument", value.span().start);
        };
        let opd = self.opd(value)?;
        self.store(opd, row[1]);
        let which = Builtin::FilledArray as u32;
        Ok(Opd::Temp(self.call_row(Helper::Builtin, None, which, &row)))
    }

    /// Whether what an expression gives has no other name, and nothing that it came from sees what is done with it.
    pub(super) fn is_fresh(&self, e: &Expression<'a>) -> bool {
        match e {
            Expression::ParenthesizedExpression(inner) => self.is_fresh(&inner.expression),
            Expression::ArrayExpression(_)
            | Expression::ObjectExpression(_)
            | Expression::NewExpression(_) => true,
            Expression::CallExpression(call) => {
                if let Some(name) = dotted(self.scoping, self.head, &call.callee) {
                    return Builtin::named(&name).is_some() && name != "Object.assign";
                }
                let Expression::StaticMemberExpression(member) = &call.callee else {
                    return false;
                };
                match member.property.name.as_str() {
                    "map" | "filter" | "flatMap" | "slice" | "concat" | "split" | "flat" => true,
                    "sort" | "reverse" | "fill" => self.is_fresh(&member.object),
                    _ => false,
                }
            }
            _ => false,
        }
    }
}

/// The count in `Array(count)` and `new Array(count)`.
fn array_of<'a, 'w>(
    scoping: &oxc_semantic::Scoping,
    head: u32,
    e: &'w Expression<'a>,
) -> Option<&'w Expression<'a>> {
    let (callee, arguments) = match e {
        Expression::ParenthesizedExpression(inner) => {
            return array_of(scoping, head, &inner.expression);
        }
        Expression::NewExpression(new) => (&new.callee, &new.arguments),
        Expression::CallExpression(call) => (&call.callee, &call.arguments),
        _ => return None,
    };
    let [count] = arguments.as_slice() else {
        return None;
    };
    let is_array = dotted(scoping, head, callee).as_deref() == Some("Array");
    is_array.then(|| count.as_expression())?
}

fn is_plain_name(name: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'$';
    !name.is_empty()
        && name.bytes().all(word)
        && !name.as_bytes()[0].is_ascii_digit()
        && !super::expr::is_inherited(name)
}
