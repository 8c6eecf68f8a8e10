//! A walk over the syntax tree: which contexts a text uses, and what it takes to compile it.

use std::collections::HashSet;

use oxc_ast::ast::*;
use oxc_ast_visit::{Visit, walk};
use oxc_semantic::Scoping;
use oxc_span::{GetSpan, Span};
use oxc_syntax::scope::ScopeFlags;

use super::contexts::{Names, Place, literal, member};
use super::features::Features;
use super::parse::Fault;
use super::{JsInfo, Support, names};
use crate::keys::{ContextUses, Keys, Pick};

/// Looks at the tree of a text that stands behind `head` bytes of code.
pub(super) fn look(text: &str, head: usize, program: &Program<'_>, scoping: &Scoping) -> JsInfo {
    let written = scoping.root_unresolved_references().iter();
    let written =
        written.filter(|(_, uses)| uses.iter().any(|id| scoping.get_reference(*id).is_write()));
    let mut look = Look {
        head,
        names: Names::of(program, scoping),
        written: written.map(|(name, _)| name.to_string()).collect(),
        features: Features::default(),
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

/// The name of a feature.
const AS_VALUE: &str = "a context as a value";

struct Look<'s> {
    head: usize,
    names: Names<'s>,
    /// Variables of the world around that the text assigns to.
    written: HashSet<String>,
    features: Features,
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
        self.info.features = self.features.listed(text, self.head);
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
        let computed = texts.is_none();
        let Some(keys) = self.keys(place) else {
            return false;
        };
        match texts {
            Some(texts) if place == Place::Env => texts.into_iter().for_each(|name| keys.add(name)),
            Some(texts) => texts.iter().for_each(|path| keys.add_path(path)),
            None => *keys = Keys::All,
        }
        let at = call.span.start;
        match (place, computed) {
            (Place::Env, false) => {
                self.features
                    .note("an environment variable", Support::Native, at)
            }
            (Place::Env, true) => self.features.helper("a computed environment variable", at),
            (_, false) => self.features.note("a context key", Support::Native, at),
            (_, true) => self.features.helper("a computed context key", at),
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

    fn node_member(&mut self, name: Option<&str>, span: Span) {
        match name.and_then(|name| Some((name, names::node_member(name)?))) {
            Some((name, support)) => {
                self.features
                    .note(format!("node.{name}"), support, span.start)
            }
            None => {
                self.features.engine("another member of node", span.start);
                self.node_as_value |= name.is_none();
            }
        }
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
        // What the objects of the language do is counted where they are named.
        let of_language = self
            .names
            .outside(object)
            .is_some_and(|name| names::global(name).is_some());
        if !of_language && !self.is_util(object) {
            self.method(name.as_deref(), call.span.start, callee.span().end);
        }
    }

    fn method(&mut self, name: Option<&str>, at: u32, end: u32) {
        let Some(name) = name else {
            return self.features.engine("a computed method", at);
        };
        // (a chain of calls begins at its first line; the name of the method is what is looked for)
        let at = end.saturating_sub(name.len() as u32).max(at);
        match names::method(name) {
            Some(support) => self
                .features
                .note(format!("the method {name}"), support, at),
            None => self.features.engine(format!("the method {name}"), at),
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

    /// `RED.util`.
    fn is_util(&self, expression: &Expression<'_>) -> bool {
        member(expression).is_some_and(|(object, name)| {
            self.names.outside(object) == Some("RED") && name.as_deref() == Some("util")
        })
    }

    /// A property's name that leads away from data.
    fn property(&mut self, name: &str, span: Span) {
        match name {
            "constructor" => {
                self.features.engine("a constructor as a value", span.start);
                // (of a function it makes code from texts)
                self.info.dynamic |= !self.accounted.contains(&span);
            }
            "prototype" | "__proto__" => self.features.engine("a prototype", span.start),
            _ => {}
        }
    }

    fn member_of(&mut self, object: &Expression<'_>, name: Option<&str>, span: Span) {
        if let Some(place) = name.and_then(|name| self.names.place_of_member(object, name)) {
            self.account(object);
            if self.accounted.insert(span) {
                self.features.engine(AS_VALUE, span.start);
                self.spill(place);
            }
        }
        // A property of the world that is none of those.
        if matches!(object.without_parentheses(), Expression::ThisExpression(_)) && name.is_some() {
            self.account(object);
        }
        if self.is_node(object) {
            self.account(object);
            self.node_member(name, span);
            // (taken off and called by another name, perhaps)
            self.info.calls_send |= name == Some("send");
            if name == Some("linkcall") && !self.accounted.contains(&span) {
                self.info.link_calls = Keys::All;
            }
        }
        if self.is_util(object) {
            match name {
                Some("cloneMessage") => self.features.helper("RED.util.cloneMessage", span.start),
                Some(name) => self.features.engine(format!("RED.util.{name}"), span.start),
                None => self
                    .features
                    .engine("a computed key of RED.util", span.start),
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
        match names::global(name) {
            Some(Support::Native) => {}
            Some(support) => self.features.note(name, support, span.start),
            None if name == "arguments" => self.features.engine("arguments", span.start),
            None if self.written.contains(name) => {
                self.info.free.insert(name.to_owned());
                self.features
                    .helper(format!("the undeclared variable {name}"), span.start);
            }
            None => {
                self.info.free.insert(name.to_owned());
                self.features
                    .engine(format!("the outside variable {name}"), span.start);
            }
        }
        self.info.dynamic |=
            name == "eval" || name == "Function" && !self.accounted.contains(&span);
    }

    fn function(&mut self, what: &'static str, waits: bool, generates: bool, span: Span) {
        if waits {
            self.info.async_ = true;
            self.features.engine("an asynchronous function", span.start);
        }
        if generates {
            self.features.engine("a generator", span.start);
        }
        self.features.helper(what, span.start);
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

    fn visit_new_expression(&mut self, new: &NewExpression<'a>) {
        match self
            .names
            .outside(&new.callee)
            .map(|name| (name, names::global(name)))
        {
            Some((_, Some(Support::Native | Support::Helper))) => {}
            Some((name, _)) => self.features.engine(format!("new {name}"), new.span.start),
            None => self.features.engine("new of a function", new.span.start),
        }
        walk::walk_new_expression(self, new);
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
        if name.is_none() {
            self.features.helper("a computed key", it.span.start);
        }
        self.member_of(&it.object, name.as_deref(), it.span);
        walk::walk_computed_member_expression(self, it);
    }

    fn visit_identifier_reference(&mut self, it: &IdentifierReference<'a>) {
        let accounted = self.accounted.contains(&it.span);
        if !accounted {
            if let Some(place) = self.names.place_of_identifier(it) {
                self.features.engine(AS_VALUE, it.span.start);
                self.spill(place);
            }
            if it.name == "node"
                && self.names.symbol(it).is_some_and(|id| {
                    (self.names.scoping.symbol_span(id).start as usize) < self.head
                })
            {
                self.features.engine("node as a value", it.span.start);
                self.node_as_value = true;
            }
        }
        if self.names.symbol(it).is_none() {
            self.outside_variable(it.name.as_str(), it.span);
        }
    }

    fn visit_this_expression(&mut self, it: &ThisExpression) {
        self.features.engine("this", it.span.start);
        // (in a class it is never the world)
        if self.classes == 0 && !self.accounted.contains(&it.span) {
            self.spill(Place::World);
        }
    }

    fn visit_variable_declaration(&mut self, it: &VariableDeclaration<'a>) {
        if it.kind.is_using() {
            self.features.engine("using", it.span.start);
        }
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
        if !matches!(it.id, BindingPattern::BindingIdentifier(_)) {
            self.features.helper("destructuring", it.span.start);
        }
        walk::walk_variable_declarator(self, it);
    }

    fn visit_binding_property(&mut self, it: &BindingProperty<'a>) {
        if let Some(name) = it.key.static_name() {
            self.property(&name, it.span);
        }
        walk::walk_binding_property(self, it);
    }

    fn visit_assignment_target_pattern(&mut self, it: &AssignmentTargetPattern<'a>) {
        self.features.helper("destructuring", it.span().start);
        walk::walk_assignment_target_pattern(self, it);
    }

    fn visit_spread_element(&mut self, it: &SpreadElement<'a>) {
        self.features.helper("spread", it.span.start);
        walk::walk_spread_element(self, it);
    }

    fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
        if self.functions > 0 {
            self.function("a closure", it.r#async, it.generator, it.span);
        }
        self.functions += 1;
        walk::walk_function(self, it, flags);
        self.functions -= 1;
    }

    fn visit_arrow_function_expression(&mut self, it: &ArrowFunctionExpression<'a>) {
        self.function("a closure", it.r#async, false, it.span);
        self.functions += 1;
        walk::walk_arrow_function_expression(self, it);
        self.functions -= 1;
    }

    fn visit_return_statement(&mut self, it: &ReturnStatement<'a>) {
        self.info.returns_value |= self.functions == 1 && it.argument.is_some();
        walk::walk_return_statement(self, it);
    }

    fn visit_class(&mut self, it: &Class<'a>) {
        self.features.engine("a class", it.span.start);
        self.classes += 1;
        walk::walk_class(self, it);
        self.classes -= 1;
    }

    fn visit_object_property(&mut self, it: &ObjectProperty<'a>) {
        if it.kind != PropertyKind::Init {
            self.features.engine("a getter or setter", it.span.start);
        }
        if it.computed && literal_key(&it.key).is_none() {
            self.features.helper("a computed key", it.span.start);
        }
        walk::walk_object_property(self, it);
    }

    fn visit_await_expression(&mut self, it: &AwaitExpression<'a>) {
        self.info.async_ = true;
        self.features.engine("await", it.span.start);
        walk::walk_await_expression(self, it);
    }

    fn visit_import_expression(&mut self, it: &ImportExpression<'a>) {
        self.info.async_ = true;
        self.features.engine("import()", it.span.start);
        walk::walk_import_expression(self, it);
    }

    fn visit_new_target(&mut self, it: &NewTarget) {
        self.features.engine("new.target", it.span.start);
    }

    fn visit_with_statement(&mut self, it: &WithStatement<'a>) {
        self.info.dynamic = true;
        self.features.engine("with", it.span.start);
        walk::walk_with_statement(self, it);
    }

    fn visit_try_statement(&mut self, it: &TryStatement<'a>) {
        self.features.helper("try", it.span.start);
        walk::walk_try_statement(self, it);
    }

    fn visit_throw_statement(&mut self, it: &ThrowStatement<'a>) {
        self.features.helper("throw", it.span.start);
        walk::walk_throw_statement(self, it);
    }

    fn visit_for_in_statement(&mut self, it: &ForInStatement<'a>) {
        self.features.helper("for … in", it.span.start);
        walk::walk_for_in_statement(self, it);
    }

    fn visit_for_of_statement(&mut self, it: &ForOfStatement<'a>) {
        if it.r#await {
            self.info.async_ = true;
            self.features.engine("for await", it.span.start);
        }
        self.features.helper("for … of", it.span.start);
        walk::walk_for_of_statement(self, it);
    }

    fn visit_reg_exp_literal(&mut self, it: &RegExpLiteral<'a>) {
        self.features.helper("a regular expression", it.span.start);
    }

    fn visit_big_int_literal(&mut self, it: &BigIntLiteral<'a>) {
        self.features.engine("a big integer", it.span.start);
    }

    fn visit_tagged_template_expression(&mut self, it: &TaggedTemplateExpression<'a>) {
        self.features.engine("a tagged template", it.span.start);
        walk::walk_tagged_template_expression(self, it);
    }

    fn visit_unary_expression(&mut self, it: &UnaryExpression<'a>) {
        match it.operator {
            UnaryOperator::Delete => self.features.helper("delete", it.span.start),
            UnaryOperator::Typeof => self.account(&it.argument),
            _ => {}
        }
        walk::walk_unary_expression(self, it);
    }

    fn visit_binary_expression(&mut self, it: &BinaryExpression<'a>) {
        match it.operator {
            BinaryOperator::In => self.features.helper("in", it.span.start),
            BinaryOperator::Instanceof => {
                self.features.helper("instanceof", it.span.start);
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

fn literal_key(key: &PropertyKey<'_>) -> Option<String> {
    key.as_expression()
        .and_then(literal)
        .map(|text| text.into_owned())
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
