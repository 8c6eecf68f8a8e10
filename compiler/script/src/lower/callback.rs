//! Functions inside a text: they are put in where they are called.
//!
//! A function that is handed to a method of arrays (`list.map(x => …)`) becomes the body of a loop; one with a name that is
//! only called becomes part of each place that calls it. What else can be done with functions is left to the engine.

use std::collections::HashMap;

use oxc_ast::ast::*;
use oxc_ast_visit::{Visit, walk};
use oxc_semantic::{Scoping, SymbolId};
use oxc_span::Span;
use vgdc_mir::{Arith, BlockId, Builtin, Compare, Helper, Inst, Slot, Terminator};

use super::expr::{Key, Opd};
use super::{Local, Lower, Name, Res, name_of, refuse};
use crate::javascript::parse::Parsed;

/// Instructions after which no more functions are put in.
const LARGEST: usize = 20_000;

/// A function inside the text.
#[derive(Clone, Copy)]
pub(crate) struct Inner<'a, 'w> {
    params: &'w FormalParameters<'a>,
    body: Code<'a, 'w>,
    pub(crate) span: Span,
}

#[derive(Clone, Copy)]
enum Code<'a, 'w> {
    Value(&'w Expression<'a>),
    Statements(&'w [Statement<'a>]),
}

impl<'a, 'w> Inner<'a, 'w> {
    /// The function that an expression is.
    pub(crate) fn of(e: &'w Expression<'a>) -> Option<Inner<'a, 'w>> {
        match e {
            Expression::ParenthesizedExpression(inner) => Inner::of(&inner.expression),
            Expression::ArrowFunctionExpression(arrow) if !arrow.r#async => {
                let body = match &arrow.body {
                    ArrowFunctionBody::FunctionBody(body) => Code::Statements(&body.statements),
                    other => Code::Value(other.as_expression()?),
                };
                Some(Inner {
                    params: &arrow.params,
                    body,
                    span: arrow.span,
                })
            }
            Expression::FunctionExpression(function) => Inner::of_function(function),
            _ => None,
        }
    }

    fn of_function(function: &'w Function<'a>) -> Option<Inner<'a, 'w>> {
        let plain = !function.r#async && !function.generator;
        Some(Inner {
            params: &function.params,
            body: Code::Statements(&function.body.as_ref().filter(|_| plain)?.statements),
            span: function.span,
        })
    }

    /// The names of its parameters; `None` when they are more than names.
    pub(crate) fn params(&self) -> Option<Vec<SymbolId>> {
        let plain = |param: &FormalParameter<'a>| match &param.pattern {
            BindingPattern::BindingIdentifier(name) if param.initializer.is_none() => {
                name.symbol_id.get()
            }
            _ => None,
        };
        match self.params.rest {
            Some(_) => None,
            None => self.params.items.iter().map(plain).collect(),
        }
    }

    /// What it may give back.
    pub(crate) fn results(&self) -> Vec<&'w Expression<'a>> {
        let mut found = Vec::new();
        match self.body {
            Code::Value(e) => found.push(e),
            Code::Statements(statements) => statements
                .iter()
                .for_each(|statement| returned(statement, &mut found)),
        }
        found
    }

    pub(crate) fn statements(&self) -> &'w [Statement<'a>] {
        match self.body {
            Code::Value(_) => &[],
            Code::Statements(statements) => statements,
        }
    }

    pub(crate) fn value(&self) -> Option<&'w Expression<'a>> {
        match self.body {
            Code::Value(e) => Some(e),
            Code::Statements(_) => None,
        }
    }
}

fn returned<'a, 'w>(statement: &'w Statement<'a>, found: &mut Vec<&'w Expression<'a>>) {
    let mut all =
        |list: &'w [Statement<'a>]| list.iter().for_each(|statement| returned(statement, found));
    match statement {
        Statement::ReturnStatement(statement) => found.extend(statement.argument.as_ref()),
        Statement::BlockStatement(block) => all(&block.body),
        Statement::IfStatement(statement) => {
            returned(&statement.consequent, found);
            if let Some(alternate) = &statement.alternate {
                returned(alternate, found);
            }
        }
        Statement::ForStatement(of) => returned(&of.body, found),
        Statement::ForOfStatement(of) => returned(&of.body, found),
        Statement::ForInStatement(of) => returned(&of.body, found),
        Statement::WhileStatement(of) => returned(&of.body, found),
        Statement::DoWhileStatement(of) => returned(&of.body, found),
        Statement::LabeledStatement(labeled) => returned(&labeled.body, found),
        Statement::SwitchStatement(of) => of.cases.iter().for_each(|case| {
            case.consequent
                .iter()
                .for_each(|statement| returned(statement, found));
        }),
        Statement::TryStatement(of) => all(&of.block.body),
        _ => {}
    }
}

/// The function that a call hands to a method of arrays, if that can be a loop.
pub(crate) fn loop_of<'a, 'w>(
    call: &'w CallExpression<'a>,
) -> Option<(&'w str, &'w Expression<'a>, Inner<'a, 'w>)> {
    let Expression::StaticMemberExpression(member) = &call.callee else {
        return None;
    };
    let name = member.property.name.as_str();
    let most = match name {
        "forEach" | "map" | "filter" | "some" | "every" | "find" | "findIndex" => 1,
        "reduce" => 2,
        _ => return None,
    };
    if call.arguments.len() > most || member.optional || call.optional {
        return None;
    }
    let inner = Inner::of(call.arguments.first()?.as_expression()?)?;
    inner.params().map(|_| (name, &member.object, inner))
}

/// Functions by their names.
pub(crate) type Functions<'a, 'w> = HashMap<SymbolId, Inner<'a, 'w>>;

/// The functions of a text that have a name and are only called by it.
pub(crate) fn functions<'a, 'w>(parsed: &Parsed<'a, 'w>) -> Res<Functions<'a, 'w>> {
    let mut found = HashMap::new();
    for statement in parsed.statements {
        match statement {
            Statement::FunctionDeclaration(function) => {
                let symbol = function.id.as_ref().and_then(|name| name.symbol_id.get());
                if let (Some(symbol), Some(inner)) = (symbol, Inner::of_function(function)) {
                    found.insert(symbol, inner);
                }
            }
            Statement::VariableDeclaration(declaration)
                if declaration.kind == VariableDeclarationKind::Const =>
            {
                for declarator in &declaration.declarations {
                    if let (BindingPattern::BindingIdentifier(name), Some(init)) =
                        (&declarator.id, &declarator.init)
                        && let (Some(symbol), Some(inner)) = (name.symbol_id.get(), Inner::of(init))
                    {
                        found.insert(symbol, inner);
                    }
                }
            }
            _ => {}
        }
    }
    found.retain(|_, inner| inner.params().is_some());
    if found.is_empty() {
        return Ok(found);
    }
    let mut uses = Uses {
        scoping: parsed.scoping,
        head: parsed.head,
        calls: HashMap::new(),
        all: HashMap::new(),
    };
    parsed
        .statements
        .iter()
        .for_each(|statement| uses.visit_statement(statement));
    for symbol in found.keys() {
        let counts = (uses.calls.get(symbol), uses.all.get(symbol));
        if let (called, Some((count, at))) = counts
            && called != Some(count)
        {
            return refuse("a function as a value", *at);
        }
    }
    Ok(found)
}

/// Counts where names are called, and where they are used at all.
struct Uses<'s> {
    scoping: &'s Scoping,
    head: u32,
    calls: HashMap<SymbolId, u32>,
    all: HashMap<SymbolId, (u32, u32)>,
}

impl<'a> Visit<'a> for Uses<'_> {
    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        if let Expression::Identifier(name) = &call.callee
            && let Name::Local(symbol) = name_of(self.scoping, self.head, name)
        {
            *self.calls.entry(symbol).or_default() += 1;
        }
        walk::walk_call_expression(self, call);
    }

    fn visit_identifier_reference(&mut self, name: &IdentifierReference<'a>) {
        if let Name::Local(symbol) = name_of(self.scoping, self.head, name) {
            self.all.entry(symbol).or_insert((0, name.span.start)).0 += 1;
        }
    }
}

impl<'a, 'w> Lower<'a, 'w> {
    /// Puts a function in: its value is in the slot afterwards.
    fn put_in(&mut self, inner: Inner<'a, 'w>, result: Slot) -> Res<()> {
        if self.b.size() > LARGEST {
            return refuse("functions that call each other too often", inner.span.start);
        }
        let end = self.b.block();
        match inner.body {
            Code::Value(e) => {
                let value = self.opd(e)?;
                self.store(value, result);
            }
            Code::Statements(statements) => {
                self.b.push(Inst::Undefined { dst: result });
                // (what it declares is new each time)
                for symbol in self.types.declared.clone() {
                    let span = self.scoping.symbol_span(symbol);
                    if inner.span.start <= span.start
                        && span.end <= inner.span.end
                        && !inner
                            .params()
                            .is_some_and(|params| params.contains(&symbol))
                        && let Some(Local::Slot(dst)) = self.locals.get(&symbol).copied()
                    {
                        self.b.push(Inst::Undefined { dst });
                    }
                }
                let targets = std::mem::take(&mut self.targets);
                self.returns.push((end, result));
                let done = self.statements(statements);
                self.returns.pop();
                self.targets = targets;
                done?;
            }
        }
        self.b.jump(end);
        self.b.switch_to(end);
        Ok(())
    }

    /// `return` in a function that is being put in.
    pub(super) fn return_inner(
        &mut self,
        argument: Option<&'w Expression<'a>>,
        to: (BlockId, Slot),
    ) -> Res<()> {
        let (end, result) = to;
        if let Some(argument) = argument {
            self.whole(|lower| {
                let value = lower.opd(argument)?;
                lower.store(value, result);
                Ok(())
            })?;
        }
        self.b.jump(end);
        self.after_end();
        Ok(())
    }

    fn set_param(&mut self, params: &[SymbolId], at: usize, value: Opd) {
        if let Some(local) = params
            .get(at)
            .and_then(|symbol| self.locals.get(symbol))
            .copied()
        {
            self.set_local(local, value);
        }
    }

    /// A call of a function of the text; `None` when the name is none's.
    pub(super) fn call_inner(&mut self, call: &'w CallExpression<'a>) -> Res<Option<Opd>> {
        let Expression::Identifier(name) = &call.callee else {
            return Ok(None);
        };
        let Name::Local(symbol) = self.name(name) else {
            return Ok(None);
        };
        let Some(inner) = self.functions.get(&symbol).copied() else {
            return refuse("a call of a variable", call.span.start);
        };
        if self.inside.contains(&symbol) {
            return refuse("a function that calls itself", call.span.start);
        }
        let params = inner.params().unwrap_or_default();
        let mut values = Vec::new();
        for argument in &call.arguments {
            let Some(e) = argument.as_expression() else {
                return refuse("a spread argument", call.span.start);
            };
            let value = self.opd(e)?;
            values.push(Opd::Temp(self.own(value)));
        }
        values.resize(values.len().max(params.len()), Opd::Undefined);
        for (at, value) in values.into_iter().enumerate() {
            self.set_param(&params, at, value);
        }
        let result = self.temp();
        self.inside.push(symbol);
        let done = self.put_in(inner, result);
        self.inside.pop();
        done?;
        Ok(Some(Opd::Temp(result)))
    }

    /// A method of arrays with a function: a loop.
    pub(super) fn call_loop(&mut self, call: &'w CallExpression<'a>) -> Res<Option<Opd>> {
        let Some((name, receiver, inner)) = loop_of(call) else {
            return Ok(None);
        };
        let at = call.span.start;
        if !self.shared && self.changes_in(inner, receiver) {
            return refuse("a loop that changes what it goes through", at);
        }
        let (list, result, value) = (self.b.slot(), self.temp(), self.temp());
        // (what the function is called with is what is found, whatever it puts there)
        let found = matches!(name, "filter" | "find");
        let element = (self.shared && found).then(|| self.b.slot());
        let opd = self.opd(receiver)?;
        self.store(opd, list);
        self.only_arrays(list);
        let params = inner.params().unwrap_or_default();
        let index = self.b.num();
        self.b.push(Inst::Num {
            dst: index,
            value: 0.0,
        });
        // (what is added meanwhile is not gone through; where something is taken away the engine knows better)
        let count = match self.shared {
            true => {
                let length = self.get(Opd::Slot(list), "length")?;
                let length = self.unbox(length);
                Some(length)
            }
            false => None,
        };
        let first = usize::from(name == "reduce");
        match name {
            "map" | "filter" => self.b.call(Helper::Array, [result.into(), 0.into()]),
            "some" | "every" => {
                let flag = self.b.flag();
                self.b.push(Inst::Flag {
                    dst: flag,
                    value: name == "every",
                });
                self.b.push(Inst::BoxFlag {
                    dst: result,
                    src: flag,
                });
            }
            "findIndex" => {
                let none = self.b.constant(-1.0);
                self.b.push(Inst::Box {
                    dst: result,
                    src: none,
                });
            }
            "reduce" => match call.arguments.get(1).and_then(|init| init.as_expression()) {
                Some(init) => {
                    let value = self.opd(init)?;
                    self.store(value, result);
                }
                None => return refuse("`reduce` without a first value", at),
            },
            _ => self.b.push(Inst::Undefined { dst: result }),
        }
        let [head, body, next, end] = std::array::from_fn(|_| self.b.block());
        self.b.jump(head);
        self.b.switch_to(head);
        self.tick();
        let more = self.whole(|lower| {
            let length = lower.get(Opd::Slot(list), "length")?;
            let (b, dst) = (lower.unbox(length), lower.b.flag());
            if let Some(count) = count {
                lower.bail_if_less(b, count);
            }
            lower.b.push(Inst::Compare {
                op: Compare::Lt,
                dst,
                a: index,
                b: count.unwrap_or(b),
            });
            Ok(dst)
        })?;
        self.b.end(Terminator::Branch(more, body, end));
        self.b.switch_to(body);
        self.whole(|lower| {
            if first == 1 {
                lower.set_param(&params, 0, Opd::Slot(result));
            }
            if let Some(element) = element {
                let value = lower.read(Opd::Slot(list), &Key::Index(index))?;
                lower.store(value, element);
            }
            if let Some(symbol) = params.get(first) {
                lower.set_element(*symbol, list, index)?;
            }
            lower.set_param(&params, first + 1, Opd::Num(index));
            lower.set_param(&params, first + 2, Opd::Slot(list));
            Ok(())
        })?;
        self.whole(|lower| lower.put_in(inner, value))?;
        self.after_turn(name, [list, element.unwrap_or(list)], index, [value, result], [next, end])?;
        self.b.switch_to(next);
        let one = self.b.constant(1.0);
        let after = self.arith(Arith::Add, index, one);
        self.b.push(Inst::MoveNum {
            dst: index,
            src: after,
        });
        self.b.jump(head);
        self.b.switch_to(end);
        self.b.call(Helper::Clear, [list.into()]);
        Ok(Some(Opd::Temp(result)))
    }

    /// What a method does with what the function gave.
    fn after_turn(
        &mut self,
        name: &str,
        [list, kept]: [Slot; 2],
        index: vgdc_mir::Num,
        [value, result]: [Slot; 2],
        [next, end]: [BlockId; 2],
    ) -> Res<()> {
        match name {
            "map" => self.b.call(Helper::Push, [result.into(), value.into()]),
            "reduce" => self.store(Opd::Temp(value), result),
            "forEach" => {}
            _ => {
                let (flag, taken) = (self.truth(Opd::Slot(value)), self.b.block());
                self.b.end(match name {
                    "every" => Terminator::Branch(flag, next, taken),
                    _ => Terminator::Branch(flag, taken, next),
                });
                self.b.switch_to(taken);
                match name {
                    "filter" => self.whole(|lower| {
                        let element = lower.found(list, kept, index)?;
                        let element = lower.own(element);
                        lower.b.call(Helper::Push, [result.into(), element.into()]);
                        Ok(())
                    })?,
                    "find" => self.whole(|lower| {
                        let element = lower.found(list, kept, index)?;
                        lower.store(element, result);
                        Ok(())
                    })?,
                    "findIndex" => self.b.push(Inst::Box {
                        dst: result,
                        src: index,
                    }),
                    _ => {
                        let flag = self.b.flag();
                        self.b.push(Inst::Flag {
                            dst: flag,
                            value: name == "some",
                        });
                        self.b.push(Inst::BoxFlag {
                            dst: result,
                            src: flag,
                        });
                    }
                }
                self.b.jump(if name == "filter" { next } else { end });
            }
        }
        self.b.jump(next);
        Ok(())
    }

    /// The element that a turn was about: kept, or else in the list.
    fn found(&mut self, list: Slot, kept: Slot, index: vgdc_mir::Num) -> Res<Opd> {
        match kept == list {
            true => self.read(Opd::Slot(list), &Key::Index(index)),
            false => Ok(Opd::Slot(kept)),
        }
    }

    fn bail_if_less(&mut self, a: vgdc_mir::Num, b: vgdc_mir::Num) {
        let (less, bail, more) = (self.b.flag(), self.b.block(), self.b.block());
        self.b.push(Inst::Compare {
            op: Compare::Lt,
            dst: less,
            a,
            b,
        });
        self.b.end(Terminator::Branch(less, bail, more));
        self.b.switch_to(bail);
        self.b.end(Terminator::Bail);
        self.b.switch_to(more);
    }

    /// Bails out when a slot holds anything but an array.
    pub(super) fn only_arrays(&mut self, list: Slot) {
        let (dst, flag) = (self.temp(), self.b.flag());
        let args = [
            dst.into(),
            list.into(),
            (Builtin::IsArray as u32).into(),
            1.into(),
        ];
        self.b.call(Helper::Builtin, args);
        self.b.push(Inst::Truthy {
            dst: flag,
            src: dst.into(),
        });
        let (more, bail) = (self.b.block(), self.b.block());
        self.b.end(Terminator::Branch(flag, more, bail));
        self.b.switch_to(bail);
        self.b.end(Terminator::Bail);
        self.b.switch_to(more);
    }
}
