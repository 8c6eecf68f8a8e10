//! The types of Rust programs as values, without a text in between.

use super::fault::Fault;
use crate::{Array, Key, Object, Rare, Value};
use serde::ser::{self, Serialize, Serializer};
use std::any::Any;

/// Something as a value: what JSON would have it as. Bytes are a buffer, `None` is null, a number of more than 53 bits that a number
/// cannot hold a big integer. A `Value` is itself.
///
/// # Errors
/// What its own `Serialize` says; a map whose keys are no texts.
pub fn to_value<T: Serialize + 'static>(it: &T) -> Result<Value, Fault> {
    match (it as &dyn Any).downcast_ref::<Value>() {
        Some(value) => Ok(value.clone()),
        None => it.serialize(Write),
    }
}

struct Write;

/// A number, where a number can hold it.
fn whole(n: i128) -> Value {
    let float = n as f64;
    match float as i128 == n {
        true => Value::Number(float),
        false => Value::Rare(Rare::BigInt(n.to_string()).into()),
    }
}

impl Serializer for Write {
    type Ok = Value;
    type Error = Fault;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Properties;
    type SerializeStruct = Properties;
    type SerializeStructVariant = Properties;

    fn serialize_bool(self, v: bool) -> Result<Value, Fault> {
        Ok(Value::Bool(v))
    }

    fn serialize_i8(self, v: i8) -> Result<Value, Fault> {
        Ok(Value::Number(v.into()))
    }

    fn serialize_i16(self, v: i16) -> Result<Value, Fault> {
        Ok(Value::Number(v.into()))
    }

    fn serialize_i32(self, v: i32) -> Result<Value, Fault> {
        Ok(Value::Number(v.into()))
    }

    fn serialize_i64(self, v: i64) -> Result<Value, Fault> {
        Ok(whole(v.into()))
    }

    fn serialize_i128(self, v: i128) -> Result<Value, Fault> {
        Ok(whole(v))
    }

    fn serialize_u8(self, v: u8) -> Result<Value, Fault> {
        Ok(Value::Number(v.into()))
    }

    fn serialize_u16(self, v: u16) -> Result<Value, Fault> {
        Ok(Value::Number(v.into()))
    }

    fn serialize_u32(self, v: u32) -> Result<Value, Fault> {
        Ok(Value::Number(v.into()))
    }

    fn serialize_u64(self, v: u64) -> Result<Value, Fault> {
        Ok(whole(v.into()))
    }

    fn serialize_u128(self, v: u128) -> Result<Value, Fault> {
        i128::try_from(v).map_or_else(
            |_| Ok(Value::Rare(Rare::BigInt(v.to_string()).into())),
            |v| Ok(whole(v)),
        )
    }

    fn serialize_f32(self, v: f32) -> Result<Value, Fault> {
        Ok(Value::Number(v.into()))
    }

    fn serialize_f64(self, v: f64) -> Result<Value, Fault> {
        Ok(Value::Number(v))
    }

    fn serialize_char(self, v: char) -> Result<Value, Fault> {
        Ok(Value::from(v.to_string()))
    }

    fn serialize_str(self, v: &str) -> Result<Value, Fault> {
        Ok(Value::from(v))
    }

    fn serialize_bytes(self, v: &[u8]) -> Result<Value, Fault> {
        Ok(Value::from(v.to_vec()))
    }

    fn serialize_none(self) -> Result<Value, Fault> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, Fault> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, Fault> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Value, Fault> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<Value, Fault> {
        Ok(Value::from(variant))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<Value, Fault> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value, Fault> {
        let value = value
            .serialize(Write)
            .map_err(|fault| fault.within(variant))?;
        Ok(named(variant, value))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Items, Fault> {
        Ok(Items {
            items: Vec::with_capacity(len.unwrap_or(0).min(1 << 16)),
            variant: None,
        })
    }

    fn serialize_tuple(self, len: usize) -> Result<Items, Fault> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(self, _name: &'static str, len: usize) -> Result<Items, Fault> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Items, Fault> {
        let items = self.serialize_seq(Some(len))?;
        Ok(Items {
            variant: Some(variant),
            ..items
        })
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Properties, Fault> {
        Ok(Properties::default())
    }

    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Properties, Fault> {
        Ok(Properties::default())
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Properties, Fault> {
        Ok(Properties {
            variant: Some(variant),
            ..Properties::default()
        })
    }
}

/// What a variant with something in it is.
fn named(variant: &'static str, value: Value) -> Value {
    Value::Object(Object::from_iter([(variant, value)]))
}

/// A list that is being written.
struct Items {
    items: Vec<Value>,
    variant: Option<&'static str>,
}

impl Items {
    fn add<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        let at = self.items.len();
        let value = value.serialize(Write).map_err(|fault| fault.within(at))?;
        self.items.push(value);
        Ok(())
    }

    fn finish(self) -> Result<Value, Fault> {
        let list = Value::Array(Array::from(self.items));
        Ok(match self.variant {
            Some(variant) => named(variant, list),
            None => list,
        })
    }
}

/// An object that is being written.
#[derive(Default)]
struct Properties {
    object: Object,
    key: Option<Key>,
    variant: Option<&'static str>,
}

impl Properties {
    fn add<T: Serialize + ?Sized>(&mut self, key: Key, value: &T) -> Result<(), Fault> {
        let value = value
            .serialize(Write)
            .map_err(|fault| fault.within(key.as_str()))?;
        self.object.insert(key, value);
        Ok(())
    }

    fn finish(self) -> Result<Value, Fault> {
        let object = Value::Object(self.object);
        Ok(match self.variant {
            Some(variant) => named(variant, object),
            None => object,
        })
    }
}

macro_rules! lists {
    ($($of:ident $add:ident),*) => { $(
        impl ser::$of for Items {
            type Ok = Value;
            type Error = Fault;

            fn $add<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
                self.add(value)
            }

            fn end(self) -> Result<Value, Fault> {
                self.finish()
            }
        }
    )* };
}

lists!(
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field
);

macro_rules! structs {
    ($($of:ident),*) => { $(
        impl ser::$of for Properties {
            type Ok = Value;
            type Error = Fault;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), Fault> {
                self.add(Key::from(key), value)
            }

            fn end(self) -> Result<Value, Fault> {
                self.finish()
            }
        }
    )* };
}

structs!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Properties {
    type Ok = Value;
    type Error = Fault;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Fault> {
        self.key = Some(match key.serialize(Write)? {
            Value::Str(text) => Key::data(&text),
            // (as in JSON: numbers and truths become texts)
            value @ (Value::Number(_) | Value::Bool(_)) => Key::data(&value.to_js_string()),
            _ => return Err(ser::Error::custom("a map's keys have to be texts")),
        });
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        match self.key.take() {
            Some(key) => self.add(key, value),
            None => Err(ser::Error::custom("a value came before its key")),
        }
    }

    fn end(self) -> Result<Value, Fault> {
        self.finish()
    }
}
