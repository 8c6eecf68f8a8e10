//! Equality in its kinds. Whole values are compared without recursion: what is still to be compared is on a list.

use crate::{ErrorValue, Object, Rare, Value, bigint, number};
use std::cmp::Ordering;
use std::sync::Arc;

impl Value {
    /// `a === b`. Objects are the same when they share their storage.
    pub fn strict_eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Undefined, Value::Undefined) | (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Number(a), Value::Number(b)) => a == b,
            (Value::Str(a), Value::Str(b)) => a == b,
            (Value::Buffer(a), Value::Buffer(b)) => a.ptr_eq(b),
            (Value::Array(a), Value::Array(b)) => a.ptr_eq(b),
            (Value::Object(a), Value::Object(b)) => a.ptr_eq(b),
            (Value::Handle(a), Value::Handle(b)) => a.ptr_eq(b),
            (Value::Rare(a), Value::Rare(b)) => match (&**a, &**b) {
                (Rare::BigInt(a), Rare::BigInt(b)) => bigint::compare(a, b) == Ordering::Equal,
                _ => Arc::ptr_eq(a, b),
            },
            _ => false,
        }
    }

    /// `a == b`. (Two dates that are no clones of each other are not equal in JavaScript; here no dates are.)
    pub fn loose_eq(&self, other: &Value) -> bool {
        let as_number = |b: bool| Value::Number(f64::from(u8::from(b)));
        match (self, other) {
            (Value::Undefined | Value::Null, _) | (_, Value::Undefined | Value::Null) => {
                self.is_nullish() && other.is_nullish()
            }
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Bool(a), b) => as_number(*a).loose_eq(b),
            (a, Value::Bool(b)) => a.loose_eq(&as_number(*b)),
            (a, b) if a.is_reference() != b.is_reference() => {
                let (reference, plain) = if a.is_reference() { (a, b) } else { (b, a) };
                reference.to_primitive().loose_eq(plain)
            }
            (Value::Number(n), Value::Str(text)) | (Value::Str(text), Value::Number(n)) => {
                *n == number::parse(text)
            }
            (a, b) => match (a.as_bigint(), b.as_bigint()) {
                (Some(big), None) => big_equals(big, b),
                (None, Some(big)) => big_equals(big, a),
                _ => a.strict_eq(b),
            },
        }
    }

    /// What JavaScript calls an object: functions too.
    fn is_reference(&self) -> bool {
        self.is_object() || self.type_of() == "function"
    }

    fn as_bigint(&self) -> Option<&str> {
        match self {
            Value::Rare(rare) => match &**rare {
                Rare::BigInt(digits) => Some(digits),
                _ => None,
            },
            _ => None,
        }
    }

    /// An object as the text that stands for it.
    fn to_primitive(&self) -> Value {
        if self.is_reference() {
            Value::from(self.to_js_string())
        } else {
            self.clone()
        }
    }

    /// `a < b`; `None` when they cannot be compared (NaN).
    pub fn less_than(&self, other: &Value) -> Option<bool> {
        let primitive = |value: &Value| match value {
            Value::Date(ms) => Value::Number(*ms),
            other => other.to_primitive(),
        };
        let (a, b) = (primitive(self), primitive(other));
        let order = match (a.as_bigint(), b.as_bigint()) {
            (Some(a), Some(b)) => Some(bigint::compare(a, b)),
            (Some(big), None) => compare_big(big, &b),
            (None, Some(big)) => compare_big(big, &a).map(Ordering::reverse),
            (None, None) => match (&a, &b) {
                (Value::Str(a), Value::Str(b)) => Some(a.encode_utf16().cmp(b.encode_utf16())),
                _ => a.to_number().partial_cmp(&b.to_number()),
            },
        };
        order.map(|order| order == Ordering::Less)
    }

    /// Node-RED's `compareObjects`: equal in all parts; the order of properties does not count. What has no properties that
    /// can be counted up (dates, regular expressions, maps, sets) is equal to every other such, as it is there.
    pub fn deep_eq(&self, other: &Value) -> bool {
        compare(self, other, Kind::Parts)
    }

    /// The same bit for bit: NaN is NaN, -0 is not 0, the order of properties counts. For tests, and to find out whether
    /// something changed.
    pub fn same(&self, other: &Value) -> bool {
        compare(self, other, Kind::Bits)
    }
}

/// Equal in all parts, in whatever order properties are; dates, maps and so on by what they hold. (See [`Value::deep_eq`]
/// for Node-RED's notion, [`Value::same`] for the strictest.)
impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        compare(self, other, Kind::Contents)
    }
}

fn big_equals(big: &str, other: &Value) -> bool {
    compare_big(big, other) == Some(Ordering::Equal)
}

fn compare_big(big: &str, other: &Value) -> Option<Ordering> {
    match other {
        Value::Str(text) => bigint::parse(text).map(|digits| bigint::compare(big, &digits)),
        other => bigint::compare_number(big, other.to_number()),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// As Node-RED.
    Parts,
    /// As `PartialEq`.
    Contents,
    /// As `same`.
    Bits,
}

fn compare(a: &Value, b: &Value, kind: Kind) -> bool {
    let mut todo = Todo {
        kind,
        pairs: Vec::new(),
    };
    let mut next = Some((a, b));
    while let Some((a, b)) = next {
        if !todo.equal(a, b) {
            return false;
        }
        next = todo.pairs.pop();
    }
    true
}

/// What is still to be compared.
struct Todo<'v> {
    kind: Kind,
    pairs: Vec<(&'v Value, &'v Value)>,
}

impl<'v> Todo<'v> {
    /// False: they differ. True: they are equal if what was put on the list is.
    fn equal(&mut self, a: &'v Value, b: &'v Value) -> bool {
        match (a, b) {
            (Value::Number(a), Value::Number(b)) => self.numbers(*a, *b),
            (Value::Date(_), _) | (_, Value::Date(_)) if self.kind == Kind::Parts => {
                self.uncounted(a, b)
            }
            (Value::Date(a), Value::Date(b)) => self.numbers(*a, *b) || a.is_nan() && b.is_nan(),
            (Value::Object(a), Value::Object(b)) => a.ptr_eq(b) || self.objects(a, b),
            (Value::Array(a), Value::Array(b)) => a.ptr_eq(b) || self.lists(a, b),
            (Value::Buffer(a), Value::Buffer(b)) => **a == **b,
            (Value::Handle(a), Value::Handle(b)) => {
                a.ptr_eq(b) || self.kind == Kind::Bits && a.kind() == b.kind() && a.id() == b.id()
            }
            (Value::Rare(x), Value::Rare(y)) => self.rare(a, b, x, y),
            (Value::Rare(_), _) | (_, Value::Rare(_)) if self.kind == Kind::Parts => {
                self.uncounted(a, b)
            }
            _ => a.strict_eq(b),
        }
    }

    fn numbers(&self, a: f64, b: f64) -> bool {
        match self.kind {
            Kind::Bits => a.is_nan() && b.is_nan() || a.to_bits() == b.to_bits(),
            Kind::Parts | Kind::Contents => a == b,
        }
    }

    fn lists(&mut self, a: &'v [Value], b: &'v [Value]) -> bool {
        self.pairs.extend(a.iter().zip(b));
        a.len() == b.len()
    }

    fn objects(&mut self, a: &'v Object, b: &'v Object) -> bool {
        if a.len() != b.len() {
            return false;
        }
        if a.shape()
            .zip(b.shape())
            .is_some_and(|(a, b)| std::ptr::eq(a, b))
        {
            return self.lists(a.slots(), b.slots());
        }
        if self.kind == Kind::Bits {
            self.pairs.extend(a.values().zip(b.values()));
            return a.keys().eq(b.keys());
        }
        a.iter().all(|(key, value)| match b.get_key(key) {
            Some(other) => {
                self.pairs.push((value, other));
                true
            }
            // Node-RED compares with what is not there, and `undefined` is what is not there.
            None => self.kind == Kind::Parts && value.is_undefined(),
        })
    }

    fn rare(&mut self, a: &'v Value, b: &'v Value, x: &'v Arc<Rare>, y: &'v Arc<Rare>) -> bool {
        match (&**x, &**y) {
            (Rare::BigInt(_), _) | (_, Rare::BigInt(_)) => a.strict_eq(b),
            _ if self.kind == Kind::Parts => self.uncounted(a, b),
            (
                Rare::RegExp { source, flags },
                Rare::RegExp {
                    source: s,
                    flags: f,
                },
            ) => source == s && flags == f,
            (Rare::Map(a), Rare::Map(b)) => {
                self.pairs.extend(
                    a.iter()
                        .zip(b)
                        .flat_map(|((ka, a), (kb, b))| [(ka, kb), (a, b)]),
                );
                a.len() == b.len()
            }
            (Rare::Set(a), Rare::Set(b)) => self.lists(a, b),
            (Rare::Error(a), Rare::Error(b)) => self.errors(a, b),
            (Rare::Circular(a), Rare::Circular(b)) => a == b,
            _ => false,
        }
    }

    fn errors(&mut self, a: &'v ErrorValue, b: &'v ErrorValue) -> bool {
        let stacks = self.kind != Kind::Bits || a.stack == b.stack;
        a.name == b.name
            && a.message == b.message
            && stacks
            && self.objects(&a.properties, &b.properties)
    }

    /// As `compareObjects` looks at objects that are not plain: only at the properties that can be counted up.
    fn uncounted(&mut self, a: &'v Value, b: &'v Value) -> bool {
        match (properties(a), properties(b)) {
            (Some(Some(a)), Some(Some(b))) => self.objects(a, b),
            (Some(one), Some(other)) => one.or(other).is_none_or(Object::is_empty),
            _ => false,
        }
    }
}

/// The properties of an object that is neither array nor buffer; `Some(None)`: it has none.
fn properties(value: &Value) -> Option<Option<&Object>> {
    match value {
        Value::Object(object) => Some(Some(object)),
        Value::Date(_) => Some(None),
        Value::Rare(rare) => match &**rare {
            Rare::BigInt(_) => None,
            Rare::Error(error) => Some(Some(&error.properties)),
            _ => Some(None),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control;

    fn value(text: &str) -> Value {
        control::decode(text).expect(text)
    }

    #[test]
    fn loose_equality() {
        for (a, b, equal) in [
            ("null", r#"{"$type":"undefined"}"#, true),
            ("null", "0", false),
            (r#""1""#, "1", true),
            ("true", r#""1""#, true),
            ("true", "true", true),
            (r#""""#, "0", true),
            ("[1]", r#""1""#, true),
            ("[1]", "1", true),
            ("[[1]]", "true", true),
            ("{}", r#""[object Object]""#, true),
            ("{}", "{}", false),
            (r#"{"$type":"bigint","value":"1"}"#, "1", true),
            (r#"{"$type":"bigint","value":"1"}"#, r#"" 1""#, true),
            (r#"{"$type":"bigint","value":"1"}"#, "true", true),
            (
                r#"{"$type":"bigint","value":"9007199254740993"}"#,
                "9007199254740992",
                false,
            ),
            (
                r#"{"$type":"number","value":"NaN"}"#,
                r#"{"$type":"number","value":"NaN"}"#,
                false,
            ),
        ] {
            assert_eq!(value(a).loose_eq(&value(b)), equal, "{a} == {b}");
            assert_eq!(value(b).loose_eq(&value(a)), equal, "{b} == {a}");
        }
    }

    #[test]
    fn order() {
        for (a, b, less) in [
            (r#""10""#, r#""9""#, Some(true)),
            (r#""10""#, "9", Some(false)),
            ("null", "1", Some(true)),
            (r#""a""#, "9", None),
            (
                r#"{"$type":"date","iso":"2026-01-01T00:00:00.000Z"}"#,
                r#"{"$type":"date","iso":"2026-01-02T00:00:00.000Z"}"#,
                Some(true),
            ),
            ("[2]", "10", Some(true)),
            (r#"{"$type":"bigint","value":"2"}"#, "2.5", Some(true)),
            ("2.5", r#"{"$type":"bigint","value":"2"}"#, Some(false)),
            (r#""\uffff""#, r#""\ud83d\ude00""#, Some(false)),
        ] {
            assert_eq!(value(a).less_than(&value(b)), less, "{a} < {b}");
        }
    }

    #[test]
    fn compare_objects() {
        let (nan, date, error) = (
            r#"{"$type":"number","value":"NaN"}"#,
            r#"{"$type":"date","iso":null}"#,
            r#"{"$type":"error","name":"E","message":"m","stack":"s","properties":{"a":1}}"#,
        );
        for (a, b, equal) in [
            ("0", "0", true),
            ("0", "1", false),
            ("1000", "1000", true),
            (r#""""#, r#""""#, true),
            (r#""a""#, r#""a""#, true),
            (r#""""#, r#""a""#, false),
            ("[1,2,3]", "[1,2,3]", true),
            ("[1,2]", "[1,2,3]", false),
            ("[]", "{}", false),
            ("[]", "null", false),
            (r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#, true),
            (r#"{"a":1}"#, r#"{"b":1}"#, false),
            (r#"{"a":1}"#, "{}", false),
            (
                r#"{"$type":"buffer","base64":"AQ=="}"#,
                r#"{"$type":"buffer","base64":"AQ=="}"#,
                true,
            ),
            (r#"{"$type":"buffer","base64":"AQ=="}"#, "[1]", false),
            (
                r#"{"a":{"$type":"undefined"}}"#,
                r#"{"b":{"$type":"undefined"}}"#,
                true,
            ),
            (nan, nan, false),
            (
                date,
                r#"{"$type":"date","iso":"2026-01-01T00:00:00.000Z"}"#,
                true,
            ),
            (date, "{}", true),
            (date, "[]", false),
            (error, r#"{"a":1}"#, true),
            (error, "{}", false),
        ] {
            assert_eq!(value(a).deep_eq(&value(b)), equal, "{a}, {b}");
            assert_eq!(value(b).deep_eq(&value(a)), equal, "{b}, {a}");
        }
    }

    #[test]
    fn sameness_is_strict_and_equality_of_contents_between() {
        let (ab, ba) = (value(r#"{"a":1,"b":[{}]}"#), value(r#"{"b":[{}],"a":1}"#));
        assert!(ab == ba && !ab.same(&ba) && ab.same(&value(r#"{"a":1,"b":[{}]}"#)));
        let (zero, minus) = (Value::Number(0.0), Value::Number(-0.0));
        assert!(zero == minus && !zero.same(&minus));
        assert!(Value::Number(f64::NAN).same(&Value::Number(f64::NAN)));
        assert!(
            Value::Date(0.0) != Value::Date(1.0) && Value::Date(0.0).deep_eq(&Value::Date(1.0))
        );
    }

    #[test]
    fn deep_values_are_compared() {
        let deep = |inner: Value| (0..100_000).fold(inner, |inner, _| Value::from(vec![inner]));
        assert!(
            deep(Value::Null).same(&deep(Value::Null))
                && deep(Value::Null) != deep(Value::Undefined)
        );
    }
}
