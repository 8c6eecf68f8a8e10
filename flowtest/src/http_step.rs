//! A request to the flow's own HTTP listener.

use crate::file::Request;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::Value as Json;
use std::net::SocketAddr;

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answered {
    pub status: u16,
    /// Names in small letters; several values of one are joined by ", ".
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Asks, and waits for the answer.
pub(crate) async fn ask(addr: SocketAddr, request: &Request) -> Result<Answered, String> {
    let body = match &request.body {
        None => String::new(),
        Some(Json::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let typed = request
        .headers
        .keys()
        .any(|name| name.eq_ignore_ascii_case("content-type"));
    let default = if request.body.is_some() {
        "POST"
    } else {
        "GET"
    };
    let method = request.method.as_deref().unwrap_or(default);
    let mut made = http::Request::builder()
        .method(method.to_uppercase().as_str())
        .uri(&request.path)
        .header("host", addr.to_string());
    if matches!(&request.body, Some(body) if !body.is_string()) && !typed {
        made = made.header("content-type", "application/json");
    }
    for (name, value) in &request.headers {
        made = made.header(name, value);
    }
    let made = made
        .body(Full::new(Bytes::from(body)))
        .map_err(|why| format!("this is no request that can be sent: {why}"))?;
    let failed = |why: &dyn std::fmt::Display| format!("the request failed: {why}");
    let stream = tokio::net::TcpStream::connect(addr)
        .await
        .map_err(|e| failed(&e))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|e| failed(&e))?;
    // (it ends with the answer, or with its sender)
    let connection = tokio::spawn(connection);
    let answer = sender.send_request(made).await.map_err(|e| failed(&e))?;
    let status = answer.status().as_u16();
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in answer.headers() {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        match headers.iter_mut().find(|(known, _)| known == name.as_str()) {
            Some((_, values)) => *values = format!("{values}, {value}"),
            None => headers.push((name.as_str().to_owned(), value)),
        }
    }
    let body = answer.into_body().collect().await.map_err(|e| failed(&e))?;
    connection.abort();
    Ok(Answered {
        status,
        headers,
        body: body.to_bytes().to_vec(),
    })
}
