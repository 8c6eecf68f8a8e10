//! **http response** — answers a request that an **http in** node received.
//!
//! `msg.payload` is the body (objects are sent as JSON), `msg.statusCode` the status (unless the node has one),
//! `msg.headers` and the node's headers the headers, `msg.cookies` the cookies: a text, an object with `value` and options,
//! or null to clear one.

use super::digest;
use super::http_in::PendingResponse;
use super::web;
use std::sync::PoisonError;
use vgdc_core::value::{Msg, Object, Value, json};
use vgdc_core::{Cx, Node, NodeError, Process};
use vgdc_http::http::{HeaderName, HeaderValue, StatusCode, header};
use vgdc_http::{Bytes, Response, full};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct HttpResponseConfig {
    #[field(name = "statusCode", default = "", label = "Status code")]
    status_code: String,
    #[field(json = "{}", label = "Headers")]
    headers: Value,
}

/// The behaviour.
pub struct HttpResponse {
    status: Option<u16>,
    headers: Object,
}

#[node(type = "http response", category = "network", inputs = 1, outputs = 0, effect = Io, types = "msg", needs = [("res", "there is no request to answer")])]
impl Node for HttpResponse {
    type Config = HttpResponseConfig;

    fn new(config: HttpResponseConfig, _: &mut Cx<'_>) -> Result<Self, NodeError> {
        let headers = config.headers.as_object().cloned().unwrap_or_default();
        Ok(HttpResponse {
            status: config
                .status_code
                .trim()
                .parse()
                .ok()
                .filter(|status| *status != 0),
            headers,
        })
    }
}

impl Process for HttpResponse {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        let handle = match msg.get("res") {
            Some(Value::Handle(handle)) => handle.clone(),
            _ => return no_response(cx, &msg),
        };
        let Some(pending) = handle.downcast::<PendingResponse>() else {
            return no_response(cx, &msg);
        };
        let mut responder = pending
            .responder
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if responder.is_none() {
            // (a second answer to the same request has nobody to go to)
            return cx.error("Error [ERR_HTTP_HEADERS_SENT]: Cannot set headers after they are sent to the client", Some(&msg));
        }
        match self.response(&msg, pending, cx.now_ms()) {
            Ok(response) => {
                if let Some(responder) = responder.take() {
                    responder.answer(response);
                }
                cx.done_with(&msg);
            }
            // (the request can still be answered by another message)
            Err(error) => cx.error(error, Some(&msg)),
        }
    }
}

fn no_response(cx: &mut Cx<'_>, msg: &Msg) {
    cx.warn("No response object");
    cx.done_with(msg);
}

impl HttpResponse {
    fn response(
        &self,
        msg: &Msg,
        pending: &PendingResponse,
        now_ms: f64,
    ) -> Result<Response, NodeError> {
        let (mut body, mut content_type) = body_of(msg.payload())?;
        let jsonp = pending
            .callback
            .as_deref()
            .filter(|_| msg.payload().type_of() == "object" && msg.payload().as_buffer().is_none());
        if let Some(callback) = jsonp {
            (body, content_type) = (call_of(callback, &body), "text/javascript; charset=utf-8");
        }
        let mut response = Response::new(full(body.clone()));
        for (name, value) in &pending.headers {
            response.headers_mut().append(name.clone(), value.clone());
        }
        if jsonp.is_some() {
            response.headers_mut().insert(
                header::X_CONTENT_TYPE_OPTIONS,
                HeaderValue::from_static("nosniff"),
            );
        }
        *response.status_mut() = self.status_of(msg)?;
        for (name, value) in self.headers_of(msg).iter() {
            let values = match value {
                Value::Array(values) => values.to_vec(),
                single => vec![single.clone()],
            };
            let header = HeaderName::from_bytes(name.as_str().as_bytes());
            let header = header.map_err(|_| {
                NodeError::new(format!(
                    "Header name must be a valid HTTP token [\"{}\"]",
                    name.as_str()
                ))
            })?;
            response.headers_mut().remove(&header);
            for value in values {
                let value = HeaderValue::from_bytes(value.to_js_string().as_bytes());
                let value = value.map_err(|_| {
                    NodeError::new(format!(
                        "Invalid character in header content [\"{}\"]",
                        name.as_str()
                    ))
                })?;
                response.headers_mut().append(header.clone(), value);
            }
        }
        let headers = response.headers_mut();
        match headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
        {
            None => {
                drop(headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type)))
            }
            // Express names the character set of texts
            Some(given) if !given.contains("charset") && is_text(given) => {
                if let Ok(value) = HeaderValue::from_str(&format!("{given}; charset=utf-8")) {
                    headers.insert(header::CONTENT_TYPE, value);
                }
            }
            Some(_) => {}
        }
        if headers
            .get(header::CONTENT_LENGTH)
            .is_some_and(|given| given.to_str().ok() != Some(&body.len().to_string()))
        {
            headers.remove(header::CONTENT_LENGTH);
        }
        if let Some(Value::Object(cookies)) = msg.get("cookies") {
            for (name, cookie) in cookies.iter() {
                let line = cookie_line(name.as_str(), cookie, now_ms);
                let value = HeaderValue::from_str(&line)
                    .map_err(|_| NodeError::new(format!("the cookie \"{name}\" cannot be sent")))?;
                headers.append(header::SET_COOKIE, value);
            }
        }
        Ok(response)
    }

    fn status_of(&self, msg: &Msg) -> Result<StatusCode, NodeError> {
        let given = msg
            .get("statusCode")
            .map(|value| vgdc_core::value::number::parse_float(&value.to_js_string()).trunc());
        let given = given.filter(|status| !status.is_nan() && *status != 0.0);
        let status = self.status.map(f64::from).or(given).unwrap_or(200.0);
        StatusCode::from_u16(status as u16)
            .ok()
            .filter(|_| (100.0..=999.0).contains(&status))
            .ok_or_else(|| {
                NodeError::new(format!(
                    "RangeError [ERR_HTTP_INVALID_STATUS_CODE]: Invalid status code: {status}"
                ))
            })
    }

    /// The node's headers, then the message's that the node does not have.
    fn headers_of(&self, msg: &Msg) -> Object {
        let mut headers = self.headers.clone();
        if let Some(Value::Object(given)) = msg.get("headers") {
            let mut given = given.clone();
            // (what an http request node left in the message, unchanged, is no header of the answer)
            if let Some(sum) = given.remove("x-node-red-request-node")
                && sum.to_js_string() == digest::checksum(&given)
            {
                return headers;
            }
            for (name, value) in given.iter() {
                if !headers.contains_key(name.as_str()) && !value.is_undefined() {
                    headers.insert(name, value.clone());
                }
            }
        }
        headers
    }
}

/// JSON as the argument of a function, as Express writes it; only what names are made of is let through.
fn call_of(callback: &str, json: &Bytes) -> Bytes {
    let name: String = callback
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '[' | ']' | '.'))
        .collect();
    let json = String::from_utf8_lossy(json)
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029");
    Bytes::from(format!(
        "/**/ typeof {name} === 'function' && {name}({json});"
    ))
}

fn is_text(content_type: &str) -> bool {
    content_type.starts_with("text/")
        || content_type == "application/json"
        || content_type == "application/javascript"
}

/// The body and the content type that Express gives to it.
fn body_of(payload: &Value) -> Result<(Bytes, &'static str), NodeError> {
    const HTML: &str = "text/html; charset=utf-8";
    const JSON: &str = "application/json; charset=utf-8";
    Ok(match payload {
        Value::Undefined => (Bytes::new(), HTML),
        Value::Buffer(bytes) => (Bytes::from(bytes.to_vec()), "application/octet-stream"),
        Value::Str(text) => (Bytes::from(text.to_string()), HTML),
        Value::Number(_) => (Bytes::from(payload.to_js_string()), HTML),
        Value::Bool(_) => {
            return Err(NodeError::new(
                "The \"string\" argument must be of type string or an instance of Buffer or ArrayBuffer. Received type boolean",
            ));
        }
        other => {
            let text = json::stringify(other, 0).map_err(|e| NodeError::from_value(e.into()))?;
            (Bytes::from(text.unwrap_or_default()), JSON)
        }
    })
}

fn cookie_line(name: &str, cookie: &Value, now_ms: f64) -> String {
    let mut cleared = Object::new();
    cleared.insert("expires", Value::Date(1.0));
    match cookie {
        Value::Null => web::set_cookie(name, "", Some(&cleared), now_ms),
        Value::Object(options) => match options.get("value") {
            Some(Value::Null) => {
                let mut options = options.clone();
                options.remove("maxAge");
                options.insert("expires", Value::Date(1.0));
                web::set_cookie(name, "", Some(&options), now_ms)
            }
            value => web::set_cookie(
                name,
                &value.map(Value::to_js_string).unwrap_or_default(),
                Some(options),
                now_ms,
            ),
        },
        other => web::set_cookie(name, &other.to_js_string(), None, now_ms),
    }
}
