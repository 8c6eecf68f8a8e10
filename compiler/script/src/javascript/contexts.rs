//! What an expression stands for: one of the objects that give access to contexts, or texts that are known.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use oxc_ast::ast::{
    Argument, BinaryOperator, BindingIdentifier, BindingPattern, ChainElement, Expression,
    IdentifierReference, Program, VariableDeclarator,
};
use oxc_ast_visit::{Visit, walk};
use oxc_semantic::{Scoping, SymbolId};

/// An object that a function node has by birth and that leads to contexts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// `context`, the node's own, with the others in it.
    Context,
    /// `flow`.
    Flow,
    /// `global`.
    Global,
    /// `env`.
    Env,
    /// `globalThis`, which has all of them.
    World,
}

/// More texts than this for one expression are not told apart.
const MOST_TEXTS: usize = 32;

/// What the variables of a text stand for that never change.
pub(super) struct Names<'s> {
    pub(super) scoping: &'s Scoping,
    bound: HashMap<SymbolId, Bound>,
}

enum Bound {
    Place(Place),
    Texts(BTreeSet<String>),
}

impl<'s> Names<'s> {
    /// Looks at all declarations of a text.
    pub(super) fn of(program: &Program<'_>, scoping: &'s Scoping) -> Names<'s> {
        let mut names = Names {
            scoping,
            bound: HashMap::new(),
        };
        names.visit_program(program);
        names
    }

    /// The variable that an identifier is declared as in the text. `None`: one of the world around.
    pub(super) fn symbol(&self, identifier: &IdentifierReference<'_>) -> Option<SymbolId> {
        self.scoping
            .get_reference(identifier.reference_id.get()?)
            .symbol_id()
    }

    /// The name of a variable of the world around.
    pub(super) fn outside<'e>(&self, expression: &'e Expression<'_>) -> Option<&'e str> {
        match expression.without_parentheses() {
            Expression::Identifier(identifier) if self.symbol(identifier).is_none() => {
                Some(identifier.name.as_str())
            }
            _ => None,
        }
    }

    pub(super) fn place(&self, expression: &Expression<'_>) -> Option<Place> {
        match expression.without_parentheses() {
            Expression::Identifier(identifier) => self.place_of_identifier(identifier),
            Expression::ThisExpression(_) => Some(Place::World),
            other => {
                let (object, name) = member(other)?;
                self.place_of_member(object, &name?)
            }
        }
    }

    pub(super) fn place_of_member(&self, object: &Expression<'_>, name: &str) -> Option<Place> {
        match (self.place(object)?, name) {
            (Place::Context, "flow") => Some(Place::Flow),
            (Place::Context, "global") => Some(Place::Global),
            (Place::World, name) => by_name(name),
            _ => None,
        }
    }

    pub(super) fn place_of_identifier(
        &self,
        identifier: &IdentifierReference<'_>,
    ) -> Option<Place> {
        match self.symbol(identifier) {
            None => by_name(identifier.name.as_str()),
            Some(symbol) => match self.bound.get(&symbol)? {
                Bound::Place(place) => Some(*place),
                Bound::Texts(_) => None,
            },
        }
    }

    /// True when a declared name stands for one of the objects.
    pub(super) fn is_place(&self, name: &BindingIdentifier<'_>) -> bool {
        name.symbol_id
            .get()
            .is_some_and(|symbol| matches!(self.bound.get(&symbol), Some(Bound::Place(_))))
    }

    /// The texts that an expression can be, if it can be no others.
    pub(super) fn texts(&self, expression: &Expression<'_>) -> Option<BTreeSet<String>> {
        let texts = match expression.without_parentheses() {
            Expression::StringLiteral(text) if !text.lone_surrogates => {
                BTreeSet::from([text.value.to_string()])
            }
            Expression::TemplateLiteral(template) => self.template(template)?,
            Expression::Identifier(identifier) => {
                match self.bound.get(&self.symbol(identifier)?)? {
                    Bound::Texts(texts) => texts.clone(),
                    Bound::Place(_) => return None,
                }
            }
            Expression::ConditionalExpression(choice) => {
                let mut texts = self.texts(&choice.consequent)?;
                texts.append(&mut self.texts(&choice.alternate)?);
                texts
            }
            Expression::BinaryExpression(sum) if sum.operator == BinaryOperator::Addition => {
                joined(&self.texts(&sum.left)?, &self.texts(&sum.right)?)
            }
            _ => return None,
        };
        (texts.len() <= MOST_TEXTS).then_some(texts)
    }

    fn template(&self, template: &oxc_ast::ast::TemplateLiteral<'_>) -> Option<BTreeSet<String>> {
        let mut texts = BTreeSet::from([String::new()]);
        for (at, part) in template.quasis.iter().enumerate() {
            let cooked = part
                .value
                .cooked
                .as_ref()
                .filter(|_| !part.lone_surrogates)?;
            texts = joined(&texts, &BTreeSet::from([cooked.to_string()]));
            if let Some(inner) = template.expressions.get(at) {
                texts = joined(&texts, &self.texts(inner)?);
            }
            if texts.len() > MOST_TEXTS {
                return None;
            }
        }
        Some(texts)
    }

    /// The texts of an argument: of a text or of a list of texts.
    pub(super) fn texts_or_list(&self, argument: &Argument<'_>) -> Option<BTreeSet<String>> {
        match argument.as_expression()?.without_parentheses() {
            Expression::ArrayExpression(list) => {
                let mut texts = BTreeSet::new();
                for element in &list.elements {
                    texts.append(&mut self.texts(element.as_expression()?)?);
                }
                Some(texts)
            }
            other => self.texts(other),
        }
    }

    /// True for a variable with one declaration and no assignment.
    fn never_changes(&self, symbol: SymbolId) -> bool {
        !self.scoping.symbol_is_mutated(symbol)
            && self.scoping.symbol_redeclarations(symbol).is_empty()
    }
}

impl<'a> Visit<'a> for Names<'_> {
    fn visit_variable_declarator(&mut self, declarator: &VariableDeclarator<'a>) {
        walk::walk_variable_declarator(self, declarator);
        let (BindingPattern::BindingIdentifier(name), Some(value)) =
            (&declarator.id, &declarator.init)
        else {
            return;
        };
        let Some(symbol) = name
            .symbol_id
            .get()
            .filter(|symbol| self.never_changes(*symbol))
        else {
            return;
        };
        let bound = match self.place(value) {
            Some(place) => Some(Bound::Place(place)),
            None => self.texts(value).map(Bound::Texts),
        };
        if let Some(bound) = bound {
            self.bound.insert(symbol, bound);
        }
    }
}

fn joined(left: &BTreeSet<String>, right: &BTreeSet<String>) -> BTreeSet<String> {
    // (one too many tells the caller that there are too many)
    let all = left
        .iter()
        .flat_map(|left| right.iter().map(move |right| format!("{left}{right}")));
    all.take(MOST_TEXTS + 1).collect()
}

fn by_name(name: &str) -> Option<Place> {
    match name {
        "context" => Some(Place::Context),
        "flow" => Some(Place::Flow),
        "global" => Some(Place::Global),
        "env" => Some(Place::Env),
        "globalThis" => Some(Place::World),
        _ => None,
    }
}

/// The parts of `object.name` and `object["name"]`; the name is `None` when it is computed.
pub(super) fn member<'e, 'a>(
    expression: &'e Expression<'a>,
) -> Option<(&'e Expression<'a>, Option<Cow<'e, str>>)> {
    match expression.without_parentheses() {
        Expression::StaticMemberExpression(member) => {
            Some((&member.object, Some(member.property.name.as_str().into())))
        }
        Expression::ComputedMemberExpression(member) => {
            Some((&member.object, literal(&member.expression)))
        }
        Expression::ChainExpression(chain) => match &chain.expression {
            ChainElement::StaticMemberExpression(member) => {
                Some((&member.object, Some(member.property.name.as_str().into())))
            }
            ChainElement::ComputedMemberExpression(member) => {
                Some((&member.object, literal(&member.expression)))
            }
            _ => None,
        },
        _ => None,
    }
}

/// The text or number that a computed key is written as.
pub(super) fn literal<'e>(key: &'e Expression<'_>) -> Option<Cow<'e, str>> {
    match key.without_parentheses() {
        Expression::StringLiteral(text) => Some(text.value.as_str().into()),
        Expression::NumericLiteral(number) => Some(number.value.to_string().into()),
        Expression::TemplateLiteral(template) if template.expressions.is_empty() => template
            .quasis
            .first()
            .and_then(|part| part.value.cooked.as_ref())
            .map(|text| text.as_str().into()),
        _ => None,
    }
}
