//! What the HTTP nodes share: cookies, headers as values, what is text.

use vgdc_core::value::{Array, Object, Value, date, json};
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

/// Bytes as Node.js reads those of headers: each is a character.
pub fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// Headers of which Node.js keeps the first alone.
const SINGLE: [&str; 17] = [
    "age",
    "authorization",
    "content-length",
    "content-type",
    "etag",
    "expires",
    "from",
    "host",
    "if-modified-since",
    "if-unmodified-since",
    "last-modified",
    "location",
    "max-forwards",
    "proxy-authorization",
    "referer",
    "retry-after",
    "user-agent",
];

/// Headers as Node.js shows them: names in lower case, several of one name joined; `set-cookie` is an array.
pub fn headers_value(headers: &HeaderMap) -> Object {
    let mut object = Object::new();
    for name in headers.keys() {
        let values: Vec<String> = headers
            .get_all(name)
            .iter()
            .map(|v| latin1(v.as_bytes()))
            .collect();
        let value = match name.as_str() {
            "set-cookie" => Value::Array(values.into_iter().map(Value::from).collect::<Array>()),
            "cookie" => Value::from(values.join("; ")),
            name if SINGLE.contains(&name) => {
                Value::from(values.into_iter().next().unwrap_or_default())
            }
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
        for pair in latin1(line.as_bytes()).split(';') {
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            let (name, value) = (name.trim(), value.trim());
            let bare = value
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'));
            if object.contains_key(name) || name == "__proto__" {
                continue;
            }
            let text = decode(bare.unwrap_or(value), false);
            // (what Express has written of an object)
            let inner = text
                .strip_prefix("j:")
                .and_then(|text| json::parse(text).ok());
            object.insert(name, inner.unwrap_or_else(|| Value::from(text)));
        }
    }
    object
}

/// A `Set-Cookie` line, as Express writes it from a value and its options.
///
/// # Errors
/// Which of them cannot be written.
pub fn set_cookie(
    name: &str,
    value: &str,
    options: &Object,
    now_ms: f64,
) -> Result<String, &'static str> {
    let option = |key: &str| options.get(key).filter(|value| value.truthy());
    let odd = b"!#$%&'*+-.^_`|~";
    if name.is_empty()
        || !name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || odd.contains(&b))
    {
        return Err("argument name is invalid");
    }
    let mut line = format!("{name}={}", encode_component(value));
    let age = options
        .get("maxAge")
        .filter(|age| !age.is_nullish())
        .map(Value::to_number);
    if let Some(age) = age {
        if !age.is_finite() {
            return Err("option maxAge is invalid");
        }
        line.push_str(&format!("; Max-Age={}", (age / 1000.0).floor()));
    }
    if let Some(domain) = option("domain").map(Value::to_js_string) {
        let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        if !domain.chars().all(is_host) {
            return Err("option domain is invalid");
        }
        line.push_str(&format!("; Domain={domain}"));
    }
    let path = match options.get("path") {
        None | Some(Value::Undefined | Value::Null) => "/".to_owned(),
        Some(path) => path.to_js_string(),
    };
    if !path.chars().all(|c| matches!(c, ' '..='~') && c != ';') {
        return Err("option path is invalid");
    }
    if !path.is_empty() {
        line.push_str(&format!("; Path={path}"));
    }
    let expires = match (option("expires"), age) {
        (_, Some(age)) => Some(now_ms + age),
        (Some(Value::Date(at)), None) if !at.is_nan() => Some(*at),
        (Some(_), None) => return Err("option expires is invalid"),
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
    if option("partitioned").is_some() {
        line.push_str("; Partitioned");
    }
    if let Some(priority) = option("priority") {
        line.push_str(match priority.to_js_string().to_lowercase().as_str() {
            "low" => "; Priority=Low",
            "medium" => "; Priority=Medium",
            "high" => "; Priority=High",
            _ => return Err("option priority is invalid"),
        });
    }
    match option("sameSite") {
        None => {}
        Some(Value::Bool(_)) => line.push_str("; SameSite=Strict"),
        Some(same) => line.push_str(match same.to_js_string().to_lowercase().as_str() {
            "lax" => "; SameSite=Lax",
            "strict" => "; SameSite=Strict",
            "none" => "; SameSite=None",
            _ => return Err("option sameSite is invalid"),
        }),
    }
    Ok(line)
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
    fn cookies_are_written_as_express_writes_them() {
        let options: Object = [
            ("maxAge", Value::from(1000)),
            ("httpOnly", Value::from(true)),
        ]
        .into_iter()
        .collect();
        assert_eq!(
            set_cookie("a", "x y", &options, 0.0).as_deref(),
            Ok("a=x%20y; Max-Age=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; HttpOnly")
        );
    }
}
