//! JavaScript's conversions and comparisons.

use crate::{ErrorValue, Rare, Str, Value, date, number};

impl Value {
    /// `Boolean(value)`.
    pub fn truthy(&self) -> bool {
        match self {
            Value::Undefined | Value::Null => false,
            Value::Bool(b) => *b,
            Value::Number(n) => *n != 0.0 && !n.is_nan(),
            Value::Str(text) => !text.is_empty(),
            Value::Rare(rare) => !matches!(&**rare, Rare::BigInt(digits) if digits == "0"),
            _ => true,
        }
    }

    /// `Number(value)`.
    pub fn to_number(&self) -> f64 {
        match self {
            Value::Undefined => f64::NAN,
            Value::Null => 0.0,
            Value::Bool(b) => f64::from(u8::from(*b)),
            Value::Number(n) | Value::Date(n) => *n,
            Value::Str(text) => number::parse(text),
            Value::Rare(rare) => match &**rare {
                Rare::BigInt(digits) => digits.parse().unwrap_or(f64::NAN),
                _ => f64::NAN,
            },
            other => number::parse(&other.to_js_string()),
        }
    }

    /// `String(value)`.
    pub fn to_js_string(&self) -> String {
        match self {
            Value::Undefined => "undefined".to_owned(),
            Value::Null => "null".to_owned(),
            Value::Bool(b) => b.to_string(),
            Value::Number(n) => number::to_js_string(*n),
            Value::Str(text) => text.to_string(),
            Value::Buffer(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Value::Date(ms) => date::js_string(*ms),
            Value::Array(items) => {
                let texts = items.iter().map(|item| {
                    if item.is_nullish() {
                        String::new()
                    } else {
                        item.to_js_string()
                    }
                });
                texts.collect::<Vec<_>>().join(",")
            }
            Value::Object(_) | Value::Handle(_) => "[object Object]".to_owned(),
            Value::Rare(rare) => match &**rare {
                Rare::BigInt(digits) => digits.clone(),
                Rare::RegExp { source, flags } => format!("/{source}/{flags}"),
                Rare::Map(_) => "[object Map]".to_owned(),
                Rare::Set(_) => "[object Set]".to_owned(),
                Rare::Error(error) => error.to_string(),
                Rare::Circular(_) => "[object Object]".to_owned(),
            },
        }
    }

    /// `String(value)`, without a copy when it is a text already.
    pub fn to_str(&self) -> Str {
        match self {
            Value::Str(text) => text.clone(),
            other => other.to_js_string().into(),
        }
    }

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
                (Rare::BigInt(a), Rare::BigInt(b)) => a == b,
                _ => std::sync::Arc::ptr_eq(a, b),
            },
            _ => false,
        }
    }

    /// `a == b`.
    pub fn loose_eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Undefined | Value::Null, Value::Undefined | Value::Null) => true,
            (Value::Undefined | Value::Null, _) | (_, Value::Undefined | Value::Null) => false,
            (Value::Bool(_), _) => Value::Number(self.to_number()).loose_eq_number(other),
            (_, Value::Bool(_)) => Value::Number(other.to_number()).loose_eq_number(self),
            (Value::Number(_), Value::Str(_)) => self.to_number() == other.to_number(),
            (Value::Str(_), Value::Number(_)) => self.to_number() == other.to_number(),
            (a, b) if a.is_object() != b.is_object() => {
                let (object, plain) = if a.is_object() { (a, b) } else { (b, a) };
                object.to_primitive().loose_eq(plain)
            }
            _ => self.strict_eq(other),
        }
    }

    fn loose_eq_number(&self, other: &Value) -> bool {
        match other {
            Value::Bool(_) => self.to_number() == other.to_number(),
            other => self.loose_eq(other),
        }
    }

    fn to_primitive(&self) -> Value {
        match self {
            Value::Date(_) => Value::from(self.to_js_string()),
            other if other.is_object() => Value::from(other.to_js_string()),
            other => other.clone(),
        }
    }

    /// `a < b`; `None` when they cannot be compared (NaN).
    pub fn less_than(&self, other: &Value) -> Option<bool> {
        let number_first = |value: &Value| match value {
            Value::Date(ms) => Value::Number(*ms),
            other => other.to_primitive(),
        };
        let (a, b) = (number_first(self), number_first(other));
        if let (Value::Str(a), Value::Str(b)) = (&a, &b) {
            return Some(a.encode_utf16().lt(b.encode_utf16()));
        }
        let (a, b) = (a.to_number(), b.to_number());
        a.partial_cmp(&b)
            .map(|order| order == std::cmp::Ordering::Less)
    }

    /// Node-RED's `compareObjects`: equal in all parts; the order of properties does not count.
    pub fn deep_eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Object(a), Value::Object(b)) => {
                a.ptr_eq(b)
                    || a.len() == b.len()
                        && a.iter().all(|(key, value)| {
                            b.get_key(key).is_some_and(|other| value.deep_eq(other))
                        })
            }
            (Value::Array(a), Value::Array(b)) => {
                a.ptr_eq(b)
                    || a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.deep_eq(b))
            }
            (Value::Buffer(a), Value::Buffer(b)) => **a == **b,
            (Value::Date(a), Value::Date(b)) => a == b,
            (Value::Rare(a), Value::Rare(b)) => rare_eq(a, b, Value::deep_eq),
            _ => self.strict_eq(other),
        }
    }

    /// The same bit for bit: NaN is NaN, -0 is not 0, the order of properties counts. For tests.
    pub fn same(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Number(a), Value::Number(b)) | (Value::Date(a), Value::Date(b)) => {
                a.is_nan() && b.is_nan() || a.to_bits() == b.to_bits()
            }
            (Value::Object(a), Value::Object(b)) => {
                a.len() == b.len()
                    && a.iter()
                        .zip(b.iter())
                        .all(|((ka, a), (kb, b))| ka == kb && a.same(b))
            }
            (Value::Array(a), Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.same(b))
            }
            (Value::Buffer(a), Value::Buffer(b)) => **a == **b,
            (Value::Handle(a), Value::Handle(b)) => {
                a.ptr_eq(b) || a.kind() == b.kind() && a.id() == b.id()
            }
            (Value::Rare(a), Value::Rare(b)) => rare_eq(a, b, Value::same),
            _ => self.strict_eq(other),
        }
    }
}

fn rare_eq(a: &Rare, b: &Rare, eq: fn(&Value, &Value) -> bool) -> bool {
    match (a, b) {
        (Rare::BigInt(a), Rare::BigInt(b)) => a == b,
        (
            Rare::RegExp { source, flags },
            Rare::RegExp {
                source: s,
                flags: f,
            },
        ) => source == s && flags == f,
        (Rare::Map(a), Rare::Map(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .all(|((ka, a), (kb, b))| eq(ka, kb) && eq(a, b))
        }
        (Rare::Set(a), Rare::Set(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| eq(a, b))
        }
        (Rare::Error(a), Rare::Error(b)) => error_eq(a, b, eq),
        (Rare::Circular(a), Rare::Circular(b)) => a == b,
        _ => false,
    }
}

fn error_eq(a: &ErrorValue, b: &ErrorValue, eq: fn(&Value, &Value) -> bool) -> bool {
    let properties = |e: &ErrorValue| Value::Object(e.properties.clone());
    a.name == b.name && a.message == b.message && eq(&properties(a), &properties(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loose_equality_is_javascripts() {
        let array = |items: Vec<Value>| Value::from(items);
        for (a, b, equal) in [
            (Value::Null, Value::Undefined, true),
            (Value::Null, Value::from(0), false),
            (Value::from("1"), Value::from(1), true),
            (Value::from(true), Value::from("1"), true),
            (Value::from(true), Value::from(true), true),
            (Value::from(""), Value::from(0), true),
            (array(vec![Value::from(1)]), Value::from("1"), true),
            (Value::from(f64::NAN), Value::from(f64::NAN), false),
        ] {
            assert_eq!(a.loose_eq(&b), equal, "{a:?} == {b:?}");
        }
        assert_eq!(Value::from("10").less_than(&Value::from("9")), Some(true));
        assert_eq!(Value::from("10").less_than(&Value::from(9)), Some(false));
        assert_eq!(Value::from("a").less_than(&Value::from(9)), None);
    }
}
