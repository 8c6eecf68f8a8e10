//! Answers as Express 4 makes them of what an **http response** node gives it: headers with their checks, cookies, JSON with
//! a callback, the entity tag, and what is left of an answer that the client has already.

use base64::Engine as _;
use std::borrow::Cow;
use vgdc_core::NodeError;
use vgdc_core::value::{ErrorValue, Object, Value, date, json};
use vgdc_http::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use vgdc_http::{Bytes, Response, full};

/// What counts of a request for its answer.
#[derive(Default)]
pub struct Asked {
    /// GET or HEAD: the answer may be one that the client has.
    pub can_be_fresh: bool,
    /// HEAD.
    pub is_head: bool,
    /// The function that JSON is to be handed to (`?callback=`).
    pub callback: Option<String>,
    none_match: Option<String>,
    modified_since: Option<String>,
    no_cache: bool,
}

impl Asked {
    /// Of a request with this query.
    pub fn of(method: &Method, headers: &HeaderMap, query: &Object) -> Asked {
        let text = |name: HeaderName| {
            let value = headers.get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let callback = match query.get("callback") {
            Some(Value::Array(names)) => names.iter().next().and_then(Value::as_str),
            Some(value) => value.as_str(),
            None => None,
        };
        let no_cache = text(header::CACHE_CONTROL)
            .is_some_and(|text| text.split(',').any(|word| word.trim() == "no-cache"));
        Asked {
            can_be_fresh: matches!(*method, Method::GET | Method::HEAD),
            is_head: *method == Method::HEAD,
            callback: callback.filter(|name| !name.is_empty()).map(str::to_owned),
            none_match: text(header::IF_NONE_MATCH),
            modified_since: text(header::IF_MODIFIED_SINCE),
            no_cache,
        }
    }

    /// Whether the client has this answer (the package `fresh`).
    fn is_fresh(&self, status: f64, headers: &HeaderMap) -> bool {
        let may = self.can_be_fresh && ((200.0..300.0).contains(&status) || status == 304.0);
        if !may || self.no_cache || self.none_match.is_none() && self.modified_since.is_none() {
            return false;
        }
        let has = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(tags) = self.none_match.as_deref().filter(|tags| *tags != "*") {
            let Some(own) = has(header::ETAG) else {
                return false;
            };
            let bare = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
            if !tags.split(',').any(|tag| bare(tag.trim()) == bare(own)) {
                return false;
            }
        }
        match &self.modified_since {
            Some(since) => has(header::LAST_MODIFIED)
                .is_some_and(|changed| date::parse(changed) <= date::parse(since)),
            None => true,
        }
    }
}

/// An error of Node.js's own, whose text has its code in it.
fn node_error(name: &str, code: &str, message: String) -> NodeError {
    let text = format!("{name} [{code}]: {message}");
    NodeError::from_value(ErrorValue::new(name, message).with("code", code).into()).with_text(text)
}

fn type_error(message: impl Into<String>) -> NodeError {
    NodeError::from_value(ErrorValue::new("TypeError", message.into()).into())
}

/// An answer while it is made.
pub struct Answer<'a> {
    asked: &'a Asked,
    status: f64,
    headers: HeaderMap,
}

impl<'a> Answer<'a> {
    /// An answer with the headers that it has in any case.
    pub fn new(asked: &'a Asked, headers: &[(HeaderName, HeaderValue)]) -> Answer<'a> {
        let headers = headers.iter().cloned().collect();
        Answer {
            asked,
            status: 200.0,
            headers,
        }
    }

    /// Whether it has this header.
    pub fn has(&self, name: HeaderName) -> bool {
        self.headers.contains_key(name)
    }

    /// `res.status(code)`.
    pub fn status(&mut self, code: f64) {
        self.status = code;
    }

    /// `res.set(name, value)`: a header in the place of those of its name; a list is as many.
    ///
    /// # Errors
    /// A name or a value that no header can have.
    pub fn set(&mut self, name: &str, value: &Value) -> Result<(), NodeError> {
        let is_list = matches!(value, Value::Array(_));
        let mut values: Vec<Cow<'_, str>> = match value {
            Value::Array(values) => values
                .iter()
                .map(|v| Cow::Owned(v.to_js_string()))
                .collect(),
            Value::Str(text) => vec![Cow::Borrowed(text)],
            one => vec![Cow::Owned(one.to_js_string())],
        };
        if name.eq_ignore_ascii_case("content-type") {
            if is_list {
                return Err(type_error("Content-Type cannot be set to an Array"));
            }
            for value in &mut values {
                *value = Cow::Owned(with_charset(value));
            }
        }
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
            let message = format!("Header name must be a valid HTTP token [\"{name}\"]");
            node_error("TypeError", "ERR_INVALID_HTTP_TOKEN", message)
        })?;
        let values: Option<Vec<HeaderValue>> = values.iter().map(|value| latin1(value)).collect();
        let values = values.ok_or_else(|| {
            let message = format!("Invalid character in header content [\"{name}\"]");
            node_error("TypeError", "ERR_INVALID_CHAR", message)
        })?;
        self.headers.remove(&header);
        for value in values {
            self.headers.append(header.clone(), value);
        }
        Ok(())
    }

    fn put(&mut self, name: HeaderName, value: &str) {
        if let Some(value) = latin1(value) {
            self.headers.insert(name, value);
        }
    }

    /// `res.cookie(name, value, options)`.
    ///
    /// # Errors
    /// What the package `cookie` says of an odd name or option.
    pub fn cookie(
        &mut self,
        name: &str,
        value: &Value,
        options: &Object,
        now_ms: f64,
    ) -> Result<(), NodeError> {
        if options.get("signed").is_some_and(Value::truthy) {
            return Err(NodeError::from_value(
                ErrorValue::new(
                    "Error",
                    "cookieParser(\"secret\") required for signed cookies",
                )
                .into(),
            ));
        }
        let text = match value {
            Value::Object(_) | Value::Array(_) | Value::Null => {
                let text =
                    json::stringify(value, 0).map_err(|e| NodeError::from_value(e.into()))?;
                format!("j:{}", text.unwrap_or_default())
            }
            other => other.to_js_string(),
        };
        let line = super::web::set_cookie(name, &text, options, now_ms).map_err(type_error)?;
        let value = latin1(&line).ok_or_else(|| type_error("argument val is invalid"))?;
        self.headers.append(header::SET_COOKIE, value);
        Ok(())
    }

    /// `res.jsonp(value)`.
    ///
    /// # Errors
    /// A value that JSON cannot say.
    pub fn jsonp(mut self, value: &Value) -> Result<Response, NodeError> {
        let text = json::stringify(value, 0).map_err(|e| NodeError::from_value(e.into()))?;
        let mut text = text.unwrap_or_default();
        if !self.has(header::CONTENT_TYPE) {
            self.put(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
            self.put(header::CONTENT_TYPE, "application/json; charset=utf-8");
        }
        if let Some(name) = &self.asked.callback {
            text = call_of(name, &text);
            self.put(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
            self.put(header::CONTENT_TYPE, "text/javascript; charset=utf-8");
        }
        self.send(Some(Value::from(text)))
    }

    /// `res.send(body)` of a text, a buffer or nothing.
    ///
    /// # Errors
    /// A content type that is none, or a status that is none.
    pub fn send(mut self, body: Option<Value>) -> Result<Response, NodeError> {
        let bytes = match &body {
            Some(Value::Buffer(bytes)) => {
                if !self.has(header::CONTENT_TYPE) {
                    self.put(header::CONTENT_TYPE, "application/octet-stream");
                }
                Some(Bytes::from(bytes.to_vec()))
            }
            Some(text) => {
                let given = self.headers.get(header::CONTENT_TYPE);
                let ty = match given
                    .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
                {
                    Some(given) => {
                        in_utf8(&given).ok_or_else(|| type_error("invalid media type"))?
                    }
                    None => "text/html; charset=utf-8".to_owned(),
                };
                self.put(header::CONTENT_TYPE, &ty);
                Some(Bytes::from(text.to_js_string()))
            }
            None => None,
        };
        if let Some(bytes) = &bytes {
            self.put(header::CONTENT_LENGTH, &bytes.len().to_string());
            if !self.has(header::ETAG) {
                self.put(header::ETAG, &tag_of(bytes));
            }
        }
        if self.asked.is_fresh(self.status, &self.headers) {
            self.status = 304.0;
        }
        let mut bytes = bytes.unwrap_or_default();
        if self.status == 204.0 || self.status == 304.0 {
            for name in [
                header::CONTENT_TYPE,
                header::CONTENT_LENGTH,
                header::TRANSFER_ENCODING,
            ] {
                self.headers.remove(name);
            }
            bytes = Bytes::new();
        } else if self.status == 205.0 {
            self.put(header::CONTENT_LENGTH, "0");
            self.headers.remove(header::TRANSFER_ENCODING);
            bytes = Bytes::new();
        }
        self.end(bytes)
    }

    fn end(mut self, bytes: Bytes) -> Result<Response, NodeError> {
        let status = (100.0..=999.0)
            .contains(&self.status)
            .then_some(self.status as u16);
        let status = status.and_then(|status| StatusCode::from_u16(status).ok());
        let status = status.ok_or_else(|| {
            let shown = Value::from(self.status).to_js_string();
            node_error(
                "RangeError",
                "ERR_HTTP_INVALID_STATUS_CODE",
                format!("Invalid status code: {shown}"),
            )
        })?;
        // (a length that is not the body's would break the connection)
        let own = bytes.len().to_string();
        let is_other = |value: &HeaderValue| value.to_str().ok() != Some(own.as_str());
        if !self.asked.is_head
            && self
                .headers
                .get(header::CONTENT_LENGTH)
                .is_some_and(is_other)
        {
            self.headers.remove(header::CONTENT_LENGTH);
        }
        // (the body is whole: there is nothing to send in chunks)
        self.headers.remove(header::TRANSFER_ENCODING);
        let mut response = Response::new(full(bytes));
        *response.status_mut() = status;
        *response.headers_mut() = self.headers;
        Ok(response)
    }
}

/// A header's value, a byte for each character; `None` where there is one that no header can have.
fn latin1(text: &str) -> Option<HeaderValue> {
    let bytes: Option<Vec<u8>> = text
        .chars()
        .map(|c| u8::try_from(u32::from(c)).ok())
        .collect();
    HeaderValue::from_bytes(&bytes?).ok()
}

/// A content type with the character set that Express adds to what is text.
fn with_charset(ty: &str) -> String {
    let has_charset = ty.split(';').skip(1).any(|part| {
        let name = part.split('=').next().unwrap_or_default();
        part.contains('=') && name.trim() == "charset"
    });
    let media = ty.split(';').next().unwrap_or_default();
    let is_text = media.starts_with("text/")
        || media.starts_with("application/javascript")
        || media.starts_with("application/json");
    match is_text && !has_charset {
        true => format!("{ty}; charset=utf-8"),
        false => ty.to_owned(),
    }
}

/// The content type of a text: written anew, in UTF-8.
fn in_utf8(ty: &str) -> Option<String> {
    let mut parts = ty.split(';');
    let media = parts.next()?.trim().to_lowercase();
    super::body::Media::parse(&media)?;
    let mut parameters: Vec<(String, String)> = Vec::new();
    for part in parts {
        let (name, value) = part.split_once('=')?;
        let name = name.trim().to_lowercase();
        if name != "charset" {
            parameters.push((name, value.trim().to_owned()));
        }
    }
    parameters.push(("charset".to_owned(), "utf-8".to_owned()));
    parameters.sort();
    let parameters = parameters
        .iter()
        .map(|(name, value)| format!("; {name}={value}"));
    Some(media + &parameters.collect::<String>())
}

/// The entity tag of a body: its length and a sum of it.
fn tag_of(bytes: &Bytes) -> String {
    let sum = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
    let sum = base64::engine::general_purpose::STANDARD_NO_PAD.encode(sum);
    format!("W/\"{:x}-{}\"", bytes.len(), &sum[..27])
}

/// JSON as the argument of a function; only what names are made of is let through.
fn call_of(callback: &str, json: &str) -> String {
    let name: String = callback
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '[' | ']' | '.'))
        .collect();
    let json = json
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029");
    format!("/**/ typeof {name} === 'function' && {name}({json});")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_tag_is_as_the_package_etag_makes_it() {
        assert_eq!(
            tag_of(&Bytes::from("42")),
            "W/\"2-ks/Os51X2RTtixTQ43ZD3geXrlY\""
        );
        assert_eq!(tag_of(&Bytes::new()), "W/\"0-2jmj7l5rSw0yVb/vlWAYkK/YBwk\"");
    }

    #[test]
    fn content_types_are_written_anew() {
        for (ty, expected) in [
            ("text/plain", Some("text/plain; charset=utf-8")),
            (
                "Text/HTML; charset=utf-16; a=b",
                Some("text/html; a=b; charset=utf-8"),
            ),
            ("html", None),
        ] {
            assert_eq!(in_utf8(ty).as_deref(), expected, "{ty}");
        }
    }
}
