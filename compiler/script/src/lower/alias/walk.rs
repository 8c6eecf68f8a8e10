//! The walk over a text: where objects get names, and where what is inside them changes.

use oxc_ast::ast::*;
use oxc_semantic::SymbolId;
use oxc_span::{GetSpan, Span};
use oxc_syntax::operator::{AssignmentOperator, UnaryOperator};
use vgdc_mir::Mutation;

use super::look::{Look, context};
use super::{Alias, Copied, Place, Root, Step};
use crate::lower::callback::Inner;
use crate::lower::calls::dotted;
use crate::lower::language::handed_over;
use crate::lower::types::names_of;
use crate::lower::{Name, name_of};

/// The walk over statements, by hand: the visitor of the library gives no references that live as long as the tree.
pub(super) struct Walker<'a, 'w, 't, 'l> {
    pub(super) look: &'l mut Look<'a, 'w, 't>,
}

impl<'a, 'w> Walker<'a, 'w, '_, '_> {
    pub(super) fn block(&mut self, span: Span, statements: &'w [Statement<'a>]) {
        self.look.blocks.push(span);
        for statement in statements {
            self.walk_statement(statement);
        }
        self.look.blocks.pop();
    }

    /// Something that is not on every way.
    pub(super) fn perhaps(&mut self, walk: impl FnOnce(&mut Self)) {
        self.look.conditions += 1;
        walk(self);
        self.look.conditions -= 1;
    }

    pub(super) fn looped(&mut self, span: Span, walk: impl FnOnce(&mut Self)) {
        self.look.conditions += 1;
        self.look.loops.push(span);
        self.look.blocks.push(span);
        walk(self);
        self.look.blocks.pop();
        self.look.loops.pop();
        self.look.conditions -= 1;
    }

    pub(super) fn walk_statement(&mut self, statement: &'w Statement<'a>) {
        match statement {
            Statement::VariableDeclaration(declaration) => self.declaration(declaration),
            Statement::ExpressionStatement(expression) => self.expression(&expression.expression),
            Statement::BlockStatement(block) => self.block(block.span, &block.body),
            Statement::IfStatement(statement) => {
                self.expression(&statement.test);
                self.perhaps(|walker| {
                    walker.walk_statement(&statement.consequent);
                    if let Some(alternate) = &statement.alternate {
                        walker.walk_statement(alternate);
                    }
                });
            }
            Statement::ForStatement(of) => self.looped(of.span, |walker| {
                match &of.init {
                    Some(ForStatementInit::VariableDeclaration(declaration)) => {
                        walker.declaration(declaration)
                    }
                    Some(init) => {
                        if let Some(init) = init.as_expression() {
                            walker.expression(init);
                        }
                    }
                    None => {}
                }
                for part in [&of.test, &of.update].into_iter().flatten() {
                    walker.expression(part);
                }
                walker.walk_statement(&of.body);
            }),
            Statement::ForOfStatement(of) => self.looped(of.span, |walker| {
                walker.expression(&of.right);
                // (the elements of what is gone through get another name)
                if let ForStatementLeft::VariableDeclaration(declaration) = &of.left {
                    let lexical = declaration.kind != VariableDeclarationKind::Var;
                    for declarator in &declaration.declarations {
                        if let BindingPattern::BindingIdentifier(name) = &declarator.id
                            && let Some(symbol) = name.symbol_id.get()
                        {
                            walker.element(
                                symbol,
                                &of.right,
                                of.span,
                                declarator.span.start,
                                lexical,
                            );
                        } else {
                            // (what is inside the elements gets names)
                            walker.only_names(&declarator.id);
                            for symbol in names_of(&declarator.id).unwrap_or_default() {
                                walker.element(
                                    symbol,
                                    &of.right,
                                    of.span,
                                    declarator.span.start,
                                    false,
                                );
                            }
                        }
                    }
                }
                walker.walk_statement(&of.body);
            }),
            Statement::ForInStatement(of) => self.looped(of.span, |walker| {
                walker.expression(&of.right);
                walker.walk_statement(&of.body);
            }),
            Statement::WhileStatement(of) => self.looped(of.span, |walker| {
                walker.expression(&of.test);
                walker.walk_statement(&of.body);
            }),
            Statement::DoWhileStatement(of) => self.looped(of.span, |walker| {
                walker.walk_statement(&of.body);
                walker.expression(&of.test);
            }),
            Statement::SwitchStatement(of) => {
                self.expression(&of.discriminant);
                self.perhaps(|walker| {
                    for case in &of.cases {
                        if let Some(test) = &case.test {
                            walker.expression(test);
                        }
                        walker.block(case.span, &case.consequent);
                    }
                });
            }
            Statement::LabeledStatement(labeled) => {
                self.perhaps(|walker| walker.walk_statement(&labeled.body))
            }
            Statement::ReturnStatement(statement) => {
                self.look.returns.push(statement.span.start);
                if let Some(argument) = &statement.argument {
                    self.expression(argument);
                }
            }
            Statement::TryStatement(of) => {
                self.block(of.block.span, &of.block.body);
                if let Some(finalizer) = &of.finalizer {
                    self.block(finalizer.span, &finalizer.body);
                }
            }
            Statement::FunctionDeclaration(function) => {
                let symbol = function.id.as_ref().and_then(|name| name.symbol_id.get());
                if let Some(inner) =
                    symbol.and_then(|symbol| self.look.functions.get(&symbol).copied())
                {
                    self.inner(inner);
                }
            }
            // (others are refused when they are lowered)
            _ => {}
        }
    }

    pub(super) fn declaration(&mut self, declaration: &'w VariableDeclaration<'a>) {
        for declarator in &declaration.declarations {
            if let (false, Some(init)) = (
                matches!(declarator.id, BindingPattern::BindingIdentifier(_)),
                &declarator.init,
            ) {
                self.pattern(declarator, init);
                continue;
            }
            let (BindingPattern::BindingIdentifier(name), Some(init)) =
                (&declarator.id, &declarator.init)
            else {
                continue;
            };
            let Some(symbol) = name.symbol_id.get() else {
                continue;
            };
            if let Some(inner) = self.look.functions.get(&symbol).copied() {
                self.inner(inner);
                continue;
            }
            self.expression(init);
            let block = self.look.blocks.last().copied().unwrap_or_default();
            let lexical = declaration.kind != VariableDeclarationKind::Var;
            // A `var` that is used outside of its block is declared in none.
            let first = !self.look.declared.contains_key(&symbol);
            if first {
                self.look.declared.insert(symbol, block);
            }
            let at = declarator.span.end;
            let is_msg = self.look.scoping.symbol_span(symbol).start < self.look.head;
            let declares = (lexical || self.look.blocks.len() == 1) && first && !is_msg;
            let root = if is_msg {
                Root::Msg
            } else {
                Root::Local(symbol)
            };
            let to = Place {
                root: root.clone(),
                path: Vec::new(),
            };
            self.look.put(
                init,
                &to,
                at,
                declares.then_some((symbol, Alias::Place(init), block)),
            );
            self.look.writes.push((root, at));
        }
    }

    /// Patterns inside patterns, and objects by default, are not followed.
    pub(super) fn only_names(&mut self, pattern: &'w BindingPattern<'a>) {
        let parts: Vec<&BindingPattern<'a>> = match pattern {
            BindingPattern::ObjectPattern(object) => {
                let values = object.properties.iter().map(|property| &property.value);
                values.collect()
            }
            BindingPattern::ArrayPattern(array) => {
                if array.rest.is_some() {
                    self.look.opaque.get_or_insert(array.span.start);
                }
                array.elements.iter().flatten().collect()
            }
            _ => Vec::new(),
        };
        for part in parts {
            let plain = match part {
                BindingPattern::BindingIdentifier(_) => true,
                BindingPattern::AssignmentPattern(with) => {
                    is_simple(&with.right)
                        && !self.look.gives_objects(&with.right)
                        && matches!(with.left, BindingPattern::BindingIdentifier(_))
                }
                _ => false,
            };
            if !plain {
                self.look.opaque.get_or_insert(pattern.span().start);
            }
        }
    }

    /// What is inside an object gets names.
    pub(super) fn pattern(
        &mut self,
        declarator: &'w VariableDeclarator<'a>,
        init: &'w Expression<'a>,
    ) {
        self.expression(init);
        self.only_names(&declarator.id);
        let mut sources = Vec::new();
        self.look.parts(init, &mut sources);
        let at = declarator.span.end;
        for symbol in names_of(&declarator.id).unwrap_or_default() {
            let block = self.look.blocks.last().copied().unwrap_or_default();
            self.look.declared.entry(symbol).or_insert(block);
            self.look.writes.push((Root::Local(symbol), at));
            for from in &sources {
                self.named(symbol, from.clone(), at, None);
            }
        }
    }

    /// Finds assignments and calls in an expression.
    pub(super) fn expression(&mut self, e: &'w Expression<'a>) {
        match e {
            Expression::ParenthesizedExpression(inner) => self.expression(&inner.expression),
            Expression::AssignmentExpression(assign) => {
                self.expression(&assign.right);
                self.target_keys(&assign.left);
                let Some(target) = self.look.target(&assign.left) else {
                    return;
                };
                // (it happens when the right side is there)
                let at = assign.span.end;
                // Arithmetic gives no object.
                if assign.operator == AssignmentOperator::Assign || assign.operator.is_logical() {
                    self.look.holder = (!target.path.is_empty()).then(|| {
                        let mut holder = target.clone();
                        holder.path.pop();
                        holder
                    });
                    self.look.put(&assign.right, &target, at, None);
                    self.look.holder = None;
                }
                if target.path.is_empty() {
                    self.look.writes.push((target.root.clone(), at));
                }
                let value = self.look.place(&assign.right);
                self.look.change(target, at, value);
            }
            Expression::UpdateExpression(update) => match &update.argument {
                SimpleAssignmentTarget::AssignmentTargetIdentifier(name) => {
                    if let Name::Local(symbol) = name_of(self.look.scoping, self.look.head, name) {
                        self.look
                            .writes
                            .push((Root::Local(symbol), update.span.end));
                    }
                }
                SimpleAssignmentTarget::StaticMemberExpression(member) => {
                    if let Some(object) = self.look.place(&member.object) {
                        self.look.change(
                            object.step(Step::Key(member.property.name.to_string())),
                            update.span.end,
                            None,
                        );
                    }
                }
                SimpleAssignmentTarget::ComputedMemberExpression(member) => {
                    if let Some(object) = self.look.place(&member.object) {
                        self.look
                            .change(object.step(Step::Any), update.span.end, None);
                    }
                }
                _ => {}
            },
            Expression::UnaryExpression(unary) => {
                self.expression(&unary.argument);
                if unary.operator == UnaryOperator::Delete
                    && let Some(target) = self.look.place(&unary.argument)
                {
                    self.look.change(target, unary.span.end, None);
                }
            }
            Expression::BinaryExpression(binary) => {
                self.expression(&binary.left);
                self.expression(&binary.right);
            }
            Expression::LogicalExpression(logical) => {
                self.expression(&logical.left);
                self.perhaps(|walker| walker.expression(&logical.right));
            }
            Expression::ConditionalExpression(conditional) => {
                self.expression(&conditional.test);
                self.perhaps(|walker| {
                    walker.expression(&conditional.consequent);
                    walker.expression(&conditional.alternate);
                });
            }
            Expression::SequenceExpression(list) => {
                list.expressions.iter().for_each(|e| self.expression(e))
            }
            Expression::TemplateLiteral(template) => {
                template.expressions.iter().for_each(|e| self.expression(e))
            }
            Expression::StaticMemberExpression(member) => self.expression(&member.object),
            Expression::ComputedMemberExpression(member) => {
                self.expression(&member.object);
                self.expression(&member.expression);
            }
            Expression::ObjectExpression(object) => {
                for property in &object.properties {
                    match property {
                        ObjectPropertyKind::ObjectProperty(property) => {
                            if let Some(key) =
                                property.key.as_expression().filter(|_| property.computed)
                            {
                                self.expression(key);
                            }
                            self.expression(&property.value)
                        }
                        ObjectPropertyKind::SpreadProperty(spread) => {
                            self.expression(&spread.argument)
                        }
                    }
                }
            }
            Expression::ArrayExpression(array) => {
                for element in &array.elements {
                    match element {
                        ArrayExpressionElement::SpreadElement(spread) => {
                            self.expression(&spread.argument)
                        }
                        other => {
                            if let Some(element) = other.as_expression() {
                                self.expression(element);
                            }
                        }
                    }
                }
            }
            Expression::CallExpression(call) => self.call(call),
            Expression::NewExpression(new) => {
                for argument in &new.arguments {
                    if let Some(argument) = argument.as_expression() {
                        self.expression(argument);
                    }
                }
            }
            Expression::ChainExpression(chain) => match &chain.expression {
                ChainElement::CallExpression(call) => self.call(call),
                ChainElement::StaticMemberExpression(member) => self.expression(&member.object),
                ChainElement::ComputedMemberExpression(member) => {
                    self.expression(&member.object);
                    self.expression(&member.expression);
                }
                _ => {}
            },
            _ => {}
        }
    }

    pub(super) fn target_keys(&mut self, target: &'w AssignmentTarget<'a>) {
        match target {
            AssignmentTarget::StaticMemberExpression(member) => self.expression(&member.object),
            AssignmentTarget::ComputedMemberExpression(member) => {
                self.expression(&member.object);
                self.expression(&member.expression);
            }
            _ => {}
        }
    }

    /// A function that is put in: what it is called with gets the names of its parameters.
    pub(super) fn inner(&mut self, inner: Inner<'a, 'w>) {
        if inner.dead {
            return;
        }
        self.looped(inner.span, |walker| {
            inner
                .statements()
                .iter()
                .for_each(|statement| walker.walk_statement(statement));
            if let Some(value) = inner.value() {
                walker.expression(value);
            }
        });
    }

    /// A variable may be another name of a place; `declares` says that nothing else is.
    fn named(
        &mut self,
        symbol: SymbolId,
        from: Place,
        at: u32,
        declares: Option<(SymbolId, Alias<'a, 'w>, Span)>,
    ) {
        self.look.copies.push(Copied {
            from,
            to: Place {
                root: Root::Local(symbol),
                path: Vec::new(),
            },
            holder: None,
            at,
            loops: self.look.loops.clone(),
            sure: false,
            declares,
        });
    }

    /// The variable that is the elements of something, one after the other.
    pub(super) fn element(
        &mut self,
        symbol: SymbolId,
        list: &'w Expression<'a>,
        block: Span,
        at: u32,
        lexical: bool,
    ) {
        self.look.declared.entry(symbol).or_insert(block);
        self.look.writes.push((Root::Local(symbol), at));
        let Some(from) = self.look.place(list) else {
            let mut parts = Vec::new();
            self.look.parts(list, &mut parts);
            for from in parts {
                self.named(symbol, from, at, None);
            }
            return;
        };
        self.named(
            symbol,
            from.step(Step::Any),
            at,
            lexical.then_some((symbol, Alias::Element(list), block)),
        );
    }

    pub(super) fn parameter(&mut self, inner: Inner<'a, 'w>, number: usize, from: Place, at: u32) {
        if let Some(symbol) = inner.param(number) {
            self.named(symbol, from, at, None);
        }
    }

    /// Parameters that are more than names: what they are is not followed.
    pub(super) fn opaque(&mut self, inner: Inner<'a, 'w>) {
        if !inner.is_plain() {
            self.look.opaque.get_or_insert(inner.span.start);
        }
    }

    pub(super) fn call(&mut self, call: &'w CallExpression<'a>) {
        let at = call.span.start;
        if let Some(inner) = self.look.called(call) {
            self.opaque(inner);
            for (number, argument) in call.arguments.iter().enumerate() {
                let mut sources = Vec::new();
                if let Some(e) = argument.as_expression() {
                    self.look.values(e, &mut sources);
                }
                sources
                    .into_iter()
                    .for_each(|from| self.parameter(inner, number, from, at));
            }
        }
        if let Some((name, receiver, inner)) = self.look.loop_of(call) {
            self.opaque(inner);
            self.expression(receiver);
            let first = usize::from(name == "reduce");
            if let Some(symbol) = inner.param(first) {
                self.element(symbol, receiver, inner.span, at, true);
            }
            if let Some(list) = self.look.place(receiver) {
                self.parameter(inner, first + 2, list, at);
            }
            if first == 1 {
                // What is given first, and what the function gives, is what it gets.
                let init = call.arguments.get(1).and_then(|init| init.as_expression());
                for e in inner.results().into_iter().chain(init) {
                    let mut sources = Vec::new();
                    self.look.values(e, &mut sources);
                    let own = inner.param(0);
                    sources.retain(|from| Some(&from.root) != own.map(Root::Local).as_ref());
                    sources
                        .into_iter()
                        .for_each(|from| self.parameter(inner, 0, from, at));
                }
            }
            self.inner(inner);
            if let Some(init) = call.arguments.get(1).and_then(|init| init.as_expression()) {
                self.expression(init);
            }
            if name != "sort" {
                return;
            }
        }
        let name = dotted(self.look.scoping, self.look.head, &call.callee);
        // (what is done to arguments, and in functions that are no loops over what has a name)
        let changes = match name.as_deref() {
            Some("RED.util.setMessageProperty") => true,
            Some("Object.assign") => {
                !matches!(call.arguments.first(), Some(Argument::ObjectExpression(_)))
            }
            _ => false,
        };
        let hidden = changes || handed_over(self.look.scoping, self.look.head, call).is_some();
        if hidden {
            self.look.opaque.get_or_insert(at);
        }
        if let Some((place, write)) = name.as_deref().and_then(|name| context(name, call)) {
            let at = call.span.end;
            match call
                .arguments
                .get(1)
                .and_then(|value| value.as_expression())
            {
                Some(value) if write => self.look.put(value, &place, at, None),
                _ => self.look.gets.push((place, at)),
            }
        }
        if let Expression::StaticMemberExpression(member) = &call.callee {
            self.expression(&member.object);
            if member.property.name == "fill" {
                // (every element is the same object then)
                let objects = call.arguments.iter().any(|argument| {
                    argument
                        .as_expression()
                        .is_none_or(|e| self.look.gives_objects(e))
                });
                if objects {
                    self.look.opaque.get_or_insert(at);
                }
            }
            if Mutation::named(member.property.name.as_str()).is_some()
                && let Some(receiver) = self.look.place(&member.object)
            {
                let at = call.span.end;
                self.look.holder = Some(receiver.clone());
                let element = receiver.step(Step::Any);
                for argument in &call.arguments {
                    if let Some(argument) = argument.as_expression() {
                        self.look.put(argument, &element, at, None);
                    }
                }
                self.look.holder = None;
                self.look.change(element, at, None);
            }
        }
        for argument in &call.arguments {
            match argument {
                Argument::SpreadElement(spread) => self.expression(&spread.argument),
                other => {
                    if let Some(argument) = other.as_expression() {
                        self.expression(argument);
                    }
                }
            }
        }
    }
}

/// Whether an expression is a name or a primitive as it is written.
fn is_simple(e: &Expression<'_>) -> bool {
    match e {
        Expression::ParenthesizedExpression(inner) => is_simple(&inner.expression),
        Expression::UnaryExpression(unary) => {
            unary.operator != UnaryOperator::Delete && is_simple(&unary.argument)
        }
        Expression::NumericLiteral(_)
        | Expression::StringLiteral(_)
        | Expression::BooleanLiteral(_)
        | Expression::NullLiteral(_)
        | Expression::Identifier(_) => true,
        _ => false,
    }
}
