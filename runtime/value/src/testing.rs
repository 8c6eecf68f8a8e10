//! Values at random, for this crate's tests.

use crate::{ErrorValue, Key, Object, PathSegment, Rare, Value};
use proptest::prelude::*;
use std::sync::Arc;

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        any::<i32>().prop_map(f64::from),
        (-3_i8..3).prop_map(f64::from),
        Just(-0.0),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(4294967296.0)
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-d]{0,2}",
        "\\PC{0,12}",
        Just("\u{0}\"\\\n".to_owned()),
        Just("😀".to_owned())
    ]
}

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![
        6 => "[a-f]".prop_map(Key::from),
        1 => text().prop_map(Key::from),
        1 => (0_u32..40).prop_map(|n| Key::from(n.to_string())),
        1 => Just(Key::from("$type"))
    ]
}

fn leaf() -> impl Strategy<Value = Value> {
    let rare = |rare: Rare| Value::Rare(Arc::new(rare));
    let segment = prop_oneof![
        key().prop_map(PathSegment::Key),
        (0_usize..9).prop_map(PathSegment::Index)
    ];
    prop_oneof![
        Just(Value::Undefined),
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number().prop_map(Value::Number),
        number().prop_map(Value::Number),
        text().prop_map(Value::from),
        text().prop_map(Value::from),
        proptest::collection::vec(any::<u8>(), 0..5).prop_map(Value::from),
        (-8_640_000_000_000_000_i64..8_640_000_000_000_000).prop_map(|ms| Value::Date(ms as f64)),
        Just(Value::Date(f64::NAN)),
        any::<i64>().prop_map(move |n| rare(Rare::BigInt(n.to_string()))),
        (text(), "[gi]?").prop_map(move |(source, flags)| rare(Rare::RegExp { source, flags })),
        proptest::collection::vec(segment, 0..3).prop_map(move |path| rare(Rare::Circular(path))),
        Just(Value::Handle(crate::Handle::foreign("Socket", "other1"))),
    ]
}

fn object(values: impl Strategy<Value = Value>) -> impl Strategy<Value = Object> {
    proptest::collection::vec((key(), values), 0..40)
        .prop_map(|entries| entries.into_iter().collect())
}

/// A value of any kind and some depth.
pub(crate) fn any_value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(4, 60, 8, |inner| {
        let rare = |rare: Rare| Value::Rare(Arc::new(rare));
        prop_oneof![
            4 => proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            6 => object(inner.clone()).prop_map(Value::Object),
            1 => proptest::collection::vec((inner.clone(), inner.clone()), 0..4).prop_map(move |pairs| rare(Rare::Map(pairs))),
            1 => proptest::collection::vec(inner.clone(), 0..4).prop_map(move |values| rare(Rare::Set(values))),
            1 => (text(), text(), object(inner)).prop_map(|(name, message, properties)| {
                Value::from(ErrorValue { properties, ..ErrorValue::new(&name, message) })
            }),
        ]
    })
}
