//! What statements and functions may change: loops go through lists that stay as they are, unless they work on references.

use oxc_ast::ast::*;
use oxc_ast_visit::{Visit, walk};
use oxc_semantic::SymbolId;
use oxc_span::Span;
use oxc_syntax::operator::UnaryOperator;

use super::alias::Alias;
use super::callback::Inner;
use super::{Lower, Name, name_of};

impl<'a, 'w> Lower<'a, 'w> {
    /// Whether a loop's body may change what it goes through: any change of the same variable or of what is in it.
    pub(super) fn changes(&self, body: &Statement<'a>, list: &Expression<'a>) -> bool {
        Changes::look(self, Of::list(self, list), None, |changes| {
            changes.visit_statement(body)
        })
    }

    /// The same of a function that is called for each element.
    pub(super) fn changes_in(&self, inner: Inner<'a, 'w>, list: &Expression<'a>) -> bool {
        Changes::look(self, Of::list(self, list), None, |changes| {
            changes.visit_inner(inner)
        })
    }

    /// Whether a function that is handed over changes anything but its own variables.
    pub(super) fn acts_inside(&self, inner: Inner<'a, 'w>) -> bool {
        Changes::look(self, Of::Anything, Some(inner.span), |changes| {
            changes.visit_inner(inner)
        })
    }
}

/// The variable at the root of a place, when other names are taken for what they name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Base {
    Msg,
    Local(SymbolId),
}

impl Base {
    fn of(lower: &Lower<'_, '_>, e: &Expression<'_>) -> Option<Base> {
        match e {
            Expression::Identifier(name) => Base::named(lower, name),
            Expression::ParenthesizedExpression(inner) => Base::of(lower, &inner.expression),
            Expression::StaticMemberExpression(member) => Base::of(lower, &member.object),
            Expression::ComputedMemberExpression(member) => Base::of(lower, &member.object),
            _ => None,
        }
    }

    fn named(lower: &Lower<'_, '_>, name: &IdentifierReference<'_>) -> Option<Base> {
        match name_of(lower.scoping, lower.head, name) {
            Name::Msg => Some(Base::Msg),
            Name::Local(symbol) => match lower.aliases.get(&symbol) {
                Some(Alias::Place(e)) => Base::of(lower, e),
                // (what changes inside an element changes no list of elements)
                Some(Alias::Element(_)) | None => Some(Base::Local(symbol)),
            },
            _ => None,
        }
    }
}

/// What must not change.
#[derive(Clone, Copy)]
enum Of {
    Anything,
    /// This variable, and what is in it.
    One(Base),
    /// A value that nobody else has.
    Nothing,
}

impl Of {
    /// What a loop goes through.
    fn list(lower: &Lower<'_, '_>, list: &Expression<'_>) -> Of {
        match (Base::of(lower, list), list) {
            (Some(base), _) => Of::One(base),
            (None, Expression::CallExpression(_) | Expression::ArrayExpression(_)) => Of::Nothing,
            _ => Of::Anything,
        }
    }
}

/// Looks for changes.
struct Changes<'l, 'a, 'w> {
    lower: &'l Lower<'a, 'w>,
    of: Of,
    /// Variables that are declared in there do not count.
    own: Option<Span>,
    found: bool,
}

impl<'l, 'a, 'w> Changes<'l, 'a, 'w> {
    fn look(
        lower: &'l Lower<'a, 'w>,
        of: Of,
        own: Option<Span>,
        visit: impl FnOnce(&mut Self),
    ) -> bool {
        let mut changes = Changes {
            lower,
            of,
            own,
            found: false,
        };
        visit(&mut changes);
        changes.found
    }

    fn visit_inner(&mut self, inner: Inner<'a, 'w>) {
        inner
            .params()
            .iter()
            .for_each(|param| self.visit_formal_parameter(param));
        inner
            .statements()
            .iter()
            .for_each(|statement| self.visit_statement(statement));
        if let Some(value) = inner.value() {
            self.visit_expression(value);
        }
    }

    fn changed(&mut self, base: Option<Base>) {
        let own = match (base, self.own) {
            (Some(Base::Local(symbol)), Some(own)) => {
                let declared = self.lower.scoping.symbol_span(symbol);
                own.start <= declared.start && declared.end <= own.end
            }
            _ => false,
        };
        self.found |= match self.of {
            Of::Anything => !own,
            Of::One(one) => base.is_none_or(|base| base == one),
            Of::Nothing => false,
        };
    }

    fn inside(&mut self, object: &Expression<'a>) {
        let base = Base::of(self.lower, object);
        self.changed(base);
    }
}

impl<'a> Visit<'a> for Changes<'_, 'a, '_> {
    fn visit_assignment_target(&mut self, target: &AssignmentTarget<'a>) {
        match target {
            AssignmentTarget::AssignmentTargetIdentifier(name) => {
                self.changed(Base::named(self.lower, name))
            }
            AssignmentTarget::StaticMemberExpression(member) => self.inside(&member.object),
            AssignmentTarget::ComputedMemberExpression(member) => self.inside(&member.object),
            _ => self.found = true,
        }
        walk::walk_assignment_target(self, target);
    }

    fn visit_unary_expression(&mut self, unary: &UnaryExpression<'a>) {
        if unary.operator == UnaryOperator::Delete {
            self.inside(&unary.argument);
        }
        walk::walk_unary_expression(self, unary);
    }

    fn visit_update_expression(&mut self, update: &UpdateExpression<'a>) {
        match &update.argument {
            SimpleAssignmentTarget::AssignmentTargetIdentifier(name) => {
                self.changed(Base::named(self.lower, name))
            }
            SimpleAssignmentTarget::StaticMemberExpression(member) => self.inside(&member.object),
            SimpleAssignmentTarget::ComputedMemberExpression(member) => self.inside(&member.object),
            _ => self.found = true,
        }
        walk::walk_update_expression(self, update);
    }

    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        match &call.callee {
            Expression::StaticMemberExpression(member)
                if vgdc_mir::Mutation::named(member.property.name.as_str()).is_some() =>
            {
                self.inside(&member.object);
            }
            // (a function of the text may change anything)
            Expression::Identifier(name)
                if matches!(
                    name_of(self.lower.scoping, self.lower.head, name),
                    Name::Local(_)
                ) =>
            {
                self.found = true;
            }
            _ => {}
        }
        walk::walk_call_expression(self, call);
    }
}
