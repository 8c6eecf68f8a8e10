//! What the HTTP nodes share: query strings, cookies, headers as values, bodies by their type.

use vgdc_core::value::{Array, Key, Object, Value, date, json};
use vgdc_http::http::HeaderMap;

/// The body of a request that is larger than this is refused; Node-RED's `apiMaxLength` default.
pub const DEFAULT_LIMIT: usize = 5 << 20;

/// Percent-decodes; `+` is a space in query strings and forms.
pub fn decode(text: &str, plus: bool) -> String {
    match plus && text.contains('+') {
        true => vgdc_http::percent_decode(&text.replace('+', " ")),
        false => vgdc_http::percent_decode(text),
    }
}

/// A query string or a form, as the `qs` package reads them: `a=1&a=2` is an array, `a[b]=1` an object, `a[]=1` an array.
/// Nesting deeper than 5 levels stays text in the name, as there.
pub fn parse_query(text: &str) -> Object {
    let mut object = Object::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()).take(1000) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name, true), decode(value, true));
        let (first, rest) = match name.find('[') {
            Some(at) if at > 0 => name.split_at(at),
            _ => (name.as_str(), ""),
        };
        let mut steps = vec![first.to_owned()];
        let mut rest = rest;
        while let Some((inner, after)) = rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
            if steps.len() > 5 {
                steps.push(format!("[{inner}]{after}"));
                break;
            }
            steps.push(inner.to_owned());
            rest = after;
        }
        put(&mut object, &steps, Value::from(value));
    }
    object
}

fn put(object: &mut Object, steps: &[String], value: Value) {
    let Some((first, rest)) = steps.split_first() else {
        return;
    };
    if first == "__proto__" {
        return;
    }
    let before = object.get(first).cloned();
    let merged = match (rest, before) {
        ([], None) => value,
        ([], Some(Value::Array(mut items))) => {
            items.push(value);
            Value::Array(items)
        }
        ([], Some(other)) => Value::from(vec![other, value]),
        ([only], before) if only.is_empty() => match before {
            Some(Value::Array(mut items)) => {
                items.push(value);
                Value::Array(items)
            }
            Some(other) => Value::from(vec![other, value]),
            None => Value::from(vec![value]),
        },
        (rest, before) => {
            let mut inner = match before {
                Some(Value::Object(inner)) => inner,
                Some(Value::Array(items)) => items
                    .iter()
                    .enumerate()
                    .map(|(i, item)| (Key::from(i.to_string()), item.clone()))
                    .collect(),
                Some(other) => [(Key::from("0"), other)].into_iter().collect(),
                None => Object::new(),
            };
            put(&mut inner, rest, value);
            as_array(inner)
        }
    };
    object.insert(first.as_str(), merged);
}

/// `a[0]=x&a[1]=y` is an array.
fn as_array(object: Object) -> Value {
    let dense = object
        .keys()
        .enumerate()
        .all(|(i, key)| key.index() == Some(i as u32));
    if dense && object.len() <= 20 {
        return Value::Array(object.values().cloned().collect::<Array>());
    }
    Value::Object(object)
}

/// Headers as Node.js shows them: names in lower case, several of one name joined; `set-cookie` is an array.
pub fn headers_value(headers: &HeaderMap) -> Object {
    let mut object = Object::new();
    for name in headers.keys() {
        let values: Vec<String> = headers
            .get_all(name)
            .iter()
            .map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned())
            .collect();
        let value = match name.as_str() {
            "set-cookie" => Value::Array(values.into_iter().map(Value::from).collect::<Array>()),
            "cookie" => Value::from(values.join("; ")),
            _ => Value::from(values.join(", ")),
        };
        object.insert(name.as_str(), value);
    }
    object
}

/// The cookies of a request.
pub fn cookies(headers: &HeaderMap) -> Object {
    let mut object = Object::new();
    for line in headers.get_all("cookie") {
        for pair in String::from_utf8_lossy(line.as_bytes()).split(';') {
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            let (name, value) = (name.trim(), value.trim().trim_matches('"'));
            if !object.contains_key(name) {
                object.insert(name, decode(value, false));
            }
        }
    }
    object
}

/// A `Set-Cookie` line, as Express writes it from a value and its options.
pub fn set_cookie(name: &str, value: &str, options: Option<&Object>, now_ms: f64) -> String {
    let mut line = format!("{name}={}", encode_component(value));
    let empty = Object::new();
    let options = options.unwrap_or(&empty);
    let option = |key: &str| options.get(key).filter(|value| value.truthy());
    if let Some(age) = option("maxAge").map(Value::to_number) {
        line.push_str(&format!("; Max-Age={}", (age / 1000.0).floor()));
    }
    if let Some(domain) = option("domain") {
        line.push_str(&format!("; Domain={}", domain.to_js_string()));
    }
    let path = option("path").map_or_else(|| "/".to_owned(), Value::to_js_string);
    line.push_str(&format!("; Path={path}"));
    let expires = match (option("expires"), option("maxAge")) {
        (_, Some(age)) => Some(now_ms + age.to_number()),
        (Some(Value::Date(at)), None) => Some(*at),
        (Some(other), None) => Some(date::parse(&other.to_js_string())),
        (None, None) => None,
    };
    if let Some(text) = expires.and_then(http_date) {
        line.push_str(&format!("; Expires={text}"));
    }
    if option("httpOnly").is_some() {
        line.push_str("; HttpOnly");
    }
    if option("secure").is_some() {
        line.push_str("; Secure");
    }
    match option("sameSite") {
        Some(Value::Bool(true)) => line.push_str("; SameSite=Strict"),
        Some(Value::Str(text)) => {
            let mut text = text.to_lowercase();
            if let Some(first) = text.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            line.push_str(&format!("; SameSite={text}"));
        }
        _ => {}
    }
    line
}

/// `encodeURIComponent`.
pub fn encode_component(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z'
            | b'a'..=b'z'
            | b'0'..=b'9'
            | b'-'
            | b'_'
            | b'.'
            | b'!'
            | b'~'
            | b'*'
            | b'\''
            | b'('
            | b')' => out.push(byte as char),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// A time as HTTP writes it.
pub fn http_date(ms: f64) -> Option<String> {
    let iso = date::iso(ms)?;
    let days = (ms / 86_400_000.0).floor() as i64;
    let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][days.rem_euclid(7) as usize];
    let month: usize = iso.get(5..7)?.parse().ok()?;
    let month = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    .get(month - 1)?;
    Some(format!(
        "{weekday}, {} {month} {} {} GMT",
        iso.get(8..10)?,
        iso.get(..4)?,
        iso.get(11..19)?
    ))
}

/// A body as the body parsers of Node-RED's `http in` give it, by its content type.
///
/// # Errors
/// A JSON body that is no JSON; the text is the parser's.
pub fn body_value(content_type: &str, bytes: Vec<u8>) -> Result<Value, String> {
    let ty = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let (main, sub) = ty.split_once('/').unwrap_or((&ty, ""));
    if bytes.is_empty() && (sub == "json" || sub == "x-www-form-urlencoded") {
        return Ok(Value::Object(Object::new()));
    }
    if ty == "application/json" {
        let text = String::from_utf8_lossy(&bytes);
        // (the parser is strict: objects and arrays alone)
        let first = text.trim_start().chars().next();
        if !matches!(first, Some('{' | '[')) {
            let parsed = json::parse(&text).err();
            return Err(parsed.map_or_else(
                || {
                    format!(
                        "Unexpected token '{}', \"{text}\" is not valid JSON",
                        first.unwrap_or(' ')
                    )
                },
                |e| e.message,
            ));
        }
        return json::parse(&text).map_err(|e| e.message);
    }
    if ty == "application/x-www-form-urlencoded" {
        return Ok(Value::Object(parse_query(&String::from_utf8_lossy(&bytes))));
    }
    let text = |bytes: Vec<u8>| Value::from(String::from_utf8_lossy(&bytes).into_owned());
    if ty.is_empty() || main == "text" || sub == "xml" || sub.ends_with("+xml") {
        return Ok(text(bytes));
    }
    if main != "application" || matches!(sub, "octet-stream" | "cbor" | "x-protobuf") {
        return Ok(Value::from(bytes));
    }
    if !is_text(&bytes) {
        return Ok(Value::from(bytes));
    }
    Ok(text(bytes))
}

/// True for what Node-RED takes for text: UTF-8 without control characters but tab and line ends.
pub fn is_text(bytes: &[u8]) -> bool {
    let control =
        |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r') || *byte == 0x7f;
    std::str::from_utf8(bytes).is_ok() && !bytes.iter().any(control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_read_as_qs_reads_them() {
        let show =
            |text: &str| vgdc_core::value::control::encode(&Value::Object(parse_query(text)));
        assert_eq!(show("a=1&b=x+y%21"), r#"{"a":"1","b":"x y!"}"#);
        assert_eq!(show("a=1&a=2"), r#"{"a":["1","2"]}"#);
        assert_eq!(show("a[b]=1&a[c][d]=2"), r#"{"a":{"b":"1","c":{"d":"2"}}}"#);
        assert_eq!(show("a[]=1&a[]=2&a[]=3"), r#"{"a":["1","2","3"]}"#);
        assert_eq!(show("a[0]=x&a[1]=y"), r#"{"a":["x","y"]}"#);
        assert_eq!(show("a&=b"), r#"{"a":"","":"b"}"#);
    }

    #[test]
    fn cookies_are_written_as_express_writes_them() {
        let options: Object = [
            ("maxAge", Value::from(1000)),
            ("httpOnly", Value::from(true)),
        ]
        .into_iter()
        .collect();
        assert_eq!(
            set_cookie("a", "x y", Some(&options), 0.0),
            "a=x%20y; Max-Age=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; HttpOnly"
        );
    }
}
