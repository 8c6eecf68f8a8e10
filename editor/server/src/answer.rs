//! Answers, as Node-RED's have them.

use vgdc_http::http::{HeaderName, HeaderValue, StatusCode, header};
use vgdc_http::{Response, full};

/// An answer with a body of a type.
pub(crate) fn typed(
    status: StatusCode,
    ty: &'static str,
    body: impl Into<vgdc_http::Bytes>,
) -> Response {
    let mut answer = Response::new(full(body));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(ty));
    answer
}

/// JSON.
pub(crate) fn json(status: StatusCode, text: impl Into<String>) -> Response {
    typed(status, "application/json; charset=utf-8", text.into())
}

/// JSON with status 200.
pub(crate) fn ok(value: &serde_json::Value) -> Response {
    json(StatusCode::OK, value.to_string())
}

/// A status and its name as text, as Express' `sendStatus` answers.
pub(crate) fn named(status: StatusCode) -> Response {
    let name = status.canonical_reason().unwrap_or_default();
    typed(status, "text/plain; charset=utf-8", name)
}

/// Done, and nothing to say.
pub(crate) fn empty(status: StatusCode) -> Response {
    let mut answer = Response::new(full(""));
    *answer.status_mut() = status;
    answer
}

/// What is wrong, in Node-RED's form: `{code, message}`.
pub(crate) fn wrong(status: StatusCode, code: &str, message: &str) -> Response {
    json(
        status,
        serde_json::json!({ "code": code, "message": message }).to_string(),
    )
}

/// What is not there. Node-RED's message says as much.
pub(crate) fn not_found() -> Response {
    wrong(StatusCode::NOT_FOUND, "not_found", "Error")
}

/// Nobody who may not is told more than that.
pub(crate) fn unauthorized() -> Response {
    let mut answer = Response::new(full("Unauthorized"));
    *answer.status_mut() = StatusCode::UNAUTHORIZED;
    answer
}

/// The same with a header.
pub(crate) fn with(mut answer: Response, name: HeaderName, value: &str) -> Response {
    // (a value that can be no header has none)
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
    answer
}
