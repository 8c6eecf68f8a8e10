//! Hands requests that no route of the program answers to the host's own HTTP server: pages, sockets and files of packages.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::net::UnixStream;
use vgdc_http::{Exchange, Handler};

/// A handler that asks the server which listens on this socket.
pub fn to(socket: PathBuf) -> Handler {
    let socket: Arc<Path> = socket.into();
    Arc::new(move |exchange| {
        let socket = socket.clone();
        Box::pin(async move { hand_on(exchange, &socket).await })
    })
}

async fn hand_on(exchange: Exchange, socket: &Path) {
    let Exchange {
        mut request,
        peer,
        secure,
        responder,
        ..
    } = exchange;
    let stream = match UnixStream::connect(socket).await {
        Ok(stream) => stream,
        Err(error) => return refuse(responder, &error),
    };
    let (mut sender, connection) =
        match hyper::client::conn::http1::handshake(TokioIo::new(stream)).await {
            Ok(both) => both,
            Err(error) => return refuse(responder, &error),
        };
    // (its errors are those of the answer)
    tokio::spawn(async move { drop(connection.with_upgrades().await) });
    forwarded(request.headers_mut(), &peer.ip().to_string(), secure);
    let wants_upgrade = request.headers().contains_key(header::UPGRADE);
    let here = wants_upgrade.then(|| hyper::upgrade::on(&mut request));
    let mut answer = match sender.send_request(request).await {
        Ok(answer) => answer,
        Err(error) => return refuse(responder, &error),
    };
    if let Some(here) = here.filter(|_| answer.status() == StatusCode::SWITCHING_PROTOCOLS) {
        let there = hyper::upgrade::on(&mut answer);
        tokio::spawn(async move {
            if let (Ok(here), Ok(there)) = tokio::join!(here, there) {
                let (mut here, mut there) = (TokioIo::new(here), TokioIo::new(there));
                // (either end closes it, in order or not)
                let _ = tokio::io::copy_bidirectional(&mut here, &mut there).await;
            }
        });
    }
    let (parts, body) = answer.into_parts();
    responder.answer(Response::from_parts(parts, Whole { body }.boxed()));
}

/// What proxies say of whom they ask for.
fn forwarded(headers: &mut HeaderMap, peer: &str, secure: bool) {
    let mut add = |name: &'static str, value: &str| {
        let name = HeaderName::from_static(name);
        if let Ok(value) = HeaderValue::from_str(value)
            && !headers.contains_key(&name)
        {
            headers.insert(name, value);
        }
    };
    add("x-forwarded-for", peer);
    add("x-forwarded-proto", if secure { "https" } else { "http" });
}

fn refuse(responder: vgdc_http::Responder, why: &dyn std::fmt::Display) {
    let text = format!("The host of this page does not answer: {why}\n");
    let mut answer = Response::new(Full::new(Bytes::from(text)).boxed());
    *answer.status_mut() = StatusCode::BAD_GATEWAY;
    responder.answer(answer);
}

/// A body that ends where the host's breaks off: a client sees by its length that there is less than was said.
struct Whole {
    body: hyper::body::Incoming,
}

impl hyper::body::Body for Whole {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.body)
            .poll_frame(cx)
            .map(|frame| frame.and_then(Result::ok).map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.body.size_hint()
    }
}
