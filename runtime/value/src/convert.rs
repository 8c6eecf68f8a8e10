//! JavaScript's conversions.

use crate::{Rare, Str, Value, bigint, date, number};

impl Value {
    /// `Boolean(value)`.
    pub fn truthy(&self) -> bool {
        match self {
            Value::Undefined | Value::Null => false,
            Value::Bool(b) => *b,
            Value::Number(n) => *n != 0.0 && !n.is_nan(),
            Value::Str(text) => !text.is_empty(),
            Value::Rare(rare) => {
                !matches!(&**rare, Rare::BigInt(digits) if bigint::is_zero(digits))
            }
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
        let mut out = String::new();
        self.write_js_string(&mut out);
        out
    }

    /// Appends `String(value)`.
    pub fn write_js_string(&self, out: &mut String) {
        match self {
            Value::Array(items) => write_list(out, items),
            Value::Undefined => out.push_str("undefined"),
            Value::Null => out.push_str("null"),
            Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            Value::Number(n) => number::write(out, *n),
            Value::Str(text) => out.push_str(text),
            Value::Buffer(bytes) => out.push_str(&String::from_utf8_lossy(bytes)),
            Value::Date(ms) => out.push_str(&date::js_string(*ms)),
            Value::Object(_) => out.push_str("[object Object]"),
            Value::Handle(handle) => match handle.kind() {
                "function" => out.push_str("function () { [native code] }"),
                "symbol" => out.push_str(handle.id()),
                _ => out.push_str("[object Object]"),
            },
            Value::Rare(rare) => write_rare(out, rare),
        }
    }

    /// `String(value)`, without a copy when it is a text already.
    pub fn to_str(&self) -> Str {
        match self {
            Value::Str(text) => text.clone(),
            other => other.to_js_string().into(),
        }
    }
}

fn write_rare(out: &mut String, rare: &Rare) {
    match rare {
        Rare::BigInt(digits) => out.push_str(digits),
        Rare::RegExp { source, flags } => {
            // (JavaScript shows an empty one so, as `//` begins a remark)
            let source = if source.is_empty() { "(?:)" } else { source };
            out.extend(["/", source, "/", flags]);
        }
        Rare::Map(_) => out.push_str("[object Map]"),
        Rare::Set(_) => out.push_str("[object Set]"),
        Rare::Error(error) => out.push_str(&error.to_string()),
        Rare::Circular(_) => out.push_str("[object Object]"),
    }
}

/// The elements with commas between, of arrays among them theirs; without recursion.
fn write_list(out: &mut String, items: &[Value]) {
    let mut open = vec![items.iter()];
    let mut first = true;
    while let Some(items) = open.last_mut() {
        let Some(item) = items.next() else {
            open.pop();
            first = false;
            continue;
        };
        if !first {
            out.push(',');
        }
        first = false;
        match item {
            Value::Array(inner) => {
                open.push(inner.iter());
                first = true;
            }
            Value::Undefined | Value::Null | Value::Rare(_) if is_blank(item) => {}
            other => other.write_js_string(out),
        }
    }
}

/// What an array's text leaves out: nothing, and the array itself within itself.
fn is_blank(item: &Value) -> bool {
    match item {
        Value::Rare(rare) => matches!(**rare, Rare::Circular(_)),
        other => other.is_nullish(),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Value, control};

    fn value(text: &str) -> Value {
        control::decode(text).expect(text)
    }

    #[test]
    fn texts_numbers_and_truth() {
        for (json, text, number, truth) in [
            ("null", "null", 0.0, false),
            (r#"{"$type":"undefined"}"#, "undefined", f64::NAN, false),
            ("true", "true", 1.0, true),
            ("0", "0", 0.0, false),
            (r#"" 12 ""#, " 12 ", 12.0, true),
            (r#""""#, "", 0.0, false),
            ("[]", "", 0.0, true),
            ("[7]", "7", 7.0, true),
            (
                r#"[1,[2,[],[null,3]],{},"x"]"#,
                "1,2,,,3,[object Object],x",
                f64::NAN,
                true,
            ),
            ("{}", "[object Object]", f64::NAN, true),
            (r#"{"$type":"buffer","base64":"NDI="}"#, "42", 42.0, true),
            (r#"{"$type":"bigint","value":"12"}"#, "12", 12.0, true),
            (r#"{"$type":"bigint","value":"0"}"#, "0", 0.0, false),
            (
                r#"{"$type":"regexp","source":"a","flags":"g"}"#,
                "/a/g",
                f64::NAN,
                true,
            ),
            (
                r#"{"$type":"regexp","source":"","flags":""}"#,
                "/(?:)/",
                f64::NAN,
                true,
            ),
            (
                r#"{"$type":"map","entries":[]}"#,
                "[object Map]",
                f64::NAN,
                true,
            ),
            (
                r#"{"$type":"set","values":[]}"#,
                "[object Set]",
                f64::NAN,
                true,
            ),
            (
                r#"{"$type":"error","name":"E","message":"m","stack":""}"#,
                "E: m",
                f64::NAN,
                true,
            ),
            (
                r#"{"$type":"error","name":"E","message":"","stack":""}"#,
                "E",
                f64::NAN,
                true,
            ),
            (
                r#"{"$type":"date","iso":null}"#,
                "Invalid Date",
                f64::NAN,
                true,
            ),
        ] {
            let value = value(json);
            assert_eq!(value.to_js_string(), text, "{json}");
            assert!(
                Value::Number(value.to_number()).same(&Value::Number(number)),
                "{json}"
            );
            assert_eq!(value.truthy(), truth, "{json}");
        }
    }

    #[test]
    fn deep_arrays_have_a_text() {
        let deep = (0..100_000).fold(Value::from("x"), |inner, _| Value::from(vec![inner]));
        assert_eq!(deep.to_js_string(), "x");
    }
}
