//! Hands requests that no route of the program answers to the host's own HTTP server: pages, sockets and files of packages.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use hyper_util::rt::TokioIo;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vgdc_http::{Exchange, Handler, local};

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
    forwarded(request.headers_mut(), &peer.ip().to_string(), secure);
    let wants_upgrade = request.headers().contains_key(header::UPGRADE);
    let here = wants_upgrade.then(|| hyper::upgrade::on(&mut request));
    let mut answer = match local::ask(socket, request).await {
        Ok(answer) => answer,
        Err(why) => {
            responder.answer(local::refusal(&why));
            return;
        }
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
    responder.answer(local::relay(answer));
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
