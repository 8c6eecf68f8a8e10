//! A walk over the syntax tree: which contexts a text uses, and what it does with messages.

use std::collections::HashSet;

use oxc_ast::ast::*;
use oxc_ast_visit::{Visit, walk};
use oxc_semantic::Scoping;
use oxc_span::{GetSpan, Span};
use oxc_syntax::scope::ScopeFlags;

use super::contexts::{Names, Place, literal, member};
use super::parse::Fault;
use super::{JsInfo, names};
use crate::keys::{ContextUses, Keys, Pick};

/// Looks at the tree of a text that stands behind `head` bytes of code.
pub(super) fn look(text: &str, head: usize, program: &Program<'_>, scoping: &Scoping) -> JsInfo {
    let mut look = Look {
        head,
        names: Names::of(program, scoping),
        info: JsInfo::default(),
        accounted: HashSet::new(),
        functions: 0,
        classes: 0,
        done: false,
        evaluations: 0,
        node_as_value: false,
    };
    look.visit_program(program);
    look.finish(text)
}

struct Look<'s> {
    head: usize,
    names: Names<'s>,
    info: JsInfo,
    /// Expressions whose meaning their parent has accounted for.
    accounted: HashSet<Span>,
    /// How many functions are around, the one around the text among them.
    functions: usize,
    classes: usize,
    /// `node.done` is called.
    done: bool,
    /// Calls of `evaluateNodeProperty` that are understood.
    evaluations: usize,
    /// `node` is handed on: its methods may be called by any name.
    node_as_value: bool,
}

impl Look<'_> {
    fn finish(mut self, text: &str) -> JsInfo {
        if self.info.dynamic {
            self.spill(Place::World);
            self.node_as_value = true;
        }
        if text.matches("evaluateNodeProperty").count() > self.evaluations {
            self.spill(Place::Context);
        }
        if self.node_as_value {
            self.info.calls_send = true;
            if self.info.dynamic || text.contains("linkcall") {
                self.info.link_calls = Keys::All;
            }
        }
        self.info.calls_done = self.done && calls_done_bare(text);
        self.info
    }

    fn account(&mut self, expression: &Expression<'_>) {
        self.accounted
            .insert(expression.without_parentheses().span());
        if let Some((object, _)) = member(expression) {
            self.account(object);
        }
    }

    /// The object is handed on as a value: anything may be read from it.
    fn spill(&mut self, place: Place) {
        let context = &mut self.info.context;
        match place {
            Place::Flow => context.flow = Keys::All,
            Place::Global => context.global = Keys::All,
            Place::Env => self.info.env = Keys::All,
            Place::Context => {
                *context = ContextUses {
                    node: Keys::All,
                    stores: std::mem::take(&mut context.stores),
                    ..ContextUses::any()
                }
            }
            Place::World => {
                self.spill(Place::Context);
                self.spill(Place::Env);
            }
        }
    }

    fn keys(&mut self, place: Place) -> Option<&mut Keys> {
        match place {
            Place::Context => Some(&mut self.info.context.node),
            Place::Flow => Some(&mut self.info.context.flow),
            Place::Global => Some(&mut self.info.context.global),
            Place::Env => Some(&mut self.info.env),
            Place::World => None,
        }
    }

    /// `flow.get("key")`, `context.global.set(["a", "b"], …)`, `env.get("NAME")`.
    fn context_call(&mut self, place: Place, method: &str, call: &CallExpression<'_>) -> bool {
        let known =
            matches!(method, "get") || place != Place::Env && matches!(method, "set" | "keys");
        if !known || place == Place::World {
            return false;
        }
        let texts = call
            .arguments
            .first()
            .filter(|_| method != "keys")
            .and_then(|key| self.names.texts_or_list(key));
        let store = call.arguments.get(match method {
            "get" => 1,
            "set" => 2,
            _ => 0,
        });
        let stores = store
            .and_then(Argument::as_expression)
            .and_then(|store| self.names.texts(store));
        let Some(keys) = self.keys(place) else {
            return false;
        };
        match texts {
            Some(texts) if place == Place::Env => texts.into_iter().for_each(|name| keys.add(name)),
            Some(texts) => texts.iter().for_each(|path| keys.add_path(path)),
            None => *keys = Keys::All,
        }
        if place != Place::Env {
            self.info
                .context
                .stores
                .extend(stores.into_iter().flatten());
        }
        true
    }

    /// `RED.util.evaluateNodeProperty(text, type, node, msg)`.
    fn evaluation(&mut self, call: &CallExpression<'_>) {
        let expression = |at: usize| call.arguments.get(at).and_then(Argument::as_expression);
        let Some(types) = expression(1).and_then(|ty| self.names.texts(ty)) else {
            return;
        };
        self.evaluations += 1;
        let texts = expression(0).and_then(|text| self.names.texts(text));
        for place in types.iter().filter_map(|ty| match ty.as_str() {
            "flow" => Some(Place::Flow),
            "global" => Some(Place::Global),
            _ => None,
        }) {
            let Some(texts) = &texts else {
                self.spill(place);
                continue;
            };
            let pick: Pick = if place == Place::Flow {
                crate::keys::flow
            } else {
                crate::keys::global
            };
            for text in texts {
                self.info.context.add_stored(pick, text);
            }
        }
    }

    /// The `node` of the function node, under its own name.
    fn is_node(&self, expression: &Expression<'_>) -> bool {
        let Expression::Identifier(identifier) = expression.without_parentheses() else {
            return false;
        };
        let born = |symbol| (self.names.scoping.symbol_span(symbol).start as usize) < self.head;
        identifier.name == "node" && self.names.symbol(identifier).is_some_and(born)
    }

    fn node_member(&mut self, name: Option<&str>) {
        self.node_as_value |= name.is_none();
    }

    fn called(&mut self, call: &CallExpression<'_>) {
        let callee = &call.callee;
        let Some((object, name)) = member(callee) else {
            return self.called_by_name(call);
        };
        if let (Some(place), Some(name)) = (self.names.place(object), &name)
            && self.context_call(place, name, call)
        {
            return self.account(callee);
        }
        if self.is_node(object) {
            if name.as_deref() == Some("linkcall") {
                self.link_call(call);
                self.accounted.insert(callee.without_parentheses().span());
            }
            return;
        }
        match name.as_deref() {
            Some("evaluateNodeProperty") => self.evaluation(call),
            Some("then" | "catch" | "finally") => self.info.async_ = true,
            _ => {}
        }
    }

    fn called_by_name(&mut self, call: &CallExpression<'_>) {
        if self.names.outside(&call.callee) != Some("require") {
            return;
        }
        let module = call.arguments.first().and_then(Argument::as_expression);
        let texts = module
            .and_then(|module| self.names.texts(module))
            .unwrap_or_default();
        for text in texts {
            let span = module.map_or(call.span, GetSpan::span);
            let within = |at: u32| (at as usize).saturating_sub(self.head);
            self.info
                .requires
                .push((text, within(span.start)..within(span.end)));
        }
    }

    fn link_call(&mut self, call: &CallExpression<'_>) {
        self.info.async_ = true;
        let target = call.arguments.first().and_then(Argument::as_expression);
        match target.and_then(|target| self.names.texts(target)) {
            Some(texts) => texts
                .into_iter()
                .for_each(|name| self.info.link_calls.add(name)),
            None => self.info.link_calls = Keys::All,
        }
    }

    /// A property's name that leads away from data.
    fn property(&mut self, name: &str, span: Span) {
        // (of a function it makes code from texts)
        self.info.dynamic |= name == "constructor" && !self.accounted.contains(&span);
    }

    fn member_of(&mut self, object: &Expression<'_>, name: Option<&str>, span: Span) {
        if let Some(place) = name.and_then(|name| self.names.place_of_member(object, name)) {
            self.account(object);
            if self.accounted.insert(span) {
                self.spill(place);
            }
        }
        // A property of the world that is none of those.
        if matches!(object.without_parentheses(), Expression::ThisExpression(_)) && name.is_some() {
            self.account(object);
        }
        if self.is_node(object) {
            self.account(object);
            self.node_member(name);
            // (taken off and called by another name, perhaps)
            self.info.calls_send |= name == Some("send");
            if name == Some("linkcall") && !self.accounted.contains(&span) {
                self.info.link_calls = Keys::All;
            }
        }
        if let Some(name) = name {
            self.property(name, span);
        }
    }

    fn account_constructor(&mut self, expression: &Expression<'_>) {
        if member(expression).is_some_and(|(_, name)| name.as_deref() == Some("constructor")) {
            self.accounted
                .insert(expression.without_parentheses().span());
        }
    }

    fn outside_variable(&mut self, name: &str, span: Span) {
        if names::outlives(name) {
            self.info.async_ = true;
        }
        if !names::is_global(name) && name != "arguments" {
            self.info.free.insert(name.to_owned());
        }
        self.info.dynamic |=
            name == "eval" || name == "Function" && !self.accounted.contains(&span);
    }
}

/// Node-RED's test for a text that says itself when it has finished: `node.done()` anywhere, in comments too.
fn calls_done_bare(text: &str) -> bool {
    text.match_indices("node.done").any(|(at, found)| {
        let rest = text[at + found.len()..].trim_start();
        rest.strip_prefix('(')
            .is_some_and(|rest| rest.trim_start().starts_with(')'))
    })
}

/// Node-RED's second test: a call of a property that is named `done`, or is the value of a variable of that name.
fn is_done(callee: &Expression<'_>) -> bool {
    let is = |expression: &Expression<'_>, name: &str| matches!(expression.without_parentheses(), Expression::Identifier(id) if id.name == name);
    match callee.without_parentheses() {
        Expression::StaticMemberExpression(member) => {
            is(&member.object, "node") && member.property.name == "done"
        }
        Expression::ComputedMemberExpression(member) => {
            is(&member.object, "node") && is(&member.expression, "done")
        }
        _ => false,
    }
}

impl<'a> Visit<'a> for Look<'_> {
    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        self.done |= is_done(&call.callee);
        self.called(call);
        walk::walk_call_expression(self, call);
    }

    fn visit_static_member_expression(&mut self, it: &StaticMemberExpression<'a>) {
        if it.property.name == "name" {
            self.account_constructor(&it.object);
        }
        self.member_of(&it.object, Some(it.property.name.as_str()), it.span);
        walk::walk_static_member_expression(self, it);
    }

    fn visit_computed_member_expression(&mut self, it: &ComputedMemberExpression<'a>) {
        let name = literal(&it.expression);
        self.member_of(&it.object, name.as_deref(), it.span);
        walk::walk_computed_member_expression(self, it);
    }

    fn visit_identifier_reference(&mut self, it: &IdentifierReference<'a>) {
        let accounted = self.accounted.contains(&it.span);
        if !accounted {
            if let Some(place) = self.names.place_of_identifier(it) {
                self.spill(place);
            }
            if it.name == "node"
                && self.names.symbol(it).is_some_and(|id| {
                    (self.names.scoping.symbol_span(id).start as usize) < self.head
                })
            {
                self.node_as_value = true;
            }
        }
        if self.names.symbol(it).is_none() {
            self.outside_variable(it.name.as_str(), it.span);
        }
    }

    fn visit_this_expression(&mut self, it: &ThisExpression) {
        // (in a class it is never the world)
        if self.classes == 0 && !self.accounted.contains(&it.span) {
            self.spill(Place::World);
        }
    }

    fn visit_variable_declaration(&mut self, it: &VariableDeclaration<'a>) {
        self.info.async_ |= it.kind.is_await();
        walk::walk_variable_declaration(self, it);
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        // A name for one of the objects, all of whose uses are seen under that name.
        if let (BindingPattern::BindingIdentifier(name), Some(value)) = (&it.id, &it.init)
            && self.names.is_place(name)
        {
            self.account(value);
        }
        walk::walk_variable_declarator(self, it);
    }

    fn visit_binding_property(&mut self, it: &BindingProperty<'a>) {
        if let Some(name) = it.key.static_name() {
            self.property(&name, it.span);
        }
        walk::walk_binding_property(self, it);
    }

    fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
        self.info.async_ |= self.functions > 0 && it.r#async;
        self.functions += 1;
        walk::walk_function(self, it, flags);
        self.functions -= 1;
    }

    fn visit_arrow_function_expression(&mut self, it: &ArrowFunctionExpression<'a>) {
        self.info.async_ |= it.r#async;
        self.functions += 1;
        walk::walk_arrow_function_expression(self, it);
        self.functions -= 1;
    }

    fn visit_return_statement(&mut self, it: &ReturnStatement<'a>) {
        self.info.returns_value |= self.functions == 1 && it.argument.is_some();
        walk::walk_return_statement(self, it);
    }

    fn visit_class(&mut self, it: &Class<'a>) {
        self.classes += 1;
        walk::walk_class(self, it);
        self.classes -= 1;
    }

    fn visit_await_expression(&mut self, it: &AwaitExpression<'a>) {
        self.info.async_ = true;
        walk::walk_await_expression(self, it);
    }

    fn visit_import_expression(&mut self, it: &ImportExpression<'a>) {
        self.info.async_ = true;
        walk::walk_import_expression(self, it);
    }

    fn visit_with_statement(&mut self, it: &WithStatement<'a>) {
        self.info.dynamic = true;
        walk::walk_with_statement(self, it);
    }

    fn visit_for_of_statement(&mut self, it: &ForOfStatement<'a>) {
        if it.r#await {
            self.info.async_ = true;
        }
        walk::walk_for_of_statement(self, it);
    }

    fn visit_unary_expression(&mut self, it: &UnaryExpression<'a>) {
        if it.operator == UnaryOperator::Typeof {
            self.account(&it.argument);
        }
        walk::walk_unary_expression(self, it);
    }

    fn visit_binary_expression(&mut self, it: &BinaryExpression<'a>) {
        match it.operator {
            BinaryOperator::Instanceof => {
                self.account(&it.right);
            }
            operator if operator.is_equality() => {
                self.account_constructor(&it.left);
                self.account_constructor(&it.right);
                for side in [&it.left, &it.right] {
                    if self.names.outside(side) == Some("Function") {
                        self.account(side);
                    }
                }
            }
            _ => {}
        }
        walk::walk_binary_expression(self, it);
    }
}

/// What oxc parses and neither Node-RED's engine nor ours knows: proposals, and what is for other languages.
pub(super) fn not_in_the_language(program: &Program<'_>) -> Vec<Fault> {
    let mut foreign = Foreign {
        faults: Vec::new(),
        awaits: Vec::new(),
    };
    foreign.visit_program(program);
    foreign.faults
}

struct Foreign {
    faults: Vec<Fault>,
    /// Of each function around, whether it can await.
    awaits: Vec<bool>,
}

impl Foreign {
    fn fault(&mut self, what: &str, span: Span) {
        self.faults.push(Fault {
            message: format!("{what} cannot be used here"),
            range: span.start as usize..span.end as usize,
        });
    }
}

impl<'a> Visit<'a> for Foreign {
    fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
        self.awaits.push(it.r#async);
        walk::walk_function(self, it, flags);
        self.awaits.pop();
    }

    fn visit_arrow_function_expression(&mut self, it: &ArrowFunctionExpression<'a>) {
        self.awaits.push(it.r#async);
        walk::walk_arrow_function_expression(self, it);
        self.awaits.pop();
    }

    fn visit_variable_declaration(&mut self, it: &VariableDeclaration<'a>) {
        // (oxc looks at this in modules only)
        if it.kind.is_await() && self.awaits.last() == Some(&false) {
            self.fault("await", it.span);
        }
        walk::walk_variable_declaration(self, it);
    }

    fn visit_decorator(&mut self, it: &Decorator<'a>) {
        self.fault("a decorator", it.span);
    }

    fn visit_property_definition(&mut self, it: &PropertyDefinition<'a>) {
        if it.declare
            || it.r#override
            || it.optional
            || it.definite
            || it.readonly
            || it.accessibility.is_some()
        {
            self.fault("a modifier of TypeScript", it.span);
        }
        walk::walk_property_definition(self, it);
    }

    fn visit_method_definition(&mut self, it: &MethodDefinition<'a>) {
        if it.r#override || it.optional || it.accessibility.is_some() {
            self.fault("a modifier of TypeScript", it.span);
        }
        walk::walk_method_definition(self, it);
    }

    fn visit_accessor_property(&mut self, it: &AccessorProperty<'a>) {
        self.fault("accessor", it.span);
    }

    fn visit_import_expression(&mut self, it: &ImportExpression<'a>) {
        if it.phase.is_some() {
            self.fault("an import phase", it.span);
        }
        walk::walk_import_expression(self, it);
    }
}
