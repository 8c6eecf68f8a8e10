//! **http response** — answers a request that an **http in** node received.
//!
//! `msg.payload` is the body (objects are sent as JSON), `msg.statusCode` the status (unless the node has one),
//! `msg.headers` and the node's headers the headers, `msg.cookies` the cookies: a text, an object with `value` and options,
//! or null to clear one.

use super::digest;
use super::express::Answer;
use super::http_in::PendingResponse;
use crate::common::hosted;
use std::any::Any;
use std::sync::PoisonError;
use vgdc_core::value::{ErrorValue, Key, Msg, Object, Value, number};
use vgdc_core::{Cx, Mailbox, Node, NodeError, Process, Told};
use vgdc_http::Response;
use vgdc_http::http::header;
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct HttpResponseConfig {
    #[field(name = "statusCode", default = "", shown = Number, label = "Status code")]
    status_code: String,
    #[field(json = "{}", label = "Headers")]
    headers: Value,
}

/// The behaviour.
pub struct HttpResponse {
    /// Not a number, or 0: the message's.
    status: f64,
    headers: Object,
    /// Where the same node runs that answers requests which packages' nodes have got.
    twin: Option<Mailbox>,
}

#[node(type = "http response", category = "network", inputs = 1, outputs = 0, effect = Io, role = Answer, types = "msg", needs = [("res", "there is no request to answer")], text = First("statusCode"), color = "#e7e7ae", icon = "white-globe.svg")]
impl Node for HttpResponse {
    type Config = HttpResponseConfig;

    fn new(config: HttpResponseConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let headers = config.headers.as_object().cloned().unwrap_or_default();
        let places = cx.other_places();
        let twin = (!places.is_empty()).then(|| cx.mailbox());
        if let (Some(mailbox), Some(elsewhere)) = (&twin, &cx.shared().elsewhere) {
            elsewhere.attach(cx.id(), &places, mailbox.clone());
        }
        Ok(HttpResponse {
            status: parse_int(&config.status_code),
            headers,
            twin,
        })
    }
}

impl Process for HttpResponse {
    fn event(&mut self, cx: &mut Cx<'_>, event: Box<dyn Any>) {
        if let Ok(told) = event.downcast::<Told>() {
            hosted::do_told(cx, *told);
        }
    }

    fn input(&mut self, cx: &mut Cx<'_>, mut msg: Msg) {
        if let Some(twin) = self.twin.as_ref().filter(|_| is_of_elsewhere(&msg)) {
            return cx.hand_over(&msg, twin);
        }
        let handle = match msg.get("res") {
            Some(Value::Handle(handle)) => handle.clone(),
            Some(other) if other.truthy() => return no_handle(cx, &msg),
            _ => return no_response(cx, &msg),
        };
        let Some(pending) = handle.downcast::<PendingResponse>() else {
            return no_handle(cx, &msg);
        };
        forget_answer(&mut msg);
        let mut responder = pending
            .responder
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if responder.is_none() {
            // (a second answer to the same request has nobody to go to)
            let message = "Cannot set headers after they are sent to the client";
            let error = ErrorValue::new("Error", message).with("code", "ERR_HTTP_HEADERS_SENT");
            let error = NodeError::from_value(error.into());
            let text = format!("Error [ERR_HTTP_HEADERS_SENT]: {message}");
            return cx.error(error.with_text(text), Some(&msg));
        }
        match self.response(&msg, pending, cx.now_ms()) {
            Ok(response) => {
                if let Some(responder) = responder.take() {
                    responder.answer(response);
                }
                if let Value::Number(_) = msg.payload() {
                    let text = msg.payload().to_js_string();
                    msg.set_payload(text);
                }
                cx.done_with(&msg);
            }
            // (the request can still be answered by another message)
            Err(error) => cx.error(error, Some(&msg)),
        }
    }
}

/// Whether the request was got in another place, where its response is.
fn is_of_elsewhere(msg: &Msg) -> bool {
    let is_foreign = |value: &Value| match value {
        Value::Handle(handle) => handle.downcast::<PendingResponse>().is_none(),
        _ => false,
    };
    let res = msg.get("res");
    res.is_some_and(|res| is_foreign(res) || is_foreign(&res.get("_res")))
}

fn no_response(cx: &mut Cx<'_>, msg: &Msg) {
    cx.warn("No response object");
    cx.done_with(msg);
}

/// What an http request node left in the message, unchanged, is no header of the answer.
fn forget_answer(msg: &mut Msg) {
    let Some(Value::Object(headers)) = msg.get("headers") else {
        return;
    };
    let mut headers = headers.clone();
    if let Some(sum) = headers.remove("x-node-red-request-node") {
        match sum.to_js_string() == digest::checksum(&headers) {
            true => drop(msg.remove("headers")),
            false => drop(msg.insert("headers", headers)),
        }
    }
}

/// Something else stands in the place of the response.
fn no_handle(cx: &mut Cx<'_>, msg: &Msg) {
    let message = match msg.get("res").map(|res| res.get("_res")) {
        Some(inner) if !inner.is_nullish() => "msg.res._res.get is not a function",
        Some(Value::Null) => "Cannot read properties of null (reading 'get')",
        _ => "Cannot read properties of undefined (reading 'get')",
    };
    let error = ErrorValue::new("TypeError", message);
    cx.error(NodeError::from_value(error.into()), Some(msg));
}

/// `parseInt(text)`.
fn parse_int(text: &str) -> f64 {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let hex = digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"));
    let value = match hex {
        Some(hex) => {
            let end = hex
                .find(|c: char| !c.is_ascii_hexdigit())
                .unwrap_or(hex.len());
            u64::from_str_radix(&hex[..end], 16).map_or(f64::NAN, |n| n as f64)
        }
        None => {
            let end = digits
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(digits.len());
            match end {
                0 => f64::NAN,
                end => number::parse_float(&digits[..end]),
            }
        }
    };
    if negative { -value } else { value }
}

/// `name || other`, of numbers.
fn or(first: f64, second: f64) -> f64 {
    match first.is_nan() || first == 0.0 {
        true => second,
        false => first,
    }
}

impl HttpResponse {
    fn response(
        &self,
        msg: &Msg,
        pending: &PendingResponse,
        now_ms: f64,
    ) -> Result<Response, NodeError> {
        let mut answer = Answer::new(&pending.asked, &pending.headers);
        for (name, value) in self.headers_of(msg).iter() {
            answer.set(name.as_str(), value)?;
        }
        self.set_cookies(&mut answer, msg, now_ms)?;
        let given = msg
            .get("statusCode")
            .map_or(f64::NAN, |status| parse_int(&status.to_js_string()));
        answer.status(or(self.status, or(given, 200.0)));
        let payload = msg.payload();
        let has_length = answer.has(header::CONTENT_LENGTH);
        let text = match payload {
            Value::Buffer(_) => payload.clone(),
            Value::Str(_) => payload.clone(),
            Value::Number(_) => Value::from(payload.to_js_string()),
            Value::Undefined => {
                if !has_length {
                    answer.set("content-length", &Value::from("0"))?;
                }
                return answer.send(None);
            }
            Value::Bool(_) if !has_length => return Err(no_length(payload)),
            other => return answer.jsonp(other),
        };
        answer.send(Some(text))
    }

    fn set_cookies(
        &self,
        answer: &mut Answer<'_>,
        msg: &Msg,
        now_ms: f64,
    ) -> Result<(), NodeError> {
        let cookies: Object = match msg.get("cookies") {
            Some(Value::Object(cookies)) => cookies.clone(),
            // (the letters of a text, by their numbers)
            Some(Value::Str(text)) => text
                .chars()
                .enumerate()
                .map(|(at, c)| (Key::from(at.to_string()), Value::from(c.to_string())))
                .collect(),
            _ => return Ok(()),
        };
        for (name, cookie) in cookies.iter() {
            let name = name.as_str();
            match cookie {
                Value::Undefined => {
                    let error = "Cannot read properties of undefined (reading 'value')";
                    return Err(NodeError::from_value(
                        ErrorValue::new("TypeError", error).into(),
                    ));
                }
                Value::Null => {
                    answer.cookie(name, &Value::from(""), &cleared(&Object::new()), now_ms)?
                }
                Value::Object(options) => match options.get("value") {
                    Some(Value::Null) => {
                        answer.cookie(name, &Value::from(""), &cleared(options), now_ms)?;
                    }
                    value => {
                        let value = value.cloned().unwrap_or(Value::Undefined);
                        answer.cookie(name, &value, options, now_ms)?;
                    }
                },
                other => answer.cookie(name, other, &Object::new(), now_ms)?,
            }
        }
        Ok(())
    }

    /// The node's headers, then the message's that the node does not have.
    fn headers_of(&self, msg: &Msg) -> Object {
        let mut headers = self.headers.clone();
        if let Some(Value::Object(given)) = msg.get("headers") {
            for (name, value) in given.iter() {
                if !headers.contains_key(name.as_str()) {
                    headers.insert(name, value.clone());
                }
            }
        }
        headers
    }
}

/// The options of a cookie that is to go.
fn cleared(options: &Object) -> Object {
    let mut options = options.clone();
    options.remove("maxAge");
    options.insert("expires", Value::Date(1.0));
    if !options.contains_key("path") {
        options.insert("path", "/");
    }
    options
}

/// What is said of a payload whose length nobody knows.
fn no_length(payload: &Value) -> NodeError {
    let shown = payload.to_js_string();
    let message = format!(
        "The \"string\" argument must be of type string or an instance of Buffer or ArrayBuffer. Received type {} ({shown})",
        payload.type_of()
    );
    let text = format!("TypeError [ERR_INVALID_ARG_TYPE]: {message}");
    let error = ErrorValue::new("TypeError", message).with("code", "ERR_INVALID_ARG_TYPE");
    NodeError::from_value(error.into()).with_text(text)
}
