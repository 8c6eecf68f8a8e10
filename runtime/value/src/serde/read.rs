//! Values as the types of Rust programs, without a text in between.

use super::fault::Fault;
use crate::{Object, Value, date};
use serde::de::value::{SeqDeserializer, StrDeserializer};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess,
    SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use std::any::Any;

/// A value as a type. What JSON could say of it is read as from JSON; buffers are bytes, dates their ISO text or milliseconds since
/// 1970, `undefined` is a property that is not there. A `Value` is itself.
///
/// # Errors
/// It is something else: where in the value, and what was expected.
pub fn from_value<T: DeserializeOwned + 'static>(value: &Value) -> Result<T, Fault> {
    let mut same: Option<T> = None;
    if let Some(same) = (&mut same as &mut dyn Any).downcast_mut::<Option<Value>>() {
        *same = Some(value.clone());
    }
    match same {
        Some(same) => Ok(same),
        None => T::deserialize(Read(value)),
    }
}

/// Reads a value.
struct Read<'v>(&'v Value);

impl<'de> IntoDeserializer<'de, Fault> for Read<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// The largest number up to which all whole ones are told apart.
const SAFE: f64 = 9_007_199_254_740_992.0;

impl<'de> Deserializer<'de> for Read<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Undefined | Value::Null => visitor.visit_unit(),
            Value::Bool(b) => visitor.visit_bool(*b),
            Value::Number(n) if n.fract() == 0.0 && n.abs() < SAFE => visitor.visit_i64(*n as i64),
            Value::Number(n) => visitor.visit_f64(*n),
            Value::Str(text) => visitor.visit_borrowed_str(text),
            Value::Buffer(bytes) => visitor.visit_borrowed_bytes(bytes),
            Value::Date(ms) => match date::iso(*ms) {
                Some(text) => visitor.visit_string(text),
                None => visitor.visit_unit(),
            },
            Value::Array(items) => visitor.visit_seq(Items {
                items: items.iter(),
                at: 0,
            }),
            Value::Object(object) => visitor.visit_map(Properties::of(object)),
            Value::Handle(handle) => match handle.props() {
                Value::Object(object) => visitor.visit_map(Properties::of(object)),
                _ => visitor.visit_unit(),
            },
            Value::Rare(_) => {
                let text = self.0.to_js_string();
                visitor.visit_string(text)
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Undefined | Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    // (a buffer where a list of numbers is wanted)
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Buffer(bytes) => visitor.visit_seq(SeqDeserializer::new(bytes.iter().copied())),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Number(n) | Value::Date(n) => visitor.visit_f64(*n),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Date(ms) if ms.fract() == 0.0 => visitor.visit_i64(*ms as i64),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Str(text) => visitor.visit_enum(StrDeserializer::new(text)),
            Value::Object(object) => {
                let mut properties = object.iter();
                match (properties.next(), properties.next()) {
                    (Some((key, value)), None) => visitor.visit_enum(Variant {
                        name: key.as_str(),
                        value,
                    }),
                    _ => Err(de::Error::invalid_type(
                        de::Unexpected::Map,
                        &"an object with one property, the variant's name",
                    )),
                }
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i128 u8 u16 u32 u128 f32 char str string bytes byte_buf unit unit_struct tuple tuple_struct map
        struct identifier
    }
}

struct Items<'v, I: Iterator<Item = &'v Value>> {
    items: I,
    at: usize,
}

impl<'de, I: Iterator<Item = &'de Value>> SeqAccess<'de> for Items<'de, I> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        let Some(item) = self.items.next() else {
            return Ok(None);
        };
        let at = self.at;
        self.at += 1;
        seed.deserialize(Read(item))
            .map(Some)
            .map_err(|fault| fault.within(at))
    }

    fn size_hint(&self) -> Option<usize> {
        self.items.size_hint().1
    }
}

struct Properties<'v, I: Iterator<Item = (&'v str, &'v Value)>> {
    properties: I,
    value: Option<(&'v str, &'v Value)>,
}

impl<'v> Properties<'v, Box<dyn Iterator<Item = (&'v str, &'v Value)> + 'v>> {
    fn of(object: &'v Object) -> Self {
        let there = object
            .iter()
            .filter(|(_, value)| !matches!(value, Value::Undefined));
        Properties {
            properties: Box::new(there.map(|(key, value)| (key.as_str(), value))),
            value: None,
        }
    }
}

impl<'de, I: Iterator<Item = (&'de str, &'de Value)>> MapAccess<'de> for Properties<'de, I> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        self.value = self.properties.next();
        match self.value {
            Some((key, _)) => seed.deserialize(Name(key)).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        match self.value.take() {
            Some((key, value)) => seed
                .deserialize(Read(value))
                .map_err(|fault| fault.within(key)),
            None => Err(de::Error::custom("a value was asked for before its key")),
        }
    }
}

/// Reads a property's name: a text, or what the text says where a map's keys are numbers or truths.
struct Name<'v>(&'v str);

macro_rules! said {
    ($($method:ident $ty:ty, $visit:ident);*) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            match self.0.parse::<$ty>() {
                Ok(it) => visitor.$visit(it),
                Err(_) => visitor.visit_borrowed_str(self.0),
            }
        }
    )* };
}

impl<'de> Deserializer<'de> for Name<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_borrowed_str(self.0)
    }

    said! {
        deserialize_bool bool, visit_bool;
        deserialize_i8 i64, visit_i64;
        deserialize_i16 i64, visit_i64;
        deserialize_i32 i64, visit_i64;
        deserialize_i64 i64, visit_i64;
        deserialize_i128 i128, visit_i128;
        deserialize_u8 u64, visit_u64;
        deserialize_u16 u64, visit_u64;
        deserialize_u32 u64, visit_u64;
        deserialize_u64 u64, visit_u64;
        deserialize_u128 u128, visit_u128;
        deserialize_f32 f64, visit_f64;
        deserialize_f64 f64, visit_f64
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_enum(StrDeserializer::new(self.0))
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct Variant<'v> {
    name: &'v str,
    value: &'v Value,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Fault> {
        let name = de::value::BorrowedStrDeserializer::<Fault>::new(self.name);
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        de::Deserialize::deserialize(Read(self.value))
            .map_err(|fault: Fault| fault.within(self.name))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        seed.deserialize(Read(self.value))
            .map_err(|fault| fault.within(self.name))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Fault> {
        Read(self.value)
            .deserialize_seq(visitor)
            .map_err(|fault| fault.within(self.name))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        Read(self.value)
            .deserialize_any(visitor)
            .map_err(|fault| fault.within(self.name))
    }
}
