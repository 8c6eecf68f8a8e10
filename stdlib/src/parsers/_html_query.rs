//! Finds elements by selectors as cheerio 1.0.0-rc.10 does: with jQuery's positions (`:first`, `:eq(1)` …), `:contains`,
//! `:has`, and the form pseudo-classes.
//!
//! The selector crates of Rust know none of these extensions, and say other things of what they cannot read.

use super::html_dom::{Dom, Id};
use super::html_selector::{Action, Attribute, Data, Selector, Step, Token, nth, parse, whole};
use std::cell::RefCell;
use std::collections::HashSet;

/// The elements that a text selects, in the order of the document.
///
/// # Errors
/// The text is no selector.
pub fn select(dom: &Dom, text: &str) -> Result<Vec<Id>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let selectors = prepared(parse(text)?)?;
    let query = Query {
        dom,
        all: dom.elements(),
        failed: RefCell::default(),
    };
    let (positional, plain): (Vec<_>, Vec<_>) = selectors
        .into_iter()
        .partition(|s| s.iter().any(is_position));
    let mut found = HashSet::new();
    for selector in &positional {
        found.extend(query.by_position(None, selector, true));
    }
    let fits = |id: &&Id| found.contains(*id) || query.fits_any(&plain, **id, None);
    Ok(query.all.iter().filter(fits).copied().collect())
}

/// Pseudo-classes that stand for selectors.
fn alias(name: &str) -> Option<&'static str> {
    Some(match name {
        "any-link" => ":is(a, area, link)[href]",
        "link" => ":any-link:not(:visited)",
        "disabled" => {
            ":is(:is(button, input, select, textarea, optgroup, option)[disabled], optgroup[disabled] > option, fieldset[disabled]:not(fieldset[disabled] legend:first-of-type *))"
        }
        "enabled" => ":not(:disabled)",
        "checked" => ":is(:is(input[type=radio], input[type=checkbox])[checked], option:selected)",
        "required" => ":is(input, select, textarea)[required]",
        "optional" => ":is(input, select, textarea):not([required])",
        "selected" => {
            "option:is([selected], select:not([multiple]):not(:has(> option[selected])) > :first-of-type)"
        }
        "checkbox" => "[type=checkbox]",
        "file" => "[type=file]",
        "password" => "[type=password]",
        "radio" => "[type=radio]",
        "reset" => "[type=reset]",
        "image" => "[type=image]",
        "submit" => "[type=submit]",
        "parent" => ":not(:empty)",
        "header" => ":is(h1, h2, h3, h4, h5, h6)",
        "button" => ":is(button, input[type=button])",
        "input" => ":is(input, textarea, select, button)",
        "text" => "input:is(:not([type!='']), [type=text])",
        _ => return None,
    })
}

/// True for what picks by the position among all that was found.
fn is_position(token: &Token) -> bool {
    match token {
        Token::Pseudo(name, Data::Selectors(selectors)) => {
            name == "not" && selectors.iter().flatten().any(is_position)
        }
        Token::Pseudo(name, _) => matches!(
            name.as_str(),
            "first" | "last" | "eq" | "gt" | "nth" | "lt" | "even" | "odd"
        ),
        _ => false,
    }
}

fn is_step(token: &Token) -> bool {
    matches!(token, Token::Step(_))
}

/// Selectors with all aliases put in, and nothing in them that is not known.
fn prepared(selectors: Vec<Selector>) -> Result<Vec<Selector>, String> {
    let each = |selector: Selector| selector.into_iter().map(prepared_token).collect();
    selectors.into_iter().map(each).collect()
}

/// As [`prepared`], where positions are not known.
fn prepared_inside(selectors: Vec<Selector>) -> Result<Vec<Selector>, String> {
    let position = |token: &Token| match token {
        Token::Pseudo(name, data) if is_position(token) && !matches!(data, Data::Selectors(_)) => {
            Some(name.clone())
        }
        _ => None,
    };
    match selectors.iter().flatten().find_map(position) {
        Some(name) => Err(format!("unmatched pseudo-class :{name}")),
        None => prepared(selectors),
    }
}

fn prepared_token(token: Token) -> Result<Token, String> {
    let (name, data) = match token {
        Token::Unsupported(why) => return Err(why.to_owned()),
        Token::Pseudo(..) if is_position(&token) => {
            let Token::Pseudo(name, Data::Selectors(selectors)) = token else {
                return Ok(token);
            };
            return Ok(Token::Pseudo(name, Data::Selectors(prepared(selectors)?)));
        }
        Token::Pseudo(name, data) => (name, data),
        other => return Ok(other),
    };
    if let Data::Selectors(selectors) = data {
        if matches!(name.as_str(), "host" | "host-context") {
            return Err("subselects_1.subselects[name] is not a function".to_owned());
        }
        return Ok(Token::Pseudo(
            name,
            Data::Selectors(prepared_inside(selectors)?),
        ));
    }
    if let Some(text) = alias(&name) {
        if data != Data::None {
            return Err(format!("Pseudo {name} doesn't have any arguments"));
        }
        return Ok(Token::Pseudo(
            "is".to_owned(),
            Data::Selectors(prepared(parse(text)?)?),
        ));
    }
    let null = |method: &str| {
        Err(format!(
            "Cannot read properties of null (reading '{method}')"
        ))
    };
    match (name.as_str(), &data) {
        ("contains" | "root" | "scope" | "hover" | "visited" | "active", _) => {}
        ("icontains", Data::None) => return null("toLowerCase"),
        ("icontains", _) => {}
        ("nth-child" | "nth-last-child" | "nth-of-type" | "nth-last-of-type", Data::Text(text)) => {
            nth(text)?;
        }
        ("nth-child" | "nth-last-child" | "nth-of-type" | "nth-last-of-type", _) => {
            return null("trim");
        }
        (
            "empty" | "first-child" | "last-child" | "first-of-type" | "last-of-type"
            | "only-of-type" | "only-child",
            data,
        ) => {
            if *data != Data::None {
                return Err(format!(
                    "pseudo-selector :{name} doesn't have any arguments"
                ));
            }
        }
        _ => return Err(format!("unmatched pseudo-class :{name}")),
    }
    Ok(Token::Pseudo(name, data))
}

struct Query<'a> {
    dom: &'a Dom,
    all: Vec<Id>,
    /// Elements in which a way further out has been looked for in vain, by the address of the selector's rest.
    failed: RefCell<HashSet<(usize, Id)>>,
}

/// What `:has` is asked of.
#[derive(Clone, Copy)]
struct Scope {
    of: Id,
    /// The selector has steps, and so begins at the element or in it.
    inside: bool,
}

/// Attributes whose values have no case in HTML.
fn has_no_case(name: &str) -> bool {
    const NAMES: &str = " accept accept-charset align alink axis bgcolor charset checked clear codetype color compact declare defer dir direction disabled enctype face frame hreflang http-equiv lang language link media method multiple nohref noresize noshade nowrap readonly rel rev rules scope scrolling selected shape target text type valign valuetype vlink ";
    NAMES.contains(&format!(" {name} "))
}

impl Query<'_> {
    // ------------------------------------------------------------------------------------------------- positions

    /// The elements of a selector with a position: of the whole document, or of a list.
    fn by_position(&self, list: Option<&[Id]>, selector: &[Token], everywhere: bool) -> Vec<Id> {
        let Some(at) = selector.iter().position(is_position) else {
            return Vec::new();
        };
        let (before, behind) = (&selector[..at], &selector[at + 1..]);
        let Token::Pseudo(name, data) = &selector[at] else {
            return Vec::new();
        };
        let mut found: Vec<Id> = match list {
            None if before.is_empty() => {
                let roots = self.dom.roots().iter().copied();
                roots.filter(|id| self.dom.name(*id).is_some()).collect()
            }
            Some(list) if before.is_empty() => list.to_vec(),
            Some(list) if !everywhere => list
                .iter()
                .copied()
                .filter(|id| self.fits(before, *id, None))
                .collect(),
            _ => self
                .all
                .iter()
                .copied()
                .filter(|id| self.fits(before, *id, None))
                .collect(),
        };
        let number = match data {
            Data::Text(text) => whole(text),
            _ => None,
        };
        let count = found.len() as i64;
        match (name.as_str(), number) {
            ("first", _) => found.truncate(1),
            ("last", _) => drop(found.drain(..found.len().saturating_sub(1))),
            ("eq" | "nth", Some(n)) if n.abs() < count => {
                found = vec![found[(if n < 0 { count + n } else { n }) as usize]];
            }
            ("lt", Some(n)) if n >= 0 => found.truncate(n as usize),
            ("lt", Some(_)) => {}
            ("gt", Some(n)) => {
                let from = if n + 1 < 0 {
                    (count + n + 1).max(0)
                } else {
                    (n + 1).min(count)
                };
                found.drain(..from as usize);
            }
            ("even" | "odd", _) => {
                let wanted = usize::from(name == "odd");
                let mut at = 0;
                found.retain(|_| {
                    at += 1;
                    (at - 1) % 2 == wanted
                });
            }
            ("not", _) => {
                if let Data::Selectors(selectors) = data {
                    let out = self.filtered(selectors, &found);
                    found.retain(|id| !out.contains(id));
                }
            }
            _ => found.clear(),
        }
        // (cheerio finds nothing by steps that begin at what a position has picked)
        if behind.iter().any(is_step) {
            return Vec::new();
        }
        if behind.iter().any(is_position) {
            return self.by_position(Some(&found), behind, false);
        }
        found.retain(|id| self.fits(behind, *id, None));
        found
    }

    /// Those of some elements that fit one of the selectors, positions being counted among them.
    fn filtered(&self, selectors: &[Selector], elements: &[Id]) -> HashSet<Id> {
        let mut found = HashSet::new();
        for selector in selectors {
            if !selector.iter().any(is_position) {
                found.extend(
                    elements
                        .iter()
                        .copied()
                        .filter(|id| self.fits(selector, *id, None)),
                );
            } else if selector.iter().any(is_step) {
                let all = self.by_position(None, selector, true);
                found.extend(all.into_iter().filter(|id| elements.contains(id)));
            } else {
                found.extend(self.by_position(Some(elements), selector, false));
            }
        }
        found
    }

    // ------------------------------------------------------------------------------------------------- conditions

    fn fits_any(&self, selectors: &[Selector], id: Id, scope: Option<Scope>) -> bool {
        selectors
            .iter()
            .any(|selector| self.fits(selector, id, scope))
    }

    /// True when an element fits all conditions, looked at from the right.
    fn fits(&self, selector: &[Token], id: Id, scope: Option<Scope>) -> bool {
        let Some((last, rest)) = selector.split_last() else {
            return scope.is_none_or(|scope| !scope.inside || self.is_in(id, scope.of));
        };
        let Token::Step(step) = last else {
            return self.has(last, id, scope) && self.fits(rest, id, scope);
        };
        let next = |id: Id| match (rest.is_empty(), scope) {
            // (a selector that begins with a step begins at what it is asked of)
            (true, Some(scope)) => id == scope.of,
            (true, None) => false,
            (false, _) => self.fits(rest, id, scope),
        };
        match step {
            Step::Descendant => self.around(rest, id, scope, &next),
            Step::Child => self.parent(id).is_some_and(next),
            Step::Parent => self.child_elements(id).any(next),
            Step::Sibling => self.siblings(id).take_while(|other| *other != id).any(next),
            Step::Adjacent => self
                .siblings(id)
                .take_while(|other| *other != id)
                .last()
                .is_some_and(next),
        }
    }

    fn around(
        &self,
        rest: &[Token],
        id: Id,
        scope: Option<Scope>,
        next: &dyn Fn(Id) -> bool,
    ) -> bool {
        let mut at = id;
        while let Some(parent) = self.parent(at) {
            let key = (rest.as_ptr().addr(), parent);
            let known = scope.is_none() && self.failed.borrow().contains(&key);
            if known {
                // (what is around it has been looked at, too)
                return false;
            }
            if next(parent) {
                return true;
            }
            at = parent;
        }
        if scope.is_none() {
            let mut at = id;
            let mut failed = self.failed.borrow_mut();
            while let Some(parent) = self.parent(at) {
                if !failed.insert((rest.as_ptr().addr(), parent)) {
                    break;
                }
                at = parent;
            }
        }
        false
    }

    fn is_in(&self, id: Id, around: Id) -> bool {
        let mut at = Some(id);
        while let Some(id) = at {
            if id == around {
                return true;
            }
            at = self.parent(id);
        }
        false
    }

    /// The element around an element.
    fn parent(&self, id: Id) -> Option<Id> {
        let parent = self.dom.get(id).parent?;
        self.dom.name(parent).map(|_| parent)
    }

    fn child_elements(&self, id: Id) -> impl DoubleEndedIterator<Item = Id> {
        let children = self.dom.get(id).children.iter().copied();
        children.filter(|child| self.dom.name(*child).is_some())
    }

    /// The elements side by side with an element, and itself.
    fn siblings(&self, id: Id) -> impl DoubleEndedIterator<Item = Id> {
        let all = match self.dom.get(id).parent {
            Some(parent) => &self.dom.get(parent).children,
            None => self.dom.roots(),
        };
        all.iter()
            .copied()
            .filter(|sibling| self.dom.name(*sibling).is_some())
    }

    fn has(&self, token: &Token, id: Id, scope: Option<Scope>) -> bool {
        match token {
            Token::Universal => true,
            Token::Tag(name) => self.dom.name(id) == Some(name),
            Token::Attribute(attribute) => self.has_attribute(attribute, id),
            Token::Pseudo(name, Data::Selectors(selectors)) => match name.as_str() {
                "not" => !self.fits_any(selectors, id, None),
                "has" => self.has_inside(selectors, id),
                _ => self.fits_any(selectors, id, None),
            },
            Token::Pseudo(name, data) => self.is(name, data, id, scope),
            Token::Step(_) | Token::Unsupported(_) => false,
        }
    }

    fn has_inside(&self, selectors: &[Selector], id: Id) -> bool {
        let inside = selectors.iter().flatten().any(is_step);
        let scope = inside.then_some(Scope { of: id, inside });
        let sideways = |selector: &Selector| {
            matches!(
                selector.first(),
                Some(Token::Step(Step::Sibling | Step::Adjacent))
            )
        };
        let mut left: Vec<Id> = self.child_elements(id).collect();
        if selectors.iter().any(sideways) {
            left.extend(self.siblings(id).skip_while(|other| *other != id).skip(1));
        }
        while let Some(at) = left.pop() {
            if self.fits_any(selectors, at, scope) {
                return true;
            }
            left.extend(self.child_elements(at));
        }
        false
    }

    fn has_attribute(&self, wanted: &Attribute, id: Id) -> bool {
        let found = self
            .dom
            .attributes(id)
            .iter()
            .find(|(name, _)| *name == wanted.name);
        let Some((_, found)) = found else {
            return wanted.action == Action::Not && !wanted.value.is_empty();
        };
        let folds = wanted
            .ignore_case
            .unwrap_or_else(|| has_no_case(&wanted.name));
        let fold = |text: &str| {
            if folds {
                text.to_lowercase()
            } else {
                text.to_owned()
            }
        };
        let (found, value) = (fold(found), fold(&wanted.value));
        match wanted.action {
            Action::Exists => true,
            Action::Equals => found == value,
            Action::Not => {
                if value.is_empty() {
                    !found.is_empty()
                } else {
                    found != value
                }
            }
            Action::Hyphen => found
                .strip_prefix(&value)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('-')),
            Action::Element => {
                let is_space = vgdc_core::value::number::is_js_space;
                !value.contains(is_space) && found.split(is_space).any(|word| word == value)
            }
            Action::Start => !value.is_empty() && found.starts_with(&value),
            Action::End => !value.is_empty() && found.ends_with(&value),
            Action::Any => !value.is_empty() && found.contains(&value),
        }
    }

    fn is(&self, name: &str, data: &Data, id: Id, scope: Option<Scope>) -> bool {
        let text = match data {
            Data::Text(text) => text.as_str(),
            _ => "null",
        };
        let same = |other: &Id| self.dom.name(*other) == self.dom.name(id);
        let by_type = name.ends_with("-of-type");
        let counted = |other: &Id| !by_type || same(other);
        match name {
            "contains" => self.dom.text(id, true).contains(text),
            "icontains" => self
                .dom
                .text(id, true)
                .to_lowercase()
                .contains(&text.to_lowercase()),
            "root" => self.parent(id).is_none(),
            "scope" => scope.is_some_and(|scope| scope.of == id),
            "empty" => {
                let full = |child: &Id| {
                    self.dom.name(*child).is_some() || !self.dom.text(*child, true).is_empty()
                };
                !self.dom.get(id).children.iter().any(full)
            }
            "first-child" | "first-of-type" => self.siblings(id).find(counted) == Some(id),
            "last-child" | "last-of-type" => self.siblings(id).rev().find(counted) == Some(id),
            "only-child" | "only-of-type" => self.siblings(id).filter(counted).count() == 1,
            "nth-child" | "nth-of-type" => {
                let before = self.siblings(id).take_while(|other| *other != id);
                self.is_nth(text, before.filter(counted).count(), id)
            }
            "nth-last-child" | "nth-last-of-type" => {
                let behind = self.siblings(id).rev().take_while(|other| *other != id);
                self.is_nth(text, behind.filter(counted).count(), id)
            }
            _ => false,
        }
    }

    /// True when a formula counts what has so many elements before it.
    fn is_nth(&self, formula: &str, before: usize, id: Id) -> bool {
        let Ok((step, first)) = nth(formula) else {
            return false;
        };
        // (what is always so is asked of elements in elements only)
        if step == 1 && first <= 0 {
            return self.parent(id).is_some();
        }
        let distance = before as i64 + 1 - first;
        match step {
            0 => distance == 0,
            step => distance % step == 0 && distance / step >= 0,
        }
    }
}
