//! Sharing across origins (the settings `httpNodeCors` and `httpStaticCors`), as Express's `cors` does it.

use crate::{Response, full};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use vgdc_value::{Value, number};

/// Who may share.
#[derive(Debug, Clone, PartialEq)]
enum Origin {
    Any,
    /// Whoever asks.
    Asking,
    /// This one.
    Fixed(String),
    /// One of these.
    OneOf(Vec<String>),
}

/// The setting, read.
#[derive(Debug, Clone)]
pub struct Cors {
    origin: Origin,
    methods: String,
    allowed: Option<String>,
    exposed: Option<String>,
    credentials: bool,
    max_age: Option<String>,
    status: StatusCode,
}

/// Headers of an answer.
pub type Headers = Vec<(HeaderName, HeaderValue)>;

impl Cors {
    /// Reads the setting; `None` when nothing is shared.
    pub fn read(setting: &Value) -> Option<Cors> {
        if !setting.truthy() {
            return None;
        }
        let list = |value: Value| match value {
            Value::Array(items) => Some(
                items
                    .iter()
                    .map(Value::to_js_string)
                    .collect::<Vec<_>>()
                    .join(","),
            ),
            Value::Str(text) => Some(text.to_string()),
            _ => None,
        };
        let origin = match setting.get("origin") {
            Value::Undefined => Origin::Any,
            Value::Str(text) if &*text == "*" => Origin::Any,
            Value::Str(text) => Origin::Fixed(text.to_string()),
            Value::Array(items) => Origin::OneOf(items.iter().map(Value::to_js_string).collect()),
            other if other.truthy() => Origin::Asking,
            _ => return None,
        };
        let status = setting
            .get("optionsSuccessStatus")
            .as_f64()
            .and_then(|status| StatusCode::from_u16(status as u16).ok());
        Some(Cors {
            origin,
            methods: list(setting.get("methods"))
                .unwrap_or_else(|| "GET,HEAD,PUT,PATCH,POST,DELETE".to_owned()),
            allowed: list(setting.get("allowedHeaders")),
            exposed: list(setting.get("exposedHeaders")),
            credentials: setting.get("credentials") == Value::Bool(true),
            max_age: setting.get("maxAge").as_f64().map(number::to_js_string),
            status: status.unwrap_or(StatusCode::NO_CONTENT),
        })
    }

    /// The headers of any answer to a request with these headers.
    pub fn headers(&self, asked: &HeaderMap) -> Headers {
        let mut headers = self.common(asked);
        push(
            &mut headers,
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            self.exposed.as_deref(),
        );
        headers
    }

    fn common(&self, asked: &HeaderMap) -> Headers {
        let mut headers = Headers::new();
        let asking = asked
            .get(header::ORIGIN)
            .and_then(|origin| origin.to_str().ok());
        let allowed = match &self.origin {
            Origin::Any => Some("*"),
            Origin::Asking => asking,
            Origin::Fixed(origin) => Some(origin.as_str()),
            Origin::OneOf(origins) => {
                asking.filter(|asking| origins.iter().any(|origin| origin == asking))
            }
        };
        push(&mut headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        if self.origin != Origin::Any {
            push(&mut headers, header::VARY, Some("Origin"));
        }
        push(
            &mut headers,
            header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
            self.credentials.then_some("true"),
        );
        headers
    }

    /// The answer to a browser that asks before it sends a request.
    pub fn preflight(&self, asked: &HeaderMap) -> Response {
        let mut headers = self.common(asked);
        push(
            &mut headers,
            header::ACCESS_CONTROL_ALLOW_METHODS,
            Some(&self.methods),
        );
        let wanted = asked
            .get(header::ACCESS_CONTROL_REQUEST_HEADERS)
            .and_then(|wanted| wanted.to_str().ok());
        if self.allowed.is_none() {
            push(
                &mut headers,
                header::VARY,
                Some("Access-Control-Request-Headers"),
            );
        }
        push(
            &mut headers,
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            self.allowed.as_deref().or(wanted),
        );
        push(
            &mut headers,
            header::ACCESS_CONTROL_MAX_AGE,
            self.max_age.as_deref(),
        );
        let mut response = Response::new(full(""));
        *response.status_mut() = self.status;
        for (name, value) in headers {
            response.headers_mut().append(name, value);
        }
        response
    }
}

fn push(headers: &mut Headers, name: HeaderName, value: Option<&str>) {
    if let Some(Ok(value)) = value
        .filter(|value| !value.is_empty())
        .map(HeaderValue::from_str)
    {
        headers.push((name, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vgdc_value::json;

    fn shown(setting: &str, origin: Option<&str>) -> String {
        let Some(cors) = Cors::read(&json::parse(setting).expect("JSON")) else {
            return "nothing".into();
        };
        let mut asked = HeaderMap::new();
        if let Some(origin) = origin {
            asked.insert(
                header::ORIGIN,
                HeaderValue::from_str(origin).expect("a value"),
            );
        }
        let response = cors.preflight(&asked);
        let lines = response
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().expect("text")));
        let mut lines: Vec<String> = lines
            .map(|line| line.replace("access-control-", ""))
            .collect();
        lines.sort();
        lines.join("; ")
    }

    #[test]
    fn headers_are_those_of_cors() {
        const METHODS: &str = "allow-methods: GET,HEAD,PUT,PATCH,POST,DELETE";
        for (setting, origin, expected) in [
            ("false", None, "nothing".to_owned()),
            (
                r#"{"origin":"*","methods":"GET,PUT"}"#,
                None,
                "allow-methods: GET,PUT; allow-origin: *; vary: Access-Control-Request-Headers"
                    .into(),
            ),
            (
                r#"{"origin":["http://a","http://b"],"allowedHeaders":["x","y"]}"#,
                Some("http://b"),
                format!("allow-headers: x,y; {METHODS}; allow-origin: http://b; vary: Origin"),
            ),
            (
                r#"{"origin":["http://a"],"allowedHeaders":"x"}"#,
                Some("http://b"),
                format!("allow-headers: x; {METHODS}; vary: Origin"),
            ),
            (
                r#"{"origin":true,"credentials":true,"maxAge":9,"allowedHeaders":"x"}"#,
                Some("http://b"),
                format!(
                    "allow-credentials: true; allow-headers: x; {METHODS}; allow-origin: http://b; max-age: 9; vary: Origin"
                ),
            ),
        ] {
            assert_eq!(shown(setting, origin), expected, "{setting}");
        }
    }
}
