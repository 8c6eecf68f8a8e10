//! Conditions: what is known where they hold, and where they do not.

use oxc_ast::ast::*;
use oxc_semantic::SymbolId;
use oxc_syntax::operator::{BinaryOperator, LogicalOperator, UnaryOperator};
use vgdc_ir::Ty;

use super::names::{self, Callee};
use super::state::{Loc, State, Val};
use super::{Infer, Res, meet};

/// Where a value is kept, so that what is found out about it can be remembered.
enum Place {
    Var(SymbolId),
    Field(Loc, String),
}

/// What is known where a condition holds, and where it does not.
pub(super) type Ways = (Option<State>, Option<State>);

impl<'a> Infer<'_> {
    pub(super) fn condition(&mut self, e: &Expression<'a>) -> Res<Ways> {
        self.step()?;
        if self.state.is_none() {
            return Ok((None, None));
        }
        match e {
            Expression::ParenthesizedExpression(inner) => self.condition(&inner.expression),
            Expression::UnaryExpression(unary) if unary.operator == UnaryOperator::LogicalNot => {
                let (yes, no) = self.condition(&unary.argument)?;
                self.value = Ty::BOOL.into();
                Ok((no, yes))
            }
            Expression::LogicalExpression(logical) => self.logical_ways(logical),
            Expression::BinaryExpression(binary) if is_equality(binary.operator) => {
                let ways = self.equality(binary);
                self.value = Ty::BOOL.into();
                ways
            }
            Expression::CallExpression(call) => {
                self.value = self.eval(e)?;
                let ty = match names::callee(self.scoping, &call.callee) {
                    Callee::World(path) if path == "Array.isArray" => Ty::array(Ty::ANY),
                    Callee::World(path) if path == "Buffer.isBuffer" => Ty::BUFFER,
                    _ => return Ok(self.both()),
                };
                let of = call.arguments.first().and_then(Argument::as_expression);
                Ok(self.split(of, |val| (val.only(&ty), val.except(&ty))))
            }
            other => {
                let val = self.eval(other)?;
                let (yes, no) = self.split(Some(other), |val| (val.truthy(), val.falsy()));
                // (a value that has no place can still be known to be one or the other)
                let known = val.locs.is_empty();
                let yes = yes.filter(|_| !(known && val.truthy().is_never()));
                let no = no.filter(|_| !val.falsy().is_never());
                self.value = val;
                Ok((yes, no))
            }
        }
    }

    fn logical_ways(&mut self, logical: &LogicalExpression<'a>) -> Res<Ways> {
        let (yes, no) = self.condition(&logical.left)?;
        let left = self.value.clone();
        let (on, done) = match logical.operator {
            LogicalOperator::And => (yes, no),
            LogicalOperator::Or => (no, yes),
            LogicalOperator::Coalesce => {
                let all = meet(yes, no);
                (all.clone(), all)
            }
        };
        self.state = on;
        let never = self.state.is_none();
        let (yes, no) = self.perhaps(|infer| infer.condition(&logical.right))?;
        let right = match never {
            true => Val::never(),
            false => self.value.clone(),
        };
        let (left, ways) = match logical.operator {
            LogicalOperator::And => (left.falsy(), (yes, meet(done, no))),
            LogicalOperator::Or => (left.truthy(), (meet(done, yes), no)),
            LogicalOperator::Coalesce => {
                (left.present(), (meet(done.clone(), yes), meet(done, no)))
            }
        };
        self.value = left.join(&right);
        Ok(ways)
    }

    fn both(&mut self) -> Ways {
        (self.state.clone(), self.state.take())
    }

    /// Splits what is known by what is found out about a value.
    fn split(&mut self, of: Option<&Expression<'a>>, ways: impl Fn(&Val) -> (Val, Val)) -> Ways {
        let Some(state) = self.state.take() else {
            return (None, None);
        };
        let Some(place) = of.and_then(|e| self.place(&state, e)) else {
            return (Some(state.clone()), Some(state));
        };
        let (yes, no) = ways(&read(&state, &place));
        (known(state.clone(), &place, yes), known(state, &place, no))
    }

    fn place(&self, state: &State, e: &Expression<'a>) -> Option<Place> {
        match e {
            Expression::ParenthesizedExpression(inner) => self.place(state, &inner.expression),
            Expression::Identifier(name) => {
                let symbol = names::symbol(self.scoping, name)?;
                let reached = self.facts.reached.contains(&symbol);
                (!reached).then_some(Place::Var(symbol))
            }
            Expression::StaticMemberExpression(member) if !member.optional => {
                let of = self.place(state, &member.object)?;
                let loc = state.the_one(&read(state, &of))?;
                Some(Place::Field(loc, member.property.name.to_string()))
            }
            _ => None,
        }
    }

    fn equality(&mut self, binary: &BinaryExpression<'a>) -> Res<Ways> {
        self.eval(&binary.left)?;
        self.eval(&binary.right)?;
        let strict = matches!(
            binary.operator,
            BinaryOperator::StrictEquality | BinaryOperator::StrictInequality
        );
        let sides = [(&binary.left, &binary.right), (&binary.right, &binary.left)];
        let found = sides.into_iter().find_map(|(of, with)| {
            if let (Expression::UnaryExpression(unary), Some(name)) = (plain(of), text(with))
                && unary.operator == UnaryOperator::Typeof
            {
                let (only, except) = of_type(name)?;
                return Some((&unary.argument, only, except));
            }
            let (only, except) = self.equal_to(plain(with), strict)?;
            Some((of, only, except))
        });
        let (yes, no) = match found {
            Some((of, only, except)) => self.split(Some(of), |val| {
                let no = except.as_ref().map(|ty| val.except(ty));
                (val.only(&only), no.unwrap_or_else(|| val.clone()))
            }),
            None => self.both(),
        };
        let unequal = matches!(
            binary.operator,
            BinaryOperator::Inequality | BinaryOperator::StrictInequality
        );
        Ok(if unequal { (no, yes) } else { (yes, no) })
    }

    /// What equals a constant, and what is everything that does.
    fn equal_to(&self, e: &Expression<'a>, strict: bool) -> Option<(Ty, Option<Ty>)> {
        let nothing = Ty::UNDEFINED.join(&Ty::NULL);
        let exact = match e {
            Expression::NullLiteral(_) => (Ty::NULL, true),
            Expression::Identifier(name)
                if name.name == "undefined" && names::symbol(self.scoping, name).is_none() =>
            {
                (Ty::UNDEFINED, true)
            }
            Expression::StringLiteral(_) => (Ty::STRING, false),
            Expression::NumericLiteral(_) => (Ty::NUMBER, false),
            Expression::BooleanLiteral(_) => (Ty::BOOL, false),
            _ => return None,
        };
        Some(match (exact, strict) {
            ((ty, true), true) => (ty.clone(), Some(ty)),
            ((_, true), false) => (nothing.clone(), Some(nothing)),
            ((ty, false), true) => (ty, None),
            ((_, false), false) => (Ty::ANY.minus(&nothing), None),
        })
    }
}

fn read(state: &State, place: &Place) -> Val {
    match place {
        Place::Var(symbol) => state.var(*symbol),
        Place::Field(loc, name) => state.get(&Val::object(*loc), name),
    }
}

fn known(mut state: State, place: &Place, val: Val) -> Option<State> {
    if val.is_never() {
        return None;
    }
    match place {
        Place::Var(symbol) => state.set_var(*symbol, val),
        Place::Field(loc, name) => state.know(*loc, name, val),
    }
    Some(state)
}

fn is_equality(operator: BinaryOperator) -> bool {
    matches!(
        operator,
        BinaryOperator::Equality
            | BinaryOperator::Inequality
            | BinaryOperator::StrictEquality
            | BinaryOperator::StrictInequality
    )
}

fn plain<'a, 'w>(e: &'w Expression<'a>) -> &'w Expression<'a> {
    e.without_parentheses()
}

fn text<'w>(e: &'w Expression<'_>) -> Option<&'w str> {
    match plain(e) {
        Expression::StringLiteral(text) => Some(text.value.as_str()),
        _ => None,
    }
}

/// What `typeof` says a word of, and what is everything of which it does.
fn of_type(word: &str) -> Option<(Ty, Option<Ty>)> {
    let exactly = |ty: Ty| Some((ty.clone(), Some(ty)));
    match word {
        "string" => exactly(Ty::STRING),
        "number" => exactly(Ty::NUMBER),
        "boolean" => exactly(Ty::BOOL),
        "undefined" => exactly(Ty::UNDEFINED),
        "object" => {
            let sure = "null | array<any> | object{..} | buffer | date".parse::<Ty>();
            let sure = sure.unwrap_or_default();
            let simple = "undefined | bool | number | string".parse::<Ty>();
            Some((Ty::ANY.minus(&simple.unwrap_or_default()), Some(sure)))
        }
        "function" => Some(("other | handle".parse().unwrap_or_default(), None)),
        _ => None,
    }
}
