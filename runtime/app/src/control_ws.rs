//! The control protocol on a WebSocket: `ws://HOST:PORT/control`, one object a text frame.
//!
//! Only programs of this machine and of the same origin may speak it: a page from elsewhere, which a browser would connect
//! for, is refused by its `Origin`.

use futures_util::{SinkExt, StreamExt};
use std::sync::Arc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use vgdc_http::http::{HeaderMap, HeaderValue, StatusCode, header};
use vgdc_http::hyper_util::rt::TokioIo;
use vgdc_http::{Exchange, Handler, HttpServer, Pattern, Response, RouteGuard, full};
use vgdc_probe::{Control, Hub};

/// Adds the routes: for upgrades, and for who asks without one. They stand as long as the guards are held.
///
/// # Errors
/// The listener cannot bind.
pub fn route(
    server: &HttpServer,
    control: Arc<Control>,
    hub: Arc<Hub>,
) -> std::io::Result<Vec<RouteGuard>> {
    let pattern = Pattern::parse("/control").map_err(|e| std::io::Error::other(e.to_string()))?;
    let handler: Handler = Arc::new(move |exchange| {
        let (control, hub) = (control.clone(), hub.clone());
        Box::pin(async move { accept(exchange, control, hub) })
    });
    let upgrade = server.upgrade_route("/control", handler.clone())?;
    let plain = server.route(None, pattern, handler)?;
    Ok(upgrade.into_iter().chain([plain]).collect())
}

fn plain(status: StatusCode, text: &str) -> Response {
    let mut response = Response::new(full(text.to_owned()));
    *response.status_mut() = status;
    response
}

/// True when the request comes from no page, or from a page of this very host.
fn is_own(headers: &HeaderMap) -> bool {
    match (headers.get(header::ORIGIN), headers.get(header::HOST)) {
        (None, _) => true,
        (Some(origin), Some(host)) => origin
            .to_str()
            .ok()
            .and_then(|o| o.split_once("://"))
            .is_some_and(|(_, at)| at.as_bytes() == host.as_bytes()),
        (Some(_), None) => false,
    }
}

fn accept(mut exchange: Exchange, control: Arc<Control>, hub: Arc<Hub>) {
    let headers = exchange.request.headers();
    if !is_own(headers) {
        exchange.responder.answer(plain(
            StatusCode::FORBIDDEN,
            "this origin may not control the flows",
        ));
        return;
    }
    let Some(key) = headers
        .get(header::SEC_WEBSOCKET_KEY)
        .map(|key| derive_accept_key(key.as_bytes()))
    else {
        exchange.responder.answer(plain(
            StatusCode::UPGRADE_REQUIRED,
            "the control protocol is spoken on a WebSocket",
        ));
        return;
    };
    let Ok(key) = HeaderValue::from_str(&key) else {
        return;
    };
    let upgrade = vgdc_http::hyper::upgrade::on(&mut exchange.request);
    let mut response = plain(StatusCode::SWITCHING_PROTOCOLS, "");
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, key);
    exchange.responder.answer(response);
    tokio::spawn(async move {
        // (a client that goes away before the upgrade wanted nothing)
        let Ok(upgraded) = upgrade.await else { return };
        converse_on(upgraded, &control, &hub).await;
    });
}

/// Speaks the control protocol on a connection that has become a WebSocket, until it ends. Whoever hands it over has seen to it that its other
/// end may do everything.
pub async fn converse_on(
    upgraded: vgdc_http::hyper::upgrade::Upgraded,
    control: &Control,
    hub: &Hub,
) {
    let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
    converse(socket, control, hub).await;
}

async fn converse<S>(socket: WebSocketStream<S>, control: &Control, hub: &Hub)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let subscriber = hub.subscribe();
    let outbox = subscriber.outbox().clone();
    let (mut write, mut read) = socket.split();
    let writer = tokio::spawn(async move {
        while let Some(lines) = outbox.next().await {
            for line in lines.lines() {
                if write.feed(Message::text(line)).await.is_err() {
                    return;
                }
            }
            if write.flush().await.is_err() {
                return;
            }
        }
    });
    while let Some(Ok(message)) = read.next().await {
        match message {
            Message::Text(line) => control.line(&subscriber, &line).await,
            Message::Close(_) => break,
            _ => {}
        }
    }
    subscriber.outbox().close();
    // (the writer ends with the connection or with its last line)
    let _ = writer.await;
}
