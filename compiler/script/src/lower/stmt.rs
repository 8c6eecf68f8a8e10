//! Statements.

use oxc_ast::ast::*;
use oxc_ast_visit::Visit;
use oxc_semantic::SymbolId;
use oxc_span::GetSpan;
use vgdc_mir::{BlockId, Builtin, Helper, Inst, MSG, Slot, Terminator};

use super::alias::Alias;
use super::expr::Opd;
use super::types::Ty;
use super::{Local, Lower, Res, Target, refuse};

impl<'a, 'w> Lower<'a, 'w> {
    /// Gives every variable its place.
    pub(super) fn declare(&mut self) {
        for symbol in self.types.declared.clone() {
            if self.aliases.contains_key(&symbol) {
                continue;
            }
            let local = match self.types.of(symbol) {
                Ty::Num => Local::Num(self.b.num()),
                Ty::Flag => Local::Flag(self.b.flag()),
                Ty::Prim | Ty::Any => Local::Slot(self.b.slot()),
            };
            // (a register has to have a value on every way, even where nobody reads it)
            match local {
                Local::Num(dst) => self.b.push(Inst::Num { dst, value: 0.0 }),
                Local::Flag(dst) => self.b.push(Inst::Flag { dst, value: false }),
                Local::Slot(_) => {}
            }
            self.locals.insert(symbol, local);
        }
    }

    /// What leaves the call is a value again.
    fn unshare(&mut self, slot: Slot) {
        if self.shared {
            self.b.call(Helper::Unshare, [slot.into(), MSG.into()]);
        }
    }

    pub(super) fn return_nothing(&mut self) {
        let slot = self.b.slot();
        self.unshare(slot);
        self.b.push(Inst::Undefined { dst: slot });
        self.b.end(Terminator::Return(slot));
    }

    pub(super) fn statements(&mut self, statements: &'w [Statement<'a>]) -> Res<()> {
        for (at, statement) in statements.iter().enumerate() {
            // (not every call comes as far as what stands behind an exit)
            if at > 0 && may_leave(&statements[at - 1]) {
                self.branch(|lower| {
                    let mut rest = statements[at..].iter();
                    rest.try_for_each(|statement| lower.statement(statement))
                });
                return Ok(());
            }
            self.statement(statement)?;
        }
        Ok(())
    }

    /// Does something whose intermediate values nobody needs afterwards.
    pub(super) fn whole<T>(&mut self, f: impl FnOnce(&mut Self) -> Res<T>) -> Res<T> {
        let mark = self.temps.len();
        let result = f(self)?;
        for slot in self.temps.split_off(mark) {
            self.b.call(Helper::Clear, [slot.into()]);
            self.b.release(slot);
        }
        Ok(result)
    }

    /// What follows is made of what stands there.
    fn mark(&mut self, at: u32) {
        // (functions of the text are put in where they are called: their lines are theirs)
        if self.lines && at >= self.head {
            let line = super::line_of(self.text, self.head, at);
            self.b.push(Inst::Line { line });
        }
    }

    fn statement(&mut self, statement: &'w Statement<'a>) -> Res<()> {
        let at = statement.span().start;
        let label = self.label.take();
        self.mark(at);
        match statement {
            Statement::EmptyStatement(_) => Ok(()),
            Statement::BlockStatement(block) => self.statements(&block.body),
            Statement::VariableDeclaration(declaration) => self.declaration(declaration),
            Statement::ExpressionStatement(statement) => {
                self.whole(|lower| lower.effect(&statement.expression))
            }
            Statement::IfStatement(statement) => self.if_statement(statement),
            Statement::ForStatement(of) => self.for_statement(of, label),
            Statement::WhileStatement(of) => self.while_statement(&of.test, &of.body, label),
            Statement::DoWhileStatement(of) => self.do_while(of, label),
            Statement::ForOfStatement(of) => self.for_of(of, label),
            Statement::ForInStatement(of) => self.for_in(of, label),
            Statement::SwitchStatement(of) => self.switch(of, label),
            Statement::LabeledStatement(labeled) => self.labeled(labeled),
            Statement::BreakStatement(statement) => self.leave(statement.label.as_ref(), false, at),
            Statement::ContinueStatement(statement) => {
                self.leave(statement.label.as_ref(), true, at)
            }
            Statement::ReturnStatement(statement) => self.return_statement(statement),
            Statement::ThrowStatement(_) => {
                // Whoever catches it, the engine knows.
                self.b.end(Terminator::Bail);
                self.after_end();
                Ok(())
            }
            Statement::TryStatement(of) => {
                // What is thrown inside bails out, so the handler is never needed.
                self.statements(&of.block.body)?;
                match &of.finalizer {
                    Some(finalizer) if has_jump(&of.block.body) => {
                        refuse("`finally` behind a `return`", finalizer.span.start)
                    }
                    Some(finalizer) => self.statements(&finalizer.body),
                    None => Ok(()),
                }
            }
            // (put in where it is called; one that is not known there is refused there)
            Statement::FunctionDeclaration(_) => Ok(()),
            Statement::ClassDeclaration(_) => refuse("a class", at),
            Statement::WithStatement(_) => refuse("`with`", at),
            Statement::DebuggerStatement(_) => Ok(()),
            _ => refuse("a statement of a rare kind", at),
        }
    }

    /// What follows the end of a block is never reached: it goes into a block of its own.
    pub(super) fn after_end(&mut self) {
        let dead = self.b.block();
        self.b.switch_to(dead);
    }

    /// An expression whose value nobody wants.
    fn effect(&mut self, e: &'w Expression<'a>) -> Res<()> {
        match e {
            Expression::AssignmentExpression(assign) => self.assign(assign, false).map(drop),
            Expression::ParenthesizedExpression(inner) => self.effect(&inner.expression),
            Expression::SequenceExpression(list) => {
                list.expressions.iter().try_for_each(|e| self.effect(e))
            }
            other => self.opd(other).map(drop),
        }
    }

    fn declaration(&mut self, declaration: &'w VariableDeclaration<'a>) -> Res<()> {
        for declarator in &declaration.declarations {
            let BindingPattern::BindingIdentifier(name) = &declarator.id else {
                let Some(init) = &declarator.init else {
                    return refuse("destructuring of a rare kind", declarator.span.start);
                };
                self.whole(|lower| {
                    let value = lower.opd(init)?;
                    lower.bind(&declarator.id, value)
                })?;
                continue;
            };
            let Some(symbol) = name.symbol_id.get() else {
                return refuse("a variable of a rare kind", declarator.span.start);
            };
            if self.functions.contains_key(&symbol) {
                continue;
            }
            if let Some(Alias::Place(place)) = self.aliases.get(&symbol).copied() {
                // (what it names is read once, as the language would)
                self.whole(|lower| lower.opd(place).map(drop))?;
                continue;
            }
            let around = self.scoping.symbol_span(symbol).start < self.head;
            let local = match self.locals.get(&symbol).copied() {
                None if around && name.name == "msg" => Some(Local::Slot(MSG)),
                local => local,
            };
            let Some(local) = local else {
                return refuse("a variable of a rare kind", declarator.span.start);
            };
            match &declarator.init {
                Some(init) => self.whole(|lower| {
                    let value = lower.opd(init)?;
                    lower.set_local(local, value);
                    Ok(())
                })?,
                // `let x;` in a loop is undefined each time around; `var x;` stays what it is.
                None if declaration.kind != VariableDeclarationKind::Var => {
                    self.set_local(local, Opd::Undefined)
                }
                None => {}
            }
        }
        Ok(())
    }

    fn condition(&mut self, e: &'w Expression<'a>, yes: BlockId, no: BlockId) -> Res<()> {
        self.mark(e.span().start);
        let flag = self.whole(|lower| lower.flag(e))?;
        self.b.end(Terminator::Branch(flag, yes, no));
        Ok(())
    }

    /// Statements that are not on every way: where there is something in them that cannot be lowered, the call bails out when
    /// it comes there. (What was lowered of them before that may stay: nobody sees what it does.)
    pub(super) fn branch(&mut self, f: impl FnOnce(&mut Self) -> Res<()>) {
        let (temps, targets) = (self.temps.len(), self.targets.len());
        let (returns, inside) = (self.returns.len(), self.inside.len());
        let Err(refused) = f(self) else {
            return;
        };
        self.temps.truncate(temps);
        self.targets.truncate(targets);
        self.returns.truncate(returns);
        self.inside.truncate(inside);
        self.label = None;
        if self.b.is_ended() {
            self.after_end();
        }
        self.b.end(Terminator::Bail);
        self.left.push(refused);
    }

    fn if_statement(&mut self, statement: &'w IfStatement<'a>) -> Res<()> {
        let (yes, end) = (self.b.block(), self.b.block());
        let no = match &statement.alternate {
            Some(_) => self.b.block(),
            None => end,
        };
        self.condition(&statement.test, yes, no)?;
        self.b.switch_to(yes);
        self.branch(|lower| lower.statement(&statement.consequent));
        self.b.jump(end);
        if let Some(alternate) = &statement.alternate {
            self.b.switch_to(no);
            self.branch(|lower| lower.statement(alternate));
            self.b.jump(end);
        }
        self.b.switch_to(end);
        Ok(())
    }

    /// Each time around a loop.
    pub(super) fn tick(&mut self) {
        self.b.call(Helper::Tick, []);
    }

    fn within(
        &mut self,
        label: Option<&'a str>,
        end: BlockId,
        next: Option<BlockId>,
        plain: bool,
        body: impl FnOnce(&mut Self) -> Res<()>,
    ) -> Res<()> {
        self.targets.push(Target {
            label,
            end,
            next,
            plain,
        });
        let done = body(self);
        self.targets.pop();
        done
    }

    fn for_statement(&mut self, of: &'w ForStatement<'a>, label: Option<&'a str>) -> Res<()> {
        match &of.init {
            Some(ForStatementInit::VariableDeclaration(declaration)) => {
                self.declaration(declaration)?
            }
            Some(init) => {
                let Some(init) = init.as_expression() else {
                    return refuse("a loop of a rare kind", of.span.start);
                };
                self.whole(|lower| lower.effect(init))?;
            }
            None => {}
        }
        let [head, body, next, end] = std::array::from_fn(|_| self.b.block());
        self.b.jump(head);
        self.b.switch_to(head);
        self.tick();
        match &of.test {
            Some(test) => self.condition(test, body, end)?,
            None => self.b.jump(body),
        }
        self.b.switch_to(body);
        self.within(label, end, Some(next), true, |lower| {
            lower.statement(&of.body)
        })?;
        self.b.jump(next);
        self.b.switch_to(next);
        if let Some(update) = &of.update {
            self.whole(|lower| lower.effect(update))?;
        }
        self.b.jump(head);
        self.b.switch_to(end);
        Ok(())
    }

    fn while_statement(
        &mut self,
        test: &'w Expression<'a>,
        of: &'w Statement<'a>,
        label: Option<&'a str>,
    ) -> Res<()> {
        let [head, body, end] = std::array::from_fn(|_| self.b.block());
        self.b.jump(head);
        self.b.switch_to(head);
        self.tick();
        self.condition(test, body, end)?;
        self.b.switch_to(body);
        self.within(label, end, Some(head), true, |lower| lower.statement(of))?;
        self.b.jump(head);
        self.b.switch_to(end);
        Ok(())
    }

    fn do_while(&mut self, of: &'w DoWhileStatement<'a>, label: Option<&'a str>) -> Res<()> {
        let [body, next, end] = std::array::from_fn(|_| self.b.block());
        self.b.jump(body);
        self.b.switch_to(body);
        self.tick();
        self.within(label, end, Some(next), true, |lower| {
            lower.statement(&of.body)
        })?;
        self.b.jump(next);
        self.b.switch_to(next);
        self.condition(&of.test, body, end)?;
        self.b.switch_to(end);
        Ok(())
    }

    /// The variable of a loop over something.
    fn loop_variable(
        &mut self,
        left: &'w ForStatementLeft<'a>,
        at: u32,
    ) -> Res<&'w BindingPattern<'a>> {
        let ForStatementLeft::VariableDeclaration(declaration) = left else {
            return refuse("a loop that sets what is declared before it", at);
        };
        match declaration.declarations.first() {
            Some(declarator) => Ok(&declarator.id),
            None => refuse("a loop of a rare kind", at),
        }
    }

    /// A loop over the elements of an array in a slot of its own; over its elements that are still keys of `keys_of`.
    fn over(
        &mut self,
        list: Slot,
        variable: &'w BindingPattern<'a>,
        of: &'w Statement<'a>,
        label: Option<&'a str>,
        keys_of: Option<Slot>,
    ) -> Res<()> {
        let [head, body, next, end] = std::array::from_fn(|_| self.b.block());
        let index = self.b.constant(0.0);
        self.b.jump(head);
        self.b.switch_to(head);
        self.tick();
        let flag = self.whole(|lower| {
            let length = lower.get(Opd::Slot(list), "length")?;
            let (a, b, dst) = (index, lower.unbox(length), lower.b.flag());
            lower.b.push(Inst::Compare {
                op: vgdc_mir::Compare::Lt,
                dst,
                a,
                b,
            });
            Ok(dst)
        })?;
        self.b.end(Terminator::Branch(flag, body, end));
        self.b.switch_to(body);
        if let Some(object) = keys_of {
            let there = self.whole(|lower| {
                let key = lower.read(Opd::Slot(list), &super::expr::Key::Index(index))?;
                let (key, dst) = (lower.arg(key), lower.b.flag());
                lower.b.push(Inst::Ask {
                    helper: Helper::Has,
                    dst,
                    args: vec![key, object.into()],
                });
                Ok(dst)
            })?;
            let more = self.b.block();
            self.b.end(Terminator::Branch(there, more, next));
            self.b.switch_to(more);
        }
        match variable {
            BindingPattern::BindingIdentifier(name) => {
                if let Some(symbol) = name.symbol_id.get() {
                    self.set_element(symbol, list, index)?;
                }
            }
            pattern => self.whole(|lower| {
                let element = lower.read(Opd::Slot(list), &super::expr::Key::Index(index))?;
                lower.bind(pattern, element)
            })?,
        }
        self.within(label, end, Some(next), true, |lower| lower.statement(of))?;
        self.b.jump(next);
        self.b.switch_to(next);
        let one = self.b.constant(1.0);
        let after = self.arith(vgdc_mir::Arith::Add, index, one);
        self.b.push(Inst::MoveNum {
            dst: index,
            src: after,
        });
        self.b.jump(head);
        self.b.switch_to(end);
        self.b.call(Helper::Clear, [list.into()]);
        Ok(())
    }

    /// Gives the variable of a loop its element; one that is another name of it has it already.
    pub(super) fn set_element(
        &mut self,
        variable: SymbolId,
        list: Slot,
        index: vgdc_mir::Num,
    ) -> Res<()> {
        match self.locals.get(&variable).copied() {
            Some(local) => self.whole(|lower| {
                let element = lower.read(Opd::Slot(list), &super::expr::Key::Index(index))?;
                lower.set_local(local, element);
                Ok(())
            }),
            None => {
                self.elements.insert(variable, index);
                Ok(())
            }
        }
    }

    fn for_of(&mut self, of: &'w ForOfStatement<'a>, label: Option<&'a str>) -> Res<()> {
        let at = of.span.start;
        if of.r#await {
            return refuse("`for await`", at);
        }
        let variable = self.loop_variable(&of.left, at)?;
        let list = self.b.slot();
        self.whole(|lower| {
            let value = match lower.items(&of.right)? {
                Some(_) if lower.changes_collection(&of.body) => {
                    return refuse("a loop that changes what it goes through", at);
                }
                Some(items) => items,
                None => lower.opd(&of.right)?,
            };
            lower.store(value, list);
            // Anything but an array is gone through in ways of its own.
            lower.only_arrays(list);
            Ok(())
        })?;
        // (the array is gone through as it is now: a body that changes it would see more)
        if !self.shared && self.changes(&of.body, &of.right) {
            return refuse("a loop that changes what it goes through", at);
        }
        self.over(list, variable, &of.body, label, None)
    }

    fn for_in(&mut self, of: &'w ForInStatement<'a>, label: Option<&'a str>) -> Res<()> {
        let at = of.span.start;
        let variable = self.loop_variable(&of.left, at)?;
        if !self.shared && self.changes(&of.body, &of.right) {
            return refuse("a loop that changes what it goes through", at);
        }
        let list = self.b.slot();
        let object = self.shared.then(|| self.b.slot());
        self.whole(|lower| {
            let value = lower.opd(&of.right)?;
            let (dst, own) = (lower.temp(), lower.own(value));
            if let Some(object) = object {
                lower.store(Opd::Slot(own), object);
            }
            let args = [
                dst.into(),
                own.into(),
                (Builtin::ObjectKeys as u32).into(),
                1.into(),
            ];
            lower.b.call(Helper::Builtin, args);
            lower.store(Opd::Temp(dst), list);
            Ok(())
        })?;
        self.over(list, variable, &of.body, label, object)
    }

    fn switch(&mut self, of: &'w SwitchStatement<'a>, label: Option<&'a str>) -> Res<()> {
        let value = self.b.slot();
        self.whole(|lower| {
            let opd = lower.opd(&of.discriminant)?;
            lower.store(opd, value);
            Ok(())
        })?;
        let end = self.b.block();
        let blocks: Vec<BlockId> = of.cases.iter().map(|_| self.b.block()).collect();
        let mut default = end;
        for (case, block) in of.cases.iter().zip(&blocks) {
            let Some(test) = &case.test else {
                default = *block;
                continue;
            };
            let flag = self.whole(|lower| {
                let test = lower.opd(test)?;
                Ok(lower.equal(Opd::Slot(value), test, true))
            })?;
            let next = self.b.block();
            self.b.end(Terminator::Branch(flag, *block, next));
            self.b.switch_to(next);
        }
        self.b.jump(default);
        for (at, (case, block)) in of.cases.iter().zip(&blocks).enumerate() {
            self.b.switch_to(*block);
            self.branch(|lower| {
                lower.within(label, end, None, true, |lower| {
                    lower.statements(&case.consequent)
                })
            });
            self.b.jump(blocks.get(at + 1).copied().unwrap_or(end));
        }
        self.b.switch_to(end);
        self.b.call(Helper::Clear, [value.into()]);
        Ok(())
    }

    fn labeled(&mut self, labeled: &'w LabeledStatement<'a>) -> Res<()> {
        let name = labeled.label.name.as_str();
        match &labeled.body {
            Statement::BlockStatement(block) => {
                let end = self.b.block();
                self.within(Some(name), end, None, false, |lower| {
                    lower.statements(&block.body)
                })?;
                self.b.jump(end);
                self.b.switch_to(end);
                Ok(())
            }
            body => {
                self.label = Some(name);
                self.statement(body)
            }
        }
    }

    fn leave(&mut self, label: Option<&LabelIdentifier<'a>>, next: bool, at: u32) -> Res<()> {
        let target = self
            .targets
            .iter()
            .rev()
            .find_map(|target| match (label, next) {
                (Some(label), _) if target.label != Some(label.name.as_str()) => None,
                (_, true) => target.next,
                (Some(_), false) => Some(target.end),
                (None, false) => target.plain.then_some(target.end),
            });
        let Some(target) = target else {
            return refuse("a jump of a rare kind", at);
        };
        self.b.jump(target);
        self.after_end();
        Ok(())
    }

    fn return_statement(&mut self, statement: &'w ReturnStatement<'a>) -> Res<()> {
        if let Some(to) = self.returns.last().copied() {
            return self.return_inner(statement.argument.as_ref(), to);
        }
        match &statement.argument {
            Some(argument) => {
                let mark = self.temps.len();
                let value = match argument {
                    // (messages for outputs, or none)
                    Expression::ArrayExpression(array) => self.array_with(array, true)?,
                    argument => self.opd(argument)?,
                };
                let slot = match value {
                    Opd::Slot(slot) => slot,
                    other => self.own(other),
                };
                self.unshare(slot);
                self.b.end(Terminator::Return(slot));
                self.after_end();
                for slot in self.temps.split_off(mark) {
                    self.b.release(slot);
                }
            }
            None => {
                self.return_nothing();
                self.after_end();
            }
        }
        Ok(())
    }
}

/// Whether control can leave statements by a jump.
fn has_jump(statements: &[Statement<'_>]) -> bool {
    struct Jumps(bool);
    impl<'a> Visit<'a> for Jumps {
        fn visit_return_statement(&mut self, _: &ReturnStatement<'a>) {
            self.0 = true;
        }
        fn visit_break_statement(&mut self, _: &BreakStatement<'a>) {
            self.0 = true;
        }
        fn visit_continue_statement(&mut self, _: &ContinueStatement<'a>) {
            self.0 = true;
        }
        // (what functions inside do is another matter)
        fn visit_function(&mut self, _: &Function<'a>, _: oxc_syntax::scope::ScopeFlags) {}
        fn visit_arrow_function_expression(&mut self, _: &ArrowFunctionExpression<'a>) {}
    }
    let mut jumps = Jumps(false);
    statements
        .iter()
        .for_each(|statement| jumps.visit_statement(statement));
    jumps.0
}

/// Whether control may go on elsewhere than behind a statement.
fn may_leave(statement: &Statement<'_>) -> bool {
    /// Counts what a jump without a label stays in.
    #[derive(Default)]
    struct Leaves {
        found: bool,
        loops: u32,
        switches: u32,
    }
    impl Leaves {
        fn around(&mut self, walk: impl FnOnce(&mut Self)) {
            let switches = std::mem::take(&mut self.switches);
            self.loops += 1;
            walk(self);
            self.loops -= 1;
            self.switches = switches;
        }
    }
    impl<'a> Visit<'a> for Leaves {
        fn visit_return_statement(&mut self, _: &ReturnStatement<'a>) {
            self.found = true;
        }
        fn visit_throw_statement(&mut self, _: &ThrowStatement<'a>) {
            self.found = true;
        }
        fn visit_break_statement(&mut self, of: &BreakStatement<'a>) {
            self.found |= of.label.is_some() || self.loops + self.switches == 0;
        }
        fn visit_continue_statement(&mut self, of: &ContinueStatement<'a>) {
            self.found |= of.label.is_some() || self.loops == 0;
        }
        fn visit_for_statement(&mut self, of: &ForStatement<'a>) {
            self.around(|leaves| leaves.visit_statement(&of.body));
        }
        fn visit_for_of_statement(&mut self, of: &ForOfStatement<'a>) {
            self.around(|leaves| leaves.visit_statement(&of.body));
        }
        fn visit_for_in_statement(&mut self, of: &ForInStatement<'a>) {
            self.around(|leaves| leaves.visit_statement(&of.body));
        }
        fn visit_while_statement(&mut self, of: &WhileStatement<'a>) {
            self.around(|leaves| leaves.visit_statement(&of.body));
        }
        fn visit_do_while_statement(&mut self, of: &DoWhileStatement<'a>) {
            self.around(|leaves| leaves.visit_statement(&of.body));
        }
        fn visit_switch_statement(&mut self, of: &SwitchStatement<'a>) {
            self.switches += 1;
            for case in &of.cases {
                case.consequent
                    .iter()
                    .for_each(|of| self.visit_statement(of));
            }
            self.switches -= 1;
        }
        // (what functions inside do is another matter)
        fn visit_function(&mut self, _: &Function<'a>, _: oxc_syntax::scope::ScopeFlags) {}
        fn visit_arrow_function_expression(&mut self, _: &ArrowFunctionExpression<'a>) {}
    }
    let mut leaves = Leaves::default();
    leaves.visit_statement(statement);
    leaves.found
}
