//! Hands requests that no route of the program answers to the hosts' own HTTP servers: pages, sockets and files of packages.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use std::path::Path;
use std::sync::Arc;
use vgdc_http::{Exchange, Handler, local};

/// The most bytes of a request that more than one host may be asked for.
const MOST: usize = 64 << 20;

/// A handler that asks the servers which listen on these sockets, in turn: the first that knows the page answers.
pub fn to(sockets: Arc<[Arc<Path>]>) -> Handler {
    Arc::new(move |exchange| {
        let sockets = sockets.clone();
        Box::pin(async move { hand_on(exchange, &sockets).await })
    })
}

async fn hand_on(exchange: Exchange, sockets: &[Arc<Path>]) {
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
    let asked = match sockets {
        [only] => local::ask(only, request).await,
        several => match ask_in_turn(several, request).await {
            Ok(asked) => asked,
            Err(status) => {
                responder.answer(refused(status));
                return;
            }
        },
    };
    let mut answer = match asked {
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

/// Asks one server after the other, until one knows the page. `Err`: the request cannot be read.
async fn ask_in_turn(
    sockets: &[Arc<Path>],
    request: Request<Incoming>,
) -> Result<Result<Response<Incoming>, String>, StatusCode> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, MOST).collect().await;
    let body = body.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?.to_bytes();
    let mut last = Err("there is no host".to_owned());
    for socket in sockets {
        let request = Request::from_parts(parts.clone(), Full::new(body.clone()));
        last = local::ask(socket, request).await;
        if matches!(&last, Ok(answer) if answer.status() != StatusCode::NOT_FOUND) {
            break;
        }
    }
    Ok(last)
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

/// That the request cannot be handed on.
fn refused(status: StatusCode) -> vgdc_http::Response {
    let text = "The request is too long, or broke off.\n";
    let mut answer = Response::new(Full::new(Bytes::from_static(text.as_bytes())).boxed());
    *answer.status_mut() = status;
    answer
}
