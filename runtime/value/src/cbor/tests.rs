//! There and back; what is damaged.

use super::*;
use crate::Msg;
use crate::testing::any_value;
use crate::{ErrorValue, Handle, Object, Rare, Value, control};
use proptest::prelude::*;
use std::sync::Arc;

fn bytes(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(value, &mut bytes).expect("it can be written");
    bytes
}

fn from_hex(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().filter_map(|c| c.to_digit(16)).collect();
    (digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8)).collect()
}

fn has_handle(value: &Value) -> bool {
    match value {
        Value::Handle(_) => true,
        Value::Array(items) => items.iter().any(has_handle),
        Value::Object(object) => object.values().any(has_handle),
        Value::Rare(rare) => match &**rare {
            Rare::Set(values) => values.iter().any(has_handle),
            Rare::Map(pairs) => pairs.iter().any(|(k, v)| has_handle(k) || has_handle(v)),
            Rare::Error(error) => error.properties.values().any(has_handle),
            _ => false,
        },
        _ => false,
    }
}

#[test]
fn the_form_is_fixed() {
    for (json, hex) in [
        (r#"{"$type":"undefined"}"#, "f7"),
        ("null", "f6"),
        ("true", "f5"),
        ("1", "01"),
        ("-1", "20"),
        ("9007199254740991", "1b001fffffffffffff"),
        ("9007199254740992", "fb4340000000000000"),
        ("0.5", "fb3fe0000000000000"),
        (r#"{"$type":"number","value":"-0"}"#, "fb8000000000000000"),
        (r#""é""#, "62c3a9"),
        (r#"{"$type":"buffer","base64":"AQI="}"#, "420102"),
        ("[1,[]]", "820180"),
        (r#"{"b":1,"a":{}}"#, "a26162016161a0"),
        (r#"{"$type":"map","entries":[[1,null]]}"#, "d90103a101f6"),
        (r#"{"$type":"set","values":[1]}"#, "d901028101"),
        (r#"{"$type":"bigint","value":"-256"}"#, "c341ff"),
        (r#"{"$type":"bigint","value":"0"}"#, "c240"),
        (
            r#"{"$type":"regexp","source":"a","flags":"g"}"#,
            "d81b8366526567457870 6161 6167",
        ),
        (
            r#"{"$type":"error","name":"E","message":"m","stack":""}"#,
            "d81b85654572726f72 6145 616d 60 a0",
        ),
    ] {
        let value = control::decode(json).expect(json);
        assert_eq!(bytes(&value), from_hex(hex), "{json}");
    }
    assert_eq!(
        bytes(&Value::Date(1500.0)),
        from_hex("c1fb3ff8000000000000")
    );
    assert_eq!(bytes(&Value::Date(2000.0)), from_hex("c102"));
}

#[test]
fn what_libraries_write_is_read() {
    for (hex, json) in [
        ("f97e00", r#"{"$type":"number","value":"NaN"}"#),
        ("f97c00", r#"{"$type":"number","value":"Infinity"}"#),
        ("f9fc00", r#"{"$type":"number","value":"-Infinity"}"#),
        ("f93e00", "1.5"),
        ("f90001", "5.960464477539063e-8"),
        ("fa3fc00000", "1.5"),
        (
            "1b0020000000000000",
            r#"{"$type":"bigint","value":"9007199254740992"}"#,
        ),
        ("a1 07 01", r#"{"7":1}"#),
        ("d84041ff", r#"{"$type":"buffer","base64":"/w=="}"#),
        ("d9d9f7 01", "1"),
        (
            "c0 74 323031332d30332d32315432303a30343a30305a",
            r#"{"$type":"date","iso":"2013-03-21T20:04:00.000Z"}"#,
        ),
        (
            "d81b 82 69547970654572726f72 6178",
            r#"{"$type":"error","name":"TypeError","message":"x","stack":"TypeError: x"}"#,
        ),
        ("c34100", r#"{"$type":"bigint","value":"-1"}"#),
        ("c341ff", r#"{"$type":"bigint","value":"-256"}"#),
    ] {
        let bytes = from_hex(hex);
        let (value, read) = decode(&bytes).expect(hex);
        let wanted = control::decode(json).expect(json);
        assert!(value.same(&wanted), "{hex}: {value:?}");
        assert_eq!(read, bytes.len(), "{hex}");
    }
}

#[test]
fn wrong_bytes_are_refused() {
    for (hex, message) in [
        ("", "a value is cut short (at byte 0)"),
        ("82 01", "a value is cut short"),
        ("61 ff", "a text is not UTF-8 (at byte 0)"),
        ("9b ffffffffffffffff", "a value is cut short (at byte 9)"),
        ("5b ffffffffffffffff 00", "a value is cut short"),
        (
            "9f 01 ff",
            "an item has indefinite length, which links do not carry (at byte 0)",
        ),
        (
            "a1 80 01",
            "a key of a map is neither a text nor an integer (only those of tag 259 may be) (at byte 1)",
        ),
        ("d8 63 00", "tag 99 is not one that links carry (at byte 2)"),
        (
            "d81b 81 61 78",
            "'x' with 0 parts is no type that links carry (at byte 5)",
        ),
        ("ff", "an unknown kind of CBOR item (at byte 0)"),
        (
            "c0 61 78",
            "a date is not written as in RFC 3339 (at byte 3)",
        ),
    ] {
        let error = decode(&from_hex(hex)).expect_err(hex);
        assert!(error.to_string().starts_with(message), "{hex}: {error}");
    }
    let many = [0xd9, 0xd9, 0xf7].repeat(100_000);
    assert!(decode(&many).is_err());
    let deep = [0x81].repeat(100_000);
    let error = decode(&deep).expect_err("it is deep");
    assert_eq!(error.message, "a value is nested deeper than 512");
}

#[test]
fn what_cannot_cross_says_so() {
    let handle = Handle::new("ServerResponse", Value::Undefined, Arc::new(()));
    let inner = Object::from_iter([("res", Value::Handle(handle))]);
    let msg = Object::from_iter([
        ("a", Value::from(1)),
        ("list", vec![Value::Object(inner)].into()),
    ]);
    let mut out = vec![7];
    let error = encode(&Value::Object(msg), &mut out).expect_err("a handle");
    assert_eq!(
        error.to_string(),
        "'list.0.res' is a ServerResponse, which lives in its process and cannot be sent to another one: delete it before"
    );
    assert_eq!(out, [7]);
    let deep = |levels| (0..levels).fold(Value::Null, |inner, _| Value::from(vec![inner]));
    assert!(encode(&deep(MAX_DEPTH), &mut out).is_ok());
    assert!(decode(&bytes(&deep(MAX_DEPTH))).is_ok());
    assert!(encode(&deep(MAX_DEPTH + 1), &mut out).is_err());
    let long = Value::Rare(Arc::new(Rare::BigInt("9".repeat(40_000))));
    assert!(encode(&long, &mut out).is_err());
}

#[test]
fn a_message_that_is_an_error_stays_one() {
    let error = ErrorValue::new("TypeError", "no").with("code", "E1");
    let msg = Msg::from(Object::of_error(&error));
    let mut out = Vec::new();
    encode_msg(&msg, &mut out).expect("it can be written");
    let back = decode_msg(&out).expect("it is a message");
    assert!(back.is_error() && back == msg);
    assert!(decode_msg(&[1]).is_err());
    out.push(0);
    assert!(decode_msg(&out).is_err());
}

proptest! {
    #[test]
    fn what_is_written_is_read(value in any_value(), rest in proptest::collection::vec(any::<u8>(), 0..4)) {
        let mut bytes = Vec::new();
        match encode(&value, &mut bytes) {
            Err(_) => prop_assert!(has_handle(&value)),
            Ok(()) => {
                prop_assert!(!has_handle(&value));
                let length = bytes.len();
                bytes.extend(rest);
                let (back, read) = decode(&bytes).expect("a value");
                prop_assert!(back.same(&value), "{:?} {:?}", back, value);
                prop_assert_eq!(read, length);
                for cut in 0..length {
                    prop_assert!(decode(&bytes[..cut]).is_err());
                }
            }
        }
    }

    #[test]
    fn dates_of_any_millisecond_come_back(ms in -8_640_000_000_000_000_i64..8_640_000_000_000_000) {
        let value = Value::Date(ms as f64);
        prop_assert!(decode(&bytes(&value)).expect("a date").0.same(&value));
    }

    #[test]
    fn reading_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _ = decode(&bytes);
        let _ = decode_msg(&bytes);
    }

    #[test]
    fn damage_never_panics(value in any_value(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = Vec::new();
        if encode(&value, &mut bytes).is_ok() {
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = decode(&bytes);
        }
    }
}
