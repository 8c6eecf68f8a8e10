//! Bodies of requests as the parsers give them that stand before an **http in** node: `body-parser` for JSON and forms,
//! `multer` for uploads, and Node-RED's own for the rest.

use super::{multipart, qs};
use vgdc_core::value::{ErrorValue, Object, Value, json};
use vgdc_http::http::HeaderMap;

/// What is to be made of a body.
pub struct Body<'a> {
    /// The request's headers.
    pub headers: &'a HeaderMap,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The node takes uploads.
    pub upload: bool,
}

/// What a body is: the value, and the files of an upload.
pub struct Read {
    /// The value.
    pub value: Value,
    /// The files of an upload.
    pub files: Option<Value>,
}

impl From<Value> for Read {
    fn from(value: Value) -> Read {
        Read { value, files: None }
    }
}

impl Body<'_> {
    /// Reads it.
    ///
    /// # Errors
    /// What the parser says of a body that is not what it should be.
    pub fn read(self) -> Result<Read, ErrorValue> {
        let whole = header(self.headers, "content-type");
        let media = Media::parse(whole.as_deref().unwrap_or_default());
        let is = |ty: &str| media.as_ref().is_some_and(|media| media.essence == ty);
        let has_body = self.headers.contains_key("transfer-encoding")
            || header(self.headers, "content-length").is_some();
        if has_body && (is("application/json") || is("application/x-www-form-urlencoded")) {
            let charset = media.as_ref().and_then(|media| media.charset.clone());
            let is_json = is("application/json");
            return self.text(charset, is_json).map(Read::from);
        }
        if self.upload {
            let is_form = has_body
                && media
                    .as_ref()
                    .is_some_and(|media| media.main() == "multipart");
            if !is_form {
                return Ok(Value::Object(Object::new()).into());
            }
            let boundary = multipart::boundary(whole.as_deref().unwrap_or_default());
            let boundary = boundary
                .ok_or_else(|| ErrorValue::new("Error", "Multipart: Boundary not found"))?;
            let (fields, files) = multipart::read(&boundary, &self.bytes)?;
            return Ok(Read {
                value: Value::Object(fields),
                files: Some(Value::Array(files)),
            });
        }
        let is_text = match (&whole, &media) {
            (None, _) => true,
            (Some(_), None) => return Err(ErrorValue::new("TypeError", "invalid media type")),
            (Some(_), Some(media)) => media.is_text(),
        };
        Ok(match is_text {
            true => Value::from(String::from_utf8_lossy(&self.bytes).into_owned()),
            false => Value::from(self.bytes),
        }
        .into())
    }

    /// A body that is JSON or a form.
    fn text(self, charset: Option<String>, is_json: bool) -> Result<Value, ErrorValue> {
        let charset = charset.unwrap_or_else(|| "utf-8".to_owned());
        let is_known = match is_json {
            true => charset.starts_with("utf-"),
            false => charset == "utf-8",
        };
        if !is_known {
            return Err(unsupported(
                "charset",
                "charset.unsupported",
                &charset,
                &charset.to_uppercase(),
            ));
        }
        if let Some(encoding) = header(self.headers, "content-encoding")
            .map(|text| text.to_lowercase())
            .filter(|text| text != "identity")
        {
            return Err(unsupported(
                "content encoding",
                "encoding.unsupported",
                &encoding,
                &encoding,
            ));
        }
        let text = match charset.as_str() {
            "utf-16" | "utf-16le" => utf16(&self.bytes, u16::from_le_bytes),
            "utf-16be" => utf16(&self.bytes, u16::from_be_bytes),
            _ => String::from_utf8_lossy(&self.bytes).into_owned(),
        };
        let text = text
            .strip_prefix('\u{feff}')
            .map_or(text.as_str(), |rest| rest);
        match is_json {
            true => parsed(text),
            false => {
                let pairs = text.matches('&').count() + 1;
                if pairs > qs::PAIRS {
                    return Err(refused("PayloadTooLargeError", "too many parameters", 413)
                        .with("type", "parameters.too.many"));
                }
                let limits = qs::Limits {
                    depth: 32,
                    list: pairs.max(100),
                };
                Ok(Value::Object(qs::parse(text, limits)))
            }
        }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|pair| unit([pair[0], pair[1]]))
        .collect();
    String::from_utf16_lossy(&units)
}

/// JSON, as the parser takes it: objects and arrays alone; nothing is an empty object.
fn parsed(text: &str) -> Result<Value, ErrorValue> {
    if text.is_empty() {
        return Ok(Value::Object(Object::new()));
    }
    let failed = |why: &str| {
        refused("SyntaxError", why, 400)
            .with("body", text)
            .with("type", "entity.parse.failed")
    };
    let first = text
        .trim_start_matches([' ', '\t', '\n', '\r'])
        .chars()
        .next();
    match json::parse(text) {
        Ok(_) if !matches!(first, Some('{' | '[')) => {
            let first = first.unwrap_or(' ');
            Err(failed(&format!(
                "Unexpected token '{first}', \"{text}\" is not valid JSON"
            )))
        }
        Ok(value) => Ok(value),
        Err(error) => Err(failed(&error.message)),
    }
}

fn refused(name: &str, message: &str, status: u16) -> ErrorValue {
    ErrorValue::new(name, message)
        .with("expose", true)
        .with("statusCode", f64::from(status))
        .with("status", f64::from(status))
}

fn unsupported(what: &str, ty: &str, value: &str, shown: &str) -> ErrorValue {
    let key = ty.split('.').next().unwrap_or_default();
    ErrorValue::new(
        "UnsupportedMediaTypeError",
        format!("unsupported {what} \"{shown}\""),
    )
    .with(key, value)
    .with("type", ty)
}

/// What is said of a body that is longer than it may be.
pub fn too_large(length: Option<u64>, limit: usize) -> ErrorValue {
    let mut error = ErrorValue::new("PayloadTooLargeError", "request entity too large");
    if let Some(length) = length {
        error = error
            .with("expected", length as f64)
            .with("length", length as f64);
    }
    error
        .with("limit", limit as f64)
        .with("type", "entity.too.large")
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// A content type.
pub struct Media {
    /// `type/subtype`, in lower case.
    essence: String,
    charset: Option<String>,
}

impl Media {
    /// `None` where it is none.
    pub fn parse(text: &str) -> Option<Media> {
        let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
        let essence = essence.trim().to_lowercase();
        let (main, sub) = essence.split_once('/')?;
        let is_token = |text: &str| {
            let odd = b"!#$%&'*+.^_|~-";
            !text.is_empty()
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || odd.contains(&b))
        };
        if !is_token(main) || !is_token(sub) {
            return None;
        }
        let charset = parameters.split(';').find_map(|part| {
            let (name, value) = part.split_once('=')?;
            let value = value.trim().trim_matches('"').to_lowercase();
            name.trim().eq_ignore_ascii_case("charset").then_some(value)
        });
        Some(Media { essence, charset })
    }

    fn main(&self) -> &str {
        self.essence.split('/').next().unwrap_or_default()
    }

    /// True where Node-RED makes a text of it.
    fn is_text(&self) -> bool {
        let sub = self.essence.split('/').nth(1).unwrap_or_default();
        let is_xml = sub == "xml" || sub.ends_with("+xml");
        match self.main() {
            "text" => true,
            _ if is_xml => true,
            "application" => !matches!(sub, "octet-stream" | "cbor" | "x-protobuf"),
            _ => false,
        }
    }
}
