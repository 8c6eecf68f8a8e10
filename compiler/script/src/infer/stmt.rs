//! Statements.

use oxc_ast::ast::*;
use oxc_semantic::SymbolId;
use vgdc_ir::Ty;

use super::state::{State, Val};
use super::{Beyond, Infer, Res, meet, names};

/// How often a loop is followed before it is given up: types in it grow without end.
const ROUNDS: usize = 12;

impl<'a> Infer<'_> {
    pub(super) fn statements(&mut self, statements: &[Statement<'a>]) -> Res<()> {
        // (functions with names are there from the beginning)
        for statement in statements {
            if let Statement::FunctionDeclaration(function) = statement
                && let Some(symbol) = function.id.as_ref().and_then(|id| id.symbol_id.get())
            {
                self.assign(symbol, Ty::OTHER.into());
            }
        }
        statements
            .iter()
            .try_for_each(|statement| self.statement(statement))
    }

    fn statement(&mut self, statement: &Statement<'a>) -> Res<()> {
        self.step()?;
        if self.state.is_none() {
            return Ok(());
        }
        self.may_throw();
        match statement {
            Statement::ExpressionStatement(statement) => {
                self.eval(&statement.expression).map(drop)?
            }
            Statement::VariableDeclaration(declaration) => self.declaration(declaration)?,
            Statement::BlockStatement(block) => self.statements(&block.body)?,
            Statement::IfStatement(statement) => self.if_statement(statement)?,
            Statement::ReturnStatement(statement) => {
                if let Some(value) = &statement.argument {
                    self.send_expression(value)?;
                }
                self.end();
            }
            Statement::ThrowStatement(statement) => {
                self.eval(&statement.argument)?;
                self.may_throw();
                self.end();
            }
            Statement::WhileStatement(of) => self.repeat(Some(&of.test), None, &of.body, false)?,
            Statement::DoWhileStatement(of) => self.repeat(Some(&of.test), None, &of.body, true)?,
            Statement::ForStatement(of) => {
                match &of.init {
                    Some(ForStatementInit::VariableDeclaration(declaration)) => {
                        self.declaration(declaration)?;
                    }
                    Some(init) => drop(self.eval(init.as_expression().ok_or(Beyond)?)?),
                    None => {}
                }
                self.repeat(of.test.as_ref(), of.update.as_ref(), &of.body, false)?;
            }
            Statement::ForOfStatement(of) => {
                let list = self.eval(&of.right)?;
                let item = self.item(&list);
                self.each(&of.left, &item, &of.body)?;
            }
            Statement::ForInStatement(of) => {
                self.eval(&of.right)?;
                self.each(&of.left, &Ty::STRING.into(), &of.body)?;
            }
            Statement::SwitchStatement(of) => self.switch(of)?,
            Statement::TryStatement(of) => self.try_statement(of)?,
            Statement::BreakStatement(of) if of.label.is_none() => {
                let state = self.state.take();
                let last = self.breaks.last_mut().ok_or(Beyond)?;
                *last = meet(last.take(), state);
            }
            Statement::ContinueStatement(of) if of.label.is_none() => {
                let state = self.state.take();
                let last = self.continues.last_mut().ok_or(Beyond)?;
                *last = meet(last.take(), state);
            }
            Statement::FunctionDeclaration(_)
            | Statement::EmptyStatement(_)
            | Statement::DebuggerStatement(_) => {}
            _ => return Err(Beyond),
        }
        Ok(())
    }

    /// The body ends here.
    fn end(&mut self) {
        self.state = None;
        if self.uncertain > 0 {
            // (what comes after is no longer reached by every message)
            self.uncertain += 1;
        }
    }

    /// Does something that not every message does. Where it may end the body, nothing after it is certain.
    pub(super) fn perhaps<T>(&mut self, what: impl FnOnce(&mut Self) -> Res<T>) -> Res<T> {
        let before = self.uncertain;
        self.uncertain += 1;
        let done = what(self)?;
        let ended = self.uncertain > before + 1;
        self.uncertain = before + usize::from(ended);
        Ok(done)
    }

    fn if_statement(&mut self, of: &IfStatement<'a>) -> Res<()> {
        let (yes, no) = self.condition(&of.test)?;
        self.perhaps(|infer| {
            infer.state = yes;
            infer.statement(&of.consequent)?;
            let after = std::mem::replace(&mut infer.state, no);
            if let Some(alternate) = &of.alternate {
                infer.statement(alternate)?;
            }
            infer.state = meet(infer.state.take(), after);
            Ok(())
        })
    }

    fn repeat(
        &mut self,
        test: Option<&Expression<'a>>,
        update: Option<&Expression<'a>>,
        body: &Statement<'a>,
        body_first: bool,
    ) -> Res<()> {
        self.perhaps(|infer| {
            // (a loop may never end)
            infer.uncertain += 1;
            let start = infer.state.clone();
            let mut known = start;
            for _ in 0..ROUNDS {
                infer.breaks.push(None);
                infer.continues.push(None);
                infer.state.clone_from(&known);
                let mut left = None;
                if !body_first {
                    left = infer.test(test)?;
                }
                infer.statement(body)?;
                let again = infer.continues.pop().flatten();
                infer.state = meet(infer.state.take(), again);
                if body_first && infer.state.is_some() {
                    left = infer.test(test)?;
                }
                if let (Some(update), true) = (update, infer.state.is_some()) {
                    infer.eval(update)?;
                }
                let broken = infer.breaks.pop().flatten();
                let next = meet(known.clone(), infer.state.take());
                if next == known {
                    infer.state = meet(left, broken);
                    return Ok(());
                }
                known = next;
            }
            Err(Beyond)
        })
    }

    /// Goes on where a test holds; gives what is known where it does not.
    fn test(&mut self, test: Option<&Expression<'a>>) -> Res<Option<State>> {
        let Some(test) = test else { return Ok(None) };
        let (yes, no) = self.condition(test)?;
        self.state = yes;
        Ok(no)
    }

    fn each(&mut self, left: &ForStatementLeft<'a>, item: &Val, body: &Statement<'a>) -> Res<()> {
        self.perhaps(|infer| {
            let mut known = infer.state.clone();
            for _ in 0..ROUNDS {
                infer.breaks.push(None);
                infer.continues.push(None);
                infer.state.clone_from(&known);
                match left {
                    ForStatementLeft::VariableDeclaration(declaration) => {
                        let declarator = declaration.declarations.first().ok_or(Beyond)?;
                        infer.bind(&declarator.id, item)?;
                    }
                    ForStatementLeft::AssignmentTargetIdentifier(name) => {
                        infer.assign_name(name, item.clone());
                    }
                    _ => return Err(Beyond),
                }
                infer.statement(body)?;
                let again = infer.continues.pop().flatten();
                let broken = infer.breaks.pop().flatten();
                let end = meet(infer.state.take(), again);
                let next = meet(known.clone(), end);
                if next == known {
                    infer.state = meet(next, broken);
                    return Ok(());
                }
                known = next;
            }
            Err(Beyond)
        })
    }

    /// What a loop over a value gives.
    pub(super) fn item(&mut self, list: &Val) -> Val {
        if let Some(state) = &mut self.state {
            state.hand_out(list);
        }
        match list.ty.element() {
            Some(element) if list.is(&Ty::array(Ty::ANY)) => element.join(&Ty::UNDEFINED).into(),
            _ if list.is(&Ty::STRING) => Ty::STRING.into(),
            _ => Val::any(),
        }
    }

    fn switch(&mut self, of: &SwitchStatement<'a>) -> Res<()> {
        self.eval(&of.discriminant)?;
        self.perhaps(|infer| {
            let mut entry = infer.state.take();
            infer.breaks.push(None);
            let mut has_default = false;
            for case in &of.cases {
                match &case.test {
                    Some(test) => {
                        let falls = std::mem::replace(&mut infer.state, entry.take());
                        if infer.state.is_some() {
                            infer.eval(test)?;
                        }
                        entry.clone_from(&infer.state);
                        infer.state = meet(infer.state.take(), falls);
                    }
                    None => {
                        has_default = true;
                        infer.state = meet(infer.state.take(), entry.clone());
                    }
                }
                infer.statements(&case.consequent)?;
            }
            let broken = infer.breaks.pop().flatten();
            let mut after = meet(infer.state.take(), broken);
            if !has_default {
                after = meet(after, entry);
            }
            infer.state = after;
            Ok(())
        })
    }

    fn try_statement(&mut self, of: &TryStatement<'a>) -> Res<()> {
        if of.finalizer.is_some() {
            return Err(Beyond);
        }
        self.perhaps(|infer| {
            infer.thrown.push(infer.state.clone());
            infer.statements(&of.block.body)?;
            infer.may_throw();
            let thrown = infer.thrown.pop().flatten();
            let after = std::mem::replace(&mut infer.state, thrown);
            if let Some(handler) = &of.handler {
                if let Some(param) = &handler.param {
                    infer.bind(&param.pattern, &Val::any())?;
                }
                infer.statements(&handler.body.body)?;
            }
            infer.state = meet(infer.state.take(), after);
            Ok(())
        })
    }

    // ---- variables

    fn declaration(&mut self, declaration: &VariableDeclaration<'a>) -> Res<()> {
        for declarator in &declaration.declarations {
            match &declarator.init {
                Some(init) => {
                    let val = self.eval(init)?;
                    self.bind(&declarator.id, &val)?;
                }
                None if declaration.kind == VariableDeclarationKind::Var => {}
                None => self.bind(&declarator.id, &Ty::UNDEFINED.into())?,
            }
        }
        Ok(())
    }

    fn bind(&mut self, pattern: &BindingPattern<'a>, val: &Val) -> Res<()> {
        match pattern {
            BindingPattern::BindingIdentifier(name) => {
                let symbol = name.symbol_id.get().ok_or(Beyond)?;
                self.assign(symbol, val.clone());
            }
            BindingPattern::ObjectPattern(object) => {
                if object.rest.is_some() {
                    return Err(Beyond);
                }
                for property in &object.properties {
                    let name = property.key.static_name().ok_or(Beyond)?;
                    let Some(state) = self.state.as_ref().filter(|_| !property.computed) else {
                        return Err(Beyond);
                    };
                    let found = state.get(val, &name);
                    self.bind(&property.value, &found)?;
                }
            }
            BindingPattern::ArrayPattern(list) => {
                if list.rest.is_some() {
                    return Err(Beyond);
                }
                let item = self.item(val).join(&Ty::UNDEFINED.into());
                for element in list.elements.iter().flatten() {
                    self.bind(element, &item)?;
                }
            }
            BindingPattern::AssignmentPattern(with_default) => {
                let usual = self.perhaps(|infer| {
                    let before = infer.state.clone();
                    let usual = infer.eval(&with_default.right)?;
                    infer.state = meet(infer.state.take(), before);
                    Ok(usual)
                })?;
                let given = val.except(&Ty::UNDEFINED);
                self.bind(&with_default.left, &given.join(&usual))?;
            }
        }
        Ok(())
    }

    /// Assigns a variable.
    pub(super) fn assign(&mut self, symbol: SymbolId, val: Val) {
        let Some(state) = &mut self.state else { return };
        if self.facts.captured.contains(&symbol) {
            state.hand_out(&val);
        }
        if !self.facts.reached.contains(&symbol) {
            state.set_var(symbol, val);
        }
        self.may_throw();
    }

    /// Assigns a variable, or something of the world around.
    pub(super) fn assign_name(&mut self, name: &IdentifierReference<'a>, val: Val) {
        match names::symbol(self.scoping, name) {
            Some(symbol) => self.assign(symbol, val),
            None => {
                if let Some(state) = &mut self.state {
                    state.hand_out(&val);
                }
            }
        }
    }
}
