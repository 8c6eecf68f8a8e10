//! **http response** — answers a request that an **http in** node received.
//!
//! `msg.payload` is the body (objects are sent as JSON), `msg.statusCode` the status (unless the node has one),
//! `msg.headers` and the node's headers the headers, `msg.cookies` the cookies: a text, an object with `value` and options,
//! or null to clear one.

use super::http_in::PendingResponse;
use super::web;
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

#[node(type = "http response", category = "network", inputs = 1, outputs = 0, effect = Io)]
impl Node for HttpResponse {
    type Config = HttpResponseConfig;

    fn new(config: HttpResponseConfig, _: &mut Cx<'_>) -> Result<Self, NodeError> {
        let headers = config.headers.as_object().cloned().unwrap_or_default();
        Ok(HttpResponse { status: config.status_code.trim().parse().ok().filter(|status| *status != 0), headers })
    }
}

impl Process for HttpResponse {
    fn input(&mut self, cx: &mut Cx<'_>, msg: Msg) {
        let responder = match msg.get("res") {
            Some(Value::Handle(handle)) => handle.downcast::<PendingResponse>().map(|pending| {
                pending.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
            }),
            _ => None,
        };
        match responder {
            // (a second answer to the same request has nobody to go to)
            Some(None) => cx.error("Error [ERR_HTTP_HEADERS_SENT]: Cannot set headers after they are sent to the client", Some(&msg)),
            Some(Some(responder)) => match self.response(&msg, cx.now_ms()) {
                Ok(response) => {
                    responder.answer(response);
                    cx.done_with(&msg);
                }
                Err(error) => cx.error(error, Some(&msg)),
            },
            None => {
                cx.warn("No response object");
                cx.done_with(&msg);
            }
        }
    }
}

impl HttpResponse {
    fn response(&self, msg: &Msg, now_ms: f64) -> Result<Response, NodeError> {
        let (body, content_type) = body_of(msg.payload())?;
        let mut response = Response::new(full(body.clone()));
        *response.status_mut() = self.status_of(msg)?;
        for (name, value) in self.headers_of(msg).iter() {
            let values = match value {
                Value::Array(values) => values.to_vec(),
                single => vec![single.clone()],
            };
            let header = HeaderName::from_bytes(name.as_str().as_bytes());
            let header = header.map_err(|_| NodeError::new(format!("Header name must be a valid HTTP token [\"{}\"]", name.as_str())))?;
            response.headers_mut().remove(&header);
            for value in values {
                let value = HeaderValue::from_bytes(value.to_js_string().as_bytes());
                let value = value.map_err(|_| NodeError::new(format!("Invalid character in header content [\"{}\"]", name.as_str())))?;
                response.headers_mut().append(header.clone(), value);
            }
        }
        let headers = response.headers_mut();
        match headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) {
            None => drop(headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type))),
            // Express names the character set of texts
            Some(given) if !given.contains("charset") && is_text(given) => {
                if let Ok(value) = HeaderValue::from_str(&format!("{given}; charset=utf-8")) {
                    headers.insert(header::CONTENT_TYPE, value);
                }
            }
            Some(_) => {}
        }
        if headers.get(header::CONTENT_LENGTH).is_some_and(|given| given.to_str().ok() != Some(&body.len().to_string())) {
            headers.remove(header::CONTENT_LENGTH);
        }
        if let Some(Value::Object(cookies)) = msg.get("cookies") {
            for (name, cookie) in cookies.iter() {
                let line = cookie_line(name.as_str(), cookie, now_ms);
                let value = HeaderValue::from_str(&line).map_err(|_| NodeError::new(format!("the cookie \"{name}\" cannot be sent")))?;
                headers.append(header::SET_COOKIE, value);
            }
        }
        Ok(response)
    }

    fn status_of(&self, msg: &Msg) -> Result<StatusCode, NodeError> {
        let given = msg.get("statusCode").map(|value| vgdc_core::value::number::parse_float(&value.to_js_string()).trunc());
        let given = given.filter(|status| !status.is_nan() && *status != 0.0);
        let status = self.status.map(f64::from).or(given).unwrap_or(200.0);
        StatusCode::from_u16(status as u16).ok().filter(|_| (100.0..=999.0).contains(&status)).ok_or_else(|| {
            NodeError::new(format!("RangeError [ERR_HTTP_INVALID_STATUS_CODE]: Invalid status code: {status}"))
        })
    }

    /// The node's headers, then the message's that the node does not have.
    fn headers_of(&self, msg: &Msg) -> Object {
        let mut headers = self.headers.clone();
        if let Some(Value::Object(given)) = msg.get("headers") {
            for (name, value) in given.iter() {
                // (what an http request node left in the message is no header of the answer)
                if given.contains_key("x-node-red-request-node") {
                    break;
                }
                if !headers.contains_key(name.as_str()) && !value.is_undefined() {
                    headers.insert(name, value.clone());
                }
            }
        }
        headers
    }
}

fn is_text(content_type: &str) -> bool {
    content_type.starts_with("text/") || content_type == "application/json" || content_type == "application/javascript"
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
        Value::Bool(_) => return Err(NodeError::new("The \"string\" argument must be of type string or an instance of Buffer or ArrayBuffer. Received type boolean")),
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
            value => web::set_cookie(name, &value.map(Value::to_js_string).unwrap_or_default(), Some(options), now_ms),
        },
        other => web::set_cookie(name, &other.to_js_string(), None, now_ms),
    }
}
