//! A compact binary form of values, for links and plans.
//!
//! A value is a tag byte and what belongs to it. Lengths are LEB128, texts UTF-8, numbers 8 bytes little-endian or, when
//! they are whole and small, LEB128 of the number in zigzag order.
//!
//! | tag | value | followed by |
//! | --- | --- | --- |
//! | 0, 1, 2, 3 | undefined, null, false, true | |
//! | 4 | number | 8 bytes |
//! | 5 | text | length, bytes |
//! | 6 | buffer | length, bytes |
//! | 7 | date | 8 bytes: milliseconds since 1970, NaN for the invalid date |
//! | 8 | array | length, values |
//! | 9 | object | names, values |
//! | 10 | error | name, message, stack as texts; its properties as an object without tag |
//! | 11 | map | length, keys and values by turns |
//! | 12 | set | length, values |
//! | 13 | whole number | LEB128 |
//! | 14 | big integer | text |
//! | 15 | regular expression | two texts |
//! | 16 | circular | length, segments: 0 and a text, or 1 and an index |
//! | 17 | handle | kind and id as texts |
//!
//! Names of an object are 0, their number, and each as a text; or, when an earlier object of the same value had the same
//! ones, 1 + which of the lists of names met so far it is. Lists of up to 32 names count, and the first 64 of them.
//!
//! Values nested deeper than [`crate::json::MAX_DEPTH`] are written and not read.

mod decode;
mod encode;

pub use decode::decode;
pub use encode::encode;

/// Why bytes are no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireError(pub &'static str);

impl std::fmt::Display for WireError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for WireError {}

mod tag {
    pub(super) const UNDEFINED: u8 = 0;
    pub(super) const NULL: u8 = 1;
    pub(super) const FALSE: u8 = 2;
    pub(super) const TRUE: u8 = 3;
    pub(super) const NUMBER: u8 = 4;
    pub(super) const TEXT: u8 = 5;
    pub(super) const BUFFER: u8 = 6;
    pub(super) const DATE: u8 = 7;
    pub(super) const ARRAY: u8 = 8;
    pub(super) const OBJECT: u8 = 9;
    pub(super) const ERROR: u8 = 10;
    pub(super) const MAP: u8 = 11;
    pub(super) const SET: u8 = 12;
    pub(super) const WHOLE: u8 = 13;
    pub(super) const BIGINT: u8 = 14;
    pub(super) const REGEXP: u8 = 15;
    pub(super) const CIRCULAR: u8 = 16;
    pub(super) const HANDLE: u8 = 17;
}

/// How many lists of names can be referred to.
const LISTS: usize = 64;
/// How many names a list has at most that can be referred to.
const NAMES: usize = crate::shape::MAX_SHAPE_LEN;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::any_value;
    use crate::{Object, Value, control};
    use proptest::prelude::*;

    fn bytes(value: &Value) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(value, &mut bytes);
        bytes
    }

    #[test]
    fn the_form_is_fixed() {
        for (json, hex) in [
            ("null", "01"),
            ("true", "03"),
            ("1", "0d02"),
            ("-1", "0d01"),
            ("300", "0dd804"),
            ("0.5", "04000000000000e03f"),
            (r#"{"$type":"number","value":"-0"}"#, "040000000000000080"),
            (r#""é""#, "0502c3a9"),
            (r#"{"$type":"buffer","base64":"AQI="}"#, "06020102"),
            ("[1,[]]", "08020d020800"),
            (r#"{"a":1,"b":{}}"#, "090002016101620d02090000"),
            (r#"[{"a":1},{"a":2}]"#, "080209000101610d0209010d04"),
            (r#"{"$type":"map","entries":[[1,null]]}"#, "0b010d0201"),
            (
                r#"{"$type":"error","name":"E","message":"m","stack":""}"#,
                "0a0145016d000000",
            ),
            (r#"{"$type":"circular","path":["a",1]}"#, "1002000161 0101"),
        ] {
            let written: String = bytes(&control::decode(json).expect(json))
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            assert_eq!(written, hex.replace(' ', ""), "{json}");
        }
    }

    #[test]
    fn wrong_bytes_are_refused() {
        for (bytes, message) in [
            (&[][..], "a value is cut short"),
            (&[99], "an unknown kind of value"),
            (&[5, 1, 0xff], "a text is not UTF-8"),
            (&[9, 1], "an object refers to names that were not met"),
            (
                &[
                    8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                ],
                "a length is too long",
            ),
            (
                &[8, 0xff, 0xff, 0xff, 0xff, 0x7f, 1],
                "a value is cut short",
            ),
            (
                &[
                    13, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                ],
                "a length is too long",
            ),
            (&[14, 1, b'x'], "a big integer is not digits"),
        ] {
            assert_eq!(
                decode(bytes).map(drop),
                Err(WireError(message)),
                "{bytes:?}"
            );
        }
        let deep = (0..100_000).fold(Value::Null, |inner, _| {
            Value::Object(Object::from_iter([("a", inner)]))
        });
        assert_eq!(
            decode(&bytes(&deep)).map(drop),
            Err(WireError("a value is nested too deep"))
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value in any_value(), rest in proptest::collection::vec(any::<u8>(), 0..4)) {
            let mut bytes = bytes(&value);
            let length = bytes.len();
            bytes.extend(rest);
            let (back, read) = decode(&bytes).expect("a value");
            prop_assert!(back.same(&value), "{:?} {:?}", back, value);
            prop_assert_eq!(read, length);
            for cut in 0..length {
                prop_assert!(decode(&bytes[..cut]).is_err());
            }
        }

        #[test]
        fn the_control_protocol_says_the_same(value in any_value()) {
            let back = control::decode(&control::encode(&value)).expect("a value");
            prop_assert!(back.same(&value), "{:?} {:?}", back, value);
        }

        #[test]
        fn reading_never_panics(bytes in proptest::collection::vec(prop_oneof![0_u8..18, any::<u8>()], 0..40)) {
            let _ = decode(&bytes);
        }
    }
}
