//! Types of what travels along wires: a lattice from `never`, which nothing has, to `any`, which everything has.
//!
//! A type says which *kinds* of value there may be: each kind once, so that a union never grows longer than there are kinds.
//! Of arrays it says what their elements are, of objects which fields are known and whether there may be others, of things
//! that live in the runtime what they are called. An absent field and one that is `undefined` are the same here.
//!
//! ```text
//! any                                          everything            any-null-undefined    everything but these
//! int32 | string                               one of these          never                 nothing
//! array<number>                                an array of numbers   handle("response")    a thing of the runtime
//! object{payload: number, topic: string}       these fields and no others
//! object{payload: number, ..}                  this field, and what others there may be
//! ```
//!
//! [`Ty::join`] and [`Ty::meet`] are exact; how deep and wide types may grow is for those who compute with them to say, by
//! [`Ty::widened`].

mod text;

use std::sync::Arc;

pub use text::BadType;

/// The type of a value. Equal types are equal values: there is one form for each.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Ty(Repr);

#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
enum Repr {
    #[default]
    Any,
    Kinds(Kinds),
}

/// Which kinds of value there may be.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Kinds {
    scalars: u16,
    array: Option<Arc<Ty>>,
    object: Option<Arc<Object>>,
    handle: Handles,
}

/// What is known of an object's fields, by name; `open` when there may be others.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Object {
    fields: Vec<(Arc<str>, Ty)>,
    open: bool,
}

/// Which things of the runtime.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
enum Handles {
    #[default]
    None,
    Of(Arc<str>),
    All,
}

const UNDEFINED: u16 = 1;
const NULL: u16 = 2;
const BOOL: u16 = 4;
const INT: u16 = 8;
/// Numbers that are no [`INT`]; never without it.
const FLOAT: u16 = 16;
const STRING: u16 = 32;
const BUFFER: u16 = 64;
const DATE: u16 = 128;
const OTHER: u16 = 256;
const SCALARS: u16 = 511;

/// Names that every object has from JavaScript, without having a field of that name.
const INHERITED: &[&str] = &[
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "toLocaleString",
    "toString",
    "valueOf",
];

const fn scalar(bits: u16) -> Ty {
    Ty(Repr::Kinds(Kinds {
        scalars: bits,
        array: None,
        object: None,
        handle: Handles::None,
    }))
}

impl Ty {
    /// Anything: what is not known.
    pub const ANY: Ty = Ty(Repr::Any);
    /// Nothing: where no value ever comes.
    pub const NEVER: Ty = scalar(0);
    /// `undefined`, or not there.
    pub const UNDEFINED: Ty = scalar(UNDEFINED);
    /// `null`.
    pub const NULL: Ty = scalar(NULL);
    /// A boolean.
    pub const BOOL: Ty = scalar(BOOL);
    /// A whole number of 32 bits, not −0; a part of [`Ty::NUMBER`].
    pub const INT: Ty = scalar(INT);
    /// A number.
    pub const NUMBER: Ty = scalar(INT | FLOAT);
    /// A string.
    pub const STRING: Ty = scalar(STRING);
    /// A buffer of bytes.
    pub const BUFFER: Ty = scalar(BUFFER);
    /// A date.
    pub const DATE: Ty = scalar(DATE);
    /// What is none of the others: functions, regular expressions, errors, symbols and the like.
    pub const OTHER: Ty = scalar(OTHER);

    /// An array of elements of a type.
    pub fn array(of: Ty) -> Ty {
        Ty::of(Kinds {
            array: Some(Arc::new(of)),
            ..Kinds::default()
        })
    }

    /// An object with these fields; `open` when it may have others. Of two fields with one name the later counts.
    pub fn object<N: AsRef<str>>(fields: impl IntoIterator<Item = (N, Ty)>, open: bool) -> Ty {
        let mut object = Object {
            fields: Vec::new(),
            open,
        };
        for (name, ty) in fields {
            if !object.set(name.as_ref(), ty) {
                return Ty::NEVER;
            }
        }
        Ty::of_object(object)
    }

    /// Any object.
    pub fn any_object() -> Ty {
        Ty::object::<&str>([], true)
    }

    /// A thing of the runtime of this kind.
    pub fn handle(kind: &str) -> Ty {
        Ty::of(Kinds {
            handle: Handles::Of(kind.into()),
            ..Kinds::default()
        })
    }

    /// Whether a thing of the runtime is known to be in it, itself or as a field. (Anything may be in what is not known.)
    pub fn has_handle(&self) -> bool {
        let Repr::Kinds(kinds) = &self.0 else {
            return false;
        };
        let fields = kinds.object.iter().flat_map(|object| &object.fields);
        matches!(kinds.handle, Handles::Of(_)) || fields.into_iter().any(|(_, ty)| ty.has_handle())
    }

    fn of_object(object: Object) -> Ty {
        Ty::of(Kinds {
            object: Some(Arc::new(object)),
            ..Kinds::default()
        })
    }

    /// The one form of a type.
    fn of(kinds: Kinds) -> Ty {
        let all = kinds.scalars == SCALARS && kinds.is_full();
        Ty(if all { Repr::Any } else { Repr::Kinds(kinds) })
    }

    fn kinds(&self) -> Kinds {
        match &self.0 {
            Repr::Any => Kinds {
                scalars: SCALARS,
                ..Kinds::full()
            },
            Repr::Kinds(kinds) => kinds.clone(),
        }
    }

    fn scalars(&self) -> u16 {
        match &self.0 {
            Repr::Any => SCALARS,
            Repr::Kinds(kinds) => kinds.scalars,
        }
    }

    // ---- questions

    /// Whether nothing is known.
    pub fn is_any(&self) -> bool {
        self.0 == Repr::Any
    }

    /// Whether there is no such value.
    pub fn is_never(&self) -> bool {
        matches!(&self.0, Repr::Kinds(kinds) if *kinds == Kinds::default())
    }

    /// Whether every value of this type has that type too.
    pub fn is(&self, wider: &Ty) -> bool {
        wider.is_any() || self == wider || self.join(wider) == *wider
    }

    /// Whether some value may have both types.
    pub fn may_be(&self, other: &Ty) -> bool {
        !self.meet(other).is_never()
    }

    /// What an array's elements are; `None` when it is no array for sure.
    pub fn element(&self) -> Option<Ty> {
        match &self.0 {
            Repr::Any => Some(Ty::ANY),
            Repr::Kinds(kinds) => kinds.array.as_deref().cloned(),
        }
    }

    /// Whether it may be an object with fields.
    pub fn may_be_object(&self) -> bool {
        match &self.0 {
            Repr::Any => true,
            Repr::Kinds(kinds) => kinds.object.is_some(),
        }
    }

    /// The fields that are known, where it is an object, and whether it may have others.
    pub fn fields(&self) -> (impl Iterator<Item = (&str, &Ty)>, bool) {
        let object = match &self.0 {
            Repr::Any => None,
            Repr::Kinds(kinds) => kinds.object.as_deref(),
        };
        let fields = object.into_iter().flat_map(|object| object.fields.iter());
        (
            fields.map(|(name, ty)| (&**name, ty)),
            self.is_any() || object.is_some_and(|object| object.open),
        )
    }

    /// A field's own type, where it is an object: `undefined` where it cannot be there; [`Ty::NEVER`] when it is no object.
    pub fn field(&self, name: &str) -> Ty {
        match &self.0 {
            Repr::Any => Ty::ANY,
            Repr::Kinds(kinds) => match &kinds.object {
                Some(object) => object.get(name),
                None => Ty::NEVER,
            },
        }
    }

    /// What reading a property gives in JavaScript, where the reading does not fail: nothing of `undefined` and `null`.
    pub fn property(&self, name: &str) -> Ty {
        let Repr::Kinds(kinds) = &self.0 else {
            return Ty::ANY;
        };
        let mut found = Ty::NEVER;
        if let Some(object) = &kinds.object {
            let own = object.get(name);
            let inherited = INHERITED.contains(&name) && own.may_be(&Ty::UNDEFINED);
            found = if inherited { Ty::ANY } else { own };
        }
        if let Some(element) = &kinds.array {
            let index = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
            found = found.join(&match name {
                "length" => Ty::NUMBER,
                _ if index => element.join(&Ty::UNDEFINED),
                _ => Ty::ANY,
            });
        }
        if kinds.scalars & STRING != 0 {
            let of_string = if name == "length" { Ty::INT } else { Ty::ANY };
            found = found.join(&of_string);
        }
        if kinds.scalars & !(UNDEFINED | NULL | STRING) != 0 || kinds.handle != Handles::None {
            found = Ty::ANY;
        }
        found
    }

    // ---- the lattice

    /// The least type that has the values of both.
    #[must_use]
    pub fn join(&self, other: &Ty) -> Ty {
        let (Repr::Kinds(a), Repr::Kinds(b)) = (&self.0, &other.0) else {
            return Ty::ANY;
        };
        if self.is_never() || self == other {
            return other.clone();
        }
        if other.is_never() {
            return self.clone();
        }
        Ty::of(Kinds {
            scalars: a.scalars | b.scalars,
            array: either(&a.array, &b.array, |a, b| a.join(b)),
            object: either(&a.object, &b.object, Object::join),
            handle: a.handle.join(&b.handle),
        })
    }

    /// The greatest type whose values have both.
    #[must_use]
    pub fn meet(&self, other: &Ty) -> Ty {
        let (a, b) = match (&self.0, &other.0) {
            (Repr::Any, _) => return other.clone(),
            (_, Repr::Any) => return self.clone(),
            (Repr::Kinds(a), Repr::Kinds(b)) => (a, b),
        };
        let array = match (&a.array, &b.array) {
            (Some(a), Some(b)) => Some(Arc::new(a.meet(b))),
            _ => None,
        };
        let object = match (&a.object, &b.object) {
            (Some(a), Some(b)) => a.meet(b).map(Arc::new),
            _ => None,
        };
        Ty::of(Kinds {
            scalars: a.scalars & b.scalars,
            array,
            object,
            handle: a.handle.meet(&b.handle),
        })
    }

    /// Without `undefined` and `null`.
    #[must_use]
    pub fn present(&self) -> Ty {
        self.without(UNDEFINED | NULL)
    }

    /// Without `undefined`.
    #[must_use]
    pub fn defined(&self) -> Ty {
        self.without(UNDEFINED)
    }

    /// Without the kinds of value that it has of the other type and no more than that. (What is left may still be both: there
    /// is no type for all strings but one.)
    #[must_use]
    pub fn minus(&self, other: &Ty) -> Ty {
        if other.is_any() {
            return Ty::NEVER;
        }
        let (mut kinds, taken) = (self.kinds(), other.kinds());
        kinds.scalars &= !taken.scalars;
        // (there is no type for the numbers that are not whole)
        if kinds.scalars & FLOAT != 0 {
            kinds.scalars |= INT;
        }
        let whole = |kept: Kinds| Ty::of(kept).is(other);
        let array = Kinds {
            array: kinds.array.clone(),
            ..Kinds::default()
        };
        if whole(array) {
            kinds.array = None;
        }
        let object = Kinds {
            object: kinds.object.clone(),
            ..Kinds::default()
        };
        if whole(object) {
            kinds.object = None;
        }
        if taken.handle == Handles::All || taken.handle == kinds.handle {
            kinds.handle = Handles::None;
        }
        Ty::of(kinds)
    }

    fn without(&self, scalars: u16) -> Ty {
        if self.scalars() & scalars == 0 {
            return self.clone();
        }
        let mut kinds = self.kinds();
        kinds.scalars &= !scalars;
        Ty::of(kinds)
    }

    // ---- objects

    /// The same with another type of one field, where it is an object; what else it may be stays.
    #[must_use]
    pub fn with(&self, name: &str, ty: Ty) -> Ty {
        let mut kinds = self.kinds();
        if let Some(object) = &mut kinds.object
            && !Arc::make_mut(object).set(name, ty)
        {
            kinds.object = None;
        }
        Ty::of(kinds)
    }

    /// The same with no field known, where it is an object.
    #[must_use]
    pub fn opened(&self) -> Ty {
        let mut kinds = self.kinds();
        if kinds.object.is_some() {
            kinds.object = Kinds::full().object;
        }
        Ty::of(kinds)
    }

    /// The same with another type of its elements, where it is an array; what else it may be stays.
    #[must_use]
    pub fn with_element(&self, of: Ty) -> Ty {
        let mut kinds = self.kinds();
        if kinds.array.is_some() {
            kinds.array = Some(Arc::new(of));
        }
        Ty::of(kinds)
    }

    /// Applies a change to each object and array inside, outermost last; `change` is given each of them alone.
    #[must_use]
    pub fn inside_out(&self, change: &mut dyn FnMut(Ty) -> Ty) -> Ty {
        let Repr::Kinds(kinds) = &self.0 else {
            return Ty::ANY;
        };
        let mut rest = kinds.clone();
        let (array, object) = (rest.array.take(), rest.object.take());
        let mut made = Ty::of(rest);
        if let Some(element) = array {
            let element = element.inside_out(change);
            made = made.join(&change(Ty::array(element)));
        }
        if let Some(object) = object {
            let fields = object.fields.iter();
            let fields: Vec<_> = fields
                .map(|(name, ty)| (name.clone(), ty.inside_out(change)))
                .collect();
            made = made.join(&change(Ty::object(fields, object.open)));
        }
        made
    }

    /// A wider type that is nested no deeper than `depth` and of which no object has more than `fields` fields.
    #[must_use]
    pub fn widened(&self, depth: usize, fields: usize) -> Ty {
        let Repr::Kinds(kinds) = &self.0 else {
            return Ty::ANY;
        };
        if kinds.array.is_none() && kinds.object.is_none() {
            return self.clone();
        }
        let mut kinds = kinds.clone();
        if let Some(element) = &mut kinds.array {
            *element = Arc::new(match depth {
                0 => Ty::ANY,
                _ => element.widened(depth - 1, fields),
            });
        }
        if let Some(object) = &mut kinds.object {
            let too_much = depth == 0 || object.fields.len() > fields;
            *object = match (too_much, Kinds::full().object) {
                (true, Some(full)) => full,
                _ => Arc::new(object.widened(depth - 1, fields)),
            };
        }
        Ty::of(kinds)
    }
}

/// What one or the other has; both, where both have it.
fn either<T: Clone + PartialEq>(
    a: &Option<Arc<T>>,
    b: &Option<Arc<T>>,
    both: impl Fn(&T, &T) -> T,
) -> Option<Arc<T>> {
    match (a, b) {
        (Some(a), Some(b)) if Arc::ptr_eq(a, b) => Some(a.clone()),
        (Some(a), Some(b)) => Some(Arc::new(both(a, b))),
        (one, other) => one.as_ref().or(other.as_ref()).cloned(),
    }
}

impl Kinds {
    /// All that is no scalar.
    fn full() -> Kinds {
        Kinds {
            scalars: 0,
            array: Some(Arc::new(Ty::ANY)),
            object: Some(Arc::new(Object {
                fields: Vec::new(),
                open: true,
            })),
            handle: Handles::All,
        }
    }

    /// Whether it has all that is no scalar.
    fn is_full(&self) -> bool {
        let object = self.object.as_ref();
        self.handle == Handles::All
            && self.array.as_ref().is_some_and(|of| of.is_any())
            && object.is_some_and(|object| object.open && object.fields.is_empty())
    }
}

impl Object {
    /// The type of what a field has that is not listed.
    fn rest(&self) -> &'static Ty {
        const ANY: &Ty = &Ty::ANY;
        const UNDEFINED: &Ty = &Ty::UNDEFINED;
        if self.open { ANY } else { UNDEFINED }
    }

    fn get(&self, name: &str) -> Ty {
        match self.find(name) {
            Ok(at) => self.fields[at].1.clone(),
            Err(_) => self.rest().clone(),
        }
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        self.fields
            .binary_search_by(|(known, _)| (**known).cmp(name))
    }

    /// Sets a field's type; false when there can be no such object. What is like all that is not listed is not listed.
    fn set(&mut self, name: &str, ty: Ty) -> bool {
        if ty.is_never() {
            return false;
        }
        match (self.find(name), ty == *self.rest()) {
            (Ok(at), true) => drop(self.fields.remove(at)),
            (Ok(at), false) => self.fields[at].1 = ty,
            (Err(_), true) => {}
            (Err(at), false) => self.fields.insert(at, (name.into(), ty)),
        }
        true
    }

    /// The names that one or the other lists, sorted.
    fn names<'a>(&'a self, other: &'a Object) -> Vec<&'a Arc<str>> {
        let mut names: Vec<_> = self.fields.iter().chain(&other.fields).collect();
        names.sort_by(|(a, _), (b, _)| a.cmp(b));
        names.dedup_by(|(a, _), (b, _)| a == b);
        names.into_iter().map(|(name, _)| name).collect()
    }

    fn join(&self, other: &Object) -> Object {
        let mut made = Object {
            fields: Vec::new(),
            open: self.open || other.open,
        };
        for name in self.names(other) {
            let ty = self.get(name).join(&other.get(name));
            if ty != *made.rest() {
                made.fields.push((name.clone(), ty));
            }
        }
        made
    }

    fn meet(&self, other: &Object) -> Option<Object> {
        let mut made = Object {
            fields: Vec::new(),
            open: self.open && other.open,
        };
        for name in self.names(other) {
            let ty = self.get(name).meet(&other.get(name));
            if ty.is_never() {
                return None;
            }
            if ty != *made.rest() {
                made.fields.push((name.clone(), ty));
            }
        }
        Some(made)
    }

    fn widened(&self, depth: usize, most: usize) -> Object {
        let fields = self.fields.iter();
        let fields = fields.map(|(name, ty)| (name.clone(), ty.widened(depth, most)));
        Object {
            fields: fields.filter(|(_, ty)| *ty != *self.rest()).collect(),
            open: self.open,
        }
    }
}

impl Handles {
    fn join(&self, other: &Handles) -> Handles {
        match (self, other) {
            (Handles::None, one) | (one, Handles::None) => one.clone(),
            (a, b) if a == b => a.clone(),
            _ => Handles::All,
        }
    }

    fn meet(&self, other: &Handles) -> Handles {
        match (self, other) {
            (Handles::All, one) | (one, Handles::All) => one.clone(),
            (a, b) if a == b => a.clone(),
            _ => Handles::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(super) fn types() -> impl Strategy<Value = Ty> {
        let leaf = prop_oneof![
            Just(Ty::ANY),
            Just(Ty::NEVER),
            Just(Ty::UNDEFINED),
            Just(Ty::NULL),
            Just(Ty::BOOL),
            Just(Ty::INT),
            Just(Ty::NUMBER),
            Just(Ty::STRING),
            Just(Ty::BUFFER),
            Just(Ty::DATE),
            Just(Ty::OTHER),
            Just(Ty::ANY.present()),
            Just(Ty::handle("a")),
            Just(Ty::handle("b c")),
        ];
        leaf.prop_recursive(3, 24, 3, |inner| {
            let name = prop::sample::select(vec!["a", "b c", "payload", "_d"]);
            let fields = prop::collection::vec((name, inner.clone()), 0..4);
            prop_oneof![
                inner.clone().prop_map(Ty::array),
                (fields, any::<bool>()).prop_map(|(fields, open)| Ty::object(fields, open)),
                (inner.clone(), inner).prop_map(|(a, b)| a.join(&b)),
            ]
        })
    }

    proptest! {
        #[test]
        fn join_and_meet_are_a_lattice(a in types(), b in types(), c in types()) {
            prop_assert_eq!(a.join(&a), a.clone());
            prop_assert_eq!(a.meet(&a), a.clone());
            prop_assert_eq!(a.join(&b), b.join(&a));
            prop_assert_eq!(a.meet(&b), b.meet(&a));
            prop_assert_eq!(a.join(&b).join(&c), a.join(&b.join(&c)));
            prop_assert_eq!(a.meet(&b).meet(&c), a.meet(&b.meet(&c)));
            prop_assert_eq!(a.join(&a.meet(&b)), a.clone());
            prop_assert_eq!(a.meet(&a.join(&b)), a.clone());
        }

        #[test]
        fn nothing_and_everything_are_its_ends(a in types()) {
            prop_assert_eq!(a.join(&Ty::NEVER), a.clone());
            prop_assert_eq!(a.meet(&Ty::ANY), a.clone());
            prop_assert_eq!(a.meet(&Ty::NEVER), Ty::NEVER);
            prop_assert_eq!(a.join(&Ty::ANY), Ty::ANY);
            prop_assert!(Ty::NEVER.is(&a) && a.is(&Ty::ANY));
        }

        #[test]
        fn widening_widens_and_ends(a in types(), depth in 0usize..3, fields in 0usize..3) {
            let wide = a.widened(depth, fields);
            prop_assert!(a.is(&wide), "{a} is not {wide}");
            prop_assert_eq!(wide.widened(depth, fields), wide);
        }

        #[test]
        fn changes_inside_that_change_nothing_do_not(a in types()) {
            prop_assert_eq!(a.inside_out(&mut |ty| ty), a);
        }

        #[test]
        fn types_are_read_as_they_are_written(a in types()) {
            let text = a.to_string();
            prop_assert_eq!(text.parse::<Ty>(), Ok(a), "{}", text);
        }
    }

    #[test]
    fn a_field_that_cannot_be_there_is_undefined() {
        let closed = Ty::object([("a", Ty::INT)], false);
        assert_eq!(closed.field("b"), Ty::UNDEFINED);
        assert_eq!(Ty::any_object().field("b"), Ty::ANY);
        assert_eq!(closed.with("a", Ty::UNDEFINED).to_string(), "object{}");
        let joined = closed.join(&Ty::object([("b", Ty::STRING)], false));
        assert_eq!(
            joined.to_string(),
            "object{a: int32 | undefined, b: string | undefined}"
        );
    }

    #[test]
    fn properties_are_read_as_in_javascript() {
        let ty = Ty::object([("a", Ty::INT)], false);
        assert_eq!(ty.property("b"), Ty::UNDEFINED);
        assert_eq!(ty.property("toString"), Ty::ANY);
        assert_eq!(Ty::STRING.property("length"), Ty::INT);
        assert_eq!(
            Ty::array(Ty::BOOL).property("0").to_string(),
            "bool | undefined"
        );
        assert_eq!(Ty::UNDEFINED.property("a"), Ty::NEVER);
    }
}
