//! Functions inside a text: they are put in where they are called.
//!
//! A function that is handed to a method of arrays (`list.map(x => …)`) becomes the body of a loop; one with a name that is
//! only called becomes part of each place that calls it. What else can be done with functions is left to the engine.

use std::collections::HashMap;

use oxc_ast::AstKind;
use oxc_ast::ast::*;
use oxc_ast_visit::{Visit, walk};
use oxc_semantic::{Scoping, SymbolId};
use oxc_span::Span;
use vgdc_mir::{Arith, BlockId, Builtin, Compare, Helper, Inst, Method, Slot, Terminator};

use super::expr::{Key, Opd};
use super::handed::{Handed, Passed};
use super::types::names_of;
use super::{Local, Lower, Name, Res, name_of, refuse};
use crate::javascript::parse::Parsed;

/// Instructions after which no more functions are put in.
const LARGEST: usize = 10_000;

/// A function inside the text.
#[derive(Clone, Copy)]
pub(crate) struct Inner<'a, 'w> {
    params: &'w FormalParameters<'a>,
    body: Code<'a, 'w>,
    pub(crate) span: Span,
    /// Nobody ever calls it: what it would do does not matter.
    pub(crate) dead: bool,
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
                    dead: false,
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
            dead: false,
        })
    }

    /// Whether its parameters can be given their values.
    pub(super) fn fits(&self) -> bool {
        let names = |param: &FormalParameter<'a>| names_of(&param.pattern).is_some();
        self.params.rest.is_none() && self.params.items.iter().all(names)
    }

    /// Its parameters.
    pub(crate) fn params(&self) -> &'w [FormalParameter<'a>] {
        &self.params.items
    }

    /// The name of a parameter that is one.
    pub(crate) fn param(&self, at: usize) -> Option<SymbolId> {
        match &self.params.items.get(at)?.pattern {
            BindingPattern::BindingIdentifier(name) => name.symbol_id.get(),
            _ => None,
        }
    }

    /// The name of a parameter that is what it is called with, and nothing else.
    pub(super) fn plain_param(&self, at: usize) -> Option<SymbolId> {
        let param = self.params.items.get(at)?;
        let symbol = self.param(at)?;
        param.initializer.is_none().then_some(symbol)
    }

    /// Whether all parameters are what they are called with, and nothing else.
    pub(crate) fn is_plain(&self) -> bool {
        let plain = |param: &FormalParameter<'a>| {
            param.initializer.is_none()
                && matches!(param.pattern, BindingPattern::BindingIdentifier(_))
        };
        self.params.items.iter().all(plain)
    }

    /// All names that its parameters give.
    fn names(&self) -> Vec<SymbolId> {
        let names = |param: &FormalParameter<'a>| names_of(&param.pattern).unwrap_or_default();
        self.params.items.iter().flat_map(names).collect()
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

/// A call of a method of arrays that can be a loop: the method, what it goes through, and the function.
pub(crate) type Loop<'a, 'w> = (&'w str, &'w Expression<'a>, Inner<'a, 'w>);

/// The loop that a call with a function in it is.
pub(crate) fn loop_of<'a, 'w>(call: &'w CallExpression<'a>) -> Option<Loop<'a, 'w>> {
    let (name, object, function) = looping(call)?;
    let inner = Inner::of(function)?;
    inner.fits().then_some((name, object, inner))
}

/// The loop that a call is, with a function in it or with one of the text.
pub(crate) fn loop_with<'a, 'w>(
    call: &'w CallExpression<'a>,
    functions: &Functions<'a, 'w>,
    scoping: &Scoping,
    head: u32,
) -> Option<Loop<'a, 'w>> {
    if let Some(found) = loop_of(call) {
        return Some(found);
    }
    let (method, object, Expression::Identifier(name)) = looping(call)? else {
        return None;
    };
    match name_of(scoping, head, name) {
        Name::Local(symbol) => Some((method, object, *functions.get(&symbol)?)),
        _ => None,
    }
}

/// A call of a method of arrays that takes a function: the method, the receiver, and what is handed over.
fn looping<'a, 'w>(
    call: &'w CallExpression<'a>,
) -> Option<(&'w str, &'w Expression<'a>, &'w Expression<'a>)> {
    let Expression::StaticMemberExpression(member) = &call.callee else {
        return None;
    };
    let name = member.property.name.as_str();
    let most = match name {
        "forEach" | "map" | "filter" | "some" | "every" | "find" | "findIndex" | "flatMap"
        | "sort" => 1,
        "reduce" => 2,
        _ => return None,
    };
    if call.arguments.len() > most || call.optional {
        return None;
    }
    Some((
        name,
        &member.object,
        call.arguments.first()?.as_expression()?,
    ))
}

/// Functions by their names.
pub(crate) type Functions<'a, 'w> = HashMap<SymbolId, Inner<'a, 'w>>;

/// The functions of a text that have a name and are only called by it, or by that of a parameter that they are handed to.
pub(crate) fn functions<'a, 'w>(parsed: &Parsed<'a, 'w>) -> Res<(Functions<'a, 'w>, Handed)> {
    let mut found = HashMap::new();
    let mut twice = Vec::new();
    for node in parsed.nodes.iter() {
        let (symbol, inner) = match node.kind() {
            AstKind::Function(function) if function.is_declaration() => {
                let symbol = function.id.as_ref().and_then(|name| name.symbol_id.get());
                (symbol, Inner::of_function(function))
            }
            AstKind::VariableDeclarator(declarator) => match (&declarator.id, &declarator.init) {
                (BindingPattern::BindingIdentifier(name), Some(init)) => {
                    (name.symbol_id.get(), Inner::of(init))
                }
                _ => continue,
            },
            _ => continue,
        };
        if let (Some(symbol), Some(inner)) = (symbol, inner)
            && inner.span.start >= parsed.head
            && inner.fits()
            && found.insert(symbol, inner).is_some()
        {
            twice.push(symbol);
        }
    }
    let written = |symbol: &SymbolId| {
        let mut references = parsed.scoping.get_resolved_references(*symbol);
        references.any(|reference| reference.is_write())
    };
    found.retain(|symbol, _| !twice.contains(symbol) && !written(symbol));
    let mut uses = Uses {
        scoping: parsed.scoping,
        head: parsed.head,
        calls: HashMap::new(),
        all: HashMap::new(),
        places: HashMap::new(),
        passed: Vec::new(),
        immediate: Vec::new(),
    };
    parsed
        .statements
        .iter()
        .for_each(|statement| uses.visit_statement(statement));
    bury(&mut found, &uses.places);
    let immediate = std::mem::take(&mut uses.immediate);
    let mut handed = Handed::find(&found, &uses.calls, &uses.all, &uses.passed, immediate);
    handed.in_circles = in_circles(&found, &uses.places);
    // (one that is a value somewhere is refused there, and nothing is known of who calls it)
    let known = found.clone();
    found.retain(|symbol, inner| {
        let called = uses.calls.get(symbol).copied().unwrap_or_default();
        let passed = handed.times(*symbol, &known, &uses.passed);
        let all = uses.all.get(symbol).copied().unwrap_or_default();
        inner.dead || called + passed == all
    });
    Ok((found, handed))
}

/// Whether a function may come to its own call again.
fn in_circles(functions: &Functions<'_, '_>, uses: &HashMap<SymbolId, Vec<u32>>) -> bool {
    let used_in = |span: Span| {
        functions.keys().filter(move |symbol| {
            let mut places = uses.get(symbol).into_iter().flatten();
            places.any(|at| span.start <= *at && *at < span.end)
        })
    };
    functions.iter().any(|(symbol, inner)| {
        let (mut found, mut todo) = (Vec::new(), vec![inner.span]);
        while let Some(span) = todo.pop() {
            for used in used_in(span) {
                if used == symbol {
                    return true;
                }
                if !found.contains(used) {
                    found.push(*used);
                    todo.extend(functions.get(used).map(|inner| inner.span));
                }
            }
        }
        false
    })
}

/// Finds the functions that nobody calls who is called himself. `uses`: where names stand.
fn bury(functions: &mut Functions<'_, '_>, uses: &HashMap<SymbolId, Vec<u32>>) {
    let within = |span: Span, at: u32| span.start <= at && at < span.end;
    loop {
        let lives = |symbol: &SymbolId, inner: &Inner<'_, '_>| {
            let mut places = uses.get(symbol).into_iter().flatten();
            places.any(|at| {
                let own = within(inner.span, *at);
                let mut around = functions.values();
                !own && !around.any(|other| other.dead && within(other.span, *at))
            })
        };
        let dies = functions
            .iter()
            .find(|(symbol, inner)| !inner.dead && !lives(symbol, inner))
            .map(|(symbol, _)| *symbol);
        match dies.and_then(|symbol| functions.get_mut(&symbol)) {
            Some(inner) => inner.dead = true,
            None => return,
        }
    }
}

/// Counts where names are called, and where they are used at all.
struct Uses<'s> {
    scoping: &'s Scoping,
    head: u32,
    calls: HashMap<SymbolId, u32>,
    all: HashMap<SymbolId, u32>,
    places: HashMap<SymbolId, Vec<u32>>,
    /// What is called with names and functions, and in which place.
    passed: Vec<(SymbolId, usize, Passed)>,
    /// Functions that are called where they stand.
    immediate: Vec<Span>,
}

impl<'a> Visit<'a> for Uses<'_> {
    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        let (scoping, head) = (self.scoping, self.head);
        let local = |name: &IdentifierReference<'_>| match name_of(scoping, head, name) {
            Name::Local(symbol) => Some(symbol),
            _ => None,
        };
        if let Expression::Identifier(name) = &call.callee
            && let Some(symbol) = local(name)
        {
            *self.calls.entry(symbol).or_default() += 1;
            for (at, argument) in call.arguments.iter().enumerate() {
                let what = argument.as_expression().and_then(|e| Passed::of(e, local));
                self.passed.extend(what.map(|what| (symbol, at, what)));
            }
        } else if let Some(inner) = Inner::of(&call.callee).filter(Inner::fits) {
            self.immediate.push(inner.span);
        }
        if let Some((.., Expression::Identifier(name))) = looping(call)
            && let Name::Local(symbol) = name_of(self.scoping, self.head, name)
        {
            *self.calls.entry(symbol).or_default() += 1;
        }
        walk::walk_call_expression(self, call);
    }

    fn visit_identifier_reference(&mut self, name: &IdentifierReference<'a>) {
        if let Name::Local(symbol) = name_of(self.scoping, self.head, name) {
            *self.all.entry(symbol).or_default() += 1;
            let places = self.places.entry(symbol).or_default();
            places.push(name.span.start);
        }
    }
}

impl<'a, 'w> Lower<'a, 'w> {
    /// Puts a function in: its value is in the slot afterwards.
    pub(super) fn put_in(&mut self, inner: Inner<'a, 'w>, result: Slot) -> Res<()> {
        if self.b.size() > LARGEST {
            return refuse("functions that call each other too often", inner.span.start);
        }
        // (its variables have one place each: a call inside of its own call needs others)
        if self.inside.contains(&inner.span) {
            return refuse("a function that calls itself", inner.span.start);
        }
        self.inside.push(inner.span);
        let done = self.put_in_once(inner, result);
        self.inside.pop();
        done
    }

    fn put_in_once(&mut self, inner: Inner<'a, 'w>, result: Slot) -> Res<()> {
        let end = self.b.block();
        match inner.body {
            Code::Value(e) => {
                let value = self.opd(e)?;
                self.store(value, result);
            }
            Code::Statements(statements) => {
                self.b.push(Inst::Undefined { dst: result });
                // (what it declares is new each time)
                let names = inner.names();
                for symbol in self.types.declared.clone() {
                    let span = self.scoping.symbol_span(symbol);
                    if inner.span.start <= span.start
                        && span.end <= inner.span.end
                        && !names.contains(&symbol)
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

    /// Gives a parameter its value, if there is such a parameter.
    pub(super) fn set_param(&mut self, inner: Inner<'a, 'w>, at: usize, value: Opd) -> Res<()> {
        match inner.params().get(at) {
            Some(param) => self.bind_with(&param.pattern, param.initializer.as_deref(), value),
            None => Ok(()),
        }
    }

    pub(super) fn loop_of(&self, call: &'w CallExpression<'a>) -> Option<Loop<'a, 'w>> {
        loop_with(call, &self.functions, self.scoping, self.head)
    }

    /// A call of a function of the text, or of one that stands there; `None` for any other.
    pub(super) fn call_inner(&mut self, call: &'w CallExpression<'a>) -> Res<Option<Opd>> {
        let inner = match &call.callee {
            Expression::Identifier(name) => {
                let Name::Local(symbol) = self.name(name) else {
                    return Ok(None);
                };
                let Some(inner) = self.functions.get(&symbol).copied() else {
                    return refuse("a call of a variable", call.span.start);
                };
                if self.inside.contains(&inner.span) {
                    return refuse("a function that calls itself", call.span.start);
                }
                if self.types.unset.contains(&symbol) {
                    return refuse("a function that may not be there yet", call.span.start);
                }
                inner
            }
            callee => match Inner::of(callee).filter(Inner::fits) {
                Some(inner) => inner,
                None => return Ok(None),
            },
        };
        let count = inner.params().len();
        let (mut values, mut functions) = (Vec::new(), Vec::new());
        for (at, argument) in call.arguments.iter().enumerate() {
            let Some(e) = argument.as_expression() else {
                return refuse("a spread argument", call.span.start);
            };
            let param = self.handed.takes(&inner, at);
            if let Some((param, function)) = param.zip(self.function(e)) {
                functions.push((param, function));
                values.push(None);
                continue;
            }
            let value = self.opd(e)?;
            values.push(Some(Opd::Temp(self.own(value))));
        }
        values.resize(values.len().max(count), Some(Opd::Undefined));
        let result = self.temp();
        for (param, function) in &functions {
            self.functions.insert(*param, *function);
        }
        let mut done = Ok(());
        for (at, value) in values.into_iter().enumerate() {
            if let Some(value) = value {
                done = done.and_then(|()| self.set_param(inner, at, value));
            }
        }
        let done = done.and_then(|()| self.put_in(inner, result));
        for (param, _) in &functions {
            self.functions.remove(param);
        }
        done?;
        Ok(Some(Opd::Temp(result)))
    }

    /// The function that an expression is, or names.
    fn function(&self, e: &'w Expression<'a>) -> Option<Inner<'a, 'w>> {
        match e {
            Expression::ParenthesizedExpression(inner) => self.function(&inner.expression),
            Expression::Identifier(name) => match self.name(name) {
                Name::Local(symbol) if !self.types.unset.contains(&symbol) => {
                    self.functions.get(&symbol).copied()
                }
                _ => None,
            },
            other => Inner::of(other).filter(Inner::fits),
        }
    }

    /// A method of arrays with a function: a loop. `none`: where it goes on when what stands before a `?.` is nullish.
    pub(super) fn call_loop(
        &mut self,
        call: &'w CallExpression<'a>,
        none: Option<BlockId>,
    ) -> Res<Option<Opd>> {
        let Some((name, receiver, inner)) = self.loop_of(call) else {
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
        let optional = matches!(&call.callee, Expression::StaticMemberExpression(m) if m.optional);
        let opd = match none {
            Some(none) => {
                let base = self.link(receiver, none)?;
                match optional {
                    true => self.stop_at_none(base, none),
                    false => base,
                }
            }
            None if optional => return refuse("an optional call", at),
            None => self.opd(receiver)?,
        };
        self.store(opd, list);
        self.only_arrays(list);
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
            "map" | "flatMap" | "filter" => self.b.call(Helper::Array, [result.into(), 0.into()]),
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
                // (of nothing it is an exception; else it begins with the first element)
                None => {
                    let length = self.get(Opd::Slot(list), "length")?;
                    let (length, one) = (self.unbox(length), self.b.constant(1.0));
                    self.bail_if_less(length, one);
                    let value = self.read(Opd::Slot(list), &Key::Index(index))?;
                    self.store(value, result);
                    self.b.push(Inst::MoveNum {
                        dst: index,
                        src: one,
                    });
                }
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
                lower.set_param(inner, 0, Opd::Slot(result))?;
            }
            if let Some(element) = element {
                let value = lower.read(Opd::Slot(list), &Key::Index(index))?;
                lower.store(value, element);
            }
            let plain = inner
                .params()
                .get(first)
                .is_some_and(|param| param.initializer.is_none());
            match inner.param(first).filter(|_| plain) {
                Some(symbol) => lower.set_element(symbol, list, index)?,
                None => {
                    let value = lower.read(Opd::Slot(list), &Key::Index(index))?;
                    lower.set_param(inner, first, value)?;
                }
            }
            lower.set_param(inner, first + 1, Opd::Num(index))?;
            lower.set_param(inner, first + 2, Opd::Slot(list))?;
            (first + 3..inner.params().len())
                .try_for_each(|at| lower.set_param(inner, at, Opd::Undefined))
        })?;
        self.whole(|lower| lower.put_in(inner, value))?;
        self.after_turn(
            name,
            [list, element.unwrap_or(list)],
            index,
            [value, result],
            [next, end],
        )?;
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
        if name == "flatMap" {
            let flat = self.call_row(
                Helper::Method,
                Some(result.into()),
                Method::Flat as u32,
                &[],
            );
            return Ok(Some(Opd::Temp(flat)));
        }
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
            "map" | "flatMap" => self.b.call(Helper::Push, [result.into(), value.into()]),
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
