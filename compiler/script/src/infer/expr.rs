//! Expressions.

use oxc_ast::ast::*;
use oxc_span::GetSpan as _;
use oxc_syntax::operator::{AssignmentOperator, BinaryOperator, UnaryOperator};
use vgdc_ir::Ty;
use vgdc_syntax::codes;

use super::names::{self, Callee};
use super::state::{Loc, Val};
use super::{Beyond, Infer, Res, meet};

impl<'a> Infer<'_> {
    /// What an expression gives, and what it does on the way.
    pub(super) fn eval(&mut self, e: &Expression<'a>) -> Res<Val> {
        self.step()?;
        if self.state.is_none() {
            return Ok(Val::never());
        }
        Ok(match e {
            Expression::ParenthesizedExpression(inner) => return self.eval(&inner.expression),
            Expression::NumericLiteral(number) => of_number(number.value).into(),
            Expression::StringLiteral(_) => Ty::STRING.into(),
            Expression::BooleanLiteral(_) => Ty::BOOL.into(),
            Expression::NullLiteral(_) => Ty::NULL.into(),
            Expression::BigIntLiteral(_) | Expression::RegExpLiteral(_) => Ty::OTHER.into(),
            Expression::FunctionExpression(_) | Expression::ArrowFunctionExpression(_) => {
                Ty::OTHER.into()
            }
            Expression::TemplateLiteral(template) => {
                for part in &template.expressions {
                    self.eval(part)?;
                }
                Ty::STRING.into()
            }
            Expression::Identifier(name) => self.name(name),
            Expression::ObjectExpression(object) => return self.object(object),
            Expression::ArrayExpression(list) => return self.array(list),
            Expression::StaticMemberExpression(member) => {
                if let Expression::Identifier(of) = &member.object
                    && names::is_node(self.scoping, of)
                {
                    return Ok(Val::any());
                }
                let of = self.eval(&member.object)?;
                let name = member.property.name.as_str();
                let val = self.read(&of, name, member.object.span(), member.span);
                // (two places in the text never begin and end alike)
                self.found(&of, name, val, member.property.span.start)
            }
            Expression::ComputedMemberExpression(member) => {
                let of = self.eval(&member.object)?;
                let key = self.key(&member.expression)?;
                match key {
                    Some(name) => self.read(&of, &name, member.object.span(), member.span),
                    None => self.read_some(&of),
                }
            }
            Expression::ChainExpression(chain) => return self.chain(chain),
            Expression::UnaryExpression(unary) => return self.unary(unary),
            Expression::BinaryExpression(binary) => return self.binary(binary),
            Expression::LogicalExpression(_) => return self.logical(e),
            Expression::ConditionalExpression(of) => {
                let (yes, no) = self.condition(&of.test)?;
                return self.perhaps(|infer| {
                    infer.state = yes;
                    let one = infer.eval(&of.consequent)?;
                    let after = std::mem::replace(&mut infer.state, no);
                    let other = infer.eval(&of.alternate)?;
                    infer.state = meet(infer.state.take(), after);
                    Ok(one.join(&other))
                });
            }
            Expression::SequenceExpression(list) => {
                let mut last = Val::never();
                for e in &list.expressions {
                    last = self.eval(e)?;
                }
                last
            }
            Expression::AssignmentExpression(assign) => return self.assignment(assign),
            Expression::UpdateExpression(update) => {
                let of = self.target(&update.argument)?;
                let made = numeric(&self.read_from(&update.argument, &of));
                self.write(&update.argument, of, made.clone());
                made
            }
            Expression::CallExpression(call) => return self.call(call),
            Expression::NewExpression(new) => {
                let args = self.arguments(&new.arguments)?;
                match names::made_by_new(self.scoping, new) {
                    Some(ty) => ty.into(),
                    None => {
                        self.eval(&new.callee)?;
                        self.unknown_call(None, &args);
                        Val::any()
                    }
                }
            }
            _ => return Err(Beyond),
        })
    }

    fn name(&self, name: &IdentifierReference<'a>) -> Val {
        let Some(state) = &self.state else {
            return Val::never();
        };
        match names::symbol(self.scoping, name) {
            Some(symbol) if self.facts.reached.contains(&symbol) => Val::any(),
            Some(symbol) => state.var(symbol),
            None => match name.name.as_str() {
                "undefined" => Ty::UNDEFINED.into(),
                "NaN" | "Infinity" => Ty::NUMBER.into(),
                _ => Val::any(),
            },
        }
    }

    // ---- properties

    fn read(&mut self, of: &Val, name: &str, object: oxc_span::Span, at: oxc_span::Span) -> Val {
        let shown = self.source(object).to_owned();
        self.check_readable(of, name, &shown, at);
        let Some(state) = &self.state else {
            return Val::never();
        };
        state.get(of, name)
    }

    /// What a property has of which the name is not known.
    fn read_some(&mut self, of: &Val) -> Val {
        if let Some(state) = &mut self.state {
            state.hand_out(of);
        }
        // (it may be a method's name)
        Val::any()
    }

    /// The name that a computed key stands for, if it is known.
    fn key(&mut self, e: &Expression<'a>) -> Res<Option<String>> {
        let key = match e.without_parentheses() {
            Expression::StringLiteral(text) => Some(text.value.to_string()),
            Expression::NumericLiteral(number) if of_number(number.value) == Ty::INT => {
                Some(format!("{}", number.value))
            }
            other => {
                self.eval(other)?;
                None
            }
        };
        Ok(key)
    }

    /// An object that is about to be written into: it is followed from now on, where that can be.
    fn written(&mut self, e: &Expression<'a>) -> Res<Val> {
        let val = self.eval(e)?;
        if let Expression::Identifier(name) = e.without_parentheses()
            && let Some(symbol) = names::symbol(self.scoping, name)
            && !self.facts.reached.contains(&symbol)
            && val.is(&Ty::any_object())
            && let Some(state) = &mut self.state
        {
            let found = state.make(name.span.start, &val.ty, true);
            state.set_var(symbol, found.clone());
            return Ok(found);
        }
        Ok(val)
    }

    /// An object that was found in another one: it is followed from now on, where that can be. Others may have it too.
    fn found(&mut self, of: &Val, name: &str, val: Val, at: Loc) -> Val {
        let Some(state) = self.state.as_mut().filter(|_| val.is(&Ty::any_object())) else {
            return val;
        };
        let Some(loc) = state.the_one(of) else {
            return val;
        };
        let found = state.make(at, &val.ty, true);
        state.know(loc, name, found.clone());
        found
    }

    fn chain(&mut self, chain: &ChainExpression<'a>) -> Res<Val> {
        let before = self.state.clone();
        let val = self.perhaps(|infer| match &chain.expression {
            ChainElement::CallExpression(call) => infer.call(call),
            ChainElement::StaticMemberExpression(member) => {
                let of = infer.optional(&member.object)?;
                let name = member.property.name.as_str();
                Ok(infer.read(&of, name, member.object.span(), member.span))
            }
            ChainElement::ComputedMemberExpression(member) => {
                let of = infer.optional(&member.object)?;
                match infer.key(&member.expression)? {
                    Some(name) => Ok(infer.read(&of, &name, member.object.span(), member.span)),
                    None => Ok(infer.read_some(&of)),
                }
            }
            _ => Err(Beyond),
        })?;
        self.state = meet(self.state.take(), before);
        Ok(val.join(&Ty::UNDEFINED.into()))
    }

    fn optional(&mut self, e: &Expression<'a>) -> Res<Val> {
        self.eval(e)
    }

    // ---- literals

    fn object(&mut self, object: &ObjectExpression<'a>) -> Res<Val> {
        let (mut fields, mut open): (Vec<(String, Val)>, bool) = (Vec::new(), false);
        for property in &object.properties {
            match property {
                ObjectPropertyKind::ObjectProperty(property) => {
                    let name = match (property.computed, property.key.static_name()) {
                        (false, Some(name)) => Some(name.into_owned()),
                        (true, _) => self.key(property.key.as_expression().ok_or(Beyond)?)?,
                        (false, None) => return Err(Beyond),
                    };
                    let val = self.eval(&property.value)?;
                    match name {
                        Some(name) => put(&mut fields, name, val),
                        None => {
                            self.forget(&mut fields, Some(&val));
                            open = true;
                        }
                    }
                }
                ObjectPropertyKind::SpreadProperty(spread) => {
                    let val = self.eval(&spread.argument)?;
                    let Some(state) = &mut self.state else {
                        return Ok(val);
                    };
                    if let Some(own) = state.fields(&val) {
                        for (name, own) in own {
                            let before = got(&fields, &name, open);
                            // (a field that is not there leaves what was there before)
                            let own = match state.type_of(&own).may_be(&Ty::UNDEFINED) {
                                true => own.join(&before),
                                false => own,
                            };
                            put(&mut fields, name, own);
                        }
                        continue;
                    }
                    let ty = state.hand_out(&val);
                    let (own, more) = ty.fields();
                    if more || !ty.is(&Ty::any_object()) {
                        self.forget(&mut fields, None);
                        open = true;
                        continue;
                    }
                    for (name, own) in own {
                        let mut own: Val = own.clone().into();
                        if own.ty.may_be(&Ty::UNDEFINED) {
                            own = own.join(&got(&fields, name, open));
                        }
                        put(&mut fields, name.to_owned(), own);
                    }
                }
            }
        }
        let Some(state) = &mut self.state else {
            return Ok(Val::never());
        };
        let made = state.make_of(object.span.start, fields, open);
        self.may_throw();
        Ok(made)
    }

    /// Nothing is known of fields any more, which go on to be there.
    fn forget(&mut self, fields: &mut Vec<(String, Val)>, also: Option<&Val>) {
        if let Some(state) = &mut self.state {
            let vals = fields.iter().map(|(_, val)| val).chain(also);
            vals.for_each(|val| drop(state.hand_out(val)));
        }
        fields.clear();
    }

    fn array(&mut self, list: &ArrayExpression<'a>) -> Res<Val> {
        let mut of = Ty::NEVER;
        for element in &list.elements {
            let ty = match element {
                ArrayExpressionElement::SpreadElement(spread) => {
                    let val = self.eval(&spread.argument)?;
                    self.item(&val).ty
                }
                ArrayExpressionElement::Elision(_) => Ty::UNDEFINED,
                other => {
                    let val = self.eval(other.as_expression().ok_or(Beyond)?)?;
                    let Some(state) = &mut self.state else {
                        return Ok(Val::never());
                    };
                    state.hand_out(&val)
                }
            };
            of = of.join(&ty);
        }
        Ok(Ty::array(of).into())
    }

    // ---- operators

    fn unary(&mut self, unary: &UnaryExpression<'a>) -> Res<Val> {
        if unary.operator == UnaryOperator::Delete {
            return self.delete(&unary.argument);
        }
        if unary.operator == UnaryOperator::UnaryNegation
            && let Expression::NumericLiteral(number) = unary.argument.without_parentheses()
        {
            return Ok(of_number(-number.value).into());
        }
        let val = self.eval(&unary.argument)?;
        Ok(match unary.operator {
            UnaryOperator::UnaryPlus => Ty::NUMBER.into(),
            UnaryOperator::UnaryNegation => numeric(&val),
            UnaryOperator::BitwiseNot => bits(&val, &val),
            UnaryOperator::LogicalNot => Ty::BOOL.into(),
            UnaryOperator::Typeof => Ty::STRING.into(),
            UnaryOperator::Void => Ty::UNDEFINED.into(),
            UnaryOperator::Delete => return Err(Beyond),
        })
    }

    fn delete(&mut self, e: &Expression<'a>) -> Res<Val> {
        let (of, name) = match e.without_parentheses() {
            Expression::StaticMemberExpression(member) => (
                self.written(&member.object)?,
                Some(member.property.name.to_string()),
            ),
            Expression::ComputedMemberExpression(member) => {
                let of = self.written(&member.object)?;
                (of, self.key(&member.expression)?)
            }
            _ => return Err(Beyond),
        };
        if let Some(state) = &mut self.state {
            state.set(&of, name.as_deref(), &Ty::UNDEFINED.into());
        }
        self.may_throw();
        Ok(Ty::BOOL.into())
    }

    fn binary(&mut self, binary: &BinaryExpression<'a>) -> Res<Val> {
        let (left, right) = (self.eval(&binary.left)?, self.eval(&binary.right)?);
        Ok(match binary.operator {
            BinaryOperator::Addition => sum(&left, &right),
            operator if operator.is_arithmetic() => {
                for (val, e) in [(&left, &binary.left), (&right, &binary.right)] {
                    self.check_number(val, e.span(), binary.span);
                }
                both_numeric(&left, &right)
            }
            BinaryOperator::ShiftRightZeroFill => Ty::NUMBER.into(),
            operator if operator.is_bitwise() => bits(&left, &right),
            _ => Ty::BOOL.into(),
        })
    }

    /// Notes that calculating with a value gives no number for sure.
    fn check_number(&mut self, val: &Val, of: oxc_span::Span, at: oxc_span::Span) {
        let Some(state) = &self.state else { return };
        let ty = state.type_of(val);
        let absent = |name: &str| ty.field(name).is(&Ty::UNDEFINED);
        let plain = ty.is(&Ty::any_object()) && !ty.is_never();
        if !(plain && absent("valueOf") && absent("toString")) {
            return;
        }
        let shown = self.source(of).to_owned();
        let message =
            format!("`{shown}` is always an object here, so calculating with it gives NaN");
        self.fault(codes::ALWAYS_NAN, message, at);
    }

    fn logical(&mut self, e: &Expression<'a>) -> Res<Val> {
        let (yes, no) = self.condition(e)?;
        self.state = meet(yes, no);
        Ok(std::mem::replace(&mut self.value, Val::never()))
    }

    fn assignment(&mut self, assign: &AssignmentExpression<'a>) -> Res<Val> {
        let target = assign.left.as_simple_assignment_target().ok_or(Beyond)?;
        match assign.operator {
            AssignmentOperator::Assign => {
                let of = self.target(target)?;
                let val = self.eval(&assign.right)?;
                self.write(target, of, val.clone());
                Ok(val)
            }
            operator if operator.is_logical() => {
                let of = self.target(target)?;
                let before = self.read_from(target, &of);
                let state = self.state.clone();
                self.perhaps(|infer| {
                    let val = infer.eval(&assign.right)?;
                    let made = before.join(&val);
                    infer.write(target, of, made.clone());
                    infer.state = meet(infer.state.take(), state);
                    Ok(made)
                })
            }
            operator => {
                let of = self.target(target)?;
                let before = self.read_from(target, &of);
                let right = self.eval(&assign.right)?;
                let made = match operator {
                    AssignmentOperator::Addition => sum(&before, &right),
                    AssignmentOperator::ShiftRightZeroFill => Ty::NUMBER.into(),
                    AssignmentOperator::BitwiseAnd
                    | AssignmentOperator::BitwiseOR
                    | AssignmentOperator::BitwiseXOR
                    | AssignmentOperator::ShiftLeft
                    | AssignmentOperator::ShiftRight => bits(&before, &right),
                    _ => both_numeric(&before, &right),
                };
                self.write(target, of, made.clone());
                Ok(made)
            }
        }
    }

    /// The object and the key that a target names; a variable has neither.
    fn target(
        &mut self,
        target: &SimpleAssignmentTarget<'a>,
    ) -> Res<Option<(Val, Option<String>)>> {
        match target {
            SimpleAssignmentTarget::AssignmentTargetIdentifier(_) => Ok(None),
            SimpleAssignmentTarget::StaticMemberExpression(member) => {
                let of = self.written(&member.object)?;
                let name = member.property.name.as_str();
                let shown = self.source(member.object.span()).to_owned();
                self.check_readable(&of, name, &shown, member.span);
                Ok(Some((of, Some(name.to_owned()))))
            }
            SimpleAssignmentTarget::ComputedMemberExpression(member) => {
                let of = self.written(&member.object)?;
                let key = self.key(&member.expression)?;
                Ok(Some((of, key)))
            }
            _ => Err(Beyond),
        }
    }

    fn read_from(
        &mut self,
        target: &SimpleAssignmentTarget<'a>,
        of: &Option<(Val, Option<String>)>,
    ) -> Val {
        match (of, target) {
            (None, SimpleAssignmentTarget::AssignmentTargetIdentifier(name)) => self.name(name),
            (Some((of, Some(name))), _) => match &self.state {
                Some(state) => state.get(of, name),
                None => Val::never(),
            },
            (Some((of, None)), _) => self.read_some(of),
            (None, _) => Val::any(),
        }
    }

    fn write(
        &mut self,
        target: &SimpleAssignmentTarget<'a>,
        of: Option<(Val, Option<String>)>,
        val: Val,
    ) {
        match (of, target) {
            (None, SimpleAssignmentTarget::AssignmentTargetIdentifier(name)) => {
                self.assign_name(name, val);
            }
            (Some((of, name)), _) => {
                if let Some(state) = &mut self.state {
                    state.set(&of, name.as_deref(), &val);
                }
            }
            (None, _) => {}
        }
        self.may_throw();
    }

    // ---- calls

    /// Values of arguments; whether one of them is a function.
    fn arguments(&mut self, arguments: &[Argument<'a>]) -> Res<Args> {
        let mut args = Args::default();
        for argument in arguments {
            match argument {
                Argument::SpreadElement(spread) => {
                    let val = self.eval(&spread.argument)?;
                    let item = self.item(&val);
                    args.vals.push(item);
                }
                other => {
                    let e = other.as_expression().ok_or(Beyond)?;
                    let val = self.eval(e)?;
                    args.vals.push(val);
                }
            }
        }
        args.code = args.vals.iter().any(|val| val.ty.may_be(&Ty::OTHER));
        Ok(args)
    }

    fn call(&mut self, call: &CallExpression<'a>) -> Res<Val> {
        match names::callee(self.scoping, &call.callee) {
            Callee::Node("send") => {
                if let Some(sent) = call.arguments.first() {
                    self.send_expression(sent.as_expression().ok_or(Beyond)?)?;
                }
                self.arguments(call.arguments.get(1..).unwrap_or_default())?;
                Ok(Ty::UNDEFINED.into())
            }
            Callee::Node(_) => {
                self.arguments(&call.arguments)?;
                Ok(Ty::UNDEFINED.into())
            }
            Callee::World(path) => self.call_world(&path, call),
            Callee::Method(of, name) => self.call_method(of, name, call),
            Callee::Other => {
                let callee = self.eval(&call.callee)?;
                let args = self.arguments(&call.arguments)?;
                self.unknown_call(Some(&callee), &args);
                Ok(Val::any())
            }
        }
    }

    fn call_world(&mut self, path: &str, call: &CallExpression<'a>) -> Res<Val> {
        let args = self.arguments(&call.arguments)?;
        if path == "RED.util.cloneMessage" {
            let Some(state) = &mut self.state else {
                return Ok(Val::never());
            };
            let ty = args
                .vals
                .first()
                .map_or(Ty::UNDEFINED, |val| state.type_of(val));
            if ty.is(&Ty::any_object()) && !ty.is_never() {
                return Ok(state.make(call.span.start, &ty, false));
            }
            return Ok(ty.into());
        }
        if let Some(ty) = names::given_by(path) {
            self.run_functions(&args);
            return Ok(ty.into());
        }
        if names::keeps(path) || names::runs_later(path) {
            if let Some(state) = &mut self.state {
                args.vals.iter().for_each(|val| drop(state.hand_out(val)));
            }
            if names::keeps(path) {
                self.run_functions(&args);
            }
            return Ok(Val::any());
        }
        self.unknown_call(None, &args);
        Ok(Val::any())
    }

    fn call_method(
        &mut self,
        of: &Expression<'a>,
        name: &str,
        call: &CallExpression<'a>,
    ) -> Res<Val> {
        let receiver = self.eval(of)?;
        let shown = self.source(of.span()).to_owned();
        self.check_readable(&receiver, name, &shown, call.span);
        self.check_method(&receiver, name, &shown, call.span);
        let args = self.arguments(&call.arguments)?;
        let own = receiver.locs.is_empty();
        if let Some(ty) = names::given_by_method(&receiver.ty, name).filter(|_| own) {
            if let Some(state) = &mut self.state {
                args.vals.iter().for_each(|val| drop(state.hand_out(val)));
            }
            self.run_functions(&args);
            return Ok(ty.into());
        }
        let array = receiver.is(&Ty::array(Ty::ANY));
        if let (true, Some(state)) = (array, &mut self.state) {
            let element = receiver.ty.element().unwrap_or_default();
            let found = match name {
                "push" | "unshift" => {
                    args.vals.iter().for_each(|val| state.push(val));
                    Some(Ty::NUMBER)
                }
                "pop" | "shift" => Some(element.join(&Ty::UNDEFINED)),
                "reverse" => Some(receiver.ty.clone()),
                "splice" => {
                    args.vals.iter().skip(2).for_each(|val| state.push(val));
                    Some(Ty::array(element))
                }
                _ => None,
            };
            if let Some(ty) = found {
                self.may_throw();
                return Ok(ty.into());
            }
        }
        if names::changes_nothing(name) && !self.facts.changes {
            if let Some(state) = &mut self.state {
                let vals = args.vals.iter().chain([&receiver]);
                vals.for_each(|val| drop(state.hand_out(val)));
            }
            return Ok(Val::any());
        }
        self.unknown_call(Some(&receiver), &args);
        Ok(Val::any())
    }

    /// Notes that a value has no such method for sure.
    fn check_method(&mut self, of: &Val, name: &str, shown: &str, at: oxc_span::Span) {
        let every = [
            "toString",
            "valueOf",
            "toLocaleString",
            "hasOwnProperty",
            "constructor",
        ];
        let of_numbers = ["toFixed", "toPrecision", "toExponential"];
        let kind = match () {
            () if every.contains(&name) => return,
            () if of.is(&Ty::NUMBER) && !of_numbers.contains(&name) => "a number",
            () if of.is(&Ty::BOOL) => "a boolean",
            () => {
                let Some(state) = &self.state else { return };
                let ty = state.type_of(of);
                let found = ty.is(&Ty::any_object()) && !ty.is_never();
                match found && ty.property(name).is(&Ty::UNDEFINED) {
                    true => "an object without it",
                    false => return,
                }
            }
        };
        let message = format!("`{shown}` is always {kind} here, so calling `{name}` of it fails");
        self.fault(codes::ALWAYS_THROWS, message, at);
    }

    /// Functions that were handed over may have been run.
    fn run_functions(&mut self, args: &Args) {
        if args.code
            && self.facts.changes
            && let Some(state) = &mut self.state
        {
            args.vals.iter().for_each(|val| drop(state.hand_out(val)));
            state.unknown_code();
        }
        self.may_throw();
    }

    /// Something is called of which nothing is known.
    fn unknown_call(&mut self, of: Option<&Val>, args: &Args) {
        if let Some(state) = &mut self.state {
            let vals = args.vals.iter().chain(of);
            vals.for_each(|val| drop(state.hand_out(val)));
            state.unknown_code();
        }
        self.may_throw();
    }

    // ---- messages

    /// Sends what an expression gives. Of an array that is written out, each element is sent to its output.
    pub(super) fn send_expression(&mut self, e: &Expression<'a>) -> Res<()> {
        let Expression::ArrayExpression(list) = e.without_parentheses() else {
            let val = self.eval(e)?;
            self.send(&val);
            return Ok(());
        };
        let mut sent = Vec::new();
        for element in &list.elements {
            match element {
                ArrayExpressionElement::SpreadElement(_) => {
                    // (from here on anything may go to any output)
                    let val = self.eval(e)?;
                    self.send(&val);
                    return Ok(());
                }
                ArrayExpressionElement::Elision(_) => sent.push(Val::never()),
                other => sent.push(self.eval(other.as_expression().ok_or(Beyond)?)?),
            }
        }
        let Some(state) = &self.state else {
            return Ok(());
        };
        let types: Vec<Ty> = sent.iter().map(|val| state.type_sent(val)).collect();
        self.id = self.id.join(&super::id_of_message(state));
        for (output, ty) in types.iter().enumerate() {
            self.send_to(output, ty);
        }
        Ok(())
    }
}

/// Arguments of a call.
#[derive(Default)]
struct Args {
    vals: Vec<Val>,
    /// One of them may be a function.
    code: bool,
}

fn put(fields: &mut Vec<(String, Val)>, name: String, val: Val) {
    fields.retain(|(known, _)| *known != name);
    fields.push((name, val));
}

fn got(fields: &[(String, Val)], name: &str, open: bool) -> Val {
    let found = fields.iter().find(|(known, _)| known == name);
    match (found, open) {
        (Some((_, val)), _) => val.clone(),
        (None, true) => Val::any(),
        (None, false) => Ty::UNDEFINED.into(),
    }
}

/// The type of a number that is written out.
fn of_number(value: f64) -> Ty {
    let whole = value.fract() == 0.0 && value.abs() < f64::from(i32::MAX);
    let minus_zero = value == 0.0 && value.is_sign_negative();
    if whole && !minus_zero {
        Ty::INT
    } else {
        Ty::NUMBER
    }
}

/// Whether it may be a big integer, or become one.
fn may_be_big(val: &Val) -> bool {
    let objects = "object{..} | other | handle".parse().unwrap_or_default();
    !val.locs.is_empty() || val.ty.may_be(&objects)
}

fn numeric(val: &Val) -> Val {
    both_numeric(val, val)
}

fn both_numeric(one: &Val, other: &Val) -> Val {
    match may_be_big(one) && may_be_big(other) {
        true => Ty::NUMBER.join(&Ty::OTHER).into(),
        false => Ty::NUMBER.into(),
    }
}

fn bits(one: &Val, other: &Val) -> Val {
    match may_be_big(one) && may_be_big(other) {
        true => Ty::INT.join(&Ty::OTHER).into(),
        false => Ty::INT.into(),
    }
}

fn sum(one: &Val, other: &Val) -> Val {
    if one.is(&Ty::STRING) || other.is(&Ty::STRING) {
        return Ty::STRING.into();
    }
    let plain = "undefined | null | bool | number"
        .parse()
        .unwrap_or_default();
    if one.is(&plain) && other.is(&plain) {
        return Ty::NUMBER.into();
    }
    let text = both_numeric(one, other);
    text.join(&Ty::STRING.into())
}
