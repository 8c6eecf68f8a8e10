//! How a plain JSONata expression becomes code. Where values are numbers for certain they are unboxed; what is not of the kind
//! that an operator wants bails out, and the rest is asked of the same functions that evaluate expressions elsewhere.
#![cfg(feature = "lower")]

use super::lower::{Code, Refusal};
use std::collections::HashMap;
use vgdc_core::value::Value;
use vgdc_expr::Jsonata;
use vgdc_expr::plain::{
    self, Arithmetic, Compare, Function, Name, Node, Operator, Path, Step, What,
};
use vgdc_mir::{
    Arg, Arith, Builtin, Expected, Flag, Form, Helper, Host, Inst, MSG, Math, Num, Slot,
    Terminator, Unary,
};

/// Evaluates an expression into a slot; whether what it gives may be undefined.
///
/// # Errors
/// What is in the way.
pub fn lower(code: &mut Code, expression: &Jsonata, dst: Slot) -> Result<bool, Refusal> {
    let Some((node, in_msg)) = expression.plain() else {
        return Err("a JSONata expression that is not plain".to_owned());
    };
    let mut lowering = Lowering {
        code,
        in_msg,
        variables: HashMap::new(),
        clock: false,
    };
    lowering.value(node, dst)?;
    Ok(!is_undefined_never(node))
}

struct Lowering<'c> {
    code: &'c mut Code,
    /// Paths begin with `msg`, which stands for the message.
    in_msg: bool,
    /// Where the values of variables are.
    variables: HashMap<usize, Slot>,
    /// The time has been asked for: it has to be the same throughout.
    clock: bool,
}

/// Whether a node gives a number or raises an error, but for undefined.
fn is_numeric(node: &Node) -> bool {
    use Function as F;
    match node {
        Node::Constant(value) => matches!(value, Value::Number(_)),
        Node::Arithmetic(..) | Node::Negate(_) => true,
        Node::Call(function, _) => matches!(
            function,
            F::Abs
                | F::Floor
                | F::Ceil
                | F::Round
                | F::Sqrt
                | F::Power
                | F::Length
                | F::Count
                | F::Sum
                | F::Average
                | F::Number
                | F::Millis
        ),
        _ => false,
    }
}

/// Whether a node gives true, false or undefined.
fn is_truth(node: &Node) -> bool {
    use Function as F;
    match node {
        Node::Constant(value) => matches!(value, Value::Bool(_)),
        Node::Equal { .. } | Node::Compare(..) | Node::In(_) | Node::And(_) | Node::Or(_) => true,
        Node::Call(function, _) => {
            matches!(function, F::Not | F::Exists | F::Contains | F::Boolean)
        }
        _ => false,
    }
}

/// Whether a node never gives undefined: what is calculated bails out instead.
fn is_undefined_never(node: &Node) -> bool {
    match node {
        Node::Constant(value) => !value.is_undefined(),
        Node::Concat(_) | Node::And(_) | Node::Or(_) | Node::Equal { .. } | Node::Negate(_) => true,
        Node::Arithmetic(..) | Node::Array(_) | Node::Object(_) => true,
        Node::Call(Function::Abs | Function::Floor | Function::Ceil, _) => true,
        Node::Compare(_, sides) => sides.iter().any(is_numeric),
        _ => false,
    }
}

impl Lowering<'_> {
    fn value(&mut self, node: &Node, dst: Slot) -> Result<(), Refusal> {
        match node {
            Node::Constant(value) => self.code.constant(dst, value),
            Node::Path(path) => self.path(path, &mut |code, found| match found {
                Some(src) => code.b.push(Inst::Copy { dst, src }),
                None => code.b.push(Inst::Undefined { dst }),
            }),
            Node::Slot(number) => {
                let src = self.variables.get(number).ok_or("a variable")?;
                let src = (*src).into();
                self.code.b.push(Inst::Copy { dst, src });
                Ok(())
            }
            Node::Arithmetic(..)
            | Node::Negate(_)
            | Node::Call(Function::Abs | Function::Floor | Function::Ceil, _) => {
                let (src, _) = self.raw(node)?;
                self.code.b.push(Inst::Box { dst, src });
                Ok(())
            }
            Node::Compare(_, sides) if sides.iter().any(is_numeric) => self.boxed_truth(node, dst),
            Node::And(_) | Node::Or(_) => self.boxed_truth(node, dst),
            Node::Compare(op, sides) => {
                let operator = match op {
                    Compare::Less => Operator::Less,
                    Compare::LessOrEqual => Operator::LessOrEqual,
                    Compare::Greater => Operator::Greater,
                    Compare::GreaterOrEqual => Operator::GreaterOrEqual,
                };
                self.operate(operator.number(), &sides[..], dst)
            }
            Node::Equal { negated, sides } => {
                let operator = match negated {
                    false => Operator::Equal,
                    true => Operator::NotEqual,
                };
                self.operate(operator.number(), &sides[..], dst)
            }
            Node::In(sides) => self.operate(Operator::In.number(), &sides[..], dst),
            Node::Concat(_) => self.concat(node, dst),
            Node::Choose { condition, yes, no } => {
                let condition = self.truth(condition)?;
                let [then, otherwise, end] = std::array::from_fn(|_| self.code.b.block());
                self.code.b.branch(condition, then, otherwise);
                self.code.b.switch_to(then);
                self.value(yes, dst)?;
                self.code.b.jump(end);
                self.code.b.switch_to(otherwise);
                match no {
                    Some(no) => self.value(no, dst)?,
                    None => self.code.b.push(Inst::Undefined { dst }),
                }
                self.code.b.jump(end);
                self.code.b.switch_to(end);
                Ok(())
            }
            Node::Array(items) => {
                // (an array that is written within an array stays one)
                if items.iter().any(|item| matches!(item, Node::Array(_))) {
                    return Err("an array within an array in JSONata".to_owned());
                }
                self.operate(Operator::List.number(), items, dst)
            }
            Node::Object(pairs) => self.object(pairs, dst),
            Node::Block(statements) => {
                self.code.b.push(Inst::Undefined { dst });
                // (all are evaluated, since any may raise an error)
                statements.iter().try_for_each(|one| self.value(one, dst))
            }
            Node::Bind(number, value) => {
                let slot = self.code.b.slot();
                self.value(value, slot)?;
                self.variables.insert(*number, slot);
                self.code.b.push(Inst::Copy {
                    dst,
                    src: slot.into(),
                });
                Ok(())
            }
            Node::Call(function, args) => self.call(*function, args, dst),
            Node::Here | Node::Whole => Err("the message as a whole".to_owned()),
            Node::Given(name) => Err(format!("the variable `${name}` of JSONata")),
            Node::Range(_) => Err("a range in JSONata".to_owned()),
            Node::Each { how, .. } => {
                let name = format!("{how:?}").to_lowercase();
                Err(format!("the function `${name}` of JSONata"))
            }
        }
    }

    fn boxed_truth(&mut self, node: &Node, dst: Slot) -> Result<(), Refusal> {
        let src = self.truth(node)?;
        self.code.b.push(Inst::BoxFlag { dst, src });
        Ok(())
    }

    /// Asks an operator or a function.
    fn operate(&mut self, which: u32, args: &[Node], dst: Slot) -> Result<(), Refusal> {
        let row = self.code.b.row(args.len());
        for (arg, slot) in args.iter().zip(&row) {
            self.value(arg, *slot)?;
        }
        self.code.b.call(
            Helper::Expression,
            [
                dst.into(),
                row.first().copied().unwrap_or(dst).into(),
                which.into(),
                (row.len() as u32).into(),
            ],
        );
        self.let_go(&row);
        Ok(())
    }

    /// What is still held of the message would be copied when it is changed.
    fn let_go(&mut self, slots: &[Slot]) {
        for slot in slots {
            self.code.b.call(Helper::Clear, [(*slot).into()]);
        }
    }

    /// Does something with what a path leads to. Lists on the way bail out: the path goes on in each of their items.
    fn path(
        &mut self,
        path: &Path,
        each: &mut dyn FnMut(&mut Code, Option<Arg>),
    ) -> Result<(), Refusal> {
        let mut names = self.names(path)?.into_iter();
        let first = names.next().ok_or("the message as a whole")?;
        let [end, nothing] = std::array::from_fn(|_| self.code.b.block());
        let scratch = self.code.b.slot();
        let mut found = self.code.b.get(MSG, first, scratch);
        for name in names {
            self.code.unless_nullish(found, nothing);
            self.code.b.push(Inst::Expect {
                src: found.into(),
                kind: Expected::Object,
            });
            let scratch = self.code.b.slot();
            found = self.code.b.get(found, name, scratch);
        }
        each(self.code, Some(found.into()));
        self.code.b.jump(end);
        self.code.b.switch_to(nothing);
        each(self.code, None);
        self.code.b.jump(end);
        self.code.b.switch_to(end);
        Ok(())
    }

    /// The names that a path is made of, from the message on.
    fn names<'p>(&self, path: &'p Path) -> Result<Vec<&'p str>, Refusal> {
        if path.keeps_array {
            return Err("a path in JSONata that keeps arrays".to_owned());
        }
        let mut steps = path.steps.as_slice();
        if let [
            Step {
                what: What::Node(Node::Here),
                stages,
            },
            rest @ ..,
        ] = steps
            && stages.is_empty()
        {
            steps = rest;
        }
        let mut names = Vec::with_capacity(steps.len());
        for step in steps {
            match (&step.what, step.stages.is_empty()) {
                (What::Name(name), true) => names.push(name.as_str()),
                (What::Name(_), false) => return Err("a filter in a path of JSONata".to_owned()),
                (What::Node(_), _) => {
                    return Err("a path of JSONata with more than names".to_owned());
                }
            }
        }
        if self.in_msg && (names.is_empty() || names.remove(0) != "msg") {
            return Err("a path of JSONata besides `msg`".to_owned());
        }
        Ok(names)
    }

    /// A finite number. Anything else bails out: it is an error, or (undefined) makes the result undefined.
    fn number(&mut self, node: &Node) -> Result<Num, Refusal> {
        let (number, is_finite) = self.raw(node)?;
        if !is_finite {
            // (infinity less infinity is NaN, which equals nothing)
            let none = self.code.b.num();
            self.code.b.push(Inst::Arith {
                op: Arith::Sub,
                dst: none,
                a: number,
                b: number,
            });
            let is_finite = self.code.compare(vgdc_mir::Compare::Eq, none, none);
            let is_other = self.code.not(is_finite);
            self.code.when(is_other, Terminator::Bail);
        }
        Ok(number)
    }

    /// A number; whether it is finite for certain.
    fn raw(&mut self, node: &Node) -> Result<(Num, bool), Refusal> {
        let dst = self.code.b.num();
        let unary = |lowering: &mut Self, op, node: &Node| {
            let src = lowering.number(node)?;
            lowering.code.b.push(Inst::Unary { op, dst, src });
            Ok((dst, true))
        };
        match node {
            Node::Constant(Value::Number(n)) => {
                self.code.b.push(Inst::Num { dst, value: *n });
                return Ok((dst, n.is_finite()));
            }
            Node::Negate(inner) => return unary(self, Unary::Neg, inner),
            Node::Call(function, args) => {
                let op = match function {
                    Function::Abs => Some(Unary::Abs),
                    Function::Floor => Some(Unary::Floor),
                    Function::Ceil => Some(Unary::Ceil),
                    _ => None,
                };
                if let (Some(op), [arg]) = (op, &args[..]) {
                    return unary(self, op, arg);
                }
            }
            Node::Arithmetic(op, sides) => {
                let (a, b) = (self.number(&sides[0])?, self.number(&sides[1])?);
                let op = match op {
                    Arithmetic::Add => Arith::Add,
                    Arithmetic::Subtract => Arith::Sub,
                    Arithmetic::Multiply => Arith::Mul,
                    Arithmetic::Divide => Arith::Div,
                    Arithmetic::Modulo => {
                        self.code.b.push(Inst::Calc {
                            helper: Helper::Math2,
                            dst,
                            args: vec![a.into(), b.into(), (Math::Remainder as u32).into()],
                        });
                        return Ok((dst, false));
                    }
                };
                self.code.b.push(Inst::Arith { op, dst, a, b });
                return Ok((dst, false));
            }
            Node::Path(path) => {
                self.path(path, &mut |code, found| match found {
                    Some(src) => {
                        code.b.push(Inst::Expect {
                            src,
                            kind: Expected::Number,
                        });
                        code.b.push(Inst::ToNumber { dst, src });
                    }
                    None => code.b.end(Terminator::Bail),
                })?;
                return Ok((dst, false));
            }
            _ => {}
        }
        let value = self.code.b.slot();
        self.value(node, value)?;
        self.code.b.push(Inst::Expect {
            src: value.into(),
            kind: Expected::Number,
        });
        self.code.b.push(Inst::ToNumber {
            dst,
            src: value.into(),
        });
        Ok((dst, false))
    }

    /// Whether JSONata takes a value for true.
    fn truth(&mut self, node: &Node) -> Result<Flag, Refusal> {
        match node {
            Node::Constant(Value::Bool(value)) => return Ok(self.code.flag(*value)),
            Node::Compare(op, sides) if sides.iter().any(is_numeric) => {
                let (a, b) = (self.raw(&sides[0])?.0, self.raw(&sides[1])?.0);
                let op = match op {
                    Compare::Less => vgdc_mir::Compare::Lt,
                    Compare::LessOrEqual => vgdc_mir::Compare::Le,
                    Compare::Greater => vgdc_mir::Compare::Gt,
                    Compare::GreaterOrEqual => vgdc_mir::Compare::Ge,
                };
                return Ok(self.code.compare(op, a, b));
            }
            Node::And(sides) => return self.either(sides, false),
            Node::Or(sides) => return self.either(sides, true),
            _ => {}
        }
        let value = self.code.b.slot();
        if is_truth(node) {
            self.value(node, value)?;
        } else {
            self.operate(
                Function::Boolean.number(),
                std::slice::from_ref(node),
                value,
            )?;
        }
        Ok(self.code.is_truthy(value))
    }

    /// The first side where that decides it, else the second.
    fn either(&mut self, sides: &[Node; 2], decides: bool) -> Result<Flag, Refusal> {
        let dst = self.code.b.flag();
        let [more, end] = std::array::from_fn(|_| self.code.b.block());
        let src = self.truth(&sides[0])?;
        self.code.b.push(Inst::MoveFlag { dst, src });
        match decides {
            true => self.code.b.branch(src, end, more),
            false => self.code.b.branch(src, more, end),
        }
        self.code.b.switch_to(more);
        let src = self.truth(&sides[1])?;
        self.code.b.push(Inst::MoveFlag { dst, src });
        self.code.b.jump(end);
        self.code.b.switch_to(end);
        Ok(dst)
    }

    /// Texts put together.
    fn concat(&mut self, node: &Node, dst: Slot) -> Result<(), Refusal> {
        let mut parts = Vec::new();
        flatten(node, &mut parts);
        // (first what is no constant and no path: it may make texts itself)
        let mut made = HashMap::new();
        for (at, part) in parts.iter().enumerate() {
            if !matches!(part, Node::Constant(_) | Node::Path(_)) {
                let slot = self.code.b.slot();
                self.value(part, slot)?;
                made.insert(at, slot);
            }
        }
        for (at, part) in parts.iter().enumerate() {
            match (part, made.get(&at)) {
                (_, Some(slot)) => write(self.code, (*slot).into()),
                (Node::Path(path), None) => self.path(path, &mut |code, found| {
                    if let Some(found) = found {
                        write(code, found);
                    }
                })?,
                (Node::Constant(value), None) => {
                    let mut text = String::new();
                    plain::write(&mut text, value).ok_or("a constant that is no text")?;
                    let text = self.code.b.text(&text);
                    self.code.b.call(Helper::WriteText, [text.into()]);
                }
                _ => return Err("a text that is put together".to_owned()),
            }
        }
        self.code.b.call(Helper::Written, [dst.into()]);
        let made: Vec<Slot> = (0..parts.len())
            .filter_map(|at| made.get(&at).copied())
            .collect();
        self.let_go(&made);
        Ok(())
    }

    fn object(&mut self, pairs: &[(Name, Node)], dst: Slot) -> Result<(), Refusal> {
        let made = self.code.b.slot();
        self.code
            .b
            .call(Helper::Object, [made.into(), (pairs.len() as u32).into()]);
        for (name, node) in pairs {
            let Name::Constant(name) = name else {
                return Err("a computed name in an object of JSONata".to_owned());
            };
            let value = self.code.b.slot();
            self.value(node, value)?;
            let [set, end] = std::array::from_fn(|_| self.code.b.block());
            if !is_undefined_never(node) {
                let nothing = self.code.is_undefined(value);
                self.code.b.branch(nothing, end, set);
                self.code.b.switch_to(set);
            }
            let (key, cache) = (self.code.b.key(name.as_str()), self.code.b.set_cache());
            self.code.b.call(
                Helper::Set,
                [made.into(), value.into(), key.into(), cache.into()],
            );
            if !is_undefined_never(node) {
                self.code.b.jump(end);
                self.code.b.switch_to(end);
            }
        }
        self.code.b.call(Helper::Move, [dst.into(), made.into()]);
        Ok(())
    }

    fn call(&mut self, function: Function, args: &[Node], dst: Slot) -> Result<(), Refusal> {
        use Function as F;
        match function {
            F::Millis if !std::mem::replace(&mut self.clock, true) => {
                self.code.builtin(dst, Builtin::DateNow, &[]);
                Ok(())
            }
            F::FlowContext | F::GlobalContext => {
                let (key, store) = match args {
                    [Node::Constant(Value::Str(key))] => (key, None),
                    [
                        Node::Constant(Value::Str(key)),
                        Node::Constant(Value::Str(store)),
                    ] => (key, Some(&**store)),
                    _ => return Err("a context key that is computed".to_owned()),
                };
                let host = match function {
                    F::FlowContext => Host::FlowGet,
                    _ => Host::GlobalGet,
                };
                self.code.stored(dst, host, key, store, None);
                Ok(())
            }
            F::Now | F::Millis | F::Env => {
                Err(format!("the function `${}` of JSONata", function.name()))
            }
            _ => self.operate(function.number(), args, dst),
        }
    }
}

fn flatten<'n>(node: &'n Node, into: &mut Vec<&'n Node>) {
    match node {
        Node::Concat(sides) => sides.iter().for_each(|side| flatten(side, into)),
        other => into.push(other),
    }
}

fn write(code: &mut Code, value: Arg) {
    let form = Form::Jsonata as u32;
    code.b.call(Helper::WriteValue, [value, form.into()]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mir(expression: &str) -> Result<String, Refusal> {
        let expression = Jsonata::compile(expression).map_err(|e| e.message.to_string())?;
        let mut code = Code::default();
        let dst = code.b.slot();
        lower(&mut code, &expression, dst)?;
        code.b.end(Terminator::Return(dst));
        Ok(code.b.finish().to_string())
    }

    #[test]
    fn arithmetic_is_done_on_unboxed_numbers() {
        let text = mir("payload.a * 2 > n").expect("code");
        for part in ["expect Object", "expect Number", "Mul", "Gt"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("Expression"), "{text}");
    }

    #[test]
    fn the_rest_is_asked_of_the_functions_of_expressions() {
        let text = mir("payload = 'a' ? $uppercase(topic) : $string(n) & '!'").expect("code");
        assert_eq!(text.matches("Expression").count(), 3, "{text}");
        assert!(text.contains("WriteText \"!\""), "{text}");
    }

    #[test]
    fn the_older_form_names_the_message() {
        assert_eq!(mir("msg.payload"), mir("payload"));
    }

    #[test]
    fn what_is_in_the_way_is_said() {
        for (expression, why) in [
            ("$", "the message as a whole"),
            ("payload[0]", "a filter in a path of JSONata"),
            ("payload.(a)", "a path of JSONata with more than names"),
            ("payload[]", "a path in JSONata that keeps arrays"),
            ("[1..3]", "a range in JSONata"),
            ("[[1]]", "an array within an array in JSONata"),
            ("$I + 1", "the variable `$I` of JSONata"),
            (
                "$map(payload, function($x) { $x })",
                "the function `$map` of JSONata",
            ),
            ("$now()", "the function `$now` of JSONata"),
            ("$flowContext(topic)", "a context key that is computed"),
            ("{topic: 1}", "a computed name in an object of JSONata"),
            ("$sort(payload)", "a JSONata expression that is not plain"),
        ] {
            assert_eq!(mir(expression), Err(why.to_owned()), "{expression}");
        }
    }
}
